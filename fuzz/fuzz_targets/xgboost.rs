//! Any bytes, read as JSON or UBJSON, are a model or an error. A model of
//! moderate size lays out, its image opens, and a row runs or is refused.

#![no_main]

mod run;

use carryout::Options;
use carryout::import::xgboost;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    xgboost::is_old_binary(bytes);
    if let Ok(model) = xgboost::import(bytes, &Options::default())
        && model.schema.columns.len() <= 1000
    {
        run::model(&model);
    }
});

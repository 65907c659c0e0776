//! Any bytes are a CatBoost model (.cbm or JSON) or an error; a model lays out and runs.

#![no_main]

use carryout::Options;
use carryout::import::catboost;

mod run;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = catboost::import(bytes, &Options::default()) {
        run::model(&model);
    }
});

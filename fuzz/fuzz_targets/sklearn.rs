//! Any bytes, as a person hands them over, are a model or an error: the pickle is read, its estimator imported, and
//! the model lays out and runs.

#![no_main]

use carryout::Options;
use carryout::import::pickle::Limits;

mod run;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { heap_bytes: 16 << 20, array_bytes: 1 << 20, ratio_floor: 1 << 20, ..Limits::default() };
    if let Ok(model) = carryout::import(bytes, &Options { limits, ..Options::default() })
        && model.schema.columns.len() <= 1000
    {
        run::model(&model);
    }
});

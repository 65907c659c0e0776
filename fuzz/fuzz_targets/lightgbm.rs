//! Any text is a LightGBM model or an error; a model lays out and runs.

#![no_main]

use carryout::Options;
use carryout::import::lightgbm;

mod run;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = lightgbm::import(bytes, &Options::default()) {
        run::model(&model);
    }
});

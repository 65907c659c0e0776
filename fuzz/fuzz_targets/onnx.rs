//! Any bytes are an ONNX model or an error. A model of moderate size lays out, its image opens, and a row runs or is
//! refused.

#![no_main]

mod run;

use carryout::Options;
use carryout::import::onnx;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    onnx::looks_like(bytes);
    if let Ok(model) = onnx::import(bytes, &Options::default())
        && model.schema.columns.len() <= 1000
    {
        run::model(&model);
    }
});

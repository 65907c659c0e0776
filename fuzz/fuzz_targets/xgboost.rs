//! Any bytes, read as JSON or UBJSON, are a model or an error. A model of
//! moderate size lays out, its image opens, and a row runs or is refused.

#![no_main]

use carryout::Options;
use carryout::import::xgboost;
use carryout::lower::{Want, lower};
use carryout::runtime::host::Machine;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    xgboost::is_old_binary(bytes);
    let Ok(model) = xgboost::import(bytes, &Options::default()) else { return };
    if model.schema.columns.len() > 1000 {
        return;
    }
    let Ok(lowered) = lower(&model, Want::Everything) else { return };
    let mut machine = Machine::open(&lowered.image).expect("a lowered model opens");
    for start in [-1.0, 0.5, f64::NAN] {
        for (slot, value) in machine.slots_mut().iter_mut().take(lowered.columns.len()).enumerate() {
            *value = start + slot as f64;
        }
        let _ = machine.run(1);
    }
});

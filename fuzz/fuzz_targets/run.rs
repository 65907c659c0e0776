//! A model that was read is laid out, opened and run over a few rows.

use carryout::lower::{Want, lower};
use carryout::model::Model;
use carryout::runtime::host::Machine;

pub fn model(model: &Model) {
    let Ok(lowered) = lower(model, Want::Everything) else { return };
    let mut machine = Machine::open(&lowered.image).expect("lowering writes sound images");
    let rows = machine.block().min(4);
    for (place, slot) in machine.slots_mut().iter_mut().take(lowered.columns.len() * rows).enumerate() {
        *slot = [0.0, f64::NAN, -1.5, 3e9, f64::INFINITY, 1e-36, 7.0][place % 7];
    }
    let _ = machine.run(rows);
}

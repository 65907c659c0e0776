//! Any bytes are a value or an error, within the limits' memory; what was read can be walked and its arrays read.

#![no_main]

use std::collections::HashSet;

use carryout::import::pickle::{self, Kind, Limits};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { heap_bytes: 16 << 20, array_bytes: 1 << 20, ratio_floor: 1 << 20, ..Limits::default() };
    pickle::looks_like(bytes);
    let Ok(heap) = pickle::read(bytes, &limits) else { return };
    let mut seen = HashSet::new();
    let mut queue = vec![heap.root()];
    while let Some(value) = queue.pop() {
        if !seen.insert(value.id()) {
            continue;
        }
        let _ = (value.describe(), value.as_f64(), value.as_i64(), value.as_bool(), value.to_array());
        queue.extend(value.items().into_iter().flatten());
        queue.extend(value.pairs().into_iter().flatten().flat_map(|(key, value)| [key, value]));
        match value.kind() {
            Kind::Array(array) => {
                let _ = (array.f64s(), array.i64s(), array.bools(), array.strings(), array.raw());
                for field in &array.dtype().fields {
                    let _ = array.field(&field.name).map(|field| field.raw());
                }
            }
            Kind::Object(object) => queue.extend([object.class(), object.args(), object.kwargs(), object.state()]),
            _ => {}
        }
    }
});

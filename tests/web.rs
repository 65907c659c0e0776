//! The JavaScript binding in a real browser: `wasm-pack test --headless --chrome` (and `--firefox`).
#![cfg(all(target_arch = "wasm32", feature = "js"))]

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn version_is_the_crate_version() {
    assert_eq!(carryout::js::version(), env!("CARGO_PKG_VERSION"));
}

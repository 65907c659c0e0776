//! The binding that a web page loads: the compile side, called from JavaScript.
//!
//! Nothing here decides anything: it turns JavaScript values into ours and back, and an [`crate::Error`] into an
//! `Error` object.

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of carryout that packs.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

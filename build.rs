//! Writes `$OUT_DIR/runtime.rs` for the `compile` half: `RUNTIME`, the wasm that `pack` links models into, or
//! `None` where it has not been built (`make build` does both; the runtime half of the crate needs nothing here).

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CARRYOUT_RUNTIME_WASM");
    if env::var_os("CARGO_FEATURE_COMPILE").is_none() {
        return;
    }
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let named = env::var_os("CARRYOUT_RUNTIME_WASM");
    let wasm = root.join(named.as_ref().map_or("target/runtime.wasm".as_ref(), |path| path.as_os_str()));
    assert!(named.is_none() || wasm.is_file(), "CARRYOUT_RUNTIME_WASM: no file {}", wasm.display());

    let value = if wasm.is_file() {
        // A missing file is not watched: cargo would take it as changed and rebuild the crate every time.
        // scripts/build-wasm.sh touches this file when it first makes one.
        println!("cargo:rerun-if-changed={}", wasm.display());
        format!("Some(include_bytes!({wasm:?}))")
    } else {
        "None".to_owned()
    };
    let text = format!(
        "/// The prebuilt runtime (target/runtime.wasm), or None in a build made without it.\n\
         pub static RUNTIME: Option<&[u8]> = {value};\n"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("runtime.rs");
    fs::write(&out, text).expect("cargo's OUT_DIR is writable");
}

//! Writes `$OUT_DIR/runtime.rs` for the `compile` half: `RUNTIME`, the wasm that `pack` links models into, or
//! `None` where it has not been built (`make build` does both; the runtime half of the crate needs nothing here).
//! For the command it also writes `$OUT_DIR/page.rs`: `PAGE`, the files of `www/dist`, none where it is not built.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

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

    if env::var_os("CARGO_FEATURE_CLI").is_some() {
        let text = page(&root.join("www/dist"));
        fs::write(out.with_file_name("page.rs"), text).expect("cargo's OUT_DIR is writable");
    }
}

/// The files below `dist` by their path there, with `/` between.
fn page(dist: &Path) -> String {
    let mut entries = Vec::new();
    let mut folders = vec![dist.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(list) = fs::read_dir(&folder) else { continue };
        // A folder is watched for files that come and go.
        println!("cargo:rerun-if-changed={}", folder.display());
        for path in list.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(name) = path.strip_prefix(dist) {
                let name = name.to_string_lossy().replace('\\', "/");
                println!("cargo:rerun-if-changed={}", path.display());
                entries.push(format!("    ({name:?}, include_bytes!({path:?})),\n"));
            }
        }
    }
    entries.sort();
    format!(
        "/// The built page: path and content.\n\
         static PAGE: &[(&str, &[u8])] = &[\n{}];\n",
        entries.concat()
    )
}

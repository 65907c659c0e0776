//! Every hostile file: what its `expect` says happens, within 5 seconds, and in the command within 256 MB.

mod common;

use carryout::import::{self, Options};
use common::{corpus, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

struct Hostile {
    id: String,
    file: PathBuf,
    expect: String,
}

fn files() -> Option<Vec<Hostile>> {
    let folder = corpus()?.join("hostile");
    let index = json(&folder.join("INDEX.json"));
    let entries = index.as_array().unwrap().iter().map(|entry| {
        let text = |key: &str| entry[key].as_str().unwrap().to_string();
        Hostile { file: folder.join(text("id")).join(text("file")), id: text("id"), expect: text("expect") }
    });
    Some(entries.collect())
}

/// `load` may go either way; the others are refused.
fn check(hostile: &Hostile, refused: bool, took: Duration) {
    assert!(took < Duration::from_secs(5), "{} took {took:?}", hostile.id);
    match hostile.expect.as_str() {
        "reject" | "inert" | "limit" => assert!(refused, "{} was accepted", hostile.id),
        "load" => {}
        other => panic!("{}: expects {other}", hostile.id),
    }
}

#[test]
fn the_library_refuses_or_loads_each() {
    let Some(files) = files() else { return };
    for hostile in &files {
        let bytes = std::fs::read(&hostile.file).unwrap();
        let start = Instant::now();
        let result = import::import(&bytes, &Options::default());
        if let Err(error) = &result {
            println!("{}: {error}", hostile.id);
            assert!(!error.message().is_empty());
        } else {
            println!("{}: loads", hostile.id);
        }
        check(hostile, result.is_err(), start.elapsed());
    }
    println!("{} hostile files", files.len());
}

/// The command on an address space of 256 MB over what it takes to start, and an 8 MB stack.
#[test]
fn the_command_refuses_or_loads_each_in_little_memory() {
    let Some(files) = files() else { return };
    for hostile in &files {
        let start = Instant::now();
        // 256 MB in all: the limit counts the program itself and its stack as well.
        let output = std::process::Command::new("sh")
            .args(["-c", "ulimit -v 262144 && ulimit -s 8192 && exec \"$0\" inspect \"$1\" --json"])
            .arg(env!("CARGO_BIN_EXE_carryout"))
            .arg(&hostile.file)
            .output()
            .unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("{} was killed: {output:?}", hostile.id));
        assert!(
            code == 0 || code == 3,
            "{}: exit code {code}, {}",
            hostile.id,
            String::from_utf8_lossy(&output.stderr)
        );
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code == 3, error.contains("\"error\""), "{}: {error}", hostile.id);
        check(hostile, code == 3, start.elapsed());
    }
}

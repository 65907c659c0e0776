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

//! The pickle reader on whole files: our own fixtures, and where it is at hand, the corpus next to the crate.

#![cfg(feature = "compile")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use carryout::import::pickle::{self, Kind, Limits, Value};

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if !path.is_dir() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    out.sort();
    out
}

fn model_files(folder: &Path) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = (std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("model."))
        .collect();
    out.sort();
    out
}

/// Visits every value once and reads every array, so that no accessor is left untried.
fn walk(root: Value<'_>) -> usize {
    let mut seen = HashSet::new();
    let mut queue = vec![root];
    while let Some(value) = queue.pop() {
        if !seen.insert(value.id()) {
            continue;
        }
        let _ =
            (value.describe(), value.class_name(), value.as_i64(), value.as_f64(), value.as_bool(), value.as_str());
        let _ = value.to_array();
        queue.extend(value.items().into_iter().flatten());
        queue.extend(value.pairs().into_iter().flatten().flat_map(|(key, value)| [key, value]));
        match value.kind() {
            Kind::Array(array) => {
                let _ = (array.i64s(), array.bools(), array.strings(), array.raw());
                if array.is_numeric() {
                    assert_eq!(array.f64s().unwrap().len(), array.len());
                }
                for field in &array.dtype().fields {
                    let field = array.field(&field.name).unwrap();
                    let _ = (field.f64s(), field.raw());
                }
            }
            Kind::Object(object) => {
                queue.extend([object.class(), object.args(), object.kwargs(), object.state()]);
                queue.extend(object.items());
            }
            Kind::Slice(parts) => queue.extend(parts),
            _ => {}
        }
    }
    seen.len()
}

#[test]
fn every_model_of_the_corpus_reads() {
    let Some(corpus) = corpus() else { return };
    let mut read = 0;
    for set in
        folders(&corpus).iter().filter(|set| set.file_name().unwrap().to_str().unwrap().starts_with("sklearn-"))
    {
        for file in folders(set).iter().flat_map(|case| model_files(case)) {
            let bytes = std::fs::read(&file).unwrap();
            assert!(pickle::looks_like(&bytes), "{}", file.display());
            let heap = pickle::read(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            assert_eq!(heap.named_code(), [], "{}", file.display());
            assert!(walk(heap.root()) > 3, "{}", file.display());
            read += 1;
        }
    }
    assert!(read > 500, "only {read} files");
    println!("{read} files");
}

#[test]
fn hostile_files_end_cleanly() {
    let Some(corpus) = corpus() else { return };
    for case in folders(&corpus.join("hostile")) {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(case.join("case.json")).unwrap();
        let expect: serde_json::Value = serde_json::from_str(&text).unwrap();
        let bytes = std::fs::read(&model_files(&case)[0]).unwrap();
        let start = Instant::now();
        let result = pickle::read(&bytes, &Limits::default());
        if let Ok(heap) = &result {
            walk(heap.root());
        }
        let took = start.elapsed();
        assert!(took < Duration::from_secs(5), "{name} took {took:?}");
        // What is wrong with a model, rather than with its file, is the importer's to find.
        if name.starts_with("model-") {
            assert!(result.is_ok(), "{name}");
            continue;
        }
        match expect["expect"].as_str().unwrap() {
            "reject" | "limit" => assert!(result.is_err(), "{name} was read"),
            _ if name.starts_with("exec-") => {
                assert!(result.is_err() || !result.unwrap().named_code().is_empty(), "{name}: nothing was reported");
            }
            _ => {}
        }
    }
}

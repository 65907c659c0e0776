//! The pickle reader on whole files: our own fixtures, and where it is at hand, the corpus next to the crate.

#![cfg(feature = "compile")]

mod common;

use carryout::import::pickle::{self, DtypeKind, Kind, Limits, Value};
use common::{Random, corpus};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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

/// Checks a value against what the fixture's script wrote about it.
#[track_caller]
fn check(place: &str, value: Value<'_>, spec: &serde_json::Value) {
    let (kind, want) = spec.as_object().unwrap().iter().next().unwrap();
    let list = |want: &serde_json::Value| want.as_array().unwrap().clone();
    let same_float = |got: f64, want: &serde_json::Value| {
        let want = want.as_f64().unwrap_or_else(|| want.as_str().unwrap().parse().unwrap());
        assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "{place}: {got} for {want}");
    };
    let mismatch = || panic!("{place}: {value:?} for {spec}");
    match (kind.as_str(), value.kind()) {
        ("none", Kind::None) => {}
        ("bool", Kind::Bool(got)) => assert_eq!(got, want.as_bool().unwrap(), "{place}"),
        ("int", Kind::Int(got)) => assert_eq!(got.to_string(), want.as_str().unwrap(), "{place}"),
        ("int", Kind::BigInt(_)) => {
            let nearest: f64 = want.as_str().unwrap().parse().unwrap();
            match value.as_f64() {
                Some(got) => assert_eq!(got, nearest, "{place}"),
                None => assert!(nearest.abs() > 1e38, "{place}"),
            }
        }
        ("float", Kind::Float(got)) => same_float(got, want),
        ("complex", Kind::Complex(re, im)) => {
            same_float(re, &want[0]);
            same_float(im, &want[1]);
        }
        ("str", Kind::Str(got)) => assert_eq!(got, want.as_str().unwrap(), "{place}"),
        ("bytes", Kind::Bytes(got)) => {
            let want: Vec<u8> = list(want).iter().map(|byte| byte.as_u64().unwrap() as u8).collect();
            assert_eq!(got, want, "{place}");
        }
        // Python 2 writes both alike.
        ("list", Kind::List(items)) | ("tuple", Kind::Tuple(items)) => {
            let want = list(want);
            assert_eq!(items.len(), want.len(), "{place}");
            for (i, (item, want)) in items.zip(&want).enumerate() {
                check(&format!("{place}[{i}]"), item, want);
            }
        }
        ("set", Kind::Set(items)) => {
            let mut items: Vec<_> = items.collect();
            items.sort_by_key(|item| item.as_i64());
            let want = list(want);
            assert_eq!(items.len(), want.len(), "{place}");
            items.iter().zip(&want).for_each(|(item, want)| check(place, *item, want));
        }
        ("dict", Kind::Dict(pairs)) => {
            let want = list(want);
            assert_eq!(pairs.len(), want.len(), "{place}");
            for ((key, item), want) in pairs.zip(&want) {
                check(&format!("key of {place}"), key, &want[0]);
                check(&format!("{place}[{}]", want[0]), item, &want[1]);
            }
        }
        ("slice", Kind::Slice(parts)) => {
            parts.iter().zip(list(want)).for_each(|(part, want)| check(place, *part, &want))
        }
        ("fields", Kind::Array(array)) => {
            for (name, want) in want.as_object().unwrap() {
                check_array(&format!("{place}.{name}"), &array.field(name).unwrap(), &want["array"]);
            }
            assert!(array.field("absent").is_err());
        }
        ("array", _) => check_array(place, &value.to_array().unwrap_or_else(|e| panic!("{place}: {e}")), want),
        _ => mismatch(),
    }
}

#[track_caller]
fn check_array(place: &str, array: &pickle::Array<'_>, want: &serde_json::Value) {
    let shape: Vec<usize> = want["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
    assert_eq!(
        (&array.shape, array.dtype().to_string().as_str()),
        (&shape, want["dtype"].as_str().unwrap()),
        "{place}"
    );
    let values = want["values"].as_array().unwrap();
    assert_eq!(array.len(), values.len(), "{place}");
    match array.kind() {
        DtypeKind::Object => {
            array.objects().unwrap().iter().zip(values).for_each(|(value, want)| check(place, *value, want));
        }
        DtypeKind::Str => {
            let want: Vec<&str> = values.iter().map(|value| value["str"].as_str().unwrap()).collect();
            assert_eq!(array.strings().unwrap(), want, "{place}");
        }
        DtypeKind::Bool => {
            let want: Vec<bool> = values.iter().map(|value| value["bool"].as_bool().unwrap()).collect();
            assert_eq!(array.bools().unwrap(), want, "{place}");
        }
        DtypeKind::Int | DtypeKind::Uint => {
            let want: Vec<i64> = values.iter().map(|value| value["int"].as_str().unwrap().parse().unwrap()).collect();
            assert_eq!(array.i64s().unwrap(), want, "{place}");
            let floats: Vec<f64> = want.iter().map(|&value| value as f64).collect();
            assert_eq!(array.f64s().unwrap(), floats, "{place}");
        }
        DtypeKind::Float => {
            let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            let want = values.iter().map(|value| value["float"].as_f64().unwrap()).collect();
            assert_eq!(bits(array.f64s().unwrap()), bits(want), "{place}");
        }
        kind => panic!("{place}: {kind:?}"),
    }
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pickle").join(name)).unwrap()
}

/// Reads the fixture `file` and checks every key that `spec` describes.
#[track_caller]
fn check_fixture(file: &str, spec: &str) {
    let bytes = fixture(file);
    assert!(pickle::looks_like(&bytes), "{file}");
    let heap = pickle::read(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{file}: {e}"));
    assert_eq!(heap.named_code(), [], "{file}");
    let specs: serde_json::Value = serde_json::from_slice(&fixture(spec)).unwrap();
    for (key, spec) in specs.as_object().unwrap() {
        let value = heap.root().get(key).unwrap_or_else(|| panic!("{file} lacks {key}"));
        check(&format!("{file}: {key}"), value, spec);
    }
    walk(heap.root());
}

#[test]
fn values_of_every_protocol() {
    for protocol in 0..=5 {
        check_fixture(&format!("values-p{protocol}.pkl"), "values.json");
    }
}

#[test]
fn joblib_arrays_in_the_stream() {
    for protocol in [2, 4, 5] {
        check_fixture(&format!("values-p{protocol}.joblib"), "values.json");
    }
}

#[test]
fn every_compression() {
    for method in ["zlib", "gzip", "bz2", "lzma", "xz", "lz4"] {
        let name = format!("values.{method}.joblib");
        check_fixture(&name, "values.json");
        let bytes = fixture(&name);
        for cut in [bytes.len() / 2, 20] {
            let error = pickle::read(&bytes[..cut], &Limits::default()).unwrap_err();
            assert_eq!(error.kind(), carryout::Kind::Malformed, "{name}: {error}");
        }
    }
}

#[test]
fn what_scipy_and_pandas_write() {
    for set in ["library-2022", "library-2026"] {
        for kind in ["pkl", "joblib"] {
            check_fixture(&format!("{set}.{kind}"), &format!("{set}.json"));
        }
    }
}

#[test]
fn python_2() {
    for protocol in 0..=2 {
        check_fixture(&format!("python2-p{protocol}.pkl"), "python2.json");
    }
}

#[test]
fn cycles_of_every_protocol() {
    for protocol in 0..=5 {
        let heap = pickle::read(&fixture(&format!("cycle-p{protocol}.pkl")), &Limits::default()).unwrap();
        let inner = heap.root().items().unwrap().next().unwrap();
        assert_eq!(inner.id(), heap.root().id());
    }
}

/// Damages fixtures in ways chosen by a fixed seed: whatever comes out, it is a value or an error.
#[test]
fn mutations_never_panic() {
    let mut draws = Random::default();
    let mut random = |limit| draws.below(limit);
    let names = [
        "values-p0.pkl",
        "values-p2.pkl",
        "values-p4.pkl",
        "values-p5.pkl",
        "values-p2.joblib",
        "values-p4.joblib",
        "values.zlib.joblib",
        "values.lzma.joblib",
        "values.xz.joblib",
        "values.bz2.joblib",
        "values.lz4.joblib",
        "library-2022.pkl",
        "library-2026.joblib",
        "python2-p0.pkl",
        "python2-p2.pkl",
    ];
    let limits = Limits { heap_bytes: 16 << 20, array_bytes: 1 << 20, ratio_floor: 1 << 20, ..Limits::default() };
    let (mut read, mut refused) = (0, 0);
    for name in names {
        let original = fixture(name);
        for _ in 0..300 {
            let mut bytes = original.clone();
            for _ in 0..1 + random(4) {
                let at = random(bytes.len());
                match random(5) {
                    0 => bytes[at] ^= 1 << random(8),
                    1 => bytes[at] = random(256) as u8,
                    2 => bytes.truncate(at.max(1)),
                    3 => {
                        bytes.remove(at);
                    }
                    _ => {
                        let from = random(bytes.len());
                        let piece = bytes[from..bytes.len().min(from + 1 + random(40))].to_vec();
                        bytes.splice(at..at, piece);
                    }
                }
                if bytes.is_empty() {
                    bytes.push(0);
                }
            }
            pickle::looks_like(&bytes);
            match pickle::read(&bytes, &limits) {
                Ok(heap) => {
                    walk(heap.root());
                    read += 1;
                }
                Err(error) => {
                    assert!(!error.message().is_empty());
                    refused += 1;
                }
            }
        }
    }
    // The damage must reach past the first check, and be noticed.
    assert!(read > 100 && refused > 1000, "{read} read, {refused} refused");
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

//! The project's own fixtures: models with the outputs their library recorded, and the scripts that made them. Every
//! folder of tests/fixtures with an INDEX.json is a set of cases; none may be refused.

mod common;

use carryout::lower::Want;
use carryout::predictor::Predictor;
use common::{Case, Tally};
use std::path::Path;

#[test]
fn fixtures_predict_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut sets: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    sets.sort();
    let mut tally = Tally::default();
    for set in sets.into_iter().filter(|set| set.join("INDEX.json").is_file()) {
        Case::all(set).iter().for_each(|case| tally.check(case));
    }
    tally.failures.extend(tally.refused.iter().map(|(case, error)| format!("refused {case}: {error}")));
    assert!(tally.passed > 0, "no fixture was found");
    tally.finish();
}

/// Models that cannot be imported say which, why, and what to do: the texts beside them in refused.json, by file.
#[test]
fn refusals_name_reason_and_way_out() {
    for set in ["sklearn-kernels", "sklearn-transform"] {
        check_refusals(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(set).join("refused"));
    }
}

fn check_refusals(folder: &Path) {
    let texts = common::json(&folder.join("refused.json"));
    let files = std::fs::read_dir(folder).unwrap().filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|extension| extension == "pkl"))
    });
    assert_eq!(files.count(), texts.as_object().unwrap().len());
    for (name, text) in texts.as_object().unwrap() {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let error = carryout::import(&bytes, &carryout::Options::default()).expect_err(name);
        assert_eq!(format!("{error:#}"), text.as_str().unwrap(), "{name}");
    }
}

/// Every class of the support table is in a fixture or an example that passes.
#[test]
fn every_supported_class_has_a_fixture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = std::collections::HashSet::new();
    let mut note = |bytes: &[u8], options: &carryout::Options| {
        let Ok(model) = carryout::import(bytes, options) else { return };
        let lines = model.source.outline.iter().chain([&model.source.estimator]).map(String::as_str);
        used.extend(lines.flat_map(|line| line.split(|c: char| !c.is_alphanumeric())).map(str::to_string));
    };
    let sets = std::fs::read_dir(root.join("tests/fixtures")).unwrap().map(|entry| entry.unwrap().path());
    for set in sets.filter(|set| set.join("INDEX.json").is_file()) {
        for case in Case::all(set) {
            for file in case.models() {
                note(&std::fs::read(file).unwrap(), &case.options());
            }
        }
    }
    let absent: Vec<&str> = carryout::import::sklearn::registry::ENTRIES
        .iter()
        .map(|entry| entry.class)
        // The base class of XGBoost's wrappers, which share one function; each of the others has a fixture.
        .filter(|class| !used.contains(*class) && *class != "XGBModel")
        .collect();
    assert!(absent.is_empty(), "no fixture has {absent:?}");
}

/// Where scikit-learn raises since a function made NaN or infinity of a number, the row is refused.
#[test]
fn what_functions_make_no_number_of_is_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sklearn-transform/logarithm-then-linear");
    let model =
        carryout::import(&std::fs::read(path.join("model.pkl")).unwrap(), &carryout::Options::default()).unwrap();
    let mut predictor = Predictor::new("logarithm", &model, Want::Package).unwrap();
    for fare in [0.0, -5.0] {
        let error = predictor.predict(&serde_json::json!({ "fare": fare, "age": 30.0 })).unwrap_err();
        assert!(error.message().ends_with("FunctionTransformer of \"fare\" accepts"), "{fare}: {error}");
    }
    assert!(predictor.predict(&serde_json::json!({ "fare": 1e-300, "age": 30.0 })).is_ok());
}

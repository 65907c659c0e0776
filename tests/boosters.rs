//! Damaged LightGBM and CatBoost files: errors with a place, whatever the damage; never a panic, never a model that
//! cannot run.

mod common;

use carryout::lower::{Want, lower};
use carryout::model::ColumnKind;
use carryout::predictor::Predictor;
use carryout::runtime::host::Machine;
use carryout::{Options, import};
use common::Random;
use std::path::Path;
use std::time::{Duration, Instant};

fn fixture(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let error = import::import(bytes, &Options::default()).expect_err("the file was accepted");
    assert_eq!(error.to_string(), expected);
}

/// The text with the first line that starts with `key` replaced.
#[track_caller]
fn with_line(text: &str, key: &str, line: &str) -> Vec<u8> {
    let at = text.lines().position(|old| old.starts_with(key)).expect("no such line");
    let lines: Vec<&str> =
        text.lines().enumerate().map(|(place, old)| if place == at { line } else { old }).collect();
    lines.join("\n").into_bytes()
}

#[test]
fn lightgbm_errors_have_a_place() {
    let text = String::from_utf8(fixture("lightgbm/categories-as-numbers-4.7.0/model.txt")).unwrap();
    let huge = "99999999999999";
    for (key, value, expected) in [
        ("version", "v9", "line 2: LightGBM model version 'v9'"),
        ("num_class", "one", "line 3: num_class=one, not a count"),
        ("num_tree_per_iteration", "0", "line 4: 0 trees an iteration"),
        ("num_tree_per_iteration", "4", "line 138: 6 trees, which are no whole rounds of 4"),
        ("max_feature_idx", "7", "line 8: 3 names for 8 columns"),
        ("max_feature_idx", huge, "line 6: 100000000000000 columns; at most 131072 are supported"),
        ("feature_infos", "none", "line 9: feature_infos does not describe 3 columns"),
        ("tree_sizes", "1 2", "line 10: 6 trees, but tree_sizes lists 2"),
        ("objective", "sorting", "Booster: LightGBM's objective 'sorting'"),
        ("objective", "binary", "Booster: objective=binary without a positive sigmoid"),
        ("objective", "multiclass", "Booster: objective=multiclass with 1 trees an iteration"),
        ("Tree", "7", "line 12: 'Tree=7' where Tree=0 is expected"),
        ("num_leaves", "0", "tree 0, line 13: a tree without leaves"),
        ("num_leaves", huge, "tree 0, line 21: leaf_value has 5 values; 99999999999999 are expected"),
        ("split_feature", "0 1 2", "tree 0, line 15: split_feature has 3 values; 4 are expected"),
        ("split_feature", "0 1 2 2 2", "tree 0, line 15: split_feature has more than the 4 values that are expected"),
        ("split_feature", "0 1 3 0", "tree 0, split 2, line 15: split_feature 3, but the model has 3 columns"),
        ("split_feature", "0 1 x 0", "tree 0, line 15: 'x' where number 2 of split_feature is expected"),
        ("left_child", "4 2 3 -1", "tree 0, split 0, line 19: left_child 4, but the tree has 4 splits"),
        ("left_child", "-6 2 3 -1", "tree 0, split 0, line 19: left_child -6, but the tree has 5 leaves"),
        ("left_child", "0 2 3 -1", "Booster, tree 0, node 0: child 0 has two parents or is a cycle"),
        ("threshold", "0 nan 1 1", "Booster, tree 0, node 1: a threshold that is not a number"),
        (
            "decision_type",
            "12 12 12 12",
            "tree 0, split 0, line 18: decision_type 12 has no known way with missing values",
        ),
        ("decision_type", "1 1 1 1", "tree 0, split 1, line 17: category set -0.9174999999999999 of 1"),
        ("num_cat", huge, "tree 0, line 27: cat_boundaries has 2 values; 100000000000000 are expected"),
        ("cat_boundaries", "1 0", "tree 0, line 28: cat_threshold has more than the 0 values that are expected"),
        ("cat_boundaries", "3 2", "tree 0, split 0, line 27: categories 3..2"),
        ("cat_threshold", "1", "tree 0, line 28: cat_threshold has 1 values; 2 are expected"),
    ] {
        refused(&with_line(&text, &format!("{key}="), &format!("{key}={value}")), expected);
    }
    let (before, _) = text.split_once("\n\nTree=3").unwrap();
    refused(before.as_bytes(), "line 72: the file ends before 'end of trees'");
    refused(b"tree\nversion=v4\n", "line 2: the file ends before 'end of trees'");

    let linear = String::from_utf8(fixture("lightgbm/linear-tree-4.7.0/model.txt")).unwrap();
    refused(
        &with_line(&linear, "num_features=", "num_features=1 0 0 18446744073709551615"),
        "tree 0, line 29: more terms than a file can hold",
    );
    refused(
        &with_line(&linear, "num_features=", "num_features=0 0 0 1"),
        "tree 0, line 30: leaf_features has 0 values; 1 are expected",
    );

    let frame = String::from_utf8(fixture("lightgbm/frame-categories-4.7.0/model.txt")).unwrap();
    refused(
        &with_line(&frame, "pandas_categorical:", "pandas_categorical:[[\"a\"]]"),
        "Booster: pandas_categorical has 1 lists for 3 categorical columns, which fit in no way: some of these were numbers in the frame, and the file does not say which",
    );
    refused(
        &with_line(&frame, "pandas_categorical:", "pandas_categorical:[["),
        "line 270: pandas_categorical: EOF while parsing a list at line 1 column 2",
    );
}

/// Lists of ordered category columns go to columns that they fit, or the caller says which are meant.
#[test]
fn lightgbm_lists_have_one_column() {
    let text = String::from_utf8(fixture("lightgbm/frame-ordered-4.7.0/model.txt")).unwrap();
    let categories = |bytes: &[u8], given: &[(&str, &str)]| -> Result<Vec<String>, String> {
        let lists = given.iter().map(|(name, list)| (name.to_string(), serde_json::from_str(list).unwrap()));
        let options = Options { categories: lists.collect(), ..Options::default() };
        let model = import::import(bytes, &options).map_err(|error| error.to_string())?;
        let coded = |kind: &ColumnKind| matches!(kind, ColumnKind::Category(_));
        let columns = model.schema.columns.into_iter().filter(|column| coded(&column.kind));
        Ok(columns.map(|column| column.name).collect())
    };
    let all = Ok(["city", "grade", "stars"].map(str::to_string).to_vec());
    assert_eq!(categories(text.as_bytes(), &[]), all);
    let (grade, stars) = (("grade", r#"["low", "mid", "high"]"#), ("stars", "[1, 3, 4, 5]"));
    let unclear = |how: &str| {
        let cause = "an ordered category column is trained on as a number, and the file does not say which is one";
        Err(format!("Booster: pandas_categorical has 3 lists for 1 categorical columns, which fit {how}: {cause}"))
    };
    // The column before grade could be the grades.
    let infos = |infos: &str| with_line(&text, "feature_infos=", &format!("feature_infos=[-2:2] -1:2:0:1 {infos}"));
    let alike = infos("[0:2] [0:2] [0:3]");
    assert_eq!(categories(&alike, &[]), unclear("in several ways"));
    assert_eq!(categories(&alike, &[stars]), unclear("in several ways"));
    assert_eq!(categories(&alike, &[grade]), all);
    // Of strings, those without a gap; numbers could go unseen to the wrong column.
    assert_eq!(categories(&infos("[0:1] [0:2] [0:2]"), &[]), all);
    let numbers = String::from_utf8(infos("[0:1] [0:2] [0:3]")).unwrap();
    let lists = "pandas_categorical:[[\"Bern\", \"Oslo\", \"Rome\"], [7, 8, 9], [1, 3, 4, 5]]";
    let numbers = with_line(&numbers, "pandas_categorical:", lists);
    assert_eq!(categories(&numbers, &[]), unclear("in several ways"));
    assert_eq!(categories(&numbers, &[("grade", "[7, 8, 9]")]), all);
    assert_eq!(categories(&infos("[0:1] [0:5] [0:5]"), &[]), unclear("in no way"));
    assert_eq!(categories(text.as_bytes(), &[("grade", r#"["low", "high"]"#)]), unclear("in no way"));
}

/// The bytes with the first `from` replaced by `to`, of the same length.
#[track_caller]
fn patched(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the bytes are not there");
    let mut bytes = bytes.to_vec();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn catboost_errors_have_a_place() {
    let bytes = fixture("catboost/rmse-1.2.10/model.cbm");
    refused(&bytes[..6], "a CatBoost model begins with CBM1 and its size");
    let message = format!("the core has {} bytes, but 100 follow its size", bytes.len() - 8);
    refused(&bytes[..108], &message);
    let mut small = bytes[..108].to_vec();
    small[4..8].copy_from_slice(&100u32.to_le_bytes());
    refused(&small, "ModelTrees points outside the file");
    refused(
        &patched(&bytes, b"FlabuffersModel_v1", b"FlabuffersModel_v2"),
        "CatBoost format version 'FlabuffersModel_v2'",
    );
    let mut root = bytes.clone();
    root[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    refused(&root, "TModelCore points outside the file");

    let json = String::from_utf8(fixture("catboost/rmse-1.2.10/model.json")).unwrap();
    let replaced = |from: &str, to: &str| {
        assert!(json.contains(from), "{from} is not there");
        json.replacen(from, to, 1).into_bytes()
    };
    refused(
        &replaced("\"split_index\":", "\"split_index\":4"),
        "CatBoostRegressor, tree 0: split 43, but the features have 11 bins",
    );
    refused(
        &replaced("\"nan_value_treatment\":\"AsIs\"", "\"nan_value_treatment\":\"AsWas\""),
        "nan_value_treatment 'AsWas'",
    );
    refused(&replaced("\"oblivious_trees\"", "\"trees_oblivious\""), "either oblivious_trees or trees is expected");
    refused(&json.as_bytes()[..2000], "EOF while parsing a string at line 63 column 54");
    // A list of categories that lacks one of the training.
    let few = [("city".to_string(), vec![carryout::model::Cell::Str("Oslo".to_string())])];
    let options = Options { categories: few.into_iter().collect(), ..Options::default() };
    let error = import::import(&fixture("catboost/one-hot-hashes-1.2.10/model.cbm"), &options).unwrap_err();
    let expected = "CatBoostRegressor: the categories given for 'city' lack 1 that the model asks for";
    assert_eq!(error.to_string(), expected);
}

/// A column's list is what the file tells of it: of a table all, of questions some, which leave one column what is left.
#[test]
fn catboost_categories() {
    let column = |name: &str, place: usize| {
        let model = import::import(&fixture(&format!("catboost/{name}")), &Options::default()).unwrap();
        let column = &model.schema.columns[place];
        let categories = match &column.kind {
            ColumnKind::Category(categories) => categories.iter().map(ToString::to_string).collect(),
            kind => vec![format!("{kind:?}")],
        };
        assert!(!column.missing, "{name}: CatBoost takes no missing category");
        (categories.join(" "), column.digits, column.partial)
    };
    let zips = "1000 1001 1002 1003 1004 1005 1006 1007";
    assert_eq!(column("digits-and-table-1.2.10/model.json", 0), (zips.into(), true, false));
    assert_eq!(column("digits-and-table-1.2.10/model.json", 1), ("f m".into(), false, true));
    let (some, digits, partial) = column("digits-1.2.10/model.json", 0);
    assert!(digits && partial && some.len() < zips.len(), "{some}");
    for place in [0, 1] {
        assert_eq!(column("digits-1.2.10/model.cbm", place), ("Text".into(), true, false));
        assert_eq!(column("digits-1.2.10/model.pkl", place), ("Text".into(), true, false));
    }
    assert_eq!(column("ctr-texts-1.2.10/model.json", 1), ("Text".into(), true, false));
}

/// No row of the training is said to be unlike it.
#[test]
fn catboost_warns_of_categories_that_are_not_in_the_training() {
    for (name, expected) in [
        ("digits-1.2.10/model.json", vec![]),
        ("digits-1.2.10/model.cbm", vec![]),
        (
            "digits-and-table-1.2.10/model.json",
            vec![
                "\"zip\": the number 99 was not seen in training",
                "\"zip\": the string \"01000\" was not seen in training",
            ],
        ),
    ] {
        let model = import::import(&fixture(&format!("catboost/{name}")), &Options::default()).unwrap();
        let mut predictor = Predictor::new("model", &model, Want::Everything).unwrap();
        let folder = name.split('/').next().unwrap();
        let rows = String::from_utf8(fixture(&format!("catboost/{folder}/X.jsonl"))).unwrap();
        let rows = rows.lines().map(|row| serde_json::from_str(row).unwrap());
        let warnings: Vec<String> = rows.flat_map(|row| predictor.predict(&row).unwrap().warnings).collect();
        assert_eq!(warnings, expected, "{name}");
    }
}

/// Damages files in ways chosen by a fixed seed: bytes, and in texts whole numbers and words. What comes out is a model
/// that lays out and runs, or an error, soon.
#[test]
fn mutations_never_panic() {
    let mut draws = Random::default();
    let mut random = |limit| draws.below(limit);
    let nasty = [
        "0",
        "-1",
        "1",
        "4294967295",
        "18446744073709551616",
        "1e999",
        "nan",
        "-0.5",
        "",
        "9 9 9 9",
        "2147483648",
        "[",
        "\"\"",
    ];
    let (mut read, mut refused) = (0, 0);
    for name in [
        "lightgbm/categories-as-numbers-4.7.0/model.txt",
        "lightgbm/linear-tree-categories-4.7.0/model.txt",
        "lightgbm/frame-categories-3.3.5/model.txt",
        "lightgbm/multiclass-4.5.0/model.txt",
        "catboost/rmse-1.2.10/model.cbm",
        "catboost/lossguide-multiclass-1.2.10/model.cbm",
        "catboost/missing-low-1.2/model.json",
        "catboost/depthwise-1.2.10/model.json",
        "catboost/ctr-combined-1.2.10/model.json",
        "catboost/one-hot-1.2/model.json",
    ] {
        let original = fixture(name);
        let text = std::str::from_utf8(&original).is_ok();
        for _ in 0..250 {
            let mut bytes = original.clone();
            for _ in 0..1 + random(3) {
                let at = random(bytes.len());
                match random(if text { 8 } else { 5 }) {
                    0 => bytes[at] ^= 1 << random(8),
                    1 => {
                        let end = bytes.len().min(at + 4);
                        bytes[at..end].fill([0, 1, 0x7f, 0xff][random(4)]);
                    }
                    2 if random(4) == 0 => bytes.truncate(at.max(1)),
                    2 => bytes[at] = random(256) as u8,
                    3 => {
                        bytes.remove(at);
                    }
                    4 => {
                        let from = random(bytes.len());
                        let piece = bytes[from..bytes.len().min(from + 1 + random(40))].to_vec();
                        bytes.splice(at..at, piece);
                    }
                    _ => {
                        // The word at this place.
                        let ends = |byte: &u8| b" \n=,:[]{}".contains(byte);
                        let start = bytes[..at].iter().rposition(&ends).map_or(0, |place| place + 1);
                        let end = bytes[at..].iter().position(ends).map_or(bytes.len(), |place| at + place);
                        bytes.splice(start..end.max(start), nasty[random(nasty.len())].bytes());
                    }
                }
                if bytes.is_empty() {
                    bytes.push(0);
                }
            }
            let start = Instant::now();
            match import::import(&bytes, &Options::default()) {
                Ok(model) => {
                    if let Ok(lowered) = lower(&model, Want::Everything) {
                        let mut machine = Machine::open(&lowered.image).expect("lowering writes sound images");
                        machine.slots_mut().fill(1.5);
                        let _ = machine.run(machine.block().min(3));
                    }
                    read += 1;
                }
                Err(error) => {
                    assert!(!error.message().is_empty());
                    refused += 1;
                }
            }
            assert!(start.elapsed() < Duration::from_secs(5), "{name} took {:?}", start.elapsed());
        }
    }
    // The damage must reach past the first check, and be noticed.
    assert!(read > 300 && refused > 1000, "{read} read, {refused} refused");
    println!("{read} read, {refused} refused");
}

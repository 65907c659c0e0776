//! The project's own fixtures: models with the outputs their library recorded, and the scripts that made them. Every
//! folder of tests/fixtures with an INDEX.json is a set of cases; none may be refused.

mod common;

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

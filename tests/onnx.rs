//! ONNX files against onnxruntime, case by case, and damaged ones.

mod common;

use common::{Case, Tally};
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx")
}

/// Prints the largest difference of each case: what the README says of float32 is measured here.
#[test]
fn cases_agree_with_onnxruntime() {
    let mut tally = Tally::default();
    Case::all(fixtures()).iter().for_each(|case| tally.check(case));
    for (case, worst) in &tally.worst {
        println!("{worst:9.1e} {case}");
    }
    tally.failures.extend(tally.refused.iter().map(|(case, error)| format!("refused {case}: {error}")));
    tally.finish();
}

//! Every model file of the corpus, imported and run natively, against the outputs its library recorded.

mod common;

use common::{Case, Tally, corpus};

const SETS: [&str; 3] = ["sklearn-1.1.3", "sklearn-1.5.2", "sklearn-1.9.1"];

#[test]
fn sklearn_cases_predict_as_recorded() {
    let Some(corpus) = corpus() else { return };
    let mut tally = Tally::default();
    for set in SETS {
        Case::all(corpus.join(set)).iter().for_each(|case| tally.check(case));
    }
    tally.finish();
}

/// What ensembles of trees say before any link has the same bits as the original's. One is left out: up to 1.3 binary
/// gradient boosting starts at numpy's own logarithm, whose last bit depends on the processor it ran on.
#[test]
fn sums_of_trees_have_the_same_bits() {
    let Some(corpus) = corpus() else { return };
    let cases = [
        ("gradient-boosting-classifier-binary", "decision_function"),
        ("gradient-boosting-classifier-multiclass", "decision_function"),
        ("gradient-boosting-regressor-huber", "predict"),
        ("hist-gradient-boosting-classifier-binary-missing", "decision_function"),
        ("hist-gradient-boosting-multiclass-categorical-codes", "decision_function"),
        ("hist-gradient-boosting-regressor-frame-dtype", "predict"),
        ("adaboost-classifier", "decision_function"),
        ("adaboost-regressor", "predict"),
        ("extra-trees-classifier-digits", "predict_proba"),
        ("random-forest-classifier-wine", "predict_proba"),
        ("random-forest-regressor-diabetes", "predict"),
        ("tree-regressor-missing-values", "predict"),
    ];
    let mut tally = Tally::default();
    for set in SETS {
        for (name, method) in cases {
            let path = corpus.join(set).join(name);
            let processors_own = set == "sklearn-1.1.3" && name == "gradient-boosting-classifier-binary";
            if path.is_dir() && !processors_own {
                tally.check_method(&Case::open(path), method, (0.0, 0.0));
            }
        }
    }
    assert!(tally.numbers > 1000, "{} numbers compared", tally.numbers);
    tally.finish();
}

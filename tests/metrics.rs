//! Held-out figures against scikit-learn's for the same rows: tests/fixtures/metrics.json, by make_metrics.py.
#![cfg(feature = "train")]

mod common;

use carryout::train::metrics::{self, Labelled};
use carryout::train::report::{ClassMetrics, ErrorMetrics};
use serde_json::Value;
use std::path::Path;

fn cases(kind: &str) -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/metrics.json");
    let cases = common::json(&file)[kind].as_array().unwrap().clone();
    assert!(!cases.is_empty(), "{kind}");
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn places(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|value| value.as_u64().unwrap() as usize).collect()
}

/// Sums in another order than numpy's pairwise ones.
#[track_caller]
fn same(name: &str, ours: Option<f64>, theirs: &Value) {
    match (ours, theirs.as_f64()) {
        (Some(ours), Some(theirs)) => {
            assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0), "{name}: {ours}, scikit-learn {theirs}");
        }
        (ours, theirs) => assert_eq!(ours, theirs, "{name}"),
    }
}

#[track_caller]
fn same_metrics(ours: &ClassMetrics, theirs: &Value) {
    same("accuracy", Some(ours.accuracy), &theirs["accuracy"]);
    same("balanced accuracy", ours.balanced_accuracy, &theirs["balanced_accuracy"]);
    same("log loss", ours.log_loss, &theirs["log_loss"]);
    same("ROC AUC", ours.roc_auc, &theirs["roc_auc"]);
    same("Brier", ours.brier, &theirs["brier"]);
}

#[track_caller]
fn same_errors(ours: &ErrorMetrics, theirs: &Value) {
    same("MAE", Some(ours.mae), &theirs["mae"]);
    same("RMSE", Some(ours.rmse), &theirs["rmse"]);
    same("R²", ours.r2, &theirs["r2"]);
    same("median", Some(ours.median), &theirs["median"]);
}

#[track_caller]
fn same_points(ours: &[(f64, f64)], theirs: &Value) {
    let theirs = theirs.as_array().unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        same("x", Some(ours.0), &theirs[0]);
        same("y", Some(ours.1), &theirs[1]);
    }
}

#[test]
fn classifications() {
    for case in cases("classification") {
        let count = case["classes"].as_u64().unwrap() as usize;
        let classes: Vec<String> = (0..count).map(|class| class.to_string()).collect();
        let (truth, predicted) = (places(&case["truth"]), places(&case["predicted"]));
        let train: Vec<u64> = places(&case["train"]).iter().map(|&rows| rows as u64).collect();
        let probabilities = numbers(&case["probabilities"]);
        let held = Labelled {
            classes: &classes,
            truth: &truth,
            predicted: &predicted,
            probabilities: Some(&probabilities),
            scores: None,
            positive: 1,
            train: &train,
            threshold: Some((0.37, "given")),
        };
        let judged = metrics::classification(&held).unwrap();
        same_metrics(&judged.metrics, &case["metrics"]);
        same_metrics(&judged.baseline, &case["baseline"]);
        let confusion: Vec<Vec<u64>> = serde_json::from_value(case["confusion"].clone()).unwrap();
        assert_eq!(judged.confusion, confusion);
        assert_eq!(judged.support, confusion.iter().map(|row| row.iter().sum()).collect::<Vec<u64>>());

        let full: Vec<_> = judged.calibration.iter().filter(|bin| bin.rows > 0).collect();
        let (mean, observed) =
            (numbers(&case["calibration"]["predicted"]), numbers(&case["calibration"]["observed"]));
        assert_eq!(full.len(), mean.len());
        assert_eq!(full.iter().map(|bin| bin.rows).sum::<u64>() as usize, truth.len());
        for (place, bin) in full.iter().enumerate() {
            same("predicted", bin.predicted, &mean[place].into());
            same("observed", bin.observed, &observed[place].into());
        }

        assert_eq!(judged.curves.len(), case["curves"].as_array().unwrap().len());
        for (ours, theirs) in judged.curves.iter().zip(case["curves"].as_array().unwrap()) {
            same_points(&ours.roc, &theirs["roc"]);
            same_points(&ours.precision_recall, &theirs["precision_recall"]);
        }

        let Some(table) = case["thresholds"].as_array() else {
            assert_eq!(judged.thresholds, None);
            continue;
        };
        let thresholds = judged.thresholds.unwrap();
        assert_eq!((thresholds.rows.len(), thresholds.chosen), (101, 0.37));
        for theirs in table {
            let at = theirs["threshold"].as_f64().unwrap();
            let ours = thresholds.rows.iter().find(|row| row.threshold == at).unwrap();
            same("precision", ours.precision, &theirs["precision"]);
            same("recall", ours.recall, &theirs["recall"]);
            same("F1", ours.f1, &theirs["f1"]);
            same("flagged", Some(ours.flagged), &theirs["flagged"]);
            if at == thresholds.chosen {
                assert_eq!(ours, &thresholds.at_chosen);
            }
        }
    }
}

/// A model without probabilities is ranked by its decision function.
#[test]
fn decision_functions() {
    for case in cases("scores") {
        let (truth, scores) = (places(&case["truth"]), numbers(&case["scores"]));
        let predicted: Vec<usize> = scores.iter().map(|&score| usize::from(score > 0.0)).collect();
        let judge = |classes: &[String], positive| {
            let held = Labelled {
                classes,
                truth: &truth,
                predicted: &predicted,
                probabilities: None,
                scores: Some(&scores),
                positive,
                train: &[3, 4],
                threshold: None,
            };
            metrics::classification(&held).unwrap()
        };
        let classes = ["no".to_owned(), "yes".to_owned()];
        // Which of the two is spoken of does not change how well they are told apart.
        for positive in [0, 1] {
            let judged = judge(&classes, positive);
            same("ROC AUC", judged.metrics.roc_auc, &case["roc_auc"]);
            assert_eq!((judged.metrics.log_loss, judged.metrics.brier, judged.thresholds), (None, None, None));
            assert_eq!(judged.baseline.roc_auc, Some(0.5));
        }
    }
}

#[test]
fn regressions() {
    for case in cases("regression") {
        let (truth, predicted) = (numbers(&case["truth"]), numbers(&case["predicted"]));
        let judged = metrics::regression(&truth, &predicted, case["train_mean"].as_f64().unwrap()).unwrap();
        same_errors(&judged.metrics, &case["metrics"]);
        same_errors(&judged.baseline, &case["baseline"]);
        assert_eq!(judged.points.len(), truth.len());
    }
    let constant = metrics::regression(&[2.0, 2.0], &[2.0, 3.0], 2.0).unwrap();
    assert_eq!((constant.metrics.r2, constant.metrics.mae, constant.metrics.median), (None, 0.5, 0.5));
}

#[test]
fn clusterings() {
    for case in cases("clustering") {
        let points = numbers(&case["points"]);
        let assigned: Vec<Option<usize>> = serde_json::from_value(case["assigned"].clone()).unwrap();
        let labels: Vec<String> = (0..4).map(|label| label.to_string()).collect();
        let judged = metrics::clustering(&labels, &assigned, &points, 2, 0).unwrap();
        same("silhouette", judged.silhouette, &case["silhouette"]);
        assert_eq!(judged.sampled, None);
        assert_eq!(judged.clusters.iter().map(|cluster| cluster.rows).sum::<u64>() as usize, assigned.len());
        assert_eq!(judged.clusters.iter().any(|cluster| cluster.noise), assigned.contains(&None));

        // A hundred copies are too many to compare each with each: a sample stands in, and says so.
        let copies =
            |count| metrics::clustering(&labels, &assigned.repeat(count), &points.repeat(count), 2, 0).unwrap();
        let (all, sampled) = (copies(20), copies(100));
        assert_eq!((all.sampled, sampled.sampled), (None, Some(2000)));
        assert!((all.silhouette.unwrap() - sampled.silhouette.unwrap()).abs() < 0.02);
        assert_eq!(copies(100), sampled);
    }
    let one = metrics::clustering(&["0".to_owned()], &[Some(0), Some(0)], &[1.0, 2.0], 1, 0).unwrap();
    assert_eq!(one.silhouette, None);
}

/// F1 of the positive class is best at 0.3, and equal from 0.21 to 0.3: the nearest to a half is taken.
#[test]
fn the_threshold_with_the_best_f1() {
    let truth = [true, true, false, false, true];
    assert_eq!(metrics::best_threshold(&truth, &[0.9, 0.3, 0.2, 0.1, 0.6]), 0.3);
    assert_eq!(metrics::best_threshold(&[false, false], &[0.9, 0.3]), 0.5);
}

#[test]
fn parts_that_do_not_fit_are_errors() {
    let classes = ["a".to_owned(), "b".to_owned()];
    let held = |truth, predicted, probabilities, train| Labelled {
        classes: &classes,
        truth,
        predicted,
        probabilities,
        scores: None,
        positive: 1,
        train,
        threshold: None,
    };
    for (held, message) in [
        (held(&[], &[], None, &[1, 1]), "no held-out rows to judge by"),
        (held(&[0], &[0], None, &[0, 0]), "no held-out rows to judge by"),
        (held(&[0], &[2], None, &[1, 1]), "the held-out predictions do not fit the held-out rows"),
        (held(&[2], &[0], None, &[1, 1]), "the held-out predictions do not fit the held-out rows"),
        (held(&[0], &[0], Some(&[0.5]), &[1, 1]), "the held-out predictions do not fit the held-out rows"),
    ] {
        assert_eq!(metrics::classification(&held).unwrap_err().to_string(), message);
    }
    assert!(metrics::regression(&[1.0], &[], 0.0).is_err());
    assert!(metrics::clustering(&[], &[Some(0)], &[1.0], 1, 0).is_err());
}

//! Linear models: `X @ coef_.T + intercept_`, and from scores to labels and probabilities (sklearn.linear_model,
//! sklearn.svm's linear ones).

use super::builder::{Builder, Frame};
use super::discriminant::columns_as_rows;
use super::estimator::{Estimator, Version};
use crate::Result;
use crate::model::{Cell, Function, Matrix, Op, Output, Outside, Wire};

/// `coef_` and `intercept_` over the columns that come in; a scalar intercept serves every row of coef.
fn affine(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Vec<Wire>> {
    let coef = estimator.matrix_over("coef_", frame.len())?;
    let mut intercept = estimator.f64s("intercept_")?;
    if intercept.len() == 1 {
        intercept = vec![intercept[0]; coef.rows];
    }
    builder.graph.push(Op::Affine { coef, intercept }, frame.wires.clone(), &estimator.path)
}

/// One value a row of coef. Multi-target where `coef_` has several.
pub fn regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    Ok(Output::Regression { values: affine(builder, estimator, frame)?, names: Vec::new() })
}

/// The decision function with its classes: one score for two classes, else one a class.
pub fn decision(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<(Vec<Cell>, Vec<Wire>)> {
    let classes = estimator.cells("classes_")?;
    let scores = affine(builder, estimator, frame)?;
    fit_classes(estimator, &classes, &scores)?;
    Ok((classes, scores))
}

fn fit_classes(estimator: &Estimator, classes: &[Cell], scores: &[Wire]) -> Result<()> {
    let expected = if classes.len() <= 2 { 1 } else { classes.len() };
    if scores.len() != expected || classes.is_empty() {
        return Err(estimator.malformed(format!("coef_ has {} rows for {} classes", scores.len(), classes.len())));
    }
    Ok(())
}

/// A score above zero is the second class; of several scores the first largest wins.
pub fn label_of_scores(builder: &mut Builder, scores: &[Wire], path: &str) -> Result<Wire> {
    let op = if scores.len() == 1 { Op::Above { threshold: 0.0 } } else { Op::Argmax };
    builder.graph.push_one(op, scores.to_vec(), path)
}

/// Labels by the decision function, no probabilities.
pub fn classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let (classes, scores) = decision(builder, estimator, frame)?;
    let label = label_of_scores(builder, &scores, &estimator.path)?;
    Ok(Output::Classification { classes, label, probabilities: None, scores: Some(scores) })
}

/// Softmax of the scores, or one-vs-rest: the logistic of each over their sum (solver liblinear, multi_class 'ovr',
/// two classes). Two classes under multi_class 'multinomial' are the softmax of (-d, d).
pub fn logistic_regression(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let (classes, scores) = decision(builder, estimator, frame)?;
    let path = &estimator.path;
    let label = label_of_scores(builder, &scores, path)?;
    let multi_class = estimator.maybe_str("multi_class").unwrap_or("auto");
    let one_vs_rest = multi_class == "ovr"
        || (multi_class != "multinomial" && classes.len() <= 2)
        || estimator.maybe_str("solver") == Some("liblinear");
    let probabilities = if one_vs_rest {
        let single = builder.graph.push(Op::Function(Function::Expit), scores.clone(), path)?;
        shares(builder, single, path)?
    } else {
        let margins =
            if scores.len() == 1 { builder.graph.push(Op::Mirror, scores.clone(), path)? } else { scores.clone() };
        builder.graph.push(Op::Softmax, margins, path)?
    };
    Ok(Output::Classification { classes, label, probabilities: Some(probabilities), scores: Some(scores) })
}

/// Independent probabilities to ones that sum to 1: (1 - p, p) for two classes, else each over their sum.
fn shares(builder: &mut Builder, single: Vec<Wire>, path: &str) -> Result<Vec<Wire>> {
    builder.graph.push(if single.len() == 1 { Op::Complement } else { Op::Share }, single, path)
}

/// Probabilities for the losses that have them: log_loss as one-vs-rest, modified_huber as (clip(d) + 1) / 2.
pub fn sgd_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let (classes, scores) = decision(builder, estimator, frame)?;
    let path = &estimator.path;
    let label = label_of_scores(builder, &scores, path)?;
    let single = match estimator.str("loss")? {
        "log_loss" | "log" => Some(builder.graph.push(Op::Function(Function::Expit), scores.clone(), path)?),
        "modified_huber" => {
            let clipped = builder.graph.push(Op::Clip { low: -1.0, high: 1.0 }, scores.clone(), path)?;
            let half = vec![0.5; clipped.len()];
            Some(builder.graph.push(Op::Linear { scale: half.clone(), offset: half }, clipped, path)?)
        }
        _ => None,
    };
    let probabilities = single.map(|single| shares(builder, single, path)).transpose()?;
    Ok(Output::Classification { classes, label, probabilities, scores: Some(scores) })
}

/// Ridge's classifier: the classes sit in its label binarizer, up to 1.7 nowhere else. Several labels at once are one
/// yes or no a row of coef.
pub fn ridge_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let binarizer = Estimator::new(estimator.need("_label_binarizer")?, "_label_binarizer", Some(estimator))?;
    let classes = binarizer.cells("classes_")?;
    let scores = affine(builder, estimator, frame)?;
    let path = &estimator.path;
    if binarizer.str("y_type_")?.starts_with("multilabel") {
        let outputs = scores.into_iter().map(|score| {
            let label = label_of_scores(builder, &[score], path)?;
            let classes = vec![Cell::Int(0), Cell::Int(1)];
            Ok(Output::Classification { classes, label, probabilities: None, scores: Some(vec![score]) })
        });
        return Ok(Output::Several(outputs.collect::<Result<_>>()?));
    }
    fit_classes(estimator, &classes, &scores)?;
    let label = label_of_scores(builder, &scores, path)?;
    Ok(Output::Classification { classes, label, probabilities: None, scores: Some(scores) })
}

/// e^(X @ coef_ + intercept_): Poisson and gamma regression.
pub fn log_link(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let linear = affine(builder, estimator, frame)?;
    let values = builder.graph.push(Op::Function(Function::Exp), linear, &estimator.path)?;
    Ok(Output::Regression { values, names: Vec::new() })
}

/// The link is the identity or log; 'auto' is log for a power above zero.
pub fn tweedie(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    match estimator.str("link")? {
        "log" => log_link(builder, estimator, frame),
        "identity" => regressor(builder, estimator, frame),
        "auto" if estimator.f64("power")? > 0.0 => log_link(builder, estimator, frame),
        "auto" => regressor(builder, estimator, frame),
        other => Err(estimator.unsupported(format!("the link '{other}'"))),
    }
}

/// The estimator fitted on the inliers.
pub fn ransac(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    builder.predict(estimator.need("estimator_")?, "estimator_", Some(estimator), frame)
}

/// X @ coef_ - offset_; an outlier is below zero.
pub fn one_class_svm(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let coef = estimator.matrix_over("coef_", frame.len())?;
    let samples = builder.graph.push_one(Op::Affine { coef, intercept: vec![0.0] }, frame.wires.clone(), path)?;
    let mean = Some(vec![estimator.f64("offset_")?]);
    let score = builder.graph.push_one(Op::Standardize { mean, scale: None }, vec![samples], path)?;
    let outlier = builder.graph.push_one(Op::Below { threshold: 0.0 }, vec![score], path)?;
    Ok(Output::Anomaly { outlier, score, samples: Some(samples) })
}

/// The line through the thresholds, for one column; beyond them `out_of_bounds` says.
pub fn isotonic(builder: &mut Builder, estimator: &Estimator, wire: Wire) -> Result<Wire> {
    let (x, y) = (estimator.f64s("X_thresholds_")?, estimator.f64s("y_thresholds_")?);
    let outside = match estimator.str("out_of_bounds")? {
        // One threshold serves every value.
        _ if x.len() == 1 => Outside::Clip,
        "clip" => Outside::Clip,
        "nan" => Outside::Nan,
        "raise" => Outside::Error,
        other => return Err(estimator.unsupported(format!("out_of_bounds='{other}'"))),
    };
    builder.graph.push_one(Op::Interpolate { x, y, outside }, vec![wire], &estimator.path)
}

fn isotonic_wire(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Wire> {
    match frame.wires[..] {
        [wire] => isotonic(builder, estimator, wire),
        _ => Err(estimator.malformed(format!("one column is expected, but {} come in", frame.len()))),
    }
}

pub fn isotonic_regression(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    Ok(Output::Regression { values: vec![isotonic_wire(builder, estimator, frame)?], names: Vec::new() })
}

pub fn isotonic_transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let wires = vec![isotonic_wire(builder, estimator, frame)?];
    Ok(Frame { wires, names: vec!["isotonicregression0".to_string()] })
}

/// A linear regressor that also knows its deviation: sqrt(x sigma_ xᵀ + 1 / alpha_), from 1.9 of the centred x. ARD
/// keeps the columns whose lambda_ is below its threshold.
pub fn bayesian(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let output = regressor(builder, estimator, frame)?;
    let path = &estimator.path;
    let sigma = estimator.matrix("sigma_")?;
    let kept: Vec<usize> = match estimator.class {
        "ARDRegression" => {
            let threshold = estimator.f64("threshold_lambda")?;
            let lambda = estimator.f64s("lambda_")?;
            (0..frame.len()).filter(|&column| lambda.get(column).is_some_and(|&lambda| lambda < threshold)).collect()
        }
        _ => (0..frame.len()).collect(),
    };
    // Up to 1.1 `normalize` divided the columns as well.
    if kept.is_empty() || estimator.get("_normalize").is_some_and(|flag| flag.as_bool() == Some(true)) {
        return Ok(output);
    }
    if [sigma.rows, sigma.columns] != [kept.len(); 2] {
        return Err(estimator.malformed(format!("sigma_ is {} × {}", sigma.rows, sigma.columns)));
    }
    let mut x = frame.pick(&kept).wires;
    if estimator.version >= Version(1, 9) {
        let offset = estimator.f64s("X_offset_")?;
        let mean = match offset[..] {
            [offset] => vec![offset; kept.len()],
            _ if offset.len() == frame.len() => kept.iter().map(|&column| offset[column]).collect(),
            _ => return Err(estimator.malformed(format!("X_offset_ of {} columns", offset.len()))),
        };
        x = builder.graph.push(Op::Standardize { mean: Some(mean), scale: None }, x, path)?;
    }
    let count = kept.len();
    let coef = columns_as_rows(&sigma, count)?;
    let spread = builder.graph.push(Op::Affine { coef, intercept: vec![0.0; count] }, x.clone(), path)?;
    let products = builder.graph.push(Op::Multiply, [spread, x].concat(), path)?;
    let coef = Matrix::new(1, count, vec![1.0; count])?;
    let intercept = vec![1.0 / estimator.f64("alpha_")?];
    let variance = builder.graph.push(Op::Affine { coef, intercept }, products, path)?;
    let deviation = builder.graph.push(Op::Function(Function::Sqrt), variance, path)?;
    builder.graph.note("predict_std", deviation);
    Ok(output)
}

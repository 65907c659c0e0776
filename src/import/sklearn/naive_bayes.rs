//! Naive Bayes (sklearn.naive_bayes): a joint log likelihood a class; the largest is the label, their softmax the
//! probabilities.

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use crate::Result;
use crate::model::{Cell, Function, Lookup, Matrix, Op, Output, Unknown, Wire};

/// Label and probabilities from joint log likelihoods, up to a constant a row.
pub fn from_joint(builder: &mut Builder, estimator: &Estimator, joint: Vec<Wire>) -> Result<Output> {
    let classes = estimator.cells("classes_")?;
    if classes.len() != joint.len() {
        return Err(estimator.malformed(format!("{} likelihoods for {} classes", joint.len(), classes.len())));
    }
    builder.graph.note("predict_joint_log_proba", joint.clone());
    let label = builder.graph.push_one(Op::Argmax, joint.clone(), &estimator.path)?;
    let probabilities = Some(builder.graph.push(Op::Softmax, joint, &estimator.path)?);
    Ok(Output::Classification { classes, label, probabilities, scores: None })
}

/// `offset` minus half the sum of ((x - mean) / scale)²: the log of a normal density, up to what `offset` holds.
pub fn log_normal(
    builder: &mut Builder,
    estimator: &Estimator,
    frame: &Frame,
    mean: &[f64],
    scale: Vec<f64>,
    offset: f64,
) -> Result<Wire> {
    let path = &estimator.path;
    let standardize = Op::Standardize { mean: Some(mean.to_vec()), scale: Some(scale) };
    let standard = builder.graph.push(standardize, frame.wires.clone(), path)?;
    half_square_sum(builder, estimator, standard, offset)
}

/// `offset` minus half the sum of squares.
pub fn half_square_sum(builder: &mut Builder, estimator: &Estimator, wires: Vec<Wire>, offset: f64) -> Result<Wire> {
    let squares = builder.graph.push(Op::Function(Function::Square), wires, &estimator.path)?;
    let halves = Matrix { rows: 1, columns: squares.len(), values: vec![-0.5; squares.len()] };
    builder.graph.push_one(Op::Affine { coef: halves, intercept: vec![offset] }, squares, &estimator.path)
}

/// log prior - ½ Σ log 2π var_ - ½ Σ (x - theta_)² / var_
pub fn gaussian(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let means = estimator.matrix_over("theta_", frame.len())?;
    let variances = estimator.matrix_over("var_", frame.len())?;
    let prior = estimator.f64s("class_prior_")?;
    if means.rows != variances.rows || means.rows != prior.len() {
        return Err(estimator.malformed("theta_, var_ and class_prior_ are of different numbers of classes"));
    }
    let mut joint = Vec::with_capacity(means.rows);
    for (class, prior) in prior.into_iter().enumerate() {
        let variance = variances.row(class);
        let spread: f64 = variance.iter().map(|variance| (2.0 * std::f64::consts::PI * variance).ln()).sum();
        let scale = variance.iter().map(|variance| variance.sqrt()).collect();
        let offset = prior.ln() - 0.5 * spread;
        joint.push(log_normal(builder, estimator, frame, means.row(class), scale, offset)?);
    }
    from_joint(builder, estimator, joint)
}

/// x @ feature_log_prob_.T + class_log_prior_
pub fn multinomial(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let coef = estimator.matrix_over("feature_log_prob_", frame.len())?;
    let op = Op::Affine { coef, intercept: estimator.f64s("class_log_prior_")? };
    let joint = builder.graph.push(op, frame.wires.clone(), &estimator.path)?;
    from_joint(builder, estimator, joint)
}

/// x @ feature_log_prob_.T; the prior counts only where there is one class.
pub fn complement(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let coef = estimator.matrix_over("feature_log_prob_", frame.len())?;
    let intercept = if coef.rows == 1 { estimator.f64s("class_log_prior_")? } else { vec![0.0; coef.rows] };
    let joint = builder.graph.push(Op::Affine { coef, intercept }, frame.wires.clone(), &estimator.path)?;
    from_joint(builder, estimator, joint)
}

/// Binarised where `binarize` is given; then x @ (flp - neg).T + class_log_prior_ + Σ neg, neg = log(1 - exp(flp)).
pub fn bernoulli(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let mut wires = frame.wires.clone();
    if estimator.get("binarize").is_some() {
        let threshold = estimator.f64("binarize")?;
        wires = builder.graph.push(Op::Above { threshold }, wires, path)?;
    }
    let mut coef = estimator.matrix_over("feature_log_prob_", frame.len())?;
    let mut intercept = estimator.f64s("class_log_prior_")?;
    for (row, intercept) in coef.values.chunks_exact_mut(frame.len().max(1)).zip(&mut intercept) {
        for log_prob in row {
            let negative = (1.0 - log_prob.exp()).ln();
            *log_prob -= negative;
            *intercept += negative;
        }
    }
    let joint = builder.graph.push(Op::Affine { coef, intercept }, wires, path)?;
    from_joint(builder, estimator, joint)
}

/// class_log_prior_ plus, for each column, the log probability of its category; one not seen raises.
pub fn categorical(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let tables = estimator.list("feature_log_prob_")?;
    let prior = estimator.f64s("class_log_prior_")?;
    if tables.len() != frame.len() {
        return Err(estimator.malformed(format!("{} tables for {} columns", tables.len(), frame.len())));
    }
    let mut likelihoods = Vec::new();
    for (&wire, table) in frame.wires.iter().zip(tables) {
        let table = estimator.matrix_of("feature_log_prob_", table)?.transpose();
        if table.columns != prior.len() {
            return Err(estimator.malformed(format!("a table of {} classes for {}", table.columns, prior.len())));
        }
        let lookup = Lookup {
            keys: (0..table.rows as i64).map(Cell::Int).collect(),
            width: table.columns as u32,
            values: table.values,
            unknown: Unknown::Error,
        };
        likelihoods.extend(builder.graph.push(Op::Lookup(lookup), vec![wire], path)?);
    }
    let sum = Op::Combine { weights: vec![1.0; frame.len()], divide: 1.0 };
    let sum = builder.graph.push(sum, likelihoods, path)?;
    let op = Op::Linear { scale: vec![1.0; prior.len()], offset: prior };
    let joint = builder.graph.push(op, sum, path)?;
    from_joint(builder, estimator, joint)
}

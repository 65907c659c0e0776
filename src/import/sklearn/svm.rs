//! Support vector machines of libsvm (sklearn.svm): `_dual_coef_` and `_intercept_` as libsvm has them; the public
//! attributes of two classes are negated.

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use super::kernels;
use crate::Result;
use crate::model::{Coefficients, Op, Output, Wire, pairs};

fn kernel(estimator: &Estimator) -> Result<kernels::Named> {
    kernels::named(estimator, estimator.choice("kernel")?, estimator.f64("_gamma")?)
}

/// One output: coefficients times kernel values plus the intercept, all times `sign`.
fn single(builder: &mut Builder, estimator: &Estimator, frame: &Frame, sign: f64) -> Result<Wire> {
    let kernel = kernel(estimator)?;
    let vectors = estimator.matrix_over("support_vectors_", frame.len())?;
    let mut coef = estimator.matrix("_dual_coef_")?;
    coef.values.iter_mut().for_each(|coef| *coef *= sign);
    let intercept = estimator.f64s("_intercept_")?.into_iter().map(|intercept| intercept * sign).collect();
    let wires = kernels::sum(builder, estimator, frame, kernel, vectors, Coefficients::Dense(coef), intercept)?;
    match wires[..] {
        [wire] => Ok(wire),
        _ => Err(estimator.malformed(format!("_dual_coef_ has {} rows; one is expected", wires.len()))),
    }
}

/// SVR, NuSVR.
pub fn regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    Ok(Output::Regression { values: vec![single(builder, estimator, frame, 1.0)?], names: Vec::new() })
}

/// OneClassSVM: an inlier where the decision is above zero; score_samples adds the offset back.
pub fn one_class(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let score = single(builder, estimator, frame, 1.0)?;
    let inlier = builder.graph.push(Op::Above { threshold: 0.0 }, vec![score], path)?;
    let outlier = builder.graph.push_one(complement(), inlier, path)?;
    let offset = Op::Linear { scale: vec![1.0], offset: vec![estimator.f64("offset_")?] };
    let samples = builder.graph.push_one(offset, vec![score], path)?;
    Ok(Output::Anomaly { outlier, score, samples: Some(samples) })
}

/// 1 - x
fn complement() -> Op {
    Op::Linear { scale: vec![-1.0], offset: vec![1.0] }
}

/// SVC, NuSVC. Two classes have one decision; more have one a pair, that votes. Probabilities, where they were
/// fitted, come from the pairs and may disagree with the label, as in the original. The decision function 'ovo' of
/// more than two classes is by pair, so it is not among the results, which are by class.
pub fn classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let classes = estimator.cells("classes_")?;
    let count = classes.len();
    let (decisions, sign) = if count == 2 {
        // The score of the second class: libsvm's decision is for the first.
        (vec![single(builder, estimator, frame, -1.0)?], -1.0)
    } else {
        let kernel = kernel(estimator)?;
        let vectors = estimator.matrix_over("support_vectors_", frame.len())?;
        let counts = estimator.i64s("_n_support")?;
        let counts: Option<Vec<u32>> = counts.into_iter().map(|count| u32::try_from(count).ok()).collect();
        let Some(counts) = counts.filter(|counts| counts.len() == count && count > 2) else {
            return Err(
                estimator.malformed(format!("_n_support does not hold one count for each of {count} classes"))
            );
        };
        let coef = Coefficients::Pairs { counts, coef: estimator.matrix("_dual_coef_")? };
        let intercept = estimator.f64s("_intercept_")?;
        (kernels::sum(builder, estimator, frame, kernel, vectors, coef, intercept)?, 1.0)
    };
    let by_class = classes.len() as u32;
    let (label, scores) = if count == 2 {
        // libsvm votes for the first class only where the decision is above zero.
        let first = builder.graph.push(Op::Below { threshold: 0.0 }, decisions.clone(), path)?;
        (builder.graph.push_one(complement(), first, path)?, Some(decisions.clone()))
    } else {
        let mut votes = |confidences: bool| {
            builder.graph.push(Op::PairVotes { classes: by_class, confidences }, decisions.clone(), path)
        };
        let scores = match estimator.str("decision_function_shape")? {
            "ovr" => Some(votes(true)?),
            _ => None,
        };
        let votes = match &scores {
            Some(scores) if estimator.bool("break_ties")? => scores.clone(),
            _ => votes(false)?,
        };
        (builder.graph.push_one(Op::Argmax, votes, path)?, scores)
    };
    let fitted = estimator.get("probability").and_then(|value| value.as_bool()) == Some(true);
    let a = estimator.maybe_f64s("_probA")?.unwrap_or_default();
    let probabilities = if fitted && !a.is_empty() && a.len() == pairs(count) {
        let a = a.into_iter().map(|a| a * sign).collect();
        let op = Op::PairProbabilities { classes: by_class, a, b: estimator.f64s("_probB")? };
        Some(builder.graph.push(op, decisions, path)?)
    } else {
        None
    };
    Ok(Output::Classification { classes, label, probabilities, scores })
}

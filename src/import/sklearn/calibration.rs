//! Calibrated probabilities (sklearn.calibration).

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use super::inner::{self, Classifier};
use super::linear;
use crate::Result;
use crate::import::pickle::Value;
use crate::model::{Cell, Function, Op, Output, Wire};

/// The mean over the folds of what each fold's calibrators make of its estimator's scores.
pub fn calibrated(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let classes = estimator.cells("classes_")?;
    if classes.len() < 2 {
        return Err(estimator.malformed("fewer than two classes"));
    }
    let mut groups = Vec::new();
    for (number, value) in estimator.list("calibrated_classifiers_")?.into_iter().enumerate() {
        let step = format!("fold {number}");
        groups.push(builder.visit(value, &step, Some(estimator), |builder, fold| {
            let name = if fold.get("estimator").is_some() { "estimator" } else { "base_estimator" };
            let member = inner::classifier(builder, fold.need(name)?, name, fold, frame)?;
            let method = fold.maybe_str("method").unwrap_or("sigmoid");
            match method {
                "sigmoid" | "isotonic" => one_vs_rest(builder, fold, &member, &classes),
                "temperature" => temperature(builder, fold, &member, &classes),
                other => Err(fold.unsupported(format!("method='{other}'"))),
            }
        })?);
    }
    let probabilities = inner::mean(builder, groups, estimator)?;
    let label = builder.graph.push_one(Op::Argmax, probabilities.clone(), &estimator.path)?;
    Ok(Output::Classification { classes, label, probabilities: Some(probabilities), scores: None })
}

fn calibrators<'h>(fold: &Estimator<'h>) -> Result<Vec<Value<'h>>> {
    fold.list(if fold.get("calibrators").is_some() { "calibrators" } else { "calibrators_" })
}

/// The decision function, or without it the probabilities; of two classes one column.
fn response(fold: &Estimator, member: &Classifier) -> Result<Vec<Wire>> {
    match (&member.scores, &member.probabilities) {
        (Some(scores), _) => Ok(scores.clone()),
        (None, Some(probabilities)) if member.classes.len() == 2 => Ok(probabilities[1..].to_vec()),
        (None, Some(probabilities)) => Ok(probabilities.clone()),
        (None, None) => Err(fold.unsupported("an estimator without scores and probabilities")),
    }
}

/// A calibrator a class, each over their sum; two classes have the one of the second.
fn one_vs_rest(builder: &mut Builder, fold: &Estimator, member: &Classifier, classes: &[Cell]) -> Result<Vec<Wire>> {
    let path = &fold.path;
    let places = member.places(classes, fold)?;
    let response = response(fold, member)?;
    let calibrators = calibrators(fold)?;
    if calibrators.len() != response.len() {
        return Err(fold.malformed(format!("{} calibrators for {} scores", calibrators.len(), response.len())));
    }
    let mut made = Vec::with_capacity(response.len());
    for (number, (value, wire)) in calibrators.into_iter().zip(response).enumerate() {
        let calibrator = Estimator::new(value, &format!("calibrator {number}"), Some(fold))?;
        made.push(match calibrator.class {
            "_SigmoidCalibration" => {
                // expit(-(a f + b))
                let (a, b) = (calibrator.f64("a_")?, calibrator.f64("b_")?);
                let line = builder.graph.push(Op::Linear { scale: vec![-a], offset: vec![-b] }, vec![wire], path)?;
                builder.graph.push_one(Op::Function(Function::Expit), line, path)?
            }
            "IsotonicRegression" => linear::isotonic(builder, &calibrator, wire)?,
            other => return Err(fold.unsupported(format!("the calibrator {other}"))),
        });
    }
    if classes.len() == 2 {
        return builder.graph.push(Op::Complement, made, path);
    }
    let mut columns = made.clone();
    if places.len() < classes.len() {
        // A class that the fold did not see.
        let zero = builder.graph.push_one(Op::Constant(vec![0.0]), Vec::new(), path)?;
        columns = vec![zero; classes.len()];
    } else if made.len() != classes.len() {
        return Err(fold.malformed(format!("{} scores for {} classes", made.len(), classes.len())));
    }
    for (wire, place) in made.into_iter().zip(places) {
        columns[place] = wire;
    }
    builder.graph.push(Op::Share, columns, path)
}

/// softmax(beta × logits): the scores, (-d, d) for two classes, or the logarithms of the probabilities.
fn temperature(builder: &mut Builder, fold: &Estimator, member: &Classifier, classes: &[Cell]) -> Result<Vec<Wire>> {
    let path = &fold.path;
    let calibrators = calibrators(fold)?;
    let Some(&calibrator) = calibrators.first() else { return Err(fold.malformed("no calibrator")) };
    let beta = Estimator::new(calibrator, "calibrator", Some(fold))?.f64("beta_")?;
    // The folds may have been trained on the places of the classes.
    let places = (0..classes.len() as i64).map(Cell::Int);
    if member.classes != classes && !member.classes.iter().cloned().eq(places) {
        return Err(fold.unsupported("a fold that did not see every class"));
    }
    let logits = match (&member.scores, &member.probabilities) {
        (Some(scores), _) if scores.len() == 1 => builder.graph.push(Op::Mirror, scores.clone(), path)?,
        (Some(scores), _) => scores.clone(),
        (None, Some(probabilities)) => {
            let count = probabilities.len();
            // Keeps the logarithm finite, as the original does.
            let op = Op::Linear { scale: vec![1.0; count], offset: vec![1e-12; count] };
            let above_zero = builder.graph.push(op, probabilities.clone(), path)?;
            builder.graph.push(Op::Function(Function::Log), above_zero, path)?
        }
        (None, None) => return Err(fold.unsupported("an estimator without scores and probabilities")),
    };
    let count = logits.len();
    let scaled =
        builder.graph.push(Op::Linear { scale: vec![beta; count], offset: vec![0.0; count] }, logits, path)?;
    builder.graph.push(Op::Softmax, scaled, path)
}

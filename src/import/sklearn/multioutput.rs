//! Several targets from estimators of one (sklearn.multioutput).

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use super::inner;
use crate::Result;
use crate::model::{Op, Output};

pub fn classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let mut outputs = Vec::new();
    for (number, value) in estimator.list("estimators_")?.into_iter().enumerate() {
        outputs.push(builder.predict(value, &format!("output {number}"), Some(estimator), frame)?);
    }
    if outputs.is_empty() {
        return Err(estimator.malformed("estimators_ is empty"));
    }
    Ok(Output::Several(outputs))
}

pub fn regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let mut values = Vec::new();
    for (number, value) in estimator.list("estimators_")?.into_iter().enumerate() {
        values.extend(inner::regressor(builder, value, &format!("output {number}"), estimator, frame)?);
    }
    if values.is_empty() {
        return Err(estimator.malformed("estimators_ is empty"));
    }
    Ok(Output::Regression { values, names: Vec::new() })
}

/// For each target its place in the chain: the inverse of `order_`.
fn places(estimator: &Estimator, count: usize) -> Result<Vec<usize>> {
    let order = estimator.i64s("order_")?;
    let places = (0..count as i64).map(|target| order.iter().position(|&at| at == target)).collect::<Option<_>>();
    places
        .filter(|_| order.len() == count && count > 0)
        .ok_or_else(|| estimator.malformed(format!("order_ is not an order of {count} targets")))
}

/// A chain refuses missing values, whatever its estimators would do with them: a sum of one refuses them too.
fn finite(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    builder.map(Op::Combine { weights: vec![1.0], divide: 1.0 }, frame, estimator)
}

/// Each classifier reads the input and, after it, what those before it in the chain said by `chain_method_` (before
/// 1.5 their predictions).
pub fn classifier_chain(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let list = estimator.list("estimators_")?;
    let places = places(estimator, list.len())?;
    let method = estimator.maybe_str("chain_method_").unwrap_or("predict");
    let (mut frame, mut chain) = (finite(builder, estimator, frame)?, Vec::new());
    for (number, value) in list.into_iter().enumerate() {
        let step = format!("link {number}");
        let member = inner::classifier(builder, value, &step, estimator, &frame)?;
        let none = || estimator.unsupported(format!("{step} has no {method} of two classes"));
        let said = match (method, &member.probabilities, &member.scores) {
            ("predict", _, _) => member.value(builder, estimator)?,
            ("predict_proba", Some(probabilities), _) if probabilities.len() == 2 => probabilities[1],
            ("decision_function", _, Some(scores)) if scores.len() == 1 => scores[0],
            _ => return Err(none()),
        };
        frame.wires.push(said);
        frame.names.push(format!("chain{number}"));
        chain.push(Output::Classification {
            classes: member.classes,
            label: member.label,
            probabilities: member.probabilities,
            scores: member.scores,
        });
    }
    Ok(Output::Several(places.into_iter().map(|place| chain[place].clone()).collect()))
}

pub fn regressor_chain(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let list = estimator.list("estimators_")?;
    let places = places(estimator, list.len())?;
    let (mut frame, mut chain) = (finite(builder, estimator, frame)?, Vec::new());
    for (number, value) in list.into_iter().enumerate() {
        let step = format!("link {number}");
        match inner::regressor(builder, value, &step, estimator, &frame)?[..] {
            [said] => {
                frame.wires.push(said);
                frame.names.push(format!("chain{number}"));
                chain.push(said);
            }
            _ => return Err(estimator.malformed(format!("{step} predicts several targets"))),
        }
    }
    let values = places.into_iter().map(|place| chain[place]).collect();
    Ok(Output::Regression { values, names: Vec::new() })
}

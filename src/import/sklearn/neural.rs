//! Multi-layer perceptrons (sklearn.neural_network): affine maps with an activation between.

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, cells, numbers};
use crate::Result;
use crate::model::{Cell, Function, Op, Output, Wire};

fn activate(builder: &mut Builder, estimator: &Estimator, name: &str, wires: Vec<Wire>) -> Result<Vec<Wire>> {
    let op = match name {
        "identity" => return Ok(wires),
        "relu" => Op::Function(Function::Relu),
        "tanh" => Op::Function(Function::Tanh),
        "logistic" => Op::Function(Function::Expit),
        "exp" => Op::Function(Function::Exp),
        "softmax" => Op::Softmax,
        other => return Err(estimator.not_among("activation", other, "identity, relu, tanh or logistic")),
    };
    builder.graph.push(op, wires, &estimator.path)
}

/// `coefs_` (inputs × outputs of each layer) and `intercepts_`; the last layer has its own activation.
fn forward(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Vec<Wire>> {
    let coefs = estimator.list("coefs_")?;
    let intercepts = estimator.list("intercepts_")?;
    let layers = coefs.len();
    if layers == 0 || layers != intercepts.len() {
        return Err(estimator.malformed(format!("{layers} weight matrices and {} intercepts", intercepts.len())));
    }
    let mut wires = frame.wires.clone();
    for (layer, (coef, intercept)) in coefs.into_iter().zip(intercepts).enumerate() {
        let coef = estimator.matrix_of("coefs_", coef)?.transpose();
        let intercept =
            numbers(intercept).ok_or_else(|| estimator.malformed("intercepts_ does not hold arrays of numbers"))?;
        wires = builder.graph.push(Op::Affine { coef, intercept }, wires, &estimator.path)?;
        let name = if layer + 1 == layers { "out_activation_" } else { "activation" };
        wires = activate(builder, estimator, estimator.str(name)?, wires)?;
    }
    Ok(wires)
}

pub fn regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    Ok(Output::Regression { values: forward(builder, estimator, frame)?, names: Vec::new() })
}

/// One logistic output for two classes, a softmax for more; several labels have a logistic output each.
pub fn classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let binarizer = Estimator::new(estimator.need("_label_binarizer")?, "_label_binarizer", Some(estimator))?;
    let classes =
        cells(binarizer.need("classes_")?).ok_or_else(|| binarizer.malformed("classes_ holds no labels"))?;
    let made = forward(builder, estimator, frame)?;
    let mut binary = |wire: Wire, classes: Vec<Cell>| -> Result<Output> {
        let label = builder.graph.push_one(Op::Above { threshold: 0.5 }, vec![wire], path)?;
        let probabilities = Some(builder.graph.push(Op::Complement, vec![wire], path)?);
        Ok(Output::Classification { classes, label, probabilities, scores: None })
    };
    if binarizer.maybe_str("y_type_").is_some_and(|kind| kind.starts_with("multilabel")) {
        let outputs = made.into_iter().map(|wire| binary(wire, vec![Cell::Int(0), Cell::Int(1)]));
        return Ok(Output::Several(outputs.collect::<Result<_>>()?));
    }
    match made[..] {
        [wire] if classes.len() == 2 => binary(wire, classes),
        _ if made.len() == classes.len() => {
            let label = builder.graph.push_one(Op::Argmax, made.clone(), path)?;
            Ok(Output::Classification { classes, label, probabilities: Some(made), scores: None })
        }
        _ => Err(estimator.malformed(format!("{} outputs for {} classes", made.len(), classes.len()))),
    }
}

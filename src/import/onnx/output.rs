//! From the graph's outputs to what a prediction is: labels and probabilities, values, clusters, outliers.

use super::value::{Data, Kind, Nature, Tensor, Value};
use super::{Call, Context};
use crate::model::{Cell, Op, Output, Wire};
use crate::{Error, Result};
use std::rc::Rc;

/// ZipMap: probabilities by class.
pub fn zip_map(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let values = call.tensor(0)?.clone();
    let keys = call.labels("classlabels_strings", "classlabels_int64s")?;
    if values.len() != keys.len() {
        return Err(Error::malformed(format!("{} columns for {} classes", values.len(), keys.len())));
    }
    Ok(vec![Value::Map { keys, values }])
}

/// The model's output. Labels are places in a list of classes; numbers beside them are their probabilities or, where they
/// are known to be none, scores.
pub fn assemble(context: &mut Context, outputs: &[(&str, Rc<Value>)]) -> Result<Output> {
    let mut labels: Vec<(&str, &Tensor)> = Vec::new();
    let mut numbers: Vec<(&str, &Tensor)> = Vec::new();
    let mut keys: Option<&Vec<Cell>> = None;
    for (name, value) in outputs {
        match value.as_ref() {
            Value::Map { keys: own, values } => {
                keys = Some(own);
                numbers.push((name, values));
            }
            Value::Tensor(tensor) if tensor.batch.is_none() => {
                return Err(Error::unsupported(format!("the output '{name}' is the same for every row")));
            }
            Value::Tensor(tensor) if matches!(tensor.data, Data::Places(..)) => labels.push((name, tensor)),
            Value::Tensor(tensor) if tensor.kind == Kind::Text => {
                return Err(Error::unsupported(format!("the output '{name}' is a column of strings")));
            }
            Value::Tensor(tensor) => numbers.push((name, tensor)),
            Value::Stacked(_) => {
                return Err(Error::unsupported(format!("the output '{name}' has several rows a row")));
            }
        }
    }
    match labels[..] {
        [] => without_label(context, &numbers, keys),
        [(name, label)] => {
            let Data::Places(places, table) = &label.data else { unreachable!("labels are places in a table") };
            let &[place] = &places[..] else {
                let message = format!("the output '{name}' has {} labels a row", label.len());
                return Err(Error::unsupported(message));
            };
            with_label(context, place, label.nature, table, &numbers, keys)
        }
        _ => {
            let names: Vec<&str> = labels.iter().map(|(name, _)| *name).collect();
            Err(Error::unsupported(format!("several labels: the outputs {}", names.join(", "))))
        }
    }
}

fn with_label(
    context: &mut Context,
    place: Wire,
    nature: Nature,
    table: &[Cell],
    numbers: &[(&str, &Tensor)],
    keys: Option<&Vec<Cell>>,
) -> Result<Output> {
    if nature == Nature::Cluster {
        let distances = match numbers {
            [] => None,
            [(_, distances)] if distances.len() == table.len() => Some(context.wires(distances)?),
            _ => return Err(Error::unsupported("outputs beside the cluster that are no distances to its center")),
        };
        return Ok(Output::Clustering { cluster: place, labels: table.to_vec(), distances });
    }
    let (place, classes) = distinct(context, place, table)?;
    let mut wires = Vec::new();
    for (_, tensor) in numbers {
        wires.extend(context.wires(tensor)?);
    }
    let scores = numbers.iter().any(|(_, tensor)| tensor.nature == Nature::Scores);
    if let Some(keys) = keys.filter(|keys| **keys != classes) {
        return Err(Error::unsupported(format!("probabilities of {} other classes than the label's", keys.len())));
    }
    let count = classes.len();
    let (probabilities, scores) = match (wires.len(), scores) {
        (0, _) => (None, None),
        (1, true) if count == 2 => (None, Some(wires)),
        // The decision function of two classes is the second's score.
        (2, true) if count == 2 => (None, Some(vec![wires[1]])),
        (columns, true) if columns == count => (None, Some(wires)),
        (columns, false) if columns == count => (Some(wires), None),
        // One decision a pair of classes is no score of a class.
        (_, true) => (None, None),
        (columns, false) => {
            return Err(Error::unsupported(format!("{columns} probabilities for {count} classes")));
        }
    };
    Ok(Output::Classification { classes, label: place, probabilities, scores })
}

/// Each class once: a list may name one several times (the labels of neighbours).
fn distinct(context: &mut Context, place: Wire, table: &[Cell]) -> Result<(Wire, Vec<Cell>)> {
    let mut classes: Vec<Cell> = Vec::new();
    let mut codes = Vec::with_capacity(table.len());
    let mut known = std::collections::HashMap::new();
    for cell in table {
        let code = *known.entry(cell.key()).or_insert_with(|| {
            classes.push(cell.clone());
            classes.len() - 1
        });
        codes.push(code as f64);
    }
    if classes.len() == table.len() {
        return Ok((place, classes));
    }
    Ok((context.look_up(&[place], &codes)?[0], classes))
}

fn without_label(context: &mut Context, numbers: &[(&str, &Tensor)], keys: Option<&Vec<Cell>>) -> Result<Output> {
    match numbers {
        [(_, shares)] if keys.is_some() || (shares.nature == Nature::Softmax && shares.len() > 1) => {
            let wires = context.wires(shares)?;
            let classes = keys.cloned().unwrap_or_else(|| (0..wires.len() as i64).map(Cell::Int).collect());
            let label = context.push_one(Op::Argmax, wires.clone())?;
            Ok(Output::Classification { classes, label, probabilities: Some(wires), scores: None })
        }
        // What skl2onnx calls the outputs of outlier detectors; its other labels are places among classes.
        [("label", inlier), ("scores", score)]
            if inlier.kind == Kind::Int && (inlier.len(), score.len()) == (1, 1) =>
        {
            let inlier = context.wires(inlier)?;
            let score = context.wires(score)?[0];
            // -1 and 1, and 0 of a score that is zero, which is no inlier.
            let inside = context.push(Op::Above { threshold: 0.5 }, inlier)?;
            let outlier = context.push_one(Op::Linear { scale: vec![-1.0], offset: vec![1.0] }, inside)?;
            Ok(Output::Anomaly { outlier, score, samples: None })
        }
        [] => Err(Error::unsupported("the graph has no outputs that carryout can name")),
        _ => {
            let (mut values, mut names) = (Vec::new(), Vec::new());
            for (name, tensor) in numbers {
                let wires = context.wires(tensor)?;
                match wires.len() {
                    0 => return Err(Error::unsupported(format!("the output '{name}' has no columns"))),
                    1 => names.push(name.to_string()),
                    count => names.extend((0..count).map(|place| format!("{name}_{place}"))),
                }
                values.extend(wires);
            }
            // The name of one output alone tells nothing apart.
            if numbers.len() == 1 {
                names.clear();
            }
            Ok(Output::Regression { values, names })
        }
    }
}

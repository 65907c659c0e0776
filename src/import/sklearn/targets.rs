//! Encoders by the target, and of it (sklearn.preprocessing).

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, numbers};
use super::preprocessing::categories;
use crate::Result;
use crate::model::{Cell, Lookup, Op, Unknown};

/// The mean of the target for each category, one column a class where there are several; `target_mean_` for any
/// other value.
pub fn target_encoder(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let all = categories(builder, estimator, frame)?;
    let means = estimator.f64s("target_mean_")?;
    let width = means.len();
    let classes = if width > 1 { estimator.cells("classes_")? } else { Vec::new() };
    let encodings: Option<Vec<Vec<f64>>> = estimator.list("encodings_")?.into_iter().map(numbers).collect();
    let encodings = encodings.ok_or_else(|| estimator.malformed("encodings_ does not hold numbers"))?;
    if encodings.len() != all.len() * width || (width > 1 && classes.len() != width) {
        return Err(estimator.malformed(format!("{} encodings of {} columns", encodings.len(), all.len())));
    }
    let mut made = Frame { wires: Vec::new(), names: Vec::new() };
    for (column, (keys, encodings)) in all.into_iter().zip(encodings.chunks(width.max(1))).enumerate() {
        if encodings.iter().any(|encoding| encoding.len() != keys.len()) {
            return Err(estimator.malformed(format!("column {column} has {} categories", keys.len())));
        }
        let values = (0..keys.len()).flat_map(|key| encodings.iter().map(move |encoding| encoding[key])).collect();
        let unknown = Unknown::As(means.clone());
        let op = Op::Lookup(Lookup { keys, width: width as u32, values, unknown });
        made.wires.extend(builder.graph.push(op, vec![frame.wires[column]], &estimator.path)?);
        let name = &frame.names[column];
        match width {
            1 => made.names.push(name.clone()),
            _ => made.names.extend(classes.iter().map(|class| format!("{name}_{class}"))),
        }
    }
    Ok(made)
}

/// One column a class, of two classes only the second's; an unknown label has no column.
pub fn label_binarizer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let keys = estimator.cells("classes_")?;
    let [wire] = frame.wires[..] else { return Err(estimator.malformed("LabelBinarizer takes one column")) };
    if let Some(kind) = estimator.maybe_str("y_type_").filter(|kind| kind.starts_with("multilabel")) {
        return Err(estimator.unsupported(format!("LabelBinarizer of {kind} rows, which are already binary")));
    }
    if keys.iter().any(|key| matches!(key, Cell::Str(_))) {
        builder.strings(wire, estimator)?;
    }
    let (negative, positive) = (estimator.f64("neg_label")?, estimator.f64("pos_label")?);
    let first = usize::from(keys.len() == 2);
    let names = keys[first..].iter().map(ToString::to_string).collect();
    let row = |key: usize| (first..keys.len()).map(move |column| if column == key { positive } else { negative });
    // Of one class, the original's only column is all negative.
    let values: Vec<f64> = if keys.len() == 1 { vec![negative] } else { (0..keys.len()).flat_map(row).collect() };
    let width = keys.len() - first;
    let unknown = Unknown::As(vec![negative; width]);
    let op = Op::Lookup(Lookup { keys, width: width as u32, values, unknown });
    let wires = builder.graph.push(op, vec![wire], &estimator.path)?;
    Ok(Frame { wires, names })
}

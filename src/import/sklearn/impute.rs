//! Imputers that look at the other columns (sklearn.impute).

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, Version, integers};
use super::preprocessing::{indicator, kept_by_simple_imputer, marker, simple_imputer};
use crate::import::pickle::Kind;
use crate::model::{Cell, Donors, Marker, Matrix, Op, Output};
use crate::{Error, Result};

/// The columns with what counts as missing made NaN.
fn with_nan(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let missing = marker(estimator)?;
    if missing == Marker::Nan {
        return Ok(frame.clone());
    }
    builder.map(Op::Impute { missing, fill: vec![Cell::Nan; frame.len()] }, frame, estimator)
}

/// The mean over the nearest rows of training that have the column (`_fit_X`). Of equally near rows the first count,
/// where the original's choice is that of numpy's partition.
pub fn knn_imputer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let metric = estimator.choice("metric")?;
    if metric != "nan_euclidean" {
        return Err(estimator.not_among("metric", metric, "metric nan_euclidean"));
    }
    let by_distance = match estimator.choice("weights")? {
        "uniform" => false,
        "distance" => true,
        other => return Err(estimator.not_among("weights", other, "weights uniform or distance")),
    };
    let missing = marker(estimator)?;
    let mut rows = estimator.matrix_over("_fit_X", frame.len())?;
    if let Marker::Value(value) = &missing {
        let marked = value.number();
        rows.values.iter_mut().filter(|value| Some(**value) == marked).for_each(|value| *value = f64::NAN);
    }
    let valid = estimator.array("_valid_mask")?.bools()?;
    if valid.len() != frame.len() {
        return Err(estimator.malformed(format!("_valid_mask of {} columns for {}", valid.len(), frame.len())));
    }
    let input = with_nan(builder, estimator, frame)?;
    let means = means(&rows);
    let count = estimator.usize("n_neighbors")?.min(rows.rows);
    let count = u32::try_from(count).map_err(|_| estimator.malformed("too many neighbours"))?;
    // Up to 1.5 rows at no known distance take part where there are too few others, in no order that can be told.
    let strict = !by_distance && estimator.version < Version(1, 6);
    let donors = Donors { rows, count, by_distance, strict, means };
    let filled = builder.map(Op::Donors(donors), &input, estimator)?;
    let mut made = Frame { wires: Vec::new(), names: Vec::new() };
    let keep_empty = estimator.bool_or("keep_empty_features", false)?;
    for (column, valid) in valid.into_iter().enumerate() {
        if valid {
            made.extend(filled.pick(&[column]));
        } else if keep_empty {
            let wire = builder.graph.push_one(Op::Constant(vec![0.0]), Vec::new(), &estimator.path)?;
            made.extend(Frame { wires: vec![wire], names: vec![frame.names[column].clone()] });
        }
    }
    indicator(builder, estimator, frame, &mut made)?;
    Ok(made)
}

/// Each column's mean without what is missing; NaN of nothing.
fn means(rows: &Matrix) -> Vec<f64> {
    (0..rows.columns)
        .map(|column| {
            let values = (0..rows.rows).map(|row| rows.row(row)[column]).filter(|value| !value.is_nan());
            let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
            sum / count
        })
        .collect()
}

/// A first guess by `initial_imputer_`, then `imputation_sequence_`: each a column predicted from others, within
/// `_min_value` and `_max_value`. Of a batch in which nothing at all is known, the original returns the first guess.
pub fn iterative_imputer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    if estimator.bool("sample_posterior")? {
        return Err(estimator.unsupported("IterativeImputer with sample_posterior=True draws at random").remedy(
            "Fit it with sample_posterior=False: it then imputes the mean instead of a random value around it.",
        ));
    }
    let (mut filled, kept) =
        builder.visit(estimator.need("initial_imputer_")?, "initial", Some(estimator), |builder, initial| {
            let kept = kept_by_simple_imputer(initial)?;
            Ok((simple_imputer(builder, initial, frame)?, kept))
        })?;
    let mut known = with_nan(builder, estimator, frame)?.pick(&kept);
    // Columns that were empty in training keep the first guess, whatever comes in.
    if let (true, Some(_)) = (estimator.bool_or("keep_empty_features", false)?, estimator.get("_is_empty_feature")) {
        let empty = estimator.array("_is_empty_feature")?.bools()?;
        for (place, &column) in kept.iter().enumerate() {
            if empty.get(column).copied().unwrap_or(false) {
                known.wires[place] = filled.wires[place];
            }
        }
    }
    // An imputer that never went beyond the first guess has neither.
    let bound = |name: &str| Ok::<_, Error>(estimator.maybe_f64s(name)?.unwrap_or_default());
    let (low, high) = (bound("_min_value")?, bound("_max_value")?);
    for (number, step) in estimator.list("imputation_sequence_")?.into_iter().enumerate() {
        let damaged = || estimator.malformed(format!("step {number} of imputation_sequence_ is {}", step.describe()));
        let Kind::Object(object) = step.kind() else { return Err(damaged()) };
        let parts = object.args().items().ok_or_else(damaged)?;
        let (Some(column), Some(others), Some(model)) = (parts.get(0), parts.get(1), parts.get(2)) else {
            return Err(damaged());
        };
        let place = |place: i64| usize::try_from(place).ok().filter(|&place| place < filled.len());
        let column = column.as_i64().and_then(place).ok_or_else(damaged)?;
        let others: Option<Vec<usize>> = integers(others).and_then(|others| others.into_iter().map(place).collect());
        let others = filled.pick(&others.ok_or_else(damaged)?);
        let (Some(&low), Some(&high)) = (low.get(column), high.get(column)) else { return Err(damaged()) };
        let output = builder.predict(model, &filled.names[column], Some(estimator), &others)?;
        let Output::Regression { values, .. } = output else {
            return Err(Error::unsupported("imputation by a model that is no regression").at(estimator.path.clone()));
        };
        let &[value] = &values[..] else { return Err(damaged()) };
        let value = builder.graph.push_one(Op::Clip { low, high }, vec![value], &estimator.path)?;
        let input = vec![known.wires[column], value];
        filled.wires[column] = builder.graph.push_one(Op::Coalesce, input, &estimator.path)?;
    }
    indicator(builder, estimator, frame, &mut filled)?;
    Ok(filled)
}

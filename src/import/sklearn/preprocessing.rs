//! Imputers, scalers and encoders (sklearn.impute, sklearn.preprocessing).

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, Version, cell, cells};
use crate::import::pickle::Value;
use crate::model::{Cell, Lookup, Marker, Norm, Op, Unknown, Wire};
use crate::{Error, Result};

/// `missing_values` of an imputer. One null reaches the model, so None and NaN are the same.
pub fn marker(estimator: &Estimator) -> Result<Marker> {
    let Some(value) = estimator.get("missing_values") else { return Ok(Marker::Nan) };
    match cell(value) {
        Some(Cell::Nan | Cell::None) => Ok(Marker::Nan),
        Some(value) => Ok(Marker::Value(value)),
        None => Err(estimator.malformed(format!("missing_values is {}", value.describe()))),
    }
}

/// The places of the columns that a SimpleImputer lets through: those that were empty in training have no statistic.
pub fn kept_by_simple_imputer(estimator: &Estimator) -> Result<Vec<usize>> {
    let statistics = estimator.cells("statistics_")?;
    // Up to 1.7 a constant filled empty columns too.
    let constant = estimator.version < Version(1, 8) && estimator.maybe_str("strategy") == Some("constant");
    let keep = constant || estimator.bool_or("keep_empty_features", false)?;
    Ok((0..statistics.len()).filter(|&place| keep || !statistics[place].is_missing()).collect())
}

/// Appends the columns of `indicator_` where asked for. It reads the columns as they came in.
pub fn indicator(builder: &mut Builder, estimator: &Estimator, frame: &Frame, made: &mut Frame) -> Result<()> {
    if estimator.bool_or("add_indicator", false)? {
        let value = estimator.need("indicator_")?;
        made.extend(builder.visit(value, "indicator", Some(estimator), |builder, indicator| {
            missing_indicator(builder, indicator, frame)
        })?);
    }
    Ok(())
}

/// Fills each column with its statistic; columns that were empty in training are dropped unless kept.
pub fn simple_imputer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let statistics = estimator.cells("statistics_")?;
    if statistics.len() != frame.len() {
        return Err(estimator.malformed(format!("{} statistics for {} columns", statistics.len(), frame.len())));
    }
    let missing = marker(estimator)?;
    let kept = kept_by_simple_imputer(estimator)?;
    let selected = frame.pick(&kept);
    let fill: Vec<Cell> = kept.iter().map(|&place| statistics[place].clone()).collect();
    let text_marker = matches!(missing, Marker::Value(Cell::Str(_)));
    for (&wire, fill) in selected.wires.iter().zip(&fill) {
        if text_marker || matches!(fill, Cell::Str(_)) {
            builder.strings(wire, estimator)?;
        }
    }
    let mut made = builder.map(Op::Impute { missing, fill }, &selected, estimator)?;
    indicator(builder, estimator, frame, &mut made)?;
    Ok(made)
}

/// 0 or 1 for each column of `features_`.
pub fn missing_indicator(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let places = estimator.i64s("features_")?;
    let places: Vec<usize> = places
        .iter()
        .map(|&place| usize::try_from(place).ok().filter(|&place| place < frame.len()))
        .collect::<Option<_>>()
        .ok_or_else(|| estimator.malformed("features_ names a column that does not come in"))?;
    let mut selected = frame.pick(&places);
    selected.names.iter_mut().for_each(|name| *name = format!("missingindicator_{name}"));
    builder.map(Op::IsMissing { missing: marker(estimator)? }, &selected, estimator)
}

/// (x - mean_) / scale_
pub fn standard_scaler(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let mean = if estimator.bool("with_mean")? { Some(estimator.f64s("mean_")?) } else { None };
    let scale = if estimator.bool("with_std")? { Some(estimator.f64s("scale_")?) } else { None };
    builder.map(Op::Standardize { mean, scale }, frame, estimator)
}

/// x * scale_ + min_, clipped where asked for
pub fn min_max_scaler(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let op = Op::Linear { scale: estimator.f64s("scale_")?, offset: estimator.f64s("min_")? };
    if let (Some(low), Some(high)) = (estimator.maybe_f64s("data_min_")?, estimator.maybe_f64s("data_max_")?) {
        for ((&wire, low), high) in frame.wires.iter().zip(low).zip(high) {
            builder.note_range(wire, low, high);
        }
    }
    let scaled = builder.map(op, frame, estimator)?;
    if !estimator.bool_or("clip", false)? {
        return Ok(scaled);
    }
    match estimator.f64s("feature_range")?[..] {
        [low, high] => builder.map(Op::Clip { low, high }, &scaled, estimator),
        _ => Err(estimator.malformed("feature_range is not a pair of numbers")),
    }
}

/// x / scale_, clipped to -1..1 where asked for
pub fn max_abs_scaler(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let scaled =
        builder.map(Op::Standardize { mean: None, scale: Some(estimator.f64s("scale_")?) }, frame, estimator)?;
    if !estimator.bool_or("clip", false)? {
        return Ok(scaled);
    }
    builder.map(Op::Clip { low: -1.0, high: 1.0 }, &scaled, estimator)
}

/// (x - center_) / scale_
pub fn robust_scaler(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let mean = if estimator.bool("with_centering")? { Some(estimator.f64s("center_")?) } else { None };
    let scale = if estimator.bool("with_scaling")? { Some(estimator.f64s("scale_")?) } else { None };
    builder.map(Op::Standardize { mean, scale }, frame, estimator)
}

pub fn normalizer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let norm = match estimator.str("norm")? {
        "l1" => Norm::L1,
        "l2" => Norm::L2,
        "max" => Norm::Max,
        other => return Err(estimator.unsupported(format!("the norm '{other}'"))),
    };
    builder.map(Op::Normalize(norm), frame, estimator)
}

/// The categories of each column.
pub fn categories(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Vec<Vec<Cell>>> {
    let lists = estimator.list("categories_")?;
    if lists.len() != frame.len() {
        return Err(estimator.malformed(format!("categories of {} columns for {}", lists.len(), frame.len())));
    }
    let mut all = Vec::with_capacity(lists.len());
    for (list, (&wire, name)) in lists.into_iter().zip(frame.wires.iter().zip(&frame.names)) {
        let keys = cells(list).ok_or_else(|| {
            let Some(value) = no_category(list) else {
                return estimator.malformed(format!("categories_ holds {}, not values", list.describe()));
            };
            estimator
                .unsupported(format!(
                    "the categories of {name:?} hold {value}; rows hold strings, numbers and booleans"
                ))
                .remedy("Make strings of that column before the model is trained: frame[column].astype(str).")
        })?;
        if keys.iter().any(|key| matches!(key, Cell::Str(_))) {
            builder.strings(wire, estimator)?;
        }
        all.push(keys);
    }
    Ok(all)
}

/// What an array of categories holds that a row cannot.
fn no_category(list: Value) -> Option<String> {
    let array = list.to_array().ok()?;
    match array.objects() {
        Ok(values) => values.into_iter().find(|&value| cell(value).is_none()).map(Value::describe),
        Err(_) => Some(format!("{} values", array.dtype())),
    }
}

/// After rare categories were merged, the group of each category: `_default_to_infrequent_mappings[column]`.
fn groups(estimator: &Estimator, column: usize, categories: usize) -> Result<Option<Vec<u32>>> {
    if !estimator.bool_or("_infrequent_enabled", false)? {
        return Ok(None);
    }
    let mappings = estimator.list("_default_to_infrequent_mappings")?;
    let Some(mapping) = mappings.get(column).filter(|mapping| !mapping.is_none()) else { return Ok(None) };
    let places = super::estimator::integers(*mapping)
        .filter(|places| places.len() == categories)
        .and_then(|places| places.into_iter().map(|place| u32::try_from(place).ok()).collect::<Option<Vec<_>>>())
        .filter(|places| places.iter().all(|&place| (place as usize) < categories));
    match places {
        Some(places) => Ok(Some(places)),
        None => Err(estimator.malformed("the mapping of infrequent categories does not fit the categories")),
    }
}

/// The column (of the encoded ones) dropped for each input column.
fn dropped(estimator: &Estimator, columns: usize) -> Result<Vec<Option<u32>>> {
    // Version 1.1 has the meaning of the newer attribute under the older name.
    let name =
        if estimator.get("_drop_idx_after_grouping").is_some() { "_drop_idx_after_grouping" } else { "drop_idx_" };
    if estimator.get(name).is_none() {
        return Ok(vec![None; columns]);
    }
    let places: Vec<Option<u32>> = estimator
        .cells(name)?
        .iter()
        .map(|cell| match cell {
            Cell::Nan | Cell::None => Ok(None),
            cell => cell
                .number()
                .filter(|place| place.fract() == 0.0 && (0.0..1e9).contains(place))
                .map(|place| Some(place as u32))
                .ok_or_else(|| estimator.malformed(format!("{name} is not an array of places"))),
        })
        .collect::<Result<_>>()?;
    if places.len() != columns {
        return Err(estimator.malformed(format!("{name} has {} entries for {columns} columns", places.len())));
    }
    Ok(places)
}

/// One column a category; an unknown one is refused, a row of zeros, or the column of the infrequent ones.
pub fn one_hot_encoder(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let all = categories(builder, estimator, frame)?;
    let dropped = dropped(estimator, frame.len())?;
    let unknown = estimator.str("handle_unknown")?;
    let mut made = Frame { wires: Vec::new(), names: Vec::new() };
    for (column, keys) in all.into_iter().enumerate() {
        let groups = groups(estimator, column, keys.len())?;
        let group = |key: usize| groups.as_ref().map_or(key as u32, |groups| groups[key]);
        let count = (0..keys.len()).map(|key| group(key) + 1).max().unwrap_or(0);
        let drop = dropped[column];
        if drop.is_some_and(|drop| drop >= count) {
            return Err(estimator.malformed(format!("column {column} drops a category that it does not have")));
        }
        let place = |group: u32| match drop {
            Some(drop) if group == drop => None,
            Some(drop) if group > drop => Some(group - 1),
            _ => Some(group),
        };
        let width = count - u32::from(drop.is_some());
        let hot: Vec<Option<u32>> = (0..keys.len()).map(|key| place(group(key))).collect();
        let unknown = match unknown {
            "error" => Unknown::Error,
            "ignore" => Unknown::As(None),
            // The infrequent group is the last one, where the column has one.
            "infrequent_if_exist" | "warn" if groups.is_some() => Unknown::As(place(count - 1)),
            "infrequent_if_exist" | "warn" => Unknown::As(None),
            other => return Err(estimator.unsupported(format!("handle_unknown='{other}'"))),
        };
        let input = &frame.names[column];
        let mut names = vec![String::new(); width as usize];
        for (key, hot) in keys.iter().zip(&hot) {
            if let Some(hot) = hot {
                let name = &mut names[*hot as usize];
                // A second category in the column means that it is the infrequent ones'.
                *name = if name.is_empty() {
                    format!("{input}_{}", python(key))
                } else {
                    format!("{input}_infrequent_sklearn")
                };
            }
        }
        if groups.is_some()
            && let Some(last) = place(count - 1)
        {
            names[last as usize] = format!("{input}_infrequent_sklearn");
        }
        let op = Op::OneHot { keys, hot, width, unknown };
        made.wires.extend(builder.graph.push(op, vec![frame.wires[column]], &estimator.path)?);
        made.names.extend(names);
    }
    Ok(made)
}

/// A category as Python prints it in a feature name.
fn python(cell: &Cell) -> String {
    match cell {
        Cell::Bool(true) => "True".to_string(),
        Cell::Bool(false) => "False".to_string(),
        Cell::Nan => "nan".to_string(),
        Cell::None => "None".to_string(),
        Cell::Float(value) => format!("{value:?}"),
        other => other.to_string(),
    }
}

/// The place of the category, with values of their own for missing and unknown.
pub fn ordinal_encoder(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let all = categories(builder, estimator, frame)?;
    let unknown = match estimator.str("handle_unknown")? {
        "error" => Unknown::Error,
        "use_encoded_value" => Unknown::As(vec![estimator.f64("unknown_value")?]),
        other => return Err(estimator.unsupported(format!("handle_unknown='{other}'"))),
    };
    let missing_places = missing_places(estimator)?;
    let mut made = Frame { wires: Vec::new(), names: frame.names.clone() };
    for (column, keys) in all.into_iter().enumerate() {
        let groups = groups(estimator, column, keys.len())?;
        let missing = missing_places.iter().find(|place| place.0 == column as i64).map(|place| place.1);
        let values = (0..keys.len())
            .map(|key| {
                let code = groups.as_ref().map_or(key as u32, |groups| groups[key]);
                if missing == Some(i64::from(code)) {
                    estimator.f64("encoded_missing_value")
                } else {
                    Ok(f64::from(code))
                }
            })
            .collect::<Result<Vec<f64>>>()?;
        let op = Op::Lookup(Lookup { keys, width: 1, values, unknown: unknown.clone() });
        made.wires.push(builder.graph.push_one(op, vec![frame.wires[column]], &estimator.path)?);
    }
    Ok(made)
}

/// `_missing_indices`: column to the place of its missing category.
fn missing_places(estimator: &Estimator) -> Result<Vec<(i64, i64)>> {
    let Some(value) = estimator.get("_missing_indices") else { return Ok(Vec::new()) };
    let pair = |(column, place): (Value, Value)| Some((column.as_i64()?, place.as_i64()?));
    let pairs = value.pairs().and_then(|pairs| pairs.into_iter().map(pair).collect::<Option<Vec<_>>>());
    pairs.ok_or_else(|| estimator.malformed("_missing_indices is not a dict of places"))
}

/// The place of the class; an unknown one is refused.
pub fn label_encoder(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let keys = estimator.cells("classes_")?;
    let wire: Wire = match frame.wires[..] {
        [wire] => wire,
        _ => return Err(Error::malformed("LabelEncoder takes one column").at(estimator.path.clone())),
    };
    if keys.iter().any(|key| matches!(key, Cell::Str(_))) {
        builder.strings(wire, estimator)?;
    }
    let values = (0..keys.len()).map(|place| place as f64).collect();
    builder.map(Op::Lookup(Lookup { keys, width: 1, values, unknown: Unknown::Error }), frame, estimator)
}

//! Estimators made of estimators: Pipeline, ColumnTransformer, FeatureUnion; and FunctionTransformer.

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, integers};
use crate::import::pickle::{DtypeKind, Kind, Value};
use crate::model::{Function, Op, Output};
use crate::{Error, Result};

/// The name and estimator of each step, from a list of tuples.
pub fn steps<'h>(estimator: &Estimator<'h>, name: &str) -> Result<Vec<(&'h str, Vec<Value<'h>>)>> {
    let list = estimator.list(name)?;
    if list.is_empty() {
        return Err(estimator.malformed(format!("{name} is empty")));
    }
    list.into_iter()
        .map(|step| {
            let parts: Vec<Value> = step.items().into_iter().flatten().collect();
            match parts.first().and_then(|name| name.as_str()) {
                Some(name) if parts.len() >= 2 => Ok((name, parts[1..].to_vec())),
                _ => {
                    Err(estimator
                        .malformed(format!("a step of {name} is {}, not a name and estimator", step.describe())))
                }
            }
        })
        .collect()
}

/// `'passthrough'` and None do nothing.
pub fn passes(value: Value) -> bool {
    value.is_none() || value.as_str() == Some("passthrough")
}

pub fn pipeline_transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let mut frame = frame.clone();
    for (name, parts) in steps(estimator, "steps")? {
        if !passes(parts[0]) {
            frame = builder.transform(parts[0], name, Some(estimator), &frame)?;
        }
    }
    Ok(frame)
}

pub fn pipeline_predict(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let mut steps = steps(estimator, "steps")?;
    let last = steps.pop();
    let mut frame = frame.clone();
    for (name, parts) in steps {
        if !passes(parts[0]) {
            frame = builder.transform(parts[0], name, Some(estimator), &frame)?;
        }
    }
    match last {
        Some((name, parts)) if !passes(parts[0]) => builder.predict(parts[0], name, Some(estimator), &frame),
        _ => Ok(Output::Transform { values: frame.wires, names: frame.names }),
    }
}

/// Multiplies a transformer's columns by its entry in `transformer_weights`.
fn weigh(builder: &mut Builder, estimator: &Estimator, name: &str, frame: Frame) -> Result<Frame> {
    let Some(value) = estimator.get("transformer_weights").and_then(|weights| weights.get(name)) else {
        return Ok(frame);
    };
    let weight = value.as_f64().ok_or_else(|| {
        estimator.malformed(format!("the weight of '{name}' is {}, not a number", value.describe()))
    })?;
    let count = frame.len();
    builder.map(Op::Linear { scale: vec![weight; count], offset: vec![0.0; count] }, &frame, estimator)
}

/// Names behind `transformer__`, where the original does so.
fn prefix(estimator: &Estimator, name: &str, mut frame: Frame) -> Result<Frame> {
    // Newer versions also take a callable, whose code is not in the file, or a format.
    let how = estimator.get("verbose_feature_names_out");
    let format = how.and_then(Value::as_str).unwrap_or("{transformer_name}__{feature_name}");
    if how.is_none_or(|value| value.as_bool() != Some(false)) {
        let prefix = format.replace("{transformer_name}", name);
        frame.names.iter_mut().for_each(|column| *column = prefix.replace("{feature_name}", column));
    }
    Ok(frame)
}

/// `transformers_` in order, each over its columns of the input.
pub fn column_transformer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let mut made = Frame { wires: Vec::new(), names: Vec::new() };
    for (name, parts) in steps(estimator, "transformers_")? {
        let &[transformer, columns, ..] = &parts[..] else {
            return Err(estimator.malformed(format!("the transformer '{name}' has no columns")));
        };
        if transformer.as_str() == Some("drop") {
            continue;
        }
        let places =
            places(estimator, columns, frame).map_err(|error| error.at(format!("{}: {name}", estimator.path)))?;
        if places.is_empty() {
            continue;
        }
        let selected = frame.pick(&places);
        let part = if passes(transformer) {
            selected
        } else {
            builder.transform(transformer, name, Some(estimator), &selected)?
        };
        let part = weigh(builder, estimator, name, part)?;
        made.extend(prefix(estimator, name, part)?);
    }
    Ok(made)
}

/// The places that a column selection stands for: names, positions, a mask or a slice of either.
fn places(estimator: &Estimator, columns: Value, frame: &Frame) -> Result<Vec<usize>> {
    let count = frame.len();
    let by_name = |name: &str| {
        frame.names.iter().position(|known| known == name).ok_or_else(|| {
            Error::malformed(format!("the column '{name}' is not among the {count} columns of the input"))
        })
    };
    let by_position = |position: i64| {
        let place = if position < 0 { position + count as i64 } else { position };
        usize::try_from(place).ok().filter(|&place| place < count).ok_or_else(|| {
            Error::malformed(format!("column {position} is not among the {count} columns of the input"))
        })
    };
    // _RemainderColsList is a UserList: its state holds the list.
    let columns = columns.attr("data").filter(|data| data.items().is_some()).unwrap_or(columns);
    let unknown = || Error::malformed(format!("columns are selected by {}", columns.describe()));
    match columns.kind() {
        Kind::Str(name) => return Ok(vec![by_name(name)?]),
        Kind::Int(position) => return Ok(vec![by_position(position)?]),
        Kind::Slice([start, stop, step]) => {
            if !step.is_none() && step.as_i64() != Some(1) {
                return slice_by_position(count, start, stop, step).ok_or_else(unknown);
            }
            let by_label = start.as_str().is_some() || stop.as_str().is_some();
            if !by_label {
                return slice_by_position(count, start, stop, step).ok_or_else(unknown);
            }
            let first = start.as_str().map_or(Ok(0), by_name)?;
            // A slice of names includes its end.
            let end = stop.as_str().map_or(Ok(count), |name| Ok::<_, Error>(by_name(name)? + 1))?;
            return Ok((first..end).collect());
        }
        _ => {}
    }
    if let Ok(array) = columns.to_array()
        && array.kind() == DtypeKind::Bool
    {
        return mask(&array.bools()?, count);
    }
    if let Some(cells) = super::estimator::cells(columns) {
        use crate::model::Cell;
        if !cells.is_empty() && cells.iter().all(|cell| matches!(cell, Cell::Bool(_))) {
            let bits: Vec<bool> = cells.iter().map(|cell| *cell == Cell::Bool(true)).collect();
            return mask(&bits, count);
        }
        return cells
            .iter()
            .map(|cell| match cell {
                Cell::Str(name) => by_name(name),
                Cell::Int(position) => by_position(*position),
                _ => Err(unknown()),
            })
            .collect();
    }
    match integers(columns) {
        Some(positions) => positions.into_iter().map(by_position).collect(),
        None => Err(unknown().at(estimator.path.clone())),
    }
}

fn mask(bits: &[bool], count: usize) -> Result<Vec<usize>> {
    if bits.len() != count {
        return Err(Error::malformed(format!("a mask of {} for {count} columns", bits.len())));
    }
    Ok((0..count).filter(|&place| bits[place]).collect())
}

/// Python's slice of positions.
fn slice_by_position(count: usize, start: Value, stop: Value, step: Value) -> Option<Vec<usize>> {
    let bound = |value: Value, default: i64| -> Option<i64> {
        if value.is_none() {
            return Some(default);
        }
        let bound = value.as_i64()?;
        let count = count as i64;
        Some(if bound < 0 { bound.saturating_add(count).max(0) } else { bound.min(count) })
    };
    let step = if step.is_none() { 1 } else { step.as_i64().filter(|&step| step > 0)? };
    let (start, stop) = (bound(start, 0)?, bound(stop, count as i64)?);
    Some((start..stop).step_by(usize::try_from(step).ok()?).map(|place| place as usize).collect())
}

/// Each transformer over all columns, side by side.
pub fn feature_union(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let mut made = Frame { wires: Vec::new(), names: Vec::new() };
    for (name, parts) in steps(estimator, "transformer_list")? {
        if parts[0].as_str() == Some("drop") {
            continue;
        }
        let part = if passes(parts[0]) {
            frame.clone()
        } else {
            builder.transform(parts[0], name, Some(estimator), frame)?
        };
        let part = weigh(builder, estimator, name, part)?;
        made.extend(prefix(estimator, name, part)?);
    }
    Ok(made)
}

/// numpy's elementwise functions by name, wherever the module has moved; None is the identity.
pub fn function_transformer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let Some(function) = estimator.get("func") else { return Ok(frame.clone()) };
    if only_checks(function) {
        return Ok(frame.clone());
    }
    let function = numpy_function(estimator, function, "kw_args")?;
    let made = builder.map(Op::Function(function), frame, estimator)?;
    use Function::{Exp, Exp2, Expm1, Log, Log1p, Log2, Log10, Reciprocal, Sqrt, Square};
    if !matches!(function, Exp | Exp2 | Expm1 | Log | Log1p | Log2 | Log10 | Reciprocal | Sqrt | Square) {
        return Ok(made);
    }
    // What comes after mostly refuses NaN and infinity; one by one, for the error to name the column.
    let mut wires = Vec::with_capacity(made.len());
    for (wire, name) in made.wires.into_iter().zip(&made.names) {
        let path = format!("{} of {name:?}", estimator.path);
        wires.push(builder.graph.push_one(Op::Finite { missing: false, infinite: false }, vec![wire], &path)?);
    }
    Ok(Frame { wires, names: made.names })
}

/// A FunctionTransformer's function, which has no arguments but the values.
///
/// # Errors
/// Names the function where it is not one of numpy's.
pub fn numpy_function(estimator: &Estimator, function: Value, arguments: &str) -> Result<Function> {
    if let Some(given) = estimator.get(arguments)
        && given.pairs().is_none_or(|pairs| !pairs.is_empty())
    {
        return Err(estimator.unsupported(format!("FunctionTransformer calls its function with {arguments}")));
    }
    named_function(function).ok_or_else(|| {
        let name = match function.class_name() {
            Some((module, name)) => format!("{module}.{name}"),
            None => function.describe(),
        };
        let error = estimator.unsupported(format!("FunctionTransformer calls {name}, whose code is not in the file"));
        error.remedy("numpy's abs, cbrt, ceil, cos, exp, exp2, expm1, floor, log, log10, log1p, log2, negative, reciprocal, rint, sign, sin, sqrt, square, tan, tanh and trunc are supported; apply others before the model.")
    })
}

/// `functools.partial(check_array, …)`, with which HistGradientBoosting passes its numeric columns on.
fn only_checks(function: Value) -> bool {
    let Kind::Object(call) = function.kind() else { return false };
    let checked = call.args().items().and_then(|arguments| arguments.get(0));
    let checks = checked
        .and_then(Value::class_name)
        .is_some_and(|(module, name)| module.starts_with("sklearn.utils.") && name == "check_array");
    function.class_name() == Some(("functools", "partial")) && checks
}

fn named_function(value: Value) -> Option<Function> {
    let Kind::Global { module, name } = value.kind() else { return None };
    if module.split('.').next() == Some("scipy") {
        return (module.starts_with("scipy.special") && name == "expit").then_some(Function::Expit);
    }
    if module.split('.').next() != Some("numpy") {
        return None;
    }
    Some(match name {
        "abs" | "absolute" | "fabs" => Function::Abs,
        "cbrt" => Function::Cbrt,
        "ceil" => Function::Ceil,
        "cos" => Function::Cos,
        "exp" => Function::Exp,
        "exp2" => Function::Exp2,
        "expm1" => Function::Expm1,
        "floor" => Function::Floor,
        "log" => Function::Log,
        "log10" => Function::Log10,
        "log1p" => Function::Log1p,
        "log2" => Function::Log2,
        "negative" => Function::Negative,
        "reciprocal" => Function::Reciprocal,
        "rint" => Function::Rint,
        "sign" => Function::Sign,
        "sin" => Function::Sin,
        "sqrt" => Function::Sqrt,
        "square" => Function::Square,
        "tan" => Function::Tan,
        "tanh" => Function::Tanh,
        "trunc" => Function::Trunc,
        _ => return None,
    })
}

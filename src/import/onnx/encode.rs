//! Encoders: values to columns, to other values, and missing values to others. A value that an encoder does not know does what
//! onnxruntime does with it.

use super::value::{Data, Kind, Tensor, Value};
use super::{Call, Context};
use crate::model::{Cell, Function, Lookup, Marker, Op, Unknown, Wire};
use crate::{Error, Result};
use std::rc::Rc;

/// The wires of an encoder's input: of strings, a column's own.
fn inputs(context: &mut Context, input: &Tensor, strings: bool) -> Result<Vec<Wire>> {
    match (&input.data, strings) {
        (Data::Wires(wires), true) if input.kind == Kind::Text => Ok(wires.clone()),
        (_, true) => Err(Error::unsupported("an encoder of strings reads numbers")),
        (_, false) => context.wires(input),
    }
}

/// OneHotEncoder: a column a category, in an axis of its own.
pub fn one_hot(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let texts = call.texts("cats_strings")?;
    let strings = !texts.is_empty();
    let keys: Vec<Cell> = match strings {
        true => texts.into_iter().map(Cell::Str).collect(),
        false => call.ints("cats_int64s").iter().map(|&key| Cell::Int(key)).collect(),
    };
    if keys.is_empty() {
        return Err(Error::malformed("neither cats_strings nor cats_int64s lists categories"));
    }
    let unknown = if call.int("zeros", 1) != 0 { Unknown::As(None) } else { Unknown::Error };
    let width = keys.len() as u32;
    let mut made = Vec::new();
    let mut wires = inputs(context, input, strings)?;
    if matches!(input.kind, Kind::Float | Kind::Double) {
        // Compared as whole numbers.
        wires = context.push(Op::Function(Function::Trunc), wires)?;
    }
    for wire in wires {
        let op =
            Op::OneHot { keys: keys.clone(), hot: (0..width).map(Some).collect(), width, unknown: unknown.clone() };
        context.spend(keys.len())?;
        made.extend(context.push(op, vec![wire])?);
    }
    let shape = [input.shape.clone(), vec![keys.len()]].concat();
    let data = Data::Wires(made);
    Ok(vec![Value::Tensor(Tensor { kind: Kind::Float, shape, data, ..input.with(Kind::Float, Data::Wires(vec![])) })])
}

/// A list of keys or values, in whichever type the node has it; None where it has none.
fn list(call: &Call, what: &str) -> Result<Option<(Kind, Vec<Cell>)>> {
    let texts = call.texts(&format!("{what}_strings"))?;
    if !texts.is_empty() {
        return Ok(Some((Kind::Text, texts.into_iter().map(Cell::Str).collect())));
    }
    let ints = call.ints(&format!("{what}_int64s"));
    if !ints.is_empty() {
        return Ok(Some((Kind::Int, ints.iter().map(|&value| Cell::Int(value)).collect())));
    }
    let floats = call.floats(&format!("{what}_floats"));
    if !floats.is_empty() {
        return Ok(Some((Kind::Float, floats.iter().map(|&value| Cell::float(value)).collect())));
    }
    let Some(tensor) = call.held(&format!("{what}_tensor"))? else { return Ok(None) };
    Ok(Some((tensor.kind, tensor.table()?)))
}

/// The value of an input's value: a number, or a place among values that are strings.
fn mapped(
    context: &mut Context,
    input: &Tensor,
    keys: &[Cell],
    (kind, values): (Kind, Vec<Cell>),
    default: Cell,
) -> Result<Tensor> {
    if keys.len() != values.len() {
        return Err(Error::malformed(format!("{} values for {} keys", values.len(), keys.len())));
    }
    if let Data::Places(wires, table) = &input.data {
        let value = |cell: &Cell| {
            let place = keys.iter().position(|key| key == cell);
            place.map_or_else(|| default.clone(), |place| values[place].clone())
        };
        context.spend(table.len().saturating_mul(keys.len()))?;
        let table = Rc::new(table.iter().map(value).collect());
        return Ok(input.with(kind, Data::Places(wires.clone(), table)));
    }
    if input.batch.is_none() {
        let value = |cell: &Cell| {
            let place = keys.iter().position(|key| key == cell);
            place.map_or_else(|| default.clone(), |place| values[place].clone())
        };
        let cells = input.table()?;
        context.spend(cells.len().saturating_mul(keys.len()))?;
        return constant(input, kind, cells.iter().map(value).collect());
    }
    let strings = keys.iter().any(|key| matches!(key, Cell::Str(_)));
    // Of equal keys the first counts.
    let mut known = std::collections::HashSet::new();
    let first: Vec<usize> = (0..keys.len()).filter(|&place| known.insert(keys[place].key())).collect();
    let texts = kind == Kind::Text;
    let number = |cell: &Cell| if cell.is_missing() { Some(f64::NAN) } else { cell.number() };
    let mut table: Vec<Cell> = Vec::new();
    let mut numbers = Vec::new();
    for &place in &first {
        numbers.push(if texts { table.len() as f64 } else { number(&values[place]).unwrap_or(f64::NAN) });
        table.push(values[place].clone());
    }
    let unknown = if texts { table.len() as f64 } else { number(&default).unwrap_or(f64::NAN) };
    table.push(default);
    let lookup = Lookup {
        keys: first.iter().map(|&place| keys[place].clone()).collect(),
        width: 1,
        values: numbers,
        unknown: Unknown::As(vec![unknown]),
    };
    let mut made = Vec::new();
    for wire in inputs(context, input, strings)? {
        context.spend(lookup.keys.len())?;
        made.push(context.push_one(Op::Lookup(lookup.clone()), vec![wire])?);
    }
    let data = if texts { Data::Places(made, Rc::new(table)) } else { Data::Wires(made) };
    Ok(input.with(kind, data))
}

/// Constants of these values, in the shape of others.
fn constant(like: &Tensor, kind: Kind, cells: Vec<Cell>) -> Result<Tensor> {
    let text = |cell: &Cell| match cell {
        Cell::Str(text) => Some(text.clone()),
        _ => None,
    };
    let number = |cell: &Cell| if cell.is_missing() { Some(f64::NAN) } else { cell.number() };
    let data = match kind {
        Kind::Text => cells.iter().map(text).collect::<Option<_>>().map(|texts| Data::Texts(Rc::new(texts))),
        _ => cells.iter().map(number).collect::<Option<_>>().map(|numbers| Data::Numbers(Rc::new(numbers))),
    };
    Ok(like.with(kind, data.ok_or_else(|| Error::malformed("values of different types"))?))
}

fn default(call: &Call, kind: Kind) -> Result<Cell> {
    Ok(match kind {
        Kind::Text => Cell::Str(call.choice("default_string", "_Unused")?.to_string()),
        Kind::Int => Cell::Int(call.int("default_int64", -1)),
        _ => Cell::float(call.float("default_float", -0.0)),
    })
}

/// LabelEncoder. Version 1 numbers a list of strings, or the reverse.
pub fn label_encoder(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let classes = call.texts("classes_strings")?;
    let made = if classes.is_empty() {
        let missing = || Error::malformed("no keys or no values");
        let (_, mut keys) = list(call, "keys")?.ok_or_else(missing)?;
        let mut values = list(call, "values")?.ok_or_else(missing)?;
        // Before version 4 nothing equals NaN, not even itself.
        if call.version < 4 && keys.len() == values.1.len() {
            let mut sound = keys.iter().map(|key| !key.is_missing());
            values.1.retain(|_| sound.next() == Some(true));
            keys.retain(|key| !key.is_missing());
        }
        let default = match call.held("default_tensor")? {
            Some(tensor) => tensor.table()?.into_iter().next().ok_or_else(missing)?,
            None => default(call, values.0)?,
        };
        mapped(context, input, &keys, values, default)?
    } else {
        let texts: Vec<Cell> = classes.into_iter().map(Cell::Str).collect();
        numbered(context, call, input, texts, None)?
    };
    Ok(vec![Value::Tensor(made)])
}

/// CategoryMapper
pub fn category_mapper(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let texts: Vec<Cell> = call.texts("cats_strings")?.into_iter().map(Cell::Str).collect();
    let numbers = call.ints("cats_int64s").to_vec();
    Ok(vec![Value::Tensor(numbered(context, call, call.tensor(0)?, texts, Some(numbers))?)])
}

/// Strings to their numbers (their places where none are given), or numbers to strings.
fn numbered(
    context: &mut Context,
    call: &Call,
    input: &Tensor,
    texts: Vec<Cell>,
    numbers: Option<Vec<i64>>,
) -> Result<Tensor> {
    let numbers = numbers.unwrap_or_else(|| (0..texts.len() as i64).collect());
    let numbers: Vec<Cell> = numbers.into_iter().map(Cell::Int).collect();
    let (keys, values, kind) =
        if input.kind == Kind::Text { (texts, numbers, Kind::Int) } else { (numbers, texts, Kind::Text) };
    let default = default(call, kind)?;
    mapped(context, input, &keys, (kind, values), default)
}

/// Imputer: the value that stands for a missing one becomes the column's, or all columns' one.
pub fn imputer(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let (floats, ints) = (call.floats("imputed_value_floats"), call.ints("imputed_value_int64s"));
    let (marker, fill): (Cell, Vec<Cell>) = if floats.is_empty() {
        (Cell::Int(call.int("replaced_value_int64", 0)), ints.iter().map(|&value| Cell::Int(value)).collect())
    } else {
        let fill = floats.iter().map(|&value| Cell::float(value)).collect();
        (Cell::float(call.float("replaced_value_float", 0.0)), fill)
    };
    let wires = context.wires(input)?;
    let fill = match &fill[..] {
        [] => return Err(Error::malformed("no imputed values")),
        [one] => vec![one.clone(); wires.len()],
        _ => fill,
    };
    let missing = if marker.is_missing() { Marker::Nan } else { Marker::Value(marker) };
    let made = context.push(Op::Impute { missing, fill }, wires)?;
    Ok(vec![Value::Tensor(input.with(input.kind, Data::Wires(made)))])
}

/// Binarizer: 1 above the threshold, else 0.
pub fn binarizer(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let wires = context.wires(input)?;
    let made = context.push(Op::Above { threshold: call.float("threshold", 0.0) }, wires)?;
    Ok(vec![Value::Tensor(input.with(Kind::Float, Data::Wires(made)))])
}

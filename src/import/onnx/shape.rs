//! Operators that move elements about and compute nothing: they cost nothing at run time.

use super::value::{Data, Kind, Nature, Tensor, Value, along, axis_of, elements};
use super::{Call, Context};
use crate::model::{Cell, ColumnKind, Function, Lookup, Op, Unknown, Wire};
use crate::{Error, Result};
use std::rc::Rc;

/// Identity, Dropout (inference).
pub fn identity(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    if let ("Dropout", Some(training)) = (call.node.operator, call.maybe(2)?)
        && training.constants()?.contains(&1.0)
    {
        return Err(Error::unsupported("training_mode"));
    }
    Ok(vec![Value::Tensor(call.tensor(0)?.clone())])
}

/// Constant
pub fn constant(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    if let Some(tensor) = call.held("value")? {
        return Ok(vec![Value::Tensor(tensor)]);
    }
    let Some(attribute) = call.node.attributes.first() else {
        return Err(Error::malformed("a constant without a value"));
    };
    let tensor = match (attribute.name, attribute.float, attribute.int) {
        ("value_float", Some(value), _) => Tensor::numbers(Kind::Float, Vec::new(), vec![f64::from(value)]),
        ("value_int", _, Some(value)) => Tensor::numbers(Kind::Int, Vec::new(), vec![value as f64]),
        ("value_floats", ..) => Tensor::numbers(Kind::Float, vec![attribute.floats.len()], attribute.floats.clone()),
        ("value_ints", ..) => {
            let values: Vec<f64> = attribute.ints.iter().map(|&value| value as f64).collect();
            Tensor::numbers(Kind::Int, vec![values.len()], values)
        }
        (name, ..) => return Err(Error::unsupported(format!("a constant in the attribute {name}"))),
    };
    Ok(vec![Value::Tensor(tensor)])
}

/// Shape: the number of rows is -1, which Reshape, Expand and ConstantOfShape take as such.
pub fn shape(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let size = |(axis, &size): (usize, &usize)| if Some(axis) == input.batch { -1.0 } else { size as f64 };
    let sizes: Vec<f64> = input.shape.iter().enumerate().map(size).collect();
    let rank = sizes.len() as i64;
    let bound = |value: i64| (if value < 0 { value.saturating_add(rank) } else { value }).clamp(0, rank) as usize;
    let (start, end) = (bound(call.int("start", 0)), bound(call.int("end", rank)));
    let sizes = sizes.get(start..end).unwrap_or_default().to_vec();
    let nature = if sizes.contains(&-1.0) { Nature::Sizes } else { Nature::Plain };
    Ok(vec![Value::Tensor(Tensor::numbers(Kind::Int, vec![sizes.len()], sizes).natured(nature))])
}

/// Sizes of which one may be -1, the batch.
fn sizes(list: &[i64]) -> Result<(Vec<usize>, Option<usize>)> {
    let batch = list.iter().position(|&size| size == -1);
    let size = |&size: &i64| if size == -1 { Some(1) } else { usize::try_from(size).ok() };
    let shape: Option<Vec<usize>> = list.iter().map(size).collect();
    let shape = shape.filter(|_| list.iter().filter(|&&size| size == -1).count() <= 1);
    Ok((shape.ok_or_else(|| Error::malformed(format!("a tensor of the sizes {list:?}")))?, batch))
}

/// ConstantOfShape: zeros unless said.
pub fn constant_of_shape(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let (shape, batch) = sizes(&call.tensor(0)?.integers()?)?;
    let value = call.held("value")?.unwrap_or_else(|| Tensor::numbers(Kind::Float, vec![1], vec![0.0]));
    let number = *value.constants()?.first().ok_or_else(|| Error::malformed("a constant without a value"))?;
    let count = elements(&shape)?;
    context.spend(count)?;
    let mut made = Tensor::numbers(value.kind, shape, vec![number; count]);
    made.batch = batch;
    Ok(vec![Value::Tensor(made)])
}

/// Expand: by broadcasting against a shape.
pub fn expand(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let (shape, batch) = sizes(&call.tensor(1)?.integers()?)?;
    let count = elements(&shape)?;
    context.spend(count)?;
    let mut ones = Tensor::numbers(call.tensor(0)?.kind, shape, vec![1.0; count]);
    ones.batch = batch;
    Ok(vec![Value::Tensor(super::elementwise::apply(context, "Mul", call.tensor(0)?, &ones)?)])
}

/// Reshape: the axis of the rows is the one before which, and behind which, as many elements stand as before.
pub fn reshape(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    if let Value::Stacked(stacked) = call.value(0)? {
        return Ok(vec![Value::Tensor(unstacked(stacked, &call.tensor(1)?.integers()?)?)]);
    }
    let input = call.tensor(0)?;
    let Some(mut wanted) = call.list("shape", 1)? else { return Err(Error::malformed("no shape")) };
    if call.int("allowzero", 0) == 0 {
        for (axis, size) in wanted.iter_mut().enumerate().filter(|(_, size)| **size == 0) {
            let own = input.shape.get(axis).ok_or_else(|| Error::malformed("a shape that repeats no size"))?;
            *size = if input.batch == Some(axis) { -1 } else { *own as i64 };
        }
    }
    Ok(vec![Value::Tensor(reshaped(input, &wanted, context.batch_of_one)?)])
}

/// [k N, n] as [k, N] or [k, N, n].
fn unstacked(input: &Tensor, wanted: &[i64]) -> Result<Tensor> {
    let &[outer, -1, ..] = wanted else { return Err(Error::unsupported("rows are put below other rows")) };
    let sizes: Option<Vec<usize>> = wanted[2..].iter().map(|&size| usize::try_from(size).ok()).collect();
    let rest = sizes.filter(|rest| {
        input.batch == Some(0) && outer == input.shape[0] as i64 && {
            let own: usize = input.shape[1..].iter().product();
            elements(rest).is_ok_and(|rest| rest == own)
        }
    });
    let rest = rest.ok_or_else(|| Error::unsupported("rows are put below other rows"))?;
    let shape = [vec![input.shape[0], 1], rest].concat();
    Ok(input.pick(shape, Some(1), &(0..input.len()).collect::<Vec<_>>()))
}

fn reshaped(input: &Tensor, wanted: &[i64], batch_of_one: bool) -> Result<Tensor> {
    let refuse = || {
        Error::unsupported(format!(
            "a reshape of {:?} to {wanted:?}, after which a row is no longer a row",
            input.shape
        ))
    };
    let count = input.len();
    let product = |sizes: &[i64]| -> Option<usize> {
        sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(usize::try_from(size).ok()?))
    };
    let mut sizes = wanted.to_vec();
    let Some(batch) = input.batch else {
        if let Some(open) = sizes.iter().position(|&size| size == -1) {
            sizes[open] = 1;
            let others = product(&sizes).filter(|&others| others > 0 && count.is_multiple_of(others));
            sizes[open] = (count / others.ok_or_else(refuse)?) as i64;
        }
        if product(&sizes) != Some(count) {
            return Err(refuse());
        }
        let shape = sizes.iter().map(|&size| size as usize).collect();
        return Ok(input.pick(shape, None, &(0..count).collect::<Vec<_>>()));
    };
    let before: usize = input.shape[..batch].iter().product();
    let after: usize = input.shape[batch..].iter().product();
    // A size that is -1 may be the rows or, where the file fixes the number of rows at 1, what is left.
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&axis| sizes[axis] != -1);
    for axis in order {
        let mut sizes = sizes.clone();
        let fixed = sizes[axis] != -1;
        if fixed && (sizes[axis] != 1 || !batch_of_one) {
            continue;
        }
        sizes[axis] = 1;
        if let Some(open) = sizes.iter().position(|&size| size == -1) {
            sizes[open] = 1;
            let Some(others) = product(&sizes).filter(|&others| others > 0 && count.is_multiple_of(others)) else {
                continue;
            };
            sizes[open] = (count / others) as i64;
        } else if fixed && wanted.contains(&-1) {
            continue;
        }
        if product(&sizes[..axis]) == Some(before) && product(&sizes[axis..]) == Some(after) {
            let shape = sizes.iter().map(|&size| size as usize).collect();
            return Ok(input.pick(shape, Some(axis), &(0..count).collect::<Vec<_>>()));
        }
    }
    Err(refuse())
}

/// Flatten: to two axes.
pub fn flatten(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let axis = call.int("axis", 1);
    let axis = if axis == input.shape.len() as i64 { input.shape.len() } else { input.axis(axis)? };
    let (before, after): (usize, usize) =
        (input.shape[..axis].iter().product(), input.shape[axis..].iter().product());
    let batch = match input.batch {
        Some(batch) if batch < axis && before == 1 => Some(0),
        Some(batch) if batch >= axis && after == 1 => Some(1),
        None => None,
        _ => return Err(Error::unsupported("a flattening after which a row is no longer a row")),
    };
    let all: Vec<usize> = (0..input.len()).collect();
    Ok(vec![Value::Tensor(input.pick(vec![before, after], batch, &all))])
}

/// Squeeze: the axes given, or all of size 1 but the batch.
pub fn squeeze(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let axes: Vec<usize> = match call.list("axes", 1)? {
        Some(axes) => axes.into_iter().map(|axis| input.axis(axis)).collect::<Result<_>>()?,
        None => (0..input.shape.len()).filter(|&axis| input.shape[axis] == 1 && input.batch != Some(axis)).collect(),
    };
    if axes.iter().any(|&axis| input.shape[axis] != 1 || input.batch == Some(axis)) {
        return Err(Error::unsupported(format!("axes {axes:?} of {:?} are taken away", input.shape)));
    }
    let left: Vec<usize> = (0..input.shape.len()).filter(|axis| !axes.contains(axis)).collect();
    let batch = input.batch.and_then(|batch| left.iter().position(|&axis| axis == batch));
    let shape = left.iter().map(|&axis| input.shape[axis]).collect();
    Ok(vec![Value::Tensor(input.pick(shape, batch, &(0..input.len()).collect::<Vec<_>>()))])
}

/// Unsqueeze
pub fn unsqueeze(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let axes = call.list("axes", 1)?.unwrap_or_default();
    let rank = input.shape.len() + axes.len();
    let axes: Vec<usize> = axes.into_iter().map(|axis| axis_of(axis, rank)).collect::<Result<_>>()?;
    let mut own = 0..input.shape.len();
    let mut batch = None;
    let mut shape = Vec::with_capacity(rank);
    for axis in 0..rank {
        match axes.contains(&axis) {
            true => shape.push(1),
            false => {
                let from = own.next().ok_or_else(|| Error::malformed("the same axis twice"))?;
                if input.batch == Some(from) {
                    batch = Some(axis);
                }
                shape.push(input.shape[from]);
            }
        }
    }
    if own.next().is_some() {
        return Err(Error::malformed("the same axis twice"));
    }
    Ok(vec![Value::Tensor(input.pick(shape, batch, &(0..input.len()).collect::<Vec<_>>()))])
}

/// Transpose
pub fn transpose(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    Ok(vec![Value::Tensor(transposed(call.tensor(0)?, call.ints("perm"))?)])
}

pub fn transposed(input: &Tensor, order: &[i64]) -> Result<Tensor> {
    let rank = input.shape.len();
    let order: Vec<usize> = match order {
        [] => (0..rank).rev().collect(),
        order => order.iter().map(|&axis| input.axis(axis)).collect::<Result<_>>()?,
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted.len() != rank || sorted.iter().enumerate().any(|(place, &axis)| place != axis) {
        return Err(Error::malformed(format!("the axes {order:?} of a tensor of {rank}")));
    }
    let shape: Vec<usize> = order.iter().map(|&axis| input.shape[axis]).collect();
    let strides: Vec<usize> = (0..rank).map(|axis| along(&input.shape, axis).2).collect();
    let place = |mut element: usize| {
        let mut place = 0;
        for (axis, &size) in shape.iter().enumerate().rev() {
            place += element % size * strides[order[axis]];
            element /= size;
        }
        place
    };
    let places: Vec<usize> = (0..input.len()).map(place).collect();
    let batch = input.batch.and_then(|batch| order.iter().position(|&axis| axis == batch));
    Ok(input.pick(shape, batch, &places))
}

/// Concat
pub fn concat(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let parts: Vec<&Tensor> = (0..call.inputs.len()).map(|place| call.tensor(place)).collect::<Result<_>>()?;
    let axis = parts.first().ok_or_else(|| Error::malformed("no inputs"))?.axis(call.int("axis", 1))?;
    let made = joined(context, &parts, axis)?;
    let stacked = made.batch == Some(axis) && parts.len() > 1;
    if stacked && parts.iter().any(|part| part.batch.is_none()) {
        return Err(Error::unsupported("rows are put below constant ones"));
    }
    Ok(vec![if stacked { Value::Stacked(made) } else { Value::Tensor(made) }])
}

/// FeatureVectorizer: the columns of all inputs beside each other.
pub fn feature_vectorizer(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let mut wires = Vec::new();
    for place in 0..call.inputs.len() {
        wires.extend(context.row(call.tensor(place)?)?);
    }
    Ok(vec![Value::Tensor(Tensor::columns(Kind::Float, wires))])
}

fn joined(context: &mut Context, parts: &[&Tensor], axis: usize) -> Result<Tensor> {
    let first = parts[0];
    let batch = parts.iter().find_map(|part| part.batch);
    let others = |shape: &[usize]| -> Vec<usize> {
        shape.iter().enumerate().filter(|&(place, _)| place != axis).map(|(_, &size)| size).collect()
    };
    let fits = |part: &&&Tensor| {
        part.shape.len() == first.shape.len()
            && others(&part.shape) == others(&first.shape)
            && part.batch.is_none_or(|own| Some(own) == batch)
    };
    if parts.iter().filter(fits).count() != parts.len() {
        let shapes: Vec<&Vec<usize>> = parts.iter().map(|part| &part.shape).collect();
        return Err(Error::unsupported(format!("tensors of the sizes {shapes:?} are put together")));
    }
    let mut shape = first.shape.clone();
    shape[axis] = parts.iter().map(|part| part.shape[axis]).sum();
    let (outer, ..) = along(&shape, axis);
    elements(&shape)?;
    /// The elements of the parts in the order of the whole.
    fn gather<T: Clone>(lists: &[&[T]], outer: usize) -> Vec<T> {
        (0..outer)
            .flat_map(|run| {
                lists.iter().flat_map(move |list| &list[run * list.len() / outer..(run + 1) * list.len() / outer])
            })
            .cloned()
            .collect()
    }
    let numbers: Option<Vec<&[f64]>> = parts.iter().map(|part| part.constants().ok()).collect();
    let texts: Option<Vec<&[String]>> = parts
        .iter()
        .map(|part| if let Data::Texts(texts) = &part.data { Some(texts.as_slice()) } else { None })
        .collect();
    let data = if let Some(lists) = numbers {
        Data::Numbers(Rc::new(gather(&lists, outer)))
    } else if let Some(lists) = texts {
        Data::Texts(Rc::new(gather(&lists, outer)))
    } else if let Some((lists, table)) = same_table(parts) {
        Data::Places(gather(&lists, outer), table)
    } else if first.kind == Kind::Text {
        let lists: Option<Vec<&[Wire]>> = parts
            .iter()
            .map(|part| if let Data::Wires(wires) = &part.data { Some(wires.as_slice()) } else { None })
            .collect();
        let lists = lists.ok_or_else(|| Error::unsupported("columns of strings beside constant ones"))?;
        Data::Wires(gather(&lists, outer))
    } else {
        let lists: Vec<Vec<Wire>> = parts.iter().map(|part| context.wires(part)).collect::<Result<_>>()?;
        let lists: Vec<&[Wire]> = lists.iter().map(Vec::as_slice).collect();
        Data::Wires(gather(&lists, outer))
    };
    let sizes = parts.iter().any(|part| part.nature == Nature::Sizes);
    let first_nature = if sizes { Nature::Sizes } else { first.nature };
    let nature =
        if sizes || parts.iter().all(|part| part.nature == first.nature) { first_nature } else { Nature::Plain };
    Ok(Tensor { kind: first.kind, shape, batch, data, nature })
}

/// Wires that are places in one table.
type Places<'t> = (Vec<&'t [Wire]>, Rc<Vec<Cell>>);

/// The places of parts that all point into equal tables.
fn same_table<'t>(parts: &[&'t Tensor]) -> Option<Places<'t>> {
    let Data::Places(_, table) = &parts[0].data else { return None };
    let own = |part: &&'t Tensor| match &part.data {
        Data::Places(wires, other) if other == table => Some(wires.as_slice()),
        _ => None,
    };
    Some((parts.iter().map(own).collect::<Option<_>>()?, table.clone()))
}

/// The elements of `input` at these places of an axis.
fn taken(input: &Tensor, axis: usize, places: &[usize]) -> Tensor {
    let (outer, size, inner) = along(&input.shape, axis);
    let mut shape = input.shape.clone();
    shape[axis] = places.len();
    let at = |run: usize| {
        places.iter().flat_map(move |&place| (0..inner).map(move |step| (run * size + place) * inner + step))
    };
    let all: Vec<usize> = (0..outer).flat_map(at).collect();
    input.pick(shape, input.batch, &all)
}

fn place_in(place: i64, size: usize) -> Result<usize> {
    axis_of(place, size).map_err(|_| Error::malformed(format!("place {place} of {size}")))
}

/// What stands at constant places of an axis, in their order.
fn picked(context: &mut Context, input: &Tensor, axis: usize, places: &Tensor) -> Result<Tensor> {
    if input.batch == Some(axis) {
        return Err(Error::unsupported("rows are picked from all rows"));
    }
    let size = input.shape[axis];
    let chosen: Vec<usize> =
        places.integers()?.into_iter().map(|place| place_in(place, size)).collect::<Result<_>>()?;
    context.spend(chosen.len().saturating_mul(input.len() / size.max(1)))?;
    Ok(taken(input, axis, &chosen))
}

/// Gather: constant places of an axis, entries of a constant list at computed places, or rows of a constant table.
pub fn gather(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let (input, places) = (call.tensor(0)?, call.tensor(1)?);
    let axis = input.axis(call.int("axis", 0))?;
    if places.batch.is_some() {
        let listed = matches!(places.data, Data::Places(..)) && elements(&input.shape[1..])? == 1;
        let made = match &input.data {
            Data::Numbers(table) if !listed && axis == 0 => rows(context, input, table, places)?,
            _ => entries(context, input, places)?,
        };
        return Ok(vec![Value::Tensor(made)]);
    }
    let mut made = picked(context, input, axis, places)?;
    made.shape.splice(axis..=axis, places.shape.iter().copied());
    if let Some(batch) = made.batch.filter(|&batch| batch > axis) {
        made.batch = Some(batch + places.shape.len() - 1);
    }
    Ok(vec![Value::Tensor(made)])
}

/// Entries of a constant list at computed places: places in that list, of the shape of the places.
fn entries(context: &mut Context, list: &Tensor, places: &Tensor) -> Result<Tensor> {
    let table = list.table().map_err(|_| Error::unsupported("computed places of computed values"))?;
    if list.shape.iter().filter(|&&size| size != 1).count() > 1 {
        return Err(Error::unsupported("computed places of a table of several axes"));
    }
    let Data::Places(wires, own) = &places.data else {
        return Err(Error::unsupported("places that are no result of ArgMax, ArgMin or TopK"));
    };
    context.spend(own.len())?;
    let made = own.iter().map(|cell| {
        let place = cell.number().filter(|number| number.fract() == 0.0).map(|number| number as usize);
        place.and_then(|place| table.get(place)).cloned()
    });
    let table: Vec<Cell> =
        made.collect::<Option<_>>().ok_or_else(|| Error::malformed("a place beyond the end of a list"))?;
    Ok(places.with(list.kind, Data::Places(wires.clone(), Rc::new(table))).natured(Nature::Plain))
}

/// Rows of a constant table at computed places, which is what an embedding is. A negative place is refused, where ONNX counts
/// from the end: PyTorch and Keras refuse it too, and -1 is what encoders write for a category that they do not know.
fn rows(context: &mut Context, table: &Tensor, values: &[f64], places: &Tensor) -> Result<Tensor> {
    let (count, width) = (table.shape[0] as i64, elements(&table.shape[1..])?);
    let mut made = Vec::new();
    for wire in context.wires(places)? {
        context.spend(values.len())?;
        let (wire, added) = column_of(context, wire).unwrap_or((wire, 0));
        let keys: Vec<Cell> = (0..count).map(|row| Cell::Int(row.saturating_sub(added))).collect();
        context.builder.note_kind(wire, ColumnKind::Category(keys.clone()));
        let lookup = Lookup { keys, width: width as u32, values: values.to_vec(), unknown: Unknown::Error };
        made.extend(context.push(Op::Lookup(lookup), vec![wire])?);
    }
    let shape = [&places.shape[..], &table.shape[1..]].concat();
    Ok(Tensor { kind: table.kind, shape, batch: places.batch, data: Data::Wires(made), nature: Nature::Plain })
}

/// The column of the input whose whole numbers the wire carries, and what was added to them: its values are then checked
/// before anything runs, and an error names it.
fn column_of(context: &Context, mut wire: Wire) -> Option<(Wire, i64)> {
    let mut added = 0.0;
    while !context.builder.is_column(wire) {
        let step = context.builder.graph.producer(wire)?;
        let place = (wire - step.output.start) as usize;
        match &step.op {
            Op::Function(Function::Trunc | Function::Float32) => {}
            Op::Linear { scale, offset } if scale[place] == 1.0 && offset[place].fract() == 0.0 => {
                added += offset[place];
            }
            _ => return None,
        }
        wire = step.input[place];
    }
    Some((wire, added as i64))
}

/// ArrayFeatureExtractor: columns at constant places, or entries of a constant list at computed ones.
pub fn array_feature_extractor(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let (input, places) = (call.tensor(0)?, call.tensor(1)?);
    if places.batch.is_some() {
        return Ok(vec![Value::Tensor(entries(context, input, places)?)]);
    }
    let Some(axis) = input.shape.len().checked_sub(1) else { return Err(Error::malformed("a tensor without axes")) };
    Ok(vec![Value::Tensor(picked(context, input, axis, places)?)])
}

/// Slice: bounds as attributes (before opset 10) or constant inputs.
pub fn slice(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let mut made = call.tensor(0)?.clone();
    let need = |name: &str, place: usize| -> Result<Vec<i64>> {
        call.list(name, place)?.ok_or_else(|| Error::malformed(format!("no {name}")))
    };
    let (starts, ends) = (need("starts", 1)?, need("ends", 2)?);
    let axes = call.list("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.list("steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return Err(Error::malformed("starts, ends, axes and steps of different lengths"));
    }
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let axis = made.axis(axis)?;
        let size = made.shape[axis] as i64;
        if made.batch == Some(axis) {
            if start == 0 && end >= i64::from(i32::MAX) && step == 1 {
                continue;
            }
            return Err(Error::unsupported("rows are picked from all rows"));
        }
        let from_end = |place: i64| if place < 0 { place.saturating_add(size) } else { place };
        let places: Vec<usize> = match step {
            1.. => {
                let (start, end) = (from_end(start).clamp(0, size), from_end(end).clamp(0, size));
                (start..end.max(start)).step_by(step.min(size.max(1)) as usize).map(|place| place as usize).collect()
            }
            -1 => {
                let (start, end) = (from_end(start).clamp(-1, size - 1), from_end(end).clamp(-1, size - 1));
                ((end + 1)..=start).rev().map(|place| place as usize).collect()
            }
            _ => return Err(Error::unsupported(format!("a slice of step {step}"))),
        };
        made = taken(&made, axis, &places);
    }
    Ok(vec![Value::Tensor(made)])
}

/// Split: into equal parts or those given.
pub fn split(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let axis = input.axis(call.int("axis", 0))?;
    if input.batch == Some(axis) {
        return Err(Error::unsupported("rows are split from other rows"));
    }
    let count = call.node.outputs.len();
    let size = input.shape[axis];
    let parts = match call.list("split", 1)? {
        Some(parts) => parts,
        None => {
            let each = size.div_ceil(count.max(1));
            (0..count).map(|part| size.saturating_sub(part * each).min(each) as i64).collect()
        }
    };
    let mut start = 0usize;
    let mut made = Vec::new();
    for part in parts {
        let end = usize::try_from(part).ok().and_then(|part| start.checked_add(part)).filter(|&end| end <= size);
        let end = end.ok_or_else(|| Error::malformed(format!("a part of {part} of {size}")))?;
        made.push(Value::Tensor(taken(input, axis, &(start..end).collect::<Vec<_>>())));
        start = end;
    }
    Ok(made)
}

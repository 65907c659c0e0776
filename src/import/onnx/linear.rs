//! Linear models and the matrix products of networks. Sums are in f64; onnxruntime adds f32 in an order that its matrix
//! library chooses.

use super::elementwise::scale;
use super::reduce::post_transform;
use super::shape::transposed;
use super::value::{Data, Kind, Nature, Tensor, Value};
use super::{Call, Context, labelled};
use crate::model::{Function, Matrix, Op, Wire};
use crate::{Error, Result};

/// Scaler: (x - offset) · scale, each one number or one a column.
pub fn scaler(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let wires = context.row(call.tensor(0)?)?;
    let count = wires.len();
    let vector = |name: &str, default: f64| match call.floats(name) {
        [] => Ok(vec![default; count]),
        [one] => Ok(vec![*one; count]),
        list if list.len() == count => Ok(list.to_vec()),
        list => Err(Error::malformed(format!("{name} has {} entries for {count} columns", list.len()))),
    };
    let (offset, factor) = (vector("offset", 0.0)?, vector("scale", 1.0)?);
    let made = if context.round {
        let op = Op::Linear { scale: vec![1.0; count], offset: offset.iter().map(|x| -x).collect() };
        let centered = context.rounded(op, wires, Kind::Float)?;
        context.rounded(Op::Linear { scale: factor, offset: vec![0.0; count] }, centered, Kind::Float)?
    } else {
        let shift = offset.iter().zip(&factor).map(|(offset, factor)| -offset * factor).collect();
        scale(context, wires, factor, shift)?
    };
    Ok(vec![Value::Tensor(Tensor::columns(Kind::Float, made))])
}

/// The scores of LinearClassifier and LinearRegressor: coefficients of each target, then the intercepts.
fn scores(context: &mut Context, call: &Call, targets: usize) -> Result<Vec<Wire>> {
    let wires = context.row(call.tensor(0)?)?;
    let coef = Matrix::new(targets, wires.len(), call.floats("coefficients").to_vec())?;
    let intercept = match call.floats("intercepts") {
        [] => vec![0.0; targets],
        list => list.to_vec(),
    };
    context.rounded(Op::Affine { coef, intercept }, wires, Kind::Float)
}

pub fn regressor(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let targets = usize::try_from(call.int("targets", 1)).ok().filter(|&targets| targets > 0);
    let targets = targets.ok_or_else(|| Error::malformed("no targets"))?;
    let made = scores(context, call, targets)?;
    let made = match (call.choice("post_transform", "NONE")?, targets) {
        ("SOFTMAX", 1) => return Err(Error::unsupported("the softmax of one target")),
        (name, _) => post_transform(context, name, made)?,
    };
    Ok(vec![Value::Tensor(Tensor::columns(Kind::Float, made))])
}

/// The label is the first of the largest scores; of one score, the second class above zero.
pub fn classifier(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let classes = call.labels("classlabels_strings", "classlabels_ints")?;
    let transform = call.choice("post_transform", "NONE")?;
    let targets = match call.floats("intercepts").len() {
        0 => classes.len(),
        targets => targets,
    };
    let made = scores(context, call, targets)?;
    // One score of two classes gets no softmax.
    let scored = transform == "NONE" || (targets == 1 && transform.starts_with("SOFTMAX"));
    let nature = if scored { Nature::Scores } else { Nature::Plain };
    let (label, made) = match (targets, classes.len()) {
        (1, 2) => {
            let label = context.push_one(Op::Above { threshold: 0.0 }, made.clone())?;
            let made = match transform {
                "PROBIT" => return Err(Error::unsupported("the post_transform PROBIT of one score")),
                "LOGISTIC" => context.push(Op::Function(Function::Expit), made)?,
                _ => made,
            };
            (label, context.push(Op::Complement, made)?)
        }
        (targets, classes) if targets == classes => {
            let label = context.push_one(Op::Argmax, made.clone())?;
            (label, post_transform(context, transform, made)?)
        }
        (targets, classes) => {
            return Err(Error::malformed(format!("{targets} intercepts for {classes} classes")));
        }
    };
    Ok(vec![labelled(label, classes), Value::Tensor(Tensor::columns(Kind::Float, made).natured(nature))])
}

/// The constant matrix of a product, inputs × outputs.
fn weights(tensor: &Tensor) -> Result<Matrix> {
    let [rows, columns] = tensor.shape[..] else {
        return Err(Error::unsupported(format!("a product with a tensor of {} axes", tensor.shape.len())));
    };
    let values = tensor.constants().map_err(|_| Error::unsupported("a product of two computed tensors"))?;
    Matrix::new(rows, columns, values.to_vec())
}

/// x · weights + intercept, for each list of columns that stands in the last axis.
fn product(context: &mut Context, input: &Tensor, weights: &Matrix, intercept: Vec<f64>) -> Result<Tensor> {
    let Some(axis) = input.shape.len().checked_sub(1) else { return Err(Error::malformed("a tensor without axes")) };
    if input.batch.is_none() || input.batch == Some(axis) || input.shape[axis] != weights.rows {
        return Err(Error::unsupported(format!(
            "a product of {:?} and a matrix of {} × {}",
            input.shape, weights.rows, weights.columns
        )));
    }
    let wires = context.wires(input)?;
    let coef = weights.transpose();
    let mut made = Vec::new();
    for row in wires.chunks(weights.rows.max(1)) {
        let op = Op::Affine { coef: coef.clone(), intercept: intercept.clone() };
        made.extend(context.rounded(op, row.to_vec(), input.kind)?);
    }
    let mut shape = input.shape.clone();
    shape[axis] = weights.columns;
    // What a linear map makes is no probability.
    Ok(Tensor { kind: input.kind, shape, batch: input.batch, data: Data::Wires(made), nature: Nature::Scores })
}

/// MatMul; an Add of constants that alone reads it is done with it.
pub fn matmul(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let (input, other) = (call.tensor(0)?, call.tensor(1)?);
    if input.batch.is_none() && other.batch.is_none() {
        return Ok(vec![Value::Tensor(constant_product(context, input, other)?)]);
    }
    if let [size] = other.shape[..] {
        // A vector is a matrix of one column that has no axis afterwards.
        let column = other.pick(vec![size, 1], None, &(0..size).collect::<Vec<_>>());
        let mut made = product(context, input, &weights(&column)?, vec![0.0])?;
        made.shape.pop();
        return Ok(vec![Value::Tensor(made)]);
    }
    let weights = weights(other)?;
    if let Some((value, name)) = &call.added
        && let Value::Tensor(added) = value.as_ref()
        && let Ok(numbers) = added.constants()
        && (numbers.len() == weights.columns || numbers.len() == 1)
        && added.shape.len() <= input.shape.len()
        && added.shape.last().is_some_and(|&size| size == numbers.len())
    {
        let intercept = (0..weights.columns).map(|column| numbers[column.min(numbers.len() - 1)]).collect();
        let made = product(context, input, &weights, intercept)?;
        context.done.insert(name.clone(), made.clone());
        return Ok(vec![Value::Tensor(made)]);
    }
    let made = product(context, input, &weights, vec![0.0; weights.columns])?;
    Ok(vec![Value::Tensor(made)])
}

fn constant_product(context: &mut Context, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (a_matrix, b_matrix) = (weights(a)?, weights(b)?);
    if a_matrix.columns != b_matrix.rows {
        return Err(Error::malformed(format!("a product of {:?} and {:?}", a.shape, b.shape)));
    }
    let work = a_matrix.values.len().saturating_mul(b_matrix.columns);
    context.spend(work)?;
    let columns = b_matrix.transpose();
    let dot = |row: &[f64], column: &[f64]| a.kind.fit(row.iter().zip(column).map(|(x, y)| x * y).sum());
    let values = (0..a_matrix.rows)
        .flat_map(|row| (0..columns.rows).map(move |column| (row, column)))
        .map(|(row, column)| dot(a_matrix.row(row), columns.row(column)))
        .collect();
    Ok(Tensor::numbers(a.kind, vec![a_matrix.rows, b_matrix.columns], values))
}

/// Gemm: alpha A B + beta C, B constant; C constant or, beside alpha A B, added as it is.
pub fn gemm(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let (alpha, beta) = (call.float("alpha", 1.0), call.float("beta", 1.0));
    if call.int("transA", 0) != 0 {
        return Err(Error::unsupported("transA, after which a row is no longer a row"));
    }
    let other = call.tensor(1)?;
    let mut weights = if call.int("transB", 0) != 0 { weights(&transposed(other, &[])?)? } else { weights(other)? };
    weights.values.iter_mut().for_each(|value| *value *= alpha);
    let added = call.maybe(2)?;
    let intercept = match added {
        None => Some(vec![0.0; weights.columns]),
        Some(added) => added.constants().ok().and_then(|numbers| match numbers.len() {
            1 => Some(vec![beta * numbers[0]; weights.columns]),
            count if added.shape.last() == Some(&count) && count == weights.columns => {
                Some(numbers.iter().map(|number| beta * number).collect())
            }
            _ => None,
        }),
    };
    if let Some(intercept) = intercept {
        return Ok(vec![Value::Tensor(product(context, call.tensor(0)?, &weights, intercept)?)]);
    }
    let made = product(context, call.tensor(0)?, &weights, vec![0.0; weights.columns])?;
    let beta = Tensor::numbers(made.kind, Vec::new(), vec![beta]);
    let added = added.ok_or_else(|| Error::malformed("input 2 is missing"))?;
    let added = super::elementwise::apply(context, "Mul", added, &beta)?;
    Ok(vec![Value::Tensor(super::elementwise::apply(context, "Add", &made, &added)?)])
}

/// BatchNormalization (inference): scale · (x - mean) / √(variance + epsilon) + bias, a column each.
pub fn batch_normalization(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let wires = context.row(input)?;
    let vector = |place: usize| -> Result<&[f64]> {
        let numbers = call.tensor(place)?.constants()?;
        match numbers.len() == wires.len() {
            true => Ok(numbers),
            false => Err(Error::malformed(format!("{} numbers for {} columns", numbers.len(), wires.len()))),
        }
    };
    if call.int("training_mode", 0) != 0 {
        return Err(Error::unsupported("training_mode"));
    }
    let (factor, bias, mean, variance) = (vector(1)?, vector(2)?, vector(3)?, vector(4)?);
    let epsilon = call.float("epsilon", 1e-5);
    let factor: Vec<f64> =
        factor.iter().zip(variance).map(|(factor, variance)| factor / (variance + epsilon).sqrt()).collect();
    let offset = (bias.iter().zip(mean).zip(&factor)).map(|((bias, mean), factor)| bias - mean * factor).collect();
    let made = context.rounded(Op::Linear { scale: factor, offset }, wires, input.kind)?;
    Ok(vec![Value::Tensor(input.with(input.kind, Data::Wires(made)))])
}

//! Nearest neighbours as skl2onnx writes them: a Scan over the stored vectors that gives each row's squared distance to
//! each, then TopK. No other loop is read.

use super::value::{Data, Kind, Nature, Tensor, Value};
use super::{Call, Context, proto};
use crate::model::{Cell, Function, Matrix, Metric, Nearest, Op, Wire};
use crate::{Error, Result};
use std::rc::Rc;

/// Where a value comes from, past any Identity (made, of what); each is of an earlier one.
fn source<'a>(identities: &[(&'a str, &'a str)], name: &'a str) -> &'a str {
    identities.iter().rev().fold(name, |name, &(made, from)| if made == name { from } else { name })
}

/// Whether a loop's body is the squared Euclidean distance of its state to one vector, the state unchanged.
fn is_distance(body: &proto::Graph) -> bool {
    let ([state, vector], [unchanged, distances]) = (&body.inputs[..], &body.outputs[..]) else { return false };
    let mut aliases: Vec<(&str, &str)> = Vec::new();
    let (mut difference, mut square) = (None, None);
    for node in &body.nodes {
        let (&[output], true) = (&node.outputs[..], node.domain.is_empty()) else { return false };
        match (node.operator, &node.inputs[..]) {
            ("Identity", &[input]) => aliases.push((output, input)),
            ("Sub", &[a, b]) if difference.is_none() => {
                let pair = (source(&aliases, a), source(&aliases, b));
                if pair != (state.name, vector.name) && pair != (vector.name, state.name) {
                    return false;
                }
                difference = Some(output);
            }
            ("ReduceSumSquare", inputs) if square.is_none() && inputs.first().copied() == difference => {
                let attribute = |name: &str| node.attributes.iter().find(|attribute| attribute.name == name);
                let mut axes = attribute("axes").map(|axes| axes.ints.clone());
                if let [_, input] = inputs {
                    let constant = body.constants.iter().find(|(name, _)| name == input);
                    let constant = constant.and_then(|(_, constant)| Tensor::constant(constant).ok());
                    axes = constant.and_then(|constant| constant.integers().ok());
                }
                let keeps = attribute("keepdims").and_then(|keeps| keeps.int).unwrap_or(1) != 0;
                if keeps || !matches!(axes.as_deref(), Some([1] | [-1])) {
                    return false;
                }
                square = Some(output);
            }
            _ => return false,
        }
    }
    source(&aliases, unchanged.name) == state.name && Some(source(&aliases, distances.name)) == square
}

/// Scan over stored vectors: the distances, a vector a row of the result.
pub fn scan(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let other = || Error::unsupported("a loop that is not the distance of rows to stored vectors");
    let body = call.attribute("body").and_then(|attribute| attribute.graph).ok_or_else(other)?;
    let plain = call.node.attributes.iter().all(|attribute| ["body", "num_scan_inputs"].contains(&attribute.name));
    if !plain || call.inputs.len() != 2 || call.int("num_scan_inputs", 1) != 1 || !is_distance(&proto::graph(body)?) {
        return Err(other());
    }
    let (rows, vectors) = (call.tensor(0)?, call.tensor(1)?);
    let [count, columns] = vectors.shape[..] else { return Err(other()) };
    if rows.batch != Some(0) || rows.shape != [1, columns] {
        return Err(other());
    }
    let centers = Matrix::new(count, columns, vectors.constants()?.to_vec())?;
    let wires = context.wires(rows)?;
    let distances = context.rounded(Op::Distances { centers, squared: true }, wires, rows.kind)?;
    let shape = vec![count, 1];
    let data = Data::Wires(distances);
    let distances = Tensor { kind: rows.kind, shape, batch: Some(1), data, nature: Nature::Plain };
    Ok(vec![Value::Tensor(rows.clone()), Value::Tensor(distances)])
}

/// The columns and vectors whose distances these wires are, in the vectors' order, and whether they are squared.
fn distances_of(context: &Context, mut wires: Vec<Wire>) -> Option<(Vec<Wire>, Matrix, bool)> {
    let mut root = false;
    loop {
        let step = context.builder.graph.producer(*wires.first()?)?;
        if !step.output.clone().eq(wires.iter().copied()) {
            return None;
        }
        match &step.op {
            Op::Distances { centers, squared } => {
                return Some((step.input.clone(), centers.clone(), *squared && !root));
            }
            Op::Function(Function::Float32) => wires = step.input.clone(),
            Op::Function(Function::Sqrt) if !root => {
                root = true;
                wires = step.input.clone();
            }
            _ => return None,
        }
    }
}

/// TopK of such distances: the nearest, of equally near ones the first.
pub fn top_k(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let others = || Error::unsupported("the largest or smallest of other numbers than distances to stored vectors");
    if input.batch != Some(0) || input.shape.len() != 2 || input.axis(call.int("axis", -1))? != 1 {
        return Err(others());
    }
    let wires = context.wires(input)?;
    let (rows, vectors, squared) = distances_of(context, wires).ok_or_else(others)?;
    let count = call.tensor(1)?.integers()?;
    let (&[count], 0, 1) = (&count[..], call.int("largest", 1), call.int("sorted", 1)) else {
        return Err(Error::unsupported("neighbours that are not the nearest in their order"));
    };
    let count = u32::try_from(count).map_err(|_| Error::malformed(format!("{count} neighbours")))?;
    let places = Rc::new((0..vectors.rows as i64).map(Cell::Int).collect());
    let mut distances = context.push(Op::Nearest(Nearest { metric: Metric::Euclidean, vectors, count }), rows)?;
    let nearest = distances.split_off(count as usize);
    if squared {
        distances = context.push(Op::Function(Function::Square), distances)?;
    }
    let data = Data::Places(nearest, places);
    let places =
        Tensor { kind: Kind::Int, shape: vec![1, count as usize], batch: Some(0), data, nature: Nature::Plain };
    Ok(vec![Value::Tensor(Tensor::columns(Kind::Float, distances)), Value::Tensor(places)])
}

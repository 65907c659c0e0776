//! Nearest neighbours as skl2onnx writes them: a Scan over the stored vectors that gives each row's squared distance to
//! each, then TopK. No other loop is read.

use super::value::{Data, Kind, Nature, Tensor, Value};
use super::{Call, Context, proto};
use crate::model::{Cell, Matrix, Metric, Nearest, Op};
use crate::{Error, Result};
use std::rc::Rc;

/// Scan whose body is the squared Euclidean distance of its state, the rows, to one vector.
pub fn scan(_: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let other = || Error::unsupported("a loop that is not the distance of rows to stored vectors");
    let body = call.attribute("body").and_then(|attribute| attribute.graph).ok_or_else(other)?;
    let body = proto::graph(body)?;
    let operators: Vec<&str> =
        body.nodes.iter().map(|node| node.operator).filter(|name| *name != "Identity").collect();
    if !matches!(operators[..], ["Sub", "ReduceSumSquare"])
        || call.inputs.len() != 2
        || call.int("num_scan_inputs", 1) != 1
    {
        return Err(other());
    }
    let (rows, vectors) = (call.tensor(0)?, call.tensor(1)?);
    let [count, columns] = vectors.shape[..] else { return Err(other()) };
    if rows.batch != Some(0) || rows.shape != [1, columns] {
        return Err(other());
    }
    let vectors = Matrix::new(count, columns, vectors.constants()?.to_vec())?;
    let state = Value::Tensor(rows.clone());
    Ok(vec![state, Value::Distances { rows: rows.clone(), vectors, squared: true, transposed: true }])
}

/// TopK of such distances: the nearest, of equally near ones the first.
pub fn top_k(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let Value::Distances { rows, vectors, squared, transposed: false } = call.value(0)? else {
        return Err(Error::unsupported("the largest or smallest of other numbers than distances to stored vectors"));
    };
    let count = call.tensor(1)?.integers()?;
    let (&[count], 0, 1) = (&count[..], call.int("largest", 1), call.int("sorted", 1)) else {
        return Err(Error::unsupported("neighbours that are not the nearest in their order"));
    };
    let count = u32::try_from(count).map_err(|_| Error::malformed(format!("{count} neighbours")))?;
    let wires = context.row(rows)?;
    let places = Rc::new((0..vectors.rows as i64).map(Cell::Int).collect());
    let op = Op::Nearest(Nearest { metric: Metric::Euclidean, vectors: vectors.clone(), count });
    let mut distances = context.push(op, wires)?;
    let nearest = distances.split_off(count as usize);
    if *squared {
        distances = context.push(Op::Function(crate::model::Function::Square), distances)?;
    }
    let shape = vec![1, count as usize];
    let data = Data::Places(nearest, places);
    let places = Tensor { kind: Kind::Int, shape, batch: Some(0), data, nature: Nature::Plain };
    Ok(vec![Value::Tensor(Tensor::columns(Kind::Float, distances)), Value::Tensor(places)])
}

//! Operators that make one number of many along an axis, and those that weigh the numbers of an axis against each other.

use super::elementwise::{larger, scale, smaller};
use super::value::{Data, Kind, Nature, Tensor, Value};
use super::{Call, Context};
use crate::model::{Cell, Function, Norm, Op, Wire};
use crate::{Error, Result};
use std::rc::Rc;

/// The elements that come together when `axes` are reduced, by element of the result, and the result's shape.
struct Groups {
    /// Places of the elements, one list an element of the result.
    lists: Vec<Vec<usize>>,
    shape: Vec<usize>,
    batch: Option<usize>,
}

fn groups(input: &Tensor, axes: &[usize], keep: bool) -> Result<Groups> {
    if input.batch.is_some_and(|batch| axes.contains(&batch)) {
        return Err(Error::unsupported("numbers of different rows come together")
            .remedy("carryout predicts row by row; export the model without what looks at the whole batch."));
    }
    let reduced: Vec<usize> =
        input.shape.iter().enumerate().map(|(axis, &size)| if axes.contains(&axis) { 1 } else { size }).collect();
    let mut lists = vec![Vec::new(); reduced.iter().product()];
    for element in 0..input.len() {
        let (mut place, mut stride, mut rest) = (0, 1, element);
        for (&size, &own) in input.shape.iter().zip(&reduced).rev() {
            if own != 1 {
                place += rest % size * stride;
                stride *= own;
            }
            rest /= size;
        }
        lists[place].push(element);
    }
    let left: Vec<usize> = (0..reduced.len()).filter(|axis| keep || !axes.contains(axis)).collect();
    let batch = input.batch.and_then(|batch| left.iter().position(|&axis| axis == batch));
    Ok(Groups { lists, shape: left.iter().map(|&axis| reduced[axis]).collect(), batch })
}

/// ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceSumSquare,
/// ReduceLogSumExp
pub fn reduce(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    input.computable()?;
    let axes: Vec<usize> = match call.list("axes", 1)?.filter(|axes| !axes.is_empty()) {
        Some(axes) => axes.into_iter().map(|axis| input.axis(axis)).collect::<Result<_>>()?,
        None if call.int("noop_with_empty_axes", 0) == 1 => return Ok(vec![Value::Tensor(input.clone())]),
        None => (0..input.shape.len()).collect(),
    };
    let groups = groups(input, &axes, call.int("keepdims", 1) == 1)?;
    let operator = call.node.operator;
    let data = match &input.data {
        Data::Numbers(numbers) => {
            let one = |list: &Vec<usize>| input.kind.fit(fold(operator, list.iter().map(|&place| numbers[place])));
            Data::Numbers(Rc::new(groups.lists.iter().map(one).collect()))
        }
        _ => {
            let wires = context.wires(input)?;
            Data::Wires(sums(context, operator, wires, &groups.lists, input.kind)?)
        }
    };
    let nature = match (operator, input.nature) {
        ("ReduceSum" | "ReduceMean", Nature::Scores) => Nature::Scores,
        _ => Nature::Plain,
    };
    Ok(vec![Value::Tensor(Tensor { kind: input.kind, shape: groups.shape, batch: groups.batch, data, nature })])
}

fn fold(operator: &str, values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    match operator {
        "ReduceMean" => values.sum::<f64>() / count,
        "ReduceProd" => values.product(),
        "ReduceMax" => values.fold(f64::NEG_INFINITY, f64::max),
        "ReduceMin" => values.fold(f64::INFINITY, f64::min),
        "ReduceL1" => values.map(f64::abs).sum(),
        "ReduceL2" => values.map(|x| x * x).sum::<f64>().sqrt(),
        "ReduceSumSquare" => values.map(|x| x * x).sum(),
        "ReduceLogSumExp" => {
            let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
            most + values.map(|x| (x - most).exp()).sum::<f64>().ln()
        }
        _ => values.sum(),
    }
}

fn sums(
    context: &mut Context,
    operator: &str,
    wires: Vec<Wire>,
    lists: &[Vec<usize>],
    kind: Kind,
) -> Result<Vec<Wire>> {
    let size = lists.first().map_or(0, Vec::len);
    if size == 0 {
        return Err(Error::unsupported("a reduction of no elements"));
    }
    // One group of wires for each element that is added, as `Combine` has it.
    let grouped = |wires: &[Wire]| -> Vec<Wire> {
        (0..size).flat_map(|term| lists.iter().map(move |list| wires[list[term]])).collect()
    };
    let sum = |context: &mut Context, wires: &[Wire], divide: f64| {
        context.rounded(Op::Combine { weights: vec![1.0; size], divide }, grouped(wires), kind)
    };
    match operator {
        "ReduceSum" => sum(context, &wires, 1.0),
        "ReduceMean" => sum(context, &wires, size as f64),
        "ReduceL1" => {
            let wires = context.push(Op::Function(Function::Abs), wires)?;
            sum(context, &wires, 1.0)
        }
        "ReduceL2" | "ReduceSumSquare" => {
            let wires = context.push(Op::Function(Function::Square), wires)?;
            let made = sum(context, &wires, 1.0)?;
            match operator {
                "ReduceL2" => context.rounded(Op::Function(Function::Sqrt), made, kind),
                _ => Ok(made),
            }
        }
        "ReduceProd" => {
            let terms = lists.iter().map(|list| list.iter().map(|&place| place as u32).collect()).collect();
            context.rounded(Op::Products { terms }, wires, kind)
        }
        "ReduceLogSumExp" => {
            let one =
                |list: &Vec<usize>| context.push_one(Op::LogSumExp, list.iter().map(|&place| wires[place]).collect());
            lists.iter().map(one).collect()
        }
        _ => {
            let term = |term: usize| lists.iter().map(|list| wires[list[term]]).collect::<Vec<_>>();
            let mut made = term(0);
            for place in 1..size {
                made = match operator {
                    "ReduceMax" => larger(context, made, term(place))?,
                    _ => smaller(context, made, term(place))?,
                };
            }
            Ok(made)
        }
    }
}

/// ArgMax, ArgMin: of equal numbers the first.
pub fn arg(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    if call.int("select_last_index", 0) != 0 {
        return Err(Error::unsupported("select_last_index"));
    }
    let axis = input.axis(call.int("axis", 0))?;
    let groups = groups(input, &[axis], call.int("keepdims", 1) == 1)?;
    let wires = context.wires(input)?;
    let (op, nature) = match call.node.operator {
        "ArgMax" => (Op::Argmax, Nature::Plain),
        _ => (Op::Argmin, Nature::Cluster),
    };
    let one = |list: &Vec<usize>| context.push_one(op.clone(), list.iter().map(|&place| wires[place]).collect());
    let made: Vec<Wire> = groups.lists.iter().map(one).collect::<Result<_>>()?;
    let table = Rc::new((0..input.shape[axis] as i64).map(Cell::Int).collect());
    let data = Data::Places(made, table);
    Ok(vec![Value::Tensor(Tensor { kind: Kind::Int, shape: groups.shape, batch: groups.batch, data, nature })])
}

/// Softmax, LogSoftmax. Before opset 13 over all axes from `axis` on.
pub fn softmax(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let axis = input.axis(call.int("axis", if call.version < 13 { 1 } else { -1 }))?;
    let axes: Vec<usize> = if call.version < 13 { (axis..input.shape.len()).collect() } else { vec![axis] };
    let groups = groups(input, &axes, true)?;
    let wires = context.wires(input)?;
    let mut made = vec![0; wires.len()];
    for list in &groups.lists {
        let own: Vec<Wire> = list.iter().map(|&place| wires[place]).collect();
        let out = match call.node.operator {
            "Softmax" => context.push(Op::Softmax, own)?,
            _ => {
                let total = context.push_one(Op::LogSumExp, own.clone())?;
                let of = [own, vec![total; list.len()]].concat();
                context.push(Op::Combine { weights: vec![1.0, -1.0], divide: 1.0 }, of)?
            }
        };
        list.iter().zip(out).for_each(|(&place, wire)| made[place] = wire);
    }
    let over_columns = groups.lists.len() == 1;
    let nature = match call.node.operator {
        "LogSoftmax" => Nature::Scores,
        _ if over_columns => Nature::Softmax,
        _ => Nature::Plain,
    };
    Ok(vec![Value::Tensor(input.with(input.kind, Data::Wires(made)).natured(nature))])
}

/// LpNormalization: over the norm along an axis.
pub fn lp_normalization(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let norm = match call.int("p", 2) {
        1 => Norm::L1,
        2 => Norm::L2,
        p => return Err(Error::malformed(format!("the norm of p = {p}"))),
    };
    let groups = groups(input, &[input.axis(call.int("axis", -1))?], true)?;
    let wires = context.wires(input)?;
    let mut made = vec![0; wires.len()];
    for list in &groups.lists {
        let own = list.iter().map(|&place| wires[place]).collect();
        let out = context.rounded(Op::Normalize(norm), own, input.kind)?;
        list.iter().zip(out).for_each(|(&place, wire)| made[place] = wire);
    }
    Ok(vec![Value::Tensor(input.with(input.kind, Data::Wires(made)))])
}

/// LayerNormalization: (x - mean) / √(variance + epsilon) over the last axes, scaled and shifted. What is left of n numbers
/// without their mean, beside √(n epsilon), is that over √n once it is divided by its norm.
pub fn layer_normalization(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let axes: Vec<usize> = (input.axis(call.int("axis", -1))?..input.shape.len()).collect();
    let groups = groups(input, &axes, true)?;
    let size = groups.lists.first().map_or(0, Vec::len);
    let vector = |place: usize, default: f64| match call.maybe(place)?.map(Tensor::constants).transpose()? {
        None => Ok(vec![default; size]),
        Some([one]) => Ok(vec![*one; size]),
        Some(list) if list.len() == size => Ok(list.to_vec()),
        Some(list) => Err(Error::malformed(format!("{} numbers for {size} columns", list.len()))),
    };
    let scale = vector(1, 1.0)?.iter().map(|factor| factor * (size as f64).sqrt()).collect();
    let last = Op::Linear { scale, offset: vector(2, 0.0)? };
    let wires = context.wires(input)?;
    let means = sums(context, "ReduceMean", wires.clone(), &groups.lists, input.kind)?;
    let rest =
        context.push_one(Op::Constant(vec![(size as f64 * call.float("epsilon", 1e-5)).sqrt()]), Vec::new())?;
    let mut made = vec![0; wires.len()];
    for (list, mean) in groups.lists.iter().zip(means) {
        let own: Vec<Wire> = list.iter().map(|&place| wires[place]).collect();
        let op = Op::Combine { weights: vec![1.0, -1.0], divide: 1.0 };
        let mut centered = context.push(op, [own, vec![mean; size]].concat())?;
        centered.push(rest);
        let mut out = context.push(Op::Normalize(Norm::L2), centered)?;
        out.truncate(size);
        let out = context.rounded(last.clone(), out, input.kind)?;
        list.iter().zip(out).for_each(|(&place, wire)| made[place] = wire);
    }
    Ok(vec![Value::Tensor(input.with(input.kind, Data::Wires(made)))])
}

/// Normalizer: each row over its norm. MAX is onnxruntime's, over the largest value and not the largest magnitude.
pub fn normalizer(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let wires = context.row(input)?;
    let op = match call.choice("norm", "MAX")? {
        "L1" => Op::Normalize(Norm::L1),
        "L2" => Op::Normalize(Norm::L2),
        "MAX" => {
            let (&first, others) = wires.split_first().ok_or_else(|| Error::malformed("no columns"))?;
            let mut most = vec![first];
            for &other in others {
                most = larger(context, most, vec![other])?;
            }
            let inverse = context.push_one(Op::Function(Function::Reciprocal), most)?;
            let count = wires.len();
            let made = context.rounded(Op::Multiply, [wires, vec![inverse; count]].concat(), Kind::Float)?;
            return Ok(vec![Value::Tensor(Tensor::columns(Kind::Float, made))]);
        }
        norm => return Err(Error::malformed(format!("the norm {norm}"))),
    };
    let made = context.rounded(op, wires, Kind::Float)?;
    Ok(vec![Value::Tensor(Tensor::columns(Kind::Float, made))])
}

/// What `post_transform` makes of the scores of a row, two or more.
pub fn post_transform(context: &mut Context, name: &str, wires: Vec<Wire>) -> Result<Vec<Wire>> {
    match name {
        "NONE" => Ok(wires),
        "LOGISTIC" => context.push(Op::Function(Function::Expit), wires),
        "SOFTMAX" => context.push(Op::Softmax, wires),
        // Scores within 1e-7 of zero take no part.
        "SOFTMAX_ZERO" => {
            let size = context.push(Op::Function(Function::Abs), wires.clone())?;
            let part = context.push(Op::Above { threshold: f64::from(1e-7f32) }, size)?;
            let shares = context.push(Op::Softmax, wires)?;
            let shares = context.push(Op::Multiply, [shares, part].concat())?;
            context.push(Op::ShareOrZero, shares)
        }
        "PROBIT" => probit(context, wires),
        other => Err(Error::malformed(format!("the post_transform {other}"))),
    }
}

/// onnxruntime's inverse of the normal distribution, which is Winitzki's (2008): with l = ln(4 p (1 - p)) and
/// v = 2 / (π a) + l / 2, it is √2 sign(2p - 1) √(√(v² - l / a) - v).
pub fn probit(context: &mut Context, wires: Vec<Wire>) -> Result<Vec<Wire>> {
    let count = wires.len();
    let (pi, a) = (std::f64::consts::PI, f64::from(0.147f32));
    let all = |value: f64| vec![value; count];
    let centered = scale(context, wires, all(2.0), all(-1.0))?;
    let sign = context.push(Op::Function(Function::Sign), centered.clone())?;
    let square = context.push(Op::Function(Function::Square), centered)?;
    let product = scale(context, square, all(-1.0), all(1.0))?;
    let log = context.push(Op::Function(Function::Log), product)?;
    let v = scale(context, log.clone(), all(0.5), all(2.0 / (pi * a)))?;
    let squared = context.push(Op::Function(Function::Square), v.clone())?;
    let under = context.push(Op::Combine { weights: vec![1.0, -1.0 / a], divide: 1.0 }, [squared, log].concat())?;
    let root = context.push(Op::Function(Function::Sqrt), under)?;
    let inner = context.push(Op::Combine { weights: vec![1.0, -1.0], divide: 1.0 }, [root, v].concat())?;
    let size = context.push(Op::Function(Function::Sqrt), inner)?;
    let signed = context.push(Op::Multiply, [size, sign].concat())?;
    scale(context, signed, all(std::f64::consts::SQRT_2), all(0.0))
}

//! Activations of networks. Each is a handful of steps over all columns at once, of operations that the runtime has.

use super::elementwise::apply;
use super::value::{Data, Value};
use super::{Call, Context};
use crate::model::{Function, Op, Wire};
use crate::{Error, Result};

fn map(context: &mut Context, function: Function, x: &[Wire]) -> Result<Vec<Wire>> {
    context.push(Op::Function(function), x.to_vec())
}

fn clip(context: &mut Context, low: f64, high: f64, x: &[Wire]) -> Result<Vec<Wire>> {
    context.push(Op::Clip { low, high }, x.to_vec())
}

/// x · scale + offset
fn line(context: &mut Context, scale: f64, offset: f64, x: &[Wire]) -> Result<Vec<Wire>> {
    let op = Op::Linear { scale: vec![scale; x.len()], offset: vec![offset; x.len()] };
    context.push(op, x.to_vec())
}

fn times(context: &mut Context, x: &[Wire], y: &[Wire]) -> Result<Vec<Wire>> {
    context.push(Op::Multiply, [x, y].concat())
}

/// Both parts of x, the one above zero and what became of the one below, weighted.
fn joined(context: &mut Context, x: &[Wire], below: &[Wire], weights: [f64; 2]) -> Result<Vec<Wire>> {
    let above = map(context, Function::Relu, x)?;
    context.push(Op::Combine { weights: weights.to_vec(), divide: 1.0 }, [&above[..], below].concat())
}

/// Celu, Elu, Gelu, HardSigmoid, …
pub fn activation(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    input.computable()?;
    let operator = call.node.operator;
    let wires = context.wires(input)?;
    let x = &wires[..];
    let alpha = |default: f32| call.float("alpha", default);
    let made = match operator {
        // x, and below zero alpha x or alpha (e^x - 1), or for Celu alpha (e^(x / alpha) - 1).
        "LeakyRelu" => {
            let below = clip(context, f64::NEG_INFINITY, 0.0, x)?;
            joined(context, x, &below, [1.0, alpha(0.01)])?
        }
        "Elu" | "Selu" | "Celu" => {
            let selu = operator == "Selu";
            let alpha = alpha(if selu { 1.673_263_2 } else { 1.0 });
            let gamma = if selu { call.float("gamma", 1.050_701) } else { 1.0 };
            let mut below = clip(context, f64::NEG_INFINITY, 0.0, x)?;
            if operator == "Celu" && alpha != 1.0 {
                below = line(context, 1.0 / alpha, 0.0, &below)?;
            }
            let below = map(context, Function::Expm1, &below)?;
            joined(context, x, &below, [gamma, gamma * alpha])?
        }
        // Above alpha x, else 0.
        "ThresholdedRelu" => {
            let threshold = alpha(1.0);
            let above = context.push(Op::Above { threshold }, x.to_vec())?;
            let bounded = clip(context, threshold, f64::INFINITY, x)?;
            times(context, &bounded, &above)?
        }
        "HardSigmoid" | "HardSwish" => {
            let swish = operator == "HardSwish";
            let slope = if swish { 1.0 / 6.0 } else { alpha(0.2) };
            let made = line(context, slope, call.float("beta", 0.5), x)?;
            let made = clip(context, 0.0, 1.0, &made)?;
            if swish { times(context, x, &made)? } else { made }
        }
        "Swish" => {
            let alpha = alpha(1.0);
            let scaled = if alpha == 1.0 { x.to_vec() } else { line(context, alpha, 0.0, x)? };
            let made = map(context, Function::Expit, &scaled)?;
            times(context, x, &made)?
        }
        // x / (1 + |x|)
        "Softsign" => {
            let third = map(context, Function::Confidence, x)?;
            line(context, 3.0, 0.0, &third)?
        }
        "Mish" => {
            let made = map(context, Function::Softplus, x)?;
            let made = map(context, Function::Tanh, &made)?;
            times(context, x, &made)?
        }
        // (1 + tanh z) / 2 is 1 / (1 + e^-2z), with z = √(2 / π) (x + 0.044715 x³).
        "Gelu" if call.choice("approximate", "none")? == "tanh" => {
            let slope = 2.0 * (2.0 / std::f64::consts::PI).sqrt();
            let square = map(context, Function::Square, x)?;
            let factor = line(context, slope * 0.044715, slope, &square)?;
            let made = times(context, x, &factor)?;
            let made = map(context, Function::Expit, &made)?;
            times(context, x, &made)?
        }
        // x Φ(x)
        "Gelu" => {
            let made = map(context, Function::NormalCdf, x)?;
            times(context, x, &made)?
        }
        _ => return Err(Error::unsupported("an unknown activation")),
    };
    let made = context.narrowed(made, input.kind)?;
    Ok(vec![Value::Tensor(input.with(input.kind, Data::Wires(made)))])
}

/// PRelu: x, and below zero a slope of its own for each column, or one for all.
pub fn p_relu(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let x = context.wires(input)?;
    let part = |wires| input.with(input.kind, Data::Wires(wires));
    let (above, below) = (map(context, Function::Relu, &x)?, clip(context, f64::NEG_INFINITY, 0.0, &x)?);
    let below = apply(context, "Mul", &part(below), call.tensor(1)?)?;
    Ok(vec![Value::Tensor(apply(context, "Add", &part(above), &below)?)])
}

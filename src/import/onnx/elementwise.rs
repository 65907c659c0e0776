//! Operators that work element by element: functions of one tensor, and of two that are broadcast against each other as
//! numpy does it.

use super::value::{Data, Kind, Nature, Tensor, Value, elements, is_missing_of};
use super::{Call, Context};
use crate::model::{Cell, Function, Graph, Lookup, Marker, Op, Unknown, Wire};
use crate::{Error, Result};
use std::rc::Rc;

/// A function of one number, and what it makes of a constant.
type Elementwise = (Function, fn(f64) -> f64);

fn function(operator: &str) -> Option<Elementwise> {
    Some(match operator {
        "Abs" => (Function::Abs, f64::abs),
        "Ceil" => (Function::Ceil, f64::ceil),
        "Cos" => (Function::Cos, f64::cos),
        "Exp" => (Function::Exp, f64::exp),
        "Floor" => (Function::Floor, f64::floor),
        "Log" => (Function::Log, f64::ln),
        "Neg" => (Function::Negative, |x| -x),
        "Reciprocal" => (Function::Reciprocal, f64::recip),
        "Relu" => (Function::Relu, |x| x.max(0.0)),
        "Round" => (Function::Rint, f64::round_ties_even),
        "Sigmoid" => (Function::Expit, |x| 1.0 / (1.0 + (-x).exp())),
        "Sign" => (Function::Sign, |x| if x == 0.0 { 0.0 } else { x.signum() }),
        "Sin" => (Function::Sin, f64::sin),
        "Softplus" => (Function::Softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        "Sqrt" => (Function::Sqrt, f64::sqrt),
        "Tan" => (Function::Tan, f64::tan),
        "Tanh" => (Function::Tanh, f64::tanh),
        _ => return None,
    })
}

/// Whether numbers that were raw scores of classes are so still.
fn keeps_scores(operator: &str) -> bool {
    ["Neg", "Add", "Sub", "Mul", "Div", "Sum", "Mean", "Cast"].contains(&operator)
}

/// Abs, Exp, Not, Sigmoid, …
pub fn unary(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let operator = call.node.operator;
    let input = call.tensor(0)?;
    input.computable()?;
    let made = match (operator, &input.data) {
        ("Not", Data::Numbers(numbers)) => {
            Tensor::numbers(Kind::Bool, input.shape.clone(), numbers.iter().map(|&x| 1.0 - x).collect())
        }
        ("Not", _) => {
            let wires = context.wires(input)?;
            input.with(Kind::Bool, Data::Wires(complement(context, wires)?))
        }
        // erf x = 2 Φ(x √2) - 1
        ("Erf", _) => {
            let wires = context.wires(input)?;
            let count = wires.len();
            let wires = scale(context, wires, vec![std::f64::consts::SQRT_2; count], vec![0.0; count])?;
            let wires = context.push(Op::Function(Function::NormalCdf), wires)?;
            let op = Op::Linear { scale: vec![2.0; count], offset: vec![-1.0; count] };
            input.with(input.kind, Data::Wires(context.rounded(op, wires, input.kind)?))
        }
        (_, Data::Numbers(numbers)) => {
            let (_, of) = function(operator).ok_or_else(|| Error::unsupported("an operator of constants"))?;
            let made = numbers.iter().map(|&x| input.kind.fit(of(x))).collect();
            Tensor::numbers(input.kind, input.shape.clone(), made)
        }
        _ => {
            let (function, _) = function(operator).ok_or_else(|| Error::unsupported("an unknown function"))?;
            let wires = context.wires(input)?;
            let wires = context.rounded(Op::Function(function), wires, input.kind)?;
            let made = input.with(input.kind, Data::Wires(wires));
            match operator {
                // Logarithms of probabilities are none.
                "Log" => made.natured(Nature::Scores),
                _ if keeps_scores(operator) => made.natured(input.nature),
                _ => made,
            }
        }
    };
    Ok(vec![Value::Tensor(made)])
}

/// 1 - x
fn complement(context: &mut Context, wires: Vec<Wire>) -> Result<Vec<Wire>> {
    let count = wires.len();
    scale(context, wires, vec![-1.0; count], vec![1.0; count])
}

pub fn scale(context: &mut Context, wires: Vec<Wire>, scale: Vec<f64>, offset: Vec<f64>) -> Result<Vec<Wire>> {
    context.push(Op::Linear { scale, offset }, wires)
}

/// Clip, with bounds as attributes (before opset 11) or constant inputs.
pub fn clip(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let bound = |name: &str, place: usize, default: f64| -> Result<f64> {
        match call.maybe(place)? {
            Some(bound) if bound.len() == 1 => Ok(bound.constants()?[0]),
            Some(_) => Err(Error::unsupported("bounds that are no single numbers")),
            None => Ok(call.attribute(name).and_then(|bound| bound.float).map_or(default, f64::from)),
        }
    };
    let (low, high) = (bound("min", 1, f64::NEG_INFINITY)?, bound("max", 2, f64::INFINITY)?);
    let wires = context.wires(input)?;
    let made = context.push(Op::Clip { low, high }, wires)?;
    Ok(vec![Value::Tensor(input.with(input.kind, Data::Wires(made)))])
}

/// IsNaN
pub fn is_nan(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let data = match &input.data {
        Data::Numbers(numbers) => Data::Numbers(Rc::new(numbers.iter().map(|x| f64::from(x.is_nan())).collect())),
        _ => {
            let wires = context.wires(input)?;
            Data::Wires(context.push(Op::IsMissing { missing: Marker::Nan }, wires)?)
        }
    };
    Ok(vec![Value::Tensor(input.with(Kind::Bool, data))])
}

/// Cast: what is a whole number in the end loses its fraction, what is a bool is 1 where it was not 0.
pub fn cast(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let to = Kind::from_code(call.int("to", 1))?;
    let data = match (&input.data, to) {
        _ if input.kind == to => input.data.clone(),
        (Data::Places(wires, table), Kind::Text) => {
            Data::Places(wires.clone(), Rc::new(table.iter().map(|cell| Cell::Str(cell.to_string())).collect()))
        }
        (Data::Places(wires, table), Kind::Int) => {
            let whole = |cell: &Cell| match cell {
                Cell::Str(text) => text.parse().ok().map(Cell::Int),
                cell => cell.number().map(|number| Cell::Int(number as i64)),
            };
            let table: Option<Vec<Cell>> = table.iter().map(whole).collect();
            let table = table.ok_or_else(|| Error::unsupported("labels that are no whole numbers"))?;
            Data::Places(wires.clone(), Rc::new(table))
        }
        (Data::Places(_, table), Kind::Float | Kind::Double) if table.iter().all(|cell| cell.number().is_some()) => {
            input.data.clone()
        }
        (Data::Numbers(numbers), Kind::Int) => Data::Numbers(Rc::new(numbers.iter().map(|x| x.trunc()).collect())),
        (Data::Numbers(numbers), Kind::Bool) => {
            Data::Numbers(Rc::new(numbers.iter().map(|&x| f64::from(x != 0.0)).collect()))
        }
        (Data::Numbers(numbers), Kind::Float) => {
            Data::Numbers(Rc::new(numbers.iter().map(|&x| Kind::Float.fit(x)).collect()))
        }
        (Data::Numbers(_), Kind::Double) => input.data.clone(),
        (Data::Wires(_), Kind::Int) if matches!(input.kind, Kind::Float | Kind::Double) => {
            let wires = context.wires(input)?;
            Data::Wires(context.push(Op::Function(Function::Trunc), wires)?)
        }
        (Data::Wires(wires), Kind::Bool) if wires.iter().all(|&wire| is_flag(&context.builder.graph, wire)) => {
            input.data.clone()
        }
        (Data::Wires(_), Kind::Bool) => {
            let wires = context.wires(input)?;
            let zero = equals(context, &wires, &vec![0.0; wires.len()])?;
            Data::Wires(complement(context, zero)?)
        }
        (Data::Wires(_), Kind::Float) if context.round => {
            let wires = context.wires(input)?;
            Data::Wires(context.push(Op::Function(Function::Float32), wires)?)
        }
        (Data::Wires(_), Kind::Float | Kind::Double | Kind::Int) => Data::Wires(context.wires(input)?),
        _ => return Err(Error::unsupported(format!("a cast from {} to {}", input.kind.name(), to.name()))),
    };
    Ok(vec![Value::Tensor(input.with(to, data).natured(input.nature))])
}

/// 1 where the number is this one.
fn equals(context: &mut Context, wires: &[Wire], to: &[f64]) -> Result<Vec<Wire>> {
    let one = |(&wire, &to): (&Wire, &f64)| context.push_one(equal(Cell::float(to)), vec![wire]);
    wires.iter().zip(to).map(one).collect()
}

/// 1 where the value is this one, which is never missing, else 0.
fn equal(to: Cell) -> Op {
    Op::OneHot { keys: vec![to], hot: vec![Some(0)], width: 1, unknown: Unknown::As(None) }
}

/// How the elements of two tensors meet: the shape, its batch, and for each element the places in both.
struct Meeting {
    shape: Vec<usize>,
    batch: Option<usize>,
    pairs: Vec<(usize, usize)>,
}

fn meet(context: &mut Context, a: &Tensor, b: &Tensor) -> Result<Meeting> {
    a.computable().and(b.computable())?;
    let rank = a.shape.len().max(b.shape.len());
    let padded = |tensor: &Tensor| -> (Vec<usize>, Option<usize>) {
        let missing = rank - tensor.shape.len();
        ([vec![1; missing], tensor.shape.clone()].concat(), tensor.batch.map(|batch| batch + missing))
    };
    let ((a_shape, a_batch), (b_shape, b_batch)) = (padded(a), padded(b));
    let batch = a_batch.or(b_batch);
    if a_batch.is_some() && b_batch.is_some() && a_batch != b_batch {
        return Err(Error::unsupported("rows are set against the columns of other rows"));
    }
    let shape: Option<Vec<usize>> = (a_shape.iter().zip(&b_shape))
        .map(|(&a, &b)| if a == b || b == 1 { Some(a) } else { (a == 1).then_some(b) })
        .collect();
    let fits = shape.filter(|shape| batch.is_none_or(|batch| shape[batch] == 1));
    let shape = fits.ok_or_else(|| {
        Error::unsupported(format!("tensors of the sizes {:?} and {:?} are set against each other", a.shape, b.shape))
    })?;
    let count = elements(&shape)?;
    context.spend(count)?;
    let place = |sizes: &[usize], mut element: usize| {
        if sizes == shape {
            return element;
        }
        let (mut place, mut stride) = (0, 1);
        for (&size, &own) in shape.iter().zip(sizes).rev() {
            if own != 1 {
                place += element % size * stride;
                stride *= own;
            }
            element /= size;
        }
        place
    };
    let pairs = (0..count).map(|element| (place(&a_shape, element), place(&b_shape, element))).collect();
    Ok(Meeting { shape, batch, pairs })
}

/// The wire is 0 or 1: an encoder made it so.
fn is_flag(graph: &Graph, wire: Wire) -> bool {
    let Some(Op::Lookup(lookup)) = graph.producer(wire).map(|step| &step.op) else { return false };
    let is_flag = |value: &f64| *value == 0.0 || *value == 1.0;
    lookup.values.iter().all(is_flag) && matches!(&lookup.unknown, Unknown::As(other) if other.iter().all(is_flag))
}

/// The one value of `wire` for which `flag` is 1.
fn is_value_of(graph: &Graph, flag: Wire, wire: Wire) -> Option<Cell> {
    let step = graph.producer(flag)?;
    match &step.op {
        Op::Lookup(Lookup { keys, values, unknown: Unknown::As(other), .. })
            if step.input == [wire] && keys.len() == 1 && values == &[1.0] && other == &[0.0] =>
        {
            Some(keys[0].clone())
        }
        _ => None,
    }
}

/// Add, Sub, Mul, Div, Pow, comparisons and logic.
pub fn binary(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    if call.version < 7 && (call.int("broadcast", 0) != 0 || call.attribute("axis").is_some()) {
        return Err(
            Error::unsupported("broadcasting as before opset 7").remedy("Export the model for a newer opset.")
        );
    }
    let made = apply(context, call.node.operator, call.tensor(0)?, call.tensor(1)?)?;
    Ok(vec![Value::Tensor(made)])
}

/// Sum, Mean, Max, Min of any number of tensors.
pub fn variadic(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let operator = match call.node.operator {
        "Sum" | "Mean" => "Add",
        other => other,
    };
    let mut made = call.tensor(0)?.clone();
    for place in 1..call.inputs.len() {
        made = apply(context, operator, &made, call.tensor(place)?)?;
    }
    if call.node.operator == "Mean" {
        let count = Tensor::numbers(made.kind, Vec::new(), vec![call.inputs.len() as f64]);
        made = apply(context, "Div", &made, &count)?;
    }
    Ok(vec![Value::Tensor(made)])
}

/// What an operator makes of two constants.
fn fold(operator: &str, a: f64, b: f64) -> Option<f64> {
    Some(match operator {
        "Add" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        "Div" => a / b,
        "Pow" => a.powf(b),
        "Max" => a.max(b),
        "Min" => a.min(b),
        "Less" => f64::from(a < b),
        "LessOrEqual" => f64::from(a <= b),
        "Greater" => f64::from(a > b),
        "GreaterOrEqual" => f64::from(a >= b),
        "Equal" => f64::from(a == b),
        "And" => f64::from(a != 0.0 && b != 0.0),
        "Or" => f64::from(a != 0.0 || b != 0.0),
        _ => return None,
    })
}

/// One operator of two tensors.
pub fn apply(context: &mut Context, operator: &str, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let meeting = meet(context, a, b)?;
    let kind = match operator {
        "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "Equal" | "And" | "Or" => Kind::Bool,
        _ => a.kind,
    };
    let nature = match (a.nature, b.nature) {
        (Nature::Scores, _) | (_, Nature::Scores) if keeps_scores(operator) => Nature::Scores,
        _ => Nature::Plain,
    };
    let made = |data| Tensor { kind, shape: meeting.shape.clone(), batch: meeting.batch, data, nature };
    let (left, right): (Vec<usize>, Vec<usize>) = meeting.pairs.iter().copied().unzip();
    if operator == "Equal"
        && let Some(data) = equal_in_table(context, a, b, &meeting)?
    {
        return Ok(made(data));
    }
    let numbers = |numbers: &[f64], places: &[usize]| places.iter().map(|&place| numbers[place]).collect::<Vec<_>>();
    let wires = |wires: Vec<Wire>, places: &[usize]| places.iter().map(|&place| wires[place]).collect::<Vec<_>>();
    let data = match (&a.data, &b.data) {
        (Data::Numbers(_), Data::Numbers(_)) if operator == "Div" && kind == Kind::Int => {
            return Err(Error::unsupported("a division of whole numbers"));
        }
        (Data::Numbers(x), Data::Numbers(y)) => {
            let unknown = || Error::unsupported("an operator of constants");
            let fold = |(&a, &b): (&usize, &usize)| fold(operator, x[a], y[b]).map(|value| kind.fit(value));
            let folded: Option<Vec<f64>> = left.iter().zip(&right).map(fold).collect();
            Data::Numbers(Rc::new(folded.ok_or_else(unknown)?))
        }
        (_, Data::Numbers(y)) => {
            let x = context.wires(a)?;
            Data::Wires(with_constant(context, operator, wires(x, &left), numbers(y, &right), kind)?)
        }
        (Data::Numbers(x), _) => {
            let y = context.wires(b)?;
            let (x, y) = (numbers(x, &left), wires(y, &right));
            Data::Wires(of_constant(context, operator, x, y, kind)?)
        }
        _ => {
            let (x, y) = (context.wires(a)?, context.wires(b)?);
            Data::Wires(of_wires(context, operator, wires(x, &left), wires(y, &right), kind)?)
        }
    };
    Ok(made(data))
}

/// Equal where one side is a place in a table or a string: which entries of the table match is known beforehand.
fn equal_in_table(context: &mut Context, a: &Tensor, b: &Tensor, meeting: &Meeting) -> Result<Option<Data>> {
    let (varying, constant, swapped) = match (&a.data, &b.data) {
        (Data::Places(..) | Data::Wires(_), Data::Numbers(_) | Data::Texts(_)) => (a, b, false),
        (Data::Numbers(_) | Data::Texts(_), Data::Places(..) | Data::Wires(_)) => (b, a, true),
        _ => return Ok(None),
    };
    let cells = constant.table()?;
    let mut made = Vec::with_capacity(meeting.pairs.len());
    for &(x, y) in &meeting.pairs {
        let (own, other) = if swapped { (y, x) } else { (x, y) };
        let cell = &cells[other];
        made.push(match &varying.data {
            Data::Places(wires, table) => {
                let same: Vec<f64> = table.iter().map(|entry| f64::from(entry == cell)).collect();
                context.spend(same.len())?;
                context.look_up(&wires[own..=own], &same)?[0]
            }
            Data::Wires(wires) if varying.kind == Kind::Text => {
                context.push_one(equal(cell.clone()), vec![wires[own]])?
            }
            Data::Wires(wires) if !cell.is_missing() => context.push_one(equal(cell.clone()), vec![wires[own]])?,
            // Nothing equals NaN.
            _ => context.push_one(Op::Constant(vec![0.0]), Vec::new())?,
        });
    }
    Ok(Some(Data::Wires(made)))
}

/// `op` of the columns whose constant is the same number, for all such numbers.
fn by_constant(
    context: &mut Context,
    wires: Vec<Wire>,
    constants: &[f64],
    op: impl Fn(f64) -> Option<Op>,
) -> Result<Vec<Wire>> {
    let mut made: Vec<Option<Wire>> = vec![None; wires.len()];
    for place in 0..wires.len() {
        if made[place].is_some() {
            continue;
        }
        let same: Vec<usize> = (place..wires.len())
            .filter(|&other| constants[other].to_bits() == constants[place].to_bits() && made[other].is_none())
            .collect();
        context.spend(wires.len() - place)?;
        let op = op(constants[place])
            .ok_or_else(|| Error::unsupported(format!("the constant {} of this operator", constants[place])))?;
        let of = same.iter().map(|&place| wires[place]).collect();
        for (place, wire) in same.iter().zip(context.push(op, of)?) {
            made[*place] = Some(wire);
        }
    }
    Ok(made.into_iter().flatten().collect())
}

fn with_constant(
    context: &mut Context,
    operator: &str,
    wires: Vec<Wire>,
    constants: Vec<f64>,
    kind: Kind,
) -> Result<Vec<Wire>> {
    let count = wires.len();
    let op = match operator {
        "Add" => Op::Linear { scale: vec![1.0; count], offset: constants },
        "Sub" => Op::Linear { scale: vec![1.0; count], offset: constants.iter().map(|x| -x).collect() },
        "Mul" | "And" => Op::Linear { scale: constants, offset: vec![0.0; count] },
        "Div" if kind == Kind::Int => return Err(Error::unsupported("a division of whole numbers")),
        "Div" => Op::Standardize { mean: None, scale: Some(constants) },
        "Pow" => return power(context, wires, &constants, kind),
        "Max" => {
            return by_constant(context, wires, &constants, |low| {
                (!low.is_nan()).then_some(Op::Clip { low, high: f64::INFINITY })
            });
        }
        "Min" => {
            return by_constant(context, wires, &constants, |high| {
                (!high.is_nan()).then_some(Op::Clip { low: f64::NEG_INFINITY, high })
            });
        }
        "Greater" => return by_constant(context, wires, &constants, |threshold| Some(Op::Above { threshold })),
        "Less" => return by_constant(context, wires, &constants, |threshold| Some(Op::Below { threshold })),
        "LessOrEqual" | "GreaterOrEqual" => {
            let reverse = if operator == "LessOrEqual" { "Greater" } else { "Less" };
            let made = with_constant(context, reverse, wires, constants, kind)?;
            return complement(context, made);
        }
        "Or" => {
            let op = Op::Linear { scale: vec![1.0; count], offset: constants };
            let sum = context.push(op, wires)?;
            return context.push(Op::Above { threshold: 0.5 }, sum);
        }
        _ => return Err(Error::unsupported("an operator of a column and a constant")),
    };
    context.rounded(op, wires, kind)
}

fn of_constant(
    context: &mut Context,
    operator: &str,
    constants: Vec<f64>,
    wires: Vec<Wire>,
    kind: Kind,
) -> Result<Vec<Wire>> {
    let count = wires.len();
    let op = match operator {
        "Add" | "Mul" | "Max" | "Min" | "And" | "Or" => {
            return with_constant(context, operator, wires, constants, kind);
        }
        "Greater" => return with_constant(context, "Less", wires, constants, kind),
        "Less" => return with_constant(context, "Greater", wires, constants, kind),
        "GreaterOrEqual" => return with_constant(context, "LessOrEqual", wires, constants, kind),
        "LessOrEqual" => return with_constant(context, "GreaterOrEqual", wires, constants, kind),
        "Sub" => Op::Linear { scale: vec![-1.0; count], offset: constants },
        "Div" if kind != Kind::Int => {
            let inverse = context.push(Op::Function(Function::Reciprocal), wires)?;
            let op = Op::Linear { scale: constants, offset: vec![0.0; count] };
            return context.rounded(op, inverse, kind);
        }
        "Pow" if constants.iter().all(|&base| base > 0.0) => {
            let scaled = constants.iter().map(|base| base.ln()).collect();
            let exponents = scale(context, wires, scaled, vec![0.0; count])?;
            return context.rounded(Op::Function(Function::Exp), exponents, kind);
        }
        _ => return Err(Error::unsupported("an operator of a constant and a column")),
    };
    context.rounded(op, wires, kind)
}

/// Whole powers, and roots of two.
fn power(context: &mut Context, wires: Vec<Wire>, constants: &[f64], kind: Kind) -> Result<Vec<Wire>> {
    let exponent = constants.first().copied().unwrap_or(1.0);
    if constants.iter().any(|&other| other != exponent) {
        return Err(Error::unsupported("columns to the power of different exponents"));
    }
    let count = wires.len() as u32;
    let op = match exponent {
        1.0 => return Ok(wires),
        2.0 => Op::Function(Function::Square),
        0.5 => Op::Function(Function::Sqrt),
        -1.0 => Op::Function(Function::Reciprocal),
        -0.5 => {
            let root = context.push(Op::Function(Function::Sqrt), wires)?;
            return context.rounded(Op::Function(Function::Reciprocal), root, kind);
        }
        _ if exponent.fract() == 0.0 && (0.0..=16.0).contains(&exponent) => {
            Op::Products { terms: (0..count).map(|place| vec![place; exponent as usize]).collect() }
        }
        _ => return Err(Error::unsupported(format!("a power of {exponent}"))),
    };
    context.rounded(op, wires, kind)
}

/// The smaller of each pair: the lower median of two.
pub fn smaller(context: &mut Context, x: Vec<Wire>, y: Vec<Wire>) -> Result<Vec<Wire>> {
    let median = |(x, y)| context.push_one(Op::WeightedMedian { weights: vec![1.0, 1.0] }, vec![x, y]);
    x.into_iter().zip(y).map(median).collect()
}

/// The larger of each pair.
pub fn larger(context: &mut Context, x: Vec<Wire>, y: Vec<Wire>) -> Result<Vec<Wire>> {
    let x = context.push(Op::Function(Function::Negative), x)?;
    let y = context.push(Op::Function(Function::Negative), y)?;
    let made = smaller(context, x, y)?;
    context.push(Op::Function(Function::Negative), made)
}

fn of_wires(context: &mut Context, operator: &str, x: Vec<Wire>, y: Vec<Wire>, kind: Kind) -> Result<Vec<Wire>> {
    let difference = |context: &mut Context, x: Vec<Wire>, y: Vec<Wire>| {
        context.push(Op::Combine { weights: vec![1.0, -1.0], divide: 1.0 }, [x, y].concat())
    };
    match operator {
        "Add" => context.rounded(Op::Combine { weights: vec![1.0, 1.0], divide: 1.0 }, [x, y].concat(), kind),
        "Sub" => context.rounded(Op::Combine { weights: vec![1.0, -1.0], divide: 1.0 }, [x, y].concat(), kind),
        "Mul" | "And" => context.rounded(Op::Multiply, [x, y].concat(), kind),
        "Div" if kind != Kind::Int => {
            let inverse = context.push(Op::Function(Function::Reciprocal), y)?;
            context.rounded(Op::Multiply, [x, inverse].concat(), kind)
        }
        "Min" => smaller(context, x, y),
        "Max" => larger(context, x, y),
        "Or" => {
            let sum = context.push(Op::Combine { weights: vec![1.0, 1.0], divide: 1.0 }, [x, y].concat())?;
            context.push(Op::Above { threshold: 0.5 }, sum)
        }
        "Greater" | "Less" => {
            let (x, y) = if operator == "Less" { (y, x) } else { (x, y) };
            let by = difference(context, x, y)?;
            context.push(Op::Above { threshold: 0.0 }, by)
        }
        "GreaterOrEqual" | "LessOrEqual" => {
            let reverse = if operator == "LessOrEqual" { "Greater" } else { "Less" };
            let made = of_wires(context, reverse, x, y, kind)?;
            complement(context, made)
        }
        "Equal" => {
            let by = difference(context, x, y)?;
            let zeros = vec![0.0; by.len()];
            equals(context, &by, &zeros)
        }
        _ => Err(Error::unsupported("an operator of two columns")),
    }
}

/// Where: filling missing values where that is what it does, else the sum of both sides, each times its condition.
pub fn choose(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let (condition, yes, no) = (call.tensor(0)?, call.tensor(1)?, call.tensor(2)?);
    if let (Data::Wires(indicators), Data::Numbers(_), Data::Wires(wires)) = (&condition.data, &yes.data, &no.data)
        && indicators.len() == wires.len()
        && condition.shape == no.shape
        && indicators
            .iter()
            .zip(wires)
            .all(|(&indicator, &wire)| is_missing_of(&context.builder.graph, indicator) == Some(wire))
    {
        let meeting = meet(context, no, yes)?;
        if meeting.shape == no.shape {
            let table = yes.table()?;
            let fill = meeting.pairs.iter().map(|&(_, place)| table[place].clone()).collect();
            let made = context.push(Op::Impute { missing: Marker::Nan, fill }, wires.clone())?;
            return Ok(vec![Value::Tensor(no.with(no.kind, Data::Wires(made)))]);
        }
    }
    if let (Data::Wires(flags), Data::Texts(fill), Data::Wires(wires)) = (&condition.data, &yes.data, &no.data)
        && no.kind == Kind::Text
        && let ([flag], [fill], [wire]) = (&flags[..], &fill[..], &wires[..])
        && let Some(missing) = is_value_of(&context.builder.graph, *flag, *wire)
    {
        let op = Op::Impute { missing: Marker::Value(missing), fill: vec![Cell::Str(fill.clone())] };
        let made = context.push(op, wires.clone())?;
        return Ok(vec![Value::Tensor(no.with(Kind::Text, Data::Wires(made)))]);
    }
    if let (Data::Texts(yes), Data::Texts(no), [_]) = (&yes.data, &no.data, &condition.shape[..])
        && let ([yes], [no]) = (&yes[..], &no[..])
    {
        let place = context.wires(condition)?;
        let table = Rc::new(vec![Cell::Str(no.clone()), Cell::Str(yes.clone())]);
        return Ok(vec![Value::Tensor(condition.with(Kind::Text, Data::Places(place, table)))]);
    }
    let finite = |tensor: &Tensor| match &tensor.data {
        Data::Numbers(numbers) => numbers.iter().all(|number| number.is_finite()),
        _ => true,
    };
    if !finite(yes) || !finite(no) {
        return Err(Error::unsupported("a choice of values that are not finite"));
    }
    let float = |tensor: &Tensor| Tensor { kind: Kind::Double, ..tensor.clone() };
    let (condition, chosen, other) = (float(condition), float(yes), float(no));
    let one = Tensor::numbers(Kind::Double, Vec::new(), vec![1.0]);
    let unless = apply(context, "Sub", &one, &condition)?;
    let chosen = apply(context, "Mul", &condition, &chosen)?;
    let other = apply(context, "Mul", &unless, &other)?;
    let made = apply(context, "Add", &chosen, &other)?;
    Ok(vec![Value::Tensor(Tensor { kind: yes.kind, ..made })])
}

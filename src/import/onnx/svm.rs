//! Support vector machines of ai.onnx.ml, which lists vectors and coefficients as libsvm does.

use super::reduce::post_transform;
use super::value::{Kind, Nature, Tensor, Value};
use super::{Call, Context, labelled};
use crate::model::{Coefficients, KernelSum, Matrix, Op, PairKernel, Wire, pairs};
use crate::{Error, Result};

/// None is the linear kernel.
fn kernel(call: &Call) -> Result<Option<PairKernel>> {
    let parameters = call.floats("kernel_params");
    let [gamma, coef0, degree] = [0, 1, 2].map(|place| parameters.get(place).copied().unwrap_or(0.0));
    Ok(match call.choice("kernel_type", "LINEAR")? {
        "LINEAR" => None,
        "RBF" => Some(PairKernel::Rbf { gamma }),
        "SIGMOID" => Some(PairKernel::Sigmoid { gamma, coef0 }),
        "POLY" if degree.fract() == 0.0 && (0.0..=100.0).contains(&degree) => {
            Some(PairKernel::Polynomial { gamma, coef0, degree: degree as u32 })
        }
        "POLY" => return Err(Error::unsupported(format!("a polynomial kernel of degree {degree}"))),
        other => return Err(Error::malformed(format!("the kernel {other}"))),
    })
}

fn sum(
    context: &mut Context,
    call: &Call,
    count: usize,
    coef: Coefficients,
    intercept: Vec<f64>,
) -> Result<Vec<Wire>> {
    let wires = context.row(call.tensor(0)?)?;
    let vectors = Matrix::new(count, wires.len(), call.floats("support_vectors").to_vec())?;
    let kernel_sum = |kernel| KernelSum { kernel, vectors: vectors.clone(), coef: coef.clone(), intercept };
    match kernel(call)? {
        Some(kernel) => context.rounded(Op::KernelSum(kernel_sum(kernel)), wires, Kind::Float),
        None => {
            let sum = kernel_sum(PairKernel::AdditiveChiSquared);
            sum.check(wires.len())?;
            let op = Op::Affine { coef: sum.folded()?, intercept: sum.intercept };
            context.rounded(op, wires, Kind::Float)
        }
    }
}

pub fn regressor(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let count = usize::try_from(call.int("n_supports", 0)).map_err(|_| Error::malformed("n_supports"))?;
    let (coef, rho) = (call.floats("coefficients").to_vec(), call.floats("rho").to_vec());
    let [rho] = rho[..] else {
        return Err(Error::malformed(format!("{} values of rho; one is expected", rho.len())));
    };
    let made = if count == 0 {
        let wires = context.row(call.tensor(0)?)?;
        let coef = Matrix::new(1, wires.len(), coef)?;
        context.rounded(Op::Affine { coef, intercept: vec![rho] }, wires, Kind::Float)?
    } else {
        let coef = Matrix::new(1, count, coef)?;
        sum(context, call, count, Coefficients::Dense(coef), vec![rho])?
    };
    if call.int("one_class", 0) != 0 {
        return Err(Error::unsupported("one_class"));
    }
    let made = match call.choice("post_transform", "NONE")? {
        "NONE" => made,
        other => return Err(Error::unsupported(format!("the post_transform {other}"))),
    };
    Ok(vec![Value::Tensor(Tensor::columns(Kind::Float, made))])
}

/// One decision a pair of classes, which votes for the first class above zero. Of equal votes the first class.
pub fn classifier(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let classes = call.labels("classlabels_strings", "classlabels_ints")?;
    let counts: Option<Vec<u32>> =
        call.ints("vectors_per_class").iter().map(|&count| u32::try_from(count).ok()).collect();
    let counts = counts
        .filter(|counts| counts.len() == classes.len() && classes.len() > 1)
        .ok_or_else(|| Error::unsupported("a classifier without support vectors of each class (liblinear's form)"))?;
    let total = counts.iter().fold(0usize, |total, &count| total.saturating_add(count as usize));
    let by_class = classes.len() as u32;
    let coef = Matrix::new(classes.len() - 1, total, call.floats("coefficients").to_vec())?;
    let decisions = sum(context, call, total, Coefficients::Pairs { counts, coef }, call.floats("rho").to_vec())?;
    let (a, b) = (call.floats("prob_a").to_vec(), call.floats("prob_b").to_vec());
    let transform = call.choice("post_transform", "NONE")?;
    if transform != "NONE" {
        return Err(Error::unsupported(format!("the post_transform {transform}")));
    }
    let votes = context.push(Op::PairVotes { classes: by_class, confidences: false }, decisions.clone())?;
    let label = context.push_one(Op::Argmax, votes)?;
    let made = if !a.is_empty() {
        if a.len() != pairs(classes.len()) {
            return Err(Error::malformed(format!("{} entries of prob_a", a.len())));
        }
        let probabilities = context.push(Op::PairProbabilities { classes: by_class, a, b }, decisions)?;
        Tensor::columns(Kind::Float, probabilities)
    } else {
        let scores = match decisions[..] {
            [_] => {
                let made = post_transform(context, transform, decisions)?;
                context.push(Op::Mirror, made)?
            }
            _ => decisions,
        };
        Tensor::columns(Kind::Float, scores).natured(Nature::Scores)
    };
    Ok(vec![labelled(label, classes), Value::Tensor(made)])
}

//! Support vector machines. More than two classes are one machine a pair, as smartcore's MultiClassSVC has it; the
//! pairs are fitted here one by one, because that one breaks ties of the vote at random (by the order of a hash map).

use super::{Fitted, Job, Made, Own, argmax, failed, finite, state};
use crate::model::{Coefficients, KernelSum, Matrix, Op, PairKernel};
use crate::{Error, Result};
use ndarray::{Array2, Axis};
use serde::Deserialize;
use serde_json::{Value, json};
use smartcore::svm::Kernels;
use smartcore::svm::svc::{SVC, SVCParameters};
use smartcore::svm::svr::{SVR, SVRParameters};

pub fn parameters() -> Value {
    json!({"c": 1.0, "kernel": "rbf", "gamma": null, "degree": 3, "coef0": 0.0, "epoch": 2})
}

pub fn regression_parameters() -> Value {
    json!({"c": 1.0, "eps": 0.1, "kernel": "rbf", "gamma": null, "degree": 3, "coef0": 0.0})
}

enum Kernel {
    Linear,
    Pair(PairKernel),
}

/// The kernel, ours and smartcore's. `gamma` is 1 / (columns × variance) where it is not given, as scikit-learn's
/// `scale`.
fn kernel(job: &Job) -> Result<(Kernel, Kernels, f64)> {
    let count = job.x.len().max(1) as f64;
    let mean = job.x.sum() / count;
    let variance = job.x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let automatic = if variance > 0.0 { 1.0 / (job.x.ncols() as f64 * variance) } else { 1.0 };
    let gamma = job.parameters.maybe_number("gamma", 1e-12, 1e12)?.unwrap_or(automatic);
    let coef0 = job.parameters.number("coef0", -1e12, 1e12)?;
    let degree = job.parameters.count("degree", 1, 20)?;
    Ok(match job.parameters.choice("kernel", &["linear", "rbf", "polynomial", "sigmoid"])? {
        "linear" => (Kernel::Linear, Kernels::linear(), gamma),
        "rbf" => (Kernel::Pair(PairKernel::Rbf { gamma }), Kernels::rbf().with_gamma(gamma), gamma),
        "polynomial" => {
            let pair = PairKernel::Polynomial { gamma, coef0, degree: degree as u32 };
            let own = Kernels::polynomial().with_gamma(gamma).with_coef0(coef0).with_degree(degree as f64);
            (Kernel::Pair(pair), own, gamma)
        }
        _ => {
            let own = Kernels::sigmoid().with_gamma(gamma).with_coef0(coef0);
            (Kernel::Pair(PairKernel::Sigmoid { gamma, coef0 }), own, gamma)
        }
    })
}

#[derive(Deserialize)]
struct Machine {
    instances: Vec<Vec<f64>>,
    w: Vec<f64>,
    b: f64,
}

impl Machine {
    /// Σ w k(x, s) + b as an operation.
    fn op(&self, kernel: &Kernel, columns: usize) -> Result<Op> {
        finite(self.w.iter().chain([&self.b]))?;
        let pair = match kernel {
            Kernel::Pair(pair) if !self.w.is_empty() => *pair,
            // A linear machine is an affine map; one without vectors is its constant.
            _ => {
                let mut coef = vec![0.0; columns];
                for (vector, w) in self.instances.iter().zip(&self.w) {
                    coef.iter_mut().zip(vector).for_each(|(sum, x)| *sum += w * x);
                }
                return Ok(Op::Affine { coef: Matrix::new(1, columns, coef)?, intercept: vec![self.b] });
            }
        };
        Ok(Op::KernelSum(KernelSum {
            kernel: pair,
            vectors: Matrix::new(self.instances.len(), columns, self.instances.concat())?,
            coef: Coefficients::Dense(Matrix::new(1, self.w.len(), self.w.clone())?),
            intercept: vec![self.b],
        }))
    }
}

pub fn classifier(job: &Job) -> Result<Fitted> {
    let (of, count) = job.classes()?;
    let columns = job.x.ncols();
    let (kernel, own_kernel, gamma) = kernel(job)?;
    let mut parameters: SVCParameters<f64, i32, Array2<f64>, Vec<i32>> = SVCParameters::default()
        .with_c(job.parameters.number("c", 1e-9, 1e9)?)
        .with_epoch(job.parameters.count("epoch", 1, 1000)?)
        .with_seed(Some(job.seed));
    parameters = parameters.with_kernel(own_kernel);
    let mut ops = Vec::new();
    let mut votes = job.check.map(|rows| vec![vec![0.0; count]; rows.nrows()]);
    for first in 0..count as u32 {
        for second in first + 1..count as u32 {
            let places: Vec<usize> = (0..of.len()).filter(|&row| of[row] == first || of[row] == second).collect();
            // Two classes: the second is above zero. A pair of more: the first, as the vote has it.
            let above = if count == 2 { second } else { first };
            let y: Vec<i32> = places.iter().map(|&row| i32::from(of[row] == above)).collect();
            if !y.contains(&0) || !y.contains(&1) {
                return Err(Error::input("a class without a row in the training part"));
            }
            let x = job.x.select(Axis(0), &places);
            let model = SVC::fit(&x, &y, &parameters).map_err(failed)?;
            if let (Some(votes), Some(rows)) = (&mut votes, job.check) {
                for (votes, label) in votes.iter_mut().zip(model.predict(rows).map_err(failed)?) {
                    let winner = match (label > 0.5, above == first) {
                        (true, true) | (false, false) => first,
                        _ => second,
                    };
                    votes[winner as usize] += 1.0;
                }
            }
            let machine: Machine = state(&model)?;
            ops.push(machine.op(&kernel, columns)?);
        }
    }
    let own = votes.map(|votes| {
        let best =
            |row: &Vec<f64>| (0..count).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        Own { predicted: votes.iter().map(|row| best(row) as f64).collect(), probabilities: None }
    });
    let mut fitted = Fitted::new(
        move |graph, wires| {
            let mut scores = Vec::new();
            for op in &ops {
                scores.push(graph.push_one(op.clone(), wires.to_vec(), "SVC")?);
            }
            if count == 2 {
                let label = graph.push_one(Op::Above { threshold: 0.0 }, scores.clone(), "SVC")?;
                return Ok(Made::Classes { label, probabilities: None, scores: Some(scores) });
            }
            let vote = Op::PairVotes { classes: count as u32, confidences: false };
            let votes = graph.push(vote, scores, "SVC")?;
            let label = argmax(graph, &votes, "SVC")?;
            Ok(Made::Classes { label, probabilities: None, scores: Some(votes) })
        },
        own,
    )?;
    fitted.chosen.insert("gamma".into(), json!(gamma));
    Ok(fitted)
}

pub fn regressor(job: &Job) -> Result<Fitted> {
    let y = job.values()?.to_vec();
    let columns = job.x.ncols();
    let (kernel, own_kernel, gamma) = kernel(job)?;
    let parameters = SVRParameters::default()
        .with_c(job.parameters.number("c", 1e-9, 1e9)?)
        .with_eps(job.parameters.number("eps", 0.0, 1e12)?)
        .with_kernel(own_kernel);
    let model = SVR::fit(job.x, &y, &parameters).map_err(failed)?;
    let own = job.check.map(|rows| model.predict(rows).map_err(failed)).transpose()?;
    let machine: Machine = state(&model)?;
    let op = machine.op(&kernel, columns)?;
    let mut fitted = Fitted::new(
        move |graph, wires| Ok(Made::Value(graph.push_one(op.clone(), wires.to_vec(), "SVR")?)),
        own.map(|predicted| Own { predicted, probabilities: None }),
    )?;
    fitted.chosen.insert("gamma".into(), json!(gamma));
    Ok(fitted)
}

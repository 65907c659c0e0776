//! Support vector machines, by libsvm-rs: LIBSVM's solver, kernel cache and shrinking in Rust. smartcore's own have no
//! such cache and take minutes where these take a second; docs/training.md has the figures. More than two classes are
//! one machine a pair, which share their vectors.

use super::{Fitted, Job, Made, Own, argmax, finite};
use crate::model::{Coefficients, KernelSum, Matrix, Op, PairKernel};
use crate::{Error, Result};
use libsvm_rs::predict::predict_values;
use libsvm_rs::train::svm_train;
use libsvm_rs::{KernelType, SvmModel, SvmNode, SvmParameter, SvmProblem, SvmType, check_parameter, set_quiet};
use ndarray::{Array2, ArrayView1, Axis};
use serde_json::{Value, json};

/// Megabytes of kernel values kept, scikit-learn's default. With more the rows are fewer to make again but farther
/// away: five times as much took as long at 40,000 rows.
const CACHE: f64 = 200.0;

pub fn parameters() -> Value {
    json!({"c": 1.0, "kernel": "rbf", "gamma": null, "degree": 3, "coef0": 0.0})
}

pub fn regression_parameters() -> Value {
    json!({"c": 1.0, "eps": 0.1, "kernel": "rbf", "gamma": null, "degree": 3, "coef0": 0.0})
}

/// LIBSVM's parameters. `gamma` is 1 / (columns × variance) where it is not given, as scikit-learn's `scale`.
fn wanted(job: &Job, svm_type: SvmType) -> Result<SvmParameter> {
    let count = job.x.len().max(1) as f64;
    let mean = job.x.sum() / count;
    let variance = job.x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let automatic = if variance > 0.0 { 1.0 / (job.x.ncols() as f64 * variance) } else { 1.0 };
    let kernel_type = match job.parameters.choice("kernel", &["linear", "rbf", "polynomial", "sigmoid"])? {
        "linear" => KernelType::Linear,
        "rbf" => KernelType::Rbf,
        "polynomial" => KernelType::Polynomial,
        _ => KernelType::Sigmoid,
    };
    Ok(SvmParameter {
        svm_type,
        kernel_type,
        degree: job.parameters.count("degree", 1, 20)? as i32,
        gamma: job.parameters.maybe_number("gamma", 1e-12, 1e12)?.unwrap_or(automatic),
        coef0: job.parameters.number("coef0", -1e12, 1e12)?,
        c: job.parameters.number("c", 1e-9, 1e9)?,
        cache_size: CACHE,
        ..SvmParameter::default()
    })
}

/// A row as LIBSVM has it: numbered from 1, without its zeros.
fn nodes(row: ArrayView1<f64>) -> Vec<SvmNode> {
    let present = row.into_iter().enumerate().filter(|(_, value)| **value != 0.0);
    present.map(|(place, &value)| SvmNode { index: place as i32 + 1, value }).collect()
}

/// Fits these rows of the job, in this order, on a label each.
fn fit(job: &Job, rows: &[usize], labels: Vec<f64>, parameter: &SvmParameter) -> Result<SvmModel> {
    set_quiet(true);
    let instances = rows.iter().map(|&row| nodes(job.x.row(row))).collect();
    let problem = SvmProblem { labels, instances };
    check_parameter(&problem, parameter).map_err(|error| Error::input(error.to_string()))?;
    let model = svm_train(&problem, parameter);
    finite(model.sv_coef.iter().flatten().chain(&model.rho))?;
    Ok(model)
}

/// The decisions as an operation: coefficients times kernel values less rho, all times `sign`.
fn decisions(model: &SvmModel, columns: usize, sign: f64) -> Result<Op> {
    let count = model.sv.len();
    let intercept: Vec<f64> = model.rho.iter().map(|rho| -rho * sign).collect();
    let SvmParameter { kernel_type, gamma, coef0, degree, .. } = model.param;
    if count == 0 {
        // Every row is within eps of one value.
        return Ok(Op::Affine { coef: Matrix::new(1, columns, vec![0.0; columns])?, intercept });
    }
    let mut vectors = vec![0.0; count * columns];
    for (vector, nodes) in vectors.chunks_mut(columns).zip(&model.sv) {
        nodes.iter().for_each(|node| vector[node.index as usize - 1] = node.value);
    }
    let coef: Vec<f64> = model.sv_coef.iter().flatten().map(|coef| coef * sign).collect();
    let coef = Matrix::new(model.sv_coef.len(), count, coef)?;
    let coef = match model.n_sv.len() {
        ..=2 => Coefficients::Dense(coef),
        _ => Coefficients::Pairs { counts: model.n_sv.iter().map(|&count| count as u32).collect(), coef },
    };
    let kernel = match kernel_type {
        KernelType::Polynomial => PairKernel::Polynomial { gamma, coef0, degree: degree as u32 },
        KernelType::Sigmoid => PairKernel::Sigmoid { gamma, coef0 },
        _ => PairKernel::Rbf { gamma },
    };
    let sum = KernelSum { kernel, vectors: Matrix::new(count, columns, vectors)?, coef, intercept };
    Ok(match kernel_type {
        KernelType::Linear => Op::Affine { coef: sum.folded()?, intercept: sum.intercept },
        _ => Op::KernelSum(sum),
    })
}

/// libsvm-rs' own decisions of some rows.
fn own(model: &SvmModel, rows: &Array2<f64>) -> Vec<Vec<f64>> {
    let decide = |row: ArrayView1<f64>| {
        let mut values = vec![0.0; model.rho.len()];
        predict_values(model, &nodes(row), &mut values);
        values
    };
    rows.axis_iter(Axis(0)).map(decide).collect()
}

/// The class of the most votes, the first of several, as LIBSVM has it; libsvm-rs' `predict` takes the last.
fn vote(decisions: &[f64], classes: usize) -> usize {
    let mut votes = vec![0; classes];
    let mut decisions = decisions.iter();
    for first in 0..classes {
        for (second, decision) in (first + 1..classes).zip(&mut decisions) {
            votes[if *decision > 0.0 { first } else { second }] += 1;
        }
    }
    (0..classes).fold(0, |best, class| if votes[class] > votes[best] { class } else { best })
}

pub fn classifier(job: &Job) -> Result<Fitted> {
    let (of, count) = job.classes()?;
    let parameter = wanted(job, SvmType::CSvc)?;
    // LIBSVM numbers classes as they come.
    let mut rows: Vec<usize> = (0..of.len()).collect();
    rows.sort_by_key(|&row| of[row]);
    let model = fit(job, &rows, rows.iter().map(|&row| f64::from(of[row])).collect(), &parameter)?;
    let own = job.check.map(|rows| Own {
        predicted: own(&model, rows).iter().map(|decisions| vote(decisions, count) as f64).collect(),
        probabilities: None,
    });
    // The score of two classes is of the second; LIBSVM decides for the first.
    let op = decisions(&model, job.x.ncols(), if count == 2 { -1.0 } else { 1.0 })?;
    let mut fitted = Fitted::new(
        move |graph, wires| {
            let decisions = graph.push(op.clone(), wires.to_vec(), "SVC")?;
            if count == 2 {
                let first = graph.push(Op::Below { threshold: 0.0 }, decisions.clone(), "SVC")?;
                let label = graph.push_one(Op::Linear { scale: vec![-1.0], offset: vec![1.0] }, first, "SVC")?;
                return Ok(Made::Classes { label, probabilities: None, scores: Some(decisions) });
            }
            let votes = graph.push(Op::PairVotes { classes: count as u32, confidences: false }, decisions, "SVC")?;
            let label = argmax(graph, &votes, "SVC")?;
            Ok(Made::Classes { label, probabilities: None, scores: Some(votes) })
        },
        own,
    )?;
    fitted.chosen.insert("gamma".into(), json!(parameter.gamma));
    Ok(fitted)
}

pub fn regressor(job: &Job) -> Result<Fitted> {
    let mut parameter = wanted(job, SvmType::EpsilonSvr)?;
    parameter.p = job.parameters.number("eps", 0.0, 1e12)?;
    let rows: Vec<usize> = (0..job.x.nrows()).collect();
    let model = fit(job, &rows, job.values()?.to_vec(), &parameter)?;
    let own = job.check.map(|rows| Own { predicted: own(&model, rows).concat(), probabilities: None });
    let op = decisions(&model, job.x.ncols(), 1.0)?;
    let mut fitted =
        Fitted::new(move |graph, wires| Ok(Made::Value(graph.push_one(op.clone(), wires.to_vec(), "SVR")?)), own)?;
    fitted.chosen.insert("gamma".into(), json!(parameter.gamma));
    Ok(fitted)
}

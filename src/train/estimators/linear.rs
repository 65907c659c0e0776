//! Linear models. Penalties are in scikit-learn's terms, so that `alpha=1` is the same there: smartcore's lasso and
//! elastic net minimise |y - Xw|² where scikit-learn has |y - Xw|² / 2n.
//!
//! The columns come standardised, and the penalised regressions get the target less its mean: smartcore has no
//! intercept for ridge without its own scaling (which refuses constant columns), and elastic net would take the mean
//! over rows it appends.

use super::{Fitted, Job, Made, Own, argmax, failed, finite};
use crate::model::{Function, Matrix, Op};
use crate::{Error, Result};
use ndarray::Array2;
use smartcore::linear::elastic_net::{ElasticNet, ElasticNetParameters};
use smartcore::linear::lasso::{Lasso, LassoParameters};
use smartcore::linear::linear_regression::{
    LinearRegression, LinearRegressionParameters, LinearRegressionSolverName,
};
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters, RidgeRegressionSolverName};

/// The penalty is alpha/2 |w|² beside the summed log loss: scikit-learn's C is 1 / alpha.
pub fn logistic(job: &Job) -> Result<Fitted> {
    let (of, count) = job.classes()?;
    let alpha = job.parameters.number("alpha", 0.0, 1e12)?;
    let y = of.to_vec();
    let parameters = LogisticRegressionParameters::default().with_alpha(alpha);
    let model = LogisticRegression::fit(job.x, &y, parameters).map_err(failed)?;
    let values: Vec<f64> = model.coefficients().iter().copied().collect();
    let intercept: Vec<f64> = model.intercept().iter().copied().collect();
    finite(values.iter().chain(&intercept))?;
    let coef = Matrix::new(intercept.len(), job.x.ncols(), values)?;
    let own = match job.check {
        Some(rows) => {
            let predicted = model.predict(rows).map_err(failed)?;
            Some(Own { predicted: predicted.into_iter().map(f64::from).collect(), probabilities: None })
        }
        None => None,
    };
    Fitted::new(
        move |graph, wires| {
            let op = Op::Affine { coef: coef.clone(), intercept: intercept.clone() };
            let scores = graph.push(op, wires.to_vec(), "LogisticRegression")?;
            if count > 2 {
                let label = argmax(graph, &scores, "LogisticRegression")?;
                let probabilities = graph.push(Op::Softmax, scores.clone(), "LogisticRegression")?;
                return Ok(Made::Classes { label, probabilities: Some(probabilities), scores: Some(scores) });
            }
            let second = graph.push(Op::Function(Function::Expit), scores.clone(), "LogisticRegression")?;
            let label = graph.push_one(Op::Above { threshold: 0.5 }, second.clone(), "LogisticRegression")?;
            let probabilities = graph.push(Op::Complement, second, "LogisticRegression")?;
            Ok(Made::Classes { label, probabilities: Some(probabilities), scores: Some(scores) })
        },
        own,
    )
}

/// smartcore needs more rows than columns for all of these but elastic net.
fn tall(x: &Array2<f64>) -> Result<()> {
    if x.nrows() <= x.ncols() {
        return Err(Error::input(format!(
            "{} rows to fit for {} encoded columns; more rows than columns are needed",
            x.nrows(),
            x.ncols()
        ))
        .remedy("Leave columns out (--types COLUMN=skip), or choose --model elastic-net, forest or knn."));
    }
    Ok(())
}

fn affine(coef: Vec<f64>, intercept: f64, own: Option<Vec<f64>>, path: &'static str) -> Result<Fitted> {
    finite(coef.iter().chain([&intercept]))?;
    let coef = Matrix::new(1, coef.len(), coef)?;
    let own = own.map(|predicted| Own { predicted, probabilities: None });
    Fitted::new(
        move |graph, wires| {
            let op = Op::Affine { coef: coef.clone(), intercept: vec![intercept] };
            Ok(Made::Value(graph.push_one(op, wires.to_vec(), path)?))
        },
        own,
    )
}

/// The target less its mean, and the mean.
fn centred(values: &[f64]) -> (Vec<f64>, f64) {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    (values.iter().map(|value| value - mean).collect(), mean)
}

fn shifted(predicted: Vec<f64>, mean: f64) -> Vec<f64> {
    predicted.into_iter().map(|value| value + mean).collect()
}

/// Least squares by singular values: columns that depend on each other do no harm.
pub fn linear(job: &Job) -> Result<Fitted> {
    tall(job.x)?;
    let y = job.values()?.to_vec();
    let parameters = LinearRegressionParameters { solver: LinearRegressionSolverName::SVD };
    let model = LinearRegression::<f64, f64, _, _>::fit(job.x, &y, parameters).map_err(failed)?;
    let own = job.check.map(|rows| model.predict(rows).map_err(failed)).transpose()?;
    affine(model.coefficients().iter().copied().collect(), *model.intercept(), own, "LinearRegression")
}

/// |y - Xw|² + alpha |w|²
pub fn ridge(job: &Job) -> Result<Fitted> {
    tall(job.x)?;
    let (y, mean) = centred(job.values()?);
    let parameters = RidgeRegressionParameters {
        solver: RidgeRegressionSolverName::Cholesky,
        alpha: job.parameters.number("alpha", 1e-12, 1e12)?,
        normalize: false,
    };
    let model = RidgeRegression::<f64, f64, _, _>::fit(job.x, &y, parameters).map_err(failed)?;
    let own = job.check.map(|rows| model.predict(rows).map_err(failed)).transpose()?;
    let intercept = mean + *model.intercept();
    affine(
        model.coefficients().iter().copied().collect(),
        intercept,
        own.map(|own| shifted(own, mean)),
        "RidgeRegression",
    )
}

/// |y - Xw|² / 2n + alpha |w|₁
pub fn lasso(job: &Job) -> Result<Fitted> {
    tall(job.x)?;
    let (y, mean) = centred(job.values()?);
    let parameters = LassoParameters {
        alpha: 2.0 * job.parameters.number("alpha", 0.0, 1e12)?,
        normalize: false,
        tol: 1e-4,
        max_iter: job.parameters.count("max_iter", 1, 1_000_000)?,
        fit_intercept: true,
    };
    let model = Lasso::<f64, f64, _, _>::fit(job.x, &y, parameters).map_err(failed)?;
    let own = job.check.map(|rows| model.predict(rows).map_err(failed)).transpose()?;
    let intercept = mean + *model.intercept();
    affine(model.coefficients().iter().copied().collect(), intercept, own.map(|own| shifted(own, mean)), "Lasso")
}

/// |y - Xw|² / 2n + alpha l1_ratio |w|₁ + alpha (1 - l1_ratio) / 2 |w|²
pub fn elastic_net(job: &Job) -> Result<Fitted> {
    let (y, mean) = centred(job.values()?);
    let alpha = job.parameters.number("alpha", 0.0, 1e12)?;
    let ratio = job.parameters.number("l1_ratio", 0.0, 1.0)?;
    let parameters = ElasticNetParameters {
        alpha: alpha * (1.0 + ratio),
        l1_ratio: 2.0 * ratio / (1.0 + ratio),
        normalize: false,
        tol: 1e-4,
        max_iter: job.parameters.count("max_iter", 1, 1_000_000)?,
    };
    let model = ElasticNet::<f64, f64, _, _>::fit(job.x, &y, parameters).map_err(failed)?;
    let own = job.check.map(|rows| model.predict(rows).map_err(failed)).transpose()?;
    let intercept = mean + *model.intercept();
    affine(model.coefficients().iter().copied().collect(), intercept, own.map(|own| shifted(own, mean)), "ElasticNet")
}

//! Mixtures of normal distributions (sklearn.mixture) and the elliptic envelope (sklearn.covariance): quadratic
//! forms, each an affine map and a sum of squares.

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use super::naive_bayes::{half_square_sum, log_normal};
use crate::Result;
use crate::model::{Cell, Matrix, Op, Output};
use std::f64::consts::PI;

/// The label is the likeliest component; the components' posterior probabilities are the softmax of
/// log weight + log density.
pub fn mixture(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let columns = frame.len();
    let means = estimator.matrix_over("means_", columns)?;
    let factors = estimator.array("precisions_cholesky_")?;
    let values = factors.f64s().map_err(|_| estimator.malformed("precisions_cholesky_ does not hold numbers"))?;
    let offsets = match estimator.class {
        "BayesianGaussianMixture" => bayesian(estimator, columns)?,
        _ => estimator.f64s("weights_")?.into_iter().map(f64::ln).collect(),
    };
    let kind = estimator.str("covariance_type")?;
    let expected = match kind {
        "full" => vec![means.rows, columns, columns],
        "tied" => vec![columns, columns],
        "diag" => vec![means.rows, columns],
        "spherical" => vec![means.rows],
        other => return Err(estimator.malformed(format!("covariance_type '{other}'"))),
    };
    if factors.shape != expected || offsets.len() != means.rows {
        return Err(
            estimator.malformed(format!("precisions_cholesky_ is {}; {expected:?} is expected", factors.describe()))
        );
    }
    let mut joint = Vec::with_capacity(means.rows);
    for (component, offset) in offsets.into_iter().enumerate() {
        let mean = means.row(component);
        let offset = offset - 0.5 * columns as f64 * (2.0 * PI).ln();
        joint.push(match kind {
            "full" | "tied" => {
                let size = columns * columns;
                let at = if kind == "full" { component * size } else { 0 };
                // y = (x - mean) P, and log |P| is the sum over its diagonal.
                let factor = Matrix { rows: columns, columns, values: values[at..at + size].to_vec() };
                let log_det: f64 = (0..columns).map(|column| factor.row(column)[column].ln()).sum();
                let coef = factor.transpose();
                let along = |row: &[f64]| -row.iter().zip(mean).map(|(p, mean)| p * mean).sum::<f64>();
                let intercept = (0..columns).map(|row| along(coef.row(row))).collect();
                let y = builder.graph.push(Op::Affine { coef, intercept }, frame.wires.clone(), path)?;
                half_square_sum(builder, estimator, y, offset + log_det)?
            }
            _ => {
                let factor = match kind {
                    "diag" => values[component * columns..(component + 1) * columns].to_vec(),
                    _ => vec![values[component]; columns],
                };
                let log_det: f64 = factor.iter().map(|p| p.ln()).sum();
                let scale = factor.iter().map(|p| 1.0 / p).collect();
                log_normal(builder, estimator, frame, mean, scale, offset + log_det)?
            }
        });
    }
    let samples = builder.graph.push_one(Op::LogSumExp, joint.clone(), path)?;
    builder.graph.note("score_samples", vec![samples]);
    let label = builder.graph.push_one(Op::Argmax, joint.clone(), path)?;
    let probabilities = Some(builder.graph.push(Op::Softmax, joint, path)?);
    let classes = (0..means.rows as i64).map(Cell::Int).collect();
    Ok(Output::Classification { classes, label, probabilities, scores: None })
}

/// The expected log weights and what a Wishart precision adds to the log density.
fn bayesian(estimator: &Estimator, columns: usize) -> Result<Vec<f64>> {
    let weights: Vec<f64> = match estimator.str("weight_concentration_prior_type")? {
        "dirichlet_process" => {
            let [a, b] = &estimator.list("weight_concentration_")?[..] else {
                return Err(estimator.malformed("weight_concentration_ is not a pair of arrays"));
            };
            let read = |value| {
                super::estimator::numbers(value)
                    .ok_or_else(|| estimator.malformed("weight_concentration_ does not hold numbers"))
            };
            let mut left = 0.0;
            let pairs = read(*a)?.into_iter().zip(read(*b)?);
            pairs
                .map(|(a, b)| {
                    let weight = digamma(a) - digamma(a + b) + left;
                    left += digamma(b) - digamma(a + b);
                    weight
                })
                .collect()
        }
        _ => {
            let concentration = estimator.f64s("weight_concentration_")?;
            let total = digamma(concentration.iter().sum());
            concentration.into_iter().map(|a| digamma(a) - total).collect()
        }
    };
    let freedom = estimator.f64s("degrees_of_freedom_")?;
    let precision = estimator.f64s("mean_precision_")?;
    // A tied covariance has one number of degrees of freedom for all components.
    let freedom = if freedom.len() == 1 { vec![freedom[0]; weights.len()] } else { freedom };
    if freedom.len() != weights.len() || precision.len() != weights.len() {
        return Err(estimator.malformed("degrees_of_freedom_ and mean_precision_ are of other numbers of components"));
    }
    let d = columns as f64;
    let each = weights.into_iter().zip(freedom).zip(precision);
    Ok(each
        .map(|((weight, freedom), precision)| {
            let log_lambda =
                d * 2f64.ln() + (0..columns).map(|column| digamma(0.5 * (freedom - column as f64))).sum::<f64>();
            weight - 0.5 * d * freedom.ln() + 0.5 * (log_lambda - d / precision)
        })
        .collect())
}

/// ψ(x) for x > 0: up by recurrence until the asymptotic series is good to the last bit or two.
fn digamma(mut x: f64) -> f64 {
    if x <= 0.0 || x.is_nan() {
        return f64::NAN;
    }
    let mut sum = 0.0;
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    // Bernoulli numbers over 2n: 1/12, -1/120, 1/252, -1/240, 1/132, -691/32760, 1/12.
    let terms = [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32760.0, 1.0 / 12.0];
    let series = terms.iter().rev().fold(0.0, |series, term| (series + term) * square);
    sum + x.ln() - 0.5 / x - series
}

/// score_samples is -(x - location_)' precision_ (x - location_); the decision subtracts offset_, and an outlier is
/// below it.
pub fn elliptic_envelope(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let precision = estimator.matrix_over("precision_", frame.len())?;
    let centre = Op::Standardize { mean: Some(estimator.f64s("location_")?), scale: None };
    let centred = builder.graph.push(centre, frame.wires.clone(), path)?;
    let intercept = vec![0.0; precision.rows];
    let turned = builder.graph.push(Op::Affine { coef: precision, intercept }, centred.clone(), path)?;
    let products = builder.graph.push(Op::Multiply, [centred, turned].concat(), path)?;
    let minus = Matrix { rows: 1, columns: products.len(), values: vec![-1.0; products.len()] };
    let samples = builder.graph.push_one(Op::Affine { coef: minus, intercept: vec![0.0] }, products, path)?;
    let offset = Op::Linear { scale: vec![1.0], offset: vec![-estimator.f64("offset_")?] };
    let score = builder.graph.push_one(offset, vec![samples], path)?;
    let outlier = builder.graph.push_one(Op::Below { threshold: 0.0 }, vec![score], path)?;
    Ok(Output::Anomaly { outlier, score, samples: Some(samples) })
}

#[cfg(test)]
mod tests {
    use super::digamma;

    /// Against scipy.special.digamma.
    #[test]
    fn digamma_values() {
        for (x, want) in [
            (1.0, -0.5772156649015329),
            (0.5, -1.9635100260214235),
            (1e-3, -1000.5755719318103),
            (2.5, 0.7031566406452432),
            (10.0, 2.251752589066721),
            (123.456, 4.811829323828985),
        ] {
            assert!((digamma(x) - want).abs() <= 1e-15 * want.abs().max(1.0), "{x}: {}", digamma(x));
        }
        assert!(digamma(0.0).is_nan());
    }
}

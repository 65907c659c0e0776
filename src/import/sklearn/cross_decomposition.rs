//! Partial least squares (sklearn.cross_decomposition). Attributes were `x_mean_` and the like up to 1.0, and are
//! `_x_mean` since.

use super::builder::{Builder, Frame};
use super::discriminant::columns_as_rows;
use super::estimator::{Estimator, Version};
use crate::Result;
use crate::model::{Op, Output};

/// (X - mean) @ coef.T + intercept. Up to 1.4 X is also divided by its standard deviation; up to 1.2 the matrix is
/// `_coef_` and `coef_` its transpose.
pub fn predict(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let mean = Some(estimator.f64s("_x_mean")?);
    let scale = if estimator.version < Version(1, 5) { Some(estimator.f64s("_x_std")?) } else { None };
    let name = if estimator.version < Version(1, 3) { "_coef_" } else { "coef_" };
    let coef = estimator.matrix_over(name, frame.len())?;
    let intercept = estimator.f64s("intercept_")?;
    let scaled = builder.map(Op::Standardize { mean, scale }, frame, estimator)?;
    let values = builder.graph.push(Op::Affine { coef, intercept }, scaled.wires, &estimator.path)?;
    Ok(Output::Regression { values, names: Vec::new() })
}

/// The scores of x: (X - mean) / std @ x_rotations_ (PLSSVD: x_weights_).
pub fn transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let name = if estimator.class == "PLSSVD" { "x_weights_" } else { "x_rotations_" };
    let rotations = estimator.matrix(name)?;
    let count = rotations.columns;
    let coef = columns_as_rows(&rotations, count)?;
    let op = Op::Standardize { mean: Some(estimator.f64s("_x_mean")?), scale: Some(estimator.f64s("_x_std")?) };
    let scaled = builder.map(op, frame, estimator)?;
    let op = Op::Affine { coef, intercept: vec![0.0; count] };
    let wires = builder.graph.push(op, scaled.wires, &estimator.path)?;
    let class = estimator.class.to_lowercase();
    let names = (0..count).map(|number| format!("{class}{number}")).collect();
    Ok(Frame { wires, names })
}

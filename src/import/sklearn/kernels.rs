//! Pairwise kernels (sklearn.metrics.pairwise, libsvm) and sums of their values against stored vectors.

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use crate::model::{Coefficients, KernelSum, Matrix, Norm, Op, Output, PairKernel, Wire};
use crate::{At, Result};

/// A kernel by name, with its parameters.
pub enum Named {
    Linear,
    /// x·s of vectors divided by their length.
    Cosine,
    Pair(PairKernel),
}

/// The kernel `name`; `gamma` where it has one.
pub fn named(estimator: &Estimator, name: &str, gamma: f64) -> Result<Named> {
    let coef0 = || estimator.f64("coef0");
    Ok(Named::Pair(match name {
        "linear" => return Ok(Named::Linear),
        "cosine" => return Ok(Named::Cosine),
        "rbf" => PairKernel::Rbf { gamma },
        "poly" | "polynomial" => {
            let degree = estimator.f64("degree")?;
            if degree.fract() != 0.0 || !(0.0..=1000.0).contains(&degree) {
                return Err(estimator
                    .unsupported(format!("a polynomial kernel of degree {degree}"))
                    .remedy("Fit the model with a whole degree."));
            }
            PairKernel::Polynomial { gamma, coef0: coef0()?, degree: degree as u32 }
        }
        "sigmoid" => PairKernel::Sigmoid { gamma, coef0: coef0()? },
        "laplacian" => PairKernel::Laplacian { gamma },
        "chi2" => PairKernel::ChiSquared { gamma },
        "additive_chi2" => PairKernel::AdditiveChiSquared,
        "precomputed" => {
            return Err(estimator
                .unsupported("a precomputed kernel wants each row's kernel values with the training rows")
                .remedy("Fit the model with a kernel by name."));
        }
        other => {
            let supported = "kernel linear, poly, rbf, sigmoid, laplacian, cosine, chi2 or additive_chi2";
            return Err(estimator.not_among("kernel", other, supported));
        }
    }))
}

/// The kernel that the parameters `kernel`, `gamma`, `degree` and `coef0` mean in sklearn.metrics.pairwise: gamma is
/// 1 / columns unless given, 1 for chi2.
pub fn parameters(estimator: &Estimator, columns: usize) -> Result<Named> {
    let name = estimator.choice("kernel")?;
    let gamma = match estimator.get("gamma") {
        Some(_) => estimator.f64("gamma")?,
        None if name == "chi2" => 1.0,
        None => 1.0 / columns as f64,
    };
    named(estimator, name, gamma)
}

/// One output an intercept: the intercept plus the sum of coefficients times kernel values. A linear kernel's
/// vectors and coefficients become one affine map.
pub fn sum(
    builder: &mut Builder,
    estimator: &Estimator,
    frame: &Frame,
    kernel: Named,
    mut vectors: Matrix,
    coef: Coefficients,
    intercept: Vec<f64>,
) -> Result<Vec<Wire>> {
    let path = &estimator.path;
    let mut wires = frame.wires.clone();
    if let Named::Cosine = kernel {
        wires = builder.graph.push(Op::Normalize(Norm::L2), wires, path)?;
        for row in vectors.values.chunks_exact_mut(vectors.columns.max(1)) {
            let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            row.iter_mut().for_each(|x| *x /= if norm == 0.0 { 1.0 } else { norm });
        }
    }
    let op = match kernel {
        Named::Pair(kernel) => Op::KernelSum(KernelSum { kernel, vectors, coef, intercept }),
        Named::Linear | Named::Cosine => {
            // The kernel of this sum is not asked for its values; its check is that of any other.
            let sum = KernelSum { kernel: PairKernel::AdditiveChiSquared, vectors, coef, intercept };
            sum.check(wires.len()).at(|| path.clone())?;
            Op::Affine { coef: sum.folded()?, intercept: sum.intercept }
        }
    };
    builder.graph.push(op, wires, path)
}

/// KernelRidge: the kernel against X_fit_ times dual_coef_.
pub fn kernel_ridge(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let kernel = parameters(estimator, frame.len())?;
    let vectors = estimator.matrix_over("X_fit_", frame.len())?;
    let dual = estimator.matrix("dual_coef_")?;
    // One target is stored as one axis, which reads as one row; several as vectors × targets.
    let coef = if estimator.array("dual_coef_")?.ndim() == 1 { dual } else { dual.transpose() };
    let intercept = vec![0.0; coef.rows];
    let values = sum(builder, estimator, frame, kernel, vectors, Coefficients::Dense(coef), intercept)?;
    Ok(Output::Regression { values, names: Vec::new() })
}

//! Projections (sklearn.decomposition, sklearn.random_projection): each an affine map of the centred columns.

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use super::kernels;
use crate::model::{Coefficients, Matrix, Op};
use crate::{Error, Result};

/// The class in lower case, numbered, as scikit-learn names what a projection makes.
fn names(estimator: &Estimator, count: usize) -> Vec<String> {
    let class = estimator.class.to_lowercase();
    (0..count).map(|number| format!("{class}{number}")).collect()
}

/// (x - mean) @ coef.T
fn project(
    builder: &mut Builder,
    estimator: &Estimator,
    frame: &Frame,
    mean: Option<Vec<f64>>,
    coef: Matrix,
) -> Result<Frame> {
    let centred = match mean {
        Some(_) => builder.map(Op::Standardize { mean, scale: None }, frame, estimator)?,
        None => frame.clone(),
    };
    let count = coef.rows;
    let op = Op::Affine { coef, intercept: vec![0.0; count] };
    let wires = builder.graph.push(op, centred.wires, &estimator.path)?;
    Ok(Frame { wires, names: names(estimator, count) })
}

/// (x - mean_) @ components_.T, over sqrt(explained_variance_) where whitened.
pub fn pca(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let components = estimator.matrix_over("components_", frame.len())?;
    let projected = project(builder, estimator, frame, Some(estimator.f64s("mean_")?), components)?;
    if !estimator.bool("whiten")? {
        return Ok(projected);
    }
    // Newer versions keep a component without variance from dividing by zero.
    let scale = estimator.f64s("explained_variance_")?.into_iter().map(|variance| variance.sqrt().max(f64::EPSILON));
    builder.map(Op::Standardize { mean: None, scale: Some(scale.collect()) }, &projected, estimator)
}

/// x @ components_.T: truncated singular values and random projections.
pub fn plain(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let components = estimator.matrix_over("components_", frame.len())?;
    project(builder, estimator, frame, None, components)
}

/// (x - mean_) @ components_.T; not centred where not whitened.
pub fn fast_ica(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let components = estimator.matrix_over("components_", frame.len())?;
    let whiten = estimator.get("whiten").is_some_and(|value| value.as_bool() != Some(false));
    let mean = if whiten { Some(estimator.f64s("mean_")?) } else { None };
    project(builder, estimator, frame, mean, components)
}

/// The posterior mean of the factors: (x - mean_) @ W.T @ (I + W @ components_.T)⁻¹, W = components_ / noise_variance_.
pub fn factor_analysis(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let components = estimator.matrix_over("components_", frame.len())?;
    let noise = estimator.f64s("noise_variance_")?;
    if noise.len() != frame.len() {
        return Err(estimator.malformed(format!("the noise of {} columns for {}", noise.len(), frame.len())));
    }
    let weighted = components.values.iter().zip(noise.iter().cycle()).map(|(x, noise)| x / noise).collect();
    let weighted = Matrix::new(components.rows, components.columns, weighted)?;
    let coef = solve(estimator, &weighted, &components, 1.0)?;
    project(builder, estimator, frame, Some(estimator.f64s("mean_")?), coef)
}

/// Ridge regression of the centred row on the components.
pub fn sparse_pca(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let components = estimator.matrix_over("components_", frame.len())?;
    let coef = solve(estimator, &components, &components, estimator.f64("ridge_alpha")?)?;
    project(builder, estimator, frame, Some(estimator.f64s("mean_")?), coef)
}

/// More components than a file needs for its equations to take minutes.
const MOST_COMPONENTS: usize = 2048;

/// (a @ b.T + alpha I)⁻¹ @ a by elimination with row exchange.
fn solve(estimator: &Estimator, a: &Matrix, b: &Matrix, alpha: f64) -> Result<Matrix> {
    let (count, columns) = (a.rows, a.columns);
    if count > MOST_COMPONENTS {
        let message = format!("{count} components; at most {MOST_COMPONENTS} are supported for {}", estimator.class);
        return Err(Error::limit(message).at(estimator.path.clone()));
    }
    // Each row: the square matrix's, then the right side's.
    let mut rows: Vec<Vec<f64>> = (0..count)
        .map(|row| {
            let square = (0..count).map(|column| {
                let dot: f64 = a.row(row).iter().zip(b.row(column)).map(|(x, y)| x * y).sum();
                if row == column { dot + alpha } else { dot }
            });
            square.chain(a.row(row).iter().copied()).collect()
        })
        .collect();
    for step in 0..count {
        let largest = (step..count).max_by(|&a, &b| rows[a][step].abs().total_cmp(&rows[b][step].abs()));
        rows.swap(step, largest.unwrap_or(step));
        let (above, below) = rows.split_at_mut(step + 1);
        let pivot = &above[step];
        if pivot[step] == 0.0 || !pivot[step].is_finite() {
            return Err(estimator.malformed("components_ has no inverse"));
        }
        for row in below {
            let factor = row[step] / pivot[step];
            row.iter_mut().zip(pivot).skip(step).for_each(|(x, pivot)| *x -= factor * pivot);
        }
    }
    for step in (0..count).rev() {
        let (above, below) = rows.split_at_mut(step);
        let solved = &mut below[0];
        let pivot = solved[step];
        solved[count..].iter_mut().for_each(|x| *x /= pivot);
        for row in above {
            let factor = row[step];
            row[count..].iter_mut().zip(&solved[count..]).for_each(|(x, solved)| *x -= factor * solved);
        }
    }
    Matrix::new(count, columns, rows.iter().flat_map(|row| row[count..].iter().copied()).collect())
}

/// Kernel values against the rows of training, centred as those were: k - mean(k) - K_fit_rows_ + K_fit_all_.
pub fn kernel_centerer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let rows = estimator.f64s("K_fit_rows_")?;
    let count = frame.len();
    if rows.len() != count {
        return Err(estimator.malformed(format!("{count} columns for a kernel of {} rows", rows.len())));
    }
    let all = estimator.f64("K_fit_all_")?;
    let coef = (0..count * count).map(|at| f64::from(u8::from(at / count == at % count)) - 1.0 / count as f64);
    let coef = Matrix::new(count, count, coef.collect())?;
    let intercept = rows.into_iter().map(|row| all - row).collect();
    let wires = builder.graph.push(Op::Affine { coef, intercept }, frame.wires.clone(), &estimator.path)?;
    Ok(Frame { wires, names: names(estimator, count) })
}

/// Kernel values against `X_fit_`, centred, times the eigenvectors over the roots of their eigenvalues. All of it is
/// linear in the kernel values k: with V the scaled eigenvectors, (k - mean(k) - K_fit_rows_ + K_fit_all_) @ V is
/// k @ (V - mean of V) - K_fit_rows_ @ V + K_fit_all_ × sum of V.
pub fn kernel_pca(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let (values, vectors) = (estimator.f64s("eigenvalues_")?, estimator.matrix("eigenvectors_")?);
    let centerer = Estimator::new(estimator.need("_centerer")?, "_centerer", Some(estimator))?;
    let (rows, all) = (centerer.f64s("K_fit_rows_")?, centerer.f64("K_fit_all_")?);
    if values.len() != vectors.columns || rows.len() != vectors.rows {
        return Err(estimator.malformed(format!(
            "{} eigenvalues and a kernel of {} rows for {} × {} eigenvectors",
            values.len(),
            rows.len(),
            vectors.rows,
            vectors.columns
        )));
    }
    let (mut coef, mut intercept) = (Vec::with_capacity(vectors.values.len()), Vec::with_capacity(values.len()));
    for (component, value) in values.into_iter().enumerate() {
        let scaled = |row: usize| if value == 0.0 { 0.0 } else { vectors.row(row)[component] / value.sqrt() };
        let column: Vec<f64> = (0..vectors.rows).map(scaled).collect();
        let sum: f64 = column.iter().sum();
        let mean = sum / vectors.rows as f64;
        intercept.push(all * sum - column.iter().zip(&rows).map(|(v, row)| v * row).sum::<f64>());
        coef.extend(column.iter().map(|v| v - mean));
    }
    let coef = Matrix::new(intercept.len(), vectors.rows, coef)?;
    let names = names(estimator, intercept.len());
    let wires = if estimator.maybe_str("kernel") == Some("precomputed") {
        builder.graph.push(Op::Affine { coef, intercept }, frame.wires.clone(), &estimator.path)?
    } else {
        let kernel = kernels::parameters(estimator, frame.len())?;
        let fitted = estimator.matrix_over("X_fit_", frame.len())?;
        kernels::sum(builder, estimator, frame, kernel, fitted, Coefficients::Dense(coef), intercept)?
    };
    Ok(Frame { wires, names })
}

//! Discriminant analysis (sklearn.discriminant_analysis).

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use super::linear;
use crate::Result;
use crate::import::pickle::Value;
use crate::model::{Function, Matrix, Op, Output};

/// Linear scores; the logistic of the one, or the softmax of several.
pub fn linear(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let (classes, scores) = linear::decision(builder, estimator, frame)?;
    let path = &estimator.path;
    let label = linear::label_of_scores(builder, &scores, path)?;
    let probabilities = if scores.len() == 1 {
        let single = builder.graph.push(Op::Function(Function::Expit), scores.clone(), path)?;
        builder.graph.push(Op::Complement, single, path)?
    } else {
        builder.graph.push(Op::Softmax, scores.clone(), path)?
    };
    Ok(Output::Classification { classes, label, probabilities: Some(probabilities), scores: Some(scores) })
}

/// (X - xbar_) @ scalings_, the first `_max_components`; the solver 'eigen' does not centre.
pub fn linear_transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let solver = estimator.str("solver")?;
    if solver == "lsqr" {
        return Err(estimator.unsupported("the solver 'lsqr' does not transform"));
    }
    let scalings = estimator.matrix("scalings_")?;
    if scalings.rows != frame.len() {
        return Err(estimator.malformed(format!("scalings_ of {} columns for {}", scalings.rows, frame.len())));
    }
    let count = estimator.usize("_max_components")?.min(scalings.columns);
    let coef = columns_as_rows(&scalings, count)?;
    let mut wires = frame.wires.clone();
    if solver == "svd" {
        let mean = Some(estimator.f64s("xbar_")?);
        wires = builder.graph.push(Op::Standardize { mean, scale: None }, wires, &estimator.path)?;
    }
    let wires = builder.graph.push(Op::Affine { coef, intercept: vec![0.0; count] }, wires, &estimator.path)?;
    let names = (0..count).map(|number| format!("lineardiscriminantanalysis{number}")).collect();
    Ok(Frame { wires, names })
}

/// The first `count` columns of a matrix as rows, as an affine map wants them.
pub fn columns_as_rows(matrix: &Matrix, count: usize) -> Result<Matrix> {
    let values = (0..count.min(matrix.columns))
        .flat_map(|column| (0..matrix.rows).map(move |row| matrix.row(row)[column]))
        .collect();
    Matrix::new(count, matrix.rows, values)
}

/// Per class -0.5 (|(x - mean) @ (rotation / sqrt(scaling))|² + sum of log scaling) + log prior; the first largest
/// wins. Two classes have the difference for a score.
pub fn quadratic(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let classes = estimator.cells("classes_")?;
    let means = estimator.matrix_over("means_", frame.len())?;
    let priors = estimator.f64s("priors_")?;
    let (rotations, scalings) = (estimator.list("rotations_")?, estimator.list("scalings_")?);
    let count = classes.len();
    if count < 2 || [means.rows, priors.len(), rotations.len(), scalings.len()] != [count; 4] {
        return Err(
            estimator.malformed(format!("means_, priors_, rotations_ or scalings_ do not fit {count} classes"))
        );
    }
    let mut posteriors = Vec::with_capacity(count);
    for class in 0..count {
        let scaling = super::estimator::numbers(scalings[class])
            .ok_or_else(|| estimator.malformed("scalings_ does not hold arrays of numbers"))?;
        let rotation = matrix(rotations[class])
            .filter(|rotation| rotation.rows == frame.len() && rotation.columns == scaling.len())
            .ok_or_else(|| estimator.malformed(format!("rotations_[{class}] does not fit the columns")))?;
        let mut coef = columns_as_rows(&rotation, rotation.columns)?;
        for (row, scaling) in coef.values.chunks_mut(frame.len().max(1)).zip(&scaling) {
            row.iter_mut().for_each(|weight| *weight *= scaling.powf(-0.5));
        }
        let log_determinant: f64 = scaling.iter().map(|scaling| scaling.ln()).sum();
        let mean = Some(means.row(class).to_vec());
        let centred = builder.graph.push(Op::Standardize { mean, scale: None }, frame.wires.clone(), path)?;
        let rank = coef.rows;
        let turned = builder.graph.push(Op::Affine { coef, intercept: vec![0.0; rank] }, centred, path)?;
        let centers = Matrix::new(1, rank, vec![0.0; rank])?;
        let norm = builder.graph.push(Op::Distances { centers, squared: true }, turned, path)?;
        let offset = vec![-0.5 * log_determinant + priors[class].ln()];
        posteriors.push(builder.graph.push_one(Op::Linear { scale: vec![-0.5], offset }, norm, path)?);
    }
    let label = builder.graph.push_one(Op::Argmax, posteriors.clone(), path)?;
    let probabilities = builder.graph.push(Op::Softmax, posteriors.clone(), path)?;
    let scores = if count == 2 {
        let coef = Matrix::new(1, 2, vec![-1.0, 1.0])?;
        builder.graph.push(Op::Affine { coef, intercept: vec![0.0] }, posteriors, path)?
    } else {
        posteriors
    };
    Ok(Output::Classification { classes, label, probabilities: Some(probabilities), scores: Some(scores) })
}

fn matrix(value: Value) -> Option<Matrix> {
    let array = value.to_array().ok()?;
    match array.shape[..] {
        [rows, columns] => Matrix::new(rows, columns, array.f64s().ok()?).ok(),
        _ => None,
    }
}

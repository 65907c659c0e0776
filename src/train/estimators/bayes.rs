//! Gaussian naive Bayes: log prior + Σ -(x - theta)² / 2 var - ½ ln 2π - ½ ln var, the largest is the label.
//!
//! The means and variances are smartcore's, class by class. Its GaussianNB itself takes the rows of a class through an
//! iterator nested as deep as there are rows: quadratic time (165 s for 80,000 rows) and a stack that overflows, so it
//! only answers for comparison. It takes variances as they are, too, and a class whose column is constant gets no
//! number out of it; as scikit-learn, no variance is let below 1e-9 of the largest.

use super::{Fitted, Job, Made, Own, argmax, failed};
use crate::Result;
use crate::model::{Function, Matrix, Op};
use ndarray::Axis;
use smartcore::linalg::basic::arrays::ArrayView2;
use smartcore::naive_bayes::gaussian::{GaussianNB, GaussianNBParameters};

pub fn gaussian(job: &Job) -> Result<Fitted> {
    let (of, classes) = job.classes()?;
    let own = match job.check {
        Some(rows) => {
            let parameters = GaussianNBParameters { priors: None };
            let model = GaussianNB::fit(job.x, &of.to_vec(), parameters).map_err(failed)?;
            let predicted = model.predict(rows).map_err(failed)?.into_iter().map(f64::from).collect();
            Some(Own { predicted, probabilities: None })
        }
        None => None,
    };
    let largest = job.x.columns().into_iter().map(|column| column.var(0.0)).fold(0.0, f64::max);
    let least = if largest > 0.0 { 1e-9 * largest } else { 1e-9 };
    let mut parts = Vec::new();
    for class in 0..classes as u32 {
        let places: Vec<usize> = (0..of.len()).filter(|&row| of[row] == class).collect();
        let rows = job.x.select(Axis(0), &places);
        let mean: Vec<f64> = rows.mean_by(0);
        let variance: Vec<f64> = rows.variance(0).into_iter().map(|variance| f64::max(variance, least)).collect();
        let spread: f64 = variance.iter().map(|variance| (2.0 * std::f64::consts::PI * variance).ln()).sum();
        let offset = (places.len() as f64 / of.len() as f64).ln() - 0.5 * spread;
        let scale: Vec<f64> = variance.iter().map(|variance| variance.sqrt()).collect();
        parts.push((mean, scale, offset));
    }
    Fitted::new(
        move |graph, wires| {
            let path = "GaussianNB";
            let mut joint = Vec::new();
            for (mean, scale, offset) in &parts {
                let standard = Op::Standardize { mean: Some(mean.clone()), scale: Some(scale.clone()) };
                let standard = graph.push(standard, wires.to_vec(), path)?;
                let squares = graph.push(Op::Function(Function::Square), standard, path)?;
                let coef = Matrix::new(1, squares.len(), vec![-0.5; squares.len()])?;
                joint.push(graph.push_one(Op::Affine { coef, intercept: vec![*offset] }, squares, path)?);
            }
            let label = argmax(graph, &joint, path)?;
            let probabilities = graph.push(Op::Softmax, joint, path)?;
            Ok(Made::Classes { label, probabilities: Some(probabilities), scores: None })
        },
        own,
    )
}

//! Projections (sklearn.decomposition).

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use crate::Result;
use crate::model::Op;

/// (x - mean_) @ components_.T, over sqrt(explained_variance_) where whitened.
pub fn pca(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let path = &estimator.path;
    let components = estimator.matrix_over("components_", frame.len())?;
    let count = components.rows;
    let mean = Some(estimator.f64s("mean_")?);
    let centred = builder.map(Op::Standardize { mean, scale: None }, frame, estimator)?;
    let op = Op::Affine { coef: components, intercept: vec![0.0; count] };
    let mut wires = builder.graph.push(op, centred.wires, path)?;
    if estimator.bool("whiten")? {
        // Newer versions keep a component without variance from dividing by zero.
        let scale =
            estimator.f64s("explained_variance_")?.into_iter().map(|variance| variance.sqrt().max(f64::EPSILON));
        wires = builder.graph.push(Op::Standardize { mean: None, scale: Some(scale.collect()) }, wires, path)?;
    }
    let names = (0..count).map(|number| format!("pca{number}")).collect();
    Ok(Frame { wires, names })
}

//! Clustering (sklearn.cluster).

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use crate::Result;
use crate::model::{Cell, Op, Output};

/// Euclidean distances to the centers.
pub fn kmeans_transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let centers = estimator.matrix_over("cluster_centers_", frame.len())?;
    let op = Op::Distances { centers, squared: false };
    let wires = builder.graph.push(op, frame.wires.clone(), &estimator.path)?;
    let class = estimator.class.to_lowercase();
    let names = (0..wires.len()).map(|number| format!("{class}{number}")).collect();
    Ok(Frame { wires, names })
}

/// The nearest center; the first of equally near ones.
pub fn kmeans(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let distances = kmeans_transform(builder, estimator, frame)?.wires;
    let cluster = builder.graph.push_one(Op::Argmin, distances.clone(), &estimator.path)?;
    let labels = (0..distances.len() as i64).map(Cell::Int).collect();
    Ok(Output::Clustering { cluster, labels, distances: Some(distances) })
}

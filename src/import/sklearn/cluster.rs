//! Clustering (sklearn.cluster).

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use crate::Result;
use crate::model::{Aggregate, Cell, Ensemble, Leaves, Lookup, Matrix, Node, Op, Output, Test, Tree, Unknown, Width};

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

/// MeanShift, AffinityPropagation: the nearest center; no distances of their own.
pub fn nearest_center(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let centers = estimator.matrix_over("cluster_centers_", frame.len())?;
    let labels = (0..centers.rows as i64).map(Cell::Int).collect();
    let op = Op::Distances { centers, squared: true };
    let distances = builder.graph.push(op, frame.wires.clone(), &estimator.path)?;
    let cluster = builder.graph.push_one(Op::Argmin, distances, &estimator.path)?;
    Ok(Output::Clustering { cluster, labels, distances: None })
}

/// Distances to the centers of the subclusters.
pub fn birch_transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let centers = estimator.matrix_over("subcluster_centers_", frame.len())?;
    let op = Op::Distances { centers, squared: false };
    let wires = builder.graph.push(op, frame.wires.clone(), &estimator.path)?;
    let names = (0..wires.len()).map(|number| format!("birch{number}")).collect();
    Ok(Frame { wires, names })
}

/// The cluster of the nearest subcluster.
pub fn birch(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let distances = birch_transform(builder, estimator, frame)?.wires;
    let of = estimator.i64s("subcluster_labels_")?;
    if of.len() != distances.len() {
        return Err(estimator.malformed(format!("{} labels of {} subclusters", of.len(), distances.len())));
    }
    let mut labels = of.clone();
    labels.sort_unstable();
    labels.dedup();
    let subcluster = builder.graph.push_one(Op::Argmin, distances, path)?;
    let place = |label: &i64| labels.binary_search(label).map_or(f64::NAN, |place| place as f64);
    let lookup = Lookup {
        keys: (0..of.len() as i64).map(Cell::Int).collect(),
        width: 1,
        values: of.iter().map(place).collect(),
        unknown: Unknown::Error,
    };
    let cluster = builder.graph.push_one(Op::Lookup(lookup), vec![subcluster], path)?;
    let labels = labels.into_iter().map(Cell::Int).collect();
    // The distances are to subclusters: the transformer's, not one a cluster.
    Ok(Output::Clustering { cluster, labels, distances: None })
}

/// BisectingKMeans: down a tree, each time to the nearer of two centers (the left one where they are equally near),
/// which is a comparison of one affine map with zero.
pub fn bisecting_kmeans(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let distances = kmeans_transform(builder, estimator, frame)?.wires;
    let clusters = distances.len();
    let mean = estimator.maybe_f64s("_X_mean")?.unwrap_or_else(|| vec![0.0; frame.len()]);
    let read = |value, name: &str| Estimator::new(value, name, Some(estimator));
    let mut open = vec![(0, read(estimator.need("_bisecting_tree")?, "_bisecting_tree")?)];
    let mut nodes = vec![Node::Leaf(0)];
    let (mut leaves, mut coef, mut intercept) = (Vec::new(), Vec::new(), Vec::new());
    while let Some((at, node)) = open.pop() {
        let (Some(left), Some(right)) = (node.get("left"), node.get("right")) else {
            let label = node.usize("label")?;
            if label >= clusters {
                return Err(node.malformed(format!("label {label} of {clusters} clusters")));
            }
            nodes[at] = Node::Leaf(leaves.len() as u32);
            leaves.push(label as f64);
            continue;
        };
        if nodes.len() + 2 > 2 * clusters {
            return Err(node.malformed(format!("a tree of more than {clusters} leaves")));
        }
        let (left, right) = (read(left, "left")?, read(right, "right")?);
        let (a, b) = (left.f64s("center")?, right.f64s("center")?);
        if a.len() != frame.len() || b.len() != frame.len() || mean.len() != frame.len() {
            return Err(node.malformed(format!("centers of {} and {} columns", a.len(), b.len())));
        }
        // |x - a|² - |x - b|², of x without the mean.
        coef.extend(a.iter().zip(&b).map(|(a, b)| 2.0 * (b - a)));
        intercept.push(a.iter().zip(&b).map(|(a, b)| a * a - b * b).sum());
        let child = nodes.len();
        nodes[at] = Node::Split {
            feature: intercept.len() as u32 - 1,
            test: Test::LessEqual(0.0),
            missing_left: false,
            left: child as u32,
            right: child as u32 + 1,
        };
        nodes.extend([Node::Leaf(0), Node::Leaf(0)]);
        open.extend([(child, left), (child + 1, right)]);
    }
    let labels = (0..clusters as i64).map(Cell::Int).collect();
    let cluster = if intercept.is_empty() {
        builder.graph.push_one(Op::Constant(vec![0.0]), Vec::new(), path)?
    } else {
        let centred = Op::Standardize { mean: Some(mean), scale: None };
        let centred = builder.graph.push(centred, frame.wires.clone(), path)?;
        let coef = Matrix { rows: intercept.len(), columns: frame.len(), values: coef };
        let features = intercept.len() as u32;
        let sides = builder.graph.push(Op::Affine { coef, intercept }, centred, path)?;
        let tree = Tree { nodes, leaves: Leaves::Vector(leaves) };
        let ensemble = Ensemble {
            compare: Width::F64,
            sum: Width::F64,
            features,
            base: vec![0.0],
            trees: vec![tree],
            sets: Vec::new(),
            aggregate: Aggregate::Sum,
            missing: false,
            infinite: true,
        };
        builder.graph.push_one(Op::Trees(ensemble), sides, path)?
    };
    Ok(Output::Clustering { cluster, labels, distances: Some(distances) })
}

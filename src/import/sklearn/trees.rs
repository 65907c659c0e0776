//! Decision trees and forests (sklearn.tree, sklearn.ensemble): x is rounded to f32 and compared with an f64
//! threshold, `x <= threshold` goes left; leaf values are added in f64 in tree order and divided by the number of
//! trees.

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, Version, cells};
use crate::import::pickle::Value;
use crate::model::{Aggregate, Cell, Ensemble, Leaves, Node, Op, Output, Test, Tree, Width, Wire};
use crate::{At, Error, Result};

/// Values of one tree's leaves where they are spread over the classes of an ensemble.
const MOST_LEAF_VALUES: usize = 1 << 25;

/// The nodes of a `sklearn.tree._tree.Tree`, each field one entry a node.
pub struct Stored {
    left: Vec<i64>,
    right: Vec<i64>,
    feature: Vec<i64>,
    threshold: Vec<f64>,
    missing_left: Option<Vec<i64>>,
    samples: Vec<f64>,
    /// nodes × outputs × classes, row-major.
    values: Vec<f64>,
    pub outputs: usize,
    pub classes: usize,
}

impl Stored {
    pub fn read(estimator: &Estimator) -> Result<Stored> {
        let tree = Estimator::new(estimator.need("tree_")?, "tree_", Some(estimator))?;
        let nodes = tree.array("nodes")?;
        let place = |error: Error| error.at(tree.path.clone());
        let integers = |name: &str| nodes.field(name).and_then(|field| field.i64s()).map_err(place);
        let values = tree.array("values")?;
        let count = nodes.len();
        let &[rows, outputs, classes] = &values.shape[..] else {
            return Err(tree.malformed(format!("values is {}; three axes are expected", values.describe())));
        };
        if rows != count || outputs == 0 || classes == 0 {
            return Err(tree.malformed(format!("values of {rows} nodes for a tree of {count}")));
        }
        Ok(Stored {
            left: integers("left_child")?,
            right: integers("right_child")?,
            feature: integers("feature")?,
            threshold: nodes.field("threshold").and_then(|field| field.f64s()).map_err(place)?,
            missing_left: match nodes.has_field("missing_go_to_left") {
                true => Some(integers("missing_go_to_left")?),
                false => None,
            },
            samples: nodes.field("n_node_samples").and_then(|field| field.f64s()).map_err(place)?,
            values: values.f64s().map_err(place)?,
            outputs,
            classes,
        })
    }

    /// # Errors
    /// Where `width` values a leaf would be more than a tree needs: few bytes can name many classes.
    pub fn room_for(&self, width: usize) -> Result<()> {
        if self.left.len().saturating_mul(width) > MOST_LEAF_VALUES {
            return Err(Error::limit(format!("{} nodes with {width} values each", self.left.len())));
        }
        Ok(())
    }

    pub fn value(&self, node: usize, output: usize) -> &[f64] {
        let start = (node * self.outputs + output) * self.classes;
        &self.values[start..start + self.classes]
    }

    pub fn nodes(&self) -> usize {
        self.left.len()
    }

    /// How much impurity the splits by each feature take away, over the samples at the root; not yet normalised.
    pub fn importances(&self, estimator: &Estimator, features: usize) -> Result<Vec<f64>> {
        let tree = Estimator::new(estimator.need("tree_")?, "tree_", Some(estimator))?;
        let nodes = tree.array("nodes")?;
        let field = |name: &str| nodes.field(name).and_then(|field| field.f64s()).at(|| tree.path.clone());
        let (impurity, samples) = (field("impurity")?, field("weighted_n_node_samples")?);
        let part = |node: usize| samples[node] * impurity[node];
        let mut importances = vec![0.0; features];
        for node in 0..self.nodes() {
            let place = |at: i64| usize::try_from(at).ok();
            let (Some(left), Some(right)) = (place(self.left[node]), place(self.right[node])) else { continue };
            match place(self.feature[node]).and_then(|feature| importances.get_mut(feature)) {
                Some(importance) if left.max(right) < self.nodes() => {
                    *importance += part(node) - part(left) - part(right);
                }
                _ => return Err(tree.malformed(format!("node {node} splits outside the tree or the columns"))),
            }
        }
        let all = samples.first().copied().unwrap_or(1.0);
        importances.iter_mut().for_each(|importance| *importance /= all);
        Ok(importances)
    }

    /// The tree with `leaf` deciding the values of each leaf node. `features` maps the tree's own features, where it
    /// was fitted on some of the columns.
    pub fn tree(&self, features: Option<&[i64]>, mut leaf: impl FnMut(usize, &mut Vec<f64>)) -> Result<Tree> {
        let mut values = Vec::new();
        let mut leaves = 0;
        let mut nodes = Vec::with_capacity(self.left.len());
        for node in 0..self.left.len() {
            if self.left[node] < 0 && self.right[node] < 0 {
                leaf(node, &mut values);
                nodes.push(Node::Leaf(leaves));
                leaves += 1;
                continue;
            }
            let unsigned = |what: &str, value: i64| {
                u32::try_from(value)
                    .map_err(|_| Error::malformed(format!("{what} {value}")).at(format!("node {node}")))
            };
            let mut feature = self.feature[node];
            if let Some(features) = features {
                feature = usize::try_from(feature).ok().and_then(|at| features.get(at).copied()).unwrap_or(-1);
            }
            nodes.push(Node::Split {
                feature: unsigned("feature", feature)?,
                test: Test::LessEqual(self.threshold[node]),
                missing_left: self.missing_left.as_ref().is_some_and(|left| left[node] != 0),
                left: unsigned("left child", self.left[node])?,
                right: unsigned("right child", self.right[node])?,
            });
        }
        Ok(Tree { nodes, leaves: Leaves::Vector(values) })
    }
}

/// An ensemble that compares as scikit-learn's trees do.
pub fn ensemble(trees: Vec<Tree>, features: usize, outputs: usize, aggregate: Aggregate, missing: bool) -> Ensemble {
    Ensemble {
        compare: Width::F32,
        sum: Width::F64,
        features: features as u32,
        base: vec![0.0; outputs],
        trees,
        sets: Vec::new(),
        aggregate,
        missing,
        infinite: false,
    }
}

/// Whether this version of the estimator predicts rows with missing values: trees from 1.3, forests from 1.4,
/// extremely randomised ones from 1.6, none with monotonic constraints (`_support_missing_values`).
pub fn takes_missing(estimator: &Estimator, stored: &[Stored]) -> bool {
    let since = match estimator.class {
        "DecisionTreeClassifier" | "DecisionTreeRegressor" => Version(1, 3),
        "RandomForestClassifier" | "RandomForestRegressor" => Version(1, 4),
        _ => Version(1, 6),
    };
    let criterion = estimator.maybe_str("criterion").unwrap_or_default();
    let criteria = ["gini", "log_loss", "entropy", "squared_error", "friedman_mse", "poisson"];
    estimator.version >= since
        && estimator.get("monotonic_cst").is_none()
        && criteria.contains(&criterion)
        && stored.iter().all(|tree| tree.missing_left.is_some())
}

/// The class labels of each output.
fn classes(estimator: &Estimator) -> Result<Vec<Vec<Cell>>> {
    let outputs = estimator.usize("n_outputs_")?;
    if outputs == 1 {
        return Ok(vec![estimator.cells("classes_")?]);
    }
    let lists = estimator.list("classes_")?;
    let all: Option<Vec<Vec<Cell>>> = lists.into_iter().map(cells).collect();
    match all {
        Some(all) if all.len() == outputs => Ok(all),
        _ => Err(estimator.malformed(format!("classes_ does not hold the labels of {outputs} outputs"))),
    }
}

/// Class fractions at a node. Up to 1.3 files hold weighted counts; from 1.4 the fractions themselves.
pub fn fractions(counts: &[f64], version: Version, into: &mut Vec<f64>) {
    if version >= Version(1, 4) {
        into.extend_from_slice(counts);
        return;
    }
    let sum: f64 = counts.iter().sum();
    let sum = if sum == 0.0 { 1.0 } else { sum };
    into.extend(counts.iter().map(|count| count / sum));
}

fn classify(
    builder: &mut Builder,
    estimator: &Estimator,
    frame: &Frame,
    stored: Vec<Stored>,
    aggregate: Aggregate,
) -> Result<Output> {
    let classes = classes(estimator)?;
    let widths: Vec<usize> = classes.iter().map(Vec::len).collect();
    let most = widths.iter().copied().max().unwrap_or(0);
    if stored.iter().any(|tree| tree.outputs != classes.len() || tree.classes < most) || widths.contains(&0) {
        return Err(estimator.malformed("the trees' values do not fit classes_"));
    }
    let missing = takes_missing(estimator, &stored);
    let trees = stored
        .iter()
        .enumerate()
        .map(|(number, tree)| {
            tree.tree(None, |node, values| {
                for (output, &width) in widths.iter().enumerate() {
                    fractions(&tree.value(node, output)[..width], estimator.version, values);
                }
            })
            .at(|| format!("{}, tree {number}", estimator.path))
        })
        .collect::<Result<Vec<_>>>()?;
    let op = Op::Trees(ensemble(trees, frame.len(), widths.iter().sum(), aggregate, missing));
    let wires = builder.graph.push(op, frame.wires.clone(), &estimator.path)?;
    let mut rest = wires.as_slice();
    let mut outputs = Vec::new();
    for classes in classes {
        let (probabilities, after) = rest.split_at(classes.len());
        rest = after;
        let label = builder.graph.push_one(Op::Argmax, probabilities.to_vec(), &estimator.path)?;
        outputs.push(Output::Classification {
            classes,
            label,
            probabilities: Some(probabilities.to_vec()),
            scores: None,
        });
    }
    Ok(if outputs.len() == 1 { outputs.remove(0) } else { Output::Several(outputs) })
}

fn regress(
    builder: &mut Builder,
    estimator: &Estimator,
    frame: &Frame,
    stored: Vec<Stored>,
    aggregate: Aggregate,
) -> Result<Output> {
    let outputs = estimator.usize("n_outputs_")?;
    if stored.iter().any(|tree| tree.outputs != outputs) {
        return Err(estimator.malformed(format!("the trees' values do not fit {outputs} outputs")));
    }
    let missing = takes_missing(estimator, &stored);
    let trees = stored
        .iter()
        .enumerate()
        .map(|(number, tree)| {
            tree.tree(None, |node, values| values.extend((0..outputs).map(|output| tree.value(node, output)[0])))
                .at(|| format!("{}, tree {number}", estimator.path))
        })
        .collect::<Result<Vec<_>>>()?;
    let op = Op::Trees(ensemble(trees, frame.len(), outputs, aggregate, missing));
    let values: Vec<Wire> = builder.graph.push(op, frame.wires.clone(), &estimator.path)?;
    Ok(Output::Regression { values, names: Vec::new() })
}

pub fn tree_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    classify(builder, estimator, frame, vec![Stored::read(estimator)?], Aggregate::Sum)
}

pub fn tree_regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    regress(builder, estimator, frame, vec![Stored::read(estimator)?], Aggregate::Sum)
}

/// The trees of a forest, in order.
fn estimators<'h>(builder: &mut Builder, estimator: &Estimator<'h>) -> Result<Vec<(Estimator<'h>, Stored)>> {
    let list = estimator.list("estimators_")?;
    read(builder, estimator, list)
}

/// Trees that an ensemble holds, in order.
pub fn read<'h>(
    builder: &mut Builder,
    owner: &Estimator<'h>,
    list: Vec<Value<'h>>,
) -> Result<Vec<(Estimator<'h>, Stored)>> {
    if list.is_empty() {
        return Err(owner.malformed("estimators_ is empty"));
    }
    list.into_iter()
        .enumerate()
        .map(|(number, value)| {
            let tree = Estimator::new(value, &format!("tree {number}"), Some(owner))?;
            builder.count(&tree)?;
            let stored = Stored::read(&tree)?;
            Ok((tree, stored))
        })
        .collect()
}

/// Whether each is one of scikit-learn's trees, so that an ensemble of them can be one forest.
pub fn all_trees(list: &[Value]) -> bool {
    const TREES: [&str; 4] =
        ["DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"];
    list.iter().all(|value| {
        let name = value.class_name();
        name.is_some_and(|(module, class)| module.starts_with("sklearn.tree.") && TREES.contains(&class))
    })
}

pub fn forest_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let stored: Vec<Stored> = estimators(builder, estimator)?.into_iter().map(|tree| tree.1).collect();
    let mean = Aggregate::Divide(stored.len() as f64);
    classify(builder, estimator, frame, stored, mean)
}

pub fn forest_regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let stored: Vec<Stored> = estimators(builder, estimator)?.into_iter().map(|tree| tree.1).collect();
    let mean = Aggregate::Divide(stored.len() as f64);
    regress(builder, estimator, frame, stored, mean)
}

/// c(n), the mean path length of an unsuccessful search in a binary tree of n (Liu et al. 2008;
/// `_average_path_length`).
fn average_path_length(samples: f64) -> f64 {
    const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;
    if samples <= 1.0 {
        0.0
    } else if samples == 2.0 {
        1.0
    } else {
        2.0 * ((samples - 1.0).ln() + EULER_GAMMA) - 2.0 * (samples - 1.0) / samples
    }
}

/// score = -2^(-mean depth / c(max_samples_)); the decision function is score - offset_; an outlier is below zero.
pub fn isolation_forest(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let stored = estimators(builder, estimator)?;
    let features = estimator.list("estimators_features_")?;
    if features.len() != stored.len() {
        return Err(estimator.malformed(format!("{} column lists for {} trees", features.len(), stored.len())));
    }
    let name = if estimator.get("_max_samples").is_some() { "_max_samples" } else { "max_samples_" };
    let samples = estimator.f64(name)?;
    let trees = stored
        .iter()
        .zip(features)
        .enumerate()
        .map(|(number, ((_, tree), features))| {
            let place = || format!("{}, tree {number}", estimator.path);
            let features = super::estimator::integers(features)
                .ok_or_else(|| Error::malformed("estimators_features_ is not a list of columns").at(place()))?;
            let depths = depths(&tree.left, &tree.right).at(place)?;
            tree.tree(Some(&features), |node, values| {
                // The original adds the nodes on the path and the leaf's mean path, then takes one away.
                values.push(f64::from(depths[node]) + average_path_length(tree.samples[node]) - 1.0);
            })
            .at(place)
        })
        .collect::<Result<Vec<_>>>()?;
    // From 1.6 on its input is not looked at.
    let any = estimator.version >= Version(1, 6) && stored.iter().all(|(_, tree)| tree.missing_left.is_some());
    let path = &estimator.path;
    let count = trees.len() as f64;
    let sum = builder.graph.push_one(
        Op::Trees(Ensemble { infinite: any, ..ensemble(trees, frame.len(), 1, Aggregate::Sum, any) }),
        frame.wires.clone(),
        path,
    )?;
    let mean_path = count * average_path_length(samples);
    let samples = if mean_path == 0.0 {
        // One sample a tree: the original leaves every score at 2^-1.
        builder.graph.push_one(Op::Linear { scale: vec![0.0], offset: vec![-0.5] }, vec![sum], path)?
    } else {
        builder.graph.push_one(Op::IsolationScore { mean_path }, vec![sum], path)?
    };
    let offset = estimator.f64("offset_")?;
    let score =
        builder.graph.push_one(Op::Standardize { mean: Some(vec![offset]), scale: None }, vec![samples], path)?;
    let outlier = builder.graph.push_one(Op::Below { threshold: 0.0 }, vec![score], path)?;
    Ok(Output::Anomaly { outlier, score, samples: Some(samples) })
}

/// Nodes on the path from the root to each node, itself included. Nodes that no path reaches keep 0.
fn depths(left: &[i64], right: &[i64]) -> Result<Vec<u32>> {
    let mut depths = vec![0u32; left.len()];
    let mut open = vec![(0usize, 1u32)];
    let mut visits = 0;
    while let Some((node, depth)) = open.pop() {
        visits += 1;
        if node >= left.len() || visits > left.len() {
            return Err(Error::malformed(format!("the nodes are not a tree at node {node}")));
        }
        depths[node] = depth;
        if left[node] >= 0 || right[node] >= 0 {
            for child in [left[node], right[node]] {
                let child = usize::try_from(child).map_err(|_| Error::malformed(format!("child {child}")))?;
                open.push((child, depth + 1));
            }
        }
    }
    Ok(depths)
}

/// One column a leaf of each tree: 1 for the leaf that the row reaches.
pub fn random_trees_embedding(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let stored = estimators(builder, estimator)?;
    let trees = stored
        .iter()
        .enumerate()
        .map(|(number, (_, stored))| {
            let tree = stored.tree(None, |node, values| values.push(node as f64));
            Ok(tree.at(|| format!("{}, tree {number}", estimator.path))?.for_output(number))
        })
        .collect::<Result<Vec<_>>>()?;
    let count = trees.len();
    let op = Op::Trees(ensemble(trees, frame.len(), count, Aggregate::Sum, false));
    let wires = builder.graph.push(op, frame.wires.clone(), &estimator.path)?;
    let names = (0..count).map(|number| format!("randomtreesembedding_{number}")).collect();
    let leaves = Frame { wires, names };
    builder.transform(estimator.need("one_hot_encoder_")?, "one_hot_encoder_", Some(estimator), &leaves)
}

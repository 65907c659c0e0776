//! Trees and forests. smartcore's regression trees sort each column once and split in place; its classification
//! trees look at every row of the table at every node, which is quadratic, and their forest counts one vote a tree.
//!
//! So two classes are a regression on 0 and 1: the variance of such a target is half its Gini impurity, the splits
//! are the same, and a leaf's mean is its share of the second class, which a forest averages as scikit-learn does.
//! More classes are smartcore's own: DecisionTreeClassifier, with the shares of the training rows in its leaves, and
//! RandomForestClassifier, a vote a tree. Where that would take minutes, and for extra trees, of which smartcore has no
//! classifier, they are a forest of regressions a class, against the rest, their shares over the sum.
//! There, x goes left where `x <= threshold` in f64; leaves are added in tree order and divided by the trees.

use super::{Fitted, Job, Made, Own, Target, Task, argmax, failed, state};
use crate::model::{Aggregate, Ensemble, Leaves, Node, Op, Test, Tree, Width};
use crate::train::random::Random;
use crate::{Error, Result};
use ndarray::{Array2, Axis};
use serde::Deserialize;
use serde_json::{Value, json};
use smartcore::ensemble::extra_trees_regressor::{ExtraTreesRegressor, ExtraTreesRegressorParameters};
use smartcore::ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::tree::decision_tree_classifier::{
    DecisionTreeClassifier, DecisionTreeClassifierParameters, SplitCriterion,
};
use smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};
use smartcore::xgboost::{XGRegressor, XGRegressorParameters};

pub fn tree_parameters() -> Value {
    json!({"max_depth": null, "min_samples_leaf": null, "min_samples_split": 2})
}

pub fn forest_parameters() -> Value {
    json!({"n_trees": 100, "m": null, "max_depth": null, "min_samples_leaf": null, "min_samples_split": 2})
}

pub fn boosting_parameters() -> Value {
    json!({"n_estimators": 100, "max_depth": 3, "learning_rate": 0.1, "lambda": 1.0, "gamma": 0.0, "subsample": 1.0})
}

pub fn isolation_parameters() -> Value {
    json!({"n_trees": 100, "max_samples": 256, "contamination": 0.02})
}

/// The fields of `BaseTree` and its nodes that predict.
#[derive(Deserialize)]
struct StoredTree {
    nodes: Vec<StoredNode>,
}

#[derive(Deserialize)]
struct StoredNode {
    output: f64,
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

#[derive(Deserialize)]
struct StoredForest {
    forest_regressor: Trees,
}

#[derive(Deserialize)]
struct Trees {
    trees: Vec<StoredTree>,
}

#[derive(Deserialize)]
struct SingleTree {
    tree_regressor: StoredTree,
}

impl StoredTree {
    /// With `leaf` giving each leaf's value from its node.
    fn tree(&self, output: usize, mut leaf: impl FnMut(usize) -> f64) -> Result<Tree> {
        let mut values = Vec::new();
        let mut nodes = Vec::with_capacity(self.nodes.len());
        for (number, node) in self.nodes.iter().enumerate() {
            nodes.push(match (node.true_child, node.false_child, node.split_value) {
                (Some(left), Some(right), Some(threshold)) => Node::Split {
                    feature: node.split_feature as u32,
                    test: Test::LessEqual(threshold),
                    missing_left: false,
                    left: left as u32,
                    right: right as u32,
                },
                _ => {
                    values.push(leaf(number));
                    Node::Leaf(values.len() as u32 - 1)
                }
            });
        }
        Ok(Tree { nodes, leaves: Leaves::Scalar { output: output as u32, values } })
    }
}

fn ensemble(trees: Vec<Tree>, features: usize, base: Vec<f64>, aggregate: Aggregate) -> Ensemble {
    Ensemble {
        compare: Width::F64,
        sum: Width::F64,
        features: features as u32,
        base,
        trees,
        sets: Vec::new(),
        aggregate,
        missing: false,
        infinite: false,
    }
}

/// The targets of the regressions that make a classifier or are the regression itself.
fn targets(job: &Job) -> Result<Vec<Vec<f64>>> {
    Ok(match job.target {
        Target::Values(values) => vec![values.to_vec()],
        Target::Classes(of, 2) => vec![of.iter().map(|&class| f64::from(class)).collect()],
        Target::Classes(of, count) => (0..count as u32)
            .map(|class| of.iter().map(|&other| f64::from(u8::from(other == class))).collect())
            .collect(),
        Target::None => return Err(Error::input("trees need a target")),
    })
}

/// Rows a leaf keeps at least: 1 as in scikit-learn, and more for tables whose full trees would be a huge model.
fn least_leaf(job: &Job) -> Result<usize> {
    let automatic = (job.x.nrows() / 10_000).max(1);
    Ok(job.parameters.maybe_count("min_samples_leaf", 1, 1 << 40)?.unwrap_or(automatic))
}

fn depth(job: &Job) -> Result<Option<u16>> {
    // smartcore counts levels: a tree of depth 1 has two.
    Ok(job.parameters.maybe_count("max_depth", 1, 10_000)?.map(|depth| depth as u16 + 1))
}

/// A forest of any kind: for each output its trees, and smartcore's own values.
struct Grown {
    trees: Vec<Vec<Tree>>,
    own: Option<Vec<Vec<f64>>>,
}

/// Most trees that one forest of smartcore's grows here: its nodes go through JSON, some 150 bytes each.
const PIECE: usize = 10;

/// `one` grows so many trees on a target from a seed, with smartcore's own values for the rows to check.
fn grow(
    job: &Job,
    count: usize,
    one: impl Fn(&Vec<f64>, usize, u64) -> Result<(Vec<StoredTree>, Option<Vec<f64>>)>,
) -> Result<Grown> {
    let mut grown = Grown { trees: Vec::new(), own: job.check.map(|_| Vec::new()) };
    for (output, target) in targets(job)?.iter().enumerate() {
        let mut trees = Vec::with_capacity(count);
        let mut sums = job.check.map(|rows| vec![0.0; rows.nrows()]);
        while trees.len() < count {
            let some = PIECE.min(count - trees.len());
            // smartcore gives tree k the seed + k: the pieces' trees go on where the last ended.
            let (stored, own) = one(target, some, job.seed.wrapping_add(trees.len() as u64))?;
            for stored in &stored {
                trees.push(stored.tree(output, |node| stored.nodes[node].output)?);
            }
            if let (Some(sums), Some(own)) = (&mut sums, own) {
                let share = some as f64 / count as f64;
                sums.iter_mut().zip(own).for_each(|(sum, value)| *sum += share * value);
            }
        }
        grown.trees.push(trees);
        if let (Some(all), Some(sums)) = (&mut grown.own, sums) {
            all.push(sums);
        }
    }
    Ok(grown)
}

/// The steps of a grown forest, and smartcore's own predictions put together in the same way.
fn finish(job: &Job, grown: Grown, path: &'static str) -> Result<Fitted> {
    let Grown { trees, own } = grown;
    let outputs = trees.len();
    let count = trees[0].len() as f64;
    let divide = if count == 1.0 { Aggregate::Sum } else { Aggregate::Divide(count) };
    let trees: Vec<Tree> = trees.into_iter().flatten().collect();
    let forest = ensemble(trees, job.x.ncols(), vec![0.0; outputs], divide);
    let classes = match job.target {
        Target::Classes(_, count) => Some(count),
        _ => None,
    };
    let own = own.map(|own| match classes {
        None => Own { predicted: own.into_iter().next().unwrap_or_default(), probabilities: None },
        Some(2) => {
            let second = &own[0];
            let predicted = second.iter().map(|&p| f64::from(u8::from(p > 0.5))).collect();
            Own { predicted, probabilities: Some(second.iter().map(|&p| vec![1.0 - p, p]).collect()) }
        }
        Some(_) => {
            let rows = own[0].len();
            let shares: Vec<Vec<f64>> = (0..rows)
                .map(|row| {
                    let sum: f64 = own.iter().map(|class| class[row]).sum();
                    own.iter().map(|class| if sum > 0.0 { class[row] / sum } else { 1.0 / outputs as f64 }).collect()
                })
                .collect();
            Own { predicted: shares.iter().map(|row| first_max(row) as f64).collect(), probabilities: Some(shares) }
        }
    });
    Fitted::new(
        move |graph, wires| {
            let made = graph.push(Op::Trees(forest.clone()), wires.to_vec(), path)?;
            match classes {
                None => Ok(Made::Value(made[0])),
                Some(2) => {
                    let label = graph.push_one(Op::Above { threshold: 0.5 }, made.clone(), path)?;
                    let probabilities = graph.push(Op::Complement, made, path)?;
                    Ok(Made::Classes { label, probabilities: Some(probabilities), scores: None })
                }
                Some(_) => {
                    let probabilities = graph.push(Op::Share, made, path)?;
                    let label = argmax(graph, &probabilities, path)?;
                    Ok(Made::Classes { label, probabilities: Some(probabilities), scores: None })
                }
            }
        },
        own,
    )
}

fn first_max(row: &[f64]) -> usize {
    row.iter().enumerate().fold(0, |best, (place, &value)| if value > row[best] { place } else { best })
}

pub fn tree(job: &Job) -> Result<Fitted> {
    if let Target::Classes(_, 3..) = job.target {
        return class_tree(job);
    }
    let parameters = DecisionTreeRegressorParameters {
        max_depth: depth(job)?,
        min_samples_leaf: least_leaf(job)?,
        min_samples_split: job.parameters.count("min_samples_split", 2, 1 << 40)?,
        seed: Some(job.seed),
    };
    let grown = grow(job, 1, |target, _, _| {
        let model = DecisionTreeRegressor::fit(job.x, target, parameters.clone()).map_err(failed)?;
        let own = job.check.map(|rows| model.predict(rows).map_err(failed)).transpose()?;
        let stored: SingleTree = state(&model)?;
        Ok((vec![stored.tree_regressor], own))
    })?;
    finish(job, grown, "DecisionTreeRegressor")
}

/// Columns tried at each split: all for a regression, the square root of their number for classes, as scikit-learn.
fn tried(job: &Job) -> Result<usize> {
    let columns = job.x.ncols();
    let automatic = match job.task {
        Task::Classification => (columns as f64).sqrt() as usize,
        _ => columns,
    };
    Ok(job.parameters.maybe_count("m", 1, columns as u64)?.unwrap_or(automatic.max(1)))
}

/// A forest of regressions. smartcore's two kinds take parameters of one form under two names.
macro_rules! regressions {
    ($job:ident, $count:ident, $Forest:ident, $Parameters:ident) => {{
        let (max_depth, min_samples_leaf, m) = (depth($job)?, least_leaf($job)?, Some(tried($job)?));
        let min_samples_split = $job.parameters.count("min_samples_split", 2, 1 << 40)?;
        let grown = grow($job, $count, |target, n_trees, seed| {
            let parameters =
                $Parameters { max_depth, min_samples_leaf, min_samples_split, n_trees, m, keep_samples: false, seed };
            let model = $Forest::fit($job.x, target, parameters).map_err(failed)?;
            let own = $job.check.map(|rows| model.predict(rows).map_err(failed)).transpose()?;
            let stored: StoredForest = state(&model)?;
            Ok((stored.forest_regressor.trees, own))
        })?;
        finish($job, grown, stringify!($Forest))
    }};
}

fn n_trees(job: &Job) -> Result<usize> {
    job.parameters.count("n_trees", 1, 10_000)
}

pub fn forest(job: &Job) -> Result<Fitted> {
    let count = n_trees(job)?;
    if let Target::Classes(of, classes @ 3..) = job.target {
        let rows = job.x.nrows() as f64;
        if count as f64 * rows / 4.0 * rows * tried(job)? as f64 <= MOST_LOOKS / 4.0 {
            return class_forest(job, of, classes, count);
        }
    }
    regressions!(job, count, RandomForestRegressor, RandomForestRegressorParameters)
}

pub fn extra(job: &Job) -> Result<Fitted> {
    let count = n_trees(job)?;
    regressions!(job, count, ExtraTreesRegressor, ExtraTreesRegressorParameters)
}

#[derive(Deserialize)]
struct ClassTree {
    nodes: Vec<ClassNode>,
}

#[derive(Deserialize)]
struct ClassForest {
    trees: Vec<ClassTree>,
}

#[derive(Deserialize)]
struct ClassNode {
    output: usize,
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

impl ClassNode {
    /// Feature, threshold and children; None at a leaf.
    fn split(&self) -> Option<(usize, f64, usize, usize)> {
        Some((self.split_feature, self.split_value?, self.true_child?, self.false_child?))
    }
}

impl ClassTree {
    /// With `leaf` appending each leaf's shares of the classes.
    fn tree(&self, count: usize, mut leaf: impl FnMut(usize, &mut Vec<f64>)) -> Tree {
        let mut values = Vec::new();
        let node = |(number, node): (usize, &ClassNode)| match node.split() {
            Some((feature, threshold, left, right)) => Node::Split {
                feature: feature as u32,
                test: Test::LessEqual(threshold),
                missing_left: false,
                left: left as u32,
                right: right as u32,
            },
            None => {
                leaf(number, &mut values);
                Node::Leaf((values.len() / count) as u32 - 1)
            }
        };
        let nodes = self.nodes.iter().enumerate().map(node).collect();
        Tree { nodes, leaves: Leaves::Vector(values) }
    }
}

/// smartcore's own forest of classes: each tree votes for its leaf's class, the first of the most votes wins.
fn class_forest(job: &Job, of: &[u32], count: usize, trees: usize) -> Result<Fitted> {
    let parameters = RandomForestClassifierParameters {
        criterion: SplitCriterion::Gini,
        max_depth: depth(job)?,
        min_samples_leaf: least_leaf(job)?,
        min_samples_split: job.parameters.count("min_samples_split", 2, 1 << 40)?,
        n_trees: trees as u16,
        m: Some(tried(job)?),
        keep_samples: false,
        seed: job.seed,
    };
    let model = RandomForestClassifier::fit(job.x, &of.to_vec(), parameters).map_err(failed)?;
    let own = match job.check {
        Some(rows) => {
            let predicted = model.predict(rows).map_err(failed)?.into_iter().map(f64::from).collect();
            Some(Own { predicted, probabilities: None })
        }
        None => None,
    };
    let stored: ClassForest = state(&model)?;
    let vote = |tree: &ClassTree| {
        tree.tree(count, |node, values| {
            let class = tree.nodes[node].output;
            values.extend((0..count).map(|other| f64::from(u8::from(other == class))));
        })
    };
    let trees: Vec<Tree> = stored.trees.iter().map(vote).collect();
    classes_of(job, trees, own, "RandomForestClassifier")
}

/// The steps of trees whose leaves hold the shares of more than two classes.
fn classes_of(job: &Job, trees: Vec<Tree>, own: Option<Own>, path: &'static str) -> Result<Fitted> {
    let (_, count) = job.classes()?;
    let divide = if trees.len() == 1 { Aggregate::Sum } else { Aggregate::Divide(trees.len() as f64) };
    let forest = ensemble(trees, job.x.ncols(), vec![0.0; count], divide);
    Fitted::new(
        move |graph, wires| {
            let probabilities = graph.push(Op::Trees(forest.clone()), wires.to_vec(), path)?;
            let label = argmax(graph, &probabilities, path)?;
            Ok(Made::Classes { label, probabilities: Some(probabilities), scores: None })
        },
        own,
    )
}

/// Cells that smartcore's classification tree may look at: some minutes.
const MOST_LOOKS: f64 = 1e11;

fn class_tree(job: &Job) -> Result<Fitted> {
    let (of, count) = job.classes()?;
    let (rows, columns) = job.x.dim();
    let least = least_leaf(job)?;
    let depth = depth(job)?;
    let nodes =
        (rows as f64 / least as f64 / 4.0).min(depth.map_or(f64::INFINITY, |levels| 2f64.powi(i32::from(levels))));
    if nodes * rows as f64 * columns as f64 > MOST_LOOKS {
        return Err(Error::limit(format!("a single tree of {count} classes over {rows} rows would take too long: the engine looks at every row at every node"))
            .remedy("Choose --model forest, limit the tree, --set max_depth=8, or train on a sample, --rows 20000."));
    }
    let y = of.to_vec();
    let parameters = DecisionTreeClassifierParameters {
        criterion: SplitCriterion::Gini,
        max_depth: depth,
        min_samples_leaf: least,
        min_samples_split: job.parameters.count("min_samples_split", 2, 1 << 40)?,
        seed: Some(job.seed),
    };
    let model = DecisionTreeClassifier::fit(job.x, &y, parameters).map_err(failed)?;
    let own = match job.check {
        Some(rows) => {
            let predicted = model.predict(rows).map_err(failed)?.into_iter().map(f64::from).collect();
            Some(Own { predicted, probabilities: None })
        }
        None => None,
    };
    let stored: ClassTree = state(&model)?;
    let mut counts = vec![0.0; stored.nodes.len() * count];
    for (row, &class) in job.x.axis_iter(Axis(0)).zip(of) {
        let mut node = 0;
        while let Some((feature, threshold, left, right)) = stored.nodes[node].split() {
            node = if row[feature] <= threshold { left } else { right };
        }
        counts[node * count + class as usize] += 1.0;
    }
    let tree = stored.tree(count, |node, values| {
        let counts = &counts[node * count..(node + 1) * count];
        let sum: f64 = counts.iter().sum();
        values.extend(counts.iter().map(|&n| if sum > 0.0 { n / sum } else { 1.0 / count as f64 }));
    });
    classes_of(job, vec![tree], own, "DecisionTreeClassifier")
}

#[derive(Deserialize)]
struct StoredBoosting {
    regressors: Vec<Boosted>,
}

/// A node of `TreeRegressor`: recursive, as deep as `max_depth`.
#[derive(Deserialize)]
struct Boosted {
    left: Option<Box<Boosted>>,
    right: Option<Box<Boosted>>,
    value: f64,
    threshold: f64,
    split_feature_idx: usize,
}

impl Boosted {
    fn add(&self, rate: f64, nodes: &mut Vec<Node>, values: &mut Vec<f64>) {
        let at = nodes.len();
        nodes.push(Node::Leaf(0));
        if let (Some(left), Some(right)) = (&self.left, &self.right) {
            left.add(rate, nodes, values);
            let after = nodes.len();
            right.add(rate, nodes, values);
            nodes[at] = Node::Split {
                feature: self.split_feature_idx as u32,
                test: Test::LessEqual(self.threshold),
                missing_left: false,
                left: at as u32 + 1,
                right: after as u32,
            };
        } else {
            nodes[at] = Node::Leaf(values.len() as u32);
            values.push(rate * self.value);
        }
    }
}

/// smartcore's XGRegressor on the target less its mean: it starts from a score given, not from the mean.
pub fn boosting(job: &Job) -> Result<Fitted> {
    let target = job.values()?;
    let mean = target.iter().sum::<f64>() / target.len().max(1) as f64;
    let rate = job.parameters.number("learning_rate", 1e-6, 1.0)?;
    let trees = job.parameters.count("n_estimators", 1, 100_000)?;
    let depth = job.parameters.count("max_depth", 1, 30)?;
    let (rows, columns) = job.x.dim();
    let looks = rows as f64 * (rows as f64).log2() * columns as f64 * trees as f64 * depth as f64;
    if looks > 1e12 {
        return Err(Error::limit(format!("boosting of {trees} trees over {rows} rows would take hours: the engine sorts every column anew at every node"))
            .remedy("Train on a sample, --rows 100000, or choose --model forest."));
    }
    let parameters = XGRegressorParameters {
        n_estimators: trees,
        max_depth: depth as u16,
        learning_rate: rate,
        lambda: job.parameters.number("lambda", 0.0, 1e12)?,
        gamma: job.parameters.number("gamma", 0.0, 1e12)?,
        subsample: job.parameters.number("subsample", 0.01, 1.0)?,
        base_score: mean,
        seed: job.seed,
        ..Default::default()
    };
    let y = target.to_vec();
    let model = XGRegressor::fit(job.x, &y, parameters).map_err(failed)?;
    let own = job.check.map(|rows| model.predict(rows).map_err(failed)).transpose()?;
    let stored: StoredBoosting = state(&model)?;
    let trees = stored.regressors.iter().map(|tree| {
        let (mut nodes, mut values) = (Vec::new(), Vec::new());
        tree.add(rate, &mut nodes, &mut values);
        Tree { nodes, leaves: Leaves::Scalar { output: 0, values } }
    });
    let forest = ensemble(trees.collect(), columns, vec![mean], Aggregate::Sum);
    Fitted::new(
        move |graph, wires| {
            Ok(Made::Value(graph.push_one(Op::Trees(forest.clone()), wires.to_vec(), "XGRegressor")?))
        },
        own.map(|predicted| Own { predicted, probabilities: None }),
    )
}

/// c(n), the mean path length of an unsuccessful search in a binary tree of n rows (Liu et al. 2008).
fn mean_path(rows: f64) -> f64 {
    const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;
    match rows {
        rows if rows <= 1.0 => 0.0,
        2.0 => 1.0,
        rows => 2.0 * ((rows - 1.0).ln() + EULER_GAMMA) - 2.0 * (rows - 1.0) / rows,
    }
}

/// An isolation forest (Liu, Ting and Zhou 2008), as scikit-learn builds its own: extremely random trees of one
/// column tried a split on a target of noise, each on a sample of the rows. smartcore grows the trees; the depths
/// are ours. The score is -2^(-mean depth / c(sample)) less the share of `contamination` that is below it.
pub fn isolation(job: &Job) -> Result<Fitted> {
    let (rows, columns) = job.x.dim();
    let count = n_trees(job)?;
    let sample = job.parameters.count("max_samples", 2, 1 << 20)?.min(rows);
    let contamination = job.parameters.number("contamination", 0.0, 0.5)?;
    let mut random = Random::new(job.seed);
    let mut trees = Vec::with_capacity(count);
    let mut places: Vec<usize> = (0..rows).collect();
    let levels = (sample as f64).log2().ceil() as u16 + 1;
    for number in 0..count {
        for at in 0..sample {
            places.swap(at, at + random.below(rows - at));
        }
        let x: Array2<f64> = job.x.select(Axis(0), &places[..sample]);
        let noise: Vec<f64> = (0..sample).map(|_| random.unit()).collect();
        let parameters = ExtraTreesRegressorParameters {
            max_depth: Some(levels),
            min_samples_leaf: 1,
            min_samples_split: 2,
            n_trees: 1,
            m: Some(1),
            keep_samples: false,
            seed: job.seed.wrapping_add(number as u64),
        };
        let model = ExtraTreesRegressor::fit(&x, &noise, parameters).map_err(failed)?;
        let stored: StoredForest = state(&model)?;
        let stored = stored
            .forest_regressor
            .trees
            .into_iter()
            .next()
            .ok_or_else(|| Error::malformed("smartcore's forest has no tree"))?;
        // Depth of each node, and the rows that end there.
        let mut depths = vec![0.0; stored.nodes.len()];
        let mut ends = vec![0.0; stored.nodes.len()];
        for row in x.axis_iter(Axis(0)) {
            let mut node = 0;
            let mut depth = 0.0;
            while let StoredNode {
                true_child: Some(left),
                false_child: Some(right),
                split_value: Some(threshold),
                split_feature,
                ..
            } = &stored.nodes[node]
            {
                node = if row[*split_feature] <= *threshold { *left } else { *right };
                depth += 1.0;
            }
            depths[node] = depth;
            ends[node] += 1.0;
        }
        trees.push(stored.tree(0, |node| depths[node] + mean_path(ends[node]))?);
    }
    let forest = ensemble(trees, columns, vec![0.0], Aggregate::Divide(count as f64));
    let scale = mean_path(sample as f64).max(f64::MIN_POSITIVE);
    // The offset: the score below which `contamination` of the training rows are.
    let mut scores: Vec<f64> = job
        .x
        .axis_iter(Axis(0))
        .map(|row| {
            let sum: f64 = forest.trees.iter().map(|tree| leaf_value(tree, |feature| row[feature])).sum();
            -(-(sum / count as f64) / scale).exp2()
        })
        .collect();
    scores.sort_by(f64::total_cmp);
    let offset = if contamination > 0.0 { super::quantile(&scores, contamination) } else { -0.5 };
    let mut fitted = Fitted::new(
        move |graph, wires| {
            let path = "isolation forest";
            let depth = graph.push(Op::Trees(forest.clone()), wires.to_vec(), path)?;
            let score = graph.push(Op::IsolationScore { mean_path: scale }, depth, path)?;
            let score = graph.push_one(Op::Linear { scale: vec![1.0], offset: vec![-offset] }, score, path)?;
            let outlier = graph.push_one(Op::Below { threshold: 0.0 }, vec![score], path)?;
            Ok(Made::Anomaly { outlier, score })
        },
        None,
    )?;
    fitted.chosen.insert("offset".into(), json!(offset));
    Ok(fitted)
}

/// The value of the leaf that a row ends in.
fn leaf_value(tree: &Tree, x: impl Fn(usize) -> f64) -> f64 {
    let mut at = 0;
    loop {
        match (&tree.nodes[at], &tree.leaves) {
            (Node::Split { feature, test: Test::LessEqual(threshold), left, right, .. }, _) => {
                at = if x(*feature as usize) <= *threshold { *left as usize } else { *right as usize };
            }
            (Node::Leaf(leaf), Leaves::Scalar { values, .. }) => return values[*leaf as usize],
            _ => return f64::NAN,
        }
    }
}

//! Boosted ensembles (sklearn.ensemble): GradientBoosting, HistGradientBoosting, AdaBoost. Where the members are trees
//! they become one forest that adds the same f64 values in the same order as the original.

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, Version, integers, numbers};
use super::inner::{self, at_least, numpy_sum};
use super::trees::{self, Stored};
use super::{dummy, linear};
use crate::import::pickle::Value;
use crate::model::{
    Aggregate, CategorySet, Cell, Ensemble, Function, Leaves, Matrix, Node, Op, Output, Test, Tree, Width, Wire,
};
use crate::{At, Error, Result};

/// `I - 1/n`: subtracts a row's mean.
fn centring(count: usize, factor: f64) -> Result<Matrix> {
    if count.saturating_mul(count) > inner::MOST_TABLE {
        return Err(Error::limit(format!("{count} classes")));
    }
    let mean = 1.0 / count as f64;
    let values = (0..count * count)
        .map(|at| if at % count == at / count { factor * (1.0 - mean) } else { -factor * mean })
        .collect();
    Matrix::new(count, count, values)
}

/// The raw scores where the trees start.
enum Start {
    Constant(Vec<f64>),
    Wires(Vec<Wire>),
}

/// Start plus learning_rate × leaf, stage after stage; X is rounded to f32 for trees and init estimator alike.
fn gradient_stages(builder: &mut Builder, estimator: &Estimator, frame: &Frame, start: Start) -> Result<Vec<Wire>> {
    let stages = estimator.array("estimators_")?;
    let outputs = match (&stages.shape[..], &start) {
        (&[_, outputs], Start::Constant(base)) if base.len() == outputs => outputs,
        (&[_, outputs], Start::Wires(wires)) if wires.len() == outputs => outputs,
        _ => return Err(estimator.malformed(format!("estimators_ is {}, one column a score", stages.describe()))),
    };
    let rate = estimator.f64("learning_rate")?;
    let list = stages.objects().at(|| estimator.path.clone())?;
    let list = trees::read(builder, estimator, list)?;
    let made = list
        .iter()
        .enumerate()
        .map(|(number, (_, stored))| {
            let scaled = |node: usize, values: &mut Vec<f64>| values.push(rate * stored.value(node, 0)[0]);
            let tree = stored.tree(None, scaled).at(|| format!("{}, tree {number}", estimator.path))?;
            Ok(tree.for_output(number % outputs))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut ensemble = trees::ensemble(made, frame.len(), outputs, Aggregate::Sum, false);
    let path = &estimator.path;
    match start {
        Start::Constant(base) => {
            ensemble.base = base;
            builder.graph.push(Op::Trees(ensemble), frame.wires.clone(), path)
        }
        Start::Wires(first) => {
            let rest = builder.graph.push(Op::Trees(ensemble), frame.wires.clone(), path)?;
            inner::combine(builder, vec![first, rest], vec![1.0; 2], 1.0, estimator)
        }
    }
}

/// The init estimator, or None for 'zero'.
fn init<'h>(estimator: &Estimator<'h>) -> Result<Option<Estimator<'h>>> {
    let value = estimator.need("init_")?;
    if value.as_str() == Some("zero") {
        return Ok(None);
    }
    Estimator::new(value, "init_", Some(estimator)).map(Some)
}

fn narrowed(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    builder.map(Op::Function(Function::Float32), frame, estimator)
}

pub fn gradient_regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let start = match init(estimator)? {
        None => Start::Constant(vec![0.0]),
        Some(init) if init.class == "DummyRegressor" => Start::Constant(dummy::constants(&init)?),
        Some(init) => {
            let frame = narrowed(builder, estimator, frame)?;
            Start::Wires(inner::regressor(builder, init.value, "init_", estimator, &frame)?)
        }
    };
    Ok(Output::Regression { values: gradient_stages(builder, estimator, frame, start)?, names: Vec::new() })
}

/// The link of the init estimator's probabilities, clipped away from 0 and 1: the log odds (half of it for the
/// exponential loss), or the log of each (from 1.4 less their mean). An init estimator of its own computes in f32 in
/// the original, so that near a probability of 1 its log odds are good to two digits there; here they are f64's.
pub fn gradient_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let classes = estimator.cells("classes_")?;
    let count = classes.len();
    let path = &estimator.path;
    let exponential = match estimator.str("loss")? {
        "exponential" => true,
        "log_loss" | "deviance" => false,
        other => return Err(estimator.unsupported(format!("the loss '{other}'"))),
    };
    if count < 2 || (exponential && count > 2) {
        return Err(estimator.malformed(format!("{count} classes")));
    }
    let outputs = if count == 2 { 1 } else { count };
    let half = if exponential { 0.5 } else { 1.0 };
    let eps = if estimator.version < Version(1, 8) { f64::from(f32::EPSILON) } else { f64::EPSILON };
    let centred = estimator.version >= Version(1, 4);
    let start = match init(estimator)? {
        None => Start::Constant(vec![0.0; outputs]),
        Some(init) if init.class == "DummyClassifier" => {
            let mut prior = match &dummy::priors(&init)?[..] {
                [(_, prior)] if prior.len() == count => prior.clone(),
                _ => return Err(estimator.malformed("init_ does not have the model's classes")),
            };
            prior.iter_mut().for_each(|p| *p = p.clamp(eps, 1.0 - eps));
            Start::Constant(if count == 2 {
                vec![half * logit(prior[1], centred)]
            } else {
                let logs: Vec<f64> = prior.iter().map(|p| p.ln()).collect();
                let mean = if centred { numpy_sum(&logs) / count as f64 } else { 0.0 };
                match centred {
                    // scipy's gmean, then the log of the quotient.
                    true => prior.iter().map(|p| (p / mean.exp()).ln()).collect(),
                    false => logs,
                }
            })
        }
        Some(init) => {
            let frame = narrowed(builder, estimator, frame)?;
            let init = inner::classifier(builder, init.value, "init_", estimator, &frame)?;
            let probabilities = init.probabilities.filter(|wires| wires.len() == count);
            let probabilities =
                probabilities.ok_or_else(|| estimator.malformed("init_ has no probabilities of the classes"))?;
            let graph = &mut builder.graph;
            let clipped = match count {
                2 => {
                    let second = graph.push(Op::Clip { low: eps, high: 1.0 - eps }, vec![probabilities[1]], path)?;
                    graph.push(Op::Complement, second, path)?
                }
                _ => graph.push(Op::Clip { low: eps, high: 1.0 - eps }, probabilities, path)?,
            };
            let logs = graph.push(Op::Function(Function::Log), clipped, path)?;
            Start::Wires(if count == 2 {
                let coef = Matrix::new(1, 2, vec![-half, half])?;
                graph.push(Op::Affine { coef, intercept: vec![0.0] }, logs, path)?
            } else if centred {
                graph.push(Op::Affine { coef: centring(count, 1.0)?, intercept: vec![0.0; count] }, logs, path)?
            } else {
                logs
            })
        }
    };
    let raw = gradient_stages(builder, estimator, frame, start)?;
    let label = if count == 2 { at_least(0.0) } else { Op::Argmax };
    let label = builder.graph.push_one(label, raw.clone(), path)?;
    let probabilities = if exponential {
        let twice = Op::Linear { scale: vec![2.0], offset: vec![0.0] };
        let twice = builder.graph.push(twice, raw.clone(), path)?;
        link(builder, &twice, path)?
    } else {
        link(builder, &raw, path)?
    };
    Ok(Output::Classification { classes, label, probabilities: Some(probabilities), scores: Some(raw) })
}

/// log(p / (1 - p)); from 1.4 as scipy computes it, which near one half takes log1p.
fn logit(p: f64, scipy: bool) -> f64 {
    if scipy && (0.3..=0.65).contains(&p) {
        let s = 2.0 * (p - 0.5);
        s.ln_1p() - (-s).ln_1p()
    } else {
        (p / (1.0 - p)).ln()
    }
}

/// The logistic of one raw score as (1 - p, p), the softmax of several.
fn link(builder: &mut Builder, raw: &[Wire], path: &str) -> Result<Vec<Wire>> {
    if raw.len() == 1 {
        let single = builder.graph.push(Op::Function(Function::Expit), raw.to_vec(), path)?;
        builder.graph.push(Op::Complement, single, path)
    } else {
        builder.graph.push(Op::Softmax, raw.to_vec(), path)
    }
}

/// `_baseline_prediction` plus the leaves of `_predictors`, over the columns that `_preprocessor` makes: its encoder
/// moves the categories to the front, as codes, unknown ones as missing.
fn histogram_raw(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Vec<Wire>> {
    let frame = match estimator.get("_preprocessor") {
        Some(preprocessor) => builder.transform(preprocessor, "_preprocessor", Some(estimator), frame)?,
        None => frame.clone(),
    };
    let base = estimator.f64s("_baseline_prediction")?;
    let known = known_categories(estimator)?;
    let (mut made, mut sets) = (Vec::new(), Vec::new());
    for (number, iteration) in estimator.list("_predictors")?.into_iter().enumerate() {
        let place = || format!("{}, iteration {number}", estimator.path);
        let predictors: Vec<Value> = iteration.items().into_iter().flatten().collect();
        if predictors.len() != base.len() {
            let message = format!("{} trees for {} scores", predictors.len(), base.len());
            return Err(Error::malformed(message).at(place()));
        }
        for (output, predictor) in predictors.into_iter().enumerate() {
            let predictor = Estimator::new(predictor, "tree", Some(estimator))?;
            builder.count(&predictor)?;
            made.push(histogram_tree(&predictor, &known, &mut sets).at(place)?.for_output(output));
        }
    }
    let ensemble = Ensemble {
        compare: Width::F64,
        sum: Width::F64,
        features: frame.len() as u32,
        base,
        trees: made,
        sets,
        aggregate: Aggregate::Sum,
        missing: true,
        infinite: true,
    };
    builder.graph.push(Op::Trees(ensemble), frame.wires, &estimator.path)
}

/// Categories that a byte can hold; the original has no more.
const CATEGORIES: usize = 256;

/// For each column which categories were seen in training; none for a column of numbers.
fn known_categories(estimator: &Estimator) -> Result<Vec<[bool; CATEGORIES]>> {
    let mapper = Estimator::new(estimator.need("_bin_mapper")?, "_bin_mapper", Some(estimator))?;
    let thresholds = mapper.list("bin_thresholds_")?;
    let mut known = vec![[false; CATEGORIES]; thresholds.len()];
    let Some(flags) = mapper.get("is_categorical_") else { return Ok(known) };
    let flags = integers(flags).filter(|flags| flags.len() == thresholds.len());
    let flags = flags.ok_or_else(|| mapper.malformed("is_categorical_ does not fit bin_thresholds_"))?;
    for (known, (values, _)) in known.iter_mut().zip(thresholds.into_iter().zip(flags)).filter(|pair| pair.1.1 != 0) {
        let values = numbers(values);
        for value in values.ok_or_else(|| mapper.malformed("bin_thresholds_ does not hold numbers"))? {
            let category = known.get_mut(value as usize).filter(|_| value >= 0.0 && value.fract() == 0.0);
            *category.ok_or_else(|| mapper.malformed(format!("the category {value}")))? = true;
        }
    }
    Ok(known)
}

/// The rows of `raw_left_cat_bitsets`: bit c % 32 of word c / 32 sends category c left.
fn bitsets(predictor: &Estimator) -> Result<Vec<Vec<u32>>> {
    let array = predictor.array("raw_left_cat_bitsets")?;
    let words: Option<Vec<u32>> = array.i64s()?.into_iter().map(|word| u32::try_from(word).ok()).collect();
    match (words, &array.shape[..]) {
        (Some(words), &[_, 8]) => Ok(words.chunks(8).map(<[u32]>::to_vec).collect()),
        _ => Err(predictor.malformed(format!("raw_left_cat_bitsets is {}", array.describe()))),
    }
}

fn histogram_tree(predictor: &Estimator, known: &[[bool; CATEGORIES]], sets: &mut Vec<CategorySet>) -> Result<Tree> {
    let nodes = predictor.array("nodes")?;
    let integers = |name: &str| nodes.field(name).and_then(|field| field.i64s());
    let (left, right) = (integers("left")?, integers("right")?);
    let (feature, missing_left) = (integers("feature_idx")?, integers("missing_go_to_left")?);
    let (is_leaf, is_categorical) = (integers("is_leaf")?, integers("is_categorical")?);
    let value = nodes.field("value").and_then(|field| field.f64s())?;
    let threshold = nodes.field("num_threshold").and_then(|field| field.f64s())?;
    let (bitset, bitsets) = match is_categorical.iter().any(|&flag| flag != 0) {
        true => (integers("bitset_idx")?, bitsets(predictor)?),
        false => (Vec::new(), Vec::new()),
    };
    let mut leaves = Vec::new();
    let mut made = Vec::with_capacity(left.len());
    for node in 0..left.len() {
        let place = || format!("node {node}");
        if is_leaf[node] != 0 {
            made.push(Node::Leaf(leaves.len() as u32));
            leaves.push(value[node]);
            continue;
        }
        let unsigned = |what: &str, value: i64| {
            u32::try_from(value).map_err(|_| Error::malformed(format!("{what} {value}")).at(place()))
        };
        let feature = unsigned("feature", feature[node])?;
        let missing_left = missing_left[node] != 0;
        let test = if is_categorical[node] == 0 {
            Test::LessEqual(threshold[node])
        } else {
            let go_left = usize::try_from(bitset[node]).ok().and_then(|at| bitsets.get(at));
            let go_left = go_left.ok_or_else(|| Error::malformed("no bitset for the categories").at(place()))?;
            let known = known.get(feature as usize).unwrap_or(&[false; CATEGORIES]);
            // A category not seen in training goes where a missing value goes.
            sets.push(CategorySet::new(CATEGORIES as u32, missing_left, |category| {
                let in_left = go_left[category as usize / 32] >> (category % 32) & 1 == 1;
                in_left || (missing_left && !known[category as usize])
            }));
            Test::In(sets.len() as u32 - 1)
        };
        made.push(Node::Split {
            feature,
            test,
            missing_left,
            left: unsigned("left child", left[node])?,
            right: unsigned("right child", right[node])?,
        });
    }
    Ok(Tree { nodes: made, leaves: Leaves::Vector(leaves) })
}

pub fn histogram_regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let raw = histogram_raw(builder, estimator, frame)?;
    let values = match estimator.str("loss")? {
        "squared_error" | "absolute_error" | "quantile" => raw,
        "poisson" | "gamma" => builder.graph.push(Op::Function(Function::Exp), raw, &estimator.path)?,
        other => return Err(estimator.unsupported(format!("the loss '{other}'"))),
    };
    Ok(Output::Regression { values, names: Vec::new() })
}

pub fn histogram_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let classes = estimator.cells("classes_")?;
    let raw = histogram_raw(builder, estimator, frame)?;
    if raw.len() != if classes.len() <= 2 { 1 } else { classes.len() } || classes.is_empty() {
        return Err(estimator.malformed(format!("{} scores for {} classes", raw.len(), classes.len())));
    }
    let label = linear::label_of_scores(builder, &raw, &estimator.path)?;
    let probabilities = Some(link(builder, &raw, &estimator.path)?);
    Ok(Output::Classification { classes, label, probabilities, scores: Some(raw) })
}

/// SAMME: each estimator gives its weight to the class it predicts and -weight / (K - 1) to the others (up to 1.2
/// nothing). SAMME.R (up to 1.5): (K - 1) (log p - mean of log p). Both over the sum of the weights. Two classes
/// have the difference for a score; a positive one is the second class.
pub fn ada_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let classes = estimator.cells("classes_")?;
    let count = classes.len();
    if count < 2 {
        return Err(estimator.unsupported("a single class"));
    }
    let list = estimator.list("estimators_")?;
    let weights = estimator.f64s("estimator_weights_")?;
    if list.is_empty() || weights.len() < list.len() {
        return Err(estimator.malformed(format!("{} weights for {} estimators", weights.len(), list.len())));
    }
    let total = numpy_sum(&weights);
    let real = match estimator.maybe_str("algorithm") {
        Some("SAMME.R") => true,
        Some("SAMME" | "deprecated") | None => false,
        Some(other) => return Err(estimator.unsupported(format!("the algorithm '{other}'"))),
    };
    let others = if estimator.version < Version(1, 3) { 0.0 } else { -1.0 / (count as f64 - 1.0) };
    let vote = |weight: f64, predicted: bool| if predicted { weight } else { others * weight };
    let summed = if trees::all_trees(&list) {
        let list = trees::read(builder, estimator, list)?;
        let made = list
            .iter()
            .zip(&weights)
            .enumerate()
            .map(|(number, ((tree, stored), &weight))| {
                let place = || format!("{path}, tree {number}");
                let places = known(&tree.cells("classes_")?, &classes, estimator)?;
                let fractions = Fractions { stored, places: &places, count, version: tree.version };
                fractions.check(estimator)?;
                let mut row = vec![0.0; count];
                stored
                    .tree(None, |node, values| {
                        fractions.at(node, &mut row);
                        if real {
                            values.extend(samme_r(&row));
                        } else {
                            let predicted = first_largest(&row);
                            values.extend((0..count).map(|class| vote(weight, class == predicted)));
                        }
                    })
                    .at(place)
            })
            .collect::<Result<Vec<_>>>()?;
        let ensemble = trees::ensemble(made, frame.len(), count, Aggregate::Divide(total), false);
        builder.graph.push(Op::Trees(ensemble), frame.wires.clone(), path)?
    } else {
        let mut groups = Vec::with_capacity(list.len());
        for (number, (value, &weight)) in list.into_iter().zip(&weights).enumerate() {
            let step = format!("estimator {number}");
            let member = inner::classifier(builder, value, &step, estimator, frame)?;
            let places = member.places(&classes, estimator)?;
            groups.push(if real {
                let probabilities = member.spread(builder, &places, count, estimator)?;
                let probabilities =
                    probabilities.ok_or_else(|| estimator.unsupported(format!("{step} has no probabilities")))?;
                let graph = &mut builder.graph;
                let clip = Op::Clip { low: f64::EPSILON, high: f64::INFINITY };
                let clipped = graph.push(clip, probabilities, path)?;
                let logs = graph.push(Op::Function(Function::Log), clipped, path)?;
                let coef = centring(count, count as f64 - 1.0)?;
                graph.push(Op::Affine { coef, intercept: vec![0.0; count] }, logs, path)?
            } else {
                inner::by_label(builder, member.label, places.len(), count, estimator, |label, class| {
                    vote(weight, places[label] == class)
                })?
            });
        }
        let ones = vec![1.0; groups.len()];
        inner::combine(builder, groups, ones, total, estimator)?
    };
    let graph = &mut builder.graph;
    let (scores, margins, label) = if count == 2 {
        let coef = Matrix::new(1, 2, vec![-1.0, 1.0])?;
        let score = graph.push(Op::Affine { coef, intercept: vec![0.0] }, summed, path)?;
        let label = graph.push_one(Op::Above { threshold: 0.0 }, score.clone(), path)?;
        let half = graph.push(Op::Linear { scale: vec![0.5], offset: vec![0.0] }, score.clone(), path)?;
        (score, graph.push(Op::Mirror, half, path)?, label)
    } else {
        let label = graph.push_one(Op::Argmax, summed.clone(), path)?;
        let scale = Some(vec![count as f64 - 1.0; count]);
        let margins = graph.push(Op::Standardize { mean: None, scale }, summed.clone(), path)?;
        (summed, margins, label)
    };
    let probabilities = Some(graph.push(Op::Softmax, margins, path)?);
    Ok(Output::Classification { classes, label, probabilities, scores: Some(scores) })
}

/// A tree's class fractions at a node, spread over the classes of the whole.
struct Fractions<'a> {
    stored: &'a Stored,
    places: &'a [usize],
    count: usize,
    version: Version,
}

impl Fractions<'_> {
    fn check(&self, owner: &Estimator) -> Result<()> {
        self.stored.room_for(self.count).at(|| owner.path.clone())?;
        if self.stored.outputs != 1 || self.stored.classes != self.places.len() {
            return Err(owner.malformed(format!("trees of other classes than {} labels", self.count)));
        }
        Ok(())
    }

    fn at(&self, node: usize, row: &mut [f64]) {
        let mut own = Vec::with_capacity(self.places.len());
        trees::fractions(self.stored.value(node, 0), self.version, &mut own);
        row.fill(0.0);
        for (&place, fraction) in self.places.iter().zip(own) {
            row[place] = fraction;
        }
    }
}

fn known(classes: &[Cell], all: &[Cell], owner: &Estimator) -> Result<Vec<usize>> {
    let place = |class: &Cell| all.iter().position(|known| known == class);
    let places: Option<Vec<usize>> = classes.iter().map(place).collect();
    places.ok_or_else(|| owner.malformed("an estimator has a class that the whole does not have"))
}

fn first_largest(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}

fn samme_r(fractions: &[f64]) -> Vec<f64> {
    let logs: Vec<f64> = fractions.iter().map(|p| p.max(f64::EPSILON).ln()).collect();
    let count = logs.len() as f64;
    let mean = 1.0 / count * logs.iter().sum::<f64>();
    logs.iter().map(|log| (count - 1.0) * (log - mean)).collect()
}

/// The weighted median of the estimators' values.
pub fn ada_regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let list = estimator.list("estimators_")?;
    let mut weights = estimator.f64s("estimator_weights_")?;
    if list.is_empty() || weights.len() < list.len() {
        return Err(estimator.malformed(format!("{} weights for {} estimators", weights.len(), list.len())));
    }
    weights.truncate(list.len());
    let values = if trees::all_trees(&list) {
        let list = trees::read(builder, estimator, list)?;
        let made = list
            .iter()
            .enumerate()
            .map(|(number, (_, stored))| {
                let tree = stored.tree(None, |node, values| values.push(stored.value(node, 0)[0]));
                Ok(tree.at(|| format!("{}, tree {number}", estimator.path))?.for_output(number))
            })
            .collect::<Result<Vec<_>>>()?;
        let ensemble = trees::ensemble(made, frame.len(), weights.len(), Aggregate::Sum, false);
        builder.graph.push(Op::Trees(ensemble), frame.wires.clone(), &estimator.path)?
    } else {
        let mut values = Vec::with_capacity(list.len());
        for (number, value) in list.into_iter().enumerate() {
            let step = format!("estimator {number}");
            match inner::regressor(builder, value, &step, estimator, frame)?[..] {
                [value] => values.push(value),
                _ => return Err(estimator.malformed(format!("{step} predicts several targets"))),
            }
        }
        values
    };
    let value = builder.graph.push_one(Op::WeightedMedian { weights }, values, &estimator.path)?;
    Ok(Output::Regression { values: vec![value], names: Vec::new() })
}

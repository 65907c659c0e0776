//! LightGBM 3.x and 4.x: text models, and the wrappers and boosters of pickles, whose handle is such a text.
//!
//! Raw scores are f64 sums of leaf values in tree order from 0; `average_output` (random forests) divides what is
//! predicted, not the raw scores; then comes the objective's own function (src/objective of LightGBM).

mod columns;
mod text;

use super::Options;
use super::sklearn::builder::{Builder, Frame};
use super::sklearn::estimator::{Estimator, cells};
use super::sklearn::{Input, schema_names};
use crate::import::pickle::Value;
use crate::model::{Aggregate, Cell, Ensemble, Function, Model, Node, Op, Output, Source, Width, Wire};
use crate::plain::count;
use crate::{Error, Result};
use text::{Booster, ColumnInfo};

/// The model in a text file.
///
/// # Errors
/// Malformed with the line, Unsupported with the objective's name or version.
pub fn import(bytes: &[u8], options: &Options) -> Result<Model> {
    let booster = text::read(bytes)?;
    let (names, names_from) = schema_names(own_names(booster.names.clone()), booster.names.len(), options)?;
    let mut builder = Builder::new(names.len());
    builder.categories = options.categories.clone();
    let frame = Frame { wires: (0..names.len() as Wire).collect(), names: names.clone() };
    let source = Source {
        library: "LightGBM".to_string(),
        version: booster.version.clone(),
        estimator: "Booster".to_string(),
        outline: Vec::new(),
    };
    let output = native(&mut builder, booster, &frame, "Booster")?;
    builder.finish(names, names_from, output, source)
}

/// None for the names that LightGBM gives the columns of a bare array.
fn own_names(names: Vec<String>) -> Option<Vec<String>> {
    let invented = names.iter().enumerate().all(|(number, name)| *name == format!("Column_{number}"));
    (!invented).then_some(names)
}

/// The columns of a wrapper or booster in a pickle. Its version is that of the text format: nothing says the library's.
pub(super) fn input(estimator: &Estimator) -> Result<Input> {
    let header = text::header(handle(estimator)?.1).map_err(|error| error.at(estimator.path.clone()))?;
    Ok(Input { count: header.names.len(), names: own_names(header.names), version: header.version })
}

/// The object that holds the model text, and the text.
fn handle<'h>(estimator: &Estimator<'h>) -> Result<(Value<'h>, &'h str)> {
    let holder = if estimator.class == "Booster" { estimator.value } else { estimator.need("_Booster")? };
    let handle = holder.attr("_handle").or_else(|| holder.attr("handle")).filter(|value| !value.is_none());
    let text = handle.and_then(Value::as_str).ok_or_else(|| {
        estimator.malformed("the booster holds no model text").remedy("Fit the model before you save it.")
    })?;
    Ok((holder, text))
}

/// The booster of a wrapper or the booster itself, cut to its best iteration as `predict` does.
fn read(estimator: &Estimator) -> Result<Booster> {
    let (holder, text) = handle(estimator)?;
    let mut booster = text::read(text.as_bytes()).map_err(|error| error.at(estimator.path.clone()))?;
    if let Some(best) = holder.attr("best_iteration").and_then(Value::as_i64).filter(|&best| best > 0) {
        let trees = usize::try_from(best).unwrap_or(usize::MAX).saturating_mul(booster.per_round);
        booster.trees.truncate(trees);
    }
    // The attribute is what Python goes by; the text repeats it.
    if let Some(lists) = holder.attr("pandas_categorical").filter(|value| !value.is_none()) {
        let read: Option<Vec<Vec<Cell>>> = lists.items().and_then(|lists| lists.map(cells).collect());
        booster.pandas_categorical = read.ok_or_else(|| {
            estimator.malformed(format!("pandas_categorical is {}, not lists of categories", lists.describe()))
        })?;
    }
    for (parameter, value) in estimator.get("_other_params").and_then(Value::pairs).into_iter().flatten() {
        if parameter.as_str() == Some("pred_early_stop") && value.as_bool() != Some(false) {
            return Err(estimator.unsupported("pred_early_stop, which leaves out trees row by row"));
        }
    }
    Ok(booster)
}

/// What the objective makes of the raw scores.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Link {
    Identity,
    /// sign(x) x²
    SignedSquare,
    Exp,
    /// 1 / (1 + e^(-factor x)), for each score on its own
    Sigmoid(f64),
    Softmax,
    /// ln(1 + e^x)
    Log1pExp,
}

/// The objective's name and link, from `name key:value …`.
fn objective(booster: &Booster) -> Result<(&str, Link)> {
    let Some(text) = &booster.objective else { return Ok(("custom", Link::Identity)) };
    let mut words = text.split_ascii_whitespace();
    let name = words.next().unwrap_or_default();
    let parameters: Vec<&str> = words.collect();
    let sigmoid = || {
        let factor = parameters.iter().find_map(|word| word.strip_prefix("sigmoid:")?.parse::<f64>().ok());
        factor
            .filter(|&factor| factor > 0.0 && factor.is_finite())
            .map(Link::Sigmoid)
            .ok_or_else(|| Error::malformed(format!("objective={name} without a positive sigmoid")))
    };
    let link = match name {
        "regression" | "regression_l1" | "fair" | "quantile" | "mape" if parameters.contains(&"sqrt") => {
            Link::SignedSquare
        }
        "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" | "lambdarank" | "rank_xendcg"
        | "custom" => Link::Identity,
        "poisson" | "gamma" | "tweedie" => Link::Exp,
        "binary" => sigmoid()?,
        "multiclass" => Link::Softmax,
        "multiclassova" => sigmoid()?,
        "cross_entropy" => Link::Sigmoid(1.0),
        "cross_entropy_lambda" => Link::Log1pExp,
        other => return Err(Error::unsupported(format!("LightGBM's objective '{other}'"))),
    };
    let several = matches!(name, "multiclass" | "multiclassova");
    if name != "custom" && several != (booster.per_round > 1) {
        let message = format!("objective={name} with {} trees an iteration", booster.per_round);
        return Err(Error::malformed(message));
    }
    Ok((name, link))
}

/// The wires of a booster's raw scores, and of what `Booster.predict` returns.
struct Scores {
    raw: Vec<Wire>,
    predicted: Vec<Wire>,
}

fn scores(builder: &mut Builder, booster: Booster, link: Link, frame: &Frame, path: &str) -> Result<Scores> {
    if booster.names.len() != frame.len() {
        let message = format!("the model has {} columns, but {} come in", booster.names.len(), frame.len());
        return Err(Error::malformed(message).at(path));
    }
    let objective = booster.objective.as_deref().unwrap_or("an objective of its own");
    builder.note(&format!("{objective}, {}", count(booster.trees.len(), "tree")));
    let inputs = inputs(builder, &booster, frame, path)?;
    let rounds = (booster.trees.len() / booster.per_round) as f64;
    let ensemble = Ensemble {
        compare: Width::F64,
        sum: Width::F64,
        features: frame.len() as u32,
        base: vec![0.0; booster.per_round],
        trees: booster.trees,
        sets: booster.sets,
        aggregate: Aggregate::Sum,
        missing: true,
        infinite: true,
    };
    let graph = &mut builder.graph;
    let raw = graph.push(Op::Trees(ensemble), inputs, path)?;
    let count = raw.len();
    let mut predicted = raw.clone();
    if booster.average {
        predicted = graph.push(Op::Standardize { mean: None, scale: Some(vec![rounds; count]) }, predicted, path)?;
    }
    let functions: &[Function] = match link {
        Link::Identity | Link::Softmax => &[],
        Link::SignedSquare => &[Function::SignedSquare],
        Link::Exp => &[Function::Exp],
        Link::Sigmoid(_) => &[Function::Expit],
        Link::Log1pExp => &[Function::Exp, Function::Log1p],
    };
    if let Link::Sigmoid(factor) = link
        && factor != 1.0
    {
        let op = Op::Linear { scale: vec![factor; count], offset: vec![0.0; count] };
        predicted = graph.push(op, predicted, path)?;
    }
    for &function in functions {
        predicted = graph.push(Op::Function(function), predicted, path)?;
    }
    if link == Link::Softmax {
        predicted = graph.push(Op::Softmax, predicted, path)?;
    }
    Ok(Scores { raw, predicted })
}

/// The wires the trees read: the frame's, and codes in the place of pandas categories.
fn inputs(builder: &mut Builder, booster: &Booster, frame: &Frame, path: &str) -> Result<Vec<Wire>> {
    let mut inputs = frame.wires.clone();
    let given: Vec<Option<&Vec<Cell>>> = frame
        .wires
        .iter()
        .zip(&frame.names)
        .map(|(&wire, name)| builder.categories.get(name).filter(|_| builder.is_column(wire)))
        .collect();
    let columns = columns::of_lists(booster, &given).map_err(|error| error.at(path))?;
    for (list, &column) in booster.pandas_categorical.iter().zip(&columns) {
        inputs[column] = builder.category_codes(frame.wires[column], list, path)?;
    }
    for (column, info) in booster.columns.iter().enumerate() {
        if let ColumnInfo::Range(low, high) = *info
            && !columns.contains(&column)
        {
            builder.note_range(frame.wires[column], low, high);
        }
    }
    Ok(inputs)
}

/// Probabilities of the classes from what the booster predicts: one of two classes, or one each.
fn classify(builder: &mut Builder, scores: Scores, classes: Vec<Cell>, path: &str) -> Result<Output> {
    let graph = &mut builder.graph;
    let probabilities = match scores.predicted[..] {
        [_] => graph.push(Op::Complement, scores.predicted, path)?,
        _ => scores.predicted,
    };
    if classes.len() != probabilities.len() {
        let message = format!("{} labels for {} classes", classes.len(), probabilities.len());
        return Err(Error::malformed(message).at(path));
    }
    let label = graph.push_one(Op::Argmax, probabilities.clone(), path)?;
    Ok(Output::Classification { classes, label, probabilities: Some(probabilities), scores: Some(scores.raw) })
}

/// A booster without a wrapper: class numbers stand in for labels.
fn native(builder: &mut Builder, booster: Booster, frame: &Frame, path: &str) -> Result<Output> {
    let (name, link) = objective(&booster).map_err(|error| error.at(path))?;
    let classes = match name {
        "binary" => 2,
        "multiclass" | "multiclassova" => booster.per_round,
        _ => 0,
    };
    let scores = scores(builder, booster, link, frame, path)?;
    if classes > 0 {
        return classify(builder, scores, (0..classes as i64).map(Cell::Int).collect(), path);
    }
    Ok(Output::Regression { values: scores.predicted, names: Vec::new() })
}

/// lightgbm.Booster
pub fn booster(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    native(builder, read(estimator)?, frame, &estimator.path)
}

/// LGBMClassifier: the booster's probabilities; `1 - p` beside `p` for two classes.
pub fn classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let booster = read(estimator)?;
    let path = &estimator.path;
    let (name, link) = objective(&booster).map_err(|error| error.at(path.clone()))?;
    match name {
        "binary" | "multiclass" | "multiclassova" | "cross_entropy" => {
            let scores = scores(builder, booster, link, frame, path)?;
            classify(builder, scores, estimator.cells("_classes")?, path)
        }
        // With an objective of the caller's own, predict returns the raw scores.
        "custom" => regressor(builder, estimator, frame),
        other => Err(estimator.unsupported(format!("LGBMClassifier with the objective '{other}'"))),
    }
}

/// `feature_importances_` of a wrapper: how many splits ask each column.
///
/// # Errors
/// Unsupported where they are the splits' gains.
pub(super) fn importances(estimator: &Estimator) -> Result<Vec<f64>> {
    let kind = estimator.maybe_str("importance_type").unwrap_or("split");
    if kind != "split" {
        return Err(estimator.unsupported(format!("importance_type='{kind}'")));
    }
    let booster = read(estimator)?;
    let mut importances = vec![0.0; booster.names.len()];
    for node in booster.trees.iter().flat_map(|tree| &tree.nodes) {
        if let Node::Split { feature, .. } = *node
            && let Some(count) = importances.get_mut(feature as usize)
        {
            *count += 1.0;
        }
    }
    Ok(importances)
}

/// LGBMRegressor and LGBMRanker: what the booster predicts.
pub fn regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let booster = read(estimator)?;
    let (_, link) = objective(&booster).map_err(|error| error.at(estimator.path.clone()))?;
    let scores = scores(builder, booster, link, frame, &estimator.path)?;
    Ok(Output::Regression { values: scores.predicted, names: Vec::new() })
}

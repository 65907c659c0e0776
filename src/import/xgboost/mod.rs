//! XGBoost models: `.json` and `.ubj` files, and the boosters and wrappers inside pickles.
//!
//! The same bits as the original: values are rounded to f32, compared with `<`, and leaves are added in f32, tree by
//! tree, on top of the base margin. Category 0, 1, … of a categorical split goes right where the split names it;
//! every other value goes left. Missing goes to each node's default side.
//!
//! A file that scikit-learn's wrapper saved predicts as the wrapper does (`best_iteration`, classes), a bare booster
//! as `Booster.predict` does (all trees).

mod booster;
mod events;
mod json;
mod objective;
mod ubjson;

use super::Options;
use super::pickle::Value;
use super::sklearn::builder::{Builder, Frame};
use super::sklearn::estimator::{Estimator, cells};
use super::sklearn::{Input, schema_names};
use crate::model::{
    Aggregate, Cell, ColumnKind, Ensemble, Function, Leaves, Lookup, Matrix, Model, Node, Op, Output, Source, Tree,
    Unknown, Width, Wire,
};
use crate::{At, Error, Result};
use booster::{Booster, Categories, Learner, Trees, Version, Want};
use events::Reader;
use objective::{Link, Objective};

const RESAVE: &str = "In Python, with an xgboost older than 3.1 that opens the file: import xgboost; b = xgboost.Booster(); b.load_model(\"old.model\"); b.save_model(\"new.json\").";

/// How the model is used, which decides what a prediction is.
struct Role {
    /// What errors and steps name, e.g. `XGBClassifier`.
    path: String,
    /// Predicts classes, whatever the objective; None where the objective decides.
    classifier: bool,
    /// Predicts as the wrapper: with `best_iteration`, and rows are read in place.
    wrapper: bool,
    classes: Option<Vec<Cell>>,
    missing: Option<f64>,
}

/// Whether these are the bytes of a model in the binary format of before 3.1: with its old signature, or a header
/// of 136 bytes followed by the names of the objective and the booster, each with its length in front.
pub fn is_old_binary(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"binf") || bytes.starts_with(b"bs64\t") || bytes.starts_with(b"CONFIG-offset:") {
        return true;
    }
    let name = |at: usize| -> Option<(&[u8], usize)> {
        let length = u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
        let end = (at + 8).checked_add(usize::try_from(length).ok().filter(|length| *length < 64)?)?;
        Some((bytes.get(at + 8..end)?, end))
    };
    let booster = name(136).filter(|(objective, _)| objective.contains(&b':')).and_then(|(_, end)| name(end));
    booster.is_some_and(|(booster, _)| [b"gbtree".as_slice(), b"gblinear", b"dart"].contains(&booster))
}

/// The error for `is_old_binary`.
pub fn old_binary() -> Error {
    Error::unsupported(
        "this is an XGBoost model in its old binary format, which newer versions of XGBoost do not read either",
    )
    .remedy(RESAVE)
}

/// JSON or UBJSON, by the byte after the first brace.
fn read(bytes: &[u8], want: Want) -> Result<Booster> {
    if is_old_binary(bytes) {
        return Err(old_binary());
    }
    let reader = match bytes {
        [b'{', b'L' | b'l' | b'I' | b'i' | b'U', ..] => Reader::ubjson(bytes),
        _ => Reader::json(bytes),
    };
    Booster::read(reader, want)
}

/// The model in a `.json` or `.ubj` file.
///
/// # Errors
/// Malformed with the byte, tree or node; unsupported by the name of what is not.
pub fn import(bytes: &[u8], options: &Options) -> Result<Model> {
    let mut booster = read(bytes, Want::Everything)?;
    let (major, minor, patch) = booster.version;
    let (names, names_from) = schema_names(
        Some(std::mem::take(&mut booster.feature_names)).filter(|names| !names.is_empty()),
        booster.features,
        options,
    )?;
    let wrapper = booster.wrapper.take();
    let role = Role {
        path: "Booster".to_string(),
        classifier: wrapper.as_ref().is_some_and(|wrapper| wrapper.classifier),
        wrapper: wrapper.is_some(),
        missing: wrapper.as_ref().and_then(|wrapper| wrapper.missing),
        classes: wrapper.and_then(|wrapper| wrapper.classes),
    };
    let mut builder = Builder::new(names.len());
    builder.categories = options.categories.clone();
    let frame = Frame { wires: (0..names.len() as u32).collect(), names: names.clone() };
    let output = build(&mut builder, booster, &role, &frame)?;
    let source = Source {
        library: "XGBoost".to_string(),
        version: format!("{major}.{minor}.{patch}"),
        estimator: "Booster".to_string(),
        outline: Vec::new(),
    };
    builder.finish(names, names_from, output, source)
}

/// What a wrapper or booster in a pickle says about its input.
///
/// # Errors
/// As for `import`; malformed where the wrapper holds no booster.
pub(super) fn input(estimator: &Estimator) -> Result<Input> {
    let booster = handle(estimator)?;
    let read = read(bytes(booster, estimator)?, Want::Header).at(|| estimator.path.clone())?;
    let mut names = read.feature_names;
    if names.is_empty()
        && let Some(value) = booster.attr("feature_names").filter(|value| !value.is_none())
    {
        // Up to 1.3 they are the booster's, not the handle's.
        let stated = cells(value).ok_or_else(|| estimator.malformed("feature_names is not a list of names"))?;
        names = stated.iter().map(ToString::to_string).collect();
    }
    let (major, minor, patch) = read.version;
    Ok(Input {
        names: Some(names).filter(|names| !names.is_empty()),
        count: read.features,
        version: format!("{major}.{minor}.{patch}"),
    })
}

/// The `Booster` object: the estimator itself or the one a wrapper holds.
fn handle<'h>(estimator: &Estimator<'h>) -> Result<Value<'h>> {
    if estimator.class == "Booster" {
        return Ok(estimator.value);
    }
    estimator.get("_Booster").ok_or_else(|| {
        estimator.malformed(format!("{} has no booster", estimator.class)).remedy("Fit the model before you save it.")
    })
}

fn bytes<'h>(booster: Value<'h>, estimator: &Estimator) -> Result<&'h [u8]> {
    let handle = booster.attr("handle").filter(|value| !value.is_none());
    handle.and_then(Value::as_bytes).ok_or_else(|| estimator.malformed("the booster has no handle"))
}

/// `feature_importances_` of a wrapper of trees, which is summed in f32: right to some 1e-6 of the largest.
///
/// # Errors
/// Unsupported where they are not of its trees' gains or numbers of splits.
pub(super) fn importances(estimator: &Estimator) -> Result<Vec<f64>> {
    let booster = read(bytes(handle(estimator)?, estimator)?, Want::Everything).at(|| estimator.path.clone())?;
    let kind = estimator.maybe_str("importance_type").unwrap_or("gain");
    let of = |(count, gain): (f64, f64)| match kind {
        "gain" => Some(gain / count),
        "total_gain" => Some(gain),
        "weight" => Some(count),
        _ => None,
    };
    let Learner::Trees(trees) = booster.learner else {
        return Err(estimator.unsupported("importances of gblinear"));
    };
    let mut importances = vec![0.0; booster.features];
    for (feature, sums) in trees.gains {
        let own = of(sums).ok_or_else(|| estimator.unsupported(format!("importance_type='{kind}'")))?;
        match importances.get_mut(feature as usize) {
            Some(importance) if own.is_finite() => *importance = own,
            _ => return Err(estimator.malformed(format!("the gain of splits by column {feature}"))),
        }
    }
    let total: f64 = importances.iter().sum();
    importances.iter_mut().for_each(|importance| *importance /= if total == 0.0 { 1.0 } else { total });
    Ok(importances)
}

/// The wrappers XGBClassifier and XGBRFClassifier.
pub(super) fn classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    predict(builder, estimator, frame, true)
}

/// The wrappers XGBRegressor, XGBRFRegressor and XGBRanker, and Booster itself.
pub(super) fn regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    predict(builder, estimator, frame, false)
}

fn predict(builder: &mut Builder, estimator: &Estimator, frame: &Frame, classifier: bool) -> Result<Output> {
    let wrapper = estimator.class != "Booster";
    let booster = read(bytes(handle(estimator)?, estimator)?, Want::Everything).at(|| estimator.path.clone())?;
    let missing = match estimator.get("missing") {
        Some(_) if wrapper => Some(estimator.f64("missing")?).filter(|value| !value.is_nan()),
        _ => None,
    };
    // Up to 1.5 labels may be anything, and an encoder holds them.
    let encoder = estimator.get("_le").and_then(|encoder| encoder.attr("classes_"));
    let classes = match encoder.or_else(|| estimator.get("classes_")) {
        Some(value) if classifier => {
            Some(cells(value).ok_or_else(|| estimator.malformed("classes_ is not an array of labels"))?)
        }
        _ => None,
    };
    let role = Role { path: estimator.path.clone(), classifier, wrapper, classes, missing };
    build(builder, booster, &role, frame)
}

/// The steps from the frame's columns to a prediction.
fn build(builder: &mut Builder, booster: Booster, role: &Role, frame: &Frame) -> Result<Output> {
    let path = &role.path;
    if frame.len() != booster.features {
        return Err(Error::malformed(format!(
            "{} columns come in, but the booster has {}",
            frame.len(),
            booster.features
        ))
        .at(path.clone()));
    }
    let several = booster.alphas.as_ref().is_some_and(|alphas| alphas.contains(','));
    let objective = Objective::find(&booster.objective, booster.version, several).at(|| path.clone())?;
    let bases: Vec<f32> = booster
        .base_score
        .iter()
        .map(|&score| objective.margin(score, booster.version).at(|| path.clone()))
        .collect::<Result<_>>()?;
    let bases: Vec<f32> = (0..booster.outputs).map(|output| bases[output % bases.len()]).collect();

    let mut wires = frame.wires.clone();
    for (feature, wire) in wires.iter_mut().enumerate() {
        *wire = column(builder, &booster, feature, (*wire, &frame.names[feature]), path)?;
    }
    if let Some(missing) = role.missing {
        wires = builder.graph.push(Op::Function(Function::Float32), wires, path)?;
        wires = builder.graph.push(Op::Absent { value: f64::from(missing as f32) }, wires, path)?;
    }
    let (classes, outputs) = (role.classes.clone(), booster.outputs);
    let multiclass = matches!(objective.link, Link::Softmax | Link::Largest);
    let op = match booster.learner {
        Learner::Linear(weights) => {
            builder.note(&format!("gblinear, {}", booster.objective));
            linear(weights, bases[0], booster.features, outputs)?
        }
        Learner::Trees(mut trees) => {
            let all = trees.trees.len();
            if role.wrapper
                && let Some(last) = booster.best_iteration
            {
                trees.truncate(last, booster.best_trees, outputs).at(|| path.clone())?;
            }
            let name = if trees.weight_drop.is_some() { "dart" } else { "gbtree" };
            let count = match trees.trees.len() {
                count if count < all => format!("the best {count} of {all} trees"),
                count => format!("{count} trees"),
            };
            builder.note(&format!("{name}, {}, {count}", booster.objective));
            // From 1.4 on a wrapper reads rows in place.
            let in_place = role.wrapper && booster.version >= (1, 4, 0);
            Op::Trees(ensemble(trees, bases, booster.features, in_place, booster.version).at(|| path.clone())?)
        }
    };
    let margins = builder.graph.push(op, wires, path)?;

    if multiclass {
        let probabilities = builder.graph.push(Op::Softmax32, margins.clone(), path)?;
        let by = if objective.link == Link::Softmax { &probabilities } else { &margins };
        let label = builder.graph.push_one(Op::Argmax, by.clone(), path)?;
        let classes = labels(classes, outputs, path)?;
        return Ok(Output::Classification {
            classes,
            label,
            probabilities: Some(probabilities),
            // Two classes have one score by convention, and here are two margins.
            scores: Some(margins).filter(|margins| margins.len() != 2),
        });
    }
    let binary = ["binary:logistic", "binary:hinge"].contains(&booster.objective.as_str());
    // An objective of the user's own with a margin a class.
    let each_class = outputs > 2 && classes.as_ref().is_some_and(|classes| classes.len() == outputs);
    let logistic = objective.link == Link::Sigmoid && (role.classifier || binary) && !each_class;
    let values = match objective.link {
        Link::Sigmoid if logistic => margins.clone(),
        Link::Sigmoid => builder.graph.push(Op::Function(Function::Sigmoid32), margins.clone(), path)?,
        Link::Exp => builder.graph.push(Op::Function(Function::Exp32), margins.clone(), path)?,
        Link::Step => builder.graph.push(Op::Above { threshold: 0.0 }, margins.clone(), path)?,
        Link::Identity | Link::Softmax | Link::Largest => margins.clone(),
    };
    if !(role.classifier || binary) {
        return Ok(Output::Regression { values, names: Vec::new() });
    }
    if each_class {
        let label = builder.graph.push_one(Op::Argmax, values, path)?;
        let classes = labels(classes, outputs, path)?;
        return Ok(Output::Classification { classes, label, probabilities: None, scores: Some(margins) });
    }
    let classes = labels(classes, 2, path)?;
    let mut results = Vec::with_capacity(outputs);
    for (&value, &margin) in values.iter().zip(&margins) {
        let (label, probabilities) = if logistic {
            let mut wires = builder.graph.push(Op::Logistic32, vec![margin], path)?;
            (wires.remove(0), Some(wires))
        } else {
            let label = builder.graph.push_one(Op::Above { threshold: 0.5 }, vec![value], path)?;
            let certain = objective.link == Link::Step;
            (label, certain.then(|| builder.graph.push(Op::Complement32, vec![value], path)).transpose()?)
        };
        results.push(Output::Classification {
            classes: classes.clone(),
            label,
            probabilities,
            scores: Some(vec![margin]),
        });
    }
    Ok(match results.len() {
        1 => results.remove(0),
        _ => Output::Several(results),
    })
}

/// The stated classes, or 0, 1, ….
fn labels(classes: Option<Vec<Cell>>, count: usize, path: &str) -> Result<Vec<Cell>> {
    match classes {
        Some(classes) if classes.len() == count => Ok(classes),
        Some(classes) => {
            Err(Error::malformed(format!("{} classes for {count} outputs", classes.len())).at(path.to_string()))
        }
        None => Ok((0..count as i64).map(Cell::Int).collect()),
    }
}

/// The wire that carries a feature as the booster reads it: categories as their codes. Before 3.1 a file has no names
/// of categories, so the column takes codes. Of an array XGBoost reads any number there, and sends what is no code where it
/// sends unknown categories; -1, pandas' code of a missing value, comes that way. So such a number is accepted, with a
/// warning: most likely it is a category's own value.
fn column(
    builder: &mut Builder,
    booster: &Booster,
    feature: usize,
    (wire, name): (Wire, &str),
    path: &str,
) -> Result<Wire> {
    let kind = booster.feature_types.get(feature).map(String::as_str);
    let given = builder.categories.get(name).filter(|_| builder.is_column(wire));
    let (categories, unknown) = match (booster.categories.get(feature), given) {
        // An unknown category is an error from 3.1 on; before, the caller's frame had no code for it, and what has
        // no code is missing.
        (Some(Categories::Known(known)), _) => (known.clone(), Unknown::Error),
        (Some(Categories::Garbled(count)), Some(given)) if given.len() == *count => (given.clone(), Unknown::Error),
        (Some(Categories::Garbled(count)), _) => {
            let (major, minor, _) = booster.version;
            return Err(Error::unsupported(format!(
                "the {count} categories of {name:?} cannot be told from the file: XGBoost {major}.{minor} damages names that are not ASCII"
            ))
            .at(path.to_string())
            .remedy(format!("Give the {count} names in the order of their codes with --categories.")));
        }
        (_, Some(given)) if kind == Some("c") => (given.clone(), Unknown::As(vec![f64::NAN])),
        _ => {
            match kind {
                Some("c") => {
                    builder.note_kind(wire, ColumnKind::Code(booster.codes.get(feature).copied().unwrap_or(0)))
                }
                Some("int") => builder.note_kind(wire, ColumnKind::Integer),
                Some("i") => builder.note_kind(wire, ColumnKind::Boolean),
                _ => {}
            }
            return Ok(wire);
        }
    };
    if categories.iter().any(|category| matches!(category, Cell::Str(_))) {
        builder.strings_at(wire, path)?;
    }
    let mut values: Vec<f64> = (0..categories.len()).map(|code| code as f64).collect();
    // A missing value stays missing.
    let mut keys = categories;
    keys.push(Cell::Nan);
    values.push(f64::NAN);
    let lookup = Lookup { keys, width: 1, values, unknown };
    builder.graph.push_one(Op::Lookup(lookup), vec![wire], path)
}

/// The weights as a matrix that sums in f32, missing values left out. Every output starts at the first base score,
/// also from 3.1 on, where each has its own (gblinear.cc: `base_score(0)`).
fn linear(weights: Vec<f32>, base: f32, features: usize, outputs: usize) -> Result<Op> {
    let at = |row: usize, output: usize| weights[row * outputs + output];
    let coef = (0..outputs).flat_map(|output| (0..features).map(move |row| f64::from(at(row, output)))).collect();
    let intercept = (0..outputs).map(|output| f64::from(at(features, output) + base)).collect();
    Ok(Op::Affine32 { coef: Matrix::new(outputs, features, coef)?, intercept })
}

/// A row read in place may hold infinity, which is a number then; a `DMatrix` refuses it.
fn ensemble(trees: Trees, bases: Vec<f32>, features: usize, in_place: bool, version: Version) -> Result<Ensemble> {
    let Trees { mut trees, sets, weight_drop, vector, .. } = trees;
    if let Some(weights) = weight_drop {
        for (tree, weight) in trees.iter_mut().zip(weights) {
            let Leaves::Scalar { output, values } = &mut tree.leaves else {
                return Err(Error::unsupported("dart with several values a leaf"));
            };
            // In place a tree's prediction comes with the base, which is taken off again.
            let base = if in_place { bases[*output as usize] } else { 0.0 };
            for value in values {
                *value = f64::from((base + *value as f32 - base) * weight);
            }
        }
    }
    let mut base: Vec<f64> = bases.into_iter().map(f64::from).collect();
    if version < (1, 3, 0) && !vector {
        // The base is added last, like one more tree.
        for (output, value) in (0..).zip(base.iter_mut().map(std::mem::take)) {
            trees.push(Tree { nodes: vec![Node::Leaf(0)], leaves: Leaves::Scalar { output, values: vec![value] } });
        }
    }
    Ok(Ensemble {
        compare: Width::F32,
        sum: Width::F32,
        features: u32::try_from(features).map_err(|_| Error::limit(format!("{features} features")))?,
        base,
        trees,
        sets,
        aggregate: Aggregate::Sum,
        missing: true,
        infinite: in_place,
    })
}

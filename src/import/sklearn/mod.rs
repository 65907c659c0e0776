//! scikit-learn models from a pickle's inert values: class name and fitted attributes to steps, one file a family.
//!
//! Versions 1.1 to 1.9. Formulas and their sources stand beside each estimator; every shape is checked by
//! `Graph::push`. An attribute that is not understood is refused, never passed over.

mod boosting;
pub(super) mod builder;
mod calibration;
mod cluster;
mod compose;
mod cross_decomposition;
mod curves;
mod decomposition;
mod discriminant;
mod dummy;
mod ensemble;
pub(super) mod estimator;
mod gaussian_process;
mod impute;
mod inner;
mod kernels;
mod linear;
mod mixture;
mod multiclass;
mod multioutput;
mod naive_bayes;
mod neighbors;
mod neural;
mod preprocessing;
pub mod registry;
mod selection;
mod svm;
mod targets;
mod text;
mod trees;
mod wrappers;

use super::Options;
use super::pickle::{Heap, Kind, Value};
use super::{catboost, lightgbm, xgboost};
use crate::model::{Model, NamesFrom, Output, Source};
use crate::{At, Error, Result};
use builder::{Builder, Frame};
use estimator::{Estimator, cells, integers};
use std::collections::HashSet;

/// More input columns than a form or a row object is for.
pub(super) const MOST_COLUMNS: usize = 1 << 17;
/// How many values of a saved bundle are looked at for the model inside.
const MOST_VALUES: usize = 10_000;

/// The model in a file: its root, or the one estimator inside a dict, list or tuple (`Options::select` names which).
///
/// # Errors
/// Unsafe where the file names code to run; else where it holds no model, or one that is unfitted, damaged or not
/// supported, by name.
pub fn import(heap: &Heap, options: &Options) -> Result<Model> {
    if let Some(code) = heap.named_code().first()
        && !options.trust
    {
        return Err(Error::new(
            crate::Kind::Unsafe,
            format!("the file names {} (byte {}), code that would run when Python opens it", code.name, code.byte),
        )
        .remedy(
            "Nothing was run here. Do not open the file with Python; if you know where it comes from, add --trust.",
        ));
    }
    let root = select(heap.root(), options)?;
    let estimator = Estimator::new(root, "", None)?;
    registry::find(&estimator)?;
    let (names, names_from, own_version) = columns(&estimator, options)?;
    let mut builder = Builder::new(names.len());
    builder.categories = options.categories.clone();
    let frame = Frame { wires: (0..names.len() as u32).collect(), names: names.clone() };
    let output = if options.transform {
        let made = builder.transform(root, "", None, &frame)?;
        Output::Transform { values: made.wires, names: made.names }
    } else {
        builder.predict(root, "", None, &frame)?
    };
    let version = root.attr("_sklearn_version").or_else(|| inner_version(&estimator)).and_then(Value::as_str);
    let library = match estimator.module.split('.').next() {
        Some("xgboost") => "XGBoost",
        Some("lightgbm") => "LightGBM",
        Some("catboost") => "CatBoost",
        _ => "scikit-learn",
    };
    let source = Source {
        library: library.to_string(),
        version: own_version.unwrap_or(version.unwrap_or_default().to_string()),
        estimator: estimator.class.to_string(),
        outline: Vec::new(),
    };
    builder.finish(names, names_from, output, source)
}

/// Composite estimators of some versions do not state the version themselves.
fn inner_version<'h>(estimator: &Estimator<'h>) -> Option<Value<'h>> {
    first_step(estimator)?.attr("_sklearn_version")
}

fn is_estimator(value: Value) -> bool {
    matches!(value.kind(), Kind::Object(_))
        && Estimator::new(value, "", None).is_ok_and(|estimator| registry::find(&estimator).is_ok())
}

/// The estimator to import: what `select` names, the root itself, or the only one inside a bundle.
fn select<'h>(root: Value<'h>, options: &Options) -> Result<Value<'h>> {
    if let Some(path) = &options.select {
        return follow(root, path);
    }
    if matches!(root.kind(), Kind::Object(_)) && root.pairs().is_none_or(|pairs| pairs.is_empty()) {
        return Ok(root);
    }
    let found = candidates(root);
    match &found[..] {
        [(_, value)] => Ok(*value),
        [] => Err(Error::unsupported(format!(
            "the file holds {}, and no model that is supported in it",
            root.describe()
        ))
        .remedy("Save the fitted estimator itself: joblib.dump(model, \"model.joblib\").")),
        several => {
            let paths: Vec<&str> = several.iter().take(20).map(|(path, _)| path.as_str()).collect();
            Err(Error::input(format!("the file holds {} models", several.len()))
                .remedy(format!("Choose one with --select: {}.", paths.join(", "))))
        }
    }
}

/// Estimators inside dicts, lists and tuples, with their paths; each object once.
fn candidates<'h>(root: Value<'h>) -> Vec<(String, Value<'h>)> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![(String::new(), root)];
    while let Some((path, value)) = open.pop() {
        if !seen.insert(value.id()) || seen.len() > MOST_VALUES {
            continue;
        }
        if is_estimator(value) {
            found.push((path, value));
            continue;
        }
        let join = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        match value.kind() {
            Kind::Dict(_) | Kind::Object(_) => {
                let pairs = value.pairs().into_iter().flatten();
                let named = pairs.filter_map(|(key, value)| Some((key_text(key)?, value)));
                open.extend(named.take(MOST_VALUES).map(|(key, value)| (join(&key), value)));
            }
            Kind::List(items) | Kind::Tuple(items) => {
                let items = items.into_iter().take(MOST_VALUES).enumerate();
                open.extend(items.map(|(number, value)| (join(&number.to_string()), value)));
            }
            _ => {}
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn key_text(key: Value) -> Option<String> {
    key.as_str().map(str::to_string).or_else(|| key.as_i64().map(|number| number.to_string()))
}

/// The value at a path like `models.0`.
fn follow<'h>(root: Value<'h>, path: &str) -> Result<Value<'h>> {
    let mut value = root;
    for key in path.split('.').filter(|key| !key.is_empty()) {
        let by_key = |value: Value<'h>| {
            let mut pairs = value.pairs()?;
            pairs.find(|(name, _)| key_text(*name).as_deref() == Some(key)).map(|pair| pair.1)
        };
        let by_place = |value: Value<'h>| value.items()?.get(key.parse().ok()?);
        value = by_key(value)
            .or_else(|| value.attr(key))
            .or_else(|| by_place(value))
            .ok_or_else(|| Error::input(format!("--select {path}: there is no '{key}' in {}", value.describe())))?;
    }
    Ok(value)
}

/// The first step of a composite that says nothing of its own input.
fn first_step<'h>(estimator: &Estimator<'h>) -> Option<Value<'h>> {
    let list = match estimator.class {
        "Pipeline" => estimator.get("steps")?,
        "FeatureUnion" => estimator.get("transformer_list")?,
        "GridSearchCV" | "RandomizedSearchCV" | "HalvingGridSearchCV" | "HalvingRandomSearchCV" => {
            return estimator.get("best_estimator_");
        }
        "TransformedTargetRegressor" => return estimator.get("regressor_"),
        "FrozenEstimator" => return estimator.get("estimator"),
        "VotingClassifier"
        | "VotingRegressor"
        | "StackingClassifier"
        | "StackingRegressor"
        | "OneVsRestClassifier"
        | "OneVsOneClassifier"
        | "OutputCodeClassifier"
        | "MultiOutputClassifier"
        | "MultiOutputRegressor" => {
            let mut members = estimator.get("estimators_")?.items()?;
            // A constant stands where all rows had the same label, and knows no columns.
            return members.find(|value| value.class_name().is_none_or(|name| name.1 != multiclass::CONSTANT));
        }
        "FixedThresholdClassifier" | "TunedThresholdClassifierCV" | "RANSACRegressor" | "SelectFromModel" => {
            return estimator.get("estimator_").or_else(|| estimator.get("estimator"));
        }
        "CalibratedClassifierCV" => {
            let first = estimator.get("calibrated_classifiers_")?.items()?.get(0)?;
            return first.attr("estimator").or_else(|| first.attr("base_estimator"));
        }
        _ => return None,
    };
    let steps = list.items()?;
    let estimators = steps.filter_map(|step| step.items()?.get(1));
    estimators.into_iter().find(|value| matches!(value.kind(), Kind::Object(_)))
}

/// What a model of another library says about itself, which is inside its own format.
pub(super) struct Input {
    pub names: Option<Vec<String>>,
    pub count: usize,
    /// The library's.
    pub version: String,
}

fn input(estimator: &Estimator) -> Result<Option<Input>> {
    match estimator.module.split('.').next() {
        Some("xgboost") => xgboost::input(estimator).map(Some),
        Some("lightgbm") => lightgbm::input(estimator).map(Some),
        Some("catboost") => catboost::input(estimator).map(Some),
        _ => Ok(None),
    }
}

/// Names and number of the input columns, and the version of the root's own library, from the outermost estimator that states them.
fn columns(root: &Estimator, options: &Options) -> Result<(Vec<String>, NamesFrom, Option<String>)> {
    let mut at = root.clone();
    let (mut names, mut count, mut version) = (None, None, None);
    for depth in 0..64 {
        // An unsupported step says so, before anything about columns.
        registry::find(&at)?;
        let own = match at.class {
            "LabelEncoder" | "LabelBinarizer" => Some("label"),
            "IsotonicRegression" => Some("x"),
            "CountVectorizer" | "TfidfVectorizer" | "HashingVectorizer" => Some("text"),
            _ => None,
        };
        if let Some(own) = own {
            (names, count) = (names.or(Some(vec![own.to_string()])), count.or(Some(1)));
        }
        if at.class == "DictVectorizer" {
            let keys = text::dict_columns(&at)?;
            (count, names) = (count.or(Some(keys.len())), names.or(Some(keys)));
        }
        if names.is_none()
            && let Some(value) = at.get("feature_names_in_")
        {
            let cells = cells(value).ok_or_else(|| at.malformed("feature_names_in_ is not an array of names"))?;
            names = Some(cells.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        if let Some(input) = input(&at)? {
            (names, count) = (names.or(input.names), count.or(Some(input.count)));
            version = Some(input.version).filter(|_| depth == 0);
        }
        if count.is_none() && at.get("n_features_in_").is_some() {
            count = Some(at.usize("n_features_in_")?);
        }
        // A support vector machine whose kernel is a function states only this.
        if let (None, Some(&[_, columns])) = (count, at.get("shape_fit_").and_then(integers).as_deref()) {
            count = usize::try_from(columns).ok();
        }
        match first_step(&at) {
            Some(value) if names.is_none() || count.is_none() => at = Estimator::new(value, "", Some(&at))?,
            _ => break,
        }
    }
    if at.class.starts_with("Dummy") && count.is_none() {
        // Older versions do not count the columns that they never look at.
        let named = options.features.as_ref().map(Vec::len).filter(|&named| named > 0);
        let unknown = || at.malformed(format!("{} does not say what columns it was fitted on", at.class));
        count = Some(named.ok_or_else(|| unknown().remedy("Name them with --features."))?);
    }
    let Some(count) = count.or(names.as_ref().map(Vec::len)) else {
        // Says which attribute is missing, and that fitting helps.
        return Err(at
            .need("n_features_in_")
            .err()
            .unwrap_or_else(|| at.malformed("the number of columns is unknown")));
    };
    let (names, names_from) = schema_names(names, count, options).at(|| at.path.clone())?;
    Ok((names, names_from, version))
}

/// The names of the input columns: the caller's, the file's, or invented ones.
///
/// # Errors
/// Where there are too many, their number differs, or two are the same.
pub(super) fn schema_names(
    names: Option<Vec<String>>,
    count: usize,
    options: &Options,
) -> Result<(Vec<String>, NamesFrom)> {
    if count > MOST_COLUMNS {
        return Err(Error::limit(format!("{count} columns; at most {MOST_COLUMNS} are supported")));
    }
    if let Some(given) = &options.features {
        if given.len() != count {
            return Err(Error::input(format!("{} names are given for {count} columns", given.len())));
        }
        return Ok((given.clone(), NamesFrom::User));
    }
    match names {
        Some(names) if names.len() != count => {
            Err(Error::malformed(format!("{} column names for {count} columns", names.len())))
        }
        Some(names) => {
            let mut seen = HashSet::new();
            if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
                return Err(Error::unsupported(format!("two columns are named '{twice}'"))
                    .remedy("Name the columns apart with --features."));
            }
            Ok((names, NamesFrom::File))
        }
        None => Ok(((0..count).map(|number| format!("x{number}")).collect(), NamesFrom::Invented)),
    }
}

//! Other crates' estimators, fitted and read out: what was learnt becomes steps of a model. Most are smartcore's; the
//! support vector machines are libsvm-rs', k-means linfa's, where smartcore's take minutes for what takes seconds.
//!
//! smartcore keeps most of it private and shows it to serde alone, so `state` takes it from there. Each estimator
//! keeps its crate's own comparison, tie-break and order of summation, so that its predictions and ours agree
//! (`tests/train.rs` compares all of them); where it is used in another way than it was made for, the file says so.

mod bayes;
mod clusters;
mod linear;
mod neighbours;
mod svm;
mod trees;

use super::prepare::{Coding, Needs};
use super::types::nearest;
use crate::model::{Cell, Graph, Op, Output, Wire};
use crate::{Error, Result};
use ndarray::Array2;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// What a model answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    Classification,
    Regression,
    Anomaly,
    Clustering,
}

impl Task {
    pub fn name(self) -> &'static str {
        match self {
            Task::Classification => "classification",
            Task::Regression => "regression",
            Task::Anomaly => "anomaly",
            Task::Clustering => "clustering",
        }
    }
}

/// An estimator as `--model` names it.
#[derive(Debug)]
pub struct Known {
    pub name: &'static str,
    pub task: Task,
    /// What its crate calls it.
    pub engine: &'static str,
    pub needs: Needs,
    /// Its parameters and their defaults; null is smartcore's or a derived one.
    pub parameters: fn() -> Value,
    fit: fn(&Job) -> Result<Fitted>,
    /// Most rows it is fitted on; more would take hours or most of the memory.
    pub most_rows: usize,
}

/// The crates that fit, with their versions as Cargo.lock pins them, which `tests/train.rs` checks.
pub const CRATES: [&str; 3] = ["smartcore 0.7.0", "libsvm-rs 0.9.2", "linfa-clustering 0.8.1"];

impl Known {
    /// Which of `CRATES` fits it.
    pub fn fitted_by(&self) -> &'static str {
        match self.engine {
            "SVC" | "SVR" => CRATES[1],
            "KMeans" => CRATES[2],
            _ => CRATES[0],
        }
    }
}

/// What there is to fit.
pub struct Job<'a> {
    pub x: &'a Array2<f64>,
    pub target: Target<'a>,
    pub parameters: &'a Parameters,
    pub seed: u64,
    /// Rows on which the crate's own predictions are wanted too.
    pub check: Option<&'a Array2<f64>>,
    pub task: Task,
}

#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// Places in the classes, of which there are so many.
    Classes(&'a [u32], usize),
    Values(&'a [f64]),
    None,
}

impl<'a> Job<'a> {
    fn classes(&self) -> Result<(&'a [u32], usize)> {
        match self.target {
            Target::Classes(of, count) => Ok((of, count)),
            _ => Err(Error::input("a classifier needs a target of classes")),
        }
    }

    fn values(&self) -> Result<&'a [f64]> {
        match self.target {
            Target::Values(values) => Ok(values),
            _ => Err(Error::input("a regressor needs a target of numbers")),
        }
    }
}

/// Appends an estimator's steps to a graph, reading these wires.
type Build = dyn Fn(&mut Graph, &[Wire]) -> Result<Made>;

/// A fitted estimator, ready to be steps of a model.
pub struct Fitted {
    build: Box<Build>,
    /// The crate's own predictions for `Job::check`.
    pub own: Option<Own>,
    /// What was learnt about the parameters: those chosen by the data.
    pub chosen: Map<String, Value>,
}

/// A crate's own predictions.
#[derive(Debug, Default)]
pub struct Own {
    /// Labels (places of classes, or the crate's own numbers of clusters) or values.
    pub predicted: Vec<f64>,
    /// Where it has them: of the second class of two, or one a class.
    pub probabilities: Option<Vec<Vec<f64>>>,
}

/// The wires an estimator's steps end in.
pub enum Made {
    /// `label` where it is not the first maximum of the probabilities.
    Classes {
        label: Wire,
        probabilities: Option<Vec<Wire>>,
        scores: Option<Vec<Wire>>,
    },
    Value(Wire),
    Anomaly {
        outlier: Wire,
        score: Wire,
    },
    Clusters {
        cluster: Wire,
        labels: Vec<Cell>,
        distances: Option<Vec<Wire>>,
    },
}

impl Fitted {
    fn new(build: impl Fn(&mut Graph, &[Wire]) -> Result<Made> + 'static, own: Option<Own>) -> Result<Fitted> {
        Ok(Fitted { build: Box::new(build), own, chosen: Map::new() })
    }

    /// Appends the steps. Where a `threshold` is given the second of two classes is the label from this probability on.
    ///
    /// # Errors
    /// Where a threshold is given to a model without probabilities of two classes.
    pub fn push(
        &self,
        graph: &mut Graph,
        wires: &[Wire],
        classes: &[Cell],
        threshold: Option<f64>,
    ) -> Result<Output> {
        Ok(match (self.build)(graph, wires)? {
            Made::Classes { mut label, probabilities, scores } => {
                if let Some(threshold) = threshold {
                    let Some([_, second]) = probabilities.as_deref() else {
                        return Err(Error::input("a threshold needs a model with probabilities of two classes")
                            .remedy("Choose another --model, or leave --threshold out."));
                    };
                    let op = Op::Above { threshold: threshold.next_down() };
                    label = graph.push_one(op, vec![*second], "threshold")?;
                }
                Output::Classification { classes: classes.to_vec(), label, probabilities, scores }
            }
            Made::Value(value) => Output::Regression { values: vec![value], names: Vec::new() },
            Made::Anomaly { outlier, score } => Output::Anomaly { outlier, score, samples: None },
            Made::Clusters { cluster, labels, distances } => Output::Clustering { cluster, labels, distances },
        })
    }
}

/// Parameters by name, the defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters(pub Map<String, Value>);

impl Parameters {
    /// # Errors
    /// Names a parameter that the estimator does not have, with those it has.
    pub fn new(known: &Known, given: &[(String, Value)]) -> Result<Parameters> {
        let mut all = (known.parameters)().as_object().cloned().unwrap_or_default();
        for (name, value) in given {
            if !all.contains_key(name) {
                let names: Vec<String> = all.keys().cloned().collect();
                let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return Err(Error::input(format!("{} has no parameter {name:?}", known.name))
                    .remedy(format!("It has: {has}.")));
            }
            all.insert(name.clone(), value.clone());
        }
        Ok(Parameters(all))
    }

    fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A number in `low..=high`, None where it is null.
    fn maybe_number(&self, name: &str, low: f64, high: f64) -> Result<Option<f64>> {
        let Some(value) = self.given(name) else { return Ok(None) };
        match value.as_f64() {
            Some(number) if (low..=high).contains(&number) => Ok(Some(number)),
            _ => Err(Error::input(format!("{name}={value}; a number from {low} to {high} is expected"))),
        }
    }

    fn number(&self, name: &str, low: f64, high: f64) -> Result<f64> {
        self.maybe_number(name, low, high)?.ok_or_else(|| Error::input(format!("{name} is not given")))
    }

    fn maybe_count(&self, name: &str, low: u64, high: u64) -> Result<Option<usize>> {
        let Some(value) = self.given(name) else { return Ok(None) };
        match value.as_u64() {
            Some(number) if (low..=high).contains(&number) => Ok(Some(number as usize)),
            _ => Err(Error::input(format!("{name}={value}; a whole number from {low} to {high} is expected"))),
        }
    }

    fn count(&self, name: &str, low: u64, high: u64) -> Result<usize> {
        self.maybe_count(name, low, high)?.ok_or_else(|| Error::input(format!("{name} is not given")))
    }

    fn choice(&self, name: &str, among: &[&'static str]) -> Result<&'static str> {
        let found = self.given(name).and_then(Value::as_str);
        among.iter().copied().find(|word| Some(*word) == found).ok_or_else(|| {
            let value = self.0.get(name).cloned().unwrap_or_default();
            Error::input(format!("{name}={value}; one of {} is expected", among.join(", ")))
        })
    }
}

const PLAIN: Needs = Needs { scaled: false, encoding: Coding::Ordinal, by_column: true };
const SCALED: Needs = Needs { scaled: true, encoding: Coding::OneHot, by_column: false };
/// Its own scale is each column's own affair; only what is no variance depends on the largest.
const RAW: Needs = Needs { scaled: false, encoding: Coding::OneHot, by_column: false };
const LINEAR: Needs = Needs { scaled: true, encoding: Coding::OneHotLessOne, by_column: false };

/// Without a limit of its own: what fits into memory.
const ANY: usize = usize::MAX;

/// Every estimator.
pub const KNOWN: [Known; 22] = [
    known(
        "logistic",
        Task::Classification,
        "LogisticRegression",
        SCALED,
        || json!({"alpha": 1.0}),
        linear::logistic,
        ANY,
    ),
    known("tree", Task::Classification, "DecisionTreeClassifier", PLAIN, trees::tree_parameters, trees::tree, ANY),
    known(
        "forest",
        Task::Classification,
        "RandomForestRegressor",
        PLAIN,
        trees::forest_parameters,
        trees::forest,
        ANY,
    ),
    known(
        "extra-trees",
        Task::Classification,
        "ExtraTreesRegressor",
        PLAIN,
        trees::forest_parameters,
        trees::extra,
        ANY,
    ),
    known(
        "knn",
        Task::Classification,
        "KNNClassifier",
        SCALED,
        neighbours::parameters,
        neighbours::classifier,
        200_000,
    ),
    known("svm", Task::Classification, "SVC", SCALED, svm::parameters, svm::classifier, 100_000),
    known("bayes", Task::Classification, "GaussianNB", RAW, || json!({}), bayes::gaussian, ANY),
    known("linear", Task::Regression, "LinearRegression", LINEAR, || json!({}), linear::linear, ANY),
    known("ridge", Task::Regression, "RidgeRegression", SCALED, || json!({"alpha": 1.0}), linear::ridge, ANY),
    known("lasso", Task::Regression, "Lasso", SCALED, || json!({"alpha": 1.0, "max_iter": 1000}), linear::lasso, ANY),
    known(
        "elastic-net",
        Task::Regression,
        "ElasticNet",
        SCALED,
        || json!({"alpha": 1.0, "l1_ratio": 0.5, "max_iter": 1000}),
        linear::elastic_net,
        ANY,
    ),
    known("tree", Task::Regression, "DecisionTreeRegressor", PLAIN, trees::tree_parameters, trees::tree, ANY),
    known("forest", Task::Regression, "RandomForestRegressor", PLAIN, trees::forest_parameters, trees::forest, ANY),
    known("extra-trees", Task::Regression, "ExtraTreesRegressor", PLAIN, trees::forest_parameters, trees::extra, ANY),
    known("boosting", Task::Regression, "XGRegressor", PLAIN, trees::boosting_parameters, trees::boosting, ANY),
    known("knn", Task::Regression, "KNNRegressor", SCALED, neighbours::parameters, neighbours::regressor, 200_000),
    known("svm", Task::Regression, "SVR", SCALED, svm::regression_parameters, svm::regressor, 100_000),
    known(
        "isolation",
        Task::Anomaly,
        "ExtraTreesRegressor",
        PLAIN,
        trees::isolation_parameters,
        trees::isolation,
        ANY,
    ),
    known(
        "kmeans",
        Task::Anomaly,
        "KMeans",
        SCALED,
        || json!({"k": 8, "max_iter": 300, "n_init": null, "contamination": 0.02}),
        clusters::far,
        ANY,
    ),
    known(
        "dbscan",
        Task::Anomaly,
        "DBSCAN",
        SCALED,
        || json!({"eps": null, "min_samples": 5, "contamination": 0.02}),
        clusters::sparse,
        50_000,
    ),
    known(
        "kmeans",
        Task::Clustering,
        "KMeans",
        SCALED,
        || json!({"k": 3, "max_iter": 300, "n_init": null}),
        clusters::kmeans,
        ANY,
    ),
    known(
        "dbscan",
        Task::Clustering,
        "DBSCAN",
        SCALED,
        || json!({"eps": null, "min_samples": 5}),
        clusters::dbscan,
        50_000,
    ),
];

#[allow(clippy::too_many_arguments)]
const fn known(
    name: &'static str,
    task: Task,
    engine: &'static str,
    needs: Needs,
    parameters: fn() -> Value,
    fit: fn(&Job) -> Result<Fitted>,
    most_rows: usize,
) -> Known {
    Known { name, task, engine, needs, parameters, fit, most_rows }
}

/// The estimator of this name for this task.
///
/// # Errors
/// Names those there are.
pub fn find(name: &str, task: Task) -> Result<&'static Known> {
    KNOWN.iter().find(|known| known.name == name && known.task == task).ok_or_else(|| {
        let names: Vec<&str> = KNOWN.iter().filter(|known| known.task == task).map(|known| known.name).collect();
        let elsewhere = KNOWN.iter().find(|known| known.name == name);
        let message = match elsewhere {
            Some(known) => format!("{name} is for {}, but the task is {}", known.task.name(), task.name()),
            None => format!("no model is named {name:?}"),
        };
        let near = nearest(name, names.iter().copied()).filter(|_| elsewhere.is_none());
        let hint = near.map_or(String::new(), |near| format!("Did you mean {near}? "));
        Error::input(message).remedy(format!("{hint}For {}: {} or auto.", task.name(), names.join(", ")))
    })
}

/// Fits an estimator.
///
/// # Errors
/// Where the crate refuses the data or a parameter, or there are too many rows for it.
pub fn fit(known: &Known, job: &Job) -> Result<Fitted> {
    if job.x.nrows() > known.most_rows {
        return Err(too_many(known.name, job.x.nrows(), known.most_rows));
    }
    if let Target::Classes(of, count) = job.target {
        if count < 2 {
            return Err(Error::input("the target has one class only; there is nothing to tell apart")
                .remedy("Give rows of at least two classes, or look for outliers instead: --task anomaly."));
        }
        // The crates number the classes that they see.
        let seen: HashSet<u32> = of.iter().copied().collect();
        if seen.len() < count {
            return Err(Error::input("a class without a row in the training part"));
        }
    }
    (known.fit)(job).map_err(|error| error.at(known.name))
}

fn too_many(name: &str, rows: usize, most: usize) -> Error {
    Error::limit(format!(
        "{rows} rows to fit; {name} takes at most {most}, beyond which it would run too long or keep too much"
    ))
    .remedy(format!("Train on a sample, --rows {most}, or choose another --model."))
}

/// smartcore's error as ours.
fn failed(error: smartcore::error::Failed) -> Error {
    let text = error.to_string();
    let text = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_lowercase().to_string()).unwrap_or_default();
    Error::input(format!("{first}{}", letters.as_str()))
}

/// The private fields of a fitted estimator.
fn state<T: DeserializeOwned>(fitted: &impl Serialize) -> Result<T> {
    let unreadable = |error: serde_json::Error| {
        Error::malformed(format!("smartcore's estimator is not of the version this was written for: {error}"))
    };
    let bytes = serde_json::to_vec(fitted).map_err(unreadable)?;
    serde_json::from_slice(&bytes).map_err(unreadable)
}

/// Refuses what came out as no number: a fit that did not converge.
fn finite<'a>(values: impl IntoIterator<Item = &'a f64>) -> Result<()> {
    match values.into_iter().all(|value| value.is_finite()) {
        true => Ok(()),
        false => Err(Error::input("the fit did not converge: it ended in no numbers")
            .remedy("Choose another --model; --model auto compares several.")),
    }
}

fn argmax(graph: &mut Graph, wires: &[Wire], path: &str) -> Result<Wire> {
    graph.push_one(Op::Argmax, wires.to_vec(), path)
}

/// The value at this share of a sorted list, between two by the line through them (numpy's default).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let low = at.floor() as usize;
    let high = (low + 1).min(last);
    sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64)
}

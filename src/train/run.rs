//! A training run: from a table and what is wanted of it to a model and its report.

use super::estimators::{self, Job, Known, Parameters, Target, Task};
use super::prepare::{Runner, prepare};
use super::report::{
    Candidate, Estimator, FORMAT, Importance, Judgement, Leaderboard, Provenance, Report, Role, Warning, WarningKind,
};
use super::split::{Split, folds, held_out};
use super::table::Rows;
use super::types::{self, Column, MISSING, Table, Type, Values, Wishes};
use super::{importance, metrics, random::Random, warnings};
use crate::lower::Results;
use crate::model::{Cell, Model, Op, Source};
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

/// smartcore's version, as Cargo.toml pins it and `tests/train.rs` checks it.
pub const ENGINE: &str = "smartcore 0.7.0";

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Request {
    pub wishes: Wishes,
    pub task: Option<Task>,
    /// A name of `estimators::KNOWN`, or `auto`.
    pub model: String,
    /// Parameters of the estimator.
    pub set: Vec<(String, Value)>,
    pub seed: u64,
    pub held_out: HeldOut,
    pub threshold: Option<Threshold>,
    /// Of two classes, the one that the threshold and the scores speak of.
    pub positive: Option<String>,
    /// How long `auto` may compare.
    pub budget: Duration,
    pub folds: usize,
    /// Whether to measure what the columns are worth.
    pub importance: bool,
    /// For the report.
    pub command: String,
    pub data: String,
}

impl Default for Request {
    fn default() -> Request {
        Request {
            wishes: Wishes::default(),
            task: None,
            model: "auto".into(),
            set: Vec::new(),
            seed: 0,
            held_out: HeldOut::Share(0.2),
            threshold: None,
            positive: None,
            budget: Duration::from_secs(60),
            folds: 5,
            importance: true,
            command: String::new(),
            data: String::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeldOut {
    /// Of the rows; 0 fits them all.
    Share(f64),
    /// The rows from this one on: those of a second file.
    From(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// The best F1 of rows that a fold was not fitted on.
    Best,
    At(f64),
}

/// Hears what is going on, and may end it.
pub trait Watch {
    /// Something new begins, the share of the whole that is done with it.
    fn doing(&mut self, what: &str, done: f64);
    /// The columns as they were read, before anything is fitted.
    fn table(&mut self, _reading: &[String], _table: &Table, _task: Task) {}
}

/// Hears nothing.
pub struct Quiet;

impl Watch for Quiet {
    fn doing(&mut self, _: &str, _: f64) {}
}

/// What came out.
#[derive(Debug)]
pub struct Trained {
    pub model: Model,
    pub report: Report,
}

/// The target as an estimator takes it; rows without one are `None` in `keep`.
struct Aim {
    task: Task,
    classes: Vec<Cell>,
    of: Vec<u32>,
    values: Vec<f64>,
    keep: Vec<usize>,
}

impl Aim {
    fn of(&self) -> Option<&[u32]> {
        (self.task == Task::Classification).then_some(&self.of)
    }
}

/// Most classes of a target.
const MOST_CLASSES: usize = 1000;

/// Trains a model.
///
/// # Errors
/// Where the data or the request cannot be trained on: see the modules for each.
pub fn train(rows: &Rows, request: &Request, watch: &mut dyn Watch) -> Result<Trained> {
    let start = Instant::now();
    watch.doing("typing columns", 0.0);
    let mut wishes = request.wishes.clone();
    wishes.labels = match request.task {
        Some(Task::Classification) => Some(true),
        Some(Task::Regression) => Some(false),
        _ => None,
    };
    let mut table = types::infer(rows, &wishes)?;
    let (aim, how) = aim(&mut table, request)?;
    let mut reading = rows.notes.clone();
    reading.append(&mut table.notes.clone());
    reading.push(how);
    let task = aim.task;
    let split = split(&table, &aim, request)?;
    drop_constant(&mut table, &split.train);
    watch.table(&reading, &table, task);
    if table.columns.is_empty() {
        return Err(Error::input("no column is left to predict from")
            .remedy("Each was dropped for the reason given; --types COLUMN=category keeps one."));
    }
    let mut run = Run { table: &table, aim: &aim, request, seed: request.seed };
    let (known, given, leaderboard) = match request.model.as_str() {
        "auto" => run.choose(&split.train, watch)?,
        name => (estimators::find(name, task)?, request.set.clone(), None),
    };
    let parameters = Parameters::new(known, &given)?;
    let chosen = run.threshold(known, &parameters, &split.train, watch)?;
    watch.doing(&format!("fitting {}", known.name), 0.7);
    let (mut model, lines, learnt) =
        run.fit(known, &parameters, &split.train, chosen.as_ref().map(|(threshold, _)| *threshold))?;
    model.source = Source {
        library: "carryout".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        estimator: known.engine.into(),
        outline: outline(&model),
    };
    watch.doing("judging", 0.85);
    let judged = if split.test.is_empty() { &split.train } else { &split.test };
    let (judgement, train_counts) = run.judge(&model, judged, &split, chosen.as_ref())?;
    watch.doing("weighing columns", 0.9);
    let importance = match request.importance && !split.test.is_empty() {
        true => run.importance(&model, &split.test)?,
        false => None,
    };
    let mut warned = run.warnings(rows, &split);
    warned.extend(warnings::of_judgement(&judgement, &train_counts));
    let mut all = parameters.0.clone();
    all.extend(learnt);
    let report = Report {
        format: FORMAT,
        provenance: Provenance {
            command: request.command.clone(),
            data: request.data.clone(),
            sha256: rows.sha256.clone(),
            seed: request.seed,
            rows_read: rows.read,
            rows_used: (split.train.len() + split.test.len()) as u64,
            rows_train: split.train.len() as u64,
            rows_held_out: split.test.len() as u64,
            split: split_name(request, &aim, &split).to_owned(),
            reading,
            carryout: env!("CARGO_PKG_VERSION").into(),
            engine: ENGINE.into(),
        },
        target: match task {
            Task::Classification | Task::Regression => request.wishes.target.clone(),
            _ => None,
        },
        columns: table.reports.clone(),
        estimator: Estimator { name: known.name.into(), parameters: all, preparation: lines },
        leaderboard,
        judgement,
        importance,
        warnings: warned,
        seconds: Some(start.elapsed().as_secs_f64()),
    };
    Ok(Trained { model, report })
}

/// The paths of the steps, each once.
fn outline(model: &Model) -> Vec<String> {
    let mut seen = HashSet::new();
    model.graph.steps().iter().filter(|step| seen.insert(&step.path)).map(|step| step.path.clone()).collect()
}

fn split_name(request: &Request, aim: &Aim, split: &Split) -> &'static str {
    match request.held_out {
        HeldOut::From(_) => "a file of its own",
        _ if split.test.is_empty() => "none: all rows are fitted, and judged",
        _ if aim.task == Task::Classification => "stratified by target",
        _ => "at random",
    }
}

/// Reads the target and decides the task.
fn aim(table: &mut Table, request: &Request) -> Result<(Aim, String)> {
    let all = || (0..table.rows).collect::<Vec<usize>>();
    let plain = |task| Aim { task, classes: Vec::new(), of: Vec::new(), values: Vec::new(), keep: all() };
    let supervised = !matches!(request.task, Some(Task::Anomaly | Task::Clustering));
    if !supervised {
        let task = request.task.unwrap_or(Task::Anomaly);
        let how = match &table.target {
            Some(target) => format!("task: {}; {:?} is left out", task.name(), target.name),
            None => format!("task: {}", task.name()),
        };
        return Ok((plain(task), how));
    }
    let Some(target) = &table.target else {
        return Err(Error::input("no target: which column is to be predicted?")
            .remedy("Name it, --target COLUMN, or look for outliers or groups: --task anomaly, --task clustering."));
    };
    let distinct = |list: &[f64]| -> Vec<f64> {
        let bits: BTreeSet<u64> =
            list.iter().filter(|value| !value.is_nan()).map(|value| (value + 0.0).to_bits()).collect();
        let mut values: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let classification = match (request.task, &target.values) {
        (Some(task), _) => task == Task::Classification,
        (None, Values::Codes { .. }) => true,
        (None, Values::Numbers(_)) if target.kind == Type::Boolean => true,
        (None, Values::Numbers(list)) => target.kind == Type::Integer && distinct(list).len() <= 10,
    };
    let name = &target.name;
    if !classification {
        let Values::Numbers(values) = &target.values else {
            return Err(Error::input(format!("the target {name:?} holds no numbers"))
                .remedy("Classes are told apart with --task classification."));
        };
        let keep: Vec<usize> = (0..table.rows).filter(|&row| !values[row].is_nan()).collect();
        let found = distinct(values).len();
        if found < 2 {
            return Err(Error::input(format!("the target {name:?} has one value only; there is nothing to predict")));
        }
        let aim = Aim { task: Task::Regression, classes: Vec::new(), of: Vec::new(), values: values.clone(), keep };
        return Ok((aim, format!("task: regression; {name:?} is a number of {found} different values")));
    }
    let (mut classes, mut of): (Vec<Cell>, Vec<Option<u32>>) = match &target.values {
        Values::Numbers(list) => {
            let values = distinct(list);
            let place = |value: &f64| values.iter().position(|other| other == value).map(|place| place as u32);
            let cell = |value: &f64| match target.kind {
                Type::Boolean => Cell::Bool(*value == 1.0),
                Type::Integer => Cell::Int(*value as i64),
                _ => Cell::Float(*value),
            };
            (values.iter().map(cell).collect(), list.iter().map(place).collect())
        }
        Values::Codes { of, codes } => {
            // Labels that are all whole numbers are numbers, in their order.
            let numbers: Option<Vec<i64>> = of.iter().map(|text| text.trim().parse().ok()).collect();
            let cells: Vec<Cell> = match &numbers {
                Some(numbers) => numbers.iter().map(|&number| Cell::Int(number)).collect(),
                None => of.iter().map(|text| Cell::Str(text.clone())).collect(),
            };
            let mut order: Vec<usize> = (0..of.len()).collect();
            if let Some(numbers) = &numbers {
                order.sort_by_key(|&code| numbers[code]);
            }
            let mut moved = vec![0u32; of.len()];
            order.iter().enumerate().for_each(|(new, &old)| moved[old] = new as u32);
            let places = codes.iter().map(|&code| (code != MISSING).then(|| moved[code as usize])).collect();
            (order.iter().map(|&code| cells[code].clone()).collect(), places)
        }
    };
    if classes.len() < 2 {
        let only = classes.first().map_or(String::new(), |class| format!(", {class}"));
        return Err(Error::input(format!(
            "the target {name:?} has one class only{only}; there is nothing to tell apart"
        ))
        .remedy("Give rows of at least two classes, or look for outliers instead: --task anomaly."));
    }
    if classes.len() > MOST_CLASSES {
        return Err(Error::limit(format!(
            "the target {name:?} has {} classes; at most {MOST_CLASSES} are told apart",
            classes.len()
        ))
        .remedy("If it is a number, --task regression predicts it."));
    }
    if let Some(positive) = &request.positive {
        let Some(place) = classes.iter().position(|class| class.to_string() == *positive) else {
            let names: Vec<String> = classes.iter().take(10).map(ToString::to_string).collect();
            return Err(Error::input(format!("no class is {positive:?}"))
                .remedy(format!("The classes are {}.", names.join(", "))));
        };
        if classes.len() != 2 {
            return Err(Error::input("a positive class is one of two").remedy("Leave --positive out."));
        }
        if place == 0 {
            classes.swap(0, 1);
            of.iter_mut().flatten().for_each(|class| *class = 1 - *class);
        }
    }
    let keep: Vec<usize> = (0..table.rows).filter(|&row| of[row].is_some()).collect();
    let how = format!("task: classification; {name:?} has {} classes", classes.len());
    let of = of.into_iter().map(|class| class.unwrap_or(0)).collect();
    Ok((Aim { task: Task::Classification, classes, of, values: Vec::new(), keep }, how))
}

fn split(table: &Table, aim: &Aim, request: &Request) -> Result<Split> {
    let split = match request.held_out {
        HeldOut::Share(0.0) => Split { train: aim.keep.clone(), test: Vec::new() },
        HeldOut::Share(share) => held_out(&aim.keep, aim.of(), share, request.seed),
        HeldOut::From(first) => {
            let (train, test) = aim.keep.iter().partition(|&&row| row < first);
            Split { train, test }
        }
    };
    if split.train.len() < 2 {
        let rows = if table.rows == 1 { "1 row".into() } else { format!("{} rows", table.rows) };
        return Err(Error::input(format!("{} of {rows} to fit: too few", split.train.len()))
            .remedy("Give more rows in which the target is known, or hold none out: --held-out 0."));
    }
    let known: HashSet<u32> = split.train.iter().filter_map(|&row| aim.of().map(|of| of[row])).collect();
    if let Some(of) = aim.of()
        && let Some(&row) = split.test.iter().find(|&&row| !known.contains(&of[row]))
    {
        return Err(Error::input(format!("class {} is in the held-out rows only", aim.classes[of[row] as usize]))
            .remedy("A class needs rows in the training part."));
    }
    Ok(split)
}

/// Columns that hold one value in the training rows tell nothing, whatever other rows hold.
fn drop_constant(table: &mut Table, rows: &[usize]) {
    let constant = |column: &Column| match &column.values {
        Values::Numbers(list) => {
            let mut bits = rows.iter().map(|&row| if list[row].is_nan() { u64::MAX } else { list[row].to_bits() });
            let first = bits.next();
            bits.all(|other| Some(other) == first)
        }
        Values::Codes { codes, .. } => {
            let first = rows.first().map(|&row| codes[row]);
            rows.iter().all(|&row| Some(codes[row]) == first)
        }
    };
    let (gone, kept): (Vec<Column>, Vec<Column>) = std::mem::take(&mut table.columns).into_iter().partition(constant);
    table.columns = kept;
    for column in gone {
        let report = &mut table.reports[column.from];
        if report.kind == "date" {
            continue;
        }
        report.role = Role::Dropped;
        report.note = Some("constant in the training rows, dropped".into());
    }
}

/// An estimator with its parameters, and what it was compared with.
type Choice = (&'static Known, Vec<(String, Value)>, Option<Leaderboard>);

struct Run<'a> {
    table: &'a Table,
    aim: &'a Aim,
    request: &'a Request,
    seed: u64,
}

/// What a model says of rows.
#[derive(Default)]
struct Said {
    /// Places of classes or clusters, 1 for outliers.
    labels: Vec<usize>,
    /// rows × classes.
    probabilities: Option<Vec<f64>>,
    /// The decision function: rows × scores.
    scores: Option<Vec<f64>>,
    values: Vec<f64>,
}

impl Run<'_> {
    /// Fits on these rows alone: preparation, estimator, threshold.
    fn fit(
        &self,
        known: &Known,
        parameters: &Parameters,
        rows: &[usize],
        threshold: Option<f64>,
    ) -> Result<(Model, Vec<String>, Map<String, Value>)> {
        let prepared = prepare(self.table, rows, known.needs)?;
        let x = prepared.matrix(self.table, rows)?;
        let of: Vec<u32> = self.aim.of().map(|of| rows.iter().map(|&row| of[row]).collect()).unwrap_or_default();
        let values: Vec<f64> = match self.aim.task {
            Task::Regression => rows.iter().map(|&row| self.aim.values[row]).collect(),
            _ => Vec::new(),
        };
        let target = match self.aim.task {
            Task::Classification => Target::Classes(&of, self.aim.classes.len()),
            Task::Regression => Target::Values(&values),
            Task::Anomaly | Task::Clustering => Target::None,
        };
        let task = self.aim.task;
        let job = Job { x: &x, target, parameters, seed: self.seed, check: None, task };
        let fitted = estimators::fit(known, &job)?;
        let (mut model, lines) = (prepared.clone(), prepared.lines);
        let output = fitted.push(&mut model.graph, &prepared.wires, &self.aim.classes, threshold)?;
        Ok((model.model(output), lines, fitted.chosen))
    }

    fn say(&self, model: &Model, rows: &[usize]) -> Result<Said> {
        let mut runner = Runner::new(model, self.table)?;
        self.say_with(&mut runner, rows, None)
    }

    /// `shuffled`: the rows whose values of some columns are taken in place of their own.
    fn say_with(&self, runner: &mut Runner, rows: &[usize], shuffled: Option<(&[usize], &[usize])>) -> Result<Said> {
        let mut said = Said::default();
        let results = runner.results().clone();
        if let Results::Classification { probabilities, scores, .. } = &results {
            said.probabilities = probabilities.map(|_| Vec::new());
            said.scores = scores.map(|_| Vec::new());
        }
        runner.each(self.table, rows, shuffled, |_, slot| match &results {
            Results::Classification { label, probabilities, scores, .. } => {
                said.labels.push(slot(*label as usize) as usize);
                for (list, span) in [(&mut said.probabilities, probabilities), (&mut said.scores, scores)] {
                    if let (Some(list), Some(span)) = (list, span) {
                        list.extend((span.first..span.first + span.count).map(|at| slot(at as usize)));
                    }
                }
            }
            Results::Regression { values, .. } => said.values.push(slot(values.first as usize)),
            Results::Anomaly { outlier, score, .. } => {
                said.labels.push(slot(*outlier as usize) as usize);
                said.values.push(slot(*score as usize));
            }
            Results::Clustering { cluster, .. } => said.labels.push(slot(*cluster as usize) as usize),
            Results::Several(_) | Results::Transform { .. } => {}
        })?;
        Ok(said)
    }

    /// The score of the task, its name, and whether larger is better.
    fn score(&self, said: &Said, rows: &[usize]) -> f64 {
        match self.aim.task {
            Task::Regression => {
                let truth: Vec<f64> = rows.iter().map(|&row| self.aim.values[row]).collect();
                metrics::errors(&truth, &said.values).rmse
            }
            _ => {
                let truth: Vec<usize> = rows.iter().map(|&row| self.aim.of[row] as usize).collect();
                match &said.probabilities {
                    Some(probabilities) => metrics::log_loss(&truth, probabilities, self.aim.classes.len()),
                    None => {
                        let wrong = truth.iter().zip(&said.labels).filter(|(truth, label)| truth != label).count();
                        wrong as f64 / truth.len().max(1) as f64
                    }
                }
            }
        }
    }

    fn score_name(&self, probabilities: bool) -> &'static str {
        match self.aim.task {
            Task::Regression => "RMSE",
            _ if probabilities => "log loss",
            _ => "error rate",
        }
    }

    fn folds(&self, rows: &[usize]) -> Vec<Split> {
        let count = self.request.folds.min(rows.len()).max(2);
        folds(rows, self.aim.of(), count, self.seed)
    }

    /// Compares the candidates of the task under cross-validation.
    fn choose(&mut self, rows: &[usize], watch: &mut dyn Watch) -> Result<Choice> {
        let task = self.aim.task;
        if !self.request.set.is_empty() {
            return Err(Error::input("--set is for one model, not for auto").remedy("Name it: --model forest."));
        }
        let list: &[(&str, &[(&str, f64)])] = match task {
            Task::Classification => &[
                ("logistic", &[]),
                ("logistic", &[("alpha", 0.01)]),
                ("bayes", &[]),
                ("tree", &[("max_depth", 5.0), ("min_samples_leaf", 5.0)]),
                ("forest", &[]),
                ("forest", &[("min_samples_leaf", 5.0)]),
                ("extra-trees", &[("min_samples_leaf", 2.0)]),
                ("knn", &[("k", 15.0)]),
            ],
            Task::Regression => &[
                ("linear", &[]),
                ("ridge", &[("alpha", 10.0)]),
                ("tree", &[("max_depth", 6.0), ("min_samples_leaf", 5.0)]),
                ("boosting", &[]),
                ("boosting", &[("max_depth", 5.0), ("n_estimators", 200.0), ("learning_rate", 0.05)]),
                ("forest", &[]),
                ("extra-trees", &[]),
                ("knn", &[("k", 10.0)]),
            ],
            // Nothing tells which flags or groups are right.
            Task::Anomaly => return Ok((estimators::find("isolation", task)?, Vec::new(), None)),
            Task::Clustering => return self.groups(rows, watch),
        };
        let start = Instant::now();
        let folds = self.folds(rows);
        let mut candidates = Vec::new();
        for (number, (name, given)) in list.iter().enumerate() {
            let known = estimators::find(name, task)?;
            let whole =
                |value: f64| if value.fract() == 0.0 { Value::from(value as u64) } else { Value::from(value) };
            let given: Vec<(String, Value)> =
                given.iter().map(|(name, value)| ((*name).to_owned(), whole(*value))).collect();
            let parameters = Parameters::new(known, &given)?;
            let own = Instant::now();
            let mut candidate = Candidate {
                name: (*name).to_owned(),
                parameters: given.iter().cloned().collect(),
                mean: None,
                folds: Vec::new(),
                note: None,
                seconds: None,
            };
            for (fold, split) in folds.iter().enumerate() {
                // The first is let through, so that there is a model.
                if number > 0 && start.elapsed() > self.request.budget {
                    candidate.note = Some("no time left".into());
                    break;
                }
                let done = (number * folds.len() + fold) as f64 / (list.len() * folds.len()) as f64;
                let what = format!(
                    "comparing: {name} ({} of {}), fold {} of {}",
                    number + 1,
                    list.len(),
                    fold + 1,
                    folds.len()
                );
                watch.doing(&what, 0.7 * done);
                let scored = self
                    .fit(known, &parameters, &split.train, None)
                    .and_then(|(model, ..)| self.say(&model, &split.test))
                    .map(|said| self.score(&said, &split.test));
                match scored {
                    Ok(score) if score.is_finite() => candidate.folds.push(score),
                    Ok(_) => candidate.note = Some("no finite score".into()),
                    Err(error) => candidate.note = Some(error.to_string()),
                }
                if candidate.note.is_some() {
                    break;
                }
            }
            if candidate.note.is_none() {
                candidate.mean = Some(candidate.folds.iter().sum::<f64>() / candidate.folds.len() as f64);
            }
            candidate.seconds = Some(own.elapsed().as_secs_f64());
            candidates.push((candidate, known, given));
        }
        candidates.sort_by(|(a, ..), (b, ..)| {
            let key = |candidate: &Candidate| candidate.mean.unwrap_or(f64::INFINITY);
            key(a).total_cmp(&key(b))
        });
        let Some((best, known, given)) = candidates.first().map(|(a, b, c)| (a.clone(), *b, c.clone())) else {
            return Err(Error::input("no candidates"));
        };
        if best.mean.is_none() {
            return Err(Error::input(format!(
                "no candidate could be fitted; {}: {}",
                best.name,
                best.note.unwrap_or_default()
            ))
            .remedy("Name one, --model forest, or give more rows."));
        }
        let board = Leaderboard {
            score: self.score_name(true).into(),
            larger_is_better: false,
            candidates: candidates.into_iter().map(|(candidate, ..)| candidate).collect(),
        };
        Ok((known, given, Some(board)))
    }

    /// k-means with the number of clusters, 2 to 8, of the best silhouette.
    fn groups(&mut self, rows: &[usize], watch: &mut dyn Watch) -> Result<Choice> {
        let known = estimators::find("kmeans", Task::Clustering)?;
        let mut candidates: Vec<(Candidate, u64)> = Vec::new();
        for k in 2..=8u64.min(rows.len() as u64 - 1) {
            watch.doing(&format!("comparing: {k} clusters"), 0.1 * (k - 2) as f64);
            let given = vec![("k".to_owned(), Value::from(k))];
            let parameters = Parameters::new(known, &given)?;
            let judged = self
                .fit(known, &parameters, rows, None)
                .and_then(|(model, ..)| self.clusters(&model, known, rows, rows));
            let (mean, note) = match judged {
                Ok(clustering) => (clustering.silhouette, None),
                Err(error) => (None, Some(error.to_string())),
            };
            let note = note.or_else(|| mean.is_none().then(|| "one cluster only".to_owned()));
            let parameters = given.into_iter().collect();
            let folds = Vec::new();
            candidates.push((Candidate { name: "kmeans".into(), parameters, mean, folds, note, seconds: None }, k));
        }
        candidates.sort_by(|(a, _), (b, _)| {
            let key = |candidate: &Candidate| candidate.mean.unwrap_or(f64::NEG_INFINITY);
            key(b).total_cmp(&key(a))
        });
        let Some((Candidate { mean: Some(_), .. }, k)) = candidates.first() else {
            let why = candidates.first().and_then(|(candidate, _)| candidate.note.clone()).unwrap_or_default();
            return Err(Error::input(format!("no clusters were found: {why}")).remedy("Try --model dbscan."));
        };
        let given = vec![("k".to_owned(), Value::from(*k))];
        let board = Leaderboard {
            score: "silhouette".into(),
            larger_is_better: true,
            candidates: candidates.into_iter().map(|(candidate, _)| candidate).collect(),
        };
        Ok((known, given, Some(board)))
    }

    /// The threshold to store, and how it was chosen.
    fn threshold(
        &self,
        known: &Known,
        parameters: &Parameters,
        rows: &[usize],
        watch: &mut dyn Watch,
    ) -> Result<Option<(f64, &'static str)>> {
        let Some(threshold) = self.request.threshold else { return Ok(None) };
        if self.aim.classes.len() != 2 {
            return Err(Error::input("a threshold is for a target of two classes").remedy("Leave --threshold out."));
        }
        if let Threshold::At(value) = threshold {
            return Ok(Some((value, "given")));
        }
        let (mut truth, mut second) = (Vec::new(), Vec::new());
        let folds = self.folds(rows);
        for (number, split) in folds.iter().enumerate() {
            watch.doing(&format!("choosing the threshold: fold {} of {}", number + 1, folds.len()), 0.6);
            let (model, ..) = self.fit(known, parameters, &split.train, None)?;
            let said = self.say(&model, &split.test)?;
            let Some(probabilities) = said.probabilities else {
                return Err(Error::input(format!("{} has no probabilities to set a threshold on", known.name))
                    .remedy("Choose another --model, or leave --threshold out."));
            };
            second.extend(probabilities.chunks(2).map(|pair| pair[1]));
            truth.extend(split.test.iter().map(|&row| self.aim.of[row] == 1));
        }
        Ok(Some((metrics::best_threshold(&truth, &second), "best F1 in cross-validation")))
    }

    fn clusters(
        &self,
        model: &Model,
        known: &Known,
        train: &[usize],
        rows: &[usize],
    ) -> Result<super::report::Clustering> {
        let said = self.say(model, rows)?;
        let prepared = prepare(self.table, train, known.needs)?;
        let points = prepared.matrix(self.table, rows)?;
        let crate::model::Output::Clustering { labels, .. } = &model.output else {
            return Err(Error::input("no clustering"));
        };
        // DBSCAN's noise is its last label.
        let noise = if known.name == "dbscan" { labels.len() - 1 } else { usize::MAX };
        let names: Vec<String> = labels.iter().take(noise).map(ToString::to_string).collect();
        let assigned: Vec<Option<usize>> =
            said.labels.iter().map(|&label| (label != noise).then_some(label)).collect();
        let flat: Vec<f64> = points.iter().copied().collect();
        metrics::clustering(&names, &assigned, &flat, points.ncols(), self.seed)
    }

    fn judge(
        &self,
        model: &Model,
        rows: &[usize],
        split: &Split,
        threshold: Option<&(f64, &'static str)>,
    ) -> Result<(Judgement, Vec<u64>)> {
        let aim = self.aim;
        let mut counts = vec![0u64; aim.classes.len()];
        if let Some(of) = aim.of() {
            split.train.iter().for_each(|&row| counts[of[row] as usize] += 1);
        }
        let judgement = match aim.task {
            Task::Classification => {
                let said = self.say(model, rows)?;
                let truth: Vec<usize> = rows.iter().map(|&row| aim.of[row] as usize).collect();
                let classes: Vec<String> = aim.classes.iter().map(ToString::to_string).collect();
                let binary = classes.len() == 2 && said.probabilities.is_some();
                let threshold = threshold.copied().or(binary.then_some((0.5, "the larger probability")));
                Judgement::Classification(Box::new(metrics::classification(&metrics::Labelled {
                    classes: &classes,
                    truth: &truth,
                    predicted: &said.labels,
                    probabilities: said.probabilities.as_deref(),
                    scores: said.scores.as_deref().filter(|_| said.probabilities.is_none()),
                    positive: usize::from(classes.len() == 2),
                    train: &counts,
                    threshold,
                })?))
            }
            Task::Regression => {
                let said = self.say(model, rows)?;
                let truth: Vec<f64> = rows.iter().map(|&row| aim.values[row]).collect();
                let mean = split.train.iter().map(|&row| aim.values[row]).sum::<f64>() / split.train.len() as f64;
                Judgement::Regression(metrics::regression(&truth, &said.values, mean)?)
            }
            Task::Anomaly => {
                let said = self.say(model, rows)?;
                let flagged: Vec<bool> = said.labels.iter().map(|&label| label == 1).collect();
                let which = if split.test.is_empty() { "training rows" } else { "held-out rows" };
                Judgement::Anomaly(metrics::anomaly(which, &flagged, &said.values))
            }
            Task::Clustering => {
                let known = self.known_of(model)?;
                Judgement::Clustering(self.clusters(model, known, &split.train, rows)?)
            }
        };
        Ok((judgement, counts))
    }

    fn known_of(&self, model: &Model) -> Result<&'static Known> {
        let engine = &model.source.estimator;
        estimators::KNOWN
            .iter()
            .find(|known| known.task == self.aim.task && known.engine == engine)
            .ok_or_else(|| Error::input("an estimator of no name"))
    }

    /// Permutation importance of the file's columns on held-out rows.
    fn importance(&self, model: &Model, rows: &[usize]) -> Result<Option<Importance>> {
        if !matches!(self.aim.task, Task::Classification | Task::Regression) {
            return Ok(None);
        }
        // A column of dates is all its parts.
        let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
        for (place, column) in self.table.columns.iter().enumerate() {
            let name = &self.table.reports[column.from].name;
            match groups.last_mut() {
                Some((last, places)) if last == name => places.push(place),
                _ => groups.push((name.clone(), vec![place])),
            }
        }
        const REPEATS: u32 = 5;
        let stored: usize = model
            .graph
            .steps()
            .iter()
            .map(|step| match &step.op {
                Op::KernelSum(sum) => sum.vectors.values.len(),
                Op::Nearest(nearest) => nearest.vectors.values.len(),
                Op::Trees(ensemble) => 20 * ensemble.trees.len(),
                Op::Affine { coef, .. } => coef.values.len(),
                _ => 0,
            })
            .sum();
        // About 2 × 10^9 operations in all: some seconds.
        let most = (2_000_000_000 / (stored.max(20) * groups.len() * REPEATS as usize)).clamp(100, 5000);
        let sample: Vec<usize> =
            Random::new(self.seed).sample(rows.len(), most).into_iter().map(|place| rows[place]).collect();
        let mut runner = Runner::new(model, self.table)?;
        let names: Vec<String> = groups.iter().map(|(name, _)| name.clone()).collect();
        let has = !matches!(runner.results(), Results::Classification { probabilities: None, .. });
        let score = (self.score_name(has), false);
        let mut order_rows = Vec::new();
        let importance = importance::permutation(&names, sample.len(), REPEATS, self.seed, score, |shuffled| {
            let said = match shuffled {
                None => self.say_with(&mut runner, &sample, None)?,
                Some((group, order)) => {
                    order_rows.clear();
                    order_rows.extend(order.iter().map(|&place| sample[place]));
                    self.say_with(&mut runner, &sample, Some((&groups[group].1, &order_rows)))?
                }
            };
            Ok(self.score(&said, &sample))
        })?;
        Ok(Some(importance))
    }

    fn warnings(&self, rows: &Rows, split: &Split) -> Vec<Warning> {
        let mut warned = Vec::new();
        let mut say = |kind, column: Option<&str>, message: String| {
            warned.push(Warning { kind, column: column.map(str::to_owned), message });
        };
        if (rows.len() as u64) < rows.read {
            say(WarningKind::LeftOut, None, format!("trained on a sample: {} of {} rows", rows.len(), rows.read));
        }
        let without = self.table.rows - self.aim.keep.len();
        if without > 0 {
            let have = if without == 1 { "1 row has".to_owned() } else { format!("{without} rows have") };
            say(WarningKind::LeftOut, None, format!("{have} no target and were left out"));
        }
        for report in &self.table.reports {
            let Some(note) = &report.note else { continue };
            let kind = match note.as_str() {
                note if note.starts_with("constant") => WarningKind::Constant,
                note if note.contains("different value") || note.contains("free text") => {
                    WarningKind::HighCardinality
                }
                note if note.contains("count as missing") || note.contains("missing, dropped") => {
                    WarningKind::LeftOut
                }
                _ => continue,
            };
            say(kind, Some(&report.name), format!("{note}."));
        }
        let duplicates = self.duplicates(split);
        if duplicates * 20 > split.test.len() && duplicates > 0 {
            say(
                WarningKind::Duplicates,
                None,
                format!(
                    "{duplicates} of {} held-out rows are also in the training part: the figures flatter the model",
                    split.test.len()
                ),
            );
        }
        let truth: Vec<usize> =
            self.aim.of().map(|of| split.train.iter().map(|&row| of[row] as usize).collect()).unwrap_or_default();
        let values: Vec<f64> = match self.aim.task {
            Task::Regression => split.train.iter().map(|&row| self.aim.values[row]).collect(),
            _ => Vec::new(),
        };
        let target = match self.aim.task {
            Task::Classification => warnings::Target::Classes(&truth),
            Task::Regression => warnings::Target::Numbers(&values),
            _ => return warned,
        };
        for column in &self.table.columns {
            let found = match &column.values {
                Values::Numbers(list) => {
                    let list: Vec<f64> = split.train.iter().map(|&row| list[row]).collect();
                    warnings::leakage(&column.name, &warnings::Values::Numbers(&list), &target)
                }
                Values::Codes { codes, .. } => {
                    let place = |&row: &usize| (codes[row] != MISSING).then_some(codes[row] as usize);
                    let list: Vec<Option<usize>> = split.train.iter().map(place).collect();
                    warnings::leakage(&column.name, &warnings::Values::Categories(&list), &target)
                }
            };
            warned.extend(found);
        }
        warned
    }

    /// Held-out rows whose columns are those of a training row.
    fn duplicates(&self, split: &Split) -> usize {
        let hash = |row: usize| {
            let mut hasher = DefaultHasher::new();
            for column in &self.table.columns {
                match &column.values {
                    Values::Numbers(list) => list[row].to_bits().hash(&mut hasher),
                    Values::Codes { codes, .. } => codes[row].hash(&mut hasher),
                }
            }
            hasher.finish()
        };
        let known: HashSet<u64> = split.train.iter().map(|&row| hash(row)).collect();
        split.test.iter().filter(|&&row| known.contains(&hash(row))).count()
    }
}

//! A training run: from a table and what is wanted of it to a model and its report.

use super::aim::{Aim, aim};
use super::estimators::{self, Job, Known, Parameters, Target, Task};
use super::prepare::{Runner, prepare};
use super::report::{Candidate, ColumnReport, Estimator, FORMAT, Provenance, Report, Role};
use super::split::{Split, held_out};
use super::table::Rows;
use super::types::{self, Column, Table, Values, Wishes};
use super::warnings;
use crate::lower::Results;
use crate::model::{Model, Source};
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::time::{Duration, Instant};

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
    /// A candidate was compared, or left out for the reason in its note.
    fn compared(&mut self, _score: &str, _candidate: &Candidate) {}
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
        return Err(nothing_left(&table));
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
            engine: known.fitted_by().into(),
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

/// Why there is nothing to predict from.
fn nothing_left(table: &Table) -> Error {
    let reason = |report: &ColumnReport| Some(format!("{:?}: {}", report.name, report.note.as_ref()?));
    let dropped = table.reports.iter().filter(|report| report.role == Role::Dropped);
    let mut reasons: Vec<String> = dropped.filter_map(reason).collect();
    let error = Error::input("no column is left to predict from");
    if reasons.is_empty() {
        return error.remedy("The file has no column but the target.");
    }
    let more = reasons.len().saturating_sub(5);
    reasons.truncate(5);
    let more = if more > 0 { format!("; {more} more") } else { String::new() };
    error.remedy(format!("{}{more}. --types COLUMN=category keeps one.", reasons.join("; ")))
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

/// A run under way: what is fitted, compared (`search`) and judged (`judge`).
pub(super) struct Run<'a> {
    pub table: &'a Table,
    pub aim: &'a Aim,
    pub request: &'a Request,
    pub seed: u64,
}

/// What a model says of rows.
#[derive(Default)]
pub(super) struct Said {
    /// Places of classes or clusters, 1 for outliers.
    pub labels: Vec<usize>,
    /// rows × classes.
    pub probabilities: Option<Vec<f64>>,
    /// The decision function: rows × scores.
    pub scores: Option<Vec<f64>>,
    pub values: Vec<f64>,
}

impl Run<'_> {
    /// Fits on these rows alone: preparation, estimator, threshold.
    pub fn fit(
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

    pub fn say(&self, model: &Model, rows: &[usize]) -> Result<Said> {
        let mut runner = Runner::new(model, self.table)?;
        self.say_with(&mut runner, rows, None)
    }

    /// `shuffled`: the rows whose values of some columns are taken in place of their own.
    pub fn say_with(
        &self,
        runner: &mut Runner,
        rows: &[usize],
        shuffled: Option<(&[usize], &[usize])>,
    ) -> Result<Said> {
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
}

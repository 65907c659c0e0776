//! What the model is worth: its predictions of held-out rows against their truth, what each column gives to them, and
//! what a careful person would be warned of.

use super::estimators::{self, Known, Task};
use super::prepare::{Runner, prepare};
use super::report::{Clustering, Importance, Judgement, Warning, WarningKind};
use super::run::{Run, Said};
use super::split::Split;
use super::table::Rows;
use super::types::{MISSING, Values};
use super::{importance, metrics, random::Random, warnings};
use crate::lower::Results;
use crate::model::{Model, Op, Output};
use crate::{Error, Result};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

impl Run<'_> {
    /// The score of the task, its name, and whether larger is better.
    pub fn score(&self, said: &Said, rows: &[usize]) -> f64 {
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

    pub fn score_name(&self, probabilities: bool) -> &'static str {
        match self.aim.task {
            Task::Regression => "RMSE",
            _ if probabilities => "log loss",
            _ => "error rate",
        }
    }

    pub fn clusters(&self, model: &Model, known: &Known, train: &[usize], rows: &[usize]) -> Result<Clustering> {
        let said = self.say(model, rows)?;
        let prepared = prepare(self.table, train, known.needs)?;
        let points = prepared.matrix(self.table, rows)?;
        let Output::Clustering { labels, .. } = &model.output else {
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

    pub fn judge(
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
    pub fn importance(&self, model: &Model, rows: &[usize]) -> Result<Option<Importance>> {
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

    pub fn warnings(&self, rows: &Rows, split: &Split) -> Vec<Warning> {
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
                note if ["count as missing", "missing, dropped", "look like numbers"]
                    .iter()
                    .any(|part| note.contains(part)) =>
                {
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

//! What to fit: candidates compared in cross-validation, the number of clusters by silhouette, the threshold by F1.

use super::estimators::{self, Known, Parameters, Task};
use super::metrics;
use super::report::{Candidate, Leaderboard};
use super::run::{Run, Threshold, Watch};
use super::split::{Split, folds};
use crate::{Error, Result};
use serde_json::Value;
use std::time::Instant;

/// An estimator with its parameters, and what it was compared with.
pub type Choice = (&'static Known, Vec<(String, Value)>, Option<Leaderboard>);

/// Most rows for which neighbours are compared with other models: five folds of more take minutes.
const COMPARED: usize = 50_000;

impl Run<'_> {
    fn folds(&self, rows: &[usize]) -> Vec<Split> {
        let count = self.request.folds.min(rows.len()).max(2);
        folds(rows, self.aim.of(), count, self.seed)
    }

    /// Compares the candidates of the task under cross-validation.
    pub fn choose(&mut self, rows: &[usize], watch: &mut dyn Watch) -> Result<Choice> {
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
        if folds.is_empty() {
            return Err(Error::input("no class has two rows to fit: nothing to compare models by")
                .remedy("Give more rows of each class, or name a model: --model tree."));
        }
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
                if known.name == "knn" && rows.len() > COMPARED {
                    candidate.note = Some(format!("not compared over {COMPARED} rows: each is held against all"));
                    break;
                }
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
    pub fn threshold(
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
}

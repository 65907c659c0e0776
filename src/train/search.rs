//! What to fit: candidates compared in cross-validation, the number of clusters by silhouette, the threshold by F1.

use super::estimators::{self, Known, Parameters, Task};
use super::metrics;
use super::report::{Candidate, Leaderboard};
use super::run::{Run, Threshold, Watch};
use super::split::{Split, folds, held_out};
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::time::{Duration, Instant};

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
        // The cheapest come first: where the time is short, they have been compared.
        let list: &[(&str, &[(&str, f64)])] = match task {
            Task::Classification => &[
                ("bayes", &[]),
                ("tree", &[("max_depth", 5.0), ("min_samples_leaf", 5.0)]),
                ("logistic", &[]),
                ("logistic", &[("alpha", 0.01)]),
                ("forest", &[]),
                ("forest", &[("min_samples_leaf", 5.0)]),
                ("extra-trees", &[("min_samples_leaf", 2.0)]),
                ("knn", &[("k", 15.0)]),
            ],
            Task::Regression => &[
                ("tree", &[("max_depth", 6.0), ("min_samples_leaf", 5.0)]),
                ("linear", &[]),
                ("ridge", &[("alpha", 10.0)]),
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
            let left = || self.request.budget.saturating_sub(start.elapsed());
            // One is compared whatever it takes, so that there is a model.
            let first = candidates.iter().all(|(candidate, ..): &(Candidate, _, _)| candidate.mean.is_none());
            let what = format!("comparing: {name} ({} of {})", number + 1, list.len());
            let share = |fold: usize| 0.7 * (number * folds.len() + fold) as f64 / (list.len() * folds.len()) as f64;
            if known.name == "knn" && rows.len() > COMPARED {
                candidate.note = Some(format!("not compared over {COMPARED} rows: each is held against all"));
            } else if !first {
                watch.doing(&what, share(0));
                candidate.note = self.too_long(known, &parameters, &folds, &left);
            }
            for (fold, split) in folds.iter().enumerate() {
                if candidate.note.is_some() {
                    break;
                }
                if left().is_zero() && !(first && fold == 0) {
                    candidate.note = Some(format!("no time left after {fold} of {} folds", folds.len()));
                    break;
                }
                watch.doing(&format!("{what}, fold {} of {}", fold + 1, folds.len()), share(fold));
                let scored = self
                    .fit(known, &parameters, &split.train, None)
                    .and_then(|(model, ..)| self.say(&model, &split.test))
                    .map(|said| self.score(&said, &split.test));
                match scored {
                    Ok(score) if score.is_finite() => candidate.folds.push(score),
                    Ok(_) => candidate.note = Some("no finite score".into()),
                    Err(error) => candidate.note = Some(error.to_string()),
                }
            }
            // The folds of the only one are few, but there is nothing to compare it with.
            if candidate.note.is_none() || first && left().is_zero() && !candidate.folds.is_empty() {
                candidate.mean = Some(candidate.folds.iter().sum::<f64>() / candidate.folds.len() as f64);
            }
            candidate.seconds = Some(own.elapsed().as_secs_f64());
            watch.compared(self.score_name(true), &candidate);
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

    /// Why a candidate cannot be compared in the time left, as parts of the rows tell; None where it can. The fits
    /// are other crates' and end when they end.
    fn too_long(
        &self,
        known: &Known,
        parameters: &Parameters,
        folds: &[Split],
        left: &dyn Fn() -> Duration,
    ) -> Option<String> {
        if left().is_zero() {
            return Some("no time left".into());
        }
        let all = folds[0].train.len() as f64;
        // Rows and seconds of the part before.
        let mut before: Option<(f64, f64)> = None;
        for parts in [64, 16, 4] {
            let some = |rows: &[usize]| held_out(rows, self.aim.of(), 1.0 - 1.0 / f64::from(parts), self.seed).train;
            let (train, test) = (some(&folds[0].train), some(&folds[0].test));
            let start = Instant::now();
            let tried = self.fit(known, parameters, &train, None).and_then(|(model, ..)| self.say(&model, &test));
            if tried.is_err() {
                // Too few rows for it, as a rule; whether all are is seen with all.
                continue;
            }
            let (rows, took) = (train.len() as f64, start.elapsed().as_secs_f64());
            // What does not grow with the rows is told from two parts.
            let each = match before {
                Some((fewer, less)) if rows > fewer => ((took - less) / (rows - fewer)).max(0.0),
                _ => took / rows,
            };
            let (whole, left) = (folds.len() as f64 * (took + each * (all - rows)), left().as_secs_f64());
            // Of one part alone that much is clear: whether the next can be afforded.
            let first = before.is_none() && parts > 4;
            let over = if first { 8.0 * took > left } else { whole > left };
            if over {
                return Some(format!("not compared: it would take about {whole:.0} s, {left:.0} s are left"));
            }
            // Not too long even if the time grows with the square of the rows, as with neighbours.
            if took * (all / rows).powi(2) * folds.len() as f64 <= left {
                break;
            }
            before = Some((rows, took));
        }
        None
    }

    /// k-means with the number of clusters, 2 to 8, of the best silhouette.
    fn groups(&mut self, rows: &[usize], watch: &mut dyn Watch) -> Result<Choice> {
        let known = estimators::find("kmeans", Task::Clustering)?;
        let mut candidates: Vec<(Candidate, u64)> = Vec::new();
        let start = Instant::now();
        for k in 2..=8u64.min(rows.len() as u64 - 1) {
            let parameters: Map<String, Value> = [("k".to_owned(), Value::from(k))].into_iter().collect();
            let mut candidate = Candidate {
                name: "kmeans".into(),
                parameters,
                mean: None,
                folds: Vec::new(),
                note: None,
                seconds: None,
            };
            if k > 2 && start.elapsed() > self.request.budget {
                candidate.note = Some("no time left".into());
                candidates.push((candidate, k));
                continue;
            }
            watch.doing(&format!("comparing: {k} clusters"), 0.1 * (k - 2) as f64);
            let parameters = Parameters::new(known, &[("k".to_owned(), Value::from(k))])?;
            let judged = self
                .fit(known, &parameters, rows, None)
                .and_then(|(model, ..)| self.clusters(&model, known, rows, rows));
            match judged {
                Ok(clustering) => candidate.mean = clustering.silhouette,
                Err(error) => candidate.note = Some(error.to_string()),
            }
            if candidate.mean.is_none() && candidate.note.is_none() {
                candidate.note = Some("one cluster only".to_owned());
            }
            watch.compared("silhouette", &candidate);
            candidates.push((candidate, k));
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

//! The native front end: rows in, predictions out, the same as the package's `predict()` to the last character.
//!
//! A `Predictor` collects a block of rows (`intake` holds the rules for what a row may be), runs them at once and
//! reads the results. It is made from a `Model`, or from a packed folder, whose `manifest.json` and `model.wasm` are
//! files from outside: everything in them is checked when they are opened, so that a prediction cannot index past
//! a table.

mod intake;
mod json;

pub use intake::{CODE, MISSING, TOO_LARGE};
pub use json::{key as json_key, number as json_number, string as json_string};

use crate::image::Image;
use crate::lower::{Encoding, Lowered, Results, Span, Want};
use crate::model::{Cell, Model, Schema, Source};
use crate::runtime::host::Machine;
use crate::{Error, Result, package};
use intake::{Intake, Noted, Staged};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// All that a front end needs beside the image, and what `manifest.json` holds: with the image
/// inside `model.wasm` a packed folder can be predicted from, inspected and verified like a model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Name of the package.
    pub name: String,
    /// The word for the task, as `model::Output::task` has it.
    pub task: String,
    pub source: Source,
    pub schema: Schema,
    /// One a schema column.
    pub encodings: Vec<Encoding>,
    pub results: Results,
    /// One an operation of the image: where it sits in the original.
    pub paths: Vec<String>,
}

impl Manifest {
    pub fn new(name: &str, model: &Model, lowered: &Lowered) -> Manifest {
        Manifest {
            name: name.to_owned(),
            task: model.output.task().to_owned(),
            source: model.source.clone(),
            schema: model.schema.clone(),
            encodings: lowered.columns.clone(),
            results: lowered.results.clone(),
            paths: lowered.paths.clone(),
        }
    }
}

/// One row's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    pub outcome: Outcome,
    /// What was unusual about the row, in words.
    pub warnings: Vec<String>,
}

/// What was predicted. `Manifest::results` has the labels and names that the numbers stand for.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// `label` is a place in the classes. `scores` is the decision function as the original has it: one value for
    /// two classes, else one a class.
    Classification {
        label: usize,
        probabilities: Option<Vec<f64>>,
        scores: Option<Vec<f64>>,
    },
    /// One value a target.
    Regression(Vec<f64>),
    Several(Vec<Outcome>),
    /// `samples` is the original's `score_samples`.
    Anomaly {
        outlier: bool,
        score: f64,
        samples: Option<f64>,
    },
    /// `cluster` is a place in the labels; one distance a label.
    Clustering {
        cluster: usize,
        distances: Option<Vec<f64>>,
    },
    /// One value a column made: a number, or a category that came through.
    Transform(Vec<Cell>),
}

/// Predicts rows, a block at a time.
///
/// ```
/// # fn rows(mut predictor: carryout::predictor::Predictor) -> carryout::Result<()> {
/// let prediction = predictor.predict(&serde_json::json!({ "age": 41, "city": "Zürich" }))?;
/// println!("{}", predictor.json(&prediction));
/// # Ok(()) }
/// ```
pub struct Predictor {
    manifest: Manifest,
    machine: Machine,
    intake: Intake,
    /// Until the number of rows in the block is known.
    staged: Staged,
    /// One a staged row.
    noted: Vec<Noted>,
}

impl Predictor {
    /// # Errors
    /// Where the model cannot be laid out.
    pub fn new(name: &str, model: &Model, want: Want) -> Result<Predictor> {
        let lowered = crate::lower::lower(model, want)?;
        Predictor::open(&lowered.image, Manifest::new(name, model, &lowered))
    }

    /// From an image and its manifest, neither trusted.
    ///
    /// # Errors
    /// Where the image is damaged or the manifest describes another.
    pub fn open(image: &[u8], manifest: Manifest) -> Result<Predictor> {
        let header = Image::open(image)
            .ok_or_else(|| Error::malformed("the model is damaged or of another version of carryout"))?;
        package::check(&manifest, &header)?;
        let intake = Intake::new(&manifest.schema, &manifest.encodings)?;
        Ok(Predictor {
            machine: Machine::open(image)?,
            manifest,
            intake,
            staged: Staged::default(),
            noted: Vec::new(),
        })
    }

    /// From a folder that `pack` wrote.
    ///
    /// # Errors
    /// Where a file is absent, damaged or of another model than the other.
    pub fn from_package(folder: &Path) -> Result<Predictor> {
        let packed = package::open(folder)?;
        Predictor::open(&packed.image, packed.manifest)
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Rows in the block so far.
    pub fn staged(&self) -> usize {
        self.noted.len()
    }

    /// Whether the block must `run` before the next row.
    pub fn is_full(&self) -> bool {
        self.staged() >= self.machine.block()
    }

    /// Adds a row to the block: an object by column name, an array in column order or, for a model of one column,
    /// the bare value. `null` is missing.
    ///
    /// # Errors
    /// Names the column, what came and what is accepted; the block stays as it was. Also where the block is full.
    pub fn push(&mut self, row: &serde_json::Value) -> Result<()> {
        self.stage(|intake, columns, slots| intake.row(columns, row, slots))
    }

    /// Adds a row of texts, one a schema column, as a CSV record has them; `None` where there is no such field.
    ///
    /// # Errors
    /// As `push`.
    pub fn push_texts(&mut self, cells: &[Option<&str>]) -> Result<()> {
        self.stage(|intake, columns, slots| intake.texts(columns, cells, slots))
    }

    fn stage(&mut self, fill: impl FnOnce(&Intake, &Schema, &mut Staged) -> Result<Noted>) -> Result<()> {
        if self.is_full() {
            return Err(Error::input(format!("a block holds {} rows", self.machine.block())));
        }
        let before = (self.staged.slots.len(), self.staged.texts.len());
        match fill(&self.intake, &self.manifest.schema, &mut self.staged) {
            Ok(noted) => {
                self.noted.push(noted);
                Ok(())
            }
            Err(error) => {
                self.staged.slots.truncate(before.0);
                self.staged.texts.truncate(before.1);
                Err(error)
            }
        }
    }

    /// Predicts the rows of the block, in order, and empties it. The predictions end early where the model refused
    /// a row; the error is that row's.
    pub fn run(&mut self) -> (Vec<Prediction>, Option<Error>) {
        let mut rows = self.staged();
        let mut refused = None;
        std::mem::swap(self.machine.texts_mut(), &mut self.staged.texts);
        while rows > 0 {
            let width = self.manifest.schema.columns.len();
            let slots = self.machine.slots_mut();
            for row in 0..rows {
                for column in 0..width {
                    slots[column * rows + row] = self.staged.slots[row * width + column];
                }
            }
            match self.machine.run(rows) {
                Ok(()) => break,
                Err(fault) => {
                    let path = self.manifest.paths.get(fault.op).map_or("the model", String::as_str);
                    refused = Some(Error::input(format!("a value is outside what {path} accepts")));
                    // Only the rows before it: strictly fewer each time, so this ends.
                    rows = fault.row.min(rows - 1);
                }
            }
        }
        self.staged.slots.clear();
        self.staged.texts.clear();
        let mut predictions = Vec::with_capacity(rows);
        let noted = std::mem::take(&mut self.noted);
        for (row, noted) in noted.into_iter().take(rows).enumerate() {
            let slots = self.machine.slots();
            match outcome(&self.manifest, &self.manifest.results, &noted, &|slot| slots[slot as usize * rows + row]) {
                Ok(outcome) => predictions.push(Prediction { outcome, warnings: noted.warnings }),
                Err(error) => return (predictions, Some(error)),
            }
        }
        (predictions, refused)
    }

    /// Predicts one row; the block must be empty.
    ///
    /// # Errors
    /// As `push`, and where the model refuses the row.
    pub fn predict(&mut self, row: &serde_json::Value) -> Result<Prediction> {
        if self.staged() > 0 {
            return Err(Error::input("there are rows in the block"));
        }
        self.push(row)?;
        match self.run() {
            (_, Some(error)) => Err(error),
            (mut predictions, None) => predictions.pop().ok_or_else(|| Error::malformed("no prediction")),
        }
    }

    /// The numbers that a transformer makes of one row, codes as they are; the block must be empty.
    ///
    /// # Errors
    /// As `predict`, and where the model is no transformer.
    pub(crate) fn transformed(&mut self, row: &serde_json::Value) -> Result<Vec<f64>> {
        self.predict(row)?;
        match &self.manifest.results {
            // Of the block of one row that has just run, slot s is at s.
            Results::Transform { values, .. } => {
                Ok(self.machine.slots()[values.first as usize..][..values.count as usize].to_vec())
            }
            _ => Err(Error::input("not a transformer")),
        }
    }

    /// The text that `JSON.stringify(predict(row))` has in the package.
    pub fn json(&self, prediction: &Prediction) -> String {
        json::prediction(&self.manifest.results, prediction)
    }
}

/// Reads one row's results out of the slots.
fn outcome(manifest: &Manifest, results: &Results, noted: &Noted, slot: &dyn Fn(u32) -> f64) -> Result<Outcome> {
    let list = |span: &Span| -> Vec<f64> { (span.first..span.first + span.count).map(slot).collect() };
    let place = |number: f64, of: &[Cell]| {
        let place = number as usize;
        if place as f64 == number && place < of.len() {
            return Ok(place);
        }
        Err(Error::malformed(format!("the model answers with label {number} of {}", of.len())))
    };
    Ok(match results {
        Results::Classification { classes, label, probabilities, scores, .. } => Outcome::Classification {
            label: place(slot(*label), classes)?,
            probabilities: probabilities.as_ref().map(list),
            scores: scores.as_ref().map(list),
        },
        Results::Regression { values, .. } => Outcome::Regression(list(values)),
        Results::Several(several) => Outcome::Several(
            several.iter().map(|results| outcome(manifest, results, noted, slot)).collect::<Result<_>>()?,
        ),
        Results::Anomaly { outlier, score, samples } => {
            Outcome::Anomaly { outlier: slot(*outlier) != 0.0, score: slot(*score), samples: samples.map(slot) }
        }
        Results::Clustering { cluster, labels, distances } => {
            Outcome::Clustering { cluster: place(slot(*cluster), labels)?, distances: distances.as_ref().map(list) }
        }
        Results::Transform { values, codes, .. } => {
            let cell = |(value, code): (f64, &Option<u32>)| match code {
                None => Ok(Cell::float(value)),
                Some(_) if value.is_nan() => Ok(Cell::Nan),
                Some(column) => category(manifest, noted, *column as usize, value),
            };
            Outcome::Transform(list(values).into_iter().zip(codes).map(cell).collect::<Result<_>>()?)
        }
    })
}

/// The category that a code of a column stands for; below 0 it is the row's own value, which is in no vocabulary.
fn category(manifest: &Manifest, noted: &Noted, column: usize, code: f64) -> Result<Cell> {
    let found = if code < 0.0 {
        noted.unknown.iter().find(|(place, _)| *place == column).map(|(_, cell)| cell)
    } else {
        match manifest.encodings.get(column) {
            Some(Encoding::Code(vocabulary)) => vocabulary.get(code as usize),
            _ => None,
        }
    };
    found
        .cloned()
        .ok_or_else(|| Error::malformed(format!("the model answers with category {code} of column {column}")))
}

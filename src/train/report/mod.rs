//! What a training run found out: the data, the candidates, the held-out judgement, what the columns are worth.
//!
//! A [`Report`] holds plain values and no measurement of time unless `seconds` are given, so that the same command
//! makes the same bytes. A figure that does not exist for the data at hand (ROC AUC of one class, precision where
//! nothing is flagged) is `None`, never NaN: JSON has no NaN. Every name in it comes from a file and may be hostile;
//! the faces (text, HTML) escape, the report does not.

#[cfg(feature = "train")]
mod charts;
#[cfg(feature = "train")]
mod html;
#[cfg(feature = "train")]
mod text;
pub mod words;

#[cfg(feature = "train")]
pub use html::html;
#[cfg(feature = "train")]
pub use text::{candidate, columns as column_table, summary, text};
pub use words::card;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The `format` of reports written by this version.
pub const FORMAT: u32 = 1;

/// A training run, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    pub provenance: Provenance,
    /// The column to predict; `None` for anomaly detection and clustering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Every column of the file in its order, those that were dropped too.
    pub columns: Vec<ColumnReport>,
    /// The estimator that was packed.
    pub estimator: Estimator,
    /// The candidates, best first; `None` where one estimator was asked for and none compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaderboard: Option<Leaderboard>,
    pub judgement: Judgement,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<Importance>,
    pub warnings: Vec<Warning>,
    /// Of the whole run; not in a `.carry` file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

impl Report {
    /// The report as it goes into a `.carry` file: without what differs from one run to the next.
    pub fn without_timings(mut self) -> Report {
        self.seconds = None;
        for candidate in self.leaderboard.iter_mut().flat_map(|board| &mut board.candidates) {
            candidate.seconds = None;
        }
        self
    }

    /// `classification`, `regression`, `anomaly` or `clustering`.
    pub fn task(&self) -> &'static str {
        match self.judgement {
            Judgement::Classification(_) => "classification",
            Judgement::Regression(_) => "regression",
            Judgement::Anomaly(_) => "anomaly",
            Judgement::Clustering(_) => "clustering",
        }
    }
}

/// What it takes to make the same model again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The command line, without the folders of file names.
    pub command: String,
    /// File name of the data without folders; `-` for standard input.
    pub data: String,
    /// SHA-256 of the data as read, before decompression, in lower-case hexadecimal.
    pub sha256: String,
    pub seed: u64,
    /// Rows in the file, without the header.
    pub rows_read: u64,
    /// Rows after those without a target, and those beyond a sample, were left out.
    pub rows_used: u64,
    /// Rows the estimator was fitted on.
    pub rows_train: u64,
    /// Rows that nothing was fitted on; the judgement is of these. 0 where all rows were fitted.
    pub rows_held_out: u64,
    /// How held-out rows were chosen: `stratified by target`, `at random`, `the last rows`.
    pub split: String,
    /// How the file was read, as found or told: delimiter, encoding, decimal mark and the like, a line each.
    pub reading: Vec<String>,
    /// carryout's own version.
    pub carryout: String,
    /// Name and version of the crate that fitted, e.g. `smartcore 0.7.0`.
    pub engine: String,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Feature,
    Target,
    /// Not used; the note says why.
    Dropped,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnReport {
    pub name: String,
    /// `number`, `integer`, `boolean`, `category`, `date` or `text`.
    pub kind: String,
    pub role: Role,
    /// Rows without a value.
    pub missing: u64,
    /// Different values; `None` where counting was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
    /// Smallest and largest, of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// The most frequent values of a category, at most ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What happened to it: `constant, dropped`, `3 parts: year, month, weekday`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimator {
    /// As `--model` takes it: `logistic`, `forest`, …
    pub name: String,
    /// In the engine's words.
    pub parameters: Map<String, Value>,
    /// What happens to the columns before it, a line each: `age: median for missing, standardized`.
    pub preparation: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaderboard {
    /// What candidates are ranked by, e.g. `log loss`.
    pub score: String,
    /// Whether a larger score is the better one.
    pub larger_is_better: bool,
    /// Best first. Those that failed or had no time left are at the end.
    pub candidates: Vec<Candidate>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub name: String,
    pub parameters: Map<String, Value>,
    /// Mean over the folds; `None` where the candidate did not finish.
    pub mean: Option<f64>,
    /// One a fold, on rows of the training part that the fold was not fitted on.
    pub folds: Vec<f64>,
    /// Why there is no mean: `no time left`, an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Not in a `.carry` file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// The held-out judgement, by task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "lowercase")]
pub enum Judgement {
    Classification(Box<Classification>),
    Regression(Regression),
    Anomaly(Anomaly),
    Clustering(Clustering),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// In the order of the model's classes.
    pub classes: Vec<String>,
    /// Held-out rows of each class.
    pub support: Vec<u64>,
    /// Of two classes, the one that scores and the threshold speak of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<usize>,
    pub metrics: ClassMetrics,
    /// Always the most frequent class of the training part, with the training part's shares as probabilities.
    pub baseline: ClassMetrics,
    /// `confusion[actual][predicted]` rows.
    pub confusion: Vec<Vec<u64>>,
    /// Two classes: of the positive class. More: of the predicted class. Empty without probabilities.
    pub calibration: Vec<CalibrationBin>,
    /// Two classes with probabilities only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// One a class, or the positive class's alone where there are two; for pictures, at most 200 points a curve.
    pub curves: Vec<Curves>,
}

/// Of labels and, where the model has them, of probabilities or scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    pub accuracy: f64,
    /// Mean of the classes' recalls.
    pub balanced_accuracy: Option<f64>,
    /// Mean negative log probability of the actual class, probabilities clipped to at least 2⁻⁵².
    pub log_loss: Option<f64>,
    /// Two classes: area under the ROC curve. More: mean over the classes, each against the rest.
    pub roc_auc: Option<f64>,
    /// Two classes: mean squared error of the positive class's probability. More: summed over the classes.
    pub brier: Option<f64>,
}

/// Rows whose probability is above `from` and at most `to` (the first bin includes 0).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    pub from: f64,
    pub to: f64,
    pub rows: u64,
    /// Mean probability; `None` where the bin is empty, as is `observed`.
    pub predicted: Option<f64>,
    /// Share of rows that are of the class.
    pub observed: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// By threshold, from 0 to 1.
    pub rows: Vec<ThresholdRow>,
    /// The one stored in the model: the positive class is predicted from this probability on.
    pub chosen: f64,
    /// How: `best F1 in cross-validation`, `given`, `the larger probability`.
    pub chosen_by: String,
    /// Held-out figures at `chosen`.
    pub at_chosen: ThresholdRow,
}

/// Of the rule "positive where probability ≥ threshold" on held-out rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdRow {
    pub threshold: f64,
    /// Of the rows flagged, the share that is positive; `None` where none is flagged.
    pub precision: Option<f64>,
    /// Of the positive rows, the share that is flagged; `None` where there are none.
    pub recall: Option<f64>,
    /// Harmonic mean of the two: 2·TP / (2·TP + FP + FN).
    pub f1: Option<f64>,
    /// Share of all rows flagged.
    pub flagged: f64,
    pub true_positives: u64,
    pub false_positives: u64,
    pub true_negatives: u64,
    pub false_negatives: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// Place among the classes.
    pub class: usize,
    /// False positive rate and true positive rate, from (0, 0) to (1, 1).
    pub roc: Vec<(f64, f64)>,
    /// Recall and precision, from high thresholds to low ones.
    pub precision_recall: Vec<(f64, f64)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    pub metrics: ErrorMetrics,
    /// Always the mean of the training part's target.
    pub baseline: ErrorMetrics,
    /// Actual and predicted, for pictures: all held-out rows, or some 500 evenly picked ones.
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorMetrics {
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// 1 − squared error / squared distance from the held-out mean; `None` where the target is constant.
    pub r2: Option<f64>,
    /// Median absolute error.
    pub median: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// What the flags were counted on: `training rows` or `held-out rows`.
    pub rows: String,
    pub count: u64,
    pub flagged: u64,
    /// The decision function of those rows; below zero is an outlier.
    pub scores: Histogram,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    pub from: f64,
    pub to: f64,
    /// Rows in each of equally wide bins.
    pub counts: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clustering {
    pub clusters: Vec<Cluster>,
    /// Mean silhouette, −1 to 1; `None` with fewer than two clusters.
    pub silhouette: Option<f64>,
    /// Rows it is the mean of, where not of all: distances are compared pair by pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampled: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    pub label: String,
    pub rows: u64,
    /// DBSCAN's noise, which is no cluster: the silhouette leaves it out.
    pub noise: bool,
}

/// Permutation importance: how much worse the held-out score gets when one column is shuffled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The score that gets worse, e.g. `log loss`.
    pub score: String,
    /// The score with nothing shuffled.
    pub reference: f64,
    /// Shuffles of each column.
    pub repeats: u32,
    /// Held-out rows used.
    pub rows: u64,
    /// Most important first. Columns of the file, not those encoding makes of them.
    pub columns: Vec<ColumnImportance>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnImportance {
    pub name: String,
    /// Mean worsening; about zero, or below, where the column tells nothing new.
    pub mean: f64,
    /// Standard deviation over the repeats.
    pub deviation: f64,
}

/// Something a careful person would look at before using the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub kind: WarningKind,
    /// The column it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// A sentence.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// A column all but gives the target away.
    Leakage,
    /// One class is rare.
    Imbalance,
    /// A column or the target has one value.
    Constant,
    /// A category with almost as many values as rows.
    HighCardinality,
    /// So few rows that the figures are coarse.
    FewRows,
    /// Rows, columns or values were left out.
    LeftOut,
    /// The model is no better than the baseline.
    NoBetterThanBaseline,
    /// The same rows are in the training and the held-out part.
    Duplicates,
}

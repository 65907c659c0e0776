//! What a model is: `Schema` (what a person passes), `Graph` (steps over wires) and `Output` (what comes back).
//!
//! Importers build it, `lower` lays it out; neither formats nor kernels appear here. Every value is in the width
//! the original library uses. Invariants, kept by `Graph::push` and checked again by `lower`: a step reads only
//! wires that exist before it, a wire is written once, and the first wires are the schema's columns in order.

mod curves;
mod flow;
mod graph;
mod oblivious;
mod ops;
mod schema;
mod text;
mod trees;
mod vectors;

use serde::{Deserialize, Serialize};

pub use curves::{Beyond, Donors, Quantiles, Splines};
pub use flow::{live_wires, output_wires, output_wires_mut};
pub use graph::{Graph, Step, Wire, WireKind};
pub use oblivious::{Ctr, Oblivious, ObliviousTree};
pub use ops::{Function, Lookup, Marker, Matrix, Norm, Op, Outside, Power, Unknown};
pub(crate) use schema::is_false;
pub use schema::{Cell, Column, ColumnKind, Key, NamesFrom, Schema};
pub use text::{Accents, Analyzer, Terms, Token, Vectorizer, Weighting};
pub use trees::{Aggregate, CategorySet, Ensemble, Leaves, LinearLeaf, Node, Test, Tree, Width};
pub use vectors::{Coefficients, KernelSum, Metric, Nearest, PairKernel, Weights, Within, pairs};

/// A model, whole: enough to predict, to draw a form and to write a package.
#[derive(Clone, Debug)]
pub struct Model {
    pub schema: Schema,
    pub graph: Graph,
    pub output: Output,
    pub source: Source,
}

/// Where the model came from, for comments in generated code and the model card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// `scikit-learn`, `XGBoost`, …
    pub library: String,
    /// As the file states it; empty where the file does not.
    pub version: String,
    /// The class of the outermost estimator, e.g. `Pipeline`.
    pub estimator: String,
    /// One line a step of the original, outermost first, e.g. `num: StandardScaler`.
    pub outline: Vec<String>,
}

impl Source {
    /// Whether carryout trained the model: then it has named its columns.
    pub fn is_own(&self) -> bool {
        self.library == "carryout"
    }
}

/// What a prediction is made of. Wires name where in the graph each part is computed.
#[derive(Clone, Debug)]
pub enum Output {
    /// `label` is the index of the class as a number. `probabilities` has one wire a class. `scores` is the
    /// decision function: one wire for two classes, else one a class.
    Classification { classes: Vec<Cell>, label: Wire, probabilities: Option<Vec<Wire>>, scores: Option<Vec<Wire>> },
    /// One wire a target; `names` is empty where the file has none.
    Regression { values: Vec<Wire>, names: Vec<String> },
    /// Several outputs of one model, each a classification or a regression of one target.
    Several(Vec<Output>),
    /// `outlier` is 1 or 0; `score` is the decision function, negative for outliers; `samples` is `score_samples`.
    Anomaly { outlier: Wire, score: Wire, samples: Option<Wire> },
    /// `cluster` is the index into `labels`; `distances` one wire a cluster.
    Clustering { cluster: Wire, labels: Vec<Cell>, distances: Option<Vec<Wire>> },
    /// The columns a transformer makes, with the names the original gives them.
    Transform { values: Vec<Wire>, names: Vec<String> },
}

impl Output {
    /// The word used in schema files and `inspect`.
    pub fn task(&self) -> &'static str {
        match self {
            Output::Classification { .. } => "classification",
            Output::Regression { .. } => "regression",
            Output::Several(_) => "several outputs",
            Output::Anomaly { .. } => "anomaly",
            Output::Clustering { .. } => "clustering",
            Output::Transform { .. } => "transform",
        }
    }
}

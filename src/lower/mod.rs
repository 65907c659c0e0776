//! From a `Model` to an image: drops what no output needs, gives every wire a slot of the workspace, collects the
//! vocabularies of the category columns and writes the operations' arguments.

use crate::image::Kernel;
use crate::model::Cell;
use serde::{Deserialize, Serialize};

/// A model laid out, with what the JavaScript and the native front end need to fill the slots and read them.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Checked bytes (`image::check` holds).
    pub image: Vec<u8>,
    /// How each schema column, in order, becomes the number in its slot (slot = place of the column).
    pub columns: Vec<Encoding>,
    /// Where the results are.
    pub results: Results,
    /// The kernels in use, each once, in order.
    pub kernels: Vec<Kernel>,
    /// Slots of the workspace; a run of n rows uses the first `slots × n` numbers, slot s of row r at `s × n + r`.
    pub slots: u32,
    /// One path an operation, for the message when `run` reports that operation refused a value.
    pub paths: Vec<String>,
}

/// How a value of a column becomes a number. Missing is NaN in both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// The number itself; booleans are 0 and 1.
    Number,
    /// The place of the value in this vocabulary, -1 outside it. The schema's categories come first, in order;
    /// what follows are values only the model itself uses (an imputer's constant), accepted but not advertised.
    Code(Vec<Cell>),
}

/// `model::Output` with slots in the place of wires. Lists of slots are consecutive: the first and how many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Results {
    Classification { classes: Vec<Cell>, label: u32, probabilities: Option<Span>, scores: Option<Span> },
    Regression { values: Span, names: Vec<String> },
    Several(Vec<Results>),
    Anomaly { outlier: u32, score: u32, samples: Option<u32> },
    Clustering { cluster: u32, labels: Vec<Cell>, distances: Option<Span> },
    Transform { values: Span, names: Vec<String> },
}

/// Consecutive slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub first: u32,
    pub count: u32,
}

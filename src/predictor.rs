//! The native front end: rows in, predictions out, as the package's `predict()` has them.

use crate::lower::{Encoding, Results};
use crate::model::{Schema, Source};
use serde::{Deserialize, Serialize};

/// All that a front end needs beside the image, and what `schema.json` carries under `x-carryout`: with the image
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

//! The columns a person passes, in order, and the values they may hold.

use std::fmt;

/// A value of a category column or a class, with the type it has in the original. `Nan` and `None` are the two
/// missing values an encoder can have learnt as categories.
#[derive(Clone, Debug)]
pub enum Cell {
    Str(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Nan,
    None,
}

impl Cell {
    /// The number Python compares it by: `1 == 1.0 == True`. Strings and the missing values have none.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Int(value) => Some(*value as f64),
            Cell::Float(value) => Some(*value),
            Cell::Bool(value) => Some(f64::from(*value)),
            _ => None,
        }
    }

    pub fn is_missing(&self) -> bool {
        matches!(self, Cell::Nan | Cell::None)
    }

    /// A float becomes the missing value where it is NaN.
    pub fn float(value: f64) -> Cell {
        if value.is_nan() { Cell::Nan } else { Cell::Float(value) }
    }
}

/// Python's `==`, with the missing values each equal to itself (as encoders match them).
impl PartialEq for Cell {
    fn eq(&self, other: &Cell) -> bool {
        match (self, other) {
            (Cell::Str(a), Cell::Str(b)) => a == b,
            (Cell::Nan, Cell::Nan) | (Cell::None, Cell::None) => true,
            _ => matches!((self.number(), other.number()), (Some(a), Some(b)) if a == b),
        }
    }
}

/// As a person writes it: strings bare, missing values by name.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Str(value) => f.write_str(value),
            Cell::Int(value) => write!(f, "{value}"),
            Cell::Float(value) => write!(f, "{value}"),
            Cell::Bool(value) => write!(f, "{value}"),
            Cell::Nan => f.write_str("missing"),
            Cell::None => f.write_str("null"),
        }
    }
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnKind {
    Number,
    Integer,
    Boolean,
    /// The values seen in training, in the encoder's order, without the missing ones. All strings, or numbers, or
    /// a mixture. Where all are numbers or booleans the wire carries the number itself, else a code (see
    /// `WireKind::Code`).
    Category(Vec<Cell>),
    Text,
}

/// A column of the input.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
    /// A missing value (null, undefined, NaN) is accepted and does what the model was trained to do.
    pub missing: bool,
    /// Infinities are accepted.
    pub infinite: bool,
    /// A category outside the list is accepted; without it, it is a `TypeError`.
    pub unknown: bool,
    /// Smallest and largest value seen in training, where the file tells.
    pub range: Option<(f64, f64)>,
    /// Some prediction depends on it.
    pub used: bool,
    /// The first steps that read it, e.g. `num: StandardScaler`, for documentation.
    pub readers: Vec<String>,
}

/// Where the column names came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamesFrom {
    /// The model file itself, e.g. `feature_names_in_`.
    File,
    /// `--features`.
    User,
    /// Made up: `x0`, `x1`, …, because the model was fitted on a bare array.
    Invented,
}

#[derive(Clone, Debug)]
pub struct Schema {
    pub columns: Vec<Column>,
    pub names_from: NamesFrom,
}

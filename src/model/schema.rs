//! The columns a person passes, in order, and the values they may hold.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
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

/// What cells compare by: equal cells have equal keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key<'a> {
    Text(&'a str),
    /// The bits of the number, zero without its sign.
    Number(u64),
    Nan,
    None,
}

impl Cell {
    /// For tables of many cells.
    pub fn key(&self) -> Key<'_> {
        match self {
            Cell::Str(text) => Key::Text(text),
            Cell::Nan => Key::Nan,
            Cell::None => Key::None,
            Cell::Int(value) => Key::Number((*value as f64 + 0.0).to_bits()),
            Cell::Float(value) => Key::Number((value + 0.0).to_bits()),
            Cell::Bool(value) => Key::Number(f64::from(*value).to_bits()),
        }
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

/// As JSON has it; the values JSON lacks are `{"float": "nan"}`, `"inf"` and `"-inf"`.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = |serializer: S, name: &str| {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry("float", name)?;
            map.end()
        };
        match self {
            Cell::Str(value) => serializer.serialize_str(value),
            Cell::Int(value) => serializer.serialize_i64(*value),
            Cell::Bool(value) => serializer.serialize_bool(*value),
            Cell::None => serializer.serialize_unit(),
            Cell::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            Cell::Float(value) if *value > 0.0 => named(serializer, "inf"),
            Cell::Float(value) if *value < 0.0 => named(serializer, "-inf"),
            Cell::Float(_) | Cell::Nan => named(serializer, "nan"),
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cell, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Cell;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number, true, false, null or {\"float\": …}")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Cell, E> {
                Ok(Cell::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Cell, E> {
                Ok(Cell::Int(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Cell, E> {
                Ok(i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Int))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Cell, E> {
                Ok(Cell::float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Cell, E> {
                Ok(Cell::Str(value.to_owned()))
            }
            fn visit_unit<E>(self) -> Result<Cell, E> {
                Ok(Cell::None)
            }
            fn visit_none<E>(self) -> Result<Cell, E> {
                Ok(Cell::None)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
                match map.next_entry::<String, String>()?.as_ref().map(|(k, v)| (k.as_str(), v.as_str())) {
                    Some(("float", "nan")) => Ok(Cell::Nan),
                    Some(("float", "inf")) => Ok(Cell::Float(f64::INFINITY)),
                    Some(("float", "-inf")) => Ok(Cell::Float(f64::NEG_INFINITY)),
                    _ => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "categories", rename_all = "lowercase")]
pub enum ColumnKind {
    Number,
    Integer,
    Boolean,
    /// The values seen in training, in the encoder's order, without the missing ones. All strings, or numbers, or
    /// a mixture. Where all are numbers or booleans the wire carries the number itself, else a code (see
    /// `WireKind::Code`).
    Category(Vec<Cell>),
    /// The number of a category, from 0, where the file has no names; how many the model tells apart, 0 where that
    /// is not known.
    #[serde(rename = "code")]
    Code(u32),
    Text,
}

impl ColumnKind {
    /// Whether its values are numbers of any size.
    pub fn holds_numbers(&self) -> bool {
        matches!(self, ColumnKind::Number | ColumnKind::Integer | ColumnKind::Code(_))
    }
}

/// A column of the input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(flatten)]
    pub kind: ColumnKind,
    /// A missing value (null, undefined, NaN) is accepted and does what the model was trained to do.
    pub missing: bool,
    /// Infinities are accepted.
    pub infinite: bool,
    /// Numbers that f32 does not hold are refused: what reads the column rounds them to infinity, and takes none.
    #[serde(default, skip_serializing_if = "is_false")]
    pub single: bool,
    /// A category outside the list is accepted; without it, it is a `TypeError`.
    pub unknown: bool,
    /// A whole number is taken for the string of its digits.
    #[serde(default, skip_serializing_if = "is_false")]
    pub digits: bool,
    /// The list of categories may lack some of the training: others are accepted without a warning.
    #[serde(default, skip_serializing_if = "is_false")]
    pub partial: bool,
    /// Smallest and largest value seen in training, where the file tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// Some prediction depends on it.
    pub used: bool,
    /// The first steps that read it, e.g. `num: StandardScaler`, for documentation.
    #[serde(default)]
    pub readers: Vec<String>,
}

/// For serde: a flag that is not set is not written.
pub(crate) fn is_false(flag: &bool) -> bool {
    !flag
}

/// Where the column names came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamesFrom {
    /// The model file itself, e.g. `feature_names_in_`.
    File,
    /// `--features`.
    User,
    /// Made up: `x0`, `x1`, …, because the model was fitted on a bare array.
    Invented,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    pub columns: Vec<Column>,
    pub names_from: NamesFrom,
}

//! The generated files of a package. Each writer takes the same `Subject` and returns text; none touches the disk.

pub mod javascript;
pub mod json;
pub mod readme;
pub mod text;
pub mod types;

use crate::image::{Image, Kernel, Record};
use crate::lower::{Encoding, Results};
use crate::model::{Cell, Column, ColumnKind};
use crate::predictor::Manifest;
use crate::runtime::trees::{INFINITE, MISSING};
use crate::{Error, Result};
use serde_json::{Value, json};

/// Version of carryout, for comments and `schema.json`.
pub const CARRYOUT: &str = env!("CARGO_PKG_VERSION");

/// What the writers read: the manifest and the few things only the image knows.
pub struct Subject<'a> {
    pub manifest: &'a Manifest,
    /// Of the image, which index.js opens by it.
    pub id: u32,
    /// Slots of the workspace.
    pub slots: usize,
    /// Most rows of one run.
    pub block: usize,
    /// The operations that can refuse a value, by number, with their path in the original.
    pub refusing: Vec<(usize, &'a str)>,
    /// Whether a table of f32 goes to the kernels as it is.
    pub narrow: bool,
}

/// Whether an operation can refuse a value that the columns accept.
fn refuses(record: &Record) -> bool {
    use Kernel::*;
    // Trees say in their first argument what they take.
    let flags = record.args.first().map_or(0, |&flags| u32::from(flags));
    let strict = flags & (MISSING | INFINITE) != MISSING | INFINITE;
    Kernel::ALL.iter().find(|&&kernel| kernel as u32 == record.kernel).is_some_and(|kernel| match kernel {
        Trees32 | Trees64 | Trees32Sets | Trees64Sets | LinearTrees => strict,
        kernel if kernel.reads_forest() => strict,
        Finite | OneHotCode | OneHotNumber | LookupCode | LookupNumber | Interpolate | Splines | BoxCox | Donors
        | Within | WithinEuclidean => true,
        _ => false,
    })
}

impl<'a> Subject<'a> {
    /// # Errors
    /// Where manifest and image contradict each other, or a value has no form in JavaScript.
    pub fn new(manifest: &'a Manifest, image: &[u8], id: u32) -> Result<Subject<'a>> {
        let image = Image::open(image).ok_or_else(|| Error::malformed("not an image of this version"))?;
        crate::package::check(manifest, &image)?;
        let refusing = manifest
            .paths
            .iter()
            .enumerate()
            .filter(|&(number, _)| image.record(number).is_some_and(|record| refuses(&record)))
            .map(|(number, path)| (number, path.as_str()))
            .collect();
        let mut subject = Subject { manifest, id, slots: image.slots, block: image.block, refusing, narrow: false };
        // A result that is a column must be one of f64.
        let made = javascript::slots(&manifest.results).into_iter().all(|slot| slot as usize >= image.columns);
        subject.narrow = subject.takes_rows() && image.takes_narrow() && made;
        Ok(subject)
    }

    pub fn columns(&self) -> &'a [Column] {
        &self.manifest.schema.columns
    }

    /// Whether the wasm takes a table of numbers as it is: every column that the model reads holds them, it reads some,
    /// and there are enough of them for it to pay; the code is 0.4 KB.
    pub fn takes_rows(&self) -> bool {
        let number = |kind: &ColumnKind| matches!(kind, ColumnKind::Number | ColumnKind::Integer);
        let mut used = self.columns().iter().filter(|column| column.used).peekable();
        self.columns().len() >= 8 && used.peek().is_some() && used.all(|column| number(&column.kind))
    }

    /// The steps of the original, where they say more than the name of its estimator.
    pub fn outline(&self) -> &'a [String] {
        let source = &self.manifest.source;
        if source.outline == [source.estimator.as_str()] { &[] } else { &source.outline }
    }

    /// `scikit-learn 1.9.1: Pipeline`, as far as the file tells.
    pub fn origin(&self) -> String {
        let source = &self.manifest.source;
        let library = [source.library.as_str(), source.version.as_str()];
        let library: Vec<&str> = library.into_iter().filter(|part| !part.is_empty()).collect();
        match (library.is_empty(), source.estimator.is_empty()) {
            (true, true) => "an unnamed model".to_string(),
            (true, false) => source.estimator.clone(),
            (false, true) => library.join(" "),
            (false, false) => format!("{}: {}", library.join(" "), source.estimator),
        }
    }

    /// One line on what goes in and comes out.
    pub fn summary(&self) -> String {
        let count = |number: usize, one: &str, many: &str| match number {
            1 => format!("1 {one}"),
            _ => format!("{number} {many}"),
        };
        let out = match &self.manifest.results {
            Results::Classification { classes, .. } => count(classes.len(), "class", "classes"),
            Results::Regression { values, .. } => count(values.count as usize, "value", "values"),
            Results::Several(outputs) => count(outputs.len(), "output", "outputs"),
            Results::Anomaly { .. } => "outlier or not".to_string(),
            Results::Clustering { labels, .. } => count(labels.len(), "cluster", "clusters"),
            Results::Transform { values, .. } => count(values.count as usize, "value", "values"),
        };
        format!("{}: {} in, {out} out", self.manifest.task, count(self.columns().len(), "column", "columns"))
    }
}

/// A value that the column accepts, as common as the schema lets one know.
pub fn example(column: &Column) -> Value {
    let middle = |whole: bool| match column.range {
        Some((low, high)) if low.is_finite() && high.is_finite() => {
            let middle = low / 2.0 + high / 2.0;
            // Few digits, but not outside the range.
            let rounded = [1.0, 10.0, 100.0].map(|unit| (middle * unit).round() / unit);
            let near = rounded.into_iter().find(|&value| (low..=high).contains(&value) && (value != 0.0 || whole));
            near.unwrap_or(middle)
        }
        _ => 0.0,
    };
    match &column.kind {
        ColumnKind::Integer => cell(&Cell::Float(middle(true))),
        ColumnKind::Number => cell(&Cell::Float(middle(false))),
        ColumnKind::Code(_) => json!(0),
        ColumnKind::Boolean => json!(true),
        ColumnKind::Category(values) => values.first().map_or(Value::Null, cell),
        ColumnKind::Text => json!("text"),
    }
}

/// A cell as a JavaScript value. Infinities have been refused by `Subject::new`.
pub fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Str(text) => json!(text),
        Cell::Int(value) => json!(value),
        Cell::Float(value) => json!(value),
        Cell::Bool(value) => json!(value),
        Cell::Nan | Cell::None => Value::Null,
    }
}

pub fn cells(values: &[Cell]) -> Value {
    values.iter().map(cell).collect()
}

/// The word for a kind in schemas.
pub fn kind_name(kind: &ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Number => "number",
        ColumnKind::Integer => "integer",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Category(_) => "category",
        ColumnKind::Code(_) => "code",
        ColumnKind::Text => "text",
    }
}

/// The range seen in training, of columns of numbers.
pub fn range(column: &Column) -> Option<(f64, f64)> {
    let numbers = matches!(column.kind, ColumnKind::Number | ColumnKind::Integer);
    column.range.filter(|(low, high)| numbers && low.is_finite() && high.is_finite())
}

/// Whether infinities are accepted, in a column of numbers.
pub fn infinite(column: &Column) -> bool {
    column.used && column.infinite && column.kind.holds_numbers()
}

/// What a vocabulary holds beyond the categories.
pub fn extras<'a>(column: &Column, encoding: &'a Encoding) -> &'a [Cell] {
    match (encoding, &column.kind) {
        (Encoding::Code(vocabulary), ColumnKind::Category(categories)) => {
            vocabulary.get(categories.len()..).unwrap_or_default()
        }
        _ => &[],
    }
}

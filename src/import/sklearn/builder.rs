//! The model under construction while estimators are read: columns, graph, and limits on nesting.

use super::estimator::Estimator;
use super::registry;
use crate::import::pickle::Value;
use crate::model::{
    Cell, Column, ColumnKind, Graph, Key, Lookup, Marker, Model, NamesFrom, Op, Output, Schema, Source,
};
use crate::model::{Unknown, Wire, WireKind};
use crate::{Error, Result};
use std::collections::{BTreeMap, HashSet};

/// Columns on their way from one estimator to the next, with the names scikit-learn gives them.
#[derive(Clone, Debug)]
pub struct Frame {
    pub wires: Vec<Wire>,
    pub names: Vec<String>,
}

impl Frame {
    pub fn len(&self) -> usize {
        self.wires.len()
    }

    /// The columns at these places, which the caller has checked.
    pub fn pick(&self, places: &[usize]) -> Frame {
        Frame {
            wires: places.iter().map(|&place| self.wires[place]).collect(),
            names: places.iter().map(|&place| self.names[place].clone()).collect(),
        }
    }

    pub fn extend(&mut self, other: Frame) {
        self.wires.extend(other.wires);
        self.names.extend(other.names);
    }
}

/// How a column's categories are written, where missing values are none: see `Column::digits` and `Column::partial`.
#[derive(Clone, Copy)]
struct Spelling {
    digits: bool,
    partial: bool,
}

/// Estimators inside estimators; honest models nest a handful.
const MOST_NESTING: usize = 64;
/// Estimators of a model, each counted as often as it is used.
const MOST_ESTIMATORS: usize = 1 << 17;

#[derive(Default)]
pub struct Builder {
    pub graph: Graph,
    columns: usize,
    ranges: Vec<Option<(f64, f64)>>,
    kinds: Vec<Option<ColumnKind>>,
    spellings: Vec<Option<Spelling>>,
    /// The categories that the caller gives for some columns, by name.
    pub categories: BTreeMap<String, Vec<Cell>>,
    /// Scores of classifiers whose class has no `decision_function`: what is around them asks for probabilities.
    margins: HashSet<Wire>,
    depth: usize,
    estimators: usize,
    outline: Vec<String>,
}

impl Builder {
    /// A builder whose first wires are this many columns.
    pub fn new(columns: usize) -> Builder {
        let mut builder = Builder {
            columns,
            ranges: vec![None; columns],
            kinds: vec![None; columns],
            spellings: vec![None; columns],
            ..Builder::default()
        };
        for _ in 0..columns {
            builder.graph.column(WireKind::Number);
        }
        builder
    }

    /// Reads `value` as an estimator at `step` of `owner`, within the limits of nesting.
    pub fn visit<'h, T>(
        &mut self,
        value: Value<'h>,
        step: &str,
        owner: Option<&Estimator<'h>>,
        read: impl FnOnce(&mut Builder, &Estimator<'h>) -> Result<T>,
    ) -> Result<T> {
        let estimator = Estimator::new(value, step, owner)?;
        self.count(&estimator)?;
        self.depth += 1;
        if self.depth > MOST_NESTING {
            return Err(Error::limit(format!("estimators nest more than {MOST_NESTING} deep")));
        }
        // The outline is for people: deep or long ones say no more.
        if self.depth <= 4 && self.outline.len() < 40 {
            let name = estimator.path.rsplit(" > ").next().unwrap_or_default();
            self.outline.push(format!("{}{name}", "  ".repeat(self.depth - 1)));
        }
        let result = read(self, &estimator);
        self.depth -= 1;
        result
    }

    /// Adds a line to the outline, inside the estimator that is being read.
    pub fn note(&mut self, line: &str) {
        if self.depth < 4 && self.outline.len() < 40 {
            self.outline.push(format!("{}{line}", "  ".repeat(self.depth)));
        }
    }

    /// Counts an estimator that is read without `visit`, e.g. a tree of a forest.
    pub fn count(&mut self, estimator: &Estimator) -> Result<()> {
        self.estimators += 1;
        if self.estimators > MOST_ESTIMATORS {
            let message = format!("the model holds more than {MOST_ESTIMATORS} estimators");
            return Err(Error::limit(message).at(estimator.path.clone()));
        }
        Ok(())
    }

    /// Reads the estimator as a transformer.
    pub fn transform<'h>(
        &mut self,
        value: Value<'h>,
        step: &str,
        owner: Option<&Estimator<'h>>,
        frame: &Frame,
    ) -> Result<Frame> {
        self.visit(value, step, owner, |builder, estimator| {
            let entry = registry::find(estimator)?;
            let transform = entry.transform.ok_or_else(|| {
                estimator.unsupported(format!("{} is used as a transformer, which it is not", estimator.class))
            })?;
            transform(builder, estimator, frame)
        })
    }

    /// Reads the estimator as the one that predicts.
    pub fn predict<'h>(
        &mut self,
        value: Value<'h>,
        step: &str,
        owner: Option<&Estimator<'h>>,
        frame: &Frame,
    ) -> Result<Output> {
        self.visit(value, step, owner, |builder, estimator| {
            let entry = registry::find(estimator)?;
            match (entry.predict, entry.transform) {
                (Some(predict), _) => {
                    let output = predict(builder, estimator, frame)?;
                    if let Output::Classification { scores: Some(scores), .. } = &output
                        && !entry.decides(estimator)
                    {
                        builder.margins.extend(scores);
                    }
                    Ok(output)
                }
                (None, Some(transform)) => {
                    let frame = transform(builder, estimator, frame)?;
                    Ok(Output::Transform { values: frame.wires, names: frame.names })
                }
                (None, None) => Err(estimator.unsupported(format!("{} does not predict", estimator.class))),
            }
        })
    }

    /// The scores where they are a decision function.
    pub fn decision(&self, scores: Option<Vec<Wire>>) -> Option<Vec<Wire>> {
        scores.filter(|scores| scores.iter().all(|wire| !self.margins.contains(wire)))
    }

    /// Applies an operation that keeps the columns and their names.
    pub fn map(&mut self, op: Op, frame: &Frame, estimator: &Estimator) -> Result<Frame> {
        let wires = self.graph.push(op, frame.wires.clone(), &estimator.path)?;
        Ok(Frame { wires, names: frame.names.clone() })
    }

    /// Notes the range of values seen in training, where the wire is a column of the input or one with its missing
    /// values filled.
    pub fn note_range(&mut self, wire: Wire, low: f64, high: f64) {
        let mut column = wire;
        for step in self.graph.steps().iter().rev().filter(|step| matches!(step.op, Op::Impute { .. })) {
            if step.output.contains(&column) {
                column = step.input[(column - step.output.start) as usize];
            }
        }
        if low.is_finite()
            && high.is_finite()
            && low <= high
            && let Some(range) = self.ranges.get_mut(column as usize)
        {
            range.get_or_insert((low, high));
        }
    }

    /// Whether the wire is a column of the input.
    pub fn is_column(&self, wire: Wire) -> bool {
        (wire as usize) < self.columns
    }

    /// Notes what a column of the input holds, where only the numbers themselves are read.
    pub fn note_kind(&mut self, wire: Wire, kind: ColumnKind) {
        if let Some(noted) = self.kinds.get_mut(wire as usize) {
            noted.get_or_insert(kind);
        }
    }

    /// Notes that a column of the input holds categories as CatBoost takes them, which refuses a missing value.
    pub fn note_categories(&mut self, wire: Wire, digits: bool, partial: bool) {
        if let Some(noted) = self.spellings.get_mut(wire as usize) {
            *noted = Some(Spelling { digits, partial });
        }
    }

    /// The step works on strings: a column of the input becomes one of codes.
    ///
    /// # Errors
    /// Where an earlier step has already read it as numbers or made numbers of it.
    pub fn strings(&mut self, wire: Wire, estimator: &Estimator) -> Result<()> {
        self.strings_at(wire, &estimator.path)
    }

    /// `strings` for a step without an estimator.
    pub fn strings_at(&mut self, wire: Wire, path: &str) -> Result<()> {
        if self.graph.kind(wire).code_of().is_some() {
            return Ok(());
        }
        let column = wire as usize;
        let read = self
            .graph
            .steps()
            .iter()
            .any(|step| step.input.contains(&wire) && !matches!(step.op, Op::IsMissing { missing: Marker::Nan }));
        if column >= self.columns || read {
            let message = "strings are expected in a column that another step made numbers of";
            return Err(Error::unsupported(message).at(path.to_string()));
        }
        self.graph.set_column_kind(wire, WireKind::Code(wire));
        Ok(())
    }

    /// The number of each category in a model's own list; NaN for a missing or unknown value.
    pub fn category_codes(&mut self, wire: Wire, categories: &[Cell], path: &str) -> Result<Wire> {
        if categories.iter().any(|category| matches!(category, Cell::Str(_))) {
            self.strings_at(wire, path)?;
        }
        let lookup = Lookup {
            keys: categories.to_vec(),
            width: 1,
            values: (0..categories.len()).map(|code| code as f64).collect(),
            unknown: Unknown::As(vec![f64::NAN]),
        };
        self.graph.push_one(Op::Lookup(lookup), vec![wire], path)
    }

    /// The step reads texts: a column of the input becomes one of texts.
    ///
    /// # Errors
    /// Where an earlier step has already read it otherwise or made it.
    pub fn texts(&mut self, wire: Wire, estimator: &Estimator) -> Result<()> {
        self.texts_at(wire, &estimator.path)
    }

    /// `texts` for a step without an estimator.
    pub fn texts_at(&mut self, wire: Wire, path: &str) -> Result<()> {
        if matches!(self.graph.kind(wire), WireKind::Text(_)) {
            return Ok(());
        }
        let read = self.graph.steps().iter().any(|step| step.input.contains(&wire));
        if wire as usize >= self.columns || read {
            let message = "texts are expected in a column that another step made numbers of";
            return Err(Error::unsupported(message).at(path));
        }
        self.graph.set_column_kind(wire, WireKind::Text(wire));
        Ok(())
    }

    /// The finished model: column kinds from the steps that read them.
    pub fn finish(self, names: Vec<String>, names_from: NamesFrom, output: Output, source: Source) -> Result<Model> {
        let mut columns: Vec<Column> = names
            .into_iter()
            .zip(self.ranges)
            .map(|(name, range)| Column {
                name,
                kind: ColumnKind::Number,
                missing: false,
                infinite: false,
                single: false,
                unknown: false,
                digits: false,
                partial: false,
                range,
                used: false,
                readers: Vec::new(),
            })
            .collect();
        // Wires that still carry a column's own values, some of them with the missing ones filled.
        let mut origin: Vec<Option<usize>> = vec![None; self.graph.wires()];
        for (number, origin) in origin.iter_mut().enumerate().take(columns.len()) {
            *origin = Some(number);
        }
        let mut categories: Vec<Vec<Cell>> = vec![Vec::new(); columns.len()];
        let mut seen: Vec<HashSet<Key>> = vec![HashSet::new(); columns.len()];
        let mut plain = vec![false; columns.len()];
        for step in self.graph.steps() {
            match &step.op {
                Op::Impute { .. } => {
                    for (wire, made) in step.input.iter().zip(step.output.clone()) {
                        origin[made as usize] = origin[*wire as usize];
                    }
                }
                Op::OneHot { keys, .. } | Op::Lookup(Lookup { keys, .. }) => {
                    if let Some(column) = origin[step.input[0] as usize] {
                        for key in keys.iter().filter(|key| !key.is_missing()) {
                            if seen[column].insert(key.key()) {
                                categories[column].push(key.clone());
                            }
                        }
                    }
                }
                Op::IsMissing { .. } => {}
                _ => step
                    .input
                    .iter()
                    .filter_map(|&wire| origin[wire as usize])
                    .for_each(|column| plain[column] = true),
            }
        }
        for (number, ((column, values), kinds)) in columns.iter_mut().zip(categories).zip(self.kinds).enumerate() {
            let codes = self.graph.kind(number as Wire).code_of().is_some();
            if let WireKind::Text(_) = self.graph.kind(number as Wire) {
                column.kind = ColumnKind::Text;
            } else if codes || (!values.is_empty() && !plain[number]) {
                let boolean = values.len() == 2 && values.iter().all(|value| matches!(value, Cell::Bool(_)));
                column.kind = if boolean { ColumnKind::Boolean } else { ColumnKind::Category(values) };
            } else if let Some(kind) = kinds {
                column.kind = kind;
            }
        }
        let source = Source { outline: self.outline, ..source };
        let mut model = Model { schema: Schema { columns, names_from }, graph: self.graph, output, source };
        model.settle_columns();
        for (column, spelling) in model.schema.columns.iter_mut().zip(self.spellings) {
            if let Some(Spelling { digits, partial }) = spelling {
                (column.digits, column.partial, column.missing) = (digits, partial, false);
            }
        }
        Ok(model)
    }
}

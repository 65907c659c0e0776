//! Columns to the numbers an estimator reads, as steps of the model: filled, encoded, scaled. Whatever is learnt
//! (medians, categories, means) is learnt from the training rows given, never from others.
//!
//! The estimator is fitted on what these very steps make of the rows, run by the runtime that packages carry:
//! there is no second implementation that could differ.

use super::table::place;
use super::table_values;
use super::types::{Column, MISSING, Table, Type, Values};
use crate::lower::{Encoding, Results, Want, lower};
use crate::model::{
    Cell, Column as SchemaColumn, ColumnKind, Graph, Lookup, Marker, Model, NamesFrom, Op, Output, Schema, Source,
    Unknown, Wire, WireKind,
};
use crate::runtime::host::Machine;
use crate::{Error, Result};
use ndarray::{Array2, ShapeBuilder};

/// What an estimator asks of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Mean 0 and standard deviation 1 over the training rows.
    pub scaled: bool,
    pub encoding: Coding,
    /// One column after another in memory, as tree building reads them; else one row after another.
    pub by_column: bool,
}

/// How categories become numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// A column a category.
    OneHot,
    /// A column a category but for the most frequent one: with all of them the columns would add up to the intercept.
    OneHotLessOne,
    /// One column: the category's place in order of frequency.
    Ordinal,
}

/// Most columns that one category column becomes; the rarest share none.
pub const MOST_HOT: usize = 50;

/// The steps so far.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub schema: Vec<SchemaColumn>,
    pub graph: Graph,
    pub wires: Vec<Wire>,
    /// One a schema column: its place among the table's.
    pub columns: Vec<usize>,
    /// One a schema column, in words.
    pub lines: Vec<String>,
    pub needs: Needs,
}

/// Learns the steps from these rows of the table.
///
/// # Errors
/// Where no column is left to learn from.
pub fn prepare(table: &Table, rows: &[usize], needs: Needs) -> Result<Prepared> {
    if table.columns.is_empty() {
        return Err(Error::input("no column is left to predict from"));
    }
    let mut graph = Graph::default();
    let mut schema = Vec::new();
    let mut lines = Vec::new();
    let mut wires = Vec::new();
    for (number, column) in table.columns.iter().enumerate() {
        let kind = match &column.values {
            Values::Codes { .. } => WireKind::Code(number as u32),
            Values::Numbers(_) => WireKind::Number,
        };
        wires.push(graph.column(kind));
    }
    // Imputation first, for all number columns at once: one step.
    let mut fill = Vec::new();
    let mut filled = Vec::new();
    for (number, column) in table.columns.iter().enumerate() {
        if let Values::Numbers(values) = &column.values
            && column.missing > 0
        {
            let boolean = column.kind == Type::Boolean;
            let value = median(rows.iter().map(|&row| values[row]), boolean);
            fill.push(Cell::Float(value));
            filled.push(number);
        }
    }
    if !filled.is_empty() {
        let op = Op::Impute { missing: Marker::Nan, fill: fill.clone() };
        let made = graph.push(op, filled.iter().map(|&number| wires[number]).collect(), "fill: median")?;
        for (&number, wire) in filled.iter().zip(made) {
            wires[number] = wire;
        }
    }
    let mut ready = Vec::new();
    for (number, column) in table.columns.iter().enumerate() {
        let mut did = Vec::new();
        if let Some(place) = filled.iter().position(|&other| other == number) {
            did.push(format!("{} for missing", fill[place]));
        }
        let kind = match &column.values {
            Values::Numbers(_) => {
                ready.push(wires[number]);
                match column.kind {
                    Type::Boolean => ColumnKind::Boolean,
                    Type::Integer => ColumnKind::Integer,
                    _ => ColumnKind::Number,
                }
            }
            Values::Codes { of, codes } => {
                let (keys, made) =
                    encode(&mut graph, column, of, codes, rows, wires[number], needs.encoding, &mut did)?;
                ready.extend(made);
                ColumnKind::Category(keys)
            }
        };
        if needs.scaled {
            did.push("standardized".into());
        }
        let how = if did.is_empty() { "as it is".to_owned() } else { did.join(", ") };
        lines.push(format!("{}: {how}", column.name));
        schema.push(SchemaColumn {
            name: column.name.clone(),
            kind,
            missing: false,
            infinite: false,
            single: false,
            unknown: false,
            digits: false,
            partial: false,
            range: range(column, rows),
            used: true,
            readers: Vec::new(),
        });
    }
    let columns = (0..table.columns.len()).collect();
    let mut prepared = Prepared { schema, graph, wires: ready, columns, lines, needs };
    if needs.scaled {
        let matrix = prepared.matrix(table, rows)?;
        let (mut mean, mut scale) = (Vec::new(), Vec::new());
        for column in matrix.columns() {
            let (m, s) = moments(column.iter().copied());
            mean.push(m);
            scale.push(s);
        }
        let op = Op::Standardize { mean: Some(mean), scale: Some(scale) };
        prepared.wires = prepared.graph.push(op, prepared.wires, "scale: standard")?;
    }
    Ok(prepared)
}

/// Mean and standard deviation (over n); the deviation of a constant column counts as 1.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    // As scikit-learn judges it: rounding alone makes no deviation.
    let constant = variance <= 10.0 * count * f64::EPSILON * variance + (count * mean * f64::EPSILON).powi(2);
    (mean, if constant { 1.0 } else { variance.sqrt() })
}

/// The middle value, of booleans the more frequent; 0 where there is none.
fn median(values: impl Iterator<Item = f64>, boolean: bool) -> f64 {
    let mut known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    if known.is_empty() {
        return 0.0;
    }
    known.sort_by(f64::total_cmp);
    let (low, high) = (known[(known.len() - 1) / 2], known[known.len() / 2]);
    if boolean { low } else { low / 2.0 + high / 2.0 }
}

fn range(column: &Column, rows: &[usize]) -> Option<(f64, f64)> {
    let Values::Numbers(values) = &column.values else { return None };
    if column.kind == Type::Boolean {
        return None;
    }
    rows.iter().map(|&row| values[row]).filter(|value| !value.is_nan()).fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
    })
}

/// Encodes a category column; returns its categories as the schema lists them and the new wires.
#[allow(clippy::too_many_arguments)]
fn encode(
    graph: &mut Graph,
    column: &Column,
    of: &[String],
    codes: &[u32],
    rows: &[usize],
    wire: Wire,
    coding: Coding,
    did: &mut Vec<String>,
) -> Result<(Vec<Cell>, Vec<Wire>)> {
    let mut counts = vec![0usize; of.len()];
    for &row in rows {
        if codes[row] != MISSING {
            counts[codes[row] as usize] += 1;
        }
    }
    let mut order: Vec<usize> = (0..of.len()).filter(|&code| counts[code] > 0).collect();
    order.sort_by(|&a, &b| counts[b].cmp(&counts[a]).then(a.cmp(&b)));
    let cell = |code: &usize| Cell::Str(of[*code].clone());
    let path = format!("encode: {}", column.name);
    match coding {
        Coding::Ordinal => {
            // In order of frequency; missing is -1, as is what training did not show.
            let keys: Vec<Cell> = order.iter().map(cell).collect();
            let lookup = Lookup {
                values: (0..keys.len()).map(|place| place as f64).collect(),
                keys: keys.clone(),
                width: 1,
                unknown: Unknown::As(vec![-1.0]),
            };
            did.push(format!("{} categories numbered by frequency", keys.len()));
            Ok((keys, graph.push(Op::Lookup(lookup), vec![wire], &path)?))
        }
        Coding::OneHot | Coding::OneHotLessOne => {
            let rare = order.len().saturating_sub(MOST_HOT);
            let mut hot_ones: Vec<usize> = order[..order.len() - rare].to_vec();
            if coding == Coding::OneHotLessOne && rare == 0 && column.missing == 0 && !hot_ones.is_empty() {
                hot_ones.remove(0);
            }
            hot_ones.sort_unstable();
            order.sort_unstable();
            let hot = order.iter().map(|code| hot_ones.binary_search(code).ok().map(|place| place as u32)).collect();
            let keys: Vec<Cell> = order.iter().map(cell).collect();
            let width = hot_ones.len() as u32;
            did.push(format!("one-hot, {width} columns"));
            if rare > 0 {
                did.push(format!("{rare} rare categories without a column"));
            }
            if width == 0 {
                return Ok((keys, Vec::new()));
            }
            let op = Op::OneHot { keys: keys.clone(), hot, width, unknown: Unknown::As(None) };
            Ok((keys, graph.push(op, vec![wire], &path)?))
        }
    }
}

impl Prepared {
    /// What the steps make of these rows.
    ///
    /// # Errors
    /// Where the table would not fit into memory, or a step refuses a value.
    pub fn matrix(&self, table: &Table, rows: &[usize]) -> Result<Array2<f64>> {
        let width = self.wires.len();
        const MOST: usize = 1 << 30;
        if width == 0 {
            return Err(Error::input("no column is left to predict from: each holds one value in the training rows"));
        }
        if rows.len().saturating_mul(width) > MOST {
            return Err(Error::limit(format!(
                "{} rows of {width} encoded columns are more than {MOST} numbers",
                rows.len()
            ))
            .remedy("Train on a sample with --rows, or leave columns out: --types COLUMN=skip."));
        }
        let output = Output::Transform { values: self.wires.clone(), names: Vec::new() };
        let mut runner = Runner::new(&self.model(output), table)?;
        let values = vec![0.0; rows.len() * width];
        let mut matrix = if self.needs.by_column {
            Array2::from_shape_vec((rows.len(), width).f(), values)
        } else {
            Array2::from_shape_vec((rows.len(), width), values)
        }
        .map_err(|error| Error::malformed(error.to_string()))?;
        runner.each(table, rows, None, |row, slot| {
            for column in 0..width {
                matrix[[row, column]] = slot(column);
            }
        })?;
        Ok(matrix)
    }

    /// A model with these columns and steps.
    pub fn model(&self, output: Output) -> Model {
        let schema = Schema { columns: self.schema.clone(), names_from: NamesFrom::File };
        let mut model = Model { schema, graph: self.graph.clone(), output, source: Source::default() };
        model.settle_columns();
        model
    }
}

/// Runs a model on rows of a table, which need no text on the way.
pub struct Runner {
    machine: Machine,
    results: Results,
    paths: Vec<String>,
    /// For each schema column its place in the table and, for categories, the slot's number for each code.
    feed: Vec<(usize, Option<Vec<f64>>)>,
}

impl Runner {
    /// # Errors
    /// Where the model cannot be laid out.
    pub fn new(model: &Model, table: &Table) -> Result<Runner> {
        let lowered = lower(model, Want::Package)?;
        let mut feed = Vec::new();
        for (schema, encoding) in model.schema.columns.iter().zip(&lowered.columns) {
            let place = table.columns.iter().position(|column| column.name == schema.name);
            let place = place.ok_or_else(|| Error::input(format!("the data has no column {:?}", schema.name)))?;
            let codes = match (&table.columns[place].values, encoding) {
                (Values::Codes { of, .. }, Encoding::Code(vocabulary)) => {
                    let codes: std::collections::HashMap<&str, usize> = vocabulary
                        .iter()
                        .enumerate()
                        .filter_map(|(code, cell)| match cell {
                            Cell::Str(text) => Some((text.as_str(), code)),
                            _ => None,
                        })
                        .collect();
                    Some(of.iter().map(|text| codes.get(text.as_str()).map_or(-1.0, |&code| code as f64)).collect())
                }
                // Nothing reads it.
                (Values::Codes { of, .. }, _) => Some(vec![f64::NAN; of.len()]),
                (Values::Numbers(_), _) => None,
            };
            feed.push((place, codes));
        }
        Ok(Runner { machine: Machine::open(&lowered.image)?, results: lowered.results, paths: lowered.paths, feed })
    }

    /// Where the results are.
    pub fn results(&self) -> &Results {
        &self.results
    }

    /// Visits each row, by its place in `rows`, with a reader of its result slots: of a transformer by output, else
    /// by slot. With `shuffled` the table's columns named take their values from the other rows given, one a row.
    ///
    /// # Errors
    /// Where the model refuses a value.
    pub fn each(
        &mut self,
        table: &Table,
        rows: &[usize],
        shuffled: Option<(&[usize], &[usize])>,
        mut visit: impl FnMut(usize, &dyn Fn(usize) -> f64),
    ) -> Result<()> {
        let first = match &self.results {
            Results::Transform { values, .. } => values.first as usize,
            _ => 0,
        };
        let most = self.machine.block();
        for (block, some) in rows.chunks(most).enumerate() {
            let count = some.len();
            let slots = self.machine.slots_mut();
            for (column, (place, codes)) in self.feed.iter().enumerate() {
                let to = &mut slots[column * count..(column + 1) * count];
                let from = match shuffled {
                    Some((columns, others)) if columns.contains(place) => &others[block * most..block * most + count],
                    _ => some,
                };
                table_values(&table.columns[*place].values, codes.as_deref(), from, to);
            }
            if let Err(fault) = self.machine.run(count) {
                let path = self.paths.get(fault.op).map_or("the model", String::as_str);
                let number = some.get(fault.row).map_or(0, |&row| table.numbers[row]);
                return Err(Error::input(format!("a value is outside what {path} accepts")).at(place(number)));
            }
            let slots = self.machine.slots();
            for row in 0..count {
                visit(block * most + row, &|slot| slots[(first + slot) * count + row]);
            }
        }
        Ok(())
    }
}

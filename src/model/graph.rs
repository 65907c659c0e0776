//! A small program over columns: steps in order, each reading wires and writing new ones.

use super::Op;
use crate::{Error, Result};
use std::ops::Range;

/// One column of values on its way through the graph, by number. The first are the schema's columns.
pub type Wire = u32;

/// What a wire carries, one number a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireKind {
    /// A number; missing is NaN, booleans are 0 and 1.
    Number,
    /// The code of a category of the given schema column: its place in that column's vocabulary, which `lower`
    /// collects; -1 for a value outside it, NaN for a missing one.
    Code(u32),
    /// The text of the given schema column.
    Text(u32),
}

#[derive(Clone, Debug)]
pub struct Step {
    pub op: Op,
    pub input: Vec<Wire>,
    pub output: Range<Wire>,
    /// Where it sits in the original, e.g. `prep > num > StandardScaler`.
    pub path: String,
}

#[derive(Clone, Debug, Default)]
pub struct Graph {
    wires: Vec<WireKind>,
    steps: Vec<Step>,
    also: Vec<(String, Vec<Wire>)>,
    /// Numbers that the steps hold.
    numbers: usize,
}

/// More wires than any honest model; stops one whose file multiplies columns.
const MOST_WIRES: usize = 1 << 22;
/// More numbers than an image can hold are never needed; stops a file that shares one array among many estimators.
const MOST_NUMBERS: usize = 1 << 28;

impl Graph {
    /// Adds an input column; all must come before the first step.
    pub fn column(&mut self, kind: WireKind) -> Wire {
        debug_assert!(self.steps.is_empty());
        self.wires.push(kind);
        self.wires.len() as Wire - 1
    }

    /// The schema turned out to treat this column otherwise; only valid before a step reads it.
    pub fn set_column_kind(&mut self, wire: Wire, kind: WireKind) {
        self.wires[wire as usize] = kind;
    }

    /// Appends a step and returns the wires it writes.
    ///
    /// # Errors
    /// Where the number or kind of the inputs does not fit the operation.
    pub fn push(&mut self, op: Op, input: Vec<Wire>, path: &str) -> Result<Vec<Wire>> {
        if let Some(wire) = input.iter().find(|&&wire| wire as usize >= self.wires.len()) {
            return Err(Error::malformed(format!("reads wire {wire} before it is written")).at(path));
        }
        let kinds: Vec<WireKind> = input.iter().map(|&wire| self.wires[wire as usize]).collect();
        let made = op.outputs(&kinds).map_err(|error| error.at(path))?;
        if self.wires.len() + made.len() > MOST_WIRES {
            return Err(Error::limit(format!("the model makes more than {MOST_WIRES} columns")).at(path));
        }
        self.numbers = self.numbers.saturating_add(op.numbers()).saturating_add(input.len());
        if self.numbers > MOST_NUMBERS {
            return Err(Error::limit(format!("the model holds more than {MOST_NUMBERS} numbers")).at(path));
        }
        let start = self.wires.len() as Wire;
        self.wires.extend(made);
        let output = start..self.wires.len() as Wire;
        self.steps.push(Step { op, input, output: output.clone(), path: path.to_string() });
        Ok(output.collect())
    }

    /// `push` for an operation that writes one wire.
    pub fn push_one(&mut self, op: Op, input: Vec<Wire>, path: &str) -> Result<Wire> {
        let made = self.push(op, input, path)?;
        match made[..] {
            [wire] => Ok(wire),
            _ => Err(Error::malformed(format!("{} columns where one is expected", made.len())).at(path)),
        }
    }

    /// Notes what another method of the original answers (`predict_std`, say): no part of the output, computed only
    /// to be verified.
    pub fn note(&mut self, method: &str, wires: Vec<Wire>) {
        self.also.push((method.to_string(), wires));
    }

    /// The methods noted, with their wires.
    pub fn also(&self) -> &[(String, Vec<Wire>)] {
        &self.also
    }

    /// The step that writes the wire; None for a column of the input.
    pub fn producer(&self, wire: Wire) -> Option<&Step> {
        let place = self.steps.partition_point(|step| step.output.end <= wire);
        self.steps.get(place).filter(|step| step.output.contains(&wire))
    }

    pub fn kind(&self, wire: Wire) -> WireKind {
        self.wires[wire as usize]
    }

    /// Number of wires, columns included.
    pub fn wires(&self) -> usize {
        self.wires.len()
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Puts another operation of the same wires in a step's place.
    pub fn replace(&mut self, number: usize, op: Op) {
        self.steps[number].op = op;
    }
}

//! Rows made to reach the leaves that no other row of a self-test has reached.
//!
//! What trees read of a column is found by trying: a row, and the same row with another value in one column. A feature
//! that follows one column along a line, or has one value for each of its categories, turns a path down a tree into
//! limits on columns; other features are left to chance. One row is made to reach as many leaves as its limits allow,
//! one a tree. Whether it does is seen when it is walked: nothing here is taken on trust.

use super::emit;
use super::selftest::{Forest, goes_left, number};
use crate::model::{Column, ColumnKind, Ensemble, Node, Test, Tree};
use serde_json::Value;
use std::collections::HashSet;

/// Rows made at most.
const MOST_ROWS: usize = 256;
/// Steps along paths at most, and leaves of one tree that are tried for one row.
const MOST_STEPS: usize = 1 << 22;
const TRIED: usize = 16;
/// Most categories of a column that are tried, and most values of all rows that are tried together.
const MOST_OPTIONS: usize = 64;
const MOST_VALUES: usize = 1 << 22;

/// How a feature follows the column it depends on.
struct Follows {
    column: usize,
    /// `slope × x + start`, of a column of numbers.
    line: Option<(f64, f64)>,
    /// Its value for each option of the column.
    options: Vec<f64>,
}

/// What a column may still hold: numbers strictly between two limits, or options.
#[derive(Clone)]
struct Limits {
    low: f64,
    high: f64,
    numbers: bool,
    open: Vec<bool>,
}

/// A tree with the leaves that are looked for.
struct Aim<'a> {
    ensemble: &'a Ensemble,
    /// The first of its ensemble's features among all.
    first: usize,
    tree: &'a Tree,
    /// The node above each, and whether the way down from there is to the left.
    above: Vec<(u32, bool)>,
    targets: Vec<u32>,
}

/// Rows for leaves of which `reached(tree, leaf)` is false; trees are counted over all ensembles.
pub fn rows(forest: &mut Forest, columns: &[Column], reached: impl Fn(u32, u32) -> bool) -> Vec<Vec<Value>> {
    let options: Vec<Vec<Value>> = columns.iter().map(options).collect();
    let base: Vec<Value> =
        columns.iter().map(|column| if column.used { emit::example(column) } else { Value::Null }).collect();
    let Some(follows) = follow(forest, columns, &options, &base) else { return Vec::new() };
    let mut aims = aims(forest, reached);
    let free: Vec<Limits> = columns
        .iter()
        .zip(&options)
        .map(|(column, options)| Limits {
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            numbers: is_number(column),
            open: vec![true; options.len()],
        })
        .collect();

    let mut rows = Vec::new();
    let mut steps = 0;
    for tree in 0..aims.len() {
        while let Some(leaf) = aims[tree].targets.pop() {
            if rows.len() >= MOST_ROWS || steps > MOST_STEPS {
                return rows;
            }
            let mut limits = free.clone();
            let mut limited = HashSet::new();
            if !aims[tree].restrict(leaf, &follows, &mut limits, &mut limited, &mut steps) {
                continue;
            }
            for other in &mut aims[tree + 1..] {
                if steps > MOST_STEPS {
                    break;
                }
                let last = other.targets.len();
                for place in (last.saturating_sub(TRIED)..last).rev() {
                    if other.restrict(other.targets[place], &follows, &mut limits, &mut limited, &mut steps) {
                        other.targets.remove(place);
                        break;
                    }
                }
            }
            let mut row = base.clone();
            for &column in &limited {
                if let Some(value) = limits[column].value(&columns[column], &options[column], &base[column]) {
                    row[column] = value;
                }
            }
            rows.push(row);
        }
    }
    rows
}

fn is_number(column: &Column) -> bool {
    column.used && matches!(column.kind, ColumnKind::Number | ColumnKind::Integer)
}

/// The values of a column that are tried one by one.
fn options(column: &Column) -> Vec<Value> {
    if !column.used {
        return Vec::new();
    }
    let mut list: Vec<Value> = match &column.kind {
        ColumnKind::Category(values) => values.iter().take(MOST_OPTIONS).map(emit::cell).collect(),
        &ColumnKind::Code(count) => (0..=count).take(MOST_OPTIONS).map(Value::from).collect(),
        ColumnKind::Boolean => vec![Value::Bool(true), Value::Bool(false)],
        ColumnKind::Number | ColumnKind::Integer | ColumnKind::Text => Vec::new(),
    };
    if column.missing && !list.contains(&Value::Null) {
        list.push(Value::Null);
    }
    list
}

/// By feature, what it follows: None of several columns, or of none.
fn follow(
    forest: &mut Forest,
    columns: &[Column],
    options: &[Vec<Value>],
    base: &[Value],
) -> Option<Vec<Option<Follows>>> {
    let inputs = forest.inputs.as_mut()?;
    let mut tried = |column: usize, value: &Value| {
        let mut row = base.to_vec();
        row[column] = value.clone();
        inputs.transformed(&Value::Array(row)).ok()
    };
    let standard = tried(0, base.first()?)?;
    // Three numbers of a column, or its options.
    let tries = options.iter().map(|options| options.len() + 3).sum::<usize>();
    if tries.checked_mul(columns.len() + standard.len())? > MOST_VALUES {
        return None;
    }
    let same = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan();
    let mut follows: Vec<Option<Follows>> = standard.iter().map(|_| None).collect();
    let mut several = vec![false; standard.len()];
    for (place, column) in columns.iter().enumerate().filter(|(_, column)| column.used) {
        // What is refused is never chosen: no side of a split is its own.
        let at_options: Vec<Option<Vec<f64>>> = options[place].iter().map(|option| tried(place, option)).collect();
        let points: Vec<(f64, Vec<f64>)> = match base[place].as_f64() {
            Some(x) if is_number(column) => {
                let (low, high) = column.range.filter(|(low, high)| low < high).unwrap_or((x - 1.0, x + 2.0));
                let spread = if (high - low).is_finite() { high - low } else { 1.0 };
                let at = [x, x + spread * 0.25, x - spread * 0.125];
                at.into_iter().filter_map(|x| tried(place, &number(x)).map(|values| (x, values))).collect()
            }
            _ => Vec::new(),
        };
        for (feature, &usual) in standard.iter().enumerate() {
            let mut seen = at_options.iter().flatten().chain(points.iter().map(|(_, values)| values));
            if seen.all(|values| same(values[feature], usual)) {
                continue;
            }
            several[feature] |= follows[feature].is_some();
            let line = match &points[..] {
                [(x0, v0), (x1, v1), (x2, v2)] => {
                    let [v0, v1, v2] = [v0, v1, v2].map(|values| values[feature]);
                    let slope = (v1 - v0) / (x1 - x0);
                    let off = v0 + slope * (x2 - x0) - v2;
                    (slope != 0.0 && off.abs() <= 1e-9 * (v0.abs() + v1.abs() + v2.abs()))
                        .then_some((slope, v0 - slope * x0))
                }
                _ => None,
            };
            let options =
                at_options.iter().map(|values| values.as_ref().map_or(f64::INFINITY, |values| values[feature]));
            follows[feature] = Some(Follows { column: place, line, options: options.collect() });
        }
    }
    for (follows, several) in follows.iter_mut().zip(several) {
        if several {
            *follows = None;
        }
    }
    Some(follows)
}

fn aims<'a>(forest: &Forest<'a>, reached: impl Fn(u32, u32) -> bool) -> Vec<Aim<'a>> {
    let mut aims = Vec::new();
    for &(ensemble, first) in &forest.ensembles {
        for tree in &ensemble.trees {
            let mut above = vec![(u32::MAX, false); tree.nodes.len()];
            let mut targets = Vec::new();
            for (place, node) in (0u32..).zip(&tree.nodes) {
                match *node {
                    Node::Split { left, right, .. } => {
                        above[left as usize] = (place, true);
                        above[right as usize] = (place, false);
                    }
                    Node::Leaf(leaf) => {
                        if !reached(aims.len() as u32, leaf) {
                            targets.push(place);
                        }
                    }
                }
            }
            aims.push(Aim { ensemble, first, tree, above, targets });
        }
    }
    aims
}

impl Aim<'_> {
    /// Narrows the limits to what the way down to `leaf` asks for, or leaves them and says that it cannot be.
    fn restrict(
        &self,
        leaf: u32,
        follows: &[Option<Follows>],
        limits: &mut [Limits],
        limited: &mut HashSet<usize>,
        steps: &mut usize,
    ) -> bool {
        let mut narrowed: Vec<(usize, Limits)> = Vec::new();
        let mut node = leaf;
        loop {
            let (up, left) = self.above[node as usize];
            if up == u32::MAX {
                break;
            }
            *steps += 1;
            node = up;
            let Node::Split { feature, test, missing_left, .. } = self.tree.nodes[up as usize] else { break };
            let Some(Some(follows)) = follows.get(self.first + feature as usize) else { continue };
            let place = match narrowed.iter().position(|(column, _)| *column == follows.column) {
                Some(place) => place,
                None => {
                    narrowed.push((follows.column, limits[follows.column].clone()));
                    narrowed.len() - 1
                }
            };
            let limits = &mut narrowed[place].1;
            for (open, &value) in limits.open.iter_mut().zip(&follows.options) {
                *open &= goes_left(self.ensemble, test, value).unwrap_or(missing_left) == left;
            }
            if let (Some((slope, start)), Test::Less(at) | Test::LessEqual(at) | Test::LessEqualNonzero(at)) =
                (follows.line, test)
            {
                let edge = (at - start) / slope;
                if left == (slope > 0.0) {
                    limits.high = limits.high.min(edge);
                } else {
                    limits.low = limits.low.max(edge);
                }
                limits.numbers &= limits.low < limits.high;
            }
            if !limits.numbers && !limits.open.contains(&true) {
                return false;
            }
        }
        for (column, new) in narrowed {
            limits[column] = new;
            limited.insert(column);
        }
        true
    }
}

impl Limits {
    /// The base's value where it will do, else a number of few digits or the first option.
    fn value(&self, column: &Column, options: &[Value], base: &Value) -> Option<Value> {
        if !self.numbers {
            return self.open.iter().position(|open| *open).and_then(|place| options.get(place).cloned());
        }
        let inside = |x: f64| self.low < x && x < self.high;
        if base.as_f64().is_some_and(inside) {
            return Some(base.clone());
        }
        // Within the range of training, where that leaves anything.
        let (low, high) = match column.range {
            Some((least, most)) if self.low.max(least) < self.high.min(most) => {
                (self.low.max(least), self.high.min(most))
            }
            _ => (self.low, self.high),
        };
        let middle = match (low.is_finite(), high.is_finite()) {
            (true, true) => low / 2.0 + high / 2.0,
            (true, false) => low + low.abs().max(1.0),
            (false, true) => high - high.abs().max(1.0),
            (false, false) => return Some(base.clone()),
        };
        let mut rounded = (0..12).map(|digits| {
            let unit = 10f64.powi(digits);
            (middle * unit).round() / unit
        });
        Some(number(rounded.find(|&x| low < x && x < high).unwrap_or(middle)))
    }
}

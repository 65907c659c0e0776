//! The rows that a package carries to try itself: few, and chosen so that together they reach as many leaves,
//! categories, missing values and classes as they can.
//!
//! Candidates are the sample rows of whoever packs, rows made up from the schema, the trees' thresholds and the
//! vocabularies, and rows aimed at the leaves that these leave out (`aim.rs`). Each candidate stands for a set of things it reaches; rows are taken greedily, the one that adds most
//! first. What is expected of a row is the original's answer where it was given, else the native runtime's.

use super::aim;
use crate::lower::{Lowered, Want};
use crate::model::{Column, ColumnKind, Ensemble, Model, Node, Op, Output, Terms, Test, Width};
use crate::predictor::{Manifest, Outcome, Predictor};
use crate::{Result, package::emit};
use serde_json::{Map, Value, json};
use std::collections::{BinaryHeap, HashMap, HashSet};

/// Rows of a self-test that may add nothing.
const FEWEST: usize = 8;
/// Most rows of a self-test, and most values of all its rows together.
const MOST_ROWS: usize = 256;
const MOST_VALUES: usize = 4096;
/// Rows made up beside the samples, and samples looked at.
const INVENTED: usize = 192;
const LOOKED_AT: usize = 1024;
/// Most steps down trees to find out which leaves the candidates reach.
const MOST_WALKS: usize = 1 << 20;

/// A row in the order of the columns, with the original's answer where it is known: a part of what `predict`
/// returns.
#[derive(Clone, Debug)]
pub struct Sample {
    pub row: Vec<Value>,
    pub expected: Option<Value>,
}

/// `selftest.json`, and the cases of `selftest.js`.
pub struct SelfTest {
    pub cases: Vec<Case>,
    /// Reached of all: leaves, categories, columns that may be missing, classes.
    pub covers: Vec<(&'static str, usize, usize)>,
    /// A row for people to look at, and the runtime's answer.
    pub shown: Option<(Vec<Value>, Value)>,
}

pub struct Case {
    pub row: Vec<Value>,
    pub expected: Value,
    pub original: bool,
}

/// A row with the original's answer, the runtime's, and what it reaches.
type Found = (Vec<Value>, Option<Value>, Map<String, Value>, Vec<Thing>);

/// What a row can reach.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Thing {
    /// Tree (counted over all ensembles) and leaf.
    Leaf(u32, u32),
    Category(u32, u32),
    Missing(u32),
    Class(u32, u32),
}

impl SelfTest {
    /// # Errors
    /// Where the image cannot be opened.
    pub fn choose(model: &Model, lowered: &Lowered, manifest: &Manifest, samples: &[Sample]) -> Result<SelfTest> {
        let mut predictor = Predictor::open(&lowered.image, manifest.clone())?;
        let mut forest = Forest::of(model)?;
        let columns = &model.schema.columns;
        // Evenly over all samples: files are often sorted.
        let every = samples.len().div_ceil(LOOKED_AT).max(1);
        let mut candidates: Vec<Sample> = samples.iter().step_by(every).cloned().collect();
        let terms = terms(model);
        candidates.extend(invented(columns, &forest.thresholds, &terms).map(|row| Sample { row, expected: None }));

        let mut found: Vec<Found> = Vec::new();
        let mut consider = |candidates: Vec<Sample>, forest: &mut Forest, found: &mut Vec<Found>| {
            let mut walks = 0;
            for Sample { row, expected } in candidates {
                let row = Value::Array(row);
                // What the model refuses is no test of it.
                let Ok(prediction) = predictor.predict(&row) else { continue };
                let Ok(answer) = serde_json::from_str::<Map<String, Value>>(&predictor.json(&prediction)) else {
                    continue;
                };
                let Value::Array(row) = row else { continue };
                let mut things = Vec::new();
                reached(columns, &row, &mut things);
                classes(&prediction.outcome, 0, &mut things);
                if walks < MOST_WALKS {
                    walks += forest.walk(&row, &mut things);
                }
                found.push((row, expected, answer, things));
            }
        };
        consider(candidates, &mut forest, &mut found);
        let leaves: HashSet<(u32, u32)> = found
            .iter()
            .flat_map(|(.., things)| things)
            .filter_map(|thing| match thing {
                Thing::Leaf(tree, leaf) => Some((*tree, *leaf)),
                _ => None,
            })
            .collect();
        if leaves.len() < forest.leaves {
            let aimed = aim::rows(&mut forest, columns, |tree, leaf| leaves.contains(&(tree, leaf)));
            consider(aimed.into_iter().map(|row| Sample { row, expected: None }).collect(), &mut forest, &mut found);
        }
        let own = |answer: &Map<String, Value>| {
            let mut answer = answer.clone();
            answer.shift_remove("warnings");
            Value::Object(answer)
        };
        let order = greedy(found.iter().map(|(_, expected, _, things)| (expected.is_some(), things.as_slice())));
        let room = (MOST_VALUES / columns.len().max(1)).clamp(4, MOST_ROWS);
        let mut covered = HashSet::new();
        let cases = order
            .into_iter()
            .take(room)
            .map(|place| {
                let (row, expected, answer, things) = &found[place];
                covered.extend(things.iter().copied());
                let original = expected.is_some();
                Case { row: row.clone(), expected: expected.clone().unwrap_or_else(|| own(answer)), original }
            })
            .collect();
        let count = |test: fn(&Thing) -> bool| covered.iter().filter(|thing| test(thing)).count();
        let categories = columns.iter().filter(|column| column.used).map(|column| match &column.kind {
            ColumnKind::Category(values) => values.len(),
            _ => 0,
        });
        let missing = columns.iter().filter(|column| column.used && column.missing).count();
        let covers = [
            ("leaves", count(|thing| matches!(thing, Thing::Leaf(..))), forest.leaves),
            ("categories", count(|thing| matches!(thing, Thing::Category(..))), categories.sum()),
            ("missing", count(|thing| matches!(thing, Thing::Missing(..))), missing),
            ("classes", count(|thing| matches!(thing, Thing::Class(..))), class_count(&model.output)),
        ];
        let covers = covers.into_iter().filter(|(.., all)| *all > 0).collect();
        let shown = believable(columns, &found).map(|(row, _, answer, _)| (row.clone(), own(answer)));
        Ok(SelfTest { cases, covers, shown })
    }

    /// The object that `selftest.json` holds.
    pub fn json(&self, manifest: &Manifest, tolerance: f64) -> Value {
        let cases: Vec<Value> = self
            .cases
            .iter()
            .map(|case| {
                let from = if case.original { "original" } else { "reference" };
                json!({ "row": case.row, "expected": case.expected, "from": from })
            })
            .collect();
        let covers: Map<String, Value> =
            self.covers.iter().map(|(what, some, all)| (what.to_string(), json!([some, all]))).collect();
        json!({
            "name": manifest.name,
            "carryout": emit::CARRYOUT,
            "tolerance": { "original": tolerance, "reference": 0 },
            "covers": covers,
            "cases": cases,
        })
    }
}

/// The first row that lacks nothing and is not blank: a sample where there are some.
fn believable<'a>(columns: &[Column], found: &'a [Found]) -> Option<&'a Found> {
    let lacks = |row: &[Value]| columns.iter().zip(row).any(|(column, value)| column.used && value.is_null());
    let mut whole = found.iter().filter(|(row, ..)| !lacks(row));
    let first = whole.clone().next();
    whole.find(|(row, ..)| !blank(columns, row)).or(first).or(found.first())
}

/// Whether a number is 0 for want of a range, or a text is a word.
fn blank(columns: &[Column], row: &[Value]) -> bool {
    columns.iter().zip(row).filter(|(column, _)| column.used).any(|(column, value)| match column.kind {
        ColumnKind::Number | ColumnKind::Integer => column.range.is_none() && value.as_f64() == Some(0.0),
        ColumnKind::Text => value.as_str().is_some_and(|text| !text.contains(' ')),
        _ => false,
    })
}

/// The columns' values that a row has.
fn reached(columns: &[Column], row: &[Value], things: &mut Vec<Thing>) {
    for (place, (column, value)) in columns.iter().zip(row).enumerate().filter(|(_, (column, _))| column.used) {
        if value.is_null() {
            things.push(Thing::Missing(place as u32));
        }
        if let ColumnKind::Category(values) = &column.kind
            && let Some(category) = values.iter().position(|known| emit::cell(known) == *value)
        {
            things.push(Thing::Category(place as u32, category as u32));
        }
    }
}

fn classes(outcome: &Outcome, output: u32, things: &mut Vec<Thing>) {
    match outcome {
        Outcome::Classification { label, .. } => things.push(Thing::Class(output, *label as u32)),
        Outcome::Clustering { cluster, .. } => things.push(Thing::Class(output, *cluster as u32)),
        Outcome::Anomaly { outlier, .. } => things.push(Thing::Class(output, u32::from(*outlier))),
        Outcome::Several(several) => {
            several.iter().zip(0..).for_each(|(one, output)| classes(one, output, things));
        }
        Outcome::Regression(_) | Outcome::Transform(_) => {}
    }
}

fn class_count(output: &Output) -> usize {
    match output {
        Output::Classification { classes, .. } => classes.len(),
        Output::Clustering { labels, .. } => labels.len(),
        Output::Anomaly { .. } => 2,
        Output::Several(several) => several.iter().map(class_count).sum(),
        Output::Regression { .. } | Output::Transform { .. } => 0,
    }
}

/// The rows in the order in which they add most; those with an original's answer before the others. A row that
/// adds nothing is left out, but for the first few.
fn greedy<'a>(rows: impl Iterator<Item = (bool, &'a [Thing])>) -> Vec<usize> {
    let rows: Vec<(bool, &[Thing])> = rows.collect();
    let mut covered = HashSet::new();
    // What a row adds only ever gets less: a row whose count is still right at the top is the best.
    let mut heap: BinaryHeap<_> = rows
        .iter()
        .enumerate()
        .map(|(place, (original, things))| (*original, things.len(), rows.len() - place))
        .collect();
    let mut order = Vec::new();
    while let Some((original, count, key)) = heap.pop() {
        let place = rows.len() - key;
        let adds = rows[place].1.iter().filter(|thing| !covered.contains(*thing)).count();
        if adds < count {
            heap.push((original, adds, key));
        } else if adds > 0 || order.len() < FEWEST {
            covered.extend(rows[place].1.iter().copied());
            order.push(place);
        }
        if order.len() >= MOST_ROWS {
            break;
        }
    }
    order
}

/// The ensembles of a model, with a program that computes what they read.
pub(super) struct Forest<'a> {
    /// With the place of its first feature among all.
    pub ensembles: Vec<(&'a Ensemble, usize)>,
    pub inputs: Option<Predictor>,
    leaves: usize,
    /// Of the splits that read a column as it comes, by column.
    thresholds: HashMap<usize, Vec<f64>>,
}

impl<'a> Forest<'a> {
    fn of(model: &'a Model) -> Result<Forest<'a>> {
        let columns = model.schema.columns.len();
        let mut forest = Forest { ensembles: Vec::new(), inputs: None, leaves: 0, thresholds: HashMap::new() };
        let mut wires = Vec::new();
        for step in model.graph.steps() {
            let Op::Trees(ensemble) = &step.op else { continue };
            forest.ensembles.push((ensemble, wires.len()));
            forest.leaves += ensemble.leaf_count();
            for node in ensemble.trees.iter().flat_map(|tree| &tree.nodes) {
                if let Node::Split {
                    feature,
                    test: Test::Less(at) | Test::LessEqual(at) | Test::LessEqualNonzero(at),
                    ..
                } = node
                    && let Some(&wire) = step.input.get(*feature as usize)
                    && (wire as usize) < columns
                {
                    forest.thresholds.entry(wire as usize).or_default().push(*at);
                }
            }
            wires.extend(step.input.iter().copied());
        }
        for list in forest.thresholds.values_mut() {
            list.sort_by(f64::total_cmp);
            list.dedup();
        }
        if !wires.is_empty() {
            let names = vec![String::new(); wires.len()];
            let output = Output::Transform { values: wires, names };
            let model = Model { output, ..model.clone() };
            forest.inputs = Some(Predictor::new("", &model, Want::Package)?);
        }
        Ok(forest)
    }

    /// Adds the leaves that the row falls into; says how many steps that took.
    fn walk(&mut self, row: &[Value], things: &mut Vec<Thing>) -> usize {
        let Some(inputs) = &mut self.inputs else { return 0 };
        let Ok(values) = inputs.transformed(&Value::Array(row.to_vec())) else { return 0 };
        let (mut steps, mut number) = (0, 0);
        for (ensemble, first) in &self.ensembles {
            for tree in &ensemble.trees {
                let mut at = 0usize;
                // A tree's nodes have one parent each: fewer steps than nodes.
                for _ in 0..tree.nodes.len() {
                    steps += 1;
                    match tree.nodes[at] {
                        Node::Leaf(leaf) => {
                            things.push(Thing::Leaf(number, leaf));
                            break;
                        }
                        Node::Split { feature, test, missing_left, left, right } => {
                            let value = values.get(first + feature as usize).copied().unwrap_or(f64::NAN);
                            let is_left = goes_left(ensemble, test, value).unwrap_or(missing_left);
                            at = if is_left { left } else { right } as usize;
                        }
                    }
                }
                number += 1;
            }
        }
        steps
    }
}

/// None where the value is missing.
pub(super) fn goes_left(ensemble: &Ensemble, test: Test, value: f64) -> Option<bool> {
    let value = if ensemble.compare == Width::F32 { f64::from(value as f32) } else { value };
    if value.is_nan() {
        return None;
    }
    match test {
        Test::Less(threshold) => Some(value < threshold),
        Test::LessEqual(threshold) => Some(value <= threshold),
        Test::LessEqualNonzero(threshold) => (value.abs() > 1e-35).then_some(value <= threshold),
        Test::In(set) => {
            let set = ensemble.sets.get(set as usize)?;
            let whole = if set.toward_zero { value.trunc() } else { value.floor() };
            if whole < 0.0 || whole >= f64::from(set.size) {
                return Some(set.outside_left);
            }
            let category = whole as u32;
            set.left.get(category as usize / 32).map(|word| word >> (category % 32) & 1 == 1)
        }
    }
}

/// Rows as the schema and the thresholds allow them, the same ones every time.
fn invented<'a>(
    columns: &'a [Column],
    thresholds: &'a HashMap<usize, Vec<f64>>,
    terms: &'a [&str],
) -> impl Iterator<Item = Vec<Value>> + 'a {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let none = Vec::new();
    (0..INVENTED).map(move |number| {
        let cells = columns.iter().enumerate();
        cells
            .map(|(place, column)| value(column, thresholds.get(&place).unwrap_or(&none), terms, number, &mut random))
            .collect()
    })
}

/// A value of a column: in row 0 the one of the example, then each category in turn, thresholds, missing ones.
fn value(column: &Column, thresholds: &[f64], terms: &[&str], turn: usize, random: &mut Random) -> Value {
    if !column.used {
        return Value::Null;
    }
    if turn == 0 {
        return emit::example(column);
    }
    if column.missing && random.below(8) == 0 {
        return Value::Null;
    }
    match &column.kind {
        ColumnKind::Number | ColumnKind::Integer => {
            let (low, high) =
                column.range.filter(|(low, high)| low.is_finite() && high.is_finite()).unwrap_or_else(|| {
                    match (thresholds.first(), thresholds.last()) {
                        (Some(&low), Some(&high)) => (low - 1.0, high + 1.0),
                        // Nothing is known of it: small and large values by turns.
                        _ => [(-2.0, 2.0), (0.0, 10.0), (-100.0, 100.0)][turn % 3],
                    }
                });
            let spread = low + (high - low) * random.unit();
            let value = match thresholds {
                // Between two neighbours, or a threshold itself.
                [_, ..] if random.below(4) > 0 => {
                    let at = random.below(thresholds.len());
                    let next = *thresholds.get(at + 1).unwrap_or(&(thresholds[at] + 1.0));
                    if random.below(4) == 0 { thresholds[at] } else { thresholds[at] / 2.0 + next / 2.0 }
                }
                _ => spread,
            };
            let value = if column.kind == ColumnKind::Integer { value.round() } else { value };
            // Few digits: these rows are read by people too.
            let short = (value * 1e3).round() / 1e3;
            let value = if (value - short).abs() < 1e-3 * value.abs() { short } else { value };
            number(value)
        }
        // Those that the model tells apart, and one above.
        &ColumnKind::Code(count) => json!(random.below(count as usize + 1)),
        ColumnKind::Boolean => json!(random.below(2) == 0),
        ColumnKind::Category(values) if values.is_empty() => Value::Null,
        ColumnKind::Category(values) => emit::cell(&values[(turn + random.below(2)) % values.len()]),
        // One word, then more and more; an empty one now and then.
        ColumnKind::Text => {
            let words: Vec<&str> = (0..turn % 12).map(|_| terms[random.below(terms.len())]).collect();
            json!(words.join(" "))
        }
    }
}

/// What the model's vectorizers look for; those that hash look for anything.
fn terms(model: &Model) -> Vec<&str> {
    let mut list: Vec<&str> = Vec::new();
    for step in model.graph.steps() {
        if let Op::Vectorize { vectorizer, .. } = &step.op
            && let Terms::Vocabulary(terms) = &vectorizer.terms
        {
            list.extend(terms.iter().map(|(term, _)| term.as_str()));
        }
    }
    if list.is_empty() {
        list.extend(["some", "words", "of", "any", "kind", "42", "naïve", "UPPER", "don't"]);
    }
    list
}

/// As JSON has it; whole ones without a point.
pub(super) fn number(value: f64) -> Value {
    match value {
        _ if !value.is_finite() => json!(0),
        _ if value.fract() == 0.0 && value.abs() < 1e15 => json!(value as i64),
        _ => json!(value),
    }
}

/// xorshift64*: the choice must be the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    /// 0 up to 1.
    fn unit(&mut self) -> f64 {
        self.next() as f64 / (1u64 << 53) as f64
    }
}

//! What a meta-estimator reads of the estimators inside it: their classes, labels, probabilities and values as wires.

use super::builder::{Builder, Frame};
use super::estimator::Estimator;
use crate::import::pickle::Value;
use crate::model::{Cell, Lookup, Op, Output, Unknown, Wire};
use crate::{Error, Result};

/// A classifier's wires; `label` is the place in `classes`.
pub struct Classifier {
    pub classes: Vec<Cell>,
    pub label: Wire,
    pub probabilities: Option<Vec<Wire>>,
    /// The decision function: one wire for two classes. None where the original has none.
    pub scores: Option<Vec<Wire>>,
}

fn unexpected(owner: &Estimator, step: &str, expected: &str, output: &Output) -> Error {
    owner.unsupported(format!("{step} predicts {}; {expected} is expected", output.task()))
}

/// Reads an estimator as a classifier of one output.
pub fn classifier<'h>(
    builder: &mut Builder,
    value: Value<'h>,
    step: &str,
    owner: &Estimator<'h>,
    frame: &Frame,
) -> Result<Classifier> {
    match builder.predict(value, step, Some(owner), frame)? {
        Output::Classification { classes, label, probabilities, scores } => {
            Ok(Classifier { classes, label, probabilities, scores: builder.decision(scores) })
        }
        other => Err(unexpected(owner, step, "a class", &other)),
    }
}

/// Reads an estimator as a regressor: one wire a target.
pub fn regressor<'h>(
    builder: &mut Builder,
    value: Value<'h>,
    step: &str,
    owner: &Estimator<'h>,
    frame: &Frame,
) -> Result<Vec<Wire>> {
    match builder.predict(value, step, Some(owner), frame)? {
        Output::Regression { values, .. } => Ok(values),
        other => Err(unexpected(owner, step, "a number", &other)),
    }
}

/// The score by which a binary estimator is asked (`_predict_binary`): a regressor's value, the decision function,
/// or, without it, the probability of the second class. With it the threshold that belongs to it, and the
/// classifier where it is one.
pub fn binary<'h>(
    builder: &mut Builder,
    value: Value<'h>,
    step: &str,
    owner: &Estimator<'h>,
    frame: &Frame,
) -> Result<Binary> {
    match builder.predict(value, step, Some(owner), frame)? {
        Output::Regression { values, .. } if values.len() == 1 => {
            Ok(Binary { score: values[0], threshold: 0.5, label: None, probability: None, has_scores: false })
        }
        Output::Classification { classes, label, probabilities, scores } if classes.len() == 2 => {
            let scores = builder.decision(scores);
            let probability = probabilities.as_ref().and_then(|wires| wires.get(1).copied());
            let (score, threshold) = match (scores.as_deref(), probability) {
                (Some(&[score]), _) => (score, 0.0),
                (None, Some(probability)) => (probability, 0.5),
                _ => return Err(owner.unsupported(format!("{step} has neither scores nor probabilities"))),
            };
            Ok(Binary { score, threshold, label: Some(label), probability, has_scores: scores.is_some() })
        }
        other => Err(unexpected(owner, step, "one of two classes", &other)),
    }
}

pub struct Binary {
    pub score: Wire,
    /// What the score is compared with.
    pub threshold: f64,
    /// 0 or 1; None for a regressor.
    pub label: Option<Wire>,
    /// Of the second class.
    pub probability: Option<Wire>,
    /// The score is a decision function.
    pub has_scores: bool,
}

impl Classifier {
    /// Where each of its classes stands among `classes`.
    ///
    /// # Errors
    /// Where one is not among them.
    pub fn places(&self, classes: &[Cell], owner: &Estimator) -> Result<Vec<usize>> {
        let place = |class: &Cell| classes.iter().position(|known| known == class);
        self.classes
            .iter()
            .map(place)
            .collect::<Option<_>>()
            .ok_or_else(|| owner.malformed("an estimator has a class that the whole does not have"))
    }

    /// The probabilities spread over `count` columns, class k at `places[k]`; zeros elsewhere.
    pub fn spread(
        &self,
        builder: &mut Builder,
        places: &[usize],
        count: usize,
        owner: &Estimator,
    ) -> Result<Option<Vec<Wire>>> {
        let Some(probabilities) = &self.probabilities else { return Ok(None) };
        if probabilities.len() == count && places.iter().enumerate().all(|(at, &place)| at == place) {
            return Ok(Some(probabilities.clone()));
        }
        let zero = builder.graph.push_one(Op::Constant(vec![0.0]), Vec::new(), &owner.path)?;
        let mut spread = vec![zero; count];
        for (&wire, &place) in probabilities.iter().zip(places) {
            spread[place] = wire;
        }
        Ok(Some(spread))
    }

    /// One column a class: 1 for the predicted one, 0 for the others.
    pub fn votes(
        &self,
        builder: &mut Builder,
        places: &[usize],
        count: usize,
        owner: &Estimator,
    ) -> Result<Vec<Wire>> {
        by_label(builder, self.label, places.len(), count, owner, |label, class| {
            f64::from(u8::from(places[label] == class))
        })
    }

    /// The predicted class itself, as a number.
    ///
    /// # Errors
    /// Where the classes are not numbers.
    pub fn value(&self, builder: &mut Builder, owner: &Estimator) -> Result<Wire> {
        let numbers: Option<Vec<f64>> = self.classes.iter().map(Cell::number).collect();
        let numbers =
            numbers.ok_or_else(|| owner.unsupported("labels that are strings are passed on as features"))?;
        Ok(by_label(builder, self.label, numbers.len(), 1, owner, |label, _| numbers[label])?[0])
    }
}

/// Entries of a table over classes; a file can name many classes in few bytes.
pub const MOST_TABLE: usize = 1 << 24;

/// `width` columns that depend on the label alone: `value(label, column)`.
pub fn by_label(
    builder: &mut Builder,
    label: Wire,
    labels: usize,
    width: usize,
    owner: &Estimator,
    value: impl Fn(usize, usize) -> f64,
) -> Result<Vec<Wire>> {
    if labels.saturating_mul(width) > MOST_TABLE {
        return Err(Error::limit(format!("a table of {labels} labels × {width} columns")).at(owner.path.clone()));
    }
    let keys = (0..labels as i64).map(Cell::Int).collect();
    let values = (0..labels).flat_map(|label| (0..width).map(move |column| (label, column)));
    let values = values.map(|(label, column)| value(label, column)).collect();
    let lookup = Lookup { keys, width: width as u32, values, unknown: Unknown::Error };
    builder.graph.push(Op::Lookup(lookup), vec![label], &owner.path)
}

/// x >= threshold, as the next lower number and `>`.
pub fn at_least(threshold: f64) -> Op {
    Op::Above { threshold: threshold.next_down() }
}

/// The mean of equally long groups of wires, in order.
pub fn mean(builder: &mut Builder, groups: Vec<Vec<Wire>>, owner: &Estimator) -> Result<Vec<Wire>> {
    let count = groups.len();
    combine(builder, groups, vec![1.0; count], count as f64, owner)
}

/// The sum of equally long groups of wires, each times its weight, over `divide`.
pub fn combine(
    builder: &mut Builder,
    groups: Vec<Vec<Wire>>,
    weights: Vec<f64>,
    divide: f64,
    owner: &Estimator,
) -> Result<Vec<Wire>> {
    let width = groups.first().map_or(0, Vec::len);
    if groups.len() != weights.len() || groups.iter().any(|group| group.len() != width) {
        return Err(owner.malformed("the estimators' outputs or weights differ in number"));
    }
    builder.graph.push(Op::Combine { weights, divide }, groups.concat(), &owner.path)
}

/// The sum as numpy adds a contiguous array: pairwise over blocks of 128, eight running sums in a block.
pub fn numpy_sum(values: &[f64]) -> f64 {
    let count = values.len();
    if count < 8 {
        return values.iter().sum();
    }
    if count > 128 {
        let half = count / 2;
        let (left, right) = values.split_at(half - half % 8);
        return numpy_sum(left) + numpy_sum(right);
    }
    let mut eight: [f64; 8] = std::array::from_fn(|lane| values[lane]);
    let whole = count - count % 8;
    for block in values[8..whole].chunks(8) {
        eight.iter_mut().zip(block).for_each(|(sum, value)| *sum += value);
    }
    let [a, b, c, d, e, f, g, h] = eight;
    let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
    values[whole..].iter().fold(sum, |sum, value| sum + value)
}

//! Many classes from classifiers of two (sklearn.multiclass).

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, Version};
use super::inner::{self, Binary};
use crate::import::pickle::Value;
use crate::model::{Cell, Function, Matrix, Op, Output, Wire};
use crate::{Error, Result};

/// What stands in for an estimator of one label.
pub const CONSTANT: &str = "_ConstantPredictor";

/// A binary estimator, or the constant that stands in for one where all rows had the same label.
fn binary<'h>(
    builder: &mut Builder,
    value: Value<'h>,
    number: usize,
    owner: &Estimator<'h>,
    frame: &Frame,
) -> Result<Binary> {
    let step = format!("estimator {number}");
    if value.class_name().is_none_or(|name| name.1 != CONSTANT) {
        return inner::binary(builder, value, &step, owner, frame);
    }
    let constant = Estimator::new(value, &step, Some(owner))?.f64("y_")?;
    let wires = builder.graph.push(Op::Constant(vec![constant; 3]), Vec::new(), &owner.path)?;
    Ok(Binary {
        score: wires[0],
        threshold: 0.0,
        label: Some(wires[1]),
        probability: Some(wires[2]),
        has_scores: true,
    })
}

fn members<'h>(builder: &mut Builder, estimator: &Estimator<'h>, frame: &Frame) -> Result<Vec<Binary>> {
    let list = estimator.list("estimators_")?;
    if list.is_empty() {
        return Err(estimator.malformed("estimators_ is empty"));
    }
    let members = list.into_iter().enumerate();
    members.map(|(number, value)| binary(builder, value, number, estimator, frame)).collect()
}

/// A classifier a class. The highest score wins, of equal ones the first (up to 1.7 the last). Probabilities are each
/// over their sum (where it is zero they stay zero; up to 1.6 the original divides by it). Several labels at once: one
/// yes or no a label.
pub fn one_vs_rest(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let binarizer = Estimator::new(estimator.need("label_binarizer_")?, "label_binarizer_", Some(estimator))?;
    let classes = binarizer.cells("classes_")?;
    let members = members(builder, estimator, frame)?;
    // The threshold is the first estimator's, a constant among regressors included.
    let threshold = members[0].threshold;
    let scores: Option<Vec<Wire>> = members.iter().map(|member| member.has_scores.then_some(member.score)).collect();
    let single: Option<Vec<Wire>> = members.iter().map(|member| member.probability).collect();
    let asked: Vec<Wire> = members.iter().map(|member| member.score).collect();
    if binarizer.str("y_type_")?.starts_with("multilabel") {
        let outputs = members.iter().map(|member| {
            let label = builder.graph.push_one(Op::Above { threshold }, vec![member.score], path)?;
            let pair = |wire| builder.graph.push(Op::Complement, vec![wire], path);
            let probabilities = member.probability.map(pair).transpose()?;
            let scores = member.has_scores.then(|| vec![member.score]);
            let classes = vec![Cell::Int(0), Cell::Int(1)];
            Ok(Output::Classification { classes, label, probabilities, scores })
        });
        return Ok(Output::Several(outputs.collect::<Result<_>>()?));
    }
    let expected = if classes.len() <= 2 { 1 } else { classes.len() };
    if asked.len() != expected || classes.is_empty() {
        return Err(estimator.malformed(format!("{} estimators for {} classes", asked.len(), classes.len())));
    }
    if expected == 1 {
        let label = builder.graph.push_one(Op::Above { threshold }, asked, path)?;
        let pair = |single| builder.graph.push(Op::Complement, single, path);
        let probabilities = single.map(pair).transpose()?;
        return Ok(Output::Classification { classes, label, probabilities, scores });
    }
    let label = if estimator.version >= FIRST_WINS {
        builder.graph.push_one(Op::Argmax, asked, path)?
    } else {
        let last = classes.len() as f64 - 1.0;
        let from_end = builder.graph.push(Op::Argmax, asked.into_iter().rev().collect(), path)?;
        builder.graph.push_one(Op::Linear { scale: vec![-1.0], offset: vec![last] }, from_end, path)?
    };
    let share = |single| builder.graph.push(Op::ShareOrZero, single, path);
    let probabilities = single.map(share).transpose()?;
    Ok(Output::Classification { classes, label, probabilities, scores })
}

/// From this version on the first of equal scores wins.
const FIRST_WINS: Version = Version(1, 8);

/// A classifier a pair of classes: votes, plus the sum of their confidences squeezed between -1/3 and 1/3.
pub fn one_vs_one(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let classes = estimator.cells("classes_")?;
    let count = classes.len();
    if estimator.get("pairwise_indices_").is_some() {
        return Err(estimator.unsupported("estimators of precomputed kernels"));
    }
    let members = members(builder, estimator, frame)?;
    if members.len() != count * count.saturating_sub(1) / 2 {
        return Err(estimator.malformed(format!("{} estimators for {count} classes", members.len())));
    }
    if members.len().saturating_mul(count) > inner::MOST_TABLE {
        return Err(Error::limit(format!("one-versus-one of {count} classes")).at(estimator.path.clone()));
    }
    let pairs: Vec<(usize, usize)> = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j))).collect();
    let predictions: Option<Vec<Wire>> = members.iter().map(|member| member.label).collect();
    let predictions = predictions.ok_or_else(|| estimator.unsupported("one-versus-one of regressors"))?;
    let confidences: Vec<Wire> = members.iter().map(|member| member.score).collect();
    // Pair k of (i, j): a prediction of 0 is a vote for i, of 1 for j; its confidence speaks against i and for j.
    let (mut votes, mut signs) = (vec![0.0; count * pairs.len()], vec![0.0; count * pairs.len()]);
    let mut certain = vec![0.0; count];
    for (k, &(i, j)) in pairs.iter().enumerate() {
        certain[i] += 1.0;
        for sums in [&mut votes, &mut signs] {
            sums[i * pairs.len() + k] = -1.0;
            sums[j * pairs.len() + k] = 1.0;
        }
    }
    let coef = Matrix::new(count, pairs.len(), votes)?;
    let votes = builder.graph.push(Op::Affine { coef, intercept: certain }, predictions, path)?;
    let coef = Matrix::new(count, pairs.len(), signs)?;
    let sums = builder.graph.push(Op::Affine { coef, intercept: vec![0.0; count] }, confidences, path)?;
    let squeezed = builder.graph.push(Op::Function(Function::Confidence), sums, path)?;
    let decision = inner::combine(builder, vec![votes, squeezed], vec![1.0; 2], 1.0, estimator)?;
    let (label, scores) = if count == 2 {
        let above = Op::Above { threshold: members[0].threshold };
        (builder.graph.push_one(above, vec![decision[1]], path)?, vec![decision[1]])
    } else {
        (builder.graph.push_one(Op::Argmax, decision.clone(), path)?, decision)
    };
    Ok(Output::Classification { classes, label, probabilities: None, scores: Some(scores) })
}

/// The class whose row of `code_book_` is nearest to the scores.
pub fn output_code(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let classes = estimator.cells("classes_")?;
    let members = members(builder, estimator, frame)?;
    let centers = estimator.matrix_over("code_book_", members.len())?;
    if centers.rows != classes.len() {
        return Err(estimator.malformed(format!(
            "code_book_ of {} rows for {} classes",
            centers.rows,
            classes.len()
        )));
    }
    let asked = members.iter().map(|member| member.score).collect();
    let distances = builder.graph.push(Op::Distances { centers, squared: true }, asked, &estimator.path)?;
    let label = builder.graph.push_one(Op::Argmin, distances, &estimator.path)?;
    Ok(Output::Classification { classes, label, probabilities: None, scores: None })
}

//! Ensembles that average, vote or stack what their members say (sklearn.ensemble): Bagging, Voting, Stacking. Bagged
//! trees become one forest, with the original's sums.

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, integers};
use super::inner::{self, Classifier, combine, mean, numpy_sum};
use super::trees::{self, Stored};
use crate::import::pickle::{Kind, Value};
use crate::model::{Aggregate, Cell, Op, Output, Tree, Wire};
use crate::{At, Result};

/// The members of a bagging ensemble, each with the places of the columns it was fitted on.
fn bagged<'h>(estimator: &Estimator<'h>, columns: usize) -> Result<Vec<(Value<'h>, Vec<i64>)>> {
    let members = estimator.list("estimators_")?;
    let features = estimator.list("estimators_features_")?;
    if members.is_empty() || members.len() != features.len() {
        let message = format!("{} lists of columns for {} estimators", features.len(), members.len());
        return Err(estimator.malformed(message));
    }
    let inside = |place: &i64| usize::try_from(*place).is_ok_and(|place| place < columns);
    let features = features.into_iter().map(|list| integers(list).filter(|list| list.iter().all(inside)));
    let features: Option<Vec<Vec<i64>>> = features.collect();
    let features =
        features.ok_or_else(|| estimator.malformed("estimators_features_ names columns that do not come in"))?;
    Ok(members.into_iter().zip(features).collect())
}

fn pick(frame: &Frame, features: &[i64]) -> Frame {
    frame.pick(&features.iter().map(|&place| place as usize).collect::<Vec<_>>())
}

/// Bagged trees as one forest; `leaf` writes the values of a tree's node.
fn forest(
    builder: &mut Builder,
    estimator: &Estimator,
    frame: &Frame,
    members: &[(Value, Vec<i64>)],
    outputs: impl Fn(&Estimator, &Stored) -> Result<usize>,
    leaf: impl Fn(&Estimator, &Stored, usize, &mut Vec<f64>),
) -> Result<Vec<Wire>> {
    let mut made: Vec<Tree> = Vec::with_capacity(members.len());
    let (mut missing, mut width) = (true, None);
    for (number, (value, features)) in members.iter().enumerate() {
        let tree = Estimator::new(*value, &format!("tree {number}"), Some(estimator))?;
        builder.count(&tree)?;
        let stored = Stored::read(&tree)?;
        missing &= trees::takes_missing(&tree, std::slice::from_ref(&stored));
        let own = outputs(&tree, &stored)?;
        if *width.get_or_insert(own) != own {
            return Err(tree.malformed("trees of different numbers of outputs"));
        }
        stored.room_for(own).at(|| tree.path.clone())?;
        let place = || format!("{}, tree {number}", estimator.path);
        made.push(stored.tree(Some(features), |node, values| leaf(&tree, &stored, node, values)).at(place)?);
    }
    let mean = Aggregate::Divide(made.len() as f64);
    let ensemble = trees::ensemble(made, frame.len(), width.unwrap_or(0), mean, missing);
    builder.graph.push(Op::Trees(ensemble), frame.wires.clone(), &estimator.path)
}

fn all_trees(members: &[(Value, Vec<i64>)]) -> bool {
    trees::all_trees(&members.iter().map(|member| member.0).collect::<Vec<_>>())
}

/// The mean of the members' values.
pub fn bagging_regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let members = bagged(estimator, frame.len())?;
    let values = if all_trees(&members) {
        let outputs = |_: &Estimator, stored: &Stored| Ok(stored.outputs);
        forest(builder, estimator, frame, &members, outputs, |_, stored, node, values| {
            values.extend((0..stored.outputs).map(|output| stored.value(node, output)[0]));
        })?
    } else {
        let mut groups = Vec::with_capacity(members.len());
        for (number, (value, features)) in members.into_iter().enumerate() {
            let step = format!("estimator {number}");
            groups.push(inner::regressor(builder, value, &step, estimator, &pick(frame, &features))?);
        }
        mean(builder, groups, estimator)?
    };
    Ok(Output::Regression { values, names: Vec::new() })
}

/// The mean of the members' probabilities, each at the class it stands for; without probabilities the share of votes.
/// Where the members have a decision function, its mean is the score.
pub fn bagging_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let classes = estimator.cells("classes_")?;
    let count = classes.len();
    let members = bagged(estimator, frame.len())?;
    let mut scores = None;
    let probabilities = if all_trees(&members) {
        let places = |tree: &Estimator| -> Result<Vec<usize>> { encoded(&tree.cells("classes_")?, count, estimator) };
        let outputs = |tree: &Estimator, stored: &Stored| {
            if stored.outputs != 1 || stored.classes != places(tree)?.len() {
                return Err(tree.malformed(format!("values of other classes than {count} labels")));
            }
            Ok(count)
        };
        forest(builder, estimator, frame, &members, outputs, |tree, stored, node, values| {
            let mut own = Vec::with_capacity(count);
            trees::fractions(stored.value(node, 0), tree.version, &mut own);
            let start = values.len();
            values.resize(start + count, 0.0);
            // `outputs` has read the same places without error.
            for (place, fraction) in places(tree).unwrap_or_default().into_iter().zip(own) {
                values[start + place] = fraction;
            }
        })?
    } else {
        let (mut groups, mut decisions) = (Vec::new(), Vec::new());
        for (number, (value, features)) in members.into_iter().enumerate() {
            let step = format!("estimator {number}");
            let member = inner::classifier(builder, value, &step, estimator, &pick(frame, &features))?;
            let places = encoded(&member.classes, count, estimator)?;
            groups.push(match member.spread(builder, &places, count, estimator)? {
                Some(probabilities) => probabilities,
                None => member.votes(builder, &places, count, estimator)?,
            });
            decisions.extend(member.scores.filter(|_| places.len() == count));
        }
        if decisions.len() == groups.len() {
            scores = Some(mean(builder, decisions, estimator)?);
        }
        mean(builder, groups, estimator)?
    };
    let label = builder.graph.push_one(Op::Argmax, probabilities.clone(), path)?;
    Ok(Output::Classification { classes, label, probabilities: Some(probabilities), scores })
}

/// Where each class stands among the owner's `count`: an ensemble trains its members on these places.
fn encoded(classes: &[Cell], count: usize, owner: &Estimator) -> Result<Vec<usize>> {
    let place = |class: &Cell| {
        let number = class.number().filter(|number| number.fract() == 0.0 && *number >= 0.0)?;
        Some(number as usize).filter(|&place| place < count)
    };
    let places: Option<Vec<usize>> = classes.iter().map(place).collect();
    places.ok_or_else(|| owner.malformed(format!("an estimator's classes are not places among the {count} classes")))
}

/// Names and members that are not dropped: the names of `estimators` beside the fitted `estimators_`.
fn named<'h>(estimator: &Estimator<'h>) -> Result<Vec<(String, Value<'h>)>> {
    let fitted = estimator.list("estimators_")?;
    let mut names = Vec::new();
    for pair in estimator.list("estimators")? {
        let mut parts = pair.items().into_iter().flatten();
        match (parts.next().and_then(Value::as_str), parts.next()) {
            (Some(_), Some(value)) if value.as_str() == Some("drop") || value.is_none() => {}
            (Some(name), Some(_)) => names.push(name.to_string()),
            _ => return Err(estimator.malformed("estimators is not a list of names and estimators")),
        }
    }
    if fitted.is_empty() || names.len() != fitted.len() {
        return Err(estimator.malformed(format!("{} names for {} estimators", names.len(), fitted.len())));
    }
    Ok(names.into_iter().zip(fitted).collect())
}

/// `weights` without those of dropped members; ones where there are none. With it what the sum is divided by.
fn weights(estimator: &Estimator, count: usize) -> Result<(Vec<f64>, f64)> {
    let Some(all) = estimator.maybe_f64s("weights")? else { return Ok((vec![1.0; count], count as f64)) };
    let dropped: Vec<bool> = estimator
        .list("estimators")?
        .into_iter()
        .map(|pair| pair.items().and_then(|parts| parts.get(1)).is_none_or(|value| value.as_str() == Some("drop")))
        .collect();
    let kept: Vec<f64> =
        all.iter().zip(&dropped).filter(|(_, dropped)| !**dropped).map(|(weight, _)| *weight).collect();
    if all.len() != dropped.len() || kept.len() != count {
        return Err(estimator.malformed(format!("{} weights for {} estimators", all.len(), dropped.len())));
    }
    let total = numpy_sum(&kept);
    Ok((kept, total))
}

/// The members' probabilities or, with hard voting, votes; and as columns what `transform` gives.
struct Ballots {
    /// The columns of each member.
    groups: Vec<Vec<Wire>>,
    /// What each member passes on where the ensemble is used as a transformer.
    columns: Vec<(String, Vec<Wire>)>,
}

fn ballots(builder: &mut Builder, estimator: &Estimator, frame: &Frame, transform: bool) -> Result<Ballots> {
    let count = estimator.cells("classes_")?.len();
    let soft = estimator.str("voting")? == "soft";
    let mut ballots = Ballots { groups: Vec::new(), columns: Vec::new() };
    for (name, value) in named(estimator)? {
        let member = inner::classifier(builder, value, &name, estimator, frame)?;
        let places = encoded(&member.classes, count, estimator)?;
        let group = if soft {
            let probabilities = member.spread(builder, &places, count, estimator)?;
            probabilities.ok_or_else(|| estimator.unsupported(format!("{name} has no probabilities")))?
        } else {
            member.votes(builder, &places, count, estimator)?
        };
        if transform {
            let columns = if soft { group.clone() } else { vec![member.value(builder, estimator)?] };
            ballots.columns.push((name, columns));
        }
        ballots.groups.push(group);
    }
    Ok(ballots)
}

/// Soft: the weighted mean of the probabilities. Hard: the class with the most weight of votes, the first of equals.
pub fn voting_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let classes = estimator.cells("classes_")?;
    let groups = ballots(builder, estimator, frame, false)?.groups;
    let (weights, total) = weights(estimator, groups.len())?;
    let soft = match estimator.str("voting")? {
        "soft" => true,
        "hard" => false,
        other => return Err(estimator.unsupported(format!("voting='{other}'"))),
    };
    let sums = combine(builder, groups, weights, if soft { total } else { 1.0 }, estimator)?;
    let label = builder.graph.push_one(Op::Argmax, sums.clone(), &estimator.path)?;
    Ok(Output::Classification { classes, label, probabilities: soft.then_some(sums), scores: None })
}

/// Each member's probabilities (hard voting: labels) side by side.
pub fn voting_transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let columns = ballots(builder, estimator, frame, true)?.columns;
    Ok(side_by_side(estimator, columns))
}

fn side_by_side(estimator: &Estimator, columns: Vec<(String, Vec<Wire>)>) -> Frame {
    let class = estimator.class.to_lowercase();
    let mut made = Frame { wires: Vec::new(), names: Vec::new() };
    for (name, wires) in columns {
        match wires.len() {
            1 => made.names.push(format!("{class}_{name}")),
            count => made.names.extend((0..count).map(|number| format!("{class}_{name}{number}"))),
        }
        made.wires.extend(wires);
    }
    made
}

/// The weighted mean of the members' values.
pub fn voting_regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let mut groups = Vec::new();
    for (name, value) in named(estimator)? {
        groups.push(inner::regressor(builder, value, &name, estimator, frame)?);
    }
    let (weights, total) = weights(estimator, groups.len())?;
    let values = combine(builder, groups, weights, total, estimator)?;
    Ok(Output::Regression { values, names: Vec::new() })
}

pub fn voting_regressor_transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let mut columns = Vec::new();
    for (name, value) in named(estimator)? {
        columns.push((name.clone(), inner::regressor(builder, value, &name, estimator, frame)?));
    }
    Ok(side_by_side(estimator, columns))
}

/// What the members say by their `stack_method_`, side by side, then the input itself with `passthrough`. Of two
/// classes' probabilities only the second is passed on.
pub fn stacking_transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let methods = estimator.list("stack_method_")?;
    let methods: Vec<&str> = methods.into_iter().filter_map(Value::as_str).collect();
    let members = named(estimator)?;
    if methods.len() != members.len() {
        return Err(estimator.malformed(format!("{} stack methods for {} estimators", methods.len(), members.len())));
    }
    let mut columns = Vec::new();
    for ((name, value), method) in members.into_iter().zip(methods) {
        let said = match builder.predict(value, &name, Some(estimator), frame)? {
            Output::Regression { values, .. } => values,
            Output::Classification { classes, label, probabilities, scores } => {
                let member = Classifier { classes, label, probabilities, scores };
                let none = || estimator.unsupported(format!("{name} has no {method}"));
                match method {
                    "predict_proba" => {
                        let probabilities = member.probabilities.ok_or_else(none)?;
                        if probabilities.len() == 2 { probabilities[1..].to_vec() } else { probabilities }
                    }
                    "decision_function" => member.scores.ok_or_else(none)?,
                    "predict" => vec![member.value(builder, estimator)?],
                    other => return Err(estimator.unsupported(format!("the stack method '{other}'"))),
                }
            }
            other => return Err(estimator.unsupported(format!("{name} predicts {}", other.task()))),
        };
        columns.push((name, said));
    }
    let mut made = side_by_side(estimator, columns);
    if estimator.bool_or("passthrough", false)? {
        made.extend(frame.clone());
    }
    Ok(made)
}

/// The final estimator over the members' predictions; it was trained on the places of the classes.
pub fn stacking_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let encoder = if estimator.get("_label_encoder").is_some() { "_label_encoder" } else { "_le" };
    let encoder = estimator.need(encoder)?;
    if matches!(encoder.kind(), Kind::List(_)) {
        return Err(estimator.unsupported("stacking for several labels at once"));
    }
    let classes = Estimator::new(encoder, "label encoder", Some(estimator))?.cells("classes_")?;
    let stacked = stacking_transform(builder, estimator, frame)?;
    let step = "final_estimator_";
    let last = inner::classifier(builder, estimator.need(step)?, step, estimator, &stacked)?;
    let places = encoded(&last.classes, classes.len(), estimator)?;
    let classes = places.into_iter().map(|place| classes[place].clone()).collect();
    Ok(Output::Classification { classes, label: last.label, probabilities: last.probabilities, scores: last.scores })
}

pub fn stacking_regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let stacked = stacking_transform(builder, estimator, frame)?;
    let step = "final_estimator_";
    let values = inner::regressor(builder, estimator.need(step)?, step, estimator, &stacked)?;
    Ok(Output::Regression { values, names: Vec::new() })
}

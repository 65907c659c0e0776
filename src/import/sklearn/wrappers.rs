//! Estimators around one other: searches, thresholds, transformed targets, frozen ones (sklearn.model_selection,
//! sklearn.compose, sklearn.frozen).

use super::builder::{Builder, Frame};
use super::compose;
use super::estimator::{Estimator, cell};
use super::inner::{self, at_least};
use crate::Result;
use crate::import::pickle::Value;
use crate::model::{Function, Op, Output, Outside, Power, Wire};

fn best<'h>(estimator: &Estimator<'h>) -> Result<Value<'h>> {
    estimator.get("best_estimator_").ok_or_else(|| {
        estimator
            .unsupported(format!("{} without best_estimator_", estimator.class))
            .remedy("Search with refit=True, or fit the best parameters and save that model.")
    })
}

pub fn search(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    builder.predict(best(estimator)?, "best_estimator_", Some(estimator), frame)
}

pub fn search_transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    builder.transform(best(estimator)?, "best_estimator_", Some(estimator), frame)
}

pub fn frozen(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    builder.predict(estimator.need("estimator")?, "estimator", Some(estimator), frame)
}

pub fn frozen_transform(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    builder.transform(estimator.need("estimator")?, "estimator", Some(estimator), frame)
}

/// The positive label where the score is at least `threshold`, else the other one.
pub fn fixed_threshold(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let name = if estimator.get("estimator_").is_some() { "estimator_" } else { "estimator" };
    let threshold = match estimator.maybe_str("threshold") {
        Some("auto") => None,
        _ => Some(estimator.f64("threshold")?),
    };
    threshold_classifier(builder, estimator, frame, name, threshold, estimator.get("pos_label"))
}

/// As `fixed_threshold`, with `best_threshold_` and the positive label of the scorer it was tuned by.
pub fn tuned_threshold(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let threshold = Some(estimator.f64("best_threshold_")?);
    let scorer = estimator.need("_curve_scorer")?;
    let positive = scorer.attr("_kwargs").and_then(|arguments| arguments.get("pos_label"));
    let positive = positive.filter(|value| !value.is_none());
    threshold_classifier(builder, estimator, frame, "estimator_", threshold, positive)
}

fn threshold_classifier(
    builder: &mut Builder,
    estimator: &Estimator,
    frame: &Frame,
    name: &str,
    threshold: Option<f64>,
    positive: Option<Value>,
) -> Result<Output> {
    let path = &estimator.path;
    let member = inner::classifier(builder, estimator.need(name)?, name, estimator, frame)?;
    let [first, second] = &member.classes[..] else {
        return Err(estimator.malformed(format!("{} classes; two are expected", member.classes.len())));
    };
    let positive = match positive.map(|value| cell(value).ok_or_else(|| estimator.malformed("pos_label"))) {
        None => 1,
        Some(label) => match label? {
            label if label == *second => 1,
            label if label == *first => 0,
            label => return Err(estimator.malformed(format!("pos_label {label} is not among the classes"))),
        },
    };
    let response = estimator.str("response_method")?;
    let by_probability = match response {
        "auto" => member.probabilities.is_some(),
        "predict_proba" => true,
        "decision_function" => false,
        other => return Err(estimator.unsupported(format!("response_method='{other}'"))),
    };
    let score: Option<Wire> = if by_probability {
        member.probabilities.as_ref().and_then(|wires| wires.get(positive).copied())
    } else {
        match (member.scores.as_deref(), positive) {
            (Some(&[score]), 1) => Some(score),
            (Some(&[score]), _) => {
                Some(builder.graph.push_one(Op::Function(Function::Negative), vec![score], path)?)
            }
            _ => None,
        }
    };
    let score = score.ok_or_else(|| estimator.unsupported(format!("{name} has no {response}")))?;
    let threshold = threshold.unwrap_or(if by_probability { 0.5 } else { 0.0 });
    let mut label = builder.graph.push(at_least(threshold), vec![score], path)?;
    if positive == 0 {
        label = builder.graph.push(Op::Linear { scale: vec![-1.0], offset: vec![1.0] }, label, path)?;
    }
    Ok(Output::Classification {
        classes: member.classes,
        label: label[0],
        probabilities: member.probabilities,
        scores: member.scores,
    })
}

/// The regressor's values, carried back by the transformer's inverse.
pub fn transformed_target(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let step = "regressor_";
    let values = inner::regressor(builder, estimator.need(step)?, step, estimator, frame)?;
    let step = "transformer_";
    let values = builder.visit(estimator.need(step)?, step, Some(estimator), |builder, transformer| {
        inverse(builder, transformer, values)
    })?;
    Ok(Output::Regression { values, names: Vec::new() })
}

/// `inverse_transform`, column by column.
fn inverse(builder: &mut Builder, transformer: &Estimator, wires: Vec<Wire>) -> Result<Vec<Wire>> {
    let path = &transformer.path;
    let count = wires.len();
    let whole = |name: &str| -> Result<Vec<f64>> { transformer.f64s(name) };
    let ops = match transformer.class {
        "FunctionTransformer" => match transformer.get("inverse_func") {
            None => Vec::new(),
            Some(function) => vec![Op::Function(compose::numpy_function(transformer, function, "inv_kw_args")?)],
        },
        "StandardScaler" => {
            let scale = if transformer.bool("with_std")? { whole("scale_")? } else { vec![1.0; count] };
            let mean = if transformer.bool("with_mean")? { whole("mean_")? } else { vec![0.0; count] };
            vec![Op::Linear { scale, offset: mean }]
        }
        "RobustScaler" => {
            let scale = if transformer.bool("with_scaling")? { whole("scale_")? } else { vec![1.0; count] };
            let center = if transformer.bool("with_centering")? { whole("center_")? } else { vec![0.0; count] };
            vec![Op::Linear { scale, offset: center }]
        }
        "MaxAbsScaler" => vec![Op::Linear { scale: whole("scale_")?, offset: vec![0.0; count] }],
        "MinMaxScaler" => vec![Op::Standardize { mean: Some(whole("min_")?), scale: Some(whole("scale_")?) }],
        "QuantileTransformer" => return inverse_quantiles(builder, transformer, wires),
        "PowerTransformer" => {
            let method = match transformer.str("method")? {
                "yeo-johnson" => Power::YeoJohnson,
                "box-cox" => Power::BoxCox,
                other => return Err(transformer.unsupported(format!("method='{other}'"))),
            };
            let power = Op::InversePower { method, lambdas: whole("lambdas_")? };
            let mut wires = wires;
            if transformer.bool("standardize")? {
                let step = "_scaler";
                wires = builder.visit(transformer.need(step)?, step, Some(transformer), |builder, scaler| {
                    inverse(builder, scaler, wires)
                })?;
            }
            return builder.graph.push(power, wires, path);
        }
        "Pipeline" => {
            let mut wires = wires;
            for (name, parts) in compose::steps(transformer, "steps")?.into_iter().rev() {
                if !compose::passes(parts[0]) {
                    wires = builder
                        .visit(parts[0], name, Some(transformer), |builder, step| inverse(builder, step, wires))?;
                }
            }
            return Ok(wires);
        }
        other => return Err(transformer.unsupported(format!("the inverse of {other} is not supported"))),
    };
    ops.into_iter().try_fold(wires, |wires, op| builder.graph.push(op, wires, path))
}

/// From places in the distribution back to quantiles, column by column. Of the normal distribution, what lies within
/// 1e-7 of an end is that end.
fn inverse_quantiles(builder: &mut Builder, transformer: &Estimator, wires: Vec<Wire>) -> Result<Vec<Wire>> {
    const NEAR: f64 = 1e-7;
    let path = &transformer.path;
    let normal = match transformer.str("output_distribution")? {
        "normal" => true,
        "uniform" => false,
        other => return Err(transformer.unsupported(format!("output_distribution='{other}'"))),
    };
    let references = transformer.f64s("references_")?;
    let quantiles = transformer.matrix_over("quantiles_", wires.len())?;
    let count = references.len();
    if quantiles.rows != count || count < 2 {
        return Err(transformer.malformed(format!("{} quantiles for {count} references", quantiles.rows)));
    }
    let mut made = Vec::with_capacity(wires.len());
    for (column, wire) in wires.into_iter().enumerate() {
        let y: Vec<f64> = (0..count).map(|row| quantiles.row(row)[column]).collect();
        if !normal {
            let op = Op::Interpolate { x: references.clone(), y, outside: Outside::Clip };
            made.push(builder.graph.push_one(op, vec![wire], path)?);
            continue;
        }
        let place = builder.graph.push(Op::Function(Function::NormalCdf), vec![wire], path)?;
        let (low, high) = (NEAR, 1.0 - NEAR);
        let at = |x: f64, from: usize| {
            let slope = (y[from + 1] - y[from]) / (references[from + 1] - references[from]);
            slope * (x - references[from]) + y[from]
        };
        let inner = (0..count).filter(|&place| low < references[place] && references[place] < high);
        let inner = inner.map(|place| (references[place], y[place]));
        let (first, last) = (y[0], y[count - 1]);
        let points: Vec<(f64, f64)> = [(low.next_down(), first), (low, at(low, 0))]
            .into_iter()
            .chain(inner)
            .chain([(high, at(high, count - 2)), (high.next_up(), last)])
            .collect();
        let (x, y) = points.into_iter().unzip();
        made.push(builder.graph.push_one(Op::Interpolate { x, y, outside: Outside::Clip }, place, path)?);
    }
    Ok(made)
}

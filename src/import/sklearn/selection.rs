//! Feature selection (sklearn.feature_selection): which columns go on. No step is made of it.

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, numbers};
use super::trees::Stored;
use crate::import::pickle::{DtypeKind, Value};
use crate::import::{lightgbm, xgboost};
use crate::model::{Matrix, Output};
use crate::{Error, Result};

/// The columns that `keep` is true for.
fn keep(estimator: &Estimator, frame: &Frame, keep: &[bool]) -> Result<Frame> {
    if keep.len() != frame.len() {
        return Err(estimator.malformed(format!("a selection from {} columns of {}", keep.len(), frame.len())));
    }
    let places: Vec<usize> = (0..keep.len()).filter(|&place| keep[place]).collect();
    Ok(frame.pick(&places))
}

/// `support_`, as recursive and sequential selection store it.
pub fn by_support(_: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let support = estimator.array("support_")?;
    if support.kind() != DtypeKind::Bool {
        return Err(estimator.malformed(format!("support_ is {}; booleans are expected", support.describe())));
    }
    keep(estimator, frame, &support.bools()?)
}

/// The estimator that was fitted last, over the selected columns.
pub fn recursive(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let selected = by_support(builder, estimator, frame)?;
    builder.predict(estimator.need("estimator_")?, "estimator", Some(estimator), &selected)
}

pub fn by_variance(_: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let threshold = estimator.f64("threshold")?;
    let variances = estimator.f64s("variances_")?;
    keep(estimator, frame, &variances.iter().map(|&variance| variance > threshold).collect::<Vec<_>>())
}

pub fn k_best(_: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let k = estimator.need("k")?;
    keep(estimator, frame, &of_k(estimator, k)?)
}

pub fn percentile(_: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let percent = estimator.f64("percentile")?;
    keep(estimator, frame, &of_percentile(estimator, percent)?)
}

pub fn false_positive_rate(_: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let alpha = estimator.f64("alpha")?;
    keep(estimator, frame, &of_rate(estimator, "fpr", alpha)?)
}

pub fn false_discovery_rate(_: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let alpha = estimator.f64("alpha")?;
    keep(estimator, frame, &of_rate(estimator, "fdr", alpha)?)
}

pub fn family_wise_error(_: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let alpha = estimator.f64("alpha")?;
    keep(estimator, frame, &of_rate(estimator, "fwe", alpha)?)
}

/// One of the others, by `mode`.
pub fn univariate(_: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let param = estimator.need("param")?;
    let kept = match estimator.str("mode")? {
        "k_best" => of_k(estimator, param)?,
        "percentile" => of_percentile(estimator, estimator.f64("param")?)?,
        mode @ ("fpr" | "fdr" | "fwe") => of_rate(estimator, mode, estimator.f64("param")?)?,
        other => return Err(estimator.not_among("mode", other, "mode k_best, percentile, fpr, fdr or fwe")),
    };
    keep(estimator, frame, &kept)
}

/// `scores_` with NaN as the least.
fn scores(estimator: &Estimator) -> Result<Vec<f64>> {
    let scores = estimator.f64s("scores_")?;
    Ok(scores.into_iter().map(|score| if score.is_nan() { f64::MIN } else { score + 0.0 }).collect())
}

/// The k highest; of equal scores the later columns.
fn of_k(estimator: &Estimator, k: Value) -> Result<Vec<bool>> {
    let scores = scores(estimator)?;
    if k.as_str() == Some("all") {
        return Ok(vec![true; scores.len()]);
    }
    let k = k
        .as_i64()
        .and_then(|k| usize::try_from(k).ok())
        .ok_or_else(|| estimator.malformed(format!("k is {}; a count or 'all' is expected", k.describe())))?;
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let mut kept = vec![false; scores.len()];
    order.iter().rev().take(k).for_each(|&place| kept[place] = true);
    Ok(kept)
}

/// Above the percentile; columns that are exactly there fill up from the left.
fn of_percentile(estimator: &Estimator, percent: f64) -> Result<Vec<bool>> {
    let scores = scores(estimator)?;
    if percent == 100.0 || percent == 0.0 || scores.is_empty() {
        return Ok(vec![percent == 100.0; scores.len()]);
    }
    if !(0.0..=100.0).contains(&percent) {
        return Err(estimator.malformed(format!("a percentile of {percent}")));
    }
    let threshold = quantile(&scores, (100.0 - percent) / 100.0);
    let mut kept: Vec<bool> = scores.iter().map(|&score| score > threshold).collect();
    let above = kept.iter().filter(|&&kept| kept).count();
    let room = ((scores.len() as f64 * percent / 100.0) as usize).saturating_sub(above);
    let ties: Vec<usize> = (0..scores.len()).filter(|&place| scores[place] == threshold).take(room).collect();
    ties.into_iter().for_each(|place| kept[place] = true);
    Ok(kept)
}

/// numpy's `quantile`, linear between order statistics.
fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = at * (sorted.len() - 1) as f64;
    let (low, part) = (place.floor(), place - place.floor());
    let (a, b) = (sorted[low as usize], sorted[(low as usize + 1).min(sorted.len() - 1)]);
    if part >= 0.5 { b - (b - a) * (1.0 - part) } else { a + (b - a) * part }
}

/// By p-values, whose false positives are limited each (fpr), in rate (fdr, Benjamini and Hochberg) or together (fwe).
fn of_rate(estimator: &Estimator, rate: &str, alpha: f64) -> Result<Vec<bool>> {
    let p = estimator.f64s("pvalues_")?;
    let count = p.len() as f64;
    Ok(match rate {
        "fpr" => p.iter().map(|&p| p < alpha).collect(),
        "fwe" => p.iter().map(|&p| p < alpha / count).collect(),
        _ => {
            let mut sorted = p.clone();
            sorted.sort_by(f64::total_cmp);
            let step = alpha / count;
            let selected = sorted.iter().enumerate().filter(|&(place, &p)| p <= step * (place + 1) as f64);
            let most = selected.map(|(_, &p)| p).reduce(f64::max);
            p.iter().map(|&p| most.is_some_and(|most| p <= most)).collect()
        }
    })
}

/// The columns whose importance in a fitted model reaches a threshold.
pub fn from_model(_: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let (name, value) = match estimator.get("estimator_") {
        Some(value) => ("estimator_", value),
        None => ("estimator", estimator.need("estimator")?),
    };
    let model = Estimator::new(value, name, Some(estimator))?;
    let importances = importances(estimator, &model)?;
    let threshold = threshold(estimator, &model, &importances)?;
    // XGBoost's are f32, and here nearly so.
    let near = |x: &f64| *x != threshold && (x - threshold).abs() <= 1e-5 * threshold.abs();
    if model.module.starts_with("xgboost") && importances.iter().any(near) {
        return Err(estimator.unsupported("an importance as large as the threshold, but for rounding"));
    }
    let mut kept: Vec<bool> = importances.iter().map(|&importance| importance >= threshold).collect();
    if estimator.get("max_features").is_some() {
        let most = match estimator.get("max_features_") {
            Some(_) => estimator.usize("max_features_")?,
            None => estimator.usize("max_features")?,
        };
        let mut order: Vec<usize> = (0..kept.len()).collect();
        order.sort_by(|&a, &b| importances[b].total_cmp(&importances[a]));
        order.into_iter().skip(most).for_each(|place| kept[place] = false);
    }
    keep(estimator, frame, &kept)
}

/// What `importance_getter` names, the norm over the rows where there are several.
fn importances(estimator: &Estimator, model: &Estimator) -> Result<Vec<f64>> {
    let path = match estimator.get("importance_getter") {
        None => "auto",
        Some(_) => estimator.choice("importance_getter")?,
    };
    let (steps, attribute) = path.rsplit_once('.').unwrap_or(("", path));
    let mut model = model.clone();
    let mut steps = steps.split('.').filter(|step| !step.is_empty());
    while let Some(step) = steps.next() {
        let value = match step {
            "named_steps" => named_step(&model, steps.next().unwrap_or_default()),
            step => model.get(step),
        };
        let value = value.ok_or_else(|| estimator.malformed(format!("importance_getter='{path}' leads nowhere")))?;
        model = Estimator::new(value, step, Some(&model))?;
    }
    let stored = if attribute == "auto" { "coef_" } else { attribute };
    if model.get(stored).is_some() {
        return norms(estimator, &model.array(stored)?.shape, model.matrix(stored)?);
    }
    if attribute == "feature_importances_" || attribute == "auto" {
        return match model.module.split('.').next() {
            Some("xgboost") => xgboost::importances(&model),
            Some("lightgbm") => lightgbm::importances(&model),
            Some("sklearn") => of_trees(&model),
            _ => Err(computed(&model)),
        };
    }
    Err(model.unsupported(format!("{attribute} of {} is computed by it, not stored", model.class)))
}

fn named_step<'h>(pipeline: &Estimator<'h>, name: &str) -> Option<Value<'h>> {
    let mut steps = pipeline.get("steps")?.items()?.filter_map(|step| step.items());
    steps.find(|step| step.get(0).and_then(Value::as_str) == Some(name))?.get(1)
}

/// Absolute values of a vector, or each column's norm of order `norm_order`.
fn norms(estimator: &Estimator, shape: &[usize], matrix: Matrix) -> Result<Vec<f64>> {
    let columns: Vec<Vec<f64>> = (0..matrix.columns)
        .map(|column| (0..matrix.rows).map(|row| matrix.row(row)[column].abs()).collect())
        .collect();
    if shape.len() == 1 {
        return Ok(columns.concat());
    }
    let order = if estimator.get("norm_order").is_some() { estimator.f64("norm_order")? } else { 1.0 };
    let norm = |values: &Vec<f64>| {
        let sum = |power: f64| values.iter().fold(0.0, |sum, x| sum + x.powf(power));
        match order {
            1.0 => values.iter().fold(0.0, |sum, x| sum + x),
            2.0 => values.iter().fold(0.0, |sum, x| sum + x * x).sqrt(),
            f64::INFINITY => values.iter().copied().fold(0.0, f64::max),
            f64::NEG_INFINITY => values.iter().copied().fold(f64::INFINITY, f64::min),
            order => sum(order).powf(1.0 / order),
        }
    };
    Ok(columns.iter().map(norm).collect())
}

/// `threshold`, a number or like "1.25*median"; without one 1e-5 for models with an L1 penalty, else the mean.
fn threshold(estimator: &Estimator, model: &Estimator, importances: &[f64]) -> Result<f64> {
    let Some(value) = estimator.get("threshold") else {
        return Ok(if has_l1_penalty(model)? { 1e-5 } else { mean(importances) });
    };
    let Some(text) = value.as_str() else { return estimator.f64("threshold") };
    let (scale, reference) = match text.split_once('*') {
        Some((scale, reference)) => (scale.trim().parse().ok(), reference.trim()),
        None => (Some(1.0), text),
    };
    let reference = match reference {
        "mean" => Some(mean(importances)),
        "median" if !importances.is_empty() => Some(median(importances)),
        _ => None,
    };
    match (scale, reference) {
        (Some(scale), Some(reference)) => Ok(scale * reference),
        _ => Err(estimator.malformed(format!("threshold='{text}'"))),
    }
}

fn has_l1_penalty(model: &Estimator) -> Result<bool> {
    if model.maybe_str("penalty") == Some("l1") || model.class.contains("Lasso") {
        return Ok(true);
    }
    let is_one = |name: &str| -> Result<bool> {
        let ratios = model.maybe_f64s(name)?.unwrap_or_default();
        Ok(!ratios.is_empty() && ratios.iter().all(|ratio| (ratio - 1.0).abs() <= 1e-8 + 1e-5))
    };
    Ok(match model.class {
        "LogisticRegression" if model.version >= super::estimator::Version(1, 8) => is_one("l1_ratio")?,
        "LogisticRegressionCV" if model.version >= super::estimator::Version(1, 8) => is_one("l1_ratio_")?,
        "ElasticNetCV" => is_one("l1_ratio_")?,
        class if class.contains("ElasticNet") => is_one("l1_ratio")?,
        _ => false,
    })
}

fn mean(values: &[f64]) -> f64 {
    sum(values) / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { mean(&sorted[half - 1..=half]) }
}

/// numpy's sum, in its order: a column that is exactly average is on one side of the mean or the other by it.
fn sum(values: &[f64]) -> f64 {
    if values.len() < 8 {
        return values.iter().fold(0.0, |sum, x| sum + x);
    }
    if values.len() > 128 {
        let half = values.len() / 2 / 8 * 8;
        return sum(&values[..half]) + sum(&values[half..]);
    }
    let mut sums = [0.0; 8];
    let eights = values.chunks_exact(8);
    let rest = eights.remainder();
    for eight in eights {
        sums.iter_mut().zip(eight).for_each(|(sum, x)| *sum += x);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, x| sum + x)
}

/// `feature_importances_` of trees, which scikit-learn computes from the impurities of their nodes.
fn of_trees(model: &Estimator) -> Result<Vec<f64>> {
    let normalized = |mut values: Vec<f64>| {
        let total = sum(&values);
        if total > 0.0 {
            values.iter_mut().for_each(|value| *value /= total);
        }
        values
    };
    let tree = |value: Value, number: usize| -> Result<Option<Vec<f64>>> {
        let tree = Estimator::new(value, &format!("tree {number}"), Some(model))?;
        let stored = Stored::read(&tree)?;
        // A tree that is one leaf does not count.
        Ok(if stored.nodes() > 1 { Some(stored.importances(&tree, tree.usize("n_features_in_")?)?) } else { None })
    };
    let features = || model.usize("n_features_in_");
    match model.class {
        "DecisionTreeClassifier" | "DecisionTreeRegressor" | "ExtraTreeClassifier" | "ExtraTreeRegressor" => {
            Ok(normalized(Stored::read(model)?.importances(model, features()?)?))
        }
        "RandomForestClassifier"
        | "RandomForestRegressor"
        | "ExtraTreesClassifier"
        | "ExtraTreesRegressor"
        | "GradientBoostingClassifier"
        | "GradientBoostingRegressor" => {
            let boosting = model.class.starts_with("Gradient");
            let (mut total, mut count) = (vec![0.0; features()?], 0.0);
            for (number, value) in model.list("estimators_")?.into_iter().enumerate() {
                if let Some(values) = tree(value, number)? {
                    let values = if boosting { values } else { normalized(values) };
                    add(model, &mut total, &values, 1.0)?;
                    count += 1.0;
                }
            }
            if count > 0.0 {
                total.iter_mut().for_each(|value| *value /= count);
            }
            Ok(normalized(total))
        }
        "AdaBoostClassifier" | "AdaBoostRegressor" => {
            let weights = numbers(model.need("estimator_weights_")?).unwrap_or_default();
            let mut total = vec![0.0; features()?];
            for ((number, value), weight) in model.list("estimators_")?.into_iter().enumerate().zip(&weights) {
                let part = Estimator::new(value, &format!("estimator {number}"), Some(model))?;
                add(model, &mut total, &of_trees(&part)?, *weight)?;
            }
            let norm = sum(&weights);
            total.iter_mut().for_each(|value| *value /= norm);
            Ok(total)
        }
        _ => Err(computed(model)),
    }
}

fn computed(model: &Estimator) -> Error {
    model
        .unsupported(format!("{} computes its importances itself; they are not in the file", model.class))
        .remedy("Put the selected columns' names into a ColumnTransformer instead of SelectFromModel.")
}

fn add(model: &Estimator, total: &mut [f64], values: &[f64], weight: f64) -> Result<()> {
    if values.len() != total.len() {
        return Err(Error::malformed(format!("importances of {} columns for {}", values.len(), total.len()))
            .at(model.path.clone()));
    }
    total.iter_mut().zip(values).for_each(|(total, value)| *total += weight * value);
    Ok(())
}

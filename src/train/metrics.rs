//! Held-out figures, as scikit-learn 1.9 defines them: pure functions of what was so and what was predicted.
//!
//! `tests/fixtures/metrics` holds scikit-learn's own values for the same rows. Classes are places in the model's list
//! of classes; probabilities and scores are row-major, one value a class. Sums run in row order, so the same rows
//! give the same bits.

use super::random::Random;
use super::report::{
    Anomaly, CalibrationBin, ClassMetrics, Classification, Cluster, Clustering, Curves, ErrorMetrics, Histogram,
    Regression, ThresholdRow, Thresholds,
};
use crate::{Error, Result};

/// Bins of a calibration curve.
const BINS: usize = 10;
/// Steps of the threshold table: 0, 0.01, … 1.
const STEPS: usize = 100;
/// Points of a drawn curve, and of a drawn cloud.
const CURVE: usize = 200;
const CLOUD: usize = 500;
/// Rows between which all distances are taken: 4 million distances, well below a second.
const SILHOUETTE: usize = 2000;

/// What was so and what was predicted of held-out rows.
pub struct Labelled<'a> {
    pub classes: &'a [String],
    /// The actual classes.
    pub truth: &'a [usize],
    /// The predicted ones, threshold included.
    pub predicted: &'a [usize],
    /// rows × classes.
    pub probabilities: Option<&'a [f64]>,
    /// The decision function of a model without probabilities: rows × classes, or one a row for two classes.
    pub scores: Option<&'a [f64]>,
    /// Of two classes, the one that the threshold speaks of.
    pub positive: usize,
    /// Rows of each class in the training part, for the baseline.
    pub train: &'a [u64],
    /// The threshold stored in the model and how it was chosen.
    pub threshold: Option<(f64, &'a str)>,
}

/// Judges a classifier.
///
/// # Errors
/// Where there are no rows or the parts do not fit together.
pub fn classification(held: &Labelled) -> Result<Classification> {
    let (rows, classes) = (held.truth.len(), held.classes.len());
    let fits = |values: Option<&[f64]>| values.is_none_or(|values| values.len() == rows * classes);
    let scores_fit = fits(held.scores) || (classes == 2 && held.scores.is_some_and(|scores| scores.len() == rows));
    let within = |labels: &[usize]| labels.len() == rows && labels.iter().all(|&label| label < classes);
    if rows == 0 || held.train.len() != classes || held.train.iter().all(|&count| count == 0) {
        return Err(Error::input("no held-out rows to judge by"));
    }
    if !within(held.truth) || !within(held.predicted) || !fits(held.probabilities) || !scores_fit {
        return Err(Error::input("the held-out predictions do not fit the held-out rows"));
    }
    if held.positive >= classes {
        return Err(Error::input("the positive class is none of the model's"));
    }
    let two = classes == 2;
    let mut support = vec![0u64; classes];
    let mut confusion = vec![vec![0u64; classes]; classes];
    for (&actual, &predicted) in held.truth.iter().zip(held.predicted) {
        support[actual] += 1;
        confusion[actual][predicted] += 1;
    }

    let column = |values: &[f64], class: usize| -> Vec<f64> {
        if values.len() == rows {
            // One decision value a row speaks of the second class.
            return values.iter().map(|&value| if class == 1 { value } else { -value }).collect();
        }
        values.iter().skip(class).step_by(classes).copied().collect()
    };
    let is = |class: usize| -> Vec<bool> { held.truth.iter().map(|&actual| actual == class).collect() };
    let spoken_of: Vec<usize> = if two { vec![held.positive] } else { (0..classes).collect() };
    let ranked = held.probabilities.or(held.scores);
    let curves = ranked.map_or(Vec::new(), |values| {
        spoken_of.iter().filter_map(|&class| curves(class, &is(class), &column(values, class))).collect()
    });

    let mut metrics = label_metrics(&confusion);
    if let Some(values) = ranked {
        metrics.roc_auc = mean_auc(spoken_of.iter().map(|&class| roc_auc(&is(class), &column(values, class))));
    }
    let (mut calibration, mut thresholds) = (Vec::new(), None);
    if let Some(probabilities) = held.probabilities {
        metrics.log_loss = Some(log_loss(held.truth, probabilities, classes));
        metrics.brier = Some(brier(held.truth, probabilities, classes));
        if two {
            let (truth, probability) = (is(held.positive), column(probabilities, held.positive));
            calibration = calibration_bins(&truth, &probability);
            thresholds = held.threshold.map(|(chosen, by)| Thresholds {
                rows: (0..=STEPS).map(|step| threshold_row(&truth, &probability, step_at(step))).collect(),
                chosen,
                chosen_by: by.to_owned(),
                at_chosen: threshold_row(&truth, &probability, chosen),
            });
        } else {
            let right: Vec<bool> = held.truth.iter().zip(held.predicted).map(|(a, b)| a == b).collect();
            let sure: Vec<f64> =
                held.predicted.iter().enumerate().map(|(row, p)| probabilities[row * classes + p]).collect();
            calibration = calibration_bins(&right, &sure);
        }
    }
    Ok(Classification {
        classes: held.classes.to_vec(),
        positive: two.then_some(held.positive),
        metrics,
        baseline: baseline(held, &support),
        support,
        confusion,
        calibration,
        thresholds,
        curves,
    })
}

/// The most frequent class of the training part for every row, its shares as probabilities.
fn baseline(held: &Labelled, support: &[u64]) -> ClassMetrics {
    let (rows, classes) = (held.truth.len(), held.classes.len());
    let total: u64 = held.train.iter().sum();
    let shares: Vec<f64> = held.train.iter().map(|&count| count as f64 / total as f64).collect();
    // The first of equally frequent ones, as scikit-learn's DummyClassifier.
    let frequent = (0..classes).max_by_key(|&class| (held.train[class], std::cmp::Reverse(class))).unwrap_or(0);
    let mut confusion = vec![vec![0; classes]; classes];
    for class in 0..classes {
        confusion[class][frequent] = support[class];
    }
    let mut metrics = label_metrics(&confusion);
    if held.probabilities.is_some() {
        let probabilities: Vec<f64> = shares.iter().copied().cycle().take(rows * classes).collect();
        metrics.log_loss = Some(log_loss(held.truth, &probabilities, classes));
        metrics.brier = Some(brier(held.truth, &probabilities, classes));
    }
    // Every row has the same score: no ranking at all.
    let ranked = held.probabilities.is_some() || held.scores.is_some();
    metrics.roc_auc = (ranked && support.iter().all(|&count| count > 0)).then_some(0.5);
    metrics
}

/// Accuracy, plain and balanced, of a confusion matrix.
fn label_metrics(confusion: &[Vec<u64>]) -> ClassMetrics {
    let total: u64 = confusion.iter().flatten().sum();
    let right: u64 = confusion.iter().enumerate().map(|(class, row)| row[class]).sum();
    let recalls: Vec<f64> = confusion
        .iter()
        .enumerate()
        .map(|(class, row)| (row[class], row.iter().sum::<u64>()))
        .filter(|(_, rows)| *rows > 0)
        .map(|(right, rows)| right as f64 / rows as f64)
        .collect();
    ClassMetrics {
        accuracy: right as f64 / total as f64,
        balanced_accuracy: Some(recalls.iter().sum::<f64>() / recalls.len() as f64),
        log_loss: None,
        roc_auc: None,
        brier: None,
    }
}

/// Mean negative log probability of the actual class; `truth` below `classes`, `probabilities` rows × classes.
pub fn log_loss(truth: &[usize], probabilities: &[f64], classes: usize) -> f64 {
    let loss = |(row, &class): (usize, &usize)| {
        -probabilities[row * classes + class].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
    };
    truth.iter().enumerate().map(loss).sum::<f64>() / truth.len() as f64
}

/// Two classes: mean squared error of one class's probability. More: summed over the classes.
pub fn brier(truth: &[usize], probabilities: &[f64], classes: usize) -> f64 {
    let squares = truth.iter().zip(probabilities.chunks_exact(classes)).map(|(&actual, row)| {
        row.iter().enumerate().map(|(class, p)| (p - f64::from(u8::from(class == actual))).powi(2)).sum::<f64>()
    });
    squares.sum::<f64>() / truth.len() as f64 / if classes == 2 { 2.0 } else { 1.0 }
}

fn mean_auc(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values = values.collect::<Option<Vec<f64>>>()?;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Places by falling score; what is not a number comes last.
fn by_score(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let key = |place: usize| if scores[place].is_nan() { f64::NEG_INFINITY } else { scores[place] };
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    order
}

/// True and false positives after each distinct score, from the highest on.
fn steps(truth: &[bool], scores: &[f64]) -> Vec<(u64, u64)> {
    let order = by_score(scores);
    let mut steps = Vec::new();
    let (mut hits, mut misses) = (0, 0);
    for (index, &place) in order.iter().enumerate() {
        if truth[place] {
            hits += 1
        } else {
            misses += 1
        }
        if order.get(index + 1).is_none_or(|&next| scores[next] != scores[place]) {
            steps.push((hits, misses));
        }
    }
    steps
}

/// Area under the ROC curve, ties counted half: the chance that a positive row scores higher than a negative one.
/// `None` without rows of both kinds.
pub fn roc_auc(truth: &[bool], scores: &[f64]) -> Option<f64> {
    let steps = steps(truth, scores);
    let &(hits, misses) = steps.last().filter(|(hits, misses)| *hits > 0 && *misses > 0)?;
    let (mut area, mut last) = (0.0, (0, 0));
    for (hit, miss) in steps {
        area += (miss - last.1) as f64 * (hit + last.0) as f64 / 2.0;
        last = (hit, miss);
    }
    Some(area / (hits as f64 * misses as f64))
}

fn curves(class: usize, truth: &[bool], scores: &[f64]) -> Option<Curves> {
    let steps = steps(truth, scores);
    let &(hits, misses) = steps.last().filter(|(hits, misses)| *hits > 0 && *misses > 0)?;
    let rates = steps.iter().map(|&(hit, miss)| (miss as f64 / misses as f64, hit as f64 / hits as f64));
    let roc: Vec<(f64, f64)> = std::iter::once((0.0, 0.0)).chain(rates).collect();
    let precise = steps.iter().map(|&(hit, miss)| (hit as f64 / hits as f64, hit as f64 / (hit + miss) as f64));
    let precision_recall: Vec<(f64, f64)> = precise.collect();
    Some(Curves { class, roc: thinned(&roc, CURVE), precision_recall: thinned(&precision_recall, CURVE) })
}

/// At most `most` (two or more) of the points, evenly picked, both ends among them.
fn thinned<T: Copy>(points: &[T], most: usize) -> Vec<T> {
    if points.len() <= most {
        return points.to_vec();
    }
    (0..most).map(|place| points[place * (points.len() - 1) / (most - 1)]).collect()
}

/// Equally wide bins; a probability on an edge is in the bin below, as in scikit-learn's `calibration_curve`.
fn calibration_bins(truth: &[bool], probability: &[f64]) -> Vec<CalibrationBin> {
    let edge = |place: usize| place as f64 / BINS as f64;
    let mut sums = [(0u64, 0.0, 0u64); BINS];
    for (&hit, &p) in truth.iter().zip(probability) {
        let bin = (1..BINS).take_while(|&place| edge(place) < p).count();
        sums[bin].0 += 1;
        sums[bin].1 += p;
        sums[bin].2 += u64::from(hit);
    }
    let bin = |(place, &(rows, sum, hits)): (usize, &(u64, f64, u64))| CalibrationBin {
        from: edge(place),
        to: edge(place + 1),
        rows,
        predicted: (rows > 0).then(|| sum / rows as f64),
        observed: (rows > 0).then(|| hits as f64 / rows as f64),
    };
    sums.iter().enumerate().map(bin).collect()
}

fn step_at(step: usize) -> f64 {
    step as f64 / STEPS as f64
}

/// The figures of the rule "positive where probability ≥ threshold".
pub fn threshold_row(truth: &[bool], probability: &[f64], threshold: f64) -> ThresholdRow {
    let mut counts = [[0u64; 2]; 2];
    for (&actual, &p) in truth.iter().zip(probability) {
        counts[usize::from(actual)][usize::from(p >= threshold)] += 1;
    }
    let [[tn, fp], [fn_, tp]] = counts;
    let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
    ThresholdRow {
        threshold,
        precision: share(tp, tp + fp),
        recall: share(tp, tp + fn_),
        f1: share(2 * tp, 2 * tp + fp + fn_),
        flagged: share(tp + fp, truth.len() as u64).unwrap_or(0.0),
        true_positives: tp,
        false_positives: fp,
        true_negatives: tn,
        false_negatives: fn_,
    }
}

/// The hundredth between 0.01 and 0.99 with the best F1; of equals the one nearest to a half. One half where no
/// threshold finds a positive row.
///
/// The rows must be none that the model was fitted on, and none it is judged by afterwards: out-of-fold
/// probabilities of the training part. A threshold chosen on the held-out rows would flatter its own figures there.
pub fn best_threshold(truth: &[bool], probability: &[f64]) -> f64 {
    let mut best = (0.0, f64::INFINITY, 0.5);
    for step in 1..STEPS {
        let row = threshold_row(truth, probability, step_at(step));
        let (f1, far) = (row.f1.unwrap_or(0.0), (row.threshold - 0.5).abs());
        if f1 > best.0 || (f1 == best.0 && f1 > 0.0 && far < best.1) {
            best = (f1, far, row.threshold);
        }
    }
    best.2
}

/// Judges a regression: `truth` and `predicted` of held-out rows, `train_mean` for the baseline.
///
/// # Errors
/// Where there are no rows or the parts do not fit together.
pub fn regression(truth: &[f64], predicted: &[f64], train_mean: f64) -> Result<Regression> {
    if truth.is_empty() || truth.len() != predicted.len() {
        return Err(Error::input("no held-out rows to judge by"));
    }
    let points: Vec<(f64, f64)> = truth.iter().copied().zip(predicted.iter().copied()).collect();
    Ok(Regression {
        metrics: errors(truth, predicted),
        baseline: errors(truth, &vec![train_mean; truth.len()]),
        points: thinned(&points, CLOUD),
    })
}

/// Error figures of at least one row.
pub fn errors(truth: &[f64], predicted: &[f64]) -> ErrorMetrics {
    let rows = truth.len() as f64;
    let mut distances: Vec<f64> = truth.iter().zip(predicted).map(|(a, b)| (a - b).abs()).collect();
    let squares: f64 = distances.iter().map(|distance| distance * distance).sum();
    let mean = truth.iter().sum::<f64>() / rows;
    let spread: f64 = truth.iter().map(|value| (value - mean).powi(2)).sum();
    let mae = distances.iter().sum::<f64>() / rows;
    distances.sort_by(f64::total_cmp);
    let middle = distances.len() / 2;
    let median = if distances.len() % 2 == 1 {
        distances[middle]
    } else {
        distances.get(middle.wrapping_sub(1)).map_or(f64::NAN, |below| (below + distances[middle]) / 2.0)
    };
    ErrorMetrics { mae, rmse: (squares / rows).sqrt(), r2: (spread > 0.0).then(|| 1.0 - squares / spread), median }
}

/// Describes an anomaly detector by what it says of `rows`; `scores` is the decision function.
pub fn anomaly(rows: &str, flagged: &[bool], scores: &[f64]) -> Anomaly {
    Anomaly {
        rows: rows.to_owned(),
        count: flagged.len() as u64,
        flagged: flagged.iter().filter(|&&flag| flag).count() as u64,
        scores: histogram(scores),
    }
}

/// Thirty bins over the finite values.
fn histogram(values: &[f64]) -> Histogram {
    const BARS: usize = 30;
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (from, to) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
    let mut counts = vec![0; BARS];
    if from > to {
        return Histogram { from: 0.0, to: 0.0, counts };
    }
    for value in finite() {
        let place = if to > from { (value - from) / (to - from) * BARS as f64 } else { 0.0 };
        counts[(place as usize).min(BARS - 1)] += 1;
    }
    Histogram { from, to, counts }
}

/// Judges a clustering: `labels` names the clusters, `assigned` holds a place in it for each row, or `None` for
/// noise; `points` is rows × width, prepared as the estimator sees them.
///
/// Of more than 2000 rows, that many drawn with `seed` are compared, each with each.
///
/// # Errors
/// Where the parts do not fit together.
pub fn clustering(
    labels: &[String],
    assigned: &[Option<usize>],
    points: &[f64],
    width: usize,
    seed: u64,
) -> Result<Clustering> {
    let fits = points.len() == assigned.len() * width && assigned.iter().flatten().all(|&place| place < labels.len());
    if !fits || width == 0 {
        return Err(Error::input("the clusters do not fit the rows"));
    }
    let mut clusters: Vec<Cluster> =
        labels.iter().map(|label| Cluster { label: label.clone(), rows: 0, noise: false }).collect();
    let mut noise = 0;
    for place in assigned {
        match place {
            Some(place) => clusters[*place].rows += 1,
            None => noise += 1,
        }
    }
    if noise > 0 {
        clusters.push(Cluster { label: "noise".to_owned(), rows: noise, noise: true });
    }
    let inside: Vec<usize> = (0..assigned.len()).filter(|&row| assigned[row].is_some()).collect();
    let sample = Random::new(seed).sample(inside.len(), SILHOUETTE);
    let rows: Vec<usize> = sample.iter().map(|&place| inside[place]).collect();
    let of: Vec<usize> = rows.iter().filter_map(|&row| assigned[row]).collect();
    let picked: Vec<&[f64]> = rows.iter().map(|&row| &points[row * width..][..width]).collect();
    Ok(Clustering {
        clusters,
        silhouette: silhouette(&picked, &of, labels.len()),
        sampled: (rows.len() < inside.len()).then_some(rows.len() as u64),
    })
}

/// Mean silhouette with Euclidean distances; a row alone in its cluster counts zero. `None` with fewer than two
/// clusters, or as many as rows.
fn silhouette(points: &[&[f64]], of: &[usize], clusters: usize) -> Option<f64> {
    let mut sizes = vec![0usize; clusters];
    of.iter().for_each(|&cluster| sizes[cluster] += 1);
    let present = sizes.iter().filter(|&&size| size > 0).count();
    if present < 2 || present >= points.len() {
        return None;
    }
    let mut sums = vec![0.0; clusters];
    let mut total = 0.0;
    for (row, &own) in of.iter().enumerate() {
        if sizes[own] == 1 {
            continue;
        }
        sums.fill(0.0);
        for (other, &cluster) in of.iter().enumerate() {
            let square: f64 = points[row].iter().zip(points[other]).map(|(a, b)| (a - b) * (a - b)).sum();
            sums[cluster] += square.sqrt();
        }
        let inside = sums[own] / (sizes[own] - 1) as f64;
        let means = (0..clusters).filter(|&c| c != own && sizes[c] > 0).map(|c| sums[c] / sizes[c] as f64);
        let nearest = means.fold(f64::INFINITY, f64::min);
        let most = inside.max(nearest);
        total += if most > 0.0 { (nearest - inside) / most } else { 0.0 };
    }
    Some(total / of.len() as f64)
}

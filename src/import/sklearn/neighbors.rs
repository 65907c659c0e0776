//! Neighbours (sklearn.neighbors), by brute force over `_fit_X` whatever index the file holds. Among equally near
//! vectors the first is taken; scikit-learn takes the one its tree meets first.

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, cells, numbers};
use super::naive_bayes::from_joint;
use crate::import::pickle::Value;
use crate::model::{Cell, Function, Matrix, Metric, Nearest, Norm, Op, Output, Weights, Wire, Within};
use crate::{Error, Result};

/// The columns and the stored vectors on which `metric` is the original's.
struct Space {
    metric: Metric,
    vectors: Matrix,
    wires: Vec<Wire>,
}

/// Reads `effective_metric_` and what belongs to it. Metrics that are others after a change of the columns become
/// these: a cosine is one of unit vectors, a weighted distance one of scaled columns.
fn space(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Space> {
    let path = &estimator.path;
    estimator.choice("metric")?;
    let vectors = estimator.matrix_over("_fit_X", frame.len())?;
    let mut space = Space { metric: Metric::Euclidean, vectors, wires: frame.wires.clone() };
    let parameters = estimator.get("effective_metric_params_");
    let parameter = |name: &str| parameters.and_then(|all| all.get(name)).filter(|value| !value.is_none());
    let list = |value: Value| {
        numbers(value)
            .filter(|list| list.len() == frame.len())
            .ok_or_else(|| estimator.malformed("effective_metric_params_ does not hold one number a column"))
    };
    let name = estimator.choice("effective_metric_")?;
    space.metric = match name {
        "euclidean" | "l2" | "seuclidean" => Metric::Euclidean,
        "manhattan" | "cityblock" | "l1" => Metric::Manhattan,
        "chebyshev" | "infinity" => Metric::Chebyshev,
        "minkowski" | "p" | "wminkowski" => {
            let power = parameter("p").map_or_else(
                || estimator.f64("p"),
                |value| value.as_f64().ok_or_else(|| estimator.malformed("p is not a number")),
            )?;
            match power {
                1.0 => Metric::Manhattan,
                2.0 => Metric::Euclidean,
                f64::INFINITY => Metric::Chebyshev,
                power if power > 0.0 => Metric::Minkowski(power),
                power => return Err(estimator.malformed(format!("p is {power}"))),
            }
        }
        "canberra" => Metric::Canberra,
        "braycurtis" => Metric::BrayCurtis,
        "hamming" => Metric::Hamming,
        "cosine" | "correlation" => Metric::Cosine,
        "haversine" => Metric::GreatCircle,
        other => {
            let supported = "metric euclidean, manhattan, chebyshev, minkowski, seuclidean, cosine, correlation, \
                             canberra, braycurtis, hamming or haversine";
            return Err(estimator.not_among("metric", other, supported));
        }
    };
    // |x - s| over the square root of the variance, or times the p-th root of the weight.
    let factors = match (name, parameter("V"), parameter("w")) {
        ("seuclidean", Some(variance), _) => Some(list(variance)?.into_iter().map(|v| 1.0 / v.sqrt()).collect()),
        ("seuclidean", None, _) => return Err(estimator.malformed("the metric seuclidean has no V")),
        (_, _, Some(weights)) => {
            let root = match space.metric {
                Metric::Euclidean => 0.5,
                Metric::Manhattan => 1.0,
                Metric::Minkowski(power) => 1.0 / power,
                _ => return Err(estimator.unsupported(format!("weights of the metric {name}"))),
            };
            Some(list(weights)?.into_iter().map(|weight| weight.powf(root)).collect::<Vec<f64>>())
        }
        _ => None,
    };
    if let Some(factors) = factors {
        for row in space.vectors.values.chunks_exact_mut(factors.len().max(1)) {
            row.iter_mut().zip(&factors).for_each(|(x, factor)| *x *= factor);
        }
        let scale = Op::Linear { offset: vec![0.0; factors.len()], scale: factors };
        space.wires = builder.graph.push(scale, space.wires, path)?;
    }
    if name == "correlation" {
        let count = frame.len();
        let share = 1.0 / count as f64;
        let centre = |row: usize, column: usize| if row == column { 1.0 - share } else { -share };
        let values = (0..count * count).map(|at| centre(at / count, at % count)).collect();
        let coef = Matrix { rows: count, columns: count, values };
        space.wires = builder.graph.push(Op::Affine { coef, intercept: vec![0.0; count] }, space.wires, path)?;
        for row in space.vectors.values.chunks_exact_mut(count.max(1)) {
            let mean = row.iter().sum::<f64>() / count as f64;
            row.iter_mut().for_each(|x| *x -= mean);
        }
    }
    if space.metric == Metric::Cosine {
        space.wires = builder.graph.push(Op::Normalize(Norm::L2), space.wires, path)?;
        for row in space.vectors.values.chunks_exact_mut(frame.len().max(1)) {
            let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            row.iter_mut().for_each(|x| *x /= if norm == 0.0 { 1.0 } else { norm });
        }
    }
    if space.metric == Metric::GreatCircle {
        // Latitude and longitude to a point on the unit sphere.
        let &[latitude, longitude] = &space.wires[..] else {
            return Err(estimator.malformed("the metric haversine of other than two columns"));
        };
        let sines = builder.graph.push(Op::Function(Function::Sin), vec![latitude, longitude], path)?;
        let cosines = builder.graph.push(Op::Function(Function::Cos), vec![latitude, longitude], path)?;
        let plane = vec![cosines[0], cosines[0], cosines[1], sines[1]];
        space.wires = builder.graph.push(Op::Multiply, plane, path)?;
        space.wires.push(sines[0]);
        let points = space.vectors.values.chunks_exact(2).flat_map(|point| {
            let (latitude, longitude) = (point[0].sin_cos(), point[1].sin_cos());
            [latitude.1 * longitude.1, latitude.1 * longitude.0, latitude.0]
        });
        space.vectors = Matrix { rows: space.vectors.rows, columns: 3, values: points.collect() };
    }
    Ok(space)
}

fn weights(estimator: &Estimator) -> Result<Weights> {
    if estimator.get("weights").is_none() {
        return Ok(Weights::Uniform);
    }
    match estimator.choice("weights")? {
        "uniform" => Ok(Weights::Uniform),
        "distance" => Ok(Weights::Distance),
        other => Err(estimator.malformed(format!("weights='{other}'"))),
    }
}

/// The wires of the `count` nearest, distances then places.
fn nearest(builder: &mut Builder, estimator: &Estimator, frame: &Frame, count: usize) -> Result<Vec<Wire>> {
    let Space { metric, vectors, wires } = space(builder, estimator, frame)?;
    let count = u32::try_from(count).map_err(|_| Error::limit(format!("{count} neighbours")))?;
    builder.graph.push(Op::Nearest(Nearest { metric, vectors, count }), wires, &estimator.path)
}

/// The targets of the training rows, one column an output: numbers, or places in `classes_`.
fn targets(estimator: &Estimator) -> Result<Matrix> {
    let targets = estimator.matrix("_y")?;
    Ok(if estimator.array("_y")?.ndim() == 1 { targets.transpose() } else { targets })
}

/// For each output, its classes and the class of each training row.
fn classes(estimator: &Estimator) -> Result<Vec<(Vec<Cell>, Vec<u32>)>> {
    let targets = targets(estimator)?;
    let lists = if estimator.bool("outputs_2d_")? {
        let lists: Option<Vec<Vec<Cell>>> = estimator.list("classes_")?.into_iter().map(cells).collect();
        lists.ok_or_else(|| estimator.malformed("classes_ does not hold lists of labels"))?
    } else {
        vec![estimator.cells("classes_")?]
    };
    if lists.len() != targets.columns {
        return Err(estimator.malformed(format!("{} lists of classes for {} outputs", lists.len(), targets.columns)));
    }
    let of = |output: usize, classes: usize| -> Option<Vec<u32>> {
        let place = |row: usize| {
            let place = targets.row(row)[output];
            (place >= 0.0 && place.fract() == 0.0 && place < classes as f64).then_some(place as u32)
        };
        (0..targets.rows).map(place).collect()
    };
    let with_places = lists.into_iter().enumerate().map(|(output, classes)| {
        let of = of(output, classes.len()).ok_or_else(|| estimator.malformed("_y holds no places in classes_"))?;
        Ok((classes, of))
    });
    with_places.collect()
}

/// One classification, or several.
fn outputs(mut outputs: Vec<Output>) -> Output {
    match outputs.len() {
        1 => outputs.remove(0),
        _ => Output::Several(outputs),
    }
}

/// The label with the largest share of the votes.
fn by_share(builder: &mut Builder, estimator: &Estimator, classes: Vec<Cell>, shares: Vec<Wire>) -> Result<Output> {
    let label = builder.graph.push_one(Op::Argmax, shares.clone(), &estimator.path)?;
    Ok(Output::Classification { classes, label, probabilities: Some(shares), scores: None })
}

/// KNeighborsClassifier.
pub fn classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let weights = weights(estimator)?;
    let near = nearest(builder, estimator, frame, estimator.usize("n_neighbors")?)?;
    let made = classes(estimator)?.into_iter().map(|(classes, of)| {
        let op = Op::NeighborVote { classes: classes.len() as u32, of, weights };
        let shares = builder.graph.push(op, near.clone(), &estimator.path)?;
        by_share(builder, estimator, classes, shares)
    });
    Ok(outputs(made.collect::<Result<_>>()?))
}

/// KNeighborsRegressor.
pub fn regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let weights = weights(estimator)?;
    let near = nearest(builder, estimator, frame, estimator.usize("n_neighbors")?)?;
    let op = Op::NeighborMean { values: targets(estimator)?, weights };
    Ok(Output::Regression { values: builder.graph.push(op, near, &estimator.path)?, names: Vec::new() })
}

fn within(
    builder: &mut Builder,
    estimator: &Estimator,
    frame: &Frame,
    values: Matrix,
    empty: Option<Vec<f64>>,
) -> Result<Vec<Wire>> {
    let weights = weights(estimator)?;
    let radius = estimator.f64("radius")?;
    let Space { metric, vectors, wires } = space(builder, estimator, frame)?;
    let op = Op::Within(Within { metric, vectors, radius, weights, values, empty });
    builder.graph.push(op, wires, &estimator.path)
}

/// RadiusNeighborsClassifier: a row without neighbours gets the outlier label, or is refused.
pub fn radius_classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let lists = classes(estimator)?;
    let outliers = match estimator.get("outlier_label_") {
        Some(value) => {
            Some(cells(value).ok_or_else(|| estimator.malformed("outlier_label_ is not a list of labels"))?)
        }
        None => None,
    };
    let rows = lists[0].1.len();
    let width: usize = lists.iter().map(|(classes, _)| classes.len()).sum();
    let mut values = vec![0.0; rows * width];
    let mut empty = vec![0.0; width];
    let mut first = 0;
    for (output, (classes, of)) in lists.iter().enumerate() {
        for (row, &class) in of.iter().enumerate() {
            values[row * width + first + class as usize] = 1.0;
        }
        if let Some(outliers) = &outliers {
            let label = outliers.get(output).ok_or_else(|| estimator.malformed("too few outlier labels"))?;
            let Some(place) = classes.iter().position(|class| class == label) else {
                return Err(estimator
                    .unsupported(format!("the outlier label {label} is not among the classes"))
                    .remedy("Fit the model with outlier_label='most_frequent' or one of the classes."));
            };
            empty[first + place] = 1.0;
        }
        first += classes.len();
    }
    let values = Matrix { rows, columns: width, values };
    let shares = within(builder, estimator, frame, values, outliers.is_some().then_some(empty))?;
    let mut shares = shares.into_iter();
    let made = lists.into_iter().map(|(classes, _)| {
        let own = shares.by_ref().take(classes.len()).collect();
        by_share(builder, estimator, classes, own)
    });
    Ok(outputs(made.collect::<Result<_>>()?))
}

/// RadiusNeighborsRegressor: NaN for a row without neighbours.
pub fn radius_regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let values = targets(estimator)?;
    let empty = Some(vec![f64::NAN; values.columns]);
    Ok(Output::Regression { values: within(builder, estimator, frame, values, empty)?, names: Vec::new() })
}

/// NearestNeighbors: the distances of the neighbours, then their places among the training rows.
pub fn nearest_neighbors(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let count = estimator.usize("n_neighbors")?;
    let wires = nearest(builder, estimator, frame, count)?;
    let named = |what: &'static str| (0..count).map(move |number| format!("{what}{number}"));
    Ok(Frame { wires, names: named("distance").chain(named("neighbor")).collect() })
}

/// KNeighborsTransformer: one column a training row; with distances, one neighbour more.
pub fn transformer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let connections = match estimator.str("mode")? {
        "connectivity" => true,
        "distance" => false,
        other => return Err(estimator.malformed(format!("mode '{other}'"))),
    };
    let count = estimator.usize("n_neighbors")?.saturating_add(usize::from(!connections));
    let near = nearest(builder, estimator, frame, count)?;
    let Some(Op::Nearest(Nearest { vectors, .. })) = builder.graph.steps().last().map(|step| &step.op) else {
        return Err(estimator.malformed("no neighbours"));
    };
    let vectors = vectors.rows as u32;
    let wires = builder.graph.push(Op::NeighborScatter { vectors, connections }, near, &estimator.path)?;
    let class = estimator.class.to_lowercase();
    let names = (0..wires.len()).map(|number| format!("{class}{number}")).collect();
    Ok(Frame { wires, names })
}

/// LocalOutlierFactor with novelty=True.
pub fn local_outlier_factor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    if !estimator.bool("novelty")? {
        return Err(estimator
            .unsupported("LocalOutlierFactor without novelty predicts only the rows it was fitted on")
            .remedy("Fit the model with novelty=True."));
    }
    let count = estimator.usize("n_neighbors_")?;
    let near = nearest(builder, estimator, frame, count)?;
    let distances = estimator.matrix("_distances_fit_X_")?;
    if count == 0 || distances.columns < count {
        return Err(estimator.malformed(format!("_distances_fit_X_ of {} neighbours", distances.columns)));
    }
    let reach = (0..distances.rows).map(|row| distances.row(row)[count - 1]).collect();
    let op = Op::OutlierFactor { reach, density: estimator.f64s("_lrd")? };
    let samples = builder.graph.push_one(op, near, path)?;
    let offset = Op::Linear { scale: vec![1.0], offset: vec![-estimator.f64("offset_")?] };
    let score = builder.graph.push_one(offset, vec![samples], path)?;
    let outlier = builder.graph.push_one(Op::Below { threshold: 0.0 }, vec![score], path)?;
    Ok(Output::Anomaly { outlier, score, samples: Some(samples) })
}

/// NearestCentroid: the nearest centroid where the priors are equal. From 1.6 there are discriminant scores of the
/// standardised columns, minus squared distance plus twice the log prior, and unequal priors decide by them.
pub fn nearest_centroid(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let classes = estimator.cells("classes_")?;
    let centroids = estimator.matrix_over("centroids_", frame.len())?;
    if centroids.rows != classes.len() || classes.is_empty() {
        return Err(estimator.malformed(format!("{} centroids of {} classes", centroids.rows, classes.len())));
    }
    let metric = estimator.choice("metric")?;
    if metric != "euclidean" && metric != "manhattan" {
        return Err(estimator.not_among("metric", metric, "metric euclidean or manhattan"));
    }
    let priors = estimator.maybe_f64s("class_prior_")?;
    let even = 1.0 / classes.len() as f64;
    // numpy's isclose.
    let equal =
        priors.as_ref().is_none_or(|priors| priors.iter().all(|prior| (prior - even).abs() <= 1e-8 + 1e-5 * even));
    if metric == "manhattan" {
        if !equal {
            return Err(estimator
                .unsupported("NearestCentroid with metric='manhattan' and unequal priors")
                .remedy("Fit the model with metric='euclidean' or priors='uniform'."));
        }
        let op = Op::Nearest(Nearest { metric: Metric::Manhattan, vectors: centroids, count: 1 });
        let near = builder.graph.push(op, frame.wires.clone(), path)?;
        return Ok(Output::Classification { classes, label: near[1], probabilities: None, scores: None });
    }
    let nearest = |builder: &mut Builder, centers: Matrix| {
        let distances = builder.graph.push(Op::Distances { centers, squared: true }, frame.wires.clone(), path)?;
        builder.graph.push_one(Op::Argmin, distances, path)
    };
    let Some(priors) = priors.filter(|_| estimator.get("within_class_std_dev_").is_some()) else {
        let label = nearest(builder, centroids)?;
        return Ok(Output::Classification { classes, label, probabilities: None, scores: None });
    };
    let mut scale = estimator.f64s("within_class_std_dev_")?;
    scale.iter_mut().filter(|scale| **scale == 0.0).for_each(|scale| *scale = 1.0);
    let mut centers = centroids.clone();
    for row in centers.values.chunks_exact_mut(frame.len().max(1)) {
        row.iter_mut().zip(&scale).for_each(|(x, scale)| *x /= scale);
    }
    let standardize = Op::Standardize { mean: None, scale: Some(scale) };
    let standard = builder.graph.push(standardize, frame.wires.clone(), path)?;
    let distances = builder.graph.push(Op::Distances { centers, squared: true }, standard, path)?;
    let offset = priors.iter().map(|prior| 2.0 * prior.ln()).collect();
    let scores = builder.graph.push(Op::Linear { scale: vec![-1.0; distances.len()], offset }, distances, path)?;
    let Output::Classification { classes, label, probabilities, .. } =
        from_joint(builder, estimator, scores.clone())?
    else {
        return Err(estimator.malformed("scores that are not of classes"));
    };
    let label = if equal { nearest(builder, centroids)? } else { label };
    let scores = if classes.len() == 2 {
        let coef = Matrix { rows: 1, columns: 2, values: vec![-1.0, 1.0] };
        builder.graph.push(Op::Affine { coef, intercept: vec![0.0] }, scores, path)?
    } else {
        scores
    };
    Ok(Output::Classification { classes, label, probabilities, scores: Some(scores) })
}

/// NeighborhoodComponentsAnalysis: X @ components_.T
pub fn components(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let coef = estimator.matrix_over("components_", frame.len())?;
    let intercept = vec![0.0; coef.rows];
    let wires = builder.graph.push(Op::Affine { coef, intercept }, frame.wires.clone(), &estimator.path)?;
    let class = estimator.class.to_lowercase();
    let names = (0..wires.len()).map(|number| format!("{class}{number}")).collect();
    Ok(Frame { wires, names })
}

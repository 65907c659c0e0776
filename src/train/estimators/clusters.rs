//! k-means and DBSCAN, as clusters and as outliers: far from every centre, or from every dense row.

use super::{Fitted, Job, Made, Own, failed, finite, quantile, state};
use crate::model::{Cell, Function, Matrix, Metric, Nearest, Op, Weights, Within};
use crate::{Error, Result};
use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_clustering::KMeans;
use linfa_nn::distance::Distance;
use linfa_random::{Xoshiro256Plus, rand_core::SeedableRng};
use ndarray::{Array2, Axis};
use serde::Deserialize;
use serde_json::json;
use smartcore::cluster::dbscan::{DBSCAN, DBSCANParameters};

/// The Euclidean distance of contiguous rows: half the time of linfa's own, which takes any layout.
#[derive(Clone, Debug)]
struct Rows;

impl Distance<f64> for Rows {
    fn distance<D: linfa_ndarray::Dimension>(
        &self,
        a: linfa_ndarray::ArrayView<f64, D>,
        b: linfa_ndarray::ArrayView<f64, D>,
    ) -> f64 {
        self.rdistance(a, b).sqrt()
    }

    fn rdistance<D: linfa_ndarray::Dimension>(
        &self,
        a: linfa_ndarray::ArrayView<f64, D>,
        b: linfa_ndarray::ArrayView<f64, D>,
    ) -> f64 {
        match (a.as_slice(), b.as_slice()) {
            (Some(a), Some(b)) => a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum(),
            _ => a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum(),
        }
    }
}

/// A matrix of ours as linfa's ndarray has it.
fn rows(x: &Array2<f64>) -> Result<linfa_ndarray::Array2<f64>> {
    linfa_ndarray::Array2::from_shape_vec(x.dim(), x.iter().copied().collect())
        .map_err(|error| Error::malformed(error.to_string()))
}

/// linfa's k-means, from k-means++ starts, until the centres move less than scikit-learn's `tol` of 1e-4 allows: its
/// square times the mean variance of the columns. smartcore's goes on while the sum of distances falls at all.
fn centres(job: &Job) -> Result<(Matrix, KMeans<f64, Rows>)> {
    let k = job.parameters.count("k", 2, 10_000)?;
    if k > job.x.nrows() {
        return Err(Error::input(format!("k={k} clusters of {} rows", job.x.nrows()))
            .remedy("Give a smaller one: --set k=3."));
    }
    // Of many rows the start matters less.
    let automatic = if job.x.nrows() <= 100_000 { 4 } else { 1 };
    let variance = job.x.var_axis(Axis(0), 0.0).mean().unwrap_or(0.0);
    let model = KMeans::params_with(k, Xoshiro256Plus::seed_from_u64(job.seed), Rows)
        .n_runs(job.parameters.maybe_count("n_init", 1, 1000)?.unwrap_or(automatic))
        .max_n_iterations(job.parameters.count("max_iter", 1, 1_000_000)? as u64)
        .tolerance((1e-2 * variance.sqrt()).max(f64::MIN_POSITIVE))
        .fit(&DatasetBase::from(rows(job.x)?))
        .map_err(|error| Error::input(format!("k-means: {error}")))?;
    let values: Vec<f64> = model.centroids().iter().copied().collect();
    finite(&values)?;
    let centers = Matrix::new(k, job.x.ncols(), values)?;
    let mut sorted: Vec<&[f64]> = (0..k).map(|centre| centers.row(centre)).collect();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::input(format!("fewer than k={k} different rows")).remedy("Give a smaller one: --set k=2."));
    }
    Ok((centers, model))
}

/// Labels are the centres' numbers from 0.
pub fn kmeans(job: &Job) -> Result<Fitted> {
    let (centers, model) = centres(job)?;
    let own = match job.check {
        Some(check) => {
            let predicted = model.predict(&rows(check)?).into_iter().map(|centre| centre as f64).collect();
            Some(Own { predicted, probabilities: None })
        }
        None => None,
    };
    Fitted::new(
        move |graph, wires| {
            let op = Op::Distances { centers: centers.clone(), squared: true };
            let squares = graph.push(op, wires.to_vec(), "KMeans")?;
            let cluster = graph.push_one(Op::Argmin, squares.clone(), "KMeans")?;
            let distances = graph.push(Op::Function(Function::Sqrt), squares, "KMeans")?;
            let labels = (0..centers.rows as i64).map(Cell::Int).collect();
            Ok(Made::Clusters { cluster, labels, distances: Some(distances) })
        },
        own,
    )
}

fn distance(a: ndarray::ArrayView1<f64>, b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}

/// The limit that leaves `contamination` of the rows above it.
fn limit(job: &Job, mut distances: Vec<f64>) -> Result<f64> {
    let contamination = job.parameters.number("contamination", 0.0, 0.5)?;
    distances.sort_by(f64::total_cmp);
    Ok(quantile(&distances, 1.0 - contamination))
}

/// The score is the limit less the distance to the nearest vector: negative for outliers.
fn nearer_than(vectors: Matrix, limit: f64, path: &'static str, own: Option<Own>) -> Result<Fitted> {
    Fitted::new(
        move |graph, wires| {
            let op = Op::Nearest(Nearest { metric: Metric::Euclidean, vectors: vectors.clone(), count: 1 });
            let near = graph.push(op, wires.to_vec(), path)?;
            let score = graph.push_one(Op::Linear { scale: vec![-1.0], offset: vec![limit] }, vec![near[0]], path)?;
            let outlier = graph.push_one(Op::Below { threshold: 0.0 }, vec![score], path)?;
            Ok(Made::Anomaly { outlier, score })
        },
        own,
    )
}

/// Outliers by k-means: farther from the nearest centre than all but `contamination` of the training rows.
pub fn far(job: &Job) -> Result<Fitted> {
    let (centers, _) = centres(job)?;
    let nearest = |row: ndarray::ArrayView1<f64>| {
        (0..centers.rows).map(|centre| distance(row, centers.row(centre))).fold(f64::INFINITY, f64::min)
    };
    let limit = limit(job, job.x.axis_iter(Axis(0)).map(nearest).collect())?;
    let mut fitted = nearer_than(centers, limit, "KMeans", None)?;
    fitted.chosen.insert("limit".into(), json!(limit));
    Ok(fitted)
}

#[derive(Deserialize)]
struct Labels {
    cluster_labels: Vec<i16>,
    num_classes: usize,
}

type Dbscan = DBSCAN<f64, i32, Array2<f64>, Vec<i32>, smartcore::metrics::distance::euclidian::Euclidian<f64>>;

struct Dense {
    eps: f64,
    model: Dbscan,
    labels: Labels,
    /// Rows with at least `min_samples` rows within `eps`, themselves among them.
    core: Vec<usize>,
}

/// Each row's distance to its `count`-th nearest, itself the first, and how many are within `eps`.
fn reach(x: &Array2<f64>, count: usize) -> Vec<f64> {
    let rows: Vec<Vec<f64>> = x.axis_iter(Axis(0)).map(|row| row.to_vec()).collect();
    let mut all = Vec::with_capacity(rows.len());
    let mut reach = Vec::with_capacity(rows.len());
    for row in x.axis_iter(Axis(0)) {
        all.clear();
        all.extend(rows.iter().map(|other| distance(row, other)));
        let place = (count - 1).min(all.len() - 1);
        reach.push(*all.select_nth_unstable_by(place, f64::total_cmp).1);
    }
    reach
}

/// `eps` is, where it is not given, what all but `contamination` (5% for clusters) of the rows reach their
/// `min_samples`-th neighbour within.
fn dense(job: &Job, contamination: f64) -> Result<Dense> {
    let min_samples = job.parameters.count("min_samples", 1, 1 << 20)?;
    let reach = reach(job.x, min_samples);
    let eps = match job.parameters.maybe_number("eps", 1e-300, 1e300)? {
        Some(eps) => eps,
        None => {
            let mut sorted = reach.clone();
            sorted.sort_by(f64::total_cmp);
            let eps = quantile(&sorted, 1.0 - contamination);
            if eps <= 0.0 {
                return Err(Error::input("so many rows are equal that no eps can be derived from the data")
                    .remedy("Give one: --set eps=0.5, in standard deviations."));
            }
            eps
        }
    };
    let parameters = DBSCANParameters::default()
        .with_eps(eps)
        .with_min_samples(min_samples)
        .with_algorithm(smartcore::algorithm::neighbour::KNNAlgorithmName::LinearSearch);
    let model: Dbscan = DBSCAN::fit(job.x, parameters).map_err(failed)?;
    let labels: Labels = state(&model)?;
    let core: Vec<usize> = (0..reach.len()).filter(|&row| reach[row] <= eps).collect();
    if core.is_empty() || labels.num_classes == 0 {
        return Err(Error::input(format!("no row has {min_samples} rows within eps={eps}: there is no cluster"))
            .remedy("Give a larger one: --set eps=…, or --set min_samples=3."));
    }
    Ok(Dense { eps, model, labels, core })
}

/// Outliers by DBSCAN: farther than `eps` from every core row, which is what its noise is.
pub fn sparse(job: &Job) -> Result<Fitted> {
    let contamination = job.parameters.number("contamination", 0.0, 0.5)?;
    let Dense { eps, labels, core, .. } = dense(job, contamination)?;
    let vectors = Matrix::new(core.len(), job.x.ncols(), job.x.select(Axis(0), &core).iter().copied().collect())?;
    // smartcore's own answer is for the rows it was fitted on: noise or not.
    let own = job.check.map(|_| Own {
        predicted: labels.cluster_labels.iter().map(|&label| f64::from(u8::from(label < 0))).collect(),
        probabilities: None,
    });
    let mut fitted = nearer_than(vectors, eps, "DBSCAN", own)?;
    fitted.chosen.insert("eps".into(), json!(eps));
    Ok(fitted)
}

/// Clusters by DBSCAN: what most of the training rows within `eps` are, noise where none are. Labels are
/// smartcore's: 0 is noise, clusters count from 1.
pub fn dbscan(job: &Job) -> Result<Fitted> {
    let Dense { eps, model, labels, .. } = dense(job, 0.05)?;
    let own = match job.check {
        Some(rows) => {
            let predicted = model.predict(rows).map_err(failed)?.into_iter().map(f64::from).collect();
            Some(Own { predicted, probabilities: None })
        }
        None => None,
    };
    let (rows, clusters) = (labels.cluster_labels.len(), labels.num_classes);
    let width = clusters + 1;
    let mut values = vec![0.0; rows * width];
    for (row, &label) in labels.cluster_labels.iter().enumerate() {
        // Noise comes last: of equally many the first is taken.
        values[row * width + usize::try_from(label).unwrap_or(clusters)] = 1.0;
    }
    let mut empty = vec![0.0; width];
    empty[clusters] = 1.0;
    let within = Within {
        metric: Metric::Euclidean,
        vectors: Matrix::new(rows, job.x.ncols(), job.x.iter().copied().collect())?,
        radius: eps,
        weights: Weights::Uniform,
        values: Matrix::new(rows, width, values)?,
        empty: Some(empty),
    };
    let mut fitted = Fitted::new(
        move |graph, wires| {
            let shares = graph.push(Op::Within(within.clone()), wires.to_vec(), "DBSCAN")?;
            let cluster = graph.push_one(Op::Argmax, shares, "DBSCAN")?;
            let labels = (1..=clusters as i64).chain([0]).map(Cell::Int).collect();
            Ok(Made::Clusters { cluster, labels, distances: None })
        },
        own,
    )?;
    fitted.chosen.insert("eps".into(), json!(eps));
    Ok(fitted)
}

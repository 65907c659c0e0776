//! Nearest neighbours by brute force over all training rows. Of equally near rows at the edge the first counts;
//! smartcore's heap may keep another of them.

use super::{Fitted, Job, Made, Own, argmax, failed};
use crate::model::{Matrix, Metric, Nearest, Op, Weights};
use crate::{Error, Result};
use serde_json::{Value, json};
use smartcore::algorithm::neighbour::KNNAlgorithmName;
use smartcore::neighbors::KNNWeightFunction;
use smartcore::neighbors::knn_classifier::{KNNClassifier, KNNClassifierParameters};
use smartcore::neighbors::knn_regressor::{KNNRegressor, KNNRegressorParameters};

pub fn parameters() -> Value {
    json!({"k": 5, "weights": "uniform"})
}

fn weights(job: &Job) -> Result<(Weights, KNNWeightFunction)> {
    Ok(match job.parameters.choice("weights", &["uniform", "distance"])? {
        "distance" => (Weights::Distance, KNNWeightFunction::Distance),
        _ => (Weights::Uniform, KNNWeightFunction::Uniform),
    })
}

fn nearest(job: &Job) -> Result<(Nearest, usize)> {
    let (rows, columns) = job.x.dim();
    let k = job.parameters.count("k", 1, 10_000)?;
    if k > rows {
        return Err(Error::input(format!("k={k} neighbours of {rows} rows")).remedy("Give a smaller one: --set k=3."));
    }
    let vectors = Matrix::new(rows, columns, job.x.iter().copied().collect())?;
    Ok((Nearest { metric: Metric::Euclidean, vectors, count: k as u32 }, k))
}

pub fn classifier(job: &Job) -> Result<Fitted> {
    let (of, classes) = job.classes()?;
    let (weights, own_weights) = weights(job)?;
    let (nearest, k) = nearest(job)?;
    let of = of.to_vec();
    let own = match job.check {
        Some(rows) => {
            let parameters = KNNClassifierParameters::default()
                .with_k(k)
                .with_algorithm(KNNAlgorithmName::LinearSearch)
                .with_weight(own_weights);
            let model = KNNClassifier::fit(job.x, &of, parameters).map_err(failed)?;
            let predicted = model.predict(rows).map_err(failed)?.into_iter().map(f64::from).collect();
            Some(Own { predicted, probabilities: Some(model.predict_proba(rows).map_err(failed)?) })
        }
        None => None,
    };
    Fitted::new(
        move |graph, wires| {
            let near = graph.push(Op::Nearest(nearest.clone()), wires.to_vec(), "KNNClassifier")?;
            let vote = Op::NeighborVote { classes: classes as u32, of: of.clone(), weights };
            let probabilities = graph.push(vote, near, "KNNClassifier")?;
            let label = argmax(graph, &probabilities, "KNNClassifier")?;
            Ok(Made::Classes { label, probabilities: Some(probabilities), scores: None })
        },
        own,
    )
}

pub fn regressor(job: &Job) -> Result<Fitted> {
    let y = job.values()?.to_vec();
    let (weights, own_weights) = weights(job)?;
    let (nearest, k) = nearest(job)?;
    let own = match job.check {
        Some(rows) => {
            let parameters = KNNRegressorParameters::default()
                .with_k(k)
                .with_algorithm(KNNAlgorithmName::LinearSearch)
                .with_weight(own_weights);
            let model = KNNRegressor::fit(job.x, &y, parameters).map_err(failed)?;
            Some(Own { predicted: model.predict(rows).map_err(failed)?, probabilities: None })
        }
        None => None,
    };
    let values = Matrix::new(y.len(), 1, y)?;
    Fitted::new(
        move |graph, wires| {
            let near = graph.push(Op::Nearest(nearest.clone()), wires.to_vec(), "KNNRegressor")?;
            let mean = Op::NeighborMean { values: values.clone(), weights };
            Ok(Made::Value(graph.push_one(mean, near, "KNNRegressor")?))
        },
        own,
    )
}

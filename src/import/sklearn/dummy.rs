//! Estimators that look at nothing (sklearn.dummy).

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, cells, numbers};
use crate::Result;
use crate::model::{Cell, Op, Output};

/// `constant_`, one number a target.
pub fn constants(estimator: &Estimator) -> Result<Vec<f64>> {
    estimator.f64s("constant_")
}

pub fn regressor(builder: &mut Builder, estimator: &Estimator, _: &Frame) -> Result<Output> {
    let op = Op::Constant(constants(estimator)?);
    Ok(Output::Regression { values: builder.graph.push(op, Vec::new(), &estimator.path)?, names: Vec::new() })
}

/// Class labels and probabilities of each output. The strategies that draw at random are refused.
pub fn priors(estimator: &Estimator) -> Result<Vec<(Vec<Cell>, Vec<f64>)>> {
    let outputs = estimator.usize("n_outputs_")?;
    let (classes, priors) = match outputs {
        1 => (vec![estimator.need("classes_")?], vec![estimator.need("class_prior_")?]),
        _ => (estimator.list("classes_")?, estimator.list("class_prior_")?),
    };
    let strategy = estimator.str("strategy")?;
    let constants = match strategy {
        "constant" => Some(match estimator.get("constant").and_then(super::estimator::cell) {
            Some(single) => vec![single],
            None => estimator.cells("constant")?,
        }),
        "prior" | "most_frequent" => None,
        other => {
            return Err(estimator
                .unsupported(format!("the strategy '{other}' draws labels at random"))
                .remedy("Use the strategy 'prior' or 'most_frequent'."));
        }
    };
    if classes.len() != outputs || priors.len() != outputs {
        return Err(estimator.malformed(format!("classes_ and class_prior_ do not fit {outputs} outputs")));
    }
    let mut all = Vec::with_capacity(outputs);
    for (output, (classes, prior)) in classes.into_iter().zip(priors).enumerate() {
        let classes = cells(classes).ok_or_else(|| estimator.malformed("classes_ does not hold labels"))?;
        let prior = numbers(prior).filter(|prior| prior.len() == classes.len() && !prior.is_empty());
        let mut prior = prior.ok_or_else(|| estimator.malformed("class_prior_ does not fit classes_"))?;
        let certain = match (&constants, strategy) {
            (Some(constants), _) => {
                let constant = constants.get(output);
                let place = constant.and_then(|constant| classes.iter().position(|class| class == constant));
                Some(place.ok_or_else(|| estimator.malformed("the constant is not among classes_"))?)
            }
            (None, "most_frequent") => Some(first_largest(&prior)),
            _ => None,
        };
        if let Some(certain) = certain {
            prior.iter_mut().enumerate().for_each(|(place, p)| *p = f64::from(u8::from(place == certain)));
        }
        all.push((classes, prior));
    }
    Ok(all)
}

fn first_largest(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}

pub fn classifier(builder: &mut Builder, estimator: &Estimator, _: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let mut outputs = Vec::new();
    for (classes, prior) in priors(estimator)? {
        let label = Op::Constant(vec![first_largest(&prior) as f64]);
        let label = builder.graph.push_one(label, Vec::new(), path)?;
        let probabilities = Some(builder.graph.push(Op::Constant(prior), Vec::new(), path)?);
        outputs.push(Output::Classification { classes, label, probabilities, scores: None });
    }
    Ok(if outputs.len() == 1 { outputs.remove(0) } else { Output::Several(outputs) })
}

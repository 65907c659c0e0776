//! What both of CatBoost's formats hold, as they hold it.

use crate::model::{Cell, Tree};
use crate::{Error, Result};
use serde::Deserialize;

pub struct Parts {
    /// Raw scores.
    pub outputs: usize,
    pub floats: Vec<FloatFeature>,
    pub cats: Vec<CatFeature>,
    pub one_hot: Vec<OneHot>,
    /// The categories that the file names, of all columns together.
    pub categories: Vec<String>,
    /// Whether these are all that a pool has, as a rule that of the training.
    pub pool: bool,
    pub ctrs: Vec<super::ctr::Feature>,
    pub trees: Trees,
    /// Sums are multiplied by it, then `bias` is added; one for all outputs or one an output.
    pub scale: f64,
    pub bias: Vec<f64>,
    pub info: Info,
}

pub struct FloatFeature {
    /// The place among the float columns.
    pub index: i64,
    /// The place among all columns.
    pub flat: usize,
    pub borders: Vec<f32>,
    pub name: String,
    pub missing_above: bool,
}

pub struct CatFeature {
    /// The place among the categorical columns.
    pub index: i64,
    pub flat: usize,
    pub name: String,
}

/// Questions whether a categorical column has a value.
pub struct OneHot {
    pub cat: i64,
    /// `city::category` of each value.
    pub hashes: Vec<u32>,
}

/// Splits are numbers of bins: the borders of all float features, the values of all one-hot features, then the borders
/// of all target statistics, in the order of the lists.
pub enum Trees {
    /// The splits of the levels, and 2^levels rows of values.
    Oblivious(Vec<(Vec<u32>, Vec<f64>)>),
    /// `feature` is the number of the bin, and its border is still to be filled in.
    Asymmetric(Vec<Tree>),
}

/// The parts of `InfoMap` (`model_info` in JSON) that decide what a prediction is.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Info {
    pub params: Params,
    pub class_params: Option<ClassParams>,
    /// A probability, as text.
    pub binclass_probability_threshold: Option<String>,
    pub catboost_version_info: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Params {
    pub loss_function: Loss,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Loss {
    #[serde(rename = "type")]
    pub name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ClassParams {
    pub class_names: Vec<Cell>,
    pub class_to_label: Vec<f64>,
}

impl Info {
    /// One pair of a `.cbm`; what is not needed is passed over.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let damaged = |error: serde_json::Error| Error::malformed(format!("{key}: {error}"));
        match key {
            "params" => self.params = serde_json::from_str(value).map_err(damaged)?,
            "class_params" => self.class_params = Some(serde_json::from_str(value).map_err(damaged)?),
            "binclass_probability_threshold" => self.binclass_probability_threshold = Some(value.to_string()),
            "catboost_version_info" => self.catboost_version_info = value.to_string(),
            _ => {}
        }
        Ok(())
    }

    /// The loss in training, e.g. `Logloss`.
    pub fn loss(&self) -> &str {
        &self.params.loss_function.name
    }

    pub fn version(&self) -> String {
        release(&self.catboost_version_info).unwrap_or_default().to_string()
    }
}

/// The release in CatBoost's text about a build, from its line `Branch: tags/v1.2.10`.
pub fn release(build: &str) -> Option<&str> {
    build.split_whitespace().find_map(|word| word.strip_prefix("tags/v"))
}

/// # Errors
/// Names the first kind of feature that is not supported.
pub fn refuse_features(text: bool, embedding: bool, estimated: bool) -> Result<()> {
    for (there, what) in
        [(text, "text features"), (embedding, "embedding features"), (estimated, "estimated features")]
    {
        if there {
            return Err(Error::unsupported(format!("CatBoost's {what}"))
                .remedy("Train the model without them, or turn them into numbers before the model."));
        }
    }
    Ok(())
}

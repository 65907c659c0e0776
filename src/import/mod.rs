//! One reader a format; each turns a file into a `Model` and nothing else. What a file is, its content says
//! (`sniff`), never its name.

pub mod catboost;
pub mod lightgbm;
pub mod onnx;
pub mod pickle;
pub mod sklearn;
mod sniff;
pub mod xgboost;

pub use sniff::{Format, sniff};

use crate::model::{Cell, Model};
use crate::train::carry;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// What a caller can say about a file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub limits: pickle::Limits,
    /// Where the model sits in a saved dict, list or tuple, e.g. `models.0`.
    pub select: Option<String>,
    /// Names of the columns, for a model fitted on a bare array.
    pub features: Option<Vec<String>>,
    /// The values of category columns by name, in the order of their codes, for models whose file has only the codes
    /// (XGBoost before 3.1, CatBoost's .cbm) or does not say whose lists it has (LightGBM).
    pub categories: BTreeMap<String, Vec<Cell>>,
    /// Go on although the file names code; it is still never run.
    pub trust: bool,
    /// What the estimator makes of rows as a transformer, where it can also predict (KMeans, LDA, PLS).
    pub transform: bool,
}

/// The model in a file of any supported format.
///
/// # Errors
/// Names what the file is where it is none of them, and what it holds where no importer knows that; `Kind::Unsafe`
/// where a pickle names code that would run in Python.
pub fn import(bytes: &[u8], options: &Options) -> Result<Model> {
    match sniff(bytes)? {
        Format::LightgbmText => lightgbm::import(bytes, options),
        Format::Catboost | Format::CatboostJson => catboost::import(bytes, options),
        Format::Pickle => sklearn::import(&pickle::read(bytes, &options.limits)?, options),
        Format::XgboostJson | Format::XgboostUbjson => xgboost::import(bytes, options),
        Format::Carry => Ok(carry::read(bytes, options)?.0),
        Format::Onnx => onnx::import(bytes, options),
        Format::XgboostBinary => Err(xgboost::old_binary()),
        Format::LightgbmJson => Err(Error::unsupported("this is a LightGBM JSON dump, which is no saved model")
            .remedy("Save the booster as text: booster.save_model(\"model.txt\").")),
    }
}

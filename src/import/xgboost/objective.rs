//! What each objective does to the margin, and in which space its `base_score` is stored (measured in 1.7, 2.1 and
//! 3.2; `PredTransform` and `ProbToMargin` of XGBoost's src/objective).

use super::booster::Version;
use crate::{Error, Result};

/// From margin to prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Identity,
    Sigmoid,
    Exp,
    /// 1 where the margin is positive, else 0.
    Step,
    Softmax,
    /// Predicts the class of the largest margin.
    Largest,
}

/// From `base_score` to the margin that sums start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Margin,
    Probability,
    /// Of the log.
    Mean,
}

#[derive(Clone, Copy, Debug)]
pub struct Objective {
    pub link: Link,
    base: Base,
}

const OBJECTIVES: &[(&str, Link, Base)] = &[
    ("reg:squarederror", Link::Identity, Base::Margin),
    ("reg:linear", Link::Identity, Base::Margin),
    ("reg:squaredlogerror", Link::Identity, Base::Margin),
    ("reg:pseudohubererror", Link::Identity, Base::Margin),
    ("reg:absoluteerror", Link::Identity, Base::Margin),
    ("reg:quantileerror", Link::Identity, Base::Margin),
    ("reg:expectileerror", Link::Identity, Base::Margin),
    ("reg:logistic", Link::Sigmoid, Base::Probability),
    ("reg:gamma", Link::Exp, Base::Mean),
    ("reg:tweedie", Link::Exp, Base::Mean),
    ("count:poisson", Link::Exp, Base::Mean),
    ("survival:cox", Link::Exp, Base::Mean),
    ("survival:aft", Link::Exp, Base::Mean),
    ("binary:logistic", Link::Sigmoid, Base::Probability),
    ("binary:logitraw", Link::Identity, Base::Margin),
    ("binary:hinge", Link::Step, Base::Margin),
    ("multi:softprob", Link::Softmax, Base::Margin),
    ("multi:softmax", Link::Largest, Base::Margin),
    ("rank:pairwise", Link::Identity, Base::Margin),
    ("rank:ndcg", Link::Identity, Base::Margin),
    ("rank:map", Link::Identity, Base::Margin),
];

/// 3.2 keeps a probability this far from 0 and 1.
const EPSILON: f32 = 1e-6;

impl Objective {
    /// `several`: more than one quantile or expectile.
    ///
    /// # Errors
    /// Names the objective where it is not known, or not in this version.
    pub fn find(name: &str, version: Version, several: bool) -> Result<Objective> {
        let Some(&(_, link, mut base)) = OBJECTIVES.iter().find(|entry| entry.0 == name) else {
            return Err(Error::unsupported(format!("the objective {name:?} is not supported")));
        };
        // 3.3 adds expectiles, whose margins are differences; 3.4 sorts quantiles.
        if several && (name == "reg:expectileerror" || (name == "reg:quantileerror" && version >= (3, 4, 0))) {
            let (major, minor, _) = version;
            return Err(Error::unsupported(format!(
                "the objective {name} with several levels is not supported in models of XGBoost {major}.{minor}"
            ))
            .remedy("Fit one model a level."));
        }
        // The link of its base class, up to 1.2.
        if name == "binary:logitraw" && version < (1, 3, 0) {
            base = Base::Probability;
        }
        Ok(Objective { link, base })
    }

    /// The margin of a base score, in f32 as XGBoost computes it. The logarithm is rounded from f64, which glibc's
    /// logf agrees with on every model of the corpus.
    ///
    /// # Errors
    /// Where the score is outside the objective's range.
    pub fn margin(&self, base_score: f32, version: Version) -> Result<f32> {
        let log = |value: f32| f64::from(value).ln() as f32;
        let margin = match self.base {
            Base::Margin => base_score,
            Base::Mean => log(base_score),
            Base::Probability => {
                let score = if version >= (3, 2, 0) { base_score.clamp(EPSILON, 1.0 - EPSILON) } else { base_score };
                -log(1.0 / score - 1.0)
            }
        };
        if !margin.is_finite() {
            return Err(Error::malformed(format!("base_score {base_score} is outside the objective's range")));
        }
        Ok(margin)
    }
}

//! Oblivious trees (CatBoost) as data: every level of a tree asks the same question of all its rows.

use crate::runtime::oblivious::MOST_DEPTH;
use crate::{Error, Result};

/// Sums of f64 leaf values in tree order from 0. Inputs are rounded to f32 before they are compared.
#[derive(Clone, Debug)]
pub struct Oblivious {
    pub outputs: usize,
    /// For each feature, whether a missing value counts as above every border; else it is above none.
    pub missing_above: Vec<bool>,
    pub trees: Vec<ObliviousTree>,
}

#[derive(Clone, Debug)]
pub struct ObliviousTree {
    /// Feature and border of each level: `x > border` sets bit `level` of the leaf's number.
    pub levels: Vec<(u32, f32)>,
    /// 2^levels × outputs, row-major.
    pub values: Vec<f64>,
}

impl Oblivious {
    /// # Errors
    /// Names the tree whose shape or features do not fit.
    pub fn check(&self) -> Result<()> {
        if self.trees.is_empty() || self.outputs == 0 {
            return Err(Error::malformed("the ensemble has no trees or no outputs"));
        }
        for (number, tree) in self.trees.iter().enumerate() {
            let wrong = |message: String| Err(Error::malformed(message).at(format!("tree {number}")));
            let depth = tree.levels.len();
            if depth > MOST_DEPTH as usize {
                return wrong(format!("{depth} levels; at most {MOST_DEPTH} are supported"));
            }
            if (1usize << depth).checked_mul(self.outputs) != Some(tree.values.len()) {
                return wrong(format!("{} values for {depth} levels of {} outputs", tree.values.len(), self.outputs));
            }
            for &(feature, border) in &tree.levels {
                if feature as usize >= self.missing_above.len() {
                    return wrong(format!("feature {feature}, but the model has {}", self.missing_above.len()));
                }
                if border.is_nan() {
                    return wrong("a border that is not a number".to_string());
                }
            }
        }
        Ok(())
    }
}

/// A target statistic (CatBoost's CTR): a number by the hash of a row's inputs, which `runtime::ctr::chain` makes.
#[derive(Clone, Debug)]
pub struct Ctr {
    /// Inputs of the hash: hashes of categories below 2^32, or answers 0 and 1; NaN is an unknown category.
    pub inputs: usize,
    /// Ascending.
    pub hashes: Vec<u64>,
    /// One a hash.
    pub values: Vec<f32>,
    /// For every other combination.
    pub empty: f32,
}

impl Ctr {
    /// # Errors
    /// Where hashes are not ascending or do not have a value each.
    pub fn check(&self) -> Result<()> {
        if self.inputs == 0 || self.hashes.len() != self.values.len() || !self.hashes.is_sorted() {
            return Err(Error::malformed("a table of target statistics that is not one value a hash, in order"));
        }
        Ok(())
    }
}

//! Training: a CSV in, a judged model out.
//!
//! The data goes through the files in this order: `table` reads text, `types` makes columns of it, `aim` says what is
//! predicted, `split` which rows are fitted, `prepare` fills, encodes and scales as steps of the model, `estimators`
//! fits and turns what was learnt into further steps, `search` compares several, `run` does all of this, `carry`
//! writes the model down.
//!
//! `judge` asks `metrics`, `importance` and `warnings`, `report` tells. Judging is separate from estimating: it sees
//! held-out truths and the predictions that the packed model makes of them, never an estimator.
//!
//! All of it is behind the feature `train` but what reads a `.carry` file: the page packs those too.

pub mod carry;
pub mod report;

#[cfg(feature = "train")]
mod aim;
#[cfg(feature = "train")]
pub mod estimators;
#[cfg(feature = "train")]
pub mod importance;
#[cfg(feature = "train")]
mod judge;
#[cfg(feature = "train")]
pub mod metrics;
#[cfg(feature = "train")]
pub mod prepare;
#[cfg(feature = "train")]
pub mod random;
#[cfg(feature = "train")]
pub mod run;
#[cfg(feature = "train")]
mod search;
#[cfg(feature = "train")]
pub mod split;
#[cfg(feature = "train")]
pub mod table;
#[cfg(feature = "train")]
pub mod types;
#[cfg(feature = "train")]
pub mod warnings;

/// Copies a column's values of some rows, codes translated to the slot's numbers.
#[cfg(feature = "train")]
fn table_values(values: &types::Values, codes: Option<&[f64]>, rows: &[usize], to: &mut [f64]) {
    match (values, codes) {
        (types::Values::Numbers(list), _) => {
            to.iter_mut().zip(rows).for_each(|(slot, &row)| *slot = list[row]);
        }
        (types::Values::Codes { codes: own, .. }, Some(slots)) => {
            for (slot, &row) in to.iter_mut().zip(rows) {
                *slot = slots.get(own[row] as usize).copied().unwrap_or(f64::NAN);
            }
        }
        _ => to.fill(f64::NAN),
    }
}

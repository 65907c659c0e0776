//! Training: a CSV in, a judged model out.
//!
//! `metrics`, `importance` and `warnings` judge, `report` tells. Judging is separate from estimating: it sees held-out
//! truths and the predictions that the packed model makes of them, never an estimator.

pub mod importance;
pub mod metrics;
pub mod random;
pub mod report;
pub mod warnings;

//! Training: a CSV in, a judged model out.
//!
//! `report` is what a training run says of itself and of its model, for a terminal, a program and a browser.
//! Judging is separate from estimating: it sees held-out truths and the predictions that the packed model makes of
//! them, never an estimator.

pub mod report;

//! carryout turns a trained tabular model into a small typed npm package.
//!
//! The modules stand in the order in which a model goes through them: `import` reads a file into a `model`,
//! `lower` lays it out as an `image`, the `runtime` predicts from the image in place, `package` links both
//! into an npm package. Without the `compile` feature the crate is `image` and `runtime` alone, `no_std` on
//! wasm32 and free of allocation: what every package carries.

#![cfg_attr(all(target_arch = "wasm32", not(feature = "compile")), no_std)]

pub mod image;
pub mod runtime;

#[cfg(feature = "compile")]
mod error;
#[cfg(feature = "compile")]
pub mod import;
#[cfg(feature = "js")]
pub mod js;
#[cfg(feature = "compile")]
pub mod lower;
#[cfg(feature = "compile")]
pub mod model;
#[cfg(feature = "compile")]
pub mod package;
#[cfg(feature = "compile")]
#[doc(hidden)]
pub mod plain;
#[cfg(feature = "compile")]
pub mod predictor;
#[cfg(feature = "compile")]
pub mod train;
#[cfg(feature = "compile")]
mod unicode;

#[cfg(feature = "compile")]
pub use error::{At, Error, Kind, Result};
#[cfg(feature = "compile")]
pub use import::{Options, import};

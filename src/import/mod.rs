//! One reader a format; each turns a file into a `Model` and nothing else.

pub mod pickle;

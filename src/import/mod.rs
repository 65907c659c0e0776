//! One reader a format; each turns a file into a `Model` and nothing else.

pub mod pickle;
pub mod sklearn;

/// What a caller can say about a file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub limits: pickle::Limits,
    /// Where the model sits in a saved dict, list or tuple, e.g. `models.0`.
    pub select: Option<String>,
    /// Names of the columns, for a model fitted on a bare array.
    pub features: Option<Vec<String>>,
    /// Go on although the file names code; it is still never run.
    pub trust: bool,
}

/// The model in a file.
pub fn import(bytes: &[u8], options: &Options) -> crate::Result<crate::model::Model> {
    let heap = pickle::read(bytes, &options.limits)?;
    sklearn::import(&heap, options)
}

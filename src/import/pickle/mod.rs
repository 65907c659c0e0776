//! Pickle and joblib files as inert data. Nothing of a file is ever executed or imported: a GLOBAL is a name, a call
//! or a BUILD makes a node `{class, args, state, items}`, and only a short list of calls whose result is plain data
//! (numpy arrays, dtypes and scalars, `_codecs.encode`, `set`, ...) becomes that data.
//!
//! [`read`] takes a whole file: protocols 0 to 5, arrays that joblib wrote into the stream, and joblib's six
//! compressions, told apart by their first bytes. The result is a [`Heap`], an arena of nodes with 32-bit indices;
//! [`Value`] is a handle into it.
//!
//! Invariants:
//! - No function recurses on the file's nesting, not even when a heap is dropped; cycles are legal.
//! - Memory follows what was read, never what a length claims, and stays within [`Limits`].
//! - Code that Python would reach while opening the file does not stop the reading; [`Heap::named_code`] lists it,
//!   and whoever builds a model refuses such a file unless told otherwise.
//!
//! Layout: `compress` undoes the outer compression, `machine` runs the opcodes, `calls` knows the calls and states
//! that are data, `array` is numpy's memory layout, `heap` holds nodes and the handles, `danger` the list of names.

mod array;
mod calls;
mod compress;
mod danger;
mod heap;
mod machine;

pub use array::{Array, Dtype, DtypeKind, Field};
pub use heap::{Heap, Items, Kind, Named, Object, Pairs, Value};

use crate::{Error, Result};

/// What a file may ask for. The defaults keep any file of up to a megabyte or so under 256 MB and 5 seconds; a caller
/// who trusts a large file raises what the error names.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of the file as given.
    pub input_bytes: usize,
    /// Bytes after decompression.
    pub decompressed_bytes: usize,
    /// Decompressed bytes for each compressed one, once [`Limits::ratio_floor`] is passed. Deflate cannot do better
    /// than 1032; arrays of real models stay below 30.
    pub ratio: usize,
    /// Decompressed bytes up to which the ratio does not matter.
    pub ratio_floor: usize,
    /// Bytes of the dictionary that an lzma or xz file may ask for. Python's presets ask for up to 64 MiB.
    pub lzma_dictionary: usize,
    /// Bytes of nodes, memo and converted text: about 100 for an entry of a dict of strings.
    pub heap_bytes: usize,
    /// Objects inside objects, counted along the shortest way from the root, and marks open at once. Python's own
    /// pickler stops at its recursion limit of 1000.
    pub depth: usize,
    /// Bytes of an array that [`Value::to_array`] has to build (a sparse matrix made dense).
    pub array_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            input_bytes: 1 << 30,
            decompressed_bytes: 512 << 20,
            ratio: 200,
            ratio_floor: 32 << 20,
            lzma_dictionary: 64 << 20,
            heap_bytes: 160 << 20,
            depth: 1000,
            array_bytes: 128 << 20,
        }
    }
}

/// Reads a pickle or joblib file, compressed or not.
///
/// # Errors
/// `Malformed` for a damaged file or one that is no pickle, `Unsupported` for what pickles of models do not hold
/// (persistent ids, extension codes, out-of-band buffers, joblib before 0.10), `Limit` with the limit's name. The place is the
/// byte of the opcode, counted after decompression.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Heap> {
    if bytes.len() > limits.input_bytes {
        return Err(over("input_bytes", limits.input_bytes, "the file is larger than"));
    }
    match compress::Format::of(bytes) {
        Some(format) => {
            let data = compress::decompress(format, bytes, limits)?;
            machine::run(data, limits).map_err(|error| error.at(format!("decompressed {}", format.name())))
        }
        None => machine::run(bytes.to_vec(), limits),
    }
}

/// Whether [`read`] is the reader to try: a protocol mark, a compressed stream that begins with one, or text that
/// starts and ends like protocol 0 or 1.
pub fn looks_like(bytes: &[u8]) -> bool {
    match compress::Format::of(bytes) {
        Some(format) => machine::looks_like(&compress::peek(format, bytes), false),
        None => machine::looks_like(bytes, true),
    }
}

/// The name of the compression that the bytes begin with, and the first decompressed bytes: none where the stream is
/// damaged from the start.
pub fn compressed(bytes: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let format = compress::Format::of(bytes)?;
    Some((format.name(), compress::peek(format, bytes)))
}

/// The error of a limit: `what` names the thing that is over it.
fn over(name: &str, limit: usize, what: &str) -> Error {
    Error::limit(format!("{what} {limit} (limit {name})"))
        .remedy(format!("If you trust this file, raise the limit `{name}`."))
}

#[cfg(test)]
mod tests;

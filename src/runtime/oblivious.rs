//! Oblivious trees (CatBoost): every level of a tree asks one question, `x > border` in f32, whose answer is one bit
//! of the leaf's number, so that a tree is walked without branches, a column at a time.
//!
//! A missing value answers no, except in the columns that are marked, where it answers yes. Leaf rows hold one value
//! an output; sums are f64 in tree order from 0.

use super::{Call, Shape, rows_mut};
use crate::image::Reader;

/// Most levels of a tree; CatBoost's own limit is 16.
pub const MOST_DEPTH: u32 = 24;

/// The arguments, in the order in which they stand.
struct Forest<'a> {
    /// One an input: not zero where a missing value answers yes.
    missing_above: &'a [u32],
    depths: &'a [u32],
    /// The input and the border of each level, tree by tree.
    features: &'a [u32],
    borders: &'a [f32],
    /// 2^depth rows a tree, outputs wide.
    values: &'a [f64],
}

impl<'a> Forest<'a> {
    #[inline]
    fn read(mut args: Reader<'a>, inputs: usize) -> Option<Forest<'a>> {
        let &[trees, levels, values] = args.list::<u32>(3)?.first_chunk()?;
        Some(Forest {
            missing_above: args.list(inputs)?,
            depths: args.list(trees as usize)?,
            features: args.list(levels as usize)?,
            borders: args.list(levels as usize)?,
            values: args.list(values as usize)?,
        })
    }
}

/// Scratch: the columns in f32, and one leaf number a row.
fn scratch_slots(inputs: usize) -> usize {
    (inputs + 1).div_ceil(2)
}

pub fn check(shape: &Shape) -> Option<usize> {
    let forest = Forest::read(shape.args(), shape.inputs)?;
    let (mut levels, mut values) = (0usize, 0usize);
    for &depth in forest.depths {
        if depth > MOST_DEPTH {
            return None;
        }
        levels = levels.checked_add(depth as usize)?;
        values = values.checked_add((1usize << depth).checked_mul(shape.outputs)?)?;
    }
    let fits = levels == forest.features.len()
        && values == forest.values.len()
        && forest.features.iter().all(|&feature| (feature as usize) < shape.inputs);
    fits.then(|| scratch_slots(shape.inputs))
}

pub fn walk(call: &Call) {
    let Some(forest) = Forest::read(call.args(), call.inputs.len()) else { return };
    let (rows, inputs) = (call.rows, call.inputs.len());
    let scratch = call.scratch(scratch_slots(inputs));
    // SAFETY: the scratch holds (inputs + 1) × rows values of 4 bytes, any bits of which are an f32 and a u32; the
    // two parts do not overlap.
    let (columns, leaves) = unsafe {
        let start = scratch.as_mut_ptr();
        (
            core::slice::from_raw_parts_mut(start.cast::<f32>(), inputs * rows),
            core::slice::from_raw_parts_mut(start.cast::<u32>().add(inputs * rows), rows),
        )
    };
    for ((column, input), &above) in rows_mut(columns, rows).zip(call.inputs()).zip(forest.missing_above) {
        for (cell, &value) in column.iter_mut().zip(input) {
            let x = value as f32;
            *cell = if above != 0 && x.is_nan() { f32::INFINITY } else { x };
        }
    }
    for output in call.outputs() {
        output.fill(0.0);
    }
    let (mut features, mut borders, mut values) = (forest.features, forest.borders, forest.values);
    for &depth in forest.depths {
        leaves.fill(0);
        let levels = depth as usize;
        for ((level, &feature), &border) in features.iter().take(levels).enumerate().zip(borders) {
            let start = feature as usize * rows;
            let Some(column) = columns.get(start..start + rows) else { return };
            for (leaf, &x) in leaves.iter_mut().zip(column) {
                *leaf |= u32::from(x > border) << level;
            }
        }
        for (number, output) in call.outputs().enumerate() {
            for (sum, &leaf) in output.iter_mut().zip(leaves.iter()) {
                // In bounds: the leaf has at most `depth` bits, and `check` saw the rows. The fallback costs nothing
                // that a panic would not, and carries no panic into the package.
                *sum += values.get(leaf as usize * call.outputs + number).copied().unwrap_or(f64::NAN);
            }
        }
        features = features.get(levels..).unwrap_or(&[]);
        borders = borders.get(levels..).unwrap_or(&[]);
        values = values.get((1 << levels) * call.outputs..).unwrap_or(&[]);
    }
}

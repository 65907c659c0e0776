//! Tree ensembles, walked tree by tree over the block, so that a tree's nodes stay in cache for all rows.
//!
//! Every split is `x <= threshold` in the ensemble's width (`lower` turns `<` into `<=` by the next lower number
//! and rounds thresholds down to it, which decides the same for every x of that width). A node is one word: bit 0
//! says leaf; a leaf's other bits are its row of the leaf table; a split has bit 1 (missing goes left), then
//! `feature_bits` of feature, then the place of its left child in the tree; the right child follows the left.
//! Children stand after their parent, so that a walk ends.

use super::{Call, Shape};
use crate::image::{Plain, Reader};

/// Flags of the first argument.
pub const MISSING: u32 = 1;
pub const INFINITE: u32 = 2;
/// A leaf row holds one value for each output; without it one value, for the output of its tree.
pub const VECTOR: u32 = 4;
/// Sums are f32.
pub const SUM32: u32 = 8;

/// The two widths a comparison can have.
pub trait Number: Plain + PartialOrd {
    /// To the nearest value of this width.
    fn round(value: f64) -> Self;
    fn is_nan(self) -> bool;
    fn is_infinite(self) -> bool;
}

impl Number for f32 {
    #[inline]
    fn round(value: f64) -> f32 {
        value as f32
    }
    #[inline]
    fn is_nan(self) -> bool {
        self.is_nan()
    }
    #[inline]
    fn is_infinite(self) -> bool {
        self.is_infinite()
    }
}

impl Number for f64 {
    #[inline]
    fn round(value: f64) -> f64 {
        value
    }
    #[inline]
    fn is_nan(self) -> bool {
        self.is_nan()
    }
    #[inline]
    fn is_infinite(self) -> bool {
        self.is_infinite()
    }
}

/// The arguments, in the order in which they stand.
struct Forest<'a, T> {
    flags: u32,
    feature_bits: u32,
    /// The sums are divided by it where it is not zero.
    divide: f64,
    /// One start value an output.
    base: &'a [f64],
    /// The first node of each tree, and the end of the last.
    roots: &'a [u32],
    /// The output of each tree; empty with VECTOR.
    targets: &'a [u32],
    words: &'a [u32],
    /// One a node; unused at leaves.
    thresholds: &'a [T],
    leaves: &'a [f64],
    leaf_rows: usize,
}

impl<'a, T: Number> Forest<'a, T> {
    #[inline]
    fn read(mut args: Reader<'a>, outputs: usize) -> Option<Forest<'a, T>> {
        let &[flags, feature_bits, trees, nodes, leaf_rows] = args.list::<u32>(5)?.first_chunk()?;
        let (trees, nodes, leaf_rows) = (trees as usize, nodes as usize, leaf_rows as usize);
        let vector = flags & VECTOR != 0;
        Some(Forest {
            flags,
            feature_bits,
            divide: args.one()?,
            base: args.list(outputs)?,
            roots: args.list(trees.checked_add(1)?)?,
            targets: args.list(if vector { 0 } else { trees })?,
            words: args.list(nodes)?,
            thresholds: args.list(nodes)?,
            leaves: args.list(leaf_rows.checked_mul(if vector { outputs } else { 1 })?)?,
            leaf_rows,
        })
    }
}

/// Scratch: one row of inputs in the ensemble's width for each row of the block.
fn scratch_slots<T>(inputs: usize) -> usize {
    (inputs * core::mem::size_of::<T>()).div_ceil(8)
}

pub fn check<T: Number>(shape: &Shape) -> Option<usize> {
    let forest = Forest::<T>::read(shape.args(), shape.outputs)?;
    if forest.feature_bits > 24
        || shape.inputs == 0
        || forest.targets.iter().any(|&target| target as usize >= shape.outputs)
        || forest.roots.last().copied()? as usize != forest.words.len()
    {
        return None;
    }
    for pair in forest.roots.windows(2) {
        let &[first, end] = pair.first_chunk::<2>()?;
        let nodes = forest.words.get(first as usize..end as usize)?;
        if nodes.is_empty() {
            return None;
        }
        for (at, &word) in nodes.iter().enumerate() {
            let holds = if word & 1 == 1 {
                ((word >> 1) as usize) < forest.leaf_rows
            } else {
                let feature = word >> 2 & ((1 << forest.feature_bits) - 1);
                let left = (word >> (2 + forest.feature_bits)) as usize;
                (feature as usize) < shape.inputs && left > at && left + 1 < nodes.len()
            };
            if !holds {
                return None;
            }
        }
    }
    Some(scratch_slots::<T>(shape.inputs))
}

pub fn walk<T: Number>(call: &Call) {
    let Some(forest) = Forest::<T>::read(call.args(), call.outputs) else { return };
    let inputs = call.inputs.len();
    let scratch = call.scratch(scratch_slots::<T>(inputs));
    // SAFETY: the scratch holds rows × inputs values of T: its size was derived from them, f64 alignment is
    // enough for T, and T is plain data.
    let table = unsafe { core::slice::from_raw_parts_mut(scratch.as_mut_ptr().cast::<T>(), call.rows * inputs) };
    for (feature, input) in call.inputs().enumerate() {
        for ((row, &value), cell) in input.iter().enumerate().zip(table.iter_mut().skip(feature).step_by(inputs)) {
            let x = T::round(value);
            if (forest.flags & MISSING == 0 && x.is_nan()) || (forest.flags & INFINITE == 0 && x.is_infinite()) {
                call.refuse(row);
                return;
            }
            *cell = x;
        }
    }
    for (output, &base) in call.outputs().zip(forest.base) {
        output.fill(base);
    }
    let vector = forest.flags & VECTOR != 0;
    let narrow = forest.flags & SUM32 != 0;
    let add = |sum: &mut f64, value: f64| {
        *sum = if narrow { f64::from(*sum as f32 + value as f32) } else { *sum + value };
    };
    for (tree, &root) in forest.roots.iter().take(forest.roots.len() - 1).enumerate() {
        for row in 0..call.rows {
            // SAFETY: `check` saw that the root, every child, feature and leaf row of this forest exists and that
            // children stand after their parents; `row` is below `rows`.
            unsafe {
                let x = table.as_ptr().add(row * inputs);
                let leaf = descend(&forest, root as usize, x);
                if vector {
                    let values = forest.leaves.as_ptr().add(leaf * call.outputs);
                    for (number, output) in call.outputs().enumerate() {
                        add(output.get_unchecked_mut(row), *values.add(number));
                    }
                } else {
                    let target = *forest.targets.get_unchecked(tree) as usize;
                    add(call.output(target).get_unchecked_mut(row), *forest.leaves.get_unchecked(leaf));
                }
            }
        }
    }
    if forest.divide != 0.0 {
        for output in call.outputs() {
            for y in output {
                *y /= forest.divide;
            }
        }
    }
}

/// The leaf row that the values at `x` reach.
///
/// # Safety
/// The forest passed `check`, `root` is the first node of one of its trees, `x` points to one value a feature.
#[inline]
unsafe fn descend<T: Number>(forest: &Forest<T>, root: usize, x: *const T) -> usize {
    let mask = (1u32 << forest.feature_bits) - 1;
    let mut at = root;
    loop {
        // SAFETY: by the caller, `at` is a node of the tree, and so are the children of a split.
        unsafe {
            let word = *forest.words.get_unchecked(at);
            if word & 1 == 1 {
                return (word >> 1) as usize;
            }
            let value = *x.add((word >> 2 & mask) as usize);
            let left = if value.is_nan() { word & 2 != 0 } else { value <= *forest.thresholds.get_unchecked(at) };
            at = root + (word >> (2 + forest.feature_bits)) as usize + usize::from(!left);
        }
    }
}

//! Trees whose leaves are linear models (LightGBM's `linear_tree`): `trees` in f64 with sets, then the leaves' terms.
//!
//! A leaf row is its value for rows that miss one of its columns, a constant, and terms `starts[row]..starts[row + 1]`
//! of feature and coefficient. Terms are added to the constant in order, and the result to the output of the tree.

use super::rows;
use super::trees::{Forest, VECTOR, ZERO, descend, scratch_slots, table};
use super::{Call, Shape};
use crate::image::Reader;

struct Terms<'a> {
    constants: &'a [f64],
    coefficients: &'a [f64],
    starts: &'a [u32],
    features: &'a [u32],
}

impl<'a> Terms<'a> {
    #[inline]
    fn read(args: &mut Reader<'a>, leaf_rows: usize) -> Option<Terms<'a>> {
        let terms = args.one::<u32>()? as usize;
        Some(Terms {
            constants: args.list(leaf_rows)?,
            coefficients: args.list(terms)?,
            starts: args.list(leaf_rows.checked_add(1)?)?,
            features: args.list(terms)?,
        })
    }
}

pub fn check(shape: &Shape) -> Option<usize> {
    let mut args = shape.args();
    let forest = Forest::<f64>::read(&mut args, shape.outputs, true)?;
    let terms = Terms::read(&mut args, forest.leaf_rows)?;
    forest.check::<true>(shape)?;
    let fits = forest.flags & VECTOR == 0
        && terms.features.iter().all(|&feature| (feature as usize) < shape.inputs)
        && terms.starts.windows(2).all(|pair| matches!(pair, [first, end] if first <= end))
        && terms.starts.last().is_some_and(|&end| end as usize <= terms.features.len());
    fits.then(|| scratch_slots::<f64>(shape.inputs))
}

pub fn walk(call: &Call) {
    let mut args = call.args();
    let Some(forest) = Forest::<f64>::read(&mut args, call.outputs, true) else { return };
    let Some(terms) = Terms::read(&mut args, forest.leaf_rows) else { return };
    let Some(table) = table(call, &forest) else { return };
    call.start(forest.base);
    for (&root, &target) in forest.roots.iter().zip(forest.targets) {
        for (x, sum) in rows(table, call.inputs.len()).zip(call.output(target as usize)) {
            // SAFETY: the forest passed `check`, `root` is the first node of a tree and x one value a feature.
            let leaf = unsafe { descend::<f64, true>(&forest, root as usize, x.as_ptr()) };
            if let Some(value) = evaluate(&terms, leaf, x) {
                *sum += value;
            } else if let Some(&value) = forest.leaves.get(leaf) {
                *sum += value;
            }
        }
    }
}

/// The linear model of a leaf; None where one of its columns is missing.
#[inline]
fn evaluate(terms: &Terms, leaf: usize, x: &[f64]) -> Option<f64> {
    let (&first, &end) = (terms.starts.get(leaf)?, terms.starts.get(leaf + 1)?);
    let features = terms.features.get(first as usize..end as usize)?;
    let coefficients = terms.coefficients.get(first as usize..end as usize)?;
    let mut sum = *terms.constants.get(leaf)?;
    for (&feature, coefficient) in features.iter().zip(coefficients) {
        let &x = x.get(feature as usize)?;
        if x.is_nan() {
            return None;
        }
        sum += coefficient * if libm::fabs(x) <= ZERO { 0.0 } else { x };
    }
    Some(sum)
}

//! The first rows through an ensemble as its arguments stand, without tables: what tables save is less than they cost
//! until some rows have come, and the first answer waits for none. (XGBoost, 100 trees of depth 6: 2 ms of tables in
//! code that the engine has not optimized yet, against 0.1 ms.)
//!
//! A tree's nodes stand breadth first, so the way from node to node only goes forward: the splits before a node, which
//! say where its children are, are counted on from those before the last, 56 nodes at a time.

use super::Call;
use super::forest::{Forest, Layout, Place};
use super::sets::Sets;
use super::trees::Number;
use super::walk::{add, value};

/// Rows until tables are made.
const ROWS: u32 = 32;

pub struct Tables {
    /// Rows so far.
    rows: Place,
    /// A row's values, column by column.
    x: Place,
    /// Of shared thresholds, 1 where the row's value is above; then of sets, where it goes right.
    above: Place,
}

impl Tables {
    pub fn new<T: Number>(forest: &Forest, layout: &mut Layout) -> Tables {
        let shared = if forest.shared() { forest.shared_tests() } else { 0 };
        Tables {
            rows: layout.take::<u32>(1),
            x: layout.take::<T>(forest.columns.len() as u64),
            above: layout.take::<u8>(shared as u64),
        }
    }

    /// Predicts the rows of the call while they are among the first; false where tables are to be made.
    #[inline]
    pub fn predict<T: Number, const SETS: bool>(&self, call: &Call, forest: &Forest, sets: &Sets) -> bool {
        // SAFETY: laid out as in the validator, viewed here alone.
        let [rows] = (unsafe { self.rows.of::<u32>(call) }) else { return false };
        let after = rows.saturating_add(call.rows as u32);
        if after > ROWS {
            return false;
        }
        *rows = after;
        self.walk::<T, SETS>(call, forest, sets);
        true
    }

    #[inline(never)]
    fn walk<T: Number, const SETS: bool>(&self, call: &Call, forest: &Forest, sets: &Sets) {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (x, above) = unsafe { (self.x.of::<T>(call), self.above.of::<u8>(call)) };
        call.start(forest.base);
        for row in 0..call.rows {
            for (x, &column) in x.iter_mut().zip(forest.columns) {
                let Some(value) = value(call, forest, column, row) else { return };
                *x = value;
            }
            let mut first = 0;
            for (&x, &count) in x.iter().zip(forest.counts) {
                let end = first + rank(forest, x, first, count as usize);
                let places = above.get_mut(first..first + count as usize).unwrap_or_default().iter_mut();
                places.zip(first..).for_each(|(above, place)| *above = u8::from(place < end));
                first += count as usize;
            }
            if SETS {
                let mut places = above.iter_mut().skip(first);
                for group in sets.groups() {
                    let Some(x) = value::<T>(call, forest, group.column, row) else { return };
                    // The set first: a place that is taken from the other is lost at the end of a group.
                    for (right, above) in group.right(group.class(x)).zip(places.by_ref()) {
                        *above = u8::from(right);
                    }
                }
            }
            let (mut first, mut split, mut leaf) = (0, 0, 0);
            for (tree, &size) in forest.sizes.iter().enumerate() {
                let (mut at, mut before) = (0, 0);
                while forest.is_split(first + at) {
                    let test = forest.tests.get(split + before) as usize;
                    let right = if forest.shared() {
                        above.get(test) == Some(&1)
                    } else {
                        x.get(test).is_some_and(|&x| x > T::from_bits(forest.thresholds.get(split + before)))
                    };
                    let child = 2 * before + 1 + usize::from(right);
                    before += forest.splits_between(first + at, first + child);
                    at = child;
                }
                let from = forest.row(leaf + at - before);
                if forest.vector() {
                    for (place, output) in call.outputs().enumerate() {
                        let value = forest.value(from * call.outputs + place);
                        output.iter_mut().skip(row).take(1).for_each(|sum| add(forest, sum, value));
                    }
                } else if let Some(&target) = forest.targets.get(tree) {
                    let output = call.output(target as usize);
                    output.iter_mut().skip(row).take(1).for_each(|sum| add(forest, sum, forest.value(from)));
                }
                first += 2 * size as usize + 1;
                split += size as usize;
                leaf += size as usize + 1;
            }
        }
        call.divide(forest.divide);
    }
}

/// How many of `count` thresholds from `first` on, ascending, are below x.
fn rank<T: Number>(forest: &Forest, x: T, first: usize, count: usize) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = (low + high) / 2;
        if x > T::from_bits(forest.thresholds.get(first + middle)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

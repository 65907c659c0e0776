//! Single rows through trees of up to 64 leaves, with category sets 256, all trees at once (QuickScorer, with checkpoints).
//!
//! A tree's leaves are numbered from left to right. A split that sends the row right rules out the leaves of its left
//! subtree: a mask of the tree's leaves. The row's leaf is the first that no split rules out. So a column's splits are
//! sorted by threshold, and what they rule out together, for every tree, is kept at every few of them: a row takes one
//! such list for each column, and replays the splits between it and the row's value. Of an input that category sets ask
//! there is a list for each class of its values (`sets`), and nothing to replay.

use super::bits::Bits;
use super::forest::{Forest, Layout, Place, Sum};
use super::sets::{self, Sets};
use super::sliced::{Columns, NODES, Node, Tree, number_nodes, width_of};
use super::trees::Number;
use super::walk::value;
use super::{Call, pieces_mut};

/// Bytes that all checkpoints may take: what a second cache of 2 MB holds beside the rest. Twice as many are slower.
const MOST: u64 = 1 << 20;

/// And all lists of classes: a row takes one of each input, wherever it is.
const MOST_OF_CLASSES: u64 = 4 << 20;

/// Bytes of a mask × lists of a row up to which these are less work than interleaved walks (an estimate), and than plain ones,
/// which are all that takes category sets otherwise.
const PAYS: usize = 480;
const PAYS_WITH_SETS: usize = 1920;

/// A list has a multiple of so many vectors.
const PIECE: usize = 2;

/// The leaves of a tree that are ruled out, a bit each.
pub trait Mask: Copy {
    fn range(from: u32, count: u32) -> Self;
    fn or(self, other: Self) -> Self;
    /// The first that is not ruled out.
    fn leaf(self) -> usize;
}

macro_rules! masks {
    ($($mask:ident)*) => {
        $(impl Mask for $mask {
            fn range(from: u32, count: u32) -> $mask {
                // A left subtree has fewer leaves than the tree, so fewer than there are bits.
                ((1 << (count & ($mask::BITS - 1))) - 1) << (from & ($mask::BITS - 1))
            }
            #[inline(always)]
            fn or(self, other: $mask) -> $mask {
                self | other
            }
            #[inline(always)]
            fn leaf(self) -> usize {
                (!self).trailing_zeros() as usize
            }
        })*
    };
}

masks!(u32 u64);

/// For trees of up to 256 leaves.
pub type Quad = [u64; 4];

impl Mask for Quad {
    fn range(from: u32, count: u32) -> Quad {
        let mut mask = [0; 4];
        for bit in from..from + count {
            mask.iter_mut().skip(bit as usize / 64).take(1).for_each(|word| *word |= 1 << (bit % 64));
        }
        mask
    }
    #[inline(always)]
    fn or(self, [a, b, c, d]: Quad) -> Quad {
        [self[0] | a, self[1] | b, self[2] | c, self[3] | d]
    }
    #[inline(always)]
    fn leaf(self) -> usize {
        // Of more than 64 leaves the first is seldom among the last.
        let mut leaf = 0;
        for word in self {
            if word != !0 {
                return leaf + (!word).trailing_zeros() as usize;
            }
            leaf += 64;
        }
        leaf
    }
}

/// What a split rules out, and of which tree.
#[derive(Clone, Copy)]
#[repr(C)]
struct Item<M> {
    mask: M,
    tree: u32,
}

/// Before the first checkpoint.
const NONE: u32 = u32::MAX;

/// What a column adds to a row: its checkpoint, the first vector of it, and the items from there on.
#[derive(Clone, Copy)]
#[repr(C)]
struct Part {
    checkpoint: u32,
    from: u32,
    to: u32,
}

pub struct Tables {
    ready: Place,
    /// By test, the first of its items and, behind the last, their end.
    starts: Place,
    items: Place,
    /// By column, its first checkpoint.
    first: Place,
    /// Checkpoints, then the lists of classes, and at the end one of zeros.
    checkpoints: Place,
    parts: Place,
    /// What is ruled out in each tree.
    out: Place,
    /// The binary logarithm of the items from one checkpoint to the next, and vectors of a checkpoint.
    apart: u32,
    vectors: usize,
}

/// The bytes of a mask for trees of so many leaves; None where there is no such mask, where so many lists a row, of columns
/// and inputs of sets, are no less work than walks, or where lists for so many classes are too much.
#[inline(always)]
pub fn width(most_leaves: usize, trees: usize, lists: usize, classes: u64) -> Option<usize> {
    let width = match most_leaves {
        0..=32 => 4,
        33..=64 => 8,
        _ => size_of::<Quad>(),
    };
    let fits = most_leaves <= if classes > 0 { 256 } else { 64 }
        && lists * width <= if classes > 0 { PAYS_WITH_SETS } else { PAYS }
        && classes <= MOST_OF_CLASSES / 16
        && classes * 16 * vectors(trees, width) as u64 <= MOST_OF_CLASSES;
    fits.then_some(width)
}

/// Vectors of a list.
#[inline(always)]
fn vectors(trees: usize, width: usize) -> usize {
    (trees * width).div_ceil(16 * PIECE) * PIECE
}

impl Tables {
    /// For masks of so many bytes.
    #[inline(always)]
    pub fn new(width: usize, forest: &Forest, (inputs, classes): (usize, u64), layout: &mut Layout) -> Tables {
        let vectors = vectors(forest.sizes.len(), width);
        let mut apart = 3;
        while (forest.splits >> apart) as u64 * vectors as u64 * 16 > MOST {
            apart += 1;
        }
        Tables {
            ready: layout.take::<u32>(1),
            starts: layout.take::<u32>(forest.shared_tests() as u64 + 1),
            items: match width {
                4 => layout.take::<Item<u32>>(forest.splits as u64),
                8 => layout.take::<Item<u64>>(forest.splits as u64),
                _ => layout.take::<Item<Quad>>(forest.splits as u64),
            },
            first: layout.take::<u32>(forest.columns.len() as u64),
            checkpoints: layout.take::<Bits>(((forest.splits >> apart) as u64 + 1 + classes) * vectors as u64),
            parts: layout.take::<Part>((forest.columns.len() + inputs) as u64),
            out: layout.take::<Bits>(vectors as u64),
            apart,
            vectors,
        }
    }

    fn build<M: Mask, const SETS: bool>(&self, call: &Call, forest: &Forest, full: Option<u32>, sets: &Sets) {
        // SAFETY: laid out as in the validator, each place is viewed once: `out` as masks here, as vectors elsewhere.
        let (starts, items, first, checkpoints, out) = unsafe {
            (
                self.starts.of::<u32>(call),
                self.items.of::<Item<M>>(call),
                self.first.of::<u32>(call),
                self.checkpoints.of::<Bits>(call),
                self.out.of::<Bits>(call),
            )
        };
        // Behind the place of a threshold: how many, then where its next item goes, which in the end is where the
        // next threshold's begin.
        for split in 0..forest.splits {
            starts.iter_mut().skip(forest.tests.get(split) as usize + 1).take(1).for_each(|count| *count += 1);
        }
        let mut sum = 0;
        for start in starts.iter_mut().skip(1) {
            let count = *start;
            *start = sum;
            sum += count;
        }
        let (mut first_node, mut split) = (0, 0);
        for (tree, &size) in forest.sizes.iter().enumerate() {
            let mut all = [Node::default(); NODES];
            let Some(nodes) = all.get_mut(..2 * size as usize + 1) else { return };
            number_nodes(forest, first_node, full, nodes);
            for node in nodes.iter() {
                let Some(left) = nodes.get(node.left as usize).filter(|_| node.left > 0) else { continue };
                if let Some(next) = starts.get_mut(forest.tests.get(split) as usize + 1) {
                    if let Some(item) = items.get_mut(*next as usize) {
                        *item = Item { mask: M::range(left.from.into(), left.leaves.into()), tree: tree as u32 };
                    }
                    *next += 1;
                }
                split += 1;
            }
            first_node += nodes.len();
        }
        let (mut threshold, mut number) = (0, 0);
        let mut lists = pieces_mut(checkpoints, self.vectors);
        for (first, &count) in first.iter_mut().zip(forest.counts) {
            *first = number;
            let range = starts.get(threshold).zip(starts.get(threshold + count as usize));
            let own = range.and_then(|(&from, &to)| items.get(from as usize..to as usize)).unwrap_or(&[]);
            out.fill(Bits::words(0));
            for (place, item) in own.iter().enumerate() {
                // SAFETY: `out` has a mask for each tree.
                unsafe {
                    let out = out.as_mut_ptr().cast::<M>().add(item.tree as usize);
                    *out = (*out).or(item.mask);
                }
                if (place + 1) & ((1 << self.apart) - 1) == 0
                    && let Some(list) = lists.next()
                {
                    list.iter_mut().zip(out.iter()).for_each(|(into, &from)| *into = from);
                    number += 1;
                }
            }
            threshold += count as usize;
        }
        if !SETS {
            return;
        }
        drop(lists);
        let mut lists = pieces_mut(checkpoints.get_mut(self.class_lists(forest)..).unwrap_or_default(), self.vectors);
        for group in sets.groups() {
            for (class, list) in (0..group.classes()).zip(lists.by_ref()) {
                for (test, _) in (threshold..).zip(group.right(class)).filter(|&(_, right)| right) {
                    let range = starts.get(test).zip(starts.get(test + 1));
                    let own = range.and_then(|(&from, &to)| items.get(from as usize..to as usize)).unwrap_or(&[]);
                    for item in own {
                        // SAFETY: a list has a mask for each tree.
                        unsafe {
                            let out = list.as_mut_ptr().cast::<M>().add(item.tree as usize);
                            *out = (*out).or(item.mask);
                        }
                    }
                }
            }
            threshold += group.count();
        }
    }

    /// The first vector of the lists of classes.
    fn class_lists(&self, forest: &Forest) -> usize {
        (forest.splits >> self.apart) * self.vectors
    }

    /// Predicts the rows of the call, one by one. `full`: the depth up to which the trees are filled. SETS: the heads are
    /// those of the sets.
    pub fn run<'a, T: Number, M: Mask, const SETS: bool>(
        &self,
        call: &Call,
        forest: &Forest,
        full: Option<u32>,
        columns: impl Fn() -> Columns<'a, T>,
        (sets, heads): (&Sets, &[sets::Head]),
        (trees, values): (&[Tree], &[u64]),
    ) {
        // SAFETY: as in `build`.
        let ready = unsafe { self.ready.of::<u32>(call) };
        if *ready == [0] {
            self.build::<M, SETS>(call, forest, full, sets);
            ready.fill(1);
        }
        call.start(forest.base);
        for row in 0..call.rows {
            // SAFETY: the tables are those that `build` made of a checked forest, and `sliced` its trees.
            unsafe {
                if !self.rule_out::<T, M, SETS>(call, forest, columns(), heads, row) {
                    return;
                }
                let out = self.out.of::<Bits>(call).as_ptr().cast::<M>();
                if forest.narrow() {
                    add::<f32, M>(call, forest, out, trees, values.as_ptr().cast(), row);
                } else {
                    add::<f64, M>(call, forest, out, trees, values.as_ptr().cast(), row);
                }
            }
        }
        call.divide(forest.divide);
    }

    /// Fills `out` for a row; false where a value is refused.
    ///
    /// # Safety
    /// The tables were built.
    #[inline(always)]
    unsafe fn rule_out<T: Number, M: Mask, const SETS: bool>(
        &self,
        call: &Call,
        forest: &Forest,
        columns: Columns<T>,
        heads: &[sets::Head],
        row: usize,
    ) -> bool {
        // SAFETY: laid out as in the validator, each place is viewed once; starts, items and checkpoints that are asked
        // for exist, for the rank of a value is at most the number of its column's thresholds.
        unsafe {
            let (starts, items, first, parts) = (
                self.starts.of::<u32>(call),
                self.items.of::<Item<M>>(call),
                self.first.of::<u32>(call),
                self.parts.of::<Part>(call),
            );
            let (mut lists, mut threshold) = (0, 0);
            for (((&column, first), part), own) in forest.columns.iter().zip(first).zip(&mut *parts).zip(columns) {
                let Some(x) = value(call, forest, column, row) else { return false };
                let (map, sorted, cells) = own;
                let rank = map.rank(sorted, cells, x);
                let from = *starts.get_unchecked(threshold);
                let to = *starts.get_unchecked(threshold + rank);
                threshold += sorted.len() - super::sliced::BEYOND;
                let whole = (to - from) >> self.apart;
                let checkpoint = if whole == 0 { NONE } else { (*first + whole - 1) * self.vectors as u32 };
                *part = Part { checkpoint, from: from + (whole << self.apart), to };
                lists += 1;
            }
            if SETS {
                let first = self.class_lists(forest) as u32;
                for head in heads {
                    let Some(x) = value::<T>(call, forest, head.column, row) else { return false };
                    let list = head.first + sets::class(x, head.most);
                    let checkpoint = first + list * self.vectors as u32;
                    *parts.get_unchecked_mut(lists) = Part { checkpoint, from: 0, to: 0 };
                    lists += 1;
                }
            }
            let parts = parts.get_unchecked(..lists);
            self.unite(call, parts);
            let out = self.out.of::<Bits>(call).as_mut_ptr().cast::<M>();
            for part in parts {
                for item in items.get_unchecked(part.from as usize..part.to as usize) {
                    let out = out.add(item.tree as usize);
                    *out = (*out).or(item.mask);
                }
            }
            true
        }
    }

    /// Four lists at a time, each from its first vector to its last: what is fetched from them in order comes sooner.
    ///
    /// # Safety
    /// As in `rule_out`.
    #[inline(never)]
    unsafe fn unite(&self, call: &Call, parts: &[Part]) {
        // SAFETY: by the caller; a list has `vectors` vectors, a multiple of `PIECE`.
        unsafe {
            let (lists, out) = (self.checkpoints.of::<Bits>(call).as_ptr(), self.out.of::<Bits>(call).as_mut_ptr());
            // One list is of zeros, behind the others.
            let none = lists.add(self.checkpoints.count() - self.vectors);
            let mut first = true;
            let mut parts = parts.iter().filter(|part| part.checkpoint != NONE);
            loop {
                let mut next = || parts.next().map_or(none, |part| lists.add(part.checkpoint as usize));
                let (mut a, mut b, mut c, mut d) = (next(), next(), next(), next());
                if a == none && !first {
                    return;
                }
                let mut into = out;
                for _ in 0..self.vectors / 2 {
                    macro_rules! each {
                        ($($k:literal)*) => {
                            $(
                                let four = (*a.add($k)).or(*b.add($k)).or((*c.add($k)).or(*d.add($k)));
                                *into.add($k) = if first { four } else { four.or(*into.add($k)) };
                            )*
                        };
                    }
                    each!(0 1);
                    (a, b, c, d, into) = (a.add(2), b.add(2), c.add(2), d.add(2), into.add(2));
                }
                first = false;
            }
        }
    }
}

/// Adds the values of the row's leaves, in the order of the trees.
///
/// # Safety
/// `out` has a mask for each tree, `values` the leaf rows that `trees` say, in the width of the sums.
#[inline(never)]
unsafe fn add<S: Sum, M: Mask>(
    call: &Call,
    forest: &Forest,
    out: *const M,
    trees: &[Tree],
    values: *const S,
    row: usize,
) {
    let width = width_of(forest, call.outputs);
    // SAFETY: by the caller.
    unsafe {
        if forest.vector() {
            for (number, tree) in trees.iter().enumerate() {
                let values = values.add((tree.ordered as usize + (*out.add(number)).leaf()) * width);
                for (place, output) in call.outputs().enumerate() {
                    let sum = output.get_unchecked_mut(row);
                    *sum = S::from_f64(*sum).plus(*values.add(place)).to_f64();
                }
            }
            return;
        }
        // Trees of one output follow each other.
        let (mut target, mut sum) = (usize::MAX, S::from_f64(0.0));
        for ((number, tree), &next) in trees.iter().enumerate().zip(forest.targets) {
            if next as usize != target {
                call.output(target).iter_mut().skip(row).take(1).for_each(|output| *output = sum.to_f64());
                target = next as usize;
                sum = S::from_f64(call.output(target).get(row).copied().unwrap_or(0.0));
            }
            sum = sum.plus(*values.add(tree.ordered as usize + (*out.add(number)).leaf()));
        }
        call.output(target).iter_mut().skip(row).take(1).for_each(|output| *output = sum.to_f64());
    }
}

//! Tree ensembles whose splits all compare with a threshold: the arguments, compact, and their validator. The
//! kernels (`walk`, `sliced`) make tables of them, after the first rows (`compact`).
//!
//! Every split is `x <= threshold` in the ensemble's width, as in `trees`. A split asks a column: an input and how it
//! is read, so that an input whose splits disagree about missing values is two columns. Nodes stand tree by tree,
//! breadth first; one bit a node says whether it is a split, and the children of a tree's k-th split are its nodes
//! 2k + 1 and 2k + 2, so that no child needs a number. Splits and leaves are then counted in that order.
//!
//! Numbers stand as planes: all first bytes, then all second bytes and so on. Sorted thresholds, exponents and small
//! numbers compress better so.

use super::lanes;
use super::trees::{INFINITE, MISSING, Number, SUM32, VECTOR};
use super::{Call, MOST_TABLES, Shape};
use crate::image::{Plain, Reader};

/// A flag beside those of `trees`: a split names a place in one list of all different thresholds, column by column,
/// ascending. Without it, it names its column and has a threshold of its own.
pub const SHARED: u32 = 16;

/// An input and, in the low bits, how it is read: as what a missing value is compared, `LEFT`, `RIGHT` or `AS_ZERO`, or
/// `ABSENT`, and whether zeros are missing too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Column(u32);

// SAFETY: a u32.
unsafe impl Plain for Column {}

impl Column {
    /// Below every threshold: NaN is not above one.
    pub const LEFT: u32 = 0;
    /// Above every threshold: such a column has no infinite one.
    pub const RIGHT: u32 = 1;
    pub const AS_ZERO: u32 = 2;
    /// Whether it is missing: then above every threshold, and all that is there is 0.
    pub const ABSENT: u32 = 3;
    /// With any but `AS_ZERO`: a value within `trees::ZERO` of zero is missing.
    pub const NO_ZEROS: u32 = 4;

    const KIND_BITS: u32 = 3;

    pub const fn new(input: u32, kind: u32) -> Column {
        Column(input << Column::KIND_BITS | kind)
    }

    /// As it stands in the arguments.
    pub fn word(self) -> u32 {
        self.0
    }

    #[inline(always)]
    pub fn input(self) -> usize {
        (self.0 >> Column::KIND_BITS) as usize
    }

    #[inline(always)]
    pub fn kind(self) -> u32 {
        self.0 & ((1 << Column::KIND_BITS) - 1)
    }

    /// Whether finite values are read as they stand.
    #[inline(always)]
    pub fn is_plain(self) -> bool {
        self.kind() <= Column::AS_ZERO
    }

    fn is_known(self) -> bool {
        self.kind() != Column::NO_ZEROS | Column::AS_ZERO
    }

    /// What x is compared as in an ensemble with these flags; None where it is refused.
    #[inline(always)]
    pub fn admit<T: Number>(self, flags: u32, x: T) -> Option<T> {
        let kind = self.kind() & !Column::NO_ZEROS;
        if x.is_infinite() && flags & INFINITE == 0 || x.is_nan() && flags & MISSING == 0 {
            return None;
        }
        if !x.is_nan() && (kind == self.kind() || !x.is_zero()) {
            return Some(if kind == Column::ABSENT { T::round(0.0) } else { x });
        }
        Some(match kind {
            Column::LEFT => T::NAN,
            Column::RIGHT | Column::ABSENT => T::INFINITY,
            _ => T::round(0.0),
        })
    }
}

/// Nodes that one word tells of, wherever it begins in a byte.
const WORD: usize = 56;

/// Numbers of a few bytes each, plane by plane.
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> Planes<'a> {
    fn read(args: &mut Reader<'a>, count: usize, width: usize) -> Option<Planes<'a>> {
        Some(Planes { bytes: args.list(count.checked_mul(width)?)?, count })
    }

    #[inline(never)]
    pub fn get(&self, place: usize) -> u64 {
        let (mut value, mut at, mut shift) = (0, place, 0);
        while let Some(&byte) = self.bytes.get(at) {
            value |= u64::from(byte) << (shift & 63);
            at += self.count;
            shift += 8;
        }
        value
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether all are below the bound.
    fn below(&self, bound: u64) -> bool {
        lanes::below(self.bytes, self.count, bound, |place| self.get(place))
    }
}

/// The arguments, in the order in which they stand.
pub struct Forest<'a> {
    pub flags: u32,
    /// Different leaf rows.
    pub rows: usize,
    /// The sums are divided by it where it is not zero.
    pub divide: f64,
    /// One start value an output.
    pub base: &'a [f64],
    /// Splits of each tree.
    pub sizes: &'a [u32],
    /// The output of each tree; empty with VECTOR.
    pub targets: &'a [u32],
    pub columns: &'a [Column],
    /// How many of the shared thresholds each column has; empty without SHARED.
    pub counts: &'a [u32],
    /// Tests behind the shared thresholds: category sets (`sets`).
    pub sets: usize,
    pub splits: usize,
    pub thresholds: Planes<'a>,
    /// A bit a node: it is a split.
    pub shape: &'a [u8],
    /// A split's threshold, or set, or column.
    pub tests: Planes<'a>,
    /// A leaf's row; without planes they are in order.
    pub leaves: Planes<'a>,
    /// Leaf rows, row-major, of f32 where the sums are, else of f64.
    pub values: Planes<'a>,
}

impl<'a> Forest<'a> {
    pub fn read<T>(args: &mut Reader<'a>, outputs: usize) -> Option<Forest<'a>> {
        let &[flags, trees, splits, rows, columns, thresholds, test_width, leaf_width] =
            args.list::<u32>(8)?.first_chunk()?;
        let (trees, splits, columns) = (trees as usize, splits as usize, columns as usize);
        let vector = flags & VECTOR != 0;
        let nodes = splits.checked_mul(2)?.checked_add(trees)?;
        if test_width > 4 || leaf_width > 4 {
            return None;
        }
        Some(Forest {
            flags,
            rows: rows as usize,
            divide: args.one()?,
            base: args.list(outputs)?,
            sizes: args.list(trees)?,
            targets: args.list(if vector { 0 } else { trees })?,
            columns: args.list(columns)?,
            counts: args.list(if flags & SHARED != 0 { columns } else { 0 })?,
            sets: 0,
            splits,
            thresholds: Planes::read(args, thresholds as usize, size_of::<T>())?,
            shape: args.list(nodes.div_ceil(8))?,
            tests: Planes::read(args, splits, test_width as usize)?,
            leaves: Planes::read(args, splits.checked_add(trees)?, leaf_width as usize)?,
            values: Planes::read(
                args,
                (rows as usize).checked_mul(if vector { outputs } else { 1 })?,
                if flags & SUM32 != 0 { 4 } else { 8 },
            )?,
        })
    }

    pub fn vector(&self) -> bool {
        self.flags & VECTOR != 0
    }

    pub fn narrow(&self) -> bool {
        self.flags & SUM32 != 0
    }

    pub fn shared(&self) -> bool {
        self.flags & SHARED != 0
    }

    /// How many tests splits share.
    pub fn shared_tests(&self) -> usize {
        self.thresholds.count + self.sets
    }

    pub fn nodes(&self) -> usize {
        2 * self.splits + self.sizes.len()
    }

    #[inline(never)]
    pub fn is_split(&self, node: usize) -> bool {
        self.shape.get(node / 8).is_some_and(|byte| byte >> (node % 8) & 1 == 1)
    }

    /// Bit k: whether node `node` + k is a split, for the next `WORD` nodes; 0 behind the last.
    #[inline]
    fn word(&self, node: usize) -> u64 {
        let bytes = self.shape.get(node / 8..).unwrap_or(&[]);
        let word = match bytes.first_chunk() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        word >> (node % 8)
    }

    /// How many nodes of a range are splits.
    #[inline(never)]
    pub fn splits_between(&self, from: usize, to: usize) -> usize {
        let (mut at, mut count) = (from, 0);
        while at < to {
            let bits = if to - at < WORD { to - at } else { WORD };
            count += (self.word(at) & ((1 << bits) - 1)).count_ones() as usize;
            at += bits;
        }
        count
    }

    /// Whether every node of a tree was announced by a split before it, and `size` are splits.
    fn is_tree(&self, first: usize, size: usize) -> bool {
        let (mut at, mut splits) = (0, 0);
        while at < 2 * size + 1 {
            let mut word = self.word(first + at);
            let end = if 2 * size + 1 - at < WORD { 2 * size + 1 } else { at + WORD };
            while at < end {
                if at > 2 * splits {
                    return false;
                }
                if end <= 2 * splits + 1 {
                    // So were all of this word.
                    splits += (word & ((1 << (end - at)) - 1)).count_ones() as usize;
                    at = end;
                } else {
                    splits += (word & 1) as usize;
                    word >>= 1;
                    at += 1;
                }
            }
        }
        splits == size
    }

    /// The leaf row of leaf number `leaf` of the whole ensemble.
    #[inline(never)]
    pub fn row(&self, leaf: usize) -> usize {
        if self.leaves.bytes.is_empty() { leaf } else { self.leaves.get(leaf) as usize }
    }

    /// Number `place` of the leaf rows.
    #[inline(never)]
    pub fn value(&self, place: usize) -> f64 {
        let bits = self.values.get(place);
        if self.narrow() { f64::from(f32::from_bits(bits as u32)) } else { f64::from_bits(bits) }
    }

    /// Whether everything that is a number of something else is one, and every tree a tree.
    pub fn check<T: Number>(&self, shape: &Shape) -> Option<()> {
        let within = |number: u64, count: usize| number < count as u64;
        let leaves = self.splits + self.sizes.len();
        let fits = !self.sizes.is_empty()
            && self.columns.iter().all(|column| column.is_known() && column.input() < shape.inputs)
            && self.targets.iter().all(|&target| within(u64::from(target), shape.outputs))
            && if self.leaves.bytes.is_empty() { self.rows == leaves } else { self.leaves.below(self.rows as u64) };
        let tests = if self.shared() {
            let mut from = 0usize;
            for &count in self.counts {
                let end = from.checked_add(count as usize)?;
                let mut last = T::from_bits(self.thresholds.get(from));
                for place in from..end {
                    let next = T::from_bits(self.thresholds.get(place));
                    if next.is_nan() || (place > from && next <= last) {
                        return None;
                    }
                    last = next;
                }
                from = end;
            }
            (from == self.thresholds.count).then_some(self.shared_tests())?
        } else {
            (self.splits == self.thresholds.count).then_some(self.columns.len())?
        };
        if !fits || !self.tests.below(tests as u64) {
            return None;
        }
        let (mut first, mut splits) = (0, 0usize);
        for &size in self.sizes {
            splits = splits.checked_add(size as usize).filter(|&splits| splits <= self.splits)?;
            if !self.is_tree(first, size as usize) {
                return None;
            }
            first += 2 * size as usize + 1;
        }
        (splits == self.splits).then_some(())
    }
}

/// Hands out places in a kernel's tables.
#[derive(Clone, Copy, Default)]
pub struct Layout {
    end: u64,
}

/// Where a list of a kernel's tables is. All tables of an image are fewer bytes than a u32 counts.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Place {
    at: u32,
    count: u32,
}

impl Layout {
    /// A place for `count` values of T, aligned to 64 bytes, a line of a cache.
    #[inline(always)]
    pub fn take<T>(&mut self, count: u64) -> Place {
        Place { at: self.take_bytes(count, size_of::<T>() as u64), count: count as u32 }
    }

    #[inline(never)]
    fn take_bytes(&mut self, count: u64, size: u64) -> u32 {
        let at = self.end;
        self.end = at.saturating_add(count.saturating_mul(size)).saturating_add(63) & !63;
        at as u32
    }

    /// Says what the tables take; None where that is more than an image may ask for.
    pub fn announce(&self, shape: &Shape) -> Option<()> {
        shape.tables.set(self.end);
        (self.end <= MOST_TABLES).then_some(())
    }
}

impl Place {
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// How many bytes from the beginning of the tables.
    pub fn start(&self) -> usize {
        self.at as usize
    }

    /// The list, of the T that the place was taken for.
    ///
    /// # Safety
    /// The layout is the one that the validator announced for this operation, T is plain data of which zeros are a
    /// value, and no other view of the place is in use.
    #[inline(always)]
    pub unsafe fn of<'a, T>(&self, call: &Call) -> &'a mut [T] {
        // SAFETY: `check` saw that the tables hold what the validator announced, aligned to 16 bytes; the place is
        // a part of that; the rest is the caller's.
        unsafe { core::slice::from_raw_parts_mut(call.tables.add(self.at as usize).cast::<T>(), self.count as usize) }
    }
}

/// The two widths in which leaf values are added.
pub trait Sum: Copy {
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    fn plus(self, other: Self) -> Self;
    /// Adds to first ones of these sums, row by row, the values of their leaves in so many trees, in their order; how many
    /// sums. A tree's leaf numbers are a byte a row, `BLOCK` after the tree's before, its values `stride` after.
    ///
    /// # Safety
    /// All those are there.
    unsafe fn add(sums: &mut [f64], leaves: *const u8, values: *const Self, trees: usize, stride: usize) -> usize;
}

impl Sum for f32 {
    #[inline(always)]
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn plus(self, other: f32) -> f32 {
        self + other
    }
    #[inline(always)]
    unsafe fn add(sums: &mut [f64], leaves: *const u8, values: *const f32, trees: usize, stride: usize) -> usize {
        // SAFETY: by the caller.
        unsafe { lanes::add_f32(sums, leaves, values, trees, stride) }
    }
}

impl Sum for f64 {
    #[inline(always)]
    fn from_f64(value: f64) -> f64 {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn plus(self, other: f64) -> f64 {
        self + other
    }
    #[inline(always)]
    unsafe fn add(sums: &mut [f64], leaves: *const u8, values: *const f64, trees: usize, stride: usize) -> usize {
        // SAFETY: by the caller.
        unsafe { lanes::add_f64(sums, leaves, values, trees, stride) }
    }
}

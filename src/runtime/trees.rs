//! Tree ensembles, walked tree by tree over the block, so that a tree's nodes stay in cache for all rows.
//!
//! Every split is `x <= threshold` in the ensemble's width (`lower` turns `<` into `<=` by the next lower number
//! and rounds thresholds down to it, which decides the same for every x of that width). A node is one word: bit 0
//! says leaf; a leaf's other bits are its row of the leaf table; a split has bit 1 (missing goes left), then
//! `feature_bits` of feature, then the place of its left child in the tree; the right child follows the left.
//! Children stand after their parent, so that a walk ends.
//!
//! The variants with `SETS` have two more bits before the feature: bit 2 says that the split asks a category set,
//! whose number stands in the threshold's place; bit 3 that a value within `ZERO` of zero counts as missing.

use super::bits::ROWS;
use super::lanes;
use super::{Call, Shape};
use crate::image::{Plain, Reader};
use core::mem::MaybeUninit;

/// Flags of the first argument.
pub const MISSING: u32 = 1;
pub const INFINITE: u32 = 2;
/// A leaf row holds one value for each output; without it one value, for the output of its tree.
pub const VECTOR: u32 = 4;
/// Sums are f32.
pub const SUM32: u32 = 8;

/// In the words of the variants with sets.
pub const IN_SET: u32 = 4;
pub const ZERO_MISSING: u32 = 8;
/// In a set's second word; the number of its categories is above them.
pub const OUTSIDE_LEFT: u32 = 1;
pub const TOWARD_ZERO: u32 = 2;

/// LightGBM's `kZeroThreshold`: what lies this close to zero is zero.
pub const ZERO: f64 = 1e-35_f32 as f64;

/// Bits of a split's word before the feature.
pub const fn flag_bits(sets: bool) -> u32 {
    if sets { 4 } else { 2 }
}

/// The two widths a comparison can have.
pub trait Number: Plain + PartialOrd {
    const INFINITY: Self;
    const NAN: Self;
    /// A number of a node or column in a node of `walk`, and how many there may be.
    type Index: Plain;
    const MOST: usize;
    fn index(number: usize) -> Self::Index;
    fn at(index: Self::Index) -> usize;
    fn from_bits(bits: u64) -> Self;
    fn to_bits(self) -> u64;
    /// Rounds each value; whether all are finite.
    fn read(values: &[f64], into: &mut [Self]) -> bool;
    /// `read` of f32.
    fn read_narrow(values: &[f32], into: &mut [Self]) -> bool;
    /// The rows of an input from `first` on, where it is of this width and has so many.
    fn view<'a>(call: &'a Call, number: usize, first: usize) -> Option<&'a [Self; ROWS]>;
    /// Whether one is infinite.
    fn infinite(x: &[Self; ROWS]) -> bool;
    /// The place of each x's entry, for all rows: `base` and as many bytes further as `cell` entries have; whether all
    /// are finite, where it is not RIGHT. NaN falls into the lowest cell, or RIGHT the highest.
    fn cells<const RIGHT: bool>(
        x: &[Self; ROWS],
        low: Self,
        high: Self,
        scale: Self,
        base: u32,
        into: &mut MaybeUninit<[u32; ROWS]>,
    ) -> bool;
    /// `Entry::start` is as wide as the number.
    type Whole: Copy;
    fn word(number: u64) -> Self::Whole;
    /// The bits without the sign, of f64 the upper half.
    fn magnitude(self) -> u32;
    /// A number that grows with this one about as its logarithm, away from zero on both sides: how far its magnitude is
    /// above `floor`, and 0 below. NaN stays NaN.
    fn logarithm(self, floor: u32) -> Self;
    /// All; whether all x are finite.
    fn logarithms(x: &[Self; ROWS], floor: u32, into: &mut [Self; ROWS]) -> bool;
    /// The rank of each x, below 256: that where its cell starts, and one more where x is above the cell's threshold. RIGHT:
    /// one more than the entry says unless x is not above it, so that NaN is above.
    ///
    /// # Safety
    /// The places are those that `cells` made from `lanes::base` of the entries, of which there is one for each cell.
    unsafe fn ranks<const RIGHT: bool>(
        x: &[Self; ROWS],
        places: &[u32; ROWS],
        entries: &[Entry<Self>],
        into: &mut [u8; ROWS],
    );
    /// The same by pairs of entries, from places that count from base 0: low bytes and high ones of any ranks.
    ///
    /// # Safety
    /// As above, with two entries for each cell.
    unsafe fn ranks_wide<const RIGHT: bool>(
        x: &[Self; ROWS],
        places: &[u32; ROWS],
        entries: &[Entry<Self>],
        into: &mut [[u8; ROWS]; 2],
    );
    /// Moves the places of rows up by so many bytes where x is above the last number that they pass by; what is behind `last`
    /// nothing is above.
    ///
    /// # Safety
    /// The places are of numbers of the list, as is `last`.
    unsafe fn higher(x: &[Self; ROWS], places: &mut [u32; ROWS], list: *const Self, by: u32, last: u32);
    /// The number from which on there are whole ones alone.
    const WHOLE: Self;
    /// Where `find` finds the entry of cell 0 if they begin at 0.
    const ENTRY: u32;
    /// Where the entries of a row's values are; false where one is not finite, and in builds without vectors.
    ///
    /// # Safety
    /// The slots are there, of blocks of so many rows, and `into` has room.
    unsafe fn find(own: &Four<Self>, slots: *const f64, rows: usize, into: *mut Found<Self>) -> bool;
    /// A byte for each column: the low one of the row's rank and what is added.
    ///
    /// # Safety
    /// `find` found the entries.
    unsafe fn four(own: &Four<Self>, found: &Found<Self>) -> [u8; 4];
    /// Which cell x falls into, for x from `low` to `high`: (x - low) × scale to the nearest whole number. Values
    /// outside, and NaN, fall into the end cells; a greater x never into a lower one.
    fn cell(x: Self, low: Self, high: Self, scale: Self) -> usize;
    /// The scale by which `high` falls into cell `last`; 0 where there is none.
    fn scale(low: Self, high: Self, last: u32) -> Self;
    /// To the nearest value of this width.
    fn round(value: f64) -> Self;
    fn is_nan(self) -> bool;
    fn is_infinite(self) -> bool;
    fn is_finite(self) -> bool;
    /// The whole part, 0 for NaN and what is below zero, at most `u32::MAX`.
    fn whole(self) -> u32;
    /// Within `ZERO` of zero.
    fn is_zero(self) -> bool;
}

/// A cell of a column's map to ranks that has one threshold, or none: then it is the next one, which is above all in the
/// cell, or NaN. Of a cell that has up to three there are two: the first has its first threshold and, in place of the
/// start, the bits of the second, the other one the third and the start.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Entry<T: Number> {
    pub threshold: T,
    /// Thresholds of the cells before. Where missing values are above all, so many more as thresholds are in the entry.
    pub start: T::Whole,
}

/// What the values of four columns need to become ranks together.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Four<T: Number> {
    /// What `cell` takes of each column's map.
    pub map: [[T; 4]; 3],
    /// All bits where it takes logarithms.
    pub logarithm: [T::Whole; 4],
    pub floor: [u32; 4],
    /// The slots of their inputs.
    pub slots: [u32; 4],
    /// The places of their entries (`lanes::base`), less `Number::ENTRY`.
    pub base: [u32; 4],
    /// What a rank of an entry is more than its start.
    pub add: [T::Whole; 4],
    /// From this number on, and up to twice it, there are whole ones alone. A constant V8 would make anew for every four.
    pub whole: [T; 4],
    /// Not 0 where one has no entries, or not every finite value goes through.
    pub slow: u32,
    /// Not 0 where one takes logarithms, and where the slots follow each other.
    pub curved: u32,
    pub together: u32,
}

/// Values of four columns, and the places of their entries.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Found<T> {
    pub x: [T; 4],
    pub places: [u32; 4],
}

impl Number for f32 {
    const INFINITY: f32 = f32::INFINITY;
    const NAN: f32 = f32::NAN;
    const WHOLE: f32 = 8_388_608.0;
    const ENTRY: u32 = Self::WHOLE.to_bits() << 3;
    type Index = u16;
    const MOST: usize = 1 << 16;
    #[inline(always)]
    fn index(number: usize) -> u16 {
        number as u16
    }
    #[inline(always)]
    fn at(index: u16) -> usize {
        index as usize
    }
    #[inline(always)]
    fn from_bits(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }
    #[inline(always)]
    fn to_bits(self) -> u64 {
        u64::from(self.to_bits())
    }
    #[inline(always)]
    fn read(values: &[f64], into: &mut [f32]) -> bool {
        lanes::read_f32(values, into)
    }
    #[inline(always)]
    fn read_narrow(values: &[f32], into: &mut [f32]) -> bool {
        lanes::read(values, into)
    }
    #[inline(always)]
    fn view<'a>(call: &'a Call, number: usize, first: usize) -> Option<&'a [f32; ROWS]> {
        call.narrow_input(number)?.get(first..)?.first_chunk()
    }
    #[inline(always)]
    fn infinite(x: &[f32; ROWS]) -> bool {
        lanes::infinite_f32(x)
    }
    type Whole = u32;
    #[inline(always)]
    fn word(number: u64) -> u32 {
        number as u32
    }
    fn magnitude(self) -> u32 {
        self.to_bits() & 0x7fff_ffff
    }
    fn logarithm(self, floor: u32) -> f32 {
        if self.is_nan() { self } else { (self.magnitude().saturating_sub(floor) as i32 as f32).copysign(self) }
    }
    #[inline(always)]
    fn logarithms(x: &[f32; ROWS], floor: u32, into: &mut [f32; ROWS]) -> bool {
        lanes::logarithms_f32(x, floor, into)
    }
    #[inline(always)]
    unsafe fn ranks<const RIGHT: bool>(
        x: &[f32; ROWS],
        places: &[u32; ROWS],
        entries: &[Entry<f32>],
        into: &mut [u8; ROWS],
    ) {
        // SAFETY: by the caller.
        unsafe { lanes::ranks_f32::<RIGHT>(x, places, entries, into) }
    }
    #[inline(always)]
    unsafe fn ranks_wide<const RIGHT: bool>(
        x: &[f32; ROWS],
        places: &[u32; ROWS],
        entries: &[Entry<f32>],
        into: &mut [[u8; ROWS]; 2],
    ) {
        // SAFETY: by the caller.
        unsafe { lanes::wide_f32::<RIGHT>(x, places, entries, into) }
    }
    #[inline(always)]
    unsafe fn higher(x: &[f32; ROWS], places: &mut [u32; ROWS], list: *const f32, by: u32, last: u32) {
        // SAFETY: by the caller.
        unsafe { lanes::higher_f32(x, places, list, by, last) }
    }
    #[inline(always)]
    unsafe fn find(own: &Four<f32>, slots: *const f64, rows: usize, into: *mut Found<f32>) -> bool {
        // SAFETY: by the caller.
        unsafe { lanes::find_f32(own, slots, rows, into) }
    }
    #[inline(always)]
    unsafe fn four(own: &Four<f32>, found: &Found<f32>) -> [u8; 4] {
        // SAFETY: by the caller.
        unsafe { lanes::four_f32(own, found) }
    }
    #[inline(always)]
    fn cells<const RIGHT: bool>(
        x: &[f32; ROWS],
        low: f32,
        high: f32,
        scale: f32,
        base: u32,
        into: &mut MaybeUninit<[u32; ROWS]>,
    ) -> bool {
        lanes::cells_f32::<RIGHT>(x, low, high, scale, base, into)
    }
    #[inline(always)]
    fn cell(x: f32, low: f32, high: f32, scale: f32) -> usize {
        lanes::cell_f32(x, low, high, scale)
    }
    fn scale(low: f32, high: f32, last: u32) -> f32 {
        let scale = last as f32 / (high - low);
        if scale.is_finite() && (high - low).is_finite() { scale } else { 0.0 }
    }
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
    #[inline]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    #[inline]
    fn is_zero(self) -> bool {
        (-ZERO..=ZERO).contains(&f64::from(self))
    }
    #[inline]
    fn whole(self) -> u32 {
        self as u32
    }
}

impl Number for f64 {
    const INFINITY: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    const ENTRY: u32 = (Self::WHOLE.to_bits() as u32) << 4;
    type Index = u32;
    const MOST: usize = u32::MAX as usize;
    #[inline(always)]
    fn index(number: usize) -> u32 {
        number as u32
    }
    #[inline(always)]
    fn at(index: u32) -> usize {
        index as usize
    }
    #[inline(always)]
    fn from_bits(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
    #[inline(always)]
    fn to_bits(self) -> u64 {
        self.to_bits()
    }
    #[inline(always)]
    fn read(values: &[f64], into: &mut [f64]) -> bool {
        lanes::read_f64(values, into)
    }
    #[inline(always)]
    fn read_narrow(values: &[f32], into: &mut [f64]) -> bool {
        lanes::widen(values, into)
    }
    #[inline(always)]
    fn view<'a>(call: &'a Call, number: usize, first: usize) -> Option<&'a [f64; ROWS]> {
        call.narrow_input(number).is_none().then(|| call.input(number))?.get(first..)?.first_chunk()
    }
    #[inline(always)]
    fn infinite(x: &[f64; ROWS]) -> bool {
        lanes::infinite_f64(x)
    }
    type Whole = u64;
    #[inline(always)]
    fn word(number: u64) -> u64 {
        number
    }
    fn magnitude(self) -> u32 {
        (self.to_bits() >> 32) as u32 & 0x7fff_ffff
    }
    fn logarithm(self, floor: u32) -> f64 {
        if self.is_nan() { self } else { f64::from(self.magnitude().saturating_sub(floor)).copysign(self) }
    }
    #[inline(always)]
    fn logarithms(x: &[f64; ROWS], floor: u32, into: &mut [f64; ROWS]) -> bool {
        lanes::logarithms_f64(x, floor, into)
    }
    #[inline(always)]
    unsafe fn ranks<const RIGHT: bool>(
        x: &[f64; ROWS],
        places: &[u32; ROWS],
        entries: &[Entry<f64>],
        into: &mut [u8; ROWS],
    ) {
        // SAFETY: by the caller.
        unsafe { lanes::ranks_f64::<RIGHT>(x, places, entries, into) }
    }
    #[inline(always)]
    unsafe fn ranks_wide<const RIGHT: bool>(
        x: &[f64; ROWS],
        places: &[u32; ROWS],
        entries: &[Entry<f64>],
        into: &mut [[u8; ROWS]; 2],
    ) {
        // SAFETY: by the caller.
        unsafe { lanes::wide_f64::<RIGHT>(x, places, entries, into) }
    }
    #[inline(always)]
    unsafe fn higher(x: &[f64; ROWS], places: &mut [u32; ROWS], list: *const f64, by: u32, last: u32) {
        // SAFETY: by the caller.
        unsafe { lanes::higher_f64(x, places, list, by, last) }
    }
    #[inline(always)]
    unsafe fn find(own: &Four<f64>, slots: *const f64, rows: usize, into: *mut Found<f64>) -> bool {
        // SAFETY: by the caller.
        unsafe { lanes::find_f64(own, slots, rows, into) }
    }
    #[inline(always)]
    unsafe fn four(own: &Four<f64>, found: &Found<f64>) -> [u8; 4] {
        // SAFETY: by the caller.
        unsafe { lanes::four_f64(own, found) }
    }
    #[inline(always)]
    fn cells<const RIGHT: bool>(
        x: &[f64; ROWS],
        low: f64,
        high: f64,
        scale: f64,
        base: u32,
        into: &mut MaybeUninit<[u32; ROWS]>,
    ) -> bool {
        lanes::cells_f64::<RIGHT>(x, low, high, scale, base, into)
    }
    #[inline(always)]
    fn cell(x: f64, low: f64, high: f64, scale: f64) -> usize {
        lanes::cell_f64(x, low, high, scale)
    }
    fn scale(low: f64, high: f64, last: u32) -> f64 {
        let scale = last as f64 / (high - low);
        if scale.is_finite() && (high - low).is_finite() { scale } else { 0.0 }
    }
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
    #[inline]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    #[inline]
    fn is_zero(self) -> bool {
        (-ZERO..=ZERO).contains(&self)
    }
    #[inline]
    fn whole(self) -> u32 {
        self as u32
    }
}

/// The arguments, in the order in which they stand.
pub(super) struct Forest<'a, T> {
    pub(super) flags: u32,
    feature_bits: u32,
    /// The sums are divided by it where it is not zero.
    divide: f64,
    /// One start value an output.
    pub(super) base: &'a [f64],
    /// The first node of each tree, and the end of the last.
    pub(super) roots: &'a [u32],
    /// The output of each tree; empty with VECTOR.
    pub(super) targets: &'a [u32],
    words: &'a [u32],
    /// One a node; unused at leaves.
    thresholds: &'a [T],
    pub(super) leaves: &'a [f64],
    pub(super) leaf_rows: usize,
    /// Two words a category set: the place of its first word in `left`, then its size and flags.
    sets: &'a [[u32; 2]],
    /// A bit a category, set by set: it goes left.
    left: &'a [u32],
}

impl<'a, T: Number> Forest<'a, T> {
    #[inline]
    pub(super) fn read(args: &mut Reader<'a>, outputs: usize, sets: bool) -> Option<Forest<'a, T>> {
        let &[flags, feature_bits, trees, nodes, leaf_rows] = args.list::<u32>(5)?.first_chunk()?;
        let (trees, nodes, leaf_rows) = (trees as usize, nodes as usize, leaf_rows as usize);
        let vector = flags & VECTOR != 0;
        let &[sets, left] = args.list::<u32>(if sets { 2 } else { 0 })?.first_chunk().unwrap_or(&[0; 2]);
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
            sets: args.list::<u32>((sets as usize).checked_mul(2)?)?.as_chunks().0,
            left: args.list(left as usize)?,
        })
    }
}

/// Scratch: one row of inputs in the ensemble's width for each row of the block.
pub(super) fn scratch_slots<T>(inputs: usize) -> usize {
    (inputs * core::mem::size_of::<T>()).div_ceil(8)
}

pub fn check<T: Number, const SETS: bool>(shape: &Shape) -> Option<usize> {
    let forest = Forest::<T>::read(&mut shape.args(), shape.outputs, SETS)?;
    forest.check::<SETS>(shape)?;
    Some(scratch_slots::<T>(shape.inputs))
}

impl<T: Number> Forest<'_, T> {
    pub(super) fn check<const SETS: bool>(&self, shape: &Shape) -> Option<()> {
        let forest = self;
        for &[first, size] in forest.sets {
            forest.left.get(first as usize..)?.get(..(size >> 2).div_ceil(32) as usize)?;
        }
        if forest.feature_bits > 24
            || shape.inputs == 0
            || forest.targets.iter().any(|&target| target as usize >= shape.outputs)
            || forest.roots.last().copied()? as usize != forest.words.len()
        {
            return None;
        }
        let shift = flag_bits(SETS);
        for pair in forest.roots.windows(2) {
            let &[first, end] = pair.first_chunk::<2>()?;
            let nodes = forest.words.get(first as usize..end as usize)?;
            if nodes.is_empty() {
                return None;
            }
            let thresholds = forest.thresholds.get(first as usize..end as usize)?;
            for (at, (&word, threshold)) in nodes.iter().zip(thresholds).enumerate() {
                let holds = if word & 1 == 1 {
                    ((word >> 1) as usize) < forest.leaf_rows
                } else {
                    let feature = word >> shift & ((1 << forest.feature_bits) - 1);
                    let left = (word >> (shift + forest.feature_bits)) as usize;
                    let set = !SETS || word & IN_SET == 0 || (threshold.whole() as usize) < forest.sets.len();
                    (feature as usize) < shape.inputs && left > at && left + 1 < nodes.len() && set
                };
                if !holds {
                    return None;
                }
            }
        }
        Some(())
    }
}

/// The block's rows in the ensemble's width, one after the other; None where a value is refused.
#[inline]
pub(super) fn table<'a, T: Number>(call: &'a Call, forest: &Forest<T>) -> Option<&'a [T]> {
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
                return None;
            }
            *cell = x;
        }
    }
    Some(table)
}

pub fn walk<T: Number, const SETS: bool>(call: &Call) {
    let Some(forest) = Forest::<T>::read(&mut call.args(), call.outputs, SETS) else { return };
    let Some(table) = table(call, &forest) else { return };
    let inputs = call.inputs.len();
    call.start(forest.base);
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
                let leaf = descend::<T, SETS>(&forest, root as usize, x);
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
    call.divide(forest.divide);
}

/// The leaf row that the values at `x` reach.
///
/// # Safety
/// The forest passed `check`, `root` is the first node of one of its trees, `x` points to one value a feature.
#[inline]
pub(super) unsafe fn descend<T: Number, const SETS: bool>(forest: &Forest<T>, root: usize, x: *const T) -> usize {
    let shift = flag_bits(SETS);
    let mask = (1u32 << forest.feature_bits) - 1;
    let mut at = root;
    loop {
        // SAFETY: by the caller, `at` is a node of the tree, and so are the children of a split.
        unsafe {
            let word = *forest.words.get_unchecked(at);
            if word & 1 == 1 {
                return (word >> 1) as usize;
            }
            let value = *x.add((word >> shift & mask) as usize);
            let threshold = *forest.thresholds.get_unchecked(at);
            let left = if value.is_nan() || (SETS && word & ZERO_MISSING != 0 && value.is_zero()) {
                word & 2 != 0
            } else if SETS && word & IN_SET != 0 {
                goes_left(forest, threshold, value)
            } else {
                value <= threshold
            };
            at = root + (word >> (shift + forest.feature_bits)) as usize + usize::from(!left);
        }
    }
}

/// Whether the category `value`, not NaN, is on the left side of set number `set`.
///
/// # Safety
/// The forest passed `check`, and `set` stands at one of its splits that ask a set.
#[inline]
unsafe fn goes_left<T: Number>(forest: &Forest<T>, set: T, value: T) -> bool {
    // SAFETY: by the caller the set exists, and `check` saw that `left` holds all words of its categories.
    unsafe {
        let &[first, size] = forest.sets.get_unchecked(set.whole() as usize);
        let below = if size & TOWARD_ZERO != 0 { value <= T::round(-1.0) } else { value < T::round(0.0) };
        let category = value.whole();
        if below || category >= size >> 2 {
            return size & OUTSIDE_LEFT != 0;
        }
        *forest.left.get_unchecked((first + category / 32) as usize) >> (category % 32) & 1 == 1
    }
}

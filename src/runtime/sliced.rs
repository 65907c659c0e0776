//! Trees of up to 256 leaves over 512 rows at a time, a bit a row.
//!
//! 1. Each column's values become ranks: how many of the column's thresholds lie below. A table of cells, a monotone map
//!    of the values, says where among the thresholds to look; what is left is compared exactly.
//! 2. The ranks' bits are transposed to planes, one bit of each row, and from them the mask of every threshold:
//!    the rows whose value is greater, which go right (`bits::greater`). A threshold that many nodes share is paid
//!    once.
//! 3. A tree gives the bits of its leaf numbers, all rows at once, without a branch: from the top down which rows reach
//!    a node, `right = node & mask, left = node ^ right`. Full trees (flag FULL), every leaf at the same depth: a split
//!    flips its level's bit on its right. Others: `uneven`.
//! 4. The planes are transposed back to a byte a row, sixteen trees at a time, and the leaf values added in tree order,
//!    several rows at once. Up to 32 values of f64 are 256 bytes: then the byte says where a row's is.
//!
//! Rows are in lanes of 128. A whole block takes its lanes together, so that what a node costs beside its bits is paid
//! once, and a lane's bits wait for nothing while another's are on their way; a part of a block goes lane by lane. Fewer
//! rows than `FEW` go one by one (`gather`, `quick`) or walk: a lane costs the same whatever it holds.

use super::bits::{Bits, HIGH_PLANES, LANES, PLANES, ROWS, Wide, each_lane, greater, spread, transpose};
use super::forest::{Column, Forest, Layout, Place, Sum};
use super::quick::{self, Quad};
use super::sets::{self, Sets};
use super::trees::{Entry, INFINITE, MISSING, Number};
use super::uneven::{self, Split};
use super::walk::{self, load, read};
use super::{Call, Shape, compact, gather, lanes};
use crate::image::{BLOCK, Reader};
use core::mem::MaybeUninit;

/// A flag beside those of `forest`: trees are filled up to one depth.
pub const FULL: u32 = 32;
/// From this bit on the flags hold the bits of the largest leaf number: the depth of trees that are filled up.
pub const DEPTH: u32 = 16;

/// Leaf numbers that `spread` makes.
pub const FEW_LEAVES: usize = 1 << PLANES;

/// And where bytes are the places of f64.
pub const PLACED_LEAVES: usize = 1 << HIGH_PLANES;

/// Rows from which on a lane is cheaper than walks.
const FEW: usize = 20;

/// And than single rows as `quick` takes them.
const QUICK_FEW: usize = 26;

/// And than single rows as `gather` takes them.
const GATHER_FEW: usize = 48;

/// And where it takes trees of any shape.
const GROUP_FEW: usize = 33;

/// What a kernel is for: any ensemble; trees that are filled up, of few columns, whose single rows `gather` takes; other
/// trees of few columns. What it is not for is left out of its code.
pub const ANY: u8 = 0;
pub const GATHERED: u8 = 1;
pub const GROUPED: u8 = 2;
/// As `GROUPED`, of trees of up to 32 leaves of one f64 each, to whose values the bytes of leaf numbers are the way.
pub const PLACED: u8 = 3;

/// Trees summed at a time.
pub const CHUNK: usize = 16;

/// Bytes of a vector a lane.
pub const WIDE: usize = size_of::<Wide>();

/// Where the nodes begin in what a tree's bits are made in: behind zeros and the planes of leaf numbers.
pub const NODE: usize = 9;

/// Where the root of a full tree is, counted from the planes: all rows reach it.
const FULL_ROOT: usize = NODE - 1;

/// Trees have fewer nodes.
pub const NODES: usize = 512;

/// Values behind a column's thresholds that nothing is above, so that a comparison may go past the last.
pub const BEYOND: usize = 1;

/// Whether values may be missing and those of the column are then above every threshold, as its entries have it.
#[inline(always)]
pub fn is_right(flags: u32, column: Column) -> bool {
    flags & MISSING != 0 && column.kind() == Column::RIGHT
}

/// A column's map to ranks. Whole numbers are first, lest they be read along with the others: for one value LLVM computes
/// with all four numbers of a vector, and as f32 these are denormal, which takes fifty times as long.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ranks<T> {
    /// Most thresholds in a cell, at least 1.
    most: u32,
    form: u32,
    /// Of logarithms: the least magnitude of a threshold that is not about zero.
    pub floor: u32,
    /// Cell of x: (x within low and high - low) × scale.
    low: T,
    high: T,
    scale: T,
}

/// A map's form: x is its logarithm; a cell is one entry, or two.
const LOGARITHM: u32 = 1;
const NARROW: u32 = 2;
const PAIRED: u32 = 4;

/// Thresholds that two entries hold.
const HELD: u32 = 3;

/// Where a mask is, in bytes from where `lanes::base` counts: with an address an engine reads it in one step.
#[derive(Clone, Copy, PartialEq)]
#[repr(transparent)]
pub struct Mask(u32);

impl Mask {
    /// Mask `number` of these.
    pub fn new(masks: *const Wide, number: usize) -> Mask {
        Mask(lanes::base(masks) + (number * WIDE) as u32)
    }

    pub fn number(self, masks: *const Wide) -> u32 {
        (self.0 - lanes::base(masks)) / WIDE as u32
    }

    /// # Safety
    /// It is one of these masks.
    #[inline(always)]
    unsafe fn bits(self, masks: *const Wide) -> *const Bits {
        // SAFETY: by the caller.
        unsafe { lanes::at(masks, self.0).cast() }
    }
}

/// A tree's heap, and the masks that it is of.
type Heap = (*const Mask, *const Wide);

/// Where a tree's parts begin.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Tree {
    pub splits: u32,
    /// Splits whose sides are kept, and then units (`uneven::Kind`).
    pub count: u32,
    pub units: [u8; 2],
    /// Of a full tree 1 where all splits of a level are one.
    pub flips: u32,
    pub values: u32,
    /// Its leaf rows from left to right.
    pub ordered: u32,
}

struct Tables {
    /// Whether what trees and what columns need was made.
    ready: Place,
    ranks: Place,
    cells: Place,
    /// By cell, where each has one threshold at most.
    entries: Place,
    thresholds: Place,
    masks: Place,
    /// FULL: tree by tree a heap of masks, from place 1. Else `Split`s.
    splits: Place,
    /// For each tree and bit how many entries follow, then these: in bytes where nodes that flip it are kept, or zeros.
    flips: Place,
    trees: Place,
    /// Leaf rows by leaf number, in the width of the sums.
    values: Place,
    /// And from left to right, where that is another order.
    ordered: Place,
    /// What one tree's bits are made in (`NODE`).
    reach: Place,
    /// Leaf numbers, a byte a row, of the trees of a chunk.
    leaves: Place,
}

/// Most cells of a column with so many thresholds.
pub fn cells(thresholds: usize) -> usize {
    (thresholds * 16).next_power_of_two().min(1 << 13)
}

fn is_full(forest: &Forest) -> bool {
    forest.flags & FULL != 0
}

/// `is_full`, where it is not known.
#[inline(always)]
fn full_trees<const KIND: u8>(forest: &Forest) -> bool {
    match KIND {
        GATHERED => true,
        GROUPED | PLACED => false,
        _ => is_full(forest),
    }
}

fn full_depth(forest: &Forest) -> Option<u32> {
    is_full(forest).then(|| depth_of(forest))
}

fn depth_of(forest: &Forest) -> u32 {
    forest.flags >> DEPTH
}

/// Values of a leaf row.
pub fn width_of(forest: &Forest, outputs: usize) -> usize {
    if forest.vector() { outputs } else { 1 }
}

/// From one tree's leaf rows to the next one's, 0 where that differs: where rows are of several values, or most places would
/// be empty.
fn stride_of(forest: &Forest, outputs: usize) -> usize {
    match width_of(forest, outputs) {
        1 if is_placed(forest) => PLACED_LEAVES,
        1 if has_few(forest) => FEW_LEAVES,
        1 if is_dense(forest) => 1 << depth_of(forest),
        _ => 0,
    }
}

/// Whether all leaf numbers are below `FEW_LEAVES`.
fn has_few(forest: &Forest) -> bool {
    depth_of(forest) as usize <= PLANES
}

/// Whether the byte of a leaf number is where its value is, in bytes from its tree's.
fn is_placed(forest: &Forest) -> bool {
    !is_full(forest) && !forest.narrow() && !forest.vector() && depth_of(forest) as usize <= HIGH_PLANES
}

/// `is_placed`, where it is not known.
#[inline(always)]
fn placed<const KIND: u8>(forest: &Forest) -> bool {
    match KIND {
        PLACED => true,
        ANY => is_placed(forest),
        _ => false,
    }
}

fn planes_of(forest: &Forest) -> usize {
    match () {
        () if is_placed(forest) => HIGH_PLANES,
        () if has_few(forest) => PLANES,
        () => 8,
    }
}

/// Whether there are not many more leaf numbers than nodes.
fn is_dense(forest: &Forest) -> bool {
    forest.sizes.len() << depth_of(forest) <= 8 * forest.nodes()
}

/// Whether leaf numbers are any, not from left to right.
fn reorders(forest: &Forest, outputs: usize) -> bool {
    !is_full(forest) && (1..=FEW_LEAVES).contains(&stride_of(forest, outputs))
}

impl Tables {
    fn new<T: Number>(forest: &Forest, layout: &mut Layout, outputs: usize) -> Tables {
        let width = width_of(forest, outputs) as u64;
        let (trees, splits) = (forest.sizes.len() as u64, forest.splits as u64);
        let shared = forest.thresholds.count() as u64;
        let full = is_full(forest);
        let cells_of_all = forest.counts.iter().map(|&count| cells(count as usize) as u64).sum();
        let heap = trees << if full { depth_of(forest) } else { 0 };
        Tables {
            ready: layout.take::<u32>(2),
            ranks: layout.take::<Ranks<T>>(forest.columns.len() as u64),
            cells: layout.take::<u16>(cells_of_all),
            entries: layout.take::<Entry<T>>(cells_of_all),
            thresholds: layout.take::<T>(shared + (BEYOND * forest.columns.len()) as u64),
            masks: layout.take::<Wide>(forest.shared_tests() as u64),
            splits: if full { layout.take::<Mask>(heap) } else { layout.take::<Split>(splits) },
            // A split flips a bit at most once.
            flips: layout.take::<u16>(if full { 0 } else { (splits + uneven::TOGETHER as u64 * trees) * 8 }),
            trees: layout.take::<Tree>(trees),
            values: layout.take::<u64>(match (stride_of(forest, outputs), full) {
                (stride @ 1.., _) => trees * stride as u64 / if forest.narrow() { 2 } else { 1 },
                (_, true) => width * heap,
                (_, false) => width * (splits + trees),
            }),
            ordered: layout.take::<u64>(if reorders(forest, outputs) { splits + trees } else { 0 }),
            reach: layout.take::<Wide>((NODE + NODES) as u64),
            leaves: layout.take::<[[Bits; 8]; LANES]>(CHUNK as u64),
        }
    }
}

#[inline(always)]
fn check_trees<T: Number>(shape: &Shape, forest: &Forest) -> Option<()> {
    let depth = depth_of(forest);
    if shape.block > BLOCK || !forest.shared() || !(if is_full(forest) { 3 } else { 0 }..=8).contains(&depth) {
        return None;
    }
    let small = forest.sizes.iter().all(|&size| size < 1 << depth);
    // Ranks, of which a column has one more than thresholds, are two bytes.
    if !small || forest.shared_tests() >= 1 << 16 {
        return None;
    }
    forest.check::<T>(shape)?;
    // Filling up may not be most of the tables.
    let filled = !is_full(forest) || (no_deeper(forest) && is_dense(forest));
    filled.then_some(())
}

pub fn check<T: Number, const KIND: u8, const N: usize>(shape: &Shape) -> Option<usize> {
    let forest = Forest::read::<T>(&mut shape.args(), shape.outputs)?;
    let depth = depth_of(&forest);
    check_trees::<T>(shape, &forest)?;
    walk::check_limits::<T>(&forest)?;
    let small =
        forest.columns.len() <= N * gather::COLUMNS && forest.counts.iter().all(|&count| count <= gather::THRESHOLDS);
    if KIND != ANY && !(small && is_full(&forest) == full_trees::<KIND>(&forest)) {
        return None;
    }
    if is_placed(&forest) != placed::<KIND>(&forest) {
        return None;
    }
    let mut layout = Layout::default();
    if KIND != ANY {
        gather::Tables::new::<T, KIND>(&forest, depth, &mut layout, shape.outputs);
        compact::Tables::new::<T>(&forest, &mut layout);
        Tables::new::<T>(&forest, &mut layout, shape.outputs);
    } else {
        compact::Tables::new::<T>(&forest, &mut layout);
        walk::Tables::new::<T>(&forest, &mut layout, shape.outputs, FEW, 1 << depth);
        Tables::new::<T>(&forest, &mut layout, shape.outputs);
        Quick::new::<false>(&forest, &Sets::NONE, &mut layout);
    }
    layout.announce(shape)?;
    Some(0)
}

/// For both of `with_sets`.
pub fn check_sets<T: Number>(shape: &Shape) -> Option<usize> {
    let (forest, sets) = read_sets::<T>(&mut shape.args(), shape.outputs)?;
    sets.check(shape.inputs)?;
    check_trees::<T>(shape, &forest)?;
    let mut layout = Layout::default();
    compact::Tables::new::<T>(&forest, &mut layout);
    Tables::new::<T>(&forest, &mut layout, shape.outputs);
    let members = sets::Tables::new(&sets, &mut layout);
    Quick::new::<true>(&forest, &sets, &mut layout);
    layout.announce(shape)?;
    members.fits().then_some(0)
}

fn read_sets<'a, T: Number>(args: &mut Reader<'a>, outputs: usize) -> Option<(Forest<'a>, Sets<'a>)> {
    let forest = Forest::read::<T>(args, outputs)?;
    let sets = Sets::read(args)?;
    Some((Forest { sets: sets.count(), ..forest }, sets))
}

/// Whether no leaf is deeper than the flag says: breadth first, a level has two nodes for each split of the last.
fn no_deeper(forest: &Forest) -> bool {
    let mut first = 0;
    forest.sizes.iter().all(|&size| {
        let (mut at, mut width, mut levels) = (first, 1, 0);
        loop {
            let splits = forest.splits_between(at, at + width);
            if splits == 0 {
                break;
            }
            (at, width, levels) = (at + width, 2 * splits, levels + 1);
        }
        first += 2 * size as usize + 1;
        levels <= depth_of(forest)
    })
}

/// The tables for single rows, where they pay.
enum Quick {
    Narrow(quick::Tables),
    Wide(quick::Tables),
    /// Only of trees whose splits ask category sets.
    Widest(quick::Tables),
    None,
}

impl Quick {
    fn new<const SETS: bool>(forest: &Forest, sets: &Sets, layout: &mut Layout) -> Quick {
        let (inputs, classes) = if SETS { (sets.inputs(), sets.classes()) } else { (0, 0) };
        let lists = forest.columns.len() + inputs;
        let Some(width) = quick::width(1 << depth_of(forest), forest.sizes.len(), lists, classes) else {
            return Quick::None;
        };
        let tables = quick::Tables::new(width, forest, (inputs, classes), layout);
        match width {
            4 => Quick::Narrow(tables),
            8 => Quick::Wide(tables),
            _ => Quick::Widest(tables),
        }
    }

    /// Predicts the rows one by one; false without tables. WIDE: the widest alone, else only the others.
    fn run<T: Number, const SETS: bool, const WIDE: bool>(
        &self,
        call: &Call,
        forest: &Forest,
        tables: &Tables,
        sets: (&Sets, &[sets::Head]),
    ) -> bool {
        if let Quick::None = self {
            return false;
        }
        tables.prepare::<T, ANY>(call, forest);
        // SAFETY: laid out as in the validator; what is viewed here is not written any more.
        let values = unsafe {
            let values = if reorders(forest, call.outputs) { tables.ordered } else { tables.values };
            (&*tables.trees.of::<Tree>(call), &*values.of::<u64>(call))
        };
        let columns = || tables.columns::<T>(call, forest);
        let full = full_depth(forest);
        match self {
            Quick::Narrow(quick) if !WIDE => quick.run::<T, u32, SETS>(call, forest, full, columns, sets, values),
            Quick::Wide(quick) if !WIDE => quick.run::<T, u64, SETS>(call, forest, full, columns, sets, values),
            Quick::Widest(quick) if WIDE => quick.run::<T, Quad, SETS>(call, forest, full, columns, sets, values),
            _ => return false,
        }
        true
    }
}

pub fn kernel<T: Number>(call: &Call) {
    let Some(forest) = Forest::read::<T>(&mut call.args(), call.outputs) else { return };
    let mut layout = Layout::default();
    if compact::Tables::new::<T>(&forest, &mut layout).predict::<T, false>(call, &forest, &Sets::NONE) {
        return;
    }
    let walked = walk::Tables::new::<T>(&forest, &mut layout, call.outputs, FEW, 1 << depth_of(&forest));
    let tables = Tables::new::<T>(&forest, &mut layout, call.outputs);
    if call.rows >= QUICK_FEW {
        return sliced::<T, ANY>(call, &forest, &tables, |_| true);
    }
    let quick = Quick::new::<false>(&forest, &Sets::NONE, &mut layout);
    if quick.run::<T, false, false>(call, &forest, &tables, (&Sets::NONE, &[])) {
        return;
    }
    if call.rows >= FEW {
        sliced::<T, ANY>(call, &forest, &tables, |_| true);
    } else {
        walk::walk::<T>(call, &forest, &walked);
    }
}

/// For trees of which splits ask category sets, too; WIDE: of more than 64 leaves.
pub fn with_sets<T: Number, const WIDE: bool>(call: &Call) {
    let Some((forest, sets)) = read_sets::<T>(&mut call.args(), call.outputs) else { return };
    let mut layout = Layout::default();
    if compact::Tables::new::<T>(&forest, &mut layout).predict::<T, true>(call, &forest, &sets) {
        return;
    }
    let tables = Tables::new::<T>(&forest, &mut layout, call.outputs);
    let members = sets::Tables::new(&sets, &mut layout);
    let heads = members.prepare(call, &sets);
    if call.rows < QUICK_FEW {
        let quick = Quick::new::<true>(&forest, &sets, &mut layout);
        if quick.run::<T, true, WIDE>(call, &forest, &tables, (&sets, heads)) {
            return;
        }
    }
    sliced::<T, ANY>(call, &forest, &tables, |masks| {
        // SAFETY: prepared just now; `check_sets` saw the sets.
        unsafe { members.fill_masks::<T>(call, &forest, heads, masks) }
    });
}

/// For few columns.
pub fn gathered<T: Number, const KIND: u8, const N: usize>(call: &Call) {
    // `gather` reads columns of f64 alone.
    let few = call.rows < if KIND == GATHERED { GATHER_FEW } else { GROUP_FEW } && call.narrow == 0;
    if few && gather::ready(call) {
        return gather::run::<T, KIND, N>(call);
    }
    let Some(forest) = Forest::read::<T>(&mut call.args(), call.outputs) else { return };
    let (mut layout, depth) = (Layout::default(), depth_of(&forest));
    let single = gather::Tables::new::<T, KIND>(&forest, depth, &mut layout, call.outputs);
    if compact::Tables::new::<T>(&forest, &mut layout).predict::<T, false>(call, &forest, &Sets::NONE) {
        return;
    }
    let tables = Tables::new::<T>(&forest, &mut layout, call.outputs);
    if !few {
        return sliced::<T, KIND>(call, &forest, &tables, |_| true);
    }
    tables.prepare_columns::<T>(call, &forest);
    // SAFETY: laid out as in the validator; made just now, and not written any more.
    let entries = unsafe { &*tables.entries.of::<Entry<T>>(call) };
    let maps = (tables.columns::<T>(call, &forest), entries, [tables.thresholds, tables.cells]);
    if KIND == GATHERED {
        tables.prepare::<T, KIND>(call, &forest);
        let pitch = stride_of(&forest, call.outputs).max(1 << depth);
        // SAFETY: laid out as in the validator; what is viewed here is not written any more.
        let (heaps, masks) = unsafe { (tables.splits.of::<Mask>(call), tables.masks.of::<Wide>(call).as_ptr()) };
        single.build::<T, KIND>(call, &forest, maps, (heaps, masks, tables.values, pitch));
    } else {
        single.build::<T, KIND>(call, &forest, maps, (&[], core::ptr::null(), Place::default(), 0));
    }
    gather::run::<T, KIND, N>(call);
}

/// Each column's map, thresholds and cells.
pub struct Columns<'a, T> {
    counts: core::slice::Iter<'a, u32>,
    maps: &'a mut [Ranks<T>],
    thresholds: &'a mut [T],
    cells: &'a mut [u16],
}

impl<'a, T> Columns<'a, T> {
    pub fn new(
        counts: &'a [u32],
        maps: &'a mut [Ranks<T>],
        thresholds: &'a mut [T],
        cells: &'a mut [u16],
    ) -> Columns<'a, T> {
        Columns { counts: counts.iter(), maps, thresholds, cells }
    }
}

impl<'a, T> Iterator for Columns<'a, T> {
    type Item = (&'a mut Ranks<T>, &'a mut [T], &'a mut [u16]);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let count = *self.counts.next()? as usize;
        let (map, maps) = core::mem::take(&mut self.maps).split_first_mut()?;
        let (sorted, thresholds) = core::mem::take(&mut self.thresholds).split_at_mut_checked(count + BEYOND)?;
        let (own, cells) = core::mem::take(&mut self.cells).split_at_mut_checked(cells(count))?;
        (self.maps, self.thresholds, self.cells) = (maps, thresholds, cells);
        Some((map, sorted, own))
    }
}

impl Tables {
    #[inline(never)]
    fn columns<'a, T: Number>(&self, call: &Call, forest: &Forest<'a>) -> Columns<'a, T> {
        // SAFETY: laid out as in the validator; callers have one view at a time.
        unsafe {
            Columns {
                counts: forest.counts.iter(),
                maps: self.ranks.of::<Ranks<T>>(call),
                thresholds: self.thresholds.of::<T>(call),
                cells: self.cells.of::<u16>(call),
            }
        }
    }

    /// Makes what does not depend on rows, once.
    fn prepare<T: Number, const KIND: u8>(&self, call: &Call, forest: &Forest) {
        self.prepare_columns::<T>(call, forest);
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (ready, trees, flips, values) = unsafe {
            (
                self.ready.of::<u32>(call),
                self.trees.of::<Tree>(call),
                self.flips.of::<u16>(call),
                [self.values.of::<u64>(call), self.ordered.of::<u64>(call)],
            )
        };
        let Some(ready) = ready.first_mut().filter(|ready| **ready == 0) else { return };
        *ready = 1;
        let width = [width_of(forest, call.outputs), stride_of(forest, call.outputs)];
        // SAFETY: as above; which of the two it is does not change between the runs of an image.
        unsafe {
            if full_trees::<KIND>(forest) {
                let [values, _] = values;
                let masks = self.masks.of::<Wide>(call).as_ptr();
                build_full(forest, self.splits.of::<Mask>(call), masks, trees, values, width);
            } else {
                let planes = planes_of(forest);
                uneven::build(forest, self.splits.of::<Split>(call), flips, trees, values, (width, planes));
            }
        }
    }

    /// Makes the columns' maps to ranks, once.
    fn prepare_columns<T: Number>(&self, call: &Call, forest: &Forest) {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let ready = unsafe { self.ready.of::<u32>(call) };
        let Some(ready) = ready.get_mut(1).filter(|ready| **ready == 0) else { return };
        *ready = 1;
        let mut first = 0;
        // SAFETY: as above.
        let mut entries = unsafe { self.entries.of::<Entry<T>>(call) };
        for (&column, (map, sorted, cells)) in forest.columns.iter().zip(self.columns::<T>(call, forest)) {
            let count = sorted.len() - BEYOND;
            for (place, threshold) in sorted.iter_mut().enumerate() {
                *threshold = if place < count { T::from_bits(forest.thresholds.get(first + place)) } else { T::NAN };
            }
            *map = Ranks::new(sorted, cells);
            let Some((own, rest)) = core::mem::take(&mut entries).split_at_mut_checked(cells.len()) else { return };
            entries = rest;
            map.enter(sorted, cells, own, map.holds() && is_right(forest.flags, column));
            first += count;
        }
    }
}

/// `rest` makes the masks behind those of thresholds; false where a value is refused. Apart from the kernels, which a first
/// call has compiled: it walks.
#[inline(never)]
fn sliced<T: Number, const KIND: u8>(
    call: &Call,
    forest: &Forest,
    tables: &Tables,
    rest: impl FnOnce(&mut [Wide]) -> bool,
) {
    tables.prepare::<T, KIND>(call, forest);
    let full_trees = full_trees::<KIND>(forest);
    // SAFETY: laid out as in the validator, each place is viewed once; which of heaps and splits it is does not change
    // between the runs of an image.
    let (trees, flips, values, masks, heaps, splits) = unsafe {
        (
            tables.trees.of::<Tree>(call),
            tables.flips.of::<u16>(call),
            tables.values.of::<u64>(call),
            tables.masks.of::<Wide>(call),
            if full_trees { tables.splits.of::<Mask>(call) } else { &mut [] },
            if full_trees { &mut [] } else { tables.splits.of::<Split>(call) },
        )
    };
    let (width, stride) = (width_of(forest, call.outputs), stride_of(forest, call.outputs));
    // SAFETY: as above; nothing writes the entries here.
    let entries = unsafe { &*tables.entries.of::<Entry<T>>(call) };
    let (columns, lanes) = (tables.columns::<T>(call, forest), call.rows.div_ceil(ROWS));
    if !fill_masks(call, forest, columns, entries, lanes, masks)
        || !rest(masks.get_mut(forest.thresholds.count()..).unwrap_or_default())
    {
        return;
    }
    call.start(forest.base);
    // SAFETY: as above.
    let (reach, leaves) = unsafe { (tables.reach.of::<Wide>(call), tables.leaves.of::<[[Bits; 8]; LANES]>(call)) };
    let placed = placed::<KIND>(forest);
    let planes = if KIND == PLACED { HIGH_PLANES } else { planes_of(forest) };
    let depth = depth_of(forest);
    let together = full_trees || lanes == LANES;
    reach.iter_mut().take(1).for_each(|zeros| *zeros = [Bits::words(0); LANES]);
    reach.iter_mut().skip(NODE).take(1).for_each(|root| *root = [Bits::words(!0); LANES]);
    let (reach, masks) = (reach.as_mut_ptr().cast::<Bits>(), masks.as_ptr());
    for (number, chunk) in trees.chunks(CHUNK).enumerate() {
        for (tree, leaves) in chunk.iter().zip(leaves.iter_mut()) {
            let mut lane = 0;
            while lane < lanes {
                let now = if together { lanes } else { 1 };
                let Some(leaves) = leaves.get_mut(lane..lane + now) else { return };
                // SAFETY: the tables of the trees are what was built of a checked forest: masks, nodes and the
                // extents of heaps, splits and flips are in bounds. Lanes are those of the block.
                unsafe {
                    if full_trees {
                        let heap = heaps.as_ptr().add(tree.splits as usize);
                        if tree.flips > 0 {
                            levels(depth, (heap, masks), reach.add(LANES), planes, lanes);
                        } else {
                            full(depth, (heap, masks), reach.add(LANES), planes, lanes);
                        }
                    } else {
                        let masks = masks.cast::<Bits>().add(lane);
                        if now == LANES {
                            uneven::planes::<LANES>(tree, splits, flips, masks, reach, planes);
                        } else {
                            uneven::planes::<1>(tree, splits, flips, masks, reach, planes);
                        }
                    }
                    if placed {
                        spread::<{ 8 - HIGH_PLANES }>(reach.add(LANES), leaves);
                    } else if planes == PLANES {
                        spread::<0>(reach.add(LANES), leaves);
                    } else {
                        for (lane, leaves) in leaves.iter_mut().enumerate() {
                            transpose(reach.add(LANES + lane), LANES, leaves.as_mut_ptr(), 1);
                        }
                    }
                }
                lane += now;
            }
        }
        let leaves = leaves.as_ptr().cast::<u8>();
        // SAFETY: a byte of `leaves` is the leaf number of a row in a tree, of which `values` has the row, written as
        // f32 where sums are.
        unsafe {
            let sum = |output: &mut [f64], trees: &[Tree], from: usize, place: usize| {
                let leaves = leaves.add(from * BLOCK);
                if placed {
                    let first = trees.first().map_or(0, |first| first.values as usize);
                    lanes::add_placed(output, leaves, values.as_ptr().cast::<f64>().add(first), trees.len());
                } else if forest.narrow() {
                    add::<f32>(output, trees, leaves, values.as_ptr().cast::<f32>().add(place), width, stride);
                } else {
                    add::<f64>(output, trees, leaves, values.as_ptr().cast::<f64>().add(place), width, stride);
                }
            };
            if KIND != PLACED && forest.vector() {
                for (place, output) in call.outputs().enumerate() {
                    sum(output, chunk, 0, place);
                }
                continue;
            }
            let targets = forest.targets.get(number * CHUNK..).unwrap_or(&[]);
            let mut from = 0;
            while let Some((&target, rest)) = targets.get(from..chunk.len()).and_then(|targets| targets.split_first())
            {
                let same = 1 + rest.iter().take_while(|&&other| other == target).count();
                if let Some(trees) = chunk.get(from..from + same) {
                    sum(call.output(target as usize), trees, from, 0);
                }
                from += same;
            }
        }
    }
    call.divide(forest.divide);
}

/// Adds to each row of an output the values of its leaves in these trees, in their order.
///
/// # Safety
/// `leaves` has a byte for each row of a block for each tree; a tree's leaf rows have `width` values, from `values` +
/// `width` × the tree's on; where `stride` is not 0, it is from one tree's to the next one's.
#[inline(never)]
unsafe fn add<S: Sum>(
    output: &mut [f64],
    trees: &[Tree],
    leaves: *const u8,
    values: *const S,
    width: usize,
    stride: usize,
) {
    // SAFETY: by the caller; there are at most a block's rows.
    unsafe {
        let done = match trees {
            [first, ..] if stride > 0 => {
                S::add(output, leaves, values.add(first.values as usize), trees.len(), stride)
            }
            _ => 0,
        };
        for (place, tree) in trees.iter().enumerate() {
            let (leaves, values) = (leaves.add(place * BLOCK), values.add(tree.values as usize * width));
            for row in done..output.len() {
                let sum = output.get_unchecked_mut(row);
                *sum = S::from_f64(*sum).plus(*values.add(*leaves.add(row) as usize * width)).to_f64();
            }
        }
    }
}

/// `full`, where a level's splits are one, whose mask is then a plane.
///
/// # Safety
/// As of `full`.
unsafe fn levels(depth: u32, (heap, masks): Heap, trees: *mut Bits, planes: usize, lanes: usize) {
    for bit in 0..planes {
        for lane in 0..lanes {
            // SAFETY: by the caller.
            unsafe {
                *trees.add(bit * LANES + lane) = match (depth as usize).checked_sub(bit + 1) {
                    Some(level) => *(*heap.add(1 << level)).bits(masks).add(lane),
                    None => Bits::words(0),
                };
            }
        }
    }
}

/// So many first planes of the leaf numbers of a tree filled up to `depth`, lowest first, for so many lanes.
///
/// # Safety
/// The heap has 2^depth of the masks; depth is 3 to 8, and there are at most `LANES` lanes; `trees` has `NODES` places, and
/// all rows at that of the root.
#[inline(never)]
pub unsafe fn full(depth: u32, (heap, masks): Heap, trees: *mut Bits, planes: usize, lanes: usize) {
    // SAFETY: by the caller; there are fewer than 32 nodes above the lowest four levels.
    unsafe {
        let none = Bits::words(0);
        let root = trees.add(FULL_ROOT * LANES);
        let reach = |node: usize| root.add((node - 1) * LANES);
        let groups = 1usize << depth.saturating_sub(4);
        let (mut plane, mut first) = (trees.add(depth as usize * LANES), 1);
        while first < groups {
            let mut bits: Wide = [none, none, none, none];
            for node in first..2 * first {
                let (here, mask, left) = (reach(node), (*heap.add(node)).bits(masks), reach(2 * node));
                each_lane!(LANES, LANE => {
                    let here = *here.add(LANE);
                    let right = here.and(*mask.add(LANE));
                    *left.add(LANE) = here.xor(right);
                    *left.add(LANES + LANE) = right;
                    bits[LANE] = bits[LANE].xor(right);
                });
            }
            plane = plane.sub(LANES);
            each_lane!(LANES, LANE => { *plane.add(LANE) = bits[LANE]; });
            first *= 2;
        }
        // The lowest four levels in registers, a lane at a time; three, where there are no more. What depends on `four` is
        // apart from what follows, lest engines load all masks before they use one, and run out of registers.
        let four = depth > 3;
        let lowest = |level: u32| heap.add((1 << depth) >> level);
        each_lane!(lanes, LANE => {
            let (mut a, mut b, mut c, mut d) = (none, none, none, none);
            let (mut from, mut tops, mut twos, mut fours, mut eights) =
                (reach(groups), lowest(4), lowest(3), lowest(2), lowest(1));
            for _ in 0..groups {
                // What goes right of these rows; it flips the bit.
                let split = |rows: Bits, mask: &Mask, bit: &mut Bits| {
                    let right = rows.and(*mask.bits(masks).add(LANE));
                    *bit = bit.xor(right);
                    right
                };
                macro_rules! two {
                    ($rows:expr, $top:literal, $left:literal $right:literal) => {{
                        let rows = $rows;
                        let right = split(rows, &*fours.add($top), &mut b);
                        split(rows.xor(right), &*eights.add($left), &mut a);
                        split(right, &*eights.add($right), &mut a);
                    }};
                }
                let mut rows = *from.add(LANE);
                if four {
                    let right = split(rows, &*tops, &mut d);
                    rows = rows.xor(right);
                    let two = split(right, &*twos.add(1), &mut c);
                    two!(right.xor(two), 2, 4 5);
                    two!(two, 3, 6 7);
                }
                let right = split(rows, &*twos, &mut c);
                two!(rows.xor(right), 0, 0 1);
                two!(right, 1, 2 3);
                (from, tops, twos) = (from.add(LANES), tops.add(1), twos.add(2));
                (fours, eights) = (fours.add(4), eights.wrapping_add(8));
            }
            *trees.add(LANE) = a;
            *trees.add(LANES + LANE) = b;
            *trees.add(2 * LANES + LANE) = c;
            // Of no more than three levels that is no bit, and zero.
            *trees.add(3 * LANES + LANE) = d;
        });
        for bit in depth as usize..planes {
            let into = trees.add(bit * LANES);
            each_lane!(LANES, LANE => { *into.add(LANE) = none; });
        }
    }
}

fn build_full(
    forest: &Forest,
    heaps: &mut [Mask],
    masks: *const Wide,
    trees: &mut [Tree],
    values: &mut [u64],
    [width, stride]: [usize; 2],
) {
    let depth = depth_of(forest);
    // Where there is no split any mask does.
    heaps.fill(Mask::new(masks, 0));
    let (mut first, mut split, mut leaf) = (0usize, 0usize, 0usize);
    for (number, (tree, &size)) in trees.iter_mut().zip(forest.sizes).enumerate() {
        let start = number << depth;
        let own = if stride > 0 { number * stride } else { start };
        let (splits, at) = (start as u32, own as u32);
        *tree = Tree { splits, count: size, units: [0; 2], flips: 0, values: at, ordered: at };
        let Some(heap) = heaps.get_mut(start..start + (1 << depth)) else { return };
        // Where in the heap each node is.
        let mut places = [1u16; NODES];
        let mut inner = 0;
        for node in 0..2 * size as usize + 1 {
            let place = places.get(node).map_or(1, |&place| place as usize);
            if forest.is_split(first + node) {
                if let Some(mask) = heap.get_mut(place) {
                    *mask = Mask::new(masks, forest.tests.get(split) as usize);
                }
                for (child, side) in places.iter_mut().skip(2 * inner + 1).take(2).zip(0..) {
                    *child = 2 * place as u16 + side;
                }
                inner += 1;
                split += 1;
            } else {
                // All leaves below a leaf are that leaf.
                let levels = depth.saturating_sub((place | 1).ilog2());
                let from = own + ((place << levels) & ((1 << depth) - 1));
                for number in from..from + (1 << levels) {
                    copy_row(forest, leaf, values, number, width);
                }
                leaf += 1;
            }
        }
        let one = |level: u32| {
            let mut own = heap.iter().skip(1 << level).take(1 << level);
            own.next().is_some_and(|first| own.all(|mask| mask == first))
        };
        tree.flips = u32::from((0..depth).all(one));
        first += 2 * size as usize + 1;
    }
}

/// Writes a leaf's row as row `number` of the values: the bits of f64, or of f32, two in one, where the sums are.
#[inline(never)]
pub fn copy_row(forest: &Forest, leaf: usize, values: &mut [u64], number: usize, width: usize) {
    let row = forest.row(leaf);
    for place in 0..width {
        let (value, at) = (forest.value(row * width + place), number * width + place);
        if !forest.narrow() {
            values.iter_mut().skip(at).take(1).for_each(|into| *into = value.to_bits());
        } else if let Some(pair) = values.get_mut(at / 2) {
            let (bits, shift) = (u64::from((value as f32).to_bits()), at % 2 * 32);
            *pair = *pair & !(u64::from(u32::MAX) << shift) | bits << shift;
        }
    }
}

/// What is known of a node: its left child (0 for a leaf), how deep it is, its leaves and the number of the
/// first.
#[derive(Clone, Copy, Default)]
pub struct Node {
    pub left: u16,
    pub depth: u16,
    pub leaves: u16,
    pub from: u16,
}

/// Numbers the leaves of the tree whose nodes begin at `first` from left to right; in a tree filled up to a depth a leaf
/// that is not as deep counts as all that would be below it.
pub fn number_nodes(forest: &Forest, first: usize, full: Option<u32>, nodes: &mut [Node]) {
    let mut inner = 0;
    for at in 0..nodes.len() {
        let Some(node) = nodes.get_mut(at) else { return };
        if forest.is_split(first + at) {
            node.left = 2 * inner + 1;
            inner += 1;
            let (left, depth) = (node.left, node.depth + 1);
            let children = nodes.iter_mut().skip(left as usize).take(2);
            children.for_each(|child| child.depth = depth);
        } else {
            node.leaves = full.map_or(1, |full| 1 << (full.saturating_sub(u32::from(node.depth)) & 15));
        }
    }
    for at in (0..nodes.len()).rev() {
        if let Some(&Node { left: left @ 1.., .. }) = nodes.get(at) {
            let leaves = nodes.iter().skip(left as usize).take(2).map(|child| child.leaves).sum();
            nodes.iter_mut().skip(at).take(1).for_each(|node| node.leaves = leaves);
        }
    }
    for at in 0..nodes.len() {
        if let Some(&Node { left: left @ 1.., from, .. }) = nodes.get(at) {
            let mut next = from;
            for child in nodes.iter_mut().skip(left as usize).take(2) {
                child.from = next;
                next += child.leaves;
            }
        }
    }
}

/// Makes the mask of every threshold for so many lanes; false where a value is refused. There is an entry for each cell,
/// column by column.
fn fill_masks<T: Number>(
    call: &Call,
    forest: &Forest,
    columns: Columns<T>,
    mut entries: &[Entry<T>],
    lanes: usize,
    mut masks: &mut [Wide],
) -> bool {
    // Filled once, if at all: engines call out of the module for that.
    let (mut x, mut mapped) = ([T::NAN; ROWS], [T::NAN; ROWS]);
    let mut places = MaybeUninit::uninit();
    let (mut ranks, mut planes) = ([[Bits::words(0); 8]; 2], [[Bits::words(0); LANES]; 16]);
    for (&column, (map, sorted, mine)) in forest.columns.iter().zip(columns) {
        let count = sorted.len() - BEYOND;
        let Some((own, rest)) = core::mem::take(&mut masks).split_at_mut_checked(count) else { return false };
        masks = rest;
        let Some((own_entries, rest)) = entries.split_at_checked(mine.len()) else { return false };
        entries = rest;
        let bits = (usize::BITS - count.leading_zeros()) as usize;
        let narrow = map.narrow();
        let base = if narrow { lanes::base(own_entries.as_ptr()) } else { 0 };
        // NaN is binned as it is where it is missing and goes to one side. Looking for it took 2% of the time, and replacing
        // it 14% of rows of which a twentieth is missing.
        let right = map.holds() && is_right(forest.flags, column);
        let aside = right || forest.flags & MISSING != 0 && column.kind() == Column::LEFT;
        for lane in 0..lanes {
            let from = lane * ROWS;
            // As they are given, else what `load` makes of them.
            let mut given = column.is_plain();
            let mut viewed;
            loop {
                viewed = if given { T::view(call, column.input(), from) } else { None };
                if !given && !load(call, forest, column, from, &mut x) {
                    return false;
                }
                if given && viewed.is_none() {
                    read(call, column, from, &mut x);
                }
                let rows = viewed.unwrap_or(&x);
                let logarithm = map.logarithm();
                let finite = !logarithm || T::logarithms(rows, map.floor, &mut mapped);
                let mapped = if logarithm { &mapped } else { rows };
                let finite = finite
                    & if right {
                        map.place::<true>(mapped, base, &mut places)
                    } else {
                        map.place::<false>(mapped, base, &mut places)
                    };
                let fits = || forest.flags & INFINITE != 0 || !T::infinite(rows);
                if !given || !right && finite || aside && fits() {
                    break;
                }
                given = false;
            }
            let rows = viewed.unwrap_or(&x);
            // SAFETY: the bytes of two lists of vectors; any are numbers. `sorted`, the cells and entries belong to the
            // map, the places to the rows. An entry's rank and what it adds are thresholds up to the last, and `sorted`
            // has one number more.
            unsafe {
                let into = &mut *ranks.as_mut_ptr().cast::<[[u8; ROWS]; 2]>();
                let [low, _] = &mut *into;
                match (narrow, right) {
                    (true, true) => T::ranks::<true>(rows, places.assume_init_ref(), own_entries, low),
                    (true, false) => T::ranks::<false>(rows, places.assume_init_ref(), own_entries, low),
                    (false, true) => T::ranks_wide::<true>(rows, places.assume_init_ref(), own_entries, into),
                    (false, false) => T::ranks_wide::<false>(rows, places.assume_init_ref(), own_entries, into),
                }
                if !map.holds() {
                    let [low, high] = into;
                    for ((low, high), &x) in low.iter_mut().zip(high).zip(rows) {
                        // Above all that the entries hold; behind the last threshold is NaN.
                        if x > *sorted.get_unchecked(usize::from(*low) | usize::from(*high) << 8) {
                            let rank = map.rank(sorted, mine, x);
                            (*low, *high) = (rank as u8, (rank >> 8) as u8);
                        }
                    }
                }
            }
            // SAFETY: there are eight vectors and eight planes of each byte, and `lane` is one of their lanes.
            unsafe {
                let planes = planes.as_mut_ptr().cast::<Bits>().add(lane);
                let [low, high] = &ranks;
                transpose(low.as_ptr(), 1, planes, LANES);
                if bits > 8 {
                    transpose(high.as_ptr(), 1, planes.add(8 * LANES), LANES);
                }
            }
        }
        // Of lanes without rows anything.
        greater(planes.get(..bits).unwrap_or(&[]), own);
    }
    true
}

impl<T: Number> Ranks<T> {
    /// The map for thresholds in ascending order, with `BEYOND` times NaN behind the last: of those whose entries hold all
    /// thresholds the one with the fewest cells, and of values rather than of logarithms. Else that with the fewest
    /// thresholds in a cell.
    pub fn new(sorted: &[T], cells: &mut [u16]) -> Ranks<T> {
        let few = sorted.len().saturating_sub(BEYOND) < 256;
        let mut best = Ranks::over(sorted, cells.len() / 2, PAIRED);
        'best: for (most, form) in [(1, NARROW), (1, NARROW | LOGARITHM), (HELD, PAIRED), (HELD, PAIRED | LOGARITHM)]
        {
            let paired = form & PAIRED != 0;
            // Two entries a cell are room for half of the cells.
            for part in (u32::from(paired)..4).rev() {
                let map = Ranks::over(sorted, cells.len() >> part, form);
                let holds = map.most <= most && (few || paired);
                if holds || paired && map.most < best.most {
                    best = map;
                }
                if holds {
                    break 'best;
                }
            }
        }
        best.start(sorted, cells);
        best
    }

    /// The map for `numbers`: of values or of their logarithms, whichever has fewer thresholds in a cell.
    pub fn plain(sorted: &[T], cells: &mut [u16]) -> Ranks<T> {
        let (values, logarithms) = (Ranks::over(sorted, cells.len(), 0), Ranks::over(sorted, cells.len(), LOGARITHM));
        let best = if logarithms.most < values.most { logarithms } else { values };
        best.start(sorted, cells);
        best
    }

    /// The map to so many cells.
    fn over(sorted: &[T], cells: usize, form: u32) -> Ranks<T> {
        let far = sorted.iter().filter(|threshold| !threshold.is_zero()).map(|threshold| threshold.magnitude());
        let floor = far.fold(u32::MAX >> 1, |floor, magnitude| if magnitude < floor { magnitude } else { floor });
        let mut map = Ranks { low: T::round(0.0), high: T::round(0.0), scale: T::round(0.0), most: 1, form, floor };
        let mut finite = sorted.iter().filter(|threshold| !threshold.is_nan() && !threshold.is_infinite());
        if let (Some(&low), Some(&high)) = (finite.next(), finite.next_back()) {
            let (low, high) = (map.of(low), map.of(high));
            let scale = T::scale(low, high, cells.saturating_sub(1) as u32);
            if !scale.is_zero() {
                (map.low, map.high, map.scale) = (low, high, scale);
            }
        }
        let (mut last, mut count) = (0, 0);
        for &threshold in sorted.iter().take(sorted.len().saturating_sub(BEYOND)) {
            let cell = map.cell(threshold);
            count = if cell == last { count + 1 } else { 1 };
            last = cell;
            if count > map.most {
                map.most = count;
            }
        }
        map
    }

    /// Writes how many thresholds are in the cells before each.
    fn start(&self, sorted: &[T], cells: &mut [u16]) {
        let (mut below, count) = (0, sorted.len().saturating_sub(BEYOND));
        for (cell, start) in cells.iter_mut().enumerate() {
            *start = below as u16;
            while below < count && sorted.get(below).is_some_and(|&x| self.cell(x) <= cell) {
                below += 1;
            }
        }
    }

    /// Writes the entries of the cells. RIGHT: missing values are above all thresholds.
    fn enter(&self, sorted: &[T], cells: &[u16], entries: &mut [Entry<T>], right: bool) {
        let count = sorted.len() - BEYOND;
        let each = if self.form & PAIRED != 0 { 2 } else { 1 };
        for (entry, &start) in super::pieces_mut(entries, each).zip(cells) {
            let start = start as usize;
            let threshold = |place: usize| sorted.get(start + place).copied().unwrap_or(T::NAN);
            let from = |most: u32| {
                let left = count.saturating_sub(start);
                let added = if left < most as usize { left } else { most as usize };
                T::word((if right { start + added } else { start }) as u64)
            };
            match entry {
                [one] => *one = Entry { threshold: threshold(0), start: from(1) },
                [first, other] => {
                    *first = Entry { threshold: threshold(0), start: T::word(threshold(1).to_bits()) };
                    *other = Entry { threshold: threshold(2), start: from(HELD) };
                }
                _ => {}
            }
        }
    }

    /// Whether entries hold all thresholds of their cells.
    fn holds(&self) -> bool {
        self.most <= HELD
    }

    /// Whether each cell is one entry.
    pub fn narrow(&self) -> bool {
        self.form & NARROW != 0
    }

    pub fn logarithm(&self) -> bool {
        self.form & LOGARITHM != 0
    }

    /// What is mapped to cells.
    fn of(&self, x: T) -> T {
        if self.logarithm() { x.logarithm(self.floor) } else { x }
    }

    #[inline(always)]
    pub fn cell(&self, x: T) -> usize {
        T::cell(self.of(x), self.low, self.high, self.scale)
    }

    /// What `Number::cell` takes.
    pub fn cell_map(&self) -> [T; 3] {
        [self.low, self.high, self.scale]
    }

    /// The rank of x.
    ///
    /// # Safety
    /// `sorted` and `cells` are those of `new`.
    #[inline(never)]
    pub unsafe fn rank(&self, sorted: &[T], cells: &[u16], x: T) -> usize {
        let count = sorted.len() - BEYOND;
        // SAFETY: by the caller; a cell's start is a threshold's place or that behind the last, where NaN is. All thresholds of
        // higher cells are above x, so that comparing with some of them adds nothing.
        unsafe {
            let mut at = *cells.get_unchecked(self.cell(x)) as usize;
            for step in (0..u32::BITS - self.most.leading_zeros()).rev() {
                let place = at + (1 << step) - 1;
                let place = if place < count { place } else { count };
                at += usize::from(x > *sorted.get_unchecked(place)) << step;
            }
            at
        }
    }

    /// The ranks of x, as `lanes::SIGN` has them. All rows take a step before one takes the next, so that none waits.
    ///
    /// # Safety
    /// `sorted` and `cells` are those of `plain`.
    #[inline(never)]
    pub unsafe fn numbers(&self, sorted: &[T], cells: &[u16], x: &[T; ROWS], into: &mut [u16; ROWS]) {
        let mut places = MaybeUninit::uninit();
        if self.logarithm() {
            let mut mapped = *x;
            T::logarithms(x, self.floor, &mut mapped);
            self.place::<false>(&mapped, 0, &mut places);
        } else {
            self.place::<false>(x, 0, &mut places);
        }
        let (base, wide) = (lanes::base(sorted.as_ptr()), size_of::<T>() as u32);
        let last = base + (sorted.len() - BEYOND) as u32 * wide;
        // SAFETY: as in `rank`; a place that `place` made is that of a cell.
        unsafe {
            let at = places.assume_init_mut();
            for at in at.as_chunks_mut::<4>().0 {
                let start = |place: u32| base + u32::from(*cells.as_ptr().byte_add((place / wide) as usize)) * wide;
                *at = [start(at[0]), start(at[1]), start(at[2]), start(at[3])];
            }
            for step in (0..u32::BITS - self.most.leading_zeros()).rev() {
                T::higher(x, at, sorted.as_ptr(), wide << step, last);
            }
            for (at, into) in at.as_chunks::<4>().0.iter().zip(into.as_chunks_mut::<4>().0) {
                let rank = |at: u32| ((at - base) / wide) as u16 ^ lanes::SIGN;
                *into = [rank(at[0]), rank(at[1]), rank(at[2]), rank(at[3])];
            }
        }
    }

    /// Writes the place of each x's cell among entries that begin at `base`; whether all are finite, where it is not
    /// RIGHT.
    #[inline(always)]
    fn place<const RIGHT: bool>(&self, x: &[T; ROWS], base: u32, places: &mut MaybeUninit<[u32; ROWS]>) -> bool {
        T::cells::<RIGHT>(x, self.low, self.high, self.scale, base, places)
    }
}

//! Single rows, sixteen splits at a time: what all trees need, and the way through trees filled up to one depth; other
//! trees' is in `groups`.
//!
//! The row's ranks, a byte a column, stand in N vectors. Three levels of a tree, a group, are seven splits: the
//! columns that they ask and the ranks that these are compared with, a byte each. Of two trees' groups one vector
//! gathers what they ask (a swizzle), one comparison decides them all, and a table turns the seven decisions of a group
//! into one of its eight children. A tree of depth 6 is two such steps, which the trees of a chunk take together. Levels
//! that fill up the first group go left.

use super::Call;
use super::bits::Wide;
use super::forest::{Column, Forest, Layout, Place, Sum};
use super::groups::{self, CHUNK};
use super::lanes;
use super::sliced::{BEYOND, Columns, GATHERED, Mask, Ranks, is_right};
use super::trees::{Entry, Four, Number, SUM32, VECTOR};

/// Columns that a vector of ranks holds.
pub const COLUMNS: usize = 16;

/// Most vectors of ranks: a column's number is a byte.
pub const MOST_VECTORS: usize = 16;

/// Most thresholds of a column: a rank is a byte.
pub const THRESHOLDS: u32 = 255;

/// What no rank is above. Ranks are kept less 128, to be compared as signed bytes.
pub const NEVER: u8 = 127;

/// Columns and ranks of seven splits, in the order of a heap; the eighth never holds.
type Group = [[u8; 8]; 2];

/// What a row's value needs to become a rank.
#[derive(Clone, Copy)]
#[repr(C)]
struct Binned<T> {
    map: Ranks<T>,
    column: Column,
    /// The slot of its input.
    slot: u32,
    /// Its thresholds, how many, and its cells.
    sorted: u32,
    count: u32,
    cells: u32,
    cell_count: u32,
}

impl<T: Number> Binned<T> {
    /// Makes it one of the four, and what stands for those behind it where there is none.
    fn join(&self, four: &mut Four<T>, place: usize, entries: &[Entry<T>], flags: u32) {
        for place in place..4 {
            for (into, of) in four.map.iter_mut().zip(self.map.cell_map()) {
                into[place] = of;
            }
            four.slots[place] = self.slot;
            four.base[place] = lanes::base(entries.as_ptr());
            // Ranks are kept less 128.
            four.logarithm[place] = T::word(if self.map.logarithm() { u64::MAX } else { 0 });
            four.floor[place] = self.map.floor;
            four.add[place] = T::word(if is_right(flags, self.column) { 127 } else { 128 });
        }
        four.slow |= u32::from(!(self.map.narrow() && self.column.is_plain()));
    }
}

/// Trees of one output that follow each other.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Run {
    pub target: u32,
    pub trees: u32,
}

/// Where the tables are.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Tables {
    head: Place,
    columns: Place,
    /// The same, four at a time.
    fours: Place,
    runs: Place,
    base: Place,
    /// Of `sliced`.
    sorted: Place,
    cells: Place,
    full: Full,
    groups: groups::Tables,
}

/// Of trees filled up to one depth.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Full {
    steps: Steps,
    children: Place,
    groups: Place,
    /// Where the trees of a chunk are.
    ways: Place,
    /// Leaf rows, of `sliced`, and how far it is from one tree's to the next one's.
    values: Place,
    pitch: u32,
}

/// All that a row needs to know beside the tables: to read the arguments anew would take as long as the row.
#[derive(Clone, Copy)]
#[repr(C)]
struct Head {
    ready: u32,
    flags: u32,
    divide: f64,
    runs: u32,
    tables: Tables,
}

/// The steps down a tree of a depth.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Steps {
    count: u32,
    /// Levels of the first group that fill it up.
    spare: u32,
    /// The first group of each step, and behind the last step's, how many a tree has.
    starts: [u32; 4],
}

impl Steps {
    fn new(depth: u32) -> Steps {
        let count = depth.div_ceil(3);
        let spare = 3 * count - depth;
        let mut starts = [0, 1, 1, 1];
        for step in 1..3 {
            let own = if step < count { 1 << (3 * step - spare) } else { 0 };
            for start in starts.iter_mut().skip(step as usize + 1) {
                *start += own;
            }
        }
        Steps { count, spare, starts }
    }

    /// Where in the tree's own heap place `place` of group `group` of a step is; None where there is no split.
    fn own(&self, step: u32, group: usize, place: usize) -> Option<usize> {
        let level = 3 * step + place.ilog2();
        let offset = (group << place.ilog2()) + place - (1 << place.ilog2());
        let own = level.checked_sub(self.spare)?;
        (offset < 1 << own).then_some((1 << own) + offset)
    }
}

impl Tables {
    /// In an empty layout, for trees of a depth, which are filled up to it if they are GATHERED; what is of `sliced` is
    /// set by `build`.
    pub fn new<T: Number, const KIND: u8>(
        forest: &Forest,
        depth: u32,
        layout: &mut Layout,
        outputs: usize,
    ) -> Tables {
        let trees = forest.sizes.len() as u64;
        let mut tables = Tables {
            head: layout.take::<Head>(1),
            columns: layout.take::<Binned<T>>(forest.columns.len() as u64),
            fours: layout.take::<Four<T>>(forest.columns.len().div_ceil(4) as u64),
            runs: layout.take::<Run>(trees),
            base: layout.take::<f64>(outputs as u64),
            ..Tables::default()
        };
        if KIND == GATHERED {
            let steps = Steps::new(depth);
            tables.full.steps = steps;
            tables.full.children = layout.take::<u8>(128);
            tables.full.ways = layout.take::<u32>(CHUNK as u64);
            tables.full.groups = layout.take::<Group>(trees * u64::from(steps.starts[3]));
        } else {
            tables.groups = groups::Tables::new(forest, layout, outputs);
        }
        tables
    }

    /// Makes the tables. Of `sliced` come the columns' maps, their entries, where sorted thresholds and cells are and, for
    /// trees that are filled up, their heaps of thresholds, where leaf rows are and how far it is from one tree's to the
    /// next one's.
    pub fn build<T: Number, const KIND: u8>(
        mut self,
        call: &Call,
        forest: &Forest,
        (maps, mut entries, [sorted, cells]): (Columns<T>, &[Entry<T>], [Place; 2]),
        (heaps, masks, values, pitch): (&[Mask], *const Wide, Place, usize),
    ) {
        (self.sorted, self.cells) = (sorted, cells);
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (head, columns, fours, runs, base) = unsafe {
            (
                self.head.of::<Head>(call),
                self.columns.of::<Binned<T>>(call),
                self.fours.of::<Four<T>>(call),
                self.runs.of::<Run>(call),
                self.base.of::<f64>(call),
            )
        };
        let (mut sorted, mut cells) = (0, 0);
        for (into, (&column, (map, own, mine))) in columns.iter_mut().zip(forest.columns.iter().zip(maps)) {
            let (count, cell_count) = ((own.len() - BEYOND) as u32, mine.len() as u32);
            let slot = call.inputs.get(column.input()).copied().unwrap_or(0);
            *into = Binned { map: *map, column, slot, sorted, count, cells, cell_count };
            sorted += own.len() as u32;
            cells += cell_count;
        }
        for (number, own) in columns.iter().enumerate() {
            let (mine, others) = entries.split_at_checked(own.cell_count as usize).unwrap_or_default();
            entries = others;
            if let Some(four) = fours.get_mut(number / 4) {
                own.join(four, number % 4, mine, forest.flags);
            }
        }
        let (mut last, mut count) = (None, 0);
        for tree in 0..forest.sizes.len() {
            let target = forest.targets.get(tree).copied().unwrap_or(0);
            if last != Some(target) {
                (last, count) = (Some(target), count + 1);
            }
            if let Some(run) = runs.get_mut(count - 1) {
                (run.target, run.trees) = (target, run.trees + 1);
            }
        }
        base.iter_mut().zip(forest.base).for_each(|(into, &base)| *into = base);
        if KIND == GATHERED {
            (self.full.values, self.full.pitch) = (values, pitch as u32);
            self.full.build(call, forest, heaps, masks);
        } else {
            self.groups.build(call, forest, runs.get(..count).unwrap_or(&[]));
        }
        for head in head {
            *head = Head { ready: 1, flags: forest.flags, divide: forest.divide, runs: count as u32, tables: self };
        }
    }
}

impl Full {
    fn build(&self, call: &Call, forest: &Forest, heaps: &[Mask], masks: *const Wide) {
        let steps = &self.steps;
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (children, groups) = unsafe { (self.children.of::<u8>(call), self.groups.of::<Group>(call)) };
        for (decided, child) in children.iter_mut().enumerate() {
            let mut node = 1;
            for _ in 0..3 {
                node = 2 * node + (decided >> (node - 1) & 1);
            }
            *child = node as u8 & 7;
        }
        let mut groups = groups.iter_mut();
        for heap in super::rows(heaps, 1 << (3 * steps.count - steps.spare)) {
            for step in 0..steps.count {
                let count = if step == 0 { 1 } else { 1 << (3 * step - steps.spare) };
                for (number, group) in groups.by_ref().take(count).enumerate() {
                    *group = [[0; 8], [NEVER; 8]];
                    let [asked, ranks] = group;
                    for (place, (asked, rank)) in (1..8).zip(asked.iter_mut().zip(ranks)) {
                        if let Some(&mask) = steps.own(step, number, place).and_then(|own| heap.get(own)) {
                            (*asked, *rank) = place_of(forest, mask.number(masks));
                        }
                    }
                }
            }
        }
    }
}

/// The column of a threshold, and the rank that is compared with it: its place among the column's, less 128.
pub fn place_of(forest: &Forest, threshold: u32) -> (u8, u8) {
    let mut left = threshold;
    for (column, &count) in forest.counts.iter().enumerate() {
        if left < count {
            return (column as u8, left as u8 ^ 128);
        }
        left -= count;
    }
    (0, NEVER)
}

/// Predicts the rows of the call, one by one; false where the tables are still to be made.
pub fn run<T: Number, const KIND: u8, const N: usize>(call: &Call) -> bool {
    // SAFETY: the head is the first of the tables; as they are zeros at first, it is not ready before `build`.
    let Some(head) = (unsafe { Layout::default().take::<Head>(1).of::<Head>(call).first() }) else { return true };
    if head.ready == 0 {
        return false;
    }
    // SAFETY: the tables are what `build` made of a checked forest.
    unsafe {
        let base = head.tables.base.of::<f64>(call);
        call.start(base);
        let runs = head.tables.runs.of::<Run>(call).get_unchecked(..head.runs as usize);
        let (full, groups) = (&head.tables.full, &head.tables.groups);
        for row in 0..call.rows {
            let Some(ranks) = rank::<T, N>(call, head, row) else { return true };
            match (KIND == GATHERED, head.flags & VECTOR != 0, head.flags & SUM32 != 0) {
                (true, false, true) => full.add::<f32, N>(call, runs, ranks, row),
                (true, false, false) => full.add::<f64, N>(call, runs, ranks, row),
                (true, true, true) => full.add_rows::<f32, N>(call, ranks, row),
                (true, true, false) => full.add_rows::<f64, N>(call, ranks, row),
                (false, false, true) => groups.add::<f32, false, N>(call, runs, ranks, row),
                (false, false, false) => groups.add::<f64, false, N>(call, runs, ranks, row),
                (false, true, true) => groups.add::<f32, true, N>(call, runs, ranks, row),
                (false, true, false) => groups.add::<f64, true, N>(call, runs, ranks, row),
            }
        }
    }
    call.divide(head.divide);
    true
}

/// The ranks of a row; None where a value is refused.
///
/// # Safety
/// The tables were built.
#[inline(always)]
unsafe fn rank<T: Number, const N: usize>(call: &Call, head: &Head, row: usize) -> Option<Ranked<N>> {
    // SAFETY: by the caller; a column's inputs, thresholds and cells are there.
    unsafe {
        let mut ranks = [[0u8; COLUMNS]; N];
        let columns = head.tables.columns.of::<Binned<T>>(call);
        let (sorted, cells) = (head.tables.sorted.of::<T>(call).as_ptr(), head.tables.cells.of::<u16>(call).as_ptr());
        let slots = call.slots.add(row);
        let mut fours = head.tables.fours.of::<Four<T>>(call).as_ptr();
        let (mut at, mut left) = (columns.as_ptr(), columns.len());
        let mut into = ranks.as_mut_ptr().cast::<u8>();
        while left > 0 {
            let count = if left < 4 { left } else { 4 };
            let four = &*fours;
            match if four.slow == 0 { T::four(four, slots, call.rows) } else { None } {
                // Behind the last column there is room for what stands for others.
                Some(four) => into.cast::<[u8; 4]>().write(four),
                None => {
                    for place in 0..count {
                        let own = &*at.add(place);
                        let x = T::round(*slots.add(own.slot as usize * call.rows));
                        let Some(x) = own.column.admit(head.flags, x) else {
                            call.refuse(row);
                            return None;
                        };
                        let (sorted, cells) = (sorted.add(own.sorted as usize), cells.add(own.cells as usize));
                        let sorted = core::slice::from_raw_parts(sorted, own.count as usize + BEYOND);
                        let cells = core::slice::from_raw_parts(cells, own.cell_count as usize);
                        let rank = own.map.rank(sorted, cells, x);
                        *into.add(place) = rank as u8 ^ 128;
                    }
                }
            }
            (fours, at, into, left) = (fours.add(1), at.add(count), into.add(count), left - count);
        }
        Some(Ranked::load(&ranks))
    }
}

/// Which leaves the row reaches in two trees, whose groups are at `one` and `other`.
///
/// # Safety
/// The tables were built.
#[inline(always)]
unsafe fn leaves<const N: usize>(
    ranks: Ranked<N>,
    children: *const u8,
    steps: Steps,
    one: *const Group,
    other: *const Group,
) -> (usize, usize) {
    // SAFETY: by the caller.
    unsafe {
        let (mut left, mut right) = (0, 0);
        let mut step = |start: u32| {
            let start = start as usize;
            let decided = ranks.decide_both(one.add(start + left), other.add(start + right));
            left = 8 * left + *children.add(decided & 127) as usize;
            right = 8 * right + *children.add(decided >> 8) as usize;
        };
        step(0);
        if steps.count > 1 {
            step(1);
        }
        if steps.count > 2 {
            step(steps.starts[2]);
        }
        (left, right)
    }
}

impl Full {
    /// Adds the values of the row's leaves, in the order of the trees.
    ///
    /// # Safety
    /// The tables were built, with leaf rows of S.
    #[inline(never)]
    unsafe fn add<S: Sum, const N: usize>(&self, call: &Call, runs: &[Run], ranks: Ranked<N>, row: usize) {
        // SAFETY: by the caller; every leaf has a row of values.
        unsafe {
            let children = self.children.of::<u8>(call).as_ptr();
            let mut values = self.values.of::<u64>(call).as_ptr().cast::<S>();
            let mut groups = self.groups.of::<Group>(call).as_ptr();
            let (steps, pitch) = (self.steps, self.pitch as usize);
            let ways = self.ways.of::<u32>(call).as_mut_ptr();
            let of_tree = steps.starts[3] as usize;
            for run in runs {
                let output = call.output(run.target as usize).get_unchecked_mut(row);
                let mut sum = S::from_f64(*output);
                let mut pairs = run.trees as usize / 2;
                while pairs > 0 {
                    let count = if pairs < CHUNK / 2 { pairs } else { CHUNK / 2 };
                    pairs -= count;
                    let end = ways.add(2 * count);
                    let step = |start: u32, first: bool| {
                        let (mut one, mut way) = (groups.add(start as usize), ways);
                        while way != end {
                            let (left, right) = if first { (0, 0) } else { (*way as usize, *way.add(1) as usize) };
                            let decided = ranks.decide_both(one.add(left), one.add(of_tree + right));
                            *way = 8 * left as u32 + u32::from(*children.add(decided & 127));
                            *way.add(1) = 8 * right as u32 + u32::from(*children.add(decided >> 8));
                            (one, way) = (one.add(2 * of_tree), way.add(2));
                        }
                    };
                    step(0, true);
                    for &start in steps.starts.get_unchecked(1..steps.count as usize) {
                        step(start, false);
                    }
                    let mut way = ways;
                    while way != end {
                        sum = sum.plus(*values.add(*way as usize)).plus(*values.add(pitch + *way.add(1) as usize));
                        (way, values) = (way.add(2), values.add(2 * pitch));
                    }
                    groups = groups.add(2 * count * of_tree);
                }
                if run.trees % 2 == 1 {
                    let (leaf, _) = leaves(ranks, children, steps, groups, groups);
                    sum = sum.plus(*values.add(leaf));
                    (groups, values) = (groups.add(of_tree), values.add(pitch));
                }
                *output = sum.to_f64();
            }
        }
    }

    /// The same where a leaf has a value for each output.
    ///
    /// # Safety
    /// As of `add`.
    #[inline(never)]
    unsafe fn add_rows<S: Sum, const N: usize>(&self, call: &Call, ranks: Ranked<N>, row: usize) {
        // SAFETY: by the caller; every leaf has a row of values.
        unsafe {
            let children = self.children.of::<u8>(call).as_ptr();
            let mut values = self.values.of::<u64>(call).as_ptr().cast::<S>();
            for groups in super::rows(self.groups.of::<Group>(call), self.steps.starts[3] as usize) {
                let (leaf, _) = leaves(ranks, children, self.steps, groups.as_ptr(), groups.as_ptr());
                for (place, output) in call.outputs().enumerate() {
                    let sum = output.get_unchecked_mut(row);
                    *sum = S::from_f64(*sum).plus(*values.add(leaf * call.outputs + place)).to_f64();
                }
                values = values.add(self.pitch as usize * call.outputs);
            }
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    use super::{COLUMNS, Group};
    use core::arch::wasm32::*;

    /// The ranks of a row.
    #[derive(Clone, Copy)]
    pub struct Ranked<const N: usize>([v128; N]);

    impl<const N: usize> Ranked<N> {
        #[inline(always)]
        pub fn load(ranks: &[[u8; COLUMNS]; N]) -> Ranked<N> {
            // SAFETY: a vector is 16 bytes.
            Ranked(core::array::from_fn(|k| unsafe { v128_load(ranks[k].as_ptr().cast()) }))
        }

        #[inline(always)]
        fn above(self, asked: v128, ranks: v128) -> usize {
            let mut x = i8x16_swizzle(self.0[0], asked);
            // Written out: LLVM makes a loop of a loop.
            macro_rules! each {
                ($($k:literal)*) => {
                    $(if $k < N {
                        // A place that is not in the vector gives 0.
                        let place = i8x16_sub(asked, u8x16_splat(($k * COLUMNS) as u8));
                        x = v128_or(x, i8x16_swizzle(self.0[$k % N], place));
                    })*
                };
            }
            each!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            i8x16_bitmask(i8x16_gt(x, ranks)) as usize
        }

        /// What two groups decide, eight bits each.
        ///
        /// # Safety
        /// Both point to a group.
        #[inline(always)]
        pub unsafe fn decide_both(self, one: *const Group, other: *const Group) -> usize {
            // SAFETY: by the caller.
            let (one, other) = unsafe { (v128_load(one.cast()), v128_load(other.cast())) };
            self.above(i64x2_shuffle::<0, 2>(one, other), i64x2_shuffle::<1, 3>(one, other))
        }

        /// What sixteen splits decide.
        ///
        /// # Safety
        /// Both point to sixteen bytes.
        #[inline(always)]
        pub unsafe fn decide(self, asked: *const u8, ranks: *const u8) -> usize {
            // SAFETY: by the caller.
            unsafe { self.above(v128_load(asked.cast()), v128_load(ranks.cast())) }
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod vector {
    use super::{COLUMNS, Group};

    #[derive(Clone, Copy)]
    pub struct Ranked<const N: usize>([[u8; COLUMNS]; N]);

    impl<const N: usize> Ranked<N> {
        pub fn load(ranks: &[[u8; COLUMNS]; N]) -> Ranked<N> {
            Ranked(*ranks)
        }

        fn above(&self, asked: &[u8], ranks: &[u8]) -> usize {
            let decided = asked.iter().zip(ranks).enumerate().map(|(bit, (&asked, &rank))| {
                let x = self.0.as_flattened().get(asked as usize).copied().unwrap_or(0);
                usize::from(x as i8 > rank as i8) << bit
            });
            decided.sum()
        }

        /// # Safety
        /// Both point to a group.
        pub unsafe fn decide_both(self, one: *const Group, other: *const Group) -> usize {
            // SAFETY: by the caller.
            let ([asked, ranks], [others, other_ranks]) = unsafe { (*one, *other) };
            self.above(&asked, &ranks) | self.above(&others, &other_ranks) << 8
        }

        /// # Safety
        /// Both point to sixteen bytes.
        pub unsafe fn decide(self, asked: *const u8, ranks: *const u8) -> usize {
            // SAFETY: by the caller.
            unsafe { self.above(core::slice::from_raw_parts(asked, 16), core::slice::from_raw_parts(ranks, 16)) }
        }
    }
}

pub use vector::Ranked;

//! Single rows, sixteen splits at a time: what all trees need, and the way through trees filled up to one depth; other
//! trees' is in `groups`.
//!
//! The row's ranks, a byte a column, stand in N vectors. Three levels of a tree, a group, are seven splits: the
//! columns that they ask and the ranks that these are compared with, a byte each. Of two trees' groups one vector
//! gathers what they ask (a swizzle), one comparison decides them all, and a table turns the seven decisions of a group
//! into one of its eight children. A tree of depth 6 is two such steps: the first ones of a chunk's trees come before any
//! second, and the last group of a way has its leaves' values beside it, in one line of the cache if they are f32. Levels
//! that fill up the first group go left.

use super::Call;
use super::bits::Wide;
use super::forest::{Column, Forest, Layout, Place, Sum};
use super::groups::{self, CHUNK};
use super::lanes;
use super::sliced::{BEYOND, Columns, GATHERED, Mask, PLACED, Ranks, is_right};
use super::trees::{Entry, Found, Four, Number, SUM32, VECTOR};
use core::mem::MaybeUninit;

/// Columns that a vector of ranks holds.
pub const COLUMNS: usize = 16;

/// Most vectors of ranks: a column's number is a byte.
pub const MOST_VECTORS: usize = 16;

/// Most thresholds of a column: a rank is a byte.
pub const THRESHOLDS: u32 = 255;

/// What no rank is above. Ranks are kept less 128, to be compared as signed bytes.
pub const NEVER: u8 = 127;

/// Columns and ranks of seven splits, in the order of a heap; the eighth never holds.
type Group = [Eight; 2];
type Eight = [u8; 8];

/// Two trees' first groups, as they are compared.
type Roots = [[u8; 16]; 2];

/// Four times the child to which seven decisions lead, a bit each.
static CHILDREN: [u8; 128] = {
    let mut children = [0; 128];
    let mut decided = 0;
    while decided < 128 {
        let mut node = 1;
        while node < 8 {
            node = 2 * node + (decided >> (node - 1) & 1);
        }
        children[decided] = 4 * (node as u8 & 7);
        decided += 1;
    }
    children
};

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
    /// Makes it one of the four.
    fn join(&self, four: &mut Four<T>, place: usize, entries: &[Entry<T>], flags: u32) {
        let place = place % 4;
        for (into, of) in four.map.iter_mut().zip(self.map.cell_map()) {
            into[place] = of;
        }
        four.slots[place] = self.slot;
        four.base[place] = lanes::base(entries.as_ptr()).wrapping_sub(T::ENTRY);
        // Ranks are kept less 128.
        four.logarithm[place] = T::word(if self.map.logarithm() { u64::MAX } else { 0 });
        four.floor[place] = self.map.floor;
        four.add[place] = T::word(if is_right(flags, self.column) { 127 } else { 128 });
        four.whole[place] = T::WHOLE;
        four.slow |= u32::from(!(self.map.narrow() && self.column.is_plain()));
        four.curved |= u32::from(self.map.logarithm());
        let [a, b, c, d] = four.slots;
        four.together = u32::from([b, c, d] == [a + 1, a + 2, a + 3]);
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

/// Of trees filled up to one depth, two trees of a run at a time: what is the one's is followed by what is the other's.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Full {
    steps: Steps,
    /// First groups, those of the second of three steps, and those of the last step, records in which their leaves' values
    /// follow. Of trees of one step a record is all that is not in the roots; with VECTOR no values follow.
    roots: Place,
    middle: Place,
    last: Place,
    /// Four times the place of the group, of those of a step, to which each tree of a chunk has come.
    ways: Place,
    /// With VECTOR: leaf rows, of `sliced`, and how far it is from one tree's to the next one's.
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
    /// How many groups a tree has in the middle one of three steps, and in the last.
    middle: u32,
    last: u32,
}

impl Steps {
    fn new(depth: u32) -> Steps {
        let count = depth.div_ceil(3);
        let spare = 3 * count - depth;
        let groups = |step: u32| 1 << (3 * step - spare);
        Steps {
            count,
            spare,
            middle: if count > 2 { groups(1) } else { 0 },
            last: if count > 1 { groups(count - 1) } else { 1 },
        }
    }
}

/// Bytes of a record of the last step, in which values of so many bytes follow, if any: a power of two, so that records of f32
/// are lines of the cache.
const fn record(value: usize) -> usize {
    (size_of::<Group>() + 8 * value).next_power_of_two()
}

/// Of the forest's values.
fn record_of(forest: &Forest) -> usize {
    match (forest.vector(), forest.narrow()) {
        (true, _) => record(0),
        (false, true) => record(4),
        (false, false) => record(8),
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
            // A run may have a tree without another.
            let words = |count: usize, bytes: usize| 2 * trees * (count * bytes / 8) as u64;
            tables.full.roots = layout.take::<Eight>(words(1, size_of::<Group>()));
            tables.full.middle = layout.take::<Eight>(words(steps.middle as usize, size_of::<Group>()));
            tables.full.last = layout.take::<Eight>(words(steps.last as usize, record_of(forest)));
            tables.full.ways = layout.take::<u16>(CHUNK as u64);
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
        // The last column stands for those that a last four lacks.
        for number in 0..4 * fours.len() {
            let own = columns.get(number).or(columns.last());
            let (Some(own), Some(four)) = (own, fours.get_mut(number / 4)) else { break };
            let (mine, others) = entries.split_at_checked(own.cell_count as usize).unwrap_or_default();
            if number + 1 < columns.len() {
                entries = others;
            }
            own.join(four, number, mine, forest.flags);
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
            self.full.build(call, forest, runs.get(..count).unwrap_or(&[]), heaps, masks);
        } else {
            self.groups.build(call, forest, runs.get(..count).unwrap_or(&[]));
        }
        for head in head {
            *head = Head { ready: 1, flags: forest.flags, divide: forest.divide, runs: count as u32, tables: self };
        }
    }
}

impl Full {
    fn build(&self, call: &Call, forest: &Forest, runs: &[Run], heaps: &[Mask], masks: *const Wide) {
        let steps = &self.steps;
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (roots, middle, last, values) = unsafe {
            (
                self.roots.of::<Eight>(call),
                self.middle.of::<Eight>(call),
                self.last.of::<Eight>(call),
                self.values.of::<u64>(call),
            )
        };
        let record = record_of(forest) / 8;
        // At first nothing holds, and nothing is added: that is -0.
        let nothing = if forest.narrow() { (-0f32).to_bits() as u64 * (1 << 32 | 1) } else { (-0f64).to_bits() };
        never(roots, 2, 4);
        never(roots, 3, 4);
        never(middle, 1, 2);
        last.fill(nothing.to_ne_bytes());
        never(last, 1, record);
        // Values are half of a record that has any.
        let (leaves, eight) = (1 << (3 * steps.count - steps.spare), (record / 2) & !1);
        let mut heaps = super::rows(heaps, leaves);
        let mut values = super::rows(values, self.pitch as usize / 8 * eight);
        let (mut pair, mut half) = (0, 0);
        for run in runs {
            for _ in 0..run.trees {
                let place_in = |groups: u32, number: usize| 2 * (pair * groups as usize + number) + half;
                for (node, mask) in heaps.next().unwrap_or(&[]).iter().enumerate().skip(1) {
                    let own = (node | 1).ilog2();
                    let (step, level) = ((own + steps.spare) / 3, (own + steps.spare) % 3);
                    let (offset, wide) = (node - (1 << own), 1 << level);
                    let (number, split) = (offset >> level, wide - 1 + (offset & (wide - 1)));
                    let (list, at, apart) = if step == 0 {
                        (&mut *roots, 4 * pair + half, 2)
                    } else if step + 1 < steps.count {
                        (&mut *middle, 2 * place_in(steps.middle, number), 1)
                    } else {
                        (&mut *last, record * place_in(steps.last, number), 1)
                    };
                    let (column, rank) = place_of(forest, mask.number(masks));
                    set(list, at, split, column);
                    set(list, at + apart, split, rank);
                }
                for (number, values) in super::rows(values.next().unwrap_or(&[]), eight).enumerate() {
                    let at = record * place_in(steps.last, number) + 2;
                    last.iter_mut().skip(at).zip(values).for_each(|(into, value)| *into = value.to_ne_bytes());
                }
                (pair, half) = (pair + half, 1 - half);
            }
            (pair, half) = (pair + half, 0);
        }
    }
}

/// Ranks that no split holds at, from place `first` on, `apart`.
#[inline(never)]
fn never(list: &mut [Eight], first: usize, apart: usize) {
    let mut place = first;
    while let Some(ranks) = list.get_mut(place) {
        *ranks = [NEVER; 8];
        place += apart;
    }
}

#[inline(never)]
fn set(list: &mut [Eight], place: usize, split: usize, byte: u8) {
    if let Some(group) = list.get_mut(place) {
        group[split % 8] = byte;
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

/// Whether the tables are made. Apart from `run`, which a first call has no use for: an engine compiles what is called.
#[inline(always)]
pub fn ready(call: &Call) -> bool {
    // SAFETY: the head is the first of the tables, which are zeros before `build`.
    unsafe { (*call.tables.cast::<Head>()).ready != 0 }
}

/// Predicts the rows of the call, one by one, if the tables are made.
#[inline(never)]
pub fn run<T: Number, const KIND: u8, const N: usize>(call: &Call) {
    if !ready(call) {
        return;
    }
    // SAFETY: the tables are what `build` made of a checked forest.
    unsafe {
        let head = &*call.tables.cast::<Head>();
        let base = head.tables.base.of::<f64>(call);
        call.start(base);
        let runs = head.tables.runs.of::<Run>(call).get_unchecked(..head.runs as usize);
        // There is room for as many runs as trees.
        let trees = head.tables.runs.count();
        let (full, groups) = (&head.tables.full, &head.tables.groups);
        for row in 0..call.rows {
            let Some(ranks) = rank::<T, N>(call, head, row) else { return };
            let holds = |flag: u32| KIND != PLACED && head.flags & flag != 0;
            match (KIND == GATHERED, holds(VECTOR), holds(SUM32)) {
                (true, false, true) => full.add::<f32, N>(call, runs, ranks, row),
                (true, false, false) => full.add::<f64, N>(call, runs, ranks, row),
                (true, true, narrow) => full.add_rows(call, narrow, ranks, trees, row),
                (false, false, true) => groups.add::<f32, false, N>(call, runs, ranks, row),
                (false, false, false) => groups.add::<f64, false, N>(call, runs, ranks, row),
                (false, true, true) => groups.add::<f32, true, N>(call, runs, ranks, row),
                (false, true, false) => groups.add::<f64, true, N>(call, runs, ranks, row),
            }
        }
        call.divide(head.divide);
    }
}

/// The ranks of a row; None where a value is refused.
///
/// # Safety
/// The tables were built.
#[inline(always)]
unsafe fn rank<T: Number, const N: usize>(call: &Call, head: &Head, row: usize) -> Option<Ranked<N>> {
    // SAFETY: by the caller; behind the last column there is room for what stands for others.
    unsafe {
        let mut ranks = [[0u8; COLUMNS]; N];
        let (slots, fours) = (call.slots.add(row), head.tables.fours.of::<Four<T>>(call));
        // Where all entries are comes first, that none waits in the cache for another's.
        let mut found = [const { MaybeUninit::<Found<T>>::uninit() }; COLUMNS / 4 * MOST_VECTORS];
        let (mut four, mut at) = (fours.as_ptr(), found.as_mut_ptr().cast::<Found<T>>());
        let mut into = ranks.as_mut_ptr().cast::<[u8; 4]>();
        let end = four.add(fours.len());
        while four != end {
            if (*four).slow != 0 || !T::find(&*four, slots, call.rows, at) {
                (*at).places[0] = 0;
                if !rank_each::<T>(call, head, slots, four.offset_from_unsigned(fours.as_ptr()), &mut *into) {
                    call.refuse(row);
                    return None;
                }
            }
            (four, at, into) = (four.add(1), at.add(1), into.add(1));
        }
        (four, at, into) = (fours.as_ptr(), found.as_mut_ptr().cast(), ranks.as_mut_ptr().cast());
        while four != end {
            // No entry is at 0.
            if (*at).places[0] > 0 {
                *into = T::four(&*four, &*at);
            }
            (four, at, into) = (four.add(1), at.add(1), into.add(1));
        }
        Some(Ranked::load(&ranks))
    }
}

/// The ranks of four columns, column by column; false where a value is refused.
///
/// # Safety
/// The tables were built.
#[inline(never)]
unsafe fn rank_each<T: Number>(
    call: &Call,
    head: &Head,
    slots: *const f64,
    number: usize,
    into: &mut [u8; 4],
) -> bool {
    // SAFETY: by the caller; a column's inputs, thresholds and cells are there.
    unsafe {
        let (sorted, cells) = (head.tables.sorted.of::<T>(call).as_ptr(), head.tables.cells.of::<u16>(call).as_ptr());
        let columns = head.tables.columns.of::<Binned<T>>(call);
        for (own, into) in columns.iter().skip(4 * number).zip(into) {
            let x = T::round(*slots.add(own.slot as usize * call.rows));
            let Some(x) = own.column.admit(head.flags, x) else { return false };
            let (sorted, cells) = (sorted.add(own.sorted as usize), cells.add(own.cells as usize));
            let sorted = core::slice::from_raw_parts(sorted, own.count as usize + BEYOND);
            let cells = core::slice::from_raw_parts(cells, own.cell_count as usize);
            *into = own.map.rank(sorted, cells, x) as u8 ^ 128;
        }
    }
    true
}

/// Four times the child that seven decisions lead to, and any eighth.
#[inline(always)]
fn child(decided: usize) -> usize {
    // SAFETY: seven bits; the eighth split never holds.
    unsafe { *CHILDREN.get_unchecked(decided) as usize }
}

/// Takes the first step in the trees of a chunk. Where the next chunk's roots begin.
///
/// # Safety
/// There are roots for the ways.
#[inline(always)]
unsafe fn enter<const N: usize>(
    ranks: Ranked<N>,
    mut roots: *const Roots,
    mut way: *mut u16,
    end: *const u16,
) -> *const Roots {
    // SAFETY: by the caller.
    unsafe {
        while way.cast_const() != end {
            let [asked, compared] = &*roots;
            let decided = ranks.decide(asked.as_ptr(), compared.as_ptr());
            (*way, *way.add(1)) = (child(decided & 255) as u16, child(decided >> 8) as u16);
            (way, roots) = (way.add(2), roots.add(1));
        }
    }
    roots
}

/// Takes a further step. Where the next chunk's groups begin.
///
/// # Safety
/// The groups are those of the trees, `count` of a tree.
#[inline(never)]
unsafe fn follow<const N: usize>(
    ranks: Ranked<N>,
    mut groups: *const u8,
    count: usize,
    mut way: *mut u16,
    end: *const u16,
) -> *const u8 {
    // SAFETY: by the caller.
    unsafe {
        while way.cast_const() != end {
            let [left, right] = step(ranks, groups, size_of::<Group>(), [*way as usize, *way.add(1) as usize]);
            (*way, *way.add(1)) = (left.leaf as u16, right.leaf as u16);
            (way, groups) = (way.add(2), groups.add(2 * size_of::<Group>() * count));
        }
    }
    groups
}

/// Where a row leaves a group: its record, and four times the number of the child and of that among all of the step.
struct Left {
    record: *const u8,
    child: usize,
    leaf: usize,
}

/// A step of two trees: `records` are theirs, by turns, and `ways` four times the numbers of those they have come to.
///
/// # Safety
/// There are these records.
#[inline(always)]
unsafe fn step<const N: usize>(ranks: Ranked<N>, records: *const u8, size: usize, ways: [usize; 2]) -> [Left; 2] {
    // SAFETY: by the caller.
    let [one, other] = unsafe { [records.add(ways[0] * (size / 2)), records.add(size + ways[1] * (size / 2))] };
    // SAFETY: a record begins with a group.
    let decided = unsafe { ranks.decide_both(one.cast(), other.cast()) };
    let left = |record, way, decided| {
        let child = child(decided);
        Left { record, child, leaf: 8 * way + child }
    };
    [left(one, ways[0], decided & 255), left(other, ways[1], decided >> 8)]
}

/// Where the next trees of a row begin.
struct Next {
    roots: *const Roots,
    middle: *const u8,
    last: *const u8,
}

impl Full {
    fn first(&self, call: &Call) -> Next {
        // SAFETY: laid out as in the validator, each place is viewed once.
        unsafe {
            let [roots, middle, last] =
                [self.roots, self.middle, self.last].map(|place| place.of::<Eight>(call).as_ptr());
            Next { roots: roots.cast(), middle: middle.cast(), last: last.cast() }
        }
    }

    /// Takes all steps but the last in the next trees, up to a chunk of so many pairs; their ways.
    ///
    /// # Safety
    /// The tables were built, and there are so many behind `next`.
    #[inline(never)]
    unsafe fn approach<const N: usize>(
        &self,
        call: &Call,
        ranks: Ranked<N>,
        next: &mut Next,
        pairs: &mut usize,
    ) -> [*mut u16; 2] {
        let count = if *pairs < CHUNK / 2 { *pairs } else { CHUNK / 2 };
        *pairs -= count;
        // SAFETY: by the caller.
        unsafe {
            let ways = self.ways.of::<u16>(call).as_mut_ptr();
            let end = ways.add(2 * count);
            next.roots = enter(ranks, next.roots, ways, end);
            if self.steps.count > 2 {
                next.middle = follow(ranks, next.middle, self.steps.middle as usize, ways, end);
            }
            [ways, end]
        }
    }

    /// Adds the values of the row's leaves, in the order of the trees.
    ///
    /// # Safety
    /// The tables were built, with values of S.
    #[inline(never)]
    unsafe fn add<S: Sum, const N: usize>(&self, call: &Call, runs: &[Run], ranks: Ranked<N>, row: usize) {
        // SAFETY: by the caller; behind the group of a record are its leaves' values.
        unsafe {
            let mut next = self.first(call);
            let size = record(size_of::<S>());
            let value = |record: *const u8, child: usize| {
                *record.add(child * (size_of::<S>() / 4)).add(size_of::<Group>()).cast::<S>()
            };
            for run in runs {
                let output = call.output(run.target as usize).get_unchecked_mut(row);
                let mut sum = S::from_f64(*output);
                let mut pairs = run.trees.div_ceil(2) as usize;
                while pairs > 0 {
                    let [mut way, end] = self.approach(call, ranks, &mut next, &mut pairs);
                    while way != end {
                        let own = [*way as usize, *way.add(1) as usize];
                        if self.steps.count > 1 {
                            let [one, other] = step(ranks, next.last, size, own);
                            sum = sum.plus(value(one.record, one.child)).plus(value(other.record, other.child));
                        } else {
                            sum = sum.plus(value(next.last, own[0])).plus(value(next.last.add(size), own[1]));
                        }
                        (way, next.last) = (way.add(2), next.last.add(2 * size * self.steps.last as usize));
                    }
                }
                *output = sum.to_f64();
            }
        }
    }

    /// The same where a leaf has a value for each output.
    ///
    /// # Safety
    /// The tables were built.
    #[inline(never)]
    unsafe fn add_rows<const N: usize>(&self, call: &Call, narrow: bool, ranks: Ranked<N>, trees: usize, row: usize) {
        // SAFETY: by the caller; every leaf has a row of values.
        unsafe {
            let values = self.values.of::<u64>(call).as_ptr();
            let mut next = self.first(call);
            let (mut first, mut tree, mut pairs) = (0, 0, trees.div_ceil(2));
            while tree < trees {
                let [mut way, end] = self.approach(call, ranks, &mut next, &mut pairs);
                if self.steps.count > 1 {
                    next.last = follow(ranks, next.last, self.steps.last as usize, way, end);
                }
                while way != end && tree < trees {
                    let leaf = first + *way as usize / 4 * call.outputs;
                    for (place, output) in (leaf..).zip(call.outputs()) {
                        let sum = output.get_unchecked_mut(row);
                        *sum = if narrow {
                            (*sum as f32).plus(*values.cast::<f32>().add(place)).to_f64()
                        } else {
                            sum.plus(*values.cast::<f64>().add(place))
                        };
                    }
                    first += self.pitch as usize * call.outputs;
                    (way, tree) = (way.add(1), tree + 1);
                }
            }
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    use super::{COLUMNS, Group};
    use crate::runtime::unseen;
    use core::arch::wasm32::*;

    /// The ranks of a row.
    #[derive(Clone, Copy)]
    pub struct Ranked<const N: usize> {
        ranks: [v128; N],
        /// COLUMNS, sixteen times.
        columns: v128,
    }

    impl<const N: usize> Ranked<N> {
        #[inline(always)]
        pub fn load(ranks: &[[u8; COLUMNS]; N]) -> Ranked<N> {
            Ranked {
                // SAFETY: a vector is 16 bytes.
                ranks: core::array::from_fn(|k| unsafe { v128_load(ranks[k].as_ptr().cast()) }),
                columns: unseen(u8x16_splat(COLUMNS as u8)),
            }
        }

        #[inline(always)]
        fn above(self, asked: v128, ranks: v128) -> usize {
            let (mut x, mut place) = (i8x16_swizzle(self.ranks[0], asked), asked);
            // Written out: LLVM makes a loop of a loop.
            macro_rules! each {
                ($($k:literal)*) => {
                    $(if $k < N {
                        // A place that is not in the vector gives 0.
                        place = i8x16_sub(place, self.columns);
                        x = v128_or(x, i8x16_swizzle(self.ranks[$k % N], place));
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

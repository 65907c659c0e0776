//! Single rows through deep trees of f32, a line of the cache at a time.
//!
//! A tree is cut into groups of up to eight splits, as in `groups`: a record holds what they ask, the thresholds and where
//! each exit leads, in a line, or half a line for up to three splits. The eight splits are decided together, and a walk
//! of 15 splits fetches four or five lines. What is most of such a row is fetching them: all trees take a step before
//! any takes the next, and those that have arrived are dropped without a branch in which.

use super::Call;
use super::forest::{Forest, Layout, Place, Sum};
use super::groups::{self, Cut, EXITS, Node, SPLITS, Shapes, outline};
use super::walk::{column_of, largest, value};

/// The 32-bit words of a unit: half a line. A group of up to `FEW` splits takes one, else two.
const UNIT: usize = 8;
const FEW: usize = 3;

/// Words of a record: the code, as in `groups`; a byte for each split, the column that it asks; from here on the thresholds.
const ASKED: usize = 1;
const THRESHOLDS: usize = 3;

/// Where its exits stand in bytes, a number of 16 bits each: below the tree's units one of them, else a leaf.
fn exits_of(splits: usize) -> usize {
    4 * (THRESHOLDS + if splits > FEW { SPLITS } else { FEW })
}

/// Columns that a byte tells apart, with one that is NaN.
pub const COLUMNS: usize = 255;

/// Up to so many leaf rows an exit names one; else it names a leaf of the tree.
const ROWS: usize = 1 << 15;

/// A tree's first unit, and how many it has.
#[derive(Clone, Copy)]
#[repr(C)]
struct Tree {
    place: u32,
    units: u32,
}

pub struct Tables {
    ready: Place,
    exits: Place,
    trees: Place,
    units: Place,
    values: Place,
    x: Place,
    /// Of a row the place and number of each tree whose walk goes on, and the leaf of each other.
    open: Place,
    reached: Place,
    /// Of the largest tree.
    nodes: Place,
    waiting: Place,
}

/// Most units of a tree. A group of fewer than eight splits has no other below it, so that of n groups of eight no more
/// than 8 n + 1 others hang: at worst, where these are of one split, five units for eight splits. The last unit may
/// be half a line's.
fn units(splits: u32) -> u64 {
    u64::from(splits) * 5 / 8 + 4
}

impl Tables {
    pub fn new(forest: &Forest, layout: &mut Layout, outputs: usize) -> Tables {
        let trees = forest.sizes.len() as u64;
        let width = if forest.vector() { outputs as u64 } else { 1 };
        let all: u64 = forest.sizes.iter().map(|&size| units(size)).sum();
        let largest = u64::from(largest(forest));
        Tables {
            ready: layout.take::<u32>(1),
            exits: layout.take::<u8>(EXITS),
            trees: layout.take::<Tree>(trees),
            // A step reads all thresholds that there may be.
            units: layout.take::<[u32; UNIT]>(all + 2),
            values: layout.take::<f64>((forest.rows as u64).saturating_mul(width)),
            x: layout.take::<f32>(forest.columns.len() as u64 + 1),
            open: layout.take::<[u32; 2]>(trees),
            reached: layout.take::<u32>(trees),
            nodes: layout.take::<Node>(2 * largest + 1),
            waiting: layout.take::<Waiting>(largest + 1),
        }
    }

    #[inline(never)]
    fn build(&self, call: &Call, forest: &Forest) {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (exits, trees, all, values, x, nodes, waiting) = unsafe {
            (
                self.exits.of::<u8>(call),
                self.trees.of::<Tree>(call),
                self.units.of::<[u32; UNIT]>(call),
                self.values.of::<f64>(call),
                self.x.of::<f32>(call),
                self.nodes.of::<Node>(call),
                self.waiting.of::<Waiting>(call),
            )
        };
        values.iter_mut().enumerate().for_each(|(place, value)| *value = forest.value(place));
        x.fill(f32::NAN);
        let origin = groups::origin(call);
        let mut shapes = Shapes::new(exits, origin + self.exits.start(), |splits, exit| exits_of(splits) + 2 * exit);
        let (mut first_unit, mut first_node, mut first_split, mut first_leaf) = (0, 0, 0, 0);
        for (tree, &size) in trees.iter_mut().zip(forest.sizes) {
            let Some(words) = all.get_mut(first_unit..) else { return };
            let place = (origin + self.units.start() + first_unit * 4 * UNIT) as u32;
            let first = (first_node, first_split, first_leaf);
            let units = cut(forest, first, size as usize, (nodes, waiting), words.as_flattened_mut(), &mut shapes);
            *tree = Tree { place, units: units as u32 };
            first_unit += units;
            first_node += 2 * size as usize + 1;
            first_split += size as usize;
            first_leaf += size as usize + 1;
        }
    }

    /// Predicts the rows of the call, one by one.
    pub fn run(&self, call: &Call, forest: &Forest) {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (ready, trees, values, x, open, reached) = unsafe {
            (
                self.ready.of::<u32>(call),
                self.trees.of::<Tree>(call),
                self.values.of::<f64>(call),
                self.x.of::<f32>(call),
                self.open.of::<[u32; 2]>(call),
                self.reached.of::<u32>(call),
            )
        };
        if *ready == [0] {
            self.build(call, forest);
            ready.fill(1);
        }
        call.start(forest.base);
        for row in 0..call.rows {
            for (x, &column) in x.iter_mut().zip(forest.columns) {
                let Some(value) = value(call, forest, column, row) else { return };
                *x = value;
            }
            for ((open, tree), number) in open.iter_mut().zip(&*trees).zip(0..) {
                *open = [tree.place, number];
            }
            // SAFETY: the tables are what `build` made of a checked forest.
            let touched = unsafe { walk(call, trees, x, open, reached) };
            // Any number but 0; kept, for else nothing would be touched.
            ready.fill(touched | 1);
            let sum = if forest.narrow() { sum::<f32> } else { sum::<f64> };
            sum(call, forest, reached, values, row);
        }
        call.divide(forest.divide);
    }
}

/// Writes the records of the tree whose nodes, splits and leaves begin at `first`; how many units they take. (A function
/// that is called often is soon optimized by the engine, which a long loop is not.)
#[inline(never)]
fn cut(
    forest: &Forest,
    (first_node, first_split, first_leaf): (usize, usize, usize),
    size: usize,
    (nodes, waiting): (&mut [Node], &mut [Waiting]),
    words: &mut [u32],
    shapes: &mut Shapes<impl Fn(usize, usize) -> usize>,
) -> usize {
    let Some(nodes) = nodes.get_mut(..2 * size + 1) else { return 0 };
    outline(forest, first_node, nodes);
    // The next line, and a half that is free.
    let (mut next, mut half) = (0, None);
    waiting.iter_mut().take(1).for_each(|root| *root = Waiting::default());
    let (mut done, mut known) = (0, 1);
    while done < known {
        let Some(&Waiting { node, exit }) = waiting.get(done) else { break };
        let mut cut = Cut::new(nodes, node);
        let unit = if cut.count > FEW {
            next += 2;
            next - 2
        } else if let Some(unit) = half.take() {
            unit
        } else {
            half = Some(next + 1);
            next += 2;
            next - 2
        };
        if done > 0 {
            set_half(words, exit as usize, unit as u16);
        }
        done += 1;
        let own = unit * UNIT;
        // Who asks the last column asks NaN, and decides as a split that does not hold.
        let mut asked = [forest.columns.len() as u8; SPLITS];
        let mut set = |word: usize, value: u32| {
            words.iter_mut().skip(own + word).take(1).for_each(|word| *word = value);
        };
        let code = cut.arrange(nodes, shapes, |place, split| {
            let split = first_split + split;
            let test = forest.tests.get(split) as usize;
            let number = if forest.shared() { test } else { split };
            asked.iter_mut().skip(place).take(1).for_each(|asked| *asked = column_of(forest, test) as u8);
            set(THRESHOLDS + place, forest.thresholds.get(number) as u32);
        });
        set(0, code);
        let [a, b, c, d, e, f, g, h] = asked;
        set(ASKED, u32::from_le_bytes([a, b, c, d]));
        set(ASKED + 1, u32::from_le_bytes([e, f, g, h]));
        for (number, &exit) in cut.exits.iter().take(cut.count + 1).enumerate() {
            let half = 2 * own + exits_of(cut.count) / 2 + number;
            let Some(child) = nodes.get(exit as usize) else { return next };
            if child.left > 0 {
                let into = waiting.iter_mut().skip(known).take(1);
                into.for_each(|waiting| *waiting = Waiting { node: exit, exit: half as u32 });
                known += 1;
            } else {
                let leaf = child.number as usize;
                let number = if forest.rows <= ROWS { forest.row(first_leaf + leaf) } else { leaf };
                set_half(words, half, LEAF.wrapping_sub(number as u16));
            }
        }
    }
    next
}

/// Takes a row through all trees: `reached` gets the exit at which each is left. What it answers is of no use but that it
/// comes of all records.
///
/// # Safety
/// The tables were built: an exit is a unit at which a group begins, or a leaf; a split asks a column of x. `open` and
/// `reached` have a place for each tree, and `open` each tree's first.
#[inline(never)]
unsafe fn walk(call: &Call, trees: &[Tree], x: &[f32], open: &mut [[u32; 2]], reached: &mut [u32]) -> u32 {
    // SAFETY: by the caller.
    unsafe {
        let (mut count, trees, x, mut touched) = (trees.len(), trees.as_ptr(), x.as_ptr(), 0);
        let (open, reached) = (open.as_mut_ptr(), reached.as_mut_ptr());
        while count > 0 {
            let (mut from, end, mut left) = (open.cast_const(), open.add(count).cast_const(), open);
            // Fetched ahead: a step is 65 instructions, so that a processor sees four of them at a time, and of these loads tens.
            while from != end {
                touched ^= *groups::at::<u32>(call, (*from)[0]);
                from = from.add(1);
            }
            from = open.cast_const();
            while from != end {
                let [place, number] = *from;
                let record = groups::at::<u32>(call, place);
                let decided = decide(x, record.add(ASKED).cast(), record.add(THRESHOLDS).cast());
                let exit = *groups::at::<u8>(call, *record ^ decided);
                let next = u32::from(*record.byte_add(exit as usize).cast::<u16>());
                let tree = *trees.add(number as usize);
                *reached.add(number as usize) = next;
                *left = [tree.place + next * (4 * UNIT as u32), number];
                left = left.add(usize::from(next < tree.units));
                from = from.add(1);
            }
            count = left.offset_from_unsigned(open);
        }
        touched
    }
}

/// Adds the values of the leaves that a row reached, in the order of the trees, output by output: a sum stays in a register
/// as long.
#[inline(never)]
fn sum<S: Sum>(call: &Call, forest: &Forest, reached: &mut [u32], values: &[f64], row: usize) {
    let mut leaf = 0;
    for (exit, &size) in reached.iter_mut().zip(forest.sizes) {
        let number = usize::from(LEAF.wrapping_sub(*exit as u16));
        *exit = if forest.rows <= ROWS { number } else { forest.row(leaf + number) } as u32;
        leaf += size as usize + 1;
    }
    // SAFETY: every leaf has a row of values; `check` saw the targets.
    unsafe {
        let values = values.as_ptr();
        if forest.vector() {
            for (number, output) in call.outputs().enumerate() {
                let into = output.get_unchecked_mut(row);
                let mut sum = S::from_f64(*into);
                for &from in &*reached {
                    sum = sum.plus(S::from_f64(*values.add(from as usize * call.outputs + number)));
                }
                *into = sum.to_f64();
            }
        } else {
            let mut trees = reached.iter().zip(forest.targets).peekable();
            while let Some(&(_, &target)) = trees.peek() {
                let into = call.output(target as usize).get_unchecked_mut(row);
                let mut sum = S::from_f64(*into);
                while let Some((&from, _)) = trees.next_if(|&(_, &next)| next == target) {
                    sum = sum.plus(S::from_f64(*values.add(from as usize)));
                }
                *into = sum.to_f64();
            }
        }
    }
}

/// Leaves are counted down from here: a tree has fewer units than numbers remain.
const LEAF: u16 = u16::MAX;

/// A group to come, and where its unit's number goes: which half of a word.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Waiting {
    exit: u32,
    node: u16,
}

fn set_half(words: &mut [u32], half: usize, value: u16) {
    if let Some(word) = words.get_mut(half / 2) {
        let shift = half % 2 * 16;
        *word = *word & !(0xffff << shift) | u32::from(value) << shift;
    }
}

/// What eight splits decide, a bit each.
///
/// # Safety
/// `asked` points to eight columns of x, `thresholds` to eight numbers.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
unsafe fn decide(x: *const f32, asked: *const u8, thresholds: *const f32) -> u32 {
    use core::arch::wasm32::*;
    // SAFETY: by the caller.
    unsafe {
        let one = |split: usize| v128_load32_zero(x.add(*asked.add(split) as usize).cast());
        let two = |split: usize| i32x4_shuffle::<0, 4, 1, 5>(one(split), one(split + 1));
        let four = |split: usize| {
            let x = i64x2_shuffle::<0, 2>(two(split), two(split + 2));
            u32::from(i32x4_bitmask(f32x4_gt(x, v128_load(thresholds.add(split).cast()))))
        };
        four(0) | four(4) << 4
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
unsafe fn decide(x: *const f32, asked: *const u8, thresholds: *const f32) -> u32 {
    // SAFETY: as above.
    let each = |split: usize| unsafe { *x.add(*asked.add(split) as usize) > thresholds.add(split).read_unaligned() };
    (0..SPLITS).map(|split| u32::from(each(split)) << split).sum()
}

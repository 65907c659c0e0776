//! Trees of any depth, eight walks in flight, of eight rows through one tree, so that their loads overlap. A walk is a
//! step of the same few instructions until all eight stand at leaves, without a branch in between: siblings are adjacent,
//! a split goes to `left + (x > threshold)`, a leaf goes to itself because it asks a column that is NaN.
//!
//! A single row goes through all trees in rounds. Nodes of three levels stand together, in a line or two of the cache:
//! most of a walk's time is fetching them.
//!
//! Many rows go through a tree together, all as deep as most leaves are at least, then in passes of a few steps over those
//! that have not arrived: eight rows would else wait for the deepest of them (in a random forest of unlimited depth 22
//! steps where a leaf is 15 deep). A tree's nodes are fetched once for them all.

use super::forest::{Column, Forest, Layout, Place, Sum};
use super::sets::Sets;
use super::trees::Number;
use super::{Call, Shape, compact, rows, rows_mut};
use crate::image::BLOCK_OF_WALKS;

/// Walks in flight.
pub const FLIGHT: usize = 8;

/// Steps before the first look at who has arrived, in trees that are deeper than `SHALLOW`; and from one look to the
/// next.
const TOGETHER: u32 = 9;
const STEPS: u32 = 3;
const SHALLOW: u32 = 12;

/// Groups that go through a tree before the next do: in the nearest cache their x stays from pass to pass, and further off the
/// tree's nodes from one part of the rows to the next.
const PART: usize = 64;

/// A row on its way through a tree.
#[derive(Clone, Copy)]
#[repr(C)]
struct Walker<T: Number> {
    x: *const T,
    at: *const Node<T>,
}

/// 8 bytes in f32, 16 in f64. The bits of a leaf's `test` are its row of the leaf table.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Node<T: Number> {
    test: T,
    /// How far the left child is; 0 at a leaf.
    left: T::Index,
    column: T::Index,
}

/// Where the tables of the walk are.
pub struct Tables {
    ready: Place,
    nodes: Place,
    /// Each tree's first node and its depth.
    trees: Place,
    /// The leaf rows in the width of the sums.
    values: Place,
    /// x of each group of 8 rows, column by column; one more column is NaN, and the last one is for the leaf's `test`. One
    /// group is more than there are rows.
    x: Place,
    walkers: Place,
    /// Of a single row, the node and number of each tree whose walk goes on, and where each came to.
    open: Place,
    reached: Place,
    /// What `arrange` lists, for the largest tree.
    order: Place,
}

impl Tables {
    /// For blocks of so many rows, trees of at most so many splits.
    pub fn new<T: Number>(
        forest: &Forest,
        layout: &mut Layout,
        outputs: usize,
        rows: usize,
        most_splits: u32,
    ) -> Tables {
        let columns = forest.columns.len() as u64 + 2;
        let values = forest.rows as u64 * if forest.vector() { outputs as u64 } else { 1 };
        Tables {
            ready: layout.take::<u32>(1),
            nodes: layout.take::<Node<T>>(forest.nodes() as u64),
            trees: layout.take::<[u32; 2]>(forest.sizes.len() as u64),
            values: layout.take::<f64>(values),
            x: layout.take::<T>(columns * (rows.next_multiple_of(FLIGHT) + FLIGHT) as u64),
            // Where addresses are 32 bits half of it.
            walkers: layout.take::<[u64; 2]>((rows + 2 * FLIGHT) as u64),
            open: layout.take::<[u32; 2]>(forest.sizes.len() as u64),
            reached: layout.take::<u32>(forest.sizes.len() as u64),
            order: layout.take::<[u32; 4]>(most_splits.into()),
        }
    }
}

/// Splits of the largest tree.
pub fn largest(forest: &Forest) -> u32 {
    forest.sizes.iter().fold(0, |most, &size| if size > most { size } else { most })
}

pub fn check<T: Number>(shape: &Shape) -> Option<usize> {
    let forest = Forest::read::<T>(&mut shape.args(), shape.outputs).filter(|_| shape.block <= BLOCK_OF_WALKS)?;
    forest.check::<T>(shape)?;
    let mut layout = Layout::default();
    compact::Tables::new::<T>(&forest, &mut layout);
    Tables::new::<T>(&forest, &mut layout, shape.outputs, BLOCK_OF_WALKS, largest(&forest));
    check_limits::<T>(&forest)?;
    layout.announce(shape)?;
    Some(0)
}

/// Numbers of nodes and columns must fit a node.
pub fn check_limits<T: Number>(forest: &Forest) -> Option<()> {
    let fits = forest.columns.len() < T::MOST && forest.sizes.iter().all(|&size| 2 * (size as usize) < T::MOST);
    fits.then_some(())
}

pub fn kernel<T: Number>(call: &Call) {
    let Some(forest) = Forest::read::<T>(&mut call.args(), call.outputs) else { return };
    let mut layout = Layout::default();
    if compact::Tables::new::<T>(&forest, &mut layout).predict::<T, false>(call, &forest, &Sets::NONE) {
        return;
    }
    let tables = Tables::new::<T>(&forest, &mut layout, call.outputs, BLOCK_OF_WALKS, largest(&forest));
    run::<T>(call, &forest, &tables);
}

/// Predicts the block.
#[inline(always)]
pub fn run<T: Number>(call: &Call, forest: &Forest, tables: &Tables) {
    let Some(Ready { nodes, trees, values, x }) = prepare::<T>(call, forest, tables) else { return };
    // SAFETY: laid out as in the validator: a place of `walkers` holds a `Walker`, whose zeros are null pointers; x has
    // a group more than there are rows, the nodes are what `build` made of a checked forest.
    unsafe {
        if call.rows < FLIGHT {
            single(call, forest, (nodes, trees, values), x, tables.open.of(call), tables.reached.of(call));
        } else {
            let walkers = tables.walkers.of::<[u64; 2]>(call).as_mut_ptr().cast();
            passes(call, forest, nodes, trees, values, x, walkers);
        }
    }
    call.divide(forest.divide);
}

/// Reads a column's rows from `first` on in the ensemble's width; whether all are finite.
#[inline(never)]
pub fn read<T: Number>(call: &Call, column: Column, first: usize, x: &mut [T]) -> bool {
    match call.narrow_input(column.input()) {
        Some(rows) => T::read_narrow(rows.get(first..).unwrap_or(&[]), x),
        None => T::read(call.input(column.input()).get(first..).unwrap_or(&[]), x),
    }
}

/// `read`, as they are compared; false where a value is refused.
#[inline(never)]
pub fn load<T: Number>(call: &Call, forest: &Forest, column: Column, first: usize, x: &mut [T]) -> bool {
    if read(call, column, first, x) && column.is_plain() {
        return true;
    }
    for (row, x) in x.iter_mut().enumerate().take(call.rows.saturating_sub(first)) {
        let Some(admitted) = column.admit(forest.flags, *x) else {
            call.refuse(first + row);
            return false;
        };
        *x = admitted;
    }
    true
}

/// One row's value of a column in the ensemble's width, as it is compared; None where it is refused.
#[inline(always)]
pub fn value<T: Number>(call: &Call, forest: &Forest, column: Column, row: usize) -> Option<T> {
    let x = match call.narrow_input(column.input()) {
        Some(rows) => rows.get(row).map(|&x| f64::from(x)),
        None => call.input(column.input()).get(row).copied(),
    };
    let x = column.admit(forest.flags, T::round(x.unwrap_or(f64::NAN)));
    if x.is_none() {
        call.refuse(row);
    }
    x
}

/// The tables, and in them x of the block.
struct Ready<'a, T: Number> {
    nodes: &'a [Node<T>],
    trees: &'a [[u32; 2]],
    values: &'a [f64],
    x: &'a mut [T],
}

/// The columns of a group of x.
fn width(forest: &Forest) -> usize {
    forest.columns.len() + 2
}

/// None where a value is refused.
fn prepare<'a, T: Number>(call: &'a Call, forest: &Forest, tables: &Tables) -> Option<Ready<'a, T>> {
    // SAFETY: the tables are laid out as in the validator, each place is viewed once.
    let (ready, nodes, trees, values, x) = unsafe {
        (
            tables.ready.of::<u32>(call),
            tables.nodes.of::<Node<T>>(call),
            tables.trees.of::<[u32; 2]>(call),
            tables.values.of::<f64>(call),
            tables.x.of::<T>(call),
        )
    };
    if let [ready @ 0] = ready {
        // SAFETY: as above.
        build(forest, nodes, trees, values, unsafe { tables.order.of(call) });
        for x in rows_mut(x, width(forest) * FLIGHT) {
            x.iter_mut().skip(forest.columns.len() * FLIGHT).take(FLIGHT).for_each(|nan| *nan = T::NAN);
        }
        *ready = 1;
    }
    for (group, x) in rows_mut(x, width(forest) * FLIGHT).take(call.rows.div_ceil(FLIGHT)).enumerate() {
        for (&column, x) in forest.columns.iter().zip(rows_mut(x, FLIGHT)) {
            if !load(call, forest, column, group * FLIGHT, x) {
                return None;
            }
        }
    }
    call.start(forest.base);
    Some(Ready { nodes, trees, values, x })
}

pub fn walk<T: Number>(call: &Call, forest: &Forest, tables: &Tables) {
    let Some(Ready { nodes, trees, values, x }) = prepare::<T>(call, forest, tables) else { return };
    // SAFETY: x has the columns for each row of a block; the nodes are what `build` made of a checked forest.
    unsafe {
        if call.rows < FLIGHT {
            single(call, forest, (nodes, trees, values), x, tables.open.of(call), tables.reached.of(call));
        } else {
            block(call, forest, nodes, trees, values, x);
        }
    }
    call.divide(forest.divide);
}

fn build<T: Number>(
    forest: &Forest,
    nodes: &mut [Node<T>],
    trees: &mut [[u32; 2]],
    values: &mut [f64],
    order: &mut [[u32; 4]],
) {
    for (place, value) in values.iter_mut().enumerate() {
        *value = forest.value(place);
    }
    let (mut first, mut leaf, mut split) = (0usize, 0usize, 0usize);
    for (tree, &size) in trees.iter_mut().zip(forest.sizes) {
        let count = 2 * size as usize + 1;
        let Some(nodes) = nodes.get_mut(first..first + count) else { return };
        arrange(forest, first, order);
        let mut inner = 0usize;
        // The last node of the level, and how many levels there were: breadth first, levels follow each other.
        let (mut level_end, mut next_end, mut depth) = (0usize, 0usize, 0u32);
        for at in 0..count {
            let children = |split: usize| order.get(split).map_or(0, |order| order[CHILDREN] as usize);
            let own = if at == 0 { 0 } else { children((at - 1) / 2) + (at - 1) % 2 };
            let Some(node) = nodes.get_mut(own) else { return };
            if forest.is_split(first + at) {
                let test = forest.tests.get(split) as usize;
                let threshold = if forest.shared() { test } else { split };
                *node = Node {
                    test: T::from_bits(forest.thresholds.get(threshold)),
                    left: T::index(children(inner).wrapping_sub(own)),
                    column: T::index(column_of(forest, test) as usize),
                };
                next_end = 2 * inner + 2;
                inner += 1;
                split += 1;
            } else {
                *node = Node {
                    test: T::from_bits(forest.row(leaf) as u64),
                    left: T::index(0),
                    column: T::index(forest.columns.len()),
                };
                leaf += 1;
            }
            if at == level_end && next_end > level_end {
                level_end = next_end;
                depth += 1;
            }
        }
        *tree = [first as u32, depth];
        first += count;
    }
}

/// Lists beside each other in `order`: by split where its children go; those of a node's children that are splits, or
/// `NONE`; splits that wait.
const CHILDREN: usize = 0;
const LEFT: usize = 1;
const WAITING: usize = 3;
const NONE: u32 = u32::MAX;

/// Says where in the tree, whose nodes begin at `first`, each split's children stand: three levels together, about two
/// lines of a cache, and behind them what is below. A walk fetches a line or two for three steps then; breadth first it
/// were three. Children stand behind their parent.
fn arrange(forest: &Forest, first: usize, order: &mut [[u32; 4]]) {
    let mut set = |split: u32, list: usize, value: u32| {
        order.iter_mut().skip(split as usize).take(1).for_each(|order| order[list] = value);
    };
    if !forest.is_split(first) {
        return;
    }
    // Breadth first, so that a split's children were announced when it is counted.
    let (mut known, mut split) = (1, 0);
    while split < known {
        for side in 0..2 {
            let is_split = forest.is_split(first + 2 * split as usize + 1 + side);
            set(split, LEFT + side, if is_split { known } else { NONE });
            known += u32::from(is_split);
        }
        split += 1;
    }
    let (mut next, mut waiting) = (1, 1);
    set(0, WAITING, 0);
    while waiting > 0 {
        waiting -= 1;
        let mut group = [NONE; 7];
        group[0] = order.get(waiting).map_or(NONE, |order| order[WAITING]);
        for place in 0..7 {
            let own = group[place];
            let Some(&[_, left, right, _]) = order.get(own as usize) else { continue };
            order.iter_mut().skip(own as usize).take(1).for_each(|order| order[CHILDREN] = next);
            next += 2;
            for (child, to) in [left, right].into_iter().zip(2 * place + 1..) {
                if let Some(to) = group.get_mut(to) {
                    *to = child;
                } else if child != NONE {
                    order.iter_mut().skip(waiting).take(1).for_each(|order| order[WAITING] = child);
                    waiting += 1;
                }
            }
        }
    }
}

/// The column that a split's test asks: that of a shared threshold, or the test is the column.
pub fn column_of(forest: &Forest, mut test: usize) -> u32 {
    if !forest.shared() {
        return test as u32;
    }
    for (column, &count) in forest.counts.iter().enumerate() {
        if test < count as usize {
            return column as u32;
        }
        test -= count as usize;
    }
    0
}

/// Walks from eight nodes until all stand at leaves, at most `depth` steps and a few more: which rows of the leaf table
/// they reach. Walk k is for x of row k.
///
/// # Safety
/// Each of `at` points to the first node of a tree that `build` made; `x` to its columns, of eight rows each.
#[inline(always)]
unsafe fn descend<T: Number>(mut at: [*const Node<T>; FLIGHT], x: *const T, mut depth: u32) -> [usize; FLIGHT] {
    // SAFETY: a node's column is among those of x, its left child and what follows it are in the tree.
    unsafe {
        macro_rules! step {
            ($($k:literal)*) => {
                $(
                    let node = &*at[$k];
                    let value = *x.add(T::at(node.column) * FLIGHT + $k);
                    at[$k] = at[$k].add(T::at(node.left) + usize::from(value > node.test));
                )*
            };
        }
        while depth > 2 {
            step!(0 1 2 3 4 5 6 7);
            step!(0 1 2 3 4 5 6 7);
            step!(0 1 2 3 4 5 6 7);
            depth -= 3;
            macro_rules! left {
                ($($k:literal)*) => { 0 $(| T::at((*at[$k]).left))* };
            }
            if left!(0 1 2 3 4 5 6 7) == 0 {
                break;
            }
        }
        while !depth.is_multiple_of(3) {
            step!(0 1 2 3 4 5 6 7);
            depth -= 1;
        }
        macro_rules! rows {
            ($($k:literal)*) => { [$((*at[$k]).test.to_bits() as usize),*] };
        }
        rows!(0 1 2 3 4 5 6 7)
    }
}

/// One tree after another through eight rows at a time.
///
/// # Safety
/// As `walk` says.
unsafe fn block<T: Number>(
    call: &Call,
    forest: &Forest,
    nodes: &[Node<T>],
    trees: &[[u32; 2]],
    values: &[f64],
    x: &[T],
) {
    for (tree, &[first, depth]) in trees.iter().enumerate() {
        for (group, x) in rows(x, width(forest) * FLIGHT).take(call.rows.div_ceil(FLIGHT)).enumerate() {
            // SAFETY: by the caller.
            let leaves = unsafe { descend::<T>([nodes.as_ptr().add(first as usize); FLIGHT], x.as_ptr(), depth) };
            let from = group * FLIGHT;
            if forest.vector() {
                for (number, output) in call.outputs().enumerate() {
                    for (sum, &leaf) in output.iter_mut().skip(from).zip(&leaves) {
                        // SAFETY: `check` saw that every leaf row is in the table.
                        add(forest, sum, unsafe { *values.get_unchecked(leaf * call.outputs + number) });
                    }
                }
            } else if let Some(&target) = forest.targets.get(tree) {
                for (sum, &leaf) in call.output(target as usize).iter_mut().skip(from).zip(&leaves) {
                    // SAFETY: as above.
                    add(forest, sum, unsafe { *values.get_unchecked(leaf) });
                }
            }
        }
    }
}

/// All rows through one tree after another.
///
/// # Safety
/// As `walk` says, x has another group behind that of the last row, and `walkers` room for 8 more than there are rows
/// of groups.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn passes<T: Number>(
    call: &Call,
    forest: &Forest,
    nodes: &[Node<T>],
    trees: &[[u32; 2]],
    values: &[f64],
    x: &mut [T],
    walkers: *mut Walker<T>,
) {
    let (groups, width) = (call.rows.div_ceil(FLIGHT), width(forest));
    let leaf_cell = (width - 1) * FLIGHT;
    let x = x.as_mut_ptr();
    // SAFETY: a node's column is among those of x, its left child and what follows it are in the tree; a tree's last
    // node is a leaf. Of the walkers that did not arrive no more are kept than were read.
    unsafe {
        let spare = x.add(groups * width * FLIGHT);
        for (tree, (&[first, depth], &size)) in trees.iter().zip(forest.sizes).enumerate() {
            let root = nodes.as_ptr().add(first as usize);
            let standing = Walker { x: spare.cast_const(), at: root.add(2 * size as usize) };
            macro_rules! step {
                ($xs:ident, $at:ident, $($k:literal)*) => {
                    $(
                        let node = &*$at[$k];
                        let value = *$xs[$k].add(T::at(node.column) * FLIGHT);
                        $at[$k] = $at[$k].add(T::at(node.left) + usize::from(value > node.test));
                    )*
                };
            }
            // Keeps the walkers that did not arrive; `test` of a leaf is its row, of those underway it does not matter.
            macro_rules! arrive {
                ($xs:ident, $at:ident, $count:ident, $($k:literal)*) => {
                    $(
                        *walkers.add($count) = Walker { x: $xs[$k], at: $at[$k] };
                        *$xs[$k].cast_mut().add(leaf_cell) = (*$at[$k]).test;
                        $count += usize::from(T::at((*$at[$k]).left) != 0);
                    )*
                };
            }
            let (mut start, mut group) = (0, x.cast_const());
            while start < groups {
                let end = if groups - start < PART { groups } else { start + PART };
                let mut count = 0;
                for _ in start..end {
                    let mut at = [root; FLIGHT];
                    let xs = [
                        group,
                        group.add(1),
                        group.add(2),
                        group.add(3),
                        group.add(4),
                        group.add(5),
                        group.add(6),
                        group.add(7),
                    ];
                    let mut left = if depth > SHALLOW { TOGETHER } else { depth };
                    while left >= STEPS {
                        step!(xs, at, 0 1 2 3 4 5 6 7);
                        step!(xs, at, 0 1 2 3 4 5 6 7);
                        step!(xs, at, 0 1 2 3 4 5 6 7);
                        left -= STEPS;
                    }
                    while left > 0 {
                        step!(xs, at, 0 1 2 3 4 5 6 7);
                        left -= 1;
                    }
                    arrive!(xs, at, count, 0 1 2 3 4 5 6 7);
                    group = group.add(width * FLIGHT);
                }
                while count > 0 {
                    for place in count..count.next_multiple_of(FLIGHT) {
                        *walkers.add(place) = standing;
                    }
                    let (mut from, last) = (0, count);
                    count = 0;
                    while from < last {
                        let now = walkers.add(from);
                        macro_rules! each {
                            ($part:ident, $($k:literal)*) => { [$((*now.add($k)).$part),*] };
                        }
                        let (xs, mut at) = (each!(x, 0 1 2 3 4 5 6 7), each!(at, 0 1 2 3 4 5 6 7));
                        step!(xs, at, 0 1 2 3 4 5 6 7);
                        step!(xs, at, 0 1 2 3 4 5 6 7);
                        step!(xs, at, 0 1 2 3 4 5 6 7);
                        arrive!(xs, at, count, 0 1 2 3 4 5 6 7);
                        from += FLIGHT;
                    }
                }
                start = end;
            }
            collect(call, forest, tree, x.cast_const().add(leaf_cell), width * FLIGHT, values.as_ptr());
        }
    }
}

/// Adds to each row's sums the values of its leaf in a tree. The bits of `leaves` are their numbers, of eight rows together, and
/// of the next eight so many places further.
///
/// # Safety
/// There is a leaf for each row of the call, and a row of `values` for each leaf.
pub unsafe fn collect<T: Number>(
    call: &Call,
    forest: &Forest,
    tree: usize,
    leaves: *const T,
    apart: usize,
    values: *const f64,
) {
    let (outputs, first) = match forest.targets.get(tree) {
        Some(&target) => (1, target as usize),
        None => (call.outputs, 0),
    };
    for number in 0..outputs {
        let sums = call.output(first + number);
        // SAFETY: by the caller.
        unsafe {
            // Not a pointer to one of the two: a function that is pointed to is linked into packages that never call it.
            if forest.narrow() {
                add_values::<T, f32>(sums, leaves, apart, values.add(number), outputs);
            } else {
                add_values::<T, f64>(sums, leaves, apart, values.add(number), outputs);
            }
        }
    }
}

/// `collect` of one output.
///
/// # Safety
/// Groups of leaves are `apart`; for each that has a row, `values` has one at its number × `outputs`.
unsafe fn add_values<T: Number, S: Sum>(
    sums: &mut [f64],
    mut leaves: *const T,
    apart: usize,
    values: *const f64,
    outputs: usize,
) {
    // SAFETY: by the caller.
    unsafe {
        let add = |sum: &mut f64, leaf: *const T| {
            let value = *values.add((*leaf).to_bits() as usize * outputs);
            *sum = S::from_f64(*sum).plus(S::from_f64(value)).to_f64();
        };
        let (groups, rest) = sums.as_chunks_mut::<FLIGHT>();
        for sums in groups {
            macro_rules! each {
                ($($k:literal)*) => { $(add(&mut sums[$k], leaves.add($k));)* };
            }
            each!(0 1 2 3 4 5 6 7);
            leaves = leaves.add(apart);
        }
        for (k, sum) in rest.iter_mut().enumerate() {
            add(sum, leaves.add(k));
        }
    }
}

/// All trees at once for one row after another: a round takes each open walk three steps further and drops those that
/// have arrived, without a branch in which of them, so that the loads of many trees overlap.
///
/// # Safety
/// As `walk` says; `open` and `reached` have a place for each tree.
#[inline(never)]
unsafe fn single<T: Number>(
    call: &Call,
    forest: &Forest,
    (nodes, trees, values): (&[Node<T>], &[[u32; 2]], &[f64]),
    x: &[T],
    open: &mut [[u32; 2]],
    reached: &mut [u32],
) {
    // Few leaves are above these levels: all trees go so far without a look at who has arrived.
    let splits = forest.splits.checked_div(trees.len()).unwrap_or(0);
    let together = (splits + 1).checked_ilog2().unwrap_or(0) / STEPS;
    for row in 0..call.rows {
        for (at, &[first, _]) in reached.iter_mut().zip(trees) {
            *at = first;
        }
        // SAFETY: by the caller; a node's column is among those of x, its left child and what follows it are in the
        // tree.
        unsafe {
            let (nodes, x) = (nodes.as_ptr(), x.as_ptr().add(row));
            macro_rules! step {
                ($at:ident, $($_:literal)*) => {
                    $(
                        let _ = $_;
                        let node = &*nodes.add($at);
                        let value = *x.add(T::at(node.column) * FLIGHT);
                        $at += T::at(node.left) + usize::from(value > node.test);
                    )*
                };
            }
            for _ in 0..together {
                for reached in &mut *reached {
                    let mut at = *reached as usize;
                    step!(at, 1 2 3);
                    *reached = at as u32;
                }
            }
            for ((number, open), &at) in (0..).zip(&mut *open).zip(&*reached) {
                *open = [at, number];
            }
            let (open, reached) = (open.as_mut_ptr(), reached.as_mut_ptr());
            let mut count = trees.len();
            while count > 0 {
                let mut left = 0;
                for place in 0..count {
                    let [at, number] = *open.add(place);
                    let mut at = at as usize;
                    step!(at, 1 2 3);
                    *reached.add(number as usize) = at as u32;
                    *open.add(left) = [at as u32, number];
                    left += usize::from(T::at((*nodes.add(at)).left) > 0);
                }
                count = left;
            }
        }
        // SAFETY: `check` saw that every leaf row is in the table and every target an output.
        unsafe {
            let leaf = |at: u32| nodes.get_unchecked(at as usize).test.to_bits() as usize;
            if forest.vector() {
                for (number, output) in call.outputs().enumerate() {
                    let mut sum = *output.get_unchecked(row);
                    for &at in &*reached {
                        add(forest, &mut sum, *values.get_unchecked(leaf(at) * call.outputs + number));
                    }
                    *output.get_unchecked_mut(row) = sum;
                }
            } else {
                for (&target, &at) in forest.targets.iter().zip(&*reached) {
                    let sum = call.output(target as usize).get_unchecked_mut(row);
                    add(forest, sum, *values.get_unchecked(leaf(at)));
                }
            }
        }
    }
}

#[inline(always)]
pub fn add(forest: &Forest, sum: &mut f64, value: f64) {
    *sum = if forest.narrow() { f32::from_f64(*sum).plus(f32::from_f64(value)).to_f64() } else { *sum + value };
}

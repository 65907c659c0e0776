//! Deep trees, many rows at a time: the top levels of every tree by bits, as in `sliced`, and the rest by the passes of
//! `walk`. A step of a walk costs the same at the top as at the bottom, but the splits at the top are few. Single rows of
//! f32 go by `lines`.
//!
//! Trees are filled up to `LEVELS` for that: where a leaf is higher, all numbers below it mean that leaf.

use super::bits::{Bits, LANES, PLANES, ROWS, Wide, spread};
use super::forest::{Forest, Layout, Place};
use super::sets::Sets;
use super::sliced::{BEYOND, Columns, FULL_ROOT, Mask, NODES, Ranks, fill_masks, full};
use super::trees::Number;
use super::walk::{self, Entries, LEVELS, Ready, column_of};
use super::{Call, Shape, compact, lines};
use crate::image::{BLOCK, BLOCK_OF_WALKS};

/// Places of a heap of so many levels, from 1 on, and what is below it.
const HEAP: usize = 1 << LEVELS;

/// Rows from which on the top levels are done by bits.
const MANY: usize = 100;

/// And of f32, where fewer go by lines one by one.
const FEW: usize = 192;

/// A split of the top levels.
#[derive(Clone, Copy)]
#[repr(C)]
struct Item<T> {
    threshold: T,
    column: u32,
    /// Its place among all heaps.
    place: u32,
}

struct Tables {
    ready: Place,
    /// Of these levels: thresholds a column, and each column's map, cells and thresholds.
    counts: Place,
    ranks: Place,
    cells: Place,
    thresholds: Place,
    items: Place,
    masks: Place,
    /// Tree by tree the masks of a heap.
    heaps: Place,
    /// And the nodes below it.
    nodes: Place,
    reach: Place,
    /// Which of these nodes a row comes to: a byte a row, tree by tree.
    entries: Place,
}

/// Splits of the top levels, at most.
fn tops(forest: &Forest) -> u64 {
    let most = forest.sizes.len() as u64 * (HEAP as u64 - 1);
    if most < forest.splits as u64 { most } else { forest.splits as u64 }
}

impl Tables {
    fn new<T: Number>(forest: &Forest, layout: &mut Layout) -> Tables {
        let (trees, columns, tops) = (forest.sizes.len() as u64, forest.columns.len() as u64, tops(forest));
        // A column of n thresholds has fewer than 32 n cells, and at most 8192.
        let most_cells = if columns << 13 < 32 * tops { columns << 13 } else { 32 * tops };
        Tables {
            ready: layout.take::<u32>(1),
            counts: layout.take::<u32>(columns),
            ranks: layout.take::<Ranks<T>>(columns),
            cells: layout.take::<u16>(most_cells),
            thresholds: layout.take::<T>(tops + BEYOND as u64 * columns),
            items: layout.take::<Item<T>>(tops),
            // A place of a heap that is no split has the first mask.
            masks: layout.take::<Wide>(tops + 1),
            heaps: layout.take::<Mask>(trees * HEAP as u64),
            nodes: layout.take::<u32>(trees * HEAP as u64),
            reach: layout.take::<Wide>(NODES as u64),
            entries: layout.take::<[Bits; 8]>(trees * (BLOCK_OF_WALKS / ROWS) as u64),
        }
    }

    fn columns<'a, T: Number>(&self, call: &'a Call) -> Columns<'a, T> {
        // SAFETY: laid out as in the validator; callers have one view at a time.
        unsafe {
            let (counts, maps) = (self.counts.of::<u32>(call), self.ranks.of::<Ranks<T>>(call));
            Columns::new(counts, maps, self.thresholds.of::<T>(call), self.cells.of::<u16>(call))
        }
    }

    /// Makes what does not depend on rows, once.
    fn prepare<T: Number>(&self, call: &Call, forest: &Forest, walks: &Ready<T>) {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (ready, counts, thresholds, items, heaps, nodes) = unsafe {
            (
                self.ready.of::<u32>(call),
                self.counts.of::<u32>(call),
                self.thresholds.of::<T>(call),
                self.items.of::<Item<T>>(call),
                self.heaps.of::<Mask>(call),
                self.nodes.of::<u32>(call),
            )
        };
        if *ready != [0] {
            return;
        }
        ready.fill(1);
        // SAFETY: as above; of the masks only where they are.
        let first = unsafe { self.masks.of::<Wide>(call) }.as_ptr();
        heaps.fill(Mask::new(first, 0));
        walk::below(walks, nodes);
        let found = collect(forest, items);
        let items = items.get_mut(..found).unwrap_or_default();
        sort(items);
        let (mut item, mut masks, mut end) = (items.iter().peekable(), 0, 0);
        for (column, count) in counts.iter_mut().enumerate() {
            let mut last = None;
            while let Some(next) = item.next_if(|item| item.column as usize == column) {
                if last.is_none_or(|last| last < next.threshold) {
                    last = Some(next.threshold);
                    thresholds.iter_mut().skip(end).take(1).for_each(|into| *into = next.threshold);
                    (*count, end) = (*count + 1, end + 1);
                }
                if let Some(mask) = heaps.get_mut(next.place as usize) {
                    *mask = Mask::new(first, (masks + *count - 1) as usize);
                }
            }
            thresholds.iter_mut().skip(end).take(BEYOND).for_each(|into| *into = T::NAN);
            (masks, end) = (masks + *count, end + BEYOND);
        }
        for (map, sorted, cells) in self.columns::<T>(call) {
            *map = Ranks::new(sorted, cells);
        }
    }

    /// The entries of all rows; false where a value is refused.
    fn fill<T: Number>(&self, call: &Call, forest: &Forest) -> bool {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (masks, heaps, reach, entries) = unsafe {
            (
                self.masks.of::<Wide>(call),
                self.heaps.of::<Mask>(call).as_ptr(),
                self.reach.of::<Wide>(call),
                self.entries.of::<[Bits; 8]>(call),
            )
        };
        reach.iter_mut().skip(FULL_ROOT).take(1).for_each(|root| *root = [Bits::words(!0); LANES]);
        let reach = reach.as_mut_ptr().cast::<Bits>();
        let mut first = 0;
        while first < call.rows {
            let rows = if call.rows - first < BLOCK { call.rows - first } else { BLOCK };
            let lanes = rows.div_ceil(ROWS);
            if !fill_masks::<T, false>(call, forest, self.columns(call), &[], (first, lanes), masks) {
                return false;
            }
            for tree in 0..forest.sizes.len() {
                let from = tree * (BLOCK_OF_WALKS / ROWS) + first / ROWS;
                let Some(into) = entries.get_mut(from..from + lanes) else { return false };
                // SAFETY: `prepare` wrote a heap of masks for each tree; `into` has the lanes.
                unsafe {
                    let heap = (heaps.add(tree * HEAP), masks.as_ptr());
                    full(LEVELS, heap, reach, PLANES, lanes);
                    spread(reach, into);
                }
            }
            first += BLOCK;
        }
        true
    }
}

/// Writes the splits of the top levels, in any order; how many.
fn collect<T: Number>(forest: &Forest, items: &mut [Item<T>]) -> usize {
    let (mut first, mut split, mut found) = (0, 0, 0);
    for (tree, &size) in forest.sizes.iter().enumerate() {
        // Breadth first: the nodes of these levels are the first.
        let mut places = [HEAP as u16; 2 * HEAP];
        places[0] = 1;
        let count = 2 * size as usize + 1;
        let mut inner = 0;
        for (node, at) in (0..count).zip(0..2 * HEAP - 1) {
            let place = places.get(at).map_or(HEAP, |&place| place as usize);
            if place < HEAP && forest.is_split(first + node) {
                let test = forest.tests.get(split + inner) as usize;
                let number = if forest.shared() { test } else { split + inner };
                let item = Item {
                    threshold: T::from_bits(forest.thresholds.get(number)),
                    column: if forest.shared() { column_of(forest, test) } else { test as u32 },
                    place: (tree * HEAP + place) as u32,
                };
                items.iter_mut().skip(found).take(1).for_each(|into| *into = item);
                for (child, side) in places.iter_mut().skip(2 * inner + 1).take(2).zip(0..) {
                    *child = 2 * place as u16 + side;
                }
                (inner, found) = (inner + 1, found + 1);
            }
        }
        first += count;
        split += size as usize;
    }
    found
}

/// Heapsort by column, then threshold: core's sorts bring panics with them.
fn sort<T: Number>(items: &mut [Item<T>]) {
    fn below<T: Number>(items: &[Item<T>], a: usize, b: usize) -> bool {
        let (Some(a), Some(b)) = (items.get(a), items.get(b)) else { return false };
        a.column < b.column || a.column == b.column && a.threshold < b.threshold
    }
    fn swap<T: Number>(items: &mut [Item<T>], a: usize, b: usize) {
        if let (Some(&x), Some(&y)) = (items.get(a), items.get(b)) {
            items.iter_mut().skip(a).take(1).for_each(|into| *into = y);
            items.iter_mut().skip(b).take(1).for_each(|into| *into = x);
        }
    }
    let (mut start, mut end) = (items.len() / 2, items.len());
    while end > 1 {
        if start > 0 {
            start -= 1;
        } else {
            end -= 1;
            swap(items, 0, end);
        }
        let mut root = start;
        while 2 * root + 1 < end {
            let mut child = 2 * root + 1;
            if child + 1 < end && below(items, child, child + 1) {
                child += 1;
            }
            if !below(items, root, child) {
                break;
            }
            swap(items, root, child);
            root = child;
        }
    }
}

pub fn check<T: Number>(shape: &Shape) -> Option<usize> {
    let forest = Forest::read::<T>(&mut shape.args(), shape.outputs)?;
    forest.check::<T>(shape)?;
    walk::check_limits::<T>(&forest)?;
    let numbers = (0..forest.thresholds.count()).all(|place| !T::from_bits(forest.thresholds.get(place)).is_nan());
    if by_lines::<T>() && forest.columns.len() > lines::COLUMNS {
        return None;
    }
    // The number of a mask is a u16.
    if !numbers || forest.columns.is_empty() || tops(&forest) > u64::from(u16::MAX) {
        return None;
    }
    let mut layout = Layout::default();
    compact::Tables::new::<T>(&forest, &mut layout);
    walk::Tables::new::<T>(&forest, &mut layout, shape.outputs, BLOCK_OF_WALKS, walk::largest(&forest));
    Tables::new::<T>(&forest, &mut layout);
    if by_lines::<T>() {
        lines::Tables::new(&forest, &mut layout, shape.outputs);
    }
    layout.announce(shape)?;
    Some(0)
}

/// Whether single rows go through trees by lines.
fn by_lines<T>() -> bool {
    size_of::<T>() == size_of::<f32>()
}

pub fn kernel<T: Number>(call: &Call) {
    let Some(forest) = Forest::read::<T>(&mut call.args(), call.outputs) else { return };
    let mut layout = Layout::default();
    if compact::Tables::new::<T>(&forest, &mut layout).predict::<T, false>(call, &forest, &Sets::NONE) {
        return;
    }
    let walked = walk::Tables::new::<T>(&forest, &mut layout, call.outputs, BLOCK_OF_WALKS, walk::largest(&forest));
    let tables = Tables::new::<T>(&forest, &mut layout);
    if by_lines::<T>() && call.rows < FEW {
        return lines::Tables::new(&forest, &mut layout, call.outputs).run(call, &forest);
    }
    let Some(walks) = walk::prepare::<T>(call, &forest, &walked) else { return };
    if !by_lines::<T>() && call.rows < MANY {
        return walk::run::<T, false, true>(call, &forest, &walked, walks, &Entries::NONE);
    }
    tables.prepare::<T>(call, &forest, &walks);
    if tables.fill::<T>(call, &forest) {
        // SAFETY: laid out as in the validator; neither is written any more. `below` wrote nodes of each tree.
        let (rows, nodes) = unsafe { (tables.entries.of::<[Bits; 8]>(call), tables.nodes.of::<u32>(call)) };
        let entries = Entries { rows: rows.as_ptr().cast(), nodes: nodes.as_ptr() };
        walk::run::<T, true, false>(call, &forest, &walked, walks, &entries);
    }
}

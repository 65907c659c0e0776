//! Deep trees, many rows at a time. A walk's steps wait for each other; here nothing does. A tree is cut into pieces of some
//! tens of splits, whose *ends* are leaves or other pieces:
//!
//! 1. Values become ranks: how many of their column's thresholds lie below, two bytes a value.
//! 2. A piece asks all its splits of 32 rows at a time, from the lowest up: where a row is above the threshold the split's end
//!    is that of its right side, else that of its left one. The root's is the row's.
//! 3. Rows are sorted by their ends, so that all that go on in one piece are together there, and their ranks are fetched row by
//!    row, a line or two of the cache each.
//!
//! A row meets more splits so than on its way to the leaf, but 32 rows meet a split in some thirty instructions. The first
//! pieces of all trees come first, for they take the rows as they stand.

use super::bits::ROWS;
use super::forest::{Column, Forest, Layout, Place};
use super::lanes::{self, TILE};
use super::sets::Sets;
use super::sliced::{BEYOND, Columns, Ranks};
use super::trees::Number;
use super::walk::{self, column_of, largest, load};
use super::{Call, Shape, compact, lines};
use crate::image::BLOCK_OF_PIECES;

/// Most ends of a piece: a byte tells them apart.
pub const ENDS: usize = 256;

/// Thresholds that ranks of two bytes count.
pub const MOST: usize = u16::MAX as usize;

/// Columns of a tile, whose bytes are counted by two.
pub const COLUMNS: usize = 1 << 10;

/// The rank that is above every threshold.
const ABOVE: u16 = u16::MAX ^ lanes::SIGN;

/// Columns of a vector of ranks.
const EIGHT: usize = 8;

/// Trees whose first pieces rows go through before the next rows do: these stay in the nearest cache.
const TREES: usize = 16;

/// A split of a piece, in the order in which they are asked. `left` and `right` are places of `places`, in bytes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Item {
    /// Where its column is in a tile, in bytes.
    pub column: u16,
    /// Rows of greater ranks go right; as `lanes::SIGN` has it.
    pub rank: u16,
    pub left: u16,
    pub right: u16,
}

/// What a split asks: its column, and the rank of its threshold there as `lanes::SIGN` has it.
#[derive(Clone, Copy)]
#[repr(C)]
struct Asked {
    column: u16,
    rank: u16,
}

/// An end that is a piece, and its number; others are leaf rows.
const PIECE: u32 = 1 << 31;

/// While a tree is cut, a side that is a leaf, and its number.
const LEAF: u32 = 1 << 31;

/// Where a piece's items begin, and whether all its ends are leaves. Pieces stand in the order of their items, and a piece has an
/// end more than items: those of piece p begin p places further.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Piece(u32);

impl Piece {
    const LAST: u32 = 1 << 31;

    #[inline(always)]
    fn items(self) -> usize {
        (self.0 & !Piece::LAST) as usize
    }

    fn is_last(self) -> bool {
        self.0 & Piece::LAST != 0
    }
}

/// A split while its tree is cut: its sides, and the splits from it on.
type Split = [u32; 3];

struct Tables {
    ready: Place,
    /// As `number_columns` has them; and where the splits end that ask each number, while they are sorted.
    columns: Place,
    buckets: Place,
    /// By ranked column which of the columns it is, how many thresholds it has, and its map, cells and thresholds.
    sources: Place,
    counts: Place,
    ranks: Place,
    cells: Place,
    thresholds: Place,
    /// What each split asks.
    asked: Place,
    /// While a tree is cut, its splits.
    splits: Place,
    /// Before that the splits, to be sorted.
    items: Place,
    /// With one more, where the next would begin.
    pieces: Place,
    /// Before that the splits again.
    ends: Place,
    /// The first piece of each tree, and one more number.
    tops: Place,
    values: Place,
    /// Ranks of the block: tile by tile, of each column after column, and row by row. Of `EIGHT` columns at least.
    tiles: Place,
    by_row: Place,
    /// And of rows that come together in a piece.
    tile: Place,
    /// The ends' numbers, then those that the splits of a piece found: a byte for each row of a tile.
    places: Place,
    /// The end of each row in the first piece of each tree.
    entries: Place,
    /// Row numbers as they stand.
    standing: Place,
    /// A tree's rows, sorted and before, and by place the end of each.
    sorted: Place,
    unsorted: Place,
    found: Place,
    /// Where those begin and end that come to each of its pieces.
    parts: Place,
    /// By row the leaf row.
    leaves: Place,
}

/// Whether two columns differ only where a value is missing: there the second is above every threshold.
fn are_twins(left: Column, right: Column) -> bool {
    left.kind() | Column::NO_ZEROS == Column::LEFT | Column::NO_ZEROS && right.word() == left.word() + Column::RIGHT
}

/// How ranks stand in a tile: those of ranked columns, and behind them at the same distance those of the second ones of twins.
#[derive(Clone, Copy)]
struct Width {
    /// A multiple of `EIGHT`.
    ranked: usize,
    twins: bool,
}

impl Width {
    fn of(forest: &Forest) -> Width {
        let next = forest.columns.iter().skip(1);
        let twins = forest.columns.iter().zip(next).filter(|&(&left, &right)| are_twins(left, right)).count();
        // A column of more thresholds than two bytes count is ranked more than once.
        let ranked = forest.columns.len() - twins + forest.splits / MOST;
        Width { ranked: ranked.next_multiple_of(EIGHT), twins: twins > 0 }
    }

    fn all(self) -> usize {
        if self.twins { 2 * self.ranked } else { self.ranked }
    }
}

/// Numbers twins as one; of each column its number and whether it is the second one.
fn number_columns(forest: &Forest, into: &mut [Asked]) {
    let (mut next, mut last) = (0, None);
    for (&column, into) in forest.columns.iter().zip(into) {
        let twin = last.is_some_and(|last| are_twins(last, column));
        *into = Asked { column: if twin { next - 1 } else { next }, rank: twin.into() };
        next += u16::from(!twin);
        last = Some(column);
    }
}

/// The first column of each number.
fn sources_of(columns: &[Asked]) -> impl Iterator<Item = u16> {
    (0..).zip(columns).filter(|(_, column)| column.rank == 0).map(|(place, _)| place)
}

impl Tables {
    fn new<T: Number>(forest: &Forest, layout: &mut Layout, outputs: usize) -> Tables {
        let (trees, columns, splits) = (forest.sizes.len() as u64, forest.columns.len() as u64, forest.splits as u64);
        let (width, rows) = (Width::of(forest), BLOCK_OF_PIECES as u64);
        let (ranked, width) = (width.ranked as u64, width.all() as u64);
        // A column of n thresholds has fewer than 32 n cells, and at most 8192.
        let most_cells = if ranked << 13 < 32 * splits { ranked << 13 } else { 32 * splits };
        Tables {
            ready: layout.take::<u32>(1),
            columns: layout.take::<Asked>(columns),
            buckets: layout.take::<u32>(columns),
            sources: layout.take::<u16>(ranked),
            counts: layout.take::<u32>(ranked),
            ranks: layout.take::<Ranks<T>>(ranked),
            cells: layout.take::<u16>(most_cells),
            thresholds: layout.take::<T>(splits + BEYOND as u64 * ranked),
            asked: layout.take::<Asked>(splits),
            splits: layout.take::<Split>(largest(forest).into()),
            items: layout.take::<Key<T>>(splits),
            // Each has a split, but for trees without one.
            pieces: layout.take::<Piece>(splits + trees + 1),
            ends: layout.take::<u32>(2 * splits * (size_of::<T>() as u64 / 4) + trees),
            tops: layout.take::<u32>(trees + 1),
            values: layout.take::<f64>(forest.rows as u64 * if forest.vector() { outputs as u64 } else { 1 }),
            tiles: layout.take::<u16>(width * rows),
            by_row: layout.take::<u16>(width * rows),
            tile: layout.take::<[u16; TILE]>(width),
            places: layout.take::<[u8; TILE]>(2 * ENDS as u64),
            entries: layout.take::<u8>(trees * rows),
            standing: layout.take::<u16>(rows),
            // A tile goes on behind the last row.
            sorted: layout.take::<u16>(rows + TILE as u64),
            unsorted: layout.take::<u16>(rows),
            found: layout.take::<u8>(rows + TILE as u64),
            parts: layout.take::<[u16; 2]>(u64::from(largest(forest)) + 1),
            leaves: layout.take::<u32>(rows),
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
    #[inline(never)]
    fn prepare<T: Number<Whole: Into<u64>>>(&self, call: &Call, forest: &Forest) {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (ready, asked, places, values, standing) = unsafe {
            (
                self.ready.of::<u32>(call),
                self.asked.of::<Asked>(call),
                self.places.of::<[u8; TILE]>(call),
                self.values.of::<f64>(call),
                self.standing.of::<u16>(call),
            )
        };
        if *ready != [0] {
            return;
        }
        ready.fill(1);
        for (number, place) in places.iter_mut().take(ENDS).enumerate() {
            *place = [number as u8; TILE];
        }
        standing.iter_mut().zip(0..).for_each(|(place, row)| *place = row);
        for (place, value) in values.iter_mut().enumerate() {
            *value = forest.value(place);
        }
        self.rank_thresholds::<T>(call, forest, asked);
        self.cut_trees(call, forest, asked);
    }

    /// Sorts the thresholds of each column, makes its map and writes each split's rank.
    fn rank_thresholds<T: Number<Whole: Into<u64>>>(&self, call: &Call, forest: &Forest, asked: &mut [Asked]) {
        // SAFETY: laid out as in the validator, each place is viewed once; `ends` holds a `Key` a split.
        let (columns, buckets, sources, counts, thresholds, keys, other) = unsafe {
            (
                self.columns.of::<Asked>(call),
                self.buckets.of::<u32>(call),
                self.sources.of::<u16>(call),
                self.counts.of::<u32>(call),
                self.thresholds.of::<T>(call),
                self.items.of::<Key<T>>(call),
                core::slice::from_raw_parts_mut(self.ends.of::<u32>(call).as_mut_ptr().cast(), forest.splits),
            )
        };
        number_columns(forest, columns);
        // First how many splits ask a column, then where the next of them goes.
        for (split, asked) in asked.iter_mut().enumerate() {
            let column = column_of(forest, forest.tests.get(split) as usize);
            *asked = columns.get(column as usize).copied().unwrap_or(Asked { column: 0, rank: 0 });
            if let Some(count) = buckets.get_mut(usize::from(asked.column)) {
                *count += 1;
            }
        }
        let mut start = 0;
        for count in &mut *buckets {
            start += core::mem::replace(count, start);
        }
        for (split, asked) in asked.iter().enumerate() {
            let key = Key { number: T::word(ascending(threshold::<T>(forest, split))), split: T::word(split as u64) };
            let Some(place) = buckets.get_mut(usize::from(asked.column)) else { return };
            set(keys, *place as usize, key);
            *place += 1;
        }
        let mut put = |place: usize, threshold: T| {
            set(thresholds, place, threshold);
        };
        let twins = Width::of(forest).ranked as u16;
        let (mut ranked, mut first, mut end) = (0, 0, 0);
        for (&behind, source) in buckets.iter().zip(sources_of(columns)) {
            let range = first..behind as usize;
            let (Some(mut own), Some(mut other)) = (keys.get_mut(range.clone()), other.get_mut(range.clone())) else {
                return;
            };
            first = range.end;
            for shift in (0..8 * size_of::<T>() as u32).step_by(DIGIT as usize) {
                if sort(own, other, |key| (key.number.into() >> shift) as usize) {
                    (own, other) = (other, own);
                }
            }
            let (mut last, mut count) = (None, MOST);
            for key in own {
                let number = key.number.into();
                if last != Some(number) {
                    if count == MOST {
                        // Another ranked column: behind the last one's thresholds is NaN.
                        if ranked > 0 {
                            put(end, T::NAN);
                            end += BEYOND;
                        }
                        set(sources, ranked, source);
                        (ranked, count) = (ranked + 1, 0);
                    }
                    put(end, descended(number));
                    (last, count, end) = (Some(number), count + 1, end + 1);
                    set(counts, ranked - 1, count as u32);
                }
                if let Some(Asked { column, rank }) = asked.get_mut(key.split.into() as usize) {
                    *column = (ranked - 1) as u16 + if *rank > 0 { twins } else { 0 };
                    *rank = (count - 1) as u16 ^ lanes::SIGN;
                }
            }
        }
        put(end, T::NAN);
        for (map, sorted, cells) in self.columns::<T>(call) {
            *map = Ranks::plain(sorted, cells);
        }
    }

    fn cut_trees(&self, call: &Call, forest: &Forest, asked: &[Asked]) {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (splits, items, pieces, ends, tops) = unsafe {
            (
                self.splits.of::<Split>(call),
                self.items.of::<Item>(call),
                self.pieces.of::<Piece>(call),
                self.ends.of::<u32>(call),
                self.tops.of::<u32>(call),
            )
        };
        let mut cut = Cut { forest, asked, splits, items, pieces, ends, made: [0; 2] };
        let mut work =
            Work { open: [Open { side: 0, count: 0, asked: 0 }; ENDS], chosen: [0; ENDS], asked: [0; 2 * ENDS] };
        let (mut node, mut split, mut leaf) = (0, 0, 0);
        for (&size, top) in forest.sizes.iter().zip(&mut *tops) {
            *top = cut.tree(&mut work, node, split, leaf, size as usize);
            node += 2 * size as usize + 1;
            split += size as usize;
            leaf += size as usize + 1;
        }
        let [made, items] = cut.made;
        set(pieces, made as usize, Piece(items));
        tops.iter_mut().skip(forest.sizes.len()).for_each(|top| *top = made);
    }

    /// Writes the ranks of all rows; how many columns a row of them has, None where a value is refused.
    fn fill<T: Number>(&self, call: &Call, forest: &Forest) -> Option<usize> {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (tiles, by_row, sources) = unsafe {
            (
                self.tiles.of::<[u16; TILE]>(call),
                self.by_row.of::<u16>(call).as_mut_ptr(),
                self.sources.of::<u16>(call),
            )
        };
        let width = Width::of(forest);
        let mut missing = false;
        let (mut x, mut ranks) = ([T::NAN; ROWS], [0; ROWS]);
        for (place, (&source, (map, sorted, cells))) in sources.iter().zip(self.columns(call)).enumerate() {
            let Some(&column) = forest.columns.get(source as usize).filter(|_| sorted.len() > BEYOND) else { break };
            for (part, tiles) in
                super::rows_mut(tiles, width.all() * (ROWS / TILE)).take(call.rows.div_ceil(ROWS)).enumerate()
            {
                if !load(call, forest, column, part * ROWS, &mut x) {
                    return None;
                }
                // SAFETY: `prepare` made the map of these.
                unsafe { map.numbers(sorted, cells, &x, &mut ranks) };
                let mut write = |place: usize, ranks: &[u16; ROWS]| {
                    for (tile, ranks) in super::rows_mut(tiles, width.all()).zip(ranks.as_chunks().0) {
                        set(tile, place, *ranks);
                    }
                };
                write(place, &ranks);
                if width.twins {
                    for (rank, x) in ranks.iter_mut().zip(&x).take(call.rows - part * ROWS) {
                        if x.is_nan() {
                            (*rank, missing) = (ABOVE, true);
                        }
                    }
                    write(width.ranked + place, &ranks);
                }
            }
        }
        let columns = if missing { width.all() } else { width.ranked };
        for (tile, tiles) in super::rows(tiles, width.all()).take(call.rows.div_ceil(TILE)).enumerate() {
            for first in (0..columns).step_by(EIGHT) {
                for row in (0..TILE).step_by(EIGHT) {
                    // SAFETY: eight rows of eight columns are read, and as many written, of `columns` each.
                    unsafe {
                        let at = |column: usize| tiles.as_ptr().add(first + column).cast::<u16>().add(row);
                        let into = by_row.add((tile * TILE + row) * columns + first);
                        lanes::turn([at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)], into, columns, 0);
                    }
                }
            }
        }
        Some(columns)
    }

    /// All rows through the first piece of each tree.
    fn enter(&self, call: &Call, forest: &Forest) {
        // SAFETY: laid out as in the validator, each place is viewed once; a piece's items are within a tile and `places`.
        unsafe {
            let (tiles, entries) = (self.tiles.of::<[u16; TILE]>(call), self.entries.of::<[u8; TILE]>(call));
            let (items, places) =
                (self.items.of::<Item>(call).as_ptr(), self.places.of::<[u8; TILE]>(call).as_mut_ptr());
            let (tops, pieces) = (self.tops.of::<u32>(call), self.pieces.of::<Piece>(call));
            let (tops, _) = tops.split_at_mut_unchecked(forest.sizes.len());
            for (tops, entries) in
                super::pieces_mut(tops, TREES).zip(super::pieces_mut(entries, TREES * (BLOCK_OF_PIECES / TILE)))
            {
                for (number, tile) in
                    super::rows(tiles, Width::of(forest).all()).take(call.rows.div_ceil(TILE)).enumerate()
                {
                    for (&top, entries) in tops.iter().zip(super::rows_mut(entries, BLOCK_OF_PIECES / TILE)) {
                        let piece = pieces.as_ptr().add(top as usize);
                        let (first, splits) = ((*piece).items(), (*piece.add(1)).items() - (*piece).items());
                        *entries.get_unchecked_mut(number) =
                            *lanes::ask::<false>(items.add(first), splits, tile.as_ptr(), places);
                    }
                }
            }
        }
    }

    /// From the ends of the first pieces to the leaves, and their values to the sums, tree by tree.
    fn settle(&self, call: &Call, forest: &Forest, columns: usize) {
        // SAFETY: laid out as in the validator, each place is viewed once; `cut_trees` wrote the pieces, their items and ends,
        // of each tree one at least.
        unsafe {
            let (tops, pieces) = (self.tops.of::<u32>(call).as_ptr(), self.pieces.of::<Piece>(call).as_ptr());
            let (items, all_ends) = (self.items.of::<Item>(call).as_ptr(), self.ends.of::<u32>(call).as_ptr());
            let (tile, places) =
                (self.tile.of::<[u16; TILE]>(call).as_mut_ptr(), self.places.of::<[u8; TILE]>(call).as_mut_ptr());
            let by_row = self.by_row.of::<u16>(call).as_ptr();
            // The tile's second columns of twins, where those of its rows are the same.
            let twins = Width::of(forest).all() - columns;
            let (parts, leaves) =
                (self.parts.of::<[u16; 2]>(call).as_mut_ptr(), self.leaves.of::<u32>(call).as_mut_ptr());
            let (sorted, found) = (self.sorted.of::<u16>(call).as_mut_ptr(), self.found.of::<u8>(call).as_mut_ptr());
            let (standing, unsorted) =
                (self.standing.of::<u16>(call).as_ptr(), self.unsorted.of::<u16>(call).as_mut_ptr());
            let (entries, values) = (self.entries.of::<u8>(call), self.values.of::<f64>(call).as_ptr());
            for (tree, entries) in super::rows(entries, BLOCK_OF_PIECES).enumerate() {
                let (first, last) = (*tops.add(tree), *tops.add(tree + 1));
                let (mut rows, mut found_of) = (standing, entries.as_ptr());
                *parts = [0, call.rows as u16];
                for number in first..last {
                    let (piece, next) = (*pieces.add(number as usize), *pieces.add(number as usize + 1));
                    let ends = all_ends.add(piece.items() + number as usize);
                    let (first_item, splits) = (items.add(piece.items()), next.items() - piece.items());
                    let [from, to] = *parts.add((number - first) as usize);
                    let (from, to) = (from as usize, to as usize);
                    if number > first {
                        let mut at = from;
                        while at < to {
                            let together = sorted.add(at);
                            let count = if to - at < TILE { to - at } else { TILE };
                            lanes::fetch(by_row, together, count, columns, twins, tile);
                            let own = if count > TILE / 2 {
                                lanes::ask::<false>(first_item, splits, tile, places)
                            } else {
                                lanes::ask::<true>(first_item, splits, tile, places)
                            };
                            if piece.is_last() {
                                let (mut row, mut end, behind) = (together, own.cast::<u8>(), together.add(count));
                                while row != behind {
                                    *leaves.add(*row as usize) = *ends.add(*end as usize);
                                    (row, end) = (row.add(1), end.add(1));
                                }
                            } else {
                                *found.add(at).cast() = *own;
                            }
                            at += TILE;
                        }
                        if piece.is_last() {
                            continue;
                        }
                        (rows, found_of) = (unsorted, found);
                        unsorted.add(from).copy_from(sorted.add(from), to - from);
                    }
                    // Sorts the rows by their ends.
                    let mut starts = [0u16; ENDS];
                    for at in from..to {
                        starts[*found_of.add(at) as usize] += 1;
                    }
                    let mut start = from as u16;
                    for (end, place) in starts.iter_mut().take(splits + 1).enumerate() {
                        let (end, count) = (*ends.add(end), core::mem::replace(place, start));
                        if end & PIECE != 0 {
                            *parts.add(((end & !PIECE) - first) as usize) = [start, start + count];
                        }
                        start += count;
                    }
                    for at in from..to {
                        let (row, end) = (*rows.add(at), *found_of.add(at) as usize);
                        *leaves.add(row as usize) = *ends.add(end);
                        *sorted.add(starts[end] as usize) = row;
                        starts[end] += 1;
                    }
                }
                walk::collect::<f32>(call, forest, tree, leaves.cast(), EIGHT, values);
            }
        }
    }
}

fn threshold<T: Number>(forest: &Forest, split: usize) -> T {
    let number = if forest.shared() { forest.tests.get(split) as usize } else { split };
    T::from_bits(forest.thresholds.get(number))
}

fn sign<T>() -> u64 {
    1 << (8 * size_of::<T>() - 1)
}

/// A whole number that ascends with this one.
fn ascending<T: Number>(x: T) -> u64 {
    let (bits, sign) = (x.to_bits(), sign::<T>());
    if bits & sign != 0 { !bits & (sign | (sign - 1)) } else { bits | sign }
}

/// The number that it was.
fn descended<T: Number>(number: u64) -> T {
    T::from_bits(if number & sign::<T>() != 0 { number ^ sign::<T>() } else { !number })
}

/// A split by its threshold, while these are sorted.
#[derive(Clone, Copy)]
#[repr(C)]
struct Key<T: Number> {
    number: T::Whole,
    split: T::Whole,
}

/// Writes a number's place, where there is one.
#[inline(always)]
fn set<T>(list: &mut [T], place: usize, value: T) {
    if let Some(into) = list.get_mut(place) {
        *into = value;
    }
}

/// Bits by which they are sorted at a time.
const DIGIT: u32 = 11;

/// Sorts by a digit, those that have the same one in the order in which they are; false where all have and nothing is
/// written.
fn sort<K: Copy>(from: &[K], to: &mut [K], digit: impl Fn(&K) -> usize) -> bool {
    const LAST: usize = (1 << DIGIT) - 1;
    let mut starts = [0u32; LAST + 1];
    for key in from {
        starts[digit(key) & LAST] += 1;
    }
    let mut start = 0;
    for place in &mut starts {
        if *place as usize == from.len() {
            return false;
        }
        start += core::mem::replace(place, start);
    }
    for key in from {
        let start = &mut starts[digit(key) & LAST];
        if let Some(place) = to.get_mut(*start as usize) {
            *place = *key;
        }
        *start += 1;
    }
    true
}

struct Cut<'a> {
    forest: &'a Forest<'a>,
    asked: &'a [Asked],
    splits: &'a mut [Split],
    items: &'a mut [Item],
    pieces: &'a mut [Piece],
    ends: &'a mut [u32],
    /// How many pieces and items there are so far.
    made: [u32; 2],
}

/// A side that is not yet part of a piece: what it is, its splits, and where the item that asks for it wants to know it.
#[derive(Clone, Copy)]
struct Open {
    side: u32,
    count: u32,
    asked: u32,
}

/// What a piece is made in: its sides, its splits, and of each two of what their sides are, an end or another split.
struct Work {
    open: [Open; ENDS],
    chosen: [u32; ENDS],
    asked: [u16; 2 * ENDS],
}

/// A side that is another split of the piece, by the order in which these were chosen.
const CHOSEN: u16 = 1 << 15;

impl Cut<'_> {
    /// Cuts the tree whose nodes, splits and leaves begin at these numbers; its first piece.
    fn tree(&mut self, work: &mut Work, node: usize, split: usize, leaf: usize, size: usize) -> u32 {
        let (mut known, mut leaves) = (1, 0);
        // Not `is_split`, a call that is a third of this loop.
        let shape = self.forest.shape;
        let is_split = |node: usize| shape.get(node / 8).is_some_and(|byte| byte >> (node % 8) & 1 == 1);
        for (number, own) in self.splits.iter_mut().take(size).enumerate() {
            let mut side = |side: usize| {
                if is_split(node + 2 * number + 1 + side) {
                    known += 1;
                    known - 1
                } else {
                    leaves += 1;
                    LEAF | (leaf + leaves - 1) as u32
                }
            };
            *own = [side(0), side(1), 1];
        }
        for number in (0..size).rev() {
            let Some(&[left, right, _]) = self.splits.get(number) else { break };
            let count = 1 + self.count(left) + self.count(right);
            if let Some(split) = self.splits.get_mut(number) {
                split[2] = count;
            }
        }
        let first = self.made[0];
        let mut next = first;
        self.add(if size == 0 { LEAF | leaf as u32 } else { 0 });
        while next < self.made[0] {
            self.piece(work, next, split, piece_size(size));
            next += 1;
        }
        first
    }

    /// Splits of a side.
    fn count(&self, side: u32) -> u32 {
        // No place of the list is that of a leaf.
        self.splits.get(side as usize).map_or(0, |split| split[2])
    }

    /// Another piece, from this side on; until it is made that stands in its place.
    fn add(&mut self, side: u32) {
        set(self.pieces, self.made[0] as usize, Piece(side));
        self.made[0] += 1;
    }

    /// Makes the piece that was added: all that is below it, or where that is more than `most` splits, from the side with
    /// the most on until no side has more.
    fn piece(&mut self, work: &mut Work, number: u32, split: usize, most: u32) {
        const PLACES: usize = ENDS - 1;
        let Some(&Piece(side)) = self.pieces.get(number as usize) else { return };
        let count = self.count(side);
        let Work { open, chosen, asked } = work;
        open[0] = Open { side, count, asked: 0 };
        let bound = if count > most { most } else { 0 };
        let (mut ends, mut splits, mut first) = (1, 0, 0);
        while ends < ENDS {
            let mut best = first;
            if bound > 0 {
                for place in 1..ends {
                    if open[place & PLACES].count > open[best & PLACES].count {
                        best = place;
                    }
                }
            } else {
                while first < ends && open[first & PLACES].count == 0 {
                    first += 1;
                }
                best = first;
            }
            let Open { side, count, asked: by } = open[best & PLACES];
            let Some(&[left, right, _]) = self.splits.get(side as usize).filter(|_| count > bound && best < ends)
            else {
                break;
            };
            chosen[splits & PLACES] = side;
            asked[by as usize & (2 * ENDS - 1)] = splits as u16 | CHOSEN;
            let asked = 2 * splits as u32;
            open[best & PLACES] = Open { side: left, count: self.count(left), asked };
            open[ends & PLACES] = Open { side: right, count: self.count(right), asked: asked + 1 };
            (ends, splits) = (ends + 1, splits + 1);
        }
        let first_item = self.made[1] as usize;
        let mut last = Piece::LAST;
        for (end, open) in open.iter().enumerate().take(ends) {
            asked[open.asked as usize & (2 * ENDS - 1)] = end as u16;
            let row = if open.side & LEAF != 0 {
                self.forest.row((open.side & !LEAF) as usize) as u32
            } else {
                last = 0;
                self.add(open.side);
                PIECE | (self.made[0] - 1)
            };
            set(self.ends, first_item + number as usize + end, row);
        }
        // The last chosen is asked first: both its sides are known then.
        let place = |asked: u16| {
            let place =
                if asked & CHOSEN != 0 { ENDS + splits - 1 - (asked & !CHOSEN) as usize } else { asked.into() };
            (place * TILE) as u16
        };
        let chosen = asked.as_chunks().0.iter().zip(&*chosen).take(splits).enumerate();
        for (number, (&[left, right], &own)) in chosen {
            let Some(&Asked { column, rank }) = self.asked.get(split + own as usize) else { return };
            let column = (usize::from(column) * size_of::<[u16; TILE]>()) as u16;
            let item = Item { column, rank, left: place(left), right: place(right) };
            let at = first_item + splits - 1 - number;
            set(self.items, at, item);
        }
        self.made[1] += splits as u32;
        let own = Piece(first_item as u32 | last);
        set(self.pieces, number as usize, own);
    }
}

/// Most splits of a tree's lower pieces, for a tree of so many.
fn piece_size(splits: usize) -> u32 {
    let root = splits.isqrt() as u32;
    let size = 2 * root;
    if size < ENDS as u32 - 1 { size } else { ENDS as u32 - 1 }
}

/// Rows from which on pieces are faster than walks, or lines of f32: pieces should have some three rows each. (Forests of 310,
/// 980, 2700, 6400 and 12 600 leaves a tree: about 100, 170, 150, 250 and 310 rows; at 100 rows LightGBM of 1000 leaves.)
fn few(forest: &Forest) -> usize {
    let pieces = forest.splits.checked_div(forest.sizes.len()).unwrap_or(0).isqrt();
    let rows = 3 * pieces + Width::of(forest).ranked / 2;
    if rows > 100 { rows } else { 100 }
}

pub fn check<T: Number>(shape: &Shape) -> Option<usize> {
    let forest = Forest::read::<T>(&mut shape.args(), shape.outputs)?;
    forest.check::<T>(shape)?;
    walk::check_limits::<T>(&forest)?;
    let numbers = (0..forest.thresholds.count()).all(|place| !T::from_bits(forest.thresholds.get(place)).is_nan());
    if by_lines::<T>() && forest.columns.len() > lines::COLUMNS {
        return None;
    }
    if !numbers || forest.columns.is_empty() || Width::of(&forest).all() > COLUMNS {
        return None;
    }
    let mut layout = Layout::default();
    compact::Tables::new::<T>(&forest, &mut layout);
    if by_lines::<T>() {
        lines::Tables::new(&forest, &mut layout, shape.outputs);
    } else {
        walk::Tables::new::<T>(&forest, &mut layout, shape.outputs, few(&forest), largest(&forest));
    }
    Tables::new::<T>(&forest, &mut layout, shape.outputs);
    layout.announce(shape)?;
    Some(0)
}

/// Whether single rows go through trees by lines.
fn by_lines<T>() -> bool {
    size_of::<T>() == size_of::<f32>()
}

pub fn kernel<T: Number<Whole: Into<u64>>>(call: &Call) {
    let Some(forest) = Forest::read::<T>(&mut call.args(), call.outputs) else { return };
    let mut layout = Layout::default();
    if compact::Tables::new::<T>(&forest, &mut layout).predict::<T, false>(call, &forest, &Sets::NONE) {
        return;
    }
    let few = few(&forest);
    if by_lines::<T>() {
        let tables = lines::Tables::new(&forest, &mut layout, call.outputs);
        if call.rows < few {
            return tables.run(call, &forest);
        }
    } else {
        let tables = walk::Tables::new::<T>(&forest, &mut layout, call.outputs, few, largest(&forest));
        if call.rows < few {
            return walk::run::<T>(call, &forest, &tables);
        }
    }
    let tables = Tables::new::<T>(&forest, &mut layout, call.outputs);
    tables.prepare::<T>(call, &forest);
    let Some(columns) = tables.fill::<T>(call, &forest) else { return };
    call.start(forest.base);
    tables.enter(call, &forest);
    tables.settle(call, &forest, columns);
    call.divide(forest.divide);
}

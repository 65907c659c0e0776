//! Single rows through trees of any shape, sixteen splits at a time.
//!
//! A tree is cut into groups of up to eight splits that hang together: from the root of what is left, always the split
//! with the most leaves below it joins. Its splits ask a byte each of the row's ranks (`gather`), two groups at a time;
//! a table turns the eight decisions into the group's exit. Of what hangs at an exit the record has a known place: those of a
//! group's exits follow each other. A leaf has a record too, a group without splits whose only exit leads to itself,
//! so that it does not matter how many steps a way has: one and, for most trees of 31 leaves, one more.
//!
//! A step waits for the one before, so trees take it in chunks: the first of all trees of a chunk, then the second, then
//! further ones of those trees that have any.
//!
//! A group's shape counts without the order of children: the larger subtree is the first, and where that is the right
//! one the split's decision is read the other way around. So there are 94 shapes, whose tables, 15 KB, stay in the first cache.

use super::Call;
use super::forest::{Forest, Layout, Place, Sum};
use super::gather::{NEVER, Ranked, Run, place_of};
use super::sliced::NODES;

/// Of a group.
pub const SPLITS: usize = 8;

/// Shapes of so many splits.
const SHAPES: [usize; SPLITS + 1] = [1, 1, 1, 2, 3, 6, 11, 23, 46];

/// Where the exits of the shapes of so many splits begin, a byte for each way that these decide: the largest first, so
/// that every list begins at a multiple of its length. The last one is where all end.
const STARTS: [usize; SPLITS + 2] = {
    let mut starts = [0; SPLITS + 2];
    let (mut splits, mut end) = (SPLITS + 1, 0);
    while splits > 0 {
        splits -= 1;
        starts[splits] = end;
        end += SHAPES[splits] << splits;
    }
    starts[SPLITS + 1] = end;
    starts
};

/// Bytes of all shapes' exits, from any address on.
pub const EXITS: u64 = (STARTS[SPLITS + 1] + (1 << SPLITS)) as u64;

/// What two trees' first groups ask and compare with, and where the way on begins.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub struct Pair {
    asked: [u8; 16],
    ranks: [u8; 16],
    codes: [u32; 2],
    bases: [u32; 2],
}

/// Trees that take a step together, two and two.
pub const CHUNK: usize = 128;

/// A record of what hangs at an exit.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Group {
    /// A leaf's: its value in the width of the sums, or with VECTOR the place of its row, a u32.
    asked: [u8; SPLITS],
    ranks: [u8; SPLITS],
    /// Where its shape's exits are, and a bit for each split whose decision is read the other way around.
    code: u32,
    /// Where the record of its first exit is.
    base: u32,
}

/// A place in the tables as groups name it: its address in wasm, where an addition is spared so, else how far from the
/// tables' beginning.
pub fn origin(call: &Call) -> usize {
    if cfg!(target_arch = "wasm32") { call.tables.expose_provenance() } else { 0 }
}

/// What is at such a place.
///
/// # Safety
/// It is a place in the tables, whose provenance `origin` exposed.
#[inline(always)]
pub unsafe fn at<T>(call: &Call, place: u32) -> *const T {
    if cfg!(target_arch = "wasm32") {
        core::ptr::with_exposed_provenance(place as usize)
    } else {
        // SAFETY: by the caller.
        unsafe { call.tables.add(place as usize).cast_const().cast() }
    }
}

const SIZE: usize = size_of::<Group>();

#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Tables {
    /// For each shape and what its splits decide, how many bytes behind the first exit's record that of the exit is;
    /// from an address on that code ^ decisions can begin with.
    exits: Place,
    pairs: Place,
    records: Place,
    /// Chunk by chunk, the trees of it that have a third step, a fourth and so on: how many pairs, and their numbers in
    /// the chunk; a step that no tree has is the last.
    lists: Place,
    /// Where the trees of a chunk are.
    ways: Place,
    /// With VECTOR: rows of leaf values in the width of the sums, and one of -0 behind them.
    rows: Place,
}

impl Tables {
    pub fn new(forest: &Forest, layout: &mut Layout, outputs: usize) -> Tables {
        let trees = forest.sizes.len() as u64;
        let values = if forest.vector() { (forest.rows as u64 + 1).saturating_mul(outputs as u64) } else { 0 };
        Tables {
            exits: layout.take::<u8>(EXITS),
            pairs: layout.take::<Pair>(trees),
            // One at most for each node, and one for each pair that lacks a tree.
            records: layout.take::<Group>(forest.nodes() as u64 + trees),
            // A group at most for each split, two numbers for each, and how many for each split and tree.
            lists: layout.take::<u8>(3 * forest.splits as u64 + trees),
            ways: layout.take::<u32>(CHUNK as u64),
            rows: layout.take::<u64>(values),
        }
    }

    /// Makes the tables for trees in runs of one output.
    pub fn build(&self, call: &Call, forest: &Forest, runs: &[Run]) {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (lists, exits, pairs, records, rows) = unsafe {
            (
                self.lists.of::<u8>(call),
                self.exits.of::<u8>(call),
                self.pairs.of::<Pair>(call),
                self.records.of::<Group>(call),
                self.rows.of::<u64>(call),
            )
        };
        let mut shapes = Shapes::new(exits, origin(call) + self.exits.start(), |_, exit| exit * SIZE);
        let first = (origin(call) + self.records.start()) as u32;
        let mut records = Records { list: records, first, none: shapes.first, count: 0 };
        // Adding -0 changes nothing.
        let nothing = match (forest.vector(), forest.narrow()) {
            (true, _) => (forest.rows * call.outputs) as u64,
            (false, true) => u64::from((-0f32).to_bits()),
            (false, false) => (-0f64).to_bits(),
        };
        for place in 0..rows.len() {
            let value = if place < forest.rows * call.outputs { forest.value(place) } else { -0.0 };
            if !forest.narrow() {
                rows.iter_mut().skip(place).take(1).for_each(|into| *into = value.to_bits());
            } else if let Some(pair) = rows.get_mut(place / 2) {
                *pair |= u64::from((value as f32).to_bits()) << (place % 2 * 32);
            }
        }
        let mut trees = Trees::default();
        let mut pairs = pairs.iter_mut();
        let mut lists = lists.iter_mut();
        // Steps of each tree of a chunk.
        let mut steps = [0; CHUNK];
        for run in runs {
            let mut left = run.trees;
            let count = left.div_ceil(2) as usize;
            for (number, pair) in pairs.by_ref().take(count).enumerate() {
                *pair = Pair { asked: [0; 16], ranks: [NEVER; 16], codes: [0; 2], bases: [0; 2] };
                for half in 0..2 {
                    let mut own = 0;
                    let mut root = records.leaf_of(0, 0);
                    if left > 0 {
                        left -= 1;
                        own = trees.next(forest, call.outputs, &mut root, &mut records, &mut shapes);
                    } else {
                        root.base = records.leaf(nothing);
                    }
                    let bytes = pair.asked.iter_mut().zip(&mut pair.ranks).skip(half * SPLITS);
                    for ((asked, rank), (&own, &own_rank)) in bytes.zip(root.asked.iter().zip(&root.ranks)) {
                        (*asked, *rank) = (own, own_rank);
                    }
                    pair.codes.iter_mut().skip(half).take(1).for_each(|code| *code = root.code);
                    pair.bases.iter_mut().skip(half).take(1).for_each(|base| *base = root.base);
                    steps.iter_mut().skip((2 * number + half) % CHUNK).take(1).for_each(|steps| *steps = own);
                }
                let last = number + 1 == count;
                if last || (number + 1).is_multiple_of(CHUNK / 2) {
                    let own = steps.get(..(2 * number + 1) % CHUNK + 1).unwrap_or(&[]);
                    list(own, lists.by_ref());
                }
            }
        }
    }

    /// Adds the values of the row's leaves, in the order of the trees, to outputs that hold the start values.
    ///
    /// # Safety
    /// The tables were built of these runs, S is the width of the sums and VECTOR the forest's flag.
    #[inline(never)]
    pub unsafe fn add<S: Sum, const VECTOR: bool, const N: usize>(
        &self,
        call: &Call,
        runs: &[Run],
        ranks: Ranked<N>,
        row: usize,
    ) {
        // SAFETY: by the caller; a place of a record that a step comes to is that of one of the tree's own.
        unsafe {
            let rows = self.rows.of::<u64>(call).as_ptr().cast::<S>();
            let mut pair = self.pairs.of::<Pair>(call).as_ptr();
            let mut list = self.lists.of::<u8>(call).as_ptr();
            let ways = self.ways.of::<u32>(call).as_mut_ptr();
            let exit = |code: u32, decided: usize| u32::from(*at::<u8>(call, code ^ decided as u32));
            let step = |one: *mut u32, other: *mut u32| {
                let (first, second) = (at::<Group>(call, *one), at::<Group>(call, *other));
                let decided = ranks.decide_both(first.cast(), second.cast());
                *one = (*first).base + exit((*first).code, decided & 255);
                *other = (*second).base + exit((*second).code, decided >> 8);
            };
            for run in runs {
                let output = call.output(run.target as usize).as_mut_ptr().add(row);
                let mut sum = S::from_f64(*output);
                let mut left = run.trees.div_ceil(2) as usize;
                while left > 0 {
                    let count = if left < CHUNK / 2 { left } else { CHUNK / 2 };
                    left -= count;
                    let end = ways.add(2 * count);
                    let mut way = ways;
                    while way != end {
                        let decided = ranks.decide((*pair).asked.as_ptr(), (*pair).ranks.as_ptr());
                        *way = (*pair).bases[0] + exit((*pair).codes[0], decided & 255);
                        *way.add(1) = (*pair).bases[1] + exit((*pair).codes[1], decided >> 8);
                        (way, pair) = (way.add(2), pair.add(1));
                    }
                    way = ways;
                    while way != end {
                        step(way, way.add(1));
                        way = way.add(2);
                    }
                    loop {
                        let count = *list as usize;
                        let end = list.add(1 + 2 * count);
                        list = list.add(1);
                        if count == 0 {
                            break;
                        }
                        while list != end {
                            step(ways.add(*list as usize), ways.add(*list.add(1) as usize));
                            list = list.add(2);
                        }
                    }
                    way = ways;
                    while way != end {
                        if VECTOR {
                            let values = rows.add(*at::<u32>(call, *way) as usize);
                            for (place, output) in call.outputs().enumerate() {
                                let sum = output.as_mut_ptr().add(row);
                                *sum = S::from_f64(*sum).plus(*values.add(place)).to_f64();
                            }
                        } else {
                            sum = sum.plus(*at::<S>(call, *way));
                        }
                        way = way.add(1);
                    }
                }
                if !VECTOR {
                    *output = sum.to_f64();
                }
            }
        }
    }
}

/// Writes the list of a chunk's trees with more than two steps.
fn list<'a>(steps: &[u32], mut into: impl Iterator<Item = &'a mut u8>) {
    let mut write = |byte: usize| into.by_ref().take(1).for_each(|into| *into = byte as u8);
    for step in 2.. {
        let trees = || (0..steps.len()).filter(|&tree| steps.get(tree).is_some_and(|&steps| steps >= step));
        let count = trees().count();
        write(count.div_ceil(2));
        if count == 0 {
            break;
        }
        trees().for_each(&mut write);
        if count % 2 == 1 {
            // Its step is taken twice from the same place.
            trees().take(1).for_each(&mut write);
        }
    }
}

struct Records<'a> {
    list: &'a mut [Group],
    /// The place of the first.
    first: u32,
    /// The exits of no splits.
    none: u32,
    count: usize,
}

impl Records<'_> {
    fn place(&self, number: usize) -> u32 {
        self.first + (number * SIZE) as u32
    }

    fn set(&mut self, number: usize, record: Group) {
        self.list.iter_mut().skip(number).take(1).for_each(|into| *into = record);
    }

    /// What has no splits, and one exit.
    fn leaf_of(&self, value: u64, base: u32) -> Group {
        Group { asked: value.to_le_bytes(), ranks: [NEVER; SPLITS], code: self.none, base }
    }

    /// Adds a leaf; where its record is.
    fn leaf(&mut self, value: u64) -> u32 {
        let own = self.place(self.count);
        self.set(self.count, self.leaf_of(value, own));
        self.count += 1;
        own
    }
}

/// The shapes that were met, as bits from the root on: a split is 1 and its two subtrees, an exit 0.
pub struct Shapes<'a, F> {
    exits: &'a mut [u8],
    /// The place of the first.
    first: u32,
    known: [[u32; SHAPES[SPLITS]]; SPLITS + 1],
    counts: [usize; SPLITS + 1],
    /// The byte for an exit, by the group's splits and the exit's number.
    byte: F,
}

impl<'a, F: Fn(usize, usize) -> usize> Shapes<'a, F> {
    /// In these bytes, which are at `start`.
    pub fn new(exits: &'a mut [u8], start: usize, byte: F) -> Shapes<'a, F> {
        let first = start.next_multiple_of(1 << SPLITS);
        let exits = exits.get_mut(first - start..).unwrap_or_default();
        let known = [[0; SHAPES[SPLITS]]; SPLITS + 1];
        let mut shapes = Shapes { exits, first: first as u32, known, counts: [0; SPLITS + 1], byte };
        shapes.place(0, 0);
        shapes
    }

    /// Where the exits of a shape of so many splits are.
    pub fn place(&mut self, shape: u32, splits: usize) -> u32 {
        let (Some(known), Some(count), Some(start)) =
            (self.known.get_mut(splits), self.counts.get_mut(splits), STARTS.get(splits))
        else {
            return self.first;
        };
        let found = known.iter().take(*count).position(|&known| known == shape);
        let number = found.unwrap_or(*count);
        let start = start + (number << splits);
        if found.is_none() {
            known.iter_mut().skip(number).take(1).for_each(|known| *known = shape);
            *count += 1;
            for (decided, exit) in self.exits.iter_mut().skip(start).take(1 << splits).enumerate() {
                *exit = (self.byte)(splits, exit_of(shape, splits, decided)) as u8;
            }
        }
        self.first + start as u32
    }
}

/// Splits decide in the order of the shape's bits, 1 for the second subtree; exits are counted in it.
fn exit_of(shape: u32, splits: usize, decided: usize) -> usize {
    let (mut at, mut split, mut exit) = (2 * splits as u32, 0, 0);
    let is_split = |at: u32| shape >> (at & 31) & 1 == 1;
    while is_split(at) {
        let second = decided >> split & 1 == 1;
        (at, split) = (at.wrapping_sub(1), split + 1);
        // Past the first subtree.
        let mut open = usize::from(second);
        while open > 0 {
            if is_split(at) {
                (open, split) = (open + 1, split + 1);
            } else {
                (open, exit) = (open - 1, exit + 1);
            }
            at = at.wrapping_sub(1);
        }
    }
    exit
}

/// Where the next tree's nodes, splits and leaves begin.
#[derive(Default)]
struct Trees {
    tree: usize,
    node: usize,
    split: usize,
    leaf: usize,
}

impl Trees {
    /// Makes the next tree's first group and the records of all others; how many steps there are behind the first.
    #[inline(never)]
    fn next(
        &mut self,
        forest: &Forest,
        outputs: usize,
        root: &mut Group,
        records: &mut Records,
        shapes: &mut Shapes<impl Fn(usize, usize) -> usize>,
    ) -> u32 {
        let size = forest.sizes.get(self.tree).map_or(0, |&size| size as usize);
        let mut all = [Node::default(); NODES];
        let Some(nodes) = all.get_mut(..2 * size + 1) else { return 0 };
        outline(forest, self.node, nodes);
        // The roots of groups, the numbers of their records, and how many groups are above.
        let mut open = [(0u16, 0usize, 0u32); NODES];
        let (mut done, mut count) = (0, 1);
        let mut steps = 0;
        while done < count {
            let Some(&(from, number, above)) = open.get(done) else { break };
            done += 1;
            let base = records.count;
            let mut cut = Cut::new(nodes, from);
            let empty = records.leaf_of(0, records.place(base));
            let mut group = empty;
            group.code = cut.arrange(nodes, shapes, |place, split| {
                let (column, rank) = place_of(forest, forest.tests.get(self.split + split) as u32);
                if let (Some(asked), Some(own)) = (group.asked.get_mut(place), group.ranks.get_mut(place)) {
                    (*asked, *own) = (column, rank);
                }
            });
            if done == 1 {
                *root = group;
            } else {
                records.set(number, group);
            }
            for &exit in cut.exits.iter().take(cut.count + 1) {
                let Some(node) = nodes.get(exit as usize) else { break };
                if node.left > 0 {
                    if let Some(next) = open.get_mut(count) {
                        *next = (exit, records.count, above + 1);
                    }
                    (count, steps) = (count + 1, above + 1);
                    records.count += 1;
                } else {
                    let row = forest.row(self.leaf + node.number as usize);
                    records.leaf(match (forest.vector(), forest.narrow()) {
                        (true, _) => (row * outputs) as u64,
                        (false, true) => u64::from((forest.value(row) as f32).to_bits()),
                        (false, false) => forest.value(row).to_bits(),
                    });
                }
            }
        }
        self.tree += 1;
        self.node += nodes.len();
        self.split += size;
        self.leaf += size + 1;
        steps
    }
}

/// A node of a tree that is cut.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Node {
    /// Its left child, whom the right one follows; of a leaf 0.
    pub left: u16,
    /// A leaf's number among the leaves.
    pub number: u16,
    /// Leaves below it.
    leaves: u16,
}

/// Writes the nodes of the tree that begins at node `first`.
pub fn outline(forest: &Forest, first: usize, nodes: &mut [Node]) {
    let (mut splits, mut leaves) = (0, 0);
    for (at, node) in nodes.iter_mut().enumerate() {
        *node = if forest.is_split(first + at) {
            splits += 1;
            Node { left: 2 * splits - 1, number: 0, leaves: 0 }
        } else {
            leaves += 1;
            Node { left: 0, number: leaves - 1, leaves: 1 }
        };
    }
    for at in (0..nodes.len()).rev() {
        let Some(&Node { left: left @ 1.., .. }) = nodes.get(at) else { continue };
        let Some([one, other]) = nodes.get(left as usize..).and_then(|pair| pair.first_chunk()) else {
            return;
        };
        let leaves = one.leaves + other.leaves;
        if let Some(node) = nodes.get_mut(at) {
            node.leaves = leaves;
        }
    }
}

/// Splits of a group, each behind its parent, and what hangs at its exits, in their order.
#[derive(Default)]
pub struct Cut {
    pub count: usize,
    pub exits: [u16; PLACES],
    splits: [u16; PLACES],
    /// For each split and side, the split that is its child, or 0.
    children: [[u8; 2]; PLACES],
}

/// Splits and exits with room, so that a place cut to its low bits is one.
const PLACES: usize = 16;

impl Cut {
    /// Cuts off the group at the root of what is left.
    pub fn new(nodes: &[Node], root: u16) -> Cut {
        let node = |node: u16| nodes.get(node as usize).copied().unwrap_or_default();
        let mut cut = Cut::default();
        // What may join: its node, and which child of which split it is.
        let mut open = [(node(root), root, 0u8, 0usize); PLACES];
        while cut.count < SPLITS {
            let (mut most, mut place) = (1, 0);
            for (number, (node, ..)) in open.iter().take(cut.count + 1).enumerate() {
                if node.leaves > most {
                    (most, place) = (node.leaves, number);
                }
            }
            if most == 1 {
                break;
            }
            let (next, number, parent, side) = open[place % PLACES];
            cut.splits[cut.count % PLACES] = number;
            cut.children[parent as usize % PLACES][side % 2] = cut.count as u8;
            let (own, left) = (cut.count as u8, next.left);
            open[place % PLACES] = (node(left), left, own, 0);
            open[(cut.count + 1) % PLACES] = (node(left + 1), left + 1, own, 1);
            cut.count += 1;
        }
        // The first is no one's child.
        cut.exits[0] = root;
        cut
    }

    /// Puts the exits into the order of its shape; its code. `put` gets each split's place in the group and its number
    /// in the tree.
    pub fn arrange(
        &mut self,
        nodes: &[Node],
        shapes: &mut Shapes<impl Fn(usize, usize) -> usize>,
        mut put: impl FnMut(usize, usize),
    ) -> u32 {
        // Of each split's subtree within the group how many splits, and their shape, both 0 for an exit; and whether
        // the right subtree is the larger one: a shape begins with 1 and is longer, so greater, where there are more splits.
        let (mut sizes, mut forms, mut turned) = ([0usize; PLACES], [0u32; PLACES], [false; PLACES]);
        for at in (0..self.count).rev() {
            let child = |side: usize| match self.children[at % PLACES][side] as usize % PLACES {
                0 => (0, 0),
                child => (sizes[child], forms[child]),
            };
            let ((left, one), (right, other)) = (child(0), child(1));
            let turn = other > one;
            let (first, second, small) = if turn { (other, one, left) } else { (one, other, right) };
            sizes[at % PLACES] = 1 + left + right;
            forms[at % PLACES] = 1 << ((2 * (left + right + 1)) & 31) | first << ((2 * small + 1) & 31) | second;
            turned[at % PLACES] = turn;
        }
        let mut code = shapes.place(forms[0], self.count);
        // The first split and exit of each subtree.
        let mut places = [(0, 0); PLACES];
        for at in 0..self.count {
            let (split, exit) = places[at % PLACES];
            let left = nodes.get(self.splits[at % PLACES] as usize).map_or(0, |node| node.left);
            // Its number is that of its children's pair.
            put(split, left as usize / 2);
            let turn = usize::from(turned[at % PLACES]);
            code |= (turn as u32) << (split & 31);
            let mut next = (split + 1, exit);
            for side in [turn, 1 - turn] {
                match self.children[at % PLACES][side % 2] as usize % PLACES {
                    0 => {
                        self.exits[next.1 % PLACES] = left + side as u16;
                        next.1 += 1;
                    }
                    child => {
                        places[child] = next;
                        next = (next.0 + sizes[child], next.1 + sizes[child] + 1);
                    }
                }
            }
        }
        code
    }
}

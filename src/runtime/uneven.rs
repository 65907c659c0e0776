//! Trees whose leaves are not all at one depth, all rows of a lane at once, a bit a row: from the masks of a tree's splits
//! the planes of its leaf numbers (`sliced`).
//!
//! From the top down a split says which of its rows go right, `right = rows & mask, left = rows ^ right`, and both are kept.
//! On one of its sides it flips bits of the leaf numbers, mostly one, so that a bit is the sum of the rows of the sides that
//! flip it. What is at the bottom is taken as one unit of up to three leaves, whose rows stay in registers: its upper split
//! flips the second bit, and its ends, the splits of two leaves, the first.
//!
//! Keeping rows is what splits wait for (a store a cycle on a Zen 3), so that numbers are chosen first for many units, and
//! then for few flips.

use super::bits::{Bits, LANES, Wide, each_lane};
use super::forest::Forest;
use super::sliced::{FEW_LEAVES, NODE, NODES, Node, Tree, WIDE, copy_row, number_nodes};

/// Flips of a bit are done so many at a time. Four were 3% slower: engines run out of registers.
pub const TOGETHER: usize = 2;

/// Where any tree's root is, in bytes from where its bits are made: all rows reach it.
const ROOT: usize = NODE * WIDE;

/// A split: the number of its mask, and in bytes where the rows are kept that reach it, or of an end beside a leaf where
/// those are that turn these to the ones that go there.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Split {
    mask: u16,
    node: u16,
}

/// What a split is to its tree, in the order of `Tree::splits`: one whose sides are kept; units: of an end beside a leaf, an
/// end; or what is in a unit.
#[derive(Clone, Copy, Default, PartialEq)]
enum Kind {
    #[default]
    Kept,
    Three,
    End,
    Other,
}

/// The bits of leaf numbers that a split flips, on its left, else on its right.
#[derive(Clone, Copy, Default, PartialEq)]
struct Flip {
    bits: u8,
    left: bool,
}

impl Flip {
    /// What it flips on both sides.
    fn sides(self) -> [u8; 2] {
        if self.left { [self.bits, 0] } else { [0, self.bits] }
    }
}

/// So many planes of the leaf numbers of a tree, lowest first, for N lanes from the first that the pointers show on.
///
/// # Safety
/// The tree is one that `build` made, of these splits and flips; `reach` is the place of that name, with its zeros
/// and root.
#[inline(never)]
pub unsafe fn planes<const N: usize>(
    tree: &Tree,
    splits: &[Split],
    flips: &[u16],
    masks: *const Bits,
    reach: *mut Bits,
    planes: usize,
) {
    // SAFETY: by the caller; a tree has fewer than NODES nodes.
    unsafe {
        let mut split = splits.as_ptr().add(tree.splits as usize);
        let rows = |split: *const Split| reach.byte_add((*split).node as usize);
        let mask = |split: *const Split| masks.add((*split).mask as usize * LANES);
        let mut into = reach.add((NODE + 1) * LANES);
        let end = split.add(tree.count as usize);
        while split != end {
            let (here, mask) = (rows(split), mask(split));
            each_lane!(N, LANE => {
                let here = *here.add(LANE);
                let right = here.and(*mask.add(LANE));
                *into.add(LANE) = here.xor(right);
                *into.add(LANES + LANE) = right;
            });
            (split, into) = (split.add(1), into.add(2 * LANES));
        }
        let none = Bits::words(0);
        // The first bit, and the second.
        let (mut bits, mut next): (Wide, Wide) = ([none, none, none, none], [none, none, none, none]);
        let [threes, ends] = tree.units;
        let end = split.add(2 * threes as usize);
        while split != end {
            // Both leaves of the end: `other` is all rows where it is on the left, else none.
            let (here, mask, other, low) = (rows(split), mask(split), rows(split.add(1)), mask(split.add(1)));
            each_lane!(N, LANE => {
                let both = (*here.add(LANE)).and(*mask.add(LANE)).xor(*other.add(LANE));
                next[LANE] = next[LANE].xor(both);
                bits[LANE] = bits[LANE].xor(both.and(*low.add(LANE)));
            });
            split = split.add(2);
        }
        let end = split.add(ends as usize);
        while split != end {
            let (here, mask) = (rows(split), mask(split));
            each_lane!(N, LANE => { bits[LANE] = bits[LANE].xor((*here.add(LANE)).and(*mask.add(LANE))); });
            split = split.add(1);
        }
        let mut flip = flips.as_ptr().add(tree.flips as usize);
        let mut plane = reach.add(LANES);
        let last = plane.add(planes * LANES);
        while plane != last {
            let end = flip.add(1 + *flip as usize);
            flip = flip.add(1);
            while flip != end {
                let here = |number: usize| reach.byte_add(*flip.add(number) as usize);
                let (a, b) = (here(0), here(1));
                each_lane!(N, LANE => { bits[LANE] = bits[LANE].xor((*a.add(LANE)).xor(*b.add(LANE))); });
                flip = flip.add(TOGETHER);
            }
            each_lane!(N, LANE => { *plane.add(LANE) = bits[LANE]; });
            (bits, next) = (next, [none, none, none, none]);
            plane = plane.add(LANES);
        }
    }
}

/// What is known of a node while the tables are made.
#[derive(Clone, Copy, Default)]
struct Own {
    flip: Flip,
    kind: Kind,
    /// Its leaf's number, or that of the leaf that is found where nothing below flips a bit.
    number: u8,
    /// Where the rows are kept that reach it, in bytes.
    place: u16,
}

/// Makes the tables, leaf rows of `width` values. Where `stride` is not 0, a tree has room for so many rows, and where all
/// leaf numbers are below `FEW_LEAVES` they are chosen, with `planes` bits; else leaves are numbered from left to right.
pub fn build(
    forest: &Forest,
    splits: &mut [Split],
    flips: &mut [u16],
    trees: &mut [Tree],
    [values, ordered]: [&mut [u64]; 2],
    ([width, stride], planes): ([usize; 2], usize),
) {
    let (mut first, mut first_split, mut first_leaf, mut next_flip) = (0usize, 0usize, 0usize, 0usize);
    let chosen = stride > 0 && stride <= FEW_LEAVES;
    for (number, (tree, &size)) in trees.iter_mut().zip(forest.sizes).enumerate() {
        let mut all = [Node::default(); NODES];
        let Some(nodes) = all.get_mut(..2 * size as usize + 1) else { return };
        number_nodes(forest, first, None, nodes);
        let mut own = [Own { place: ROOT as u16, ..Own::default() }; NODES];
        let mut split = first_split;
        let mut add = |node: &Node, place: u16| {
            // A split's number is that of its children's pair.
            let mask = forest.tests.get(first_split + node.left as usize / 2) as u16;
            put(splits, split, Split { mask, node: place });
            split += 1;
        };
        let mut choice = Choice::new(nodes, &mut own, if chosen { planes } else { 0 });
        let (mut next, mut counts) = ((ROOT + WIDE) as u16, [0u32; 3]);
        for (at, node) in nodes.iter().enumerate().filter(|(_, node)| node.left > 0) {
            let Own { flip, kind, number, place } = choice.take(at, node);
            for (child, flipped) in (node.left as usize..).zip(flip.sides()) {
                let place = if kind == Kind::Kept { next } else { place };
                choice.settle(child, Own { number: number ^ flipped, place, ..Own::default() }, kind);
                next += if kind == Kind::Kept { WIDE as u16 } else { 0 };
            }
            if kind == Kind::Kept {
                add(node, place);
                counts[0] += 1;
            }
        }
        for (kind, count) in [Kind::Three, Kind::End].into_iter().zip(counts.iter_mut().skip(1)) {
            for (node, own) in nodes.iter().zip(&own).filter(|(_, own)| own.kind == kind) {
                add(node, own.place);
                // The ends of a unit, the right one first; what is kept at their places is `other`.
                for (child, other) in [(1, 0), (0, own.place)] {
                    if let Some(child) = nodes.get(node.left as usize + child).filter(|child| child.left > 0) {
                        add(child, other);
                    }
                }
                *count += 1;
            }
        }
        let [count, units @ ..] = counts;
        let start = if stride > 0 { number * stride } else { first_leaf };
        *tree = Tree {
            splits: first_split as u32,
            count,
            units: units.map(|count| count as u8),
            flips: next_flip as u32,
            values: start as u32,
            ordered: if chosen { first_leaf } else { start } as u32,
        };
        for bit in 0..planes {
            let start = next_flip;
            for (node, Own { flip, kind, .. }) in nodes.iter().zip(&own).filter(|(node, _)| node.left > 0) {
                if *kind == Kind::Kept && flip.bits >> bit & 1 == 1 {
                    next_flip += 1;
                    let side = node.left as usize + usize::from(!flip.left);
                    put(flips, next_flip, own.get(side).map_or(0, |side| side.place));
                }
            }
            // Behind them zeros.
            let count = (next_flip - start).next_multiple_of(TOGETHER);
            put(flips, start, count as u16);
            next_flip = start + 1 + count;
        }
        let leaves = nodes.iter().zip(&own).filter(|(node, _)| node.left == 0);
        for (leaf, (node, own)) in (first_leaf..).zip(leaves) {
            copy_row(forest, leaf, values, start + own.number as usize, width);
            copy_row(forest, leaf, ordered, first_leaf + node.from as usize, width);
        }
        first += nodes.len();
        first_split += size as usize;
        first_leaf += size as usize + 1;
    }
}

/// What is beyond a list is not written: it does not happen.
#[inline(always)]
fn put<T>(list: &mut [T], at: usize, value: T) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}

/// What a node's shape alone makes of it.
#[inline(never)]
fn shape(nodes: &[Node], at: usize) -> Kind {
    let Some(&Node { left: 1.., leaves, .. }) = nodes.get(at) else { return Kind::Other };
    match leaves {
        2 => Kind::End,
        3 => Kind::Three,
        _ => Kind::Kept,
    }
}

/// What a choice costs: a bit that a split flips; a unit that finds no room; too few faces (four numbers that differ in
/// the two first bits) for the units that are left. Of LightGBM's trees of 31 leaves (five bits; 1000 of them) some 17
/// splits are kept and flip some 22 bits, where 21 were kept and flipped 22 with numbers of six bits.
const BIT: i32 = 5;
const REFUSED: i32 = 20;
const FACE: i32 = 20;

/// Numbers for a tree's leaves, and the flips that make them, while its nodes are gone through breadth first.
struct Choice<'a> {
    nodes: &'a [Node],
    own: &'a mut [Own],
    /// Bits of a number, or 0: then numbers are not chosen.
    planes: usize,
    /// A bit for each number that is taken, or is none.
    used: u64,
    /// Faces that units want which are not settled.
    wanted: i32,
}

/// A bit for a number of leaves.
fn bit(number: u8) -> u64 {
    1 << (number & 63)
}

/// What a node of this kind takes beside its number to be a unit.
#[inline(never)]
fn room(kind: Kind, number: u8) -> u64 {
    let flips: u8 = match kind {
        Kind::Three => 0b1100,
        Kind::End => 0b0010,
        Kind::Kept | Kind::Other => 0,
    };
    (1..4).filter(|flip| flips >> flip & 1 == 1).fold(0, |room, flip| room | bit(number ^ flip))
}

impl<'a> Choice<'a> {
    /// The leaves are at most 2^planes.
    fn new(nodes: &'a [Node], own: &'a mut [Own], planes: usize) -> Choice<'a> {
        let used = u64::MAX.checked_shl(1 << planes).unwrap_or(0) | bit(0);
        let mut choice = Choice { nodes, own, planes, used, wanted: 0 };
        for (at, node) in nodes.iter().enumerate() {
            choice.want(at, node, 1);
        }
        choice.settle(0, choice.own.first().copied().unwrap_or_default(), Kind::Kept);
        choice
    }

    /// A split, whose number and place are known, with its flip.
    fn take(&mut self, at: usize, node: &Node) -> Own {
        self.want(at, node, -1);
        let mut own = self.own.get(at).copied().unwrap_or_default();
        if own.flip.bits == 0 {
            if self.planes > 0 {
                own.flip = self.flip(own.number, self.children(node));
            } else {
                let right = self.nodes.get(node.left as usize + 1).map_or(0, |right| right.from);
                own.flip.bits = (right ^ node.from) as u8;
                own.kind = if node.leaves == 2 && own.flip.bits == 1 { Kind::End } else { Kind::Kept };
            }
            put(self.own, at, own);
            // Taken, before the other child may take it for a unit.
            self.used |= bit(own.number ^ own.flip.bits);
        }
        own
    }

    fn children(&self, node: &Node) -> [Kind; 2] {
        [shape(self.nodes, node.left as usize), shape(self.nodes, node.left as usize + 1)]
    }

    /// Counts so many times what its children want of a node that is no unit.
    fn want(&mut self, at: usize, node: &Node, times: i32) {
        if shape(self.nodes, at) != Kind::Kept {
            return;
        }
        for kind in self.children(node) {
            self.wanted += if kind == Kind::Three { times } else { 0 };
        }
    }

    /// What it costs that there is no room for what is wanted.
    #[inline(never)]
    fn lack(&self, used: u64) -> i32 {
        let each = |bits: u64| u64::MAX / 15 * bits;
        let twos = used - (used >> 1 & each(5));
        let fours = (twos & each(3)) + (twos >> 2 & each(3));
        // A unit's first number is one that was taken before.
        let taken = (fours + each(6)) >> 3 & each(1);
        let free = 16 - taken.count_ones() as i32 - self.wanted;
        if free < 0 { -FACE * free } else { 0 }
    }

    /// Settles a node, whose number is taken, below one of a kind: a unit has its flips where there is room for all of it.
    fn settle(&mut self, at: usize, own: Own, above: Kind) {
        let Some(into) = self.own.get_mut(at) else { return };
        (into.number, into.place) = (own.number, own.place);
        let kind = shape(self.nodes, at);
        let need = room(kind, own.number);
        if above != Kind::Kept || self.planes == 0 || need == 0 || self.used & need != 0 {
            return;
        }
        self.used |= need;
        let left = self.nodes.get(at).map_or(0, |node| node.left) as usize;
        // A split beside a leaf flips on the side of the end.
        let turned = kind == Kind::Three && shape(self.nodes, left) == Kind::End;
        for (part, left, kind) in [(left, false, Kind::Other), (left + 1, false, Kind::Other), (at, turned, kind)] {
            let bits = match shape(self.nodes, part) {
                Kind::Other => continue,
                Kind::End => 1,
                _ => 2,
            };
            if let Some(own) = self.own.get_mut(part) {
                (own.flip, own.kind) = (Flip { bits, left }, kind);
            }
        }
    }

    /// The cheapest flip for a split with this number and children of these kinds.
    fn flip(&self, number: u8, kinds: [Kind; 2]) -> Flip {
        let mut best = (i32::MAX, Flip::default());
        for bits in 1..1u8 << self.planes {
            let (own, moved) = (BIT * bits.count_ones() as i32, bit(number ^ bits));
            for left in 0..2 {
                let flip = Flip { bits, left: left == 1 };
                let (mut used, mut cost) = (self.used | moved, own);
                if self.used & moved != 0 || cost >= best.0 {
                    continue;
                }
                for (kind, flipped) in kinds.into_iter().zip(flip.sides()) {
                    let need = room(kind, number ^ flipped);
                    cost += if used & need == 0 { 0 } else { REFUSED };
                    used |= if used & need == 0 { need } else { 0 };
                }
                cost += self.lack(used);
                if cost < best.0 {
                    best = (cost, flip);
                }
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of so many leaves, breadth first: each split is of a leaf that `pick` takes of so many.
    fn tree(leaves: usize, mut pick: impl FnMut(usize) -> usize) -> Vec<Node> {
        let mut children: Vec<Option<[usize; 2]>> = vec![None];
        let mut ends = vec![0];
        while ends.len() < leaves {
            let split = ends.swap_remove(pick(ends.len()));
            let next = children.len();
            children[split] = Some([next, next + 1]);
            children.extend([None, None]);
            ends.extend([next, next + 1]);
        }
        let (mut order, mut at, mut nodes) = (vec![0], 0, Vec::new());
        while at < order.len() {
            let left = if children[order[at]].is_some() { order.len() as u16 } else { 0 };
            nodes.push(Node { left, ..Node::default() });
            order.extend(children[order[at]].into_iter().flatten());
            at += 1;
        }
        for at in (0..nodes.len()).rev() {
            let left = nodes[at].left as usize;
            nodes[at].leaves = if left == 0 { 1 } else { nodes[left].leaves + nodes[left + 1].leaves };
        }
        nodes
    }

    #[test]
    fn leaves_have_numbers_of_their_own() {
        let mut state = 1u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % below
        };
        for planes in [5, 6] {
            for leaves in 1..=1 << planes {
                // Balanced, a chain, and anything between.
                for kind in 0..40 {
                    let nodes = tree(leaves, |count| match kind {
                        0 => 0,
                        1 => count - 1,
                        _ => random(count),
                    });
                    let mut all = vec![Own::default(); nodes.len()];
                    let mut choice = Choice::new(&nodes, &mut all, planes);
                    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| node.left > 0) {
                        let Own { flip, kind, number, .. } = choice.take(at, node);
                        for (child, flipped) in (node.left as usize..).zip(flip.sides()) {
                            choice.settle(child, Own { number: number ^ flipped, ..Own::default() }, kind);
                        }
                    }
                    let leaves_of = nodes.iter().zip(&all).filter(|(node, _)| node.left == 0);
                    let mut found: Vec<u8> = leaves_of.map(|(_, own)| own.number).collect();
                    assert!(found.iter().all(|&number| number < 1 << planes));
                    found.sort_unstable();
                    found.dedup();
                    assert_eq!(found.len(), leaves, "{planes} {kind}");
                }
            }
        }
    }
}

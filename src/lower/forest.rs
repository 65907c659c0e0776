//! Tree ensembles to the compact form of `runtime::forest`, and the choice of the kernel.

use super::args::Args;
use super::trees::{Forest, at_most_f32, at_most_f64};
use crate::image::Kernel;
use crate::model::{Aggregate, CategorySet, Ensemble, Leaves, Node, Test, Tree, Width};
use crate::runtime::deep;
use crate::runtime::forest::{Column, SHARED};
use crate::runtime::gather::{COLUMNS, MOST_VECTORS, THRESHOLDS};
use crate::runtime::lines;
use crate::runtime::quick;
use crate::runtime::sets::{FLAG_BITS, MISSING_LEFT, classes};
use crate::runtime::sliced::{DEPTH, FULL};
use crate::runtime::trees::{INFINITE, MISSING, OUTSIDE_LEFT, SUM32, TOWARD_ZERO, VECTOR};

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

/// A split as the compact form has it.
#[derive(Clone, Copy)]
enum Split {
    /// With a threshold rounded to the ensemble's width.
    Compare(Column, f64),
    /// A number of `Sets`.
    Member(usize),
}

/// An input, whether missing goes left, and the categories that do.
type Set<'a> = (u32, bool, &'a CategorySet);

/// The different sets that splits ask, by number as they come.
#[derive(Default)]
struct Sets<'a> {
    all: Vec<Set<'a>>,
    number: HashMap<Set<'a>, usize>,
}

impl<'a> Sets<'a> {
    fn number(&mut self, set: Set<'a>) -> usize {
        *self.number.entry(set).or_insert_with(|| {
            self.all.push(set);
            self.all.len() - 1
        })
    }

    /// By input, as the arguments have them, and the place of each.
    fn in_order(&self) -> (Vec<Set<'a>>, Vec<usize>) {
        let mut order: Vec<usize> = (0..self.all.len()).collect();
        order.sort_by_key(|&number| self.all[number].0);
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, &number)| places[number] = place);
        (order.iter().map(|&number| self.all[number]).collect(), places)
    }
}

/// Behind the other arguments.
fn write_sets(args: &mut Args, sets: &[Set]) {
    let flags = |&(_, missing_left, set): &Set| {
        let flags = [(set.outside_left, OUTSIDE_LEFT), (set.toward_zero, TOWARD_ZERO), (missing_left, MISSING_LEFT)];
        flags.iter().filter(|flag| flag.0).fold(set.size << FLAG_BITS, |word, flag| word | flag.1)
    };
    let of_input = |own: &[Set]| [own[0].0, own.len() as u32, most_categories(own)];
    let inputs: Vec<u32> = sets.chunk_by(|a, b| a.0 == b.0).flat_map(of_input).collect();
    let left: Vec<u32> = sets.iter().flat_map(|set| set.2.left.iter().copied()).collect();
    args.u32s(&[inputs.len() as u32 / 3, sets.len() as u32, left.len() as u32]);
    args.u32s(&inputs).u32s(&sets.iter().map(flags).collect::<Vec<_>>()).u32s(&left);
}

/// One tree, breadth first.
struct Flat<'a> {
    /// Its output (0 where leaves have a value for each) and leaf values.
    output: u32,
    values: &'a [f64],
    shape: Vec<bool>,
    splits: Vec<Split>,
    /// Leaf rows of the original tree.
    leaves: Vec<u32>,
    depth: u32,
}

impl Flat<'_> {
    /// A leaf's values; adding -0 changes nothing.
    fn row(&self, leaf: u32, width: usize) -> Cow<'_, [f64]> {
        match leaf {
            ELSEWHERE => vec![-0.0; width].into(),
            leaf => self.values[leaf as usize * width..(leaf as usize + 1) * width].into(),
        }
    }

    fn compared(&self) -> impl Iterator<Item = (Column, f64)> {
        self.splits.iter().filter_map(|split| match *split {
            Split::Compare(column, threshold) => Some((column, threshold)),
            Split::Member(_) => None,
        })
    }
}

/// The leaf of a piece where another piece has the rows.
const ELSEWHERE: u32 = u32::MAX;

/// Leaves of the largest trees that bits are made of.
pub const MOST_LEAVES: usize = 256;

/// Most pieces of a tree.
const MOST_PIECES: usize = 16;

/// Pieces of a tree, each of at most `MOST_LEAVES` leaves: a row reaches its leaf in one, and in the others one that is
/// `ELSEWHERE`. A piece is what is left of the tree where other pieces are cut off, or hangs on the way from the root;
/// the largest that fits is cut off first. None where they were too many.
fn cut<'a>(tree: &Flat<'a>) -> Option<Vec<Flat<'a>>> {
    let nodes = tree.shape.len();
    // Of each node its left child and its place among splits or leaves.
    let (mut lefts, mut places, mut splits) = (vec![0; nodes], vec![0; nodes], 0);
    let (mut parents, mut depths) = (vec![0; nodes], vec![0; nodes]);
    for node in 0..nodes {
        places[node] = node - splits;
        if tree.shape[node] {
            (lefts[node], places[node]) = (2 * splits + 1, splits);
            for child in lefts[node]..lefts[node] + 2 {
                (parents[child], depths[child]) = (node, depths[node] + 1);
            }
            splits += 1;
        }
    }
    // Leaves below each node, as the pieces go that are cut off.
    let mut leaves = vec![1; nodes];
    for node in (0..nodes).rev().filter(|&node| tree.shape[node]) {
        leaves[node] = leaves[lefts[node]] + leaves[lefts[node] + 1];
    }
    let (mut roots, mut is_root) = (Vec::new(), vec![false; nodes]);
    while leaves[0] > MOST_LEAVES {
        // Each split of the way has a leaf on its other side.
        let fits = |&node: &usize| leaves[node] > 1 && leaves[node] + depths[node] <= MOST_LEAVES;
        let root = (1..nodes).filter(fits).max_by_key(|&node| leaves[node])?;
        if roots.len() + 2 > MOST_PIECES {
            return None;
        }
        let (mut at, less) = (root, leaves[root] - 1);
        while at > 0 {
            at = parents[at];
            leaves[at] -= less;
        }
        let mut below = vec![root];
        while let Some(node) = below.pop() {
            leaves[node] = 1;
            if tree.shape[node] && !is_root[node] {
                below.extend([lefts[node], lefts[node] + 1]);
            }
        }
        is_root[root] = true;
        roots.push(root);
    }
    roots.push(0);
    let piece = |&root: &usize| {
        let (mut on_way, mut at) = (vec![false; nodes], root);
        while at > 0 {
            at = parents[at];
            on_way[at] = true;
        }
        let mut piece = Flat { shape: Vec::new(), splits: Vec::new(), leaves: Vec::new(), ..*tree };
        let mut open = VecDeque::from([(0, 0, root == 0)]);
        while let Some((node, depth, own)) = open.pop_front() {
            piece.depth = depth;
            let own = own || node == root;
            let here = if own { node == root || !is_root[node] } else { on_way[node] };
            piece.shape.push(here && tree.shape[node]);
            match (here, tree.shape[node]) {
                (true, true) => {
                    piece.splits.push(tree.splits[places[node]]);
                    open.extend([(lefts[node], depth + 1, own), (lefts[node] + 1, depth + 1, own)]);
                }
                (true, false) => piece.leaves.push(tree.leaves[places[node]]),
                (false, _) => piece.leaves.push(ELSEWHERE),
            }
        }
        piece
    };
    Some(roots.iter().map(piece).collect())
}

/// The compact form, where all splits are such as it can hold and a kernel of that form pays;
/// `args` are empty, and stay so where it is None; `features` are the inputs.
pub fn lower(args: &mut Args, ensemble: &Ensemble, features: &[u32]) -> Option<Forest> {
    write(args, ensemble, features, cuts, choose)
}

fn write(
    args: &mut Args,
    ensemble: &Ensemble,
    features: &[u32],
    cuts: impl FnOnce(&Shape) -> bool,
    choose: impl FnOnce(&Shape) -> Option<Choice>,
) -> Option<Forest> {
    let narrow = ensemble.compare == Width::F32;
    let vector = matches!(ensemble.trees.first()?.leaves, Leaves::Vector(_));
    let (mut flat, sets) = flat_trees(ensemble, features)?;
    let (sets, places) = sets.in_order();
    let mut columns: Vec<Column> = flat.iter().flat_map(|tree| tree.compared()).map(|(column, _)| column).collect();
    columns.sort_unstable();
    columns.dedup();
    let column_of: HashMap<Column, u32> = columns.iter().copied().zip(0..).collect();
    // Sums of different outputs do not meet: sorted by output, trees are added in the same order to each.
    flat.sort_by_key(|tree| tree.output);

    let compared = flat.iter().flat_map(|tree| tree.compared());
    let mut thresholds: Vec<(u32, f64)> = compared.map(|(column, at)| (column_of[&column], at)).collect();
    thresholds.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    thresholds.dedup();
    let shape = |flat: &[Flat]| {
        Some(Shape {
            trees: flat.len(),
            splits: flat.iter().map(|tree| tree.splits.len()).sum(),
            most: flat.iter().map(|tree| tree.splits.len()).max()?,
            depth: flat.iter().map(|tree| tree.depth).max()?,
            thresholds: thresholds.len(),
            most_thresholds: most_of_a_column(&thresholds),
            columns: columns.len(),
            parts: parts(&thresholds, THRESHOLDS).count(),
            sets: sets.len(),
            set_inputs: sets.chunk_by(|a, b| a.0 == b.0).count(),
            classes: sets.chunk_by(|a, b| a.0 == b.0).map(|own| classes(most_categories(own))).sum(),
            narrow,
            single: !vector && ensemble.sum == Width::F64,
            averages: matches!(ensemble.aggregate, Aggregate::Divide(_)),
        })
    };
    if cuts(&shape(&flat)?)
        && let Some(pieces) = flat.iter().map(cut).collect::<Option<Vec<_>>>()
    {
        flat = pieces.into_iter().flatten().collect();
    }
    let shape = shape(&flat)?;
    let choice = choose(&shape)?;
    let shared = choice.shared.then(|| {
        let number =
            |(place, &(column, threshold)): (usize, &(u32, f64))| ((column, threshold.to_bits()), place as u64);
        thresholds.iter().enumerate().map(number).collect::<HashMap<_, _>>()
    });

    let width = if vector { ensemble.outputs() } else { 1 };
    let (mut rows, mut seen, mut leaf_rows) = (Vec::new(), HashMap::new(), Vec::new());
    for tree in &flat {
        for &leaf in &tree.leaves {
            let row = tree.row(leaf, width);
            let next = seen.len() as u64;
            let number = *seen.entry(row.iter().map(|value| value.to_bits()).collect::<Vec<_>>()).or_insert(next);
            if number == next {
                rows.extend_from_slice(&row);
            }
            leaf_rows.push(number);
        }
    }
    let sum32 = ensemble.sum == Width::F32;
    let value_bytes = if sum32 { 4 } else { 8 };
    let mut leaf_width = bytes_for(seen.len());
    if (seen.len() * width * value_bytes + leaf_rows.len() * leaf_width) >= leaf_rows.len() * width * value_bytes {
        // Numbers would take more than they save.
        leaf_width = 0;
        rows.clear();
        for tree in &flat {
            for &leaf in &tree.leaves {
                rows.extend_from_slice(&tree.row(leaf, width));
            }
        }
    }

    let flags = [
        (ensemble.missing, MISSING),
        (ensemble.infinite, INFINITE),
        (vector, VECTOR),
        (sum32, SUM32),
        (shared.is_some(), SHARED),
    ];
    let flags = flags.iter().filter(|flag| flag.0).fold(choice.flags, |flags, flag| flags | flag.1);
    let tests: Vec<u64> = flat
        .iter()
        .flat_map(|tree| &tree.splits)
        .map(|split| match (*split, &shared) {
            (Split::Member(set), _) => (thresholds.len() + places[set]) as u64,
            (Split::Compare(column, at), Some(numbers)) => numbers[&(column_of[&column], at.to_bits())],
            (Split::Compare(column, _), None) => column_of[&column].into(),
        })
        .collect();
    let own: Vec<f64> = match shared {
        Some(_) => thresholds.iter().map(|&(_, threshold)| threshold).collect(),
        None => flat.iter().flat_map(|tree| tree.compared()).map(|(_, at)| at).collect(),
    };
    let (columns, counts): (Vec<u32>, Vec<u32>) =
        parts(&thresholds, choice.most).map(|(column, count)| (columns[column as usize].word(), count)).unzip();
    let test_width = bytes_for(if choice.shared { thresholds.len() + sets.len() } else { columns.len() });
    args.u32s(&[
        flags,
        u32::try_from(flat.len()).ok()?,
        u32::try_from(shape.splits).ok()?,
        u32::try_from(rows.len() / width).ok()?,
        columns.len() as u32,
        u32::try_from(own.len()).ok()?,
        test_width as u32,
        leaf_width as u32,
    ]);
    args.f64(match ensemble.aggregate {
        Aggregate::Sum => 0.0,
        Aggregate::Divide(by) => by,
    });
    args.f64s(&ensemble.base);
    args.u32s(&flat.iter().map(|tree| tree.splits.len() as u32).collect::<Vec<_>>());
    if !vector {
        args.u32s(&flat.iter().map(|tree| tree.output).collect::<Vec<_>>());
    }
    args.u32s(&columns);
    if choice.shared {
        args.u32s(&counts);
    }
    let float = |narrow: bool, value: f64| if narrow { u64::from((value as f32).to_bits()) } else { value.to_bits() };
    planes(args, own.iter().map(|&threshold| float(narrow, threshold)), if narrow { 4 } else { 8 });
    let shape: Vec<bool> = flat.iter().flat_map(|tree| tree.shape.iter().copied()).collect();
    let byte = |bits: &[bool]| bits.iter().rev().fold(0u8, |byte, &bit| byte << 1 | u8::from(bit));
    args.u8s(&shape.chunks(8).map(byte).collect::<Vec<_>>());
    planes(args, tests.into_iter(), test_width);
    planes(args, leaf_rows.into_iter(), leaf_width);
    planes(args, rows.iter().map(|&value| float(sum32, value)), value_bytes);
    if !sets.is_empty() {
        write_sets(args, &sets);
    }
    if args.tables(choice.kernel, features.len(), ensemble.outputs()).is_none() {
        // More tables than an image may have.
        *args = Args::default();
        return None;
    }
    Some(Forest { kernel: choice.kernel, features: features.to_vec(), scratch: 0 })
}

/// The trees with the columns that their splits ask; None where a split is not one that the form can hold.
fn flat_trees<'a>(ensemble: &'a Ensemble, features: &[u32]) -> Option<(Vec<Flat<'a>>, Sets<'a>)> {
    let mut sets = Sets::default();
    let place: HashMap<u32, u32> = features.iter().copied().zip(0..).collect();
    let mut flat = Vec::with_capacity(ensemble.trees.len());
    for tree in &ensemble.trees {
        flat.push(flatten(tree, |feature, test, missing_left| {
            if let Test::In(set) = test {
                let set = &ensemble.sets[set as usize];
                return Some(Split::Member(sets.number((place[&feature], ensemble.missing && missing_left, set))));
            }
            let threshold =
                if ensemble.compare == Width::F32 { f64::from(at_most_f32(test)) } else { at_most_f64(test) };
            let zeros = if matches!(test, Test::LessEqualNonzero(_)) { Column::NO_ZEROS } else { 0 };
            let right = (ensemble.missing || zeros > 0) && !missing_left;
            if threshold.is_nan() {
                return None;
            }
            // There missing would be read as infinity: what is not missing goes left.
            if right && threshold == f64::INFINITY {
                return Some(Split::Compare(Column::new(place[&feature], Column::ABSENT | zeros), 0.0));
            }
            let side = if right { Column::RIGHT } else { Column::LEFT };
            // -0 and 0 decide alike.
            Some(Split::Compare(Column::new(place[&feature], side | zeros), threshold + 0.0))
        })?);
    }
    read_as_zero(&mut flat);
    Some((flat, sets))
}

fn most_categories(sets: &[Set]) -> u32 {
    sets.iter().map(|set| set.2.size).max().unwrap_or(0)
}

/// Where the splits of an input disagree about the side of missing values, but every one sends them where it sends 0, makes
/// them one column: that is what LightGBM does with them when training has seen none.
fn read_as_zero(flat: &mut [Flat]) {
    let mut sides: HashMap<Column, bool> = HashMap::new();
    for (column, threshold) in flat.iter().flat_map(|tree| tree.compared()) {
        let zero_left = 0.0 <= threshold;
        let agrees = match column.kind() {
            Column::LEFT => zero_left,
            Column::RIGHT => !zero_left,
            _ => continue,
        };
        *sides.entry(column).or_insert(true) &= agrees;
    }
    for split in flat.iter_mut().flat_map(|tree| &mut tree.splits) {
        let Split::Compare(column, _) = split else { continue };
        let of = |kind: u32| sides.get(&Column::new(column.input() as u32, kind)) == Some(&true);
        if column.is_plain() && of(Column::LEFT) && of(Column::RIGHT) {
            *column = Column::new(column.input() as u32, Column::AS_ZERO);
        }
    }
}

/// Thresholds of the column that has most; sorted.
fn most_of_a_column(thresholds: &[(u32, f64)]) -> u32 {
    let columns = thresholds.chunk_by(|a, b| a.0 == b.0);
    columns.map(|own| own.len() as u32).max().unwrap_or(0)
}

/// The columns, each as often as its thresholds are more than `most`, and how many of them each time; sorted.
fn parts(thresholds: &[(u32, f64)], most: u32) -> impl Iterator<Item = (u32, u32)> {
    thresholds.chunk_by(|a, b| a.0 == b.0).flat_map(move |own| {
        let size = own.len().div_ceil(own.len().div_ceil(most as usize));
        own.chunks(size).map(|part| (part[0].0, part.len() as u32))
    })
}

/// How many bytes hold the numbers below `count`.
fn bytes_for(count: usize) -> usize {
    let bits = usize::BITS - count.saturating_sub(1).leading_zeros();
    (bits.div_ceil(8) as usize).max(1)
}

fn planes(args: &mut Args, numbers: impl Iterator<Item = u64> + Clone, width: usize) {
    for byte in 0..width {
        args.u8s(&numbers.clone().map(|number| (number >> (8 * byte)) as u8).collect::<Vec<_>>());
    }
}

/// None where a split is not one that the form can hold.
fn flatten(tree: &Tree, mut split: impl FnMut(u32, Test, bool) -> Option<Split>) -> Option<Flat<'_>> {
    let (output, values) = match &tree.leaves {
        Leaves::Scalar { output, values } => (*output, values),
        Leaves::Vector(values) => (0, values),
        Leaves::Linear { .. } => return None,
    };
    let mut flat = Flat { output, values, shape: Vec::new(), splits: Vec::new(), leaves: Vec::new(), depth: 0 };
    let mut open = VecDeque::from([(0u32, 0u32)]);
    while let Some((node, depth)) = open.pop_front() {
        flat.depth = depth;
        match tree.nodes[node as usize] {
            Node::Leaf(leaf) => {
                flat.shape.push(false);
                flat.leaves.push(leaf);
            }
            Node::Split { feature, test, missing_left, left, right } => {
                flat.shape.push(true);
                flat.splits.push(split(feature, test, missing_left)?);
                open.extend([(left, depth + 1), (right, depth + 1)]);
            }
        }
    }
    Some(flat)
}

/// What the choice depends on.
struct Shape {
    trees: usize,
    splits: usize,
    /// Splits of the largest tree.
    most: usize,
    depth: u32,
    /// Different ones.
    thresholds: usize,
    /// Of a column.
    most_thresholds: u32,
    columns: usize,
    /// Of columns, where one of more thresholds than a byte counts is several.
    parts: usize,
    /// Different category sets, the inputs that they ask, and the classes of these inputs' values.
    sets: usize,
    set_inputs: usize,
    classes: u64,
    narrow: bool,
    /// A leaf is one f64.
    single: bool,
    /// The sums are divided: a forest.
    averages: bool,
}

struct Choice {
    kernel: Kernel,
    shared: bool,
    flags: u32,
    /// Most thresholds of a column: one that has more is several.
    most: u32,
}

/// Ensembles of fewer splits take the plain walk.
const FEW: usize = 250;

/// And averages of trees, a forest's, of fewer splits walks.
const FEW_AVERAGED: [usize; 2] = [400, 1250];

/// Whether trees of more leaves than bits are made of are cut into pieces that have few enough (`cut`).
///
/// With category sets they always are, if there are not too many pieces, for else there is the plain walk: 100 trees of LightGBM of 300
/// leaves, a quarter of the columns categories, take 860 ns a row in place of 14 300, and half the bytes.
///
/// Else where that took less than `deep` when that walked: with a split's share of a column's masks, 0.024 ns a split and 0.013 a threshold, where
/// `deep` takes 8 to 20 a tree. In a batch, nanoseconds a row by `deep` and in pieces, 60 trees over 20 columns: LightGBM of 300
/// leaves 734 and 375, of 700 940 and 739, of 1000 957 and 905, of 1500 1285 and 1484; XGBoost of 360 leaves 502 and 367, of 560
/// 576 and 550, of 840 667 and 774. Single rows take half to three quarters, where their ranks are bytes. A forest's columns
/// have more thresholds than that, mostly (of 500 leaves 855 and 1114); of 500 leaves and few thresholds it took 786 and
/// 669, but single rows 2050 and 2600.
fn cuts(shape: &Shape) -> bool {
    let most = if shape.averages { 400 } else { 750 };
    let pays = || {
        shape.most_thresholds <= THRESHOLDS
            && vectors(shape).is_some()
            && shape.splits + shape.thresholds / 2 <= most * shape.trees
    };
    shape.most >= MOST_LEAVES && (shape.sets > 0 || pays())
}

/// Which kernel, from the ensemble's shape. None: neither, and `lower::trees` takes the plain walk.
///
/// - Fewer than 8 trees or 250 splits stay with the plain walk, whose code is the smallest: 3 KB gzipped. 150 splits (50
///   trees of depth 2) take it 370 ns a row in a package of 13 KB; the bits below would make that 83 ns and 23 KB.
/// - A forest stays with walks up to 1250 splits, plain ones up to 400, eight rows at a time from there on: its native
///   predictor takes microseconds a row, and the code of the bits is 8 KB more than that of `walk`.
/// - Up to 256 leaves a tree: bits. 300 splits (100 trees of depth 2) take 94 ns, where plain walks took 676 and XGBoost
///   405. What others take is in docs/design.md; trees of more than 64 leaves were not timed.
/// - Trees that are nearly full are filled up, to three times their leaves at most; where that stops paying was not
///   measured.
/// - Else eight walks at a time, from 8000 splits on in pieces.
fn choose(shape: &Shape) -> Option<Choice> {
    let [few, small] = if shape.averages { FEW_AVERAGED } else { [FEW; 2] };
    if shape.trees < 8 || shape.splits < few {
        return None;
    }
    if shape.splits < small {
        return walk(shape);
    }
    let depth = shape.depth.max(3);
    if shape.thresholds + shape.sets < 1 << 16 && shape.most < MOST_LEAVES && shape.columns + shape.sets > 0 {
        let full = depth <= 8 && (shape.trees << depth) <= 3 * (shape.splits + shape.trees);
        let flags = if full { FULL | depth << DEPTH } else { leaf_bits(shape) << DEPTH };
        if shape.sets > 0 && !takes_sets(shape, flags) {
            return None;
        }
        let (kernel, most) = match vectors(shape) {
            Some(vectors) => (gathered(shape, full, vectors), THRESHOLDS),
            None => (sliced(shape, flags), u32::MAX),
        };
        return Some(Choice { kernel, shared: true, flags, most });
    }
    let deep = deeper(shape) && shape.splits >= DEEP;
    walk(shape).map(|walk| Choice { kernel: if deep { deep_kernel(shape) } else { walk.kernel }, ..walk })
}

fn sliced(shape: &Shape, flags: u32) -> Kernel {
    match (shape.narrow, shape.sets > 0, flags >> DEPTH > 6) {
        (true, false, _) => Kernel::Sliced32,
        (false, false, _) => Kernel::Sliced64,
        (true, true, false) => Kernel::Sliced32Sets,
        (false, true, false) => Kernel::Sliced64Sets,
        (true, true, true) => Kernel::Sliced32WideSets,
        (false, true, true) => Kernel::Sliced64WideSets,
    }
}

/// The kernel whose ranks are so many vectors, of trees that are filled up or of others.
fn gathered(shape: &Shape, full: bool, vectors: usize) -> Kernel {
    use Kernel::*;
    let [two, four, eight, sixteen] = match (full, shape.narrow) {
        (true, true) => [Gathered32, Gathered32x4, Gathered32x8, Gathered32x16],
        (true, false) => [Gathered64, Gathered64x4, Gathered64x8, Gathered64x16],
        (false, true) => [Grouped32, Grouped32x4, Grouped32x8, Grouped32x16],
        (false, false) if shape.single && leaf_bits(shape) <= 5 => [Placed64, Placed64x4, Placed64x8, Placed64x16],
        (false, false) => [Grouped64, Grouped64x4, Grouped64x8, Grouped64x16],
    };
    match vectors {
        0..=2 => two,
        3..=4 => four,
        5..=8 => eight,
        _ => sixteen,
    }
}

/// Whether single rows have a fast way with category sets, for walks have none.
fn takes_sets(shape: &Shape, flags: u32) -> bool {
    quick::width(1 << (flags >> DEPTH), shape.trees, shape.columns + shape.set_inputs, shape.classes).is_some()
}

/// Ensembles of fewer splits are walked from the root: the code that is spared is 5 KB gzipped.
const DEEP: usize = 8000;

/// Whether trees can be cut in pieces.
fn deeper(shape: &Shape) -> bool {
    let tells_apart = !shape.narrow || shape.columns <= lines::COLUMNS;
    let fits = shape.columns + shape.splits / deep::MOST <= deep::COLUMNS / 2;
    shape.columns > 0 && tells_apart && fits && shape.splits < 1 << 22
}

fn deep_kernel(shape: &Shape) -> Kernel {
    if shape.narrow { Kernel::Deep32 } else { Kernel::Deep64 }
}

/// How many vectors a row's ranks are, a byte each; None where that does not do.
///
/// A column of more thresholds than a byte counts is several then, to which a batch's values are ranked one by one. Columns, with
/// the parts, and nanoseconds before and now (one row; a row of a batch): XGBoost's exact splits over 60 and 66 4060 and 1730, 251
/// and 259; over 28 and 35 1910 and 990, 167 and 181; over 10 and 22 930 and 650, 115 and 131; over 10 and 47 2240 and 1190, 275
/// and 327. Forests over 20 and 47 3890 and 2780, 524 and 532; over 10 and 50 2300 and 2450, 351 and 432; over 20 and 90 2410 and
/// 3770, 604 and 710.
fn vectors(shape: &Shape) -> Option<usize> {
    let vectors = shape.parts.div_ceil(COLUMNS);
    (vectors <= MOST_VECTORS && shape.parts <= shape.columns + MOST_MORE && shape.sets == 0).then_some(vectors)
}

/// Most parts beside the columns.
const MOST_MORE: usize = 32;

/// Bits of the largest leaf number.
fn leaf_bits(shape: &Shape) -> u32 {
    usize::BITS - shape.most.leading_zeros()
}

fn walk(shape: &Shape) -> Option<Choice> {
    // The widths of a walk's node.
    let limit = if shape.narrow { 1 << 16 } else { u32::MAX as usize };
    if shape.columns + 1 >= limit || 2 * shape.most + 1 >= limit || shape.sets > 0 {
        return None;
    }
    // Bytes of a threshold in a list and of its number, or of a threshold and its column at every split; numbers
    // compress worse.
    let (listed, own) = (if shape.narrow { 4 } else { 8 }, bytes_for(shape.columns));
    let shared =
        shape.thresholds * listed + shape.splits * bytes_for(shape.thresholds) < shape.splits * (listed + own);
    let kernel = if shape.narrow { Kernel::Walk32 } else { Kernel::Walk64 };
    Some(Choice { kernel, shared, flags: 0, most: u32::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{BLOCK, BLOCK_OF_PIECES};
    use crate::lower::args::{Operation, image};
    use crate::runtime::host::Machine;
    use crate::runtime::trees::ZERO;
    use std::collections::BTreeSet;

    struct Random(u64);

    impl Random {
        fn below(&mut self, most: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) % most
        }
    }

    /// Grows a tree by splitting random leaves (or level by level), until it has so many or is so deep.
    fn tree(
        random: &mut Random,
        leaves: usize,
        most_depth: u32,
        level: bool,
        split: &mut impl FnMut(&mut Random) -> Node,
        output: Option<u32>,
        outputs: usize,
    ) -> Tree {
        let mut nodes = vec![Node::Leaf(0)];
        let mut open = vec![(0usize, 0u32)];
        let mut count = 1;
        while count < leaves && !open.is_empty() {
            let pick = if level { 0 } else { random.below(open.len() as u64) as usize };
            let (at, depth) = open.remove(pick);
            if depth == most_depth {
                continue;
            }
            let child = nodes.len() as u32;
            let (left, right) = if random.below(2) == 0 { (child, child + 1) } else { (child + 1, child) };
            let Node::Split { feature, test, missing_left, .. } = split(random) else { unreachable!() };
            nodes[at] = Node::Split { feature, test, missing_left, left, right };
            nodes.extend([Node::Leaf(0); 2]);
            open.extend([(child as usize, depth + 1), (child as usize + 1, depth + 1)]);
            count += 1;
        }
        let mut leaf = 0;
        for node in &mut nodes {
            if let Node::Leaf(number) = node {
                *number = leaf;
                leaf += 1;
            }
        }
        let width = if output.is_some() { 1 } else { outputs };
        // Few values in some trees, so that rows repeat.
        let kinds = [3, 1 << 20][random.below(2) as usize];
        let values =
            (0..leaf as usize * width).map(|_| f64::from((random.below(kinds) as f32 - 1.3) / 7.0)).collect();
        let leaves = match output {
            Some(output) => Leaves::Scalar { output, values },
            None => Leaves::Vector(values),
        };
        Tree { nodes, leaves }
    }

    fn laid_out(ensemble: &Ensemble, piece: (Args, Forest)) -> Vec<u8> {
        laid_out_for(ensemble, piece, BLOCK)
    }

    /// For blocks of so many rows.
    fn laid_out_for(ensemble: &Ensemble, piece: (Args, Forest), block: usize) -> Vec<u8> {
        let (args, forest) = piece;
        let (kernel, columns, outputs) = (forest.kernel, ensemble.features, ensemble.outputs() as u32);
        let operation = Operation {
            kernel: forest.kernel,
            inputs: forest.features,
            output: columns,
            outputs,
            scratch: columns + outputs,
            args,
        };
        let image = image(columns, columns + outputs + forest.scratch, block as u32, &[operation]).unwrap();
        assert!(Machine::open(&image).is_ok(), "{kernel:?} is not sound");
        image
    }

    /// An ensemble, and what its thresholds are of.
    fn drawn(random: &mut Random) -> (Ensemble, Vec<f64>) {
        let features = [1, 3, 28, 70][random.below(4) as usize];
        let compare = [Width::F32, Width::F64][random.below(2) as usize];
        let sum = [Width::F32, Width::F64][random.below(2) as usize];
        let outputs = [1, 1, 3][random.below(3) as usize];
        let vector = random.below(3) == 0;
        let (missing, infinite) = (random.below(2) == 0, random.below(2) == 0);
        let level = random.below(2) == 0;
        let depth = [1, 2, 3, 5, 6, 8, 30][random.below(7) as usize];
        let leaves = [1, 2, 7, 31, 64, 200, 256, 700][random.below(8) as usize];
        let grid = [2, 5, 40, 300, 5000][random.below(5) as usize];
        // Thresholds of every size, many close together or far apart.
        let spread = random.below(4);
        let mut values = Vec::new();
        for _ in 0..grid {
            let unit = random.below(1 << 24) as f64 / f64::from(1 << 23) - 1.0;
            values.push(match spread {
                0 => unit,
                1 => unit * 10f64.powi(random.below(70) as i32 - 40),
                2 => f64::from(f32::from_bits(random.below(1 << 32) as u32)),
                _ => (unit * 3.0).round(),
            });
        }
        values.extend([0.0, -0.0, 1e-45, -1e-45, f64::from(f32::MAX), f64::from(f32::MIN), 5e-324, 1e300]);
        if infinite {
            values.extend([f64::NEG_INFINITY, f64::INFINITY]);
        }
        values.retain(|value| !value.is_nan() && (value.is_finite() || infinite));
        // What LightGBM takes for zero, and what lies beside it.
        let zero = [ZERO, f64::from((ZERO as f32).next_up()), f64::from((ZERO as f32).next_down()), ZERO.next_up()];
        values.extend(zero.iter().flat_map(|&near| [near, -near]));
        let strict = random.below(2) == 0;
        // By column, how missing values are decided: any way, as 0, with zeros, or all of these.
        let sides: Vec<u64> = match random.below(5) {
            4 => (0..features).map(|_| random.below(4)).collect(),
            side => vec![side; features as usize],
        };
        // In some ensembles splits ask category sets, of few inputs or all.
        let asking = if random.below(3) == 0 { [1, 2, features][random.below(3) as usize] } else { 0 };
        let sets = if asking > 0 { [1, 9, 300][random.below(3) as usize] } else { 0 };
        let widest = [8, 70][random.below(2) as usize];
        let sets: Vec<CategorySet> = (0..sets)
            .map(|_| {
                let left: Vec<bool> = (0..random.below(widest)).map(|_| random.below(2) == 0).collect();
                let set = CategorySet::new(left.len() as u32, random.below(2) == 0, |k| left[k as usize]);
                CategorySet { toward_zero: random.below(2) == 0, ..set }
            })
            .collect();
        let mut split = |random: &mut Random| {
            let threshold = values[random.below(values.len() as u64) as usize];
            let (feature, missing_left) = (random.below(features) as u32, random.below(3) == 0);
            if u64::from(feature) < asking && random.below(3) > 0 {
                let test = Test::In(random.below(sets.len() as u64) as u32);
                return Node::Split { feature, test, missing_left, left: 0, right: 0 };
            }
            let side = sides[feature as usize];
            let (test, zero_left) = match strict && threshold > f64::MIN && threshold as f32 > f32::MIN {
                _ if side == 2 || side == 3 && random.below(2) == 0 => {
                    (Test::LessEqualNonzero(threshold), missing_left)
                }
                true => (Test::Less(threshold), 0.0 < threshold),
                false => (Test::LessEqual(threshold), 0.0 <= threshold),
            };
            let missing_left = if side == 1 || side == 3 { zero_left } else { missing_left };
            Node::Split { feature, test, missing_left, left: 0, right: 0 }
        };
        let trees = (0..1 + random.below(30))
            .map(|number| {
                let output = (!vector).then_some((number % outputs) as u32);
                let leaves = if random.below(4) == 0 { 1 + random.below(leaves) } else { leaves };
                tree(random, leaves as usize, depth, level, &mut split, output, outputs as usize)
            })
            .collect();
        let ensemble = Ensemble {
            compare,
            sum,
            features: features as u32,
            base: (0..outputs).map(|output| output as f64 / 4.0 - 0.25).collect(),
            trees,
            sets,
            aggregate: [Aggregate::Sum, Aggregate::Divide(7.0)][random.below(2) as usize],
            missing,
            infinite,
        };
        ensemble.check().unwrap();
        (ensemble, values)
    }

    /// Its image by every kernel that can hold it, by name; the plain walk's is the first.
    fn by_kernel(ensemble: &Ensemble, round: usize) -> Vec<(&'static str, Vec<u8>)> {
        let all: Vec<u32> = (0..ensemble.features).collect();
        let mut args = Args::default();
        let plain = super::super::trees::plain(&mut args, ensemble, all.clone()).unwrap();
        let mut images = vec![("plain", laid_out(ensemble, (args, plain)))];
        let mut with = |name: &'static str, choose: &dyn Fn(&Shape) -> Option<Choice>| {
            let mut args = Args::default();
            let name = match name {
                "sliced" if !ensemble.sets.is_empty() => "sets",
                "sliced, full" if !ensemble.sets.is_empty() => "sets, full",
                name => name,
            };
            let bits = |shape: &Shape| shape.most >= MOST_LEAVES && !["walk", "walk, shared", "deep"].contains(&name);
            let cuts = |shape: &Shape| if name == "chosen" { cuts(shape) } else { bits(shape) };
            if let Some(forest) = write(&mut args, ensemble, &all, cuts, choose) {
                images.push((name, laid_out(ensemble, (args, forest))));
            }
        };
        let small = |shape: &Shape| {
            shape.thresholds + shape.sets < 1 << 16 && shape.most < MOST_LEAVES && shape.columns + shape.sets > 0
        };
        with("walk", &|shape| walk(shape).map(|choice| Choice { shared: false, ..choice }));
        with("deep", &|shape| {
            let kernel = deep_kernel(shape);
            walk(shape).filter(|_| shape.columns > 0).map(|choice| Choice {
                kernel,
                shared: round.is_multiple_of(2),
                ..choice
            })
        });
        with("walk, shared", &|shape| walk(shape).map(|choice| Choice { shared: true, ..choice }));
        with("sliced", &|shape| {
            let flags = leaf_bits(shape) << DEPTH;
            small(shape).then(|| Choice { kernel: sliced(shape, flags), shared: true, flags, most: u32::MAX })
        });
        with("sliced, full", &|shape| {
            let flags = FULL | shape.depth.max(3) << DEPTH;
            let fits = shape.depth <= 8 && shape.trees << shape.depth.max(3) <= 8 * (2 * shape.splits + shape.trees);
            (small(shape) && fits).then(|| Choice {
                kernel: sliced(shape, flags),
                shared: true,
                flags,
                most: u32::MAX,
            })
        });
        // More vectors than are needed do, too.
        for (least, names) in [(1, ["gathered", "grouped"]), (3 + round % 14, ["gathered, more", "grouped, more"])] {
            with(names[0], &|shape| {
                let flags = FULL | shape.depth.max(3) << DEPTH;
                let fits =
                    shape.depth <= 8 && shape.trees << shape.depth.max(3) <= 8 * (2 * shape.splits + shape.trees);
                let kernel = gathered(shape, true, vectors(shape)?.max(least));
                (small(shape) && fits).then_some(Choice { kernel, shared: true, flags, most: THRESHOLDS })
            });
            with(names[1], &|shape| {
                let kernel = gathered(shape, false, vectors(shape)?.max(least));
                small(shape).then(|| Choice {
                    kernel,
                    shared: true,
                    flags: leaf_bits(shape) << DEPTH,
                    most: THRESHOLDS,
                })
            });
        }
        with("chosen", &choose);
        images
    }

    /// Random ensembles through every kernel that can hold them, in blocks of every kind: the same bits, also for
    /// missing and infinite values and one ulp beside thresholds.
    #[test]
    fn all_kernels_give_the_same_bits() {
        let mut random = Random(7);
        let mut used = HashMap::new();
        let mut kinds = [0; 1 << 3];
        for round in 0..220 {
            let (ensemble, values) = drawn(&mut random);
            for column in columns_of(&ensemble) {
                kinds[column.kind() as usize] += 1;
            }
            let Ensemble { compare, missing, infinite, .. } = ensemble;
            let (features, outputs) = (ensemble.features as usize, ensemble.outputs());
            let mut machines = Vec::new();
            for (name, image) in by_kernel(&ensemble, round) {
                *used.entry(name).or_insert(0) += 1;
                machines.push((name, Machine::open(&image).unwrap_or_else(|_| unreachable!())));
            }
            // Which kind of run comes first, and makes the tables, changes.
            let mut blocks = [512, 1, 20, 127, 25, 8, 7, 128, 26, 47, 48, 300, 511, 512];
            blocks.rotate_left(round % 14);
            for rows in blocks {
                let x: Vec<f64> = (0..rows * features)
                    .map(|_| {
                        let value = values[random.below(values.len() as u64) as usize];
                        let near = value as f32;
                        match random.below(14) {
                            0 if missing => f64::NAN,
                            1 if infinite => f64::INFINITY,
                            2 if infinite => f64::NEG_INFINITY,
                            3 => value.next_up(),
                            4 => value.next_down(),
                            5 => f64::from(near.next_up()),
                            6 => f64::from(near.next_down()),
                            7 => random.below(1 << 20) as f64 / 3.0,
                            8 => 0.0,
                            9 => random.below(90) as f64,
                            10 => [-1.0, -0.5, -0.0, 0.5, 1.5, -1.5, 1e9, 1e-36, -1e-36][random.below(9) as usize],
                            _ => value,
                        }
                    })
                    .map(|x: f64| if !infinite && (x as f32).is_infinite() { 1.0 } else { x })
                    .collect();
                let mut first: Option<Vec<u64>> = None;
                for (name, machine) in &mut machines {
                    machine.slots_mut()[..rows * features].copy_from_slice(&x);
                    machine.run(rows).unwrap();
                    let slots = &machine.slots()[rows * features..rows * (features + outputs)];
                    let bits: Vec<u64> = slots.iter().map(|y| y.to_bits()).collect();
                    let first = first.get_or_insert_with(|| bits.clone());
                    let other = bits.iter().zip(first.iter()).position(|(own, first)| own != first);
                    assert_eq!(
                        other, None,
                        "round {round}: {name}, {rows} rows, {compare:?}: the first that differs"
                    );
                }
                // The same of f32, each column in the first half of its slot.
                let mut first: Option<Vec<u64>> = None;
                for (name, machine) in &mut machines {
                    let wide = *name == "plain";
                    for (slot, x) in machine.slots_mut().chunks_mut(rows).zip(x.chunks(rows)) {
                        for (pair, x) in slot.iter_mut().zip(x.chunks(if wide { 1 } else { 2 })) {
                            let bits = |k: usize| x.get(k).map_or(0, |&x| u64::from((x as f32).to_bits()));
                            *pair =
                                if wide { f64::from(x[0] as f32) } else { f64::from_bits(bits(1) << 32 | bits(0)) };
                        }
                    }
                    if *name == "chosen" {
                        continue;
                    }
                    if wide { machine.run(rows) } else { machine.run_narrow(rows) }.unwrap();
                    let slots = &machine.slots()[rows * features..rows * (features + outputs)];
                    let bits: Vec<u64> = slots.iter().map(|y| y.to_bits()).collect();
                    let first = first.get_or_insert_with(|| bits.clone());
                    let other = bits.iter().zip(first.iter()).position(|(own, first)| own != first);
                    assert_eq!(
                        other, None,
                        "round {round}: {name}, {rows} rows of f32, {compare:?}: the first that differs"
                    );
                }
            }
        }
        assert!(
            ["walk", "walk, shared", "sliced", "sliced, full", "deep", "sets", "sets, full"]
                .iter()
                .chain(&["gathered", "gathered, more", "grouped", "grouped, more"])
                .all(|name| used[name] > 20),
            "{used:?}"
        );
        let known = [Column::LEFT, Column::RIGHT, Column::AS_ZERO, 4 | Column::LEFT, 4 | Column::RIGHT];
        assert!(known.iter().all(|&kind| kinds[kind as usize] > 100), "{kinds:?}");
        let absent = [Column::ABSENT, 4 | Column::ABSENT];
        assert!(absent.iter().all(|&kind| kinds[kind as usize] > 20), "{kinds:?}");
    }

    /// Trees that need many pieces below each other, or one, or none; blocks with missing values and without, whole and in
    /// part.
    #[test]
    fn deep_trees_in_pieces_give_the_same_bits() {
        let mut random = Random(5);
        for (round, compare) in [Width::F32, Width::F64, Width::F32, Width::F64].into_iter().enumerate() {
            let features = [5, 40, 2, 9][round];
            let outputs = [1, 3, 1, 2][round];
            let vector = round % 2 == 1;
            // Few thresholds a column, or one a split.
            let kinds = [1 << 30, 300, 40, 1 << 30][round];
            let mut split = |random: &mut Random| {
                let test = Test::LessEqual(random.below(kinds) as f64 / kinds as f64 * 8.0 - 4.0);
                let missing_left = random.below(2) == 0;
                Node::Split { feature: random.below(features) as u32, test, missing_left, left: 0, right: 0 }
            };
            let mut trees = Vec::new();
            for leaves in [1, 2, 40, 300, 5000] {
                let output = (!vector).then_some(0);
                trees.push(tree(&mut random, leaves, 60, false, &mut split, output, outputs));
            }
            // One long way, with a leaf on its other side or a split of two, on both sides.
            let (mut nodes, mut at) = (vec![Node::Leaf(0)], 0);
            for step in 0..900 {
                let Node::Split { feature, missing_left, .. } = split(&mut random) else { unreachable!() };
                let child = nodes.len() as u32;
                // Most rows go on.
                let far = 4.0 - f64::from(step) / 5000.0;
                let (left, right, test) = match step % 3 {
                    0 => (child, child + 1, Test::LessEqual(far)),
                    _ => (child + 1, child, Test::LessEqual(-far)),
                };
                nodes[at] = Node::Split { feature, test, missing_left, left, right };
                nodes.extend([Node::Leaf(0), Node::Leaf(0)]);
                at = child as usize;
                if step % 2 == 0 {
                    nodes[child as usize + 1] =
                        Node::Split { feature, test, missing_left: true, left: child + 2, right: child + 3 };
                    nodes.extend([Node::Leaf(0), Node::Leaf(0)]);
                }
            }
            let mut leaves = 0;
            for node in &mut nodes {
                if let Node::Leaf(number) = node {
                    (*number, leaves) = (leaves, leaves + 1);
                }
            }
            let values = (0..leaves as usize * if vector { outputs } else { 1 }).map(|k| k as f64 / 3.0).collect();
            let leaves = if vector { Leaves::Vector(values) } else { Leaves::Scalar { output: 0, values } };
            trees.push(Tree { nodes, leaves });
            let ensemble = Ensemble {
                compare,
                sum: if round < 2 { Width::F64 } else { Width::F32 },
                features: features as u32,
                base: vec![0.25; outputs],
                trees,
                sets: Vec::new(),
                aggregate: if vector { Aggregate::Divide(6.0) } else { Aggregate::Sum },
                missing: true,
                infinite: true,
            };
            ensemble.check().unwrap();
            let all: Vec<u32> = (0..ensemble.features).collect();
            let mut args = Args::default();
            let plain = super::super::trees::plain(&mut args, &ensemble, all.clone()).unwrap();
            let plain = laid_out_for(&ensemble, (args, plain), BLOCK_OF_PIECES);
            for shared in [false, true] {
                let mut args = Args::default();
                let choose = |shape: &Shape| {
                    assert!(deeper(shape));
                    Some(Choice { kernel: deep_kernel(shape), shared, flags: 0, most: u32::MAX })
                };
                let deep = write(&mut args, &ensemble, &all, |_| false, choose).unwrap();
                let deep = laid_out_for(&ensemble, (args, deep), BLOCK_OF_PIECES);
                let mut machines =
                    [&plain, &deep].map(|image| Machine::open(image).unwrap_or_else(|_| unreachable!()));
                for (rows, missing) in [
                    (BLOCK_OF_PIECES, 0),
                    (BLOCK_OF_PIECES, 9),
                    (200, 0),
                    (777, 0),
                    (1, 1),
                    (300, 50),
                    (50, 0),
                    (2001, 0),
                ] {
                    let x: Vec<f64> = (0..rows * features as usize)
                        .map(|_| match random.below(1000) {
                            within if within < missing => f64::NAN,
                            999 => f64::INFINITY,
                            998 => f64::NEG_INFINITY,
                            _ => random.below(1 << 30) as f64 / f64::from(1 << 30) * 8.0 - 4.0,
                        })
                        .collect();
                    let [first, other] = machines.each_mut().map(|machine| {
                        machine.slots_mut()[..x.len()].copy_from_slice(&x);
                        machine.run(rows).unwrap();
                        machine.slots()[x.len()..x.len() + rows * outputs].to_vec()
                    });
                    let bits = |y: &[f64]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
                    assert!(bits(&first) == bits(&other), "{compare:?}, {rows} rows, {missing} in 1000 missing");
                }
            }
        }
    }

    /// Each leaf is in one piece, and no piece has too many.
    #[test]
    fn trees_are_cut_into_pieces() {
        let mut random = Random(23);
        let mut found = BTreeSet::new();
        for round in 0..60 {
            let leaves = [257, 300, 700, 2000, 9000][round % 5];
            let mut split = |_: &mut Random| Node::Split {
                feature: 0,
                test: Test::LessEqual(1.0),
                missing_left: true,
                left: 0,
                right: 0,
            };
            let tree = tree(&mut random, leaves, 40, round % 2 == 0, &mut split, Some(0), 1);
            let mut at = 0.0;
            let split = |_, _, _| {
                at += 1.0;
                Some(Split::Compare(Column::new(0, Column::LEFT), at))
            };
            let tree = flatten(&tree, split).unwrap();
            let Some(pieces) = cut(&tree) else {
                found.insert(0);
                assert!(leaves > 3000);
                continue;
            };
            found.insert(pieces.len());
            assert!(pieces.iter().all(|piece| piece.leaves.len() <= MOST_LEAVES));
            assert!(pieces.iter().all(|piece| piece.leaves.len() == piece.splits.len() + 1));
            let mut reached: Vec<u32> = pieces.iter().flat_map(|piece| piece.leaves.clone()).collect();
            reached.retain(|&leaf| leaf != ELSEWHERE);
            reached.sort_unstable();
            let mut all = tree.leaves.clone();
            all.sort_unstable();
            assert_eq!(reached, all);
        }
        assert!(found.contains(&0) && found.contains(&2) && found.range(4..).next().is_some(), "{found:?}");
    }

    /// Columns of about as many thresholds as a byte counts, and values above them all or missing.
    #[test]
    fn ranks_fill_a_byte() {
        let mut random = Random(13);
        let mut used = BTreeSet::new();
        for round in 0..40 {
            let (count, side) = ([253, 254, 255, 256, 700][round / 4 % 5], round % 2 == 0);
            let compare = if round % 4 < 2 { Width::F32 } else { Width::F64 };
            let mut next = 0;
            let mut split = |_: &mut Random| {
                next += 1;
                let test = Test::LessEqual(f64::from(next % count));
                // The second column sends missing values either way.
                let second = next / count % 2 == 1;
                let (feature, missing_left) = (second.into(), if second { next % 2 == 0 } else { side });
                Node::Split { feature, test, missing_left, left: 0, right: 0 }
            };
            let trees = (0..40).map(|_| tree(&mut random, 64, 6, true, &mut split, Some(0), 1)).collect();
            let ensemble = Ensemble {
                compare,
                sum: Width::F64,
                features: 2,
                base: vec![0.0],
                trees,
                sets: Vec::new(),
                aggregate: Aggregate::Sum,
                missing: true,
                infinite: round >= 20,
            };
            ensemble.check().unwrap();
            let last = f64::from(count);
            let beyond = if round >= 20 { f64::INFINITY } else { 1e30 };
            let of = [f64::NAN, beyond, -beyond, last, last - 1.0, last - 1.5, last - 0.5, 1.0, -1.0, 0.0, 17.5];
            let x: Vec<f64> = (0..1024).map(|k| of.get(k % 16).copied().unwrap_or((k % 900) as f64)).collect();
            let mut first: Option<Vec<Vec<u64>>> = None;
            for (name, image) in by_kernel(&ensemble, round) {
                used.insert(name);
                let mut machine = Machine::open(&image).unwrap_or_else(|_| unreachable!());
                let bits = [512, 1, 3, 200].map(|rows| {
                    machine.slots_mut()[..2 * rows].copy_from_slice(&x[..2 * rows]);
                    machine.run(rows).unwrap();
                    machine.slots()[2 * rows..3 * rows].iter().map(|y| y.to_bits()).collect::<Vec<_>>()
                });
                let first = first.get_or_insert_with(|| bits.to_vec());
                assert_eq!(&bits[..], first, "round {round}: {name}, {count} thresholds, {compare:?}");
                for value in [f64::INFINITY, f64::NEG_INFINITY] {
                    machine.slots_mut()[..1024].fill(f64::NAN);
                    machine.slots_mut()[700] = value;
                    assert_eq!(machine.run(512).is_ok(), ensemble.infinite, "round {round}: {name}, {value}");
                }
            }
        }
        assert!(["sliced", "gathered", "grouped"].iter().all(|name| used.contains(name)), "{used:?}");
    }

    /// One column of about as many thresholds as two bytes count.
    #[test]
    fn ranks_fill_two_bytes() {
        let mut random = Random(17);
        for count in [65_534, 65_535, 65_536, 65_537] {
            let mut next = 0;
            let mut split = |_: &mut Random| {
                next = (next + 1) % count;
                let test = Test::LessEqual(f64::from(next));
                Node::Split { feature: 0, test, missing_left: true, left: 0, right: 0 }
            };
            let trees = (0..520).map(|_| tree(&mut random, 128, 7, true, &mut split, Some(0), 1)).collect();
            let ensemble = Ensemble {
                compare: Width::F32,
                sum: Width::F64,
                features: 1,
                base: vec![0.0],
                trees,
                sets: Vec::new(),
                aggregate: Aggregate::Sum,
                missing: true,
                infinite: true,
            };
            ensemble.check().unwrap();
            let x: Vec<f64> = (0..512).map(|k| f64::from(k) * 129.0 - 2.0).chain([f64::NAN, 1e9]).skip(2).collect();
            let mut first: Option<Vec<u64>> = None;
            for (name, image) in by_kernel(&ensemble, 0) {
                let mut machine = Machine::open(&image).unwrap_or_else(|_| unreachable!());
                machine.slots_mut()[..512].copy_from_slice(&x);
                machine.run(512).unwrap();
                let bits: Vec<u64> = machine.slots()[512..1024].iter().map(|y| y.to_bits()).collect();
                let first = first.get_or_insert_with(|| bits.clone());
                assert_eq!(&bits, first, "{name}, {count} thresholds");
            }
        }
    }

    /// The columns that the compact form has, where it holds the ensemble.
    fn columns_of(ensemble: &Ensemble) -> BTreeSet<Column> {
        let (flat, _) = flat_trees(ensemble, &(0..ensemble.features).collect::<Vec<_>>()).unwrap_or_default();
        flat.iter().flat_map(|tree| tree.compared()).map(|(column, _)| column).collect()
    }

    /// Splits that send missing values where they send 0 need one column an input, others one a side.
    #[test]
    fn an_input_is_one_column_where_missing_is_zero() {
        let kinds = |splits: &[(Test, bool)]| {
            let chain = |at: u32, &(test, missing_left): &(Test, bool)| {
                [Node::Split { feature: 0, test, missing_left, left: 2 * at + 1, right: 2 * at + 2 }, Node::Leaf(at)]
            };
            let mut nodes: Vec<Node> = (0..).zip(splits).flat_map(|(at, split)| chain(at, split)).collect();
            nodes.push(Node::Leaf(splits.len() as u32));
            let values = (0..=splits.len()).map(|leaf| leaf as f64).collect();
            let ensemble = Ensemble {
                compare: Width::F64,
                sum: Width::F64,
                features: 1,
                base: vec![0.0],
                trees: vec![Tree { nodes, leaves: Leaves::Scalar { output: 0, values } }],
                sets: Vec::new(),
                aggregate: Aggregate::Sum,
                missing: true,
                infinite: true,
            };
            ensemble.check().unwrap();
            columns_of(&ensemble).iter().map(|column| column.kind()).collect::<Vec<_>>()
        };
        let (at_most, less, nonzero) = (Test::LessEqual, Test::Less, Test::LessEqualNonzero);
        let (left, right) = (Column::LEFT, Column::RIGHT);
        assert_eq!(kinds(&[(at_most(1.0), true), (at_most(-1.0), false)]), [Column::AS_ZERO]);
        assert_eq!(kinds(&[(at_most(0.0), true), (less(0.0), false), (less(-0.0), false)]), [Column::AS_ZERO]);
        assert_eq!(kinds(&[(less(5e-324), true), (at_most(-5e-324), false)]), [Column::AS_ZERO]);
        assert_eq!(kinds(&[(at_most(-0.0), true), (at_most(1.0), true)]), [left]);
        assert_eq!(kinds(&[(at_most(-1.0), true), (at_most(1.0), true)]), [left]);
        assert_eq!(kinds(&[(at_most(-1.0), false), (at_most(-2.0), false)]), [right]);
        assert_eq!(kinds(&[(at_most(1.0), true), (at_most(0.0), false)]), [left, right]);
        assert_eq!(kinds(&[(at_most(1.0), true), (at_most(-1.0), false), (less(0.0), true)]), [left, right]);
        assert_eq!(
            kinds(&[(at_most(1.0), true), (at_most(-1.0), false), (nonzero(1.0), true), (nonzero(1.0), false)]),
            [Column::AS_ZERO, left | Column::NO_ZEROS, right | Column::NO_ZEROS]
        );
        let all = f64::INFINITY;
        assert_eq!(kinds(&[(at_most(all), false), (at_most(1.0), true)]), [left, Column::ABSENT]);
        assert_eq!(kinds(&[(nonzero(all), false), (at_most(all), true)]), [left, Column::ABSENT | Column::NO_ZEROS]);
    }

    /// Arguments with a few bytes changed are refused, or run: also by the tables that many rows are worth, in blocks of
    /// every kind. (Reads out of bounds end the test in a debug build, and all under a sanitizer.)
    #[test]
    fn damaged_arguments_are_refused_or_run() {
        let rounds = std::env::var("MUTATIONS").map_or(6, |rounds| rounds.parse().unwrap());
        let mut random = Random(11);
        let mut found = HashMap::new();
        for round in 0..10 * rounds {
            let (ensemble, _) = drawn(&mut random);
            for (name, image) in by_kernel(&ensemble, round) {
                for _ in 0..6 {
                    let mut image = image.clone();
                    for _ in 0..=random.below(3) {
                        let from = crate::image::HEADER as u64;
                        let at = (from + random.below(image.len() as u64 - from)) as usize;
                        // The numbers before the planes are few, and say most.
                        let at = if random.below(2) == 0 { at } else { at % 400 + crate::image::HEADER };
                        if let Some(byte) = image.get_mut(at) {
                            *byte = [*byte ^ 1 << random.below(8), 0, 0xff, byte.wrapping_add(1)]
                                [random.below(4) as usize];
                        }
                    }
                    let Ok(mut machine) = Machine::open(&image) else {
                        found.entry(name).or_insert([0, 0])[0] += 1;
                        continue;
                    };
                    found.entry(name).or_insert([0, 0])[1] += 1;
                    for rows in [1, 40, 1, 3, 512, 1, 200] {
                        let columns = machine.columns();
                        let rows = rows.min(machine.block());
                        for slot in machine.slots_mut().iter_mut().take(columns * rows) {
                            *slot = [0.0, -1.5, 3e9, 0.25, f64::NAN, f64::INFINITY][random.below(6) as usize];
                        }
                        // A refusal is as good as numbers.
                        let _ = machine.run(rows);
                    }
                }
            }
        }
        assert!(found.len() == 13 && found.values().flatten().all(|&count| count > 10), "{found:?}");
    }
}

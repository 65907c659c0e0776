//! Tree ensembles to the node words of `runtime::trees`.
//!
//! A comparison becomes `x <= t` in the ensemble's width: for x of that width, `x <= threshold` decides as
//! `x <= (threshold rounded down)`, and `x < threshold` as `x <= (the next lower number)`. Equal leaf rows are kept
//! once: pure leaves of a classification forest are many; so are equal category sets.

use super::args::Args;
use super::forest::MOST_LEAVES;
use crate::image::Kernel;
use crate::model::{
    Aggregate, CategorySet, Ensemble, Leaves, LinearLeaf, Node, Oblivious, ObliviousTree, Test, Tree, Width,
};
use crate::runtime::trees::{IN_SET, OUTSIDE_LEFT, TOWARD_ZERO, ZERO_MISSING, flag_bits};
use crate::runtime::trees::{INFINITE, MISSING, SUM32, VECTOR};
use crate::{Error, Result};
use std::collections::HashMap;

pub struct Forest {
    pub kernel: Kernel,
    /// The features that some split reads, in the order of the kernel's inputs.
    pub features: Vec<u32>,
    pub scratch: u32,
}

pub fn lower(args: &mut Args, ensemble: &Ensemble) -> Result<Forest> {
    let mut features: Vec<u32> = ensemble
        .trees
        .iter()
        .flat_map(|tree| &tree.nodes)
        .filter_map(|node| match node {
            Node::Split { feature, .. } => Some(*feature),
            Node::Leaf(_) => None,
        })
        .collect();
    for tree in &ensemble.trees {
        if let Leaves::Linear { leaves, .. } = &tree.leaves {
            features.extend(leaves.iter().flat_map(|leaf| &leaf.terms).map(|term| term.0));
        }
    }
    features.sort_unstable();
    features.dedup();
    if features.is_empty() {
        // The kernel reads at least one column; a forest of single leaves does not care which.
        features.push(0);
    }
    let vector = ensemble.trees.iter().all(|tree| matches!(tree.leaves, Leaves::Vector(_)));
    if !vector && ensemble.trees.iter().any(|tree| matches!(tree.leaves, Leaves::Vector(_))) {
        return Err(Error::malformed("trees with one value a leaf and trees with several"));
    }

    if let Some(forest) = super::forest::lower(args, ensemble, &features) {
        return Ok(forest);
    }
    plain(args, ensemble, features)
}

/// The plain walk's form, which holds every ensemble.
pub fn plain(args: &mut Args, ensemble: &Ensemble, features: Vec<u32>) -> Result<Forest> {
    let place: HashMap<u32, u32> = features.iter().copied().zip(0..).collect();
    let feature_bits = u32::BITS - (features.len() as u32 - 1).leading_zeros();
    let vector = matches!(ensemble.trees[0].leaves, Leaves::Vector(_));
    let tests = ensemble.trees.iter().flat_map(|tree| &tree.nodes);
    let sets = tests
        .into_iter()
        .any(|node| matches!(node, Node::Split { test: Test::In(_) | Test::LessEqualNonzero(_), .. }));
    let linear = ensemble.trees.iter().any(|tree| matches!(tree.leaves, Leaves::Linear { .. }));
    if linear && (ensemble.compare, ensemble.sum, ensemble.aggregate) != (Width::F64, Width::F64, Aggregate::Sum) {
        return Err(Error::unsupported("linear leaves in an ensemble that is not summed in f64"));
    }
    // The kernel of linear leaves is one, with sets.
    let sets = sets || linear;
    let sets = sets.then(|| Sets::collect(&ensemble.sets)).transpose()?;
    let packing = Packing { feature_bits, place, sets };

    let (mut roots, mut targets, mut words, mut thresholds) = (vec![0u32], Vec::new(), Vec::new(), Vec::new());
    let (mut leaves, mut rows) = (Vec::new(), HashMap::new());
    let mut leaf_rows = 0u32;
    let mut terms = Terms { starts: vec![0], ..Terms::default() };
    for tree in &ensemble.trees {
        let mut row_of = |leaf: u32| -> u32 {
            let width = if vector { ensemble.outputs() } else { 1 };
            let values = match &tree.leaves {
                Leaves::Scalar { values, .. } | Leaves::Vector(values) => {
                    &values[leaf as usize * width..(leaf as usize + 1) * width]
                }
                Leaves::Linear { leaves, .. } => std::slice::from_ref(&leaves[leaf as usize].value),
            };
            let mut bits: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
            let constant = LinearLeaf { value: values[0], constant: values[0], terms: Vec::new() };
            let model = match &tree.leaves {
                Leaves::Linear { leaves, .. } => &leaves[leaf as usize],
                _ => &constant,
            };
            if linear {
                bits.push(model.constant.to_bits());
                bits.extend(model.terms.iter().flat_map(|term| [u64::from(term.0), term.1.to_bits()]));
            }
            *rows.entry(bits).or_insert_with(|| {
                leaves.extend_from_slice(values);
                if linear {
                    terms.push(model, &packing.place);
                }
                leaf_rows += 1;
                leaf_rows - 1
            })
        };
        if let Leaves::Scalar { output, .. } | Leaves::Linear { output, .. } = tree.leaves {
            targets.push(output);
        }
        flatten(tree, &packing, &mut row_of, &mut words, &mut thresholds)?;
        roots.push(u32::try_from(words.len()).map_err(|_| Error::limit("more than 2^32 nodes"))?);
    }

    let narrow = ensemble.compare == Width::F32;
    let flags = [
        (ensemble.missing, MISSING),
        (ensemble.infinite, INFINITE),
        (vector, VECTOR),
        (ensemble.sum == Width::F32, SUM32),
    ];
    let flags = flags.iter().filter(|flag| flag.0).fold(0, |flags, flag| flags | flag.1);
    args.u32s(&[flags, feature_bits, ensemble.trees.len() as u32, words.len() as u32, leaf_rows]);
    if let Some(sets) = &packing.sets {
        args.u32s(&[sets.sets.len() as u32 / 2, sets.left.len() as u32]);
    }
    args.f64(match ensemble.aggregate {
        Aggregate::Sum => 0.0,
        Aggregate::Divide(by) => by,
    });
    args.f64s(&ensemble.base).u32s(&roots).u32s(&targets).u32s(&words);
    let tests: Vec<Test> = thresholds;
    if narrow {
        args.f32s(&tests.iter().map(|&test| at_most_f32(test)).collect::<Vec<_>>());
    } else {
        args.f64s(&tests.iter().map(|&test| at_most_f64(test)).collect::<Vec<_>>());
    }
    args.f64s(&leaves);
    let width = if narrow { 4 } else { 8 };
    let kernel = match (narrow, &packing.sets) {
        (true, None) => Kernel::Trees32,
        (false, None) => Kernel::Trees64,
        (false, Some(_)) if linear => Kernel::LinearTrees,
        (true, Some(_)) => Kernel::Trees32Sets,
        (false, Some(_)) => Kernel::Trees64Sets,
    };
    if let Some(sets) = packing.sets {
        args.u32s(&sets.sets).u32s(&sets.left);
    }
    if linear {
        args.u32(terms.features.len() as u32);
        args.f64s(&terms.constants).f64s(&terms.coefficients).u32s(&terms.starts).u32s(&terms.features);
    }
    Ok(Forest { kernel, scratch: (features.len() * width).div_ceil(8) as u32, features })
}

/// The linear models of the leaf rows, as `runtime::linear_trees` has them.
#[derive(Default)]
struct Terms {
    constants: Vec<f64>,
    coefficients: Vec<f64>,
    starts: Vec<u32>,
    features: Vec<u32>,
}

impl Terms {
    fn push(&mut self, leaf: &LinearLeaf, place: &HashMap<u32, u32>) {
        self.constants.push(leaf.constant);
        self.features.extend(leaf.terms.iter().map(|term| place[&term.0]));
        self.coefficients.extend(leaf.terms.iter().map(|term| term.1));
        self.starts.push(self.features.len() as u32);
    }
}

/// How a split becomes a word.
struct Packing {
    feature_bits: u32,
    /// The kernel's input for a feature.
    place: HashMap<u32, u32>,
    /// Only where a split needs the kernel with sets.
    sets: Option<Sets>,
}

/// The category sets as `runtime::trees` has them, each distinct one once.
#[derive(Default)]
struct Sets {
    /// Where each of `Ensemble::sets` went.
    number: Vec<u32>,
    sets: Vec<u32>,
    left: Vec<u32>,
}

impl Sets {
    fn collect(all: &[CategorySet]) -> Result<Sets> {
        let mut sets = Sets::default();
        let mut seen = HashMap::new();
        for set in all {
            let next = seen.len() as u32;
            let number = *seen.entry(set).or_insert(next);
            sets.number.push(number);
            if number == next {
                let flags = [(set.outside_left, OUTSIDE_LEFT), (set.toward_zero, TOWARD_ZERO)];
                let flags = flags.iter().filter(|flag| flag.0).fold(0, |flags, flag| flags | flag.1);
                sets.sets.extend([sets.left.len() as u32, set.size << 2 | flags]);
                sets.left.extend(&set.left);
            }
        }
        // A set's number stands in a threshold's place, where an f32 must hold it.
        if seen.len() > CategorySet::MOST as usize || u32::try_from(sets.left.len()).is_err() {
            return Err(Error::limit(format!("{} different category sets", seen.len())));
        }
        Ok(sets)
    }
}

/// Writes a tree with siblings side by side and children after their parent, the left subtree nearest.
fn flatten(
    tree: &Tree,
    packing: &Packing,
    row_of: &mut impl FnMut(u32) -> u32,
    words: &mut Vec<u32>,
    tests: &mut Vec<Test>,
) -> Result<()> {
    let root = words.len();
    let columns = packing.place.len();
    let too_large = || Error::limit(format!("a tree of {} nodes over {columns} columns", tree.nodes.len()));
    let shift = flag_bits(packing.sets.is_some());
    words.push(0);
    tests.push(Test::LessEqual(0.0));
    let mut open = vec![(0u32, root)];
    while let Some((node, at)) = open.pop() {
        match tree.nodes[node as usize] {
            Node::Leaf(leaf) => {
                let row = row_of(leaf);
                words[at] = row.checked_mul(2).ok_or_else(too_large)? | 1;
            }
            Node::Split { feature, test, missing_left, left, right } => {
                let child = (words.len() - root) as u64;
                let (flags, test) = match (test, &packing.sets) {
                    (Test::In(set), Some(sets)) => (IN_SET, Test::In(sets.number[set as usize])),
                    (Test::LessEqualNonzero(_), Some(_)) => (ZERO_MISSING, test),
                    _ => (0, test),
                };
                let word = child << (shift + packing.feature_bits)
                    | u64::from(packing.place[&feature]) << shift
                    | u64::from(flags)
                    | u64::from(missing_left) << 1;
                words[at] = u32::try_from(word).map_err(|_| too_large())?;
                tests[at] = test;
                let pair = words.len();
                words.extend([0, 0]);
                tests.extend([Test::LessEqual(0.0); 2]);
                open.push((right, pair + 1));
                open.push((left, pair));
            }
        }
    }
    Ok(())
}

/// Levels of fewer oblivious trees are asked one by one, whose code is 10 KB less gzipped: a tree takes 6.5 ns a row.
const FEW_LEVELS: usize = 150;

/// Values of the most oblivious trees that are made full ones: 60 000 of depth 6.
const MOST_FULL: usize = 1 << 22;

/// Oblivious trees as full ones, where these pay, else to the tables of `runtime::oblivious`. CatBoost's default, 1000 trees of
/// depth 6, takes 6500 ns a row level by level, a single one 33 µs.
pub fn oblivious(args: &mut Args, forest: &Oblivious) -> Forest {
    let levels = || forest.trees.iter().flat_map(|tree| &tree.levels);
    let mut features: Vec<u32> = levels().map(|level| level.0).collect();
    features.sort_unstable();
    features.dedup();
    // Where missing is above every border it is read as infinity, which is above none that is infinite. A full tree has
    // two nodes a leaf, of 32 bytes.
    let fits = forest.trees.iter().all(|tree| 1 << tree.levels.len() <= MOST_LEAVES)
        && levels().all(|level| level.1.is_finite())
        && forest.trees.iter().map(|tree| tree.values.len()).sum::<usize>() <= MOST_FULL;
    if fits
        && levels().count() >= FEW_LEVELS
        && let Some(forest) = super::forest::lower(args, &full_trees(forest), &features)
    {
        return forest;
    }
    let place: HashMap<u32, u32> = features.iter().copied().zip(0..).collect();
    let levels: Vec<(u32, f32)> = levels().copied().collect();
    let values: Vec<f64> = forest.trees.iter().flat_map(|tree| &tree.values).copied().collect();
    args.u32s(&[forest.trees.len() as u32, levels.len() as u32, values.len() as u32]);
    args.u32s(&features.iter().map(|&feature| u32::from(forest.missing_above[feature as usize])).collect::<Vec<_>>());
    args.u32s(&forest.trees.iter().map(|tree| tree.levels.len() as u32).collect::<Vec<_>>());
    args.u32s(&levels.iter().map(|level| place[&level.0]).collect::<Vec<_>>());
    args.f32s(&levels.iter().map(|level| level.1).collect::<Vec<_>>());
    args.f64s(&values);
    Forest { kernel: Kernel::Oblivious, scratch: (features.len() as u32 + 1).div_ceil(2), features }
}

/// The same trees with a split for each question where it is asked; the last level's is at the root, and a leaf's number is its
/// place from the left.
fn full_trees(forest: &Oblivious) -> Ensemble {
    let tree = |tree: &ObliviousTree| {
        let inner = (1u32 << tree.levels.len()) - 1;
        let split = |node: u32| {
            let (feature, border) = tree.levels[tree.levels.len() - 1 - (node + 1).ilog2() as usize];
            let (test, missing_left) = (Test::LessEqual(border.into()), !forest.missing_above[feature as usize]);
            Node::Split { feature, test, missing_left, left: 2 * node + 1, right: 2 * node + 2 }
        };
        let values = tree.values.clone();
        Tree {
            nodes: (0..inner).map(split).chain((0..=inner).map(Node::Leaf)).collect(),
            leaves: if forest.outputs == 1 { Leaves::Scalar { output: 0, values } } else { Leaves::Vector(values) },
        }
    };
    Ensemble {
        compare: Width::F32,
        sum: Width::F64,
        features: forest.missing_above.len() as u32,
        base: vec![0.0; forest.outputs],
        trees: forest.trees.iter().map(tree).collect(),
        sets: Vec::new(),
        aggregate: Aggregate::Sum,
        missing: true,
        infinite: true,
    }
}

/// The f32 t for which `x <= t` decides like the test, for every f32 x. NaN where no x passes. For a set its number.
pub fn at_most_f32(test: Test) -> f32 {
    match test {
        Test::In(set) => set as f32,
        Test::LessEqual(threshold) | Test::LessEqualNonzero(threshold) => {
            let near = threshold as f32;
            if f64::from(near) > threshold { below_f32(near) } else { near }
        }
        // The file's threshold is an f32; one that is not still decides like the least f32 not below it.
        Test::Less(threshold) => {
            let near = threshold as f32;
            if f64::from(near) < threshold { near } else { below_f32(near) }
        }
    }
}

fn below_f32(value: f32) -> f32 {
    if value == f32::NEG_INFINITY { f32::NAN } else { value.next_down() }
}

/// The same in f64.
pub fn at_most_f64(test: Test) -> f64 {
    match test {
        Test::In(set) => f64::from(set),
        Test::LessEqual(threshold) | Test::LessEqualNonzero(threshold) => threshold,
        Test::Less(f64::NEG_INFINITY) => f64::NAN,
        Test::Less(threshold) => threshold.next_down(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Around every threshold, the rounded comparison decides like the original one.
    #[test]
    fn rounded_thresholds_decide_alike() {
        let thresholds = [
            0.0,
            -0.0,
            0.1,
            -0.1,
            1.0,
            16777217.0,
            1e-300,
            -1e-300,
            1e300,
            -1e300,
            1e-45,
            f64::INFINITY,
            f64::NEG_INFINITY,
            3.4028234663852886e38,
            3.5e38,
            2.4499999284744263,
        ];
        for threshold in thresholds {
            let near = threshold as f32;
            let around = [
                near,
                near.next_up(),
                near.next_down(),
                0.0,
                -0.0,
                f32::MAX,
                f32::MIN,
                f32::INFINITY,
                f32::NEG_INFINITY,
                1e-45,
                -1e-45,
            ];
            for x in around {
                let wide = f64::from(x);
                assert_eq!(x <= at_most_f32(Test::LessEqual(threshold)), wide <= threshold, "{x} <= {threshold}");
                assert_eq!(x < near, x <= at_most_f32(Test::Less(f64::from(near))), "{x} < {near}");
                assert_eq!(x <= at_most_f32(Test::Less(threshold)), wide < threshold, "{x} < {threshold}");
                assert_eq!(wide <= at_most_f64(Test::Less(threshold)), wide < threshold, "{x} < {threshold}");
            }
        }
    }

    /// What the ensemble means, node by node.
    fn expected(ensemble: &Ensemble, row: &[f64]) -> f64 {
        let mut sum = ensemble.base[0];
        for tree in &ensemble.trees {
            let mut at = 0;
            let leaf = loop {
                match tree.nodes[at] {
                    Node::Leaf(leaf) => break leaf,
                    Node::Split { feature, test, missing_left, left, right } => {
                        let x = match ensemble.compare {
                            Width::F32 => f64::from(row[feature as usize] as f32),
                            Width::F64 => row[feature as usize],
                        };
                        let goes_left = match test {
                            _ if x.is_nan() => missing_left,
                            Test::Less(threshold) => x < threshold,
                            Test::LessEqual(threshold) => x <= threshold,
                            Test::LessEqualNonzero(_) if x.abs() <= 1e-35 => missing_left,
                            Test::LessEqualNonzero(threshold) => x <= threshold,
                            Test::In(set) => {
                                let set = &ensemble.sets[set as usize];
                                let category = if set.toward_zero { x.trunc() } else { x.floor() };
                                if category < 0.0 || category >= f64::from(set.size) {
                                    set.outside_left
                                } else {
                                    set.left[category as usize / 32] >> (category as u32 % 32) & 1 == 1
                                }
                            }
                        };
                        at = if goes_left { left } else { right } as usize;
                    }
                }
            };
            let Leaves::Scalar { values, .. } = &tree.leaves else { unreachable!() };
            sum += values[leaf as usize];
        }
        sum
    }

    /// Category sets, their outsides and zeros that count as missing: the kernels walk as the model says.
    #[test]
    fn sets_decide_as_the_model_says() {
        let mut state = 1u64;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        for compare in [Width::F32, Width::F64] {
            let sets: Vec<CategorySet> = (0..12)
                .map(|number| {
                    let bits: Vec<bool> = (0..[0, 1, 7, 32, 33, 100][number % 6]).map(|_| random(2) == 0).collect();
                    let mut set = CategorySet::new(bits.len() as u32, random(2) == 0, |k| bits[k as usize]);
                    set.toward_zero = random(2) == 0;
                    set
                })
                .collect();
            let values = [-2.5, -1.0, -0.5, -1e-36, -0.0, 0.0, 1e-36, 1e-30, 0.5, 1.0, 6.9, 31.0, 32.0, 99.5, 1e9];
            let trees = (0..40)
                .map(|tree| {
                    // A caterpillar: split k at node 2k, its leaf at 2k + 1.
                    let mut nodes = Vec::new();
                    for split in 0..5u32 {
                        let test = match random(4) {
                            0 => Test::Less(values[random(15) as usize]),
                            1 => Test::LessEqualNonzero(values[random(15) as usize]),
                            _ => Test::In(random(12) as u32),
                        };
                        let (mut left, mut right) = (2 * split + 1, 2 * split + 2);
                        if random(2) == 0 {
                            (left, right) = (right, left);
                        }
                        let (feature, missing_left) = (random(3) as u32, random(2) == 0);
                        nodes.push(Node::Split { feature, test, missing_left, left, right });
                        nodes.push(Node::Leaf(split));
                    }
                    nodes.push(Node::Leaf(5));
                    let values = (0..6).map(|leaf| f64::from(1 << leaf) * 64f64.powi(tree % 3)).collect();
                    Tree { nodes, leaves: Leaves::Scalar { output: 0, values } }
                })
                .collect();
            let ensemble = Ensemble {
                compare,
                sum: Width::F64,
                features: 3,
                base: vec![0.25],
                trees,
                sets,
                aggregate: Aggregate::Sum,
                missing: true,
                infinite: true,
            };
            ensemble.check().unwrap();
            let mut args = Args::default();
            let forest = lower(&mut args, &ensemble).unwrap();
            assert_eq!(forest.kernel, if compare == Width::F32 { Kernel::Trees32Sets } else { Kernel::Trees64Sets });
            let inputs = forest.features.clone();
            let (kernel, scratch) = (forest.kernel, forest.scratch);
            let operation = super::super::Operation { kernel, inputs, output: 3, outputs: 1, scratch: 4, args };
            let image = super::super::args::image(3, 4 + scratch, 128, &[operation]).unwrap();
            let mut machine = crate::runtime::host::Machine::open(&image).unwrap();
            for _ in 0..400 {
                let row: Vec<f64> = (0..3)
                    .map(|_| match random(17) {
                        15 => f64::NAN,
                        16 => [f64::INFINITY, f64::NEG_INFINITY][random(2) as usize],
                        at => values[at as usize],
                    })
                    .collect();
                machine.slots_mut()[..3].copy_from_slice(&row);
                machine.run(1).unwrap();
                assert_eq!(machine.slots()[3], expected(&ensemble, &row), "{row:?}");
            }
        }
    }
}

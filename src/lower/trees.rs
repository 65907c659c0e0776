//! Tree ensembles to the node words of `runtime::trees`.
//!
//! A comparison becomes `x <= t` in the ensemble's width: for x of that width, `x <= threshold` decides as
//! `x <= (threshold rounded down)`, and `x < threshold` as `x <= (the next lower number)`. Equal leaf rows are kept
//! once: pure leaves of a classification forest are many.

use super::args::Args;
use crate::image::Kernel;
use crate::model::{Aggregate, Ensemble, Leaves, Node, Test, Tree, Width};
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
    features.sort_unstable();
    features.dedup();
    if features.is_empty() {
        // The kernel reads at least one column; a forest of single leaves does not care which.
        features.push(0);
    }
    let place: HashMap<u32, u32> = features.iter().copied().zip(0..).collect();
    let feature_bits = u32::BITS - (features.len() as u32 - 1).leading_zeros();
    let vector = ensemble.trees.iter().all(|tree| matches!(tree.leaves, Leaves::Vector(_)));
    if !vector && ensemble.trees.iter().any(|tree| matches!(tree.leaves, Leaves::Vector(_))) {
        return Err(Error::malformed("trees with one value a leaf and trees with several"));
    }

    let (mut roots, mut targets, mut words, mut thresholds) = (vec![0u32], Vec::new(), Vec::new(), Vec::new());
    let (mut leaves, mut rows) = (Vec::new(), HashMap::new());
    let mut leaf_rows = 0u32;
    for tree in &ensemble.trees {
        let mut row_of = |leaf: u32| -> u32 {
            let width = if vector { ensemble.outputs() } else { 1 };
            let values = match &tree.leaves {
                Leaves::Scalar { values, .. } | Leaves::Vector(values) => {
                    &values[leaf as usize * width..(leaf as usize + 1) * width]
                }
            };
            let bits: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
            *rows.entry(bits).or_insert_with(|| {
                leaves.extend_from_slice(values);
                leaf_rows += 1;
                leaf_rows - 1
            })
        };
        if let Leaves::Scalar { output, .. } = tree.leaves {
            targets.push(output);
        }
        flatten(tree, feature_bits, &place, &mut row_of, &mut words, &mut thresholds)?;
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
    Ok(Forest {
        kernel: if narrow { Kernel::Trees32 } else { Kernel::Trees64 },
        scratch: (features.len() * width).div_ceil(8) as u32,
        features,
    })
}

/// Writes a tree with siblings side by side and children after their parent, the left subtree nearest.
fn flatten(
    tree: &Tree,
    feature_bits: u32,
    place: &HashMap<u32, u32>,
    row_of: &mut impl FnMut(u32) -> u32,
    words: &mut Vec<u32>,
    tests: &mut Vec<Test>,
) -> Result<()> {
    let root = words.len();
    let too_large = || Error::limit(format!("a tree of {} nodes over {} columns", tree.nodes.len(), place.len()));
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
                let word =
                    child << (2 + feature_bits) | u64::from(place[&feature]) << 2 | u64::from(missing_left) << 1;
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

/// The f32 t for which `x <= t` decides like the test, for every f32 x. NaN where no x passes.
fn at_most_f32(test: Test) -> f32 {
    match test {
        Test::LessEqual(threshold) => {
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
fn at_most_f64(test: Test) -> f64 {
    match test {
        Test::LessEqual(threshold) => threshold,
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
}

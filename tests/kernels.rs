//! Random tree ensembles, large enough for the kernels of `sliced` and `walk`: what the machine here answers is left in
//! `target/tmp/kernels/`, with the packages, and `tests/node/kernels.test.mjs` asks for the same bits of the linked
//! wasm. That all kernels agree natively is a test in `src/lower/forest.rs`.

use carryout::lower::{Lowered, Results, Want, lower};
use carryout::model::{
    Aggregate, CategorySet, Column, ColumnKind, Ensemble, Function, Graph, Leaves, Model, NamesFrom, Node, Oblivious,
    ObliviousTree, Op, Output, Schema, Source, Test, Tree, Width, WireKind,
};
use carryout::package;
use carryout::runtime::host::Machine;
use std::path::Path;

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % most
    }
}

/// What an ensemble is like; the rest is drawn.
struct Kind {
    name: &'static str,
    kernel: &'static str,
    columns: u32,
    trees: u32,
    leaves: usize,
    /// Trees grow level by level; else any leaf is split.
    level: bool,
    compare: Width,
    sum: Width,
    outputs: u32,
    vector: bool,
    missing: bool,
    /// Whether that is only so behind the first block.
    late: bool,
    infinite: bool,
    /// Category sets; with some half of the splits ask one, or take zeros for missing.
    sets: u64,
    sides: Sides,
    /// Different thresholds.
    grid: usize,
    lie: Lie,
}

/// How thresholds lie: what decides by which kind of cell values are ranked.
#[derive(Clone, Copy, PartialEq)]
enum Lie {
    /// Of every size: near to each other, denormal, huge, whole.
    Any,
    /// As far apart as each other: one in a cell.
    Even,
    /// By a factor, above and below zero: one in a cell of logarithms.
    Factor,
    /// Three by three.
    Close,
    /// Three by three, by a factor.
    CloseFactor,
}

/// How missing values are decided at a split.
#[derive(Clone, Copy, PartialEq)]
enum Sides {
    Any,
    /// As 0.
    Zero,
    /// Any way, and zeros too.
    Nonzero,
    /// One of these, by column.
    Mixed,
    /// Left or right, by column.
    Column,
}

const PLAIN: Kind = Kind {
    name: "",
    kernel: "",
    columns: 28,
    trees: 100,
    leaves: 64,
    level: true,
    compare: Width::F32,
    sum: Width::F32,
    outputs: 1,
    vector: false,
    missing: true,
    late: false,
    infinite: true,
    sets: 0,
    sides: Sides::Any,
    grid: 6000,
    lie: Lie::Any,
};

const EVEN: Kind = Kind { lie: Lie::Even, ..PLAIN };

fn kinds() -> Vec<Kind> {
    use Width::F64;
    vec![
        Kind { name: "full", kernel: "sliced32", columns: 9, trees: 280, grid: 30_000, ..PLAIN },
        // Columns of more thresholds than a byte counts.
        Kind { name: "full-parts", kernel: "gathered32", columns: 9, ..PLAIN },
        Kind { name: "full-56", kernel: "gathered32x4", ..PLAIN },
        Kind { name: "full-strict", kernel: "gathered32", missing: false, infinite: false, sum: F64, ..PLAIN },
        Kind { name: "full-8", kernel: "gathered32x8", leaves: 256, trees: 20, outputs: 3, columns: 40, ..PLAIN },
        Kind { name: "gathered", kernel: "gathered32", columns: 14, trees: 81, ..PLAIN },
        Kind {
            name: "gathered-8",
            kernel: "gathered32",
            columns: 32,
            trees: 20,
            leaves: 256,
            missing: false,
            infinite: false,
            outputs: 3,
            ..PLAIN
        },
        Kind {
            name: "gathered-rows",
            kernel: "gathered64",
            columns: 10,
            trees: 110,
            leaves: 32,
            compare: F64,
            sum: F64,
            outputs: 2,
            vector: true,
            ..PLAIN
        },
        Kind { name: "gathered-3", kernel: "gathered32", columns: 5, trees: 301, leaves: 8, grid: 90, ..PLAIN },
        Kind {
            name: "grouped-31",
            kernel: "placed64",
            leaves: 31,
            level: false,
            compare: F64,
            sum: F64,
            sides: Sides::Zero,
            ..PLAIN
        },
        Kind {
            name: "uneven-31",
            kernel: "placed64x8",
            leaves: 31,
            level: false,
            compare: F64,
            sum: F64,
            columns: 36,
            ..PLAIN
        },
        Kind {
            name: "uneven-32",
            kernel: "placed64x4",
            leaves: 32,
            level: false,
            compare: F64,
            sum: F64,
            columns: 9,
            trees: 311,
            grid: 30_000,
            outputs: 3,
            ..PLAIN
        },
        Kind {
            name: "uneven-64",
            kernel: "sliced64",
            leaves: 64,
            level: false,
            compare: F64,
            sum: F64,
            columns: 9,
            trees: 280,
            grid: 30_000,
            ..PLAIN
        },
        Kind {
            name: "uneven-parts",
            kernel: "grouped64x4",
            leaves: 64,
            level: false,
            compare: F64,
            sum: F64,
            columns: 9,
            ..PLAIN
        },
        Kind {
            name: "grouped-200",
            kernel: "grouped32",
            columns: 16,
            leaves: 200,
            grid: 250,
            level: false,
            outputs: 2,
            vector: true,
            sum: F64,
            ..PLAIN
        },
        Kind {
            name: "uneven-200",
            kernel: "sliced32",
            grid: 60_000,
            leaves: 200,
            level: false,
            outputs: 2,
            vector: true,
            sum: F64,
            columns: 20,
            ..PLAIN
        },
        Kind { name: "grouped-9", kernel: "grouped32", trees: 301, leaves: 9, level: false, columns: 15, ..PLAIN },
        Kind { name: "full-zero", kernel: "gathered32", sides: Sides::Zero, ..PLAIN },
        Kind { name: "full-nonzero", kernel: "gathered32", columns: 7, grid: 900, sides: Sides::Nonzero, ..PLAIN },
        Kind {
            name: "uneven-mixed",
            kernel: "placed64x8",
            leaves: 31,
            level: false,
            compare: F64,
            sum: F64,
            sides: Sides::Mixed,
            ..PLAIN
        },
        Kind { name: "full-mixed", kernel: "gathered32x8", columns: 30, sides: Sides::Mixed, ..PLAIN },
        Kind {
            name: "deep-mixed",
            kernel: "deep32",
            leaves: 900,
            trees: 12,
            level: false,
            sides: Sides::Mixed,
            ..PLAIN
        },
        Kind {
            name: "walks-mixed",
            columns: 120,
            kernel: "walk32",
            leaves: 300,
            trees: 20,
            level: false,
            sides: Sides::Mixed,
            ..PLAIN
        },
        Kind {
            name: "classes",
            kernel: "grouped32",
            columns: 16,
            leaves: 31,
            level: false,
            outputs: 3,
            grid: 60,
            ..PLAIN
        },
        Kind { name: "wide", kernel: "sliced32", columns: 150, grid: 40000, ..PLAIN },
        Kind {
            name: "few-columns",
            kernel: "sliced64",
            columns: 3,
            trees: 300,
            grid: 30_000,
            compare: F64,
            sum: F64,
            ..PLAIN
        },
        Kind {
            name: "deep",
            kernel: "deep32",
            leaves: 900,
            trees: 12,
            level: false,
            outputs: 2,
            vector: true,
            sum: F64,
            ..PLAIN
        },
        // More leaf rows than an exit can name.
        Kind {
            name: "deep-rows",
            kernel: "deep32",
            leaves: 900,
            trees: 45,
            level: false,
            sides: Sides::Zero,
            ..PLAIN
        },
        Kind {
            name: "deep-64",
            kernel: "deep64",
            leaves: 900,
            trees: 12,
            level: false,
            compare: F64,
            sum: F64,
            ..PLAIN
        },
        // Two columns an input, that differ where a value is missing.
        Kind {
            name: "deep-twins",
            kernel: "deep32",
            leaves: 2000,
            trees: 9,
            level: false,
            sides: Sides::Any,
            late: true,
            ..PLAIN
        },
        Kind {
            name: "deep-twins-64",
            kernel: "deep64",
            columns: 9,
            leaves: 700,
            trees: 20,
            level: false,
            compare: F64,
            sides: Sides::Any,
            late: true,
            outputs: 2,
            vector: true,
            ..PLAIN
        },
        Kind { name: "walks", kernel: "walk32", leaves: 400, trees: 18, columns: 300, level: false, ..PLAIN },
        Kind {
            name: "walks-64",
            columns: 120,
            kernel: "walk64",
            leaves: 300,
            trees: 20,
            level: false,
            compare: F64,
            sum: F64,
            outputs: 3,
            ..PLAIN
        },
        Kind {
            name: "sets",
            kernel: "sliced64_sets",
            leaves: 31,
            level: false,
            compare: F64,
            sum: F64,
            sets: 90,
            ..PLAIN
        },
        Kind { name: "sets-full", kernel: "sliced32_sets", sets: 400, outputs: 3, ..PLAIN },
        Kind { name: "sets-strict", kernel: "sliced32_sets", sets: 3, missing: false, infinite: false, ..PLAIN },
        Kind {
            name: "sets-rows",
            kernel: "sliced64_sets",
            leaves: 50,
            level: false,
            compare: F64,
            sum: F64,
            sets: 9,
            columns: 5,
            outputs: 2,
            vector: true,
            ..PLAIN
        },
        Kind {
            name: "sets-wide",
            kernel: "sliced32_wide_sets",
            leaves: 200,
            level: false,
            sets: 20,
            columns: 9,
            ..PLAIN
        },
        Kind {
            name: "sets-wide-full",
            kernel: "sliced64_wide_sets",
            leaves: 256,
            compare: F64,
            sum: F64,
            sets: 150,
            trees: 30,
            columns: 9,
            outputs: 2,
            ..PLAIN
        },
        // Trees in pieces.
        Kind {
            name: "pieces",
            kernel: "grouped32",
            columns: 12,
            grid: 12 * 120,
            leaves: 600,
            trees: 30,
            level: false,
            outputs: 3,
            ..PLAIN
        },
        Kind {
            name: "pieces-rows",
            kernel: "grouped64",
            columns: 20,
            grid: 20 * 90,
            leaves: 350,
            trees: 30,
            level: false,
            compare: F64,
            sum: F64,
            outputs: 2,
            vector: true,
            sides: Sides::Zero,
            ..PLAIN
        },
        Kind {
            name: "sets-pieces",
            kernel: "sliced32_wide_sets",
            leaves: 1000,
            trees: 20,
            level: false,
            sets: 20,
            columns: 9,
            ..PLAIN
        },
        // As many columns as a byte numbers.
        Kind {
            name: "gathered-256",
            kernel: "gathered32x16",
            columns: 256,
            grid: 256 * 20,
            sides: Sides::Column,
            outputs: 3,
            ..PLAIN
        },
        Kind {
            name: "grouped-256",
            kernel: "placed64x16",
            columns: 256,
            grid: 256 * 20,
            leaves: 31,
            level: false,
            compare: F64,
            sum: F64,
            sides: Sides::Zero,
            ..EVEN
        },
        Kind {
            name: "gathered-rows-100",
            kernel: "gathered64x8",
            columns: 100,
            leaves: 32,
            compare: F64,
            sum: F64,
            outputs: 2,
            vector: true,
            sides: Sides::Column,
            ..PLAIN
        },
        Kind { name: "columns-257", kernel: "sliced32", columns: 257, sides: Sides::Column, ..PLAIN },
        // As many thresholds a column as a rank counts.
        Kind { name: "even", kernel: "gathered32", columns: 6, grid: 6 * 255, sides: Sides::Column, ..EVEN },
        Kind { name: "even-any", kernel: "gathered32", columns: 14, grid: 14 * 100, infinite: false, ..EVEN },
        Kind { name: "even-strict", kernel: "gathered32", missing: false, infinite: false, ..EVEN },
        Kind { name: "even-nonzero", kernel: "gathered32", columns: 7, grid: 700, sides: Sides::Nonzero, ..EVEN },
        Kind {
            name: "even-64",
            kernel: "placed64",
            columns: 9,
            grid: 9 * 255,
            leaves: 31,
            level: false,
            compare: F64,
            sum: F64,
            sides: Sides::Column,
            ..EVEN
        },
        Kind { name: "even-wide", kernel: "gathered32x4", columns: 40, grid: 40 * 100, sides: Sides::Column, ..EVEN },
        Kind { name: "factor", kernel: "gathered32", columns: 6, grid: 6 * 255, lie: Lie::Factor, ..PLAIN },
        Kind {
            name: "factor-64",
            kernel: "placed64",
            columns: 9,
            grid: 9 * 200,
            leaves: 31,
            level: false,
            compare: F64,
            sum: F64,
            sides: Sides::Column,
            lie: Lie::Factor,
            ..PLAIN
        },
        Kind {
            name: "factor-strict",
            kernel: "gathered32",
            missing: false,
            infinite: false,
            lie: Lie::Factor,
            ..PLAIN
        },
        Kind {
            name: "close",
            kernel: "sliced32",
            columns: 40,
            trees: 400,
            grid: 40 * 400,
            sides: Sides::Column,
            lie: Lie::Close,
            ..PLAIN
        },
        Kind { name: "close-few", kernel: "gathered32", columns: 14, grid: 14 * 80, lie: Lie::Close, ..PLAIN },
        Kind {
            name: "close-64",
            kernel: "sliced64",
            columns: 40,
            trees: 400,
            grid: 40 * 420,
            leaves: 64,
            level: false,
            compare: F64,
            sum: F64,
            sides: Sides::Column,
            lie: Lie::Close,
            ..PLAIN
        },
        Kind {
            name: "close-factor",
            kernel: "gathered32",
            columns: 14,
            grid: 14 * 200,
            lie: Lie::CloseFactor,
            ..PLAIN
        },
        Kind {
            name: "close-factor-64",
            kernel: "placed64",
            columns: 9,
            grid: 9 * 200,
            leaves: 31,
            level: false,
            compare: F64,
            sum: F64,
            sides: Sides::Zero,
            lie: Lie::CloseFactor,
            ..PLAIN
        },
        Kind { name: "sets-plain", kernel: "trees32_sets", leaves: 200, level: false, sets: 20, ..PLAIN },
    ]
}

fn thresholds(random: &mut Random, kind: &Kind) -> Vec<f64> {
    let count = kind.grid;
    let factor = |k: usize| 1e-3 * 1.07_f64.powi((k % 300) as i32) * if k.is_multiple_of(2) { 1.0 } else { -1.0 };
    let near = |k: usize| 1.0 + (k % 3) as f64 * 1e-6;
    match kind.lie {
        Lie::Any => {}
        Lie::Even => return (0..count).map(|k| k as f64 * 0.75 - 700.0).collect(),
        Lie::Factor => return (0..count).map(factor).collect(),
        Lie::Close => return (0..count).map(|k| (k / 3) as f64 * near(k)).collect(),
        Lie::CloseFactor => return (0..count).map(|k| factor(k / 3) * near(k)).collect(),
    }
    // LightGBM's zero is an f32.
    let zero = f64::from(1e-35_f32);
    let mut values = vec![zero, -zero, 0.0, -0.0, 1e-45, -1e-45, f64::from(f32::MAX), f64::from(f32::MIN), 5e-324];
    while values.len() < count {
        let unit = random.below(1 << 24) as f64 / f64::from(1 << 23) - 1.0;
        values.push(match random.below(16) {
            0 => unit * 10f64.powi(random.below(70) as i32 - 40),
            1 => (unit * 30.0).round(),
            2 => values[random.below(values.len() as u64) as usize].next_up(),
            _ => unit,
        });
    }
    values
}

fn tree(random: &mut Random, kind: &Kind, number: u32, grid: &[f64]) -> Tree {
    let mut nodes = vec![Node::Leaf(0)];
    let mut open = vec![0usize];
    let leaves = if random.below(8) == 0 { 1 + random.below(kind.leaves as u64) as usize } else { kind.leaves };
    for _ in 1..leaves {
        let at = open.remove(if kind.level { 0 } else { random.below(open.len() as u64) as usize });
        let (left, right) = (nodes.len() as u32, nodes.len() as u32 + 1);
        let feature = random.below(kind.columns.into()) as u32;
        // A column has thresholds of its own.
        let each = (grid.len() / kind.columns as usize).max(1);
        let threshold = grid[(feature as usize * each + random.below(each as u64) as usize) % grid.len()];
        let side = match kind.sides {
            Sides::Mixed => [Sides::Any, Sides::Zero, Sides::Nonzero][feature as usize % 3],
            side => side,
        };
        let (test, zero_left) = match random.below(4) {
            0 if kind.sets > 0 => (Test::In(random.below(kind.sets) as u32), false),
            0..2 if kind.sets > 0 || side == Sides::Nonzero => (Test::LessEqualNonzero(threshold), false),
            // What is missing against what is there, as LightGBM and HistGradientBoosting have it.
            2 if kind.compare == Width::F64 && side == Sides::Any && random.below(9) == 0 => {
                (Test::LessEqual(f64::INFINITY), true)
            }
            _ if kind.compare == Width::F32 && threshold as f32 > f32::MIN => {
                (Test::Less(threshold), 0.0 < threshold)
            }
            _ => (Test::LessEqual(threshold), 0.0 <= threshold),
        };
        let missing_left = match side {
            Sides::Zero => zero_left,
            Sides::Column => feature.is_multiple_of(2),
            _ => random.below(3) == 0,
        };
        nodes[at] = Node::Split { feature, test, missing_left, left, right };
        nodes.extend([Node::Leaf(0); 2]);
        open.extend([left as usize, right as usize]);
    }
    let mut leaf = 0;
    for node in &mut nodes {
        if let Node::Leaf(place) = node {
            *place = leaf;
            leaf += 1;
        }
    }
    let width = if kind.vector { kind.outputs } else { 1 };
    let values = (0..leaf * width).map(|_| f64::from((random.below(1 << 20) as f32 - 5e5) / 7e5)).collect();
    let leaves = match kind.vector {
        true => Leaves::Vector(values),
        false => Leaves::Scalar { output: number % kind.outputs, values },
    };
    Tree { nodes, leaves }
}

fn value(random: &mut Random, kind: &Kind, grid: &[f64]) -> f64 {
    let value = grid[random.below(grid.len() as u64) as usize];
    let near = value as f32;
    let x = match random.below(12) {
        0 if kind.missing => f64::NAN,
        1 if kind.infinite => f64::INFINITY,
        2 if kind.infinite => f64::NEG_INFINITY,
        3 => value.next_up(),
        4 => value.next_down(),
        5 => f64::from(near.next_up()),
        6 => f64::from(near.next_down()),
        7 if kind.sets > 0 => [-1.5, -1.0, -0.5, 0.5, 1.5, 70.0, 1e9][random.below(7) as usize],
        7 | 8 => random.below(if kind.sets > 0 { 50 } else { 8 }) as f64,
        _ => value,
    };
    if !kind.infinite && (x as f32).is_infinite() { 1.0 } else { x }
}

/// As many as the largest batch that is asked of a package.
const ROWS: usize = 2600;

#[test]
fn random_ensembles_as_packages() {
    let mut random = Random(11);
    for kind in kinds() {
        let grid = thresholds(&mut random, &kind);
        let sets = (0..kind.sets).map(|_| {
            let left: Vec<bool> = (0..random.below(45)).map(|_| random.below(2) == 0).collect();
            let set = CategorySet::new(left.len() as u32, random.below(2) == 0, |k| left[k as usize]);
            CategorySet { toward_zero: random.below(2) == 0, ..set }
        });
        let sets = sets.collect();
        let ensemble = Ensemble {
            compare: kind.compare,
            sum: kind.sum,
            features: kind.columns,
            base: (0..kind.outputs).map(|output| f64::from(output) / 4.0 - 0.25).collect(),
            trees: (0..kind.trees).map(|number| tree(&mut random, &kind, number, &grid)).collect(),
            sets,
            aggregate: if kind.vector { Aggregate::Divide(kind.trees.into()) } else { Aggregate::Sum },
            missing: kind.missing,
            infinite: kind.infinite,
        };
        ensemble.check().unwrap();
        let model = model_of(kind.columns, Op::Trees(ensemble));
        let lowered = lower(&model, Want::Package).unwrap();
        let kernels: Vec<&str> = lowered.kernels.iter().map(|kernel| kernel.name()).collect();
        assert_eq!(kernels, [kind.kernel], "{}", kind.name);

        let mut rows: Vec<f64> =
            (0..ROWS * kind.columns as usize).map(|_| value(&mut random, &kind, &grid)).collect();
        if kind.late {
            rows.iter_mut().take(2100 * kind.columns as usize).filter(|x| x.is_nan()).for_each(|x| *x = 1.0);
        }
        record(kind.name, &model, &lowered, &rows);
    }
}

/// Of so many columns of numbers.
fn model_of(columns: u32, op: Op) -> Model {
    let columns: Vec<Column> = (0..columns)
        .map(|number| Column {
            name: format!("x{number}"),
            kind: ColumnKind::Number,
            missing: false,
            infinite: false,
            single: false,
            unknown: false,
            digits: false,
            partial: false,
            // Values outside are warned of, and so looked at one by one.
            range: (number % 5 == 2).then_some((-100.0, 100.0)),
            used: true,
            readers: Vec::new(),
        })
        .collect();
    let mut graph = Graph::default();
    let wires = columns.iter().map(|_| graph.column(WireKind::Number)).collect();
    let values = graph.push(op, wires, "it").unwrap();
    let mut model = Model {
        schema: Schema { columns, names_from: NamesFrom::File },
        graph,
        output: Output::Regression { values, names: Vec::new() },
        source: Source { library: "none".to_string(), estimator: "it".to_string(), ..Source::default() },
    };
    model.settle_columns();
    model
}

/// Oblivious trees by the kernel that asks their levels and by those of full trees: the sums of their leaves.
#[test]
fn oblivious_trees_as_packages() {
    let mut random = Random(13);
    for (name, kernel, trees, depths, outputs) in [
        ("oblivious-few", "oblivious", 20, 3..7, 1),
        ("oblivious-deep", "oblivious", 30, 7..10, 1),
        ("oblivious-infinite", "oblivious", 60, 6..7, 1),
        ("oblivious-6", "gathered32x4", 120, 6..7, 1),
        ("oblivious-any", "grouped32x4", 70, 0..7, 1),
        ("oblivious-rows", "gathered32x4", 60, 4..5, 3),
        ("oblivious-8", "gathered32x4", 30, 8..9, 1),
    ] {
        let kind = Kind { columns: 40, grid: 40 * 60, lie: Lie::Even, ..PLAIN };
        let grid = thresholds(&mut random, &kind);
        let missing_above: Vec<bool> = (0..kind.columns).map(|column| column.is_multiple_of(3)).collect();
        let tree = |_| {
            let depth = depths.start + random.below((depths.end - depths.start) as u64) as usize;
            let mut level = || {
                let column = random.below(kind.columns.into());
                let infinite = name.ends_with("infinite") && random.below(9) == 0;
                let border = grid[column as usize * 60 + random.below(60) as usize] as f32;
                (column as u32, if infinite { f32::INFINITY } else { border })
            };
            let levels: Vec<(u32, f32)> = (0..depth).map(|_| level()).collect();
            let values = (0..outputs << depth).map(|_| random.below(1 << 40) as f64 / 1e11 - 5.0).collect();
            ObliviousTree { levels, values }
        };
        let forest = Oblivious { outputs, missing_above, trees: (0..trees).map(tree).collect() };
        forest.check().unwrap();
        let rows: Vec<f64> = (0..ROWS * kind.columns as usize).map(|_| value(&mut random, &kind, &grid)).collect();
        let mut sums = Vec::new();
        for row in rows.chunks(kind.columns as usize) {
            let above = |&(column, border): &(u32, f32)| match row[column as usize] as f32 {
                x if x.is_nan() && forest.missing_above[column as usize] => f32::INFINITY > border,
                x => x > border,
            };
            for output in 0..outputs {
                let value = |tree: &ObliviousTree| {
                    let bits =
                        tree.levels.iter().enumerate().map(|(level, asked)| usize::from(above(asked)) << level);
                    tree.values[bits.sum::<usize>() * outputs + output]
                };
                sums.push(forest.trees.iter().map(value).fold(0.0, |sum: f64, value| sum + value));
            }
        }
        let model = model_of(kind.columns, Op::Oblivious(forest));
        let lowered = lower(&model, Want::Package).unwrap();
        let kernels: Vec<&str> = lowered.kernels.iter().map(|kernel| kernel.name()).collect();
        assert_eq!(kernels, [kernel], "{name}");
        let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert!(bits(&record(name, &model, &lowered, &rows)) == bits(&sums), "{name}");
    }
}

/// Leaves the package, the rows and what the machine here answers, and gives that.
fn record(name: &str, model: &Model, lowered: &Lowered, rows: &[f64]) -> Vec<f64> {
    let columns = model.schema.columns.len();
    let mut machine = Machine::open(&lowered.image).unwrap();
    let Results::Regression { values, .. } = &lowered.results else { unreachable!() };
    let mut answers = Vec::new();
    for block in rows.chunks(columns * machine.block()) {
        let count = block.len() / columns;
        for (place, &x) in block.iter().enumerate() {
            machine.slots_mut()[place % columns * count + place / columns] = x;
        }
        machine.run(count).unwrap();
        for row in 0..count {
            let slots = values.first as usize..(values.first + values.count) as usize;
            answers.extend(slots.map(|slot| machine.slots()[slot * count + row]));
        }
    }

    let files = package::pack(model, lowered, package::runtime().unwrap(), &package::Options::new(name)).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels").join(name);
    package::write(&folder, &files, false).unwrap();
    let bytes = |numbers: &[f64]| numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    std::fs::write(folder.join("rows.f64"), bytes(rows)).unwrap();
    std::fs::write(folder.join("answers.f64"), bytes(&answers)).unwrap();
    answers
}

/// A package has only the tables of constants that its kernels read: each function that might read one, by itself.
#[test]
fn functions_as_packages() {
    let mut random = Random(12);
    for (name, function) in [
        ("cbrt", Function::Cbrt),
        ("cos", Function::Cos),
        ("exp", Function::Exp),
        ("exp2", Function::Exp2),
        ("expit", Function::Expit),
        ("expm1", Function::Expm1),
        ("log", Function::Log),
        ("log10", Function::Log10),
        ("log1p", Function::Log1p),
        ("log2", Function::Log2),
        ("normal-cdf", Function::NormalCdf),
        ("sin", Function::Sin),
        ("sqrt", Function::Sqrt),
        ("tan", Function::Tan),
        ("tanh", Function::Tanh),
    ] {
        let model = model_of(1, Op::Function(function));
        // From 2^-900 to 2^900, and most of them near 1.
        let mut number = || {
            let wide = random.below(4) == 0;
            let power = random.below(if wide { 1801 } else { 17 }) as i32 - if wide { 900 } else { 8 };
            (1.0 + random.below(1 << 30) as f64 / f64::from(1 << 30)) * 2f64.powi(power)
        };
        let rows: Vec<f64> = (0..ROWS).map(|_| number()).collect();
        record(name, &model, &lower(&model, Want::Package).unwrap(), &rows);
    }
}

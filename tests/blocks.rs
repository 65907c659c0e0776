//! Large linear maps and RBF sums (`runtime::blocks`) against their formulas, in blocks of every size; a row's bits
//! do not depend on the rows beside it.

use carryout::image::{Image, Kernel};
use carryout::lower::{Results, Want, lower};
use carryout::model::{
    Coefficients, Column, ColumnKind, Function, Graph, KernelSum, Matrix, Model, NamesFrom, Op, Output, PairKernel,
    Schema, Source, Wire, WireKind,
};
use carryout::runtime::host::Machine;

struct Random(u64);

impl Random {
    /// Between -1 and 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> Matrix {
        Matrix::new(rows, columns, (0..rows * columns).map(|_| self.next()).collect()).unwrap()
    }
}

/// A model of one operation over number columns.
fn model(columns: usize, op: Op) -> Model {
    model_of((0..columns).collect(), op)
}

/// A model of one operation over number columns that reads them in this order.
fn model_of(order: Vec<usize>, op: Op) -> Model {
    let columns = order.len();
    let mut graph = Graph::default();
    let wires: Vec<Wire> = (0..columns).map(|_| graph.column(WireKind::Number)).collect();
    let wires = order.into_iter().map(|column| wires[column]).collect();
    let columns = (0..columns).map(|number| Column {
        name: format!("x{number}"),
        kind: ColumnKind::Number,
        missing: false,
        infinite: false,
        single: false,
        unknown: false,
        digits: false,
        partial: false,
        range: None,
        used: true,
        readers: Vec::new(),
    });
    let schema = Schema { columns: columns.collect(), names_from: NamesFrom::File };
    let values = graph.push(op, wires, "one").unwrap();
    Model { schema, graph, output: Output::Regression { values, names: Vec::new() }, source: Source::default() }
}

/// The outputs of every row: of the rows together, `block` at a time, row-major.
fn run(model: &Model, kernel: Kernel, rows: &Matrix, block: usize) -> Vec<f64> {
    let lowered = lower(model, Want::Everything).unwrap();
    let record = Image::open(&lowered.image).and_then(|image| image.record(0).map(|record| record.kernel));
    assert_eq!(record, Some(kernel as u32));
    let Results::Regression { values, .. } = lowered.results else { panic!("a regression") };
    let mut machine = Machine::open(&lowered.image).unwrap();
    let mut found = Vec::new();
    for first in (0..rows.rows).step_by(block) {
        let count = block.min(rows.rows - first);
        for column in 0..rows.columns {
            for row in 0..count {
                machine.slots_mut()[column * count + row] = rows.row(first + row)[column];
            }
        }
        machine.run(count).unwrap();
        for row in 0..count {
            found.extend(
                (values.first..values.first + values.count).map(|slot| machine.slots()[slot as usize * count + row]),
            );
        }
    }
    found
}

#[test]
fn linear_maps_have_the_bits_of_sums_in_column_order() {
    let mut random = Random(1);
    for (inputs, outputs) in [(64, 10), (13, 21), (256, 1), (1, 257)] {
        let (coef, rows) = (random.matrix(outputs, inputs), random.matrix(39, inputs));
        let intercept: Vec<f64> = (0..outputs).map(|_| random.next()).collect();
        let expected: Vec<f64> = (0..rows.rows)
            .flat_map(|row| (0..outputs).map(move |output| (row, output)))
            .map(|(row, output)| {
                rows.row(row).iter().zip(coef.row(output)).fold(0.0, |sum, (x, w)| sum + w * x) + intercept[output]
            })
            .collect();
        // Columns that do not lie one behind the other are copied.
        let order: Vec<usize> = (0..inputs).rev().collect();
        let mut backwards = rows.clone();
        backwards.values.chunks_mut(inputs).for_each(<[f64]>::reverse);
        let reversed = model_of(order, Op::Affine { coef: coef.clone(), intercept: intercept.clone() });
        let mut model = model(inputs, Op::Affine { coef, intercept });
        for block in [39, 1, 3, 4, 7] {
            let found = run(&reversed, Kernel::Dense, &backwards, block);
            assert_eq!(found, expected, "{inputs} × {outputs} backwards, blocks of {block}");
        }
        for block in [39, 1, 2, 3, 4, 5, 7] {
            assert_eq!(run(&model, Kernel::Dense, &rows, block), expected, "{inputs} × {outputs}, blocks of {block}");
        }
        // A rectifier behind it is a part of it, unless the sums themselves are asked for.
        let Output::Regression { values, .. } = &mut model.output else { unreachable!() };
        let sums = values.clone();
        *values = model.graph.push(Op::Function(Function::Relu), sums.clone(), "two").unwrap();
        let rectified: Vec<f64> = expected.iter().map(|sum| sum.max(0.0)).collect();
        for block in [39, 1, 2, 3, 4, 5, 7] {
            assert_eq!(
                run(&model, Kernel::Dense, &rows, block),
                rectified,
                "{inputs} × {outputs}, blocks of {block}"
            );
        }
        let operations = |model: &Model| {
            let image = lower(model, Want::Everything).unwrap().image;
            Image::open(&image).unwrap().ops
        };
        assert_eq!(operations(&model), 1);
        model.graph.note("decision_function", sums);
        assert_eq!(operations(&model), 2);
    }
}

#[test]
fn rbf_sums_agree_with_their_formula() {
    // Most numbers at one place, as of pixels: then few are multiplied; and one column that is the same everywhere.
    let sizes = [-1.0, 0.6, 1.0].map(rbf_sums);
    assert!(sizes[0] > sizes[1] + 1000 && sizes[1] > sizes[2] + 1000, "{sizes:?} bytes");
}

/// Compares with vectors whose numbers below `usual` are all the same; the size of the image.
fn rbf_sums(usual: f64) -> usize {
    let mut random = Random(2);
    let inputs = 17;
    let (mut vectors, mut rows) = (random.matrix(50, inputs), random.matrix(39, inputs));
    for (place, x) in vectors.values.iter_mut().enumerate() {
        if *x < usual || (usual > -1.0 && place % inputs == 3) {
            *x = 0.25;
        }
    }
    // Far from the origin, where |x|² + |s|² - 2 x·s of the numbers as they are would have lost ten digits.
    for x in vectors.values.iter_mut().chain(&mut rows.values) {
        *x += 1e5;
    }
    rows.values[..inputs].copy_from_slice(vectors.row(7));
    rows.values[inputs..2 * inputs].fill(-1e300);
    let counts = vec![13, 20, 17];
    let coef = random.matrix(2, 50);
    let intercept: Vec<f64> = (0..3).map(|_| random.next()).collect();
    let gamma = 0.7;
    let pairs = [(0, 1), (0, 2), (1, 2)];
    let class = |vector: usize| if vector < 13 { 0 } else { 1 + usize::from(vector >= 33) };
    let mut expected = Vec::new();
    for row in 0..rows.rows {
        for (&(i, j), &intercept) in pairs.iter().zip(&intercept) {
            let mut sum = 0.0;
            for vector in (0..50).filter(|&vector| [i, j].contains(&class(vector))) {
                let other = i + j - class(vector);
                let coef = coef.row(other - usize::from(other > class(vector)))[vector];
                let distance: f64 =
                    rows.row(row).iter().zip(vectors.row(vector)).map(|(x, s)| (x - s) * (x - s)).sum();
                sum += coef * (-gamma * distance).exp();
            }
            expected.push(sum + intercept);
        }
    }
    let sum = KernelSum {
        kernel: PairKernel::Rbf { gamma },
        vectors,
        coef: Coefficients::Pairs { counts, coef },
        intercept,
    };
    let model = model(inputs, Op::KernelSum(sum));
    let found = run(&model, Kernel::RbfFours, &rows, 39);
    for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{place}: {found} for {expected}");
    }
    for block in [1, 2, 3, 4, 5, 7] {
        assert_eq!(run(&model, Kernel::RbfFours, &rows, block), found, "blocks of {block}");
    }
    lower(&model, Want::Everything).unwrap().image.len()
}

/// A steep kernel, and coefficients that cancel each other, need the distances themselves.
#[test]
fn distances_that_must_be_exact_keep_the_plain_kernel() {
    let mut random = Random(3);
    let rows = random.matrix(3, 16);
    for (gamma, factor) in [(100.0, 1.0), (0.1, 1e6)] {
        let vectors = random.matrix(40, 16);
        let mut coef = random.matrix(1, 40);
        coef.values.iter_mut().for_each(|coef| *coef *= factor);
        let kernel = PairKernel::Rbf { gamma };
        let sum = KernelSum { kernel, vectors, coef: Coefficients::Dense(coef), intercept: vec![0.0] };
        run(&model(16, Op::KernelSum(sum)), Kernel::Rbf, &rows, 3);
    }
}

//! Arguments of the kernels that work against stored vectors (`runtime::blocks`, `runtime::pairwise`,
//! `runtime::neighbors`).

use super::args::Args;
use crate::image::Kernel;
use crate::model::{Coefficients, KernelSum, Matrix, Metric, Nearest, PairKernel, Weights, Within};
use crate::runtime::neighbors::code;

/// From as many numbers on, a product goes four rows by four vectors (`runtime::blocks`). With fewer the plain
/// kernels, which are smaller, cost no more than what stands around them.
pub const MANY: usize = 256;

/// The largest gamma times squared norm at which a squared distance made of norms and a product still gives kernel
/// values within 1e-13: their error is some 2^-53 of that.
const NEAR: f64 = 64.0;

/// The rows in fours: of each four, the first column's numbers, then the second's; zeros where there is no row.
pub fn in_fours(matrix: &Matrix) -> Vec<f64> {
    let numbers = matrix.rows.next_multiple_of(4) * matrix.columns;
    let mut fours = Vec::with_capacity(numbers);
    for first in (0..matrix.rows).step_by(4) {
        for column in 0..matrix.columns {
            fours.extend((first..first + 4).map(|row| if row < matrix.rows { matrix.row(row)[column] } else { 0.0 }));
        }
    }
    fours
}

/// The kernel, and how many scratch slots it needs beside one for each input.
pub fn kernel_sum(args: &mut Args, sum: &KernelSum) -> (Kernel, u32) {
    let (kernel, parameters) = match sum.kernel {
        PairKernel::Rbf { gamma } => (Kernel::Rbf, [gamma, 0.0, 0.0]),
        PairKernel::Polynomial { gamma, coef0, degree } => (Kernel::Polynomial, [gamma, coef0, f64::from(degree)]),
        PairKernel::Sigmoid { gamma, coef0 } => (Kernel::Sigmoid, [gamma, coef0, 0.0]),
        PairKernel::Laplacian { gamma } => (Kernel::Laplacian, [gamma, 0.0, 0.0]),
        PairKernel::ChiSquared { gamma } => (Kernel::ChiSquared, [gamma, 0.0, 0.0]),
        PairKernel::AdditiveChiSquared => (Kernel::AdditiveChiSquared, [0.0; 3]),
    };
    // A group of vectors shares the outputs that its coefficients go to: a class, or all of them.
    let (counts, targets, coef) = match &sum.coef {
        Coefficients::Dense(coef) => (vec![sum.vectors.rows as u32], (0..coef.rows as u32).collect(), coef),
        Coefficients::Pairs { counts, coef } => {
            let classes = counts.len() as u32;
            let pair = |i: u32, j: u32| i * classes - i * (i + 1) / 2 + j - i - 1;
            let others = |class: u32| {
                (0..classes)
                    .filter(move |&other| other != class)
                    .map(move |other| pair(class.min(other), class.max(other)))
            };
            (counts.clone(), (0..classes).flat_map(others).collect::<Vec<u32>>(), coef)
        }
    };
    if let PairKernel::Rbf { gamma } = sum.kernel
        && let Some(center) = center(sum, gamma, coef)
    {
        rbf_fours(args, sum, gamma, &center, (&counts, &targets, coef));
        return (Kernel::RbfFours, 5);
    }
    args.u32s(&[sum.vectors.rows as u32, counts.len() as u32, coef.rows as u32]).f64s(&parameters);
    args.u32s(&counts).u32s(&targets).f64s(&sum.vectors.values);
    let by_vector: Vec<f64> =
        (0..coef.columns).flat_map(|vector| (0..coef.rows).map(move |row| coef.row(row)[vector])).collect();
    args.f64s(&by_vector).f64s(&sum.intercept);
    (kernel, 1)
}

fn squared_norm(vector: impl Iterator<Item = f64>) -> f64 {
    vector.map(|x| x * x).sum()
}

/// A vector, squared distances to which may be made of norms and products: see `NEAR`. What stands most often in a
/// column is its number, so that there is little to multiply, else the mean. Large coefficients, as of Gaussian
/// processes, cancel each other and would show the error.
fn center(sum: &KernelSum, gamma: f64, coef: &Matrix) -> Option<Vec<f64>> {
    let Matrix { rows, columns, values } = &sum.vectors;
    if values.len() < MANY || !coef.values.iter().all(|coef| coef.abs() <= 1e3) {
        return None;
    }
    let near = |center: &Vec<f64>| {
        (0..*rows).all(|row| {
            let moved = sum.vectors.row(row).iter().zip(center).map(|(x, center)| x - center);
            gamma.abs() * squared_norm(moved) <= NEAR
        })
    };
    let of_columns = |center: &dyn Fn(&mut Vec<f64>) -> f64| -> Vec<f64> {
        (0..*columns)
            .map(|column| center(&mut (0..*rows).map(|row| sum.vectors.row(row)[column]).collect()))
            .collect()
    };
    let mean = |column: &mut Vec<f64>| column.iter().map(|x| x / *rows as f64).sum();
    let usual = |column: &mut Vec<f64>| {
        column.sort_by(f64::total_cmp);
        let most = column.chunk_by(|a, b| a == b).max_by_key(|same| same.len()).unwrap_or_default();
        if most.len() > 1 { most[0] } else { mean(column) }
    };
    Some(of_columns(&usual)).filter(near).or_else(|| Some(of_columns(&mean)).filter(near))
}

/// The arguments of `runtime::blocks::rbf`. Each group is filled up to whole fours by vectors of coefficient 0.
fn rbf_fours(args: &mut Args, sum: &KernelSum, gamma: f64, center: &[f64], coef: (&[u32], &[u32], &Matrix)) {
    let (counts, targets, coef) = coef;
    let (mut vectors, mut weights, mut norms) = (Vec::new(), Vec::new(), Vec::new());
    let (mut sizes, mut columns) = (Vec::new(), Vec::new());
    let mut first = 0;
    for &count in counts {
        let rows = first..first + count as usize;
        first = rows.end;
        let width = sum.vectors.columns;
        let moved: Vec<f64> =
            rows.clone().flat_map(|row| sum.vectors.row(row).iter().zip(center).map(|(x, mean)| x - mean)).collect();
        let moved = Matrix { rows: rows.len(), columns: width, values: moved };
        let of_vectors = rows.clone().flat_map(|vector| (0..coef.rows).map(move |row| coef.row(row)[vector]));
        let of_vectors = Matrix { rows: rows.len(), columns: coef.rows, values: of_vectors.collect() };
        for four in in_fours(&moved).chunks(4 * width) {
            let before = columns.len();
            for (column, numbers) in (0u32..).zip(four.chunks(4)).filter(|(_, numbers)| *numbers != [0.0; 4]) {
                columns.push(column);
                vectors.extend(numbers);
            }
            sizes.push((columns.len() - before) as u32);
        }
        weights.extend(in_fours(&of_vectors));
        norms.extend((0..moved.rows).map(|row| squared_norm(moved.row(row).iter().copied())));
        norms.resize(norms.len().next_multiple_of(4), 0.0);
    }
    let fours: Vec<u32> = counts.iter().map(|count| count.div_ceil(4)).collect();
    args.u32s(&[sizes.len() as u32, counts.len() as u32, coef.rows as u32, columns.len() as u32]).f64(gamma);
    args.u32s(&fours).u32s(targets).f64s(center).u32s(&sizes).u32s(&columns).f64s(&vectors);
    args.f64s(&norms).f64s(&weights).f64s(&sum.intercept);
}

pub fn weighted(weights: Weights) -> u32 {
    u32::from(weights == Weights::Distance)
}

fn stored(args: &mut Args, metric: Metric, vectors: &Matrix) {
    let (code, parameter) = match metric {
        Metric::Euclidean => (code::EUCLIDEAN, 0.0),
        Metric::Manhattan => (code::MANHATTAN, 0.0),
        Metric::Chebyshev => (code::CHEBYSHEV, 0.0),
        Metric::Minkowski(power) => (code::MINKOWSKI, power),
        Metric::Canberra => (code::CANBERRA, 0.0),
        Metric::BrayCurtis => (code::BRAY_CURTIS, 0.0),
        Metric::Hamming => (code::HAMMING, 0.0),
        Metric::Cosine => (code::COSINE, 0.0),
        Metric::GreatCircle => (code::GREAT_CIRCLE, 0.0),
    };
    args.u32s(&[code, vectors.rows as u32]).f64(parameter).f64s(&vectors.values);
}

pub fn nearest(args: &mut Args, nearest: &Nearest) -> Kernel {
    stored(args, nearest.metric, &nearest.vectors);
    match nearest.metric {
        Metric::Euclidean => Kernel::NearestEuclidean,
        Metric::Manhattan => Kernel::NearestManhattan,
        _ => Kernel::Nearest,
    }
}

pub fn within(args: &mut Args, within: &Within) -> Kernel {
    stored(args, within.metric, &within.vectors);
    args.u32s(&[weighted(within.weights), u32::from(within.empty.is_some())]).f64(within.radius);
    args.f64s(&within.values.values).f64s(within.empty.as_deref().unwrap_or_default());
    if within.metric == Metric::Euclidean { Kernel::WithinEuclidean } else { Kernel::Within }
}

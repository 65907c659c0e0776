//! Arguments of the kernels that work against stored vectors (`runtime::pairwise`, `runtime::neighbors`).

use super::args::Args;
use crate::image::Kernel;
use crate::model::{Coefficients, KernelSum, Matrix, Metric, Nearest, PairKernel, Weights, Within};
use crate::runtime::neighbors::code;

pub fn kernel_sum(args: &mut Args, sum: &KernelSum) -> Kernel {
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
    args.u32s(&[sum.vectors.rows as u32, counts.len() as u32, coef.rows as u32]).f64s(&parameters);
    args.u32s(&counts).u32s(&targets).f64s(&sum.vectors.values);
    let by_vector: Vec<f64> =
        (0..coef.columns).flat_map(|vector| (0..coef.rows).map(move |row| coef.row(row)[vector])).collect();
    args.f64s(&by_vector).f64s(&sum.intercept);
    kernel
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

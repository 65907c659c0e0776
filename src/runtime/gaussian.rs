//! Gaussian processes: solving with the lower triangle of a Cholesky factor, and the Laplace approximation of a
//! class's probability.

use super::{Call, Shape};

/// As many inputs as outputs, n; the triangle row by row, n (n + 1) / 2 numbers.
pub fn check_solve(shape: &Shape) -> Option<usize> {
    shape.args().list::<f64>(shape.inputs.checked_mul(shape.inputs.checked_add(1)?)? / 2)?;
    super::columns::check_same(shape)
}

/// The outputs y of L y = x.
pub fn solve(call: &Call) {
    let count = call.inputs.len();
    let Some(mut triangle) = call.args().list::<f64>(count * (count + 1) / 2) else { return };
    let scratch = call.rows;
    for number in 0..count {
        let Some((line, rest)) = triangle.split_at_checked(number + 1) else { return };
        triangle = rest;
        let Some((&diagonal, before)) = line.split_last() else { return };
        for row in 0..scratch {
            let done = before
                .iter()
                .enumerate()
                .map(|(earlier, weight)| weight * call.output(earlier).get(row).copied().unwrap_or(0.0));
            let sum: f64 = done.sum();
            let x = call.input(number).get(row).copied().unwrap_or(0.0);
            if let Some(y) = call.output(number).get_mut(row) {
                *y = (x - sum) / diagonal;
            }
        }
    }
}

/// The latent mean and variance come in.
pub fn check_laplace(shape: &Shape) -> Option<usize> {
    (shape.inputs == 2 && shape.outputs == 1).then_some(0)
}

/// The logistic under a normal distribution, as five error functions (Williams and Barber), in scikit-learn's
/// numbers.
pub fn laplace(call: &Call) {
    const LAMBDAS: [f64; 5] = [0.41, 0.4, 0.37, 0.44, 0.39];
    const COEFS: [f64; 5] = [-1854.8214151, 3516.89893646, 221.29346712, 128.12323805, -2010.49422654];
    let pi = core::f64::consts::PI;
    for ((y, &mean), &variance) in call.output(0).iter_mut().zip(call.input(0)).zip(call.input(1)) {
        let alpha = 1.0 / (2.0 * variance);
        let (mut sum, mut even) = (0.0, 0.0);
        for (lambda, coef) in LAMBDAS.into_iter().zip(COEFS) {
            let scale = libm::sqrt(alpha / (alpha + lambda * lambda));
            let integral =
                libm::sqrt(pi / alpha) * libm::erf(lambda * mean * scale) / (2.0 * libm::sqrt(variance * 2.0 * pi));
            sum += coef * integral;
            even += coef;
        }
        *y = sum + 0.5 * even;
    }
}

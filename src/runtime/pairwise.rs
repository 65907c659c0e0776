//! Sums of kernel values against stored vectors. The rows are gathered once, so that each is one contiguous vector;
//! every stored vector is then read once a block.

use super::exp::exp;
use super::{Call, Shape, rows, rows_mut};
use crate::image::Reader;

/// Folds two vectors in four lanes, which the compiler turns into SIMD; the order of summation is free here.
#[inline]
pub fn fold(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let ((fours, rest), (others, other_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let tail: f64 = rest.iter().zip(other_rest).map(|(&x, &y)| term(x, y)).sum();
    let mut lanes = [0.0; 4];
    for (x, y) in fours.iter().zip(others) {
        for ((lane, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += term(x, y);
        }
    }
    let [first, second, third, fourth] = lanes;
    (first + third) + (second + fourth) + tail
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    fold(a, b, |x, y| x * y)
}

pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    fold(a, b, |x, y| (x - y) * (x - y))
}

pub fn manhattan(a: &[f64], b: &[f64]) -> f64 {
    fold(a, b, |x, y| libm::fabs(x - y))
}

/// Σ (x - y)² / (x + y)
pub fn chi_squared_distance(a: &[f64], b: &[f64]) -> f64 {
    fold(a, b, |x, y| if x + y == 0.0 { 0.0 } else { (x - y) * (x - y) / (x + y) })
}

/// Writes the inputs row by row.
pub fn gather(call: &Call, table: &mut [f64]) {
    let columns = call.inputs.len().max(1);
    for (number, input) in call.inputs().enumerate() {
        for (row, &x) in rows_mut(table, columns).zip(input) {
            if let Some(cell) = row.get_mut(number) {
                *cell = x;
            }
        }
    }
}

/// The arguments: number of vectors, of groups, of coefficients a vector; three parameters of the kernel; vectors
/// in each group; the output each coefficient goes to, group by group; vectors; coefficients vector by vector; one
/// intercept an output.
struct Sum<'a> {
    width: usize,
    parameters: &'a [f64; 3],
    counts: &'a [u32],
    targets: &'a [u32],
    vectors: &'a [f64],
    coef: &'a [f64],
    intercept: &'a [f64],
}

impl<'a> Sum<'a> {
    fn read(mut args: Reader<'a>, inputs: usize, outputs: usize) -> Option<Sum<'a>> {
        let &[vectors, groups, width] = args.list::<u32>(3)? else { return None };
        let (vectors, groups, width) = (vectors as usize, groups as usize, width as usize);
        Some(Sum {
            width,
            parameters: args.list::<f64>(3)?.first_chunk()?,
            counts: args.list(groups)?,
            targets: args.list(groups.checked_mul(width)?)?,
            vectors: args.list(vectors.checked_mul(inputs)?)?,
            coef: args.list(vectors.checked_mul(width)?)?,
            intercept: args.list(outputs)?,
        })
    }
}

/// A slot for each input and one for the kernel values.
pub fn check_sum(shape: &Shape) -> Option<usize> {
    Sum::read(shape.args(), shape.inputs, shape.outputs)?;
    (shape.inputs > 0).then_some(shape.inputs + 1)
}

#[inline]
fn sum(call: &Call, kernel: impl Fn(&[f64], &[f64], &[f64; 3]) -> f64) {
    let inputs = call.inputs.len();
    let Some(sum) = Sum::read(call.args(), inputs, call.outputs) else { return };
    let (table, values) = call.scratch(inputs + 1).split_at_mut_checked(inputs * call.rows).unwrap_or_default();
    gather(call, table);
    call.start(sum.intercept);
    let width = sum.width.max(1);
    let mut vectors = rows(sum.vectors, inputs).zip(rows(sum.coef, width));
    for (&count, targets) in sum.counts.iter().zip(rows(sum.targets, width)) {
        for (vector, coef) in vectors.by_ref().take(count as usize) {
            for (value, row) in values.iter_mut().zip(rows(table, inputs)) {
                *value = kernel(row, vector, sum.parameters);
            }
            for (&target, &coef) in targets.iter().zip(coef) {
                for (y, &value) in call.output(target as usize).iter_mut().zip(values.iter()) {
                    *y += coef * value;
                }
            }
        }
    }
}

pub fn rbf(call: &Call) {
    sum(call, |x, s, &[gamma, ..]| exp(-gamma * squared_distance(x, s)));
}

pub fn polynomial(call: &Call) {
    sum(call, |x, s, &[gamma, coef0, degree]| power(gamma * dot(x, s) + coef0, degree as u32));
}

pub fn sigmoid(call: &Call) {
    sum(call, |x, s, &[gamma, coef0, _]| libm::tanh(gamma * dot(x, s) + coef0));
}

pub fn laplacian(call: &Call) {
    sum(call, |x, s, &[gamma, ..]| exp(-gamma * manhattan(x, s)));
}

pub fn chi_squared(call: &Call) {
    sum(call, |x, s, &[gamma, ..]| exp(-gamma * chi_squared_distance(x, s)));
}

pub fn additive_chi_squared(call: &Call) {
    sum(call, |x, s, _| -chi_squared_distance(x, s));
}

/// By squaring, in libsvm's order.
fn power(mut base: f64, mut times: u32) -> f64 {
    let mut product = 1.0;
    while times > 0 {
        if times % 2 == 1 {
            product *= base;
        }
        base *= base;
        times /= 2;
    }
    product
}

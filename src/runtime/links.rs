//! Kernels over the whole row: affine maps, distances, links from scores to probabilities, and choosing a class.

use super::exp::{exp, exp_f32, exp_pair};
use super::pair::{Pair, each_pair};
use super::{Call, Shape};

/// coef, outputs × inputs, row-major; then one intercept an output.
pub fn check_affine(shape: &Shape) -> Option<usize> {
    let mut args = shape.args();
    args.list::<f64>(shape.inputs.checked_mul(shape.outputs)?)?;
    args.list::<f64>(shape.outputs)?;
    Some(0)
}

pub fn affine(call: &Call) {
    let inputs = call.inputs.len();
    let mut args = call.args();
    // SAFETY: what `check_affine` read.
    let (coef, intercept) = unsafe { (args.sound::<f64>(inputs * call.outputs), args.sound::<f64>(call.outputs)) };
    if call.rows == 1 {
        let mut rows = coef.iter();
        for (output, &intercept) in call.outputs().zip(intercept) {
            let mut sum = 0.0;
            for (input, &weight) in call.inputs().zip(&mut rows) {
                input.iter().for_each(|&x| sum += weight * x);
            }
            output.fill(sum + intercept);
        }
        return;
    }
    for (number, (output, &intercept)) in call.outputs().zip(intercept).enumerate() {
        let mut row = call.inputs().zip(coef.iter().skip(number * inputs).take(inputs));
        // The first product is written, not added: filling with zeros would be a call out of the module.
        match row.next() {
            Some((input, &weight)) => each_pair(output, input, |_, x| Pair::splat(0.0) + Pair::splat(weight) * x),
            None => output.fill(0.0),
        }
        for (input, &weight) in row {
            each_pair(output, input, |y, x| y + Pair::splat(weight) * x);
        }
        for y in output {
            *y += intercept;
        }
    }
}

pub fn affine32(call: &Call) {
    let inputs = call.inputs.len();
    let mut args = call.args();
    let Some(coef) = args.list::<f64>(inputs * call.outputs) else { return };
    let Some(intercept) = args.list::<f64>(call.outputs) else { return };
    for (number, (output, &intercept)) in call.outputs().zip(intercept).enumerate() {
        output.fill(intercept);
        let row = coef.iter().skip(number * inputs).take(inputs);
        for (input, &weight) in call.inputs().zip(row) {
            for (y, &x) in output.iter_mut().zip(input).filter(|(_, x)| !x.is_nan()) {
                *y = f64::from(*y as f32 + x as f32 * weight as f32);
            }
        }
    }
}

/// 1 where the distances stay squared; then the centers, outputs × inputs, row-major.
pub fn check_distances(shape: &Shape) -> Option<usize> {
    let mut args = shape.args();
    args.one::<u32>()?;
    args.list::<f64>(shape.inputs.checked_mul(shape.outputs)?)?;
    Some(0)
}

pub fn distances(call: &Call) {
    let inputs = call.inputs.len();
    let mut args = call.args();
    let Some(squared) = args.one::<u32>() else { return };
    let Some(centers) = args.list::<f64>(inputs * call.outputs) else { return };
    for (number, output) in call.outputs().enumerate() {
        output.fill(0.0);
        for (input, &center) in call.inputs().zip(centers.iter().skip(number * inputs).take(inputs)) {
            each_pair(output, input, |y, x| {
                let difference = x - Pair::splat(center);
                y + difference * difference
            });
        }
        if squared == 0 {
            for y in output {
                *y = libm::sqrt(*y);
            }
        }
    }
}

/// One input, two outputs.
pub fn check_pair(shape: &Shape) -> Option<usize> {
    (shape.inputs == 1 && shape.outputs == 2).then_some(0)
}

pub fn complement(call: &Call) {
    pair(call, |p| 1.0 - p);
}

pub fn complement32(call: &Call) {
    pair(call, |p| f64::from((1.0 - p) as f32));
}

pub fn mirror(call: &Call) {
    pair(call, |d| -d);
}

#[inline]
fn pair(call: &Call, first: impl Fn(f64) -> f64) {
    for (y, &x) in call.output(0).iter_mut().zip(call.input(0)) {
        *y = first(x);
    }
    for (y, &x) in call.output(1).iter_mut().zip(call.input(0)) {
        *y = x;
    }
}

/// Two rows at a time: the greatest, the exponentials and their sum, the quotients.
pub fn softmax(call: &Call) {
    let mut row = 0;
    while row < call.rows {
        let mut most = Pair::splat(f64::NEG_INFINITY);
        for input in call.inputs() {
            most = most.least(Pair::at(input, row));
        }
        let mut sum = Pair::splat(0.0);
        for (input, output) in call.inputs().zip(call.outputs()) {
            let y = exp_pair(Pair::at(input, row) - most);
            sum = sum + y;
            y.put(output, row);
        }
        for output in call.outputs() {
            (Pair::at(output, row) / sum).put(output, row);
        }
        row += 2;
    }
}

/// Exponentials and quotients in f32, the sum in f64 and then rounded.
pub fn softmax32(call: &Call) {
    for row in 0..call.rows {
        let at = |values: &[f64]| values.get(row).copied().unwrap_or(0.0) as f32;
        let most = call.inputs().map(at).fold(f32::NEG_INFINITY, |most, x| if x > most { x } else { most });
        let mut sum = 0.0;
        for (input, output) in call.inputs().zip(call.outputs()) {
            if let Some(y) = output.get_mut(row) {
                *y = f64::from(exp_f32(at(input) - most));
                sum += *y;
            }
        }
        for output in call.outputs() {
            if let Some(y) = output.get_mut(row) {
                *y = f64::from(*y as f32 / sum as f32);
            }
        }
    }
}

/// log of the sum of e^x, after subtracting the row's maximum.
pub fn log_sum_exp(call: &Call) {
    for (row, y) in call.output(0).iter_mut().enumerate() {
        let values = || call.inputs().map(|values| values.get(row).copied().unwrap_or(0.0));
        let most = values().fold(f64::NEG_INFINITY, |most, x| if x > most { x } else { most });
        *y = libm::log(values().map(|x| exp(x - most)).sum()) + most;
    }
}

pub fn share(call: &Call) {
    let even = 1.0 / call.outputs as f64;
    divide_by_sum(call, even);
}

pub fn share_or_zero(call: &Call) {
    divide_by_sum(call, 0.0);
}

/// `empty` in a row that sums to zero.
#[inline]
fn divide_by_sum(call: &Call, empty: f64) {
    for row in 0..call.rows {
        let at = |values: &[f64]| values.get(row).copied().unwrap_or(0.0);
        let sum: f64 = call.inputs().map(at).sum();
        for (input, output) in call.inputs().zip(call.outputs()) {
            if let Some(y) = output.get_mut(row) {
                *y = if sum == 0.0 { empty } else { at(input) / sum };
            }
        }
    }
}

/// At least one input, one output.
pub fn check_pick(shape: &Shape) -> Option<usize> {
    (shape.inputs > 0 && shape.outputs == 1).then_some(0)
}

pub fn argmax(call: &Call) {
    pick(call, |x, best| (x, best));
}

pub fn argmin(call: &Call) {
    pick(call, |x, best| (best, x));
}

/// The first input than which no later one is better, which is when the first of `order(x, best)` is above the second.
/// In vectors, of which one number is of use: engines pick a number by a branch, and which one is best is hard to guess.
#[inline(always)]
fn pick(call: &Call, order: impl Fn(Pair, Pair) -> (Pair, Pair)) {
    for (row, y) in call.output(0).iter_mut().enumerate() {
        let at = |values: &[f64]| Pair::splat(values.get(row).copied().unwrap_or(0.0));
        let zero = Pair::splat(0.0);
        let (mut place, mut number, mut best) = (zero, zero, at(call.input(0)));
        for input in call.inputs().skip(1) {
            let x = at(input);
            let (above, below) = order(x, best);
            number = number + Pair::splat(1.0);
            place = above.above_or(below, number, place);
            best = above.above_or(below, x, best);
        }
        *y = place.first();
    }
}

//! Kernels that work column by column, or on a row's norm. Output k belongs to input k.

use super::pair::{Pair, each_pair};
use super::{Call, Shape};

/// As many outputs as inputs, no arguments.
pub fn check_same(shape: &Shape) -> Option<usize> {
    (shape.inputs == shape.outputs).then_some(0)
}

/// One number.
pub fn check_one(shape: &Shape) -> Option<usize> {
    shape.args().one::<f64>()?;
    check_same(shape)
}

/// Two numbers a column.
pub fn check_two(shape: &Shape) -> Option<usize> {
    shape.args().list::<f64>(shape.inputs.checked_mul(2)?)?;
    check_same(shape)
}

pub fn check_clip(shape: &Shape) -> Option<usize> {
    shape.args().list::<f64>(2)?;
    check_same(shape)
}

/// What is refused: NaN (bit 0), infinities (bit 1).
pub fn check_finite(shape: &Shape) -> Option<usize> {
    shape.args().one::<u32>()?;
    check_same(shape)
}

pub fn finite(call: &Call) {
    let Some(refused) = call.args().one::<u32>() else { return };
    for (input, output) in call.inputs().zip(call.outputs()) {
        for (row, (y, &x)) in output.iter_mut().zip(input).enumerate() {
            *y = x;
            if x.is_nan() && refused & 1 != 0 || x.is_infinite() && refused & 2 != 0 {
                call.refuse(row);
            }
        }
    }
}

/// One number an output.
pub fn check_constant(shape: &Shape) -> Option<usize> {
    shape.args().list::<f64>(shape.outputs)?;
    (shape.inputs == 0).then_some(0)
}

/// The marker, then one number a column.
pub fn check_impute(shape: &Shape) -> Option<usize> {
    let mut args = shape.args();
    args.one::<f64>()?;
    args.list::<f64>(shape.inputs)?;
    check_same(shape)
}

/// Which of mean (bit 0) and scale (bit 1) follow, then these, one number a column each.
pub fn check_standardize(shape: &Shape) -> Option<usize> {
    let mut args = shape.args();
    let given = args.one::<u32>()?;
    args.list::<f64>(if given & 1 != 0 { shape.inputs } else { 0 })?;
    args.list::<f64>(if given & 2 != 0 { shape.inputs } else { 0 })?;
    check_same(shape)
}

/// One scratch slot for the norm.
pub fn check_norm(shape: &Shape) -> Option<usize> {
    check_same(shape).map(|_| 1)
}

/// The first half of the inputs with the second, one output a pair.
pub fn check_halves(shape: &Shape) -> Option<usize> {
    (shape.outputs.checked_mul(2)? == shape.inputs).then_some(0)
}

pub fn multiply(call: &Call) {
    for (number, output) in call.outputs().enumerate() {
        for ((z, &x), &y) in output.iter_mut().zip(call.input(number)).zip(call.input(number + call.outputs)) {
            *z = x * y;
        }
    }
}

pub fn copy(call: &Call) {
    each(call, |x| x);
}

pub fn constant(call: &Call) {
    if let Some(values) = call.args().list::<f64>(call.outputs) {
        call.start(values);
    }
}

/// Applies a function to every value.
#[inline]
pub fn each(call: &Call, function: impl Fn(f64) -> f64) {
    for (input, output) in call.inputs().zip(call.outputs()) {
        for (y, &x) in output.iter_mut().zip(input) {
            *y = function(x);
        }
    }
}

/// `each`, two values at a time. The function is there once, for an odd last value too: e^x is 18 constants long.
#[inline]
pub fn each_two(call: &Call, function: impl Fn(Pair) -> Pair) {
    for (input, output) in call.inputs().zip(call.outputs()) {
        let mut row = 0;
        while row < call.rows {
            function(Pair::at(input, row)).put(output, row);
            row += 2;
        }
    }
}

/// Applies a function of the value and the column's number in `values`.
#[inline]
pub fn each_with(call: &Call, values: &[f64], function: impl Fn(f64, f64) -> f64) {
    for ((input, output), &value) in call.inputs().zip(call.outputs()).zip(values) {
        for (y, &x) in output.iter_mut().zip(input) {
            *y = function(x, value);
        }
    }
}

/// A NaN marker matches NaN.
#[inline]
fn matches(x: f64, marker: f64) -> bool {
    x == marker || (x.is_nan() && marker.is_nan())
}

pub fn impute(call: &Call) {
    let mut args = call.args();
    // SAFETY: what `check_impute` read, for as many outputs as inputs.
    let (marker, fill) = unsafe { (*args.sound::<f64>(1).as_ptr(), args.sound(call.outputs)) };
    each_with(call, fill, |x, fill| if matches(x, marker) { fill } else { x });
}

pub fn is_missing(call: &Call) {
    let Some(marker) = call.args().one::<f64>() else { return };
    each(call, |x| f64::from(u8::from(matches(x, marker))));
}

pub fn standardize(call: &Call) {
    let mut args = call.args();
    // SAFETY: what `check_standardize` read, for as many outputs as inputs.
    let given = unsafe { *args.sound::<u32>(1).as_ptr() };
    let mut list = |flag| unsafe { args.sound::<f64>(if given & flag != 0 { call.outputs } else { 0 }) };
    let (mut mean, mut scale) = (list(1).iter(), list(2).iter());
    for (input, output) in call.inputs().zip(call.outputs()) {
        // Less nothing and over one are the number itself.
        let mean = Pair::splat(mean.next().copied().unwrap_or(0.0));
        let scale = Pair::splat(scale.next().copied().unwrap_or(1.0));
        each_pair(output, input, |_, x| (x - mean) / scale);
    }
}

pub fn linear(call: &Call) {
    let mut args = call.args();
    let Some(scale) = args.list::<f64>(call.outputs) else { return };
    let Some(offset) = args.list::<f64>(call.outputs) else { return };
    for (((input, output), &scale), &offset) in call.inputs().zip(call.outputs()).zip(scale).zip(offset) {
        each_pair(output, input, |_, x| x * Pair::splat(scale) + Pair::splat(offset));
    }
}

pub fn clip(call: &Call) {
    let Some(&[low, high]) = call.args().list::<f64>(2) else { return };
    each(call, |x| {
        if x < low {
            low
        } else if x > high {
            high
        } else {
            x
        }
    });
}

pub fn above(call: &Call) {
    let Some(threshold) = call.args().one::<f64>() else { return };
    each_two(call, |x| x.above(Pair::splat(threshold)));
}

pub fn below(call: &Call) {
    let Some(threshold) = call.args().one::<f64>() else { return };
    each_two(call, |x| Pair::splat(threshold).above(x));
}

pub fn isolation_score(call: &Call) {
    let Some(mean_path) = call.args().one::<f64>() else { return };
    each(call, |x| -super::functions::power_of_two(-x / mean_path));
}

pub fn normalize_l1(call: &Call) {
    normalize(call, |norm, x| norm + libm::fabs(x), |norm| norm);
}

pub fn normalize_l2(call: &Call) {
    normalize(call, |norm, x| norm + x * x, libm::sqrt);
}

pub fn normalize_max(call: &Call) {
    normalize(call, |norm, x| if libm::fabs(x) > norm { libm::fabs(x) } else { norm }, |norm| norm);
}

#[inline]
fn normalize(call: &Call, fold: impl Fn(f64, f64) -> f64, finish: impl Fn(f64) -> f64) {
    let norms = call.scratch(1);
    norms.fill(0.0);
    for input in call.inputs() {
        for (norm, &x) in norms.iter_mut().zip(input) {
            *norm = fold(*norm, x);
        }
    }
    for norm in norms.iter_mut() {
        *norm = finish(*norm);
        if *norm == 0.0 {
            *norm = 1.0;
        }
    }
    for (input, output) in call.inputs().zip(call.outputs()) {
        for ((y, &x), &norm) in output.iter_mut().zip(input).zip(norms.iter()) {
            *y = x / norm;
        }
    }
}

//! Kernels that combine what several estimators say, and the interpolation of isotonic calibration.

use super::curves::interpolate as interpolate_at;
use super::{Call, Shape};

/// What an interpolation does beyond its ends.
pub const CLIP: u32 = 0;
pub const NAN: u32 = 1;
pub const REFUSE: u32 = 2;

/// The number of groups, the divisor, then one weight a group; groups × outputs inputs.
pub fn check_combine(shape: &Shape) -> Option<usize> {
    let mut args = shape.args();
    let groups = args.one::<u32>()? as usize;
    args.one::<f64>()?;
    args.list::<f64>(groups)?;
    (groups.checked_mul(shape.outputs)? == shape.inputs).then_some(0)
}

pub fn combine(call: &Call) {
    let mut args = call.args();
    let Some(groups) = args.one::<u32>() else { return };
    let Some(divide) = args.one::<f64>() else { return };
    let Some(weights) = args.list::<f64>(groups as usize) else { return };
    let members = call.outputs;
    for (member, output) in call.outputs().enumerate() {
        output.fill(0.0);
        for (group, &weight) in weights.iter().enumerate() {
            for (y, &x) in output.iter_mut().zip(call.input(group * members + member)) {
                *y += weight * x;
            }
        }
        for y in output {
            *y /= divide;
        }
    }
}

/// The number of points, what holds outside, then x and y; one input, one output.
pub fn check_interpolate(shape: &Shape) -> Option<usize> {
    let mut args = shape.args();
    let &[points, _] = args.list::<u32>(2)?.first_chunk()?;
    args.list::<f64>(points as usize)?;
    args.list::<f64>(points as usize)?;
    (points > 0 && shape.inputs == 1 && shape.outputs == 1).then_some(0)
}

/// numpy's `interp`, operation by operation.
pub fn interpolate(call: &Call) {
    let mut args = call.args();
    let Some(&[points, outside]) = args.list::<u32>(2).and_then(|list| list.first_chunk()) else { return };
    let Some(xs) = args.list::<f64>(points as usize) else { return };
    let Some(ys) = args.list::<f64>(points as usize) else { return };
    let (Some(&first), Some(&last)) = (xs.first(), xs.last()) else { return };
    for (row, (out, &x)) in call.output(0).iter_mut().zip(call.input(0)).enumerate() {
        if !(first <= x && x <= last) {
            if outside == REFUSE {
                call.refuse(row);
                return;
            }
            if outside == NAN || x.is_nan() {
                *out = f64::NAN;
                continue;
            }
        }
        *out = interpolate_at(xs, ys, x);
    }
}

/// One weight an input, one output.
pub fn check_weighted_median(shape: &Shape) -> Option<usize> {
    shape.args().list::<f64>(shape.inputs)?;
    (shape.inputs > 0 && shape.outputs == 1).then_some(shape.inputs.checked_mul(2)?)
}

pub fn weighted_median(call: &Call) {
    let count = call.inputs.len();
    let Some(weights) = call.args().list::<f64>(count) else { return };
    let (values, rest) = call.scratch(2 * count).split_at_mut_checked(count).unwrap_or_default();
    let Some(sorted) = rest.get_mut(..count) else { return };
    for (row, out) in call.output(0).iter_mut().enumerate() {
        for (value, input) in values.iter_mut().zip(call.inputs()) {
            *value = input.get(row).copied().unwrap_or(0.0);
        }
        for (to, &weight) in sorted.iter_mut().zip(weights) {
            *to = weight;
        }
        sort_by_key(values, sorted);
        let total: f64 = sorted.iter().fold(0.0, |sum, weight| sum + weight);
        let mut sum = 0.0;
        for (&value, &weight) in values.iter().zip(sorted.iter()) {
            *out = value;
            sum += weight;
            if sum >= 0.5 * total {
                break;
            }
        }
    }
}

/// Heapsort of `keys`, `others` moving along: core's sorts bring panics with them.
fn sort_by_key(keys: &mut [f64], others: &mut [f64]) {
    let at = |keys: &[f64], place: usize| keys.get(place).copied().unwrap_or(f64::NAN);
    let swap = |list: &mut [f64], a: usize, b: usize| {
        let (x, y) = (at(list, a), at(list, b));
        list.get_mut(a).into_iter().for_each(|to| *to = y);
        list.get_mut(b).into_iter().for_each(|to| *to = x);
    };
    let (mut start, mut end) = (keys.len() / 2, keys.len());
    while end > 1 {
        if start > 0 {
            start -= 1;
        } else {
            end -= 1;
            swap(keys, 0, end);
            swap(others, 0, end);
        }
        let mut root = start;
        while 2 * root + 1 < end {
            let mut child = 2 * root + 1;
            if child + 1 < end && at(keys, child) < at(keys, child + 1) {
                child += 1;
            }
            if at(keys, root) >= at(keys, child) {
                break;
            }
            swap(keys, root, child);
            swap(others, root, child);
            root = child;
        }
    }
}

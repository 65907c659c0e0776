//! From the decisions of pairs of classes to votes, scores and probabilities, as libsvm and scikit-learn do. Pairs
//! (i, j), i < j, come in lexical order; a decision above zero is for i.

use super::exp::exp;
use super::{Call, Shape, rows};
use core::cell::Cell;

/// Whether there are as many inputs as pairs of outputs, and at least two classes.
fn paired(shape: &Shape) -> Option<()> {
    let pairs = shape.outputs.checked_mul(shape.outputs.checked_sub(1)?)? / 2;
    (shape.outputs >= 2 && shape.inputs == pairs).then_some(())
}

/// 1 where confidences count too. A scratch slot for each class's confidence.
pub fn check_votes(shape: &Shape) -> Option<usize> {
    paired(shape)?;
    shape.args().one::<u32>()?;
    Some(shape.outputs)
}

/// Votes for each class. With confidences: a decision of zero is for i, and the sum s of a class's decisions adds
/// s / (3 (|s| + 1)), less than any vote.
pub fn votes(call: &Call) {
    let confidences = call.args().one::<u32>() == Some(1);
    let classes = call.outputs;
    let sums = call.scratch(classes);
    sums.fill(0.0);
    for output in call.outputs() {
        output.fill(0.0);
    }
    let mut decisions = call.inputs();
    for first in 0..classes {
        for (second, decisions) in (first + 1..classes).zip(decisions.by_ref()) {
            let for_first = |d: f64| if confidences { d >= 0.0 } else { d > 0.0 };
            for (class, sign) in [(first, 1.0), (second, -1.0)] {
                let sums = sums.iter_mut().skip(class * call.rows);
                for ((votes, sum), &d) in call.output(class).iter_mut().zip(sums).zip(decisions) {
                    *votes += f64::from(u8::from(for_first(d) == (sign > 0.0)));
                    *sum += sign * d;
                }
            }
        }
    }
    if confidences {
        for (output, sums) in call.outputs().zip(rows(sums, call.rows)) {
            for (votes, sum) in output.iter_mut().zip(sums) {
                *votes += sum / (3.0 * (libm::fabs(*sum) + 1.0));
            }
        }
    }
}

/// Numbers that `probabilities` works on: two square tables and two vectors.
fn working(classes: usize) -> Option<usize> {
    classes.checked_mul(classes)?.checked_add(classes)?.checked_mul(2)
}

/// Platt's a and b, a list of each, one number a pair.
pub fn check_probabilities(shape: &Shape) -> Option<usize> {
    paired(shape)?;
    let mut args = shape.args();
    args.list::<f64>(shape.inputs)?;
    args.list::<f64>(shape.inputs)?;
    working(shape.outputs)
}

/// The probability of i against j is the logistic of -(a d + b), kept off 0 and 1; libsvm couples these by
/// iterating until the error is below 0.005 / classes.
pub fn probabilities(call: &Call) {
    const LEAST: f64 = 1e-7;
    let classes = call.outputs;
    let mut args = call.args();
    let Some(a) = args.list::<f64>(call.inputs.len()) else { return };
    let Some(b) = args.list::<f64>(call.inputs.len()) else { return };
    // The validator answered as many slots, each of at least one row.
    let Some(working) = working(classes).and_then(|count| call.scratch(count).get_mut(..count)) else { return };
    let working = Cell::from_mut(working).as_slice_of_cells();
    let square = classes * classes;
    let cell = |at: usize| working.get(at);
    let get = |at: usize| cell(at).map_or(0.0, Cell::get);
    let set = |at: usize, value: f64| {
        if let Some(cell) = cell(at) {
            cell.set(value);
        }
    };
    let r = |i: usize, j: usize| i * classes + j;
    let q = |i: usize, j: usize| square + i * classes + j;
    let qp = |i: usize| 2 * square + i;
    let p = |i: usize| 2 * square + classes + i;
    for row in 0..call.rows {
        let mut pairs = call.inputs().zip(a).zip(b);
        for i in 0..classes {
            for (j, ((decisions, &a), &b)) in (i + 1..classes).zip(pairs.by_ref()) {
                let margin = decisions.get(row).copied().unwrap_or(0.0) * a + b;
                let likely =
                    if margin >= 0.0 { exp(-margin) / (1.0 + exp(-margin)) } else { 1.0 / (1.0 + exp(margin)) };
                let likely = likely.clamp(LEAST, 1.0 - LEAST);
                set(r(i, j), likely);
                set(r(j, i), 1.0 - likely);
            }
        }
        for i in 0..classes {
            set(p(i), 1.0 / classes as f64);
            let mut diagonal = 0.0;
            for j in (0..classes).filter(|&j| j != i) {
                let against = get(r(j, i));
                diagonal += against * against;
                set(q(i, j), -against * get(r(i, j)));
            }
            set(q(i, i), diagonal);
        }
        for _ in 0..classes.max(100) {
            let mut whole = 0.0;
            for i in 0..classes {
                let mut sum = 0.0;
                for j in 0..classes {
                    sum += get(q(i, j)) * get(p(j));
                }
                set(qp(i), sum);
                whole += get(p(i)) * sum;
            }
            let error = (0..classes).map(|i| libm::fabs(get(qp(i)) - whole)).fold(0.0, f64::max);
            if error < 0.005 / classes as f64 {
                break;
            }
            for i in 0..classes {
                let diff = (whole - get(qp(i))) / get(q(i, i));
                set(p(i), get(p(i)) + diff);
                whole = (whole + diff * (diff * get(q(i, i)) + 2.0 * get(qp(i)))) / (1.0 + diff) / (1.0 + diff);
                for j in 0..classes {
                    set(qp(j), (get(qp(j)) + diff * get(q(i, j))) / (1.0 + diff));
                    set(p(j), get(p(j)) / (1.0 + diff));
                }
            }
        }
        for (number, output) in call.outputs().enumerate() {
            if let Some(y) = output.get_mut(row) {
                *y = get(p(number));
            }
        }
    }
}

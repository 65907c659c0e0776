//! Curves fitted to each column: bins, quantiles and splines; and products of columns.

use super::{Call, Shape, rows};
use crate::image::Reader;

/// The number of edges of each column, then the edges of all, ascending within a column.
fn read_edges<'a>(args: &mut Reader<'a>, columns: usize) -> Option<(&'a [u32], &'a [f64])> {
    let counts = args.list::<u32>(columns)?;
    let total = counts.iter().try_fold(0usize, |total, &count| total.checked_add(count as usize))?;
    Some((counts, args.list::<f64>(total)?))
}

pub fn check_digitize(shape: &Shape) -> Option<usize> {
    read_edges(&mut shape.args(), shape.inputs)?;
    super::columns::check_same(shape)
}

/// The number of edges that are not above x.
pub fn digitize(call: &Call) {
    let Some((counts, mut rest)) = read_edges(&mut call.args(), call.outputs) else { return };
    for ((input, output), &count) in call.inputs().zip(call.outputs()).zip(counts) {
        let Some((edges, more)) = rest.split_at_checked(count as usize) else { return };
        rest = more;
        for (y, &x) in output.iter_mut().zip(input) {
            *y = edges.partition_point(|&edge| edge <= x) as f64;
        }
    }
}

/// Where each output's factors end, then the factors of all: numbers of inputs.
fn read_terms<'a>(args: &mut Reader<'a>, outputs: usize) -> Option<(&'a [u32], &'a [u32])> {
    let ends = args.list::<u32>(outputs)?;
    Some((ends, args.list::<u32>(ends.last().copied().unwrap_or(0) as usize)?))
}

pub fn check_products(shape: &Shape) -> Option<usize> {
    let (ends, factors) = read_terms(&mut shape.args(), shape.outputs)?;
    let within = factors.iter().all(|&factor| (factor as usize) < shape.inputs);
    let sorted = ends.iter().zip(ends.iter().skip(1)).all(|(before, end)| before <= end);
    (sorted && within).then_some(0)
}

/// The product of an output's factors in order; 1 where it has none.
pub fn products(call: &Call) {
    let Some((ends, factors)) = read_terms(&mut call.args(), call.outputs) else { return };
    let mut start = 0;
    for (output, &end) in call.outputs().zip(ends) {
        output.fill(1.0);
        for &factor in factors.get(start..end as usize).unwrap_or(&[]) {
            for (y, &x) in output.iter_mut().zip(call.input(factor as usize)) {
                *y *= x;
            }
        }
        start = end as usize;
    }
}

/// The number of quantiles, how near to an end counts as the end, the references, then each column's quantiles.
fn read_quantiles<'a>(args: &mut Reader<'a>, columns: usize) -> Option<(f64, &'a [f64], &'a [f64])> {
    let count = args.one::<u32>()? as usize;
    let near = args.one::<f64>()?;
    let references = args.list::<f64>(count)?;
    (count > 0).then_some(())?;
    Some((near, references, args.list::<f64>(count.checked_mul(columns)?)?))
}

pub fn check_quantiles(shape: &Shape) -> Option<usize> {
    read_quantiles(&mut shape.args(), shape.inputs)?;
    super::columns::check_same(shape)
}

/// The mean of numpy's `interp` from both sides, for equal quantiles; 0 and 1 at the ends.
pub fn quantiles(call: &Call) {
    let Some((near, references, all)) = read_quantiles(&mut call.args(), call.outputs) else { return };
    for ((input, output), quantiles) in call.inputs().zip(call.outputs()).zip(rows(all, references.len())) {
        let (Some(&low), Some(&high)) = (quantiles.first(), quantiles.last()) else { return };
        for (y, &x) in output.iter_mut().zip(input) {
            *y = if x.is_nan() {
                x
            } else if if near > 0.0 { x - near < low } else { x == low } {
                0.0
            } else if if near > 0.0 { x + near > high } else { x == high } {
                1.0
            } else {
                0.5 * (interpolate(quantiles, references, x) + interpolate_down(quantiles, references, x))
            };
        }
    }
}

/// numpy's `interp(x, xs, ys)`: the last of equal points; beyond the ends their y.
pub fn interpolate(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let after = xs.partition_point(|&known| known <= x);
    let at = |list: &[f64], place: usize| list.get(place).copied().unwrap_or(f64::NAN);
    let before = after.saturating_sub(1);
    let (x0, y0) = (at(xs, before), at(ys, before));
    if after == 0 || after >= xs.len() || x0 == x {
        return y0;
    }
    (at(ys, after) - y0) / (at(xs, after) - x0) * (x - x0) + y0
}

/// `-interp(-x, -xs[::-1], -ys[::-1])`: the first of equal points.
fn interpolate_down(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let next = xs.partition_point(|&known| known < x);
    let at = |list: &[f64], place: usize| list.get(place).copied().unwrap_or(f64::NAN);
    if next >= xs.len() {
        return at(ys, xs.len().saturating_sub(1));
    }
    let (x1, y1) = (at(xs, next), at(ys, next));
    if next == 0 || x1 == x {
        return y1;
    }
    let before = next - 1;
    -((y1 - at(ys, before)) / (x1 - at(xs, before)) * (x1 - x) - y1)
}

/// What splines do beyond their outer knots.
pub mod beyond {
    /// Some bases go on in straight lines.
    pub const LINES: u32 = 0;
    /// The outer pieces go on.
    pub const CONTINUE: u32 = 1;
    /// Around to the other end.
    pub const WRAP: u32 = 2;
    /// The original raises.
    pub const REFUSE: u32 = 3;
}

/// The highest degree: the kernel keeps one number more a row.
pub const MOST_DEGREE: usize = 31;

/// A B-spline basis: `knots` ascending, pieces of `degree`.
struct Splines<'a> {
    degree: usize,
    beyond: u32,
    knots: &'a [f64],
    /// Where lines begin, and the value and slope there of each basis that goes on: the first ones below `low`, the
    /// last ones above `high`.
    low: f64,
    high: f64,
    below: &'a [[f64; 2]],
    above: &'a [[f64; 2]],
}

impl<'a> Splines<'a> {
    fn read(args: &mut Reader<'a>) -> Option<Splines<'a>> {
        let &[knots, degree, beyond, lines] = args.list::<u32>(4)?.first_chunk()?;
        let (knots, lines) = (args.list::<f64>(knots as usize)?, lines as usize);
        let &[low, high] = args.list::<f64>(2)?.first_chunk()?;
        let mut pairs = || Some(args.list::<f64>(lines.checked_mul(2)?)?.as_chunks().0);
        Some(Splines { degree: degree as usize, beyond, knots, low, high, below: pairs()?, above: pairs()? })
    }
}

impl Splines<'_> {
    /// Where `low` is above `high`, x can be beyond both: the original then writes a basis twice, by its place from
    /// either end, and the later stays.
    fn lines(&self, call: &Call, row: usize, x: f64) {
        let first = call.outputs - self.above.len();
        for (place, output) in call.outputs().enumerate() {
            let below = if x < self.low { self.below.get(place) } else { None };
            let above = if x > self.high { place.checked_sub(first).and_then(|at| self.above.get(at)) } else { None };
            let (from, line) = match (below, above) {
                (Some(_), Some(above)) if 2 * place < call.outputs => (self.high, above),
                (Some(below), _) => (self.low, below),
                (None, Some(above)) => (self.high, above),
                (None, None) => continue,
            };
            if let Some(y) = output.get_mut(row) {
                *y = line[0] + (x - from) * line[1];
            }
        }
    }
}

pub fn check_splines(shape: &Shape) -> Option<usize> {
    let splines = Splines::read(&mut shape.args())?;
    let enough = splines.degree <= MOST_DEGREE && splines.knots.len() >= 2 * splines.degree + 2;
    let lines = splines.above.len() <= shape.outputs && splines.beyond <= beyond::REFUSE;
    (enough && lines && shape.inputs == 1 && shape.outputs > 0).then_some(0)
}

/// Each output is one basis; those past the last wrap around to the first (periodic splines). A missing value makes
/// zeros.
pub fn splines(call: &Call) {
    let Some(splines) = Splines::read(&mut call.args()) else { return };
    let (degree, knots) = (splines.degree, splines.knots);
    let last = knots.len().saturating_sub(degree + 1);
    let (Some(&low), Some(&high)) = (knots.get(degree), knots.get(last)) else { return };
    for output in call.outputs() {
        output.fill(0.0);
    }
    let mut bases = [0.0; MOST_DEGREE + 1];
    for (row, &x) in call.input(0).iter().enumerate() {
        let mut at = x;
        match splines.beyond {
            _ if x.is_nan() => continue,
            beyond::LINES if x < splines.low || x > splines.high => {
                splines.lines(call, row, x);
                continue;
            }
            beyond::WRAP => at = wrap(x, low, high),
            beyond::REFUSE if x < low || x > high => return call.refuse(row),
            _ => {}
        }
        let interval = interval(knots, degree, at);
        basis(knots, degree, interval, at, &mut bases);
        for (place, &value) in bases.iter().take(degree + 1).enumerate() {
            if let Some(y) = call.output((interval - degree + place) % call.outputs.max(1)).get_mut(row) {
                *y += value;
            }
        }
    }
}

/// x moved by whole periods into low..high, as numpy's remainder does.
fn wrap(x: f64, low: f64, high: f64) -> f64 {
    let period = high - low;
    if period <= 0.0 {
        return 0.0;
    }
    let rest = remainder(x - low, period);
    low + if rest < 0.0 { rest + period } else { rest }
}

/// C's fmod for a positive finite period, exact: twice a number and the difference of numbers within a factor of two
/// have no rounding. libm's brings a panic with it.
fn remainder(x: f64, period: f64) -> f64 {
    let mut rest = libm::fabs(x);
    if !rest.is_finite() || !period.is_finite() {
        return f64::NAN;
    }
    while rest >= period {
        let mut part = period;
        while part + part <= rest {
            part += part;
        }
        rest -= part;
    }
    libm::copysign(rest, x)
}

/// The piece that holds x, the outer ones for what lies beyond: knots[piece] <= x < knots[piece + 1].
pub fn interval(knots: &[f64], degree: usize, x: f64) -> usize {
    let inner = knots.get(degree + 1..knots.len().saturating_sub(degree + 1)).unwrap_or(&[]);
    degree + inner.partition_point(|&knot| knot <= x)
}

/// de Boor's recursion: the `degree + 1` bases that are not zero in this interval, at x.
pub fn basis(knots: &[f64], degree: usize, interval: usize, x: f64, bases: &mut [f64; MOST_DEGREE + 1]) {
    let knot = |place: usize| knots.get(place).copied().unwrap_or(f64::NAN);
    bases.fill(0.0);
    if let Some(first) = bases.first_mut() {
        *first = 1.0;
    }
    for step in 1..=degree {
        let before = *bases;
        bases.fill(0.0);
        for (place, &value) in before.iter().take(step).enumerate() {
            let right = interval + place + 1;
            let (high, low) = (knot(right), knot(right - step));
            if high == low {
                continue;
            }
            let weight = value / (high - low);
            if let Some([this, next]) = bases.get_mut(place..place + 2) {
                *this += weight * (high - x);
                *next = weight * (x - low);
            }
        }
    }
}

//! Products of rows with many stored vectors, four rows by four vectors at a time: each number that is loaded is used
//! four times, and a row's numbers lie together. Vectors are stored in fours: of each four, the first column's four
//! numbers, then the second's; the last four is filled up with zeros.
//!
//! A product is summed in column order from 0, whatever else is computed beside it: a row alone has the same bits
//! as in a block.

use super::exp::exp_pair;
use super::pair::{Pair, each_pair};
use super::{Call, Shape, rows, rows_mut};
use crate::image::Reader;

/// Rows, four by four and those left over one by one, column after column of each four.
struct Gathered<'a> {
    fours: &'a [[f64; 4]],
    ones: &'a [f64],
}

/// Writes the inputs into as many numbers of scratch: less the `center`'s number where there is one, and then within
/// ±`bound`.
fn gather<'a>(call: &Call, center: &[f64], bound: f64, table: &'a mut [f64]) -> Gathered<'a> {
    let columns = call.inputs.len();
    let (fours, ones) = table.split_at_mut_checked(call.rows / 4 * 4 * columns).unwrap_or_default();
    let fours = fours.as_chunks_mut::<4>().0;
    let mut centers = center.iter();
    for (number, input) in call.inputs().enumerate() {
        let center = Pair::splat(centers.next().copied().unwrap_or(0.0));
        let moved = |x: Pair| (x - center).least(Pair::splat(-bound)).most(Pair::splat(bound));
        let (chunks, rest) = input.as_chunks::<4>();
        for (columns, x) in rows_mut(fours, columns).zip(chunks) {
            if let Some(place) = columns.get_mut(number) {
                let (low, high) = Pair::two(x);
                Pair::store_two(moved(low), moved(high), place);
            }
        }
        for (columns, x) in rows_mut(ones, columns).zip(rest) {
            if let Some(place) = columns.get_mut(number) {
                let mut pair = [*x; 2];
                moved(Pair::load(&pair)).store(&mut pair);
                *place = pair[0];
            }
        }
    }
    Gathered { fours, ones }
}

/// The products of four rows with four vectors. Written out, so that the sums stay in registers.
#[inline(always)]
fn tile(columns: &[[f64; 4]], vectors: &[[f64; 4]]) -> [[f64; 4]; 4] {
    let zero = Pair::splat(0.0);
    let (mut a0, mut b0, mut c0, mut d0) = (zero, zero, zero, zero);
    let (mut a1, mut b1, mut c1, mut d1) = (zero, zero, zero, zero);
    for (x, &[a, b, c, d]) in columns.iter().zip(vectors) {
        let (low, high) = Pair::two(x);
        let (a, b, c, d) = (Pair::splat(a), Pair::splat(b), Pair::splat(c), Pair::splat(d));
        (a0, a1) = (a0 + a * low, a1 + a * high);
        (b0, b1) = (b0 + b * low, b1 + b * high);
        (c0, c1) = (c0 + c * low, c1 + c * high);
        (d0, d1) = (d0 + d * low, d1 + d * high);
    }
    let [mut first, mut second, mut third, mut fourth] = [[0.0; 4]; 4];
    Pair::store_two(a0, a1, &mut first);
    Pair::store_two(b0, b1, &mut second);
    Pair::store_two(c0, c1, &mut third);
    Pair::store_two(d0, d1, &mut fourth);
    [first, second, third, fourth]
}

/// The products of one row with four vectors.
#[inline(always)]
fn line(columns: &[f64], vectors: &[[f64; 4]]) -> [f64; 4] {
    let (mut low, mut high) = (Pair::splat(0.0), Pair::splat(0.0));
    for (&x, four) in columns.iter().zip(vectors) {
        let (first, second) = Pair::two(four);
        (low, high) = (low + first * Pair::splat(x), high + second * Pair::splat(x));
    }
    let mut sums = [0.0; 4];
    Pair::store_two(low, high, &mut sums);
    sums
}

/// coef in fours of outputs; then one intercept an output. A scratch slot for each input.
pub fn check_dense(shape: &Shape) -> Option<usize> {
    let mut args = shape.args();
    args.list::<f64>(shape.inputs.checked_mul(shape.outputs.checked_next_multiple_of(4)?)?)?;
    args.list::<f64>(shape.outputs)?;
    (shape.inputs > 0).then_some(shape.inputs)
}

pub fn dense(call: &Call) {
    let inputs = call.inputs.len();
    let mut args = call.args();
    let Some(coef) = args.list::<f64>(inputs * call.outputs.next_multiple_of(4)) else { return };
    let Some(intercept) = args.list::<f64>(call.outputs) else { return };
    let gathered = gather(call, &[], f64::INFINITY, call.scratch(inputs));
    for (four, coef) in rows(coef.as_chunks::<4>().0, inputs).enumerate() {
        products(&gathered, inputs, coef, |vector, row, sums| {
            // There is no output behind the last.
            let number = four * 4 + vector;
            let Some(&intercept) = intercept.get(number) else { return };
            for (y, sum) in call.output(number).iter_mut().skip(row).zip(sums) {
                *y = sum + intercept;
            }
        });
    }
}

/// The products of all rows with four vectors, up to four rows at a time.
#[inline(always)]
fn products(gathered: &Gathered, inputs: usize, vectors: &[[f64; 4]], mut put: impl FnMut(usize, usize, &[f64])) {
    let mut row = 0;
    for columns in rows(gathered.fours, inputs) {
        for (vector, sums) in tile(columns, vectors).iter().enumerate() {
            put(vector, row, sums);
        }
        row += 4;
    }
    for columns in rows(gathered.ones, inputs) {
        for (vector, sum) in line(columns, vectors).iter().enumerate() {
            put(vector, row, core::slice::from_ref(sum));
        }
        row += 1;
    }
}

/// The arguments of `rbf`: as those of a kernel sum (`pairwise`), but vectors and coefficients in fours, all vectors
/// less a center, and with their squared norms.
struct Sum<'a> {
    width: usize,
    gamma: f64,
    counts: &'a [u32],
    targets: &'a [u32],
    center: &'a [f64],
    vectors: &'a [[f64; 4]],
    norms: &'a [[f64; 4]],
    coef: &'a [[f64; 4]],
    intercept: &'a [f64],
}

impl<'a> Sum<'a> {
    fn read(mut args: Reader<'a>, inputs: usize, outputs: usize) -> Option<Sum<'a>> {
        let &[fours, groups, width] = args.list::<u32>(3)? else { return None };
        let (fours, groups, width) = (fours as usize, groups as usize, width as usize);
        let in_fours = |numbers: &'a [f64]| numbers.as_chunks::<4>().0;
        let numbers = fours.checked_mul(4)?;
        Some(Sum {
            width,
            gamma: args.one()?,
            counts: args.list(groups)?,
            targets: args.list(groups.checked_mul(width)?)?,
            center: args.list(inputs)?,
            vectors: in_fours(args.list(numbers.checked_mul(inputs)?)?),
            norms: in_fours(args.list(numbers)?),
            coef: in_fours(args.list(numbers.checked_mul(width)?)?),
            intercept: args.list(outputs)?,
        })
    }
}

/// Farther than this from the center every kernel value is 0; the square is still finite.
const FAR: f64 = 1e150;

/// A slot for each input, one for the squared norms of the rows, and four for kernel values.
pub fn check_rbf(shape: &Shape) -> Option<usize> {
    Sum::read(shape.args(), shape.inputs, shape.outputs)?;
    (shape.inputs > 0).then(|| shape.inputs.checked_add(5)).flatten()
}

/// The squared distance of x and s as |x|² + |s|² - 2 x·s. Its error is some ulp of the norms' sum, not of the
/// distance, so the lowering takes this kernel only where gamma times the norms is small.
pub fn rbf(call: &Call) {
    let inputs = call.inputs.len();
    let Some(sum) = Sum::read(call.args(), inputs, call.outputs) else { return };
    let (table, rest) = call.scratch(inputs + 5).split_at_mut_checked(inputs * call.rows).unwrap_or_default();
    let (norms, values) = rest.split_at_mut_checked(call.rows).unwrap_or_default();
    let gathered = gather(call, sum.center, FAR, table);
    squares(&gathered, inputs, norms);
    for (output, &intercept) in call.outputs().zip(sum.intercept) {
        output.fill(intercept);
    }
    let width = sum.width.max(1);
    let mut fours = rows(sum.vectors, inputs).zip(sum.norms).zip(rows(sum.coef, width));
    for (&count, targets) in sum.counts.iter().zip(rows(sum.targets, width)) {
        for ((vectors, squared), coef) in fours.by_ref().take(count as usize) {
            products(&gathered, inputs, vectors, |vector, row, products| {
                for (value, &product) in values.iter_mut().skip(vector * call.rows + row).zip(products) {
                    *value = product;
                }
            });
            for (values, &squared) in rows_mut(values, call.rows).zip(squared) {
                let (squared, gamma, two) = (Pair::splat(squared), Pair::splat(-sum.gamma), Pair::splat(2.0));
                each_pair(values, norms, |product, norm| exp_pair(gamma * ((norm + squared) - two * product)));
            }
            let (first, rest) = values.split_at_checked(call.rows).unwrap_or_default();
            let (second, rest) = rest.split_at_checked(call.rows).unwrap_or_default();
            let (third, fourth) = rest.split_at_checked(call.rows).unwrap_or_default();
            for (&target, coef) in targets.iter().zip(coef) {
                add(call.output(target as usize), [first, second, third, fourth], coef);
            }
        }
    }
}

/// Adds the four values, each times its coefficient, one after the other.
#[inline(always)]
fn add(sums: &mut [f64], [first, second, third, fourth]: [&[f64]; 4], &[a, b, c, d]: &[f64; 4]) {
    let (sums, last) = sums.as_chunks_mut::<2>();
    let (first, last_a) = first.as_chunks::<2>();
    let (second, last_b) = second.as_chunks::<2>();
    let (third, last_c) = third.as_chunks::<2>();
    let (fourth, last_d) = fourth.as_chunks::<2>();
    for ((((sum, w), x), y), z) in sums.iter_mut().zip(first).zip(second).zip(third).zip(fourth) {
        let times = |numbers: &[f64; 2], coef: f64| Pair::load(numbers) * Pair::splat(coef);
        (Pair::load(sum) + times(w, a) + times(x, b) + times(y, c) + times(z, d)).store(sum);
    }
    if let ([sum], [w], [x], [y], [z]) = (last, last_a, last_b, last_c, last_d) {
        *sum = *sum + w * a + x * b + y * c + z * d;
    }
}

/// The squared norm of each row.
fn squares(gathered: &Gathered, inputs: usize, norms: &mut [f64]) {
    let (fours, ones) = norms.as_chunks_mut::<4>();
    for (columns, norms) in rows(gathered.fours, inputs).zip(fours) {
        *norms = [0.0; 4];
        for x in columns {
            for (norm, &x) in norms.iter_mut().zip(x) {
                *norm += x * x;
            }
        }
    }
    for (columns, norm) in rows(gathered.ones, inputs).zip(ones) {
        *norm = 0.0;
        for &x in columns {
            *norm += x * x;
        }
    }
}

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

/// Writes the inputs, moved, into as many numbers of scratch. `moved` takes the number of the column.
#[inline(always)]
fn gather<'a>(call: &Call, table: &'a mut [f64], moved: impl Fn(usize, Pair) -> Pair) -> Gathered<'a> {
    let columns = call.inputs.len();
    let (fours, ones) = table.split_at_mut_checked(call.rows / 4 * 4 * columns).unwrap_or_default();
    let fours = fours.as_chunks_mut::<4>().0;
    for (number, input) in call.inputs().enumerate() {
        let (chunks, rest) = input.as_chunks::<4>();
        for (columns, x) in rows_mut(fours, columns).zip(chunks) {
            if let Some(place) = columns.get_mut(number) {
                let (low, high) = Pair::two(x);
                Pair::store_two(moved(number, low), moved(number, high), place);
            }
        }
        for (columns, x) in rows_mut(ones, columns).zip(rest) {
            if let Some(place) = columns.get_mut(number) {
                let mut pair = [*x; 2];
                moved(number, Pair::load(&pair)).store(&mut pair);
                *place = pair[0];
            }
        }
    }
    Gathered { fours, ones }
}

/// Writes the products of four rows with four vectors, each plus its `plus` and at least `floor`, as far as there are
/// places. Written out, so that the sums stay in registers.
///
/// # Safety
/// `at` gives the place of a column for that of each of the vectors' numbers.
#[inline(always)]
unsafe fn tile(
    columns: &[[f64; 4]],
    vectors: &[[f64; 4]],
    at: impl Fn(usize) -> usize,
    (plus, floor): (&[f64; 4], f64),
    into: [Option<&mut [f64; 4]>; 4],
) {
    let zero = Pair::splat(0.0);
    let (mut a0, mut b0, mut c0, mut d0) = (zero, zero, zero, zero);
    let (mut a1, mut b1, mut c1, mut d1) = (zero, zero, zero, zero);
    for (place, &[a, b, c, d]) in vectors.iter().enumerate() {
        // SAFETY: by the caller.
        let (low, high) = Pair::two(unsafe { columns.get_unchecked(at(place)) });
        let (a, b, c, d) = (Pair::splat(a), Pair::splat(b), Pair::splat(c), Pair::splat(d));
        (a0, a1) = (a0 + a * low, a1 + a * high);
        (b0, b1) = (b0 + b * low, b1 + b * high);
        (c0, c1) = (c0 + c * low, c1 + c * high);
        (d0, d1) = (d0 + d * low, d1 + d * high);
    }
    let put = |low: Pair, high: Pair, plus: f64, into: Option<&mut [f64; 4]>| {
        if let Some(into) = into {
            let (plus, floor) = (Pair::splat(plus), Pair::splat(floor));
            Pair::store_two((low + plus).least(floor), (high + plus).least(floor), into);
        }
    };
    let [a, b, c, d] = into;
    put(a0, a1, plus[0], a);
    put(b0, b1, plus[1], b);
    put(c0, c1, plus[2], c);
    put(d0, d1, plus[3], d);
}

/// The products of one row with four vectors.
///
/// # Safety
/// As of `tile`.
#[inline(always)]
unsafe fn line(columns: &[f64], vectors: &[[f64; 4]], at: impl Fn(usize) -> usize) -> [f64; 4] {
    let (mut low, mut high) = (Pair::splat(0.0), Pair::splat(0.0));
    for (place, four) in vectors.iter().enumerate() {
        // SAFETY: by the caller.
        let x = unsafe { *columns.get_unchecked(at(place)) };
        let (first, second) = Pair::two(four);
        (low, high) = (low + first * Pair::splat(x), high + second * Pair::splat(x));
    }
    let mut sums = [0.0; 4];
    Pair::store_two(low, high, &mut sums);
    sums
}

fn four(list: &mut [f64], row: usize) -> Option<&mut [f64; 4]> {
    list.get_mut(row..)?.first_chunk_mut()
}

/// Writes the products of all rows with four vectors, each plus its `plus` and at least `floor`, as far as there are places.
///
/// # Safety
/// `at` gives a column, below `inputs`, for the place of each of the vectors' numbers.
#[inline(always)]
unsafe fn products(
    gathered: &Gathered,
    inputs: usize,
    vectors: &[[f64; 4]],
    at: impl Fn(usize) -> usize,
    (plus, floor): (&[f64; 4], f64),
    [a, b, c, d]: [&mut [f64]; 4],
) {
    let mut row = 0;
    for columns in rows(gathered.fours, inputs) {
        // SAFETY: by the caller; `columns` are all.
        unsafe {
            tile(columns, vectors, &at, (plus, floor), [four(a, row), four(b, row), four(c, row), four(d, row)])
        };
        row += 4;
    }
    for columns in rows(gathered.ones, inputs) {
        // SAFETY: as above.
        let sums = unsafe { line(columns, vectors, &at) };
        for ((list, sum), plus) in [&mut *a, &mut *b, &mut *c, &mut *d].into_iter().zip(sums).zip(plus) {
            let y = if sum + plus < floor { floor } else { sum + plus };
            list.iter_mut().skip(row).take(1).for_each(|into| *into = y);
        }
        row += 1;
    }
}

/// coef in fours of outputs; then one intercept an output, and what is the least that is stored. A scratch slot for each
/// input.
pub fn check_dense(shape: &Shape) -> Option<usize> {
    let mut args = shape.args();
    args.list::<f64>(shape.inputs.checked_mul(shape.outputs.checked_next_multiple_of(4)?)?)?;
    args.list::<f64>(shape.outputs)?;
    args.one::<f64>()?;
    (shape.inputs > 0).then_some(shape.inputs)
}

pub fn dense(call: &Call) {
    let inputs = call.inputs.len();
    let mut args = call.args();
    let Some(coef) = args.list::<f64>(inputs * call.outputs.next_multiple_of(4)) else { return };
    let Some(intercept) = args.list::<f64>(call.outputs) else { return };
    let Some(floor) = args.one::<f64>() else { return };
    let gathered = gather(call, call.scratch(inputs), |_, x| x);
    for (four, coef) in rows(coef.as_chunks::<4>().0, inputs).enumerate() {
        let number = |vector: usize| four * 4 + vector;
        let plus = |vector: usize| intercept.get(number(vector)).copied().unwrap_or(0.0);
        // Behind the last output is an empty one.
        let into = |vector: usize| call.output(number(vector));
        let (plus, into) = ([plus(0), plus(1), plus(2), plus(3)], [into(0), into(1), into(2), into(3)]);
        // SAFETY: there are as many numbers as columns.
        unsafe { products(&gathered, inputs, coef, |place| place, (&plus, floor), into) };
    }
}

/// The arguments of `rbf`: as those of a kernel sum (`pairwise`), but vectors and coefficients in fours, all vectors
/// less a center, and with their squared norms. Of each four stand only the columns in which one of them differs from
/// the center: pixels and the columns of a one-hot encoding are mostly 0.
struct Sum<'a> {
    width: usize,
    gamma: f64,
    counts: &'a [u32],
    targets: &'a [u32],
    center: &'a [f64],
    /// How many columns each four has, and all of these.
    sizes: &'a [u32],
    columns: &'a [u32],
    vectors: &'a [[f64; 4]],
    norms: &'a [[f64; 4]],
    coef: &'a [[f64; 4]],
    intercept: &'a [f64],
}

impl<'a> Sum<'a> {
    fn read(mut args: Reader<'a>, inputs: usize, outputs: usize) -> Option<Sum<'a>> {
        let &[fours, groups, width, columns] = args.list::<u32>(4)? else { return None };
        let (fours, groups, width, columns) = (fours as usize, groups as usize, width as usize, columns as usize);
        let in_fours = |numbers: &'a [f64]| numbers.as_chunks::<4>().0;
        let numbers = fours.checked_mul(4)?;
        Some(Sum {
            width,
            gamma: args.one()?,
            counts: args.list(groups)?,
            targets: args.list(groups.checked_mul(width)?)?,
            center: args.list(inputs)?,
            sizes: args.list(fours)?,
            columns: args.list(columns)?,
            vectors: in_fours(args.list(columns.checked_mul(4)?)?),
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
    let sum = Sum::read(shape.args(), shape.inputs, shape.outputs)?;
    if !sum.columns.iter().all(|&column| (column as usize) < shape.inputs) {
        return None;
    }
    (shape.inputs > 0).then(|| shape.inputs.checked_add(5)).flatten()
}

/// The squared distance of x and s as |x|² + |s|² - 2 x·s. Its error is some ulp of the norms' sum, not of the
/// distance, so the lowering takes this kernel only where gamma times the norms is small.
pub fn rbf(call: &Call) {
    let inputs = call.inputs.len();
    let Some(sum) = Sum::read(call.args(), inputs, call.outputs) else { return };
    let (table, rest) = call.scratch(inputs + 5).split_at_mut_checked(inputs * call.rows).unwrap_or_default();
    let (norms, rest) = rest.split_at_mut_checked(call.rows).unwrap_or_default();
    let (first, rest) = rest.split_at_mut_checked(call.rows).unwrap_or_default();
    let (second, rest) = rest.split_at_mut_checked(call.rows).unwrap_or_default();
    let (third, fourth) = rest.split_at_mut_checked(call.rows).unwrap_or_default();
    let gathered = gather(call, table, |column, x| {
        let center = Pair::splat(sum.center.get(column).copied().unwrap_or(0.0));
        (x - center).least(Pair::splat(-FAR)).most(Pair::splat(FAR))
    });
    squares(&gathered, inputs, norms);
    for (output, &intercept) in call.outputs().zip(sum.intercept) {
        output.fill(intercept);
    }
    let width = sum.width.max(1);
    let (mut columns, mut vectors) = (sum.columns, sum.vectors);
    let mut fours = sum.sizes.iter().zip(sum.norms).zip(rows(sum.coef, width));
    for (&count, targets) in sum.counts.iter().zip(rows(sum.targets, width)) {
        for ((&size, squared), coef) in fours.by_ref().take(count as usize) {
            let Some((which, next)) = columns.split_at_checked(size as usize) else { return };
            let Some((four, rest)) = vectors.split_at_checked(size as usize) else { return };
            (columns, vectors) = (next, rest);
            // SAFETY: there are as many columns as fours of numbers, and the validator saw that they are inputs.
            unsafe {
                let at = |place: usize| *which.get_unchecked(place) as usize;
                products(
                    &gathered,
                    inputs,
                    four,
                    at,
                    (&[0.0; 4], f64::NEG_INFINITY),
                    [&mut *first, &mut *second, &mut *third, &mut *fourth],
                );
            }
            for (values, &squared) in [&mut *first, &mut *second, &mut *third, &mut *fourth].into_iter().zip(squared)
            {
                let (squared, gamma, two) = (Pair::splat(squared), Pair::splat(-sum.gamma), Pair::splat(2.0));
                each_pair(values, norms, |product, norm| exp_pair(gamma * ((norm + squared) - two * product)));
            }
            for (&target, coef) in targets.iter().zip(coef) {
                add(call.output(target as usize), [&*first, &*second, &*third, &*fourth], coef);
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

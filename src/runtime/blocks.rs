//! Products of rows with many stored vectors, four rows by four vectors at a time: each number that is loaded is used
//! four times, and a row's numbers lie together. Vectors are stored in fours: of each four, the first column's four
//! numbers, then the second's; the last four is filled up with zeros.
//!
//! A product is summed in column order from 0, whatever else is computed beside it: a row alone has the same bits
//! as in a block.

use super::exp::exp_pair;
use super::pair::{Pair, each_pair};
use super::{Call, Shape, pieces_mut, rows, rows_mut};
use crate::image::Reader;

/// Rows of numbers, four by four and then one by one. Of a four, the numbers of a column lie together.
struct Table<'a> {
    numbers: &'a [f64],
    rows: usize,
    /// How many numbers further the next four begins, and the next column.
    fours: [usize; 2],
    /// How many numbers further the next row of those left over begins, and its next column.
    ones: [usize; 2],
}

impl<'a> Table<'a> {
    /// The inputs where they are, if their slots follow each other: a row has no place of its own, but nothing is copied.
    fn direct(call: &'a Call) -> Option<Table<'a>> {
        let (numbers, rows) = (call.consecutive()?, call.rows);
        Some(Table { numbers, rows, fours: [4, rows], ones: [1, rows] })
    }

    /// The inputs, moved, in as many numbers of scratch. `moved` takes the number of the column.
    #[inline(always)]
    fn gathered(call: &Call, numbers: &'a mut [f64], moved: impl Fn(usize, Pair) -> Pair) -> Table<'a> {
        let columns = call.inputs.len();
        let (fours, ones) = numbers.split_at_mut_checked(call.rows / 4 * 4 * columns).unwrap_or_default();
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
        Table { numbers, rows: call.rows, fours: [4 * columns, 4], ones: [columns, 1] }
    }
}

/// Writes the products of four rows with four vectors, each plus its `plus` and at least `floor`: of as many vectors as
/// there are `outputs`. Written out, so that the sums stay in registers.
///
/// # Safety
/// `columns` gives where the rows' four numbers are that each of the vectors' numbers is for; from `into` on are places
/// for the rows' four numbers, `rows` apart, as many as `outputs`.
#[inline(always)]
unsafe fn tile(
    mut columns: impl FnMut() -> *const f64,
    vectors: &[[f64; 4]],
    (plus, floor): (&[f64; 4], f64),
    (into, rows, outputs): (*mut f64, usize, usize),
) {
    let zero = Pair::splat(0.0);
    let (mut a0, mut b0, mut c0, mut d0) = (zero, zero, zero, zero);
    let (mut a1, mut b1, mut c1, mut d1) = (zero, zero, zero, zero);
    for &[a, b, c, d] in vectors {
        // SAFETY: by the caller.
        let (low, high) = Pair::two(unsafe { &*columns().cast() });
        let (a, b, c, d) = (Pair::splat(a), Pair::splat(b), Pair::splat(c), Pair::splat(d));
        (a0, a1) = (a0 + a * low, a1 + a * high);
        (b0, b1) = (b0 + b * low, b1 + b * high);
        (c0, c1) = (c0 + c * low, c1 + c * high);
        (d0, d1) = (d0 + d * low, d1 + d * high);
    }
    let floor = Pair::splat(floor);
    // SAFETY: by the caller, where there are as many outputs.
    let put = |low: Pair, high: Pair, number: usize| unsafe {
        let plus = Pair::splat(plus[number]);
        Pair::store_two((low + plus).least(floor), (high + plus).least(floor), &mut *into.add(number * rows).cast());
    };
    put(a0, a1, 0);
    if outputs > 1 {
        put(b0, b1, 1);
    }
    if outputs > 2 {
        put(c0, c1, 2);
    }
    if outputs > 3 {
        put(d0, d1, 3);
    }
}

/// The products of one row with four vectors.
///
/// # Safety
/// As of `tile`, but for one number at each place.
#[inline(always)]
unsafe fn line(mut columns: impl FnMut() -> *const f64, vectors: &[[f64; 4]]) -> [f64; 4] {
    let (mut low, mut high) = (Pair::splat(0.0), Pair::splat(0.0));
    for four in vectors {
        // SAFETY: by the caller.
        let x = unsafe { *columns() };
        let (first, second) = Pair::two(four);
        (low, high) = (low + first * Pair::splat(x), high + second * Pair::splat(x));
    }
    let mut sums = [0.0; 4];
    Pair::store_two(low, high, &mut sums);
    sums
}

/// Writes the products of all rows with four vectors, each plus its `plus` and at least `floor`: an output is as many
/// numbers as there are rows, and there are at most four.
///
/// # Safety
/// `columns`, given where the first column is and how far apart they are, gives where the column is of each of the
/// vectors' numbers, one after the other.
#[inline(always)]
unsafe fn products<C: FnMut() -> *const f64>(
    table: &Table,
    vectors: &[[f64; 4]],
    columns: impl Fn(*const f64, usize) -> C,
    (plus, floor): (&[f64; 4], f64),
    outputs: &mut [f64],
) {
    let (numbers, rows) = (table.numbers.as_ptr(), table.rows);
    let count = outputs.len().checked_div(rows).unwrap_or(0);
    let (mut row, mut from) = (0, numbers);
    if count > 0 {
        while row + 4 <= rows {
            // SAFETY: by the caller; the table has all fours of rows, and the outputs `rows` numbers each.
            unsafe {
                let into = (outputs.as_mut_ptr().add(row), rows, count);
                tile(columns(from, table.fours[1]), vectors, (plus, floor), into);
                from = from.add(table.fours[0]);
            }
            row += 4;
        }
    }
    while row < rows {
        // SAFETY: as above.
        let sums = unsafe { line(columns(from, table.ones[1]), vectors) };
        for ((list, sum), plus) in super::rows_mut(outputs, rows).zip(sums).zip(plus) {
            let y = if sum + plus < floor { floor } else { sum + plus };
            list.iter_mut().skip(row).take(1).for_each(|into| *into = y);
        }
        from = from.wrapping_add(table.ones[0]);
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
    let table = Table::direct(call).unwrap_or_else(|| Table::gathered(call, call.scratch(inputs), |_, x| x));
    let outputs = pieces_mut(call.all_outputs(), 4 * call.rows);
    for (four, (coef, outputs)) in rows(coef.as_chunks::<4>().0, inputs).zip(outputs).enumerate() {
        let plus = |vector: usize| intercept.get(four * 4 + vector).copied().unwrap_or(0.0);
        let all = |mut column: *const f64, apart: usize| {
            move || {
                let this = column;
                column = column.wrapping_add(apart);
                this
            }
        };
        // SAFETY: there are as many numbers as columns.
        unsafe { products(&table, coef, all, (&[plus(0), plus(1), plus(2), plus(3)], floor), outputs) };
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
    let (norms, values) = rest.split_at_mut_checked(call.rows).unwrap_or_default();
    let table = Table::gathered(call, table, |column, x| {
        let center = Pair::splat(sum.center.get(column).copied().unwrap_or(0.0));
        (x - center).least(Pair::splat(-FAR)).most(Pair::splat(FAR))
    });
    squares(&table, inputs, norms);
    call.start(sum.intercept);
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
                let some = |first: *const f64, apart: usize| {
                    let mut places = which.as_ptr();
                    move || {
                        let place = *places;
                        places = places.add(1);
                        first.add(place as usize * apart)
                    }
                };
                products(&table, four, some, (&[0.0; 4], f64::NEG_INFINITY), values);
            }
            for (values, &squared) in rows_mut(values, call.rows).zip(squared) {
                let (squared, gamma, two) = (Pair::splat(squared), Pair::splat(-sum.gamma), Pair::splat(2.0));
                each_pair(values, norms, |product, norm| exp_pair(gamma * ((norm + squared) - two * product)));
            }
            for (&target, coef) in targets.iter().zip(coef) {
                add(call.output(target as usize), values, coef);
            }
        }
    }
}

/// Adds the four values, each times its coefficient, one after the other.
#[inline(always)]
fn add(sums: &mut [f64], values: &[f64], &[a, b, c, d]: &[f64; 4]) {
    let mut values = rows(values, sums.len());
    let mut next = || values.next().unwrap_or_default();
    let (first, second, third, fourth) = (next(), next(), next(), next());
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

/// The squared norm of each row of a table that was gathered.
fn squares(gathered: &Table, inputs: usize, norms: &mut [f64]) {
    let (fours, ones) = norms.as_chunks_mut::<4>();
    let (numbers, rest) = gathered.numbers.split_at_checked(4 * inputs * fours.len()).unwrap_or_default();
    for (columns, norms) in rows(numbers.as_chunks::<4>().0, inputs).zip(fours) {
        *norms = [0.0; 4];
        for x in columns {
            for (norm, &x) in norms.iter_mut().zip(x) {
                *norm += x * x;
            }
        }
    }
    for (columns, norm) in rows(rest, inputs).zip(ones) {
        *norm = 0.0;
        for &x in columns {
            *norm += x * x;
        }
    }
}

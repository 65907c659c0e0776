//! Rows of numbers, row-major: spread to slots, and results back from slots.

/// What the numbers of each column may be, for `spread` to take them.
pub struct Bounds<'a> {
    pub lowest: &'a [f64],
    pub highest: &'a [f64],
    /// Not 0 where missing is refused.
    pub strict: &'a [f64],
}

/// Numbers of a table: f64, or f32, of which a slot then has as many as it would have of f64, in its first half.
pub trait Cell: Copy {
    /// Numbers that a slot has room for, by row.
    const ROOM: usize;
    /// Rows that are spread column by column before the next: they stay in the nearest cache.
    const PIECE: usize;
    fn value(self) -> f64;
    fn from_row(row: usize) -> Self;
    /// Spreads some columns of the rows `first..end`, from `column` on: how many columns these were, and whether all
    /// numbers are within the bounds.
    ///
    /// # Safety
    /// `table` has `count` rows of `columns` numbers, `slots` room for as many, and the bounds are those of `columns`
    /// columns; `column` is one, and `first <= end <= count`.
    unsafe fn several(
        table: *const Self,
        bounds: &Bounds,
        sizes: [usize; 2],
        column: usize,
        rows: [usize; 2],
        slots: *mut Self,
    ) -> (usize, bool);
}

/// Writes number c of row r of `table` to place r of slot c, of `count` rows, and then to the front of `table` the numbers
/// of the rows that have a number out of its bounds: how many these are. Where there is no room, all.
pub fn spread<T: Cell>(table: &mut [T], bounds: &Bounds, count: usize, slots: &mut [T]) -> usize {
    let columns = bounds.lowest.len();
    let room = columns.checked_mul(count).is_some_and(|all| table.len() >= all && slots.len() / T::ROOM >= all);
    if !room || bounds.highest.len() != columns || bounds.strict.len() != columns {
        return count;
    }
    let (mut odd, mut first) = (0, 0);
    while first < count {
        let end = if count - first < T::PIECE { count } else { first + T::PIECE };
        // SAFETY: the lengths were seen to hold every column of every row; of the rows up to `row`, which were spread
        // and looked at, at most each is listed.
        unsafe {
            let (table, slots) = (table.as_mut_ptr(), slots.as_mut_ptr());
            let (mut column, mut fits) = (0, true);
            while column < columns {
                let (taken, fit) = T::several(table, bounds, [columns, count], column, [first, end], slots);
                column += taken;
                fits &= fit;
            }
            for row in first..if fits { first } else { end } {
                if !(0..columns).all(|column| within(*table.add(row * columns + column), bounds, column)) {
                    *table.add(odd) = T::from_row(row);
                    odd += 1;
                }
            }
        }
        first = end;
    }
    odd
}

/// # Safety
/// There are bounds of the column.
#[inline(always)]
unsafe fn within<T: Cell>(x: T, bounds: &Bounds, column: usize) -> bool {
    let x = x.value();
    // SAFETY: by the caller.
    unsafe {
        let (low, high) = (*bounds.lowest.get_unchecked(column), *bounds.highest.get_unchecked(column));
        !(x < low || x > high || *bounds.strict.get_unchecked(column) != 0.0 && x.is_nan())
    }
}

/// One column; as `Cell::several` says.
#[inline(never)]
unsafe fn single<T: Cell>(
    table: *const T,
    bounds: &Bounds,
    [columns, count]: [usize; 2],
    column: usize,
    [first, end]: [usize; 2],
    slots: *mut T,
) -> (usize, bool) {
    let mut fits = true;
    // SAFETY: by the caller.
    unsafe {
        for row in first..end {
            let x = *table.add(row * columns + column);
            fits &= within(x, bounds, column);
            *slots.add(column * T::ROOM * count + row) = x;
        }
    }
    (1, fits)
}

/// A number of a result as a batch has it; what a row's label or value is, this type holds.
pub trait Result: Copy {
    fn of(x: f64) -> Self;
}

/// Writes the numbers of `width` slots from `first` on, of `count` rows, row by row from place `into` of the slots on;
/// nothing where these are not apart, or not there.
pub fn give<T: Result>(slots: &mut [f64], [first, width, into, count]: [usize; 4]) {
    const { assert!(size_of::<T>() <= size_of::<f64>()) };
    let (Some(size), Some(from)) = (width.checked_mul(count), first.checked_mul(count)) else { return };
    let room = |place: usize| place.checked_add(size).is_some_and(|end| end <= slots.len());
    if size == 0 || !room(from) || !room(into) || from.abs_diff(into) < size {
        return;
    }
    // SAFETY: both places were seen to be there and apart; that of the results has room for f64.
    unsafe {
        let from = slots.as_ptr().add(from);
        let into = slots.as_mut_ptr().add(into).cast::<T>();
        for column in 0..width {
            for row in 0..count {
                *into.add(row * width + column) = T::of(*from.add(column * count + row));
            }
        }
    }
}

impl Result for f64 {
    fn of(x: f64) -> f64 {
        x
    }
}

impl Result for f32 {
    fn of(x: f64) -> f32 {
        x as f32
    }
}

impl Result for i32 {
    fn of(x: f64) -> i32 {
        x as i32
    }
}

impl Result for u8 {
    /// A sum of 2^52 and a whole number ends in its bits; conversions that never trap take longer.
    fn of(x: f64) -> u8 {
        (x + 4_503_599_627_370_496.0).to_bits() as u8
    }
}

impl Cell for f64 {
    const ROOM: usize = 1;
    const PIECE: usize = 32;

    #[inline(always)]
    fn value(self) -> f64 {
        self
    }

    fn from_row(row: usize) -> f64 {
        row as f64
    }

    #[inline(always)]
    unsafe fn several(
        table: *const f64,
        bounds: &Bounds,
        sizes: [usize; 2],
        column: usize,
        rows: [usize; 2],
        slots: *mut f64,
    ) -> (usize, bool) {
        // SAFETY: by the caller.
        unsafe {
            if column + 1 < sizes[0] {
                return (2, vectors::pair(table, bounds, sizes, column, rows, slots));
            }
            single(table, bounds, sizes, column, rows, slots)
        }
    }
}

impl Cell for f32 {
    const ROOM: usize = 2;
    const PIECE: usize = 128;

    #[inline(always)]
    fn value(self) -> f64 {
        f64::from(self)
    }

    fn from_row(row: usize) -> f32 {
        row as f32
    }

    #[inline(always)]
    unsafe fn several(
        table: *const f32,
        bounds: &Bounds,
        sizes: [usize; 2],
        column: usize,
        rows: [usize; 2],
        slots: *mut f32,
    ) -> (usize, bool) {
        // SAFETY: by the caller.
        unsafe {
            if column + 3 < sizes[0] {
                return (4, vectors::four(table, bounds, sizes, column, rows, slots));
            }
            single(table, bounds, sizes, column, rows, slots)
        }
    }
}

mod vectors {
    use super::{Bounds, Cell};
    use core::arch::wasm32::*;

    /// Two columns, two rows at a time.
    ///
    /// # Safety
    /// As in `Cell::several`; `column + 1` is below `columns`.
    pub unsafe fn pair(
        table: *const f64,
        bounds: &Bounds,
        [columns, count]: [usize; 2],
        column: usize,
        [first, end]: [usize; 2],
        slots: *mut f64,
    ) -> bool {
        // SAFETY: by the caller.
        unsafe {
            let of = |list: &[f64]| v128_load(list.as_ptr().add(column).cast());
            let (low, high) = (of(bounds.lowest), of(bounds.highest));
            let strict = f64x2_ne(of(bounds.strict), f64x2_splat(0.0));
            let wrong = |x: v128| {
                let missing = v128_and(strict, f64x2_ne(x, x));
                v128_or(missing, v128_or(f64x2_lt(x, low), f64x2_gt(x, high)))
            };
            let mut from = table.add(first * columns + column);
            let left = slots.add(column * count + first);
            let (mut left, mut right) = (left, left.add(count));
            let mut any = u64x2_splat(0);
            for _ in 0..(end - first) / 2 {
                let (a, b) = (v128_load(from.cast()), v128_load(from.add(columns).cast()));
                any = v128_or(any, v128_or(wrong(a), wrong(b)));
                v128_store(left.cast(), i64x2_shuffle::<0, 2>(a, b));
                v128_store(right.cast(), i64x2_shuffle::<1, 3>(a, b));
                (from, left, right) = (from.add(2 * columns), left.add(2), right.add(2));
            }
            if (end - first) % 2 == 1 {
                let a = v128_load(from.cast());
                any = v128_or(any, wrong(a));
                (*left, *right) = (f64x2_extract_lane::<0>(a), f64x2_extract_lane::<1>(a));
            }
            !v128_any_true(any)
        }
    }

    /// The least f32 that is not below x, and the greatest not above it.
    fn inwards(low: f64, high: f64) -> [f32; 2] {
        let (mut least, mut most) = (low as f32, high as f32);
        if f64::from(least) < low {
            least = least.next_up();
        }
        if f64::from(most) > high {
            most = most.next_down();
        }
        [least, most]
    }

    /// Four columns, four rows at a time.
    ///
    /// # Safety
    /// As in `Cell::several`; `column + 3` is below `columns`.
    pub unsafe fn four(
        table: *const f32,
        bounds: &Bounds,
        [columns, count]: [usize; 2],
        column: usize,
        [first, end]: [usize; 2],
        slots: *mut f32,
    ) -> bool {
        // SAFETY: by the caller.
        unsafe {
            let (mut low, mut high, mut strict) = ([0.0f32; 4], [0.0f32; 4], [0u32; 4]);
            for (at, ((low, high), strict)) in (column..).zip(low.iter_mut().zip(&mut high).zip(&mut strict)) {
                [*low, *high] = inwards(*bounds.lowest.get_unchecked(at), *bounds.highest.get_unchecked(at));
                *strict = if *bounds.strict.get_unchecked(at) != 0.0 { !0 } else { 0 };
            }
            let low = v128_load(low.as_ptr().cast());
            let high = v128_load(high.as_ptr().cast());
            let strict = v128_load(strict.as_ptr().cast());
            let wrong = |x: v128| {
                let missing = v128_and(strict, f32x4_ne(x, x));
                v128_or(missing, v128_or(f32x4_lt(x, low), f32x4_gt(x, high)))
            };
            let mut any = u64x2_splat(0);
            let mut from = table.add(first * columns + column);
            let apart = <f32 as Cell>::ROOM * count;
            let mut into = slots.add(column * apart + first);
            for _ in 0..(end - first) / 4 {
                let (a, b) = (v128_load(from.cast()), v128_load(from.add(columns).cast()));
                let (c, d) = (v128_load(from.add(2 * columns).cast()), v128_load(from.add(3 * columns).cast()));
                any = v128_or(any, v128_or(v128_or(wrong(a), wrong(b)), v128_or(wrong(c), wrong(d))));
                let (ab, cd) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<0, 4, 1, 5>(c, d));
                v128_store(into.cast(), i64x2_shuffle::<0, 2>(ab, cd));
                v128_store(into.add(apart).cast(), i64x2_shuffle::<1, 3>(ab, cd));
                let (ab, cd) = (i32x4_shuffle::<2, 6, 3, 7>(a, b), i32x4_shuffle::<2, 6, 3, 7>(c, d));
                v128_store(into.add(2 * apart).cast(), i64x2_shuffle::<0, 2>(ab, cd));
                v128_store(into.add(3 * apart).cast(), i64x2_shuffle::<1, 3>(ab, cd));
                (from, into) = (from.add(4 * columns), into.add(4));
            }
            let rest = [end - (end - first) % 4, end];
            let mut fits = !v128_any_true(any);
            for column in column..column + 4 {
                fits &= super::single(table, bounds, [columns, count], column, rest, slots).1;
            }
            fits
        }
    }
}

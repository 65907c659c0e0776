//! Rows of numbers, row-major, spread to slots.

/// What the numbers of each column may be, for `spread` to take them.
pub struct Bounds<'a> {
    pub lowest: &'a [f64],
    pub highest: &'a [f64],
    /// Not 0 where missing is refused.
    pub strict: &'a [f64],
}

/// Rows that are spread column by column before the next: they stay in the nearest cache.
const PIECE: usize = 32;

/// Writes number c of row r of `table` to `slots[c × count + r]`; whether all are within the bounds. Where not, or where
/// there is no room, the slots hold anything.
pub fn spread(table: &[f64], bounds: &Bounds, count: usize, slots: &mut [f64]) -> bool {
    let columns = bounds.lowest.len();
    let room = columns.checked_mul(count).is_some_and(|all| table.len() >= all && slots.len() >= all);
    if !room || bounds.highest.len() != columns || bounds.strict.len() != columns {
        return false;
    }
    let mut fits = true;
    let mut first = 0;
    while first < count {
        let end = if count - first < PIECE { count } else { first + PIECE };
        // SAFETY: the lengths were seen to hold every column of every row.
        unsafe {
            let mut column = 0;
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            while column + 1 < columns {
                fits &= vectors::pair(table, bounds, [columns, count], column, first, end, slots);
                column += 2;
            }
            while column < columns {
                fits &= single(table, bounds, [columns, count], column, first, end, slots);
                column += 1;
            }
        }
        first = end;
    }
    fits
}

/// # Safety
/// As in `spread`; `column` is below `columns`, `end` at most `count`.
unsafe fn single(
    table: &[f64],
    bounds: &Bounds,
    [columns, count]: [usize; 2],
    column: usize,
    first: usize,
    end: usize,
    slots: &mut [f64],
) -> bool {
    // SAFETY: by the caller.
    unsafe {
        let (low, high) = (*bounds.lowest.get_unchecked(column), *bounds.highest.get_unchecked(column));
        let strict = *bounds.strict.get_unchecked(column) != 0.0;
        let mut fits = true;
        for row in first..end {
            let x = *table.get_unchecked(row * columns + column);
            fits &= !(x < low || x > high || strict && x.is_nan());
            *slots.get_unchecked_mut(column * count + row) = x;
        }
        fits
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vectors {
    use super::Bounds;
    use core::arch::wasm32::*;

    /// Two columns, two rows at a time.
    ///
    /// # Safety
    /// As in `spread`; `column + 1` is below `columns`, `end` at most `count`.
    pub unsafe fn pair(
        table: &[f64],
        bounds: &Bounds,
        [columns, count]: [usize; 2],
        column: usize,
        first: usize,
        end: usize,
        slots: &mut [f64],
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
            let mut from = table.as_ptr().add(first * columns + column);
            let left = slots.as_mut_ptr().add(column * count + first);
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
}

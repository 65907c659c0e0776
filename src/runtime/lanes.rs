//! Loops over the rows of a block that the wasm runtime does in vectors. Lane by lane both forms are the same
//! operations.

use super::trees::Number;

use super::bits::ROWS;
use super::trees::Entry;
use core::mem::MaybeUninit;

/// Row by row: for builds without vectors, and for what is left of a block.
mod rows {
    use super::Number;
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    use super::{Entry, MaybeUninit, ROWS};

    /// Rounds each value; whether all are finite.
    pub fn read<T: Number, V: Copy + Into<f64>>(values: &[V], into: &mut [T]) -> bool {
        let mut finite = true;
        for (&value, into) in values.iter().zip(into) {
            *into = T::round(value.into());
            finite &= !into.is_nan() && !into.is_infinite();
        }
        finite
    }

    /// `get` reads a number whose planes `bytes` holds.
    pub fn below(_bytes: &[u8], count: usize, bound: u64, get: impl Fn(usize) -> u64) -> bool {
        (0..count).all(|place| get(place) < bound)
    }

    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub fn finite<T: Number>(x: &[T; ROWS]) -> bool {
        x.iter().all(|x| !x.is_nan() && !x.is_infinite())
    }

    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub fn base<T: Number>(_: &[Entry<T>]) -> u32 {
        0
    }

    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub fn cells<T: Number, const RIGHT: bool>(
        x: &[T; ROWS],
        [low, high, scale]: [T; 3],
        base: u32,
        into: &mut MaybeUninit<[u32; ROWS]>,
    ) -> bool {
        let place = |x: T| {
            let x = if RIGHT && x.is_nan() { high } else { x };
            base + (T::cell(x, low, high, scale) * size_of::<Entry<T>>()) as u32
        };
        *into = MaybeUninit::new(x.map(place));
        RIGHT || finite(x)
    }

    /// # Safety
    /// As `Number::ranks` says.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub unsafe fn ranks<T: Number<Whole: Into<u64>>, const RIGHT: bool>(
        x: &[T; ROWS],
        places: &[u32; ROWS],
        entries: &[Entry<T>],
        into: &mut [u8; ROWS],
    ) {
        for ((&x, &place), into) in x.iter().zip(places).zip(into) {
            // SAFETY: by the caller.
            let entry = unsafe { entries.get_unchecked(place as usize / size_of::<Entry<T>>()) };
            let start = entry.start.into() as u8;
            *into =
                if RIGHT { start - u8::from(x <= entry.threshold) } else { start + u8::from(x > entry.threshold) };
        }
    }

    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    macro_rules! cell {
        ($name:ident $width:ident $whole:literal) => {
            #[inline]
            pub fn $name(x: $width, low: $width, high: $width, scale: $width) -> usize {
                let x = if x > low { x } else { low };
                let x = if x < high { x } else { high };
                // The sum's last bits are the nearest whole number.
                (((x - low) * scale + $whole).to_bits() & 0xffff) as usize
            }
        };
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    cell!(cell_f32 f32 8_388_608.0);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    cell!(cell_f64 f64 4_503_599_627_370_496.0);
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod vectors {
    pub use super::rows::{base, below, cell_f32, cell_f64, finite as finite_f32, finite as finite_f64};
    pub use super::rows::{read as read_f32, read as read_f64, read as widen};
    use super::{Entry, MaybeUninit, ROWS, rows};

    macro_rules! of {
        ($width:ident $cells:ident $ranks:ident) => {
            pub fn $cells<const RIGHT: bool>(
                x: &[$width; ROWS],
                low: $width,
                high: $width,
                scale: $width,
                base: u32,
                into: &mut MaybeUninit<[u32; ROWS]>,
            ) -> bool {
                rows::cells::<_, RIGHT>(x, [low, high, scale], base, into)
            }

            /// # Safety
            /// As `Number::ranks` says.
            pub unsafe fn $ranks<const RIGHT: bool>(
                x: &[$width; ROWS],
                places: &[u32; ROWS],
                entries: &[Entry<$width>],
                _: &mut MaybeUninit<[Entry<$width>; ROWS]>,
                into: &mut [u8; ROWS],
            ) {
                // SAFETY: by the caller.
                unsafe { rows::ranks::<_, RIGHT>(x, places, entries, into) }
            }
        };
    }
    of!(f32 cells_f32 ranks_f32);
    of!(f64 cells_f64 ranks_f64);
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vectors {
    use super::{Entry, MaybeUninit, Number, ROWS, rows};
    use core::arch::wasm32::*;
    use core::ptr::with_exposed_provenance;

    pub fn read_f32(values: &[f64], into: &mut [f32]) -> bool {
        let (fours, rest) = values.as_chunks::<4>();
        let (into, last) = into.as_chunks_mut::<4>();
        let mut wrong = u32x4_splat(0);
        for (four, into) in fours.iter().zip(&mut *into) {
            // SAFETY: four f64 are read, four f32 written: in halves, for a vector of both is made number by number.
            unsafe {
                let (at, into) = (four.as_ptr().cast::<v128>(), into.as_mut_ptr());
                let low = f32x4_demote_f64x2_zero(v128_load(at));
                let high = f32x4_demote_f64x2_zero(v128_load(at.add(1)));
                v128_store64_lane::<0>(low, into.cast());
                v128_store64_lane::<0>(high, into.add(2).cast());
                // x - x is 0 or NaN.
                wrong = v128_or(wrong, v128_or(f32x4_sub(low, low), f32x4_sub(high, high)));
            }
        }
        let tail = into.get_mut(fours.len()).map_or(last, |four| four);
        rows::read(rest, tail) && !v128_any_true(wrong)
    }

    /// Reads f32 as f64.
    pub fn widen(values: &[f32], into: &mut [f64]) -> bool {
        let (twos, rest) = values.as_chunks::<2>();
        let (into, last) = into.as_chunks_mut::<2>();
        let mut wrong = u32x4_splat(0);
        for (two, into) in twos.iter().zip(&mut *into) {
            // SAFETY: two f32 are read, two f64 written.
            unsafe {
                let x = f64x2_promote_low_f32x4(v128_load64_zero(two.as_ptr().cast()));
                wrong = v128_or(wrong, f64x2_sub(x, x));
                v128_store(into.as_mut_ptr().cast(), x);
            }
        }
        let tail = into.get_mut(twos.len()).map_or(last, |two| two);
        rows::read(rest, tail) && !v128_any_true(wrong)
    }

    pub fn read_f64(values: &[f64], into: &mut [f64]) -> bool {
        let (twos, rest) = values.as_chunks::<2>();
        let (into, last) = into.as_chunks_mut::<2>();
        let mut wrong = u32x4_splat(0);
        for (two, into) in twos.iter().zip(&mut *into) {
            // SAFETY: two f64 are read, two written.
            unsafe {
                let x = v128_load(two.as_ptr().cast());
                wrong = v128_or(wrong, f64x2_sub(x, x));
                v128_store(into.as_mut_ptr().cast(), x);
            }
        }
        let tail = into.get_mut(twos.len()).map_or(last, |two| two);
        rows::read(rest, tail) && !v128_any_true(wrong)
    }

    /// From where places count: their address, so that a place is its entry's.
    pub fn base<T: Number>(entries: &[Entry<T>]) -> u32 {
        entries.as_ptr().expose_provenance() as u32
    }

    /// Copies the entry of each place.
    ///
    /// # Safety
    /// The places are those of entries.
    #[inline(always)]
    unsafe fn pick<T: Number>(
        places: &[u32; ROWS],
        found: &mut MaybeUninit<[Entry<T>; ROWS]>,
        copy: impl Fn(*const Entry<T>, *mut Entry<T>),
    ) {
        let mut into = found.as_mut_ptr().cast::<Entry<T>>();
        for &[a, b, c, d] in places.as_chunks::<4>().0 {
            let entry = |place: u32| with_exposed_provenance(place as usize);
            // SAFETY: by the caller; as many are written as there are places.
            unsafe {
                copy(entry(a), into);
                copy(entry(b), into.add(1));
                copy(entry(c), into.add(2));
                copy(entry(d), into.add(3));
                into = into.add(4);
            }
        }
    }

    /// Sixteen numbers below 256. The narrowing instructions would do, but LLVM 22 makes clamps of them.
    #[inline(always)]
    fn bytes(a: v128, b: v128, c: v128, d: v128) -> v128 {
        let (low, high) = (v128_or(a, u32x4_shl(b, 8)), v128_or(u32x4_shl(c, 16), u32x4_shl(d, 24)));
        let all = v128_or(low, high);
        u8x16_shuffle::<0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15>(all, all)
    }

    /// # Safety
    /// As `Number::ranks` says.
    pub unsafe fn ranks_f32<const RIGHT: bool>(
        x: &[f32; ROWS],
        places: &[u32; ROWS],
        _: &[Entry<f32>],
        found: &mut MaybeUninit<[Entry<f32>; ROWS]>,
        into: &mut [u8; ROWS],
    ) {
        // SAFETY: by the caller; an entry is 8 bytes, and all are found before they are read.
        unsafe {
            pick(places, found, |from, into| into.cast::<u64>().write_unaligned(from.cast::<u64>().read_unaligned()));
            let (mut x, mut found) = (x.as_ptr(), found.as_ptr().cast::<Entry<f32>>());
            for into in into.as_chunks_mut::<16>().0 {
                let four = |k: usize| {
                    let at = found.add(4 * k).cast::<v128>();
                    let (a, b) = (v128_load(at), v128_load(at.add(1)));
                    let threshold = i32x4_shuffle::<0, 2, 4, 6>(a, b);
                    let (x, start) = (v128_load(x.add(4 * k).cast()), i32x4_shuffle::<1, 3, 5, 7>(a, b));
                    if RIGHT {
                        i32x4_add(start, f32x4_le(x, threshold))
                    } else {
                        i32x4_sub(start, f32x4_gt(x, threshold))
                    }
                };
                v128_store(into.as_mut_ptr().cast(), bytes(four(0), four(1), four(2), four(3)));
                (x, found) = (x.add(16), found.add(16));
            }
        }
    }

    /// # Safety
    /// As `Number::ranks` says.
    pub unsafe fn ranks_f64<const RIGHT: bool>(
        x: &[f64; ROWS],
        places: &[u32; ROWS],
        _: &[Entry<f64>],
        found: &mut MaybeUninit<[Entry<f64>; ROWS]>,
        into: &mut [u8; ROWS],
    ) {
        // SAFETY: by the caller; an entry is 16 bytes, and all are found before they are read.
        unsafe {
            pick(places, found, |from, into| v128_store(into.cast(), v128_load(from.cast())));
            let (mut x, mut found) = (x.as_ptr(), found.as_ptr().cast::<Entry<f64>>());
            for into in into.as_chunks_mut::<16>().0 {
                let two = |k: usize| {
                    let at = found.add(2 * k).cast::<v128>();
                    let (a, b) = (v128_load(at), v128_load(at.add(1)));
                    let (x, start) = (v128_load(x.add(2 * k).cast()), i64x2_shuffle::<1, 3>(a, b));
                    let threshold = i64x2_shuffle::<0, 2>(a, b);
                    if RIGHT {
                        i64x2_add(start, f64x2_le(x, threshold))
                    } else {
                        i64x2_sub(start, f64x2_gt(x, threshold))
                    }
                };
                let four = |k: usize| i32x4_shuffle::<0, 2, 4, 6>(two(2 * k), two(2 * k + 1));
                v128_store(into.as_mut_ptr().cast(), bytes(four(0), four(1), four(2), four(3)));
                (x, found) = (x.add(16), found.add(16));
            }
        }
    }

    /// In a vector, where engines need no branches to pick a number.
    #[inline(always)]
    pub fn cell_f32(x: f32, low: f32, high: f32, scale: f32) -> usize {
        let low = f32x4_splat(low);
        let x = f32x4_pmin(f32x4_splat(high), f32x4_pmax(low, f32x4_splat(x)));
        let x = f32x4_mul(f32x4_sub(x, low), f32x4_splat(scale));
        u32x4_extract_lane::<0>(f32x4_add(x, f32x4_splat(8_388_608.0))) as usize & 0xffff
    }

    #[inline(always)]
    pub fn cell_f64(x: f64, low: f64, high: f64, scale: f64) -> usize {
        let low = f64x2_splat(low);
        let x = f64x2_pmin(f64x2_splat(high), f64x2_pmax(low, f64x2_splat(x)));
        let x = f64x2_mul(f64x2_sub(x, low), f64x2_splat(scale));
        u32x4_extract_lane::<0>(f64x2_add(x, f64x2_splat(4_503_599_627_370_496.0))) as usize & 0xffff
    }

    pub fn below(bytes: &[u8], count: usize, bound: u64, get: impl Fn(usize) -> u64) -> bool {
        let width = bytes.len().checked_div(count).unwrap_or(0);
        if count < 16 || width > 7 || bound >> (8 * width) > 0 {
            return rows::below(bytes, count, bound, get);
        }
        let mut all = u8x16_splat(0xff);
        let mut at = 0;
        loop {
            let (mut less, mut same) = (u8x16_splat(0), u8x16_splat(0xff));
            for plane in (0..width).rev() {
                let limit = u8x16_splat((bound >> (8 * plane)) as u8);
                // SAFETY: a plane has `count` bytes, and sixteen from `at` on are among them.
                let x = unsafe { v128_load(bytes.as_ptr().add(plane * count + at).cast()) };
                less = v128_or(less, v128_and(same, u8x16_lt(x, limit)));
                same = v128_and(same, u8x16_eq(x, limit));
            }
            all = v128_and(all, less);
            if at + 16 == count {
                return u8x16_all_true(all);
            }
            // The last sixteen may be looked at twice.
            at = if at + 32 > count { count - 16 } else { at + 16 };
        }
    }

    pub fn finite_f32(x: &[f32; ROWS]) -> bool {
        let mut wrong = u32x4_splat(0);
        for four in x.as_chunks::<4>().0 {
            // SAFETY: four values are read.
            let x = unsafe { v128_load(four.as_ptr().cast()) };
            wrong = v128_or(wrong, f32x4_sub(x, x));
        }
        !v128_any_true(wrong)
    }

    pub fn finite_f64(x: &[f64; ROWS]) -> bool {
        let mut wrong = u32x4_splat(0);
        for two in x.as_chunks::<2>().0 {
            // SAFETY: two values are read.
            let x = unsafe { v128_load(two.as_ptr().cast()) };
            wrong = v128_or(wrong, f64x2_sub(x, x));
        }
        !v128_any_true(wrong)
    }

    pub fn cells_f32<const RIGHT: bool>(
        x: &[f32; ROWS],
        low: f32,
        high: f32,
        scale: f32,
        base: u32,
        into: &mut MaybeUninit<[u32; ROWS]>,
    ) -> bool {
        let into = into.as_mut_ptr().cast::<v128>();
        // A sum of 2^23 and a cell is the bits of 2^23 and the cell.
        let base = u32x4_splat(base.wrapping_sub(8_388_608f32.to_bits() << 3));
        let mut wrong = u32x4_splat(0);
        for (four, x) in x.as_chunks::<4>().0.iter().enumerate() {
            // SAFETY: four values are read, four written.
            unsafe {
                let into = into.add(four);
                let x = v128_load(x.as_ptr().cast());
                // The operands' order is what sends NaN to an end, and theirs to which.
                let x = if RIGHT {
                    f32x4_pmax(f32x4_splat(low), f32x4_pmin(f32x4_splat(high), x))
                } else {
                    wrong = v128_or(wrong, f32x4_sub(x, x));
                    f32x4_pmin(f32x4_splat(high), f32x4_pmax(f32x4_splat(low), x))
                };
                let x = f32x4_mul(f32x4_sub(x, f32x4_splat(low)), f32x4_splat(scale));
                let cell = f32x4_add(x, f32x4_splat(8_388_608.0));
                v128_store(into, u32x4_add(u32x4_shl(cell, 3), base));
            }
        }
        !v128_any_true(wrong)
    }

    pub fn cells_f64<const RIGHT: bool>(
        x: &[f64; ROWS],
        low: f64,
        high: f64,
        scale: f64,
        base: u32,
        into: &mut MaybeUninit<[u32; ROWS]>,
    ) -> bool {
        let into = into.as_mut_ptr().cast::<v128>();
        let mut wrong = u32x4_splat(0);
        for (four, x) in x.as_chunks::<4>().0.iter().enumerate() {
            // SAFETY: four values are read, four written.
            unsafe {
                let into = into.add(four);
                let at = x.as_ptr().cast::<v128>();
                let cell = |x: v128| {
                    let x = if RIGHT {
                        f64x2_pmax(f64x2_splat(low), f64x2_pmin(f64x2_splat(high), x))
                    } else {
                        f64x2_pmin(f64x2_splat(high), f64x2_pmax(f64x2_splat(low), x))
                    };
                    let x = f64x2_mul(f64x2_sub(x, f64x2_splat(low)), f64x2_splat(scale));
                    f64x2_add(x, f64x2_splat(4_503_599_627_370_496.0))
                };
                let (first, second) = (v128_load(at), v128_load(at.add(1)));
                if !RIGHT {
                    wrong = v128_or(wrong, v128_or(f64x2_sub(first, first), f64x2_sub(second, second)));
                }
                // The low words of 2^52 and a cell are the cell.
                let low_words = u32x4_shuffle::<0, 2, 4, 6>(cell(first), cell(second));
                v128_store(into, u32x4_add(u32x4_shl(low_words, 4), u32x4_splat(base)));
            }
        }
        !v128_any_true(wrong)
    }
}

pub use rows::read;
pub use vectors::{
    base, below, cell_f32, cell_f64, cells_f32, cells_f64, finite_f32, finite_f64, ranks_f32, ranks_f64, read_f32,
    read_f64, widen,
};

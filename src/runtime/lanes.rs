//! Loops over the rows of a block that the wasm runtime does in vectors. Lane by lane both forms are the same
//! operations.

use super::trees::Number;

use super::bits::ROWS;
use super::deep::{ENDS, Item};
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use super::forest::Sum;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::sliced::CHUNK;
use super::sliced::PLACED_LEAVES;
use super::trees::{Entry, Found, Four};
use crate::image::BLOCK;
use core::mem::MaybeUninit;

/// Rows that a piece of a deep tree is asked about together.
pub const TILE: usize = 32;

/// Ranks are compared as numbers with a sign.
pub const SIGN: u16 = 1 << 15;

/// Row by row: for builds without vectors, and for what is left of a block.
mod rows {
    use super::{BLOCK, Number, PLACED_LEAVES};
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    use super::{ENDS, Entry, Item, MaybeUninit, ROWS, Sum, TILE};

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
    pub fn infinite<T: Number>(x: &[T; ROWS]) -> bool {
        x.iter().any(|x| x.is_infinite())
    }

    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub fn base<T>(_: *const T) -> u32 {
        0
    }

    /// # Safety
    /// As `vectors::at` says.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub unsafe fn at<T>(list: *const T, place: u32) -> *const T {
        // SAFETY: by the caller.
        unsafe { list.byte_add(place as usize) }
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

    /// # Safety
    /// As `Number::ranks_wide` says.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub unsafe fn wide<T: Number<Whole: Into<u64>>, const RIGHT: bool>(
        x: &[T; ROWS],
        places: &[u32; ROWS],
        entries: &[Entry<T>],
        [low, high]: &mut [[u8; ROWS]; 2],
    ) {
        for ((&x, &place), into) in x.iter().zip(places).zip(low.iter_mut().zip(high)) {
            let at = 2 * (place as usize / size_of::<Entry<T>>());
            // SAFETY: by the caller.
            let (first, other) = unsafe { (entries.get_unchecked(at), entries.get_unchecked(at + 1)) };
            let mut rank: u64 = other.start.into();
            for threshold in [first.threshold, T::from_bits(first.start.into()), other.threshold] {
                if RIGHT { rank -= u64::from(x <= threshold) } else { rank += u64::from(x > threshold) }
            }
            (*into.0, *into.1) = (rank as u8, (rank >> 8) as u8);
        }
    }

    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub fn logarithms<T: Number>(x: &[T; ROWS], floor: u32, into: &mut [T; ROWS]) -> bool {
        into.iter_mut().zip(x).for_each(|(into, x)| *into = x.logarithm(floor));
        finite(x)
    }

    /// # Safety
    /// As `Sum::add` says.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub unsafe fn add<S: Sum>(
        sums: &mut [f64],
        leaves: *const u8,
        values: *const S,
        trees: usize,
        stride: usize,
    ) -> usize {
        for (row, sum) in sums.iter_mut().enumerate() {
            let mut x = S::from_f64(*sum);
            for tree in 0..trees {
                // SAFETY: by the caller.
                x = x.plus(unsafe { *values.add(tree * stride + *leaves.add(tree * BLOCK + row) as usize) });
            }
            *sum = x.to_f64();
        }
        sums.len()
    }

    /// # Safety
    /// As `vectors::add_placed` says.
    pub unsafe fn add_placed(sums: &mut [f64], leaves: *const u8, values: *const f64, trees: usize) {
        for (row, sum) in sums.iter_mut().enumerate() {
            for tree in 0..trees {
                // SAFETY: by the caller.
                unsafe {
                    let place = *leaves.add(tree * BLOCK + row) as usize;
                    *sum += *values.add(tree * PLACED_LEAVES).byte_add(place);
                }
            }
        }
    }

    /// # Safety
    /// As `Number::higher` says.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub unsafe fn higher<T: Number>(x: &[T; ROWS], places: &mut [u32; ROWS], list: *const T, by: u32, last: u32) {
        for (&x, place) in x.iter().zip(places) {
            let passed = *place + by - size_of::<T>() as u32;
            // SAFETY: by the caller.
            if x > unsafe { *at(list, if passed < last { passed } else { last }) } {
                *place += by;
            }
        }
    }

    /// # Safety
    /// As `vectors::ask` says.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub unsafe fn ask<const HALF: bool>(
        items: *const Item,
        count: usize,
        tile: *const [u16; TILE],
        places: *mut [u8; TILE],
    ) -> *const [u8; TILE] {
        // SAFETY: by the caller.
        unsafe {
            let mut into = places.add(ENDS);
            for item in core::slice::from_raw_parts(items, count) {
                let x = &*tile.byte_add(item.column.into());
                let (left, right) = (*places.byte_add(item.left.into()), *places.byte_add(item.right.into()));
                for (row, into) in (*into).iter_mut().enumerate() {
                    *into = if x[row] as i16 > item.rank as i16 { right[row] } else { left[row] };
                }
                into = into.add(1);
            }
            if count == 0 { places } else { into.sub(1) }
        }
    }

    /// # Safety
    /// As `vectors::turn` says.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub unsafe fn turn(from: [*const u16; 8], into: *mut u16, apart: usize, again: usize) {
        for (column, from) in from.into_iter().enumerate() {
            for row in 0..8 {
                // SAFETY: by the caller.
                unsafe {
                    *into.add(row * apart + column) = *from.add(row);
                    *into.add(row * apart + column + again) = *from.add(row);
                }
            }
        }
    }

    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    macro_rules! cell {
        ($name:ident $width:ident) => {
            #[inline]
            pub fn $name(x: $width, low: $width, high: $width, scale: $width) -> usize {
                let x = if x > low { x } else { low };
                let x = if x < high { x } else { high };
                // The sum's last bits are the nearest whole number.
                (((x - low) * scale + $width::WHOLE).to_bits() & 0xffff) as usize
            }
        };
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    cell!(cell_f32 f32);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    cell!(cell_f64 f64);
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod vectors {
    pub use super::rows::{
        add as add_f32, add as add_f64, add_placed, ask, at, base, below, cell_f32, cell_f64, higher as higher_f32,
        higher as higher_f64, infinite as infinite_f32, infinite as infinite_f64, turn,
    };
    pub use super::rows::{logarithms as logarithms_f32, logarithms as logarithms_f64};
    pub use super::rows::{read as read_f32, read as read_f64, read as widen};
    use super::{Entry, Found, Four, MaybeUninit, ROWS, rows};

    macro_rules! of {
        ($width:ident $cells:ident $ranks:ident $wide:ident $find:ident $four:ident) => {
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
                into: &mut [u8; ROWS],
            ) {
                // SAFETY: by the caller.
                unsafe { rows::ranks::<_, RIGHT>(x, places, entries, into) }
            }

            /// # Safety
            /// As `Number::ranks_wide` says.
            pub unsafe fn $wide<const RIGHT: bool>(
                x: &[$width; ROWS],
                places: &[u32; ROWS],
                entries: &[Entry<$width>],
                into: &mut [[u8; ROWS]; 2],
            ) {
                // SAFETY: by the caller.
                unsafe { rows::wide::<_, RIGHT>(x, places, entries, into) }
            }

            /// # Safety
            /// None is needed: there are no vectors.
            pub unsafe fn $find(_: &Four<$width>, _: *const f64, _: usize, _: *mut Found<$width>) -> bool {
                false
            }

            /// # Safety
            /// None is needed: `find` finds nothing.
            pub unsafe fn $four(_: &Four<$width>, _: &Found<$width>) -> [u8; 4] {
                [0; 4]
            }
        };
    }
    of!(f32 cells_f32 ranks_f32 wide_f32 find_f32 four_f32);
    of!(f64 cells_f64 ranks_f64 wide_f64 find_f64 four_f64);
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vectors {
    use super::{BLOCK, CHUNK, ENDS, Entry, Found, Four, Item, MaybeUninit, Number, PLACED_LEAVES, ROWS, TILE, rows};
    use crate::runtime::unseen;
    use core::arch::wasm32::*;
    use core::hint::black_box;
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

    /// From where places in a list count, in bytes: from its address, so that a place is one.
    pub fn base<T>(list: *const T) -> u32 {
        list.expose_provenance() as u32
    }

    /// What is at a place.
    ///
    /// # Safety
    /// The place is of an element of the list.
    #[inline(always)]
    pub unsafe fn at<T>(_: *const T, place: u32) -> *const T {
        with_exposed_provenance(place as usize)
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
        into: &mut [u8; ROWS],
    ) {
        // SAFETY: by the caller, and an entry is 8 bytes.
        unsafe {
            let mut x = x.as_ptr();
            for (into, places) in into.as_chunks_mut::<16>().0.iter_mut().zip(places.as_chunks::<16>().0) {
                let entry = |k: usize| with_exposed_provenance::<u64>(*places.get_unchecked(k) as usize);
                let four = |k: usize| {
                    let a = v128_load64_lane::<1>(v128_load64_zero(entry(4 * k)), entry(4 * k + 1));
                    let b = v128_load64_lane::<1>(v128_load64_zero(entry(4 * k + 2)), entry(4 * k + 3));
                    let threshold = i32x4_shuffle::<0, 2, 4, 6>(a, b);
                    let (x, start) = (v128_load(x.add(4 * k).cast()), i32x4_shuffle::<1, 3, 5, 7>(a, b));
                    if RIGHT {
                        i32x4_add(start, f32x4_le(x, threshold))
                    } else {
                        i32x4_sub(start, f32x4_gt(x, threshold))
                    }
                };
                v128_store(into.as_mut_ptr().cast(), bytes(four(0), four(1), four(2), four(3)));
                x = x.add(16);
            }
        }
    }

    /// # Safety
    /// As `Number::ranks` says.
    pub unsafe fn ranks_f64<const RIGHT: bool>(
        x: &[f64; ROWS],
        places: &[u32; ROWS],
        _: &[Entry<f64>],
        into: &mut [u8; ROWS],
    ) {
        // SAFETY: by the caller, and an entry is 16 bytes.
        unsafe {
            let mut x = x.as_ptr();
            for (into, places) in into.as_chunks_mut::<16>().0.iter_mut().zip(places.as_chunks::<16>().0) {
                let entry = |k: usize| v128_load(with_exposed_provenance(*places.get_unchecked(k) as usize));
                let two = |k: usize| {
                    let (a, b) = (entry(2 * k), entry(2 * k + 1));
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
                x = x.add(16);
            }
        }
    }

    /// Low bytes of eight numbers, then their second bytes.
    #[inline(always)]
    fn two_bytes(a: v128, b: v128) -> v128 {
        u8x16_shuffle::<0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29>(a, b)
    }

    /// The low and the high bytes of sixteen numbers.
    #[inline(always)]
    fn halves(a: v128, b: v128, c: v128, d: v128) -> [v128; 2] {
        let (first, other) = (two_bytes(a, b), two_bytes(c, d));
        [i64x2_shuffle::<0, 2>(first, other), i64x2_shuffle::<1, 3>(first, other)]
    }

    /// # Safety
    /// As `Number::ranks_wide` says.
    pub unsafe fn wide_f32<const RIGHT: bool>(
        x: &[f32; ROWS],
        places: &[u32; ROWS],
        entries: &[Entry<f32>],
        [low, high]: &mut [[u8; ROWS]; 2],
    ) {
        let (base, mut x) = (base(entries.as_ptr()), x.as_ptr());
        let into = low.as_chunks_mut::<16>().0.iter_mut().zip(high.as_chunks_mut::<16>().0);
        for ((low, high), places) in into.zip(places.as_chunks::<16>().0) {
            // SAFETY: by the caller; two entries are 16 bytes.
            unsafe {
                let entry = |k: usize| {
                    let place = base + 2 * *places.get_unchecked(k);
                    v128_load(with_exposed_provenance(place as usize))
                };
                let four = |k: usize| {
                    let (a, b, c, d) = (entry(4 * k), entry(4 * k + 1), entry(4 * k + 2), entry(4 * k + 3));
                    let (ab, cd) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<0, 4, 1, 5>(c, d));
                    let (first, second) = (i64x2_shuffle::<0, 2>(ab, cd), i64x2_shuffle::<1, 3>(ab, cd));
                    let (ab, cd) = (i32x4_shuffle::<2, 6, 3, 7>(a, b), i32x4_shuffle::<2, 6, 3, 7>(c, d));
                    let (third, start) = (i64x2_shuffle::<0, 2>(ab, cd), i64x2_shuffle::<1, 3>(ab, cd));
                    let x = v128_load(x.add(4 * k).cast());
                    if RIGHT {
                        let below = i32x4_add(f32x4_le(x, first), f32x4_le(x, second));
                        i32x4_add(start, i32x4_add(below, f32x4_le(x, third)))
                    } else {
                        let above = i32x4_add(f32x4_gt(x, first), f32x4_gt(x, second));
                        i32x4_sub(start, i32x4_add(above, f32x4_gt(x, third)))
                    }
                };
                let [first, second] = halves(four(0), four(1), four(2), four(3));
                v128_store(low.as_mut_ptr().cast(), first);
                v128_store(high.as_mut_ptr().cast(), second);
                x = x.add(16);
            }
        }
    }

    /// # Safety
    /// As `Number::ranks_wide` says.
    pub unsafe fn wide_f64<const RIGHT: bool>(
        x: &[f64; ROWS],
        places: &[u32; ROWS],
        entries: &[Entry<f64>],
        [low, high]: &mut [[u8; ROWS]; 2],
    ) {
        let (base, mut x) = (base(entries.as_ptr()), x.as_ptr());
        let into = low.as_chunks_mut::<16>().0.iter_mut().zip(high.as_chunks_mut::<16>().0);
        for ((low, high), places) in into.zip(places.as_chunks::<16>().0) {
            // SAFETY: by the caller; two entries are 32 bytes.
            unsafe {
                let entry = |k: usize| {
                    let place = with_exposed_provenance::<v128>((base + 2 * *places.get_unchecked(k)) as usize);
                    (v128_load(place), v128_load(place.add(1)))
                };
                let two = |k: usize| {
                    let ((a, c), (b, d)) = (entry(2 * k), entry(2 * k + 1));
                    let (first, second) = (i64x2_shuffle::<0, 2>(a, b), i64x2_shuffle::<1, 3>(a, b));
                    let (third, start) = (i64x2_shuffle::<0, 2>(c, d), i64x2_shuffle::<1, 3>(c, d));
                    let x = v128_load(x.add(2 * k).cast());
                    if RIGHT {
                        let below = i64x2_add(f64x2_le(x, first), f64x2_le(x, second));
                        i64x2_add(start, i64x2_add(below, f64x2_le(x, third)))
                    } else {
                        let above = i64x2_add(f64x2_gt(x, first), f64x2_gt(x, second));
                        i64x2_sub(start, i64x2_add(above, f64x2_gt(x, third)))
                    }
                };
                let four = |k: usize| i32x4_shuffle::<0, 2, 4, 6>(two(2 * k), two(2 * k + 1));
                let [first, second] = halves(four(0), four(1), four(2), four(3));
                v128_store(low.as_mut_ptr().cast(), first);
                v128_store(high.as_mut_ptr().cast(), second);
                x = x.add(16);
            }
        }
    }

    /// `Number::logarithm` of four, but of NaN any.
    #[inline(always)]
    fn four_logarithms(x: v128, floor: v128) -> v128 {
        let unsigned = u32x4_splat(0x7fff_ffff);
        let above = i32x4_max(i32x4_sub(v128_and(x, unsigned), floor), u32x4_splat(0));
        v128_bitselect(f32x4_convert_i32x4(above), x, unsigned)
    }

    /// Of four, two and two.
    #[inline(always)]
    fn both_logarithms(a: v128, b: v128, floor: v128) -> [v128; 2] {
        let high = v128_and(i32x4_shuffle::<1, 3, 5, 7>(a, b), u32x4_splat(0x7fff_ffff));
        let above = i32x4_max(i32x4_sub(high, floor), u32x4_splat(0));
        let unsigned = u64x2_splat(u64::MAX >> 1);
        let (low, high) =
            (f64x2_convert_low_i32x4(above), f64x2_convert_low_i32x4(i64x2_shuffle::<1, 1>(above, above)));
        [v128_bitselect(low, a, unsigned), v128_bitselect(high, b, unsigned)]
    }

    pub fn logarithms_f32(x: &[f32; ROWS], floor: u32, into: &mut [f32; ROWS]) -> bool {
        let floor = u32x4_splat(floor);
        let mut wrong = u32x4_splat(0);
        for (x, into) in x.as_chunks::<4>().0.iter().zip(into.as_chunks_mut::<4>().0) {
            // SAFETY: four numbers are read, four written.
            unsafe {
                let x = v128_load(x.as_ptr().cast());
                wrong = v128_or(wrong, f32x4_sub(x, x));
                v128_store(into.as_mut_ptr().cast(), v128_or(four_logarithms(x, floor), f32x4_ne(x, x)));
            }
        }
        !v128_any_true(wrong)
    }

    pub fn logarithms_f64(x: &[f64; ROWS], floor: u32, into: &mut [f64; ROWS]) -> bool {
        let floor = u32x4_splat(floor);
        let mut wrong = u32x4_splat(0);
        for (x, into) in x.as_chunks::<4>().0.iter().zip(into.as_chunks_mut::<4>().0) {
            // SAFETY: four numbers are read, four written.
            unsafe {
                let (at, into) = (x.as_ptr().cast::<v128>(), into.as_mut_ptr().cast::<v128>());
                let (a, b) = (v128_load(at), v128_load(at.add(1)));
                wrong = v128_or(wrong, v128_or(f64x2_sub(a, a), f64x2_sub(b, b)));
                let [first, second] = both_logarithms(a, b, floor);
                v128_store(into, v128_or(first, f64x2_ne(a, a)));
                v128_store(into.add(1), v128_or(second, f64x2_ne(b, b)));
            }
        }
        !v128_any_true(wrong)
    }

    /// The row's values of four columns.
    ///
    /// # Safety
    /// As `Number::find` says.
    #[inline(always)]
    unsafe fn values<T: Number>(own: &Four<T>, slots: *const f64, rows: usize) -> [v128; 2] {
        // SAFETY: by the caller.
        unsafe {
            let at = |k: usize| slots.add(*own.slots.get_unchecked(k) as usize * rows);
            if own.together != 0 && rows == 1 {
                return [v128_load(at(0).cast()), v128_load(at(0).add(2).cast())];
            }
            let pair = |k: usize| v128_load64_lane::<1>(v128_load64_zero(at(k).cast()), at(k + 1).cast());
            [pair(0), pair(2)]
        }
    }

    /// # Safety
    /// As `Number::find` says.
    #[inline(always)]
    pub unsafe fn find_f32(own: &Four<f32>, slots: *const f64, rows: usize, into: *mut Found<f32>) -> bool {
        // SAFETY: by the caller; four numbers are read of each field.
        unsafe {
            let [a, b] = values(own, slots, rows);
            let x = i64x2_shuffle::<0, 2>(f32x4_demote_f64x2_zero(a), f32x4_demote_f64x2_zero(b));
            if v128_any_true(f32x4_sub(x, x)) {
                return false;
            }
            let of = |numbers: &[f32; 4]| v128_load(numbers.as_ptr().cast());
            let [low, high, scale] = &own.map;
            let mut mapped = x;
            if own.curved != 0 {
                let logarithms = four_logarithms(x, v128_load(own.floor.as_ptr().cast()));
                mapped = v128_bitselect(logarithms, x, v128_load(own.logarithm.as_ptr().cast()));
            }
            let near = f32x4_pmin(of(high), f32x4_pmax(of(low), mapped));
            // As in `cells_f32`; what its bits have more is ENTRY.
            let cell = f32x4_add(f32x4_mul(f32x4_sub(near, of(low)), of(scale)), of(&own.whole));
            let places = u32x4_add(u32x4_shl(cell, 3), v128_load(own.base.as_ptr().cast()));
            v128_store((&raw mut (*into).x).cast(), x);
            v128_store((&raw mut (*into).places).cast(), places);
        }
        true
    }

    /// # Safety
    /// As `Number::four` says.
    #[inline(always)]
    pub unsafe fn four_f32(own: &Four<f32>, found: &Found<f32>) -> [u8; 4] {
        // SAFETY: by the caller, and an entry is 8 bytes.
        unsafe {
            let entry = |k: usize| with_exposed_provenance::<u64>(*found.places.get_unchecked(k) as usize);
            let a = v128_load64_lane::<1>(v128_load64_zero(entry(0)), entry(1));
            let b = v128_load64_lane::<1>(v128_load64_zero(entry(2)), entry(3));
            let above = f32x4_gt(v128_load(found.x.as_ptr().cast()), i32x4_shuffle::<0, 2, 4, 6>(a, b));
            let start = i32x4_add(i32x4_shuffle::<1, 3, 5, 7>(a, b), v128_load(own.add.as_ptr().cast()));
            low_bytes(i32x4_sub(start, above))
        }
    }

    /// # Safety
    /// As `Number::find` says.
    #[inline(always)]
    pub unsafe fn find_f64(own: &Four<f64>, slots: *const f64, rows: usize, into: *mut Found<f64>) -> bool {
        // SAFETY: by the caller; two numbers are read of each half of a field.
        unsafe {
            let [a, b] = values(own, slots, rows);
            if v128_any_true(v128_or(f64x2_sub(a, a), f64x2_sub(b, b))) {
                return false;
            }
            let mut mapped = [a, b];
            if own.curved != 0 {
                let [first, second] = both_logarithms(a, b, v128_load(own.floor.as_ptr().cast()));
                let take = own.logarithm.as_ptr().cast::<v128>();
                mapped =
                    [v128_bitselect(first, a, v128_load(take)), v128_bitselect(second, b, v128_load(take.add(1)))];
            }
            let cells = |k: usize, mapped: v128| {
                let of = |numbers: &[f64; 4]| v128_load(numbers.as_ptr().add(k).cast());
                let [low, high, scale] = &own.map;
                let near = f64x2_pmin(of(high), f64x2_pmax(of(low), mapped));
                f64x2_add(f64x2_mul(f64x2_sub(near, of(low)), of(scale)), of(&own.whole))
            };
            let cells = i32x4_shuffle::<0, 2, 4, 6>(cells(0, mapped[0]), cells(2, mapped[1]));
            let places = u32x4_add(u32x4_shl(cells, 4), v128_load(own.base.as_ptr().cast()));
            let at = (&raw mut (*into).x).cast::<v128>();
            v128_store(at, a);
            v128_store(at.add(1), b);
            v128_store((&raw mut (*into).places).cast(), places);
        }
        true
    }

    /// # Safety
    /// As `Number::four` says.
    #[inline(always)]
    pub unsafe fn four_f64(own: &Four<f64>, found: &Found<f64>) -> [u8; 4] {
        // SAFETY: by the caller, and an entry is 16 bytes.
        unsafe {
            let entry = |k: usize| v128_load(with_exposed_provenance(*found.places.get_unchecked(k) as usize));
            let two = |k: usize| {
                let (a, b) = (entry(k), entry(k + 1));
                let above = f64x2_gt(v128_load(found.x.as_ptr().add(k).cast()), i64x2_shuffle::<0, 2>(a, b));
                let start = i64x2_add(i64x2_shuffle::<1, 3>(a, b), v128_load(own.add.as_ptr().add(k).cast()));
                i64x2_sub(start, above)
            };
            low_bytes(i32x4_shuffle::<0, 2, 4, 6>(two(0), two(2)))
        }
    }

    #[inline(always)]
    unsafe fn sums_f32(at: *const f64) -> v128 {
        // SAFETY: by the caller, who has four.
        let two = |k: usize| f32x4_demote_f64x2_zero(unsafe { v128_load(at.add(k).cast()) });
        i64x2_shuffle::<0, 2>(two(0), two(2))
    }

    #[inline(always)]
    unsafe fn put_f32(at: *mut f64, sums: v128) {
        // SAFETY: by the caller, who has places for four.
        unsafe {
            v128_store(at.cast(), f64x2_promote_low_f32x4(sums));
            v128_store(at.add(2).cast(), f64x2_promote_low_f32x4(i64x2_shuffle::<1, 1>(sums, sums)));
        }
    }

    #[inline(always)]
    unsafe fn sums_f64(at: *const f64) -> v128 {
        // SAFETY: by the caller, who has two.
        unsafe { v128_load(at.cast()) }
    }

    #[inline(always)]
    unsafe fn put_f64(at: *mut f64, sums: v128) {
        // SAFETY: by the caller, who has places for two.
        unsafe { v128_store(at.cast(), sums) }
    }

    /// Some rows' values in a vector.
    macro_rules! values {
        ($value:ident $a:literal $b:literal) => {
            v128_load64_lane::<1>(v128_load64_zero($value($a)), $value($b))
        };
        ($value:ident $a:literal $b:literal $c:literal $d:literal) => {{
            let two = v128_load32_lane::<1>(v128_load32_zero($value($a)), $value($b));
            v128_load32_lane::<3>(v128_load32_lane::<2>(two, $value($c)), $value($d))
        }};
    }

    // A row's sum waits for one addition after the other. Of several rows at once none waits long: against sixteen trees of
    // one row at a time that took 6% off a batch of T2 on a Zen 3 alone on its core, and 12% off beside another thread.
    // Sixteen f32 instead of eight took 1.5% off T1: counting trees is as much work as adding two values.
    macro_rules! add {
        ($name:ident $width:ident $get:ident $put:ident $plus:ident, $rows:literal:
            $($sums:ident [$first:literal $($row:literal)*])*) => {
            /// # Safety
            /// As `Sum::add` says.
            #[inline(always)]
            pub unsafe fn $name(
                sums: &mut [f64],
                leaves: *const u8,
                values: *const $width,
                trees: usize,
                stride: usize,
            ) -> usize {
                let (parts, _) = sums.as_chunks_mut::<$rows>();
                for (number, part) in parts.iter_mut().enumerate() {
                    // SAFETY: by the caller; the part's sums are read and written, and of each tree a byte a row and the
                    // value that it says.
                    unsafe {
                        let part = part.as_mut_ptr();
                        $(let mut $sums = $get(part.add($first));)*
                        let (mut leaves, mut values) = (leaves.add($rows * number), values);
                        let end = values.add(trees * stride);
                        while values != end {
                            let value = |row: usize| values.add(*leaves.add(row) as usize).cast();
                            $($sums = $plus($sums, values!(value $first $($row)*));)*
                            (leaves, values) = (leaves.add(BLOCK), values.add(stride));
                        }
                        $($put(part.add($first), $sums);)*
                    }
                }
                $rows * parts.len()
            }
        };
    }
    add!(add_f32 f32 sums_f32 put_f32 f32x4_add, 16:
        a [0 1 2 3] b [4 5 6 7] c [8 9 10 11] d [12 13 14 15]);
    add!(add_f64 f64 sums_f64 put_f64 f64x2_add, 16:
        a [0 1] b [2 3] c [4 5] d [6 7] e [8 9] f [10 11] g [12 13] h [14 15]);

    /// Values of some trees, at an address that is known when the code is made: an engine adds from there in one step.
    static mut PLACED: [[f64; PLACED_LEAVES]; CHUNK] = [[0.0; PLACED_LEAVES]; CHUNK];

    /// Adds to the sums, row by row, the values of their leaves in so many trees, at most `CHUNK`, in their order. A tree's
    /// values are `PLACED_LEAVES`, and where one of a row is among them, in bytes, is a byte of `leaves`; these are
    /// `BLOCK` after the tree's before.
    ///
    /// Four rows' places are one load, for loads are what sums wait for. A jump between trees keeps LLVM from
    /// putting all loads before the additions.
    ///
    /// # Safety
    /// All those are there, and for a multiple of 8 rows.
    #[inline(never)]
    pub unsafe fn add_placed(sums: &mut [f64], leaves: *const u8, values: *const f64, trees: usize) {
        // SAFETY: by the caller; a chunk's values are copied, behind them nothing is added. A place is within 256 bytes.
        unsafe {
            let into = (&raw mut PLACED).cast::<v128>();
            let (wide, from) = (PLACED_LEAVES / 2, values.cast::<v128>());
            for at in 0..trees * wide {
                v128_store(into.add(at), v128_load(from.add(at)));
            }
            let (parts, last) = sums.as_chunks_mut::<8>();
            let mut at = leaves;
            for part in parts {
                // Not known to be the same for all rows, lest what follows from it is kept for each tree.
                let trees = black_box(trees);
                let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *part;
                macro_rules! add {
                    ($end:lifetime $($tree:literal)*) => {
                        $end: {$(
                            let value = |place: u32| {
                                (&raw const PLACED).cast::<f64>().byte_add((PLACED_LEAVES * 8 * $tree) + place as usize).read()
                            };
                            let places = |first: usize| at.add(BLOCK * $tree + first).cast::<u32>().read_unaligned();
                            let (four, next) = (places(0), places(4));
                            a += value(four & 255);
                            b += value(four >> 8 & 255);
                            c += value(four >> 16 & 255);
                            d += value(four >> 24);
                            e += value(next & 255);
                            f += value(next >> 8 & 255);
                            g += value(next >> 16 & 255);
                            h += value(next >> 24);
                            if trees == $tree + 1 {
                                break $end;
                            }
                        )*}
                    };
                }
                add!('done 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
                *part = [a, b, c, d, e, f, g, h];
                at = at.add(8);
            }
            rows::add_placed(last, at, values, trees);
        }
    }

    /// Of four numbers.
    #[inline(always)]
    fn low_bytes(x: v128) -> [u8; 4] {
        u32x4_extract_lane::<0>(u8x16_shuffle::<0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12>(x, x))
            .to_le_bytes()
    }

    /// In a vector, where engines need no branches to pick a number.
    #[inline(always)]
    pub fn cell_f32(x: f32, low: f32, high: f32, scale: f32) -> usize {
        let low = f32x4_splat(low);
        let x = f32x4_pmin(f32x4_splat(high), f32x4_pmax(low, f32x4_splat(x)));
        let x = f32x4_mul(f32x4_sub(x, low), f32x4_splat(scale));
        u32x4_extract_lane::<0>(f32x4_add(x, f32x4_splat(f32::WHOLE))) as usize & 0xffff
    }

    #[inline(always)]
    pub fn cell_f64(x: f64, low: f64, high: f64, scale: f64) -> usize {
        let low = f64x2_splat(low);
        let x = f64x2_pmin(f64x2_splat(high), f64x2_pmax(low, f64x2_splat(x)));
        let x = f64x2_mul(f64x2_sub(x, low), f64x2_splat(scale));
        u32x4_extract_lane::<0>(f64x2_add(x, f64x2_splat(f64::WHOLE))) as usize & 0xffff
    }

    /// `above` says of four rows whether they are above what is at their places.
    #[inline(always)]
    fn higher<T: Number>(
        x: &[T; ROWS],
        places: &mut [u32; ROWS],
        by: u32,
        last: u32,
        above: impl Fn(*const v128, [*const T; 4]) -> v128,
    ) {
        let (passed, last, by) = (u32x4_splat(by - size_of::<T>() as u32), u32x4_splat(last), u32x4_splat(by));
        let (mut x, mut place) = (x.as_ptr(), places.as_mut_ptr().cast::<v128>());
        // SAFETY: four values are read and four places written at a time, up to the last.
        unsafe {
            let end = x.add(ROWS);
            while x != end {
                let from = v128_load(place);
                let at = u32x4_min(u32x4_add(from, passed), last);
                let (a, b) = (u32x4_extract_lane::<0>(at), u32x4_extract_lane::<1>(at));
                let (c, d) = (u32x4_extract_lane::<2>(at), u32x4_extract_lane::<3>(at));
                let number = |place: u32| with_exposed_provenance(place as usize);
                let above = above(x.cast(), [number(a), number(b), number(c), number(d)]);
                v128_store(place, u32x4_add(from, v128_and(above, by)));
                (x, place) = (x.add(4), place.add(1));
            }
        }
    }

    /// # Safety
    /// As `Number::higher` says.
    #[inline(always)]
    pub unsafe fn higher_f32(x: &[f32; ROWS], places: &mut [u32; ROWS], _: *const f32, by: u32, last: u32) {
        higher(x, places, by, last, |x, [a, b, c, d]| {
            // SAFETY: by the caller; there are four x.
            unsafe {
                let two = v128_load32_lane::<1>(v128_load32_zero(a.cast()), b.cast());
                f32x4_gt(v128_load(x), v128_load32_lane::<3>(v128_load32_lane::<2>(two, c.cast()), d.cast()))
            }
        });
    }

    /// # Safety
    /// As `Number::higher` says.
    #[inline(always)]
    pub unsafe fn higher_f64(x: &[f64; ROWS], places: &mut [u32; ROWS], _: *const f64, by: u32, last: u32) {
        higher(x, places, by, last, |x, [a, b, c, d]| {
            // SAFETY: by the caller; there are four x.
            unsafe {
                let low = v128_load64_lane::<1>(v128_load64_zero(a.cast()), b.cast());
                let high = v128_load64_lane::<1>(v128_load64_zero(c.cast()), d.cast());
                i32x4_shuffle::<0, 2, 4, 6>(f64x2_gt(v128_load(x), low), f64x2_gt(v128_load(x.add(1)), high))
            }
        });
    }

    /// The end to which each row of a tile, or of its first half, comes in a piece of so many items.
    ///
    /// # Safety
    /// The items' columns are among those of the tile, and their sides among `places`: `ENDS`, and as many as there are
    /// items before.
    #[inline(always)]
    pub unsafe fn ask<const HALF: bool>(
        items: *const Item,
        count: usize,
        tile: *const [u16; TILE],
        places: *mut [u8; TILE],
    ) -> *const [u8; TILE] {
        // SAFETY: by the caller.
        unsafe {
            let (mut item, mut into) = (items, places.add(ENDS).cast::<v128>());
            let end = items.add(count);
            while item != end {
                let x = tile.byte_add((*item).column.into()).cast::<v128>();
                let rank = v128_load16_splat(&raw const (*item).rank);
                let (left, right): (*const v128, *const v128) =
                    (places.byte_add((*item).left.into()).cast(), places.byte_add((*item).right.into()).cast());
                let above = |half: usize| {
                    let (low, high) = (v128_load(x.add(2 * half)), v128_load(x.add(2 * half + 1)));
                    i8x16_narrow_i16x8(i16x8_gt(low, rank), i16x8_gt(high, rank))
                };
                v128_store(into, v128_bitselect(v128_load(right), v128_load(left), above(0)));
                if !HALF {
                    v128_store(
                        into.add(1),
                        v128_bitselect(v128_load(right.add(1)), v128_load(left.add(1)), above(1)),
                    );
                }
                (item, into) = (item.add(1), into.add(2));
            }
            if count == 0 { places } else { into.sub(2).cast() }
        }
    }

    /// Eight lists of eight numbers, which become the eight numbers' lists; those begin `apart` from each other, and where
    /// `again` is not 0 each is written once more so far on.
    ///
    /// # Safety
    /// There are eight numbers at each, and room for as many in each list.
    #[inline(always)]
    pub unsafe fn turn([a, b, c, d, e, f, g, h]: [*const u16; 8], into: *mut u16, apart: usize, again: usize) {
        // SAFETY: by the caller.
        unsafe {
            let twos = |a: *const u16, b: *const u16| {
                let (a, b) = (v128_load(a.cast()), v128_load(b.cast()));
                (i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(a, b), i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(a, b))
            };
            let fours = |a: v128, b: v128| (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
            let mut into = into;
            let mut put = |a: v128, b: v128| {
                let (a, b) = (i64x2_shuffle::<0, 2>(a, b), i64x2_shuffle::<1, 3>(a, b));
                v128_store(into.cast(), a);
                v128_store(into.add(apart).cast(), b);
                if again != 0 {
                    v128_store(into.add(again).cast(), a);
                    v128_store(into.add(again + apart).cast(), b);
                }
                into = into.add(2 * apart);
            };
            // Of one half of the numbers after the other, so that all fit the registers.
            let ((ab, after_ab), (cd, after_cd)) = (twos(a, b), twos(c, d));
            let ((ef, after_ef), (gh, after_gh)) = (twos(e, f), twos(g, h));
            let ((a, b), (e, f)) = (fours(ab, cd), fours(ef, gh));
            put(a, e);
            put(b, f);
            let ((c, d), (g, h)) = (fours(after_ab, after_cd), fours(after_ef, after_gh));
            put(c, g);
            put(d, h);
        }
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

    pub fn infinite_f32(x: &[f32; ROWS]) -> bool {
        let mut found = u32x4_splat(0);
        for four in x.as_chunks::<4>().0 {
            // SAFETY: four values are read.
            let x = unsafe { v128_load(four.as_ptr().cast()) };
            found = v128_or(found, f32x4_eq(f32x4_abs(x), f32x4_splat(f32::INFINITY)));
        }
        v128_any_true(found)
    }

    pub fn infinite_f64(x: &[f64; ROWS]) -> bool {
        let mut found = u32x4_splat(0);
        for two in x.as_chunks::<2>().0 {
            // SAFETY: two values are read.
            let x = unsafe { v128_load(two.as_ptr().cast()) };
            found = v128_or(found, f64x2_eq(f64x2_abs(x), f64x2_splat(f64::INFINITY)));
        }
        v128_any_true(found)
    }

    pub fn cells_f32<const RIGHT: bool>(
        x: &[f32; ROWS],
        low: f32,
        high: f32,
        scale: f32,
        base: u32,
        into: &mut MaybeUninit<[u32; ROWS]>,
    ) -> bool {
        // A sum of 2^23 and a cell is the bits of 2^23 and the cell.
        let base = u32x4_splat(base.wrapping_sub(f32::ENTRY));
        let whole = unseen(f32x4_splat(f32::WHOLE));
        let mut wrong = u32x4_splat(0);
        // By pointers: with an index an engine takes as many steps to find four values as to map them.
        let (mut from, mut into) = (x.as_ptr().cast::<v128>(), into.as_mut_ptr().cast::<v128>());
        // SAFETY: four values are read at a time, and four written, up to the last.
        unsafe {
            let end = from.add(ROWS / 4);
            while from != end {
                let x = v128_load(from);
                // The operands' order is what sends NaN to an end, and theirs to which.
                let x = if RIGHT {
                    f32x4_pmax(f32x4_splat(low), f32x4_pmin(f32x4_splat(high), x))
                } else {
                    wrong = v128_or(wrong, f32x4_sub(x, x));
                    f32x4_pmin(f32x4_splat(high), f32x4_pmax(f32x4_splat(low), x))
                };
                let x = f32x4_mul(f32x4_sub(x, f32x4_splat(low)), f32x4_splat(scale));
                let cell = f32x4_add(x, whole);
                v128_store(into, u32x4_add(u32x4_shl(cell, 3), base));
                (from, into) = (from.add(1), into.add(1));
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
        let whole = unseen(f64x2_splat(f64::WHOLE));
        let mut wrong = u32x4_splat(0);
        // As in `cells_f32`.
        let (mut from, mut into) = (x.as_ptr().cast::<v128>(), into.as_mut_ptr().cast::<v128>());
        // SAFETY: four values are read at a time, and four written, up to the last.
        unsafe {
            let end = from.add(ROWS / 2);
            while from != end {
                let cell = |x: v128| {
                    let x = if RIGHT {
                        f64x2_pmax(f64x2_splat(low), f64x2_pmin(f64x2_splat(high), x))
                    } else {
                        f64x2_pmin(f64x2_splat(high), f64x2_pmax(f64x2_splat(low), x))
                    };
                    let x = f64x2_mul(f64x2_sub(x, f64x2_splat(low)), f64x2_splat(scale));
                    f64x2_add(x, whole)
                };
                let (first, second) = (v128_load(from), v128_load(from.add(1)));
                if !RIGHT {
                    wrong = v128_or(wrong, v128_or(f64x2_sub(first, first), f64x2_sub(second, second)));
                }
                // The low words of 2^52 and a cell are the cell.
                let low_words = u32x4_shuffle::<0, 2, 4, 6>(cell(first), cell(second));
                v128_store(into, u32x4_add(u32x4_shl(low_words, 4), u32x4_splat(base)));
                (from, into) = (from.add(2), into.add(1));
            }
        }
        !v128_any_true(wrong)
    }
}

/// The ranks of `count` rows, each at its number, column by column, and where `twins` is not 0 once more so many columns
/// further.
///
/// # Safety
/// There are as many rows, to the next multiple of eight, at most `TILE`, each a number of one of those at `from`, of `width`
/// columns, a multiple of eight; `tile` has as many, and those.
#[inline(always)]
pub unsafe fn fetch(
    from: *const u16,
    rows: *const u16,
    count: usize,
    width: usize,
    twins: usize,
    tile: *mut [u16; TILE],
) {
    // SAFETY: by the caller.
    unsafe {
        let (mut rows, mut into) = (rows, tile.cast::<u16>());
        let end = rows.add(count);
        while rows < end {
            let row = |number: usize| from.add(*rows.add(number) as usize * width);
            let (a, b, c, d, e, f, g, h) = (row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7));
            let mut column = 0;
            while column != width {
                let at = |row: *const u16| row.add(column);
                turn(
                    [at(a), at(b), at(c), at(d), at(e), at(f), at(g), at(h)],
                    into.add(column * TILE),
                    TILE,
                    twins * TILE,
                );
                column += 8;
            }
            (rows, into) = (rows.add(8), into.add(8));
        }
    }
}

pub use rows::read;
pub use vectors::{
    add_f32, add_f64, add_placed, ask, at, base, below, cell_f32, cell_f64, cells_f32, cells_f64, find_f32, find_f64,
    four_f32, four_f64, higher_f32, higher_f64, infinite_f32, infinite_f64, logarithms_f32, logarithms_f64,
    ranks_f32, ranks_f64, read_f32, read_f64, turn, wide_f32, wide_f64, widen,
};

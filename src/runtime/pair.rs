//! Two f64 at a time: a vector in the wasm runtime, two numbers elsewhere. Lane by lane both are the same operations,
//! so the bits are the same.

use core::ops::{Add, Div, Mul, Sub};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    use core::arch::wasm32::*;

    pub type Inner = v128;

    macro_rules! operations {
        ($($name:ident = $operation:ident;)*) => {
            $(#[inline(always)]
            pub fn $name(a: v128, b: v128) -> v128 {
                $operation(a, b)
            })*
        };
    }

    operations! {
        add = f64x2_add;
        sub = f64x2_sub;
        mul = f64x2_mul;
        div = f64x2_div;
    }

    #[inline(always)]
    pub fn least(x: v128, bound: v128) -> v128 {
        f64x2_pmax(x, bound)
    }

    #[inline(always)]
    pub fn most(x: v128, bound: v128) -> v128 {
        f64x2_pmin(x, bound)
    }

    #[inline(always)]
    pub fn above(x: v128, bound: v128) -> v128 {
        v128_and(f64x2_gt(x, bound), f64x2_splat(1.0))
    }

    #[inline(always)]
    pub fn above_or(x: v128, bound: v128, above: v128, other: v128) -> v128 {
        v128_bitselect(above, other, f64x2_gt(x, bound))
    }

    #[inline(always)]
    pub fn narrow(x: v128) -> v128 {
        f64x2_promote_low_f32x4(f32x4_demote_f64x2_zero(x))
    }

    #[inline(always)]
    pub fn splat(x: f64) -> v128 {
        f64x2_splat(x)
    }

    #[inline(always)]
    pub fn first(x: v128) -> f64 {
        f64x2_extract_lane::<0>(x)
    }

    #[inline(always)]
    pub fn load(numbers: &[f64; 2]) -> v128 {
        // SAFETY: two numbers are read.
        unsafe { v128_load(numbers.as_ptr().cast()) }
    }

    #[inline(always)]
    pub fn store(x: v128, numbers: &mut [f64; 2]) {
        // SAFETY: two numbers are written.
        unsafe { v128_store(numbers.as_mut_ptr().cast(), x) }
    }

    #[inline(always)]
    pub fn beyond(x: v128, bound: v128) -> bool {
        v128_any_true(f64x2_gt(f64x2_abs(x), bound))
    }

    #[inline(always)]
    pub fn power(shifted: v128) -> v128 {
        i64x2_shl(i64x2_add(shifted, i64x2_splat(1023)), 52)
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod vector {
    pub type Inner = [f64; 2];

    macro_rules! operations {
        ($($name:ident = $operation:tt;)*) => {
            $(#[inline(always)]
            pub fn $name([a, b]: Inner, [c, d]: Inner) -> Inner {
                [a $operation c, b $operation d]
            })*
        };
    }

    operations! {
        add = +;
        sub = -;
        mul = *;
        div = /;
    }

    #[inline(always)]
    pub fn least(x: Inner, bound: Inner) -> Inner {
        let pick = |x: f64, bound: f64| if x < bound { bound } else { x };
        [pick(x[0], bound[0]), pick(x[1], bound[1])]
    }

    #[inline(always)]
    pub fn most(x: Inner, bound: Inner) -> Inner {
        let pick = |x: f64, bound: f64| if bound < x { bound } else { x };
        [pick(x[0], bound[0]), pick(x[1], bound[1])]
    }

    #[inline(always)]
    pub fn above(x: Inner, bound: Inner) -> Inner {
        [f64::from(u8::from(x[0] > bound[0])), f64::from(u8::from(x[1] > bound[1]))]
    }

    #[inline(always)]
    pub fn above_or(x: Inner, bound: Inner, above: Inner, other: Inner) -> Inner {
        let pick = |k: usize| if x[k] > bound[k] { above[k] } else { other[k] };
        [pick(0), pick(1)]
    }

    #[inline(always)]
    pub fn narrow(x: Inner) -> Inner {
        x.map(|x| f64::from(x as f32))
    }

    #[inline(always)]
    pub fn splat(x: f64) -> Inner {
        [x; 2]
    }

    #[inline(always)]
    pub fn first(x: Inner) -> f64 {
        x[0]
    }

    #[inline(always)]
    pub fn load(numbers: &[f64; 2]) -> Inner {
        *numbers
    }

    #[inline(always)]
    pub fn store(x: Inner, numbers: &mut [f64; 2]) {
        *numbers = x;
    }

    #[inline(always)]
    pub fn beyond(x: Inner, bound: Inner) -> bool {
        libm::fabs(x[0]) > bound[0] || libm::fabs(x[1]) > bound[1]
    }

    #[inline(always)]
    pub fn power(shifted: Inner) -> Inner {
        shifted.map(|shifted| f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52))
    }
}

#[derive(Clone, Copy)]
pub struct Pair(vector::Inner);

impl Pair {
    #[inline(always)]
    pub fn splat(x: f64) -> Pair {
        Pair(vector::splat(x))
    }

    #[inline(always)]
    pub fn first(self) -> f64 {
        vector::first(self.0)
    }

    #[inline(always)]
    pub fn load(numbers: &[f64; 2]) -> Pair {
        Pair(vector::load(numbers))
    }

    #[inline(always)]
    pub fn store(self, numbers: &mut [f64; 2]) {
        vector::store(self.0, numbers);
    }

    /// The numbers of this row and the next; of the last row alone, twice.
    #[inline(always)]
    pub fn at(numbers: &[f64], row: usize) -> Pair {
        let numbers = numbers.get(row..).unwrap_or_default();
        match numbers.first_chunk() {
            Some(two) => Pair::load(two),
            None => Pair::splat(numbers.first().copied().unwrap_or(0.0)),
        }
    }

    /// Writes the numbers of this row and the next, or of the last row alone.
    #[inline(always)]
    pub fn put(self, numbers: &mut [f64], row: usize) {
        let numbers = numbers.get_mut(row..).unwrap_or_default();
        match numbers.first_chunk_mut() {
            Some(two) => self.store(two),
            None => numbers.iter_mut().for_each(|x| *x = self.first()),
        }
    }

    /// The four numbers as two pairs. Written out, as all of this file: the runtime is built for size, and then
    /// loops over two stay loops, through memory.
    #[inline(always)]
    pub fn two(numbers: &[f64; 4]) -> (Pair, Pair) {
        // SAFETY: both halves of the four numbers are two numbers.
        let halves = unsafe { &*core::ptr::from_ref(numbers).cast::<[[f64; 2]; 2]>() };
        (Pair::load(&halves[0]), Pair::load(&halves[1]))
    }

    #[inline(always)]
    pub fn store_two(low: Pair, high: Pair, numbers: &mut [f64; 4]) {
        // SAFETY: both halves of the four numbers are two numbers.
        let halves = unsafe { &mut *core::ptr::from_mut(numbers).cast::<[[f64; 2]; 2]>() };
        low.store(&mut halves[0]);
        high.store(&mut halves[1]);
    }

    /// `bound` where the number is below it; NaN stays.
    #[inline(always)]
    pub fn least(self, bound: Pair) -> Pair {
        Pair(vector::least(self.0, bound.0))
    }

    /// `bound` where the number is above it; NaN stays.
    #[inline(always)]
    pub fn most(self, bound: Pair) -> Pair {
        Pair(vector::most(self.0, bound.0))
    }

    /// Whether a number is farther from 0 than `bound`.
    #[inline(always)]
    pub fn beyond(self, bound: Pair) -> bool {
        vector::beyond(self.0, bound.0)
    }

    /// 1 where the number is above the bound, else 0.
    #[inline(always)]
    pub fn above(self, bound: Pair) -> Pair {
        Pair(vector::above(self.0, bound.0))
    }

    /// `above` where the number is above the bound, else `other`.
    #[inline(always)]
    pub fn above_or(self, bound: Pair, above: Pair, other: Pair) -> Pair {
        Pair(vector::above_or(self.0, bound.0, above.0, other.0))
    }

    /// Rounded to f32. The f64 sum, product or quotient of two f32, so rounded, is that of f32.
    #[inline(always)]
    pub fn narrow(self) -> Pair {
        Pair(vector::narrow(self.0))
    }

    /// 2^k, where the low bits of the number are k.
    #[inline(always)]
    pub fn power(self) -> Pair {
        Pair(vector::power(self.0))
    }
}

macro_rules! operators {
    ($($trait:ident $name:ident;)*) => {
        $(impl $trait for Pair {
            type Output = Pair;

            #[inline(always)]
            fn $name(self, other: Pair) -> Pair {
                Pair(vector::$name(self.0, other.0))
            }
        })*
    };
}

operators! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}

/// Replaces each number by a function of it and of the other at its place, two by two; the last of an odd count is
/// done as a pair of itself.
#[inline(always)]
pub fn each_pair(numbers: &mut [f64], others: &[f64], function: impl Fn(Pair, Pair) -> Pair) {
    let ((pairs, rest), (other_pairs, other_rest)) = (numbers.as_chunks_mut::<2>(), others.as_chunks::<2>());
    for (pair, other) in pairs.iter_mut().zip(other_pairs) {
        function(Pair::load(pair), Pair::load(other)).store(pair);
    }
    if let ([last], [other]) = (rest, other_rest) {
        let mut pair = [*last; 2];
        function(Pair::load(&pair), Pair::splat(*other)).store(&mut pair);
        *last = pair[0];
    }
}

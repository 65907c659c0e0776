//! 128 bits at a time, one a row of a block: a v128 in the wasm runtime, two words elsewhere. Both are the same
//! logic, so that results do not depend on which it is.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    use core::arch::wasm32::{u64x2_shl, u64x2_shr, u64x2_splat, v128, v128_and, v128_or, v128_xor};

    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub struct Bits(v128);

    impl Bits {
        #[inline(always)]
        pub fn words(word: u64) -> Bits {
            Bits(u64x2_splat(word))
        }
        #[inline(always)]
        pub fn and(self, other: Bits) -> Bits {
            Bits(v128_and(self.0, other.0))
        }
        #[inline(always)]
        pub fn or(self, other: Bits) -> Bits {
            Bits(v128_or(self.0, other.0))
        }
        #[inline(always)]
        pub fn xor(self, other: Bits) -> Bits {
            Bits(v128_xor(self.0, other.0))
        }
        /// Shifts each half.
        #[inline(always)]
        pub fn up(self, by: u32) -> Bits {
            Bits(u64x2_shl(self.0, by))
        }
        #[inline(always)]
        pub fn down(self, by: u32) -> Bits {
            Bits(u64x2_shr(self.0, by))
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod vector {
    #[derive(Clone, Copy)]
    #[repr(C, align(16))]
    pub struct Bits([u64; 2]);

    impl Bits {
        #[inline(always)]
        pub fn words(word: u64) -> Bits {
            Bits([word; 2])
        }
        #[inline(always)]
        pub fn and(self, other: Bits) -> Bits {
            Bits([self.0[0] & other.0[0], self.0[1] & other.0[1]])
        }
        #[inline(always)]
        pub fn or(self, other: Bits) -> Bits {
            Bits([self.0[0] | other.0[0], self.0[1] | other.0[1]])
        }
        #[inline(always)]
        pub fn xor(self, other: Bits) -> Bits {
            Bits([self.0[0] ^ other.0[0], self.0[1] ^ other.0[1]])
        }
        /// Shifts each half.
        #[inline(always)]
        pub fn up(self, by: u32) -> Bits {
            Bits([self.0[0] << by, self.0[1] << by])
        }
        #[inline(always)]
        pub fn down(self, by: u32) -> Bits {
            Bits([self.0[0] >> by, self.0[1] >> by])
        }
    }
}

pub use vector::Bits;

use super::pieces_mut;
use crate::image::BLOCK;
use core::hint::black_box;
use core::mem::MaybeUninit;

/// Rows of one vector.
pub const ROWS: usize = 128;

/// Exchanges bits of two vectors: of b those in the mask, of a those `by` above.
#[inline(always)]
fn swap(v: &mut [Bits; 8], a: usize, b: usize, by: u32, mask: Bits) {
    let moved = v[a].down(by).xor(v[b]).and(mask);
    v[b] = v[b].xor(moved);
    v[a] = v[a].xor(moved.up(by));
}

/// The low one of two bits, of two pairs and of two nibbles.
const LOW: [u64; 3] = [0x5555_5555_5555_5555, 0x3333_3333_3333_3333, 0x0f0f_0f0f_0f0f_0f0f];

/// Transposes the 8 × 8 bits that stand at the same byte of 8 vectors, for each of the 16 bytes. Applied to the
/// 128 bytes of 128 rows it gives their bit planes, plane k in vector k, and applied to planes the bytes. The vectors are
/// read `apart` places from each other and written `wide` places, all read before one is written.
///
/// # Safety
/// There are 8 at `from`, and room for as many at `into`.
pub unsafe fn transpose(from: *const Bits, apart: usize, into: *mut Bits, wide: usize) {
    // SAFETY: by the caller.
    let at = |place: usize| unsafe { *from.add(place * apart) };
    let mut v = [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)];
    turn(&mut v);
    for (place, &bits) in v.iter().enumerate() {
        // SAFETY: by the caller.
        unsafe { *into.add(place * wide) = bits };
    }
}

/// Planes of `spread`, and where they are the highest bits.
pub const PLANES: usize = 6;
pub const HIGH_PLANES: usize = 5;

/// `transpose` of `PLANES`, or of 8 - FIRST, from that bit on, for each lane of `into`. What zeros need not is left out by
/// the compiler.
///
/// # Safety
/// `planes` has them, each of all lanes, and `into` has at most as many lanes.
pub unsafe fn spread<const FIRST: usize>(planes: *const Bits, into: &mut [[Bits; 8]]) {
    for (lane, into) in into.iter_mut().enumerate() {
        let plane = |bit: usize| {
            let there = bit >= FIRST && bit - FIRST < PLANES;
            // SAFETY: by the caller.
            if there { unsafe { *planes.add((bit - FIRST) * LANES + lane) } } else { Bits::words(0) }
        };
        let mut v = [plane(0), plane(1), plane(2), plane(3), plane(4), plane(5), plane(6), plane(7)];
        turn(&mut v);
        *into = v;
    }
}

#[inline(always)]
fn turn(v: &mut [Bits; 8]) {
    let mask = Bits::words(LOW[0]);
    swap(v, 0, 1, 1, mask);
    swap(v, 2, 3, 1, mask);
    swap(v, 4, 5, 1, mask);
    swap(v, 6, 7, 1, mask);
    let mask = Bits::words(LOW[1]);
    swap(v, 0, 2, 2, mask);
    swap(v, 1, 3, 2, mask);
    swap(v, 4, 6, 2, mask);
    swap(v, 5, 7, 2, mask);
    let mask = Bits::words(LOW[2]);
    swap(v, 0, 4, 4, mask);
    swap(v, 1, 5, 4, mask);
    swap(v, 2, 6, 4, mask);
    swap(v, 3, 7, 4, mask);
}

/// Runs a block for each lane of the first N, written out: an offset that is known is free.
macro_rules! each_lane {
    ($count:ident, $lane:ident => $body:block) => {
        each_lane!($count, $lane, $body, 0 1 2 3)
    };
    ($count:ident, $lane:ident, $body:block, $($number:literal)*) => {
        $(if $number < $count {
            const $lane: usize = $number;
            $body
        })*
    };
}
pub(super) use each_lane;

/// Lanes of a block.
pub const LANES: usize = BLOCK / ROWS;

/// A vector a lane.
pub type Wide = [Bits; LANES];

#[inline(always)]
fn wide(of: impl Fn(usize) -> Bits) -> Wide {
    [of(0), of(1), of(2), of(3)]
}

/// `masks[r]` becomes the rows whose number is greater than r, for numbers of `planes.len()` bits, lowest first, at most
/// 16. A number greater than r has greater high bits, or the same ones and greater low bits: with four low bits two
/// operations a mask. All lanes at once, for a mask's are in one line of the cache: lane by lane, each line came and went
/// four times, and that took most of the time.
pub fn greater(planes: &[Wide], masks: &mut [Wide]) {
    let (low, rest) = planes.split_at_checked(4).unwrap_or((planes, &[]));
    let (high, top) = rest.split_at_checked(4).unwrap_or((rest, &[]));
    // Opaque, so that storing it is no fill: engines call out of the module for that.
    let none = Bits::words(black_box(0));
    let all = none.xor(Bits::words(!0));
    let any = ([all, all, all, all], [none, none, none, none]);
    let (mut low_order, mut high_order) = (Order::uninit(), Order::uninit());
    // SAFETY: the lists have 16 places each; of 2^n of them, for n planes, a mask's number has the place.
    unsafe {
        let (_, low_greater) = compare(low, any, &mut low_order);
        for (number, masks) in pieces_mut(masks, 1 << (low.len() + high.len())).enumerate() {
            let (mut same, mut greater) = any;
            for (place, plane) in top.iter().enumerate().rev() {
                let one = wide(|lane| same[lane].and(plane[lane]));
                if number >> place & 1 == 1 {
                    same = one;
                } else {
                    greater = wide(|lane| greater[lane].or(one[lane]));
                    same = wide(|lane| same[lane].xor(one[lane]));
                }
            }
            let (high_same, high_greater) = compare(high, (same, greater), &mut high_order);
            for (high, masks) in pieces_mut(masks, 1 << low.len()).enumerate() {
                let (same, greater) = (&*high_same.add(high), &*high_greater.add(high));
                for (low, mask) in masks.iter_mut().enumerate() {
                    let low = &*low_greater.add(low);
                    *mask = wide(|lane| greater[lane].or(same[lane].and(low[lane])));
                }
            }
        }
    }
}

/// For each number of up to four bits, which rows have it and which a greater one. Not filled beforehand: engines call
/// out of the module for that.
type Order = MaybeUninit<[[Wide; 16]; 2]>;

/// Fills as many places as numbers of these planes, at most four, can be, of the rows that are the same so far, and those
/// that are greater.
#[inline(never)]
fn compare(planes: &[Wide], far: (Wide, Wide), order: &mut Order) -> (*const Wide, *const Wide) {
    let same = order.as_mut_ptr().cast::<Wide>();
    // SAFETY: a level fills twice the places of the one before, from the last to the first: at most 16, and each from
    // one that is filled.
    unsafe {
        let greater = same.add(16);
        (*same, *greater) = far;
        let mut count = 1;
        for plane in planes.iter().take(4).rev() {
            for prefix in (0..count).rev() {
                let (this, above) = (*same.add(prefix), *greater.add(prefix));
                let one = wide(|lane| this[lane].and(plane[lane]));
                (*same.add(2 * prefix + 1), *greater.add(2 * prefix + 1)) = (one, above);
                *same.add(2 * prefix) = wide(|lane| this[lane].xor(one[lane]));
                *greater.add(2 * prefix) = wide(|lane| above[lane].or(one[lane]));
            }
            count *= 2;
        }
        (same, greater)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transposed(vectors: &mut [Bits; 8]) {
        let vectors = vectors.as_mut_ptr();
        // SAFETY: there are 8.
        unsafe { transpose(vectors, 1, vectors, 1) }
    }

    fn planes_of(numbers: &[u32; ROWS], bits: usize) -> Vec<Bits> {
        let mut planes = Vec::new();
        for from in (0..bits).step_by(8) {
            let bytes: Vec<u8> = numbers.iter().map(|number| (number >> from) as u8).collect();
            // SAFETY: 128 bytes are 8 vectors, and every bit pattern is one.
            let mut vectors: [Bits; 8] = unsafe { core::ptr::read_unaligned(bytes.as_ptr().cast()) };
            transposed(&mut vectors);
            planes.extend(vectors);
        }
        planes.truncate(bits);
        planes
    }

    fn bytes_of(mut planes: [Bits; 8]) -> [u8; ROWS] {
        transposed(&mut planes);
        // SAFETY: as above.
        unsafe { core::mem::transmute(planes) }
    }

    #[test]
    fn planes_and_back() {
        let numbers: [u32; ROWS] = core::array::from_fn(|row| (row * 37 % 256) as u32);
        let planes = planes_of(&numbers, 8);
        assert_eq!(bytes_of(planes.try_into().ok().unwrap()).map(u32::from), numbers);
    }

    #[test]
    fn masks_say_which_rows_are_greater() {
        for bits in 1..=13 {
            let most = (1u32 << bits) - 1;
            let numbers: [u32; ROWS] = core::array::from_fn(|row| (row as u32).wrapping_mul(2654435761) >> 7 & most);
            let planes = planes_of(&numbers, bits);
            for count in [1, most as usize / 2 + 1, most as usize] {
                let mut masks = vec![[Bits::words(0); LANES]; count];
                let second = |&plane: &Bits| wide(|lane| if lane == 1 { plane } else { Bits::words(0) });
                greater(&planes.iter().map(second).collect::<Vec<_>>(), &mut masks);
                for (r, &[_, mask, ..]) in masks.iter().enumerate() {
                    let rows = bytes_of(core::array::from_fn(|plane| if plane == 0 { mask } else { Bits::words(0) }));
                    assert!(rows.iter().zip(&numbers).all(|(&bit, &number)| (bit == 1) == (number > r as u32)));
                }
            }
        }
    }
}

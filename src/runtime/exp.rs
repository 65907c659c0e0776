//! e^x, for every kernel that needs it.

use super::pair::Pair;
use super::unseen;

/// 1.5 × 2^52: adding it leaves the nearest integer in the low bits.
const SHIFT: f64 = 6_755_399_441_055_744.0;

/// What `exp_pair` computes with, in order.
static EXP: [f64; 15] = [
    // Beyond it 2^k may be no normal number, and beyond these e^x is 0 or infinite.
    708.0,
    -746.0,
    710.0,
    core::f64::consts::LOG2_E,
    SHIFT,
    // ln 2 in two parts.
    6.931_471_803_691_238e-1,
    1.908_214_929_270_587_7e-10,
    // The rational function's.
    4.138_136_797_057_238_5e-8,
    -1.653_390_220_546_525_2e-6,
    6.613_756_321_437_934e-5,
    -2.777_777_777_701_559_3e-3,
    1.666_666_666_666_660_2e-1,
    2.0,
    1.0,
    0.5,
];

/// What gives the numbers of a list, two of one.
#[inline(always)]
fn each<const N: usize>(numbers: &'static [f64; N]) -> impl Fn(usize) -> Pair {
    let numbers = unseen(numbers);
    move |place| Pair::splat(numbers[place])
}

/// e^x within one unit in the last place. fdlibm's steps (x = k ln 2 + r, then its rational function of r), but
/// without a table of powers, so that two go at once. Where 2^k is no normal number it is two factors, which reach from the
/// smallest denormal to infinity; elsewhere one factor gives the same bits.
#[inline]
pub fn exp_pair(x: Pair) -> Pair {
    let number = each(&EXP);
    let shift = number(4);
    let far = x.beyond(number(0));
    let x = if far { x.least(number(1)).most(number(2)) } else { x };
    let shifted = x * number(3) + shift;
    let k = shifted - shift;
    let (high, low) = (x - k * number(5), k * number(6));
    let r = high - low;
    let t = r * r;
    let c = number(8) + t * number(7);
    let c = number(9) + t * c;
    let c = number(10) + t * c;
    let c = number(11) + t * c;
    let c = r - t * c;
    let y = number(13) - ((low - (r * c) / (number(12) - c)) - high);
    if !far {
        return y * shifted.power();
    }
    let half = k * number(14) + shift;
    let other = (k - (half - shift)) + shift;
    y * half.power() * other.power()
}

pub fn exp(x: f64) -> f64 {
    let mut pair = [0.0; 2];
    exp_pair(Pair::splat(x)).store(&mut pair);
    pair[0]
}

/// log2 e, 1.5 × 2^52, a bound for x, and the polynomial of 2^f: 1 and what f's powers are multiplied by, for f of at most a
/// half. The least relative error that the degree and the 1 allow, 1.1e-12, by Remez' exchange (`scripts/exp32.py`).
static EXP32: [f64; 12] = [
    core::f64::consts::LOG2_E,
    SHIFT,
    150.0,
    1.0,
    0.693_147_180_541_232_7,
    0.240_226_506_947_425_9,
    0.055_504_109_592_289_49,
    0.009_618_129_558_839_878,
    0.001_333_343_415_742_865,
    0.000_154_030_982_856_389_58,
    1.531_420_925_694_469_8e-5,
    1.334_418_370_569_910_3e-6,
];

/// e^x of two f32, to be rounded to f32: that is e^x rounded but for one number in some 100 000, as glibc's expf is but for
/// one in some 200. Short ways from one operation to the next, for a single row waits for each: a third of `exp_pair`'s.
#[inline]
pub fn exp32_pair(x: Pair) -> Pair {
    let number = each(&EXP32);
    let (log2_e, shift, bound, one) = (number(0), number(1), number(2), number(3));
    // Beyond the bound f32 has 0 and infinity, and 2^k is normal up to it.
    let x = x.most(bound).least(Pair::splat(0.0) - bound);
    let x = x * log2_e;
    let shifted = x + shift;
    let x = x - (shifted - shift);
    let two = x * x;
    let four = two * two;
    let low = (one + number(4) * x) + (number(5) + number(6) * x) * two;
    let high = (number(7) + number(8) * x) + ((number(9) + number(10) * x) + number(11) * two) * two;
    (low + high * four) * shifted.power()
}

/// e^x of an f32, of which `exp32_pair` says how near it is.
pub fn exp_f32(x: f32) -> f32 {
    let mut pair = [0.0; 2];
    exp32_pair(Pair::splat(x.into())).store(&mut pair);
    pair[0] as f32
}

#[cfg(test)]
mod tests {
    use super::{exp, exp_f32};

    fn ulps(a: f64, b: f64) -> u64 {
        (a.to_bits() as i64).abs_diff(b.to_bits() as i64)
    }

    #[test]
    fn exp_is_within_a_unit_in_the_last_place_of_libm() {
        let mut state = 1_u64;
        let mut worst = 0;
        for number in 0..2_000_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let unit = (state >> 11) as f64 / (1_u64 << 53) as f64;
            let span = [1e-9, 0.7, 40.0, 760.0][number % 4];
            let x = (2.0 * unit - 1.0) * span;
            worst = worst.max(ulps(exp(x), libm::exp(x)));
        }
        println!("2,000,000 numbers, at most {worst} ulp apart");
        assert!(worst <= 1, "{worst} ulp");
    }

    #[test]
    fn exp_of_f32_is_rounded() {
        let (mut wrong, mut count) = (0, 0);
        for bits in (0..u32::MAX).step_by(997) {
            let x = f32::from_bits(bits);
            if x.abs() < 200.0 {
                let (own, right) = (exp_f32(x), libm::exp(x.into()) as f32);
                assert!(own.to_bits().abs_diff(right.to_bits()) <= 1, "{x}: {own} {right}");
                (wrong, count) = (wrong + u32::from(own != right), count + 1);
            }
        }
        println!("{count} numbers, {wrong} not rounded");
        assert!(wrong * 50_000 < count, "{wrong} of {count}");
        assert!(exp_f32(f32::NAN).is_nan());
        let ends = [(0.0, 1.0), (-0.0, 1.0), (f32::INFINITY, f32::INFINITY), (f32::NEG_INFINITY, 0.0), (-104.0, 0.0)];
        for (x, y) in ends {
            assert_eq!(exp_f32(x), y, "{x}");
        }
    }

    #[test]
    fn exp_at_its_ends() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert!(exp(f64::NAN).is_nan());
        for x in [
            709.78,
            709.782_712_893_384,
            709.782_712_893_385,
            1e308,
            -708.4,
            -744.44,
            -745.13,
            -745.14,
            -746.0,
            -1e308,
        ] {
            assert!(ulps(exp(x), libm::exp(x)) <= 1, "{x}: {} {}", exp(x), libm::exp(x));
        }
    }
}

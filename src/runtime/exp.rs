//! e^x, for every kernel that needs it.

use super::pair::Pair;

/// e^x within one unit in the last place. fdlibm's steps (x = k ln 2 + r, then its rational function of r), but
/// without a table, so that two go at once. Where 2^k is no normal number it is two factors, which reach from the
/// smallest denormal to infinity; elsewhere one factor gives the same bits.
#[inline]
pub fn exp_pair(x: Pair) -> Pair {
    // 1.5 × 2^52: adding it leaves the nearest integer in the low bits.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let (shift, one, two) = (Pair::splat(SHIFT), Pair::splat(1.0), Pair::splat(2.0));
    let far = x.beyond(Pair::splat(708.0));
    let x = if far { x.least(Pair::splat(-746.0)).most(Pair::splat(710.0)) } else { x };
    let shifted = x * Pair::splat(core::f64::consts::LOG2_E) + shift;
    let k = shifted - shift;
    let (high, low) = (x - k * Pair::splat(LN2_HIGH), k * Pair::splat(LN2_LOW));
    let r = high - low;
    let t = r * r;
    // Not a list of constants: built for size, a `map` over it would be a loop through memory at each call.
    let c = Pair::splat(4.138_136_797_057_238_5e-8);
    let c = Pair::splat(-1.653_390_220_546_525_2e-6) + t * c;
    let c = Pair::splat(6.613_756_321_437_934e-5) + t * c;
    let c = Pair::splat(-2.777_777_777_701_559_3e-3) + t * c;
    let c = Pair::splat(1.666_666_666_666_660_2e-1) + t * c;
    let c = r - t * c;
    let y = one - ((low - (r * c) / (two - c)) - high);
    if !far {
        return y * shifted.power();
    }
    let half = k * Pair::splat(0.5) + shift;
    let other = (k - (half - shift)) + shift;
    y * half.power() * other.power()
}

pub fn exp(x: f64) -> f64 {
    let mut pair = [0.0; 2];
    exp_pair(Pair::splat(x)).store(&mut pair);
    pair[0]
}

/// e^x of an f32: the f64 value rounded, which agrees with glibc's expf where libm's own is often one unit off.
pub fn exp_f32(x: f32) -> f32 {
    exp(x.into()) as f32
}

#[cfg(test)]
mod tests {
    use super::exp;

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

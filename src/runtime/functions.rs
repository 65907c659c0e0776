//! Elementwise functions, each a kernel of its own so that a package carries only the ones its model calls. They
//! are libm's in the browser and natively alike: both give the same bits.

use super::columns::{each, each_two};
use super::exp::{self, exp_pair, exp32_pair};
use super::pair::Pair;
use super::{Call, Shape};

/// 2^x. libm's exp2 has a table of 4 KB, which every package would carry; its pow has none and is as near.
pub fn power_of_two(x: f64) -> f64 {
    libm::pow(2.0, x)
}

macro_rules! functions {
    ($($name:ident = $function:expr;)*) => {
        $(pub fn $name(call: &Call) {
            each(call, $function);
        })*
    };
}

functions! {
    abs = libm::fabs;
    cbrt = libm::cbrt;
    ceil = libm::ceil;
    cos = libm::cos;
    exp2 = power_of_two;
    expm1 = libm::expm1;
    floor = libm::floor;
    log = libm::log;
    log10 = libm::log10;
    log1p = libm::log1p;
    log2 = libm::log2;
    negative = |x| -x;
    reciprocal = |x| 1.0 / x;
    rint = libm::rint;
    sign = |x| if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else if x == 0.0 { 0.0 } else { x };
    signed_square = |x| x * libm::fabs(x);
    sin = libm::sin;
    // ln(1 + e^x), in which nothing overflows.
    softplus = |x| libm::log1p(exp::exp(-libm::fabs(x))) + if x > 0.0 { x } else { 0.0 };
    sqrt = libm::sqrt;
    sublinear = |x| if x == 0.0 { 0.0 } else { libm::log(x) + 1.0 };
    square = |x| x * x;
    tan = libm::tan;
    tanh = libm::tanh;
    trunc = libm::trunc;
    float32 = |x| f64::from(x as f32);
    normal_cdf = |x| 0.5 * libm::erfc(-x * core::f64::consts::FRAC_1_SQRT_2);
    normal_quantile = super::normal::normal_quantile;
    confidence = |x| x / (3.0 * (libm::fabs(x) + 1.0));
}

pub fn exp(call: &Call) {
    each_two(call, exp_pair);
}

pub fn exp32(call: &Call) {
    each_two(call, |x| exp32_pair(x.narrow()).narrow());
}

/// 1 / (1 + e^-x) of f32, with XGBoost's bound against overflow. Its 1e-16 against division by zero is lost in f32.
#[inline(always)]
fn sigmoid(x: Pair) -> Pair {
    let (zero, one, most) = (Pair::splat(0.0), Pair::splat(1.0), Pair::splat(f64::from(88.7_f32)));
    let power = exp32_pair((zero - x.narrow()).most(most)).narrow();
    (one / (power + one).narrow()).narrow()
}

pub fn sigmoid32(call: &Call) {
    each_two(call, sigmoid);
}

/// One input, three outputs.
pub fn check_logistic32(shape: &Shape) -> Option<usize> {
    (shape.inputs == 1 && shape.outputs == 3).then_some(0)
}

/// 1 where p, the input's `sigmoid`, is above 0.5, else 0; 1 - p in f32; p.
pub fn logistic32(call: &Call) {
    let (input, one) = (call.input(0), Pair::splat(1.0));
    let (label, other, second) = (call.output(0), call.output(1), call.output(2));
    let mut row = 0;
    while row < call.rows {
        let p = sigmoid(Pair::at(input, row));
        p.above(Pair::splat(0.5)).put(label, row);
        (one - p).narrow().put(other, row);
        p.put(second, row);
        row += 2;
    }
}

pub fn expit(call: &Call) {
    let (zero, one) = (Pair::splat(0.0), Pair::splat(1.0));
    each_two(call, |x| one / (one + exp_pair(zero - x)));
}

pub fn relu(call: &Call) {
    each_two(call, |x| x.least(Pair::splat(0.0)));
}

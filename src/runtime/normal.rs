//! The inverse of the normal distribution function, as Cephes' `ndtri` computes it (and so scipy).

use libm::{log, sqrt};

/// A polynomial, the highest power's coefficient first. The numbers stand in the code, where they go when the packager
/// drops the kernel; a table would stay in every package.
macro_rules! horner {
    ($x:expr, $first:expr $(, $more:expr)*) => {{
        let mut sum: f64 = $first;
        $(sum = sum * $x + $more;)*
        sum
    }};
}

pub fn normal_quantile(p: f64) -> f64 {
    /// e^-2
    const MIDDLE: f64 = 0.1353352832366127;
    if p <= 0.0 {
        return if p == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    }
    if p >= 1.0 {
        return if p == 1.0 { f64::INFINITY } else { f64::NAN };
    }
    let upper = p > 1.0 - MIDDLE;
    let y = if upper { 1.0 - p } else { p };
    if y > MIDDLE {
        let y = y - 0.5;
        let square = y * y;
        let above = horner!(
            square,
            -59.96335010141079,
            98.00107541859997,
            -56.67628574690703,
            13.931260938727968,
            -1.2391658386738125
        );
        let below = horner!(
            square,
            1.0,
            1.9544885833814176,
            4.676279128988815,
            86.36024213908905,
            -225.46268785411937,
            200.26021238006066,
            -82.03722561683334,
            15.90562251262117,
            -1.1833162112133
        );
        // The square root of 2π.
        return (y + y * (square * above / below)) * 2.5066282746310007;
    }
    let x = sqrt(-2.0 * log(y));
    let first = x - log(x) / x;
    let z = 1.0 / x;
    let second = if x < 8.0 {
        let above = horner!(
            z,
            4.0554489230596245,
            31.525109459989388,
            57.16281922464213,
            44.08050738932008,
            14.684956192885803,
            2.1866330685079025,
            -0.1402560791713545,
            -0.03504246268278482,
            -0.0008574567851546854
        );
        let below = horner!(
            z,
            1.0,
            15.779988325646675,
            45.39076351288792,
            41.3172038254672,
            15.04253856929075,
            2.504649462083094,
            -0.14218292285478779,
            -0.03808064076915783,
            -0.0009332594808954574
        );
        z * above / below
    } else {
        let above = horner!(
            z,
            3.2377489177694603,
            6.915228890689842,
            3.9388102529247444,
            1.3330346081580755,
            0.20148538954917908,
            0.012371663481782003,
            0.00030158155350823543,
            2.6580697468673755e-06,
            6.239745391849833e-09
        );
        let below = horner!(
            z,
            1.0,
            6.02427039364742,
            3.6798356385616087,
            1.3770209948908132,
            0.21623699359449663,
            0.013420400608854318,
            0.00032801446468212774,
            2.8924786474538068e-06,
            6.790194080099813e-09
        );
        z * above / below
    };
    if upper { first - second } else { second - first }
}

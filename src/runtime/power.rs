//! Power transformations and their inverses, column by column.

use super::columns::{check_same, each_with};
use super::exp::exp;
use super::{Call, Shape};

/// One lambda a column.
pub fn check_lambdas(shape: &Shape) -> Option<usize> {
    shape.args().list::<f64>(shape.inputs)?;
    check_same(shape)
}

/// scipy's `boxcox`. The original refuses what is not positive.
pub fn box_cox(call: &Call) {
    let Some(lambdas) = call.args().list::<f64>(call.outputs) else { return };
    for input in call.inputs() {
        if let Some(row) = input.iter().position(|&x| x <= 0.0) {
            call.refuse(row);
        }
    }
    each_with(call, lambdas, |x, lambda| {
        let (log, size) = (libm::log(x), libm::fabs(lambda));
        let scaled = lambda * log;
        if size < 1e-19 {
            log
        } else if scaled < 709.78 {
            libm::expm1(scaled) / lambda
        } else {
            // Near the largest numbers e^scaled alone would pass them.
            let power = exp(scaled - libm::log(size));
            (if lambda < 0.0 { -power } else { power }) - 1.0 / lambda
        }
    });
}

/// scipy's `yeojohnson`, which scikit-learn calls from 1.7 on; before, (x + 1)^lambda - 1 stood in the place of expm1,
/// which rounds more.
pub fn yeo_johnson(call: &Call) {
    let Some(lambdas) = call.args().list::<f64>(call.outputs) else { return };
    each_with(call, lambdas, |x, lambda| {
        let (sign, lambda) = if x < 0.0 { (-1.0, 2.0 - lambda) } else { (1.0, lambda) };
        let log = libm::log1p(sign * x);
        sign * if libm::fabs(lambda) < f64::EPSILON { log } else { libm::expm1(lambda * log) / lambda }
    });
}

/// scipy's `inv_boxcox`.
pub fn inverse_box_cox(call: &Call) {
    let Some(lambdas) = call.args().list::<f64>(call.outputs) else { return };
    each_with(call, lambdas, |x, lambda| if lambda == 0.0 { exp(x) } else { exp(libm::log1p(lambda * x) / lambda) });
}

/// scikit-learn's branches: lambda is 0, or 2, within f64's epsilon.
pub fn inverse_yeo_johnson(call: &Call) {
    let Some(lambdas) = call.args().list::<f64>(call.outputs) else { return };
    each_with(call, lambdas, |x, lambda| {
        if x >= 0.0 {
            if libm::fabs(lambda) < f64::EPSILON {
                libm::expm1(x)
            } else {
                libm::pow(x * lambda + 1.0, 1.0 / lambda) - 1.0
            }
        } else if libm::fabs(lambda - 2.0) > f64::EPSILON {
            1.0 - libm::pow(-(2.0 - lambda) * x + 1.0, 1.0 / (2.0 - lambda))
        } else {
            -libm::expm1(-x)
        }
    });
}

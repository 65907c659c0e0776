//! Power transformations backwards, column by column.

use super::columns::{check_same, each_with};
use super::{Call, Shape};

/// One lambda a column.
pub fn check_lambdas(shape: &Shape) -> Option<usize> {
    shape.args().list::<f64>(shape.inputs)?;
    check_same(shape)
}

/// scipy's `inv_boxcox`.
pub fn inverse_box_cox(call: &Call) {
    let Some(lambdas) = call.args().list::<f64>(call.outputs) else { return };
    each_with(
        call,
        lambdas,
        |x, lambda| {
            if lambda == 0.0 { libm::exp(x) } else { libm::exp(libm::log1p(lambda * x) / lambda) }
        },
    );
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

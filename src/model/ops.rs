//! The operations a step can be. Each is data in the field's own words; `lower` chooses the kernel.
//!
//! An operation that works column by column takes any number of wires and writes as many; its vectors have one
//! entry a wire. The others say their shapes.

use super::{Cell, Donors, Ensemble, Quantiles, Splines, WireKind};
use crate::{Error, Result};

#[derive(Clone, Debug)]
pub enum Op {
    /// Column by column: a missing value becomes the column's `fill`.
    Impute { missing: Marker, fill: Vec<Cell> },
    /// Column by column: 1 where the value is missing, else 0.
    IsMissing { missing: Marker },
    /// Column by column: `(x - mean) / scale`, each part only where given.
    Standardize { mean: Option<Vec<f64>>, scale: Option<Vec<f64>> },
    /// Column by column: `x * scale + offset`.
    Linear { scale: Vec<f64>, offset: Vec<f64> },
    /// Column by column: not below `low`, not above `high`; NaN stays.
    Clip { low: f64, high: f64 },
    /// Column by column.
    Function(Function),
    /// The row divided by its norm; a zero norm counts as 1.
    Normalize(Norm),
    /// One wire in, `width` wires out: 1 at `hot[k]` where the value equals `keys[k]`, else 0. A key without a
    /// column (dropped) gives a row of zeros.
    OneHot { keys: Vec<Cell>, hot: Vec<Option<u32>>, width: u32, unknown: Unknown<Option<u32>> },
    /// One wire in, `width` wires out: the row of `values` whose key equals the value.
    Lookup(Lookup),
    /// `coef` (outputs × inputs) times the inputs, plus `intercept` (one an output).
    Affine { coef: Matrix, intercept: Vec<f64> },
    /// `Affine` in f32: the sum starts at `intercept`, products are added in column order, and a missing value adds
    /// nothing (XGBoost's gblinear). Entries are f32 values.
    Affine32 { coef: Matrix, intercept: Vec<f64> },
    /// `Ensemble::features` wires in, one wire out an output.
    Trees(Ensemble),
    /// Euclidean distance to each row of `centers` (centers × inputs); squared where `squared`.
    Distances { centers: Matrix, squared: bool },
    /// e^x over the sum, after subtracting the row's maximum.
    Softmax,
    /// `Softmax` of f32 values in f32, but for the sum, as XGBoost computes it.
    Softmax32,
    /// Each value over the row's sum; a row that sums to zero becomes 1/n each.
    Share,
    /// p becomes (1 - p, p).
    Complement,
    /// d becomes (-d, d).
    Mirror,
    /// The place of the first maximum.
    Argmax,
    /// The place of the first minimum.
    Argmin,
    /// Column by column: 1 where `x > threshold`, else 0.
    Above { threshold: f64 },
    /// Column by column: this value becomes missing.
    Absent { value: f64 },
    /// Column by column: 1 where `x < threshold`, else 0.
    Below { threshold: f64 },
    /// Column by column: `-2^(-x / mean_path)`, the anomaly score of an isolation forest.
    IsolationScore { mean_path: f64 },
    /// The inputs are `weights.len()` groups of as many wires as come out: member by member, the sum over the groups
    /// of weight × value, in order, then divided by `divide`.
    Combine { weights: Vec<f64>, divide: f64 },
    /// Each value over the row's sum; a row that sums to zero stays as it is.
    ShareOrZero,
    /// One wire in, one out: the line through the points (x, y), `x` ascending. Beyond the ends, as `outside` says.
    Interpolate { x: Vec<f64>, y: Vec<f64>, outside: Outside },
    /// One wire out: the weighted median of the row, the least value with at least half of the weight at or below it.
    WeightedMedian { weights: Vec<f64> },
    /// Column by column: the inverse of a power transformation with the column's lambda.
    InversePower { method: Power, lambdas: Vec<f64> },
    /// No wires in; constant columns.
    Constant(Vec<f64>),
    /// Column by column: how many of the column's `edges`, ascending, are not above x.
    Digitize { edges: Vec<Vec<f64>> },
    /// One wire out a term: the product of these inputs in order, 1 of none.
    Products { terms: Vec<Vec<u32>> },
    /// Column by column: a power transformation with the column's lambda. Box-Cox refuses what is not positive.
    Power { method: Power, lambdas: Vec<f64> },
    /// Column by column: see `Quantiles`.
    Quantiles(Quantiles),
    /// One wire in, one wire out a basis: see `Splines`.
    Splines(Splines),
    /// Column by column: a missing value becomes the mean of it over the nearest rows of training.
    Donors(Donors),
    /// Two groups of wires in, one of the first's size out: the value of the first, or of the second where that is
    /// missing.
    Coalesce,
}

/// Which value counts as missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Marker {
    /// NaN, null, undefined.
    Nan,
    /// This value, and only it.
    Value(Cell),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    L1,
    L2,
    Max,
}

/// A family of power transformations (Box and Cox 1964; Yeo and Johnson 2000).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    BoxCox,
    YeoJohnson,
}

/// What an interpolation gives beyond its first and last point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// The y of the nearer end.
    Clip,
    /// NaN.
    Nan,
    /// The original raises, and so does the package.
    Error,
}

/// What an encoder does with a value it has not learnt.
#[derive(Clone, Debug, PartialEq)]
pub enum Unknown<T> {
    /// The original raises, and so does the package.
    Error,
    /// Treated like this.
    As(T),
}

/// Rows of numbers by category.
#[derive(Clone, Debug)]
pub struct Lookup {
    pub keys: Vec<Cell>,
    /// Columns a key gives.
    pub width: u32,
    /// keys × width, row-major.
    pub values: Vec<f64>,
    /// The row for any other value.
    pub unknown: Unknown<Vec<f64>>,
}

/// A dense matrix, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<f64>,
}

impl Matrix {
    /// # Errors
    /// Where `values` does not hold rows × columns numbers.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Result<Matrix> {
        if rows.checked_mul(columns) != Some(values.len()) {
            return Err(Error::malformed(format!("{} values for a {rows} × {columns} matrix", values.len())));
        }
        Ok(Matrix { rows, columns, values })
    }

    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }
}

/// Elementwise functions, named as numpy names them; `Expit` is 1 / (1 + e^-x). `Float32` rounds to f32; `Exp32` and
/// `Sigmoid32` are of f32 values in f32, the latter as XGBoost bounds it. `Confidence` is x / (3 (|x| + 1)), what
/// one-versus-one voting breaks ties with, `NormalCdf` the normal distribution's and `NormalQuantile` its
/// inverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Abs,
    Cbrt,
    Ceil,
    Cos,
    Exp,
    Exp2,
    Expit,
    Expm1,
    Floor,
    Log,
    Log10,
    Log1p,
    Log2,
    Negative,
    Reciprocal,
    Rint,
    Sign,
    Sin,
    Sqrt,
    Square,
    Tan,
    Tanh,
    Trunc,
    Float32,
    Exp32,
    Sigmoid32,
    Confidence,
    NormalCdf,
    NormalQuantile,
}

/// How an operation treats a missing (NaN) input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMissing {
    /// Has a rule for it: no missing value comes out.
    Handles,
    /// Missing in, missing out: the readers of the output decide.
    Passes,
    /// The original raises.
    Rejects,
}

impl Op {
    /// Checks the inputs' kinds and the shapes, and says what kinds of wire come out.
    pub(super) fn outputs(&self, input: &[WireKind]) -> Result<Vec<WireKind>> {
        let count = input.len();
        let numbers = |made: usize| -> Result<Vec<WireKind>> {
            if let Some(kind) = input.iter().find(|kind| **kind != WireKind::Number) {
                let what = if matches!(kind, WireKind::Text(_)) { "text" } else { "strings" };
                return Err(Error::unsupported(format!(
                    "{} reads a column of {what}; it needs numbers",
                    self.name()
                )));
            }
            Ok(vec![WireKind::Number; made])
        };
        let fits = |what: &str, found: usize, expected: usize| -> Result<()> {
            if found == expected {
                return Ok(());
            }
            Err(Error::malformed(format!("{what} has {found} entries, but {expected} are expected")))
        };
        let one = || fits("the input", count, 1);
        match self {
            Op::Impute { fill, .. } => {
                fits("the fill", fill.len(), count)?;
                Ok(input.to_vec())
            }
            Op::IsMissing { .. } => Ok(vec![WireKind::Number; count]),
            Op::Standardize { mean, scale } => {
                for (what, vector) in [("the mean", mean), ("the scale", scale)] {
                    if let Some(vector) = vector {
                        fits(what, vector.len(), count)?;
                    }
                }
                numbers(count)
            }
            Op::Linear { scale, offset } => {
                fits("the scale", scale.len(), count)?;
                fits("the offset", offset.len(), count)?;
                numbers(count)
            }
            Op::Clip { low, high } => {
                if low.is_nan() || high.is_nan() || low > high {
                    return Err(Error::malformed(format!("clips to {low}..{high}")));
                }
                numbers(count)
            }
            Op::Function(_)
            | Op::Absent { .. }
            | Op::Normalize(_)
            | Op::Above { .. }
            | Op::Below { .. }
            | Op::IsolationScore { .. } => numbers(count),
            Op::Softmax | Op::Softmax32 | Op::Share | Op::ShareOrZero => {
                if count == 0 {
                    return Err(Error::malformed(format!("{} of no columns", self.name())));
                }
                numbers(count)
            }
            Op::OneHot { keys, hot, width, unknown } => {
                one()?;
                fits("the encoding", hot.len(), keys.len())?;
                let unknown = match unknown {
                    Unknown::As(place) => *place,
                    Unknown::Error => None,
                };
                if hot.iter().flatten().chain(unknown.iter()).any(|place| place >= width) {
                    return Err(Error::malformed("a category outside the encoded columns"));
                }
                Ok(vec![WireKind::Number; *width as usize])
            }
            Op::Lookup(lookup) => {
                one()?;
                fits("the table", lookup.values.len(), lookup.keys.len().saturating_mul(lookup.width as usize))?;
                if let Unknown::As(row) = &lookup.unknown {
                    fits("the row for unknown values", row.len(), lookup.width as usize)?;
                }
                Ok(vec![WireKind::Number; lookup.width as usize])
            }
            Op::Affine { coef, intercept } | Op::Affine32 { coef, intercept } => {
                fits("a row of coef", coef.columns, count)?;
                fits("intercept", intercept.len(), coef.rows)?;
                numbers(coef.rows)
            }
            Op::Trees(ensemble) => {
                fits("the input", count, ensemble.features as usize)?;
                ensemble.check()?;
                numbers(ensemble.outputs())
            }
            Op::Distances { centers, .. } => {
                fits("a center", centers.columns, count)?;
                numbers(centers.rows)
            }
            Op::Complement | Op::Mirror => {
                one()?;
                numbers(2)
            }
            Op::Argmax | Op::Argmin => {
                if count == 0 {
                    return Err(Error::malformed(format!("{} of no columns", self.name())));
                }
                numbers(1)
            }
            Op::Combine { weights, divide } => {
                if weights.is_empty() || !count.is_multiple_of(weights.len()) || *divide == 0.0 || divide.is_nan() {
                    return Err(Error::malformed(format!(
                        "{count} values in {} groups, divided by {divide}",
                        weights.len()
                    )));
                }
                numbers(count / weights.len())
            }
            Op::Interpolate { x, y, .. } => {
                one()?;
                fits("y", y.len(), x.len())?;
                if x.is_empty() || !x.is_sorted() || x.iter().any(|x| x.is_nan()) {
                    return Err(Error::malformed("the points of an interpolation are not ascending"));
                }
                numbers(1)
            }
            Op::InversePower { lambdas, .. } => {
                fits("lambdas", lambdas.len(), count)?;
                numbers(count)
            }
            Op::WeightedMedian { weights } => {
                fits("the weights", weights.len(), count)?;
                if count == 0 {
                    return Err(Error::malformed("the median of no values"));
                }
                numbers(1)
            }
            Op::Constant(values) => {
                fits("the input", count, 0)?;
                numbers(values.len())
            }
            Op::Digitize { edges } => {
                fits("the list of edges", edges.len(), count)?;
                if !edges.iter().all(|edges| edges.is_sorted()) {
                    return Err(Error::malformed("the edges of bins are not in ascending order"));
                }
                numbers(count)
            }
            Op::Products { terms } => {
                if terms.iter().flatten().any(|&factor| factor as usize >= count) {
                    return Err(Error::malformed("a product of a column that does not come in"));
                }
                numbers(terms.len())
            }
            Op::Power { lambdas, .. } => {
                fits("the lambdas", lambdas.len(), count)?;
                numbers(count)
            }
            Op::Quantiles(quantiles) => {
                quantiles.check(count)?;
                numbers(count)
            }
            Op::Splines(splines) => {
                one()?;
                splines.check()?;
                numbers(splines.width as usize)
            }
            Op::Donors(donors) => {
                donors.check(count)?;
                numbers(count)
            }
            Op::Coalesce => {
                fits("the input", count, count / 2 * 2)?;
                numbers(count / 2)
            }
        }
    }

    /// Whether infinities are refused too is decided with missing values: where missing is rejected, so are they.
    pub fn on_missing(&self) -> OnMissing {
        match self {
            Op::Impute { missing: Marker::Nan, .. } | Op::IsMissing { missing: Marker::Nan } => OnMissing::Handles,
            Op::Impute { .. } | Op::IsMissing { .. } => OnMissing::Rejects,
            Op::Standardize { .. } | Op::Linear { .. } | Op::Clip { .. } | Op::Function(_) | Op::Absent { .. } => {
                OnMissing::Passes
            }
            Op::Affine32 { .. } => OnMissing::Handles,
            Op::Power { .. } | Op::Quantiles(_) => OnMissing::Passes,
            Op::Donors(_) | Op::Coalesce => OnMissing::Handles,
            Op::Splines(splines) if splines.missing => OnMissing::Handles,
            // A learnt missing category, or a rule for unknown values, answers for it.
            Op::OneHot { keys, unknown, .. } => Self::lookup_missing(keys, unknown),
            Op::Lookup(lookup) => Self::lookup_missing(&lookup.keys, &lookup.unknown),
            Op::Trees(ensemble) if ensemble.missing => OnMissing::Handles,
            _ => OnMissing::Rejects,
        }
    }

    fn lookup_missing<T>(keys: &[Cell], unknown: &Unknown<T>) -> OnMissing {
        if keys.iter().any(Cell::is_missing) || matches!(unknown, Unknown::As(_)) {
            OnMissing::Handles
        } else {
            OnMissing::Rejects
        }
    }

    /// The word for it in `inspect`, comments and errors.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Impute { .. } => "impute",
            Op::IsMissing { .. } => "missing indicator",
            Op::Standardize { .. } => "standardize",
            Op::Linear { .. } => "linear scaling",
            Op::Clip { .. } => "clip",
            Op::Function(_) => "function",
            Op::Normalize(_) => "normalize",
            Op::OneHot { .. } => "one-hot encoding",
            Op::Lookup(_) => "encoding",
            Op::Affine { .. } | Op::Affine32 { .. } => "affine map",
            Op::Trees(_) => "tree ensemble",
            Op::Distances { .. } => "distances",
            Op::Softmax | Op::Softmax32 => "softmax",
            Op::Absent { .. } => "missing value",
            Op::Share => "share of the sum",
            Op::Complement => "complement",
            Op::Mirror => "mirror",
            Op::Argmax => "argmax",
            Op::Argmin => "argmin",
            Op::Above { .. } => "above threshold",
            Op::Below { .. } => "below threshold",
            Op::IsolationScore { .. } => "isolation score",
            Op::Combine { .. } => "weighted sum",
            Op::ShareOrZero => "share of the sum",
            Op::Interpolate { .. } => "interpolation",
            Op::InversePower { .. } => "inverse power",
            Op::WeightedMedian { .. } => "weighted median",
            Op::Constant(_) => "constant",
            Op::Digitize { .. } => "bins",
            Op::Products { .. } => "products",
            Op::Power { .. } => "power",
            Op::Quantiles(_) => "quantiles",
            Op::Splines(_) => "splines",
            Op::Donors(_) => "means of neighbours",
            Op::Coalesce => "fill",
        }
    }
}

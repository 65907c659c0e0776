//! The operations a step can be. Each is data in the field's own words; `lower` chooses the kernel.
//!
//! An operation that works column by column takes any number of wires and writes as many; its vectors have one
//! entry a wire. The others say their shapes.

use super::vectors::{KernelSum, Nearest, Weights, Within, check_vectors, pairs};
use super::{Cell, Ctr, Donors, Ensemble, Oblivious, Quantiles, Splines, Tree, Vectorizer, WireKind};
use crate::{Error, Result};
use std::sync::Arc;

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
    /// What it is given; a row is refused where that is NaN (`missing`) or infinite and its readers take no such number, which
    /// is for `settle_columns` to say.
    Finite { missing: bool, infinite: bool },
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
    /// `Oblivious::missing_above.len()` wires in, one wire out an output.
    Oblivious(Oblivious),
    /// `Ctr::inputs` wires in, one out.
    Ctr(Ctr),
    /// One wire of texts in, one out: CatBoost's number for a category, below 2^32.
    CategoryHash,
    /// Euclidean distance to each row of `centers` (centers × inputs); squared where `squared`.
    Distances { centers: Matrix, squared: bool },
    /// e^x over the sum, after subtracting the row's maximum.
    Softmax,
    /// `Softmax` of f32 values in f32, but for the sum, as XGBoost computes it.
    Softmax32,
    /// log Σ e^x of the row, one wire out.
    LogSumExp,
    /// Each value over the row's sum; a row that sums to zero becomes 1/n each.
    Share,
    /// p becomes (1 - p, p).
    Complement,
    /// `Complement` of f32 values in f32.
    Complement32,
    /// A margin of which p is the `Sigmoid32` becomes (1 where p > 0.5, else 0; 1 - p in f32; p).
    Logistic32,
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
    /// The first half of the columns times the second.
    Multiply,
    /// Sums of kernel values against stored vectors.
    KernelSum(KernelSum),
    /// Votes of pairs of `classes`, one wire a class. A pair (i, j), i < j, votes for i above zero. With
    /// `confidences`, also at zero, and the sum s of a class's decisions adds s / (3 (|s| + 1)).
    PairVotes { classes: u32, confidences: bool },
    /// libsvm's probabilities of `a.len()` pairs of classes: Platt's logistic of -(a d + b), coupled.
    PairProbabilities { classes: u32, a: Vec<f64>, b: Vec<f64> },
    /// Two wires a neighbour: distances, then places among the vectors.
    Nearest(Nearest),
    /// The mean over the stored vectors within a radius.
    Within(Within),
    /// From the wires of `Nearest`: each class's share of the neighbours' weights; `of` is the class of each vector.
    NeighborVote { classes: u32, of: Vec<u32>, weights: Weights },
    /// From the wires of `Nearest`: the weighted mean of `values` (vectors × outputs).
    NeighborMean { values: Matrix, weights: Weights },
    /// From the wires of `Nearest`: one wire a vector, the distance where it is a neighbour (1 where
    /// `connections`), else 0.
    NeighborScatter { vectors: u32, connections: bool },
    /// From the wires of `Nearest`: the negative local outlier factor; each vector's distance to its own farthest
    /// neighbour, and its density.
    OutlierFactor { reach: Vec<f64>, density: Vec<f64> },
    /// The y of L y = x, L the lower triangle of a square matrix.
    Solve { lower: Matrix },
    /// A latent mean and variance to a probability: the logistic under a normal distribution, by five error
    /// functions.
    Laplace,
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
    /// One wire of texts in. The vectorizer's columns out or, with `linear`, that map of them (coef, one column a
    /// column of the vectorizer's, and intercept): the columns themselves are then never made.
    Vectorize { vectorizer: Arc<Vectorizer>, linear: Option<(Matrix, Vec<f64>)> },
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

    pub fn transpose(&self) -> Matrix {
        let values = (0..self.columns).flat_map(|column| (0..self.rows).map(move |row| self.row(row)[column]));
        Matrix { rows: self.columns, columns: self.rows, values: values.collect() }
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
    Relu,
    Rint,
    Sign,
    /// sign(x) x²
    SignedSquare,
    Sin,
    /// ln(1 + e^x)
    Softplus,
    Sqrt,
    Square,
    /// 1 + ln x, and 0 where x is 0: scikit-learn's weight of a count.
    Sublinear,
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
        let texts = || match input {
            [WireKind::Text(_)] => Ok(()),
            _ => Err(Error::unsupported("texts are expected in a column that another step made numbers of")),
        };
        let neighbours = |count: usize| match count {
            0 => Err(Error::malformed("no neighbours")),
            count => fits("the input", count, count / 2 * 2),
        };
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
            | Op::Finite { .. }
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
            Op::Oblivious(forest) => {
                fits("the input", count, forest.missing_above.len())?;
                forest.check()?;
                numbers(forest.outputs)
            }
            Op::CategoryHash => {
                one()?;
                texts()?;
                Ok(vec![WireKind::Number])
            }
            Op::Ctr(statistic) => {
                fits("the input", count, statistic.inputs)?;
                statistic.check()?;
                numbers(1)
            }
            Op::Distances { centers, .. } => {
                fits("a center", centers.columns, count)?;
                numbers(centers.rows)
            }
            Op::Complement | Op::Complement32 | Op::Mirror => {
                one()?;
                numbers(2)
            }
            Op::Logistic32 => {
                one()?;
                numbers(3)
            }
            Op::Argmax | Op::Argmin | Op::LogSumExp => {
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
            Op::Multiply => {
                fits("the input", count, count / 2 * 2)?;
                numbers(count / 2)
            }
            Op::KernelSum(sum) => numbers(sum.check(count)?),
            Op::PairVotes { classes, .. } | Op::PairProbabilities { classes, .. } => {
                if *classes < 2 {
                    return Err(Error::malformed(format!("pairs of {classes} classes")));
                }
                fits("the input", count, pairs(*classes as usize))?;
                if let Op::PairProbabilities { a, b, .. } = self {
                    fits("Platt's a", a.len(), count)?;
                    fits("Platt's b", b.len(), count)?;
                }
                numbers(*classes as usize)
            }
            Op::Nearest(Nearest { vectors, count: neighbours, .. }) => {
                check_vectors(vectors, count)?;
                if *neighbours == 0 || *neighbours as usize > vectors.rows {
                    let message = format!("{neighbours} neighbours are expected among {} vectors", vectors.rows);
                    return Err(Error::malformed(message));
                }
                numbers(*neighbours as usize * 2)
            }
            Op::Within(within) => {
                check_vectors(&within.vectors, count)?;
                fits("the values", within.values.rows, within.vectors.rows)?;
                if let Some(empty) = &within.empty {
                    fits("the value of empty rows", empty.len(), within.values.columns)?;
                }
                numbers(within.values.columns)
            }
            Op::NeighborVote { classes, of, .. } => {
                neighbours(count)?;
                if of.iter().any(|class| class >= classes) {
                    return Err(Error::malformed("a neighbour of a class that does not exist"));
                }
                numbers(*classes as usize)
            }
            Op::NeighborMean { values, .. } => {
                neighbours(count)?;
                numbers(values.columns)
            }
            Op::NeighborScatter { vectors, .. } => {
                neighbours(count)?;
                numbers(*vectors as usize)
            }
            Op::OutlierFactor { reach, density } => {
                neighbours(count)?;
                fits("the density", density.len(), reach.len())?;
                numbers(1)
            }
            Op::Solve { lower } => {
                fits("a row of the triangle", lower.columns, count)?;
                fits("the triangle", lower.rows, count)?;
                numbers(count)
            }
            Op::Laplace => {
                fits("the input", count, 2)?;
                numbers(1)
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
            Op::Vectorize { vectorizer, linear } => {
                one()?;
                texts()?;
                vectorizer.check()?;
                let width = vectorizer.width as usize;
                let Some((coef, intercept)) = linear else { return Ok(vec![WireKind::Number; width]) };
                fits("a row of coef", coef.columns, width)?;
                fits("intercept", intercept.len(), coef.rows)?;
                Ok(vec![WireKind::Number; coef.rows])
            }
        }
    }

    /// About how many numbers the operation holds.
    pub(super) fn numbers(&self) -> usize {
        match self {
            Op::OneHot { keys, .. } => keys.len(),
            Op::Lookup(lookup) => lookup.keys.len() + lookup.values.len(),
            Op::Affine { coef, .. } => coef.values.len(),
            Op::Distances { centers, .. } => centers.values.len(),
            Op::Affine32 { coef, .. } => coef.values.len(),
            Op::Trees(ensemble) => ensemble.trees.iter().map(Tree::numbers).sum(),
            Op::Oblivious(oblivious) => oblivious.trees.iter().map(|tree| tree.values.len()).sum(),
            Op::Ctr(ctr) => 2 * ctr.hashes.len(),
            Op::KernelSum(sum) => sum.vectors.values.len(),
            Op::Nearest(nearest) => nearest.vectors.values.len(),
            Op::Within(within) => within.vectors.values.len() + within.values.values.len(),
            Op::NeighborMean { values, .. } => values.values.len(),
            Op::Solve { lower } => lower.values.len(),
            Op::Quantiles(quantiles) => quantiles.quantiles.values.len(),
            Op::Donors(donors) => donors.rows.values.len(),
            // A few for each input or output, which are counted on their own.
            _ => 0,
        }
    }

    /// Whether infinities are refused too is decided with missing values: where missing is rejected, so are they.
    pub fn on_missing(&self) -> OnMissing {
        match self {
            Op::Impute { missing: Marker::Nan, .. } | Op::IsMissing { missing: Marker::Nan } => OnMissing::Handles,
            Op::Impute { .. } | Op::IsMissing { .. } => OnMissing::Rejects,
            Op::Standardize { .. }
            | Op::Linear { .. }
            | Op::Clip { .. }
            | Op::Function(_)
            | Op::Finite { .. }
            | Op::Absent { .. } => OnMissing::Passes,
            Op::Affine32 { .. } => OnMissing::Handles,
            Op::Power { .. } | Op::Quantiles(_) => OnMissing::Passes,
            Op::Donors(_) | Op::Coalesce => OnMissing::Handles,
            Op::Splines(splines) if splines.missing => OnMissing::Handles,
            // A learnt missing category, or a rule for unknown values, answers for it.
            Op::OneHot { keys, unknown, .. } => Self::lookup_missing(keys, unknown),
            Op::Lookup(lookup) => Self::lookup_missing(&lookup.keys, &lookup.unknown),
            Op::Trees(ensemble) if ensemble.missing => OnMissing::Handles,
            Op::Oblivious(_) | Op::Ctr(_) => OnMissing::Handles,
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
            Op::Finite { .. } => "check of numbers",
            Op::Normalize(_) => "normalize",
            Op::OneHot { .. } => "one-hot encoding",
            Op::Lookup(_) => "encoding",
            Op::Affine { .. } | Op::Affine32 { .. } => "affine map",
            Op::Trees(_) | Op::Oblivious(_) => "tree ensemble",
            Op::Ctr(_) => "target statistic",
            Op::CategoryHash => "category number",
            Op::Distances { .. } => "distances",
            Op::Softmax | Op::Softmax32 => "softmax",
            Op::Absent { .. } => "missing value",
            Op::LogSumExp => "log-sum-exp",
            Op::Share => "share of the sum",
            Op::Complement | Op::Complement32 => "complement",
            Op::Logistic32 => "sigmoid",
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
            Op::Multiply => "product",
            Op::KernelSum(_) => "kernel sum",
            Op::PairVotes { .. } => "votes of pairs",
            Op::PairProbabilities { .. } => "probabilities of pairs",
            Op::Nearest(_) => "nearest neighbours",
            Op::Within(_) => "neighbours within a radius",
            Op::NeighborVote { .. } => "neighbours' vote",
            Op::NeighborMean { .. } => "neighbours' mean",
            Op::NeighborScatter { .. } => "neighbours' columns",
            Op::OutlierFactor { .. } => "local outlier factor",
            Op::Solve { .. } => "triangular solve",
            Op::Laplace => "Laplace approximation",
            Op::Digitize { .. } => "bins",
            Op::Products { .. } => "products",
            Op::Power { .. } => "power",
            Op::Quantiles(_) => "quantiles",
            Op::Splines(_) => "splines",
            Op::Donors(_) => "means of neighbours",
            Op::Coalesce => "fill",
            Op::Vectorize { .. } => "text vectorizer",
        }
    }
}

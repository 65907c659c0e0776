//! Operations against vectors kept from training: sums of kernel values (support vector machines, kernel ridge)
//! and nearest neighbours.

use super::Matrix;
use crate::{Error, Result};

/// k(x, s) of a row and a stored vector. The linear kernel is not here: its sum is an affine map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PairKernel {
    /// exp(-gamma |x - s|²)
    Rbf { gamma: f64 },
    /// (gamma x·s + coef0)^degree
    Polynomial { gamma: f64, coef0: f64, degree: u32 },
    /// tanh(gamma x·s + coef0)
    Sigmoid { gamma: f64, coef0: f64 },
    /// exp(-gamma Σ|x - s|)
    Laplacian { gamma: f64 },
    /// exp(-gamma Σ (x - s)² / (x + s)), 0 / 0 counting as 0
    ChiSquared { gamma: f64 },
    /// -Σ (x - s)² / (x + s), 0 / 0 counting as 0
    AdditiveChiSquared,
}

/// For each output, its intercept plus the sum over the vectors of coefficient times kernel value.
#[derive(Clone, Debug)]
pub struct KernelSum {
    pub kernel: PairKernel,
    /// vectors × inputs
    pub vectors: Matrix,
    pub coef: Coefficients,
    pub intercept: Vec<f64>,
}

#[derive(Clone, Debug)]
pub enum Coefficients {
    /// outputs × vectors
    Dense(Matrix),
    /// libsvm's one against one: the vectors stand by class, `counts` of each. Output p is the pair (i, j), i < j,
    /// in lexical order; a vector of class c has for the other class o the coefficient in row o, or o - 1 where
    /// o > c.
    Pairs { counts: Vec<u32>, coef: Matrix },
}

/// How many pairs `classes` make.
pub fn pairs(classes: usize) -> usize {
    classes.saturating_mul(classes.saturating_sub(1)) / 2
}

impl KernelSum {
    /// The number of outputs.
    pub fn check(&self, inputs: usize) -> Result<usize> {
        let (rows, coef) = match &self.coef {
            Coefficients::Dense(coef) => (coef.rows, coef),
            Coefficients::Pairs { counts, coef } => {
                let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
                if total != self.vectors.rows as u64 || counts.len() != coef.rows + 1 {
                    let message =
                        format!("{total} vectors of {} classes for {} × {}", counts.len(), coef.rows, coef.columns);
                    return Err(Error::malformed(message));
                }
                (pairs(counts.len()), coef)
            }
        };
        for (what, found, expected) in [
            ("a vector", self.vectors.columns, inputs),
            ("a row of the coefficients", coef.columns, self.vectors.rows),
            ("the intercept", self.intercept.len(), rows),
        ] {
            if found != expected {
                return Err(Error::malformed(format!("{what} has {found} entries, but {expected} are expected")));
            }
        }
        if inputs == 0 {
            return Err(Error::malformed("stored vectors without columns"));
        }
        Ok(rows)
    }

    /// The sum of coefficients times vectors, outputs × inputs: the affine map that a checked sum is with the linear
    /// kernel.
    pub fn folded(&self) -> Result<Matrix> {
        let mut folded = vec![0.0; self.intercept.len() * self.vectors.columns];
        let mut add = |output: usize, coef: f64, vector: usize| {
            let row = folded.chunks_exact_mut(self.vectors.columns).nth(output).into_iter().flatten();
            row.zip(self.vectors.row(vector)).for_each(|(into, x)| *into += coef * x);
        };
        match &self.coef {
            Coefficients::Dense(coef) => {
                for output in 0..coef.rows {
                    (0..coef.columns).for_each(|vector| add(output, coef.row(output)[vector], vector));
                }
            }
            Coefficients::Pairs { counts, coef } => {
                let starts: Vec<usize> = counts
                    .iter()
                    .scan(0, |at, &count| {
                        let start = *at;
                        *at += count as usize;
                        Some(start)
                    })
                    .collect();
                let mut output = 0;
                for i in 0..counts.len() {
                    for j in i + 1..counts.len() {
                        for (class, row) in [(i, j - 1), (j, i)] {
                            let range = starts[class]..starts[class] + counts[class] as usize;
                            range.for_each(|vector| add(output, coef.row(row)[vector], vector));
                        }
                        output += 1;
                    }
                }
            }
        }
        Matrix::new(self.intercept.len(), self.vectors.columns, folded)
    }
}

/// The distance between a row and a stored vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    Euclidean,
    Manhattan,
    Chebyshev,
    Minkowski(f64),
    /// Σ |x - s| / (|x| + |s|), 0 / 0 counting as 0
    Canberra,
    /// Σ |x - s| / Σ (|x| + |s|)
    BrayCurtis,
    /// The share of columns that differ.
    Hamming,
    /// 1 - x·s of vectors that are already of length 1, not below 0
    Cosine,
    /// 2 asin(|x - s| / 2): along a great circle, of points on the unit sphere
    GreatCircle,
}

/// How much each neighbour counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    Uniform,
    /// 1 / distance; where some distances are zero, those count 1 and the others 0.
    Distance,
}

/// The `count` nearest vectors: their distances, ascending, then their places. Of equally near ones the first.
#[derive(Clone, Debug)]
pub struct Nearest {
    pub metric: Metric,
    /// vectors × inputs
    pub vectors: Matrix,
    pub count: u32,
}

/// The weighted mean of the values of all vectors not farther than `radius`.
#[derive(Clone, Debug)]
pub struct Within {
    pub metric: Metric,
    /// vectors × inputs
    pub vectors: Matrix,
    pub radius: f64,
    pub weights: Weights,
    /// vectors × outputs
    pub values: Matrix,
    /// What a row without such vectors gets; None where the original refuses it.
    pub empty: Option<Vec<f64>>,
}

/// Checks stored vectors against the columns that come in; kernels need at least one of each.
pub fn check_vectors(vectors: &Matrix, inputs: usize) -> Result<()> {
    if vectors.columns != inputs || inputs == 0 || vectors.rows == 0 || u32::try_from(vectors.rows).is_err() {
        return Err(Error::malformed(format!(
            "{} stored vectors of {} columns for {inputs} columns",
            vectors.rows, vectors.columns
        )));
    }
    Ok(())
}

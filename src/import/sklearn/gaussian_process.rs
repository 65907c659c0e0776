//! Gaussian processes (sklearn.gaussian_process): the kernel's expression becomes steps over one wire a training
//! row, then regression is an affine map, and classification the Laplace approximation.

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, numbers};
use crate::Result;
use crate::import::pickle::Value;
use crate::model::{Function, Matrix, Op, Output, Wire};

/// Kernels inside kernels; honest expressions have a handful.
const MOST_KERNELS: usize = 200;
const MOST_NESTING: usize = 32;

/// What the row is compared with.
#[derive(Clone, Copy)]
enum Against<'a> {
    /// Each row of these.
    Vectors(&'a Matrix),
    /// Itself: the kernel's diagonal.
    Itself,
}

/// A kernel's values: the same for every row, or wires, one a vector.
enum Term {
    Constant(f64),
    Wires(Vec<Wire>),
}

struct Kernels<'a, 'h> {
    builder: &'a mut Builder,
    frame: &'a Frame,
    owner: &'a Estimator<'h>,
    against: Against<'a>,
    left: usize,
}

impl<'h> Kernels<'_, 'h> {
    fn push(&mut self, op: Op, input: Vec<Wire>) -> Result<Vec<Wire>> {
        self.builder.graph.push(op, input, &self.owner.path)
    }

    fn function(&mut self, function: Function, input: Vec<Wire>) -> Result<Vec<Wire>> {
        self.push(Op::Function(function), input)
    }

    fn linear(&mut self, scale: f64, offset: f64, input: Vec<Wire>) -> Result<Vec<Wire>> {
        let count = input.len();
        self.push(Op::Linear { scale: vec![scale; count], offset: vec![offset; count] }, input)
    }

    fn exp_of_minus(&mut self, input: Vec<Wire>) -> Result<Vec<Wire>> {
        let minus = self.function(Function::Negative, input)?;
        self.function(Function::Exp, minus)
    }

    /// Distances to the vectors, all columns divided by `scale` (one number, or one a column).
    fn distances(&mut self, vectors: &Matrix, scale: &[f64], times: f64, squared: bool) -> Result<Vec<Wire>> {
        let columns = self.frame.len();
        let scale: Vec<f64> = match scale {
            [one] => vec![one * times; columns],
            several if several.len() == columns => several.iter().map(|scale| scale * times).collect(),
            _ => return Err(self.owner.malformed(format!("{} length scales for {columns} columns", scale.len()))),
        };
        let mut centers = vectors.clone();
        for row in centers.values.chunks_exact_mut(columns.max(1)) {
            row.iter_mut().zip(&scale).for_each(|(x, scale)| *x /= scale);
        }
        let scaled = self.push(Op::Standardize { mean: None, scale: Some(scale) }, self.frame.wires.clone())?;
        self.push(Op::Distances { centers, squared }, scaled)
    }

    fn combine(&mut self, a: Term, b: Term, product: bool) -> Result<Term> {
        Ok(match (a, b) {
            (Term::Constant(a), Term::Constant(b)) => Term::Constant(if product { a * b } else { a + b }),
            (Term::Constant(c), Term::Wires(wires)) | (Term::Wires(wires), Term::Constant(c)) => {
                Term::Wires(if product { self.linear(c, 0.0, wires)? } else { self.linear(1.0, c, wires)? })
            }
            (Term::Wires(a), Term::Wires(b)) => {
                Term::Wires(self.push(if product { Op::Multiply } else { sum() }, [a, b].concat())?)
            }
        })
    }

    /// The values of one kernel of the expression.
    fn term(&mut self, value: Value<'h>, depth: usize) -> Result<Term> {
        let kernel = Estimator::new(value, "kernel_", Some(self.owner))?;
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || depth > MOST_NESTING {
            let message = format!("a kernel of more than {MOST_KERNELS} parts, or {MOST_NESTING} deep");
            return Err(crate::Error::limit(message).at(self.owner.path.clone()));
        }
        if !kernel.module.starts_with("sklearn.gaussian_process.kernels") {
            return Err(
                kernel.unsupported(format!("the kernel {}.{} is not scikit-learn's", kernel.module, kernel.class))
            );
        }
        match kernel.class {
            "Sum" | "Product" => {
                let a = self.term(kernel.need("k1")?, depth + 1)?;
                let b = self.term(kernel.need("k2")?, depth + 1)?;
                return self.combine(a, b, kernel.class == "Product");
            }
            "Exponentiation" => {
                let exponent = kernel.f64("exponent")?;
                return match self.term(kernel.need("kernel")?, depth + 1)? {
                    Term::Constant(value) => Ok(Term::Constant(value.powf(exponent))),
                    Term::Wires(wires) => Ok(Term::Wires(self.power(wires, exponent)?)),
                };
            }
            "ConstantKernel" => return Ok(Term::Constant(kernel.f64("constant_value")?)),
            _ => {}
        }
        let Against::Vectors(vectors) = self.against else {
            return self.diagonal(&kernel);
        };
        Ok(Term::Wires(match kernel.class {
            // Rows at prediction are not the training rows, even where they are equal.
            "WhiteKernel" => return Ok(Term::Constant(0.0)),
            "RBF" => self.rbf(vectors, &kernel)?,
            "Matern" => match kernel.f64("nu")? {
                0.5 => {
                    let u = self.distances(vectors, &kernel.f64s("length_scale")?, 1.0, false)?;
                    self.exp_of_minus(u)?
                }
                1.5 => {
                    let u = self.distances(vectors, &kernel.f64s("length_scale")?, 1.0 / 3f64.sqrt(), false)?;
                    let polynomial = self.linear(1.0, 1.0, u.clone())?;
                    let decay = self.exp_of_minus(u)?;
                    self.push(Op::Multiply, [polynomial, decay].concat())?
                }
                2.5 => {
                    let u = self.distances(vectors, &kernel.f64s("length_scale")?, 1.0 / 5f64.sqrt(), false)?;
                    let square = self.function(Function::Square, u.clone())?;
                    let third = self.linear(1.0 / 3.0, 1.0, square)?;
                    let polynomial = self.push(sum(), [third, u.clone()].concat())?;
                    let decay = self.exp_of_minus(u)?;
                    self.push(Op::Multiply, [polynomial, decay].concat())?
                }
                f64::INFINITY => self.rbf(vectors, &kernel)?,
                nu => return Err(kernel.not_among("nu", &nu.to_string(), "nu 0.5, 1.5, 2.5 or infinity")),
            },
            "RationalQuadratic" => {
                let alpha = kernel.f64("alpha")?;
                let scale = [kernel.f64("length_scale")?];
                let squares = self.distances(vectors, &scale, (2.0 * alpha).sqrt(), true)?;
                let log = self.function(Function::Log1p, squares)?;
                let exponent = self.linear(-alpha, 0.0, log)?;
                self.function(Function::Exp, exponent)?
            }
            "ExpSineSquared" => {
                let period = [kernel.f64("periodicity")?];
                let angle = self.distances(vectors, &period, 1.0 / std::f64::consts::PI, false)?;
                let sine = self.function(Function::Sin, angle)?;
                let scaled = self.linear(2f64.sqrt() / kernel.f64("length_scale")?, 0.0, sine)?;
                let square = self.function(Function::Square, scaled)?;
                self.exp_of_minus(square)?
            }
            "DotProduct" => {
                let sigma = kernel.f64("sigma_0")?;
                let intercept = vec![sigma * sigma; vectors.rows];
                self.push(Op::Affine { coef: vectors.clone(), intercept }, self.frame.wires.clone())?
            }
            _ => return Err(unsupported(&kernel)),
        }))
    }

    /// exp(-½ |x - s|² / length_scale²)
    fn rbf(&mut self, vectors: &Matrix, kernel: &Estimator) -> Result<Vec<Wire>> {
        let squares = self.distances(vectors, &kernel.f64s("length_scale")?, 2f64.sqrt(), true)?;
        self.exp_of_minus(squares)
    }

    /// k(x, x)
    fn diagonal(&mut self, kernel: &Estimator) -> Result<Term> {
        Ok(match kernel.class {
            "WhiteKernel" => Term::Constant(kernel.f64("noise_level")?),
            "RBF" | "Matern" | "RationalQuadratic" | "ExpSineSquared" => Term::Constant(1.0),
            "DotProduct" => {
                let sigma = kernel.f64("sigma_0")?;
                let squares = self.function(Function::Square, self.frame.wires.clone())?;
                let coef = Matrix { rows: 1, columns: squares.len(), values: vec![1.0; squares.len()] };
                Term::Wires(self.push(Op::Affine { coef, intercept: vec![sigma * sigma] }, squares)?)
            }
            _ => return Err(unsupported(kernel)),
        })
    }

    /// Small whole powers by multiplication, others by logarithm, which negative values have none of.
    fn power(&mut self, wires: Vec<Wire>, exponent: f64) -> Result<Vec<Wire>> {
        if exponent == 2.0 {
            return self.function(Function::Square, wires);
        }
        if exponent.fract() == 0.0 && (1.0..=16.0).contains(&exponent) {
            let mut power = wires.clone();
            for _ in 1..exponent as u32 {
                power = self.push(Op::Multiply, [power, wires.clone()].concat())?;
            }
            return Ok(power);
        }
        let log = self.function(Function::Log, wires)?;
        let scaled = self.linear(exponent, 0.0, log)?;
        self.function(Function::Exp, scaled)
    }
}

/// The first half of the wires plus the second.
fn sum() -> Op {
    Op::Combine { weights: vec![1.0; 2], divide: 1.0 }
}

fn unsupported(kernel: &Estimator) -> crate::Error {
    let supported = "Fit the model with sums, products and powers of ConstantKernel, WhiteKernel, RBF, Matern, \
                     RationalQuadratic, ExpSineSquared and DotProduct.";
    kernel.unsupported(format!("the kernel {} is not supported", kernel.class)).remedy(supported)
}

/// `kernel_` of the rows against the training rows, or themselves: one wire each.
fn kernel(builder: &mut Builder, owner: &Estimator, frame: &Frame, against: Against) -> Result<Vec<Wire>> {
    let mut kernels = Kernels { builder, frame, owner, against, left: MOST_KERNELS };
    match kernels.term(owner.need("kernel_")?, 0)? {
        Term::Wires(wires) => Ok(wires),
        Term::Constant(value) => {
            let count = if let Against::Vectors(vectors) = against { vectors.rows } else { 1 };
            kernels.push(Op::Constant(vec![value; count]), Vec::new())
        }
    }
}

/// `_y_train_std` × k(x, X_train_) @ alpha_ + `_y_train_mean`
pub fn regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let vectors = estimator.matrix_over("X_train_", frame.len())?;
    let near = kernel(builder, estimator, frame, Against::Vectors(&vectors))?;
    let alpha = estimator.matrix("alpha_")?;
    let mut coef = if estimator.array("alpha_")?.ndim() == 1 { alpha } else { alpha.transpose() };
    let each = |name: &str| -> Result<Vec<f64>> {
        match &numbers(estimator.need(name)?).unwrap_or_default()[..] {
            [one] => Ok(vec![*one; coef.rows]),
            several if several.len() == coef.rows => Ok(several.to_vec()),
            _ => Err(estimator.malformed(format!("{name} does not hold one number a target"))),
        }
    };
    let (mean, scale) = (each("_y_train_mean")?, each("_y_train_std")?);
    let variance = variance(builder, estimator, frame, near.clone())?;
    let clipped = builder.graph.push(Op::Clip { low: 0.0, high: f64::INFINITY }, vec![variance], path)?;
    let root = builder.graph.push_one(Op::Function(Function::Sqrt), clipped, path)?;
    let deviations = Op::Affine {
        coef: Matrix { rows: scale.len(), columns: 1, values: scale.clone() },
        intercept: vec![0.0; scale.len()],
    };
    let deviations = builder.graph.push(deviations, vec![root], path)?;
    builder.graph.note("predict_std", deviations);
    for (row, scale) in coef.values.chunks_exact_mut(coef.columns.max(1)).zip(scale) {
        row.iter_mut().for_each(|coef| *coef *= scale);
    }
    let values = builder.graph.push(Op::Affine { coef, intercept: mean }, near, path)?;
    Ok(Output::Regression { values, names: Vec::new() })
}

/// k(x, x) minus the sum of squares of the v that solves L_ v = `against`.
fn variance(builder: &mut Builder, estimator: &Estimator, frame: &Frame, against: Vec<Wire>) -> Result<Wire> {
    let path = &estimator.path;
    let solved = builder.graph.push(Op::Solve { lower: estimator.matrix("L_")? }, against, path)?;
    let mut parts = builder.graph.push(Op::Function(Function::Square), solved, path)?;
    let mut signs = vec![-1.0; parts.len()];
    parts.extend(kernel(builder, estimator, frame, Against::Itself)?);
    signs.push(1.0);
    let coef = Matrix { rows: 1, columns: parts.len(), values: signs };
    builder.graph.push_one(Op::Affine { coef, intercept: vec![0.0] }, parts, path)
}

/// The latent mean k(x, X_train_) @ (y_train_ - pi_), and the probability of the second class.
fn binary(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<(Wire, Wire)> {
    let path = &estimator.path;
    let vectors = estimator.matrix_over("X_train_", frame.len())?;
    let near = kernel(builder, estimator, frame, Against::Vectors(&vectors))?;
    let (y, pi) = (estimator.f64s("y_train_")?, estimator.f64s("pi_")?);
    if y.len() != pi.len() {
        return Err(estimator.malformed(format!("y_train_ of {} rows, pi_ of {}", y.len(), pi.len())));
    }
    let residual: Vec<f64> = y.iter().zip(&pi).map(|(y, pi)| y - pi).collect();
    let coef = Matrix { rows: 1, columns: residual.len(), values: residual };
    let mean = builder.graph.push_one(Op::Affine { coef, intercept: vec![0.0] }, near.clone(), path)?;
    let roots = estimator.f64s("W_sr_")?;
    let weighted = Op::Linear { offset: vec![0.0; roots.len()], scale: roots };
    let weighted = builder.graph.push(weighted, near, path)?;
    let variance = variance(builder, estimator, frame, weighted)?;
    Ok((mean, builder.graph.push_one(Op::Laplace, vec![mean, variance], path)?))
}

/// Two classes: the second where the latent mean is above zero. More: one against the rest each, by probability.
pub fn classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    let path = &estimator.path;
    let classes = estimator.cells("classes_")?;
    let base = Estimator::new(estimator.need("base_estimator_")?, "base_estimator_", Some(estimator))?;
    if classes.len() == 2 {
        let (mean, second) = binary(builder, &base, frame)?;
        let label = builder.graph.push_one(Op::Above { threshold: 0.0 }, vec![mean], path)?;
        let probabilities = Some(builder.graph.push(Op::Complement, vec![second], path)?);
        return Ok(Output::Classification { classes, label, probabilities, scores: None });
    }
    if base.class != "OneVsRestClassifier" {
        return Err(estimator
            .unsupported("multi_class='one_vs_one' is not supported")
            .remedy("Fit the model with multi_class='one_vs_rest'."));
    }
    let mut each = Vec::with_capacity(classes.len());
    for value in base.list("estimators_")? {
        let inner = Estimator::new(value, "", Some(&base))?;
        builder.count(&inner)?;
        if inner.class != "_BinaryGaussianProcessClassifierLaplace" {
            return Err(inner.unsupported(format!("{} in a one-against-rest Gaussian process", inner.class)));
        }
        each.push(binary(builder, &inner, frame)?.1);
    }
    if each.len() != classes.len() {
        return Err(base.malformed(format!("{} estimators for {} classes", each.len(), classes.len())));
    }
    let label = builder.graph.push_one(Op::Argmax, each.clone(), path)?;
    let probabilities = Some(builder.graph.push(Op::Share, each, path)?);
    Ok(Output::Classification { classes, label, probabilities, scores: None })
}

//! The `.carry` file: a trained model with the report of its training. `docs/carry.md` describes it for others.
//!
//! A header with magic, version and a SHA-256, then one deflate stream of two JSON texts, the report and the model.
//! No time and no machine is in it: the same command makes the same bytes. Reading trusts nothing: lengths are
//! checked before anything is allocated, the hash is compared, steps are pushed through `Graph::push`, which checks
//! shapes and wires, and only the operations that training writes are known.

use super::report::Report;
use crate::import::{Options, import};
use crate::model::{
    Aggregate, Cell, Coefficients, Column, ColumnKind, Ensemble, Function, Graph, KernelSum, Leaves, Lookup, Marker,
    Matrix, Metric, Model, NamesFrom, Nearest, Node, Op, Output, PairKernel, Schema, Source, Test, Tree, Unknown,
    Weights, Width, Wire, WireKind, Within, output_wires,
};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};

/// A line end and a DOS end of file: a transfer as text does not leave them whole.
pub const MAGIC: &[u8; 8] = b"carry\r\n\x1a";
/// The version written and the only one read.
pub const VERSION: u32 = 1;
/// Magic, version, SHA-256, length of the report, length of the model.
pub const HEADER: usize = 8 + 4 + 32 + 4 + 8;
/// Most bytes of a report.
const MOST_REPORT: u32 = 32 << 20;
/// Decompressed bytes for each compressed one beyond the first 32 MiB.
const RATIO: u64 = 200;

#[derive(Serialize, Deserialize)]
struct Stored {
    schema: Schema,
    steps: Vec<StoredStep>,
    output: StoredOutput,
    source: Source,
}

#[derive(Serialize, Deserialize)]
struct StoredStep {
    path: String,
    input: Vec<Wire>,
    #[serde(flatten)]
    op: StoredOp,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "lowercase")]
enum StoredOutput {
    Classification {
        classes: Vec<Cell>,
        label: Wire,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probabilities: Option<Vec<Wire>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scores: Option<Vec<Wire>>,
    },
    Regression {
        value: Wire,
    },
    Anomaly {
        outlier: Wire,
        score: Wire,
    },
    Clustering {
        cluster: Wire,
        labels: Vec<Cell>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        distances: Option<Vec<Wire>>,
    },
}

/// The operations that training writes.
#[derive(Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
enum StoredOp {
    Fill {
        values: Vec<f64>,
    },
    Standardize {
        mean: Vec<f64>,
        scale: Vec<f64>,
    },
    Linear {
        scale: Vec<f64>,
        offset: Vec<f64>,
    },
    Expit,
    Square,
    Sqrt,
    OneHot {
        keys: Vec<String>,
        hot: Vec<Option<u32>>,
        width: u32,
    },
    Number {
        keys: Vec<String>,
        values: Vec<f64>,
        unknown: f64,
    },
    Affine {
        coef: StoredMatrix,
        intercept: Vec<f64>,
    },
    Trees {
        features: u32,
        base: Vec<f64>,
        /// The sums are divided by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        divide: Option<f64>,
        trees: Vec<StoredTree>,
    },
    Distances {
        centers: StoredMatrix,
        squared: bool,
    },
    Softmax,
    Share,
    Complement,
    Argmax,
    Argmin,
    Above {
        threshold: f64,
    },
    Below {
        threshold: f64,
    },
    IsolationScore {
        mean_path: f64,
    },
    KernelSum {
        kernel: StoredKernel,
        vectors: StoredMatrix,
        coef: StoredMatrix,
        intercept: Vec<f64>,
        /// Vectors of each class, where the outputs are pairs of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counts: Option<Vec<u32>>,
    },
    PairVotes {
        classes: u32,
    },
    Nearest {
        vectors: StoredMatrix,
        count: u32,
    },
    Within {
        vectors: StoredMatrix,
        radius: f64,
        values: StoredMatrix,
        empty: Vec<f64>,
    },
    NeighborVote {
        classes: u32,
        of: Vec<u32>,
        by_distance: bool,
    },
    NeighborMean {
        values: StoredMatrix,
        by_distance: bool,
    },
}

#[derive(Serialize, Deserialize)]
struct StoredMatrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
enum StoredKernel {
    Rbf { gamma: f64 },
    Polynomial { gamma: f64, coef0: f64, degree: u32 },
    Sigmoid { gamma: f64, coef0: f64 },
}

/// One entry a node: at a leaf `left` is the row of `values` and equals `right`, `feature` and `threshold` are 0.
#[derive(Serialize, Deserialize)]
struct StoredTree {
    feature: Vec<u32>,
    threshold: Vec<f64>,
    left: Vec<u32>,
    right: Vec<u32>,
    values: Vec<f64>,
    /// The output that values are added to; without it a leaf has one value an output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<u32>,
}

impl From<&Matrix> for StoredMatrix {
    fn from(matrix: &Matrix) -> StoredMatrix {
        StoredMatrix { rows: matrix.rows, columns: matrix.columns, values: matrix.values.clone() }
    }
}

impl StoredMatrix {
    fn matrix(self) -> Result<Matrix> {
        Matrix::new(self.rows, self.columns, self.values)
    }
}

fn foreign(what: &str) -> Error {
    Error::unsupported(format!("a .carry file does not hold {what}: training makes none"))
}

fn texts(keys: &[Cell]) -> Result<Vec<String>> {
    let text = |key: &Cell| match key {
        Cell::Str(text) => Ok(text.clone()),
        _ => Err(foreign("categories that are no texts")),
    };
    keys.iter().map(text).collect()
}

fn cells(keys: Vec<String>) -> Vec<Cell> {
    keys.into_iter().map(Cell::Str).collect()
}

impl StoredTree {
    fn new(tree: &Tree) -> Result<StoredTree> {
        let count = tree.nodes.len();
        let (mut feature, mut threshold) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let (mut left, mut right) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for node in &tree.nodes {
            let (f, t, l, r) = match *node {
                Node::Split { feature, test: Test::LessEqual(threshold), left, right, .. } => {
                    (feature, threshold, left, right)
                }
                Node::Split { .. } => return Err(foreign("splits of another kind than <=")),
                Node::Leaf(leaf) => (0, 0.0, leaf, leaf),
            };
            feature.push(f);
            threshold.push(t);
            left.push(l);
            right.push(r);
        }
        let (values, output) = match &tree.leaves {
            Leaves::Scalar { output, values } => (values.clone(), Some(*output)),
            Leaves::Vector(values) => (values.clone(), None),
            Leaves::Linear { .. } => return Err(foreign("leaves with linear models")),
        };
        Ok(StoredTree { feature, threshold, left, right, values, output })
    }

    /// Leaves are told by `left == right`: two children are never one node.
    fn tree(self) -> Result<Tree> {
        let count = self.feature.len();
        if [self.threshold.len(), self.left.len(), self.right.len()] != [count; 3] {
            return Err(Error::malformed("the lists of a tree's nodes differ in length"));
        }
        let node = |at: usize| match (self.left[at], self.right[at]) {
            (left, right) if left == right => Node::Leaf(left),
            (left, right) => Node::Split {
                feature: self.feature[at],
                test: Test::LessEqual(self.threshold[at]),
                missing_left: false,
                left,
                right,
            },
        };
        let nodes = (0..count).map(node).collect();
        let leaves = match self.output {
            Some(output) => Leaves::Scalar { output, values: self.values },
            None => Leaves::Vector(self.values),
        };
        Ok(Tree { nodes, leaves })
    }
}

impl StoredOp {
    fn new(op: &Op) -> Result<StoredOp> {
        Ok(match op {
            Op::Impute { missing: Marker::Nan, fill } => {
                let number = |cell: &Cell| cell.number().ok_or_else(|| foreign("fills that are no numbers"));
                StoredOp::Fill { values: fill.iter().map(number).collect::<Result<_>>()? }
            }
            Op::Standardize { mean: Some(mean), scale: Some(scale) } => {
                StoredOp::Standardize { mean: mean.clone(), scale: scale.clone() }
            }
            Op::Linear { scale, offset } => StoredOp::Linear { scale: scale.clone(), offset: offset.clone() },
            Op::Function(Function::Expit) => StoredOp::Expit,
            Op::Function(Function::Square) => StoredOp::Square,
            Op::Function(Function::Sqrt) => StoredOp::Sqrt,
            Op::OneHot { keys, hot, width, unknown: Unknown::As(None) } => {
                StoredOp::OneHot { keys: texts(keys)?, hot: hot.clone(), width: *width }
            }
            Op::Lookup(Lookup { keys, width: 1, values, unknown: Unknown::As(unknown) }) if unknown.len() == 1 => {
                StoredOp::Number { keys: texts(keys)?, values: values.clone(), unknown: unknown[0] }
            }
            Op::Affine { coef, intercept } => StoredOp::Affine { coef: coef.into(), intercept: intercept.clone() },
            Op::Trees(ensemble) => {
                let Ensemble { compare, sum, features, base, trees, sets, aggregate, missing, infinite } = ensemble;
                if (*compare, *sum, *missing, *infinite, sets.len()) != (Width::F64, Width::F64, false, false, 0) {
                    return Err(foreign("trees of this kind"));
                }
                StoredOp::Trees {
                    features: *features,
                    base: base.clone(),
                    divide: match aggregate {
                        Aggregate::Sum => None,
                        Aggregate::Divide(by) => Some(*by),
                    },
                    trees: trees.iter().map(StoredTree::new).collect::<Result<_>>()?,
                }
            }
            Op::Distances { centers, squared } => StoredOp::Distances { centers: centers.into(), squared: *squared },
            Op::Softmax => StoredOp::Softmax,
            Op::Share => StoredOp::Share,
            Op::Complement => StoredOp::Complement,
            Op::Argmax => StoredOp::Argmax,
            Op::Argmin => StoredOp::Argmin,
            Op::Above { threshold } => StoredOp::Above { threshold: *threshold },
            Op::Below { threshold } => StoredOp::Below { threshold: *threshold },
            Op::IsolationScore { mean_path } => StoredOp::IsolationScore { mean_path: *mean_path },
            Op::KernelSum(KernelSum { kernel, vectors, coef, intercept }) => {
                let (counts, coef) = match coef {
                    Coefficients::Dense(coef) => (None, coef),
                    Coefficients::Pairs { counts, coef } => (Some(counts.clone()), coef),
                };
                StoredOp::KernelSum {
                    kernel: match *kernel {
                        PairKernel::Rbf { gamma } => StoredKernel::Rbf { gamma },
                        PairKernel::Polynomial { gamma, coef0, degree } => {
                            StoredKernel::Polynomial { gamma, coef0, degree }
                        }
                        PairKernel::Sigmoid { gamma, coef0 } => StoredKernel::Sigmoid { gamma, coef0 },
                        _ => return Err(foreign("this kernel")),
                    },
                    vectors: vectors.into(),
                    coef: coef.into(),
                    intercept: intercept.clone(),
                    counts,
                }
            }
            Op::PairVotes { classes, confidences: false } => StoredOp::PairVotes { classes: *classes },
            Op::Nearest(Nearest { metric: Metric::Euclidean, vectors, count }) => {
                StoredOp::Nearest { vectors: vectors.into(), count: *count }
            }
            Op::Within(Within {
                metric: Metric::Euclidean,
                vectors,
                radius,
                weights: Weights::Uniform,
                values,
                empty: Some(empty),
            }) => StoredOp::Within {
                vectors: vectors.into(),
                radius: *radius,
                values: values.into(),
                empty: empty.clone(),
            },
            Op::NeighborVote { classes, of, weights } => StoredOp::NeighborVote {
                classes: *classes,
                of: of.clone(),
                by_distance: *weights == Weights::Distance,
            },
            Op::NeighborMean { values, weights } => {
                StoredOp::NeighborMean { values: values.into(), by_distance: *weights == Weights::Distance }
            }
            other => return Err(foreign(other.name())),
        })
    }

    fn op(self) -> Result<Op> {
        let weights = |by_distance: bool| if by_distance { Weights::Distance } else { Weights::Uniform };
        Ok(match self {
            StoredOp::Fill { values } => {
                Op::Impute { missing: Marker::Nan, fill: values.into_iter().map(Cell::Float).collect() }
            }
            StoredOp::Standardize { mean, scale } => Op::Standardize { mean: Some(mean), scale: Some(scale) },
            StoredOp::Linear { scale, offset } => Op::Linear { scale, offset },
            StoredOp::Expit => Op::Function(Function::Expit),
            StoredOp::Square => Op::Function(Function::Square),
            StoredOp::Sqrt => Op::Function(Function::Sqrt),
            StoredOp::OneHot { keys, hot, width, .. } => {
                // Every column is some category's: a width out of nowhere would make as many wires.
                if width as usize > hot.len() {
                    return Err(Error::malformed(format!("{width} columns for {} categories", hot.len())));
                }
                Op::OneHot { keys: cells(keys), hot, width, unknown: Unknown::As(None) }
            }
            StoredOp::Number { keys, values, unknown } => {
                Op::Lookup(Lookup { keys: cells(keys), width: 1, values, unknown: Unknown::As(vec![unknown]) })
            }
            StoredOp::Affine { coef, intercept } => Op::Affine { coef: coef.matrix()?, intercept },
            StoredOp::Trees { features, base, divide, trees } => {
                if divide.is_some_and(|by| by <= 0.0) {
                    return Err(Error::malformed("the mean of no trees"));
                }
                let trees = trees.into_iter().map(StoredTree::tree).collect::<Result<_>>()?;
                Op::Trees(Ensemble {
                    compare: Width::F64,
                    sum: Width::F64,
                    features,
                    base,
                    trees,
                    sets: Vec::new(),
                    aggregate: divide.map_or(Aggregate::Sum, Aggregate::Divide),
                    missing: false,
                    infinite: false,
                })
            }
            StoredOp::Distances { centers, squared } => Op::Distances { centers: centers.matrix()?, squared },
            StoredOp::Softmax => Op::Softmax,
            StoredOp::Share => Op::Share,
            StoredOp::Complement => Op::Complement,
            StoredOp::Argmax => Op::Argmax,
            StoredOp::Argmin => Op::Argmin,
            StoredOp::Above { threshold } => Op::Above { threshold },
            StoredOp::Below { threshold } => Op::Below { threshold },
            StoredOp::IsolationScore { mean_path } => Op::IsolationScore { mean_path },
            StoredOp::KernelSum { kernel, vectors, coef, intercept, counts } => Op::KernelSum(KernelSum {
                kernel: match kernel {
                    StoredKernel::Rbf { gamma } => PairKernel::Rbf { gamma },
                    StoredKernel::Polynomial { gamma, coef0, degree } => {
                        PairKernel::Polynomial { gamma, coef0, degree }
                    }
                    StoredKernel::Sigmoid { gamma, coef0 } => PairKernel::Sigmoid { gamma, coef0 },
                },
                vectors: vectors.matrix()?,
                coef: match counts {
                    None => Coefficients::Dense(coef.matrix()?),
                    Some(counts) => Coefficients::Pairs { counts, coef: coef.matrix()? },
                },
                intercept,
            }),
            StoredOp::PairVotes { classes } => Op::PairVotes { classes, confidences: false },
            StoredOp::Nearest { vectors, count } => {
                Op::Nearest(Nearest { metric: Metric::Euclidean, vectors: vectors.matrix()?, count })
            }
            StoredOp::Within { vectors, radius, values, empty } => Op::Within(Within {
                metric: Metric::Euclidean,
                vectors: vectors.matrix()?,
                radius,
                weights: Weights::Uniform,
                values: values.matrix()?,
                empty: Some(empty),
            }),
            StoredOp::NeighborVote { classes, of, by_distance } => {
                if classes as usize > of.len() {
                    return Err(Error::malformed(format!("{classes} classes of {} neighbours", of.len())));
                }
                Op::NeighborVote { classes, of, weights: weights(by_distance) }
            }
            StoredOp::NeighborMean { values, by_distance } => {
                Op::NeighborMean { values: values.matrix()?, weights: weights(by_distance) }
            }
        })
    }
}

/// The bytes of a `.carry` file.
///
/// # Errors
/// Where the model holds what training does not make, or a number that is none.
pub fn write(model: &Model, report: &Report) -> Result<Vec<u8>> {
    let output = match &model.output {
        Output::Classification { classes, label, probabilities, scores } => StoredOutput::Classification {
            classes: classes.clone(),
            label: *label,
            probabilities: probabilities.clone(),
            scores: scores.clone(),
        },
        Output::Regression { values, .. } if values.len() == 1 => StoredOutput::Regression { value: values[0] },
        Output::Anomaly { outlier, score, samples: None } => {
            StoredOutput::Anomaly { outlier: *outlier, score: *score }
        }
        Output::Clustering { cluster, labels, distances } => {
            StoredOutput::Clustering { cluster: *cluster, labels: labels.clone(), distances: distances.clone() }
        }
        other => return Err(foreign(other.task())),
    };
    let step = |step: &crate::model::Step| {
        Ok(StoredStep { path: step.path.clone(), input: step.input.clone(), op: StoredOp::new(&step.op)? })
    };
    let steps = model.graph.steps().iter().map(step).collect::<Result<_>>()?;
    let stored = Stored { schema: model.schema.clone(), steps, output, source: model.source.clone() };
    let text = |error: serde_json::Error| Error::malformed(format!("not to be written as JSON: {error}"));
    let report = serde_json::to_vec(&report.clone().without_timings()).map_err(text)?;
    let model = serde_json::to_vec(&stored).map_err(text)?;
    let mut sum = Sha256::new();
    sum.update(&report);
    sum.update(&model);
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(sum.finalize());
    let length = u32::try_from(report.len()).ok().filter(|&length| length <= MOST_REPORT);
    bytes.extend(length.ok_or_else(|| Error::limit("the report is larger than 32 MiB"))?.to_le_bytes());
    bytes.extend((model.len() as u64).to_le_bytes());
    let mut zip = flate2::write::ZlibEncoder::new(bytes, flate2::Compression::default());
    let bytes = zip.write_all(&report).and_then(|()| zip.write_all(&model)).and_then(|()| zip.finish());
    let bytes = bytes.map_err(|error| Error::malformed(error.to_string()))?;
    // What cannot be read again (a NaN is null in JSON) must not leave the house.
    read(&bytes, &Options::default().roomy()).map_err(|error| error.at("the model just trained"))?;
    Ok(bytes)
}

impl Options {
    /// For what this process wrote itself.
    fn roomy(mut self) -> Options {
        self.limits.decompressed_bytes = usize::MAX;
        self.limits.ratio = usize::MAX;
        self
    }
}

/// Reads a model and its report.
///
/// # Errors
/// Where the file is damaged, of another version, over a limit, or describes no sound model.
pub fn read(bytes: &[u8], options: &Options) -> Result<(Model, Report)> {
    let cut = || Error::malformed("the .carry file is cut").remedy("Copy or train it again.");
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| Error::malformed("not a .carry file"))?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(Error::unsupported(format!("a .carry file of version {version}; version {VERSION} is read"))
            .remedy("Train the model again with this version of carryout, or use the one that wrote it."));
    }
    let (sum, rest) = rest.split_first_chunk::<32>().ok_or_else(cut)?;
    let (report, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    let (model, rest) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
    let (report, model) = (u32::from_le_bytes(*report), u64::from_le_bytes(*model));
    let most = options.limits.decompressed_bytes as u64;
    let length = u64::from(report).saturating_add(model);
    if report > MOST_REPORT || length > most {
        return Err(Error::limit(format!("{length} bytes after decompression; at most {most} are read"))
            .remedy("If you trust this file, raise the limit `decompressed_bytes`."));
    }
    let floor = (options.limits.ratio_floor as u64).max(1);
    let ratio = (options.limits.ratio as u64).max(RATIO);
    if length > floor && length / ratio > rest.len() as u64 {
        return Err(Error::limit(format!("{} bytes that become {length}", rest.len()))
            .remedy("If you trust this file, raise the limit `ratio`."));
    }
    let damaged = || Error::malformed("the .carry file is damaged").remedy("Copy or train it again.");
    let mut text = Vec::new();
    flate2::read::ZlibDecoder::new(rest).take(length + 1).read_to_end(&mut text).map_err(|_| damaged())?;
    if text.len() as u64 != length || Sha256::digest(&text)[..] != sum[..] {
        return Err(damaged());
    }
    let (report, model) = text.split_at(report as usize);
    let wrong = |what: &'static str| {
        move |error: serde_json::Error| Error::malformed(format!("the {what} of the .carry file: {error}"))
    };
    let report: Report = serde_json::from_slice(report).map_err(wrong("report"))?;
    let stored: Stored = serde_json::from_slice(model).map_err(wrong("model"))?;
    drop(text);
    let mut model = build(stored)?;
    if let (Output::Regression { names, .. }, Some(target)) = (&mut model.output, &report.target) {
        names.push(target.clone());
    }
    Ok((model, report))
}

fn build(stored: Stored) -> Result<Model> {
    let Stored { schema, steps, output, source } = stored;
    let mut graph = Graph::default();
    if schema.columns.is_empty() {
        return Err(Error::malformed("a model without columns"));
    }
    for (number, Column { name, kind, .. }) in schema.columns.iter().enumerate() {
        graph.column(match kind {
            ColumnKind::Number | ColumnKind::Integer | ColumnKind::Code(_) | ColumnKind::Boolean => WireKind::Number,
            ColumnKind::Category(values) if values.iter().all(|value| matches!(value, Cell::Str(_))) => {
                WireKind::Code(number as u32)
            }
            _ => return Err(Error::malformed(format!("column {name:?} is of a kind that training does not make"))),
        });
    }
    for (number, StoredStep { path, input, op }) in steps.into_iter().enumerate() {
        let place = |error: Error| error.at(format!("step {number}"));
        graph.push(op.op().map_err(place)?, input, &path).map_err(place)?;
    }
    let output = match output {
        StoredOutput::Classification { classes, label, probabilities, scores } => {
            let count = classes.len();
            let fits = |wires: &Option<Vec<Wire>>, also: usize| {
                wires.as_ref().is_none_or(|wires| wires.len() == count || wires.len() == also)
            };
            if count == 0 || !fits(&probabilities, count) || !fits(&scores, if count == 2 { 1 } else { count }) {
                return Err(Error::malformed(format!("an output that does not fit its {count} classes")));
            }
            Output::Classification { classes, label, probabilities, scores }
        }
        StoredOutput::Regression { value } => Output::Regression { values: vec![value], names: Vec::new() },
        StoredOutput::Anomaly { outlier, score } => Output::Anomaly { outlier, score, samples: None },
        StoredOutput::Clustering { cluster, labels, distances } => {
            if labels.is_empty() || distances.as_ref().is_some_and(|list| list.len() != labels.len()) {
                return Err(Error::malformed(format!("an output that does not fit its {} clusters", labels.len())));
            }
            Output::Clustering { cluster, labels, distances }
        }
    };
    if let Some(wire) = output_wires(&output)
        .into_iter()
        .find(|&wire| wire as usize >= graph.wires() || graph.kind(wire) != WireKind::Number)
    {
        return Err(Error::malformed(format!("the output reads wire {wire}, which carries no number")));
    }
    let schema = Schema { names_from: NamesFrom::File, ..schema };
    let mut model = Model { schema, graph, output, source };
    model.settle_columns();
    Ok(model)
}

/// The model in a file of any format, with its report where it is a `.carry` file.
///
/// # Errors
/// As `import` and `read`.
pub fn open(bytes: &[u8], options: &Options) -> Result<(Model, Option<Report>)> {
    match bytes.starts_with(MAGIC) {
        true => read(bytes, options).map(|(model, report)| (model, Some(report))),
        false => import(bytes, options).map(|model| (model, None)),
    }
}

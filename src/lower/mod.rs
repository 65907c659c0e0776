//! From a `Model` to an image: drops what no output needs, gives every wire a slot of the workspace, collects the
//! vocabularies of the category columns and writes the operations' arguments.

mod args;
mod curves;
mod forest;
mod fuse;
mod slots;
mod tables;
mod text;
mod trees;
mod vectors;

use crate::image::{BLOCK, BLOCK_OF_PIECES, BLOCK_OF_WALKS, Kernel};
use crate::model::{
    Aggregate, Cell, ColumnKind, Function, Graph, Key, Marker, Model, Norm, Op, Output, Outside, Power, Step, Width,
    Wire, WireKind, is_false, live_wires, output_wires,
};
use crate::runtime::votes;
use crate::{Error, Result};
use args::{Args, Operation};
use serde::{Deserialize, Serialize};
use slots::Slots;
use std::collections::{HashMap, HashSet};

/// A model laid out, with what the JavaScript and the native front end need to fill the slots and read them.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Checked bytes (`image::check` holds).
    pub image: Vec<u8>,
    /// How each schema column, in order, becomes the number in its slot (slot = place of the column).
    pub columns: Vec<Encoding>,
    /// Where the results are.
    pub results: Results,
    /// What other methods of the original answer, by name; only where everything is wanted.
    pub also: Vec<(String, Span)>,
    /// The kernels in use, each once, in order.
    pub kernels: Vec<Kernel>,
    /// Slots of the workspace; a run of n rows uses the first `slots × n` numbers, slot s of row r at `s × n + r`.
    pub slots: u32,
    /// Most rows of one run.
    pub block: u32,
    /// One path an operation, for the message when `run` reports that operation refused a value.
    pub paths: Vec<String>,
}

/// How a value of a column becomes a number. Missing is NaN in both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// The number itself; booleans are 0 and 1.
    Number,
    /// The place of the value in this vocabulary, -1 outside it. The schema's categories come first, in order;
    /// what follows are values only the model itself uses (an imputer's constant), accepted but not advertised.
    Code(Vec<Cell>),
    /// The place of the text among the texts beside the workspace.
    Text,
}

/// `model::Output` with slots in the place of wires. Lists of slots are consecutive: the first and how many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Results {
    Classification {
        classes: Vec<Cell>,
        label: u32,
        probabilities: Option<Span>,
        scores: Option<Span>,
        /// The label of two classes is the second from this probability of it on; absent where it is the likelier.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threshold: Option<f64>,
    },
    Regression {
        values: Span,
        names: Vec<String>,
    },
    Several(Vec<Results>),
    Anomaly {
        outlier: u32,
        score: u32,
        samples: Option<u32>,
    },
    Clustering {
        cluster: u32,
        labels: Vec<Cell>,
        distances: Option<Span>,
    },
    /// `codes`: for each value, the schema column whose vocabulary it is a code of (-1: the row's own value came
    /// through unchanged), None for a number.
    Transform {
        values: Span,
        names: Vec<String>,
        codes: Vec<Option<u32>>,
    },
}

/// Consecutive slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub first: u32,
    pub count: u32,
    /// The original computes these numbers in f32, and they are such.
    #[serde(default, skip_serializing_if = "is_false")]
    pub narrow: bool,
}

impl Results {
    /// The slots of each list that a batch gives.
    pub fn spans(&self) -> Vec<Span> {
        let one = |&first: &u32| Span { first, count: 1, narrow: false };
        match self {
            Results::Classification { label, probabilities, scores, .. } => {
                [one(label)].into_iter().chain(probabilities.or(*scores)).collect()
            }
            Results::Regression { values, .. } | Results::Transform { values, .. } => vec![*values],
            Results::Several(parts) => parts.iter().flat_map(Results::spans).collect(),
            Results::Anomaly { outlier, score, .. } => vec![one(outlier), one(score)],
            Results::Clustering { cluster, distances, .. } => [one(cluster)].into_iter().chain(*distances).collect(),
        }
    }

    /// The slot from which on results can be laid out row by row, of an image of `slots` slots: the columns' place, if
    /// no result is there, or else the last slots.
    pub fn given_at(&self, slots: u32) -> u32 {
        let spans = self.spans();
        let widest = spans.iter().map(|span| span.count).max().unwrap_or(0);
        if spans.iter().all(|span| span.first >= widest) { 0 } else { slots.saturating_sub(widest) }
    }
}

/// Which outputs to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// What `predict` returns: probabilities or, without them, scores; no `score_samples`.
    Package,
    /// All that the original computes, for verification.
    Everything,
}

/// Bytes of the workspace: models that work on more than 8192 columns at a time take fewer rows at a time.
const MOST_WORKSPACE: u32 = 8 << 20;

/// Lays the model out.
///
/// # Errors
/// Where the model is over a limit of the image, or contradicts itself.
pub fn lower(model: &Model, want: Want) -> Result<Lowered> {
    let mut output = wanted(&model.output, want);
    let fused = fuse::encoders(&model.graph, &mut output, want)?;
    let graph = fused.as_ref().unwrap_or(&model.graph);
    let also = if want == Want::Everything { graph.also() } else { &[] };
    let mut targets = output_wires(&output);
    targets.extend(also.iter().flat_map(|(_, wires)| wires));
    let live = live_wires(graph, &targets);
    let is_live = |step: &Step| step.output.clone().any(|wire| live[wire as usize]);
    let steps: Vec<&Step> = graph.steps().iter().filter(|step| is_live(step)).collect();
    let vocabularies = vocabularies(model, graph, &steps);

    let mut last_use: HashMap<Wire, usize> = HashMap::new();
    for (number, step) in steps.iter().enumerate() {
        last_use.extend(step.input.iter().map(|&wire| (wire, number)));
    }
    last_use.extend(targets.iter().map(|&wire| (wire, usize::MAX)));

    let columns = model.schema.columns.len() as u32;
    let mut slots = Slots::new(columns);
    let mut at: HashMap<Wire, u32> = (0..columns).map(|column| (column, column)).collect();
    let mut operations = Vec::new();
    let mut paths = Vec::new();
    let context = Context { kinds: &|wire| graph.kind(wire), vocabularies: &vocabularies };
    let laid_out = |step: &Step| piece(step, &context).map_err(|error| error.at(step.path.clone()));
    let mut rest = &steps[..];
    while let Some(step) = rest.first() {
        let number = steps.len() - rest.len();
        let (piece, together, wires) =
            fuse::operation(rest, number, &last_use, |wire| at.contains_key(&wire), laid_out)?;
        let done_steps;
        (done_steps, rest) = rest.split_at(together);
        let outputs = wires.len() as u32;
        let output = slots.take(outputs);
        let scratch = slots.take(piece.scratch);
        at.extend(wires.iter().copied().zip(output..));
        operations.push(Operation {
            kernel: piece.kernel,
            inputs: piece.inputs.iter().map(|wire| at[wire]).collect(),
            output,
            outputs,
            scratch,
            args: piece.args,
        });
        paths.push(step.path.clone());
        slots.give(scratch, piece.scratch);
        let end = steps.len() - rest.len();
        let done = |wire: &Wire| last_use.get(wire).is_none_or(|&last| last < end);
        let inputs = done_steps.iter().flat_map(|step| step.input.iter().copied());
        for wire in inputs.chain(wires).filter(done) {
            if wire >= columns
                && let Some(slot) = at.remove(&wire)
            {
                slots.give(slot, 1);
            }
        }
    }
    let mut gather = |wires: &[Wire]| -> Span {
        let count = wires.len() as u32;
        let narrow = wires.iter().all(|&wire| is_f32(graph, wire));
        let first = wires.first().map_or(0, |wire| at[wire]);
        if !wires.iter().zip(first..).all(|(wire, slot)| at[wire] == slot) {
            let output = slots.take(count);
            operations.push(Operation {
                kernel: Kernel::Copy,
                inputs: wires.iter().map(|wire| at[wire]).collect(),
                output,
                outputs: count,
                scratch: 0,
                args: Args::default(),
            });
            paths.push("output".to_string());
            return Span { first: output, count, narrow };
        }
        Span { first, count, narrow }
    };
    let results = results(&output, &mut gather, graph);
    let also = also.iter().map(|(method, wires)| (method.clone(), gather(wires))).collect();
    // Room to lay results out row by row, where the columns' place will not do.
    if want == Want::Package && results.given_at(u32::MAX) > 0 {
        slots.take_new(results.spans().iter().map(|span| span.count).max().unwrap_or(0));
    }
    let slots = slots.most();
    let most = |operation: &Operation| match operation.kernel {
        Kernel::Walk32 | Kernel::Walk64 => Some(BLOCK_OF_WALKS),
        Kernel::Deep32 | Kernel::Deep64 => Some(BLOCK_OF_PIECES),
        kernel if kernel.reads_forest() => Some(BLOCK),
        _ => None,
    };
    // Other kernels gain nothing beyond 120 rows, and the caches hold less of each; products read all rows again for
    // each four vectors, so these should be in the nearest cache. Slots of 64 or 128 rows would begin at few places of
    // it and drive each other out: with 56 rows a perceptron of 64 columns takes 8% less than with 64, of 128 12%, and with
    // 120 rows objects of 64 columns through a linear model 13% less than with 128.
    let products = |operation: &Operation| matches!(operation.kernel, Kernel::Dense | Kernel::RbfFours);
    let others = if operations.iter().any(products) { 56 } else { 120 };
    let most = operations.iter().filter_map(most).min().unwrap_or(others) as u32;
    let block = (MOST_WORKSPACE / 8 / slots.max(1)).clamp(1, most);
    if slots > MOST_WORKSPACE / 8 {
        return Err(Error::limit(format!("the model works on {slots} columns at a time, too many for a page")));
    }
    let image = args::image(columns, slots, block, &operations)
        .ok_or_else(|| Error::limit("the model takes more than 4 GiB, or its trees more than 256 MiB of tables"))?;
    let mut kernels: Vec<Kernel> = operations.iter().map(|operation| operation.kernel).collect();
    kernels.sort_unstable();
    kernels.dedup();
    let columns = (0..columns)
        .map(|column| match graph.kind(column) {
            WireKind::Code(_) => Encoding::Code(vocabularies[column as usize].clone()),
            WireKind::Text(_) => Encoding::Text,
            WireKind::Number => Encoding::Number,
        })
        .collect();
    Ok(Lowered { image, columns, results, also, kernels, slots, block, paths })
}

/// The parts of the output that are wanted.
fn wanted(output: &Output, want: Want) -> Output {
    let mut output = output.clone();
    if want == Want::Package {
        match &mut output {
            Output::Classification { probabilities: Some(_), scores, .. } => *scores = None,
            Output::Anomaly { samples, .. } => *samples = None,
            Output::Several(outputs) => outputs.iter_mut().for_each(|output| *output = wanted(output, want)),
            _ => {}
        }
    }
    output
}

/// Whether the original computes this number in f32.
fn is_f32(graph: &Graph, wire: Wire) -> bool {
    graph.producer(wire).is_some_and(|step| match &step.op {
        Op::Function(Function::Float32 | Function::Exp32 | Function::Sigmoid32)
        | Op::Softmax32
        | Op::Affine32 { .. }
        | Op::Complement32
        | Op::Logistic32 => true,
        Op::Trees(trees) => trees.sum == Width::F32 && trees.aggregate == Aggregate::Sum,
        _ => false,
    })
}

/// The threshold of a label that is 1 where the second of two probabilities is above a number.
fn stored_threshold(graph: &Graph, label: Wire, probabilities: &[Wire]) -> Option<f64> {
    let (&[_, second], step) = (probabilities, graph.producer(label)?) else { return None };
    match step.op {
        Op::Above { threshold } if step.input == [second] => Some(threshold.next_up()),
        Op::Logistic32 if second + 1 == step.output.end && label == step.output.start => Some(0.5_f64.next_up()),
        _ => None,
    }
}

fn results(output: &Output, gather: &mut impl FnMut(&[Wire]) -> Span, graph: &Graph) -> Results {
    match output {
        Output::Classification { classes, label, probabilities, scores } => Results::Classification {
            classes: classes.clone(),
            label: gather(&[*label]).first,
            probabilities: probabilities.as_deref().map(&mut *gather),
            scores: scores.as_deref().map(&mut *gather),
            threshold: probabilities
                .as_deref()
                .and_then(|probabilities| stored_threshold(graph, *label, probabilities)),
        },
        Output::Regression { values, names } => Results::Regression { values: gather(values), names: names.clone() },
        Output::Several(outputs) => {
            Results::Several(outputs.iter().map(|output| results(output, gather, graph)).collect())
        }
        Output::Anomaly { outlier, score, samples } => Results::Anomaly {
            outlier: gather(&[*outlier]).first,
            score: gather(&[*score]).first,
            samples: samples.map(|wire| gather(&[wire]).first),
        },
        Output::Clustering { cluster, labels, distances } => Results::Clustering {
            cluster: gather(&[*cluster]).first,
            labels: labels.clone(),
            distances: distances.as_deref().map(&mut *gather),
        },
        Output::Transform { values, names } => Results::Transform {
            codes: values.iter().map(|&wire| graph.kind(wire).code_of()).collect(),
            values: gather(values),
            names: names.clone(),
        },
    }
}

/// The values each column's codes stand for: the schema's categories, then whatever else live steps compare with
/// or fill in.
fn vocabularies<'m>(model: &'m Model, graph: &Graph, steps: &[&'m Step]) -> Vec<Vec<Cell>> {
    let kinds = model.schema.columns.iter().map(|column| &column.kind);
    let mut seen: Vec<HashSet<Key>> = kinds
        .map(|kind| match kind {
            ColumnKind::Category(values) => values.iter().map(Cell::key).collect(),
            _ => HashSet::new(),
        })
        .collect();
    let mut vocabularies: Vec<Vec<Cell>> = model
        .schema
        .columns
        .iter()
        .map(|column| match &column.kind {
            ColumnKind::Category(values) => values.clone(),
            _ => Vec::new(),
        })
        .collect();
    let mut add = |wire: Wire, value: &'m Cell| {
        if let Some(column) = graph.kind(wire).code_of()
            && !value.is_missing()
            && seen[column as usize].insert(value.key())
        {
            vocabularies[column as usize].push(value.clone());
        }
    };
    for step in steps {
        match &step.op {
            Op::Impute { missing, fill } => {
                for (&wire, fill) in step.input.iter().zip(fill) {
                    add(wire, fill);
                    if let Marker::Value(value) = missing {
                        add(wire, value);
                    }
                }
            }
            Op::IsMissing { missing: Marker::Value(value) } => {
                step.input.iter().for_each(|&wire| add(wire, value));
            }
            Op::OneHot { keys, .. } => keys.iter().for_each(|key| add(step.input[0], key)),
            Op::Lookup(lookup) => lookup.keys.iter().for_each(|key| add(step.input[0], key)),
            _ => {}
        }
    }
    vocabularies
}

/// What an operation becomes: a kernel and its arguments.
struct Piece {
    kernel: Kernel,
    /// Mostly the step's own; fewer where the kernel does not read them all.
    inputs: Vec<Wire>,
    args: Args,
    scratch: u32,
}

struct Context<'a> {
    kinds: &'a dyn Fn(Wire) -> WireKind,
    vocabularies: &'a [Vec<Cell>],
}

impl Context<'_> {
    /// The vocabulary of a wire of codes; None for numbers.
    fn vocabulary(&self, wire: Wire) -> Option<&[Cell]> {
        (self.kinds)(wire).code_of().map(|column| self.vocabularies[column as usize].as_slice())
    }

    /// The number that stands for a value on this wire.
    fn number(&self, wire: Wire, value: &Cell) -> Result<f64> {
        if value.is_missing() {
            return Ok(f64::NAN);
        }
        match self.vocabulary(wire) {
            Some(vocabulary) => vocabulary.iter().position(|known| known == value).map(|place| place as f64),
            None => value.number(),
        }
        .ok_or_else(|| Error::malformed(format!("the value {value} in a column of numbers")))
    }
}

fn piece(step: &Step, context: &Context) -> Result<Piece> {
    let mut args = Args::default();
    let mut inputs = step.input.clone();
    let mut scratch = 0;
    let marker = |missing: &Marker| -> Result<f64> {
        let Marker::Value(value) = missing else { return Ok(f64::NAN) };
        let numbers: Vec<f64> = step.input.iter().map(|&wire| context.number(wire, value)).collect::<Result<_>>()?;
        match numbers.first() {
            Some(&first) if numbers.iter().all(|&number| number == first) => Ok(first),
            None => Ok(f64::NAN),
            _ => Err(Error::unsupported("one missing value with a different code in each column")),
        }
    };
    let kernel = match &step.op {
        Op::Impute { missing, fill } => {
            args.f64(marker(missing)?);
            for (&wire, fill) in step.input.iter().zip(fill) {
                args.f64(context.number(wire, fill)?);
            }
            Kernel::Impute
        }
        Op::IsMissing { missing } => {
            args.f64(marker(missing)?);
            Kernel::IsMissing
        }
        Op::Standardize { mean, scale } => {
            args.u32(u32::from(mean.is_some()) | u32::from(scale.is_some()) << 1);
            for vector in [mean, scale].into_iter().flatten() {
                args.f64s(vector);
            }
            Kernel::Standardize
        }
        Op::Linear { scale, offset } => {
            args.f64s(scale).f64s(offset);
            Kernel::Linear
        }
        Op::Clip { low, high } => {
            args.f64s(&[*low, *high]);
            Kernel::Clip
        }
        Op::Function(function) => function_kernel(*function),
        Op::Finite { missing: false, infinite: false } => Kernel::Copy,
        Op::Finite { missing, infinite } => {
            args.u32(u32::from(*missing) | u32::from(*infinite) << 1);
            Kernel::Finite
        }
        Op::Normalize(norm) => {
            scratch = 1;
            match norm {
                Norm::L1 => Kernel::NormalizeL1,
                Norm::L2 => Kernel::NormalizeL2,
                Norm::Max => Kernel::NormalizeMax,
            }
        }
        Op::OneHot { keys, hot, unknown, .. } => {
            tables::one_hot(&mut args, context.vocabulary(inputs[0]), keys, hot, unknown)?
        }
        Op::Lookup(lookup) => tables::lookup(&mut args, context.vocabulary(inputs[0]), lookup)?,
        Op::Affine { coef, intercept } if coef.values.len() >= vectors::MANY => {
            scratch = step.input.len() as u32;
            args.f64s(&vectors::in_fours(coef)).f64s(intercept);
            Kernel::Dense
        }
        Op::Affine { coef, intercept } => {
            args.f64s(&coef.values).f64s(intercept);
            Kernel::Affine
        }
        Op::Affine32 { coef, intercept } => {
            args.f64s(&coef.values).f64s(intercept);
            Kernel::Affine32
        }
        Op::Trees(ensemble) => {
            let forest = trees::lower(&mut args, ensemble)?;
            inputs = forest.features.iter().map(|&feature| step.input[feature as usize]).collect();
            scratch = forest.scratch;
            forest.kernel
        }
        Op::Oblivious(forest) => {
            let forest = trees::oblivious(&mut args, forest);
            inputs = forest.features.iter().map(|&feature| step.input[feature as usize]).collect();
            scratch = forest.scratch;
            forest.kernel
        }
        Op::CategoryHash => Kernel::CategoryHash,
        Op::Ctr(statistic) => {
            args.u32(statistic.hashes.len() as u32).f64(statistic.empty.into());
            args.f64s(&statistic.values.iter().map(|&value| value.into()).collect::<Vec<_>>());
            args.u32s(
                &statistic.hashes.iter().flat_map(|&hash| [hash as u32, (hash >> 32) as u32]).collect::<Vec<_>>(),
            );
            Kernel::Ctr
        }
        Op::Distances { centers, squared } => {
            args.u32(u32::from(*squared)).f64s(&centers.values);
            Kernel::Distances
        }
        Op::Softmax => {
            scratch = 1;
            Kernel::Softmax
        }
        Op::Softmax32 => Kernel::Softmax32,
        Op::Absent { value } => {
            args.f64(*value).f64s(&vec![f64::NAN; inputs.len()]);
            Kernel::Impute
        }
        Op::Share => Kernel::Share,
        Op::Complement => Kernel::Complement,
        Op::Complement32 => Kernel::Complement32,
        Op::Logistic32 => Kernel::Logistic32,
        Op::Mirror => Kernel::Mirror,
        Op::Argmax => Kernel::Argmax,
        Op::Argmin => Kernel::Argmin,
        Op::Above { threshold } => {
            args.f64(*threshold);
            Kernel::Above
        }
        Op::Below { threshold } => {
            args.f64(*threshold);
            Kernel::Below
        }
        Op::IsolationScore { mean_path } => {
            args.f64(*mean_path);
            Kernel::IsolationScore
        }
        Op::Combine { weights, divide } => {
            args.u32(weights.len() as u32).f64(*divide).f64s(weights);
            Kernel::Combine
        }
        Op::ShareOrZero => Kernel::ShareOrZero,
        Op::Interpolate { x, y, outside } => {
            let outside = match outside {
                Outside::Clip => votes::CLIP,
                Outside::Nan => votes::NAN,
                Outside::Error => votes::REFUSE,
            };
            args.u32s(&[x.len() as u32, outside]).f64s(x).f64s(y);
            Kernel::Interpolate
        }
        Op::InversePower { method, lambdas } => {
            args.f64s(lambdas);
            match method {
                Power::BoxCox => Kernel::InverseBoxCox,
                Power::YeoJohnson => Kernel::InverseYeoJohnson,
            }
        }
        Op::WeightedMedian { weights } => {
            scratch = 2 * weights.len() as u32;
            args.f64s(weights);
            Kernel::WeightedMedian
        }
        Op::Constant(values) => {
            args.f64s(values);
            Kernel::Constant
        }
        Op::Multiply => Kernel::Multiply,
        Op::KernelSum(sum) => {
            let (kernel, slots) = vectors::kernel_sum(&mut args, sum);
            scratch = inputs.len() as u32 + slots;
            kernel
        }
        Op::PairVotes { classes, confidences } => {
            args.u32(u32::from(*confidences));
            scratch = *classes;
            Kernel::PairVotes
        }
        Op::PairProbabilities { classes, a, b } => {
            args.f64s(a).f64s(b);
            let working = u64::from(*classes) * (u64::from(*classes) + 1) * 2;
            scratch = u32::try_from(working).map_err(|_| Error::limit(format!("pairs of {classes} classes")))?;
            Kernel::PairProbabilities
        }
        Op::Nearest(nearest) => {
            scratch = inputs.len() as u32 + nearest.count * 2;
            vectors::nearest(&mut args, nearest)
        }
        Op::Within(within) => {
            scratch = inputs.len() as u32 + within.values.columns as u32 + 2;
            vectors::within(&mut args, within)
        }
        Op::NeighborVote { of, weights, .. } => {
            args.u32s(&[vectors::weighted(*weights), of.len() as u32]).u32s(of);
            Kernel::NeighborVote
        }
        Op::NeighborMean { values, weights } => {
            args.u32s(&[vectors::weighted(*weights), values.rows as u32]).f64s(&values.values);
            Kernel::NeighborMean
        }
        Op::NeighborScatter { vectors, connections } => {
            args.u32s(&[u32::from(*connections), *vectors]);
            Kernel::NeighborScatter
        }
        Op::OutlierFactor { reach, density } => {
            args.u32s(&[0, reach.len() as u32]).f64s(reach).f64s(density);
            Kernel::OutlierFactor
        }
        Op::Solve { lower } => {
            for row in 0..lower.rows {
                args.f64s(&lower.row(row)[..=row]);
            }
            Kernel::Solve
        }
        Op::Laplace => Kernel::Laplace,
        Op::LogSumExp => Kernel::LogSumExp,
        Op::Digitize { edges } => curves::digitize(&mut args, edges),
        Op::Products { terms } => curves::products(&mut args, terms)?,
        Op::Power { method, lambdas } => {
            args.f64s(lambdas);
            match method {
                Power::BoxCox => Kernel::BoxCox,
                Power::YeoJohnson => Kernel::YeoJohnson,
            }
        }
        Op::Quantiles(quantiles) => curves::quantiles(&mut args, quantiles),
        Op::Splines(splines) => curves::splines(&mut args, splines)?,
        Op::Donors(donors) => {
            scratch = donors.rows.columns as u32 + 2 * donors.count;
            curves::donors(&mut args, donors)
        }
        Op::Coalesce => Kernel::Coalesce,
        Op::Vectorize { vectorizer, linear } => {
            let (kernel, needed) = text::lower(&mut args, vectorizer, linear.as_ref())?;
            scratch = needed;
            kernel
        }
    };
    Ok(Piece { kernel, inputs, args, scratch })
}

fn function_kernel(function: Function) -> Kernel {
    match function {
        Function::Abs => Kernel::Abs,
        Function::Cbrt => Kernel::Cbrt,
        Function::Ceil => Kernel::Ceil,
        Function::Cos => Kernel::Cos,
        Function::Exp => Kernel::Exp,
        Function::Exp2 => Kernel::Exp2,
        Function::Expit => Kernel::Expit,
        Function::Expm1 => Kernel::Expm1,
        Function::Floor => Kernel::Floor,
        Function::Log => Kernel::Log,
        Function::Log10 => Kernel::Log10,
        Function::Log1p => Kernel::Log1p,
        Function::Log2 => Kernel::Log2,
        Function::Negative => Kernel::Negative,
        Function::NormalQuantile => Kernel::NormalQuantile,
        Function::Reciprocal => Kernel::Reciprocal,
        Function::Relu => Kernel::Relu,
        Function::Rint => Kernel::Rint,
        Function::Sign => Kernel::Sign,
        Function::SignedSquare => Kernel::SignedSquare,
        Function::Sin => Kernel::Sin,
        Function::Softplus => Kernel::Softplus,
        Function::Sqrt => Kernel::Sqrt,
        Function::Square => Kernel::Square,
        Function::Sublinear => Kernel::Sublinear,
        Function::Tan => Kernel::Tan,
        Function::Tanh => Kernel::Tanh,
        Function::Trunc => Kernel::Trunc,
        Function::Float32 => Kernel::Float32,
        Function::Exp32 => Kernel::Exp32,
        Function::Sigmoid32 => Kernel::Sigmoid32,
        Function::NormalCdf => Kernel::NormalCdf,
        Function::Confidence => Kernel::Confidence,
    }
}

//! Steps that are done as one.
//!
//! A vectorizer or one-hot encoder whose columns only linear maps read never makes them (`encoders`): a text has tens of
//! terms where a vocabulary has thousands, and a category is one row of a table. What is left of the steps may still be
//! fewer operations (`operation`).

use super::{Piece, Want};
use crate::Result;
use crate::image::Kernel;
use crate::model::{
    Cell, Function, Graph, Lookup, Matrix, Op, Output, Step, Unknown, Wire, live_wires, output_wires,
    output_wires_mut,
};
use std::collections::HashMap;
use std::sync::Arc;

/// The graph with such steps and their part of the linear maps in one, and the output with its wires; None where
/// nothing changes.
///
/// # Errors
/// None that the graph had not.
pub fn encoders(graph: &Graph, output: &mut Output, want: Want) -> Result<Option<Graph>> {
    let also = if want == Want::Everything { graph.also() } else { &[] };
    let mut targets = output_wires(output);
    targets.extend(also.iter().flat_map(|(_, wires)| wires));
    let live = live_wires(graph, &targets);
    let is_live = |step: &Step| step.output.clone().any(|wire| live[wire as usize]);
    let producer = |wire: Wire| {
        let place = graph.steps().partition_point(|step| step.output.end <= wire);
        graph.steps().get(place).filter(|step| step.output.contains(&wire)).map(|_| place)
    };
    // The linear steps that read each encoder; none where another kind of step does.
    let encodes =
        |step: &Step| matches!(step.op, Op::Vectorize { linear: None, .. } | Op::OneHot { .. }) && is_live(step);
    let mut readers: HashMap<usize, Vec<usize>> = (0..graph.steps().len())
        .filter(|&number| encodes(&graph.steps()[number]))
        .map(|number| (number, vec![]))
        .collect();
    if readers.is_empty() {
        return Ok(None);
    }
    for wire in &targets {
        producer(*wire).map(|number| readers.remove(&number));
    }
    for (number, step) in graph.steps().iter().enumerate().filter(|(_, step)| is_live(step)) {
        for source in step.input.iter().filter_map(|&wire| producer(wire)) {
            if !matches!(step.op, Op::Affine { .. }) {
                readers.remove(&source);
            } else if let Some(known) = readers.get_mut(&source)
                && known.last() != Some(&number)
            {
                known.push(number);
            }
        }
    }

    // A table row for a category saves nothing where it is as wide as the columns.
    let width = |steps: &[usize]| steps.iter().map(|&step| graph.steps()[step].output.len()).sum::<usize>();
    readers.retain(|&number, steps| match &graph.steps()[number].op {
        Op::OneHot { width: columns, .. } => (1..*columns as usize).contains(&width(steps)),
        _ => true,
    });
    if readers.is_empty() {
        return Ok(None);
    }

    let columns = graph.steps().first().map_or(graph.wires(), |step| step.output.start as usize);
    let mut made = Graph::default();
    let mut to: Vec<Wire> = (0..graph.wires() as Wire).collect();
    for column in 0..columns {
        made.column(graph.kind(column as Wire));
    }
    // What each encoder contributes to each linear step.
    let mut parts: HashMap<(usize, usize), Vec<Wire>> = HashMap::new();
    for (number, step) in graph.steps().iter().enumerate().filter(|(_, step)| is_live(step)) {
        let input = |wires: &[Wire], to: &[Wire]| wires.iter().map(|&wire| to[wire as usize]).collect::<Vec<_>>();
        let fused = |wire: Wire| producer(wire).filter(|source| readers.contains_key(source));
        match &step.op {
            op if readers.contains_key(&number) => {
                // By term or category: what it adds to each output of each reader.
                let width = step.output.len();
                let (mut values, mut intercepts) = (Vec::new(), Vec::new());
                for &reader in &readers[&number] {
                    let reader = &graph.steps()[reader];
                    let Op::Affine { coef, intercept } = &reader.op else { continue };
                    let alone = reader.input.iter().all(|wire| step.output.contains(wire));
                    for (row, intercept) in intercept.iter().enumerate() {
                        let start = values.len();
                        values.resize(start + width, 0.0);
                        for (wire, weight) in reader.input.iter().zip(coef.row(row)) {
                            if step.output.contains(wire) {
                                values[start + (wire - step.output.start) as usize] += weight;
                            }
                        }
                        intercepts.push(if alone { *intercept } else { 0.0 });
                    }
                }
                let values = Matrix::new(intercepts.len(), width, values)?;
                let op = match op {
                    Op::OneHot { keys, hot, unknown, .. } => lookup(keys, hot, unknown, &values, &intercepts),
                    Op::Vectorize { vectorizer, .. } => {
                        Op::Vectorize { vectorizer: Arc::clone(vectorizer), linear: Some((values, intercepts)) }
                    }
                    op => op.clone(),
                };
                let mut wires = made.push(op, input(&step.input, &to), &step.path)?.into_iter();
                for &reader in &readers[&number] {
                    let count = graph.steps()[reader].output.len();
                    parts.insert((number, reader), wires.by_ref().take(count).collect());
                }
            }
            Op::Affine { coef, intercept } if step.input.iter().any(|&wire| fused(wire).is_some()) => {
                let rows = intercept.len();
                // The columns that are left, and in the place of each encoder's first its part as it is.
                let (mut inputs, mut columns, mut sources) = (Vec::new(), Vec::new(), Vec::new());
                for (place, &wire) in step.input.iter().enumerate() {
                    match fused(wire) {
                        None => {
                            inputs.push(to[wire as usize]);
                            columns.extend((0..rows).map(|row| coef.row(row)[place]));
                        }
                        Some(source) if !sources.contains(&source) => {
                            sources.push(source);
                            inputs.extend(&parts[&(source, number)]);
                            columns.extend((0..rows * rows).map(|at| f64::from(u8::from(at / rows == at % rows))));
                        }
                        Some(_) => {}
                    }
                }
                let wires = if let ([source], true) = (&sources[..], inputs.len() == rows) {
                    parts[&(*source, number)].clone()
                } else {
                    let coef = Matrix::new(inputs.len(), rows, columns)?.transpose();
                    made.push(Op::Affine { coef, intercept: intercept.clone() }, inputs, &step.path)?
                };
                step.output.clone().zip(wires).for_each(|(old, new)| to[old as usize] = new);
            }
            op => {
                let wires = made.push(op.clone(), input(&step.input, &to), &step.path)?;
                step.output.clone().zip(wires).for_each(|(old, new)| to[old as usize] = new);
            }
        }
    }
    for wire in output_wires_mut(output) {
        *wire = to[*wire as usize];
    }
    for (method, wires) in also {
        made.note(method, wires.iter().map(|&wire| to[wire as usize]).collect());
    }
    Ok(Some(made))
}

/// The encoder and the linear maps behind it: for each category the sums it makes.
fn lookup(
    keys: &[Cell],
    hot: &[Option<u32>],
    unknown: &Unknown<Option<u32>>,
    values: &Matrix,
    intercepts: &[f64],
) -> Op {
    let row = |place: &Option<u32>| {
        let of = |row: usize| place.map_or(0.0, |place| values.row(row)[place as usize]);
        intercepts.iter().enumerate().map(move |(row, intercept)| of(row) + intercept).collect::<Vec<f64>>()
    };
    Op::Lookup(Lookup {
        keys: keys.to_vec(),
        width: intercepts.len() as u32,
        values: hot.iter().flat_map(row).collect(),
        unknown: match unknown {
            Unknown::Error => Unknown::Error,
            Unknown::As(place) => Unknown::As(row(place)),
        },
    })
}

/// The operation that the first of these steps are together, how many they are and the wires it makes: the tables of one
/// encoder, for to begin another costs as much as to look up; or a large linear map and the rectifier that alone reads
/// it, which is then the least that is stored. `number` is that of the first step, as `last_use` counts.
///
/// # Errors
/// Where a step cannot be laid out.
pub fn operation(
    steps: &[&Step],
    number: usize,
    last_use: &HashMap<Wire, usize>,
    has_slot: impl Fn(Wire) -> bool,
    laid_out: impl Fn(&Step) -> Result<Piece>,
) -> Result<(Piece, usize, Vec<Wire>)> {
    let (first, after) = (steps[0], &steps[1..]);
    let mut piece = laid_out(first)?;
    let mut wires: Vec<Wire> = first.output.clone().collect();
    let mut count = 1;
    if piece.kernel == Kernel::Dense {
        let reads = |next: &Step| {
            matches!(next.op, Op::Function(Function::Relu)) && next.input.iter().copied().eq(first.output.clone())
        };
        let alone = wires.iter().all(|wire| last_use.get(wire) == Some(&(number + 1)));
        let rectifier = after.first().filter(|next| alone && reads(next));
        piece.args.f64(if rectifier.is_some() { 0.0 } else { f64::NEG_INFINITY });
        if let Some(next) = rectifier {
            (wires, count) = (next.output.clone().collect(), 2);
        }
    }
    let alike = |next: &Step| {
        let looks_up = |step: &Step| matches!(step.op, Op::Lookup(_));
        looks_up(first) && looks_up(next) && next.path == first.path && next.output.len() == first.output.len()
    };
    for next in after.iter().take_while(|next| alike(next) && next.input.iter().all(|&wire| has_slot(wire))) {
        let other = laid_out(next)?;
        if other.kernel != piece.kernel || !piece.args.append(&other.args) {
            break;
        }
        piece.inputs.extend(other.inputs);
        wires.extend(next.output.clone());
        count += 1;
    }
    Ok((piece, count, wires))
}

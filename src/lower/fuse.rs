//! A vectorizer whose columns only linear maps read never makes them: a text has tens of terms where a vocabulary
//! has thousands, and a row then costs what its text is long.

use super::Want;
use crate::Result;
use crate::model::{Graph, Matrix, Op, Output, Step, Wire, live_wires, output_wires, output_wires_mut};
use std::collections::HashMap;
use std::sync::Arc;

/// The graph with such vectorizers and the linear maps in one step, and the output with its wires; None where
/// nothing changes.
///
/// # Errors
/// None that the graph had not.
pub fn vectorizers(graph: &Graph, output: &mut Output, want: Want) -> Result<Option<Graph>> {
    let also = if want == Want::Everything { graph.also() } else { &[] };
    let mut targets = output_wires(output);
    targets.extend(also.iter().flat_map(|(_, wires)| wires));
    let live = live_wires(graph, &targets);
    let is_live = |step: &Step| step.output.clone().any(|wire| live[wire as usize]);
    let producer = |wire: Wire| {
        let place = graph.steps().partition_point(|step| step.output.end <= wire);
        graph.steps().get(place).filter(|step| step.output.contains(&wire)).map(|_| place)
    };
    // The linear steps that read each vectorizer; none where another kind of step does.
    let vectorizes = |step: &Step| matches!(step.op, Op::Vectorize { linear: None, .. }) && is_live(step);
    let mut readers: HashMap<usize, Vec<usize>> = (0..graph.steps().len())
        .filter(|&number| vectorizes(&graph.steps()[number]))
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

    let columns = graph.steps().first().map_or(graph.wires(), |step| step.output.start as usize);
    let mut made = Graph::default();
    let mut to: Vec<Wire> = (0..graph.wires() as Wire).collect();
    for column in 0..columns {
        made.column(graph.kind(column as Wire));
    }
    // What each vectorizer contributes to each linear step.
    let mut parts: HashMap<(usize, usize), Vec<Wire>> = HashMap::new();
    for (number, step) in graph.steps().iter().enumerate().filter(|(_, step)| is_live(step)) {
        let input = |wires: &[Wire], to: &[Wire]| wires.iter().map(|&wire| to[wire as usize]).collect::<Vec<_>>();
        let fused = |wire: Wire| producer(wire).filter(|source| readers.contains_key(source));
        match &step.op {
            Op::Vectorize { vectorizer, .. } if readers.contains_key(&number) => {
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
                let linear = Some((Matrix::new(intercepts.len(), width, values)?, intercepts));
                let op = Op::Vectorize { vectorizer: Arc::clone(vectorizer), linear };
                let mut wires = made.push(op, input(&step.input, &to), &step.path)?.into_iter();
                for &reader in &readers[&number] {
                    let count = graph.steps()[reader].output.len();
                    parts.insert((number, reader), wires.by_ref().take(count).collect());
                }
            }
            Op::Affine { coef, intercept } if step.input.iter().any(|&wire| fused(wire).is_some()) => {
                let rest: Vec<usize> =
                    (0..step.input.len()).filter(|&place| fused(step.input[place]).is_none()).collect();
                let mut sources: Vec<usize> = step.input.iter().filter_map(|&wire| fused(wire)).collect();
                sources.dedup();
                sources.sort_unstable();
                sources.dedup();
                let rows = intercept.len();
                let wires = if let ([source], true) = (&sources[..], rest.is_empty()) {
                    parts[&(*source, number)].clone()
                } else {
                    // The rest of the map, and each part as it is.
                    let mut values = Vec::new();
                    for row in 0..rows {
                        values.extend(rest.iter().map(|&place| coef.row(row)[place]));
                        values.extend(
                            sources
                                .iter()
                                .flat_map(|_| (0..rows).map(move |other| f64::from(u8::from(other == row)))),
                        );
                    }
                    let mut inputs: Vec<Wire> = rest.iter().map(|&place| to[step.input[place] as usize]).collect();
                    inputs.extend(sources.iter().flat_map(|&source| &parts[&(source, number)]));
                    let coef = Matrix::new(rows, inputs.len(), values)?;
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

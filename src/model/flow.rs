//! What the steps mean for the columns: which wires any output needs, and which columns may be missing, infinite
//! or hold a value outside the categories. One backward pass; importers call it last.

use super::ops::OnMissing;
use super::{Graph, Marker, Model, Op, Output, Unknown, Width, Wire, WireKind};

/// The wires an output is made of.
pub fn output_wires(output: &Output) -> Vec<Wire> {
    match output {
        Output::Classification { label, probabilities, scores, .. } => {
            let lists = probabilities.iter().chain(scores).flatten();
            std::iter::once(label).chain(lists).copied().collect()
        }
        Output::Regression { values, .. } | Output::Transform { values, .. } => values.clone(),
        Output::Several(outputs) => outputs.iter().flat_map(output_wires).collect(),
        Output::Anomaly { outlier, score, samples } => [*outlier, *score].into_iter().chain(*samples).collect(),
        Output::Clustering { cluster, distances, .. } => {
            std::iter::once(*cluster).chain(distances.iter().flatten().copied()).collect()
        }
    }
}

/// `output_wires`, to be changed.
pub fn output_wires_mut(output: &mut Output) -> Vec<&mut Wire> {
    match output {
        Output::Classification { label, probabilities, scores, .. } => {
            let lists = probabilities.iter_mut().chain(scores).flatten();
            std::iter::once(label).chain(lists).collect()
        }
        Output::Regression { values, .. } | Output::Transform { values, .. } => values.iter_mut().collect(),
        Output::Several(outputs) => outputs.iter_mut().flat_map(output_wires_mut).collect(),
        Output::Anomaly { outlier, score, samples } => [outlier, score].into_iter().chain(samples).collect(),
        Output::Clustering { cluster, distances, .. } => {
            std::iter::once(cluster).chain(distances.iter_mut().flatten()).collect()
        }
    }
}

/// For each wire, whether one of `targets` depends on it; a step is live where one of its outputs is.
pub fn live_wires(graph: &Graph, targets: &[Wire]) -> Vec<bool> {
    let mut live = vec![false; graph.wires()];
    for &wire in targets {
        live[wire as usize] = true;
    }
    for step in graph.steps().iter().rev() {
        if step.output.clone().any(|wire| live[wire as usize]) {
            for &wire in &step.input {
                live[wire as usize] = true;
            }
        }
    }
    live
}

impl Model {
    /// Derives `missing`, `infinite`, `single`, `unknown`, `used` and `readers` of every column from the steps that read it,
    /// and what steps refuse that check for others.
    pub fn settle_columns(&mut self) {
        let graph = &self.graph;
        let live = live_wires(graph, &output_wires(&self.output));
        // A transformer's own output may be missing: whoever reads it decides.
        let wires = graph.wires();
        let (mut missing, mut infinite, mut unknown) = (vec![true; wires], vec![true; wires], vec![true; wires]);
        let mut single = vec![false; wires];
        let mut checks = Vec::new();
        for (number, step) in graph.steps().iter().enumerate().rev() {
            if !step.output.clone().any(|wire| live[wire as usize]) {
                continue;
            }
            let all = |flags: &[bool]| step.output.clone().all(|wire| flags[wire as usize]);
            let accepts_missing = match step.op.on_missing() {
                OnMissing::Handles => true,
                OnMissing::Passes => all(&missing),
                OnMissing::Rejects => false,
            };
            let accepts_infinite = match &step.op {
                Op::Trees(ensemble) => ensemble.infinite,
                Op::Oblivious(_) => true,
                Op::Function(_) | Op::Finite { .. } | Op::Absent { .. } | Op::Clip { .. } => all(&infinite),
                _ => false,
            };
            let takes_single = match &step.op {
                Op::Trees(ensemble) => ensemble.compare == Width::F32 && !ensemble.infinite,
                Op::Finite { .. } | Op::Absent { .. } | Op::Impute { .. } => {
                    step.output.clone().any(|wire| single[wire as usize])
                }
                _ => false,
            };
            let accepts_unknown = match &step.op {
                Op::OneHot { unknown, .. } => *unknown != Unknown::Error,
                Op::Lookup(lookup) => lookup.unknown != Unknown::Error,
                Op::Impute { .. } => all(&unknown),
                _ => true,
            };
            if let Op::Finite { .. } = step.op {
                checks.push((number, Op::Finite { missing: !accepts_missing, infinite: !accepts_infinite }));
            }
            for &wire in &step.input {
                missing[wire as usize] &= accepts_missing;
                infinite[wire as usize] &= accepts_infinite;
                single[wire as usize] |= takes_single;
                unknown[wire as usize] &= accepts_unknown;
            }
        }
        for (number, column) in self.schema.columns.iter_mut().enumerate() {
            column.used = live[number];
            column.missing = missing[number];
            column.infinite = infinite[number];
            column.single = single[number] && column.kind.holds_numbers();
            column.unknown = unknown[number];
            let reads = |input: &[Wire]| input.iter().any(|&wire| wire as usize == number);
            let mut readers: Vec<String> = Vec::new();
            for step in graph.steps().iter().filter(|step| reads(&step.input)) {
                if !readers.contains(&step.path) {
                    readers.push(step.path.clone());
                }
            }
            column.readers = readers;
        }
        for (number, op) in checks {
            self.graph.replace(number, op);
        }
    }
}

/// A marker as a person reads it.
impl std::fmt::Display for Marker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Marker::Nan => f.write_str("missing"),
            Marker::Value(cell) => write!(f, "{cell}"),
        }
    }
}

impl WireKind {
    /// The schema column whose vocabulary a code belongs to.
    pub fn code_of(self) -> Option<u32> {
        match self {
            WireKind::Code(column) => Some(column),
            _ => None,
        }
    }
}

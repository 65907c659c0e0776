//! The nearest stored vectors by brute force, and what is made of them. Every metric compares a reduced distance
//! (squared, say) and finishes only what is kept.

use super::pairwise::{dot, fold, gather, manhattan, squared_distance};
use super::{Call, Shape, rows, rows_mut};
use crate::image::Reader;

/// A metric: the reduced distance, and from it the distance and back.
pub trait Metric {
    fn new(code: u32, parameter: f64) -> Self;
    fn reduced(&self, a: &[f64], b: &[f64]) -> f64;
    fn finish(&self, reduced: f64) -> f64;
    fn reduce(&self, distance: f64) -> f64;
}

pub struct Euclidean;

impl Metric for Euclidean {
    fn new(_: u32, _: f64) -> Self {
        Euclidean
    }

    fn reduced(&self, a: &[f64], b: &[f64]) -> f64 {
        squared_distance(a, b)
    }

    fn finish(&self, reduced: f64) -> f64 {
        libm::sqrt(reduced)
    }

    fn reduce(&self, distance: f64) -> f64 {
        distance * distance
    }
}

pub struct Manhattan;

impl Metric for Manhattan {
    fn new(_: u32, _: f64) -> Self {
        Manhattan
    }

    fn reduced(&self, a: &[f64], b: &[f64]) -> f64 {
        manhattan(a, b)
    }

    fn finish(&self, reduced: f64) -> f64 {
        reduced
    }

    fn reduce(&self, distance: f64) -> f64 {
        distance
    }
}

/// Codes of the metrics that `Any` tells apart.
pub mod code {
    pub const EUCLIDEAN: u32 = 0;
    pub const MANHATTAN: u32 = 1;
    pub const CHEBYSHEV: u32 = 2;
    pub const MINKOWSKI: u32 = 3;
    pub const CANBERRA: u32 = 4;
    pub const BRAY_CURTIS: u32 = 5;
    pub const HAMMING: u32 = 6;
    pub const COSINE: u32 = 7;
    pub const GREAT_CIRCLE: u32 = 8;
}

/// All metrics, the common ones too, in one kernel for those that are rare.
pub struct Any {
    code: u32,
    power: f64,
}

impl Metric for Any {
    fn new(code: u32, parameter: f64) -> Self {
        Any { code, power: parameter }
    }

    fn reduced(&self, a: &[f64], b: &[f64]) -> f64 {
        let count = a.len() as f64;
        match self.code {
            code::MANHATTAN => manhattan(a, b),
            code::CHEBYSHEV => {
                let differences = a.iter().zip(b).map(|(&x, &y)| libm::fabs(x - y));
                differences.fold(0.0, |most, x| if x > most { x } else { most })
            }
            code::MINKOWSKI => fold(a, b, |x, y| libm::pow(libm::fabs(x - y), self.power)),
            code::CANBERRA => fold(a, b, |x, y| {
                let size = libm::fabs(x) + libm::fabs(y);
                if size > 0.0 { libm::fabs(x - y) / size } else { 0.0 }
            }),
            code::BRAY_CURTIS => {
                let size = fold(a, b, |x, y| libm::fabs(x) + libm::fabs(y));
                if size > 0.0 { manhattan(a, b) / size } else { 0.0 }
            }
            code::HAMMING => fold(a, b, |x, y| f64::from(u8::from(x != y))) / count,
            code::COSINE => {
                let distance = 1.0 - dot(a, b);
                if distance < 0.0 { 0.0 } else { distance }
            }
            _ => squared_distance(a, b),
        }
    }

    fn finish(&self, reduced: f64) -> f64 {
        match self.code {
            code::EUCLIDEAN => libm::sqrt(reduced),
            code::MINKOWSKI => libm::pow(reduced, 1.0 / self.power),
            code::GREAT_CIRCLE => {
                let half = 0.5 * libm::sqrt(reduced);
                2.0 * libm::asin(if half > 1.0 { 1.0 } else { half })
            }
            _ => reduced,
        }
    }

    fn reduce(&self, distance: f64) -> f64 {
        match self.code {
            code::EUCLIDEAN => distance * distance,
            code::MINKOWSKI => libm::pow(distance, self.power),
            code::GREAT_CIRCLE => {
                // Everything lies within half the circle.
                let chord = 2.0 * libm::sin(0.5 * distance);
                if distance >= core::f64::consts::PI { 4.0 } else { chord * chord }
            }
            _ => distance,
        }
    }
}

/// Metric's code and parameter, then the number of vectors; after them what the kernel itself reads.
struct Stored<'a> {
    code: u32,
    parameter: f64,
    vectors: &'a [f64],
    count: usize,
}

impl<'a> Stored<'a> {
    fn read(args: &mut Reader<'a>, inputs: usize) -> Option<Stored<'a>> {
        let &[code, count] = args.list::<u32>(2)? else { return None };
        let parameter = args.one::<f64>()?;
        let vectors = args.list::<f64>((count as usize).checked_mul(inputs)?)?;
        (inputs > 0 && count > 0).then_some(Stored { code, parameter, vectors, count: count as usize })
    }
}

/// Two outputs a neighbour; a slot for each input and each output, to work row by row.
pub fn check_nearest(shape: &Shape) -> Option<usize> {
    let stored = Stored::read(&mut shape.args(), shape.inputs)?;
    let neighbours = shape.outputs / 2;
    (shape.outputs.is_multiple_of(2) && neighbours > 0 && neighbours <= stored.count).then_some(())?;
    shape.inputs.checked_add(shape.outputs)
}

/// The distances of the nearest vectors, ascending, then their places.
pub fn nearest<M: Metric>(call: &Call) {
    let inputs = call.inputs.len();
    let Some(stored) = Stored::read(&mut call.args(), inputs) else { return };
    let metric = M::new(stored.code, stored.parameter);
    let scratch = call.scratch(inputs + call.outputs);
    let (table, kept) = scratch.split_at_mut_checked(inputs * call.rows).unwrap_or_default();
    gather(call, table);
    let neighbours = (call.outputs / 2).max(1);
    let (near, places) = kept.split_at_mut_checked(neighbours * call.rows).unwrap_or_default();
    near.fill(f64::INFINITY);
    places.fill(0.0);
    for (place, vector) in rows(stored.vectors, inputs).enumerate() {
        let rows = rows(table, inputs);
        let lists = rows_mut(near, neighbours).zip(rows_mut(places, neighbours));
        for (row, (near, places)) in rows.zip(lists) {
            let mut distance = metric.reduced(row, vector);
            if near.last().is_some_and(|&farthest| distance < farthest) {
                // Nearer ones stay; from the first farther one on, all move up.
                let mut place = place as f64;
                for (kept, at) in near.iter_mut().zip(places.iter_mut()) {
                    if distance < *kept || (distance == *kept && place < *at) {
                        core::mem::swap(kept, &mut distance);
                        core::mem::swap(at, &mut place);
                    }
                }
            }
        }
    }
    for number in 0..neighbours {
        for (y, near) in call.output(number).iter_mut().zip(rows(near, neighbours)) {
            *y = metric.finish(near.get(number).copied().unwrap_or(0.0));
        }
        for (y, places) in call.output(neighbours + number).iter_mut().zip(rows(places, neighbours)) {
            *y = places.get(number).copied().unwrap_or(0.0);
        }
    }
}

/// How `vote` and `mean` count the neighbours of a row: `weight(j)` of the j-th, and the sum of all.
struct Row<'a> {
    call: &'a Call<'a>,
    row: usize,
    neighbours: usize,
    weighted: bool,
    exact: bool,
}

impl<'a> Row<'a> {
    fn new(call: &'a Call<'a>, row: usize, weighted: bool) -> Row<'a> {
        let neighbours = call.inputs.len() / 2;
        let mut this = Row { call, row, neighbours, weighted, exact: false };
        this.exact = weighted && (0..neighbours).any(|number| this.inverse(number) == f64::INFINITY);
        this
    }

    fn at(&self, number: usize) -> f64 {
        self.call.input(number).get(self.row).copied().unwrap_or(0.0)
    }

    fn inverse(&self, number: usize) -> f64 {
        1.0 / self.at(number)
    }

    fn weight(&self, number: usize) -> f64 {
        match (self.weighted, self.exact) {
            (false, _) => 1.0,
            (true, false) => self.inverse(number),
            (true, true) => f64::from(u8::from(self.inverse(number) == f64::INFINITY)),
        }
    }

    /// The neighbours' weights and places.
    fn each(&self) -> impl Iterator<Item = (f64, usize)> {
        (0..self.neighbours).map(|number| (self.weight(number), self.at(self.neighbours + number) as usize))
    }

    fn total(&self) -> f64 {
        self.each().map(|(weight, _)| weight).sum()
    }
}

/// Distances and places come in; weighted or not, number of vectors.
fn check_neighbours<'a>(shape: &Shape<'a>) -> Option<(Reader<'a>, usize)> {
    let mut args = shape.args();
    let &[_, vectors] = args.list::<u32>(2)? else { return None };
    (shape.inputs > 0 && shape.inputs.is_multiple_of(2)).then_some((args, vectors as usize))
}

/// The class of each vector.
pub fn check_vote(shape: &Shape) -> Option<usize> {
    let (mut args, vectors) = check_neighbours(shape)?;
    let classes = args.list::<u32>(vectors)?;
    classes.iter().all(|&class| (class as usize) < shape.outputs).then_some(0)
}

/// Each class's share of the weights.
pub fn vote(call: &Call) {
    let mut args = call.args();
    let Some(&[weighted, vectors]) = args.list::<u32>(2) else { return };
    let Some(classes) = args.list::<u32>(vectors as usize) else { return };
    for output in call.outputs() {
        output.fill(0.0);
    }
    for number in 0..call.rows {
        let row = Row::new(call, number, weighted == 1);
        for (weight, place) in row.each() {
            let class = classes.get(place).copied().unwrap_or(0);
            if let Some(y) = call.output(class as usize).get_mut(number) {
                *y += weight;
            }
        }
        let total = row.total();
        for y in call.outputs().filter_map(|output| output.get_mut(number)) {
            *y /= total;
        }
    }
}

/// The values of each vector, one an output.
pub fn check_mean(shape: &Shape) -> Option<usize> {
    let (mut args, vectors) = check_neighbours(shape)?;
    args.list::<f64>(vectors.checked_mul(shape.outputs)?)?;
    Some(0)
}

/// The weighted mean of the neighbours' values.
pub fn mean(call: &Call) {
    let mut args = call.args();
    let Some(&[weighted, vectors]) = args.list::<u32>(2) else { return };
    let Some(values) = args.list::<f64>(vectors as usize * call.outputs) else { return };
    for number in 0..call.rows {
        let row = Row::new(call, number, weighted == 1);
        let total = row.total();
        for (column, output) in call.outputs().enumerate() {
            let value = |place: usize| values.get(place * call.outputs + column).copied().unwrap_or(0.0);
            let sum: f64 = row.each().map(|(weight, place)| weight * value(place)).sum();
            if let Some(y) = output.get_mut(number) {
                *y = sum / total;
            }
        }
    }
}

/// Reach and density of each vector.
pub fn check_outlier_factor(shape: &Shape) -> Option<usize> {
    let (mut args, vectors) = check_neighbours(shape)?;
    args.list::<f64>(vectors.checked_mul(2)?)?;
    (shape.outputs == 1).then_some(0)
}

/// The negative local outlier factor: how much denser, on average, the neighbours are than the row.
pub fn outlier_factor(call: &Call) {
    let mut args = call.args();
    let Some(&[_, vectors]) = args.list::<u32>(2) else { return };
    let Some(reach) = args.list::<f64>(vectors as usize) else { return };
    let Some(density) = args.list::<f64>(vectors as usize) else { return };
    for (number, y) in call.output(0).iter_mut().enumerate() {
        let row = Row::new(call, number, false);
        let count = row.neighbours as f64;
        let of = |list: &[f64], place: usize| list.get(place).copied().unwrap_or(0.0);
        let reaches = row.each().enumerate().map(|(neighbour, (_, place))| {
            let (distance, reach) = (row.at(neighbour), of(reach, place));
            if distance > reach { distance } else { reach }
        });
        let own = 1.0 / (reaches.sum::<f64>() / count + 1e-10);
        let ratios: f64 = row.each().map(|(_, place)| of(density, place) / own).sum();
        *y = -(ratios / count);
    }
}

/// 1 where connections are marked, 0 where distances are written; one output a vector.
pub fn check_scatter(shape: &Shape) -> Option<usize> {
    check_neighbours(shape).filter(|&(_, vectors)| vectors == shape.outputs).map(|_| 0)
}

/// At each neighbour's column its distance, or 1; elsewhere 0.
pub fn scatter(call: &Call) {
    let Some(&[connections, _]) = call.args().list::<u32>(2) else { return };
    for output in call.outputs() {
        output.fill(0.0);
    }
    for number in 0..call.rows {
        let row = Row::new(call, number, false);
        for (neighbour, (_, place)) in row.each().enumerate() {
            if let Some(y) = call.output(place).get_mut(number) {
                *y = if connections == 1 { 1.0 } else { row.at(neighbour) };
            }
        }
    }
}

/// The stored vectors; 1 where weighted, 1 where empty rows have values; the radius; one value a vector and output;
/// the values of empty rows. A slot for each input and output, one for the weights and one for exact matches.
pub fn check_within(shape: &Shape) -> Option<usize> {
    Within::read(&mut shape.args(), shape.inputs, shape.outputs)?;
    shape.inputs.checked_add(shape.outputs)?.checked_add(2)
}

struct Within<'a> {
    stored: Stored<'a>,
    weighted: bool,
    radius: f64,
    values: &'a [f64],
    empty: Option<&'a [f64]>,
}

impl<'a> Within<'a> {
    fn read(args: &mut Reader<'a>, inputs: usize, outputs: usize) -> Option<Within<'a>> {
        let stored = Stored::read(args, inputs)?;
        let &[weighted, filled] = args.list::<u32>(2)? else { return None };
        let radius = args.one::<f64>()?;
        let values = args.list::<f64>(stored.count.checked_mul(outputs)?)?;
        let empty = if filled == 1 { Some(args.list(outputs)?) } else { None };
        Some(Within { stored, weighted: weighted == 1, radius, values, empty })
    }
}

/// The weighted mean of the values of all vectors within the radius.
pub fn within<M: Metric>(call: &Call) {
    let (inputs, outputs) = (call.inputs.len(), call.outputs);
    let Some(within) = Within::read(&mut call.args(), inputs, outputs) else { return };
    let metric = M::new(within.stored.code, within.stored.parameter);
    let limit = metric.reduce(within.radius);
    let scratch = call.scratch(inputs + outputs + 2);
    let (table, sums) = scratch.split_at_mut_checked(inputs * call.rows).unwrap_or_default();
    gather(call, table);
    // Each row's sums, then its weight, then whether an exact match is among its neighbours.
    sums.fill(0.0);
    let vectors = rows(within.stored.vectors, inputs);
    for (vector, values) in vectors.zip(rows(within.values, outputs)) {
        for (row, sums) in rows(table, inputs).zip(rows_mut(sums, outputs + 2)) {
            let reduced = metric.reduced(row, vector);
            if reduced > limit || reduced.is_nan() {
                continue;
            }
            let mut weight = if within.weighted { 1.0 / metric.finish(reduced) } else { 1.0 };
            if weight == f64::INFINITY {
                if sums.last() == Some(&0.0) {
                    sums.fill(0.0);
                }
                if let Some(exact) = sums.last_mut() {
                    *exact = 1.0;
                }
                weight = 1.0;
            } else if sums.last() == Some(&1.0) {
                continue;
            }
            for (sum, value) in sums.iter_mut().zip(values.iter().chain(core::iter::once(&1.0))) {
                *sum += weight * value;
            }
        }
    }
    for (number, sums) in rows(sums, outputs + 2).enumerate() {
        let total = sums.get(outputs).copied().unwrap_or(0.0);
        for (column, output) in call.outputs().enumerate() {
            let sum = sums.get(column).copied().unwrap_or(0.0);
            if let Some(y) = output.get_mut(number) {
                *y = match within.empty {
                    _ if total > 0.0 => sum / total,
                    Some(empty) => empty.get(column).copied().unwrap_or(f64::NAN),
                    None => {
                        call.refuse(number);
                        f64::NAN
                    }
                };
            }
        }
    }
}

//! Missing values filled from other columns: from neighbours, or from a model's prediction.

use super::{Call, Shape, rows};
use crate::image::Reader;

/// Two inputs an output.
pub fn check_coalesce(shape: &Shape) -> Option<usize> {
    (shape.inputs == shape.outputs.checked_mul(2)?).then_some(0)
}

/// Output k is input k where it is there, else input outputs + k.
pub fn coalesce(call: &Call) {
    for (number, output) in call.outputs().enumerate() {
        let others = call.input(call.outputs + number);
        for ((y, &x), &other) in output.iter_mut().zip(call.input(number)).zip(others) {
            *y = if x.is_nan() { other } else { x };
        }
    }
}

/// Rows kept from training, NaN where a value was missing.
struct Donors<'a> {
    /// Of how many donors the mean is taken.
    most: usize,
    /// Weights are 1 / distance.
    by_distance: bool,
    /// Fewer donors than `most` are refused, unless the column has no more.
    strict: bool,
    means: &'a [f64],
    rows: &'a [f64],
}

impl<'a> Donors<'a> {
    fn read(args: &mut Reader<'a>, columns: usize) -> Option<Donors<'a>> {
        let &[rows, most, flags] = args.list::<u32>(3)?.first_chunk()?;
        let means = args.list::<f64>(columns)?;
        let rows = args.list::<f64>((rows as usize).checked_mul(columns)?)?;
        Some(Donors { most: most as usize, by_distance: flags & 1 != 0, strict: flags & 2 != 0, means, rows })
    }
}

pub fn check_donors(shape: &Shape) -> Option<usize> {
    let donors = Donors::read(&mut shape.args(), shape.inputs)?;
    let scratch = shape.inputs.checked_add(donors.most.checked_mul(2)?)?;
    (donors.most > 0 && shape.inputs > 0 && shape.inputs == shape.outputs).then_some(scratch)
}

/// A missing value becomes the mean of that column over the nearest rows that have it, or the column's mean where no
/// such row shares a column with this one. Distances leave out the columns that either row lacks, and count the
/// others for them: squares summed × columns / columns shared.
pub fn donors(call: &Call) {
    let columns = call.outputs;
    let Some(donors) = Donors::read(&mut call.args(), columns) else { return };
    let most = donors.most;
    let (row, rest) = call.scratch(columns + 2 * most).split_at_mut_checked(columns).unwrap_or_default();
    let (distances, rest) = rest.split_at_mut_checked(most).unwrap_or_default();
    let values = rest.get_mut(..most).unwrap_or_default();
    for number in 0..call.rows {
        for (to, input) in row.iter_mut().zip(call.inputs()) {
            *to = input.get(number).copied().unwrap_or(f64::NAN);
        }
        for (column, output) in call.outputs().enumerate() {
            let Some(y) = output.get_mut(number) else { continue };
            *y = row.get(column).copied().unwrap_or(f64::NAN);
            if !y.is_nan() {
                continue;
            }
            let (mut found, mut known) = (0, 0);
            for other in rows(donors.rows, columns) {
                let value = other.get(column).copied().unwrap_or(f64::NAN);
                if value.is_nan() {
                    continue;
                }
                known += 1;
                let distance = distance(row, other);
                if !distance.is_nan() {
                    found = insert(distances, values, found, distance, value);
                }
            }
            if found == 0 {
                *y = donors.means.get(column).copied().unwrap_or(f64::NAN);
            } else if donors.strict && found < if known < most { known } else { most } {
                return call.refuse(number);
            } else {
                let nearest = distances.iter().zip(values.iter()).take(found);
                let exact = donors.by_distance && distances.first() == Some(&0.0);
                let (mut sum, mut weights) = (0.0, 0.0);
                for (&distance, &value) in nearest {
                    let weight = match (donors.by_distance, exact) {
                        (false, _) => 1.0,
                        (true, false) => 1.0 / distance,
                        (true, true) => f64::from(u8::from(distance == 0.0)),
                    };
                    sum += weight * value;
                    weights += weight;
                }
                *y = sum / weights;
            }
        }
    }
}

/// NaN where the rows share no column.
fn distance(row: &[f64], other: &[f64]) -> f64 {
    let (mut sum, mut shared) = (0.0, 0.0);
    for (&x, &y) in row.iter().zip(other) {
        if !x.is_nan() && !y.is_nan() {
            sum += (x - y) * (x - y);
            shared += 1.0;
        }
    }
    libm::sqrt(sum / shared * row.len() as f64)
}

/// Keeps the nearest in ascending order, of equally near ones the earlier; returns how many there are now.
fn insert(distances: &mut [f64], values: &mut [f64], found: usize, distance: f64, value: f64) -> usize {
    let at = distances.get(..found).unwrap_or(&[]).partition_point(|&nearer| nearer <= distance);
    let end = if found < distances.len() { found + 1 } else { found };
    for (list, new) in [(distances, distance), (values, value)] {
        let mut moved = new;
        for slot in list.get_mut(at..end).into_iter().flatten() {
            core::mem::swap(slot, &mut moved);
        }
    }
    end
}

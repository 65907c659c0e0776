//! CatBoost's target statistics: a number looked up by the hash of a row's categories and answers.
//!
//! A category becomes a number by `category_hash`, where the model does not name its categories, or by a table of them.
//! Inputs of `ctr` are whole numbers below 2^32 (the hash of a category, or 0 and 1 for an answer); NaN is a category outside the
//! model's list, whose row takes the number for unknown combinations.

use super::{Call, Shape, city};
use crate::image::Reader;

/// CatBoost's `CalcHash`: the hash so far, and the next number of the chain (catboost/libs/model/hash.h). Numbers are
/// widened with their sign.
#[inline]
pub fn chain(hash: u64, next: u32) -> u64 {
    const FACTOR: u64 = 0x4906_ba49_4954_cb65;
    let next = next as i32 as i64 as u64;
    FACTOR.wrapping_mul(hash.wrapping_add(FACTOR.wrapping_mul(next)))
}

pub fn check_category_hash(shape: &Shape) -> Option<usize> {
    (shape.inputs == 1 && shape.outputs == 1).then_some(0)
}

/// The number of the text that each row has.
pub fn category_hash(call: &Call) {
    for (row, (y, &place)) in call.output(0).iter_mut().zip(call.input(0)).enumerate() {
        match call.text(place) {
            Some(text) => *y = city::category(text).into(),
            None => call.refuse(row),
        }
    }
}

/// The arguments, in the order in which they stand.
struct Statistic<'a> {
    /// The number for combinations that are not in the table.
    empty: f64,
    values: &'a [f64],
    /// Low and high half of the hashes, ascending as a whole.
    hashes: &'a [[u32; 2]],
}

impl<'a> Statistic<'a> {
    #[inline]
    fn read(mut args: Reader<'a>) -> Option<Statistic<'a>> {
        let count = args.one::<u32>()? as usize;
        Some(Statistic {
            empty: args.one()?,
            values: args.list(count)?,
            hashes: args.list::<u32>(count.checked_mul(2)?)?.as_chunks().0,
        })
    }
}

pub fn check(shape: &Shape) -> Option<usize> {
    Statistic::read(shape.args())?;
    (shape.inputs > 0 && shape.outputs == 1).then_some(0)
}

pub fn ctr(call: &Call) {
    let Some(statistic) = Statistic::read(call.args()) else { return };
    for (row, y) in call.output(0).iter_mut().enumerate() {
        *y = look_up(call, &statistic, row).unwrap_or(statistic.empty);
    }
}

#[inline]
fn look_up(call: &Call, statistic: &Statistic, row: usize) -> Option<f64> {
    let mut hash = 0;
    for input in call.inputs() {
        let &next = input.get(row)?;
        if next.is_nan() {
            return None;
        }
        hash = chain(hash, next as u32);
    }
    let whole = |&[low, high]: &[u32; 2]| u64::from(high) << 32 | u64::from(low);
    let place = statistic.hashes.partition_point(|parts| whole(parts) < hash);
    if statistic.hashes.get(place).map(whole) != Some(hash) {
        return None;
    }
    statistic.values.get(place).copied()
}

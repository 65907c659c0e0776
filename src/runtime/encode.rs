//! Categories to numbers: one-hot columns and lookup tables, by code or by number.
//!
//! A value the table does not hold takes the rule for unknown values; a missing one the rule for missing values.
//! `REFUSE` stands where the original raises.

use super::{Call, Shape};
use crate::image::Reader;

/// In the place of a row or column number: the original raises.
pub const REFUSE: u32 = u32::MAX;
/// No column: the encoded row is all zeros.
pub const NOWHERE: u32 = u32::MAX - 1;

/// Where each value goes: a table by code, or sorted keys with a table beside them.
struct Table<'a> {
    /// Ascending, for numbers; empty for codes.
    keys: &'a [f64],
    places: &'a [u32],
    unknown: u32,
    missing: u32,
}

impl<'a> Table<'a> {
    fn read(args: &mut Reader<'a>, by_number: bool) -> Option<Table<'a>> {
        let &[count, unknown, missing] = args.list::<u32>(3)?.first_chunk()?;
        let keys = args.list::<f64>(if by_number { count as usize } else { 0 })?;
        Some(Table { keys, places: args.list::<u32>(count as usize)?, unknown, missing })
    }

    /// Every place is below `limit` or one of the marks.
    fn check(&self, limit: usize) -> Option<()> {
        let holds = |&place: &u32| (place as usize) < limit || place >= NOWHERE;
        (self.places.iter().all(holds) && holds(&self.unknown) && holds(&self.missing)).then_some(())
    }

    #[inline]
    fn by_code(&self, code: f64) -> u32 {
        if code.is_nan() {
            return self.missing;
        }
        // A code is -1 outside the vocabulary; the cast saturates, so any other number lands outside the table.
        let place = if code < 0.0 { usize::MAX } else { code as usize };
        self.places.get(place).copied().unwrap_or(self.unknown)
    }

    #[inline]
    fn by_number(&self, value: f64) -> u32 {
        if value.is_nan() {
            return self.missing;
        }
        let place = self.keys.partition_point(|&key| key < value);
        match (self.keys.get(place), self.places.get(place)) {
            (Some(&key), Some(&to)) if key == value => to,
            _ => self.unknown,
        }
    }
}

pub fn check_one_hot_code(shape: &Shape) -> Option<usize> {
    check_one_hot(shape, false)
}

pub fn check_one_hot_number(shape: &Shape) -> Option<usize> {
    check_one_hot(shape, true)
}

fn check_one_hot(shape: &Shape, by_number: bool) -> Option<usize> {
    Table::read(&mut shape.args(), by_number)?.check(shape.outputs)?;
    (shape.inputs == 1).then_some(0)
}

pub fn one_hot_code(call: &Call) {
    one_hot(call, false, |table, value| table.by_code(value));
}

pub fn one_hot_number(call: &Call) {
    one_hot(call, true, |table, value| table.by_number(value));
}

#[inline]
fn one_hot(call: &Call, by_number: bool, place: impl Fn(&Table, f64) -> u32) {
    let Some(table) = Table::read(&mut call.args(), by_number) else { return };
    for output in call.outputs() {
        output.fill(0.0);
    }
    for (row, &value) in call.input(0).iter().enumerate() {
        match place(&table, value) {
            REFUSE => call.refuse(row),
            hot => {
                if let Some(y) = call.output(hot as usize).get_mut(row) {
                    *y = 1.0;
                }
            }
        }
    }
}

/// For each input a table, then the rows it points to: as many as `rows`, row-major, as wide as its outputs.
fn read_lookup<'a>(args: &mut Reader<'a>, by_number: bool, width: usize) -> Option<(Table<'a>, &'a [f64], usize)> {
    let table = Table::read(args, by_number)?;
    let rows = args.one::<u32>()? as usize;
    Some((table, args.list::<f64>(rows.checked_mul(width)?)?, rows))
}

pub fn check_lookup_code(shape: &Shape) -> Option<usize> {
    check_lookup(shape, false)
}

pub fn check_lookup_number(shape: &Shape) -> Option<usize> {
    check_lookup(shape, true)
}

fn check_lookup(shape: &Shape, by_number: bool) -> Option<usize> {
    let width = shape.outputs.checked_div(shape.inputs)?;
    let mut args = shape.args();
    for _ in 0..shape.inputs {
        let (table, _, rows) = read_lookup(&mut args, by_number, width)?;
        table.check(rows)?;
    }
    (width * shape.inputs == shape.outputs).then_some(0)
}

pub fn lookup_code(call: &Call) {
    lookup(call, false, |table, value| table.by_code(value));
}

pub fn lookup_number(call: &Call) {
    lookup(call, true, |table, value| table.by_number(value));
}

#[inline]
fn lookup(call: &Call, by_number: bool, place: impl Fn(&Table, f64) -> u32) {
    let Some(width) = call.outputs.checked_div(call.inputs.len()) else { return };
    let mut args = call.args();
    for (number, input) in call.inputs().enumerate() {
        // SAFETY: what `check_lookup` read.
        let (table, values) = unsafe {
            let [count, unknown, missing] = [0; 3].map(|_: u32| *args.sound::<u32>(1).as_ptr());
            let keys = args.sound(if by_number { count as usize } else { 0 });
            let places = args.sound(count as usize);
            let rows = *args.sound::<u32>(1).as_ptr() as usize;
            (Table { keys, places, unknown, missing }, args.sound::<f64>(rows * width))
        };
        for (row, &value) in input.iter().enumerate() {
            let at = place(&table, value);
            if at >= NOWHERE {
                call.refuse(row);
                continue;
            }
            for place in 0..width {
                if let Some(y) = call.output(number * width + place).get_mut(row) {
                    // SAFETY: `check` saw that all places are below the number of rows.
                    *y = unsafe { *values.get_unchecked(at as usize * width + place) };
                }
            }
        }
    }
}

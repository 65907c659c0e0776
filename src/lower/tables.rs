//! Category tables: from the values an encoder learnt to places by code, or by sorted number.

use super::args::Args;
use crate::image::Kernel;
use crate::model::{Cell, Key, Lookup, Unknown};
use crate::runtime::encode::{NOWHERE, REFUSE};
use crate::{Error, Result};
use std::collections::HashMap;

pub fn one_hot(
    args: &mut Args,
    vocabulary: Option<&[Cell]>,
    keys: &[Cell],
    hot: &[Option<u32>],
    unknown: &Unknown<Option<u32>>,
) -> Result<Kernel> {
    let places: Vec<u32> = hot.iter().map(|place| place.unwrap_or(NOWHERE)).collect();
    let unknown = match unknown {
        Unknown::Error => REFUSE,
        Unknown::As(place) => place.unwrap_or(NOWHERE),
    };
    let by_code = table(args, vocabulary, keys, &places, unknown)?;
    Ok(if by_code { Kernel::OneHotCode } else { Kernel::OneHotNumber })
}

pub fn lookup(args: &mut Args, vocabulary: Option<&[Cell]>, lookup: &Lookup) -> Result<Kernel> {
    let rows = lookup.keys.len() as u32;
    let places: Vec<u32> = (0..rows).collect();
    let (unknown, more) = match &lookup.unknown {
        Unknown::Error => (REFUSE, [].as_slice()),
        Unknown::As(row) => (rows, row.as_slice()),
    };
    let by_code = table(args, vocabulary, &lookup.keys, &places, unknown)?;
    args.u32(rows + u32::from(matches!(lookup.unknown, Unknown::As(_))));
    args.f64s(&[&lookup.values, more].concat());
    Ok(if by_code { Kernel::LookupCode } else { Kernel::LookupNumber })
}

/// Writes where each key goes; true where the wire carries codes. A missing value goes where NaN went in training,
/// else where None went, else it is unknown.
fn table(args: &mut Args, vocabulary: Option<&[Cell]>, keys: &[Cell], places: &[u32], unknown: u32) -> Result<bool> {
    // The first of equal keys.
    let by_key: HashMap<Key, u32> = keys.iter().map(Cell::key).zip(places.iter().copied()).rev().collect();
    let place_of = |value: &Cell| by_key.get(&value.key()).copied();
    let missing = place_of(&Cell::Nan).or_else(|| place_of(&Cell::None)).unwrap_or(unknown);
    match vocabulary {
        Some(vocabulary) => {
            args.u32s(&[vocabulary.len() as u32, unknown, missing]);
            let codes: Vec<u32> = vocabulary.iter().map(|value| place_of(value).unwrap_or(unknown)).collect();
            args.u32s(&codes);
        }
        None => {
            let mut sorted = Vec::with_capacity(keys.len());
            for (key, &place) in keys.iter().zip(places).filter(|(key, _)| !key.is_missing()) {
                let number = key
                    .number()
                    .ok_or_else(|| Error::unsupported(format!("the category '{key}' in a column of numbers")))?;
                sorted.push((number, place));
            }
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            args.u32s(&[sorted.len() as u32, unknown, missing]);
            args.f64s(&sorted.iter().map(|pair| pair.0).collect::<Vec<_>>());
            args.u32s(&sorted.iter().map(|pair| pair.1).collect::<Vec<_>>());
        }
    }
    Ok(vocabulary.is_some())
}

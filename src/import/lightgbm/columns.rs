//! Which columns the lists of `pandas_categorical` belong to.
//!
//! LightGBM's Python package writes a list for every category column of the frame, in the frame's order, and says nowhere
//! which columns these are. It trains on the codes: of unordered columns as categories, which `categorical_feature` and
//! `feature_infos` tell, of ordered ones as numbers, which look like any column of whole numbers from 0. So the lists
//! go to the columns in order, one to each categorical column, and the others to columns whose range they fit. What has
//! been seen in training is as a rule all of a list: where lists of strings fit several ways, that with the fewest gaps
//! is meant. Were it not, the rows of training would be refused, a string in a column of numbers; a list of numbers in
//! the wrong place would go unseen, and so must fit in one way.

use super::text::{Booster, ColumnInfo};
use crate::model::Cell;
use crate::{Error, Result};

/// Lists times columns that are tried; honest frames have some hundreds of each.
const MOST_TRIED: usize = 1 << 24;

/// How well a list fits a column: the greatest code seen leaves a gap below the list's last, or none. None where the
/// column cannot be the list's.
fn gap(info: &ColumnInfo, list: &[Cell]) -> Option<u32> {
    let most = list.len() as f64 - 1.0;
    match *info {
        // LightGBM leaves out rare ones: a gap says nothing.
        ColumnInfo::Codes(seen) => (seen as f64 <= most).then_some(0),
        ColumnInfo::Range(low, high) => {
            let strings = list.iter().any(|category| matches!(category, Cell::Str(_)));
            (low >= 0.0 && high <= most && high.fract() == 0.0).then_some(u32::from(strings && high < most))
        }
        ColumnInfo::Constant => Some(u32::from(most > 0.0)),
    }
}

/// The ways to hand out the lists that leave the fewest gaps.
#[derive(Clone, Copy)]
struct Ways {
    gaps: u32,
    /// Whether there are several.
    several: bool,
    /// Whether the last list goes to the last column.
    last: bool,
}

/// The column of each list; `given` are the caller's categories by column.
///
/// # Errors
/// Where the lists fit the columns in no way, or in several.
pub fn of_lists(booster: &Booster, given: &[Option<&Vec<Cell>>]) -> Result<Vec<usize>> {
    let lists = &booster.pandas_categorical;
    let count = booster.columns.len();
    if lists.is_empty() {
        return Ok(Vec::new());
    }
    let mut categorical = vec![false; count];
    if booster.categorical.is_empty() {
        for (categorical, info) in categorical.iter_mut().zip(&booster.columns) {
            *categorical = matches!(info, ColumnInfo::Codes(_));
        }
    }
    for &column in &booster.categorical {
        if let Some(categorical) = categorical.get_mut(column) {
            *categorical = true;
        }
    }
    let stated = categorical.iter().filter(|&&categorical| categorical).count();
    // As many: no ordered column, and no column of numbers that the caller of LightGBM declared categorical.
    let plain = lists.len() == stated && (0..count).all(|column| given[column].is_none() || categorical[column]);
    let needs = |column: usize| given[column].is_some() || (categorical[column] && lists.len() >= stated);
    let fits = |list: &Vec<Cell>, column: usize| match given[column] {
        Some(given) => (given == list).then_some(0),
        None if plain && !categorical[column] => None,
        None => gap(&booster.columns[column], list),
    };
    let unclear = |how: &str| {
        let cause = match lists.len() < stated {
            true => "some of these were numbers in the frame, and the file does not say which",
            false => "an ordered category column is trained on as a number, and the file does not say which is one",
        };
        Error::unsupported(format!(
            "pandas_categorical has {} lists for {stated} categorical columns, which fit {how}: {cause}",
            lists.len()
        ))
        .remedy("Give the lists of the category columns that are meant, as they stand in the file, with --categories: {\"grade\": [\"low\", \"mid\", \"high\"]}.")
    };
    if lists.len().saturating_mul(count) > MOST_TRIED {
        return Err(Error::limit(format!("{} lists of categories and {count} columns", lists.len())));
    }
    // ways[n][c]: the first n lists over the first c columns.
    let mut ways: Vec<Vec<Option<Ways>>> = Vec::with_capacity(lists.len() + 1);
    for number in 0..=lists.len() {
        let mut row = vec![(number == 0).then_some(Ways { gaps: 0, several: false, last: false })];
        for column in 0..count {
            let without = row[column].filter(|_| !needs(column)).map(|ways| Ways { last: false, ..ways });
            let with = number.checked_sub(1).and_then(|before| {
                let gaps = fits(&lists[before], column)?;
                ways[before][column].map(|ways| Ways { gaps: ways.gaps + gaps, last: true, ..ways })
            });
            row.push(match (without, with) {
                (Some(a), Some(b)) if a.gaps == b.gaps => Some(Ways { several: true, ..a }),
                (Some(a), Some(b)) => Some(if a.gaps < b.gaps { a } else { b }),
                (a, b) => a.or(b),
            });
        }
        ways.push(row);
    }
    let best = ways[lists.len()][count].ok_or_else(|| unclear("in no way"))?;
    if best.several {
        return Err(unclear("in several ways"));
    }
    let mut columns = Vec::with_capacity(lists.len());
    let mut number = lists.len();
    for column in (0..count).rev() {
        if ways[number][column + 1].is_some_and(|ways| ways.last) {
            number -= 1;
            columns.push(column);
        }
    }
    columns.reverse();
    Ok(columns)
}

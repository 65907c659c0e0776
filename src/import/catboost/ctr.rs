//! Target statistics (CTR) of categorical columns, as the JSON export has them: for each projection (some categorical
//! columns, and answers to questions about others) a table of counts by hash, and the strings behind the hashes of the
//! pool that was given to the export.
//!
//! A row's hash is a chain over the numbers of its categories (`CalcHash` in catboost/libs/model/hash.h). Where the
//! categories of the file do not make every hash of a table, it was exported without the pool that the model was trained
//! on: then the columns that it reads take any text, which is hashed row by row.

use crate::model::Ctr;
use crate::runtime::city;
use crate::runtime::ctr::chain;
use crate::{At, Error, Result};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// `ctr_data`: tables by the JSON text of their projection and kind.
pub type Data = HashMap<String, Table>;

#[derive(Deserialize)]
pub struct Table {
    hash_map: Vec<Entry>,
    hash_stride: usize,
    #[serde(default)]
    counter_denominator: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Count(f64),
    Hash(String),
}

/// An entry of `features_info.ctrs`.
#[derive(Deserialize)]
pub struct Stored {
    borders: Vec<f32>,
    ctr_type: String,
    elements: Vec<StoredElement>,
    identifier: String,
    prior_numerator: f32,
    prior_denomerator: f32,
    scale: f32,
    shift: f32,
    target_border_idx: usize,
}

#[derive(Deserialize)]
struct StoredElement {
    combination_element: String,
    cat_feature_index: Option<i64>,
    float_feature_index: Option<i64>,
    border: Option<f32>,
    value: Option<i32>,
}

/// What a statistic reads, in the order of the hash.
#[derive(Clone, Copy, PartialEq)]
pub enum Element {
    /// The category of a categorical column.
    Category(i64),
    /// Whether float feature `.0` is above a border.
    Above(i64, f32),
    /// Whether a categorical column has the value with this hash.
    Is(i64, i32),
}

/// One statistic; each of its borders is a bin.
pub struct Feature {
    pub elements: Vec<Element>,
    pub borders: Vec<f32>,
    pub statistic: Ctr,
    table: Rc<Known>,
}

impl Feature {
    /// Whether the statistic reads a column's category.
    pub fn reads(&self, cat: i64) -> bool {
        self.elements.contains(&Element::Category(cat))
    }

    /// The categories that a column has in the table, by hash; None where they are not known.
    pub fn categories(&self, cat: i64) -> Option<impl Iterator<Item = u32>> {
        let elements = self.elements.iter().zip(self.table.categories.as_ref()?);
        Some(
            elements
                .filter(move |(element, _)| **element == Element::Category(cat))
                .flat_map(|(_, used)| used)
                .copied(),
        )
    }
}

/// Combinations of categories that are tried to see that the pool explains the tables, all together.
const MOST_COMBINATIONS: usize = 1 << 24;

/// # Errors
/// Where a table lacks, is damaged, or was exported with another pool.
pub fn features(stored: Vec<Stored>, mut data: Data, categories: &[String]) -> Result<Vec<Feature>> {
    let hashes: Vec<u32> = categories.iter().map(|category| city::category(category.as_bytes())).collect();
    let mut known: HashMap<String, Rc<Known>> = HashMap::new();
    let mut budget = MOST_COMBINATIONS;
    let mut features = Vec::with_capacity(stored.len());
    for (number, stored) in stored.into_iter().enumerate() {
        let place = || format!("ctrs, {number}");
        let elements = stored.elements.iter().map(element).collect::<Result<Vec<_>>>().at(place)?;
        let table = match known.get(&stored.identifier) {
            Some(table) => table.clone(),
            None => {
                let table = data.remove(&stored.identifier);
                let table = table.ok_or_else(|| Error::malformed("ctr_data has no table for it").at(place()))?;
                let counts = table.counts().at(place)?;
                let categories = counts.categories(&elements, &hashes, &mut budget);
                let counts = Rc::new(Known { counts, categories });
                known.insert(stored.identifier.clone(), counts.clone());
                counts
            }
        };
        let statistic = table.counts.statistic(&stored, &elements).at(place)?;
        features.push(Feature { elements, borders: stored.borders, statistic, table });
    }
    Ok(features)
}

fn element(stored: &StoredElement) -> Result<Element> {
    let StoredElement { cat_feature_index: cat, float_feature_index: float, border, value, .. } = stored;
    match (stored.combination_element.as_str(), cat, float, border, value) {
        ("cat_feature_value", Some(cat), ..) => Ok(Element::Category(*cat)),
        ("float_feature", _, Some(float), Some(border), _) => Ok(Element::Above(*float, *border)),
        ("cat_feature_exact_value", Some(cat), _, _, Some(value)) => Ok(Element::Is(*cat, *value)),
        (other, ..) => Err(Error::malformed(format!("the element '{other}' of a combination"))),
    }
}

/// A table, and the hashes of the categories that each element has in it.
struct Known {
    counts: Counts,
    /// None where the file's categories do not make all of the table's hashes.
    categories: Option<Vec<HashSet<u32>>>,
}

/// Counts by hash, ascending.
struct Counts {
    hashes: Vec<u64>,
    /// `width` a hash.
    counts: Vec<f64>,
    width: usize,
    denominator: f64,
}

impl Table {
    fn counts(self) -> Result<Counts> {
        let stride = self.hash_stride;
        if stride < 2 || !self.hash_map.len().is_multiple_of(stride) {
            let message = format!("a hash_map of {} entries with hash_stride {stride}", self.hash_map.len());
            return Err(Error::malformed(message));
        }
        let mut rows: Vec<(u64, Vec<f64>)> = Vec::with_capacity(self.hash_map.len() / stride);
        for row in self.hash_map.chunks_exact(stride) {
            let hash = match &row[0] {
                Entry::Hash(text) => text.parse().ok(),
                Entry::Count(_) => None,
            };
            let hash: u64 = hash.ok_or_else(|| Error::malformed("hash_map has a count where a hash is expected"))?;
            let counts: Option<Vec<f64>> = row[1..].iter().map(Entry::count).collect();
            let counts = counts.ok_or_else(|| Error::malformed("hash_map has text where a count is expected"))?;
            // CatBoost's mark of an empty bucket, which the export writes like the others.
            if hash != u64::MAX {
                rows.push((hash, counts));
            }
        }
        rows.sort_by_key(|row| row.0);
        if rows.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::malformed("hash_map has a hash twice"));
        }
        Ok(Counts {
            hashes: rows.iter().map(|row| row.0).collect(),
            counts: rows.into_iter().flat_map(|row| row.1).collect(),
            width: stride - 1,
            denominator: self.counter_denominator,
        })
    }
}

impl Entry {
    fn count(&self) -> Option<f64> {
        match self {
            Entry::Count(count) => Some(*count),
            Entry::Hash(_) => None,
        }
    }
}

impl Counts {
    /// The categories that each element has in the table, by hash; None where some hash of the table comes from no
    /// combination of the known categories, or there are more combinations than the budget has.
    fn categories(&self, elements: &[Element], known: &[u32], budget: &mut usize) -> Option<Vec<HashSet<u32>>> {
        let choices = |element: &Element| match element {
            Element::Category(_) => known,
            Element::Above(..) | Element::Is(..) => &[0, 1],
        };
        // All combinations, the choice for the last element changing fastest.
        let mut chains: Vec<u64> = vec![0];
        for element in elements {
            let choices = choices(element);
            let size = chains.len().saturating_mul(choices.len());
            *budget = budget.checked_sub(size)?;
            chains = chains.iter().flat_map(|&hash| choices.iter().map(move |&next| chain(hash, next))).collect();
        }
        let mut reached: HashSet<u64> = HashSet::new();
        let mut used = vec![HashSet::new(); elements.len()];
        for (mut place, hash) in chains.into_iter().enumerate() {
            if self.hashes.binary_search(&hash).is_ok() {
                reached.insert(hash);
                for (element, used) in elements.iter().zip(&mut used).rev() {
                    let choices = choices(element);
                    used.insert(choices[place % choices.len()]);
                    place /= choices.len();
                }
            }
        }
        (reached.len() == self.hashes.len()).then_some(used)
    }

    /// `Calc` of each row (catboost/libs/model/static_ctr_provider.cpp), in f32 as there.
    fn statistic(&self, stored: &Stored, elements: &[Element]) -> Result<Ctr> {
        let value = |good: f64, total: f64| {
            let ratio = (good as f32 + stored.prior_numerator) / (total as f32 + stored.prior_denomerator);
            (ratio + stored.shift) * stored.scale
        };
        let border = stored.target_border_idx;
        let widths = || Error::malformed(format!("{} counts a hash for {}", self.width, stored.ctr_type));
        let rows = self.counts.chunks_exact(self.width);
        // Counts are whole numbers, which become f32 where they enter `Calc`, as in the original.
        let sum = |counts: &[f64]| counts.iter().sum::<f64>();
        let (values, empty): (Vec<f32>, f32) = match stored.ctr_type.as_str() {
            "BinarizedTargetMeanValue" | "FloatTargetMeanValue" if self.width == 2 => {
                (rows.map(|row| value(row[0], row[1])).collect(), value(0.0, 0.0))
            }
            "Counter" | "FeatureFreq" if self.width == 1 => {
                (rows.map(|row| value(row[0], self.denominator)).collect(), value(0.0, self.denominator))
            }
            "Buckets" if border < self.width => {
                (rows.map(|row| value(row[border], sum(row))).collect(), value(0.0, 0.0))
            }
            // Two classes count as one border, whatever its number.
            "Borders" if self.width == 2 => (rows.map(|row| value(row[1], sum(row))).collect(), value(0.0, 0.0)),
            "Borders" if self.width > 2 && border + 1 < self.width => {
                (rows.map(|row| value(sum(&row[border + 1..]), sum(row))).collect(), value(0.0, 0.0))
            }
            "BinarizedTargetMeanValue"
            | "FloatTargetMeanValue"
            | "Counter"
            | "FeatureFreq"
            | "Buckets"
            | "Borders" => return Err(widths()),
            other => return Err(Error::unsupported(format!("target statistics of the kind '{other}'"))),
        };
        Ok(Ctr { inputs: elements.len(), hashes: self.hashes.clone(), values, empty })
    }
}

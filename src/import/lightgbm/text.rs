//! LightGBM's text model (`Booster.save_model`, and the handle inside a pickled wrapper), versions v2 to v4, read line by
//! line into trees. What stands there: a header of `key=value` lines, a block a tree after `Tree=`, `end of trees`,
//! the training parameters and, from Python, `pandas_categorical:` with the categories of the frame's columns.
//!
//! Every list is held against the count that its tree states; `Ensemble::check` sees later that nodes form a tree.

use crate::import::sklearn::MOST_COLUMNS;
use crate::model::{CategorySet, Cell, Leaves, LinearLeaf, Node, Test, Tree};
use crate::runtime::trees::ZERO;
use crate::{At, Error, Result};
use std::collections::HashMap;
use std::str::FromStr;

/// Trees a boosting round, which is also the number of raw scores: one a class.
const MOST_CLASSES: usize = 1 << 16;

/// A text model, its trees in the order in which they are added.
#[derive(Debug)]
pub struct Booster {
    /// As the header says, e.g. `v4`.
    pub version: String,
    /// `objective=`, e.g. `binary sigmoid:1`; None for one of the caller's own.
    pub objective: Option<String>,
    /// Trees a round; tree i adds to raw score `i % per_round`.
    pub per_round: usize,
    /// Predictions, but not raw scores, are divided by the number of rounds (random forests).
    pub average: bool,
    pub names: Vec<String>,
    pub columns: Vec<ColumnInfo>,
    pub trees: Vec<Tree>,
    pub sets: Vec<CategorySet>,
    /// `[categorical_feature: …]` of the parameters.
    pub categorical: Vec<usize>,
    /// The categories of each pandas category column, in the order of those columns.
    pub pandas_categorical: Vec<Vec<Cell>>,
}

/// What `feature_infos` says of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColumnInfo {
    /// `[low:high]`
    Range(f64, f64),
    /// The codes seen; the largest of them.
    Codes(i64),
    /// `none`: no tree can use it.
    Constant,
}

/// Lines with their numbers.
struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.number += 1;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    fn place(&self) -> String {
        format!("line {}", self.number)
    }
}

/// `key=value` lines of a block: value and line number.
#[derive(Default)]
struct Fields<'a>(HashMap<&'a str, (&'a str, usize)>);

impl<'a> Fields<'a> {
    fn insert(&mut self, line: &'a str, number: usize) {
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        self.0.insert(key, (value, number));
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|field| field.0)
    }

    fn place(&self, key: &str) -> String {
        format!("line {}", self.0.get(key).map_or(0, |field| field.1))
    }

    fn need(&self, key: &str) -> Result<&'a str> {
        self.get(key).ok_or_else(|| Error::malformed(format!("there is no {key}=")))
    }

    fn wrong(&self, key: &str, message: impl Into<String>) -> Error {
        Error::malformed(message).at(self.place(key))
    }

    fn number<T: FromStr>(&self, key: &str) -> Result<T> {
        let text = self.need(key)?;
        text.trim().parse().map_err(|_| self.wrong(key, format!("{key}={}, not a count", cut(text))))
    }

    /// Exactly `count` values separated by spaces.
    fn list<T: FromStr>(&self, key: &str, count: usize) -> Result<Vec<T>> {
        let text = if count == 0 { self.get(key).unwrap_or("") } else { self.need(key)? };
        // A value takes a byte and a space at least: the claimed count does not decide what is reserved.
        let mut values = Vec::with_capacity(count.min(text.len() / 2 + 1));
        for word in text.split_ascii_whitespace() {
            let value = word.parse().map_err(|_| {
                self.wrong(key, format!("'{}' where number {} of {key} is expected", cut(word), values.len()))
            })?;
            if values.len() == count {
                return Err(self.wrong(key, format!("{key} has more than the {count} values that are expected")));
            }
            values.push(value);
        }
        if values.len() != count {
            return Err(self.wrong(key, format!("{key} has {} values; {count} are expected", values.len())));
        }
        Ok(values)
    }
}

/// A piece of the file for an error message.
fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// What the header says of the columns.
pub struct Header {
    pub version: String,
    pub names: Vec<String>,
}

/// Reads the header only.
pub fn header(text: &str) -> Result<Header> {
    let mut lines = Lines { rest: text, number: 0 };
    let mut version = String::new();
    while let Some(line) = lines.next() {
        if let Some(text) = line.strip_prefix("version=") {
            version = text.to_string();
        }
        if let Some(names) = line.strip_prefix("feature_names=") {
            return Ok(Header { version, names: split_names(names) });
        }
        if line.starts_with("Tree=") {
            break;
        }
    }
    Err(Error::malformed("there is no feature_names="))
}

fn split_names(names: &str) -> Vec<String> {
    names.split(' ').filter(|name| !name.is_empty()).map(str::to_string).collect()
}

/// Reads a text model.
///
/// # Errors
/// Names the line, and in a tree its number.
pub fn read(bytes: &[u8]) -> Result<Booster> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Error::malformed(format!("byte {} is not UTF-8 text", error.valid_up_to())))?;
    let mut lines = Lines { rest: text.strip_prefix('\u{feff}').unwrap_or(text), number: 0 };
    if lines.next() != Some("tree") {
        return Err(Error::malformed("a LightGBM model begins with the line 'tree'").at("line 1"));
    }
    let mut header = Fields::default();
    let mut at_tree = None;
    while at_tree.is_none() {
        match lines.next() {
            Some(line) if line.starts_with("Tree=") || line == "end of trees" => at_tree = Some(line),
            Some("") => {}
            Some(line) => header.insert(line, lines.number),
            None => return Err(cut_off(&lines)),
        }
    }
    let version = header.get("version").unwrap_or("v1").to_string();
    if !["v2", "v3", "v4"].contains(&version.as_str()) {
        return Err(Error::unsupported(format!("LightGBM model version '{}'", cut(&version)))
            .at(header.place("version"))
            .remedy(
                "Load it with lightgbm 3 or 4 and save it again: lightgbm.Booster(model_file=old).save_model(new).",
            ));
    }
    let classes: usize = header.number("num_class")?;
    let per_round: usize = match header.get("num_tree_per_iteration") {
        Some(_) => header.number("num_tree_per_iteration")?,
        None => classes,
    };
    if per_round == 0 || per_round > MOST_CLASSES {
        return Err(header.wrong("num_tree_per_iteration", format!("{per_round} trees an iteration")));
    }
    let columns = header.number::<usize>("max_feature_idx")?.saturating_add(1);
    if columns > MOST_COLUMNS {
        return Err(Error::limit(format!("{columns} columns; at most {MOST_COLUMNS} are supported"))
            .at(header.place("max_feature_idx")));
    }
    let names: Vec<String> = split_names(header.need("feature_names")?);
    if names.len() != columns {
        return Err(header.wrong("feature_names", format!("{} names for {columns} columns", names.len())));
    }
    let infos = header.need("feature_infos")?.split_ascii_whitespace().map(info).collect::<Option<Vec<_>>>();
    let infos = infos
        .filter(|infos| infos.len() == columns)
        .ok_or_else(|| header.wrong("feature_infos", format!("feature_infos does not describe {columns} columns")))?;

    let mut booster = Booster {
        version,
        objective: header.get("objective").map(str::to_string),
        per_round,
        average: header.get("average_output").is_some(),
        names,
        columns: infos,
        trees: Vec::new(),
        sets: Vec::new(),
        categorical: Vec::new(),
        pandas_categorical: Vec::new(),
    };
    // `tree_sizes` states how many trees follow: a file cut between two trees says so.
    let stated = header.get("tree_sizes").map(|sizes| sizes.split_ascii_whitespace().count());
    let mut known = HashMap::new();
    while let Some(line) = at_tree {
        if line == "end of trees" {
            break;
        }
        let number = booster.trees.len();
        if line.strip_prefix("Tree=").and_then(|text| text.trim().parse().ok()) != Some(number) {
            return Err(
                Error::malformed(format!("'{}' where Tree={number} is expected", cut(line))).at(lines.place())
            );
        }
        let mut fields = Fields::default();
        at_tree = loop {
            match lines.next() {
                Some("") => {}
                Some(line) if line.starts_with("Tree=") || line == "end of trees" => break Some(line),
                // Before 2.3 nothing says that the trees end.
                Some(line) if line.contains('=') => fields.insert(line, lines.number),
                Some(_) if booster.version == "v2" => break None,
                Some(line) => {
                    return Err(Error::malformed(format!("'{}' in tree {number}", cut(line))).at(lines.place()));
                }
                None => break None,
            }
        };
        let output = (number % per_round) as u32;
        let tree = tree(&fields, output, columns, &mut booster.sets, &mut known).at(|| format!("tree {number}"))?;
        booster.trees.push(tree);
        if at_tree.is_none() && booster.version != "v2" {
            return Err(cut_off(&lines));
        }
    }
    if let Some(stated) = stated
        && stated != booster.trees.len()
    {
        let message = format!("{} trees, but tree_sizes lists {stated}", booster.trees.len());
        return Err(header.wrong("tree_sizes", message));
    }
    if booster.trees.is_empty() || !booster.trees.len().is_multiple_of(per_round) {
        let message = format!("{} trees, which are no whole rounds of {per_round}", booster.trees.len());
        return Err(Error::malformed(message).at(lines.place()));
    }
    trailer(&mut lines, &mut booster)?;
    Ok(booster)
}

fn cut_off(lines: &Lines) -> Error {
    Error::malformed("the file ends before 'end of trees'").at(lines.place())
}

/// Parameters and `pandas_categorical`; everything else after the trees does not concern predictions.
fn trailer(lines: &mut Lines, booster: &mut Booster) -> Result<()> {
    while let Some(line) = lines.next() {
        if let Some(list) = line.strip_prefix("[categorical_feature: ").and_then(|rest| rest.strip_suffix(']')) {
            // Also written as names (`name:a,b`) by the command line program; then feature_infos decides.
            let places = list.split(',').map(|place| place.trim().parse().ok()).collect::<Option<Vec<usize>>>();
            booster.categorical = places.unwrap_or_default();
        }
        if let Some(json) = line.strip_prefix("pandas_categorical:") {
            let lists: Option<Vec<Vec<Cell>>> = serde_json::from_str(json)
                .map_err(|error| Error::malformed(format!("pandas_categorical: {error}")).at(lines.place()))?;
            booster.pandas_categorical = lists.unwrap_or_default();
        }
    }
    Ok(())
}

fn info(text: &str) -> Option<ColumnInfo> {
    if text == "none" {
        return Some(ColumnInfo::Constant);
    }
    if let Some(range) = text.strip_prefix('[') {
        let (low, high) = range.strip_suffix(']')?.split_once(':')?;
        return Some(ColumnInfo::Range(low.parse().ok()?, high.parse().ok()?));
    }
    let codes: Option<Vec<i64>> = text.split(':').map(|code| code.parse().ok()).collect();
    codes?.into_iter().max().map(ColumnInfo::Codes)
}

/// Bits of `decision_type`.
const CATEGORICAL: u8 = 1;
const DEFAULT_LEFT: u8 = 2;

fn tree<'a>(
    fields: &Fields<'a>,
    output: u32,
    columns: usize,
    sets: &mut Vec<CategorySet>,
    known: &mut HashMap<CategorySet, u32>,
) -> Result<Tree> {
    let count: usize = fields.number("num_leaves")?;
    if count == 0 {
        return Err(fields.wrong("num_leaves", "a tree without leaves"));
    }
    let values: Vec<f64> = fields.list("leaf_value", count)?;
    let linear = fields.get("is_linear").is_some_and(|text| text.trim() != "0");
    let leaves = if linear {
        Leaves::Linear { output, leaves: linear_leaves(fields, values, columns)? }
    } else {
        Leaves::Scalar { output, values }
    };
    let splits = count - 1;
    let feature: Vec<u32> = fields.list("split_feature", splits)?;
    let threshold: Vec<f64> = fields.list("threshold", splits)?;
    let decision: Vec<u8> = match fields.get("decision_type") {
        Some(_) => fields.list("decision_type", splits)?,
        None => vec![0; splits],
    };
    let left: Vec<i64> = fields.list("left_child", splits)?;
    let right: Vec<i64> = fields.list("right_child", splits)?;
    let categorical: usize = fields.number("num_cat")?;
    let boundaries: Vec<usize> =
        fields.list("cat_boundaries", if categorical > 0 { categorical.saturating_add(1) } else { 0 })?;
    let words: Vec<u32> = fields.list("cat_threshold", boundaries.last().copied().unwrap_or(0))?;
    let mut nodes = Vec::with_capacity(2 * count - 1);
    for at in 0..splits {
        let place = || format!("split {at}");
        let child = |key: &str, child: i64| match usize::try_from(child) {
            Ok(split) if split < splits => Ok(split as u32),
            Ok(split) => {
                Err(fields.wrong(key, format!("{key} {split}, but the tree has {splits} splits")).at(place()))
            }
            // Leaf k is written as -k - 1; leaves follow the splits here.
            Err(_) => {
                let leaf = usize::try_from(-(child + 1)).ok().filter(|&leaf| leaf < count);
                leaf.map(|leaf| (splits + leaf) as u32).ok_or_else(|| {
                    fields.wrong(key, format!("{key} {child}, but the tree has {count} leaves")).at(place())
                })
            }
        };
        if feature[at] as usize >= columns {
            let message = format!("split_feature {}, but the model has {columns} columns", feature[at]);
            return Err(fields.wrong("split_feature", message).at(place()));
        }
        let (test, missing_left) = if decision[at] & CATEGORICAL != 0 {
            let set = category_set(fields, threshold[at], &boundaries, &words).at(place)?;
            let number = *known.entry(set).or_insert_with_key(|set| {
                sets.push(set.clone());
                sets.len() as u32 - 1
            });
            (Test::In(number), false)
        } else {
            let default_left = decision[at] & DEFAULT_LEFT != 0;
            match decision[at] >> 2 & 3 {
                // Missing is 0, and decided as 0.
                0 => (at_most(threshold[at]), 0.0 <= threshold[at]),
                // Missing is 0, and zero takes the default side.
                1 => (Test::LessEqualNonzero(threshold[at]), default_left),
                2 => (at_most(threshold[at]), default_left),
                _ => {
                    let message = format!("decision_type {} has no known way with missing values", decision[at]);
                    return Err(fields.wrong("decision_type", message).at(place()));
                }
            }
        };
        nodes.push(Node::Split {
            feature: feature[at],
            test,
            missing_left,
            left: child("left_child", left[at])?,
            right: child("right_child", right[at])?,
        });
    }
    nodes.extend((0..count as u32).map(Node::Leaf));
    Ok(Tree { nodes, leaves })
}

/// `x <= threshold` as LightGBM sees it: rows come to it sparse, so what is within `ZERO` of zero is zero.
fn at_most(threshold: f64) -> Test {
    if (-ZERO..0.0).contains(&threshold) {
        Test::Less(-ZERO)
    } else if (0.0..=ZERO).contains(&threshold) {
        Test::LessEqual(ZERO)
    } else {
        Test::LessEqual(threshold)
    }
}

/// Set number `threshold` of the tree: the categories that go left.
fn category_set(fields: &Fields, threshold: f64, boundaries: &[usize], words: &[u32]) -> Result<CategorySet> {
    let sets = boundaries.len().saturating_sub(1);
    let number = threshold as usize;
    if number >= sets || number as f64 != threshold {
        return Err(fields.wrong("threshold", format!("category set {threshold} of {sets}")));
    }
    let words = words.get(boundaries[number]..boundaries[number + 1]).ok_or_else(|| {
        fields.wrong("cat_boundaries", format!("categories {}..{}", boundaries[number], boundaries[number + 1]))
    })?;
    let size = u32::try_from(words.len() * 32).ok().filter(|&size| size <= CategorySet::MOST);
    let size = size.ok_or_else(|| {
        Error::limit(format!("a split over more than {} categories", CategorySet::MOST))
            .at(fields.place("cat_threshold"))
    })?;
    Ok(CategorySet { left: words.to_vec(), size, outside_left: false, toward_zero: true })
}

/// `leaf_const + Σ leaf_coeff x` for each leaf; where one of its columns is missing, `leaf_value`.
fn linear_leaves(fields: &Fields, values: Vec<f64>, columns: usize) -> Result<Vec<LinearLeaf>> {
    let count = values.len();
    let constants: Vec<f64> = fields.list("leaf_const", count)?;
    let widths: Vec<usize> = match fields.get("num_features") {
        Some(_) => fields.list("num_features", count)?,
        None => vec![0; count],
    };
    let terms = widths.iter().try_fold(0usize, |sum, &width| sum.checked_add(width));
    let terms = terms.ok_or_else(|| fields.wrong("num_features", "more terms than a file can hold"))?;
    let features: Vec<u32> = fields.list("leaf_features", terms)?;
    if let Some(feature) = features.iter().find(|&&feature| feature as usize >= columns) {
        let message = format!("leaf_features {feature}, but the model has {columns} columns");
        return Err(fields.wrong("leaf_features", message));
    }
    let coefficients: Vec<f64> = fields.list("leaf_coeff", terms)?;
    let mut rest = features.into_iter().zip(coefficients);
    let leaf = |((value, constant), width): ((f64, f64), usize)| LinearLeaf {
        value,
        constant,
        terms: rest.by_ref().take(width).collect(),
    };
    Ok(values.into_iter().zip(constants).zip(widths).map(leaf).collect())
}

//! CatBoost 1.x: `.cbm` files, their JSON export, and the wrappers of pickles, which hold a `.cbm`.
//!
//! A column is rounded to f32 and asked `x > border`; a missing value is below or above all borders, as the column says
//! (`NanValueTreatment`). Leaf values are added in f64 in tree order, times `scale`, plus `bias`. Categorical columns are
//! asked for single values (one-hot), or for target statistics, which only the JSON export makes readable (`ctr`); where
//! a file has the categories only by their hashes, the columns take any text. What CatBoost takes as a category, these
//! columns take: strings and whole numbers, which are hashed as their digits, and nothing that is missing.

mod cbm;
mod ctr;
mod json;
mod parts;

use super::Options;
use super::sklearn::builder::{Builder, Frame};
use super::sklearn::estimator::Estimator;
use super::sklearn::{Input, MOST_COLUMNS, schema_names};
use crate::import::pickle::Value;
use crate::model::{
    Aggregate, Cell, Ensemble, Function, Lookup, Model, Node, Oblivious, ObliviousTree, Op, Output, Source, Test,
    Unknown, Width, Wire,
};
use crate::plain::count;
use crate::runtime::city;
use crate::{Error, Result};
use ctr::Element;
pub use parts::release;
use parts::{Parts, Trees};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The model in a `.cbm` or JSON file.
///
/// # Errors
/// Malformed with the part that is damaged; Unsupported with the feature's name.
pub fn import(bytes: &[u8], options: &Options) -> Result<Model> {
    let parts = if bytes.starts_with(b"CBM1") { cbm::read(bytes)? } else { json::read(bytes)? };
    let input = parts.input()?;
    let (names, names_from) = schema_names(input.names, input.count, options)?;
    let mut builder = Builder::new(names.len());
    builder.categories = options.categories.clone();
    let frame = Frame { wires: (0..names.len() as Wire).collect(), names: names.clone() };
    // A file does not say which class saved it; labels are stored by classifiers alone.
    let (role, estimator) = match parts.info.class_params.is_some() || classifies(parts.info.loss()) {
        true => (Role::Classifier, "CatBoostClassifier"),
        false => (Role::Regressor, "CatBoostRegressor"),
    };
    let source = Source {
        library: "CatBoost".to_string(),
        version: input.version,
        estimator: estimator.to_string(),
        outline: Vec::new(),
    };
    let output = predict(&mut builder, parts, role, &frame, estimator)?;
    builder.finish(names, names_from, output, source)
}

fn read(estimator: &Estimator) -> Result<Parts> {
    let model = estimator.need("__model").map_err(|error| error.remedy("Fit the model before you save it."))?;
    let bytes = Value::as_bytes(model)
        .ok_or_else(|| estimator.malformed(format!("__model is {}, not bytes", model.describe())))?;
    cbm::read(bytes).map_err(|error| error.at(estimator.path.clone()))
}

/// The columns of a wrapper in a pickle, and the release that trained it.
pub(super) fn input(estimator: &Estimator) -> Result<Input> {
    read(estimator)?.input().map_err(|error| error.at(estimator.path.clone()))
}

/// Which of CatBoost's classes predicts; they differ in what `predict` returns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Classifier,
    Regressor,
    /// The raw scores.
    Raw,
}

pub fn classifier(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    predict(builder, read(estimator)?, Role::Classifier, frame, &estimator.path)
}

pub fn regressor(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    predict(builder, read(estimator)?, Role::Regressor, frame, &estimator.path)
}

/// CatBoostRanker, and CatBoost itself.
pub fn raw(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Output> {
    predict(builder, read(estimator)?, Role::Raw, frame, &estimator.path)
}

fn classifies(loss: &str) -> bool {
    matches!(
        loss,
        "Logloss"
            | "CrossEntropy"
            | "Focal"
            | "MultiClass"
            | "MultiClassOneVsAll"
            | "MultiLogloss"
            | "MultiCrossEntropy"
    )
}

impl Parts {
    fn input(&self) -> Result<Input> {
        let floats = self.floats.iter().map(|feature| (feature.flat, &feature.name));
        let cats = self.cats.iter().map(|feature| (feature.flat, &feature.name));
        let all: Vec<(usize, &String)> = floats.chain(cats).collect();
        let count = all.iter().map(|feature| feature.0).max().map_or(0, |last| last.saturating_add(1));
        if count > MOST_COLUMNS {
            return Err(Error::limit(format!("{count} columns; at most {MOST_COLUMNS} are supported")));
        }
        // What CatBoost calls the columns of a bare array.
        let mut names: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        for (flat, name) in all.into_iter().filter(|feature| !feature.1.is_empty()) {
            names[flat] = name.clone();
        }
        let invented = names.iter().enumerate().all(|(number, name)| *name == number.to_string());
        Ok(Input { count, names: (!invented).then_some(names), version: self.info.version() })
    }
}

/// What the trees read: wires, and the bins, each a wire and a border.
#[derive(Default)]
struct Questions {
    wires: Vec<Wire>,
    missing_above: Vec<bool>,
    /// The place in `wires`, and the border.
    bins: Vec<(u32, f32)>,
}

impl Questions {
    fn add(&mut self, wire: Wire, missing_above: bool, borders: impl IntoIterator<Item = f32>) {
        let place = self.wires.len() as u32;
        self.wires.push(wire);
        self.missing_above.push(missing_above);
        self.bins.extend(borders.into_iter().map(|border| (place, border)));
    }
}

/// A categorical column, and the wires made of it.
struct Categories {
    wire: Wire,
    /// The categories that the model asks for and others, as they stand in rows, and their hashes; None where the file
    /// does not name them all, and the column takes any text.
    known: Option<(Vec<Cell>, Vec<u32>)>,
    /// The wire of hashes, once a step needs it.
    hashed: Option<Wire>,
}

/// The number that a category is the text of: CatBoost takes the integer 1 and the string "1" for the same.
fn whole(category: &str) -> Option<i64> {
    category.parse::<i64>().ok().filter(|number| number.to_string() == category)
}

/// What CatBoost makes of a category before it is hashed: a string, or a whole number as text.
fn text(category: &Cell) -> Result<String> {
    match category {
        Cell::Str(text) => Ok(text.clone()),
        Cell::Int(number) => Ok(number.to_string()),
        other => Err(Error::input(format!("the category {other} is neither a string nor a whole number"))),
    }
}

fn hash(category: &String) -> u32 {
    city::category(category.as_bytes())
}

impl Parts {
    /// The hashes of a column's categories that the model asks for; None where its tables do not tell them.
    fn asked(&self, cat: i64) -> Option<BTreeSet<u32>> {
        let one_hot = self.one_hot.iter().filter(|one_hot| one_hot.cat == cat);
        let mut asked: BTreeSet<u32> = one_hot.flat_map(|one_hot| &one_hot.hashes).copied().collect();
        for ctr in self.ctrs.iter().filter(|ctr| ctr.reads(cat)) {
            asked.extend(ctr.categories(cat)?);
        }
        Some(asked)
    }

    /// Whether a table tells all categories of a column; one-hot questions tell only some.
    fn told(&self, cat: i64) -> bool {
        self.ctrs.iter().any(|ctr| ctr.reads(cat)) && self.asked(cat).is_some()
    }

    /// The file's categories that no table tells, and how many columns they may belong to.
    fn rest(&self) -> (BTreeSet<u32>, usize) {
        let mut rest: BTreeSet<u32> = self.categories.iter().map(hash).collect();
        let (told, untold): (Vec<_>, Vec<_>) = self.cats.iter().partition(|cat| self.told(cat.index));
        for hash in told.iter().filter_map(|cat| self.asked(cat.index)).flatten() {
            rest.remove(&hash);
        }
        (rest, untold.len())
    }

    /// Each categorical column with its categories: the caller's list, or what the file's tell. Only a list that has all
    /// that the model asks for is taken: with fewer, a category of the training would count as unknown.
    ///
    /// The file's list is one for all columns. It tells a column's own where that is the only one, or has tables; else the
    /// column's list is partial, and a value outside it may well have been seen in training.
    fn categories(&self, builder: &mut Builder, frame: &Frame, path: &str) -> Result<HashMap<i64, Categories>> {
        let named: HashMap<u32, &String> =
            self.categories.iter().map(|category| (hash(category), category)).collect();
        let (rest, untold) = self.rest();
        let mut columns = HashMap::new();
        for cat in &self.cats {
            let wire = frame.wires.get(cat.flat).copied();
            let wire = wire.ok_or_else(|| Error::malformed(format!("there is no column {}", cat.flat)))?;
            let (mut partial, mut more) = (false, &BTreeSet::new());
            let names = match (builder.categories.get(&frame.names[cat.flat]), self.asked(cat.index)) {
                (Some(given), Some(asked)) => {
                    let names = given.iter().map(text).collect::<Result<Vec<_>>>()?;
                    let hashes: HashSet<u32> = names.iter().map(hash).collect();
                    let lacking = asked.difference(&hashes.into_iter().collect()).count();
                    if lacking > 0 {
                        let column = &frame.names[cat.flat];
                        let message =
                            format!("the categories given for '{column}' lack {lacking} that the model asks for");
                        return Err(Error::input(message));
                    }
                    Some(names)
                }
                (None, Some(mut asked)) => {
                    if !self.told(cat.index) {
                        partial = !(self.pool && self.cats.len() == 1);
                        more = &rest;
                        if untold == 1 {
                            asked.extend(&rest);
                        }
                    }
                    let names: Option<Vec<String>> =
                        asked.iter().map(|hash| named.get(hash).map(|name| name.to_string())).collect();
                    names.map(|mut names| {
                        names.sort_by(|a, b| whole(a).cmp(&whole(b)).then(a.cmp(b)));
                        names
                    })
                }
                (_, None) => None,
            };
            let known = match names {
                Some(names) => {
                    let hashes = names.iter().map(hash).collect();
                    let possible = names.iter().chain(more.iter().filter_map(|hash| named.get(hash).copied()));
                    let digits = possible.into_iter().any(|name| whole(name).is_some());
                    let keys = match builder.strings_at(wire, path) {
                        Ok(()) => {
                            builder.note_categories(wire, digits, partial);
                            names.into_iter().map(Cell::Str).collect()
                        }
                        // Numbers that another step makes or reads.
                        Err(error) => {
                            let numbers = names.iter().map(|name| whole(name).map(Cell::Int));
                            numbers.collect::<Option<Vec<_>>>().ok_or(error)?
                        }
                    };
                    Some((keys, hashes))
                }
                None => {
                    builder.texts_at(wire, path)?;
                    builder.note_categories(wire, true, false);
                    None
                }
            };
            columns.insert(cat.index, Categories { wire, known, hashed: None });
        }
        Ok(columns)
    }

    fn questions(&self, builder: &mut Builder, frame: &Frame, path: &str) -> Result<Questions> {
        let mut questions = Questions::default();
        let mut floats = HashMap::new();
        for feature in &self.floats {
            let wire = frame.wires.get(feature.flat).copied();
            let wire = wire.ok_or_else(|| Error::malformed(format!("there is no column {}", feature.flat)))?;
            questions.add(wire, feature.missing_above, feature.borders.iter().copied());
            floats.insert(feature.index, (wire, feature.missing_above));
        }
        let mut categories = self.categories(builder, frame, path)?;
        let unknown = |cat: i64| Error::malformed(format!("there is no categorical column {cat}"));
        for feature in &self.one_hot {
            let known = categories.get_mut(&feature.cat).ok_or_else(|| unknown(feature.cat))?;
            for wire in is_one_of(builder, known, &feature.hashes, path)? {
                questions.add(wire, false, [0.5]);
            }
        }
        for feature in &self.ctrs {
            let mut inputs = Vec::with_capacity(feature.elements.len());
            for element in &feature.elements {
                inputs.push(match *element {
                    Element::Category(cat) => {
                        let known = categories.get_mut(&cat).ok_or_else(|| unknown(cat))?;
                        hashed(builder, known, path)?
                    }
                    Element::Is(cat, hash) => {
                        let known = categories.get_mut(&cat).ok_or_else(|| unknown(cat))?;
                        is_one_of(builder, known, &[hash as u32], path)?[0]
                    }
                    Element::Above(float, border) => {
                        let &(wire, missing_above) = floats
                            .get(&float)
                            .ok_or_else(|| Error::malformed(format!("there is no float column {float}")))?;
                        // A tree of one question answers 0 or 1, as trees compare.
                        let tree = ObliviousTree { levels: vec![(0, border)], values: vec![0.0, 1.0] };
                        let op = Oblivious { outputs: 1, missing_above: vec![missing_above], trees: vec![tree] };
                        builder.graph.push_one(Op::Oblivious(op), vec![wire], path)?
                    }
                });
            }
            let wire = builder.graph.push_one(Op::Ctr(feature.statistic.clone()), inputs, path)?;
            questions.add(wire, false, feature.borders.iter().copied());
        }
        Ok(questions)
    }
}

/// One wire a hash: 1 where the column has that category, else 0.
fn is_one_of(builder: &mut Builder, column: &mut Categories, hashes: &[u32], path: &str) -> Result<Vec<Wire>> {
    let width = hashes.len() as u32;
    let (keys, hot, wire) = match &column.known {
        Some((keys, known)) => {
            let place = |hash: &u32| hashes.iter().position(|wanted| wanted == hash).map(|place| place as u32);
            (keys.clone(), known.iter().map(place).collect(), column.wire)
        }
        None => {
            let keys = hashes.iter().map(|&hash| Cell::Int(hash.into())).collect();
            (keys, (0..width).map(Some).collect(), hashed(builder, column, path)?)
        }
    };
    builder.graph.push(Op::OneHot { keys, hot, width, unknown: Unknown::As(None) }, vec![wire], path)
}

/// The hash of the column's category; NaN for one that the model does not know by name.
fn hashed(builder: &mut Builder, column: &mut Categories, path: &str) -> Result<Wire> {
    if let Some(wire) = column.hashed {
        return Ok(wire);
    }
    let op = match &column.known {
        Some((keys, hashes)) => Op::Lookup(Lookup {
            keys: keys.clone(),
            width: 1,
            values: hashes.iter().map(|&hash| f64::from(hash)).collect(),
            unknown: Unknown::As(vec![f64::NAN]),
        }),
        None => Op::CategoryHash,
    };
    let wire = builder.graph.push_one(op, vec![column.wire], path)?;
    column.hashed = Some(wire);
    Ok(wire)
}

/// The raw scores.
fn scores(builder: &mut Builder, parts: Parts, frame: &Frame, path: &str) -> Result<Vec<Wire>> {
    let questions = parts.questions(builder, frame, path)?;
    let bin = |number: u32, tree: usize| {
        questions.bins.get(number as usize).copied().ok_or_else(|| {
            let message = format!("split {number}, but the features have {} bins", questions.bins.len());
            Error::malformed(message).at(format!("tree {tree}"))
        })
    };
    let outputs = parts.outputs;
    if outputs == 0 || (parts.bias.len() != outputs && parts.bias.len() != 1) {
        return Err(Error::malformed(format!("{} biases for {outputs} outputs", parts.bias.len())));
    }
    let trees = match &parts.trees {
        Trees::Oblivious(trees) => count(trees.len(), "symmetric tree"),
        Trees::Asymmetric(trees) => count(trees.len(), "tree"),
    };
    builder.note(&format!("{}, {trees}", parts.info.loss()));
    let op = match parts.trees {
        Trees::Oblivious(trees) => {
            let trees = trees.into_iter().enumerate().map(|(number, (splits, values))| {
                let levels = splits.into_iter().map(|split| bin(split, number)).collect::<Result<_>>()?;
                Ok(ObliviousTree { levels, values })
            });
            let trees = trees.collect::<Result<_>>()?;
            Op::Oblivious(Oblivious { outputs, missing_above: questions.missing_above, trees })
        }
        Trees::Asymmetric(mut trees) => {
            for (number, tree) in trees.iter_mut().enumerate() {
                for node in &mut tree.nodes {
                    if let Node::Split { feature, test, missing_left, .. } = node {
                        let (place, border) = bin(*feature, number)?;
                        *feature = place;
                        // Above goes right.
                        *test = Test::LessEqual(border.into());
                        *missing_left = !questions.missing_above[place as usize];
                    }
                }
            }
            Op::Trees(Ensemble {
                compare: Width::F32,
                sum: Width::F64,
                features: questions.wires.len() as u32,
                base: vec![0.0; outputs],
                trees,
                sets: Vec::new(),
                aggregate: Aggregate::Sum,
                missing: true,
                infinite: true,
            })
        }
    };
    let sums = builder.graph.push(op, questions.wires, path)?;
    let mut bias = parts.bias;
    bias.resize(outputs, bias[0]);
    builder.graph.push(Op::Linear { scale: vec![parts.scale; outputs], offset: bias }, sums, path)
}

fn predict(builder: &mut Builder, parts: Parts, role: Role, frame: &Frame, path: &str) -> Result<Output> {
    let columns = parts.input().map_err(|error| error.at(path))?.count;
    if columns > frame.len() {
        let message = format!("the model has {columns} columns, but {} come in", frame.len());
        return Err(Error::malformed(message).at(path));
    }
    let loss = parts.info.loss().to_string();
    let classes = classes(&parts).map_err(|error| error.at(path))?;
    let threshold = threshold(&parts).map_err(|error| error.at(path))?;
    let raw = scores(builder, parts, frame, path).map_err(|error| error.at(path))?;
    match role {
        Role::Classifier => classify(builder, raw, &loss, classes, threshold, path),
        Role::Regressor => regress(builder, raw, &loss, path),
        Role::Raw => Ok(Output::Regression { values: raw, names: Vec::new() }),
    }
}

/// The labels of `class_params`; the targets themselves where none are named, as for CrossEntropy.
fn classes(parts: &Parts) -> Result<Vec<Cell>> {
    let Some(params) = &parts.info.class_params else { return Ok(Vec::new()) };
    if !params.class_names.is_empty() {
        return Ok(params.class_names.clone());
    }
    let label = |&label: &f64| if label.fract() == 0.0 { Cell::Int(label as i64) } else { Cell::float(label) };
    Ok(params.class_to_label.iter().map(label).collect())
}

/// Above which raw score two classes are decided for the second.
fn threshold(parts: &Parts) -> Result<f64> {
    let Some(text) = &parts.info.binclass_probability_threshold else { return Ok(0.0) };
    let probability = text.parse::<f64>().ok().filter(|probability| (0.0..=1.0).contains(probability));
    let probability = probability
        .ok_or_else(|| Error::malformed(format!("binclass_probability_threshold is '{text}', not a probability")))?;
    Ok(-(1.0 / probability - 1.0).ln())
}

fn classify(
    builder: &mut Builder,
    raw: Vec<Wire>,
    loss: &str,
    classes: Vec<Cell>,
    threshold: f64,
    path: &str,
) -> Result<Output> {
    let graph = &mut builder.graph;
    let numbered = |count: usize| (0..count as i64).map(Cell::Int).collect::<Vec<_>>();
    let mut two = |raw: Wire, classes: Vec<Cell>, threshold: f64| -> Result<Output> {
        let p = graph.push_one(Op::Function(Function::Expit), vec![raw], path)?;
        let probabilities = graph.push(Op::Complement, vec![p], path)?;
        let label = graph.push_one(Op::Above { threshold }, vec![raw], path)?;
        Ok(Output::Classification { classes, label, probabilities: Some(probabilities), scores: Some(vec![raw]) })
    };
    if matches!(loss, "MultiLogloss" | "MultiCrossEntropy") {
        // Each label is there or not.
        let outputs = raw.into_iter().map(|raw| two(raw, numbered(2), threshold));
        return Ok(Output::Several(outputs.collect::<Result<_>>()?));
    }
    let classes = if classes.is_empty() { numbered(raw.len().max(2)) } else { classes };
    if classes.len() != raw.len().max(2) {
        let message = format!("{} labels for {} raw scores", classes.len(), raw.len());
        return Err(Error::malformed(message).at(path));
    }
    if let [raw] = raw[..] {
        return two(raw, classes, threshold);
    }
    let probabilities = match loss {
        "MultiClass" => graph.push(Op::Softmax, raw.clone(), path)?,
        "MultiClassOneVsAll" => graph.push(Op::Function(Function::Expit), raw.clone(), path)?,
        other => return Err(Error::unsupported(format!("classes by the loss function '{other}'")).at(path)),
    };
    let label = graph.push_one(Op::Argmax, raw.clone(), path)?;
    Ok(Output::Classification { classes, label, probabilities: Some(probabilities), scores: Some(raw) })
}

/// `_get_default_prediction_type` of CatBoostRegressor.
fn regress(builder: &mut Builder, raw: Vec<Wire>, loss: &str, path: &str) -> Result<Output> {
    let graph = &mut builder.graph;
    if let ("RMSEWithUncertainty", &[mean, spread]) = (loss, &raw[..]) {
        // The second score is ln of the standard deviation; the variance is returned.
        let twice = graph.push(Op::Linear { scale: vec![2.0], offset: vec![0.0] }, vec![spread], path)?;
        let variance = graph.push_one(Op::Function(Function::Exp), twice, path)?;
        return Ok(Output::Regression {
            values: vec![mean, variance],
            names: vec!["mean".to_string(), "variance".to_string()],
        });
    }
    let values = match loss {
        "Poisson" | "Tweedie" => graph.push(Op::Function(Function::Exp), raw, path)?,
        _ => raw,
    };
    Ok(Output::Regression { values, names: Vec::new() })
}

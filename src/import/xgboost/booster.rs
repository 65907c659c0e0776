//! The parts of an XGBoost model that predict, pulled from its JSON or UBJSON; statistics are passed over.
//!
//! Trees are rebuilt from their parallel arrays by a walk from the root, so that what comes out is a tree whatever
//! the file says, and nodes that pruning left behind are dropped.

use super::events::{Event, Number, Reader};
use crate::model::{CategorySet, Cell, Leaves, Node, Test, Tree};
use crate::{At, Error, Result};
use std::collections::{BTreeMap, HashMap};

/// Major, minor, patch.
pub type Version = (u32, u32, u32);

/// What a file without a version is taken for.
const NEWEST: Version = (3, 2, 0);
/// The versions that write `Categories::Garbled`.
const GARBLED: std::ops::Range<Version> = (3, 1, 0)..(3, 4, 0);
/// More classes or targets than a prediction is read for.
const MOST_OUTPUTS: usize = 1 << 16;
/// Words of all different category sets together: 32 MB.
const MOST_SET_WORDS: usize = 1 << 23;
/// The same, with equal sets counted each time: what is looked at takes time.
const MOST_SET_WORK: usize = 1 << 26;

/// A model as the file has it.
#[derive(Debug)]
pub struct Booster {
    pub version: Version,
    /// e.g. `binary:logistic`.
    pub objective: String,
    /// Quantiles or expectiles of the objective, as text.
    pub alphas: Option<String>,
    /// As written: one number, or a list with one an output.
    pub base_score: Vec<f32>,
    /// Margins a row: classes or targets, at least 1.
    pub outputs: usize,
    pub features: usize,
    /// Empty where the model was fitted on a bare array.
    pub feature_names: Vec<String>,
    /// `float`, `int`, `i` (boolean), `q` or `c` (categorical); empty where unknown.
    pub feature_types: Vec<String>,
    /// Of each feature; empty without categorical features or before 3.1.
    pub categories: Vec<Categories>,
    /// Set by early stopping: the last iteration to use.
    pub best_iteration: Option<u64>,
    /// The same as a count of trees an output, up to 1.7. Up to 1.5 only it knows of `num_parallel_tree`.
    pub best_trees: Option<u64>,
    /// What scikit-learn's wrapper noted when it saved the file.
    pub wrapper: Option<Wrapper>,
    /// Of each feature, how many codes of categories its splits tell apart; empty without such splits.
    pub codes: Vec<u32>,
    pub learner: Learner,
}

/// What the file says about a feature's categories.
#[derive(Debug)]
pub enum Categories {
    /// Not categorical.
    None,
    /// In code order.
    Known(Vec<Cell>),
    /// So many, but their names cannot be told: Python's xgboost 3.1 to 3.3 cuts names from pandas by characters
    /// where the file means bytes, and drops the last bytes, once one is not ASCII.
    Garbled(usize),
}

#[derive(Debug, Default)]
pub struct Wrapper {
    pub classifier: bool,
    /// The value that stands for missing, where it is not NaN.
    pub missing: Option<f64>,
    pub classes: Option<Vec<Cell>>,
    /// Up to 1.2, `best_ntree_limit`.
    best_trees: Option<u64>,
}

#[derive(Debug)]
pub enum Learner {
    Trees(Trees),
    /// (features + 1) × outputs, row-major; the last row is the bias.
    Linear(Vec<f32>),
}

#[derive(Debug, Default)]
pub struct Trees {
    pub trees: Vec<Tree>,
    pub sets: Vec<CategorySet>,
    /// Where each iteration starts, and the end; empty before 2.0.
    pub starts: Vec<u64>,
    /// Trees of a forest that is boosted.
    pub parallel: u64,
    /// dart: what each tree's leaves are multiplied with.
    pub weight_drop: Option<Vec<f32>>,
    /// Leaves hold a value for each output.
    pub vector: bool,
    /// Of each feature that splits ask: how many, and the sum of what they gained.
    pub gains: BTreeMap<u32, (f64, f64)>,
}

/// What to read: a caller that only asks for the columns can do without the trees.
#[derive(Clone, Copy, PartialEq)]
pub enum Want {
    Everything,
    Header,
}

/// The file's parts as they come, in any order.
#[derive(Default)]
struct Parts {
    version: Option<Version>,
    base_score: Option<String>,
    classes: usize,
    targets: usize,
    features: Option<usize>,
    feature_names: Vec<String>,
    feature_types: Vec<String>,
    objective: Option<String>,
    alphas: Option<String>,
    best_iteration: Option<u64>,
    best_trees: Option<u64>,
    wrapper: Option<Wrapper>,
    name: Option<String>,
    trees: Option<Trees>,
    /// The output of each tree.
    info: Vec<u32>,
    weights: Option<Vec<f32>>,
    categories: Vec<Categories>,
}

impl Trees {
    /// Drops the trees after iteration `last`. `limit` is the file's own count of trees an output.
    ///
    /// # Errors
    /// Where the model ends before.
    pub fn truncate(&mut self, last: u64, limit: Option<u64>, outputs: usize) -> Result<()> {
        let iterations = last.saturating_add(1);
        let count = if self.starts.is_empty() {
            let an_output = limit.unwrap_or(iterations.saturating_mul(self.parallel));
            Some(an_output.saturating_mul(if self.vector { 1 } else { outputs as u64 }))
        } else {
            usize::try_from(iterations).ok().and_then(|iterations| self.starts.get(iterations).copied())
        };
        let count = count.and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|&count| (1..=self.trees.len()).contains(&count));
        self.trees.truncate(
            count.ok_or_else(|| {
                Error::malformed(format!("the best iteration is {last}, but the model ends before"))
            })?,
        );
        Ok(())
    }
}

impl Booster {
    /// Reads a saved model, or the `handle` of a pickled one (`{"Config": …, "Model": …}`).
    ///
    /// # Errors
    /// Names the byte, tree or node where the file is damaged or holds what is not supported.
    pub fn read(mut reader: Reader, want: Want) -> Result<Booster> {
        let mut parts = Parts::default();
        let mut learners = 0;
        parts.model(&mut reader, want, &mut learners, 0)?;
        reader.end()?;
        if learners == 0 {
            return Err(Error::malformed("there is no 'learner' in the file").remedy(
                "Save the model with booster.save_model(\"model.json\"); a dump (dump_model) does not hold it whole.",
            ));
        }
        parts.finish(want)
    }
}

impl Parts {
    fn model(&mut self, reader: &mut Reader, want: Want, learners: &mut u32, depth: u32) -> Result<()> {
        reader.object()?;
        while let Some(key) = reader.key()? {
            match &*key {
                "learner" => {
                    *learners += 1;
                    if *learners > 1 {
                        return Err(Error::malformed("'learner' stands twice").at(reader.place()));
                    }
                    self.learner(reader, want)?;
                }
                // One level of wrapping.
                "Model" if depth == 0 => self.model(reader, want, learners, 1)?,
                "version" => {
                    let mut version = Vec::new();
                    reader.numbers(&mut version, Number::u32).at(|| "version".into())?;
                    if let [major, minor, patch] = version[..] {
                        self.version = Some((major, minor, patch));
                    }
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    fn learner(&mut self, reader: &mut Reader, want: Want) -> Result<()> {
        reader.object()?;
        while let Some(key) = reader.key()? {
            let place = || format!("learner.{key}");
            match &*key {
                "attributes" => self.attributes(reader).at(place)?,
                "feature_names" => self.feature_names = reader.texts().at(place)?,
                "feature_types" => self.feature_types = reader.texts().at(place)?,
                "learner_model_param" => self.parameters(reader).at(place)?,
                "objective" => self.objective(reader).at(place)?,
                "gradient_booster" => {
                    if self.name.is_some() {
                        return Err(Error::malformed("'gradient_booster' stands twice").at(reader.place()));
                    }
                    self.gradient_booster(reader, want, 0)?;
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    fn attributes(&mut self, reader: &mut Reader) -> Result<()> {
        reader.object()?;
        while let Some(key) = reader.key()? {
            match &*key {
                "best_iteration" => self.best_iteration = Some(count(reader)? as u64),
                "best_ntree_limit" => self.best_trees = Some(count(reader)? as u64),
                "scikit_learn" => {
                    let text = reader.text()?;
                    self.wrapper = Some(wrapper(&text).at(|| "scikit_learn".into())?);
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    /// All values are text here.
    fn parameters(&mut self, reader: &mut Reader) -> Result<()> {
        reader.object()?;
        while let Some(key) = reader.key()? {
            match &*key {
                "base_score" => self.base_score = Some(reader.text()?.into_owned()),
                "num_class" => self.classes = count(reader)?,
                "num_target" => self.targets = count(reader)?,
                "num_feature" => self.features = Some(count(reader)?),
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    fn objective(&mut self, reader: &mut Reader) -> Result<()> {
        reader.object()?;
        while let Some(key) = reader.key()? {
            match &*key {
                "name" => self.objective = Some(reader.text()?.into_owned()),
                "quantile_loss_param" | "expectile_loss_param" => {
                    reader.object()?;
                    while let Some(key) = reader.key()? {
                        match &*key {
                            "quantile_alpha" | "expectile_alpha" => self.alphas = Some(reader.text()?.into_owned()),
                            _ => reader.skip()?,
                        }
                    }
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    /// `dart` holds a whole `gbtree`.
    fn gradient_booster(&mut self, reader: &mut Reader, want: Want, depth: u32) -> Result<()> {
        reader.object()?;
        let mut name = None;
        while let Some(key) = reader.key()? {
            match &*key {
                "name" => name = Some(reader.text()?.into_owned()),
                "model" => self.booster_model(reader, want)?,
                "gbtree" if depth == 0 => self.gradient_booster(reader, want, 1)?,
                "weight_drop" => {
                    let mut weights = Vec::new();
                    reader.numbers(&mut weights, Number::f32).at(|| "weight_drop".into())?;
                    self.trees.get_or_insert_with(Trees::default).weight_drop = Some(weights);
                }
                _ => reader.skip()?,
            }
        }
        if depth == 0 {
            let name = name.ok_or_else(|| Error::malformed("the gradient booster has no name").at(reader.place()))?;
            self.name = Some(name);
        }
        Ok(())
    }

    fn booster_model(&mut self, reader: &mut Reader, want: Want) -> Result<()> {
        reader.object()?;
        let mut sets = Sets::default();
        let mut raw = RawTree::default();
        while let Some(key) = reader.key()? {
            let place = || key.to_string();
            match &*key {
                "trees" if want == Want::Everything => {
                    let trees = self.trees.get_or_insert_with(Trees::default);
                    if !trees.trees.is_empty() {
                        return Err(Error::malformed("'trees' stands twice").at(reader.place()));
                    }
                    reader.list(|reader, event| {
                        let number = trees.trees.len();
                        raw.read(reader, event).at(|| format!("tree {number}"))?;
                        if number == 0 {
                            trees.vector = raw.size_leaf_vector > 1;
                        }
                        let tree = raw.tree(trees.vector, &mut sets, &mut trees.gains);
                        let tree = tree.at(|| format!("tree {number}"))?;
                        trees.trees.push(tree);
                        Ok(())
                    })?;
                }
                "tree_info" => reader.numbers(&mut self.info, Number::u32).at(place)?,
                "iteration_indptr" => {
                    let trees = self.trees.get_or_insert_with(Trees::default);
                    reader.numbers(&mut trees.starts, |number| number.i64()?.try_into().ok()).at(place)?;
                }
                "gbtree_model_param" => {
                    reader.object()?;
                    while let Some(key) = reader.key()? {
                        match &*key {
                            "num_parallel_tree" => {
                                self.trees.get_or_insert_with(Trees::default).parallel = count(reader)? as u64;
                            }
                            _ => reader.skip()?,
                        }
                    }
                }
                "cats" => self.categories(reader).at(place)?,
                "weights" => {
                    let mut weights = Vec::new();
                    reader.numbers(&mut weights, Number::f32).at(place)?;
                    self.weights = Some(weights);
                }
                _ => reader.skip()?,
            }
        }
        if let Some(trees) = &mut self.trees
            && trees.sets.is_empty()
        {
            trees.sets = sets.sets;
        }
        Ok(())
    }

    /// `{"enc": [a feature each], …}`: strings as offsets into their bytes, or numbers with their type.
    fn categories(&mut self, reader: &mut Reader) -> Result<()> {
        reader.object()?;
        while let Some(key) = reader.key()? {
            if &*key != "enc" {
                reader.skip()?;
                continue;
            }
            let mut features = Vec::new();
            reader.list(|reader, event| {
                let number = features.len();
                features.push(category_values(reader, event).at(|| format!("enc {number}"))?);
                Ok(())
            })?;
            self.categories = features;
        }
        Ok(())
    }

    fn finish(self, want: Want) -> Result<Booster> {
        let missing = |what: &str| Error::malformed(format!("there is no {what} in the file"));
        let outputs = self.classes.max(self.targets).max(1);
        if outputs > MOST_OUTPUTS {
            return Err(Error::limit(format!("{outputs} classes or targets; at most {MOST_OUTPUTS} are supported")));
        }
        let features = self.features.ok_or_else(|| missing("num_feature"))?;
        let base_score = base_scores(&self.base_score.ok_or_else(|| missing("base_score"))?)?;
        if base_score.len() != 1 && base_score.len() != outputs {
            return Err(Error::malformed(format!("{} base scores for {outputs} outputs", base_score.len())));
        }
        for (what, found) in [("names", self.feature_names.len()), ("types", self.feature_types.len())] {
            if found != 0 && found != features {
                return Err(Error::malformed(format!("{found} feature {what} for {features} features")));
            }
        }
        if self.categories.len() > features {
            return Err(Error::malformed(format!(
                "categories of {} features, but there are {features}",
                self.categories.len()
            )));
        }
        let version = self.version.unwrap_or(NEWEST);
        let mut categories = self.categories;
        for values in &mut categories {
            if let Categories::Known(known) = values
                && GARBLED.contains(&version)
                && known.iter().any(|value| matches!(value, Cell::Str(text) if !text.is_ascii()))
            {
                *values = Categories::Garbled(known.len());
            }
        }
        let name = self.name.ok_or_else(|| missing("gradient_booster"))?;
        let mut codes = Vec::new();
        let learner = match name.as_str() {
            "gbtree" | "dart" => {
                let mut trees = self.trees.unwrap_or_default();
                trees.parallel = trees.parallel.max(1);
                if want == Want::Everything {
                    codes = finish_trees(&mut trees, &self.info, (outputs, features), version)?;
                }
                if name == "gbtree" {
                    trees.weight_drop = None;
                } else if want == Want::Everything {
                    let count = trees.weight_drop.as_ref().map_or(0, Vec::len);
                    if count != trees.trees.len() {
                        return Err(Error::malformed(format!("{count} weights for {} trees", trees.trees.len()))
                            .at("weight_drop"));
                    }
                }
                Learner::Trees(trees)
            }
            "gblinear" => {
                let weights = self.weights.ok_or_else(|| missing("weights"))?;
                if features.checked_add(1).and_then(|rows| rows.checked_mul(outputs)) != Some(weights.len()) {
                    return Err(Error::malformed(format!(
                        "{} weights for {features} features and {outputs} outputs",
                        weights.len()
                    )));
                }
                Learner::Linear(weights)
            }
            name => return Err(Error::unsupported(format!("the booster {name:?} is not supported"))),
        };
        Ok(Booster {
            version,
            objective: self.objective.ok_or_else(|| missing("objective"))?,
            alphas: self.alphas,
            base_score,
            outputs,
            features,
            feature_names: self.feature_names,
            feature_types: self.feature_types,
            categories,
            best_iteration: self.best_iteration,
            best_trees: self.best_trees.or(self.wrapper.as_ref().and_then(|wrapper| wrapper.best_trees)),
            wrapper: self.wrapper,
            codes,
            learner,
        })
    }
}

/// What only the rest of the file tells: which output each tree adds to, how many features there are, and where
/// unknown categories go. Returns `Booster::codes`.
fn finish_trees(
    trees: &mut Trees,
    info: &[u32],
    (outputs, features): (usize, usize),
    version: Version,
) -> Result<Vec<u32>> {
    if trees.trees.is_empty() {
        return Err(Error::unsupported("the model has no trees"));
    }
    if info.len() != trees.trees.len() {
        return Err(
            Error::malformed(format!("{} entries for {} trees", info.len(), trees.trees.len())).at("tree_info")
        );
    }
    if trees.starts.windows(2).any(|pair| pair[0] > pair[1])
        || trees.starts.last().is_some_and(|&end| end != info.len() as u64)
    {
        return Err(Error::malformed("not the trees' iterations in order").at("iteration_indptr"));
    }
    for (number, (tree, &info)) in trees.trees.iter_mut().zip(info).enumerate() {
        let place = || format!("tree {number}");
        match &mut tree.leaves {
            Leaves::Vector(values) if values.len() != tree_leaves(&tree.nodes) * outputs => {
                return Err(Error::malformed(format!("leaf values that are not {outputs} a leaf")).at(place()));
            }
            Leaves::Vector(_) => {}
            Leaves::Scalar { output, .. } | Leaves::Linear { output, .. } => {
                if info as usize >= outputs {
                    return Err(Error::malformed(format!("output {info} of {outputs}")).at("tree_info").at(place()));
                }
                *output = info;
            }
        }
        let over = tree.nodes.iter().find_map(|node| match node {
            Node::Split { feature, .. } if *feature as usize >= features => Some(*feature),
            _ => None,
        });
        if let Some(feature) = over {
            return Err(Error::malformed(format!("feature {feature}, but there are {features}")).at(place()));
        }
    }
    let codes = codes(trees, features);
    if ((1, 6, 0)..(1, 7, 0)).contains(&version) {
        default_outside(trees);
    }
    Ok(codes)
}

/// A set ends with the largest category that its split names.
fn codes(trees: &Trees, features: usize) -> Vec<u32> {
    let mut codes = Vec::new();
    for node in trees.trees.iter().flat_map(|tree| &tree.nodes) {
        if let Node::Split { feature, test: Test::In(set), .. } = node {
            codes.resize(features, 0);
            let most: &mut u32 = &mut codes[*feature as usize];
            *most = (*most).max(trees.sets[*set as usize].size);
        }
    }
    codes
}

/// In 1.6 a category beyond the words of a split's bit set, or negative, takes the default direction.
fn default_outside(trees: &mut Trees) {
    let sets = std::mem::take(&mut trees.sets);
    let mut numbers = HashMap::new();
    for node in trees.trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
        if let Node::Split { test: Test::In(set), missing_left, .. } = node {
            let next = trees.sets.len() as u32;
            let number = *numbers.entry((*set, *missing_left)).or_insert(next);
            if number == next {
                let mut set = sets[*set as usize].clone();
                if let Some(last) = set.left.last_mut()
                    && !set.size.is_multiple_of(32)
                {
                    *last |= u32::MAX << (set.size % 32);
                }
                set.size = set.left.len() as u32 * 32;
                set.outside_left = *missing_left;
                trees.sets.push(set);
            }
            *set = number;
        }
    }
}

fn tree_leaves(nodes: &[Node]) -> usize {
    nodes.iter().filter(|node| matches!(node, Node::Leaf(_))).count()
}

fn count(reader: &mut Reader) -> Result<usize> {
    let text = reader.text()?;
    text.parse().map_err(|_| Error::malformed(format!("{text:?} where a count is expected")).at(reader.place()))
}

/// `5E-1`, `[5E-1]` or `[1E-1,2E-1]`.
fn base_scores(text: &str) -> Result<Vec<f32>> {
    let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let scores: Option<Vec<f32>> =
        list.split(',').map(|score| score.trim().parse().ok().filter(|score: &f32| score.is_finite())).collect();
    scores.ok_or_else(|| Error::malformed(format!("{text:?} where numbers are expected")).at("base_score"))
}

/// The attribute `scikit_learn`: JSON in a string.
fn wrapper(text: &str) -> Result<Wrapper> {
    let mut reader = Reader::json(text.as_bytes());
    let mut wrapper = Wrapper::default();
    reader.object()?;
    while let Some(key) = reader.key()? {
        let event = reader.next()?;
        match (&*key, event) {
            // `type` names the class, up to 1.2.
            ("_estimator_type" | "type", Event::Text(kind)) => {
                wrapper.classifier = kind.to_ascii_lowercase().ends_with("classifier");
            }
            ("missing", Event::Number(number)) => wrapper.missing = number.f64().filter(|value| !value.is_nan()),
            ("best_ntree_limit", Event::Number(number)) => {
                wrapper.best_trees = number.i64().and_then(|limit| limit.try_into().ok());
            }
            ("classes_", Event::Array) => wrapper.classes = Some(classes(&mut reader)?),
            // The encoder of labels up to 1.5 has the same classes.
            (_, event) => reader.skip_rest(&event)?,
        }
    }
    Ok(wrapper)
}

/// The labels of a list that has begun.
fn classes(reader: &mut Reader) -> Result<Vec<Cell>> {
    let mut classes = Vec::new();
    loop {
        classes.push(match reader.next()? {
            Event::EndArray => return Ok(classes),
            Event::Number(number) => match number.i64() {
                Some(value) => Cell::Int(value),
                None => Cell::float(number.f64().unwrap_or(f64::NAN)),
            },
            Event::Text(text) => Cell::Str(text.into_owned()),
            Event::Bool(value) => Cell::Bool(value),
            _ => return Err(Error::malformed("a class that is no label").at("classes_")),
        });
    }
}

/// The categories of one feature.
fn category_values(reader: &mut Reader, first: Event) -> Result<Categories> {
    if first != Event::Object {
        return Err(Error::malformed("an object is expected").at(reader.place()));
    }
    // `offsets` comes before `values` in the file, `type` too, but nothing promises it.
    let (mut offsets, mut numbers): (Option<Vec<u32>>, Vec<f64>) = (None, Vec::new());
    let mut whole = true;
    while let Some(key) = reader.key()? {
        match &*key {
            "offsets" => {
                let mut found = Vec::new();
                reader.numbers(&mut found, Number::u32)?;
                offsets = Some(found);
            }
            "type" => {
                let event = reader.next()?;
                // 7 and 8 are the floating types.
                let Event::Number(number) = event else {
                    return Err(Error::malformed("a number is expected").at("type"));
                };
                whole = !matches!(number.i64(), Some(7 | 8));
            }
            "values" => reader.numbers(&mut numbers, Number::f64)?,
            _ => reader.skip()?,
        }
    }
    let Some(offsets) = offsets else {
        let cell = |number: f64| {
            if whole && number.fract() == 0.0 && number.abs() < 2f64.powi(53) {
                Cell::Int(number as i64)
            } else {
                Cell::float(number)
            }
        };
        return Ok(Categories::Known(numbers.into_iter().map(cell).collect()));
    };
    if offsets.len() < 2 {
        return Ok(Categories::None);
    }
    // The bytes of the strings are written as signed numbers.
    let bytes: Option<Vec<u8>> = numbers
        .into_iter()
        .map(|number| (number.fract() == 0.0 && (-128.0..256.0).contains(&number)).then_some(number as i32 as u8))
        .collect();
    let bytes = bytes.ok_or_else(|| Error::malformed("values that are not bytes"))?;
    let mut names = Vec::with_capacity(offsets.len() - 1);
    for pair in offsets.windows(2) {
        let name = bytes.get(pair[0] as usize..pair[1] as usize);
        let name = name.ok_or_else(|| Error::malformed("offsets that are not those of the values"))?;
        match std::str::from_utf8(name) {
            Ok(name) => names.push(Cell::Str(name.to_string())),
            Err(_) => return Ok(Categories::Garbled(offsets.len() - 1)),
        }
    }
    Ok(Categories::Known(names))
}

/// Category sets on their way into a model, each once.
#[derive(Default)]
struct Sets {
    sets: Vec<CategorySet>,
    numbers: HashMap<CategorySet, u32>,
    words: usize,
    work: usize,
}

impl Sets {
    /// The set of a split where `right` go right: whatever is not among them goes left, also unknown, negative and
    /// huge categories (`common::Decision`, 1.7 to 3.2).
    fn add(&mut self, right: &[i32]) -> Result<u32> {
        let mut most = 0;
        for &category in right {
            if !u32::try_from(category).is_ok_and(|category| category < CategorySet::MOST) {
                return Err(Error::malformed(format!("category {category}")));
            }
            most = most.max(category as u32);
        }
        let size = most + 1;
        let words = size.div_ceil(32) as usize;
        self.work += words;
        if self.words + words > MOST_SET_WORDS || self.work > MOST_SET_WORK {
            return Err(Error::limit("the categorical splits take more than 32 MB"));
        }
        let mut set = CategorySet { left: vec![u32::MAX; words], size, outside_left: true, toward_zero: false };
        if !size.is_multiple_of(32) {
            set.left[words - 1] = (1 << (size % 32)) - 1;
        }
        for &category in right {
            set.left[category as usize / 32] &= !(1 << (category % 32));
        }
        if let Some(&number) = self.numbers.get(&set) {
            return Ok(number);
        }
        let number = self.sets.len() as u32;
        self.words += words;
        self.sets.push(set.clone());
        self.numbers.insert(set, number);
        Ok(number)
    }
}

/// A tree's parallel arrays, one entry a node; the buffers serve all trees in turn.
#[derive(Default)]
struct RawTree {
    left: Vec<i32>,
    right: Vec<i32>,
    feature: Vec<u32>,
    /// At leaves the value.
    condition: Vec<f32>,
    default_left: Vec<i32>,
    /// What a split gained; files may lack it.
    gain: Vec<f32>,
    /// 1 is categorical; empty in versions without it.
    split_type: Vec<i32>,
    categories: Vec<i32>,
    categories_nodes: Vec<u32>,
    categories_segments: Vec<u32>,
    categories_sizes: Vec<u32>,
    /// Nodes × outputs where leaves are vectors, up to 3.1.
    base_weights: Vec<f32>,
    /// Leaves × outputs, from 3.2; a leaf's `right` is its row.
    leaf_weights: Vec<f32>,
    size_leaf_vector: usize,
    /// As `tree_param` states it.
    nodes: Option<usize>,
}

impl RawTree {
    fn read(&mut self, reader: &mut Reader, first: Event) -> Result<()> {
        if first != Event::Object {
            return Err(Error::malformed("an object is expected").at(reader.place()));
        }
        for list in
            [&mut self.left, &mut self.right, &mut self.default_left, &mut self.split_type, &mut self.categories]
        {
            list.clear();
        }
        for list in
            [&mut self.feature, &mut self.categories_nodes, &mut self.categories_segments, &mut self.categories_sizes]
        {
            list.clear();
        }
        for list in [&mut self.condition, &mut self.gain, &mut self.base_weights, &mut self.leaf_weights] {
            list.clear();
        }
        (self.size_leaf_vector, self.nodes) = (1, None);
        while let Some(key) = reader.key()? {
            let place = || key.to_string();
            match &*key {
                "left_children" => reader.numbers(&mut self.left, Number::i32).at(place)?,
                "right_children" => reader.numbers(&mut self.right, Number::i32).at(place)?,
                "split_indices" => reader.numbers(&mut self.feature, Number::u32).at(place)?,
                "split_conditions" => reader.numbers(&mut self.condition, Number::f32).at(place)?,
                "loss_changes" => reader.numbers(&mut self.gain, Number::f32).at(place)?,
                "default_left" => reader.numbers(&mut self.default_left, Number::i32).at(place)?,
                "split_type" => reader.numbers(&mut self.split_type, Number::i32).at(place)?,
                "categories" => reader.numbers(&mut self.categories, Number::i32).at(place)?,
                "categories_nodes" => reader.numbers(&mut self.categories_nodes, Number::u32).at(place)?,
                "categories_segments" => reader.numbers(&mut self.categories_segments, Number::u32).at(place)?,
                "categories_sizes" => reader.numbers(&mut self.categories_sizes, Number::u32).at(place)?,
                "base_weights" => reader.numbers(&mut self.base_weights, Number::f32).at(place)?,
                "leaf_weights" => reader.numbers(&mut self.leaf_weights, Number::f32).at(place)?,
                "tree_param" => {
                    reader.object()?;
                    while let Some(key) = reader.key()? {
                        match &*key {
                            "num_nodes" => self.nodes = Some(count(reader)?),
                            "size_leaf_vector" => self.size_leaf_vector = count(reader)?,
                            _ => reader.skip()?,
                        }
                    }
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    fn tree(&self, vector: bool, sets: &mut Sets, gains: &mut BTreeMap<u32, (f64, f64)>) -> Result<Tree> {
        let count = self.left.len();
        if count == 0 {
            return Err(Error::malformed("the tree has no nodes"));
        }
        for (what, found) in [
            ("right_children", self.right.len()),
            ("split_indices", self.feature.len()),
            ("split_conditions", self.condition.len()),
            ("default_left", self.default_left.len()),
            ("num_nodes", self.nodes.unwrap_or(count)),
            ("split_type", if self.split_type.is_empty() { count } else { self.split_type.len() }),
        ] {
            if found != count {
                return Err(Error::malformed(format!("{found} in {what}, but left_children has {count} nodes")));
            }
        }
        if vector != (self.size_leaf_vector > 1) {
            return Err(Error::malformed("trees with one value a leaf and trees with several"));
        }
        let segments = self.segments()?;
        let (mut nodes, mut values, mut leaves) = (vec![Node::Leaf(0)], Vec::new(), 0);
        let mut seen = vec![false; count];
        seen[0] = true;
        let mut open = vec![(0usize, 0usize)];
        while let Some((raw, at)) = open.pop() {
            let place = || format!("node {raw}");
            if self.left[raw] == -1 {
                if vector {
                    values.extend(self.leaf_vector(raw).at(place)?.iter().map(|&value| f64::from(value)));
                } else {
                    values.push(f64::from(self.condition[raw]));
                }
                nodes[at] = Node::Leaf(leaves);
                leaves += 1;
                continue;
            }
            let pair = nodes.len() as u32;
            for (child, place_of) in [(self.right[raw], pair + 1), (self.left[raw], pair)] {
                let child = usize::try_from(child).ok().filter(|&child| child < count).ok_or_else(|| {
                    Error::malformed(format!("child {child}, but the tree has {count} nodes")).at(place())
                })?;
                if std::mem::replace(&mut seen[child], true) {
                    return Err(Error::malformed(format!("child {child} has two parents or is a cycle")).at(place()));
                }
                open.push((child, place_of as usize));
            }
            let test = match self.split_type.get(raw) {
                None | Some(0) => {
                    if self.condition[raw].is_nan() {
                        return Err(Error::malformed("a threshold that is not a number").at(place()));
                    }
                    Test::Less(f64::from(self.condition[raw]))
                }
                Some(1) => {
                    let segment = segments
                        .get(&(raw as u32))
                        .ok_or_else(|| Error::malformed("a categorical split without categories").at(place()))?;
                    Test::In(sets.add(segment).at(place)?)
                }
                Some(kind) => return Err(Error::unsupported(format!("a split of type {kind}")).at(place())),
            };
            let (count, gain) = gains.entry(self.feature[raw]).or_default();
            (*count, *gain) = (*count + 1.0, *gain + self.gain.get(raw).map_or(f64::NAN, |&gain| gain.into()));
            nodes[at] = Node::Split {
                feature: self.feature[raw],
                test,
                missing_left: self.default_left[raw] != 0,
                left: pair,
                right: pair + 1,
            };
            nodes.extend([Node::Leaf(0); 2]);
        }
        let leaves = if vector { Leaves::Vector(values) } else { Leaves::Scalar { output: 0, values } };
        Ok(Tree { nodes, leaves })
    }

    /// The categories that go right, by node.
    fn segments(&self) -> Result<HashMap<u32, &[i32]>> {
        let count = self.categories_nodes.len();
        if self.categories_segments.len() != count || self.categories_sizes.len() != count {
            return Err(Error::malformed("categories_nodes, _segments and _sizes differ in length"));
        }
        let starts = self.categories_segments.iter().zip(&self.categories_sizes);
        let mut segments = HashMap::with_capacity(count);
        for (&node, (&start, &size)) in self.categories_nodes.iter().zip(starts) {
            let segment = (start as usize)
                .checked_add(size as usize)
                .and_then(|end| self.categories.get(start as usize..end).filter(|segment| !segment.is_empty()));
            let segment = segment.ok_or_else(|| {
                let message = format!("categories {start} to {start} + {size} of {}", self.categories.len());
                Error::malformed(message).at(format!("node {node}"))
            })?;
            segments.insert(node, segment);
        }
        Ok(segments)
    }

    fn leaf_vector(&self, node: usize) -> Result<&[f32]> {
        let size = self.size_leaf_vector;
        let (weights, row) = if self.leaf_weights.is_empty() {
            (&self.base_weights, Some(node))
        } else {
            (&self.leaf_weights, usize::try_from(self.right[node]).ok())
        };
        row.and_then(|row| row.checked_mul(size))
            .and_then(|start| weights.get(start..start.checked_add(size)?))
            .ok_or_else(|| Error::malformed("a leaf without values"))
    }
}

//! CatBoost's JSON export (`save_model(…, format="json")`, catboost/libs/model/model_export/json_model_helpers.cpp), read
//! straight into typed parts. As when CatBoost loads it, a split is its `split_index`; what else stands beside it repeats
//! the bin.

use super::ctr;
use super::parts::{CatFeature, FloatFeature, Info, OneHot, Parts, Trees, refuse_features};
use crate::model::{Leaves, Node, Test, Tree};
use crate::{Error, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
struct File {
    features_info: Features,
    #[serde(default)]
    model_info: Info,
    oblivious_trees: Option<Vec<Oblivious>>,
    trees: Option<Vec<Branch>>,
    scale_and_bias: Option<(f64, OneOrMore)>,
    #[serde(default)]
    ctr_data: Option<ctr::Data>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(f64),
    More(Vec<f64>),
}

impl OneOrMore {
    fn list(self) -> Vec<f64> {
        match self {
            OneOrMore::One(value) => vec![value],
            OneOrMore::More(values) => values,
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Features {
    float_features: Vec<Float>,
    categorical_features: Vec<Categorical>,
    ctrs: Vec<ctr::Stored>,
    cat_features_hash: Option<Vec<Hashed>>,
    text_features: Vec<IgnoredAny>,
    embedding_features: Vec<IgnoredAny>,
}

/// An entry of `cat_features_hash`; the hash is `city::category` of the value.
#[derive(Deserialize)]
struct Hashed {
    value: String,
}

#[derive(Deserialize)]
struct Float {
    feature_index: i64,
    flat_feature_index: usize,
    #[serde(default)]
    borders: Option<Vec<f32>>,
    #[serde(default)]
    feature_id: String,
    feature_name: Option<String>,
    nan_value_treatment: String,
}

#[derive(Deserialize)]
struct Categorical {
    feature_index: i64,
    flat_feature_index: usize,
    #[serde(default)]
    feature_id: String,
    feature_name: Option<String>,
    values: Option<Vec<i32>>,
    string_values: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Oblivious {
    #[serde(default)]
    splits: Option<Vec<Split>>,
    leaf_values: Vec<f64>,
}

#[derive(Deserialize)]
struct Split {
    split_index: u32,
}

/// A node of a tree that is not symmetric: a split with two branches, or a leaf. serde_json limits the depth.
#[derive(Deserialize)]
struct Branch {
    split: Option<Split>,
    left: Option<Box<Branch>>,
    right: Option<Box<Branch>>,
    value: Option<OneOrMore>,
}

/// # Errors
/// Malformed with line and column where the JSON does not hold what it should; Unsupported with the feature's name.
pub fn read(bytes: &[u8]) -> Result<Parts> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file: File = serde_json::from_slice(bytes).map_err(|error| Error::malformed(error.to_string()))?;
    let features = file.features_info;
    refuse_features(!features.text_features.is_empty(), !features.embedding_features.is_empty(), false)?;
    let (trees, outputs) = match (file.oblivious_trees, file.trees) {
        (Some(trees), None) => oblivious(trees)?,
        (None, Some(trees)) => asymmetric(trees)?,
        _ => return Err(Error::malformed("either oblivious_trees or trees is expected")),
    };
    let (scale, bias) = file.scale_and_bias.map_or((1.0, vec![0.0]), |(scale, bias)| (scale, bias.list()));
    let pool = features.cat_features_hash.is_some();
    let mut categories: Vec<String> =
        features.cat_features_hash.unwrap_or_default().into_iter().map(|entry| entry.value).collect();
    let mut one_hot = Vec::new();
    for feature in &features.categorical_features {
        categories.extend(feature.string_values.iter().flatten().cloned());
        if let Some(hashes) = &feature.values {
            let hashes = hashes.iter().map(|&hash| hash as u32).collect();
            one_hot.push(OneHot { cat: feature.feature_index, hashes });
        }
    }
    categories.sort();
    categories.dedup();
    let ctrs = ctr::features(features.ctrs, file.ctr_data.unwrap_or_default(), &categories)?;
    let floats = features.float_features.into_iter().map(|feature| {
        Ok(FloatFeature {
            index: feature.feature_index,
            flat: feature.flat_feature_index,
            borders: feature.borders.unwrap_or_default(),
            name: feature.feature_name.unwrap_or(feature.feature_id),
            missing_above: match feature.nan_value_treatment.as_str() {
                "AsIs" | "AsFalse" => false,
                "AsTrue" => true,
                other => return Err(Error::malformed(format!("nan_value_treatment '{other}'"))),
            },
        })
    });
    Ok(Parts {
        outputs,
        floats: floats.collect::<Result<_>>()?,
        cats: features
            .categorical_features
            .into_iter()
            .map(|feature| CatFeature {
                index: feature.feature_index,
                flat: feature.flat_feature_index,
                name: feature.feature_name.unwrap_or(feature.feature_id),
            })
            .collect(),
        one_hot,
        categories,
        pool,
        ctrs,
        trees,
        scale,
        bias,
        info: file.model_info,
    })
}

fn oblivious(trees: Vec<Oblivious>) -> Result<(Trees, usize)> {
    let mut outputs = 0;
    let mut made = Vec::with_capacity(trees.len());
    for (number, tree) in trees.into_iter().enumerate() {
        let levels: Vec<u32> = tree.splits.into_iter().flatten().map(|split| split.split_index).collect();
        let width = u32::try_from(levels.len()).ok().and_then(|levels| 1usize.checked_shl(levels));
        let width = width.map_or(0, |leaves| tree.leaf_values.len() / leaves);
        if number == 0 {
            outputs = width;
        }
        if width == 0 || width != outputs || width << levels.len() != tree.leaf_values.len() {
            let message = format!("{} leaf_values for {} splits", tree.leaf_values.len(), levels.len());
            return Err(Error::malformed(message).at(format!("oblivious_trees, {number}")));
        }
        made.push((levels, tree.leaf_values));
    }
    Ok((Trees::Oblivious(made), outputs))
}

fn asymmetric(trees: Vec<Branch>) -> Result<(Trees, usize)> {
    let mut outputs = 0;
    let mut made = Vec::with_capacity(trees.len());
    for (number, root) in trees.into_iter().enumerate() {
        let wrong = |message: &str| Error::malformed(message).at(format!("trees, {number}"));
        let (mut nodes, mut rows) = (vec![Node::Leaf(0)], Vec::new());
        let mut leaves = 0;
        let mut open = vec![(root, 0)];
        while let Some((branch, at)) = open.pop() {
            nodes[at] = match (branch.split, branch.left, branch.right, branch.value) {
                (Some(split), Some(left), Some(right), None) => {
                    let child = nodes.len();
                    nodes.extend([Node::Leaf(0); 2]);
                    open.push((*right, child + 1));
                    open.push((*left, child));
                    Node::Split {
                        feature: split.split_index,
                        // The border comes with the bin, once features are known.
                        test: Test::LessEqual(0.0),
                        missing_left: false,
                        left: child as u32,
                        right: child as u32 + 1,
                    }
                }
                (None, None, None, Some(value)) => {
                    let value = value.list();
                    if outputs == 0 {
                        outputs = value.len();
                    }
                    if value.is_empty() || value.len() != outputs {
                        return Err(wrong("leaves with different numbers of values"));
                    }
                    rows.extend(value);
                    leaves += 1;
                    Node::Leaf(leaves - 1)
                }
                _ => return Err(wrong("a node is either a value or a split with left and right")),
            };
        }
        made.push(Tree { nodes, leaves: Leaves::Vector(rows) });
    }
    Ok((Trees::Asymmetric(made), outputs))
}

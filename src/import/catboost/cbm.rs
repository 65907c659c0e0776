//! CatBoost's binary format: `CBM1`, the core's size, and the core, a flatbuffer (catboost/libs/model/flatbuffers).
//!
//! Read by hand: every offset is checked against the buffer, and what all vectors and strings hold together against its
//! size, since offsets of a hostile file may all point to the same one.

use super::parts::{CatFeature, FloatFeature, Info, OneHot, Parts, Trees};
use crate::model::{Leaves, Node, Test, Tree};
use crate::{At, Error, Result};
use std::cell::Cell;

/// A flatbuffer, and how many bytes of vectors may still be read.
struct Buffer<'a> {
    bytes: &'a [u8],
    left: Cell<usize>,
}

fn outside(what: &str) -> Error {
    Error::malformed(format!("{what} points outside the file"))
}

impl<'a> Buffer<'a> {
    fn array<const N: usize>(&self, at: usize, what: &str) -> Result<[u8; N]> {
        let bytes = self.bytes.get(at..).and_then(|bytes| bytes.first_chunk::<N>());
        bytes.copied().ok_or_else(|| outside(what))
    }

    fn u16(&self, at: usize, what: &str) -> Result<u16> {
        self.array(at, what).map(u16::from_le_bytes)
    }

    fn u32(&self, at: usize, what: &str) -> Result<u32> {
        self.array(at, what).map(u32::from_le_bytes)
    }

    /// Where the offset that stands at `at` points.
    fn follow(&self, at: usize, what: &str) -> Result<usize> {
        let to = at.checked_add(self.u32(at, what)? as usize);
        to.filter(|&to| to < self.bytes.len()).ok_or_else(|| outside(what))
    }

    fn table(&self, at: usize, what: &'static str) -> Result<Table<'_, 'a>> {
        let back = i32::from_le_bytes(self.array(at, what)?);
        let vtable = usize::try_from(at as i64 - i64::from(back)).map_err(|_| outside(what))?;
        let size = self.u16(vtable, what)? as usize;
        Ok(Table { buffer: self, at, vtable, slots: (size / 2).saturating_sub(2), what })
    }

    /// The elements of the vector that starts at `at`, `N` bytes each.
    fn elements<const N: usize>(&self, at: usize, what: &str) -> Result<impl Iterator<Item = [u8; N]> + use<'a, N>> {
        let length = self.u32(at, what)? as usize;
        let size = length.checked_mul(N).ok_or_else(|| outside(what))?;
        let start = at + 4;
        let bytes =
            start.checked_add(size).and_then(|end| self.bytes.get(start..end)).ok_or_else(|| outside(what))?;
        let left =
            self.left.get().checked_sub(size).ok_or_else(|| {
                Error::malformed(format!("{what}: the file's lists together are longer than the file"))
            })?;
        self.left.set(left);
        Ok(bytes.as_chunks::<N>().0.iter().copied())
    }

    fn string(&self, at: usize, what: &str) -> Result<String> {
        let bytes = self.elements::<1>(at, what)?.flatten().collect();
        String::from_utf8(bytes).map_err(|_| Error::malformed(format!("{what} is not UTF-8 text")))
    }
}

/// A table; its fields are numbered as in the schema.
struct Table<'b, 'a> {
    buffer: &'b Buffer<'a>,
    at: usize,
    vtable: usize,
    slots: usize,
    what: &'static str,
}

impl<'b, 'a> Table<'b, 'a> {
    /// Where a field stands; None where it has its default.
    fn field(&self, slot: usize) -> Result<Option<usize>> {
        if slot >= self.slots {
            return Ok(None);
        }
        let offset = self.buffer.u16(self.vtable + 4 + 2 * slot, self.what)? as usize;
        Ok((offset != 0).then_some(self.at + offset))
    }

    fn scalar<const N: usize, T>(&self, slot: usize, default: T, from: fn([u8; N]) -> T) -> Result<T> {
        match self.field(slot)? {
            Some(at) => self.buffer.array(at, self.what).map(from),
            None => Ok(default),
        }
    }

    fn i32(&self, slot: usize, default: i32) -> Result<i32> {
        self.scalar(slot, default, i32::from_le_bytes)
    }

    fn f64(&self, slot: usize, default: f64) -> Result<f64> {
        self.scalar(slot, default, f64::from_le_bytes)
    }

    fn u8(&self, slot: usize, default: u8) -> Result<u8> {
        self.scalar(slot, default, |[byte]| byte)
    }

    fn vector<const N: usize, T>(&self, slot: usize, what: &str, from: fn([u8; N]) -> T) -> Result<Vec<T>> {
        match self.field(slot)? {
            Some(at) => Ok(self.buffer.elements(self.buffer.follow(at, what)?, what)?.map(from).collect()),
            None => Ok(Vec::new()),
        }
    }

    fn string(&self, slot: usize, what: &str) -> Result<String> {
        match self.field(slot)? {
            Some(at) => self.buffer.string(self.buffer.follow(at, what)?, what),
            None => Ok(String::new()),
        }
    }

    /// Where each element of a vector of offsets points.
    fn pointers(&self, slot: usize, what: &'static str) -> Result<Vec<usize>> {
        let Some(at) = self.field(slot)? else { return Ok(Vec::new()) };
        let start = self.buffer.follow(at, what)?;
        let count = self.buffer.elements::<4>(start, what)?.count();
        (0..count).map(|number| self.buffer.follow(start + 4 + 4 * number, what)).collect()
    }

    fn tables(&self, slot: usize, what: &'static str) -> Result<Vec<Table<'b, 'a>>> {
        self.pointers(slot, what)?.into_iter().map(|at| self.buffer.table(at, what)).collect()
    }

    fn strings(&self, slot: usize, what: &'static str) -> Result<Vec<String>> {
        self.pointers(slot, what)?.into_iter().map(|at| self.buffer.string(at, what)).collect()
    }
}

/// Reads a `.cbm` file, or the bytes in a pickled wrapper.
///
/// # Errors
/// Names the part of the core that is damaged, or the feature that is not supported.
pub fn read(bytes: &[u8]) -> Result<Parts> {
    let (Some(b"CBM1"), Some(size)) = (bytes.get(..4), bytes.get(4..).and_then(|bytes| bytes.first_chunk())) else {
        return Err(Error::malformed("a CatBoost model begins with CBM1 and its size"));
    };
    let size = u32::from_le_bytes(*size) as usize;
    let core = bytes[8..].get(..size).ok_or_else(|| {
        Error::malformed(format!("the core has {size} bytes, but {} follow its size", bytes.len() - 8))
    })?;
    let buffer = Buffer { bytes: core, left: Cell::new(core.len()) };
    let root = buffer.table(buffer.follow(0, "TModelCore")?, "TModelCore")?;
    let version = root.string(0, "FormatVersion")?;
    // Spelt so by CatBoost.
    if version != "FlabuffersModel_v1" {
        return Err(Error::unsupported(format!("CatBoost format version '{version}'")));
    }
    let trees = root.field(1)?.ok_or_else(|| Error::malformed("the core holds no trees"))?;
    let trees = buffer.table(buffer.follow(trees, "ModelTrees")?, "ModelTrees")?;
    let mut parts = parts(&trees).at(|| "ModelTrees".to_string())?;
    for pair in root.tables(2, "InfoMap")? {
        let value = pair.string(1, "InfoMap")?;
        parts.info.set(&pair.string(0, "InfoMap")?, &value).at(|| "InfoMap".to_string())?;
    }
    Ok(parts)
}

fn place(flat: i32, what: &str) -> Result<usize> {
    usize::try_from(flat).map_err(|_| Error::malformed(format!("{what} has the index {flat}")))
}

fn parts(trees: &Table) -> Result<Parts> {
    super::parts::refuse_features(
        !trees.pointers(12, "TextFeatures")?.is_empty(),
        !trees.pointers(18, "EmbeddingFeatures")?.is_empty(),
        !trees.pointers(13, "EstimatedFeatures")?.is_empty(),
    )?;
    if trees.u8(19, 0)? != 0 {
        return Err(Error::unsupported("interpolation between the borders of float features"));
    }
    let mut parts = Parts {
        outputs: place(trees.i32(0, 0)?, "ApproxDimension")?,
        floats: Vec::new(),
        cats: Vec::new(),
        one_hot: Vec::new(),
        categories: Vec::new(),
        pool: false,
        ctrs: Vec::new(),
        trees: Trees::Oblivious(Vec::new()),
        scale: trees.f64(14, 1.0)?,
        bias: trees.vector(16, "MultiBias", f64::from_le_bytes)?,
        info: Info::default(),
    };
    if parts.bias.is_empty() {
        parts.bias.push(trees.f64(15, 0.0)?);
    }
    for feature in trees.tables(5, "FloatFeatures")? {
        parts.floats.push(FloatFeature {
            index: feature.i32(1, -1)?.into(),
            flat: place(feature.i32(2, -1)?, "a float feature")?,
            borders: feature.vector(3, "Borders", f32::from_le_bytes)?,
            name: feature.string(4, "FeatureId")?,
            missing_above: match feature.u8(5, 0)? {
                0 | 1 => false,
                2 => true,
                other => return Err(Error::malformed(format!("NanValueTreatment {other}"))),
            },
        });
    }
    for feature in trees.tables(4, "CatFeatures")? {
        parts.cats.push(CatFeature {
            index: feature.i32(0, -1)?.into(),
            flat: place(feature.i32(1, -1)?, "a categorical feature")?,
            name: feature.string(2, "FeatureId")?,
        });
    }
    for feature in trees.tables(6, "OneHotFeatures")? {
        parts.one_hot.push(OneHot {
            cat: feature.i32(0, -1)?.into(),
            hashes: feature.vector(1, "Values", u32::from_le_bytes)?,
        });
        // Few releases of CatBoost filled it in.
        parts.categories.extend(feature.strings(2, "StringValues")?);
    }
    if !trees.pointers(7, "CtrFeatures")?.is_empty() {
        return Err(Error::unsupported(
            "categorical features with target statistics (CTR), which a .cbm keeps by hash",
        )
        .remedy(
            "Save the model as JSON together with its training pool, which names the categories: \
                 model.save_model(\"model.json\", format=\"json\", pool=train_pool).",
        ));
    }
    let splits = trees.vector(1, "TreeSplits", u32::from_le_bytes)?;
    let sizes = trees.vector(2, "TreeSizes", u32::from_le_bytes)?;
    let values = trees.vector(8, "LeafValues", f64::from_le_bytes)?;
    let steps = trees.vector(10, "NonSymmetricStepNodes", |[a, b, c, d]: [u8; 4]| {
        (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
    })?;
    let leaves = trees.vector(11, "NonSymmetricNodeIdToLeafId", u32::from_le_bytes)?;
    parts.trees = if steps.is_empty() {
        oblivious(parts.outputs, &splits, &sizes, &values)?
    } else {
        asymmetric(parts.outputs, &splits, &sizes, &values, &steps, &leaves)?
    };
    Ok(parts)
}

/// `sizes[t]` levels a tree; their splits and 2^levels rows of values stand one after the other.
fn oblivious(outputs: usize, splits: &[u32], sizes: &[u32], values: &[f64]) -> Result<Trees> {
    let (mut splits, mut values) = (splits, values);
    let mut trees = Vec::with_capacity(sizes.len());
    for (number, &size) in sizes.iter().enumerate() {
        let cut = || Error::malformed(format!("tree {number} has {size} levels, for which splits or values lack"));
        let rows = 1usize.checked_shl(size).and_then(|leaves| leaves.checked_mul(outputs)).ok_or_else(cut)?;
        let (levels, rest) = splits.split_at_checked(size as usize).ok_or_else(cut)?;
        let (leaves, more) = values.split_at_checked(rows).ok_or_else(cut)?;
        (splits, values) = (rest, more);
        trees.push((levels.to_vec(), leaves.to_vec()));
    }
    if !splits.is_empty() || !values.is_empty() {
        return Err(Error::malformed("more splits or leaf values than the trees have"));
    }
    Ok(Trees::Oblivious(trees))
}

/// `sizes[t]` nodes a tree. A step is how far on the left and right child stand; 0 ends there, with the leaf values
/// that the node itself has.
fn asymmetric(
    outputs: usize,
    splits: &[u32],
    sizes: &[u32],
    values: &[f64],
    steps: &[(u16, u16)],
    leaves: &[u32],
) -> Result<Trees> {
    if splits.len() != steps.len() || leaves.len() != steps.len() {
        let message = format!("{} splits, {} steps and {} leaf numbers", splits.len(), steps.len(), leaves.len());
        return Err(Error::malformed(message));
    }
    let mut start = 0usize;
    let mut left = values.len();
    let mut trees = Vec::with_capacity(sizes.len());
    for (number, &size) in sizes.iter().enumerate() {
        let place = || format!("tree {number}");
        let end = start.checked_add(size as usize).filter(|&end| end <= steps.len() && end > start);
        let end = end.ok_or_else(|| Error::malformed(format!("{size} nodes of {}", steps.len())).at(place()))?;
        let mut nodes = vec![Node::Leaf(0); end - start];
        let mut rows: Vec<f64> = Vec::new();
        let mut leaf = |at: usize| -> Result<Node> {
            // Each row of values belongs to one leaf; a hostile file may point to the same one again and again.
            left =
                left.checked_sub(outputs).ok_or_else(|| Error::malformed("more leaves than values").at(place()))?;
            let first = leaves[at] as usize;
            let row = first.checked_add(outputs).and_then(|end| values.get(first..end));
            rows.extend(row.ok_or_else(|| outside("a leaf").at(place()))?);
            Ok(Node::Leaf((rows.len() / outputs.max(1)) as u32 - 1))
        };
        for at in start..end {
            let (below, above) = steps[at];
            if (below, above) == (0, 0) {
                nodes[at - start] = leaf(at)?;
                continue;
            }
            let mut child = |step: u16| -> Result<u32> {
                if step == 0 {
                    let made = leaf(at)?;
                    nodes.push(made);
                    return Ok(nodes.len() as u32 - 1);
                }
                let to = at - start + step as usize;
                if to >= end - start {
                    return Err(Error::malformed(format!("node {} of {}", to, end - start)).at(place()));
                }
                Ok(to as u32)
            };
            let (left, right) = (child(below)?, child(above)?);
            // The border comes with the bin, once features are known.
            let test = Test::LessEqual(0.0);
            nodes[at - start] = Node::Split { feature: splits[at], test, missing_left: false, left, right };
        }
        trees.push(Tree { nodes, leaves: Leaves::Vector(rows) });
        start = end;
    }
    if start != steps.len() {
        return Err(Error::malformed(format!("{} nodes, but the trees have {start}", steps.len())));
    }
    Ok(Trees::Asymmetric(trees))
}

//! The arena: nodes with 32-bit indices, and the handles through which importers read them. Bytes and text are spans
//! of the input, or of `made` where the file's form had to be converted.

use std::fmt;
use std::sync::Arc;

use super::array::{Array, Dtype, Stored};
use super::{Limits, over};
use crate::{Error, Result};

pub(super) type Id = u32;

/// Nodes that every heap starts with.
pub(super) const NONE: Id = 0;
pub(super) const TRUE: Id = 1;
pub(super) const FALSE: Id = 2;
pub(super) const EMPTY_TUPLE: Id = 3;

/// A range of bytes: of `input`, or from its end on of `made`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) len: usize,
}

/// At most 32 bytes, which the charge in `machine` counts on.
pub(super) enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// Two's complement, little-endian, over 8 bytes.
    BigInt(Span),
    Float(f64),
    Complex(f64, f64),
    Str(Span),
    /// UTF-8 but for lone surrogates.
    Surrogates(Span),
    Bytes(Span),
    List(Vec<Id>),
    Tuple(Box<[Id]>),
    Set(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Slice(Box<[Id; 3]>),
    Global(Box<(Span, Span)>),
    Dtype(Arc<Dtype>),
    Array(Box<Stored>),
    Object(Box<Instance>),
}

/// What became of an object that Python would have made by a call.
pub(super) struct Instance {
    /// A Global, or an Object where the class itself came from a call.
    pub(super) class: Id,
    pub(super) args: Id,
    /// NONE if there are none.
    pub(super) kwargs: Id,
    /// NONE until BUILD.
    pub(super) state: Id,
    pub(super) items: Vec<Id>,
    pub(super) pairs: Vec<(Id, Id)>,
    /// Made by numpy's `_reconstruct`: BUILD makes it an array.
    pub(super) reconstruct: bool,
}

/// A name in the file that stands for code a model has no use for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// `os.system`, as Python would write it.
    pub name: String,
    /// Position of the opcode, after decompression.
    pub byte: usize,
}

/// Everything a file holds.
pub struct Heap {
    pub(super) input: Vec<u8>,
    pub(super) made: Vec<u8>,
    pub(super) nodes: Vec<Node>,
    pub(super) root: Id,
    pub(super) named: Vec<Named>,
    pub(super) array_bytes: usize,
}

impl Heap {
    pub fn root(&self) -> Value<'_> {
        self.value(self.root)
    }

    /// Names of code found anywhere in the file, each once, in the order of the file. None of it was run.
    pub fn named_code(&self) -> &[Named] {
        &self.named
    }

    pub(super) fn value(&self, id: Id) -> Value<'_> {
        Value { heap: self, id }
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        match span.start.checked_sub(self.input.len()) {
            None => &self.input[span.start..span.start + span.len],
            Some(start) => &self.made[start..start + span.len],
        }
    }

    /// Text of a span that was checked when its node was made.
    pub(super) fn text(&self, span: Span) -> &str {
        std::str::from_utf8(self.bytes(span)).unwrap_or_default()
    }

    /// Error if some node is further from the root than `limits.depth`.
    pub(super) fn check_depth(&self, limits: &Limits) -> Result<()> {
        let mut seen = vec![false; self.nodes.len()];
        let mut level = vec![self.root];
        seen[self.root as usize] = true;
        let mut depth = 0;
        while !level.is_empty() {
            if depth > limits.depth {
                return Err(over("depth", limits.depth, "objects nest deeper than"));
            }
            depth += 1;
            let mut next = Vec::new();
            let mut visit = |id: Id| {
                if !std::mem::replace(&mut seen[id as usize], true) {
                    next.push(id);
                }
            };
            for id in level {
                match self.node(id) {
                    Node::List(ids) | Node::Set(ids) => ids.iter().copied().for_each(&mut visit),
                    Node::Tuple(ids) => ids.iter().copied().for_each(&mut visit),
                    Node::Slice(ids) => ids.iter().copied().for_each(&mut visit),
                    Node::Dict(pairs) => pairs.iter().for_each(|&(key, value)| {
                        visit(key);
                        visit(value);
                    }),
                    Node::Array(stored) => {
                        if let super::array::StoredData::Objects(ids) = &stored.data {
                            ids.iter().copied().for_each(&mut visit);
                        }
                    }
                    Node::Object(object) => {
                        [object.class, object.args, object.kwargs, object.state].into_iter().for_each(&mut visit);
                        object.items.iter().copied().for_each(&mut visit);
                        object.pairs.iter().for_each(|&(key, value)| {
                            visit(key);
                            visit(value);
                        });
                    }
                    Node::None
                    | Node::Bool(_)
                    | Node::Int(_)
                    | Node::BigInt(_)
                    | Node::Float(_)
                    | Node::Complex(..)
                    | Node::Str(_)
                    | Node::Surrogates(_)
                    | Node::Bytes(_)
                    | Node::Global(_)
                    | Node::Dtype(_) => {}
                }
            }
            level = next;
        }
        Ok(())
    }
}

impl fmt::Debug for Heap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Heap({} nodes, root {})", self.nodes.len(), self.root().describe())
    }
}

/// A handle to one value. Copies are the same value: compare [`Value::id`].
#[derive(Clone, Copy)]
pub struct Value<'h> {
    heap: &'h Heap,
    id: Id,
}

/// What a value is.
#[derive(Clone)]
pub enum Kind<'h> {
    None,
    Bool(bool),
    /// Also numpy's integer scalars.
    Int(i64),
    /// An integer outside i64: two's complement, little-endian.
    BigInt(&'h [u8]),
    /// Also numpy's float scalars; float32 and float16 are widened.
    Float(f64),
    Complex(f64, f64),
    /// Also numpy's `str_`.
    Str(&'h str),
    /// Text with lone surrogates, which no Rust string can hold: UTF-8 otherwise.
    Surrogates(&'h [u8]),
    /// Also bytearray and numpy's `bytes_`.
    Bytes(&'h [u8]),
    List(Items<'h>),
    Tuple(Items<'h>),
    /// Also frozenset.
    Set(Items<'h>),
    /// Also OrderedDict, defaultdict and Counter.
    Dict(Pairs<'h>),
    /// start, stop, step
    Slice([Value<'h>; 3]),
    /// A class or function by name.
    Global {
        module: &'h str,
        name: &'h str,
    },
    Dtype(&'h Dtype),
    Array(Array<'h>),
    /// Anything else that Python would have made by a call.
    Object(Object<'h>),
}

impl<'h> Value<'h> {
    /// Index of the node, for sets of visited ones: the same object is the same id, and cycles are legal.
    pub fn id(self) -> u32 {
        self.id
    }

    fn to(self, id: Id) -> Value<'h> {
        self.heap.value(id)
    }

    pub fn kind(self) -> Kind<'h> {
        let heap = self.heap;
        match heap.node(self.id) {
            Node::None => Kind::None,
            Node::Bool(value) => Kind::Bool(*value),
            Node::Int(value) => Kind::Int(*value),
            Node::BigInt(span) => Kind::BigInt(heap.bytes(*span)),
            Node::Float(value) => Kind::Float(*value),
            Node::Complex(re, im) => Kind::Complex(*re, *im),
            Node::Str(span) => Kind::Str(heap.text(*span)),
            Node::Surrogates(span) => Kind::Surrogates(heap.bytes(*span)),
            Node::Bytes(span) => Kind::Bytes(heap.bytes(*span)),
            Node::List(ids) => Kind::List(Items { heap, ids }),
            Node::Tuple(ids) => Kind::Tuple(Items { heap, ids }),
            Node::Set(ids) => Kind::Set(Items { heap, ids }),
            Node::Dict(pairs) => Kind::Dict(Pairs { heap, pairs }),
            Node::Slice(ids) => Kind::Slice([heap.value(ids[0]), heap.value(ids[1]), heap.value(ids[2])]),
            Node::Global(name) => Kind::Global { module: heap.text(name.0), name: heap.text(name.1) },
            Node::Dtype(dtype) => Kind::Dtype(dtype),
            Node::Array(stored) => Kind::Array(Array::view(heap, stored)),
            Node::Object(instance) => match self.class_name() {
                Some(("collections", "OrderedDict" | "defaultdict" | "Counter")) => {
                    Kind::Dict(Pairs { heap, pairs: &instance.pairs })
                }
                _ => Kind::Object(Object { heap, instance }),
            },
        }
    }

    /// Module and name of an object's class or of a global, as the file writes them.
    pub fn class_name(self) -> Option<(&'h str, &'h str)> {
        let id = match self.heap.node(self.id) {
            Node::Object(instance) => instance.class,
            _ => self.id,
        };
        match self.heap.node(id) {
            Node::Global(name) => Some((self.heap.text(name.0), self.heap.text(name.1))),
            _ => None,
        }
    }

    /// An attribute of an object, from its state: a dict, or a pair of dicts (the second one for slots).
    pub fn attr(self, name: &str) -> Option<Value<'h>> {
        let Node::Object(instance) = self.heap.node(self.id) else { return None };
        match self.heap.node(instance.state) {
            Node::Tuple(parts) if parts.len() == 2 => {
                self.to(parts[0]).get(name).or_else(|| self.to(parts[1]).get(name))
            }
            _ => self.to(instance.state).get(name),
        }
    }

    /// The entry of a dict (or of an object that is one) with this text as its key. Takes time in the dict's length.
    pub fn get(self, key: &str) -> Option<Value<'h>> {
        let heap = self.heap;
        let is_key = |id: Id| matches!(heap.node(id), Node::Str(span) if heap.bytes(*span) == key.as_bytes());
        // The last one counts if a key is repeated.
        self.pairs()?.pairs.iter().rev().find(|pair| is_key(pair.0)).map(|pair| heap.value(pair.1))
    }

    /// Elements of a list, tuple, set, a subclass of list, or an object array.
    pub fn items(self) -> Option<Items<'h>> {
        let heap = self.heap;
        let ids = match heap.node(self.id) {
            Node::List(ids) | Node::Set(ids) => ids,
            Node::Tuple(ids) => &**ids,
            Node::Object(instance) if instance.pairs.is_empty() => &instance.items,
            Node::Array(stored) => Array::view(heap, stored).object_ids()?,
            _ => return None,
        };
        Some(Items { heap, ids })
    }

    /// Entries of a dict or of a subclass of dict, as written: of a repeated key, the last one counts.
    pub fn pairs(self) -> Option<Pairs<'h>> {
        let pairs = match self.heap.node(self.id) {
            Node::Dict(pairs) => pairs,
            Node::Object(instance) => &instance.pairs,
            _ => return None,
        };
        Some(Pairs { heap: self.heap, pairs })
    }

    pub fn is_none(self) -> bool {
        matches!(self.heap.node(self.id), Node::None)
    }

    /// A bool or numpy's bool, also as an array without axes.
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::Bool(value) => Some(value),
            Kind::Array(array) if array.shape.is_empty() => array.bools().ok()?.first().copied(),
            _ => None,
        }
    }

    /// An integer or bool, numpy's included, also as an array without axes. Floats are not integers.
    pub fn as_i64(self) -> Option<i64> {
        match self.kind() {
            Kind::Int(value) => Some(value),
            Kind::Bool(value) => Some(i64::from(value)),
            Kind::Array(array) if array.shape.is_empty() => array.i64s().ok()?.first().copied(),
            _ => None,
        }
    }

    /// Any real number or bool, numpy's included, also as an array without axes; integers are rounded to nearest.
    pub fn as_f64(self) -> Option<f64> {
        match self.kind() {
            Kind::Float(value) => Some(value),
            Kind::Int(value) => Some(value as f64),
            Kind::Bool(value) => Some(f64::from(value)),
            Kind::BigInt(bytes) if bytes.len() <= 16 => {
                let sign = if bytes.last()? >> 7 == 1 { 0xff } else { 0 };
                let mut wide = [sign; 16];
                wide[..bytes.len()].copy_from_slice(bytes);
                Some(i128::from_le_bytes(wide) as f64)
            }
            Kind::Array(array) if array.shape.is_empty() => array.f64s().ok()?.first().copied(),
            _ => None,
        }
    }

    pub fn as_str(self) -> Option<&'h str> {
        match self.heap.node(self.id) {
            Node::Str(span) => Some(self.heap.text(*span)),
            _ => None,
        }
    }

    /// A bytes or bytearray object.
    pub fn as_bytes(self) -> Option<&'h [u8]> {
        match self.heap.node(self.id) {
            Node::Bytes(span) => Some(self.heap.bytes(*span)),
            _ => None,
        }
    }

    /// What this is, in a few words for an error: `a numpy array of shape (3, 4), float64`, `an int`.
    pub fn describe(self) -> String {
        match self.kind() {
            Kind::None => "None".to_owned(),
            Kind::Bool(_) => "a bool".to_owned(),
            Kind::Int(_) | Kind::BigInt(_) => "an int".to_owned(),
            Kind::Float(_) => "a float".to_owned(),
            Kind::Complex(..) => "a complex number".to_owned(),
            Kind::Str(_) | Kind::Surrogates(_) => "a str".to_owned(),
            Kind::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Kind::List(items) => format!("a list of {}", items.len()),
            Kind::Tuple(items) => format!("a tuple of {}", items.len()),
            Kind::Set(items) => format!("a set of {}", items.len()),
            Kind::Dict(pairs) => format!("a dict of {}", pairs.len()),
            Kind::Slice(_) => "a slice".to_owned(),
            Kind::Global { module, name } => format!("the name {module}.{name}"),
            Kind::Dtype(dtype) => format!("the dtype {dtype}"),
            Kind::Array(array) => array.describe(),
            Kind::Object(_) => match self.class_name() {
                Some((module, name)) => format!("a {module}.{name} object"),
                None => "an object of a class made while loading".to_owned(),
            },
        }
    }

    /// The array inside: an ndarray itself, the data of a pandas Index or extension array, a scipy sparse matrix made
    /// dense (within `Limits::array_bytes`).
    ///
    /// # Errors
    /// `Malformed` if this is none of these or contradicts itself, `Limit` if the dense matrix would be too large.
    pub fn to_array(self) -> Result<Array<'h>> {
        let mut value = self;
        // An Index around an extension array around an ndarray: two steps in real files.
        for _ in 0..8 {
            if let Kind::Array(array) = value.kind() {
                return Ok(array);
            }
            let (Node::Object(instance), Some((module, name))) = (value.heap.node(value.id), value.class_name())
            else {
                break;
            };
            if module.starts_with("scipy.sparse") {
                return sparse(value, name);
            }
            if !module.starts_with("pandas.") && module != "pandas" {
                break;
            }
            if name == "RangeIndex" {
                return range(value);
            }
            let state = value.to(instance.state);
            let inner = value.attr("data").or_else(|| value.attr("_ndarray")).or_else(|| {
                // NDArrayBacked: (data, dtype, attributes), in either order of the first two.
                let mut parts = state.items()?;
                parts.find(|part| matches!(part.kind(), Kind::Array(_)))
            });
            match inner {
                Some(inner) => value = inner,
                None => break,
            }
        }
        Err(Error::malformed(format!("expected an array, found {}", self.describe())))
    }
}

fn range<'h>(index: Value<'h>) -> Result<Array<'h>> {
    let part = |name: &str| {
        index.attr(name).and_then(Value::as_i64).ok_or_else(|| Error::malformed("a RangeIndex without bounds"))
    };
    let (start, stop, step) = (part("start")?, part("stop")?, part("step")?);
    let span = i128::from(stop) - i128::from(start);
    let count = match i128::from(step) {
        0 => return Err(Error::malformed("a RangeIndex with step 0")),
        step if (step > 0) != (span > 0) || span == 0 => 0,
        step => (span.abs() + step.abs() - 1) / step.abs(),
    };
    if count > (index.heap.array_bytes / 8) as i128 {
        return Err(over("array_bytes", index.heap.array_bytes, "a RangeIndex needs more bytes than"));
    }
    Ok(Array::owned_i64((0..count as i64).map(|i| start.wrapping_add(i.wrapping_mul(step)))))
}

/// A scipy sparse matrix or array made dense: entries of the same place are added, as scipy does.
fn sparse<'h>(matrix: Value<'h>, class: &str) -> Result<Array<'h>> {
    let part = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| matrix.attr(name))
            .ok_or_else(|| Error::malformed(format!("expected '{}' in {}", names[0], matrix.describe())))
    };
    let ints = |names: &[&str]| part(names)?.to_array()?.i64s();
    let outside = || Error::malformed(format!("an entry of {} lies outside its shape", matrix.describe()));

    let dims = part(&["_shape"])?.items().map(|items| items.map(Value::as_i64).collect::<Vec<_>>());
    let Some([Some(rows), Some(columns)]) = dims.as_deref() else {
        return Err(Error::unsupported(format!("{} is not two-dimensional", matrix.describe())));
    };
    let (Ok(rows), Ok(columns)) = (usize::try_from(*rows), usize::try_from(*columns)) else { return Err(outside()) };
    let limit = matrix.heap.array_bytes;
    let Some(size) = rows.checked_mul(columns).filter(|size| size.checked_mul(8).is_some_and(|bytes| bytes <= limit))
    else {
        return Err(over("array_bytes", limit, "a sparse matrix made dense needs more bytes than"));
    };
    let data_array = part(&["data"])?.to_array()?;
    let data = data_array.f64s()?;
    let mut dense = vec![0; size * 8];
    let mut add = |row: usize, column: usize, value: f64| {
        if row >= rows || column >= columns {
            return Err(outside());
        }
        let at = (row * columns + column) * 8;
        let sum = f64::from_bits(super::array::unsigned(&dense[at..at + 8], false)) + value;
        dense[at..at + 8].copy_from_slice(&sum.to_le_bytes());
        Ok(())
    };
    let index = |value: i64| usize::try_from(value).map_err(|_| outside());

    match class {
        "csr_matrix" | "csr_array" | "csc_matrix" | "csc_array" => {
            let by_row = class.starts_with("csr");
            let (indices, starts) = (ints(&["indices"])?, ints(&["indptr"])?);
            if starts.len() != if by_row { rows } else { columns } + 1 {
                return Err(Error::malformed(format!("indptr of {} does not fit its shape", matrix.describe())));
            }
            for (major, bounds) in starts.windows(2).enumerate() {
                let (from, to) = (index(bounds[0])?, index(bounds[1])?);
                let (Some(minors), Some(values)) = (indices.get(from..to), data.get(from..to)) else {
                    return Err(outside());
                };
                for (&minor, &value) in minors.iter().zip(values) {
                    let minor = index(minor)?;
                    if by_row { add(major, minor, value)? } else { add(minor, major, value)? }
                }
            }
        }
        "coo_matrix" | "coo_array" => {
            let (row, column) = match matrix.attr("coords").and_then(Value::items) {
                Some(coords) if coords.len() == 2 => {
                    let mut axes = coords.map(|axis| axis.to_array()?.i64s());
                    let mut next = || axes.next().unwrap_or_else(|| Err(outside()));
                    (next()?, next()?)
                }
                _ => (ints(&["row"])?, ints(&["col"])?),
            };
            if row.len() != data.len() || column.len() != data.len() {
                return Err(Error::malformed(format!(
                    "{} has indices and data of different lengths",
                    matrix.describe()
                )));
            }
            for ((&row, &column), &value) in row.iter().zip(&column).zip(&data) {
                add(index(row)?, index(column)?, value)?;
            }
        }
        "dia_matrix" | "dia_array" => {
            // data[d, j] is the element (j - offsets[d], j).
            let offsets = ints(&["offsets"])?;
            let [diagonals, width] = data_array.shape[..] else { return Err(outside()) };
            if diagonals != offsets.len() {
                return Err(Error::malformed(format!(
                    "{} has offsets and data of different lengths",
                    matrix.describe()
                )));
            }
            for (d, &offset) in offsets.iter().enumerate() {
                for column in 0..width.min(columns) {
                    let row = (column as i64).checked_sub(offset).and_then(|row| usize::try_from(row).ok());
                    if let Some(row) = row.filter(|&row| row < rows) {
                        add(row, column, data[d * width + column])?;
                    }
                }
            }
        }
        _ => {
            return Err(Error::unsupported(format!(
                "{} is a sparse format that carryout does not read",
                matrix.describe()
            )));
        }
    }
    Ok(Array::owned_f64(vec![rows, columns], dense))
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {}", self.id, self.describe())
    }
}

/// An object as the file describes it.
#[derive(Clone, Copy)]
pub struct Object<'h> {
    heap: &'h Heap,
    instance: &'h Instance,
}

impl<'h> Object<'h> {
    /// The class, or the function of a call: a global, rarely an object.
    pub fn class(self) -> Value<'h> {
        self.heap.value(self.instance.class)
    }

    /// Arguments of the call: a tuple.
    pub fn args(self) -> Value<'h> {
        self.heap.value(self.instance.args)
    }

    /// Keyword arguments, None if there are none.
    pub fn kwargs(self) -> Value<'h> {
        self.heap.value(self.instance.kwargs)
    }

    /// The state as a whole, None if there is none; [`Value::attr`] looks into it.
    pub fn state(self) -> Value<'h> {
        self.heap.value(self.instance.state)
    }

    /// Elements of a subclass of list or set.
    pub fn items(self) -> Items<'h> {
        Items { heap: self.heap, ids: &self.instance.items }
    }

    /// Entries of a subclass of dict.
    pub fn pairs(self) -> Pairs<'h> {
        Pairs { heap: self.heap, pairs: &self.instance.pairs }
    }
}

/// Values in a row; an iterator that can also be indexed.
#[derive(Clone)]
pub struct Items<'h> {
    heap: &'h Heap,
    ids: &'h [Id],
}

impl<'h> Items<'h> {
    /// The value at `index`, counted from the iterator's position.
    pub fn get(&self, index: usize) -> Option<Value<'h>> {
        self.ids.get(index).map(|&id| self.heap.value(id))
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

impl<'h> Iterator for Items<'h> {
    type Item = Value<'h>;

    fn next(&mut self) -> Option<Value<'h>> {
        let (&id, rest) = self.ids.split_first()?;
        self.ids = rest;
        Some(self.heap.value(id))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ids.len(), Some(self.ids.len()))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// Keys and values of a dict, in the order of the file.
#[derive(Clone)]
pub struct Pairs<'h> {
    heap: &'h Heap,
    pairs: &'h [(Id, Id)],
}

impl Pairs<'_> {
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl<'h> Iterator for Pairs<'h> {
    type Item = (Value<'h>, Value<'h>);

    fn next(&mut self) -> Option<(Value<'h>, Value<'h>)> {
        let (&(key, value), rest) = self.pairs.split_first()?;
        self.pairs = rest;
        Some((self.heap.value(key), self.heap.value(value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.pairs.len(), Some(self.pairs.len()))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

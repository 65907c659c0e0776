//! numpy's memory layout: dtypes, and arrays whatever their order, axes and byte order. All accessors give elements
//! in C order (last axis fastest).
//!
//! Invariant of every array made in `calls`: the product of its shape times the item size is the length of its data,
//! so any index within the shape is within the data.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::heap::{Heap, Id, Value};
use crate::{Error, Result};

/// numpy allows 32 axes up to version 1, 64 from version 2.
pub(super) const MAX_DIMS: usize = 64;
/// Structured dtypes inside structured dtypes.
const MAX_DTYPE_DEPTH: u8 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtypeKind {
    Float,
    Int,
    Uint,
    Bool,
    Complex,
    /// UCS-4 text, padded with NUL.
    Str,
    /// Bytes, padded with NUL.
    Bytes,
    /// Python objects; see [`Array::objects`].
    Object,
    /// Named fields; see [`Array::field`].
    Struct,
    /// `V` without fields.
    Void,
    DateTime,
    TimeDelta,
}

/// The type of an array's elements.
#[derive(Clone, Debug)]
pub struct Dtype {
    pub kind: DtypeKind,
    /// Bytes of one element.
    pub size: usize,
    pub big_endian: bool,
    /// In the order of the names; empty unless `kind` is `Struct`.
    pub fields: Vec<Field>,
    /// Element type and shape of a subarray field.
    sub: Option<(Arc<Dtype>, Vec<usize>)>,
    depth: u8,
    inner_object: bool,
}

/// One field of a structured dtype.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    /// Bytes from the start of the element.
    pub offset: usize,
    pub dtype: Arc<Dtype>,
}

impl Dtype {
    pub(super) fn plain(kind: DtypeKind, size: usize) -> Dtype {
        Dtype { kind, size, big_endian: false, fields: Vec::new(), sub: None, depth: 0, inner_object: false }
    }

    /// The argument of `numpy.dtype`: `f8`, `<i4`, `U10`, `V64`, `O8`, `M8[ns]`. None if it is no such code.
    pub(super) fn parse(code: &str) -> Option<Dtype> {
        let mut rest = code;
        let mut big_endian = false;
        if let Some(order) = rest.chars().next().filter(|c| matches!(c, '<' | '>' | '=' | '|')) {
            big_endian = order == '>';
            rest = &rest[1..];
        }
        let letter = rest.chars().next()?;
        rest = rest.get(letter.len_utf8()..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, unit) = rest.split_at(digits);
        let number = if digits.is_empty() { None } else { Some(digits.parse::<usize>().ok()?) };
        let (kind, size) = match (letter, number) {
            ('?', None) | ('b', Some(1)) => (DtypeKind::Bool, 1),
            ('f', Some(n @ (2 | 4 | 8 | 12 | 16))) => (DtypeKind::Float, n),
            ('i', Some(n @ (1 | 2 | 4 | 8))) => (DtypeKind::Int, n),
            ('u', Some(n @ (1 | 2 | 4 | 8))) => (DtypeKind::Uint, n),
            ('c', Some(n @ (8 | 16 | 24 | 32))) => (DtypeKind::Complex, n),
            ('O', _) => (DtypeKind::Object, number.unwrap_or(8)),
            ('U', n) => (DtypeKind::Str, n.unwrap_or(0).checked_mul(4)?),
            ('S' | 'a', n) => (DtypeKind::Bytes, n.unwrap_or(0)),
            ('V', n) => (DtypeKind::Void, n.unwrap_or(0)),
            ('M', Some(8)) => (DtypeKind::DateTime, 8),
            ('m', Some(8)) => (DtypeKind::TimeDelta, 8),
            _ => return None,
        };
        let timed = matches!(kind, DtypeKind::DateTime | DtypeKind::TimeDelta) && unit.starts_with('[');
        (unit.is_empty() || timed).then_some(Dtype { big_endian, ..Dtype::plain(kind, size) })
    }

    /// Sets the fields of a `V` dtype; each must lie within the element.
    pub(super) fn set_fields(&mut self, fields: Vec<Field>) -> Result<()> {
        if self.kind != DtypeKind::Void || fields.is_empty() {
            return Err(Error::malformed(format!("{self} cannot have fields")));
        }
        for field in &fields {
            if field.offset.checked_add(field.dtype.size).is_none_or(|end| end > self.size) {
                return Err(Error::malformed(format!(
                    "field '{}' of a structured dtype ends past the item size {}",
                    field.name, self.size
                )));
            }
            self.deepen(&field.dtype)?;
        }
        self.kind = DtypeKind::Struct;
        self.fields = fields;
        Ok(())
    }

    /// Makes a `V` dtype a subarray of `shape` elements.
    pub(super) fn set_sub(&mut self, dtype: Arc<Dtype>, shape: Vec<usize>) -> Result<()> {
        let size = count(&shape).and_then(|count| count.checked_mul(dtype.size));
        if self.kind != DtypeKind::Void || size != Some(self.size) {
            return Err(Error::malformed("a subarray dtype does not fill its item size"));
        }
        self.deepen(&dtype)?;
        self.sub = Some((dtype, shape));
        Ok(())
    }

    fn deepen(&mut self, inner: &Dtype) -> Result<()> {
        self.inner_object |= inner.has_object();
        self.depth = self.depth.max(inner.depth + 1);
        if self.depth > MAX_DTYPE_DEPTH {
            return Err(Error::limit(format!("structured dtypes nest over {MAX_DTYPE_DEPTH} deep")));
        }
        Ok(())
    }

    /// Whether elements hold Python objects, so that they have no raw bytes.
    pub fn has_object(&self) -> bool {
        self.kind == DtypeKind::Object || self.inner_object
    }

    /// Whether this is the type of a subarray field, which no array has as its own.
    pub(super) fn is_sub(&self) -> bool {
        self.sub.is_some()
    }

    /// Whether its fields or its subarray are known already.
    pub(super) fn is_built(&self) -> bool {
        self.is_sub() || !self.fields.is_empty()
    }
}

/// numpy's name of the type: `float64`, `int8`, `<U10`, `object`.
impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.size.saturating_mul(8);
        match self.kind {
            DtypeKind::Float => write!(f, "float{bits}"),
            DtypeKind::Int => write!(f, "int{bits}"),
            DtypeKind::Uint => write!(f, "uint{bits}"),
            DtypeKind::Complex => write!(f, "complex{bits}"),
            DtypeKind::Bool => f.write_str("bool"),
            DtypeKind::Object => f.write_str("object"),
            DtypeKind::Str => write!(f, "<U{}", self.size / 4),
            DtypeKind::Bytes => write!(f, "S{}", self.size),
            DtypeKind::Void => write!(f, "V{}", self.size),
            DtypeKind::Struct => f.write_str("structured"),
            DtypeKind::DateTime => f.write_str("datetime64"),
            DtypeKind::TimeDelta => f.write_str("timedelta64"),
        }
    }
}

/// Product of a shape, if it fits.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n))
}

/// Byte strides of a contiguous array; all zero when it is empty, as products may then overflow.
pub(super) fn strides(shape: &[usize], size: usize, fortran: bool) -> Vec<usize> {
    let mut out = vec![0; shape.len()];
    if !shape.contains(&0) {
        let mut step = size;
        for i in 0..shape.len() {
            let axis = if fortran { i } else { shape.len() - 1 - i };
            out[axis] = step;
            step *= shape[axis];
        }
    }
    out
}

/// An array as the heap keeps it.
pub(super) struct Stored {
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
    pub(super) dtype: Arc<Dtype>,
    pub(super) data: StoredData,
}

pub(super) enum StoredData {
    Raw(super::heap::Span),
    /// In C order.
    Objects(Box<[Id]>),
}

/// A numpy array: a view into the heap (or, made by [`Value::to_array`], data of its own).
#[derive(Clone)]
pub struct Array<'h> {
    pub shape: Vec<usize>,
    strides: Vec<usize>,
    offset: usize,
    dtype: Arc<Dtype>,
    data: Data<'h>,
}

#[derive(Clone)]
enum Data<'h> {
    Raw(Cow<'h, [u8]>),
    Objects(&'h Heap, &'h [Id]),
}

impl<'h> Array<'h> {
    pub(super) fn view(heap: &'h Heap, stored: &'h Stored) -> Array<'h> {
        Array {
            shape: stored.shape.clone(),
            strides: stored.strides.clone(),
            offset: 0,
            dtype: stored.dtype.clone(),
            data: match &stored.data {
                StoredData::Raw(span) => Data::Raw(Cow::Borrowed(heap.bytes(*span))),
                StoredData::Objects(ids) => Data::Objects(heap, ids),
            },
        }
    }

    /// A float64 array of its own; `raw` is little-endian, in C order, and fills the shape.
    pub(super) fn owned_f64(shape: Vec<usize>, raw: Vec<u8>) -> Array<'h> {
        Array::owned(shape, Dtype::plain(DtypeKind::Float, 8), raw)
    }

    /// An int64 array of one axis.
    pub(super) fn owned_i64(values: impl Iterator<Item = i64>) -> Array<'h> {
        let raw: Vec<u8> = values.flat_map(i64::to_le_bytes).collect();
        Array::owned(vec![raw.len() / 8], Dtype::plain(DtypeKind::Int, 8), raw)
    }

    fn owned(shape: Vec<usize>, dtype: Dtype, raw: Vec<u8>) -> Array<'h> {
        let strides = strides(&shape, dtype.size, false);
        Array { shape, strides, offset: 0, dtype: Arc::new(dtype), data: Data::Raw(Cow::Owned(raw)) }
    }

    pub fn ndim(&self) -> usize {
        self.shape.len()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        if self.shape.contains(&0) { 0 } else { self.shape.iter().product() }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn dtype(&self) -> &Dtype {
        &self.dtype
    }

    pub fn kind(&self) -> DtypeKind {
        self.dtype.kind
    }

    /// Whether the elements are numbers or booleans, so that [`Array::f64s`] works.
    pub fn is_numeric(&self) -> bool {
        match self.dtype.kind {
            DtypeKind::Float => self.dtype.size <= 8,
            DtypeKind::Int | DtypeKind::Uint | DtypeKind::Bool => true,
            _ => false,
        }
    }

    /// `a numpy array of shape (3, 4), float64`
    pub fn describe(&self) -> String {
        let dims: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        let comma = if dims.len() == 1 { "," } else { "" };
        format!("a numpy array of shape ({}{comma}), {}", dims.join(", "), self.dtype)
    }

    /// Elements as float64: exact for floats, bools and integers up to 2^53, rounded to nearest beyond.
    pub fn f64s(&self) -> Result<Vec<f64>> {
        let big = self.dtype.big_endian;
        match (self.dtype.kind, self.dtype.size) {
            (DtypeKind::Float, 8) => self.collect(|b| Ok(f64::from_bits(unsigned(b, big)))),
            (DtypeKind::Float, 4) => self.collect(|b| Ok(f64::from(f32::from_bits(unsigned(b, big) as u32)))),
            (DtypeKind::Float, 2) => self.collect(|b| Ok(half(unsigned(b, big) as u16))),
            (DtypeKind::Int, _) => self.collect(|b| Ok(signed(b, big) as f64)),
            (DtypeKind::Uint, _) => self.collect(|b| Ok(unsigned(b, big) as f64)),
            (DtypeKind::Bool, _) => self.collect(|b| Ok(f64::from(b[0] != 0))),
            _ => Err(self.not("numbers")),
        }
    }

    /// Elements of an integer or boolean array.
    pub fn i64s(&self) -> Result<Vec<i64>> {
        let big = self.dtype.big_endian;
        match self.dtype.kind {
            DtypeKind::Int => self.collect(|b| Ok(signed(b, big))),
            DtypeKind::Uint => self.collect(|b| {
                let value = unsigned(b, big);
                i64::try_from(value)
                    .map_err(|_| Error::unsupported(format!("the integer {value} exceeds 64 signed bits")))
            }),
            DtypeKind::Bool => self.collect(|b| Ok(i64::from(b[0] != 0))),
            _ => Err(self.not("integers")),
        }
    }

    /// Elements of a boolean array.
    pub fn bools(&self) -> Result<Vec<bool>> {
        match self.dtype.kind {
            DtypeKind::Bool => self.collect(|b| Ok(b[0] != 0)),
            _ => Err(self.not("booleans")),
        }
    }

    /// Elements of a text array, or of an object array that holds nothing but text.
    pub fn strings(&self) -> Result<Vec<String>> {
        let big = self.dtype.big_endian;
        match self.dtype.kind {
            DtypeKind::Str => self.collect(|b| ucs4(b, big)),
            DtypeKind::Object => (self.objects()?.into_iter())
                .map(|value| {
                    value.as_str().map(str::to_owned).ok_or_else(|| {
                        Error::malformed(format!("expected text, found {} in {}", value.describe(), self.describe()))
                    })
                })
                .collect(),
            _ => Err(self.not("text")),
        }
    }

    /// Elements of an object array.
    pub fn objects(&self) -> Result<Vec<Value<'h>>> {
        match self.data {
            Data::Objects(heap, ids) => Ok(ids.iter().map(|&id| heap.value(id)).collect()),
            Data::Raw(_) => Err(self.not("objects")),
        }
    }

    pub(super) fn object_ids(&self) -> Option<&'h [Id]> {
        match self.data {
            Data::Objects(_, ids) => Some(ids),
            Data::Raw(_) => None,
        }
    }

    /// The elements' raw bytes, `dtype().size` each, in C order.
    pub fn raw(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.each(|element| {
            out.extend_from_slice(element);
            Ok(())
        })?;
        Ok(out)
    }

    pub fn has_field(&self, name: &str) -> bool {
        self.dtype.fields.iter().any(|field| field.name == name)
    }

    /// One field of a structured array, found by its name; a subarray field adds its axes at the end.
    pub fn field(&self, name: &str) -> Result<Array<'h>> {
        let Some(field) = self.dtype.fields.iter().find(|field| field.name == name) else {
            return Err(Error::malformed(format!("expected a field '{name}' in {}", self.describe())));
        };
        let mut view = self.clone();
        view.offset += field.offset;
        view.dtype = field.dtype.clone();
        if let Some((inner, shape)) = &field.dtype.sub {
            if view.shape.len() + shape.len() > MAX_DIMS {
                return Err(Error::limit(format!("field '{name}' has over {MAX_DIMS} axes")));
            }
            view.strides.extend(strides(shape, inner.size, false));
            view.shape.extend(shape);
            view.dtype = inner.clone();
        }
        Ok(view)
    }

    fn collect<T>(&self, mut convert: impl FnMut(&[u8]) -> Result<T>) -> Result<Vec<T>> {
        let mut out = Vec::with_capacity(self.len());
        self.each(|element| {
            out.push(convert(element)?);
            Ok(())
        })?;
        Ok(out)
    }

    /// Calls `visit` with the bytes of each element in C order.
    fn each(&self, mut visit: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let Data::Raw(data) = &self.data else { return Err(self.not("raw data")) };
        let size = self.dtype.size;
        let mut index = vec![0; self.shape.len()];
        let mut at = self.offset;
        for _ in 0..self.len() {
            visit(&data[at..at + size])?;
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                at += self.strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                at -= self.strides[axis] * self.shape[axis];
                index[axis] = 0;
            }
        }
        Ok(())
    }

    fn not(&self, what: &str) -> Error {
        Error::malformed(format!("expected {what}, found {}", self.describe()))
    }
}

pub(super) fn unsigned(bytes: &[u8], big: bool) -> u64 {
    let push = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
    if big { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) }
}

pub(super) fn signed(bytes: &[u8], big: bool) -> i64 {
    let unused = 64 - 8 * bytes.len().min(8) as u32;
    (unsigned(bytes, big) << unused) as i64 >> unused
}

/// IEEE half precision, widened exactly.
pub(super) fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 31);
    let fraction = f64::from(bits & 1023);
    match exponent {
        0 => sign * fraction * (-24f64).exp2(),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1024.0 + fraction) * f64::from(exponent - 25).exp2(),
    }
}

/// Text of a `U` element: code points up to the NUL padding.
pub(super) fn ucs4(bytes: &[u8], big: bool) -> Result<String> {
    let points: Vec<u32> = bytes.chunks_exact(4).map(|point| unsigned(point, big) as u32).collect();
    let end = points.iter().rposition(|&point| point != 0).map_or(0, |last| last + 1);
    (points[..end].iter())
        .map(|&point| {
            char::from_u32(point)
                .ok_or_else(|| Error::malformed(format!("U+{point:04X} in a text array is no character")))
        })
        .collect()
}

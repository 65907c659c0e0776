//! What calls and states mean. A short list of calls makes plain data; numpy's arrays and dtypes and joblib's array
//! wrapper take their BUILD state apart. Every other call becomes an inert object.

use std::collections::HashMap;
use std::sync::Arc;

use super::array::{
    Dtype, DtypeKind, Field, MAX_DIMS, Stored, StoredData, count, half, signed, strides, ucs4, unsigned,
};
use super::danger;
use super::heap::{Id, Instance, NONE, Node, Span};
use super::machine::{Machine, int_node};
use crate::error::At;
use crate::{Error, Result};

/// Fields of one structured dtype.
const MAX_FIELDS: usize = 4096;
/// Bytes of a field's name.
const MAX_FIELD_NAME: usize = 256;
/// Bytes of an attribute's name worth a look, and of a dtype's code.
const MAX_SHORT: usize = 256;
/// Entries of a joblib wrapper's state; joblib writes six.
const MAX_WRAPPER_STATE: usize = 16;

/// Calls whose result is more than an object of the callee.
enum Call {
    Reconstruct,
    FromBuffer,
    Scalar,
    Dtype,
    Encode,
    Bytes,
    Slice,
    Set,
    Complex,
    /// `copyreg._reconstructor(class, base, base_state)`
    Reconstructor,
    /// `copyreg.__newobj__(class, *args)`
    NewObject,
    NewObjectEx,
    /// A constructor function whose first argument is the class.
    ClassFirst,
    /// pandas: `_new_Index(class, state)`
    NewIndex,
    /// A dict that may be given its entries at once.
    Dict,
    Getattr,
}

fn known(module: &str, name: &str) -> Option<Call> {
    let multiarray = matches!(
        module,
        "numpy.core.multiarray"
            | "numpy._core.multiarray"
            | "numpy.core._multiarray_umath"
            | "numpy._core._multiarray_umath"
    );
    let numeric = matches!(module, "numpy.core.numeric" | "numpy._core.numeric");
    let builtins = matches!(module, "builtins" | "__builtin__");
    let copyreg = matches!(module, "copyreg" | "copy_reg");
    Some(match name {
        "_reconstruct" if multiarray => Call::Reconstruct,
        "_frombuffer" if numeric => Call::FromBuffer,
        "scalar" if multiarray => Call::Scalar,
        "dtype" if module == "numpy" => Call::Dtype,
        "encode" if module == "_codecs" => Call::Encode,
        "bytes" | "bytearray" if builtins => Call::Bytes,
        "slice" if builtins => Call::Slice,
        "set" | "frozenset" if builtins => Call::Set,
        "complex" if builtins => Call::Complex,
        "_reconstructor" if copyreg => Call::Reconstructor,
        "__newobj__" if copyreg => Call::NewObject,
        "__newobj_ex__" if copyreg => Call::NewObjectEx,
        "newObj" | "_mareconstruct" => Call::ClassFirst,
        _ if name.starts_with("__pyx_unpickle_") => Call::ClassFirst,
        "_new_Index" if module.starts_with("pandas.") => Call::NewIndex,
        "OrderedDict" | "Counter" if module == "collections" => Call::Dict,
        "getattr" if builtins => Call::Getattr,
        _ => return None,
    })
}

impl Machine<'_> {
    /// REDUCE, INST and OBJ.
    pub(super) fn call(&mut self, function: Id, args: Id) -> Result<Id> {
        let items = self.arguments(args)?;
        let Some((module, name)) = self.heap.value(function).class_name() else {
            return self.object(function, args, NONE);
        };
        let is_global = matches!(self.heap.node(function), Node::Global(_));
        let Some(call) = known(module, name).filter(|_| is_global) else { return self.object(function, args, NONE) };
        match (call, items.as_slice()) {
            (Call::Reconstruct, &[class, ..]) => {
                let id = self.object(class, args, NONE)?;
                if let Node::Object(instance) = &mut self.heap.nodes[id as usize] {
                    instance.reconstruct = true;
                }
                Ok(id)
            }
            (Call::FromBuffer, &[buffer, dtype, shape, order]) => {
                self.buffer_array(buffer, dtype, shape, order, NONE)
            }
            (Call::FromBuffer, &[buffer, dtype, shape, order, axes]) => {
                self.buffer_array(buffer, dtype, shape, order, axes)
            }
            (Call::Scalar, &[dtype, value]) => match self.heap.node(dtype) {
                Node::Dtype(dtype) => {
                    let dtype = dtype.clone();
                    match self.scalar(&dtype, value)? {
                        Some(id) => Ok(id),
                        None => self.object(function, args, NONE),
                    }
                }
                _ => self.object(function, args, NONE),
            },
            (Call::Dtype, &[code, ..]) => match self.heap.value(code).as_str() {
                Some(code) => {
                    let short = code.get(..MAX_SHORT).unwrap_or(code);
                    let dtype = Some(code).filter(|code| code.len() <= MAX_SHORT).and_then(Dtype::parse);
                    let dtype = dtype
                        .ok_or_else(|| Error::unsupported(format!("the numpy dtype '{}'", short.escape_debug())))?;
                    self.charge(size_of::<Dtype>())?;
                    self.node(Node::Dtype(Arc::new(dtype)))
                }
                None => self.object(function, args, NONE),
            },
            (Call::Encode, &[text, encoding]) if self.is_latin1(encoding) => self.latin1(text),
            (Call::Bytes, &[]) => self.node(Node::Bytes(Span { start: self.heap.input.len(), len: 0 })),
            (Call::Bytes, &[value]) if matches!(self.heap.node(value), Node::Bytes(_)) => Ok(value),
            (Call::Bytes, &[text, encoding]) if self.is_latin1(encoding) => self.latin1(text),
            (Call::Slice, &[start, stop, step]) => {
                self.charge(32)?;
                self.node(Node::Slice(Box::new([start, stop, step])))
            }
            (Call::Set, &[]) => self.node(Node::Set(Vec::new())),
            (Call::Set, &[list]) => match self.heap.node(list) {
                Node::List(ids) | Node::Set(ids) => {
                    let ids = ids.clone();
                    self.charge(ids.len() * size_of::<Id>())?;
                    self.node(Node::Set(ids))
                }
                _ => self.object(function, args, NONE),
            },
            (Call::Complex, &[re, im]) => match (self.heap.value(re).as_f64(), self.heap.value(im).as_f64()) {
                (Some(re), Some(im)) => self.node(Node::Complex(re, im)),
                _ => self.object(function, args, NONE),
            },
            (Call::Reconstructor, &[class, base, state]) => {
                let id = self.object(class, args, NONE)?;
                match self.heap.value(base).class_name() {
                    Some((_, "dict")) => self.fill_dict(id, state)?,
                    Some((_, "list")) => self.fill_list(id, state)?,
                    _ => {}
                }
                Ok(id)
            }
            (Call::NewObject, &[class, ref rest @ ..]) => {
                let args = self.tuple(rest.to_vec())?;
                self.new_object(class, args, NONE)
            }
            (Call::NewObjectEx, &[class, args, kwargs]) => self.new_object(class, args, kwargs),
            (Call::ClassFirst, &[class, ..]) if matches!(self.heap.node(class), Node::Global(_)) => {
                self.object(class, args, NONE)
            }
            (Call::NewIndex, &[class, state]) if matches!(self.heap.node(class), Node::Global(_)) => {
                let id = self.object(class, args, NONE)?;
                self.set_state(id, state)?;
                Ok(id)
            }
            (Call::Dict, &[entries]) => {
                let id = self.object(function, args, NONE)?;
                self.fill_dict(id, entries)?;
                Ok(id)
            }
            (Call::Getattr, &[_, name, ..]) => {
                let name = self.heap.value(name).as_str().filter(|name| name.len() <= MAX_SHORT);
                if let Some(name) = name.filter(|name| name.split('.').any(danger::attribute)) {
                    self.report(format!("builtins.getattr(..., {name:?})"));
                }
                self.object(function, args, NONE)
            }
            _ => self.object(function, args, NONE),
        }
    }

    /// NEWOBJ and NEWOBJ_EX.
    pub(super) fn new_object(&mut self, class: Id, args: Id, kwargs: Id) -> Result<Id> {
        self.check_arguments(args)?;
        if kwargs != NONE && !matches!(self.heap.node(kwargs), Node::Dict(_)) {
            return Err(self.wrong("take as keyword arguments", kwargs));
        }
        self.object(class, args, kwargs)
    }

    /// BUILD.
    pub(super) fn build(&mut self, object: Id, state: Id) -> Result<()> {
        let class = self.heap.value(object).class_name();
        match self.heap.node(object) {
            Node::Dtype(_) => self.build_dtype(object, state),
            Node::Object(instance) if instance.reconstruct && is_array_class(class) => {
                self.build_array(object, state)
            }
            Node::Object(_) => match class {
                Some((module, "NumpyArrayWrapper")) if module.ends_with("numpy_pickle") => {
                    self.set_state(object, state)?;
                    self.read_wrapped(object, state).at(|| "joblib array".to_owned())
                }
                Some((module, name @ ("NDArrayWrapper" | "ZNDArrayWrapper"))) if module.contains("numpy_pickle") => {
                    Err(Error::unsupported(format!(
                        "the file was written by joblib before 0.10 ({name}): its arrays are in other files"
                    ))
                    .remedy("Load it with a recent joblib and save it again with joblib.dump."))
                }
                _ => self.set_state(object, state),
            },
            _ => Err(self.wrong("set the state of", object)),
        }
    }

    // Objects

    fn object(&mut self, class: Id, args: Id, kwargs: Id) -> Result<Id> {
        if !matches!(self.heap.node(class), Node::Global(_) | Node::Object(_)) {
            return Err(self.wrong("call", class));
        }
        self.charge(size_of::<Instance>() + 16)?;
        let (items, pairs) = (Vec::new(), Vec::new());
        let instance = Instance { class, args, kwargs, state: NONE, items, pairs, reconstruct: false };
        self.node(Node::Object(Box::new(instance)))
    }

    fn set_state(&mut self, object: Id, state: Id) -> Result<()> {
        if matches!(self.heap.node(state), Node::Bool(_) | Node::Int(_) | Node::BigInt(_) | Node::Float(_)) {
            let found = self.heap.value(state).describe();
            return Err(Error::malformed(format!("expected the state of an object, found {found}")));
        }
        match &mut self.heap.nodes[object as usize] {
            Node::Object(instance) if instance.state == NONE => {
                instance.state = state;
                Ok(())
            }
            _ => Err(self.wrong("set a second state of", object)),
        }
    }

    /// The items of a call's tuple, if a known call can take that many; else only the check that it is a tuple.
    fn arguments(&self, args: Id) -> Result<Vec<Id>> {
        match self.heap.node(args) {
            Node::Tuple(items) => Ok(items[..items.len().min(MAX_DIMS)].to_vec()),
            _ => Err(self.wrong("take as arguments", args)),
        }
    }

    fn check_arguments(&self, args: Id) -> Result<()> {
        self.arguments(args).map(|_| ())
    }

    /// Entries given as a dict or as a list of pairs (Python 2).
    fn fill_dict(&mut self, object: Id, entries: Id) -> Result<()> {
        let flat: Vec<Id> = match self.heap.node(entries) {
            Node::Dict(pairs) => {
                let len = pairs.len();
                self.charge(len * 8)?;
                let Node::Dict(pairs) = self.heap.node(entries) else { return Ok(()) };
                pairs.iter().flat_map(|&(key, value)| [key, value]).collect()
            }
            Node::List(ids) => {
                let len = ids.len();
                self.charge(len * 8)?;
                let Node::List(ids) = self.heap.node(entries) else { return Ok(()) };
                let mut flat = Vec::new();
                for &id in ids {
                    match self.heap.node(id) {
                        Node::List(pair) if pair.len() == 2 => flat.extend_from_slice(pair),
                        Node::Tuple(pair) if pair.len() == 2 => flat.extend_from_slice(pair),
                        _ => return Err(self.wrong("take as a dict entry", id)),
                    }
                }
                flat
            }
            _ => return Ok(()),
        };
        self.set_items(object, &flat)
    }

    fn fill_list(&mut self, object: Id, list: Id) -> Result<()> {
        let Node::List(ids) = self.heap.node(list) else { return Ok(()) };
        let ids = ids.clone();
        self.charge(ids.len() * 8)?;
        if let Node::Object(instance) = &mut self.heap.nodes[object as usize] {
            instance.items = ids;
        }
        Ok(())
    }

    fn is_latin1(&self, encoding: Id) -> bool {
        let name = self.heap.value(encoding).as_str();
        name.is_some_and(|name| matches!(name, "latin1" | "latin-1" | "iso-8859-1" | "iso8859-1"))
    }

    /// Bytes that protocol 2 writes as text, each byte the character of its number.
    fn latin1(&mut self, text: Id) -> Result<Id> {
        let Node::Str(span) = self.heap.node(text) else { return Err(self.wrong("encode", text)) };
        let span = *span;
        let span = self.latin1_span(span)?;
        self.node(Node::Bytes(span))
    }

    fn latin1_span(&mut self, span: Span) -> Result<Span> {
        // Before the work, as one text can be encoded many times.
        self.charge(span.len)?;
        if self.heap.bytes(span).is_ascii() {
            return Ok(span);
        }
        let bytes: Option<Vec<u8>> = self.heap.text(span).chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        let bytes = bytes.ok_or_else(|| Error::malformed("bytes written as text hold a character over U+00FF"))?;
        Ok(self.make_charged(&bytes))
    }

    // numpy

    fn dims(&self, shape: Id) -> Result<Vec<usize>> {
        let one = [shape];
        let ids = match self.heap.node(shape) {
            Node::Tuple(ids) => &**ids,
            Node::List(ids) => ids,
            Node::Int(_) => &one,
            _ => return Err(self.wrong("take as a shape", shape)),
        };
        if ids.len() > MAX_DIMS {
            return Err(Error::malformed(format!("an array of {} axes; numpy allows {MAX_DIMS}", ids.len())));
        }
        (ids.iter())
            .map(|&id| match self.heap.node(id) {
                Node::Int(n) => {
                    usize::try_from(*n).map_err(|_| Error::malformed(format!("{n} is no length of an axis")))
                }
                _ => Err(self.wrong("take as a length", id)),
            })
            .collect()
    }

    /// Elements and bytes of an array.
    fn extent(&self, shape: &[usize], dtype: &Dtype) -> Result<(usize, usize)> {
        let count = count(shape);
        let bytes = count.and_then(|count| count.checked_mul(dtype.size));
        let (Some(count), Some(bytes)) = (count, bytes) else {
            return Err(Error::malformed(format!(
                "the shape {shape:?} of {dtype} has more elements than memory has bytes"
            )));
        };
        if dtype.is_sub() || (dtype.size == 0 && count > 0) {
            return Err(Error::unsupported(format!("an array of {dtype} elements without a size")));
        }
        Ok((count, bytes))
    }

    fn store_array(
        &mut self,
        shape: Vec<usize>,
        strides: Vec<usize>,
        dtype: Arc<Dtype>,
        data: StoredData,
    ) -> Result<Node> {
        self.charge(size_of::<Stored>() + shape.len() * 16 + 48)?;
        Ok(Node::Array(Box::new(Stored { shape, strides, dtype, data })))
    }

    fn raw_array(&mut self, shape: Vec<usize>, fortran: bool, dtype: Arc<Dtype>, raw: Span) -> Result<Node> {
        let (_, bytes) = self.extent(&shape, &dtype)?;
        if bytes != raw.len {
            return Err(Error::malformed(format!(
                "an array of shape {shape:?}, {dtype} has {bytes} bytes, but {} are given",
                raw.len
            )));
        }
        let strides = strides(&shape, dtype.size, fortran);
        self.store_array(shape, strides, dtype, StoredData::Raw(raw))
    }

    /// BUILD of an array: `(version, shape, dtype, is_fortran, raw)`.
    fn build_array(&mut self, object: Id, state: Id) -> Result<()> {
        let parts = match self.heap.node(state) {
            Node::Tuple(parts) => parts.to_vec(),
            _ => return Err(self.wrong("take as an array's state", state)),
        };
        let &[_, shape, dtype, fortran, raw] = parts.as_slice() else {
            return Err(self.wrong("take as an array's state", state));
        };
        let shape = self.dims(shape)?;
        let Some(fortran) = self.heap.value(fortran).as_i64() else {
            return Err(self.wrong("take as an array's order", fortran));
        };
        let Node::Dtype(dtype) = self.heap.node(dtype) else {
            // A dtype of another package: keep the parts as they are.
            return self.set_state(object, state);
        };
        let dtype = dtype.clone();
        let node = match (self.heap.node(raw), dtype.kind) {
            // numpy lists objects in C order even where it sets is_fortran.
            (Node::List(ids), DtypeKind::Object) => {
                let (count, _) = self.extent(&shape, &dtype)?;
                if ids.len() != count {
                    return Err(Error::malformed(format!(
                        "an object array of shape {shape:?} with {} elements",
                        ids.len()
                    )));
                }
                let ids: Box<[Id]> = ids.as_slice().into();
                self.charge(ids.len() * size_of::<Id>())?;
                let strides = strides(&shape, dtype.size, false);
                self.store_array(shape, strides, dtype, StoredData::Objects(ids))?
            }
            // Records with objects inside: nothing that a model needs.
            (Node::List(_), _) if dtype.has_object() => return self.set_state(object, state),
            (Node::Bytes(raw), _) if !dtype.has_object() => {
                let raw = *raw;
                self.raw_array(shape, fortran != 0, dtype, raw)?
            }
            (Node::Str(text), _) if !dtype.has_object() => {
                let text = *text;
                let raw = self.latin1_span(text)?;
                self.raw_array(shape, fortran != 0, dtype, raw)?
            }
            _ => return Err(self.wrong("take as an array's data", raw)),
        };
        self.heap.nodes[object as usize] = node;
        Ok(())
    }

    /// Protocol 5: `_frombuffer(buffer, dtype, shape, order[, axis_order])`.
    fn buffer_array(&mut self, buffer: Id, dtype: Id, shape: Id, order: Id, axes: Id) -> Result<Id> {
        let (Node::Bytes(raw), Node::Dtype(dtype)) = (self.heap.node(buffer), self.heap.node(dtype)) else {
            return Err(self.wrong("take as an array's buffer", buffer));
        };
        let (raw, dtype) = (*raw, dtype.clone());
        if dtype.has_object() {
            return Err(Error::malformed("an object array in a buffer"));
        }
        let shape = self.dims(shape)?;
        let fortran = match self.heap.value(order).as_str() {
            Some("C" | "A" | "K") => false,
            Some("F") => true,
            _ => return Err(self.wrong("take as an array's order", order)),
        };
        let mut node = self.raw_array(shape, fortran, dtype, raw)?;
        if axes != NONE {
            let axes = self.dims(axes)?;
            if let Node::Array(stored) = &mut node {
                let mut sorted = axes.clone();
                sorted.sort_unstable();
                if fortran || !sorted.into_iter().eq(0..stored.shape.len()) {
                    return Err(Error::malformed(format!("{axes:?} is no order of {} axes", stored.shape.len())));
                }
                stored.shape = axes.iter().map(|&axis| stored.shape[axis]).collect();
                stored.strides = axes.iter().map(|&axis| stored.strides[axis]).collect();
            }
        }
        self.node(node)
    }

    /// A numpy scalar as a plain value; None for types that have no plain counterpart.
    fn scalar(&mut self, dtype: &Dtype, value: Id) -> Result<Option<Id>> {
        if dtype.kind == DtypeKind::Object {
            return Ok(Some(value));
        }
        let raw = match self.heap.node(value) {
            Node::Bytes(span) => *span,
            Node::Str(span) => {
                let span = *span;
                self.latin1_span(span)?
            }
            _ => return Err(self.wrong("take as a numpy scalar", value)),
        };
        if raw.len != dtype.size {
            return Err(Error::malformed(format!("a {dtype} scalar of {} bytes", raw.len)));
        }
        // Text is copied, its padding looked through: one long scalar can be made many times. Its UTF-8 takes no
        // more than the four bytes of UCS-4.
        self.charge(raw.len)?;
        let (bytes, big) = (self.heap.bytes(raw), dtype.big_endian);
        let float = |bytes: &[u8]| match bytes.len() {
            2 => half(unsigned(bytes, big) as u16),
            4 => f64::from(f32::from_bits(unsigned(bytes, big) as u32)),
            _ => f64::from_bits(unsigned(bytes, big)),
        };
        let node = match (dtype.kind, dtype.size) {
            (DtypeKind::Bool, _) => Node::Bool(bytes[0] != 0),
            (DtypeKind::Int, _) => Node::Int(signed(bytes, big)),
            (DtypeKind::Uint, _) => {
                let mut wide = unsigned(bytes, big).to_le_bytes().to_vec();
                wide.push(0);
                let span = if wide[7] >> 7 == 1 { self.make(&wide)? } else { raw };
                int_node(&wide, span)
            }
            (DtypeKind::Float, 2 | 4 | 8) => Node::Float(float(bytes)),
            (DtypeKind::Complex, 8 | 16) => {
                let (re, im) = bytes.split_at(bytes.len() / 2);
                Node::Complex(float(re), float(im))
            }
            (DtypeKind::Str, _) => {
                let text = ucs4(bytes, big)?;
                Node::Str(self.make_charged(text.as_bytes()))
            }
            (DtypeKind::Bytes, _) => {
                let len = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
                Node::Bytes(Span { len, ..raw })
            }
            _ => return Ok(None),
        };
        self.node(node).map(Some)
    }

    /// BUILD of a dtype: `(version, byteorder, subdtype, names, fields, itemsize, alignment, flags[, metadata])`.
    fn build_dtype(&mut self, id: Id, state: Id) -> Result<()> {
        let parts = match self.heap.node(state) {
            Node::Tuple(parts) if matches!(parts.len(), 8 | 9) => parts.to_vec(),
            _ => return Err(self.wrong("take as a dtype's state", state)),
        };
        let (sub, names, fields) = (parts[2], parts[3], parts[4]);
        let mut dtype = match self.heap.node(id) {
            Node::Dtype(dtype) if !dtype.is_built() => Dtype::clone(dtype),
            _ => return Err(self.wrong("set a second state of", id)),
        };
        match self.heap.value(parts[1]).as_str() {
            Some(">") => dtype.big_endian = true,
            Some("<" | "=" | "|") => dtype.big_endian = false,
            _ => return Err(self.wrong("take as a byte order", parts[1])),
        }
        match self.heap.value(parts[5]).as_i64() {
            Some(-1 | 0) => {}
            Some(size) if usize::try_from(size) == Ok(dtype.size) => {}
            _ => return Err(Error::malformed(format!("a {dtype} dtype that gives itself another item size"))),
        }
        if sub != NONE {
            let (inner, shape) = match self.heap.node(sub) {
                Node::Tuple(parts) if parts.len() == 2 => (parts[0], parts[1]),
                _ => return Err(self.wrong("take as a subarray", sub)),
            };
            let shape = self.dims(shape)?;
            dtype.set_sub(self.inner_dtype(id, inner)?, shape)?;
        }
        if names != NONE || fields != NONE {
            let fields = self.fields(id, names, fields)?;
            self.charge(fields.iter().map(|field| size_of::<Field>() + field.name.len() + 32).sum())?;
            if !fields.is_empty() {
                dtype.set_fields(fields)?;
            }
        }
        self.heap.nodes[id as usize] = Node::Dtype(Arc::new(dtype));
        Ok(())
    }

    fn inner_dtype(&self, outer: Id, inner: Id) -> Result<Arc<Dtype>> {
        match self.heap.node(inner) {
            Node::Dtype(_) if inner == outer => Err(Error::malformed("a dtype that contains itself")),
            Node::Dtype(dtype) => Ok(dtype.clone()),
            _ => Err(self.wrong("take as a field's dtype", inner)),
        }
    }

    fn fields(&self, outer: Id, names: Id, fields: Id) -> Result<Vec<Field>> {
        let (Node::Tuple(names), Node::Dict(pairs)) = (self.heap.node(names), self.heap.node(fields)) else {
            return Err(Error::malformed("a structured dtype without names or fields"));
        };
        // Titles are keys too.
        if names.len() > MAX_FIELDS || pairs.len() > 2 * names.len() {
            return Err(Error::limit(format!(
                "a structured dtype of over {MAX_FIELDS} fields, or with more entries than names"
            )));
        }
        let by_name: HashMap<&str, Id> =
            pairs.iter().filter_map(|&(key, value)| Some((self.field_name(key)?, value))).collect();
        let mut out = Vec::with_capacity(names.len());
        for &name in &**names {
            let Some(name) = self.field_name(name) else { return Err(self.wrong("name a field", name)) };
            let parts = match by_name.get(name).map(|&id| self.heap.node(id)) {
                Some(Node::Tuple(parts)) if matches!(parts.len(), 2 | 3) => parts,
                _ => {
                    return Err(Error::malformed(format!(
                        "a structured dtype without its field '{}'",
                        name.escape_debug()
                    )));
                }
            };
            let offset = self.heap.value(parts[1]).as_i64().and_then(|offset| usize::try_from(offset).ok());
            let offset = offset.ok_or_else(|| self.wrong("take as an offset", parts[1]))?;
            out.push(Field { name: name.to_owned(), offset, dtype: self.inner_dtype(outer, parts[0])? });
        }
        Ok(out)
    }

    fn field_name(&self, name: Id) -> Option<&str> {
        match self.heap.node(name) {
            Node::Str(span) if span.len <= MAX_FIELD_NAME => Some(self.heap.text(*span)),
            _ => None,
        }
    }

    // joblib

    /// Reads the array whose bytes follow the BUILD of its wrapper.
    fn read_wrapped(&mut self, wrapper: Id, state: Id) -> Result<()> {
        if self.in_nested() {
            return Err(Error::limit("joblib arrays nest inside each other, which joblib never writes"));
        }
        match self.heap.node(state) {
            Node::Dict(pairs) if pairs.len() <= MAX_WRAPPER_STATE => {}
            _ => return Err(self.wrong("take as an array wrapper's state", state)),
        }
        let wrapped = self.heap.value(wrapper);
        let part = |name: &str| {
            wrapped.attr(name).ok_or_else(|| Error::malformed(format!("expected '{name}' in an array wrapper")))
        };
        let subclass = part("subclass")?;
        if !is_array_class(subclass.class_name()) {
            return Err(Error::unsupported(format!(
                "expected numpy's ndarray as an array's type, found {}",
                subclass.describe()
            )));
        }
        let (shape, dtype, order) = (part("shape")?.id(), part("dtype")?, part("order")?);
        let fortran = match order.as_str() {
            Some("C") => false,
            Some("F") => true,
            _ => return Err(Error::malformed("an array wrapper without an order")),
        };
        let Node::Dtype(dtype) = self.heap.node(dtype.id()) else {
            return Err(Error::unsupported(format!("a numpy array of {}", dtype.describe())));
        };
        let dtype = dtype.clone();
        if dtype.has_object() {
            return self.start_nested();
        }
        let padded = wrapped.attr("numpy_array_alignment_bytes").is_some_and(|bytes| !bytes.is_none());
        let shape = self.dims(shape)?;
        let (_, bytes) = self.extent(&shape, &dtype)?;
        if padded {
            let padding = self.u8()?;
            self.take(padding.into())?;
        }
        let raw = self.take(bytes as u64)?;
        self.heap.nodes[wrapper as usize] = self.raw_array(shape, fortran, dtype, raw)?;
        Ok(())
    }

    /// Puts the array of a nested pickle where its wrapper is.
    pub(super) fn finish_nested(&mut self, root: Id) -> Result<()> {
        match self.heap.node(root) {
            Node::Array(_) | Node::Object(_) => self.replace_top(root),
            _ => Err(self.wrong("take as an object array", root)),
        }
    }
}

/// ndarray and the subclasses that are plain arrays to us.
fn is_array_class(class: Option<(&str, &str)>) -> bool {
    class.is_some_and(|(module, name)| {
        (module == "numpy" || module.starts_with("numpy."))
            && matches!(name, "ndarray" | "matrix" | "recarray" | "memmap" | "chararray")
    })
}

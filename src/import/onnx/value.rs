//! What flows between nodes: tensors whose elements are constants or wires. One axis, the batch, runs over the rows and
//! counts as one element; all other sizes are known, so that broadcasting, reshaping and transposing are
//! bookkeeping and cost nothing at run time.

use super::proto;
use crate::model::{Cell, Graph, Wire};
use crate::{Error, Result};
use std::rc::Rc;

/// The types of elements, as far as they differ for what is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Float,
    Double,
    /// Any whole number.
    Int,
    Bool,
    Text,
}

/// What is known of numbers beyond their type, to tell a classifier's outputs apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    Plain,
    /// Raw scores of classes, which are no probabilities.
    Scores,
    /// A softmax over classes.
    Softmax,
    /// The place of the nearest of some centers.
    Cluster,
    /// Sizes of a tensor, among them the number of rows, which stands as -1: for shapes alone.
    Sizes,
}

#[derive(Clone, Debug)]
pub struct Tensor {
    pub kind: Kind,
    /// The batch counts as 1.
    pub shape: Vec<usize>,
    /// The axis of the rows; None for constants.
    pub batch: Option<usize>,
    pub data: Data,
    pub nature: Nature,
}

/// The elements, row-major.
#[derive(Clone, Debug)]
pub enum Data {
    Numbers(Rc<Vec<f64>>),
    Texts(Rc<Vec<String>>),
    Wires(Vec<Wire>),
    /// Places in a table, of labels say; a table holds strings or whole numbers.
    Places(Vec<Wire>, Rc<Vec<Cell>>),
}

pub enum Value {
    Tensor(Tensor),
    /// One map a row, of these keys: what ZipMap makes.
    Map {
        keys: Vec<Cell>,
        values: Tensor,
    },
    /// Rows below each other: all rows once for each place of the first axis. Reshape alone takes them apart.
    Stacked(Tensor),
}

/// No tensor of a tabular model comes near; stops a file whose few bytes ask for many elements.
const MOST_ELEMENTS: usize = 1 << 22;

/// The product of sizes, limited.
pub fn elements(shape: &[usize]) -> Result<usize> {
    let product = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    product.filter(|&product| product <= MOST_ELEMENTS).ok_or_else(|| {
        Error::limit(format!("a tensor of more than {MOST_ELEMENTS} elements, of the sizes {shape:?}"))
    })
}

impl Kind {
    /// # Errors
    /// Unsupported, with the type's name.
    pub fn from_code(code: i64) -> Result<Kind> {
        Ok(match code {
            1 => Kind::Float,
            11 => Kind::Double,
            2..=7 | 12 | 13 => Kind::Int,
            9 => Kind::Bool,
            8 => Kind::Text,
            10 => return Err(Error::unsupported("elements of type float16").remedy("Export the model in float32.")),
            16 => return Err(Error::unsupported("elements of type bfloat16").remedy("Export the model in float32.")),
            code => return Err(Error::unsupported(format!("elements of type {code} of TensorProto.DataType"))),
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Int => "int",
            Kind::Bool => "bool",
            Kind::Text => "string",
        }
    }

    /// A number as this type holds it.
    pub fn fit(self, value: f64) -> f64 {
        if self == Kind::Float { f64::from(value as f32) } else { value }
    }
}

/// A string attribute or element.
pub fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Error::malformed("a string that is not UTF-8 text"))
}

/// The bytes of numbers of `N` bytes each.
fn raw<const N: usize>(bytes: &[u8], from: fn([u8; N]) -> f64) -> Result<Vec<f64>> {
    match bytes.as_chunks::<N>() {
        (chunks, []) => Ok(chunks.iter().map(|&bytes| from(bytes)).collect()),
        _ => Err(Error::malformed(format!("{} bytes of tensor data for elements of {N}", bytes.len()))),
    }
}

impl Tensor {
    /// A constant of the file.
    pub fn constant(tensor: &proto::Tensor) -> Result<Tensor> {
        if tensor.external {
            return Err(Error::unsupported("the tensor's data is in another file")
                .remedy("Save the model in one file: onnx.save(model, path) without save_as_external_data."));
        }
        let kind = Kind::from_code(tensor.kind)?;
        let shape: Option<Vec<usize>> = tensor.sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
        let shape = shape.ok_or_else(|| Error::malformed(format!("a tensor of the sizes {:?}", tensor.sizes)))?;
        let expected = elements(&shape)?;
        let data = match (kind, tensor.raw) {
            (Kind::Text, _) => {
                Data::Texts(Rc::new(tensor.texts.iter().map(|bytes| text(bytes)).collect::<Result<_>>()?))
            }
            (_, Some(bytes)) => Data::Numbers(Rc::new(match tensor.kind {
                1 => raw(bytes, |bytes| f64::from(f32::from_le_bytes(bytes)))?,
                11 => raw(bytes, f64::from_le_bytes)?,
                7 => raw(bytes, |bytes| i64::from_le_bytes(bytes) as f64)?,
                6 => raw(bytes, |bytes| f64::from(i32::from_le_bytes(bytes)))?,
                2 | 9 => raw(bytes, |[byte]| f64::from(byte))?,
                3 => raw(bytes, |[byte]| f64::from(byte as i8))?,
                4 => raw(bytes, |bytes| f64::from(u16::from_le_bytes(bytes)))?,
                5 => raw(bytes, |bytes| f64::from(i16::from_le_bytes(bytes)))?,
                12 => raw(bytes, |bytes| f64::from(u32::from_le_bytes(bytes)))?,
                _ => raw(bytes, |bytes| u64::from_le_bytes(bytes) as f64)?,
            })),
            (Kind::Float, None) => Data::Numbers(Rc::new(tensor.floats.clone())),
            (Kind::Double, None) => Data::Numbers(Rc::new(tensor.doubles.clone())),
            (_, None) => Data::Numbers(Rc::new(tensor.ints.iter().map(|&value| value as f64).collect())),
        };
        let made = Tensor { kind, shape, batch: None, data, nature: Nature::Plain };
        if made.len() != expected {
            let message = format!("a tensor of the sizes {:?} with {} elements", made.shape, made.len());
            return Err(Error::malformed(message));
        }
        Ok(made)
    }

    pub fn numbers(kind: Kind, shape: Vec<usize>, numbers: Vec<f64>) -> Tensor {
        Tensor { kind, shape, batch: None, data: Data::Numbers(Rc::new(numbers)), nature: Nature::Plain }
    }

    /// One column a wire: [rows, wires].
    pub fn columns(kind: Kind, wires: Vec<Wire>) -> Tensor {
        let shape = vec![1, wires.len()];
        Tensor { kind, shape, batch: Some(0), data: Data::Wires(wires), nature: Nature::Plain }
    }

    /// The tensor with other elements of the same number.
    pub fn with(&self, kind: Kind, data: Data) -> Tensor {
        Tensor { kind, shape: self.shape.clone(), batch: self.batch, data, nature: Nature::Plain }
    }

    pub fn natured(self, nature: Nature) -> Tensor {
        Tensor { nature, ..self }
    }

    /// Elements of a row, or of a constant all.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Numbers(numbers) => numbers.len(),
            Data::Texts(texts) => texts.len(),
            Data::Wires(wires) | Data::Places(wires, _) => wires.len(),
        }
    }

    /// The elements at these places.
    pub fn pick(&self, shape: Vec<usize>, batch: Option<usize>, places: &[usize]) -> Tensor {
        let wires = |wires: &[Wire]| places.iter().map(|&place| wires[place]).collect();
        let data = match &self.data {
            Data::Numbers(numbers) => Data::Numbers(Rc::new(places.iter().map(|&place| numbers[place]).collect())),
            Data::Texts(texts) => Data::Texts(Rc::new(places.iter().map(|&place| texts[place].clone()).collect())),
            Data::Wires(list) => Data::Wires(wires(list)),
            Data::Places(list, table) => Data::Places(wires(list), table.clone()),
        };
        Tensor { kind: self.kind, shape, batch, data, nature: self.nature }
    }

    /// # Errors
    /// Where the number of rows would be reckoned with.
    pub fn computable(&self) -> Result<()> {
        match self.nature {
            Nature::Sizes => Err(Error::unsupported("the graph reckons with the number of rows")),
            _ => Ok(()),
        }
    }

    /// The size of an axis counted from the end where negative.
    pub fn axis(&self, axis: i64) -> Result<usize> {
        axis_of(axis, self.shape.len())
    }

    /// The numbers of a constant.
    pub fn constants(&self) -> Result<&[f64]> {
        match &self.data {
            Data::Numbers(numbers) => Ok(numbers),
            _ => Err(Error::unsupported("a constant is expected where the graph computes a value")),
        }
    }

    /// The whole numbers of a constant.
    pub fn integers(&self) -> Result<Vec<i64>> {
        // 2^63 - 1, which stands for the end in a Slice, is 2^63 in f64: the cast makes it the largest i64 again.
        let whole = |&number: &f64| {
            (number.fract() == 0.0 && number.abs() <= 9_223_372_036_854_775_808.0).then_some(number as i64)
        };
        self.constants()?
            .iter()
            .map(whole)
            .collect::<Option<Vec<i64>>>()
            .ok_or_else(|| Error::malformed("whole numbers are expected in a constant"))
    }

    /// A table of constants, for places in it.
    pub fn table(&self) -> Result<Vec<Cell>> {
        Ok(match &self.data {
            Data::Texts(texts) => texts.iter().cloned().map(Cell::Str).collect(),
            Data::Numbers(_) if self.kind != Kind::Float && self.kind != Kind::Double => {
                self.integers()?.into_iter().map(Cell::Int).collect()
            }
            _ => self.constants()?.iter().map(|&number| Cell::float(number)).collect(),
        })
    }
}

/// An axis of `rank`, counted from the end where negative.
pub fn axis_of(axis: i64, rank: usize) -> Result<usize> {
    let place = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    usize::try_from(place)
        .ok()
        .filter(|&place| place < rank)
        .ok_or_else(|| Error::malformed(format!("axis {axis} of a tensor of {rank}")))
}

/// Places of a tensor's elements along one axis: `outer` runs of `size` steps of `inner` elements.
pub fn along(shape: &[usize], axis: usize) -> (usize, usize, usize) {
    (shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product())
}

/// The wire that is there already for an indicator of missing values of `wire`.
pub fn is_missing_of(graph: &Graph, indicator: Wire) -> Option<Wire> {
    let step = graph.producer(indicator)?;
    let crate::model::Op::IsMissing { missing: crate::model::Marker::Nan } = step.op else { return None };
    Some(step.input[(indicator - step.output.start) as usize])
}

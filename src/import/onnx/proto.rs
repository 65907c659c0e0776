//! The messages of ONNX (onnx.proto): a model's graph of nodes with their attributes, its tensors and its inputs.
//!
//! These few are read by hand. A generated reader (prost and its build step) would bring every message of the format,
//! recurse into graphs inside graphs, and copy all of it before anything is checked. Fields that say nothing about
//! predictions (documentation, training, annotations) are skipped.

use super::wire::{Field, Message};
use crate::{At, Error, Result};

/// Nodes of a graph; what skl2onnx writes has some hundreds.
const MOST_NODES: usize = 1 << 16;

/// A graph and what it stands on.
#[derive(Default)]
pub struct Model<'a> {
    pub producer: &'a str,
    pub producer_version: &'a str,
    /// Domain and version. The domain of the core operators is the empty one.
    pub opsets: Vec<(&'a str, i64)>,
    pub graph: Graph<'a>,
}

#[derive(Default)]
pub struct Graph<'a> {
    pub nodes: Vec<Node<'a>>,
    pub constants: Vec<(&'a str, Tensor<'a>)>,
    pub inputs: Vec<Port<'a>>,
    pub outputs: Vec<Port<'a>>,
}

/// An input or output of a graph.
pub struct Port<'a> {
    pub name: &'a str,
    pub kind: PortKind,
}

pub enum PortKind {
    /// The element type as TensorProto numbers it, and the sizes; None where a size is a symbol. No sizes at all where
    /// the file does not say.
    Tensor(i64, Option<Vec<Option<i64>>>),
    /// A sequence, map, optional or sparse tensor.
    Other,
}

#[derive(Default)]
pub struct Node<'a> {
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    pub name: &'a str,
    pub operator: &'a str,
    /// `ai.onnx` is the empty domain.
    pub domain: &'a str,
    pub attributes: Vec<Attribute<'a>>,
}

/// One attribute: whichever of these the file has. A graph stays bytes.
#[derive(Default)]
pub struct Attribute<'a> {
    pub name: &'a str,
    pub float: Option<f32>,
    pub int: Option<i64>,
    pub text: Option<&'a [u8]>,
    pub tensor: Option<Tensor<'a>>,
    pub graph: Option<&'a [u8]>,
    pub floats: Vec<f64>,
    pub ints: Vec<i64>,
    pub texts: Vec<&'a [u8]>,
}

/// A tensor's type, sizes and data, which is in one of several fields.
#[derive(Default)]
pub struct Tensor<'a> {
    pub kind: i64,
    pub sizes: Vec<i64>,
    pub raw: Option<&'a [u8]>,
    pub floats: Vec<f64>,
    pub ints: Vec<i64>,
    pub doubles: Vec<f64>,
    pub texts: Vec<&'a [u8]>,
    /// The data is in another file.
    pub external: bool,
}

fn core(domain: &str) -> &str {
    if domain == "ai.onnx" { "" } else { domain }
}

pub fn model(bytes: &[u8]) -> Result<Model<'_>> {
    let mut model = Model::default();
    let mut found = None;
    let mut message = Message::new(bytes, "the model");
    while let Some((number, field)) = message.next()? {
        match number {
            2 => model.producer = field.text("producer_name")?,
            3 => model.producer_version = field.text("producer_version")?,
            7 => found = Some(field.bytes("graph")?),
            8 => {
                let mut opset = ("", 1);
                let mut message = Message::new(field.bytes("opset_import")?, "an opset_import");
                while let Some((number, field)) = message.next()? {
                    match number {
                        1 => opset.0 = core(field.text("domain")?),
                        2 => opset.1 = field.int("version")?,
                        _ => {}
                    }
                }
                model.opsets.push(opset);
            }
            25 => {
                return Err(Error::unsupported("the file defines functions of its own (ModelProto.functions)")
                    .remedy("Inline them first: onnx.inliner.inline_local_functions(model)."));
            }
            _ => {}
        }
    }
    let Some(found) = found else {
        return Err(Error::malformed("the file holds no graph"));
    };
    model.graph = graph(found)?;
    Ok(model)
}

pub fn graph(bytes: &[u8]) -> Result<Graph<'_>> {
    let mut graph = Graph::default();
    let mut message = Message::new(bytes, "the graph");
    while let Some((number, field)) = message.next()? {
        match number {
            1 => {
                if graph.nodes.len() == MOST_NODES {
                    return Err(Error::limit(format!("the graph has more than {MOST_NODES} nodes")));
                }
                let place = graph.nodes.len();
                graph.nodes.push(node(field.bytes("node")?).at(|| format!("node {place}"))?);
            }
            5 => {
                let (name, tensor) = tensor(field.bytes("initializer")?)?;
                graph.constants.push((name, tensor));
            }
            11 => graph.inputs.push(port(field.bytes("input")?)?),
            12 => graph.outputs.push(port(field.bytes("output")?)?),
            15 => return Err(Error::unsupported("the graph holds sparse tensors (GraphProto.sparse_initializer)")),
            _ => {}
        }
    }
    Ok(graph)
}

fn node(bytes: &[u8]) -> Result<Node<'_>> {
    let mut node = Node::default();
    let mut message = Message::new(bytes, "a node");
    while let Some((number, field)) = message.next()? {
        match number {
            1 => node.inputs.push(field.text("input")?),
            2 => node.outputs.push(field.text("output")?),
            3 => node.name = field.text("name")?,
            4 => node.operator = field.text("op_type")?,
            5 => node.attributes.push(attribute(field.bytes("attribute")?)?),
            7 => node.domain = core(field.text("domain")?),
            _ => {}
        }
    }
    Ok(node)
}

fn attribute(bytes: &[u8]) -> Result<Attribute<'_>> {
    let mut attribute = Attribute::default();
    let mut message = Message::new(bytes, "an attribute");
    while let Some((number, field)) = message.next()? {
        match number {
            1 => attribute.name = field.text("name")?,
            2 => attribute.float = Some(field.float("f")?),
            3 => attribute.int = Some(field.int("i")?),
            4 => attribute.text = Some(field.bytes("s")?),
            5 => attribute.tensor = Some(tensor(field.bytes("t")?)?.1),
            6 => attribute.graph = Some(field.bytes("g")?),
            7 => field.floats("floats", &mut attribute.floats)?,
            8 => field.ints("ints", &mut attribute.ints)?,
            9 => attribute.texts.push(field.bytes("strings")?),
            _ => {}
        }
    }
    Ok(attribute)
}

fn tensor(bytes: &[u8]) -> Result<(&str, Tensor<'_>)> {
    let mut name = "";
    let mut tensor = Tensor::default();
    let mut message = Message::new(bytes, "a tensor");
    while let Some((number, field)) = message.next()? {
        match number {
            1 => field.ints("dims", &mut tensor.sizes)?,
            2 => tensor.kind = field.int("data_type")?,
            4 => field.floats("float_data", &mut tensor.floats)?,
            // int32_data, int64_data and uint64_data.
            5 | 7 | 11 => field.ints("int_data", &mut tensor.ints)?,
            6 => tensor.texts.push(field.bytes("string_data")?),
            8 => name = field.text("name")?,
            9 => tensor.raw = Some(field.bytes("raw_data")?),
            10 => field.doubles("double_data", &mut tensor.doubles)?,
            13 => tensor.external = true,
            14 => tensor.external |= field.int("data_location")? == 1,
            _ => {}
        }
    }
    Ok((name, tensor))
}

/// The one field of this number in a message; the last where there are several, as protocol buffers have it.
fn inner<'a>(bytes: &'a [u8], wanted: u64, what: &'static str) -> Result<Option<Field<'a>>> {
    let mut found = None;
    let mut message = Message::new(bytes, what);
    while let Some((number, field)) = message.next()? {
        if number == wanted {
            found = Some(field);
        }
    }
    Ok(found)
}

fn port(bytes: &[u8]) -> Result<Port<'_>> {
    let name = inner(bytes, 1, "a value_info")?.map_or(Ok(""), |field| field.text("name"))?;
    let mut port = Port { name, kind: PortKind::Other };
    let Some(kind) = inner(bytes, 2, "a value_info")? else { return Ok(port) };
    let Some(tensor) = inner(kind.bytes("type")?, 1, "a type")? else { return Ok(port) };
    let tensor = tensor.bytes("tensor_type")?;
    let element = inner(tensor, 1, "a tensor type")?.map_or(Ok(0), |field| field.int("elem_type"))?;
    let mut sizes = None;
    if let Some(shape) = inner(tensor, 2, "a tensor type")? {
        let mut list = Vec::new();
        let mut message = Message::new(shape.bytes("shape")?, "a shape");
        while let Some((number, field)) = message.next()? {
            if number == 1 {
                let size = inner(field.bytes("dim")?, 1, "a dimension")?;
                list.push(size.map(|field| field.int("dim_value")).transpose()?.filter(|&size| size > 0));
            }
        }
        sizes = Some(list);
    }
    port.kind = PortKind::Tensor(element, sizes);
    Ok(port)
}

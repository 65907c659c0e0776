//! ONNX files, as skl2onnx, onnxmltools and exporters of small networks write them.
//!
//! A graph is read as columns: a tensor's elements are constants, which are folded, or wires of the model
//! (`value`). Each operator has a function that turns a node into steps (`OPERATORS`); nodes that no output needs
//! are never looked at. `wire` and `proto` read the file.
//!
//! The numbers are onnxruntime's. It computes in f32: sums of trees have its bits, and where a tree or a comparison
//! comes later, every operation before it is rounded as it rounds (`Context::round`), so that no row takes another branch.
//! Everything else is computed in f64, nearer to what was trained than the f32 of the original.

mod activation;
mod elementwise;
mod encode;
mod linear;
mod neighbors;
mod output;
mod proto;
mod reduce;
mod shape;
mod svm;
mod trees;
mod value;
mod wire;

use super::sklearn::builder::Builder;
use super::sklearn::schema_names;
use super::{Options, catboost};
use crate::model::{Cell, ColumnKind, Function, Model, Op, Source, Wire};
use crate::{At, Error, Result};
use proto::{Attribute, Node, PortKind};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use value::{Data, Kind, Nature, Tensor, Value};
use wire::{Field, Message};

const ELSEWHERE: &str = "If it is a scikit-learn, XGBoost or LightGBM model, give carryout the original instead of the \
     export: joblib.dump(model, \"model.joblib\").";

const NETWORK: &str = "carryout reads networks over columns, without convolutions, recurrence or attention. Export for another \
     opset (torch.onnx.export(…, opset_version=17)), or compose the layer of operators that docs/onnx.md lists.";

const DAMAGED: &str = "Most likely the file is cut or damaged, or was not checked (onnx.checker.check_model): download or export it again.";

/// Turns one node into steps; the values of its outputs, in their order.
type Read = fn(&mut Context, &Call) -> Result<Vec<Value>>;

const ML: &str = "ai.onnx.ml";
const CORE: &str = "";

/// Domain, operator and its reader, in the order of the documentation.
const OPERATORS: &[(&str, &str, Read)] = &[
    (ML, "ArrayFeatureExtractor", shape::array_feature_extractor),
    (ML, "Binarizer", encode::binarizer),
    (ML, "CategoryMapper", encode::category_mapper),
    (ML, "FeatureVectorizer", shape::feature_vectorizer),
    (ML, "Imputer", encode::imputer),
    (ML, "LabelEncoder", encode::label_encoder),
    (ML, "LinearClassifier", linear::classifier),
    (ML, "LinearRegressor", linear::regressor),
    (ML, "Normalizer", reduce::normalizer),
    (ML, "OneHotEncoder", encode::one_hot),
    (ML, "SVMClassifier", svm::classifier),
    (ML, "SVMRegressor", svm::regressor),
    (ML, "Scaler", linear::scaler),
    (ML, "TreeEnsemble", trees::ensemble),
    (ML, "TreeEnsembleClassifier", trees::classifier),
    (ML, "TreeEnsembleRegressor", trees::regressor),
    (ML, "ZipMap", output::zip_map),
    (CORE, "Abs", elementwise::unary),
    (CORE, "Add", elementwise::binary),
    (CORE, "And", elementwise::binary),
    (CORE, "ArgMax", reduce::arg),
    (CORE, "ArgMin", reduce::arg),
    (CORE, "BatchNormalization", linear::batch_normalization),
    (CORE, "Cast", elementwise::cast),
    (CORE, "Ceil", elementwise::unary),
    (CORE, "Celu", activation::activation),
    (CORE, "Clip", elementwise::clip),
    (CORE, "Concat", shape::concat),
    (CORE, "Constant", shape::constant),
    (CORE, "ConstantOfShape", shape::constant_of_shape),
    (CORE, "Cos", elementwise::unary),
    (CORE, "Div", elementwise::binary),
    (CORE, "Dropout", shape::identity),
    (CORE, "Elu", activation::activation),
    (CORE, "Equal", elementwise::binary),
    (CORE, "Erf", elementwise::unary),
    (CORE, "Exp", elementwise::unary),
    (CORE, "Expand", shape::expand),
    (CORE, "Flatten", shape::flatten),
    (CORE, "Floor", elementwise::unary),
    (CORE, "Gather", shape::gather),
    (CORE, "Gelu", activation::activation),
    (CORE, "Gemm", linear::gemm),
    (CORE, "Greater", elementwise::binary),
    (CORE, "GreaterOrEqual", elementwise::binary),
    (CORE, "HardSigmoid", activation::activation),
    (CORE, "HardSwish", activation::activation),
    (CORE, "Identity", shape::identity),
    (CORE, "IsNaN", elementwise::is_nan),
    (CORE, "LayerNormalization", reduce::layer_normalization),
    (CORE, "LeakyRelu", activation::activation),
    (CORE, "Less", elementwise::binary),
    (CORE, "LessOrEqual", elementwise::binary),
    (CORE, "Log", elementwise::unary),
    (CORE, "LogSoftmax", reduce::softmax),
    (CORE, "LpNormalization", reduce::lp_normalization),
    (CORE, "MatMul", linear::matmul),
    (CORE, "Max", elementwise::variadic),
    (CORE, "Mean", elementwise::variadic),
    (CORE, "Min", elementwise::variadic),
    (CORE, "Mish", activation::activation),
    (CORE, "Mul", elementwise::binary),
    (CORE, "Neg", elementwise::unary),
    (CORE, "Not", elementwise::unary),
    (CORE, "Or", elementwise::binary),
    (CORE, "PRelu", activation::p_relu),
    (CORE, "Pow", elementwise::binary),
    (CORE, "Reciprocal", elementwise::unary),
    (CORE, "ReduceL1", reduce::reduce),
    (CORE, "ReduceL2", reduce::reduce),
    (CORE, "ReduceLogSumExp", reduce::reduce),
    (CORE, "ReduceMax", reduce::reduce),
    (CORE, "ReduceMean", reduce::reduce),
    (CORE, "ReduceMin", reduce::reduce),
    (CORE, "ReduceProd", reduce::reduce),
    (CORE, "ReduceSum", reduce::reduce),
    (CORE, "ReduceSumSquare", reduce::reduce),
    (CORE, "Relu", elementwise::unary),
    (CORE, "Reshape", shape::reshape),
    (CORE, "Round", elementwise::unary),
    (CORE, "Scan", neighbors::scan),
    (CORE, "Selu", activation::activation),
    (CORE, "Shape", shape::shape),
    (CORE, "Sigmoid", elementwise::unary),
    (CORE, "Sign", elementwise::unary),
    (CORE, "Sin", elementwise::unary),
    (CORE, "Slice", shape::slice),
    (CORE, "Softmax", reduce::softmax),
    (CORE, "Softplus", elementwise::unary),
    (CORE, "Softsign", activation::activation),
    (CORE, "Split", shape::split),
    (CORE, "Sqrt", elementwise::unary),
    (CORE, "Squeeze", shape::squeeze),
    (CORE, "Sub", elementwise::binary),
    (CORE, "Sum", elementwise::variadic),
    (CORE, "Swish", activation::activation),
    (CORE, "Tan", elementwise::unary),
    (CORE, "Tanh", elementwise::unary),
    (CORE, "ThresholdedRelu", activation::activation),
    (CORE, "TopK", neighbors::top_k),
    (CORE, "Transpose", shape::transpose),
    (CORE, "Unsqueeze", shape::unsqueeze),
    (CORE, "Where", elementwise::choose),
];

/// Domain and name of each operator that is read.
pub fn operators() -> impl Iterator<Item = (&'static str, &'static str)> {
    OPERATORS.iter().map(|(domain, name, _)| (*domain, *name))
}

/// Elements that all nodes of a graph may make together.
const MOST_WORK: usize = 1 << 25;

/// The model under construction.
struct Context {
    pub builder: Builder,
    /// What a step of the node being read is called.
    pub path: String,
    /// A tree or a comparison reads what the node makes: its numbers are rounded as the original rounds them.
    pub round: bool,
    /// Outputs of nodes that an earlier one has computed already (an Add behind a MatMul).
    done: HashMap<String, Tensor>,
    /// The file was exported for one row at a time: a size of 1 may be the rows.
    pub batch_of_one: bool,
    /// Elements made so far.
    work: usize,
}

/// A node with the values it reads.
struct Call<'c, 'a> {
    pub node: &'c Node<'a>,
    pub inputs: Vec<Option<Rc<Value>>>,
    /// Of the operator's domain.
    pub version: i64,
    /// The constant that the only reader of the first output adds to it, and that reader's own output.
    pub added: Option<(Rc<Value>, String)>,
}

impl Context {
    /// Counts elements that are made, against `MOST_WORK`.
    pub fn spend(&mut self, elements: usize) -> Result<()> {
        self.work = self.work.saturating_add(elements);
        if self.work > MOST_WORK {
            return Err(Error::limit(format!("the nodes of the graph make more than {MOST_WORK} elements")));
        }
        Ok(())
    }

    pub fn push(&mut self, op: Op, input: Vec<Wire>) -> Result<Vec<Wire>> {
        self.builder.graph.push(op, input, &self.path)
    }

    pub fn push_one(&mut self, op: Op, input: Vec<Wire>) -> Result<Wire> {
        self.builder.graph.push_one(op, input, &self.path)
    }

    /// `push`, then `narrowed`.
    pub fn rounded(&mut self, op: Op, input: Vec<Wire>, kind: Kind) -> Result<Vec<Wire>> {
        let made = self.push(op, input)?;
        self.narrowed(made, kind)
    }

    /// Rounded to f32 where it matters.
    pub fn narrowed(&mut self, made: Vec<Wire>, kind: Kind) -> Result<Vec<Wire>> {
        if self.round && kind == Kind::Float {
            return self.push(Op::Function(Function::Float32), made);
        }
        Ok(made)
    }

    /// The wires of a tensor's numbers, constants as constant columns.
    pub fn wires(&mut self, tensor: &Tensor) -> Result<Vec<Wire>> {
        match &tensor.data {
            Data::Wires(_) if tensor.kind == Kind::Text => {
                Err(Error::unsupported("strings where numbers are expected"))
            }
            Data::Wires(wires) => Ok(wires.clone()),
            Data::Numbers(numbers) => self.push(Op::Constant(numbers.to_vec()), Vec::new()),
            Data::Texts(_) => Err(Error::unsupported("strings where numbers are expected")),
            Data::Places(wires, table) => {
                let values: Option<Vec<f64>> = table.iter().map(Cell::number).collect();
                let values = values.ok_or_else(|| Error::unsupported("strings where numbers are expected"))?;
                if values.iter().enumerate().all(|(place, &value)| value == place as f64) {
                    return Ok(wires.clone());
                }
                self.look_up(wires, &values)
            }
        }
    }

    /// The value at each place.
    pub fn look_up(&mut self, places: &[Wire], values: &[f64]) -> Result<Vec<Wire>> {
        let keys: Vec<Cell> = (0..values.len() as i64).map(Cell::Int).collect();
        places
            .iter()
            .map(|&place| {
                let lookup = crate::model::Lookup {
                    keys: keys.clone(),
                    width: 1,
                    values: values.to_vec(),
                    unknown: crate::model::Unknown::As(vec![0.0]),
                };
                self.push_one(Op::Lookup(lookup), vec![place])
            })
            .collect()
    }

    /// The columns of [rows, columns] or, of one column, [rows].
    pub fn row(&mut self, tensor: &Tensor) -> Result<Vec<Wire>> {
        if tensor.batch != Some(0) || tensor.shape[1..].iter().filter(|&&size| size != 1).count() > 1 {
            return Err(Error::unsupported(format!(
                "a table of rows and columns is expected, not a tensor of {} axes",
                tensor.shape.len()
            )));
        }
        self.wires(tensor)
    }
}

impl<'a> Call<'_, 'a> {
    pub fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.node.attributes.iter().find(|attribute| attribute.name == name)
    }

    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|attribute| attribute.int).unwrap_or(default)
    }

    pub fn float(&self, name: &str, default: f32) -> f64 {
        f64::from(self.attribute(name).and_then(|attribute| attribute.float).unwrap_or(default))
    }

    pub fn floats(&self, name: &str) -> &[f64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.floats)
    }

    pub fn ints(&self, name: &str) -> &[i64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.ints)
    }

    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        let list = self.attribute(name).map_or(&[][..], |attribute| &attribute.texts);
        list.iter().map(|bytes| value::text(bytes)).collect()
    }

    /// A string attribute.
    pub fn choice(&self, name: &str, default: &'a str) -> Result<&'a str> {
        let bytes = self.attribute(name).and_then(|attribute| attribute.text);
        bytes.map_or(Ok(default), |bytes| {
            std::str::from_utf8(bytes).map_err(|_| Error::malformed(format!("{name} is not UTF-8 text")))
        })
    }

    /// A tensor attribute.
    pub fn held(&self, name: &str) -> Result<Option<Tensor>> {
        let tensor = self.attribute(name).and_then(|attribute| attribute.tensor.as_ref());
        tensor.map(Tensor::constant).transpose().at(|| name.to_string())
    }

    /// Class labels, strings or whole numbers.
    pub fn labels(&self, strings: &str, ints: &str) -> Result<Vec<Cell>> {
        let texts = self.texts(strings)?;
        let labels: Vec<Cell> = match texts.is_empty() {
            false => texts.into_iter().map(Cell::Str).collect(),
            true => self.ints(ints).iter().map(|&label| Cell::Int(label)).collect(),
        };
        if labels.is_empty() {
            return Err(Error::malformed(format!("neither {strings} nor {ints} lists class labels")));
        }
        Ok(labels)
    }

    pub fn value(&self, place: usize) -> Result<&Value> {
        let value = self.inputs.get(place).and_then(|value| value.as_deref());
        value.ok_or_else(|| Error::malformed(format!("input {place} is missing")))
    }

    pub fn tensor(&self, place: usize) -> Result<&Tensor> {
        tensor(self.value(place)?)
    }

    /// An input that may be left out.
    pub fn maybe(&self, place: usize) -> Result<Option<&Tensor>> {
        self.inputs.get(place).and_then(|value| value.as_deref()).map(tensor).transpose()
    }

    /// Whole numbers that older versions have as an attribute and newer ones as a constant input.
    pub fn list(&self, name: &str, input: usize) -> Result<Option<Vec<i64>>> {
        match (self.attribute(name), self.maybe(input)?) {
            (Some(attribute), _) if !attribute.ints.is_empty() => Ok(Some(attribute.ints.clone())),
            (_, Some(tensor)) => tensor.integers().map(Some),
            _ => Ok(None),
        }
    }
}

fn tensor(value: &Value) -> Result<&Tensor> {
    match value {
        Value::Tensor(tensor) => Ok(tensor),
        Value::Map { .. } => Err(Error::unsupported("a map of probabilities is read by another node")),
        Value::Stacked(_) => Err(Error::unsupported("rows are put below other rows")),
    }
}

/// As errors name it.
fn label(node: &Node) -> String {
    let domain = if node.domain.is_empty() { "ai.onnx" } else { node.domain };
    match node.name {
        "" => format!("a node {} of {domain}", node.operator),
        name => format!("node '{name}' ({} of {domain})", node.operator),
    }
}

/// As steps name it.
fn path(node: &Node) -> String {
    match node.name {
        "" => node.operator.to_string(),
        name if name == node.operator => name.to_string(),
        name => format!("{name}: {}", node.operator),
    }
}

/// Columns of one input of the graph.
struct Input<'a> {
    name: &'a str,
    kind: Kind,
    columns: usize,
    /// It has an axis of columns: not [rows].
    wide: bool,
}

/// What the graph's inputs are, those with a constant for a default left out.
fn inputs<'a>(graph: &proto::Graph<'a>, options: &Options) -> Result<Vec<Input<'a>>> {
    let constants: HashSet<&str> = graph.constants.iter().map(|(name, _)| *name).collect();
    let ports: Vec<_> = graph.inputs.iter().filter(|port| !constants.contains(port.name)).collect();
    let mut inputs = Vec::new();
    for port in &ports {
        let place = || format!("input '{}'", port.name);
        let PortKind::Tensor(code, sizes) = &port.kind else {
            return Err(Error::unsupported("a sequence or map, not a tensor")
                .at(place())
                .remedy("Export the model with an input tensor of rows and columns."));
        };
        let kind = Kind::from_code(*code).at(place)?;
        let (columns, wide) = match sizes.as_deref() {
            Some([_]) => (Some(1), false),
            Some([_, columns]) => (*columns, true),
            None => (None, true),
            Some(sizes) => {
                let message = format!("a tensor of {} axes; rows and columns are expected", sizes.len());
                return Err(Error::unsupported(message).at(place()));
            }
        };
        // Where there is one input alone, the caller's names count its columns.
        let given = options.features.as_ref().filter(|_| ports.len() == 1).map(|names| names.len() as i64);
        let columns = columns.or(given).ok_or_else(|| {
            Error::unsupported("the file does not say how many columns it has")
                .at(place())
                .remedy("Name them with --features, or export with a fixed number: FloatTensorType([None, 4]).")
        })?;
        let columns = usize::try_from(columns)
            .ok()
            .filter(|&columns| columns <= 1 << 20)
            .ok_or_else(|| Error::limit(format!("{columns} columns")).at(place()))?;
        inputs.push(Input { name: port.name, kind, columns, wide });
    }
    if inputs.is_empty() {
        return Err(Error::unsupported("the graph has no inputs"));
    }
    Ok(inputs)
}

/// Whether the bytes are a ModelProto as far as they go: ir_version first, then fields of that message alone. It has no
/// signature.
pub fn looks_like(bytes: &[u8]) -> bool {
    let mut message = Message::new(bytes, "the model");
    let Ok(Some((1, Field::Varint(1..=99)))) = message.next() else { return false };
    let mut known = false;
    loop {
        match message.next() {
            Ok(Some((2 | 3 | 4 | 6 | 14 | 20 | 25, Field::Bytes(_)) | (5, Field::Varint(_)))) => known = true,
            Ok(Some((7 | 8, Field::Bytes(_)))) => return true,
            // What is wrong with a file that is cut, its reader says.
            Err(_) | Ok(None) => return known,
            Ok(Some(_)) => return false,
        }
    }
}

/// The model in an ONNX file.
///
/// # Errors
/// Malformed where the file is damaged; Unsupported with node, operator and domain.
pub fn import(bytes: &[u8], options: &Options) -> Result<Model> {
    let file = proto::model(bytes);
    let network = file.as_ref().is_ok_and(is_network);
    file.and_then(|file| read(&file, options)).map_err(|error| match error.kind() {
        crate::Kind::Malformed => error.remedy(DAMAGED),
        _ => error.remedy(if network { NETWORK } else { ELSEWHERE }),
    })
}

/// Whether no converter of another library's models wrote the file: these name themselves, or use operators made for them.
fn is_network(file: &proto::Model) -> bool {
    !["skl2onnx", "OnnxMLTools"].contains(&file.producer) && file.graph.nodes.iter().all(|node| node.domain != ML)
}

fn unknown_operator(file: &proto::Model) -> Error {
    let error = Error::unsupported("carryout does not know this operator");
    if !is_network(file) {
        return error;
    }
    let names: Vec<&str> = operators().filter(|(domain, _)| *domain == CORE).map(|(_, name)| name).collect();
    error.remedy(format!("{NETWORK} These are {}.", names.join(", ")))
}

fn read(file: &proto::Model, options: &Options) -> Result<Model> {
    let graph = &file.graph;
    let inputs = inputs(graph, options)?;
    let count: usize = inputs.iter().map(|input| input.columns).sum();
    let own = |input: &Input| -> Vec<String> {
        match input.columns {
            1 => vec![input.name.to_string()],
            columns => (0..columns).map(|column| format!("{}_{column}", input.name)).collect(),
        }
    };
    // One tensor of several columns says no more than a bare array does.
    let names = (inputs.len() > 1 || count == 1).then(|| inputs.iter().flat_map(own).collect());
    let (names, names_from) = schema_names(names, count, options)?;
    let mut context = Context {
        builder: Builder::new(count),
        path: "float32".to_string(),
        round: false,
        done: HashMap::new(),
        batch_of_one: graph
            .inputs
            .iter()
            .any(|port| matches!(&port.kind, PortKind::Tensor(_, Some(sizes)) if sizes.first() == Some(&Some(1)))),
        work: 0,
    };
    let needed = needed(graph);
    let jumps = jumps(graph, &needed);
    let mut values: HashMap<&str, Rc<Value>> = HashMap::new();
    let mut wire = 0;
    for input in &inputs {
        let mut wires: Vec<Wire> = (wire..wire + input.columns as Wire).collect();
        wire += input.columns as Wire;
        match input.kind {
            Kind::Text if needed.names.contains(input.name) => {
                for &wire in &wires {
                    context.builder.strings_at(wire, &context.path)?;
                }
            }
            // Trees round what they read themselves.
            Kind::Float if jumps.inputs.contains(input.name) => {
                wires = context.push(Op::Function(Function::Float32), wires)?;
            }
            _ => {}
        }
        let mut tensor = Tensor::columns(input.kind, wires);
        if !input.wide {
            tensor.shape.truncate(1);
        }
        values.insert(input.name, Rc::new(Value::Tensor(tensor)));
    }
    for (name, constant) in &graph.constants {
        if needed.names.contains(name) {
            let constant = Tensor::constant(constant).at(|| format!("constant '{name}'"))?;
            context.spend(constant.len())?;
            values.insert(name, Rc::new(Value::Tensor(constant)));
        }
    }
    for (place, node) in graph.nodes.iter().enumerate() {
        if !needed.nodes[place] {
            continue;
        }
        context.path = path(node);
        context.round = jumps.nodes[place];
        let steps = context.builder.graph.steps().len();
        let made = call(&mut context, file, node, &values, &needed).at(|| label(node))?;
        // What only moves columns about is no step.
        if context.builder.graph.steps().len() > steps {
            context.builder.note(&context.path.clone());
        }
        for (name, value) in node.outputs.iter().zip(made) {
            if !name.is_empty() {
                values.insert(name, Rc::new(value));
            }
        }
    }
    // What a node knew of a column says more, and was noted first.
    let types = inputs.iter().flat_map(|input| std::iter::repeat_n(input.kind, input.columns));
    for (wire, kind) in (0..).zip(types) {
        match kind {
            Kind::Int => context.builder.note_kind(wire, ColumnKind::Integer),
            Kind::Bool => context.builder.note_kind(wire, ColumnKind::Boolean),
            _ => {}
        }
    }
    let outputs: Vec<(&str, Rc<Value>)> = graph
        .outputs
        .iter()
        .map(|port| {
            let value = values.get(port.name).cloned();
            value
                .map(|value| (port.name, value))
                .ok_or_else(|| Error::malformed(format!("no node makes the output '{}'", port.name)))
        })
        .collect::<Result<_>>()?;
    context.path = "outputs".to_string();
    let output = output::assemble(&mut context, &outputs)?;
    let source = Source {
        library: "ONNX".to_string(),
        version: [file.producer, version(file.producer_version)].join(" ").trim().to_string(),
        estimator: "graph".to_string(),
        outline: Vec::new(),
    };
    context.builder.finish(names, names_from, output, source)
}

/// CatBoost writes all it knows of its build there: a version is one line.
fn version(producer: &str) -> &str {
    catboost::release(producer).or_else(|| producer.lines().next()).unwrap_or_default()
}

fn call(
    context: &mut Context,
    file: &proto::Model,
    node: &Node,
    values: &HashMap<&str, Rc<Value>>,
    needed: &Needed,
) -> Result<Vec<Value>> {
    if let Some(done) = node.outputs.first().and_then(|name| context.done.remove(*name)) {
        return Ok(vec![Value::Tensor(done)]);
    }
    let entry = OPERATORS.iter().find(|(domain, name, _)| (*domain, *name) == (node.domain, node.operator));
    let Some((.., read)) = entry else { return Err(unknown_operator(file)) };
    let inputs = node.inputs.iter().map(|name| match *name {
        "" => Ok(None),
        name => match values.get(name) {
            Some(value) => Ok(Some(value.clone())),
            None => Err(Error::malformed(format!("reads '{name}', which nothing before it makes"))),
        },
    });
    let inputs: Vec<_> = inputs.collect::<Result<_>>()?;
    let opset = file.opsets.iter().find(|(domain, _)| *domain == node.domain);
    let version =
        opset.ok_or_else(|| Error::malformed("the file states no version of this domain (opset_import)"))?.1;
    let added = node.outputs.first().and_then(|name| needed.adder(name)).and_then(|adder| {
        let adder = &file.graph.nodes[adder];
        let own = node.outputs[0];
        let other = adder.inputs.iter().find(|name| **name != own)?;
        Some((values.get(other)?.clone(), adder.outputs.first()?.to_string()))
    });
    let call = Call { node, inputs, version, added };
    let made = read(context, &call)?;
    for value in &made {
        if let Value::Tensor(tensor) = value {
            context.spend(tensor.len())?;
        }
    }
    Ok(made)
}

/// What the outputs depend on.
struct Needed<'a> {
    names: HashSet<&'a str>,
    nodes: Vec<bool>,
    /// Of values that one Add alone reads, that node.
    adders: HashMap<&'a str, usize>,
}

impl Needed<'_> {
    fn adder(&self, name: &str) -> Option<usize> {
        self.adders.get(name).copied()
    }
}

fn needed<'a>(graph: &proto::Graph<'a>) -> Needed<'a> {
    let mut names: HashSet<&str> = graph.outputs.iter().map(|port| port.name).collect();
    let mut nodes = vec![false; graph.nodes.len()];
    let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, node) in graph.nodes.iter().enumerate().rev() {
        if node.outputs.iter().any(|name| names.contains(name)) {
            nodes[place] = true;
            for name in node.inputs.iter().filter(|name| !name.is_empty()) {
                names.insert(name);
                readers.entry(name).or_default().push(place);
            }
        }
    }
    let outputs: HashSet<&str> = graph.outputs.iter().map(|port| port.name).collect();
    let is_add = |place: usize| {
        let node = &graph.nodes[place];
        node.domain.is_empty() && node.operator == "Add" && node.inputs.len() == 2
    };
    let adders = readers
        .into_iter()
        .filter(|(name, readers)| matches!(readers[..], [one] if is_add(one)) && !outputs.contains(name))
        .map(|(name, readers)| (name, readers[0]))
        .collect();
    Needed { names, nodes, adders }
}

/// Which nodes and inputs a tree or a comparison reads, at whatever distance.
struct Jumps<'a> {
    nodes: Vec<bool>,
    inputs: HashSet<&'a str>,
}

fn jumps<'a>(graph: &proto::Graph<'a>, needed: &Needed) -> Jumps<'a> {
    let mut read: HashSet<&str> = HashSet::new();
    let mut inputs: HashSet<&str> = HashSet::new();
    let mut nodes = vec![false; graph.nodes.len()];
    for (place, node) in graph.nodes.iter().enumerate().rev().filter(|(place, _)| needed.nodes[*place]) {
        nodes[place] = node.outputs.iter().any(|name| read.contains(name));
        let trees = node.operator.starts_with("TreeEnsemble");
        let compares = ["Less", "Greater", "Equal", "Binarizer", "Floor", "Ceil", "ThresholdedRelu"]
            .iter()
            .any(|jump| node.operator.starts_with(jump));
        // These add in an order of their own: what they make is not the same bits, whatever they read.
        let sums = ["SVM", "Linear", "Gemm", "MatMul", "Scan"].iter().any(|sum| node.operator.starts_with(sum));
        if trees || compares || (nodes[place] && !sums) {
            read.extend(node.inputs.iter().filter(|name| !name.is_empty()));
        }
        if compares || (nodes[place] && !trees && !sums) {
            inputs.extend(node.inputs.iter().filter(|name| !name.is_empty()));
        }
    }
    Jumps { nodes, inputs }
}

/// A classifier's label: the place of the class, and the classes.
fn labelled(place: Wire, classes: Vec<Cell>) -> Value {
    let kind = if matches!(classes.first(), Some(Cell::Str(_))) { Kind::Text } else { Kind::Int };
    Value::Tensor(Tensor {
        kind,
        shape: vec![1],
        batch: Some(0),
        data: Data::Places(vec![place], Rc::new(classes)),
        nature: Nature::Plain,
    })
}

//! ONNX files against onnxruntime, case by case, the table of operators, and damaged files.

mod common;

use carryout::import::{self, onnx};
use carryout::lower::{Results, Want, lower};
use carryout::predictor::Predictor;
use carryout::runtime::host::Machine;
use carryout::{Kind, Options};
use common::{Case, Random, Tally};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// ONNX_CASES names a folder of other cases, made by the same script.
fn fixtures() -> PathBuf {
    std::env::var_os("ONNX_CASES").map_or(root().join("tests/fixtures/onnx"), PathBuf::from)
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name).join("model.onnx")).unwrap()
}

/// Prints the largest difference of each case: what docs/onnx.md says of float32 is measured here.
#[test]
fn cases_agree_with_onnxruntime() {
    let mut tally = Tally::default();
    Case::all(fixtures()).iter().for_each(|case| tally.check(case));
    for (case, worst) in &tally.worst {
        println!("{worst:9.1e} {case}");
    }
    tally.failures.extend(tally.refused.iter().map(|(case, error)| format!("refused {case}: {error}")));
    tally.finish();
}

/// CatBoost's is a text of many lines about its build.
#[test]
fn a_producers_version_is_one_line() {
    for (name, version) in [("catboost-regressor", "CatBoost 1.2.10"), ("forest-2", "skl2onnx 1.20.0")] {
        let model = import::import(&fixture(name), &Options::default()).unwrap();
        assert_eq!(model.source.version, version);
    }
}

/// docs/onnx.md lists the operators that the code has; UPDATE=1 writes them.
#[test]
fn the_operators_are_the_codes() {
    let path = root().join("docs/onnx.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut made = "| domain | operators |\n|---|---|\n".to_string();
    for (domain, shown) in [("ai.onnx.ml", "ai.onnx.ml"), ("", "ai.onnx")] {
        let mut names: Vec<&str> =
            onnx::operators().filter(|(own, _)| *own == domain).map(|(_, name)| name).collect();
        names.sort_unstable();
        made += &format!("| {shown} | {} |\n", names.join(", "));
    }
    let start = text.find("<!-- operators: ").unwrap();
    let from = start + text[start..].find("-->\n").unwrap() + 4;
    let to = text.find("<!-- /operators -->").unwrap();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, format!("{}{made}{}", &text[..from], &text[to..])).unwrap();
    } else {
        assert_eq!(&text[from..to], made, "docs/onnx.md is not the code's: UPDATE=1 cargo test --test onnx");
    }
}

/// Every operator is in a fixture: its name stands there as a node's op_type (field 4, with its length).
#[test]
fn every_operator_has_a_fixture() {
    let files: Vec<Vec<u8>> =
        Case::all(fixtures()).iter().map(|case| std::fs::read(case.path.join("model.onnx")).unwrap()).collect();
    let has = |name: &str| {
        let field = [&[0x22, name.len() as u8], name.as_bytes()].concat();
        files.iter().any(|bytes| bytes.windows(field.len()).any(|window| window == field))
    };
    let absent: Vec<_> = onnx::operators().filter(|(_, name)| !has(name)).collect();
    assert!(absent.is_empty(), "no fixture has {absent:?}");
}

/// A message's field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut made = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length > 0x7f {
        made.push(length as u8 | 0x80);
        length >>= 7;
    }
    made.push(length as u8);
    made.extend(bytes);
    made
}

fn number(number: u8, value: u8) -> Vec<u8> {
    vec![number << 3, value]
}

/// An input or output: a tensor of this element type with these sizes, 0 for a symbol.
fn port(name: &str, element: u8, sizes: &[u8]) -> Vec<u8> {
    let size = |&size: &u8| field(1, &if size == 0 { field(2, b"N") } else { number(1, size) });
    let shape: Vec<u8> = sizes.iter().flat_map(size).collect();
    let tensor = field(1, &[number(1, element), field(2, &shape)].concat());
    [field(1, name.as_bytes()), field(2, &tensor)].concat()
}

fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|name| field(1, name.as_bytes()));
    let attributes = attributes.iter().flat_map(|attribute| field(5, attribute));
    let rest = [field(2, output.as_bytes()), field(3, b"it"), field(4, operator.as_bytes())].concat();
    inputs.chain(rest).chain(attributes).collect()
}

/// A tensor of i64 in raw_data.
fn whole(name: &str, sizes: &[u8], values: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let sizes = sizes.iter().flat_map(|&size| number(1, size)).collect();
    [sizes, number(2, 7), field(8, name.as_bytes()), field(9, &raw)].concat()
}

/// A tensor of f32 in float_data.
fn floats(name: &str, sizes: &[u8], values: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let sizes = sizes.iter().flat_map(|&size| number(1, size)).collect();
    [sizes, number(2, 1), field(8, name.as_bytes()), field(4, &data)].concat()
}

/// A model of nodes over X, [N, 2] of floats, whose output is Y.
fn model(nodes: &[Vec<u8>], constants: &[Vec<u8>]) -> Vec<u8> {
    model_of(&port("X", 1, &[0, 2]), nodes, constants)
}

fn model_of(input: &[u8], nodes: &[Vec<u8>], constants: &[Vec<u8>]) -> Vec<u8> {
    let nodes = nodes.iter().flat_map(|node| field(1, node));
    let constants = constants.iter().flat_map(|constant| field(5, constant));
    let ports = [field(11, input), field(12, &port("Y", 1, &[0, 2]))].concat();
    let graph: Vec<u8> = nodes.chain(constants).chain(ports).collect();
    [number(1, 8), field(2, b"test"), field(7, &graph), field(8, &number(2, 17))].concat()
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let error = import::import(bytes, &Options::default()).expect_err("the file was accepted");
    assert_eq!(error.to_string(), expected);
    assert!(error.remedy_text().is_some(), "{expected}: no remedy");
}

#[test]
fn errors_name_node_operator_and_domain() {
    import::import(&model(&[node("Abs", &["X"], "Y", &[])], &[]), &Options::default()).unwrap();
    refused(
        &model(&[node("Conv", &["X"], "Y", &[])], &[]),
        "node 'it' (Conv of ai.onnx): carryout does not know this operator",
    );
    refused(
        &model(&[node("Abs", &["Z"], "Y", &[])], &[]),
        "node 'it' (Abs of ai.onnx): reads 'Z', which nothing before it makes",
    );
    refused(&model(&[], &[]), "no node makes the output 'Y'");
    refused(&model(&[node("Add", &["X"], "Y", &[])], &[]), "node 'it' (Add of ai.onnx): input 1 is missing");
    refused(
        &model(&[node("ReduceSum", &["X"], "Y", &[])], &[]),
        "node 'it' (ReduceSum of ai.onnx): numbers of different rows come together",
    );
    refused(
        &model(&[node("Reshape", &["X", "c"], "Y", &[])], &[whole("c", &[2], &[-1, 3])]),
        "node 'it' (Reshape of ai.onnx): a reshape of [1, 2] to [-1, 3], after which a row is no longer a row",
    );
    refused(
        &model(&[node("Scan", &["X"], "Y", &[])], &[]),
        "node 'it' (Scan of ai.onnx): a loop that is not the distance of rows to stored vectors",
    );
    refused(&model_of(&port("X", 10, &[0, 2]), &[], &[]), "input 'X': elements of type float16");
    refused(
        &model_of(&port("X", 1, &[0, 2, 3]), &[], &[]),
        "input 'X': a tensor of 3 axes; rows and columns are expected",
    );
    refused(&model_of(&port("X", 1, &[0, 0]), &[], &[]), "input 'X': the file does not say how many columns it has");
    let map = [field(1, b"X"), field(2, &field(5, &number(1, 8)))].concat();
    refused(&model_of(&map, &[], &[]), "input 'X': a sequence or map, not a tensor");
    let names = Options { features: Some(vec!["a".into(), "b".into(), "c".into()]), ..Options::default() };
    let open = model_of(&port("X", 1, &[0, 0]), &[node("Abs", &["X"], "Y", &[])], &[]);
    assert_eq!(import::import(&open, &names).unwrap().schema.columns.len(), 3);
}

/// A network is no export of a model that its library could save instead.
#[test]
fn remedies_fit_what_wrote_the_file() {
    let remedy = |nodes: &[Vec<u8>]| {
        let error = import::import(&model(nodes, &[]), &Options::default()).expect_err("the file was accepted");
        error.remedy_text().expect("a remedy").to_owned()
    };
    let convolution = remedy(&[node("Conv", &["X"], "Y", &[])]);
    assert!(convolution.contains("opset_version=17") && convolution.contains(" Abs, Add, And,"), "{convolution}");
    assert!(!convolution.contains("ai.onnx.ml") && !convolution.contains("ZipMap"), "{convolution}");
    let sum = remedy(&[node("ReduceSum", &["X"], "Y", &[])]);
    assert!(sum.starts_with("carryout predicts row by row"), "{sum}");
    let product = remedy(&[node("MatMul", &["X", "X"], "Y", &[])]);
    assert!(product.contains("docs/onnx.md") && !product.contains("Abs"), "{product}");
    let scaler = [node("Scaler", &["X"], "z", &[]), field(7, b"ai.onnx.ml")].concat();
    let converted = remedy(&[scaler, node("Conv", &["X"], "Y", &[])]);
    assert!(converted.contains("scikit-learn"), "{converted}");
}

#[test]
fn several_outputs_keep_their_names() {
    let nodes = [node("Abs", &["X"], "Y", &[]), node("ReduceSum", &["X", "axis"], "total", &[])];
    let outputs = [field(12, &port("Y", 1, &[0, 2])), field(12, &port("total", 1, &[0, 1]))].concat();
    let graph: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    let graph = [graph, field(5, &whole("axis", &[1], &[1])), field(11, &port("X", 1, &[0, 2])), outputs].concat();
    let bytes = [number(1, 8), field(7, &graph), field(8, &number(2, 17))].concat();
    let model = import::import(&bytes, &Options::default()).unwrap();
    let mut predictor = Predictor::new("m", &model, Want::Package).unwrap();
    let Results::Regression { names, .. } = &predictor.manifest().results else { panic!("{:?}", model.output) };
    assert_eq!(names, &["Y_0", "Y_1", "total"]);
    let prediction = predictor.predict(&json!([-1.5, 2])).unwrap();
    assert_eq!(predictor.json(&prediction), r#"{"values":[1.5,2,0.5],"warnings":[]}"#);
}

/// A place outside the table is refused: a column's own by its name, a computed one by the step.
#[test]
fn embeddings_refuse_what_they_have_no_row_for() {
    let table = floats("table", &[3, 2], &[0.5, -1.0, 0.25, 2.0, 4.0, 8.0]);
    let constants = [table, whole("one", &[1], &[1]), whole("axis", &[1], &[1])];
    let sum = node("ReduceSum", &["rows", "axis"], "Y", &[]);
    let asked = |input: &[u8], nodes: &[Vec<u8>], row: Value| {
        let model = import::import(&model_of(input, nodes, &constants), &Options::default()).unwrap();
        let mut predictor = Predictor::new("m", &model, Want::Package).unwrap();
        let prediction = predictor.predict(&row).map_err(|error| error.to_string())?;
        Ok::<String, String>(predictor.json(&prediction))
    };
    let refused = |column: &str, accepted: &str, got: &str| {
        Err(format!("\"{column}\": expected one of {accepted}, got the number {got}"))
    };
    let answer = |values: &str| Ok(format!("{{\"values\":[{values}],\"warnings\":[]}}"));
    // [rows, columns] of whole numbers, and of floats that are cast.
    let gather = [node("Gather", &["table", "X"], "rows", &[]), sum.clone()];
    let whole = port("X", 7, &[0, 2]);
    assert_eq!(asked(&whole, &gather, json!([2, 0])), answer("4.5,7"));
    for outside in ["3", "-1", "0.5"] {
        let value: Value = outside.parse().unwrap();
        assert_eq!(asked(&whole, &gather, json!([1, value])), refused("x1", "0, 1, 2", outside));
    }
    let cast = [node("Cast", &["X"], "whole", &[[field(1, b"to"), number(3, 7)].concat()])];
    let gather = [node("Gather", &["table", "whole"], "rows", &[]), sum.clone()];
    let nodes = [cast.as_slice(), &gather].concat();
    assert_eq!(asked(&port("X", 1, &[0, 2]), &nodes, json!([2, 0])), answer("4.5,7"));
    assert_eq!(asked(&port("X", 1, &[0, 2]), &nodes, json!([3, 0])), refused("x0", "0, 1, 2", "3"));
    // Counted from one.
    let less = [node("Sub", &["X", "one"], "whole", &[])];
    let nodes = [less.as_slice(), &gather].concat();
    assert_eq!(asked(&whole, &nodes, json!([3, 1])), answer("4.5,7"));
    assert_eq!(asked(&whole, &nodes, json!([0, 1])), refused("x0", "1, 2, 3", "0"));
    let twice = [node("Add", &["X", "X"], "whole", &[])];
    let nodes = [twice.as_slice(), &gather].concat();
    assert_eq!(asked(&whole, &nodes, json!([1, 0])), answer("4.5,7"));
    for outside in [2, -1] {
        let error = Err("a value is outside what it: Gather accepts".to_string());
        assert_eq!(asked(&whole, &nodes, json!([outside, 0])), error);
    }
}

#[test]
fn data_elsewhere_and_data_that_lacks_are_refused() {
    let add = [node("Add", &["X", "c"], "Y", &[])];
    let external = [number(1, 2), number(2, 1), field(8, b"c"), field(13, b""), number(14, 1)].concat();
    refused(&model(&add, &[external]), "constant 'c': the tensor's data is in another file");
    refused(&model(&add, &[whole("c", &[3], &[1, 2])]), "constant 'c': a tensor of the sizes [3] with 2 elements");
    let cut = [number(1, 2), number(2, 1), field(8, b"c"), field(9, &[0; 7])].concat();
    refused(&model(&add, &[cut]), "constant 'c': 7 bytes of tensor data for elements of 4");
    let mut negative = vec![0x08];
    negative.extend([0xff; 9]);
    negative.push(1);
    let negative = [negative, number(2, 1), field(8, b"c")].concat();
    refused(&model(&add, &[negative]), "constant 'c': a tensor of the sizes [-1]");
}

/// Few bytes that ask for much: a limit, soon.
#[test]
fn bombs_are_limited() {
    let start = Instant::now();
    let bomb = |nodes: &[Vec<u8>], constants: &[Vec<u8>]| {
        let error = import::import(&model(nodes, constants), &Options::default()).expect_err("accepted");
        assert_eq!(error.kind(), Kind::Limit, "{error}");
    };
    let huge = whole("c", &[2], &[1 << 31, 1 << 31]);
    bomb(&[node("ConstantOfShape", &["c"], "z", &[]), node("Add", &["X", "z"], "Y", &[])], &[huge]);
    let large = whole("c", &[2], &[1, 1 << 21]);
    let zeros = node("ConstantOfShape", &["c"], "z0", &[]);
    let names: Vec<String> = (0..80).map(|place| format!("z{place}")).collect();
    let sums = (1..80).map(|place| node("Add", &[&names[place - 1], "z0"], &names[place], &[]));
    let last = node("Add", &["X", "z79"], "Y", &[]);
    bomb(&[zeros].into_iter().chain(sums).chain([last]).collect::<Vec<_>>(), &[large]);
    // Columns that double with every node.
    let names: Vec<String> = (0..40).map(|place| if place == 0 { "X".into() } else { format!("d{place}") }).collect();
    let axis = [field(1, b"axis"), number(3, 1)].concat();
    let twice = |place: usize| {
        let to = names.get(place + 1).map_or("Y", String::as_str);
        node("Concat", &[&names[place], &names[place]], to, std::slice::from_ref(&axis))
    };
    bomb(&(0..40).map(twice).collect::<Vec<_>>(), &[]);
    let many: Vec<Vec<u8>> = (0..70_000).map(|_| node("Abs", &["X"], "Y", &[])).collect();
    bomb(&many, &[]);
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
}

/// A file cut at any byte is an error; most say where.
#[test]
fn every_cut_is_an_error() {
    let bytes = fixture("tree-2");
    for end in 0..bytes.len() {
        // Behind the graph stand the opsets, and the one that is needed need not be the last.
        if let Err(error) = import::import(&bytes[..end], &Options::default()) {
            assert!(!error.message().is_empty());
        } else {
            assert!(end + 24 > bytes.len(), "accepted at {end} of {}", bytes.len());
        }
    }
    refused(&bytes[..400], "a field of 1591 bytes where 364 are left, 36 bytes into the model");
}

/// Damages files in ways chosen by a fixed seed, each MUTATIONS times (40 unless said). What comes out is a model that lays out and runs, or an error, soon.
#[test]
fn mutations_never_panic() {
    let mut draws = Random::default();
    let mut random = |limit| draws.below(limit);
    let rounds = std::env::var("MUTATIONS").map_or(40, |rounds| rounds.parse().unwrap());
    let (mut read, mut refused) = (0, 0);
    for case in Case::all(fixtures()) {
        let original = std::fs::read(case.path.join("model.onnx")).unwrap();
        for _ in 0..rounds {
            let mut bytes = original.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(5) {
                    0 => bytes[at] ^= 1 << random(8),
                    1 => {
                        let end = bytes.len().min(at + 4);
                        bytes[at..end].fill([0, 1, 0x7f, 0xff][random(4)]);
                    }
                    2 => bytes[at] = random(256) as u8,
                    3 => {
                        let from = random(bytes.len() - 1);
                        bytes[at] = bytes[from];
                    }
                    _ => {
                        // Numbers of the file in other places: sizes, axes, node numbers.
                        let from = random(bytes.len().saturating_sub(8).max(1));
                        let piece = bytes[from..bytes.len().min(from + 4)].to_vec();
                        let end = bytes.len().min(at + piece.len());
                        bytes[at..end].copy_from_slice(&piece[..end - at]);
                    }
                }
            }
            let start = Instant::now();
            match import::import(&bytes, &Options::default()) {
                Ok(model) => {
                    if let Ok(lowered) = lower(&model, Want::Everything) {
                        let mut machine = Machine::open(&lowered.image).expect("lowering writes sound images");
                        machine.slots_mut().fill(1.5);
                        let _ = machine.run(machine.block().min(3));
                    }
                    read += 1;
                }
                Err(error) => {
                    assert!(!error.message().is_empty());
                    refused += 1;
                }
            }
            assert!(start.elapsed() < Duration::from_secs(5), "{} took {:?}", case.id, start.elapsed());
        }
    }
    println!("{read} read, {refused} refused");
    assert!(read > 500 && refused > 500, "{read} read, {refused} refused");
}

//! Packages of models made by hand: one for each kind of column and of output, and one whose names are hostile.
//! Their text is compared with `tests/snapshots/`, which `UPDATE_SNAPSHOTS=1 cargo test --test package` rewrites.
//! The packages are left in `target/tmp/packages/` for `tests/node/`.

mod common;

use carryout::lower::{Lowered, Want, lower};
use carryout::model::*;
use carryout::package::{self, Options};
use carryout::predictor::Predictor;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn column(name: &str, kind: ColumnKind) -> Column {
    Column {
        name: name.to_string(),
        kind,
        missing: false,
        infinite: false,
        single: false,
        unknown: false,
        digits: false,
        partial: false,
        range: None,
        used: true,
        readers: Vec::new(),
    }
}

fn strings(values: &[&str]) -> Vec<Cell> {
    values.iter().map(|value| Cell::Str(value.to_string())).collect()
}

fn names(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| value.to_string()).collect()
}

fn start(columns: Vec<Column>) -> (Schema, Graph, Vec<Wire>) {
    let mut graph = Graph::default();
    let wires = columns
        .iter()
        .enumerate()
        .map(|(number, column)| {
            graph.column(match &column.kind {
                ColumnKind::Category(values) if values.iter().any(|value| value.number().is_none()) => {
                    WireKind::Code(number as u32)
                }
                ColumnKind::Text => WireKind::Text(number as u32),
                _ => WireKind::Number,
            })
        })
        .collect();
    (Schema { columns, names_from: NamesFrom::File }, graph, wires)
}

fn source(estimator: &str, outline: &[&str]) -> Source {
    Source {
        library: "scikit-learn".to_string(),
        version: "1.9.1".to_string(),
        estimator: estimator.to_string(),
        outline: names(outline),
    }
}

fn settled(schema: Schema, graph: Graph, output: Output, source: Source) -> Model {
    let mut model = Model { schema, graph, output, source };
    model.settle_columns();
    model
}

fn affine(graph: &mut Graph, input: &[Wire], outputs: usize, path: &str) -> Vec<Wire> {
    let values = (0..input.len() * outputs).map(|place| place as f64 / 8.0 - 0.5).collect();
    let coef = Matrix::new(outputs, input.len(), values).unwrap();
    let intercept = (0..outputs).map(|place| place as f64 / 4.0).collect();
    graph.push(Op::Affine { coef, intercept }, input.to_vec(), path).unwrap()
}

/// Probabilities over `classes` from an affine map of `input`.
fn classifier(graph: &mut Graph, input: &[Wire], classes: Vec<Cell>, path: &str) -> Output {
    let scores = affine(graph, input, classes.len(), path);
    let probabilities = graph.push(Op::Softmax, scores, path).unwrap();
    let label = graph.push_one(Op::Argmax, probabilities.clone(), path).unwrap();
    Output::Classification { classes, label, probabilities: Some(probabilities), scores: None }
}

/// Four numbers in, three classes out: the plainest package there is.
fn linear() -> Model {
    let columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
    let (schema, mut graph, wires) = start(columns.map(|name| column(name, ColumnKind::Number)).to_vec());
    let classes = strings(&["setosa", "versicolor", "virginica"]);
    let output = classifier(&mut graph, &wires, classes, "LogisticRegression");
    settled(schema, graph, output, source("LogisticRegression", &["LogisticRegression"]))
}

fn one_hot(graph: &mut Graph, wire: Wire, keys: Vec<Cell>, unknown: Unknown<Option<u32>>, path: &str) -> Vec<Wire> {
    let width = keys.len() as u32;
    let hot = (0..width).map(Some).collect();
    graph.push(Op::OneHot { keys, hot, width, unknown }, vec![wire], path).unwrap()
}

/// Every kind of column, with each way to treat missing and unknown values.
fn mixed() -> Model {
    let mut age = column("age", ColumnKind::Integer);
    age.range = Some((17.0, 90.0));
    let mut income = column("income", ColumnKind::Number);
    income.range = Some((0.0, 250_000.5));
    let employment = strings(&["employed", "self-employed", "retired"]);
    let region = strings(&["north", "south"]);
    let rooms = vec![Cell::Int(1), Cell::Int(2), Cell::Int(3)];
    let grade = vec![Cell::Str("a".to_string()), Cell::Int(1), Cell::Bool(false)];
    let (schema, mut graph, wires) = start(vec![
        age,
        income,
        column("employment", ColumnKind::Category(employment.clone())),
        column("region", ColumnKind::Category(region.clone())),
        column("rooms", ColumnKind::Category(rooms.clone())),
        column("grade", ColumnKind::Category(grade.clone())),
        column("owner", ColumnKind::Boolean),
        column("note", ColumnKind::Text),
    ]);
    let fill = Op::Impute { missing: Marker::Nan, fill: vec![Cell::Float(38.5)] };
    let age = graph.push_one(fill, vec![wires[0]], "num > impute").unwrap();
    let income = Op::Standardize { mean: Some(vec![50_000.0]), scale: Some(vec![20_000.0]) };
    let income = graph.push_one(income, vec![wires[1]], "num > scale").unwrap();
    let fill = Op::Impute { missing: Marker::Nan, fill: strings(&["(none)"]) };
    let filled = graph.push_one(fill, vec![wires[2]], "cat > impute").unwrap();
    let mut features = vec![age, income];
    features.extend(one_hot(&mut graph, filled, employment, Unknown::As(None), "cat > one-hot"));
    features.extend(one_hot(&mut graph, wires[3], region, Unknown::Error, "cat > one-hot"));
    features.extend(one_hot(&mut graph, wires[4], rooms, Unknown::As(None), "cat > one-hot"));
    features.extend(one_hot(&mut graph, wires[5], grade, Unknown::As(None), "cat > one-hot"));
    features.push(wires[6]);
    let output = classifier(&mut graph, &features, strings(&["approved", "rejected"]), "clf");
    let outline = ["prep: ColumnTransformer", "  num: Pipeline", "  cat: Pipeline", "clf: LogisticRegression"];
    settled(schema, graph, output, source("Pipeline", &outline))
}

/// Names made to break out of every file they are written into.
const HOSTILE: [&str; 16] = [
    "__proto__",
    "constructor",
    "toString",
    "it's",
    "say \"hi\"",
    "`${alert(1)}`",
    "*/ alert(1); /*",
    "</script><script>alert(1)</script>",
    "line\nbreak\r\u{2028}\u{2029}",
    "back\\slash",
    "| [link](javascript:alert(1)) <img src=x onerror=alert(1)>",
    "@deprecated {@link x}",
    "\u{202e}evil",
    "年齢 größe 😀",
    "",
    "]]>-->",
];

fn hostile() -> Model {
    let mut columns: Vec<Column> = HOSTILE.map(|name| column(name, ColumnKind::Number)).to_vec();
    columns[3].kind = ColumnKind::Category(strings(&HOSTILE));
    columns[4].range = Some((-1e-9, 1e300));
    let (schema, mut graph, wires) = start(columns);
    let mut features = one_hot(&mut graph, wires[3], strings(&HOSTILE), Unknown::Error, HOSTILE[6]);
    features.extend(wires.iter().enumerate().filter(|(place, _)| *place != 3).map(|(_, &wire)| wire));
    let output = classifier(&mut graph, &features, strings(&HOSTILE), HOSTILE[7]);
    let mut model = settled(schema, graph, output, source(HOSTILE[6], &HOSTILE));
    model.source.version = HOSTILE[8].to_string();
    model
}

/// One column, which may be missing, and one value.
fn single() -> Model {
    let (schema, mut graph, wires) = start(vec![column("x0", ColumnKind::Number)]);
    let fill = Op::Impute { missing: Marker::Nan, fill: vec![Cell::Float(1.0)] };
    let filled = graph.push(fill, wires, "SimpleImputer").unwrap();
    let values = affine(&mut graph, &filled, 1, "LinearRegression");
    let mut model = settled(schema, graph, Output::Regression { values, names: Vec::new() }, source("Pipeline", &[]));
    model.schema.names_from = NamesFrom::Invented;
    model
}

/// Two numbers in, of which one may be infinite; two targets out.
fn targets() -> Model {
    let (schema, mut graph, wires) = start(vec![column("a", ColumnKind::Number), column("b", ColumnKind::Number)]);
    let clipped = graph.push(Op::Clip { low: -1.0, high: 1.0 }, vec![wires[0]], "clip").unwrap();
    let values = affine(&mut graph, &[clipped[0], wires[1]], 2, "LinearRegression");
    let mut model = settled(
        schema,
        graph,
        Output::Regression { values, names: names(&["low", "high"]) },
        source("LinearRegression", &[]),
    );
    model.schema.columns[0].infinite = true;
    model
}

/// A classification by decision function alone, and a regression.
fn several() -> Model {
    let (schema, mut graph, wires) = start(vec![column("a", ColumnKind::Number), column("on", ColumnKind::Boolean)]);
    let score = affine(&mut graph, &wires, 1, "LinearSVC");
    let label = graph.push_one(Op::Above { threshold: 0.0 }, score.clone(), "LinearSVC").unwrap();
    let classes = vec![Cell::Bool(false), Cell::Bool(true)];
    let first = Output::Classification { classes, label, probabilities: None, scores: Some(score) };
    let second = Output::Regression { values: affine(&mut graph, &wires, 1, "Ridge"), names: Vec::new() };
    let classes = vec![Cell::Int(-1), Cell::Int(0), Cell::Int(7)];
    let third = classifier(&mut graph, &wires, classes, "LogisticRegression");
    settled(schema, graph, Output::Several(vec![first, second, third]), source("MultiOutputClassifier", &[]))
}

fn anomaly() -> Model {
    let (schema, mut graph, wires) = start(vec![column("a", ColumnKind::Number), column("b", ColumnKind::Number)]);
    let score = affine(&mut graph, &wires, 1, "IsolationForest")[0];
    let outlier = graph.push_one(Op::Below { threshold: 0.0 }, vec![score], "IsolationForest").unwrap();
    settled(schema, graph, Output::Anomaly { outlier, score, samples: None }, source("IsolationForest", &[]))
}

fn clusters() -> Model {
    let (schema, mut graph, wires) = start(vec![column("a", ColumnKind::Number), column("b", ColumnKind::Number)]);
    let centers = Matrix::new(3, 2, vec![0.0, 0.0, 3.0, 4.0, -6.0, 8.0]).unwrap();
    let distances = graph.push(Op::Distances { centers, squared: false }, wires, "KMeans").unwrap();
    let cluster = graph.push_one(Op::Argmin, distances.clone(), "KMeans").unwrap();
    let labels = (0..3).map(Cell::Int).collect();
    settled(schema, graph, Output::Clustering { cluster, labels, distances: Some(distances) }, source("KMeans", &[]))
}

fn transform() -> Model {
    let (schema, mut graph, wires) = start(vec![column("a", ColumnKind::Number), column("b", ColumnKind::Number)]);
    let scale = Op::Standardize { mean: Some(vec![1.0, 2.0]), scale: Some(vec![2.0, 4.0]) };
    let values = graph.push(scale, wires, "StandardScaler").unwrap();
    settled(schema, graph, Output::Transform { values, names: names(&["a", "b"]) }, source("StandardScaler", &[]))
}

/// Strings pass through, and missing ones are filled in with one that is no category.
fn strings_out() -> Model {
    let colors = strings(&["red", "green"]);
    let (schema, mut graph, wires) =
        start(vec![column("color", ColumnKind::Category(colors)), column("size", ColumnKind::Number)]);
    let fill = Op::Impute { missing: Marker::Nan, fill: strings(&["(none)"]) };
    let color = graph.push_one(fill, vec![wires[0]], "SimpleImputer").unwrap();
    let output = Output::Transform { values: vec![wires[1], color], names: names(&["size", "color"]) };
    settled(schema, graph, output, source("ColumnTransformer", &[]))
}

/// One tree over two numbers: refuses what is infinite as f32.
fn tree() -> Model {
    let (schema, graph, wires) = start(vec![column("a", ColumnKind::Number), column("b", ColumnKind::Number)]);
    of_trees(schema, graph, wires)
}

/// A tree of a column that goes through another step, one that does not, and one that holds no numbers.
fn scaled() -> Model {
    let kinds = [("a", ColumnKind::Number), ("b", ColumnKind::Number), ("c", ColumnKind::Boolean)];
    let (schema, mut graph, wires) = start(kinds.map(|(name, kind)| column(name, kind)).to_vec());
    let scaled = graph.push_one(Op::Linear { scale: vec![4.0], offset: vec![0.0] }, vec![wires[1]], "scale").unwrap();
    of_trees(schema, graph, vec![wires[0], scaled, wires[2]])
}

/// A tree of as many columns as tables go to the wasm of.
fn floats() -> Model {
    let columns = (0..8).map(|number| column(&format!("x{number}"), ColumnKind::Number)).collect();
    let (schema, graph, wires) = start(columns);
    of_trees(schema, graph, wires)
}

fn of_trees(schema: Schema, mut graph: Graph, wires: Vec<Wire>) -> Model {
    let split =
        |feature, left, right| Node::Split { feature, test: Test::LessEqual(0.5), missing_left: false, left, right };
    let ensemble = Ensemble {
        compare: Width::F32,
        sum: Width::F64,
        features: wires.len() as u32,
        base: vec![0.0],
        sets: Vec::new(),
        trees: vec![Tree {
            nodes: vec![split(0, 1, 2), split(1, 3, 4), Node::Leaf(0), Node::Leaf(1), Node::Leaf(2)],
            leaves: Leaves::Vector(vec![10.0, 20.0, 30.0]),
        }],
        aggregate: Aggregate::Sum,
        missing: false,
        infinite: false,
    };
    let values = graph.push(Op::Trees(ensemble), wires, "DecisionTreeRegressor").unwrap();
    settled(schema, graph, Output::Regression { values, names: Vec::new() }, source("DecisionTreeRegressor", &[]))
}

/// Words and pairs of them, weighed.
fn vectorizer() -> Vectorizer {
    let terms = ["good", "naïve", "not", "not good", "ὀδυσσεύς"];
    Vectorizer {
        lowercase: true,
        accents: None,
        analyzer: Analyzer::Words { token: Token::default(), stop_words: vec!["the".to_string()] },
        ngrams: (1, 2),
        terms: Terms::Vocabulary(terms.iter().map(|term| term.to_string()).zip(0..).collect()),
        width: 5,
        binary: false,
        weighting: Weighting { idf: Some(vec![1.0, 2.0, 1.0, 4.0, 8.0]), norm: None, sublinear: false },
    }
}

/// One column of texts, whose terms' weights are summed.
fn text() -> Model {
    let (schema, mut graph, wires) = start(vec![column("text", ColumnKind::Text)]);
    let op = Op::Vectorize { vectorizer: Arc::new(vectorizer()), linear: None };
    let terms = graph.push(op, wires, "TfidfVectorizer").unwrap();
    let coef = Matrix::new(1, 5, vec![1.0; 5]).unwrap();
    let values = graph.push(Op::Affine { coef, intercept: vec![0.5] }, terms, "Ridge").unwrap();
    settled(schema, graph, Output::Regression { values, names: Vec::new() }, source("Pipeline", &[]))
}

/// A text and a number: the columns of terms as they are, and a category by both.
fn review() -> Model {
    let (schema, mut graph, wires) =
        start(vec![column("stars", ColumnKind::Number), column("the review", ColumnKind::Text)]);
    let op = Op::Vectorize { vectorizer: Arc::new(vectorizer()), linear: None };
    let mut features = graph.push(op, vec![wires[1]], "CountVectorizer").unwrap();
    features.push(wires[0]);
    let output = classifier(&mut graph, &features, strings(&["bad", "good", "odd"]), "LogisticRegression");
    settled(schema, graph, output, source("Pipeline", &[]))
}

/// Categories without names, beside numbers and categories that have them.
fn codes() -> Model {
    let mut size = column("size", ColumnKind::Number);
    size.range = Some((0.0, 10.0));
    let color = strings(&["red", "blue"]);
    let (schema, mut graph, wires) = start(vec![
        size,
        column("town", ColumnKind::Code(5)),
        column("street", ColumnKind::Code(0)),
        column("color", ColumnKind::Category(color.clone())),
    ]);
    let mut features = one_hot(&mut graph, wires[3], color, Unknown::As(None), "one-hot");
    features.extend(&wires[..3]);
    let values = affine(&mut graph, &features, 1, "LinearRegression");
    settled(schema, graph, Output::Regression { values, names: Vec::new() }, source("Pipeline", &[]))
}

/// Categories as CatBoost has them: whole numbers as their digits, lists that may lack some.
fn digits() -> Model {
    let zip = strings(&["1000", "1001"]);
    let (color, shade) = (strings(&["red", "blue"]), strings(&["dark"]));
    let (schema, mut graph, wires) = start(vec![
        column("zip", ColumnKind::Category(zip.clone())),
        column("color", ColumnKind::Category(color.clone())),
        column("shade", ColumnKind::Category(shade.clone())),
        column("street", ColumnKind::Text),
        column("size", ColumnKind::Number),
    ]);
    let mut features = vec![wires[4], graph.push_one(Op::CategoryHash, vec![wires[3]], "CatBoost").unwrap()];
    for (wire, keys) in wires.iter().zip([zip, color, shade]) {
        features.extend(one_hot(&mut graph, *wire, keys, Unknown::As(None), "CatBoost"));
    }
    let values = affine(&mut graph, &features, 1, "CatBoost");
    let mut model = settled(schema, graph, Output::Regression { values, names: Vec::new() }, source("CatBoost", &[]));
    for (column, (digits, partial)) in
        model.schema.columns.iter_mut().zip([(true, false), (true, true), (false, true), (true, false)])
    {
        (column.digits, column.partial, column.missing) = (digits, partial, false);
    }
    model
}

fn models() -> Vec<(&'static str, Model)> {
    vec![
        ("linear", linear()),
        ("mixed", mixed()),
        ("hostile", hostile()),
        ("single", single()),
        ("targets", targets()),
        ("several", several()),
        ("anomaly", anomaly()),
        ("clusters", clusters()),
        ("transform", transform()),
        ("tree", tree()),
        ("scaled", scaled()),
        ("floats", floats()),
        ("strings", strings_out()),
        ("text", text()),
        ("review", review()),
        ("codes", codes()),
        ("digits", digits()),
    ]
}

fn lowered(model: &Model) -> Lowered {
    lower(model, Want::Package).unwrap()
}

fn packed(name: &str, model: &Model) -> Vec<package::File> {
    package::pack(model, &lowered(model), package::runtime().unwrap(), &Options::new(name)).unwrap()
}

fn packages() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages")
}

#[test]
fn written_as_in_the_snapshots() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/package");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut stale = Vec::new();
    for (name, model) in models() {
        let files = packed(name, &model);
        package::write(&packages().join(name), &files, false).unwrap();
        let wasm = files.iter().find(|file| file.name == "model.wasm").unwrap();
        let integrity = package::integrity(&wasm.bytes);
        for file in
            files.iter().filter(|file| ["index.js", "index.d.ts", "schema.json", "README.md"].contains(&file.name))
        {
            // The sizes and the version change with every build of the runtime and release.
            let text = String::from_utf8(file.bytes.clone()).unwrap();
            let text: Vec<&str> = text
                .lines()
                .filter(|line| !line.starts_with("| model.wasm") && !line.starts_with("| index.js"))
                .collect();
            let text = text.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION") + "\n";
            let text = text.replace(&integrity, "sha384-INTEGRITY");
            let id =
                text.split_once("wasm.open(").and_then(|(_, rest)| rest.split_once(')')).map_or("", |(id, _)| id);
            let text = text.replace(&format!("wasm.open({id})"), "wasm.open(ID)");
            let path = snapshots.join(name).join(file.name);
            if fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
                continue;
            }
            if update {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, text).unwrap();
            } else {
                stale.push(format!("{name}/{}", file.name));
            }
        }
    }
    assert!(
        stale.is_empty(),
        "not as in tests/snapshots/package: {stale:?}; UPDATE_SNAPSHOTS=1 accepts the new text"
    );
}

/// More columns than the card writes out: its row is one of the self-test. `tests/node/` runs the code.
#[test]
fn the_card_of_many_columns_takes_a_row_of_the_self_test() {
    let names: Vec<String> = (0..61).map(|place| format!("x{place}")).collect();
    let (schema, mut graph, wires) = start(names.iter().map(|name| column(name, ColumnKind::Number)).collect());
    let values = affine(&mut graph, &wires, 1, "Ridge");
    let output = Output::Regression { values, names: Vec::new() };
    let files = packed("wide", &settled(schema, graph, output, source("Ridge", &[])));
    package::write(&packages().join("wide"), &files, false).unwrap();
    let card = files.iter().find(|file| file.name == "README.md").unwrap();
    assert!(String::from_utf8_lossy(&card.bytes).contains("\nconst row = tests.cases[0].row;\n"));
}

/// Fields of so many columns are not written out (`MOST_WRITTEN_OUT`); tests/node/package.test.mjs predicts with it.
#[test]
fn a_package_of_very_many_columns() {
    let names: Vec<String> = (0..300).map(|place| format!("x{place}")).collect();
    let (schema, mut graph, wires) = start(names.iter().map(|name| column(name, ColumnKind::Number)).collect());
    let fill = Op::Impute { missing: Marker::Nan, fill: vec![Cell::Float(0.5); wires.len()] };
    let filled = graph.push(fill, wires, "SimpleImputer").unwrap();
    let values = affine(&mut graph, &filled, 1, "Ridge");
    let output = Output::Regression { values, names: Vec::new() };
    let files = packed("very-wide", &settled(schema, graph, output, source("Ridge", &[])));
    package::write(&packages().join("very-wide"), &files, false).unwrap();
    let index = files.iter().find(|file| file.name == "index.js").unwrap();
    assert!(!String::from_utf8_lossy(&index.bytes).contains("row.x299"));
}

/// The functions of the linked model, by name.
fn functions(model: &Model) -> Vec<String> {
    let lowered = lowered(model);
    let wasm = package::link(
        package::runtime().unwrap(),
        &lowered.image,
        &lowered.kernels,
        false,
        &[],
        package::Names::Keep,
    )
    .unwrap();
    package::functions(&wasm).unwrap()
}

#[test]
fn a_package_holds_only_the_kernels_in_use() {
    for (name, model) in models() {
        let used: Vec<String> = lowered(&model)
            .kernels
            .iter()
            .flat_map(|k| [format!("kernel_{}", k.name()), format!("check_{}", k.name())])
            .collect();
        let functions = functions(&model);
        println!("{name}: {functions:#?}");
        let kernels: Vec<&String> =
            functions.iter().filter(|f| f.starts_with("kernel_") || f.starts_with("check_")).collect();
        assert!(kernels.iter().all(|kernel| used.contains(kernel)), "{name}: {kernels:?}");
        let run = kernels.iter().filter(|kernel| kernel.starts_with("kernel_")).count();
        assert!(run > 0 && run <= used.len() / 2, "{name}: {kernels:?}");
    }
    let (tree, linear) = (functions(&tree()), functions(&linear()));
    assert!(tree.iter().any(|name| name == "kernel_trees32") && !tree.iter().any(|name| name.contains("affine")));
    assert!(linear.iter().any(|name| name == "kernel_affine") && !linear.iter().any(|name| name.contains("trees")));
}

/// `tests/node/corpus.test.mjs` replays these against the outputs that the original libraries recorded.
#[test]
fn the_corpus_is_packed() {
    let Some(corpus) = common::corpus() else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    let (mut count, mut largest) = (0, (0, 0.0, String::new()));
    for set in ["sklearn-1.1.3", "sklearn-1.5.2", "sklearn-1.9.1"] {
        let _ = fs::remove_dir_all(folder.join(set));
        for case in common::Case::all(corpus.join(set)) {
            let bytes = fs::read(case.path.join("model.pkl")).unwrap();
            let start = std::time::Instant::now();
            // Names only: a frame's category lists may be in the rows alone.
            let options = carryout::Options { features: case.options().features, ..Default::default() };
            let Ok(model) = carryout::import::import(&bytes, &options) else { continue };
            let name = case.path.file_name().unwrap().to_str().unwrap();
            let files = packed(name, &model);
            package::write(&folder.join(&case.id), &files, false).unwrap();
            if bytes.len() > largest.0 {
                largest = (bytes.len(), start.elapsed().as_secs_f64(), case.id.clone());
            }
            count += 1;
        }
    }
    let (bytes, seconds, case) = largest;
    println!("{count} cases packed; the largest, {case} of {bytes} bytes, in {seconds:.3} s");
    assert!(count > 0);
}

/// The same for some of the project's own fixtures, beside which every clone has their oracles: ONNX, and XGBoost for the
/// numbers that packages give as f32.
#[test]
fn fixtures_are_packed() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures");
    for (set, version) in [("onnx", ""), ("xgboost", "-3.2.0")] {
        let _ = fs::remove_dir_all(folder.join(set));
        for case in common::Case::all(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(set)) {
            if case.id.ends_with(version) {
                let model = carryout::import(&fs::read(&case.models()[0]).unwrap(), &case.options()).unwrap();
                package::write(&folder.join(&case.id), &packed("model", &model), false).unwrap();
            }
        }
    }
}

/// `tests/node/package.test.mjs` has the same of the package.
#[test]
fn a_number_beyond_float32_is_refused_with_its_column() {
    let model = scaled();
    let mut predictor = Predictor::new("scaled", &model, Want::Package).unwrap();
    let mut error = |row: serde_json::Value| predictor.predict(&row).unwrap_err().to_string();
    let large = "\"a\": expected a number, got the number 1e+39, too large for float32";
    assert_eq!(error(serde_json::json!({ "a": 1e39, "b": 0, "c": true })), large);
    let flag = "\"c\": expected true or false, got the number 2";
    assert_eq!(error(serde_json::json!({ "a": 0, "b": 0, "c": 2 })), flag);
    let step = "a value is outside what DecisionTreeRegressor accepts";
    assert_eq!(error(serde_json::json!({ "a": 0, "b": 1e38, "c": true })), step);
}

#[test]
fn a_packed_folder_reads_back_as_it_was_written() {
    for (name, model) in models() {
        let folder = packages().join(format!("../read-back/{name}"));
        package::write(&folder, &packed(name, &model), false).unwrap();
        let packed = package::open(&folder).unwrap();
        let lowered = lowered(&model);
        assert_eq!(packed.image, lowered.image);
        assert_eq!(packed.manifest.schema, model.schema, "{name}");
        assert_eq!(packed.manifest.source, model.source);
        assert_eq!(packed.manifest.results, lowered.results);
        assert_eq!(packed.manifest.encodings, lowered.columns);
        assert_eq!(packed.manifest.paths, lowered.paths);
    }
}

#[test]
fn a_folder_of_two_models_is_refused() {
    let folder = packages().join("../read-back-two");
    package::write(&folder, &packed("linear", &linear()), false).unwrap();
    let mixed = packed("mixed", &mixed());
    let wasm = mixed.iter().find(|file| file.name == "model.wasm").unwrap();
    fs::write(folder.join("model.wasm"), &wasm.bytes).unwrap();
    let error = package::open(&folder).unwrap_err();
    assert_eq!(error.to_string(), "manifest.json: 8 columns in the image, but 4 are expected");
    // Of the same shape.
    let other = packed("other", &linear());
    let wasm = other.iter().find(|file| file.name == "model.wasm").unwrap();
    fs::write(folder.join("model.wasm"), &wasm.bytes).unwrap();
    let error = package::open(&folder).unwrap_err();
    assert_eq!(error.to_string(), "manifest.json: not of the same package as model.wasm, or changed since");
}

#[track_caller]
fn refused(model: &Model, message: &str) {
    let lowered = lowered(model);
    let error = package::pack(model, &lowered, package::runtime().unwrap(), &Options::new("name")).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn what_has_no_form_in_javascript_is_refused() {
    let mut twins = linear();
    twins.schema.columns[1].name = "sepal_length".to_string();
    refused(&twins, "column \"sepal_length\": two columns of one name");
    let mut endless = linear();
    let Output::Classification { classes, .. } = &mut endless.output else { unreachable!() };
    classes[0] = Cell::Float(f64::INFINITY);
    refused(&endless, "the value inf as a category or class");
    let lowered = lowered(&linear());
    let name = Options::new("No Name");
    let error = package::pack(&linear(), &lowered, package::runtime().unwrap(), &name).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "\"No Name\" is not a name that npm takes\nLower-case letters, digits, - and _ make one, for example --name no-name."
    );
}

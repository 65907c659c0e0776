//! XGBoost files that are damaged, hostile or large. What sound ones predict is in tests/fixtures.rs and
//! tests/corpus.rs.

mod common;

use carryout::lower::{Want, lower};
use carryout::model::{Cell, ColumnKind};
use carryout::{Error, Kind, Options, import};
use common::Random;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/xgboost").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

fn read(bytes: &[u8]) -> Result<carryout::model::Model, Error> {
    import(bytes, &Options::default())
}

/// The error of the fixture after one replacement.
#[track_caller]
fn fails(name: &str, from: &str, to: &str, error: &str) {
    let sound = text(name);
    assert!(sound.contains(from), "{name} has no {from}");
    let found = read(sound.replacen(from, to, 1).as_bytes()).unwrap_err();
    assert_eq!(found.to_string(), error);
}

const MODEL: &str = "reg-gamma-3.2.0/model.json";

#[test]
fn damage_is_named_with_its_place() {
    let name = MODEL;
    let sound = text(name);
    let cut = |at: usize| read(&sound.as_bytes()[..at]).unwrap_err().to_string();
    assert!(
        cut(sound.len() - 1).ends_with("the file ends where a comma or '}' is expected"),
        "{}",
        cut(sound.len() - 1)
    );
    assert!(cut(sound.len() / 2).contains("byte "), "{}", cut(sound.len() / 2));
    let trailing = read(format!("{sound} []").as_bytes()).unwrap_err().to_string();
    assert!(trailing.ends_with("2 bytes after the end"), "{trailing}");

    let list = |key: &str| {
        let start = sound.find(&format!("\"{key}\":[")).unwrap();
        let end = start + sound[start..].find(']').unwrap() + 1;
        sound[start..end].to_string()
    };
    let left = list("left_children");
    let shorter = format!("{}]", &left[..left.rfind(',').unwrap()]);
    let nodes = left.matches(',').count() + 1;
    fails(
        name,
        &left,
        &shorter,
        &format!("tree 0: {nodes} in right_children, but left_children has {} nodes", nodes - 1),
    );
    fails(
        name,
        "\"left_children\":[1,",
        "\"left_children\":[0,",
        "tree 0, node 0: child 0 has two parents or is a cycle",
    );
    fails(
        name,
        "\"left_children\":[1,",
        "\"left_children\":[700,",
        &format!("tree 0, node 0: child 700, but the tree has {nodes} nodes"),
    );
    fails(
        name,
        "\"left_children\":[1,",
        "\"left_children\":[-5,",
        &format!("tree 0, node 0: child -5, but the tree has {nodes} nodes"),
    );
    fails(name, "\"tree_info\":[0,", "\"tree_info\":[4,", "tree 0, tree_info: output 4 of 1");
    fails(name, "\"tree_info\":[0,", "\"tree_info\":[", "tree_info: 3 entries for 4 trees");
    fails(
        name,
        "\"num_feature\":\"4\",\"num_target\"",
        "\"num_feature\":\"1\",\"num_target\"",
        "tree 0: feature 1, but there are 1",
    );
    fails(
        name,
        "\"num_class\":\"0\"",
        "\"num_class\":\"70000\"",
        "70000 classes or targets; at most 65536 are supported",
    );
    fails(name, "reg:gamma", "reg:delta", "Booster: the objective \"reg:delta\" is not supported");
    fails(name, "\"name\":\"gbtree\"", "\"name\":\"gbforest\"", "the booster \"gbforest\" is not supported");
    let score = sound.find("\"base_score\":\"").unwrap() + 14;
    let score = &sound[score..score + sound[score..].find('"').unwrap()];
    fails(name, score, "-1", "Booster: base_score -1 is outside the objective's range");
    fails(name, score, "[1,2]", "2 base scores for 1 outputs");
    fails(name, score, "one", "base_score: \"one\" where numbers are expected");

    let dump = read(b"{\"learner\": 3}").unwrap_err();
    assert_eq!(dump.to_string(), "byte 13: the number Text(\"3\") where an object is expected");
    let twice = read(b"{\"learner\": {}, \"learner\": {}}").unwrap_err();
    assert_eq!(twice.to_string(), "byte 26: 'learner' stands twice");
}

#[test]
fn damage_of_categories() {
    let name = "codes-partition-3.2.0/model.json";
    fails(
        name,
        "\"categories_nodes\":[0",
        "\"categories_nodes\":[1",
        "tree 0, node 0: a categorical split without categories",
    );
    let sound = text(name);
    let start = sound.find("\"categories_sizes\":[").unwrap() + 20;
    let size = &sound[start..start + sound[start..].find([',', ']']).unwrap()];
    let error = read(
        sound.replacen(&format!("\"categories_sizes\":[{size}"), "\"categories_sizes\":[4000000000", 1).as_bytes(),
    );
    assert!(error.unwrap_err().to_string().contains("tree 0, node 0: categories 0 to 0 + 4000000000 of"));
    let start = sound.find("\"categories\":[").unwrap() + 14;
    let first = &sound[start..start + sound[start..].find(',').unwrap()];
    for wrong in ["-1", "16777216"] {
        fails(
            name,
            &format!("\"categories\":[{first},"),
            &format!("\"categories\":[{wrong},"),
            &format!("tree 0, node 0: category {wrong}"),
        );
    }
    // Equal sets are stored once, but looking at a huge one again and again is work.
    let mut nodes = String::new();
    for _ in 0..200 {
        nodes.push_str("{\"left_children\":[1,-1,-1],\"right_children\":[2,-1,-1],\"split_indices\":[0,0,0],\"split_conditions\":[0,0,0],\"default_left\":[0,0,0],\"split_type\":[1,0,0],\"categories\":[16777215],\"categories_nodes\":[0],\"categories_segments\":[0],\"categories_sizes\":[1],\"tree_param\":{\"num_nodes\":\"3\",\"size_leaf_vector\":\"1\"}},");
    }
    nodes.pop();
    let file = format!("{{\"learner\":{{\"gradient_booster\":{{\"model\":{{\"trees\":[{nodes}]}}}}}}}}");
    let error = read(file.as_bytes()).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Limit, "the categorical splits take more than 32 MB"));
}

/// XGBoost 3.1 to 3.3 damage names that are not ASCII: they are asked for, never guessed.
#[test]
fn damaged_category_names_are_asked_for() {
    let bytes = fixture("categories-damaged-3.2.0/model.pkl");
    let error = read(&bytes).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert_eq!(
        error.message(),
        "the 7 categories of \"town\" cannot be told from the file: XGBoost 3.2 damages names that are not ASCII"
    );
    assert!(error.remedy_text().unwrap().contains("--categories"));
}

/// Before 3.1 a file has no names of categories: the column takes codes and says how many the splits name, or names that
/// the caller gives.
#[test]
fn categories_without_names_are_codes() {
    let kind = |bytes: &[u8], categories: &[(&str, Vec<Cell>)], column: usize| {
        let categories = categories.iter().map(|(name, list)| (name.to_string(), list.clone())).collect();
        let options = Options { categories, ..Options::default() };
        import(bytes, &options).unwrap().schema.columns[column].kind.clone()
    };
    let frame = fixture("categories-partition-1.7.6/model.pkl");
    assert_eq!(kind(&frame, &[], 1), ColumnKind::Code(6));
    assert_eq!(kind(&frame, &[], 2), ColumnKind::Code(3));
    assert_eq!(kind(&frame, &[], 3), ColumnKind::Integer);
    let sizes: Vec<Cell> = ["S", "M", "L"].map(|size| Cell::Str(size.into())).to_vec();
    assert_eq!(kind(&frame, &[("size", sizes.clone())], 2), ColumnKind::Category(sizes));
    for (name, count) in [("codes-partition-1.6.2/model.json", 40), ("codes-one-hot-2.1.4/model.ubj", 39)] {
        assert_eq!(kind(&fixture(name), &[], 0), ColumnKind::Code(count), "{name}");
    }
}

#[test]
fn old_binary_files_are_refused_with_the_way_out() {
    // As save_model("model.bin") of 1.7 begins: 136 bytes of parameters, then names with their lengths.
    let mut bytes = vec![0u8; 136];
    for name in ["reg:squarederror", "gbtree"] {
        bytes.extend((name.len() as u64).to_le_bytes());
        bytes.extend(name.bytes());
    }
    bytes.extend([0; 64]);
    for bytes in [&bytes[..], b"binf\0\0\0?\x04", b"bs64\tYWJj", b"CONFIG-offset:\x08\0\0\0\0\0\0\0"] {
        let error = read(bytes).unwrap_err();
        assert!(error.message().contains("old binary format"), "{error}");
        assert!(error.remedy_text().unwrap().contains("b.save_model(\"new.json\")"));
    }
    let pickled = read(&fixture("../xgboost-refused/pickle-1.2.1.pkl")).unwrap_err();
    assert!(
        pickled.to_string().starts_with("XGBClassifier: this is an XGBoost model in its old binary format"),
        "{pickled}"
    );
}

/// UBJSON that promises more than it holds.
#[test]
fn lengths_are_not_believed() {
    for (bytes, error) in [
        (
            b"{L\x7f\xff\xff\xff\xff\xff\xff\xfflearner".as_slice(),
            "9223372036854775807 bytes are expected, but the file ends after 7",
        ),
        (b"{L\xff\xff\xff\xff\xff\xff\xff\xfflearner", "the length -1"),
        (
            b"{i\x07learner[$d#L\0\0\0\xff\xff\xff\xff\xff",
            "an array of 1099511627775 elements with 0 bytes left in the file",
        ),
        (b"{i\x07learner[$Z#L\0\0\0\xff\xff\xff\xff\xff", "an array of type 'Z'"),
        (b"{i\x07learner[$[#i\x01", "an array of type '['"),
        (b"{i\x07learner{#i\x01", "an object with a count, which XGBoost does not write"),
        (b"{i\x07learner?", "the type '?'"),
    ] {
        let found = read(bytes).unwrap_err().to_string();
        assert!(found.ends_with(error), "{found} instead of {error}");
    }
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{{\"learner\": {}1{}}}", open.repeat(100_000), close.repeat(100_000));
        let error = read(deep.as_bytes()).unwrap_err();
        assert!([Kind::Limit, Kind::Malformed].contains(&error.kind()), "{error}");
    }
    let deep = [b"{i\x05other".as_slice(), &b"[".repeat(100_000)].concat();
    let deep = [&deep[..], b"learner"].concat();
    assert_eq!(read(&[b"{i\x07learnerx".as_slice(), &deep].concat()).unwrap_err().kind(), Kind::Malformed);
}

/// Bytes changed, dropped and doubled, the same ones on every run: a model that runs or an error, nothing else.
#[test]
fn mutations_never_panic() {
    let names = [
        MODEL,
        "codes-partition-3.2.0/model.ubj",
        "categories-partition-file-3.2.0/model.json",
        "vector-leaves-file-3.2.0/model.ubj",
        "dart-classes-2.1.4/model.ubj",
        "gblinear-classes-1.7.6/model.json",
        "best-iteration-file-1.5.2/model.json",
    ];
    let mut draws = Random::default();
    let mut random = |limit| draws.below(limit);
    let (mut models, mut errors) = (0, 0);
    for name in names {
        let sound = fixture(name);
        for _ in 0..400 {
            let mut bytes = sound.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(6) {
                    0 => bytes[at] = random(256) as u8,
                    1 => bytes[at] ^= 1 << random(8),
                    2 => bytes[at] = b"0123456789-,.[]{}\"eLldiUSZTFN#$"[random(31)],
                    3 => bytes.truncate(at.max(1)),
                    4 => drop(bytes.drain(at..(at + random(9)).min(sound.len()).min(bytes.len()).max(at))),
                    _ => {
                        let copy = bytes[at..(at + random(40)).min(bytes.len())].to_vec();
                        let to = random(bytes.len());
                        bytes.splice(to..to, copy);
                    }
                }
            }
            match read(&bytes) {
                Ok(model) => {
                    let lowered = lower(&model, Want::Everything).unwrap();
                    let mut machine = carryout::runtime::host::Machine::open(&lowered.image).unwrap();
                    for (slot, value) in machine.slots_mut().iter_mut().take(lowered.columns.len()).enumerate() {
                        *value = slot as f64 - 1.0;
                    }
                    // A refused row is fine here.
                    let _ = machine.run(1);
                    models += 1;
                }
                Err(error) => {
                    assert!(!error.message().is_empty());
                    errors += 1;
                }
            }
        }
    }
    println!("{models} models, {errors} errors");
    assert!(models > 100 && errors > 1000, "{models} models, {errors} errors");
}

/// A file of XGBoost's shape, statistics included.
fn large(trees: usize, depth: u32) -> String {
    let leaves = 1usize << depth;
    let nodes = 2 * leaves - 1;
    let mut file = String::from(
        "{\"learner\":{\"attributes\":{},\"feature_names\":[],\"feature_types\":[],\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{\"num_parallel_tree\":\"1\",\"num_trees\":\"0\"},\"iteration_indptr\":[",
    );
    let list = |file: &mut String, count: usize, item: &mut dyn FnMut(&mut String, usize)| {
        for number in 0..count {
            if number > 0 {
                file.push(',');
            }
            item(file, number);
        }
    };
    list(&mut file, trees + 1, &mut |file, number| write!(file, "{number}").unwrap());
    file.push_str("],\"tree_info\":[");
    list(&mut file, trees, &mut |file, _| file.push('0'));
    file.push_str("],\"trees\":[");
    let mut state = 3u32;
    let mut random = move || {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let inner = |node: usize| node < leaves - 1;
    list(&mut file, trees, &mut |file, tree| {
        for key in ["base_weights", "loss_changes", "split_conditions", "sum_hessian"] {
            write!(file, "{}\"{key}\":[", if key == "base_weights" { "{" } else { "," }).unwrap();
            list(file, nodes, &mut |file, _| write!(file, "{:E}", random()).unwrap());
            file.push(']');
        }
        for (key, value) in [
            ("default_left", &(|node: usize| i64::from(node.is_multiple_of(2))) as &dyn Fn(usize) -> i64),
            ("left_children", &|node| if inner(node) { 2 * node as i64 + 1 } else { -1 }),
            ("right_children", &|node| if inner(node) { 2 * node as i64 + 2 } else { -1 }),
            ("parents", &|node| if node == 0 { i64::from(i32::MAX) } else { (node as i64 - 1) / 2 }),
            ("split_indices", &|node| if inner(node) { ((node * 7 + tree) % 30) as i64 } else { 0 }),
            ("split_type", &|_| 0),
        ] {
            write!(file, ",\"{key}\":[").unwrap();
            list(file, nodes, &mut |file, node| write!(file, "{}", value(node)).unwrap());
            file.push(']');
        }
        write!(file, ",\"categories\":[],\"categories_nodes\":[],\"categories_segments\":[],\"categories_sizes\":[],\"id\":{tree},\"tree_param\":{{\"num_deleted\":\"0\",\"num_feature\":\"30\",\"num_nodes\":\"{nodes}\",\"size_leaf_vector\":\"1\"}}}}").unwrap();
    });
    file.push_str("]},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"5E-1\",\"boost_from_average\":\"1\",\"num_class\":\"0\",\"num_feature\":\"30\",\"num_target\":\"1\"},\"objective\":{\"name\":\"binary:logistic\",\"reg_loss_param\":{\"scale_pos_weight\":\"1\"}}},\"version\":[2,1,4]}");
    file
}

/// 5000 trees with 50 leaves and more each are read and laid out within two seconds in a release build.
///
/// `CARRYOUT_LARGE=FILE cargo test --release --test xgboost large` also writes the file, for measuring the command's
/// memory: `/usr/bin/time -v carryout pack FILE -o DIR`.
#[test]
fn a_large_model_is_read_in_time() {
    // A debug build takes fifteen times as long.
    let file = large(if cfg!(debug_assertions) { 300 } else { 5000 }, 6);
    if let Some(path) = std::env::var_os("CARRYOUT_LARGE") {
        std::fs::write(PathBuf::from(path), &file).unwrap();
    }
    let start = Instant::now();
    let model = read(file.as_bytes()).unwrap();
    let read = start.elapsed();
    let lowered = lower(&model, Want::Package).unwrap();
    let all = start.elapsed();
    println!(
        "{} MB: read in {read:?}, laid out in {:?} as {} MB",
        file.len() >> 20,
        all - read,
        lowered.image.len() >> 20
    );
    if !cfg!(debug_assertions) {
        assert!(all.as_secs_f64() < 2.0, "{all:?}");
    }
}

/// Categories by the ten thousand take no quadratic time: 60 000 names, one split.
#[test]
fn many_categories_are_read_in_time() {
    let count = 60_000;
    let offsets: Vec<String> = (0..=count).map(|number| (number * 6).to_string()).collect();
    let bytes: Vec<String> =
        (0..count).flat_map(|number| format!("c{number:05}").into_bytes()).map(|byte| byte.to_string()).collect();
    let file = format!(
        "{{\"learner\":{{\"feature_names\":[\"town\"],\"feature_types\":[\"c\"],\"gradient_booster\":{{\"model\":{{\"cats\":{{\"enc\":[{{\"offsets\":[{}],\"values\":[{}]}}]}},\"tree_info\":[0],\"trees\":[{{\"left_children\":[1,-1,-1],\"right_children\":[2,-1,-1],\"split_indices\":[0,0,0],\"split_conditions\":[0,1,2],\"default_left\":[0,0,0],\"split_type\":[1,0,0],\"categories\":[7,59999],\"categories_nodes\":[0],\"categories_segments\":[0],\"categories_sizes\":[2],\"tree_param\":{{\"num_nodes\":\"3\",\"size_leaf_vector\":\"1\"}}}}]}},\"name\":\"gbtree\"}},\"learner_model_param\":{{\"base_score\":\"0\",\"num_class\":\"0\",\"num_feature\":\"1\"}},\"objective\":{{\"name\":\"reg:squarederror\"}}}},\"version\":[3,2,0]}}",
        offsets.join(","),
        bytes.join(",")
    );
    let start = Instant::now();
    let model = read(file.as_bytes()).unwrap();
    let lowered = lower(&model, Want::Package).unwrap();
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    let mut machine = carryout::runtime::host::Machine::open(&lowered.image).unwrap();
    for (code, want) in [(0.0, 1.0), (7.0, 2.0), (59_998.0, 1.0), (59_999.0, 2.0), (f64::NAN, 2.0)] {
        machine.slots_mut()[0] = code;
        machine.run(1).unwrap();
        let carryout::lower::Results::Regression { values, .. } = &lowered.results else { unreachable!() };
        assert_eq!(machine.slots()[values.first as usize], want, "code {code}");
    }
}

/// What `inspect` says of a booster: where early stopping left trees out, how many.
#[test]
fn outlines() {
    let outline = |name: &str| read(&fixture(name)).unwrap().source.outline;
    assert_eq!(outline("gblinear-2.1.4/model.json"), ["gblinear, reg:squarederror"]);
    let booster = outline("best-iteration-booster-3.2.0/model.json");
    let file = outline("best-iteration-file-3.2.0/model.json");
    assert!(booster[0].starts_with("gbtree, binary:logistic, ") && !booster[0].contains("best"), "{booster:?}");
    assert!(file[0].starts_with("gbtree, binary:logistic, the best "), "{file:?}");
    let wrapper = outline("dart-wrapper-1.7.6/model.pkl");
    assert_eq!(wrapper, ["XGBRegressor", "  dart, reg:squarederror, 4 trees"]);
}

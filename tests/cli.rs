//! The command as a person meets it: exact text, exact exit codes.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs the command in the crate's folder.
fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_carryout"))
        .args(arguments)
        .current_dir(ROOT)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails before it reads closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn fails(arguments: &[&str], input: &str, code: i32, expected: &str) {
    let output = run(arguments, input);
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(text(&output.stdout), "");
    assert_eq!(output.status.code(), Some(code));
}

#[track_caller]
fn answers(arguments: &[&str], input: &str, expected: &str) {
    let output = run(arguments, input);
    assert_eq!((text(&output.stdout).as_str(), text(&output.stderr).as_str()), (expected, ""));
    assert_eq!(output.status.code(), Some(0));
}

/// A folder of its own for a test.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

const IRIS: &str = "examples/iris/model.joblib";
const HEADER: &str = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)";

#[test]
fn mistakes_on_the_command_line() {
    let output = run(&[], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("Usage: carryout"));
    let output = run(&["predict", IRIS, "-", "--limit", "colour=1"], "");
    assert_eq!(output.status.code(), Some(2));
    let first = "error: invalid value 'colour=1' for '--limit <NAME=COUNT>': there is no limit \"colour\"\n";
    assert!(text(&output.stderr).starts_with(first), "{}", text(&output.stderr));
    fails(
        &["predict", "-", "-"],
        "",
        2,
        "error: both the model and the rows are standard input\n  Give one of them as a file.\n",
    );
    fails(
        &["pack", IRIS, "-o", "target/tmp/never", "--name", "My Model"],
        "",
        2,
        "error: --name: \"My Model\" is not a name that npm takes\n  Lower-case letters, digits, - and _ make one, for \
         example --name my-model.\n",
    );
}

#[test]
fn mistakes_as_json() {
    for (arguments, message, remedy) in [
        (
            &["pack", "--json"][..],
            "the following required arguments were not provided: --output <DIR> <MODEL>",
            "Usage: carryout pack --output <DIR> --json <MODEL>\nFor more information, try '--help'.",
        ),
        (
            &["bogus", "--json"],
            "unrecognized subcommand 'bogus'",
            "Usage: carryout [OPTIONS] <COMMAND>\nFor more information, try '--help'.",
        ),
        (
            &["--json", "inspct", "x"],
            "unrecognized subcommand 'inspct'",
            "tip: a similar subcommand exists: 'inspect'\nUsage: carryout [OPTIONS] <COMMAND>\nFor more information, try \
             '--help'.",
        ),
        (
            &["predict", "-", "-", "--json"],
            "both the model and the rows are standard input",
            "Give one of them as a file.",
        ),
    ] {
        let output = run(arguments, "");
        let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        let expected = serde_json::json!({ "error": {
            "kind": "input", "place": [], "message": message, "remedy": remedy, "exit": 2,
        }});
        assert_eq!((error, text(&output.stdout).as_str(), output.status.code()), (expected, "", Some(2)));
    }
    let output = run(&["--json"], "");
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["exit"], 2);
    assert!(text(&run(&["--json", "--help"], "").stdout).contains("Usage: carryout"));
}

#[test]
fn help_has_examples_and_exit_codes() {
    let output = run(&["--help"], "");
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    for line in ["  0  done", "  1  verify found a difference", "  3  the model file is damaged"] {
        assert!(help.contains(line), "{line}");
    }
    for command in ["pack", "predict", "inspect", "verify", "demo"] {
        let help = text(&run(&[command, "--help"], "").stdout);
        assert!(help.contains(&format!("Examples:\n  carryout {command}")), "{command}: {help}");
    }
}

#[test]
fn files_that_are_no_models() {
    let folder = scratch("no-models");
    let file = |content: &str| {
        fs::write(folder.join("model.pkl"), content).unwrap();
        path(&folder, "model.pkl")
    };
    let name = file("");
    fails(
        &["inspect", &name],
        "",
        3,
        &format!(
            "error: {name}: the file is empty\n  Save the fitted model itself: joblib.dump(model, \"model.joblib\").\n"
        ),
    );
    file("version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
    fails(
        &["inspect", &name],
        "",
        3,
        &format!(
            "error: {name}: this is a git-lfs pointer, not a model file\n  The file was not downloaded, only its \
             placeholder: run `git lfs pull` in the repository.\n"
        ),
    );
    file("binf\0\0\0?");
    fails(
        &["inspect", &name],
        "",
        3,
        &format!(
            "error: {name}: this is an XGBoost model in its old binary format, which newer versions of XGBoost do \
             not read either\n  In Python, with an xgboost older than 3.1 that opens the file: import xgboost; b = \
             xgboost.Booster(); b.load_model(\"old.model\"); b.save_model(\"new.json\").\n"
        ),
    );
    fails(
        &["inspect", "nowhere.pkl"],
        "",
        5,
        "error: nowhere.pkl: no such file or directory\n  Check the path; it is taken from the current folder.\n",
    );
    fails(
        &["inspect", "nowhere.pkl", "--json"],
        "",
        5,
        "{\"error\":{\"kind\":\"io\",\"place\":[\"nowhere.pkl\"],\"message\":\"no such file or directory\",\
         \"remedy\":\"Check the path; it is taken from the current folder.\",\"exit\":5}}\n",
    );
}

#[test]
fn what_is_given_in_the_place_of_a_model() {
    let folder = scratch("no-package");
    let name = path(&folder, "");
    let none = format!(
        "error: {name}: no packed model here\n  Make one first: carryout pack model.joblib -o pkg/my-model\n"
    );
    for command in [&["inspect", &name][..], &["predict", &name, "-"]] {
        fails(command, "", 4, &none);
    }
    let rows = path(&folder, "rows.csv");
    fs::write(&rows, "a,b,y\n1,2,3\n").unwrap();
    fails(
        &["pack", &rows, "-o", &path(&folder, "pkg")],
        "",
        3,
        &format!(
            "error: {rows}: this is a table of text (CSV?), not a model file\n  Learn a model from it: carryout train \
             ROWS.csv --target COLUMN -o model.carry. To predict its rows the model comes first: carryout predict MODEL \
             ROWS.csv.\n"
        ),
    );
    let out = path(&folder, "out.json");
    let output = run(&["predict", IRIS, "-", "-o", &out], &format!("{HEADER}\n5.1,3.8,1.5,0.3\n"));
    assert_eq!(text(&output.stderr), format!("note: {out}: JSON lines, a prediction a line\n"));
}

#[test]
fn code_in_a_pickle_is_never_run_and_its_limits_can_be_raised() {
    let folder = scratch("unsafe");
    let marker = folder.join("ran");
    let name = path(&folder, "model.pkl");
    fs::write(folder.join("model.pkl"), format!("cos\nsystem\n(Vtouch {}\ntR.", marker.display())).unwrap();
    let output = run(&["inspect", &name, "--json"], "");
    assert_eq!(output.status.code(), Some(3));
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["kind"], "unsafe");
    assert!(error["error"]["message"].as_str().unwrap().contains("os.system"));
    assert!(!marker.exists());
    // Trusted, it is still only data, and no model.
    let output = run(&["inspect", &name, "--trust"], "");
    assert_eq!(output.status.code(), Some(3));
    assert!(!marker.exists());

    fails(
        &["inspect", IRIS, "--limit", "input_bytes=1K"],
        "",
        3,
        &format!(
            "error: {IRIS}: the file is larger than 1024 bytes (limit input_bytes)\n  If you trust this file, raise \
             it: --limit input_bytes=4G.\n"
        ),
    );
}

#[test]
fn csv_in_and_out() {
    let input = format!("id,{HEADER},label\n7,5.1,3.8,1.5,0.3,mine\n\"a,b\",5.8, 2.7,4.1,1.0,\n");
    answers(
        &["predict", IRIS, "-"],
        &input,
        &format!(
            "id,{HEADER},label,predicted_label,probability,probabilities.setosa,probabilities.versicolor,\
             probabilities.virginica,warnings\n\
             7,5.1,3.8,1.5,0.3,mine,setosa,1,1,0,0,\n\
             \"a,b\",5.8, 2.7,4.1,1.0,,versicolor,0.9973333333333334,0,0.9973333333333334,0.0026666666666666666,\n"
        ),
    );
}

#[test]
fn semicolons_and_a_byte_order_mark() {
    let input = format!("\u{feff}{}\n5.1;3.8;1.5;0.3\n", HEADER.replace(',', ";"));
    let output = run(&["predict", IRIS, "-", "--to", "jsonl"], &input);
    assert_eq!(
        text(&output.stdout),
        "{\"label\":\"setosa\",\"probability\":1,\"probabilities\":{\"setosa\":1,\"versicolor\":0,\"virginica\":0},\
         \"warnings\":[]}\n"
    );
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn json_lines_in_and_out() {
    answers(
        &["predict", "examples/wine/model.joblib", "-"],
        "[13.74,1.67,2.25,16.4,118,2.6,2.9,0.21,1.62,5.85,0.92,3.2,1060]\n\n",
        "{\"outlier\":false,\"score\":0.09394776237011948,\"warnings\":[]}\n",
    );
    answers(
        &["predict", IRIS, "-", "--from", "jsonl", "--to", "csv"],
        "{\"petal length (cm)\":1.5,\"sepal length (cm)\":5.1,\"sepal width (cm)\":3.8,\"petal width (cm)\":0.3}\n",
        &format!(
            "{HEADER},label,probability,probabilities.setosa,probabilities.versicolor,probabilities.virginica,warnings\n\
             5.1,3.8,1.5,0.3,setosa,1,1,0,0,\n"
        ),
    );
}

#[test]
fn rows_that_do_not_fit_end_the_work_after_the_rows_before() {
    let output =
        run(&["predict", IRIS, "-", "--to", "jsonl"], &format!("{HEADER}\n5.1,3.8,1.5,0.3\n1,2,x,4\n1,2,3,4\n"));
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(text(&output.stdout).lines().count(), 1);
    assert_eq!(
        text(&output.stderr),
        "error: standard input, row 2 below the header, \"petal length (cm)\": expected a number or null, got the string \"x\"\n"
    );
    fails(&["predict", IRIS, "-"], "[1,2,3]\n", 4, "error: standard input, line 1: expected 4 values, got 3\n");
    fails(
        &["predict", IRIS, "-"],
        "[1,2,3,\n",
        4,
        "error: standard input, line 1: not JSON: EOF while parsing a value, column 7\n  Write one row a line, as \
         JSON; `jq -c '.[]' FILE` turns a JSON list into such lines.\n",
    );
    fails(
        &["predict", IRIS, "-"],
        "a,b\n1,2\n",
        4,
        "error: standard input: none of the model's columns: \"sepal length (cm)\", \"sepal width (cm)\", \"petal \
         length (cm)\", \"petal width (cm)\"\n  The file has: \"a\", \"b\".\n",
    );
    let output = run(&["predict", IRIS, "-"], &format!("{HEADER}\n1,2\n"));
    assert_eq!(
        text(&output.stderr),
        "error: standard input, row 1 below the header: 2 fields, but the header has 4\n  A delimiter inside a field \
         needs quotes around the field; a row that was cut needs its rest.\n"
    );
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn blocks_are_seamless() {
    // 300 rows are two whole blocks and a part; the same row must answer the same wherever it stands.
    let input: String = (0..300).map(|n| format!("[{},3,{},1]\n", n % 7, n % 5)).collect();
    let output = run(&["predict", IRIS, "-"], &input);
    let lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 300);
    for n in 35..300 {
        assert_eq!(lines[n], lines[n - 35], "row {n}");
    }
    // A bad row in the third block: the rows before it are answered, and it is named.
    let output = run(&["predict", IRIS, "-"], &format!("{input}[1]\n"));
    assert_eq!(text(&output.stdout).lines().count(), 300);
    assert_eq!(text(&output.stderr), "error: standard input, line 301: expected 4 values, got 1\n");
    // The trees compare in float32, which does not hold 1e300.
    let output = run(&["predict", IRIS, "-"], &format!("{input}[1,2,1e300,4]\n[1,2,3,4]\n"));
    assert_eq!(text(&output.stdout).lines().count(), 300);
    assert_eq!(
        text(&output.stderr),
        "error: standard input, line 301, \"petal length (cm)\": expected a number or null, got the number 1e+300, too \
         large for float32\n"
    );
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn an_output_file_is_whole_or_absent() {
    let folder = scratch("output");
    let out = path(&folder, "out.jsonl");
    answers(&["predict", IRIS, "examples/iris/rows.csv", "-o", &out], "", "");
    assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 24);
    fs::remove_file(&out).unwrap();
    let output = run(&["predict", IRIS, "-", "-o", &out], "[1,2,3,4]\n[1]\n");
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let input: String = "[1,2,3,4]\n".repeat(200_000);
    let mut child = Command::new(env!("CARGO_BIN_EXE_carryout"))
        .args(["predict", IRIS, "-"])
        .current_dir(ROOT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(input.as_bytes());
    });
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    writer.join().unwrap();
    assert_eq!((errors.as_str(), child.wait().unwrap().code()), ("", Some(0)));
}

#[test]
fn examples_verify_and_a_wrong_expectation_does_not() {
    for example in ["iris", "diabetes", "wine", "topics"] {
        let file = |name: &str| format!("examples/{example}/{name}");
        let output = run(
            &[
                "verify",
                &file("model.joblib"),
                "--rows",
                &file("rows.csv"),
                "--expected",
                &file("expected.json"),
                "--json",
            ],
            "",
        );
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["same"], &report["rows"]), (&true.into(), &24.into()), "{example}: {report}");
        assert_eq!(report["not_compared"], serde_json::json!([]), "{example}");
        assert_eq!(output.status.code(), Some(0));
    }

    let folder = scratch("verify");
    let expected = path(&folder, "expected.json");
    let rows = path(&folder, "rows.jsonl");
    fs::write(&rows, "[5.1,3.8,1.5,0.3]\n[5.8,2.7,4.1,1.0]\n").unwrap();
    fs::write(&expected, r#"{"predict":["setosa","setosa"],"predict_proba":[[1,0,0],[0,1,0]],"other":[]}"#).unwrap();
    let output = run(&["verify", IRIS, "--rows", &rows, "--expected", &expected], "");
    assert_eq!(
        text(&output.stdout),
        "2 rows, tolerance 1e-9 + 1e-9 x |expected|\n\n  \
         output         values  worst error  relative  beyond  wrong labels\n  \
         predict        2       -            -         0       1\n  \
         predict_proba  6       2.67e-3      2.67e-3   2       0\n\n\
         predict: first difference in row 2: \"versicolor\", expected \"setosa\"\n\n\
         predict_proba: first difference in row 2: 0.9973333333333334, expected 1\n\n\
         not compared, this model answers no such thing: other\n\nDIFFERENT\n"
    );
    assert_eq!(output.status.code(), Some(1));
    // The tolerance counts for numbers and never for labels.
    let output = run(&["verify", IRIS, "--rows", &rows, "--expected", &expected, "--atol", "1"], "");
    assert_eq!(output.status.code(), Some(1));
    fs::write(&expected, r#"{"predict_proba":[[1,0,0],[0,1,0]]}"#).unwrap();
    let output = run(&["verify", IRIS, "--rows", &rows, "--expected", &expected, "--atol", "0.1"], "");
    assert_eq!(output.status.code(), Some(0));

    fs::write(&expected, r#"{"predict":["setosa"]}"#).unwrap();
    fails(
        &["verify", IRIS, "--rows", &rows, "--expected", &expected],
        "",
        4,
        &format!("error: {expected}, predict: 1 answer for 2 rows\n"),
    );
    fs::write(&expected, r#"{"margin":[1,2]}"#).unwrap();
    fails(
        &["verify", IRIS, "--rows", &rows, "--expected", &expected],
        "",
        4,
        &format!(
            "error: {expected}: nothing to compare: it holds margin\n  See `carryout verify --help` for what it may \
             hold.\n"
        ),
    );
}

/// What the self-test of a packed fixture reaches, and how many of its answers are the original's.
fn self_test(fixture: &str, original: bool) -> (serde_json::Value, usize, usize) {
    let output = path(&scratch(&format!("self-test/{fixture}")), "pkg");
    let file = |name: &str| format!("tests/fixtures/{fixture}/{name}");
    let (model, rows, expected) = (file("model.pkl"), file("X.jsonl"), file("expected.json"));
    let mut arguments = vec!["pack", &model, "-o", &output, "--force"];
    if original {
        arguments.extend(["--samples", &rows, "--expected", &expected]);
    }
    let packed = run(&arguments, "");
    assert_eq!(packed.status.code(), Some(0), "{fixture}: {}", text(&packed.stderr));
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(Path::new(&output).join("selftest.json")).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap();
    let originals = cases.iter().filter(|case| case["from"] == "original").count();
    (report["covers"].clone(), cases.len(), originals)
}

#[test]
fn self_tests_hold_the_originals_answers_whatever_the_outputs() {
    for fixture in
        ["sklearn-meta/multi-output-classifier", "sklearn-meta/classifier-chain", "sklearn-core/linear-targets"]
    {
        let (_, cases, originals) = self_test(fixture, true);
        assert!(originals == cases && cases > 0, "{fixture}: {originals} of {cases}");
    }
}

#[test]
fn self_tests_reach_every_leaf_without_samples() {
    for (fixture, leaves, most) in [
        ("sklearn-core/isolation", 97, 40),
        ("sklearn-core/RandomForestRegressor", 93, 40),
        ("sklearn-core/ExtraTreesClassifier", 67, 40),
        // Behind a vectorizer, an encoder and an imputer.
        ("sklearn-text/text-among-columns-of-a-forest", 12, 16),
    ] {
        let (covers, cases, _) = self_test(fixture, false);
        assert_eq!(covers["leaves"], serde_json::json!([leaves, leaves]), "{fixture}");
        assert!(cases <= most, "{fixture}: {cases} rows");
    }
}

#[test]
fn predictions_verify_against_themselves() {
    let folder = scratch("itself");
    let expected = path(&folder, "expected.jsonl");
    let rows = "examples/diabetes/rows.csv";
    let model = "examples/diabetes/model.joblib";
    answers(&["predict", model, rows, "-o", &expected], "", "");
    let output = run(&["verify", model, "--rows", rows, "--expected", &expected, "--rtol", "0", "--atol", "0"], "");
    assert_eq!(output.status.code(), Some(0));
    let changed = fs::read_to_string(&expected).unwrap().replacen("\"label\":\"fast\"", "\"label\":\"slow\"", 1);
    fs::write(&expected, changed).unwrap();
    let output = run(&["verify", model, "--rows", rows, "--expected", &expected, "--json"], "");
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["outputs"][0]["label_mismatches"], 1);
}

#[test]
fn a_packed_folder_predicts_like_its_model() {
    if carryout::package::runtime().is_err() {
        println!("skipped: this build holds no runtime to pack (make build)");
        return;
    }
    let folder = scratch("pack");
    let package = path(&folder, "progression");
    let (model, rows) = ("examples/diabetes/model.joblib", "examples/diabetes/rows.csv");
    let expected = "examples/diabetes/expected.json";
    let output = run(&["pack", model, "-o", &package, "--samples", rows, "--expected", expected], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let summary = text(&output.stdout);
    for part in [
        "Packed scikit-learn 1.9.1 Pipeline, classification into 2 classes from 11 columns.\n",
        "\n  age                number    19 to 79 ",
        "\n  sex                category  female, male, others ",
        "\n  model.wasm ",
        "\n  import { load, predict } from \"progression\";\n",
        "\n  console.log(await predict(row)); // { label: \"slow\", probability: 0.7938, … }\n",
        "  predict_proba  48      ",
    ] {
        assert!(summary.contains(part), "{part:?} in\n{summary}");
    }
    // Without the ranges of the samples in the model, the warnings differ; without warnings, the text is the same.
    let predict = |model: &str| text(&run(&["predict", model, rows, "--to", "jsonl"], "").stdout);
    assert_eq!(predict(&package), predict(model));
    let output = run(&["verify", &package, "--rows", rows, "--expected", expected], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let seen = run(&["predict", &package, "-"], "{\"age\":130}\n");
    assert!(text(&seen.stdout).contains(r#""\"age\": 130 is outside the range seen in training, 19 to 79""#));

    // Twice is fine, something else in the folder is not.
    assert_eq!(run(&["pack", model, "-o", &package, "--json"], "").status.code(), Some(0));
    let other = path(&folder, "other");
    fs::create_dir(&other).unwrap();
    fs::write(folder.join("other/thesis.txt"), "years of work").unwrap();
    assert_eq!(run(&["pack", model, "-o", &other], "").status.code(), Some(4));
    assert!(folder.join("other/thesis.txt").exists());

    // Answers of another model: nothing is written.
    let never = path(&folder, "never");
    let wrong = path(&folder, "wrong.json");
    fs::write(&wrong, fs::read_to_string(expected).unwrap().replacen("fast", "slow", 1)).unwrap();
    let output = run(&["pack", model, "-o", &never, "--samples", rows, "--expected", &wrong], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("DIFFERENT"));
    assert!(!Path::new(&never).exists());

    // A damaged package is refused.
    let wasm = folder.join("progression/model.wasm");
    let bytes = fs::read(&wasm).unwrap();
    fs::write(&wasm, &bytes[..bytes.len() / 2]).unwrap();
    let output = run(&["predict", &package, rows], "");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(3), String::new()));
}

#[test]
fn inspect_as_json() {
    let output = run(&["inspect", IRIS, "--json"], "");
    let body: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(body["task"], "classification");
    assert_eq!(body["schema"]["columns"][0]["name"], "sepal length (cm)");
    assert_eq!(body["image"]["kernels"], serde_json::json!(["trees32", "argmax"]));
}

#[test]
fn names_for_a_model_without() {
    let folder = scratch("features");
    let names = path(&folder, "names.txt");
    fs::write(&names, "").unwrap();
    fails(
        &["inspect", IRIS, "--features", &names],
        "",
        4,
        &format!("error: {names}: no names\n  Give a text file with one name a line, or a JSON list of names.\n"),
    );
    fs::write(&names, "[\"a\"").unwrap();
    fails(
        &["inspect", IRIS, "--features", &names],
        "",
        4,
        &format!(
            "error: {names}: not a list of names: EOF while parsing a list at line 1 column 4\n  Give a text file with \
             one name a line, or a JSON list of names.\n"
        ),
    );
}

#[test]
fn what_python_writes_as_json_is_told() {
    for (row, message, remedy) in [
        ("[1,2,NaN,3]", "not JSON: expected value, column 6", "JSON has no NaN and no Infinity"),
        ("[[1,2,3,4]]", "a list of rows", "Write one row a line"),
        ("[1,2,3,4", "not JSON: EOF while parsing a list, column 8", "Write one row a line"),
    ] {
        let output = run(&["predict", IRIS, "-"], row);
        let error = text(&output.stderr);
        assert!(error.contains(message) && error.contains(remedy), "{row}: {error}");
        assert_eq!(output.status.code(), Some(4), "{error}");
    }
}

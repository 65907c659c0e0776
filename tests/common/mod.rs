//! What the tests share: the corpus beside the project, where it exists, and comparison with an original's outputs.
#![allow(dead_code)]

use carryout::lower::{Encoding, Lowered, Results, Span, Want, lower};
use carryout::model::{Cell, Column, Model, Op, Output, Step};
use carryout::runtime::host::Machine;
use carryout::{Options, import};
use serde_json::Value;
use std::path::PathBuf;

/// `../shared/corpus`, or None with a line that says so.
pub fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: there is no ../shared/corpus beside this clone");
    None
}

/// Marsaglia's xorshift.
pub struct Random(pub u64);

impl Default for Random {
    fn default() -> Random {
        Random(0x9e37_79b9_7f4a_7c15)
    }
}

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// A case of the corpus or of tests/fixtures: a folder with `case.json`, `X.jsonl`, `expected.json` and model files.
pub struct Case {
    pub path: PathBuf,
    pub id: String,
    pub info: Value,
}

impl Case {
    pub fn open(path: PathBuf) -> Case {
        let info = json(&path.join("case.json"));
        Case {
            id: format!("{}", path.strip_prefix(path.parent().unwrap().parent().unwrap()).unwrap().display()),
            path,
            info,
        }
    }

    /// Every case below a folder that has an INDEX.json, in its order.
    pub fn all(folder: PathBuf) -> Vec<Case> {
        let index = json(&folder.join("INDEX.json"));
        let names = index["cases"].as_array().expect("INDEX.json lists cases");
        names.iter().map(|name| Case::open(folder.join(name.as_str().unwrap()))).collect()
    }

    pub fn models(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("model."))
            .collect();
        files.sort();
        files
    }

    pub fn rows(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path.join("X.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn expected(&self) -> Value {
        json(&self.path.join("expected.json"))
    }

    /// What some models' files lack: category lists, the columns of dummies of older versions, and the names that
    /// LightGBM changed (it writes _ for a space).
    pub fn options(&self) -> Options {
        let columns = self.info["input"]["columns"].as_array().into_iter().flatten();
        let with_categories = columns.clone().filter_map(|column| {
            let values = serde_json::from_value(column.get("categories")?.clone()).ok()?;
            Some((column["name"].as_str()?.to_string(), values))
        });
        let dummy = self.info["estimator"].as_str().is_some_and(|class| class.contains("Dummy"));
        let row = self.rows().first().and_then(Value::as_array).map_or(0, Vec::len);
        let names: Vec<String> = columns.filter_map(|column| Some(column["name"].as_str()?.to_string())).collect();
        let changed = self.id.contains("lightgbm") && names.iter().any(|name| name.contains(' '));
        let features = match dummy {
            true => Some((0..row).map(|number| format!("x{number}")).collect()),
            false => changed.then_some(names),
        };
        Options { categories: with_categories.collect(), features, ..Options::default() }
    }

    pub fn tolerance(&self) -> (f64, f64) {
        (self.info["rtol"].as_f64().unwrap(), self.info["atol"].as_f64().unwrap())
    }
}

pub fn json(path: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Raw slots of a run over all rows: `slots[s][row]`.
pub fn run(lowered: &Lowered, columns: &[Column], rows: &[Value]) -> Vec<Vec<f64>> {
    let mut machine = Machine::open(&lowered.image).unwrap();
    let mut all = vec![Vec::new(); lowered.slots as usize];
    for block in rows.chunks(lowered.block as usize) {
        machine.texts_mut().clear();
        for (row, value) in block.iter().enumerate() {
            for (column, encoding) in lowered.columns.iter().enumerate() {
                let value = match value {
                    Value::Array(values) => &values[column],
                    Value::Object(fields) => fields.get(&columns[column].name).unwrap_or(&Value::Null),
                    bare => bare,
                };
                let digits = columns[column].digits.then(|| value.as_i64()).flatten();
                let digits = digits.map(|number| Value::String(number.to_string()));
                let value = digits.as_ref().unwrap_or(value);
                let number = match encoding {
                    _ if !columns[column].used => f64::NAN,
                    Encoding::Text => text(&mut machine, value.as_str().expect("a text")),
                    encoding => encode(value, encoding),
                };
                machine.slots_mut()[column * block.len() + row] = number;
            }
        }
        machine
            .run(block.len())
            .unwrap_or_else(|fault| panic!("{} refuses row {}", lowered.paths[fault.op], fault.row));
        for (slot, values) in all.iter_mut().enumerate() {
            let start = slot * block.len();
            values.extend_from_slice(&machine.slots()[start..start + block.len()]);
        }
    }
    all
}

fn text(machine: &mut Machine, text: &str) -> f64 {
    let texts = machine.texts_mut();
    let place = texts.len();
    texts.extend((text.len() as u32).to_le_bytes());
    texts.extend(text.as_bytes());
    place as f64
}

fn encode(value: &Value, encoding: &Encoding) -> f64 {
    if value.is_null() {
        return f64::NAN;
    }
    match encoding {
        Encoding::Number => number(value),
        Encoding::Text => unreachable!("texts are not encoded"),
        Encoding::Code(vocabulary) => {
            let cell = match value {
                Value::String(text) => Cell::Str(text.clone()),
                Value::Bool(flag) => Cell::Bool(*flag),
                other => Cell::Float(number(other)),
            };
            vocabulary.iter().position(|known| *known == cell).map_or(-1.0, |place| place as f64)
        }
    }
}

pub fn number(value: &Value) -> f64 {
    match value {
        Value::Null => f64::NAN,
        Value::Bool(flag) => f64::from(*flag),
        Value::Number(number) => number.as_f64().unwrap(),
        Value::Object(fields) => fields["$inf"].as_f64().unwrap() * f64::INFINITY,
        other => panic!("{other} where a number is expected"),
    }
}

/// The recorded output of a tree ensemble or linear booster itself, before links and classes.
pub fn is_raw(method: &str) -> bool {
    ["predict_margin", "booster_margin", "predict_raw_score", "predict_raw"].contains(&method)
}

/// How many numbers of a raw output there are, and the first that is not the same bits as recorded. The width is the
/// one of the recorded array.
pub fn compare_raw(
    model: &Model,
    rows: &[Value],
    case: &Case,
    method: &str,
    want: &Value,
) -> (usize, Option<String>) {
    let steps = model.graph.steps();
    let is_model = |step: &Step| matches!(step.op, Op::Trees(_) | Op::Oblivious(_) | Op::Affine32 { .. });
    let place = steps.iter().rposition(is_model).unwrap_or_else(|| panic!("{} has no raw output", case.id));
    // CatBoost's raw scores have its scale and bias in them.
    let step = if method == "predict_raw" { &steps[place + 1] } else { &steps[place] };
    let values = step.output.clone().collect();
    let mut raw = Model { output: Output::Regression { values, names: Vec::new() }, ..model.clone() };
    raw.settle_columns();
    let lowered = lower(&raw, Want::Everything).unwrap();
    let slots = run(&lowered, &raw.schema.columns, rows);
    let Results::Regression { values, .. } = lowered.results else { unreachable!() };
    let narrow = case.info["outputs"][method]["dtype"] == "float32";
    let (mut count, mut first) = (0, None);
    for (row, want) in want.as_array().unwrap().iter().enumerate() {
        let one = [want.clone()];
        let wants = want.as_array().map_or(&one[..], Vec::as_slice);
        assert_eq!(wants.len(), values.count as usize, "{} {method}: columns", case.id);
        for (column, want) in wants.iter().enumerate() {
            let (got, want) = (slots[values.first as usize + column][row], number(want));
            let same = if narrow {
                (got as f32).to_bits() == (want as f32).to_bits()
            } else {
                got.to_bits() == want.to_bits()
            };
            count += 1;
            if !same {
                first.get_or_insert(format!("{method} row {row} column {column}: {got} instead of {want}"));
            }
        }
    }
    (count, first)
}

/// Worst |got - want| relative to the tolerance, and how many numbers or labels were compared.
#[derive(Default, Debug)]
pub struct Comparison {
    pub compared: usize,
    pub wrong: usize,
    pub first: Option<String>,
    /// The largest |got - want|.
    pub worst: f64,
}

impl Comparison {
    pub fn number(&mut self, got: f64, want: &Value, (rtol, atol): (f64, f64), place: impl Fn() -> String) {
        self.compared += 1;
        let want = number(want);
        self.worst = self.worst.max((got - want).abs());
        let same = got == want || (got.is_nan() && want.is_nan()) || (got - want).abs() <= atol + rtol * want.abs();
        if !same {
            self.fail(format!("{}: {got} instead of {want}", place()));
        }
    }

    pub fn label(&mut self, got: &Cell, want: &Value, place: impl Fn() -> String) {
        self.compared += 1;
        let same = match want {
            Value::String(text) => *got == Cell::Str(text.clone()),
            Value::Bool(flag) => *got == Cell::Bool(*flag),
            Value::Null => got.is_missing(),
            other => got.number() == other.as_f64(),
        };
        if !same {
            self.fail(format!("{}: label {got} instead of {want}", place()));
        }
    }

    fn fail(&mut self, message: String) {
        self.wrong += 1;
        self.first.get_or_insert(message);
    }
}

fn own_value<'a>(row: &'a Value, column: usize, names: &[Column]) -> &'a Value {
    match row {
        Value::Array(values) => &values[column],
        Value::Object(fields) => &fields[&names[column].name],
        bare => bare,
    }
}

/// Compares what the results hold with one method's recorded output, row by row; None where the results do not
/// have it.
pub fn compare(
    lowered: &Lowered,
    results: &Results,
    slots: &[Vec<f64>],
    (names, rows): (&[Column], &[Value]),
    method: &str,
    want: &Value,
    tolerance: (f64, f64),
) -> Option<Comparison> {
    let mut comparison = Comparison::default();
    let span = |span: &Span, comparison: &mut Comparison| {
        for (row, want) in want.as_array().unwrap().iter().enumerate() {
            let one = [want.clone()];
            let wants = want.as_array().map_or(&one[..], Vec::as_slice);
            assert_eq!(wants.len(), span.count as usize, "{method}: columns");
            for (column, want) in wants.iter().enumerate() {
                let got = slots[span.first as usize + column][row];
                comparison.number(got, want, tolerance, || format!("{method} row {row} column {column}"));
            }
        }
    };
    let single = |slot: u32| Span { first: slot, count: 1, narrow: false };
    match (results, method) {
        (Results::Classification { classes, label, .. }, "predict") => {
            for (row, want) in want.as_array().unwrap().iter().enumerate() {
                let got = &classes[slots[*label as usize][row] as usize];
                comparison.label(got, want, || format!("predict row {row}"));
            }
        }
        (Results::Classification { probabilities: Some(found), .. }, "predict_proba") => {
            let columns = &slots[found.first as usize..(found.first + found.count) as usize];
            for row in 0..rows.len() {
                let all = columns.iter().map(|column| column[row]);
                let sum: f64 = all.clone().sum();
                assert!(all.clone().all(|p| (0.0..=1.0).contains(&p)), "row {row}: a probability outside 0..1");
                // Not 1 where classes are each on their own (one-versus-all), or no estimator wants the row (0).
                let want: f64 = want[row].as_array().unwrap().iter().map(number).sum();
                assert!((sum - want).abs() < 1e-6, "row {row}: probabilities sum to {sum} instead of {want}");
            }
            span(found, &mut comparison);
        }
        (Results::Classification { scores: Some(found), .. }, "decision_function") => span(found, &mut comparison),
        // XGBoost's own predict: of two classes the second's probability.
        (Results::Classification { probabilities: Some(found), classes, .. }, "booster_predict") => {
            match classes.len() {
                2 => span(&single(found.first + 1), &mut comparison),
                _ => span(found, &mut comparison),
            }
        }
        (Results::Regression { values, .. }, "booster_predict") => span(values, &mut comparison),
        (Results::Regression { values, .. }, "predict") => span(values, &mut comparison),
        (Results::Transform { values, codes, .. }, "transform") => {
            for (row, want) in want.as_array().unwrap().iter().enumerate() {
                let one = [want.clone()];
                let wants = want.as_array().map_or(&one[..], Vec::as_slice);
                if wants.len() != codes.len() {
                    comparison.fail(format!("transform makes {} columns instead of {}", codes.len(), wants.len()));
                    break;
                }
                for (column, want) in wants.iter().enumerate() {
                    let got = slots[values.first as usize + column][row];
                    let place = || format!("transform row {row} column {column}");
                    match codes[column].map(|code| (code, &lowered.columns[code as usize])) {
                        Some((column, Encoding::Code(vocabulary))) => match vocabulary.get(got as usize) {
                            _ if got.is_nan() => comparison.label(&Cell::Nan, want, place),
                            Some(cell) if got >= 0.0 => comparison.label(cell, want, place),
                            _ => {
                                // A value outside the vocabulary comes through as the row has it.
                                let own = own_value(&rows[row], column as usize, names);
                                comparison.label(&Cell::Str(own.as_str().unwrap().to_string()), want, place);
                            }
                        },
                        _ => comparison.number(got, want, tolerance, place),
                    }
                }
            }
        }
        (Results::Anomaly { outlier, .. }, "predict") => {
            for (row, want) in want.as_array().unwrap().iter().enumerate() {
                let got = Cell::Int(if slots[*outlier as usize][row] == 1.0 { -1 } else { 1 });
                comparison.label(&got, want, || format!("predict row {row}"));
            }
        }
        (Results::Anomaly { score, .. }, "decision_function") => span(&single(*score), &mut comparison),
        (Results::Anomaly { samples: Some(found), .. }, "score_samples") => span(&single(*found), &mut comparison),
        (Results::Clustering { cluster, labels, .. }, "predict") => {
            for (row, want) in want.as_array().unwrap().iter().enumerate() {
                let got = &labels[slots[*cluster as usize][row] as usize];
                comparison.label(got, want, || format!("predict row {row}"));
            }
        }
        (Results::Clustering { distances: Some(found), .. }, "transform") => span(found, &mut comparison),
        (Results::Several(outputs), "predict") => {
            for (number, output) in outputs.iter().enumerate() {
                let column = want.as_array().unwrap().iter().map(|row| row[number].clone()).collect();
                let part = compare(lowered, output, slots, (names, rows), method, &Value::Array(column), tolerance)?;
                comparison.add(part);
            }
        }
        (Results::Several(outputs), "predict_proba") => {
            for (output, want) in outputs.iter().zip(want.as_array().unwrap()) {
                comparison.add(compare(lowered, output, slots, (names, rows), method, want, tolerance)?);
            }
        }
        _ => {
            let (_, found) = lowered.also.iter().rev().find(|(name, _)| name == method)?;
            span(found, &mut comparison);
        }
    }
    Some(comparison)
}

impl Comparison {
    pub fn add(&mut self, other: Comparison) {
        self.compared += other.compared;
        self.wrong += other.wrong;
        self.worst = self.worst.max(other.worst);
        if self.first.is_none() {
            self.first = other.first;
        }
    }
}

/// What came of the cases so far.
#[derive(Default)]
pub struct Tally {
    pub passed: usize,
    pub outputs: usize,
    pub numbers: usize,
    /// Raw scores with the same bits.
    pub raw: usize,
    pub files: usize,
    /// Case and error.
    pub refused: Vec<(String, String)>,
    pub failures: Vec<String>,
    /// Case and method, and the largest difference.
    pub worst: Vec<(String, f64)>,
}

/// A model laid out and run over the rows of a case.
struct Ran {
    model: Model,
    lowered: Lowered,
    slots: Vec<Vec<f64>>,
}

impl Ran {
    fn new(case: &Case, bytes: &[u8], rows: &[Value], transform: bool) -> Result<Ran, String> {
        let options = Options { transform, ..case.options() };
        let model = import(bytes, &options).map_err(|error| error.to_string())?;
        let lowered = lower(&model, Want::Everything).map_err(|error| error.to_string())?;
        let slots = run(&lowered, &model.schema.columns, rows);
        Ok(Ran { model, lowered, slots })
    }

    /// `names`: what the original calls the columns that a transformer makes, null where it does not say.
    fn compare(
        &self,
        rows: &[Value],
        method: &str,
        want: &Value,
        tolerance: (f64, f64),
        names: &Value,
    ) -> Option<Comparison> {
        let columns = (self.model.schema.columns.as_slice(), rows);
        let mut comparison =
            compare(&self.lowered, &self.lowered.results, &self.slots, columns, method, want, tolerance)?;
        if let (Results::Transform { names: found, .. }, false) = (&self.lowered.results, names.is_null()) {
            for (place, want) in names.as_array().unwrap().iter().enumerate() {
                comparison.compared += 1;
                let found = found.get(place).map(String::as_str);
                if found != want.as_str() {
                    comparison.fail(format!("column {place} is named {found:?} instead of {want}"));
                }
            }
        }
        Some(comparison)
    }
}

impl Tally {
    /// Every output of every model file of the case.
    pub fn check(&mut self, case: &Case) {
        let expected = case.expected();
        let methods: Vec<&String> = expected.as_object().unwrap().keys().collect();
        self.check_methods(case, &expected, &methods, case.tolerance());
    }

    /// One output of every model file of the case, to a tolerance of the caller's.
    pub fn check_method(&mut self, case: &Case, method: &str, tolerance: (f64, f64)) {
        self.check_methods(case, &case.expected(), &[&method.to_string()], tolerance);
    }

    fn check_methods(&mut self, case: &Case, expected: &Value, methods: &[&String], tolerance: (f64, f64)) {
        let rows = case.rows();
        let failures = self.failures.len();
        // Methods whose bits are the original's.
        let exact: Vec<&str> =
            case.info["exact"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (number, file) in case.models().iter().enumerate() {
            let bytes = std::fs::read(file).unwrap();
            let ran = match Ran::new(case, &bytes, &rows, false) {
                Ok(ran) => ran,
                Err(error) => {
                    self.refused.push((case.id.clone(), error));
                    return;
                }
            };
            self.files += 1;
            let name = file.file_name().unwrap().display();
            for &method in methods {
                let want = &expected[method];
                let tolerance = if exact.contains(&method.as_str()) { (0.0, 0.0) } else { tolerance };
                if is_raw(method) {
                    let (count, wrong) = compare_raw(&ran.model, &rows, case, method, want);
                    self.raw += count;
                    self.failures.extend(wrong.map(|wrong| format!("{} {name}: {wrong}", case.id)));
                    continue;
                }
                let names = &case.info["feature_names_out"];
                let compared = ran.compare(&rows, method, want, tolerance, names).or_else(|| {
                    // An estimator that predicts may transform as well.
                    let again =
                        (method == "transform").then(|| Ran::new(case, &bytes, &rows, true).ok()).flatten()?;
                    again.compare(&rows, method, want, tolerance, names)
                });
                match compared {
                    Some(comparison) if comparison.wrong == 0 => {
                        self.worst.push((format!("{} {method}", case.id), comparison.worst));
                        self.numbers += comparison.compared;
                        self.outputs += usize::from(number == 0);
                    }
                    Some(comparison) => self.failures.push(format!(
                        "{} {name} {method}: {} of {} wrong, first {}",
                        case.id,
                        comparison.wrong,
                        comparison.compared,
                        comparison.first.unwrap()
                    )),
                    None => self.failures.push(format!("{} {name} has no {method}", case.id)),
                }
            }
        }
        self.passed += usize::from(self.failures.len() == failures);
    }

    /// Prints what was counted.
    ///
    /// # Panics
    /// Where an output was wrong.
    pub fn finish(self) {
        for (case, error) in &self.refused {
            println!("refused {case}: {error}");
        }
        println!(
            "{} cases, {} outputs, {} numbers, {} raw scores with the same bits from {} files; {} cases refused",
            self.passed,
            self.outputs,
            self.numbers,
            self.raw,
            self.files,
            self.refused.len()
        );
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
    }
}

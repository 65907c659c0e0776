//! `carryout verify`: predictions against those of the original library.

use super::model::{Reading, read, shown};
use super::rows::{Form, NO_NUMBERS, Rows, is_no_number};
use super::{Failure, Outcome as Done, term};
use carryout::Error;
use carryout::lower::{Results, Want};
use carryout::model::Cell;
use carryout::predictor::{Outcome, Prediction, Predictor};
use clap::Args;
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  carryout verify model.joblib --rows X.jsonl --expected expected.json
  carryout verify pkg/loan-approval --rows rows.csv --expected predictions.jsonl

FILE is either one JSON object of the original's answers by method,

  {\"predict\": [\"yes\", \"no\"], \"predict_proba\": [[0.1, 0.9], [0.8, 0.2]]}

(also decision_function, score_samples and transform; null is NaN, {\"$inf\": 1} infinity), or predictions as JSON \
lines, as `carryout predict` writes them.

Labels must be equal; a number may differ by atol + rtol x |expected|. A packed folder holds what predict() returns \
and no more: decision_function is compared only for the model file, or where there are no probabilities.";

/// Compare predictions with recorded ones; exit code 1 on any difference
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A model file or a packed folder
    model: PathBuf,
    /// CSV with a header, or JSON lines; `-` is standard input
    #[arg(long)]
    rows: PathBuf,
    /// What the original answered for these rows
    #[arg(long, value_name = "FILE")]
    expected: PathBuf,
    /// The form of the rows, where the name does not tell
    #[arg(long, value_name = "FORM")]
    from: Option<Form>,
    /// Accepted error relative to the expected number
    #[arg(long, default_value_t = TOLERANCE.rtol, value_name = "NUMBER", value_parser = tolerance)]
    rtol: f64,
    /// Accepted absolute error
    #[arg(long, default_value_t = TOLERANCE.atol, value_name = "NUMBER", value_parser = tolerance)]
    atol: f64,
    #[command(flatten)]
    reading: Reading,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value >= 0.0 && f64::is_finite(value) => Ok(value),
        _ => Err("expected a number, zero or above".into()),
    }
}

/// What was found for one output, e.g. `predict_proba`.
#[derive(Default)]
struct Comparison {
    output: String,
    /// Numbers are labels here, which must be equal.
    exact: bool,
    numbers: usize,
    labels: usize,
    /// Largest |got - want|, and the largest |got - want| / |want| where want is not 0.
    absolute: f64,
    relative: f64,
    /// Values beyond the tolerance and labels that differ.
    beyond: usize,
    mismatches: usize,
    /// The first difference: row, got, expected.
    first: Option<(usize, String, String)>,
}

/// Accepted where nothing else is said: absolute, and relative to the expected number.
pub const TOLERANCE: Tolerance = Tolerance { rtol: carryout::package::ORIGINAL, atol: carryout::package::ORIGINAL };

#[derive(Clone, Copy)]
pub struct Tolerance {
    rtol: f64,
    atol: f64,
}

/// What a comparison found.
pub struct Report {
    rows: usize,
    comparisons: Vec<Comparison>,
    /// Expected outputs that the model does not have.
    unknown: Vec<String>,
}

pub fn run(arguments: Arguments, json: bool) -> Done {
    let Arguments { model, rows, expected, from, rtol, atol, reading } = arguments;
    let tolerance = Tolerance { rtol, atol };
    let mut predictor = reading.predictor(&model, Want::Everything)?;
    let report = check(&mut predictor, &rows, &expected, from, tolerance)?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", report.json(tolerance))?;
    } else {
        report.print(&mut out, tolerance)?;
    }
    if report.differs() { Err(Failure::Mismatch) } else { Ok(()) }
}

impl Report {
    pub fn differs(&self) -> bool {
        self.comparisons.iter().any(|one| one.beyond + one.mismatches > 0)
    }

    /// A line an output, for the model card.
    pub fn lines(&self) -> Vec<String> {
        let rows = term::count(self.rows, "row");
        let line = |one: &Comparison| match one.numbers {
            0 => format!("{}: equal to the original's in all {rows}", one.output),
            _ if one.absolute == 0.0 => format!("{}: the original's to the last bit, in {rows}", one.output),
            _ => format!("{}: at most {:.1e} from the original's, in {rows}", one.output, one.absolute),
        };
        self.comparisons.iter().map(line).collect()
    }

    pub fn json(&self, Tolerance { rtol, atol }: Tolerance) -> Value {
        let outputs: Vec<Value> = self.comparisons.iter().map(Comparison::json).collect();
        json!({ "same": !self.differs(), "rows": self.rows, "rtol": rtol, "atol": atol, "outputs": outputs,
            "not_compared": self.unknown })
    }

    pub fn print(&self, out: &mut dyn Write, Tolerance { rtol, atol }: Tolerance) -> io::Result<()> {
        let header = ["output", "values", "worst error", "relative", "beyond", "wrong labels"];
        let mut table = vec![header.map(str::to_owned).to_vec()];
        table.extend(self.comparisons.iter().map(Comparison::row));
        writeln!(out, "{}, tolerance {atol:e} + {rtol:e} x |expected|\n", term::count(self.rows, "row"))?;
        write!(out, "{}", term::table(&table, "  "))?;
        for one in &self.comparisons {
            if let Some((row, got, want)) = &one.first {
                writeln!(out, "\n{}: first difference in row {row}: {got}, expected {want}", one.output)?;
            }
        }
        if !self.unknown.is_empty() {
            writeln!(out, "\nnot compared, this model answers no such thing: {}", self.unknown.join(", "))?;
        }
        writeln!(out, "\n{}", if self.differs() { "DIFFERENT" } else { "same" })
    }
}

/// Predicts the rows and compares with what the file says.
pub fn check(
    predictor: &mut Predictor,
    rows: &Path,
    expected_path: &Path,
    from: Option<Form>,
    tolerance: Tolerance,
) -> Done<Report> {
    let expected = expectations(expected_path)?;
    let predictions = predict(predictor, rows, from)?;
    let results = &predictor.manifest().results;
    let (comparisons, unknown) = match &expected {
        Expected::Methods(methods) => by_method(results, &predictions, methods, tolerance),
        Expected::Predictions(wanted) => by_field(predictor, &predictions, wanted, tolerance),
    }
    .map_err(|error| error.at(shown(expected_path)))?;
    if comparisons.is_empty() {
        return Err(Error::input(format!("nothing to compare: it holds {}", unknown.join(", ")))
            .at(shown(expected_path))
            .remedy("See `carryout verify --help` for what it may hold.")
            .into());
    }
    Ok(Report { rows: predictions.len(), comparisons, unknown })
}

/// What the original answered for each row, as the part of a prediction that it is; None where the file's answers
/// are not by method or not of this form.
pub fn originals(results: &Results, expected_path: &Path, rows: usize) -> Done<Vec<Option<Value>>> {
    let methods = match expectations(expected_path)? {
        Expected::Methods(methods) => methods,
        Expected::Predictions(list) => {
            return Ok(list
                .into_iter()
                .map(|mut one| {
                    one.shift_remove("warnings");
                    Some(Value::Object(one))
                })
                .collect());
        }
    };
    // Probabilities of several outputs are a list of matrices, one an output; their other answers one of rows.
    let of = |method: &str, row: usize, output: Option<usize>| {
        let list = methods.get(method)?.as_array()?;
        match output {
            None => list.get(row),
            Some(output) if method == "predict_proba" => list.get(output)?.as_array()?.get(row),
            Some(output) => list.get(row)?.as_array()?.get(output),
        }
    };
    let answers = |row| match results {
        Results::Several(several) => {
            let outputs = several
                .iter()
                .enumerate()
                .map(|(output, results)| original(results, &|method| of(method, row, Some(output))));
            Some(json!({ "outputs": outputs.collect::<Option<Vec<Value>>>()? }))
        }
        results => original(results, &|method| of(method, row, None)),
    };
    Ok((0..rows).map(answers).collect())
}

fn original<'a>(results: &Results, answer: &dyn Fn(&str) -> Option<&'a Value>) -> Option<Value> {
    // A column of one value, as some libraries answer.
    let single = |value: &'a Value| match value.as_array() {
        Some(list) if list.len() == 1 => &list[0],
        _ => value,
    };
    let finite = |value: &Value| as_number(value).filter(|number| number.is_finite()).map(|number| json!(number));
    let numbers = |value: &Value| value.as_array()?.iter().map(finite).collect::<Option<Vec<Value>>>();
    let by_class = |classes: &[Cell], values: Vec<Value>| -> Option<Value> {
        let keys = classes.iter().map(carryout::predictor::json_key);
        (classes.len() == values.len()).then(|| keys.zip(values).collect::<Map<String, Value>>().into())
    };
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_string(), value);
        }
    };
    let label = answer("predict").map(single);
    match results {
        Results::Classification { classes, probabilities, scores, .. } => {
            put("label", label.cloned());
            if probabilities.is_some() {
                put(
                    "probabilities",
                    answer("predict_proba").and_then(numbers).and_then(|list| by_class(classes, list)),
                );
            } else if scores.is_some() {
                let scores = answer("decision_function").and_then(|value| match as_number(value) {
                    Some(score) if score.is_finite() => Some(vec![json!(-score), json!(score)]),
                    _ => numbers(value),
                });
                put("scores", scores.and_then(|list| by_class(classes, list)));
            }
        }
        Results::Regression { values, .. } if values.count == 1 => put("value", label.and_then(finite)),
        Results::Regression { .. } => put("values", answer("predict").and_then(numbers).map(Value::from)),
        Results::Anomaly { .. } => {
            put("outlier", label.and_then(as_number).map(|sign| json!(sign < 0.0)));
            put("score", answer("decision_function").map(single).and_then(finite));
        }
        Results::Clustering { distances, .. } => {
            put("cluster", label.cloned());
            if distances.is_some() {
                put("distances", answer("transform").and_then(numbers).map(Value::from));
            }
        }
        Results::Transform { .. } => put("transformed", answer("transform").cloned()),
        // `originals` asks for each of them.
        Results::Several(_) => {}
    }
    (!fields.is_empty()).then(|| Value::Object(fields))
}

type Compared = Result<(Vec<Comparison>, Vec<String>), Error>;

/// As many answers as rows.
fn same(found: usize, rows: usize) -> Result<(), Error> {
    if found == rows {
        return Ok(());
    }
    Err(Error::input(format!("{} for {}", term::count(found, "answer"), term::count(rows, "row"))))
}

fn by_method(
    results: &Results,
    predictions: &[Prediction],
    methods: &Map<String, Value>,
    tolerance: Tolerance,
) -> Compared {
    let regression = |results: &Results| matches!(results, Results::Regression { .. });
    let values = match results {
        Results::Several(several) => several.iter().all(regression),
        results => regression(results),
    };
    let (mut comparisons, mut unknown) = (Vec::new(), Vec::new());
    for (method, want) in methods {
        // A list of matrices, one an output, where the model has several.
        let outputs = match results {
            Results::Several(several) if method == "predict_proba" => Some(several.len()),
            _ => None,
        };
        if predictions.iter().any(|one| answer(results, &one.outcome, method, outputs.map(|_| 0)).is_none()) {
            unknown.push(method.clone());
            continue;
        }
        let mut comparison = Comparison::new(method, method == "predict" && !values);
        let at = |error: Error| error.at(method);
        let list = |value: &Value| match value {
            Value::Array(list) => Ok(list.clone()),
            _ => Err(at(Error::input("not a list of answers"))),
        };
        // Or rows of the second class's: so XGBoost and CatBoost answer for several labels.
        let second = outputs.is_some() && want.pointer("/0/0").is_some_and(Value::is_number);
        let lists = match outputs {
            None => vec![(None, list(want)?)],
            Some(outputs) if second => {
                let rows: Vec<_> = list(want)?.iter().map(list).collect::<Result<_, Error>>()?;
                if let Some(row) = rows.iter().find(|row| row.len() != outputs) {
                    return Err(at(Error::input(format!("a row of {} numbers for {outputs} outputs", row.len()))));
                }
                let column = |output: usize| rows.iter().map(|row| row[output].clone()).collect();
                (0..outputs).map(|output| (Some(output), column(output))).collect()
            }
            Some(_) => list(want)?
                .iter()
                .enumerate()
                .map(|(output, want)| Ok((Some(output), list(want)?)))
                .collect::<Result<_, Error>>()?,
        };
        if let Some(outputs) = outputs
            && outputs != lists.len()
        {
            let message = format!("{} lists for {outputs} outputs", lists.len());
            return Err(at(Error::input(message)
                .remedy("Give a list an output, each with the rows' probabilities by class, or one of rows with the second class's of each output.")));
        }
        for (output, wants) in lists {
            same(wants.len(), predictions.len()).map_err(at)?;
            for (row, (prediction, want)) in predictions.iter().zip(&wants).enumerate() {
                let mut got = answer(results, &prediction.outcome, method, output).unwrap_or(Value::Null);
                if second {
                    got = got.get(1).cloned().unwrap_or_default();
                }
                comparison.compare(&got, want, row + 1, tolerance);
            }
        }
        comparisons.push(comparison);
    }
    Ok((comparisons, unknown))
}

fn by_field(
    predictor: &Predictor,
    predictions: &[Prediction],
    wanted: &[Map<String, Value>],
    tolerance: Tolerance,
) -> Compared {
    same(wanted.len(), predictions.len())?;
    let mut comparisons: Vec<Comparison> = Vec::new();
    let mut unknown = Vec::new();
    for (row, (want, prediction)) in wanted.iter().zip(predictions).enumerate() {
        let got: Value = serde_json::from_str(&predictor.json(prediction)).unwrap_or(Value::Null);
        for (field, want) in want.iter().filter(|(field, _)| *field != "warnings") {
            let Some(got) = got.get(field) else {
                if !unknown.contains(field) {
                    unknown.push(field.clone());
                }
                continue;
            };
            let place = comparisons.iter().position(|one| one.output == *field).unwrap_or_else(|| {
                comparisons.push(Comparison::new(field, false));
                comparisons.len() - 1
            });
            comparisons[place].field(field, got, want, row + 1, tolerance);
        }
    }
    Ok((comparisons, unknown))
}

fn predict(predictor: &mut Predictor, path: &Path, from: Option<Form>) -> Done<Vec<Prediction>> {
    let mut rows = Rows::open(path, from, &predictor.manifest().schema, predictor.manifest().source.is_own())?;
    let mut predictions = Vec::new();
    let mut numbers = Vec::new();
    loop {
        let record = rows.next()?;
        if let Some(record) = &record {
            rows.stage(record, predictor)?;
            numbers.push(rows.number());
        }
        if record.is_none() || predictor.is_full() {
            let (made, refused) = predictor.run();
            predictions.extend(made);
            if let Some(error) = refused {
                let number = numbers.get(predictions.len()).copied().unwrap_or(0);
                return Err(error.at(rows.place(number)).into());
            }
        }
        if record.is_none() {
            break;
        }
    }
    if predictions.is_empty() {
        return Err(Error::input("no rows").at(shown(path)).into());
    }
    Ok(predictions)
}

enum Expected {
    Methods(Map<String, Value>),
    Predictions(Vec<Map<String, Value>>),
}

/// Most bytes of a file of expected answers, which is held whole.
const MOST: usize = 1 << 30;

fn expectations(path: &Path) -> Done<Expected> {
    let bytes = read(path, MOST)?;
    let wrong = |error: serde_json::Error| {
        let no_number = is_no_number(&bytes, &error);
        let forms = "See `carryout verify --help` for the two forms it may have.";
        Error::input(format!("not JSON: {error}")).at(shown(path)).remedy(if no_number { NO_NUMBERS } else { forms })
    };
    // One object without `warnings` is the answers by method; else a prediction a line.
    if let Ok(Value::Object(methods)) = serde_json::from_slice(&bytes)
        && !methods.contains_key("warnings")
    {
        return Ok(Expected::Methods(methods));
    }
    let mut predictions = Vec::new();
    for value in serde_json::Deserializer::from_slice(&bytes).into_iter() {
        predictions.push(value.map_err(wrong)?);
    }
    Ok(Expected::Predictions(predictions))
}

/// What a method of the original answers for a row, as JSON; None where the model has no such answer.
fn answer(results: &Results, outcome: &Outcome, method: &str, output: Option<usize>) -> Option<Value> {
    // JSON has no NaN: null stands for it, as in the file.
    let numbers = |values: &[f64]| Value::from(values.iter().copied().map(number).collect::<Vec<_>>());
    if let (Results::Several(several), Outcome::Several(outcomes)) = (results, outcome) {
        let one = |place: usize| answer(several.get(place)?, outcomes.get(place)?, method, None);
        return match output {
            Some(output) => one(output),
            None => (0..outcomes.len()).map(one).collect::<Option<Vec<_>>>().map(Value::from),
        };
    }
    match (method, results, outcome) {
        ("predict", Results::Classification { classes, .. }, Outcome::Classification { label, .. }) => {
            classes.get(*label).map(cell)
        }
        ("predict_proba", _, Outcome::Classification { probabilities: Some(values), .. }) => Some(numbers(values)),
        ("decision_function", _, Outcome::Classification { scores: Some(values), .. }) => match values[..] {
            [one] => Some(number(one)),
            _ => Some(numbers(values)),
        },
        ("predict", _, Outcome::Regression(values)) => match values[..] {
            [one] => Some(number(one)),
            _ => Some(numbers(values)),
        },
        ("predict", _, Outcome::Anomaly { outlier, .. }) => Some(json!(if *outlier { -1 } else { 1 })),
        ("decision_function", _, Outcome::Anomaly { score, .. }) => Some(number(*score)),
        ("score_samples", _, Outcome::Anomaly { samples: Some(samples), .. }) => Some(number(*samples)),
        ("predict", Results::Clustering { labels, .. }, Outcome::Clustering { cluster, .. }) => {
            labels.get(*cluster).map(cell)
        }
        ("transform", _, Outcome::Clustering { distances: Some(values), .. }) => Some(numbers(values)),
        ("transform", _, Outcome::Transform(values)) => Some(values.iter().map(cell).collect()),
        _ => None,
    }
}

fn number(value: f64) -> Value {
    if value.is_infinite() { json!({ "$inf": value.signum() }) } else { json!(value) }
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Str(text) => json!(text),
        Cell::Bool(flag) => json!(flag),
        _ => cell.number().map_or(Value::Null, number),
    }
}

/// The number that a value of the file stands for.
fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(f64::NAN),
        Value::Number(number) => number.as_f64(),
        Value::Object(map) => map.get("$inf")?.as_f64().map(|sign| sign * f64::INFINITY),
        _ => None,
    }
}

impl Comparison {
    fn new(output: &str, exact: bool) -> Comparison {
        Comparison { output: output.to_owned(), exact, ..Comparison::default() }
    }

    /// A field of a prediction: labels are equal or not.
    fn field(&mut self, key: &str, got: &Value, want: &Value, row: usize, tolerance: Tolerance) {
        let outer = std::mem::replace(&mut self.exact, matches!(key, "label" | "cluster"));
        self.compare(got, want, row, tolerance);
        self.exact = outer;
    }

    fn compare(&mut self, got: &Value, want: &Value, row: usize, tolerance: Tolerance) {
        match (got, want) {
            (Value::Array(got), Value::Array(want)) if got.len() == want.len() => {
                got.iter().zip(want).for_each(|(got, want)| self.compare(got, want, row, tolerance));
            }
            // The original answers in a matrix of one column where there is one target.
            (got, Value::Array(want)) if want.len() == 1 && !got.is_array() => {
                self.compare(got, &want[0], row, tolerance);
            }
            (Value::Object(got), Value::Object(want)) if !want.contains_key("$inf") => {
                for (key, want) in want {
                    let got = got.get(key).unwrap_or(&Value::Null);
                    self.field(key, got, want, row, tolerance);
                }
            }
            _ => match (as_number(got), as_number(want)) {
                (Some(a), Some(b)) if !self.exact => self.number(a, b, row, tolerance),
                _ => {
                    self.labels += 1;
                    let same = match (as_number(got), as_number(want)) {
                        (Some(a), Some(b)) => a == b || a.is_nan() && b.is_nan(),
                        _ => got == want,
                    };
                    if !same {
                        self.mismatches += 1;
                        self.first.get_or_insert((row, got.to_string(), want.to_string()));
                    }
                }
            },
        }
    }

    fn number(&mut self, got: f64, want: f64, row: usize, Tolerance { rtol, atol }: Tolerance) {
        self.numbers += 1;
        let error = (got - want).abs();
        let same = got == want || got.is_nan() && want.is_nan();
        if same || error <= atol + rtol * want.abs() {
            if error.is_finite() {
                self.worst(error, want);
            }
            return;
        }
        self.worst(if error.is_nan() { f64::INFINITY } else { error }, want);
        self.beyond += 1;
        let text = carryout::predictor::json_number;
        self.first.get_or_insert((row, text(got), text(want)));
    }

    fn worst(&mut self, error: f64, want: f64) {
        self.absolute = self.absolute.max(error);
        if want != 0.0 && want.is_finite() {
            self.relative = self.relative.max(error / want.abs());
        }
    }

    fn row(&self) -> Vec<String> {
        let error = |value: f64| match self.numbers {
            0 => "-".into(),
            _ if value == 0.0 => "0".into(),
            _ => format!("{value:.2e}"),
        };
        vec![
            self.output.clone(),
            (self.numbers + self.labels).to_string(),
            error(self.absolute),
            error(self.relative),
            self.beyond.to_string(),
            self.mismatches.to_string(),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "output": self.output,
            "numbers": self.numbers,
            "labels": self.labels,
            "worst_absolute": number(self.absolute),
            "worst_relative": number(self.relative),
            "beyond_tolerance": self.beyond,
            "label_mismatches": self.mismatches,
            "first": self.first.as_ref().map(|(row, got, want)| json!({"row": row, "got": got, "expected": want})),
        })
    }
}

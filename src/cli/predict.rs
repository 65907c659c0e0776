//! `carryout predict`: rows in, rows with predictions out, a block at a time.

use super::model::{Reading, shown, system};
use super::output::{Replaces, beside, claim, special};
use super::rows::{Form, Record, Rows};
use super::{Failure, Outcome as Done, term};
use carryout::lower::{Results, Want};
use carryout::model::Cell;
use carryout::predictor::{Outcome, Prediction, Predictor, json_number};
use carryout::{Error, Kind};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  carryout predict model.joblib rows.csv
  carryout predict model.joblib rows.csv -o predictions.csv
  carryout predict pkg/loan-approval rows.jsonl -o predictions.jsonl
  echo '{\"age\": 41, \"income\": 52000}' | carryout predict model.joblib - --from jsonl

CSV comes out as it went in, with the prediction's columns added; an empty cell is a missing value.

A line of JSON in is a row: an object by column name, a list in column order or, for a model of one column, the \
value. JSON lines out hold the predictions alone, the same text as JSON.stringify(predict(row)) in the package.";

/// Predict rows from CSV or JSON lines
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A model file (`-` is standard input) or a packed folder
    model: PathBuf,
    /// CSV with a header, or JSON lines; `-` is standard input
    rows: PathBuf,
    /// Where to write; standard output without it. The form follows the name: .csv or .jsonl
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// The form of ROWS, where its name does not tell
    #[arg(long, value_name = "FORM")]
    from: Option<Form>,
    /// The form of the answer, where OUT does not tell; that of ROWS by default
    #[arg(long, value_name = "FORM")]
    to: Option<Form>,
    #[command(flatten)]
    reading: Reading,
}

pub fn run(arguments: Arguments, json: bool) -> Done {
    let Arguments { model, rows: path, output, from, to, reading } = arguments;
    if model == Path::new("-") && path == Path::new("-") {
        return Err(Failure::usage("both the model and the rows are standard input", "Give one of them as a file."));
    }
    if let Some(output) = &output {
        claim("-o", output, &[&path, &model], Replaces::Anything)?;
    }
    let mut predictor = reading.predictor(&model, Want::Package)?;
    let mut rows = Rows::open(&path, from, &predictor.manifest().schema, predictor.manifest().source.is_own())?;
    let named = output.as_deref().and_then(Form::of);
    let form = match to.or(named) {
        Some(form) => form,
        None if json || rows.header().is_none() => Form::Jsonl,
        None => Form::Csv,
    };
    if form == Form::Jsonl
        && to.is_none()
        && let Some(path) = output.as_deref().filter(|path| path.extension().is_some_and(|end| end == "json"))
    {
        term::note(&format!("{}: JSON lines, a prediction a line", shown(path)));
    }
    let mut target = Target::open(output.as_deref())?;
    let sheet = match form {
        Form::Csv => Some(Sheet::new(rows.header(), &predictor)),
        Form::Jsonl => None,
    };
    let mut progress = Progress::new(&path, json);
    if let Some(sheet) = &sheet {
        sheet.title(target.writer())?;
    }

    let mut records: Vec<(u64, Record)> = Vec::new();
    loop {
        // A row that does not fit ends the work after the rows before it were answered.
        let (more, broken) = match rows.next() {
            Ok(None) => (false, None),
            Ok(Some(record)) => match rows.stage(&record, &mut predictor) {
                Ok(()) => {
                    records.push((rows.number(), record));
                    (true, None)
                }
                Err(failure) => (false, Some(failure)),
            },
            Err(failure) => (false, Some(failure)),
        };
        if !more || predictor.is_full() {
            let (predictions, refused) = predictor.run();
            match &sheet {
                Some(sheet) => sheet.write(target.writer(), &records, &predictions, &predictor)?,
                None => {
                    for prediction in &predictions {
                        writeln!(target.writer(), "{}", predictor.json(prediction))?;
                    }
                }
            }
            progress.at(rows.bytes_read());
            let failure = match (refused, broken) {
                (Some(error), _) => {
                    let number = records.get(predictions.len()).map_or(0, |(number, _)| *number);
                    Some(Failure::from(error.at(rows.place(number))))
                }
                (None, broken) => broken,
            };
            records.clear();
            if let Some(failure) = failure {
                // Standard output keeps the rows before; a half-written file would pass for a whole one.
                target.writer().flush()?;
                return Err(failure);
            }
            if !more {
                break;
            }
        }
    }
    progress.end();
    target.finish()
}

/// The answer as CSV: the row's own cells, then the prediction's.
struct Sheet {
    titles: Vec<String>,
    /// For rows that come as JSON: the columns to show, by name.
    columns: Option<Vec<String>>,
}

impl Sheet {
    fn new(header: Option<&[String]>, predictor: &Predictor) -> Sheet {
        let manifest = predictor.manifest();
        let names: Vec<String> = manifest.schema.columns.iter().map(|column| column.name.clone()).collect();
        let columns = header.is_none().then(|| names.clone());
        let mut titles = header.map_or(names, <[String]>::to_vec);
        let own = titles.len();
        let mut made = Vec::new();
        title(&manifest.results, "", &mut made);
        made.push("warnings".into());
        for title in made {
            // A column of that name in the data stays; the prediction's takes another.
            let taken = titles[..own].contains(&title);
            titles.push(if taken { format!("predicted_{title}") } else { title });
        }
        Sheet { titles, columns }
    }

    fn title(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(&self.titles).map_err(broken)?;
        writer.flush()
    }

    /// A block of rows with their predictions; rows without one are left out.
    fn write(
        &self,
        out: &mut dyn Write,
        rows: &[(u64, Record)],
        predictions: &[Prediction],
        predictor: &Predictor,
    ) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        let mut made = Vec::new();
        for ((_, row), prediction) in rows.iter().zip(predictions) {
            made.clear();
            match (row, &self.columns) {
                (Record::Csv(row), _) => row.iter().try_for_each(|cell| writer.write_field(cell)).map_err(broken)?,
                (Record::Json(row), columns) => made = cells_of_json(row, columns.as_deref().unwrap_or_default()),
            }
            values(&predictor.manifest().results, &prediction.outcome, &mut made);
            made.push(prediction.warnings.join("; "));
            writer.write_record(&made).map_err(broken)?;
        }
        writer.flush()
    }
}

fn broken(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

fn cells_of_json(row: &serde_json::Value, columns: &[String]) -> Vec<String> {
    let text = |value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let cell = |(place, name): (usize, &String)| match row {
        serde_json::Value::Object(fields) => text(fields.get(name)),
        serde_json::Value::Array(values) => text(values.get(place)),
        value => text(Some(value)),
    };
    columns.iter().enumerate().map(cell).collect()
}

/// The columns of a prediction, named as its fields are in the package: `probabilities.yes`.
fn title(results: &Results, prefix: &str, out: &mut Vec<String>) {
    let mut add = |name: String| out.push(format!("{prefix}{name}"));
    match results {
        Results::Classification { classes, probabilities, scores, .. } => {
            add("label".into());
            if probabilities.is_some() {
                add("probability".into());
                classes.iter().for_each(|class| add(format!("probabilities.{class}")));
            } else if scores.is_some() {
                classes.iter().for_each(|class| add(format!("scores.{class}")));
            }
        }
        Results::Regression { values, .. } if values.count == 1 => add("value".into()),
        Results::Regression { values, names } => numbered("values", values.count, names, &mut add),
        Results::Several(several) => {
            for (number, results) in several.iter().enumerate() {
                title(results, &format!("{prefix}outputs.{number}."), out);
            }
        }
        Results::Anomaly { .. } => ["outlier", "score"].into_iter().for_each(|name| add(name.into())),
        Results::Clustering { labels, distances, .. } => {
            add("cluster".into());
            if distances.is_some() {
                labels.iter().for_each(|label| add(format!("distances.{label}")));
            }
        }
        Results::Transform { values, names, .. } => numbered("transformed", values.count, names, &mut add),
    }
}

fn numbered(field: &str, count: u32, names: &[String], add: &mut dyn FnMut(String)) {
    for place in 0..count as usize {
        let name = names.get(place).cloned().unwrap_or_else(|| place.to_string());
        add(format!("{field}.{name}"));
    }
}

fn values(results: &Results, outcome: &Outcome, out: &mut Vec<String>) {
    // NaN is an empty cell, as on the way in.
    let number = |value: &f64| if value.is_nan() { String::new() } else { json_number(*value) };
    let text = |cell: Option<&Cell>| match cell {
        Some(Cell::Float(value)) => number(value),
        Some(cell) if !cell.is_missing() => cell.to_string(),
        _ => String::new(),
    };
    match (results, outcome) {
        (
            Results::Classification { classes, .. },
            Outcome::Classification { label: place, probabilities, scores },
        ) => {
            out.push(text(classes.get(*place)));
            if let Some(probabilities) = probabilities {
                out.push(probabilities.get(*place).map_or_else(String::new, number));
                out.extend(probabilities.iter().map(number));
            } else if let Some(scores) = scores {
                if let [score] = scores[..] {
                    out.push(number(&-score));
                }
                out.extend(scores.iter().map(number));
            }
        }
        (_, Outcome::Regression(values)) => out.extend(values.iter().map(number)),
        (_, Outcome::Transform(values)) => out.extend(values.iter().map(|value| text(Some(value)))),
        (Results::Several(several), Outcome::Several(outcomes)) => {
            for (results, outcome) in several.iter().zip(outcomes) {
                values(results, outcome, out);
            }
        }
        (_, Outcome::Anomaly { outlier, score, .. }) => out.extend([outlier.to_string(), number(score)]),
        (Results::Clustering { labels, .. }, Outcome::Clustering { cluster, distances }) => {
            out.push(text(labels.get(*cluster)));
            out.extend(distances.iter().flatten().map(number));
        }
        // `Predictor` makes each outcome from its own results.
        _ => {}
    }
}

/// Where the answer goes: standard output, or a file that appears only when it is complete.
struct Target {
    writer: BufWriter<Box<dyn Write>>,
    /// What is written, and what it becomes.
    rename: Option<(PathBuf, PathBuf)>,
}

impl Target {
    fn open(path: Option<&Path>) -> Done<Target> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Target { writer: BufWriter::new(Box::new(io::stdout())), rename: None });
        };
        let special = special(path);
        let made = if special { path.to_owned() } else { beside(path) };
        let file = File::create(&made).map_err(|error| system(path, &error))?;
        let rename = (!special).then(|| (made, path.to_owned()));
        Ok(Target { writer: BufWriter::new(Box::new(file)), rename })
    }

    fn writer(&mut self) -> &mut BufWriter<Box<dyn Write>> {
        &mut self.writer
    }

    fn finish(mut self) -> Done {
        self.writer.flush()?;
        if let Some((made, path)) = self.rename.take() {
            fs::rename(&made, &path).map_err(|error| Error::new(Kind::Io, error.to_string()).at(shown(&path)))?;
        }
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some((made, _)) = &self.rename {
            // Nothing more can be done about a file that will not go.
            let _ = fs::remove_file(made);
        }
    }
}

/// A bar on standard error, once the work turns out to be long; indicatif hides it where that is no terminal.
struct Progress {
    start: Instant,
    bar: Option<ProgressBar>,
    total: Option<u64>,
    quiet: bool,
}

impl Progress {
    fn new(path: &Path, quiet: bool) -> Progress {
        let total = fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|data| data.len());
        Progress { start: Instant::now(), bar: None, total, quiet }
    }

    fn at(&mut self, bytes: u64) {
        if self.quiet || self.bar.is_none() && self.start.elapsed() < Duration::from_millis(700) {
            return;
        }
        let total = self.total;
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
            let form = match total {
                Some(_) => "{wide_bar} {bytes} of {total_bytes}, {eta} left",
                None => "{spinner} {bytes} read",
            };
            // The templates are fixed and right.
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position(bytes);
    }

    fn end(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

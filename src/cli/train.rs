//! `carryout train`: a table in, a judged model out.

use super::model::{open, shown, stem};
use super::output::{Replaces, claim, same, whole};
use super::{Failure, Outcome, term};
use carryout::train::estimators::{KNOWN, Task};
use carryout::train::report::Candidate;
use carryout::train::run::{HeldOut, Request, Threshold, Trained, Watch, train};
use carryout::train::table::{Reading, Rows, read};
use carryout::train::types::{Table, Type, Wishes};
use carryout::train::{carry, report};
use carryout::{Error, Kind};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  carryout train loans.csv --target approved -o loans.carry
  carryout train rides.csv.gz --target minutes --model forest --set n_trees=200 -o rides.carry --report rides.html
  carryout train loans.csv --target approved --threshold best --positive yes -o loans.carry
  carryout train rides.csv --task anomaly --set contamination=0.01 --types ride_id=skip -o outliers.carry
  zcat prices.csv.gz | carryout train - --target price --model auto --budget 30 -o prices.carry
  carryout pack loans.carry -o pkg/loans

Without --model several are compared in cross-validation on the training rows and the best is kept. All figures are of \
rows that nothing was fitted on (--held-out). The same command on the same data makes the same bytes, except where the \
--budget ran out.

Models:";

/// Train a model from a CSV file
#[derive(Args)]
#[command(after_help = help())]
pub struct Arguments {
    /// CSV with a header line, plain or gzipped; `-` is standard input
    data: PathBuf,
    /// The column to predict
    #[arg(short, long, value_name = "COLUMN")]
    target: Option<String>,
    /// Where to write the model
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// What to do with it; by default as the target's values look
    #[arg(long)]
    task: Option<Job>,
    /// The estimator, or auto
    #[arg(short, long, default_value = "auto")]
    model: String,
    /// A parameter of the estimator, e.g. n_trees=200
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, Value)>,
    /// An HTML report beside the model
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// What columns hold, e.g. zip=category,when=date,id=skip (number, integer, boolean, category, date, skip)
    #[arg(long, value_name = "COLUMN=TYPE", value_delimiter = ',', value_parser = typed, help_heading = "Reading the data")]
    types: Vec<(String, Type)>,
    /// A text that means a missing value, beside an empty cell and, among numbers, NA, null, ? and the like
    #[arg(long, value_name = "TEXT", help_heading = "Reading the data")]
    missing: Vec<String>,
    /// The delimiter, where it is not seen: one character, or tab
    #[arg(long, value_parser = delimiter, help_heading = "Reading the data")]
    delimiter: Option<u8>,
    /// The encoding, where it is not seen, e.g. windows-1252
    #[arg(long, help_heading = "Reading the data")]
    encoding: Option<String>,
    /// Use a random sample of so many rows
    #[arg(long, value_name = "COUNT", help_heading = "Reading the data")]
    rows: Option<usize>,
    /// What the rows read may take; of a larger file a random sample is kept (K, M, G: powers of 1024)
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size, help_heading = "Reading the data")]
    memory: usize,
    /// Rows to judge by that nothing is fitted on: a share of all, or another CSV file
    #[arg(long, value_name = "SHARE|FILE", default_value = "0.2", help_heading = "Judging")]
    held_out: String,
    /// From which probability on the positive class is predicted: a number, or best (of F1, in cross-validation)
    #[arg(long, value_parser = threshold, help_heading = "Judging")]
    threshold: Option<Threshold>,
    /// Of two classes, the one that the threshold speaks of; the last in order by default
    #[arg(long, value_name = "CLASS", help_heading = "Judging")]
    positive: Option<String>,
    /// Parts of cross-validation
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=100), help_heading = "Judging")]
    folds: u64,
    /// How long auto may compare, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, help_heading = "Judging")]
    budget: f64,
    /// Of all that is random
    #[arg(long, default_value_t = 0, help_heading = "Judging")]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Job {
    Classification,
    Regression,
    Anomaly,
    Clustering,
}

impl From<Job> for Task {
    fn from(job: Job) -> Task {
        match job {
            Job::Classification => Task::Classification,
            Job::Regression => Task::Regression,
            Job::Anomaly => Task::Anomaly,
            Job::Clustering => Task::Clustering,
        }
    }
}

/// The examples, and each task's models with their parameters.
fn help() -> String {
    let mut text = EXAMPLES.to_owned();
    for task in [Task::Classification, Task::Regression, Task::Anomaly, Task::Clustering] {
        text.push_str(&format!("\n  {}\n", task.name()));
        for known in KNOWN.iter().filter(|known| known.task == task) {
            let defaults = (known.parameters)();
            let parameters: Vec<String> = defaults
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| match value {
                    Value::Null => name.clone(),
                    Value::String(text) => format!("{name}={text}"),
                    value => format!("{name}={value}"),
                })
                .collect();
            text.push_str(format!("    {:<12} {}", known.name, parameters.join(" ")).trim_end());
            text.push('\n');
        }
    }
    text
}

fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    match value {
        Value::Number(_) | Value::String(_) => Ok((name.to_owned(), value)),
        _ => Err("a number or a word is expected".into()),
    }
}

fn typed(text: &str) -> Result<(String, Type), String> {
    let (name, word) = text.rsplit_once('=').ok_or("expected COLUMN=TYPE")?;
    let names: Vec<&str> = Type::NAMES.iter().map(|(name, _)| *name).collect();
    Ok((
        name.to_owned(),
        Type::parse(word).ok_or_else(|| format!("no type is named {word:?}; there are {}", names.join(", ")))?,
    ))
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\n' | b'\r') => Ok(*one),
        _ => Err("one ASCII character, or the word tab, is expected".into()),
    }
}

fn size(text: &str) -> Result<usize, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: usize = digits.parse().map_err(|_| format!("{text:?} is not a size"))?;
    number.checked_mul(1 << shift).filter(|&size| size >= 1 << 16).ok_or("from 64K up to what memory there is".into())
}

fn threshold(text: &str) -> Result<Threshold, String> {
    if text == "best" {
        return Ok(Threshold::Best);
    }
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(Threshold::At(value)),
        _ => Err("a probability from 0 to 1, or the word best, is expected".into()),
    }
}

pub fn run(arguments: Arguments, json: bool) -> Outcome {
    let reading = Reading {
        delimiter: arguments.delimiter,
        encoding: arguments.encoding.clone(),
        most_bytes: arguments.memory,
        most_rows: arguments.rows,
        seed: arguments.seed,
    };
    let inputs = [arguments.data.as_path(), Path::new(&arguments.held_out)];
    claim("-o", &arguments.output, &inputs, Replaces::Models)?;
    if let Some(report) = &arguments.report {
        if same(report, &arguments.output) {
            return Err(Failure::usage("the model and the report are one file", "Name another with --report."));
        }
        claim("--report", report, &inputs, Replaces::Pages)?;
    }
    if !arguments.budget.is_finite() || arguments.budget < 0.0 {
        return Err(Failure::usage("--budget is no number of seconds", "Give one: --budget 60."));
    }
    let mut progress = Progress::new(json);
    progress.doing("reading", 0.0);
    let mut rows = table(&arguments.data, &reading)?;
    let held_out = match arguments.held_out.parse::<f64>() {
        Ok(share) if (0.0..1.0).contains(&share) => HeldOut::Share(share),
        Ok(_) => {
            return Err(Failure::usage(
                "--held-out is a share below 1",
                "Give 0.2 for a fifth, 0 for none, or a file.",
            ));
        }
        Err(_) => {
            let path = PathBuf::from(&arguments.held_out);
            let other = table(&path, &Reading { most_rows: None, ..reading.clone() })?;
            let from = rows.len();
            rows.append(other).map_err(|error| error.at(shown(&path)))?;
            HeldOut::From(from)
        }
    };
    let types: BTreeMap<String, Type> = arguments.types.iter().cloned().collect();
    let request = Request {
        wishes: Wishes { types, target: arguments.target.clone(), labels: None, missing: arguments.missing.clone() },
        task: arguments.task.map(Task::from),
        model: arguments.model.clone(),
        set: arguments.set.clone(),
        seed: arguments.seed,
        held_out,
        threshold: arguments.threshold,
        positive: arguments.positive.clone(),
        budget: Duration::try_from_secs_f64(arguments.budget).unwrap_or(Duration::MAX),
        folds: arguments.folds as usize,
        importance: true,
        command: command(),
        data: name(&arguments.data),
    };
    let Trained { model, report } =
        train(&rows, &request, &mut progress).map_err(|error| error.at(shown(&arguments.data)))?;
    progress.doing("writing", 1.0);
    let bytes = carry::write(&model, &report)?;
    whole(&arguments.output, &bytes)?;
    if let Some(path) = &arguments.report {
        whole(path, report::html(&report).as_bytes())?;
    }
    progress.end();
    let mut out = io::stdout().lock();
    if json {
        let mut answer = serde_json::to_value(&report).map_err(|error| Error::new(Kind::Io, error.to_string()))?;
        if let Some(object) = answer.as_object_mut() {
            object.insert("output".into(), json!({ "file": arguments.output, "bytes": bytes.len() }));
        }
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    write!(out, "{}", report::text(&report))?;
    let file = shown(&arguments.output);
    writeln!(out, "\n{file}  {}", term::bytes(bytes.len()))?;
    if let Some(path) = &arguments.report {
        writeln!(out, "{}", shown(path))?;
    }
    let package = carryout::package::name_from(&stem(&arguments.output));
    writeln!(out, "\nPack it\n  carryout pack {file} -o pkg/{package}")?;
    Ok(())
}

fn table(path: &Path, reading: &Reading) -> Outcome<Rows> {
    Ok(read(open(path)?, reading).map_err(|error| error.at(shown(path)))?)
}

/// A path without its folders.
fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| shown(path), |name| name.to_string_lossy().into_owned())
}

/// The command line, less what does not change the model: where it is written, and folders.
fn command() -> String {
    let mut words = vec!["carryout".to_owned()];
    let mut arguments = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = arguments.next() {
        let flag = word.split('=').next().unwrap_or("");
        if matches!(flag, "-o" | "--output" | "--report") {
            if flag == word {
                arguments.next();
            }
            continue;
        }
        if word == "--json" {
            continue;
        }
        let path = Path::new(&word);
        let word = if path.is_absolute() || path.exists() { name(path) } else { word };
        let plain = word.chars().all(|c| c.is_alphanumeric() || "-_.,=/:+@%".contains(c)) && !word.is_empty();
        words.push(if plain { word } else { format!("'{}'", word.replace('\'', "'\\''")) });
    }
    words.join(" ")
}

/// What is being done, on standard error. Where that is no terminal indicatif hides the bar, and a line a candidate is all.
struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(quiet: bool) -> Progress {
        if quiet {
            return Progress { bar: None };
        }
        let bar = ProgressBar::new(1000);
        // The template is fixed and right.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_bar} {elapsed}  {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress { bar: Some(bar) }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Progress {
    fn doing(&mut self, what: &str, done: f64) {
        if let Some(bar) = &self.bar {
            bar.set_message(term::printable(what));
            bar.set_position((done * 1000.0) as u64);
        }
    }

    fn compared(&mut self, score: &str, candidate: &Candidate) {
        let Some(bar) = &self.bar else { return };
        let line = report::candidate(score, candidate);
        bar.suspend(|| {
            // Where standard error is closed nobody waits for it.
            let _ = writeln!(io::stderr().lock(), "{}", term::printable(&line));
        });
    }

    fn table(&mut self, reading: &[String], table: &Table, _task: Task) {
        // The report has it all again; a person who waits wants to see now whether the types are right.
        let Some(bar) = self.bar.as_ref().filter(|_| io::stderr().is_terminal()) else { return };
        let text = report::column_table(&table.reports);
        bar.suspend(|| {
            let mut out = io::stderr().lock();
            for line in reading {
                let _ = writeln!(out, "{}", term::printable(line));
            }
            let _ = writeln!(out, "\n{text}");
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

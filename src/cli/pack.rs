//! `carryout pack`: a model file in, an npm package out.

use super::inspect::{columns, sentence, sizes};
use super::model::{Reading, shown};
use super::rows::{Rows, Sample};
use super::{Failure, Outcome, term, verify};
use carryout::Error;
use carryout::lower::{Want, lower};
use carryout::model::{ColumnKind, Model};
use carryout::package::{self, File};
use carryout::predictor::{Manifest, Predictor};
use carryout::train::report::card;
use clap::Args;
use serde_json::json;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  carryout pack model.joblib -o pkg/loan-approval
  carryout pack model.joblib -o pkg/loan --name @acme/loan --samples train.csv
  carryout pack model.pkl -o pkg/loan --samples X.jsonl --expected expected.json

The folder is an npm package: `npm install ./pkg/loan-approval`, or `npm publish` it. It needs no server and no \
network.

With --expected the model is first compared with the original's answers for the sample rows, and nothing is written \
where they differ (see `carryout verify --help`).";

/// Turn a model file into an npm package that predicts in browsers and Node
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A model file; `-` is standard input
    model: PathBuf,
    /// The folder to write
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Name of the npm package; the folder's name without it
    #[arg(long)]
    name: Option<String>,
    /// Rows (CSV or JSON lines) that show the range of each column, where the model does not know it
    #[arg(long, value_name = "ROWS")]
    samples: Option<PathBuf>,
    /// What the original answered for the sample rows: the package is only written if the answers are the same
    #[arg(long, value_name = "FILE", requires = "samples")]
    expected: Option<PathBuf>,
    /// Replace DIR even if it holds something else than a package
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    reading: Reading,
}

pub fn run(arguments: Arguments, json: bool) -> Outcome {
    let Arguments { model: path, output, name, samples, expected, force, reading } = arguments;
    let folder_name = output.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = match (name, folder_name) {
        (Some(name), _) => name,
        (None, Some(folder)) => package::name_from(&folder),
        (None, None) => return Err(Failure::usage("the folder to write has no name", "Give one: -o pkg/my-model.")),
    };
    package::check_name(&name).map_err(|error| Failure::Usage(error.at("--name")))?;
    let inputs = [Some(&path), samples.as_ref(), expected.as_ref()].into_iter().flatten().map(PathBuf::as_path);
    if let Some(input) = inputs.chain(reading.files()).find(|input| lies_in(input, &output)) {
        return Err(Failure::usage(
            format!("{} lies in {}, which would be replaced", shown(input), shown(&output)),
            "Name another folder with -o.",
        ));
    }
    let runtime = package::runtime()?;
    let (mut model, trained) = reading.model_and_report(&path)?;
    let at = |error: Error| error.at(shown(&path));
    if let Some(samples) = &samples {
        learn(&mut model, samples)?;
    }
    let mut checked = None;
    if let (Some(samples), Some(expected)) = (&samples, &expected) {
        let mut predictor = Predictor::new(&name, &model, Want::Everything).map_err(at)?;
        let report = verify::check(&mut predictor, samples, expected, None, verify::TOLERANCE)?;
        if report.differs() {
            report.print(&mut io::stderr().lock(), verify::TOLERANCE)?;
            return Err(Failure::Mismatch);
        }
        checked = Some(report);
    }
    let lowered = lower(&model, Want::Package).map_err(at)?;
    let mut options = package::Options::new(&name);
    if let Some(samples) = &samples {
        let rows = kept(&model, samples)?;
        let mut answers = match &expected {
            Some(expected) => verify::originals(&lowered.results, expected, rows.len())?,
            None => Vec::new(),
        };
        answers.resize(rows.len(), None);
        let pairs = rows.into_iter().zip(answers);
        options.samples = pairs.filter_map(|(row, expected)| Some(package::Sample { row: row?, expected })).collect();
    }
    options.checked = trained.as_ref().map(card).unwrap_or_default();
    options.checked.extend(checked.iter().flat_map(verify::Report::lines));
    let files = package::pack(&model, &lowered, runtime, &options).map_err(at)?;
    package::write(&output, &files, force)?;
    let manifest = Manifest::new(&name, &model, &lowered);
    let mut out = io::stdout().lock();
    if json {
        let checked = checked.map(|report| report.json(verify::TOLERANCE));
        let files: Vec<_> = files
            .iter()
            .map(|file| json!({ "name": file.name, "bytes": file.bytes.len(), "gzipped": package::gzipped(&file.bytes) }))
            .collect();
        writeln!(
            out,
            "{}",
            json!({ "name": name, "folder": output, "task": manifest.task, "files": files, "checked": checked })
        )?;
        return Ok(());
    }
    summary(&mut out, &manifest, &output, &files)?;
    if let Some(report) = &checked {
        writeln!(out, "\nChecked")?;
        report.print(&mut out, verify::TOLERANCE)?;
    }
    Ok(())
}

/// Whether a file is in the folder, or is what bears its name.
fn lies_in(file: &Path, folder: &Path) -> bool {
    folder.canonicalize().is_ok_and(|folder| file.canonicalize().is_ok_and(|file| file.starts_with(folder)))
}

fn summary(out: &mut dyn Write, manifest: &Manifest, folder: &Path, files: &[File]) -> io::Result<()> {
    writeln!(out, "Packed {}.\n", sentence(manifest))?;
    write!(out, "Columns\n{}", columns(manifest))?;
    let listed: Vec<(String, usize, usize)> =
        files.iter().map(|file| (file.name.to_owned(), file.bytes.len(), package::gzipped(&file.bytes))).collect();
    write!(out, "\n{}\n{}", shown(folder), sizes(&listed))?;
    let path = shown(folder);
    // npm takes `a/b` for a GitHub repository.
    let local = if folder.is_absolute() || path.starts_with('.') { path.clone() } else { format!("./{path}") };
    writeln!(out, "\nUse it\n  npm install {local}\n")?;
    for line in code(files).lines() {
        writeln!(out, "{}", format!("  {}", term::printable(line)).trim_end())?;
    }
    writeln!(out, "\nTry it\n  carryout demo {path}")
}

/// The first example of the package's README.
fn code(files: &[File]) -> String {
    let readme = files.iter().find(|file| file.name == "README.md");
    let text = readme.map_or("".into(), |file| String::from_utf8_lossy(&file.bytes));
    let block = text.split("```js\n").nth(1).and_then(|rest| rest.split("```").next());
    block.unwrap_or("").trim_end().to_owned()
}

/// Most values of sample rows that are held for the self-test to choose from.
const MOST_KEPT: usize = 1 << 20;

/// The first sample rows, in the order of the columns.
fn kept(model: &Model, path: &Path) -> Outcome<Vec<Option<Vec<serde_json::Value>>>> {
    let mut rows = Rows::open(path, None, &model.schema, model.source.is_own())?;
    let mut kept = Vec::new();
    let most = MOST_KEPT / model.schema.columns.len().max(1);
    while kept.len() < most
        && let Some(record) = rows.next()?
    {
        kept.push(rows.values(&record, &model.schema));
    }
    Ok(kept)
}

/// Takes the ranges of number columns from sample rows, where the model has none. A column of numbers of which all
/// samples are booleans is one of booleans: the model file does not tell them apart.
fn learn(model: &mut Model, path: &Path) -> Outcome {
    let mut rows = Rows::open(path, None, &model.schema, model.source.is_own())?;
    let columns = &mut model.schema.columns;
    let mut seen: Vec<(Option<(f64, f64)>, bool)> = vec![(None, false); columns.len()];
    let mut count = 0;
    while let Some(record) = rows.next()? {
        count += 1;
        for (place, (column, (range, boolean))) in columns.iter().zip(&mut seen).enumerate() {
            match rows.sample(&record, place, &column.name) {
                Sample::Number(value) if value.is_finite() => {
                    let (low, high) = range.unwrap_or((value, value));
                    *range = Some((low.min(value), high.max(value)));
                }
                Sample::Boolean => *boolean = true,
                Sample::Number(_) | Sample::Other => {}
            }
        }
    }
    if count == 0 {
        return Err(Error::input("no rows").at(shown(path)).into());
    }
    for (column, (range, boolean)) in columns.iter_mut().zip(seen) {
        match column.kind {
            ColumnKind::Number if boolean && range.is_none() => column.kind = ColumnKind::Boolean,
            ColumnKind::Number | ColumnKind::Integer if column.range.is_none() => column.range = range,
            _ => {}
        }
    }
    Ok(())
}

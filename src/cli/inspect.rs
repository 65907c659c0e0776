//! `carryout inspect`: what a model file or a packed folder holds.

use super::model::{Reading, shown, stem};
use super::output::{Replaces, claim, whole};
use super::{Outcome, term};
use carryout::Error;
use carryout::image::{Image, Kernel};
use carryout::lower::{Results, Want, lower};
use carryout::model::{Column, ColumnKind, NamesFrom, Source};
use carryout::package::{gzipped, open};
use carryout::predictor::{Manifest, json_number};
use carryout::train::report::{self, Report};
use clap::Args;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  carryout inspect model.joblib
  carryout inspect pkg/loan-approval
  carryout inspect bundle.pkl --select model
  carryout inspect loans.carry --report loans.html
  carryout inspect model.joblib --json | jq '.schema.columns[].name'";

/// Show what a model takes and answers, its steps, and what its package holds
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A model file (`-` is standard input) or a packed folder
    model: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Write the training report of a .carry file as HTML
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// A model seen from outside.
pub struct View {
    pub manifest: Manifest,
    /// Bytes of the image as they are and gzipped.
    image: (usize, usize),
    slots: usize,
    /// Rows that a run takes.
    block: usize,
    kernels: Vec<Kernel>,
    /// Files of a packed folder: name, bytes, gzipped bytes.
    files: Vec<(String, usize, usize)>,
    /// Of the training run, where carryout trained it.
    report: Option<Report>,
}

impl View {
    fn new(manifest: Manifest, image: &[u8]) -> View {
        let header = Image::open(image);
        let records = header.iter().flat_map(|header| (0..header.ops).filter_map(|number| header.record(number)));
        let mut kernels: Vec<Kernel> =
            records.filter_map(|record| Kernel::ALL.get(record.kernel as usize).copied()).collect();
        kernels.sort();
        kernels.dedup();
        let (slots, block) = header.map_or((0, 0), |header| (header.slots, header.block));
        View {
            manifest,
            image: (image.len(), gzipped(image)),
            slots,
            block,
            kernels,
            files: Vec::new(),
            report: None,
        }
    }

    fn read(path: &Path, reading: &Reading) -> Outcome<View> {
        if path.is_dir() {
            let packed = open(path)?;
            let mut view = View::new(packed.manifest, &packed.image);
            view.files = files(path)?;
            return Ok(view);
        }
        let (model, report) = reading.model_and_report(path)?;
        let lowered = lower(&model, Want::Package)?;
        Ok(View { report, ..View::new(Manifest::new(&stem(path), &model, &lowered), &lowered.image) })
    }
}

/// The files of a packed folder by name, with their sizes.
fn files(folder: &Path) -> Outcome<Vec<(String, usize, usize)>> {
    let failed = |error: io::Error| super::model::system(folder, &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_file() {
            let data = super::model::read(&entry.path(), 1 << 30)?;
            files.push((entry.file_name().to_string_lossy().into_owned(), data.len(), gzipped(&data)));
        }
    }
    files.sort();
    Ok(files)
}

pub fn run(arguments: Arguments, json: bool) -> Outcome {
    let view = View::read(&arguments.model, &arguments.reading)?;
    if let Some(file) = &arguments.report {
        let report = view.report.as_ref().ok_or_else(|| {
            Error::input("no training report in it")
                .at(shown(&arguments.model))
                .remedy("Give a .carry file that carryout train wrote.")
        })?;
        claim("--report", file, &[&arguments.model], Replaces::Pages)?;
        whole(file, report::html(report).as_bytes())?;
    }
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", view.json())?;
        return Ok(());
    }
    let manifest = &view.manifest;
    writeln!(out, "{}: {}\n", term::printable(&manifest.name), sentence(manifest))?;
    write!(out, "Columns\n{}", columns(manifest))?;
    writeln!(out, "\nAnswer\n  {}", answer(&manifest.results))?;
    if !manifest.source.outline.is_empty() {
        writeln!(out, "\nSteps of the original")?;
    }
    for line in &manifest.source.outline {
        writeln!(out, "  {}", term::printable(line))?;
    }
    let names: Vec<&str> = view.kernels.iter().map(|kernel| kernel.name()).collect();
    let (raw, packed) = view.image;
    let facts = [
        ("model data", format!("{} ({} gzipped)", term::bytes(raw), term::bytes(packed))),
        ("operations", manifest.paths.len().to_string()),
        ("routines", names.join(", ")),
        (
            "workspace",
            format!("{} for blocks of {}", term::bytes(view.slots * view.block * 8), term::count(view.block, "row")),
        ),
    ];
    let facts: Vec<Vec<String>> = facts.into_iter().map(|(name, fact)| vec![name.into(), fact]).collect();
    write!(out, "\nIn the package\n{}", term::table(&facts, "  "))?;
    if let Some(report) = &view.report {
        write!(out, "\nTraining\n{}", report::summary(report))?;
    }
    if !view.files.is_empty() {
        write!(out, "\nFiles\n{}", sizes(&view.files))?;
    }
    Ok(())
}

impl View {
    fn json(&self) -> Value {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|(name, bytes, gzipped)| json!({ "name": name, "bytes": bytes, "gzipped": gzipped }))
            .collect();
        // Serialising a manifest cannot fail: its maps have strings as keys.
        let mut body = serde_json::to_value(&self.manifest).unwrap_or_default();
        body["image"] = json!({
            "bytes": self.image.0,
            "gzipped": self.image.1,
            "slots": self.slots,
            "block": self.block,
            "kernels": self.kernels.iter().map(|kernel| kernel.name()).collect::<Vec<_>>(),
        });
        if !files.is_empty() {
            body["files"] = files.into();
        }
        if let Some(report) = &self.report {
            body["report"] = serde_json::to_value(report).unwrap_or_default();
        }
        body
    }
}

/// Files with their sizes and the sum.
pub fn sizes(files: &[(String, usize, usize)]) -> String {
    let mut rows = vec![["", "size", "gzipped"].map(str::to_owned).to_vec()];
    rows.extend(files.iter().map(|(name, raw, packed)| vec![name.clone(), term::bytes(*raw), term::bytes(*packed)]));
    let sum = |pick: fn(&(String, usize, usize)) -> usize| term::bytes(files.iter().map(pick).sum());
    rows.push(vec!["in all".into(), sum(|file| file.1), sum(|file| file.2)]);
    term::table(&rows, "  ")
}

/// `scikit-learn 1.9.1 Pipeline, classification into 2 classes from 8 columns`
pub fn sentence(manifest: &Manifest) -> String {
    let Source { library, version, estimator, .. } = &manifest.source;
    let words: Vec<&str> =
        [library, version, estimator].into_iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    let count = manifest.schema.columns.len();
    let task = match &manifest.results {
        Results::Classification { classes, .. } => {
            format!("classification into {}", term::count(classes.len(), "class"))
        }
        Results::Regression { values, .. } if values.count > 1 => {
            format!("regression of {}", term::count(values.count as usize, "target"))
        }
        Results::Regression { .. } => "regression".into(),
        Results::Several(several) => term::count(several.len(), "output"),
        Results::Anomaly { .. } => "anomaly detection".into(),
        Results::Clustering { labels, .. } => format!("clustering into {}", term::count(labels.len(), "cluster")),
        Results::Transform { values, .. } => {
            format!("transformation into {}", term::count(values.count as usize, "value"))
        }
    };
    term::printable(&format!("{}, {task} from {}", words.join(" "), term::count(count, "column")))
}

/// More columns than this are cut from a table; `--json` has them all.
const MOST_COLUMNS: usize = 40;

/// The table of columns.
pub fn columns(manifest: &Manifest) -> String {
    let columns = &manifest.schema.columns;
    let mut rows = vec![["name", "kind", "values", "missing", "read by"].map(str::to_owned).to_vec()];
    rows.extend(columns.iter().take(MOST_COLUMNS).map(row));
    let mut out = term::table(&rows, "  ");
    if columns.len() > MOST_COLUMNS {
        out.push_str(&format!("  and {} more (--json lists them all)\n", columns.len() - MOST_COLUMNS));
    }
    if columns.iter().any(|column| matches!(column.kind, ColumnKind::Code(_))) {
        out.push_str(
            "  (the model file has no names of the categories whose codes it takes; --categories FILE gives them)\n",
        );
    }
    match manifest.schema.names_from {
        NamesFrom::File => {}
        NamesFrom::User => out.push_str("  (names from --features)\n"),
        NamesFrom::Invented => {
            out.push_str("  (the model has no column names, these are made up; --features FILE gives real ones)\n");
        }
    }
    out
}

fn row(column: &Column) -> Vec<String> {
    let (kind, values) = match &column.kind {
        _ if !column.used => ("any", "any".into()),
        ColumnKind::Text if column.digits => ("text", "any, whole numbers too".into()),
        ColumnKind::Number | ColumnKind::Integer | ColumnKind::Boolean | ColumnKind::Text => {
            let range = column.range.map(|(low, high)| format!("{} to {}", json_number(low), json_number(high)));
            let kind = match column.kind {
                ColumnKind::Number => "number",
                ColumnKind::Integer => "integer",
                ColumnKind::Boolean => "boolean",
                _ => "text",
            };
            (kind, range.unwrap_or_else(|| "any".into()))
        }
        ColumnKind::Code(0) => ("code", "0 and up".into()),
        ColumnKind::Code(count) => ("code", format!("0 to {}", count - 1)),
        ColumnKind::Category(categories) => {
            let mut shown: Vec<String> = categories.iter().take(4).map(ToString::to_string).collect();
            if categories.len() > 4 {
                shown.push(format!("… {} in all", categories.len()));
            }
            if column.unknown {
                shown.push(if categories.is_empty() { "any" } else { "others" }.into());
            }
            ("category", shown.join(", "))
        }
    };
    let missing = if column.missing { "accepted" } else { "no" };
    let readers = match (column.used, column.readers.is_empty()) {
        (false, _) => "nothing: the answer does not depend on it".to_owned(),
        (true, true) => "-".to_owned(),
        // `Pipeline > num: Pipeline > SimpleImputer`: the last says most; --json has the whole path.
        (true, false) => {
            let last = |path: &String| path.rsplit(" > ").next().unwrap_or_default().to_owned();
            let mut names: Vec<String> = column.readers.iter().map(last).collect();
            names.dedup();
            names.join(", ")
        }
    };
    vec![column.name.clone(), kind.into(), values, missing.into(), readers]
}

/// What predict() returns, in its own form.
pub fn answer(results: &Results) -> String {
    let fields = match results {
        Results::Classification { classes, probabilities, scores, .. } => {
            let names: Vec<String> = classes.iter().take(6).map(ToString::to_string).collect();
            let more = if classes.len() > 6 { ", …" } else { "" };
            let by = match (probabilities, scores) {
                (Some(_), _) => ", probability, probabilities",
                (None, Some(_)) => ", scores",
                (None, None) => "",
            };
            format!("{{ label{by}, warnings }}; label is one of {}{more}", names.join(", "))
        }
        Results::Regression { values, .. } if values.count == 1 => "{ value, warnings }".into(),
        Results::Regression { names, .. } if !names.is_empty() => {
            format!("{{ values, warnings }}; values are {}", names.join(", "))
        }
        Results::Regression { .. } => "{ values, warnings }".into(),
        Results::Several(several) => {
            let inner: Vec<String> = several.iter().take(4).map(answer).collect();
            format!("{{ outputs: [ … ], warnings }}, each as of a model of its own:\n    {}", inner.join("\n    "))
        }
        Results::Anomaly { .. } => "{ outlier, score, warnings }; score is negative for outliers".into(),
        Results::Clustering { distances: Some(_), .. } => "{ cluster, distances, warnings }".into(),
        Results::Clustering { .. } => "{ cluster, warnings }".into(),
        Results::Transform { values, .. } => {
            format!("{{ transformed, warnings }}; {}", term::count(values.count as usize, "value"))
        }
    };
    term::printable(&fields)
}

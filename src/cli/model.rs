//! Reading what a command is given: a model file or a packed folder, and any file or standard input.

use super::{Failure, Outcome};
use carryout::import::pickle::Limits;
use carryout::lower::Want;
use carryout::model::{Cell, Model};
use carryout::predictor::Predictor;
use carryout::train::carry;
use carryout::train::report::Report;
use carryout::{Error, Kind, Options};
use clap::Args;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The options of every command that reads a model file.
#[derive(Args)]
pub struct Reading {
    /// Where the model sits in a file that holds several things, e.g. `model` or `models.0`
    #[arg(long, value_name = "PATH", help_heading = "Reading the model")]
    select: Option<String>,
    /// Names for the columns of a model fitted on a bare array: a file with one name a line, or a JSON list
    #[arg(long, value_name = "FILE", help_heading = "Reading the model")]
    features: Option<PathBuf>,
    /// The values of category columns, where a file has only their codes (XGBoost before 3.1) or does not say whose
    /// lists it has (LightGBM): a JSON object with a list for each column, in the order of the codes
    #[arg(long, value_name = "FILE", help_heading = "Reading the model")]
    categories: Option<PathBuf>,
    /// Read a pickle that names code outside any model (it is never run)
    #[arg(long, help_heading = "Reading the model")]
    trust: bool,
    /// What the model makes of a row as a transformer, where it can also predict (distances, projections)
    #[arg(long, help_heading = "Reading the model")]
    transform: bool,
    /// Raise a limit that an error names, e.g. heap_bytes=2G (K, M, G: powers of 1024)
    #[arg(long = "limit", value_name = "NAME=COUNT", value_parser = limit, help_heading = "Reading the model")]
    limits: Vec<(String, usize)>,
}

/// Splits `heap_bytes=2G`.
fn limit(text: &str) -> Result<(String, usize), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=COUNT")?;
    let (digits, shift) = match value.as_bytes().last() {
        Some(b'K' | b'k') => (&value[..value.len() - 1], 10),
        Some(b'M' | b'm') => (&value[..value.len() - 1], 20),
        Some(b'G' | b'g') => (&value[..value.len() - 1], 30),
        _ => (value, 0),
    };
    let number: usize = digits.parse().map_err(|_| format!("{value:?} is not a count"))?;
    let count = number.checked_mul(1 << shift).ok_or("too large")?;
    set(&mut Limits::default(), name, count).ok_or_else(|| format!("there is no limit {name:?}"))?;
    Ok((name.to_owned(), count))
}

fn set(limits: &mut Limits, name: &str, value: usize) -> Option<()> {
    let Limits {
        input_bytes,
        decompressed_bytes,
        ratio,
        ratio_floor,
        lzma_dictionary,
        heap_bytes,
        depth,
        array_bytes,
    } = limits;
    let field = match name {
        "input_bytes" => input_bytes,
        "decompressed_bytes" => decompressed_bytes,
        "ratio" => ratio,
        "ratio_floor" => ratio_floor,
        "lzma_dictionary" => lzma_dictionary,
        "heap_bytes" => heap_bytes,
        "depth" => depth,
        "array_bytes" => array_bytes,
        _ => return None,
    };
    *field = value;
    Some(())
}

impl Reading {
    /// The files that are read beside the model.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.features, &self.categories].into_iter().flatten().map(PathBuf::as_path)
    }

    fn options(&self) -> Outcome<Options> {
        let mut limits = Limits::default();
        for (name, value) in &self.limits {
            // `limit` checked the names.
            set(&mut limits, name, *value);
        }
        let features = match &self.features {
            Some(path) => Some(names(path)?),
            None => None,
        };
        let categories = match &self.categories {
            Some(path) => categories(path)?,
            None => BTreeMap::new(),
        };
        let (select, trust, transform) = (self.select.clone(), self.trust, self.transform);
        Ok(Options { limits, select, features, categories, trust, transform })
    }

    /// Imports a model file.
    pub fn model(&self, path: &Path) -> Outcome<Model> {
        Ok(self.model_and_report(path)?.0)
    }

    /// Imports a model file; one that `carryout train` wrote has a report.
    pub fn model_and_report(&self, path: &Path) -> Outcome<(Model, Option<Report>)> {
        let options = self.options()?;
        let bytes = read(path, options.limits.input_bytes)?;
        Ok(carry::open(&bytes, &options).map_err(|error| error.at(shown(path)))?)
    }

    /// A predictor for a model file or, where `path` is a folder, for the package in it.
    pub fn predictor(&self, path: &Path, want: Want) -> Outcome<Predictor> {
        if path.is_dir() {
            return Ok(Predictor::from_package(path)?);
        }
        let model = self.model(path)?;
        Ok(Predictor::new(&stem(path), &model, want).map_err(|error| error.at(shown(path)))?)
    }
}

/// One name a line, or a JSON list.
fn names(path: &Path) -> Outcome<Vec<String>> {
    let bytes = read(path, 64 << 20)?;
    let wrong = |what: String| {
        Failure::from(
            Error::input(what)
                .at(shown(path))
                .remedy("Give a text file with one name a line, or a JSON list of names."),
        )
    };
    let text = String::from_utf8(bytes).map_err(|_| wrong("not UTF-8 text".into()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let names: Vec<String> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(|error| wrong(format!("not a list of names: {error}")))?
    } else {
        text.lines().map(str::to_owned).collect()
    };
    match names.is_empty() {
        true => Err(wrong("no names".into())),
        false => Ok(names),
    }
}

/// A JSON object of lists.
fn categories(path: &Path) -> Outcome<BTreeMap<String, Vec<Cell>>> {
    let bytes = read(path, 64 << 20)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::input(format!("not lists of categories by column: {error}"))
            .at(shown(path))
            .remedy("Give a JSON object such as {\"city\": [\"Oslo\", \"Zürich\"]}.")
            .into()
    })
}

/// How a path stands in messages.
pub fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.display().to_string() }
}

/// The file name without its extensions, for a package's name.
pub fn stem(path: &Path) -> String {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    name.trim_start_matches('.').split('.').next().unwrap_or("").to_owned()
}

/// An error of the operating system about a file.
pub fn system(path: &Path, error: &io::Error) -> Error {
    let text = error.to_string();
    // "No such file or directory (os error 2)": the number helps nobody.
    let text = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
    let error = Error::new(Kind::Io, text).at(shown(path));
    if path == Path::new("-") || path.exists() {
        return error;
    }
    error.remedy("Check the path; it is taken from the current folder.")
}

/// Opens a file, or standard input for `-`.
pub fn open(path: &Path) -> Outcome<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    if path.is_dir() {
        return Err(Error::new(Kind::Io, "a folder where a file is expected").at(shown(path)).into());
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(system(path, &error).into()),
    }
}

/// Reads a file whole, up to `most` bytes.
pub fn read(path: &Path, most: usize) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|error| system(path, &error))?;
    if bytes.len() > most {
        return Err(Error::limit(format!("the file is larger than {most} bytes (limit input_bytes)"))
            .at(shown(path))
            .remedy("If you trust this file, raise it: --limit input_bytes=4G.")
            .into());
    }
    Ok(bytes)
}

//! Rows of data from CSV or JSON lines, one at a time: memory is bounded by the longest row allowed.

use super::model::{open, shown, system};
use super::{Failure, Outcome, term};
use carryout::Error;
use carryout::model::{Cell as Category, Column, ColumnKind, NamesFrom, Schema};
use carryout::predictor::{Predictor, json_string};
use clap::ValueEnum;
use serde_json::Value;
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The form of a file of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    // Plain comments: `--help` would make a paragraph of each.
    // A header line, then a row a line.
    Csv,
    // A row a line: an object by column name, a list in column order or, for a model of one column, the value.
    Jsonl,
}

impl Form {
    /// By the name's extension.
    pub fn of(path: &Path) -> Option<Form> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" | "tsv" | "tab" => Some(Form::Csv),
            "jsonl" | "ndjson" | "json" => Some(Form::Jsonl),
            _ => None,
        }
    }
}

/// Longest row, in bytes.
const LONGEST: u64 = 16 << 20;

/// A row as it came.
pub enum Record {
    Csv(csv::StringRecord),
    Json(Value),
}

/// What a field of a row is, before it is known what it should be.
pub enum Sample {
    Number(f64),
    Boolean,
    Other,
}

pub struct Rows {
    path: PathBuf,
    source: Source,
    /// Rows read so far, the last one's number.
    number: u64,
    /// Line of the last row.
    line: u64,
    read: Rc<Cell<u64>>,
}

enum Source {
    Csv {
        reader: csv::Reader<Metered>,
        header: Vec<String>,
        places: Vec<Option<usize>>,
        unread: Rc<Cell<u64>>,
        /// Bytes of the last row: the next is about as long.
        length: usize,
    },
    Jsonl {
        reader: BufReader<Metered>,
        line: Vec<u8>,
    },
}

/// Counts what was read, and refuses to go on within one row for ever.
struct Metered {
    inner: Box<dyn Read>,
    read: Rc<Cell<u64>>,
    /// Bytes since the last row ended.
    unread: Rc<Cell<u64>>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        self.unread.set(self.unread.get() + count as u64);
        if self.unread.get() > LONGEST + (1 << 16) {
            return Err(io::Error::other(format!("a row longer than {LONGEST} bytes")));
        }
        Ok(count)
    }
}

impl Rows {
    /// Opens a file (`-` is standard input) and, for CSV, finds the schema's columns in its header.
    pub fn open(path: &Path, form: Option<Form>, schema: &Schema) -> Outcome<Rows> {
        let (read, unread) = (Rc::<Cell<u64>>::default(), Rc::<Cell<u64>>::default());
        let inner = open(path)?;
        let mut reader = BufReader::new(Metered { inner, read: read.clone(), unread: unread.clone() });
        let start = reader.fill_buf().map_err(|error| system(path, &error))?;
        let form = form.or_else(|| Form::of(path)).unwrap_or_else(|| guess(start));
        let source = match form {
            Form::Jsonl => Source::Jsonl { reader, line: Vec::new() },
            Form::Csv => {
                let delimiter = delimiter(start);
                // The bytes already buffered go in front of the rest.
                let buffered = io::Cursor::new(start.to_vec());
                let rest = reader.into_inner();
                let inner = Box::new(buffered.chain(rest.inner));
                let metered = Metered { inner, read: Rc::default(), unread: unread.clone() };
                read.set(0);
                let metered = Metered { read: read.clone(), ..metered };
                csv_source(path, metered, delimiter, unread, schema)?
            }
        };
        Ok(Rows { path: path.to_owned(), source, number: 0, line: 0, read })
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    /// The header of a CSV file.
    pub fn header(&self) -> Option<&[String]> {
        match &self.source {
            Source::Csv { header, .. } => Some(header),
            Source::Jsonl { .. } => None,
        }
    }

    /// Where the last row is.
    pub fn place(&self, number: u64) -> String {
        match &self.source {
            Source::Csv { .. } => format!("{}, row {number}", shown(&self.path)),
            Source::Jsonl { .. } => format!("{}, line {number}", shown(&self.path)),
        }
    }

    /// Number of the last row: rows are counted from 1 without the header in CSV, lines in JSON lines.
    pub fn number(&self) -> u64 {
        match &self.source {
            Source::Csv { .. } => self.number,
            Source::Jsonl { .. } => self.line,
        }
    }

    /// The next row; blank lines are skipped.
    pub fn next(&mut self) -> Outcome<Option<Record>> {
        match &mut self.source {
            Source::Csv { reader, header, unread, length, .. } => {
                unread.set(0);
                let mut record = csv::StringRecord::with_capacity(*length, header.len());
                let more = reader.read_record(&mut record);
                *length = record.as_slice().len();
                self.number += 1;
                match more {
                    Ok(true) => Ok(Some(Record::Csv(record))),
                    Ok(false) => Ok(None),
                    Err(error) => Err(self.broken(&error).into()),
                }
            }
            Source::Jsonl { reader, line } => loop {
                line.clear();
                let count = reader.by_ref().take(LONGEST + 1).read_until(b'\n', line);
                let count = count.map_err(|error| system(&self.path, &error))?;
                if count == 0 {
                    return Ok(None);
                }
                self.line += 1;
                reader.get_ref().unread.set(0);
                let place =
                    |error: Error| Failure::from(error.at(format!("{}, line {}", shown(&self.path), self.line)));
                if count as u64 > LONGEST {
                    return Err(place(Error::input(format!("a row longer than {LONGEST} bytes"))));
                }
                let text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
                if text.is_empty() {
                    continue;
                }
                return match serde_json::from_slice(text) {
                    Ok(row) => Ok(Some(Record::Json(row))),
                    Err(error) => {
                        // serde_json ends with "at line 1 column 7"; the line is ours.
                        let message = error.to_string();
                        let message = message.split(" at line ").next().unwrap_or(&message);
                        let remedy =
                            "Write one row a line, as JSON; `jq -c '.[]' FILE` turns a JSON list into such lines.";
                        Err(place(
                            Error::input(format!("not JSON: {message}, column {}", error.column())).remedy(remedy),
                        ))
                    }
                };
            },
        }
    }

    fn broken(&self, error: &csv::Error) -> Error {
        match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                Error::input(format!("{}, but the header has {}", term::count(*len as usize, "field"), expected_len))
                    .remedy("A comma inside a field needs quotes around the field.")
                    .at(self.place(self.number))
            }
            csv::ErrorKind::Utf8 { .. } => Error::input("not UTF-8 text")
                .remedy("Save the file as CSV with UTF-8 encoding.")
                .at(self.place(self.number)),
            csv::ErrorKind::Io(error) => system(&self.path, error),
            _ => Error::input(error.to_string()).at(self.place(self.number)),
        }
    }

    /// A column's field in a row.
    pub fn sample(&self, record: &Record, place: usize, name: &str) -> Sample {
        match (record, &self.source) {
            (Record::Csv(record), Source::Csv { places, .. }) => {
                let cell = places.get(place).copied().flatten().and_then(|place| record.get(place));
                match cell.unwrap_or("").trim() {
                    "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Sample::Boolean,
                    text => text.parse().map_or(Sample::Other, Sample::Number),
                }
            }
            (Record::Json(row), _) => {
                let field = match row {
                    Value::Object(fields) => fields.get(name).unwrap_or(&Value::Null),
                    Value::Array(values) => values.get(place).unwrap_or(&Value::Null),
                    value => value,
                };
                match field {
                    Value::Bool(_) => Sample::Boolean,
                    field => field.as_f64().map_or(Sample::Other, Sample::Number),
                }
            }
            (Record::Csv(_), Source::Jsonl { .. }) => Sample::Other,
        }
    }

    /// The row in the order of the columns, as `predict` of the package takes it; None where it is no such row.
    pub fn values(&self, record: &Record, schema: &Schema) -> Option<Vec<Value>> {
        match (record, &self.source) {
            (Record::Csv(record), Source::Csv { places, .. }) => {
                let cells = places.iter().map(|place| place.and_then(|place| record.get(place)).unwrap_or(""));
                Some(schema.columns.iter().zip(cells).map(|(column, cell)| typed(column, cell)).collect())
            }
            (Record::Json(Value::Object(fields)), _) => {
                let field = |column: &Column| fields.get(&column.name).cloned().unwrap_or(Value::Null);
                Some(schema.columns.iter().map(field).collect())
            }
            (Record::Json(Value::Array(values)), _) => Some(values.clone()),
            (Record::Json(value), _) => Some(vec![value.clone()]),
            (Record::Csv(_), Source::Jsonl { .. }) => None,
        }
    }

    /// Adds a row to the predictor's block.
    pub fn stage(&self, record: &Record, predictor: &mut Predictor) -> Outcome {
        let done = match (record, &self.source) {
            (Record::Csv(record), Source::Csv { places, .. }) => {
                let cells: Vec<Option<&str>> =
                    places.iter().map(|place| place.and_then(|place| record.get(place))).collect();
                predictor.push_texts(&cells)
            }
            (Record::Json(row), _) => predictor.push(row),
            (Record::Csv(_), _) => Err(Error::input("a CSV record among JSON lines")),
        };
        Ok(done.map_err(|error| error.at(self.place(self.number())))?)
    }
}

/// A cell of CSV as a value of the column; what does not fit is left to `predict` to refuse.
fn typed(column: &Column, cell: &str) -> Value {
    let number = || cell.trim().parse::<f64>().ok();
    match &column.kind {
        _ if cell.is_empty() || !column.used => Value::Null,
        ColumnKind::Category(values)
            if values.iter().any(|value| matches!(value, Category::Str(text) if text == cell)) =>
        {
            cell.into()
        }
        ColumnKind::Text => cell.into(),
        _ if matches!(cell, "true" | "True" | "TRUE") => true.into(),
        _ if matches!(cell, "false" | "False" | "FALSE") => false.into(),
        _ => number().map_or_else(|| cell.into(), Value::from),
    }
}

/// JSON where it begins like a row in JSON.
fn guess(start: &[u8]) -> Form {
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start).trim_ascii_start();
    if start.starts_with(b"{") || start.starts_with(b"[") { Form::Jsonl } else { Form::Csv }
}

/// A comma, unless the first line has none but semicolons or tabs.
fn delimiter(start: &[u8]) -> u8 {
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or(start);
    [b',', b';', b'\t'].into_iter().find(|one| line.contains(one)).unwrap_or(b',')
}

fn csv_source(
    path: &Path,
    metered: Metered,
    delimiter: u8,
    unread: Rc<Cell<u64>>,
    schema: &Schema,
) -> Outcome<Source> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(metered);
    let mut first = csv::StringRecord::new();
    let wrong = |message: String, remedy: String| Failure::from(Error::input(message).at(shown(path)).remedy(remedy));
    if !reader
        .read_record(&mut first)
        .map_err(|error| wrong(error.to_string(), "Save the file as UTF-8 CSV.".into()))?
    {
        return Err(wrong("no rows".into(), "The first line must name the columns.".into()));
    }
    let header: Vec<String> = first.iter().map(str::to_owned).collect();
    let find = |name: &str| header.iter().position(|title| title == name);
    let columns = &schema.columns;
    let mut places: Vec<Option<usize>> = columns.iter().map(|column| find(&column.name)).collect();
    // Invented names are in no file: then the columns count by their order.
    if schema.names_from == NamesFrom::Invented && places.iter().all(Option::is_none) && header.len() == columns.len()
    {
        if header.iter().any(|title| title.trim().parse::<f64>().is_ok()) {
            return Err(wrong(
                "the first line holds numbers where the columns' names are expected".into(),
                "Put a line with a name for each column on top; any names will do, the model has none.".into(),
            ));
        }
        term::note("the model has no column names; the file's columns are taken in their order");
        places = (0..columns.len()).map(Some).collect();
    }
    let unknown = places.iter().all(Option::is_none);
    let list = |names: &[&str]| {
        let shown: Vec<String> = names.iter().take(12).map(|name| json_string(name)).collect();
        let more = names.len().saturating_sub(12);
        if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
    };
    let titles: Vec<&str> = header.iter().map(String::as_str).collect();
    let absent = |wanted: bool| -> Vec<&str> {
        let pairs = columns.iter().zip(&places);
        pairs
            .filter(|(column, place)| place.is_none() && column.missing != wanted)
            .map(|(c, _)| c.name.as_str())
            .collect()
    };
    let required = if unknown { columns.iter().map(|column| column.name.as_str()).collect() } else { absent(true) };
    if !required.is_empty() {
        let message = match required.len() {
            _ if unknown => format!("none of the model's columns: {}", list(&required)),
            1 => format!("no column {}, which the model needs", list(&required)),
            _ => format!("no columns {}, which the model needs", list(&required)),
        };
        return Err(wrong(message, format!("The file has: {}.", list(&titles))));
    }
    let optional = absent(false);
    if !optional.is_empty() {
        term::note(&format!("{}: no column {}; taken as missing", shown(path), list(&optional)));
    }
    for column in columns {
        if titles.iter().filter(|title| **title == column.name).count() > 1 {
            let message = format!("two columns are named {}", json_string(&column.name));
            return Err(wrong(message, "Rename or remove one of them.".into()));
        }
    }
    Ok(Source::Csv { reader, header, places, unread, length: 0 })
}

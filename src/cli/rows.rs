//! Rows of data from CSV or JSON lines, one at a time: memory is bounded by the longest row allowed.

use super::model::{open, shown, system};
use super::{Failure, Outcome, term};
use carryout::Error;
use carryout::model::{Cell as Category, Column, ColumnKind, NamesFrom, Schema};
use carryout::predictor::{Predictor, json_string};
use carryout::train::table;
use carryout::train::types::{Dates, decimal_comma, part_of, pointed};
use clap::ValueEnum;
use serde_json::Value;
use std::borrow::Cow;
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
        reader: csv::Reader<Box<dyn Read>>,
        header: Vec<String>,
        /// One a column of the model.
        fields: Vec<Option<Field>>,
        /// Whether every field is taken as it stands.
        plain: bool,
        unread: Rc<Cell<u64>>,
        /// Bytes of the last row: the next is about as long.
        length: usize,
    },
    Jsonl {
        reader: Box<dyn BufRead>,
        line: Vec<u8>,
    },
}

/// Where a column of the model is in a CSV file, and what its cells need.
#[derive(Clone, Copy)]
struct Field {
    place: usize,
    written: Written,
}

#[derive(Clone, Copy)]
enum Written {
    Plain,
    DecimalComma,
    /// The column is this part of dates.
    Part(Dates, usize),
}

impl Field {
    /// The cell as the model takes it; what is written in another way is left for the model to refuse.
    fn of<'a>(&self, record: &'a csv::StringRecord) -> Option<Cow<'a, str>> {
        let cell = record.get(self.place)?;
        let made = match self.written {
            Written::Plain => None,
            Written::DecimalComma => pointed(cell),
            Written::Part(dates, part) => dates.part(cell, part).map(|value| value.to_string()),
        };
        Some(made.map_or(Cow::Borrowed(cell), Cow::Owned))
    }
}

/// Counts what was read.
struct Counted {
    inner: Box<dyn Read>,
    read: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

impl Rows {
    /// Opens a file (`-` is standard input) and, for CSV, finds the model's columns in its header. CSV is read as
    /// `train` reads it: compression, encoding, delimiter, decimal commas; a model that carryout `trained` on parts
    /// of dates finds them in the dates. All this is told from the beginning of the file.
    pub fn open(path: &Path, form: Option<Form>, schema: &Schema, trained: bool) -> Outcome<Rows> {
        let read = Rc::<Cell<u64>>::default();
        let inner = open(path)?;
        let mut reader = BufReader::with_capacity(1 << 16, Counted { inner, read: read.clone() });
        let start = reader.fill_buf().map_err(|error| system(path, &error))?;
        let form = form.or_else(|| Form::of(path)).unwrap_or_else(|| guess(start));
        let source = match form {
            Form::Jsonl => Source::Jsonl { reader: Box::new(reader), line: Vec::new() },
            Form::Csv => {
                let opened = table::open(Box::new(reader), None, None).map_err(|error| error.at(shown(path)))?;
                csv_source(path, opened, schema, trained)?
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
            Source::Csv { .. } => format!("{}, {}", shown(&self.path), table::place(number)),
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
            Source::Csv { reader, header, unread, length, .. } => loop {
                unread.set(0);
                let mut record = csv::StringRecord::with_capacity(*length, header.len());
                let more = reader.read_record(&mut record);
                // A line of blanks is as empty as one of nothing, which the reader skips.
                if more.is_err() && record.len() == 1 && record[0].trim().is_empty() {
                    continue;
                }
                *length = record.as_slice().len();
                self.number += 1;
                return match more {
                    Ok(true) => Ok(Some(Record::Csv(record))),
                    Ok(false) => Ok(None),
                    Err(error) => Err(self.broken(error).into()),
                };
            },
            Source::Jsonl { reader, line } => loop {
                line.clear();
                let count = reader.by_ref().take(LONGEST + 1).read_until(b'\n', line);
                let count = count.map_err(|error| system(&self.path, &error))?;
                if count == 0 {
                    return Ok(None);
                }
                self.line += 1;
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
                    Ok(Value::Array(row)) if row.iter().any(|value| value.is_array() || value.is_object()) => {
                        Err(place(Error::input("a list of rows").remedy(A_ROW_A_LINE)))
                    }
                    Ok(row) => Ok(Some(Record::Json(row))),
                    Err(error) => {
                        // serde_json ends with "at line 1 column 7"; the line is ours.
                        let message = error.to_string();
                        let message = message.split(" at line ").next().unwrap_or(&message);
                        let remedy = if is_no_number(text, &error) { NO_NUMBERS } else { A_ROW_A_LINE };
                        Err(place(
                            Error::input(format!("not JSON: {message}, column {}", error.column())).remedy(remedy),
                        ))
                    }
                };
            },
        }
    }

    fn broken(&self, error: csv::Error) -> Error {
        table::broken(error, self.number).at(shown(&self.path))
    }

    /// A column's field in a row.
    pub fn sample(&self, record: &Record, place: usize, name: &str) -> Sample {
        match (record, &self.source) {
            (Record::Csv(record), Source::Csv { fields, .. }) => {
                let cell = fields.get(place).and_then(|field| field.as_ref()?.of(record));
                match cell.unwrap_or_default().trim() {
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
            (Record::Csv(record), Source::Csv { fields, .. }) => {
                let cells = fields.iter().map(|field| field.and_then(|field| field.of(record)).unwrap_or_default());
                Some(schema.columns.iter().zip(cells).map(|(column, cell)| typed(column, &cell)).collect())
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
            (Record::Csv(record), Source::Csv { fields, plain: true, .. }) => {
                let cells: Vec<Option<&str>> =
                    fields.iter().map(|field| field.and_then(|field| record.get(field.place))).collect();
                predictor.push_texts(&cells)
            }
            (Record::Csv(record), Source::Csv { fields, .. }) => {
                let cells: Vec<Option<Cow<str>>> =
                    fields.iter().map(|field| field.as_ref().and_then(|field| field.of(record))).collect();
                predictor.push_texts(&cells.iter().map(Option::as_deref).collect::<Vec<_>>())
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
            if values.iter().all(|value| matches!(value, Category::Str(_)))
                || values.iter().any(|value| matches!(value, Category::Str(text) if text == cell)) =>
        {
            cell.into()
        }
        ColumnKind::Text => cell.into(),
        _ if matches!(cell, "true" | "True" | "TRUE") => true.into(),
        _ if matches!(cell, "false" | "False" | "FALSE") => false.into(),
        _ => number().map_or_else(|| cell.into(), Value::from),
    }
}

const A_ROW_A_LINE: &str = "Write one row a line, as JSON; `jq -c '.[]' FILE` turns a JSON list into such lines.";
pub const NO_NUMBERS: &str = "JSON has no NaN and no Infinity, though Python's json.dumps writes them. Write null for a \
     missing value, as DataFrame.to_json does.";

/// Whether what is no JSON is a NaN or an Infinity.
pub fn is_no_number(text: &[u8], error: &serde_json::Error) -> bool {
    let line = text.split(|&byte| byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or(text);
    let from = line.get(error.column().saturating_sub(2)..).unwrap_or(&[]);
    ["NaN", "Infinity"].iter().any(|word| from.windows(word.len()).take(3).any(|part| part == word.as_bytes()))
}

/// JSON where it begins like a row in JSON.
fn guess(start: &[u8]) -> Form {
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start).trim_ascii_start();
    if start.starts_with(b"{") || start.starts_with(b"[") { Form::Jsonl } else { Form::Csv }
}

/// Records of which there may be less than a header has.
fn records<R: Read>(opened: R, delimiter: u8, quote: u8, flexible: bool) -> csv::Reader<R> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quote(quote)
        .has_headers(false)
        .flexible(flexible)
        .buffer_capacity(1 << 16)
        .from_reader(opened)
}

/// The cells of a column in the beginning of a file, of whole rows.
fn cells_of(head: &[csv::StringRecord], place: usize) -> impl Iterator<Item = &str> {
    head.iter().filter_map(move |record| record.get(place))
}

fn csv_source(path: &Path, opened: table::Opened<'static>, schema: &Schema, trained: bool) -> Outcome<Source> {
    let table::Opened { input, unread, delimiter, quote, head, .. } = opened;
    let mut reader = records(input, delimiter, quote, false);
    let mut first = csv::StringRecord::new();
    let wrong = |message: String, remedy: String| Failure::from(Error::input(message).at(shown(path)).remedy(remedy));
    if !reader.read_record(&mut first).map_err(|error| table::broken(error, 0).at(shown(path)))? {
        return Err(wrong("no rows".into(), "The first line must name the columns.".into()));
    }
    let header: Vec<String> = first.iter().map(str::to_owned).collect();
    let titles: Vec<&str> = header.iter().map(String::as_str).collect();
    let names = table::names(&titles);
    let columns = &schema.columns;
    // A title as it stands, else by the name that `train` gives it.
    let find = |name: &str| -> Outcome<Option<usize>> {
        let places =
            |matches: &dyn Fn(usize) -> bool| (0..header.len()).filter(|&place| matches(place)).collect::<Vec<_>>();
        let exact = places(&|place| header[place] == name);
        let found = if exact.is_empty() { places(&|place| names[place] == name) } else { exact };
        match found[..] {
            [] => Ok(None),
            [place] => Ok(Some(place)),
            _ => Err(wrong(
                format!("two columns are named {}", json_string(name)),
                "Rename or remove one of them.".into(),
            )),
        }
    };
    let mut places = columns.iter().map(|column| find(&column.name)).collect::<Outcome<Vec<Option<usize>>>>()?;
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
    let whole: Vec<csv::StringRecord> = match trained || delimiter != b',' {
        // The last row may be cut.
        true => records(head.as_bytes(), delimiter, quote, true).into_records().skip(1).flatten().collect(),
        false => Vec::new(),
    };
    let sure = &whole[..whole.len().saturating_sub(usize::from(whole.len() > 1))];
    let mut fields = Vec::with_capacity(columns.len());
    for (column, place) in columns.iter().zip(places) {
        let dates = part_of(&column.name).filter(|_| trained && place.is_none());
        let dates = dates.and_then(|(name, part)| Some((names.iter().position(|other| other == name)?, part)));
        fields.push(match (place, dates) {
            (Some(place), _) => {
                let number = matches!(column.kind, ColumnKind::Number | ColumnKind::Integer);
                let comma = number && delimiter != b',' && decimal_comma(cells_of(sure, place));
                Some(Field { place, written: if comma { Written::DecimalComma } else { Written::Plain } })
            }
            (None, Some((place, part))) => {
                let dates = Dates::of(cells_of(sure, place)).map_err(|error| {
                    let at = format!("column {}", json_string(&names[place]));
                    error.at(at).at(shown(path)).remedy(format!(
                        "Write its dates as 2024-05-31 or 2024-05-31 18:30:00, or give the column {}.",
                        json_string(&column.name)
                    ))
                })?;
                Some(Field { place, written: Written::Part(dates, part) })
            }
            (None, None) => None,
        });
    }
    let unknown = fields.iter().all(Option::is_none);
    let list = |names: &[&str]| {
        let shown: Vec<String> = names.iter().take(12).map(|name| json_string(name)).collect();
        let more = names.len().saturating_sub(12);
        if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
    };
    let absent = |wanted: bool| -> Vec<&str> {
        let pairs = columns.iter().zip(&fields);
        pairs
            .filter(|(column, field)| field.is_none() && column.missing != wanted)
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
    let plain = fields.iter().flatten().all(|field| matches!(field.written, Written::Plain));
    Ok(Source::Csv { reader, header, fields, plain, unread, length: 0 })
}

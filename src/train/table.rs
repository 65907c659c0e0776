//! A file of delimited text to rows of cells, whatever its compression, encoding, delimiter and quotes.
//!
//! One pass from any reader, so a pipe does. The cells lie one after the other in one buffer of bounded size: where
//! a file holds more, rows are left out at random and the reader says so. Cells are UTF-8 from here on.

use super::random::mix;
use crate::plain::count;
use crate::{Error, Kind, Result};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use sha2::{Digest, Sha256};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

/// How to read, where the caller knows better than the sniffing.
#[derive(Clone, Debug)]
pub struct Reading {
    pub delimiter: Option<u8>,
    /// `utf-8`, `windows-1252`, … as the Encoding Standard names them.
    pub encoding: Option<String>,
    /// Bytes that the kept cells may take.
    pub most_bytes: usize,
    /// Keep about so many rows at most.
    pub most_rows: Option<usize>,
    /// Of the sample, where one is taken.
    pub seed: u64,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading { delimiter: None, encoding: None, most_bytes: 1 << 30, most_rows: None, seed: 0 }
    }
}

/// Most columns of a table. A wider one is a matrix that was exported the wrong way round, as a rule.
pub const MOST_COLUMNS: usize = 10_000;
/// Longest row in bytes.
const LONGEST: u64 = 16 << 20;
/// What is looked at to tell encoding and delimiter.
const HEAD: usize = 1 << 18;

/// Rows of text cells.
#[derive(Debug)]
pub struct Rows {
    pub header: Vec<String>,
    cells: Vec<u8>,
    /// Bytes of each cell, row by row.
    lengths: Vec<u32>,
    /// The number in the file of each kept row, counted from 1 after the header.
    numbers: Vec<u64>,
    /// Rows in the file.
    pub read: u64,
    /// SHA-256 of the file as given, in hexadecimal.
    pub sha256: String,
    /// What was found, a line each.
    pub notes: Vec<String>,
    pub delimiter: u8,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Puts the rows of another file behind these; their numbers go on.
    ///
    /// # Errors
    /// Where its columns are others.
    pub fn append(&mut self, other: Rows) -> Result<()> {
        if self.header != other.header {
            return Err(Error::input("the columns are not those of the training data, in the same order")
                .remedy(format!("They are: {}.", self.header.join(", "))));
        }
        self.cells.extend(other.cells);
        self.lengths.extend(other.lengths);
        self.numbers.extend(other.numbers.iter().map(|number| number + self.read));
        self.read += other.read;
        self.sha256 = format!("{}+{}", self.sha256, other.sha256);
        self.notes.push(format!("held-out rows: a file of its own, {} rows", other.read));
        Ok(())
    }

    /// The number of a kept row in the file.
    pub fn number(&self, row: usize) -> u64 {
        self.numbers[row]
    }

    /// Every row in order, with its cells.
    pub fn each(&self, mut visit: impl FnMut(usize, &[&str])) {
        let mut at = 0;
        let mut cells: Vec<&str> = Vec::with_capacity(self.header.len());
        for (row, lengths) in self.lengths.chunks(self.header.len().max(1)).enumerate() {
            cells.clear();
            for &length in lengths {
                let bytes = &self.cells[at..at + length as usize];
                at += length as usize;
                // `Builder::keep` checked it.
                cells.push(std::str::from_utf8(bytes).unwrap_or_default());
            }
            visit(row, &cells);
        }
    }
}

/// Hashes and counts what goes through.
struct Hashed<R> {
    inner: R,
    hash: Rc<RefCell<Sha256>>,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.borrow_mut().update(&buffer[..count]);
        Ok(count)
    }
}

/// Refuses to go on within one row for ever.
struct Guarded<R> {
    inner: R,
    unread: Rc<Cell<u64>>,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.unread.set(self.unread.get() + count as u64);
        if self.unread.get() > LONGEST + (1 << 17) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, TOO_LONG));
        }
        Ok(count)
    }
}

const TOO_LONG: &str = "a row longer than 16 MiB";

/// UTF-8 out of any encoding.
struct Decoded<R> {
    inner: BufReader<R>,
    decoder: encoding_rs::Decoder,
    pending: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.pending.len() && !self.ended {
            let input = self.inner.fill_buf()?;
            let last = input.is_empty();
            self.pending.resize(input.len() * 3 + 16, 0);
            let (_, read, written, _) = self.decoder.decode_to_utf8(input, &mut self.pending, last);
            self.inner.consume(read);
            self.pending.truncate(written);
            self.at = 0;
            self.ended = last;
        }
        let rest = &self.pending[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// Reads up to `HEAD` bytes and puts them back in front.
fn peek<'a>(mut reader: Box<dyn Read + 'a>) -> io::Result<(Vec<u8>, Box<dyn Read + 'a>)> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let whole = io::Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}

/// A table as UTF-8, and how its cells are set apart.
pub struct Opened<'a> {
    /// From the first byte of the header line on.
    pub input: Box<dyn Read + 'a>,
    /// Bytes read of the row at hand: whoever reads rows sets it to zero at each, so that none goes on for ever.
    pub unread: Rc<Cell<u64>>,
    pub delimiter: u8,
    pub quote: u8,
    /// The beginning of the text.
    pub head: String,
    /// What was found, a line each.
    pub notes: Vec<String>,
}

/// Finds compression, encoding and delimiter from the beginning of a file.
///
/// # Errors
/// Where it is no text, no table, or of an encoding that does not exist.
pub fn open<'a>(input: Box<dyn Read + 'a>, delimiter: Option<u8>, encoding: Option<&str>) -> Result<Opened<'a>> {
    let failed = |error: io::Error| Error::new(Kind::Io, error.to_string());
    let (mut head, mut input) = peek(input).map_err(failed)?;
    let mut notes = Vec::new();
    if head.starts_with(&[0x1f, 0x8b]) {
        notes.push("compression: gzip".to_owned());
        let plain = flate2::read::MultiGzDecoder::new(input);
        (head, input) = peek(Box::new(plain)).map_err(damaged)?;
    }
    no_table(&head)?;
    let encoding = found_encoding(&head, encoding)?;
    notes.push(format!("encoding: {}", encoding.name()));
    let text = encoding.decode(&head).0.into_owned();
    if encoding == UTF_8 {
        let skipped = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        io::copy(&mut input.by_ref().take(skipped), &mut io::sink()).map_err(failed)?;
    } else {
        let decoder = encoding.new_decoder_with_bom_removal();
        let inner = BufReader::with_capacity(1 << 16, input);
        input = Box::new(Decoded { inner, decoder, pending: Vec::new(), at: 0, ended: false });
    }
    let Dialect { delimiter, quote } = dialect(&text, delimiter);
    notes.push(format!("delimiter: {}", shown(delimiter)));
    if quote == b'\'' {
        notes.push("quotes: '".to_owned());
    }
    let unread = Rc::new(Cell::new(0));
    let input = Box::new(Guarded { inner: input, unread: unread.clone() });
    Ok(Opened { input, unread, delimiter, quote, head: text, notes })
}

/// Reads a whole table.
///
/// # Errors
/// Where the file is no table of text, is empty, has rows of unequal length, an encoding that does not fit, or more
/// columns than `MOST_COLUMNS`.
pub fn read<'a>(input: Box<dyn Read + 'a>, reading: &Reading) -> Result<Rows> {
    let hash = Rc::new(RefCell::new(Sha256::new()));
    let hashed = Box::new(Hashed { inner: input, hash: hash.clone() });
    let Opened { input, unread, delimiter, quote, notes, .. } =
        open(hashed, reading.delimiter, reading.encoding.as_deref())?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quote(quote)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(input);
    let mut record = csv::ByteRecord::new();
    let more = reader.read_byte_record(&mut record).map_err(|error| broken(error, 0))?;
    if !more || record.iter().all(<[u8]>::is_empty) {
        return Err(Error::input("the file holds no rows")
            .remedy("The first line must name the columns; the rows follow, one a line."));
    }
    let header = header(&record)?;
    let mut builder = Builder::new(header, reading);
    let mut number = 0;
    loop {
        unread.set(0);
        if !reader.read_byte_record(&mut record).map_err(|error| broken(error, number + 1))? {
            break;
        }
        // An empty line, as at the end of many a file.
        if record.len() == 1 && builder.header.len() > 1 && record[0].trim_ascii().is_empty() {
            continue;
        }
        number += 1;
        builder.keep(&record, number)?;
    }
    drop(reader);
    if number == 0 {
        return Err(Error::input("the file has a header and no rows below it"));
    }
    let sha256 = hash.borrow().clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(builder.finish(number, sha256, notes, delimiter))
}

/// Where a row is. Rows are counted, not lines: a field may hold several, and empty ones are skipped.
pub fn place(number: u64) -> String {
    if number == 0 { "the header".to_owned() } else { format!("row {number} below the header") }
}

fn damaged(error: io::Error) -> Error {
    Error::malformed(format!("the compressed data is damaged: {error}"))
        .remedy("Download or compress the file again.")
}

/// What is wrong with a row, 0 being the header.
pub fn broken(error: csv::Error, number: u64) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.to_string() == TOO_LONG => Error::input(TOO_LONG)
            .at(place(number))
            .remedy("A quotation mark that is never closed swallows the rest of the file: look for one in this row."),
        csv::ErrorKind::Io(error)
            if error.kind() == io::ErrorKind::InvalidInput
                || error.kind() == io::ErrorKind::InvalidData
                || error.kind() == io::ErrorKind::UnexpectedEof =>
        {
            damaged(error)
        }
        csv::ErrorKind::Io(error) => Error::new(Kind::Io, error.to_string()),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => other_length(len, expected_len, number),
        csv::ErrorKind::Utf8 { .. } => not_utf8(number),
        kind => Error::input(format!("{kind:?}")).at(place(number)),
    }
}

fn other_length(fields: u64, wanted: u64, number: u64) -> Error {
    Error::input(format!("{}, but the header has {wanted}", count(fields as usize, "field")))
        .at(place(number))
        .remedy("A delimiter inside a field needs quotes around the field; a row that was cut needs its rest.")
}

/// Files that people hand over in the place of a table.
fn no_table(head: &[u8]) -> Result<()> {
    let found = [
        (b"PK\x03\x04".as_slice(), "a zip archive or an Excel workbook", "In Excel: File, Save As, CSV UTF-8."),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "In Excel: File, Save As, CSV UTF-8."),
        (b"PAR1", "a Parquet table", "Convert it: duckdb -c \"COPY (FROM 'data.parquet') TO 'data.csv'\"."),
        (b"ARROW1", "an Arrow table", "Convert it to CSV."),
        (b"SQLite format 3\0", "an SQLite database", "Export a table: sqlite3 -header -csv data.db 'SELECT …'."),
        (b"\x28\xb5\x2f\xfd", "a file compressed with zstd", "Decompress it: zstd -d data.csv.zst"),
        (b"BZh", "a file compressed with bzip2", "Decompress it: bzip2 -d data.csv.bz2"),
        (b"\xfd7zXZ\0", "a file compressed with xz", "Decompress it: xz -d data.csv.xz"),
    ]
    .into_iter()
    .find(|(magic, ..)| head.starts_with(magic));
    if let Some((_, what, remedy)) = found {
        return Err(Error::unsupported(format!("this is {what}, not CSV")).remedy(remedy));
    }
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if start.starts_with(b"{") || start.starts_with(b"[") {
        return Err(Error::unsupported("this is JSON, not CSV")
            .remedy("Write a header line and one row a line, with commas between the values."));
    }
    Ok(())
}

/// By byte order mark; then UTF-16 where every other byte of the start is zero; then UTF-8 where it is valid, or its
/// longer characters are more than the bytes that are none; else Windows-1252, of which Latin-1 is a part.
fn found_encoding(head: &[u8], told: Option<&str>) -> Result<&'static Encoding> {
    if let Some(name) = told {
        return Encoding::for_label(name.as_bytes()).ok_or_else(|| {
            Error::input(format!("no encoding is named {name:?}"))
                .remedy("Names are those of the Encoding Standard: utf-8, windows-1252, iso-8859-2, utf-16le, …")
        });
    }
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Ok(encoding);
    }
    let start = &head[..head.len().min(512)];
    let zeros = |odd: usize| start.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
    if start.len() >= 8 && start.contains(&0) {
        if zeros(1) * 5 > start.len() && zeros(0) == 0 {
            return Ok(UTF_16LE);
        }
        if zeros(0) * 5 > start.len() && zeros(1) == 0 {
            return Ok(UTF_16BE);
        }
        return Err(Error::unsupported("the file holds zero bytes; it is no text")
            .remedy("Give a table of text: CSV, with a header line."));
    }
    let (mut longer, mut stray) = (0, 0);
    for chunk in head.utf8_chunks() {
        longer += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        stray += usize::from(!chunk.invalid().is_empty());
    }
    // The last character may be cut.
    let whole =
        stray == 0 || head.len() == HEAD && std::str::from_utf8(head).is_err_and(|error| error.error_len().is_none());
    Ok(if whole || longer > stray { UTF_8 } else { WINDOWS_1252 })
}

struct Dialect {
    delimiter: u8,
    quote: u8,
}

/// The delimiter that cuts the first lines into the same number of fields, more than one; of several the one with
/// the most.
fn dialect(text: &str, told: Option<u8>) -> Dialect {
    let singles = text.matches("'").count();
    let quote = if !text.contains('"')
        && singles > 8
        && [",'", ";'", "\t'"].iter().any(|start| text.contains(start))
        && text.lines().take(20).filter(|line| line.matches('\'').count() % 2 == 0 && line.contains('\'')).count() > 3
    {
        b'\''
    } else {
        b'"'
    };
    if let Some(delimiter) = told {
        return Dialect { delimiter, quote };
    }
    let whole = text.len() < HEAD / 2;
    let fields = |delimiter: u8| -> Vec<usize> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .quote(quote)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut counts: Vec<usize> =
            reader.byte_records().take(51).filter_map(std::result::Result::ok).map(|row| row.len()).collect();
        // The last one may be cut.
        if !whole && counts.len() > 1 && counts.len() < 51 {
            counts.pop();
        }
        counts
    };
    let best = [b',', b';', b'\t', b'|']
        .into_iter()
        .map(|delimiter| {
            let counts = fields(delimiter);
            let first = counts.first().copied().unwrap_or(0);
            let same = counts.iter().filter(|&&count| count == first).count();
            let share = same as f64 / counts.len().max(1) as f64;
            (delimiter, if first > 1 { share * 1000.0 + (first as f64).ln() } else { 0.0 })
        })
        .fold((b',', 0.0), |best, next| if next.1 > best.1 { next } else { best });
    Dialect { delimiter: best.0, quote }
}

/// How a delimiter stands in a message.
pub fn shown(delimiter: u8) -> String {
    match delimiter {
        b',' => "comma".into(),
        b';' => "semicolon".into(),
        b'\t' => "tab".into(),
        other => format!("{:?}", other as char),
    }
}

/// What the columns of a header line are called: without blanks around it, by its place where there is no name, as
/// above the index that pandas writes.
pub fn names(titles: &[&str]) -> Vec<String> {
    let name = |(place, title): (usize, &&str)| match title.trim() {
        "" => format!("column {}", place + 1),
        title => title.to_owned(),
    };
    titles.iter().enumerate().map(name).collect()
}

fn header(record: &csv::ByteRecord) -> Result<Vec<String>> {
    if record.len() > MOST_COLUMNS {
        return Err(Error::limit(format!("{} columns; at most {MOST_COLUMNS} are read", record.len()))
            .remedy("If rows and columns are exchanged, transpose the table; else keep the columns that matter."));
    }
    let titles: Vec<&str> =
        record.iter().map(|title| std::str::from_utf8(title).map_err(|_| not_utf8(0))).collect::<Result<_>>()?;
    let names = names(&titles);
    let mut seen = HashSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(Error::input(format!("two columns are named {name:?}")).remedy("Rename or remove one of them."));
    }
    if titles.len() > 1 && titles.iter().all(|title| title.trim().parse::<f64>().is_ok()) {
        return Err(Error::input("the first line holds numbers where the columns' names are expected")
            .remedy("Put a line with a name for each column on top."));
    }
    Ok(names)
}

fn not_utf8(number: u64) -> Error {
    Error::input("bytes that are not UTF-8, though the file began so")
        .at(place(number))
        .remedy("Save the file as UTF-8; for train the encoding can be named, for example --encoding windows-1252.")
}

/// Keeps rows within the budget: a row is kept where a hash of its number is below a bound, and the bound is halved
/// when the budget is spent.
struct Builder {
    header: Vec<String>,
    cells: Vec<u8>,
    lengths: Vec<u32>,
    numbers: Vec<u64>,
    most_bytes: usize,
    most_rows: usize,
    seed: u64,
    halvings: u32,
}

impl Builder {
    fn new(header: Vec<String>, reading: &Reading) -> Builder {
        Builder {
            header,
            cells: Vec::new(),
            lengths: Vec::new(),
            numbers: Vec::new(),
            most_bytes: reading.most_bytes,
            most_rows: reading.most_rows.unwrap_or(usize::MAX),
            seed: reading.seed,
            halvings: 0,
        }
    }

    fn wanted(&self, number: u64) -> bool {
        mix(self.seed ^ mix(number)) >> 1 <= (u64::MAX >> 1) >> self.halvings
    }

    fn keep(&mut self, record: &csv::ByteRecord, number: u64) -> Result<()> {
        let width = self.header.len();
        if record.len() != width {
            return Err(other_length(record.len() as u64, width as u64, number));
        }
        for cell in record {
            if std::str::from_utf8(cell).is_err() {
                return Err(not_utf8(number));
            }
        }
        if !self.wanted(number) {
            return Ok(());
        }
        self.numbers.push(number);
        for cell in record {
            // A row is shorter than 2^32 bytes.
            self.lengths.push(cell.len() as u32);
            self.cells.extend_from_slice(cell);
        }
        let spent = self.cells.len() + 4 * self.lengths.len() + 8 * self.numbers.len();
        if spent > self.most_bytes {
            self.halve();
        }
        Ok(())
    }

    fn halve(&mut self) {
        self.halvings += 1;
        let keep: Vec<bool> = self.numbers.iter().map(|&number| self.wanted(number)).collect();
        self.retain(&keep);
    }

    fn retain(&mut self, keep: &[bool]) {
        let width = self.header.len();
        let (mut from, mut to, mut row_to) = (0, 0, 0);
        for (row, &keep) in keep.iter().enumerate() {
            let size: usize =
                self.lengths[row * width..(row + 1) * width].iter().map(|&length| length as usize).sum();
            if keep {
                self.cells.copy_within(from..from + size, to);
                self.lengths.copy_within(row * width..(row + 1) * width, row_to * width);
                self.numbers[row_to] = self.numbers[row];
                to += size;
                row_to += 1;
            }
            from += size;
        }
        self.cells.truncate(to);
        self.lengths.truncate(row_to * width);
        self.numbers.truncate(row_to);
    }

    fn finish(mut self, read: u64, sha256: String, mut notes: Vec<String>, delimiter: u8) -> Rows {
        if self.numbers.len() > self.most_rows {
            // The rows with the least hashes: exactly as many as asked for.
            let mut order: Vec<(u64, usize)> =
                self.numbers.iter().enumerate().map(|(row, &number)| (mix(self.seed ^ mix(number)), row)).collect();
            order.sort_unstable();
            let mut keep = vec![false; self.numbers.len()];
            order[..self.most_rows].iter().for_each(|&(_, row)| keep[row] = true);
            self.retain(&keep);
        }
        if (self.numbers.len() as u64) < read {
            let why = if self.halvings > 0 {
                format!("they do not fit into {} MiB (--memory)", self.most_bytes >> 20)
            } else {
                "--rows asks for no more".to_owned()
            };
            notes.push(format!("sample: {} of {read} rows, chosen at random; {why}", self.numbers.len()));
        }
        Rows {
            header: self.header,
            cells: self.cells,
            lengths: self.lengths,
            numbers: self.numbers,
            read,
            sha256,
            notes,
            delimiter,
        }
    }
}

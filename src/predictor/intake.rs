//! What a row may be: the table of what crosses the boundary, the same here and in the package's `index.js`.
//!
//! | column | accepted | refused |
//! |---|---|---|
//! | number, integer | a finite number; ±Infinity where the model takes it | strings (numeric ones too), booleans, bigints, objects |
//! | code | as a number; one that the model does not tell from others with a warning | as a number |
//! | boolean | `true`, `false`, 1, 0 | any other |
//! | category | a value of the list, numbers by value, `true` as 1; any other of its type where the model has a rule for it, with a warning | another type |
//! | text | a string | any other |
//! | category or text whose `digits` count | a whole number too, as the string of its digits | any other |
//! | all | missing (absent, `null`, NaN) where the model has a rule for it | missing elsewhere |
//!
//! Nothing reads an unused column: whatever it holds is accepted in silence.
//!
//! A number outside the range of training is accepted with a warning, a field that is no column with one where a
//! column was left out (a typing error, most likely). The words are those of `package/emit/javascript.rs`.

use super::json;
use crate::lower::Encoding;
use crate::model::{Cell, Column, ColumnKind, Schema};
use crate::{Error, Result};
use serde_json::Value;
use std::collections::HashMap;

/// Longest string quoted in a message, in UTF-16 units.
const QUOTED: usize = 60;
/// Most categories that a message lists.
const LISTED: usize = 10;

/// What a column of codes accepts, in words.
pub const CODE: &str = "a category code, 0, 1, 2, … (carryout --categories gives names)";

/// What is wrong with a number that is one, where f32 would hold infinity for it.
pub const TOO_LARGE: &str = ", too large for float32";

/// What stands for a missing number or boolean in a CSV cell, beside an empty one, where the model takes missing values.
pub const MISSING: [&str; 16] =
    ["NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "null", "NULL", "Null", "None", "none", "-", "?", "#N/A", "."];

/// A value as it came.
#[derive(Clone, Copy)]
enum Given<'a> {
    /// `null`, `undefined`, `an empty cell`
    Missing(&'static str),
    Number(f64),
    Bool(bool),
    Text(&'a str),
    /// `an object`, `an array`
    Other(&'static str),
}

impl<'a> From<&'a Value> for Given<'a> {
    fn from(value: &'a Value) -> Given<'a> {
        match value {
            Value::Null => Given::Missing("null"),
            Value::Bool(flag) => Given::Bool(*flag),
            Value::Number(number) => Given::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Given::Text(text),
            Value::Array(_) => Given::Other("an array"),
            Value::Object(_) => Given::Other("an object"),
        }
    }
}

impl Given<'_> {
    /// With its type, as a message says it.
    fn shown(&self) -> String {
        match self {
            Given::Missing(what) | Given::Other(what) => (*what).into(),
            Given::Number(value) => format!("the number {}", json::number(*value)),
            Given::Bool(flag) => format!("the boolean {flag}"),
            Given::Text(text) => {
                let mut units = 0;
                let cut = text.char_indices().find(|(_, c)| {
                    units += c.len_utf16();
                    units > QUOTED
                });
                format!("the string {}", json::string(&text[..cut.map_or(text.len(), |(end, _)| end)]))
            }
        }
    }
}

/// What there is to say about a row beside its slots.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Noted {
    pub(super) warnings: Vec<String>,
    /// Categories outside the vocabulary, with their column: a transformer may hand them on.
    pub(super) unknown: Vec<(usize, Cell)>,
}

/// Rows on their way to the workspace: row-major, a row's columns side by side.
#[derive(Debug, Default)]
pub(super) struct Staged {
    pub(super) slots: Vec<f64>,
    /// The texts of text columns, as `Machine::texts_mut` has them.
    pub(super) texts: Vec<u8>,
}

impl Staged {
    /// Keeps a text; the place where it stands is the number of its column.
    fn text(&mut self, text: &str) -> Result<f64> {
        let length = u32::try_from(text.len()).map_err(|_| Error::limit("a text of more than 4 GiB"))?;
        let place = self.texts.len() as f64;
        self.texts.extend(length.to_le_bytes());
        self.texts.extend(text.as_bytes());
        Ok(place)
    }
}

/// The lookup tables of a schema's columns.
pub(super) struct Intake {
    columns: Vec<Table>,
    places: HashMap<String, usize>,
}

#[derive(Default)]
struct Table {
    /// Whether the wire carries the code rather than the number itself.
    coded: bool,
    strings: HashMap<String, f64>,
    /// By the bits of the number, -0 as 0.
    numbers: HashMap<u64, f64>,
}

fn bits(number: f64) -> u64 {
    (if number == 0.0 { 0.0 } else { number }).to_bits()
}

impl Table {
    fn new(column: &Column, encoding: &Encoding) -> Table {
        let (coded, vocabulary) = match (encoding, &column.kind) {
            (Encoding::Code(vocabulary), _) => (true, vocabulary.as_slice()),
            (Encoding::Number, ColumnKind::Category(categories)) => (false, categories.as_slice()),
            (Encoding::Number | Encoding::Text, _) => (false, [].as_slice()),
        };
        let mut table = Table { coded, ..Table::default() };
        for (code, cell) in vocabulary.iter().enumerate() {
            let code = code as f64;
            match cell {
                Cell::Str(text) => {
                    table.strings.entry(text.clone()).or_insert(code);
                }
                _ => {
                    if let Some(number) = cell.number() {
                        table.numbers.entry(bits(number)).or_insert(if coded { code } else { number });
                    }
                }
            }
        }
        table
    }

    /// The number in the slot, or None where the value is outside the vocabulary.
    fn find(&self, given: Given<'_>) -> Option<f64> {
        match given {
            Given::Text(text) => self.strings.get(text).copied(),
            Given::Number(number) => self.numbers.get(&bits(number)).copied(),
            Given::Bool(flag) => self.numbers.get(&bits(f64::from(flag))).copied(),
            Given::Missing(_) | Given::Other(_) => None,
        }
    }

    fn accepts(&self, given: Given<'_>) -> bool {
        match given {
            Given::Text(_) => !self.strings.is_empty() || self.numbers.is_empty(),
            Given::Number(number) => !self.numbers.is_empty() && !number.is_infinite(),
            Given::Bool(_) => !self.numbers.is_empty(),
            Given::Missing(_) | Given::Other(_) => false,
        }
    }
}

impl Intake {
    /// # Errors
    /// Where two columns have one name.
    pub(super) fn new(schema: &Schema, encodings: &[Encoding]) -> Result<Intake> {
        let mut columns = Vec::with_capacity(schema.columns.len());
        let mut places = HashMap::with_capacity(schema.columns.len());
        for (place, (column, encoding)) in schema.columns.iter().zip(encodings).enumerate() {
            if places.insert(column.name.clone(), place).is_some() {
                return Err(Error::malformed(format!("two columns are named {:?}", column.name)));
            }
            columns.push(Table::new(column, encoding));
        }
        Ok(Intake { columns, places })
    }

    /// Appends the slots of a row and returns its warnings.
    pub(super) fn row(&self, schema: &Schema, row: &Value, staged: &mut Staged) -> Result<Noted> {
        let mut noted = Noted::default();
        let count = schema.columns.len();
        match row {
            Value::Object(fields) => {
                if schema.columns.iter().any(|column| !fields.contains_key(&column.name)) {
                    for key in fields.keys().filter(|key| !self.places.contains_key(*key)) {
                        noted.warnings.push(format!("{} is not a column of this model", json::string(key)));
                    }
                }
                for (place, column) in schema.columns.iter().enumerate() {
                    let given = fields.get(&column.name).map_or(Given::Missing("undefined"), Given::from);
                    self.stage(column, place, given, &mut noted, staged)?;
                }
            }
            Value::Array(values) => {
                if values.len() != count {
                    let plural = if count == 1 { "" } else { "s" };
                    return Err(Error::input(format!("expected {count} value{plural}, got {}", values.len())));
                }
                for (place, (column, value)) in schema.columns.iter().zip(values).enumerate() {
                    self.stage(column, place, value.into(), &mut noted, staged)?;
                }
            }
            value => match &schema.columns[..] {
                [column] => self.stage(column, 0, value.into(), &mut noted, staged)?,
                _ => {
                    let shown = Given::from(value).shown();
                    return Err(Error::input(format!("expected an object by column or an array, got {shown}")));
                }
            },
        }
        Ok(noted)
    }

    /// The same for the texts of a CSV record.
    pub(super) fn texts(&self, schema: &Schema, cells: &[Option<&str>], staged: &mut Staged) -> Result<Noted> {
        let mut noted = Noted::default();
        for (place, column) in schema.columns.iter().enumerate() {
            let cell = cells.get(place).copied().flatten();
            let given = cell.map_or(Given::Missing("no field"), |text| self.typed(column, place, text));
            self.stage(column, place, given, &mut noted, staged)?;
        }
        Ok(noted)
    }

    /// What the text of a CSV cell stands for in this column. An empty cell is missing, except where an empty
    /// string is a category or the column takes any string and cannot be missing. A text that does not fit stays a text,
    /// for `slot` to refuse.
    fn typed<'a>(&self, column: &Column, place: usize, text: &'a str) -> Given<'a> {
        let table = &self.columns[place];
        if table.strings.contains_key(text) {
            return Given::Text(text);
        }
        let word = text.trim();
        let text_too = match column.kind {
            ColumnKind::Text => true,
            ColumnKind::Category(_) => column.unknown && table.accepts(Given::Text(text)),
            _ => false,
        };
        if word.is_empty() && (column.missing || !text_too) {
            return Given::Missing("an empty cell");
        }
        let plain = !matches!(column.kind, ColumnKind::Category(_) | ColumnKind::Text);
        if plain && column.missing && MISSING.contains(&word) {
            return Given::Missing("a missing value");
        }
        let number = || word.parse().map_or(Given::Text(text), Given::Number);
        let boolean = || match word {
            "true" | "True" | "TRUE" => Given::Bool(true),
            "false" | "False" | "FALSE" => Given::Bool(false),
            _ => number(),
        };
        match &column.kind {
            ColumnKind::Number | ColumnKind::Integer | ColumnKind::Code(_) => number(),
            ColumnKind::Boolean => boolean(),
            ColumnKind::Category(_) if table.numbers.is_empty() => Given::Text(text),
            // In a mixed column a text that is no number may be a category not seen in training.
            ColumnKind::Category(_) => boolean(),
            ColumnKind::Text => Given::Text(text),
        }
    }

    fn stage(
        &self,
        column: &Column,
        place: usize,
        given: Given<'_>,
        noted: &mut Noted,
        staged: &mut Staged,
    ) -> Result<()> {
        let digits = digits(column, given);
        let slot = match (&column.kind, digits.as_deref().map_or(given, Given::Text)) {
            (ColumnKind::Text, Given::Text(text)) if column.used => staged.text(text)?,
            _ => self.slot(column, place, given, noted)?,
        };
        staged.slots.push(slot);
        Ok(())
    }

    /// The number for a value of a column: one row of the table above, but for texts.
    fn slot(&self, column: &Column, place: usize, given: Given<'_>, noted: &mut Noted) -> Result<f64> {
        if !column.used {
            return Ok(f64::NAN);
        }
        let table = &self.columns[place];
        let wrong = || {
            let or_null = if column.missing { " or null" } else { "" };
            let large = matches!(given, Given::Number(number) if column.single && number.is_finite());
            let why = if large { TOO_LARGE } else { "" };
            let message = format!("expected {}{or_null}, got {}{why}", expected(column), given.shown());
            Err(Error::input(message).at(json::string(&column.name)))
        };
        let number = match (&column.kind, given) {
            (_, Given::Missing(_)) if column.missing => return Ok(f64::NAN),
            (_, Given::Number(number)) if number.is_nan() => {
                return if column.missing { Ok(f64::NAN) } else { wrong() };
            }
            (ColumnKind::Number | ColumnKind::Integer | ColumnKind::Code(_), Given::Number(number)) => {
                if number.is_infinite() && !column.infinite || column.single && (number as f32).is_infinite() {
                    return wrong();
                }
                if let ColumnKind::Code(count @ 1..) = column.kind
                    && !(number.fract() == 0.0 && (0.0..f64::from(count)).contains(&number))
                {
                    noted.warnings.push(format!(
                        "{}: {} is none of the codes that the model tells apart, 0 to {}",
                        json::string(&column.name),
                        json::number(number),
                        count - 1
                    ));
                }
                if let Some((low, high)) = column.range
                    && !(low..=high).contains(&number)
                {
                    noted.warnings.push(format!(
                        "{}: {} is outside the range seen in training, {} to {}",
                        json::string(&column.name),
                        json::number(number),
                        json::number(low),
                        json::number(high)
                    ));
                }
                number
            }
            (ColumnKind::Boolean, Given::Bool(flag)) => f64::from(flag),
            (ColumnKind::Boolean, Given::Number(number)) if number == 0.0 || number == 1.0 => number,
            (ColumnKind::Category(_), _) => {
                let digits = digits(column, given);
                let spelt = digits.as_deref().map_or(given, Given::Text);
                if let Some(number) = table.find(spelt) {
                    return Ok(number);
                }
                if !column.unknown || !table.accepts(spelt) {
                    return wrong();
                }
                if !column.partial {
                    let name = json::string(&column.name);
                    noted.warnings.push(format!("{name}: {} was not seen in training", given.shown()));
                }
                let (cell, number) = match spelt {
                    Given::Text(text) => (Cell::Str(text.to_owned()), -1.0),
                    Given::Bool(flag) => (Cell::Bool(flag), f64::from(flag)),
                    Given::Number(number) => (Cell::Float(number), number),
                    Given::Missing(_) | Given::Other(_) => return wrong(),
                };
                noted.unknown.push((place, cell));
                return Ok(if table.coded { -1.0 } else { number });
            }
            _ => return wrong(),
        };
        Ok(if table.coded { table.find(Given::Number(number)).unwrap_or(-1.0) } else { number })
    }
}

/// The digits of a whole number, where the column takes them for a category; only those that JavaScript tells apart.
fn digits(column: &Column, given: Given<'_>) -> Option<String> {
    const MOST: f64 = ((1u64 << 53) - 1) as f64;
    match given {
        Given::Number(number) if column.digits && number.fract() == 0.0 && number.abs() <= MOST => {
            Some((number as i64).to_string())
        }
        _ => None,
    }
}

/// What a column accepts, in words.
fn expected(column: &Column) -> String {
    match &column.kind {
        _ if column.digits => "a string or a whole number".into(),
        _ if column.partial => "a string".into(),
        ColumnKind::Number | ColumnKind::Integer => "a number".into(),
        ColumnKind::Code(_) => CODE.into(),
        ColumnKind::Boolean => "true or false".into(),
        ColumnKind::Text => "a string".into(),
        ColumnKind::Category(categories) => {
            let some: Vec<String> = categories.iter().take(LISTED).map(json::label).collect();
            let more =
                if categories.len() > LISTED { format!(", … ({})", categories.len()) } else { String::new() };
            format!("one of {}{more}", some.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NamesFrom;
    use serde_json::json;

    fn column(name: &str, kind: ColumnKind) -> Column {
        Column {
            name: name.into(),
            kind,
            missing: false,
            infinite: false,
            single: false,
            unknown: false,
            digits: false,
            partial: false,
            range: None,
            used: true,
            readers: vec![],
        }
    }

    fn strings(texts: &[&str]) -> Vec<Cell> {
        texts.iter().map(|&text| Cell::Str(text.into())).collect()
    }

    /// A schema of one column and its intake; categories of strings are coded, as `lower` does it.
    fn one(column: Column) -> (Schema, Intake) {
        let encoding = match &column.kind {
            ColumnKind::Category(cells) if cells.iter().any(|cell| cell.number().is_none()) => {
                Encoding::Code(cells.clone())
            }
            _ => Encoding::Number,
        };
        let schema = Schema { columns: vec![column], names_from: NamesFrom::File };
        let intake = Intake::new(&schema, &[encoding]).unwrap();
        (schema, intake)
    }

    /// The slot and the warnings, or the error, of a row as an object, which must be those of the same row as an
    /// array and bare.
    fn give(column: &Column, value: Value) -> Result<(f64, Vec<String>), String> {
        let (schema, intake) = one(column.clone());
        let run = |row: &Value| {
            let mut staged = Staged::default();
            let warnings = intake.row(&schema, row, &mut staged).map_err(|error| error.to_string())?.warnings;
            assert_eq!(staged.slots.len(), 1);
            Ok((staged.slots[0], warnings))
        };
        let mut object = serde_json::Map::new();
        object.insert(column.name.clone(), value.clone());
        let answer = run(&Value::Object(object));
        let same =
            |other: Result<(f64, Vec<String>), String>| assert_eq!(format!("{other:?}"), format!("{answer:?}"));
        same(run(&json!([value])));
        if !value.is_array() && !value.is_object() {
            same(run(&value));
        }
        answer
    }

    #[track_caller]
    fn slot(column: &Column, value: Value, expected: f64) {
        let (found, warnings) = give(column, value).unwrap();
        assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(), "{found}");
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[track_caller]
    fn warned(column: &Column, value: Value, expected: f64, warning: &str) {
        assert_eq!(give(column, value).unwrap(), (expected, vec![warning.to_owned()]));
    }

    #[track_caller]
    fn refused(column: &Column, value: Value, text: &str) {
        assert_eq!(give(column, value).unwrap_err(), text);
    }

    #[test]
    fn number_columns() {
        for kind in [ColumnKind::Number, ColumnKind::Integer] {
            let strict = column("age", kind);
            slot(&strict, json!(41), 41.0);
            slot(&strict, json!(-0.5), -0.5);
            slot(&strict, json!(u64::MAX), u64::MAX as f64);
            refused(&strict, json!("41"), "\"age\": expected a number, got the string \"41\"");
            refused(&strict, json!(true), "\"age\": expected a number, got the boolean true");
            refused(&strict, json!({"a": 1}), "\"age\": expected a number, got an object");
            refused(&strict, json!([1]), "\"age\": expected a number, got an array");
            refused(&strict, json!(null), "\"age\": expected a number, got null");
            slot(&Column { missing: true, ..strict.clone() }, json!(null), f64::NAN);
            let ranged = Column { range: Some((18.0, 90.5)), ..strict };
            slot(&ranged, json!(18), 18.0);
            slot(&ranged, json!(90.5), 90.5);
            warned(&ranged, json!(130), 130.0, "\"age\": 130 is outside the range seen in training, 18 to 90.5");
            warned(&ranged, json!(-1), -1.0, "\"age\": -1 is outside the range seen in training, 18 to 90.5");
        }
    }

    #[test]
    fn columns_of_codes() {
        let city = column("city", ColumnKind::Code(3));
        slot(&city, json!(0), 0.0);
        slot(&city, json!(2.0), 2.0);
        let apart = "is none of the codes that the model tells apart, 0 to 2";
        warned(&city, json!(3), 3.0, &format!("\"city\": 3 {apart}"));
        warned(&city, json!(-1), -1.0, &format!("\"city\": -1 {apart}"));
        warned(&city, json!(0.5), 0.5, &format!("\"city\": 0.5 {apart}"));
        slot(&column("city", ColumnKind::Code(0)), json!(3), 3.0);
        let wanted = "expected a category code, 0, 1, 2, … (carryout --categories gives names)";
        refused(&city, json!("Oslo"), &format!("\"city\": {wanted}, got the string \"Oslo\""));
        refused(&city, json!(true), &format!("\"city\": {wanted}, got the boolean true"));
        refused(&city, json!(null), &format!("\"city\": {wanted}, got null"));
        slot(&Column { missing: true, ..city.clone() }, json!(null), f64::NAN);
        cell(&city, "1.0", Ok(1.0));
        cell(&city, "Oslo", Err(&format!("\"city\": {wanted}, got the string \"Oslo\"")));
    }

    #[test]
    fn nan_and_infinity() {
        // JSON has neither; they come from CSV and from Rust.
        let number = |column: &Column, value: f64| {
            let (_, intake) = one(column.clone());
            intake.slot(column, 0, Given::Number(value), &mut Noted::default()).map_err(|error| error.to_string())
        };
        let strict = column("age", ColumnKind::Number);
        let missing = "\"age\": expected a number, got the number NaN";
        assert_eq!(number(&strict, f64::NAN).unwrap_err(), missing);
        assert!(number(&Column { missing: true, ..strict.clone() }, f64::NAN).unwrap().is_nan());
        let message = "\"age\": expected a number, got the number Infinity";
        assert_eq!(number(&strict, f64::INFINITY).unwrap_err(), message);
        let message = "\"age\": expected a number, got the number -Infinity";
        assert_eq!(number(&strict, f64::NEG_INFINITY).unwrap_err(), message);
        let open = Column { infinite: true, ..strict };
        assert_eq!(number(&open, f64::INFINITY).unwrap(), f64::INFINITY);
        let category = column("c", ColumnKind::Category(vec![Cell::Int(1)]));
        let message = "\"c\": expected one of 1, got the number Infinity";
        assert_eq!(number(&category, f64::INFINITY).unwrap_err(), message);
    }

    #[test]
    fn boolean_columns() {
        let member = column("member", ColumnKind::Boolean);
        slot(&member, json!(true), 1.0);
        slot(&member, json!(false), 0.0);
        slot(&member, json!(1), 1.0);
        slot(&member, json!(0.0), 0.0);
        refused(&member, json!(2), "\"member\": expected true or false, got the number 2");
        refused(&member, json!("true"), "\"member\": expected true or false, got the string \"true\"");
        refused(&member, json!(null), "\"member\": expected true or false, got null");
        slot(&Column { missing: true, ..member }, json!(null), f64::NAN);
    }

    #[test]
    fn categories_of_strings() {
        let city = column("city", ColumnKind::Category(strings(&["Bonn", "Zürich", "__proto__"])));
        slot(&city, json!("Bonn"), 0.0);
        slot(&city, json!("__proto__"), 2.0);
        refused(
            &city,
            json!("Atlantis"),
            "\"city\": expected one of \"Bonn\", \"Zürich\", \"__proto__\", got the string \"Atlantis\"",
        );
        let list = "\"city\": expected one of \"Bonn\", \"Zürich\", \"__proto__\"";
        refused(&city, json!(0), &format!("{list}, got the number 0"));
        refused(&city, json!(false), &format!("{list}, got the boolean false"));
        refused(&city, json!(null), &format!("{list}, got null"));
        let open = Column { unknown: true, missing: true, ..city };
        warned(&open, json!("Atlantis"), -1.0, "\"city\": the string \"Atlantis\" was not seen in training");
        refused(&open, json!(0), &format!("{list} or null, got the number 0"));
        slot(&open, json!(null), f64::NAN);
    }

    #[test]
    fn long_lists_and_long_strings_are_cut() {
        let many: Vec<String> = (0..13).map(|n| format!("c{n}")).collect();
        let texts: Vec<&str> = many.iter().map(String::as_str).collect();
        let long = "ü".repeat(61);
        let shown = "ü".repeat(60);
        let list: Vec<String> = many[..10].iter().map(|text| format!("\"{text}\"")).collect();
        let text = format!("\"c\": expected one of {}, … (13), got the string \"{shown}\"", list.join(", "));
        refused(&column("c", ColumnKind::Category(strings(&texts))), json!(long), &text);
    }

    #[test]
    fn categories_of_numbers() {
        let rooms = column("rooms", ColumnKind::Category(vec![Cell::Int(0), Cell::Float(2.5), Cell::Int(7)]));
        slot(&rooms, json!(7.0), 7.0);
        slot(&rooms, json!(2.5), 2.5);
        slot(&rooms, json!(-0.0), 0.0);
        slot(&rooms, json!(false), 0.0);
        refused(&rooms, json!(true), "\"rooms\": expected one of 0, 2.5, 7, got the boolean true");
        refused(&rooms, json!(3), "\"rooms\": expected one of 0, 2.5, 7, got the number 3");
        refused(&rooms, json!("7"), "\"rooms\": expected one of 0, 2.5, 7, got the string \"7\"");
        warned(&Column { unknown: true, ..rooms }, json!(3), 3.0, "\"rooms\": the number 3 was not seen in training");
    }

    #[test]
    fn categories_of_booleans_and_mixtures() {
        let flag = column("flag", ColumnKind::Category(vec![Cell::Bool(false), Cell::Bool(true)]));
        slot(&flag, json!(true), 1.0);
        slot(&flag, json!(0), 0.0);
        refused(&flag, json!("yes"), "\"flag\": expected one of false, true, got the string \"yes\"");
        let mixed = column("mixed", ColumnKind::Category(vec![Cell::Str("1".into()), Cell::Int(1)]));
        slot(&mixed, json!("1"), 0.0);
        slot(&mixed, json!(1), 1.0);
        slot(&mixed, json!(true), 1.0);
        refused(&mixed, json!([]), "\"mixed\": expected one of \"1\", 1, got an array");
        warned(
            &Column { unknown: true, ..mixed },
            json!(2),
            -1.0,
            "\"mixed\": the number 2 was not seen in training",
        );
    }

    #[test]
    fn whole_numbers_as_digits() {
        let zip = column("zip", ColumnKind::Category(strings(&["1000", "0700"])));
        let zip = Column { digits: true, unknown: true, ..zip };
        slot(&zip, json!("1000"), 0.0);
        slot(&zip, json!(1000), 0.0);
        slot(&zip, json!("0700"), 1.0);
        warned(&zip, json!(700), -1.0, "\"zip\": the number 700 was not seen in training");
        let wanted = "\"zip\": expected a string or a whole number, got";
        refused(&zip, json!(0.5), &format!("{wanted} the number 0.5"));
        refused(&zip, json!(9007199254740992u64), &format!("{wanted} the number 9007199254740992"));
        refused(&zip, json!(true), &format!("{wanted} the boolean true"));
        refused(&zip, json!(null), &format!("{wanted} null"));
        cell(&zip, "1000", Ok(0.0));
        cell(&zip, "", Ok(-1.0));
        let partial = Column { partial: true, ..zip };
        slot(&partial, json!(700), -1.0);
        slot(&partial, json!("elsewhere"), -1.0);
        let partial = Column { digits: false, ..partial };
        refused(&partial, json!(1000), "\"zip\": expected a string, got the number 1000");
        let text = Column { digits: true, ..column("zip", ColumnKind::Text) };
        let schema = Schema { columns: vec![text], names_from: NamesFrom::File };
        let intake = Intake::new(&schema, &[Encoding::Text]).unwrap();
        let mut staged = Staged::default();
        for value in [json!(-0.0), json!("-7"), json!(-7)] {
            intake.row(&schema, &value, &mut staged).unwrap();
        }
        assert_eq!(staged.texts, b"\x01\0\0\x000\x02\0\0\0-7\x02\0\0\0-7".to_vec());
        let error = intake.row(&schema, &json!(0.5), &mut staged).unwrap_err();
        assert_eq!(error.to_string(), "\"zip\": expected a string or a whole number, got the number 0.5");
    }

    #[test]
    fn vocabulary_beyond_the_categories_is_accepted_quietly() {
        let city = column("city", ColumnKind::Category(strings(&["Bonn"])));
        let schema = Schema { columns: vec![city], names_from: NamesFrom::File };
        let intake = Intake::new(&schema, &[Encoding::Code(strings(&["Bonn", "none"]))]).unwrap();
        let mut staged = Staged::default();
        assert_eq!(intake.row(&schema, &json!("none"), &mut staged).unwrap(), Noted::default());
        assert_eq!(staged.slots, [1.0]);
    }

    #[test]
    fn text_columns() {
        let note = column("note", ColumnKind::Text);
        slot(&note, json!("anything"), 0.0);
        slot(&note, json!(""), 0.0);
        slot(&Column { used: false, ..note.clone() }, json!("anything"), f64::NAN);
        refused(&note, json!(3), "\"note\": expected a string, got the number 3");
        refused(&note, json!(null), "\"note\": expected a string, got null");
        slot(&Column { missing: true, ..note.clone() }, json!(null), f64::NAN);
        let schema = Schema { columns: vec![note], names_from: NamesFrom::File };
        let intake = Intake::new(&schema, &[Encoding::Text]).unwrap();
        let mut staged = Staged::default();
        for text in ["naïve", "b"] {
            intake.row(&schema, &json!(text), &mut staged).unwrap();
        }
        assert_eq!((staged.slots, staged.texts), (vec![0.0, 10.0], b"\x06\0\0\0na\xc3\xafve\x01\0\0\0b".to_vec()));
    }

    #[test]
    fn unused_columns_hold_anything() {
        for kind in [ColumnKind::Number, ColumnKind::Boolean, ColumnKind::Category(strings(&["a"]))] {
            let unused = Column { used: false, range: Some((0.0, 1.0)), ..column("c", kind) };
            for value in [json!(null), json!(7), json!(true), json!("x"), json!({})] {
                slot(&unused, value, f64::NAN);
            }
        }
    }

    fn two() -> (Schema, Intake) {
        let columns =
            vec![column("age", ColumnKind::Number), Column { missing: true, ..column("bmi", ColumnKind::Number) }];
        let schema = Schema { columns, names_from: NamesFrom::File };
        let intake = Intake::new(&schema, &[Encoding::Number, Encoding::Number]).unwrap();
        (schema, intake)
    }

    #[test]
    fn extra_fields() {
        let (schema, intake) = two();
        let row = |row: Value| {
            let noted = intake.row(&schema, &row, &mut Staged::default());
            noted.map(|noted| noted.warnings).map_err(|error| error.to_string())
        };
        assert_eq!(row(json!({"age": 1, "bmi": 2, "toString": 3})), Ok(vec![]));
        assert_eq!(row(json!({"age": 1, "bmi": null, "x": 3})), Ok(vec![]));
        assert_eq!(
            row(json!({"x": 0, "age": 1, "BMI": 3})),
            Ok(vec!["\"x\" is not a column of this model".into(), "\"BMI\" is not a column of this model".into()])
        );
        assert_eq!(row(json!({"bmi": 1})).unwrap_err(), "\"age\": expected a number, got undefined");
    }

    #[test]
    fn rows_of_another_shape() {
        let (schema, intake) = two();
        let row = |row: Value| intake.row(&schema, &row, &mut Staged::default()).unwrap_err().to_string();
        assert_eq!(row(json!([1])), "expected 2 values, got 1");
        assert_eq!(row(json!([])), "expected 2 values, got 0");
        for (value, what) in [(json!(3), "the number 3"), (json!("a"), "the string \"a\""), (json!(null), "null")] {
            assert_eq!(row(value), format!("expected an object by column or an array, got {what}"));
        }
    }

    #[test]
    fn columns_named_like_properties_of_objects() {
        let columns = ["toString", "__proto__", "constructor"].map(|name| column(name, ColumnKind::Number)).to_vec();
        let schema = Schema { columns, names_from: NamesFrom::File };
        let intake = Intake::new(&schema, &[const { Encoding::Number }; 3]).unwrap();
        let mut staged = Staged::default();
        let row = json!({"constructor": 3, "toString": 1, "__proto__": 2});
        assert_eq!(intake.row(&schema, &row, &mut staged).unwrap(), Noted::default());
        assert_eq!(staged.slots, [1.0, 2.0, 3.0]);
        let error = intake.row(&schema, &json!({}), &mut staged).unwrap_err();
        assert_eq!(error.to_string(), "\"toString\": expected a number, got undefined");
    }

    #[track_caller]
    fn cell(column: &Column, text: &str, expected: Result<f64, &str>) {
        let (schema, intake) = one(column.clone());
        let mut staged = Staged::default();
        let found = intake.texts(&schema, &[Some(text)], &mut staged).map(|_| staged.slots[0].to_bits());
        assert_eq!(found.map_err(|error| error.to_string()), expected.map(f64::to_bits).map_err(str::to_owned));
    }

    #[test]
    fn cells_of_csv() {
        let age = Column { missing: true, ..column("age", ColumnKind::Number) };
        cell(&age, " 4.5 ", Ok(4.5));
        cell(&age, "1e3", Ok(1000.0));
        cell(&age, "", Ok(f64::NAN));
        cell(&age, "NaN", Ok(f64::NAN));
        cell(&age, " NA ", Ok(f64::NAN));
        cell(&age, "?", Ok(f64::NAN));
        cell(
            &Column { missing: false, ..age.clone() },
            "NA",
            Err("\"age\": expected a number, got the string \"NA\""),
        );
        cell(&age, "4,5", Err("\"age\": expected a number or null, got the string \"4,5\""));
        cell(&age, "inf", Err("\"age\": expected a number or null, got the number Infinity"));
        let member = column("member", ColumnKind::Boolean);
        cell(&member, "true", Ok(1.0));
        cell(&member, "False", Ok(0.0));
        cell(&member, "1", Ok(1.0));
        cell(&member, "yes", Err("\"member\": expected true or false, got the string \"yes\""));
        cell(&member, "", Err("\"member\": expected true or false, got an empty cell"));
        let city = column("city", ColumnKind::Category(strings(&["1", "true"])));
        cell(&city, "true", Ok(1.0));
        cell(&city, "2", Err("\"city\": expected one of \"1\", \"true\", got the string \"2\""));
        cell(&column("city", ColumnKind::Category(strings(&["a", ""]))), "", Ok(1.0));
        let rooms = column("rooms", ColumnKind::Category(vec![Cell::Int(1), Cell::Int(2)]));
        cell(&rooms, "2.0", Ok(2.0));
        cell(&rooms, "two", Err("\"rooms\": expected one of 1, 2, got the string \"two\""));
    }
}

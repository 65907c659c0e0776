//! What a row may be: the table of what crosses the boundary, the same here and in the package's `index.js`.
//!
//! | column | accepted | refused |
//! |---|---|---|
//! | number, integer | a finite number; ±Infinity where the model takes it | strings (numeric ones too), booleans, bigints, objects |
//! | boolean | `true`, `false`, 1, 0 | any other |
//! | category | a value of the list, numbers by value, `true` as 1; any other of its type where the model has a rule for it, with a warning | another type |
//! | text | a string | any other |
//! | all | missing (absent, `null`, NaN) where the model has a rule for it | missing elsewhere |
//!
//! A number outside the range of training is accepted with a warning, a field that is no column with one where a
//! column was left out (a typing error, most likely).

use super::json;
use crate::lower::Encoding;
use crate::model::{Cell, Column, ColumnKind, Schema};
use crate::{Error, Result};
use serde_json::Value;
use std::collections::HashMap;

/// Longest string quoted in a message, in code points.
const QUOTED: usize = 60;
/// Most categories that a message lists.
const LISTED: usize = 10;

/// A value as it came.
#[derive(Clone, Copy)]
enum Given<'a> {
    Missing,
    Number(f64),
    Bool(bool),
    Text(&'a str),
    /// `an object`, `an array`
    Other(&'static str),
}

impl<'a> From<&'a Value> for Given<'a> {
    fn from(value: &'a Value) -> Given<'a> {
        match value {
            Value::Null => Given::Missing,
            Value::Bool(flag) => Given::Bool(*flag),
            Value::Number(number) => Given::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Given::Text(text),
            Value::Array(_) => Given::Other("an array"),
            Value::Object(_) => Given::Other("an object"),
        }
    }
}

impl Given<'_> {
    /// With its type, as an error says it.
    fn described(&self) -> String {
        match self {
            Given::Missing => "a missing value".into(),
            Given::Number(_) => format!("the number {}", self.shown()),
            Given::Bool(_) => format!("the boolean {}", self.shown()),
            Given::Text(_) => format!("the string {}", self.shown()),
            Given::Other(what) => (*what).into(),
        }
    }

    fn shown(&self) -> String {
        match self {
            Given::Missing => "null".into(),
            Given::Number(value) => json::number(*value),
            Given::Bool(flag) => flag.to_string(),
            Given::Text(text) => match text.char_indices().nth(QUOTED) {
                Some((end, _)) => json::string(&format!("{}…", &text[..end])),
                None => json::string(text),
            },
            Given::Other(what) => (*what).into(),
        }
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
    /// Where all numbers are booleans, the word in messages is `true or false`.
    booleans: bool,
}

fn bits(number: f64) -> u64 {
    (if number == 0.0 { 0.0 } else { number }).to_bits()
}

impl Table {
    fn new(column: &Column, encoding: &Encoding) -> Table {
        let (coded, vocabulary) = match (encoding, &column.kind) {
            (Encoding::Code(vocabulary), _) => (true, vocabulary.as_slice()),
            (Encoding::Number, ColumnKind::Category(categories)) => (false, categories.as_slice()),
            (Encoding::Number, _) => (false, [].as_slice()),
        };
        let mut table = Table { coded, booleans: true, ..Table::default() };
        for (code, cell) in vocabulary.iter().enumerate() {
            let code = code as f64;
            match cell {
                Cell::Str(text) => {
                    table.strings.entry(text.clone()).or_insert(code);
                }
                _ => {
                    if let Some(number) = cell.number() {
                        table.booleans &= matches!(cell, Cell::Bool(_));
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
            Given::Missing | Given::Other(_) => None,
        }
    }

    fn expected(&self) -> &'static str {
        match (self.strings.is_empty(), self.numbers.is_empty(), self.booleans) {
            (true, false, true) => "true or false",
            (true, false, false) => "a number",
            (false, false, true) => "a string, true or false",
            (false, false, false) => "a string or a number",
            (_, true, _) => "a string",
        }
    }

    fn accepts(&self, given: Given<'_>) -> bool {
        match given {
            Given::Text(_) => !self.strings.is_empty() || self.numbers.is_empty(),
            Given::Number(_) | Given::Bool(_) => !self.numbers.is_empty(),
            Given::Missing | Given::Other(_) => false,
        }
    }
}

impl Intake {
    /// # Errors
    /// Where a text column is used: no kernel reads texts yet.
    pub(super) fn new(schema: &Schema, encodings: &[Encoding]) -> Result<Intake> {
        let mut columns = Vec::with_capacity(schema.columns.len());
        let mut places = HashMap::with_capacity(schema.columns.len());
        for (place, (column, encoding)) in schema.columns.iter().zip(encodings).enumerate() {
            if column.kind == ColumnKind::Text && column.used {
                return Err(Error::unsupported("a column of free text").at(format!("column {:?}", column.name)));
            }
            if places.insert(column.name.clone(), place).is_some() {
                return Err(Error::malformed(format!("two columns are named {:?}", column.name)));
            }
            columns.push(Table::new(column, encoding));
        }
        Ok(Intake { columns, places })
    }

    /// Appends the slots of a row and returns its warnings.
    pub(super) fn row(&self, schema: &Schema, row: &Value, slots: &mut Vec<f64>) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        let count = schema.columns.len();
        match row {
            Value::Object(fields) => {
                let mut absent = false;
                for (place, column) in schema.columns.iter().enumerate() {
                    let field = fields.get(&column.name);
                    absent |= field.is_none();
                    let given = field.map_or(Given::Missing, Given::from);
                    slots.push(self.slot(column, place, given, &mut warnings)?);
                }
                if absent {
                    for key in fields.keys().filter(|key| !self.places.contains_key(*key)) {
                        let shown = Given::Text(key).shown();
                        warnings.push(format!("no column is named {shown}; the value is ignored"));
                    }
                }
            }
            Value::Array(values) => {
                if values.len() != count {
                    return Err(Error::input(format!(
                        "the row has {} value{}, but the model has {count} column{}",
                        values.len(),
                        plural(values.len()),
                        plural(count)
                    )));
                }
                for (place, (column, value)) in schema.columns.iter().zip(values).enumerate() {
                    slots.push(self.slot(column, place, value.into(), &mut warnings)?);
                }
            }
            value => match &schema.columns[..] {
                [column] => slots.push(self.slot(column, 0, value.into(), &mut warnings)?),
                _ => {
                    return Err(Error::input(format!(
                        "{} where a row is expected (an object by column name, or an array in column order)",
                        Given::from(value).described()
                    )));
                }
            },
        }
        Ok(warnings)
    }

    /// The same for the texts of a CSV record.
    pub(super) fn texts(&self, schema: &Schema, cells: &[Option<&str>], slots: &mut Vec<f64>) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        for (place, column) in schema.columns.iter().enumerate() {
            let cell = cells.get(place).copied().flatten();
            let given = cell.map_or(Given::Missing, |text| self.typed(column, place, text));
            slots.push(self.slot(column, place, given, &mut warnings)?);
        }
        Ok(warnings)
    }

    /// What the text of a CSV cell stands for in this column. An empty cell is missing, except where an empty
    /// string is a category or the column is text that cannot be missing. A text that does not fit stays a text,
    /// for `slot` to refuse.
    fn typed<'a>(&self, column: &Column, place: usize, text: &'a str) -> Given<'a> {
        let table = &self.columns[place];
        if table.strings.contains_key(text) {
            return Given::Text(text);
        }
        let word = text.trim();
        if word.is_empty() && (column.missing || column.kind != ColumnKind::Text) {
            return Given::Missing;
        }
        let number = || word.parse().map_or(Given::Text(text), Given::Number);
        let boolean = || match word {
            "true" | "True" | "TRUE" => Given::Bool(true),
            "false" | "False" | "FALSE" => Given::Bool(false),
            _ => number(),
        };
        match &column.kind {
            ColumnKind::Number | ColumnKind::Integer => number(),
            ColumnKind::Boolean => boolean(),
            ColumnKind::Category(_) if table.numbers.is_empty() => Given::Text(text),
            // In a mixed column a text that is no number may be a category not seen in training.
            ColumnKind::Category(_) => boolean(),
            ColumnKind::Text => Given::Text(text),
        }
    }

    /// The number for a value of a column: one row of the table above.
    fn slot(&self, column: &Column, place: usize, given: Given<'_>, warnings: &mut Vec<String>) -> Result<f64> {
        let table = &self.columns[place];
        let refuse = |message: String| Err(Error::input(message).at(&column.name));
        let wrong = |expected: &str| refuse(format!("{} where {expected} is expected", given.described()));
        if matches!(given, Given::Missing) || matches!(given, Given::Number(number) if number.is_nan()) {
            if column.missing {
                return Ok(f64::NAN);
            }
            return refuse("missing, but the model was trained without missing values here".into());
        }
        if matches!(given, Given::Number(number) if number.is_infinite()) && !column.infinite {
            return refuse(format!("{} where a finite number is expected", given.shown()));
        }
        let number = match (&column.kind, given) {
            (ColumnKind::Number | ColumnKind::Integer, Given::Number(number)) => {
                if let Some((low, high)) = column.range
                    && !(low..=high).contains(&number)
                {
                    warnings.push(format!(
                        "{}: {} is outside the range seen in training ({} to {})",
                        column.name,
                        given.shown(),
                        json::number(low),
                        json::number(high)
                    ));
                }
                number
            }
            (ColumnKind::Number | ColumnKind::Integer, _) => return wrong("a number"),
            (ColumnKind::Boolean, Given::Bool(flag)) => f64::from(flag),
            (ColumnKind::Boolean, Given::Number(number)) if number == 0.0 || number == 1.0 => number,
            (ColumnKind::Boolean, _) => return wrong("true or false"),
            (ColumnKind::Category(categories), _) => {
                if !table.accepts(given) {
                    return wrong(table.expected());
                }
                if let Some(number) = table.find(given) {
                    return Ok(number);
                }
                if !column.unknown {
                    return refuse(format!("{} is not among the categories {}", given.shown(), listed(categories)));
                }
                warnings.push(format!("{}: {} was not seen in training", column.name, given.shown()));
                return Ok(match given {
                    Given::Number(number) if !table.coded => number,
                    Given::Bool(flag) if !table.coded => f64::from(flag),
                    _ => -1.0,
                });
            }
            // Not used by the model (`new` refuses others), so any number will do.
            (ColumnKind::Text, Given::Text(_)) => 0.0,
            (ColumnKind::Text, _) => return wrong("a string"),
        };
        Ok(if table.coded { table.find(Given::Number(number)).unwrap_or(-1.0) } else { number })
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn listed(categories: &[Cell]) -> String {
    let shown: Vec<String> = categories
        .iter()
        .take(LISTED)
        .map(|cell| match cell {
            Cell::Str(text) => Given::Text(text).shown(),
            Cell::Bool(flag) => flag.to_string(),
            _ => json::key(cell),
        })
        .collect();
    let more = match categories.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
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
            unknown: false,
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
            let mut slots = vec![];
            let warnings = intake.row(&schema, row, &mut slots).map_err(|error| error.to_string())?;
            assert_eq!(slots.len(), 1);
            Ok((slots[0], warnings))
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
            refused(&strict, json!("41"), "age: the string \"41\" where a number is expected");
            refused(&strict, json!(true), "age: the boolean true where a number is expected");
            refused(&strict, json!({"a": 1}), "age: an object where a number is expected");
            refused(&strict, json!([1]), "age: an array where a number is expected");
            refused(&strict, json!(null), "age: missing, but the model was trained without missing values here");
            slot(&Column { missing: true, ..strict.clone() }, json!(null), f64::NAN);
            let ranged = Column { range: Some((18.0, 90.5)), ..strict };
            slot(&ranged, json!(18), 18.0);
            slot(&ranged, json!(90.5), 90.5);
            warned(&ranged, json!(130), 130.0, "age: 130 is outside the range seen in training (18 to 90.5)");
            warned(&ranged, json!(-1), -1.0, "age: -1 is outside the range seen in training (18 to 90.5)");
        }
    }

    #[test]
    fn nan_and_infinity() {
        // JSON has neither; they come from CSV and from Rust.
        let number = |column: &Column, value: f64| {
            let (_, intake) = one(column.clone());
            intake.slot(column, 0, Given::Number(value), &mut vec![]).map_err(|error| error.to_string())
        };
        let strict = column("age", ColumnKind::Number);
        let missing = "age: missing, but the model was trained without missing values here";
        assert_eq!(number(&strict, f64::NAN).unwrap_err(), missing);
        assert!(number(&Column { missing: true, ..strict.clone() }, f64::NAN).unwrap().is_nan());
        let message = "age: Infinity where a finite number is expected";
        assert_eq!(number(&strict, f64::INFINITY).unwrap_err(), message);
        let message = "age: -Infinity where a finite number is expected";
        assert_eq!(number(&strict, f64::NEG_INFINITY).unwrap_err(), message);
        let open = Column { infinite: true, ..strict };
        assert_eq!(number(&open, f64::INFINITY).unwrap(), f64::INFINITY);
        let category = column("c", ColumnKind::Category(vec![Cell::Int(1)]));
        let message = "c: Infinity where a finite number is expected";
        assert_eq!(number(&category, f64::INFINITY).unwrap_err(), message);
    }

    #[test]
    fn boolean_columns() {
        let member = column("member", ColumnKind::Boolean);
        slot(&member, json!(true), 1.0);
        slot(&member, json!(false), 0.0);
        slot(&member, json!(1), 1.0);
        slot(&member, json!(0.0), 0.0);
        refused(&member, json!(2), "member: the number 2 where true or false is expected");
        refused(&member, json!("true"), "member: the string \"true\" where true or false is expected");
        refused(&member, json!(null), "member: missing, but the model was trained without missing values here");
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
            "city: \"Atlantis\" is not among the categories \"Bonn\", \"Zürich\", \"__proto__\"",
        );
        refused(&city, json!(0), "city: the number 0 where a string is expected");
        refused(&city, json!(false), "city: the boolean false where a string is expected");
        refused(&city, json!(null), "city: missing, but the model was trained without missing values here");
        let open = Column { unknown: true, missing: true, ..city };
        warned(&open, json!("Atlantis"), -1.0, "city: \"Atlantis\" was not seen in training");
        refused(&open, json!(0), "city: the number 0 where a string is expected");
        slot(&open, json!(null), f64::NAN);
    }

    #[test]
    fn long_lists_and_long_strings_are_cut() {
        let many: Vec<String> = (0..13).map(|n| format!("c{n}")).collect();
        let texts: Vec<&str> = many.iter().map(String::as_str).collect();
        let long = "ü".repeat(61);
        let shown = format!("{}…", "ü".repeat(60));
        let list: Vec<String> = many[..10].iter().map(|text| format!("\"{text}\"")).collect();
        let text = format!("c: \"{shown}\" is not among the categories {} and 3 more", list.join(", "));
        refused(&column("c", ColumnKind::Category(strings(&texts))), json!(long), &text);
    }

    #[test]
    fn categories_of_numbers() {
        let rooms = column("rooms", ColumnKind::Category(vec![Cell::Int(0), Cell::Float(2.5), Cell::Int(7)]));
        slot(&rooms, json!(7.0), 7.0);
        slot(&rooms, json!(2.5), 2.5);
        slot(&rooms, json!(-0.0), 0.0);
        slot(&rooms, json!(false), 0.0);
        refused(&rooms, json!(true), "rooms: true is not among the categories 0, 2.5, 7");
        refused(&rooms, json!(3), "rooms: 3 is not among the categories 0, 2.5, 7");
        refused(&rooms, json!("7"), "rooms: the string \"7\" where a number is expected");
        warned(&Column { unknown: true, ..rooms }, json!(3), 3.0, "rooms: 3 was not seen in training");
    }

    #[test]
    fn categories_of_booleans_and_mixtures() {
        let flag = column("flag", ColumnKind::Category(vec![Cell::Bool(false), Cell::Bool(true)]));
        slot(&flag, json!(true), 1.0);
        slot(&flag, json!(0), 0.0);
        refused(&flag, json!("yes"), "flag: the string \"yes\" where true or false is expected");
        let mixed = column("mixed", ColumnKind::Category(vec![Cell::Str("1".into()), Cell::Int(1)]));
        slot(&mixed, json!("1"), 0.0);
        slot(&mixed, json!(1), 1.0);
        slot(&mixed, json!(true), 1.0);
        refused(&mixed, json!([]), "mixed: an array where a string or a number is expected");
        warned(&Column { unknown: true, ..mixed }, json!(2), -1.0, "mixed: 2 was not seen in training");
    }

    #[test]
    fn vocabulary_beyond_the_categories_is_accepted_quietly() {
        let city = column("city", ColumnKind::Category(strings(&["Bonn"])));
        let schema = Schema { columns: vec![city], names_from: NamesFrom::File };
        let intake = Intake::new(&schema, &[Encoding::Code(strings(&["Bonn", "none"]))]).unwrap();
        let mut slots = vec![];
        assert!(intake.row(&schema, &json!("none"), &mut slots).unwrap().is_empty());
        assert_eq!(slots, [1.0]);
    }

    #[test]
    fn text_columns() {
        let note = Column { used: false, ..column("note", ColumnKind::Text) };
        assert!(give(&note, json!("anything")).is_ok());
        refused(&note, json!(1), "note: the number 1 where a string is expected");
        let schema = Schema { columns: vec![column("note", ColumnKind::Text)], names_from: NamesFrom::File };
        let error = Intake::new(&schema, &[Encoding::Number]).err().unwrap();
        assert_eq!(error.to_string(), "column \"note\": a column of free text");
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
        let row = |row: Value| intake.row(&schema, &row, &mut vec![]).map_err(|error| error.to_string());
        assert_eq!(row(json!({"age": 1, "bmi": 2, "toString": 3})), Ok(vec![]));
        assert_eq!(row(json!({"age": 1, "bmi": null, "x": 3})), Ok(vec![]));
        assert_eq!(
            row(json!({"x": 0, "age": 1, "BMI": 3})),
            Ok(vec![
                "no column is named \"x\"; the value is ignored".into(),
                "no column is named \"BMI\"; the value is ignored".into()
            ])
        );
        assert_eq!(
            row(json!({"bmi": 1})).unwrap_err(),
            "age: missing, but the model was trained without missing values here"
        );
    }

    #[test]
    fn rows_of_another_shape() {
        let (schema, intake) = two();
        let row = |row: Value| intake.row(&schema, &row, &mut vec![]).unwrap_err().to_string();
        assert_eq!(row(json!([1])), "the row has 1 value, but the model has 2 columns");
        assert_eq!(row(json!([])), "the row has 0 values, but the model has 2 columns");
        for (value, what) in
            [(json!(3), "the number 3"), (json!("a"), "the string \"a\""), (json!(null), "a missing value")]
        {
            let rest = "where a row is expected (an object by column name, or an array in column order)";
            assert_eq!(row(value), format!("{what} {rest}"));
        }
    }

    #[test]
    fn columns_named_like_properties_of_objects() {
        let columns = ["toString", "__proto__", "constructor"].map(|name| column(name, ColumnKind::Number)).to_vec();
        let schema = Schema { columns, names_from: NamesFrom::File };
        let intake = Intake::new(&schema, &[const { Encoding::Number }; 3]).unwrap();
        let mut slots = vec![];
        let row = json!({"constructor": 3, "toString": 1, "__proto__": 2});
        assert!(intake.row(&schema, &row, &mut slots).unwrap().is_empty());
        assert_eq!(slots, [1.0, 2.0, 3.0]);
        let error = intake.row(&schema, &json!({}), &mut slots).unwrap_err();
        assert_eq!(error.to_string(), "toString: missing, but the model was trained without missing values here");
    }

    #[track_caller]
    fn cell(column: &Column, text: &str, expected: Result<f64, &str>) {
        let (schema, intake) = one(column.clone());
        let mut slots = vec![];
        let found = intake.texts(&schema, &[Some(text)], &mut slots).map(|_| slots[0].to_bits());
        assert_eq!(found.map_err(|error| error.to_string()), expected.map(f64::to_bits).map_err(str::to_owned));
    }

    #[test]
    fn cells_of_csv() {
        let age = Column { missing: true, ..column("age", ColumnKind::Number) };
        cell(&age, " 4.5 ", Ok(4.5));
        cell(&age, "1e3", Ok(1000.0));
        cell(&age, "", Ok(f64::NAN));
        cell(&age, "NaN", Ok(f64::NAN));
        cell(&age, "4,5", Err("age: the string \"4,5\" where a number is expected"));
        cell(&age, "inf", Err("age: Infinity where a finite number is expected"));
        let member = column("member", ColumnKind::Boolean);
        cell(&member, "true", Ok(1.0));
        cell(&member, "False", Ok(0.0));
        cell(&member, "1", Ok(1.0));
        cell(&member, "yes", Err("member: the string \"yes\" where true or false is expected"));
        cell(&member, "", Err("member: missing, but the model was trained without missing values here"));
        let city = column("city", ColumnKind::Category(strings(&["1", "true"])));
        cell(&city, "true", Ok(1.0));
        cell(&city, "2", Err("city: \"2\" is not among the categories \"1\", \"true\""));
        cell(&column("city", ColumnKind::Category(strings(&["a", ""]))), "", Ok(1.0));
        let rooms = column("rooms", ColumnKind::Category(vec![Cell::Int(1), Cell::Int(2)]));
        cell(&rooms, "2.0", Ok(2.0));
        cell(&rooms, "two", Err("rooms: the string \"two\" where a number is expected"));
        let note = Column { used: false, ..column("note", ColumnKind::Text) };
        cell(&note, "", Ok(0.0));
    }
}

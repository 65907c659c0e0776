//! JSON text and UBJSON as one stream of events. A value is passed over or read where it stands: no tree of the
//! whole file is built, and memory is bounded by what the caller keeps.
//!
//! Invariants: containers nest at most `DEPTH` deep; no length from the file is allocated or counted before its
//! bytes are seen to be there, and every element of a counted array takes at least one byte of the file.

use super::{json, ubjson};
use crate::{Error, Result};
use std::borrow::Cow;

/// XGBoost's own files nest nine deep.
pub(super) const DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    Object,
    EndObject,
    Array,
    EndArray,
    Key(Cow<'a, str>),
    Text(Cow<'a, str>),
    Number(Number<'a>),
    Bool(bool),
    Null,
}

/// A number as the file has it; the text of JSON is only parsed into the width that is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number<'a> {
    Text(&'a str),
    Int(i64),
    F32(f32),
    F64(f64),
}

impl Number<'_> {
    pub fn f32(self) -> Option<f32> {
        match self {
            Number::Text(text) => text.parse().ok(),
            Number::Int(value) => Some(value as f32),
            Number::F32(value) => Some(value),
            Number::F64(value) => Some(value as f32),
        }
    }

    pub fn f64(self) -> Option<f64> {
        match self {
            Number::Text(text) => text.parse().ok(),
            Number::Int(value) => Some(value as f64),
            Number::F32(value) => Some(value.into()),
            Number::F64(value) => Some(value),
        }
    }

    /// Whole numbers only, with or without a decimal point.
    pub fn i64(self) -> Option<i64> {
        if let Number::Int(value) = self {
            return Some(value);
        }
        if let Number::Text(text) = self
            && let Ok(value) = text.parse()
        {
            return Some(value);
        }
        let value = self.f64()?;
        (value.fract() == 0.0 && value.abs() < 2f64.powi(53)).then_some(value as i64)
    }

    pub fn u32(self) -> Option<u32> {
        self.i64()?.try_into().ok()
    }

    pub fn i32(self) -> Option<i32> {
        self.i64()?.try_into().ok()
    }
}

enum Source<'a> {
    Json(json::Lexer<'a>),
    Ubjson(ubjson::Lexer<'a>),
}

/// Pulls events from a file.
pub struct Reader<'a> {
    source: Source<'a>,
}

impl<'a> Reader<'a> {
    pub fn json(bytes: &'a [u8]) -> Reader<'a> {
        Reader { source: Source::Json(json::Lexer::new(bytes)) }
    }

    pub fn ubjson(bytes: &'a [u8]) -> Reader<'a> {
        Reader { source: Source::Ubjson(ubjson::Lexer::new(bytes)) }
    }

    /// The next event.
    ///
    /// # Errors
    /// Names the byte where the file is not JSON (or UBJSON), ends early or nests too deep.
    pub fn next(&mut self) -> Result<Event<'a>> {
        let event = match &mut self.source {
            Source::Json(lexer) => lexer.next(),
            Source::Ubjson(lexer) => lexer.next(),
        };
        event.map_err(|error| error.at(self.place()))
    }

    /// Where in the file the reader stands.
    pub fn place(&self) -> String {
        match &self.source {
            Source::Json(lexer) => format!("byte {}", lexer.at()),
            Source::Ubjson(lexer) => format!("byte {}", lexer.at()),
        }
    }

    fn wrong(&self, event: &Event, expected: &str) -> Error {
        let found = match event {
            Event::Object => "an object".to_string(),
            Event::Array => "a list".to_string(),
            Event::EndObject | Event::EndArray => "nothing".to_string(),
            Event::Key(key) => format!("the key {key:?}"),
            Event::Text(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
            Event::Number(number) => format!("the number {number:?}"),
            Event::Bool(value) => value.to_string(),
            Event::Null => "null".to_string(),
        };
        Error::malformed(format!("{found} where {expected} is expected")).at(self.place())
    }

    /// Enters an object; its members follow by `key`.
    pub fn object(&mut self) -> Result<()> {
        match self.next()? {
            Event::Object => Ok(()),
            other => Err(self.wrong(&other, "an object")),
        }
    }

    /// The next key of the object, or None at its end. The value that follows must be read or skipped.
    pub fn key(&mut self) -> Result<Option<Cow<'a, str>>> {
        match self.next()? {
            Event::Key(key) => Ok(Some(key)),
            Event::EndObject => Ok(None),
            other => Err(self.wrong(&other, "a key")),
        }
    }

    pub fn text(&mut self) -> Result<Cow<'a, str>> {
        match self.next()? {
            Event::Text(text) => Ok(text),
            other => Err(self.wrong(&other, "text")),
        }
    }

    /// The elements of a list, each read by `read` from its first event.
    pub fn list(&mut self, mut read: impl FnMut(&mut Reader<'a>, Event<'a>) -> Result<()>) -> Result<()> {
        match self.next()? {
            Event::Array => {}
            other => return Err(self.wrong(&other, "a list")),
        }
        loop {
            match self.next()? {
                Event::EndArray => return Ok(()),
                event => read(self, event)?,
            }
        }
    }

    /// A list of numbers and flags, in place of what `into` held.
    pub fn numbers<T>(&mut self, into: &mut Vec<T>, convert: impl Fn(Number<'a>) -> Option<T>) -> Result<()> {
        into.clear();
        self.list(|reader, event| {
            let number = match event {
                Event::Number(number) => number,
                // Old versions write flags as booleans.
                Event::Bool(value) => Number::Int(value.into()),
                other => return Err(reader.wrong(&other, "a number")),
            };
            let value = convert(number).ok_or_else(|| {
                let message = format!("the number {number:?} does not fit here");
                Error::malformed(message).at(reader.place())
            })?;
            into.push(value);
            Ok(())
        })
    }

    pub fn texts(&mut self) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        self.list(|reader, event| match event {
            Event::Text(text) => {
                texts.push(text.into_owned());
                Ok(())
            }
            other => Err(reader.wrong(&other, "text")),
        })?;
        Ok(texts)
    }

    /// Passes over the next value, whatever it is.
    pub fn skip(&mut self) -> Result<()> {
        let event = self.next()?;
        self.skip_rest(&event)
    }

    /// Passes over the rest of the value that began with `event`.
    pub fn skip_rest(&mut self, event: &Event) -> Result<()> {
        let mut open = match event {
            Event::Object | Event::Array => 1usize,
            _ => 0,
        };
        while open > 0 {
            match self.next()? {
                Event::Object | Event::Array => open += 1,
                Event::EndObject | Event::EndArray => open -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// # Errors
    /// Where something other than white space follows the value.
    pub fn end(&mut self) -> Result<()> {
        let rest = match &self.source {
            Source::Json(lexer) => lexer.rest(),
            Source::Ubjson(lexer) => lexer.rest(),
        };
        match rest {
            0 => Ok(()),
            rest => Err(Error::malformed(format!("{rest} bytes after the end")).at(self.place())),
        }
    }
}

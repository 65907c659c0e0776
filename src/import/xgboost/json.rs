//! JSON text as events, with the NaN and Infinity that XGBoost writes.

use super::events::{DEPTH, Event, Number};
use crate::{Error, Result};
use std::borrow::Cow;

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Value,
    /// After `[`: a value or `]`.
    First,
    /// After `{`: a key or `}`.
    FirstKey,
    /// After a comma in an object.
    Key,
    /// After a value: a comma or the container's end.
    After,
}

pub struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    state: State,
    /// The open containers, true for an object.
    open: Vec<bool>,
}

impl<'a> Lexer<'a> {
    pub fn new(bytes: &'a [u8]) -> Lexer<'a> {
        let at = if bytes.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        Lexer { bytes, at, state: State::Value, open: Vec::new() }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    /// Bytes after the value, white space aside.
    pub fn rest(&self) -> usize {
        self.bytes.get(self.at..).unwrap_or_default().trim_ascii().len()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn white(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn unexpected(&self, expected: &str) -> Error {
        match self.peek() {
            None => Error::malformed(format!("the file ends where {expected} is expected")),
            Some(byte) => Error::malformed(format!("{:?} where {expected} is expected", char::from(byte))),
        }
    }

    pub fn next(&mut self) -> Result<Event<'a>> {
        self.white();
        if self.state == State::After {
            match (self.peek(), self.open.last()) {
                (Some(b','), Some(&object)) => {
                    self.at += 1;
                    self.state = if object { State::Key } else { State::Value };
                    self.white();
                }
                (Some(b'}'), Some(true)) => return Ok(self.close(Event::EndObject)),
                (Some(b']'), Some(false)) => return Ok(self.close(Event::EndArray)),
                (_, Some(true)) => return Err(self.unexpected("a comma or '}'")),
                (_, Some(false)) => return Err(self.unexpected("a comma or ']'")),
                (_, None) => return Err(Error::malformed("there is nothing after the end")),
            }
        }
        match (self.state, self.peek()) {
            (State::FirstKey, Some(b'}')) => Ok(self.close(Event::EndObject)),
            (State::FirstKey | State::Key, Some(b'"')) => {
                let key = self.string()?;
                self.white();
                if self.peek() != Some(b':') {
                    return Err(self.unexpected("a colon"));
                }
                self.at += 1;
                self.state = State::Value;
                Ok(Event::Key(key))
            }
            (State::FirstKey | State::Key, _) => Err(self.unexpected("a key")),
            (State::First, Some(b']')) => Ok(self.close(Event::EndArray)),
            _ => self.value(),
        }
    }

    fn close(&mut self, event: Event<'a>) -> Event<'a> {
        self.at += 1;
        self.open.pop();
        self.state = State::After;
        event
    }

    fn value(&mut self) -> Result<Event<'a>> {
        let event = match self.peek() {
            Some(byte @ (b'{' | b'[')) => {
                if self.open.len() == DEPTH {
                    return Err(Error::limit(format!("values nest more than {DEPTH} deep")));
                }
                self.at += 1;
                self.open.push(byte == b'{');
                self.state = if byte == b'{' { State::FirstKey } else { State::First };
                return Ok(if byte == b'{' { Event::Object } else { Event::Array });
            }
            Some(b'"') => Event::Text(self.string()?),
            Some(b't') => self.word("true", Event::Bool(true))?,
            Some(b'f') => self.word("false", Event::Bool(false))?,
            Some(b'n') => self.word("null", Event::Null)?,
            Some(b'N') => self.word("NaN", Event::Number(Number::F32(f32::NAN)))?,
            Some(b'I') => self.word("Infinity", Event::Number(Number::F32(f32::INFINITY)))?,
            Some(b'-') if self.bytes.get(self.at + 1) == Some(&b'I') => {
                self.word("-Infinity", Event::Number(Number::F32(f32::NEG_INFINITY)))?
            }
            Some(b'-' | b'0'..=b'9') => Event::Number(self.number()?),
            _ => return Err(self.unexpected("a value")),
        };
        self.state = State::After;
        Ok(event)
    }

    fn word(&mut self, word: &str, event: Event<'a>) -> Result<Event<'a>> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.unexpected("a value"));
        }
        self.at += word.len();
        Ok(event)
    }

    /// The text of a number in JSON's grammar.
    fn number(&mut self) -> Result<Number<'a>> {
        let start = self.at;
        let digits = |lexer: &mut Self| -> Result<()> {
            if !matches!(lexer.peek(), Some(b'0'..=b'9')) {
                return Err(lexer.unexpected("a digit"));
            }
            while let Some(b'0'..=b'9') = lexer.peek() {
                lexer.at += 1;
            }
            Ok(())
        };
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        digits(self)?;
        if self.peek() == Some(b'.') {
            self.at += 1;
            digits(self)?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            digits(self)?;
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]);
        Ok(Number::Text(text.expect("digits, signs and points are ASCII")))
    }

    fn string(&mut self) -> Result<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        let mut owned: Option<Vec<u8>> = None;
        let mut from = start;
        loop {
            match self.peek() {
                None => return Err(Error::malformed("the file ends inside a string")),
                Some(b'"') => break,
                Some(b'\\') => {
                    let owned = owned.get_or_insert_with(Vec::new);
                    owned.extend_from_slice(&self.bytes[from..self.at]);
                    self.at += 1;
                    let character = self.escape()?;
                    owned.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    from = self.at;
                }
                Some(_) => self.at += 1,
            }
        }
        let tail = &self.bytes[from..self.at];
        self.at += 1;
        let not_text = |_| Error::malformed("a string that is not UTF-8");
        Ok(match owned {
            None => Cow::Borrowed(std::str::from_utf8(tail).map_err(not_text)?),
            Some(mut bytes) => {
                bytes.extend_from_slice(tail);
                Cow::Owned(String::from_utf8(bytes).map_err(|error| not_text(error.utf8_error()))?)
            }
        })
    }

    /// The character of the escape after a backslash.
    fn escape(&mut self) -> Result<char> {
        let byte = self.peek().ok_or_else(|| Error::malformed("the file ends inside a string"))?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                let code = if (0xd800..0xdc00).contains(&high) && self.bytes[self.at..].starts_with(b"\\u") {
                    self.at += 2;
                    let low = self.hex()?;
                    match low {
                        0xdc00..0xe000 => 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                        _ => return Err(Error::malformed("half a surrogate pair in a string")),
                    }
                } else {
                    high
                };
                char::from_u32(code).ok_or_else(|| Error::malformed("half a surrogate pair in a string"))?
            }
            _ => return Err(Error::malformed("an unknown escape in a string")),
        })
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        code.ok_or_else(|| Error::malformed("four hex digits are expected after \\u"))
    }
}

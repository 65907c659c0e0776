//! UBJSON (draft 12), big-endian, as XGBoost writes it: strongly typed arrays `[$d#L…`, counted arrays `[#L…`, and
//! objects that end with `}`. Typed or counted objects, which XGBoost does not write, are refused.

use super::events::{DEPTH, Event, Number};
use crate::{Error, Result};
use std::borrow::Cow;

enum Container {
    Object,
    /// Ends with `]`.
    Open,
    /// So many elements are left, each of this type where one is given.
    Counted {
        left: u64,
        kind: Option<u8>,
    },
}

pub struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Container>,
    /// A key was read and its value is due.
    keyed: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(bytes: &'a [u8]) -> Lexer<'a> {
        Lexer { bytes, at: 0, open: Vec::new(), keyed: false }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    /// Bytes after the value.
    pub fn rest(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let bytes = self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end));
        let bytes = bytes.ok_or_else(|| {
            let left = self.bytes.len().saturating_sub(self.at);
            Error::malformed(format!("{count} bytes are expected, but the file ends after {left}"))
        })?;
        self.at += count;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    /// The next marker; no-ops are passed over.
    fn marker(&mut self) -> Result<u8> {
        loop {
            match self.array::<1>()? {
                [b'N'] => {}
                [marker] => return Ok(marker),
            }
        }
    }

    fn integer(&mut self, marker: u8) -> Result<Option<i64>> {
        Ok(Some(match marker {
            b'i' => i8::from_be_bytes(self.array()?).into(),
            b'U' => u8::from_be_bytes(self.array()?).into(),
            b'I' => i16::from_be_bytes(self.array()?).into(),
            b'l' => i32::from_be_bytes(self.array()?).into(),
            b'L' => i64::from_be_bytes(self.array()?),
            _ => return Ok(None),
        }))
    }

    fn length(&mut self) -> Result<u64> {
        let marker = self.marker()?;
        let length = self.integer(marker)?;
        length.and_then(|length| u64::try_from(length).ok()).ok_or_else(|| {
            Error::malformed(match length {
                Some(length) => format!("the length {length}"),
                None => format!("the type {:?} where a length is expected", char::from(marker)),
            })
        })
    }

    fn string(&mut self) -> Result<Cow<'a, str>> {
        let length = self.length()?;
        let bytes = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        let text = std::str::from_utf8(bytes).map_err(|_| Error::malformed("a string that is not UTF-8"))?;
        Ok(Cow::Borrowed(text))
    }

    pub fn next(&mut self) -> Result<Event<'a>> {
        let kind = match self.open.last_mut() {
            Some(Container::Object) if !self.keyed => {
                // A key is a string without its marker.
                if self.bytes.get(self.at) == Some(&b'}') {
                    self.at += 1;
                    self.open.pop();
                    return Ok(Event::EndObject);
                }
                self.keyed = true;
                return Ok(Event::Key(self.string()?));
            }
            Some(Container::Counted { left: 0, .. }) => {
                self.open.pop();
                return Ok(Event::EndArray);
            }
            Some(Container::Counted { left, kind }) => {
                *left -= 1;
                *kind
            }
            _ => None,
        };
        self.keyed = false;
        let marker = match kind {
            Some(kind) => kind,
            None => self.marker()?,
        };
        self.value(marker)
    }

    fn value(&mut self, marker: u8) -> Result<Event<'a>> {
        if let Some(value) = self.integer(marker)? {
            return Ok(Event::Number(Number::Int(value)));
        }
        Ok(match marker {
            b'd' => Event::Number(Number::F32(f32::from_be_bytes(self.array()?))),
            b'D' => Event::Number(Number::F64(f64::from_be_bytes(self.array()?))),
            b'T' => Event::Bool(true),
            b'F' => Event::Bool(false),
            b'Z' => Event::Null,
            b'S' => Event::Text(self.string()?),
            b'C' => {
                let [byte] = self.array()?;
                if !byte.is_ascii() {
                    return Err(Error::malformed("a character that is not ASCII"));
                }
                Event::Text(Cow::Owned(char::from(byte).to_string()))
            }
            b'{' => {
                if let Some(b'$' | b'#') = self.bytes.get(self.at) {
                    return Err(Error::unsupported("an object with a count, which XGBoost does not write"));
                }
                self.enter(Container::Object)?;
                Event::Object
            }
            b'[' => {
                let container = self.opened()?;
                self.enter(container)?;
                Event::Array
            }
            b']' if matches!(self.open.last(), Some(Container::Open)) => {
                self.open.pop();
                Event::EndArray
            }
            marker => return Err(Error::malformed(format!("the type {:?}", char::from(marker)))),
        })
    }

    fn enter(&mut self, container: Container) -> Result<()> {
        if self.open.len() == DEPTH {
            return Err(Error::limit(format!("values nest more than {DEPTH} deep")));
        }
        self.open.push(container);
        Ok(())
    }

    /// What follows `[`: a type, a count, or the first element.
    fn opened(&mut self) -> Result<Container> {
        let mut kind = None;
        if self.bytes.get(self.at) == Some(&b'$') {
            self.at += 1;
            let [marker] = self.array()?;
            kind = Some(marker);
            if self.bytes.get(self.at) != Some(&b'#') {
                return Err(Error::malformed("a typed array without a count"));
            }
        }
        if self.bytes.get(self.at) != Some(&b'#') {
            return Ok(Container::Open);
        }
        self.at += 1;
        let left = self.length()?;
        let width = match kind {
            None | Some(b'i' | b'U' | b'C') => 1,
            Some(b'I') => 2,
            Some(b'l' | b'd') => 4,
            Some(b'L' | b'D') => 8,
            // Others have no bytes of their own or nest: a count of them is a promise without cover.
            Some(kind) => return Err(Error::unsupported(format!("an array of type {:?}", char::from(kind)))),
        };
        let rest = self.bytes.len() - self.at;
        if left.checked_mul(width).is_none_or(|bytes| bytes > rest as u64) {
            return Err(Error::malformed(format!("an array of {left} elements with {rest} bytes left in the file")));
        }
        Ok(Container::Counted { left, kind })
    }
}

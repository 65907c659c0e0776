//! The protocol buffer encoding: a message is a run of numbered fields, each a varint, four or eight bytes, or a
//! length and that many bytes. Nothing is copied here: a field borrows from the file, and a message inside a message
//! is bytes until someone asks, so nesting costs no stack.

use crate::{Error, Result};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// The fields of a message, in order.
pub struct Message<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The word for the message in errors.
    what: &'static str,
}

impl<'a> Message<'a> {
    pub fn new(bytes: &'a [u8], what: &'static str) -> Message<'a> {
        Message { bytes, at: 0, what }
    }

    fn malformed(&self, message: &str) -> Error {
        Error::malformed(format!("{message}, {} bytes into {}", self.at, self.what))
    }

    fn varint(&mut self) -> Result<u64> {
        let (value, length) =
            varint(&self.bytes[self.at..]).ok_or_else(|| self.malformed("the file ends inside a number"))?;
        self.at += length;
        Ok(value)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8]> {
        let taken = usize::try_from(length).ok().and_then(|length| self.bytes[self.at..].get(..length));
        let taken = taken.ok_or_else(|| {
            self.malformed(&format!("a field of {length} bytes where {} are left", self.bytes.len() - self.at))
        })?;
        self.at += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N as u64)?;
        Ok(*bytes.first_chunk().expect("as many were taken"))
    }

    /// The number of the next field and what it holds.
    pub fn next(&mut self) -> Result<Option<(u64, Field<'a>)>> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(self.array()?),
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Fixed32(self.array()?),
            kind => return Err(self.malformed(&format!("a field of the unknown kind {kind}"))),
        };
        match key >> 3 {
            0 => Err(self.malformed("a field with the number 0")),
            number => Ok(Some((number, field))),
        }
    }
}

/// A varint of at most ten bytes at the start, and its length.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (place, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some((value, place + 1));
        }
    }
    None
}

impl<'a> Field<'a> {
    fn mismatch(what: &str) -> Error {
        Error::malformed(format!("{what} is not of the kind that ONNX gives it"))
    }

    pub fn bytes(self, what: &str) -> Result<&'a [u8]> {
        match self {
            Field::Bytes(bytes) => Ok(bytes),
            _ => Err(Self::mismatch(what)),
        }
    }

    pub fn text(self, what: &str) -> Result<&'a str> {
        std::str::from_utf8(self.bytes(what)?).map_err(|_| Error::malformed(format!("{what} is not UTF-8 text")))
    }

    pub fn int(self, what: &str) -> Result<i64> {
        match self {
            Field::Varint(value) => Ok(value as i64),
            _ => Err(Self::mismatch(what)),
        }
    }

    pub fn float(self, what: &str) -> Result<f32> {
        match self {
            Field::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(Self::mismatch(what)),
        }
    }

    /// Appends one number of a repeated field, or all of a packed one.
    pub fn ints(self, what: &str, into: &mut Vec<i64>) -> Result<()> {
        match self {
            Field::Varint(value) => into.push(value as i64),
            Field::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    let (value, length) = varint(bytes).ok_or_else(|| Self::mismatch(what))?;
                    into.push(value as i64);
                    bytes = &bytes[length..];
                }
            }
            _ => return Err(Self::mismatch(what)),
        }
        Ok(())
    }

    /// As `ints`.
    pub fn floats(self, what: &str, into: &mut Vec<f64>) -> Result<()> {
        match self {
            Field::Fixed32(bytes) => into.push(f64::from(f32::from_le_bytes(bytes))),
            Field::Bytes(bytes) => match bytes.as_chunks::<4>() {
                (chunks, []) => into.extend(chunks.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes)))),
                _ => return Err(Self::mismatch(what)),
            },
            _ => return Err(Self::mismatch(what)),
        }
        Ok(())
    }

    /// As `ints`.
    pub fn doubles(self, what: &str, into: &mut Vec<f64>) -> Result<()> {
        match self {
            Field::Fixed64(bytes) => into.push(f64::from_le_bytes(bytes)),
            Field::Bytes(bytes) => match bytes.as_chunks::<8>() {
                (chunks, []) => into.extend(chunks.iter().map(|&bytes| f64::from_le_bytes(bytes))),
                _ => return Err(Self::mismatch(what)),
            },
            _ => return Err(Self::mismatch(what)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_order() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f];
        let mut message = Message::new(&bytes, "the test");
        assert_eq!(message.next().unwrap(), Some((1, Field::Varint(150))));
        let (number, text) = message.next().unwrap().unwrap();
        assert_eq!((number, text.text("it").unwrap()), (2, "hi"));
        assert_eq!(message.next().unwrap().unwrap().1.float("it").unwrap(), 1.0);
        assert_eq!(message.next().unwrap(), None);
    }

    #[test]
    fn damage_is_an_error() {
        for (bytes, text) in [
            (&[0x08][..], "the file ends inside a number, 1 bytes into the test"),
            (&[0x08, 0x80], "the file ends inside a number, 1 bytes into the test"),
            (&[0xff; 11], "the file ends inside a number, 0 bytes into the test"),
            (&[0x12, 9, 1], "a field of 9 bytes where 1 are left, 2 bytes into the test"),
            (&[0x1d, 0, 0], "a field of 4 bytes where 2 are left, 1 bytes into the test"),
            (&[0x0b], "a field of the unknown kind 3, 1 bytes into the test"),
            (&[0x00, 0x00], "a field with the number 0, 2 bytes into the test"),
        ] {
            let error = Message::new(bytes, "the test").next().unwrap_err();
            assert_eq!(error.to_string(), text);
        }
        let huge = [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert!(Message::new(&huge, "the test").next().is_err());
        let mut floats = Vec::new();
        assert!(Field::Bytes(&[0; 6]).floats("it", &mut floats).is_err());
        assert!(Field::Bytes(&[0x80]).ints("it", &mut Vec::new()).is_err());
    }
}

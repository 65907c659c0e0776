//! The outer compression of a joblib file, told by its first bytes. Output is read in pieces and checked against the
//! limits while it grows, so a bomb costs no more than the limit.

use std::io::Read;

use super::{Limits, over};
use crate::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Zlib,
    Gzip,
    Bzip2,
    Lzma,
    Xz,
    Lz4,
}

impl Format {
    /// The format of a stream; none of these beginnings can begin a pickle.
    pub(super) fn of(bytes: &[u8]) -> Option<Format> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Format::Gzip),
            [b'B', b'Z', b'h', ..] => Some(Format::Bzip2),
            [0x5d, 0, ..] if bytes.len() >= 13 => Some(Format::Lzma),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Format::Xz),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Format::Lz4),
            [0x78, flags, ..] if (0x78 * 256 + u32::from(*flags)) % 31 == 0 => Some(Format::Zlib),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Zlib => "zlib",
            Format::Gzip => "gzip",
            Format::Bzip2 => "bzip2",
            Format::Lzma => "lzma",
            Format::Xz => "xz",
            Format::Lz4 => "lz4",
        }
    }
}

/// A reader of the decompressed bytes. The lzma dictionary is checked here, before anything is allocated for it.
fn reader<'a>(format: Format, bytes: &'a [u8], dictionary: usize) -> Result<Box<dyn Read + 'a>> {
    // The decoder needs the dictionary and a few KiB of tables.
    let memory = u32::try_from(dictionary / 1024).unwrap_or(u32::MAX - 1024).saturating_add(1024);
    Ok(match format {
        Format::Zlib => Box::new(flate2::read::ZlibDecoder::new(bytes)),
        Format::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        Format::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(bytes)),
        Format::Lzma => {
            let asked = bytes.get(1..5).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            if u64::from(asked) > dictionary as u64 {
                return Err(over(
                    "lzma_dictionary",
                    dictionary,
                    &format!("the file asks for a dictionary of {asked} bytes, more than"),
                ));
            }
            let reader = lzma_rust2::LzmaReader::new_mem_limit(bytes, memory, None);
            Box::new(reader.map_err(|error| broken(format, &error.to_string()))?)
        }
        Format::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(bytes, true, memory)),
        Format::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(bytes)),
    })
}

pub(super) fn decompress(format: Format, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>> {
    let mut reader = reader(format, bytes, limits.lzma_dictionary)?;
    let by_ratio = bytes.len().saturating_mul(limits.ratio).max(limits.ratio_floor);
    let mut out = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let read = match reader.read(&mut piece) {
            Ok(0) => return Ok(out),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == std::io::ErrorKind::OutOfMemory => {
                return Err(over("lzma_dictionary", limits.lzma_dictionary, "the file asks for a dictionary over"));
            }
            Err(error) => {
                return Err(broken(format, &error.to_string()).at(format!("decompressed byte {}", out.len())));
            }
        };
        out.extend_from_slice(&piece[..read]);
        if out.len() > limits.decompressed_bytes {
            return Err(over(
                "decompressed_bytes",
                limits.decompressed_bytes,
                "the file decompresses to more bytes than",
            ));
        }
        if out.len() > by_ratio {
            return Err(over("ratio", limits.ratio, "the file decompresses by a factor over"));
        }
    }
}

/// The first bytes of the decompressed stream, empty if there are none.
pub(super) fn peek(format: Format, bytes: &[u8]) -> Vec<u8> {
    let mut out = [0; 16];
    match reader(format, bytes, Limits::default().lzma_dictionary).map(|mut reader| reader.read(&mut out)) {
        Ok(Ok(read)) => out[..read].to_vec(),
        _ => Vec::new(),
    }
}

fn broken(format: Format, why: &str) -> Error {
    Error::malformed(format!("the {} stream is damaged or cut: {why}", format.name()))
        .remedy("Copy the file again; it may have been cut on the way.")
}

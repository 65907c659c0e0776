//! A packed folder read back: the manifest out of `schema.json`, the image out of `model.wasm`.

use super::{Manifest, Predictor};
use crate::image::MAGIC;
use crate::{Error, Kind, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// More than any package that a page could load.
const MOST_BYTES: u64 = 1 << 30;

/// The two files of a packed folder that hold the model.
pub struct Packed {
    pub manifest: Manifest,
    wasm: Vec<u8>,
}

impl Packed {
    /// # Errors
    /// Where a file is absent or damaged; whether they fit together, `Predictor::open` checks.
    pub fn read(folder: &Path) -> Result<Packed> {
        let schema = read(folder, "schema.json")?;
        let manifest =
            manifest(&schema).map_err(|error| error.at(folder.join("schema.json").display().to_string()))?;
        Ok(Packed { manifest, wasm: read(folder, "model.wasm")? })
    }

    /// The model's bytes within model.wasm.
    ///
    /// # Errors
    /// Where there are none.
    pub fn image(&self) -> Result<&[u8]> {
        image(&self.wasm).map_err(|error| error.at("model.wasm"))
    }
}

impl Predictor {
    /// From a folder that `pack` wrote.
    ///
    /// # Errors
    /// Where a file is absent, damaged or of another model than the other.
    pub fn from_package(folder: &Path) -> Result<Predictor> {
        let packed = Packed::read(folder)?;
        let image = packed.image().map_err(|error| error.at(folder.display().to_string()))?;
        Predictor::open(image, packed.manifest.clone()).map_err(|error| error.at(folder.display().to_string()))
    }
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    let refused = |what: String| {
        Error::new(Kind::Io, what)
            .at(path.display().to_string())
            .remedy("Give a folder that `carryout pack` wrote, or a model file.")
    };
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(|error| refused(error.to_string()))?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| refused(error.to_string()))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::limit(format!("over {MOST_BYTES} bytes")).at(path.display().to_string()));
    }
    Ok(bytes)
}

fn manifest(schema: &[u8]) -> Result<Manifest> {
    #[derive(serde::Deserialize)]
    struct File {
        #[serde(rename = "x-carryout")]
        manifest: Manifest,
    }
    let file: File = serde_json::from_slice(schema).map_err(|error| {
        Error::malformed(format!("not the schema of a package: {error}")).remedy("Pack the model again.")
    })?;
    Ok(file.manifest)
}

/// The data segment that begins with the image's magic. The file is only read, never run, so a section that lies
/// about its length costs nothing but this error.
fn image(wasm: &[u8]) -> Result<&[u8]> {
    let broken = || Error::malformed("not a WebAssembly module that carryout made").remedy("Pack the model again.");
    let mut module = wasm.strip_prefix(b"\0asm\x01\0\0\0").ok_or_else(broken)?;
    while let [id, rest @ ..] = module {
        let (section, rest) = block(rest).ok_or_else(broken)?;
        module = rest;
        // 11 is the data section: a count, then the segments.
        if *id != 11 {
            continue;
        }
        let (count, mut segments) = leb(section).ok_or_else(broken)?;
        for _ in 0..count {
            let (data, rest) = segment(segments).ok_or_else(broken)?;
            segments = rest;
            if data.starts_with(&MAGIC.to_le_bytes()) {
                return Ok(data);
            }
        }
    }
    Err(broken())
}

/// An unsigned LEB128 number of up to 32 bits, and what follows it.
fn leb(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u64;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, &bytes[place + 1..]));
        }
    }
    None
}

/// Bytes with their length before them.
fn block(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = leb(bytes)?;
    rest.split_at_checked(length)
}

/// A data segment: active (flags 0, an `i32.const` offset) or passive (flags 1).
fn segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (flags, rest) = leb(bytes)?;
    match flags {
        0 => {
            let [0x41, rest @ ..] = rest else { return None };
            let end = rest.iter().take(5).position(|byte| byte & 0x80 == 0)?;
            let [0x0b, rest @ ..] = &rest[end + 1..] else { return None };
            block(rest)
        }
        1 => block(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(sections: &[&[u8]]) -> Vec<u8> {
        [b"\0asm\x01\0\0\0".as_slice(), &sections.concat()].concat()
    }

    #[test]
    fn the_image_is_the_segment_with_the_magic() {
        let custom = b"\x00\x03\x01xy";
        let data = b"\x0b\x16\x02\x00\x41\x08\x0b\x03abc\x00\x41\x80\x80\x40\x0b\x06crry!?";
        let wasm = module(&[custom, data]);
        assert_eq!(image(&wasm).unwrap(), b"crry!?");
        // Cut anywhere, it is an error.
        for end in 0..wasm.len() {
            assert!(image(&wasm[..end]).is_err(), "{end}");
        }
        assert!(image(&module(&[custom])).is_err());
        assert!(image(&module(&[b"\x0b\xff\xff\xff\xff\x0f"])).is_err());
    }
}

//! What a file is, by its first bytes: the formats of models, and the files that people hand over in their place.

use super::{onnx, pickle, xgboost};
use crate::{Error, Result};
use std::io::Read;

/// The format of a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Pickle or joblib, compressed or not.
    Pickle,
    XgboostJson,
    XgboostUbjson,
    XgboostBinary,
    LightgbmText,
    LightgbmJson,
    Catboost,
    CatboostJson,
    Onnx,
    /// carryout's own, written by `carryout train`.
    Carry,
}

/// How far in a JSON file or an archive the names that tell what it is are looked for.
const HEAD: usize = 1 << 16;

const SAVE_AGAIN: &str = "Save the fitted model itself: joblib.dump(model, \"model.joblib\").";
const TABULAR: &str =
    "carryout reads tabular models saved with pickle or joblib: joblib.dump(model, \"model.joblib\").";

/// # Errors
/// Where it is no model file: names what it is and what to do.
pub fn sniff(bytes: &[u8]) -> Result<Format> {
    if bytes.is_empty() {
        return Err(Error::malformed("the file is empty").remedy(SAVE_AGAIN));
    }
    if let Some(format) = model(bytes) {
        return Ok(format);
    }
    if let Some((what, remedy)) = other(bytes) {
        return Err(Error::unsupported(format!("this is {what}, not a model file")).remedy(remedy));
    }
    // A protocol mark of a version that does not exist is the pickle reader's to refuse.
    if pickle::looks_like(bytes) || bytes[0] == 0x80 {
        return Ok(Format::Pickle);
    }
    if let Some((name, start)) = pickle::compressed(bytes) {
        // What is wrong with a damaged stream, its reader says.
        return match start.is_empty() {
            true => Ok(Format::Pickle),
            false => Err(Error::unsupported(format!("a {name} stream that holds no pickle")).remedy(TABULAR)),
        };
    }
    if let Some((what, remedy)) = text(bytes) {
        return Err(Error::unsupported(format!("this is {what}, not a model file")).remedy(remedy));
    }
    let first: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Err(Error::unsupported(format!("not a format carryout knows; it begins with the bytes {}", first.join(" ")))
        .remedy(TABULAR))
}

fn head(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(HEAD)]
}

fn has(bytes: &[u8], needle: &str) -> bool {
    head(bytes).windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Leading white space and a byte order mark aside.
fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start()
}

fn model(bytes: &[u8]) -> Option<Format> {
    let start = trimmed(head(bytes));
    if bytes.starts_with(b"carry\r\n\x1a") {
        return Some(Format::Carry);
    }
    if bytes.starts_with(b"CBM1") {
        return Some(Format::Catboost);
    }
    if xgboost::is_old_binary(bytes) {
        return Some(Format::XgboostBinary);
    }
    if start.starts_with(b"tree\n") || start.starts_with(b"tree\r\n") {
        return Some(Format::LightgbmText);
    }
    // UBJSON: an object whose first key has its length in front, as L (8 bytes), l, I, i or U.
    if let [b'{', mark, ..] = bytes
        && b"LlIiU".contains(mark)
        && (has(bytes, "learner") || has(bytes, "Config"))
    {
        return Some(Format::XgboostUbjson);
    }
    if start.starts_with(b"{") {
        return [
            ("\"learner\"", Format::XgboostJson),
            ("\"tree_info\"", Format::LightgbmJson),
            ("\"oblivious_trees\"", Format::CatboostJson),
            ("\"features_info\"", Format::CatboostJson),
        ]
        .into_iter()
        .find_map(|(key, format)| has(bytes, key).then_some(format));
    }
    if onnx::looks_like(bytes) {
        return Some(Format::Onnx);
    }
    None
}

/// Binary files with a signature, and texts that begin in a known way.
fn other(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let start = trimmed(head(bytes));
    let begins = |text: &str| start.get(..text.len()).is_some_and(|s| s.eq_ignore_ascii_case(text.as_bytes()));
    if begins("version https://git-lfs.github.com/") {
        return Some((
            "a git-lfs pointer",
            "The file was not downloaded, only its placeholder: run `git lfs pull` in the repository.",
        ));
    }
    if begins("<?xml") || begins("<PMML") {
        return Some(if has(bytes, "<PMML") {
            ("a PMML file", "Export the model from Python instead: joblib.dump(model, \"model.joblib\").")
        } else {
            ("an XML file", TABULAR)
        });
    }
    if begins("<!doctype html") || begins("<html") || begins("<head") {
        return Some((
            "an HTML page",
            "Most likely the page around the download, or its error message: download the file itself (on GitHub, the Raw button).",
        ));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Some(if has(bytes, "data.pkl") {
            ("a PyTorch file", TABULAR)
        } else if has(bytes, ".npy") {
            ("a numpy .npz archive", SAVE_AGAIN)
        } else if has(bytes, "schema.json") {
            ("a skops file", SAVE_AGAIN)
        } else if has(bytes, "model.weights.h5") || has(bytes, "keras") {
            ("a Keras file", TABULAR)
        } else {
            ("a zip archive", "Unpack it and give the model file inside.")
        });
    }
    if let [0x1f, 0x8b, ..] = bytes {
        let mut first = [0; 5];
        let mut read = flate2::read::MultiGzDecoder::new(bytes).take(5);
        // A damaged stream is for the pickle reader to report.
        let mut filled = 0;
        while let Ok(count @ 1..) = read.read(&mut first[filled..]) {
            filled += count;
        }
        let r = [b"X\n\0\0\0".as_slice(), b"A\n2\n", b"A\n3\n", b"RDX2", b"RDX3"];
        return r.iter().any(|start| first[..filled].starts_with(start)).then_some((
            "an R data file (.rds or .RData)",
            "Export the model from R in a format of its library, or train it in Python.",
        ));
    }
    let signatures: [(&[u8], &str, &str); 10] = [
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras or pandas)", TABULAR),
        (b"\x93NUMPY", "a numpy array (.npy)", SAVE_AGAIN),
        (b"PAR1", "a Parquet table", SAVE_AGAIN),
        (b"ARROW1", "an Arrow table", SAVE_AGAIN),
        (b"SQLite format 3\0", "an SQLite database", SAVE_AGAIN),
        (b"GGUF", "a GGUF language model", TABULAR),
        (b"X\n\0\0\0", "an R data file (.rds)", "Export the model from R in a format of its library."),
        (b"\0asm", "a WebAssembly module", "To use a packed model, give its folder, not the file inside."),
        (b"ZF", "a joblib file from before version 0.10", "Load it in Python and save it with a newer joblib."),
        (b"crry", "a bare model image", "Give the packed folder or the model file it was made from."),
    ];
    signatures.iter().find(|(magic, ..)| bytes.starts_with(magic)).map(|&(_, what, remedy)| (what, remedy))
}

/// Text without a signature.
fn text(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let head = head(bytes);
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // Cut inside the last character.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    if text.contains('\0') {
        return None;
    }
    let first = text.trim_start().lines().next().unwrap_or("");
    Some(if text.trim_start().starts_with(['{', '[']) {
        ("a JSON file of a kind carryout does not know", TABULAR)
    } else if text.contains("import ") && text.contains("\n") {
        ("a script", "Run it to fit the model, save it with joblib.dump(model, \"model.joblib\") and give that file.")
    } else if first.matches([',', ';', '\t']).count() > 0 {
        (
            "a table of text (CSV?)",
            "Learn a model from it: carryout train ROWS.csv --target COLUMN -o model.carry. To predict its rows the model comes first: carryout predict MODEL ROWS.csv.",
        )
    } else {
        ("a text file", TABULAR)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_models() {
        for (bytes, format) in [
            (b"\x80\x04\x95\x05".as_slice(), Format::Pickle),
            (b"tree\nversion=v4\n", Format::LightgbmText),
            (b" {\"learner\": {}}", Format::XgboostJson),
            (b"{L\0\0\0\0\0\0\0\x07learner{", Format::XgboostUbjson),
            (b"{\"name\":\"tree\",\"tree_info\":[]}", Format::LightgbmJson),
            (b"{\"features_info\":{}}", Format::CatboostJson),
            (b"CBM1\0\0", Format::Catboost),
            (b"carry\r\n\x1a\x01\0", Format::Carry),
            (b"\x08\x08\x12\x08skl2onnx\x3a\0", Format::Onnx),
        ] {
            assert_eq!(sniff(bytes).unwrap(), format);
        }
    }

    #[test]
    fn files_in_the_place_of_models() {
        let mut rds = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        std::io::Write::write_all(&mut rds, b"X\n\0\0\0\x03rest").unwrap();
        let rds = rds.finish().unwrap();
        for (bytes, text) in [
            (b"".as_slice(), "the file is empty"),
            (b"\n<!DOCTYPE html><html>", "this is an HTML page, not a model file"),
            (b"version https://git-lfs.github.com/spec/v1\noid", "this is a git-lfs pointer, not a model file"),
            (b"\x89HDF\r\n\x1a\n", "this is an HDF5 file (Keras or pandas), not a model file"),
            (b"\x93NUMPY\x01", "this is a numpy array (.npy), not a model file"),
            (b"PK\x03\x04....archive/data.pkl", "this is a PyTorch file, not a model file"),
            (b"PK\x03\x04....a.txt", "this is a zip archive, not a model file"),
            (b"<?xml version=\"1.0\"?>\n<PMML>", "this is a PMML file, not a model file"),
            (&rds, "this is an R data file (.rds or .RData), not a model file"),
            (b"ZF0x1", "this is a joblib file from before version 0.10, not a model file"),
            (b"age,bmi\n1,2\n", "this is a table of text (CSV?), not a model file"),
            (b"[1, 2]", "this is a JSON file of a kind carryout does not know, not a model file"),
            ("grüße\n".as_bytes(), "this is a text file, not a model file"),
            (b"\xfe\xed\0\x01", "not a format carryout knows; it begins with the bytes fe ed 00 01"),
        ] {
            let error = sniff(bytes).unwrap_err();
            assert_eq!(error.to_string(), text);
            assert!(error.remedy_text().is_some(), "{text}");
        }
    }
}

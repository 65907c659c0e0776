//! From a lowered model to an npm package: link the wasm, write the files around it, read a packed folder back.

mod aim;
mod emit;
mod folder;
mod link;
mod selftest;

pub use folder::{Packed, is_package, no_package, open, write};
pub use link::{Names, functions, link, unlink};
pub use selftest::Sample;

use crate::image::{Image, header};
use crate::lower::{Encoding, Lowered, Results, Span};
use crate::model::{Cell, ColumnKind, Model};
use crate::predictor::Manifest;
use crate::{Error, Result};
use emit::{Subject, javascript::Loading};
use flate2::{Compression, write::GzEncoder};
use selftest::SelfTest;
use sha2::{Digest, Sha384};
use std::collections::HashSet;
use std::io::Write;

include!(concat!(env!("OUT_DIR"), "/runtime.rs"));

/// The runtime that packages carry.
///
/// # Errors
/// Where this build was made without it.
pub fn runtime() -> Result<&'static [u8]> {
    RUNTIME.ok_or_else(|| {
        Error::unsupported("this build of carryout holds no runtime to pack").remedy("Build it with `make build`.")
    })
}

/// Version of the package's layout and of manifest.json.
pub const FORMAT: u32 = 1;

/// How far a number may be from the original's, absolute and relative, in what `pack` accepts and `selfTest()` replays.
pub const ORIGINAL: f64 = 1e-9;

/// What the caller decides about a package.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the npm package; `check_name` holds.
    pub name: String,
    pub version: String,
    /// An SPDX expression. The model is its maker's: nothing is granted unless they say so.
    pub license: String,
    /// Rows for the self-test, with the original's answers where they are known.
    pub samples: Vec<Sample>,
    /// How the model was compared with the original, a line a finding.
    pub checked: Vec<String>,
}

impl Options {
    pub fn new(name: impl Into<String>) -> Options {
        Options {
            name: name.into(),
            version: "1.0.0".to_string(),
            license: "UNLICENSED".to_string(),
            samples: Vec::new(),
            checked: Vec::new(),
        }
    }
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

/// The files of the package, in the order in which a person reads them.
///
/// # Errors
/// Where the name is no npm name, or the model holds something that has no form in JavaScript.
pub fn pack(model: &Model, lowered: &Lowered, runtime: &[u8], options: &Options) -> Result<Vec<File>> {
    check_name(&options.name)?;
    let manifest = Manifest::new(&options.name, model, lowered);
    let mut image = lowered.image.clone();
    let id = id(&image, emit::json::manifest(&manifest)?.as_bytes());
    write_id(&mut image, id);
    let subject = Subject::new(&manifest, &image, id)?;
    let wasm = link(
        runtime,
        &image,
        &lowered.kernels,
        subject.takes_rows(),
        &emit::javascript::gives(&manifest.results),
        Names::Drop,
    )?;
    let integrity = integrity(&wasm);
    let tests = SelfTest::choose(model, lowered, &manifest, &options.samples)?;
    let cases = tests.json(&manifest, ORIGINAL);
    let js = |loading| emit::javascript::index(&subject, &integrity, loading);
    let index = js(Loading::Beside);
    let inline = js(Loading::Inside(&wasm));
    let size = |name, bytes: &[u8]| emit::readme::Size { name, raw: bytes.len(), gzip: gzipped(bytes) };
    let sizes = [size("index.js", index.as_bytes()), size("model.wasm", &wasm)];
    let texts = [
        ("README.md", emit::readme::readme(&subject, &sizes, &tests, &options.checked)),
        ("index.d.ts", emit::types::index(&subject)),
        ("index.d.cts", emit::types::index(&subject)),
        ("index.cjs", emit::javascript::common(&subject, &inline)),
        ("index.js", index),
        ("inline.d.ts", emit::types::inline(&subject)),
        ("inline.js", inline),
        ("node.js", js(Loading::Read(wasm.len()))),
        ("workerd.js", js(Loading::Imported)),
        ("worker.d.ts", emit::types::worker(&subject)),
        ("worker.js", emit::javascript::worker(&subject)),
        ("thread.js", emit::javascript::thread(&subject)),
        ("selftest.d.ts", emit::types::selftest(&subject)),
        ("selftest.js", emit::javascript::selftest(&subject, &cases)),
        ("selftest.json", emit::json::text(&cases)),
        ("schema.json", emit::json::schema(&subject)),
        ("manifest.json", emit::json::manifest(&manifest)?),
    ];
    let mut files: Vec<File> =
        texts.into_iter().map(|(name, text)| File { name, bytes: text.into_bytes() }).collect();
    files.push(File { name: "model.wasm", bytes: wasm });
    let names: Vec<&str> = files.iter().map(|file| file.name).filter(|name| *name != "README.md").collect();
    let package = emit::json::package(&subject, options, &integrity, &names);
    files.insert(0, File { name: "package.json", bytes: package.into_bytes() });
    Ok(files)
}

/// The id of an image that has none yet: of it and of manifest.json.
fn id(image: &[u8], manifest: &[u8]) -> u32 {
    let hash = Sha384::new().chain_update(manifest).chain_update(image).finalize();
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
}

fn write_id(image: &mut [u8], id: u32) {
    if let Some(place) = image.get_mut(header::ID..).and_then(|rest| rest.first_chunk_mut()) {
        *place = id.to_le_bytes();
    }
}

/// `sha384-…`, as in a script element's integrity attribute.
pub fn integrity(bytes: &[u8]) -> String {
    format!("sha384-{}", base64(&Sha384::digest(bytes)))
}

fn base64(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(*three.get(at).unwrap_or(&0)));
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            text.push(if at <= three.len() { digits[(bits >> shift & 63) as usize] as char } else { '=' });
        }
    }
    text
}

/// Bytes after gzip at its best, as servers send files. From a megabyte on at its default: the best takes seven times
/// as long for half a percent (7.6 MB of trees: 2.8 s and 0.4 s).
pub fn gzipped(bytes: &[u8]) -> usize {
    let level = if bytes.len() < 1 << 20 { Compression::best() } else { Compression::default() };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map_or(0, |bytes| bytes.len())
}

/// Whether npm takes the name.
///
/// # Errors
/// Says what is wrong with it and what would do.
pub fn check_name(name: &str) -> Result<()> {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
    };
    let fits = match name.strip_prefix('@').map(|rest| rest.split_once('/')) {
        Some(Some((scope, rest))) => part(scope) && part(rest),
        Some(None) => false,
        None => part(name),
    };
    if fits && name.len() <= 214 && !matches!(name, "node_modules" | "favicon.ico") {
        return Ok(());
    }
    Err(Error::input(format!("{name:?} is not a name that npm takes"))
        .remedy(format!("Lower-case letters, digits, - and _ make one, for example --name {}.", name_from(name))))
}

/// A package name as close to the text as npm allows.
pub fn name_from(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars().take(100) {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => name.push(c),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() || check_name(name).is_err() { "model".to_string() } else { name.to_string() }
}

/// Whether the manifest describes this image, and every value in it can cross to JavaScript. Holds for what `pack`
/// writes; a folder that comes from elsewhere has to show it.
///
/// # Errors
/// Names what does not fit.
pub fn check(manifest: &Manifest, image: &Image) -> Result<()> {
    let columns = &manifest.schema.columns;
    let fits = |what: &str, found: usize, expected: usize| {
        if found == expected {
            return Ok(());
        }
        Err(Error::malformed(format!("{found} {what}, but {expected} are expected")))
    };
    fits("columns in the image", image.columns, columns.len())?;
    fits("encodings", manifest.encodings.len(), columns.len())?;
    fits("paths", manifest.paths.len(), image.ops)?;
    if columns.is_empty() {
        return Err(Error::unsupported("a model without columns"));
    }
    let mut names = HashSet::new();
    for (column, encoding) in columns.iter().zip(&manifest.encodings) {
        let place = || format!("column {:?}", column.name);
        if !names.insert(column.name.as_str()) {
            return Err(Error::unsupported("two columns of one name")
                .at(place())
                .remedy("Give the columns names of their own with --features."));
        }
        if let ColumnKind::Category(values) = &column.kind {
            writable(values).map_err(|error| error.at(place()))?;
            match encoding {
                Encoding::Number if values.iter().any(|value| value.number().is_none()) => {
                    return Err(Error::malformed("a category that is not a number, encoded as one").at(place()));
                }
                Encoding::Code(vocabulary) if !vocabulary.starts_with(values) => {
                    return Err(Error::malformed("a vocabulary that does not begin with the categories").at(place()));
                }
                Encoding::Code(vocabulary) => writable(vocabulary).map_err(|error| error.at(place()))?,
                Encoding::Number | Encoding::Text => {}
            }
        }
        if (column.kind == ColumnKind::Text) != (*encoding == Encoding::Text) {
            return Err(
                Error::malformed("a column of texts that is encoded otherwise, or another as one").at(place())
            );
        }
    }
    check_results(&manifest.results, image, &manifest.encodings, true)
}

fn check_results(results: &Results, image: &Image, encodings: &[Encoding], outermost: bool) -> Result<()> {
    let within = |first: u32, count: u32| {
        let end = u64::from(first) + u64::from(count);
        if count > 0 && end <= image.slots as u64 {
            return Ok(());
        }
        Err(Error::malformed(format!("results in {count} slots from {first} on, of {}", image.slots)))
    };
    let span = |span: &Span, expected: usize| {
        within(span.first, span.count)?;
        if span.count as usize == expected {
            return Ok(());
        }
        Err(Error::malformed(format!("{} results where {expected} are expected", span.count)))
    };
    match results {
        Results::Classification { classes, label, probabilities, scores, threshold: _ } => {
            within(*label, 1)?;
            writable(classes)?;
            if let Some(probabilities) = probabilities {
                span(probabilities, classes.len())?;
            }
            match scores {
                Some(scores) if scores.count == 1 && classes.len() == 2 => within(scores.first, 1),
                Some(scores) => span(scores, classes.len()),
                None => Ok(()),
            }
        }
        Results::Regression { values, names } | Results::Transform { values, names, .. } => {
            span(values, if names.is_empty() { values.count as usize } else { names.len() })?;
            let Results::Transform { codes, .. } = results else { return Ok(()) };
            let known = |code: &Option<u32>| {
                code.is_none_or(|column| matches!(encodings.get(column as usize), Some(Encoding::Code(_))))
            };
            if codes.len() == values.count as usize && codes.iter().all(known) {
                return Ok(());
            }
            Err(Error::malformed("codes of a column that has none"))
        }
        Results::Several(parts) if outermost => {
            parts.iter().try_for_each(|part| check_results(part, image, encodings, false))
        }
        Results::Several(_) => Err(Error::unsupported("outputs of outputs")),
        Results::Anomaly { outlier, score, samples } => {
            [Some(*outlier), Some(*score), *samples].into_iter().flatten().try_for_each(|slot| within(slot, 1))
        }
        Results::Clustering { cluster, labels, distances } => {
            within(*cluster, 1)?;
            writable(labels)?;
            distances.as_ref().map_or(Ok(()), |distances| span(distances, labels.len()))
        }
    }
}

/// JavaScript source and JSON have no form for an infinite category or class.
fn writable(values: &[Cell]) -> Result<()> {
    match values.iter().find(|value| matches!(value, Cell::Float(number) if number.is_infinite())) {
        Some(value) => Err(Error::unsupported(format!("the value {value} as a category or class"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_npm_takes() {
        for name in ["a", "loan-approval", "@team/model.v2", "0_1"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(215);
        for name in [
            "",
            "Loan",
            "a b",
            "-a",
            ".a",
            "_a",
            "@team",
            "@/a",
            "@a/",
            "a/b",
            "a/../b",
            "é",
            "a\n",
            "node_modules",
            &long,
        ] {
            let error = check_name(name).unwrap_err();
            assert!(error.message().ends_with("is not a name that npm takes"), "{error}");
        }
        for (text, name) in [
            ("Loan Approval (v2)", "loan-approval-v2"),
            ("année", "ann-e"),
            ("../../etc", "etc"),
            ("日本", "model"),
            ("node_modules", "node-modules"),
        ] {
            assert_eq!(name_from(text), name);
            assert!(check_name(&name_from(text)).is_ok());
        }
    }

    #[test]
    fn base64_as_in_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd, 0xfc, 0xfb]), "//79/Ps=");
    }

    #[test]
    fn integrity_as_browsers_compute_it() {
        let empty = "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb";
        assert_eq!(integrity(b""), empty);
    }
}

//! A package as a folder on disk: written whole or not at all, and read back.

use super::emit::json::MANIFEST;
use super::{File, check, unlink};
use crate::image::Image;
use crate::predictor::Manifest;
use crate::{Error, Kind, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Most bytes that a file of a package may have to be read.
const MOST_BYTES: u64 = 1 << 31;

/// Whether `pack` wrote the folder.
pub fn is_package(folder: &Path) -> bool {
    let package = fs::read(folder.join("package.json")).unwrap_or_default();
    serde_json::from_slice::<Value>(&package).is_ok_and(|package| package["carryout"]["format"].is_u64())
}

fn io(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Io, format!("{what} {}: {error}", path.display()))
}

/// Writes the files into `folder`: beside it first, so that a reader sees the old package or the new one.
/// A folder that holds something else is left alone unless `force` says that it may go.
///
/// # Errors
/// Where the folder holds something that is not a package, or the system refuses.
pub fn write(folder: &Path, files: &[File], force: bool) -> Result<()> {
    let there = fs::symlink_metadata(folder).is_ok();
    let is_empty = || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if there && !force && !is_empty() && !is_package(folder) {
        return Err(Error::input(format!("{} exists and is not a package of carryout", folder.display()))
            .remedy("Name another folder with -o, or let it be replaced with --force."));
    }
    let name = folder.file_name().ok_or_else(|| Error::input(format!("{} names no folder", folder.display())))?;
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(|error| io("cannot make", parent, error))?;
    let beside = |suffix: &str| -> PathBuf {
        let mut path = std::ffi::OsString::from(".");
        path.push(name);
        path.push(format!(".{suffix}-{}", std::process::id()));
        parent.join(path)
    };
    let (new, old) = (beside("new"), beside("old"));
    let build = || -> Result<()> {
        fs::create_dir(&new).map_err(|error| io("cannot make", &new, error))?;
        for file in files {
            let path = new.join(file.name);
            fs::write(&path, &file.bytes).map_err(|error| io("cannot write", &path, error))?;
        }
        if there {
            fs::rename(folder, &old).map_err(|error| io("cannot replace", folder, error))?;
        }
        fs::rename(&new, folder).map_err(|error| {
            if there {
                let _ = fs::rename(&old, folder);
            }
            io("cannot write", folder, error)
        })
    };
    let built = build();
    if built.is_err() {
        let _ = fs::remove_dir_all(&new);
    } else if there {
        let removed = if old.is_dir() { fs::remove_dir_all(&old) } else { fs::remove_file(&old) };
        removed.map_err(|error| io("cannot remove", &old, error))?;
    }
    built
}

/// A package read back: enough to predict as it does.
#[derive(Clone, Debug)]
pub struct Packed {
    pub manifest: Manifest,
    pub image: Vec<u8>,
}

/// Reads a folder that `pack` wrote.
///
/// # Errors
/// Where a file is missing, cut or contradicts another.
pub fn open(folder: &Path) -> Result<Packed> {
    let read = |name: &str| -> Result<Vec<u8>> {
        let path = folder.join(name);
        let size = fs::metadata(&path).map_err(|error| io("cannot read", &path, error))?.len();
        if size > MOST_BYTES {
            return Err(Error::limit(format!("{} has {size} bytes; at most {MOST_BYTES} are read", path.display())));
        }
        fs::read(&path).map_err(|error| io("cannot read", &path, error))
    };
    let manifest = manifest(&read("schema.json")?).map_err(|error| error.at("schema.json"))?;
    let wasm = read("model.wasm")?;
    let image = unlink(&wasm).map_err(|error| error.at("model.wasm"))?;
    if let Some(image) = Image::open(image) {
        check(&manifest, &image).map_err(|error| error.at("schema.json"))?;
    }
    Ok(Packed { manifest, image: image.to_vec() })
}

fn manifest(json: &[u8]) -> Result<Manifest> {
    let mut schema: Value =
        serde_json::from_slice(json).map_err(|error| Error::malformed(format!("not JSON: {error}")))?;
    let front = schema[MANIFEST].take();
    if front["format"] != super::FORMAT {
        return Err(Error::malformed(format!("not of a package of format {}", super::FORMAT))
            .remedy("Pack the model again with this version of carryout."));
    }
    serde_json::from_value(front).map_err(|error| Error::malformed(format!("{error}")).at(MANIFEST))
}

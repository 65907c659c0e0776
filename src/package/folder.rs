//! A package as a folder on disk: written whole or not at all, and read back.

use super::{File, check, id, unlink, write_id};
use crate::image::{Image, header};
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
    serde_json::from_slice::<Value>(&package)
        .is_ok_and(|package| package.pointer("/carryout/format").is_some_and(Value::is_u64))
}

fn io(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Io, format!("{what} {}: {error}", path.display()))
}

/// The error of a folder without a package.
pub fn no_package(folder: &Path) -> Error {
    Error::input("no packed model here")
        .at(folder.display().to_string())
        .remedy("Make one first: carryout pack model.joblib -o pkg/my-model")
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
    if folder.is_dir() && !folder.join("manifest.json").exists() {
        return Err(no_package(folder));
    }
    let text = read("manifest.json")?;
    let manifest = manifest(&text).map_err(|error| error.at("manifest.json"))?;
    let wasm = read("model.wasm")?;
    let mut image = unlink(&wasm).map_err(|error| error.at("model.wasm"))?.to_vec();
    let given = image.get(header::ID..).and_then(|rest| rest.first_chunk()).map(|id| u32::from_le_bytes(*id));
    write_id(&mut image, 0);
    if let Some(opened) = Image::open(&image) {
        check(&manifest, &opened).map_err(|error| error.at("manifest.json"))?;
        if given != Some(id(&image, &text)) {
            let error = Error::malformed("not of the same package as model.wasm, or changed since");
            return Err(error.at("manifest.json").remedy("Pack the model again."));
        }
    }
    Ok(Packed { manifest, image })
}

fn manifest(json: &[u8]) -> Result<Manifest> {
    let front: Value =
        serde_json::from_slice(json).map_err(|error| Error::malformed(format!("not JSON: {error}")))?;
    if front.get("format") != Some(&super::FORMAT.into()) {
        return Err(Error::malformed(format!("not of a package of format {}", super::FORMAT))
            .remedy("Pack the model again with this version of carryout."));
    }
    serde_json::from_value(front).map_err(|error| Error::malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("carryout-folder-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    fn files(text: &str) -> Vec<File> {
        let package = br#"{ "carryout": { "format": 1 } }"#.to_vec();
        vec![
            File { name: "package.json", bytes: package },
            File { name: "README.md", bytes: text.as_bytes().to_vec() },
        ]
    }

    #[test]
    fn a_package_may_be_replaced_and_nothing_else() {
        let parent = place("replace");
        let folder = parent.join("deep/package");
        write(&folder, &files("first"), false).unwrap();
        fs::write(folder.join("stale.js"), "old").unwrap();
        write(&folder, &files("second"), false).unwrap();
        assert_eq!(fs::read_to_string(folder.join("README.md")).unwrap(), "second");
        assert!(!folder.join("stale.js").exists(), "what the new package lacks is gone");
        // No trace of the work beside it.
        assert_eq!(fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1);

        let other = parent.join("thesis");
        fs::create_dir(&other).unwrap();
        write(&other, &files("into an empty folder"), false).unwrap();
        fs::remove_file(other.join("package.json")).unwrap();
        let error = write(&other, &files("x"), false).unwrap_err();
        assert_eq!(error.kind(), Kind::Input);
        assert!(error.message().ends_with("exists and is not a package of carryout"), "{error}");
        assert_eq!(fs::read_to_string(other.join("README.md")).unwrap(), "into an empty folder");
        write(&other, &files("forced"), true).unwrap();
        assert_eq!(fs::read_to_string(other.join("README.md")).unwrap(), "forced");

        let file = parent.join("file");
        fs::write(&file, "text").unwrap();
        assert!(write(&file, &files("x"), false).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "text");
        assert_eq!(write(&file.join("below"), &files("x"), false).unwrap_err().kind(), Kind::Io);
        fs::remove_dir_all(&parent).unwrap();
    }

    #[test]
    fn a_folder_that_is_no_package_is_refused() {
        let folder = place("open");
        assert_eq!(open(&folder).unwrap_err().kind(), Kind::Io);
        fs::create_dir(&folder).unwrap();
        assert_eq!(open(&folder).unwrap_err().message(), "no packed model here");
        fs::write(folder.join("model.wasm"), "").unwrap();
        for (manifest, message) in [
            ("", "not JSON"),
            ("[1]", "not of a package of format 1"),
            ("{}", "not of a package of format 1"),
            (r#"{ "format": 2 }"#, "not of a package of format 1"),
            (r#"{ "format": 1 }"#, "missing field `name`"),
        ] {
            fs::write(folder.join("manifest.json"), manifest).unwrap();
            let error = open(&folder).unwrap_err();
            assert!(error.message().starts_with(message), "{manifest}: {error}");
            assert_eq!(error.place()[0], "manifest.json");
        }
        fs::write(folder.join("manifest.json"), "[".repeat(1 << 20)).unwrap();
        assert!(open(&folder).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}

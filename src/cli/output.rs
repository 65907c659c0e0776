//! The files that commands write: each is there whole or not at all, and replaces nothing that is read or that is
//! another's.

use super::model::{shown, system};
use super::{Failure, Outcome};
use carryout::Error;
use carryout::train::carry;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// What a file may replace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Replaces {
    Models,
    Pages,
    Anything,
}

impl Replaces {
    /// Whether it is told by the beginning of a file; an empty one is nobody's.
    fn takes(self, start: &[u8]) -> bool {
        match self {
            Replaces::Models => start.starts_with(carry::MAGIC),
            Replaces::Pages => {
                let text = String::from_utf8_lossy(start).trim_start().to_ascii_lowercase();
                text.starts_with("<!doctype html") || text.starts_with("<html")
            }
            Replaces::Anything => true,
        }
    }
}

/// Sees to it, before the work, that a file can be written; makes its folder, as `pack` does. `option` is how the
/// command line names it.
pub fn claim(option: &str, path: &Path, inputs: &[&Path], replaces: Replaces) -> Outcome {
    if path == Path::new("-") {
        return Ok(());
    }
    if path.is_dir() {
        return Err(Failure::usage(format!("{} is a folder", shown(path)), format!("Name a file with {option}.")));
    }
    if let Some(input) = inputs.iter().find(|input| same(path, input)) {
        return Err(Failure::usage(
            format!("{option} would replace {}, which is read", shown(input)),
            "Name another file.",
        ));
    }
    if let Some(start) = start(path)
        && !start.is_empty()
        && !replaces.takes(&start)
    {
        let what = if replaces == Replaces::Models { "a model of carryout" } else { "an HTML page" };
        return Err(Error::input(format!("{} exists and is not {what}", shown(path)))
            .remedy(format!("Name another file with {option}, or remove it first."))
            .into());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(|error| system(parent, &error))?;
    }
    if !special(path) {
        let made = beside(path);
        File::create(&made).and_then(|_| fs::remove_file(&made)).map_err(|error| system(path, &error))?;
    }
    Ok(())
}

/// Whether two paths lead to one file.
pub fn same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// The first bytes of a file, None where there is none.
fn start(path: &Path) -> Option<Vec<u8>> {
    let mut start = Vec::new();
    let file = File::open(path).ok().filter(|_| !special(path))?;
    file.take(512).read_to_end(&mut start).ok()?;
    Some(start)
}

/// A device or a pipe is written as it is.
pub fn special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| !data.is_file())
}

/// Where a file is written before it takes its name.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

/// A file that is there whole or not at all: an interruption leaves the old one.
pub fn whole(path: &Path, bytes: &[u8]) -> Outcome {
    if path == Path::new("-") {
        return Ok(io::stdout().lock().write_all(bytes)?);
    }
    if special(path) {
        return Ok(fs::write(path, bytes).map_err(|error| system(path, &error))?);
    }
    let made = beside(path);
    let done = fs::write(&made, bytes).and_then(|()| fs::rename(&made, path));
    if done.is_err() {
        // Nothing more can be done about a file that will not go.
        let _ = fs::remove_file(&made);
    }
    Ok(done.map_err(|error| system(path, &error))?)
}

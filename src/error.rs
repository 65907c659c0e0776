//! The one error of the compile side: what kind, where, what was found against what was expected, and what a
//! person can do about it. Text is lower-case prose without a full stop at the end; the command adds the rest.

use crate::runtime::host::{BadImage, MOST_SLOTS};
use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a program needs to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The file is damaged, cut or contradicts itself.
    Malformed,
    /// A sound file that holds something carryout does not do; the message names it.
    Unsupported,
    /// The file names code that would run when Python opened it; nothing ran here.
    Unsafe,
    /// A size, depth or count is over a limit that the caller can raise.
    Limit,
    /// What the caller asked for does not fit the model: an option, a row, an unknown column.
    Input,
    /// The operating system refused a file.
    Io,
}

impl Kind {
    /// The word `--json` output carries.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Malformed => "malformed",
            Kind::Unsupported => "unsupported",
            Kind::Unsafe => "unsafe",
            Kind::Limit => "limit",
            Kind::Input => "input",
            Kind::Io => "io",
        }
    }
}

/// An error with its place and, where one exists, the remedy.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: Kind,
    message: String,
    place: Vec<String>,
    remedy: Option<String>,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner { kind, message: message.into(), place: Vec::new(), remedy: None }))
    }

    pub fn malformed(message: impl Into<String>) -> Error {
        Error::new(Kind::Malformed, message)
    }

    pub fn unsupported(message: impl Into<String>) -> Error {
        Error::new(Kind::Unsupported, message)
    }

    pub fn limit(message: impl Into<String>) -> Error {
        Error::new(Kind::Limit, message)
    }

    pub fn input(message: impl Into<String>) -> Error {
        Error::new(Kind::Input, message)
    }

    /// Adds the place one level out: `error.at("coef_").at("step 'clf'")` reads `step 'clf', coef_`.
    pub fn at(mut self, place: impl Into<String>) -> Error {
        self.0.place.insert(0, place.into());
        self
    }

    /// What a person can do about it, a sentence in the imperative.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Error {
        self.0.remedy.get_or_insert(remedy.into());
        self
    }

    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Outermost place first; empty where the whole file is meant.
    pub fn place(&self) -> &[String] {
        &self.0.place
    }

    pub fn remedy_text(&self) -> Option<&str> {
        self.0.remedy.as_deref()
    }
}

/// `place: message`; the alternate form (`{:#}`) adds the remedy on a line of its own.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.place.is_empty() {
            write!(f, "{}: ", self.0.place.join(", "))?;
        }
        f.write_str(&self.0.message)?;
        if f.alternate()
            && let Some(remedy) = &self.0.remedy
        {
            write!(f, "\n{remedy}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<BadImage> for Error {
    fn from(bad: BadImage) -> Error {
        match bad {
            BadImage::Unsound => Error::malformed("not a sound image of this version of carryout")
                .remedy("Pack the model again with this version."),
            BadImage::TooManySlots(slots) => {
                Error::limit(format!("the image works on {slots} columns at a time; at most {MOST_SLOTS} are given"))
            }
        }
    }
}

/// Adds a place to the error of a result.
pub trait At<T> {
    fn at(self, place: impl FnOnce() -> String) -> Result<T>;
}

impl<T> At<T> for Result<T> {
    fn at(self, place: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| error.at(place()))
    }
}

//! What a person sees in a terminal: errors and notes, in colour where that is wanted; the layout is `plain`'s.

pub use carryout::plain::{bytes, count, printable, table};
use carryout::{Error, Kind};
use serde_json::json;
use std::env;
use std::io::{self, IsTerminal, Write};

/// Whether a stream takes colour: a terminal, `NO_COLOR` unset or empty, not a dumb one.
pub fn colour(terminal: bool) -> bool {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    terminal && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

/// `error: place: message`, the remedy on a line of its own; with `json` one object on one line.
pub fn report(error: &Error, code: u8, json: bool) {
    // Where standard error is closed too there is nobody left to tell.
    let mut out = io::stderr().lock();
    if json {
        let body = json!({ "error": {
            "kind": error.kind().name(),
            "place": error.place(),
            "message": error.message(),
            "remedy": error.remedy_text(),
            "exit": code,
        }});
        let _ = writeln!(out, "{body}");
        return;
    }
    let (start, end) = if colour(out.is_terminal()) { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    let _ = writeln!(out, "{start}error:{end} {}", printable(&error.to_string()));
    if let Some(remedy) = error.remedy_text() {
        let _ = writeln!(out, "  {}", printable(remedy));
        if error.kind() == Kind::Limit && remedy.contains("limit `") {
            let _ = writeln!(out, "  (--limit NAME=COUNT; K, M and G may follow the count)");
        }
    }
}

/// A line beside the answer.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "note: {}", printable(text));
}

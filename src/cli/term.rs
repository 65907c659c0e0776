//! What a person sees in a terminal: errors, notes, sizes and tables.

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

/// Names come from files: control characters must not reach the terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// `640 B`, `12.3 kB`, `4.56 MB`: three digits, powers of ten as package registries count.
pub fn bytes(count: usize) -> String {
    let mut size = count as f64;
    if count < 1000 {
        return format!("{count} B");
    }
    for unit in ["kB", "MB"] {
        size /= 1000.0;
        if size < 999.5 {
            let digits = if size < 9.995 { 2 } else { usize::from(size < 99.95) };
            return format!("{size:.digits$} {unit}");
        }
    }
    format!("{:.2} GB", size / 1000.0)
}

/// Columns side by side, two spaces between; widths in characters, the last column ragged.
pub fn table(rows: &[Vec<String>], indent: &str) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.iter().map(Vec::len).max().unwrap_or(0)).map(width).collect();
    let mut out = String::new();
    for row in &rows {
        let mut line = indent.to_owned();
        for (cell, width) in row.iter().zip(&widths) {
            let pad = width - cell.chars().count() + 2;
            line.push_str(cell);
            line.push_str(&" ".repeat(pad));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// `1 row`, `2 rows`
pub fn count(number: usize, noun: &str) -> String {
    let plural = match noun.strip_suffix("ss").is_some() {
        _ if number == 1 => "",
        true => "es",
        false => "s",
    };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        for (size, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_994, "9.99 kB"),
            (9_996, "10.0 kB"),
            (99_960, "100 kB"),
            (999_400, "999 kB"),
            (999_600, "1.00 MB"),
            (3_200_000_000, "3.20 GB"),
        ] {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn control_characters_stay_out_of_the_terminal() {
        assert_eq!(table(&[vec!["a\x1b[2J".into(), "b".into()]], ""), "a\u{fffd}[2J  b\n");
        assert_eq!(
            (count(1, "class"), count(2, "class"), count(0, "row")),
            ("1 class".into(), "2 classes".into(), "0 rows".into())
        );
    }
}

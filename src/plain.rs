//! Plain text for people: sizes, counts and tables that a terminal shows as they are.

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

/// Columns side by side, two spaces between; widths in characters, the last column ragged. A line's end within a cell
/// is `↵`.
pub fn table(rows: &[Vec<String>], indent: &str) -> String {
    let line = |cell: &String| printable(&cell.replace('\n', "↵"));
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(line).collect()).collect();
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
        assert_eq!(table(&[vec!["a\nb".into(), "c".into()]], ""), "a↵b  c\n");
        assert_eq!(
            (count(1, "class"), count(2, "class"), count(0, "row")),
            ("1 class".into(), "2 classes".into(), "0 rows".into())
        );
    }
}

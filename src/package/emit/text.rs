//! Text of a model (names, categories, paths) on its way into files: one escape a language, so that whatever a
//! name holds, it stays data. And values laid out as prettier lays them out.

use serde_json::Value;

/// Columns that prettier fills.
const WIDTH: usize = 80;

/// Characters that change how the text around them is shown or read: controls, line separators, bidirectional
/// marks and invisible ones.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn push_unicode(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.push_str(&format!("\\u{unit:04x}"));
    }
}

/// Whether `<` and what follows could open or close a script element, or a comment, of HTML.
fn opens_html(next: Option<&char>) -> bool {
    matches!(next, Some('/' | '!' | 's' | 'S'))
}

/// The body of a string literal of JavaScript, TypeScript or JSON between `quote`s. What HTML would
/// read is broken up, so that the text can stand in a script element.
fn literal(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' if opens_html(rest.peek()) => push_unicode(&mut out, c),
            _ if c == quote => out.extend(['\\', c]),
            _ if is_hidden(c) => push_unicode(&mut out, c),
            _ => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// JSON text in which no string holds what HTML would read or an editor would hide; outside of strings neither
/// can stand.
pub fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' => out.push(c),
            '<' if opens_html(rest.peek()) => push_unicode(&mut out, c),
            _ if is_hidden(c) => push_unicode(&mut out, c),
            _ => out.push(c),
        }
    }
    out
}

/// A string literal of JSON.
pub fn json_string(text: &str) -> String {
    literal(text, '"')
}

/// A string literal of JavaScript and TypeScript, in the quotes that need fewer escapes.
pub fn js_string(text: &str) -> String {
    let count = |quote| text.chars().filter(|&c| c == quote).count();
    literal(text, if count('"') > count('\'') { '\'' } else { '"' })
}

fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}

/// A property name of a type or an object literal; `__proto__` would set the prototype of the latter: see
/// `js_key`.
pub fn ts_key(text: &str) -> String {
    if is_identifier(text) { text.to_string() } else { js_string(text) }
}

/// A property name in an object literal.
pub fn js_key(text: &str) -> String {
    let simple_number = text.parse::<u32>().is_ok_and(|number| number.to_string() == text);
    match text {
        "__proto__" => format!("[{}]", js_string(text)),
        _ if simple_number => text.to_string(),
        _ => ts_key(text),
    }
}

/// `.name` or `["name"]`.
pub fn js_member(text: &str) -> String {
    if is_identifier(text) { format!(".{text}") } else { format!("[{}]", js_string(text)) }
}

/// Text inside a block comment, on one line: it can neither end the comment nor start a JSDoc tag or link.
pub fn comment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '<' if opens_html(rest.peek()) => push_unicode(&mut out, c),
            '/' if out.ends_with('*') => out.push_str("\\/"),
            '@' if out.is_empty() || out.ends_with([' ', '{']) => out.push_str("\\@"),
            _ if c.is_whitespace() => out.push(' '),
            _ if is_hidden(c) => push_unicode(&mut out, c),
            _ => out.push(c),
        }
    }
    out
}

/// Text in Markdown, on one line: whatever Markdown or HTML could read otherwise is escaped, and nothing else, for
/// the file is read as it is too.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let ends = |name: &str| {
            out.len() >= name.len() && out.as_bytes()[out.len() - name.len()..].eq_ignore_ascii_case(name.as_bytes())
        };
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' if before.is_none() => out.push_str("&gt;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
            '_' if !(word(before) && word(next)) => out.push_str("\\_"),
            '#' | '+' | '-' | '=' if before.is_none() => out.extend(['\\', c]),
            // Without these no address becomes a link by itself.
            '@' => out.push_str("&#64;"),
            ':' if next == Some('/') || ends("mailto") || ends("xmpp") => out.push_str("&#58;"),
            '.' if ends("www") => out.push_str("&#46;"),
            // Needless behind an escaped bracket, but then no reader of Markdown has to get that right.
            '(' if before == Some(']') => out.push_str("\\("),
            _ if c.is_whitespace() => out.push(' '),
            _ if is_hidden(c) => out.push_str(&format!("\\\\u{{{:x}}}", c as u32)),
            _ => out.push(c),
        }
        before = Some(c);
    }
    out
}

/// A number as JavaScript writes it, in prettier's form.
pub fn js_number(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        "NaN".to_string()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_string()
    } else if size != 0.0 && !(1e-6..1e21).contains(&size) {
        format!("{value:e}")
    } else {
        format!("{value}")
    }
}

/// How wide the text stands in an editor; the wide characters are those of East Asian scripts and emoji.
pub fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match c as u32 {
            0x300..=0x36f | 0xfe00..=0xfe0f => 0,
            0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
            0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f | 0x1f900..=0x1f9ff => 2,
            0x20000..=0x3fffd => 2,
            _ => 1,
        })
        .sum()
}

/// Which language values are laid out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Js,
    Json,
}

/// A value as prettier lays it out, when its first line starts at column `start`, the line it stands on is
/// indented by `indent`, and `after` characters follow it.
pub fn layout(value: &Value, syntax: Syntax, indent: usize, start: usize, after: usize) -> String {
    let broken = |open: &str, close: &str, items: Vec<String>| {
        let pad = " ".repeat(indent + 2);
        let last = if syntax == Syntax::Js { ",\n" } else { "\n" };
        let body = items.iter().map(|item| format!("{pad}{item}")).collect::<Vec<_>>().join(",\n");
        format!("{open}\n{body}{last}{}{close}", " ".repeat(indent))
    };
    if !must_break(value) {
        let flat = flat(value, syntax);
        if start + width(&flat) + after <= WIDTH {
            return flat;
        }
    }
    // JSON has no comma behind the last.
    let comma = |number: usize, of: usize| usize::from(syntax == Syntax::Js || number + 1 < of);
    match value {
        Value::Array(items) if items.len() > 1 && items.iter().all(Value::is_number) => {
            // Numbers fill lines.
            let mut lines: Vec<String> = Vec::new();
            for (number, item) in items.iter().enumerate() {
                let last = number + 1 == items.len();
                let comma = if last && syntax == Syntax::Json { "" } else { "," };
                let item = format!("{}{comma}", flat(item, syntax));
                match lines.last_mut().filter(|line| indent + 2 + line.len() + 1 + item.len() <= WIDTH) {
                    Some(line) => line.extend([" ", &item]),
                    None => lines.push(item),
                }
            }
            let pad = " ".repeat(indent + 2);
            let body = lines.iter().map(|line| format!("{pad}{line}\n")).collect::<String>();
            format!("[\n{body}{}]", " ".repeat(indent))
        }
        Value::Array(items) if !items.is_empty() => {
            let count = items.len();
            let items = items.iter().enumerate();
            let items =
                items.map(|(k, item)| layout(item, syntax, indent + 2, indent + 2, comma(k, count))).collect();
            broken("[", "]", items)
        }
        Value::Object(fields) if !fields.is_empty() => {
            let count = fields.len();
            let fields = fields
                .iter()
                .enumerate()
                .map(|(k, (name, value))| {
                    let key = key(name, syntax);
                    let start = indent + 2 + width(&key) + 2;
                    format!("{key}: {}", layout(value, syntax, indent + 2, start, comma(k, count)))
                })
                .collect();
            broken("{", "}", fields)
        }
        _ => flat(value, syntax),
    }
}

fn key(name: &str, syntax: Syntax) -> String {
    if syntax == Syntax::Js { js_key(name) } else { json_string(name) }
}

/// Prettier never puts several objects, or several lists, on one line.
fn must_break(value: &Value) -> bool {
    match value {
        Value::Array(items) => {
            let objects = items.iter().all(|item| item.as_object().is_some_and(|fields| fields.len() > 1));
            let lists = items.iter().all(|item| item.as_array().is_some_and(|items| items.len() > 1));
            items.len() > 1 && (objects || lists) || items.iter().any(must_break)
        }
        Value::Object(fields) => fields.values().any(must_break),
        _ => false,
    }
}

fn flat(value: &Value, syntax: Syntax) -> String {
    match value {
        Value::String(text) if syntax == Syntax::Js => js_string(text),
        Value::String(text) => json_string(text),
        Value::Number(number) if number.is_f64() => {
            let text = js_number(number.as_f64().unwrap_or(f64::NAN));
            // In JSON the point tells floats from integers.
            let whole = syntax == Syntax::Json && text.bytes().all(|c| c.is_ascii_digit() || c == b'-');
            if whole { text + ".0" } else { text }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| flat(item, syntax)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_string(),
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name, syntax), flat(value, syntax)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strings_are_literals_that_read_back() {
        let nasty =
            "\"'`${x}\\ \n\r\t\u{0}\u{7f}\u{2028}\u{2029}\u{202e}\u{feff} </script> <!-- <Style <= 年 😀 \u{e0041}";
        let text = json_string(nasty);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), nasty);
        assert!(text.chars().all(|c| !is_hidden(c)), "{text}");
        assert!(!text.contains("</") && !text.contains("<!") && !text.contains("<S") && text.contains("<= 年 😀"));
        assert_eq!(js_string("it's"), "\"it's\"");
        assert_eq!(js_string("\"a\" 'b'"), "\"\\\"a\\\" 'b'\"");
        assert_eq!(js_string("\"a\""), "'\"a\"'");
        assert_eq!(
            harmless(&json!({ "</a>": nasty }).to_string()).parse::<Value>().unwrap(),
            json!({ "</a>": nasty })
        );
    }

    #[test]
    fn names_as_properties() {
        for (name, key, member) in [
            ("age", "age", ".age"),
            ("$a_1", "$a_1", ".$a_1"),
            ("class", "class", ".class"),
            ("1a", "\"1a\"", "[\"1a\"]"),
            ("7", "7", "[\"7\"]"),
            ("07", "\"07\"", "[\"07\"]"),
            ("-1", "\"-1\"", "[\"-1\"]"),
            ("größe", "\"größe\"", "[\"größe\"]"),
            ("", "\"\"", "[\"\"]"),
            ("__proto__", "[\"__proto__\"]", ".__proto__"),
        ] {
            assert_eq!((js_key(name).as_str(), js_member(name).as_str()), (key, member), "{name}");
        }
        assert_eq!(ts_key("__proto__"), "__proto__");
    }

    #[test]
    fn comments_stay_comments() {
        for (text, written) in [
            ("*/ alert(1) /*", "*\\/ alert(1) /*"),
            ("**//", "**\\//"),
            ("a\nb\u{2028}c\td", "a b c d"),
            ("@deprecated x@y {@link z}", "\\@deprecated x@y {\\@link z}"),
            ("\u{202e}x</script>", "\\u202ex\\u003c/script>"),
        ] {
            assert_eq!(comment(text), written);
        }
    }

    #[test]
    fn markdown_stays_text() {
        for (text, written) in [
            ("a|b [c](d) <img> `e` *f* _g_ #h", "a\\|b \\[c\\]\\(d) &lt;img> \\`e\\` \\*f\\* \\_g\\_ #h"),
            ("scikit-learn 1.9.1: sepal_length > x", "scikit-learn 1.9.1: sepal_length > x"),
            ("# a", "\\# a"),
            ("> a", "&gt; a"),
            ("- a", "\\- a"),
            ("![x](y)", "!\\[x\\]\\(y)"),
            ("http://x\n& \\", "http&#58;//x &amp; \\\\"),
            ("javascript:alert(1)", "javascript:alert(1)"),
            ("WWW.x.com mailto:a@b.c", "WWW&#46;x.com mailto&#58;a&#64;b.c"),
            ("\u{202e}", "\\\\u{202e}"),
        ] {
            assert_eq!(markdown(text), written);
        }
    }

    #[test]
    fn numbers_read_back() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (17.0, "17"),
            (250_000.5, "250000.5"),
            (1e300, "1e300"),
            (-1e-9, "-1e-9"),
            (1e20, "100000000000000000000"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(js_number(number), text);
        }
        for number in [0.1 + 0.2, f64::MAX, f64::MIN_POSITIVE, 1.0 / 3.0, 9_007_199_254_740_993.0] {
            assert_eq!(js_number(number).parse::<f64>().unwrap(), number);
        }
    }

    #[test]
    fn values_break_where_they_must() {
        let flat = json!([{ "a": 1, "b": 2 }]);
        assert_eq!(layout(&flat, Syntax::Js, 0, 0, 0), "[{ a: 1, b: 2 }]");
        let two = json!([{ "a": 1, "b": 2 }, { "a": 1.0, "b": "x" }]);
        assert_eq!(layout(&two, Syntax::Js, 0, 0, 0), "[\n  { a: 1, b: 2 },\n  { a: 1, b: \"x\" },\n]");
        assert_eq!(
            layout(&two, Syntax::Json, 0, 0, 0),
            "[\n  { \"a\": 1, \"b\": 2 },\n  { \"a\": 1.0, \"b\": \"x\" }\n]"
        );
        let numbers = layout(&json!(vec![1_234_567; 20]), Syntax::Js, 0, 0, 0);
        assert_eq!(numbers.lines().count(), 5);
        assert!(numbers.lines().all(|line| line.len() <= WIDTH));
        for syntax in [Syntax::Js, Syntax::Json] {
            assert_eq!(
                (layout(&json!([]), syntax, 0, 0, 0), layout(&json!({}), syntax, 0, 0, 0)),
                ("[]".into(), "{}".into())
            );
        }
    }
}

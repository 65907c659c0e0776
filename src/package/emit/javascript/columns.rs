//! From what a person passes to numbers in slots, and the words for what does not fit.

use super::list;
use crate::lower::Encoding;
use crate::model::{Cell, ColumnKind};
use crate::package::emit::text::{Syntax, js_member, js_string, layout, width};
use crate::package::emit::{Subject, cell, extras, infinite, range};
use crate::predictor::{CODE, TOO_LARGE};

/// What `Object.prototype` holds: columns of these names are read as own properties only.
const INHERITED: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// Columns whose fields are written out. An object of more is a table of its names to V8, and longer code it does not compile
/// well: of 200 columns they take 0.75 of a loop's time, of 400 1.2, and four times its bytes.
pub const MOST_WRITTEN_OUT: usize = 256;

/// What reads the fields of `INHERITED`.
const OWN: &str = "\
/** A field that every object inherits under its name counts only as its own. */
function own(row, name) {
  return name in Object.prototype && !Object.hasOwn(row, name)
    ? undefined
    : row[name];
}
";

/// A column's field of an object `row`.
fn field(name: &str) -> String {
    match INHERITED.contains(&name) {
        true => format!("own(row, {})", js_string(name)),
        false => format!("row{}", js_member(name)),
    }
}

/// Any field, of a name `name`.
fn any_field(needs: &Needs) -> &'static str {
    if needs.inherited { "own(row, name)" } else { "row[name]" }
}

pub fn is_category(kind: &ColumnKind) -> bool {
    matches!(kind, ColumnKind::Category(_))
}

/// The code paths that the columns of a model call for.
pub struct Needs {
    pub number: bool,
    pub boolean: bool,
    pub text: bool,
    pub category: bool,
    pub code: bool,
    /// A category that is not a string: booleans count as numbers.
    pub plain: bool,
    /// Columns whose categories have codes, and columns whose categories are the numbers themselves.
    pub coded: Vec<usize>,
    pub numeric: Vec<usize>,
    pub range: bool,
    pub missing: bool,
    pub infinite: bool,
    /// Columns of numbers that f32 must hold: one, and all there are of numbers.
    pub single: bool,
    pub all_single: bool,
    pub unknown: bool,
    /// Whole numbers that stand for the string of their digits, and lists of categories that are not whole.
    pub digits: bool,
    pub partial: bool,
    pub inherited: bool,
    pub unused: bool,
    /// Columns of numbers that take the same ones.
    pub uniform: bool,
}

impl Needs {
    pub fn of(subject: &Subject) -> Needs {
        let columns = subject.columns();
        let any = |test: &dyn Fn(&ColumnKind) -> bool| columns.iter().any(|column| column.used && test(&column.kind));
        let places = |coded: bool| {
            let encodings = subject.manifest.encodings.iter().enumerate();
            encodings
                .filter(|&(place, encoding)| {
                    is_category(&columns[place].kind) && matches!(encoding, Encoding::Code(_)) == coded
                })
                .map(|(place, _)| place)
                .collect::<Vec<usize>>()
        };
        let plain = columns.iter().zip(&subject.manifest.encodings).any(|(column, encoding)| match &column.kind {
            ColumnKind::Category(values) => {
                values.iter().chain(extras(column, encoding)).any(|value| !matches!(value, Cell::Str(_)))
            }
            _ => false,
        });
        Needs {
            number: any(&|kind| matches!(kind, ColumnKind::Number | ColumnKind::Integer)),
            boolean: any(&|kind| matches!(kind, ColumnKind::Boolean)),
            text: any(&|kind| matches!(kind, ColumnKind::Text)),
            category: any(&|kind| is_category(kind)),
            code: any(&|kind| matches!(kind, ColumnKind::Code(_))),
            plain,
            coded: places(true),
            numeric: places(false),
            range: columns.iter().any(|column| range(column).is_some()),
            missing: columns.iter().any(|column| column.missing),
            infinite: columns.iter().any(infinite),
            single: columns.iter().any(|column| column.single),
            all_single: columns
                .iter()
                .filter(|column| column.used && column.kind.holds_numbers())
                .all(|column| column.single),
            unknown: columns.iter().any(|column| column.unknown && is_category(&column.kind)),
            digits: columns.iter().any(|column| column.digits),
            partial: columns.iter().any(|column| column.partial),
            unused: columns.iter().any(|column| !column.used),
            inherited: columns.iter().any(|column| INHERITED.contains(&column.name.as_str())),
            uniform: columns.iter().all(|column| {
                column.used
                    && matches!(column.kind, ColumnKind::Number | ColumnKind::Integer)
                    && range(column).is_none()
                    && Some(infinite(column)) == columns.first().map(infinite)
                    && Some(column.single) == columns.first().map(|first| first.single)
                    && Some(column.missing) == columns.first().map(|first| first.missing)
            }),
        }
    }

    /// Whether a missing value needs a test of its own: where none is accepted, most branches refuse it anyway.
    fn tests_missing(&self) -> bool {
        self.missing || self.infinite || self.plain && self.unknown
    }

    /// Whether `value`, a number, is one of those that are accepted where infinities are not.
    fn finite(&self) -> &'static str {
        match (self.single, self.all_single) {
            (false, _) => "Number.isFinite(value)",
            (true, true) => "Number.isFinite(Math.fround(value))",
            (true, false) => "Number.isFinite(single ? Math.fround(value) : value)",
        }
    }

    /// Whether `value` is a number at all, and one of those.
    fn finite_number(&self) -> String {
        match self.single {
            // What is no number would be made one.
            true => format!("typeof value === \"number\" && {}", self.finite()),
            false => self.finite().to_string(),
        }
    }

    /// The greatest number that is.
    pub fn most(&self) -> &'static str {
        match (self.single, self.all_single) {
            (false, _) => "Number.MAX_VALUE",
            (true, true) => "SINGLE",
            (true, false) => "single ? SINGLE : Number.MAX_VALUE",
        }
    }

    /// Whether a value can be accepted with a warning.
    pub fn remarks(&self) -> bool {
        self.range || self.unknown || self.code
    }

    /// Whether a row can.
    pub fn warns(&self) -> bool {
        self.remarks() || self.missing
    }
}

/// From what a person passes to values in the order of the columns.
pub fn reading(subject: &Subject, needs: &Needs) -> String {
    let count = subject.columns().len();
    let mut js = String::new();
    if needs.inherited {
        js.push_str(&format!("{OWN}\n"));
    }
    let value = any_field(needs);
    let bare = if count == 1 { "  if (typeof row !== \"object\" || row === null) return [row];\n" } else { "" };
    let not_a_row = if count == 1 {
        String::new()
    } else {
        "  if (typeof row !== \"object\" || row === null) {
    throw new TypeError(
      `${at(number)}expected an object by column or an array, got ${show(row)}`,
    );
  }
"
        .to_string()
    };
    let plural = if count == 1 { "value" } else { "values" };
    let message = format!("`${{at(number)}}expected {count} {plural}, got ${{row.length}}`");
    let wrong_length = match 4 + "throw new TypeError();".len() + message.len() <= 80 {
        true => format!("    throw new TypeError({message});\n"),
        false => format!("    throw new TypeError(\n      {message},\n    );\n"),
    };
    js.push_str(&format!(
        "\
function listed(row) {{
  return Array.isArray(row) || ArrayBuffer.isView(row);
}}

function valuesOf(row, number) {{
  if (listed(row)) {{
    if (row.length === {count}) return row;
{wrong_length}  }}
{bare}{not_a_row}  return columns.map(({{ name }}) => {value});
}}

"
    ));
    if needs.missing {
        js.push_str(
            "\
const names = new Set(columns.map(({ name }) => name));

/** A field may be there under a misspelt name. */
function strays(row, warn, number) {
  for (const field of Object.keys(row)) {
    if (!names.has(field)) warn(field, undefined, number);
  }
}

",
        );
    }
    js.push_str(
        "\
function at(row) {
  return row === undefined ? \"\" : `row ${row}, `;
}

function field(c, row) {
  return at(row) + JSON.stringify(columns[c].name);
}

function show(value) {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return \"an array\";
  if (typeof value === \"object\") return \"an object\";
  if (typeof value === \"string\") {
    return `the string ${JSON.stringify(value.slice(0, 60))}`;
  }
  return `the ${typeof value} ${String(value).slice(0, 60)}`;
}

",
    );
    js
}

/// The worker's own way to a row's values: a list written out takes a fifth of the time that a search by names takes.
pub fn fields(subject: &Subject, needs: &Needs) -> String {
    let columns = subject.columns();
    let list = match columns.len() > MOST_WRITTEN_OUT {
        true => format!("  return schema.columns.map(({{ name }}) => {});\n", any_field(needs)),
        false => {
            let values: Vec<String> = columns.iter().map(|column| field(&column.name)).collect();
            list("return ", ("[", "]"), &values, ";\n", 2)
        }
    };
    let own = if needs.inherited { format!("\n{OWN}") } else { String::new() };
    format!(
        "
/** The values of a row in the order of the columns. */
function valuesOf(row) {{
  if (Array.isArray(row) || ArrayBuffer.isView(row)) return row;
{list}}}
{own}"
    )
}

/// How each field of a row `row` goes to its slot, two lines each: written out, V8 keeps a field's number out of the heap.
/// `slot` is behind what was filled before, `v` there for the value, and `other` or `encode` takes what is not ordinary.
pub fn filling(subject: &Subject, needs: &Needs) -> String {
    let mut js = String::new();
    for (c, column) in subject.columns().iter().enumerate() {
        let value = field(&column.name);
        let broken = if 4 + "v = ;".len() + width(&value) > 80 { "\n     " } else { "" };
        let other = match (needs.missing, needs.remarks()) {
            (true, _) => format!("other({c}, v)"),
            (false, true) => format!("encode({c}, v, warn, number)"),
            (false, false) => format!("encode({c}, v, number)"),
        };
        let own = match &column.kind {
            _ if !column.used && needs.missing => format!("v === undefined ? {other} : NaN"),
            _ if !column.used => "NaN".to_string(),
            ColumnKind::Number | ColumnKind::Integer => {
                let place = if needs.uniform { String::new() } else { format!("{c}, ") };
                let null = if column.missing { "v === null ? NaN : " } else { "" };
                format!("ordinary({place}v) ? v : {null}{other}")
            }
            ColumnKind::Category(_) => format!("codes[{c}].get(v) ?? {other}"),
            _ => other,
        };
        if own != "NaN" {
            js.push_str(&format!("    v ={broken} {value};\n"));
        }
        js.push_str(&match &column.kind {
            ColumnKind::Text if column.used => format!("    store((slot += n), {own});\n"),
            _ => format!("    x[(slot += n)] = {own};\n"),
        });
    }
    js
}

/// From a value to the number in its slot.
pub fn encoding(subject: &Subject, needs: &Needs) -> String {
    let columns = subject.columns();
    let mut js = String::new();
    if needs.category {
        js.push_str("/** The number of each category, by column. */\nconst codes = {\n");
        for (place, (column, encoding)) in columns.iter().zip(&subject.manifest.encodings).enumerate() {
            if !matches!(column.kind, ColumnKind::Category(_)) {
                continue;
            }
            let make = if matches!(encoding, Encoding::Code(_)) { "places" } else { "numbers" };
            // The model may fill in or compare with values it does not advertise.
            let extras: Vec<String> = extras(column, encoding)
                .iter()
                .filter(|value| !value.is_missing())
                .map(|value| layout(&cell(value), Syntax::Js, 4, 4, 1))
                .collect();
            if extras.is_empty() {
                js.push_str(&format!("  {place}: {make}(columns[{place}].categories),\n"));
            } else {
                let items = [vec![format!("...columns[{place}].categories")], extras].concat();
                js.push_str(&list(&format!("{place}: {make}("), ("[", "]"), &items, "),\n", 2));
            }
        }
        js.push_str("};\n\n");
        let key = if needs.plain { "plain(value)" } else { "value" };
        if !needs.coded.is_empty() {
            js.push_str(&format!(
                "\
function places(values) {{
  return new Map(values.map((value, place) => [{key}, place]));
}}

"
            ));
        }
        if !needs.numeric.is_empty() {
            js.push_str(
                "\
function numbers(values) {
  return new Map(values.map((value) => [+value, +value]));
}

",
            );
        }
        if needs.plain {
            js.push_str(
                "\
/** Booleans are numbers, as in Python. */
function plain(value) {
  return typeof value === \"boolean\" ? +value : value;
}

",
            );
        }
    }

    if needs.digits {
        let (key, plain) =
            if needs.category && needs.plain { ("key", "  const key = plain(value);\n") } else { ("value", "") };
        js.push_str(&format!(
            "\
/** A category as the model knows it: a whole number is the string of its digits. */
function spelt(c, value) {{
{plain}  const {{ digits }} = columns[c];
  return digits && Number.isSafeInteger({key}) ? String({key}) : {key};
}}

"
        ));
    }

    // Each branch returns, or falls through to the TypeError.
    let mut branches: Vec<(String, String)> = Vec::new();
    if needs.category {
        branches.push(("kind === \"category\"".to_string(), category_branch(needs)));
    }
    if needs.boolean {
        branches.push((
            "kind === \"boolean\"".to_string(),
            "    if (value === true || value === 1) return 1;\n    if (value === false || value === 0) return 0;\n"
                .to_string(),
        ));
    }
    if needs.text {
        let value = if needs.digits {
            "    const text = spelt(c, value);\n    if (typeof text === \"string\") return text;\n"
        } else {
            "    if (typeof value === \"string\") return value;\n"
        };
        branches.push(("kind === \"text\"".to_string(), value.to_string()));
    }
    if needs.number || needs.code {
        let test = match needs.infinite {
            true => format!("typeof value === \"number\" && (infinite || {})", needs.finite()),
            false => needs.finite_number(),
        };
        let mut warn = String::new();
        if needs.range {
            warn.push_str("    if (range && (value < range[0] || value > range[1])) warn(c, value, row);\n");
        }
        if needs.code {
            warn.push_str(
                "    if (count && (value < 0 || value >= count || value % 1))\n      warn(c, value, row);\n",
            );
        }
        branches.push((test, format!("{warn}    return value;\n")));
    }
    let missing = "value === undefined || value === null || value !== value";
    let mut body = String::new();
    if needs.tests_missing() {
        body.push_str(&format!("  if ({missing}) {{\n    if (missing) return NaN;\n  }} else "));
    } else {
        body.push_str("  ");
    }
    for (number, (test, code)) in branches.iter().enumerate() {
        let link = if number == 0 { "" } else { " else " };
        if branches.len() == 1 && !needs.tests_missing() && needs.number && !needs.range && !needs.code {
            let broken = if 2 + "if () return value;".len() + test.len() > 80 { "\n   " } else { "" };
            body.push_str(&format!("if ({test}){broken} return value;"));
            break;
        }
        let condition = condition(test, if number == 0 && !needs.tests_missing() { 2 } else { 9 });
        body.push_str(&format!("{link}if ({condition}) {{\n{code}  }}"));
    }
    let mut fields: Vec<&str> = vec![];
    fields.extend(needs.unused.then_some("used"));
    fields.extend((branches.len() > 1 || !(needs.number || needs.code)).then_some("kind"));
    fields.extend(needs.tests_missing().then_some("missing"));
    fields.extend(needs.infinite.then_some("infinite"));
    let by_column = needs.single && (!needs.all_single || branches.len() > 1);
    fields.extend(by_column.then_some("single"));
    fields.extend(needs.code.then_some("count"));
    fields.extend((needs.unknown && needs.category).then_some("unknown"));
    fields.extend((needs.unknown && needs.partial).then_some("partial"));
    fields.extend(needs.range.then_some("range"));
    let fields: Vec<String> = fields.into_iter().map(str::to_string).collect();
    let fields = match fields.is_empty() {
        true => String::new(),
        false => list("const ", ("{ ", " }"), &fields, " = columns[c];\n", 2),
    };
    let warn = if needs.remarks() { "warn, " } else { "" };
    let unused = if needs.unused { "  if (!used) return NaN;\n" } else { "" };
    let (words, expected) = expected(needs);
    let text = if needs.text { ", or the text" } else { "" };
    let missing = if needs.missing { "; NaN where it is missing" } else { "" };
    if needs.number {
        js.push_str(&ordinary(subject, needs));
    }
    let (large, why) = match (needs.single, by_column) {
        (false, _) => (String::new(), ""),
        (true, by_column) => {
            let own = if by_column { "single && " } else { "" };
            (format!("  const why = {own}Number.isFinite(value) ? \"{TOO_LARGE}\" : \"\";\n"), "${why}")
        }
    };
    js.push_str(&format!(
        "\
/** The number for the model{text}{missing}. */
function encode(c, value, {warn}row) {{
{fields}{unused}{body}
{large}  throw new TypeError(
    `${{field(c, row)}}: expected {words}, got ${{show(value)}}{why}`,
  );
}}

{expected}"
    ));
    if needs.warns() {
        js.push_str(&remark(needs));
    }
    js
}

/// A condition after `if (`, broken as prettier breaks it where it does not fit.
fn condition(test: &str, start: usize) -> String {
    if start + "if (".len() + test.len() + ") {".len() <= 80 {
        return test.to_string();
    }
    format!("\n    {}\n  ", test.replace(" && ", " &&\n    "))
}

fn category_branch(needs: &Needs) -> String {
    let key = if needs.plain || needs.digits { "key" } else { "value" };
    let mut js = String::new();
    if needs.digits {
        js.push_str("    const key = spelt(c, value);\n");
    } else if needs.plain {
        js.push_str("    const key = plain(value);\n");
    }
    js.push_str(&format!("    const code = codes[c].get({key});\n    if (code !== undefined) return code;\n"));
    if needs.unknown {
        let test = match needs.plain {
            true => "unknown && fits(c, key)".to_string(),
            false => format!("unknown && typeof {key} === \"string\""),
        };
        let other = match (needs.coded.is_empty(), needs.numeric.is_empty()) {
            (_, true) => "-1".to_string(),
            (true, false) => "key".to_string(),
            (false, false) => {
                let numeric: Vec<String> = needs.numeric.iter().map(|place| place.to_string()).collect();
                let list = numeric.join(", ");
                format!("[{list}].includes(c) ? key : -1")
            }
        };
        let unless = if needs.partial { "if (!partial) " } else { "" };
        js.push_str(&format!(
            "    if ({test}) {{\n      {unless}warn(c, value, row);\n      return {other};\n    }}\n"
        ));
    }
    js
}

/// What a column accepts, as a part of a template literal, and the functions that it calls.
fn expected(needs: &Needs) -> (String, String) {
    let mut js = String::new();
    if needs.category && needs.unknown && needs.plain {
        js.push_str(
            "\
/** Whether a value outside the categories has the type of one of them. */
function fits(c, value) {
  const known = [...codes[c].keys()].some((key) => typeof key === typeof value);
  return known && Math.abs(value) !== Infinity;
}

",
        );
    }
    let words: Vec<(&str, &str)> = [
        (needs.number, "number", "a number"),
        (needs.number, "integer", "a number"),
        (needs.code, "code", CODE),
        (needs.boolean, "boolean", "true or false"),
        (needs.text, "text", "a string"),
    ]
    .into_iter()
    .filter(|(used, ..)| *used)
    .map(|(_, kind, word)| (kind, word))
    .collect();
    let one_word = words.first().filter(|(_, first)| words.iter().all(|(_, word)| word == first));
    if let (false, false, false, Some((_, word))) = (needs.category, needs.missing, needs.digits, one_word) {
        return (word.to_string(), js);
    }
    let fields = [
        (if needs.category { !words.is_empty() } else { one_word.is_none() }).then_some("kind"),
        needs.category.then_some("categories"),
        needs.digits.then_some("digits"),
        needs.partial.then_some("partial"),
        needs.missing.then_some("missing"),
    ];
    let fields: Vec<&str> = fields.into_iter().flatten().collect();
    let param = if fields.is_empty() { String::new() } else { format!("{{ {} }}", fields.join(", ")) };
    js.push_str(&format!("function expected({param}) {{\n"));
    let or_null = if needs.missing { "${missing ? \" or null\" : \"\"}" } else { "" };
    for (open, field, word) in
        [(needs.digits, "digits", "a string or a whole number"), (needs.partial, "partial", "a string")]
    {
        let quote = if needs.missing { '`' } else { '"' };
        if open {
            js.push_str(&format!("  if ({field}) return {quote}{word}{or_null}{quote};\n"));
        }
    }
    if needs.category {
        let list = format!(
            "const some = categories.slice(0, 10).map((value) => JSON.stringify(value));
const more = categories.length > 10 ? `, … (${{categories.length}})` : \"\";
return `one of ${{some.join(\", \")}}${{more}}{or_null}`;
"
        );
        if words.is_empty() {
            list.lines().for_each(|line| js.push_str(&format!("  {line}\n")));
        } else {
            js.push_str("  if (kind === \"category\") {\n");
            list.lines().for_each(|line| js.push_str(&format!("    {line}\n")));
            js.push_str("  }\n");
        }
    }
    if let Some((_, word)) = one_word {
        js.push_str(&match needs.missing {
            true => format!("  return `{word}{or_null}`;\n"),
            false => format!("  return \"{word}\";\n"),
        });
    } else if !words.is_empty() {
        let lines: String = words.iter().map(|(kind, word)| format!("    {kind}: \"{word}\",\n")).collect();
        js.push_str(&format!("  const words = {{\n{lines}  }};\n"));
        js.push_str(&match needs.missing {
            true => format!("  return `${{words[kind]}}{or_null}`;\n"),
            false => "  return words[kind];\n".to_string(),
        });
    }
    js.push_str("}\n\n");
    ("${expected(columns[c])}".to_string(), js)
}

/// The text of a warning.
fn remark(needs: &Needs) -> String {
    let mut js = String::new();
    if needs.missing {
        js.push_str(
            "  if (typeof c === \"string\") {
    return `${at(row)}${JSON.stringify(c)} is not a column of this model`;
  }
",
        );
    }
    if needs.code {
        js.push_str(
            "  if (columns[c].kind === \"code\") {
    return `${field(c, row)}: ${value} is none of the codes that the model tells apart, 0 to ${columns[c].count - 1}`;
  }
",
        );
    }
    let unknown = "  return `${field(c, row)}: ${show(value)} was not seen in training`;\n";
    match (needs.range, needs.unknown) {
        (true, true) => {
            js.push_str("  const { range } = columns[c];\n");
            js.push_str(&format!("  if (!range) {{\n  {unknown}  }}\n"));
        }
        (true, false) => js.push_str("  const { range } = columns[c];\n"),
        (false, true) => js.push_str(unknown),
        (false, false) => {}
    }
    if needs.range {
        js.push_str(
            "  return `${field(c, row)}: ${value} is outside the range seen in training, ${range[0]} to ${range[1]}`;
",
        );
    }
    format!("function remark(c, value, row) {{\n{js}}}\n\n")
}

/// Most values by far are numbers within their column's range: one look, and the rest is for `encode`.
fn ordinary(subject: &Subject, needs: &Needs) -> String {
    let head = "/** Whether `encode` would give the value itself. */\nfunction ordinary";
    let rows = subject.takes_rows();
    let greatest = match needs.single && (rows || !needs.uniform) {
        true => {
            "/** The greatest number that rounds to one of float32. */\nconst SINGLE = 3.4028235677973362e38;\n\n"
        }
        false => "",
    };
    if needs.uniform {
        let test = match (needs.infinite, needs.missing) {
            (true, true) => "typeof value === \"number\"".to_string(),
            (true, false) => "typeof value === \"number\" && value === value".to_string(),
            (false, _) => needs.finite_number(),
        };
        return format!("{greatest}{head}(value) {{\n  return {test};\n}}\n\n");
    }
    let unread = if needs.unused { "!used" } else { "" };
    let either = |one: &str, other: &str| match (one, other) {
        ("", one) | (one, "") => one.to_string(),
        (one, other) => format!("{one} || {other}"),
    };
    let endless = either(if needs.infinite { "infinite" } else { "" }, unread);
    let most = match endless.is_empty() {
        true => needs.most().to_string(),
        false => format!("{endless} ? Infinity : {}", needs.most()),
    };
    let most =
        if 4 + "const most = ;".len() + most.len() > 80 { format!("\n      {most}") } else { format!(" {most}") };
    let end = if needs.range { "(range ?? [-most, most])[end]" } else { "end * most" };
    let end = match rows {
        true => format!("    return {end};\n"),
        false => {
            let (own, end) = match needs.range {
                true => ("    const own = range ?? [-most, most];\n", "own[end]"),
                false => ("", end),
            };
            format!("{own}    return {} ? {end} : NaN;\n", either("/number|integer/.test(kind)", unread))
        }
    };
    let mut fields = vec![];
    fields.extend((!rows).then_some("kind"));
    fields.extend(needs.infinite.then_some("infinite"));
    fields.extend((needs.single && !needs.all_single).then_some("single"));
    fields.extend(needs.range.then_some("range"));
    fields.extend(needs.unused.then_some("used"));
    let (from, to) = if needs.range { ("0", "1") } else { ("-1", "1") };
    let params = if fields.is_empty() { "()".to_string() } else { format!("({{ {} }})", fields.join(", ")) };
    format!(
        "\
{greatest}const lowest = bounds({from});
const highest = bounds({to});

/** An end of what each column of numbers takes without a word. */
function bounds(end) {{
  return Float64Array.from(columns, {params} => {{
    const most ={most};
{end}  }});
}}

{head}(c, value) {{
  return typeof value === \"number\" && value >= lowest[c] && value <= highest[c];
}}

"
    )
}

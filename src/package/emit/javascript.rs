//! `index.js`: a row into the workspace, a run, a prediction out. Only the code that this model needs is written,
//! in the form prettier would give it.

use super::text::{Syntax, comment, js_key, js_member, js_number, js_string, layout, width};
use super::{CARRYOUT, Subject, cell, cells, extras, infinite, kind_name, range};
use crate::lower::{Encoding, Results};
use crate::model::{Cell, ColumnKind};
use serde_json::{Map, Value, json};

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

fn is_category(kind: &ColumnKind) -> bool {
    matches!(kind, ColumnKind::Category(_))
}

/// The code paths that the columns of a model call for.
struct Needs {
    number: bool,
    boolean: bool,
    text: bool,
    category: bool,
    /// A category that is not a string: booleans count as numbers.
    plain: bool,
    /// Columns whose categories have codes, and columns whose categories are the numbers themselves.
    coded: Vec<usize>,
    numeric: Vec<usize>,
    range: bool,
    missing: bool,
    infinite: bool,
    unknown: bool,
    inherited: bool,
    unused: bool,
}

impl Needs {
    fn of(subject: &Subject) -> Needs {
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
            plain,
            coded: places(true),
            numeric: places(false),
            range: columns.iter().any(|column| range(column).is_some()),
            missing: columns.iter().any(|column| column.missing),
            infinite: columns.iter().any(infinite),
            unknown: columns.iter().any(|column| column.unknown && is_category(&column.kind)),
            unused: columns.iter().any(|column| !column.used),
            inherited: columns.iter().any(|column| INHERITED.contains(&column.name.as_str())),
        }
    }

    /// Whether a missing value needs a test of its own: where none is accepted, most branches refuse it anyway.
    fn tests_missing(&self) -> bool {
        self.missing || self.infinite || self.plain && self.unknown
    }

    /// Whether a row can be accepted with a warning.
    fn warns(&self) -> bool {
        self.range || self.missing || self.unknown
    }
}

/// `index.js`.
pub fn index(subject: &Subject) -> String {
    let needs = Needs::of(subject);
    let mut js = header(subject);
    js.push_str(&schema(subject, &needs));
    js.push_str(&reading(subject, &needs));
    js.push_str(&encoding(subject, &needs));
    js.push_str(&opening(subject, &needs));
    js.push_str(LOADING);
    js
}

/// `workerd.js`.
pub fn workerd(subject: &Subject) -> String {
    format!(
        "\
/**
 * {name} for Cloudflare's workerd, which compiles no WebAssembly at run time:
 * there the module comes from a static import, a form that browsers and Node
 * lack. Everything else is in index.js.
 */

import wasm from \"./model.wasm\";
import {{ load as open }} from \"./index.js\";

export {{ schema }} from \"./index.js\";

let shared;

export function load(source) {{
  if (source !== undefined) return open(source);
  shared ??= open(wasm);
  return shared;
}}

export async function predict(row) {{
  return (await load()).predict(row);
}}
",
        name = comment(&subject.manifest.name)
    )
}

/// The comment at the top of generated files: what this is and what it was made from.
pub fn header(subject: &Subject) -> String {
    let mut lines = vec![
        subject.manifest.name.clone(),
        subject.summary(),
        String::new(),
        format!("Made by carryout {CARRYOUT} from {}", subject.origin()),
    ];
    lines.extend(subject.manifest.source.outline.iter().map(|line| format!("  {line}")));
    let mut out = "/**\n".to_string();
    for line in lines {
        // Indentation of the outline survives `comment`.
        let text = comment(&line);
        out.push_str(format!(" * {text}").trim_end());
        out.push('\n');
    }
    out.push_str(" */\n\n");
    out
}

/// The public part of the manifest, as a value.
fn schema_value(subject: &Subject) -> (Vec<Value>, Map<String, Value>) {
    let columns = subject
        .columns()
        .iter()
        .map(|column| {
            let mut fields = Map::new();
            fields.insert("name".into(), json!(column.name));
            fields.insert("kind".into(), json!(kind_name(&column.kind)));
            if let ColumnKind::Category(values) = &column.kind {
                fields.insert("categories".into(), cells(values));
            }
            if let Some((low, high)) = range(column) {
                fields.insert("range".into(), json!([low, high]));
            }
            let flags = [
                ("missing", column.missing),
                ("infinite", infinite(column)),
                ("unknown", column.unknown && is_category(&column.kind)),
            ];
            for (name, _) in flags.into_iter().filter(|(_, set)| *set) {
                fields.insert(name.into(), json!(true));
            }
            if !column.used {
                fields.insert("used".into(), json!(false));
            }
            Value::Object(fields)
        })
        .collect();
    (columns, outputs(&subject.manifest.results))
}

/// Classes, clusters and names of an output.
fn outputs(results: &Results) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut names = |names: &[String]| {
        if !names.is_empty() {
            fields.insert("names".into(), json!(names));
        }
    };
    match results {
        Results::Classification { classes, .. } => {
            fields.insert("classes".into(), cells(classes));
        }
        Results::Clustering { labels, .. } => {
            fields.insert("clusters".into(), cells(labels));
        }
        Results::Regression { names: given, .. } | Results::Transform { names: given, .. } => names(given),
        Results::Anomaly { .. } => {}
        Results::Several(parts) => {
            let parts = parts
                .iter()
                .map(|part| {
                    let mut one = Map::new();
                    one.insert("task".into(), json!(task(part)));
                    one.extend(outputs(part));
                    Value::Object(one)
                })
                .collect();
            fields.insert("outputs".into(), Value::Array(parts));
        }
    }
    fields
}

/// The word for an output's task.
pub fn task(results: &Results) -> &'static str {
    match results {
        Results::Classification { .. } => "classification",
        Results::Regression { .. } => "regression",
        Results::Several(_) => "several outputs",
        Results::Anomaly { .. } => "anomaly",
        Results::Clustering { .. } => "clustering",
        Results::Transform { .. } => "transform",
    }
}

fn schema(subject: &Subject, needs: &Needs) -> String {
    let (columns, outputs) = schema_value(subject);
    let mut js = "/** What the model takes and gives. */\nexport const schema = freeze({\n".to_string();
    js.push_str(&format!("  name: {},\n", js_string(&subject.manifest.name)));
    js.push_str(&format!("  task: {},\n", js_string(&subject.manifest.task)));
    let one_line = layout(&columns[0], Syntax::Js, 0, "  columns: [".len(), "].map(column),".len());
    if columns.len() == 1 && !one_line.contains('\n') {
        js.push_str(&format!("  columns: [{one_line}].map(column),\n"));
    } else {
        let columns: String =
            columns.iter().map(|column| format!("    {},\n", layout(column, Syntax::Js, 4, 4, 1))).collect();
        js.push_str(&format!("  columns: [\n{columns}  ].map(column),\n"));
    }
    for (name, value) in &outputs {
        js.push_str(&format!("  {name}: {},\n", layout(value, Syntax::Js, 2, name.len() + 4, 1)));
    }
    js.push_str("});\n\n");
    let mut fields: Vec<(&str, &str)> = vec![("name", ""), ("kind", "")];
    fields.extend(needs.category.then_some(("categories", "")));
    fields.extend(needs.range.then_some(("range", "")));
    fields.push(("missing", " = false"));
    fields.extend(needs.infinite.then_some(("infinite", " = false")));
    fields.extend([("unknown", " = false"), ("used", " = true")]);
    let params: Vec<String> = fields.iter().map(|(name, default)| format!("{name}{default}")).collect();
    let params = list("function column(", ("{ ", " }"), &params, ") {", 0);
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    js.push_str(&format!(
        "\
/** A column, with what goes without saying above. */
{params}
  return {{ {} }};
}}

function freeze(value) {{
  for (const part of Object.values(value)) {{
    if (typeof part === \"object\") freeze(part);
  }}
  return Object.freeze(value);
}}

",
        names.join(", ")
    ));
    js
}

/// `before` + `open` + items + `close` + `after`, on one line where it fits, else an item a line.
fn list(before: &str, brackets: (&str, &str), items: &[String], after: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let (open, close) = brackets;
    let flat = format!("{pad}{before}{open}{}{close}{after}", items.join(", "));
    if width(flat.trim_end()) <= 80 {
        return flat;
    }
    let lines: String = items.iter().map(|item| format!("{pad}  {item},\n")).collect();
    format!("{pad}{before}{}\n{lines}{pad}{}{after}", open.trim_end(), close.trim_start())
}

/// From what a person passes to values in the order of the columns.
fn reading(subject: &Subject, needs: &Needs) -> String {
    let columns = subject.columns();
    let count = columns.len();
    let mut js = "const { columns } = schema;\n".to_string();
    if needs.missing {
        js.push_str("const names = new Set(columns.map(({ name }) => name));\n");
    }
    js.push('\n');
    if needs.inherited {
        js.push_str(
            "\
/** A field that every object inherits under its name counts only as its own. */
const own = (row, name) => (Object.hasOwn(row, name) ? row[name] : undefined);

",
        );
    }
    let values: Vec<String> = columns
        .iter()
        .map(|column| match INHERITED.contains(&column.name.as_str()) {
            true => format!("own(row, {})", js_string(&column.name)),
            false => format!("row{}", js_member(&column.name)),
        })
        .collect();
    let values = |before: &str| list(before, ("[", "]"), &values, ";\n", 2);
    let warn = if needs.missing { "warn, " } else { "" };
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
    let list = if needs.missing {
        format!(
            "{values}  // A field that is not there may be there under a misspelt name.
  if (values.includes(undefined)) {{
    for (const field of Object.keys(row)) {{
      if (!names.has(field)) warn(field, undefined, number);
    }}
  }}
  return values;
",
            values = values("const values = ")
        )
    } else {
        values("return ")
    };
    let plural = if count == 1 { "value" } else { "values" };
    let message = format!("`${{at(number)}}expected {count} {plural}, got ${{row.length}}`");
    let wrong_length = match 4 + "throw new TypeError();".len() + message.len() <= 80 {
        true => format!("    throw new TypeError({message});\n"),
        false => format!("    throw new TypeError(\n      {message},\n    );\n"),
    };
    js.push_str(&format!(
        "\
/** The row's values in the order of the columns. */
function valuesOf(row, {warn}number) {{
  if (Array.isArray(row) || ArrayBuffer.isView(row)) {{
    if (row.length === {count}) return row;
{wrong_length}  }}
{bare}{not_a_row}{list}}}

const at = (row) => (row === undefined ? \"\" : `row ${{row}}, `);

const field = (c, row) => `${{at(row)}}${{JSON.stringify(columns[c].name)}}`;

function show(value) {{
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return \"an array\";
  if (typeof value === \"object\") return \"an object\";
  if (typeof value === \"string\") {{
    return `the string ${{JSON.stringify(value.slice(0, 60))}}`;
  }}
  return `the ${{typeof value}} ${{String(value).slice(0, 60)}}`;
}}

"
    ));
    js
}

/// From a value to the number in its slot.
fn encoding(subject: &Subject, needs: &Needs) -> String {
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

    // Each branch returns, or falls through to the TypeError.
    let mut branches: Vec<(&str, String)> = Vec::new();
    if needs.category {
        branches.push(("kind === \"category\"", category_branch(needs)));
    }
    if needs.boolean {
        branches.push((
            "kind === \"boolean\"",
            "    if (value === true || value === 1) return 1;\n    if (value === false || value === 0) return 0;\n"
                .to_string(),
        ));
    }
    if needs.text {
        // No kernel reads text yet: such a column is in no prediction.
        branches.push(("kind === \"text\"", "    if (typeof value === \"string\") return 0;\n".to_string()));
    }
    if needs.number {
        let test = match needs.infinite {
            true => "typeof value === \"number\" && (infinite || Number.isFinite(value))",
            false => "Number.isFinite(value)",
        };
        let warn = if needs.range {
            "    if (range && (value < range[0] || value > range[1])) warn(c, value, row);\n"
        } else {
            ""
        };
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
        let condition = condition(test, if number == 0 && !needs.tests_missing() { 2 } else { 9 });
        body.push_str(&format!("{link}if ({condition}) {{\n{code}  }}"));
    }
    let mut fields = vec![];
    fields.extend(needs.unused.then_some("used"));
    fields.extend((branches.len() > 1 || !needs.number).then_some("kind"));
    fields.extend(needs.tests_missing().then_some("missing"));
    fields.extend(needs.infinite.then_some("infinite"));
    fields.extend((needs.unknown && needs.category).then_some("unknown"));
    fields.extend(needs.range.then_some("range"));
    let fields = match fields.is_empty() {
        true => String::new(),
        false => format!("  const {{ {} }} = columns[c];\n", fields.join(", ")),
    };
    let warn = if needs.range || needs.unknown { "warn, " } else { "" };
    let unused = if needs.unused { "  if (!used) return NaN;\n" } else { "" };
    js.push_str(&format!(
        "\
/** The number that the model works with; NaN where the value is missing. */
function encode(c, value, {warn}row) {{
{fields}{unused}{body}
  throw new TypeError(
    `${{field(c, row)}}: expected ${{expected(columns[c])}}, got ${{show(value)}}`,
  );
}}

"
    ));
    js.push_str(&expected(needs));
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
    format!("\n    {}\n  ", test.replace(" && (", " &&\n    ("))
}

fn category_branch(needs: &Needs) -> String {
    let key = if needs.plain { "key" } else { "value" };
    let mut js = String::new();
    if needs.plain {
        js.push_str("    const key = plain(value);\n");
    }
    js.push_str(&format!("    const code = codes[c].get({key});\n    if (code !== undefined) return code;\n"));
    if needs.unknown {
        let test = if needs.plain { "unknown && fits(c, key)" } else { "unknown && typeof value === \"string\"" };
        let other = match (needs.coded.is_empty(), needs.numeric.is_empty()) {
            (_, true) => "-1".to_string(),
            (true, false) => "key".to_string(),
            (false, false) => {
                let numeric: Vec<String> = needs.numeric.iter().map(|place| place.to_string()).collect();
                let list = numeric.join(", ");
                format!("[{list}].includes(c) ? key : -1")
            }
        };
        js.push_str(&format!("    if ({test}) {{\n      warn(c, value, row);\n      return {other};\n    }}\n"));
    }
    js
}

/// The functions that word what a column accepts.
fn expected(needs: &Needs) -> String {
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
        (needs.boolean, "boolean", "true or false"),
        (needs.text, "text", "a string"),
    ]
    .into_iter()
    .filter(|(used, ..)| *used)
    .map(|(_, kind, word)| (kind, word))
    .collect();
    let one_word = words.first().filter(|(_, first)| words.iter().all(|(_, word)| word == first));
    let fields = [
        (if needs.category { !words.is_empty() } else { one_word.is_none() }).then_some("kind"),
        needs.category.then_some("categories"),
        needs.missing.then_some("missing"),
    ];
    let fields: Vec<&str> = fields.into_iter().flatten().collect();
    let param = if fields.is_empty() { String::new() } else { format!("{{ {} }}", fields.join(", ")) };
    js.push_str(&format!("function expected({param}) {{\n"));
    let or_null = if needs.missing { "${missing ? \" or null\" : \"\"}" } else { "" };
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
    js
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
    let what = match (needs.missing, needs.range || needs.unknown) {
        (true, true) => "Words a warning: of column `c`, or of a field that is no column.",
        (true, false) => "Words a warning of a field that is no column.",
        _ => "Words a warning of column `c`.",
    };
    format!("/** {what} */\nfunction remark(c, value, row) {{\n{js}}}\n\n")
}

/// What the result of a run is made of: typed arrays of a batch and the fields of a prediction.
struct Part<'a> {
    results: &'a Results,
    /// Where its classes are, e.g. `schema.classes`.
    labels: String,
    /// The place of the first of its arrays among the batch's.
    arrays: usize,
}

/// Array type, first slot, slots.
type Wanted = (&'static str, u32, u32);

/// The typed arrays of an output, in the order in which `batch_fields` names them.
fn wanted(results: &Results) -> Vec<Wanted> {
    let span = |span: &crate::lower::Span| ("Float64Array", span.first, span.count);
    match results {
        Results::Classification { label, probabilities, scores, .. } => {
            let mut list = vec![("Int32Array", *label, 1)];
            list.extend(probabilities.as_ref().or(scores.as_ref()).map(span));
            list
        }
        Results::Regression { values, .. } | Results::Transform { values, .. } => vec![span(values)],
        Results::Several(parts) => parts.iter().flat_map(wanted).collect(),
        Results::Anomaly { outlier, score, .. } => vec![("Uint8Array", *outlier, 1), ("Float64Array", *score, 1)],
        Results::Clustering { cluster, distances, .. } => {
            let mut list = vec![("Int32Array", *cluster, 1)];
            list.extend(distances.as_ref().map(span));
            list
        }
    }
}

/// The fields of one prediction, a line each, indented by `indent`.
fn row_fields(part: &Part, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let list = |span: &crate::lower::Span| match span.count {
        1 => format!("[x[{}]]", span.first),
        count => format!("Array.from(x.subarray({}, {}))", span.first, span.first + count),
    };
    match part.results {
        Results::Classification { classes, label, probabilities, scores } => {
            let mut js = format!("{pad}label: {}[x[{label}]],\n", part.labels);
            let by_class = |numbers: Vec<String>| -> String {
                let names = classes.iter().map(|class| js_key(&class_name(class)));
                names.zip(numbers).map(|(name, number)| format!("{pad}  {name}: {number},\n")).collect()
            };
            let slots = |first: u32, count: u32| (first..first + count).map(|slot| format!("x[{slot}]")).collect();
            if let Some(span) = probabilities {
                js.push_str(&format!("{pad}probability: x[{} + x[{label}]],\n", span.first));
                let fields = by_class(slots(span.first, span.count));
                js.push_str(&format!("{pad}probabilities: {{\n{fields}{pad}}},\n"));
            } else if let Some(span) = scores {
                // One score of two classes: how far towards the second.
                let numbers = match span.count {
                    1 => vec![format!("-x[{}]", span.first), format!("x[{}]", span.first)],
                    count => slots(span.first, count),
                };
                js.push_str(&format!("{pad}scores: {{\n{}{pad}}},\n", by_class(numbers)));
            }
            js
        }
        Results::Regression { values, .. } if values.count == 1 => format!("{pad}value: x[{}],\n", values.first),
        Results::Regression { values, .. } => format!("{pad}values: {},\n", list(values)),
        Results::Several(parts) => {
            let parts: String = several(parts, part.arrays)
                .iter()
                .map(|part| format!("{pad}  {{\n{}{pad}  }},\n", row_fields(part, indent + 4)))
                .collect();
            format!("{pad}outputs: [\n{parts}{pad}],\n")
        }
        Results::Anomaly { outlier, score, .. } => {
            format!("{pad}outlier: x[{outlier}] === 1,\n{pad}score: x[{score}],\n")
        }
        Results::Clustering { cluster, distances, .. } => {
            let mut js = format!("{pad}cluster: {}[x[{cluster}]],\n", part.labels);
            if let Some(span) = distances {
                js.push_str(&format!("{pad}distances: {},\n", list(span)));
            }
            js
        }
        Results::Transform { values, codes, .. } if codes.iter().any(Option::is_some) => format!(
            "{pad}transformed: Array.from(x.subarray({}, {}), (number, k) =>\n{pad}  decode(k, number, (c) => values[c]),\n{pad}),\n",
            values.first,
            values.first + values.count
        ),
        Results::Transform { values, .. } => format!("{pad}transformed: {},\n", list(values)),
    }
}

/// The fields of a batch, a line each.
fn batch_fields(part: &Part, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let array = |number: usize| format!("arrays[{}]", part.arrays + number);
    let decoded = |name: &str| {
        let body = format!("Array.from({}, (place) => {}[place]),\n", array(0), part.labels);
        let flat = format!("{pad}{name}: () => {body}");
        if flat.len() <= 81 { flat } else { format!("{pad}{name}: () =>\n{pad}  {body}") }
    };
    match part.results {
        Results::Classification { probabilities, scores, .. } => {
            let mut js = format!("{pad}label: {},\n{}", array(0), decoded("labels"));
            if probabilities.is_some() {
                js.push_str(&format!("{pad}probabilities: {},\n", array(1)));
            } else if let Some(span) = scores {
                let both = if span.count == 1 { format!("bothWays({})", array(1)) } else { array(1) };
                js.push_str(&format!("{pad}scores: {both},\n"));
            }
            js
        }
        Results::Regression { values, .. } if values.count == 1 => format!("{pad}value: {},\n", array(0)),
        Results::Regression { .. } => format!("{pad}values: {},\n", array(0)),
        Results::Several(parts) => {
            let parts: String = several(parts, part.arrays)
                .iter()
                .map(|part| format!("{pad}  {{\n{}{pad}  }},\n", batch_fields(part, indent + 4)))
                .collect();
            format!("{pad}outputs: [\n{parts}{pad}],\n")
        }
        Results::Anomaly { .. } => format!("{pad}outlier: {},\n{pad}score: {},\n", array(0), array(1)),
        Results::Clustering { distances, .. } => {
            let mut js = format!("{pad}cluster: {},\n{}", array(0), decoded("clusters"));
            if distances.is_some() {
                js.push_str(&format!("{pad}distances: {},\n", array(1)));
            }
            js
        }
        Results::Transform { values, codes, .. } if codes.iter().any(Option::is_some) => format!(
            "{pad}transformed: Array.from({array}, (number, k) =>\n{pad}  decode(k % {width}, number, (c) => find(Math.floor(k / {width}), c)),\n{pad}),\n",
            array = array(0),
            width = values.count
        ),
        Results::Transform { .. } => format!("{pad}transformed: {},\n", array(0)),
    }
}

fn several(parts: &[Results], first: usize) -> Vec<Part<'_>> {
    let mut arrays = first;
    parts
        .iter()
        .enumerate()
        .map(|(number, results)| {
            let part = Part { results, labels: labels_of(results, &format!("schema.outputs[{number}]")), arrays };
            arrays += wanted(results).len();
            part
        })
        .collect()
}

fn labels_of(results: &Results, owner: &str) -> String {
    match results {
        Results::Clustering { .. } => format!("{owner}.clusters"),
        _ => format!("{owner}.classes"),
    }
}

/// The name of a class as a property.
pub fn class_name(class: &Cell) -> String {
    match class {
        Cell::Str(text) => text.clone(),
        Cell::Float(value) => js_number(*value),
        Cell::Nan | Cell::None => "null".to_string(),
        other => other.to_string(),
    }
}

/// `open`: an instance and the two ways to predict with it.
fn opening(subject: &Subject, needs: &Needs) -> String {
    let results = &subject.manifest.results;
    let count = subject.columns().len();
    let whole = Part { results, labels: labels_of(results, "schema"), arrays: 0 };
    let wanted = wanted(results);
    let arrays: Vec<String> = wanted.iter().map(|(kind, slot, count)| format!("[{kind}, {slot}, {count}]")).collect();
    let one_score = |results: &Results| matches!(results, Results::Classification { probabilities: None, scores: Some(span), .. } if span.count == 1);
    let mirrors = match results {
        Results::Several(parts) => parts.iter().any(one_score),
        one => one_score(one),
    };
    let (encode_warn, values_warn) = (needs.range || needs.unknown, needs.missing);
    let encode_args = if encode_warn { "warn, " } else { "" };
    let values_args = if values_warn { "warn, " } else { "" };
    let row_values = if values_warn { "valuesOf(row, warn)" } else { "valuesOf(row)" };
    let row_encode = if encode_warn { "encode(c, values[c], warn)" } else { "encode(c, values[c])" };
    let row_warn = match needs.warns() {
        true => "    const warn = (c, value) => warnings.push(remark(c, value));\n",
        false => "",
    };
    let mut js = String::new();

    if mirrors {
        js.push_str(
            "\
/** One score of two classes: how far towards the second, and so away from the first. */
function bothWays(scores) {
  const both = new Float64Array(scores.length * 2);
  scores.forEach((score, row) => both.set([-score, score], row * 2));
  return both;
}

",
        );
    }
    let decodes = match results {
        Results::Transform { codes, .. } => codes.iter().any(Option::is_some),
        _ => false,
    };
    if let (true, Results::Transform { codes, .. }) = (decodes, results) {
        js.push_str("/** The column whose categories a transformed column holds, by place. */\nconst origins = {\n");
        for (place, column) in codes.iter().enumerate().filter_map(|(place, code)| code.map(|code| (place, code))) {
            js.push_str(&format!("  {place}: {column},\n"));
        }
        js.push_str(
            "\
};

/** The category that a code stands for; one that training did not see is passed on. */
function decode(k, number, own) {
  const c = origins[k];
  if (c === undefined) return number;
  if (number !== number) return null;
  return number < 0 ? own(c) : [...codes[c].keys()][number];
}

",
        );
    }
    let (find, batched) = if decodes { (", find", "rows, arrays, find") } else { ("", "rows, arrays") };
    let read_warn = if values_warn { ", warn" } else { "" };
    let lists_warn = if encode_warn { "encode(c, undefined, warn)" } else { "encode(c, undefined)" };
    js.push_str(&format!(
        "\
/** How many rows a batch has, and a function that finds a value of it. */
function rowsOf(input{read_warn}) {{
  if (ArrayBuffer.isView(input)) {{
    if (input.length % {count} === 0) {{
      return [input.length / {count}, (row, c) => input[row * {count} + c]];
    }}
    throw new TypeError(
      `expected rows of {count} {plural}, got ${{input.length}} values in all`,
    );
  }}
  if (Array.isArray(input)) {{
    let last, values;
    const find = (row, c) => {{
      if (row !== last) values = valuesOf(input[row], {values_args}row);
      last = row;
      return values[c];
    }};
    return [input.length, find];
  }}
  const lists = {lists};
  const rows = lists.find((list) => list?.length !== undefined)?.length ?? 0;
  lists.forEach((list, c) => {{
    if (list === undefined || list === null) {{
      // Refused here unless it may be missing.
      {lists_warn};
    }} else if (typeof list !== \"object\" || list.length !== rows) {{
      throw new TypeError(
        `${{field(c)}}: expected an array of ${{rows}} values like the others`,
      );
    }}
  }});
  return [rows, (row, c) => lists[c]?.[row]];
}}

",
        plural = if count == 1 { "value" } else { "values" },
        lists = if values_warn { "valuesOf(input, warn)" } else { "valuesOf(input)" },
    ));

    let refused = if subject.refusing.is_empty() {
        "    wasm.run(rows);\n".to_string()
    } else {
        "    const refused = wasm.run(rows);
    if (refused === 0) return;
    const row = first === undefined ? undefined : first + wasm.fault_row();
    throw new RangeError(
      `${at(row)}a value is outside what ${steps[refused - 1]} accepts`,
    );
"
        .to_string()
    };
    if !subject.refusing.is_empty() {
        js.push_str("/** The steps that can refuse a value, by number. */\nconst steps = {\n");
        for (number, path) in &subject.refusing {
            js.push_str(&format!("  {number}: {},\n", js_string(path)));
        }
        js.push_str("};\n\n");
    }
    let run_params = if subject.refusing.is_empty() { "rows" } else { "rows, first" };
    let run_block = if subject.refusing.is_empty() { "run(count)" } else { "run(count, first)" };
    let (tally, batch_warnings) = if needs.warns() {
        (
            "    const notes = new Map();
    // One warning a column, with the first row it is about.
    const warn = (c, value, row) => {
      const note = notes.get(c);
      if (note === undefined) notes.set(c, [remark(c, value, row), 0]);
      else note[1] += 1;
    };
",
            "    const warnings = Array.from(notes.values(), ([text, more]) =>
      more === 0 ? text : `${text} (and ${more} more)`,
    );
    return { BATCHED, warnings };
",
        )
    } else {
        ("", "    return { rows, arrays, warnings: [] };\n")
    };
    js.push_str(&format!(
        "\
async function open(source) {{
  const module = await compile(source);
  const {{ exports: wasm }} = await WebAssembly.instantiate(module);
  if (wasm.open() !== 0) throw problem(\"model.wasm is damaged\");
  // Slot s of row r, of n rows in a run, is at s * n + r.
  const x = new Float64Array(wasm.memory.buffer, wasm.workspace(), {size});

  function run({run_params}) {{
{refused}  }}

  function predict(row) {{
    const warnings = [];
{row_warn}    const values = {row_values};
    for (let c = 0; c < {count}; c++) x[c] = {row_encode};
    run(1);
    return {{
{row_fields}      warnings,
    }};
  }}

  function predictBatch(input) {{
{arrays}    return {{
      rows,
{batch_fields}      warnings,
    }};
  }}

  /** Runs all rows; one array for each [type, first slot, slots] wanted. */
  function batch(input, wanted) {{
{tally}    const [rows, find] = rowsOf(input{read_warn});
    const arrays = wanted.map(([Type, , width]) => new Type(rows * width));
    for (let first = 0; first < rows; first += {block}) {{
      const count = Math.min({block}, rows - first);
      for (let r = 0; r < count; r++) {{
        const row = first + r;
        for (let c = 0; c < {count}; c++) {{
          x[c * count + r] = encode(c, find(row, c), {encode_args}row);
        }}
      }}
      {run_block};
      wanted.forEach(([, slot, width], k) => {{
        for (let r = 0; r < count; r++) {{
          for (let w = 0; w < width; w++) {{
            arrays[k][(first + r) * width + w] = x[(slot + w) * count + r];
          }}
        }}
      }});
    }}
{returned}  }}

  return {{ schema, predict, predictBatch }};
}}

",
        block = subject.block,
        size = subject.slots * subject.block,
        arrays = match &arrays[..] {
            [one] => {
                let call = format!("const {{ rows, arrays{find}, warnings }} = batch(input, ");
                list(&call, ("[", "]"), std::slice::from_ref(one), ");\n", 4)
            }
            // Prettier never puts several lists on one line.
            many => format!(
                "    const {{ rows, arrays{find}, warnings }} = batch(input, [\n{}    ]);\n",
                many.iter().map(|array| format!("      {array},\n")).collect::<String>()
            ),
        },
        returned = batch_warnings.replace("BATCHED", batched),
        row_fields = row_fields(&whole, 6),
        batch_fields = batch_fields(&whole, 6),
    ));
    js
}

const LOADING: &str = "\
function problem(text, cause) {
  return new Error(`${schema.name}: ${text}`, { cause });
}

/** Compiles model.wasm: the file beside this one, or what stands in for it. */
async function compile(source = new URL(\"./model.wasm\", import.meta.url)) {
  if (typeof WebAssembly === \"undefined\") {
    throw problem(\"this environment has no WebAssembly\");
  }
  if (source instanceof WebAssembly.Module) return source;
  const address = typeof source === \"string\" || source instanceof URL;
  const wasm = address ? await read(source) : source;
  try {
    return await (wasm instanceof Response
      ? WebAssembly.compileStreaming(wasm)
      : WebAssembly.compile(wasm));
  } catch (cause) {
    throw problem(
      /policy|CSP|unsafe-eval/i.test(cause.message)
        ? \"the Content-Security-Policy forbids WebAssembly; allow 'wasm-unsafe-eval' in script-src\"
        : \"model.wasm does not compile\",
      cause,
    );
  }
}

async function read(url) {
  // Node cannot fetch files. Asked for in this way, bundlers do not see `fs`.
  const files =
    String(url).startsWith(\"file:\") &&
    globalThis.process?.getBuiltinModule?.(\"node:fs/promises\");
  if (files) return files.readFile(new URL(url));
  const response = await fetch(url).catch((cause) => {
    throw problem(`${url} cannot be fetched`, cause);
  });
  if (!response.ok) {
    throw problem(
      `${url} answered ${response.status}; serve model.wasm there, or give load() its address`,
    );
  }
  const type = response.headers.get(\"content-type\");
  if (type === \"application/wasm\") return response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0) {
    throw problem(
      `${url} is ${type}, not WebAssembly: the server answered with a page; see README.md`,
    );
  }
  return bytes;
}

let shared;

/** Loads the model, once: later calls without an argument give the same one. */
export function load(source) {
  if (source !== undefined) return open(source);
  shared ??= open().catch((error) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

/** Predicts one row; loads the model first if need be. */
export async function predict(row) {
  return (await load()).predict(row);
}
";

//! `README.md`: the model card.

use super::javascript::class_name;
use super::text::{Syntax, js_key, js_number, js_string, layout, markdown};
use super::types::{codes, readers, trained};
use super::{CARRYOUT, Subject, cell, example};
use crate::lower::Results;
use crate::model::{Cell, Column, ColumnKind, NamesFrom};
use crate::package::selftest::SelfTest;
use serde_json::Value;

/// Most columns, categories or classes that the card lists one by one.
const LISTED: usize = 60;

/// Sizes for the card, in bytes: a file's name, its own and its gzipped length.
pub struct Size {
    pub name: &'static str,
    pub raw: usize,
    pub gzip: usize,
}

/// `README.md`.
pub fn readme(subject: &Subject, sizes: &[Size], tests: &SelfTest, checked: &[String]) -> String {
    let manifest = subject.manifest;
    let name = &manifest.name;
    let mut md = format!(
        "# {}\n\n{}. Made from {}.\n",
        markdown(name),
        sentence(&subject.summary()),
        markdown(&subject.origin())
    );
    md.push_str("\nThe model runs where this package runs, in a browser, a worker or on a server: it sends nothing anywhere.\n\n");
    md.push_str(&usage(subject, tests));
    md.push_str("## Inputs\n\n");
    if manifest.schema.names_from == NamesFrom::Invented {
        md.push_str("The model file names no columns; these names are made up, in the order of its array.\n\n");
    }
    md.push_str("| column | takes | in training | read by |\n|---|---|---|---|\n");
    for column in subject.columns().iter().take(LISTED) {
        md.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            markdown(&column.name),
            markdown(&accepts(column)),
            trained(column).unwrap_or_default(),
            markdown(&readers(column).unwrap_or_default()),
        ));
    }
    if subject.columns().len() > LISTED {
        md.push_str(&format!("\nand {} more: see manifest.json.\n", subject.columns().len() - LISTED));
    }
    md.push_str(
        "\nA row is an object by column name or an array in this order. `null`, `undefined` and `NaN` are missing. A field that is \
         missing or of the wrong type where the model cannot take it is a `TypeError`; what is accepted, but unlike the training \
         data, is said in `warnings`.\n\n",
    );
    md.push_str("## Prediction\n\n");
    md.push_str(&output(&manifest.results));
    md.push_str("\n`predictBatch` returns `{ rows, … }` with typed arrays in place of these fields.\n\n");
    if !subject.outline().is_empty() {
        md.push_str("## Steps\n\n");
        for line in subject.outline() {
            let depth = line.len() - line.trim_start().len();
            md.push_str(&format!("{}- {}\n", " ".repeat(depth), markdown(line.trim())));
        }
        md.push('\n');
    }
    md.push_str("## Checked\n\n");
    for line in checked {
        md.push_str(&format!("- {}\n", markdown(line)));
    }
    md.push_str(&format!("- {}\n\n", replayed(tests)));
    md.push_str(&format!(
        "```js\nimport {{ load }} from {module};\nimport {{ selfTest }} from {tests};\n\n\
         console.log(selfTest(await load()).passed); // true, in the engine of whoever visits\n```\n\n",
        module = js_string(name),
        tests = js_string(&format!("{name}/selftest")),
    ));
    md.push_str("## Size\n\n| what a visitor downloads | bytes | gzip |\n|---|---|---|\n");
    for Size { name, raw, gzip } in sizes {
        md.push_str(&format!("| {name} | {raw} | {gzip} |\n"));
    }
    md.push_str(&format!(
        "\n## More\n\n\
         - Big batches: `openPool()` of {worker} starts workers that share the model; `pool.predictBatch(rows, {{ signal, onProgress }})`, then `pool.close()`.\n\
         - One file, where others cannot be loaded: {inline} has the same exports with the wasm inside.\n\
         - {worker} and {selftest} are ES modules only: Jest's CommonJS mode and TypeScript's `.cts` files under `module: node16` cannot require them.\n\
         - `load({{ integrity: true }})` refuses a model.wasm that is not the one of this package.\n\
         - `model.free()`, or `using model = await load()`, gives the memory back.\n\
         \n## When it does not load\n\n\
         - *Vite serves a page in place of model.wasm during development*: add `optimizeDeps: {{ exclude: [{module}] }}` to its configuration.\n\
         - *A Content-Security-Policy forbids WebAssembly*: allow `'wasm-unsafe-eval'` in `script-src`.\n\
         - *The file lies elsewhere*: `load(\"https://…/model.wasm\")`.\n\n\
         Packed by carryout {CARRYOUT}.\n",
        module = js_string(name),
        worker = js_string(&format!("{name}/worker")),
        selftest = js_string(&format!("{name}/selftest")),
        inline = js_string(&format!("{name}/inline")),
    ));
    md
}

/// What the self-test holds, in words.
fn replayed(tests: &SelfTest) -> String {
    let original = tests.cases.iter().filter(|case| case.original).count();
    let reference = tests.cases.len() - original;
    let rows = match (original, reference) {
        (0, _) => format!("{reference} rows with the answers of carryout's native runtime"),
        (_, 0) => format!("{original} rows with the original's answers"),
        _ => format!(
            "{original} rows with the original's answers and {reference} with those of carryout's native runtime"
        ),
    };
    let words = |what| if what == "missing" { "columns that may be missing" } else { what };
    let covers: Vec<String> =
        tests.covers.iter().map(|(what, some, all)| format!("{some} of {all} {}", words(*what))).collect();
    let reach = if covers.is_empty() { String::new() } else { format!("; they reach {}", covers.join(", ")) };
    format!("`selfTest()` replays {rows}{reach}.")
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Code that runs as it stands, and what it prints.
fn usage(subject: &Subject, tests: &SelfTest) -> String {
    let name = &subject.manifest.name;
    let wide = subject.columns().len() > LISTED;
    let (first, row, answer) = match (tests.cases.first(), &tests.shown) {
        (Some(case), _) if wide => {
            let cases = js_string(&format!("{name}/selftest.json"));
            let import = format!("import tests from {cases} with {{ type: \"json\" }};\n");
            (import, "tests.cases[0].row".to_string(), Some(&case.expected))
        }
        (_, Some((row, answer))) => (String::new(), literal(subject, |place, _| row[place].clone()), Some(answer)),
        _ => (String::new(), literal(subject, |_, column| example(column)), None),
    };
    let answer = answer.map_or(String::new(), |answer| format!(" // {}", brief(answer)));
    format!(
        "```js\nimport {{ load, predict }} from {module};\n{first}\nconst row = {row};\n\
         console.log(await predict(row));{answer}\n\n\
         const model = await load(); // once; afterwards everything is synchronous\n\
         model.predict(row);\n\
         model.predictBatch([row, row]); // an array of rows, or an object of columns\n```\n\n",
        module = js_string(name),
    )
}

/// The row as an object, without the columns that no prediction depends on.
fn literal(subject: &Subject, value: impl Fn(usize, &Column) -> Value) -> String {
    let columns = subject.columns().iter().enumerate().filter(|(_, column)| column.used);
    let fields = columns.map(|(place, column)| {
        format!("  {}: {},\n", js_key(&column.name), layout(&value(place, column), Syntax::Js, 2, 0, 0))
    });
    format!("{{\n{}}}", fields.collect::<String>())
}

/// A prediction on one line: few digits, no lists by class, no warnings.
fn brief(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            let text = if number.abs() < 1000.0 { format!("{number:.3e}") } else { format!("{number:.0}") };
            js_number(text.parse().unwrap_or(number))
        }
        Value::Array(items) => {
            let more = (items.len() > 3).then(|| "…".to_string());
            let some: Vec<String> = items.iter().take(3).map(brief).chain(more).collect();
            format!("[{}]", some.join(", "))
        }
        Value::Object(fields) => {
            let told = fields.iter().filter(|(_, value)| !value.is_object());
            let told: String = told.map(|(name, value)| format!("{}: {}, ", js_key(name), brief(value))).collect();
            format!("{{ {told}… }}")
        }
        other => layout(other, Syntax::Js, 0, 0, 0),
    }
}

fn accepts(column: &Column) -> String {
    if !column.used {
        return "anything".to_string();
    }
    let mut text = match &column.kind {
        ColumnKind::Number => "a number".to_string(),
        ColumnKind::Integer => "a number, whole in training".to_string(),
        &ColumnKind::Code(count) => codes(count),
        ColumnKind::Boolean => "true or false".to_string(),
        ColumnKind::Text if column.digits => "a string or a whole number".to_string(),
        ColumnKind::Text => "a string".to_string(),
        ColumnKind::Category(values) => {
            let some: Vec<String> =
                values.iter().take(12).map(|value| layout(&cell(value), Syntax::Json, 0, 0, 0)).collect();
            let more = if values.len() > 12 { ", …" } else { "" };
            let others = match (column.unknown, column.digits) {
                (true, true) => "; others, whole numbers too",
                (true, false) => "; others",
                (false, _) => "",
            };
            format!("{}{more}{others}", some.join(", "))
        }
    };
    if column.missing {
        text.push_str("; missing");
    }
    text
}

fn output(results: &Results) -> String {
    let classes = |values: &[Cell]| {
        let some: Vec<String> = values.iter().take(LISTED).map(|class| markdown(&class_name(class))).collect();
        let more = if values.len() > LISTED { ", …" } else { "" };
        format!("{}{more}", some.join(", "))
    };
    match results {
        Results::Classification { classes: list, probabilities, threshold, .. } => {
            let numbers = match probabilities {
                Some(_) => "`probability` of that label and `probabilities` by class",
                None => "`scores` by class (the decision function, not probabilities)",
            };
            let from = match (threshold, list.get(1)) {
                (Some(threshold), Some(second)) => {
                    format!(" It is {} from a probability of {threshold} on.", markdown(&class_name(second)))
                }
                _ => String::new(),
            };
            format!("`label`, one of: {}; {numbers}.{from}\n", classes(list))
        }
        Results::Regression { values, names } if values.count == 1 => match names.first() {
            Some(name) => format!("`value`, the predicted {}.\n", markdown(name)),
            None => "`value`, a number.\n".to_string(),
        },
        Results::Regression { values, names } | Results::Transform { values, names, .. } => {
            let field = if matches!(results, Results::Regression { .. }) { "values" } else { "transformed" };
            let names: Vec<String> = names.iter().take(LISTED).map(|name| markdown(name)).collect();
            let named = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
            format!("`{field}`, {} values{named}.\n", values.count)
        }
        Results::Several(parts) => {
            let parts: String =
                parts.iter().enumerate().map(|(number, part)| format!("{}. {}", number + 1, output(part))).collect();
            format!("`outputs`, in this order:\n\n{parts}")
        }
        Results::Anomaly { .. } => {
            "`outlier`, true or false, and `score`, the decision function: negative for outliers.\n".to_string()
        }
        Results::Clustering { labels, distances, .. } => {
            let more = if distances.is_some() { " and `distances` to the centers" } else { "" };
            format!("`cluster`, one of: {}{more}.\n", classes(labels))
        }
    }
}

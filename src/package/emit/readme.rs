//! `README.md`: the model card.

use super::javascript::class_name;
use super::text::{Syntax, js_key, js_string, layout, markdown};
use super::types::about;
use super::{CARRYOUT, Subject, cell, kind_name};
use crate::lower::Results;
use crate::model::{Cell, Column, ColumnKind, NamesFrom};

/// Most columns, categories or classes that the card lists one by one.
const LISTED: usize = 60;

/// Sizes for the card, in bytes: a file's name, its own and its gzipped length.
pub struct Size {
    pub name: &'static str,
    pub raw: usize,
    pub gzip: usize,
}

/// `README.md`.
pub fn readme(subject: &Subject, sizes: &[Size]) -> String {
    let manifest = subject.manifest;
    let name = &manifest.name;
    let mut md = format!(
        "# {}\n\n{}. Made from {}.\n",
        markdown(name),
        sentence(&subject.summary()),
        markdown(&subject.origin())
    );
    md.push_str("\nThe model runs where this package runs, in a browser or in Node: it sends nothing anywhere.\n\n");
    md.push_str(&format!(
        "```js\nimport {{ predict, load }} from {module};\n\nawait predict({row});\n\nconst model = await load(); // once; afterwards everything is synchronous\nmodel.predict(row);\nmodel.predictBatch(rows); // an array of rows, or an object of columns\n```\n\n",
        module = js_string(name),
        row = example(subject),
    ));
    md.push_str("## Inputs\n\n");
    if manifest.schema.names_from == NamesFrom::Invented {
        md.push_str("The model file names no columns; these names are made up, in the order of its array.\n\n");
    }
    md.push_str("| column | kind | accepts | |\n|---|---|---|---|\n");
    for column in subject.columns().iter().take(LISTED) {
        md.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            markdown(&column.name),
            kind_name(&column.kind),
            markdown(&accepts(column)),
            markdown(&about(column))
        ));
    }
    if subject.columns().len() > LISTED {
        md.push_str(&format!("\nand {} more: see schema\\.json\\.\n", subject.columns().len() - LISTED));
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
    md.push_str("## Size\n\n| file | bytes | gzip |\n|---|---|---|\n");
    for Size { name, raw, gzip } in sizes {
        md.push_str(&format!("| {name} | {raw} | {gzip} |\n"));
    }
    md.push_str(&format!(
        "\n## When it does not load\n\n\
         - *Vite serves a page in place of model.wasm during development*: add `optimizeDeps: {{ exclude: [{module}] }}` to its configuration.\n\
         - *A Content-Security-Policy forbids WebAssembly*: allow `'wasm-unsafe-eval'` in `script-src`.\n\
         - *The file lies elsewhere*: `load(\"https://…/model.wasm\")`.\n\n\
         Packed by carryout {CARRYOUT}.\n",
        module = js_string(name),
    ));
    md
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The example row as a literal; a wide one is cut.
fn example(subject: &Subject) -> String {
    let row = subject.example();
    let mut js = "{\n".to_string();
    for (name, value) in row.iter().take(LISTED) {
        js.push_str(&format!("  {}: {},\n", js_key(name), layout(value, Syntax::Js, 2, 0, 0)));
    }
    if row.len() > LISTED {
        js.push_str(&format!("  // and {} more\n", row.len() - LISTED));
    }
    js + "}"
}

fn accepts(column: &Column) -> String {
    if !column.used {
        return "anything".to_string();
    }
    let mut text = match &column.kind {
        ColumnKind::Number | ColumnKind::Integer => "a number".to_string(),
        ColumnKind::Boolean => "true or false".to_string(),
        ColumnKind::Text => "a string".to_string(),
        ColumnKind::Category(values) => {
            let some: Vec<String> =
                values.iter().take(12).map(|value| layout(&cell(value), Syntax::Json, 0, 0, 0)).collect();
            let more = if values.len() > 12 { ", …" } else { "" };
            let others = if column.unknown { "; others" } else { "" };
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
        Results::Classification { classes: list, probabilities, .. } => {
            let numbers = match probabilities {
                Some(_) => "`probability` of that label and `probabilities` by class",
                None => "`scores` by class (the decision function, not probabilities)",
            };
            format!("`label`, one of: {}; {numbers}.\n", classes(list))
        }
        Results::Regression { values, .. } if values.count == 1 => "`value`, a number.\n".to_string(),
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

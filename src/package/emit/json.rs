//! `schema.json`, `manifest.json` and `package.json`.

use super::text::{Syntax, harmless, layout};
use super::types::about;
use super::{CARRYOUT, Subject, cells, example, range};
use crate::model::{Column, ColumnKind};
use crate::package::{FORMAT, Options};
use crate::predictor::Manifest;
use crate::{Error, Result};
use serde_json::{Map, Value, json};

/// JSON Schema of one row by column name, in draft-07, which every validator reads. What validates is what `predict` accepts: a range seen in
/// training and the categories of a column that takes others too are told, not required. Columns that no prediction
/// depends on are left out: a form need not ask for them. No keyword is our own, for strict readers refuse those.
pub fn schema(subject: &Subject) -> String {
    let manifest = subject.manifest;
    let used = || subject.columns().iter().filter(|column| column.used);
    let properties: Map<String, Value> = used().map(|column| (column.name.clone(), property(column))).collect();
    let required: Vec<&str> = used().filter(|column| !column.missing).map(|column| column.name.as_str()).collect();
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": manifest.name,
        "description": format!("One row of {}. {}", manifest.name, subject.summary()),
        "type": "object",
        "properties": properties,
        "required": required,
    });
    text(&schema)
}

/// What carryout itself reads of a packed folder: the manifest, with the versions that wrote it.
///
/// # Errors
/// None in practice: a manifest is JSON.
pub fn manifest(manifest: &Manifest) -> Result<String> {
    let mut front = serde_json::to_value(manifest)
        .map_err(|error| Error::malformed(format!("the manifest has no form in JSON: {error}")))?;
    if let Some(fields) = front.as_object_mut() {
        fields.shift_insert(0, "format".into(), json!(FORMAT));
        fields.shift_insert(1, "carryout".into(), json!(CARRYOUT));
    }
    Ok(text(&front))
}

/// JSON as prettier lays it out.
pub fn text(value: &Value) -> String {
    layout(value, Syntax::Json, 0, 0, 0) + "\n"
}

fn property(column: &Column) -> Value {
    let mut fields = Map::new();
    fields.insert("title".into(), json!(column.name));
    fields.insert("description".into(), json!(about(column)));
    let typed = |name: &str| if column.missing { json!([name, "null"]) } else { json!(name) };
    match &column.kind {
        ColumnKind::Number | ColumnKind::Integer | ColumnKind::Code(_) => {
            fields.insert("type".into(), typed("number"));
        }
        ColumnKind::Boolean => {
            fields.insert("type".into(), typed("boolean"));
        }
        ColumnKind::Text if column.digits => {
            fields.insert("type".into(), json!(["string", "integer"]));
        }
        ColumnKind::Text => {
            fields.insert("type".into(), typed("string"));
        }
        ColumnKind::Category(values) if column.unknown => {
            let has = |numbers: bool| values.iter().any(|value| value.number().is_some() == numbers);
            let mut types: Vec<&str> = Vec::new();
            types.extend(has(false).then_some("string"));
            types.extend(column.digits.then_some("integer"));
            types.extend(has(true).then_some("number"));
            types
                .extend(values.iter().any(|value| matches!(value, crate::model::Cell::Bool(_))).then_some("boolean"));
            types.extend(column.missing.then_some("null"));
            fields.insert("type".into(), if let [one] = types[..] { json!(one) } else { json!(types) });
            fields.insert("examples".into(), cells(values));
        }
        ColumnKind::Category(values) => {
            let mut list = cells(values);
            if let (true, Some(list)) = (column.missing, list.as_array_mut()) {
                list.push(Value::Null);
            }
            fields.insert("enum".into(), list);
        }
    }
    // A default is what stands for an absent field: only a missing value does. What else a form may show first is an
    // example, for validators fill defaults in.
    let known = range(column).is_some() || column.kind == ColumnKind::Boolean;
    if column.missing {
        fields.insert("default".into(), Value::Null);
    } else if known {
        fields.insert("examples".into(), json!([example(column)]));
    }
    Value::Object(fields)
}

/// `package.json`.
pub fn package(subject: &Subject, options: &Options, integrity: &str, files: &[&str]) -> String {
    let manifest = subject.manifest;
    let package = json!({
        "name": manifest.name,
        "version": options.version,
        "description": format!("{} ({}), as WebAssembly", subject.summary(), subject.origin()),
        "license": options.license,
        "type": "module",
        "sideEffects": false,
        "types": "./index.d.ts",
        "exports": {
            ".": {
                "require": { "types": "./index.d.cts", "default": "./index.cjs" },
                "types": "./index.d.ts",
                "workerd": "./workerd.js",
                "browser": "./index.js",
                // It would ask whether the file may be read.
                "deno": "./inline.js",
                "node": "./node.js",
                "default": "./index.js",
            },
            "./inline": {
                "require": { "types": "./index.d.cts", "default": "./index.cjs" },
                "types": "./inline.d.ts",
                "workerd": "./workerd.js",
                "default": "./inline.js",
            },
            "./worker": { "types": "./worker.d.ts", "default": "./worker.js" },
            "./selftest": { "types": "./selftest.d.ts", "default": "./selftest.js" },
            "./selftest.json": "./selftest.json",
            "./model.wasm": "./model.wasm",
            "./schema.json": "./schema.json",
            "./package.json": "./package.json",
        },
        "files": files,
        "engines": { "node": ">=20.16" },
        "carryout": { "format": FORMAT, "version": CARRYOUT, "integrity": integrity },
    });
    // As npm writes it: every list on lines of its own.
    harmless(&serde_json::to_string_pretty(&package).unwrap_or_default()) + "\n"
}

//! `index.d.ts`: what goes in and comes out, as literal types, with the facts of each column in its comment.

use super::javascript::{array_of, header, places_array, task};
use super::text::{Syntax, comment, js_number, js_string, layout, ts_key, width};
use super::{Subject, cell, infinite, kind_name, range};
use crate::lower::{Results, Span};
use crate::model::{Cell, Column, ColumnKind};

/// `index.d.ts`.
pub fn index(subject: &Subject) -> String {
    let columns = subject.columns();
    let mut ts = header(subject);
    ts.push_str("/// <reference lib=\"esnext.disposable\" />\n\n/** One row by column name. */\nexport interface Features {\n");
    for column in columns {
        ts.push_str(&format!("  /** {} */\n", comment(&about(column))));
        let optional = if column.missing || !column.used { "?" } else { "" };
        let head = format!("{}{optional}:", ts_key(&column.name));
        let union = union(members(column), 2, 3 + width(&head), 1);
        let space = if union.starts_with('\n') { "" } else { " " };
        ts.push_str(&format!("  {head}{space}{union};\n"));
    }
    ts.push_str("}\n\n");

    ts.push_str("/** One row in the order of the columns. */\nexport type Values = ");
    let members: Vec<String> =
        columns.iter().map(|column| format!("Features[{}]", js_string(&column.name))).collect();
    let flat = format!("readonly [{}];", members.join(", "));
    if "export type Values = ".len() + width(&flat) <= 80 {
        ts.push_str(&flat);
    } else {
        ts.push_str(&format!("readonly [\n{}];", members.iter().map(|m| format!("  {m},\n")).collect::<String>()));
    }
    // Strings do not fit into typed arrays.
    let numbers = columns.iter().all(|column| match &column.kind {
        _ if column.digits => true,
        ColumnKind::Category(values) => values.iter().all(|value| value.number().is_some()),
        ColumnKind::Text => false,
        _ => true,
    });
    let mut rows = vec!["Features".to_string(), "Values".to_string()];
    let arrays = ["Float64Array", "Float32Array"].map(str::to_string);
    rows.extend(numbers.then_some(arrays.clone()).into_iter().flatten());
    if let [only] = columns {
        rows.push(format!("Features[{}]", js_string(&only.name)));
    }
    ts.push_str("\n\n");
    ts.push_str(&type_alias("Row", rows));
    ts.push_str(
        "\
/** Many rows, column by column. */
export type Columns = {
  readonly [Name in keyof Features]: ArrayLike<Features[Name]> & object;
};

",
    );
    let mut batches = vec!["readonly Row[]".to_string(), "Columns".to_string()];
    let number = if columns.iter().any(|column| column.missing) { "(number | null)" } else { "number" };
    batches.extend(numbers.then(|| format!("readonly (readonly {number}[])[]")));
    batches.extend(numbers.then_some(arrays).into_iter().flatten());
    ts.push_str("/** Many rows");
    ts.push_str(if numbers { "; a typed array holds them one after the other. */\n" } else { ". */\n" });
    ts.push_str(&type_alias("Rows", batches));

    ts.push_str(&predictions(&subject.manifest.results));
    ts.push_str(&schema(subject));
    ts.push_str(
        "\
export interface Model extends Disposable {
  /** What the model takes and gives. */
  readonly schema: Schema;
  /** Predicts one row; a value the model cannot take is a `TypeError`. */
  predict(row: Row): Prediction;
  /** Predicts many rows, much faster than one by one. */
  predictBatch(rows: Rows): Batch;
  /** Lets go of the model's memory; after that it predicts no more. */
  free(): void;
  /** The compiled `WebAssembly.Module`: in a worker, `load(module)` needs no file. */
  readonly module: object;
}

/** What stands in for model.wasm: an address, bytes, a `Response` or a `WebAssembly.Module`. */
export type Source = string | object;

/** What the model takes and gives. */
export const schema: Schema;

/**
 * Loads the model, once: later calls give the same one. With a `source` each
 * call makes a model of its own; so it does with `{ integrity: true }`, which
 * refuses a model.wasm that is not the one this package was made with.
 */
export function load(
  source?: Source | { integrity: boolean; source?: Source },
): Promise<Model>;

/** Predicts one row; loads the model first if need be. */
export function predict(row: Row): Promise<Prediction>;
",
    );
    ts
}

/// `inline.d.ts`.
pub fn inline(subject: &Subject) -> String {
    header(subject) + "export * from \"./index.js\";\n"
}

/// `worker.d.ts`.
pub fn worker(subject: &Subject) -> String {
    header(subject) + WORKER
}

/// `selftest.d.ts`.
pub fn selftest(subject: &Subject) -> String {
    header(subject) + SELFTEST
}

const WORKER: &str = "\
import type { Batch, Model, Rows, Schema } from \"./index.js\";

export interface BatchOptions {
  /** An `AbortSignal`: once it fires, the batch rejects with its reason. */
  signal?: {
    readonly aborted: boolean;
    readonly reason: any;
    throwIfAborted(): void;
    addEventListener(type: \"abort\", listener: () => void): void;
    removeEventListener(type: \"abort\", listener: () => void): void;
  };
  /** Called after every piece of the batch. */
  onProgress?(done: number, rows: number): void;
}

export interface Pool extends AsyncDisposable {
  /** What the model takes and gives. */
  readonly schema: Schema;
  /** How many workers it has; with none, the calling thread does the work in pieces. */
  readonly workers: number;
  /** Why it has no workers. */
  readonly fallback: Error | undefined;
  /** The same as the model's `predictBatch`, in the order of the rows. */
  predictBatch(rows: Rows, options?: BatchOptions): Promise<Batch>;
  /** Ends the workers; batches under way reject. */
  close(): Promise<void>;
}

/**
 * Starts workers that share a compiled model, the one of `load()` unless another
 * is given: as many as there are cores, less one, and at most 8.
 */
export function openPool(options?: {
  /** The model to share. */
  model?: Model;
  /** How many to start. */
  workers?: number;
}): Promise<Pool>;
";

const SELFTEST: &str = "\
import type { Model } from \"./index.js\";

export interface Report {
  /** Every row gave what is expected. */
  passed: boolean;
  /** How many rows were replayed. */
  rows: number;
  /** Rows whose answers are the original library's; the others are carryout's own, native. */
  original: number;
  /** The greatest error accepted; 0 where there is no answer of the original. */
  worst: number;
  /** What the rows reach, of how many. */
  covers: Record<string, [reached: number, all: number]>;
  /** What differs. */
  failures: {
    /** The row, in the order of the columns. */
    row: unknown[];
    /** Whose answer is expected: the original library's or carryout's own. */
    from: \"original\" | \"reference\";
    /** The field of the prediction; empty where there was none. */
    field: string;
    /** The field's value in that answer. */
    expected: unknown;
    /** What it is here, or the error. */
    got: unknown;
  }[];
}

/** Replays the rows of selftest.json on a loaded model, in whatever engine this is. */
export function selfTest(model: Model): Report;
";

/// What its type does not say of a column, for whoever points at it in an editor.
pub fn about(column: &Column) -> String {
    if !column.used {
        return "No prediction depends on it: anything will do.".to_string();
    }
    let mut parts = Vec::new();
    match (&column.kind, trained(column)) {
        (ColumnKind::Integer, Some(range)) => parts.push(format!("Whole numbers in training, {range}.")),
        (ColumnKind::Integer, None) => parts.push("Whole numbers in training.".to_string()),
        (&ColumnKind::Code(count), _) => parts.push(format!("{}.", codes(count))),
        (_, Some(range)) => parts.push(format!("{range} in training.")),
        (ColumnKind::Category(_), _) if column.partial => {
            parts.push(
                "Others are accepted: the model file does not say of which column all categories are.".to_string(),
            );
        }
        (ColumnKind::Category(_), _) if column.unknown => {
            parts.push("Other values are accepted, with a warning.".to_string());
        }
        _ => {}
    }
    if column.digits {
        parts.push("A whole number is the string of its digits.".to_string());
    }
    parts.extend(readers(column).map(|readers| format!("Read by {readers}.")));
    if parts.is_empty() {
        parts.push(format!("A column of the kind {}.", kind_name(&column.kind)));
    }
    parts.join(" ")
}

/// What a column takes whose categories have no names.
pub fn codes(count: u32) -> String {
    let known = match count {
        0 => "a whole number from 0".to_string(),
        count => format!("0 to {}, as far as the model tells", count - 1),
    };
    format!("The code of a category, {known}: the model file has no names, which --categories gives to carryout")
}

/// `17 to 90`, of a column of numbers.
pub fn trained(column: &Column) -> Option<String> {
    range(column).map(|(low, high)| format!("{} to {}", js_number(low), js_number(high)))
}

/// The steps that read a column, by the last part of their path: `prep > num > SimpleImputer` is SimpleImputer.
pub fn readers(column: &Column) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for reader in &column.readers {
        let name = reader.rsplit(" > ").next().unwrap_or(reader);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = if names.len() > 3 { ", …" } else { "" };
    names.truncate(3);
    (!names.is_empty()).then(|| format!("{}{more}", names.join(", ")))
}

/// The types of a column's values.
fn members(column: &Column) -> Vec<String> {
    if !column.used {
        return vec!["unknown".to_string()];
    }
    let mut list = match &column.kind {
        ColumnKind::Number | ColumnKind::Integer | ColumnKind::Code(_) => vec!["number".to_string()],
        ColumnKind::Boolean => vec!["boolean".to_string()],
        ColumnKind::Text => vec!["string".to_string()],
        ColumnKind::Category(values) => {
            let mut list = literals(values);
            if column.unknown {
                // Keeps the known ones in completions.
                let any = |test: fn(&Cell) -> bool| values.iter().any(test);
                list.extend(any(|value| matches!(value, Cell::Str(_))).then(|| "(string & {})".to_string()));
                list.extend(any(|value| value.number().is_some()).then(|| "(number & {})".to_string()));
            }
            if list.is_empty() { vec!["never".to_string()] } else { list }
        }
    };
    list.extend(column.digits.then(|| "number".to_string()));
    // With `exactOptionalPropertyTypes` undefined must be named.
    list.extend(column.missing.then_some(["null", "undefined"]).into_iter().flatten().map(str::to_string));
    list
}

fn literals(values: &[Cell]) -> Vec<String> {
    values.iter().map(|value| layout(&cell(value), Syntax::Js, 0, 0, 0)).collect()
}

/// A union type, broken as prettier breaks it.
fn union(members: Vec<String>, indent: usize, start: usize, after: usize) -> String {
    let flat = members.join(" | ");
    if start + width(&flat) + after <= 80 || members.len() == 1 {
        return flat;
    }
    let pad = " ".repeat(indent + 2);
    if indent + 2 + width(&flat) + after <= 80 {
        return format!("\n{pad}{flat}");
    }
    members.iter().map(|member| format!("\n{pad}| {member}")).collect()
}

fn type_alias(name: &str, members: Vec<String>) -> String {
    let members = if members.is_empty() { vec!["never".to_string()] } else { members };
    let start = format!("export type {name} = ").len();
    let union = union(members, 0, start, 1);
    let space = if union.starts_with('\n') { "" } else { " " };
    format!("export type {name} ={space}{union};\n\n")
}

fn predictions(results: &Results) -> String {
    let mut ts = String::new();
    if let Results::Several(parts) = results {
        for (number, part) in parts.iter().enumerate() {
            ts.push_str(&aliases(part, &(number + 1).to_string()));
            let suffix = (number + 1).to_string();
            ts.push_str(&format!("export interface Output{suffix} {{\n{}}}\n\n", row_type(part, &suffix)));
            ts.push_str(&format!("export interface BatchOutput{suffix} {{\n{}}}\n\n", batch_type(part, &suffix)));
        }
        let tuple = |name: &str| {
            let list: Vec<String> = (1..=parts.len()).map(|number| format!("{name}{number}")).collect();
            let flat = format!("  outputs: [{}];\n", list.join(", "));
            if flat.len() <= 81 {
                return format!("{OUTPUTS}{flat}");
            }
            format!(
                "{OUTPUTS}  outputs: [\n{}  ];\n",
                list.iter().map(|item| format!("    {item},\n")).collect::<String>()
            )
        };
        let (row, batch) = (tuple("Output"), tuple("BatchOutput"));
        ts.push_str(&interface("Prediction", "", &row));
        ts.push_str(&interface("Batch", ROWS, &batch));
        return ts;
    }
    ts.push_str(&aliases(results, ""));
    ts.push_str(&interface("Prediction", "", &row_type(results, "")));
    ts.push_str(&interface("Batch", ROWS, &batch_type(results, "")));
    ts
}

const ROWS: &str = "  /** How many rows the batch has. */\n  rows: number;\n";
const OUTPUTS: &str = "  /** One for each output of the model, in its order. */\n";

fn interface(name: &str, first: &str, fields: &str) -> String {
    format!(
        "export interface {name} {{\n{first}{fields}  /** What was accepted, but should make one look twice. */\n  warnings: string[];\n}}\n\n"
    )
}

/// `Label` or `Cluster`.
fn aliases(results: &Results, suffix: &str) -> String {
    match results {
        Results::Classification { classes, .. } => type_alias(&format!("Label{suffix}"), literals(classes)),
        Results::Clustering { labels, .. } => type_alias(&format!("Cluster{suffix}"), literals(labels)),
        _ => String::new(),
    }
}

/// The type of an object with a number by class.
fn by_class(classes: &[Cell], suffix: &str) -> String {
    let strings = classes.iter().all(|class| matches!(class, Cell::Str(_)));
    if strings { format!("Record<Label{suffix}, number>") } else { format!("Record<`${{Label{suffix}}}`, number>") }
}

fn row_type(results: &Results, suffix: &str) -> String {
    let list = |names: &[String], span: &Span| -> String {
        let what = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        format!("{} values{what}.", span.count)
    };
    match results {
        Results::Classification { classes, probabilities, scores, .. } => {
            let by_class = by_class(classes, suffix);
            let mut ts = format!("  /** The predicted class. */\n  label: Label{suffix};\n");
            if probabilities.is_some() {
                ts.push_str("  /** The probability of `label`. */\n  probability: number;\n");
                ts.push_str(&format!("  /** The probability of each class. */\n  probabilities: {by_class};\n"));
            } else if scores.is_some() {
                ts.push_str(&format!(
                    "  /** The decision function; higher is likelier, and these are no probabilities. */\n  scores: {by_class};\n"
                ));
            }
            ts
        }
        Results::Regression { values, .. } if values.count == 1 => {
            "  /** The predicted value. */\n  value: number;\n".to_string()
        }
        Results::Regression { values, names } => {
            format!("  /** {} */\n  values: number[];\n", comment(&list(names, values)))
        }
        Results::Several(_) => String::new(),
        Results::Anomaly { .. } => "  /** Whether the row is unlike the training data. */
  outlier: boolean;
  /** The decision function: negative for outliers. */
  score: number;
"
        .to_string(),
        Results::Clustering { distances, .. } => {
            let mut ts = format!("  /** The nearest cluster. */\n  cluster: Cluster{suffix};\n");
            if distances.is_some() {
                ts.push_str("  /** The distance to the center of each cluster. */\n  distances: number[];\n");
            }
            ts
        }
        Results::Transform { values, names, codes } => {
            let of = transformed(codes);
            format!("  /** {} */\n  transformed: {of}[];\n", comment(&list(names, values)))
        }
    }
}

fn batch_type(results: &Results, suffix: &str) -> String {
    let table = |name: &str, what: &str, span: &Span| {
        format!("  /** Rows × {what}, row after row. */\n  {name}: {};\n", array_of(span))
    };
    match results {
        Results::Classification { classes, probabilities, scores, .. } => {
            let mut ts = format!(
                "  /** The place of each row's class in the schema's `classes`. */\n  label: {};\n  /** The class of each row. */\n  labels(): Label{suffix}[];\n",
                places_array(classes.len())
            );
            if let Some(span) = probabilities {
                ts.push_str(&table("probabilities", "classes", span));
            } else if let Some(span) = scores {
                ts.push_str(&table("scores", "classes", span));
            }
            ts
        }
        Results::Regression { values, .. } if values.count == 1 => {
            format!("  /** The predicted value of each row. */\n  value: {};\n", array_of(values))
        }
        Results::Regression { values, .. } => table("values", &values.count.to_string(), values),
        Results::Several(_) => String::new(),
        Results::Anomaly { .. } => {
            "  /** 1 for outliers. */\n  outlier: Uint8Array;\n  /** The decision function of each row: negative for outliers. */\n  score: Float64Array;\n".to_string()
        }
        Results::Clustering { labels, distances, .. } => {
            let mut ts = format!(
                "  /** The place of each row's cluster in the schema's `clusters`. */\n  cluster: {};\n  /** The cluster of each row. */\n  clusters(): Cluster{suffix}[];\n",
                places_array(labels.len())
            );
            if let Some(span) = distances {
                ts.push_str(&table("distances", "clusters", span));
            }
            ts
        }
        Results::Transform { values, codes, .. } if codes.iter().any(Option::is_some) => {
            format!("  /** Rows × {}, row after row. */\n  transformed: {}[];\n", values.count, transformed(codes))
        }
        Results::Transform { values, .. } => table("transformed", &values.count.to_string(), values),
    }
}

/// What a transformer's columns hold.
fn transformed(codes: &[Option<u32>]) -> &'static str {
    if codes.iter().any(Option::is_some) { "(number | string | boolean | null)" } else { "number" }
}

fn schema(subject: &Subject) -> String {
    let columns = subject.columns();
    let mut kinds: Vec<String> = Vec::new();
    for kind in columns.iter().map(|column| js_string(kind_name(&column.kind))) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let mut ts = "export interface Column {\n  /** As in the training data. */\n  readonly name: keyof Features;\n  /** What its values are. */\n".to_string();
    ts.push_str(&format!("  readonly kind: {};\n", union(kinds, 2, 17, 1)));
    if columns.iter().any(|column| matches!(column.kind, ColumnKind::Category(_))) {
        ts.push_str("  /** The values seen in training. */\n  readonly categories?: readonly (string | number | boolean)[];\n");
    }
    if columns.iter().any(|column| column.partial) {
        ts.push_str("  /** These may lack some. */\n  readonly partial?: boolean;\n");
    }
    if columns.iter().any(|column| column.digits) {
        ts.push_str("  /** A whole number is taken for the string of its digits. */\n  readonly digits?: boolean;\n");
    }
    if columns.iter().any(|column| matches!(column.kind, ColumnKind::Code(1..))) {
        ts.push_str("  /** How many codes of categories the model tells apart. */\n  readonly count?: number;\n");
    }
    if columns.iter().any(|column| range(column).is_some()) {
        ts.push_str(
            "  /** Least and greatest value in training. */\n  readonly range?: readonly [number, number];\n",
        );
    }
    ts.push_str("  /** A missing value (null, undefined, NaN) is accepted. */\n  readonly missing: boolean;\n");
    if columns.iter().any(infinite) {
        ts.push_str("  /** Infinity is accepted. */\n  readonly infinite: boolean;\n");
    }
    if columns.iter().any(|column| column.single) {
        ts.push_str("  /** A number that float32 does not hold is not accepted. */\n  readonly single: boolean;\n");
    }
    ts.push_str(
        "  /** A category that training did not see is accepted. */
  readonly unknown: boolean;
  /** Some prediction depends on it. */
  readonly used: boolean;
}

export interface Schema {
",
    );
    ts.push_str(&format!("  /** The package's name. */\n  readonly name: {};\n", js_string(&subject.manifest.name)));
    ts.push_str(&format!(
        "  /** What kind of prediction it makes. */\n  readonly task: {};\n",
        js_string(&subject.manifest.task)
    ));
    ts.push_str("  /** What a row holds, in the order of an array. */\n  readonly columns: readonly Column[];\n");
    match &subject.manifest.results {
        Results::Several(parts) => {
            let parts: String = parts
                .iter()
                .enumerate()
                .map(|(number, part)| {
                    let fields = schema_fields(part, &(number + 1).to_string(), 6);
                    format!(
                        "    {{\n      /** What kind of prediction it is. */\n      readonly task: {};\n{fields}    }},\n",
                        js_string(task(part))
                    )
                })
                .collect();
            ts.push_str(&format!("{OUTPUTS}  readonly outputs: readonly [\n{parts}  ];\n"));
        }
        one => ts.push_str(&schema_fields(one, "", 2)),
    }
    ts.push_str("}\n\n");
    ts
}

fn schema_fields(results: &Results, suffix: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match results {
        Results::Classification { threshold, .. } => {
            let mut ts = format!(
                "{pad}/** In the order of probabilities and scores. */\n{pad}readonly classes: readonly Label{suffix}[];\n"
            );
            if threshold.is_some() {
                ts.push_str(&format!(
                    "{pad}/** The label is the second class from this probability of it on. */\n{pad}readonly threshold: number;\n"
                ));
            }
            ts
        }
        Results::Clustering { .. } => {
            format!("{pad}/** In the order of distances. */\n{pad}readonly clusters: readonly Cluster{suffix}[];\n")
        }
        Results::Regression { names, .. } | Results::Transform { names, .. } if !names.is_empty() => {
            format!("{pad}/** What each value is called. */\n{pad}readonly names: readonly string[];\n")
        }
        _ => String::new(),
    }
}

//! `index.js`: a row into the workspace, a run, a prediction out. Only the code that this model needs is written,
//! in the form prettier would give it: first what a person calls, then how it is done. Comments in it are downloaded too:
//! they say what is for callers or would surprise, not what a function's name says.

mod columns;
mod predictions;

pub use predictions::{array_of, gives, places_array, slots};

use super::text::{Syntax, comment, js_number, js_string, layout, width};
use super::{CARRYOUT, Subject, cells, infinite, kind_name, range};
use crate::lower::Results;
use crate::model::{Cell, ColumnKind};
use crate::package::base64;
use columns::{Needs, is_category};
use serde_json::{Map, Value, json};

/// Where a file's `load()` has the wasm from. The files are alike in all else.
#[derive(Clone, Copy)]
pub enum Loading<'a> {
    /// `index.js`: from model.wasm beside it.
    Beside,
    /// `node.js`: from model.wasm beside it, of so many bytes, and where it is not there by `inline.js`. Reading a file takes
    /// half as long as an engine takes for the text of `inline.js`.
    Read(usize),
    /// `inline.js`: from its own text. It names no other file, nor `import.meta`.
    Inside(&'a [u8]),
    /// `workerd.js`: from a static import, for Cloudflare's workerd compiles no WebAssembly at run time.
    Imported,
}

/// `index.js`, `node.js`, `inline.js` or `workerd.js`.
pub fn index(subject: &Subject, integrity: &str, loading: Loading) -> String {
    let needs = Needs::of(subject);
    let integrity = format!("const integrity =\n  {};\n\n", js_string(integrity));
    let first = match loading {
        Loading::Imported => "import standard from \"./model.wasm\";\n\n".to_string(),
        Loading::Beside | Loading::Read(_) | Loading::Inside(_) => String::new(),
    };
    let beside = "new URL(\"./model.wasm\", import.meta.url)";
    let parts = [
        header(subject),
        first,
        schema(subject, &needs),
        match loading {
            Loading::Read(_) => PUBLIC.replace(" open(", " beside("),
            _ => PUBLIC.to_string(),
        },
        predictions::opening(subject, &needs),
        columns::reading(subject, &needs),
        columns::encoding(subject, &needs),
        integrity,
        COMPILE.replace(
            "STANDARD",
            match loading {
                Loading::Beside => beside,
                Loading::Read(_) => "inside",
                Loading::Inside(_) => "decoded(inside)",
                Loading::Imported => "standard",
            },
        ),
        READ.to_string(),
        match loading {
            Loading::Inside(wasm) => {
                format!("\n/** model.wasm in base64. */\nconst inside =\n  \"{}\";\n", base64(wasm))
            }
            Loading::Read(size) => FILE.replace("BESIDE", beside).replace("SIZE", &size.to_string()),
            Loading::Beside | Loading::Imported => String::new(),
        },
    ];
    parts.concat()
}

/// `index.cjs`: `inline.js` for `require`, which Jest and older Nodes know and import they do not.
pub fn common(subject: &Subject, inline: &str) -> String {
    let exports = ["schema", "load", "predict", "assemble", "rowsOf"];
    let head = header(subject);
    let body = inline.strip_prefix(&head).unwrap_or(inline).replace("\nexport ", "\n");
    format!("{head}\"use strict\";\n\n{body}\nmodule.exports = {{ {} }};\n", exports.join(", "))
}

/// `worker.js`: a pool for big batches.
pub fn worker(subject: &Subject) -> String {
    header(subject) + include_str!("worker.js") + &columns::fields(subject, &Needs::of(subject))
}

/// `thread.js`: what runs in each worker of the pool.
pub fn thread(subject: &Subject) -> String {
    header(subject) + include_str!("thread.js")
}

/// `selftest.js`: the cases and what replays them.
pub fn selftest(subject: &Subject, tests: &Value) -> String {
    let start = "const tests = ".len();
    let tests = layout(tests, Syntax::Js, 0, start, 1);
    format!("{}const tests = {tests};\n\n{}", header(subject), include_str!("selftest.js"))
}

/// The comment at the top of generated files: what this is and what it was made from.
pub fn header(subject: &Subject) -> String {
    let mut lines = vec![
        subject.manifest.name.clone(),
        subject.summary(),
        String::new(),
        format!("Made by carryout {CARRYOUT} from {}", subject.origin()),
    ];
    lines.extend(subject.outline().iter().map(|line| format!("  {line}")));
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
            if let ColumnKind::Code(count @ 1..) = column.kind {
                fields.insert("count".into(), json!(count));
            }
            if let Some((low, high)) = range(column) {
                fields.insert("range".into(), json!([low, high]));
            }
            let flags = [
                ("missing", column.missing),
                ("infinite", infinite(column)),
                ("single", column.single),
                ("unknown", column.unknown && is_category(&column.kind)),
                ("digits", column.digits),
                ("partial", column.partial),
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
        Results::Classification { classes, threshold, .. } => {
            fields.insert("classes".into(), cells(classes));
            if let Some(threshold) = threshold {
                fields.insert("threshold".into(), json!(threshold));
            }
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
    js.push_str("});\n\nconst { columns } = schema;\n\n");
    let mut fields: Vec<(&str, &str)> = vec![("name", ""), ("kind", "")];
    fields.extend(needs.category.then_some(("categories", "")));
    fields.extend(needs.code.then_some(("count", "")));
    fields.extend(needs.range.then_some(("range", "")));
    fields.push(("missing", " = false"));
    fields.extend(needs.infinite.then_some(("infinite", " = false")));
    fields.extend(needs.single.then_some(("single", " = false")));
    fields.push(("unknown", " = false"));
    fields.extend(needs.digits.then_some(("digits", " = false")));
    fields.extend(needs.partial.then_some(("partial", " = false")));
    fields.push(("used", " = true"));
    let params: Vec<String> = fields.iter().map(|(name, default)| format!("{name}{default}")).collect();
    let params = list("function column(", ("{ ", " }"), &params, ") {", 0);
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    js.push_str(&format!(
        "\
/** A column, with what goes without saying. */
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

/// The name of a class as a property.
pub fn class_name(class: &Cell) -> String {
    match class {
        Cell::Str(text) => text.clone(),
        Cell::Float(value) => js_number(*value),
        Cell::Nan | Cell::None => "null".to_string(),
        other => other.to_string(),
    }
}

const PUBLIC: &str = "\
let shared;

/** Loads the model: once, unless a source is given. */
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

const COMPILE: &str = "\
function problem(text, cause) {
  return new Error(`${schema.name}: ${text}`, { cause });
}

const SIMD = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

async function compile(given) {
  const { integrity: checks, source } =
    given?.integrity === undefined ? { source: given } : given;
  if (typeof WebAssembly === \"undefined\") {
    throw problem(
      \"this environment has no WebAssembly, which browsers have had since 2017; a setting may have turned it off\",
    );
  }
  let code = source ?? STANDARD;
  if (typeof code === \"string\" || code instanceof URL) code = await read(code);
  if (checks) code = await checked(code);
  if (code instanceof WebAssembly.Module) return code;
  try {
    if (isResponse(code)) return await WebAssembly.compileStreaming(code);
    // In Node at once: threads may be late.
    return globalThis.process && !globalThis.document
      ? new WebAssembly.Module(code)
      : await WebAssembly.compile(code);
  } catch (cause) {
    throw problem(explained(cause.message), cause);
  }
}

/** Its class named, Node would load all of fetch. */
function isResponse(code) {
  return typeof code.arrayBuffer === \"function\";
}

function explained(message) {
  if (/policy|CSP|unsafe-eval/i.test(message)) {
    return \"the Content-Security-Policy forbids WebAssembly; allow 'wasm-unsafe-eval' in script-src\";
  }
  if (/disallowed by embedder/.test(message)) {
    return \"WebAssembly can only be imported here, not compiled; import model.wasm and give it to load()\";
  }
  if (!WebAssembly.validate(SIMD)) {
    return \"this engine lacks WebAssembly SIMD, which browsers have had since 2023; update it\";
  }
  return \"model.wasm does not compile; it may be cut short: copy it anew from the package\";
}

async function checked(code) {
  const bytes = isResponse(code) ? await code.arrayBuffer() : code;
  if (!globalThis.crypto?.subtle || bytes instanceof WebAssembly.Module) {
    throw problem(
      \"integrity can be checked of bytes, and only where crypto.subtle is: pages need https\",
    );
  }
  const digest = await crypto.subtle.digest(\"SHA-384\", bytes);
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  if (integrity === `sha384-${hash}`) return bytes;
  throw problem(`model.wasm is not the one of this package: sha384-${hash}`);
}
";

const FILE: &str = "
/** model.wasm, read with this file and not later. */
const inside = file();

function file() {
  try {
    const files = process.getBuiltinModule(\"node:fs\");
    const file = files.openSync(BESIDE);
    const bytes = new Uint8Array(SIZE);
    files.readSync(file, bytes);
    files.closeSync(file);
    return bytes;
  } catch {
    return undefined;
  }
}

/** Bundlers take this file alone, or put another model's beside it. */
async function beside(given) {
  try {
    return await open(given);
  } catch (error) {
    const { source } =
      given?.integrity === undefined ? { source: given } : given;
    if (source !== undefined) throw error;
    return (await import(\"./inline.js\")).load(given);
  }
}
";

const READ: &str = "
function decoded(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  if (globalThis.Buffer) return Buffer.from(base64, \"base64\");
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}

async function read(url) {
  // Vite inlines small files; policies forbid to fetch those.
  const [, base64] = /^data:[^,]*;base64,(.*)/.exec(url) ?? [];
  if (base64) return decoded(base64);
  // Node cannot fetch files; bundlers do not see this `fs`.
  const files =
    String(url).startsWith(\"file:\") &&
    globalThis.process?.getBuiltinModule?.(\"node:fs\");
  if (files) return files.readFileSync(new URL(url));
  const response = await fetch(url).catch((cause) => {
    throw problem(
      `${url} cannot be fetched; serve model.wasm there and allow it in connect-src, or import ${schema.name}/inline`,
      cause,
    );
  });
  if (!response.ok) {
    throw problem(
      `${url} answered ${response.status}; serve model.wasm there, give load() its address, or import ${schema.name}/inline`,
    );
  }
  const type = response.headers.get(\"content-type\");
  if (type === \"application/wasm\") return response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0) {
    throw problem(
      `${url} is ${type}, not WebAssembly: the server answered with a page; ${/.vite.deps/.test(url) ? \"list the package in optimizeDeps.exclude\" : \"serve the file there\"}, or import ${schema.name}/inline`,
    );
  }
  return bytes;
}
";

//! From slots to predictions: `open()` with `predict` and `predictBatch`.

use super::class_name;
use super::columns::{MOST_WRITTEN_OUT, Needs};
use crate::lower::{Results, Span};
use crate::package::emit::Subject;
use crate::package::emit::text::{js_key, js_string};

/// What the result of a run is made of: typed arrays of a batch and the fields of a prediction.
struct Part<'a> {
    results: &'a Results,
    /// Where its classes are, e.g. `schema.classes`.
    labels: String,
    /// The place of the first of its arrays among the batch's.
    arrays: usize,
}

/// The typed array of numbers that the original computes.
pub fn array_of(span: &Span) -> &'static str {
    if span.narrow { "Float32Array" } else { "Float64Array" }
}

/// The typed array of places among so many values.
pub fn places_array(values: usize) -> &'static str {
    if values <= 256 { "Uint8Array" } else { "Int32Array" }
}

/// The typed arrays of an output, in the order of `Results::spans`, in which `batch_fields` names them.
fn arrays(results: &Results) -> Vec<&'static str> {
    match results {
        Results::Classification { classes, probabilities, scores, .. } => {
            let numbers = probabilities.as_ref().or(scores.as_ref()).map(array_of);
            [places_array(classes.len())].into_iter().chain(numbers).collect()
        }
        Results::Regression { values, .. } | Results::Transform { values, .. } => vec![array_of(values)],
        Results::Several(parts) => parts.iter().flat_map(arrays).collect(),
        Results::Anomaly { .. } => vec!["Uint8Array", "Float64Array"],
        Results::Clustering { labels, distances, .. } => {
            [places_array(labels.len())].into_iter().chain(distances.as_ref().map(array_of)).collect()
        }
    }
}

/// The export of the wasm that lays a result out row by row as numbers of this array.
fn give(array: &str) -> &'static str {
    match array {
        "Uint8Array" => "give_u8",
        "Int32Array" => "give_i32",
        "Float32Array" => "give_f32",
        _ => "give_f64",
    }
}

/// These exports.
pub fn gives(results: &Results) -> Vec<&'static str> {
    arrays(results).into_iter().map(give).collect()
}

/// The first slots of what is given back.
pub fn slots(results: &Results) -> Vec<u32> {
    results.spans().into_iter().map(|span| span.first).collect()
}

/// The fields of one prediction, a line each, indented by `indent`.
fn row_fields(part: &Part, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let list = |span: &Span| match span.count {
        1 => format!("[x[{}]]", span.first),
        count => format!("Array.from(x.subarray({}, {}))", span.first, span.first + count),
    };
    match part.results {
        Results::Classification { classes, label, probabilities, scores, .. } => {
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
            "{pad}transformed: Array.from(x.subarray({}, {}), (number, k) =>\n{pad}  decode(k, number, (c) => valuesOf(row)[c]),\n{pad}),\n",
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
            arrays += results.spans().len();
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

/// The views of the place where results are laid out row by row, a number of the workspace. What the function refers to
/// lives as long as the model: `wasm`, not its buffer, goes with `free`.
fn given_views(indent: usize, name: &str, at: usize) -> String {
    let pad = " ".repeat(indent);
    let from = if at > 0 { format!(" + {}", 8 * at) } else { String::new() };
    let view = format!("([Type]) => new Type(wasm.memory.buffer, wasm.workspace(){from})");
    if pad.len() + 2 + view.len() < 80 {
        return format!("{pad}{name} = results.map(\n{pad}  {view},\n{pad});\n");
    }
    let view = view.replace("=> ", &format!("=>\n{pad}    "));
    format!("{pad}{name} = results.map(\n{pad}  {view},\n{pad});\n")
}

/// The views of a model that reads texts, and how a text gets there.
fn texts(subject: &Subject, given: &str) -> String {
    format!(
        "  const encoder = new TextEncoder();
  let x, texts, lengths, given, end;

  /** Looks at the memory, which is another one when it has grown. */
  function look() {{
    const {{ buffer }} = wasm.memory;
    x = new Float64Array(buffer, wasm.workspace(), {size});
    texts = new Uint8Array(buffer, wasm.texts());
    lengths = new DataView(buffer, wasm.texts());
{given}  }}
  look();

  /** Puts a number in a slot, or a text's place among the texts. */
  function store(slot, value) {{
    const number = typeof value === \"string\" ? place(value) : value;
    x[slot] = number;
  }}

  /** Puts a text behind the others, its length before it. */
  function place(text) {{
    // UTF-8 takes at most three bytes for a unit of a string.
    const short = end + 4 + 3 * text.length - texts.length;
    if (short > 0) {{
      wasm.memory.grow(Math.ceil(short / 65536) + 16);
      look();
    }}
    const start = end;
    const {{ written }} = encoder.encodeInto(text, texts.subarray(start + 4));
    lengths.setUint32(start, written, true);
    end = start + 4 + written;
    return start;
  }}
",
        size = subject.slots * subject.block
    )
}

/// The views through which tables of numbers are taken.
fn tables(subject: &Subject, needs: &Needs) -> String {
    let count = subject.columns().len();
    let strict = match (needs.missing, needs.unused) {
        (false, false) => format!("new Array({count}).fill(1)"),
        (true, false) => "columns.map(({ missing }) => +!missing)".to_string(),
        (false, true) => "columns.map(({ used }) => +used)".to_string(),
        (true, true) => "columns.map(({ missing, used }) => +(used && !missing))".to_string(),
    };
    let ends = match (needs.uniform, needs.infinite) {
        (false, _) => "  table.set([...lowest, ...highest, ...strict]);\n".to_string(),
        (true, infinite) => {
            let most = if infinite { "Infinity" } else { needs.most() };
            let both = 2 * count;
            format!("  table.fill(-{most}, 0, {count}).fill({most}, {count}, {both}).set(strict, {both});\n")
        }
    };
    let ends = match ends.len() > 81 {
        true => ends.replacen("  table", "  table\n    ", 1).replace(").", ")\n    ."),
        false => ends,
    };
    let mut js = format!(
        "  // Bounds of the columns, then rows.
  let table = new Float64Array(wasm.memory.buffer, wasm.rows(), {size});
  const strict = {strict};
{ends}  table = table.subarray({behind});
",
        size = count * (3 + subject.block),
        behind = 3 * count,
    );
    if subject.narrow {
        js.push_str(&format!(
            "  let narrow = new Float32Array(table.buffer, table.byteOffset, {size});\n",
            size = count * subject.block,
        ));
    }
    js
}

/// How a block's values get to their slots: columns, tables of numbers, or row by row.
fn taking(subject: &Subject, needs: &Needs) -> String {
    let count = subject.columns().len();
    let warn = if needs.warns() { "warn, " } else { "" };
    let encode_warn = if needs.remarks() { "warn, " } else { "" };
    let ordinary = match (needs.number, needs.uniform) {
        (true, true) => "ordinary(value) ? value : ",
        (true, false) => "ordinary(c, value) ? value : ",
        (false, _) => "",
    };
    let value = format!("{ordinary}encode(c, value, {encode_warn}row)");
    let set = if needs.text { format!("store(slot, {value});") } else { format!("x[slot] = {value};") };
    let other = match needs.missing {
        true => format!(
            "    let gaps = false;
    const other = (c, value) => {{
      gaps ||= value === undefined;
      return encode(c, value, {encode_warn}number);
    }};
"
        ),
        false => String::new(),
    };
    let strays = if needs.missing { "    if (gaps) strays(row, warn, number);\n" } else { "" };
    let set = format!(
        "
  function set(slot, c, value, {encode_warn}row) {{
    {set}
  }}
"
    );
    let each = format!("for (let c = 0; c < {count}; c++) set(c * n + r, c, values[c], {encode_warn}number);\n");
    if count > MOST_WRITTEN_OUT {
        let strays = match needs.missing {
            true => "    if (!listed(row) && values.includes(undefined)) strays(row, warn, number);\n",
            false => "",
        };
        return format!(
            "{set}
  /** Fills row `r` of `n`. */
  function put(row, r, n, {warn}number) {{
    const values = valuesOf(row, number);
    {each}{strays}  }}
"
        );
    }
    format!(
        "{set}
  /** Fills row `r` of `n`; of an object no list is made. */
  function put(row, r, n, {warn}number) {{
    if (typeof row !== \"object\" || row === null || listed(row)) {{
      const values = valuesOf(row, number);
      {each}      return;
    }}
{other}    let v;
    let slot = r - n;
{filling}{strays}  }}
",
        filling = super::columns::filling(subject, needs),
    )
}

/// `open`: an instance and the two ways to predict with it.
pub fn opening(subject: &Subject, needs: &Needs) -> String {
    let results = &subject.manifest.results;
    let count = subject.columns().len();
    let whole = Part { results, labels: labels_of(results, "schema"), arrays: 0 };
    let arrays: Vec<String> = arrays(results)
        .iter()
        .zip(results.spans())
        .map(|(array, span)| format!("[{array}, {}, {}, \"{}\"]", span.first, span.count, give(array)))
        .collect();
    let given_at = results.given_at(subject.slots as u32) as usize * subject.block;
    let one_score = |results: &Results| matches!(results, Results::Classification { probabilities: None, scores: Some(span), .. } if span.count == 1);
    let mirrors = match results {
        Results::Several(parts) => parts.iter().any(one_score),
        one => one_score(one),
    };
    let (encode_warn, values_warn) = (needs.remarks(), needs.missing);
    let encode_args = if encode_warn { "warn, " } else { "" };
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
  const both = new scores.constructor(scores.length * 2);
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
    let find = if decodes { ", find" } else { "" };
    let (read_args, read_warn) = if values_warn { ("input, warn", ", warn") } else { ("input", "") };
    // Only a decoded result asks for a value again.
    let [of_view, of_array, of_lists] = match decodes {
        true => [
            format!(", undefined, (row, c) => input[row * {count} + c]"),
            ", undefined, (row, c) => valuesOf(input[row])[c]".to_string(),
            ", (row, c) => lists[c]?.[row]".to_string(),
        ],
        false => Default::default(),
    };
    let of_view = format!("[input.length / {count}{of_view}]");
    let of_view = match 2 + "if (input.length % ) return ;".len() + count.to_string().len() + of_view.len() <= 80 {
        true => format!("    if (input.length % {count} === 0) return {of_view};"),
        false => format!("    if (input.length % {count} === 0) {{\n      return {of_view};\n    }}"),
    };
    let lists_warn = if encode_warn { "encode(c, undefined, warn)" } else { "encode(c, undefined)" };
    let rows_of = format!(
        "\
/** A batch's number of rows{and_lists}. */
export function rowsOf(input{read_warn}) {{
  if (ArrayBuffer.isView(input)) {{
{of_view}
    throw new TypeError(
      `expected rows of {count} {plural}, got ${{input.length}} values in all`,
    );
  }}
  if (Array.isArray(input)) {{
    return [input.length{of_array}];
  }}
  const lists = valuesOf(input);
{strays}  let rows;
  lists.forEach((list, c) => {{
    if (list === undefined || list === null) {{
      // Refused here unless it may be missing.
      {lists_warn};
    }} else if (typeof list !== \"object\" || !(list.length >= 0)) {{
      throw new TypeError(`${{field(c)}}: expected an array, got ${{show(list)}}`);
    }} else if (list.length !== (rows ??= list.length)) {{
      throw new TypeError(
        `${{field(c)}}: expected ${{rows}} values like the columns before it, got ${{list.length}}`,
      );
    }}
  }});
  return [rows ?? 0, lists{of_lists}];
}}

",
        plural = if count == 1 { "value" } else { "values" },
        and_lists = if decodes {
            ", its columns if it is made of them, and what finds a value of it"
        } else {
            " and, if made of them, its columns"
        },
        strays = if values_warn { "  if (lists.includes(undefined)) strays(input, warn);\n" } else { "" },
    );

    // Flipped, the number of rows says that the columns are of f32.
    let rows_run = if subject.narrow { "flat ? ~count : count" } else { "count" };
    let (run, run_row, run_block) = if subject.refusing.is_empty() {
        (String::new(), "wasm.run(1)", format!("wasm.run({rows_run})"))
    } else {
        let steps: String =
            subject.refusing.iter().map(|(number, path)| format!("  {number}: {},\n", js_string(path))).collect();
        js.push_str(&format!(
            "/** The steps that can refuse a value, by number. */\nconst steps = {{\n{steps}}};\n\n"
        ));
        let run = "  function run(rows, first) {
    const refused = wasm.run(rows);
    if (refused === 0) return;
    const row = first === undefined ? undefined : first + wasm.fault_row();
    throw new RangeError(
      `${at(row)}a value is outside what ${steps[refused - 1]} accepts`,
    );
  }

";
        (run.to_string(), "run(1)", format!("run({rows_run}, start + first)"))
    };
    // Texts lie behind the workspace, and the memory grows for them: every view is then made anew.
    let (mut views, gone) = match needs.text {
        true => (texts(subject, &given_views(4, "given", given_at)), "texts = lengths = given = "),
        false => {
            let size = subject.slots * subject.block;
            (
                format!(
                    "  let x = new Float64Array(wasm.memory.buffer, wasm.workspace(), {size});
{}",
                    given_views(2, "let given", given_at)
                ),
                match (subject.takes_rows(), subject.narrow) {
                    (false, _) => "given = ",
                    (true, false) => "given = table = ",
                    (true, true) => "given = table = narrow = ",
                },
            )
        }
    };
    if subject.takes_rows() {
        views.push_str(&tables(subject, needs));
    }
    views.push_str(&taking(subject, needs));
    let warn = if needs.warns() { "warn, " } else { "" };
    let row_put = if needs.warns() { "put(row, 0, 1, warn)" } else { "put(row, 0, 1)" };
    let table = match (subject.takes_rows(), subject.narrow) {
        (false, _) => String::new(),
        (true, narrow) => {
            let (block, take) = match narrow {
                true => ("flat ? narrow : table", "flat ? wasm.take32(count) : wasm.take(count)"),
                false => ("table", "wasm.take(count)"),
            };
            format!(
                "if (numbers) {{
        const block = {block};
        block.set(input.subarray(first * {count}, (first + count) * {count}));
        const odd = {take};
        for (let k = 0; k < odd; k++) {{
          const row = first + block[k];
          for (let c = 0; c < {count}; c++) {{
            encode(c, input[row * {count} + c], {encode_args}start + row);
          }}
        }}
      }} else "
            )
        }
    };
    let anew = |pad: &str| if needs.text { format!("{pad}end = 0;\n") } else { String::new() };
    let (row_anew, block_anew) = (anew("    "), anew("      "));
    // Columns are taken one by one, rows one by one: warnings come in the order of the rows either way.
    let (placed, sorted) = match needs.remarks() {
        true => (", row ?? -1", "Array.from(notes.values())\n      .sort((a, b) => a[2] - b[2])\n      .map("),
        false => ("", "Array.from(notes.values(), "),
    };
    let tally = match needs.warns() {
        true => format!(
            "    const notes = new Map();
    // One warning a column, with its first row.
    const warn = (c, value, row) => {{
      const note = notes.get(c);
      if (note) note[1] += 1;
      else notes.set(c, [remark(c, value, row), 0{placed}]);
    }};
"
        ),
        false => String::new(),
    };
    // Filled row by row, slots that begin at the same place of the nearest cache drive each other out of it: of 28 columns
    // 512 rows apart that took a quarter of a batch of objects.
    let block = subject.block;
    let apart = block > 64 && block.is_multiple_of(64);
    let most = match (apart, subject.takes_rows()) {
        (false, _) => String::new(),
        (true, true) => format!("    const most = numbers || lists ? {block} : {};\n", block - 8),
        (true, false) => format!("    const most = lists ? {block} : {};\n", block - 8),
    };
    let noted = if needs.warns() { ", notes" } else { "" };
    let warnings = match needs.warns() {
        true => format!(
            "    warnings: {sorted}([text, more]) =>
{pad}      more === 0 ? text : `${{text}} (and ${{more}} more)`,
{pad}    ),
",
            pad = if needs.remarks() { "  " } else { "" }
        ),
        false => "    warnings: [],\n".to_string(),
    };
    js.push_str(&format!(
        "\
async function open(source) {{
  const module = await compile(source);
  let {{ exports: wasm }} = await WebAssembly.instantiate(module);
  if (wasm.open({id}) !== 0) throw problem(damaged);
  // Slot s of row r of n is at s * n + r.
{views}
{run}  function predict(row) {{
    const warnings = [];
{row_warn}    if (!wasm) throw problem(freed);
{row_anew}    {row_put};
    {run_row};
    return {{
{row_fields}      warnings,
    }};
  }}

  /** Runs rows, from number `start` of a batch on. */
  function batch(input, start = 0) {{
    if (!wasm) throw problem(freed);
{tally}    const [rows, lists{find}] = rowsOf({read_args});
{numbers}    const arrays = results.map(([Type, , width]) => new Type(rows * width));
{most}    for (let first = 0; first < rows; first += {block}) {{
      const count = Math.min({block}, rows - first);
{block_anew}{flat}      {table}if (lists) {{
        for (let c = 0; c < {count}; c++) {{
          const list = lists[c] ?? [];
          for (let r = 0; r < count; r++) {{
            set(c * count + r, c, list[first + r], {encode_args}start + first + r);
          }}
        }}
      }} else {{
        for (let r = 0; r < count; r++) {{
          const k = first + r;
          const row = Array.isArray(input)
            ? input[k]
            : input.subarray(k * {count}, (k + 1) * {count});
          put(row, r, count, {warn}start + k);
        }}
      }}
      {run_block};
      results.forEach(([, slot, width, give], k) => {{
        wasm[give](slot, width, {given_at}, count);
        arrays[k].set(given[k].subarray(0, count * width), first * width);
      }});
    }}
    return {{ rows, arrays{noted}{find} }};
  }}

  function free() {{
    if (wasm && source === undefined) shared = undefined;
    wasm = x = model.module = {gone}undefined;
  }}

  const predictBatch = (input) => assemble(batch(input));
  const model = {{ schema, predict, predictBatch, free, batch, module }};
  if (Symbol.dispose) model[Symbol.dispose] = free;
  return model;
}}

const freed = \"this model was freed; load() gives another\";
const damaged = \"model.wasm is damaged or of another package; copy it anew\";

/** What a run leaves: array type, first slot, slots, and what lays them out. */
const results = {arrays};

/** A batch as a person reads it; worker.js makes one of many runs. */
export function assemble({{ rows, arrays{noted}{find} }}) {{
  return {{
    rows,
{batch_fields}{warnings}  }};
}}

",
        block = if apart { "most".to_string() } else { block.to_string() },
        id = subject.id,
        numbers = match subject.takes_rows() {
            true => "    const numbers = ArrayBuffer.isView(input) && typeof input[0] === \"number\";\n",
            false => "",
        },
        // A few rows have code of their own, which reads f64.
        flat = match subject.narrow {
            true => "      const flat = count > 63 && input instanceof Float32Array;\n",
            false => "",
        },
        arrays = match &arrays[..] {
            [one] => format!("[{one}]"),
            // Prettier never puts several lists on one line.
            many => format!("[\n{}]", many.iter().map(|array| format!("  {array},\n")).collect::<String>()),
        },
        row_fields = row_fields(&whole, 6),
        batch_fields = batch_fields(&whole, 4),
    ));
    js.push_str(&rows_of);
    js
}

/**
 * codes
 * regression: 4 columns in, 1 value out
 *
 * Made by carryout VERSION from scikit-learn 1.9.1: Pipeline
 */

/** What the model takes and gives. */
export const schema = freeze({
  name: "codes",
  task: "regression",
  columns: [
    { name: "size", kind: "number", range: [0, 10] },
    { name: "town", kind: "code", count: 5 },
    { name: "street", kind: "code" },
    {
      name: "color",
      kind: "category",
      categories: ["red", "blue"],
      missing: true,
      unknown: true,
    },
  ].map(column),
});

const { columns } = schema;

/** A column, with what goes without saying. */
function column({
  name,
  kind,
  categories,
  count,
  range,
  missing = false,
  unknown = false,
  used = true,
}) {
  return { name, kind, categories, count, range, missing, unknown, used };
}

function freeze(value) {
  for (const part of Object.values(value)) {
    if (typeof part === "object") freeze(part);
  }
  return Object.freeze(value);
}

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

/** The steps that can refuse a value, by number. */
const steps = {
  0: "one-hot",
};

async function open(source) {
  const module = await compile(source);
  let { exports: wasm } = await WebAssembly.instantiate(module);
  if (wasm.open(ID) !== 0) throw problem(damaged);
  // Slot s of row r of n is at s * n + r.
  let x = new Float64Array(wasm.memory.buffer, wasm.workspace(), 720);
  let given = results.map(
    ([Type]) => new Type(wasm.memory.buffer, wasm.workspace()),
  );

  function set(slot, c, value, warn, row) {
    x[slot] = ordinary(c, value) ? value : encode(c, value, warn, row);
  }

  /** Fills row `r` of `n`; of an object no list is made. */
  function put(row, r, n, warn, number) {
    if (typeof row !== "object" || row === null || listed(row)) {
      const values = valuesOf(row, number);
      for (let c = 0; c < 4; c++) set(c * n + r, c, values[c], warn, number);
      return;
    }
    let gaps = false;
    const other = (c, value) => {
      gaps ||= value === undefined;
      return encode(c, value, warn, number);
    };
    let v;
    let slot = r - n;
    v = row.size;
    x[(slot += n)] = ordinary(0, v) ? v : other(0, v);
    v = row.town;
    x[(slot += n)] = other(1, v);
    v = row.street;
    x[(slot += n)] = other(2, v);
    v = row.color;
    x[(slot += n)] = codes[3].get(v) ?? other(3, v);
    if (gaps) strays(row, warn, number);
  }

  function run(rows, first) {
    const refused = wasm.run(rows);
    if (refused === 0) return;
    const row = first === undefined ? undefined : first + wasm.fault_row();
    throw new RangeError(
      `${at(row)}a value is outside what ${steps[refused - 1]} accepts`,
    );
  }

  function predict(row) {
    const warnings = [];
    const warn = (c, value) => warnings.push(remark(c, value));
    if (!wasm) throw problem(freed);
    put(row, 0, 1, warn);
    run(1);
    return {
      value: x[5],
      warnings,
    };
  }

  /** Runs rows, from number `start` of a batch on. */
  function batch(input, start = 0) {
    if (!wasm) throw problem(freed);
    const notes = new Map();
    // One warning a column, with its first row.
    const warn = (c, value, row) => {
      const note = notes.get(c);
      if (note) note[1] += 1;
      else notes.set(c, [remark(c, value, row), 0, row ?? -1]);
    };
    const [rows, lists] = rowsOf(input, warn);
    const arrays = results.map(([Type, , width]) => new Type(rows * width));
    for (let first = 0; first < rows; first += 120) {
      const count = Math.min(120, rows - first);
      if (lists) {
        for (let c = 0; c < 4; c++) {
          const list = lists[c] ?? [];
          for (let r = 0; r < count; r++) {
            set(c * count + r, c, list[first + r], warn, start + first + r);
          }
        }
      } else {
        for (let r = 0; r < count; r++) {
          const k = first + r;
          const row = Array.isArray(input)
            ? input[k]
            : input.subarray(k * 4, (k + 1) * 4);
          put(row, r, count, warn, start + k);
        }
      }
      run(count, start + first);
      results.forEach(([, slot, width, give], k) => {
        wasm[give](slot, width, 0, count);
        arrays[k].set(given[k].subarray(0, count * width), first * width);
      });
    }
    return { rows, arrays, notes };
  }

  function free() {
    if (wasm && source === undefined) shared = undefined;
    wasm = x = model.module = given = undefined;
  }

  const predictBatch = (input) => assemble(batch(input));
  const model = { schema, predict, predictBatch, free, batch, module };
  if (Symbol.dispose) model[Symbol.dispose] = free;
  return model;
}

const freed = "this model was freed; load() gives another";
const damaged = "model.wasm is damaged or of another package; copy it anew";

/** What a run leaves: array type, first slot, slots, and what lays them out. */
const results = [[Float64Array, 5, 1, "give_f64"]];

/** A batch as a person reads it; worker.js makes one of many runs. */
export function assemble({ rows, arrays, notes }) {
  return {
    rows,
    value: arrays[0],
    warnings: Array.from(notes.values())
      .sort((a, b) => a[2] - b[2])
      .map(([text, more]) =>
        more === 0 ? text : `${text} (and ${more} more)`,
      ),
  };
}

/** A batch's number of rows and, if made of them, its columns. */
export function rowsOf(input, warn) {
  if (ArrayBuffer.isView(input)) {
    if (input.length % 4 === 0) return [input.length / 4];
    throw new TypeError(
      `expected rows of 4 values, got ${input.length} values in all`,
    );
  }
  if (Array.isArray(input)) {
    return [input.length];
  }
  const lists = valuesOf(input);
  if (lists.includes(undefined)) strays(input, warn);
  let rows;
  lists.forEach((list, c) => {
    if (list === undefined || list === null) {
      // Refused here unless it may be missing.
      encode(c, undefined, warn);
    } else if (typeof list !== "object" || !(list.length >= 0)) {
      throw new TypeError(`${field(c)}: expected an array, got ${show(list)}`);
    } else if (list.length !== (rows ??= list.length)) {
      throw new TypeError(
        `${field(c)}: expected ${rows} values like the columns before it, got ${list.length}`,
      );
    }
  });
  return [rows ?? 0, lists];
}

function listed(row) {
  return Array.isArray(row) || ArrayBuffer.isView(row);
}

function valuesOf(row, number) {
  if (listed(row)) {
    if (row.length === 4) return row;
    throw new TypeError(`${at(number)}expected 4 values, got ${row.length}`);
  }
  if (typeof row !== "object" || row === null) {
    throw new TypeError(
      `${at(number)}expected an object by column or an array, got ${show(row)}`,
    );
  }
  return columns.map(({ name }) => row[name]);
}

const names = new Set(columns.map(({ name }) => name));

/** A field may be there under a misspelt name. */
function strays(row, warn, number) {
  for (const field of Object.keys(row)) {
    if (!names.has(field)) warn(field, undefined, number);
  }
}

function at(row) {
  return row === undefined ? "" : `row ${row}, `;
}

function field(c, row) {
  return at(row) + JSON.stringify(columns[c].name);
}

function show(value) {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") {
    return `the string ${JSON.stringify(value.slice(0, 60))}`;
  }
  return `the ${typeof value} ${String(value).slice(0, 60)}`;
}

/** The number of each category, by column. */
const codes = {
  3: places(columns[3].categories),
};

function places(values) {
  return new Map(values.map((value, place) => [value, place]));
}

const lowest = bounds(0);
const highest = bounds(1);

/** An end of what each column of numbers takes without a word. */
function bounds(end) {
  return Float64Array.from(columns, ({ kind, range }) => {
    const most = Number.MAX_VALUE;
    const own = range ?? [-most, most];
    return /number|integer/.test(kind) ? own[end] : NaN;
  });
}

/** Whether `encode` would give the value itself. */
function ordinary(c, value) {
  return typeof value === "number" && value >= lowest[c] && value <= highest[c];
}

/** The number for the model; NaN where it is missing. */
function encode(c, value, warn, row) {
  const { kind, missing, count, unknown, range } = columns[c];
  if (value === undefined || value === null || value !== value) {
    if (missing) return NaN;
  } else if (kind === "category") {
    const code = codes[c].get(value);
    if (code !== undefined) return code;
    if (unknown && typeof value === "string") {
      warn(c, value, row);
      return -1;
    }
  } else if (Number.isFinite(value)) {
    if (range && (value < range[0] || value > range[1])) warn(c, value, row);
    if (count && (value < 0 || value >= count || value % 1))
      warn(c, value, row);
    return value;
  }
  throw new TypeError(
    `${field(c, row)}: expected ${expected(columns[c])}, got ${show(value)}`,
  );
}

function expected({ kind, categories, missing }) {
  if (kind === "category") {
    const some = categories.slice(0, 10).map((value) => JSON.stringify(value));
    const more = categories.length > 10 ? `, … (${categories.length})` : "";
    return `one of ${some.join(", ")}${more}${missing ? " or null" : ""}`;
  }
  const words = {
    number: "a number",
    integer: "a number",
    code: "a category code, 0, 1, 2, … (carryout --categories gives names)",
  };
  return `${words[kind]}${missing ? " or null" : ""}`;
}

function remark(c, value, row) {
  if (typeof c === "string") {
    return `${at(row)}${JSON.stringify(c)} is not a column of this model`;
  }
  if (columns[c].kind === "code") {
    return `${field(c, row)}: ${value} is none of the codes that the model tells apart, 0 to ${columns[c].count - 1}`;
  }
  const { range } = columns[c];
  if (!range) {
    return `${field(c, row)}: ${show(value)} was not seen in training`;
  }
  return `${field(c, row)}: ${value} is outside the range seen in training, ${range[0]} to ${range[1]}`;
}

const integrity =
  "sha384-INTEGRITY";

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
  if (typeof WebAssembly === "undefined") {
    throw problem(
      "this environment has no WebAssembly, which browsers have had since 2017; a setting may have turned it off",
    );
  }
  let code = source ?? new URL("./model.wasm", import.meta.url);
  if (typeof code === "string" || code instanceof URL) code = await read(code);
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
  return typeof code.arrayBuffer === "function";
}

function explained(message) {
  if (/policy|CSP|unsafe-eval/i.test(message)) {
    return "the Content-Security-Policy forbids WebAssembly; allow 'wasm-unsafe-eval' in script-src";
  }
  if (/disallowed by embedder/.test(message)) {
    return "WebAssembly can only be imported here, not compiled; import model.wasm and give it to load()";
  }
  if (!WebAssembly.validate(SIMD)) {
    return "this engine lacks WebAssembly SIMD, which browsers have had since 2023; update it";
  }
  return "model.wasm does not compile; it may be cut short: copy it anew from the package";
}

async function checked(code) {
  const bytes = isResponse(code) ? await code.arrayBuffer() : code;
  if (!globalThis.crypto?.subtle || bytes instanceof WebAssembly.Module) {
    throw problem(
      "integrity can be checked of bytes, and only where crypto.subtle is: pages need https",
    );
  }
  const digest = await crypto.subtle.digest("SHA-384", bytes);
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  if (integrity === `sha384-${hash}`) return bytes;
  throw problem(`model.wasm is not the one of this package: sha384-${hash}`);
}

function decoded(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  if (globalThis.Buffer) return Buffer.from(base64, "base64");
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
    String(url).startsWith("file:") &&
    globalThis.process?.getBuiltinModule?.("node:fs");
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
  const type = response.headers.get("content-type");
  if (type === "application/wasm") return response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0) {
    throw problem(
      `${url} is ${type}, not WebAssembly: the server answered with a page; ${/.vite.deps/.test(url) ? "list the package in optimizeDeps.exclude" : "serve the file there"}, or import ${schema.name}/inline`,
    );
  }
  return bytes;
}

/**
 * text
 * regression: 1 column in, 1 value out
 *
 * Made by carryout VERSION from scikit-learn 1.9.1: Pipeline
 */

/** What the model takes and gives. */
export const schema = freeze({
  name: "text",
  task: "regression",
  columns: [{ name: "text", kind: "text" }].map(column),
});

const { columns } = schema;

/** A column, with what goes without saying. */
function column({ name, kind, missing = false, unknown = false, used = true }) {
  return { name, kind, missing, unknown, used };
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

async function open(source) {
  const module = await compile(source);
  let { exports: wasm } = await WebAssembly.instantiate(module);
  if (wasm.open(ID) !== 0) throw problem(damaged);
  // Slot s of row r of n is at s * n + r.
  const encoder = new TextEncoder();
  let x, texts, lengths, given, end;

  /** Looks at the memory, which is another one when it has grown. */
  function look() {
    const { buffer } = wasm.memory;
    x = new Float64Array(buffer, wasm.workspace(), 1320);
    texts = new Uint8Array(buffer, wasm.texts());
    lengths = new DataView(buffer, wasm.texts());
    given = results.map(
      ([Type]) => new Type(wasm.memory.buffer, wasm.workspace()),
    );
  }
  look();

  /** Puts a number in a slot, or a text's place among the texts. */
  function store(slot, value) {
    const number = typeof value === "string" ? place(value) : value;
    x[slot] = number;
  }

  /** Puts a text behind the others, its length before it. */
  function place(text) {
    // UTF-8 takes at most three bytes for a unit of a string.
    const short = end + 4 + 3 * text.length - texts.length;
    if (short > 0) {
      wasm.memory.grow(Math.ceil(short / 65536) + 16);
      look();
    }
    const start = end;
    const { written } = encoder.encodeInto(text, texts.subarray(start + 4));
    lengths.setUint32(start, written, true);
    end = start + 4 + written;
    return start;
  }

  function set(slot, c, value, row) {
    store(slot, encode(c, value, row));
  }

  /** Fills row `r` of `n`; of an object no list is made. */
  function put(row, r, n, number) {
    if (typeof row !== "object" || row === null || listed(row)) {
      const values = valuesOf(row, number);
      for (let c = 0; c < 1; c++) set(c * n + r, c, values[c], number);
      return;
    }
    let v;
    let slot = r - n;
    v = row.text;
    store((slot += n), encode(0, v, number));
  }

  function predict(row) {
    const warnings = [];
    if (!wasm) throw problem(freed);
    end = 0;
    put(row, 0, 1);
    wasm.run(1);
    return {
      value: x[1],
      warnings,
    };
  }

  /** Runs rows, from number `start` of a batch on. */
  function batch(input, start = 0) {
    if (!wasm) throw problem(freed);
    const [rows, lists] = rowsOf(input);
    const arrays = results.map(([Type, , width]) => new Type(rows * width));
    for (let first = 0; first < rows; first += 120) {
      const count = Math.min(120, rows - first);
      end = 0;
      if (lists) {
        for (let c = 0; c < 1; c++) {
          const list = lists[c] ?? [];
          for (let r = 0; r < count; r++) {
            set(c * count + r, c, list[first + r], start + first + r);
          }
        }
      } else {
        for (let r = 0; r < count; r++) {
          const k = first + r;
          const row = Array.isArray(input)
            ? input[k]
            : input.subarray(k * 1, (k + 1) * 1);
          put(row, r, count, start + k);
        }
      }
      wasm.run(count);
      results.forEach(([, slot, width, give], k) => {
        wasm[give](slot, width, 0, count);
        arrays[k].set(given[k].subarray(0, count * width), first * width);
      });
    }
    return { rows, arrays };
  }

  function free() {
    if (wasm && source === undefined) shared = undefined;
    wasm = x = model.module = texts = lengths = given = undefined;
  }

  const predictBatch = (input) => assemble(batch(input));
  const model = { schema, predict, predictBatch, free, batch, module };
  if (Symbol.dispose) model[Symbol.dispose] = free;
  return model;
}

const freed = "this model was freed; load() gives another";
const damaged = "model.wasm is damaged or of another package; copy it anew";

/** What a run leaves: array type, first slot, slots, and what lays them out. */
const results = [[Float64Array, 1, 1, "give_f64"]];

/** A batch as a person reads it; worker.js makes one of many runs. */
export function assemble({ rows, arrays }) {
  return {
    rows,
    value: arrays[0],
    warnings: [],
  };
}

/** A batch's number of rows and, if made of them, its columns. */
export function rowsOf(input) {
  if (ArrayBuffer.isView(input)) {
    if (input.length % 1 === 0) return [input.length / 1];
    throw new TypeError(
      `expected rows of 1 value, got ${input.length} values in all`,
    );
  }
  if (Array.isArray(input)) {
    return [input.length];
  }
  const lists = valuesOf(input);
  let rows;
  lists.forEach((list, c) => {
    if (list === undefined || list === null) {
      // Refused here unless it may be missing.
      encode(c, undefined);
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
    if (row.length === 1) return row;
    throw new TypeError(`${at(number)}expected 1 value, got ${row.length}`);
  }
  if (typeof row !== "object" || row === null) return [row];
  return columns.map(({ name }) => row[name]);
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

/** The number for the model, or the text. */
function encode(c, value, row) {
  const { kind } = columns[c];
  if (kind === "text") {
    if (typeof value === "string") return value;
  }
  throw new TypeError(
    `${field(c, row)}: expected a string, got ${show(value)}`,
  );
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

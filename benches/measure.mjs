// What is timed, the same in Node and in a page. An engine here is
//   start(at)          what a visitor waits for: modules and the model loaded; `at` says where they are
//   inputs(at)         rows as the engine's users have them: `one(k)` makes the input of one row, `many(count)` of a batch
//   row(model, input), batch(model, input)
//   values(model, input, count)   what it predicts, as expected.f64 has it, and labels if the engine gives them

const ROWS = 100_000;
const KEPT = 1000;

const isNode = typeof document === "undefined";

async function bytes(url) {
  if (!isNode) return (await fetch(url)).arrayBuffer();
  const { readFile } = await import("node:fs/promises");
  const { buffer, byteOffset, byteLength } = await readFile(new URL(url));
  return buffer.slice(byteOffset, byteOffset + byteLength);
}

const json = async (url) => JSON.parse(new TextDecoder().decode(await bytes(url)));

/** The case's rows: { x, width } row by row in one array, or T4's { columns }. */
async function rowsOf({ folder, name, few }) {
  if (name === "T4") return { columns: await json(`${folder}/columns.json`) };
  if (few) return few;
  const x = new Float32Array(await bytes(`${folder}/rows.f32`));
  return { x, width: x.length / ROWS };
}

/** Row k as an array of values. */
function listed({ columns, x, width }, k) {
  return columns ? Object.values(columns).map((values) => values[k]) : Array.from(x.subarray(k * width, (k + 1) * width));
}

/** Rows of T4 as columns: numbers in typed arrays, where NaN is missing. */
function cut(columns, from, to) {
  const entries = Object.entries(columns).map(([name, values]) => {
    const part = values.slice(from, to);
    return [name, name[0] === "n" ? Float32Array.from(part, (value) => value ?? NaN) : part];
  });
  return Object.fromEntries(entries);
}

/** The columns of a row of probabilities: of two classes the second alone. */
function second(values, count) {
  return values.length === 2 * count ? Float64Array.from({ length: count }, (_, row) => values[2 * row + 1]) : values;
}

const engines = {
  carryout: {
    // As the package's exports have it.
    async start({ folder }) {
      const { load } = await import(`${folder}/pkg/${isNode ? "node" : "index"}.js`);
      return load();
    },
    async inputs(at) {
      const rows = await rowsOf(at);
      const { properties } = await json(`${at.folder}/pkg/schema.json`);
      const names = Object.keys(properties);
      const one = (k) => Object.fromEntries(listed(rows, k).map((value, c) => [names[c], value]));
      const many = (count) => (rows.columns ? cut(rows.columns, 0, count) : rows.x.subarray(0, count * rows.width));
      return { one, many };
    },
    row: (model, input) => model.predict(input),
    batch: (model, input) => model.predictBatch(input),
    values(model, input, count) {
      const { value, probabilities, scores, label, labels } = model.predictBatch(input);
      return { values: second(value ?? probabilities ?? scores, count), labels: labels?.().map(Number) ?? label };
    },
  },

  "onnxruntime-web": {
    async start({ folder, modules }) {
      const ort = await import(`${modules}/onnxruntime-web/dist/ort.wasm.min.mjs`);
      ort.env.wasm.numThreads = 1;
      const session = await ort.InferenceSession.create(new Uint8Array(await bytes(`${folder}/model.onnx`)));
      const tensors = (input) => {
        if (input.values) return { x: new ort.Tensor("float32", input.values, [input.count, input.width]) };
        const entries = Object.entries(input.columns).map(([name, values]) => [
          name,
          new ort.Tensor(values instanceof Float32Array ? "float32" : "string", values, [input.count, 1]),
        ]);
        return Object.fromEntries(entries);
      };
      // Its users want probabilities or values; the labels, where they are texts, would cost it time.
      const wanted = [session.outputNames.at(-1)];
      return { session, run: (input) => session.run(tensors(input), wanted), all: (input) => session.run(tensors(input)) };
    },
    async inputs(at) {
      const { columns, x, width } = await rowsOf(at);
      const part = (from, to) =>
        columns
          ? { count: to - from, columns: cut(columns, from, to) }
          : { count: to - from, width, values: x.slice(from * width, to * width) };
      return { one: (k) => part(k, k + 1), many: (count) => part(0, count) };
    },
    row: (model, input) => model.run(input),
    batch: (model, input) => model.run(input),
    async values(model, input, count) {
      const outputs = await model.all(input);
      const names = model.session.outputNames;
      const labels = names.length > 1 ? Array.from(outputs[names[0]].data, Number) : undefined;
      return { values: second(outputs[names.at(-1)].data, count), labels };
    },
  },

  m2cgen: {
    async start({ folder }) {
      const { predict } = await import(`${folder}/m2cgen.mjs`);
      return predict;
    },
    async inputs(at) {
      const rows = await rowsOf(at);
      return {
        one: (k) => listed(rows, k),
        many: (count) => Array.from({ length: count }, (_, k) => listed(rows, k)),
      };
    },
    row: (model, input) => model(input),
    batch: (model, input) => input.map((row) => model(row)),
    values: (model, input, count) => ({ values: second(input.flatMap((row) => model(row)), count) }),
  },

  tfjs: {
    async start({ folder, modules, where }) {
      const tf = await import(`${where}/tfjs${isNode ? ".cjs" : ".mjs"}`);
      await tf.start(`${modules}/@tensorflow/tfjs-backend-wasm/dist/`);
      const weights = await json(`${folder}/tfjs.json`);
      return tf.model(weights);
    },
    async inputs(at) {
      const { x, width } = await rowsOf(at);
      return {
        one: (k) => ({ count: 1, values: x.slice(k * width, (k + 1) * width) }),
        many: (count) => ({ count, values: x.slice(0, count * width) }),
      };
    },
    row: (model, { values, count }) => model(values, count),
    batch: (model, { values, count }) => model(values, count),
    values: (model, { values, count }) => ({ values: model(values, count) }),
  },
};

/**
 * Module load to the first prediction, in milliseconds; once in a fresh process or page. The row is numbers of no
 * meaning (`width` of them): whoever read all rows first, 11 MB, waited a millisecond more for what the garbage
 * collector then had to do.
 */
export async function cold(at) {
  const engine = engines[at.engine];
  const few = { x: Float32Array.from({ length: at.width }, (_, k) => Math.sin(k)), width: at.width };
  const row = (await engine.inputs({ ...at, few })).one(0);
  const start = performance.now();
  await engine.row(await engine.start(at), row);
  return { ms: performance.now() - start };
}

/** Makes ready what measures again and again: { batch(), row(), check() }. `window` is in seconds. */
export async function prepare(at, window) {
  const engine = engines[at.engine];
  const model = await engine.start(at);
  const inputs = await engine.inputs(at);
  const ones = Array.from({ length: KEPT }, (_, k) => inputs.one(k));
  const many = inputs.many(KEPT);
  // An engine whose calls return promises is awaited, one that does not is not made to wait.
  const awaits = engine.row(model, ones[0]) instanceof Promise;

  // Runs calls until the time is over; { ns } each.
  const chunk = awaits
    ? async (calls, from) => {
        for (let k = 0; k < calls; k++) await engine.row(model, ones[(from + k) % KEPT]);
      }
    : (calls, from) => {
        for (let k = 0; k < calls; k++) engine.row(model, ones[(from + k) % KEPT]);
      };
  // Wasm and JavaScript are compiled anew when they are found hot, between calls, not within one.
  const warm = async (call) => {
    const start = performance.now();
    for (let k = 0; k < 20 || performance.now() - start < 300; k++) {
      await call(k);
      if (performance.now() - start > 3000) break;
    }
  };
  await warm(() => engine.batch(model, many));
  await warm((k) => chunk(50, k * 50));
  let start = performance.now();
  await engine.batch(model, many);
  await engine.batch(model, many);
  const each = (performance.now() - start) / 2000 / KEPT; // seconds
  // An engine that would take much longer than the window gets fewer rows a call.
  const count = [ROWS, ROWS / 5, ROWS / 20, KEPT].find((rows) => rows === KEPT || rows * each < 12 * window);
  let input;
  let size;
  start = performance.now();
  await chunk(20, 0);
  // Chunks of a millisecond, for the clock's sake: a page's has steps of 5 µs.
  const calls = Math.max(1, Math.ceil(20 / (performance.now() - start)));

  return {
    /** So many rows a call, or as many as the engine is quick enough for. */
    async batch(rows = count) {
      if (rows !== size) [input, size] = [inputs.many(rows), rows];
      const start = performance.now();
      let done = 0;
      let spent;
      do {
        const answer = engine.batch(model, input);
        if (awaits) await answer;
        done += rows;
        spent = performance.now() - start;
      } while (spent < window * 1000);
      return { ns: (spent * 1e6) / done, rows, done };
    },
    async row() {
      const times = [];
      const start = performance.now();
      let now = start;
      for (let k = 0; now - start < window * 500 || k < 20; k++) {
        const before = performance.now();
        const running = chunk(calls, k * calls);
        if (awaits) await running;
        now = performance.now();
        times.push(now - before);
      }
      times.sort((a, b) => a - b);
      return { ns: (times[times.length >> 1] * 1e6) / calls };
    },
    async check() {
      const expected = new Float64Array(await bytes(`${at.folder}/expected.f64`));
      const wanted = at.labels ? new Int32Array(await bytes(`${at.folder}/labels.i32`)) : undefined;
      const width = expected.length / ROWS;
      const rows = Math.min(ROWS, count * 4);
      const { values, labels } = await engine.values(model, inputs.many(rows), rows);
      if (values.length !== rows * width) throw new Error(`${values.length} values for ${rows} rows of ${width}`);
      let worst = 0;
      let wrong = 0;
      for (let row = 0; row < rows; row++) {
        let best = 0;
        for (let k = 0; k < width; k++) {
          const value = values[row * width + k];
          const off = Math.abs(value - expected[row * width + k]);
          if (!(off <= worst)) worst = off;
          if (value > values[row * width + best]) best = k;
        }
        if (!wanted) continue;
        const label = labels ? labels[row] : width > 1 ? best : +(values[row] > 0.5);
        if (label !== wanted[row]) wrong += 1;
      }
      return { worst, rows, ...(wanted && { labels: wrong }) };
    },
  };
}

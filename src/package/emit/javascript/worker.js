import { assemble, load, rowsOf, schema } from "./index.js";

/**
 * How long a piece of a batch should keep a worker busy, in milliseconds. A
 * worker has two: after an abort it is free again in about twice this.
 */
const PIECE = 8;

/**
 * Starts a pool of workers that share one compiled model. Where none can be
 * started the calling thread does their work, and `fallback` says why.
 */
export async function openPool({ model, workers = cores() } = {}) {
  model ??= await load();
  const attempts = Array.from({ length: workers }, () => start(model.module));
  const started = await Promise.allSettled(attempts);
  const threads = new Set();
  let fallback;
  for (const { value, reason } of started) {
    if (value) threads.add(value);
    else fallback ??= reason;
  }
  if (threads.size === 0) threads.add(here(model));

  const jobs = new Set();
  // Few at first: how long a row takes is not known yet.
  let rowsPerPiece = 128;

  function predictBatch(input, { signal, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (threads.size === 0) throw problem("the pool was closed");
      const [rows, , find] = rowsOf(input, () => {});
      const abort = () => settle(reject, signal.reason);
      const job = { input, find, rows, onProgress, taken: 0, done: 0 };
      Object.assign(job, { running: 0, answers: [], failures: [] });
      function settle(how, what) {
        jobs.delete(job);
        signal?.removeEventListener("abort", abort);
        if (jobs.size === 0) for (const thread of threads) thread.unref?.();
        how(what);
      }
      job.fail = (error) => settle(reject, error);
      job.finish = () => {
        const { arrays, answers } = job;
        settle(
          resolve,
          assemble({ rows, arrays, notes: merged(answers), find }),
        );
      };
      signal?.addEventListener("abort", abort);
      // An open pool keeps Node alive only while it works.
      if (jobs.size === 0) for (const thread of threads) thread.ref?.();
      jobs.add(job);
      hand();
    });
  }

  /** Gives every thread pieces of the oldest job: one to work on, one to follow. */
  function hand() {
    for (const thread of threads) {
      while (thread.busy < 2) {
        const job = [...jobs].find(({ taken, rows }) => taken < rows || !taken);
        if (!job) return;
        const first = job.taken;
        const last = Math.min(job.rows, first + rowsPerPiece);
        job.taken = last || 1;
        job.running += 1;
        thread.busy += 1;
        give(thread, job, first, last);
      }
    }
  }

  async function give(thread, job, first, last) {
    try {
      const piece = slice(job, first, last, thread.local);
      const answer = await thread.run(piece, first);
      if (jobs.has(job)) take(job, first, last, answer);
      const fitting = ((last - first) / Math.max(answer.time, 0.1)) * PIECE;
      const most = Math.min(rowsPerPiece * 8, 65536);
      rowsPerPiece = Math.min(Math.max(Math.round(fitting), 1), most);
    } catch (error) {
      // Pieces are handed out in order, so all before this one are under way.
      job.failures[first] = error;
      job.taken = Math.max(job.rows, 1);
      if (thread.dead && threads.delete(thread) && threads.size === 0) {
        fallback = error;
        threads.add(here(model));
      }
    }
    thread.busy -= 1;
    job.running -= 1;
    if (jobs.has(job) && job.running === 0 && job.taken >= job.rows) {
      const failures = Object.values(job.failures);
      if (failures.length > 0) job.fail(failures[0]);
      else job.finish();
    }
    hand();
  }

  function take(job, first, last, { arrays, notes }) {
    job.arrays ??= arrays.map(
      (part) =>
        new part.constructor((part.length / (last - first || 1)) * job.rows),
    );
    job.arrays.forEach((whole, k) => {
      whole.set(arrays[k], (arrays[k].length / (last - first || 1)) * first);
    });
    if (notes?.size > 0) job.answers[first] = notes;
    job.done += last - first;
    job.onProgress?.(job.done, job.rows);
  }

  async function close() {
    for (const job of jobs) job.fail(problem("the pool was closed"));
    for (const thread of threads) thread.terminate();
    threads.clear();
  }

  const pool = { schema, predictBatch, close };
  if (Symbol.asyncDispose) pool[Symbol.asyncDispose] = close;
  return Object.defineProperties(pool, {
    workers: {
      get: () => [...threads].filter((thread) => !thread.local).length,
    },
    fallback: { get: () => fallback },
  });
}

/** One core is left to the page. */
function cores() {
  const all = globalThis.navigator?.hardwareConcurrency ?? 4;
  return Math.min(Math.max(all - 1, 1), 8);
}

function problem(text) {
  return new Error(`${schema.name}: ${text}`);
}

/** One warning a column, from the first piece that has it. */
function merged(answers) {
  const notes = new Map();
  for (const part of Object.values(answers)) {
    for (const [c, [text, more, row]] of part) {
      const note = notes.get(c);
      if (note) note[1] += more + 1;
      else notes.set(c, [text, more, row]);
    }
  }
  return notes;
}

/** Some rows of a batch; but for the calling thread in memory to hand over. */
function slice({ input }, first, last, local) {
  const width = schema.columns.length;
  if (ArrayBuffer.isView(input))
    return part(input, first * width, last * width, local);
  if (Array.isArray(input))
    return (!local && packed(input, first, last)) || input.slice(first, last);
  // A field that is no column is told of once.
  const names =
    first === 0 ? Object.keys(input) : schema.columns.map(({ name }) => name);
  return Object.fromEntries(
    names
      .filter((name) => Object.hasOwn(input, name))
      .map((name) => [
        name,
        input[name] && part(input[name], first, last, local),
      ]),
  );
}

function part(list, first, last, local) {
  if (!ArrayBuffer.isView(list))
    return Array.prototype.slice.call(list, first, last);
  // What is shared already need not be copied.
  const shared =
    globalThis.SharedArrayBuffer && list.buffer instanceof SharedArrayBuffer;
  return shared || local ? list.subarray(first, last) : list.slice(first, last);
}

/**
 * Rows as columns, which reach a worker in a quarter of the time that objects
 * take. Undefined where a row is not what it should be: the model tells best.
 */
function packed(input, first, last) {
  const { columns } = schema;
  const rows = last - first;
  const lists = columns.map(({ kind }) =>
    kind === "number" || kind === "integer"
      ? new Float64Array(rows)
      : new Array(rows),
  );
  try {
    for (let row = 0; row < rows; row++) {
      const values = valuesOf(input[first + row]);
      if (values.length !== lists.length) return undefined;
      for (let c = 0; c < lists.length; c++) {
        let value = values[c];
        if (ArrayBuffer.isView(lists[c])) {
          if (value === null && columns[c].missing) value = NaN;
          if (typeof value !== "number") return undefined;
        } else if (value === undefined) return undefined;
        lists[c][row] = value;
      }
    }
  } catch {
    return undefined;
  }
  return Object.fromEntries(columns.map(({ name }, c) => [name, lists[c]]));
}

/** The buffers of a piece that can change hands. */
function buffers(piece) {
  const lists =
    ArrayBuffer.isView(piece) || Array.isArray(piece)
      ? [piece]
      : Object.values(piece);
  return lists
    .filter(
      (list) => ArrayBuffer.isView(list) && list.buffer instanceof ArrayBuffer,
    )
    .map((list) => list.buffer);
}

/** A worker with the model in it; rejects where it cannot be. */
function start(module) {
  const waiting = new Map();
  const thread = { busy: 0, run, terminate: () => worker.terminate() };
  let worker,
    began,
    sent = 0;
  function run(piece, first) {
    return new Promise((resolve, reject) => {
      try {
        worker.postMessage({ number: sent, piece, first }, buffers(piece));
      } catch (cause) {
        const text = "rows cannot be sent to a worker unless they are plain";
        throw new TypeError(`${text}: ${cause.message}`, { cause });
      }
      waiting.set(sent, { resolve, reject });
      sent += 1;
    });
  }
  function hear({ number, error, ...answer }) {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (error) reject(error);
    else resolve(answer);
  }
  function fail(text) {
    const error = problem(`a worker stopped: ${text}`);
    thread.dead = true;
    began?.(error);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    worker?.terminate();
  }
  return new Promise((resolve, reject) => {
    began = reject;
    waiting.set("start", { resolve: () => resolve(thread), reject });
    worker = spawn(hear, fail);
    thread.ref = () => worker.ref?.();
    thread.unref = () => worker.unref?.();
    worker.postMessage({ number: "start", module });
  }).finally(() => {
    began = undefined;
    thread.unref?.();
  });
}

function spawn(hear, fail) {
  if (typeof Worker === "function") {
    const worker = new Worker(new URL("./thread.js", import.meta.url), {
      type: "module",
    });
    worker.onmessage = ({ data }) => hear(data);
    worker.onmessageerror = () => fail("a message cannot be read");
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message ?? "thread.js cannot be loaded");
    };
    return worker;
  }
  const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
  if (!threads) throw problem("there are no workers here");
  // In this form bundlers for browsers do not follow it.
  const here = import.meta.url;
  const worker = new threads.Worker(new URL("./thread.js", here));
  worker.on("message", hear);
  worker.on("error", ({ message }) => fail(message));
  worker.on("exit", (code) => fail(`exit code ${code}`));
  return worker;
}

/** The calling thread in the place of a worker: between pieces, others get a turn. */
function here(model) {
  let turn = Promise.resolve();
  const run = (piece, first) => {
    turn = turn.then(() => new Promise((next) => setTimeout(next)));
    return turn.then(() => {
      const time = performance.now();
      const answer = model.batch(piece, first);
      return { ...answer, time: performance.now() - time };
    });
  };
  return { local: true, busy: 0, run, terminate() {} };
}

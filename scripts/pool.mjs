// Measures the pool of a package, the folder that is named:
//
//   node --expose-gc scripts/pool.mjs pkg/wine [--rows 1000000] [--rounds 7] [--as flat|columns|rows]
//
// One worker and two take turns, for other work on the machine disturbs both alike, and the best of each counts. On
// Linux the kernel also tells how long each thread worked and how long it waited for a processor: a worker that does
// either is occupied, and from that follows what two free processors would give. Threads that only add numbers tell
// what the machine had to give meanwhile. With many processors the calling thread's own work bounds the speed-up. Abort latency is told twice: until the promise rejects, and until the pool has answered
// another batch. Memory is what the process holds after each of many batches whose results were dropped.
import { readFileSync, readdirSync } from "node:fs";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "7" },
    as: { type: "string", default: "flat" },
  },
});
const rows = Number(values.rows);
const rounds = Number(values.rounds);
const folder = resolve(positionals[0] ?? "pkg/wine");
const { load } = await import(join(folder, "index.js"));
const { openPool } = await import(join(folder, "worker.js"));
const model = await load();

/** Values across the range of each column; categories and flags in turn. */
function sample({ kind, categories, range }, row) {
  if (kind === "category") return categories[row % categories.length];
  if (kind === "boolean") return row % 2 === 0;
  if (kind === "text") return "good, not bad";
  const [low, high] = range ?? [-2, 2];
  return low + ((row * 7919) % 1009) * ((high - low) / 1009);
}

const { columns } = model.schema;
const width = columns.length;
const cell = (row, c) => sample(columns[c], row * (c + 3) + c);
const input = {
  flat: () => Float64Array.from({ length: rows * width }, (_, k) => cell(Math.floor(k / width), k % width)),
  columns: () => {
    const list = (c) => {
      const numbers = /number|integer/.test(columns[c].kind);
      return (numbers ? Float64Array : Array).from({ length: rows }, (_, row) => cell(row, c));
    };
    return Object.fromEntries(columns.map(({ name }, c) => [name, list(c)]));
  },
  rows: () => Array.from({ length: rows }, (_, row) => Object.fromEntries(columns.map(({ name }, c) => [name, cell(row, c)]))),
}[values.as]();

/** By thread, on Linux: milliseconds at work, and milliseconds of waiting for a processor that others had. */
function threads() {
  if (process.platform !== "linux") return new Map();
  const all = readdirSync("/proc/self/task").map((thread) => {
    const [work, wait] = readFileSync(`/proc/self/task/${thread}/schedstat`, "utf8").split(" ");
    return [Number(thread), { work: work / 1e6, wait: wait / 1e6 }];
  });
  return new Map(all);
}

/** How long a run took, what of it the calling thread worked, and how much of it each of the workers was occupied. */
async function timed(run, workers) {
  const [start, before] = [performance.now(), threads()];
  await run();
  const clock = performance.now() - start;
  const spent = Array.from(threads(), ([thread, { work, wait }]) => {
    const old = before.get(thread) ?? { work: 0, wait: 0 };
    return { thread, work: work - old.work, wait: wait - old.wait };
  });
  const caller = spent.find(({ thread }) => thread === process.pid)?.work ?? NaN;
  const most = spent.filter(({ thread }) => thread !== process.pid).sort((a, b) => b.work - a.work).slice(0, workers);
  const work = most.reduce((sum, one) => sum + one.work, 0);
  const occupied = most.reduce((sum, one) => sum + one.work + one.wait, 0) / clock;
  return { clock, caller, work, occupied };
}

/** What two threads give this machine over one, with nothing between them: the same sums, by halves. */
const spinners = [0, 1].map(() => {
  const code = `require("node:worker_threads").parentPort.on("message", (turns) => {
    let sum = 0;
    for (let k = 0; k < turns; k++) sum += Math.sqrt(k);
    require("node:worker_threads").parentPort.postMessage(sum);
  });`;
  return new Worker(code, { eval: true });
});
async function spin(workers) {
  const start = performance.now();
  const ends = spinners.slice(0, workers).map((worker) => new Promise((end) => worker.once("message", end)));
  for (const worker of spinners.slice(0, workers)) worker.postMessage(4e8 / workers);
  await Promise.all(ends);
  return performance.now() - start;
}

const pools = { 1: await openPool({ model, workers: 1 }), 2: await openPool({ model, workers: 2 }) };
const say = (text) => console.log(text);
const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const load1 = () => loadavg()[0].toFixed(1);

say(`${model.schema.name}: ${rows} rows of ${width} columns as ${values.as}; load average ${load1()} at the start`);

// Before it is measured, all is compiled.
for (const pool of Object.values(pools)) await pool.predictBatch(input);
const best = { 0: { clock: Infinity }, 1: { clock: Infinity }, 2: { clock: Infinity } };
const ratios = [];
const free = [];
const control = [];
let calls = 0;
for (let round = 0; round < rounds; round++) {
  const took = {
    0: await timed(() => model.predictBatch(input), 0),
    1: await timed(() => pools[1].predictBatch(input), 1),
    2: await timed(() => pools[2].predictBatch(input, { onProgress: () => (calls += 1) }), 2),
  };
  for (const key of [0, 1, 2]) if (took[key].clock < best[key].clock) best[key] = took[key];
  ratios.push(took[1].clock / took[2].clock);
  // What two processors of their own would give: as many workers as are occupied, at the pace of these.
  control.push((await spin(1)) / (await spin(2)));
  free.push((took[2].occupied / took[1].occupied) * (took[1].work / took[2].work));
}
const ordered = (list) => list.sort((a, b) => a - b).map((ratio) => ratio.toFixed(2)).join(" ");
const spent = ({ clock, caller, work, occupied }) =>
  `${ms(clock)}; calling thread at work ${ms(caller)}, workers ${ms(work)}; ${occupied.toFixed(2)} workers occupied`;
say(`no pool      ${ms(best[0].clock)}`);
say(`one worker   ${spent(best[1])}`);
say(`two workers  ${spent(best[2])}`);
say(`two against one: ${(best[1].clock / best[2].clock).toFixed(2)} of the best; by round ${ordered(ratios)}`);
say(`two threads of bare sums against one, by round: ${ordered(control)}`);
say(`two workers against one on processors of their own, by round: ${ordered(free)}`);
say(`progress: ${calls / rounds} calls a batch`);

const rejects = [];
const answers = [];
const few = Array.isArray(input) ? input.slice(0, 1) : [columns.map((_, c) => cell(1, c))];
for (let round = 0; round < 4 * rounds; round++) {
  const controller = new AbortController();
  let aborted;
  const stop = (done) => {
    if (aborted !== undefined || done < (rows * (round % 8)) / 10) return;
    aborted = performance.now();
    controller.abort();
  };
  await pools[2].predictBatch(input, { signal: controller.signal, onProgress: stop }).catch(() => {});
  rejects.push(performance.now() - aborted);
  await pools[2].predictBatch(few);
  answers.push(performance.now() - aborted);
}
const middle = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
say(`abort: rejects after ${ms(middle(rejects))}, at most ${ms(Math.max(...rejects))}; the next batch is answered after ${ms(middle(answers))}, at most ${ms(Math.max(...answers))}`);

const held = [];
for (let round = 0; round < 20; round++) {
  await pools[2].predictBatch(input);
  globalThis.gc?.();
  await new Promise((next) => setTimeout(next, 20));
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  held.push([rss, heapUsed, arrayBuffers].map((bytes) => Math.round(bytes / 1e6)));
}
const list = (k) => held.map((one) => one[k]).join(" ");
say(`memory after each of 20 batches, MB: rss ${list(0)}; heap ${list(1)}; buffers ${list(2)}`);
say(`load average ${load1()} at the end`);
for (const pool of Object.values(pools)) await pool.close();
for (const worker of spinners) await worker.terminate();

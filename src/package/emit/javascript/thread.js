import { load } from "./index.js";

// The other side of worker.js: what runs in each worker.
const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
const port = threads?.parentPort ?? globalThis;
let model;

port.onmessage = async ({ data: { number, module, piece, first } }) => {
  try {
    model ??= await load(module);
    if (piece === undefined) return port.postMessage({ number });
    const time = performance.now();
    const { arrays, notes } = model.batch(piece, first);
    const answer = { number, arrays, notes, time: performance.now() - time };
    port.postMessage(
      answer,
      arrays.map(({ buffer }) => buffer),
    );
  } catch (error) {
    port.postMessage({ number, error });
  }
};

// Calls predict(object) again and again in one process, and prints after each million, as JSON, what a call took and what
// memory is left when the garbage is collected:
//
//   node --expose-gc calls.mjs FOLDER MILLIONS
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , folder, millions] = process.argv;
const { load } = await import(pathToFileURL(join(folder, "pkg/inline.js")).href);
const model = await load();
const names = model.schema.columns.map(({ name }) => name);
const { buffer, byteOffset } = await readFile(join(folder, "rows.f32"));
const x = new Float32Array(buffer, byteOffset, 1000 * names.length);
const rows = Array.from({ length: 1000 }, (_, row) =>
  Object.fromEntries(names.map((name, c) => [name, x[row * names.length + c]])),
);
const answers = rows.map((row) => JSON.stringify(model.predict(row)));

const found = [];
let used = process.cpuUsage();
for (let million = 0; million <= Number(millions); million++) {
  // The first entry is the state before, after a few calls.
  const calls = million === 0 ? 20_000 : 1_000_000;
  for (let k = 0; k < calls; k++) model.predict(rows[k % 1000]);
  const { user, system } = process.cpuUsage(used);
  globalThis.gc();
  const { heapUsed, rss, external } = process.memoryUsage();
  found.push({ calls: million * 1_000_000, ns: ((user + system) * 1000) / calls, heap: heapUsed, rss, external });
  used = process.cpuUsage();
}
rows.forEach((row, k) => {
  if (JSON.stringify(model.predict(row)) !== answers[k]) throw new Error(`row ${k} is predicted otherwise than at first`);
});
console.log(JSON.stringify(found));

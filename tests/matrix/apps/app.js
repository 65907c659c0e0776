// What every app of the matrix does with the packages `mixed` (text and numbers in, a wasm of 9 KB) and `targets` (a
// wasm that is small enough for Vite to put into its bundle).
import { load, predict } from "mixed";
import { selfTest } from "mixed/selftest";
import { openPool } from "mixed/worker";
import { load as loadTargets } from "targets";

const row = {
  age: 41,
  income: 52_000,
  employment: "self-employed",
  region: "north",
  rooms: 2,
  grade: "a",
  owner: true,
};

export async function run() {
  const model = await load();
  const rows = Array.from({ length: 10_000 }, (_, age) => ({ ...row, age: 20 + (age % 60) }));
  const pool = await openPool({ model, workers: 2 });
  const batch = await pool.predictBatch(rows);
  const answers = {
    prediction: await predict(row),
    targets: (await loadTargets()).predict([0.25, 0.25]),
    batch: Array.from(batch.probabilities.slice(0, 8)),
    selfTest: selfTest(model).passed,
  };
  const { workers, fallback } = pool;
  await pool.close();
  return { answers, workers, fallback: fallback?.message };
}

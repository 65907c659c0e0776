// Every corpus case that imports, and fixtures of ONNX and XGBoost, as packages in Node, against what their libraries
// recorded. The packages are made by `cargo test --test package`; without a corpus beside the clone there are none of its cases.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";

import { made, root } from "./packages.mjs";

const corpus = resolve(root, "../shared/corpus");
const fixtures = join(root, "tests/fixtures");

const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const number = (value) => (value === null ? NaN : typeof value === "object" ? value.$inf * Infinity : Number(value));

/** As the corpus writes rows: infinities are objects. */
const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if ("$inf" in value) return value.$inf * Infinity;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
};

/**
 * A row as the model's file lets one know it: a frame's boolean column is one of numbers where the file says nothing
 * of its type, and so is one of categories where it holds none of their names (XGBoost before 3.1), by their code.
 */
const typed = (row, columns, input) => {
  const known = (name) => input.columns?.find((column) => column.name === name)?.categories;
  const value = (value, { name, kind, used }) => {
    if (!used || !/number|integer|code/.test(kind)) return value;
    if (typeof value === "string") return known(name).indexOf(value);
    return typeof value === "boolean" ? Number(value) : value;
  };
  if (Array.isArray(row)) return row.map((cell, c) => value(cell, columns[c]));
  if (row === null || typeof row !== "object") return row;
  return Object.fromEntries(columns.map((column) => [column.name, value(row[column.name], column)]));
};

/** A batch's numbers row by row. */
const rowsOf = (array, rows) => {
  const width = array.length / rows;
  return Array.from({ length: rows }, (_, row) => Array.from(array.slice(row * width, (row + 1) * width)));
};

/** What a method gives, by row, from an output of a batch; undefined where packages leave it out. */
function answer(task, output, rows, method) {
  if (task === "several outputs") {
    const parts = output.outputs.map((part, k) => answer(output.tasks[k], part, rows, method));
    if (parts.includes(undefined)) return undefined;
    if (method === "predict") return Array.from({ length: rows }, (_, row) => parts.map((part) => part[row]));
    return parts;
  }
  switch (`${task} ${method}`) {
    case "classification predict":
      return output.labels();
    case "classification predict_proba":
      return output.probabilities && rowsOf(output.probabilities, rows);
    case "classification decision_function": {
      const scores = output.scores && rowsOf(output.scores, rows);
      return scores?.[0].length === 2 ? scores.map(([, score]) => score) : scores;
    }
    case "classification booster_predict": {
      const probabilities = rowsOf(output.probabilities, rows);
      return probabilities[0].length === 2 ? probabilities.map(([, probability]) => probability) : probabilities;
    }
    case "regression booster_predict":
    case "regression predict":
      return output.value ? Array.from(output.value) : rowsOf(output.values, rows);
    case "anomaly predict":
      return Array.from(output.outlier, (outlier) => (outlier ? -1 : 1));
    case "anomaly decision_function":
      return Array.from(output.score);
    case "clustering predict":
      return output.clusters();
    case "clustering transform":
      return output.distances && rowsOf(output.distances, rows);
    case "transform transform":
      return rowsOf(output.transformed, rows);
  }
}

function compare(got, want, { rtol, atol }, place) {
  if (Array.isArray(want)) {
    assert.equal(got.length, want.length, place);
    return want.reduce((count, part, k) => count + compare(got[k], part, { rtol, atol }, `${place}[${k}]`), 0);
  }
  if (typeof want === "string" || typeof want === "boolean" || (want === null && got === null)) {
    assert.equal(got, want, place);
    return 1;
  }
  const [a, b] = [Number(got), number(want)];
  const same = Object.is(a, b) || a === b || Math.abs(a - b) <= atol + rtol * Math.abs(b);
  assert.ok(same, `${place}: ${a} instead of ${b}`);
  return 1;
}

/** Sets of cases: where their oracles are, and where their packages. */
const sets = [
  [corpus, join(made, "corpus")],
  [fixtures, join(made, "fixtures")],
].flatMap(([cases, packed]) =>
  existsSync(cases) && existsSync(packed) ? readdirSync(packed).map((set) => [set, cases, packed]) : [],
);
let [cases, numbers, left] = [0, 0, 0];

for (const [set, recorded, packed] of sets) {
  for (const name of readdirSync(join(packed, set))) {
    test(`${set}/${name}`, async () => {
      const folder = join(recorded, set, name);
      const info = json(join(folder, "case.json"));
      const { load } = await import(join(packed, set, name, "index.js"));
      const model = await load();
      const lines = readFileSync(join(folder, "X.jsonl"), "utf8").trim().split("\n");
      const rows = lines.map((line) => typed(plain(JSON.parse(line)), model.schema.columns, info.input));
      const batch = model.predictBatch(rows);
      batch.tasks = model.schema.outputs?.map(({ task }) => task);
      const found = Object.entries(json(join(folder, "expected.json"))).flatMap(([method, want]) => {
        const got = answer(model.schema.task, batch, rows.length, method);
        if (got === undefined) left += 1;
        return got === undefined ? [] : [[method, got, want]];
      });
      assert.ok(found.length > 0, "nothing to compare");
      for (const [method, got, want] of found) numbers += compare(got, want, info, method);

      // The native runtime's answers, to the last bit.
      const { selfTest } = await import(join(packed, set, name, "selftest.js"));
      assert.deepEqual(selfTest(model).failures, []);

      // One row at a time gives the same bits as the batch.
      rows.forEach((row, r) => {
        const one = model.predict(row);
        const same = (single, many, labels) => {
          if (single.label !== undefined) assert.equal(single.label, labels()[r]);
          if (single.probabilities) {
            const width = many.probabilities.length / rows.length;
            const want = Array.from(many.probabilities.slice(r * width, (r + 1) * width));
            assert.deepEqual(Object.values(single.probabilities).sort(), want.sort());
          }
          if (single.value !== undefined) assert.ok(Object.is(single.value, many.value[r]));
        };
        if (one.outputs) one.outputs.forEach((part, k) => same(part, batch.outputs[k], batch.outputs[k].labels));
        else same(one, batch, batch.labels);
      });
      cases += 1;
    });
  }
}

test("the corpus in figures", (t) => {
  t.diagnostic(`${cases} cases, ${numbers} numbers and labels as recorded; ${left} methods that packages leave out`);
  if (sets.length === 0) t.skip("no packages: cargo test --test package makes them");
});

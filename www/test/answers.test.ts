import assert from "node:assert/strict";
import { test } from "node:test";
import { countsAt, errors, isSeries, made, numbers, ownThreshold, rates, trueClasses } from "../src/answers.ts";
import type { Predicted } from "../src/csv.ts";
import type { Schema } from "../src/package.ts";

const schema: Schema = {
  name: "m",
  task: "classification",
  classes: ["no", "yes"],
  columns: ["x", "kind"].map((name) => ({ name, kind: "number", missing: false, unknown: false, used: true })),
};

const table = (header: string[], rows: string[][], names: string[] = []): Predicted => {
  return { header: [...header, ...names], rows, lines: rows.map((_, row) => row + 2), separator: ",", given: header.length, made: names, warnings: [] };
};

test("made columns are found by their own name, whatever the header says", () => {
  const one = table(["outlier", "x"], [["a", "1", "true"]], ["outlier"]);
  assert.deepEqual(made(one, "outlier"), ["true"]);
  assert.equal(made(one, "score"), null);
});

test("columns of numbers: gaps are NaN, words and single values make none", () => {
  const found = numbers(table(["id", "x", "same", "gap"], [["a", "1", "3", ""], ["b", "-2.5", "3", "1e3"], ["c", " 4 ", "3", "nan"], ["d", "1", "3", "2"]]), schema);
  assert.deepEqual(found.map(({ name, input }) => [name, input]), [["x", true], ["gap", false]]);
  assert.deepEqual([...found[0]!.values], [1, -2.5, 4, 1]);
  assert.deepEqual([...found[1]!.values], [NaN, 1000, NaN, 2]);
});

test("the true classes are in a column that the model does not read and that holds nothing else", () => {
  assert.equal(trueClasses(table(["x", "kind"], [["1", "yes"]]), schema), null);
  assert.equal(trueClasses(table(["x", "note"], [["1", "yes"], ["2", "maybe"]]), schema), null);
  assert.equal(trueClasses(table(["x", "note"], []), schema), null);
  assert.deepEqual(trueClasses(table(["answer", "x"], [["yes ", "1"], ["no", "2"]]), schema), { name: "answer", values: ["yes", "no"] });
});

test("a series has rising moments", () => {
  const series = (...days: string[]) => isSeries(table(["when", "x"], days.map((day) => [day, "1"])), schema);
  assert.equal(series("2026-03-01 00:00", "2026-03-01 01:00", "2026-03-02 00:00"), true);
  assert.equal(series("2026-03-01", "2026-03-03", "2026-03-02"), false);
  assert.equal(series("1", "2", "3"), false);
});

test("a threshold, counted by hand", () => {
  const counts = countsAt([0.9, 0.5, 0.4, 0.1], [true, false, true, false], 0.5);
  assert.deepEqual(counts, { hits: 1, alarms: 1, misses: 1, rest: 1 });
  assert.deepEqual(rates(counts), { precision: 0.5, recall: 0.5, f1: 0.5, flagged: 0.5 });
  assert.equal(rates(countsAt([0.1], [true], 0.5)).precision, NaN);
  assert.equal(rates(countsAt([0.1], [false], 0.5)).recall, NaN);
});

test("the model's own threshold lies between what it says and what it does not", () => {
  assert.equal(ownThreshold([0.2, 0.7], [false, true]), 0.5);
  assert.equal(ownThreshold([0.2, 0.365, 0.37, 0.9], [false, false, true, true]), 0.37);
  assert.equal(ownThreshold([0.371, 0.379], [false, true]), null);
  assert.equal(ownThreshold([0.6, 0.2], [false, true]), null);
});

test("errors over the rows that have both", () => {
  const { rows, mae, rmse, r2 } = errors([1, 2, NaN, 4], [1, 3, 5, 2]);
  assert.deepEqual([rows, mae, rmse], [3, 1, Math.sqrt(5 / 3)]);
  assert.ok(Math.abs(r2 - (1 - 5 / (14 / 3))) < 1e-12);
});

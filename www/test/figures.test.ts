import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, number, percent, time } from "../src/format.ts";
import { clockStep, median, timeCall } from "../src/measure.ts";
import type { Schema } from "../src/package.ts";
import { bars, verdict } from "../src/result.ts";

const schema = (rest: Partial<Schema>): Schema => ({ name: "m", task: "regression", columns: [], ...rest });

test("a share never reads as certain when it is not", () => {
  assert.deepEqual([0, 1e-9, 0.001, 0.8315, 0.9994, 1 - 1e-12, 1].map(percent), [
    "0%",
    "< 0.1%",
    "0.1%",
    "83.2%",
    "> 99.9%",
    "> 99.9%",
    "100%",
  ]);
});

test("numbers, times, sizes", () => {
  assert.deepEqual([0, -0, -1.5, 1234567, 0.00001234, 1e21].map(number), ["0", "0", "−1.5", "1,234,570", "1.234E−5", "1E21"]);
  assert.deepEqual([0.0000004, 0.00042, 0.0421, 12, 1500].map(time), ["0.4 ns", "420 ns", "42.1 µs", "12 ms", "1.5 s"]);
  assert.deepEqual([812, 9130, 2_500_000].map(bytes), ["812 B", "9.1 kB", "2.5 MB"]);
});

/** A clock that moves in steps of 0.1 ms while `call` takes 0.003. */
function coarse() {
  let at = 0;
  return {
    now: () => Math.floor((at += 0.0001) * 10) / 10,
    call: () => void (at += 0.003),
  };
}

test("a call much shorter than the clock's step is timed within five percent", () => {
  const { now, call } = coarse();
  const step = clockStep(now);
  assert.ok(Math.abs(step - 0.1) < 1e-9, String(step));
  const { each, calls } = timeCall(call, step, now);
  assert.ok(calls > 1000, String(calls));
  assert.ok(Math.abs(each - 0.003) < 0.00015, String(each));
});

test("a slow call is made once", () => {
  let at = 0;
  const { each, calls } = timeCall(() => void (at += 250), 0.1, () => at);
  assert.deepEqual({ each, calls }, { each: 250, calls: 1 });
});

test("median", () => assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]));

test("verdicts", () => {
  const say = (prediction: object, rest: Partial<Schema> = {}) => Object.values(verdict(prediction, schema(rest)));
  assert.deepEqual(say({ label: false, probability: 0.75 }), ["false", "75.0%"]);
  assert.deepEqual(say({ label: "", scores: 2 }), ["", ""]);
  assert.deepEqual(say({ value: 0 }), ["0", ""]);
  assert.deepEqual(say({ value: 17.5 }, { names: ["minutes"] }), ["17.5", "minutes"]);
  assert.deepEqual(say({ outlier: true, score: -0.25 }), ["outlier", "score −0.25"]);
  assert.deepEqual(say({ cluster: 0 }), ["cluster 0", ""]);
  assert.deepEqual(say({ outputs: [{ label: 0 }, { value: 2 }] }), ["0 · 2", ""]);
  assert.deepEqual(say({ transformed: [1, 2, 3] }), ["3 values", ""]);
});

test("a threshold of the model's own is told where it makes the less likely class the answer", () => {
  const loans = { task: "classification", classes: ["repaid", "defaulted"], threshold: 0.26 } as const;
  const say = (prediction: object) => Object.values(verdict(prediction, schema(loans)));
  assert.deepEqual(say({ label: "defaulted", probability: 0.46 }), ["defaulted", "46.0%, enough from 26.0% on"]);
  assert.deepEqual(say({ label: "defaulted", probability: 0.8 }), ["defaulted", "80.0%"]);
  assert.deepEqual(say({ label: "repaid", probability: 0.4 }), ["repaid", "40.0%, defaulted only from 26.0% on"]);
});

test("bars follow the order of the classes, also where they look like numbers", () => {
  const names = bars({ label: 10, probabilities: { 2: 0.1, 10: 0.9 } }, schema({ classes: [10, 2] }));
  assert.deepEqual(names.map(({ name, strong }) => [name, strong]), [["10", true], ["2", false]]);
  const proto = { ["__proto__"]: 0.25, b: 0.75 };
  assert.deepEqual(bars({ label: "b", probabilities: proto }, schema({ classes: ["__proto__", "b"] })).map(({ to }) => to), [0.25, 0.75]);
});

test("signed bars start in the middle", () => {
  const made = bars({ label: "a", scores: { a: 2, b: -1 } }, schema({ classes: ["a", "b"] }));
  assert.deepEqual(made.map(({ from, to }) => [from, to]), [[0.5, 1], [0.25, 0.5]]);
  assert.deepEqual(bars({ label: "a", scores: { a: 0, b: 0 } }, schema({})).map(({ from, to }) => [from, to]), [[0.5, 0.5], [0.5, 0.5]]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Column, Schema } from "../src/package.ts";
import { read, scale, shuffle, start, toRow } from "../src/row.ts";

const column = (rest: Partial<Column> & Pick<Column, "kind">): Column => ({
  name: "c",
  missing: false,
  unknown: false,
  used: true,
  ...rest,
});

test("a slider ends at the range's own numbers and rounds between them", () => {
  const slider = scale(column({ kind: "number", range: [4.3, 7.9] }))!;
  assert.equal(slider.at(0), 4.3);
  assert.equal(slider.at(slider.steps), 7.9);
  assert.equal(slider.at(100), 6.1);
  assert.equal(slider.position(6.1), 100);
  assert.equal(slider.position(-50), 0);
  for (let at = 0; at <= slider.steps; at++) {
    assert.ok(slider.at(at) >= 4.3 && slider.at(at) <= 7.9);
    assert.ok(String(slider.at(at)).length <= 5, String(slider.at(at)));
  }
});

test("an integer's slider stops at whole numbers only", () => {
  const age = scale(column({ kind: "integer", range: [18, 79] }))!;
  assert.equal(age.steps, 61);
  const wide = scale(column({ kind: "integer", range: [0, 123457] }))!;
  for (const slider of [age, wide]) {
    for (let at = 0; at <= slider.steps; at++) assert.ok(Number.isInteger(slider.at(at)));
  }
});

test("tiny and single-point ranges", () => {
  const tiny = scale(column({ kind: "number", range: [1e-9, 2e-9] }))!;
  assert.notEqual(tiny.at(100), tiny.at(101));
  assert.equal(scale(column({ kind: "number", range: [3, 3] })), null);
  assert.equal(scale(column({ kind: "number" })), null);
  assert.equal(start(column({ kind: "number", range: [3, 3] })), 3);
  assert.equal(start(column({ kind: "number" })), 0);
});

test("numbers are read strictly", () => {
  const number = column({ kind: "number" });
  for (const [text, value] of [["41", 41], [" -.5 ", -0.5], ["1e3", 1000], ["+2.", 2]] as const) {
    assert.deepEqual(read(text, number), { value });
  }
  for (const text of ["0x10", "1,5", "12 apples", "∞", "--1", "true"]) {
    assert.deepEqual(read(text, number), { problem: `needs a number, not “${text}”` });
  }
  assert.deepEqual(read("-inf", column({ kind: "number", infinite: true })), { value: -Infinity });
  assert.deepEqual(read("-inf", number), { problem: "needs a number, not “-inf”" });
  assert.deepEqual(read("", number), { problem: "needs a number" });
  assert.deepEqual(read("", column({ kind: "number", missing: true })), { value: null });
  assert.deepEqual(read("NaN", column({ kind: "number", missing: true })), { value: null });
});

test("booleans", () => {
  const boolean = column({ kind: "boolean" });
  assert.deepEqual(["true", "True", "1", "FALSE", "0"].map((text) => read(text, boolean)), [
    { value: true },
    { value: true },
    { value: true },
    { value: false },
    { value: false },
  ]);
  assert.ok("problem" in read("yes", boolean));
  assert.ok("problem" in read("constructor", boolean));
});

test("a category keeps the type it has in the model", () => {
  const mixed = column({ kind: "category", categories: ["a", " b", 3, 0.5, true] });
  assert.deepEqual(["a", " b", "3", "3.0", ".5", "True"].map((text) => read(text, mixed)), [
    { value: "a" },
    { value: " b" },
    { value: 3 },
    { value: 3 },
    { value: 0.5 },
    { value: true },
  ]);
  assert.deepEqual(read("c", mixed), { problem: "needs one of a,  b, 3, 0.5, true" });
  assert.deepEqual(read("c", { ...mixed, unknown: true }), { value: "c" });
  assert.deepEqual(read("7", column({ kind: "category", categories: [1, 2], unknown: true })), { value: 7 });
  assert.ok("problem" in read("x", column({ kind: "category", categories: [1, 2], unknown: true })));
  assert.deepEqual(read("1", column({ kind: "category", categories: ["1.0", "a"], unknown: true })), { value: "1" });
  assert.deepEqual(read("1", column({ kind: "category", categories: [false, true] })), { value: true });
  assert.deepEqual(read("", column({ kind: "category", categories: ["", "x"], missing: true })), { value: "" });
  assert.deepEqual(read("", column({ kind: "category", categories: ["x"], missing: true })), { value: null });
});

test("an empty field of text is text, or missing where that is accepted", () => {
  assert.deepEqual(read("", column({ kind: "text" })), { value: "" });
  assert.deepEqual(read("", column({ kind: "text", missing: true })), { value: null });
});

test("random rows stay within what was seen", () => {
  const age = column({ kind: "integer", range: [18, 79] });
  assert.equal(shuffle(age, 30, () => 0), 18);
  assert.equal(shuffle(age, 30, () => 0.999999), 79);
  assert.equal(shuffle(column({ kind: "number" }), 30, () => 0.5), 30);
  assert.equal(shuffle(column({ kind: "category", categories: ["a", "b"] }), "a", () => 0.999999), "b");
});

test("a row holds any name as its own property", () => {
  const names = ["__proto__", "toString", "constructor", "a b"];
  const schema = { columns: names.map((name) => ({ ...column({ kind: "number" }), name })) } as unknown as Schema;
  const row = toRow(schema, [1, 2, 3, null]);
  for (const name of names) assert.ok(Object.hasOwn(row, name), name);
  assert.deepEqual(Object.values(row), [1, 2, 3, null]);
  assert.equal(Object.getPrototypeOf(row), Object.prototype);
});

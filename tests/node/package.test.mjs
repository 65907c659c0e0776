// What crosses the boundary of a package, row by row, and what its files are.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compileFunction, createContext, runInContext } from "node:vm";
import { gzipSync } from "node:zlib";

import { folder, made, names, open, root } from "./packages.mjs";

const read = (name, file) => readFileSync(join(folder(name), file));
const typeError = (message) => ({ name: "TypeError", message });

const mixed = await open("mixed");
const row = {
  age: 41,
  income: 52_000,
  employment: "self-employed",
  region: "north",
  rooms: 2,
  grade: "a",
  owner: true,
  note: "anything",
};
const sound = mixed.model.predict(row);

test("a sound row: a label, its probability, all probabilities, no warnings", () => {
  assert.deepEqual(Object.keys(sound), ["label", "probability", "probabilities", "warnings"]);
  assert.deepEqual(Object.keys(sound.probabilities), ["approved", "rejected"]);
  assert.equal(sound.probability, sound.probabilities[sound.label]);
  assert.ok(Math.abs(sound.probabilities.approved + sound.probabilities.rejected - 1) < 1e-12);
  assert.deepEqual(sound.warnings, []);
});

/** [column, value, what it is the same as], [column, value, warning, what it is the same as] or [column, value, error] */
const accepted = [
  ["number, finite", "income", 1e5, { income: 100_000 }],
  ["integer column, any finite number", "age", 41.5, { age: 41.5 }],
  ["missing, where it is accepted: undefined", "age", undefined, { age: null }],
  ["missing, where it is accepted: NaN", "age", NaN, { age: null }],
  ["missing does what imputation was trained to do", "age", null, { age: 38.5 }],
  ["boolean: 1", "owner", 1, { owner: true }],
  ["boolean: 0", "owner", 0, { owner: false }],
  ["category, by value", "rooms", 2.0, { rooms: 2 }],
  ["category of numbers: a boolean is one", "rooms", true, { rooms: 1 }],
  ["category of mixed types", "grade", 1, { grade: true }],
  ["category of mixed types: false is 0", "grade", 0, { grade: false }],
  ["a value the model fills in itself", "employment", "(none)", { employment: null }],
  ["unused column: anything", "note", { any: ["thing"] }, { note: 1n }],
];

for (const [what, column, value, same] of accepted) {
  test(`accepted: ${what}`, () => {
    assert.deepEqual(mixed.model.predict({ ...row, [column]: value }), mixed.model.predict({ ...row, ...same }));
  });
}

const warned = [
  ["above the range", "age", 130, '"age": 130 is outside the range seen in training, 17 to 90'],
  ["below the range", "income", -1, '"income": -1 is outside the range seen in training, 0 to 250000.5'],
  ["unknown string", "employment", "freelance", '"employment": the string "freelance" was not seen in training'],
  ["unknown number", "rooms", 9, '"rooms": the number 9 was not seen in training'],
  ["unknown of mixed types", "grade", 7, '"grade": the number 7 was not seen in training'],
];

for (const [what, column, value, warning] of warned) {
  test(`accepted with a warning: ${what}`, () => {
    const { warnings, ...prediction } = mixed.model.predict({ ...row, [column]: value });
    assert.deepEqual(warnings, [warning]);
    assert.deepEqual(Object.keys(prediction), ["label", "probability", "probabilities"]);
    const batch = mixed.model.predictBatch([row, { ...row, [column]: value }, { ...row, [column]: value }]);
    assert.deepEqual(batch.warnings, [`row 1, ${warning} (and 1 more)`]);
    assert.equal(batch.probabilities[2], prediction.probabilities.approved);
  });
}

const long = "x".repeat(100);
const refused = [
  ["missing field", "income", undefined, '"income": expected a number, got undefined'],
  ["null", "income", null, '"income": expected a number, got null'],
  ["NaN", "income", NaN, '"income": expected a number, got the number NaN'],
  ["Infinity", "income", Infinity, '"income": expected a number, got the number Infinity'],
  ["-Infinity where missing is accepted", "age", -Infinity, '"age": expected a number or null, got the number -Infinity'],
  ["numeric string", "income", "52000", '"income": expected a number, got the string "52000"'],
  ["empty string", "age", "", '"age": expected a number or null, got the string ""'],
  ["long string", "income", long, `"income": expected a number, got the string "${"x".repeat(60)}"`],
  ["bigint", "income", 52000n, '"income": expected a number, got the bigint 52000'],
  ["boolean for a number", "income", true, '"income": expected a number, got the boolean true'],
  ["symbol", "income", Symbol("s"), '"income": expected a number, got the symbol Symbol(s)'],
  ["Date", "income", new Date(0), '"income": expected a number, got an object'],
  ["array", "income", [1], '"income": expected a number, got an array'],
  ["boxed number", "income", Object(1), '"income": expected a number, got an object'],
  ["string for a boolean", "owner", "true", '"owner": expected true or false, got the string "true"'],
  ["number for a boolean", "owner", 2, '"owner": expected true or false, got the number 2'],
  ["null for a boolean", "owner", null, '"owner": expected true or false, got null'],
  ["unknown category", "region", "east", '"region": expected one of "north", "south", got the string "east"'],
  ["category in other letters", "region", "North", '"region": expected one of "north", "south", got the string "North"'],
  ["inherited name as category", "region", "toString", '"region": expected one of "north", "south", got the string "toString"'],
  ["number for a string", "employment", 1, '"employment": expected one of "employed", "self-employed", "retired" or null, got the number 1'],
  ["string for a number", "rooms", "2", '"rooms": expected one of 1, 2, 3 or null, got the string "2"'],
  ["Infinity as a category", "rooms", Infinity, '"rooms": expected one of 1, 2, 3 or null, got the number Infinity'],
  ["bigint as a category", "rooms", 2n, '"rooms": expected one of 1, 2, 3 or null, got the bigint 2'],
];

for (const [what, column, value, message] of refused) {
  test(`refused: ${what}`, () => {
    assert.throws(() => mixed.model.predict({ ...row, [column]: value }), typeError(message));
    const rows = [row, { ...row, [column]: value }];
    assert.throws(() => mixed.model.predictBatch(rows), typeError(`row 1, ${message}`));
    // A refused row leaves the model as it was.
    assert.deepEqual(mixed.model.predict(row), sound);
  });
}

test("a field that is no column is ignored; where a column is absent, it is warned of", () => {
  assert.deepEqual(mixed.model.predict({ ...row, extra: 1 }).warnings, []);
  const { age, ...rest } = row;
  assert.deepEqual(mixed.model.predict({ ...rest, agee: age }).warnings, ['"agee" is not a column of this model']);
  const batch = mixed.model.predictBatch({ agee: [1], ...Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, [v]])) });
  assert.deepEqual(batch.warnings, ['"agee" is not a column of this model']);
});

test("so many columns that their fields are not written out", async () => {
  const { model } = await open("very-wide");
  const values = Array.from({ length: 300 }, (_, c) => (c % 7 === 3 ? null : Math.sin(c)));
  const rows = [values, values.map((value) => value && -value)];
  const objects = rows.map((row) => Object.fromEntries(row.map((value, c) => [`x${c}`, value])));
  // As in tests/package.rs: missing is 0.5, the coefficients go up by an eighth.
  const sum = (row) => row.reduce((sum, value, c) => sum + (value ?? 0.5) * (c / 8 - 0.5), 0);
  const lists = Object.fromEntries(values.map((_, c) => [`x${c}`, rows.map((row) => row[c])]));
  const flat = Float64Array.from(rows.flat(), (value) => value ?? NaN);
  for (const input of [rows, objects, lists, flat]) {
    const { value, warnings } = model.predictBatch(input);
    rows.forEach((row, r) => assert.ok(Math.abs(value[r] - sum(row)) < 1e-9 * Math.abs(sum(row))));
    assert.deepEqual(warnings, []);
    assert.deepEqual(value, model.predictBatch(rows).value);
  }
  for (const [r, object] of objects.entries()) {
    assert.equal(model.predict(object).value, model.predictBatch(rows).value[r]);
    assert.equal(model.predict(rows[r]).value, model.predictBatch(rows).value[r]);
  }
  const { x7, ...rest } = objects[0];
  assert.deepEqual(model.predict({ ...rest, X7: x7 }).warnings, ['"X7" is not a column of this model']);
  assert.deepEqual(model.predictBatch([objects[0], { ...rest, X7: x7 }]).warnings, ['row 1, "X7" is not a column of this model']);
  assert.throws(() => model.predict({ ...objects[0], x299: "1" }), typeError('"x299": expected a number or null, got the string "1"'));
  const wrong = [objects[0], { ...objects[1], x299: Infinity }];
  assert.throws(() => model.predictBatch(wrong), typeError('row 1, "x299": expected a number or null, got the number Infinity'));
});

test("a row is an object or an array", () => {
  assert.deepEqual(mixed.model.predict(Object.values(row)), sound);
  const rows = "expected an object by column or an array, got ";
  for (const [bad, shown] of [[41, "the number 41"], ["x", 'the string "x"'], [null, "null"], [undefined, "undefined"]]) {
    assert.throws(() => mixed.model.predict(bad), typeError(rows + shown));
    assert.throws(() => mixed.model.predictBatch([row, bad]), typeError(`row 1, ${rows}${shown}`));
  }
  assert.throws(() => mixed.model.predict([1, 2]), typeError("expected 8 values, got 2"));
  assert.throws(() => mixed.model.predictBatch([Object.values(row), []]), typeError("row 1, expected 8 values, got 0"));
});

test("infinities, where the model takes them", async () => {
  const { model } = await open("targets");
  assert.deepEqual(model.predict({ a: Infinity, b: 0 }), model.predict({ a: 1, b: 0 }));
  assert.throws(() => model.predict({ a: 0, b: Infinity }), typeError('"b": expected a number, got the number Infinity'));
  assert.throws(() => model.predict({ a: NaN, b: 0 }), typeError('"a": expected a number, got the number NaN'));
});

test("a model of one column takes the bare value", async () => {
  const { model } = await open("single");
  const { value } = model.predict({ x0: 3 });
  assert.equal(value, -1.5);
  assert.deepEqual(model.predict(3), { value, warnings: [] });
  assert.deepEqual(model.predict([3]), { value, warnings: [] });
  assert.deepEqual(model.predict(null), model.predict(1));
  assert.deepEqual([...model.predictBatch([3, { x0: 3 }, [3]]).value], [value, value, value]);
  assert.throws(() => model.predict("3"), typeError('"x0": expected a number or null, got the string "3"'));
});

test("hostile names are only names", async () => {
  const { model, schema } = await open("hostile");
  const columns = schema.columns.map(({ name }) => name);
  assert.equal(columns.length, 16);
  const values = columns.map((_, c) => (c === 3 ? columns[0] : c / 10));
  const row = Object.fromEntries(columns.map((name, c) => [name, values[c]]));
  Object.defineProperty(row, "__proto__", { value: values[0], enumerable: true });
  const prediction = model.predict(row);
  assert.deepEqual(prediction, model.predict(values));
  assert.deepEqual(Object.keys(prediction.probabilities), columns);
  assert.equal(Object.getPrototypeOf(prediction.probabilities), Object.prototype);
  assert.deepEqual(schema.classes, columns);
  // What an object inherits is not its own.
  for (const name of ["__proto__", "constructor", "toString"]) {
    const { [name]: _, ...rest } = row;
    if (name !== "__proto__") Object.defineProperty(rest, "__proto__", { value: 0, enumerable: true });
    const message = `${JSON.stringify(name)}: expected a number, got undefined`;
    assert.throws(() => model.predict(rest), typeError(message));
  }
  assert.equal({}.polluted, undefined);
  for (const file of readdirSync(folder("hostile")).filter((file) => /\.(c?js|c?ts|json)$/.test(file))) {
    const text = read("hostile", file).toString();
    assert.ok(!/<\/script|<!--|\u2028|\u2029|\u202e/i.test(text), file);
  }
  assert.ok(!/<(script|img)|\]\(javascript/i.test(read("hostile", "README.md").toString().replace(/```[^]*?```/g, "")));
});

test("predictions by task", async () => {
  const predict = async (name, row) => (await open(name)).model.predict(row);
  assert.deepEqual(await predict("targets", { a: 0.25, b: 0.25 }), { values: [-0.21875, 0.15625], warnings: [] });
  assert.deepEqual(await predict("anomaly", { a: 1, b: 0 }), { outlier: true, score: -0.5, warnings: [] });
  assert.deepEqual(await predict("anomaly", { a: -1, b: 0 }), { outlier: false, score: 0.5, warnings: [] });
  assert.deepEqual(await predict("clusters", { a: 0, b: 0 }), { cluster: 0, distances: [0, 5, 10], warnings: [] });
  assert.deepEqual(await predict("transform", { a: 3, b: 2 }), { transformed: [1, 0], warnings: [] });
  assert.deepEqual(await predict("tree", { a: 0, b: 1 }), { value: 30, warnings: [] });
  const { outputs, warnings } = await predict("several", { a: 0.5, on: true });
  assert.deepEqual(warnings, []);
  assert.deepEqual(outputs[0], { label: false, scores: { false: 0.625, true: -0.625 } });
  assert.deepEqual(outputs[1], { value: -0.625 });
  assert.equal(outputs[2].label, 7);
  assert.deepEqual(Object.keys(outputs[2].probabilities), ["0", "7", "-1"]);
});

test("categories that a transformer hands on", async () => {
  const { model } = await open("strings");
  const out = (row) => model.predict(row).transformed;
  assert.deepEqual(out({ color: "green", size: 2 }), [2, "green"]);
  assert.deepEqual(out({ size: null }), [null, "(none)"].map((value) => value ?? NaN));
  assert.deepEqual(out(["blue", 1]), [1, "blue"]);
  const batch = model.predictBatch({ color: ["red", null, "blue"], size: [1, 2, 3] });
  assert.deepEqual(batch.transformed, [1, "red", 2, "(none)", 3, "blue"]);
});

test("a text is counted as Python would", async () => {
  const { model, predict } = await open("text");
  const value = (text) => model.predict(text).value;
  assert.deepEqual(await predict("Good, GOOD; not the good!"), { value: 8.5, warnings: [] });
  assert.equal(value(""), 0.5);
  assert.equal(value({ toString: () => "no text" }.toString()), 0.5);
  assert.equal(value("goodgood good1 x_good"), 0.5);
  assert.equal(value("NAÏVE nai\u0308ve na\u00efve"), 4.5);
  assert.equal(value("\u1f48\u0394\u03a5\u03a3\u03a3\u0395\u038e\u03a3!"), 8.5, "a final sigma");
  assert.equal(value("\ud83d\ude00good\ud800good\udfff"), 2.5, "lone surrogates only separate");
  assert.deepEqual(model.predict({ text: "good" }), model.predict(["good"]));
  for (const wrong of [3, true, 10n]) {
    assert.throws(() => model.predict(wrong), typeError(`"text": expected a string, got the ${typeof wrong} ${wrong}`));
  }
  assert.throws(() => model.predict(null), typeError('"text": expected a string, got null'));
});

test("texts of any length, alone and in batches", async () => {
  const { load } = await open("text");
  const model = await load(readFileSync(join(folder("text"), "model.wasm")));
  const text = (n) => "good ".repeat(n) + "\u00e9".repeat(n);
  const lengths = [0, 1, 100_000, 3, 400_000];
  for (const n of lengths) assert.equal(model.predict(text(n)).value, n + 0.5);
  const many = Array.from({ length: 300 }, (_, row) => lengths[row % 4]);
  const batch = model.predictBatch(many.map(text));
  assert.deepEqual(Array.from(batch.value), many.map((n) => n + 0.5));
  assert.deepEqual(model.predictBatch({ text: ["not good", "good"] }).value, Float64Array.of(6.5, 1.5));
  assert.throws(() => model.predictBatch(["good", 4]), typeError('row 1, "text": expected a string, got the number 4'));
  assert.deepEqual(model.predictBatch([]).value, new Float64Array(0));
});

test("a text beside other columns", async () => {
  const { model } = await open("review");
  const rows = [
    { stars: 2, "the review": "good, not bad" },
    { "the review": "not good", stars: 5 },
    { stars: 1, "the review": "x".repeat(1e6) },
  ];
  const batch = model.predictBatch(rows);
  rows.forEach((row, r) => {
    const { probabilities } = model.predict(row);
    assert.deepEqual(Object.values(probabilities), Array.from(batch.probabilities.slice(r * 3, r * 3 + 3)));
    assert.deepEqual(model.predict([row.stars, row["the review"]]).probabilities, probabilities);
  });
  assert.throws(() => model.predict({ stars: 1 }), typeError('"the review": expected a string, got undefined'));
});

test("whole numbers as digits, and lists of categories that may lack some", async () => {
  const { model } = await open("digits");
  const row = { zip: "1000", color: "red", shade: "dark", street: "7", size: 1 };
  const sound = model.predict(row);
  assert.deepEqual(sound.warnings, []);
  assert.deepEqual(model.predict({ ...row, zip: 1000, street: 7 }), sound);
  assert.deepEqual(model.predict([1000, "red", "dark", 7, 1]), sound);
  assert.deepEqual(model.predictBatch([{ ...row, zip: 1000 }, row]).value, Float64Array.of(sound.value, sound.value));
  assert.notEqual(model.predict({ ...row, zip: 1001 }).value, sound.value);
  assert.notEqual(model.predict({ ...row, street: 8 }).value, sound.value);
  for (const [zip, shown] of [[7, "number 7"], ["01000", 'string "01000"'], ["", 'string ""']]) {
    assert.deepEqual(model.predict({ ...row, zip }).warnings, [`"zip": the ${shown} was not seen in training`]);
  }
  for (const change of [{ color: "green" }, { color: 7 }, { shade: "pale" }]) {
    assert.deepEqual(model.predict({ ...row, ...change }).warnings, []);
  }
  const wanted = "expected a string or a whole number, got";
  for (const [column, value, shown] of [
    ["zip", 0.5, "the number 0.5"],
    ["zip", 2 ** 53, "the number 9007199254740992"],
    ["zip", true, "the boolean true"],
    ["zip", null, "null"],
    ["zip", NaN, "the number NaN"],
    ["color", 7n, "the bigint 7"],
    ["street", undefined, "undefined"],
    ["street", Infinity, "the number Infinity"],
  ]) {
    assert.throws(() => model.predict({ ...row, [column]: value }), typeError(`"${column}": ${wanted} ${shown}`));
  }
  assert.throws(() => model.predict({ ...row, shade: 7 }), typeError('"shade": expected a string, got the number 7'));
});

test("codes of categories without names: others with a warning, strings refused", async () => {
  const { model } = await open("codes");
  const row = { size: 1, town: 4, street: 12, color: "red" };
  const sound = model.predict(row);
  assert.deepEqual(sound.warnings, []);
  assert.deepEqual(model.predict([1, 4, 12, "red"]), sound);
  const apart = "is none of the codes that the model tells apart, 0 to 4";
  for (const town of [5, -1, 0.5]) {
    assert.deepEqual(model.predict({ ...row, town }).warnings, [`"town": ${town} ${apart}`]);
    assert.deepEqual(model.predictBatch([row, { ...row, town }]).warnings, [`row 1, "town": ${town} ${apart}`]);
  }
  const wanted = "expected a category code, 0, 1, 2, … (carryout --categories gives names)";
  assert.throws(() => model.predict({ ...row, town: "Oslo" }), typeError(`"town": ${wanted}, got the string "Oslo"`));
  assert.throws(() => model.predict({ ...row, street: Infinity }), typeError(`"street": ${wanted}, got the number Infinity`));
});

test("a batch is the same as its rows, however it is passed and however long", async () => {
  const { model } = await open("linear");
  const names = model.schema.columns.map(({ name }) => name);
  for (const rows of [0, 1, 127, 128, 129, 1000]) {
    const values = Float64Array.from({ length: rows * 4 }, (_, k) => Math.fround(Math.sin(k) * 4));
    const lists = Array.from({ length: rows }, (_, r) => Array.from(values.slice(r * 4, r * 4 + 4)));
    const columns = Object.fromEntries(names.map((name, c) => [name, lists.map((list) => list[c])]));
    const typed = Object.fromEntries(names.map((name) => [name, Float32Array.from(columns[name])]));
    const objects = lists.map((list) => Object.fromEntries(names.map((name, c) => [name, list[c]])));
    const want = lists.map((list) => model.predict(list));
    for (const input of [values, Float32Array.from(values), lists, columns, typed, objects]) {
      const batch = model.predictBatch(input);
      assert.equal(batch.rows, rows);
      assert.ok(batch.label instanceof Uint8Array && batch.probabilities instanceof Float64Array);
      assert.deepEqual(batch.labels(), want.map(({ label }) => label));
      assert.deepEqual([...batch.probabilities], want.flatMap(({ probabilities }) => Object.values(probabilities)));
      assert.deepEqual(batch.warnings, []);
    }
  }
});

test("a batch that does not fit says where", async () => {
  const { model } = await open("linear");
  const column = [1, 2];
  const sound = { sepal_length: column, sepal_width: column, petal_length: column, petal_width: column };
  assert.equal(model.predictBatch(sound).rows, 2);
  const short = '"petal_width": expected 2 values like the columns before it, got 1';
  assert.throws(() => model.predictBatch({ ...sound, petal_width: [1] }), typeError(short));
  const lone = '"petal_width": expected an array, got the number 5';
  assert.throws(() => model.predictBatch({ ...sound, petal_width: 5 }), typeError(lone));
  // A string has a length too.
  const one = '"age": expected an array, got the number 41';
  assert.throws(() => mixed.model.predictBatch(row), typeError(one));
  const word = '"employment": expected an array, got the string "self-employed"';
  const lists = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, [value]]));
  assert.throws(() => mixed.model.predictBatch({ ...lists, employment: "self-employed" }), typeError(word));
  const bare = '"petal_width": expected an array, got an object';
  assert.throws(() => model.predictBatch({ ...sound, petal_width: {} }), typeError(bare));
  const absent = '"petal_width": expected a number, got undefined';
  assert.throws(() => model.predictBatch({ ...sound, petal_width: undefined }), typeError(absent));
  assert.throws(() => model.predictBatch({}), typeError('"sepal_length": expected a number, got undefined'));
  const odd = "expected rows of 4 values, got 7 values in all";
  assert.throws(() => model.predictBatch(new Float64Array(7)), typeError(odd));
  const bad = Float64Array.of(...Array(4 * 200).fill(1));
  bad[4 * 150 + 2] = NaN;
  const nan = 'row 150, "petal_length": expected a number, got the number NaN';
  assert.throws(() => model.predictBatch(bad), typeError(nan));
  assert.throws(() => model.predictBatch(7), typeError("expected an object by column or an array, got the number 7"));
});

test("a number that float32 does not hold is refused where the model rounds to it, with its column", async () => {
  const { model } = await open("tree");
  const message = (a) => `"a": expected a number, got the number ${a}, too large for float32`;
  assert.throws(() => model.predict({ a: 1e39, b: 0 }), typeError(message("1e+39")));
  // Half a step above the greatest float32 rounds away from it.
  const [greatest, beyond] = [3.4028235677973362e38, 3.4028235677973366e38];
  assert.deepEqual(model.predict({ a: greatest, b: 0 }), { value: 10, warnings: [] });
  assert.deepEqual(model.predict({ a: -greatest, b: 0 }), { value: 20, warnings: [] });
  for (const a of [beyond, -beyond]) assert.throws(() => model.predict([a, 0]), typeError(message(a)));
  const rows = Array.from({ length: 300 }, (_, r) => [r === 290 ? beyond : greatest, 0]);
  const wrong = typeError(`row 290, ${message(beyond)}`);
  assert.throws(() => model.predictBatch(rows), wrong);
  assert.throws(() => model.predictBatch(Float64Array.from(rows.flat())), wrong);
  assert.throws(() => model.predictBatch({ a: rows.map(([a]) => a), b: rows.map(([, b]) => b) }), wrong);
  rows[290][0] = -greatest;
  assert.deepEqual([...model.predictBatch(Float64Array.from(rows.flat())).value.slice(289, 292)], [10, 20, 10]);
  const { model: floats } = await open("floats");
  const table = Float64Array.from({ length: 8 * 300 }, (_, k) => (k === 8 * 290 + 5 ? greatest : 1));
  assert.equal(floats.predictBatch(table).value[290], 10);
  table[8 * 290 + 5] = beyond;
  assert.throws(() => floats.predictBatch(table), typeError(`row 290, ${message(beyond).replace("a", "x5")}`));
  const other = typeError('"a": expected a number, got the string "1"');
  assert.throws(() => model.predict({ a: "1", b: 0 }), other);
});

test("a value that a step refuses is named with its row", async () => {
  const { model } = await open("scaled");
  const message = "a value is outside what DecisionTreeRegressor accepts";
  assert.throws(() => model.predict({ a: 0, b: 1e38, c: true }), { name: "RangeError", message });
  const rows = Array.from({ length: 300 }, (_, r) => [0, r === 290 ? 1e38 : 0, 1]);
  assert.throws(() => model.predictBatch(rows), { name: "RangeError", message: `row 290, ${message}` });
  const large = '"a": expected a number, got the number 1e+39, too large for float32';
  assert.throws(() => model.predict({ a: 1e39, b: 0, c: true }), typeError(large));
  const flag = '"c": expected true or false, got the number 2';
  assert.throws(() => model.predict({ a: 0, b: 0, c: 2 }), typeError(flag));
});

test("load() gives one model, load(source) another; copies do not disturb each other", async () => {
  const { load, predict, model } = await open("linear");
  assert.equal(await load(), model);
  const wasm = read("linear", "model.wasm");
  const copies = [wasm, new WebAssembly.Module(wasm), new URL(`file://${join(folder("linear"), "model.wasm")}`)];
  for (const source of copies) {
    const copy = await load(source);
    assert.notEqual(copy, model);
    assert.deepEqual(copy.predict([1, 2, 3, 4]), model.predict([1, 2, 3, 4]));
  }
  assert.deepEqual(await predict([1, 2, 3, 4]), model.predict([1, 2, 3, 4]));
});

test("the schema is data, frozen", () => {
  const { schema } = mixed;
  assert.equal(mixed.model.schema, schema);
  assert.equal(schema.task, "classification");
  assert.deepEqual(schema.columns[0], {
    name: "age",
    kind: "integer",
    categories: undefined,
    range: [17, 90],
    missing: true,
    unknown: false,
    used: true,
  });
  for (const value of [schema, schema.columns, schema.columns[0], schema.columns[0].range, schema.classes]) {
    assert.ok(Object.isFrozen(value));
  }
});

let server, address;
before(async () => {
  const wasm = read("linear", "model.wasm");
  const pages = {
    "/model.wasm": [200, "application/wasm", wasm],
    "/untyped.wasm": [200, "application/octet-stream", wasm],
    "/.vite/deps/model.wasm": [200, "text/html", "<!doctype html><title>development</title>"],
    "/page.wasm": [200, "text/html; charset=utf-8", "<!doctype html><title>not found</title>"],
    "/cut.wasm": [200, "application/wasm", wasm.subarray(0, 100)],
  };
  server = createServer(({ url }, response) => {
    const [status, type, body] = pages[url] ?? [404, "text/plain", "no"];
    response.writeHead(status, { "content-type": type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test("model.wasm from a server: typed or not, and what to do where it is something else", async () => {
  const { load, model } = await open("linear");
  for (const file of ["model.wasm", "untyped.wasm"]) {
    const copy = await load(`${address}/${file}`);
    assert.deepEqual(copy.predict([1, 2, 3, 4]), model.predict([1, 2, 3, 4]));
  }
  const says = (path, message) => assert.rejects(load(`${address}${path}`), { name: "Error", message });
  await says("/gone.wasm", /^linear: http.*gone\.wasm answered 404; serve model\.wasm there, give load\(\) its address, or import linear\/inline$/);
  await says("/page.wasm", /^linear: http.*page\.wasm is text\/html; charset=utf-8, not WebAssembly: .* serve the file there, or import linear\/inline$/);
  await says("/.vite/deps/model.wasm", /a page; list the package in optimizeDeps\.exclude, or import linear\/inline$/);
  await says("/cut.wasm", "linear: model.wasm does not compile; it may be cut short: copy it anew from the package");
  const nowhere = "linear: http://127.0.0.1:1/model.wasm cannot be fetched; serve model.wasm there and allow it in connect-src, or import linear/inline";
  await assert.rejects(load("http://127.0.0.1:1/model.wasm"), { message: nowhere });
  const damaged = Buffer.from(read("linear", "model.wasm"));
  damaged.writeUInt32LE(99, damaged.indexOf("crry") + 4);
  await assert.rejects(load(damaged), { message: "linear: model.wasm is damaged or of another package; copy it anew" });
  // Of another model, or of this one with other columns, as a cache may give it.
  await assert.rejects(load(read("single", "model.wasm")), { message: "linear: model.wasm is damaged or of another package; copy it anew" });
});

test("without WebAssembly the error says so", async () => {
  const script = `delete globalThis.WebAssembly;
    const { load } = await import(${JSON.stringify(join(folder("linear"), "index.js"))});
    await load().catch((error) => process.stdout.write(error.message));`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  const says = "linear: this environment has no WebAssembly, which browsers have had since 2017; a setting may have turned it off";
  assert.equal(out, says);
});

test("without SIMD the error says so", { skip: process.arch !== "x64" && "V8 needs SSE 4.1 for SIMD on x64 alone" }, () => {
  const script = `const { load } = await import(${JSON.stringify(join(folder("text"), "index.js"))});
    await load().catch((error) => process.stdout.write(error.message));`;
  const out = execFileSync(process.execPath, ["--no-enable-sse4-1", "--input-type=module", "-e", script], { encoding: "utf8" });
  assert.equal(out, "text: this engine lacks WebAssembly SIMD, which browsers have had since 2023; update it");
});

test("where WebAssembly cannot be compiled at run time the error says so, and a compiled module will do", async () => {
  // As in Cloudflare's and Vercel's engines.
  const context = createContext({ atob, Response, URL, queueMicrotask }, { codeGeneration: { wasm: false } });
  const module = { exports: {} };
  compileFunction(read("linear", "index.cjs").toString(), ["module"], { parsingContext: context })(module);
  const { load } = module.exports;
  const message = "linear: WebAssembly can only be imported here, not compiled; import model.wasm and give it to load()";
  await assert.rejects(load(), (error) => error.message === message);
  context.made = new WebAssembly.Module(read("linear", "model.wasm"));
  runInContext("Object.setPrototypeOf(made, WebAssembly.Module.prototype)", context);
  assert.equal((await load(context.made)).predict([1, 2, 3, 4]).label, (await open("linear")).model.predict([1, 2, 3, 4]).label);
});

test("every field of the types has a comment", () => {
  for (const name of names) {
    for (const file of readdirSync(folder(name)).filter((file) => /\.d\.c?ts$/.test(file))) {
      const lines = read(name, file).toString().split("\n");
      lines.forEach((line, at) => {
        // A field or a method of an interface: indented by two or more, a name, a type.
        if (!/^\s+(readonly )?[\w"'$]+[^ ]*[?]?(\(.*\))?: ?/.test(line) || /^\s+\*/.test(line)) return;
        // Parameters, mapped types, and what AbortSignal is made of.
        if (/^\s+(source\?|readonly \[Name|readonly aborted|readonly reason|throwIfAborted|addEvent|removeEvent)/.test(line)) return;
        assert.match(lines[at - 1], /\*\/$/, `${name}/${file}:${at + 1}: ${line}`);
      });
    }
  }
});

test("package.json: exports, integrity, and a list of files that is the folder", () => {
  for (const name of names) {
    const info = JSON.parse(read(name, "package.json"));
    const files = readdirSync(folder(name)).filter((file) => file !== "package.json" && file !== "README.md");
    assert.deepEqual(info.files.toSorted(), files.toSorted());
    const named = JSON.stringify(info.exports).match(/"\.\/[^"]+"(?!:)/g).map((path) => path.slice(3, -1));
    for (const path of named) assert.ok(path === "package.json" || info.files.includes(path), path);
    const digest = createHash("sha384").update(read(name, "model.wasm")).digest("base64");
    assert.equal(info.carryout.integrity, `sha384-${digest}`);
    assert.equal(info.sideEffects, false);
  }
});

test("schema.json: what it requires is what predict() requires", () => {
  const schema = JSON.parse(read("mixed", "schema.json"));
  assert.equal(schema.$schema, "http://json-schema.org/draft-07/schema#");
  assert.deepEqual(schema.required, ["income", "region", "owner"]);
  assert.deepEqual(schema.properties.region, {
    title: "region",
    description: "Read by one-hot.",
    enum: ["north", "south"],
  });
  for (const required of schema.required) assert.ok(!("default" in schema.properties[required]), required);
  assert.deepEqual(schema.properties.income.examples, [125000]);
  assert.equal(schema.properties.age.default, null);
  assert.equal(schema.properties.note, undefined, "no prediction depends on it");
  assert.deepEqual(schema.properties.employment.type, ["string", "null"]);
  assert.deepEqual(schema.properties.rooms.type, ["number", "null"]);
  assert.equal(schema.properties.income.maximum, undefined);
  assert.ok(Object.hasOwn(JSON.parse(read("hostile", "schema.json")).properties, "__proto__"));
});

/** What text of an object says, without what is left out. */
const told = (text) => new Function(`return (${text.replaceAll(/,? …/g, "")})`)();

test("the model card's code runs as it stands, and gives what is said beside it", async () => {
  const place = mkdtempSync(join(made, "card-"));
  mkdirSync(join(place, "node_modules"));
  const near = (got, said, where) => {
    if (typeof said === "number") assert.ok(Math.abs(got - said) <= 1e-3 * Math.abs(said), where);
    else if (typeof said !== "object" || said === null) assert.equal(got, said, where);
    else for (const [field, part] of Object.entries(said)) near(got[field], part, where);
  };
  for (const name of [...names, "wide"]) {
    symlinkSync(folder(name), join(place, "node_modules", name));
    const blocks = [...read(name, "README.md").toString().matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code);
    assert.equal(blocks.length, 2, name);
    for (const [number, code] of blocks.entries()) {
      writeFileSync(join(place, "block.mjs"), code);
      const out = execFileSync(process.execPath, ["block.mjs"], { cwd: place, encoding: "utf8" });
      const [, said] = /console\.log.*\); \/\/ (.*)/.exec(code);
      if (number === 1) assert.equal(out, "true\n", name);
      else near(told(out), told(said), `${name}: ${out} is not ${said}`);
    }
  }
  rmSync(place, { recursive: true });
});

test("the files are as prettier writes them", async () => {
  const prettier = await import("prettier");
  for (const name of names) {
    for (const file of readdirSync(folder(name)).filter((file) => /\.(c?js|c?ts|json)$/.test(file))) {
      const text = read(name, file).toString();
      const formatted = await prettier.format(text, { filepath: file });
      assert.equal(text, formatted, `${name}/${file}`);
    }
  }
});

test("a package of four columns is under 8 KB for a visitor", (t) => {
  for (const name of names) {
    const [js, wasm] = ["index.js", "model.wasm"].map((file) => read(name, file));
    const sizes = [js, wasm].map((bytes) => gzipSync(bytes, { level: 9 }).length);
    t.diagnostic(`${name}: index.js ${js.length} (${sizes[0]} gzipped), model.wasm ${wasm.length} (${sizes[1]})`);
    if (name === "linear") assert.ok(sizes[0] + sizes[1] < 8192, `${sizes}`);
  }
});

/** Type-checks one program against the packages and returns what tsc says. */
function typecheck(source) {
  mkdirSync(made, { recursive: true });
  const place = mkdtempSync(join(made, "types-"));
  writeFileSync(join(place, "test.mts"), source);
  const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--module", "nodenext", "--lib", "es2022"];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, ...options, "--types", "", join(place, "test.mts")], (_, stdout, stderr) => {
      rmSync(place, { recursive: true });
      resolve(stdout + stderr);
    });
  });
}

test("index.d.ts passes tsc --strict and --exactOptionalPropertyTypes without the DOM's types, and says what it should", async () => {
  const imports = names.map((name) => `import * as ${name} from ${JSON.stringify(`../packages/${name}/index.js`)};`);
  const said = await typecheck(`${imports.join("\n")}
    const label: "approved" | "rejected" = (await mixed.predict(${JSON.stringify(row)})).label;
    const model = await mixed.load();
    model.predict({ income: 1, region: "south", owner: false });
    model.predict({ income: 1, region: "south", owner: false, employment: "another", rooms: 8, age: null });
    model.predict({ income: 1, region: "south", owner: false, age: undefined, rooms: undefined });
    model.predict([1, 2, null, "north", undefined, "a", true, 1n]);
    const byLabel: number = model.predict({ income: 1, region: "south", owner: false }).probabilities[label];
    const labels: ("approved" | "rejected")[] = model.predictBatch([]).labels();
    const typed = await linear.load();
    const probabilities: Float64Array = typed.predictBatch(new Float32Array(8)).probabilities;
    const lists: number[][] = [[1, 2, 3, 4]];
    typed.predictBatch(lists);
    (await single.load()).predictBatch([[null]]);
    typed.predictBatch({ sepal_length: [1], sepal_width: new Float32Array(1), petal_length: [1], petal_width: [1] });
    const bare: number = (await single.predict(3)).value;
    await single.predict(null);
    const both = (await several.predict({ a: 1, on: true })).outputs;
    const flag: boolean = both[0].label;
    const score: number = both[0].scores.true;
    const number: -1 | 0 | 7 = both[2].label;
    const outlier: boolean = (await anomaly.predict([1, 2])).outlier;
    const cluster: 0 | 1 | 2 = (await clusters.predict([1, 2])).cluster;
    const values: number[] = (await targets.predict([1, 2])).values;
    const words: (string | number | boolean | null)[] = (await strings.predict({ color: "red" })).transformed;
    const proto: keyof hostile.Features = "__proto__";
  `);
  assert.equal(said, "");
});

test("programs that must not compile", async () => {
  const programs = [
    ["a required field left out", 'mixed.predict({ region: "north", owner: true })', "income"],
    ["a numeric string", 'mixed.predict({ income: "1", region: "north", owner: true })', "'string' is not assignable to type 'number'"],
    ["null where missing is refused", 'mixed.predict({ income: null, region: "north", owner: true })', "'null' is not assignable to type 'number'"],
    ["a category outside a closed list", 'mixed.predict({ income: 1, region: "east", owner: true })', '"north" | "south"'],
    ["a misspelt field", 'mixed.predict({ incom: 1, income: 1, region: "north", owner: true })', "incom"],
    ["a number for a category of strings", 'mixed.predict({ income: 1, region: "north", owner: true, employment: 3 })', "'number' is not assignable"],
    ["an array that is too short", 'mixed.predict([1, 2])', "Values"],
    ["a bigint", 'mixed.predict({ income: 1n, region: "north", owner: true })', "bigint"],
    ["comparison with a class that does not exist", '(await mixed.predict({ income: 1, region: "north", owner: true })).label === "maybe"', "no overlap"],
    ["a regression's label", "(await tree.predict([1, 2])).label", "label"],
    ["an output that does not exist", "(await several.predict([1, true])).outputs[3]", "3"],
    ["null in rows of numbers where missing is refused", "(await tree.load()).predictBatch([[1, null]])", "'null' is not assignable to type 'number'"],
    ["a string for a column", '(await strings.load()).predictBatch({ color: "red", size: [1, 2, 3] })', "'string' is not assignable"],
    ["a typed array for columns of strings", "(await mixed.load()).predictBatch(new Float64Array(8))", "Float64Array"],
  ];
  const checks = programs.map(async ([what, program, says]) => {
    const said = await typecheck(`
      import * as mixed from "../packages/mixed/index.js";
      import * as several from "../packages/several/index.js";
      import * as strings from "../packages/strings/index.js";
      import * as tree from "../packages/tree/index.js";
      ${program};
    `);
    assert.ok(/error TS\d+/.test(said) && said.includes(says), `${what}: ${said}`);
    const message = said.slice(said.indexOf("error TS")).trim().replaceAll(/\n(?=\S)[^]*/g, "");
    return `## ${what[0].toUpperCase()}${what.slice(1)}\n\n\`\`\`ts\n${program};\n\`\`\`\n\n\`\`\`text\n${message}\n\`\`\`\n`;
  });
  const shown = await Promise.all(checks);
  const text = `# What the types refuse

Programs that do not compile against a package's index.d.ts, and what \`tsc --strict\` says of each: \`mixed\` has columns of
every kind, \`tree\` is a regression, \`several\` has three outputs, \`strings\` a category and a number. Written by \`UPDATE=1 node --test tests/node/package.test.mjs\`.

${shown.join("\n")}`;
  const page = join(root, "docs/types.md");
  if (process.env.UPDATE) writeFileSync(page, text);
  assert.equal(readFileSync(page, "utf8"), text, "docs/types.md is not what tsc says: UPDATE=1 writes it");
});

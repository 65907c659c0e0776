import assert from "node:assert/strict";
import { test } from "node:test";
import { columns, format, isModel, parse, predict, results } from "../src/csv.ts";
import type { Model, Schema } from "../src/package.ts";

test("quotes, line ends, a byte order mark, blank lines", () => {
  const table = parse('\ufeffa,"b ""x"", y",c\r\n1,"two\nlines",\r\n\r\n"",3,"4"');
  assert.deepEqual(table.header, ["a", 'b "x", y', "c"]);
  assert.deepEqual(table.rows, [
    ["1", "two\nlines", ""],
    ["", "3", "4"],
  ]);
});

test("the separator is the one the first line uses", () => {
  assert.deepEqual(parse("a;b\n1;2,5").rows, [["1", "2,5"]]);
  assert.deepEqual(parse("a;b;c,d\n1;2;3,4").rows, [["1", "2", "3,4"]]);
  assert.deepEqual(parse("a\tb\n1\t").rows, [["1", ""]]);
  assert.deepEqual(parse('"a;b;c",d\n1,2').header, ["a;b;c", "d"]);
  assert.deepEqual(parse("a,b\n1,").rows, [["1", ""]]);
});

test("errors name the line", () => {
  assert.throws(() => parse(""), { message: "no header: the first line names the columns" });
  assert.throws(() => parse("a,b\n1,2\n\n3"), { message: "line 4 has 1 fields, the header has 2" });
  assert.throws(() => parse('a,b\n1,"2\n3'), { message: "line 2: a quoted field does not end" });
});

test("what is written reads back", () => {
  const rows = [["a", 'q"', "x,y"], ["", "l\nm", " s "], ["=1+1", "\r", ";"]];
  for (const separator of [",", ";", "\t"]) {
    const text = format(rows, separator);
    const table = parse(text);
    assert.deepEqual([table.header, ...table.rows], rows);
  }
});

const schema: Schema = {
  name: "m",
  task: "classification",
  classes: ["no", "yes"],
  columns: [
    { name: "x", kind: "number", missing: false, unknown: false, used: true },
    { name: "__proto__", kind: "category", categories: [1, 2], missing: true, unknown: false, used: true },
  ],
};

test("columns of the model are found by name, whatever else the file holds", () => {
  const made = columns(parse("id,__proto__,x\na,2,1.5\nb,,3"), schema);
  assert.deepEqual(Object.entries(made), [
    ["x", [1.5, 3]],
    ["__proto__", [2, null]],
  ]);
  assert.deepEqual(columns(parse("x\n1"), schema)["__proto__"], [null]);
  assert.throws(() => columns(parse("y,z\n1,2"), schema), { message: "the column x is not in the header: y, z" });
  assert.throws(() => columns(parse("x\n1\nmany"), schema), { message: "line 3: x needs a number, not “many”" });
  assert.throws(() => columns(parse("x\n\n1\n\nmany"), schema), { message: "line 5: x needs a number, not “many”" });
  const optional = { ...schema, columns: schema.columns.slice(1) };
  assert.throws(() => columns(parse('{"x": 1}\n{"x": 2}'), optional), { message: 'no column of the model is in the header: {"x": 1}' });
});

test("a table comes back with its own columns first, over several calls", async () => {
  const sizes: number[] = [];
  const model = {
    schema,
    predictBatch({ x }: Record<string, number[]>) {
      sizes.push(x!.length);
      const share = x!.map((value) => 1 / (1 + value));
      return {
        rows: x!.length,
        label: Int32Array.from(share, (value) => +(value > 0.5)),
        probabilities: Float64Array.from(share.flatMap((value) => [1 - value, value])),
      };
    },
  } as unknown as Model;
  const rows = Array.from({ length: 5000 }, (_, index) => `${index},r${index}`);
  const progress: number[] = [];
  const made = await predict(parse(["x,id", ...rows].join("\n")), model, (done) => void progress.push(done));
  assert.deepEqual(sizes, [4096, 904]);
  assert.deepEqual(progress, [4096, 5000]);
  assert.deepEqual(made.header, ["x", "id", "label", "probability", "probabilities.no", "probabilities.yes", "warnings"]);
  assert.deepEqual(made.rows[1], ["1", "r1", "no", "0.5", "0.5", "0.5", ""]);
  assert.deepEqual(made.rows[4999], ["4999", "r4999", "no", "0.9998", "0.9998", "0.0002", ""]);
});

test("one warning a column for the whole table, with the file's line; each row has its own", async () => {
  const remarks = (x: number) => [...(x === 900 ? ['"x": 900 is outside the range'] : []), ...(x === 4 ? ['"__proto__": odd'] : [])];
  const model = {
    schema,
    predict: ({ x }: { x: number }) => ({ warnings: remarks(x) }),
    predictBatch: ({ x }: { x: number[] }) => ({ rows: x.length, warnings: x.flatMap(remarks) }),
  } as unknown as Model;
  const rows = Array.from({ length: 9000 }, (_, index) => (index % 600 === 585 ? 900 : index === 8999 ? 4 : 5));
  // A blank line is none of the rows.
  const made = await predict(parse(["x", "", ...rows].join("\n")), model, () => {});
  assert.deepEqual(made.warnings, ['line 588, "x": 900 is outside the range (and 14 more)', 'line 9002, "__proto__": odd']);
  const place = made.header.indexOf("warnings");
  assert.deepEqual([584, 585, 8999].map((row) => made.rows[row]![place]), ["", '"x": 900 is outside the range', '"__proto__": odd']);
});

test("a table without rows, or of other columns, is an error", async () => {
  const model = { schema } as unknown as Model;
  await assert.rejects(predict(parse("x,y\n"), model, () => {}), { message: "no rows: there is nothing below the line that names the columns" });
  await assert.rejects(predict(parse('{"x": 1}'), model, () => {}), { message: 'the column x is not in the header: {"x": 1}' });
});

test("models are told from rows", () => {
  for (const [name, text] of [["m.pkl", "a,b"], ["M.JOBLIB", ""], ["m", "carry\r\n\x1a\x01\0"], ["m.txt", "tree\nversion=v4"], ["m.json", '{"learner":{}}']] as const) {
    assert.ok(isModel(name, text), name);
  }
  for (const [name, text] of [["rows.csv", "a\0"], ["rows", "a,b\n1,2"], ["rows.json", '{"a": 1}'], ["trees.txt", "tree,height\n1,2"]] as const) {
    assert.ok(!isModel(name, text), name);
  }
});

test("a row that the model refuses is named by its line", async () => {
  const refuse = (x: number) => {
    if (x === 4500) throw new RangeError("a value is outside what trees accepts");
  };
  const model = {
    schema,
    predict: ({ x }: { x: number }) => refuse(x),
    predictBatch({ x }: { x: number[] }) {
      x.forEach(refuse);
      return { rows: x.length };
    },
  } as unknown as Model;
  const rows = Array.from({ length: 5000 }, (_, index) => index);
  await assert.rejects(predict(parse(["x", ...rows].join("\n")), model, () => {}), {
    message: "line 4502: a value is outside what trees accepts",
  });
});

test("a column of the data keeps its name", async () => {
  const model = { schema, predictBatch: () => ({ rows: 1, label: Int32Array.of(1), value: Float64Array.of(3) }) } as unknown as Model;
  const made = await predict(parse("x,label\n1,old"), model, () => {});
  assert.deepEqual([made.header, ...made.rows], [
    ["x", "label", "predicted_label", "value", "warnings"],
    ["1", "old", "yes", "3", ""],
  ]);
});

test("columns of each task", () => {
  const of = (batch: object, output: object = {}) => {
    const made = results(batch, { task: "regression", ...output }, 2);
    return [made.map(({ name }) => name), made.map(({ at }) => at(1))];
  };
  assert.deepEqual(of({ value: Float64Array.of(1, 2) }), [["value"], ["2"]]);
  assert.deepEqual(of({ values: Float64Array.of(1, 2, 3, NaN) }, { names: ["a", "b"] }), [["values.a", "values.b"], ["3", ""]]);
  assert.deepEqual(of({ transformed: Float64Array.of(1, 2, 3, 4) }), [["transformed.0", "transformed.1"], ["3", "4"]]);
  assert.deepEqual(of({ outlier: Uint8Array.of(0, 1), score: Float64Array.of(1, -2) }), [["outlier", "score"], ["true", "-2"]]);
  assert.deepEqual(of({ label: Int32Array.of(0, 1), scores: Float64Array.of(1, -1, -2, 2) }, { classes: [null, true] }), [
    ["label", "scores.null", "scores.true"],
    ["true", "-2", "2"],
  ]);
  assert.deepEqual(of({ cluster: Int32Array.of(0, 1), distances: Float64Array.of(1, 2, 3, 4) }, { clusters: [4, 7] }), [
    ["cluster", "distances.4", "distances.7"],
    ["7", "3", "4"],
  ]);
  const parts = [{ label: Int32Array.of(1, 0), probabilities: Float64Array.of(0.25, 0.75, 1, 0) }, { value: Float64Array.of(5, 6) }];
  assert.deepEqual(of({ outputs: parts }, { outputs: [{ task: "classification", classes: ["a", "b"] }, { task: "regression" }] }), [
    ["outputs.0.label", "outputs.0.probability", "outputs.0.probabilities.a", "outputs.0.probabilities.b", "outputs.1.value"],
    ["a", "1", "1", "0", "6"],
  ]);
});

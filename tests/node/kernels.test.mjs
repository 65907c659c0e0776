// Random ensembles as packages: the linked wasm, which works in vectors, gives the bits that the same kernels gave
// natively, where they do not. `cargo test --test kernels` makes them.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { made } from "./packages.mjs";

const folder = join(made, "kernels");

const numbers = (path) => {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength));
};

/** -0 and 0, and NaN of any payload, are told apart. */
const same = (given, wanted, what) => {
  const bits = (list) => new BigUint64Array(Float64Array.from(list).buffer);
  const [a, b] = [bits(given), bits(wanted)];
  assert.equal(a.length, b.length, what);
  for (let k = 0; k < a.length; k++) {
    if (a[k] !== b[k]) assert.fail(`${what}, number ${k}: ${given[k]} instead of ${wanted[k]}`);
  }
};

const names = readdirSync(folder);
assert.ok(names.length >= 32, "run cargo test --test kernels first");

for (const name of names) {
  test(`${name}: the same bits from every way in`, async () => {
    const { load } = await import(join(folder, name, "index.js"));
    const rows = numbers(join(folder, name, "rows.f64"));
    const answers = numbers(join(folder, name, "answers.f64"));
    const model = await load();
    const columns = model.schema.columns.length;
    const count = rows.length / columns;
    const width = answers.length / count;
    const whole = (batch) => batch.value ?? batch.values;

    // A single row may come first, and then make the tables, or a block.
    for (const size of name.length % 2 ? [1, 7, 25, 26, 47, 48, 129, 512, 2600] : [2600, 512, 129, 48, 47, 26, 25, 7, 1]) {
      for (const start of [0, count - size]) {
        const part = rows.slice(start * columns, (start + size) * columns);
        const wanted = answers.slice(start * width, (start + size) * width);
        same(whole(model.predictBatch(part)), wanted, `a table of ${size} rows`);
        const lists = Object.fromEntries(
          model.schema.columns.map(({ name }, c) => [name, part.filter((_, k) => k % columns === c)]),
        );
        same(whole(model.predictBatch(lists)), wanted, `columns of ${size} rows`);
        // A table of f32 keeps its width on the way to the kernels, where these can read it.
        const narrow = Float32Array.from(part, (x) => (Number.isFinite(x) && !Number.isFinite(Math.fround(x)) ? 1 : x));
        const answer = model.predictBatch(Float64Array.from(narrow));
        same(whole(model.predictBatch(narrow)), whole(answer), `a table of ${size} rows of f32`);
        assert.deepEqual(model.predictBatch(narrow).warnings, answer.warnings);
      }
    }
    for (let row = 0; row < 50; row++) {
      const list = Array.from(rows.subarray(row * columns, (row + 1) * columns));
      const object = Object.fromEntries(model.schema.columns.map(({ name }, c) => [name, list[c]]));
      const wanted = answers.slice(row * width, (row + 1) * width);
      for (const given of [list, object]) {
        const answer = model.predict(given);
        same(answer.values ?? [answer.value], wanted, `row ${row}`);
      }
    }
  });
}

// The files beside index.js: inline.js, node.js, worker.js with its threads, selftest.js; and load()'s options.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { folder, names, open } from "./packages.mjs";

const from = (name, file) => import(join(folder(name), file));
const wasm = (name) => readFileSync(join(folder(name), "model.wasm"));

/** Rows that the columns accept, some with something to warn of. */
function rowsFor(columns, count) {
  const value = ({ kind, categories, range, missing, used }, row) => {
    if (!used || (missing && row % 11 === 0)) return null;
    if (kind === "category") return categories[row % categories.length];
    if (kind === "boolean") return row % 2 === 0;
    if (kind === "text") return "text";
    return range ? range[0] + ((row % 97) / 90) * (range[1] - range[0]) : (row % 97) / 7;
  };
  return Array.from({ length: count }, (_, row) => columns.map((column) => value(column, row)));
}

/** A batch without its functions, these called. */
const plain = (batch) =>
  Object.fromEntries(
    Object.entries(batch).map(([name, part]) => [
      name,
      typeof part === "function" ? part() : name === "outputs" ? part.map(plain) : part,
    ]),
  );

test("inline.js and index.cjs have what index.js has, and asks for nothing", async () => {
  for (const name of names) {
    const [index, inline] = [await open(name), await from(name, "inline.js")];
    const text = readFileSync(join(folder(name), "inline.js"), "utf8");
    assert.ok(!/import\.meta|^import |\bimport\(|model\.wasm"/m.test(text.replace(/\/\*[^]*?\*\//g, "")), name);
    assert.deepEqual(Object.keys(inline), Object.keys(index).filter((key) => key !== "model"));
    const rows = rowsFor(index.schema.columns, 40);
    const common = createRequire(import.meta.url)(join(folder(name), "index.cjs"));
    assert.deepEqual(Object.keys(common).sort(), Object.keys(inline).sort());
    assert.deepEqual(plain((await common.load()).predictBatch(rows)), plain(index.model.predictBatch(rows)));
    assert.deepEqual(plain((await inline.load()).predictBatch(rows)), plain(index.model.predictBatch(rows)));
  }
});

test("node.js has what index.js has, and without its model.wasm takes inline.js", async () => {
  const other = names[0];
  for (const name of names) {
    const index = await open(name);
    const rows = rowsFor(index.schema.columns, 40);
    const right = plain(index.model.predictBatch(rows));
    const same = async ({ load, ...rest }, given) => {
      assert.deepEqual(Object.keys({ load, ...rest }).sort(), Object.keys(index).filter((key) => key !== "model").sort());
      assert.deepEqual(plain((await load(given)).predictBatch(rows)), right, name);
    };
    await same(await from(name, "node.js"));
    await same(await from(name, "node.js"), { integrity: true });
    const code = wasm(name);
    const another = wasm(other === name ? names[1] : other);
    // Nothing, another model's, a part, more, no wasm.
    for (const bytes of [undefined, another, code.subarray(0, 500), Buffer.concat([code, code]), Buffer.from("<html>")]) {
      const alone = mkdtempSync(join(tmpdir(), "carryout-"));
      writeFileSync(join(alone, "package.json"), '{ "type": "module" }');
      for (const file of ["node.js", "inline.js"]) copyFileSync(join(folder(name), file), join(alone, file));
      if (bytes) writeFileSync(join(alone, "model.wasm"), bytes);
      const module = await import(join(alone, "node.js"));
      await same(module);
      await assert.rejects(module.load(new Uint8Array([1, 2, 3])), /does not compile/);
      rmSync(alone, { recursive: true });
    }
  }
});

test("selfTest() replays the native runtime's answers to the last bit, and finds what differs", async () => {
  for (const name of names) {
    const { selfTest } = await from(name, "selftest.js");
    const { model } = await open(name);
    const report = selfTest(model);
    assert.deepEqual(report.failures, [], name);
    assert.ok(report.passed && report.rows >= 3 && report.original === 0 && report.worst === 0, name);
    const wrong = { predict: (row) => JSON.parse(JSON.stringify(model.predict(row)), (_, v) => (typeof v === "number" ? v + 1e-12 * Math.max(1, Math.abs(v)) : v)) };
    assert.equal(selfTest(wrong).passed, false, name);
    const broken = selfTest({ predict: () => assert.fail("no") });
    assert.equal(broken.failures.length, broken.rows);
    const json = JSON.parse(readFileSync(join(folder(name), "selftest.json"), "utf8"));
    assert.equal(json.cases.length, report.rows);
    for (const { row } of json.cases) assert.equal(row.length, model.schema.columns.length);
  }
});

test("the self-test reaches every leaf, category and kind of missing value of a small model", async () => {
  const covers = async (name) => (await from(name, "selftest.js")).selfTest((await open(name)).model).covers;
  assert.deepEqual(await covers("tree"), { leaves: [3, 3] });
  const mixed = await covers("mixed");
  assert.deepEqual([mixed.categories, mixed.missing], [[11, 11], [4, 4]]);
});

test("what lays results out refuses places that are not there", async () => {
  const module = new WebAssembly.Module(wasm("several"));
  const { exports } = new WebAssembly.Instance(module);
  const [, id] = /wasm\.open\((\d+)\)/.exec(readFileSync(join(folder("several"), "index.js"), "utf8"));
  assert.equal(exports.open(Number(id)), 0);
  const before = new Uint8Array(exports.memory.buffer).slice();
  const gives = Object.keys(exports).filter((name) => name.startsWith("give_"));
  assert.deepEqual(gives.sort(), ["give_f64", "give_u8"]);
  const numbers = [0, 1, 127, 1 << 16, 0x7fffffff, 0x80000000, 0xffffffff];
  for (const give of gives) {
    for (const first of numbers) {
      for (const width of numbers) {
        for (const into of numbers) {
          for (const count of numbers) exports[give](first, width, into, count);
        }
      }
    }
    // A column over itself.
    exports[give](0, 1, 5, 10);
  }
  const after = new Uint8Array(exports.memory.buffer);
  // Before the workspace is the image, behind it nothing.
  const [start, end] = [exports.workspace(), exports.workspace() + 8 * 128 * 32];
  assert.deepEqual(after.slice(start - 1024, start), before.slice(start - 1024, start));
  assert.deepEqual(after.slice(end), before.slice(end));
});

test("load({ integrity: true }) takes the package's own wasm and no other", async () => {
  for (const file of ["index.js", "inline.js"]) {
    const { load } = await from("linear", file);
    const model = await load({ integrity: true });
    assert.deepEqual(model.predict([1, 2, 3, 4]), (await load()).predict([1, 2, 3, 4]));
    await load({ integrity: true, source: wasm("linear") });
    await load({ integrity: true, source: new Response(wasm("linear"), { headers: { "content-type": "application/wasm" } }) });
    const other = load({ integrity: true, source: wasm("mixed") });
    await assert.rejects(other, { message: /^linear: model\.wasm is not the one of this package: sha384-/ });
    const compiled = load({ integrity: true, source: new WebAssembly.Module(wasm("linear")) });
    await assert.rejects(compiled, { message: /^linear: integrity can be checked of bytes/ });
    await load({ integrity: false, source: wasm("linear") });
  }
});

test("free(), using, and a model after it", async () => {
  const { load } = await from("linear", "index.js");
  const [model, copy] = [await load(), await load(wasm("linear"))];
  copy.free();
  copy.free();
  const gone = { message: "linear: this model was freed; load() gives another" };
  assert.throws(() => copy.predict([1, 2, 3, 4]), gone);
  assert.throws(() => copy.predictBatch([[1, 2, 3, 4]]), gone);
  assert.equal(await load(), model);
  model[Symbol.dispose]();
  assert.throws(() => model.predict([1, 2, 3, 4]), gone);
  const again = await load();
  assert.notEqual(again, model);
  again.predict([1, 2, 3, 4]);
});

test("a freed model's memory is collected", { timeout: 60_000 }, () => {
  const script = `
    const { load } = await import(${JSON.stringify(join(folder("linear"), "index.js"))});
    const { module } = await load();
    const keep = [];
    const used = async () => { for (let k = 0; k < 8; k++) { gc(); await new Promise((next) => setTimeout(next, 5)); } return process.memoryUsage().arrayBuffers + process.memoryUsage().external; };
    const round = async () => { for (let k = 0; k < 400; k++) { const model = await load(module); model.predict([1, 2, 3, 4]); keep.push(model); model.free(); } return used(); };
    const first = await round();
    console.log((await round()) - first);`;
  const out = execFileSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", script], { encoding: "utf8" });
  // 400 instances of 128 KB and more each would be 50 MB.
  assert.ok(Number(out) < 10e6, `${out} bytes more after 400 models that were freed`);
});

test("several models side by side", async () => {
  const models = await Promise.all(names.map(async (name) => (await open(name)).model));
  const rows = models.map((model) => rowsFor(model.schema.columns, 3));
  const alone = models.map((model, k) => rows[k].map((row) => model.predict(row)));
  const mixed = [0, 1, 2].map((row) => models.map((model, k) => model.predict(rows[k][row])));
  for (const k of models.keys()) assert.deepEqual(mixed.map((list) => list[k]), alone[k]);
});

/** A promise for the value of `use(pool)`, and no threads afterwards. */
async function pooled(name, options, use) {
  const { openPool } = await from(name, "worker.js");
  const pool = await openPool(options);
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

for (const workers of [0, 1, 2]) {
  test(`a pool of ${workers} answers as predictBatch does: rows, columns and typed arrays`, async () => {
    for (const name of names) {
      const { model } = await open(name);
      const columns = model.schema.columns.map(({ name }) => name);
      const rows = rowsFor(model.schema.columns, 3000);
      const byName = Object.fromEntries(columns.map((column, c) => [column, rows.map((row) => row[c])]));
      Object.defineProperty(byName, "extra", { value: [], enumerable: name === "mixed" });
      const objects = rows.map((row) => Object.fromEntries(columns.map((column, c) => [column, row[c]])));
      const inputs = [rows, byName, [], objects];
      if (name === "mixed") {
        // Left out, under another name, and told of by the row in which that is first.
        const { age, ...other } = objects[2000];
        inputs.push(objects.map((row, r) => (r === 2000 ? { ...other, agee: age } : row)));
      }
      if (rows.flat().every((value) => typeof value === "number")) {
        const flat = Float64Array.from(rows.flat());
        const shared = new Float64Array(new SharedArrayBuffer(flat.byteLength));
        shared.set(flat);
        inputs.push(flat, shared);
      }
      await pooled(name, { workers }, async (pool) => {
        assert.deepEqual([pool.workers, pool.fallback], [workers, undefined]);
        for (const input of inputs) {
          const progress = [];
          const got = await pool.predictBatch(input, { onProgress: (done, all) => progress.push([done, all]) });
          assert.deepEqual(plain(got), plain(model.predictBatch(input)), name);
          const total = got.rows;
          assert.deepEqual(progress.at(-1), [total, total]);
          if (input === rows) assert.equal(progress[0][0], 128, "the first piece is small: rows may be slow");
          assert.ok(progress.every(([done], k) => k === 0 || done > progress[k - 1][0]));
        }
        // Several at a time.
        const all = await Promise.all([pool.predictBatch(rows), pool.predictBatch(byName), pool.predictBatch(rows.slice(0, 5))]);
        assert.deepEqual(all.map(({ rows }) => rows), [3000, 3000, 5]);
        assert.deepEqual(plain(all[0]), plain(model.predictBatch(rows)));
      });
    }
  });

  test(`a pool of ${workers} refuses as predictBatch does, and goes on`, async () => {
    const { model } = await open("mixed");
    const rows = rowsFor(model.schema.columns, 9000);
    for (const [at, c, value] of [[8000, 1, "x"], [4000, 1, undefined], [7777, 3, "east"]]) rows[at][c] = value;
    let error;
    try {
      model.predictBatch(rows);
    } catch (thrown) {
      error = thrown;
    }
    assert.match(error.message, /^row 4000, "income"/);
    await pooled("mixed", { workers }, async (pool) => {
      await assert.rejects(pool.predictBatch(rows), { name: "TypeError", message: error.message });
      await assert.rejects(pool.predictBatch({ age: [1], income: [1, 2] }), TypeError);
      await assert.rejects(pool.predictBatch(7), TypeError);
      if (workers > 0) {
        await assert.rejects(pool.predictBatch([{ ...model.schema, owner: () => 1 }]), /cannot be sent to a worker/);
      }
      assert.equal((await pool.predictBatch(rows.slice(0, 100))).rows, 100);
    });
  });

  test(`a pool of ${workers}: abort, close, dispose`, async () => {
    const { model } = await open("linear");
    const many = new Float64Array(4 * 2_000_000).fill(1.5);
    await pooled("linear", { workers }, async (pool) => {
      await assert.rejects(pool.predictBatch(many, { signal: AbortSignal.abort(new Error("before")) }), { message: "before" });
      const controller = new AbortController();
      let aborted, calls = 0;
      const onProgress = () => {
        if (++calls !== 3) return;
        aborted = performance.now();
        controller.abort(new Error("enough"));
      };
      await assert.rejects(pool.predictBatch(many, { signal: controller.signal, onProgress }), { message: "enough" });
      const latency = performance.now() - aborted;
      const idle = performance.now();
      const few = await pool.predictBatch([[1, 2, 3, 4]]);
      assert.deepEqual(few.labels(), [model.predict([1, 2, 3, 4]).label]);
      assert.ok(latency < 50, `${latency} ms until the promise rejected`);
      assert.ok(performance.now() - idle < 1000);
      assert.equal(calls, 3, "no progress after the abort");
      const left = pool.predictBatch(many);
      const refused = assert.rejects(left, { message: "linear: the pool was closed" });
      await pool[Symbol.asyncDispose]();
      await refused;
      await assert.rejects(pool.predictBatch(many), { message: "linear: the pool was closed" });
    });
  });
}

test("an idle pool does not keep Node alive, a busy one does", { timeout: 60_000 }, () => {
  const script = `
    const { openPool } = await import(${JSON.stringify(join(folder("linear"), "worker.js"))});
    const pool = await openPool({ workers: 2 });
    const batch = await pool.predictBatch(new Float64Array(40000));
    process.stdout.write(String(batch.rows));`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", timeout: 30_000 });
  assert.equal(out, "10000");
});

test("without workers the calling thread does it, and the pool says why", async () => {
  const script = `
    const fs = await import("node:fs");
    process.getBuiltinModule = (name) => (name === "node:fs" ? fs : undefined);
    const { openPool } = await import(${JSON.stringify(join(folder("linear"), "worker.js"))});
    const pool = await openPool();
    const batch = await pool.predictBatch(new Float64Array(4000));
    console.log(JSON.stringify([batch.rows, pool.workers, pool.fallback.message]));`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", timeout: 30_000 });
  assert.deepEqual(JSON.parse(out), [1000, 0, "linear: there are no workers here"]);
});

// Packages in a browser, under a strict Content-Security-Policy: the same bits as in Node.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";

import { folder, made, names, root } from "../node/packages.mjs";
import { open, serve } from "./browser.mjs";

const files = { "/index.html": "<!doctype html><title>packages</title>" };
const csp = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const browser = process.env.BROWSER ?? "chromium";
let site, page;

before(async () => {
  site = await serve(made, { csp, files });
  page = await open(browser);
  await page.goto(`${site.url}/index.html`);
});

after(async () => {
  await page?.close();
  await site?.close();
});

/** Runs the same in both: every prediction, alone and in a batch, as text that keeps every bit. */
async function everything({ path, rows }) {
  const numbers = new BigUint64Array(1);
  const bits = new Float64Array(numbers.buffer);
  const text = (value) => {
    if (typeof value === "number" && !Number.isInteger(value)) {
      bits[0] = Number.isNaN(value) ? NaN : value;
      return Number.isNaN(value) ? "NaN" : numbers[0].toString(16);
    }
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return `[${Array.from(value, text).join()}]`;
    if (typeof value === "function") return text(value());
    if (value !== null && typeof value === "object") {
      return Object.entries(value).map(([name, part]) => `${name}: ${text(part)}`).join("\n");
    }
    return String(value);
  };
  const { load } = await import(path);
  const model = await load();
  const answers = [text(rows.map((row) => model.predict(row))), text(model.predictBatch(rows))].join("\n");
  // A page holds about a hundred memories: V8 reserves 10 GB of addresses for each.
  model.free();
  return answers;
}

/** A few rows that the model accepts, of plain JSON values. */
function rowsFor(columns) {
  const value = ({ kind, categories, range }, row) => {
    if (kind === "category") return categories[row % categories.length];
    if (kind === "boolean") return row % 2 === 0;
    if (kind === "text") return "good, not good! Naïve ὈΔΥΣΣΕΎΣ 😀 ".repeat(row * 9);
    return range ? range[row % 2] : row / 7;
  };
  return Array.from({ length: 200 }, (_, row) => columns.map((column) => value(column, row)));
}

for (const name of names) {
  test(`${browser}: ${name} predicts the same bits as in Node`, async () => {
    const path = join(folder(name), "index.js");
    const rows = rowsFor((await import(path)).schema.columns);
    const want = await everything({ path, rows });
    assert.equal(await page.run(everything, { path: `./packages/${name}/index.js`, rows }), want);
  });
}

const corpus = resolve(root, "../shared/corpus");
const packed = existsSync(corpus) && existsSync(join(made, "corpus")) ? readdirSync(join(made, "corpus")) : [];
for (const set of packed) {
  test(`${browser}: the packages of ${set} predict the same bits as in Node`, async (t) => {
    let count = 0;
    for (const name of readdirSync(join(made, "corpus", set))) {
      const lines = readFileSync(join(corpus, set, name, "X.jsonl"), "utf8").trim();
      const path = join(made, "corpus", set, name, "index.js");
      const { columns } = (await import(path)).schema;
      // JSON has no infinities; booleans of a frame are numbers to a model whose file does not tell.
      if (lines.includes("$inf") || /true|false/.test(lines)) continue;
      const rows = lines.split("\n").map((line) => JSON.parse(line));
      assert.ok(columns.length > 0);
      const want = await everything({ path, rows });
      const got = await page.run(everything, { path: `./corpus/${set}/${name}/index.js`, rows });
      assert.equal(got, want, name);
      count += 1;
    }
    t.diagnostic(`${count} packages`);
    assert.ok(count > 0);
  });
}

test(`${browser}: nothing but index.js and model.wasm is asked for, once`, async () => {
  const asked = page.requests.filter((url) => url.includes("/packages/linear/"));
  assert.deepEqual(asked, ["index.js", "model.wasm"].map((file) => `${site.url}/packages/linear/${file}`));
  assert.deepEqual(page.errors, []);
});

test(`${browser}: a policy that forbids WebAssembly is named, with what allows it`, async () => {
  const strict = await serve(made, { csp: "default-src 'self'; script-src 'self'", files });
  const visitor = await open(browser);
  try {
    await visitor.goto(`${strict.url}/index.html`);
    const load = async () => (await import("./packages/linear/index.js")).load();
    const message = "linear: the Content-Security-Policy forbids WebAssembly; allow 'wasm-unsafe-eval' in script-src";
    await assert.rejects(visitor.run(load), { name: "Error", message });
  } finally {
    await visitor.close();
    await strict.close();
  }
});

test(`${browser}: a policy that forbids to fetch is named, with what helps`, async () => {
  const strict = await serve(made, { csp: `${csp}; connect-src 'none'`, files });
  const visitor = await open(browser);
  try {
    await visitor.goto(`${strict.url}/index.html`);
    const load = async () => (await import("./packages/linear/index.js")).load();
    await assert.rejects(visitor.run(load), { name: "Error", message: /cannot be fetched; .* connect-src, or import linear\/inline$/ });
    const inline = async () => (await (await import("./packages/linear/inline.js")).load()).predict([1, 2, 3, 4]).label;
    assert.equal(typeof (await visitor.run(inline)), "string");
  } finally {
    await visitor.close();
    await strict.close();
  }
});

test(`${browser}: several models and several copies side by side on a page`, async () => {
  const chosen = ["linear", "mixed", "text", "several"];
  const same = await page.run(async (names) => {
    const models = [];
    for (const name of names) {
      const { load } = await import(`./packages/${name}/index.js`);
      const { module } = await load();
      models.push(await load(), ...(await Promise.all([load(module), load(module)])));
    }
    const rows = await Promise.all(
      names.map(async (name) => (await (await fetch(`./packages/${name}/selftest.json`)).json()).cases.map(({ row }) => row)),
    );
    // By turns; the last copy of each is freed on the way.
    const answers = models.map(() => []);
    for (let round = 0; round < 20; round++) {
      for (const [k, model] of models.entries()) {
        const own = rows[Math.floor(k / 3)];
        if (k % 3 < 2 || round < 10) answers[k].push(JSON.stringify(model.predict(own[round % own.length])));
        else model.free();
      }
    }
    return answers.every((list, k) => list.every((one, at) => one === answers[k - (k % 3)][at]) && list.length >= 10);
  }, chosen);
  assert.equal(same, true);
});

test(`${browser}: the self-tests pass, the workers too, under the policy`, async () => {
  // A process of its own, without the hundreds of packages of the tests before. Both workers of the first pool once did not
  // start here, and the pool's reason was not shown.
  const visitor = await open(browser);
  try {
    await visitor.goto(`${site.url}/index.html`);
    const tried = await visitor.run(async (names) => {
      const out = {};
      for (const name of names) {
        const at = `./packages/${name}`;
        const { load } = await import(`${at}/inline.js`);
        const { selfTest } = await import(`${at}/selftest.js`);
        const { openPool } = await import(`${at}/worker.js`);
        const model = await load();
        const report = selfTest(model);
        const pool = await openPool({ workers: 2, model: await load({ integrity: true }) });
        const rows = (await (await fetch(`${at}/selftest.json`)).json()).cases.map(({ row }) => row);
        const many = Array.from({ length: 5000 }, (_, k) => rows[k % rows.length]);
        const same = JSON.stringify(await pool.predictBatch(many)) === JSON.stringify(model.predictBatch(many));
        out[name] = [report.failures, pool.workers, same, pool.fallback?.message ?? ""];
        await pool.close();
      }
      return out;
    }, names);
    assert.deepEqual(tried, Object.fromEntries(names.map((name) => [name, [[], 2, true, ""]])));
  } finally {
    await visitor.close();
  }
});

test(`${browser}: where workers are forbidden the calling thread does their work, and the pool says why`, async () => {
  const strict = await serve(made, { csp: `${csp}; worker-src 'none'`, files });
  const visitor = await open(browser);
  try {
    await visitor.goto(`${strict.url}/index.html`);
    const [rows, workers, fallback] = await visitor.run(async () => {
      const { openPool } = await import("./packages/linear/worker.js");
      const pool = await openPool({ workers: 2 });
      const { rows } = await pool.predictBatch(new Float64Array(400_000));
      return [rows, pool.workers, pool.fallback.message];
    });
    assert.deepEqual([rows, workers], [100_000, 0]);
    assert.match(fallback, /./);
  } finally {
    await visitor.close();
    await strict.close();
  }
});

// The harness itself: a page that loads wasm under a strict policy, and errors that are seen.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open, serve } from "./browser.mjs";

// (module (func (export "add") (param f64 f64) (result f64) local.get 0 local.get 1 f64.add))
const add = Buffer.from(
  "0061736d0100000001070160027c7c017c030201000707010361646400000a09010700200020 01a00b".replaceAll(" ", ""),
  "hex",
);
const files = {
  "/index.html": "<!doctype html><title>harness</title>",
  "/add.js": `export const add = WebAssembly.instantiateStreaming(fetch(new URL("add.wasm", import.meta.url)))
    .then(({ instance }) => instance.exports.add);`,
  "/add.wasm": add,
};
const csp = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const browser = process.env.BROWSER ?? "chromium";
let site, page;

before(async () => {
  site = await serve(import.meta.dirname, { csp, files });
  page = await open(browser);
  await page.goto(`${site.url}/`);
});

after(async () => {
  await page?.close();
  await site?.close();
});

test(`${browser}: a module of the page instantiates streamed wasm`, async () => {
  const sum = await page.run(async ([a, b]) => (await (await import("./add.js")).add)(a, b), [2, 40]);
  assert.equal(sum, 42);
  const asked = ["/", "/add.js", "/add.wasm"].map((path) => site.url + path);
  assert.deepEqual(page.requests, asked);
  assert.deepEqual(page.errors, []);
});

test(`${browser}: the Content-Security-Policy is in force`, async () => {
  await assert.rejects(page.run(() => (0, eval)("1")), { name: "EvalError" });
});

test(`${browser}: an error in the page keeps its name and message`, async () => {
  const throws = () => {
    throw new TypeError("age: expected a number");
  };
  await assert.rejects(page.run(throws), { name: "TypeError", message: "age: expected a number" });
});

test(`${browser}: console errors and uncaught errors are collected`, async () => {
  page.errors.length = 0;
  await page.run(async () => {
    console.error("first");
    setTimeout(() => {
      throw new Error("second");
    });
    await new Promise((later) => setTimeout(later, 100));
  });
  for (let tries = 0; page.errors.length < 2 && tries < 50; tries++) await new Promise((go) => setTimeout(go, 100));
  assert.equal(page.errors.length, 2, page.errors.join("\n"));
  assert.match(page.errors[0], /first/);
  assert.match(page.errors[1], /second/);
});

test(`${browser}: a path outside the folder is not served`, async () => {
  const outside = await fetch(`${site.url}/..%2f..%2fCargo.toml`);
  assert.equal(outside.status, 404);
});

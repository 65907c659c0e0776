// What packages rely on in target/runtime.wasm, seen from outside.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const module = new WebAssembly.Module(readFileSync(new URL("../../target/runtime.wasm", import.meta.url)));

test("the runtime imports what the packager resolves, and nothing else", () => {
  const names = WebAssembly.Module.imports(module).map(({ module, name, kind }) => `${module}.${name} ${kind}`);
  const want = ["call_kernel", "check_kernel", "image", "texts", "workspace"].map((name) => `carryout.${name} function`);
  assert.deepEqual(names.sort(), want);
});

test("the runtime exports its memory, and functions", () => {
  const kinds = WebAssembly.Module.exports(module).map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === "memory").length, 1);
  assert.ok(kinds.includes("function"));
});

test("the runtime keeps its function names, which the packager reads", () => {
  assert.equal(WebAssembly.Module.customSections(module, "name").length, 1);
});

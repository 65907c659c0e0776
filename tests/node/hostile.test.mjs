// Every hostile file in the wasm build of the compile side (pkg/runtime, made by scripts/build-wasm.sh js): what its
// `expect` says, within 5 seconds and 256 MB, and always an Error with a kind, never a trap.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { root } from "./packages.mjs";

const folder = resolve(root, "../shared/corpus/hostile");
const built = join(root, "pkg/runtime");
const index = existsSync(folder) ? JSON.parse(readFileSync(join(folder, "INDEX.json"), "utf8")) : [];
const module = await WebAssembly.compile(readFileSync(join(built, "carryout_bg.wasm")));

/** The binding with a memory of its own, so that each file's own peak is seen: the memory only grows. */
async function binding(name) {
  const script = await import(`${pathToFileURL(join(built, "carryout.js"))}?${name}`);
  return { script, wasm: script.initSync({ module }) };
}

test("the hostile files are beside this clone", { skip: index.length === 0 && "no ../shared/corpus" }, () => {
  assert.ok(index.length > 100);
});

for (const { id, file, expect } of index) {
  test(`${id}: ${expect}`, async () => {
    const { script, wasm } = await binding(id);
    const bytes = readFileSync(join(folder, id, file));
    const start = performance.now();
    let error;
    try {
      script.Model.read(bytes).free();
    } catch (thrown) {
      error = thrown;
    }
    const took = performance.now() - start;
    assert.ok(took < 5000, `took ${took} ms`);
    assert.ok(wasm.memory.buffer.byteLength <= 256 << 20, `took ${wasm.memory.buffer.byteLength} bytes`);
    if (error) {
      assert.ok(!(error instanceof WebAssembly.RuntimeError), `trapped: ${error}`);
      assert.match(error.kind, /^(malformed|unsupported|unsafe|limit|input)$/);
      assert.ok(error.message.length > 10);
    } else {
      assert.equal(expect, "load", "was accepted");
    }
  });
}

test("a sound file reads and predicts", async () => {
  const { script } = await binding("sound");
  const model = script.Model.read(readFileSync(join(root, "examples/iris/model.joblib")));
  assert.equal(model.predict([5.1, 3.5, 1.4, 0.2]).label, "setosa");
});

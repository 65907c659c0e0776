// A `.carry` file in the page's half of carryout (pkg/runtime, made by scripts/build-wasm.sh js): read, tried, and packed
// to the same bytes as by the command. tests/train.rs leaves the command's package.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { made, root } from "./packages.mjs";

const built = join(root, "pkg/runtime");
const script = await import(join(built, "carryout.js"));
script.initSync({ module: readFileSync(join(built, "carryout_bg.wasm")) });
const file = readFileSync(join(root, "tests/fixtures/carry/loans.carry"));

test("the page reads a .carry file and its report", () => {
  const model = script.Model.read(file);
  assert.equal(model.task, "classification");
  assert.equal(model.source.library, "carryout");
  assert.equal(model.report.provenance.rows_train, 2400);
  assert.equal(model.report.judgement.thresholds.chosen, 0.3);
  const answer = model.predict([33, "employed", 0, 33075, 0.432, "never", "business", 8100, 36]);
  assert.equal(answer.label, "repaid");
  assert.ok(Math.abs(answer.probabilities.defaulted - 0.2438873449871452) < 1e-12);
  model.free();
});

test("a model of another library has no report", () => {
  const model = script.Model.read(readFileSync(join(root, "examples/iris/model.joblib")));
  assert.equal(model.report, undefined);
  model.free();
});

test("the page packs it as the command does", () => {
  const model = script.Model.read(file);
  const files = model.pack("loans");
  const folder = join(made, "carry/loans");
  assert.deepEqual(Object.keys(files).sort(), readdirSync(folder).sort());
  for (const [name, bytes] of Object.entries(files)) {
    assert.ok(Buffer.from(bytes).equals(readFileSync(join(folder, name))), `${name} differs`);
  }
  assert.match(Buffer.from(files["README.md"]).toString(), /## Checked\n[^]*ROC AUC 0\.747/);
  model.free();
});

test("a damaged one is an Error", () => {
  const damaged = Buffer.from(file);
  damaged[100] ^= 1;
  assert.throws(() => script.Model.read(damaged), { kind: "malformed", message: "the .carry file is damaged" });
});

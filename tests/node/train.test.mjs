// Models trained here, as packages in Node, against smartcore's own predictions. The packages are made by
// `cargo test --test train`.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { made } from "./packages.mjs";

const folder = join(made, "trained");
const json = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
assert.ok(existsSync(join(folder, "index.json")), `${folder} is not there: run cargo test --test train first`);

for (const name of json("index.json")) {
  test(name, async () => {
    const { rows, own } = json(`${name}.json`);
    const { load } = await import(join(folder, name, "index.js"));
    const model = await load();
    for (const [place, row] of rows.entries()) {
      const answer = model.predict(row);
      const at = `row ${place}`;
      const { probabilities } = answer;
      if (probabilities) {
        const shares = Object.values(probabilities);
        assert.ok(shares.every((share) => share >= 0 && share <= 1), at);
        assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-12, at);
      }
      // smartcore has no isolation forest, nor distances to the centres of k-means as outliers.
      if (own === null) continue;
      const expected = own.predicted[place];
      if ("value" in answer) {
        assert.ok(Math.abs(answer.value - expected) <= 1e-12 * Math.max(1, Math.abs(expected)), at);
        continue;
      }
      assert.deepEqual(answer.label ?? answer.outlier ?? answer.cluster, expected, at);
      if (own.probabilities && probabilities) {
        Object.values(probabilities).forEach((share, k) => {
          assert.ok(Math.abs(share - own.probabilities[place][k]) <= 1e-12, at);
        });
      }
    }
  });
}

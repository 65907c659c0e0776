import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "../src/package.ts";
import { snippet } from "../src/snippet.ts";

const hostile = ["__proto__", 'a "b"', "x\n});evil();({", "</script>", "\u2028", "\u202egpj", "${a}`", "plain", "1st", "é"];
const schema = { task: "classification", columns: hostile.map((name) => ({ name })) } as unknown as Schema;

test("reads as one would write it", () => {
  const loan = { columns: ["age", "debt ratio", "job"].map((name) => ({ name })) } as unknown as Schema;
  const code = snippet("loan-approval", loan, [41, null, "self-employed"], { label: "a", probability: 1, warnings: [] });
  assert.equal(
    code,
    `import { load } from "loan-approval";

const model = await load();
const { label, probability } = model.predict({
  age: 41,
  "debt ratio": null,
  job: "self-employed",
});
`,
  );
});

test("names and values stay data", async () => {
  const code = snippet('m"; evil(); "', schema, hostile, { value: 1 });
  assert.doesNotMatch(code, /[\u2028\u2029\u202e]/);
  assert.equal(code.split("\n").length, hostile.length + 6);
  // Run the object literal as JavaScript: every name is an own property with its value.
  const literal = code.slice(code.indexOf("predict(") + 8, code.lastIndexOf(")"));
  const row = new Function(`return (${literal})`)() as Record<string, string>;
  for (const name of hostile) {
    assert.ok(Object.hasOwn(row, name), name);
    assert.equal(row[name], name);
  }
  assert.match(code, /^import \{ load \} from "m\\"; evil\(\); \\"";$/m);
});

// The code to paste: import, load, predict with the row on the page.

import type { Prediction, Schema, Value } from "./package.ts";

const MAIN = ["label", "probability", "value", "values", "outlier", "score", "cluster", "transformed", "outputs"] as const;

/** A string literal. JSON is JavaScript since ES2019; the two separators are escaped for editors that break lines there. */
export function text(value: string): string {
  return JSON.stringify(value).replace(/[\u2028\u2029\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (mark) => {
    return `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** A property name; `__proto__` only means the property when computed. */
export function key(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name);
}

export function literal(value: Value): string {
  return typeof value === "string" ? text(value) : Object.is(value, -0) ? "-0" : String(value);
}

/** TypeScript that predicts one row, `values` in schema order, and takes the main fields of a prediction like `given`. */
export function snippet(name: string, schema: Schema, values: readonly Value[], given: Prediction): string {
  const fields = MAIN.filter((field) => Object.hasOwn(given, field));
  return [
    `import { load } from ${text(name)};`,
    "",
    "const model = await load();",
    `const { ${fields.join(", ")} } = model.predict({`,
    ...schema.columns.map((column, index) => `  ${key(column.name)}: ${literal(values[index] ?? null)},`),
    "});",
    "",
  ].join("\n");
}

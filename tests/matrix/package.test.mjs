// A package as npm, its linters, an empty project and form libraries see it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";

import RjsfForm from "@rjsf/core";
import { customizeValidator } from "@rjsf/validator-ajv8";
import { Ajv } from "ajv";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";

import { folder, names, open } from "../node/packages.mjs";
import { bin, exec, here, project } from "./matrix.mjs";

const Form = RjsfForm.default ?? RjsfForm;
const json = (name, file) => JSON.parse(readFileSync(join(folder(name), file), "utf8"));
let work;
before(async () => (work = await project(here, ".work-package")));

test("npm pack lists exactly the files of the folder", async () => {
  for (const name of ["linear", "hostile", "text"]) {
    const said = JSON.parse(await exec("npm", ["pack", "--dry-run", "--json"], { cwd: folder(name) }));
    const [{ files }] = Array.isArray(said) ? said : Object.values(said);
    assert.deepEqual(files.map(({ path }) => path).toSorted(), readdirSync(folder(name)).toSorted(), name);
  }
});

test("publint finds nothing to say", async () => {
  for (const name of ["linear", "mixed", "hostile"]) {
    const said = await exec(bin(here, "publint"), [folder(name), "--strict"]);
    assert.match(said, /All good!/, `${name}: ${said}`);
  }
});

test("the types are right for Node, bundlers and CommonJS", async (t) => {
  const said = await exec(bin(here, "attw"), ["--pack", folder("mixed"), "--format", "json", "--exclude-entrypoints", "model.wasm"]).catch(({ message }) => message);
  const { analysis, problems } = JSON.parse(said.slice(said.indexOf("{")));
  assert.equal(analysis.types.kind, "included");
  // The pool and the self-test are ES modules, and say so.
  const found = Object.values(problems ?? {}).flat().filter(({ kind }) => kind !== "CJSResolvesToESM");
  assert.deepEqual(found, [], JSON.stringify(found));
});

test("the README's code runs in an empty project that installed the tarball", async () => {
  const readme = readFileSync(join(work, "node_modules/mixed/README.md"), "utf8");
  const said = [];
  for (const [, code] of readme.matchAll(/```js\n([^]*?)```/g)) {
    writeFileSync(join(work, "readme.mjs"), code);
    said.push(await exec(process.execPath, ["readme.mjs"], { cwd: work }));
  }
  assert.equal(said.length, 2);
  assert.match(said[0], /label: '(approved|rejected)'[^]*warnings: \[\]/);
  assert.equal(said[1], "true\n");
});

test("on a server nothing of it reads a file after it was imported", async () => {
  const script = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    import { load, predict } from "mixed";
    import { selfTest } from "mixed/selftest";
    const asked = [];
    for (const part of [fs, fs.promises]) {
      for (const [name, own] of Object.entries(part)) {
        if (typeof own === "function" && /^[a-z]/.test(name)) part[name] = (...args) => (asked.push(name), own.apply(part, args));
      }
    }
    syncBuiltinESMExports();
    const own = process.getBuiltinModule;
    process.getBuiltinModule = (name) => (asked.push(name), own(name));
    await predict({ income: 1, region: "north", owner: true });
    const model = await load();
    model.predictBatch([{ income: 1, region: "north", owner: true }]);
    const { passed } = selfTest(model);
    const seen = [...asked];
    fs.existsSync("package.json");
    process.stdout.write(JSON.stringify([passed, seen, asked.length]));`;
  writeFileSync(join(work, "files.mjs"), script);
  // The last look shows that looking works.
  assert.deepEqual(JSON.parse(await exec(process.execPath, ["files.mjs"], { cwd: work })), [true, [], 1]);
});

test("ajv compiles every schema.json as it is, and it accepts what predict() accepts", async () => {
  for (const name of names) {
    const schema = json(name, "schema.json");
    const said = [];
    const ajv = new Ajv({ logger: { log() {}, warn: (text) => said.push(text), error: (text) => said.push(text) } });
    assert.ok(ajv.validateSchema(schema), JSON.stringify(ajv.errors));
    const validate = ajv.compile(schema);
    // Of a column with categories of several types.
    assert.deepEqual(said.filter((text) => !text.includes("allowUnionTypes")), [], name);
    const { model } = await open(name);
    const columns = model.schema.columns;
    for (const { row } of json(name, "selftest.json").cases) {
      const object = Object.fromEntries(columns.map(({ name }, c) => [name, row[c]]));
      assert.ok(validate(object), `${name}: ${JSON.stringify([object, validate.errors])}`);
      // One wrong value a column: refused by both, or by neither.
      for (const [c, { name: column }] of columns.entries()) {
        for (const value of [{}, [], "no such string", 1e9, true, null]) {
          const wrong = Object.fromEntries(Object.entries(object).map(([key, own]) => [key, key === column ? value : own]));
          let taken = true;
          try {
            model.predict(wrong);
          } catch (error) {
            if (error instanceof RangeError) continue;
            taken = false;
          }
          // JSON Schema's numbers and booleans are apart; predict takes 0 and 1 for booleans, and the other way round.
          const kinds = columns[c].kind === "boolean" || (columns[c].categories ?? []).some((one) => typeof one !== "string");
          if (kinds && (typeof value === "boolean" || typeof value === "number")) continue;
          // ajv takes no notice of a property of this name.
          if (column === "__proto__") continue;
          assert.equal(validate(wrong), taken, `${name}, ${JSON.stringify(column)}: ${JSON.stringify(value)}`);
        }
      }
    }
  }
});

test("ajv fills in no required field", async () => {
  for (const name of names) {
    const schema = json(name, "schema.json");
    const validate = new Ajv({ useDefaults: true, logger: false }).compile(schema);
    const { cases } = json(name, "selftest.json");
    const { schema: { columns } } = await open(name);
    const row = Object.fromEntries(columns.map((column, c) => [column.name, cases[0].row[c]]));
    for (const left of schema.required) {
      // ajv takes no notice of properties of these names.
      if (left === "__proto__" || left === "") continue;
      const without = Object.fromEntries(Object.entries(row).filter(([key]) => key !== left));
      assert.equal(validate(without), false, `${name} without ${left}`);
    }
  }
});

test("a form library makes a form of schema.json, with titles, choices and what is required", () => {
  const validator = customizeValidator();
  for (const name of names) {
    const schema = json(name, "schema.json");
    const html = renderToStaticMarkup(createElement(Form, { schema, validator }));
    const inputs = html.match(/<(input|select)\b/g) ?? [];
    assert.ok(inputs.length >= Object.keys(schema.properties).length - 1, `${name}: ${inputs.length} inputs`);
    assert.ok(!html.includes("Unsupported field"), `${name}: ${html.match(/Unsupported field[^<]*/)}`);
    assert.ok(!/<script>alert|<img src=x/.test(html), name);
  }
  const html = renderToStaticMarkup(createElement(Form, { schema: json("mixed", "schema.json"), validator }));
  for (const part of ["north", "south", "income", 'type="checkbox"', "required"]) assert.ok(html.includes(part), part);
});

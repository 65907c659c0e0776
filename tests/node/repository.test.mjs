// The repository's own promises about what it installs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, root), "utf8");
const tracked = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n");
const folders = tracked.filter((path) => /(^|\/)package-lock\.json$/.test(path)).map((path) => path.slice(0, -17));

test("every lockfile pins by content and names no host", () => {
  assert.ok(folders.includes(""));
  for (const folder of folders) {
    const { packages } = JSON.parse(read(`${folder}package-lock.json`));
    for (const [path, entry] of Object.entries(packages)) {
      assert.equal(entry.resolved, undefined, `${folder}package-lock.json: ${path} names an address`);
      // What is bundled is within its parent's tarball.
      if (path && !entry.link && !entry.inBundle) assert.match(entry.integrity, /^sha512-/, `${folder}package-lock.json: ${path}`);
    }
  }
});

test("every npm dependency is an exact version", () => {
  for (const folder of folders) {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(read(`${folder}package.json`));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      assert.match(version, /^(\d+\.\d+\.\d+|file:.*)$/, `${folder}package.json: ${name}`);
    }
  }
});

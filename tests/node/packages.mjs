// The packages that `cargo test --test package` leaves behind, for the tests beside this file.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/** Cargo's folder for what tests write. */
export const made = resolve(root, process.env.CARGO_TARGET_DIR ?? "target", "tmp");

/** The folder of a package made in tests/package.rs. */
export function folder(name) {
  const path = join(made, "packages", name);
  assert.ok(existsSync(path), `${path} is not there: run cargo test --test package first`);
  return path;
}

export const names = [
  "linear",
  "mixed",
  "hostile",
  "single",
  "targets",
  "several",
  "anomaly",
  "clusters",
  "transform",
  "tree",
  "scaled",
  "floats",
  "strings",
  "text",
  "review",
  "codes",
  "digits",
];

/** Imports a package and loads its model. */
export async function open(name) {
  const module = await import(join(folder(name), "index.js"));
  return { ...module, model: await module.load() };
}

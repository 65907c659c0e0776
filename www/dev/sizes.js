// Prints what a visitor downloads, after a build.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
for (const name of readdirSync(dist)) {
  const body = readFileSync(new URL(name, dist));
  console.log(`${name.padEnd(12)} ${String(body.length).padStart(7)} B  ${String(gzipSync(body, { level: 9 }).length).padStart(6)} B gzipped`);
}

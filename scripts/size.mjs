// Sizes of packages, as a visitor downloads them: raw, gzip and brotli.
//
//   node scripts/size.mjs CARRYOUT
//
// Packs the models below with that command. Those of the benchmark are generated; they are here where `make bench` has run.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const root = resolve(import.meta.dirname, "..");
const carryout = resolve(process.argv[2]);
const models = [
  ["logistic regression, 4 columns, 3 classes", "tests/fixtures/sizes/logistic.pkl"],
  ["random forest, 100 trees, 3 classes", "tests/fixtures/sizes/forest.joblib"],
  ["example: iris", "examples/iris/model.joblib"],
  ["example: diabetes", "examples/diabetes/model.joblib"],
  ["example: wine", "examples/wine/model.joblib"],
  ["example: topics", "examples/topics/model.joblib"],
  ["T1: XGBoost, 100 trees, depth 6", "target/bench/T1/model.json"],
  ["T2: LightGBM, 1000 trees, 31 leaves", "target/bench/T2/model.txt"],
  ["T3: random forest, 100 full trees", "target/bench/T3/model.pkl"],
  ["T4: impute, scale, one-hot, logistic", "target/bench/T4/model.pkl"],
  ["T5: scale, SVC", "target/bench/T5s/model.pkl"],
  ["T5: scale, MLP", "target/bench/T5m/model.pkl"],
];

const folder = mkdtempSync(join(tmpdir(), "carryout-size-"));
const rows = [["", "index.js", "", "", "model.wasm", "", "", "in all", "", ""]];
rows.push(["model", ...Array(3).fill(["raw", "gzip", "brotli"]).flat()]);
try {
  for (const [what, file] of models) {
    const model = join(root, file);
    if (!existsSync(model)) continue;
    const out = join(folder, String(rows.length));
    execFileSync(carryout, ["pack", model, "-o", out, "--name", "size"], { stdio: ["ignore", "ignore", "pipe"] });
    const sizes = ["index.js", "model.wasm"].map((name) => {
      const bytes = readFileSync(join(out, name));
      return [bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length];
    });
    const all = sizes[0].map((size, k) => size + sizes[1][k]);
    rows.push([what, ...sizes[0], ...sizes[1], ...all].map((cell) => (typeof cell === "number" ? String(cell) : cell)));
  }
} finally {
  rmSync(folder, { recursive: true });
}
const widths = rows[1].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
for (const row of rows) {
  console.log(row.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[0]))).join("  ").trimEnd());
}

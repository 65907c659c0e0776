// Measures one engine on one case, in Node or in Chromium: a line of JSON in, one out, as native.py does.
//
//   node worker.mjs node|chromium FOLDER CASE ENGINE WINDOW
//   node worker.mjs cold FOLDER CASE ENGINE      one cold start in this process, and no more
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

const [, , place, root, name, engine, window] = process.argv;
const here = import.meta.dirname;
const labels = existsSync(join(root, name, "labels.i32"));
const rows = join(root, name, "rows.f32");
const width = existsSync(rows) ? statSync(rows).size / 4 / 100_000 : undefined;
const where = (base, modules) => ({ where: base, folder: `${base}/${name}`, modules, name, engine, labels, width });

/** Nanoseconds that the main thread of a process has computed; undefined where the system does not tell. */
function computed(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    return undefined;
  }
}

/** A batch's time as the thread's that ran it, whichever of the processes it is in: others' turns do not count. */
async function timed(batch, pids) {
  const before = pids.map(computed);
  const answer = await batch();
  // One that has ended meanwhile, as a spare renderer may, is not it.
  const spent = Math.max(...pids.map((pid, k) => computed(pid) - before[k]).filter(Number.isFinite));
  return Number.isFinite(spent) ? { ...answer, ns: spent / answer.done } : answer;
}

const places = {
  async node() {
    const { prepare } = await import("./measure.mjs");
    const at = where(pathToFileURL(root).href, pathToFileURL(join(here, "node_modules")).href);
    let ready;
    const cold = async () => {
      const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), "cold", root, name, engine]);
      let text = "";
      child.stderr.pipe(process.stderr);
      for await (const part of child.stdout) text += part;
      return JSON.parse(text);
    };
    const ask = async ({ kind, rows }) => {
      if (kind === "cold") return cold();
      ready ??= await prepare(at, +window);
      return kind === "batch" ? timed(() => ready.batch(rows), ["self"]) : ready[kind]();
    };
    return { ask, close() {} };
  },

  async chromium() {
    const { launchChromium, serve } = await import("../tests/browser/browser.mjs");
    const files = { "/index.html": "<!doctype html><title>bench</title>" };
    files["/measure.mjs"] = await readFile(join(here, "measure.mjs"));
    // Isolated from other origins, a page has a clock of 5 µs; else of 100.
    const headers = {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-resource-policy": "cross-origin",
    };
    const site = await serve(root, { files, headers });
    const modules = await serve(join(here, "node_modules"), { headers: { ...headers, "access-control-allow-origin": "*" } });
    const at = where(site.url, modules.url);
    const browser = await launchChromium();
    const open = async () => {
      const page = await (await browser.newContext()).newPage();
      page.setDefaultTimeout(600_000);
      await page.goto(`${site.url}/index.html`);
      await page.evaluate(async () => (self.bench = await import("/measure.mjs")));
      return page;
    };
    let ready;
    let renderers;
    const ask = async ({ kind, rows }) => {
      if (kind === "cold") {
        const page = await open();
        try {
          return await page.evaluate((at) => self.bench.cold(at), at);
        } finally {
          await page.context().close();
        }
      }
      if (!ready) {
        ready = await open();
        await ready.evaluate(async ([at, window]) => (self.ready = await self.bench.prepare(at, window)), [at, +window]);
        const { processInfo } = await (await browser.newBrowserCDPSession()).send("SystemInfo.getProcessInfo");
        renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
      }
      const run = () => ready.evaluate(([kind, rows]) => self.ready[kind](rows), [kind, rows]);
      return kind === "batch" ? timed(run, renderers) : run();
    };
    const close = async () => {
      await browser.close();
      await site.close();
      await modules.close();
    };
    return { ask, close };
  },
};

if (place === "cold") {
  const { cold } = await import("./measure.mjs");
  console.log(JSON.stringify(await cold(where(pathToFileURL(root).href, pathToFileURL(join(here, "node_modules")).href))));
  process.exit();
}

let worker;
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    worker ??= await places[place]();
    answer = await worker.ask(JSON.parse(line));
  } catch (error) {
    answer = { error: String(error.message ?? error).split("\n")[0] };
  }
  console.log(JSON.stringify(answer));
}
await worker?.close();
process.exit();

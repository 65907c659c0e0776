// A stand-in for `carryout demo`: the page and packages over HTTP, with the same paths and the same policy.
// Packages come from the folder in PACKAGES, else from the doubles in dev/packages.

import { createServer } from "node:http";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { extname, join, normalize } from "node:path";

export const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'";

const here = fileURLToPath(new URL(".", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

async function send(response, root, path) {
  const file = normalize(join(root, decodeURIComponent(path)));
  if (!file.startsWith(normalize(root))) return false;
  const body = await readFile(file).catch(() => null);
  if (!body) return false;
  response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
  response.end(body);
  return true;
}

/** Answers /packages.json and /packages/…; hands everything else on. */
export function packages(root = process.env.PACKAGES ?? join(here, "packages")) {
  return async (request, response, next) => {
    const path = new URL(request.url, "http://localhost").pathname;
    if (path === "/packages.json") {
      const entries = await readdir(root, { withFileTypes: true });
      const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
      const rows = new Set(entries.map((entry) => entry.name));
      const list = names.map((name) => ({ name, path: `/packages/${name}/`, rows: rows.has(`${name}.csv`) ? `/packages/${name}.csv` : null }));
      response.setHeader("content-type", "application/json");
      return response.end(JSON.stringify(list));
    }
    if (path.startsWith("/packages/") && (await send(response, root, path.slice("/packages/".length)))) return;
    next();
  };
}

/** Serves `dist` and the packages; resolves to the origin and a function that stops it. */
export async function serve(dist = join(here, "../dist"), port = 0) {
  const offer = packages();
  const server = createServer((request, response) => {
    response.setHeader("content-security-policy", POLICY);
    offer(request, response, async () => {
      const path = new URL(request.url, "http://localhost").pathname;
      if (await send(response, dist, path === "/" ? "index.html" : path)) return;
      response.statusCode = 404;
      response.end();
    });
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  return { origin: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

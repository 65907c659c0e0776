// A served folder and a page in Chromium or Firefox, for tests that need the real thing.
//
//   const site = await serve(folder, { csp: "script-src 'self' 'wasm-unsafe-eval'" });
//   const page = await open("firefox");
//   await page.goto(`${site.url}/index.html`);
//   const label = await page.run(async (row) => (await import("./index.js")).predict(row), { age: 41 });
//
// Chromium is driven by Playwright, Firefox by geckodriver over plain WebDriver, for Playwright drives only a
// Firefox build of its own. Both run a function the same way: as a module that the page loads from its own server,
// so that imports resolve beside the page and its Content-Security-Policy holds.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, resolve, sep } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import WebSocket from "ws";

const root = resolve(import.meta.dirname, "../..");

const types = {
  ".css": "text/css; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

// The functions that pages are about to load, by the last part of their address.
const scripts = new Map();

/**
 * Serves `folder` on 127.0.0.1 at a free port.
 * @param {string} folder
 * @param {{ csp?: string, headers?: Record<string, string>, files?: Record<string, string | Uint8Array> }} [options]
 *   `csp`: a Content-Security-Policy for every answer; `files`: contents by path ("/index.html"), before the folder's
 * @returns {Promise<{ url: string, requests: string[], close: () => Promise<void> }>}
 *   `url` without a slash at its end; `requests`: the paths asked for so far
 */
export async function serve(folder, { csp, headers = {}, files = {} } = {}) {
  const base = await realpath(folder);
  const requests = [];
  const read = async (path) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (Object.hasOwn(files, path)) return files[path];
    if (scripts.has(name)) return scripts.get(name);
    if (name === "favicon.ico") return "";
    const file = await realpath(join(base, path));
    if (!file.startsWith(base + sep)) throw new Error("outside the folder");
    return readFile(file);
  };
  const server = createServer(async (request, response) => {
    let path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    if (path.endsWith("/")) path += "index.html";
    if (!path.includes("/__run")) requests.push(path);
    try {
      const body = await read(path);
      response.writeHead(200, {
        "content-type": types[extname(path)] ?? "application/octet-stream",
        "cache-control": "no-store",
        ...(csp && { "content-security-policy": csp }),
        ...headers,
      });
      response.end(body);
    } catch {
      response.writeHead(404, { "content-type": "text/plain" }).end(`no file ${path}\n`);
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () =>
    new Promise((closed) => {
      server.close(closed);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}`, requests, close };
}

/**
 * Opens an empty page in a new browser of its own.
 * @param {"chromium" | "firefox"} name
 * @returns {Promise<Page>} with `goto(url)`, `run(fn, arg)` (both JSON; an error in the page is thrown here under its
 *   own name), `errors` (console errors and uncaught ones so far), `requests` (the addresses asked for so far, other
 *   hosts' too) and `close()`; in Chromium also `playwright`, the page as Playwright has it
 */
export async function open(name) {
  const browser = await { chromium: openChromium, firefox: openFirefox }[name]();
  let at;
  return {
    name,
    ...browser,
    async goto(url) {
      at = url;
      await browser.goto(url);
    },
    async run(fn, arg) {
      const key = `__run${scripts.size}`;
      scripts.set(
        `${key}.mjs`,
        `window.${key} = (async () => ({ value: await (${fn})(${JSON.stringify(arg)}) }))()
          .catch((e) => ({ name: e?.name, message: e?.message ?? String(e), stack: e?.stack }))
          .then((result) => JSON.stringify(result));`,
      );
      const result = JSON.parse(await browser.evaluate(loadAndWait, [new URL(`${key}.mjs`, at).href, key]));
      if (!("message" in result)) return result.value;
      const error = new Error(result.message);
      error.name = result.name ?? "Error";
      error.stack = `${error.name}: ${result.message}\n${result.stack ?? ""}`;
      throw error;
    },
  };
}

// Runs in the page.
function loadAndWait([src, key]) {
  return new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.type = "module";
    script.src = src;
    script.onload = () => loaded(window[key]);
    script.onerror = () => failed(new Error(`the page could not load ${src}`));
    document.head.append(script);
  });
}

/** The program that scripts/setup.sh recorded as `variable` for `piece`. */
function program(variable, piece) {
  if (process.env[variable]) return process.env[variable];
  try {
    const text = readFileSync(join(root, ".toolchain", `${piece}.env`), "utf8");
    return text.match(new RegExp(`^export ${variable}=(.+)$`, "m"))[1].replace(/\\(.)/g, "$1");
  } catch {
    throw new Error(`no ${piece} on record: run scripts/setup.sh ${piece}`);
  }
}

/** Chromium by Playwright; with the arguments that wasm-pack's tests use too. */
export async function launchChromium() {
  const { args } = JSON.parse(readFileSync(join(root, "webdriver.json"), "utf8"))["goog:chromeOptions"];
  return chromium.launch({ executablePath: program("CHROMIUM", "chromium"), args });
}

async function openChromium() {
  const browser = await launchChromium();
  const page = await browser.newPage();
  const errors = [];
  const requests = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => request.url().includes("/__run") || requests.push(request.url()));
  return {
    playwright: page,
    errors,
    requests,
    goto: (url) => page.goto(url),
    evaluate: (fn, arg) => page.evaluate(fn, arg),
    close: () => browser.close(),
  };
}

async function openFirefox() {
  const profile = mkdtempSync(join(tmpdir(), "carryout-firefox-"));
  // A process group of its own, so that Firefox ends with its driver however this process ends.
  const driver = spawn(program("GECKODRIVER", "firefox"), ["--port=0", "--websocket-port=0", "--profile-root", profile], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const kill = () => {
    try {
      process.kill(-driver.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once("exit", kill);

  const port = await new Promise((listening, failed) => {
    driver.once("error", failed);
    driver.once("exit", (code) => failed(new Error(`geckodriver ended with ${code}`)));
    createInterface({ input: driver.stdout }).on("line", (line) => {
      const started = line.match(/Listening on 127\.0\.0\.1:(\d+)/);
      if (started) listening(started[1]);
    });
  });
  const command = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}/session${path}`, {
      method,
      body: body && JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`geckodriver: ${value.error}: ${value.message}`);
    return value;
  };
  const { sessionId, capabilities } = await command("POST", "", {
    capabilities: {
      alwaysMatch: {
        webSocketUrl: true,
        timeouts: { script: 120_000, pageLoad: 60_000 },
        "moz:firefoxOptions": {
          binary: program("FIREFOX", "firefox"),
          args: ["-headless"],
          // A favicon that no page asked for would show among the errors.
          prefs: { "browser.chrome.site_icons": false },
        },
      },
    },
  });

  // What the page logs and asks for arrives as events of WebDriver BiDi.
  const errors = [];
  const requests = [];
  const events = new WebSocket(capabilities.webSocketUrl);
  await new Promise((opened, failed) => events.once("open", opened).once("error", failed));
  const subscribed = new Promise((answered) => events.once("message", answered));
  events.send(
    JSON.stringify({
      id: 1,
      method: "session.subscribe",
      params: { events: ["log.entryAdded", "network.beforeRequestSent"] },
    }),
  );
  await subscribed;
  events.on("message", (data) => {
    const { method, params } = JSON.parse(data);
    if (method === "log.entryAdded" && params.level === "error") errors.push(params.text);
    if (method !== "network.beforeRequestSent") return;
    const { url } = params.request;
    if (!url.includes("/__run")) requests.push(url);
  });

  const evaluate = async (fn, arg) => {
    const script = `const done = arguments[arguments.length - 1];
      Promise.resolve((${fn})(arguments[0])).then((value) => done({ value }), (e) => done({ error: String(e) }));`;
    const result = await command("POST", `/${sessionId}/execute/async`, { script, args: [arg] });
    if (result.error) throw new Error(result.error);
    return result.value;
  };
  return {
    errors,
    requests,
    goto: (url) => command("POST", `/${sessionId}/url`, { url }),
    evaluate,
    async close() {
      events.terminate();
      await command("DELETE", `/${sessionId}`).catch(() => {});
      process.off("exit", kill);
      kill();
    },
  };
}

// A terminated test still ends the browsers that it started.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

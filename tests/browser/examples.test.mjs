// The examples of `carryout train` on the page, in a browser: what the pictures say is what the packages say here.
// tests/examples.rs makes the packages, `npm run build` in www the page.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";

import { POLICY } from "../../www/dev/server.js";
import { made, root } from "../node/packages.mjs";
import { open, serve } from "./browser.mjs";

const names = ["arrival-time", "energy-consumption", "loan-applications", "taxi-rides"];
const folder = join(made, "examples");
const absent = names.every((name) => existsSync(join(folder, name, "model.wasm"))) ? false : "run `cargo test --test examples` first";
let site, plain, page;

before(async () => {
  if (absent) return;
  const dist = join(root, "www/dist");
  if (!existsSync(dist)) execFileSync("npm", ["--prefix", join(root, "www"), "run", "build"], { stdio: "ignore" });
  const files = Object.fromEntries(readdirSync(dist).map((file) => [`/${file}`, readFileSync(join(dist, file))]));
  files["/packages.json"] = JSON.stringify(names.map((name) => ({ name, path: `/packages/${name}/`, rows: `/packages/${name}.csv` })));
  for (const name of names) {
    files[`/packages/${name}.csv`] = readFileSync(join(folder, `${name}.csv`));
    for (const file of ["index.js", "model.wasm"]) files[`/packages/${name}/${file}`] = readFileSync(join(folder, name, file));
  }
  site = await serve(folder, { csp: POLICY, files });
  // Without a policy from the server, as a file has none.
  plain = await serve(folder);
  page = await open(process.env.BROWSER ?? "chromium");
});

after(async () => {
  await page?.close();
  await site?.close();
  await plain?.close();
});

/** A package and the rows of its example as objects, in Node. */
async function here(name) {
  const [head, ...lines] = readFileSync(join(folder, `${name}.csv`), "utf8").trimEnd().split("\n").map((line) => line.split(","));
  const { load } = await import(pathToFileURL(join(folder, name, "index.js")).href);
  const model = await load();
  const row = (line) =>
    Object.fromEntries(
      model.schema.columns.map(({ name, kind }) => {
        const field = line[head.indexOf(name)];
        return [name, field === "" ? null : kind === "number" || kind === "integer" ? Number(field) : field];
      }),
    );
  return { predictions: lines.map((line) => model.predict(row(line))), column: (name) => lines.map((line) => line[head.indexOf(name)]) };
}

/** The page on an example, its rows predicted. */
async function show(name) {
  await page.goto(`${site.url}/?${name}#${name}`);
  await page.run(async () => {
    for (let waited = 0; !document.querySelector(".insight"); waited++) {
      if (waited > 400) throw new Error(`no picture: ${document.body.innerText}`);
      await new Promise((later) => setTimeout(later, 25));
    }
  });
}

const figures = () => page.run(() => [...document.querySelectorAll(".figures-row dd:not(.hint)")].map((one) => one.textContent));
const percent = (share) => `${(share * 100).toFixed(1)}%`;

test("taxi rides: the flagged rows, and a dropped file comes back with a column", { skip: absent }, async () => {
  const { predictions, column } = await here("taxi-rides");
  const flagged = column("ride").filter((_, row) => predictions[row].outlier);
  assert.ok(flagged.length >= 5 && flagged.length <= 12, String(flagged));
  await show("taxi-rides");
  const seen = await page.run(() => ({
    titles: [...document.querySelectorAll(".dot.flagged title")].map((title) => title.textContent.split(",")[0]),
    plain: document.querySelectorAll(".dot.plain").length,
  }));
  assert.deepEqual(seen, { titles: flagged, plain: 500 - flagged.length });

  const back = await page.run(async () => {
    const data = new DataTransfer();
    const rows = ["id;distance_km;minutes", "a;2.5;12", "b;2.5;140", "c;21;40"];
    data.items.add(new File([rows.join("\n")], "mine.csv", { type: "text/csv" }));
    document.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    while (!document.querySelector(".status").textContent.startsWith("3 rows")) await new Promise((later) => setTimeout(later, 25));
    // The file that the link downloads, as it was made.
    const link = [...document.querySelectorAll("a")].find((one) => one.textContent === "Download CSV");
    return {
      file: link.download,
      blob: link.href.startsWith("blob:") && !link.hidden,
      head: [...document.querySelectorAll(".preview th")].map((cell) => cell.textContent),
      row: [...document.querySelectorAll(".preview tbody tr")].map((line) => [...line.children].map((cell) => cell.textContent)),
      dots: document.querySelectorAll(".dot").length,
    };
  });
  assert.deepEqual([back.file, back.blob, back.dots], ["taxi-rides.predictions.csv", true, 3]);
  assert.deepEqual(back.head, ["outlier", "score", "id", "distance_km", "minutes"]);
  assert.deepEqual(back.row.map((cells) => [cells[0], cells[2], cells[4]]), [["true", "b", "140"]]);
});

test("loan applications: moving the threshold counts anew", { skip: absent }, async () => {
  const { predictions, column } = await here("loan-applications");
  const truth = column("outcome");
  const bad = truth.filter((outcome) => outcome === "defaulted").length;
  await show("loan-applications");
  for (const at of [null, 0.1, 0.5, 0.8]) {
    const threshold = await page.run((at) => {
      const slider = document.querySelector(".threshold input");
      if (at !== null) {
        slider.value = String(at * 100);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      }
      return Number(document.querySelector(".at").textContent);
    }, at);
    // Where it starts, the labels themselves are flagged.
    const flagged = predictions.map(({ label, probabilities }) => (at === null ? label === "defaulted" : probabilities.defaulted >= threshold));
    const hits = flagged.filter((flag, row) => flag && truth[row] === "defaulted").length;
    const all = flagged.filter(Boolean).length;
    const [precision, recall, , share] = await figures();
    assert.deepEqual([precision, recall, share], [percent(hits / all), percent(hits / bad), percent(all / truth.length)], String(threshold));
    if (at === null) assert.notEqual(threshold, 0.5);
  }
});

for (const [name, target, picture] of [
  ["arrival-time", "minutes", "predicted by minutes"],
  ["energy-consumption", "kwh", "predictions in the order of the rows"],
]) {
  test(`${name}: predictions and the true ${target}`, { skip: absent }, async () => {
    const { predictions, column } = await here(name);
    const truth = column(target).map(Number);
    const error = predictions.reduce((sum, { value }, row) => sum + Math.abs(value - truth[row]), 0) / truth.length;
    await show(name);
    const [mean] = await figures();
    assert.equal(Number(mean), Number(error.toPrecision(3)));
    assert.equal(await page.run(() => document.querySelector(".chart").getAttribute("aria-label")), picture);
  });
}

test("the reports: styled under their own policy, and nothing is asked for", { skip: absent }, async () => {
  for (const name of names) {
    const before = page.requests.length;
    await page.goto(`${plain.url}/${name}.html`);
    // No script runs under the report's policy, so the test's own must not go through the page.
    const seen = await page.evaluate(() => ({
      pictures: document.querySelectorAll("svg").length,
      // The sheet counts only where its hash is that of the policy.
      styled: getComputedStyle(document.querySelector(".lead")).fontSize,
      policy: document.querySelector("meta[http-equiv]").content,
    }));
    assert.ok(seen.pictures > 0, name);
    assert.equal(seen.styled, "18px", name);
    assert.match(seen.policy, /^default-src 'none'; style-src 'sha384-[^' ]+'; base-uri 'none'; form-action 'none'$/);
    assert.deepEqual(page.requests.slice(before).filter((url) => !url.endsWith("/favicon.ico")), [`${plain.url}/${name}.html`]);
  }
});

test("no error, and nothing is cut off on a phone", { skip: absent }, async () => {
  assert.deepEqual(page.errors, []);
  assert.deepEqual(page.requests.filter((url) => !url.startsWith("http://127.0.0.1:") && !url.startsWith("blob:")), []);
  if (!page.playwright) return;
  await page.playwright.setViewportSize({ width: 390, height: 844 });
  for (const name of names) {
    await show(name);
    assert.equal(await page.run(() => document.documentElement.scrollWidth), 390, name);
  }
});

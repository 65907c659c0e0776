// The built page in Chromium, served with the policy of `carryout demo`: values are typed, the prediction follows, and
// nothing is requested any more. `SHOTS=folder` writes pictures. CHROMIUM names the browser, PACKAGES the packages.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";
import { serve } from "../dev/server.js";

const { origin, stop } = await serve();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(" "),
});
const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

/** Opens the page on a package; anything in the console or refused by the policy fails the check that opened it. */
async function open(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(`${origin}/#${encodeURIComponent(name)}`);
  await page.waitForSelector(".answer");
  requests.length = 0;
  return {
    page,
    requests,
    text: (selector) => page.locator(selector).first().innerText(),
    async done() {
      assert.deepEqual(complaints, []);
      await context.close();
    },
  };
}

const checks = {
  async "typing changes the prediction, and nothing is requested"() {
    const { page, requests, text, done } = await open("loan-approval");
    const before = await text(".aside");
    await page.getByLabel("income", { exact: true }).last().fill("9000");
    assert.equal(await text(".answer"), "rejected");
    assert.notEqual(await text(".aside"), before);
    assert.match(await text("pre"), /income: 9000,/);
    await page.getByRole("radio", { name: "retired" }).check();
    assert.match(await text("pre"), /employment: "retired",/);
    await page.getByRole("switch", { name: "owns_home" }).press("Space");
    assert.match(await text("pre"), /owns_home: true,/);
    const slider = page.getByRole("slider", { name: "age" });
    await slider.press("End");
    assert.match(await text("pre"), /age: 79,/);
    assert.equal(await slider.getAttribute("aria-valuetext"), "79");
    await page.getByRole("checkbox", { name: "missing" }).first().check();
    assert.match(await text("pre"), /debt_ratio: null,/);
    await page.getByRole("checkbox", { name: "missing" }).first().uncheck();
    assert.doesNotMatch(await text("pre"), /debt_ratio: null,/);
    await page.waitForFunction(() => /\d (ns|µs|ms)/.test(document.querySelector("#latency").textContent));
    assert.equal(await text("#requests"), "0");
    assert.deepEqual(requests, []);
    await done();
  },

  async "the count of requests counts"() {
    const { page, text, done } = await open("loan-approval");
    await page.evaluate(() => fetch("/packages.json").then((response) => response.text()));
    await page.waitForFunction(() => document.querySelector("#requests").textContent === "1");
    assert.match(await text(".facts"), /packages\.json/);
    await done();
  },

  async "a wrong value is named and the old prediction fades"() {
    const { page, text, done } = await open("loan-approval");
    const box = page.getByRole("textbox", { name: "age" });
    await box.fill("forty");
    assert.equal(await text(".field .problem:not([hidden])"), "age needs a number, not “forty”");
    assert.equal(await box.getAttribute("aria-invalid"), "true");
    assert.equal(await page.locator(".result.stale").count(), 1);
    await box.fill("95");
    assert.equal(await page.locator(".result.stale").count(), 0);
    assert.match(await text(".warnings"), /95/);
    await box.press("ArrowUp");
    assert.equal(await box.inputValue(), "96");
    await done();
  },

  async "an unknown category is passed on where the model takes it"() {
    const { page, text, done } = await open("loan-approval");
    await page.getByRole("combobox", { name: "purpose" }).selectOption({ label: "Another value…" });
    const other = page.getByPlaceholder("a value it has not seen");
    assert.ok(await other.evaluate((box) => box === document.activeElement));
    assert.equal(await page.locator(".field .problem:not([hidden]), .stale").count(), 0);
    await other.fill("boat");
    assert.match(await text(".warnings"), /boat/);
    assert.match(await text("pre"), /purpose: "boat",/);
    await done();
  },

  async "infinity is marked where the model does not take it"() {
    const { page, text, done } = await open("loan-approval");
    await page.getByRole("textbox", { name: "age" }).fill("Infinity");
    assert.equal(await text(".field .problem:not([hidden])"), "age needs a number, not “Infinity”");
    await done();
  },

  async "a name that no package has is said"() {
    const { page, text, done } = await open("loan-approval");
    await page.evaluate(() => (location.hash = "loan-aproval"));
    await page.getByRole("heading", { name: "There is no model loan-aproval" }).waitFor();
    assert.match(await text(".failure p"), /loan-approval/);
    await page.getByLabel("Model").selectOption("loan-approval");
    await page.getByRole("heading", { name: "loan-approval", level: 1 }).waitFor();
    await done();
  },

  async "a threshold of the model's own is told where it decides"() {
    const { page, text, done } = await open("odd-loans");
    assert.equal(await text(".answer"), "defaulted");
    assert.equal(await text(".aside"), "40%, enough from 26% on".replaceAll("%", ".0%"));
    assert.equal(await text(".figures h3"), "Probability of each class; defaulted from 26.0% on");
    await done();
  },

  async "a file is taken wherever it is dropped; a model file and one without rows are told"() {
    const { page, text, done } = await open("odd-rows");
    const drop = (selector, name, body) =>
      page.evaluate(
        ([selector, name, body]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([body], name));
          const init = { dataTransfer, bubbles: true, cancelable: true };
          const target = document.querySelector(selector);
          const over = !target.dispatchEvent(new DragEvent("dragover", init));
          return over && !target.dispatchEvent(new DragEvent("drop", init));
        },
        [selector, name, body],
      );
    assert.ok(await drop("h1", "rows.csv", "pressure,temperature\n2,31\n2,99\n"));
    await page.getByText(/^2 rows in /).waitFor();
    assert.ok(await drop("body", "model.joblib", "x\x9c\0"));
    await page.getByText("carryout pack model.joblib").waitFor();
    assert.equal(await page.locator(".preview").isVisible(), false);
    assert.ok(await drop("body", "empty.csv", "pressure,temperature\n"));
    await page.getByText(/^no rows/).waitFor();
    assert.ok(await drop("body", "rows.jsonl", '{"pressure":2,"temperature":31}'));
    assert.match(await text(".status.problem"), /no rows|is not in the header/);
    await page.getByText(/is not in the header/).waitFor();
    await done();
  },

  async "landmarks have names of their own, and lists hold what lists may"() {
    const { page, done } = await open("loan-approval");
    const found = await page.evaluate(() => {
      const names = [...document.querySelectorAll("section, [role=region]")].map((one) => one.getAttribute("aria-label") ?? document.getElementById(one.getAttribute("aria-labelledby"))?.textContent);
      const strange = [...document.querySelectorAll("dl > div > :not(dt, dd), dl > :not(div, dt, dd)")].map((one) => one.outerHTML);
      return { names: names.filter(Boolean), strange };
    });
    assert.deepEqual(found.strange, []);
    assert.equal(new Set(found.names).size, found.names.length, found.names.join());
    await done();
  },

  async "speech follows once, after a pause"() {
    const { page, done } = await open("loan-approval");
    await page.getByRole("textbox", { name: "income" }).fill("9000");
    await page.waitForFunction(() => /^rejected, \d/.test(document.querySelector(".detail [role=status]").textContent));
    await done();
  },

  async "many rows: CSV in, CSV with predictions out"() {
    const { page, requests, done } = await open("flower-groups");
    await page.getByLabel(/Rows as CSV/).fill("id;petal length (cm);sepal width (cm);sepal length (cm)\na;1,5;3;5\n");
    await page.getByRole("button", { name: "Predict", exact: true }).click();
    await page.getByText("line 2: petal length (cm) needs a number, not “1,5”").waitFor();
    const rows = Array.from({ length: 9000 }, (_, index) => `r${index},${1 + (index % 6)},3,5`);
    await page.getByLabel("Open a file").setInputFiles({
      name: "rows.csv",
      mimeType: "text/csv",
      buffer: Buffer.from(["id,petal length (cm),sepal width (cm),sepal length (cm)", ...rows].join("\n")),
    });
    await page.getByRole("link", { name: "Download CSV" }).waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download CSV" }).click()]);
    const lines = (await readFile(await download.path(), "utf8")).trimEnd().split("\r\n");
    assert.equal(download.suggestedFilename(), "flower-groups.predictions.csv");
    assert.equal(lines.length, 9001);
    assert.match(lines[0], /^id,petal length \(cm\),sepal width \(cm\),sepal length \(cm\),cluster/);
    assert.match(lines[9000], /^r8999,6,3,5,\d/);
    assert.deepEqual(requests.filter((url) => !url.startsWith("blob:")), []);
    await done();
  },

  async "flagged rows come back with a column, and a picture shows them"() {
    const { page, requests, done } = await open("odd-rows");
    const rows = Array.from({ length: 200 }, (_, index) => `r${index},${1.5 + (index % 10) / 10},${index % 50 === 7 ? 88 : 30 + (index % 9)}`);
    await page.locator("input[type=file]").setInputFiles({
      name: "rides.csv",
      mimeType: "text/csv",
      buffer: Buffer.from(["ride,pressure,temperature", ...rows].join("\n")),
    });
    await page.getByRole("img", { name: "temperature by pressure" }).waitFor();
    assert.equal(await page.locator(".dot.flagged").count(), 4);
    assert.equal(await page.locator(".dot.plain").count(), 196);
    assert.deepEqual(await page.locator(".key li").allInnerTexts(), ["not flagged: 196", "flagged: 4"]);
    assert.equal(await page.locator("caption").innerText(), "The first 4 of 4 flagged");
    assert.match(await page.locator(".dot.flagged title").first().evaluate((title) => title.textContent), /^r7, pressure 2\.2, temperature 88$/);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download CSV" }).click()]);
    const lines = (await readFile(await download.path(), "utf8")).trimEnd().split("\r\n");
    assert.equal(lines[0], "ride,pressure,temperature,outlier,score,warnings");
    assert.deepEqual(lines.filter((line) => line.includes(",true,")).map((line) => line.split(",")[0]), ["r7", "r57", "r107", "r157"]);
    assert.deepEqual(requests.filter((url) => !url.startsWith("blob:")), []);
    await done();
  },

  async "moving the threshold changes precision and recall as counting does"() {
    const { page, done } = await open("loan-approval");
    const rows = Array.from({ length: 300 }, (_, index) => {
      const income = 10000 + ((index * 7919) % 90000);
      // The truth follows the income, but not always.
      return `${20 + (index % 50)},${income},salaried,car,0.3,${index % 3},false,1,${income > 45000 === (index % 6 > 0) ? "approved" : "rejected"}`;
    });
    const header = "age,income,employment,purpose,debt_ratio,late_payments,owns_home,application_id,outcome";
    await page.getByLabel(/Rows as CSV/).fill([header, ...rows].join("\n"));
    await page.getByRole("button", { name: "Predict", exact: true }).click();
    const slider = page.getByRole("slider", { name: "from a probability of" });
    await slider.waitFor();
    assert.equal(await page.locator(".at").innerText(), "0.50");
    // Counted from the file that comes back.
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download CSV" }).click()]);
    const [head, ...lines] = (await readFile(await download.path(), "utf8")).trimEnd().split("\r\n").map((line) => line.split(","));
    const flag = await page.getByLabel("flag", { exact: true }).evaluate((select) => select.selectedOptions[0].textContent);
    const percent = (share) => `${(share * 100).toFixed(1)}%`;
    for (const at of [50, 20, 80]) {
      await slider.fill(String(at));
      const flagged = lines.filter((line) => Number(line[head.indexOf(`probabilities.${flag}`)]) >= at / 100);
      const hits = flagged.filter((line) => line[8] === flag).length;
      const values = await page.locator(".figures-row dd:not(.hint)").allInnerTexts();
      assert.equal(values[0], percent(hits / flagged.length));
      assert.equal(values[1], percent(hits / lines.filter((line) => line[8] === flag).length));
      assert.equal(values[3], percent(flagged.length / lines.length));
      assert.match(await page.locator(".insight code").innerText(), new RegExp(`>= 0\\.${at}$`));
    }
    await page.getByLabel("flag", { exact: true }).selectOption({ index: 1 });
    assert.equal(await page.locator(".at").innerText(), "0.50");
    await done();
  },

  async "rows beside the package are shown at once, with what their answers say"() {
    const { page, text, done } = await open("house-price");
    await page.getByRole("img", { name: "predictions in the order of the rows" }).waitFor();
    const values = await page.locator(".figures-row dd:not(.hint)").allInnerTexts();
    assert.deepEqual(values.slice(0, 2), ["0.25", "0.25"]);
    // The form starts with the first of them.
    assert.match(await text("pre"), /MedInc: 2,\n  HouseAge: 5,\n  AveRooms: 4,\n  Latitude: 33,/);
    await page.getByLabel("against").selectOption({ label: "true price" });
    await page.getByRole("img", { name: "predicted by price" }).waitFor();
    assert.equal(await page.locator(".dot").count(), 24);
    assert.equal(await text("#requests"), "0");
    await page.getByLabel(/Rows as CSV/).fill("MedInc,HouseAge,AveRooms,Latitude\n1,2,3,33\n");
    await page.getByRole("button", { name: "Predict", exact: true }).click();
    await page.getByText(/^1 row in /).waitFor();
    assert.equal(await page.locator(".insight").count(), 0);
    await page.getByRole("button", { name: "Example rows" }).click();
    await page.getByText(/^24 rows in /).waitFor();
    await done();
  },

  async "the code is copied"() {
    const { page, text, done } = await open("loan-approval", { permissions: ["clipboard-read", "clipboard-write"] });
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await page.locator("pre").evaluate((pre) => pre.textContent));
    assert.match(await text("pre"), /^import \{ load \} from "loan-approval";/);
    await done();
  },

  async "the current row fills the batch"() {
    const { page, done } = await open("loan-approval");
    await page.getByRole("button", { name: "Current row" }).click();
    await page.getByText(/^1 row in /).waitFor();
    assert.equal(await page.locator(".preview tbody tr").count(), 1);
    await done();
  },

  async "every task has its view"() {
    const expected = {
      "house-price": /^[−\d.]+$/,
      "odd-rows": /outlier$/,
      "bean-sort": /^[A-Z]+$/,
      "flower-groups": /^cluster \d$/,
      "flower-axes": /^30 values$/,
      "two-answers": /^false · [\d.]+$/,
    };
    const { page, done } = await open("house-price");
    for (const [name, answer] of Object.entries(expected)) {
      await page.getByLabel("Model").selectOption(name);
      await page.getByRole("heading", { name, level: 1 }).waitFor();
      assert.match(await page.locator(".answer").innerText(), answer);
      await page.getByRole("button", { name: "Random row" }).click();
      await page.getByRole("button", { name: "Reset" }).click();
      assert.equal(await page.locator(".stale").count(), 0, name);
    }
    await page.getByLabel("Model").selectOption("bean-sort");
    await page.getByRole("button", { name: "Show 6 more columns" }).click();
    assert.equal(await page.locator(".field").count(), 66);
    await done();
  },

  async "names from a model stay text"() {
    const { page, text, done } = await open("hostile-names");
    assert.equal(await page.locator("main img").count(), 0);
    assert.equal(await page.title(), "hostile-names · carryout");
    await page.getByRole("textbox", { name: "__proto__" }).fill("0.75");
    assert.equal(await text(".answer"), "__proto__");
    assert.match(await text("pre"), /\["__proto__"\]: 0\.75,/);
    await page.getByRole("button", { name: "Current row" }).click();
    await page.getByText(/^1 row in /).waitFor();
    assert.equal(await page.locator("main img").count(), 0);
    // Columns of a file are drawn too.
    await page.getByLabel("Model").selectOption("odd-rows");
    await page.getByRole("heading", { name: "odd-rows", level: 1 }).waitFor();
    const bad = "<img src=x onerror=alert(1)>";
    await page.getByLabel(/Rows as CSV/).fill(`${bad},pressure,temperature\n1,2,30\n2,2,31\n3,2.1,99\n`);
    await page.getByRole("button", { name: "Predict", exact: true }).click();
    await page.getByLabel("across").selectOption({ label: bad });
    await page.getByRole("img", { name: `temperature by ${bad}` }).waitFor();
    assert.equal(await page.locator(".axis-name").first().evaluate((name) => name.textContent), bad);
    assert.equal(await page.locator("main img").count(), 0);
    await done();
  },

  async "nothing is cut off at 390 pixels, and the verdict stays in sight"() {
    for (const name of ["loan-approval", "house-price", "hostile-names", "flower-axes"]) {
      const { page, done } = await open(name, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
      await page.getByRole("button", { name: "Current row" }).click();
      await page.getByText(/^1 row in /).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, name);
      await page.locator(".field").last().scrollIntoViewIfNeeded();
      assert.ok(await page.locator(".answer").evaluate((element) => element.getBoundingClientRect().top >= 0), name);
      await done();
    }
  },

  async "every control has a name"() {
    const { page, done } = await open("loan-approval");
    const nameless = await page.evaluate(() => {
      const controls = [...document.querySelectorAll("input, select, textarea, button, a")];
      const named = (one) => one.labels?.length || one.getAttribute("aria-labelledby") || one.getAttribute("aria-label") || one.textContent.trim();
      return controls.filter((one) => !named(one)).map((one) => one.outerHTML);
    });
    assert.deepEqual(nameless, []);
    await done();
  },

  async "text stands out from its ground, light and dark"() {
    for (const colorScheme of ["light", "dark"]) {
      const { page, done } = await open("loan-approval", { colorScheme });
      await page.getByRole("textbox", { name: "age" }).fill("95");
      const weak = await page.evaluate(() => {
        const parse = (color) => color.match(/[\d.]+/g).map(Number);
        const light = (color) => {
          const [r, g, b] = parse(color).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = (element) => {
          for (let one = element; one; one = one.parentElement) {
            const color = getComputedStyle(one).backgroundColor;
            if (parse(color)[3] !== 0) return color;
          }
          return "rgb(255, 255, 255)";
        };
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const found = [];
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          const element = node.parentElement;
          if (!node.data.trim() || !element.checkVisibility()) continue;
          const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
          if ((a + 0.05) / (b + 0.05) < 4.5) found.push(`${node.data}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
        }
        return found;
      });
      assert.deepEqual(weak, [], colorScheme);
      await done();
    }
  },
};

if (shots) {
  checks["pictures"] = async () => {
    const names = (process.env.NAMES ?? "loan-approval,house-price,odd-rows,bean-sort,flower-groups,flower-axes,two-answers,hostile-names").split(",");
    for (const name of names) {
      for (const width of [1280, 390]) {
        for (const colorScheme of ["light", "dark"]) {
          if (name !== names[0] && (width === 390) !== (colorScheme === "dark")) continue;
          const { page, done } = await open(name, { colorScheme, viewport: { width, height: width === 390 ? 844 : 900 }, deviceScaleFactor: width === 390 ? 2 : 1 });
          const fill = page.getByRole("button", { name: "Current row" });
          if (name === names[0]) await fill.click();
          await page.waitForTimeout(1900);
          await page.mouse.move(0, 0);
          await page.evaluate(() => scrollTo(0, 0));
          await page.screenshot({ path: `${shots}/${name}-${width}-${colorScheme}.png`, fullPage: true });
          if (width === 390) {
            await page.evaluate(() => scrollTo(0, 420));
            await page.waitForTimeout(200);
            await page.screenshot({ path: `${shots}/${name}-${width}-${colorScheme}-scrolled.png` });
          }
          await done();
        }
      }
    }
  };
}

for (const [name, check] of Object.entries(checks)) test(name, check);
after(async () => {
  await browser.close();
  stop();
});

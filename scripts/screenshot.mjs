// A picture of a page as a person sees it:
//
//   node scripts/screenshot.mjs URL-OR-FOLDER OUT.png [--width 1280] [--height 800] [--dark] [--full] [--wait SELECTOR]
//
// A folder is served for the time it takes. Errors of the page are printed, and make the exit code 1.
import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { launchChromium, serve } from "../tests/browser/browser.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    width: { type: "string", default: "1280" },
    height: { type: "string", default: "800" },
    dark: { type: "boolean" },
    full: { type: "boolean" },
    wait: { type: "string" },
  },
});
const [address, out] = positionals;
if (!out) {
  console.error("usage: screenshot.mjs URL-OR-FOLDER OUT.png [--width N] [--height N] [--dark] [--full] [--wait SELECTOR]");
  process.exit(2);
}

const site = statSync(address, { throwIfNoEntry: false })?.isDirectory() ? await serve(address) : null;
const browser = await launchChromium();
try {
  const page = await browser.newPage({
    viewport: { width: Number(values.width), height: Number(values.height) },
    colorScheme: values.dark ? "dark" : "light",
  });
  const fail = (text) => {
    console.error(text);
    process.exitCode = 1;
  };
  page.on("console", (message) => message.type() === "error" && fail(message.text()));
  page.on("pageerror", (error) => fail(String(error)));
  await page.goto(site?.url ?? address, { waitUntil: "networkidle" });
  if (values.wait) await page.waitForSelector(values.wait);
  await page.screenshot({ path: out, fullPage: values.full });
} finally {
  await browser.close();
  await site?.close();
}

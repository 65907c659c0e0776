// The corner for many rows: paste or drop a CSV, get it back with the predictions.

import { format, parse, predict, type Table } from "./csv.ts";
import { bytes, count, time } from "./format.ts";
import { h, id } from "./dom.ts";
import type { Model, Value } from "./package.ts";

/** Rows of the result shown on the page. */
const PREVIEW = 5;
/** Longest text that is shown for editing. */
const SHOWN = 200_000;
const HINT = "Paste rows here, or drop a file";
/** Warnings shown. */
const REMARKS = 5;

export function batch(model: Model, name: string, current: () => Value[] | null): HTMLElement {
  const { schema } = model;
  const input = id();
  const text = h("textarea", { id: input, rows: 6, spellcheck: "false", placeholder: HINT });
  const file = h("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv", class: "hidden", id: id() });
  const status = h("p", { class: "status", role: "status" });
  const warnings = h("ul", { class: "warnings" });
  const preview = h("div", { class: "preview", tabindex: 0, role: "region", "aria-label": "First rows", hidden: true });
  const link = h("a", { class: "button", download: `${name}.predictions.csv`, hidden: true }, "Download CSV");
  const run = h("button", { type: "button", class: "button" }, "Predict");
  const fill = h("button", { type: "button", class: "quiet" }, "Current row");
  // What is predicted. A text area shows it, but makes one kind of line end out of all and is slow with megabytes.
  let source = "";
  let running = false;

  const start = async () => {
    if (running) return;
    running = true;
    preview.hidden = link.hidden = true;
    warnings.replaceChildren();
    status.classList.remove("problem");
    try {
      const table = parse(source);
      let drawn = performance.now();
      let spent = 0;
      let since = performance.now();
      const made = await predict(table, model, async (done) => {
        spent += performance.now() - since;
        if (performance.now() - drawn > 50) {
          status.textContent = `${done.toLocaleString("en")} of ${count(table.rows.length, "row")}`;
          await new Promise((next) => setTimeout(next));
          drawn = performance.now();
        }
        since = performance.now();
      });
      // Less than browsers' clocks tell apart.
      status.textContent = `${count(made.rows.length, "row")} in ${spent < 2 ? "under 2 ms" : time(spent)}, reading included`;
      warnings.replaceChildren(...made.warnings.slice(0, REMARKS).map((warning) => h("li", {}, warning)));
      preview.replaceChildren(tableOf(made, table.header.length));
      URL.revokeObjectURL(link.href);
      link.href = URL.createObjectURL(new Blob([format([made.header, ...made.rows], made.separator)], { type: "text/csv" }));
      preview.hidden = link.hidden = false;
    } catch (error) {
      status.classList.add("problem");
      status.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      running = false;
    }
  };
  const put = (csv: string, name: string) => {
    source = csv;
    text.value = csv.length > SHOWN ? "" : csv;
    text.placeholder = csv.length > SHOWN ? name : HINT;
  };
  const take = async (chosen: File | undefined) => {
    if (!chosen) return;
    put(await chosen.text(), `${chosen.name}, ${bytes(chosen.size)}`);
    file.value = "";
    await start();
  };

  run.addEventListener("click", start);
  text.addEventListener("input", () => (source = text.value));
  fill.addEventListener("click", () => {
    const values = current();
    if (!values) return;
    const row = values.map((value) => (value === null ? "" : String(value)));
    put(format([schema.columns.map((column) => column.name), row]), "");
    void start();
  });
  file.addEventListener("change", () => take(file.files?.[0]));

  const area = h(
    "div",
    { class: "drop" },
    h("label", { for: input, class: "hidden" }, "Rows as CSV, the first line naming the columns"),
    text,
    h("div", { class: "row" }, run, file, h("label", { for: file.id, class: "quiet" }, "Open a file"), fill),
    status,
    warnings,
    preview,
    link,
  );
  area.addEventListener("dragover", (event) => {
    event.preventDefault();
    area.classList.add("over");
  });
  area.addEventListener("dragleave", () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("over");
    void take(event.dataTransfer?.files[0]);
  });
  return area;
}

/** The first rows, with the columns that were made before those that were given. */
function tableOf({ header, rows }: Table, given: number): HTMLElement {
  const turn = (row: readonly string[]) => [...row.slice(given), ...row.slice(0, given)];
  const made = (index: number) => (index < header.length - given ? "made" : "");
  const head = turn(header).map((name, index) => h("th", { scope: "col", class: made(index) }, name));
  const body = rows.slice(0, PREVIEW).map((row) => {
    return h("tr", {}, ...turn(row).map((field, index) => h("td", { class: made(index) }, field)));
  });
  return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body));
}

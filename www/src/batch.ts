// The corner for many rows: paste or drop a CSV, get it back with the predictions.

import { made as column } from "./answers.ts";
import { format, isModel, parse, predict, type Predicted } from "./csv.ts";
import { bytes, count, number, time } from "./format.ts";
import { h, id } from "./dom.ts";
import { insight } from "./insight.ts";
import type { Model, Value } from "./package.ts";

/** Rows of the result shown on the page. */
const PREVIEW = 5;
/** Longest text that is shown for editing. */
const SHOWN = 200_000;
const HINT = "Paste rows here, or drop a file";
/** Warnings shown. */
const REMARKS = 5;

export interface Batch {
  element: HTMLElement;
  /** Reads a file, as from a drop, and predicts its rows. */
  take(file: File): Promise<void>;
}

/** `example` is a CSV that is predicted at once. */
export function batch(model: Model, name: string, current: () => Value[] | null, example: string | null): Batch {
  const { schema } = model;
  const input = id();
  const text = h("textarea", { id: input, rows: 6, spellcheck: "false", placeholder: HINT });
  const file = h("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv", class: "hidden", id: id() });
  const status = h("p", { class: "status", role: "status" });
  const warnings = h("ul", { class: "warnings" });
  const preview = h("div", { class: "preview", tabindex: 0, role: "region", hidden: true });
  const pictures = h("div", { class: "insights" });
  const link = h("a", { class: "button", download: `${name}.predictions.csv`, hidden: true }, "Download CSV");
  const run = h("button", { type: "button", class: "button" }, "Predict");
  const fill = h("button", { type: "button", class: "quiet" }, "Current row");
  const again = h("button", { type: "button", class: "quiet" }, "Example rows");
  // What is predicted. A text area shows it, but makes one kind of line end out of all and is slow with megabytes.
  let source = "";
  let running = false;

  const clear = () => {
    preview.hidden = link.hidden = true;
    warnings.replaceChildren();
    pictures.replaceChildren();
    status.classList.remove("problem");
  };
  const fail = (problem: string) => {
    status.classList.add("problem");
    status.textContent = problem;
  };
  const start = async () => {
    if (running) return;
    running = true;
    clear();
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
      const shown = tableOf(made);
      preview.setAttribute("aria-label", shown.caption?.textContent ?? "");
      preview.replaceChildren(shown);
      pictures.replaceChildren(...insight(made, schema));
      URL.revokeObjectURL(link.href);
      link.href = URL.createObjectURL(new Blob([format([made.header, ...made.rows], made.separator)], { type: "text/csv" }));
      preview.hidden = link.hidden = false;
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
    } finally {
      running = false;
    }
  };
  const put = (csv: string, name: string) => {
    source = csv;
    text.value = csv.length > SHOWN ? "" : csv;
    text.placeholder = csv.length > SHOWN ? name : HINT;
  };
  const take = async (chosen: File) => {
    const csv = await chosen.text();
    file.value = "";
    if (isModel(chosen.name, csv)) {
      clear();
      return fail(`${chosen.name} looks like a model file, and this takes rows. To make a package of it: carryout pack ${chosen.name}`);
    }
    put(csv, `${chosen.name}, ${bytes(chosen.size)}`);
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
  const show = () => {
    put(example ?? "", "The example rows");
    void start();
  };
  again.addEventListener("click", show);
  file.addEventListener("change", () => file.files?.[0] && take(file.files[0]));

  const element = h(
    "div",
    { class: "drop" },
    h("label", { for: input, class: "hidden" }, "Rows as CSV, the first line naming the columns"),
    text,
    h("div", { class: "row" }, run, file, h("label", { for: file.id, class: "quiet" }, "Open a file"), fill, example === null ? null : again),
    status,
    warnings,
    preview,
    link,
    pictures,
  );
  if (example !== null) show();
  return { element, take };
}

/** The first rows, of an anomaly detector the flagged ones; made columns before those that were given. */
function tableOf(table: Predicted): HTMLTableElement {
  const { header, rows, given } = table;
  // The last column has the warnings, which stand above.
  const end = header.length - 1;
  const turn = (row: readonly string[]) => [...row.slice(given, end), ...row.slice(0, given)];
  const made = (index: number) => (index < end - given ? "made" : "");
  const flags = column(table, "outlier");
  const flagged = flags ? rows.filter((_, row) => flags[row] === "true") : [];
  const shown = (flagged.length > 0 ? flagged : rows).slice(0, PREVIEW);
  const of = flagged.length > 0 ? `${flagged.length.toLocaleString("en")} flagged` : count(rows.length, "row");
  const caption = shown.length === 1 ? "" : `The first ${shown.length} of ${of}`;
  const head = turn(header).map((name, index) => h("th", { scope: "col", class: made(index) }, name));
  // Figures with six digits; the file has them all. What the model calls a class stays as it is written.
  const figure = table.made.map((name) => !/(^|\.)(label|cluster|outlier)$/.test(name));
  const said = (field: string, index: number) => (figure[index] && field !== "" && Number.isFinite(Number(field)) ? number(Number(field)) : field);
  const body = shown.map((row) => {
    return h("tr", {}, ...turn(row).map((field, index) => h("td", { class: made(index) }, said(field, index))));
  });
  return h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body));
}

// The page: opens a package, keeps form, prediction, code and figures in step.

import "./style.css";
import { batch, type Batch } from "./batch.ts";
import { columns, parse } from "./csv.ts";
import { h, settle } from "./dom.ts";
import { bytes, count, time } from "./format.ts";
import { form } from "./form.ts";
import { clockStep, countRequests, fetched, median, timeCall } from "./measure.ts";
import { type Entry, exampleRows, list, type Model, open, type Prediction, type Schema, type Value } from "./package.ts";
import { Figures, verdict } from "./result.ts";
import { toRow } from "./row.ts";
import { snippet } from "./snippet.ts";

const page = document.querySelector<HTMLElement>("main")!;
const picker = document.querySelector<HTMLElement>("#picker")!;
/** Timings kept for the median. */
const TIMINGS = 31;
const FEWEST = 5;
const step = clockStep(() => performance.now());
let close = () => {};
let wanted: Entry | undefined;
/** What takes a file that is dropped anywhere. */
let rowsFrom: Batch | undefined;

function fail(what: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  page.replaceChildren(h("div", { class: "failure", role: "alert" }, h("h1", {}, what), h("p", {}, message)));
}

/** What is open no longer counts requests or takes files. */
function leave(entry?: Entry): void {
  close();
  close = () => {};
  rowsFrom = undefined;
  wanted = entry;
}

async function show(entry: Entry): Promise<void> {
  leave(entry);
  document.title = `${entry.name} · carryout`;
  try {
    const from = performance.now();
    const model = await open(entry);
    const took = performance.now() - from;
    const rows = await exampleRows(entry);
    // Another may have been chosen meanwhile.
    if (wanted === entry) draw(entry, model, took, rows);
  } catch (error) {
    if (wanted === entry) fail(`${entry.name} does not open`, error);
  }
}

function draw(entry: Entry, model: Model, opened: number, rows: string | null): void {
  const { schema } = model;
  const main = h("p", { class: "answer" });
  const aside = h("p", { class: "aside" });
  const problem = h("p", { class: "problem", hidden: true });
  // On a phone the warnings are below the form; this says above it that there are some.
  const noted = h("p", { class: "noted", "aria-hidden": "true" });
  const warnings = h("ul", { class: "warnings" });
  const spoken = h("p", { class: "hidden", role: "status" });
  const figures = new Figures(schema);
  const code = h("code");
  const facts = {
    latency: h("dd", { id: "latency" }, "…"),
    how: h("dd", { class: "hint" }),
    requests: h("dd", { id: "requests" }, "0"),
    last: h("dd", { class: "hint" }),
  };

  let timings: number[] = [];
  let values: Value[] | null = null;
  let words = "";

  const measure = () => {
    if (!values || !main.isConnected) return;
    const row = toRow(schema, values);
    const { each, calls } = timeCall(() => model.predict(row), step, () => performance.now());
    timings = [...timings.slice(1 - TIMINGS), each];
    facts.latency.textContent = time(median(timings));
    facts.how.textContent = `median of ${count(timings.length, "timing")}, ${count(calls, "call")} each; this clock steps by ${time(step)}`;
  };
  /** Once things are quiet: says the result and times it, in short turns until there are enough for a median. */
  const later = settle(300, () => {
    spoken.textContent = words;
    measure();
    if (values && main.isConnected && timings.length < FEWEST) later();
  });

  const update = () => {
    values = fields.values();
    problem.hidden = values !== null;
    problem.textContent = values ? "" : "Waiting for the marked field.";
    if (values) {
      try {
        present(model.predict(toRow(schema, values)), values);
      } catch (error) {
        values = null;
        problem.hidden = false;
        problem.textContent = error instanceof Error ? error.message : String(error);
      }
    }
    words = values ? words : (problem.textContent ?? "");
    result.classList.toggle("stale", values === null);
    later();
  };
  const present = (prediction: Prediction, row: readonly Value[]) => {
    const said = verdict(prediction, schema);
    main.textContent = said.main;
    main.classList.toggle("long", said.main.length > 12);
    aside.textContent = said.aside;
    figures.show(prediction);
    const odd = prediction.warnings ?? [];
    warnings.replaceChildren(...odd.map((warning) => h("li", {}, warning)));
    noted.textContent = odd.length > 0 ? count(odd.length, "warning") : "";
    code.textContent = snippet(schema.name, schema, row, prediction);
    words = [said.main, said.aside, ...odd].filter(Boolean).join(", ");
  };

  const result = h(
    "section",
    { class: "result", "aria-labelledby": "result" },
    h("div", { class: "verdict" }, h("h2", { id: "result" }, "Prediction"), main, aside, noted, problem),
    h(
      "div",
      { class: "detail" },
      warnings,
      figures.element,
      h(
        "dl",
        { class: "facts" },
        h("div", {}, h("dt", {}, "Network requests since loading"), facts.requests, facts.last),
        h("div", {}, h("dt", {}, "One prediction"), facts.latency, facts.how),
        h("div", {}, h("dt", {}, "Package, fetched once"), ...packageSize(entry, opened)),
      ),
      spoken,
    ),
  );

  const fields = form(schema, firstRow(rows, schema), update);
  const known = schema.columns.some((column) => column.range || column.categories || column.kind === "boolean");
  const button = (text: string, act: () => void) => {
    const made = h("button", { type: "button", class: "quiet" }, text);
    made.addEventListener("click", act);
    return made;
  };
  const copy = button("Copy", async () => {
    const copied = await navigator.clipboard.writeText(code.textContent ?? "").then(
      () => true,
      () => false,
    );
    if (!copied) getSelection()?.selectAllChildren(code);
    copy.textContent = copied ? "Copied" : "Selected";
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });

  const inCode = h(
    "section",
    { class: "more", "aria-labelledby": "code" },
    h("div", { class: "head" }, h("h2", { id: "code" }, "In your code"), copy),
    h("pre", { tabindex: 0, role: "group", "aria-label": "Code" }, code),
  );
  rowsFrom = batch(model, schema.name, () => values, rows);
  const many = h(
    "section",
    { class: "more", "aria-labelledby": "batch" },
    h("div", { class: "head" }, h("h2", { id: "batch" }, "Many rows")),
    rowsFrom.element,
  );
  page.replaceChildren(
    h(
      "header",
      { class: "title" },
      h("h1", {}, schema.name),
      h("p", {}, [schema.task, count(schema.columns.length, "column"), ...(schema.classes ? [count(schema.classes.length, "class", "classes")] : [])].join(" · ")),
    ),
    h(
      "div",
      { class: "bench" },
      result,
      h(
        "div",
        { class: "work" },
        h(
          "section",
          { class: "inputs", "aria-labelledby": "inputs" },
          h("div", { class: "head" }, h("h2", { id: "inputs" }, "Inputs"), known ? button("Random row", fields.shuffle) : null, button("Reset", fields.reset)),
          fields.element,
        ),
        // Where there are rows to show, they are what there is to see.
        ...(rows === null ? [inCode, many] : [many, inCode]),
      ),
    ),
  );
  update();
  // Everything the package needs has arrived; from here on nothing should.
  close = countRequests((made, last) => {
    facts.requests.textContent = String(made);
    facts.requests.classList.toggle("some", made > 0);
    facts.last.textContent = made > 0 ? `last: ${last}` : "counted by the browser";
  });
}

/** The first of the rows to show; null where there is none that the model takes. */
function firstRow(rows: string | null, schema: Schema): Value[] | null {
  if (rows === null) return null;
  try {
    const row = columns(parse(rows), schema, 0, 1);
    const values = schema.columns.map((column) => row[column.name]![0]);
    return values.every((value) => value !== undefined) ? values : null;
  } catch {
    return null;
  }
}

function packageSize(entry: Entry, opened: number): HTMLElement[] {
  const { files, bytes: size, compressed } = fetched(entry.path);
  const how = `${count(files, "file")}, ${compressed ? "compressed" : "not compressed"}; open after ${time(opened)}`;
  return [h("dd", {}, bytes(size)), h("dd", { class: "hint" }, how)];
}

/** Without this a browser opens a file that misses the field for rows. */
function takeDrops(): void {
  const over = (on: boolean) => rowsFrom?.element.classList.toggle("over", on);
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    over(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
  addEventListener("drop", (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    over(false);
    rowsFrom?.element.scrollIntoView({ block: "nearest" });
    void rowsFrom?.take(file);
  });
}

async function begin(): Promise<void> {
  takeDrops();
  const entries = await list();
  if (entries.length === 0) throw new Error("carryout demo was started on a folder without packages.");
  const select = h("select", { id: "package" }, ...entries.map((entry) => h("option", { value: entry.name }, entry.name)));
  const choose = async () => {
    const name = decoded(location.hash.slice(1));
    const entry = name === "" ? entries[0]! : entries.find((entry) => entry.name === name);
    select.value = entry?.name ?? "";
    if (entry) return show(entry);
    leave();
    fail(`There is no model ${name}`, new Error(`This server has ${entries.map((entry) => entry.name).join(", ")}.`));
  };
  if (entries.length > 1) {
    select.addEventListener("change", () => (location.hash = encodeURIComponent(select.value)));
    picker.replaceChildren(h("label", { for: "package", class: "hidden" }, "Model"), select);
  }
  addEventListener("hashchange", () => void choose());
  await choose();
}

/** A name in an address; as it stands where it is not encoded as it should be. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

begin().catch((error) => fail("Nothing to show", error));

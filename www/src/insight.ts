// Pictures of many predictions: which rows were flagged, how predictions lie against true answers, and a threshold to
// move. What is drawn depends on the task and on what else the CSV holds.

import { countsAt, errors, isSeries, made, numbers, ownThreshold, rates, trueClasses, type Numeric } from "./answers.ts";
import { Chart, range } from "./chart.ts";
import type { Predicted } from "./csv.ts";
import { h, id } from "./dom.ts";
import { count, number, percent } from "./format.ts";
import type { Schema } from "./package.ts";
import { text } from "./snippet.ts";

/** Dots drawn; of more rows, evenly picked ones and all that are flagged. */
const DOTS = 3000;
/** Groups with a colour of their own. */
const COLOURS = 6;

/** The pictures that suit; nothing where there is nothing to see. */
export function insight(table: Predicted, schema: Schema): HTMLElement[] {
  if (table.rows.length < 2) return [];
  const found: (HTMLElement | null)[] = [];
  if (schema.task === "regression") found.push(regression(table, schema));
  else found.push((schema.task === "classification" ? threshold(table, schema) : null) ?? scatter(table, schema));
  return found.filter((one) => one !== null);
}

function panel(title: string, ...parts: (HTMLElement | SVGElement | null)[]): HTMLElement {
  return h("figure", { class: "insight" }, h("h3", {}, title), ...parts);
}

/** A labelled menu of columns. */
function menu(label: string, names: readonly string[], chosen: number, changed: (place: number) => void): HTMLElement {
  const select = h("select", { id: id() }, ...names.map((name, place) => h("option", { value: place }, name)));
  select.value = String(chosen);
  select.addEventListener("change", () => changed(Number(select.value)));
  return h("div", { class: "axis-menu" }, h("label", { for: select.id }, label), select);
}

function figure(name: string, words: string): { element: HTMLElement; value: HTMLElement; hint: HTMLElement } {
  const value = h("dd");
  const hint = h("dd", { class: "hint" }, words);
  return { element: h("div", {}, h("dt", {}, name), value, hint), value, hint };
}

/** Two numeric columns against each other, coloured by what the model said. */
function scatter(table: Predicted, schema: Schema): HTMLElement | null {
  const columns = numbers(table, schema);
  const inputs = columns.filter((column) => column.input);
  if (inputs.length < 2) return null;
  const outlier = made(table, "outlier");
  const groups = outlier ?? made(table, "label") ?? made(table, "cluster");
  if (!groups) return null;
  const names = outlier ? ["false", "true"] : (schema.classes ?? schema.clusters ?? []).map(String);
  if (names.length === 0 || names.length > COLOURS) return null;
  const kinds = outlier ? ["plain", "flagged"] : names.map((_, place) => `g${place}`);
  const words = outlier ? ["not flagged", "flagged"] : names;
  const place = new Map(names.map((name, index) => [name, index]));

  const every = Math.ceil(table.rows.length / DOTS);
  const rows = table.rows.map((_, row) => row).filter((row) => row % every === 0 || (outlier && groups[row] === "true"));
  // What is flagged lies on top.
  rows.sort((a, b) => Number(groups[a] === "true") - Number(groups[b] === "true"));

  const chosen = { x: columns.indexOf(inputs[0]!), y: columns.indexOf(inputs[1]!) };
  const area = h("div");
  const draw = () => {
    const [x, y] = [columns[chosen.x]!, columns[chosen.y]!];
    const chart = new Chart(`${y.name} by ${x.name}`, { x: x.name, y: y.name }, range(x.values), range(y.values));
    for (const row of rows) {
      const group = place.get(groups[row]!);
      if (group === undefined) continue;
      const about = outlier && groups[row] === "true" ? describe(table, row, [x, y]) : undefined;
      chart.dot(kinds[group]!, x.values[row]!, y.values[row]!, about);
    }
    area.replaceChildren(chart.element);
  };
  draw();
  const list = columns.map((column) => column.name);
  const pick = (axis: "x" | "y") => (at: number) => {
    chosen[axis] = at;
    draw();
  };
  const menus = columns.length > 2
    ? h("div", { class: "menus" }, menu("across", list, chosen.x, pick("x")), menu("up", list, chosen.y, pick("y")))
    : null;
  const counts = names.map((name) => groups.filter((group) => group === name).length);
  const key = h("ul", { class: "key" }, ...words.map((word, index) => h("li", { class: kinds[index]! }, `${word}: ${counts[index]!.toLocaleString("en")}`)));
  const drawn = every > 1 ? h("p", { class: "hint" }, `${count(rows.length, "row")} of ${table.rows.length.toLocaleString("en")} are drawn.`) : null;
  return panel(outlier ? "Which rows are outliers" : "How the rows were told apart", key, menus, area, drawn);
}

function describe(table: Predicted, row: number, axes: readonly Numeric[]): string {
  return [table.rows[row]![0]!, ...axes.map((axis) => `${axis.name} ${number(axis.values[row]!)}`)].join(", ");
}

/** Predictions against true answers where the CSV has them, else against a column. */
function regression(table: Predicted, schema: Schema): HTMLElement | null {
  const texts = made(table, "value");
  const columns = numbers(table, schema);
  if (!texts || columns.length === 0) return null;
  const predicted = Float64Array.from(texts, Number);
  const truth = columns.findLast((column) => !column.input) ?? null;
  const every = Math.ceil(table.rows.length / DOTS);
  const rows = table.rows.map((_, row) => row).filter((row) => row % every === 0);
  const place = h("div");

  const against = (column: Numeric) => {
    const known = column === truth;
    const x = known ? range(column.values, predicted) : range(column.values);
    const chart = new Chart(`predicted by ${column.name}`, { x: known ? `true ${column.name}` : column.name, y: "predicted" }, x, known ? x : range(predicted));
    if (known) chart.line("faint", [[x[0], x[0]], [x[1], x[1]]]);
    for (const row of rows) chart.dot("g0", column.values[row]!, predicted[row]!);
    place.replaceChildren(chart.element);
  };
  const inOrder = () => {
    const lists = truth ? [truth.values, predicted] : [predicted];
    const chart = new Chart("predictions in the order of the rows", { x: "row", y: truth?.name ?? "predicted" }, [1, Math.max(2, table.rows.length)], range(...lists));
    const points = (values: Float64Array) => Array.from(values, (value, row) => [row + 1, value] as const);
    if (truth) chart.line("truth", points(truth.values));
    chart.line("g0", points(predicted));
    place.replaceChildren(
      truth ? h("ul", { class: "key" }, h("li", { class: "truth" }, `true ${truth.name}`), h("li", { class: "g0" }, "predicted")) : "",
      chart.element,
    );
  };
  const ordered = truth ? [truth, ...columns.filter((column) => column !== truth)] : columns;
  const series = isSeries(table, schema);
  const show = (at: number) => (at === 0 ? inOrder() : against(ordered[at - 1]!));
  const names = ["the order of the rows", ...ordered.map((column) => (column === truth ? `true ${column.name}` : column.name))];
  const start = series ? 0 : 1;
  show(start);

  let facts: HTMLElement | null = null;
  if (truth) {
    const { rows, mae, rmse, r2 } = errors(truth.values, predicted);
    const parts = [
      ["mean error", mae, `MAE over ${count(rows, "row")}`],
      ["RMSE", rmse, "large misses count more"],
      ["R²", r2, "share of the variance explained"],
    ] as const;
    facts = h("dl", { class: "figures-row" });
    for (const [name, value, hint] of parts) {
      const one = figure(name, hint);
      one.value.textContent = number(Number(value.toPrecision(3)));
      facts.append(one.element);
    }
  }
  const title = truth ? `Predictions and the true ${truth.name}` : "Predictions";
  return panel(title, facts, h("div", { class: "menus" }, menu("against", names, start, show)), place);
}

/** Two classes and their true values: a threshold to move, and what it does. */
function threshold(table: Predicted, schema: Schema): HTMLElement | null {
  const answers = trueClasses(table, schema);
  const labels = made(table, "label");
  if (!answers || !labels) return null;
  const right = labels.filter((label, row) => label === answers.values[row]).length;
  const accuracy = `As packed, ${percent(right / labels.length)} of ${count(labels.length, "row")} get the class that is in the column ${answers.name}.`;
  const classes = (schema.classes ?? []).map(String);
  const probabilities = classes.map((name) => made(table, `probabilities.${name}`)?.map(Number));
  if (classes.length !== 2 || probabilities.some((list) => !list)) {
    return panel("How many are right", h("p", {}, accuracy));
  }

  const rarer = (name: string) => answers.values.filter((value) => value === name).length;
  let positive = rarer(classes[0]!) < rarer(classes[1]!) ? 0 : 1;
  const slider = h("input", { type: "range", id: id(), min: 0, max: 100, step: 1 });
  const at = h("output", { for: slider.id, class: "at" });
  const own = h("p", { class: "hint" });
  const code = h("code");
  const parts = {
    precision: figure("precision", ""),
    recall: figure("recall", ""),
    f1: figure("F1", "one number for both"),
    flagged: figure("flagged", "share of all rows"),
  };
  const cells = { hits: h("td"), misses: h("td"), alarms: h("td"), rest: h("td") };
  const heads = [h("th", { scope: "col" }), h("th", { scope: "col" })];
  const sides = [h("th", { scope: "row" }), h("th", { scope: "row" })];
  const matrix = h(
    "table",
    { class: "matrix" },
    h("thead", {}, h("tr", {}, h("td"), ...heads)),
    h("tbody", {}, h("tr", {}, sides[0]!, cells.hits, cells.misses), h("tr", {}, sides[1]!, cells.alarms, cells.rest)),
  );
  const place = h("div");
  let move = (_value: number) => {};

  const show = () => {
    const value = Number(slider.value) / 100;
    const probability = probabilities[positive]!;
    const truth = answers.values.map((answer) => answer === classes[positive]);
    const counts = countsAt(probability, truth, value);
    const now = rates(counts);
    at.textContent = value.toFixed(2);
    slider.setAttribute("aria-valuetext", value.toFixed(2));
    slider.style.setProperty("--at", String(value));
    for (const name of ["precision", "recall", "flagged"] as const) {
      parts[name].value.textContent = Number.isNaN(now[name]) ? "–" : percent(now[name]);
    }
    parts.f1.value.textContent = Number.isNaN(now.f1) ? "–" : now.f1.toFixed(2);
    for (const name of ["hits", "misses", "alarms", "rest"] as const) cells[name].textContent = counts[name].toLocaleString("en");
    code.textContent = `model.predict(row).probabilities[${text(classes[positive]!)}] >= ${value.toFixed(2)}`;
    move(value);
  };
  const choose = (which: number) => {
    positive = which;
    const name = classes[positive]!;
    const probability = probabilities[positive]!;
    const truth = answers.values.map((answer) => answer === name);
    // The model's own rule where it has one; else what its labels of these rows allow.
    const stored = schema.threshold;
    const start =
      stored === undefined
        ? ownThreshold(probability, labels.map((label) => label === name))
        : which === 1
          ? stored
          : 1 - stored;
    const rule =
      stored !== undefined
        ? `It predicts ${classes[1]!} from a probability of ${Number(stored.toPrecision(4))} on.`
        : start !== null
          ? `It predicts ${name} from a probability of about ${start.toFixed(2)} on.`
          : "";
    parts.precision.hint.textContent = `of the flagged rows, the share that is ${name}`;
    parts.recall.hint.textContent = `of the rows that are ${name}, the share flagged`;
    own.textContent = `${accuracy} ${rule}`.trim();
    slider.value = String(Math.round((start ?? 0.5) * 100));
    heads.forEach((head, side) => (head.textContent = side === 0 ? "flagged" : "not flagged"));
    sides.forEach((head, side) => (head.textContent = classes[side === 0 ? positive : 1 - positive]!));
    const chart = new Chart("precision and recall by threshold", { x: "threshold", y: "share" }, [0, 1], [0, 1]);
    const steps = Array.from({ length: 101 }, (_, step) => step / 100);
    const known = steps.map((step) => [step, rates(countsAt(probability, truth, step))] as const);
    chart.line("g0", known.map(([step, now]) => [step, now.precision] as const));
    chart.line("g1", known.map(([step, now]) => [step, now.recall] as const));
    move = chart.upright("marker");
    place.replaceChildren(chart.element);
    show();
  };
  slider.addEventListener("input", show);
  choose(positive);
  return panel(
    "A threshold to move",
    h("div", { class: "menus" }, menu("flag", classes, positive, choose)),
    h("div", { class: "threshold" }, h("label", { for: slider.id }, "from a probability of"), slider, at),
    h("dl", { class: "figures-row" }, ...Object.values(parts).map((part) => part.element)),
    h("div", { class: "beside" }, h("div", {}, h("ul", { class: "key" }, h("li", { class: "g0" }, "precision"), h("li", { class: "g1" }, "recall")), place), matrix),
    own,
    h("p", { class: "hint" }, "In your code: ", code),
  );
}

// What a prediction looks like: a verdict in a few words, and below it the figures it rests on.

import { count, number, percent } from "./format.ts";
import { h } from "./dom.ts";
import type { Label, Output, Prediction } from "./package.ts";

export interface Verdict {
  /** The answer in a word or a number. */
  main: string;
  /** How sure, how far: the one figure that belongs beside it. */
  aside: string;
}

interface Bar {
  name: string;
  text: string;
  /** Both ends on a line from 0 to 1. */
  from: number;
  to: number;
  /** Zero is in the middle of the line. */
  signed?: boolean;
  strong: boolean;
}

/** Bars drawn; of more, the longest. */
const BARS = 10;
/** Values listed before the others are folded. */
const VALUES = 10;

export function verdict(prediction: Prediction, output: Output): Verdict {
  if (prediction.label !== undefined) {
    const { probability } = prediction;
    return { main: String(prediction.label), aside: probability === undefined ? "" : `${percent(probability)}${enough(prediction, output)}` };
  }
  if (prediction.value !== undefined) return { main: number(prediction.value), aside: String(output.names?.[0] ?? "") };
  if (prediction.outlier !== undefined) {
    return { main: prediction.outlier ? "outlier" : "not an outlier", aside: `score ${number(prediction.score ?? Number.NaN)}` };
  }
  if (prediction.cluster !== undefined) return { main: `cluster ${prediction.cluster}`, aside: "" };
  if (prediction.outputs) {
    const parts = prediction.outputs.map((part, index) => verdict(part, output.outputs?.[index] ?? output).main);
    return parts.length <= 3 ? { main: parts.join(" · "), aside: "" } : { main: count(parts.length, "output"), aside: "" };
  }
  const values = named(prediction.values ?? prediction.transformed ?? [], output.names);
  if (values.length <= 2) return { main: values.map(([, value]) => number(value)).join(" · "), aside: "" };
  return { main: count(values.length, "value"), aside: "" };
}

/** Why the less likely of two classes is the answer, where it is. */
function enough({ label, probability = 1 }: Prediction, { threshold, classes }: Output): string {
  if (threshold === undefined || probability >= 0.5) return "";
  const from = `from ${percent(threshold)} on`;
  return label === classes?.[1] ? `, enough ${from}` : `, ${classes?.[1]} only ${from}`;
}

/** Numbers with their names, or their places. */
function named(values: readonly number[], names?: readonly Label[]): [string, number][] {
  return values.map((value, index) => [String(names?.[index] ?? index), value]);
}

/** By class, in the order of the classes: an object's own order puts those that look like whole numbers first. */
function byClass(values: Record<string, number>, classes?: readonly Label[]): [string, number][] {
  const names = classes?.map(String) ?? [];
  const ordered = names.length > 0 && names.every((name) => Object.hasOwn(values, name)) ? names : Object.keys(values);
  return ordered.map((name) => [name, values[name]!]);
}

/** Bars for signed numbers, from the middle outwards. */
function signed(values: [string, number][], strong: (name: string) => boolean, atLeast = 0): Bar[] {
  const most = values.reduce((most, [, value]) => Math.max(most, Math.abs(value)), atLeast) || 1;
  return values.map(([name, value]) => {
    const end = 0.5 + value / most / 2;
    return { name, text: number(value), from: Math.min(0.5, end), to: Math.max(0.5, end), signed: true, strong: strong(name) };
  });
}

export function bars(prediction: Prediction, output: Output): Bar[] {
  const label = String(prediction.label);
  if (prediction.probabilities) {
    return byClass(prediction.probabilities, output.classes).map(([name, share]) => {
      return { name, text: percent(share), from: 0, to: share, strong: name === label };
    });
  }
  if (prediction.scores) return signed(byClass(prediction.scores, output.classes), (name) => name === label);
  if (prediction.outlier !== undefined && prediction.score !== undefined) {
    return signed([["score", prediction.score]], () => prediction.outlier === true, 0.5);
  }
  if (prediction.distances) {
    const distances = named(prediction.distances, output.clusters);
    const most = distances.reduce((most, [, distance]) => Math.max(most, distance), 0) || 1;
    return distances.map(([name, distance]) => {
      const strong = name === String(prediction.cluster);
      return { name: `cluster ${name}`, text: number(distance), from: 0, to: distance / most, strong };
    });
  }
  return [];
}

/** What the bars are, for their caption. */
function caption(prediction: Prediction, { threshold, classes }: Output): string {
  const rule = threshold === undefined ? "" : `; ${classes?.[1]} from ${percent(threshold)} on`;
  if (prediction.probabilities) return `Probability of each class${rule}`;
  if (prediction.scores !== undefined) return "Decision function; the bars start at zero";
  if (prediction.outlier !== undefined) return "Decision function; below zero is an outlier";
  return prediction.distances ? "Distance to each cluster" : "";
}

/** The figures under the verdict. Elements are kept from one prediction to the next, so that bars move, not jump. */
export class Figures {
  readonly element = h("div", { class: "figures" });
  readonly #caption = h("h3");
  readonly #bars = h("ul", { class: "bars" });
  readonly #values = h("div");
  readonly #parts = h("div", { class: "parts" });
  readonly #rows = new Map<string, { element: HTMLElement; bar: HTMLElement; text: HTMLElement }>();
  readonly #figures: Figures[] = [];
  readonly #output: Output;
  #open = false;

  constructor(output: Output) {
    this.#output = output;
    this.element.append(this.#caption, this.#bars, this.#values, this.#parts);
  }

  show(prediction: Prediction): void {
    const all = bars(prediction, this.#output);
    const shown = all.length > BARS ? all.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, BARS) : all;
    const rest = all.length - shown.length;
    this.#caption.textContent = caption(prediction, this.#output) + (rest > 0 ? `, the ${BARS} largest of ${all.length}` : "");
    this.#caption.hidden = all.length === 0;
    const elements = shown.map((bar) => this.#bar(bar));
    if (elements.some((element, index) => this.#bars.children[index] !== element) || this.#bars.children.length !== elements.length) {
      this.#bars.replaceChildren(...elements);
    }
    this.#list(named(prediction.values ?? prediction.transformed ?? [], this.#output.names));
    this.#outputs(prediction.outputs ?? []);
  }

  #bar({ name, text, from, to, signed, strong }: Bar): HTMLElement {
    let row = this.#rows.get(name);
    if (!row) {
      const bar = h("span", { class: "bar" });
      const figure = h("span", { class: "figure" });
      const track = h("span", { class: "track", "aria-hidden": "true" }, bar);
      row = { element: h("li", {}, h("span", { class: "name" }, name), figure, track), bar, text: figure };
      this.#rows.set(name, row);
    }
    row.text.textContent = text;
    row.element.classList.toggle("strong", strong);
    row.element.classList.toggle("signed", signed === true);
    row.bar.style.setProperty("--from", String(from));
    row.bar.style.setProperty("--length", String(Math.max(0, to - from)));
    return row.element;
  }

  #list(values: [string, number][]): void {
    if (values.length < 2) return this.#values.replaceChildren();
    const table = (rows: [string, number][]) => {
      return h("dl", { class: "values" }, ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, number(value)))));
    };
    const parts: HTMLElement[] = [table(values.slice(0, VALUES))];
    if (values.length > VALUES) {
      const rest = h("details", { open: this.#open }, h("summary", {}, `${count(values.length - VALUES, "more value")}`));
      rest.addEventListener("toggle", () => (this.#open = rest.open));
      rest.append(table(values.slice(VALUES)));
      parts.push(rest);
    }
    this.#values.replaceChildren(...parts);
  }

  #outputs(outputs: readonly Prediction[]): void {
    outputs.forEach((prediction, index) => {
      const output = this.#output.outputs?.[index] ?? this.#output;
      let figures = this.#figures[index];
      if (!figures) {
        figures = new Figures(output);
        figures.element.prepend(h("p", {}));
        this.#figures.push(figures);
        this.#parts.append(figures.element);
      }
      const { main, aside } = verdict(prediction, output);
      figures.element.firstElementChild!.replaceChildren(`Output ${index}: `, h("strong", {}, main), ` ${aside}`);
      figures.show(prediction);
    });
  }
}

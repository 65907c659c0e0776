// Axes, dots and lines as SVG elements. Colours are classes of the style sheet: the page's policy has no inline style.

import { number } from "./format.ts";

const SVG = "http://www.w3.org/2000/svg";
/** Of the drawing; it is scaled to the column, so that on a phone a narrower one keeps its words readable. */
const [WIDTH, HEIGHT] = innerWidth < 600 ? [380, 300] : [560, 360];
const LEFT = 56;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 46;

export type Range = readonly [number, number];

function s(tag: string, attributes: Record<string, string | number>, ...children: (Node | string)[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Smallest and largest of finite numbers, with a margin so that dots at the ends are whole. */
export function range(...lists: Iterable<number>[]): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (const value of list) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return [0, 1];
  const room = (high - low) * 0.03 || 0.5;
  return [low - room, high + room];
}

/** Round numbers within a range, six at most. */
export function ticks([low, high]: Range): number[] {
  const unit = 10 ** Math.floor(Math.log10((high - low) / 4));
  const step = [1, 2, 2.5, 5, 10].map((by) => by * unit).find((by) => (high - low) / by <= 5) ?? unit * 10;
  const found: number[] = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9 && found.length < 12; at++) {
    found.push(Number((at * step).toPrecision(12)));
  }
  return found;
}

/** A picture with two axes. Everything is added in the axes' own numbers. */
export class Chart {
  readonly element: SVGElement;
  readonly #plot = s("g", {});
  readonly #x: Range;
  readonly #y: Range;

  /** `label` is what a screen reader says. */
  constructor(label: string, names: { x: string; y: string }, x: Range, y: Range, tick: (value: number) => string = number) {
    this.#x = x;
    this.#y = y;
    const foot = HEIGHT - BOTTOM;
    this.element = s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
    for (const value of ticks(y)) {
      const at = this.#down(value);
      this.element.append(s("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at }));
      this.element.append(s("text", { x: LEFT - 7, y: at + 4, "text-anchor": "end" }, tick(value)));
    }
    for (const value of ticks(x)) {
      this.element.append(s("text", { x: this.#across(value), y: foot + 18, "text-anchor": "middle" }, tick(value)));
    }
    const middle = (TOP + foot) / 2;
    this.element.append(
      s("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: foot, y2: foot }),
      s("text", { class: "axis-name", x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, short(names.x)),
      s("text", { class: "axis-name", x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }, short(names.y)),
      this.#plot,
    );
  }

  #across(value: number): number {
    return LEFT + ((value - this.#x[0]) / (this.#x[1] - this.#x[0])) * (WIDTH - LEFT - RIGHT);
  }

  #down(value: number): number {
    return HEIGHT - BOTTOM - ((value - this.#y[0]) / (this.#y[1] - this.#y[0])) * (HEIGHT - TOP - BOTTOM);
  }

  /** A dot, with the words that a pointer resting on it shows. */
  dot(kind: string, x: number, y: number, words?: string): void {
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    const dot = s("circle", { class: `dot ${kind}`, cx: this.#across(x).toFixed(1), cy: this.#down(y).toFixed(1), r: kind === "flagged" ? 5 : 3 });
    if (words) dot.append(s("title", {}, words));
    this.#plot.append(dot);
  }

  /** A line; where a number is not finite it is broken. */
  line(kind: string, points: Iterable<readonly [number, number]>): SVGElement {
    let path = "";
    let pen = "M";
    for (const [x, y] of points) {
      const known = Number.isFinite(x) && Number.isFinite(y);
      if (known) path += `${pen}${this.#across(x).toFixed(1)} ${this.#down(y).toFixed(1)}`;
      pen = known ? "L" : "M";
    }
    const line = s("path", { class: `line ${kind}`, d: path });
    this.#plot.append(line);
    return line;
  }

  /** An upright that can be moved. */
  upright(kind: string): (x: number) => void {
    const line = s("line", { class: kind, y1: TOP, y2: HEIGHT - BOTTOM });
    this.#plot.append(line);
    return (x) => {
      line.setAttribute("x1", this.#across(x).toFixed(1));
      line.setAttribute("x2", this.#across(x).toFixed(1));
    };
  }
}

const short = (name: string): string => (name.length > 48 ? `${name.slice(0, 47)}…` : name);

// The values of a form, apart from the page: where each starts, what a typed text means, what a row is.

import type { Cell, Column, Row, Schema, Value } from "./package.ts";

/** What a text means for a column: a value, or the problem with it. */
export type Reading = { value: Value } | { problem: string };

/** Positions of a slider over a range and the value at each. */
export interface Scale {
  steps: number;
  at(position: number): number;
  position(value: number): number;
}

/** The slider of a numeric column; null where no range is known, or it is a single point. */
export function scale(column: Column): Scale | null {
  const [low, high] = column.range ?? [0, 0];
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return null;
  const whole = column.kind === "integer";
  const steps = whole && span <= 1000 ? Math.round(span) : 200;
  const decimals = whole ? 0 : Math.min(20, Math.max(0, Math.ceil(-Math.log10(span / steps))));
  return {
    steps,
    // The ends are the range's own numbers; between them, no more decimals than a step needs.
    at(position) {
      if (position <= 0) return low;
      if (position >= steps) return high;
      return Math.min(high, Math.max(low, Number((low + (span * position) / steps).toFixed(decimals))));
    },
    position: (value) => Math.round(Math.min(1, Math.max(0, (value - low) / span)) * steps),
  };
}

/** The value a field starts with: the middle of the range, the first category. */
export function start(column: Column): Value {
  switch (column.kind) {
    case "number":
    case "integer": {
      const slider = scale(column);
      return slider ? slider.at(Math.round(slider.steps / 2)) : (column.range?.[0] ?? 0);
    }
    case "code":
      return 0;
    case "boolean":
      return false;
    case "category":
      return column.categories?.[0] ?? (column.missing ? null : "");
    case "text":
      return "";
  }
}

/** A value at random among those seen in training; where those are unknown, the value it has. */
export function shuffle(column: Column, now: Value, random: () => number = Math.random): Value {
  const slider = scale(column);
  if (slider) return slider.at(Math.floor(random() * (slider.steps + 1)));
  if (column.kind === "boolean") return random() < 0.5;
  const categories = column.categories ?? [];
  return categories.length > 0 ? categories[Math.floor(random() * categories.length)]! : now;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITY = /^([+-]?)inf(inity)?$/i;
const BOOLEAN = new Map([["true", true], ["1", true], ["false", false], ["0", false]]);

/** A number as CSV files have it; null where the text is none. */
function numeric(text: string): number | null {
  const infinite = INFINITY.exec(text);
  if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
  return NUMBER.test(text) ? Number(text) : null;
}

/** Reads a typed text or a CSV field as a value of the column, as `carryout predict` does. */
export function read(text: string, column: Column): Reading {
  const word = text.trim();
  if (column.kind === "text") return { value: word === "" && column.missing ? null : text };
  if (column.kind === "category") return category(text, word, column);
  const wanted = column.kind === "boolean" ? "true or false" : "a number";
  if (word === "" || word.toLowerCase() === "nan") return column.missing ? { value: null } : { problem: `needs ${wanted}` };
  const value = column.kind === "boolean" ? BOOLEAN.get(word.toLowerCase()) : numeric(word);
  const endless = typeof value === "number" && !Number.isFinite(value) && column.used && !column.infinite;
  return value === undefined || value === null || endless ? { problem: `needs ${wanted}, not ${quote(word)}` } : { value };
}

function category(text: string, word: string, column: Column): Reading {
  const categories = column.categories ?? [];
  const strings = categories.filter((cell) => typeof cell === "string");
  if (strings.includes(text)) return { value: text };
  if (word === "") return column.missing ? { value: null } : { problem: column.unknown ? "needs a value" : `needs one of ${some(categories)}` };
  // Numbers and booleans, where there are any: by value, however they are written.
  const value = strings.length < categories.length ? (numeric(word) ?? BOOLEAN.get(word.toLowerCase()) ?? text) : text;
  const found = categories.find((cell) => typeof cell !== "string" && Number(cell) === Number(value) && typeof value !== "string");
  if (found !== undefined) return { value: found };
  if (column.unknown && (typeof value !== "string" || strings.length > 0 || categories.length === 0)) return { value };
  return { problem: `needs one of ${some(categories)}` };
}

function some(categories: readonly Cell[]): string {
  const shown = categories.slice(0, 10).map(String).join(", ");
  return categories.length > 10 ? `${shown} and ${categories.length - 10} more` : shown;
}

const quote = (text: string): string => `“${text.length > 40 ? `${text.slice(0, 40)}…` : text}”`;

/** The row as `predict` takes it. Own properties only, whatever the names are. */
export function toRow(schema: Schema, values: readonly Value[]): Row {
  return Object.fromEntries(schema.columns.map((column, index) => [column.name, values[index] ?? null]));
}

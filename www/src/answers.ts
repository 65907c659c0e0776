// What a table of predictions shows: which rows were flagged, and, where the table also has the true answers, how
// good the predictions are. Pure functions of texts, as CSV has them; the pictures are insight.ts's.

import type { Predicted } from "./csv.ts";
import type { Schema } from "./package.ts";

/** A column of the table that holds numbers only; NaN where a field is empty. */
export interface Numeric {
  name: string;
  values: Float64Array;
  /** The model reads it. */
  input: boolean;
}

/** The texts of a column that predicting made, by its own name (`outlier`, `probabilities.yes`); null without one. */
export function made(table: Predicted, name: string): string[] | null {
  const place = table.made.indexOf(name);
  return place < 0 ? null : table.rows.map((row) => row[table.given + place]!);
}

/** A field as a number: NaN where it is empty, null where it is something else. */
function numeric(field: string): number | null {
  const word = field.trim();
  if (word === "" || word.toLowerCase() === "nan") return Number.NaN;
  const value = Number(word);
  return Number.isFinite(value) ? value : null;
}

/** The given columns that hold numbers, and at least two different ones. */
export function numbers(table: Predicted, schema: Schema): Numeric[] {
  const inputs = new Set(schema.columns.map((column) => column.name));
  const found: Numeric[] = [];
  for (let place = 0; place < table.given; place++) {
    const values = new Float64Array(table.rows.length);
    let some = Number.NaN;
    let differ = false;
    const all = table.rows.every((row, index) => {
      const value = numeric(row[place]!);
      if (value === null) return false;
      values[index] = value;
      if (Number.isNaN(some)) some = value;
      else if (!Number.isNaN(value) && value !== some) differ = true;
      return true;
    });
    const name = table.header[place]!;
    if (all && differ) found.push({ name, values, input: inputs.has(name) });
  }
  return found;
}

/** The places of columns that the model does not read. */
function extra(table: Predicted, schema: Schema): number[] {
  const inputs = new Set(schema.columns.map((column) => column.name));
  return Array.from({ length: table.given }, (_, place) => place).filter((place) => !inputs.has(table.header[place]!));
}

/** The column with the true classes: one that the model does not read and that names its classes only. */
export function trueClasses(table: Predicted, schema: Schema): { name: string; values: string[] } | null {
  const classes = new Set(schema.classes?.map(String));
  for (const place of extra(table, schema).reverse()) {
    const values = table.rows.map((row) => row[place]!.trim());
    if (values.length > 0 && values.every((value) => classes.has(value))) return { name: table.header[place]!, values };
  }
  return null;
}

/** Whether a column that the model does not read holds moments in rising order, as a series has them. */
export function isSeries(table: Predicted, schema: Schema): boolean {
  return extra(table, schema).some((place) => {
    let last = -Infinity;
    return table.rows.length > 2 && table.rows.every((row) => {
      const moment = /^\d{4}-\d\d-\d\d/.test(row[place]!) ? Date.parse(row[place]!.replace(" ", "T")) : Number.NaN;
      const rises = moment > last;
      last = moment;
      return rises;
    });
  });
}

/** Counts of the rule "flagged where probability ≥ threshold" against what is so. */
export interface Counts {
  hits: number;
  alarms: number;
  misses: number;
  rest: number;
}

export function countsAt(probability: readonly number[], truth: readonly boolean[], threshold: number): Counts {
  const counts = { hits: 0, alarms: 0, misses: 0, rest: 0 };
  probability.forEach((value, row) => {
    const flagged = value >= threshold;
    counts[truth[row] ? (flagged ? "hits" : "misses") : flagged ? "alarms" : "rest"]++;
  });
  return counts;
}

/** NaN where nothing is flagged, or nothing is so. */
export function rates({ hits, alarms, misses, rest }: Counts): { precision: number; recall: number; f1: number; flagged: number } {
  return {
    precision: hits / (hits + alarms),
    recall: hits / (hits + misses),
    f1: (2 * hits) / (2 * hits + alarms + misses),
    flagged: (hits + alarms) / (hits + alarms + misses + rest),
  };
}

/**
 * The hundredth from which on the model itself seems to predict the class: above every probability of rows that it
 * predicted otherwise, at most that of those it did. One half where that fits; null where no hundredth does.
 */
export function ownThreshold(probability: readonly number[], predicted: readonly boolean[]): number | null {
  let above = -Infinity;
  let most = Infinity;
  probability.forEach((value, row) => {
    if (predicted[row]) most = Math.min(most, value);
    else above = Math.max(above, value);
  });
  const fits = Array.from({ length: 99 }, (_, step) => (step + 1) / 100).filter((at) => at > above && at <= most);
  return fits.includes(0.5) ? 0.5 : (fits[fits.length >> 1] ?? null);
}

/** Mean absolute error, root of the mean squared error and R², over the rows that have both. */
export function errors(truth: ArrayLike<number>, predicted: ArrayLike<number>): { rows: number; mae: number; rmse: number; r2: number } {
  const rows = Array.from(truth, (_, row) => row).filter((row) => !Number.isNaN(truth[row]!) && !Number.isNaN(predicted[row]!));
  const sum = (of: (row: number) => number) => rows.reduce((total, row) => total + of(row), 0);
  const mean = sum((row) => truth[row]!) / rows.length;
  const squares = sum((row) => (truth[row]! - predicted[row]!) ** 2);
  return {
    rows: rows.length,
    mae: sum((row) => Math.abs(truth[row]! - predicted[row]!)) / rows.length,
    rmse: Math.sqrt(squares / rows.length),
    r2: 1 - squares / sum((row) => (truth[row]! - mean) ** 2),
  };
}

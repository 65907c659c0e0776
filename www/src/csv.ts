// CSV as RFC 4180 has it, with comma, semicolon or tab; and batches: a table in, the same with predictions out.

import type { Batch, Model, Numbers, Output, Parts, Row, Schema, Value } from "./package.ts";
import { read } from "./row.ts";

export interface Table {
  header: string[];
  rows: string[][];
  /** The file's line on which each row begins. */
  lines: number[];
  separator: string;
}

/** The separator that the first line uses most, outside quotes. */
function separatorOf(text: string): string {
  const counts = new Map([",", ";", "\t"].map((mark) => [mark, 0]));
  let quoted = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    else if (!quoted && (char === "\n" || char === "\r")) break;
    else if (!quoted && counts.has(char)) counts.set(char, counts.get(char)! + 1);
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

/**
 * Reads a table whose first line names the columns. Blank lines are skipped.
 *
 * Throws an Error that names the line where a quote does not close or a row has more or fewer fields than the header.
 */
export function parse(text: string): Table {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const separator = separatorOf(source);
  const lines: { fields: string[]; line: number }[] = [];
  let fields: string[] = [];
  let at = 0;
  let line = 1;
  let first = 1;
  while (at < source.length) {
    let field: string;
    if (source[at] === '"') {
      const opened = line;
      const parts: string[] = [];
      for (;;) {
        const close = source.indexOf('"', at + 1);
        if (close < 0) throw new Error(`line ${opened}: a quoted field does not end`);
        parts.push(source.slice(at + 1, close));
        at = close + 1;
        if (source[at] !== '"') break;
      }
      field = parts.join('"');
      line += field.split("\n").length - 1;
    } else field = "";
    // The rest of the field, or all of it where it is not quoted.
    let end = at;
    while (end < source.length && source[end] !== separator && source[end] !== "\n" && source[end] !== "\r") end++;
    fields.push(field + source.slice(at, end));
    at = end;
    if (source[at] === separator) {
      at++;
      if (at < source.length) continue;
      fields.push("");
    }
    if (source[at] === "\r") at++;
    if (source[at] === "\n") at++;
    line++;
    if (fields.length > 1 || fields[0] !== "") lines.push({ fields, line: first });
    fields = [];
    first = line;
  }
  const header = lines.shift()?.fields;
  if (!header) throw new Error("no header: the first line names the columns");
  for (const { fields, line } of lines) {
    if (fields.length !== header.length) {
      throw new Error(`line ${line} has ${fields.length} fields, the header has ${header.length}`);
    }
  }
  return { header, rows: lines.map(({ fields }) => fields), lines: lines.map(({ line }) => line), separator };
}

/** Whether a file is a model rather than rows: by its name's end, how it begins, or bytes that no text has. */
export function isModel(name: string, text: string): boolean {
  if (/\.(pkl|pickle|joblib|carry|ubj|cbm|onnx|bst)$/i.test(name)) return true;
  if (/^(tree\r?\nversion=|\s*\{\s*"(learner|oblivious_trees|features_info)")/.test(text)) return true;
  return !/\.(csv|tsv|txt)$/i.test(name) && /[\0-\x08]/.test(text.slice(0, 4096));
}

/** Writes rows; a field is quoted only where it must be. */
export function format(rows: readonly (readonly string[])[], separator = ","): string {
  const special = new RegExp(`[${separator}"\\r\\n]`);
  const field = (text: string) => (special.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(field).join(separator)}\r\n`).join("");
}

/** Rows of a table as `predictBatch` takes them: an object of columns. Throws an Error that names line and column. */
export function columns(table: Table, schema: Schema, from = 0, to = table.rows.length): Record<string, Value[]> {
  const absent = schema.columns.filter((column) => !table.header.includes(column.name));
  const needed = absent.find((column) => !column.missing);
  const header = table.header.join(", ").slice(0, 200);
  if (needed) throw new Error(`the column ${needed.name} is not in the header: ${header}`);
  if (absent.length === schema.columns.length) throw new Error(`no column of the model is in the header: ${header}`);
  return Object.fromEntries(
    schema.columns.map((column) => {
      const place = table.header.indexOf(column.name);
      const values = table.rows.slice(from, to).map((row, index) => {
        if (place < 0) return null;
        const reading = read(row[place]!, column);
        if ("problem" in reading) throw new Error(`line ${table.lines[from + index]}: ${column.name} ${reading.problem}`);
        return reading.value;
      });
      return [column.name, values];
    }),
  );
}

/** A column of the answer: its name, and its text by row. NaN and null are empty, as on the way in. */
interface Made {
  name: string;
  at(row: number): string;
}

/** The columns of a batch, named as the fields of a prediction are: `probabilities.yes`, as `carryout predict` does. */
export function results(batch: Parts, output: Output, rows: number): Made[] {
  const text = (value: unknown) => (value === null || value === undefined || Number.isNaN(value) ? "" : String(value));
  const one = (name: string, at: (row: number) => unknown): Made => ({ name, at: (row) => text(at(row)) });
  const many = (name: string, values: Numbers, parts: readonly unknown[] = []): Made[] => {
    const width = rows === 0 ? 0 : values.length / rows;
    return Array.from({ length: width }, (_, part) => {
      return one(`${name}.${part in parts ? parts[part] : part}`, (row) => values[row * width + part]);
    });
  };
  const { label, cluster, probabilities, scores, value, values, outlier, score, distances, transformed } = batch;
  const { classes = [], clusters = [], names = [] } = output;
  const made: Made[] = [];
  if (label) made.push(one("label", (row) => classes[label[row]!]));
  if (label && probabilities) {
    made.push(one("probability", (row) => probabilities[row * classes.length + label[row]!]));
    made.push(...many("probabilities", probabilities, classes));
  }
  if (scores) made.push(...many("scores", scores, classes));
  if (value) made.push(one("value", (row) => value[row]));
  if (values) made.push(...many("values", values, names));
  if (outlier) made.push(one("outlier", (row) => outlier[row] === 1));
  if (score) made.push(one("score", (row) => score[row]));
  if (cluster) made.push(one("cluster", (row) => clusters[cluster[row]!]));
  if (distances) made.push(...many("distances", distances, clusters));
  if (transformed) made.push(...many("transformed", transformed, names));
  batch.outputs?.forEach((part, index) => {
    const own = output.outputs?.[index];
    if (own) made.push(...results(part, own, rows).map(({ name, at }) => ({ name: `outputs.${index}.${name}`, at })));
  });
  return made;
}

/** Rows a call of `predictBatch` gets; between calls the page may draw. */
const CHUNK = 4096;

/** A table with its predictions, and what the model remarked. */
export interface Predicted extends Table {
  /** Columns that were there before; those after it were made. */
  given: number;
  /** The made columns' own names: in the header one that was taken has a prefix. */
  made: string[];
  /** One a column of the model, with the first line it is about. */
  warnings: string[];
}

/**
 * Predicts a whole table. `progress` gets the rows done and may be async to let the page breathe.
 *
 * Throws an Error that names the line and what is wrong with it.
 */
export async function predict(table: Table, model: Model, progress: (done: number) => void | Promise<void>): Promise<Predicted> {
  columns(table, model.schema, 0, 0);
  if (table.rows.length === 0) throw new Error("no rows: there is nothing below the line that names the columns");
  let header: string[] = table.header;
  const rows: string[][] = [];
  const notes = new Map<string, { first: string; more: number }>();
  let names: string[] = [];
  for (let from = 0; from < table.rows.length; from += CHUNK) {
    const to = Math.min(from + CHUNK, table.rows.length);
    const input = columns(table, model.schema, from, to);
    const batch = run(model, input, table.lines.slice(from, to));
    const remarks = remarksOf(model, input, batch);
    const made = [...results(batch, model.schema, to - from), { name: "warnings", at: (row: number) => remarks[row]?.join("; ") ?? "" }];
    names = made.map(({ name }) => name);
    // A column of that name in the data stays; the prediction's takes another.
    header = [...table.header, ...names.map((name) => (table.header.includes(name) ? `predicted_${name}` : name))];
    for (let row = from; row < to; row++) {
      rows.push([...table.rows[row]!, ...made.map(({ at }) => at(row - from))]);
      for (const remark of remarks[row - from] ?? []) {
        const column = /^"(?:[^"\\]|\\.)*"/.exec(remark)?.[0] ?? remark;
        const note = notes.get(column);
        if (note) note.more++;
        else notes.set(column, { first: `line ${table.lines[row]}, ${remark}`, more: 0 });
      }
    }
    await progress(to);
  }
  const warnings = [...notes.values()].map(({ first, more }) => (more > 0 ? `${first} (and ${more.toLocaleString("en")} more)` : first));
  return { ...table, header, rows, given: table.header.length, made: names, warnings };
}

/** One row of a batch. */
function rowOf(input: Record<string, readonly Value[]>, row: number): Row {
  return Object.fromEntries(Object.entries(input).map(([name, values]) => [name, values[row]!]));
}

/** What the model remarks on each row: a batch tells only of the first of a column. */
function remarksOf(model: Model, input: Record<string, readonly Value[]>, batch: Batch): (readonly string[])[] {
  if (!batch.warnings?.length) return [];
  return Array.from({ length: batch.rows }, (_, row) => model.predict(rowOf(input, row)).warnings ?? []);
}

/** Runs a batch; where a row of it is refused, finds that row and says on which line it is. */
function run(model: Model, input: Record<string, readonly Value[]>, lines: readonly number[]): Batch {
  try {
    return model.predictBatch(input);
  } catch (cause) {
    for (const [row, line] of lines.entries()) {
      try {
        model.predict(rowOf(input, row));
      } catch (error) {
        throw new Error(`line ${line}: ${error instanceof Error ? error.message : String(error)}`, { cause });
      }
    }
    throw cause;
  }
}

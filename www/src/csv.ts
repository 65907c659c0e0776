// CSV as RFC 4180 has it, with comma, semicolon or tab; and batches: a table in, the same with predictions out.

import type { Batch, Cell, Model, Schema, Value } from "./package.ts";
import { read } from "./row.ts";

export interface Table {
  header: string[];
  rows: string[][];
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
  return { header, rows: lines.map(({ fields }) => fields), separator };
}

/** Writes rows; a field is quoted only where it must be. */
export function format(rows: readonly (readonly string[])[], separator = ","): string {
  const special = new RegExp(`[${separator}"\\r\\n]`);
  const field = (text: string) => (special.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(field).join(separator)}\r\n`).join("");
}

/** Rows of a table as `predictBatch` takes them: an object of columns. Throws an Error that names line and column. */
export function columns(table: Table, schema: Schema, from = 0, to = table.rows.length): Record<string, Value[]> {
  return Object.fromEntries(
    schema.columns.map((column) => {
      const place = table.header.indexOf(column.name);
      if (place < 0 && !column.missing) {
        throw new Error(`the column ${column.name} is not in the header: ${table.header.join(", ")}`);
      }
      const values = table.rows.slice(from, to).map((row, index) => {
        if (place < 0) return null;
        const reading = read(row[place]!, column);
        if ("problem" in reading) throw new Error(`row ${from + index + 1}: ${column.name} ${reading.problem}`);
        return reading.value;
      });
      return [column.name, values];
    }),
  );
}

/** The prediction columns of a batch: their names and, by row, their text. */
export function results(batch: Batch, schema: Schema, prefix = ""): { header: string[]; row(index: number): string[] } {
  const columns: { name: string; at(row: number): unknown }[] = [];
  const one = (name: string, values: ArrayLike<unknown> | undefined) => {
    if (values) columns.push({ name: prefix + name, at: (row) => values[row] });
  };
  const many = (name: string, values: ArrayLike<unknown> | undefined, names?: readonly Cell[]) => {
    if (!values || batch.rows === 0) return;
    const width = values.length / batch.rows;
    for (let index = 0; index < width; index++) {
      const part = width === 1 ? name : `${name}_${names?.[index] ?? index}`;
      columns.push({ name: prefix + part, at: (row) => values[row * width + index] });
    }
  };
  if (batch.outputs) {
    const parts = batch.outputs.map((output, index) => results(output, schema, `${prefix}${schema.names?.[index] ?? index}_`));
    return {
      header: parts.flatMap((part) => part.header),
      row: (index) => parts.flatMap((part) => part.row(index)),
    };
  }
  one("label", batch.labels?.());
  many("probability", batch.probabilities, schema.classes);
  many("score", batch.scores, schema.classes);
  one("value", batch.value);
  many("value", batch.values, schema.names);
  one("outlier", batch.outlier && Array.from(batch.outlier, Boolean));
  one("score", batch.score);
  one("cluster", batch.cluster);
  many("distance", batch.distances);
  many("transformed", batch.transformed, schema.names);
  return {
    header: columns.map(({ name }) => name),
    row: (index) => columns.map(({ at }) => String(at(index))),
  };
}

/** Rows a call of `predictBatch` gets; between calls the page may draw. */
const CHUNK = 4096;

/** Predicts a whole table. `progress` gets the rows done and may be async to let the page breathe. */
export async function predict(table: Table, model: Model, progress: (done: number) => void | Promise<void>): Promise<Table> {
  let header: string[] = table.header;
  const rows: string[][] = [];
  for (let from = 0; from < table.rows.length; from += CHUNK) {
    const to = Math.min(from + CHUNK, table.rows.length);
    const made = results(model.predictBatch(columns(table, model.schema, from, to)), model.schema);
    header = [...table.header, ...made.header];
    for (let row = from; row < to; row++) rows.push([...table.rows[row]!, ...made.row(row - from)]);
    await progress(to);
  }
  return { header, rows, separator: table.separator };
}

// What a package made by `carryout pack` looks like from a page, and how this page finds the ones it may open.

/** A category or a class, in the type the model was trained with. */
export type Cell = string | number | boolean;
/** A class or a cluster; null where the model learnt a missing value as one. */
export type Label = Cell | null;
/** What a field of the form holds; null is a missing value. */
export type Value = Cell | null;
export type Row = Record<string, Value>;

export interface Column {
  name: string;
  kind: "number" | "integer" | "boolean" | "category" | "code" | "text";
  categories?: readonly Cell[];
  /** A missing value is accepted. */
  missing: boolean;
  /** Infinity is accepted. */
  infinite?: boolean;
  /** A category outside the list is accepted. */
  unknown: boolean;
  /** Smallest and largest value seen in training. */
  range?: readonly [number, number];
  /** Some prediction depends on it. */
  used: boolean;
}

/** What one output is; which fields are there depends on the task. */
export interface Output {
  task: "classification" | "regression" | "anomaly" | "clustering" | "transform" | "several outputs";
  classes?: readonly Label[];
  /** The label is the second of two classes from this probability of it on; without it, the likelier class. */
  threshold?: number;
  clusters?: readonly Label[];
  /** Of the values. */
  names?: readonly string[];
  outputs?: readonly Output[];
}

export interface Schema extends Output {
  name: string;
  columns: readonly Column[];
}

/** One prediction; which fields are there depends on the task. */
export interface Prediction {
  label?: Label;
  probability?: number;
  probabilities?: Record<string, number>;
  scores?: Record<string, number>;
  value?: number;
  values?: readonly number[];
  outputs?: readonly Prediction[];
  outlier?: boolean;
  score?: number;
  cluster?: Label;
  distances?: readonly number[];
  transformed?: readonly number[];
  warnings?: readonly string[];
}

/** As wide as the model's own numbers. */
export type Numbers = Float64Array | Float32Array;

/** Places among so few or so many. */
type Places = Uint8Array | Int32Array;

/** Predictions of many rows: typed arrays, row-major where a row has several numbers. */
export interface Parts {
  /** Places among the classes or clusters. */
  label?: Places;
  cluster?: Places;
  probabilities?: Numbers;
  scores?: Numbers;
  value?: Numbers;
  values?: Numbers;
  outputs?: readonly Parts[];
  /** 0 or 1. */
  outlier?: Uint8Array;
  score?: Float64Array;
  distances?: Numbers;
  transformed?: Numbers;
}

export interface Batch extends Parts {
  rows: number;
  warnings?: readonly string[];
}

export interface Model {
  schema: Schema;
  predict(row: Row): Prediction;
  predictBatch(columns: Record<string, readonly Value[]>): Batch;
}

/** A package that the server offers. */
export interface Entry {
  name: string;
  path: string;
  /** Address of a CSV to show with it. */
  rows: string | null;
}

/** The packages that the server offers. */
export async function list(): Promise<Entry[]> {
  const response = await fetch("/packages.json");
  if (!response.ok) throw new Error(`/packages.json: ${response.status} ${response.statusText}`);
  return (await response.json()) as Entry[];
}

/** The rows to show with a package, as CSV; none where there are none, or they cannot be had. */
export async function exampleRows(entry: Entry): Promise<string | null> {
  if (!entry.rows) return null;
  const response = await fetch(entry.rows);
  return response.ok ? response.text() : null;
}

/** Opens a package: one script and one WebAssembly file, both from this server. */
export async function open(entry: Entry): Promise<Model> {
  const url = new URL(`${entry.path.replace(/\/?$/, "/")}index.js`, location.origin);
  if (url.origin !== location.origin) throw new Error(`${entry.name} is not on this server: ${url.href}`);
  const module = (await import(/* @vite-ignore */ url.href)) as { load: () => Promise<Model> };
  return module.load();
}

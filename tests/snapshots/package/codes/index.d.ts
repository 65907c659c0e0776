/**
 * codes
 * regression: 4 columns in, 1 value out
 *
 * Made by carryout VERSION from scikit-learn 1.9.1: Pipeline
 */

/// <reference lib="esnext.disposable" />

/** One row by column name. */
export interface Features {
  /** 0 to 10 in training. Read by LinearRegression. */
  size: number;
  /** The code of a category, 0 to 4, as far as the model tells: the model file has no names, which --categories gives to carryout. Read by LinearRegression. */
  town: number;
  /** The code of a category, a whole number from 0: the model file has no names, which --categories gives to carryout. Read by LinearRegression. */
  street: number;
  /** Other values are accepted, with a warning. Read by one-hot. */
  color?: "red" | "blue" | (string & {}) | null | undefined;
}

/** One row in the order of the columns. */
export type Values = readonly [
  Features["size"],
  Features["town"],
  Features["street"],
  Features["color"],
];

export type Row = Features | Values;

/** Many rows, column by column. */
export type Columns = {
  readonly [Name in keyof Features]: ArrayLike<Features[Name]> & object;
};

/** Many rows. */
export type Rows = readonly Row[] | Columns;

export interface Prediction {
  /** The predicted value. */
  value: number;
  /** What was accepted, but should make one look twice. */
  warnings: string[];
}

export interface Batch {
  /** How many rows the batch has. */
  rows: number;
  /** The predicted value of each row. */
  value: Float64Array;
  /** What was accepted, but should make one look twice. */
  warnings: string[];
}

export interface Column {
  /** As in the training data. */
  readonly name: keyof Features;
  /** What its values are. */
  readonly kind: "number" | "code" | "category";
  /** The values seen in training. */
  readonly categories?: readonly (string | number | boolean)[];
  /** How many codes of categories the model tells apart. */
  readonly count?: number;
  /** Least and greatest value in training. */
  readonly range?: readonly [number, number];
  /** A missing value (null, undefined, NaN) is accepted. */
  readonly missing: boolean;
  /** A category that training did not see is accepted. */
  readonly unknown: boolean;
  /** Some prediction depends on it. */
  readonly used: boolean;
}

export interface Schema {
  /** The package's name. */
  readonly name: "codes";
  /** What kind of prediction it makes. */
  readonly task: "regression";
  /** What a row holds, in the order of an array. */
  readonly columns: readonly Column[];
}

export interface Model extends Disposable {
  /** What the model takes and gives. */
  readonly schema: Schema;
  /** Predicts one row; a value the model cannot take is a `TypeError`. */
  predict(row: Row): Prediction;
  /** Predicts many rows, much faster than one by one. */
  predictBatch(rows: Rows): Batch;
  /** Lets go of the model's memory; after that it predicts no more. */
  free(): void;
  /** The compiled `WebAssembly.Module`: in a worker, `load(module)` needs no file. */
  readonly module: object;
}

/** What stands in for model.wasm: an address, bytes, a `Response` or a `WebAssembly.Module`. */
export type Source = string | object;

/** What the model takes and gives. */
export const schema: Schema;

/**
 * Loads the model, once: later calls give the same one. With a `source` each
 * call makes a model of its own; so it does with `{ integrity: true }`, which
 * refuses a model.wasm that is not the one this package was made with.
 */
export function load(
  source?: Source | { integrity: boolean; source?: Source },
): Promise<Model>;

/** Predicts one row; loads the model first if need be. */
export function predict(row: Row): Promise<Prediction>;

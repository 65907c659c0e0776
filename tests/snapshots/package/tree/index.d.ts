/**
 * tree
 * regression: 2 columns in, 1 value out
 *
 * Made by carryout VERSION from scikit-learn 1.9.1: DecisionTreeRegressor
 */

/// <reference lib="esnext.disposable" />

/** One row by column name. */
export interface Features {
  /** Read by DecisionTreeRegressor. */
  a: number;
  /** Read by DecisionTreeRegressor. */
  b: number;
}

/** One row in the order of the columns. */
export type Values = readonly [Features["a"], Features["b"]];

export type Row = Features | Values | Float64Array | Float32Array;

/** Many rows, column by column. */
export type Columns = {
  readonly [Name in keyof Features]: ArrayLike<Features[Name]> & object;
};

/** Many rows; a typed array holds them one after the other. */
export type Rows =
  | readonly Row[]
  | Columns
  | readonly (readonly number[])[]
  | Float64Array
  | Float32Array;

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
  readonly kind: "number";
  /** A missing value (null, undefined, NaN) is accepted. */
  readonly missing: boolean;
  /** A number that float32 does not hold is not accepted. */
  readonly single: boolean;
  /** A category that training did not see is accepted. */
  readonly unknown: boolean;
  /** Some prediction depends on it. */
  readonly used: boolean;
}

export interface Schema {
  /** The package's name. */
  readonly name: "tree";
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

/**
 * several
 * several outputs: 2 columns in, 3 outputs out
 *
 * Made by carryout VERSION from scikit-learn 1.9.1: MultiOutputClassifier
 */

/// <reference lib="esnext.disposable" />

/** One row by column name. */
export interface Features {
  /** Read by LinearSVC, Ridge, LogisticRegression. */
  a: number;
  /** Read by LinearSVC, Ridge, LogisticRegression. */
  on: boolean;
}

/** One row in the order of the columns. */
export type Values = readonly [Features["a"], Features["on"]];

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

export type Label1 = false | true;

export interface Output1 {
  /** The predicted class. */
  label: Label1;
  /** The decision function; higher is likelier, and these are no probabilities. */
  scores: Record<`${Label1}`, number>;
}

export interface BatchOutput1 {
  /** The place of each row's class in the schema's `classes`. */
  label: Uint8Array;
  /** The class of each row. */
  labels(): Label1[];
  /** Rows × classes, row after row. */
  scores: Float64Array;
}

export interface Output2 {
  /** The predicted value. */
  value: number;
}

export interface BatchOutput2 {
  /** The predicted value of each row. */
  value: Float64Array;
}

export type Label3 = -1 | 0 | 7;

export interface Output3 {
  /** The predicted class. */
  label: Label3;
  /** The probability of `label`. */
  probability: number;
  /** The probability of each class. */
  probabilities: Record<`${Label3}`, number>;
}

export interface BatchOutput3 {
  /** The place of each row's class in the schema's `classes`. */
  label: Uint8Array;
  /** The class of each row. */
  labels(): Label3[];
  /** Rows × classes, row after row. */
  probabilities: Float64Array;
}

export interface Prediction {
  /** One for each output of the model, in its order. */
  outputs: [Output1, Output2, Output3];
  /** What was accepted, but should make one look twice. */
  warnings: string[];
}

export interface Batch {
  /** How many rows the batch has. */
  rows: number;
  /** One for each output of the model, in its order. */
  outputs: [BatchOutput1, BatchOutput2, BatchOutput3];
  /** What was accepted, but should make one look twice. */
  warnings: string[];
}

export interface Column {
  /** As in the training data. */
  readonly name: keyof Features;
  /** What its values are. */
  readonly kind: "number" | "boolean";
  /** A missing value (null, undefined, NaN) is accepted. */
  readonly missing: boolean;
  /** A category that training did not see is accepted. */
  readonly unknown: boolean;
  /** Some prediction depends on it. */
  readonly used: boolean;
}

export interface Schema {
  /** The package's name. */
  readonly name: "several";
  /** What kind of prediction it makes. */
  readonly task: "several outputs";
  /** What a row holds, in the order of an array. */
  readonly columns: readonly Column[];
  /** One for each output of the model, in its order. */
  readonly outputs: readonly [
    {
      /** What kind of prediction it is. */
      readonly task: "classification";
      /** In the order of probabilities and scores. */
      readonly classes: readonly Label1[];
    },
    {
      /** What kind of prediction it is. */
      readonly task: "regression";
    },
    {
      /** What kind of prediction it is. */
      readonly task: "classification";
      /** In the order of probabilities and scores. */
      readonly classes: readonly Label3[];
    },
  ];
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

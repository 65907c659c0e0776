/**
 * hostile
 * classification: 16 columns in, 16 classes out
 *
 * Made by carryout VERSION from scikit-learn line break   : *\/ alert(1); /*
 *   __proto__
 *   constructor
 *   toString
 *   it's
 *   say "hi"
 *   `${alert(1)}`
 *   *\/ alert(1); /*
 *   \u003c/script>\u003cscript>alert(1)\u003c/script>
 *   line break
 *   back\slash
 *   | [link](javascript:alert(1)) <img src=x onerror=alert(1)>
 *   \@deprecated {\@link x}
 *   \u202eevil
 *   年齢 größe 😀
 *
 *   ]]>-->
 */

/// <reference lib="esnext.disposable" />

/** One row by column name. */
export interface Features {
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  __proto__: number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  constructor: number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  toString: number;
  /** Read by *\/ alert(1); /*. */
  "it's":
    | "__proto__"
    | "constructor"
    | "toString"
    | "it's"
    | 'say "hi"'
    | "`${alert(1)}`"
    | "*/ alert(1); /*"
    | "\u003c/script>\u003cscript>alert(1)\u003c/script>"
    | "line\nbreak\r\u2028\u2029"
    | "back\\slash"
    | "| [link](javascript:alert(1)) <img src=x onerror=alert(1)>"
    | "@deprecated {@link x}"
    | "\u202eevil"
    | "年齢 größe 😀"
    | ""
    | "]]>-->";
  /** -1e-9 to 1e300 in training. Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  'say "hi"': number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "`${alert(1)}`": number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "*/ alert(1); /*": number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "\u003c/script>\u003cscript>alert(1)\u003c/script>": number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "line\nbreak\r\u2028\u2029": number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "back\\slash": number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "| [link](javascript:alert(1)) <img src=x onerror=alert(1)>": number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "@deprecated {@link x}": number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "\u202eevil": number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "年齢 größe 😀": number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "": number;
  /** Read by \u003c/script>\u003cscript>alert(1)\u003c/script>. */
  "]]>-->": number;
}

/** One row in the order of the columns. */
export type Values = readonly [
  Features["__proto__"],
  Features["constructor"],
  Features["toString"],
  Features["it's"],
  Features['say "hi"'],
  Features["`${alert(1)}`"],
  Features["*/ alert(1); /*"],
  Features["\u003c/script>\u003cscript>alert(1)\u003c/script>"],
  Features["line\nbreak\r\u2028\u2029"],
  Features["back\\slash"],
  Features["| [link](javascript:alert(1)) <img src=x onerror=alert(1)>"],
  Features["@deprecated {@link x}"],
  Features["\u202eevil"],
  Features["年齢 größe 😀"],
  Features[""],
  Features["]]>-->"],
];

export type Row = Features | Values;

/** Many rows, column by column. */
export type Columns = {
  readonly [Name in keyof Features]: ArrayLike<Features[Name]> & object;
};

/** Many rows. */
export type Rows = readonly Row[] | Columns;

export type Label =
  | "__proto__"
  | "constructor"
  | "toString"
  | "it's"
  | 'say "hi"'
  | "`${alert(1)}`"
  | "*/ alert(1); /*"
  | "\u003c/script>\u003cscript>alert(1)\u003c/script>"
  | "line\nbreak\r\u2028\u2029"
  | "back\\slash"
  | "| [link](javascript:alert(1)) <img src=x onerror=alert(1)>"
  | "@deprecated {@link x}"
  | "\u202eevil"
  | "年齢 größe 😀"
  | ""
  | "]]>-->";

export interface Prediction {
  /** The predicted class. */
  label: Label;
  /** The probability of `label`. */
  probability: number;
  /** The probability of each class. */
  probabilities: Record<Label, number>;
  /** What was accepted, but should make one look twice. */
  warnings: string[];
}

export interface Batch {
  /** How many rows the batch has. */
  rows: number;
  /** The place of each row's class in the schema's `classes`. */
  label: Uint8Array;
  /** The class of each row. */
  labels(): Label[];
  /** Rows × classes, row after row. */
  probabilities: Float64Array;
  /** What was accepted, but should make one look twice. */
  warnings: string[];
}

export interface Column {
  /** As in the training data. */
  readonly name: keyof Features;
  /** What its values are. */
  readonly kind: "number" | "category";
  /** The values seen in training. */
  readonly categories?: readonly (string | number | boolean)[];
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
  readonly name: "hostile";
  /** What kind of prediction it makes. */
  readonly task: "classification";
  /** What a row holds, in the order of an array. */
  readonly columns: readonly Column[];
  /** In the order of probabilities and scores. */
  readonly classes: readonly Label[];
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

// Doubles of packages, for working on the page and for its tests: the interface of a packed model with a few lines of
// arithmetic behind it. Columns, classes and the shape of the answers are as `carryout pack` writes them.

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

const WORD = { number: "number", integer: "number", boolean: "boolean", text: "string" };

/** Checks a row as a package does: a TypeError for what the model cannot take, a warning for what it can. */
function check(schema, row, warnings) {
  return schema.columns.map((column) => {
    const value = Object.hasOwn(row, column.name) ? row[column.name] : undefined;
    if (value === undefined || value === null || Number.isNaN(value)) {
      if (column.missing) return NaN;
      throw new TypeError(`${column.name} is missing`);
    }
    if (column.kind === "category") {
      if (column.categories.includes(value)) return column.categories.indexOf(value);
      if (!column.unknown) throw new TypeError(`${column.name}: ${value} is not one of ${column.categories.join(", ")}`);
      warnings.push(`${JSON.stringify(column.name)}: ${value} was not seen in training`);
      return -1;
    }
    if (typeof value !== WORD[column.kind]) throw new TypeError(`${column.name}: expected ${column.kind}, got ${typeof value}`);
    if (column.range && (value < column.range[0] || value > column.range[1])) {
      warnings.push(`${JSON.stringify(column.name)}: ${value} is outside ${column.range[0]} to ${column.range[1]}, the range seen in training`);
    }
    return column.kind === "text" ? value : Number(value);
  });
}

/** A package from its schema, a function of checked values, and one that gathers predictions into a batch. */
export function double(schema, predict, gather) {
  const columns = schema.columns.map((column) => ({ missing: false, unknown: false, used: true, ...column }));
  const whole = { ...schema, columns };
  const model = {
    schema: whole,
    predict(row) {
      const warnings = [];
      const values = check(whole, row, warnings);
      return { ...predict(values), warnings };
    },
    predictBatch(input) {
      const rows = Object.values(input)[0].length;
      const made = Array.from({ length: rows }, (_, row) =>
        model.predict(Object.fromEntries(columns.map(({ name }) => [name, input[name][row]]))),
      );
      return { rows, ...gather(made, whole), warnings: made.flatMap(({ warnings }) => warnings) };
    },
  };
  return { schema: whole, load: async () => model };
}

const flat = (made, pick) => Float64Array.from(made.flatMap(pick));
const places = (made, labels, pick) => Int32Array.from(made, (one) => labels.indexOf(pick(one)));

/** Predictions of a task to a batch of them. */
export const gather = {
  classification: (made, { classes }) => ({
    label: places(made, classes, ({ label }) => label),
    labels: () => made.map(({ label }) => label),
    ...(made[0]?.probabilities && { probabilities: flat(made, (one) => classes.map((name) => one.probabilities[name])) }),
    ...(made[0]?.scores && { scores: flat(made, (one) => classes.map((name) => one.scores[name])) }),
  }),
  regression: (made) => ({ value: flat(made, ({ value }) => value) }),
  anomaly: (made) => ({ outlier: Uint8Array.from(made, ({ outlier }) => +outlier), score: flat(made, ({ score }) => score) }),
  clustering: (made, { clusters }) => ({
    cluster: places(made, clusters, ({ cluster }) => cluster),
    clusters: () => made.map(({ cluster }) => cluster),
    distances: flat(made, ({ distances }) => distances),
  }),
  transform: (made) => ({ transformed: flat(made, ({ transformed }) => transformed) }),
};

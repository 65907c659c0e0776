import { double, sigmoid } from "../double.js";

export const { schema, load } = double(
  {
    name: "two-answers",
    task: "several outputs",
    names: ["grade", "hours"],
    columns: [
      { name: "essay", kind: "text" },
      { name: "year", kind: "category", categories: [1, 2, 3] },
      { name: "school", kind: "category", categories: Array.from({ length: 120 }, (_, index) => `School ${index + 1}`), missing: true },
    ],
  },
  ([essay, year]) => {
    const pass = sigmoid(essay.length / 20 - year - 1);
    return {
      outputs: [
        { label: pass >= 0.5, probability: Math.max(pass, 1 - pass), probabilities: { false: 1 - pass, true: pass } },
        { value: essay.length / 3 + year },
      ],
    };
  },
  (made) => ({
    outputs: [
      { rows: made.length, labels: () => made.map(({ outputs }) => outputs[0].label) },
      { rows: made.length, value: Float64Array.from(made, ({ outputs }) => outputs[1].value) },
    ],
  }),
);

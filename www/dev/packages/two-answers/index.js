import { double, gather, sigmoid } from "../double.js";

export const { schema, load } = double(
  {
    name: "two-answers",
    task: "several outputs",
    outputs: [{ task: "classification", classes: [false, true] }, { task: "regression" }],
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
  (made, { outputs }) => ({
    outputs: outputs.map((output, index) => {
      return gather[output.task](
        made.map((one) => one.outputs[index]),
        output,
      );
    }),
  }),
);

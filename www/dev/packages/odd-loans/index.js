import { double, gather } from "../double.js";

export const { schema, load } = double(
  {
    name: "odd-loans",
    task: "classification",
    classes: ["repaid", "defaulted"],
    threshold: 0.26,
    columns: [{ name: "debt", kind: "number", range: [0, 0.8] }],
  },
  ([debt]) => {
    const label = debt >= 0.26 ? "defaulted" : "repaid";
    const probabilities = { repaid: 1 - debt, defaulted: debt };
    return { label, probability: probabilities[label], probabilities };
  },
  gather.classification,
);

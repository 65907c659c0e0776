import { double, gather, sigmoid } from "../double.js";

const classes = ["approved", "rejected"];
export const { schema, load } = double(
  {
    name: "loan-approval",
    task: "classification",
    classes,
    columns: [
      { name: "age", kind: "integer", range: [18, 79] },
      { name: "income", kind: "number", range: [8200, 184000] },
      { name: "employment", kind: "category", categories: ["salaried", "self-employed", "student", "retired"] },
      { name: "purpose", kind: "category", categories: ["car", "education", "home", "medical", "other", "travel"], unknown: true },
      { name: "debt_ratio", kind: "number", range: [0, 1.35], missing: true },
      { name: "late_payments", kind: "integer", range: [0, 12], missing: true },
      { name: "owns_home", kind: "boolean" },
      { name: "application_id", kind: "integer", range: [1, 9000], used: false },
    ],
  },
  ([age, income, employment, purpose, debt, late, home]) => {
    const odds =
      (age - 45) / 40 + (income - 60000) / 30000 + [0.5, 0, -0.8, 0.2][employment] - 0.1 * purpose -
      2 * (Number.isNaN(debt) ? 0.4 : debt) - 0.35 * (Number.isNaN(late) ? 1 : late) + 0.9 * home + 1;
    const approved = sigmoid(odds);
    const label = approved >= 0.5 ? "approved" : "rejected";
    return { label, probability: Math.max(approved, 1 - approved), probabilities: { approved, rejected: 1 - approved } };
  },
  gather.classification,
);

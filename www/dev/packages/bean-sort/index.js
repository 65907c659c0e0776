import { double, gather } from "../double.js";

const classes = ["BARBUNYA", "BOMBAY", "CALI", "DERMASON", "HOROZ", "SEKER", "SIRA"];
const columns = Array.from({ length: 66 }, (_, index) => ({ name: `shape_${index}`, kind: "number", range: [0, index + 1] }));
export const { schema, load } = double(
  { name: "bean-sort", task: "classification", classes, columns },
  (values) => {
    const scores = classes.map((_, index) => values.reduce((sum, value, at) => sum + (value / (at + 1) - 0.5) * Math.sin(at * (index + 1)), 0));
    const label = classes[scores.indexOf(Math.max(...scores))];
    return { label, scores: Object.fromEntries(classes.map((name, index) => [name, scores[index]])) };
  },
  gather.classification,
);

import { double, gather } from "../double.js";

const evil = '<img src=x onerror="document.title=`owned`">';
export const { schema, load } = double(
  {
    name: "hostile-names",
    task: "classification",
    classes: ["__proto__", evil],
    columns: [
      { name: "__proto__", kind: "number", range: [0, 1] },
      { name: evil, kind: "category", categories: [evil, '"); alert(1); ("', "${1}`", "\u202etxt"] },
      { name: 'a "quoted", name', kind: "text" },
      { name: "toString", kind: "boolean" },
      { name: "line\r\nbreak", kind: "integer" },
    ],
  },
  ([p]) => ({
    label: p > 0.5 ? "__proto__" : evil,
    probability: Math.max(p, 1 - p),
    probabilities: { ["__proto__"]: p, [evil]: 1 - p },
  }),
  gather.classification,
);

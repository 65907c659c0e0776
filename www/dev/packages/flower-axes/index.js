import { double, gather } from "../double.js";

const names = Array.from({ length: 30 }, (_, index) => `pca${index}`);
export const { schema, load } = double(
  {
    name: "flower-axes",
    task: "transform",
    names,
    columns: [
      { name: "length", kind: "number", range: [4.3, 7.9] },
      { name: "width", kind: "number", range: [2, 4.4], missing: true },
    ],
  },
  ([length, width]) => ({ transformed: names.map((_, index) => Math.sin(index + length) * (Number.isNaN(width) ? 1 : width)) }),
  gather.transform,
);

import { double, gather } from "../double.js";

export const { schema, load } = double(
  {
    name: "odd-rows",
    task: "anomaly",
    columns: [
      { name: "pressure", kind: "number", range: [0.8, 3.1] },
      { name: "temperature", kind: "number", range: [-20, 90] },
    ],
  },
  ([pressure, temperature]) => {
    const score = 0.3 - Math.abs(pressure - 2) * 0.2 - Math.abs(temperature - 35) * 0.006;
    return { outlier: score < 0, score };
  },
  gather.anomaly,
);

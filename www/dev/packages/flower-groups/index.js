import { double, gather } from "../double.js";

const centers = [[5, 3.4, 1.5], [5.9, 2.7, 4.4], [6.8, 3.1, 5.7]];
export const { schema, load } = double(
  {
    name: "flower-groups",
    task: "clustering",
    clusters: [0, 1, 2],
    columns: [
      { name: "sepal length (cm)", kind: "number", range: [4.3, 7.9] },
      { name: "sepal width (cm)", kind: "number", range: [2, 4.4] },
      { name: "petal length (cm)", kind: "number", range: [1, 6.9] },
    ],
  },
  (values) => {
    const distances = centers.map((center) => Math.hypot(...center.map((at, index) => at - values[index])));
    return { cluster: distances.indexOf(Math.min(...distances)), distances };
  },
  gather.clustering,
);

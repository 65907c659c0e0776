import { double, gather } from "../double.js";

export const { schema, load } = double(
  {
    name: "house-price",
    task: "regression",
    columns: [
      { name: "MedInc", kind: "number", range: [0.4999, 15.0001] },
      { name: "HouseAge", kind: "number", range: [1, 52] },
      { name: "AveRooms", kind: "number" },
      { name: "Latitude", kind: "number", range: [32.54, 41.95] },
    ],
  },
  ([income, age, rooms, latitude]) => ({ value: 0.43 * income + 0.01 * age - 0.1 * rooms - 0.04 * (latitude - 36) + 0.2 }),
  gather.regression,
);

import { writeFileSync } from "node:fs";
import { run } from "./app.js";

test("predicts", async () => {
  const result = await run();
  writeFileSync("result.json", JSON.stringify(result));
  expect(result.answers.selfTest).toBe(true);
});

const { writeFileSync } = require("node:fs");

test("predicts", async () => {
  const { run } = require("./app.cjs");
  const result = await run();
  writeFileSync("result.json", JSON.stringify(result));
  expect(result.answers.selfTest).toBe(true);
});

import { run } from "./app.js";

run().then(
  (result) => (globalThis.result = result),
  (error) => (globalThis.result = { error: `${error.name}: ${error.message}` }),
);

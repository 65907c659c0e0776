import { run } from "./app.js";

export default {
  async fetch() {
    return Response.json(await run().catch((error) => ({ error: `${error.name}: ${error.message}` })));
  },
};

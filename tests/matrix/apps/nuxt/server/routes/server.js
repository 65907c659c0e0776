import { run } from "../../app.js";

export default defineEventHandler(() => run().catch((error) => ({ error: `${error.name}: ${error.message}` })));

import { run } from "./app.js";

process.stdout.write(JSON.stringify(await run()));

import { json } from "@sveltejs/kit";
import { run } from "../../../app.js";

export async function GET() {
  return json(await run().catch((error) => ({ error: `${error.name}: ${error.message}` })));
}

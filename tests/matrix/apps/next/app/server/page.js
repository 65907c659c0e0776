import { run } from "../../app.js";

export const dynamic = "force-dynamic";

export default async function Page() {
  const result = await run().catch((error) => ({ error: `${error.name}: ${error.message}` }));
  return <pre id="result">{JSON.stringify(result)}</pre>;
}

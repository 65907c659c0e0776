"use client";

import { useEffect, useState } from "react";
import { run } from "../../app.js";

export default function Page() {
  const [result, setResult] = useState();
  useEffect(() => {
    run().then(setResult, (error) => setResult({ error: `${error.name}: ${error.message}` }));
  }, []);
  useEffect(() => {
    globalThis.result = result;
  }, [result]);
  return <p>{result ? "done" : "…"}</p>;
}

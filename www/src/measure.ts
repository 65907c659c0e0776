// What the page claims about itself, measured: the time of a prediction and the requests since the model was loaded.

/** The smallest step that this browser's clock makes, in milliseconds. Browsers coarsen it, to 0.1 ms or 1 ms. */
export function clockStep(now: () => number): number {
  let step = Infinity;
  for (let seen = 0; seen < 3; seen++) {
    const from = now();
    let to = from;
    while (to === from) to = now();
    step = Math.min(step, to - from);
  }
  return step;
}

/**
 * The time of one call. A prediction is far shorter than a step of the clock, so the call is repeated until the
 * whole takes twenty steps, or four milliseconds: the error from the clock is then five percent at most.
 */
export function timeCall(call: () => void, step: number, now: () => number): { each: number; calls: number } {
  const enough = Math.max(20 * step, 4);
  for (let calls = 1; ; calls *= 4) {
    const from = now();
    for (let index = 0; index < calls; index++) call();
    const took = now() - from;
    if (took >= enough || calls >= 1 << 22) return { each: took / calls, calls };
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Calls `seen` with the number of requests made since now. It counts the browser's own entries for every fetch,
 * script, style, image and beacon, whoever makes them; `blob:` and `data:` stay inside the page.
 */
export function countRequests(seen: (count: number, last: string) => void): () => void {
  const since = performance.now();
  let count = 0;
  const take = (entries: PerformanceEntryList) => {
    for (const entry of entries) {
      if (entry.startTime >= since && !/^(blob|data):/.test(entry.name)) seen(++count, entry.name);
    }
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ type: "resource" });
  seen(0, "");
  return () => observer.disconnect();
}

/** Files and bytes that the page has fetched from under `path`, as they were sent. */
export function fetched(path: string): { files: number; bytes: number; compressed: boolean } {
  const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  const own = entries.filter((entry) => new URL(entry.name).pathname.startsWith(path));
  return {
    files: own.length,
    bytes: own.reduce((sum, entry) => sum + entry.encodedBodySize, 0),
    compressed: own.some((entry) => entry.encodedBodySize < entry.decodedBodySize),
  };
}

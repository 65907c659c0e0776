/** Replays the recorded rows on a loaded model, in whatever engine this is. */
export function selfTest(model) {
  const report = { passed: true, rows: tests.cases.length, worst: 0 };
  const failures = [];
  for (const { row, expected, from } of tests.cases) {
    const tolerance = tests.tolerance[from];
    const differ = (field, got, want) => {
      failures.push({ row, from, field, expected: want, got });
    };
    const compare = (field, got, want) => {
      if (want !== null && typeof want === "object") {
        for (const key of Object.keys(want)) {
          compare(field ? `${field}.${key}` : key, got?.[key], want[key]);
        }
      } else if (typeof want === "number" && typeof got === "number") {
        const error = Math.abs(got - want);
        if (error <= tolerance * (1 + Math.abs(want))) {
          report.worst = Math.max(report.worst, error);
        } else {
          differ(field, got, want);
        }
      } else if (want === null ? Number.isFinite(got ?? NaN) : got !== want) {
        // JSON has null for what is no number.
        differ(field, got, want);
      }
    };
    try {
      compare("", model.predict(row), expected);
    } catch (error) {
      differ("", error, expected);
    }
  }
  const original = tests.cases.filter(({ from }) => from === "original");
  return Object.assign(report, {
    passed: failures.length === 0,
    original: original.length,
    covers: tests.covers,
    failures,
  });
}

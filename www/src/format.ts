// Numbers and times for people to read. English, because the page is.

const plain = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const tiny = new Intl.NumberFormat("en", { maximumSignificantDigits: 6, notation: "scientific" });
const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Six digits at most; very large and very small ones with an exponent, a true minus sign, none before zero. */
export function number(value: number): string {
  const size = Math.abs(value);
  const form = size !== 0 && (size >= 1e15 || size < 1e-4) ? tiny : plain;
  return form.format(value + 0).replace("-", "−");
}

/** A share in percent with one decimal. What is not exactly all or nothing never reads as if it were. */
export function percent(share: number): string {
  if (share === 0 || share === 1) return `${share * 100}%`;
  if (share > 0 && share < 0.001) return "< 0.1%";
  if (share < 1 && share > 0.999) return "> 99.9%";
  return `${tenth.format(share * 100)}%`;
}

/** Milliseconds in the unit that suits, three digits. */
export function time(ms: number): string {
  const [value, unit] = ms < 0.001 ? [ms * 1e6, "ns"] : ms < 1 ? [ms * 1e3, "µs"] : ms < 1e3 ? [ms, "ms"] : [ms / 1e3, "s"];
  return `${new Intl.NumberFormat("en", { maximumSignificantDigits: 3 }).format(value)} ${unit}`;
}

/** Bytes in kB (1000), as browsers' tools show them. */
export function bytes(count: number): string {
  return count < 1000 ? `${count} B` : count < 1e6 ? `${tenth.format(count / 1e3)} kB` : `${tenth.format(count / 1e6)} MB`;
}

/** "1 row", "2 rows". */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

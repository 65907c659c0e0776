// Elements without a framework. Text enters the page through `append` and `textContent` only, never as markup, so
// a column or class may have any name.

type Child = Node | string | null;

/** An element with attributes (false and undefined leave one out, true makes it empty) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number | boolean | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

let ids = 0;
/** An id no other element of the page has. */
export const id = (): string => `f${++ids}`;

/** Runs `call` once things have been quiet for `ms`. */
export function settle(ms: number, call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, ms);
  };
}

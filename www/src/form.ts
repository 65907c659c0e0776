// The form of a schema: one field a column, with the control that suits its kind.

import { count, number } from "./format.ts";
import { h, id } from "./dom.ts";
import type { Column, Schema, Value } from "./package.ts";
import { read, scale, shuffle, start } from "./row.ts";

/** What a control tells the form: a value, or the problem with what is typed. */
type Tell = (reading: ReturnType<typeof read>) => void;

interface Control {
  parts: HTMLElement[];
  /** Shows a value; null (missing) leaves the control as it is. */
  set(value: Value): void;
  /** Said beside the name. */
  hint: string;
  /** The name is a caption of several controls rather than the label of one. */
  group?: boolean;
}

interface Field {
  element: HTMLElement;
  set(value: Value): void;
}

export interface Form {
  element: HTMLElement;
  /** The value of every column in schema order; null where any field has a problem. */
  values(): Value[] | null;
  reset(): void;
  shuffle(): void;
}

/** Fields drawn at first; a model with more columns than this gets a button for the others. */
const SHOWN = 60;
/** Choices shown side by side, and in a menu; more get a text field with suggestions. */
const SIDE_BY_SIDE = 4;
/** Letters that fit beside each other. */
const WIDE = 56;
const MENU = 40;

/** `first` is the row to start with, in schema order; without it each column starts in the middle of its range. */
export function form(schema: Schema, first: readonly Value[] | null, changed: () => void): Form {
  const begin = (column: Column, index: number): Value => (first ? first[index]! : start(column));
  const readings = schema.columns.map((column, index): ReturnType<typeof read> => ({ value: begin(column, index) }));
  const fields: (Field | undefined)[] = [];
  const tell = (index: number): Tell => (reading) => {
    readings[index] = reading;
    changed();
  };
  const valueOf = (index: number): Value => {
    const reading = readings[index]!;
    return "value" in reading ? reading.value : start(schema.columns[index]!);
  };
  const draw = (index: number): HTMLElement => {
    const made = field(schema.columns[index]!, tell(index));
    made.set(valueOf(index));
    fields[index] = made;
    return made.element;
  };
  const setAll = (next: (column: Column, index: number) => Value) => {
    schema.columns.forEach((column, index) => {
      const value = next(column, index);
      readings[index] = { value };
      fields[index]?.set(value);
    });
    changed();
  };

  const all = schema.columns.map((_, index) => index);
  const used = all.filter((index) => schema.columns[index]!.used);
  const idle = all.filter((index) => !schema.columns[index]!.used);
  const element = h("form", { class: "fields", autocomplete: "off", novalidate: true });
  element.addEventListener("submit", (event) => event.preventDefault());
  element.append(...used.slice(0, SHOWN).map(draw));
  if (used.length > SHOWN) {
    const more = h("button", { type: "button", class: "quiet more-columns" }, `Show ${count(used.length - SHOWN, "more column")}`);
    more.addEventListener("click", () => {
      more.replaceWith(...used.slice(SHOWN).map(draw));
      fields[used[SHOWN]!]?.element.querySelector<HTMLElement>("input, select, textarea")?.focus();
    });
    element.append(more);
  }
  if (idle.length > 0) {
    const rest = h("details", {}, h("summary", {}, `${count(idle.length, "column")} without influence on the prediction`));
    rest.addEventListener("toggle", () => rest.append(...idle.filter((index) => !fields[index]).map(draw)));
    element.append(rest);
  }

  return {
    element,
    values() {
      const values: Value[] = [];
      for (const reading of readings) {
        if ("problem" in reading) return null;
        values.push(reading.value);
      }
      return values;
    },
    reset: () => setAll(begin),
    shuffle: () => setAll((column, index) => shuffle(column, valueOf(index))),
  };
}

function field(column: Column, tell: Tell): Field {
  const label = id();
  const input = id();
  const problem = h("p", { class: "problem", id: id(), hidden: true });
  let last: ReturnType<typeof read> = { value: null };
  const control = controlFor(column, label, input, (reading) => {
    last = reading;
    show(reading);
    tell(reading);
  });
  const controls = h("div", { class: "control" }, ...control.parts);
  const show = (reading: ReturnType<typeof read>) => {
    const wrong = "problem" in reading;
    problem.hidden = !wrong;
    problem.textContent = wrong ? `${column.name} ${reading.problem}` : "";
    for (const part of controls.querySelectorAll("input, select, textarea")) {
      part.setAttribute("aria-invalid", String(wrong));
      if (wrong) part.setAttribute("aria-describedby", problem.id);
      else part.removeAttribute("aria-describedby");
    }
  };

  const missing = h("input", { type: "checkbox", "aria-describedby": label });
  const disable = (off: boolean) => {
    missing.checked = off;
    element.classList.toggle("is-missing", off);
    for (const part of controls.querySelectorAll<HTMLInputElement>("input, select, textarea")) part.disabled = off;
  };
  missing.addEventListener("change", () => {
    disable(missing.checked);
    const reading = missing.checked ? { value: null } : last;
    show(reading);
    tell(reading);
  });

  const title = column.name.trim() === "" ? "(no name)" : column.name;
  const name = control.group
    ? h("span", { class: "name", id: label }, title)
    : h("label", { class: "name", id: label, for: input }, title);
  const caption = h("div", { class: "caption" }, name, h("span", { class: "hint" }, control.hint));
  if (column.missing) caption.append(h("label", { class: "missing" }, missing, "missing"));
  const bare = ["number", "integer", "code"].includes(column.kind) && !scale(column);
  const element = h("div", { class: `field ${column.kind}${bare ? " bare" : ""}` }, caption, controls, problem);

  return {
    element,
    set(value) {
      // A control that starts as missing needs something to go back to.
      const held = value ?? ("value" in last && last.value !== null ? last.value : start({ ...column, missing: false }));
      last = { value: held };
      control.set(held);
      show(last);
      disable(value === null);
    },
  };
}

function controlFor(column: Column, label: string, input: string, tell: Tell): Control {
  switch (column.kind) {
    case "number":
    case "integer":
    case "code":
      return numeric(column, label, input, tell);
    case "boolean":
      return toggle(input, tell);
    case "text":
      return prose(input, tell);
    case "category": {
      const categories = column.categories ?? [];
      const width = categories.reduce<number>((sum, cell) => sum + String(cell).length + 4, 0);
      if (categories.length === 0 || categories.length > MENU) return suggestions(column, input, tell);
      const short = categories.length <= SIDE_BY_SIDE && width <= WIDE && !column.unknown;
      return short ? choices(column, label, input, tell) : menu(column, label, input, tell);
    }
  }
}

const HINTS: Partial<Record<Column["kind"], string>> = { integer: "whole number", code: "a category's number" };

function numeric(column: Column, label: string, input: string, tell: Tell): Control {
  const box = h("input", { id: input, type: "text", inputmode: "decimal", spellcheck: "false" });
  const slider = scale(column);
  let move = (_value: number) => {};
  const say = () => {
    const reading = read(box.value, { ...column, missing: false });
    if ("value" in reading) move(Number(reading.value));
    tell(reading);
  };
  // A spin button's keys without its arrows: the step is the slider's.
  box.addEventListener("keydown", (event) => {
    const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const now = Number(box.value);
    if (!way || !Number.isFinite(now)) return;
    event.preventDefault();
    const step = column.kind === "integer" || !slider ? 1 : slider.at(2) - slider.at(1);
    box.value = String(Number((now + way * step).toPrecision(12)));
    say();
  });
  box.addEventListener("input", say);
  if (!slider) {
    return { parts: [box], set: (value) => (box.value = String(value)), hint: HINTS[column.kind] ?? "number" };
  }
  const [low, high] = column.range!;
  const range = h("input", { type: "range", min: 0, max: slider.steps, step: 1, "aria-labelledby": label });
  move = (value) => {
    const position = slider.position(value);
    range.value = String(position);
    range.setAttribute("aria-valuetext", number(value));
    range.style.setProperty("--at", String(position / slider.steps));
    box.classList.toggle("outside", value < low || value > high);
  };
  range.addEventListener("input", () => {
    const value = slider.at(Number(range.value));
    box.value = String(value);
    move(value);
    tell({ value });
  });
  return {
    parts: [range, box],
    set(value) {
      box.value = String(value);
      move(Number(value));
    },
    hint: `${number(low)} to ${number(high)}`,
  };
}

function toggle(input: string, tell: Tell): Control {
  const box = h("input", { id: input, type: "checkbox", role: "switch" });
  const word = h("span", { class: "state", "aria-hidden": "true" });
  const say = () => (word.textContent = String(box.checked));
  box.addEventListener("change", () => {
    say();
    tell({ value: box.checked });
  });
  return {
    parts: [h("label", { class: "switch" }, box, word)],
    set(value) {
      box.checked = value === true;
      say();
    },
    hint: "true or false",
  };
}

function prose(input: string, tell: Tell): Control {
  const box = h("textarea", { id: input, rows: 3 });
  box.addEventListener("input", () => tell({ value: box.value }));
  return { parts: [box], set: (value) => (box.value = String(value)), hint: "text" };
}

function choices(column: Column, label: string, input: string, tell: Tell): Control {
  const options = column.categories!.map((cell) => {
    const radio = h("input", { type: "radio", name: input });
    radio.addEventListener("change", () => tell({ value: cell }));
    return { cell, radio, element: h("label", {}, radio, h("span", {}, String(cell))) };
  });
  const group = h("div", { class: "choices", role: "radiogroup", "aria-labelledby": label });
  group.append(...options.map((option) => option.element));
  return {
    parts: [group],
    set(value) {
      for (const { cell, radio } of options) radio.checked = cell === value;
    },
    hint: count(options.length, "choice"),
    group: true,
  };
}

function menu(column: Column, label: string, input: string, tell: Tell): Control {
  const categories = column.categories!;
  const select = h("select", { id: input });
  select.append(...categories.map((cell, index) => h("option", { value: index }, String(cell))));
  const other = h("input", { type: "text", hidden: true, "aria-labelledby": label, placeholder: "a value it has not seen" });
  if (column.unknown) select.append(h("option", { value: "other" }, "Another value…"));
  const say = () => {
    tell(other.hidden ? { value: categories[Number(select.value)]! } : read(other.value, { ...column, missing: false }));
  };
  select.addEventListener("change", () => {
    other.hidden = select.value !== "other";
    // Until something is typed the last value stands.
    if (other.hidden || other.value !== "") say();
    if (!other.hidden) other.focus();
  });
  other.addEventListener("input", say);
  return {
    parts: column.unknown ? [select, other] : [select],
    set(value) {
      const index = categories.findIndex((cell) => cell === value);
      select.value = index < 0 ? "other" : String(index);
      other.hidden = index >= 0;
      if (index < 0) other.value = String(value);
    },
    hint: count(categories.length, "choice"),
  };
}

function suggestions(column: Column, input: string, tell: Tell): Control {
  const categories = column.categories ?? [];
  const list = h("datalist", { id: id() });
  list.append(...categories.map((cell) => h("option", { value: String(cell) })));
  const box = h("input", { id: input, type: "text", list: list.id, spellcheck: "false" });
  box.addEventListener("input", () => tell(read(box.value, { ...column, missing: false })));
  return {
    parts: [box, list],
    set: (value) => (box.value = String(value)),
    hint: categories.length > 0 ? count(categories.length, "choice") : "category",
  };
}

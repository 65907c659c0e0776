// Says where the tables of constants of a freshly linked runtime lie, so that `pack` can leave out those that no
// kernel of a model reads.
//
//   node scripts/tables.mjs FROM INTO
//
// FROM is what wasm-ld writes with --emit-relocs. INTO is the same module without the sections for linkers, and with a
// custom section "tables": of each table its address, its length in bytes and the last address that stands for it, three
// u32. A table may be told by the constants of the functions that read it, because every reference, which the
// relocations tell, is to a place in it or, of some, to its end; any other is an error here. One that another table
// refers to is not in the list, and so never left out.
import { readFileSync, writeFileSync } from "node:fs";

const [, , from, into] = process.argv;
const bytes = readFileSync(from);
let at = 8;

function leb(signed = false) {
  let value = 0;
  let shift = 0;
  let byte;
  do {
    byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    shift += 7;
  } while (byte & 128);
  return signed && byte & 64 ? value - 2 ** shift : value;
}

function text() {
  const length = leb();
  at += length;
  return bytes.toString("utf8", at - length, at);
}

/** Addresses of the data segments; data symbols by number; what the code and the data refer to. */
const segments = [];
const symbols = [];
const references = [];

const sections = {
  11() {
    for (let left = leb(); left > 0; left--) {
      // Active, at an i32.const.
      if (leb() !== 0 || bytes[at++] !== 0x41) throw new Error("a data segment that is not at a constant address");
      segments.push(leb(true));
      at += 1;
      const length = leb();
      at += length;
    }
  },
  linking() {
    if (leb() !== 2) throw new Error("a linking section of another version than 2");
  },
};

/** https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md, WASM_SYMBOL_TABLE. */
function symbolTable() {
  const [DATA, SECTION] = [1, 3];
  const [UNDEFINED, EXPLICIT_NAME] = [0x10, 0x40];
  for (let left = leb(); left > 0; left--) {
    const kind = bytes[at++];
    const flags = leb();
    const symbol = {};
    if (kind === DATA) {
      symbol.name = text();
      if (!(flags & UNDEFINED)) Object.assign(symbol, { segment: leb(), offset: leb(), size: leb() });
    } else {
      leb();
      if (kind !== SECTION && (!(flags & UNDEFINED) || flags & EXPLICIT_NAME)) text();
    }
    symbols.push(symbol);
  }
}

/** R_WASM_…: those of addresses in memory (LEB, SLEB, I32, REL_SLEB), and all that have an addend. */
const ADDRESSES = new Set([3, 4, 5, 11]);
const ADDENDS = new Set([...ADDRESSES, 8, 9]);

function relocations(data) {
  leb();
  for (let left = leb(); left > 0; left--) {
    const type = bytes[at++];
    leb();
    const symbol = leb();
    const addend = ADDENDS.has(type) ? leb(true) : 0;
    if (ADDRESSES.has(type)) references.push({ symbol, addend, data });
  }
}

const kept = [bytes.subarray(0, 8)];
while (at < bytes.length) {
  const start = at;
  const id = bytes[at++];
  const end = leb() + at;
  const name = id === 0 ? text() : id;
  sections[name]?.();
  if (name === "linking") {
    while (at < end) {
      const kind = bytes[at++];
      const next = leb() + at;
      if (kind === 8) symbolTable();
      at = next;
    }
  } else if (name === "reloc.CODE" || name === "reloc.DATA") relocations(name === "reloc.DATA");
  else if (!String(name).startsWith("reloc.")) kept.push(bytes.subarray(start, end));
  at = end;
}

const ends = new Set();
const pointedAt = new Set();
for (const { symbol, addend, data } of references) {
  const { name, size } = symbols[symbol];
  if (data) pointedAt.add(symbol);
  if (addend === size) ends.add(symbol);
  if (size === undefined || addend < 0 || addend > size) {
    throw new Error(`a reference to ${addend} bytes behind the start of ${name}, of ${size} bytes`);
  }
}
const tables = symbols.flatMap(({ segment, offset, size = 0 }, symbol) => {
  const start = segments[segment] + offset;
  return size > 0 && !pointedAt.has(symbol) ? [start, size, ends.has(symbol) ? start + size : start + size - 1] : [];
});
if (tables.length === 0) throw new Error("no data symbols: was it linked with --emit-relocs?");

const lebOf = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...lebOf(value >>> 7)]);
const name = Buffer.from("tables");
const content = Buffer.concat([Buffer.from([name.length]), name, Buffer.from(Uint32Array.from(tables).buffer)]);
writeFileSync(into, Buffer.concat([...kept, Buffer.from([0, ...lebOf(content.length)]), content]));

//! The opcodes of protocols 0 to 5. The machine has Python's stack, marks and memo; what an opcode would make Python
//! call goes to `calls`, which calls nothing.
//!
//! Invariant: every node, element, memo entry and converted byte is charged against `Limits::heap_bytes` before it is
//! stored, and spans only ever cover bytes that were read.

use std::collections::HashMap;

use super::heap::{FALSE, Heap, Id, NONE, Named, Node, Span, TRUE};
use super::{Limits, danger, over};
use crate::{Error, Result};

/// A class or function name; Python's own stay below 100 bytes.
const MAX_NAME: usize = 1024;
/// Parts of a dotted name; Python's own stay below 10.
const MAX_PARTS: usize = 20;
/// Python refuses longer text by default (`sys.int_info`).
const MAX_DIGITS: usize = 4300;
/// Values waiting on the stack. Python's pickler leaves some thousand there at most, except for a long tuple.
const MAX_STACK: usize = 4 << 20;
/// Distinct names of code worth telling.
const MAX_NAMED: usize = 100;

pub(super) struct Machine<'l> {
    pub(super) heap: Heap,
    pub(super) limits: &'l Limits,
    /// Bytes charged so far.
    spent: usize,
    pub(super) pos: usize,
    /// Position of the opcode at work.
    pub(super) op: usize,
    frame: Frame,
    /// The joblib stream around a nested pickle; joblib nests one level.
    outer: Option<Frame>,
}

/// What a pickle stream has of its own.
#[derive(Default)]
struct Frame {
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: Memo,
}

/// Pickler memos are numbered from 0 on; anything else goes to the map, as the file chooses the numbers.
#[derive(Default)]
struct Memo {
    dense: Vec<Id>,
    sparse: HashMap<u64, Id>,
}

impl Memo {
    fn put(&mut self, index: u64, id: Id) {
        let next = self.dense.len() as u64;
        if index < next {
            self.dense[index as usize] = id;
        } else if index == next {
            self.sparse.remove(&index);
            self.dense.push(id);
        } else {
            self.sparse.insert(index, id);
        }
    }

    fn get(&self, index: u64) -> Option<Id> {
        let dense = usize::try_from(index).ok().and_then(|index| self.dense.get(index));
        dense.or_else(|| self.sparse.get(&index)).copied()
    }

    fn len(&self) -> u64 {
        (self.dense.len() + self.sparse.len()) as u64
    }
}

/// Runs a whole (decompressed) file.
pub(super) fn run(input: Vec<u8>, limits: &Limits) -> Result<Heap> {
    recognise(&input)?;
    let mut machine = Machine {
        heap: Heap {
            input,
            made: Vec::new(),
            nodes: vec![Node::None, Node::Bool(true), Node::Bool(false), Node::Tuple(Box::new([]))],
            root: NONE,
            named: Vec::new(),
            array_bytes: limits.array_bytes,
        },
        limits,
        spent: 0,
        pos: 0,
        op: 0,
        frame: Frame::default(),
        outer: None,
    };
    loop {
        machine.op = machine.pos;
        match machine.step() {
            Ok(None) => {}
            Ok(Some(root)) => {
                machine.heap.root = root;
                machine.heap.check_depth(limits)?;
                return Ok(machine.heap);
            }
            Err(error) => return Err(error.at(format!("byte {}", machine.op))),
        }
    }
}

/// An error with advice for files that are often taken for pickles.
fn recognise(input: &[u8]) -> Result<()> {
    let (what, remedy) = match input {
        [] => ("the file is empty", "Check how the file was copied."),
        [b'Z', b'F', ..] => (
            "the file was written by joblib before 0.10",
            "Load it with a recent joblib and save it again with joblib.dump.",
        ),
        _ if input.starts_with(b"version https://git-lfs") => {
            ("the file is a git LFS pointer, not the model", "Run `git lfs pull` to get the model itself.")
        }
        _ if input.starts_with(b"\x93NUMPY") => {
            ("the file is a numpy array (.npy), not a model", "Pass the model file.")
        }
        _ if input.starts_with(b"\x89HDF") => (
            "the file is HDF5 (Keras or PyTables), not a pickle",
            "carryout reads scikit-learn, XGBoost and LightGBM models.",
        ),
        _ if input.starts_with(b"PK\x03\x04") => {
            ("the file is a zip archive, not a pickle", "Unpack it, or save the model with joblib.dump.")
        }
        [b'<', ..] => ("the file is HTML or XML, not a pickle", "Check the address it was downloaded from."),
        [b'{', ..] => ("the file is JSON text, not a pickle", "Pass it under its own format."),
        _ if super::compress::Format::of(input).is_some() => {
            ("the file is compressed twice", "Decompress it once and pass the result.")
        }
        _ => return Ok(()),
    };
    Err(Error::malformed(what).remedy(remedy))
}

/// Whether the first bytes are those of a pickle. `whole` tells that the last ones are there too: protocols 0 and 1
/// have no mark of their own, but begin with few opcodes and end with STOP.
pub(super) fn looks_like(bytes: &[u8], whole: bool) -> bool {
    match bytes {
        [0x80, protocol, ..] => *protocol <= 5,
        [b'c', rest @ ..] => {
            let module = rest.split(|&b| b == b'\n').next().unwrap_or_default();
            let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
            !module.is_empty() && module.iter().all(word) && (!whole || rest.ends_with(b"."))
        }
        [b'(', b'i' | b'c' | b'd' | b'l' | b'p' | b't' | b'V' | b'S' | b'X' | b'U', ..] => {
            !whole || bytes.ends_with(b".")
        }
        [b'}' | b']', b'q' | b'(' | b'.', ..] => !whole || bytes.ends_with(b"."),
        _ => false,
    }
}

impl Machine<'_> {
    /// Runs one opcode; the root on the outermost STOP.
    fn step(&mut self) -> Result<Option<Id>> {
        let opcode = self.u8()?;
        match opcode {
            0x80 => {
                let protocol = self.u8()?;
                if protocol > 5 {
                    return Err(Error::malformed(format!("pickle protocol {protocol}; the highest there is, is 5")));
                }
            }
            // FRAME only promises that its bytes are there.
            0x95 => {
                let len = self.u64()?;
                if len > (self.heap.input.len() - self.pos) as u64 {
                    return Err(Error::malformed(format!("a frame of {len} bytes ends past the end of the file")));
                }
            }
            b'.' => {
                let root = self.pop()?;
                let Some(outer) = self.outer.take() else { return Ok(Some(root)) };
                self.frame = outer;
                self.finish_nested(root)?;
            }

            b'(' => {
                if self.frame.marks.len() >= self.limits.depth {
                    return Err(over("depth", self.limits.depth, "there are more open marks than"));
                }
                self.frame.marks.push(self.frame.stack.len());
            }
            b'0' => {
                // POP takes the mark itself if nothing is above it.
                if self.frame.marks.last() == Some(&self.frame.stack.len()) {
                    self.frame.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            b'1' => {
                let base = self.mark()?;
                self.frame.stack.truncate(base);
            }
            b'2' => {
                let top = self.top()?;
                self.push(top)?;
            }

            b'N' => self.push(NONE)?,
            0x88 => self.push(TRUE)?,
            0x89 => self.push(FALSE)?,
            b'J' => {
                let value = self.array::<4>()?;
                self.push_node(Node::Int(i64::from(i32::from_le_bytes(value))))?;
            }
            b'K' => {
                let value = self.u8()?;
                self.push_node(Node::Int(i64::from(value)))?;
            }
            b'M' => {
                let value = self.array::<2>()?;
                self.push_node(Node::Int(i64::from(u16::from_le_bytes(value))))?;
            }
            0x8a => {
                let len = self.u8()?;
                self.long(usize::from(len))?;
            }
            0x8b => {
                let len = i32::from_le_bytes(self.array()?);
                let len = usize::try_from(len).map_err(|_| Error::malformed("an integer of negative length"))?;
                self.long(len)?;
            }
            b'G' => {
                let value = f64::from_be_bytes(self.array()?);
                self.push_node(Node::Float(value))?;
            }
            b'I' => {
                let line = self.line()?;
                match self.heap.bytes(line) {
                    b"00" => self.push(FALSE)?,
                    b"01" => self.push(TRUE)?,
                    _ => self.decimal(line)?,
                }
            }
            b'L' => {
                let mut line = self.line()?;
                if self.heap.bytes(line).ends_with(b"L") {
                    line.len -= 1;
                }
                self.decimal(line)?;
            }
            b'F' => {
                let line = self.line()?;
                let text = std::str::from_utf8(self.heap.bytes(line)).unwrap_or_default();
                let value = text.trim().parse().map_err(|_| Error::malformed("a float that is no number"))?;
                self.push_node(Node::Float(value))?;
            }

            b'X' => {
                let len = self.u32()?;
                self.text(len.into())?;
            }
            0x8c => {
                let len = self.u8()?;
                self.text(len.into())?;
            }
            0x8d => {
                let len = self.u64()?;
                self.text(len)?;
            }
            b'B' => {
                let len = self.u32()?;
                self.push_bytes(len.into())?;
            }
            b'C' => {
                let len = self.u8()?;
                self.push_bytes(len.into())?;
            }
            0x8e | 0x96 => {
                let len = self.u64()?;
                self.push_bytes(len)?;
            }
            b'V' => {
                let line = self.line()?;
                let text = raw_unicode_escape(self.heap.bytes(line))?;
                let span = self.make(&text)?;
                self.push_text(span)?;
            }
            // Python 2's str is text if it is ASCII; what else it is, the file does not say.
            b'T' => {
                let len = i32::from_le_bytes(self.array()?);
                let len = u64::try_from(len).map_err(|_| Error::malformed("a string of negative length"))?;
                let span = self.take(len)?;
                self.python2_str(span)?;
            }
            b'U' => {
                let len = self.u8()?;
                let span = self.take(len.into())?;
                self.python2_str(span)?;
            }
            b'S' => {
                let line = self.line()?;
                let text = string_escape(self.heap.bytes(line))?;
                let span = self.make(&text)?;
                self.python2_str(span)?;
            }

            b']' => self.push_node(Node::List(Vec::new()))?,
            b')' => self.push(super::heap::EMPTY_TUPLE)?,
            b'}' => self.push_node(Node::Dict(Vec::new()))?,
            0x8f => self.push_node(Node::Set(Vec::new()))?,
            b'l' => {
                let items = self.pop_mark()?;
                self.push_node(Node::List(items))?;
            }
            b't' => {
                let items = self.pop_mark()?;
                self.push_tuple(items)?;
            }
            b'd' => {
                let items = self.pop_mark()?;
                self.push_node(Node::Dict(Vec::new()))?;
                let dict = self.top()?;
                self.set_items(dict, &items)?;
            }
            0x91 => {
                let items = self.pop_mark()?;
                items.iter().try_for_each(|&item| self.check_hashable(item))?;
                self.push_node(Node::Set(items))?;
            }
            0x85..=0x87 => {
                let mut items = vec![NONE; usize::from(opcode - 0x84)];
                for slot in items.iter_mut().rev() {
                    *slot = self.pop()?;
                }
                self.push_tuple(items)?;
            }
            b'a' => {
                let item = self.pop()?;
                let list = self.top()?;
                self.append(list, &[item])?;
            }
            b'e' => {
                let items = self.pop_mark()?;
                let list = self.top()?;
                self.append(list, &items)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                let dict = self.top()?;
                self.set_items(dict, &[key, value])?;
            }
            b'u' => {
                let items = self.pop_mark()?;
                let dict = self.top()?;
                self.set_items(dict, &items)?;
            }
            0x90 => {
                let items = self.pop_mark()?;
                let set = self.top()?;
                self.add_items(set, &items)?;
            }

            b'p' => {
                let line = self.line()?;
                let index = self.index(line)?;
                self.put(index)?;
            }
            b'q' => {
                let index = self.u8()?;
                self.put(index.into())?;
            }
            b'r' => {
                let index = self.u32()?;
                self.put(index.into())?;
            }
            0x94 => {
                let index = self.frame.memo.len();
                self.put(index)?;
            }
            b'g' => {
                let line = self.line()?;
                let index = self.index(line)?;
                self.get(index)?;
            }
            b'h' => {
                let index = self.u8()?;
                self.get(index.into())?;
            }
            b'j' => {
                let index = self.u32()?;
                self.get(index.into())?;
            }

            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                let global = self.global(module, name)?;
                self.push(global)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Node::Str(module), Node::Str(name)) = (self.heap.node(module), self.heap.node(name)) else {
                    return Err(Error::malformed("a global whose name is not text"));
                };
                let (module, name) = (*module, *name);
                let global = self.global(module, name)?;
                self.push(global)?;
            }
            b'R' => {
                let (args, function) = (self.pop()?, self.pop()?);
                let result = self.call(function, args)?;
                self.push(result)?;
            }
            0x81 => {
                let (args, class) = (self.pop()?, self.pop()?);
                let result = self.new_object(class, args, NONE)?;
                self.push(result)?;
            }
            0x92 => {
                let (kwargs, args, class) = (self.pop()?, self.pop()?, self.pop()?);
                let result = self.new_object(class, args, kwargs)?;
                self.push(result)?;
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                let class = self.global(module, name)?;
                let args = self.pop_mark()?;
                self.instance(class, args)?;
            }
            b'o' => {
                let items = self.pop_mark()?;
                let Some((&class, args)) = items.split_first() else {
                    return Err(Error::malformed("an object without a class"));
                };
                self.instance(class, args.to_vec())?;
            }
            b'b' => {
                let state = self.pop()?;
                let object = self.top()?;
                self.build(object, state)?;
            }

            b'P' | b'Q' => {
                return Err(Error::unsupported("the file refers to objects stored elsewhere (persistent ids)")
                    .remedy("Save the estimator itself with joblib.dump or pickle.dump."));
            }
            0x82..=0x84 => return Err(Error::unsupported("the file uses Python's extension registry (EXT codes)")),
            0x97 | 0x98 => {
                return Err(Error::unsupported("the file keeps its buffers elsewhere (protocol 5 out of band)")
                    .remedy("Save the estimator itself with joblib.dump or pickle.dump."));
            }
            _ if self.op == 0 => return Err(Error::malformed("the file is not a pickle")),
            _ => return Err(Error::malformed(format!("0x{opcode:02x} is no pickle opcode"))),
        }
        Ok(None)
    }

    // Input

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: u64) -> Result<Span> {
        let left = self.heap.input.len() - self.pos;
        let Some(len) = usize::try_from(len).ok().filter(|&len| len <= left) else {
            return Err(Error::malformed(format!(
                "{len} bytes are announced, {left} are left: the file is cut or damaged"
            )));
        };
        let span = Span { start: self.pos, len };
        self.pos += len;
        Ok(span)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        let Some(bytes) = self.heap.input.get(self.pos..).and_then(|rest| rest.get(..N)) else {
            return Err(Error::malformed("the file ends here: it is cut"));
        };
        out.copy_from_slice(bytes);
        self.pos += N;
        Ok(out)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// The text up to the next line feed, which is left out (as is the carriage return before it).
    fn line(&mut self) -> Result<Span> {
        let Some(len) = self.heap.input[self.pos..].iter().position(|&b| b == b'\n') else {
            return Err(Error::malformed("the file ends within a line: it is cut"));
        };
        let mut span = Span { start: self.pos, len };
        self.pos += len + 1;
        if self.heap.bytes(span).ends_with(b"\r") {
            span.len -= 1;
        }
        Ok(span)
    }

    fn index(&self, line: Span) -> Result<u64> {
        let text = std::str::from_utf8(self.heap.bytes(line)).unwrap_or_default();
        text.parse().map_err(|_| Error::malformed("a memo index that is no number"))
    }

    // Stack and memo

    pub(super) fn push(&mut self, id: Id) -> Result<()> {
        if self.frame.stack.len() >= MAX_STACK {
            return Err(Error::limit(format!("over {MAX_STACK} values wait on the stack")));
        }
        self.frame.stack.push(id);
        Ok(())
    }

    /// Values below the innermost mark are out of reach, as in Python.
    fn pop(&mut self) -> Result<Id> {
        let top = self.top()?;
        self.frame.stack.pop();
        Ok(top)
    }

    fn top(&self) -> Result<Id> {
        let floor = self.frame.marks.last().copied().unwrap_or(0);
        match self.frame.stack.last() {
            Some(&top) if self.frame.stack.len() > floor => Ok(top),
            _ => Err(Error::malformed("the stack is empty where a value is needed")),
        }
    }

    /// Replaces the value on top.
    pub(super) fn replace_top(&mut self, id: Id) -> Result<()> {
        self.pop()?;
        self.push(id)
    }

    fn mark(&mut self) -> Result<usize> {
        self.frame.marks.pop().ok_or_else(|| Error::malformed("there is no mark where one is needed"))
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>> {
        let base = self.mark()?;
        let items = self.frame.stack.len() - base;
        self.charge(items.saturating_mul(size_of::<Id>()))?;
        Ok(self.frame.stack.drain(base..).collect())
    }

    fn put(&mut self, index: u64) -> Result<()> {
        let top = self.top()?;
        let before = self.frame.memo.len();
        self.frame.memo.put(index, top);
        if self.frame.memo.len() > before {
            // A dense entry takes 4 bytes, one of the map up to 60 while it grows.
            self.charge(if self.frame.memo.sparse.is_empty() { 4 } else { 60 })?;
        }
        Ok(())
    }

    fn get(&mut self, index: u64) -> Result<()> {
        let id = self.frame.memo.get(index);
        self.push(id.ok_or_else(|| Error::malformed(format!("memo entry {index} does not exist")))?)
    }

    /// Starts the pickle nested in a joblib stream; its STOP calls `finish_nested`.
    pub(super) fn start_nested(&mut self) -> Result<()> {
        if self.in_nested() {
            return Err(Error::limit("joblib arrays nest inside each other, which joblib never writes"));
        }
        self.outer = Some(std::mem::take(&mut self.frame));
        Ok(())
    }

    pub(super) fn in_nested(&self) -> bool {
        self.outer.is_some()
    }

    // Nodes

    pub(super) fn charge(&mut self, bytes: usize) -> Result<()> {
        self.spent = self.spent.saturating_add(bytes);
        if self.spent > self.limits.heap_bytes {
            return Err(over("heap_bytes", self.limits.heap_bytes, "the objects of the file take more bytes than"));
        }
        Ok(())
    }

    /// Stores a node. What it owns beyond its own size is charged by whoever makes it.
    pub(super) fn node(&mut self, node: Node) -> Result<Id> {
        self.charge(size_of::<Node>())?;
        let id = Id::try_from(self.heap.nodes.len()).map_err(|_| Error::limit("over 2^32 objects"))?;
        make_room(&mut self.heap.nodes, 1);
        self.heap.nodes.push(node);
        Ok(id)
    }

    fn push_node(&mut self, node: Node) -> Result<()> {
        let id = self.node(node)?;
        self.push(id)
    }

    fn push_tuple(&mut self, items: Vec<Id>) -> Result<()> {
        let id = self.tuple(items)?;
        self.push(id)
    }

    pub(super) fn tuple(&mut self, items: Vec<Id>) -> Result<Id> {
        if items.is_empty() {
            return Ok(super::heap::EMPTY_TUPLE);
        }
        // Malloc rounds up to 32 bytes with its header.
        self.charge(items.len() * size_of::<Id>() + 16)?;
        self.node(Node::Tuple(items.into_boxed_slice()))
    }

    /// Stores bytes that are not in the input as such.
    pub(super) fn make(&mut self, bytes: &[u8]) -> Result<Span> {
        self.charge(bytes.len())?;
        Ok(self.make_charged(bytes))
    }

    /// The same for bytes that are charged already.
    pub(super) fn make_charged(&mut self, bytes: &[u8]) -> Span {
        let span = Span { start: self.heap.input.len() + self.heap.made.len(), len: bytes.len() };
        make_room(&mut self.heap.made, bytes.len());
        self.heap.made.extend_from_slice(bytes);
        span
    }

    fn push_bytes(&mut self, len: u64) -> Result<()> {
        let span = self.take(len)?;
        self.push_node(Node::Bytes(span))
    }

    fn text(&mut self, len: u64) -> Result<()> {
        let span = self.take(len)?;
        self.push_text(span)
    }

    fn push_text(&mut self, span: Span) -> Result<()> {
        let node = text_node(self.heap.bytes(span), span)?;
        self.push_node(node)
    }

    fn python2_str(&mut self, span: Span) -> Result<()> {
        let ascii = self.heap.bytes(span).is_ascii();
        self.push_node(if ascii { Node::Str(span) } else { Node::Bytes(span) })
    }

    /// A two's complement integer of `len` little-endian bytes.
    fn long(&mut self, len: usize) -> Result<()> {
        let span = self.take(len as u64)?;
        let node = int_node(self.heap.bytes(span), span);
        self.push_node(node)
    }

    fn decimal(&mut self, line: Span) -> Result<()> {
        let text = std::str::from_utf8(self.heap.bytes(line)).unwrap_or_default().trim();
        if let Ok(value) = text.parse::<i64>() {
            return self.push_node(Node::Int(value));
        }
        let bytes = big_decimal(text)?;
        let span = self.make(&bytes)?;
        let node = int_node(&bytes, span);
        self.push_node(node)
    }

    /// A name, reported if it stands for code.
    fn global(&mut self, module: Span, name: Span) -> Result<Id> {
        if module.len > MAX_NAME || name.len > MAX_NAME {
            return Err(Error::malformed(format!("a name of over {MAX_NAME} bytes")));
        }
        let text = |span| {
            std::str::from_utf8(self.heap.bytes(span)).map_err(|_| Error::malformed("a name that is not UTF-8"))
        };
        let (module_text, name_text) = (text(module)?, text(name)?);
        if module_text.split('.').count().max(name_text.split('.').count()) > MAX_PARTS {
            return Err(Error::malformed(format!("a name of over {MAX_PARTS} parts")));
        }
        if danger::global(module_text, name_text) {
            self.report(format!("{module_text}.{name_text}"));
        }
        self.charge(size_of::<(Span, Span)>() + 16)?;
        self.node(Node::Global(Box::new((module, name))))
    }

    pub(super) fn report(&mut self, name: String) {
        let named = &mut self.heap.named;
        if named.len() < MAX_NAMED && named.iter().all(|known| known.name != name) {
            named.push(Named { name, byte: self.op });
        }
    }

    fn instance(&mut self, class: Id, args: Vec<Id>) -> Result<()> {
        let args = self.tuple(args)?;
        let object = self.call(class, args)?;
        self.push(object)
    }

    // Containers

    fn append(&mut self, list: Id, items: &[Id]) -> Result<()> {
        // Twice, for the spare room of a growing vector.
        self.charge(2 * size_of_val(items))?;
        match &mut self.heap.nodes[list as usize] {
            Node::List(ids) => ids.extend_from_slice(items),
            Node::Object(instance) => instance.items.extend_from_slice(items),
            _ => return Err(self.wrong("append to", list)),
        }
        Ok(())
    }

    /// `items` alternates keys and values.
    pub(super) fn set_items(&mut self, dict: Id, items: &[Id]) -> Result<()> {
        if items.len() % 2 == 1 {
            return Err(Error::malformed("a key without a value"));
        }
        self.charge(2 * size_of_val(items))?;
        items.iter().step_by(2).try_for_each(|&key| self.check_hashable(key))?;
        let entries = items.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        match &mut self.heap.nodes[dict as usize] {
            Node::Dict(pairs) => pairs.extend(entries),
            Node::Object(instance) => instance.pairs.extend(entries),
            _ => return Err(self.wrong("set an item of", dict)),
        }
        Ok(())
    }

    fn add_items(&mut self, set: Id, items: &[Id]) -> Result<()> {
        self.charge(2 * size_of_val(items))?;
        items.iter().try_for_each(|&item| self.check_hashable(item))?;
        match &mut self.heap.nodes[set as usize] {
            Node::Set(ids) => ids.extend_from_slice(items),
            Node::Object(instance) => instance.items.extend_from_slice(items),
            _ => return Err(self.wrong("add to", set)),
        }
        Ok(())
    }

    fn check_hashable(&self, id: Id) -> Result<()> {
        match self.heap.node(id) {
            Node::List(_) | Node::Dict(_) | Node::Set(_) | Node::Array(_) => {
                Err(Error::malformed(format!("{} as a key or in a set", self.heap.value(id).describe())))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn wrong(&self, action: &str, id: Id) -> Error {
        Error::malformed(format!("the file would {action} {}", self.heap.value(id).describe()))
    }
}

/// Grows by a quarter where a vector would double: the arena is most of what a large file takes.
fn make_room<T>(vec: &mut Vec<T>, more: usize) {
    if vec.capacity() - vec.len() < more {
        vec.reserve_exact(more.max(vec.len() / 4).max(64));
    }
}

/// `Str`, or `Surrogates` for what Python writes with "surrogatepass".
fn text_node(bytes: &[u8], span: Span) -> Result<Node> {
    let mut rest = bytes;
    let mut lone = false;
    while let Err(error) = std::str::from_utf8(rest) {
        rest = &rest[error.valid_up_to()..];
        let [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] = rest else {
            return Err(Error::malformed("text that is not UTF-8"));
        };
        lone = true;
        rest = after;
    }
    Ok(if lone { Node::Surrogates(span) } else { Node::Str(span) })
}

/// `Int` if the value fits 64 bits.
pub(super) fn int_node(bytes: &[u8], span: Span) -> Node {
    let negative = bytes.last().is_some_and(|byte| byte >> 7 == 1);
    let fill = if negative { 0xff } else { 0 };
    let mut len = bytes.len();
    // A byte of plain sign can go if the one below has the same sign.
    while len > 8 && bytes[len - 1] == fill && (bytes[len - 2] >> 7 == 1) == negative {
        len -= 1;
    }
    if len > 8 {
        return Node::BigInt(Span { len, ..span });
    }
    let mut wide = [fill; 8];
    wide[..len].copy_from_slice(&bytes[..len]);
    Node::Int(i64::from_le_bytes(wide))
}

/// Two's complement bytes of decimal text.
fn big_decimal(text: &str) -> Result<Vec<u8>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::malformed("an integer that is no number"));
    }
    if digits.len() > MAX_DIGITS {
        return Err(Error::limit(format!(
            "an integer of {} digits; Python itself stops at {MAX_DIGITS}",
            digits.len()
        )));
    }
    let mut bytes = vec![0u8];
    for digit in digits.bytes() {
        let mut carry = u16::from(digit - b'0');
        for byte in &mut bytes {
            carry += u16::from(*byte) * 10;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push(carry as u8);
        }
    }
    bytes.push(0);
    if negative {
        let mut carry = true;
        for byte in &mut bytes {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    Ok(bytes)
}

/// Protocol 0 text: Latin-1 with `\uXXXX` and `\UXXXXXXXX`. UTF-8 in which surrogates stay as they are.
fn raw_unicode_escape(line: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        let width = match rest {
            [b'\\', b'u', ..] => 4,
            [b'\\', b'U', ..] => 8,
            _ => {
                push_code_point(&mut out, byte.into());
                rest = after;
                continue;
            }
        };
        let digits = rest.get(2..2 + width).and_then(|digits| std::str::from_utf8(digits).ok());
        let point = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).filter(|&point| point < 0x110000);
        push_code_point(&mut out, point.ok_or_else(|| Error::malformed("a broken \\u escape"))?);
        rest = &rest[2 + width..];
    }
    Ok(out)
}

fn push_code_point(out: &mut Vec<u8>, point: u32) {
    match char::from_u32(point) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend([0xe0 | (point >> 12) as u8, 0x80 | (point >> 6 & 63) as u8, 0x80 | (point & 63) as u8]),
    }
}

/// Python 2's `repr` of a str.
fn string_escape(line: &[u8]) -> Result<Vec<u8>> {
    let quoted = match line {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
        _ => return Err(Error::malformed("a string without its quotes")),
    };
    let mut out = Vec::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'\\' {
            out.push(byte);
            rest = after;
            continue;
        }
        let broken = || Error::malformed("a broken escape in a string");
        let (&escape, after) = after.split_first().ok_or_else(broken)?;
        rest = after;
        match escape {
            b'\\' | b'\'' | b'"' => out.push(escape),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'v' => out.push(11),
            b'x' => {
                let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(broken)?;
                out.push(u8::from_str_radix(digits, 16).map_err(|_| broken())?);
                rest = &rest[2..];
            }
            b'0'..=b'7' => {
                let mut value = u32::from(escape - b'0');
                for _ in 0..2 {
                    let Some((&digit @ b'0'..=b'7', after)) = rest.split_first() else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    rest = after;
                }
                out.push(value as u8);
            }
            _ => out.extend([b'\\', escape]),
        }
    }
    Ok(out)
}

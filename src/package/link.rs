//! Links an image into the prebuilt runtime: `runtime.wasm` + image = `model.wasm`.
//!
//! The image becomes a data segment of its own past the runtime's memory, the workspace lies behind it, and the
//! memory is exactly as large as both need and never grows; only where a model reads texts, which lie behind the
//! workspace, it may. Those addresses are written where the runtime asks for them; the dispatchers that it imports get
//! bodies that know the kernels in use; what nothing refers to any more is collected.

use crate::image::{self, Image, Kernel};
use crate::{Error, Result};
use walrus::ir::{BinaryOp, Const, Instr, InstrLocId, Value, Visitor, VisitorMut, dfs_in_order, dfs_pre_order_mut};
use walrus::{ConstExpr, DataKind, FunctionId, Module, ModuleConfig, ValType};

/// What a package calls; every other export of the runtime is dropped.
const KEPT: [&str; 5] = ["memory", "open", "run", "fault_row", "workspace"];
/// And where the model reads numbers alone.
const ROWS: [&str; 2] = ["rows", "take"];
/// And where these may be of f32.
const NARROW: &str = "take32";
/// And where it reads texts.
const TEXTS: &str = "texts";

/// The custom section that says where the runtime's tables of constants lie, written by `scripts/tables.mjs`: of each its
/// address, its length and the last address that stands for it, three u32.
const TABLES: &str = "tables";

const PAGE: u64 = 1 << 16;

/// Names of functions in what `link` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// For packages: a name section is a third of a small model's bytes.
    Drop,
    /// For `functions`, to see what a package holds.
    Keep,
}

/// Writes the wasm of a package. `kernels` are the ones that the image uses; with `rows` it takes rows of numbers too,
/// and results by the exports `gives`.
///
/// # Errors
/// Where `runtime` is not carryout's runtime, the image not an image, or both together pass 4 GiB.
pub fn link(
    runtime: &[u8],
    image: &[u8],
    kernels: &[Kernel],
    rows: bool,
    gives: &[&str],
    names: Names,
) -> Result<Vec<u8>> {
    let header = Image::open(image).ok_or_else(|| Error::malformed("not an image of this version"))?;
    let mut config = ModuleConfig::new();
    config.generate_producers_section(false).generate_name_section(names == Names::Keep);
    let mut module = config
        .parse(runtime)
        .map_err(|error| Error::malformed(format!("the runtime is not a WebAssembly module: {error:#}")))?;
    let memory = module.memories.iter().next().map(|memory| memory.id()).ok_or_else(|| foreign("no memory"))?;
    let image_at = module.memories.get(memory).initial * PAGE;
    let workspace_at = (image_at + image.len() as u64).next_multiple_of(PAGE.min(16));
    let workspace = (header.slots as u64).checked_mul(header.block as u64 * 8);
    let behind = 63 + header.tables as u64 + if rows { image::rows_size(&header) } else { 0 };
    let end = workspace.and_then(|bytes| bytes.checked_add(workspace_at + behind));
    // Every address, the one behind the tables too, is one of 32 bits.
    let texts_at = end.filter(|&end| end < 1 << 32).ok_or_else(|| {
        Error::limit("the model and its workspace take more than the 4 GiB of a WebAssembly memory")
    })?;
    let pages = texts_at.div_ceil(PAGE);
    for (name, address) in [("image", image_at), ("workspace", workspace_at), ("texts", texts_at)] {
        let function =
            module.imports.get_func("carryout", name).map_err(|_| foreign(&format!("no import {name}")))?;
        let signature = module.types.get(module.funcs.get(function).ty());
        if !(signature.params().is_empty() && signature.results() == [ValType::I32]) {
            return Err(foreign(&format!("an import {name} of another kind")));
        }
        inline(&mut module, function, address as u32 as i32);
        module.imports.remove("carryout", name).map_err(|error| foreign(&format!("{error:#}")))?;
    }
    resolve_dispatcher(&mut module, "call_kernel", "kernel", kernels, None)?;
    resolve_dispatcher(&mut module, "check_kernel", "check", kernels, Some(-1))?;
    if let Some(import) = module.imports.iter().next() {
        return Err(foreign(&format!("an import {}.{} that nobody resolves", import.module, import.name)));
    }
    let texts = kernels.iter().any(|kernel| kernel.reads_texts());
    {
        let memory = module.memories.get_mut(memory);
        (memory.initial, memory.maximum) = (pages, if texts { None } else { Some(pages) });
    }
    let dropped: Vec<_> = module
        .exports
        .iter()
        .filter(|export| {
            let name = export.name.as_str();
            let narrow = name == NARROW && header.takes_narrow();
            !(KEPT.contains(&name)
                || gives.contains(&name)
                || texts && name == TEXTS
                || rows && (ROWS.contains(&name) || narrow))
        })
        .map(|export| export.id())
        .collect();
    for export in dropped {
        module.exports.delete(export);
    }
    let tables = module.customs.remove_raw(TABLES);
    let customs: Vec<_> = module.customs.iter().map(|(id, _)| id).collect();
    for custom in customs {
        module.customs.delete(custom);
    }
    walrus::passes::gc::run(&mut module);
    if let Some(section) = tables {
        drop_tables(&mut module, Tables::read(&section.data));
    }
    let offset = ConstExpr::Value(Value::I32(image_at as u32 as i32));
    let segment = module.data.add(DataKind::Active { memory, offset }, image.to_vec());
    module.memories.get_mut(memory).data_segments.insert(segment);
    Ok(module.emit_wasm())
}

/// Writes the value where the function was called: an engine compiles each function at its first call, and one costs more
/// than its bytes.
fn inline(module: &mut Module, function: FunctionId, value: i32) {
    struct Calls(FunctionId, i32);
    impl VisitorMut for Calls {
        fn visit_instr_mut(&mut self, instruction: &mut Instr, _: &mut InstrLocId) {
            if matches!(instruction, Instr::Call(call) if call.func == self.0) {
                *instruction = Const { value: Value::I32(self.1) }.into();
            }
        }
    }
    for (_, caller) in module.funcs.iter_local_mut() {
        let entry = caller.entry_block();
        dfs_pre_order_mut(&mut Calls(function, value), caller, entry);
    }
}

/// The runtime's tables of constants.
struct Tables(Vec<Table>);

#[derive(Debug)]
struct Table {
    start: u64,
    length: u64,
    /// The last address that stands for it: where loops count up to its end, that.
    last: u64,
    /// Whether a function refers to it.
    used: bool,
}

impl Tables {
    fn read(section: &[u8]) -> Tables {
        let numbers: Vec<u64> =
            section.as_chunks().0.iter().map(|bytes| u64::from(u32::from_le_bytes(*bytes))).collect();
        let table = |&[start, length, last]: &[u64; 3]| Table { start, length, last, used: false };
        Tables(numbers.as_chunks().0.iter().map(table).collect())
    }

    fn find(&mut self, module: &Module) {
        for (_, function) in module.funcs.iter_local() {
            dfs_in_order(self, function, function.entry_block());
        }
    }
}

impl<'a> Visitor<'a> for Tables {
    fn visit_instr(&mut self, instruction: &'a Instr, _: &'a InstrLocId) {
        let address = match instruction {
            Instr::Const(Const { value: Value::I32(value) }) => u64::from(*value as u32),
            Instr::Load(load) => load.arg.offset,
            Instr::LoadSimd(load) => load.arg.offset,
            Instr::Store(store) => store.arg.offset,
            _ => return,
        };
        for table in &mut self.0 {
            table.used |= (table.start..=table.last).contains(&address);
        }
    }
}

/// Empties the tables that no function refers to, and drops what then is nothing at an end of a data segment. A constant
/// may by chance be an address: then the table stays.
fn drop_tables(module: &mut Module, mut tables: Tables) {
    tables.find(module);
    let segments: Vec<_> = module.data.iter().map(|data| data.id()).collect();
    for id in segments {
        let data = module.data.get_mut(id);
        let DataKind::Active { offset: ConstExpr::Value(Value::I32(offset)), .. } = &mut data.kind else { continue };
        let base = u64::from(*offset as u32);
        for (place, byte) in (base..).zip(&mut data.value) {
            if tables.0.iter().any(|table| !table.used && place.wrapping_sub(table.start) < table.length) {
                *byte = 0;
            }
        }
        let kept = |byte: &u8| *byte != 0;
        let last = data.value.iter().rposition(kept).map_or(0, |place| place + 1);
        data.value.truncate(last);
        let first = data.value.iter().position(kept).unwrap_or(0);
        data.value.drain(..first);
        *offset += first as i32;
        if data.value.is_empty() {
            module.data.delete(id);
            for memory in module.memories.iter_mut() {
                memory.data_segments.remove(&id);
            }
        }
    }
}

/// Gives the import `name (number, pointer)` a body that calls the export `PREFIX_KERNEL` of the kernel with that
/// number, for the kernels in use; `otherwise` is the answer for any other. The unused kernels are left without a
/// caller.
fn resolve_dispatcher(
    module: &mut Module,
    name: &str,
    prefix: &str,
    kernels: &[Kernel],
    otherwise: Option<i32>,
) -> Result<()> {
    let mut targets = Vec::new();
    for kernel in kernels {
        let export = format!("{prefix}_{}", kernel.name());
        let function = module.exports.get_func(&export).map_err(|_| foreign(&format!("no export {export}")))?;
        // The optimizer folds identical kernels into one function; it goes by the last name in use.
        module.funcs.get_mut(function).name = Some(export);
        targets.push((*kernel as i32, function));
    }
    let import = module.imports.get_func("carryout", name).map_err(|_| foreign(&format!("no import {name}")))?;
    module
        .replace_imported_func(import, |(body, arguments)| {
            for (number, target) in targets {
                body.local_get(arguments[0]).i32_const(number).binop(BinaryOp::I32Eq).if_else(
                    None,
                    |then| {
                        then.local_get(arguments[1]).call(target).return_();
                    },
                    |_| {},
                );
            }
            if let Some(answer) = otherwise {
                body.i32_const(answer);
            }
        })
        .map_err(|error| foreign(&format!("an import {name} of another kind: {error:#}")))?;
    Ok(())
}

fn foreign(what: &str) -> Error {
    Error::malformed(format!("the runtime has {what}")).remedy("Build it with `make build`.")
}

/// The names of the functions in a module, sorted; one without a name is `?`.
///
/// # Errors
/// Where the bytes are not a WebAssembly module.
pub fn functions(wasm: &[u8]) -> Result<Vec<String>> {
    let module = Module::from_buffer(wasm)
        .map_err(|error| Error::malformed(format!("not a WebAssembly module: {error:#}")))?;
    let mut names: Vec<String> =
        module.funcs.iter().map(|function| function.name.clone().unwrap_or_else(|| "?".to_string())).collect();
    names.sort();
    Ok(names)
}

/// The image inside a packed model.
///
/// The wasm may come from anyone, so that only the framing of sections and segments is read, each length against
/// what is left.
///
/// # Errors
/// Where the bytes are not a WebAssembly module or no data segment of it is one whole image.
pub fn unlink(wasm: &[u8]) -> Result<&[u8]> {
    const DATA: u8 = 11;
    let cut = || Error::malformed("the WebAssembly module is cut or damaged");
    let mut rest = wasm
        .strip_prefix(b"\0asm\x01\0\0\0")
        .ok_or_else(|| Error::malformed("not a WebAssembly module").remedy("Give the folder that `pack` wrote."))?;
    while let Some((&id, after)) = rest.split_first() {
        let (section, after) = sized(after).ok_or_else(cut)?;
        if id == DATA {
            return find_image(section)
                .ok_or_else(|| Error::malformed("the WebAssembly module holds no model of this version"));
        }
        rest = after;
    }
    Err(Error::malformed("the WebAssembly module holds no data"))
}

/// The segment that is an image, of the segments that `link` and compilers write: active at a constant address.
fn find_image(section: &[u8]) -> Option<&[u8]> {
    let (count, mut rest) = leb(section)?;
    for _ in 0..count {
        let (flags, after) = leb(rest)?;
        rest = match flags {
            0 => {
                // i32.const address, end
                let (_, after) = leb(after.strip_prefix(&[0x41])?)?;
                after.strip_prefix(&[0x0b])?
            }
            1 => after,
            _ => return None,
        };
        let (bytes, after) = sized(rest)?;
        let whole = |bytes: &[u8]| bytes.get(image::header::LENGTH..)?.first_chunk().copied().map(u32::from_le_bytes);
        if Image::open(bytes).is_some() && whole(bytes) == Some(bytes.len() as u32) {
            return Some(bytes);
        }
        rest = after;
    }
    None
}

/// A LEB128 number of at most 32 bits and what follows it. Signed ones end in the same place.
fn leb(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0u64;
    for (place, &byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value as u32, &bytes[place + 1..]));
        }
    }
    None
}

/// As many bytes as the number before them says, and what follows.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = leb(bytes)?;
    rest.split_at_checked(length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image without operations.
    fn image(slots: u32) -> Vec<u8> {
        let mut bytes = vec![0; 40];
        let mut put = |at: usize, value: u32| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        put(image::header::MAGIC, image::MAGIC);
        put(image::header::VERSION, image::VERSION);
        put(image::header::LENGTH, 40);
        put(image::header::COLUMNS, 1);
        put(image::header::SLOTS, slots);
        put(image::header::BLOCK, 128);
        bytes
    }

    fn linked(slots: u32) -> Result<Vec<u8>> {
        link(crate::package::runtime().unwrap(), &image(slots), &[Kernel::Copy], false, &[], Names::Drop)
    }

    #[test]
    fn the_image_comes_back() {
        let wasm = linked(3).unwrap();
        assert_eq!(unlink(&wasm).unwrap(), image(3));
        assert!(functions(&wasm).unwrap().iter().all(|name| name == "?"), "a package has no names");
        let module = Module::from_buffer(&wasm).unwrap();
        assert_eq!(module.imports.iter().count(), 0);
        assert_eq!(module.customs.iter().count(), 0);
        let exports: Vec<&str> = module.exports.iter().map(|export| export.name.as_str()).collect();
        assert_eq!(exports.len(), KEPT.len());
        assert!(KEPT.iter().all(|name| exports.contains(name)), "{exports:?}");
        for memory in module.memories.iter() {
            assert_eq!(Some(memory.initial), memory.maximum, "the memory cannot grow");
        }
    }

    #[test]
    fn rows_are_taken_where_that_is_asked_for() {
        let runtime = crate::package::runtime().unwrap();
        let wasm = link(runtime, &image(3), &[Kernel::Copy], true, &[], Names::Drop).unwrap();
        let module = Module::from_buffer(&wasm).unwrap();
        assert_eq!(module.exports.iter().filter(|export| ROWS.contains(&export.name.as_str())).count(), 2);
    }

    #[test]
    fn tables_of_constants_are_where_they_are_read() {
        let runtime = crate::package::runtime().unwrap();
        let module = Module::from_buffer(runtime).unwrap();
        let section = module.customs.iter().find(|(_, section)| section.name() == TABLES).unwrap().1;
        let mut tables = Tables::read(&section.data(&Default::default()));
        assert!(tables.0.len() > 10);
        tables.find(&module);
        assert!(tables.0.iter().all(|table| table.used), "{:?}", tables.0);
        // The first bits of 2/π, by which angles are reduced.
        let bits = [0xa2_f983_u32, 0x6e_4e44].map(u32::to_le_bytes).concat();
        let has = |wasm: &[u8]| wasm.windows(bits.len()).any(|window| window == bits);
        for kernel in [Kernel::Copy, Kernel::Affine, Kernel::Softmax, Kernel::Sin, Kernel::Cos, Kernel::Tan] {
            let wasm = link(runtime, &image(3), &[kernel], false, &[], Names::Drop).unwrap();
            let reduces = matches!(kernel, Kernel::Sin | Kernel::Cos | Kernel::Tan);
            assert_eq!(has(&wasm), reduces, "{kernel:?}");
            let segments = Module::from_buffer(&wasm).unwrap().data.iter().count();
            // The numbers that e^x computes with.
            let powers = kernel == Kernel::Softmax;
            assert_eq!(segments > 1, reduces || powers, "{kernel:?}");
        }
    }

    #[test]
    fn the_memory_holds_image_and_workspace() {
        let pages = |slots: u32| {
            let module = Module::from_buffer(&linked(slots).unwrap()).unwrap();
            module.memories.iter().next().unwrap().initial
        };
        // 64 slots of 128 numbers are one page.
        assert_eq!(pages(64 * 10) - pages(0), 10);
        assert_eq!(linked(u32::MAX).unwrap_err().kind(), crate::Kind::Limit);
    }

    #[test]
    fn what_is_not_the_runtime_is_refused() {
        let empty = b"\0asm\x01\0\0\0";
        for (wasm, message) in
            [(&b"not wasm"[..], "the runtime is not a WebAssembly module"), (&empty[..], "the runtime has no memory")]
        {
            let error = link(wasm, &image(1), &[], false, &[], Names::Drop).unwrap_err();
            assert!(error.message().starts_with(message), "{error}");
        }
        assert!(link(crate::package::runtime().unwrap(), b"crry", &[], false, &[], Names::Drop).is_err());
    }

    #[test]
    fn damaged_modules_are_refused() {
        let wasm = linked(3).unwrap();
        for end in 0..wasm.len() {
            assert!(unlink(&wasm[..end]).is_err(), "cut at {end}");
        }
        // One byte wrong anywhere: an error or some image, never more than that.
        for at in 0..wasm.len() {
            let mut wasm = wasm.clone();
            wasm[at] = !wasm[at];
            if let Ok(image) = unlink(&wasm) {
                assert!(Image::open(image).is_some());
            }
        }
        for bytes in
            [&b""[..], b"\0asm\x01\0\0\0\x0b\xff\xff\xff\xff\x0f", b"\0asm\x01\0\0\0\x0b\x01\x05", b"PK\x03\x04"]
        {
            assert!(unlink(bytes).is_err());
        }
    }
}

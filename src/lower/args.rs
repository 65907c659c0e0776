//! Writes the arguments of operations and the image around them; the mirror of `image::Reader`.

use crate::image::{self, Kernel, header};
use crate::runtime::{MOST_TABLES, tables};

/// Values in the order in which a kernel reads them, each aligned to its own size.
#[derive(Default)]
pub struct Args(Vec<u8>);

impl Args {
    /// Bytes of tables that a kernel wants with these arguments, a multiple of 16; None where they do not hold.
    pub fn tables(&self, kernel: Kernel, inputs: usize, outputs: usize) -> Option<u64> {
        let mut words = vec![0u64; self.0.len().div_ceil(8)];
        for (word, bytes) in words.iter_mut().zip(self.0.chunks(8)) {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(eight);
        }
        // SAFETY: as many bytes as the words hold at least; u8 has no alignment.
        let args = unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), self.0.len()) };
        tables(kernel as u32, inputs, outputs, args).map(|bytes| bytes.next_multiple_of(16))
    }

    fn align(&mut self, size: usize) {
        self.0.resize(self.0.len().next_multiple_of(size), 0);
    }

    fn list<const N: usize>(&mut self, values: impl ExactSizeIterator<Item = [u8; N]>) -> &mut Self {
        if values.len() > 0 {
            self.align(N);
        }
        self.0.extend(values.flatten());
        self
    }

    /// Puts others behind; false, and nothing is done, where alignment would tear them apart.
    pub fn append(&mut self, other: &Args) -> bool {
        let whole = self.0.len().is_multiple_of(8);
        if whole {
            self.0.extend(&other.0);
        }
        whole
    }

    pub fn u8s(&mut self, values: &[u8]) -> &mut Self {
        self.0.extend(values);
        self
    }

    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.u32s(&[value])
    }

    pub fn u32s(&mut self, values: &[u32]) -> &mut Self {
        self.list(values.iter().map(|value| value.to_le_bytes()))
    }

    pub fn f32s(&mut self, values: &[f32]) -> &mut Self {
        self.list(values.iter().map(|value| value.to_le_bytes()))
    }

    pub fn f64(&mut self, value: f64) -> &mut Self {
        self.f64s(&[value])
    }

    pub fn f64s(&mut self, values: &[f64]) -> &mut Self {
        self.list(values.iter().map(|value| value.to_le_bytes()))
    }
}

/// One operation, slots in the place of wires.
pub struct Operation {
    pub kernel: Kernel,
    pub inputs: Vec<u32>,
    pub output: u32,
    pub outputs: u32,
    pub scratch: u32,
    pub args: Args,
}

/// Lays out header, records, slot lists and arguments. None where the image would pass 4 GiB, or its tables
/// `MOST_TABLES`.
pub fn image(columns: u32, slots: u32, block: u32, operations: &[Operation]) -> Option<Vec<u8>> {
    let ops_at = image::HEADER;
    let mut at = ops_at + operations.len() * image::RECORD;
    let (mut records, mut tail) = (Args::default(), Args::default());
    let mut tables_at = 0u64;
    for operation in operations {
        let inputs_at = at;
        tail.u32s(&operation.inputs).align(8);
        at += (operation.inputs.len() * 4).next_multiple_of(8);
        let args_at = at;
        tail.0.extend(&operation.args.0);
        tail.align(8);
        at += operation.args.0.len().next_multiple_of(8);
        let tables = operation.args.tables(operation.kernel, operation.inputs.len(), operation.outputs as usize);
        let tables = tables.unwrap_or(0);
        let scratch = if tables > 0 { u32::try_from(tables_at / 16).ok()? } else { operation.scratch };
        tables_at += tables;
        records.u32s(&[
            operation.kernel as u32,
            operation.inputs.len() as u32,
            u32::try_from(inputs_at).ok()?,
            operation.output,
            operation.outputs,
            u32::try_from(args_at).ok()?,
            u32::try_from(operation.args.0.len()).ok()?,
            scratch,
        ]);
    }
    if tables_at > MOST_TABLES {
        return None;
    }
    let length = u32::try_from(at).ok()?;
    let mut bytes = vec![0; image::HEADER];
    for (field, value) in [
        (header::MAGIC, image::MAGIC),
        (header::VERSION, image::VERSION),
        (header::LENGTH, length),
        (header::COLUMNS, columns),
        (header::SLOTS, slots),
        (header::OPS, operations.len() as u32),
        (header::OPS_AT, ops_at as u32),
        (header::BLOCK, block),
        (header::TABLES, u32::try_from(tables_at).ok()?),
    ] {
        bytes[field..field + 4].copy_from_slice(&value.to_le_bytes());
    }
    bytes.extend(records.0);
    bytes.extend(tail.0);
    Some(bytes)
}

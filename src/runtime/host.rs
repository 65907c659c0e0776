//! The runtime on a machine with an operating system: an image in aligned memory and a workspace.

use super::{Fault, Slots, check, run};
use crate::image::Image;

/// An opened image. The same kernels as in a package, in the same order, with the same bits.
pub struct Machine {
    /// u64 so that the bytes are 8-byte aligned.
    image: Vec<u64>,
    length: usize,
    columns: usize,
    block: usize,
    workspace: Vec<f64>,
    texts: Vec<u8>,
    /// u128 so that they are 16-byte aligned.
    tables: Vec<u128>,
}

/// With full blocks the workspace takes 4 GiB at this many.
pub const MOST_SLOTS: usize = 1 << 22;

/// Why an image was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadImage {
    /// Not an image of this version, or one that contradicts itself.
    Unsound,
    /// It wants this many slots, more than `MOST_SLOTS`.
    TooManySlots(usize),
}

impl Machine {
    /// Copies the image into aligned memory and validates it whole.
    ///
    /// # Errors
    /// Where the bytes are not a sound image of this version, or ask for too much memory.
    pub fn open(bytes: &[u8]) -> Result<Machine, BadImage> {
        let mut image = vec![0u64; bytes.len().div_ceil(8)];
        for (word, bytes) in image.iter_mut().zip(bytes.chunks(8)) {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(eight);
        }
        let mut machine = Machine {
            image,
            length: bytes.len(),
            columns: 0,
            block: 0,
            workspace: Vec::new(),
            texts: Vec::new(),
            tables: Vec::new(),
        };
        if !check(machine.bytes()) {
            return Err(BadImage::Unsound);
        }
        let Some(image) = Image::open(machine.bytes()) else { return Err(BadImage::Unsound) };
        let (columns, slots, block, tables) = (image.columns, image.slots, image.block, image.tables);
        if slots > MOST_SLOTS {
            return Err(BadImage::TooManySlots(slots));
        }
        machine.columns = columns;
        machine.block = block;
        machine.workspace = vec![0.0; slots * block];
        machine.tables = vec![0; tables.div_ceil(16)];
        Ok(machine)
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the vector holds at least `length` bytes; u8 has no alignment and every bit pattern is one.
        unsafe { std::slice::from_raw_parts(self.image.as_ptr().cast(), self.length) }
    }

    /// Input columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Most rows a run takes.
    pub fn block(&self) -> usize {
        self.block
    }

    /// The workspace: with `rows` rows in a run, slot s of row r is at `s * rows + r`.
    pub fn slots(&self) -> &[f64] {
        &self.workspace
    }

    pub fn slots_mut(&mut self) -> &mut [f64] {
        &mut self.workspace
    }

    /// The texts of the rows: each its length, a u32, and its UTF-8. The slot of a text column holds a place in here.
    pub fn texts_mut(&mut self) -> &mut Vec<u8> {
        &mut self.texts
    }

    /// Predicts the `rows` rows (1 to `block()`) whose inputs are in the workspace.
    ///
    /// # Panics
    /// Where `rows` is not between 1 and `block()`: the caller's mistake.
    pub fn run(&mut self, rows: usize) -> Result<(), Fault> {
        self.run_as(rows, false)
    }

    /// `run`, where the columns are of f32, each in the first half of its slot, and every kernel that reads them can.
    #[cfg(test)]
    pub fn run_narrow(&mut self, rows: usize) -> Result<(), Fault> {
        self.run_as(rows, true)
    }

    fn run_as(&mut self, rows: usize, narrow: bool) -> Result<(), Fault> {
        assert!((1..=self.block).contains(&rows), "{rows} rows in a block of {}", self.block);
        let slots = Slots { at: self.workspace.as_mut_ptr(), narrow };
        let tables = self.tables.as_mut_ptr().cast();
        // SAFETY: `open` checked the image; the workspace holds slots × block numbers and is borrowed here alone; so
        // are the tables, as large as the image says, which only runs write.
        unsafe { run(self.bytes(), slots, tables, rows, &self.texts) }
    }
}

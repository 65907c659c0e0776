//! What a package's `model.wasm` exports, beside the kernels that the packager prunes. The linker resolves the
//! imports: the addresses at which it puts the image, the workspace and the texts, and dispatchers to the kernels in
//! use. The texts lie last, so that where a model reads texts the memory may grow for them; it never does in any
//! other package.

use super::rows::{self, Bounds, Cell, spread};
use super::{Call, Shape, Slots};
use crate::image;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[link(wasm_import_module = "carryout")]
unsafe extern "C" {
    #[link_name = "image"]
    safe fn image_address() -> *const u8;
    #[link_name = "workspace"]
    safe fn workspace_address() -> *mut f64;
    #[link_name = "texts"]
    safe fn texts_address() -> *const u8;
    /// Calls `kernel_NAME` of the kernel with this number.
    fn call_kernel(kernel: u32, call: *const u8);
    /// Calls `check_NAME`; -1 for a kernel that the model does not use.
    fn check_kernel(kernel: u32, shape: *const u8) -> i32;
}

pub fn dispatch(kernel: u32, call: &Call) {
    // SAFETY: the linker's function hands the pointer to a kernel, which takes a `&Call`.
    unsafe { call_kernel(kernel, core::ptr::from_ref(call).cast()) }
}

pub fn validate(kernel: u32, shape: &Shape) -> Option<usize> {
    // SAFETY: likewise, to a validator, which takes a `&Shape`.
    usize::try_from(unsafe { check_kernel(kernel, core::ptr::from_ref(shape).cast()) }).ok()
}

/// The row that made the last `run` stop.
static FAULT_ROW: AtomicU32 = AtomicU32::new(0);

fn linked_image() -> &'static [u8] {
    let address = image_address();
    // SAFETY: the linker put an image there, whole, and its header holds its length; it is never written.
    unsafe {
        let length = *address.add(image::header::LENGTH).cast::<u32>();
        core::slice::from_raw_parts(address, length as usize)
    }
}

/// 0 where the image is sound and has this id. Call it once, before `run`.
#[unsafe(no_mangle)]
extern "C" fn open(id: u32) -> u32 {
    let image = linked_image();
    // SAFETY: the linker put a whole header there.
    let own = unsafe { *image.as_ptr().add(image::header::ID).cast::<u32>() };
    u32::from(own != id || !super::check(image))
}

/// Where slot 0 of row 0 is.
#[unsafe(no_mangle)]
extern "C" fn workspace() -> *mut f64 {
    workspace_address()
}

/// Where rows of numbers are put that `take` shall spread: first for each column the lowest, for each the highest number
/// that it takes and for each whether it refuses missing (not 0), then a block of rows, row-major. In packages of models
/// that read numbers alone.
#[unsafe(no_mangle)]
extern "C" fn rows() -> *mut f64 {
    let Some(image) = image::Image::open(linked_image()) else { return workspace_address() };
    image::rows_at(workspace_address() as usize, &image) as *mut f64
}

/// Spreads this many rows to their slots. Answers how many of them have a number out of its column's bounds; which ones
/// then stands where the rows were.
#[unsafe(no_mangle)]
extern "C" fn take(count: u32) -> u32 {
    taken::<f64>(count)
}

/// `take` for rows of f32, for a `run` that reads such. In packages where every kernel that reads columns can.
#[unsafe(no_mangle)]
extern "C" fn take32(count: u32) -> u32 {
    taken::<f32>(count)
}

#[inline(always)]
fn taken<T: Cell>(count: u32) -> u32 {
    let Some(image) = image::Image::open(linked_image()) else { return count };
    let (columns, rows_taken) = (image.columns, count as usize);
    if rows_taken > image.block {
        return count;
    }
    // SAFETY: the linker reserved these numbers behind the tables, and the workspace holds at least the columns, of f64
    // both: they have room for f32.
    let (lists, table, slots) = unsafe {
        let at = rows();
        (
            [0, 1, 2].map(|list| core::slice::from_raw_parts(at.add(list * columns).cast_const(), columns)),
            core::slice::from_raw_parts_mut(at.add(3 * columns).cast::<T>(), columns * rows_taken),
            core::slice::from_raw_parts_mut(workspace_address().cast::<T>(), columns * rows_taken * T::ROOM),
        )
    };
    let [lowest, highest, strict] = lists;
    spread(table, &Bounds { lowest, highest, strict }, rows_taken, slots) as u32
}

/// Writes `width` results of `count` rows, slots from `first` on, row by row to the workspace from number `into` on. In
/// packages with such results, as are the next.
#[unsafe(no_mangle)]
extern "C" fn give_f64(first: u32, width: u32, into: u32, count: u32) {
    given::<f64>([first, width, into, count]);
}

/// `give_f64`, as f32.
#[unsafe(no_mangle)]
extern "C" fn give_f32(first: u32, width: u32, into: u32, count: u32) {
    given::<f32>([first, width, into, count]);
}

/// `give_f64`, as whole numbers below 256.
#[unsafe(no_mangle)]
extern "C" fn give_u8(first: u32, width: u32, into: u32, count: u32) {
    given::<u8>([first, width, into, count]);
}

/// `give_f64`, as whole numbers.
#[unsafe(no_mangle)]
extern "C" fn give_i32(first: u32, width: u32, into: u32, count: u32) {
    given::<i32>([first, width, into, count]);
}

#[inline(always)]
fn given<T: rows::Result>(numbers: [u32; 4]) {
    let Some(image) = image::Image::open(linked_image()) else { return };
    // SAFETY: the linker reserved slots × block numbers for the workspace.
    let slots = unsafe { core::slice::from_raw_parts_mut(workspace_address(), image.slots * image.block) };
    rows::give::<T>(slots, numbers.map(|number| number as usize));
}

/// Where the texts begin; they go on to the end of the memory.
#[unsafe(no_mangle)]
extern "C" fn texts() -> *const u8 {
    texts_address()
}

fn linked_texts() -> &'static [u8] {
    let address = texts_address();
    let end = core::arch::wasm32::memory_size::<0>().saturating_mul(1 << 16);
    let length = end.saturating_sub(address as usize).min(isize::MAX as usize);
    // SAFETY: the memory beyond this address is the caller's; it writes there only between runs.
    unsafe { core::slice::from_raw_parts(address, length) }
}

/// Predicts the rows in the workspace: 0, or 1 + the operation that refused a value. More rows than a block, or
/// none, is answered like a refusal by an operation that does not exist. The number of the rows with all bits flipped
/// says that the columns are of f32, as `take32` leaves them.
#[unsafe(no_mangle)]
extern "C" fn run(rows: u32) -> u32 {
    let narrow = rows >> 31 == 1;
    let rows = if narrow { !rows } else { rows };
    let image = linked_image();
    let Some(header) = image::Image::open(image).filter(|image| (1..=image.block).contains(&(rows as usize))) else {
        return u32::MAX;
    };
    let tables = image::tables_at(workspace_address() as usize, &header);
    // SAFETY: `open` checked the image before the package let anyone call this; the linker reserved slots × block
    // numbers for the workspace and the tables' bytes, zeros, behind it; wasm without threads runs one call at a
    // time.
    let slots = Slots { at: workspace_address(), narrow };
    match unsafe { super::run(image, slots, tables as *mut u8, rows as usize, linked_texts()) } {
        Ok(()) => 0,
        Err(fault) => {
            FAULT_ROW.store(fault.row as u32, Relaxed);
            fault.op as u32 + 1
        }
    }
}

/// The row of the last refusal.
#[unsafe(no_mangle)]
extern "C" fn fault_row() -> u32 {
    FAULT_ROW.load(Relaxed)
}

/// Unreachable: nothing here panics. It is here because no_std asks for it, and small because it says nothing.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

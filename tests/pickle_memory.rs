//! What hostile pickles cost: the peak of live heap bytes, counted by the allocator, and the time. One test, so that
//! nothing else allocates meanwhile.

#![cfg(feature = "compile")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use carryout::import::pickle::{self, Limits};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    PEAK.fetch_max(LIVE.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every call goes to the system allocator as it is; the counters do not touch the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The new size alone: the C library moves large blocks by remapping them.
        LIVE.fetch_sub(layout.size(), Relaxed);
        grow(size);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Peak bytes over what is live at the start, and the time. On a stack of 8 MB, as a command's main thread has.
fn cost(bytes: Vec<u8>) -> (usize, Duration, bool) {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let start = Instant::now();
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    let read = move || pickle::read(&bytes, &Limits::default()).is_ok();
    let ok = thread.spawn(read).unwrap().join().unwrap();
    (PEAK.load(Relaxed) - before, start.elapsed(), ok)
}

/// Few bytes that ask for much, each beside what they are: `head`, then `body` repeated up to `len` bytes.
fn attacks() -> Vec<(&'static str, Vec<u8>)> {
    let repeat = |head: &[u8], body: &[u8], len: usize| {
        let mut out = head.to_vec();
        while out.len() < len {
            out.extend_from_slice(body);
        }
        out.extend_from_slice(b"N.");
        out
    };
    let long_text = [&b"X\x40\x42\x0f\0"[..], "\u{ff}".repeat(500_000).as_bytes()].concat();
    let encode = [&b"c_codecs\nencode\nq\0"[..], &long_text, b"U\x06latin1\x86q\x01"].concat();
    let list = [&b"]("[..], &b"N".repeat(100_000), b"eq\x010"].concat();
    let set = [&list[..], b"cbuiltins\nset\nq\0h\x01\x85q\x010"].concat();
    let zeros = [&b"B\x40\x42\x0f\0"[..], &[0; 1_000_000]].concat();
    let dtype = b"cnumpy\ndtype\nU\x08S1000000K\0K\x01\x87R";
    let scalar = [&b"cnumpy.core.multiarray\nscalar\nq\0"[..], dtype, &zeros, b"\x86q\x010"].concat();
    let names: Vec<u8> = (0..4000).flat_map(|i| format!("U\x05{i:05}").into_bytes()).collect();
    let fields: Vec<u8> = (0..4000).flat_map(|i| format!("U\x05{i:05}h\x05K\0\u{0}").into_bytes()).collect();
    let fields: Vec<u8> = fields.chunks(12).flat_map(|field| [&field[..11], b"\x86"].concat()).collect();
    let record = [
        &b"cnumpy\ndtype\nq\0U\x02f8K\0K\x01\x87Rq\x050h\0U\x02V8K\0K\x01\x87q\x020"[..],
        b"(K\x03U\x01|N(",
        &names,
        b"t}(",
        &fields,
        b"uJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tq\x030",
    ]
    .concat();
    let million = 1_000_000;
    vec![
        ("objects", repeat(b"cm\nC\nq\0", b"h\0)\x810", 10 * million)),
        ("lists", repeat(b"", b"]0", 10 * million)),
        ("short lists", repeat(b"", b"](NNNNNe0", 10 * million)),
        ("values on the stack", repeat(b"", b"N", 10 * million)),
        ("globals", repeat(b"U\x01mq\0U\x01nq\x010", b"h\0h\x01\x930", 3 * million)),
        (
            "memo entries",
            (0..million as u32).fold(b"N".to_vec(), |mut out, i| {
                out.push(b'r');
                out.extend(i.wrapping_mul(2_654_435_761).to_le_bytes());
                out
            }),
        ),
        ("one text encoded many times", repeat(&encode, b"0h\0h\x01R", 2 * million)),
        ("one list copied many times", repeat(&set, b"0h\0h\x01R", 2 * million)),
        ("one long scalar many times", repeat(&scalar, b"0h\0h\x01R", 2 * million)),
        ("one structured dtype many times", repeat(&record, b"h\0h\x02Rh\x03b0", million)),
    ]
}

#[test]
fn hostile_files_stay_within_256_mb_and_5_seconds() {
    for (name, bytes) in attacks() {
        let (peak, took, _) = cost(bytes);
        println!("{name:32} {:4} MB {took:8.1?}", peak >> 20);
        assert!(peak < 256 << 20, "{name}: {} MB", peak >> 20);
        // Up to 10 MB of opcodes, in a build that may be without optimization.
        assert!(took < Duration::from_secs(20), "{name}: {took:?}");
    }
    let hostile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/hostile");
    if !hostile.is_dir() {
        println!("skipped: {} is not there", hostile.display());
        return;
    }
    let mut worst = (0, String::new());
    for case in std::fs::read_dir(hostile).unwrap().map(|entry| entry.unwrap().path()) {
        let Some(file) = ["model.pkl", "model.joblib"].iter().map(|name| case.join(name)).find(|path| path.exists())
        else {
            continue;
        };
        let (peak, took, _) = cost(std::fs::read(&file).unwrap());
        assert!(peak < 128 << 20 && took < Duration::from_secs(5), "{}: {} MB, {took:?}", file.display(), peak >> 20);
        worst = worst.max((peak, case.display().to_string()));
    }
    println!("worst of the corpus: {} MB, {}", worst.0 >> 20, worst.1);
}

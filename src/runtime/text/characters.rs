//! UTF-8 to symbols: lower-casing and accent stripping by table, and the set that a symbol is in.

use super::flag;
use crate::image::Reader;

const CAPITAL_SIGMA: u32 = 0x3a3;
const SIGMA: u32 = 0x3c3;
const FINAL_SIGMA: u32 = 0x3c2;

/// In `Characters::to`: the image is a list in the pool, its length in bits 24 to 30 and its place in the rest.
pub const LIST: u32 = 1 << 31;
/// In `Characters::last`: only every second character from the first on.
pub const SECOND: u32 = 1 << 31;

/// Code points by ascending boundaries: one is in the set where an odd number of them are not above it.
#[derive(Clone, Copy, Default)]
pub struct Set<'a>(&'a [u32]);

impl<'a> Set<'a> {
    pub fn read(args: &mut Reader<'a>) -> Option<Set<'a>> {
        let count = args.one::<u32>()? as usize;
        Some(Set(args.list(count)?))
    }

    #[inline]
    pub fn has(&self, symbol: u32) -> bool {
        self.0.partition_point(|&boundary| boundary <= symbol) % 2 == 1
    }
}

/// What becomes of each character. ASCII has a table; of the rest, runs have an image and others stay.
#[derive(Clone, Copy)]
pub struct Characters<'a> {
    flags: u32,
    /// For each character of ASCII the one it becomes, plus 128 where that is in the set.
    ascii: &'a [u8],
    /// Runs in ascending order: the first and last character and what the first becomes; others become as many
    /// code points later as they stand later, or the same list.
    first: &'a [u32],
    last: &'a [u32],
    to: &'a [u32],
    pool: &'a [u32],
    set: Set<'a>,
    /// With `SIGMA`: characters that have case, and those that do not count when case is asked for.
    cased: Set<'a>,
    ignored: Set<'a>,
}

impl<'a> Characters<'a> {
    pub fn read(args: &mut Reader<'a>, flags: u32) -> Option<Characters<'a>> {
        let &[runs, pool] = args.list::<u32>(2)?.first_chunk()?;
        let runs = runs as usize;
        let sigma = flags & flag::SIGMA != 0;
        let mut set = |read: bool| if read { Set::read(args) } else { Some(Set::default()) };
        let (inside, cased, ignored) = (set(true)?, set(sigma)?, set(sigma)?);
        Some(Characters {
            flags,
            set: inside,
            cased,
            ignored,
            first: args.list(runs)?,
            last: args.list(runs)?,
            to: args.list(runs)?,
            pool: args.list(pool as usize)?,
            ascii: args.list(128)?,
        })
    }

    /// Every list lies in the pool.
    pub fn check(&self) -> Option<()> {
        let holds = |&to: &u32| to & LIST == 0 || self.list(to).is_some();
        self.to.iter().all(holds).then_some(())
    }

    fn list(&self, to: u32) -> Option<&'a [u32]> {
        let (length, start) = ((to >> 24 & 0x7f) as usize, (to & 0xff_ffff) as usize);
        self.pool.get(start..start.checked_add(length)?)
    }

    /// Gives the symbols of a text one by one, each with whether it is in the set.
    #[inline]
    pub fn each(&self, text: &[u8], mut give: impl FnMut(u32, bool)) {
        let (mut at, mut few) = (0, [0; 3]);
        while let Some(&byte) = text.get(at) {
            // One place calls `give`: it is inlined, and most of a kernel.
            let (images, known) = match self.ascii.get(byte as usize) {
                Some(&to) => {
                    at += 1;
                    few[0] = u32::from(to & 0x7f);
                    (few.get(..1), Some(to & 0x80 != 0))
                }
                None => {
                    let (character, size) = decode(text, at);
                    at += size;
                    (self.images(text, at - size, at, character, &mut few), None)
                }
            };
            for &symbol in images.unwrap_or_default() {
                give(symbol, known.unwrap_or_else(|| self.set.has(symbol)));
            }
        }
    }

    /// What a character outside ASCII, at `start..end` of the text, becomes; `few` holds it where no table does.
    #[inline(never)]
    fn images<'s>(
        &'s self,
        text: &[u8],
        start: usize,
        end: usize,
        character: u32,
        few: &'s mut [u32; 3],
    ) -> Option<&'s [u32]> {
        few[0] = character;
        if character == CAPITAL_SIGMA && self.flags & flag::SIGMA != 0 {
            few[0] = if self.is_final(text, start, end) { FINAL_SIGMA } else { SIGMA };
            return few.get(..1);
        }
        let place = self.first.partition_point(|&first| first <= character).wrapping_sub(1);
        if let (Some(&first), Some(&last), Some(&to)) =
            (self.first.get(place), self.last.get(place), self.to.get(place))
        {
            let step = character.wrapping_sub(first);
            if character <= last & !SECOND && (last & SECOND == 0 || step.is_multiple_of(2)) {
                if to & LIST != 0 {
                    return self.list(to);
                }
                few[0] = to.wrapping_add(step);
                return few.get(..1);
            }
        }
        if self.flags & flag::HANGUL != 0 && (0xac00..0xd7a4).contains(&character) {
            let syllable = character - 0xac00;
            *few = [0x1100 + syllable / 588, 0x1161 + syllable % 588 / 28, 0x11a7 + syllable % 28];
            return few.get(..if syllable.is_multiple_of(28) { 2 } else { 3 });
        }
        few.get(..if self.flags & flag::ASCII == 0 { 1 } else { 0 })
    }

    /// Python's rule for a capital sigma: behind a character that has case and not before one, where characters
    /// that are ignored do not count.
    fn is_final(&self, text: &[u8], start: usize, end: usize) -> bool {
        let counts = |character: u32| !self.ignored.has(character);
        let mut before = start;
        let last = loop {
            // The first byte of the character that ends at `before`.
            let Some(lead) = (0..before).rev().find(|&at| text.get(at).is_some_and(|byte| byte & 0xc0 != 0x80))
            else {
                return false;
            };
            before = lead;
            let (character, _) = decode(text, lead);
            if counts(character) {
                break character;
            }
        };
        if !self.cased.has(last) {
            return false;
        }
        let mut after = end;
        while after < text.len() {
            let (character, size) = decode(text, after);
            after += size;
            if counts(character) {
                return !self.cased.has(character);
            }
        }
        true
    }
}

/// The character at `at`, inside the text, and its bytes; U+FFFD for a byte that begins none.
#[inline]
fn decode(text: &[u8], at: usize) -> (u32, usize) {
    const BAD: (u32, usize) = (0xfffd, 1);
    let byte = |offset: usize| text.get(at + offset).map_or(0, |&byte| u32::from(byte));
    let lead = byte(0);
    let size = match lead {
        0..=0x7f => return (lead, 1),
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return BAD,
    };
    let mut character = lead & (0x7f >> size);
    for offset in 1..size {
        let next = byte(offset);
        if next & 0xc0 != 0x80 {
            return BAD;
        }
        character = character << 6 | next & 0x3f;
    }
    (character, size)
}

/// The UTF-8 of a code point: four bytes and how many of them count.
#[inline]
pub fn encode(symbol: u32) -> ([u8; 4], usize) {
    let tail = |shift: u32| (symbol >> shift & 0x3f | 0x80) as u8;
    match symbol {
        0..0x80 => ([symbol as u8, 0, 0, 0], 1),
        0x80..0x800 => ([(symbol >> 6 | 0xc0) as u8, tail(0), 0, 0], 2),
        0x800..0x1_0000 => ([(symbol >> 12 | 0xe0) as u8, tail(6), tail(0), 0], 3),
        _ => ([(symbol >> 18 | 0xf0) as u8, tail(12), tail(6), tail(0)], 4),
    }
}

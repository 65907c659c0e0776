//! Texts to columns of counts, or straight to a linear map of them: scikit-learn's vectorizers.
//!
//! A row's characters become symbols (`characters`), symbols or tokens become n-grams, and each n-gram a column
//! (`terms`). Counts of one row lie in scratch with a bit a column that says which are in use, so that a row costs
//! as much as its text is long, not as the vocabulary is wide; columns are then visited in ascending order, as the
//! original's sorted sparse rows are, and give the same sums.

mod characters;
mod terms;

use super::{Call, Shape};
use crate::image::Reader;
use characters::{Characters, Set};
pub use characters::{LIST, SECOND};
pub use terms::STOP;
use terms::{Hashed, Symbols, Terms, Tokens, Vocabulary};

/// Longest n-gram: its prefixes are on the stack.
pub const MOST_NGRAM: usize = 32;

/// Flags of a kernel's arguments.
pub mod flag {
    /// A capital sigma becomes the final one where Python's `str.lower` says so.
    pub const SIGMA: u32 = 1;
    /// Hangul syllables become their letters.
    pub const HANGUL: u32 = 2;
    /// Characters outside ASCII that have no entry are dropped.
    pub const ASCII: u32 = 4;
    /// A token counts only where the character before it is no word character, and the one after it.
    pub const LEAD: u32 = 8;
    pub const TRAIL: u32 = 16;
    /// n-grams of characters stay within words, which have a space on either side.
    pub const WITHIN: u32 = 32;
    /// A hash also gives a sign.
    pub const SIGNED: u32 = 64;
    /// Any count is 1.
    pub const BINARY: u32 = 128;
    /// A count c is 1 + ln c.
    pub const SUBLINEAR: u32 = 256;
    /// Each column has a weight.
    pub const WEIGHTED: u32 = 512;
    /// The row is divided by its norm.
    pub const L1: u32 = 1024;
    pub const L2: u32 = 2048;
    /// A linear map of the columns is put out, not they themselves.
    pub const LINEAR: u32 = 4096;
}

/// Numbers at the start of the arguments.
#[derive(Clone, Copy)]
struct Sizes {
    flags: u32,
    /// Fewest and most symbols of an n-gram.
    least: usize,
    most: usize,
    /// Fewest characters of a token.
    token: usize,
    /// Columns counted.
    width: usize,
    /// Bytes of the longest token that is known.
    longest: usize,
}

impl Sizes {
    fn read(args: &mut Reader) -> Option<Sizes> {
        let &[flags, least, most, token, width, longest] = args.list::<u32>(6)?.first_chunk()?;
        let [least, most, token, width, longest] =
            [least as usize, most as usize, token as usize, width as usize, longest as usize];
        (least >= 1 && least <= most && most <= MOST_NGRAM).then_some(Sizes {
            flags,
            least,
            most,
            token,
            width,
            longest,
        })
    }

    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Scratch slots: the counts, the bits, the token.
    fn scratch(&self) -> Option<usize> {
        self.width.checked_add(self.width.div_ceil(64))?.checked_add(self.longest.div_ceil(8))
    }
}

/// What becomes of a row's counts.
struct Finish<'a> {
    sizes: Sizes,
    /// One a column, or none.
    weights: &'a [f64],
    /// With `LINEAR`, the columns that have coefficients, ascending; empty where all have.
    columns: &'a [u32],
    /// A row of outputs for each of these columns.
    coef: &'a [f64],
    intercept: &'a [f64],
}

impl<'a> Finish<'a> {
    fn read(args: &mut Reader<'a>, sizes: Sizes, outputs: usize) -> Option<Finish<'a>> {
        let width = sizes.width;
        let weights = args.list(if sizes.has(flag::WEIGHTED) { width } else { 0 })?;
        if !sizes.has(flag::LINEAR) {
            // The columns are the outputs.
            return (width == outputs).then_some(Finish { sizes, weights, columns: &[], coef: &[], intercept: &[] });
        }
        let rows = args.one::<u32>()? as usize;
        let columns = args.list(if rows < width { rows } else { 0 })?;
        let coef = args.list(rows.checked_mul(outputs)?)?;
        Some(Finish { sizes, weights, columns, coef, intercept: args.list(outputs)? })
    }

    /// Puts the row's outputs where they belong.
    fn write(&self, call: &Call, row: usize, counts: &mut Counts) {
        let sizes = &self.sizes;
        let mut norm = 0.0;
        counts.each(|column, value| {
            if sizes.has(flag::BINARY) {
                *value = 1.0;
            }
            if sizes.has(flag::SUBLINEAR) {
                *value = libm::log(*value) + 1.0;
            }
            if let Some(weight) = self.weights.get(column) {
                *value *= weight;
            }
            norm += if sizes.has(flag::L1) { libm::fabs(*value) } else { *value * *value };
        });
        if sizes.has(flag::L1 | flag::L2) && norm != 0.0 {
            let norm = if sizes.has(flag::L1) { norm } else { libm::sqrt(norm) };
            counts.each(|_, value| *value /= norm);
        }
        for output in call.outputs() {
            if let Some(y) = output.get_mut(row) {
                *y = 0.0;
            }
        }
        if !sizes.has(flag::LINEAR) {
            counts.each(|column, value| {
                if let Some(y) = call.output(column).get_mut(row) {
                    *y = *value;
                }
            });
            return;
        }
        counts.each(|column, value| {
            let found = match self.columns {
                [] => Ok(column),
                columns => columns.binary_search(&(column as u32)),
            };
            let Ok(found) = found else { return };
            let coef = self.coef.iter().skip(found * call.outputs);
            for (output, weight) in call.outputs().zip(coef) {
                if let Some(y) = output.get_mut(row) {
                    *y += weight * *value;
                }
            }
        });
        for (output, intercept) in call.outputs().zip(self.intercept) {
            if let Some(y) = output.get_mut(row) {
                *y += intercept;
            }
        }
    }
}

/// One row's counts by column. A count is valid where its bit is set; the others hold anything.
struct Counts<'a> {
    values: &'a mut [f64],
    bits: &'a mut [u64],
}

impl Counts<'_> {
    #[inline]
    fn add(&mut self, column: u32, by: f64) {
        let column = column as usize;
        let bit = 1 << (column % 64);
        if let (Some(value), Some(bits)) = (self.values.get_mut(column), self.bits.get_mut(column / 64)) {
            *value = if *bits & bit == 0 { by } else { *value + by };
            *bits |= bit;
        }
    }

    #[inline]
    fn each(&mut self, mut visit: impl FnMut(usize, &mut f64)) {
        for (word, &bits) in self.bits.iter().enumerate() {
            let mut left = bits;
            while left != 0 {
                let column = word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                if let Some(value) = self.values.get_mut(column) {
                    visit(column, value);
                }
            }
        }
    }
}

/// Scratch as counts, bits and the bytes of a token.
#[allow(clippy::mut_from_ref)]
fn scratch<'a>(call: &'a Call, sizes: &Sizes) -> (Counts<'a>, &'a mut [u8]) {
    let all = call.scratch(sizes.scratch().unwrap_or(0));
    let (values, rest) = all.split_at_mut_checked(sizes.width).unwrap_or_default();
    let (bits, token) = rest.split_at_mut_checked(sizes.width.div_ceil(64)).unwrap_or_default();
    // SAFETY: u64 has the size and alignment of f64, u8 less of both, and any bit pattern is one of either; each
    // view takes the place of the one it is made from.
    unsafe {
        let bits = core::slice::from_raw_parts_mut(bits.as_mut_ptr().cast(), bits.len());
        let token = core::slice::from_raw_parts_mut(token.as_mut_ptr().cast(), token.len() * 8);
        (Counts { values, bits }, token)
    }
}

/// Counts every row's text and writes its outputs; a place without a text is refused.
#[inline]
fn rows<'a>(call: &'a Call, finish: &Finish, counts: &mut Counts<'a>, mut count: impl FnMut(&[u8], &mut Counts<'a>)) {
    for (row, &place) in call.input(0).iter().enumerate() {
        let Some(text) = call.text(place) else {
            call.refuse(row);
            continue;
        };
        counts.bits.fill(0);
        count(text, counts);
        finish.write(call, row, counts);
    }
}

/// The parts of the arguments that all these kernels have; the terms stand before `finish`.
struct Args<'a> {
    sizes: Sizes,
    characters: Characters<'a>,
    /// With `LEAD` or `TRAIL`: the word characters.
    word: Set<'a>,
    finish: Finish<'a>,
}

fn read<'a, T>(
    mut args: Reader<'a>,
    outputs: usize,
    terms: impl FnOnce(&mut Reader<'a>, &Sizes) -> Option<T>,
) -> Option<(Args<'a>, T)> {
    let sizes = Sizes::read(&mut args)?;
    let characters = Characters::read(&mut args, sizes.flags)?;
    let word = if sizes.has(flag::LEAD | flag::TRAIL) { Set::read(&mut args)? } else { Set::default() };
    let terms = terms(&mut args, &sizes)?;
    let finish = Finish::read(&mut args, sizes, outputs)?;
    Some((Args { sizes, characters, word, finish }, terms))
}

fn check<T>(shape: &Shape, (args, _): (Args, T)) -> Option<usize> {
    args.characters.check()?;
    if shape.inputs != 1 {
        return None;
    }
    args.sizes.scratch()
}

pub fn check_words(shape: &Shape) -> Option<usize> {
    let read = read(shape.args(), shape.outputs, Vocabulary::read_tokens)?;
    read.1.check(&read.0.sizes)?;
    check(shape, read)
}

pub fn check_chars(shape: &Shape) -> Option<usize> {
    let read = read(shape.args(), shape.outputs, Vocabulary::read_characters)?;
    read.1.check(&read.0.sizes)?;
    check(shape, read)
}

pub fn check_hashed_words(shape: &Shape) -> Option<usize> {
    let read = read(shape.args(), shape.outputs, |args, _| Tokens::read(args))?;
    read.1.check()?;
    check(shape, read)
}

pub fn check_hashed_chars(shape: &Shape) -> Option<usize> {
    check(shape, read(shape.args(), shape.outputs, |_, _| Some(()))?)
}

pub fn words(call: &Call) {
    let Some((args, vocabulary)) = read(call.args(), call.outputs, Vocabulary::read_tokens) else { return };
    let (mut counts, buffer) = scratch(call, &args.sizes);
    let mut terms = terms::KnownWords::new(vocabulary, &args.sizes, buffer);
    rows(call, &args.finish, &mut counts, |text, counts| split(&args, text, &mut terms, counts));
}

pub fn hashed_words(call: &Call) {
    let read = read(call.args(), call.outputs, |args, _| Tokens::read(args));
    let Some((args, stop_words)) = read else { return };
    let (mut counts, buffer) = scratch(call, &args.sizes);
    let mut terms = terms::HashedWords::new(stop_words, Hashed::new(&args.sizes), buffer);
    rows(call, &args.finish, &mut counts, |text, counts| split(&args, text, &mut terms, counts));
}

pub fn chars(call: &Call) {
    let read = read(call.args(), call.outputs, Vocabulary::read_characters);
    let Some((args, vocabulary)) = read else { return };
    let (mut counts, _) = scratch(call, &args.sizes);
    let mut grams = terms::KnownGrams::new(vocabulary, &args.sizes);
    rows(call, &args.finish, &mut counts, |text, counts| slide(&args, text, &mut grams, counts));
}

pub fn hashed_chars(call: &Call) {
    let Some((args, ())) = read(call.args(), call.outputs, |_, _| Some(())) else { return };
    let (mut counts, _) = scratch(call, &args.sizes);
    let mut grams = Hashed::new(&args.sizes);
    rows(call, &args.finish, &mut counts, |text, counts| slide(&args, text, &mut grams, counts));
}

/// Cuts a text into tokens: the longest runs of characters of the set, of as many characters as a token needs.
#[inline]
fn split(args: &Args, text: &[u8], terms: &mut impl Terms, counts: &mut Counts) {
    let sizes = &args.sizes;
    let edges = sizes.has(flag::LEAD | flag::TRAIL);
    // Characters of the token so far; whether what stood before it lets it begin; whether a word character did.
    let (mut length, mut begins, mut word) = (0usize, true, false);
    terms.reset();
    args.characters.each(text, |symbol, inside| {
        let before = word;
        word = edges && args.word.has(symbol);
        if inside {
            if length == 0 {
                begins = !sizes.has(flag::LEAD) || !before;
                terms.begin();
            }
            length += 1;
            terms.push(symbol);
        } else if length > 0 {
            if length >= sizes.token && begins && !(sizes.has(flag::TRAIL) && word) {
                terms.end(counts);
            }
            length = 0;
        }
    });
    if length > 0 && length >= sizes.token && begins {
        terms.end(counts);
    }
}

/// Counts n-grams of characters. White space counts as one space where two or more stand together; within words it
/// only separates them. For these kernels the set that `Characters` asks is white space.
#[inline]
fn slide(args: &Args, text: &[u8], grams: &mut impl Symbols, counts: &mut Counts) {
    const SPACE: u32 = b' ' as u32;
    let within = args.sizes.has(flag::WITHIN);
    // White space that waits for the character behind it.
    let (mut waiting, mut spaces, mut open) = (SPACE, 0usize, false);
    grams.reset();
    args.characters.each(text, |symbol, space| {
        if space {
            if within && open {
                grams.push(SPACE, counts);
                grams.close(counts);
                open = false;
            }
            waiting = if spaces == 0 { symbol } else { SPACE };
            spaces += 1;
            return;
        }
        if within && !open {
            grams.reset();
            grams.push(SPACE, counts);
            open = true;
        } else if !within && spaces > 0 {
            grams.push(waiting, counts);
        }
        spaces = 0;
        grams.push(symbol, counts);
    });
    if within && open {
        grams.push(SPACE, counts);
        grams.close(counts);
    } else if !within && spaces > 0 {
        grams.push(waiting, counts);
    }
}

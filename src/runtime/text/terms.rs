//! From tokens and characters to columns: n-grams looked up in a vocabulary, or hashed.
//!
//! A vocabulary is a trie. Its symbols are known tokens or characters, by number; node s below `symbols` is the
//! n-gram of symbol s alone, and the children of a node stand together, sorted by their last symbol. Tokens are
//! compared byte by byte, so that no other text can pass for a term.

use super::characters::encode;
use super::{Counts, MOST_NGRAM, Sizes, flag};
use crate::image::Reader;
use crate::runtime::encode::NOWHERE;

/// In the place of a column: a stop word, taken out before n-grams are made.
pub const STOP: u32 = u32::MAX;

/// Takes the tokens of a text, character by character.
pub trait Terms {
    /// A text begins.
    fn reset(&mut self);
    /// A token begins, perhaps.
    fn begin(&mut self);
    fn push(&mut self, symbol: u32);
    /// What has been pushed since `begin` is a token.
    fn end(&mut self, counts: &mut Counts);
}

/// Takes the characters of a text, or of a word of it.
pub trait Symbols {
    fn reset(&mut self);
    fn push(&mut self, symbol: u32, counts: &mut Counts);
    /// The word is whole: one too short for any n-gram counts as it is.
    fn close(&mut self, counts: &mut Counts);
}

/// Byte strings in ascending order.
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    count: usize,
    /// Where each begins in the pool, and the end.
    starts: &'a [u32],
    pool: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub fn read(args: &mut Reader<'a>) -> Option<Tokens<'a>> {
        let count = args.one::<u32>()? as usize;
        let starts = args.list::<u32>(count.checked_add(1)?)?;
        Some(Tokens { count, starts, pool: args.list(*starts.last()? as usize)? })
    }

    /// The strings follow each other in the pool.
    pub fn check(&self) -> Option<()> {
        let ascends = self.starts.iter().zip(self.starts.iter().skip(1)).all(|(start, end)| start <= end);
        (ascends && self.starts.first() == Some(&0)).then_some(())
    }

    fn find(&self, token: &[u8]) -> Option<u32> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let (&start, &end) = (self.starts.get(middle)?, self.starts.get(middle + 1)?);
            match self.pool.get(start as usize..end as usize)?.cmp(token) {
                core::cmp::Ordering::Equal => return Some(middle as u32),
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// A token's UTF-8, up to the length of the longest known one.
struct Buffer<'a> {
    bytes: &'a mut [u8],
    /// More than there are bytes where the token is longer.
    length: usize,
}

impl Buffer<'_> {
    fn push(&mut self, symbol: u32) {
        let (bytes, count) = encode(symbol);
        for &byte in bytes.iter().take(count) {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = byte;
            }
            self.length = self.length.saturating_add(1);
        }
    }

    fn find(&self, tokens: &Tokens) -> Option<u32> {
        tokens.find(self.bytes.get(..self.length)?)
    }
}

/// The n-grams that have a column.
#[derive(Clone, Copy)]
pub struct Vocabulary<'a> {
    tokens: Tokens<'a>,
    /// In the place of tokens: characters in ascending order.
    characters: &'a [u32],
    symbols: usize,
    /// One a node: its column, `NOWHERE` or `STOP`.
    columns: &'a [u32],
    /// One a node, and one: the node's first child. Empty where all n-grams are single symbols.
    children: &'a [u32],
    /// One a node from `symbols` on: its last symbol.
    last: &'a [u32],
}

impl<'a> Vocabulary<'a> {
    pub fn read_tokens(args: &mut Reader<'a>, sizes: &Sizes) -> Option<Vocabulary<'a>> {
        let tokens = Tokens::read(args)?;
        Vocabulary::read(args, sizes, tokens, &[], tokens.count)
    }

    pub fn read_characters(args: &mut Reader<'a>, sizes: &Sizes) -> Option<Vocabulary<'a>> {
        let symbols = args.one::<u32>()? as usize;
        let characters = args.list(symbols)?;
        Vocabulary::read(args, sizes, Tokens { count: 0, starts: &[], pool: &[] }, characters, symbols)
    }

    fn read(
        args: &mut Reader<'a>,
        sizes: &Sizes,
        tokens: Tokens<'a>,
        characters: &'a [u32],
        symbols: usize,
    ) -> Option<Vocabulary<'a>> {
        let nodes = args.one::<u32>()? as usize;
        let columns = args.list(nodes)?;
        let deep = sizes.most > 1;
        let children = args.list(if deep { nodes.checked_add(1)? } else { 0 })?;
        let last = args.list(if deep { nodes.checked_sub(symbols)? } else { 0 })?;
        Some(Vocabulary { tokens, characters, symbols, columns, children, last })
    }

    /// Children stand behind their parents, every symbol has a node, every column is counted.
    pub fn check(&self, sizes: &Sizes) -> Option<()> {
        if self.characters.is_empty() && self.tokens.count > 0 {
            self.tokens.check()?;
        }
        let nodes = self.columns.len();
        let holds = |&column: &u32| (column as usize) < sizes.width || column >= NOWHERE;
        let within = |&child: &u32| (self.symbols..=nodes).contains(&(child as usize));
        let ascends = self.children.iter().zip(self.children.iter().skip(1)).all(|(start, end)| start <= end);
        let fits = nodes >= self.symbols && self.columns.iter().all(holds) && self.children.iter().all(within);
        (fits && ascends).then_some(())
    }

    fn child(&self, node: u32, symbol: u32) -> u32 {
        let find = || {
            let (&start, &end) = (self.children.get(node as usize)?, self.children.get(node as usize + 1)?);
            let last = self.last.get((start as usize).checked_sub(self.symbols)?..(end as usize) - self.symbols)?;
            Some(start + last.binary_search(&symbol).ok()? as u32)
        };
        find().unwrap_or(NOWHERE)
    }

    fn column(&self, node: u32) -> u32 {
        self.columns.get(node as usize).copied().unwrap_or(NOWHERE)
    }
}

/// The n-grams of a vocabulary that end at the last symbol, by length.
struct Walk<'a> {
    vocabulary: Vocabulary<'a>,
    least: usize,
    most: usize,
    /// Node of the n-gram of length place + 1.
    nodes: [u32; MOST_NGRAM],
    /// Symbols since the last reset.
    depth: usize,
}

impl<'a> Walk<'a> {
    fn new(vocabulary: Vocabulary<'a>, sizes: &Sizes) -> Walk<'a> {
        Walk { vocabulary, least: sizes.least, most: sizes.most, nodes: [NOWHERE; MOST_NGRAM], depth: 0 }
    }

    fn reset(&mut self) {
        self.nodes.iter_mut().take(self.most).for_each(|node| *node = NOWHERE);
        self.depth = 0;
    }

    /// `symbol` is `NOWHERE` where no n-gram holds it.
    fn push(&mut self, symbol: u32, counts: &mut Counts) {
        self.depth = self.depth.saturating_add(1);
        let mut prefix = symbol;
        for (place, slot) in self.nodes.iter_mut().enumerate().take(self.most) {
            let longer = if place + 1 < self.most { *slot } else { NOWHERE };
            *slot = prefix;
            if prefix != NOWHERE && place + 1 >= self.least {
                counts.add(self.vocabulary.column(prefix), 1.0);
            }
            prefix =
                if longer == NOWHERE || symbol == NOWHERE { NOWHERE } else { self.vocabulary.child(longer, symbol) };
        }
    }
}

/// Tokens of a vocabulary.
pub struct KnownWords<'a> {
    walk: Walk<'a>,
    buffer: Buffer<'a>,
}

impl<'a> KnownWords<'a> {
    pub fn new(vocabulary: Vocabulary<'a>, sizes: &Sizes, bytes: &'a mut [u8]) -> KnownWords<'a> {
        KnownWords { walk: Walk::new(vocabulary, sizes), buffer: Buffer { bytes, length: 0 } }
    }
}

impl Terms for KnownWords<'_> {
    fn reset(&mut self) {
        self.walk.reset();
    }

    fn begin(&mut self) {
        self.buffer.length = 0;
    }

    fn push(&mut self, symbol: u32) {
        self.buffer.push(symbol);
    }

    fn end(&mut self, counts: &mut Counts) {
        let token = self.buffer.find(&self.walk.vocabulary.tokens).unwrap_or(NOWHERE);
        if token == NOWHERE || self.walk.vocabulary.column(token) != STOP {
            self.walk.push(token, counts);
        }
    }
}

/// Characters of a vocabulary.
pub struct KnownGrams<'a>(Walk<'a>);

impl<'a> KnownGrams<'a> {
    pub fn new(vocabulary: Vocabulary<'a>, sizes: &Sizes) -> KnownGrams<'a> {
        KnownGrams(Walk::new(vocabulary, sizes))
    }
}

impl Symbols for KnownGrams<'_> {
    fn reset(&mut self) {
        self.0.reset();
    }

    fn push(&mut self, symbol: u32, counts: &mut Counts) {
        let place = self.0.vocabulary.characters.binary_search(&symbol);
        self.0.push(place.map_or(NOWHERE, |place| place as u32), counts);
    }

    fn close(&mut self, counts: &mut Counts) {
        if self.0.depth < self.0.least
            && let Some(&node) = self.0.depth.checked_sub(1).and_then(|place| self.0.nodes.get(place))
        {
            counts.add(self.0.vocabulary.column(node), 1.0);
        }
    }
}

/// MurmurHash3 x86_32 with seed 0, byte by byte.
#[derive(Clone, Copy, Default)]
struct Murmur {
    hash: u32,
    /// Bytes that do not yet make four.
    rest: u32,
    length: u32,
}

impl Murmur {
    fn scrambled(rest: u32) -> u32 {
        rest.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        self.rest |= u32::from(byte) << (8 * (self.length % 4));
        self.length = self.length.wrapping_add(1);
        if self.length.is_multiple_of(4) {
            self.hash ^= Murmur::scrambled(self.rest);
            self.hash = self.hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
            self.rest = 0;
        }
    }

    fn finish(mut self) -> i32 {
        self.hash ^= Murmur::scrambled(self.rest) ^ self.length;
        self.hash = (self.hash ^ self.hash >> 16).wrapping_mul(0x85eb_ca6b);
        self.hash = (self.hash ^ self.hash >> 13).wrapping_mul(0xc2b2_ae35);
        (self.hash ^ self.hash >> 16) as i32
    }
}

/// Gives a symbol to the first `used` states.
fn push_all(states: &mut [Murmur; MOST_NGRAM], used: usize, symbol: u32) {
    let (bytes, count) = encode(symbol);
    for state in states.iter_mut().take(used) {
        bytes.iter().take(count).for_each(|&byte| state.push(byte));
    }
}

/// n-grams of any text, each in the column that its hash says.
pub struct Hashed {
    least: usize,
    most: usize,
    width: u32,
    signed: bool,
    /// Of the n-gram of length place + 1 that ends at the last symbol.
    states: [Murmur; MOST_NGRAM],
    /// Symbols since the last reset.
    depth: usize,
}

impl Hashed {
    pub fn new(sizes: &Sizes) -> Hashed {
        Hashed {
            least: sizes.least,
            most: sizes.most,
            width: sizes.width as u32,
            signed: sizes.has(flag::SIGNED),
            states: [Murmur::default(); MOST_NGRAM],
            depth: 0,
        }
    }

    fn count(&self, state: Murmur, counts: &mut Counts) {
        let hash = state.finish();
        let sign = if self.signed && hash < 0 { -1.0 } else { 1.0 };
        if let Some(column) = hash.unsigned_abs().checked_rem(self.width) {
            counts.add(column, sign);
        }
    }

    /// Makes room for one more symbol: the n-grams of length n become the beginnings of those of length n + 1.
    #[inline]
    fn shift(states: &mut [Murmur; MOST_NGRAM], most: usize) {
        let mut shorter = Murmur::default();
        states.iter_mut().take(most).for_each(|state| core::mem::swap(state, &mut shorter));
    }

    /// Counts the n-grams that end here.
    fn count_all(&self, counts: &mut Counts) {
        for &state in self.states.iter().take(self.most.min(self.depth)).skip(self.least - 1) {
            self.count(state, counts);
        }
    }
}

impl Symbols for Hashed {
    fn reset(&mut self) {
        self.depth = 0;
    }

    fn push(&mut self, symbol: u32, counts: &mut Counts) {
        Hashed::shift(&mut self.states, self.most);
        self.depth = self.depth.saturating_add(1);
        let used = self.most.min(self.depth);
        push_all(&mut self.states, used, symbol);
        self.count_all(counts);
    }

    fn close(&mut self, counts: &mut Counts) {
        if self.depth < self.least
            && let Some(&state) = self.depth.checked_sub(1).and_then(|place| self.states.get(place))
        {
            self.count(state, counts);
        }
    }
}

/// Any tokens but stop words.
pub struct HashedWords<'a> {
    stop_words: Tokens<'a>,
    buffer: Buffer<'a>,
    hashed: Hashed,
    /// The states with the token that is being read.
    tried: [Murmur; MOST_NGRAM],
}

impl<'a> HashedWords<'a> {
    pub fn new(stop_words: Tokens<'a>, hashed: Hashed, bytes: &'a mut [u8]) -> HashedWords<'a> {
        HashedWords {
            stop_words,
            buffer: Buffer { bytes, length: 0 },
            hashed,
            tried: [Murmur::default(); MOST_NGRAM],
        }
    }
}

impl Terms for HashedWords<'_> {
    fn reset(&mut self) {
        self.hashed.depth = 0;
    }

    fn begin(&mut self) {
        self.buffer.length = 0;
        self.tried = self.hashed.states;
        Hashed::shift(&mut self.tried, self.hashed.most);
        // The tokens of an n-gram are joined by a space.
        self.tried.iter_mut().skip(1).take(self.hashed.depth).for_each(|state| state.push(b' '));
    }

    fn push(&mut self, symbol: u32) {
        self.buffer.push(symbol);
        let used = self.hashed.most.min(self.hashed.depth.saturating_add(1));
        push_all(&mut self.tried, used, symbol);
    }

    fn end(&mut self, counts: &mut Counts) {
        if self.buffer.find(&self.stop_words).is_none() {
            self.hashed.states = self.tried;
            self.hashed.depth = self.hashed.depth.saturating_add(1);
            self.hashed.count_all(counts);
        }
    }
}

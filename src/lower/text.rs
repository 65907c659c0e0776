//! A vectorizer as the arguments of its kernel: the vocabulary as a trie, and of Python's tables of characters
//! only what can make a difference to it.
//!
//! A vocabulary's kernel takes a character that no term holds as it comes: whatever such a character turns into,
//! a token with it is no term. So characters need an entry only where they turn into one that terms hold, or
//! where they turn from a part of a token into a gap, or the other way round.

use super::args::Args;
use crate::image::Kernel;
use crate::model::{Accents, Analyzer, Matrix, Norm, Terms, Token, Vectorizer};
use crate::runtime::encode::NOWHERE;
use crate::runtime::text::{LIST, MOST_NGRAM, SECOND, STOP, flag};
use crate::unicode::{Set, Tables, is_hangul, tables};
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// coef and intercept of a linear map of a vectorizer's columns.
pub type Linear = (Matrix, Vec<f64>);

/// Writes the arguments; answers the kernel and how many scratch slots it needs.
pub fn lower(args: &mut Args, vectorizer: &Vectorizer, linear: Option<&Linear>) -> Result<(Kernel, u32)> {
    let (least, most) = vectorizer.ngrams;
    if most as usize > MOST_NGRAM {
        return Err(Error::limit(format!("n-grams of {most}; at most {MOST_NGRAM} are supported")));
    }
    let unicode = tables();
    let known = known(vectorizer)?;
    let characters = Characters::new(vectorizer, &known, unicode);
    let (token, edges) = match &vectorizer.analyzer {
        Analyzer::Words { token, .. } => (token.least, token.lead || token.trail),
        _ => (0, false),
    };
    let longest = match &known {
        Known::Words(words) => words.tokens.iter().map(String::len).max().unwrap_or(0),
        Known::Characters(_) | Known::AnyCharacters => 0,
        Known::AnyWords(stop_words) => stop_words.iter().map(String::len).max().unwrap_or(0),
    };
    let longest = u32::try_from(longest).map_err(|_| Error::limit("a token of more than 4 GiB"))?;

    args.u32s(&[flags(vectorizer, &characters, linear.is_some()), least, most, token, vectorizer.width, longest]);
    characters.write(args);
    if edges {
        write_set(args, &unicode.word);
    }
    let kernel = match &known {
        Known::Words(words) => {
            write_tokens(args, &words.tokens)?;
            words.trie.write(args, most)?;
            Kernel::Words
        }
        Known::Characters(grams) => {
            let codes: Vec<u32> = grams.characters.iter().map(|&c| u32::from(c)).collect();
            args.u32(codes.len() as u32).u32s(&codes);
            grams.trie.write(args, most)?;
            Kernel::Chars
        }
        Known::AnyWords(stop_words) => {
            write_tokens(args, stop_words)?;
            Kernel::HashedWords
        }
        Known::AnyCharacters => Kernel::HashedChars,
    };
    if let Some(idf) = &vectorizer.weighting.idf {
        args.f64s(idf);
    }
    if let Some((coef, intercept)) = linear {
        write_linear(args, coef, intercept);
    }
    Ok((kernel, vectorizer.width + vectorizer.width.div_ceil(64) + longest.div_ceil(8)))
}

fn flags(vectorizer: &Vectorizer, characters: &Characters, linear: bool) -> u32 {
    let weighting = &vectorizer.weighting;
    let (mut lead, mut trail, mut within) = (false, false, false);
    match &vectorizer.analyzer {
        Analyzer::Words { token, .. } => (lead, trail) = (token.lead, token.trail),
        Analyzer::CharsWithinWords => within = true,
        Analyzer::Chars => {}
    }
    [
        (characters.context.is_some(), flag::SIGMA),
        (characters.hangul, flag::HANGUL),
        (vectorizer.accents == Some(Accents::Ascii), flag::ASCII),
        (lead, flag::LEAD),
        (trail, flag::TRAIL),
        (within, flag::WITHIN),
        (matches!(vectorizer.terms, Terms::Hashed { signed: true }), flag::SIGNED),
        (vectorizer.binary, flag::BINARY),
        (weighting.sublinear, flag::SUBLINEAR),
        (weighting.idf.is_some(), flag::WEIGHTED),
        (weighting.norm == Some(Norm::L1), flag::L1),
        (weighting.norm == Some(Norm::L2), flag::L2),
        (linear, flag::LINEAR),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .fold(0, |flags, (_, flag)| flags | flag)
}

fn write_linear(args: &mut Args, coef: &Matrix, intercept: &[f64]) {
    let width = coef.columns;
    // Hashed features leave most columns without a coefficient: those are not written down.
    let in_use = |&column: &usize| (0..coef.rows).any(|row| coef.row(row)[column] != 0.0);
    let mut columns: Vec<usize> = (0..width).filter(in_use).collect();
    if columns.len() > width / 2 {
        columns = (0..width).collect();
    }
    args.u32(columns.len() as u32);
    if columns.len() < width {
        args.u32s(&columns.iter().map(|&column| column as u32).collect::<Vec<_>>());
    }
    let values = columns.iter().flat_map(|&column| (0..coef.rows).map(move |row| coef.row(row)[column]));
    args.f64s(&values.collect::<Vec<_>>()).f64s(intercept);
}

/// What the kernel knows of texts.
enum Known {
    Words(Words),
    Characters(Grams),
    /// Stop words, in ascending order.
    AnyWords(Vec<String>),
    AnyCharacters,
}

struct Words {
    /// In ascending order of their UTF-8.
    tokens: Vec<String>,
    trie: Trie,
}

struct Grams {
    characters: Vec<char>,
    trie: Trie,
}

fn known(vectorizer: &Vectorizer) -> Result<Known> {
    let (least, most) = (vectorizer.ngrams.0 as usize, vectorizer.ngrams.1 as usize);
    Ok(match (&vectorizer.analyzer, &vectorizer.terms) {
        (Analyzer::Words { stop_words, .. }, Terms::Hashed { .. }) => {
            Known::AnyWords(stop_words.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect())
        }
        (_, Terms::Hashed { .. }) => Known::AnyCharacters,
        (Analyzer::Words { stop_words, .. }, Terms::Vocabulary(terms)) => {
            // The original looks joined tokens up: a term of another number of tokens is never found.
            let split = |term: &'_ str| term.split(' ').map(str::to_owned).collect::<Vec<_>>();
            let terms: Vec<(Vec<String>, u32)> = terms
                .iter()
                .map(|(term, column)| (split(term), *column))
                .filter(|(tokens, _)| (least..=most).contains(&tokens.len()) && !tokens.iter().any(String::is_empty))
                .collect();
            let mut tokens: BTreeSet<&str> =
                terms.iter().flat_map(|(tokens, _)| tokens).map(String::as_str).collect();
            // Where no n-gram reaches over it, a stop word that is no term is like any other token.
            tokens.extend(stop_words.iter().filter(|_| most > 1).map(String::as_str));
            let tokens: Vec<String> = tokens.into_iter().map(str::to_owned).collect();
            let number = |token: &String| tokens.binary_search(token).unwrap_or_default() as u32;
            let grams = terms.iter().map(|(tokens, column)| (tokens.iter().map(number).collect(), *column));
            let mut trie = Trie::new(tokens.len(), grams.collect())?;
            for token in stop_words {
                if let Ok(place) = tokens.binary_search(token) {
                    trie.columns[place] = STOP;
                }
            }
            Known::Words(Words { tokens, trie })
        }
        (Analyzer::Chars | Analyzer::CharsWithinWords, Terms::Vocabulary(terms)) => {
            // Within words a word shorter than any n-gram counts whole.
            let within = matches!(vectorizer.analyzer, Analyzer::CharsWithinWords);
            let fits = |length: usize| (if within { 1 } else { least }..=most).contains(&length);
            let terms: Vec<(Vec<char>, u32)> = terms
                .iter()
                .map(|(term, column)| (term.chars().collect::<Vec<_>>(), *column))
                .filter(|(characters, _)| fits(characters.len()))
                .collect();
            let characters: BTreeSet<char> = terms.iter().flat_map(|(characters, _)| characters).copied().collect();
            let characters: Vec<char> = characters.into_iter().collect();
            let number = |c: &char| characters.binary_search(c).unwrap_or_default() as u32;
            let grams = terms.iter().map(|(characters, column)| (characters.iter().map(number).collect(), *column));
            let trie = Trie::new(characters.len(), grams.collect())?;
            Known::Characters(Grams { characters, trie })
        }
    })
}

/// n-grams of symbols: node s below `symbols` is the symbol alone, the children of a node stand together.
struct Trie {
    symbols: usize,
    columns: Vec<u32>,
    /// The first child of each node.
    children: Vec<u32>,
    /// The last symbol of each node from `symbols` on.
    last: Vec<u32>,
}

impl Trie {
    /// # Errors
    /// Where two terms are the same, or there are too many.
    fn new(symbols: usize, grams: Vec<(Vec<u32>, u32)>) -> Result<Trie> {
        /// Beyond it a node's number could be taken for a mark.
        const MOST_NODES: usize = 1 << 28;
        let mut level: BTreeMap<Vec<u32>, Option<u32>> =
            (0..symbols as u32).map(|symbol| (vec![symbol], None)).collect();
        let mut by_length: Vec<BTreeMap<Vec<u32>, Option<u32>>> = Vec::new();
        for (gram, column) in grams {
            let place = gram.len() - 1;
            while by_length.len() < gram.len() {
                by_length.push(BTreeMap::new());
            }
            // The beginnings of an n-gram are nodes without a column.
            for length in 1..gram.len() {
                by_length[length - 1].entry(gram[..length].to_vec()).or_default();
            }
            let old = by_length[place].entry(gram).or_default().replace(column);
            if old.is_some() {
                return Err(Error::malformed("the vocabulary holds a term twice"));
            }
        }
        let mut levels = by_length.into_iter();
        level.extend(levels.next().unwrap_or_default());
        let mut trie = Trie { symbols, columns: Vec::new(), children: Vec::new(), last: Vec::new() };
        let mut next = levels.next().unwrap_or_default();
        loop {
            let mut start = (trie.columns.len() + level.len()) as u32;
            let mut children = next.keys().peekable();
            for (gram, column) in &level {
                if gram.len() > 1 {
                    trie.last.push(gram[gram.len() - 1]);
                }
                trie.columns.push(column.unwrap_or(NOWHERE));
                trie.children.push(start);
                // Both levels are in the same order, so that a node's children come one after the other.
                while children.next_if(|child| child[..child.len() - 1] == gram[..]).is_some() {
                    start += 1;
                }
            }
            if trie.columns.len() + next.len() > MOST_NODES {
                return Err(Error::limit("the vocabulary has too many terms"));
            }
            if next.is_empty() {
                trie.children.push(start);
                return Ok(trie);
            }
            level = std::mem::replace(&mut next, levels.next().unwrap_or_default());
        }
    }

    fn write(&self, args: &mut Args, most: u32) -> Result<()> {
        args.u32(self.columns.len() as u32).u32s(&self.columns);
        if most > 1 {
            args.u32s(&self.children).u32s(&self.last);
        }
        debug_assert_eq!(self.last.len(), self.columns.len() - self.symbols);
        Ok(())
    }
}

fn write_tokens(args: &mut Args, tokens: &[String]) -> Result<()> {
    let mut starts = vec![0u32];
    let mut end = 0usize;
    for token in tokens {
        end += token.len();
        starts.push(u32::try_from(end).map_err(|_| Error::limit("a vocabulary of more than 4 GiB"))?);
    }
    args.u32(tokens.len() as u32).u32s(&starts).u8s(tokens.concat().as_bytes());
    Ok(())
}

fn write_set(args: &mut Args, set: &Set) {
    args.u32(set.boundaries().len() as u32).u32s(set.boundaries());
}

/// What becomes of characters, as the kernels' `Characters` has it.
struct Characters {
    /// For words the characters of a token, else white space.
    set: Set,
    /// Characters with case and those ignored, where a capital sigma's place matters.
    context: Option<(Set, Set)>,
    hangul: bool,
    ascii: [u8; 128],
    runs: Vec<Run>,
}

struct Run {
    first: u32,
    last: u32,
    /// 1 or 2, between the characters of the run.
    step: u32,
    image: Image,
}

#[derive(PartialEq)]
enum Image {
    /// Of the first character; the others go as far behind it as they stand behind the first.
    One(u32),
    List(Vec<u32>),
}

/// A symbol as far as a kernel can tell it from others.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    /// A term holds it.
    Known(u32),
    /// None does; in the set, and a word character.
    Other(bool, bool),
}

impl Characters {
    fn new(vectorizer: &Vectorizer, known: &Known, unicode: &Tables) -> Characters {
        let Vectorizer { lowercase, accents, ngrams, .. } = *vectorizer;
        let words = match &vectorizer.analyzer {
            Analyzer::Words { token, .. } => Some(token),
            _ => None,
        };
        let mut set = words.map_or_else(|| unicode.space.clone(), |token| token.set.clone());
        let held: Option<BTreeSet<u32>> = match known {
            Known::Words(words) => Some(words.tokens.iter().flat_map(|token| token.chars()).map(u32::from).collect()),
            Known::Characters(grams) => Some(grams.characters.iter().map(|&c| u32::from(c)).collect()),
            Known::AnyWords(_) | Known::AnyCharacters => None,
        };
        let holds = |code: u32| held.as_ref().is_none_or(|held| held.contains(&code));
        let image = |code: u32| -> Vec<u32> {
            let mut image = unicode.image(code, lowercase, accents.is_some());
            if accents == Some(Accents::Ascii) {
                image.retain(|&code| code < 128);
            }
            image
        };
        // A gap is as good as several, and so are characters of a token that is unknown anyhow: only its length
        // tells them apart, where a token too short would be left out of n-grams.
        let lengths_matter = words.is_some_and(|token: &Token| ngrams.1 > 1 && token.least > 1);
        let edges = words.is_some_and(|token| token.lead || token.trail);
        let seen = |codes: &[u32]| -> Vec<Seen> {
            let mut seen: Vec<Seen> = codes
                .iter()
                .map(|&code| match holds(code) {
                    true => Seen::Known(code),
                    false => Seen::Other(set.has(code), edges && unicode.word.has(code)),
                })
                .collect();
            seen.dedup_by(|a, b| {
                let Seen::Other(inside, _) = *a else { return false };
                // White space, which is inside the set of characters, keeps its length.
                a == b && (!inside || words.is_some() && !lengths_matter)
            });
            seen
        };
        let sigma = lowercase && accents != Some(Accents::Ascii) && (holds(0x3c2) || holds(0x3c3));
        let mut runs: Vec<Run> = Vec::new();
        for code in unicode.changing(lowercase, accents.is_some()) {
            if code < 128 || sigma && code == 0x3a3 || is_hangul(code) {
                continue;
            }
            let images = image(code);
            let stays = match accents {
                // Without an entry it is dropped.
                Some(Accents::Ascii) => images.is_empty(),
                _ => seen(&images) == seen(&[code]),
            };
            if !stays {
                push(&mut runs, code, images);
            }
        }
        let hangul = accents == Some(Accents::Unicode);
        let ascii = std::array::from_fn(|code| {
            let image = image(code as u32)[0] as u8;
            image | u8::from(set.has(u32::from(image))) << 7
        });
        if accents == Some(Accents::Ascii) {
            set = set.intersection(&Set::range(0, 127));
        }
        let context = sigma.then(|| (unicode.cased.clone(), unicode.ignored.clone()));
        Characters { set, context, hangul, ascii, runs }
    }

    fn write(&self, args: &mut Args) {
        let mut pool: Vec<u32> = Vec::new();
        let to: Vec<u32> = self
            .runs
            .iter()
            .map(|run| match &run.image {
                Image::One(image) => *image,
                Image::List(images) => {
                    // Lists repeat each other: several characters become the same letter.
                    let found = pool.windows(images.len().max(1)).position(|window| window == images);
                    let start = found.unwrap_or_else(|| {
                        pool.extend(images);
                        pool.len() - images.len()
                    });
                    LIST | (images.len() as u32) << 24 | start as u32
                }
            })
            .collect();
        args.u32s(&[self.runs.len() as u32, pool.len() as u32]);
        write_set(args, &self.set);
        if let Some((cased, ignored)) = &self.context {
            write_set(args, cased);
            write_set(args, ignored);
        }
        let last = |run: &Run| run.last | if run.step == 2 { SECOND } else { 0 };
        args.u32s(&self.runs.iter().map(|run| run.first).collect::<Vec<_>>())
            .u32s(&self.runs.iter().map(last).collect::<Vec<_>>())
            .u32s(&to)
            .u32s(&pool)
            .u8s(&self.ascii);
    }
}

/// Adds a character to the last run, or begins one.
fn push(runs: &mut Vec<Run>, code: u32, images: Vec<u32>) {
    if let Some(run) = runs.last_mut() {
        let step = code - run.last;
        let alone = run.first == run.last;
        match (&run.image, &images[..]) {
            (Image::One(first), &[image])
                if image.wrapping_sub(*first) == code - run.first && (step == run.step || alone && step == 2) =>
            {
                (run.last, run.step) = (code, step);
                return;
            }
            (Image::One(first), &[image]) if *first == image && alone && step == 1 => {
                (run.last, run.image) = (code, Image::List(images));
                return;
            }
            (Image::List(list), images) if list == images && step == run.step => {
                run.last = code;
                return;
            }
            _ => {}
        }
    }
    let image = match images[..] {
        [image] => Image::One(image),
        _ => Image::List(images),
    };
    runs.push(Run { first: code, last: code, step: 1, image });
}

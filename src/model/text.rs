//! Texts to columns: how a vectorizer cuts a text up, what it counts, and how it weighs the counts.

use super::Norm;
use crate::unicode::Set;
use crate::{Error, Result};

/// scikit-learn's CountVectorizer, TfidfVectorizer or HashingVectorizer; one text in, `width` columns out.
#[derive(Clone, Debug)]
pub struct Vectorizer {
    /// First lower case, as Python's `str.lower` has it.
    pub lowercase: bool,
    /// Then accents off.
    pub accents: Option<Accents>,
    pub analyzer: Analyzer,
    /// Fewest and most tokens, or characters, of an n-gram.
    pub ngrams: (u32, u32),
    pub terms: Terms,
    pub width: u32,
    /// A count is 0 or 1.
    pub binary: bool,
    pub weighting: Weighting,
}

/// What becomes of the counts: `(1 + ln count) × idf`, over the row's norm; each part only where given.
#[derive(Clone, Debug, Default)]
pub struct Weighting {
    pub sublinear: bool,
    /// One a column.
    pub idf: Option<Vec<f64>>,
    pub norm: Option<Norm>,
}

impl Weighting {
    /// Counts stay counts.
    pub fn is_none(&self) -> bool {
        !self.sublinear && self.idf.is_none() && self.norm.is_none()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accents {
    /// NFKD without combining characters.
    Unicode,
    /// Of NFKD what is ASCII.
    Ascii,
}

#[derive(Clone, Debug)]
pub enum Analyzer {
    /// n-grams of tokens, stop words taken out before, joined by a space.
    Words { token: Token, stop_words: Vec<String> },
    /// n-grams of characters, white space of two and more as one space.
    Chars,
    /// n-grams of characters of each word with a space on either side.
    CharsWithinWords,
}

/// A token: the longest run of characters of a set.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub set: Set,
    /// Fewest characters.
    pub least: u32,
    /// Only where no word character stands before it, and after it.
    pub lead: bool,
    pub trail: bool,
}

/// scikit-learn's own: two and more word characters.
impl Default for Token {
    fn default() -> Token {
        Token { set: crate::unicode::tables().word.clone(), least: 2, lead: false, trail: false }
    }
}

#[derive(Clone, Debug)]
pub enum Terms {
    /// Each n-gram that counts, with its column.
    Vocabulary(Vec<(String, u32)>),
    /// The column is MurmurHash3 (x86, 32 bits, seed 0) modulo the width; `signed` counts down where it is negative.
    Hashed { signed: bool },
}

impl Vectorizer {
    /// # Errors
    /// Where n-grams have no length, a term has a column that there is not, or weights do not fit the columns.
    pub(super) fn check(&self) -> Result<()> {
        let (least, most) = self.ngrams;
        if least == 0 || least > most {
            return Err(Error::malformed(format!("n-grams of {least} to {most}")));
        }
        if let Terms::Vocabulary(terms) = &self.terms
            && let Some((term, column)) = terms.iter().find(|(_, column)| *column >= self.width)
        {
            return Err(Error::malformed(format!("the term {term:?} in column {column} of {}", self.width)));
        }
        match &self.weighting.idf {
            Some(idf) if idf.len() != self.width as usize => {
                Err(Error::malformed(format!("{} weights for {} columns of terms", idf.len(), self.width)))
            }
            _ => Ok(()),
        }
    }
}

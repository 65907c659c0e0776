//! What Python knows of characters: `str.lower`, NFKD without combining characters, and the classes of `re`.
//!
//! The tables (`unicode.txt`, made by scripts/unicode.py) are Python's own and name the version they come from.
//! Only the compile side has them: `lower` hands on to a package what its model needs.

use std::sync::OnceLock;

/// Code points by ascending boundaries: one is inside where an odd number of them are not above it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Set(Vec<u32>);

impl Set {
    /// From the first to the last, both inside.
    pub fn range(first: u32, last: u32) -> Set {
        if first <= last { Set(vec![first, last + 1]) } else { Set::default() }
    }

    pub fn boundaries(&self) -> &[u32] {
        &self.0
    }

    pub fn has(&self, code: u32) -> bool {
        self.0.partition_point(|&boundary| boundary <= code) % 2 == 1
    }

    pub fn complement(&self) -> Set {
        self.combine(&Set::range(0, u32::from(char::MAX)), |inside, _| !inside)
    }

    pub fn union(&self, other: &Set) -> Set {
        self.combine(other, |a, b| a || b)
    }

    pub fn intersection(&self, other: &Set) -> Set {
        self.combine(other, |a, b| a && b)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn is_subset(&self, other: &Set) -> bool {
        self.combine(other, |a, b| a && !b).is_empty()
    }

    /// The code points up to the last of Unicode for which `keep` of (in this, in the other) is true.
    fn combine(&self, other: &Set, keep: impl Fn(bool, bool) -> bool) -> Set {
        let end = u32::from(char::MAX) + 1;
        let mut at: Vec<u32> = [self.0.as_slice(), &other.0, &[0]].concat();
        at.retain(|&boundary| boundary < end);
        at.sort_unstable();
        at.dedup();
        let mut made = Vec::new();
        let mut inside = false;
        for boundary in at {
            if keep(self.has(boundary), other.has(boundary)) != inside {
                made.push(boundary);
                inside = !inside;
            }
        }
        if inside {
            made.push(end);
        }
        Set(made)
    }
}

/// Characters and what they become.
struct Run {
    first: u32,
    last: u32,
    /// 1 or 2: every (second) character goes as far behind the one image as it stands behind the first; 0: all of
    /// them go to the same images.
    step: u32,
    images: Vec<u32>,
}

struct Map(Vec<Run>);

impl Map {
    /// None where the character stays.
    fn image(&self, code: u32) -> Option<Vec<u32>> {
        let run = &self.0[self.0.partition_point(|run| run.first <= code).checked_sub(1)?];
        let steps = code - run.first;
        match run.step {
            _ if code > run.last => None,
            0 => Some(run.images.clone()),
            step if steps.is_multiple_of(step) => Some(run.images.iter().map(|image| image + steps).collect()),
            _ => None,
        }
    }
}

pub struct Tables {
    /// `\w`, `\d` and `\s`.
    pub word: Set,
    pub digit: Set,
    pub space: Set,
    /// Characters that have case, and those that do not count when a capital sigma asks for it.
    pub cased: Set,
    pub ignored: Set,
    lower: Map,
    accents: Map,
}

impl Tables {
    /// What a character becomes by lower-casing it alone, then by taking its accents off.
    pub fn image(&self, code: u32, lowercase: bool, accents: bool) -> Vec<u32> {
        let lowered = if lowercase { self.lower.image(code) } else { None }.unwrap_or_else(|| vec![code]);
        if !accents {
            return lowered;
        }
        lowered.into_iter().flat_map(|code| self.without_accents(code)).collect()
    }

    fn without_accents(&self, code: u32) -> Vec<u32> {
        if is_hangul(code) {
            let syllable = code - 0xac00;
            let mut letters = vec![0x1100 + syllable / 588, 0x1161 + syllable % 588 / 28, 0x11a7 + syllable % 28];
            letters.truncate(if syllable.is_multiple_of(28) { 2 } else { 3 });
            return letters;
        }
        self.accents.image(code).unwrap_or_else(|| vec![code])
    }

    /// The characters that `image` changes, Hangul syllables apart, in ascending order.
    pub fn changing(&self, lowercase: bool, accents: bool) -> Vec<u32> {
        let maps = [lowercase.then_some(&self.lower), accents.then_some(&self.accents)];
        let runs = maps.into_iter().flatten().flat_map(|map| &map.0);
        let mut codes: Vec<u32> =
            runs.flat_map(|run| (run.first..=run.last).step_by(run.step.max(1) as usize)).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

/// Precomposed Korean syllables, which NFKD takes apart by arithmetic.
pub fn is_hangul(code: u32) -> bool {
    (0xac00..0xd7a4).contains(&code)
}

pub fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| parse(include_str!("unicode.txt")).expect("unicode.txt is as scripts/unicode.py writes it"))
}

fn parse(text: &str) -> Option<Tables> {
    let numbers = |text: &str| -> Option<Vec<u32>> {
        text.split(' ').map(|number| u32::from_str_radix(number, 16).ok()).collect()
    };
    let mut lines = text.lines().skip(1).peekable();
    let mut set = |name: &str| numbers(lines.next()?.strip_prefix(name)?.strip_prefix(' ')?).map(Set);
    let (word, digit, space, cased, ignored) =
        (set("word")?, set("digit")?, set("space")?, set("cased")?, set("ignored")?);
    let mut map = |name: &str| {
        let mut runs = Vec::new();
        if lines.next()? != name {
            return None;
        }
        while let Some(line) = lines.next_if(|line| !line.starts_with("map")) {
            let numbers = numbers(line)?;
            let (&[first, last, step], images) = numbers.split_first_chunk()?;
            runs.push(Run { first, last, step, images: images.to_vec() });
        }
        Some(Map(runs))
    };
    Some(Tables { word, digit, space, cased, ignored, lower: map("map lower")?, accents: map("map accents")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(code: u32, lowercase: bool, accents: bool) -> String {
        tables().image(code, lowercase, accents).into_iter().filter_map(char::from_u32).collect()
    }

    #[test]
    fn images() {
        assert_eq!(text('Ä' as u32, true, false), "ä");
        assert_eq!(text('Ä' as u32, false, true), "A");
        assert_eq!(text('İ' as u32, true, false), "i\u{307}");
        assert_eq!(text('İ' as u32, true, true), "i");
        assert_eq!(text('\u{301}' as u32, true, true), "");
        assert_eq!(text('ﬃ' as u32, true, true), "ffi");
        assert_eq!(text('한' as u32, true, true), "\u{1112}\u{1161}\u{11ab}");
        assert_eq!(text('가' as u32, true, true), "\u{1100}\u{1161}");
        assert_eq!(text('ß' as u32, true, true), "ß");
    }

    /// Rust has the same letters in a newer version: where they differ, Python's tables do not know the character.
    #[test]
    fn lower_case_is_rusts_but_for_newer_characters() {
        let mut newer = 0;
        for c in '\0'..=char::MAX {
            let here = text(u32::from(c), true, false);
            if here != c.to_lowercase().collect::<String>() {
                assert_eq!(here, c.to_string(), "{c:?}");
                assert!(!tables().word.has(u32::from(c)), "{c:?}");
                newer += 1;
            }
        }
        assert!(newer < 200, "{newer}");
    }

    #[test]
    fn sets() {
        let letters = Set::range(97, 122);
        let some = Set::range(100, 130);
        assert_eq!(letters.intersection(&some), Set::range(100, 122));
        assert_eq!(letters.union(&some), Set::range(97, 130));
        assert!(letters.is_subset(&tables().word) && !some.is_subset(&tables().word));
        assert_eq!(letters.complement().complement(), letters);
        assert!(tables().digit.is_subset(&tables().word));
        assert!(tables().space.intersection(&tables().word).is_empty());
        assert!(tables().word.has('漢' as u32) && !tables().word.has('\u{301}' as u32));
    }
}

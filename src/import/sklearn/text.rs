//! Feature extraction: CountVectorizer, TfidfVectorizer, HashingVectorizer and TfidfTransformer for texts,
//! DictVectorizer for rows of named values.
//!
//! A token pattern is understood where it is one set of characters repeated, as the default is (`(?u)\b\w\w+\b`):
//! what it finds are the longest runs of that set. Any other expression, and any function of the user's, is refused
//! by name.

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, integers, numbers};
use crate::import::pickle::{Kind, Value};
use crate::model::{
    Accents, Analyzer, Cell, Function, Marker, Norm, Op, Terms, Token, Unknown, Vectorizer, Weighting, Wire,
};
use crate::unicode::{Set, tables};
use crate::{Error, Result};
use std::sync::Arc;

/// scikit-learn's English stop words, the same in versions 1.1 to 1.9.
const ENGLISH: &str = include_str!("stop_words.txt");

/// Most columns of a hashing vectorizer; its default is 2^20.
const MOST_HASHED: usize = 1 << 21;

pub fn count_vectorizer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let (vectorizer, names) = counted(estimator, Weighting::default())?;
    vectorize(builder, estimator, frame, vectorizer, names)
}

/// Its weights are those of the TfidfTransformer inside.
pub fn tfidf_vectorizer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let transformer = Estimator::new(estimator.need("_tfidf")?, "_tfidf", Some(estimator))?;
    let (vectorizer, names) = counted(estimator, weighting(&transformer)?)?;
    vectorize(builder, estimator, frame, vectorizer, names)
}

pub fn hashing_vectorizer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let width = estimator.usize("n_features")?;
    if width == 0 || width > MOST_HASHED {
        let message = format!("n_features={width}; at most {MOST_HASHED} are supported");
        return Err(Error::limit(message).at(estimator.path.clone()));
    }
    let vectorizer = Vectorizer {
        terms: Terms::Hashed { signed: estimator.bool("alternate_sign")? },
        width: width as u32,
        weighting: Weighting { norm: norm(estimator)?, ..Weighting::default() },
        ..cutting(estimator)?
    };
    let names = (0..width).map(|number| format!("hashingvectorizer{number}")).collect();
    vectorize(builder, estimator, frame, vectorizer, names)
}

/// Over a vectorizer's columns its weights become part of that step; over others it is steps of its own.
pub fn tfidf_transformer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let weighting = weighting(estimator)?;
    let width = frame.len();
    if let Some(idf) = &weighting.idf
        && idf.len() != width
    {
        return Err(estimator.malformed(format!("idf_ has {} entries for {width} columns", idf.len())));
    }
    let producer = frame.wires.first().and_then(|&wire| builder.graph.producer(wire));
    if let Some(step) = producer
        && let Op::Vectorize { vectorizer, linear: None } = &step.op
        && frame.wires.iter().copied().eq(step.output.clone())
        && vectorizer.weighting.is_none()
    {
        let vectorizer = Arc::new(Vectorizer { weighting, ..(**vectorizer).clone() });
        let input = step.input.clone();
        let wires = builder.graph.push(Op::Vectorize { vectorizer, linear: None }, input, &estimator.path)?;
        return Ok(Frame { wires, names: frame.names.clone() });
    }
    let mut frame = frame.clone();
    if weighting.sublinear {
        frame = builder.map(Op::Function(Function::Sublinear), &frame, estimator)?;
    }
    if let Some(scale) = weighting.idf {
        frame = builder.map(Op::Linear { scale, offset: vec![0.0; width] }, &frame, estimator)?;
    }
    if let Some(norm) = weighting.norm {
        frame = builder.map(Op::Normalize(norm), &frame, estimator)?;
    }
    Ok(frame)
}

fn vectorize(
    builder: &mut Builder,
    estimator: &Estimator,
    frame: &Frame,
    vectorizer: Vectorizer,
    names: Vec<String>,
) -> Result<Frame> {
    let [wire] = frame.wires[..] else {
        return Err(estimator.unsupported(format!("{} columns where one of texts is expected", frame.len())));
    };
    builder.texts(wire, estimator)?;
    let op = Op::Vectorize { vectorizer: Arc::new(vectorizer), linear: None };
    Ok(Frame { wires: builder.graph.push(op, vec![wire], &estimator.path)?, names })
}

/// A vectorizer with a vocabulary, and its terms in the order of their columns.
fn counted(estimator: &Estimator, weighting: Weighting) -> Result<(Vectorizer, Vec<String>)> {
    let terms = vocabulary(estimator)?;
    let mut names = vec![None; terms.len()];
    for (term, column) in &terms {
        match names.get_mut(*column as usize) {
            Some(name @ None) => *name = Some(term.clone()),
            _ => {
                return Err(
                    estimator.malformed(format!("the vocabulary has no place for {term:?} in column {column}"))
                );
            }
        }
    }
    let width = terms.len() as u32;
    let vectorizer = Vectorizer { terms: Terms::Vocabulary(terms), width, weighting, ..cutting(estimator)? };
    Ok((vectorizer, names.into_iter().flatten().collect()))
}

/// `vocabulary_`, or the parameter `vocabulary` of a vectorizer that needs no fitting.
fn vocabulary(estimator: &Estimator) -> Result<Vec<(String, u32)>> {
    let wrong = |what: Value| estimator.malformed(format!("the vocabulary holds {}", what.describe()));
    let given = match estimator.get("vocabulary_").or_else(|| estimator.get("vocabulary")) {
        Some(given) => given,
        None => estimator.need("vocabulary_")?,
    };
    let mut terms = Vec::new();
    if let Some(pairs) = given.pairs().filter(|pairs| !pairs.is_empty()) {
        for (term, column) in pairs {
            let term = term.as_str().ok_or_else(|| wrong(term))?;
            let place = column.as_i64().and_then(|column| u32::try_from(column).ok());
            terms.push((term.to_string(), place.ok_or_else(|| wrong(column))?));
        }
        return Ok(terms);
    }
    let items = given.items().filter(|items| !items.is_empty());
    for (item, column) in items.ok_or_else(|| estimator.malformed("the vocabulary is empty"))?.zip(0..) {
        terms.push((item.as_str().ok_or_else(|| wrong(item))?.to_string(), column));
    }
    // A set is taken in order.
    if matches!(given.kind(), Kind::Set(_)) {
        terms.sort();
        terms.iter_mut().zip(0..).for_each(|(term, column)| term.1 = column);
    }
    Ok(terms)
}

/// How texts are cut up; terms, width and weights are left to the caller.
fn cutting(estimator: &Estimator) -> Result<Vectorizer> {
    // Two of Python's own do what an option says.
    let own = |name: &str, method: &str| match estimator.get(name) {
        Some(function) if method_of_str(function) != Some(method) => Err(called(estimator, name, function)),
        function => Ok(function.is_some()),
    };
    let (lower, split) = (own("preprocessor", "lower")?, own("tokenizer", "split")?);
    if let Some(input) = estimator.maybe_str("input").filter(|&input| input != "content") {
        return Err(estimator
            .unsupported(format!("input='{input}': the model reads files by name"))
            .remedy("Set input='content' and give the texts themselves."));
    }
    let accents = match estimator.get("strip_accents").map(|value| (value, value.as_str())) {
        // A preprocessor is in the place of both this and `lowercase`.
        _ if lower => None,
        None => None,
        Some((_, Some("unicode"))) => Some(Accents::Unicode),
        Some((_, Some("ascii"))) => Some(Accents::Ascii),
        Some((_, Some(other))) => return Err(estimator.unsupported(format!("strip_accents='{other}'"))),
        Some((function, None)) => return Err(called(estimator, "strip_accents", function)),
    };
    let analyzer = match estimator.need("analyzer")? {
        value if value.as_str() == Some("word") => {
            let pattern = if split { r"\S+" } else { estimator.str("token_pattern")? };
            Analyzer::Words { token: token(estimator, pattern)?, stop_words: stop_words(estimator)? }
        }
        value if value.as_str() == Some("char") => Analyzer::Chars,
        value if value.as_str() == Some("char_wb") => Analyzer::CharsWithinWords,
        value => match value.as_str() {
            Some(other) => return Err(estimator.unsupported(format!("analyzer='{other}'"))),
            None => return Err(called(estimator, "analyzer", value)),
        },
    };
    let range = estimator.need("ngram_range")?;
    let ngrams = integers(range)
        .filter(|range| range.len() == 2)
        .and_then(|range| Some((u32::try_from(range[0]).ok()?, u32::try_from(range[1]).ok()?)));
    let ngrams = ngrams.ok_or_else(|| estimator.malformed(format!("ngram_range is {}", range.describe())))?;
    number_type(estimator)?;
    Ok(Vectorizer {
        lowercase: lower || estimator.bool_or("lowercase", true)?,
        accents,
        analyzer,
        ngrams,
        terms: Terms::Vocabulary(Vec::new()),
        width: 0,
        binary: estimator.bool_or("binary", false)?,
        weighting: Weighting::default(),
    })
}

/// The name of a method of Python's str: pickled, it is `getattr(str, name)`.
fn method_of_str(function: Value<'_>) -> Option<&str> {
    let Kind::Object(call) = function.kind() else { return None };
    let mut args = call.args().items()?;
    let (of, name) = (args.next()?, args.next()?);
    let builtin = |value: Value, of: &str| {
        value.class_name().is_some_and(|(module, name)| matches!(module, "builtins" | "__builtin__") && name == of)
    };
    (builtin(call.class(), "getattr") && builtin(of, "str")).then(|| name.as_str())?
}

fn called(estimator: &Estimator, parameter: &str, function: Value) -> Error {
    let name = match (method_of_str(function), function.class_name()) {
        (Some(method), _) => format!("str.{method}"),
        (None, Some((module, name))) => format!("{module}.{name}"),
        (None, None) => function.describe(),
    };
    estimator
        .unsupported(format!("{parameter} is {name}, a function whose code is not in the file"))
        .remedy("Do that step before the model, or use the vectorizer's own options.")
}

/// Counts of other types would overflow or round; these hold them.
fn number_type(estimator: &Estimator) -> Result<()> {
    let Some(value) = estimator.get("dtype") else { return Ok(()) };
    let name = match value.kind() {
        Kind::Global { name, .. } => name.to_string(),
        _ => value.as_str().map_or_else(|| value.describe(), str::to_string),
    };
    match name.trim_start_matches("numpy.") {
        "float64" | "float32" | "double" | "float" | "int64" | "int32" | "int" | "uint64" | "uint32" => Ok(()),
        _ => Err(estimator.unsupported(format!("dtype={name}"))),
    }
}

fn stop_words(estimator: &Estimator) -> Result<Vec<String>> {
    let Some(value) = estimator.get("stop_words") else { return Ok(Vec::new()) };
    match value.as_str() {
        Some("english") => return Ok(ENGLISH.split_whitespace().map(str::to_string).collect()),
        Some(other) => return Err(estimator.unsupported(format!("stop_words='{other}'"))),
        None => {}
    }
    let words = value.items().and_then(|items| {
        items.into_iter().map(|word| word.as_str().map(str::to_string)).collect::<Option<Vec<_>>>()
    });
    words.ok_or_else(|| estimator.malformed(format!("stop_words is {}, not a list of words", value.describe())))
}

fn norm(estimator: &Estimator) -> Result<Option<Norm>> {
    match estimator.get("norm") {
        None => Ok(None),
        Some(value) => match value.as_str() {
            Some("l1") => Ok(Some(Norm::L1)),
            Some("l2") => Ok(Some(Norm::L2)),
            _ => Err(estimator.unsupported(format!("norm={}", value.describe()))),
        },
    }
}

/// The weights of a TfidfTransformer: `idf_`, or up to 1.4 the diagonal matrix `_idf_diag`.
fn weighting(estimator: &Estimator) -> Result<Weighting> {
    let stored = match estimator.get("_idf_diag") {
        Some(matrix) => Some(matrix.attr("data").unwrap_or(matrix)),
        None => estimator.get("idf_"),
    };
    let wrong = |value: Value| estimator.malformed(format!("the idf weights are {}", value.describe()));
    let idf = stored.map(|value| numbers(value).ok_or_else(|| wrong(value))).transpose()?;
    if idf.is_none() && estimator.bool("use_idf")? {
        estimator.need("idf_")?;
    }
    Ok(Weighting { sublinear: estimator.bool("sublinear_tf")?, idf, norm: norm(estimator)? })
}

/// `token_pattern` where it is one set of characters, repeated.
fn token(estimator: &Estimator, pattern: &str) -> Result<Token> {
    parse_pattern(pattern).ok_or_else(|| {
        estimator.unsupported(format!("token_pattern={pattern:?}")).remedy(
            "A pattern may repeat one set of characters, with or without \\b around: \\b\\w\\w+\\b, [a-z]+, \\S{3,}, ….",
        )
    })
}

fn parse_pattern(pattern: &str) -> Option<Token> {
    let pattern = pattern.strip_prefix("(?u)").unwrap_or(pattern);
    let (pattern, lead) = pattern.strip_prefix("\\b").map_or((pattern, false), |rest| (rest, true));
    let (mut rest, trail) = match pattern.strip_suffix("\\b") {
        Some(rest) if !rest.ends_with('\\') => (rest, true),
        _ => (pattern, false),
    };
    let mut set: Option<Set> = None;
    let (mut least, mut open) = (0u32, false);
    while !rest.is_empty() {
        let (one, after) = parse_set(rest)?;
        if *set.get_or_insert_with(|| one.clone()) != one {
            return None;
        }
        let (count, more, after) = parse_count(after)?;
        least = least.checked_add(count)?;
        open |= more;
        rest = after;
    }
    let set = set?;
    let word = &tables().word;
    // The ends of a run are word boundaries only where the set has none but word characters; a token with a space
    // could not be told from two.
    let edges = (lead || trail) && set != *word;
    if !open || least == 0 || edges && !set.is_subset(word) || set.has(u32::from(' ')) {
        return None;
    }
    Some(Token { least, lead: edges && lead, trail: edges && trail, set })
}

/// `+`, `*`, `{2,}`, `{2}` or nothing: how many at least, and whether more may follow.
fn parse_count(text: &str) -> Option<(u32, bool, &str)> {
    let (count, more, rest) = match text.chars().next() {
        Some('+') => (1, true, &text[1..]),
        Some('*') => (0, true, &text[1..]),
        Some('{') => {
            let (inside, rest) = text[1..].split_once('}')?;
            let (count, more) = inside.strip_suffix(',').map_or((inside, false), |count| (count, true));
            (count.parse().ok()?, more, rest)
        }
        _ => (1, false, text),
    };
    // Lazy and possessive repetitions, alternatives and the like.
    if rest.starts_with(['?', '*', '+', '{', '|', ')']) { None } else { Some((count, more, rest)) }
}

/// `\w`, `\d`, `\s` and their opposites.
fn parse_class(letter: char) -> Option<Set> {
    let tables = tables();
    let set = match letter.to_ascii_lowercase() {
        'w' => &tables.word,
        'd' => &tables.digit,
        's' => &tables.space,
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() { set.complement() } else { set.clone() })
}

/// A class, a letter or digit, or a set in brackets.
fn parse_set(text: &str) -> Option<(Set, &str)> {
    let mut chars = text.chars();
    match chars.next()? {
        '\\' => Some((parse_class(chars.next()?)?, chars.as_str())),
        '[' => parse_brackets(chars.as_str()),
        c if c.is_alphanumeric() => Some((Set::range(u32::from(c), u32::from(c)), chars.as_str())),
        _ => None,
    }
}

fn parse_brackets(text: &str) -> Option<(Set, &str)> {
    let (mut rest, negated) = text.strip_prefix('^').map_or((text, false), |rest| (rest, true));
    let mut set = Set::default();
    let mut first = true;
    loop {
        let mut chars = rest.chars();
        let c = chars.next()?;
        if c == ']' && !first {
            return Some((if negated { set.complement() } else { set }, chars.as_str()));
        }
        first = false;
        // Python means to give `[[` and doubled operators a meaning.
        if c == '[' {
            return None;
        }
        let (start, after) = if c == '\\' { parse_escape(chars.as_str())? } else { (Ok(c), chars.as_str()) };
        rest = after;
        let start = match start {
            Ok(c) => c,
            Err(class) => {
                if rest.starts_with('-') && !rest.starts_with("-]") {
                    return None;
                }
                set = set.union(&class);
                continue;
            }
        };
        let mut end = start;
        if let Some(after) = rest.strip_prefix('-').filter(|after| !after.starts_with(']')) {
            let mut chars = after.chars();
            let c = chars.next()?;
            let (last, after) = if c == '\\' { parse_escape(chars.as_str())? } else { (Ok(c), chars.as_str()) };
            (end, rest) = (last.ok()?, after);
            if end < start {
                return None;
            }
        }
        set = set.union(&Set::range(u32::from(start), u32::from(end)));
    }
}

/// Behind a backslash inside brackets: a class, or punctuation that stands for itself.
fn parse_escape(text: &str) -> Option<(std::result::Result<char, Set>, &str)> {
    let mut chars = text.chars();
    let c = chars.next()?;
    let meaning = match c {
        'n' => Ok('\n'),
        't' => Ok('\t'),
        'r' => Ok('\r'),
        c if c.is_ascii_punctuation() => Ok(c),
        c => Err(parse_class(c)?),
    };
    Some((meaning, chars.as_str()))
}

/// A key of a DictVectorizer's rows.
struct Key {
    name: String,
    /// The column of its number.
    number: Option<u32>,
    /// The columns of its strings.
    values: Vec<(String, u32)>,
}

/// The keys behind `feature_names_`: `name` is a number's, `name=value` a string's.
fn dict_keys(estimator: &Estimator) -> Result<Vec<Key>> {
    let features = estimator.cells("feature_names_")?;
    let separator = estimator.maybe_str("separator").unwrap_or("=");
    let mut keys: Vec<Key> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (feature, column) in features.iter().zip(0..) {
        let Cell::Str(feature) = feature else {
            return Err(estimator.unsupported(format!("the key {feature}, which is no string")));
        };
        let split = if separator.is_empty() { None } else { feature.split_once(separator) };
        let (name, value) = split.map_or((feature.as_str(), None), |(name, value)| (name, Some(value)));
        let place = *places.entry(name.to_string()).or_insert(keys.len());
        if place == keys.len() {
            keys.push(Key { name: name.to_string(), number: None, values: Vec::new() });
        }
        match value {
            Some(value) => keys[place].values.push((value.to_string(), column)),
            None => keys[place].number = Some(column),
        }
    }
    if let Some(key) = keys.iter().find(|key| key.number.is_some() && !key.values.is_empty()) {
        return Err(estimator.unsupported(format!("the key '{}', which was both a number and a string", key.name)));
    }
    Ok(keys)
}

/// The columns that a row of a DictVectorizer has.
pub fn dict_columns(estimator: &Estimator) -> Result<Vec<String>> {
    Ok(dict_keys(estimator)?.into_iter().map(|key| key.name).collect())
}

/// A key that is not there is 0, or no value; so is a string that was not in training.
pub fn dict_vectorizer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    number_type(estimator)?;
    let keys = dict_keys(estimator)?;
    if keys.len() != frame.len() || frame.wires.iter().any(|&wire| builder.graph.producer(wire).is_some()) {
        return Err(
            estimator.unsupported("DictVectorizer reads rows of named values, so that nothing can stand before it")
        );
    }
    let features = estimator.cells("feature_names_")?;
    let mut made: Vec<Option<Wire>> = vec![None; features.len()];
    for (key, &wire) in keys.iter().zip(&frame.wires) {
        if let Some(column) = key.number {
            let op = Op::Impute { missing: Marker::Nan, fill: vec![Cell::Float(0.0)] };
            made[column as usize] = Some(builder.graph.push_one(op, vec![wire], &estimator.path)?);
            continue;
        }
        builder.strings(wire, estimator)?;
        let width = key.values.len() as u32;
        let op = Op::OneHot {
            keys: key.values.iter().map(|(value, _)| Cell::Str(value.clone())).collect(),
            hot: (0..width).map(Some).collect(),
            width,
            unknown: Unknown::As(None),
        };
        let wires = builder.graph.push(op, vec![wire], &estimator.path)?;
        for ((_, column), wire) in key.values.iter().zip(wires) {
            made[*column as usize] = Some(wire);
        }
    }
    let wires: Vec<Wire> = made.into_iter().flatten().collect();
    Ok(Frame { wires, names: features.iter().map(ToString::to_string).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let word = tables().word.clone();
        let token = |set: &Set, least, lead, trail| Some(Token { set: set.clone(), least, lead, trail });
        for pattern in [r"(?u)\b\w\w+\b", r"\b\w\w+\b", r"\w\w+", r"\w{2,}", r"\b\w+\w\b", r"\w\w\w*"] {
            assert_eq!(parse_pattern(pattern), token(&word, 2, false, false), "{pattern}");
        }
        assert_eq!(parse_pattern(r"(?u)\b\w+\b"), token(&word, 1, false, false));
        let letters = Set::range(97, 122).union(&Set::range(65, 90));
        assert_eq!(parse_pattern("[a-zA-Z]{3,}"), token(&letters, 3, false, false));
        assert_eq!(parse_pattern(r"\b[a-zA-Z]+\b"), token(&letters, 1, true, true));
        assert_eq!(parse_pattern(r"\b[A-Za-z]+"), token(&letters, 1, true, false));
        assert_eq!(parse_pattern(r"\S+"), token(&tables().space.complement(), 1, false, false));
        assert_eq!(parse_pattern(r"[^\s]+"), token(&tables().space.complement(), 1, false, false));
        let no_digits = word.intersection(&tables().digit.complement());
        assert_eq!(parse_pattern(r"(?u)\b[^\d\W]+\b"), token(&no_digits, 1, true, true));
        assert_eq!(
            parse_pattern(r"[\w'-]+"),
            token(&word.union(&Set::range(39, 39)).union(&Set::range(45, 45)), 1, false, false)
        );
    }

    #[test]
    fn patterns_of_other_kinds() {
        let others = [
            "",
            r"\b",
            r"\w",
            r"\w{2}",
            r"\w{2,3}",
            r"\w*",
            r"\w+?",
            r"(\w+)",
            r"\w+|\d+",
            r"\w+\d+",
            "[a-z",
            "[z-a]+",
            r"[^a]+",
            r"[\w-]+\b",
            r".+",
            r"(?i)\w+",
            r"\w+ \w+",
            r"[a-\w]+",
            r"\w+\\b",
            r"[]+",
            r"\W+",
            r"a++",
        ];
        for pattern in others {
            assert_eq!(parse_pattern(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn stop_words_are_scikit_learns() {
        let words: Vec<&str> = ENGLISH.split_whitespace().collect();
        assert_eq!(words.len(), 318);
        assert!(words.is_sorted());
    }
}

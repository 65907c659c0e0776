//! Every character, cut up and hashed as scikit-learn does it on Python's strings: tests/fixtures/unicode.json.

mod common;

use carryout::lower::{Want, lower};
use carryout::model::*;
use carryout::runtime::host::Machine;
use std::path::Path;
use std::sync::Arc;

const WIDTH: u32 = 4096;

/// The texts of make_unicode.py.
fn document(first: u32) -> String {
    let characters = (first..first + 1024).filter_map(char::from_u32);
    let forms = characters.map(|c| format!("a{c}b {c}Σ AΣ{c}B A{c}Σ e{c}\u{301}"));
    forms.collect::<Vec<_>>().join(" ")
}

fn vectorizer(name: &str) -> Vectorizer {
    let analyzer = match name {
        "characters" => Analyzer::Chars,
        "characters within words, unicode" => Analyzer::CharsWithinWords,
        _ => Analyzer::Words { token: Token::default(), stop_words: Vec::new() },
    };
    Vectorizer {
        lowercase: !name.contains("cased"),
        accents: match name {
            _ if name.ends_with("unicode") => Some(Accents::Unicode),
            _ if name.ends_with("ascii") => Some(Accents::Ascii),
            _ => None,
        },
        ngrams: if matches!(analyzer, Analyzer::CharsWithinWords) { (2, 3) } else { (1, 1) },
        analyzer,
        terms: Terms::Hashed { signed: true },
        width: WIDTH,
        binary: false,
        weighting: Weighting::default(),
    }
}

fn machine(vectorizer: Vectorizer) -> (Machine, usize) {
    let mut graph = Graph::default();
    let wire = graph.column(WireKind::Text(0));
    let op = Op::Vectorize { vectorizer: Arc::new(vectorizer), linear: None };
    let values = graph.push(op, vec![wire], "HashingVectorizer").unwrap();
    let mut model = Model {
        schema: Schema {
            columns: vec![Column {
                name: "text".into(),
                kind: ColumnKind::Text,
                missing: false,
                infinite: false,
                single: false,
                unknown: false,
                digits: false,
                partial: false,
                range: None,
                used: true,
                readers: Vec::new(),
            }],
            names_from: NamesFrom::Invented,
        },
        graph,
        output: Output::Transform { values, names: Vec::new() },
        source: Source::default(),
    };
    model.settle_columns();
    let lowered = lower(&model, Want::Package).unwrap();
    let carryout::lower::Results::Transform { values, .. } = lowered.results else { unreachable!() };
    (Machine::open(&lowered.image).unwrap(), values.first as usize)
}

#[test]
fn every_character_as_python_has_it() {
    let expected = common::json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/unicode.json"));
    let blocks: Vec<u32> =
        expected["blocks"].as_array().unwrap().iter().map(|b| b.as_u64().unwrap() as u32).collect();
    for (name, checksums) in expected["checksums"].as_object().unwrap() {
        let (mut machine, first) = machine(vectorizer(name));
        for (&block, expected) in blocks.iter().zip(checksums.as_array().unwrap()) {
            let text = document(block);
            let texts = machine.texts_mut();
            texts.clear();
            texts.extend((text.len() as u32).to_le_bytes());
            texts.extend(text.as_bytes());
            machine.slots_mut()[0] = 0.0;
            machine.run(1).unwrap();
            let columns = machine.slots()[first..first + WIDTH as usize].iter().zip(1i64..);
            let checksum: i64 = columns.map(|(&value, place)| value as i64 * place * place).sum();
            assert_eq!(checksum, expected.as_i64().unwrap(), "{name}: U+{block:04X} and on");
        }
    }
}

//! Predictions as JSON, in the words and digits of JavaScript's `JSON.stringify`.

use super::{Outcome, Prediction};
use crate::lower::Results;
use crate::model::Cell;
use std::fmt::Write;

/// A number as JavaScript writes it: the shortest digits that read back the same, no `.0`, exponents from 1e21 up
/// and 1e-7 down (ECMA-262, Number::toString).
pub fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !value.is_finite() {
        let text = if value.is_nan() { "NaN" } else { "Infinity" };
        return if value < 0.0 { format!("-{text}") } else { text.into() };
    }
    // Rust has the same shortest digits; it writes an exponent only where asked to, and never a plus.
    let text = match value.abs() {
        1e-6..1e21 => value.to_string(),
        size if size < 1.0 => format!("{value:e}"),
        _ => format!("{value:e}").replace('e', "e+"),
    };
    // Halfway between two, as only numbers of few bits are (f32's, say), it takes the greater where JavaScript takes the even.
    if value.to_bits().trailing_zeros() < 16 || text.contains('e') || !text.ends_with(['1', '3', '5', '7', '9']) {
        return text;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).skip_while(|&digit| digit == b'0').count();
    let even = format!("{value:.*e}", digits.saturating_sub(1));
    let (mantissa, _) = even.split_once('e').unwrap_or((&even, ""));
    match mantissa.bytes().next_back() {
        Some(last) if even.parse() == Ok(value) && !text.ends_with(char::from(last)) => {
            format!("{}{}", &text[..text.len() - 1], char::from(last))
        }
        _ => text,
    }
}

/// A string in quotes. `JSON.stringify` and serde_json escape the same characters the same way, except that
/// serde_json leaves U+007F alone, as does JavaScript.
pub fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A label as a property name: `String(label)`.
pub fn key(label: &Cell) -> String {
    match label.number() {
        Some(_) if matches!(label, Cell::Bool(_)) => label.to_string(),
        Some(value) => number(value),
        None if label.is_missing() => "null".into(),
        None => label.to_string(),
    }
}

fn value(value: f64) -> String {
    if value.is_finite() { number(value) } else { "null".into() }
}

/// A label or category as a value.
pub(super) fn label(label: &Cell) -> String {
    match label {
        Cell::Str(text) => string(text),
        Cell::Bool(flag) => flag.to_string(),
        _ => label.number().map_or("null".into(), value),
    }
}

fn list(values: &[f64]) -> String {
    let texts: Vec<String> = values.iter().map(|&one| value(one)).collect();
    format!("[{}]", texts.join(","))
}

/// An object by class. JavaScript puts keys that are array indices first, in ascending order, and the others in
/// the order of insertion.
fn by_class(classes: &[Cell], values: &[f64]) -> String {
    let index = |key: &str| key.parse::<u32>().ok().filter(|&n| n < u32::MAX && n.to_string() == key);
    let mut pairs: Vec<(String, f64)> = Vec::with_capacity(classes.len());
    for (class, &value) in classes.iter().zip(values) {
        pairs.push((key(class), value));
    }
    pairs.sort_by_key(|(key, _)| index(key).map_or(u64::MAX, u64::from));
    let texts: Vec<String> = pairs.iter().map(|(key, one)| format!("{}:{}", string(key), value(*one))).collect();
    format!("{{{}}}", texts.join(","))
}

/// The decision function by class; its one value for two classes speaks for the second.
fn scores_by_class(scores: &[f64]) -> Vec<f64> {
    match scores {
        [score] => vec![-score, *score],
        _ => scores.to_vec(),
    }
}

/// The whole prediction, `warnings` last.
pub(super) fn prediction(results: &Results, prediction: &Prediction) -> String {
    let mut out = String::from("{");
    fields(results, &prediction.outcome, &mut out);
    let warnings: Vec<String> = prediction.warnings.iter().map(|text| string(text)).collect();
    let _ = write!(out, ",\"warnings\":[{}]}}", warnings.join(","));
    out
}

fn fields(results: &Results, outcome: &Outcome, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match (results, outcome) {
        (Results::Classification { classes, .. }, Outcome::Classification { label: at, probabilities, scores }) => {
            let _ = write!(out, "\"label\":{}", classes.get(*at).map_or("null".into(), label));
            if let Some(probabilities) = probabilities {
                let probability = probabilities.get(*at).map_or("null".into(), |&one| value(one));
                let classes = by_class(classes, probabilities);
                write!(out, ",\"probability\":{probability},\"probabilities\":{classes}")
            } else if let Some(scores) = scores {
                write!(out, ",\"scores\":{}", by_class(classes, &scores_by_class(scores)))
            } else {
                Ok(())
            }
        }
        (_, Outcome::Regression(values)) => match values[..] {
            [one] => write!(out, "\"value\":{}", value(one)),
            _ => write!(out, "\"values\":{}", list(values)),
        },
        (Results::Several(several), Outcome::Several(outcomes)) => {
            out.push_str("\"outputs\":[");
            for (number, (results, outcome)) in several.iter().zip(outcomes).enumerate() {
                out.push_str(if number == 0 { "{" } else { ",{" });
                fields(results, outcome, out);
                out.push('}');
            }
            out.push(']');
            Ok(())
        }
        (_, Outcome::Anomaly { outlier, score, .. }) => {
            write!(out, "\"outlier\":{outlier},\"score\":{}", value(*score))
        }
        (Results::Clustering { labels, .. }, Outcome::Clustering { cluster, distances }) => {
            let _ = write!(out, "\"cluster\":{}", labels.get(*cluster).map_or("null".into(), label));
            match distances {
                Some(distances) => write!(out, ",\"distances\":{}", list(distances)),
                None => Ok(()),
            }
        }
        (_, Outcome::Transform(values)) => {
            let texts: Vec<String> = values.iter().map(label).collect();
            write!(out, "\"transformed\":[{}]", texts.join(","))
        }
        // `outcome` makes each from its own results.
        _ => Ok(()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::Span;

    #[test]
    fn numbers_are_javascripts() {
        // The right column is what Node prints.
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.25e21, "1.25e+21"),
            (123456789012345680000.0, "123456789012345680000"),
            (1e-6, "0.000001"),
            (1.5e-6, "0.0000015"),
            (1e-7, "1e-7"),
            (-1.25e-7, "-1.25e-7"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::from_bits(0x3fcc_7fa0_0000_0000), "0.22264480590820312"),
            (f64::from_bits(0xbff6_3b48_0000_0000), "-1.3894729614257812"),
            (0.722_644_805_908_203_1, "0.7226448059082031"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[track_caller]
    fn check(results: Results, outcome: Outcome, warnings: &[&str], text: &str) {
        let warnings = warnings.iter().map(|&text| text.to_owned()).collect();
        assert_eq!(prediction(&results, &Prediction { outcome, warnings }), text);
    }

    fn classes(classes: Vec<Cell>) -> Results {
        Results::Classification { classes, label: 0, probabilities: None, scores: None, threshold: None }
    }

    #[test]
    fn classifications() {
        let answer = |label, probabilities: Option<Vec<f64>>, scores: Option<Vec<f64>>| Outcome::Classification {
            label,
            probabilities,
            scores,
        };
        check(
            classes(vec![Cell::Str("no".into()), Cell::Str("__proto__".into())]),
            answer(1, Some(vec![0.25, 0.75]), Some(vec![1.0])),
            &["age: \"x\""],
            r#"{"label":"__proto__","probability":0.75,"probabilities":{"no":0.25,"__proto__":0.75},"warnings":["age: \"x\""]}"#,
        );
        // -1 is not an array index, so JavaScript puts it after 1.
        check(
            classes(vec![Cell::Int(-1), Cell::Int(1)]),
            answer(0, None, Some(vec![-0.5])),
            &[],
            r#"{"label":-1,"scores":{"1":-0.5,"-1":0.5},"warnings":[]}"#,
        );
        check(
            classes(vec![Cell::Bool(false), Cell::Bool(true)]),
            answer(1, None, None),
            &[],
            r#"{"label":true,"warnings":[]}"#,
        );
        check(
            classes(vec![Cell::Float(1.0), Cell::Float(2.5), Cell::Int(10)]),
            answer(1, Some(vec![0.0, f64::NAN, 1.0]), None),
            &[],
            r#"{"label":2.5,"probability":null,"probabilities":{"1":0,"10":1,"2.5":null},"warnings":[]}"#,
        );
    }

    #[test]
    fn the_other_tasks() {
        let span = Span { first: 0, count: 2, narrow: false };
        let regression = || Results::Regression { values: span, names: vec![] };
        check(regression(), Outcome::Regression(vec![2.0]), &[], r#"{"value":2,"warnings":[]}"#);
        check(regression(), Outcome::Regression(vec![2.0, 0.5]), &[], r#"{"values":[2,0.5],"warnings":[]}"#);
        check(
            Results::Several(vec![regression(), regression()]),
            Outcome::Several(vec![Outcome::Regression(vec![1.0]), Outcome::Regression(vec![2.0])]),
            &[],
            r#"{"outputs":[{"value":1},{"value":2}],"warnings":[]}"#,
        );
        check(
            Results::Anomaly { outlier: 0, score: 1, samples: None },
            Outcome::Anomaly { outlier: true, score: -0.125, samples: None },
            &[],
            r#"{"outlier":true,"score":-0.125,"warnings":[]}"#,
        );
        let clusters = || Results::Clustering { cluster: 0, labels: vec![Cell::Int(0)], distances: None };
        check(
            clusters(),
            Outcome::Clustering { cluster: 0, distances: Some(vec![1e-9]) },
            &[],
            r#"{"cluster":0,"distances":[1e-9],"warnings":[]}"#,
        );
        check(
            Results::Transform { values: span, names: vec![], codes: vec![None, None, None] },
            Outcome::Transform(vec![Cell::Float(1.0), Cell::Float(f64::INFINITY), Cell::Str("a".into()), Cell::Nan]),
            &[],
            r#"{"transformed":[1,null,"a",null],"warnings":[]}"#,
        );
    }
}

//! The words and numbers that every face of a report shares, so that terminal and browser say the same.

use super::{ClassMetrics, Classification, ErrorMetrics, Judgement, Leaderboard, Report, ThresholdRow, Thresholds};

/// Four significant digits; large and tiny numbers with an exponent.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e7).contains(&size) {
        return format!("{value:.3e}");
    }
    let digits = (3 - size.log10().floor() as i32).clamp(0, 7) as usize;
    let text = format!("{value:.digits$}");
    if size < 10_000.0 { text } else { thousands(&text) }
}

/// A number of a column's range: whole ones plainly, others without the zeros that the data does not have.
pub fn bound(value: f64) -> String {
    match value.fract() == 0.0 && value.abs() < 1e7 {
        true if value.abs() < 10_000.0 => format!("{value}"),
        true => thousands(&format!("{value}")),
        false => match figure(value) {
            text if text.contains('.') && !text.contains('e') => {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            text => text,
        },
    }
}

/// Two significant digits.
pub fn two(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (1 - value.abs().log10().floor() as i32).clamp(0, 9) as usize;
    format!("{value:.digits$}")
}

/// `12,345`
pub fn whole(count: u64) -> String {
    thousands(&count.to_string())
}

fn thousands(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// One decimal; what is not exactly all or nothing never reads as if it were.
pub fn percent(share: f64) -> String {
    match share {
        0.0 | 1.0 => format!("{}%", share * 100.0),
        share if share > 0.0 && share < 0.0005 => "<0.1%".to_owned(),
        share if (0.9995..1.0).contains(&share) => ">99.9%".to_owned(),
        _ => format!("{:.1}%", share * 100.0),
    }
}

/// Two decimals, as thresholds and the figures beside them have.
pub fn share(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.2}"))
}

pub fn rows(count: u64) -> String {
    format!("{} {}", whole(count), if count == 1 { "row" } else { "rows" })
}

/// A figure of the model with the baseline's beside it.
pub struct Measured {
    pub name: &'static str,
    pub model: String,
    pub baseline: String,
    /// What it is, for those who do not know the name.
    pub says: &'static str,
}

/// The held-out figures in the order to read them, and what the baseline is.
pub fn measured(judgement: &Judgement) -> (Vec<Measured>, &'static str) {
    match judgement {
        Judgement::Classification(judged) => {
            let two = judged.classes.len() == 2;
            let auc = if two {
                "how well it ranks the rows; 0.5 is chance, 1 perfect"
            } else {
                "each class ranked against the others; 0.5 is chance"
            };
            let brier = if two {
                "their mean squared error; 0 is best"
            } else {
                "their squared error over all classes; 0 is best"
            };
            type Get = fn(&ClassMetrics) -> Option<f64>;
            let all: [(&str, Get, &str); 5] = [
                ("accuracy", |m| Some(m.accuracy), "share of correct predictions"),
                ("balanced accuracy", |m| m.balanced_accuracy, "the same, averaged over the classes"),
                ("ROC AUC", |m| m.roc_auc, auc),
                ("log loss", |m| m.log_loss, "how far its probabilities are off; 0 is best"),
                ("Brier score", |m| m.brier, brier),
            ];
            let of = |get: Get, m: &ClassMetrics| get(m).map_or("–".to_owned(), |value| format!("{value:.3}"));
            let measured = all.into_iter().filter(|(_, get, _)| get(&judged.metrics).is_some());
            let measured = measured.map(|(name, get, says)| Measured {
                name,
                model: of(get, &judged.metrics),
                baseline: of(get, &judged.baseline),
                says,
            });
            (measured.collect(), "the most frequent class of the training rows")
        }
        Judgement::Regression(judged) => {
            type Get = fn(&ErrorMetrics) -> Option<f64>;
            let all: [(&str, Get, &str); 4] = [
                ("MAE", |m| Some(m.mae), "how far off on average"),
                ("median error", |m| Some(m.median), "half of the rows are off by less"),
                ("RMSE", |m| Some(m.rmse), "the same, large misses counting more"),
                ("R²", |m| m.r2, "share of the variance explained; 1 is all"),
            ];
            let of = |get: Get, m: &ErrorMetrics| get(m).map_or("–".to_owned(), figure);
            let measured = all.into_iter().map(|(name, get, says)| Measured {
                name,
                model: of(get, &judged.metrics),
                baseline: of(get, &judged.baseline),
                says,
            });
            (measured.collect(), "the mean of the training rows")
        }
        Judgement::Anomaly(judged) => {
            let flagged = Measured {
                name: "flagged",
                model: format!("{} of {}", whole(judged.flagged), rows(judged.count)),
                baseline: String::new(),
                says: "nothing tells which flags are right: look at the rows",
            };
            (vec![flagged], "")
        }
        Judgement::Clustering(judged) => {
            let silhouette = Measured {
                name: "silhouette",
                model: judged.silhouette.map_or("–".to_owned(), |value| format!("{value:.3}")),
                baseline: String::new(),
                says: "1: clusters lie apart, 0: they overlap",
            };
            (vec![silhouette], "")
        }
    }
}

/// The run in one sentence, names in quotes.
pub fn headline(report: &Report) -> String {
    let held = rows(report.provenance.rows_held_out);
    let target = report.target.as_deref().unwrap_or_default();
    match &report.judgement {
        Judgement::Classification(judged) if judged.thresholds.as_ref().is_some_and(|t| t.chosen != 0.5) => {
            found(judged, &held)
        }
        Judgement::Classification(judged) => format!(
            "The model predicts {target:?} correctly for {} of {held} it never saw; always predicting the most frequent \
             class would be correct for {}.",
            percent(judged.metrics.accuracy),
            percent(judged.baseline.accuracy)
        ),
        Judgement::Regression(judged) => format!(
            "Predictions of {target:?} are off by {} on average over {held} the model never saw; always predicting the \
             mean would be off by {}.",
            figure(judged.metrics.mae),
            figure(judged.baseline.mae)
        ),
        Judgement::Anomaly(judged) => {
            format!("{} of {} {} are flagged as outliers.", whole(judged.flagged), whole(judged.count), judged.rows)
        }
        Judgement::Clustering(judged) => {
            let clusters: Vec<_> = judged.clusters.iter().filter(|cluster| !cluster.noise).collect();
            let inside = total(clusters.iter().map(|cluster| cluster.rows));
            let noise = total(judged.clusters.iter().filter(|cluster| cluster.noise).map(|cluster| cluster.rows));
            let rest = if noise > 0 { format!(", {} in none", rows(noise)) } else { String::new() };
            format!("{} clusters of {}{rest}.", clusters.len(), rows(inside))
        }
    }
}

/// A threshold of its own trades right answers for finding more, or for fewer false alarms: precision and recall.
fn found(judged: &Classification, held: &str) -> String {
    let positive = judged.positive.unwrap_or_default();
    let name = judged.classes.get(positive).map_or("", String::as_str);
    let all = total(judged.support.iter().copied());
    let share = judged.support.get(positive).copied().unwrap_or_default() as f64 / all.max(1) as f64;
    let at = judged.thresholds.as_ref().map(|thresholds| &thresholds.at_chosen);
    let of = |value: Option<f64>| value.map_or("none".to_owned(), percent);
    format!(
        "Of {held} it never saw the model predicts {name:?} for {}; {} of these are, against {} of all rows, and it \
         finds {} of those that are.",
        of(at.map(|at| at.flagged)),
        of(at.and_then(|at| at.precision)),
        percent(share),
        of(at.and_then(|at| at.recall))
    )
}

/// Of a confusion matrix the mistakes, most frequent first: actual class, predicted class, rows.
pub fn mistakes(judged: &Classification) -> Vec<(&str, &str, u64)> {
    let mut pairs: Vec<(u64, usize, usize)> = Vec::new();
    for (actual, row) in judged.confusion.iter().enumerate() {
        let wrong = row.iter().enumerate().filter(|(predicted, rows)| *predicted != actual && **rows > 0);
        pairs.extend(wrong.map(|(predicted, &rows)| (rows, actual, predicted)));
    }
    pairs.sort_by_key(|&(rows, actual, predicted)| (std::cmp::Reverse(rows), actual, predicted));
    let name = |class: usize| judged.classes.get(class).map_or("", String::as_str);
    pairs.into_iter().map(|(rows, actual, predicted)| (name(actual), name(predicted), rows)).collect()
}

/// The rows of the threshold table to show: tenths (of the hundredths; without 0 and 1, which flag everything and
/// next to nothing) and the chosen one.
pub fn shown(thresholds: &Thresholds) -> Vec<&ThresholdRow> {
    let tenths = thresholds.rows.iter().step_by(10).filter(|row| row.threshold > 0.0 && row.threshold < 1.0);
    let mut rows: Vec<_> = tenths.filter(|row| row.threshold != thresholds.chosen).collect();
    rows.push(&thresholds.at_chosen);
    rows.sort_by(|a, b| a.threshold.total_cmp(&b.threshold));
    rows
}

/// What the scores of the candidates are of: cross-validation, or, of clusters, all rows that were fitted.
pub fn compared(board: &Leaderboard) -> String {
    let better = if board.larger_is_better { "larger" } else { "smaller" };
    match board.candidates.iter().map(|candidate| candidate.folds.len()).max() {
        None | Some(0) => format!("Each fitted on the training rows and scored on them; {better} is better."),
        Some(1) => format!("Scored on 1 fold of the training rows; {better} is better."),
        Some(folds) => format!("Mean over {folds} folds of the training rows; {better} is better."),
    }
}

/// A sum of counts that a file may have made up.
pub fn total(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

/// For a model card, a line a finding: what was found on held-out rows, and what it takes to make the model again.
pub fn card(report: &Report) -> Vec<String> {
    let mut lines = vec![headline(report)];
    let (measured, baseline) = measured(&report.judgement);
    let beside = |row: Measured| match row.baseline.is_empty() {
        true => format!("{} {}", row.name, row.model),
        false => format!("{} {} (baseline {})", row.name, row.model, row.baseline),
    };
    let figures: Vec<String> = measured.into_iter().map(beside).collect();
    let rule = if baseline.is_empty() { String::new() } else { format!("; the baseline predicts {baseline}") };
    lines.push(format!("{}{rule}.", figures.join(", ")));
    lines.extend(report.warnings.iter().map(|warning| match &warning.column {
        Some(column) => format!("{column:?}: {}", warning.message),
        None => warning.message.clone(),
    }));
    let from = &report.provenance;
    lines.push(format!(
        "{} by {}, of {} ({}, SHA-256 {}): {}",
        estimator(&report.estimator.name, &report.estimator.parameters),
        from.engine,
        from.data,
        rows(from.rows_train),
        from.sha256,
        from.command
    ));
    lines
}

/// What the importance numbers are.
pub fn importance(report: &Report) -> Option<String> {
    let importance = report.importance.as_ref()?;
    Some(format!(
        "How much worse the {} of {} held-out rows gets when the column's values are shuffled, mean of {} times. Columns \
         that tell the same share their importance.",
        importance.score,
        whole(importance.rows),
        importance.repeats
    ))
}

/// `forest (n_trees 100, max_depth 8)`
pub fn estimator(name: &str, parameters: &serde_json::Map<String, serde_json::Value>) -> String {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        // A parameter derived from the data has all its digits; four tell it.
        serde_json::Value::Number(number) if number.to_string().len() > 9 => {
            number.as_f64().map_or(number.to_string(), figure)
        }
        other => other.to_string(),
    };
    // Null is the engine's own choice.
    let given = parameters.iter().filter(|(_, value)| !value.is_null());
    let list: Vec<String> = given.map(|(key, value)| format!("{key} {}", text(value))).collect();
    if list.is_empty() { name.to_owned() } else { format!("{name} ({})", list.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_as_the_data_has_them() {
        let cases =
            [(0.65, "0.65"), (54.5, "54.5"), (-8.3, "-8.3"), (3.0, "3"), (4016.0, "4016"), (1.5e9, "1.500e9")];
        for (value, text) in [(0.123_456, "0.1235"), (12_345.0, "12,345"), (19.999_9, "20")].into_iter().chain(cases)
        {
            assert_eq!(bound(value), text);
        }
    }

    #[test]
    fn numbers_keep_four_digits() {
        let cases = [
            (0.0, "0"),
            (0.012_345, "0.01235"),
            (1.0, "1.000"),
            (-12.345_6, "-12.35"),
            (1234.4, "1234"),
            (1_234_567.0, "1,234,567"),
            (-12_345.6, "-12,346"),
            (1.5e9, "1.500e9"),
            (2.5e-7, "2.500e-7"),
        ];
        for (value, text) in cases {
            assert_eq!(figure(value), text);
        }
        assert_eq!(
            (percent(1.0), percent(0.9999), percent(0.0001)),
            ("100%".into(), ">99.9%".into(), "<0.1%".into())
        );
    }
}

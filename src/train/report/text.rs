//! The report for a terminal: what was found, how good it is, what to mind; 80 columns where the names allow.

use super::words::{
    bound, compared, estimator, figure, headline, importance, measured, mistakes, percent, rows, share, shown, two,
    whole,
};
use super::{Candidate, Classification, ColumnReport, Judgement, Report, Role};
use crate::plain::{count, printable, table};
use std::fmt::Write as _;

/// Longest list of anything.
const SHOWN: usize = 12;
/// Characters of a value before it is cut.
const LONGEST: usize = 40;
/// Width of a bar.
const BAR: usize = 20;

/// The whole report, ending with a line end. Control characters of names are replaced.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let mut section = |title: &str, body: String| {
        if !body.is_empty() {
            let _ = write!(out, "\n{title}\n{body}");
        }
    };
    section("Data", data(report));
    section("Columns", columns(&report.columns));
    section("Candidates", leaderboard(report));
    section("Model", model(report));
    let found = match report.judgement {
        Judgement::Anomaly(_) | Judgement::Clustering(_) => "What it found",
        _ => "How good it is, on held-out rows",
    };
    section(found, figures(report));
    match &report.judgement {
        Judgement::Classification(judged) => {
            section("Confusion matrix of the held-out rows", confusion(judged));
            section(&threshold_title(judged), thresholds(judged));
            section("Calibration: whether its probabilities hold", calibration(judged));
        }
        Judgement::Clustering(judged) => {
            let most = judged.clusters.iter().map(|cluster| cluster.rows).max().unwrap_or(0) as f64;
            let lines = judged
                .clusters
                .iter()
                .take(SHOWN)
                .map(|cluster| vec![cut(&cluster.label), rows(cluster.rows), bar(cluster.rows as f64 / most)]);
            section("Clusters", table(&lines.collect::<Vec<_>>(), "  "));
        }
        Judgement::Regression(_) | Judgement::Anomaly(_) => {}
    }
    section("Permutation importance", worth(report));
    section("Warnings", warnings(report));
    // One place for all names: none may move the cursor or clear the screen.
    printable(out.trim_start_matches('\n'))
}

/// The estimator, the data and the figures: what to know of a model that is at hand.
pub fn summary(report: &Report) -> String {
    let from = &report.provenance;
    let estimator = estimator(&report.estimator.name, &report.estimator.parameters);
    let lines = [
        format!("{estimator}, by {}", from.engine),
        format!("{}, {} to learn from; seed {}", from.data, rows(from.rows_train), from.seed),
    ];
    let mut out = format!("{}\n{}", indented(&lines), figures(report));
    let warned = warnings(report);
    if !warned.is_empty() {
        let _ = write!(out, "\n{warned}");
    }
    printable(&out)
}

fn data(report: &Report) -> String {
    let from = &report.provenance;
    let mut lines = vec![format!("{}: {}", from.data, rows(from.rows_read))];
    if from.rows_used != from.rows_read {
        lines.push(format!("{} used", rows(from.rows_used)));
    }
    if from.rows_held_out > 0 {
        lines.push(format!(
            "{} to learn from, {} held out to judge by ({}, seed {})",
            whole(from.rows_train),
            whole(from.rows_held_out),
            from.split,
            from.seed
        ));
    } else {
        lines.push(format!("{} to learn from, none held out; seed {}", whole(from.rows_train), from.seed));
    }
    lines.extend(from.reading.iter().cloned());
    indented(&lines)
}

fn model(report: &Report) -> String {
    let mut lines = vec![estimator(&report.estimator.name, &report.estimator.parameters)];
    lines.extend(report.estimator.preparation.iter().take(SHOWN).cloned());
    let rest = report.estimator.preparation.len().saturating_sub(SHOWN);
    if rest > 0 {
        lines.push(format!("and {rest} more"));
    }
    indented(&lines)
}

/// The columns as they were read, a line each: for a person to confirm or to override with `--types`.
pub fn columns(columns: &[ColumnReport]) -> String {
    let mut lines = vec![["column", "kind", "missing", "values", ""].map(String::from).to_vec()];
    for column in columns {
        let values = match column.range {
            Some((low, high)) => format!("{} to {}", bound(low), bound(high)),
            None => {
                let shown: Vec<String> = column.values.iter().take(3).map(|value| cut(value)).collect();
                let more = column.distinct.map_or(0, |distinct| distinct.saturating_sub(shown.len() as u64));
                let list = shown.join(", ");
                if more == 0 || shown.is_empty() { list } else { format!("{list} and {} more", whole(more)) }
            }
        };
        let role = match (column.role, &column.note) {
            (Role::Target, Some(note)) => format!("the target; {note}"),
            (Role::Target, None) => "the target".to_owned(),
            (Role::Dropped, None) => "not used".to_owned(),
            (_, note) => note.clone().unwrap_or_default(),
        };
        let missing = if column.missing == 0 { "–".to_owned() } else { whole(column.missing) };
        lines.push(vec![cut(&column.name), column.kind.clone(), missing, values, role]);
    }
    table(&lines, "  ")
}

/// `forest (n_trees 100): log loss 0.3121, 1.2 s`, or why it was not compared.
pub fn candidate(score: &str, candidate: &Candidate) -> String {
    let name = estimator(&candidate.name, &candidate.parameters);
    let time = candidate.seconds.map_or(String::new(), |seconds| format!(", {seconds:.1} s"));
    match (candidate.mean, &candidate.note) {
        (Some(mean), _) => format!("{name}: {score} {}{time}", figure(mean)),
        (None, note) => format!("{name}: {}", note.as_deref().unwrap_or("no score")),
    }
}

fn leaderboard(report: &Report) -> String {
    let Some(board) = &report.leaderboard else { return String::new() };
    let folds = board.candidates.iter().any(|candidate| !candidate.folds.is_empty());
    let spread = if folds { "over the folds" } else { "" };
    let mut lines = vec![vec![String::new(), board.score.clone(), spread.to_owned(), String::new()]];
    for candidate in board.candidates.iter().take(SHOWN) {
        let spread = candidate.folds.iter().copied().fold(None, |range: Option<(f64, f64)>, value| {
            range.map_or(Some((value, value)), |(low, high)| Some((low.min(value), high.max(value))))
        });
        let note = candidate.note.clone();
        lines.push(vec![
            cut(&estimator(&candidate.name, &candidate.parameters)),
            candidate.mean.map_or("–".to_owned(), figure),
            spread.map_or(String::new(), |(low, high)| format!("{} to {}", figure(low), figure(high))),
            note.or(candidate.seconds.map(|seconds| format!("{seconds:.1} s"))).unwrap_or_default(),
        ]);
    }
    let mut out = table(&lines, "  ");
    let _ = writeln!(out, "  {}", compared(board));
    out
}

fn figures(report: &Report) -> String {
    let (measured, baseline) = measured(&report.judgement);
    let mut lines = Vec::new();
    if !baseline.is_empty() {
        lines.push(vec![String::new(), "model".to_owned(), "baseline".to_owned()]);
    }
    for row in measured {
        lines.push(vec![row.name.to_owned(), row.model, row.baseline, row.says.to_owned()]);
    }
    let mut out: String = wrapped(&headline(report), 78).iter().map(|line| format!("  {line}\n")).collect();
    let _ = write!(out, "\n{}", table(&lines, "  "));
    if !baseline.is_empty() {
        let _ = writeln!(out, "  The baseline predicts {baseline}.");
    }
    if let Judgement::Clustering(judged) = &report.judgement
        && let Some(sampled) = judged.sampled
    {
        let _ = writeln!(out, "  The silhouette is that of {} drawn at random.", rows(sampled));
    }
    out
}

/// Larger matrices are for the HTML report.
const MATRIX: usize = 10;

fn confusion(judged: &Classification) -> String {
    let classes = &judged.classes;
    if classes.len() > MATRIX {
        let mistakes = mistakes(judged);
        let lines = mistakes.iter().take(SHOWN).map(|(actual, predicted, rows)| {
            vec![format!("{} taken for {}", cut(actual), cut(predicted)), whole(*rows)]
        });
        return table(&lines.collect::<Vec<_>>(), "  ");
    }
    let mut lines = vec![
        std::iter::once("actual".to_owned()).chain(classes.iter().map(|c| format!("predicted {}", cut(c)))).collect(),
    ];
    for (class, row) in classes.iter().zip(&judged.confusion) {
        lines.push(std::iter::once(cut(class)).chain(row.iter().map(|&rows| whole(rows))).collect::<Vec<_>>());
    }
    table(&lines, "  ")
}

fn threshold_title(judged: &Classification) -> String {
    let positive = judged.positive.and_then(|class| judged.classes.get(class)).map_or("", String::as_str);
    format!("Threshold: the probability from which on it predicts {:?}", cut(positive))
}

fn thresholds(judged: &Classification) -> String {
    let Some(thresholds) = &judged.thresholds else { return String::new() };
    let mut lines = vec![["threshold", "precision", "recall", "F1", "flagged", ""].map(String::from).to_vec()];
    for row in shown(thresholds) {
        lines.push(vec![
            format!("{:.2}", row.threshold),
            share(row.precision),
            share(row.recall),
            share(row.f1),
            percent(row.flagged),
            if row.threshold == thresholds.chosen {
                format!("← chosen: {}", thresholds.chosen_by)
            } else {
                String::new()
            },
        ]);
    }
    let mut out = table(&lines, "  ");
    out.push_str("  Precision: share of the flagged rows that are of the class. Recall: share of\n  the class that is flagged.\n");
    out
}

fn calibration(judged: &Classification) -> String {
    let full = judged.calibration.iter().filter(|bin| bin.rows > 0);
    let lines: Vec<Vec<String>> = full
        .map(|bin| {
            vec![
                format!("{:.0} to {:.0}%", bin.from * 100.0, bin.to * 100.0),
                bin.predicted.map_or(String::new(), percent),
                bin.observed.map_or(String::new(), percent),
                whole(bin.rows),
            ]
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    let head = ["probability", "predicted", "observed", "rows"].map(String::from).to_vec();
    table(&[vec![head], lines].concat(), "  ")
}

fn worth(report: &Report) -> String {
    let (Some(importance), Some(words)) = (&report.importance, importance(report)) else { return String::new() };
    let most = importance.columns.first().map_or(0.0, |column| column.mean);
    let lines = importance.columns.iter().take(SHOWN).map(|column| {
        vec![
            cut(&column.name),
            figure(column.mean),
            format!("± {}", two(column.deviation)),
            bar(if most > 0.0 { column.mean / most } else { 0.0 }),
        ]
    });
    let mut out = table(&lines.collect::<Vec<_>>(), "  ");
    let rest = importance.columns.len().saturating_sub(SHOWN);
    if rest > 0 {
        let _ = writeln!(out, "  and {} that matter less", count(rest, "column"));
    }
    for line in wrapped(&words, 76) {
        let _ = writeln!(out, "  {line}");
    }
    out
}

fn warnings(report: &Report) -> String {
    let mut out = String::new();
    for warning in &report.warnings {
        let column = warning.column.as_ref().map_or(String::new(), |column| format!("{:?}: ", cut(column)));
        for (place, line) in wrapped(&format!("{column}{}", warning.message), 74).iter().enumerate() {
            let _ = writeln!(out, "  {} {line}", if place == 0 { "-" } else { " " });
        }
    }
    out
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {}\n", line.replace('\n', " "))).collect()
}

/// A value on one line, cut where it is long.
fn cut(text: &str) -> String {
    let line = text.replace(['\n', '\r', '\t'], " ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn bar(share: f64) -> String {
    "█".repeat((share.clamp(0.0, 1.0) * BAR as f64).round() as usize)
}

/// Broken between words, at most `width` characters a line where the words allow.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

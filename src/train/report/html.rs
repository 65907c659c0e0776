//! The report as one HTML file: opens offline, runs no script, loads nothing.
//!
//! Its policy allows one style sheet, by hash, and nothing else, so even a mistake in escaping could not run or fetch
//! anything. Every name goes through `escaped`; pictures hold no names (`charts`).

use super::charts;
use super::words::{
    bound, compared, estimator, figure, headline, importance, measured, mistakes, percent, rows, share, shown, total,
    two, whole,
};
use super::{Classification, Judgement, Regression, Report, Role, Thresholds};
use crate::package::integrity;
use std::fmt::Write as _;

const STYLE: &str = include_str!("report.css");

/// Classes in a confusion matrix; of more, the most frequent mistakes are listed.
const MATRIX: usize = 20;
const MISTAKES: usize = 30;
/// Classes with a line of their own.
const LINES: usize = 8;
/// Values of a column.
const VALUES: usize = 5;
/// Columns and candidates in a table.
const MOST: usize = 200;

/// The whole file.
pub fn html(report: &Report) -> String {
    let mut out = String::with_capacity(64 << 10);
    let title = match &report.target {
        Some(target) => target.clone(),
        None if report.task() == "anomaly" => format!("Outliers in {}", report.provenance.data),
        None => format!("Clusters in {}", report.provenance.data),
    };
    let _ = write!(
        out,
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{} · carryout</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<p class="mark">carryout</p>
<h1>{}</h1>
<p class="lead">{}</p>
</header>
<main>
"#,
        integrity(STYLE.as_bytes()),
        escaped(&title),
        escaped(&title),
        escaped(&headline(report))
    );
    mind(&mut out, report);
    figures(&mut out, report);
    match &report.judgement {
        Judgement::Classification(judged) => classification(&mut out, judged),
        Judgement::Regression(judged) => regression(&mut out, judged),
        Judgement::Anomaly(judged) => {
            section(
                &mut out,
                "Scores",
                "",
                &figure_of(&charts::scores(judged), "The rows left of the line are flagged."),
            );
        }
        Judgement::Clustering(judged) => {
            let most = judged.clusters.iter().map(|cluster| cluster.rows).max().unwrap_or(0).max(1) as f64;
            let lines = judged.clusters.iter().take(MOST).map(|cluster| {
                let bar = charts::bar(cluster.rows as f64 / most, 0.0);
                format!(
                    "<tr><th scope=row>{}<td class=n>{}<td class=wide>{bar}",
                    name(&cluster.label),
                    whole(cluster.rows)
                )
            });
            let head = "<th scope=col>cluster<th scope=col class=n>rows<td>";
            section(&mut out, "Clusters", "", &table(head, lines));
        }
    }
    worth(&mut out, report);
    candidates(&mut out, report);
    columns(&mut out, report);
    provenance(&mut out, report);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// Text as HTML, in elements and quoted attributes; control characters are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

/// A name, its direction kept to itself.
fn name(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(text))
}

fn section(out: &mut String, title: &str, words: &str, body: &str) {
    if body.is_empty() {
        return;
    }
    let words = if words.is_empty() { String::new() } else { format!("<p class=soft>{words}</p>\n") };
    let _ = write!(out, "<section>\n<h2>{title}</h2>\n{words}{body}\n</section>\n");
}

fn figure_of(svg: &str, words: &str) -> String {
    format!("<figure>{svg}<figcaption>{words}</figcaption></figure>")
}

fn pair(figures: &[String]) -> String {
    format!("<div class=pair>{}</div>", figures.concat())
}

fn table(head: &str, lines: impl Iterator<Item = String>) -> String {
    let body: Vec<String> = lines.collect();
    if body.is_empty() {
        return String::new();
    }
    let body = body.join("\n");
    format!("<div class=scroll tabindex=0><table><thead><tr>{head}</thead><tbody>\n{body}\n</tbody></table></div>")
}

fn mind(out: &mut String, report: &Report) {
    let lines: Vec<String> = report
        .warnings
        .iter()
        .map(|warning| {
            let column = warning.column.as_ref().map_or(String::new(), |column| format!("<b>{}</b>: ", name(column)));
            format!("<li>{column}{}", escaped(&warning.message))
        })
        .collect();
    if !lines.is_empty() {
        section(out, "Warnings", "", &format!("<ul class=mind>{}</ul>", lines.join("\n")));
    }
}

fn figures(out: &mut String, report: &Report) {
    let (measured, baseline) = measured(&report.judgement);
    let beside = !baseline.is_empty();
    let head =
        if beside { "<td><th scope=col class=n>model<th scope=col class=n>baseline<td>" } else { "<td><td><td>" };
    let lines = measured.iter().map(|row| {
        let base = if beside { format!("<td class=n>{}", row.baseline) } else { String::new() };
        format!("<tr><th scope=row>{}<td class=\"n big\">{}{base}<td class=soft>{}", row.name, row.model, row.says)
    });
    let mut body = table(head, lines).replacen("<table>", "<table class=figures>", 1);
    if beside {
        let held = rows(report.provenance.rows_held_out);
        let _ =
            write!(body, "<p class=soft>On {held} that nothing was fitted on. The baseline predicts {baseline}.</p>");
    }
    if let Judgement::Clustering(judged) = &report.judgement
        && let Some(sampled) = judged.sampled
    {
        let _ = write!(body, "<p class=soft>The silhouette is that of {} drawn at random.</p>", rows(sampled));
    }
    let title = if beside { "How good it is, on held-out rows" } else { "What it found" };
    section(out, title, "", &body);
}

fn classification(out: &mut String, judged: &Classification) {
    if let (Some(thresholds), Some(positive)) = (&judged.thresholds, judged.positive) {
        threshold(out, thresholds, judged.classes.get(positive).map_or("", String::as_str));
    }
    section(
        out,
        "Confusion matrix",
        "Rows are the actual classes, columns the predicted ones; shades are shares of a row.",
        &confusion(judged),
    );
    let two = judged.classes.len() == 2;
    let drawn = &judged.curves[..judged.curves.len().min(LINES)];
    let mut pictures = Vec::new();
    if !judged.calibration.is_empty() {
        let words = if two {
            "Calibration: on the dashed line, what it calls 70% comes true for 70% of the rows. The columns are \
             the shares of rows."
        } else {
            "Calibration of the predicted class. The columns are the shares of rows."
        };
        pictures.push(figure_of(&charts::calibration(&judged.calibration), words));
    }
    if !drawn.is_empty() {
        let words = if two { "ROC: the dashed line is chance." } else { "ROC, each class against the others." };
        pictures.push(figure_of(&charts::roc(drawn), words));
        if two && let Some(positive) = judged.positive {
            let total = total(judged.support.iter().copied());
            let share = judged.support.get(positive).copied().unwrap_or(0) as f64 / total.max(1) as f64;
            let words =
                "Precision by recall: the dashed line is the share of the class, which flagging everything has.";
            pictures.push(figure_of(&charts::precision_recall(drawn, share), words));
        }
    }
    if !pictures.is_empty() {
        let mut body = pair(&pictures);
        if !two && !drawn.is_empty() {
            let names = drawn.iter().map(|curve| (judged.classes.get(curve.class).map_or("", String::as_str), None));
            body.push_str(&key(names));
            let rest = judged.curves.len() - drawn.len();
            if rest > 0 {
                let _ = write!(body, "<p class=soft>{rest} more classes have no line.</p>");
            }
        }
        section(out, "Probabilities", "", &body);
    }
}

/// What the colours of lines mean.
fn key<'a>(names: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let items = names.enumerate().map(|(place, (label, words))| {
        let words = words.map_or(String::new(), |words| format!(" <span class=soft>{words}</span>"));
        format!("<li class={}>{}{words}", charts::colour(place), name(label))
    });
    format!("<ul class=key>{}</ul>", items.collect::<String>())
}

fn threshold(out: &mut String, thresholds: &Thresholds, positive: &str) {
    let picture = figure_of(
        &charts::thresholds(&thresholds.rows, thresholds.chosen),
        &key([
            ("precision", "share of the flagged that are of the class"),
            ("recall", "share of the class that is flagged"),
            ("F1", "one number for both"),
            ("flagged", "share of all rows"),
        ]
        .into_iter()
        .map(|(label, words)| (label, Some(words)))),
    );
    let lines = shown(thresholds).into_iter().map(|row| {
        let class = if row.threshold == thresholds.chosen { " class=here" } else { "" };
        format!(
            "<tr{class}><th scope=row class=n>{:.2}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}",
            row.threshold,
            share(row.precision),
            share(row.recall),
            share(row.f1),
            percent(row.flagged)
        )
    });
    let head = "<th scope=col class=n>threshold<th scope=col class=n>precision<th scope=col class=n>recall\
                <th scope=col class=n>F1<th scope=col class=n>flagged";
    let words = format!(
        "The model predicts {} from a probability of {:.2} on ({}).",
        name(positive),
        thresholds.chosen,
        escaped(&thresholds.chosen_by)
    );
    section(out, "Threshold", &words, &pair(&[picture, table(head, lines)]));
}

fn confusion(judged: &Classification) -> String {
    let classes = &judged.classes;
    if classes.len() > MATRIX {
        let mistakes = mistakes(judged);
        let lines = mistakes.iter().take(MISTAKES).map(|(actual, predicted, rows)| {
            format!("<tr><th scope=row>{}<td>{}<td class=n>{}", name(actual), name(predicted), whole(*rows))
        });
        return table("<th scope=col>actual<th scope=col>predicted<th scope=col class=n>rows", lines);
    }
    let head: String = classes.iter().map(|class| format!("<th scope=col class=n>{}", name(class))).collect();
    let lines = classes.iter().zip(&judged.confusion).enumerate().map(|(actual, (class, row))| {
        let total = total(row.iter().copied()).max(1) as f64;
        let cells: String = row
            .iter()
            .enumerate()
            .map(|(predicted, &rows)| {
                // The shade is the share of the actual class, in tenths: right ones one colour, wrong ones another.
                let kind = if predicted == actual { 'r' } else { 'w' };
                format!("<td class=\"n {kind}{:.0}\">{}", (rows as f64 / total * 10.0).ceil(), whole(rows))
            })
            .collect();
        format!("<tr><th scope=row>{}{cells}", name(class))
    });
    table(&format!("<td>{head}"), lines).replacen("<table>", "<table class=matrix>", 1)
}

fn regression(out: &mut String, judged: &Regression) {
    let pictures = [
        figure_of(&charts::predicted_actual(&judged.points), "On the dashed line the prediction is right."),
        figure_of(
            &charts::residuals(&judged.points),
            "What is left over. A bend or a funnel is something the model has not learnt.",
        ),
    ];
    section(out, "Predicted and actual", "", &pair(&pictures));
}

fn worth(out: &mut String, report: &Report) {
    let (Some(importance), Some(words)) = (&report.importance, importance(report)) else { return };
    let most = importance.columns.iter().map(|column| column.mean + column.deviation).fold(0.0, f64::max);
    let most = if most > 0.0 { most } else { 1.0 };
    let lines = importance.columns.iter().take(MOST).map(|column| {
        let bar = charts::bar(column.mean / most, column.deviation / most);
        let (mean, deviation) = (figure(column.mean), two(column.deviation));
        format!(
            "<tr><th scope=row>{}<td class=n>{mean} <span class=soft>± {deviation}</span><td class=wide>{bar}",
            name(&column.name)
        )
    });
    section(
        out,
        "Permutation importance",
        &escaped(&words),
        &table("<th scope=col>column<th scope=col class=n>worse by<td>", lines),
    );
}

fn candidates(out: &mut String, report: &Report) {
    let Some(board) = &report.leaderboard else { return };
    let all =
        board.candidates.iter().flat_map(|candidate| &candidate.folds).copied().filter(|value| value.is_finite());
    let range = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
    let folds = board.candidates.iter().any(|candidate| !candidate.folds.is_empty());
    let timed = board.candidates.iter().any(|candidate| candidate.seconds.is_some());
    let lines = board.candidates.iter().take(MOST).map(|candidate| {
        let picture = candidate
            .mean
            .filter(|_| folds)
            .map_or(String::new(), |mean| charts::folds(&candidate.folds, mean, range));
        let seconds = candidate.seconds.map_or(String::new(), |seconds| format!("{seconds:.1} s"));
        let time = if timed { format!("<td class=n>{seconds}") } else { String::new() };
        let note = candidate
            .note
            .as_ref()
            .map_or(String::new(), |note| format!(" <span class=soft>{}</span>", escaped(note)));
        format!(
            "<tr><th scope=row>{}{note}<td class=n>{}<td>{picture}{time}",
            escaped(&estimator(&candidate.name, &candidate.parameters)),
            candidate.mean.map_or("–".to_owned(), figure)
        )
    });
    let time = if timed { "<th scope=col class=n>time" } else { "" };
    let each = if folds { "each fold" } else { "" };
    let head =
        format!("<th scope=col>estimator<th scope=col class=n>{}<th scope=col>{each}{time}", escaped(&board.score));
    let words = format!("{} The first was packed.", compared(board));
    let body = table(&head, lines).replacen("<table>", "<table class=candidates>", 1);
    section(out, "Candidates", &words, &body);
}

fn columns(out: &mut String, report: &Report) {
    let lines = report.columns.iter().take(MOST).map(|column| {
        let values = match column.range {
            Some((low, high)) => format!("{} to {}", bound(low), bound(high)),
            None => {
                let listed: Vec<String> = column.values.iter().take(VALUES).map(|value| name(value)).collect();
                let more = column.distinct.unwrap_or(0).saturating_sub(listed.len() as u64);
                let more =
                    if more == 0 || listed.is_empty() { String::new() } else { format!(" and {} more", whole(more)) };
                format!("{}{more}", listed.join(", "))
            }
        };
        let role = match column.role {
            Role::Target => "the target",
            Role::Dropped => "not used",
            Role::Feature => "",
        };
        let note = column.note.as_deref().map_or(String::new(), escaped);
        let join = if role.is_empty() || note.is_empty() { "" } else { "; " };
        format!(
            "<tr><th scope=row>{}<td>{}<td class=\"n {}\">{}<td class=\"n different\">{}<td class=values>{values}\
             <td class=soft>{role}{join}{note}",
            name(&column.name),
            escaped(&column.kind),
            if column.missing == 0 { "none" } else { "missing" },
            if column.missing == 0 { "–".to_owned() } else { whole(column.missing) },
            column.distinct.map_or("–".to_owned(), whole)
        )
    });
    let mut body = table(
        "<th scope=col>column<th scope=col>kind<th scope=col class=n>missing<th scope=col class=n>different\
         <th scope=col>values<td>",
        lines,
    )
    .replacen("<table>", "<table class=columns>", 1);
    if report.columns.len() > MOST {
        let _ = write!(body, "<p class=soft>and {} more</p>", report.columns.len() - MOST);
    }
    section(out, "Columns", "", &body);
}

fn provenance(out: &mut String, report: &Report) {
    let from = &report.provenance;
    let mut facts = vec![
        ("Command", format!("<code>{}</code>", escaped(&from.command))),
        (
            "Data",
            format!(
                "{}, {}<br><code>SHA-256 {}</code>",
                name(&from.data),
                rows(from.rows_read),
                escaped(&from.sha256)
            ),
        ),
    ];
    if !from.reading.is_empty() {
        facts.push(("Read as", from.reading.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br>")));
    }
    let used =
        if from.rows_used == from.rows_read { String::new() } else { format!("{} used; ", rows(from.rows_used)) };
    let held = if from.rows_held_out == 0 {
        "none held out".to_owned()
    } else {
        format!("{} held out ({})", whole(from.rows_held_out), escaped(&from.split))
    };
    facts.push(("Split", format!("{used}{} to learn from, {held}; seed {}", whole(from.rows_train), from.seed)));
    facts.push(("Estimator", escaped(&estimator(&report.estimator.name, &report.estimator.parameters))));
    if !report.estimator.preparation.is_empty() {
        let lines: Vec<String> = report.estimator.preparation.iter().take(MOST).map(|line| escaped(line)).collect();
        facts.push(("Prepared", lines.join("<br>")));
    }
    facts.push(("Made by", format!("carryout {}, {}", escaped(&from.carryout), escaped(&from.engine))));
    let lines: String = facts.iter().map(|(term, words)| format!("<div><dt>{term}<dd>{words}</div>")).collect();
    section(out, "How to make it again", "", &format!("<dl>{lines}</dl>"));
}

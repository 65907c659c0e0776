//! The pictures of the HTML report: SVG that holds numbers and this file's own words, never a name from a file.
//!
//! Colours are classes that the page's style sheet fills in, light and dark; under its policy a style attribute would
//! be ignored. Numbers reach the markup through `put` only, finite and with two decimals.

use super::words::figure;
use super::{Anomaly, CalibrationBin, Curves, ThresholdRow};
use std::fmt::Write as _;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 48.0;

/// Axes and what is drawn in them.
struct Plot {
    x: (f64, f64),
    y: (f64, f64),
    body: String,
}

fn put(value: f64) -> String {
    format!("{:.2}", if value.is_finite() { value } else { 0.0 })
}

impl Plot {
    /// Ranges are widened where they are a point.
    fn new(x: (f64, f64), y: (f64, f64)) -> Plot {
        let wide = |(low, high): (f64, f64)| {
            if high > low && (high - low).is_finite() { (low, high) } else { (low - 0.5, low + 0.5) }
        };
        Plot { x: wide(x), y: wide(y), body: String::new() }
    }

    fn across(&self, value: f64) -> f64 {
        LEFT + (value - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn down(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (value - self.y.0) / (self.y.1 - self.y.0) * (HEIGHT - TOP - BOTTOM)
    }

    fn line(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let list: Vec<String> =
            points.into_iter().map(|(x, y)| format!("{},{}", put(self.across(x)), put(self.down(y)))).collect();
        if list.len() > 1 {
            let _ = write!(self.body, r#"<polyline class="line {class}" points="{}"/>"#, list.join(" "));
        }
    }

    fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        let (x, y) = (put(self.across(x)), put(self.down(y)));
        let _ = write!(self.body, r#"<circle class="{class}" cx="{x}" cy="{y}" r="{}"/>"#, put(radius));
    }

    /// From zero, or the axis where zero is not on it.
    fn column(&mut self, class: &str, (from, to): (f64, f64), height: f64) {
        let (left, right) = (self.across(from), self.across(to));
        let (top, foot) = (self.down(height), self.down(self.y.0.max(0.0)));
        let _ = write!(
            self.body,
            r#"<rect class="{class}" x="{}" y="{}" width="{}" height="{}"/>"#,
            put(left + 0.5),
            put(top.min(foot)),
            put((right - left - 1.0).max(0.5)),
            put((foot - top).abs())
        );
    }

    fn upright(&mut self, class: &str, x: f64) {
        let (x, top, foot) = (put(self.across(x)), put(TOP), put(HEIGHT - BOTTOM));
        let _ = write!(self.body, r#"<line class="{class}" x1="{x}" x2="{x}" y1="{top}" y2="{foot}"/>"#);
    }

    /// The whole picture; `label` is what a screen reader says, `x` and `y` name the axes.
    fn svg(self, label: &str, x: &str, y: &str) -> String {
        let mut out = format!(r#"<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">"#);
        let (foot, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for value in ticks(self.y) {
            let at = put(self.down(value));
            let _ = write!(out, r#"<line class="grid" x1="{LEFT}" x2="{right}" y1="{at}" y2="{at}"/>"#);
            let text = put(self.down(value) + 4.0);
            let _ = write!(out, r#"<text x="{}" y="{text}" text-anchor="end">{}</text>"#, LEFT - 7.0, tick(value));
        }
        for value in ticks(self.x) {
            let at = put(self.across(value));
            let _ = write!(out, r#"<text x="{at}" y="{}" text-anchor="middle">{}</text>"#, foot + 18.0, tick(value));
        }
        let _ = write!(out, r#"<line class="axis" x1="{LEFT}" x2="{right}" y1="{foot}" y2="{foot}"/>"#);
        let (middle, centre) = (put((LEFT + right) / 2.0), put((TOP + foot) / 2.0));
        let _ =
            write!(out, r#"<text class="name" x="{middle}" y="{}" text-anchor="middle">{x}</text>"#, HEIGHT - 8.0);
        let turn = format!(r#"transform="rotate(-90 13 {centre})""#);
        let _ = write!(out, r#"<text class="name" x="13" y="{centre}" text-anchor="middle" {turn}>{y}</text>"#);
        out.push_str(&self.body);
        out.push_str("</svg>");
        out
    }
}

/// Three to six round numbers within a range.
fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let span = high - low;
    let unit = 10f64.powf((span / 4.0).log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|by| by * unit).into_iter().find(|step| span / step <= 5.0);
    let step = step.unwrap_or(unit * 10.0);
    let first = (low / step - 1e-9).ceil();
    (0..12).map(|place| (first + f64::from(place)) * step).take_while(|&value| value <= high + step * 1e-9).collect()
}

fn tick(value: f64) -> String {
    // 0.30000000000000004 is 0.3 on an axis.
    let text = figure(value);
    if text.contains('e') {
        return text;
    }
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.replace('-', "−")
}

const SHARE: (f64, f64) = (0.0, 1.0);

/// One line a class; the class's place is that of its colour.
pub fn roc(curves: &[Curves]) -> String {
    let mut plot = Plot::new(SHARE, SHARE);
    plot.line("faint", [(0.0, 0.0), (1.0, 1.0)]);
    for (place, curve) in curves.iter().enumerate() {
        plot.line(&colour(place), curve.roc.iter().copied());
    }
    plot.svg("ROC curve", "false alarms: share of the others flagged", "found: share of the class flagged")
}

pub fn precision_recall(curves: &[Curves], share: f64) -> String {
    let mut plot = Plot::new(SHARE, SHARE);
    plot.line("faint", [(0.0, share), (1.0, share)]);
    for (place, curve) in curves.iter().enumerate() {
        plot.line(&colour(place), curve.precision_recall.iter().copied());
    }
    plot.svg("Precision by recall", "recall", "precision")
}

/// The class of a line: eight colours, then again.
pub fn colour(place: usize) -> String {
    format!("c{}", place % 8)
}

pub fn calibration(bins: &[CalibrationBin]) -> String {
    let mut plot = Plot::new(SHARE, SHARE);
    plot.line("faint", [(0.0, 0.0), (1.0, 1.0)]);
    let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(1).max(1) as f64;
    for bin in bins {
        // How many rows a point stands on, as far as a third of the height.
        plot.column("ground", (bin.from, bin.to), bin.rows as f64 / most / 3.0);
    }
    let points: Vec<(f64, f64)> = bins.iter().filter_map(|bin| bin.predicted.zip(bin.observed)).collect();
    plot.line("c0", points.iter().copied());
    points.iter().for_each(|&point| plot.dot("point", point, 4.0));
    plot.svg("Calibration", "probability it gave", "share that came true")
}

pub fn thresholds(rows: &[ThresholdRow], chosen: f64) -> String {
    let mut plot = Plot::new(SHARE, SHARE);
    let known = |get: fn(&ThresholdRow) -> Option<f64>| -> Vec<(f64, f64)> {
        rows.iter().filter_map(|row| get(row).map(|value| (row.threshold, value))).collect()
    };
    plot.upright("chosen", chosen);
    plot.line("c0", known(|row| row.precision));
    plot.line("c1", known(|row| row.recall));
    plot.line("c2", known(|row| row.f1));
    plot.line("c3", known(|row| Some(row.flagged)));
    plot.svg("Precision, recall, F1 and share flagged by threshold", "threshold", "share")
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let range = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if range.0 > range.1 { SHARE } else { range }
}

/// A margin, so that dots at the ends are whole.
fn roomy((low, high): (f64, f64)) -> (f64, f64) {
    let room = (high - low) * 0.03;
    (low - room, high + room)
}

pub fn predicted_actual(points: &[(f64, f64)]) -> String {
    let range = roomy(bounds(points.iter().flat_map(|&(actual, predicted)| [actual, predicted])));
    let mut plot = Plot::new(range, range);
    plot.line("faint", [(range.0, range.0), (range.1, range.1)]);
    points.iter().for_each(|&(actual, predicted)| plot.dot("cloud", (actual, predicted), 2.6));
    plot.svg("Predicted by actual values", "actual", "predicted")
}

pub fn residuals(points: &[(f64, f64)]) -> String {
    let x = roomy(bounds(points.iter().map(|point| point.1)));
    let mut plot = Plot::new(x, roomy(bounds(points.iter().map(|point| point.0 - point.1).chain([0.0]))));
    plot.line("faint", [(x.0, 0.0), (x.1, 0.0)]);
    points.iter().for_each(|&(actual, predicted)| plot.dot("cloud", (predicted, actual - predicted), 2.6));
    plot.svg("Residuals by predicted values", "predicted", "actual − predicted")
}

pub fn scores(anomaly: &Anomaly) -> String {
    let histogram = &anomaly.scores;
    let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let range = (histogram.from.min(0.0), histogram.to.max(0.0));
    let mut plot = Plot::new(range, (0.0, most));
    let wide = (histogram.to - histogram.from) / histogram.counts.len().max(1) as f64;
    for (place, &rows) in histogram.counts.iter().enumerate() {
        let from = histogram.from + wide * place as f64;
        let class = if from + wide / 2.0 < 0.0 { "bar warm" } else { "bar" };
        if rows > 0 {
            plot.column(class, (from, from + wide), rows as f64);
        }
    }
    plot.upright("chosen", 0.0);
    plot.svg("Scores", "score: below zero is flagged", "rows")
}

/// A bar in a table's cell; `deviation` is drawn as a line about its end. Shares of the longest.
pub fn bar(length: f64, deviation: f64) -> String {
    let at = |share: f64| put(share.clamp(0.0, 1.0) * 100.0);
    let mut out = format!(
        r#"<svg class="spark" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="bar" y="1" height="8" width="{}"/>"#,
        at(length)
    );
    if deviation > 0.0 {
        let (from, to) = (at(length - deviation), at(length + deviation));
        let _ = write!(
            out,
            r#"<rect class="whisker" x="{from}" y="4.4" height="1.2" width="{}"/>"#,
            put(to.parse::<f64>().unwrap_or(0.0) - from.parse::<f64>().unwrap_or(0.0))
        );
    }
    out.push_str("</svg>");
    out
}

/// The folds of a candidate as dots and their mean as a line, on a scale that all candidates share.
pub fn folds(values: &[f64], mean: f64, range: (f64, f64)) -> String {
    let at = |value: f64| {
        let span = range.1 - range.0;
        put(if span > 0.0 { 4.0 + (value - range.0) / span * 152.0 } else { 80.0 })
    };
    let mut out = r#"<svg class="folds" viewBox="0 0 160 14" aria-hidden="true"><line class="grid" x1="4" x2="156" y1="7" y2="7"/>"#.to_owned();
    for &value in values {
        let _ = write!(out, r#"<circle class="cloud" cx="{}" cy="7" r="3"/>"#, at(value));
    }
    let mean = at(mean);
    let _ = write!(out, r#"<line class="mean" x1="{mean}" x2="{mean}" y1="1" y2="13"/></svg>"#);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers() {
        assert_eq!(ticks((0.0, 1.0)).len(), 6);
        assert_eq!(ticks((-3.1, 12.0)), [0.0, 5.0, 10.0]);
        assert_eq!(
            ticks((17.0, 18.0)).iter().map(|&value| tick(value)).collect::<Vec<_>>(),
            ["17", "17.2", "17.4", "17.6", "17.8", "18"]
        );
        assert_eq!((tick(0.1 + 0.2), tick(-5.0), tick(20_000.0)), ("0.3".into(), "−5".into(), "20,000".into()));
    }

    /// Whatever the numbers are, the markup holds finite ones.
    #[test]
    fn strange_numbers_draw_nothing_strange() {
        let strange = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 1e308, -1e308];
        let points: Vec<(f64, f64)> = strange.iter().flat_map(|&a| strange.map(|b| (a, b))).collect();
        for drawn in [predicted_actual(&points), residuals(&points), predicted_actual(&[]), residuals(&[(2.0, 2.0)])]
        {
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
    }
}

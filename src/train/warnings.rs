//! What a careful person would ask before using the model: a column that gives the target away, a rare class, figures
//! of few rows, a model that knows no more than its baseline.

use super::report::{Judgement, Warning, WarningKind};
use std::collections::BTreeMap;

/// A column as far as the leakage check cares.
pub enum Values<'a> {
    /// NaN is missing.
    Numbers(&'a [f64]),
    /// Places among the categories; `None` is missing.
    Categories(&'a [Option<usize>]),
}

/// What is to be predicted.
pub enum Target<'a> {
    Classes(&'a [usize]),
    Numbers(&'a [f64]),
}

/// Fewest rows on which a pattern counts as one.
const FEWEST: usize = 50;
/// Share of rows that a column may get wrong and still give the target away.
const LEAK: f64 = 0.005;
/// Rank correlation from which on a number gives another away.
const MONOTONE: f64 = 0.999;
/// Share of a number's variance that the groups of a category may leave and still give it away: what a correlation of
/// `MONOTONE` leaves.
const UNEXPLAINED: f64 = 1.0 - MONOTONE * MONOTONE;
/// Share below which a class is rare.
const RARE: f64 = 0.1;
/// Held-out rows of a class below which its figures are coarse.
const FEW: u64 = 20;

/// Whether `column` alone all but determines the target: a code made from it, or a value known only afterwards.
///
/// A number does where, sorted by it, the classes come in whole stretches; a category where its frequent values each
/// have one class; against a numeric target a number whose ranks agree (Spearman), or a category whose groups leave
/// next to nothing of the variance within. Rows are compared pairwise in
/// their order; a slice shorter than the other ends both.
pub fn leakage(column: &str, values: &Values, target: &Target) -> Option<Warning> {
    let how = match (values, target) {
        (Values::Numbers(values), Target::Classes(classes)) => stretches(values, classes)?,
        (Values::Categories(values), Target::Classes(classes)) => pure(values, classes)?,
        (Values::Numbers(values), Target::Numbers(numbers)) => monotone(values, numbers)?,
        (Values::Categories(values), Target::Numbers(numbers)) => explained(values, numbers)?,
    };
    Some(Warning {
        kind: WarningKind::Leakage,
        column: Some(column.to_owned()),
        message: format!(
            "{how}: will it be known when the model is asked? If not, leave it out (--types COLUMN=skip)"
        ),
    })
}

/// Rows that the classes of sorted values get wrong: those of no majority among equal values, and each stretch of
/// one class more than there are classes.
fn stretches(values: &[f64], classes: &[usize]) -> Option<String> {
    let mut rows: Vec<(f64, usize)> = values.iter().copied().zip(classes.iter().copied()).collect();
    let kinds = classes.iter().max().map_or(0, |&most| most + 1);
    let present = classes.iter().collect::<std::collections::BTreeSet<_>>().len();
    if rows.len() < FEWEST || present < 2 {
        return None;
    }
    // Missing values are alike and at the end.
    rows.iter_mut().filter(|(value, _)| value.is_nan()).for_each(|row| row.0 = f64::NAN);
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut wrong, mut runs, mut last) = (0, 0usize, usize::MAX);
    for group in rows.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let mut counts = vec![0usize; kinds];
        group.iter().for_each(|&(_, class)| counts[class] += 1);
        let majority = (0..kinds).max_by_key(|&class| counts[class]).unwrap_or(0);
        wrong += group.len() - counts[majority];
        runs += usize::from(majority != last);
        last = majority;
    }
    wrong += runs.saturating_sub(present);
    gives_away(wrong, rows.len(), classes)
}

/// A category with a few rows says nothing; those of five or more must cover most rows.
fn pure(values: &[Option<usize>], classes: &[usize]) -> Option<String> {
    let mut groups: BTreeMap<Option<usize>, BTreeMap<usize, usize>> = BTreeMap::new();
    for (value, class) in values.iter().zip(classes) {
        *groups.entry(*value).or_default().entry(*class).or_default() += 1;
    }
    let rows = values.len().min(classes.len());
    let (mut wrong, mut covered) = (0, 0);
    for counts in groups.values() {
        let size: usize = counts.values().sum();
        if size >= 5 {
            covered += size;
            wrong += size - counts.values().max().unwrap_or(&0);
        }
    }
    if rows < FEWEST || covered * 5 < rows * 4 {
        return None;
    }
    gives_away(wrong, covered, classes)
}

fn gives_away(wrong: usize, rows: usize, classes: &[usize]) -> Option<String> {
    let mut counts = BTreeMap::new();
    classes.iter().for_each(|class| *counts.entry(class).or_insert(0usize) += 1);
    let rare = classes.len() - counts.values().max().unwrap_or(&0);
    // Against a rare class, half a percent would be most of it.
    let most = (rows as f64 * LEAK).min(rare as f64 * 0.05);
    let right = 100.0 * (rows - wrong) as f64 / rows as f64;
    (rare > 0 && wrong as f64 <= most).then(|| format!("alone it tells the target of {right:.1}% of the rows"))
}

fn monotone(values: &[f64], numbers: &[f64]) -> Option<String> {
    let rows: Vec<(f64, f64)> =
        values.iter().copied().zip(numbers.iter().copied()).filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
    if rows.len() < FEWEST {
        return None;
    }
    let a = ranks(rows.iter().map(|row| row.0).collect());
    let b = ranks(rows.iter().map(|row| row.1).collect());
    let mean = (rows.len() - 1) as f64 / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let correlation = product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt();
    (correlation.abs() >= MONOTONE).then(|| format!("its order is the target's (rank correlation {correlation:.4})"))
}

/// The share of the variance between the groups of a category, over those of five rows or more, as `pure`.
fn explained(values: &[Option<usize>], numbers: &[f64]) -> Option<String> {
    let mut groups: BTreeMap<Option<usize>, Vec<f64>> = BTreeMap::new();
    for (value, &number) in values.iter().zip(numbers).filter(|(_, number)| number.is_finite()) {
        groups.entry(*value).or_default().push(number);
    }
    let rows: usize = groups.values().map(Vec::len).sum();
    groups.retain(|_, list| list.len() >= 5);
    let covered: usize = groups.values().map(Vec::len).sum();
    if rows < FEWEST || covered * 5 < rows * 4 {
        return None;
    }
    let squares = |list: &mut dyn Iterator<Item = f64>, count: usize| {
        let all: Vec<f64> = list.collect();
        let mean = all.iter().sum::<f64>() / count as f64;
        all.iter().map(|number| (number - mean) * (number - mean)).sum::<f64>()
    };
    let total = squares(&mut groups.values().flatten().copied(), covered);
    let within: f64 = groups.values().map(|list| squares(&mut list.iter().copied(), list.len())).sum();
    let share = 100.0 * (1.0 - within / total);
    (total > 0.0 && within <= UNEXPLAINED * total)
        .then(|| format!("alone it tells {share:.1}% of the target's variance"))
}

/// From 0; equal values share the mean of their ranks.
fn ranks(values: Vec<f64>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut at = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = at as f64 + (group.len() - 1) as f64 / 2.0;
        group.iter().for_each(|&place| ranks[place] = rank);
        at += group.len();
    }
    ranks
}

/// What the judgement itself gives cause to say. `train` is the rows of each class in the training part, empty
/// where there are no classes.
pub fn of_judgement(judgement: &Judgement, train: &[u64]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut say = |kind, message: String| warnings.push(Warning { kind, column: None, message });
    match judgement {
        Judgement::Classification(judged) => {
            let total: u64 = train.iter().sum();
            let rarest = train.iter().enumerate().filter(|(_, rows)| **rows > 0).min_by_key(|(_, rows)| **rows);
            if let Some((class, &rows)) = rarest
                && (rows as f64) < RARE * total as f64
                && let Some(name) = judged.classes.get(class)
            {
                say(
                    WarningKind::Imbalance,
                    format!(
                        "{name:?} is rare: {:.1}% of the training rows. Always saying the most frequent class would be \
                         right {:.1}% of the time; look at precision and recall, not at accuracy",
                        100.0 * rows as f64 / total as f64,
                        100.0 * judged.baseline.accuracy
                    ),
                );
            }
            if let Some((class, &rows)) = judged.support.iter().enumerate().min_by_key(|(_, rows)| **rows)
                && rows < FEW
            {
                let name = &judged.classes[class];
                say(WarningKind::FewRows, format!("only {rows} held-out rows are {name:?}: its figures are coarse"));
            }
            let better = match (judged.metrics.log_loss, judged.baseline.log_loss) {
                (Some(own), Some(base)) => own < base,
                _ => judged.metrics.balanced_accuracy > judged.baseline.balanced_accuracy,
            };
            if !better {
                say(
                    WarningKind::NoBetterThanBaseline,
                    "the model knows no more than the shares of the classes".into(),
                );
            }
        }
        Judgement::Regression(judged) => {
            if judged.metrics.rmse >= judged.baseline.rmse {
                let message = "the model is no better than always saying the mean";
                say(WarningKind::NoBetterThanBaseline, message.to_owned());
            }
        }
        Judgement::Anomaly(_) | Judgement::Clustering(_) => {}
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::random::Random;

    fn noisy(rows: usize, classes: usize) -> (Vec<usize>, Random) {
        let mut random = Random::new(5);
        ((0..rows).map(|_| random.below(classes)).collect(), random)
    }

    #[test]
    fn a_column_made_from_the_target_is_found() {
        let (classes, mut random) = noisy(400, 3);
        let code: Vec<f64> = classes.iter().map(|&class| class as f64 + random.below(100) as f64 / 200.0).collect();
        let warning = leakage("code", &Values::Numbers(&code), &Target::Classes(&classes)).unwrap();
        assert_eq!(
            warning.message,
            "alone it tells the target of 100.0% of the rows: will it be known when the model is asked? If not, leave \
             it out (--types COLUMN=skip)"
        );
        assert_eq!((warning.kind, warning.column.as_deref()), (WarningKind::Leakage, Some("code")));
        let names: Vec<Option<usize>> = classes.iter().map(|&class| (class != 1).then_some(class + 7)).collect();
        assert!(leakage("name", &Values::Categories(&names), &Target::Classes(&classes)).is_some());
        let numbers: Vec<f64> = (0..400).map(|_| random.below(1000) as f64).collect();
        let other: Vec<f64> = numbers.iter().map(|value| 1.8 * value + 32.0).collect();
        assert!(leakage("fahrenheit", &Values::Numbers(&other), &Target::Numbers(&numbers)).is_some());
        // A band of the target: a price class made from the price.
        let band: Vec<Option<usize>> = numbers.iter().map(|value| Some((value / 20.0) as usize)).collect();
        let warning = leakage("band", &Values::Categories(&band), &Target::Numbers(&numbers)).unwrap();
        assert!(warning.message.contains("% of the target's variance: will it be known"), "{}", warning.message);
    }

    #[test]
    fn honest_columns_are_not_accused() {
        let (classes, mut random) = noisy(400, 2);
        let target = Target::Classes(&classes);
        // An identifier is different in every row and orders nothing.
        let id: Vec<f64> = (0..400).map(|_| random.bits() as f64).collect();
        assert_eq!(leakage("id", &Values::Numbers(&id), &target), None);
        let ids: Vec<Option<usize>> = (0..400).map(Some).collect();
        assert_eq!(leakage("id", &Values::Categories(&ids), &target), None);
        // A good column, wrong in a tenth of the rows; a flag; a constant.
        let good: Vec<f64> = classes
            .iter()
            .map(|&class| if random.below(10) == 0 { 1.0 - class as f64 } else { class as f64 })
            .collect();
        assert_eq!(leakage("good", &Values::Numbers(&good), &target), None);
        assert_eq!(leakage("constant", &Values::Numbers(&[1.0; 400]), &target), None);
        // With one row in a hundred of the rare class, a constant is right in 99 of a hundred.
        let rare: Vec<usize> = (0..400).map(|row| usize::from(row % 100 == 0)).collect();
        assert_eq!(leakage("constant", &Values::Numbers(&[1.0; 400]), &Target::Classes(&rare)), None);
        let numbers: Vec<f64> = (0..400).map(|_| random.below(1000) as f64).collect();
        let close: Vec<f64> = numbers.iter().map(|value| value + random.below(200) as f64).collect();
        assert_eq!(leakage("close", &Values::Numbers(&close), &Target::Numbers(&numbers)), None);
        assert_eq!(leakage("constant", &Values::Numbers(&[1.0; 400]), &Target::Numbers(&numbers)), None);
        // A coarse band, which is a good column and no more; an identifier; a constant.
        let coarse: Vec<Option<usize>> = numbers.iter().map(|value| Some((value / 200.0) as usize)).collect();
        assert_eq!(leakage("coarse", &Values::Categories(&coarse), &Target::Numbers(&numbers)), None);
        assert_eq!(leakage("id", &Values::Categories(&ids), &Target::Numbers(&numbers)), None);
        assert_eq!(leakage("same", &Values::Categories(&[Some(1); 400]), &Target::Numbers(&numbers)), None);
        // Too few rows for a pattern, and one class.
        assert_eq!(leakage("code", &Values::Numbers(&[0.0, 1.0]), &Target::Classes(&[0, 1])), None);
        assert_eq!(leakage("any", &Values::Numbers(&id), &Target::Classes(&[0; 400])), None);
    }
}

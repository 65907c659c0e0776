//! Permutation importance: how much worse the held-out score gets when the values of one column are dealt out anew.
//!
//! The model is a closure that scores the held-out rows with one column in another order, so this knows neither rows
//! nor models. What it says is of this model: two columns that tell the same share their importance.

use super::random::Random;
use super::report::{ColumnImportance, Importance};
use crate::Result;

/// Measures `names.len()` columns over `rows` held-out rows, `repeats` shuffles each.
///
/// `score(Some((column, order)))` is the score when row `i` has the value of `column` that row `order[i]` had;
/// `score(None)` the score of the rows as they are. `larger_is_better` tells which way is worse. The same seed gives
/// the same shuffles; every column has its own.
///
/// # Errors
/// Those of `score`.
pub fn permutation(
    names: &[String],
    rows: usize,
    repeats: u32,
    seed: u64,
    (name, larger_is_better): (&str, bool),
    mut score: impl FnMut(Option<(usize, &[usize])>) -> Result<f64>,
) -> Result<Importance> {
    let reference = score(None)?;
    let mut random = Random::new(seed);
    let mut columns = Vec::with_capacity(names.len());
    for (column, name) in names.iter().enumerate() {
        let mut worse = Vec::with_capacity(repeats as usize);
        let mut order: Vec<usize> = (0..rows).collect();
        for _ in 0..repeats {
            random.shuffle(&mut order);
            let shuffled = score(Some((column, &order)))?;
            worse.push(if larger_is_better { reference - shuffled } else { shuffled - reference });
        }
        let count = f64::from(repeats.max(1));
        let mean = worse.iter().sum::<f64>() / count;
        let deviation = (worse.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        columns.push(ColumnImportance { name: name.clone(), mean, deviation });
    }
    // Stable: equals stay in the file's order.
    columns.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    Ok(Importance { score: name.to_owned(), reference, repeats, rows: rows as u64, columns })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    /// y = 3a + b with a third column of no use: shuffling a makes the squared error 2·9·var(a), b 2·var(b).
    #[test]
    fn worth_follows_the_coefficients() {
        let mut random = Random::new(3);
        let rows: Vec<[f64; 3]> =
            (0..2000).map(|_| std::array::from_fn(|_| random.below(1000) as f64 / 1000.0)).collect();
        let names: Vec<String> = ["useless", "b", "a"].map(String::from).to_vec();
        let predict = |row: [f64; 3]| 3.0 * row[2] + row[1];
        let measure = |seed| {
            permutation(&names, rows.len(), 5, seed, ("mean squared error", false), |shuffled| {
                let mut sum = 0.0;
                for (place, row) in rows.iter().enumerate() {
                    let mut given = *row;
                    if let Some((column, order)) = shuffled {
                        given[column] = rows[order[place]][column];
                    }
                    sum += (predict(given) - predict(*row)).powi(2);
                }
                Ok(sum / rows.len() as f64)
            })
            .unwrap()
        };
        let importance = measure(1);
        let [a, b, useless] = &importance.columns[..] else { panic!() };
        assert_eq!((a.name.as_str(), b.name.as_str(), useless.name.as_str()), ("a", "b", "useless"));
        assert_eq!((importance.reference, useless.mean, useless.deviation), (0.0, 0.0, 0.0));
        // var of a uniform number is 1/12; the shuffles scatter by some 2%.
        assert!((a.mean - 18.0 / 12.0).abs() < 0.08, "{a:?}");
        assert!((b.mean - 2.0 / 12.0).abs() < 0.01, "{b:?}");
        assert_eq!(measure(1), importance);
        assert_ne!(measure(2), importance);
    }

    #[test]
    fn a_model_that_refuses_ends_it() {
        let names = ["a".to_owned()];
        let made = permutation(&names, 3, 2, 0, ("accuracy", true), |shuffled| match shuffled {
            None => Ok(1.0),
            Some(_) => Err(Error::input("row 1: no")),
        });
        assert_eq!(made.unwrap_err().to_string(), "row 1: no");
    }
}

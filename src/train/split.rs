//! Which rows are fitted and which are only judged: the held-out part and the folds, drawn from one seed.

use super::random::Random;

/// Rows to fit and rows to judge, each ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub train: Vec<usize>,
    pub test: Vec<usize>,
}

/// Rows by class, each list shuffled; one list of all where there are no classes.
fn groups(rows: &[usize], classes: Option<&[u32]>, random: &mut Random) -> Vec<Vec<usize>> {
    let count = classes.map_or(1, |of| rows.iter().map(|&row| of[row] as usize + 1).max().unwrap_or(1));
    let mut groups = vec![Vec::new(); count];
    for &row in rows {
        groups[classes.map_or(0, |of| of[row] as usize)].push(row);
    }
    groups.iter_mut().for_each(|group| random.shuffle(group));
    groups
}

/// Holds out `share` of the rows, of every class its share; a class of one row stays in the training part.
pub fn held_out(rows: &[usize], classes: Option<&[u32]>, share: f64, seed: u64) -> Split {
    let mut random = Random::new(seed);
    let (mut train, mut test) = (Vec::new(), Vec::new());
    // What one class rounds away the next gets, so that the whole keeps its share.
    let mut owed = 0.0;
    for group in groups(rows, classes, &mut random) {
        owed += group.len() as f64 * share;
        let count = (owed.round().max(0.0) as usize).min(group.len().saturating_sub(1));
        owed -= count as f64;
        test.extend_from_slice(&group[..count]);
        train.extend_from_slice(&group[count..]);
    }
    train.sort_unstable();
    test.sort_unstable();
    Split { train, test }
}

/// At most `count` folds over the rows. Every row is judged once, but one that is its class's only row never: no fold
/// is fitted without a class.
pub fn folds(rows: &[usize], classes: Option<&[u32]>, count: usize, seed: u64) -> Vec<Split> {
    let mut random = Random::new(seed ^ 0xf01d);
    let mut tests = vec![Vec::new(); count];
    let judged = groups(rows, classes, &mut random).into_iter().filter(|group| classes.is_none() || group.len() > 1);
    // The rows of a class go to folds one after the other, so that no fold has them all.
    judged.flatten().enumerate().for_each(|(place, row)| tests[place % count].push(row));
    tests.retain(|test| !test.is_empty());
    tests
        .into_iter()
        .map(|mut test| {
            test.sort_unstable();
            let train = rows.iter().copied().filter(|row| test.binary_search(row).is_err()).collect();
            Split { train, test }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_once_and_classes_in_proportion() {
        let rows: Vec<usize> = (0..103).collect();
        let classes: Vec<u32> = (0..103).map(|row| u32::from(row % 10 == 0)).collect();
        let split = held_out(&rows, Some(&classes), 0.2, 7);
        let mut all = [split.train.clone(), split.test.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, rows);
        assert_eq!(split.test.len(), 21);
        // A fifth of 92 is 18.4, of 11 it is 2.2: the 0.4 that the first class rounds away makes it 3.
        assert_eq!(split.test.iter().filter(|&&row| classes[row] == 1).count(), 3);
        assert_eq!(split, held_out(&rows, Some(&classes), 0.2, 7));
        assert_ne!(split, held_out(&rows, Some(&classes), 0.2, 8));
        let folds = folds(&rows, Some(&classes), 5, 7);
        let mut judged: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        judged.sort_unstable();
        assert_eq!(judged, rows);
        for fold in &folds {
            assert_eq!(fold.train.len() + fold.test.len(), 103);
            assert!(fold.test.iter().all(|row| !fold.train.contains(row)));
            assert!((2..=3).contains(&fold.test.iter().filter(|&&row| classes[row] == 1).count()));
        }
    }

    #[test]
    fn a_class_of_one_row_is_trained_on() {
        let split = held_out(&[0, 1, 2], Some(&[0, 0, 1]), 0.9, 0);
        assert!(split.train.contains(&2));
    }

    #[test]
    fn every_fold_is_fitted_on_every_class() {
        for rare in 1..5 {
            let classes: Vec<u32> = (0..40).map(|row| if row < rare { 2 } else { row as u32 % 2 }).collect();
            for seed in 0..20 {
                let folds = folds(&(0..40).collect::<Vec<usize>>(), Some(&classes), 5, seed);
                assert_eq!(folds.len(), 5);
                let judged = folds.iter().flat_map(|fold| &fold.test).filter(|&&row| classes[row] == 2).count();
                assert_eq!(judged, if rare == 1 { 0 } else { rare });
                for fold in folds {
                    assert!((0..3).all(|class| fold.train.iter().any(|&row| classes[row] == class)));
                }
            }
        }
        assert!(folds(&[0, 1], Some(&[0, 1]), 2, 0).is_empty());
    }
}

//! What is to be predicted: the task and the target, as the column and the request have them.

use super::estimators::Task;
use super::run::Request;
use super::types::{MISSING, Table, Type, Values};
use crate::model::Cell;
use crate::{Error, Result};
use std::collections::BTreeSet;

/// The target as an estimator takes it; rows without one are `None` in `keep`.
pub struct Aim {
    pub task: Task,
    pub classes: Vec<Cell>,
    pub of: Vec<u32>,
    pub values: Vec<f64>,
    pub keep: Vec<usize>,
}

impl Aim {
    /// The class of each row, where there are classes.
    pub fn of(&self) -> Option<&[u32]> {
        (self.task == Task::Classification).then_some(&self.of)
    }
}

/// Most classes of a target.
const MOST_CLASSES: usize = 1000;

/// Reads the target and decides the task; the text says how it was decided.
///
/// # Errors
/// Where there is no target, or one that the task cannot have.
pub fn aim(table: &mut Table, request: &Request) -> Result<(Aim, String)> {
    let all = || (0..table.rows).collect::<Vec<usize>>();
    let plain = |task| Aim { task, classes: Vec::new(), of: Vec::new(), values: Vec::new(), keep: all() };
    let supervised = !matches!(request.task, Some(Task::Anomaly | Task::Clustering));
    if !supervised {
        let task = request.task.unwrap_or(Task::Anomaly);
        let how = match &table.target {
            Some(target) => format!("task: {}; {:?} is left out", task.name(), target.name),
            None => format!("task: {}", task.name()),
        };
        return Ok((plain(task), how));
    }
    let Some(target) = &table.target else {
        return Err(Error::input("no target: which column is to be predicted?")
            .remedy("Name it, --target COLUMN, or look for outliers or groups: --task anomaly, --task clustering."));
    };
    let distinct = |list: &[f64]| -> Vec<f64> {
        let bits: BTreeSet<u64> =
            list.iter().filter(|value| !value.is_nan()).map(|value| (value + 0.0).to_bits()).collect();
        let mut values: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let classification = match (request.task, &target.values) {
        (Some(task), _) => task == Task::Classification,
        (None, Values::Codes { .. }) => true,
        (None, Values::Numbers(_)) if target.kind == Type::Boolean => true,
        (None, Values::Numbers(list)) => target.kind == Type::Integer && distinct(list).len() <= 10,
    };
    let name = &target.name;
    if !classification {
        let Values::Numbers(values) = &target.values else {
            return Err(Error::input(format!("the target {name:?} holds no numbers"))
                .remedy("Classes are told apart with --task classification."));
        };
        let keep: Vec<usize> = (0..table.rows).filter(|&row| !values[row].is_nan()).collect();
        let found = distinct(values).len();
        if found < 2 {
            return Err(Error::input(format!("the target {name:?} has one value only; there is nothing to predict")));
        }
        let aim = Aim { task: Task::Regression, classes: Vec::new(), of: Vec::new(), values: values.clone(), keep };
        return Ok((aim, format!("task: regression; {name:?} is a number of {found} different values")));
    }
    let (mut classes, mut of): (Vec<Cell>, Vec<Option<u32>>) = match &target.values {
        Values::Numbers(list) => {
            let values = distinct(list);
            let place = |value: &f64| values.iter().position(|other| other == value).map(|place| place as u32);
            let cell = |value: &f64| match target.kind {
                Type::Boolean => Cell::Bool(*value == 1.0),
                Type::Integer => Cell::Int(*value as i64),
                _ => Cell::Float(*value),
            };
            (values.iter().map(cell).collect(), list.iter().map(place).collect())
        }
        Values::Codes { of, codes } => {
            // Labels that are all whole numbers are numbers, in their order.
            let numbers: Option<Vec<i64>> = of.iter().map(|text| text.trim().parse().ok()).collect();
            let cells: Vec<Cell> = match &numbers {
                Some(numbers) => numbers.iter().map(|&number| Cell::Int(number)).collect(),
                None => of.iter().map(|text| Cell::Str(text.clone())).collect(),
            };
            let mut order: Vec<usize> = (0..of.len()).collect();
            if let Some(numbers) = &numbers {
                order.sort_by_key(|&code| numbers[code]);
            }
            let mut moved = vec![0u32; of.len()];
            order.iter().enumerate().for_each(|(new, &old)| moved[old] = new as u32);
            let places = codes.iter().map(|&code| (code != MISSING).then(|| moved[code as usize])).collect();
            (order.iter().map(|&code| cells[code].clone()).collect(), places)
        }
    };
    if classes.len() < 2 {
        let only = classes.first().map_or(String::new(), |class| format!(", {class}"));
        return Err(Error::input(format!(
            "the target {name:?} has one class only{only}; there is nothing to tell apart"
        ))
        .remedy("Give rows of at least two classes, or look for outliers instead: --task anomaly."));
    }
    if classes.len() > MOST_CLASSES {
        return Err(Error::limit(format!(
            "the target {name:?} has {} classes; at most {MOST_CLASSES} are told apart",
            classes.len()
        ))
        .remedy("If it is a number, --task regression predicts it."));
    }
    if let Some(positive) = &request.positive {
        let Some(place) = classes.iter().position(|class| class.to_string() == *positive) else {
            let names: Vec<String> = classes.iter().take(10).map(ToString::to_string).collect();
            return Err(Error::input(format!("no class is {positive:?}"))
                .remedy(format!("The classes are {}.", names.join(", "))));
        };
        if classes.len() != 2 {
            return Err(Error::input("a positive class is one of two").remedy("Leave --positive out."));
        }
        if place == 0 {
            classes.swap(0, 1);
            of.iter_mut().flatten().for_each(|class| *class = 1 - *class);
        }
    }
    let keep: Vec<usize> = (0..table.rows).filter(|&row| of[row].is_some()).collect();
    let how = format!("task: classification; {name:?} has {} classes", classes.len());
    let of = of.into_iter().map(|class| class.unwrap_or(0)).collect();
    Ok((Aim { task: Task::Classification, classes, of, values: Vec::new(), keep }, how))
}

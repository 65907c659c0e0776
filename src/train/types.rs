//! Cells to typed columns: what each column holds, what stands for a missing value, which columns tell nothing.
//!
//! A column becomes numbers or categories. A date becomes number columns, one a part, named `pickup_hour`: these are
//! what the model takes and what a person passes to it, so the packed schema says no more than it holds.

use super::report::{ColumnReport, Role};
use super::table::{self, Rows};
// In a category column only an empty cell is missing: there `none` is as good a value as any.
use crate::predictor::MISSING as MARKERS;
use crate::{Error, Result};
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use std::collections::{BTreeMap, HashMap};

/// What `--types` can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Number,
    Integer,
    Boolean,
    Category,
    Date,
    /// Left out.
    Skip,
}

impl Type {
    pub const NAMES: [(&'static str, Type); 6] = [
        ("number", Type::Number),
        ("integer", Type::Integer),
        ("boolean", Type::Boolean),
        ("category", Type::Category),
        ("date", Type::Date),
        ("skip", Type::Skip),
    ];

    pub fn parse(name: &str) -> Option<Type> {
        Type::NAMES.iter().find(|(word, _)| *word == name).map(|&(_, found)| found)
    }

    pub fn name(self) -> &'static str {
        Type::NAMES.iter().find(|(_, found)| *found == self).map_or("", |(word, _)| word)
    }
}

/// The code of a missing category.
pub const MISSING: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub enum Values {
    /// NaN is missing; booleans are 0 and 1.
    Numbers(Vec<f64>),
    /// `codes` are places in `of`, which is sorted, or `MISSING`.
    Codes { of: Vec<String>, codes: Vec<u32> },
}

/// A column that a model can read, or the target.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    /// Never `Date` or `Skip`.
    pub kind: Type,
    pub values: Values,
    /// Place of its column in the file.
    pub from: usize,
    pub missing: usize,
}

/// A typed table: what is used, and a report of each column of the file.
#[derive(Debug)]
pub struct Table {
    pub columns: Vec<Column>,
    pub target: Option<Column>,
    /// One a column of the file.
    pub reports: Vec<ColumnReport>,
    pub rows: usize,
    pub notes: Vec<String>,
    /// The number in the file of each row.
    pub numbers: Vec<u64>,
}

/// What the caller knows of the columns.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    pub types: BTreeMap<String, Type>,
    pub target: Option<String>,
    /// Whether the target is to be read as labels (`Some(true)`), as numbers, or as it looks.
    pub labels: Option<bool>,
    /// More texts that mean a missing value.
    pub missing: Vec<String>,
}

/// Different values counted per column; beyond, only that there are more.
const MOST_DISTINCT: usize = 20_000;
/// Most values of a category; a column with more says nothing a model here can use.
pub const MOST_CATEGORIES: usize = 1000;

/// How dates are written: `chrono`'s patterns, what they look like, and whether a time follows.
const DATES: [(&str, &str, bool); 14] = [
    ("%Y-%m-%d", "2024-05-31", false),
    ("%Y-%m-%d %H:%M:%S%.f", "2024-05-31 18:30:00", true),
    ("%Y-%m-%d %H:%M", "2024-05-31 18:30", true),
    ("%Y-%m-%dT%H:%M:%S%.f", "2024-05-31T18:30:00", true),
    ("%Y-%m-%dT%H:%M", "2024-05-31T18:30", true),
    ("%Y/%m/%d", "2024/05/31", false),
    ("%d.%m.%Y", "31.05.2024", false),
    ("%d.%m.%Y %H:%M:%S", "31.05.2024 18:30:00", true),
    ("%d.%m.%Y %H:%M", "31.05.2024 18:30", true),
    ("%m/%d/%Y", "05/31/2024", false),
    ("%d/%m/%Y", "31/05/2024", false),
    ("%m/%d/%Y %H:%M", "05/31/2024 18:30", true),
    ("%d/%m/%Y %H:%M", "31/05/2024 18:30", true),
    ("%m/%d/%Y %H:%M:%S", "05/31/2024 18:30:00", true),
];

fn date(cell: &str, pattern: usize) -> Option<NaiveDateTime> {
    let (form, example, timed) = DATES[pattern];
    // Much cheaper than to parse in vain: the separators tell.
    if cell.len() + 4 < example.len() || !cell.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let cell = cell.strip_suffix('Z').unwrap_or(cell);
    if timed {
        NaiveDateTime::parse_from_str(cell, form).ok()
    } else {
        NaiveDate::parse_from_str(cell, form).ok()?.and_hms_opt(0, 0, 0)
    }
}

/// A number as it stands in a cell: `1`, `-2.5`, `1e3` or, with a decimal comma, `2,5` and `1.234,5`.
fn number(cell: &str, comma: bool) -> Option<f64> {
    let first = *cell.as_bytes().first()?;
    if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.' | b',')) {
        return None;
    }
    if !comma || !cell.contains(',') {
        // With a decimal comma, points set groups of three apart.
        if comma && cell.contains('.') {
            return grouped(cell, "");
        }
        return cell.parse().ok().filter(|value: &f64| value.is_finite());
    }
    let (whole, part) = cell.split_once(',')?;
    if whole.contains('.') {
        return grouped(whole, part);
    }
    format!("{whole}.{part}").parse().ok().filter(|value: &f64| value.is_finite())
}

/// Whether a text is a number with a currency, a percent sign or separators of thousands about it.
fn dressed(word: &str) -> bool {
    let signs = ['$', '€', '£', '¥', '%', ',', '\'', '’', ' ', '\u{a0}', '\u{202f}'];
    let bare = word.replace(signs, "");
    bare.len() < word.len() && number(&bare, false).is_some()
}

fn grouped(whole: &str, part: &str) -> Option<f64> {
    let mut groups = whole.split('.');
    let first = groups.next()?;
    let digits = first.trim_start_matches(['-', '+']);
    let sound = (1..=3).contains(&digits.len()) && groups.all(|group| group.len() == 3);
    let text = format!("{}.{part}", whole.replace('.', ""));
    if sound { text.parse().ok() } else { None }
}

fn boolean(cell: &str) -> Option<bool> {
    match cell {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// What one pass over a column finds.
#[derive(Clone)]
struct Seen {
    empty: usize,
    marked: usize,
    points: usize,
    commas: usize,
    whole: bool,
    booleans: usize,
    /// Bit d: every cell so far is a date as `DATES[d]` writes it.
    dates: u16,
    other: usize,
    /// Of the others, those that would be numbers without a currency, a percent sign or separators.
    dressed: usize,
    /// The first cell that is no number, and its row.
    example: Option<(usize, String)>,
    distinct: HashMap<String, u32>,
    overflow: bool,
    /// The cells are 0, 1, 2 … or 1, 2, 3 … in order.
    sequence: bool,
    bytes: usize,
}

impl Seen {
    fn new() -> Seen {
        Seen {
            empty: 0,
            marked: 0,
            points: 0,
            commas: 0,
            whole: true,
            booleans: 0,
            dates: (1 << DATES.len()) - 1,
            other: 0,
            dressed: 0,
            example: None,
            distinct: HashMap::new(),
            overflow: false,
            sequence: true,
            bytes: 0,
        }
    }

    fn cell(&mut self, cell: &str, row: usize, number_in_file: u64, extra: &[String]) {
        let word = cell.trim();
        if word.is_empty() || extra.iter().any(|marker| marker == word) {
            self.empty += 1;
            return;
        }
        if !self.overflow {
            if let Some(count) = self.distinct.get_mut(cell) {
                *count += 1;
            } else if self.distinct.len() < MOST_DISTINCT {
                self.distinct.insert(cell.to_owned(), 1);
            } else {
                self.overflow = true;
            }
        }
        self.bytes += cell.len();
        let point = number(word, false);
        match point {
            Some(value) => {
                self.points += 1;
                self.whole &= value.fract() == 0.0 && !word.contains(['.', 'e', 'E']);
                self.sequence &= value == number_in_file as f64 || value == number_in_file as f64 - 1.0;
            }
            None if MARKERS.contains(&word) => {
                self.marked += 1;
                return;
            }
            None => {
                self.sequence = false;
                if self.example.is_none() {
                    self.example = Some((row, cell.to_owned()));
                }
                self.booleans += usize::from(boolean(word).is_some());
                self.other += 1;
                self.dressed += usize::from(dressed(word));
            }
        }
        if number(word, true).is_some() {
            self.commas += 1;
        }
        let mut left = self.dates;
        while left != 0 {
            let pattern = left.trailing_zeros() as usize;
            left &= left - 1;
            if date(word, pattern).is_none() {
                self.dates &= !(1 << pattern);
            }
        }
    }

    fn values(&self) -> usize {
        self.points + self.other
    }
}

/// What a column is read as.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Plan {
    Number { comma: bool, whole: bool },
    Boolean,
    Category,
    Date(usize),
    Drop(&'static str),
}

fn quoted(name: &str) -> String {
    format!("column {name:?}")
}

/// Types the columns of a table.
///
/// # Errors
/// Where the target is absent, a column that `--types` names is, or a column mixes numbers and texts so that neither
/// reading is clearly meant.
pub fn infer(rows: &Rows, wishes: &Wishes) -> Result<Table> {
    let names = &rows.header;
    for name in wishes.types.keys().chain(&wishes.target) {
        if !names.contains(name) {
            let near = nearest(name, names.iter().map(String::as_str));
            let has = names.iter().take(30).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
            let more = if names.len() > 30 { format!(" and {} more", names.len() - 30) } else { String::new() };
            let hint = near.map_or(String::new(), |near| format!("Did you mean {near:?}? "));
            return Err(
                Error::input(format!("the data has no column {name:?}")).remedy(format!("{hint}It has {has}{more}."))
            );
        }
    }
    let mut seen = vec![Seen::new(); names.len()];
    rows.each(|row, cells| {
        for (seen, cell) in seen.iter_mut().zip(cells) {
            seen.cell(cell, row, rows.number(row), &wishes.missing);
        }
    });
    let mut notes = Vec::new();
    let mut plans = Vec::with_capacity(names.len());
    for (name, seen) in names.iter().zip(&seen) {
        let is_target = wishes.target.as_ref() == Some(name);
        let told = match (wishes.types.get(name), is_target, wishes.labels) {
            (None, true, Some(true)) if seen.booleans != seen.values() => Some(Type::Category),
            (None, true, Some(false)) => Some(Type::Number),
            (told, ..) => told.copied(),
        };
        let plan = plan(name, seen, rows, told, is_target)?;
        if let Plan::Number { comma: true, .. } = plan
            && !notes.iter().any(|note: &String| note.starts_with("decimal mark"))
        {
            notes.push("decimal mark: comma (the model itself takes numbers)".to_owned());
        }
        if let Plan::Date(pattern) = plan {
            notes.push(format!("dates of {name}: read as {}", DATES[pattern].1));
        }
        plans.push(plan);
    }
    build(rows, wishes, seen, plans, notes)
}

fn plan(name: &str, seen: &Seen, rows: &Rows, told: Option<Type>, is_target: bool) -> Result<Plan> {
    let values = seen.values();
    let comma = seen.commas > seen.points && rows.delimiter != b',';
    let numeric = if comma { seen.commas } else { seen.points };
    if told == Some(Type::Skip) {
        return Ok(Plan::Drop("left out by --types"));
    }
    if values == 0 && (seen.marked == 0 || told != Some(Type::Category)) {
        if is_target {
            return Err(Error::input(format!("the target {} has no values: every cell is empty", quoted(name)))
                .remedy("Name another target, or give data in which it is known."));
        }
        return Ok(Plan::Drop("all missing, dropped"));
    }
    match told {
        Some(Type::Number | Type::Integer) if numeric == 0 => {
            let example = seen.example.as_ref().map_or("", |(_, cell)| cell.as_str());
            return Err(Error::input(format!("{} holds no numbers; it begins with {example:?}", quoted(name)))
                .remedy(match is_target {
                    true => format!("Tell its classes apart: --task classification --types {name}=category."),
                    false => format!("Read it as categories: --types {name}=category."),
                }));
        }
        Some(Type::Number) => return Ok(Plan::Number { comma, whole: false }),
        Some(Type::Integer) => return Ok(Plan::Number { comma, whole: true }),
        Some(Type::Boolean) => return Ok(Plan::Boolean),
        Some(Type::Category) => return Ok(Plan::Category),
        Some(Type::Date) => {
            return match seen.dates {
                0 => Err(Error::input(format!("{} holds dates in no form that is known", quoted(name)))
                    .remedy("Write them as 2024-05-31 or 2024-05-31 18:30:00.")),
                dates => Ok(Plan::Date(dates.trailing_zeros() as usize)),
            };
        }
        Some(Type::Skip) | None => {}
    }
    let all = rows.len();
    let one = !seen.overflow && seen.distinct.len() == 1 && !is_target;
    if one && seen.empty == 0 {
        return Ok(Plan::Drop("constant, dropped"));
    }
    if numeric == values {
        if seen.sequence && all > 20 && !is_target && seen.empty == 0 && seen.whole {
            return Ok(Plan::Drop("numbers the rows, dropped"));
        }
        return Ok(Plan::Number { comma, whole: seen.whole && !comma });
    }
    if seen.booleans == values {
        return Ok(Plan::Boolean);
    }
    if seen.dates != 0 {
        return Ok(Plan::Date(seen.dates.trailing_zeros() as usize));
    }
    // Numbers with a few texts among them: most likely numbers, but nobody said so.
    if numeric * 20 >= values * 19 && (seen.overflow || seen.distinct.len() > 30) {
        let other = values - numeric;
        let (row, cell) = seen.example.clone().unwrap_or_default();
        let are = if other == 1 { "1 cell is not".to_owned() } else { format!("{other} are not") };
        return Err(Error::input(format!(
            "{} mixes types: {numeric} cells are numbers, {are}, the first {cell:?} in {}",
            quoted(name),
            table::place(rows.number(row))
        ))
        .remedy(format!(
            "Say what it is: --types {name}=number takes such cells as missing, --types {name}=category takes all as categories."
        )));
    }
    if is_target {
        return Ok(Plan::Category);
    }
    let distinct = if seen.overflow { usize::MAX } else { seen.distinct.len() };
    if distinct > MOST_CATEGORIES || (all > 40 && distinct * 2 > values) {
        let long = seen.bytes / values.max(1) > 30;
        return Ok(Plan::Drop(match (distinct >= values.min(MOST_DISTINCT), long) {
            _ if seen.dressed * 2 > values => {
                "texts that look like numbers ($5, 5%, 1,037.50), dropped; plain ones are read as such"
            }
            (_, true) => "free text, dropped",
            (true, _) => "a different value in every row, dropped",
            _ => "too many different values, dropped",
        }));
    }
    Ok(Plan::Category)
}

/// The name that differs least by case and one or two letters.
pub(super) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace([' ', '-', '.'], "_");
    let wanted = plain(name);
    let distance = |other: &str| {
        let (a, b): (Vec<char>, Vec<char>) = (wanted.chars().collect(), plain(other).chars().collect());
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut corner = row[0];
            row[0] = i + 1;
            for (j, y) in b.iter().enumerate() {
                let next = (corner + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
                corner = std::mem::replace(&mut row[j + 1], next);
            }
        }
        row[b.len()]
    };
    let near = names.into_iter().filter(|other| other.len() < 200).map(|other| (distance(other), other)).min()?;
    (near.0 <= 2 && near.0 * 3 <= wanted.chars().count()).then_some(near.1)
}

/// Whether most of these cells that tell are written with a decimal comma.
pub fn decimal_comma<'a>(cells: impl Iterator<Item = &'a str>) -> bool {
    let counts = cells.map(str::trim).fold((0, 0), |(commas, points), cell| {
        (commas + usize::from(number(cell, true).is_some()), points + usize::from(number(cell, false).is_some()))
    });
    counts.0 > counts.1
}

/// A number written with a decimal comma, as one with a point.
pub fn pointed(cell: &str) -> Option<String> {
    number(cell.trim(), true).map(|value| value.to_string())
}

/// How a column's dates are written.
#[derive(Clone, Copy, Debug)]
pub struct Dates(usize);

impl Dates {
    /// What all of these cells have in common. Where that is no form of dates, or several of which day and month
    /// cannot be told apart, the error says so.
    pub fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Result<Dates> {
        let mut forms = (0..DATES.len()).collect::<Vec<usize>>();
        let cells = cells.map(str::trim).filter(|cell| !cell.is_empty() && !MARKERS.contains(cell));
        cells.for_each(|cell| forms.retain(|&form| date(cell, form).is_some()));
        match forms[..] {
            // No cell tells.
            _ if forms.len() == DATES.len() => Ok(Dates(0)),
            [] => Err(Error::input("it holds dates in no form that is known")),
            [form] => Ok(Dates(form)),
            [one, other, ..] => {
                Err(Error::input(format!("its dates can be read as {} and as {}", DATES[one].1, DATES[other].1)))
            }
        }
    }

    /// A part of a date; None where it is not written so.
    pub fn part(self, cell: &str, part: usize) -> Option<f64> {
        date(cell.trim(), self.0).map(|date| parts(date)[part])
    }
}

/// The column of dates of which a column of the model is a part, and which part.
pub fn part_of(name: &str) -> Option<(&str, usize)> {
    let (column, part) = name.trim_end_matches('_').rsplit_once('_')?;
    Some((column, PARTS.iter().position(|other| *other == part)?))
}

const PARTS: [&str; 6] = ["year", "month", "day", "weekday", "hour", "minute"];

fn parts(date: NaiveDateTime) -> [f64; 6] {
    [
        f64::from(date.year()),
        f64::from(date.month()),
        f64::from(date.day()),
        f64::from(date.weekday().number_from_monday()),
        f64::from(date.hour()),
        f64::from(date.minute()),
    ]
}

enum Filling {
    Numbers(Vec<f64>),
    Codes(HashMap<String, u32>, Vec<u32>),
    Parts([Vec<f64>; 6]),
    None,
}

fn build(rows: &Rows, wishes: &Wishes, seen: Vec<Seen>, plans: Vec<Plan>, notes: Vec<String>) -> Result<Table> {
    let mut fillings: Vec<Filling> = plans
        .iter()
        .map(|plan| match plan {
            Plan::Number { .. } | Plan::Boolean => Filling::Numbers(Vec::with_capacity(rows.len())),
            Plan::Category => Filling::Codes(HashMap::new(), Vec::with_capacity(rows.len())),
            Plan::Date(_) => Filling::Parts(Default::default()),
            Plan::Drop(_) => Filling::None,
        })
        .collect();
    rows.each(|_, cells| {
        for ((cell, plan), filling) in cells.iter().zip(&plans).zip(&mut fillings) {
            let word = cell.trim();
            let empty = word.is_empty() || wishes.missing.iter().any(|marker| marker == word);
            match (filling, plan) {
                (Filling::Numbers(list), Plan::Number { comma, .. }) => {
                    list.push(if empty { f64::NAN } else { number(word, *comma).unwrap_or(f64::NAN) });
                }
                (Filling::Numbers(list), _) => {
                    let value = match word {
                        "1" => Some(true),
                        "0" => Some(false),
                        word => boolean(word),
                    };
                    list.push(value.map_or(f64::NAN, f64::from));
                }
                (Filling::Codes(places, codes), _) => {
                    if empty {
                        codes.push(MISSING);
                    } else if let Some(&code) = places.get(*cell) {
                        codes.push(code);
                    } else {
                        let code = places.len() as u32;
                        places.insert((*cell).to_owned(), code);
                        codes.push(code);
                    }
                }
                (Filling::Parts(lists), Plan::Date(pattern)) => {
                    let values = if empty { None } else { date(word, *pattern).map(parts) };
                    for (list, value) in lists.iter_mut().zip(values.unwrap_or([f64::NAN; 6])) {
                        list.push(value);
                    }
                }
                _ => {}
            }
        }
    });
    let mut table = Table {
        columns: Vec::new(),
        target: None,
        reports: Vec::new(),
        rows: rows.len(),
        notes,
        numbers: (0..rows.len()).map(|row| rows.number(row)).collect(),
    };
    for (place, ((plan, filling), seen)) in plans.iter().zip(fillings).zip(seen).enumerate() {
        let name = rows.header[place].clone();
        let is_target = wishes.target.as_ref() == Some(&name);
        let mut report = ColumnReport {
            name: name.clone(),
            kind: String::new(),
            role: if is_target { Role::Target } else { Role::Feature },
            missing: 0,
            distinct: (!seen.overflow).then_some(seen.distinct.len() as u64),
            range: None,
            values: Vec::new(),
            note: None,
        };
        let common = |seen: &Seen| {
            let mut list: Vec<(&String, u32)> = seen.distinct.iter().map(|(text, &count)| (text, count)).collect();
            list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
            list.into_iter().take(10).map(|(text, _)| text.clone()).collect::<Vec<_>>()
        };
        let (kind, values) = match (plan, filling) {
            (Plan::Drop(why), _) => {
                report.role = Role::Dropped;
                report.missing = (seen.empty + if seen.points + seen.other == 0 { seen.marked } else { 0 }) as u64;
                report.kind = if seen.points > 0 && seen.other == 0 { "number" } else { "text" }.into();
                report.note = Some((*why).to_owned());
                table.reports.push(report);
                continue;
            }
            (Plan::Date(_), Filling::Parts(lists)) => {
                report.kind = "date".into();
                report.missing = lists[0].iter().filter(|value| value.is_nan()).count() as u64;
                let mut made = Vec::new();
                for (part, list) in PARTS.iter().zip(lists) {
                    let mut known = list.iter().filter(|value| !value.is_nan());
                    let first = known.next();
                    if first.is_none_or(|first| known.all(|value| value == first)) {
                        continue;
                    }
                    let mut part_name = format!("{name}_{part}");
                    while rows.header.contains(&part_name) {
                        part_name.push('_');
                    }
                    made.push((*part).to_owned());
                    let missing = list.iter().filter(|value| value.is_nan()).count();
                    let kind = Type::Integer;
                    table.columns.push(Column {
                        name: part_name,
                        kind,
                        values: Values::Numbers(list),
                        from: place,
                        missing,
                    });
                }
                report.note = Some(match made.len() {
                    0 => "constant, dropped".to_owned(),
                    _ => format!(
                        "the model takes its parts: {}",
                        made.iter().map(|part| format!("{name}_{part}")).collect::<Vec<_>>().join(", ")
                    ),
                });
                if made.is_empty() {
                    report.role = Role::Dropped;
                }
                if is_target {
                    return Err(Error::unsupported(format!("the target {} holds dates", quoted(&name)))
                        .remedy("Predict a number, such as the days until then."));
                }
                table.reports.push(report);
                continue;
            }
            (Plan::Number { whole, .. }, Filling::Numbers(list)) => {
                (if *whole { Type::Integer } else { Type::Number }, Values::Numbers(list))
            }
            (Plan::Boolean, Filling::Numbers(list)) => (Type::Boolean, Values::Numbers(list)),
            (_, Filling::Codes(places, mut codes)) => {
                let mut of: Vec<(String, u32)> = places.into_iter().collect();
                of.sort();
                let mut moved = vec![0u32; of.len()];
                for (new, (_, old)) in of.iter().enumerate() {
                    moved[*old as usize] = new as u32;
                }
                for code in &mut codes {
                    if *code != MISSING {
                        *code = moved[*code as usize];
                    }
                }
                (Type::Category, Values::Codes { of: of.into_iter().map(|(text, _)| text).collect(), codes })
            }
            _ => continue,
        };
        report.kind = kind.name().into();
        let missing = match &values {
            Values::Numbers(list) => {
                let known = list.iter().filter(|value| !value.is_nan());
                report.range = known.clone().fold(None, |range, &value| match range {
                    None => Some((value, value)),
                    Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
                });
                let missing = list.len() - known.count();
                let odd = missing.saturating_sub(seen.empty + seen.marked);
                if odd > 0 {
                    report.note = Some(format!("{odd} cells that are no {} count as missing", kind.name()));
                }
                missing
            }
            Values::Codes { codes, .. } => {
                report.values = common(&seen);
                if seen.dressed * 2 > seen.values() {
                    report.note =
                        Some("texts that look like numbers ($5, 5%, 1,037.50); plain ones are read as such".into());
                }
                codes.iter().filter(|&&code| code == MISSING).count()
            }
        };
        report.missing = missing as u64;
        let column = Column { name, kind, values, from: place, missing };
        if is_target {
            table.target = Some(column);
        } else {
            table.columns.push(column);
        }
        table.reports.push(report);
    }
    Ok(table)
}

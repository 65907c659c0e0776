//! An estimator of the file: its class, version and fitted attributes, read with errors that name them.

use crate::import::pickle::{Array, DtypeKind, Kind, Value};
use crate::model::{Cell, Matrix};
use crate::{At, Error, Result};

/// scikit-learn's major and minor version, as `_sklearn_version` states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

/// An object of the file that is used as an estimator.
#[derive(Clone)]
pub struct Estimator<'h> {
    pub value: Value<'h>,
    pub module: &'h str,
    /// The class, e.g. `StandardScaler`.
    pub class: &'h str,
    /// Its own, or its owner's where it does not say (helper classes never do).
    pub version: Version,
    /// Where it sits, e.g. `columntransformer > num > StandardScaler`.
    pub path: String,
}

/// The version that a model without `_sklearn_version` is taken for: the newest known.
pub const NEWEST: Version = Version(1, 9);
/// Older files are refused.
pub const OLDEST: Version = Version(1, 1);

impl<'h> Estimator<'h> {
    /// `owner` gives the path and, failing its own, the version.
    ///
    /// # Errors
    /// Where the value is not an object of a named class.
    pub fn new(value: Value<'h>, step: &str, owner: Option<&Estimator<'h>>) -> Result<Estimator<'h>> {
        let inside = |name: &str| match owner {
            Some(owner) => format!("{} > {name}", owner.path),
            None => name.to_string(),
        };
        let (Kind::Object(_), Some((module, class))) = (value.kind(), value.class_name()) else {
            return Err(Error::malformed(format!("an estimator is expected, but {} is here", value.describe()))
                .at(inside(step)));
        };
        let stated = value.attr("_sklearn_version").and_then(Value::as_str).and_then(parse_version);
        let version = stated.or(owner.map(|owner| owner.version)).unwrap_or(NEWEST);
        let path = if step.is_empty() || step.eq_ignore_ascii_case(class) {
            inside(class)
        } else {
            format!("{}: {class}", inside(step))
        };
        Ok(Estimator { value, module, class, version, path })
    }

    /// An attribute that is there and is not None.
    pub fn get(&self, name: &str) -> Option<Value<'h>> {
        self.value.attr(name).filter(|value| !value.is_none())
    }

    /// # Errors
    /// Where the attribute is absent or None: a fitted one means that the model was never fitted.
    pub fn need(&self, name: &str) -> Result<Value<'h>> {
        self.get(name).ok_or_else(|| {
            let error = Error::malformed(format!("{} has no {name}", self.class));
            if name.ends_with('_') {
                error
                    .remedy("Fit the model before you save it: a fitted one has this attribute.")
                    .at(self.path.clone())
            } else {
                error.at(self.path.clone())
            }
        })
    }

    fn wrong(&self, name: &str, value: Value, expected: &str) -> Error {
        Error::malformed(format!("{name} is {}; {expected} is expected", value.describe())).at(self.path.clone())
    }

    pub fn array(&self, name: &str) -> Result<Array<'h>> {
        let value = self.need(name)?;
        value.to_array().map_err(|_| self.wrong(name, value, "a numpy array"))
    }

    /// Numbers of an array of any shape, a list or a single number, in C order.
    pub fn f64s(&self, name: &str) -> Result<Vec<f64>> {
        let value = self.need(name)?;
        numbers(value).ok_or_else(|| self.wrong(name, value, "an array of numbers"))
    }

    /// `f64s` where the attribute is there and not None.
    pub fn maybe_f64s(&self, name: &str) -> Result<Option<Vec<f64>>> {
        self.get(name).map(|_| self.f64s(name)).transpose()
    }

    pub fn f64(&self, name: &str) -> Result<f64> {
        let value = self.need(name)?;
        match self.f64s(name)?[..] {
            [number] => Ok(number),
            _ => Err(self.wrong(name, value, "one number")),
        }
    }

    pub fn usize(&self, name: &str) -> Result<usize> {
        let value = self.need(name)?;
        value
            .as_i64()
            .and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| self.wrong(name, value, "a count"))
    }

    /// Whole numbers of an array or list.
    pub fn i64s(&self, name: &str) -> Result<Vec<i64>> {
        let value = self.need(name)?;
        integers(value).ok_or_else(|| self.wrong(name, value, "an array of whole numbers"))
    }

    pub fn bool(&self, name: &str) -> Result<bool> {
        let value = self.need(name)?;
        value.as_bool().ok_or_else(|| self.wrong(name, value, "True or False"))
    }

    /// A parameter that older versions do not have.
    pub fn bool_or(&self, name: &str, default: bool) -> Result<bool> {
        if self.get(name).is_some() { self.bool(name) } else { Ok(default) }
    }

    pub fn str(&self, name: &str) -> Result<&'h str> {
        let value = self.need(name)?;
        value.as_str().ok_or_else(|| self.wrong(name, value, "a string"))
    }

    pub fn maybe_str(&self, name: &str) -> Option<&'h str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A matrix; one axis is taken for a single row. scipy's csr and csc matrices are made dense.
    pub fn matrix(&self, name: &str) -> Result<Matrix> {
        self.matrix_of(name, self.need(name)?)
    }

    /// `matrix` of a value inside the attribute `name`.
    pub fn matrix_of(&self, name: &str, value: Value<'h>) -> Result<Matrix> {
        if value.attr("indptr").is_some() {
            return sparse(value)
                .ok_or_else(|| self.wrong(name, value, "a sound sparse matrix"))?
                .at(|| self.path.clone());
        }
        let array = value.to_array().map_err(|_| self.wrong(name, value, "a numpy array"))?;
        let (rows, columns) = match array.shape[..] {
            [columns] => (1, columns),
            [rows, columns] => (rows, columns),
            _ => return Err(self.wrong(name, value, "a matrix")),
        };
        let values = array.f64s().map_err(|_| self.wrong(name, value, "a matrix of numbers"))?;
        Matrix::new(rows, columns, values).at(|| self.path.clone())
    }

    /// A parameter that names one of scikit-learn's own ways; a function in its place is refused.
    pub fn choice(&self, name: &str) -> Result<&'h str> {
        let value = self.need(name)?;
        value.as_str().ok_or_else(|| {
            self.unsupported(format!("{name} is a function: {}", value.describe()))
                .remedy("Its code is not in the file. Fit the model with one that scikit-learn has by name.")
        })
    }

    /// The error for a parameter that is not supported, with those that are.
    pub fn not_among(&self, name: &str, found: &str, supported: &str) -> Error {
        self.unsupported(format!("{name}='{found}' is not supported"))
            .remedy(format!("Fit the model with {supported}."))
    }

    /// `matrix` with as many columns as the input has.
    pub fn matrix_over(&self, name: &str, columns: usize) -> Result<Matrix> {
        let matrix = self.matrix(name)?;
        if matrix.columns != columns {
            return Err(Error::malformed(format!(
                "{name} has {} columns, but {columns} columns come in",
                matrix.columns
            ))
            .at(self.path.clone()));
        }
        Ok(matrix)
    }

    /// A list or tuple.
    pub fn list(&self, name: &str) -> Result<Vec<Value<'h>>> {
        let value = self.need(name)?;
        match value.items() {
            Some(items) => Ok(items.into_iter().collect()),
            None => Err(self.wrong(name, value, "a list")),
        }
    }

    /// Labels: strings, numbers or booleans, in order.
    pub fn cells(&self, name: &str) -> Result<Vec<Cell>> {
        let value = self.need(name)?;
        cells(value).ok_or_else(|| self.wrong(name, value, "an array of labels"))
    }

    pub fn unsupported(&self, message: impl Into<String>) -> Error {
        Error::unsupported(message).at(self.path.clone())
    }

    pub fn malformed(&self, message: impl Into<String>) -> Error {
        Error::malformed(message).at(self.path.clone())
    }
}

/// The most numbers a sparse matrix may have when it is made dense: 128 MiB, more than a page should load.
const MOST_DENSE: usize = 1 << 24;

/// A csr or csc matrix of scipy, dense. None where its parts do not fit.
fn sparse(value: Value) -> Option<Result<Matrix>> {
    let by_row = match value.class_name()?.1 {
        "csr_matrix" | "csr_array" => true,
        "csc_matrix" | "csc_array" => false,
        _ => return None,
    };
    let [rows, columns] = integers(value.attr("_shape")?)?[..] else { return None };
    let (rows, columns) = (usize::try_from(rows).ok()?, usize::try_from(columns).ok()?);
    let (lines, length) = if by_row { (rows, columns) } else { (columns, rows) };
    let starts = integers(value.attr("indptr")?)?;
    let (places, data) = (integers(value.attr("indices")?)?, numbers(value.attr("data")?)?);
    if starts.len() != lines.checked_add(1)? || places.len() != data.len() {
        return None;
    }
    let count = rows.checked_mul(columns)?;
    if count > MOST_DENSE {
        return Some(Err(Error::limit(format!(
            "a sparse matrix of {rows} × {columns}, at most {MOST_DENSE} numbers"
        ))));
    }
    let mut values = vec![0.0; count];
    for (line, bounds) in starts.windows(2).enumerate() {
        let range = usize::try_from(bounds[0]).ok()?..usize::try_from(bounds[1]).ok()?;
        for (&place, &number) in places.get(range.clone())?.iter().zip(data.get(range)?) {
            let place = usize::try_from(place).ok().filter(|&place| place < length)?;
            let at = if by_row { line * columns + place } else { place * columns + line };
            // Entries given twice add up.
            values[at] += number;
        }
    }
    Some(Matrix::new(rows, columns, values))
}

fn parse_version(text: &str) -> Option<Version> {
    let mut parts = text.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    Some(Version(parts.next()??, parts.next()??))
}

/// Numbers of an array, list, tuple or a single number.
pub fn numbers(value: Value) -> Option<Vec<f64>> {
    if let Some(number) = value.as_f64() {
        return Some(vec![number]);
    }
    if let Ok(array) = value.to_array()
        && array.kind() != DtypeKind::Object
    {
        return array.f64s().ok();
    }
    value.items()?.map(Value::as_f64).collect()
}

pub fn integers(value: Value) -> Option<Vec<i64>> {
    if let Ok(array) = value.to_array()
        && array.kind() != DtypeKind::Object
    {
        return array.i64s().ok();
    }
    value.items()?.map(Value::as_i64).collect()
}

/// Labels of an array, list or tuple.
pub fn cells(value: Value) -> Option<Vec<Cell>> {
    if let Ok(array) = value.to_array() {
        match array.kind() {
            DtypeKind::Object => {}
            DtypeKind::Str => return Some(array.strings().ok()?.into_iter().map(Cell::Str).collect()),
            DtypeKind::Bool => return Some(array.bools().ok()?.into_iter().map(Cell::Bool).collect()),
            DtypeKind::Int | DtypeKind::Uint => return Some(array.i64s().ok()?.into_iter().map(Cell::Int).collect()),
            DtypeKind::Float => return Some(array.f64s().ok()?.into_iter().map(Cell::float).collect()),
            _ => return None,
        }
        return array.objects().ok()?.into_iter().map(cell).collect();
    }
    value.items()?.map(cell).collect()
}

/// A label or category on its own; pandas' NA is missing.
pub fn cell(value: Value) -> Option<Cell> {
    Some(match value.kind() {
        Kind::None => Cell::None,
        Kind::Bool(value) => Cell::Bool(value),
        Kind::Int(value) => Cell::Int(value),
        Kind::Float(value) => Cell::float(value),
        Kind::Str(value) => Cell::Str(value.to_string()),
        Kind::Global { name: "NA", module } if module.starts_with("pandas") => Cell::Nan,
        _ => return None,
    })
}

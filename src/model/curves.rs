//! Curves over single columns: quantiles and splines; and the rows that fill missing values.

use super::Matrix;
use crate::{Error, Result};

/// Each column to 0..1 by its quantiles: the mean of linear interpolation from both sides, which differ where
/// quantiles are equal.
#[derive(Clone, Debug)]
pub struct Quantiles {
    /// columns × references, each row ascending.
    pub quantiles: Matrix,
    /// Ascending.
    pub references: Vec<f64>,
    /// How near to an end counts as the end, exclusive; at 0 only the end itself does.
    pub near: f64,
}

impl Quantiles {
    pub fn check(&self, columns: usize) -> Result<()> {
        if self.quantiles.rows != columns || self.quantiles.columns != self.references.len() {
            return Err(Error::malformed(format!(
                "{} × {} quantiles for {columns} columns and {} references",
                self.quantiles.rows,
                self.quantiles.columns,
                self.references.len()
            )));
        }
        let mut lists = (0..columns).map(|column| self.quantiles.row(column)).chain([self.references.as_slice()]);
        // A column that was missing throughout has NaN for quantiles.
        if self.references.is_empty() || !lists.all(|list| list.is_sorted() || list.iter().all(|x| x.is_nan())) {
            return Err(Error::malformed("quantiles are not in ascending order"));
        }
        Ok(())
    }
}

/// The basis of B-splines of one column, an output each.
#[derive(Clone, Debug)]
pub struct Splines {
    /// Ascending.
    pub knots: Vec<f64>,
    pub degree: u32,
    /// Outputs; bases past these wrap around to the first.
    pub width: u32,
    pub beyond: Beyond,
    /// A missing value makes zeros.
    pub missing: bool,
}

/// What splines do beyond the outer knots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// Below the knot of this number the first `count` bases go on from their values there, above the knot as far
    /// from the end the last ones; in straight lines where `sloped`, else level. The other bases are 0.
    Lines { knot: u32, count: u32, sloped: bool },
    /// The outer pieces go on.
    Continue,
    /// Around to the other end.
    Wrap,
    /// The original raises.
    Refuse,
}

impl Splines {
    pub fn check(&self) -> Result<()> {
        let (knots, degree) = (self.knots.len(), self.degree as usize);
        if knots < degree.saturating_mul(2).saturating_add(2) || !self.knots.is_sorted() || self.width == 0 {
            return Err(Error::malformed(format!("{knots} knots, in this order, of splines of degree {degree}")));
        }
        if let Beyond::Lines { knot, count, .. } = self.beyond
            && (knot as usize >= knots || count > self.width)
        {
            return Err(Error::malformed(format!("{count} splines of {} go on from knot {knot}", self.width)));
        }
        Ok(())
    }
}

/// Rows of training that lend a value: the mean over the nearest rows that have the column.
#[derive(Clone, Debug)]
pub struct Donors {
    /// rows × columns, NaN where missing.
    pub rows: Matrix,
    /// Of how many rows at most.
    pub count: u32,
    /// Weights are 1 / distance; where distances are zero, only those rows count.
    pub by_distance: bool,
    /// Where fewer rows than `count`, though there are more with the column, share a column with this one: refused.
    pub strict: bool,
    /// One a column, where no row shares one.
    pub means: Vec<f64>,
}

impl Donors {
    pub fn check(&self, columns: usize) -> Result<()> {
        if self.rows.columns != columns || self.means.len() != columns || columns == 0 {
            let message = format!("rows of {} columns for {columns} columns", self.rows.columns);
            return Err(Error::malformed(message));
        }
        if self.count == 0 || self.count as usize > self.rows.rows {
            return Err(Error::malformed(format!("{} neighbours among {} rows", self.count, self.rows.rows)));
        }
        Ok(())
    }
}

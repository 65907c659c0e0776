//! Arguments of curves, products and donors.

use super::args::Args;
use crate::image::Kernel;
use crate::model::{Beyond, Donors, Quantiles, Splines};
use crate::runtime::curves::{MOST_DEGREE, basis, beyond, interval};
use crate::{Error, Result};

pub fn digitize(args: &mut Args, edges: &[Vec<f64>]) -> Kernel {
    args.u32s(&edges.iter().map(|edges| edges.len() as u32).collect::<Vec<_>>());
    args.f64s(&edges.concat());
    Kernel::Digitize
}

pub fn products(args: &mut Args, terms: &[Vec<u32>]) -> Result<Kernel> {
    let mut end = 0u32;
    let mut ends = Vec::with_capacity(terms.len());
    for term in terms {
        end = u32::try_from(term.len())
            .ok()
            .and_then(|length| end.checked_add(length))
            .ok_or_else(|| Error::limit("more than 4294967295 factors of products"))?;
        ends.push(end);
    }
    args.u32s(&ends).u32s(&terms.concat());
    Ok(Kernel::Products)
}

pub fn quantiles(args: &mut Args, quantiles: &Quantiles) -> Kernel {
    args.u32(quantiles.references.len() as u32).f64(quantiles.near);
    args.f64s(&quantiles.references).f64s(&quantiles.quantiles.values);
    Kernel::Quantiles
}

pub fn splines(args: &mut Args, splines: &Splines) -> Result<Kernel> {
    if splines.degree as usize > MOST_DEGREE {
        return Err(Error::limit(format!("splines of degree {}; at most {MOST_DEGREE} is known", splines.degree)));
    }
    let code = match splines.beyond {
        Beyond::Clamp => beyond::CLAMP,
        Beyond::Line => beyond::LINE,
        Beyond::Continue => beyond::CONTINUE,
        Beyond::Wrap => beyond::WRAP,
        Beyond::Refuse => beyond::REFUSE,
    };
    args.u32s(&[splines.knots.len() as u32, splines.degree, code]).f64s(&splines.knots);
    if splines.beyond == Beyond::Line {
        args.f64s(&slopes(splines).concat());
    }
    Ok(Kernel::Splines)
}

pub fn donors(args: &mut Args, donors: &Donors) -> Kernel {
    let flags = u32::from(donors.by_distance) | u32::from(donors.strict) << 1;
    args.u32s(&[donors.rows.rows as u32, donors.count, flags]).f64s(&donors.means).f64s(&donors.rows.values);
    Kernel::Donors
}

/// The slopes of the `degree + 1` bases that are not zero in the first inner piece, at its lower end, and of those in
/// the last, at its upper end.
fn slopes(splines: &Splines) -> [Vec<f64>; 2] {
    let (knots, degree) = (&splines.knots, splines.degree as usize);
    [knots[degree], knots[knots.len() - degree - 1]].map(|x| {
        let piece = interval(knots, degree, x);
        let mut lower = [0.0; MOST_DEGREE + 1];
        if degree > 0 {
            basis(knots, degree - 1, piece, x, &mut lower);
        }
        let part = |place: usize, basis: usize| {
            let width = knots[basis + degree] - knots[basis];
            if width > 0.0 { degree as f64 * lower[place] / width } else { 0.0 }
        };
        (0..=degree)
            .map(|place| {
                let basis = piece - degree + place;
                let rise = if place > 0 { part(place - 1, basis) } else { 0.0 };
                let fall = if place < degree { part(place, basis + 1) } else { 0.0 };
                rise - fall
            })
            .collect()
    })
}

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
    let (code, lines) = match splines.beyond {
        Beyond::Lines { knot, count, sloped } => (beyond::LINES, lines(splines, knot, count, sloped)),
        Beyond::Continue => (beyond::CONTINUE, [(0.0, Vec::new()), (0.0, Vec::new())]),
        Beyond::Wrap => (beyond::WRAP, [(0.0, Vec::new()), (0.0, Vec::new())]),
        Beyond::Refuse => (beyond::REFUSE, [(0.0, Vec::new()), (0.0, Vec::new())]),
    };
    let [(low, below), (high, above)] = lines;
    args.u32s(&[splines.knots.len() as u32, splines.degree, code, below.len() as u32 / 2]);
    args.f64s(&splines.knots).f64s(&[low, high]).f64s(&below).f64s(&above);
    Ok(Kernel::Splines)
}

pub fn donors(args: &mut Args, donors: &Donors) -> Kernel {
    let flags = u32::from(donors.by_distance) | u32::from(donors.strict) << 1;
    args.u32s(&[donors.rows.rows as u32, donors.count, flags]).f64s(&donors.means).f64s(&donors.rows.values);
    Kernel::Donors
}

/// Where the lines begin at either end, and the value and slope there of each basis that goes on.
fn lines(splines: &Splines, knot: u32, count: u32, sloped: bool) -> [(f64, Vec<f64>); 2] {
    let (knots, count) = (&splines.knots, count as usize);
    let knot = knot as usize;
    let width = splines.width as usize;
    [(knots[knot], 0..count), (knots[knots.len() - 1 - knot], width - count..width)].map(|(x, bases)| {
        let (values, slopes) = values_and_slopes(splines, x);
        (x, bases.flat_map(|basis| [values[basis], if sloped { slopes[basis] } else { 0.0 }]).collect())
    })
}

/// Every basis and its derivative at x.
fn values_and_slopes(splines: &Splines, x: f64) -> (Vec<f64>, Vec<f64>) {
    let (knots, degree) = (&splines.knots, splines.degree as usize);
    let piece = interval(knots, degree, x);
    let (mut here, mut lower) = ([0.0; MOST_DEGREE + 1], [0.0; MOST_DEGREE + 1]);
    basis(knots, degree, piece, x, &mut here);
    if degree > 0 {
        basis(knots, degree - 1, piece, x, &mut lower);
    }
    let part = |place: usize, basis: usize| {
        let width = knots[basis + degree] - knots[basis];
        if width > 0.0 { degree as f64 * lower[place] / width } else { 0.0 }
    };
    let bases = knots.len() - degree - 1;
    let (mut values, mut slopes) = (vec![0.0; bases], vec![0.0; bases]);
    for (place, &value) in here[..=degree].iter().enumerate() {
        let basis = piece - degree + place;
        values[basis] = value;
        let rise = if place > 0 { part(place - 1, basis) } else { 0.0 };
        let fall = if place < degree { part(place, basis + 1) } else { 0.0 };
        slopes[basis] = rise - fall;
    }
    (values, slopes)
}

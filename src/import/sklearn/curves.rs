//! Transformers that bend single columns: bins, powers, quantiles and splines; and products of columns
//! (sklearn.preprocessing).

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, numbers};
use super::preprocessing;
use crate::model::{Beyond, Function, Matrix, Op, Power, Quantiles, Splines, Wire};
use crate::{Error, Result};

/// 1 above the threshold, else 0.
pub fn binarizer(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    builder.map(Op::Above { threshold: estimator.f64("threshold")? }, frame, estimator)
}

/// The bin of each value, its column one-hot where asked for. The outer edges have no part: values beyond them are
/// in the outer bins.
pub fn bins(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let lists = estimator.list("bin_edges_")?;
    let edges: Option<Vec<Vec<f64>>> = lists
        .into_iter()
        .map(|list| numbers(list).filter(|edges| edges.len() >= 2).map(|edges| edges[1..edges.len() - 1].to_vec()))
        .collect();
    let edges = edges.ok_or_else(|| estimator.malformed("bin_edges_ does not hold the edges of bins"))?;
    let places = builder.map(Op::Digitize { edges }, frame, estimator)?;
    if estimator.str("encode")? == "ordinal" {
        return Ok(places);
    }
    builder.visit(estimator.need("_encoder")?, "_encoder", Some(estimator), |builder, encoder| {
        preprocessing::one_hot_encoder(builder, encoder, &places)
    })
}

/// Factors of all products, those of degrees below the least too.
const MOST_FACTORS: usize = 1 << 24;

/// Products of up to `degree` columns, each the original's, from the last factor to the first.
pub fn polynomial(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let (least, most) = (estimator.usize("_min_degree")?, estimator.usize("_max_degree")?);
    let distinct = estimator.bool("interaction_only")?;
    let mut terms: Vec<Vec<u32>> = Vec::new();
    if estimator.bool("include_bias")? {
        terms.push(Vec::new());
    }
    let stated = estimator.usize("n_output_features_")?;
    let mut factors = 0;
    // Terms of one degree after those of the last, in lexical order.
    let mut last: Vec<Vec<u32>> = vec![Vec::new()];
    for degree in 1..=most {
        let mut next = Vec::new();
        for term in &last {
            let before = next.len();
            let first = term.last().map_or(0, |&factor| factor + u32::from(distinct));
            for factor in first..frame.len() as u32 {
                next.push([term.as_slice(), &[factor]].concat());
            }
            factors += degree * (next.len() - before);
            if factors > MOST_FACTORS {
                return Err(Error::limit("too many products of columns").at(estimator.path.clone()));
            }
        }
        if next.is_empty() {
            break;
        }
        if degree >= least {
            terms.extend(next.iter().cloned());
        }
        last = next;
    }
    if terms.len() != stated {
        return Err(estimator.malformed(format!("{} products, but n_output_features_ is {stated}", terms.len())));
    }
    let names = terms.iter().map(|term| product_name(term, &frame.names)).collect();
    terms.iter_mut().for_each(|term| term.reverse());
    let wires = builder.graph.push(Op::Products { terms }, frame.wires.clone(), &estimator.path)?;
    Ok(Frame { wires, names })
}

/// `a^2 b`, or `1`.
fn product_name(term: &[u32], names: &[String]) -> String {
    let factors: Vec<String> = term
        .chunk_by(|a, b| a == b)
        .map(|same| match same {
            [factor] => names[*factor as usize].clone(),
            same => format!("{}^{}", names[same[0] as usize], same.len()),
        })
        .collect();
    if factors.is_empty() { "1".to_string() } else { factors.join(" ") }
}

/// Box-Cox or Yeo-Johnson by `lambdas_`, then `_scaler`.
pub fn power(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let method = match estimator.str("method")? {
        "box-cox" => Power::BoxCox,
        "yeo-johnson" => Power::YeoJohnson,
        other => return Err(estimator.unsupported(format!("method='{other}'"))),
    };
    let bent = builder.map(Op::Power { method, lambdas: estimator.f64s("lambdas_")? }, frame, estimator)?;
    if !estimator.bool("standardize")? {
        return Ok(bent);
    }
    builder.visit(estimator.need("_scaler")?, "_scaler", Some(estimator), |builder, scaler| {
        preprocessing::standard_scaler(builder, scaler, &bent)
    })
}

/// How near to the outer quantiles counts as on them (`BOUNDS_THRESHOLD`), for a normal output.
const NEAR: f64 = 1e-7;
/// Normal quantiles of `NEAR` less one rounding of 1, and of 1 less that: what the original clips to.
const CLIP: (f64, f64) = (-5.199_337_582_605_575, 5.199_337_582_703_42);

/// To 0..1 by quantiles, from there to a normal distribution where asked for.
pub fn quantiles(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let normal = match estimator.str("output_distribution")? {
        "uniform" => false,
        "normal" => true,
        other => return Err(estimator.unsupported(format!("output_distribution='{other}'"))),
    };
    let stored = estimator.matrix("quantiles_")?;
    let columns = (0..stored.columns).flat_map(|column| (0..stored.rows).map(move |row| (row, column)));
    let values = columns.map(|(row, column)| stored.row(row)[column]).collect();
    let quantiles = Matrix::new(stored.columns, stored.rows, values)?;
    let references = estimator.f64s("references_")?;
    let op = Op::Quantiles(Quantiles { quantiles, references, near: if normal { NEAR } else { 0.0 } });
    let uniform = builder.map(op, frame, estimator)?;
    if !normal {
        return Ok(uniform);
    }
    let normal = builder.map(Op::Function(Function::NormalQuantile), &uniform, estimator)?;
    builder.map(Op::Clip { low: CLIP.0, high: CLIP.1 }, &normal, estimator)
}

/// The B-spline bases of each column; without `include_bias` the last of each is left out.
pub fn splines(builder: &mut Builder, estimator: &Estimator, frame: &Frame) -> Result<Frame> {
    let bases = estimator.list("bsplines_")?;
    if bases.len() != frame.len() {
        return Err(estimator.malformed(format!("splines of {} columns for {}", bases.len(), frame.len())));
    }
    let degree = estimator.usize("degree")?;
    let small = u32::try_from(degree).ok().filter(|&degree| degree <= 1000);
    let small = small.ok_or_else(|| estimator.malformed(format!("splines of degree {degree}")))?;
    // The original raises its degree while it goes through the columns, where that is 0 or 1 and lines go on: from
    // the second column on they begin at an inner knot.
    let mut line = small;
    let mut beyond = || {
        Ok(match estimator.str("extrapolation")? {
            // Of degree 0 the original makes zeros below and an error above.
            "constant" if degree == 0 => {
                return Err(estimator
                    .unsupported("splines of degree 0 with extrapolation='constant'")
                    .remedy("Fit it with degree 1 or more, or bin the column with KBinsDiscretizer."));
            }
            "constant" => Beyond::Lines { knot: small, count: small, sloped: false },
            "linear" => {
                let knot = line;
                line += u32::from(line <= 1);
                Beyond::Lines { knot, count: line, sloped: true }
            }
            "continue" => Beyond::Continue,
            "periodic" => Beyond::Wrap,
            "error" => Beyond::Refuse,
            other => return Err(estimator.unsupported(format!("extrapolation='{other}'"))),
        })
    };
    let missing = estimator.maybe_str("handle_missing") == Some("zeros");
    let bias = estimator.bool("include_bias")?;
    let mut made = Frame { wires: Vec::new(), names: Vec::new() };
    for ((value, &wire), name) in bases.into_iter().zip(&frame.wires).zip(&frame.names) {
        let spline = Estimator::new(value, name, Some(estimator))?;
        // scipy renamed t to _t in 1.15.
        let knots = spline.f64s(if spline.get("t").is_some() { "t" } else { "_t" })?;
        let beyond = beyond()?;
        let own = if beyond == Beyond::Wrap { degree } else { 0 };
        let width = knots.len().checked_sub(degree + 1 + own).filter(|&width| width > 0);
        let Some(width) = width else {
            return Err(spline.malformed(format!("{} knots for splines of degree {degree}", knots.len())));
        };
        if spline.usize("k")? != degree {
            return Err(spline.malformed(format!("k is not the degree {degree}")));
        }
        let op = Op::Splines(Splines { knots, degree: small, width: width as u32, beyond, missing });
        let mut wires: Vec<Wire> = builder.graph.push(op, vec![wire], &estimator.path)?;
        if !bias {
            wires.pop();
        }
        made.names.extend((0..wires.len()).map(|number| format!("{name}_sp_{number}")));
        made.wires.extend(wires);
    }
    Ok(made)
}

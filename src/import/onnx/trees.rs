//! Tree ensembles of ai.onnx.ml, as onnxruntime computes them: each row's sums start at zero, add each tree's leaf in
//! the order of the trees, in f32 (f64 for double input), and the base values last. It shares trees among threads from
//! 80 trees (one row) or 50 rows and as many trees as threads on; then it adds the sums of the threads' shares, in an
//! order of its own. With one thread the order is the one here.
//!
//! A missing value goes to the true side where `nodes_missing_value_tracks_true` says so, else where the comparison
//! leads it, which is the false side but for BRANCH_NEQ.

use super::reduce::post_transform;
use super::value::{Kind, Nature, Tensor, Value};
use super::{Call, Context, labelled};
use crate::model::{Aggregate, Cell, Ensemble, Function, Leaves, Lookup, Node, Op, Test, Tree, Unknown, Width, Wire};
use crate::{Error, Result};
use std::collections::HashMap;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    LessEqual,
    Less,
    GreaterEqual,
    Greater,
    Equal,
    NotEqual,
    Member,
}

enum RawNode {
    Branch {
        feature: u32,
        mode: Mode,
        value: f64,
        members: Vec<f64>,
        tracks: bool,
        yes: usize,
        no: usize,
    },
    /// Targets and what is added to them.
    Leaf(Vec<(usize, f64)>),
}

struct Raw {
    nodes: Vec<RawNode>,
    roots: Vec<usize>,
    /// Each tree's nodes stand together, from its root to the next; not so in version 5.
    together: bool,
}

/// A list of numbers: an attribute of floats or, from version 3 on, of a tensor.
fn numbers(call: &Call, name: &str) -> Result<Vec<f64>> {
    match call.held(&format!("{name}_as_tensor"))? {
        Some(tensor) => Ok(tensor.constants()?.to_vec()),
        None => Ok(call.floats(name).to_vec()),
    }
}

fn lengths(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::malformed(format!("{name} has {found} entries, but {expected} are expected")))
}

/// Reads the nodes of TreeEnsembleClassifier and TreeEnsembleRegressor, whose leaves are listed as `class_` or
/// `target_`.
fn read(call: &Call, of: &str, targets: usize) -> Result<Raw> {
    let trees = call.ints("nodes_treeids");
    let ids = call.ints("nodes_nodeids");
    let (yes, no) = (call.ints("nodes_truenodeids"), call.ints("nodes_falsenodeids"));
    let features = call.ints("nodes_featureids");
    let tracks = call.ints("nodes_missing_value_tracks_true");
    let modes = call.texts("nodes_modes")?;
    let values = numbers(call, "nodes_values")?;
    let count = trees.len();
    for (name, found) in [
        ("nodes_nodeids", ids.len()),
        ("nodes_truenodeids", yes.len()),
        ("nodes_falsenodeids", no.len()),
        ("nodes_featureids", features.len()),
        ("nodes_modes", modes.len()),
        ("nodes_values", values.len()),
    ] {
        lengths(name, found, count)?;
    }
    if !tracks.is_empty() {
        lengths("nodes_missing_value_tracks_true", tracks.len(), count)?;
    }
    let mut places = HashMap::with_capacity(count);
    let mut roots: Vec<usize> = Vec::new();
    for place in 0..count {
        if places.insert((trees[place], ids[place]), place).is_some() {
            let message = format!("tree {}, node {} is there twice", trees[place], ids[place]);
            return Err(Error::malformed(message));
        }
        if place == 0 || trees[place] != trees[place - 1] {
            roots.push(place);
        }
    }
    let find = |tree: i64, node: i64| {
        let place = places.get(&(tree, node)).copied();
        place.ok_or_else(|| Error::malformed(format!("tree {tree} has no node {node}")))
    };
    let mut nodes = Vec::with_capacity(count);
    for place in 0..count {
        let mode = match modes[place].as_str() {
            "LEAF" => {
                nodes.push(RawNode::Leaf(Vec::new()));
                continue;
            }
            "BRANCH_LEQ" => Mode::LessEqual,
            "BRANCH_LT" => Mode::Less,
            "BRANCH_GTE" => Mode::GreaterEqual,
            "BRANCH_GT" => Mode::Greater,
            "BRANCH_EQ" => Mode::Equal,
            "BRANCH_NEQ" => Mode::NotEqual,
            other => return Err(Error::unsupported(format!("nodes of the mode {other}"))),
        };
        let feature = u32::try_from(features[place]);
        nodes.push(RawNode::Branch {
            feature: feature.map_err(|_| Error::malformed(format!("the feature {}", features[place])))?,
            mode,
            value: values[place],
            members: Vec::new(),
            tracks: tracks.get(place) == Some(&1),
            yes: find(trees[place], yes[place])?,
            no: find(trees[place], no[place])?,
        });
    }
    let list = |what: &str| format!("{of}_{what}");
    let (to_tree, to_node) = (call.ints(&list("treeids")), call.ints(&list("nodeids")));
    let (to, weights) = (call.ints(&list("ids")), numbers(call, &list("weights"))?);
    lengths(&list("nodeids"), to_node.len(), to_tree.len())?;
    lengths(&list("ids"), to.len(), to_tree.len())?;
    lengths(&list("weights"), weights.len(), to_tree.len())?;
    for (((&tree, &node), &target), &weight) in to_tree.iter().zip(to_node).zip(to).zip(&weights) {
        let target = usize::try_from(target).ok().filter(|&target| target < targets);
        let target = target.ok_or_else(|| Error::malformed(format!("a leaf for one of {targets} targets")))?;
        let RawNode::Leaf(leaf) = &mut nodes[find(tree, node)?] else {
            return Err(Error::malformed(format!("tree {tree}, node {node} has a weight but is no leaf")));
        };
        leaf.push((target, weight));
    }
    Ok(Raw { nodes, roots, together: true })
}

/// Reads TreeEnsemble of ai.onnx.ml 5: splits and leaves in lists of their own.
fn read_five(call: &Call, targets: usize) -> Result<Raw> {
    let need = |name: &str| -> Result<Vec<f64>> {
        let tensor = call.held(name)?.ok_or_else(|| Error::malformed(format!("no {name}")))?;
        Ok(tensor.constants()?.to_vec())
    };
    let (values, modes) = (need("nodes_splits")?, need("nodes_modes")?);
    let features = call.ints("nodes_featureids");
    let (yes, no) = (call.ints("nodes_truenodeids"), call.ints("nodes_falsenodeids"));
    let (yes_leaf, no_leaf) = (call.ints("nodes_trueleafs"), call.ints("nodes_falseleafs"));
    let tracks = call.ints("nodes_missing_value_tracks_true");
    let count = values.len();
    for (name, found) in [
        ("nodes_modes", modes.len()),
        ("nodes_featureids", features.len()),
        ("nodes_truenodeids", yes.len()),
        ("nodes_falsenodeids", no.len()),
        ("nodes_trueleafs", yes_leaf.len()),
        ("nodes_falseleafs", no_leaf.len()),
    ] {
        lengths(name, found, count)?;
    }
    if !tracks.is_empty() {
        lengths("nodes_missing_value_tracks_true", tracks.len(), count)?;
    }
    let weights = need("leaf_weights")?;
    let to = call.ints("leaf_targetids");
    lengths("leaf_targetids", to.len(), weights.len())?;
    let child = |is_leaf: i64, number: i64| -> Result<usize> {
        let (from, size) = if is_leaf != 0 { (count, weights.len()) } else { (0, count) };
        let number = usize::try_from(number).ok().filter(|&number| number < size);
        Ok(from + number.ok_or_else(|| Error::malformed("a child that does not exist"))?)
    };
    let members =
        call.held("membership_values")?.map_or(Ok(Vec::new()), |list| list.constants().map(<[f64]>::to_vec))?;
    let mut sets = members.split(|member| member.is_nan());
    let mut nodes = Vec::with_capacity(count + weights.len());
    for place in 0..count {
        let mode = match modes[place] {
            0.0 => Mode::LessEqual,
            1.0 => Mode::Less,
            2.0 => Mode::GreaterEqual,
            3.0 => Mode::Greater,
            4.0 => Mode::Equal,
            5.0 => Mode::NotEqual,
            6.0 => Mode::Member,
            other => return Err(Error::malformed(format!("nodes of the mode {other}"))),
        };
        let feature = u32::try_from(features[place]);
        let of = if mode == Mode::Member { sets.next().unwrap_or_default().to_vec() } else { Vec::new() };
        nodes.push(RawNode::Branch {
            feature: feature.map_err(|_| Error::malformed(format!("the feature {}", features[place])))?,
            mode,
            value: values[place],
            members: of,
            tracks: tracks.get(place) == Some(&1),
            yes: child(yes_leaf[place], yes[place])?,
            no: child(no_leaf[place], no[place])?,
        });
    }
    for (&target, &weight) in to.iter().zip(&weights) {
        let target = usize::try_from(target).ok().filter(|&target| target < targets);
        let target = target.ok_or_else(|| Error::malformed(format!("a leaf for one of {targets} targets")))?;
        nodes.push(RawNode::Leaf(vec![(target, weight)]));
    }
    // A tree of one leaf is a node whose two children are that leaf.
    let root = |&root: &i64| {
        let root = usize::try_from(root).ok().filter(|&root| root < count);
        root.ok_or_else(|| Error::malformed("a root that does not exist"))
    };
    let roots: Vec<usize> = call.ints("tree_roots").iter().map(root).collect::<Result<_>>()?;
    for &root in &roots {
        if let RawNode::Branch { yes, no, .. } = nodes[root]
            && yes == no
            && let RawNode::Leaf(leaf) = &nodes[yes]
        {
            nodes[root] = RawNode::Leaf(leaf.clone());
        }
    }
    Ok(Raw { nodes, roots, together: false })
}

/// A column beside the input's: whether a feature is one of some values, with what a missing one counts as.
type Extra = (u32, Vec<u64>, bool);

/// Turns the nodes below each root into trees and adds up their leaves.
struct Builder<'r> {
    raw: &'r Raw,
    /// Columns of the input.
    columns: usize,
    double: bool,
    extras: Vec<Extra>,
    known: HashMap<Extra, u32>,
}

impl Builder<'_> {
    /// The column that is 1 where the feature is one of the values.
    fn extra(&mut self, extra: Extra) -> u32 {
        let next = (self.columns + self.extras.len()) as u32;
        *self.known.entry(extra).or_insert_with_key(|extra| {
            self.extras.push(extra.clone());
            next
        })
    }

    /// The values that the node compares a feature with for equality, and its false side. A set of categories is written
    /// as a chain of BRANCH_EQ whose true sides are one and the same node.
    fn chain(&self, node: &RawNode, spent: &mut [bool]) -> Result<(Vec<f64>, usize)> {
        let RawNode::Branch { feature, mode, value, members, tracks, yes, no } = node else {
            return Err(Error::malformed("a leaf where a split is expected"));
        };
        if *mode != Mode::Equal {
            return Ok((if *mode == Mode::Member { members.clone() } else { vec![*value] }, *no));
        }
        let (own, mut values, mut next) = ((feature, tracks, yes), vec![*value], *no);
        while let RawNode::Branch { feature, mode: Mode::Equal, value, tracks, yes, no, .. } = &self.raw.nodes[next]
            && (feature, tracks, yes) == own
            && !std::mem::replace(&mut spent[next], true)
        {
            values.push(*value);
            next = *no;
        }
        Ok((values, next))
    }

    /// The test, whether true is the true side, and where a missing value goes.
    fn split(&mut self, node: &RawNode, members: Vec<f64>) -> Result<(u32, Test, bool, bool)> {
        let RawNode::Branch { feature, mode, value, tracks, .. } = node else {
            return Err(Error::malformed("a leaf where a split is expected"));
        };
        if *feature as usize >= self.columns {
            return Err(Error::malformed(format!("feature {feature}, but {} columns come in", self.columns)));
        }
        Ok(match mode {
            Mode::LessEqual => (*feature, Test::LessEqual(*value), true, *tracks),
            Mode::Less => (*feature, Test::Less(*value), true, *tracks),
            Mode::GreaterEqual => (*feature, Test::Less(*value), false, *tracks),
            Mode::Greater => (*feature, Test::LessEqual(*value), false, *tracks),
            Mode::Equal | Mode::NotEqual | Mode::Member => {
                // A missing value equals none, and so counts as different.
                let inside = if *mode == Mode::NotEqual { false } else { *tracks };
                let bits = members.into_iter().map(|value| (value + 0.0).to_bits()).collect();
                let column = self.extra((*feature, bits, inside));
                // 1 is not below one half.
                (column, Test::LessEqual(0.5), *mode == Mode::NotEqual, false)
            }
        })
    }

    /// With `several`, each leaf has a value a target.
    fn tree(&mut self, root: usize, targets: usize, several: bool, spent: &mut [bool]) -> Result<Tree> {
        let raw = self.raw;
        let mut nodes = vec![Node::Leaf(0)];
        let mut leaves: Vec<&[(usize, f64)]> = Vec::new();
        let mut open = vec![(root, 0usize)];
        while let Some((from, to)) = open.pop() {
            // Leaves may be shared: there are at most as many as splits, and one.
            let split = matches!(raw.nodes[from], RawNode::Branch { .. });
            if std::mem::replace(&mut spent[from], split) && split {
                return Err(Error::malformed("a node has two parents or is part of a cycle"));
            }
            match &raw.nodes[from] {
                RawNode::Leaf(leaf) => {
                    nodes[to] = Node::Leaf(leaves.len() as u32);
                    leaves.push(if targets == 1 { &leaf[..leaf.len().min(1)] } else { leaf });
                }
                node @ RawNode::Branch { yes, .. } => {
                    let (members, no) = self.chain(node, spent)?;
                    let (feature, test, straight, missing_yes) = self.split(node, members)?;
                    let (left, right) = (nodes.len(), nodes.len() + 1);
                    nodes.extend([Node::Leaf(0); 2]);
                    let (to_left, to_right) = if straight { (*yes, no) } else { (no, *yes) };
                    let missing_left = missing_yes == straight;
                    let (left_node, right_node) = (left as u32, right as u32);
                    nodes[to] = Node::Split { feature, test, missing_left, left: left_node, right: right_node };
                    open.push((to_right, right));
                    open.push((to_left, left));
                }
            }
        }
        let target = leaves.iter().flat_map(|leaf| leaf.first()).next().map_or(0, |(target, _)| *target);
        let sum = |leaf: &[(usize, f64)], target: usize| {
            let add = |sum: f64, &(to, weight): &(usize, f64)| match to == target {
                true if self.double => sum + weight,
                true => f64::from(sum as f32 + weight as f32),
                false => sum,
            };
            leaf.iter().fold(0.0, add)
        };
        let leaves = if !several {
            Leaves::Scalar { output: target as u32, values: leaves.iter().map(|leaf| sum(leaf, target)).collect() }
        } else {
            let row = |leaf: &&[(usize, f64)]| (0..targets).map(|target| sum(leaf, target)).collect::<Vec<_>>();
            Leaves::Vector(leaves.iter().flat_map(row).collect())
        };
        Ok(Tree { nodes, leaves })
    }
}

/// The sums of the trees by target, from zero. With `each`, one output a tree instead of one a target.
fn sums(context: &mut Context, input: &Tensor, raw: &Raw, targets: usize, each: bool) -> Result<Vec<Wire>> {
    let mut wires = context.row(input)?;
    let double = input.kind == Kind::Double;
    let mut builder = Builder { raw, columns: wires.len(), double, extras: Vec::new(), known: HashMap::new() };
    let mut spent = vec![false; raw.nodes.len()];
    let several = targets > 1 && !(raw.together && by_tree(raw).all(of_one_target));
    let trees = raw.roots.iter().map(|&root| builder.tree(root, targets, several, &mut spent));
    let mut trees: Vec<Tree> = trees.collect::<Result<_>>()?;
    let extras = builder.extras;
    let width = if double { Width::F64 } else { Width::F32 };
    for (feature, values, missing) in extras {
        let mut wire = wires[feature as usize];
        if !double {
            wire = context.push_one(Op::Function(Function::Float32), vec![wire])?;
        }
        let mut keys: Vec<Cell> = values.iter().map(|&bits| Cell::Float(f64::from_bits(bits))).collect();
        let mut found = vec![1.0; keys.len()];
        if missing {
            keys.push(Cell::Nan);
            found.push(1.0);
        }
        let lookup = Lookup { keys, width: 1, values: found, unknown: Unknown::As(vec![0.0]) };
        wires.push(context.push_one(Op::Lookup(lookup), vec![wire])?);
    }
    let mut outputs = targets;
    if each {
        outputs = trees.len();
        trees = trees.into_iter().enumerate().map(|(number, tree)| tree.for_output(number)).collect();
    }
    let ensemble = Ensemble {
        compare: width,
        sum: width,
        features: wires.len() as u32,
        base: vec![0.0; outputs],
        trees,
        sets: Vec::new(),
        aggregate: Aggregate::Sum,
        missing: true,
        infinite: true,
    };
    context.push(Op::Trees(ensemble), wires)
}

/// Applied to the sums, then rounded to what they are computed in.
fn rounded(context: &mut Context, input: &Tensor, op: Op, wires: Vec<Wire>) -> Result<Vec<Wire>> {
    let made = context.push(op, wires)?;
    if input.kind == Kind::Double { Ok(made) } else { context.push(Op::Function(Function::Float32), made) }
}

fn add(context: &mut Context, input: &Tensor, wires: Vec<Wire>, base: &[f64]) -> Result<Vec<Wire>> {
    if base.iter().all(|&base| base == 0.0) {
        return Ok(wires);
    }
    let op = Op::Linear { scale: vec![1.0; wires.len()], offset: base.to_vec() };
    rounded(context, input, op, wires)
}

/// What comes out is float, whatever comes in.
fn narrow(context: &mut Context, input: &Tensor, wires: Vec<Wire>) -> Result<Vec<Wire>> {
    if input.kind != Kind::Double {
        return Ok(wires);
    }
    context.push(Op::Function(Function::Float32), wires)
}

/// The trees' values by target, as `aggregate` says.
fn aggregate(
    context: &mut Context,
    input: &Tensor,
    raw: &Raw,
    targets: usize,
    name: &str,
    base: &[f64],
) -> Result<Vec<Wire>> {
    let base = match base.len() {
        0 => vec![0.0; targets],
        1 if targets == 1 => base.to_vec(),
        count if count == targets => base.to_vec(),
        count => return Err(Error::malformed(format!("{count} base_values for {targets} targets"))),
    };
    // onnxruntime leaves the base value out where no leaf of a row has a weight for the target.
    if targets > 1
        && base.iter().any(|&base| base != 0.0)
        && !(0..targets).all(|target| is_always_scored(raw, target))
    {
        return Err(Error::unsupported("base_values beside leaves that leave out some targets"));
    }
    let made = match name {
        "SUM" => sums(context, input, raw, targets, false)?,
        "AVERAGE" => {
            let made = sums(context, input, raw, targets, false)?;
            let by = vec![raw.roots.len() as f64; targets];
            rounded(context, input, Op::Standardize { mean: None, scale: Some(by) }, made)?
        }
        "MIN" | "MAX" if targets == 1 => {
            let all = sums(context, input, raw, targets, true)?;
            let (&first, others) = all.split_first().ok_or_else(|| Error::malformed("no trees"))?;
            let mut made = vec![first];
            for &other in others {
                made = match name {
                    "MIN" => super::elementwise::smaller(context, made, vec![other])?,
                    _ => super::elementwise::larger(context, made, vec![other])?,
                };
            }
            made
        }
        "MIN" | "MAX" => return Err(Error::unsupported(format!("aggregate_function {name} of several targets"))),
        other => return Err(Error::malformed(format!("aggregate_function {other}"))),
    };
    add(context, input, made, &base)
}

fn finish(context: &mut Context, input: &Tensor, made: Vec<Wire>, transform: &str) -> Result<Vec<Value>> {
    let made = match (transform, made.len()) {
        // Of one target onnxruntime knows this transformation alone.
        ("PROBIT", _) => post_transform(context, transform, made)?,
        (_, 1) => made,
        _ => post_transform(context, transform, made)?,
    };
    let made = narrow(context, input, made)?;
    Ok(vec![Value::Tensor(Tensor::columns(Kind::Float, made))])
}

pub fn regressor(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let targets = targets(call.int("n_targets", 1))?;
    let raw = read(call, "target", targets)?;
    let name = call.choice("aggregate_function", "SUM")?;
    let made = aggregate(context, input, &raw, targets, name, &numbers(call, "base_values")?)?;
    finish(context, input, made, call.choice("post_transform", "NONE")?)
}

/// TreeEnsemble, version 5.
pub fn ensemble(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let targets = targets(call.int("n_targets", 1))?;
    let raw = read_five(call, targets)?;
    let pick = |list: &[&'static str], name: &str, default: i64| -> Result<&'static str> {
        let number = call.int(name, default);
        let found = usize::try_from(number).ok().and_then(|number| list.get(number).copied());
        found.ok_or_else(|| Error::malformed(format!("{name} {number}")))
    };
    let name = pick(&["AVERAGE", "SUM", "MIN", "MAX"], "aggregate_function", 1)?;
    let transform = pick(&["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"], "post_transform", 0)?;
    let made = aggregate(context, input, &raw, targets, name, &[])?;
    finish(context, input, made, transform)
}

fn targets(count: i64) -> Result<usize> {
    // Every target is a column.
    usize::try_from(count)
        .ok()
        .filter(|count| (1..=1 << 16).contains(count))
        .ok_or_else(|| Error::malformed(format!("{count} targets")))
}

pub fn classifier(context: &mut Context, call: &Call) -> Result<Vec<Value>> {
    let input = call.tensor(0)?;
    let classes = call.labels("classlabels_strings", "classlabels_int64s")?;
    let count = targets(classes.len() as i64)?;
    let raw = read(call, "class", count)?;
    let base = numbers(call, "base_values")?;
    let transform = call.choice("post_transform", "NONE")?;
    let mut scored = vec![false; count];
    let mut positive = true;
    for (target, weight) in leaves(&raw).flatten() {
        scored[*target] = true;
        positive &= *weight >= 0.0;
    }
    let partly = (0..count).any(|class| scored[class] && !is_always_scored(&raw, class));
    if partly && (!positive || count == 2 || base.iter().any(|&base| base != 0.0)) {
        return Err(Error::unsupported("leaves that leave out some classes"));
    }
    let made = sums(context, input, &raw, count, false)?;
    let shares = transform == "NONE" && base.iter().all(|&base| base == 0.0);
    // One score of two classes gets no softmax.
    let single = count == 2 && !scored[1] && base.len() < 2 && transform.starts_with("SOFTMAX");
    let shares = (shares || single) && positive && are_shares(&raw);
    let nature = if (transform == "NONE" || single) && !shares { Nature::Scores } else { Nature::Plain };
    let (label, made) = if count > 2 {
        if !(base.is_empty() || base.len() == count) {
            return Err(Error::malformed(format!("{} base_values for {count} classes", base.len())));
        }
        let made = add(context, input, made, &base)?;
        let label = context.push_one(Op::Argmax, made.clone())?;
        (label, post_transform(context, transform, made)?)
    } else {
        binary(context, input, made, &scored, positive, &base, transform)?
    };
    let made = narrow(context, input, made)?;
    let mut made = made;
    if shares {
        // Sums of f32 shares may pass 1 by their last bit.
        made = context.push(Op::Clip { low: 0.0, high: 1.0 }, made)?;
    }
    Ok(vec![labelled(label, classes), Value::Tensor(Tensor::columns(Kind::Float, made).natured(nature))])
}

/// Two classes (or one): usually only one has scores, and the other gets what is left.
fn binary(
    context: &mut Context,
    input: &Tensor,
    made: Vec<Wire>,
    scored: &[bool],
    positive: bool,
    base: &[f64],
    transform: &str,
) -> Result<(Wire, Vec<Wire>)> {
    let [first, second] = made[..] else {
        return Err(Error::unsupported("a classifier of one class"));
    };
    let alone = scored.iter().filter(|&&scored| scored).count() == 1;
    let (first, scores) = match base {
        [] => (first, if scored[1] { vec![first, second] } else { Vec::new() }),
        [base] if !scored[1] => (add(context, input, vec![first], &[*base])?[0], Vec::new()),
        [_, _] if !scored[1] => {
            let both = add(context, input, vec![first, second], base)?;
            (both[0], both)
        }
        _ => return Err(Error::unsupported("base_values of a classifier whose second of two classes has scores")),
    };
    let decisive = if scored[1] { second } else { first };
    let threshold = if alone && positive { 0.5 } else { 0.0 };
    let label = context.push_one(Op::Above { threshold }, vec![decisive])?;
    if !scores.is_empty() {
        return Ok((label, post_transform(context, transform, scores)?));
    }
    let both = match (positive, transform) {
        (_, "PROBIT") => return Err(Error::unsupported("the post_transform PROBIT of one score")),
        (_, "LOGISTIC") => {
            let both = context.push(Op::Mirror, vec![first])?;
            context.push(Op::Function(Function::Expit), both)?
        }
        (true, _) => context.push(Op::Complement, vec![first])?,
        (false, _) => context.push(Op::Mirror, vec![first])?,
    };
    Ok((label, both))
}

fn leaves(raw: &Raw) -> impl Iterator<Item = &[(usize, f64)]> {
    raw.nodes.iter().filter_map(|node| match node {
        RawNode::Leaf(leaf) => Some(leaf.as_slice()),
        RawNode::Branch { .. } => None,
    })
}

/// The nodes of each tree, where they stand together.
fn by_tree(raw: &Raw) -> impl Iterator<Item = &[RawNode]> {
    let ends = raw.roots.iter().skip(1).copied().chain([raw.nodes.len()]);
    raw.roots.iter().copied().zip(ends).map(|(start, end)| &raw.nodes[start..end])
}

/// All leaves of the tree have a weight for the same target, and no other.
fn of_one_target(nodes: &[RawNode]) -> bool {
    let mut targets = nodes.iter().flat_map(|node| match node {
        RawNode::Leaf(leaf) => leaf.as_slice(),
        RawNode::Branch { .. } => &[],
    });
    let first = targets.next().map_or(0, |(target, _)| *target);
    targets.all(|(target, _)| *target == first)
}

/// Some tree gives the class a score whatever the row.
fn is_always_scored(raw: &Raw, class: usize) -> bool {
    by_tree(raw).any(|nodes| {
        nodes.iter().all(|node| match node {
            RawNode::Leaf(leaf) => leaf.iter().any(|(target, _)| *target == class),
            RawNode::Branch { .. } => true,
        })
    })
}

/// The trees' scores add up to at most 1, as probabilities do.
fn are_shares(raw: &Raw) -> bool {
    let most = |nodes: &[RawNode]| {
        nodes.iter().fold(0.0f64, |most, node| match node {
            RawNode::Leaf(leaf) => most.max(leaf.iter().map(|(_, weight)| weight).sum()),
            RawNode::Branch { .. } => most,
        })
    };
    by_tree(raw).map(most).sum::<f64>() < 1.001
}

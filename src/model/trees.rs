//! Tree ensembles as data: every library's forest or boosted model in one shape, with the comparison, the widths
//! and the order of summation of the original, so that the same bits can come out.

/// The width of a comparison or a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    F32,
    F64,
}

/// A row's sums start at `base`, each tree adds its leaf's values in tree order, then `aggregate` is applied.
#[derive(Clone, Debug)]
pub struct Ensemble {
    /// Inputs are rounded to this width before they are compared. Thresholds stay as the file has them.
    pub compare: Width,
    /// The width in which leaf values are added.
    pub sum: Width,
    /// Columns the trees read; every `feature` is below it.
    pub features: u32,
    /// One start value an output.
    pub base: Vec<f64>,
    pub trees: Vec<Tree>,
    /// What `Test::In` refers to; empty without categorical splits.
    pub sets: Vec<CategorySet>,
    pub aggregate: Aggregate,
    /// A missing value has a side at every node. Without it, missing input is refused before the trees.
    pub missing: bool,
    /// ±infinity is compared like any other value. Without it, a value that is infinite in `compare`'s width is refused.
    pub infinite: bool,
}

/// What happens to the sums at the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregate {
    Sum,
    /// Divided by this number (a forest's mean over its trees).
    Divide(f64),
}

/// One tree. `nodes[0]` is the root; every other node is the child of exactly one node that stands before or
/// after it (checked by `Ensemble::check`).
#[derive(Clone, Debug)]
pub struct Tree {
    pub nodes: Vec<Node>,
    pub leaves: Leaves,
}

/// Leaf values, row-major: one row a leaf.
#[derive(Clone, Debug)]
pub enum Leaves {
    /// Each leaf has one value that is added to the given output (boosted trees, a tree a class).
    Scalar { output: u32, values: Vec<f64> },
    /// Each leaf has one value an output (forests, vector leaves).
    Vector(Vec<f64>),
    /// Each leaf has a linear model, whose result is added to the given output (LightGBM's `linear_tree`).
    Linear { output: u32, leaves: Vec<LinearLeaf> },
}

/// `constant` + Σ coefficient × x in the order of the terms; `value` where one of these x is missing. As LightGBM has
/// it, an x within 1e-35 of zero is zero.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearLeaf {
    pub value: f64,
    pub constant: f64,
    /// Feature and coefficient.
    pub terms: Vec<(u32, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    Split {
        feature: u32,
        test: Test,
        missing_left: bool,
        left: u32,
        right: u32,
    },
    /// The row of `leaves`.
    Leaf(u32),
}

/// True goes left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Test {
    /// x < threshold (XGBoost)
    Less(f64),
    /// x <= threshold (scikit-learn, LightGBM, CatBoost's `x > border` negated)
    LessEqual(f64),
    /// x <= threshold, where zero counts as missing, |x| <= 1e-35 (LightGBM's `zero_as_missing`; in f32 digits)
    LessEqualNonzero(f64),
    /// The category x is on the left side of this set of `Ensemble::sets`.
    In(u32),
}

/// The sides of the categories 0, 1, … of one split. A category is the whole part of x; NaN is missing and takes
/// the node's missing side, whatever stands here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CategorySet {
    /// Bit k % 32 of word k / 32: category k goes left.
    pub left: Vec<u32>,
    /// Categories `0..size` have their side in `left`, which holds just the words for them.
    pub size: u32,
    /// Where any other value goes: below zero, or `size` and more.
    pub outside_left: bool,
    /// x between -1 and 0 is category 0 (LightGBM converts to an integer first). Without it, it is outside.
    pub toward_zero: bool,
}

impl CategorySet {
    /// Largest `size`: the whole numbers that an f32 tells apart.
    pub const MOST: u32 = 1 << 24;

    /// The set whose categories `0..size` go left where `left` says so.
    pub fn new(size: u32, outside_left: bool, left: impl Fn(u32) -> bool) -> CategorySet {
        let mut words = vec![0; size.div_ceil(32) as usize];
        for category in (0..size).filter(|&category| left(category)) {
            words[category as usize / 32] |= 1 << (category % 32);
        }
        CategorySet { left: words, size, outside_left, toward_zero: false }
    }
}

impl Ensemble {
    pub fn outputs(&self) -> usize {
        self.base.len()
    }

    /// Leaves of all trees together.
    pub fn leaf_count(&self) -> usize {
        self.trees.iter().map(|tree| tree.leaf_count(self.outputs())).sum()
    }

    /// Checks that each tree is a tree, that features, leaves and outputs exist and thresholds are numbers.
    ///
    /// # Errors
    /// Names the tree and node.
    pub fn check(&self) -> crate::Result<()> {
        use crate::Error;
        if self.trees.is_empty() {
            return Err(Error::malformed("the ensemble has no trees"));
        }
        if self.base.is_empty() {
            return Err(Error::malformed("the ensemble has no outputs"));
        }
        for (number, set) in self.sets.iter().enumerate() {
            if set.left.len() != set.size.div_ceil(32) as usize || set.size > CategorySet::MOST {
                let message = format!("{} words for {} categories", set.left.len(), set.size);
                return Err(Error::malformed(message).at(format!("category set {number}")));
            }
        }
        let mut seen = Vec::new();
        for (number, tree) in self.trees.iter().enumerate() {
            let place = |node: usize| format!("tree {number}, node {node}");
            let leaf_count = tree.leaf_count(self.outputs());
            match &tree.leaves {
                Leaves::Scalar { output, .. } | Leaves::Linear { output, .. }
                    if *output as usize >= self.outputs() =>
                {
                    return Err(Error::malformed(format!("output {output} of {}", self.outputs()))
                        .at(format!("tree {number}")));
                }
                Leaves::Linear { leaves, .. }
                    if leaves.iter().flat_map(|leaf| &leaf.terms).any(|term| term.0 >= self.features) =>
                {
                    return Err(Error::malformed("a linear leaf reads a column that the model does not have")
                        .at(format!("tree {number}")));
                }
                Leaves::Vector(values) if values.len() != leaf_count * self.outputs() => {
                    return Err(
                        Error::malformed("leaf values that do not fill whole rows").at(format!("tree {number}"))
                    );
                }
                _ => {}
            }
            if tree.nodes.is_empty() {
                return Err(Error::malformed("the tree has no nodes").at(format!("tree {number}")));
            }
            seen.clear();
            seen.resize(tree.nodes.len(), false);
            seen[0] = true;
            // Every node is reached once: with one parent each and the root with none, no cycle can be among the
            // reached ones, and the count shows whether all are.
            let mut open = vec![0usize];
            let mut reached = 0;
            while let Some(at) = open.pop() {
                reached += 1;
                match tree.nodes[at] {
                    Node::Leaf(leaf) => {
                        if leaf as usize >= leaf_count {
                            return Err(Error::malformed(format!("leaf {leaf} of {leaf_count}")).at(place(at)));
                        }
                    }
                    Node::Split { feature, test, left, right, .. } => {
                        if feature >= self.features {
                            return Err(Error::malformed(format!(
                                "feature {feature}, but the model has {} columns",
                                self.features
                            ))
                            .at(place(at)));
                        }
                        match test {
                            Test::Less(threshold)
                            | Test::LessEqual(threshold)
                            | Test::LessEqualNonzero(threshold) => {
                                if threshold.is_nan() {
                                    return Err(Error::malformed("a threshold that is not a number").at(place(at)));
                                }
                            }
                            Test::In(set) => {
                                if set as usize >= self.sets.len() {
                                    let message = format!("category set {set} of {}", self.sets.len());
                                    return Err(Error::malformed(message).at(place(at)));
                                }
                            }
                        }
                        for child in [left, right] {
                            let Some(seen) = seen.get_mut(child as usize) else {
                                return Err(Error::malformed(format!(
                                    "child {child}, but the tree has {} nodes",
                                    tree.nodes.len()
                                ))
                                .at(place(at)));
                            };
                            if std::mem::replace(seen, true) {
                                return Err(Error::malformed(format!("child {child} has two parents or is a cycle"))
                                    .at(place(at)));
                            }
                            open.push(child as usize);
                        }
                    }
                }
            }
            if reached != tree.nodes.len() {
                return Err(Error::malformed(format!(
                    "{} of {} nodes cannot be reached",
                    tree.nodes.len() - reached,
                    tree.nodes.len()
                ))
                .at(format!("tree {number}")));
            }
        }
        Ok(())
    }
}

impl Tree {
    /// The tree with its leaves, of one value each, added to the given output.
    pub fn for_output(self, output: usize) -> Tree {
        let output = output as u32;
        let leaves = match self.leaves {
            Leaves::Scalar { values, .. } | Leaves::Vector(values) => Leaves::Scalar { output, values },
            Leaves::Linear { leaves, .. } => Leaves::Linear { output, leaves },
        };
        Tree { nodes: self.nodes, leaves }
    }

    /// Nodes and leaf values.
    pub fn numbers(&self) -> usize {
        self.nodes.len()
            + match &self.leaves {
                Leaves::Scalar { values, .. } | Leaves::Vector(values) => values.len(),
                Leaves::Linear { leaves, .. } => leaves.iter().map(|leaf| 2 + leaf.terms.len()).sum(),
            }
    }

    /// Rows of `leaves`.
    pub fn leaf_count(&self, outputs: usize) -> usize {
        match &self.leaves {
            Leaves::Scalar { values, .. } => values.len(),
            Leaves::Vector(values) => values.len() / outputs.max(1),
            Leaves::Linear { leaves, .. } => leaves.len(),
        }
    }
}

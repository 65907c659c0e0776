//! Inference: kernels that read an image in place and a workspace of slots.
//!
//! A slot is a column of a block of rows; in a run of n rows slot s holds the numbers `s × n .. s × n + n` of
//! the workspace, so that a single row is one contiguous vector. `check` validates an image once: every record,
//! index and table. After it `run` cannot read or write outside the image and workspace, whatever the rows hold.
//! Nothing here allocates, formats or panics: in the wasm runtime that machinery would be most of the bytes.
//! This half imports `image` and nothing else of the crate.

mod bits;
mod blocks;
pub mod city;
mod columns;
mod compact;
pub mod ctr;
pub mod curves;
pub mod deep;
pub mod encode;
mod exp;
pub mod forest;
mod functions;
pub mod gather;
mod gaussian;
mod groups;
mod impute;
mod lanes;
mod linear_trees;
pub mod lines;
mod links;
pub mod neighbors;
mod normal;
pub mod oblivious;
mod pair;
mod pairs;
mod pairwise;
mod power;
pub mod quick;
#[cfg(all(target_arch = "wasm32", not(feature = "compile")))]
mod rows;
pub mod sets;
pub mod sliced;
pub mod text;
pub mod trees;
mod uneven;
pub mod votes;
pub mod walk;

#[cfg(all(target_arch = "wasm32", not(feature = "compile")))]
mod exports;
#[cfg(all(target_arch = "wasm32", not(feature = "compile")))]
use exports::{dispatch, validate};
#[cfg(feature = "compile")]
pub mod host;

use crate::image::{BLOCK_OF_PIECES, Image, Reader, Record};
use core::cell::Cell;

/// What a kernel's validator sees of an operation.
pub struct Shape<'a> {
    pub inputs: usize,
    pub outputs: usize,
    /// Most rows of a run.
    pub block: usize,
    args: &'a [u8],
    /// Bytes of the kernel's tables; a validator sets it.
    tables: Cell<u64>,
}

impl<'a> Shape<'a> {
    fn new(record: &Record<'a>, block: usize) -> Shape<'a> {
        let (inputs, outputs, args) = (record.inputs.len(), record.outputs, record.args);
        Shape { inputs, outputs, block, args, tables: Cell::new(0) }
    }

    fn args(&self) -> Reader<'a> {
        Reader::new(self.args)
    }
}

/// Where the slots are.
#[derive(Clone, Copy)]
pub struct Slots {
    pub at: *mut f64,
    /// The columns are of f32, each in the first half of its slot. A kernel that does not ask would misread them.
    pub narrow: bool,
}

/// One operation at work on a block of rows.
pub struct Call<'a> {
    slots: *mut f64,
    /// How many of the first slots are of f32.
    narrow: usize,
    rows: usize,
    texts: &'a [u8],
    inputs: &'a [u32],
    output: usize,
    outputs: usize,
    scratch: usize,
    args: &'a [u8],
    /// The kernel's own tables: zeros at first, kept between runs, aligned to 16 bytes.
    tables: *mut u8,
    /// 1 + the first row whose value was refused; 0 while none is.
    fault: &'a Cell<u32>,
}

impl<'a> Call<'a> {
    #[inline]
    fn args(&self) -> Reader<'a> {
        Reader::new(self.args)
    }

    /// The numbers of input `number`, one a row; empty where there is no such input.
    #[inline]
    fn input(&self, number: usize) -> &[f64] {
        match self.inputs.get(number) {
            // SAFETY: `check` saw that the slot is below `slots` and that neither outputs nor scratch of this
            // operation overlap it; the workspace holds slots × rows numbers.
            Some(&slot) => unsafe {
                core::slice::from_raw_parts(self.slots.add(slot as usize * self.rows), self.rows)
            },
            None => &[],
        }
    }

    /// `input` where it is a column of f32.
    #[inline]
    fn narrow_input(&self, number: usize) -> Option<&[f32]> {
        let &slot = self.inputs.get(number).filter(|&&slot| (slot as usize) < self.narrow)?;
        // SAFETY: as in `input`; half of the slot's numbers are as many of half the size.
        Some(unsafe {
            core::slice::from_raw_parts(self.slots.add(slot as usize * self.rows).cast_const().cast(), self.rows)
        })
    }

    #[inline]
    fn inputs(&self) -> impl Iterator<Item = &[f64]> {
        (0..self.inputs.len()).map(|number| self.input(number))
    }

    /// The numbers of all inputs, one input after the other, where they lie so.
    fn consecutive(&self) -> Option<&[f64]> {
        let &first = self.inputs.first()?;
        // SAFETY: as in `input`; the slots follow each other.
        self.inputs.iter().zip(first..).all(|(&slot, next)| slot == next).then(|| unsafe {
            core::slice::from_raw_parts(self.slots.add(first as usize * self.rows), self.inputs.len() * self.rows)
        })
    }

    /// The numbers of output `number`, one a row. The caller holds one view of an output at a time.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    fn output(&self, number: usize) -> &mut [f64] {
        // A place that a kernel computed may be anything: it never leaves the outputs, not even for an empty view.
        let (number, count) = if number < self.outputs { (number, self.rows) } else { (0, 0) };
        // SAFETY: `check` saw that the outputs lie below `slots` and overlap neither inputs nor scratch; kernels
        // take one view of an output at a time.
        unsafe { core::slice::from_raw_parts_mut(self.slots.add((self.output + number) * self.rows), count) }
    }

    #[inline]
    fn outputs(&self) -> impl Iterator<Item = &mut [f64]> {
        (0..self.outputs).map(|number| self.output(number))
    }

    /// Sets each output to its start value.
    #[inline]
    fn start(&self, values: &[f64]) {
        for (output, &value) in self.outputs().zip(values) {
            output.fill(value);
        }
    }

    /// Divides the outputs of an ensemble by a number that is not 0; 0 says that its trees are summed.
    fn divide(&self, by: f64) {
        if by != 0.0 {
            for output in self.outputs() {
                for y in output {
                    *y /= by;
                }
            }
        }
    }

    /// The numbers of all outputs, one output after the other. The caller holds no other view of an output.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    fn all_outputs(&self) -> &mut [f64] {
        // SAFETY: as in `output`.
        unsafe { core::slice::from_raw_parts_mut(self.slots.add(self.output * self.rows), self.outputs * self.rows) }
    }

    /// `slots` scratch slots as one run of numbers; the count is the one the kernel's validator answered.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    fn scratch(&self, slots: usize) -> &mut [f64] {
        // SAFETY: `check` saw that as many slots from `scratch` on exist and overlap neither inputs nor outputs.
        unsafe { core::slice::from_raw_parts_mut(self.slots.add(self.scratch * self.rows), slots * self.rows) }
    }

    /// The bytes of the text at a place in the texts; None where there is none.
    #[inline]
    fn text(&self, place: f64) -> Option<&'a [u8]> {
        let at = place as usize;
        if at as f64 != place {
            return None;
        }
        let (length, rest) = self.texts.get(at..)?.split_first_chunk()?;
        rest.get(..u32::from_le_bytes(*length) as usize)
    }

    /// Says that this row holds a value the original refuses.
    #[inline]
    fn refuse(&self, row: usize) {
        if self.fault.get() == 0 {
            self.fault.set(row as u32 + 1);
        }
    }
}

/// The same value, which the compiler does not know any more, and so no engine does. V8 makes a constant of a vector anew
/// wherever one is used, in loops too, by three instructions; what it does not know it keeps, or reads by one.
#[inline(always)]
fn unseen<T>(value: T) -> T {
    core::hint::black_box(value)
}

/// The rows of a row-major matrix; none of a width of zero. `chunks_exact` would do, but for its panics, which the
/// optimizer does not see through everywhere.
fn rows<T>(matrix: &[T], width: usize) -> impl Iterator<Item = &[T]> {
    let mut rest = matrix;
    core::iter::from_fn(move || {
        let (row, after) = rest.split_at_checked(width).filter(|_| width > 0)?;
        rest = after;
        Some(row)
    })
}

/// `rows`, to write them.
fn rows_mut<T>(matrix: &mut [T], width: usize) -> impl Iterator<Item = &mut [T]> {
    let mut rest = matrix;
    core::iter::from_fn(move || {
        let (row, after) = core::mem::take(&mut rest).split_at_mut_checked(width).filter(|_| width > 0)?;
        rest = after;
        Some(row)
    })
}

/// `chunks_mut`, without its panics.
fn pieces_mut<T>(list: &mut [T], most: usize) -> impl Iterator<Item = &mut [T]> {
    let mut rest = list;
    core::iter::from_fn(move || {
        let whole = core::mem::take(&mut rest);
        let count = if whole.len() < most { whole.len() } else { most };
        let (piece, after) = whole.split_at_mut_checked(count).filter(|_| count > 0)?;
        rest = after;
        Some(piece)
    })
}

/// A run that stopped: which operation refused a value of which row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub op: usize,
    pub row: usize,
}

/// Most bytes of tables that an image may ask for. A walk's tables of thirty million nodes fit; an ensemble that wants
/// more takes the plain walk, which has none.
pub const MOST_TABLES: u64 = 1 << 28;

/// Validates an image whole. After this, `run` on it cannot go out of bounds.
pub fn check(bytes: &[u8]) -> bool {
    check_all(bytes).is_some()
}

fn check_all(bytes: &[u8]) -> Option<()> {
    let image = Image::open(bytes)?;
    let mut tables = 0u64;
    let within = |first: usize, count: usize| first.checked_add(count).is_some_and(|end| end <= image.slots);
    if image.columns > image.slots || !(1..=BLOCK_OF_PIECES).contains(&image.block) {
        return None;
    }
    for number in 0..image.ops {
        let record = image.record(number)?;
        let shape = Shape::new(&record, image.block);
        let scratch = validate(record.kernel, &shape)?;
        if shape.tables.get() > 0 {
            // In order, so that they are apart; and instead of scratch.
            let start = record.scratch as u64 * 16;
            if start < tables || scratch > 0 {
                return None;
            }
            tables = start.checked_add(shape.tables.get())?;
        }
        // Outputs and scratch keep clear of the input columns, so that rows stay as the caller wrote them.
        let clear = |first: usize, count: usize| {
            count == 0
                || first >= image.columns
                    && within(first, count)
                    && record.inputs.iter().all(|&slot| (slot as usize) < first || slot as usize >= first + count)
        };
        let apart = record.scratch >= record.output + record.outputs || record.output >= record.scratch + scratch;
        if !record.inputs.iter().all(|&slot| (slot as usize) < image.slots)
            || !clear(record.output, record.outputs)
            || !clear(record.scratch, scratch)
            || (scratch > 0 && record.outputs > 0 && !apart)
        {
            return None;
        }
    }
    (tables.next_multiple_of(16) == image.tables as u64 && tables <= MOST_TABLES).then_some(())
}

/// Bytes of tables that a kernel with such arguments, 8-byte aligned, wants; None where they do not hold.
#[cfg(feature = "compile")]
pub fn tables(kernel: u32, inputs: usize, outputs: usize, args: &[u8]) -> Option<u64> {
    let shape = Shape { inputs, outputs, block: 1, args, tables: Cell::new(0) };
    validate(kernel, &shape).map(|_| shape.tables.get())
}

/// Runs a checked image over `rows` rows whose inputs are in the slots. The number of a text column is a place in
/// `texts`: there stand its length, a u32, and its UTF-8. Neither was checked, so a kernel takes any bytes.
///
/// # Safety
/// `check(bytes)` was true, `slots.at` points to the image's slots × rows numbers, aligned, and `tables` to as many bytes
/// as the image says, aligned to 16, zeros before the first run and then only written by runs of this image. Nothing
/// else uses either.
pub unsafe fn run(bytes: &[u8], slots: Slots, tables: *mut u8, rows: usize, texts: &[u8]) -> Result<(), Fault> {
    let fault = Cell::new(0);
    let Some(image) = Image::open(bytes) else { return Ok(()) };
    for number in 0..image.ops {
        // SAFETY: the caller saw `check`, which read all records.
        let record = unsafe { image.sound_record(number) };
        let call = Call {
            slots: slots.at,
            narrow: if slots.narrow { image.columns } else { 0 },
            rows,
            texts,
            inputs: record.inputs,
            output: record.output,
            outputs: record.outputs,
            scratch: record.scratch,
            args: record.args,
            // A kernel without tables does not look; the pointer may then be anywhere.
            tables: tables.wrapping_add(record.scratch.wrapping_mul(16)),
            fault: &fault,
        };
        dispatch(record.kernel, &call);
        if fault.get() != 0 {
            return Err(Fault { op: number, row: fault.get() as usize - 1 });
        }
    }
    Ok(())
}

/// Gives every kernel a function of its own, `kernel_NAME` and `check_NAME`, and the two dispatchers. In the wasm
/// runtime they are exported under these names, and the packager writes dispatchers that know only the ones the
/// model uses (`exports`): nothing else refers to a kernel, so the others are garbage.
macro_rules! kernels {
    ($($kernel:ident $run:ident $check:ident = $body:expr, $validator:expr;)*) => {
        $(
            #[cfg_attr(all(target_arch = "wasm32", not(feature = "compile")), unsafe(no_mangle))]
            #[inline(never)]
            extern "C" fn $run(call: &Call) {
                $body(call);
            }

            /// -1 where the arguments do not hold, else how many scratch slots the kernel needs.
            #[cfg_attr(all(target_arch = "wasm32", not(feature = "compile")), unsafe(no_mangle))]
            #[inline(never)]
            extern "C" fn $check(shape: &Shape) -> i32 {
                let scratch: Option<usize> = $validator(shape);
                scratch.map_or(-1, |scratch| scratch as i32)
            }
        )*

        #[cfg(not(all(target_arch = "wasm32", not(feature = "compile"))))]
        fn dispatch(kernel: u32, call: &Call) {
            $(if kernel == crate::image::Kernel::$kernel as u32 { return $run(call); })*
        }

        #[cfg(not(all(target_arch = "wasm32", not(feature = "compile"))))]
        fn validate(kernel: u32, shape: &Shape) -> Option<usize> {
            $(if kernel == crate::image::Kernel::$kernel as u32 { return usize::try_from($check(shape)).ok(); })*
            None
        }
    };
}

kernels! {
    Copy kernel_copy check_copy = columns::copy, columns::check_same;
    Constant kernel_constant check_constant = columns::constant, columns::check_constant;
    Impute kernel_impute check_impute = columns::impute, columns::check_impute;
    IsMissing kernel_is_missing check_is_missing = columns::is_missing, columns::check_one;
    Standardize kernel_standardize check_standardize = columns::standardize, columns::check_standardize;
    Linear kernel_linear check_linear = columns::linear, columns::check_two;
    Clip kernel_clip check_clip = columns::clip, columns::check_clip;
    NormalizeL1 kernel_normalize_l1 check_normalize_l1 = columns::normalize_l1, columns::check_norm;
    NormalizeL2 kernel_normalize_l2 check_normalize_l2 = columns::normalize_l2, columns::check_norm;
    NormalizeMax kernel_normalize_max check_normalize_max = columns::normalize_max, columns::check_norm;
    OneHotCode kernel_one_hot_code check_one_hot_code = encode::one_hot_code, encode::check_one_hot_code;
    OneHotNumber kernel_one_hot_number check_one_hot_number = encode::one_hot_number, encode::check_one_hot_number;
    LookupCode kernel_lookup_code check_lookup_code = encode::lookup_code, encode::check_lookup_code;
    LookupNumber kernel_lookup_number check_lookup_number = encode::lookup_number, encode::check_lookup_number;
    Affine kernel_affine check_affine = links::affine, links::check_affine;
    Trees32 kernel_trees32 check_trees32 = trees::walk::<f32, false>, trees::check::<f32, false>;
    Trees64 kernel_trees64 check_trees64 = trees::walk::<f64, false>, trees::check::<f64, false>;
    Distances kernel_distances check_distances = links::distances, links::check_distances;
    Softmax kernel_softmax check_softmax = links::softmax, columns::check_same;
    Share kernel_share check_share = links::share, columns::check_same;
    Complement kernel_complement check_complement = links::complement, links::check_pair;
    Mirror kernel_mirror check_mirror = links::mirror, links::check_pair;
    Argmax kernel_argmax check_argmax = links::argmax, links::check_pick;
    Argmin kernel_argmin check_argmin = links::argmin, links::check_pick;
    Above kernel_above check_above = columns::above, columns::check_one;
    Below kernel_below check_below = columns::below, columns::check_one;
    IsolationScore kernel_isolation_score check_isolation_score = columns::isolation_score, columns::check_one;
    Abs kernel_abs check_abs = functions::abs, columns::check_same;
    Cbrt kernel_cbrt check_cbrt = functions::cbrt, columns::check_same;
    Ceil kernel_ceil check_ceil = functions::ceil, columns::check_same;
    Cos kernel_cos check_cos = functions::cos, columns::check_same;
    Exp kernel_exp check_exp = functions::exp, columns::check_same;
    Exp2 kernel_exp2 check_exp2 = functions::exp2, columns::check_same;
    Expit kernel_expit check_expit = functions::expit, columns::check_same;
    Expm1 kernel_expm1 check_expm1 = functions::expm1, columns::check_same;
    Floor kernel_floor check_floor = functions::floor, columns::check_same;
    Log kernel_log check_log = functions::log, columns::check_same;
    Log10 kernel_log10 check_log10 = functions::log10, columns::check_same;
    Log1p kernel_log1p check_log1p = functions::log1p, columns::check_same;
    Log2 kernel_log2 check_log2 = functions::log2, columns::check_same;
    Negative kernel_negative check_negative = functions::negative, columns::check_same;
    Reciprocal kernel_reciprocal check_reciprocal = functions::reciprocal, columns::check_same;
    Rint kernel_rint check_rint = functions::rint, columns::check_same;
    Sign kernel_sign check_sign = functions::sign, columns::check_same;
    Sin kernel_sin check_sin = functions::sin, columns::check_same;
    Sqrt kernel_sqrt check_sqrt = functions::sqrt, columns::check_same;
    Square kernel_square check_square = functions::square, columns::check_same;
    Tan kernel_tan check_tan = functions::tan, columns::check_same;
    Tanh kernel_tanh check_tanh = functions::tanh, columns::check_same;
    Trunc kernel_trunc check_trunc = functions::trunc, columns::check_same;
    Trees32Sets kernel_trees32_sets check_trees32_sets = trees::walk::<f32, true>, trees::check::<f32, true>;
    Trees64Sets kernel_trees64_sets check_trees64_sets = trees::walk::<f64, true>, trees::check::<f64, true>;
    Affine32 kernel_affine32 check_affine32 = links::affine32, links::check_affine;
    Softmax32 kernel_softmax32 check_softmax32 = links::softmax32, columns::check_same;
    Float32 kernel_float32 check_float32 = functions::float32, columns::check_same;
    Exp32 kernel_exp32 check_exp32 = functions::exp32, columns::check_same;
    Sigmoid32 kernel_sigmoid32 check_sigmoid32 = functions::sigmoid32, columns::check_same;
    Confidence kernel_confidence check_confidence = functions::confidence, columns::check_same;
    Combine kernel_combine check_combine = votes::combine, votes::check_combine;
    ShareOrZero kernel_share_or_zero check_share_or_zero = links::share_or_zero, columns::check_same;
    Interpolate kernel_interpolate check_interpolate = votes::interpolate, votes::check_interpolate;
    WeightedMedian kernel_weighted_median check_weighted_median = votes::weighted_median, votes::check_weighted_median;
    NormalCdf kernel_normal_cdf check_normal_cdf = functions::normal_cdf, columns::check_same;
    InverseBoxCox kernel_inverse_box_cox check_inverse_box_cox = power::inverse_box_cox, power::check_lambdas;
    InverseYeoJohnson kernel_inverse_yeo_johnson check_inverse_yeo_johnson = power::inverse_yeo_johnson, power::check_lambdas;
    Multiply kernel_multiply check_multiply = columns::multiply, columns::check_halves;
    Relu kernel_relu check_relu = functions::relu, columns::check_same;
    Rbf kernel_rbf check_rbf = pairwise::rbf, pairwise::check_sum;
    Polynomial kernel_polynomial check_polynomial = pairwise::polynomial, pairwise::check_sum;
    Sigmoid kernel_sigmoid check_sigmoid = pairwise::sigmoid, pairwise::check_sum;
    Laplacian kernel_laplacian check_laplacian = pairwise::laplacian, pairwise::check_sum;
    ChiSquared kernel_chi_squared check_chi_squared = pairwise::chi_squared, pairwise::check_sum;
    AdditiveChiSquared kernel_additive_chi_squared check_additive_chi_squared =
        pairwise::additive_chi_squared, pairwise::check_sum;
    PairVotes kernel_pair_votes check_pair_votes = pairs::votes, pairs::check_votes;
    PairProbabilities kernel_pair_probabilities check_pair_probabilities =
        pairs::probabilities, pairs::check_probabilities;
    NearestEuclidean kernel_nearest_euclidean check_nearest_euclidean =
        neighbors::nearest::<neighbors::Euclidean>, neighbors::check_nearest;
    NearestManhattan kernel_nearest_manhattan check_nearest_manhattan =
        neighbors::nearest::<neighbors::Manhattan>, neighbors::check_nearest;
    Nearest kernel_nearest check_nearest = neighbors::nearest::<neighbors::Any>, neighbors::check_nearest;
    Within kernel_within check_within = neighbors::within::<neighbors::Any>, neighbors::check_within;
    WithinEuclidean kernel_within_euclidean check_within_euclidean =
        neighbors::within::<neighbors::Euclidean>, neighbors::check_within;
    NeighborVote kernel_neighbor_vote check_neighbor_vote = neighbors::vote, neighbors::check_vote;
    NeighborMean kernel_neighbor_mean check_neighbor_mean = neighbors::mean, neighbors::check_mean;
    NeighborScatter kernel_neighbor_scatter check_neighbor_scatter = neighbors::scatter, neighbors::check_scatter;
    OutlierFactor kernel_outlier_factor check_outlier_factor =
        neighbors::outlier_factor, neighbors::check_outlier_factor;
    Solve kernel_solve check_solve = gaussian::solve, gaussian::check_solve;
    Laplace kernel_laplace check_laplace = gaussian::laplace, gaussian::check_laplace;
    LogSumExp kernel_log_sum_exp check_log_sum_exp = links::log_sum_exp, links::check_pick;
    SignedSquare kernel_signed_square check_signed_square = functions::signed_square, columns::check_same;
    LinearTrees kernel_linear_trees check_linear_trees = linear_trees::walk, linear_trees::check;
    Oblivious kernel_oblivious check_oblivious = oblivious::walk, oblivious::check;
    Ctr kernel_ctr check_ctr = ctr::ctr, ctr::check;
    Digitize kernel_digitize check_digitize = curves::digitize, curves::check_digitize;
    Products kernel_products check_products = curves::products, curves::check_products;
    BoxCox kernel_box_cox check_box_cox = power::box_cox, power::check_lambdas;
    YeoJohnson kernel_yeo_johnson check_yeo_johnson = power::yeo_johnson, power::check_lambdas;
    Quantiles kernel_quantiles check_quantiles = curves::quantiles, curves::check_quantiles;
    Splines kernel_splines check_splines = curves::splines, curves::check_splines;
    NormalQuantile kernel_normal_quantile check_normal_quantile = functions::normal_quantile, columns::check_same;
    Coalesce kernel_coalesce check_coalesce = impute::coalesce, impute::check_coalesce;
    Donors kernel_donors check_donors = impute::donors, impute::check_donors;
    Sublinear kernel_sublinear check_sublinear = functions::sublinear, columns::check_same;
    Words kernel_words check_words = text::words, text::check_words;
    Chars kernel_chars check_chars = text::chars, text::check_chars;
    HashedWords kernel_hashed_words check_hashed_words = text::hashed_words, text::check_hashed_words;
    HashedChars kernel_hashed_chars check_hashed_chars = text::hashed_chars, text::check_hashed_chars;
    CategoryHash kernel_category_hash check_category_hash = ctr::category_hash, ctr::check_category_hash;
    Walk32 kernel_walk32 check_walk32 = walk::kernel::<f32>, walk::check::<f32>;
    Walk64 kernel_walk64 check_walk64 = walk::kernel::<f64>, walk::check::<f64>;
    Sliced32 kernel_sliced32 check_sliced32 = sliced::kernel::<f32>, sliced::check::<f32, { sliced::ANY }, 0>;
    Sliced64 kernel_sliced64 check_sliced64 = sliced::kernel::<f64>, sliced::check::<f64, { sliced::ANY }, 0>;
    Sliced32Sets kernel_sliced32_sets check_sliced32_sets = sliced::with_sets::<f32, false>, sliced::check_sets::<f32>;
    Sliced32WideSets kernel_sliced32_wide_sets check_sliced32_wide_sets =
        sliced::with_sets::<f32, true>, sliced::check_sets::<f32>;
    Sliced64WideSets kernel_sliced64_wide_sets check_sliced64_wide_sets =
        sliced::with_sets::<f64, true>, sliced::check_sets::<f64>;
    Sliced64Sets kernel_sliced64_sets check_sliced64_sets = sliced::with_sets::<f64, false>, sliced::check_sets::<f64>;
    Dense kernel_dense check_dense = blocks::dense, blocks::check_dense;
    RbfFours kernel_rbf_fours check_rbf_fours = blocks::rbf, blocks::check_rbf;
    Gathered32 kernel_gathered32 check_gathered32 = sliced::gathered::<f32, { sliced::GATHERED }, 2>, sliced::check::<f32, { sliced::GATHERED }, 2>;
    Gathered64 kernel_gathered64 check_gathered64 = sliced::gathered::<f64, { sliced::GATHERED }, 2>, sliced::check::<f64, { sliced::GATHERED }, 2>;
    Deep32 kernel_deep32 check_deep32 = deep::kernel::<f32>, deep::check::<f32>;
    Deep64 kernel_deep64 check_deep64 = deep::kernel::<f64>, deep::check::<f64>;
    Grouped32 kernel_grouped32 check_grouped32 = sliced::gathered::<f32, { sliced::GROUPED }, 2>, sliced::check::<f32, { sliced::GROUPED }, 2>;
    Grouped64 kernel_grouped64 check_grouped64 = sliced::gathered::<f64, { sliced::GROUPED }, 2>, sliced::check::<f64, { sliced::GROUPED }, 2>;
    Gathered32x4 kernel_gathered32x4 check_gathered32x4 = sliced::gathered::<f32, { sliced::GATHERED }, 4>, sliced::check::<f32, { sliced::GATHERED }, 4>;
    Gathered32x8 kernel_gathered32x8 check_gathered32x8 = sliced::gathered::<f32, { sliced::GATHERED }, 8>, sliced::check::<f32, { sliced::GATHERED }, 8>;
    Gathered32x16 kernel_gathered32x16 check_gathered32x16 = sliced::gathered::<f32, { sliced::GATHERED }, 16>, sliced::check::<f32, { sliced::GATHERED }, 16>;
    Gathered64x4 kernel_gathered64x4 check_gathered64x4 = sliced::gathered::<f64, { sliced::GATHERED }, 4>, sliced::check::<f64, { sliced::GATHERED }, 4>;
    Gathered64x8 kernel_gathered64x8 check_gathered64x8 = sliced::gathered::<f64, { sliced::GATHERED }, 8>, sliced::check::<f64, { sliced::GATHERED }, 8>;
    Gathered64x16 kernel_gathered64x16 check_gathered64x16 = sliced::gathered::<f64, { sliced::GATHERED }, 16>, sliced::check::<f64, { sliced::GATHERED }, 16>;
    Grouped32x4 kernel_grouped32x4 check_grouped32x4 = sliced::gathered::<f32, { sliced::GROUPED }, 4>, sliced::check::<f32, { sliced::GROUPED }, 4>;
    Grouped32x8 kernel_grouped32x8 check_grouped32x8 = sliced::gathered::<f32, { sliced::GROUPED }, 8>, sliced::check::<f32, { sliced::GROUPED }, 8>;
    Grouped32x16 kernel_grouped32x16 check_grouped32x16 = sliced::gathered::<f32, { sliced::GROUPED }, 16>, sliced::check::<f32, { sliced::GROUPED }, 16>;
    Grouped64x4 kernel_grouped64x4 check_grouped64x4 = sliced::gathered::<f64, { sliced::GROUPED }, 4>, sliced::check::<f64, { sliced::GROUPED }, 4>;
    Grouped64x8 kernel_grouped64x8 check_grouped64x8 = sliced::gathered::<f64, { sliced::GROUPED }, 8>, sliced::check::<f64, { sliced::GROUPED }, 8>;
    Grouped64x16 kernel_grouped64x16 check_grouped64x16 = sliced::gathered::<f64, { sliced::GROUPED }, 16>, sliced::check::<f64, { sliced::GROUPED }, 16>;
    Finite kernel_finite check_finite = columns::finite, columns::check_finite;
    Complement32 kernel_complement32 check_complement32 = links::complement32, links::check_pair;
    Softplus kernel_softplus check_softplus = functions::softplus, columns::check_same;
    Logistic32 kernel_logistic32 check_logistic32 = functions::logistic32, functions::check_logistic32;
    Placed64 kernel_placed64 check_placed64 = sliced::gathered::<f64, { sliced::PLACED }, 2>, sliced::check::<f64, { sliced::PLACED }, 2>;
    Placed64x4 kernel_placed64x4 check_placed64x4 = sliced::gathered::<f64, { sliced::PLACED }, 4>, sliced::check::<f64, { sliced::PLACED }, 4>;
    Placed64x8 kernel_placed64x8 check_placed64x8 = sliced::gathered::<f64, { sliced::PLACED }, 8>, sliced::check::<f64, { sliced::PLACED }, 8>;
    Placed64x16 kernel_placed64x16 check_placed64x16 = sliced::gathered::<f64, { sliced::PLACED }, 16>, sliced::check::<f64, { sliced::PLACED }, 16>;
}

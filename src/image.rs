//! The only bytes both halves know: how a lowered model is laid out (docs/format.md has every field).
//!
//! Little-endian, 8-byte aligned, read in place. `check` validates the header and every operation's record and
//! asks the kernel about its arguments; nothing is read again afterwards. This module allocates nothing, cannot
//! panic and compiles without std.

/// "crry" in the first four bytes.
pub const MAGIC: u32 = u32::from_le_bytes(*b"crry");
/// Raised when a reader of the old layout would misread the new one.
pub const VERSION: u32 = 3;
/// Most rows that a run takes; an image with many slots takes fewer (`header::BLOCK`).
pub const BLOCK: usize = 512;
/// And of an image whose trees are only walked: each run fetches the nodes of every tree.
pub const BLOCK_OF_WALKS: usize = 1024;
/// And of one whose trees are cut in pieces, each of which takes its rows together.
pub const BLOCK_OF_PIECES: usize = 2048;

/// Bytes of the header.
pub const HEADER: usize = 40;
/// Bytes of an operation's record.
pub const RECORD: usize = 32;

/// Field offsets in the header; each a u32.
pub mod header {
    pub const MAGIC: usize = 0;
    pub const VERSION: usize = 4;
    /// Bytes of the whole image, a multiple of 8.
    pub const LENGTH: usize = 8;
    /// Input columns: slots `0..columns`.
    pub const COLUMNS: usize = 12;
    /// Slots of the workspace, each as many f64 as the block has rows.
    pub const SLOTS: usize = 16;
    /// Number of operations.
    pub const OPS: usize = 20;
    /// Offset of the first record.
    pub const OPS_AT: usize = 24;
    /// Most rows that one run takes, 1 to `image::BLOCK_OF_PIECES`.
    pub const BLOCK: usize = 28;
    /// Bytes of the tables that kernels make at their first run and keep, a multiple of 16.
    pub const TABLES: usize = 32;
    /// What the package's index.js opens it by: the two belong together. 0 in an image that is in no package.
    pub const ID: usize = 36;
}

/// Field offsets in an operation's record; each a u32.
pub mod record {
    /// Which kernel: `runtime::Kernel as u32`.
    pub const KERNEL: usize = 0;
    /// Number of input slots.
    pub const INPUTS: usize = 4;
    /// Offset of the input slot numbers, u32 each.
    pub const INPUTS_AT: usize = 8;
    /// First output slot; outputs are consecutive.
    pub const OUTPUT: usize = 12;
    /// Number of output slots.
    pub const OUTPUTS: usize = 16;
    /// Offset and length in bytes of the arguments, 8-byte aligned.
    pub const ARGS_AT: usize = 20;
    pub const ARGS: usize = 24;
    /// First of the scratch slots; how many the kernel says. For a kernel with tables, where they are, in units of
    /// 16 bytes.
    pub const SCRATCH: usize = 28;
}

macro_rules! kernels {
    ($($variant:ident $name:literal,)*) => {
        /// The inference routines. In the runtime wasm, kernel `x` is the exported function `kernel_x` with its
        /// validator `check_x`; the packager stubs those that an image does not use.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum Kernel { $($variant),* }

        impl Kernel {
            pub const ALL: &'static [Kernel] = &[$(Kernel::$variant),*];

            pub fn name(self) -> &'static str {
                match self { $(Kernel::$variant => $name),* }
            }
        }
    };
}

kernels! {
    Copy "copy",
    Constant "constant",
    Impute "impute",
    IsMissing "is_missing",
    Standardize "standardize",
    Linear "linear",
    Clip "clip",
    NormalizeL1 "normalize_l1",
    NormalizeL2 "normalize_l2",
    NormalizeMax "normalize_max",
    OneHotCode "one_hot_code",
    OneHotNumber "one_hot_number",
    LookupCode "lookup_code",
    LookupNumber "lookup_number",
    Affine "affine",
    Trees32 "trees32",
    Trees64 "trees64",
    Distances "distances",
    Softmax "softmax",
    Share "share",
    Complement "complement",
    Mirror "mirror",
    Argmax "argmax",
    Argmin "argmin",
    Above "above",
    Below "below",
    IsolationScore "isolation_score",
    Abs "abs",
    Cbrt "cbrt",
    Ceil "ceil",
    Cos "cos",
    Exp "exp",
    Exp2 "exp2",
    Expit "expit",
    Expm1 "expm1",
    Floor "floor",
    Log "log",
    Log10 "log10",
    Log1p "log1p",
    Log2 "log2",
    Negative "negative",
    Reciprocal "reciprocal",
    Rint "rint",
    Sign "sign",
    Sin "sin",
    Sqrt "sqrt",
    Square "square",
    Tan "tan",
    Tanh "tanh",
    Trunc "trunc",
    Trees32Sets "trees32_sets",
    Trees64Sets "trees64_sets",
    Affine32 "affine32",
    Softmax32 "softmax32",
    Float32 "float32",
    Exp32 "exp32",
    Sigmoid32 "sigmoid32",
    Confidence "confidence",
    Combine "combine",
    ShareOrZero "share_or_zero",
    Interpolate "interpolate",
    WeightedMedian "weighted_median",
    NormalCdf "normal_cdf",
    InverseBoxCox "inverse_box_cox",
    InverseYeoJohnson "inverse_yeo_johnson",
    Multiply "multiply",
    Relu "relu",
    Rbf "rbf",
    Polynomial "polynomial",
    Sigmoid "sigmoid",
    Laplacian "laplacian",
    ChiSquared "chi_squared",
    AdditiveChiSquared "additive_chi_squared",
    PairVotes "pair_votes",
    PairProbabilities "pair_probabilities",
    NearestEuclidean "nearest_euclidean",
    NearestManhattan "nearest_manhattan",
    Nearest "nearest",
    Within "within",
    WithinEuclidean "within_euclidean",
    NeighborVote "neighbor_vote",
    NeighborMean "neighbor_mean",
    NeighborScatter "neighbor_scatter",
    OutlierFactor "outlier_factor",
    Solve "solve",
    Laplace "laplace",
    LogSumExp "log_sum_exp",
    SignedSquare "signed_square",
    LinearTrees "linear_trees",
    Oblivious "oblivious",
    Ctr "ctr",
    Digitize "digitize",
    Products "products",
    BoxCox "box_cox",
    YeoJohnson "yeo_johnson",
    Quantiles "quantiles",
    Splines "splines",
    NormalQuantile "normal_quantile",
    Coalesce "coalesce",
    Donors "donors",
    Sublinear "sublinear",
    Words "words",
    Chars "chars",
    HashedWords "hashed_words",
    HashedChars "hashed_chars",
    CategoryHash "category_hash",
    Walk32 "walk32",
    Walk64 "walk64",
    Sliced32 "sliced32",
    Sliced64 "sliced64",
    Dense "dense",
    RbfFours "rbf_fours",
    Gathered32 "gathered32",
    Gathered64 "gathered64",
    Deep32 "deep32",
    Deep64 "deep64",
    Grouped32 "grouped32",
    Grouped64 "grouped64",
    Complement32 "complement32",
    Sliced32Sets "sliced32_sets",
    Sliced64Sets "sliced64_sets",
    Sliced32WideSets "sliced32_wide_sets",
    Sliced64WideSets "sliced64_wide_sets",
    Gathered32x4 "gathered32x4",
    Gathered32x8 "gathered32x8",
    Gathered32x16 "gathered32x16",
    Gathered64x4 "gathered64x4",
    Gathered64x8 "gathered64x8",
    Gathered64x16 "gathered64x16",
    Grouped32x4 "grouped32x4",
    Grouped32x8 "grouped32x8",
    Grouped32x16 "grouped32x16",
    Grouped64x4 "grouped64x4",
    Grouped64x8 "grouped64x8",
    Grouped64x16 "grouped64x16",
    Finite "finite",
    Softplus "softplus",
    Logistic32 "logistic32",
    Placed64 "placed64",
    Placed64x4 "placed64x4",
    Placed64x8 "placed64x8",
    Placed64x16 "placed64x16",
}

impl Kernel {
    /// Whether its input is a column of texts: the number in the slot is a place in the texts beside the workspace.
    pub fn reads_texts(self) -> bool {
        matches!(
            self,
            Kernel::Words | Kernel::Chars | Kernel::HashedWords | Kernel::HashedChars | Kernel::CategoryHash
        )
    }

    /// Whether it reads a compact forest. Its inputs may then be columns of f32.
    pub fn reads_forest(self) -> bool {
        use Kernel::*;
        matches!(self, Walk32 | Walk64 | Deep32 | Deep64 | Sliced32 | Sliced64)
            || matches!(self, Sliced32Sets | Sliced64Sets | Sliced32WideSets | Sliced64WideSets)
            || matches!(self, Gathered32 | Gathered32x4 | Gathered32x8 | Gathered32x16)
            || matches!(self, Gathered64 | Gathered64x4 | Gathered64x8 | Gathered64x16)
            || matches!(self, Grouped32 | Grouped32x4 | Grouped32x8 | Grouped32x16)
            || matches!(self, Grouped64 | Grouped64x4 | Grouped64x8 | Grouped64x16)
            || matches!(self, Placed64 | Placed64x4 | Placed64x8 | Placed64x16)
    }
}

/// Values that may be read in place: any bit pattern is one of them.
///
/// # Safety
/// Implementors have no padding, no invalid bit patterns and no destructor.
pub unsafe trait Plain: Copy + 'static {}
// SAFETY: integers and floats of fixed width.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for u16 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}

#[cfg(target_endian = "big")]
compile_error!("images are little-endian and read in place");

/// A reader that hands out checked views in order; each is aligned to its own size, as `lower` writes them.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// The next `count` values, or None where the bytes end before. An empty list takes no bytes, not even to align.
    #[inline]
    pub fn list<T: Plain>(&mut self, count: usize) -> Option<&'a [T]> {
        if count == 0 {
            return Some(&[]);
        }
        let size = core::mem::size_of::<T>();
        let start = self.at.checked_add(size - 1)? & !(size - 1);
        let end = start.checked_add(count.checked_mul(size)?)?;
        let bytes = self.bytes.get(start..end)?;
        if !(bytes.as_ptr() as usize).is_multiple_of(core::mem::align_of::<T>()) {
            return None;
        }
        self.at = end;
        // SAFETY: the bytes are in bounds, aligned for T as just checked, and T is plain data.
        Some(unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast(), count) })
    }

    /// `list`, without its checks, which take longer than what some kernels do with a row.
    ///
    /// # Safety
    /// `list`, from the same place and of the same T and count, is not None: a validator saw that.
    #[inline(always)]
    pub unsafe fn sound<T: Plain>(&mut self, count: usize) -> &'a [T] {
        if count == 0 {
            return &[];
        }
        let size = core::mem::size_of::<T>();
        let start = (self.at + size - 1) & !(size - 1);
        self.at = start + count * size;
        // SAFETY: in bounds and aligned, by the caller.
        unsafe { core::slice::from_raw_parts(self.bytes.as_ptr().add(start).cast(), count) }
    }

    #[inline]
    pub fn one<T: Plain>(&mut self) -> Option<T> {
        self.list::<T>(1)?.first().copied()
    }
}

/// An image's header and records, read field by field.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    bytes: &'a [u8],
    pub columns: usize,
    pub slots: usize,
    pub ops: usize,
    /// Most rows a run takes; the workspace holds slots × block numbers.
    pub block: usize,
    /// Bytes of the kernels' tables.
    pub tables: usize,
    ops_at: usize,
}

/// Where a package's tables are: behind the workspace, aligned to a line of a cache.
pub fn tables_at(workspace: usize, image: &Image) -> usize {
    (workspace + image.slots * image.block * 8 + 63) & !63
}

/// Where rows of numbers are put, in a package that takes them: behind the tables.
pub fn rows_at(workspace: usize, image: &Image) -> usize {
    tables_at(workspace, image) + image.tables
}

/// Bytes of these rows, with three numbers a column before them.
pub fn rows_size(image: &Image) -> u64 {
    image.columns as u64 * (3 + image.block as u64) * 8
}

/// One operation's record.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    pub kernel: u32,
    pub inputs: &'a [u32],
    pub output: usize,
    pub outputs: usize,
    pub args: &'a [u8],
    pub scratch: usize,
}

impl<'a> Image<'a> {
    /// Reads the header; None where the bytes are not an image of this version.
    pub fn open(bytes: &'a [u8]) -> Option<Image<'a>> {
        let field = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let length = field(header::LENGTH)? as usize;
        if field(header::MAGIC)? != MAGIC || field(header::VERSION)? != VERSION {
            return None;
        }
        Some(Image {
            bytes: bytes.get(..length)?,
            columns: field(header::COLUMNS)? as usize,
            slots: field(header::SLOTS)? as usize,
            ops: field(header::OPS)? as usize,
            block: field(header::BLOCK)? as usize,
            tables: field(header::TABLES)? as usize,
            ops_at: field(header::OPS_AT)? as usize,
        })
    }

    /// Whether an operation reads columns, and every one that does may read them of f32.
    pub fn takes_narrow(&self) -> bool {
        let mut reading = (0..self.ops)
            .filter_map(|number| self.record(number))
            .filter(|record| record.inputs.iter().any(|&slot| (slot as usize) < self.columns))
            .map(|record| Kernel::ALL.get(record.kernel as usize).is_some_and(|kernel| kernel.reads_forest()))
            .peekable();
        reading.peek().is_some() && reading.all(|narrow| narrow)
    }

    /// The record of operation `number`, its lists in bounds: read once, by `check`.
    #[inline]
    pub fn record(&self, number: usize) -> Option<Record<'a>> {
        let at = self.ops_at.checked_add(number.checked_mul(RECORD)?)?;
        let [kernel, inputs_count, inputs_at, output, outputs, args_at, args, scratch] =
            *Reader::new(self.bytes.get(at..)?).list::<u32>(8)?.first_chunk::<8>()?;
        let inputs = Reader::new(self.bytes.get(inputs_at as usize..).filter(|_| inputs_at % 4 == 0)?);
        let inputs = { inputs }.list::<u32>(inputs_count as usize)?;
        let args = self.bytes.get(args_at as usize..)?.get(..args as usize)?;
        Some(Record {
            kernel,
            inputs,
            output: output as usize,
            outputs: outputs as usize,
            args,
            scratch: scratch as usize,
        })
    }

    /// `record`, without its checks: to run an operation on one row may take less time than they do.
    ///
    /// # Safety
    /// `record(number)` is not None.
    #[inline(always)]
    pub unsafe fn sound_record(&self, number: usize) -> Record<'a> {
        // SAFETY: by the caller; `record` found all of this in bounds and aligned.
        unsafe {
            let image = self.bytes.as_ptr();
            let [kernel, inputs, inputs_at, output, outputs, args_at, args, scratch] =
                *image.add(self.ops_at + number * RECORD).cast::<[u32; 8]>();
            let inputs = core::slice::from_raw_parts(image.add(inputs_at as usize).cast(), inputs as usize);
            let args = core::slice::from_raw_parts(image.add(args_at as usize), args as usize);
            let (output, outputs, scratch) = (output as usize, outputs as usize, scratch as usize);
            Record { kernel, inputs, output, outputs, args, scratch }
        }
    }
}

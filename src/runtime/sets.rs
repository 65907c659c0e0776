//! Splits that ask a category set, in the kernels that work with masks: a set is one more mask, of the rows that it sends
//! right, or for a single row one of the reasons why its leaves are ruled out.
//!
//! Sets of one input stand together. What they have to know of a value is its class: the category, or that there is none.
//! For every class and eight sets a byte says which of these send it right; the bytes of 128 rows are transposed to
//! eight masks. So a value is looked at once, however many sets ask it. `trees` has what a set means.

use super::bits::{Bits, ROWS, Wide, transpose};
use super::forest::{Column, Forest, Layout, Place};
use super::trees::{Number, OUTSIDE_LEFT, TOWARD_ZERO};
use super::walk::load;
use super::{Call, pieces_mut};
use crate::image::Reader;

/// In a set's word, beside `OUTSIDE_LEFT` and `TOWARD_ZERO`: a missing value goes left. Above these its categories.
pub const MISSING_LEFT: u32 = 4;
pub const FLAG_BITS: u32 = 3;

/// Classes behind the categories: any other value; what lies between -1 and 0; missing.
const OUTSIDE: u32 = 0;
const FRACTION: u32 = 1;
const MISSING: u32 = 2;
const OTHERS: u32 = 3;

/// Most bytes of the tables: what is looked up at random should stay near.
const MOST: u64 = 1 << 24;

/// The arguments behind those of the forest, in the order in which they stand.
#[derive(Clone, Copy)]
pub struct Sets<'a> {
    /// An input, how many sets ask it, and the most categories of one.
    inputs: &'a [[u32; 3]],
    /// The flags and categories of each set.
    sets: &'a [u32],
    /// A bit a category, set by set: it goes left.
    left: &'a [u32],
}

/// The sets of one input.
pub struct Group<'a> {
    pub column: Column,
    sets: &'a [u32],
    left: &'a [u32],
    /// Most categories of a set.
    most: u32,
}

impl<'a> Sets<'a> {
    pub const NONE: Sets<'static> = Sets { inputs: &[], sets: &[], left: &[] };

    pub fn read(args: &mut Reader<'a>) -> Option<Sets<'a>> {
        let &[inputs, sets, left] = args.list::<u32>(3)?.first_chunk()?;
        Some(Sets {
            inputs: args.list::<u32>((inputs as usize).checked_mul(3)?)?.as_chunks().0,
            sets: args.list(sets as usize)?,
            left: args.list(left as usize)?,
        })
    }

    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }

    pub fn count(&self) -> usize {
        self.sets.len()
    }

    /// The classes of all inputs.
    pub fn classes(&self) -> u64 {
        self.inputs.iter().map(|&[_, _, most]| classes(most)).sum()
    }

    pub fn groups(&self) -> impl Iterator<Item = Group<'a>> {
        let Sets { inputs, mut sets, mut left } = *self;
        inputs.iter().map_while(move |&[input, count, most]| {
            let (own, rest) = sets.split_at_checked(count as usize)?;
            let group = Group { column: Column::new(input, Column::LEFT), sets: own, left, most };
            sets = rest;
            left = left.get(own.iter().map(|&set| words(set)).sum::<usize>()..)?;
            Some(group)
        })
    }

    /// Whether the groups hold all sets and words, and their inputs exist.
    pub fn check(&self, inputs: usize) -> Option<()> {
        let (mut groups, mut sets, mut left) = (0, 0, 0);
        for group in self.groups() {
            (groups, sets) = (groups + 1, sets + group.sets.len());
            left += group.sets.iter().map(|&set| words(set)).sum::<usize>();
            let most = group.sets.iter().all(|&set| set >> FLAG_BITS <= group.most);
            if !most || group.sets.is_empty() || group.column.input() >= inputs {
                return None;
            }
        }
        ((groups, sets, left) == (self.inputs.len(), self.sets.len(), self.left.len())).then_some(())
    }
}

/// Classes of values, for sets of so many categories at most.
pub fn classes(most: u32) -> u64 {
    u64::from(most) + u64::from(OTHERS)
}

/// Words of a set's bits.
fn words(set: u32) -> usize {
    (set >> FLAG_BITS).div_ceil(32) as usize
}

/// The class of x, where sets have at most so many categories.
#[inline(always)]
pub fn class<T: Number>(x: T, most: u32) -> u32 {
    let category = x.whole();
    if x >= T::round(0.0) && category < most {
        return category;
    }
    most + if x.is_nan() {
        MISSING
    } else if x < T::round(0.0) && x > T::round(-1.0) {
        FRACTION
    } else {
        OUTSIDE
    }
}

impl Group<'_> {
    pub fn classes(&self) -> u32 {
        self.most + OTHERS
    }

    pub fn count(&self) -> usize {
        self.sets.len()
    }

    pub fn class<T: Number>(&self, x: T) -> u32 {
        class(x, self.most)
    }

    /// Of each set, whether it sends a class right.
    pub fn right(&self, class: u32) -> impl Iterator<Item = bool> {
        let (most, mut left) = (self.most, self.left);
        self.sets.iter().map_while(move |&set| {
            let (own, rest) = left.split_at_checked(words(set))?;
            left = rest;
            let category = if class == most + FRACTION && set & TOWARD_ZERO != 0 { 0 } else { class };
            Some(if class == most + MISSING {
                set & MISSING_LEFT == 0
            } else if category < set >> FLAG_BITS {
                own.get(category as usize / 32).is_some_and(|word| word >> (category % 32) & 1 == 0)
            } else {
                set & OUTSIDE_LEFT == 0
            })
        })
    }
}

/// What a row needs to know of an input's sets.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Head {
    pub column: Column,
    pub most: u32,
    /// Its sets, where its bytes begin, and the number of its first class among those of all inputs.
    sets: u32,
    bytes: u32,
    pub first: u32,
}

/// Where the tables are.
pub struct Tables {
    ready: Place,
    heads: Place,
    /// Of each input for each eight sets a byte a class.
    bytes: Place,
}

impl Tables {
    pub fn new(sets: &Sets, layout: &mut Layout) -> Tables {
        let bytes = sets.inputs.iter().map(|&[_, count, most]| classes(most) * u64::from(count.div_ceil(8)));
        Tables {
            ready: layout.take::<u32>(1),
            heads: layout.take::<Head>(sets.inputs.len() as u64),
            bytes: layout.take::<u8>(bytes.fold(0, u64::saturating_add)),
        }
    }

    /// Whether that is not too much.
    pub fn fits(&self) -> bool {
        self.bytes.count() as u64 <= MOST
    }

    /// The heads; makes the tables first, once.
    pub fn prepare<'a>(&self, call: &Call, sets: &Sets) -> &'a [Head] {
        // SAFETY: laid out as in the validator, each place is viewed once.
        let (ready, heads, bytes) =
            unsafe { (self.ready.of::<u32>(call), self.heads.of::<Head>(call), self.bytes.of::<u8>(call)) };
        if *ready == [0] {
            ready.fill(1);
            let (mut at, mut first) = (0, 0);
            for (head, group) in heads.iter_mut().zip(sets.groups()) {
                let (most, classes) = (group.most, group.classes());
                *head = Head { column: group.column, most, sets: group.sets.len() as u32, bytes: at as u32, first };
                for class in 0..classes {
                    for (set, right) in group.right(class).enumerate() {
                        let place = at + set / 8 * classes as usize + class as usize;
                        let byte = bytes.iter_mut().skip(place).take(1);
                        byte.for_each(|byte| *byte |= u8::from(right) << (set % 8));
                    }
                }
                at += group.sets.len().div_ceil(8) * classes as usize;
                first += classes;
            }
        }
        heads
    }

    /// The mask of every set for the rows of the block; false where a value is refused.
    ///
    /// # Safety
    /// The tables were prepared, of checked sets; these are their heads.
    pub unsafe fn fill_masks<T: Number>(
        &self,
        call: &Call,
        forest: &Forest,
        heads: &[Head],
        mut masks: &mut [Wide],
    ) -> bool {
        // SAFETY: laid out as in the validator, and not written any more.
        let bytes = unsafe { self.bytes.of::<u8>(call) }.as_ptr();
        // Filled once: engines call out of the module for that.
        let mut x = [T::NAN; ROWS];
        let mut classes = [0u32; ROWS];
        let mut rows = [Bits::words(0); 8];
        for head in heads {
            let Some((own, rest)) = core::mem::take(&mut masks).split_at_mut_checked(head.sets as usize) else {
                return false;
            };
            masks = rest;
            for lane in 0..call.rows.div_ceil(ROWS) {
                if !load(call, forest, head.column, lane * ROWS, &mut x) {
                    return false;
                }
                for (class, &x) in classes.iter_mut().zip(&x) {
                    *class = self::class(x, head.most);
                }
                let mut table = bytes.wrapping_add(head.bytes as usize);
                for eight in pieces_mut(own, 8) {
                    // SAFETY: there is a byte for each class of each eight sets; a lane has 128 bytes of rows, 8 vectors.
                    unsafe {
                        let mut into = rows.as_mut_ptr().cast::<u8>();
                        for class in classes.as_chunks::<8>().0 {
                            macro_rules! each {
                                ($($k:literal)*) => { $(*into.add($k) = *table.add(class[$k] as usize);)* };
                            }
                            each!(0 1 2 3 4 5 6 7);
                            into = into.add(8);
                        }
                        let rows = rows.as_mut_ptr();
                        transpose(rows, 1, rows, 1);
                    }
                    for (mask, &plane) in eight.iter_mut().zip(&rows) {
                        mask.iter_mut().skip(lane).take(1).for_each(|mask| *mask = plane);
                    }
                    table = table.wrapping_add((head.most + OTHERS) as usize);
                }
            }
        }
        true
    }
}

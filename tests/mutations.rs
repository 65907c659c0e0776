//! Damaged models and images of every fixture: an error or other numbers, never a panic. The seeds are fixed.

mod common;

use carryout::lower::{Want, lower};
use carryout::runtime::host::Machine;
use common::{Case, Random};
use std::path::Path;

impl Random {
    /// A few bytes changed: by a bit, to an extreme, or to another place's.
    fn damage(&mut self, bytes: &mut [u8], from: usize) {
        for _ in 0..=self.below(3) {
            let at = from + self.below(bytes.len() - from);
            bytes[at] = match self.below(4) {
                0 => bytes[at] ^ (1 << self.below(8)),
                1 => [0, 0xff, 0x7f, 0x80][self.below(4)],
                2 => bytes[from + self.below(bytes.len() - from)],
                _ => bytes[at].wrapping_add(1),
            };
        }
    }
}

fn run(image: &[u8]) -> bool {
    let Ok(mut machine) = Machine::open(image) else { return false };
    let columns = machine.columns();
    // A text at 0, one that is no UTF-8 at 40, one that is longer than what there is at 50.
    let texts = machine.texts_mut();
    texts.extend(36u32.to_le_bytes());
    texts.extend("The naïve ΣΑΣ. dog_1, 한국 ﬁve 😀 x".as_bytes());
    texts.resize(40, b' ');
    texts.extend(b"\x06\0\0\0\xff\xce\xf0\x9f\xcea\xff\xff\xff\xff dog");
    for rows in [1, machine.block().min(3)] {
        for (number, slot) in machine.slots_mut().iter_mut().take(columns * rows).enumerate() {
            *slot = [0.0, 40.0, 50.0, 0.5, -1.0, 3.0, f64::NAN][number % 7];
        }
        // A refusal is as good as numbers.
        let _ = machine.run(rows);
    }
    true
}

#[test]
fn damage_is_an_error_or_other_numbers() {
    let rounds = std::env::var("MUTATIONS").map_or(6, |rounds| rounds.parse().unwrap());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut sets: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    sets.sort();
    let mut random = Random::default();
    let (mut models, mut images) = ([0, 0], [0, 0]);
    for case in sets.into_iter().filter(|set| set.join("INDEX.json").is_file()).flat_map(Case::all) {
        let bytes = std::fs::read(&case.models()[0]).unwrap();
        let options = case.options();
        for round in 0..rounds {
            let mut damaged = bytes.clone();
            random.damage(&mut damaged, 0);
            let lowered = carryout::import(&damaged, &options).and_then(|model| lower(&model, Want::Everything));
            models[usize::from(lowered.is_ok_and(|lowered| run(&lowered.image)))] += 1;
            let model = carryout::import(&bytes, &options).unwrap();
            let mut image = lower(&model, Want::Everything).unwrap().image;
            // An image without operations (all columns selected) is its header alone.
            let header = carryout::image::HEADER;
            let from = if round % 2 == 0 || image.len() == header { 0 } else { header };
            random.damage(&mut image, from);
            images[usize::from(run(&image))] += 1;
        }
    }
    println!("models {models:?}, images {images:?}: refused, run");
    assert!(models.iter().chain(&images).all(|&count| count > 0));
}

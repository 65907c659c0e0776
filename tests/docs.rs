//! Documentation that the code can contradict.

use carryout::image::Kernel;

/// docs/format.md describes every kernel.
#[test]
fn every_kernel_is_in_the_format() {
    let format = include_str!("../docs/format.md");
    let absent: Vec<&str> = Kernel::ALL
        .iter()
        .map(|kernel| kernel.name())
        .filter(|name| !format.contains(&format!("`{name}`")))
        .collect();
    assert!(absent.is_empty(), "docs/format.md does not describe {absent:?}");
}

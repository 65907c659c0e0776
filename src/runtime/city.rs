//! CityHash64 as it was in its version 1.0, which is the one that CatBoost hashes categories with (util/digest/city.cpp).

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;
const K3: u64 = 0xc949_d7c7_509e_6557;

/// CatBoost's number for a category: the low half of the hash of its text.
pub fn category(text: &[u8]) -> u32 {
    hash(text) as u32
}

/// The little-endian number at a place that the caller knows to exist.
#[inline]
fn u64_at(text: &[u8], at: usize) -> u64 {
    text.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[inline]
fn u32_at(text: &[u8], at: usize) -> u64 {
    text.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes).into())
}

#[inline]
fn u8_at(text: &[u8], at: usize) -> u32 {
    text.get(at).copied().unwrap_or(0).into()
}

#[inline]
fn mix(value: u64) -> u64 {
    value ^ value >> 47
}

/// Two numbers to one, as MurmurHash does.
fn join(low: u64, high: u64) -> u64 {
    const FACTOR: u64 = 0x9ddf_ea08_eb38_2d69;
    let first = mix((low ^ high).wrapping_mul(FACTOR));
    mix((high ^ first).wrapping_mul(FACTOR)).wrapping_mul(FACTOR)
}

pub fn hash(text: &[u8]) -> u64 {
    match text.len() {
        0 => K2,
        1..4 => {
            let length = text.len();
            let y = u8_at(text, 0).wrapping_add(u8_at(text, length >> 1) << 8);
            let z = (length as u32).wrapping_add(u8_at(text, length - 1) << 2);
            mix(u64::from(y).wrapping_mul(K2) ^ u64::from(z).wrapping_mul(K3)).wrapping_mul(K2)
        }
        length @ 4..=8 => join((length as u64).wrapping_add(u32_at(text, 0) << 3), u32_at(text, length - 4)),
        length @ 9..=16 => {
            let end = u64_at(text, length - 8);
            join(u64_at(text, 0), end.wrapping_add(length as u64).rotate_right(length as u32)) ^ end
        }
        17..=32 => medium(text),
        33..=64 => long(text),
        _ => blocks(text),
    }
}

fn medium(text: &[u8]) -> u64 {
    let length = text.len();
    let a = u64_at(text, 0).wrapping_mul(K1);
    let b = u64_at(text, 8);
    let c = u64_at(text, length - 8).wrapping_mul(K2);
    let d = u64_at(text, length - 16).wrapping_mul(K0);
    join(
        a.wrapping_sub(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d),
        a.wrapping_add((b ^ K3).rotate_right(20)).wrapping_sub(c).wrapping_add(length as u64),
    )
}

/// Half of `long`: four numbers to two.
fn half(start: u64, second: u64, third: u64, last: u64) -> (u64, u64) {
    let b = start.wrapping_add(last).rotate_right(52);
    let c = start.rotate_right(37);
    let a = start.wrapping_add(second);
    let c = c.wrapping_add(a.rotate_right(7));
    let a = a.wrapping_add(third);
    (a.wrapping_add(last), b.wrapping_add(a.rotate_right(31)).wrapping_add(c))
}

fn long(text: &[u8]) -> u64 {
    let length = text.len();
    let start =
        u64_at(text, 0).wrapping_add((length as u64).wrapping_add(u64_at(text, length - 16)).wrapping_mul(K0));
    let (vf, vs) = half(start, u64_at(text, 8), u64_at(text, 16), u64_at(text, 24));
    let start = u64_at(text, 16).wrapping_add(u64_at(text, length - 32));
    let (wf, ws) = half(start, u64_at(text, length - 24), u64_at(text, length - 16), u64_at(text, length - 8));
    let r = mix(vf.wrapping_add(ws).wrapping_mul(K2).wrapping_add(wf.wrapping_add(vs).wrapping_mul(K0)));
    mix(r.wrapping_mul(K0).wrapping_add(vs)).wrapping_mul(K2)
}

/// 32 bytes and two seeds to two numbers.
fn weak(text: &[u8], at: usize, a: u64, b: u64) -> (u64, u64) {
    let last = u64_at(text, at + 24);
    let a = a.wrapping_add(u64_at(text, at));
    let b = b.wrapping_add(a).wrapping_add(last).rotate_right(21);
    let sum = a.wrapping_add(u64_at(text, at + 8)).wrapping_add(u64_at(text, at + 16));
    (sum.wrapping_add(last), b.wrapping_add(sum.rotate_right(44)).wrapping_add(a))
}

fn blocks(text: &[u8]) -> u64 {
    let length = text.len();
    let mut x = u64_at(text, 0);
    let mut y = u64_at(text, length - 16) ^ K1;
    let mut z = u64_at(text, length - 56) ^ K0;
    let mut v = weak(text, length - 64, length as u64, y);
    let mut w = weak(text, length - 32, (length as u64).wrapping_mul(K1), K0);
    z = z.wrapping_add(mix(v.1).wrapping_mul(K1));
    x = z.wrapping_add(x).rotate_right(39).wrapping_mul(K1);
    y = y.rotate_right(33).wrapping_mul(K1);
    for at in (0..(length - 1) & !63).step_by(64) {
        x = x.wrapping_add(y).wrapping_add(v.0).wrapping_add(u64_at(text, at + 16)).rotate_right(37).wrapping_mul(K1);
        y = y.wrapping_add(v.1).wrapping_add(u64_at(text, at + 48)).rotate_right(42).wrapping_mul(K1);
        x ^= w.1;
        y ^= v.0;
        z = (z ^ w.0).rotate_right(33);
        v = weak(text, at, v.1.wrapping_mul(K1), x.wrapping_add(w.0));
        w = weak(text, at + 32, z.wrapping_add(w.1), y);
        (z, x) = (x, z);
    }
    join(join(v.0, w.0).wrapping_add(mix(y).wrapping_mul(K1)).wrapping_add(z), join(v.1, w.1).wrapping_add(x))
}

#[cfg(test)]
mod tests {
    /// Texts of many lengths with the hashes that CatBoost gave them (tests/fixtures/make_catboost.py).
    #[test]
    fn hashes_are_catboosts() {
        let recorded = include_str!("../../tests/fixtures/catboost/hashes.json");
        let recorded: Vec<(String, u32)> = serde_json::from_str(recorded).unwrap();
        assert!(recorded.len() > 90);
        for (text, hash) in recorded {
            assert_eq!(super::category(text.as_bytes()), hash, "{text}");
        }
    }
}

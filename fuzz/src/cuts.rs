//! Ways to cut bytes into pieces, derived from the bytes themselves: the same for the same bytes.

use fastrand::Rng;

/// Chance that depends on nothing but `data`.
pub(crate) fn chance(data: &[u8]) -> Rng {
    // FNV-1a, 64 bits.
    let hash = data
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    Rng::with_seed(hash)
}

/// `data` in pieces: byte by byte, in short pieces, in long ones; all of it in order, empty pieces among them.
pub(crate) fn ways(data: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut rng = chance(data);
    let bytes = data.chunks(1).collect();
    [8, 64].into_iter().map(|most| pieces(data, || rng.usize(0..most))).chain([bytes]).collect()
}

/// `data` in pieces as long as `next` says; where it says nothing for long, the rest is one piece.
fn pieces(data: &[u8], mut next: impl FnMut() -> usize) -> Vec<&[u8]> {
    let (mut pieces, mut rest) = (Vec::new(), data);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(next().min(rest.len()));
        pieces.push(now);
        rest = later;
    }
    pieces
}

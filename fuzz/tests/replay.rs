//! Every seed of every target, and mutations of it: cut at each place, or at 512 of them, and with bytes replaced as
//! chance has it.
//!
//! What libFuzzer found once is a seed from then on.

// Clippy knows test functions, but not the functions they share.
#![allow(clippy::expect_used)]

use fastrand::Rng;
use std::panic::catch_unwind;
use std::path::Path;

/// At how many places one seed is cut: a longer one is not at each.
const PLACES: usize = 512;

/// How often bytes of one seed are replaced.
const REPLACED: usize = 24;

/// Bytes that mean something to one reader or another.
const MEANINGFUL: &[u8] = b"{}[]\",:\\-+.e019 \n\r\t`#$/~%\x00\x1f\x7f\x80\xc3\xed\xff";

fn replay(name: &str, target: fn(&[u8]), least: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let mut seeds: Vec<_> =
        folder.read_dir().expect("a folder of seeds").map(|entry| entry.expect("readable").path()).collect();
    seeds.sort();
    assert!(seeds.len() >= least, "{} seeds", seeds.len());
    for seed in seeds {
        let bytes = std::fs::read(&seed).expect("readable");
        let holds = |data: &[u8], how: &str| {
            let held = catch_unwind(|| target(data));
            assert!(held.is_ok(), "{} {how}: {}", seed.display(), data.escape_ascii());
        };
        holds(&bytes, "as it is");
        for end in (0..bytes.len()).step_by(1 + bytes.len() / PLACES) {
            holds(&bytes[..end], "cut");
        }
        let mut rng = Rng::with_seed(bytes.len() as u64);
        for _ in 0..REPLACED {
            holds(&replaced(&bytes, &mut rng), "with bytes replaced");
        }
    }
}

/// `bytes` with one to four of them replaced.
fn replaced(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.usize(1..=4) {
        let other = if rng.bool() { rng.u8(..) } else { MEANINGFUL[rng.usize(..MEANINGFUL.len())] };
        if !bytes.is_empty() {
            let at = rng.usize(..bytes.len());
            bytes[at] = other;
        }
    }
    bytes
}

#[test]
fn answer() {
    replay("answer", fuzz::answer, 10);
}

#[test]
fn mended() {
    replay("mended", fuzz::mended, 10);
}

#[test]
fn repair() {
    replay("repair", fuzz::repair, 30);
}

#[test]
fn scanner() {
    replay("scanner", fuzz::scanner, 30);
}

#[test]
fn schema() {
    replay("schema", fuzz::schema, 30);
}

#[test]
fn stream() {
    replay("stream", fuzz::stream, 10);
}

#[test]
fn decoder() {
    replay("decoder", fuzz::decoder, 10);
}

#[test]
fn whole() {
    replay("whole", fuzz::whole, 10);
}

#[test]
fn request() {
    replay("request", fuzz::request, 10);
}

#[test]
fn other() {
    replay("other", fuzz::other, 10);
}

#[test]
fn socket() {
    replay("socket", fuzz::socket, 5);
}

#[test]
fn translated() {
    replay("translated", fuzz::translated, 10);
}

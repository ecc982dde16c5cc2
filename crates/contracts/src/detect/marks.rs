//! Which kinds of things a text can hold at all, told by little more than one look at each byte.
//!
//! Most texts hold none, and are not searched. A mark may be there for nothing; where a thing is, its mark is too.
//! Must never be here: whether it is one.

use super::{Entities, Entity};
use memchr::{memchr, memchr2_iter, memmem};
use regex::bytes::Regex;
use std::sync::LazyLock;

/// What credentials begin with.
const WORDS: &[(Entity, &[&str])] = &[
    (Entity::AwsAccessKey, &["AKIA", "ASIA"]),
    (Entity::GithubToken, &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"]),
    (Entity::GitlabToken, &["glpat-"]),
    (Entity::OpenaiKey, &["sk-"]),
    (Entity::AnthropicKey, &["sk-ant-"]),
    (Entity::GoogleApiKey, &["AIza"]),
    (Entity::HuggingfaceToken, &["hf_"]),
    (Entity::SlackToken, &["xox"]),
    (Entity::StripeKey, &["k_live_"]),
    (Entity::PrivateKey, &["-----BEGIN "]),
    (Entity::Jwt, &["eyJ"]),
];

/// Any of them.
static ANY_WORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words: Vec<&str> = WORDS.iter().flat_map(|(_, words)| words.iter().copied()).collect();
    Regex::new(&words.join("|")).ok()
});

/// What is made of digits.
const NUMBERS: [Entity; 7] = [
    Entity::PhoneNumber,
    Entity::CreditCard,
    Entity::IbanCode,
    Entity::UsSsn,
    Entity::IpAddress,
    Entity::UkNhs,
    Entity::EsNif,
];

/// What of `wanted` may be in `text`.
pub(super) fn of(text: &str, wanted: Entities) -> Entities {
    let (bytes, mut marked) = (text.as_bytes(), Entities::default());
    let wants = |entities: &[Entity]| entities.iter().any(|entity| wanted.has(*entity));
    if wants(&[Entity::EmailAddress]) && memchr(b'@', bytes).is_some() {
        marked.add(Entity::EmailAddress);
    }
    if wants(&NUMBERS) {
        numbers(bytes, &mut marked);
    }
    if wants(&[Entity::IpAddress, Entity::MacAddress]) {
        groups(bytes, &mut marked);
    }
    let any_word = || ANY_WORD.as_ref().is_none_or(|any| any.is_match(bytes));
    if WORDS.iter().any(|(entity, _)| wanted.has(*entity)) && any_word() {
        let there = |words: &[&str]| words.iter().any(|word| memmem::find(bytes, word.as_bytes()).is_some());
        WORDS.iter().filter(|(_, words)| there(words)).for_each(|(entity, _)| marked.add(*entity));
    }
    marked.both(wanted)
}

/// Digits with at most two signs between one and the next.
#[derive(Default)]
struct Cluster {
    digits: usize,
    dots: usize,
    /// The most digits in a row.
    longest: usize,
}

/// Marks what has enough digits close together.
fn numbers(bytes: &[u8], marked: &mut Entities) {
    let mut from = 0;
    while let Some(start) = digit(bytes, from) {
        let cluster;
        (cluster, from) = self::cluster(bytes, start);
        let before = bytes.get(start.saturating_sub(2)..start).unwrap_or_default();
        if matches!(before, [b'A'..=b'Z', b'A'..=b'Z']) && cluster.digits > 1 {
            marked.add(Entity::IbanCode);
        }
        if cluster.dots > 2 {
            marked.add(Entity::IpAddress);
        }
        if cluster.digits < 7 {
            continue;
        }
        for (entity, there) in [
            (Entity::PhoneNumber, cluster.digits > 9 || before.ends_with(b"+")),
            (Entity::EsNif, cluster.longest > 7),
            (Entity::UsSsn, cluster.digits > 8),
            (Entity::UkNhs, cluster.digits > 9),
            (Entity::CreditCard, cluster.digits > 12),
        ] {
            if there {
                marked.add(entity);
            }
        }
    }
}

/// The place of the next digit.
fn digit(bytes: &[u8], from: usize) -> Option<usize> {
    let (chunks, rest) = bytes.get(from..)?.as_chunks::<32>();
    // Without a branch for each byte this takes a few instructions for each chunk.
    let any = |chunk: &[u8; 32]| chunk.iter().fold(false, |any, byte| any | byte.is_ascii_digit());
    let whole = chunks.iter().position(any).unwrap_or(chunks.len());
    let chunk = chunks.get(whole).map_or(rest, |chunk| chunk.as_slice());
    chunk.iter().position(u8::is_ascii_digit).map(|at| from + whole * 32 + at)
}

/// The digits that begin at `start`, and the place behind them.
fn cluster(bytes: &[u8], start: usize) -> (Cluster, usize) {
    let (mut cluster, mut run, mut end) = (Cluster::default(), 0, start);
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'0'..=b'9' => {
                cluster.digits += 1;
                run += 1;
                cluster.longest = cluster.longest.max(run);
                end = at + 1;
            }
            b' ' | b'.' | b'-' | b'/' | b'(' | b')' if at < end + 2 => {
                cluster.dots += usize::from(*byte == b'.');
                run = 0;
            }
            _ => break,
        }
    }
    (cluster, end)
}

/// Marks what has groups of letters and digits between colons or hyphens: five of two each, or seven, or an empty one.
fn groups(bytes: &[u8], marked: &mut Entities) {
    let (mut last, mut pairs, mut short) = (None, 1, 1);
    for at in memchr2_iter(b':', b'-', bytes) {
        let sign = bytes.get(at).copied();
        let apart = last.filter(|(_, before)| *before == sign).map(|(before, _)| at - before);
        pairs = if apart == Some(3) { pairs + 1 } else { 1 };
        short = if apart.is_some_and(|apart| apart < 6) { short + 1 } else { 1 };
        if pairs > 4 {
            marked.add(Entity::MacAddress);
        }
        if sign == Some(b':') && (apart == Some(1) || short > 6) {
            marked.add(Entity::IpAddress);
        }
        last = Some((at, sign));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::everything;
    use super::super::{find, search};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_texts_have_no_mark() {
        assert!(ANY_WORD.is_some());
        for text in [
            "",
            "In 2024, at 12:30, 35% of 1,234,567 people (some 3.5 in 10) paid 99.99 - or 3/4 of it.",
            "| a | b |\n|---|---|\n| 2024-01-02 | 12:30:45 |",
            "1. one\n2. two\n3. three",
            "Ordinary words, é, \u{1f600} and well-known hyphens: none of them.",
        ] {
            assert!(of(text, everything()).is_empty(), "{text}");
        }
        assert!(of("ada@example.org", [Entity::Jwt].into_iter().collect()).is_empty(), "what is not wanted");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        /// What a whole search finds is found by the marks' leave too.
        #[test]
        fn where_a_thing_is_its_mark_is(
            text in "[0-9 .+()/-]{0,40}|[0-9A-Fa-f:]{0,40}|([0-9A-F]{2}[:-]){5,6}[0-9A-F]{2}|[A-Z0-9 ]{0,40}",
            words in "(ghp_|sk-ant-|xoxb-|eyJ|hf_|glpat-|[a-zA-Z0-9_.@-]{0,12}){0,6}", pad in 0usize..40,
        ) {
            let text = format!("{}{text} {words}", "x ".repeat(pad));
            prop_assert_eq!(find(&text, 0, everything()), search(&text, 0, everything()));
        }

        /// Numbers of each kind, random but sound, so that the property above is not about nothing.
        #[test]
        fn sound_numbers_are_marked(kind in 0usize..8, n in 0u64..100_000_000, pad in "[a-z ]{0,40}") {
            let thing = match kind {
                0 => format!("+1{:010}", 2_000_000_000 + n),
                1 => format!("4{n:014}0"),
                2 => format!("{:03}-{:02}-{:04}", 1 + n % 600, 1 + n % 99, 1 + n % 9999),
                3 => format!("{}.{}.{}.{}", 1 + n % 100, n % 256, n % 199, n % 11),
                4 => format!("{:x}:{:x}::{:x}", n % 65_536, 1 + n % 4095, n % 255),
                5 => (0..6).map(|at| format!("{:02x}", (n >> at) % 256)).collect::<Vec<_>>().join(":"),
                6 => (0..8).map(|at| format!("{:x}", (n >> at) % 65_536)).collect::<Vec<_>>().join(":"),
                _ => format!("{n:08}{}", char::from(b"TRWAGMYFPDXBNJZSQVHLCKE"[(n % 23) as usize])),
            };
            let text = format!("{pad} {thing} {pad}");
            let found = search(&text, 0, everything());
            prop_assert!(kind == 1 || !found.is_empty(), "{}", text);
            prop_assert_eq!(find(&text, 0, everything()), found);
        }
    }
}

//! Check digits, and the other rules that tell a number of some kind from any number.

use std::net::IpAddr;

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> + '_ {
    text.chars().filter_map(|c| c.to_digit(10))
}

/// A payment card's number: 13 to 19 digits, the last one Luhn's.
pub(super) fn luhn(text: &str) -> bool {
    let count = digits(text).count();
    let sum: u32 = digits(text)
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    (13..=19).contains(&count) && sum.is_multiple_of(10) && digits(text).any(|digit| digit != 0)
}

/// A bank account number: 15 to 34 characters, one more than a multiple of 97.
pub(super) fn iban(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| *c != ' ').collect();
    let Some((head, tail)) = compact.split_at_checked(4) else { return false };
    let rest = tail.chars().chain(head.chars()).try_fold(0u32, |rest, c| {
        let value = c.to_digit(36)?;
        Some(if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 })
    });
    (15..=34).contains(&compact.len()) && rest == Some(1)
}

/// A social security number: of an area, a group and a serial that are given out.
pub(super) fn ssn(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(area), Some(group), Some(serial)) = (parts.next(), parts.next(), parts.next()) else { return false };
    !matches!(area, "000" | "666") && !area.starts_with('9') && group != "00" && serial != "0000"
}

/// An address, but not of the machine itself or of nobody; for IPv6 with five groups or `::`, since times look alike.
pub(super) fn ip(text: &str) -> bool {
    match text.parse::<IpAddr>() {
        Ok(address) => !address.is_loopback() && !address.is_unspecified(),
        Err(_) => false,
    }
}

/// A health service number: ten digits, the last one modulo 11.
pub(super) fn nhs(text: &str) -> bool {
    let all: Vec<u32> = digits(text).collect();
    let Some((last, first)) = all.split_last() else { return false };
    let sum: u32 = first.iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    let check = (11 - sum % 11) % 11;
    first.len() == 9 && check == *last
}

/// A tax number: eight digits, and the letter that their rest by 23 stands for.
pub(super) fn nif(text: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let number = digits(text).fold(0u32, |number, digit| number * 10 + digit);
    text.bytes().last().as_ref() == LETTERS.get((number % 23) as usize)
}

/// A key of OpenAI and of nobody who writes theirs alike; words joined by hyphens are none.
pub(super) fn openai(text: &str) -> bool {
    !text.starts_with("sk-ant-") && text.bytes().any(|byte| byte.is_ascii_digit())
}

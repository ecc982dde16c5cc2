//! Inputs of several texts in one file, parted by lines that hold `---` alone.

/// The texts in `data`, the last with whatever follows; those that are not there are empty. Bytes count up to the first
/// that is no UTF-8.
pub(crate) fn parts<const N: usize>(data: &[u8]) -> [&str; N] {
    let mut texts = text(data).splitn(N, "\n---\n");
    std::array::from_fn(|_| texts.next().unwrap_or_default())
}

/// The text that `data` begins with.
pub(crate) fn text(data: &[u8]) -> &str {
    data.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn texts_are_parted_by_lines() {
        for (data, expected) in [
            (&b""[..], ["", ""]),
            (b"a", ["a", ""]),
            (b"a\n---\nb", ["a", "b"]),
            (b"a --- b", ["a --- b", ""]),
            (b"\n---\nb\n---\nc\n", ["", "b\n---\nc\n"]),
            (b"a\n---\nb\xffc", ["a", "b"]),
        ] {
            assert_eq!(parts(data), expected, "{data:?}");
        }
    }
}

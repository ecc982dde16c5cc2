//! Forms with files (RFC 7578): where a field has its value.
//!
//! Must never be here: what a field means.

use memchr::memmem;
use std::ops::Range;

/// The most parts that are looked at.
const MAX_PARTS: usize = 256;
/// The longest value that is a name and no file, in bytes.
const MAX_VALUE: usize = 4 * 1024;

/// The boundary that a `multipart/form-data` content type names.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let parameters = rest.split(';').filter_map(|parameter| parameter.split_once('='));
    let mut boundaries = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"));
    let boundary = boundaries.next()?.1.trim().trim_matches('"');
    // RFC 2046, section 5.1.1: 1 to 70 characters.
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// Where the value of the first field called `name` stands in `body`; nothing where it has none or is a file.
pub(super) fn field(body: &[u8], boundary: &str, name: &str) -> Option<Range<usize>> {
    let delimiter = format!("--{boundary}");
    let mut starts = memmem::find_iter(body, delimiter.as_bytes()).take(MAX_PARTS).peekable();
    while let Some(start) = starts.next() {
        let end = *starts.peek()?;
        let head = start + delimiter.len();
        let part = body.get(head..end)?;
        let Some(split) = memmem::find(part, b"\r\n\r\n") else { continue };
        let (head_lines, value) = (part.get(..split)?, head + split + 4..end.checked_sub(2)?);
        if names(head_lines, name) && value.start <= value.end && value.len() <= MAX_VALUE {
            return Some(value);
        }
    }
    None
}

/// Whether the head of a part says that it is the field `name`, and no file.
fn names(head: &[u8], name: &str) -> bool {
    let Ok(head) = std::str::from_utf8(head) else { return false };
    let dispositions = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let mut dispositions = dispositions.filter(|(key, _)| key.trim().eq_ignore_ascii_case("content-disposition"));
    let Some((_, said)) = dispositions.next() else { return false };
    let mut parameters = said.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    let is_file = said.contains("filename=");
    !is_file && parameters.any(|(key, value)| key.eq_ignore_ascii_case("name") && value.trim_matches('"') == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\r\n\r\nbytes \0\r\n\
        --x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
        --x\r\nContent-Disposition: form-data; name=stream\r\n\r\ntrue\r\n--x--\r\n";

    #[test]
    fn fields_are_found_by_name() {
        for (name, expected) in [("model", Some("whisper-1")), ("stream", Some("true")), ("file", None), ("odd", None)]
        {
            assert_eq!(field(BODY.as_bytes(), "x", name).and_then(|at| BODY.get(at)), expected, "{name}");
        }
        for cut in 0..BODY.len() {
            let _ = field(&BODY.as_bytes()[..cut], "x", "model");
        }
    }

    #[test]
    fn boundaries_are_read() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=x", Some("x")),
            ("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"", Some("a b")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("application/json; boundary=x", None),
        ] {
            assert_eq!(boundary(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn what_is_looked_at_is_bounded() {
        let part = |name: &str| format!("--x\r\ncontent-disposition: form-data; name={name}\r\n\r\nv\r\n");
        let behind = |parts: usize| format!("{}{}--x--", part("a").repeat(parts), part("model"));
        assert!(field(behind(MAX_PARTS - 2).as_bytes(), "x", "model").is_some());
        assert!(field(behind(MAX_PARTS).as_bytes(), "x", "model").is_none());
        let long = format!("--x\r\ncontent-disposition: form-data; name=model\r\n\r\n{}\r\n--x--", "v".repeat(5000));
        assert!(field(long.as_bytes(), "x", "model").is_none());
    }
}

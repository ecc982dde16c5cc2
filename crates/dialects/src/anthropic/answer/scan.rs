//! Where JSON that comes in pieces is over.
//!
//! Must never be here: whether it is valid.

/// What has been seen of a JSON object.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    depth: u32,
    string: bool,
    escaped: bool,
    over: bool,
}

impl Scan {
    /// Takes in a piece.
    pub(super) fn take(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.string => self.escaped = true,
                b'"' => self.string = !self.string,
                b'{' | b'[' if !self.string => self.depth += 1,
                b'}' | b']' if !self.string => {
                    self.depth = self.depth.saturating_sub(1);
                    self.over |= self.depth == 0;
                }
                _ => {}
            }
        }
    }

    /// Whether the bracket that it began with is closed.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_over_with_its_own_bracket() {
        for (text, expected) in [
            ("", false),
            ("{", false),
            ("{}", true),
            (" {\n} ", true),
            (r#"{"a":{}"#, false),
            (r#"{"a":[{}]}"#, true),
            (r#"{"}":"#, false),
            (r#"{"a":"\"}"#, false),
            (r#"{"a":"\\"}"#, true),
            ("{]", true),
            ("word", false),
        ] {
            let mut whole = Scan::default();
            whole.take(text);
            let mut pieces = Scan::default();
            text.split_inclusive(|_| true).for_each(|piece| pieces.take(piece));
            assert_eq!((whole.is_over(), pieces.is_over()), (expected, expected), "{text}");
        }
    }
}

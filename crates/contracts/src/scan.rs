//! Brackets and strings of a JSON text that is still coming: is it whole, and how large is it?
//!
//! Receives bytes, hands on what they amount to. Builds nothing, holds a few words, reads each byte once.
//! Must never be here: whether what stands between the brackets is valid; a parser judges that once all is there.

use memchr::memchr2;

/// The deepest nesting that is followed, as in `serde_json`.
pub const MAX_DEPTH: u32 = 128;

/// What a JSON text amounts to so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Nothing but blanks.
    Nothing,
    /// A value has begun and has not ended. At the end of an answer: it is cut.
    Open,
    /// One value, whole. A number or a word may still go on.
    Whole,
    /// One value, and more behind it.
    Trailing,
    /// A bracket closes another one than was opened, or too many are open.
    Broken,
}

/// Follows the delimiters of a JSON text.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    /// The open brackets, the innermost in the lowest bit; set where it is a brace.
    open: u128,
    depth: u32,
    deepest: u32,
    /// Commas and opening brackets outside strings.
    parts: u64,
    string: Quote,
    state: Root,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Quote {
    #[default]
    Outside,
    Inside,
    /// The next byte belongs to an escape.
    Escaped,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Root {
    #[default]
    Before,
    Within,
    /// In a number or a word that stands alone.
    Scalar,
    Behind,
    Trailing,
    Broken,
}

impl Scanner {
    /// Takes in what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && self.state != Root::Broken {
            rest = match self.string {
                Quote::Outside => self.outside(rest),
                Quote::Inside => self.inside(rest),
                Quote::Escaped => {
                    self.string = Quote::Inside;
                    rest.get(1..).unwrap_or_default()
                }
            };
        }
    }

    /// What it all amounts to.
    #[must_use]
    pub fn extent(&self) -> Extent {
        match self.state {
            Root::Before => Extent::Nothing,
            Root::Within => Extent::Open,
            Root::Scalar | Root::Behind => Extent::Whole,
            Root::Trailing => Extent::Trailing,
            Root::Broken => Extent::Broken,
        }
    }

    /// At least as many values as the text holds, names of fields aside.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.parts + 1
    }

    /// How many brackets were open at one time.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.deepest
    }

    /// Reads up to and with the next quote; hands back the rest.
    fn outside<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'"' => {
                    self.begin(Root::Within);
                    self.string = Quote::Inside;
                    return bytes.get(at + 1..).unwrap_or_default();
                }
                b'{' => self.opened(1),
                b'[' => self.opened(0),
                b'}' => self.closed(1),
                b']' => self.closed(0),
                b',' => {
                    self.begin(Root::Scalar);
                    self.parts += 1;
                }
                b' ' | b'\t' | b'\n' | b'\r' => {
                    if self.state == Root::Scalar {
                        self.state = Root::Behind;
                    }
                }
                _ => self.begin(Root::Scalar),
            }
            if self.state == Root::Broken {
                break;
            }
        }
        &[]
    }

    fn inside<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(at) = memchr2(b'"', b'\\', bytes) else { return &[] };
        if bytes.get(at) == Some(&b'"') {
            self.string = Quote::Outside;
            if self.depth == 0 && self.state == Root::Within {
                self.state = Root::Behind;
            }
        } else {
            self.string = Quote::Escaped;
        }
        bytes.get(at + 1..).unwrap_or_default()
    }

    /// Something other than a blank stands here.
    fn begin(&mut self, root: Root) {
        self.state = match (self.state, root) {
            (Root::Before, root) => root,
            (Root::Behind, _) | (Root::Scalar, Root::Within) => Root::Trailing,
            (state, _) => state,
        };
    }

    fn opened(&mut self, brace: u128) {
        self.begin(Root::Within);
        self.parts += 1;
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        self.open = (self.open << 1) | brace;
        if self.depth > MAX_DEPTH {
            self.state = Root::Broken;
        }
    }

    fn closed(&mut self, brace: u128) {
        if self.depth == 0 || self.open & 1 != brace {
            self.state = Root::Broken;
            return;
        }
        self.open >>= 1;
        self.depth -= 1;
        if self.depth == 0 && self.state == Root::Within {
            self.state = Root::Behind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scanned(text: &[u8]) -> Scanner {
        let mut scanner = Scanner::default();
        scanner.push(text);
        scanner
    }

    #[test]
    fn extents() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        for (text, expected) in [
            ("", Extent::Nothing),
            (" \n", Extent::Nothing),
            ("{", Extent::Open),
            (r#"{"a"#, Extent::Open),
            (r#"{"a}"#, Extent::Open),
            (r#"{"a":"\"}"#, Extent::Open),
            (r#""a\"#, Extent::Open),
            (r#"{"a":[1,{"b":"]"}]}"#, Extent::Whole),
            (r#""text""#, Extent::Whole),
            ("12", Extent::Whole),
            ("true ", Extent::Whole),
            ("{} {}", Extent::Trailing),
            ("{}x", Extent::Trailing),
            ("1 2", Extent::Trailing),
            (r#""a""b""#, Extent::Trailing),
            ("{},", Extent::Trailing),
            ("1 ,2", Extent::Trailing),
            ("{]", Extent::Broken),
            ("}", Extent::Broken),
            (&nested(128), Extent::Whole),
            (&nested(129), Extent::Broken),
            (&"[".repeat(10_000_000), Extent::Broken),
        ] {
            assert_eq!(scanned(text.as_bytes()).extent(), expected, "{text:.40}");
        }
        let sized = scanned(br#"{"a":[1,2,{"b":"x,y"}],"c":3}"#);
        assert_eq!((sized.height(), sized.values()), (3, 7));
    }

    #[test]
    fn every_cut_of_an_object_is_seen() {
        let text = r#"{"city":"Köln \"am\" Rhein","days":[1,2.5e3,null],"deep":{"a":{"b":[]}}}"#;
        for cut in 1..text.len() {
            assert_eq!(scanned(&text.as_bytes()[..cut]).extent(), Extent::Open, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(text in r#"[\[\]{}",:\\a1 ]{0,40}"#, cut in 0usize..41) {
            let whole = scanned(text.as_bytes());
            let (before, behind) = text.as_bytes().split_at(cut.min(text.len()));
            let mut halves = scanned(before);
            halves.push(behind);
            let mut bytes = Scanner::default();
            text.as_bytes().iter().for_each(|byte| bytes.push(&[*byte]));
            for other in [halves, bytes] {
                prop_assert_eq!((other.extent(), other.values(), other.height()),
                    (whole.extent(), whole.values(), whole.height()));
            }
        }

        #[test]
        fn what_a_parser_takes_is_whole(depth in 0u32..4, text in "\\PC{0,12}") {
            let mut value = serde_json::json!({ "a": [text.clone(), 1, { "b": text }] });
            (0..depth).for_each(|_| value = serde_json::json!([value.clone(), { "c": value.clone() }]));
            prop_assert_eq!(scanned(value.to_string().as_bytes()).extent(), Extent::Whole);
        }
    }
}

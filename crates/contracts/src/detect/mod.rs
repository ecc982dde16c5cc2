//! Personal data and credentials in a text, by named detectors.
//!
//! Patterns of one table, with checksums where the thing has one. Names of personal data are those of Presidio. A
//! detector finds what is written in its usual form; it knows nothing of names, addresses or meaning.
//! Must never be here: what becomes of what is found.

mod marks;
mod proof;

use crate::finding::words;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

words! {
    /// Something that a detector knows.
    Entity {
        /// An e-mail address.
        EmailAddress => "EMAIL_ADDRESS",
        /// A telephone number: international with `+`, or North American.
        PhoneNumber => "PHONE_NUMBER",
        /// A payment card's number, with a valid check digit.
        CreditCard => "CREDIT_CARD",
        /// An international bank account number, with valid check digits.
        IbanCode => "IBAN_CODE",
        /// A United States social security number.
        UsSsn => "US_SSN",
        /// An IPv4 or IPv6 address that is not of the machine itself.
        IpAddress => "IP_ADDRESS",
        /// A network card's address.
        MacAddress => "MAC_ADDRESS",
        /// A National Health Service number, with a valid check digit.
        UkNhs => "UK_NHS",
        /// A Spanish tax number, with a valid letter.
        EsNif => "ES_NIF",
        /// An access key id of AWS.
        AwsAccessKey => "AWS_ACCESS_KEY",
        /// A token of GitHub.
        GithubToken => "GITHUB_TOKEN",
        /// A token of GitLab.
        GitlabToken => "GITLAB_TOKEN",
        /// A key of OpenAI.
        OpenaiKey => "OPENAI_KEY",
        /// A key of Anthropic.
        AnthropicKey => "ANTHROPIC_KEY",
        /// A key of Google's.
        GoogleApiKey => "GOOGLE_API_KEY",
        /// A token of Hugging Face.
        HuggingfaceToken => "HUGGINGFACE_TOKEN",
        /// A token of Slack.
        SlackToken => "SLACK_TOKEN",
        /// A live key of Stripe.
        StripeKey => "STRIPE_KEY",
        /// A private key in PEM.
        PrivateKey => "PRIVATE_KEY",
        /// A JSON web token.
        Jwt => "JWT",
    }
}

impl Entity {
    /// Whether it is a credential; else it is personal data.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        self as usize >= Self::AwsAccessKey as usize
    }
}

/// Some entities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entities(u32);

impl Entities {
    pub(crate) fn has(self, entity: Entity) -> bool {
        self.0 & (1 << entity as u32) != 0
    }

    fn add(&mut self, entity: Entity) {
        self.0 |= 1 << entity as u32;
    }

    fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Entity> for Entities {
    fn from_iter<T: IntoIterator<Item = Entity>>(entities: T) -> Self {
        let mut all = Self::default();
        entities.into_iter().for_each(|entity| all.add(entity));
        all
    }
}

/// How a kind of thing is found.
struct Detector {
    entity: Entity,
    pattern: &'static str,
    proof: fn(&str) -> bool,
}

const fn any(_: &str) -> bool {
    true
}

const DETECTORS: &[Detector] = &[
    Detector {
        entity: Entity::EmailAddress,
        pattern: r"[A-Za-z0-9._%+\-]{1,64}@(?:[A-Za-z0-9\-]{1,63}\.){1,8}[A-Za-z]{2,24}",
        proof: any,
    },
    Detector {
        entity: Entity::PhoneNumber,
        pattern: r"\+[1-9](?:[ .\-/()]{0,2}[0-9]){6,14}|\(?[2-9][0-9]{2}\)?[ .\-][2-9][0-9]{2}[ .\-][0-9]{4}",
        proof: any,
    },
    Detector { entity: Entity::CreditCard, pattern: r"[2-6](?:[ \-]?[0-9]){12,18}", proof: proof::luhn },
    Detector {
        entity: Entity::IbanCode,
        pattern: r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?",
        proof: proof::iban,
    },
    Detector { entity: Entity::UsSsn, pattern: r"[0-9]{3}-[0-9]{2}-[0-9]{4}", proof: proof::ssn },
    Detector {
        entity: Entity::IpAddress,
        pattern: r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?:[0-9A-Fa-f]{1,4}:){1,7}(?::?[0-9A-Fa-f]{1,4}){1,7}",
        proof: proof::ip,
    },
    Detector {
        entity: Entity::MacAddress,
        pattern: r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}",
        proof: any,
    },
    Detector { entity: Entity::UkNhs, pattern: r"[0-9]{3}[ \-][0-9]{3}[ \-][0-9]{4}", proof: proof::nhs },
    Detector { entity: Entity::EsNif, pattern: r"[0-9]{8}-?[A-Z]", proof: proof::nif },
    Detector { entity: Entity::AwsAccessKey, pattern: r"(?:AKIA|ASIA)[A-Z2-7]{16}", proof: any },
    Detector {
        entity: Entity::GithubToken,
        pattern: r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,255}",
        proof: any,
    },
    Detector { entity: Entity::GitlabToken, pattern: r"glpat-[A-Za-z0-9_\-]{20,64}", proof: any },
    Detector {
        entity: Entity::OpenaiKey,
        pattern: r"sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_\-]{20,200}",
        proof: proof::openai,
    },
    Detector { entity: Entity::AnthropicKey, pattern: r"sk-ant-[A-Za-z0-9_\-]{20,200}", proof: any },
    Detector { entity: Entity::GoogleApiKey, pattern: r"AIza[0-9A-Za-z_\-]{35}", proof: any },
    Detector { entity: Entity::HuggingfaceToken, pattern: r"hf_[A-Za-z]{30,64}", proof: any },
    Detector { entity: Entity::SlackToken, pattern: r"xox[abeoprs]-[A-Za-z0-9\-]{10,200}", proof: any },
    Detector { entity: Entity::StripeKey, pattern: r"[rs]k_live_[A-Za-z0-9]{20,200}", proof: any },
    Detector {
        entity: Entity::PrivateKey,
        pattern: r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[\x20-,.-~\r\n\t]*-----END [A-Z0-9 ]{1,64}-----)?",
        proof: any,
    },
    Detector {
        entity: Entity::Jwt,
        pattern: r"eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{4,}\.[A-Za-z0-9_\-]{8,}",
        proof: any,
    },
];

static COMPILED: LazyLock<Vec<(&'static Detector, Option<Regex>)>> = LazyLock::new(|| {
    // The table is constant, and a test compiles all of it.
    let compile = |pattern: &str| regex::RegexBuilder::new(pattern).unicode(false).size_limit(16 << 20).build().ok();
    DETECTORS.iter().map(|detector| (detector, compile(detector.pattern))).collect()
});

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) entity: Entity,
    pub(crate) range: Range<usize>,
}

/// What `wanted` takes, in `text` from a place on, in their order; where some overlap, all of them as the first, which is
/// the longer one where two begin together.
pub(crate) fn find(text: &str, start: usize, wanted: Entities) -> Vec<Found> {
    let marked = marks::of(text.get(start..).unwrap_or_default(), wanted);
    if marked.is_empty() { Vec::new() } else { search(text, start, marked) }
}

/// As [`find`], whatever the text looks like.
fn search(text: &str, start: usize, wanted: Entities) -> Vec<Found> {
    let mut found = Vec::new();
    for (detector, regex) in COMPILED.iter().filter(|(detector, _)| wanted.has(detector.entity)) {
        let Some(regex) = regex else { continue };
        let mut from = start;
        while let Some(hit) = regex.find_at(text, from) {
            let proven = stands_alone(text, hit.range()) && (detector.proof)(hit.as_str());
            if proven {
                found.push(Found { entity: detector.entity, range: hit.range() });
            }
            // What begins within a refused match may still be one.
            let next = if proven { hit.end() } else { hit.start() + 1 };
            from = text.ceil_char_boundary(next.max(from + 1));
            if from > text.len() {
                break;
            }
        }
    }
    found.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end)));
    found.dedup_by(|next, kept| {
        let overlap = next.range.start < kept.range.end;
        if overlap {
            kept.range.end = kept.range.end.max(next.range.end);
        }
        overlap
    });
    found
}

/// Where what `found` names ends. A key whose end is cut off goes on as long as lines of it follow.
pub(crate) fn reach(text: &str, found: &Found) -> usize {
    let named = text.get(found.range.clone()).unwrap_or_default();
    if found.entity != Entity::PrivateKey || named.contains("-----END ") {
        return found.range.end;
    }
    let behind = text.get(found.range.end..).unwrap_or_default();
    found.range.end + KEY_LINES.as_ref().and_then(|lines| lines.find(behind)).map_or(0, |lines| lines.len())
}

/// Lines of a key: whole ones, and a last one that is cut. Written within a string they end in `\\n`.
static KEY_LINES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let blank = r"(?:[ \t\r\n]|\\r|\\n)*";
    Regex::new(&format!("^(?:{blank}[A-Za-z0-9+/=]{{40,}})*{blank}[A-Za-z0-9+/=]{{1,76}}")).ok()
});

/// Whether no letter or digit touches it: half of a longer number is no number.
fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let touches = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let first = bytes.get(range.start).is_some_and(u8::is_ascii_alphanumeric);
    let before = range.start.checked_sub(1).and_then(|at| bytes.get(at));
    !(first && touches(before) || touches(bytes.get(range.end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn everything() -> Entities {
        Entity::ALL.iter().copied().collect()
    }

    fn names(text: &str) -> Vec<&'static str> {
        find(text, 0, everything()).into_iter().map(|found| found.entity.as_str()).collect()
    }

    #[test]
    fn every_detector_compiles_and_is_named_once() {
        assert!(COMPILED.iter().all(|(_, regex)| regex.is_some()) && KEY_LINES.is_some());
        let entities: Vec<Entity> = DETECTORS.iter().map(|detector| detector.entity).collect();
        assert_eq!(entities, Entity::ALL);
        assert!(Entity::Jwt.is_secret() && Entity::AwsAccessKey.is_secret() && !Entity::EsNif.is_secret());
    }

    /// Written in halves, so that no scanner takes this file for a leak.
    fn joined(halves: &[&str]) -> String {
        halves.concat()
    }

    #[test]
    fn each_kind_is_found_and_its_neighbours_are_not() {
        for (text, expected) in [
            ("write to ada.l+x@mail.example.co.uk.", &["EMAIL_ADDRESS"][..]),
            ("user@localhost or @handle", &[]),
            ("call +44 20 7946 0958 now", &["PHONE_NUMBER"]),
            ("call (415) 555-2671", &["PHONE_NUMBER"]),
            ("+1 and 2024-01-02, 555-1234", &[]),
            ("card 4111 1111 1111 1111.", &["CREDIT_CARD"]),
            ("card 4111-1111-1111-1112.", &[]),
            ("id 94111111111111111", &[]),
            ("DE89 3704 0044 0532 0130 00", &["IBAN_CODE"]),
            ("GB82WEST12345698765432", &["IBAN_CODE"]),
            ("GB82WEST12345698765433", &[]),
            ("ssn 078-05-1121", &["US_SSN"]),
            ("ssn 666-05-1120, 000-12-1234, 123-00-1234", &[]),
            ("host 10.1.2.3 and 2001:db8::8a2e:370:7334", &["IP_ADDRESS", "IP_ADDRESS"]),
            ("version 1.2.3, 300.1.2.3, 127.0.0.1, at 12:30:45", &[]),
            ("00:1B:44:11:3A:B7", &["MAC_ADDRESS"]),
            ("nhs 401 023 2137", &["UK_NHS"]),
            ("nhs 401 023 2138", &[]),
            ("nif 12345678Z", &["ES_NIF"]),
            ("nif 12345678A", &[]),
            (&joined(&["AKIA", "IOSFODNN7EXAMPLE"]), &["AWS_ACCESS_KEY"]),
            (&joined(&["ghp_", &"a1B2".repeat(9)]), &["GITHUB_TOKEN"]),
            (&joined(&["glpat-", "abcdefghij0123456789"]), &["GITLAB_TOKEN"]),
            (&joined(&["sk-proj-", "abcdefghij0123456789"]), &["OPENAI_KEY"]),
            (&joined(&["sk-ant-", "api03-abcdefghij0123456789"]), &["ANTHROPIC_KEY"]),
            (&joined(&["AIza", &"Sy1".repeat(11), "ab"]), &["GOOGLE_API_KEY"]),
            (&joined(&["hf_", &"abC".repeat(11)]), &["HUGGINGFACE_TOKEN"]),
            (&joined(&["xoxb-", "1234567890-abc"]), &["SLACK_TOKEN"]),
            (&joined(&["sk_live_", "abcdefghij0123456789"]), &["STRIPE_KEY"]),
            (&joined(&["-----BEGIN RSA ", "PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"]), &["PRIVATE_KEY"]),
            (&joined(&["-----BEGIN ", "PRIVATE KEY-----\nMIIE"]), &["PRIVATE_KEY"]),
            ("-----BEGIN PUBLIC KEY-----", &[]),
            (&joined(&["eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxIn0.", "c2lnbmF0dXJl"]), &["JWT"]),
            ("a task-force, sk-short, risk-averse-people-and-others", &[]),
            ("plain words, é and 3 numbers: 1, 22, 333", &[]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn a_key_whose_end_is_cut_off_reaches_as_far_as_it_goes() {
        let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
        for (behind, gone) in [
            (format!("\n{line}\n{line}\nabc"), true),
            (format!("\\n{line}\\n{line}\\nabc"), true),
            ("\nMIIE".to_owned(), true),
            (String::new(), true),
            (format!("\n{line}\n{line}\nabc. Then"), false),
            (format!("\n{line}\n-----END PRIVATE KEY----- and"), false),
        ] {
            let text = joined(&["-----BEGIN ", "PRIVATE KEY-----", &behind]);
            let found = find(&text, 0, everything());
            assert_eq!(found.len(), 1, "{text}");
            let rest = &text[reach(&text, &found[0])..];
            assert_eq!(rest.is_empty(), gone, "{text}: {rest}");
            assert!(!rest.contains("MII") && !rest.contains("abc"), "{text}: {rest}");
        }
    }

    #[test]
    fn what_overlaps_is_one() {
        let text = "ada@10.1.2.3.example.org 10.1.2.3";
        let found: Vec<_> =
            find(text, 0, everything()).into_iter().map(|found| (found.entity.as_str(), found.range)).collect();
        assert_eq!(found, [("EMAIL_ADDRESS", 0..24), ("IP_ADDRESS", 25..33)]);
    }

    #[test]
    fn hostile_texts_cost_little() {
        for text in ["1 ".repeat(100_000), "1".repeat(200_000), "a@".repeat(100_000), "eyJ".repeat(60_000)] {
            let begun = std::time::Instant::now();
            let _ = names(&text);
            assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{text:.20}: {:?}", begun.elapsed());
        }
    }
}

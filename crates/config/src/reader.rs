//! Takes the file's values one by one and remembers everything that is wrong with them.
//!
//! Each method answers `None` after it has noted why, so that a rule is only judged on sound values.

use crate::fault::{At, Fault, did_you_mean, quote};
use crate::file::{Block, Secret, Share, Size, Span, Text};
use crate::later::Later;
use crate::lenient::{Lenient, Section};
use crate::{Env, measure, reference};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use std::num::NonZeroU32;
use std::time::Duration;

/// A text of the file.
pub(crate) struct Words {
    /// As written, for messages.
    pub(crate) written: String,
    /// With its references replaced; may hold a secret.
    pub(crate) value: String,
}

/// Reads values, collects faults.
pub(crate) struct Reader<'a> {
    env: Env<'a>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) warnings: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(env: Env<'a>) -> Self {
        Self { env, faults: Vec::new(), warnings: Vec::new() }
    }

    pub(crate) fn fault(&mut self, at: &At, message: impl Into<String>) {
        self.faults.push(Fault::new(at.as_str(), message));
    }

    pub(crate) fn warn(&mut self, at: &At, message: impl Into<String>) {
        self.warnings.push(Fault::new(at.as_str(), message));
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.env)(name).filter(|value| !value.is_empty())
    }

    /// A value of the right shape.
    pub(crate) fn value<T>(&mut self, at: &At, value: Lenient<T>) -> Option<T> {
        match value {
            Lenient::Is(value) => Some(value),
            Lenient::Absent => None,
            Lenient::Wrong(message) => {
                self.fault(at, message);
                None
            }
        }
    }

    /// A value that must be there.
    pub(crate) fn required<T>(&mut self, at: &At, value: Lenient<T>) -> Lenient<T> {
        if value.is_absent() {
            self.fault(at, "is missing");
        }
        value
    }

    /// A list that, where it is there, must hold something.
    pub(crate) fn filled<T>(&mut self, at: &At, list: Lenient<Vec<T>>, message: &str) -> Lenient<Vec<T>> {
        if matches!(&list, Lenient::Is(entries) if entries.is_empty()) {
            self.fault(at, message);
        }
        list
    }

    /// A mapping of fixed keys; every key missing where the mapping is.
    pub(crate) fn block<T: Default + JsonSchema + Later>(&mut self, at: &At, block: Block<T>) -> T {
        self.value(at, block).map(|section| self.section(at, section)).unwrap_or_default()
    }

    /// The known keys of a mapping, after a fault for each other.
    pub(crate) fn section<T: JsonSchema + Later>(&mut self, at: &At, section: Section<T>) -> T {
        for key in section.unknown.keys() {
            let message = if T::KEYS.contains(&key.as_str()) {
                "not in this version yet".to_owned()
            } else {
                let known = Section::<T>::keys();
                format!("unknown key{}", did_you_mean(key, known.iter().map(String::as_str)))
            };
            self.fault(&at.key(key), message);
        }
        section.known
    }

    /// The entries of a list that have the right shape, with their places.
    pub(crate) fn list<T>(&mut self, at: &At, list: Lenient<Vec<Lenient<T>>>) -> Option<Vec<(At, T)>> {
        let entries = self.value(at, list)?.into_iter().enumerate();
        Some(
            entries
                .filter_map(|(index, entry)| {
                    let at = at.index(index);
                    self.value(&at, entry).map(|entry| (at, entry))
                })
                .collect(),
        )
    }

    /// Text with its references replaced.
    pub(crate) fn text(&mut self, at: &At, text: Text) -> Option<Words> {
        let written = self.value(at, text)?;
        self.words(at, written)
    }

    pub(crate) fn words(&mut self, at: &At, written: String) -> Option<Words> {
        match reference::expand(&written, self.env) {
            Ok(value) => Some(Words { written, value }),
            Err(errors) => {
                for error in errors {
                    self.fault(at, error);
                }
                None
            }
        }
    }

    pub(crate) fn duration(&mut self, at: &At, span: Lenient<Span>) -> Option<Duration> {
        let Span(written) = self.value(at, span)?;
        self.measured(at, written, measure::duration)
    }

    /// A duration above zero.
    pub(crate) fn wait(&mut self, at: &At, span: Lenient<Span>) -> Option<Duration> {
        let duration = self.duration(at, span)?;
        self.above_zero(at, duration, !duration.is_zero())
    }

    /// A size above zero, in bytes.
    pub(crate) fn size(&mut self, at: &At, size: Lenient<Size>) -> Option<usize> {
        let Size(written) = self.value(at, size)?;
        let bytes = self.measured(at, written, measure::size)?;
        self.above_zero(at, bytes, bytes > 0)
    }

    /// A share from 0 to 1.
    pub(crate) fn share(&mut self, at: &At, share: Lenient<Share>) -> Option<f64> {
        let written = match self.value(at, share)? {
            Share::Text(written) => written,
            Share::Number(number) => number.to_string(),
        };
        self.measured(at, written, measure::share)
    }

    /// A share above zero.
    pub(crate) fn part(&mut self, at: &At, share: Lenient<Share>) -> Option<f64> {
        let share = self.share(at, share)?;
        self.above_zero(at, share, share > 0.0)
    }

    /// A number above zero.
    pub(crate) fn amount(&mut self, at: &At, number: Lenient<f64>) -> Option<f64> {
        let number = self.value(at, number)?;
        self.above_zero(at, number, number > 0.0)
    }

    /// One of a few words, each of which stands for a value.
    pub(crate) fn choice<T: Copy>(&mut self, at: &At, text: Text, what: &str, known: &[(&str, T)]) -> Option<T> {
        let words = self.text(at, text)?;
        let chosen = known.iter().find(|(word, _)| *word == words.value).map(|(_, value)| *value);
        if chosen.is_none() {
            let all: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            let guess = did_you_mean(&words.written, all.iter().copied());
            self.fault(at, format!("unknown {what} {}{guess}; known are {}", quote(&words.written), all.join(", ")));
        }
        chosen
    }

    /// A count above zero.
    pub(crate) fn count(&mut self, at: &At, count: Lenient<u32>) -> Option<NonZeroU32> {
        let count = NonZeroU32::new(self.value(at, count)?);
        if count.is_none() {
            self.fault(at, "must be more than 0");
        }
        count
    }

    /// A secret that is not empty.
    pub(crate) fn secret(&mut self, at: &At, secret: Lenient<Secret>) -> Option<SecretString> {
        let secret = self.value(at, secret)?;
        self.revealed(at, secret)
    }

    /// A secret that clients present, so that it must fit into any client's header.
    pub(crate) fn presented(&mut self, at: &At, secret: Lenient<Secret>) -> Option<SecretString> {
        let secret = self.secret(at, secret)?;
        let sendable = secret.expose_secret().bytes().all(|b| b.is_ascii_graphic());
        if !sendable {
            self.fault(at, "could not be sent by a client: only printable ASCII without spaces");
        }
        sendable.then_some(secret)
    }

    pub(crate) fn revealed(&mut self, at: &At, secret: Secret) -> Option<SecretString> {
        let value = match secret {
            Secret::Text(text) => self.words(at, text)?.value,
            Secret::Env(secret) => {
                let value = reference::variable(&secret.env, self.env);
                self.ok(at, value)?
            }
            Secret::File(secret) => {
                let path = self.words(at, secret.file)?;
                let content = reference::file(&path);
                self.ok(at, content)?
            }
        };
        if value.is_empty() {
            self.fault(at, "is empty");
            return None;
        }
        Some(value.into())
    }

    fn ok<T>(&mut self, at: &At, result: Result<T, String>) -> Option<T> {
        result.map_err(|error| self.fault(at, error)).ok()
    }

    fn measured<T>(&mut self, at: &At, written: String, measure: fn(&str) -> Result<T, &'static str>) -> Option<T> {
        let words = self.words(at, written)?;
        self.ok(at, measure(&words.value).map_err(|why| format!("{} {why}", quote(&words.written))))
    }

    fn above_zero<T>(&mut self, at: &At, value: T, above: bool) -> Option<T> {
        if !above {
            self.fault(at, "must be more than 0");
        }
        above.then_some(value)
    }
}

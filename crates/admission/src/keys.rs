//! The callers' keys, kept as SHA-256 digests only.
//!
//! Receives keys in plain text, at start and as presented; answers whose it is. The time that takes tells
//! nothing of any key: digests are compared whole, and every one of them. Must never be here: the keys themselves.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

type KeyDigest = [u8; 32];

pub(crate) struct Keys(Vec<KeyDigest>);

impl Keys {
    pub(crate) fn new<'a>(keys: impl Iterator<Item = &'a SecretString>) -> Self {
        Self(keys.map(|key| digest(key.expose_secret())).collect())
    }

    /// Place of the key in the list it was made from.
    pub(crate) fn place_of(&self, presented: &str) -> Option<usize> {
        let presented = digest(presented);
        let nowhere = u64::MAX;
        let found = self
            .0
            .iter()
            .zip(0_u64..)
            .fold(nowhere, |found, (key, place)| u64::conditional_select(&found, &place, key.ct_eq(&presented)));
        usize::try_from(found).ok().filter(|place| *place < self.0.len())
    }
}

fn digest(key: &str) -> KeyDigest {
    Sha256::digest(key.as_bytes()).into()
}

//! Every client's dialect against every provider's: what is asked keeps its meaning, or is refused or told by name, and
//! every answer is one that its client can read.
//!
//! What is expected stands in `snapshots`; after a change that is meant, `INSTA_UPDATE=always cargo test` writes it anew,
//! and what changed is read as part of the change.

#![cfg(test)]

mod answers;
mod asked;
mod client;
mod crossings;
mod fields;
mod foreign;
mod meaning;
mod nouns;
mod provider;
mod requests;
mod rows;
mod sides;
mod snapshots;

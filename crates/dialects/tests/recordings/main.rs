//! Real answers of real providers, replayed through the decoders: a file for each dialect.
//!
//! The recordings are no part of this repository: `BREAKWATER_RECORDINGS` names their folder, and without it the check
//! says that it was skipped. Each file holds one answer: `*.chunks.txt` an event's data per line, `*.json` a whole one.

#![cfg(test)]

mod anthropic;
mod bedrock;
mod cohere;
mod files;
mod gemini;
mod openai_chat;
mod responses;

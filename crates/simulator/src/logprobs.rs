//! Log probabilities of tokens, invented but well-formed.

use serde::Serialize;

/// The `logprobs` of a choice or of a chunk.
#[derive(Serialize)]
pub(crate) struct Logprobs<'a> {
    content: Vec<Token<'a>>,
    refusal: (),
}

#[derive(Serialize)]
struct Token<'a> {
    token: &'a str,
    logprob: f64,
    bytes: &'a [u8],
    top_logprobs: Vec<Alternative>,
}

#[derive(Serialize)]
struct Alternative {
    token: String,
    logprob: f64,
    bytes: Vec<u8>,
}

impl<'a> Logprobs<'a> {
    /// For these tokens, each with as many alternatives, the token itself first.
    pub(crate) fn of(tokens: impl Iterator<Item = &'a str>, alternatives: u8) -> Self {
        let token = |token: &'a str| Token {
            token,
            logprob: logprob(0),
            bytes: token.as_bytes(),
            top_logprobs: (0..alternatives).map(|rank| alternative(token, rank)).collect(),
        };
        Self { content: tokens.map(token).collect(), refusal: () }
    }
}

fn alternative(token: &str, rank: u8) -> Alternative {
    let token = if rank == 0 { token.to_owned() } else { format!("{token}~{rank}") };
    Alternative { logprob: logprob(rank), bytes: token.clone().into_bytes(), token }
}

fn logprob(rank: u8) -> f64 {
    -0.125 - 1.5 * f64::from(rank)
}

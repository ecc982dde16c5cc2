//! What translating costs in instructions, which no neighbour on the machine changes: `cargo bench -p dialects --bench
//! instructions`, with valgrind and `gungraun-runner` installed. It fails where a bound is broken.

// Clippy knows test functions, but not those of a bench; the macros make functions without comments.
#![allow(clippy::expect_used, missing_docs, unused_qualifications)]

mod work;

use bytes::Bytes;
use dialects::openai_chat::Server;
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use llm::{Api, ChatRequest, Dialect};
use std::hint::black_box;
use work::{Asked, Kind, Told, asked, request, requests, stream, streams, told};

// What the program ships with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The most for a request of 2 KB. Its bound is 10 us; a core of 3 GHz that finishes two and a half instructions in a
/// cycle makes as many in that time.
const REQUEST: u64 = 75_000;
/// The most for a stream of a hundred events, four fifths of what such a core makes in 2 us each.
const STREAM: u64 = 1_200_000;
/// The same of Ollama's thoughts, no two of whose lines are alike, for they tell the time: all of it.
const TIMED: u64 = 1_500_000;

/// Whether the events of a stream differ in more than is known by likeness.
fn is_timed((kind, api, _): &Told) -> bool {
    *kind == Kind::Thoughts && *api == Api::Ollama
}

fn bounded(instructions: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

fn a_request((from, to, server): Asked) -> (ChatRequest, Api, Server) {
    let request = request(from);
    // Once beforehand: what is set up at the first use is not the request's.
    asked(&request, to, server);
    (request, to, server)
}

fn a_stream((kind, from, to): Told) -> (Vec<Bytes>, Api, Dialect) {
    let pieces = stream(kind, from);
    told(&pieces, from, to);
    (pieces, from, to)
}

#[library_benchmark(setup = a_request, config = bounded(REQUEST))]
#[benches::of(iter = requests())]
fn of_request((request, to, server): (ChatRequest, Api, Server)) -> usize {
    black_box(asked(black_box(&request), to, server)).body.len()
}

#[library_benchmark(setup = a_stream, config = bounded(STREAM))]
#[benches::of(iter = streams().filter(|told| !is_timed(told)))]
fn of_stream((pieces, from, to): (Vec<Bytes>, Api, Dialect)) -> usize {
    told(black_box(&pieces), from, to)
}

#[library_benchmark(setup = a_stream, config = bounded(TIMED))]
#[benches::of(iter = streams().filter(is_timed))]
fn of_timed_stream((pieces, from, to): (Vec<Bytes>, Api, Dialect)) -> usize {
    told(black_box(&pieces), from, to)
}

library_benchmark_group!(name = translating, benchmarks = [of_request, of_stream, of_timed_stream]);
main!(library_benchmark_groups = translating);

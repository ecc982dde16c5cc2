//! What translating costs in time: a request of 2 KB, and an event of a stream. `cargo bench -p dialects`.
//!
//! The bounds are 10 us for the request and 2 us for the event.

// Clippy knows test functions, but not those of a bench; criterion's macros make a function without a comment.
#![allow(clippy::expect_used, missing_docs)]

mod work;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dialects::openai_chat::Server;
use std::hint::black_box;
use work::{EVENTS, asked, request, requests, stream, streams, told};

// What the program ships with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn of_requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("request of 2 KB");
    for (from, to, server) in requests() {
        let request = request(from);
        assert!(asked(&request, to, server).body.len() > 1500);
        let mistral = if server == Server::MISTRAL { " of Mistral" } else { "" };
        group.bench_function(format!("{} to {to:?}{mistral}", from.as_str()), |b| {
            b.iter(|| asked(black_box(&request), to, server));
        });
    }
}

fn of_events(c: &mut Criterion) {
    let mut group = c.benchmark_group("event of a stream");
    group.throughput(Throughput::Elements(EVENTS as u64));
    for (kind, from, to) in streams() {
        let pieces = stream(kind, from);
        group.bench_function(format!("{kind:?} of {from:?} to {}", to.as_str()), |b| {
            b.iter(|| told(black_box(&pieces), from, to));
        });
    }
}

criterion_group!(benches, of_requests, of_events);
criterion_main!(benches);

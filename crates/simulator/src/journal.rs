//! What calls came and how they ended.
//!
//! Receives a `Note` when a call begins; hands out a `Ticket` that reports its end, be it by being dropped. Keeps
//! counts and the last calls, bounded in number and size. Never here: what calls are answered with.

use bytes::Bytes;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::time::Instant;

/// Calls kept.
pub const MAX_ENTRIES: usize = 256;
/// The most of a request body kept, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// How many calls, since the start or the last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Calls that came: requests for a chat completion, refused ones included unless their body was too large.
    pub calls: u64,
    /// Calls not yet ended, those from before a reset included.
    pub in_flight: u64,
    /// Calls answered rightly to the end, refusals of bad requests included.
    pub completed: u64,
    /// Calls whose client went away before the answer ended.
    pub cancelled: u64,
    /// Calls whose fault ran its whole course.
    pub faulted: u64,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// As planned, and rightly.
    Completed,
    /// The client went away before the answer ended.
    Cancelled,
    /// As planned, and wrongly.
    Faulted,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number, from 1 since the start or the last reset.
    pub number: u64,
    /// The model asked for; empty where the request could not be read.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// The role of the last message; none where the request could not be read.
    pub last_role: Option<&'static str>,
    /// The last four characters of the bearer key.
    pub authorization_tail: Option<String>,
    /// The request body, at most [`MAX_BODY`] bytes and up to its first byte that is no UTF-8.
    pub body: String,
    /// Length of the request body, in bytes.
    pub body_bytes: usize,
    /// The fault that happened, or the limit that turned the call away: `quota` or `capacity`.
    pub fault: Option<&'static str>,
    /// When it came, in milliseconds of the monotonic clock since the simulator was made; a reset does not change it.
    pub at_ms: u64,
    /// How long it took, waiting included, in milliseconds; none while in flight.
    pub took_ms: Option<u64>,
    /// How it ended; none while in flight.
    pub ended: Option<Ended>,
}

/// What has happened so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// How many calls.
    #[serde(flatten)]
    pub counts: Counts,
    /// The last [`MAX_ENTRIES`] calls, oldest first.
    pub last: Vec<Entry>,
}

/// What is known of a call when it begins.
#[derive(Debug, Default)]
pub(crate) struct Note {
    pub(crate) model: String,
    pub(crate) stream: bool,
    pub(crate) last_role: Option<&'static str>,
    pub(crate) authorization_tail: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) fault: Option<&'static str>,
}

pub(crate) struct Journal {
    began: Instant,
    counts: watch::Sender<Counts>,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    /// Grows with every reset: tickets of an earlier one only free their place in flight.
    volume: u64,
    next: u64,
    last: VecDeque<Page>,
}

struct Page {
    note: Note,
    body_bytes: usize,
    came: Instant,
    end: Option<(Ended, Instant)>,
}

impl Journal {
    pub(crate) fn new() -> Arc<Self> {
        let counts = watch::Sender::new(Counts::default());
        Arc::new(Self { began: Instant::now(), counts, pages: Mutex::default() })
    }

    /// A call begins. The body's beginning is copied, so that its buffer is not held.
    pub(crate) fn open(self: &Arc<Self>, note: Note) -> Ticket {
        let body_bytes = note.body.len();
        let body = Bytes::copy_from_slice(&note.body[..body_bytes.min(MAX_BODY)]);
        let faulty = note.fault.is_some();
        let page = Page { note: Note { body, ..note }, body_bytes, came: Instant::now(), end: None };
        let mut pages = self.pages();
        if pages.last.len() == MAX_ENTRIES {
            pages.last.pop_front();
        }
        pages.last.push_back(page);
        pages.next += 1;
        let (volume, number) = (pages.volume, pages.next);
        self.counts.send_modify(|counts| {
            counts.calls += 1;
            counts.in_flight += 1;
        });
        Ticket { journal: Arc::clone(self), volume, number, faulty, ended: false }
    }

    fn end(&self, volume: u64, number: u64, ended: Ended) {
        let mut pages = self.pages();
        let current = volume == pages.volume;
        if current && let Some(page) = pages.page(number) {
            page.end = Some((ended, Instant::now()));
        }
        self.counts.send_modify(|counts| {
            counts.in_flight -= 1;
            match ended {
                _ if !current => {}
                Ended::Completed => counts.completed += 1,
                Ended::Cancelled => counts.cancelled += 1,
                Ended::Faulted => counts.faulted += 1,
            }
        });
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Waits until the counts satisfy `wanted`, and gives them.
    pub(crate) async fn until(&self, mut wanted: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.counts.subscribe();
        // The sender lives as long as `self`, so the wait cannot fail.
        let found = counts.wait_for(|counts| wanted(counts)).await.map(|counts| *counts);
        found.unwrap_or_else(|_| self.counts())
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let pages = self.pages();
        let first = pages.first();
        let entry = |(index, page): (usize, &Page)| page.entry(first + index as u64, self.began);
        Snapshot { counts: self.counts(), last: pages.last.iter().enumerate().map(entry).collect() }
    }

    pub(crate) fn reset(&self) {
        let mut pages = self.pages();
        *pages = Pages { volume: pages.volume + 1, ..Pages::default() };
        self.counts.send_modify(|counts| *counts = Counts { in_flight: counts.in_flight, ..Counts::default() });
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// The number of the oldest page kept.
    fn first(&self) -> u64 {
        self.next + 1 - self.last.len() as u64
    }

    fn page(&mut self, number: u64) -> Option<&mut Page> {
        let index = number.checked_sub(self.first())?;
        self.last.get_mut(usize::try_from(index).ok()?)
    }
}

impl Page {
    fn entry(&self, number: u64, began: Instant) -> Entry {
        let ms = |from: Instant, to: Instant| u64::try_from((to - from).as_millis()).unwrap_or(u64::MAX);
        Entry {
            number,
            model: self.note.model.clone(),
            stream: self.note.stream,
            last_role: self.note.last_role,
            authorization_tail: self.note.authorization_tail.clone(),
            body: readable(&self.note.body).to_owned(),
            body_bytes: self.body_bytes,
            fault: self.note.fault,
            at_ms: ms(began, self.came),
            took_ms: self.end.map(|(_, at)| ms(self.came, at)),
            ended: self.end.map(|(ended, _)| ended),
        }
    }
}

fn readable(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

/// A call in flight. Dropped without `settle` it counts as cancelled.
pub(crate) struct Ticket {
    journal: Arc<Journal>,
    volume: u64,
    number: u64,
    faulty: bool,
    ended: bool,
}

impl Ticket {
    /// The call went as planned, rightly or wrongly.
    pub(crate) fn settle(mut self) {
        self.ended = true;
        let ended = if self.faulty { Ended::Faulted } else { Ended::Completed };
        self.journal.end(self.volume, self.number, ended);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.ended {
            self.journal.end(self.volume, self.number, Ended::Cancelled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_last_calls_and_a_part_of_their_bodies_are_kept() {
        let journal = Journal::new();
        for _ in 0..MAX_ENTRIES + 3 {
            let body = Bytes::from(vec![b'x'; MAX_BODY + 9]);
            journal.open(Note { body, ..Note::default() }).settle();
        }
        let snapshot = journal.snapshot();
        assert_eq!(snapshot.last.len(), MAX_ENTRIES);
        assert_eq!(snapshot.last.first().map(|entry| entry.number), Some(4));
        assert_eq!(snapshot.last.last().map(|entry| entry.number), Some(MAX_ENTRIES as u64 + 3));
        assert!(snapshot.last.iter().all(|entry| entry.body.len() == MAX_BODY && entry.body_bytes == MAX_BODY + 9));
        assert_eq!(snapshot.counts.completed, MAX_ENTRIES as u64 + 3);
    }

    #[tokio::test(start_paused = true)]
    async fn arrivals_and_durations_are_told_in_milliseconds() {
        let journal = Journal::new();
        tokio::time::advance(Duration::from_millis(250)).await;
        journal.reset();
        let first = journal.open(Note::default());
        tokio::time::advance(Duration::from_millis(1500)).await;
        let _second = journal.open(Note { last_role: Some("tool"), ..Note::default() });
        drop(first);
        let told = |entry: &Entry| (entry.at_ms, entry.took_ms, entry.last_role, entry.ended);
        let last: Vec<_> = journal.snapshot().last.iter().map(told).collect();
        assert_eq!(last, [(250, Some(1500), None, Some(Ended::Cancelled)), (1750, None, Some("tool"), None)]);
    }

    #[test]
    fn calls_from_before_a_reset_only_leave_the_flight() {
        let journal = Journal::new();
        let old = journal.open(Note::default());
        journal.reset();
        let new = journal.open(Note { fault: Some("hang"), ..Note::default() });
        assert_eq!(journal.counts(), Counts { calls: 1, in_flight: 2, ..Counts::default() });
        drop(old);
        new.settle();
        assert_eq!(journal.counts(), Counts { calls: 1, faulted: 1, ..Counts::default() });
        assert_eq!(journal.snapshot().last[0].ended, Some(Ended::Faulted));
    }
}

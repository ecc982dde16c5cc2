//! The one bounded writer that all log lines go through.
//!
//! A line is copied into memory under a short lock; one thread writes what has gathered. A reader who is too
//! slow costs lines, which are counted, and never time of a call. Must never be here: what a line says.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// The most bytes that wait; as many again may be on their way out.
const MAX_PENDING: usize = 1 << 20;
/// From here on the writer is woken at once.
const PLENTY: usize = 64 << 10;
/// How long lines gather otherwise.
const GATHER: Duration = Duration::from_millis(50);
/// The longest that a flush waits for a reader who does not read.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Takes log lines; cheap to clone. The last one dropped flushes.
#[derive(Clone, Debug)]
pub struct LogSink(Arc<Handle>);

/// Closes the sink when the last clone goes; the writer's thread holds only what is inside.
#[derive(Debug)]
struct Handle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the writer.
    work: Condvar,
    /// Wakes those who wait for a flush.
    written: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    pending: Vec<u8>,
    /// Bytes ever accepted, and bytes ever handed to the output.
    accepted: u64,
    done: u64,
    /// The writer waits for a first line, without a time limit.
    asleep: bool,
    /// Write at once.
    hurry: bool,
    closing: bool,
}

impl LogSink {
    /// A sink that writes to `out` from a thread of its own.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn new(out: impl Write + Send + 'static) -> io::Result<Self> {
        let state = Mutex::new(State::default());
        let (work, written) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { state, work, written, dropped: AtomicU64::new(0) });
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("log".to_owned()).spawn(move || theirs.write_to(out))?;
        Ok(Self(Arc::new(Handle(shared))))
    }

    /// A sink that writes to stderr.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn stderr() -> io::Result<Self> {
        Self::new(io::stderr())
    }

    /// Takes one line, terminator included. Dropped and counted where there is no room for all of it.
    pub fn append(&self, line: &[u8]) {
        let shared = &self.0.0;
        let mut state = shared.lock();
        let before = state.pending.len();
        if before + line.len() > MAX_PENDING {
            drop(state);
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.pending.extend_from_slice(line);
        state.accepted += line.len() as u64;
        let plenty = before < PLENTY && state.pending.len() >= PLENTY;
        let wake = std::mem::take(&mut state.asleep) || plenty;
        drop(state);
        if wake {
            shared.work.notify_one();
        }
    }

    /// Lines that were dropped, or that the output did not take.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.0.dropped.load(Ordering::Relaxed)
    }

    /// Waits until every line taken so far is written, for two seconds at most.
    pub fn flush(&self) {
        self.0.0.flush();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.lock().closing = true;
        self.0.flush();
    }
}

impl Shared {
    /// A thread that panics while it holds the lock leaves the state whole: each change is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush(&self) {
        let mut state = self.lock();
        let goal = state.accepted;
        state.hurry = true;
        self.work.notify_one();
        let waiting = |state: &mut State| state.done < goal;
        drop(self.written.wait_timeout_while(state, FLUSH_TIMEOUT, waiting));
    }

    fn write_to(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        while self.gather(&mut batch) {
            if out.write_all(&batch).and_then(|()| out.flush()).is_err() {
                let lines = batch.iter().filter(|byte| **byte == b'\n').count();
                self.dropped.fetch_add(lines as u64, Ordering::Relaxed);
            }
            self.lock().done += batch.len() as u64;
            self.written.notify_all();
        }
    }

    /// Waits for lines, lets more gather, and takes them all; `false` when there will be no more.
    fn gather(&self, batch: &mut Vec<u8>) -> bool {
        batch.clear();
        let mut state = self.lock();
        state.asleep = true;
        let none = |state: &mut State| state.pending.is_empty() && !state.closing;
        state = self.work.wait_while(state, none).unwrap_or_else(PoisonError::into_inner);
        state.asleep = false;
        let few = |state: &mut State| state.pending.len() < PLENTY && !state.hurry && !state.closing;
        state = self.work.wait_timeout_while(state, GATHER, few).unwrap_or_else(PoisonError::into_inner).0;
        state.hurry = false;
        std::mem::swap(&mut state.pending, batch);
        !batch.is_empty()
    }
}

/// One call to `write` is one line, as `tracing_subscriber` does it.
impl Write for &LogSink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.append(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogSink {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Says that it was given something, then waits until it may take it.
    struct Gate {
        given: Sender<usize>,
        open: Receiver<()>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.given.send(bytes.len()).ok();
            self.open.recv().ok();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_slow_reader_costs_lines_beyond_the_bound_and_no_waiting() {
        let ((given, was_given), (let_through, open)) = (channel(), channel());
        let sink = LogSink::new(Gate { given, open }).unwrap();
        sink.append(b"first\n");
        assert_eq!(was_given.recv(), Ok(6), "a lone line is written without a flush");
        for _ in 0..1024 {
            sink.append(&[b'\n'; 1024]);
        }
        assert_eq!(sink.dropped(), 0);
        sink.append(b"\n");
        assert_eq!(sink.dropped(), 1);
        drop(let_through);
        sink.flush();
        assert_eq!(was_given.try_recv(), Ok(MAX_PENDING));
        sink.append(b"room again\n");
        drop(sink);
        assert_eq!(was_given.try_recv(), Ok(11), "dropping flushes");
    }

    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_nobody_takes_are_counted() {
        let sink = LogSink::new(Broken).unwrap();
        sink.append(b"one\n");
        sink.append(b"two\n");
        sink.flush();
        assert_eq!(sink.dropped(), 2);
    }
}

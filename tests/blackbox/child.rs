//! The real binary as a child process: its output line by line, its end, and its end at the latest when dropped.
//!
//! Receives a command line; hands back what the process says. Must never be here: what the lines mean.

use crate::client::soon;
use crate::turn::{self, Turn};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Leaves a test out, and says so where it is seen: the harness swallows what the macros of a passing test print.
/// In continuous integration nothing is left out.
pub(crate) fn skip(test: &str, why: &str) {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{test}: {why}");
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}

/// A running `breakwater`.
pub(crate) struct Process {
    child: Arc<Mutex<Child>>,
    pub(crate) pid: u32,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
    ended: watch::Receiver<Option<ExitStatus>>,
    _turn: Turn,
}

impl Process {
    /// Starts `breakwater` in `directory` with these arguments and, of the environment, only `variables`.
    pub(crate) fn start(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let turn = turn::shared();
        let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
        command.args(arguments).current_dir(directory).env_clear().envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a child process");
        let stdout = Lines::of(child.stdout.take().expect("its output"));
        let stderr = Lines::of(child.stderr.take().expect("its errors"));
        let pid = child.id();
        let child = Arc::new(Mutex::new(child));
        let ended = wait_for(Arc::clone(&child), stderr.clone());
        Self { child, pid, stdout, stderr, ended, _turn: turn }
    }

    /// Sends it a signal, `TERM` or `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.pid);
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(sent.success(), "{kill}");
    }

    /// Waits for its end; its exit code, or none where a signal ended it.
    pub(crate) async fn exit(&self) -> Option<i32> {
        let mut ended = self.ended.clone();
        let waiting = soon("the end of the process", ended.wait_for(Option::is_some));
        let status = waiting.await.expect("a status").expect("a status");
        self.stdout.to_the_end().await;
        status.code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Waits for the end of a process that has closed its errors.
fn wait_for(child: Arc<Mutex<Child>>, mut stderr: Lines) -> watch::Receiver<Option<ExitStatus>> {
    let (tell, ended) = watch::channel(None);
    std::thread::spawn(move || {
        stderr.read_to_the_end();
        let status = child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        tell.send_replace(status.ok());
    });
    ended
}

/// What a process has said so far.
#[derive(Clone)]
pub(crate) struct Lines {
    said: Arc<Mutex<Vec<String>>>,
    /// Counts lines; closed at the end.
    count: watch::Receiver<usize>,
    reading: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let said = Arc::new(Mutex::new(Vec::new()));
        let (tell, count) = watch::channel(0);
        let all = Arc::clone(&said);
        let reading = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                all.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                tell.send_modify(|count| *count += 1);
            }
        });
        Self { said, count, reading: Arc::new(Mutex::new(Some(reading))) }
    }

    /// Blocks until the process says nothing more.
    fn read_to_the_end(&mut self) {
        let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reading) = reading {
            let _ = reading.join();
        }
    }

    async fn to_the_end(&self) {
        let mut count = self.count.clone();
        soon("the end of the output", async { while count.changed().await.is_ok() {} }).await;
    }

    /// Everything said so far.
    pub(crate) fn text(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// Waits for the first line of which `read` makes something.
    pub(crate) async fn find<T>(&self, what: &str, read: impl Fn(&str) -> Option<T>) -> T {
        let mut count = self.count.clone();
        let mut seen = 0;
        let finding = async {
            loop {
                count.borrow_and_update();
                let found = {
                    let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                    let found = said[seen..].iter().find_map(|line| read(line));
                    seen = said.len();
                    found
                };
                match found {
                    Some(found) => return found,
                    None if count.changed().await.is_ok() => {}
                    None => panic!("no {what} in:\n{}", self.text()),
                }
            }
        };
        match tokio::time::timeout(crate::client::TOO_LONG, finding).await {
            Ok(found) => found,
            Err(_) => panic!("waited too long for {what} in:\n{}", self.text()),
        }
    }
}

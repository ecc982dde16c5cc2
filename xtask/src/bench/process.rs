//! One started process: pinned to a core, logged to a file, measured by the kernel, ended for certain.

use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a process may take to say that it listens.
const START: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A child that ends with this value, and, should this program be killed, with this program.
pub(super) struct Process {
    child: Child,
    name: &'static str,
    log: PathBuf,
}

impl Process {
    /// Starts `program` on `core`; its stderr goes to a file in `dir`.
    pub(super) fn start(
        name: &'static str,
        core: usize,
        dir: &Path,
        program: &Path,
        arguments: &[OsString],
    ) -> Result<Self> {
        Self::start_with(name, core, dir, program, arguments, &[])
    }

    /// The same with variables set in its environment.
    pub(super) fn start_with(
        name: &'static str,
        core: usize,
        dir: &Path,
        program: &Path,
        arguments: &[OsString],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let log = dir.join(format!("{name}.log"));
        // Both wrappers end in exec, so the child's id is the program's own.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "taskset", "-c", &core.to_string()])
            .arg(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .spawn()
            .context("setpriv and taskset (util-linux) are needed to pin processes to cores")?;
        Ok(Self { child, name, log })
    }

    /// The address in the line `MARKER http://ADDRESS` of its log.
    pub(super) async fn address(&mut self, marker: &str) -> Result<SocketAddr> {
        let found = tokio::time::timeout(START, async {
            loop {
                if let Some(address) = address_after(&self.log()?, marker) {
                    return Ok(address);
                }
                if let Some(status) = self.child.try_wait()? {
                    bail!("{} ended at once with {status}:\n{}", self.name, self.log()?);
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        });
        found.await.with_context(|| format!("{} never said `{marker} http://...`", self.name))?
    }

    /// Waits until `address` accepts connections.
    pub(super) async fn accepts(&mut self, address: SocketAddr) -> Result<()> {
        let open = tokio::time::timeout(START, async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                if let Some(status) = self.child.try_wait()? {
                    bail!("{} ended at once with {status}:\n{}", self.name, self.log()?);
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Ok(())
        });
        open.await.with_context(|| format!("{} never listened on {address}", self.name))?
    }

    /// CPU time of all its threads so far. Threads that have ended are not in it: compare over short times.
    pub(super) fn cpu(&self) -> Result<Duration> {
        let tasks = format!("/proc/{}/task", self.child.id());
        let mut spent = Duration::ZERO;
        for task in std::fs::read_dir(&tasks).with_context(|| format!("{} has ended", self.name))? {
            // A thread may end between the listing and the reading.
            let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else { continue };
            spent += on_cpu(&text).with_context(|| format!("cannot read schedstat: {text:?}"))?;
        }
        Ok(spent)
    }

    /// Resident memory in bytes.
    pub(super) fn resident(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} has ended", self.name))?;
        resident_bytes(&text).with_context(|| format!("no VmRSS in {path}"))
    }

    fn log(&self) -> Result<String> {
        Ok(std::fs::read(&self.log)?.utf8_chunks().map(|chunk| chunk.valid()).collect())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first number of schedstat: nanoseconds spent on a CPU.
fn on_cpu(schedstat: &str) -> Option<Duration> {
    schedstat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn address_after(log: &str, marker: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once(&format!("{marker} http://"))?;
    // The address is complete only once something follows it.
    let (address, _) = rest.split_once(|c: char| !c.is_ascii_hexdigit() && !"[]:.".contains(c))?;
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{address_after, on_cpu, resident_bytes};
    use std::time::Duration;

    #[test]
    fn finds_the_address_in_any_kind_of_log() {
        for (log, expected) in [
            ("listening on http://127.0.0.1:8080\n", Some("127.0.0.1:8080")),
            ("{\"message\":\"listening on http://127.0.0.1:8080\"}\n", Some("127.0.0.1:8080")),
            ("\u{1b}[32mlistening on http://[::1]:80/\u{1b}[0m", Some("[::1]:80")),
            ("listening on http://127.0.0.1:80", None),
            ("admin on http://127.0.0.1:8081\n", None),
        ] {
            assert_eq!(address_after(log, "listening on"), expected.map(|text| text.parse().unwrap()), "{log}");
        }
    }

    #[test]
    fn reads_the_kernels_accounts() {
        assert_eq!(on_cpu("1234567 890 12\n"), Some(Duration::from_nanos(1_234_567)));
        assert_eq!(on_cpu("\n"), None);
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t    2048 kB\n"), Some(2 << 20));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
    }
}

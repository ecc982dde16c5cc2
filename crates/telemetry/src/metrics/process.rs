//! The process itself, under the names that every Prometheus client uses, from Linux's `/proc`.
//!
//! Where there is no `/proc` the metrics are absent. Must never be here: anything about calls.

use super::pulled::{Kind, Pulled};
use super::registry::Names;
use prometheus::Error;
use std::fs;

/// Linux reports times to user space in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) fn register(names: &Names) -> Result<(), Error> {
    type Row = (&'static str, &'static str, Kind, fn() -> Option<f64>);
    let rows: [Row; 4] = [
        ("process_resident_memory_bytes", "Memory in RAM.", Kind::Gauge, resident_bytes),
        ("process_cpu_seconds_total", "CPU time, user and system.", Kind::Counter, cpu_seconds),
        ("process_open_fds", "Open file descriptors.", Kind::Gauge, open_fds),
        ("process_start_time_seconds", "Start, in seconds of Unix time.", Kind::Gauge, start_time),
    ];
    rows.into_iter().try_for_each(|(name, help, kind, read)| names.register(Pulled::new(name, help, kind, read)?))
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes: f64 = field(&status, "VmRSS:")?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    Some((stat_field(&stat, 14)? + stat_field(&stat, 15)?) / TICKS_PER_SECOND)
}

fn open_fds() -> Option<f64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the directory being read.
    u32::try_from(open.saturating_sub(1)).ok().map(f64::from)
}

fn start_time() -> Option<f64> {
    let boot: f64 = field(&fs::read_to_string("/proc/stat").ok()?, "btime")?.parse().ok()?;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    Some(boot + stat_field(&stat, 22)? / TICKS_PER_SECOND)
}

/// The word after `name` at the start of a line.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()
}

/// A field of `/proc/PID/stat`, counted from 1 as its manual page does. The second one, the program's name,
/// may contain anything, so counting starts behind its closing bracket.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_an_odd_program_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 10 0 0 0 250 50 0 0 20 0 4 0 1234 1 2";
        assert_eq!(stat_field(stat, 14), Some(250.0));
        assert_eq!(stat_field(stat, 15), Some(50.0));
        assert_eq!(stat_field(stat, 22), Some(1234.0));
        assert_eq!(stat_field("nothing", 14), None);
        assert_eq!(field("a 1\nVmRSS:\t 52 kB\n", "VmRSS:"), Some("52"));
    }
}

//! What must hold whatever bytes come: one function for each thing that reads what others wrote.
//!
//! Receives bytes of any kind, and panics where a property breaks. libFuzzer calls these functions by way of the
//! programs in `fuzz_targets`; an ordinary test replays `seeds` and mutations of them.
//! Must never be here: tables of expected results, which are the tests' of each room.

// A property that breaks is told by a panic.
#![allow(clippy::expect_used)]

mod answer;
mod cuts;
mod decoder;
mod mended;
mod other;
mod parts;
mod pick;
mod repair;
mod request;
mod scanner;
mod schema;
mod socket;
mod stream;
mod translated;
mod whole;
mod written;

pub use answer::answer;
pub use decoder::decoder;
pub use mended::mended;
pub use other::other;
pub use repair::repair;
pub use request::request;
pub use scanner::scanner;
pub use schema::schema;
pub use socket::socket;
pub use stream::stream;
pub use translated::translated;
pub use whole::whole;

/// The program of one target: libFuzzer's where that is built in, else one that replays the files it is given.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::$name(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::replay($crate::$name)
        }
    };
}

/// Replays the files named on the command line: a case that libFuzzer found fails here too, without libFuzzer.
///
/// # Errors
/// A file that cannot be read, or none at all.
pub fn replay(target: fn(&[u8])) -> std::io::Result<()> {
    let mut files = std::env::args_os().skip(1).peekable();
    if files.peek().is_none() {
        return Err(std::io::Error::other("name the files to replay"));
    }
    for file in files {
        target(&std::fs::read(&file)?);
        eprintln!("{}: holds", file.display());
    }
    Ok(())
}

//! An answer's steps, both ways: what Google's objects say, and how steps are written as such objects.
//!
//! Lives here: `read`, objects to steps; `arguments`, those of a call that come in pieces; `write`, steps to a stream, and
//! `at_once`, to a whole answer; `form`, how an object is put down; `beyond`, what there is no word for. Receives the data of events, or steps; hands on the other.
//! Must never be here: framing of what is read, judgement.

mod arguments;
mod at_once;
mod beyond;
mod form;
mod read;
mod write;

#[cfg(test)]
mod rounds;

pub use at_once::write_answer;
pub use read::Reader;
pub use write::Writer;

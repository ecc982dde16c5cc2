//! The whole engine over a scripted transport, under a clock that moves only when everyone waits.
//!
//! `script` says what providers do, `stage` plays one call over them; the rest are tables. No sockets, no real time.

mod after_commit;
mod before_commit;
mod cancelled;
mod gathering;
mod keys;
mod lost;
mod pace;
mod script;
mod settled;
mod stage;

//! The whole engine over a scripted transport, under a clock that moves only when everyone waits.
//!
//! `script` says what providers do, `stage` plays one call over them; the rest are tables. No sockets, no real time.

mod after_commit;
mod before_commit;
mod blameless;
mod breakers;
mod cancelled;
mod chaos;
mod completions;
mod contracts_kept;
mod dialects;
mod domains;
mod fallbacks;
mod gathering;
mod going_on;
mod heard;
mod hedges;
mod hours;
mod keys;
mod lost;
mod pace;
mod reader;
mod redacted;
mod resorts;
mod retries;
mod script;
mod settled;
mod silence;
mod slots;
mod stage;

//! What an answer must satisfy, judged before it is believed.
//!
//! Lives here: the checks, their policy, deterministic repair, the words with which a model is asked again, those with
//! which somebody outside is asked, and what watches a stream. Receives answers and what was demanded of them; hands on findings, and mended answers.
//! Must never be here: wire formats, sockets, clocks, async, what becomes of an answer that fails.

mod check;
mod contract;
mod detect;
mod finding;
mod json;
mod language;
mod leaks;
mod opinion;
mod policy;
mod reask;
mod redact;
mod repair;
mod repetition;
mod scan;
mod schema;
mod strings;
mod watch;

pub use contract::{Bound, Contract, Hold, Invalid};
pub use detect::Entity;
pub use finding::{Check, Code, FINDINGS, Finding, Judgement, MESSAGE, Place};
pub use language::{Language, language};
pub use opinion::{About, Advised, NoOpinion, Opinion, opinion, question};
pub use policy::{Action, Citations, Pattern, Policy, Step, Webhook};
pub use reask::reask;
pub use redact::Redacted;
pub use repair::{Mend, Repaired};
pub use scan::{Extent, MAX_DEPTH, Scanner};
pub use schema::{Schemas, Unusable};
pub use watch::Watch;

//! The config file to validated settings of the rooms below.
//!
//! Lives here: the file's schema, its defaults, every rule about what may stand in it, and zero-config.
//! Receives text and an environment; hands on [`Settings`], or every [`Fault`] at once.
//! Must never be here: anything that acts on settings, sockets, the process environment itself.

mod contract;
pub mod defaults;
mod fault;
mod file;
mod later;
mod lenient;
mod measure;
mod reader;
mod reference;
mod resolve;
mod schema;
mod settings;
mod source;
mod syntax;
mod zero;

pub use contract::contract;
pub use fault::{Fault, render};
pub use schema::schema;
pub use settings::{Admin, AnswerPolicy, Drain, Gates, Hold, Limits, Provider, Settings};
pub use source::{Format, Source, load, locate};
pub use zero::zero_config;

/// Every value of a provider's `kind`, one spelling each.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    resolve::kinds()
}

/// Looks a variable up: the process environment in production, a table in tests.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a configuration from text.
///
/// Files named by `{file: PATH}` are read here; a relative path counts from the working directory.
///
/// # Errors
///
/// Every fault of the text, in the order of the file's sections. A syntax error stands alone:
/// nothing behind it can be judged.
pub fn parse(text: &str, format: Format, env: Env<'_>) -> Result<Settings, Vec<Fault>> {
    let tree = syntax::tree(text, format).map_err(|fault| vec![fault])?;
    resolve::settings(tree, env)
}

//! The only room that opens sockets to providers.
//!
//! Lives here: pooled connections, TLS, key rotation, presets of compatible providers.
//! Receives a finished request body and the name of a provider; hands on a response or a failure.
//! Must never be here: what a response means (that is `dialects`), whether to try again (that is `engine`).

mod presets;
mod settings;

pub use presets::{PRESETS, Preset, preset};
pub use settings::ProviderSettings;

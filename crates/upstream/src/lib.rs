//! The only room that opens sockets to providers.
//!
//! Lives here: host names, pooled connections, TLS, key rotation, presets of compatible providers.
//! Receives a finished request body and the place of a provider; hands on a response or a failure.
//! Must never be here: what a response means (that is `dialects`), whether to try again (that is `engine`).

mod connect;
mod keys;
mod names;
mod presets;
mod reason;
mod settings;
mod transport;

pub use keys::Key;
pub use presets::{PRESETS, Preset, preset};
pub use settings::ProviderSettings;
pub use transport::{Body, BuildError, Inbound, MAX_HEAD, Outbound, Sending, Transport, Upstream};

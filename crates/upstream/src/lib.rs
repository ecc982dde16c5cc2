//! The only room that opens sockets to providers, and to whoever else is asked.
//!
//! Lives here: host names, pooled connections, TLS, key rotation, presets of compatible providers.
//! Receives a finished request body and the place of a provider, or a question; hands on a response, or why there is
//! none.
//! Must never be here: what a response means (that is `dialects`), whether to try again (that is `engine`).

mod adviser;
mod aws;
mod connect;
mod credential;
#[cfg(feature = "gcp")]
mod google;
mod keys;
mod live;
mod names;
mod passing;
mod presets;
mod reason;
mod settings;
#[cfg(feature = "aws")]
mod sigv4;
mod site;
mod transport;
mod webhook;

pub use adviser::{Adviser, Asking, Silence};
pub use aws::AwsCredentials;
pub use connect::MAX_HEAD;
pub use credential::{Credential, Scheme};
#[cfg(feature = "gcp")]
pub use google::{GoogleAccount, ServiceAccount, UserAccount};
pub use keys::Key;
pub use passing::{Duplex, Passing, PassingBody, Path, Switched, Switching};
pub use presets::{PRESETS, Preset, preset};
pub use settings::{ProviderSettings, WebhookSettings};
pub use site::Site;
pub use transport::{Body, BuildError, Inbound, Outbound, Sending, Transport, Upstream};
pub use webhook::Webhooks;

//! Who may call, as data: made by `config`.

use secrecy::SecretString;
use std::num::NonZeroU32;
use std::sync::Arc;

/// One caller as configured.
#[derive(Clone, Debug)]
pub struct CallerSettings {
    /// Its name, in logs and metrics.
    pub name: Arc<str>,
    /// The key it presents.
    pub key: SecretString,
    /// The routes it may use; `None` means every route.
    pub routes: Option<Vec<Arc<str>>>,
    /// The most requests in a minute.
    pub rpm: Option<NonZeroU32>,
    /// The most calls at one time.
    pub concurrency: Option<NonZeroU32>,
}

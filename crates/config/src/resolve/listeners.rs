//! The rules between the two listeners and who may reach them.

use crate::{Fault, Settings};
use std::net::SocketAddr;

/// What stands before the listeners, sound or not: a faulty guard is told of once, not also as missing.
#[derive(Clone, Copy)]
pub(crate) struct Guards {
    /// There are callers.
    pub(crate) callers: bool,
    /// There is an admin token.
    pub(crate) token: bool,
}

impl Guards {
    /// Those of settings that were judged.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self { callers: !settings.callers.is_empty(), token: settings.admin.token.is_some() }
    }
}

/// What is wrong with where the gateway listens.
pub(crate) fn faults(settings: &Settings, guards: Guards) -> Vec<Fault> {
    let (data, admin) = (settings.listen, settings.admin.listen);
    let mut faults = Vec::new();
    if reachable(data) && !guards.callers && !settings.open {
        let message = format!(
            "{data} can be reached by others, and without callers everyone could use your keys: \
             add callers, or say `open: true`"
        );
        faults.push(Fault::new("listen", message));
    }
    if reachable(admin) && !guards.token {
        faults.push(Fault::new("admin.token", format!("is needed, since {admin} can be reached by others")));
    }
    if clash(data, admin) {
        faults.push(Fault::new("admin.listen", format!("{admin} is taken by `listen` ({data})")));
    }
    faults
}

/// The settings with warnings about `open` as they now apply.
pub(crate) fn with_warnings(mut settings: Settings) -> Settings {
    settings.warnings.retain(|warning| warning.path != "open");
    if settings.open {
        let pointless = match (reachable(settings.listen), settings.callers.is_empty()) {
            (_, false) => Some("does nothing: with callers, every call needs a key"),
            (false, true) => Some("does nothing: only this machine can reach `listen`, and needs no key"),
            (true, true) => None,
        };
        settings.warnings.extend(pointless.map(|message| Fault::new("open", message)));
    }
    settings
}

fn reachable(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

fn clash(a: SocketAddr, b: SocketAddr) -> bool {
    let overlap = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && overlap
}

//! Which addresses a provider's host name has, and for how long to believe it.
//!
//! Receives names from the connector; hands on addresses, or says that there are none. One lookup per name is under way
//! at a time: it is the system's, it holds a thread, and it may hang for as long as it likes. Pooled connections outlive
//! what is known here: one to an address that a name no longer has is used for as long as it works.
//! Must never be here: connections, and whether to try again.

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tower_service::Service;

/// How long a lookup may take; where the whole connection has to be there sooner, nine tenths of that time, so that a
/// name that hangs is not taken for a provider that does.
const BOUND: Duration = Duration::from_secs(2);
/// How long to wait for a lookup while older addresses are at hand.
const GRACE: Duration = Duration::from_millis(250);
/// How long addresses are used without asking again.
const FRESH: Duration = Duration::from_secs(5);
/// How long they go on being used while lookups bring nothing, counted from the first of these.
const SPARE: Duration = Duration::from_secs(60);
/// The most names that are known, and so the most threads that lookups hold: half of what the runtime has for such work.
const MAX_NAMES: usize = 256;

type Addresses = Arc<[SocketAddr]>;
type Looking = Pin<Box<dyn Future<Output = io::Result<Addresses>> + Send>>;

/// A name has no address, or nobody says which in time.
#[derive(Debug, thiserror::Error)]
#[error("no address is known")]
pub(crate) struct NoAddress;

/// What is known of one name. Pure.
#[derive(Default)]
struct Known {
    /// What the last lookup that brought something brought, and when.
    found: Option<(Addresses, Instant)>,
    /// When the first lookup after it began, until one brings something.
    unanswered: Option<Instant>,
}

impl Known {
    /// Addresses that need no lookup.
    fn fresh(&self, now: Instant) -> Option<Addresses> {
        let (addresses, at) = self.found.as_ref()?;
        (now.saturating_duration_since(*at) < FRESH).then(|| Arc::clone(addresses))
    }

    /// Addresses that will do where a lookup brings none.
    fn spare(&self, now: Instant) -> Option<Addresses> {
        let usable = self.unanswered.is_none_or(|since| now.saturating_duration_since(since) <= SPARE);
        self.found.as_ref().filter(|_| usable).map(|(addresses, _)| Arc::clone(addresses))
    }

    /// A lookup begins.
    fn asked(&mut self, now: Instant) {
        self.unanswered.get_or_insert(now);
    }

    /// A lookup has brought this.
    fn learnt(&mut self, addresses: Addresses, now: Instant) {
        *self = Self { found: Some((addresses, now)), unanswered: None };
    }
}

/// A name, and the lookup under way for it.
#[derive(Default)]
struct Host {
    known: Known,
    lookup: Option<Lookup>,
}

/// A lookup. It is over when its channel is closed, for whatever reason.
#[derive(Clone)]
struct Lookup {
    begun: Instant,
    over: watch::Receiver<()>,
}

impl Host {
    fn lookup(&self) -> Option<&Lookup> {
        self.lookup.as_ref().filter(|lookup| lookup.over.has_changed().is_ok())
    }
}

/// The resolver of all connections.
#[derive(Clone)]
pub(crate) struct Names {
    shared: Arc<Shared>,
    bound: Duration,
}

struct Shared {
    hosts: Mutex<HashMap<Name, Host>>,
    look_up: Box<dyn Fn(Name) -> Looking + Send + Sync>,
}

impl Names {
    /// Names as the system knows them.
    pub(crate) fn of_the_system() -> Self {
        Self::by(|name| Box::pin(async { Ok(GaiResolver::new().call(name).await?.collect()) }))
    }

    /// Names as `look_up` knows them.
    pub(crate) fn by(look_up: impl Fn(Name) -> Looking + Send + Sync + 'static) -> Self {
        let shared = Shared { hosts: Mutex::default(), look_up: Box::new(look_up) };
        Self { shared: Arc::new(shared), bound: BOUND }
    }

    /// The same names for connections that have to be there after `timeout`.
    pub(crate) fn within(&self, timeout: Duration) -> Self {
        Self { shared: Arc::clone(&self.shared), bound: BOUND.min(timeout * 9 / 10) }
    }

    async fn addresses(self, name: Name) -> Result<Addresses, NoAddress> {
        let begun = now();
        let (mut lookup, patience) = {
            let mut hosts = self.shared.hosts();
            let host = place(&mut hosts, &name, begun)?;
            if let Some(addresses) = host.known.fresh(begun) {
                return Ok(addresses);
            }
            let lookup = self.shared.lookup(host, &name, begun);
            (lookup, if host.known.spare(begun).is_some() { GRACE } else { self.bound })
        };
        // Who comes while it hangs does not wait once more.
        let _ = tokio::time::timeout_at((lookup.begun + patience).into(), lookup.over.changed()).await;
        let hosts = self.shared.hosts();
        hosts.get(&name).and_then(|host| host.known.spare(now())).ok_or(NoAddress)
    }
}

impl Shared {
    fn hosts(&self) -> MutexGuard<'_, HashMap<Name, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lookup under way for `host`, begun where there is none.
    fn lookup(self: &Arc<Self>, host: &mut Host, name: &Name, now: Instant) -> Lookup {
        if let Some(lookup) = host.lookup() {
            return lookup.clone();
        }
        let (tell, over) = watch::channel(());
        let (shared, looking, name) = (Arc::clone(self), (self.look_up)(name.clone()), name.clone());
        // A task of its own: it goes on when whoever asked has left, and others wait for it too.
        tokio::spawn(async move {
            let found = looking.await;
            if let (Ok(addresses), Some(host)) = (found, shared.hosts().get_mut(&name))
                && !addresses.is_empty()
            {
                host.known.learnt(addresses, self::now());
            }
            drop(tell);
        });
        host.known.asked(now);
        host.lookup.insert(Lookup { begun: now, over }).clone()
    }
}

/// The place of `name`, made where there is none. Where all are taken, the one that has been known for longest goes.
fn place<'a>(hosts: &'a mut HashMap<Name, Host>, name: &Name, now: Instant) -> Result<&'a mut Host, NoAddress> {
    if hosts.len() >= MAX_NAMES && !hosts.contains_key(name) {
        let idle = hosts.iter().filter(|(_, host)| host.lookup().is_none());
        let oldest = idle.min_by_key(|(_, host)| host.known.found.as_ref().map_or(now, |(_, at)| *at));
        let oldest = oldest.map(|(name, _)| name.clone()).ok_or(NoAddress)?;
        hosts.remove(&oldest);
    }
    Ok(hosts.entry(name.clone()).or_default())
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Service<Name> for Names {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = NoAddress;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NoAddress>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoAddress>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let addresses = self.clone().addresses(name);
        Box::pin(async { Ok(addresses.await?.to_vec().into_iter()) })
    }
}

#[cfg(test)]
mod tests;

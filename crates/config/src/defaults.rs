//! Every default of the config file, in one place.
//!
//! How calls are made ([`routing::Policy`]) and targets are watched ([`resilience::GatePolicy`]) by default is the
//! own knowledge of those rooms.
//! Must never be here: rules, parsing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// `listen`
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// `admin.listen`
pub const ADMIN_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
/// `limits.body`, bytes
pub const BODY: usize = 16 << 20;
/// `limits.connections`
pub const CONNECTIONS: usize = 10_000;
/// `limits.header_timeout`
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// `drain.linger`
pub const LINGER: Duration = Duration::from_secs(5);
/// `drain.timeout`
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(300);
/// `routes.NAME.slo.first_token.under`
pub const FIRST_TOKEN_UNDER: Duration = Duration::from_secs(2);
/// `routes.NAME.targets[].weight`
pub const WEIGHT: u32 = 1;
/// `hedge.after`, of a hedge that is written: this share of the first tokens
pub const HEDGE_AFTER: f64 = 0.95;
/// `hedge.max_share`
pub const HEDGE_MAX_SHARE: f64 = 0.05;
/// `contract.webhook.timeout`
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(2);
/// `contract.stream_hold.bytes`
pub const HOLD_BYTES: usize = 4 << 20;
/// `contract.stream_hold.time`
pub const HOLD_TIME: Duration = Duration::from_secs(120);

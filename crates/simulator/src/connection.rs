//! The accept loop: from a listener to connections that hyper serves.
//!
//! Receives a listener; hands requests to the service. Ends with the future it runs in, and all connections with it.
//! Never here: what requests are answered with.

use crate::service::Service;
use crate::wire::{Orders, Wire};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The most connections at a time; further ones wait to be accepted.
pub const MAX_CONNECTIONS: usize = 8192;
/// Rest after a failed accept (no file descriptors left, for one), so that the loop does not spin.
const REST: Duration = Duration::from_millis(10);

/// Serves until dropped.
pub(crate) async fn serve(service: Arc<Service>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(Arc::clone(&service), stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulator cannot accept a connection");
                    tokio::time::sleep(REST).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(service: Arc<Service>, stream: TcpStream) {
    // Without it a streamed answer waits for delayed acknowledgements. A socket that refuses it is dead already.
    let _ = stream.set_nodelay(true);
    let orders = Orders::default();
    let io = TokioIo::new(Wire::new(stream, orders.clone()));
    let respond = service_fn(|request| service.respond(request, orders.clone()));
    let served = http1::Builder::new().serve_connection(io, respond).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a simulated connection ended early");
    }
}

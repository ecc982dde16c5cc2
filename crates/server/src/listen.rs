//! The accept loop: connections in, within bounds, until told to stop.
//!
//! `axum::serve` has no header timeout, no ceiling and no say in socket options; this has.

use crate::health::{Health, Phase};
use crate::stall::Impatient;
use axum::Router;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// The largest request head, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// The most streams of one HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// How long a client may read nothing while there is something to read.
const WRITE_STALL: Duration = Duration::from_secs(60);
/// How long the loop rests when the system has no file left to give.
const OUT_OF_FILES: Duration = Duration::from_millis(100);
/// What a client over the ceiling is told: a finished response, written without reading the request.
const OVERLOADED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
content-type: application/json\r\n\
content-length: 123\r\nretry-after: 1\r\n\
connection: close\r\n\r\n\
{\"error\":{\"message\":\"The gateway has no room for this connection.\",\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}";

/// What a listener takes in.
#[derive(Clone, Copy, Debug)]
pub struct ListenLimits {
    /// The most connections at one time.
    pub connections: usize,
    /// How long a client may take to send a request's head.
    pub header_timeout: Duration,
}

/// A bound address, not yet served.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    limits: ListenLimits,
}

impl Listener {
    /// Binds `address`.
    ///
    /// # Errors
    /// What the system says, for instance that the address is in use.
    pub async fn bind(address: SocketAddr, limits: ListenLimits) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address).await?, limits })
    }

    /// The address it is bound to, with the port the system chose where 0 was asked for.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves calls until `health` says to drain; then waits for those that run, until it says to end.
    ///
    /// `turned_away` is told of every connection over the ceiling.
    pub async fn serve(self, router: Router, health: Health, turned_away: impl Fn() + Send + Sync) {
        self.serve_until(Phase::Draining, router, health, turned_away).await;
    }

    /// Serves operators until `health` says to end.
    pub async fn serve_to_the_end(self, router: Router, health: Health) {
        self.serve_until(Phase::Ending, router, health, || {}).await;
    }

    async fn serve_until(self, last: Phase, router: Router, health: Health, turned_away: impl Fn() + Send + Sync) {
        let ceiling = Arc::new(Semaphore::new(self.limits.connections.min(Semaphore::MAX_PERMITS)));
        let builder = http(self.limits);
        let running = GracefulShutdown::new();
        let accepting = async {
            loop {
                let stream = match self.socket.accept().await {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        pause_after(&error).await;
                        continue;
                    }
                };
                let Ok(permit) = Arc::clone(&ceiling).try_acquire_owned() else {
                    turned_away();
                    turn_away(&stream);
                    continue;
                };
                // Without it a streamed piece waits for the acknowledgement of the one before, 40 ms and more.
                let _ = stream.set_nodelay(true);
                let asked = Arc::new(AtomicBool::new(false));
                let service = TowerToHyperService::new(router.clone());
                let service = Noting { asked: Arc::clone(&asked), service };
                let connection = builder
                    .serve_connection_with_upgrades(TokioIo::new(Impatient::new(stream, WRITE_STALL)), service)
                    .into_owned();
                let connection = running.watch(connection);
                let patience = tokio::time::sleep(self.limits.header_timeout);
                tokio::spawn(async move {
                    tokio::pin!(connection);
                    // hyper's own timer begins when it knows the protocol: a client that sends nothing is caught here.
                    // A connection's error is its client's affair: the call in it has settled itself.
                    tokio::select! {
                        _ = &mut connection => {}
                        () = patience => if asked.load(Ordering::Relaxed) {
                            let _ = connection.await;
                        }
                    }
                    drop(permit);
                });
            }
        };
        tokio::select! {
            () = accepting => {}
            () = health.reached(last) => {}
        }
        drop(self.socket);
        tokio::select! {
            () = running.shutdown() => {}
            () = health.reached(Phase::Ending) => {}
        }
    }
}

/// A service that notes that a request has come.
struct Noting<S> {
    asked: Arc<AtomicBool>,
    service: S,
}

impl<R, S: Service<R>> Service<R> for Noting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: R) -> S::Future {
        self.asked.store(true, Ordering::Relaxed);
        self.service.call(request)
    }
}

fn http(limits: ListenLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(MAX_HEAD)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD as u32)
        .keep_alive_interval(Some(Duration::from_secs(30)));
    builder
}

/// Tells a client over the ceiling so, as far as its socket takes it at once.
fn turn_away(stream: &TcpStream) {
    let _ = stream.try_write(OVERLOADED);
}

/// Waits where accepting again at once would only fail again.
async fn pause_after(error: &io::Error) {
    let passing = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    );
    if !passing {
        tracing::warn!(%error, "cannot accept a connection");
        tokio::time::sleep(OUT_OF_FILES).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overload_response_is_as_long_as_it_says() {
        let text = std::str::from_utf8(OVERLOADED).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}

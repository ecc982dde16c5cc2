//! The connection's lower end: a TCP stream that can be told to end badly.
//!
//! Receives bytes from hyper; hands them to the socket, unless told otherwise. Never here: why.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

const GARBAGE: &[u8] = b"\x16\x03\x03\x00\x02<<< this is not HTTP >>>\r\n\r\n";

const RESET: u8 = 1;
const GARBLE: u8 = 2;

/// What a call tells its connection, and asks of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders(Arc<State>);

#[derive(Debug, Default)]
struct State {
    order: AtomicU8,
    flushes: AtomicU32,
}

impl Orders {
    /// When the connection ends, let it end by reset.
    pub(crate) fn reset(&self) {
        self.0.order.store(RESET, Ordering::Release);
    }

    /// Write garbage instead of whatever comes.
    pub(crate) fn garble(&self) {
        self.0.order.store(GARBLE, Ordering::Release);
    }

    /// How often all bytes written so far had reached the socket. It grows with the next such time.
    pub(crate) fn flushes(&self) -> u32 {
        self.0.flushes.load(Ordering::Acquire)
    }

    fn order(&self) -> u8 {
        self.0.order.load(Ordering::Acquire)
    }
}

/// A TCP stream under orders.
pub(crate) struct Wire {
    stream: TcpStream,
    orders: Orders,
    garbage: &'static [u8],
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, orders: Orders) -> Self {
        Self { stream, orders, garbage: GARBAGE }
    }

    /// Writes what is left of the garbage, then claims to have written whatever it was given.
    fn garbled(&mut self, cx: &mut Context<'_>, claimed: usize) -> Poll<io::Result<usize>> {
        while !self.garbage.is_empty() {
            let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, self.garbage))?;
            self.garbage = &self.garbage[written..];
        }
        Poll::Ready(Ok(claimed))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.orders.order() == RESET {
            // A socket that is gone already cannot be reset any more, and need not be.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match this.orders.order() {
            GARBLE => this.garbled(cx, buf.len()),
            _ => Pin::new(&mut this.stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match this.orders.order() {
            GARBLE => this.garbled(cx, bufs.iter().map(|buf| buf.len()).sum()),
            _ => Pin::new(&mut this.stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes its writer only once its own buffers are empty, so a flush here means all is out.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.orders.0.flushes.fetch_add(1, Ordering::AcqRel);
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

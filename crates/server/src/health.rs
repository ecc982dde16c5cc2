//! Whether this process is ready for calls: a fact about itself, never about providers.

use http::StatusCode;
use tokio::sync::watch;

/// How far the process is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Serving.
    Ready,
    /// Told to stop: no longer ready, but still accepting, until everyone has noticed.
    Lingering,
    /// No longer accepting; finishing what runs.
    Draining,
    /// Out of patience: whatever still runs is dropped.
    Ending,
}

/// The process's phase, to be set by one and watched by many.
#[derive(Clone, Debug)]
pub struct Health(watch::Sender<Phase>);

impl Default for Health {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Ready))
    }
}

impl Health {
    /// Moves on to `phase`; never back.
    pub fn advance(&self, phase: Phase) {
        self.0.send_if_modified(|current| {
            let later = phase > *current;
            if later {
                *current = phase;
            }
            later
        });
    }

    /// The phase now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Waits until `phase` is reached.
    pub async fn reached(&self, phase: Phase) {
        let mut watching = self.0.subscribe();
        // The sender lives as long as self: the wait cannot fail.
        let _ = watching.wait_for(|current| *current >= phase).await;
    }

    /// The answer to `/readyz`.
    pub(crate) fn readiness(&self) -> (StatusCode, &'static str) {
        match self.phase() {
            Phase::Ready => (StatusCode::OK, "ready\n"),
            Phase::Lingering | Phase::Draining | Phase::Ending => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn phases_only_advance() {
        let health = Health::default();
        assert_eq!(health.readiness().0, StatusCode::OK);
        health.advance(Phase::Draining);
        health.advance(Phase::Lingering);
        assert_eq!(health.phase(), Phase::Draining);
        assert_eq!(health.readiness().0, StatusCode::SERVICE_UNAVAILABLE);
        health.reached(Phase::Lingering).await;
    }
}

//! The tokens of one account: asked for over the wire, once for all who need one.
//!
//! Must never be here: for how long a token is used (that is `tokens`), what an answer means (that is `answer`).

use super::account::GoogleAccount;
use super::answer::{self, Granted};
use super::tokens::{Step, Tokens};
use crate::connect::{Pool, TimedConnector, pool};
use crate::reason;
use crate::transport::wall_clock;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use llm::Failure;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long asking for a token may take, from the name to the last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// Whom a person's requests are billed to.
const BILLED: HeaderName = HeaderName::from_static("x-goog-user-project");

/// Where the tokens of one account come from.
#[derive(Clone, Debug)]
pub(crate) struct TokenSource(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    account: GoogleAccount,
    pool: Pool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tokens: Tokens,
    /// Closed when the asking that it stands for is over, for whatever reason.
    asking: Option<watch::Receiver<()>>,
}

impl State {
    fn asking(&self) -> Option<&watch::Receiver<()>> {
        self.asking.as_ref().filter(|over| over.has_changed().is_ok())
    }
}

impl TokenSource {
    /// The tokens of `account`, asked for over connections of `connector`. Nothing is asked before somebody needs one.
    pub(crate) fn new(account: GoogleAccount, connector: &TimedConnector) -> Self {
        // Once in an hour: no connection is kept for that.
        Self(Arc::new(Shared { account, pool: pool(connector.clone(), 0), state: Mutex::default() }))
    }

    /// Puts a token into the headers of a request, and whom it is billed to where they do not say; waits for it no longer
    /// than `patience`.
    ///
    /// # Errors
    /// [`Failure::NoToken`].
    pub(crate) async fn present(&self, headers: &mut HeaderMap, patience: Duration) -> Result<(), Failure> {
        headers.insert(AUTHORIZATION, self.token(patience).await?);
        if let Some(project) = self.0.account.billed() {
            headers.entry(BILLED).or_insert_with(|| project.clone());
        }
        Ok(())
    }

    /// Takes in that the token in these headers of a request was not accepted. Whether there may be a better one.
    pub(crate) fn distrust(&self, headers: &HeaderMap) -> bool {
        headers.get(AUTHORIZATION).is_some_and(|value| self.0.state().tokens.distrust(value, now()))
    }

    async fn token(&self, patience: Duration) -> Result<HeaderValue, Failure> {
        let over = {
            let mut state = self.0.state();
            let (step, ask) = state.tokens.look(now(), state.asking().is_some());
            if ask {
                state.asking = Some(self.ask());
            }
            match step {
                Step::Use(value) => return Ok(value),
                Step::Fail(why) => return Err(Failure::NoToken(why)),
                Step::Wait => state.asking().cloned(),
            }
        };
        if let Some(mut over) = over {
            // That it is over, or has taken too long, is all that is waited for.
            let _ = timeout(patience, over.changed()).await;
        }
        match self.0.state().tokens.look(now(), true).0 {
            Step::Use(value) => Ok(value),
            Step::Fail(why) => Err(Failure::NoToken(why)),
            Step::Wait => Err(Failure::NoToken("the token server did not answer in time".into())),
        }
    }

    /// Asks for a token, in a task of its own: it goes on when whoever needed one first has left.
    fn ask(&self) -> watch::Receiver<()> {
        let (tell, over) = watch::channel(());
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let asked = now();
            let answer = timeout(PATIENCE, shared.ask()).await;
            shared.settle(answer.unwrap_or_else(|_| Err("did not answer in time".to_owned())), asked);
            drop(tell);
        });
        over
    }
}

impl Shared {
    async fn ask(&self) -> Result<Granted, String> {
        let request = self.account.request(wall_clock()).ok_or("cannot be asked: the account's key does not sign")?;
        let sent = self.pool.request(request.map(Full::new)).await;
        let (head, body) = sent.map_err(|error| reason::of_request(&error).to_string())?.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|e| if e.is::<LengthLimitError>() { "said too much" } else { "broke off" })?;
        let flavored = matches!(self.account, GoogleAccount::Machine(_));
        answer::read(head.status, &head.headers, &body.to_bytes(), flavored)
    }

    fn settle(&self, answer: Result<Granted, String>, asked: Instant) {
        let tokens = &mut self.state().tokens;
        match answer {
            Ok(granted) => tokens.granted(granted, asked),
            Err(why) => tokens.refused(format!("the token server {why}").into(), now()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave it half-written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;

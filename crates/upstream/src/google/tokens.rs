//! When a token is used, when the next one is asked for, and what becomes of calls in between. Pure.

use super::answer::Granted;
use http::HeaderValue;
use std::time::{Duration, Instant};

/// How long before its end a token is replaced: the metadata server has a new one from five minutes before it on.
const AHEAD: Duration = Duration::from_secs(225);
/// How long before its end a token is no longer used: a request takes time to arrive, and clocks differ.
const MARGIN: Duration = Duration::from_secs(10);
/// The pause after a first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the next tokens are believed in after one was not: who accepts none is not asked for more with each call.
const BELIEF: Duration = Duration::from_secs(60);

/// What is known of the tokens of one account.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    held: Option<Held>,
    setback: Option<Setback>,
    /// When a token was last not accepted.
    distrusted: Option<Instant>,
}

#[derive(Debug)]
struct Held {
    value: HeaderValue,
    /// From when on the next one is asked for.
    due: Instant,
    /// When it is no longer used.
    end: Instant,
}

/// The last failure, until a token comes.
#[derive(Debug)]
struct Setback {
    why: Box<str>,
    pause: Duration,
    over: Instant,
}

/// What a call does.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// It goes out with this.
    Use(HeaderValue),
    /// It waits for the token that is being asked for.
    Wait,
    /// It fails for this reason.
    Fail(Box<str>),
}

impl Tokens {
    /// What a call at `now` does, and whether a token is to be asked for besides; `asking` where one is already.
    ///
    /// Whoever finds a token that is still good never waits. While none can be had, one call at a time waits to see
    /// whether that has changed, and the others fail at once.
    pub(super) fn look(&self, now: Instant, asking: bool) -> (Step, bool) {
        let paused = self.setback.as_ref().is_some_and(|setback| now < setback.over);
        let may_ask = !asking && !paused;
        match (self.held.as_ref().filter(|held| now < held.end), &self.setback) {
            (Some(held), _) => (Step::Use(held.value.clone()), may_ask && now >= held.due),
            (None, Some(setback)) if !may_ask => (Step::Fail(setback.why.clone()), false),
            (None, _) => (Step::Wait, may_ask),
        }
    }

    /// A token has come that was asked for at `asked`.
    pub(super) fn granted(&mut self, (value, life): Granted, asked: Instant) {
        let (due, end) = (life - AHEAD.min(life / 2), life - MARGIN.min(life / 10));
        self.held = Some(Held { value, due: asked + due, end: asked + end });
        self.setback = None;
    }

    /// None has come.
    pub(super) fn refused(&mut self, why: Box<str>, now: Instant) {
        let pause = self.setback.as_ref().map_or(FIRST_PAUSE, |before| LONGEST_PAUSE.min(before.pause * 2));
        self.setback = Some(Setback { why, pause, over: now + pause });
    }

    /// The provider does not accept this token, whatever it says of its end. Whether there is a newer one, or one is to
    /// be asked for.
    pub(super) fn distrust(&mut self, value: &HeaderValue, now: Instant) -> bool {
        // Some other call may have met with the same.
        if self.held.as_ref().is_none_or(|held| held.value != *value) {
            return true;
        }
        if self.distrusted.is_some_and(|at| now < at + BELIEF) {
            return false;
        }
        (self.held, self.distrusted) = (None, Some(now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn token(value: &'static str) -> HeaderValue {
        HeaderValue::from_static(value)
    }

    fn granted(value: &'static str, seconds: u32) -> Granted {
        (token(value), seconds * SECOND)
    }

    fn used(value: &'static str) -> Step {
        Step::Use(token(value))
    }

    #[test]
    fn a_good_token_is_used_and_replaced_before_its_end() {
        let now = Instant::now();
        let mut tokens = Tokens::default();
        assert_eq!(tokens.look(now, false), (Step::Wait, true));
        assert_eq!(tokens.look(now, true), (Step::Wait, false), "one asks for all");
        tokens.granted(granted("a", 3600), now);
        for (at, asking, expected) in [
            (0, false, (used("a"), false)),
            (3374, false, (used("a"), false)),
            (3375, false, (used("a"), true)),
            (3375, true, (used("a"), false)),
            (3589, false, (used("a"), true)),
            (3590, false, (Step::Wait, true)),
        ] {
            assert_eq!(tokens.look(now + at * SECOND, asking), expected, "{at}");
        }
        tokens.granted(granted("b", 3600), now + 3400 * SECOND);
        assert_eq!(tokens.look(now + 3600 * SECOND, false), (used("b"), false));
    }

    #[test]
    fn a_short_life_is_used_by_half() {
        let now = Instant::now();
        let mut tokens = Tokens::default();
        tokens.granted(granted("a", 60), now);
        assert_eq!(tokens.look(now + 29 * SECOND, false), (used("a"), false));
        assert_eq!(tokens.look(now + 30 * SECOND, false), (used("a"), true));
        assert_eq!(tokens.look(now + 54 * SECOND, false), (Step::Wait, true));
        tokens.granted(granted("a", 0), now);
        assert_eq!(tokens.look(now, false), (Step::Wait, true), "no life at all is no panic");
    }

    #[test]
    fn failures_are_far_between_and_hurt_no_call_that_has_a_token() {
        let now = Instant::now();
        let mut tokens = Tokens::default();
        tokens.granted(granted("a", 1000), now);
        tokens.refused("x".into(), now + 800 * SECOND);
        assert_eq!(tokens.look(now + 800 * SECOND, false), (used("a"), false), "asked again after a pause");
        assert_eq!(tokens.look(now + 801 * SECOND, false), (used("a"), true));
        let late = now + 1000 * SECOND;
        tokens.refused("y".into(), late);
        let failed = || Step::Fail("y".into());
        assert_eq!(tokens.look(late, false), (failed(), false));
        assert_eq!(tokens.look(late + FIRST_PAUSE * 2, false), (Step::Wait, true), "one call tries");
        assert_eq!(tokens.look(late + FIRST_PAUSE * 2, true), (failed(), false), "the others do not wait for it");
        (0..20).for_each(|_| tokens.refused("y".into(), late));
        assert_eq!(tokens.look(late + LONGEST_PAUSE - SECOND, false), (failed(), false));
        assert_eq!(tokens.look(late + LONGEST_PAUSE, false), (Step::Wait, true));
        tokens.granted(granted("b", 1000), late);
        tokens.refused("z".into(), late + 900 * SECOND);
        assert_eq!(tokens.look(late + 900 * SECOND + FIRST_PAUSE, false), (used("b"), true), "from the first pause on");
    }

    #[test]
    fn a_token_that_is_not_accepted_is_replaced_once_in_a_while() {
        let now = Instant::now();
        let mut tokens = Tokens::default();
        tokens.granted(granted("a", 3600), now);
        assert!(tokens.distrust(&token("a"), now));
        assert_eq!(tokens.look(now, false), (Step::Wait, true));
        assert!(tokens.distrust(&token("a"), now), "another call that went out with it waits for the same one");
        tokens.granted(granted("b", 3600), now);
        assert!(tokens.distrust(&token("a"), now), "there is a newer one");
        assert_eq!(tokens.look(now, false), (used("b"), false));
        assert!(!tokens.distrust(&token("b"), now + BELIEF - SECOND));
        assert_eq!(tokens.look(now + BELIEF - SECOND, false), (used("b"), false));
        assert!(tokens.distrust(&token("b"), now + BELIEF));
        assert_eq!(tokens.look(now + BELIEF, false), (Step::Wait, true));
    }
}

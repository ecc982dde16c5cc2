//! `breakwater demo`: an outage, played against the real gateway.
//!
//! Lives here: the order of events. `acts` is the script, `stage` what it plays on, `client` one call as its user
//! sees it, `watch` both sides of it, `tally` the numbers, `screen` how all that looks.
//! Must never be here: a way around the gateway, or a number that was not measured.

mod acts;
mod client;
mod screen;
mod stage;
mod tally;
mod watch;

use acts::{ACTS, Act};
use anstream::{AutoStream, ColorChoice};
use anyhow::{Context, Result, anyhow};
use client::Clients;
use resilience::State;
use stage::Stage;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tally::Tally;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};
use watch::{Moved, Seen};

/// How often lines are shown at speed 1, and at the most.
const LINES_EVERY: Duration = Duration::from_millis(1500);
const LINES_AT_MOST_EVERY: Duration = Duration::from_millis(250);
/// The breaker's first rest at speed 1; a fifth of what it is by default, so that a minute holds several.
const FIRST_REST: Duration = Duration::from_secs(1);
/// How long a call's record may come after its client has seen the end.
const RECORD_WITHIN: Duration = Duration::from_secs(5);

/// Plays the demo, calls coming `speed` times as fast; an interrupt ends it with the table so far.
///
/// # Errors
/// The stage cannot be set, or the gateway does not answer or record a call.
pub(crate) async fn run(speed: u32, plain: bool) -> Result<ExitCode> {
    let colour = if plain { ColorChoice::Never } else { AutoStream::choice(&io::stdout()) };
    let mut show = Show::new(AutoStream::new(io::stdout(), colour));
    let played = tokio::select! {
        played = play(&mut show, Pace::at(speed)) => played,
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for interrupts"),
    };
    match played.and_then(|()| show.close()) {
        // Whoever stops reading has seen enough.
        Err(error) if left(&error) => Ok(ExitCode::SUCCESS),
        ended => ended.map(|()| ExitCode::SUCCESS),
    }
}

fn left(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

async fn play(show: &mut Show<impl Write>, pace: Pace) -> Result<()> {
    let stage = Stage::set(pace).await?;
    let clients = Clients::of(stage.gateway, acts::ANSWER);
    show.say(&screen::opening(stage.gateway, pace.rest))?;
    for (place, act) in (1..).zip(&ACTS) {
        show.say(&screen::announcement(place, act))?;
        show.tallies.push(Tally::default());
        play_act(show, &stage, &clients, place, act, pace).await?;
        show.end_act()?;
    }
    Ok(())
}

/// Makes the calls of one act and waits for all of them, so that no call lives through two acts.
async fn play_act(
    show: &mut Show<impl Write>,
    stage: &Stage,
    clients: &Clients,
    place: usize,
    act: &Act,
    pace: Pace,
) -> Result<()> {
    let (mut calls, mut lines) = (ticks(pace.calls), ticks(pace.lines));
    let (mut begun, mut running) = (0, JoinSet::new());
    while act.goes_on(begun, stage.watch.is_well()) || !running.is_empty() {
        tokio::select! {
            _ = calls.tick(), if act.goes_on(begun, stage.watch.is_well()) => {
                let fault = act.fault(begun);
                stage.primary.set_behaviour(acts::primary(fault));
                let id = format!("demo-{place}-{begun}");
                running.spawn(call(stage, clients, id, acts::streams(begun), fault.is_some()));
                begun += 1;
            }
            Some(ended) = running.join_next() => show.take(finished(ended)?, stage),
            _ = lines.tick() => show.show_calls(stage)?,
        }
    }
    show.show_calls(stage)
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// One call from both sides.
fn call(
    stage: &Stage,
    clients: &Clients,
    request_id: String,
    stream: bool,
    faulty: bool,
) -> impl Future<Output = Result<Seen>> + Send + 'static {
    let (clients, record) = (clients.clone(), stage.watch.expect(&request_id));
    async move {
        let sent = Instant::now();
        let view = clients.call(&request_id, stream).await?;
        let took = sent.elapsed();
        let record = timeout(RECORD_WITHIN, record).await.ok().and_then(Result::ok);
        let record = record.ok_or_else(|| anyhow!("the gateway has no record of call {request_id}"))?;
        Ok(Seen { stream, faulty, view, took, record })
    }
}

fn finished(ended: Result<Result<Seen>, JoinError>) -> Result<Seen> {
    ended.context("a client ended by a fault of its own")?
}

/// How fast the demo goes. Providers, timeouts and patience keep their own time; the breaker's rests keep the calls', or
/// a fast demo would end before the first probe.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Between two calls.
    calls: Duration,
    /// Between two looks at what they came to.
    lines: Duration,
    /// The breaker's first rest.
    rest: Duration,
}

impl Pace {
    fn at(speed: u32) -> Self {
        let speed = speed.max(1);
        Self {
            calls: acts::EVERY / speed,
            lines: (LINES_EVERY / speed).max(LINES_AT_MOST_EVERY),
            rest: FIRST_REST / speed,
        }
    }
}

/// What was shown and counted so far.
struct Show<W> {
    out: W,
    begun: Instant,
    /// One for each act that has begun.
    tallies: Vec<Tally>,
    /// Calls that are over and not yet shown; an act's at the most.
    unseen: Vec<Seen>,
}

impl<W: Write> Show<W> {
    fn new(out: W) -> Self {
        Self { out, begun: Instant::now(), tallies: Vec::with_capacity(ACTS.len()), unseen: Vec::new() }
    }

    fn say(&mut self, text: &str) -> Result<()> {
        let said = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        said.context("cannot write what there is to see")
    }

    fn take(&mut self, seen: Seen, stage: &Stage) {
        if let Some(tally) = self.tallies.last_mut() {
            tally.add(&seen, &stage.objective);
        }
        self.unseen.push(seen);
    }

    fn show_calls(&mut self, stage: &Stage) -> Result<()> {
        let calls = std::mem::take(&mut self.unseen);
        let moves: Vec<Moved> = stage.watch.moves(self.begun);
        if let Some(tally) = self.tallies.last_mut() {
            tally.openings += moves.iter().filter(|moved| moved.transition.to == State::Open).count();
        }
        if calls.is_empty() && moves.is_empty() {
            return Ok(());
        }
        self.say(&screen::live(self.begun.elapsed(), &calls, &moves))
    }

    fn end_act(&mut self) -> Result<()> {
        let act = self.tallies.last().cloned().unwrap_or_default();
        self.say(&screen::interval(&act, &screen::total(&self.tallies)))
    }

    fn close(&mut self) -> Result<()> {
        let total = screen::total(&self.tallies);
        self.say(&screen::table(&self.tallies))?;
        self.say(&screen::closing(&total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_numbers_add_up_and_no_client_is_deceived() {
        let mut show = Show::new(anstream::StripStream::new(Vec::new()));
        play(&mut show, Pace::at(100)).await.unwrap();
        show.close().unwrap();

        assert_eq!(show.tallies.len(), ACTS.len());
        for (act, tally) in ACTS.iter().zip(&show.tallies) {
            let told = format!("{}: {tally:?}", act.name);
            assert!((act.calls..=act.calls * acts::MOST).contains(&tally.calls), "{told}");
            assert_eq!(tally.answered + tally.errors, tally.calls, "{told}");
            assert_eq!((tally.untold, tally.disputed), (0, 0), "{told}");
            assert_eq!(tally.availability.good, tally.answered, "{told}");
            let (all, none) = (act.every == 1 && !act.faults.is_empty(), act.faults.is_empty());
            assert!(!all || (tally.bare_failed == act.calls && tally.openings > 0), "{told}");
            assert!(!none || tally.bare_failed == 0, "{told}");
        }
        assert!(show.tallies.iter().map(|tally| tally.continued).sum::<usize>() > 0, "{:?}", show.tallies);

        let text = String::from_utf8(show.out.into_inner()).unwrap();
        let total = screen::total(&show.tallies);
        let row = text.lines().find(|line| line.starts_with("  all")).unwrap();
        let shown: Vec<_> = row.split_whitespace().skip(1).take(2).collect();
        assert_eq!(shown, [total.calls.to_string(), total.answered.to_string()], "{text}");
    }
}

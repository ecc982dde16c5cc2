//! Anything at any time: whatever providers and clients do, nothing is kept that was taken for a call.

use super::script::{Script, events, fails, hangs, head, json, ms};
use super::stage::*;
use llm::{Failure, Outcome, Prefill, Priority, Reach, StreamEnd};
use proptest::prelude::*;
use routing::{Hedge, HedgeAfter, ModelFacts};
use std::sync::Arc;
use tokio::time::{sleep, timeout};

/// One of the things that providers do.
fn script(what: u8, delay: u64) -> Script {
    let begun = || events().after(delay).say([ROLE, HI].concat()).wait(700);
    match what {
        0 => hangs(),
        1 => head(500).after(delay),
        2 => head(429).header("retry-after", "1").after(delay),
        3 => fails(Failure::Unreachable(Reach::Refused)).after(delay),
        4 => begun().cut(),
        5 => begun().hang(),
        6 => begun().say(OVERLOADED),
        7 => events().after(delay),
        8 => json(400, "{}").after(delay),
        9 => good(true).header("x-ratelimit-remaining-requests", "0").header("x-ratelimit-reset-requests", "2s"),
        10 => begun().say([HI, STOP, DONE].concat()).hang(),
        _ => begun().say([HI, STOP, DONE].concat()),
    }
}

/// A client: when it comes, what it matters, and how long it stays.
type Client = (u64, usize, u64);

fn stage(menus: Vec<Vec<(u8, u64)>>, hedged: bool, slots: Option<u32>, prefill: bool) -> Arc<Stage> {
    let mut stage = streamed(menus.iter().map(|_| hangs()));
    for (place, menu) in menus.into_iter().enumerate() {
        stage = stage
            .plays(place, move |n, _| menu.get(n % menu.len()).map_or_else(hangs, |(what, ms)| script(*what, *ms)));
        let prefill = if prefill { Prefill::Plain } else { Prefill::No };
        stage = stage.facts(place, ModelFacts { prefill, ..ModelFacts::default() });
    }
    let stage = stage.gate(|gate| gate.max_concurrency = slots).policy(|policy| {
        policy.hedge = hedged.then_some(Hedge { after: HedgeAfter::Fixed(ms(300)), max_share: 1.0 });
    });
    Arc::new(stage)
}

async fn play(stage: &Arc<Stage>, clients: Vec<Client>) {
    let calls = clients.into_iter().map(|(at, priority, patience)| async move {
        sleep(ms(at)).await;
        let call = stage.call_of(Priority::ALL[priority]);
        let id = call.open.request_id().as_str().to_owned();
        let left = timeout(ms(patience), stage.run(call)).await.is_err();
        (left, stage.record(&id))
    });
    for (left, record) in futures(calls).await {
        // Who leaves with the terminator has it all.
        let cancelled = record.outcome == Outcome::Cancelled;
        assert!(cancelled == left || left && record.stream_end == Some(StreamEnd::Complete), "{left}: {record:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_is_left_behind(
        menus in prop::collection::vec(prop::collection::vec((0u8..16, 0u64..2_000), 1..6), 1..4),
        clients in prop::collection::vec((0u64..20_000, 0usize..3, 0u64..40_000), 1..40),
        hedged: bool,
        slots in prop::option::of(1u32..4),
        prefill: bool,
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let stage = stage(menus, hedged, slots, prefill);
            play(&stage, clients).await;
            stage.idle();
        });
    }
}

//! Metrics as they are scraped: what one call changes, and how many series there can be.

use super::*;
use crate::samples::{attempt, callers, degraded_stream, labels, repaired, routes, targets, unrouted};
use contracts::Check;
use llm::{CheckResult, Checked, Verdict};
use std::collections::HashSet;
use std::time::Duration;

fn metrics() -> Metrics {
    let objectives = vec![Objective { first_token_under: Duration::from_millis(400) }];
    Metrics::new(&routes(), &callers(), &targets(), objectives, "1.2.3").unwrap()
}

/// Samples that are new and not 0, without the prefix; buckets and the process left out.
fn changes(metrics: &Metrics, happens: impl FnOnce(&Metrics)) -> Vec<String> {
    let before = metrics.render();
    let before: HashSet<_> = before.lines().collect();
    happens(metrics);
    let after = metrics.render();
    let news = after.lines().filter(|line| !before.contains(line) && !line.ends_with(" 0"));
    let ours = news.filter_map(|line| line.strip_prefix("breakwater_")).filter(|line| !line.contains("_bucket{"));
    ours.map(str::to_owned).collect()
}

#[test]
fn a_record_changes_exactly_these_lines() {
    let shed = CallRecord {
        route: routes().remove(1),
        outcome: Outcome::Shed,
        status: 503,
        error: Some("overloaded"),
        ..unrouted()
    };
    let unmet = CallRecord {
        stream: true,
        outcome: Outcome::Invalid,
        status: 200,
        error: Some("contract_unmet"),
        degraded: None,
        attempts: vec![attempt(0, Verdict::SemanticFailure, Some("contract_unmet"))],
        checks: vec![Checked { check: "loop", result: CheckResult::Failed }],
        findings: vec!["repetition"],
        first_token: Some(Duration::from_millis(100)),
        stream_end: Some(StreamEnd::Unmet),
        ..repaired()
    };
    let cancelled = CallRecord {
        stream: true,
        outcome: Outcome::Cancelled,
        attempts: vec![attempt(2, Verdict::Neutral, None), attempt(3, Verdict::Neutral, Some("new"))],
        duration: Duration::from_secs(3),
        stream_end: Some(StreamEnd::Cancelled),
        ..shed.clone()
    };
    for (record, expected) in [
        (
            degraded_stream(),
            &[
                r#"attempts_total{target="a/m1",verdict="rate_limited"} 1"#,
                r#"attempts_total{target="b/m2",verdict="success"} 1"#,
                r#"first_token_seconds_sum{route="chat"} 0.46"#,
                r#"first_token_seconds_count{route="chat"} 1"#,
                r#"overhead_seconds_sum{route="chat"} 0.000085"#,
                r#"overhead_seconds_count{route="chat"} 1"#,
                r#"request_duration_seconds_sum{route="chat"} 1.5"#,
                r#"request_duration_seconds_count{route="chat"} 1"#,
                r#"requests_total{caller="app",dialect="openai_chat",outcome="degraded",route="chat",stream="true"} 1"#,
                r#"retries_total{reason="rate_limited",route="chat"} 1"#,
                r#"slo_good_total{route="chat",sli="availability"} 1"#,
                r#"slo_valid_total{route="chat",sli="availability"} 1"#,
                r#"slo_valid_total{route="chat",sli="first_token"} 1"#,
                r#"stream_end_total{reason="complete"} 1"#,
                r#"token_gap_seconds_sum{route="chat"} 50.05"#,
                r#"token_gap_seconds_count{route="chat"} 3"#,
                r#"tokens_total{direction="cached",target="b/m2"} 5"#,
                r#"tokens_total{direction="input",target="b/m2"} 12"#,
                r#"tokens_total{direction="output",target="b/m2"} 34"#,
                r#"tokens_total{direction="reasoning",target="b/m2"} 8"#,
            ][..],
        ),
        (
            repaired(),
            &[
                r#"attempts_total{target="a/m1",verdict="semantic_failure"} 1"#,
                r#"attempts_total{target="a/m1",verdict="success"} 1"#,
                r#"contract_checks_total{check="complete",result="passed",route="chat"} 1"#,
                r#"contract_checks_total{check="max_chars",result="flagged",route="chat"} 1"#,
                r#"contract_checks_total{check="schema",result="repaired",route="chat"} 1"#,
                r#"overhead_seconds_sum{route="chat"} 0.000042"#,
                r#"overhead_seconds_count{route="chat"} 1"#,
                r#"request_duration_seconds_sum{route="chat"} 0.9"#,
                r#"request_duration_seconds_count{route="chat"} 1"#,
                r#"requests_total{caller="anonymous",dialect="openai_chat",outcome="degraded",route="chat",stream="false"} 1"#,
                r#"retries_total{reason="reask",route="chat"} 1"#,
                r#"slo_good_total{route="chat",sli="availability"} 1"#,
                r#"slo_valid_total{route="chat",sli="availability"} 1"#,
            ],
        ),
        (
            unmet,
            &[
                r#"attempts_total{target="a/m1",verdict="semantic_failure"} 1"#,
                r#"contract_checks_total{check="loop",result="failed",route="chat"} 1"#,
                r#"first_token_seconds_sum{route="chat"} 0.1"#,
                r#"first_token_seconds_count{route="chat"} 1"#,
                r#"overhead_seconds_sum{route="chat"} 0.000042"#,
                r#"overhead_seconds_count{route="chat"} 1"#,
                r#"request_duration_seconds_sum{route="chat"} 0.9"#,
                r#"request_duration_seconds_count{route="chat"} 1"#,
                r#"requests_total{caller="anonymous",dialect="openai_chat",outcome="invalid",route="chat",stream="true"} 1"#,
                r#"slo_good_total{route="chat",sli="first_token"} 1"#,
                r#"slo_valid_total{route="chat",sli="availability"} 1"#,
                r#"slo_valid_total{route="chat",sli="first_token"} 1"#,
                r#"stream_end_total{reason="contract_unmet"} 1"#,
            ],
        ),
        (
            unrouted(),
            &[
                r#"overhead_seconds_sum{route="none"} 0.000042"#,
                r#"overhead_seconds_count{route="none"} 1"#,
                r#"request_duration_seconds_sum{route="none"} 0.000042"#,
                r#"request_duration_seconds_count{route="none"} 1"#,
                r#"requests_total{caller="anonymous",dialect="openai_chat",outcome="client_error",route="none",stream="false"} 1"#,
            ],
        ),
        (
            shed,
            &[
                r#"overhead_seconds_sum{route="direct"} 0.000042"#,
                r#"overhead_seconds_count{route="direct"} 1"#,
                r#"request_duration_seconds_sum{route="direct"} 0.000042"#,
                r#"request_duration_seconds_count{route="direct"} 1"#,
                r#"requests_total{caller="anonymous",dialect="openai_chat",outcome="shed",route="direct",stream="false"} 1"#,
                r#"shed_total{priority="normal",reason="overloaded"} 1"#,
                r#"slo_valid_total{route="direct",sli="availability"} 1"#,
            ],
        ),
        (
            cancelled,
            &[
                r#"attempts_total{target="a/other",verdict="neutral"} 1"#,
                r#"attempts_total{target="b/other",verdict="neutral"} 1"#,
                r#"overhead_seconds_sum{route="direct"} 0.000042"#,
                r#"overhead_seconds_count{route="direct"} 1"#,
                r#"request_duration_seconds_sum{route="direct"} 3"#,
                r#"request_duration_seconds_count{route="direct"} 1"#,
                r#"requests_total{caller="anonymous",dialect="openai_chat",outcome="cancelled",route="direct",stream="true"} 1"#,
                r#"retries_total{reason="other",route="direct"} 1"#,
                r#"slo_valid_total{route="direct",sli="first_token"} 1"#,
                r#"stream_end_total{reason="cancelled"} 1"#,
            ],
        ),
    ] {
        assert_eq!(changes(&metrics(), |metrics| metrics.record(&record)), expected, "{:?}", record.outcome);
    }
}

#[test]
fn calls_in_flight_rise_and_fall() {
    let metrics = metrics();
    let chat = &routes()[0];
    let risen = changes(&metrics, |metrics| {
        metrics.opened(chat);
        metrics.opened(chat);
        metrics.released(chat);
    });
    assert_eq!(risen, [r#"inflight{route="chat"} 1"#]);
}

#[test]
fn pauses_are_cumulative_buckets() {
    let metrics = metrics();
    metrics.record(&degraded_stream());
    metrics.record(&degraded_stream());
    let text = metrics.render();
    for (bound, count) in [("0.01", 0), ("0.02", 2), ("0.04", 4), ("40.96", 4), ("+Inf", 6)] {
        let line = format!("breakwater_token_gap_seconds_bucket{{route=\"chat\",le=\"{bound}\"}} {count}\n");
        assert!(text.contains(&line), "{line}");
    }
}

#[test]
fn dropped_log_lines_and_the_process_are_exported() {
    let metrics = metrics();
    let log = LogSink::new(std::io::sink()).unwrap();
    log.append(&vec![0; 2 << 20]);
    metrics.watch(&log).unwrap();
    let text = metrics.render();
    assert!(text.contains("breakwater_log_dropped_total 1\n"));
    assert!(text.contains("breakwater_build_info{version=\"1.2.3\"} 1\n"));
    #[cfg(target_os = "linux")]
    for name in ["resident_memory_bytes", "cpu_seconds_total", "open_fds", "start_time_seconds"] {
        let value = text.lines().find_map(|line| line.strip_prefix("process_")?.strip_prefix(name)).unwrap();
        assert!(value.trim().parse::<f64>().unwrap() >= 0.0, "{name}{value}");
    }
}

#[test]
fn series_are_bounded_by_the_configuration() {
    let named = |kind: &str, count: usize| {
        let names: Vec<_> = (0..count).map(|number| format!("{kind}{number}")).collect();
        labels(&names.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (routes, callers, targets) = (named("r", 20), named("c", 10), named("t", 50));
    let metrics = Metrics::new(&routes, &callers, &targets, Vec::new(), "1").unwrap();
    let ours = |text: String| text.lines().filter(|line| line.starts_with("breakwater_")).count();
    assert_eq!(ours(metrics.render()), 74 * 20 + 11 * 50 + 15);
    for (route, caller) in routes.iter().flat_map(|route| callers.iter().map(move |caller| (route, caller))) {
        metrics.record(&CallRecord { route: route.clone(), caller: caller.clone(), ..degraded_stream() });
    }
    assert_eq!(ours(metrics.render()), 74 * 20 + 11 * 50 + 15 + 18 * 20 * 10 + 20);
    let named = |check: &Check| Checked { check: check.as_str(), result: CheckResult::Passed };
    let unknown = Checked { check: "astrology", result: CheckResult::Passed };
    let checks: Vec<_> = Check::ALL.iter().map(named).chain([unknown]).collect();
    for route in &routes {
        metrics.record(&CallRecord { route: route.clone(), checks: checks.clone(), ..repaired() });
    }
    // And 20 for the reask in the sample.
    assert_eq!(ours(metrics.render()), 74 * 20 + 11 * 50 + 15 + 18 * 20 * 10 + 20 + 20 + 70 * 20);
}

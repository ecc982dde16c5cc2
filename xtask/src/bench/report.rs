//! Rounds to a table, and the table to a verdict. Medians, because one disturbed round must not decide.

use super::driver::Answer;
use super::workload::Workload;
use std::fmt;

/// The most the gateway may hold before its first call, in bytes.
const IDLE_LIMIT: u64 = 20_000_000;

/// CPU microseconds per call, measured one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) gateway: f64,
    pub(super) nginx: Option<f64>,
}

/// One workload's rounds.
pub(super) struct Row {
    pub(super) workload: Workload,
    pub(super) calls: usize,
    pub(super) request: usize,
    pub(super) answer: Answer,
    pub(super) rounds: Vec<Round>,
}

/// Everything measured.
pub(super) struct Report {
    /// Resident bytes before the first call.
    pub(super) idle: u64,
    pub(super) rows: Vec<Row>,
}

impl Report {
    /// Each limit that does not hold, in words.
    pub(super) fn broken(&self) -> Vec<String> {
        let idle = (self.idle > IDLE_LIMIT).then(|| format!("idle memory {} MB", megabytes(self.idle)));
        let rows = self.rows.iter().filter_map(|row| {
            let (ratio, ..) = row.ratio()?;
            (ratio > row.workload.limit)
                .then(|| format!("{} costs {ratio:.2} of nginx, limit {:.2}", row.workload.model, row.workload.limit))
        });
        idle.into_iter().chain(rows).collect()
    }
}

impl Row {
    /// Median, least and most of the rounds' ratios.
    fn ratio(&self) -> Option<(f64, f64, f64)> {
        let mut ratios: Vec<f64> = self.rounds.iter().filter_map(|round| Some(round.gateway / round.nginx?)).collect();
        ratios.sort_by(f64::total_cmp);
        Some((median(ratios.clone())?, *ratios.first()?, *ratios.last()?))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "idle memory of the gateway: {} MB (limit {} MB)", megabytes(self.idle), megabytes(IDLE_LIMIT))?;
        if self.rows.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "CPU time per call, gateway and nginx in turn on one core; medians, ratio with its spread over the rounds"
        )?;
        writeln!(f, "{:<9}{:>14}{:>14}{:>8}{:>14}{:>8}", "workload", "gateway", "nginx", "ratio", "spread", "limit")?;
        self.rows.iter().try_for_each(|row| write!(f, "{row}"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gateway = median(self.rounds.iter().map(|round| round.gateway).collect());
        let nginx = median(self.rounds.iter().filter_map(|round| round.nginx).collect());
        let (ratio, spread) = self.ratio().map_or(("-".into(), "-".into()), |(median, least, most)| {
            (format!("{median:.2}"), format!("{least:.2}-{most:.2}"))
        });
        let Workload { model, limit, .. } = self.workload;
        let [per_call, per_call_nginx] = [gateway, nginx].map(|cost| microseconds(cost, 1));
        writeln!(f, "{model:<9}{per_call:>14}{per_call_nginx:>14}{ratio:>8}{spread:>14}{limit:>8.2}")?;
        let events = self.answer.events;
        if events > 0 {
            let [per_event, per_event_nginx] = [gateway, nginx].map(|cost| microseconds(cost, events));
            writeln!(f, "{:<9}{per_event:>14}{per_event_nginx:>14}", "  event")?;
        }
        let (rounds, calls, sent, came) = (self.rounds.len(), self.calls, self.request, self.answer.bytes);
        writeln!(
            f,
            "  {rounds} rounds of {calls} calls, {} at once; {sent} B asked, {came} B answered",
            self.workload.at_once
        )
    }
}

fn microseconds(cost: Option<f64>, parts: usize) -> String {
    cost.map_or("-".into(), |cost| format!("{:.1} us", cost / parts as f64))
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, IDLE_LIMIT, Report, Round, Row, Workload, median};

    fn row(rounds: &[(f64, Option<f64>)]) -> Row {
        Row {
            workload: Workload::UNARY,
            calls: 1,
            request: 1,
            answer: Answer { bytes: 1, events: 0 },
            rounds: rounds.iter().map(|(gateway, nginx)| Round { gateway: *gateway, nginx: *nginx }).collect(),
        }
    }

    #[test]
    fn limits_hold_or_break_by_the_median() {
        for (rounds, broken) in [
            (vec![(18.5, Some(10.0))], 0),
            (vec![(18.6, Some(10.0))], 1),
            (vec![(90.0, Some(10.0)), (15.0, Some(10.0)), (15.0, Some(10.0))], 0),
            (vec![(99.0, None)], 0),
        ] {
            assert_eq!(Report { idle: 0, rows: vec![row(&rounds)] }.broken().len(), broken, "{rounds:?}");
        }
        assert_eq!(Report { idle: IDLE_LIMIT + 1, rows: vec![] }.broken().len(), 1);
    }

    #[test]
    fn medians() {
        for (values, expected) in [(vec![], None), (vec![3.0, 1.0, 2.0], Some(2.0)), (vec![4.0, 1.0], Some(2.5))] {
            assert_eq!(median(values.clone()), expected, "{values:?}");
        }
    }
}

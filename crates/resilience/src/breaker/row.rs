//! Hard failures in a row: which calls are part of it, and what a success does to it.
//!
//! Must never be here: how long a row is too long.

/// The hard failures since the last success. Each success begins the next row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    failures: u32,
    number: u64,
}

/// One call's part in the row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seat {
    /// The row that its silence was counted in.
    silent: Option<u64>,
    /// The row that its success began, and how long the one before it was.
    began: Option<(u64, u32)>,
}

impl Seat {
    /// Whether the call was silent for too long before it was answered.
    pub(super) fn was_silent(self) -> bool {
        self.silent.is_some()
    }
}

impl Row {
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// A call began to answer: the row ends here.
    pub(super) fn success(&mut self, seat: &mut Seat) {
        let before = self.failures;
        self.clear();
        *seat = Seat { silent: None, began: Some((self.number, before)) };
    }

    /// A call failed. A success it was counted as is taken back, a silence it was counted for is not counted twice.
    pub(super) fn failure(&mut self, seat: Seat) {
        let before = seat.began.filter(|(row, _)| *row == self.number).map_or(0, |(_, before)| before);
        let counted = seat.silent == Some(self.number);
        self.failures = self.failures.saturating_add(before).saturating_add(u32::from(!counted));
    }

    /// A call has been silent for too long: it counts as failed until it answers. `false` where it already did.
    pub(super) fn silence(&mut self, seat: &mut Seat) -> bool {
        if seat.silent.is_some() {
            return false;
        }
        seat.silent = Some(self.number);
        self.failures = self.failures.saturating_add(1);
        true
    }

    /// A call was answered, if badly: its silence no longer counts.
    pub(super) fn answered(&mut self, seat: Seat) {
        if seat.silent == Some(self.number) {
            self.failures = self.failures.saturating_sub(1);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self { failures: 0, number: self.number.wrapping_add(1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_ends_the_row_unless_it_is_taken_back() {
        let mut row = Row::default();
        row.failure(Seat::default());
        row.failure(Seat::default());
        let mut seat = Seat::default();
        row.success(&mut seat);
        assert_eq!(row.failures(), 0);
        row.failure(seat);
        assert_eq!(row.failures(), 3, "as though it had never begun");
        let (mut first, mut second) = (Seat::default(), Seat::default());
        row.success(&mut first);
        row.success(&mut second);
        row.failure(first);
        assert_eq!(row.failures(), 1, "another success stands between");
    }

    #[test]
    fn silence_counts_once_and_until_an_answer() {
        let mut row = Row::default();
        let mut seat = Seat::default();
        assert!(row.silence(&mut seat));
        assert!(!row.silence(&mut seat));
        assert_eq!(row.failures(), 1);
        let mut failed = row;
        failed.failure(seat);
        assert_eq!(failed.failures(), 1, "its failure is the same failure");
        let mut answered = row;
        answered.answered(seat);
        assert_eq!(answered.failures(), 0);
        row.success(&mut Seat::default());
        row.failure(seat);
        assert_eq!(row.failures(), 1, "a failure after another's success is news");
        row.answered(Seat::default());
        assert_eq!(row.failures(), 1);
    }
}

//! What goes wrong, and when: drawn by seed, or written in a script.

mod dice;
mod latency;
mod script;

use std::time::Duration;

use dynasink_core::WriteUnits;

pub(crate) use dice::{Dice, Stream};
pub use latency::Latency;
pub use script::ParseError;

/// What becomes of one request that writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// HTTP 500, `InternalServerError`. Nothing is applied.
    Internal,
    /// HTTP 503, `ServiceUnavailable`. Nothing is applied.
    Unavailable,
    /// HTTP 503, with a page of HTML as load balancers send it. Nothing is applied.
    Gateway,
    /// Some operations of the request fail inside the service, and are left unprocessed.
    Partial,
    /// The connection cannot be made.
    Refused,
    /// The connection breaks before the request is looked at.
    Reset,
    /// The request is applied, and the connection breaks before the answer is sent.
    Lost,
    /// The request is not applied, and no answer ever comes.
    Hang,
    /// The request is applied, and no answer ever comes.
    Silent,
    /// No answer ever comes, and the request is applied that much later, when its client has long given up.
    Zombie(Duration),
    /// The request is applied, and the body of the answer comes that much later than its head.
    Slow(Duration),
    /// The request is applied, and the answer breaks off in the middle of its body.
    Truncated,
    /// The request is applied, and the answer is HTTP 200 with `{}` in it.
    Empty,
    /// The request is applied, and the answer is HTTP 200 with something in it that is no JSON.
    Garbage,
    /// HTTP 400, `ExpiredTokenException`. Nothing is applied.
    Expired,
    /// HTTP 400, `AccessDeniedException`. Nothing is applied.
    Denied,
}

/// What changes at the service while a load runs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The table of that name has that much provisioned write capacity from then on; or its index, if the name is
    /// `TABLE/INDEX`.
    Capacity(String, WriteUnits),
    /// The table of that name is being updated from then on: it takes writes, and says so when described.
    Updating(String),
    /// Requests take that long from then on.
    Latency(Latency),
    /// The table of that name is deleted.
    DeleteTable(String),
}

/// Which requests have a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    /// That share of them, drawn by seed.
    Share(f64),
    /// The ones from the first number to the last.
    Requests(u64, u64),
    /// Those that arrive in that time since the start.
    Between(Duration, Duration),
}

/// Faults drawn by seed and faults by script. Where several would have a request, one by number or by time goes before
/// one by share, and of those the first that was added.
///
/// ```
/// use std::time::Duration;
///
/// use dynasink_core::WriteUnits;
/// use dynasink_sim::{Change, Fault, Faults};
///
/// let built = Faults::none()
///     .share(Fault::Lost, 0.005)
///     .requests(3..=3, Fault::Internal)
///     .between(Duration::from_secs(30)..Duration::from_secs(40), Fault::Hang)
///     .change(Duration::from_secs(120), Change::Capacity("orders".into(), WriteUnits::new(500)));
/// let parsed: Faults = "lost=0.5%, internal@3, hang@30s..40s, capacity:orders=500@120s".parse()?;
/// assert_eq!(parsed, built);
/// # Ok::<(), dynasink_sim::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Faults {
    rules: Vec<(When, Fault)>,
    changes: Vec<(Duration, Change)>,
}

impl Faults {
    /// No faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// That share of requests, from 0 to 1, has `fault`.
    pub fn share(mut self, fault: Fault, share: f64) -> Self {
        self.rules.push((When::Share(share), fault));
        self
    }

    /// The requests of those numbers have `fault`. The first request that writes has number 1.
    pub fn requests(mut self, numbers: std::ops::RangeInclusive<u64>, fault: Fault) -> Self {
        self.rules
            .push((When::Requests(*numbers.start(), *numbers.end()), fault));
        self
    }

    /// Requests that arrive in that time since the start have `fault`.
    pub fn between(mut self, time: std::ops::Range<Duration>, fault: Fault) -> Self {
        self.rules
            .push((When::Between(time.start, time.end), fault));
        self
    }

    /// `change` happens at that time since the start.
    pub fn change(mut self, at: Duration, change: Change) -> Self {
        self.changes.push((at, change));
        self.changes.sort_by_key(|(at, _)| *at);
        self
    }

    /// The fault that the request of that number, which arrives at `now`, has.
    pub(crate) fn draw(&self, dice: Dice, number: u64, now: Duration) -> Option<Fault> {
        let by_script = self.rules.iter().find(|(when, _)| match *when {
            When::Requests(first, last) => (first..=last).contains(&number),
            When::Between(start, end) => (start..end).contains(&now),
            When::Share(_) => false,
        });
        // One draw decides among all shares, so that they add up.
        let mut drawn = dice.roll(Stream::Fault, number).f64();
        let by_share = self.rules.iter().find(|(when, _)| match *when {
            When::Share(share) => {
                drawn -= share;
                drawn < 0.0
            }
            _ => false,
        });
        by_script.or(by_share).map(|(_, fault)| *fault)
    }

    /// The changes that happen up to `now`, of which the first `done` are done.
    pub(crate) fn changes_due(&self, now: Duration, done: usize) -> &[(Duration, Change)] {
        let due = self.changes.partition_point(|(at, _)| *at <= now);
        self.changes.get(done..due).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(faults: &Faults, numbers: std::ops::Range<u64>) -> Vec<Option<Fault>> {
        let dice = Dice::new(7);
        numbers
            .map(|number| faults.draw(dice, number, Duration::ZERO))
            .collect()
    }

    #[test]
    fn shares_are_kept_and_add_up() {
        let faults = Faults::none()
            .share(Fault::Lost, 0.1)
            .share(Fault::Internal, 0.2);
        let drawn = drawn(&faults, 0..20_000);
        let count = |fault| drawn.iter().filter(|drawn| **drawn == Some(fault)).count();
        assert!(
            (1_800..2_200).contains(&count(Fault::Lost)),
            "{}",
            count(Fault::Lost)
        );
        assert!(
            (3_700..4_300).contains(&count(Fault::Internal)),
            "{}",
            count(Fault::Internal)
        );
    }

    #[test]
    fn another_fault_does_not_move_those_of_the_first() {
        let alone = drawn(&Faults::none().share(Fault::Lost, 0.1), 0..1_000);
        let both = Faults::none()
            .share(Fault::Lost, 0.1)
            .share(Fault::Reset, 0.5);
        let both = drawn(&both, 0..1_000);
        for (alone, both) in alone.iter().zip(both) {
            assert!(alone.is_none() || *alone == both);
        }
    }

    #[test]
    fn a_script_names_requests_and_times() {
        let faults = Faults::none()
            .share(Fault::Lost, 1.0)
            .requests(3..=4, Fault::Internal)
            .between(
                Duration::from_secs(5)..Duration::from_secs(6),
                Fault::Refused,
            );
        let dice = Dice::new(0);
        let at = |number, seconds| faults.draw(dice, number, Duration::from_secs(seconds));
        assert_eq!(at(1, 0), Some(Fault::Lost));
        assert_eq!(at(3, 0), Some(Fault::Internal));
        assert_eq!(at(4, 5), Some(Fault::Internal));
        assert_eq!(at(5, 5), Some(Fault::Refused));
        assert_eq!(at(5, 6), Some(Fault::Lost));
    }

    #[test]
    fn changes_are_due_once_and_in_order() {
        let seconds = Duration::from_secs;
        let delete = Change::DeleteTable("orders".into());
        let less = Change::Capacity("orders".into(), WriteUnits::new(5));
        let faults = Faults::none()
            .change(seconds(9), delete)
            .change(seconds(3), less.clone());
        assert_eq!(faults.changes_due(seconds(2), 0), []);
        assert_eq!(faults.changes_due(seconds(3), 0), [(seconds(3), less)]);
        assert_eq!(faults.changes_due(seconds(8), 1), []);
        assert_eq!(faults.changes_due(seconds(10), 1).len(), 1);
        assert_eq!(faults.changes_due(seconds(10), 2), []);
    }
}

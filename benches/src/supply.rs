//! What a taker of units gives over time to a client that knows all.

/// Units that a table, an index or a partition can give: what is saved up at the start, and then a rate. Other clients
/// come first.
///
/// The rate is constant between steps. Times are seconds since the start.
#[derive(Clone, Debug)]
pub(crate) struct Supply {
    /// Given at once, or owed at the end.
    at_once: f64,
    /// Units per second from a time on, in the order of time, the first at zero.
    steps: Vec<(f64, f64)>,
}

impl Supply {
    /// So much at once, and `rate` units per second.
    pub(crate) fn new(at_once: f64, rate: f64) -> Self {
        Self {
            at_once,
            steps: vec![(0.0, rate)],
        }
    }

    /// The rate is another from that time on, which is after all that were said before.
    pub(crate) fn step(&mut self, at: f64, rate: f64) {
        self.steps.push((at, rate));
    }

    /// Units that can be had until then.
    pub(crate) fn given(&self, until: f64) -> f64 {
        let mut given = self.at_once;
        for (nth, (from, rate)) in self.steps.iter().enumerate() {
            let to = self.steps.get(nth + 1).map_or(until, |(next, _)| *next);
            given += rate.max(0.0) * (to.min(until) - from).max(0.0);
        }
        given
    }

    /// When so many units have been given: infinite if never.
    pub(crate) fn time_of(&self, units: f64) -> f64 {
        let mut left = units - self.at_once;
        if left <= 0.0 {
            return 0.0;
        }
        for (nth, (from, rate)) in self.steps.iter().enumerate() {
            let rate = rate.max(0.0);
            let next = self.steps.get(nth + 1).map_or(f64::INFINITY, |(at, _)| *at);
            let until = from + left / rate;
            if until <= next {
                return until;
            }
            left -= rate * (next - from);
        }
        f64::INFINITY
    }

    /// The rate at that time.
    pub(crate) fn rate(&self, at: f64) -> f64 {
        let step = self.steps.iter().rev().find(|(from, _)| *from <= at);
        step.map_or(0.0, |(_, rate)| *rate)
    }

    /// The same without what others take: so many units per second from each of these times on, the first at zero.
    pub(crate) fn without(&self, taken: &[(f64, f64)]) -> Self {
        let mut times: Vec<f64> = self.steps.iter().chain(taken).map(|(at, _)| *at).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        let taken_at = |at: f64| {
            let step = taken.iter().rev().find(|(from, _)| *from <= at);
            step.map_or(0.0, |(_, rate)| *rate)
        };
        let steps = times
            .into_iter()
            .map(|at| (at, (self.rate(at) - taken_at(at)).max(0.0)));
        Self {
            at_once: self.at_once,
            steps: steps.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_units_are_two_sides_of_one_supply() {
        let mut supply = Supply::new(100.0, 10.0);
        supply.step(20.0, 5.0);
        supply.step(40.0, 0.0);
        supply.step(50.0, 20.0);
        for (units, time) in [
            (50.0, 0.0),
            (100.0, 0.0),
            (250.0, 15.0),
            (400.0, 40.0),
            (420.0, 51.0),
        ] {
            assert!((supply.time_of(units) - time).abs() < 1e-9, "{units}");
        }
        assert!((supply.given(51.0) - 420.0).abs() < 1e-9);
        assert!((supply.given(15.0) - 250.0).abs() < 1e-9);
    }

    #[test]
    fn what_never_comes_takes_forever() {
        let mut supply = Supply::new(0.0, 10.0);
        supply.step(10.0, 0.0);
        assert!((supply.time_of(100.0) - 10.0).abs() < 1e-9);
        assert!(supply.time_of(101.0).is_infinite());
    }

    #[test]
    fn others_come_first() {
        let supply = Supply::new(0.0, 10.0).without(&[(0.0, 0.0), (10.0, 5.0), (20.0, 0.0)]);
        assert!((supply.given(20.0) - 150.0).abs() < 1e-9);
        assert!((supply.time_of(160.0) - 21.0).abs() < 1e-9);
        assert!((supply.rate(10.0) - 5.0).abs() < 1e-9);
    }
}

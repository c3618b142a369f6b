//! What predicted units come to in those that the service charges.

/// Weight of what was before against each newest answer: some twenty answers make the price.
const MEMORY: f64 = 0.95;

/// Predicted units that count as charged as predicted before the first answer: a request of the smallest items.
const PRIOR: f64 = 25.0;

/// The price of predicted units, learnt from what the service says it consumed, and what was charged at it.
///
/// Overwrites cost the larger of two items, an index holds a part of the attributes, and neither can be told from the
/// operation. An operation is charged at the price of the moment, and settled at what it was charged: while the price
/// moves, the units that are under way are remembered with their charge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Price {
    predicted: f64,
    consumed: f64,
    least: f64,
    /// Whether an answer has told something.
    learnt: bool,
    under_way: f64,
    charged: f64,
}

impl Price {
    /// The price of a table's own units: never below one, since an item costs at least its own size.
    ///
    /// Source: *Capacity unit consumption for write operations*.
    pub(super) fn of_table() -> Self {
        Self {
            predicted: PRIOR,
            consumed: PRIOR,
            least: 1.0,
            learnt: false,
            under_way: 0.0,
            charged: 0.0,
        }
    }

    /// The price of an index's units, which may hold little of an item, or nothing that has changed.
    pub(super) fn of_index() -> Self {
        Self {
            least: 0.0,
            ..Self::of_table()
        }
    }

    /// What `predicted` units would be charged now.
    pub(super) fn of(&self, predicted: f64) -> f64 {
        predicted * (self.consumed / self.predicted).max(self.least)
    }

    /// Whether it is only a guess, which may be far too high, and nobody is under way to find out.
    pub(super) fn is_to_be_tried(&self) -> bool {
        self.least <= 0.0 && !self.learnt && self.under_way <= 0.0
    }

    /// Charges `predicted` units, and says what for them.
    pub(super) fn charge(&mut self, predicted: f64) -> f64 {
        let charge = self.of(predicted);
        self.under_way += predicted;
        self.charged += charge;
        charge
    }

    /// What had been charged for `predicted` units, whose answer has come.
    pub(super) fn settle(&mut self, predicted: f64) -> f64 {
        let known = predicted.min(self.under_way);
        let mut charged = self.of(predicted - known);
        if known > 0.0 {
            let share = self.charged * known / self.under_way;
            charged += share;
            self.under_way -= known;
            self.charged -= share;
        }
        charged
    }

    /// Forgets what was charged for one of so many requests, whose answer will never come.
    pub(super) fn write_off_one_of(&mut self, requests: usize) {
        let left = 1.0 - 1.0 / requests.max(1) as f64;
        self.under_way *= left;
        self.charged *= left;
    }

    /// Learns what `predicted` units have consumed.
    pub(super) fn learn(&mut self, predicted: f64, consumed: f64) {
        if predicted > 0.0 {
            self.learnt = true;
            self.predicted = self.predicted * MEMORY + predicted;
            self.consumed = self.consumed * MEMORY + consumed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(units: f64, expected: f64) {
        assert!(
            (units - expected).abs() < expected * 0.05 + 1e-9,
            "{units} for {expected}"
        );
    }

    #[test]
    fn it_follows_what_the_service_charges() {
        let mut price = Price::of_index();
        about(price.of(10.0), 10.0);
        for consumed in [0.25, 3.0] {
            for _ in 0..100 {
                price.learn(25.0, 25.0 * consumed);
            }
            about(price.of(10.0), 10.0 * consumed);
        }
    }

    #[test]
    fn units_of_a_table_are_never_cheaper_than_predicted() {
        let mut price = Price::of_table();
        (0..100).for_each(|_| price.learn(25.0, 1.0));
        about(price.of(10.0), 10.0);
    }

    #[test]
    fn what_is_settled_is_what_was_charged_though_the_price_has_moved() {
        let mut price = Price::of_table();
        let mut charged = 0.0;
        let mut settled = 0.0;
        for _ in 0..8 {
            charged += price.charge(25.0);
        }
        for _ in 0..200 {
            charged += price.charge(25.0);
            settled += price.settle(25.0);
            price.learn(25.0, 250.0);
        }
        for _ in 0..8 {
            settled += price.settle(25.0);
        }
        let gap = (charged - settled).abs();
        assert!(gap < charged * 0.02, "{charged} charged, {settled} settled");
    }

    #[test]
    fn what_was_charged_for_lost_requests_is_not_settled_later() {
        let mut price = Price::of_table();
        for _ in 0..8 {
            price.charge(25.0);
        }
        for requests in (1..=8).rev() {
            price.write_off_one_of(requests);
        }
        for _ in 0..200 {
            price.learn(25.0, 250.0);
        }
        about(price.settle(25.0), 250.0);
    }

    /// Two dozen requests under way for long, and then the price moves.
    #[test]
    fn what_is_settled_is_what_was_charged_after_a_long_load_too() {
        let mut price = Price::of_table();
        let (mut charged, mut settled) = (0.0, 0.0);
        for _ in 0..24 {
            charged += price.charge(25.0);
        }
        for answer in 0..2_000 {
            charged += price.charge(25.0);
            settled += price.settle(25.0);
            price.learn(25.0, if answer < 1_000 { 25.0 } else { 250.0 });
        }
        for _ in 0..24 {
            settled += price.settle(25.0);
        }
        let gap: f64 = charged - settled;
        assert!(
            gap.abs() < 500.0,
            "{gap} units of {charged} are settled that were not charged"
        );
    }
}

//! How fast to write.

use std::time::Duration;

use dynasink_core::{BillingMode, IndexKind, IndexSchema, TableSchema, WriteUnits};
use dynasink_sink::{AutoRate, RateLaw, RateLimiter, YieldingRate};

use crate::error::{Error, Result};

/// How fast to write, in write capacity units per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rate {
    /// Find out what the table and each of its global indexes can take, and follow it: see [`AutoRate`].
    #[default]
    Auto,
    /// That many units of the table per second. Its global indexes are held to what they are found to take.
    Fixed(WriteUnits),
    /// That percentage of the capacity that the table's description names, and of that of each global index.
    Percent(f64),
}

impl Rate {
    /// The limiter of that rate for `table`.
    ///
    /// # Errors
    ///
    /// As [`RateOptions::limiter`].
    pub fn limiter(self, table: &TableSchema) -> Result<RateLimiter> {
        RateOptions::from(self).limiter(table)
    }
}

/// A [`Rate`], and how it is kept.
///
/// ```
/// use dynasink::{Rate, RateOptions};
///
/// // All that the table can take but a fifth, and less while others need it.
/// let considerate = RateOptions::from(Rate::Auto).headroom(20.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct RateOptions {
    rate: Rate,
    headroom: Option<f64>,
    burst: Option<Duration>,
}

impl From<Rate> for RateOptions {
    fn from(rate: Rate) -> Self {
        Self {
            rate,
            headroom: None,
            burst: None,
        }
    }
}

impl RateOptions {
    /// Leaves that percentage of the capacity, 0 to 100, to whoever else writes, and gives way when they need more: see
    /// [`YieldingRate`]. A rate that is a number or a percentage stays the most.
    pub fn headroom(mut self, percent: f64) -> Self {
        self.headroom = Some(percent);
        self
    }

    /// How much of a second's units passes at once: see [`RateLimiter::with_burst`].
    pub fn burst(mut self, burst: Duration) -> Self {
        self.burst = Some(burst);
        self
    }

    /// The limiter of that rate for `table`.
    ///
    /// # Errors
    ///
    /// [`Error::NoCapacityToShare`] for a percentage of the capacity of an on-demand table without a maximum.
    pub fn limiter(self, table: &TableSchema) -> Result<RateLimiter> {
        let mut limiter = RateLimiter::by(self.law_of_the_table(table)?);
        let global = table.indexes().iter();
        for index in global.filter(|index| index.kind() == IndexKind::Global) {
            if let Some(law) = self.law_of_an_index(index, table) {
                limiter = limiter.with_index(table.name(), index.name(), law);
            }
        }
        Ok(match self.burst {
            Some(burst) => limiter.with_burst(burst),
            None => limiter,
        })
    }

    /// Has `limiter`, which one of these has made for `table`, go on at this rate. What it has learnt of the capacity is kept,
    /// and a rate that was set is forgotten. The burst stays as it is.
    ///
    /// # Errors
    ///
    /// As [`limiter`](Self::limiter); then nothing has changed.
    pub fn change(self, limiter: &RateLimiter, table: &TableSchema) -> Result<()> {
        limiter.change_law(self.law_of_the_table(table)?);
        let global = table.indexes().iter();
        for index in global.filter(|index| index.kind() == IndexKind::Global) {
            // Without a law it has no limit until it refuses.
            let law = self.law_of_an_index(index, table);
            let law = law.unwrap_or_else(|| AutoRate::open().into());
            limiter.change_index_law(table.name(), index.name(), law);
        }
        Ok(())
    }

    /// The same options with another rate.
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    fn law_of_the_table(self, table: &TableSchema) -> Result<RateLaw> {
        let capacity = table.billing_mode().write_capacity();
        let rate = match self.rate {
            Rate::Auto => None,
            Rate::Fixed(rate) => Some(rate),
            Rate::Percent(percent) => {
                let capacity = capacity.ok_or_else(|| Error::NoCapacityToShare {
                    table: table.name().clone(),
                    percent,
                })?;
                Some(share(capacity, percent))
            }
        };
        let start = match table.billing_mode() {
            BillingMode::Provisioned { write } => Some(write),
            BillingMode::OnDemand { max_write } => {
                let starts = [table.warm_throughput(), max_write].into_iter();
                starts.flatten().min()
            }
        };
        Ok(match (rate, self.headroom) {
            (Some(rate), None) => RateLaw::Fixed(rate),
            (Some(rate), Some(headroom)) => YieldingRate::new(start, headroom / 100.0)
                .below(rate)
                .into(),
            (None, Some(headroom)) => YieldingRate::new(start, headroom / 100.0).into(),
            (None, None) => match table.billing_mode() {
                BillingMode::OnDemand {
                    max_write: Some(maximum),
                } => AutoRate::starting_at(start).below(maximum).into(),
                _ => AutoRate::starting_at(start).into(),
            },
        })
    }

    /// The law of a global index; none if it has no limit until it refuses.
    fn law_of_an_index(self, index: &IndexSchema, table: &TableSchema) -> Option<RateLaw> {
        let capacity = index.write_capacity();
        // An on-demand index is told of no throughput of its own: it takes about what its table does.
        let on_demand = matches!(table.billing_mode(), BillingMode::OnDemand { .. });
        let start = capacity.or_else(|| table.warm_throughput().filter(|_| on_demand));
        match (self.rate, self.headroom) {
            (Rate::Percent(percent), None) => Some(RateLaw::Fixed(share(capacity?, percent))),
            (rate, Some(headroom)) => {
                let law = YieldingRate::new(start, headroom / 100.0);
                Some(match (rate, capacity) {
                    (Rate::Percent(percent), Some(capacity)) => {
                        law.below(share(capacity, percent)).into()
                    }
                    _ => law.into(),
                })
            }
            // Fixed as well: an index that refuses holds up the writes of its table.
            (rate, None) => match capacity {
                Some(_) => Some(AutoRate::starting_at(capacity).into()),
                None if on_demand && rate == Rate::Auto => {
                    Some(AutoRate::starting_at(start).into())
                }
                None => None,
            },
        }
    }
}

/// `percent` of a capacity, at least one unit.
fn share(capacity: WriteUnits, percent: f64) -> WriteUnits {
    let rate = (capacity.get() as f64 * percent / 100.0).floor().max(1.0);
    WriteUnits::from_consumed(rate)
}

#[cfg(test)]
mod tests {
    use dynasink_core::{Admission, KeyType, TableSchemaBuilder};
    use serde_json::json;

    use super::*;

    fn users() -> TableSchemaBuilder {
        TableSchema::builder("users").partition_key("id", KeyType::S)
    }

    fn table(billing_mode: BillingMode) -> TableSchema {
        users().billing_mode(billing_mode).build().unwrap()
    }

    fn provisioned(write: u64) -> BillingMode {
        BillingMode::Provisioned {
            write: WriteUnits::new(write),
        }
    }

    fn rate(options: impl Into<RateOptions>, table: &TableSchema) -> Result<u64> {
        let limiter = options.into().limiter(table);
        limiter.map(|limiter| limiter.rate().get())
    }

    #[tokio::test]
    async fn a_percentage_needs_a_capacity() {
        let table_of_250 = table(provisioned(250));
        assert_eq!(rate(Rate::Percent(50.0), &table_of_250).unwrap(), 125);
        assert_eq!(rate(Rate::Percent(0.1), &table_of_250).unwrap(), 1);
        assert_eq!(rate(Rate::Auto, &table_of_250).unwrap(), 250);
        let on_demand = table(BillingMode::OnDemand { max_write: None });
        assert!(matches!(
            rate(Rate::Percent(50.0), &on_demand),
            Err(Error::NoCapacityToShare { .. })
        ));
        assert_eq!(
            rate(Rate::Fixed(WriteUnits::new(7)), &on_demand).unwrap(),
            7
        );
    }

    #[tokio::test]
    async fn an_automatic_rate_starts_at_what_is_described() {
        let on_demand = |max_write: Option<u64>, warm: Option<u64>| {
            let max_write = max_write.map(WriteUnits::new);
            let table = users().billing_mode(BillingMode::OnDemand { max_write });
            let table = match warm {
                Some(warm) => table.warm_throughput(WriteUnits::new(warm)),
                None => table,
            };
            table.build().unwrap()
        };
        for (max_write, warm, start) in [
            (None, None, 4_000),
            (None, Some(12_000), 12_000),
            (Some(500), None, 500),
            (Some(500), Some(4_000), 500),
            (Some(20_000), Some(8_000), 8_000),
        ] {
            let table = on_demand(max_write, warm);
            assert_eq!(rate(Rate::Auto, &table).unwrap(), start);
        }
    }

    #[tokio::test]
    async fn headroom_is_left_of_the_capacity_and_a_number_stays_the_most() {
        let table = table(provisioned(1_000));
        let considerate = |rate: Rate| RateOptions::from(rate).headroom(10.0);
        let fixed = |units| Rate::Fixed(WriteUnits::new(units));
        assert_eq!(rate(considerate(Rate::Auto), &table).unwrap(), 900);
        assert_eq!(rate(considerate(fixed(500)), &table).unwrap(), 500);
        assert_eq!(rate(considerate(fixed(5_000)), &table).unwrap(), 900);
        assert_eq!(rate(considerate(Rate::Percent(95.0)), &table).unwrap(), 900);
        assert_eq!(rate(considerate(Rate::Percent(50.0)), &table).unwrap(), 500);
    }

    #[tokio::test]
    async fn a_rate_is_changed_under_way_and_taken_back() {
        let table = table(provisioned(1_000));
        for options in [RateOptions::default(), Rate::Percent(50.0).into()] {
            let limiter = options.limiter(&table).unwrap();
            let start = limiter.rate();
            let changed = options.with_rate(Rate::Fixed(WriteUnits::new(70)));
            changed.change(&limiter, &table).unwrap();
            assert_eq!(limiter.rate().get(), 70);
            options.change(&limiter, &table).unwrap();
            assert_eq!(limiter.rate(), start);
        }
    }

    /// The table with a global index of that capacity.
    fn by_mail(table: TableSchemaBuilder, capacity: Option<WriteUnits>) -> TableSchema {
        let keys = [("mail", KeyType::S)];
        let table = table.index("by-mail", IndexKind::Global, keys, [], capacity);
        table.build().unwrap()
    }

    /// An index of which no capacity is described, on an on-demand table that is warm.
    #[tokio::test]
    async fn an_index_on_demand_starts_at_what_its_table_is_warm_for() {
        let table = users()
            .billing_mode(BillingMode::OnDemand { max_write: None })
            .warm_throughput(WriteUnits::new(12_000));
        let table = by_mail(table, None);
        let index = table.indexes().first().unwrap();
        for (options, expected) in [
            (RateOptions::default(), 12_000.0),
            (RateOptions::default().headroom(10.0), 10_800.0),
        ] {
            let law = options.law_of_an_index(index, &table).unwrap();
            assert!((law.rate() - expected).abs() < 1.0, "{}", law.rate());
        }
    }

    /// Nothing is known of the index, so headroom of it has to be found.
    #[tokio::test]
    async fn headroom_is_left_of_an_index_without_a_capacity_too() {
        let table = users().billing_mode(provisioned(1_000));
        let table = by_mail(table, None);
        let index = table.indexes().first().unwrap();
        let law = RateOptions::default()
            .headroom(10.0)
            .law_of_an_index(index, &table);
        assert!(matches!(law, Some(RateLaw::Yielding(_))), "{law:?}");
    }

    /// Items that are in an index with a quarter of the table's capacity.
    #[tokio::test]
    async fn an_index_holds_the_table_to_what_it_can_take_itself() {
        let table = users().billing_mode(provisioned(1_000));
        let table = by_mail(table, Some(WriteUnits::new(250)));
        let op = table.put_serde(&json!({"id": "a", "mail": "b"})).unwrap();
        let passes = |options: RateOptions| {
            let limiter = options.limiter(&table).unwrap();
            limiter
                .try_admit(&dynasink_core::WriteCost::of([&op]))
                .unwrap();
            Admission::rate(&limiter).unwrap().get()
        };
        assert_eq!(passes(Rate::Auto.into()), 250);
        assert_eq!(passes(Rate::Percent(50.0).into()), 125);
        assert_eq!(passes(RateOptions::default().headroom(10.0)), 225);
        assert_eq!(passes(Rate::Fixed(WriteUnits::new(100)).into()), 100);
        assert_eq!(passes(Rate::Fixed(WriteUnits::new(900)).into()), 250);
    }
}

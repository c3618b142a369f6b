//! How fast to write.

use dynasink_core::{TableSchema, WriteUnits};
use dynasink_sink::{AutoRate, RateLimiter};

use crate::error::{Error, Result};

/// How fast to write, in write capacity units per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rate {
    /// Find out what the table can take, and follow it: see [`AutoRate`].
    #[default]
    Auto,
    /// That many units per second.
    Fixed(WriteUnits),
    /// That percentage of the capacity that the table's description names.
    Percent(f64),
}

impl Rate {
    /// The limiter of that rate for `table`.
    ///
    /// # Errors
    ///
    /// [`Error::NoCapacityToShare`] for a percentage of the capacity of an on-demand table without a maximum.
    pub fn limiter(self, table: &TableSchema) -> Result<RateLimiter> {
        let capacity = table.billing_mode().write_capacity();
        match self {
            Self::Auto => Ok(RateLimiter::auto(AutoRate::starting_at(capacity))),
            Self::Fixed(rate) => Ok(RateLimiter::fixed(rate)),
            Self::Percent(percent) => {
                let capacity = capacity.ok_or_else(|| Error::NoCapacityToShare {
                    table: table.name().clone(),
                    percent,
                })?;
                let rate = (capacity.get() as f64 * percent / 100.0).floor().max(1.0);
                Ok(RateLimiter::fixed(WriteUnits::from_consumed(rate)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{BillingMode, KeyType};

    use super::*;

    fn table(billing_mode: BillingMode) -> TableSchema {
        let table = TableSchema::builder("users").partition_key("id", KeyType::S);
        table.billing_mode(billing_mode).build().unwrap()
    }

    #[tokio::test]
    async fn a_percentage_needs_a_capacity() {
        let provisioned = table(BillingMode::Provisioned {
            write: WriteUnits::new(250),
        });
        let rate = |rate: Rate, table: &TableSchema| {
            rate.limiter(table).map(|limiter| limiter.rate().get())
        };
        assert_eq!(rate(Rate::Percent(50.0), &provisioned).unwrap(), 125);
        assert_eq!(rate(Rate::Percent(0.1), &provisioned).unwrap(), 1);
        assert_eq!(rate(Rate::Auto, &provisioned).unwrap(), 250);
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
}

//! What writes are charged at.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The prices that come with this crate.
const BUILT_IN: &str = include_str!("prices.toml");

/// Prices of writes, with the date and the sources that they are of. A price that is none is not known.
///
/// ```
/// let prices = dynasink::Prices::built_in()?;
/// assert_eq!((prices.region.as_str(), prices.currency.as_str()), ("us-east-1", "USD"));
/// # Ok::<(), dynasink::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The day as of which they were known: `2025-07-21`.
    pub date: String,
    /// The AWS region.
    pub region: String,
    /// The currency, such as `USD`.
    pub currency: String,
    /// Where they are from.
    pub sources: Vec<String>,
    /// A million write request units of an on-demand table or index.
    pub on_demand_per_million_write_units: Option<f64>,
    /// A provisioned write capacity unit for an hour.
    pub provisioned_per_write_unit_hour: Option<f64>,
    /// A gigabyte (2^30 bytes) that `ImportTable` reads, uncompressed.
    pub import_table_per_gb: Option<f64>,
    /// A gigabyte (2^30 bytes) that `StartBulkPutItems` reads, uncompressed.
    pub bulk_put_per_gb: Option<f64>,
}

/// An amount of money in figures, with more of them the smaller it is: 6.90, 0.063, 0.00051.
pub fn money(amount: f64) -> String {
    let mut decimals = 2;
    let mut least = 0.1;
    while amount > 0.0 && amount < least && decimals < 8 {
        decimals += 1;
        least /= 10.0;
    }
    format!("{amount:.decimals$}")
}

impl Prices {
    /// Those that come with this crate.
    ///
    /// # Errors
    ///
    /// None; a test sees to it.
    pub fn built_in() -> Result<Self> {
        Self::parse("the built-in prices", BUILT_IN)
    }

    /// Those in the TOML file `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Prices`] if it cannot be read, or is not of the form that the built-in file has.
    pub fn load(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| Error::Prices {
            file: name.clone(),
            reason: error.to_string(),
        })?;
        Self::parse(&name, &text)
    }

    fn parse(file: &str, text: &str) -> Result<Self> {
        let unusable = |reason: String| Error::Prices {
            file: file.to_owned(),
            reason,
        };
        let prices: Self = toml::from_str(text).map_err(|error| unusable(error.to_string()))?;
        let all = [
            prices.on_demand_per_million_write_units,
            prices.provisioned_per_write_unit_hour,
            prices.import_table_per_gb,
            prices.bulk_put_per_gb,
        ];
        if all
            .into_iter()
            .flatten()
            .any(|price| !price.is_finite() || price < 0.0)
        {
            return Err(unusable("a price is a number of zero or more".to_owned()));
        }
        Ok(prices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_prices_are_dated_and_say_where_they_are_from() {
        let prices = Prices::built_in().unwrap();
        assert!(!prices.date.is_empty() && !prices.sources.is_empty());
        assert_eq!(prices.on_demand_per_million_write_units, Some(0.625));
        assert_eq!(prices.bulk_put_per_gb, None, "it is not known");
    }

    #[test]
    fn small_amounts_have_two_figures_too() {
        for (amount, figures) in [
            (0.0, "0.00"),
            (6.9, "6.90"),
            (1234.5, "1234.50"),
            (0.1, "0.10"),
            (0.0631, "0.063"),
            (0.000_512, "0.00051"),
        ] {
            assert_eq!(money(amount), figures);
        }
    }

    #[test]
    fn prices_that_are_none_are_refused_with_the_file() {
        let base = BUILT_IN.replace("0.625", "-1");
        for text in ["date = 1", base.as_str(), "dat = \"2025\""] {
            let error = Prices::parse("my.toml", text).unwrap_err();
            assert!(error.to_string().contains("my.toml"), "{error}");
        }
        assert!(Prices::load(Path::new("/no/such/prices.toml")).is_err());
    }
}

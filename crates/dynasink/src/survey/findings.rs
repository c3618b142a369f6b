//! What there is to know before a load, each with what to do about it.

use dynasink_aws::{PointInTimeRecovery, TableState};
use dynasink_core::{BillingMode, TableSchema, WriteUnits};
use serde::Serialize;

use super::estimate::{NEW_ON_DEMAND_UNITS, PARTITION_UNITS, index_capacities};
use super::{BadRowCounts, Estimate, Measured, money};

/// An average item from which on units are worth a thought.
const MANY_UNITS: f64 = 8.0;

/// The share of the units from which on a partition key is told of, whatever the rate.
const LARGE_SHARE: f64 = 0.1;

/// What an import must save to be worth a word, in whatever currency.
const SAVING: f64 = 1.0;

/// Something to know before a load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A short name that never changes: `dead_rows`, `hot_partition_key`, …
    pub code: &'static str,
    /// What is so.
    pub finding: String,
    /// What to do about it.
    pub advice: String,
}

/// All that findings are made of.
#[derive(Clone, Copy, Debug)]
pub struct SurveySubject<'a> {
    /// The table.
    pub table: &'a TableSchema,
    /// What it is like besides; none if it is not there, or was not looked at.
    pub state: Option<&'a TableState>,
    /// Whether it is there.
    pub exists: bool,
    /// Whether a key that comes twice is an error of the load.
    pub refuses_repeats: bool,
    /// The rate that was asked for.
    pub rate: Option<WriteUnits>,
    /// What was measured.
    pub measured: &'a Measured,
    /// The rows that cannot be written.
    pub bad: &'a BadRowCounts,
    /// Times and costs.
    pub estimate: &'a Estimate,
}

impl SurveySubject<'_> {
    /// The findings, what would lose rows first.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.dead_rows();
        findings.extend(self.unread());
        findings.extend(self.repeated_keys());
        findings.extend(self.hot_partition_key());
        findings.extend(self.indexes());
        findings.extend(self.capacity());
        findings.extend(self.many_units());
        findings.extend(self.import());
        findings.extend(self.state.into_iter().flat_map(of_state));
        findings
    }

    fn dead_rows(&self) -> Vec<Finding> {
        let codes = self.bad.by_code.iter();
        codes
            .map(|(code, rows)| {
                finding(
                    "dead_rows",
                    format!("rows that would be dead letters: {rows} ({code})"),
                    advice_for(code).to_owned(),
                )
            })
            .collect()
    }

    fn unread(&self) -> Option<Finding> {
        (self.bad.unread > 0).then(|| finding(
            "unreadable",
            format!("{} parts of files cannot be read, with {} rows as far as known", self.bad.unread, self.bad.unread_rows),
            "get these files anew from where they were written; until then --unreadable skip passes over them".to_owned(),
        ))
    }

    fn repeated_keys(&self) -> Option<Finding> {
        let keys = self.measured.keys.filter(|keys| keys.superseded > 0)?;
        Some(finding(
            "repeated_keys",
            format!("{} keys come more than once: of {} rows another one of their key takes the place", keys.repeated, keys.superseded),
            if self.refuses_repeats {
                "--dedup error stops the load at the first of them: choose which row of a key counts, or add the column that tells these rows apart to the key"
            } else {
                "choose with --dedup which row of a key counts; if no key should come twice, add the column that tells these rows apart to the key"
            }
            .to_owned(),
        ))
    }

    fn hot_partition_key(&self) -> Option<Finding> {
        let heaviest = self.measured.heavy_keys.first()?;
        if heaviest.at_least < PARTITION_UNITS {
            return None;
        }
        let most = PARTITION_UNITS as f64 / heaviest.share;
        let rate = self
            .rate
            .or_else(|| self.table.billing_mode().write_capacity());
        let binds = rate.is_some_and(|rate| rate.get() as f64 > most);
        if !binds && heaviest.share < LARGE_SHARE {
            return None;
        }
        let rate = match rate {
            Some(rate) if binds => format!(", which is less than the {} of the rate", rate.get()),
            Some(rate) => format!(", which is enough for the {} of the rate", rate.get()),
            None => String::new(),
        };
        let seconds = heaviest.at_least as f64 / PARTITION_UNITS as f64;
        Some(finding(
            "hot_partition_key",
            format!(
                "the partition key {} has {:.1}% of the units: at {PARTITION_UNITS} WCU/s for one partition key the whole load gets no more than {most:.0} WCU/s{rate}, and takes at least {seconds:.0} s",
                heaviest.key,
                heaviest.share * 100.0,
            ),
            "mix its rows with others (sorted files: --interleave, or sort them by something else), or add a part to the partition key that spreads it".to_owned(),
        ))
    }

    fn indexes(&self) -> Vec<Finding> {
        let units = self.measured.expected_units().table;
        let Some(rate) = self
            .rate
            .or_else(|| self.table.billing_mode().write_capacity())
        else {
            return Vec::new();
        };
        let capacities = index_capacities(self.measured, self.table).into_iter();
        capacities
            .filter_map(|(index, capacity)| {
                let needed = rate.get() as f64 * index.units as f64 / units.max(1) as f64;
                (needed > capacity as f64).then(|| finding(
                    "index_capacity",
                    format!("index {} has {capacity} WCU/s, and needs {needed:.0} for the rate of {}", index.index, rate.get()),
                    format!("raise the capacity of index {} for the load, or create the index after it", index.index),
                ))
            })
            .collect()
    }

    fn capacity(&self) -> Option<Finding> {
        let mode = self.table.billing_mode();
        match (mode, self.rate) {
            (BillingMode::Provisioned { write }, Some(rate)) if rate > write => Some(finding(
                "table_capacity",
                format!(
                    "the rate of {} WCU/s is more than the {} that the table has",
                    rate.get(),
                    write.get()
                ),
                "raise the table's capacity for the load, or lower --rate".to_owned(),
            )),
            (BillingMode::OnDemand { max_write: None }, _)
                if self
                    .table
                    .warm_throughput()
                    .is_none_or(|warm| warm.get() <= NEW_ON_DEMAND_UNITS)
                    && self.measured.units.table > NEW_ON_DEMAND_UNITS =>
            {
                Some(finding(
                    "new_on_demand_table",
                    match (self.exists, self.table.warm_throughput()) {
                        (true, Some(warm)) => format!(
                            "the table is on demand, and its warm throughput is {} WCU/s: it takes only slowly more",
                            warm.get()
                        ),
                        (true, None) => format!(
                            "the table is on demand: unless it has taken more before, it takes {NEW_ON_DEMAND_UNITS} WCU/s at once, and only slowly more"
                        ),
                        (false, _) => format!(
                            "a new on-demand table takes {NEW_ON_DEMAND_UNITS} WCU/s at once, and only slowly more"
                        ),
                    },
                    "for more from the start, raise its warm throughput: load --warm-throughput"
                        .to_owned(),
                ))
            }
            _ => None,
        }
    }

    fn many_units(&self) -> Option<Finding> {
        let sizes = &self.measured.item_bytes;
        let units = self.measured.units.items as f64 / sizes.items.max(1) as f64;
        (units >= MANY_UNITS).then(|| finding(
            "large_items",
            format!("an item costs {units:.1} WCU on average, and the largest has {} bytes", sizes.max),
            "leave out columns that nobody reads (drop = true in the mapping), or keep the large ones in S3 and their addresses in the item".to_owned(),
        ))
    }

    fn import(&self) -> Option<Finding> {
        let costs = &self.estimate.costs;
        let (written, imported) = (costs.on_demand?, costs.import_table?);
        (!self.exists && imported + SAVING < written).then(|| finding(
            "import_is_cheaper",
            format!("ImportTable costs {} and writing on demand {}, and the table is not there yet", money(imported), money(written)),
            "dynasink export makes the files for ImportTable, with the command to run; it creates the table, and cannot add to it".to_owned(),
        ))
    }
}

fn finding(code: &'static str, finding: String, advice: String) -> Finding {
    Finding {
        code,
        finding,
        advice,
    }
}

/// What to do about rows that are dead for the reason of that code.
fn advice_for(code: &str) -> &'static str {
    match code {
        "missing_key" | "empty_key" => {
            "leave these rows out with --where, or make the key of other columns (a template in the mapping)"
        }
        "key_type" => {
            "give the column of the index key its type in the mapping (as = \"S\" or \"N\")"
        }
        "key_too_long" => {
            "make the key of something shorter: a partition key has at most 2048 bytes, a sort key 1024"
        }
        "item_too_large" | "op_too_large" => {
            "leave out large columns (drop = true in the mapping), or keep them in S3 and their addresses in the item: an item has at most 400 KB"
        }
        "number" => {
            "say in the mapping what becomes of such numbers: nonfinite for NaN and infinities, number_overflow for what has more than 38 digits"
        }
        "empty_set" | "duplicate_set_member" => {
            "write the column as a list (lists = \"list\" in the mapping)"
        }
        "nesting_too_deep" => "write the column as text: DynamoDB has at most 32 levels",
        "unsupported_value" => {
            "look at the examples for the value that is meant, and say in the mapping what becomes of it (temporal_overflow for times that have no text), or drop its column"
        }
        _ => "look at the examples, and change the mapping or the rows",
    }
}

fn of_state(state: &TableState) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !state.replicas.is_empty() {
        findings.push(finding(
            "replicas",
            format!(
                "the table is replicated to {}: each write is charged in each region",
                state.replicas.join(", ")
            ),
            "reckon with the cost so many times more, or add the replicas after the load"
                .to_owned(),
        ));
    }
    if state.stream.is_some() {
        findings.push(finding(
            "stream",
            "the table has a stream: whoever reads it gets a record of each write".to_owned(),
            "make sure that its readers can take that, or disable them for the load".to_owned(),
        ));
    }
    if state.items > 0 && state.point_in_time_recovery == PointInTimeRecovery::Off {
        findings.push(finding(
            "no_point_in_time_recovery",
            format!(
                "the table has {} items and no point-in-time recovery: what is overwritten is gone",
                state.items
            ),
            "switch point-in-time recovery on, or make a backup, before the load".to_owned(),
        ));
    }
    if !state.indexes_in_change.is_empty() {
        findings.push(finding(
            "indexes_in_change",
            format!(
                "indexes are being made or removed: {}",
                state.indexes_in_change.join(", ")
            ),
            "wait until they are ACTIVE".to_owned(),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use dynasink_core::{IndexKind, KeyType};
    use dynasink_sink::KeptRow;
    use futures::{FutureExt, SinkExt};
    use serde_json::json;

    use super::*;
    use crate::survey::{Prices, Survey};

    /// The codes of what is found of `rows` rows, of which each has the key that `key` says.
    fn found(
        table: &TableSchema,
        rate: Option<u64>,
        rows: u64,
        key: impl Fn(u64) -> u64,
    ) -> Vec<&'static str> {
        let mut survey = Survey::new(table, KeptRow::Last);
        for row in 0..rows {
            let item = json!({ "id": key(row), "seq": row, "mail": "m" });
            let sent = survey.feed(table.put_serde(&item).unwrap()).now_or_never();
            sent.unwrap().unwrap();
        }
        let (measured, rate) = (survey.measured(), rate.map(WriteUnits::new));
        let prices = Prices::built_in().unwrap();
        let subject = SurveySubject {
            table,
            state: None,
            exists: true,
            refuses_repeats: false,
            rate,
            measured: &measured,
            bad: &BadRowCounts::default(),
            estimate: &Estimate::of(&measured, table, rate, &prices),
        };
        let findings = subject.findings();
        assert!(findings.iter().all(|finding| !finding.advice.is_empty()));
        findings.iter().map(|finding| finding.code).collect()
    }

    fn table(write: u64, index: u64) -> TableSchema {
        TableSchema::builder("users")
            .partition_key("id", KeyType::N)
            .sort_key("seq", KeyType::N)
            .billing_mode(BillingMode::Provisioned {
                write: WriteUnits::new(write),
            })
            .index(
                "by-mail",
                IndexKind::Global,
                [("mail", KeyType::S)],
                [],
                Some(WriteUnits::new(index)),
            )
            .build()
            .unwrap()
    }

    #[test]
    fn nothing_is_found_where_nothing_is_wrong() {
        assert_eq!(
            found(&table(500, 500), None, 2000, |row| row),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn what_has_less_than_the_rate_is_found() {
        assert_eq!(
            found(&table(500, 100), None, 2000, |row| row),
            ["index_capacity"]
        );
        assert_eq!(
            found(&table(500, 5000), Some(800), 2000, |row| row),
            ["table_capacity"]
        );
    }

    #[test]
    fn a_partition_key_is_hot_where_it_has_a_large_share_or_binds() {
        let every = |nth: u64| move |row: u64| if row.is_multiple_of(nth) { 0 } else { row };
        assert_eq!(
            found(&table(500, 500), None, 4000, every(2)),
            ["hot_partition_key"]
        );
        // One unit in fifteen is a small share, and binds above 15,000 units per second only.
        assert_eq!(
            found(&table(500, 500), None, 15_000, every(15)),
            Vec::<&str>::new()
        );
        let fast = found(&table(20_000, 20_000), None, 15_000, every(15));
        assert_eq!(fast, ["hot_partition_key"]);
    }
}

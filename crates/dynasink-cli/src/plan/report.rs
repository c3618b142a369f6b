//! A plan, for people and for machines.

use std::io::{self, Write};

use dynasink::{
    BadRowCounts, BillingMode, BoundBy, Estimate, Finding, Mapping, Measured, Prices, TableSchema,
    money,
};
use serde::Serialize;

use super::Surveyed;
use crate::columns::Columns;
use crate::subject::Subject;

/// The widest bar of a histogram, in characters.
const BAR: f64 = 40.0;

/// Characters of a line that findings are broken at.
const LINE: usize = 110;

/// What a plan says. Its JSON form is what `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct PlanReport<'a> {
    table: &'a str,
    exists: bool,
    billing: String,
    keys: Vec<String>,
    files: usize,
    rows: u64,
    /// Rows that can be written: put or deleted.
    writable: u64,
    sampled: Option<Sampled>,
    columns: Vec<PlannedAttribute>,
    bad: &'a BadRowCounts,
    measured: &'a Measured,
    estimate: Estimate,
    prices: &'a Prices,
    findings: Vec<Finding>,
}

/// That only a part was read.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Sampled {
    /// Rows that were read.
    pub(super) rows: u64,
    /// All counts are of that many times as many.
    pub(super) times: f64,
}

/// An attribute, and what becomes it.
#[derive(Debug, Serialize)]
struct PlannedAttribute {
    /// The column; none if the attribute is made of several, or of none.
    column: Option<String>,
    arrow_type: Option<String>,
    attribute: String,
    key: bool,
    dynamodb_type: &'static str,
    /// A value as DynamoDB JSON, of the first item that has it.
    example: Option<String>,
}

impl<'a> PlanReport<'a> {
    pub(super) fn new(
        subject: &'a Subject,
        surveyed: &'a Surveyed,
        estimate: Estimate,
        findings: Vec<Finding>,
        prices: &'a Prices,
    ) -> Self {
        let measured = &surveyed.measured;
        Self {
            table: subject.table.name().as_str(),
            exists: subject.exists,
            billing: billing(&subject.table),
            keys: subject
                .table
                .keys()
                .map(|key| format!("{}:{}", key.name(), key.key_type().descriptor()))
                .collect(),
            files: subject.source.files().len(),
            rows: surveyed.rows,
            writable: measured.puts + measured.deletes,
            sampled: surveyed.sampled,
            columns: attributes(&subject.mapping, measured),
            bad: &surveyed.bad,
            measured,
            estimate,
            prices,
            findings,
        }
    }

    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    pub(super) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let is_there = if self.exists { "" } else { "not there yet, " };
        writeln!(
            out,
            "table {} ({is_there}{}): {} rows in {}, key {}",
            self.table,
            self.billing,
            self.rows,
            match self.files {
                1 => "1 file".to_owned(),
                files => format!("{files} files"),
            },
            self.keys.join(", ")
        )?;
        if let Some(sampled) = self.sampled {
            writeln!(
                out,
                "  from a sample of {} rows: all counts are multiplied by {:.1}, and repeated keys are not known",
                sampled.rows, sampled.times
            )?;
        }
        self.write_mapping(out)?;
        self.write_rows(out)?;
        self.write_sizes(out)?;
        self.write_units(out)?;
        self.write_estimate(out)?;
        self.write_findings(out)
    }

    fn write_mapping(&self, out: &mut impl Write) -> io::Result<()> {
        let mut columns =
            Columns::new(["column", "Arrow type", "attribute", "DynamoDB", "example"]);
        for attribute in &self.columns {
            let key = if attribute.key { " (key)" } else { "" };
            columns.row([
                attribute.column.clone().unwrap_or_else(|| "-".to_owned()),
                attribute
                    .arrow_type
                    .clone()
                    .unwrap_or_else(|| "-".to_owned()),
                format!("{}{key}", attribute.attribute),
                attribute.dynamodb_type.to_owned(),
                attribute
                    .example
                    .as_deref()
                    .map_or_else(|| "-".to_owned(), shown),
            ]);
        }
        writeln!(out, "\nmapping")?;
        columns.write(out)
    }

    fn write_rows(&self, out: &mut impl Write) -> io::Result<()> {
        let (measured, bad) = (self.measured, self.bad);
        writeln!(out, "\nrows")?;
        writeln!(
            out,
            "  writable     {} ({} put, {} deleted)",
            self.writable, measured.puts, measured.deletes
        )?;
        if let Some(keys) = measured.keys {
            writeln!(
                out,
                "  keys         {} distinct, {} of them more than once ({} rows superseded)",
                keys.distinct, keys.repeated, keys.superseded
            )?;
        }
        if bad.skipped > 0 {
            writeln!(out, "  skipped      {}", bad.skipped)?;
        }
        if bad.unread > 0 {
            writeln!(
                out,
                "  not read     {} parts of files, {} rows as far as known",
                bad.unread, bad.unread_rows
            )?;
        }
        writeln!(out, "  dead         {}", bad.dead)?;
        for (code, rows) in &bad.by_code {
            writeln!(out, "    {code:20} {rows}")?;
        }
        for example in &bad.examples {
            match &example.position {
                Some(position) => writeln!(out, "    {position}: {}", example.reason)?,
                None => writeln!(out, "    {}", example.reason)?,
            }
        }
        Ok(())
    }

    fn write_sizes(&self, out: &mut impl Write) -> io::Result<()> {
        let sizes = &self.measured.item_bytes;
        if sizes.items == 0 {
            return Ok(());
        }
        writeln!(out, "\nitem sizes in bytes")?;
        writeln!(
            out,
            "  min {}, half {}, mean {:.0}, 99% {}, max {}",
            sizes.min, sizes.p50, sizes.mean, sizes.p99, sizes.max
        )?;
        let most = sizes
            .histogram
            .iter()
            .map(|bucket| bucket.items)
            .max()
            .unwrap_or(1)
            .max(1);
        for bucket in &sizes.histogram {
            let bar = bar(bucket.items as f64 / most as f64);
            writeln!(
                out,
                "  up to {:>6}  {:>10}  {bar}",
                bucket.up_to, bucket.items
            )?;
        }
        Ok(())
    }

    fn write_units(&self, out: &mut impl Write) -> io::Result<()> {
        let units = &self.measured.units;
        writeln!(
            out,
            "\nwrite units if every row is written, where no item of the same keys lies yet"
        )?;
        writeln!(out, "  table        {} WCU", units.table)?;
        for index in &units.indexes {
            let kind = if index.global {
                "global"
            } else {
                "local, in those of the table"
            };
            writeln!(
                out,
                "  index        {} WCU, {} entries: {} ({kind})",
                index.units, index.entries, index.index
            )?;
        }
        if !units.indexes.is_empty() {
            writeln!(out, "  in all       {} WCU", units.total)?;
        }
        if let Some(staying) = &self.measured.staying
            && staying != units
        {
            writeln!(
                out,
                "  that stay    {} WCU in all, of the rows that are not superseded: at least these are spent, and times and costs",
                staying.total
            )?;
            writeln!(
                out,
                "               are told by them, as rows that are superseded before they are sent cost nothing"
            )?;
        }
        if self.measured.heavy_keys.iter().any(|key| key.at_least > 0) {
            writeln!(out, "  of which the partition keys with the most have")?;
        }
        for key in self
            .measured
            .heavy_keys
            .iter()
            .filter(|key| key.at_least > 0)
        {
            let percent = key.share * 100.0;
            let at_most = if key.units > key.at_least {
                " at least"
            } else {
                ""
            };
            writeln!(
                out,
                "    {percent:>5.1}%  {:>10} WCU{at_most}  {}",
                key.at_least,
                shown(&key.key)
            )?;
        }
        Ok(())
    }

    fn write_estimate(&self, out: &mut impl Write) -> io::Result<()> {
        let (prices, costs) = (self.prices, &self.estimate.costs);
        writeln!(out, "\ntime")?;
        for time in &self.estimate.times {
            let bound_by = match &time.bound_by {
                BoundBy::Rate => String::new(),
                BoundBy::TableCapacity => ", bound by the table's capacity".to_owned(),
                BoundBy::Index(index) => format!(", bound by index {index}"),
                BoundBy::PartitionKey => ", bound by one partition key".to_owned(),
            };
            let provisioned = match time.provisioned_cost {
                Some(cost) => format!("; provisioned for it {} {}", money(cost), prices.currency),
                None => String::new(),
            };
            writeln!(
                out,
                "  at {:>6} WCU/s  {}{bound_by}{provisioned}",
                time.rate,
                duration(time.seconds)
            )?;
        }
        writeln!(
            out,
            "\ncost in {}, {} as of {}",
            prices.currency, prices.region, prices.date
        )?;
        for source in &prices.sources {
            writeln!(out, "  ({source})")?;
        }
        let cost = |cost: Option<f64>| match cost {
            Some(cost) => money(cost),
            None if self.measured.deletes > 0 => "cannot delete".to_owned(),
            None => "price not known".to_owned(),
        };
        match costs.on_demand {
            Some(on_demand) => writeln!(out, "  on demand    {}", money(on_demand))?,
            None => writeln!(out, "  on demand    price not known")?,
        }
        writeln!(
            out,
            "  ImportTable  {} ({} bytes of DynamoDB JSON, into a new table only)",
            cost(costs.import_table),
            self.measured.import_bytes
        )?;
        writeln!(out, "  bulk put     {}", cost(costs.bulk_put))
    }

    fn write_findings(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\nfindings")?;
        if self.findings.is_empty() {
            writeln!(out, "  none")?;
        }
        for finding in &self.findings {
            for (at, line) in broken(&finding.finding).iter().enumerate() {
                let bullet = if at == 0 { "-" } else { " " };
                writeln!(out, "  {bullet} {line}")?;
            }
            for (at, line) in broken(&finding.advice).iter().enumerate() {
                let bullet = if at == 0 { "do:" } else { "   " };
                writeln!(out, "      {bullet} {line}")?;
            }
        }
        Ok(())
    }
}

fn attributes(mapping: &Mapping, measured: &Measured) -> Vec<PlannedAttribute> {
    let attributes = mapping
        .attributes()
        .iter()
        .map(|attribute| PlannedAttribute {
            column: attribute.column().map(str::to_owned),
            arrow_type: attribute.data_type().map(ToString::to_string),
            attribute: attribute.name().to_owned(),
            key: attribute.is_key(),
            dynamodb_type: attribute.kind().descriptor(),
            example: measured.examples.get(attribute.name()).cloned(),
        });
    attributes.collect()
}

fn billing(table: &TableSchema) -> String {
    match table.billing_mode() {
        BillingMode::Provisioned { write } => format!("{} WCU/s provisioned", write.get()),
        BillingMode::OnDemand { max_write: None } => "on demand".to_owned(),
        BillingMode::OnDemand {
            max_write: Some(most),
        } => format!("on demand, at most {} WCU/s", most.get()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is between 0 and 1"
)]
fn bar(share: f64) -> String {
    "#".repeat((share * BAR).ceil() as usize)
}

/// A value of the source in a line of its own.
fn shown(value: &str) -> String {
    value.replace(char::is_control, " ")
}

/// A time in words of its largest units.
fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 1.0 {
        return "less than a second".to_owned();
    }
    let rounded = std::time::Duration::try_from_secs_f64(seconds.round());
    rounded.map_or_else(
        |_| "longer than anybody can wait".to_owned(),
        |time| humantime::format_duration(time).to_string(),
    )
}

/// The lines of a text, broken between words.
fn broken(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < LINE => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        let text = "word ".repeat(50);
        let lines = broken(text.trim());
        assert!(lines.iter().all(|line| line.len() <= LINE));
        assert_eq!(lines.join(" "), text.trim());
    }

    #[test]
    fn times_are_told_in_whole_seconds() {
        assert_eq!(duration(0.2), "less than a second");
        assert_eq!(duration(3725.4), "1h 2m 5s");
    }
}

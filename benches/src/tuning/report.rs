//! What came of it: for people and for programs.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::args::Args;
use super::bounds::{Bound, bounds};
use super::figures::{grouped, percent, rounded, short, time};
use super::ranking::{Ranked, Ranking};
use super::sample::Sample;
use super::setting::{Batch, InFlight, Pace, Setting, Window};
use super::table::TunedTable;

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    ranking: Ranking,
    bounds: Vec<Bound>,
    command: String,
    source: SourceFacts,
    table: TableFacts,
}

/// What was to be loaded.
#[derive(Clone, Debug, Serialize)]
struct SourceFacts {
    name: String,
    made_up: bool,
    unused_options: Vec<&'static str>,
    rows: u64,
    simulated_rows: u64,
    row_groups: usize,
    row_groups_mixed: usize,
    dead_rows: u64,
    units_per_row: f64,
    bytes_per_row: f64,
    hottest_key_share: f64,
}

/// Where to.
#[derive(Clone, Debug, Serialize)]
struct TableFacts {
    wcu: u64,
    on_demand: bool,
    partitions: u64,
    partition_key: String,
    sort_key: Option<String>,
    indexes: Vec<(String, u64)>,
}

impl Report {
    pub(super) fn new(args: &Args, table: &TunedTable, sample: &Sample, ranking: Ranking) -> Self {
        let sources: Vec<_> = args.source.iter().map(|of| of.to_string_lossy()).collect();
        let mut keys = table.schema().keys().map(|key| key.name().to_owned());
        let bounds = ranking
            .best()
            .map_or_else(Vec::new, |best| bounds(best, table, sample));
        let setting = ranking
            .best()
            .map_or(ranking.standard, |best| best.trial.setting);
        Self {
            command: command(args, &sources, &setting, &ranking.standard),
            bounds,
            ranking,
            source: SourceFacts {
                name: if sources.is_empty() {
                    "made-up rows".to_owned()
                } else {
                    sources.join(" ")
                },
                made_up: sources.is_empty(),
                unused_options: args.unused(),
                rows: sample.total_rows(),
                simulated_rows: sample.ops().len() as u64,
                row_groups: sample.groups(),
                row_groups_mixed: sample.readable_at_once(),
                dead_rows: sample.dead(),
                units_per_row: sample.units_per_row(),
                bytes_per_row: sample.bytes_per_row(),
                hottest_key_share: sample.hottest_key_share(),
            },
            table: TableFacts {
                wcu: table.wcu(),
                on_demand: args.on_demand,
                partitions: table.partitions(),
                partition_key: keys.next().unwrap_or_default(),
                sort_key: keys.next(),
                indexes: table.indexes().to_vec(),
            },
        }
    }

    /// The trials in their order.
    pub fn ranking(&self) -> &Ranking {
        &self.ranking
    }

    /// The recommended command line.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// What the load cannot be faster than; what holds it back comes first.
    pub fn bounds(&self) -> &[Bound] {
        &self.bounds
    }

    /// What the table takes per second.
    pub(super) fn wcu(&self) -> u64 {
        self.table.wcu
    }

    /// The report as text.
    pub fn text(&self, plots: &[PathBuf]) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _infallible = self.write_text(&mut out, plots);
        out
    }

    fn write_text(&self, out: &mut String, plots: &[PathBuf]) -> std::fmt::Result {
        self.write_facts(out)?;
        let Some(best) = self.ranking.best() else {
            return Ok(());
        };
        writeln!(out, "\nRECOMMENDED\n\n  {}\n", self.command)?;
        if let Some(caution) = self.ranking.caution() {
            writeln!(out, "  {caution}\n")?;
        }
        self.write_best(out, best)?;
        self.write_ranking(out)?;
        if !plots.is_empty() {
            writeln!(out, "\nPLOTS\n")?;
            for plot in plots {
                writeln!(out, "  {}", plot.display())?;
            }
        }
        Ok(())
    }

    fn write_facts(&self, out: &mut String) -> std::fmt::Result {
        let (source, table) = (&self.source, &self.table);
        write!(
            out,
            "rows    {}: {} of {} bytes and {} WCU on average",
            source.name,
            grouped(source.rows),
            rounded(source.bytes_per_row),
            short(source.units_per_row)
        )?;
        if source.simulated_rows < source.rows {
            write!(
                out,
                "; {} of them are simulated",
                grouped(source.simulated_rows)
            )?;
            if source.row_groups > 1 {
                write!(out, ", from {} row groups", source.row_groups)?;
            }
        }
        writeln!(out)?;
        if !source.unused_options.is_empty() {
            writeln!(
                out,
                "        not used, since rows are those of the source: {}",
                source.unused_options.join(", ")
            )?;
        }
        if source.dead_rows > 0 {
            writeln!(
                out,
                "        {} of those that were looked at cannot be written, and would be dead letters",
                grouped(source.dead_rows)
            )?;
        }
        write!(out, "table   {} WCU/s ", grouped(table.wcu))?;
        write!(
            out,
            "{}",
            if table.on_demand {
                "on demand"
            } else {
                "provisioned"
            }
        )?;
        write!(
            out,
            ", {} partitions, key {}",
            table.partitions, table.partition_key
        )?;
        if let Some(sort_key) = &table.sort_key {
            write!(out, " and {sort_key}")?;
        }
        for (name, wcu) in &table.indexes {
            write!(out, ", index {name} with {} WCU/s", grouped(*wcu))?;
        }
        writeln!(out, "; nothing is saved up as burst capacity")
    }

    fn write_best(&self, out: &mut String, best: &Ranked) -> std::fmt::Result {
        let (trial, rows) = (&best.trial, self.source.rows);
        let mut line = |what: &str, value: String| writeln!(out, "  {what:<12}{value}");
        let units = trial.table_units() as f64 * self.scale();
        line(
            "time",
            format!(
                "{} for {} rows, {} WCU",
                time(best.seconds),
                grouped(rows),
                rounded(units)
            ),
        )?;
        let rate = self.rate(best);
        line(
            "speed",
            format!(
                "{} WCU/s, {} rows/s: {} of the table's capacity",
                rounded(rate),
                rounded(rows as f64 / best.seconds),
                percent(rate / self.table.wcu as f64)
            ),
        )?;
        line(
            "refused",
            format!("{} of the operations", percent(trial.refused_share())),
        )?;
        line(
            "requests",
            format!(
                "{} of {} rows, {} in flight",
                rounded(trial.requests as f64 * self.scale()),
                short(trial.batch_fill()),
                short(trial.in_flight)
            ),
        )?;
        if trial.superseded > 0 {
            line(
                "merged",
                format!(
                    "{} rows, whose key a later row has",
                    rounded(trial.superseded as f64 * self.scale())
                ),
            )?;
        }
        if trial.dead > 0 {
            line(
                "given up",
                format!("{} rows of the simulated ones", grouped(trial.dead)),
            )?;
        }
        if let Some((bound, rest)) = self.bounds.split_first() {
            line("limited by", bound.limit.describe())?;
            line("what helps", bound.limit.remedy(rest.first()))?;
        }
        Ok(())
    }

    fn write_ranking(&self, out: &mut String) -> std::fmt::Result {
        let Some(best) = self.ranking.best() else {
            return Ok(());
        };
        let setting = |(place, ranked): (usize, &Ranked)| match place {
            0 => format!("({})", self.label(&ranked.trial.setting)),
            _ => ranked.trial.setting.beside(&best.trial.setting),
        };
        let ranked = &self.ranking.ranked;
        let settings: Vec<_> = ranked.iter().enumerate().map(setting).collect();
        let width = settings.iter().map(String::len).max().unwrap_or(0);
        writeln!(out, "\nRANKING\n")?;
        writeln!(
            out,
            "      {:<width$}{:>14}{:>9}{:>9}  why it is no better",
            "setting", "time", "WCU/s", "refused"
        )?;
        for (place, (ranked, setting)) in (1..).zip(ranked.iter().zip(settings)) {
            let why = if place == 1 {
                "recommended"
            } else {
                &ranked.why
            };
            writeln!(
                out,
                "  {place:<4}{setting:<width$}{:>14}{:>9}{:>9}  {why}",
                time(ranked.seconds),
                rounded(self.rate(ranked)),
                percent(ranked.trial.refused_share()),
            )?;
        }
        Ok(())
    }

    fn label(&self, setting: &Setting) -> String {
        if *setting == self.ranking.standard {
            "all as it is by default".to_owned()
        } else {
            setting.beside(&self.ranking.standard)
        }
    }

    /// Units per second once the load runs, as far as the whole of it keeps that up.
    fn rate(&self, ranked: &Ranked) -> f64 {
        let units = ranked.trial.table_units() as f64 * self.scale();
        let whole = units / ranked.seconds.max(1e-3);
        if self.scale() > 1.0 {
            ranked.trial.steady_rate().min(whole)
        } else {
            whole
        }
    }

    fn scale(&self) -> f64 {
        self.source.rows as f64 / self.source.simulated_rows.max(1) as f64
    }

    /// The report as JSON.
    pub fn json(&self, plots: &[PathBuf]) -> serde_json::Value {
        let ranked = self.ranking.ranked.iter();
        serde_json::json!({
            "command": self.command,
            "caution": self.ranking.caution(),
            "source": self.source,
            "table": self.table,
            "limits": self.bounds,
            "helps": self.bounds.split_first().map(|(bound, rest)| bound.limit.remedy(rest.first())),
            "ranking": ranked.map(|ranked| self.entry(ranked)).collect::<Vec<_>>(),
            "plots": plots.iter().map(|plot| plot.display().to_string()).collect::<Vec<_>>(),
        })
    }

    fn entry(&self, ranked: &Ranked) -> serde_json::Value {
        let trial = &ranked.trial;
        serde_json::json!({
            "setting": trial.setting,
            "seconds": ranked.seconds,
            "wcu_per_second": self.rate(ranked),
            "refused_share": trial.refused_share(),
            "requests": trial.requests as f64 * self.scale(),
            "rows_per_request": trial.batch_fill(),
            "in_flight": trial.in_flight,
            "merged_rows": trial.superseded as f64 * self.scale(),
            "given_up_rows": trial.dead,
            "why": ranked.why,
        })
    }
}

/// The command line that loads with `setting`: what is so by default is not said, but for the rate.
fn command(
    args: &Args,
    sources: &[impl AsRef<str>],
    setting: &Setting,
    standard: &Setting,
) -> String {
    let mut words = vec!["dynasink load".to_owned()];
    if sources.is_empty() {
        words.push("SOURCE".to_owned());
    }
    words.extend(sources.iter().map(|source| quoted(source.as_ref())));
    words.push(format!("--table {}", quoted(&args.table)));
    words.push(match setting.rate {
        Pace::Auto => "--rate auto".to_owned(),
        Pace::Fixed { wcu, .. } => format!("--rate {wcu}"),
    });
    if let InFlight::Fixed(requests) = setting.concurrency {
        words.push(format!("--concurrency {requests}"));
    }
    if setting.readers < standard.readers {
        words.push(format!("--readers {}", setting.readers));
    }
    if setting.window == Window::Off {
        words.push("--dedup off".to_owned());
    }
    let mut command = words.join(" ");
    // What the command has no flag for is for those who build the pipe themselves.
    if let Batch::AtMost(ops) = setting.batch {
        let _infallible = write!(
            command,
            "\n  and in code: batches of at most {ops} operations (`BatchLimit`)"
        );
    }
    if let Window::Ops(ops) = setting.window
        && setting.window != standard.window
    {
        let _infallible = write!(
            command,
            "\n  and in code: a window of {ops} operations (`DedupWindow`)"
        );
    }
    command
}

/// A word as shells take it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

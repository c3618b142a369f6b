//! Faults as text, for the command line and for scenario files.

use std::str::FromStr;
use std::time::Duration;

use dynasink_core::WriteUnits;

use super::{Change, Fault, Faults, Latency};

/// A text that is no fault, no change and no latency.
#[derive(Debug, thiserror::Error)]
#[error("`{part}` is not understood: {problem}")]
pub struct ParseError {
    pub(super) part: String,
    pub(super) problem: &'static str,
}

const FORM: &str = "write NAME=SHARE% (of all requests), NAME@N or NAME@N..M (requests by number), NAME@TIME..TIME, \
    or a change such as capacity:TABLE=WCU@TIME";
const NAMES: &str = "the faults are internal, unavailable, gateway, partial, refused, reset, lost, hang, silent, zombie:TIME, \
    slow:TIME, truncated, empty, garbage, expired and denied; the changes are capacity:TABLE=WCU (or TABLE/INDEX), updating:TABLE, \
    delete:TABLE and latency:TIME";
const SHARE: &str = "a share is a percentage from 0% to 100%";
const WHEN: &str = "a place is the number of a request, a range of them such as 3..9, or a range of times such as 30s..2m";
const TIME: &str = "a change happens at a time such as 90s";
const UNITS: &str =
    "a capacity is TABLE=WCU or TABLE/INDEX=WCU, a whole number of write capacity units";

/// Faults in one line: parts with commas between, as the documentation of [`Faults`] shows.
///
/// ```
/// use dynasink_sim::Faults;
///
/// for faults in [
///     "internal=1%, lost=0.5%, zombie:90s=0.01%",
///     "refused@1..20, expired@2m..3m",
///     "capacity:orders=200@60s, updating:orders@60s, delete:orders@10m",
/// ] {
///     faults.parse::<Faults>()?;
/// }
/// let problem = "losst=1%".parse::<Faults>().unwrap_err().to_string();
/// assert!(problem.contains("`losst=1%`") && problem.contains("lost"));
/// # Ok::<(), dynasink_sim::ParseError>(())
/// ```
impl FromStr for Faults {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parts = text.split(',').map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .try_fold(Self::none(), |faults, part| {
                add(faults, part).map_err(|problem| ParseError {
                    part: part.to_owned(),
                    problem,
                })
            })
    }
}

fn add(faults: Faults, part: &str) -> Result<Faults, &'static str> {
    if let Some((what, when)) = part.split_once('@') {
        if let Some(change) = parse_change(what)? {
            return Ok(faults.change(parse_duration(when).ok_or(TIME)?, change));
        }
        let fault = parse_fault(what)?;
        let (first, last) = when.split_once("..").unwrap_or((when, when));
        if let (Ok(first), Ok(last)) = (first.parse(), last.parse()) {
            return if (1..=last).contains(&first) {
                Ok(faults.requests(first..=last, fault))
            } else {
                Err(WHEN)
            };
        }
        return match (parse_duration(first), parse_duration(last)) {
            (Some(start), Some(end)) if start < end => Ok(faults.between(start..end, fault)),
            _ => Err(WHEN),
        };
    }
    let (what, share) = part.split_once('=').ok_or(FORM)?;
    let percent = share.trim().strip_suffix('%').ok_or(SHARE)?;
    match percent.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => {
            Ok(faults.share(parse_fault(what)?, percent / 100.0))
        }
        _ => Err(SHARE),
    }
}

fn parse_change(text: &str) -> Result<Option<Change>, &'static str> {
    Ok(match text.split_once(':') {
        Some(("capacity", what)) => {
            let (table, units) = what.split_once('=').ok_or(UNITS)?;
            let units = units.trim().parse().map_err(|_| UNITS)?;
            Some(Change::Capacity(
                table.trim().to_owned(),
                WriteUnits::new(units),
            ))
        }
        Some(("latency", latency)) => {
            let latency: Latency = latency.parse().map_err(|error: ParseError| error.problem)?;
            Some(Change::Latency(latency))
        }
        Some(("updating", table)) => Some(Change::Updating(table.trim().to_owned())),
        Some(("delete", table)) => Some(Change::DeleteTable(table.trim().to_owned())),
        _ => None,
    })
}

fn parse_fault(text: &str) -> Result<Fault, &'static str> {
    let text = text.trim();
    if let Some((name, time)) = text.split_once(':') {
        let time = parse_duration(time).ok_or(NAMES)?;
        return match name {
            "zombie" => Ok(Fault::Zombie(time)),
            "slow" => Ok(Fault::Slow(time)),
            _ => Err(NAMES),
        };
    }
    Ok(match text {
        "internal" => Fault::Internal,
        "unavailable" => Fault::Unavailable,
        "gateway" => Fault::Gateway,
        "partial" => Fault::Partial,
        "refused" => Fault::Refused,
        "reset" => Fault::Reset,
        "lost" => Fault::Lost,
        "hang" => Fault::Hang,
        "silent" => Fault::Silent,
        "truncated" => Fault::Truncated,
        "empty" => Fault::Empty,
        "garbage" => Fault::Garbage,
        "expired" => Fault::Expired,
        "denied" => Fault::Denied,
        _ => return Err(NAMES),
    })
}

/// A time such as `250ms`, `90s` or `1m 30s`.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

#[cfg(test)]
mod tests {
    use super::super::latency::LATENCY;
    use super::*;

    #[test]
    fn every_fault_has_a_name() {
        let second = Duration::from_secs(1);
        for (name, fault) in [
            ("internal", Fault::Internal),
            ("unavailable", Fault::Unavailable),
            ("gateway", Fault::Gateway),
            ("partial", Fault::Partial),
            ("refused", Fault::Refused),
            ("reset", Fault::Reset),
            ("lost", Fault::Lost),
            ("hang", Fault::Hang),
            ("silent", Fault::Silent),
            ("zombie:1s", Fault::Zombie(second)),
            ("slow:1000ms", Fault::Slow(second)),
            ("truncated", Fault::Truncated),
            ("empty", Fault::Empty),
            ("garbage", Fault::Garbage),
            ("expired", Fault::Expired),
            ("denied", Fault::Denied),
        ] {
            let parsed: Faults = format!("{name}=50%").parse().unwrap();
            assert_eq!(parsed, Faults::none().share(fault, 0.5), "{name}");
            let parsed: Faults = format!("{name}@7").parse().unwrap();
            assert_eq!(parsed, Faults::none().requests(7..=7, fault), "{name}");
        }
    }

    #[test]
    fn a_text_that_is_no_fault_says_what_would_be() {
        for (text, says) in [
            ("lost", FORM),
            ("lost=5", SHARE),
            ("lost=101%", SHARE),
            ("lost@soon", WHEN),
            ("lost@9s..3s", WHEN),
            ("lost@9..3", WHEN),
            ("lost@0", WHEN),
            ("nothing@3", NAMES),
            ("zombie:soon@3", NAMES),
            ("capacity:orders@3s", UNITS),
            ("capacity:orders=5@3", TIME),
            ("latency:soon@3s", LATENCY),
        ] {
            let problem = text.parse::<Faults>().unwrap_err();
            assert_eq!(problem.problem, says, "{text}");
        }
        assert_eq!("".parse::<Faults>().unwrap(), Faults::none());
    }
}

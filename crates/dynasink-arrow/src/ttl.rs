//! When an item expires: seconds since 1970, from a date or a timestamp and a duration.
//!
//! Source: *Using time to live (TTL) in DynamoDB*, "a number, in Unix epoch time format in seconds".

use arrow_schema::{DataType, Field};

use crate::column_values::{ColumnValues, RefusedValue, Unfit, unpacked_type};
use crate::encode::zone::Zone;
use crate::instant::{InstantKind, Instants};
use crate::mapping::spec::TtlSpec;

/// The time to live that a column makes.
#[derive(Clone, Debug)]
pub(crate) struct Ttl {
    column: String,
    data_type: DataType,
    after_nanos: i128,
    /// The zone that times without one are in, if it is not UTC.
    zone: Option<Zone>,
}

/// The times to live of one batch.
#[derive(Debug)]
pub(crate) struct TtlSeconds {
    ttl: Ttl,
    values: ColumnValues,
    instants: Instants,
}

impl Ttl {
    /// What `spec` says of its column, which is `field`. A timestamp without a time zone counts as one in UTC.
    pub(crate) fn new(spec: &TtlSpec, field: &Field) -> Result<Self, Unfit> {
        let data_type = field.data_type();
        if InstantKind::of(data_type).is_none() {
            return Err(Unfit::new(
                "ttl",
                format!(
                    "column {:?} is {data_type}, and a time to live is made of a date or a timestamp: a number of seconds is one as it stands",
                    spec.ttl
                ),
            ));
        }
        let after_nanos = match &spec.after {
            None => 0,
            Some(after) => signed_nanos(after).ok_or_else(|| {
                Unfit::new(
                    "after",
                    format!("{after:?} is not a duration: write one such as 90d, 12h or -5m"),
                )
            })?,
        };
        Ok(Self {
            column: spec.ttl.clone(),
            data_type: data_type.clone(),
            after_nanos,
            zone: None,
        })
    }

    /// That of a column that is the attribute of a table's time to live. None if its values are not times, such as
    /// numbers, which are left as they are.
    pub(crate) fn of_column(field: &Field) -> Option<Self> {
        InstantKind::of(field.data_type())?;
        Some(Self {
            column: field.name().clone(),
            data_type: field.data_type().clone(),
            after_nanos: 0,
            zone: None,
        })
    }

    /// The same by what the column's own entry says: the zone that its times are in, which have none.
    pub(crate) fn in_zone(self, zone: Option<&str>) -> Result<Self, Unfit> {
        let Some(zone) = zone else {
            return Ok(self);
        };
        let is_local = matches!(unpacked_type(&self.data_type), DataType::Timestamp(_, None));
        match Zone::parse(zone) {
            Some(zone) if is_local => Ok(Self {
                zone: Some(zone),
                ..self
            }),
            _ => Err(Unfit::new(
                "ttl",
                format!(
                    "column {:?} has `assume_zone = {zone:?}`, which is a zone such as Europe/Berlin or +01:00, and of timestamps that have none",
                    self.column
                ),
            )),
        }
    }

    /// Those of a batch. None if the values are of another type.
    pub(crate) fn bind(&self, values: ColumnValues) -> Option<TtlSeconds> {
        Some(TtlSeconds {
            ttl: self.clone(),
            instants: Instants::of(values.array())?.in_zone(self.zone),
            values,
        })
    }
}

impl TtlSeconds {
    /// The second in which the item of `row` expires, a fraction dropped; none if the value is null, and the item
    /// then stays.
    pub(crate) fn get(&self, row: usize) -> Result<Option<i64>, RefusedValue> {
        if self.values.is_null(row) {
            return Ok(None);
        }
        let refused = |reason: String| RefusedValue {
            column: self.ttl.column.clone(),
            data_type: self.ttl.data_type.clone(),
            reason,
        };
        let instant = self
            .instants
            .get(row)
            .map_err(|refusal| refused(refusal.to_string()))?;
        let expires = instant
            .and_then(|instant| instant.after(self.ttl.after_nanos))
            .filter(|instant| instant.in_four_digit_years().is_some());
        match expires {
            Some(instant) => Ok(Some(instant.seconds())),
            None => Err(refused(
                "the time to live is not within the years 0000 to 9999".to_owned(),
            )),
        }
    }
}

/// A duration with a sign, in nanoseconds.
fn signed_nanos(text: &str) -> Option<i128> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let duration = humantime::parse_duration(text).ok()?;
    Some(sign * i128::try_from(duration.as_nanos()).ok()?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, Date32Array, TimestampMillisecondArray, TimestampNanosecondArray,
        TimestampSecondArray,
    };

    use arrow_schema::TimeUnit;

    use super::*;

    fn seconds(array: ArrayRef, after: Option<&str>) -> Vec<Result<Option<i64>, String>> {
        let field = Field::new("t", array.data_type().clone(), true);
        let spec = TtlSpec {
            ttl: "t".to_owned(),
            after: after.map(str::to_owned),
        };
        let rows = array.len();
        let ttl = Ttl::new(&spec, &field).unwrap();
        let seconds = ttl.bind(ColumnValues::new(array, None)).unwrap();
        (0..rows)
            .map(|row| seconds.get(row).map_err(|refused| refused.reason))
            .collect()
    }

    #[test]
    fn a_duration_is_added_and_a_fraction_dropped_towards_the_past() {
        let days = Arc::new(Date32Array::from(vec![Some(1), None]));
        assert_eq!(
            seconds(days, Some("90d")),
            [Ok(Some(91 * 86_400)), Ok(None)]
        );
        let millis = Arc::new(TimestampMillisecondArray::from(vec![1_999, -1]));
        assert_eq!(
            seconds(Arc::clone(&millis) as _, None),
            [Ok(Some(1)), Ok(Some(-1))]
        );
        assert_eq!(
            seconds(Arc::clone(&millis) as _, Some("1ms")),
            [Ok(Some(2)), Ok(Some(0))]
        );
        assert_eq!(
            seconds(millis, Some("-5m")),
            [Ok(Some(-299)), Ok(Some(-301))]
        );
        let nanos = Arc::new(TimestampNanosecondArray::from(vec![i64::MIN]));
        assert_eq!(seconds(nanos, Some("+12h")), [Ok(Some(-9_223_328_837))]);
    }

    #[test]
    fn a_local_time_expires_by_the_clock_of_its_zone() {
        let field = Field::new("t", DataType::Timestamp(TimeUnit::Second, None), true);
        let berlin = Ttl::of_column(&field)
            .unwrap()
            .in_zone(Some("Europe/Berlin"))
            .unwrap();
        // 2024-07-01T00:00:00, and a time that the change of 2024-10-27 makes twice.
        let times = TimestampSecondArray::from(vec![1_719_792_000, 1_729_994_400]);
        let seconds = berlin
            .bind(ColumnValues::new(Arc::new(times), None))
            .unwrap();
        assert_eq!(seconds.get(0), Ok(Some(1_719_784_800)));
        assert!(seconds.get(1).unwrap_err().reason.contains("clock change"));
        assert!(
            Ttl::of_column(&field)
                .unwrap()
                .in_zone(Some("Berlin"))
                .is_err()
        );
        let dates = Field::new("t", DataType::Date32, true);
        assert!(
            Ttl::of_column(&dates)
                .unwrap()
                .in_zone(Some("+01:00"))
                .is_err()
        );
    }

    #[test]
    fn what_no_year_of_four_digits_holds_rejects_the_row() {
        let sentinels = Arc::new(TimestampSecondArray::from(vec![
            i64::MAX,
            i64::MIN,
            253_402_300_799,
        ]));
        let refused = || Err("the time to live is not within the years 0000 to 9999".to_owned());
        assert_eq!(
            seconds(Arc::clone(&sentinels) as _, None),
            [refused(), refused(), Ok(Some(253_402_300_799))]
        );
        assert_eq!(
            seconds(sentinels, Some("1s")),
            [refused(), refused(), refused()]
        );
    }

    #[test]
    fn a_number_or_a_duration_without_a_unit_is_refused_before_the_first_row() {
        let spec = |after: &str| TtlSpec {
            ttl: "t".to_owned(),
            after: Some(after.to_owned()),
        };
        let times = Field::new("t", DataType::Date32, true);
        for after in ["90", "", "-", "5 parsecs", "--5m", "1h-5m"] {
            assert_eq!(Ttl::new(&spec(after), &times).unwrap_err().key, "after");
        }
        let numbers = Field::new("t", DataType::Int64, true);
        assert_eq!(Ttl::new(&spec("5m"), &numbers).unwrap_err().key, "ttl");
        assert!(Ttl::of_column(&numbers).is_none());
        assert!(Ttl::of_column(&times).is_some());
    }
}

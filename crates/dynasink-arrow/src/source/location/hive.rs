//! Hive partitions: folders named `column=value`, whose values are columns of the files in them.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Int64Array, StringViewArray};
use arrow_schema::{DataType, Field, Fields};
use chrono::{Datelike, NaiveDate};
use percent_encoding::percent_decode_str;

use super::Located;
use crate::error::{Error, Result};

/// The value that Hive writes for null.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// What becomes of folders named `column=value`.
///
/// Those count that lie directly one in another and have the file in the last: `a=1` does not in
/// `a=1/other/b=2/file.parquet`, while `b=2` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HivePartitions {
    /// Nothing: they are folders.
    Off,
    /// Columns of strings, exactly as the folders say once percent signs are decoded.
    #[default]
    Strings,
    /// Columns of integers, dates or strings.
    ///
    /// A column has integers if every one of its values is a number of 64 bits without leading zeros, and dates if
    /// every one is a date such as `2024-01-31`. Which files are there decides that, so another load may give the same
    /// column another type.
    Typed,
}

impl fmt::Display for HivePartitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Strings => "string",
            Self::Typed => "typed",
        })
    }
}

impl FromStr for HivePartitions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "string" => Ok(Self::Strings),
            "typed" => Ok(Self::Typed),
            _ => Err("partitions are off, string or typed".to_owned()),
        }
    }
}

impl HivePartitions {
    /// Finds the partition of each file and gives it its values. The fields have the order of the first file.
    pub(super) fn assign(self, files: &mut [Located]) -> Result<Fields> {
        if self == Self::Off {
            return Ok(Fields::empty());
        }
        for file in files.iter_mut() {
            file.partitions = partitions_of(&file.name)?;
        }
        let names = same_names(files)?;
        let mut fields = Vec::with_capacity(names.len());
        for name in names {
            let kind = self.kind(files, &name);
            let mut arrays = HashMap::new();
            for file in files.iter_mut() {
                let value = file.partition(&name).map(str::to_owned);
                let array = arrays
                    .entry(value)
                    .or_insert_with_key(|value| kind.array(value.as_deref()));
                file.partition_values.push(Arc::clone(array));
            }
            fields.push(Field::new(name, kind.data_type(), true));
        }
        Ok(fields.into())
    }

    fn kind(self, files: &[Located], name: &str) -> PartitionKind {
        if self != Self::Typed {
            return PartitionKind::Text;
        }
        let values = || files.iter().filter_map(|file| file.partition(name));
        if values().next().is_none() {
            PartitionKind::Text
        } else if values().all(|value| integer(value).is_some()) {
            PartitionKind::Integer
        } else if values().all(|value| date(value).is_some()) {
            PartitionKind::Date
        } else {
            PartitionKind::Text
        }
    }
}

impl Located {
    /// The value that its folder gives the column.
    fn partition(&self, column: &str) -> Option<&str> {
        let (_, value) = self.partitions.iter().find(|(name, _)| name == column)?;
        value.as_deref()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartitionKind {
    Integer,
    Date,
    Text,
}

impl PartitionKind {
    fn data_type(self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Date => DataType::Date32,
            Self::Text => DataType::Utf8View,
        }
    }

    fn array(self, value: Option<&str>) -> ArrayRef {
        match self {
            Self::Integer => Arc::new(Int64Array::from_iter([value.and_then(integer)])),
            Self::Date => Arc::new(Date32Array::from_iter([value.and_then(date)])),
            Self::Text => Arc::new(StringViewArray::from_iter([value])),
        }
    }
}

/// The integer that is written as `text` and in no other way.
fn integer(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The days from 1970-01-01 to the date that is written as `text` and in no other way.
fn date(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    (date.to_string() == text && date.year() >= 0)
        .then(|| i32::try_from(date.signed_duration_since(epoch).num_days()).ok())
        .flatten()
}

/// The partitions of the file that has this name: a path or a URL.
fn partitions_of(file: &str) -> Result<Vec<(String, Option<String>)>> {
    let mut folders = file.split(['/', std::path::MAIN_SEPARATOR]).rev();
    // The file itself is no folder.
    folders.next();
    let mut partitions: Vec<(String, Option<String>)> = Vec::new();
    for (name, value) in folders.map_while(|folder| folder.split_once('=')) {
        if name.is_empty() {
            break;
        }
        let name = decoded(file, name)?;
        if partitions.iter().any(|(other, _)| *other == name) {
            return Err(Error::PartitionTwice {
                file: file.to_owned(),
                column: name,
            });
        }
        let value = match value {
            HIVE_NULL => None,
            value => Some(decoded(file, value)?),
        };
        partitions.push((name, value));
    }
    partitions.reverse();
    Ok(partitions)
}

fn decoded(file: &str, text: &str) -> Result<String> {
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(Error::PartitionText {
            file: file.to_owned(),
            text: text.to_owned(),
        }),
    }
}

/// The partition columns, which all files must have.
fn same_names(files: &[Located]) -> Result<Vec<String>> {
    let names = |file: &Located| -> Vec<String> {
        let names = file.partitions.iter().map(|(name, _)| name.clone());
        names.collect()
    };
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names
    };
    let Some(first) = files.first() else {
        return Ok(Vec::new());
    };
    let expected = sorted(names(first));
    for file in files {
        let found = sorted(names(file));
        if found != expected {
            return Err(Error::PartitionNames {
                file: file.name.to_string(),
                first: first.name.to_string(),
                expected: listed(&expected),
                found: listed(&found),
            });
        }
    }
    Ok(names(first))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "no partition".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Date32Type, Int64Type};

    use super::super::{FileSet, Location};
    use super::*;

    fn set(names: &[&str], hive: HivePartitions) -> Result<FileSet> {
        let files = names
            .iter()
            .map(|name| Located::new(Location::Local((*name).into()), *name, 1));
        FileSet::new(files.collect(), hive)
    }

    fn texts(set: &FileSet, column: usize) -> Vec<Option<&str>> {
        let values = set.files().iter().map(|file| {
            let value = file.partition_values()[column].as_string_view();
            value.iter().next().flatten()
        });
        values.collect()
    }

    #[test]
    fn folders_become_columns_of_strings_exactly_as_written() {
        let set = set(
            &[
                "root/dt=2024-01-01/region=eu%20west/a.parquet",
                "s3://bucket/dt=007/region=__HIVE_DEFAULT_PARTITION__/b.parquet",
            ],
            HivePartitions::Strings,
        )
        .unwrap();
        let names: Vec<_> = set.partition_fields().iter().map(|f| f.name()).collect();
        assert_eq!(names, ["dt", "region"]);
        assert_eq!(texts(&set, 0), [Some("2024-01-01"), Some("007")]);
        assert_eq!(texts(&set, 1), [Some("eu west"), None]);
    }

    #[test]
    fn a_column_is_typed_only_where_every_value_reads_back_as_it_was() {
        let typed = |values: &[&str]| {
            let names: Vec<String> = values.iter().map(|v| format!("v={v}/a.parquet")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let set = set(&names, HivePartitions::Typed).unwrap();
            set.partition_fields()[0].data_type().clone()
        };
        assert_eq!(typed(&["0", "-5", HIVE_NULL]), DataType::Int64);
        assert_eq!(typed(&["2024-02-29", HIVE_NULL]), DataType::Date32);
        for texts in [
            &["07"] as &[&str],
            &["1", "x"],
            &["-0"],
            &["+1"],
            &["9223372036854775808"],
            &["2023-02-29"],
            &["2024-2-9"],
            &["1", "2024-02-29"],
            &[HIVE_NULL],
            &[""],
        ] {
            assert_eq!(typed(texts), DataType::Utf8View, "{texts:?}");
        }
    }

    #[test]
    fn typed_values_are_those_of_the_folders() {
        let set = set(
            &["n=-3/d=1970-01-11/a.parquet", "n=12/d=0001-01-01/b.parquet"],
            HivePartitions::Typed,
        )
        .unwrap();
        let values = |file: usize| set.files()[file].partition_values();
        assert_eq!(values(0)[0].as_primitive::<Int64Type>().value(0), -3);
        assert_eq!(values(0)[1].as_primitive::<Date32Type>().value(0), 10);
        assert_eq!(values(1)[1].as_primitive::<Date32Type>().value(0), -719_162);
    }

    #[test]
    fn only_the_unbroken_folders_around_the_file_count() {
        let set = set(&["run=5/table/dt=1/a.parquet"], HivePartitions::Strings).unwrap();
        assert_eq!(
            set.files()[0].partitions(),
            [("dt".to_owned(), Some("1".to_owned()))]
        );
    }

    #[test]
    fn files_of_other_partitions_are_refused_and_columns_may_change_places() {
        let error = set(&["a=1/x.parquet", "y.parquet"], HivePartitions::Strings).unwrap_err();
        assert!(
            matches!(&error, Error::PartitionNames { file, .. } if file == "y.parquet"),
            "{error}"
        );
        let set = set(&["a=1/b=2/x", "b=4/a=3/y"], HivePartitions::Strings).unwrap();
        assert_eq!(texts(&set, 0), [Some("1"), Some("3")]);
        assert_eq!(texts(&set, 1), [Some("2"), Some("4")]);
    }

    #[test]
    fn a_column_twice_in_a_path_or_text_that_is_not_utf_8_is_refused() {
        let twice = set(&["a=1/a=2/x"], HivePartitions::Strings).unwrap_err();
        assert!(matches!(twice, Error::PartitionTwice { .. }), "{twice}");
        let text = set(&["a=%ff/x"], HivePartitions::Strings).unwrap_err();
        assert!(matches!(text, Error::PartitionText { .. }), "{text}");
    }

    #[test]
    fn without_partitions_folders_are_folders() {
        let set = set(&["a=1/x", "y"], HivePartitions::Off).unwrap();
        assert!(set.partition_fields().is_empty());
        assert!(set.files()[0].partition_values().is_empty());
    }
}

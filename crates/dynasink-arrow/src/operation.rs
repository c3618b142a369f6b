//! What a row does, by a column: put, delete, or nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use arrow_schema::{DataType, Field};

use crate::column_values::{ColumnValues, RefusedValue, Unfit, unpacked_type};
use crate::encode::text::{self, Text};
use crate::mapping::spec::{NullOperation, OperationPreset, OperationSpec};

/// What a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowOperation {
    Put,
    Delete,
    Skip,
}

/// What the values of a column mean.
#[derive(Clone, Debug)]
pub(crate) struct Operations {
    column: String,
    data_type: DataType,
    of_value: HashMap<String, RowOperation>,
    /// Those of a preset that counts no case, in small letters.
    of_value_in_any_case: HashMap<&'static str, RowOperation>,
    of_null: Option<RowOperation>,
}

/// What the rows of one batch do.
pub(crate) struct RowOperations {
    operations: Operations,
    values: ColumnValues,
    texts: Box<dyn Text>,
}

impl OperationPreset {
    fn values(self) -> &'static [(&'static str, RowOperation)] {
        use RowOperation::{Delete, Put, Skip};
        match self {
            // AWS DMS, "Using Amazon S3 as a target", the column Op.
            Self::Dms => &[("I", Put), ("U", Put), ("D", Delete)],
            // Debezium's `op`; `t` truncates a table, which is no row.
            Self::Debezium => &[("c", Put), ("r", Put), ("u", Put), ("d", Delete)],
            // Delta Lake's `_change_type`.
            Self::DeltaCdf => &[
                ("insert", Put),
                ("update_postimage", Put),
                ("delete", Delete),
                ("update_preimage", Skip),
            ],
            // Iceberg's changelog, `_change_type`.
            Self::Iceberg => &[
                ("INSERT", Put),
                ("UPDATE_AFTER", Put),
                ("DELETE", Delete),
                ("UPDATE_BEFORE", Skip),
            ],
            // Flink's `RowKind` in short.
            Self::Flink => &[("+I", Put), ("+U", Put), ("-D", Delete), ("-U", Skip)],
            Self::Hudi => &[("false", Put), ("true", Delete)],
            Self::Plain => &[("insert", Put), ("update", Put), ("delete", Delete)],
        }
    }

    fn of_null(self) -> Option<RowOperation> {
        match self {
            Self::Dms | Self::Hudi => Some(RowOperation::Put),
            _ => None,
        }
    }
}

impl Operations {
    /// What `spec` says of its column, which is `field`.
    pub(crate) fn new(spec: &OperationSpec, field: &Field) -> Result<Self, Unfit> {
        let data_type = unpacked_type(field.data_type());
        let has_words =
            data_type.is_string() || data_type.is_integer() || *data_type == DataType::Boolean;
        if !has_words {
            return Err(Unfit::new(
                "column",
                format!(
                    "column {:?} is {data_type}, and an operation is a string, an integer or a boolean",
                    spec.column
                ),
            ));
        }
        let mut of_value = listed(spec, data_type)?;
        let mut of_value_in_any_case = HashMap::new();
        let preset = spec.preset.map(|preset| (preset, preset.values()));
        for (value, operation) in preset.iter().flat_map(|(_, values)| values.iter().copied()) {
            if spec.preset == Some(OperationPreset::Plain) {
                of_value_in_any_case.insert(value, operation);
            } else {
                of_value.entry(value.to_owned()).or_insert(operation);
            }
        }
        if of_value.is_empty() && of_value_in_any_case.is_empty() {
            return Err(Unfit::new(
                "column",
                "no value means anything: name a preset, or values under put, delete and skip",
            ));
        }
        Ok(Self {
            column: spec.column.clone(),
            data_type: field.data_type().clone(),
            of_value,
            of_value_in_any_case,
            of_null: match spec.null {
                Some(NullOperation::Put) => Some(RowOperation::Put),
                Some(NullOperation::Error) => None,
                None => spec.preset.and_then(OperationPreset::of_null),
            },
        })
    }

    /// Those of a batch. None if the values are not of its type.
    pub(crate) fn bind(&self, values: ColumnValues) -> Option<RowOperations> {
        let values = values.of_type(&self.data_type)?;
        Some(RowOperations {
            operations: self.clone(),
            texts: text::of(values.array())?,
            values,
        })
    }

    fn of_text(&self, text: &str) -> Option<RowOperation> {
        self.of_value.get(text).copied().or_else(|| {
            if self.of_value_in_any_case.is_empty() {
                return None;
            }
            let text = text.to_ascii_lowercase();
            self.of_value_in_any_case.get(text.as_str()).copied()
        })
    }
}

impl RowOperations {
    /// What `row` does.
    pub(crate) fn get(&self, row: usize) -> Result<RowOperation, RefusedValue> {
        let refused = |reason: &str| RefusedValue {
            column: self.operations.column.clone(),
            data_type: self.operations.data_type.clone(),
            reason: reason.to_owned(),
        };
        if self.values.is_null(row) {
            return self
                .operations
                .of_null
                .ok_or_else(|| refused("it is null, and so does not say what the row does"));
        }
        if let Some(absence) = self.values.absence(row) {
            return Err(refused(absence));
        }
        let mut buffer = String::new();
        let text = self
            .texts
            .text(row, &mut buffer)
            .map_err(|refusal| refused(&refusal.to_string()))?;
        self.operations.of_text(text).ok_or_else(|| {
            refused("the mapping does not say what a row of this value does: put, delete or skip")
        })
    }
}

impl fmt::Debug for RowOperations {
    /// Shows no values: they are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowOperations").finish_non_exhaustive()
    }
}

/// The values that `spec` lists, each of which a value of `data_type` can be.
fn listed(
    spec: &OperationSpec,
    data_type: &DataType,
) -> Result<HashMap<String, RowOperation>, Unfit> {
    let lists = [
        ("put", &spec.put, RowOperation::Put),
        ("delete", &spec.delete, RowOperation::Delete),
        ("skip", &spec.skip, RowOperation::Skip),
    ];
    let mut of_value = HashMap::new();
    for (key, values, operation) in lists {
        for (index, value) in values.iter().enumerate() {
            let unfit = |reason| Unfit {
                key,
                index: Some(index),
                reason,
            };
            if !can_be(value, data_type) {
                return Err(unfit(format!(
                    "no value of {data_type} is written {value:?}"
                )));
            }
            match of_value.entry(value.clone()) {
                Entry::Vacant(place) => {
                    place.insert(operation);
                }
                Entry::Occupied(_) => {
                    return Err(unfit(format!("{value:?} is listed twice")));
                }
            }
        }
    }
    Ok(of_value)
}

/// Whether `text` is the canonical text of some value of `data_type`.
fn can_be(text: &str, data_type: &DataType) -> bool {
    match data_type {
        DataType::Boolean => matches!(text, "true" | "false"),
        _ if data_type.is_integer() => text
            .parse::<i128>()
            .is_ok_and(|number| number.to_string() == text),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, Float32Array, Int16Array, StringArray};

    use super::*;
    use RowOperation::{Delete, Put, Skip};

    fn spec() -> OperationSpec {
        OperationSpec {
            column: "op".to_owned(),
            preset: None,
            put: Vec::new(),
            delete: Vec::new(),
            skip: Vec::new(),
            null: None,
        }
    }

    fn of_preset(preset: OperationPreset) -> OperationSpec {
        OperationSpec {
            preset: Some(preset),
            ..spec()
        }
    }

    fn list(values: &[&str]) -> Vec<String> {
        values.iter().map(|&value| value.to_owned()).collect()
    }

    /// None where the row is rejected.
    fn operations(spec: &OperationSpec, array: ArrayRef) -> Vec<Option<RowOperation>> {
        let field = Field::new("op", array.data_type().clone(), true);
        let rows = array.len();
        let operations = Operations::new(spec, &field).unwrap();
        let operations = operations.bind(ColumnValues::new(array, None)).unwrap();
        (0..rows).map(|row| operations.get(row).ok()).collect()
    }

    fn of_strings(preset: OperationPreset, values: &[Option<&str>]) -> Vec<Option<RowOperation>> {
        let array = StringArray::from(values.to_vec());
        operations(&of_preset(preset), Arc::new(array))
    }

    #[test]
    fn each_tool_has_its_words() {
        use OperationPreset as P;
        let some = |values: &[&'static str]| values.iter().copied().map(Some).collect::<Vec<_>>();
        let (put, delete, skip) = (Some(Put), Some(Delete), Some(Skip));
        assert_eq!(
            of_strings(P::Dms, &[Some("I"), Some("U"), Some("D"), None, Some("i")]),
            [put, put, delete, put, None]
        );
        assert_eq!(
            of_strings(
                P::Debezium,
                &[Some("c"), Some("r"), Some("u"), Some("d"), Some("t"), None]
            ),
            [put, put, put, delete, None, None]
        );
        let delta = ["insert", "update_postimage", "delete", "update_preimage"];
        assert_eq!(
            of_strings(P::DeltaCdf, &some(&delta)),
            [put, put, delete, skip]
        );
        let iceberg = ["INSERT", "UPDATE_AFTER", "DELETE", "UPDATE_BEFORE"];
        assert_eq!(
            of_strings(P::Iceberg, &some(&iceberg)),
            [put, put, delete, skip]
        );
        assert_eq!(
            of_strings(P::Flink, &some(&["+I", "+U", "-D", "-U", "I"])),
            [put, put, delete, skip, None]
        );
        assert_eq!(
            of_strings(P::Plain, &some(&["insert", "UPDATE", "Delete", "upsert"])),
            [put, put, delete, None]
        );
        let flags = BooleanArray::from(vec![Some(true), Some(false), None]);
        assert_eq!(
            operations(&of_preset(P::Hudi), Arc::new(flags)),
            [delete, put, put]
        );
    }

    #[test]
    fn lists_come_on_top_of_a_preset() {
        let spec = OperationSpec {
            skip: list(&["t", "d"]),
            null: Some(NullOperation::Put),
            ..of_preset(OperationPreset::Debezium)
        };
        let array = StringArray::from(vec![Some("t"), Some("d"), Some("c"), None]);
        assert_eq!(
            operations(&spec, Arc::new(array)),
            [Some(Skip), Some(Skip), Some(Put), Some(Put)]
        );
        let strict = OperationSpec {
            null: Some(NullOperation::Error),
            ..of_preset(OperationPreset::Dms)
        };
        let null = StringArray::from(vec![None::<&str>]);
        assert_eq!(operations(&strict, Arc::new(null)), [None]);
    }

    #[test]
    fn numbers_mean_what_their_text_says() {
        let spec = OperationSpec {
            put: list(&["1", "2"]),
            delete: list(&["-1"]),
            ..spec()
        };
        let array = Int16Array::from(vec![1, 2, -1, 0]);
        assert_eq!(
            operations(&spec, Arc::new(array)),
            [Some(Put), Some(Put), Some(Delete), None]
        );
    }

    #[test]
    fn words_that_mean_nothing_are_refused_before_the_first_row() {
        let unfit = |spec: &OperationSpec, data_type| {
            let unfit = Operations::new(spec, &Field::new("op", data_type, true)).unwrap_err();
            (unfit.key, unfit.index)
        };
        let twice = OperationSpec {
            put: list(&["a"]),
            delete: list(&["d", "a"]),
            ..spec()
        };
        assert_eq!(unfit(&twice, DataType::Utf8), ("delete", Some(1)));
        let not_canonical = OperationSpec {
            put: list(&["01"]),
            ..spec()
        };
        assert_eq!(unfit(&not_canonical, DataType::Int8), ("put", Some(0)));
        assert_eq!(unfit(&not_canonical, DataType::Boolean), ("put", Some(0)));
        assert_eq!(unfit(&spec(), DataType::Utf8), ("column", None));
        let floats = Float32Array::from(vec![1.0]);
        let dms = of_preset(OperationPreset::Dms);
        assert_eq!(
            unfit(&dms, arrow_array::Array::data_type(&floats).clone()),
            ("column", None)
        );
    }
}

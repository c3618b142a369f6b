//! A predicate on the columns of one file: names resolved, literals typed.

use std::sync::Arc;

use arrow_array::{ArrayRef, Scalar};
use arrow_schema::{DataType, Field, FieldRef, Schema};

use super::literal::{Refusal, typed, values_type};
use super::predicate::{ColumnRef, Comparison, Literal, LiteralValue, Predicate};
use crate::error::{ColumnList, Error, Result};

/// A predicate whose columns are those of a file.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(BoundColumn, Comparison, Scalar<ArrayRef>),
    /// A string column, and a pattern of SQL.
    Like(BoundColumn, String),
    IsNull(BoundColumn),
    /// A comparison with NULL, which is neither true nor false.
    Unknown,
}

/// A column of a file.
#[derive(Clone, Debug)]
pub(super) struct BoundColumn {
    pub(super) path: Arc<[String]>,
    /// The type that it is compared as: that of its values in the file, or a wider one.
    pub(super) compared_as: DataType,
    /// Whether the file lacks it, so that it is null in every row.
    pub(super) missing: bool,
}

/// The schemas that a filter is bound to.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a> {
    /// Of the file.
    pub(super) own: &'a Schema,
    /// Of all files, with types at least as wide.
    pub(super) united: &'a Schema,
}

impl Schemas<'_> {
    pub(super) fn bind(self, predicate: &Predicate) -> Result<Bound> {
        let all = |parts: &[Predicate]| -> Result<Vec<Bound>> {
            parts.iter().map(|part| self.bind(part)).collect()
        };
        Ok(match predicate {
            Predicate::All(parts) => Bound::All(all(parts)?),
            Predicate::Any(parts) => Bound::Any(all(parts)?),
            Predicate::Not(part) => Bound::Not(Box::new(self.bind(part)?)),
            Predicate::IsNull(column) => {
                let found = self.find(column)?;
                let compared_as = found.united.data_type().clone();
                Bound::IsNull(found.column(column, compared_as))
            }
            Predicate::Compare(column, comparison, literal) => {
                let found = self.find(column)?;
                if literal.value == LiteralValue::Null {
                    return Ok(Bound::Unknown);
                }
                let value = found
                    .typed(&literal.value)
                    .map_err(|advice| refused_value(column, found.united, literal, &advice))?;
                let compared_as = value.data_type().clone();
                let column = found.column(column, compared_as);
                Bound::Compare(column, *comparison, Scalar::new(value))
            }
            Predicate::Like(column, pattern) => {
                let found = self.find(column)?;
                let refused =
                    |advice: &str| refused_value(column, found.united, pattern, &advice.to_owned());
                let text = match &pattern.value {
                    LiteralValue::Null => return Ok(Bound::Unknown),
                    LiteralValue::Text(text) => text.clone(),
                    _ => return Err(refused("write the pattern in single quotes")),
                };
                match values_type(found.united.data_type()) {
                    DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {}
                    _ => return Err(refused("LIKE is for strings")),
                }
                Bound::Like(found.column(column, DataType::Utf8View), text)
            }
        })
    }

    fn find(&self, column: &ColumnRef) -> Result<Found<'_>> {
        let united =
            field_at(self.united, &column.path).map_err(|available| Error::FilterColumn {
                place: column.place,
                column: column.name(),
                available,
            })?;
        Ok(Found {
            united,
            own: field_at(self.own, &column.path).ok(),
        })
    }
}

fn refused_value(column: &ColumnRef, field: &Field, literal: &Literal, advice: &Refusal) -> Error {
    let name = column.name();
    let data_type = values_type(field.data_type());
    let literal_text = &literal.value;
    Error::FilterLiteral {
        place: literal.place,
        reason: format!(
            "{literal_text} is not exactly a value of column {name:?}, which is {data_type}: {advice}"
        ),
        column: name,
    }
}

/// A column in the file, if it has it, and in all files.
struct Found<'a> {
    own: Option<&'a Field>,
    united: &'a Field,
}

impl Found<'_> {
    /// The literal in the type of the file, so that a float is compared by the text it has there, or in the wider
    /// type if the file's own does not have the value.
    fn typed(&self, literal: &LiteralValue) -> Result<ArrayRef, Refusal> {
        match self.own.map(|own| typed(literal, own)) {
            Some(Ok(value)) => Ok(value),
            _ => typed(literal, self.united),
        }
    }

    fn column(&self, column: &ColumnRef, compared_as: DataType) -> BoundColumn {
        BoundColumn {
            path: column.path.clone().into(),
            compared_as,
            missing: self.own.is_none(),
        }
    }
}

/// The field at the end of `path`, or what there is where it leaves the schema.
fn field_at<'a>(schema: &'a Schema, path: &[String]) -> Result<&'a Field, ColumnList> {
    let mut fields: &[FieldRef] = schema.fields();
    let mut found: Option<&Field> = None;
    for name in path {
        let next = fields.iter().find(|field| field.name() == name);
        let Some(next) = next else {
            // A name with a dot in it is quoted, so all names are listed as they are written.
            let within = found.map(|field| format!("{}.", field.name()));
            let names: Vec<String> = fields
                .iter()
                .map(|field| format!("{}{}", within.as_deref().unwrap_or(""), field.name()))
                .collect();
            let asked = path.join(".");
            return Err(ColumnList::for_name(
                &asked,
                names.iter().map(String::as_str),
            ));
        };
        found = Some(next);
        fields = match next.data_type() {
            DataType::Struct(inner) => inner,
            _ => &[],
        };
    }
    found.ok_or_else(|| ColumnList::for_name("", []))
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn bind(text: &str, own: &Schema, united: &Schema) -> Result<Bound> {
        Schemas { own, united }.bind(&parse(text)?)
    }

    fn schema(fields: &[(&str, DataType)]) -> Schema {
        let fields = fields
            .iter()
            .map(|(name, data_type)| Field::new(*name, data_type.clone(), true));
        Schema::new(fields.collect::<Vec<_>>())
    }

    fn compared_as(bound: &Bound) -> &DataType {
        match bound {
            Bound::Compare(column, ..) => &column.compared_as,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_unknown_column_is_told_with_its_place_and_the_nearest_name() {
        let inner = Field::new("city", DataType::Utf8, true);
        let schema = schema(&[
            ("customer_id", DataType::Int64),
            ("address", DataType::Struct(vec![inner].into())),
        ]);
        let refusal = |text| bind(text, &schema, &schema).unwrap_err().to_string();
        assert_eq!(
            refusal("address IS NULL AND custmer_id = 1"),
            "filter, character 21: no column is named \"custmer_id\": is \"customer_id\" meant? the columns are \"customer_id\", \"address\""
        );
        assert!(refusal("address.cty = 'x'").contains("is \"address.city\" meant?"));
        assert!(refusal("customer_id.x = 1").contains("there are no columns"));
        assert!(bind("address.city = 'x'", &schema, &schema).is_ok());
    }

    #[test]
    fn a_literal_of_another_type_is_told_with_its_place_and_the_type() {
        let schema = schema(&[("n", DataType::Int8)]);
        assert_eq!(
            bind("n = 1.5", &schema, &schema).unwrap_err().to_string(),
            "filter, character 5: 1.5 is not exactly a value of column \"n\", which is Int8: the column holds whole numbers"
        );
        assert!(bind("n LIKE 'a%'", &schema, &schema).is_err());
        assert!(matches!(
            bind("n = NULL", &schema, &schema),
            Ok(Bound::Unknown)
        ));
        assert!(bind("x = NULL", &schema, &schema).is_err());
    }

    #[test]
    fn a_literal_that_only_the_wider_type_has_is_compared_in_that_type() {
        let own = schema(&[("n", DataType::Int32), ("f", DataType::Float32)]);
        let united = schema(&[
            ("n", DataType::Int64),
            ("f", DataType::Float64),
            ("later", DataType::Int8),
        ]);
        let of = |text| bind(text, &own, &united).unwrap();
        assert_eq!(compared_as(&of("n = 5")), &DataType::Int32);
        assert_eq!(compared_as(&of("n = 3000000000")), &DataType::Int64);
        assert_eq!(compared_as(&of("f = 0.1")), &DataType::Float32);
        assert_eq!(compared_as(&of("f = 16777217")), &DataType::Float64);
        assert!(matches!(
            of("later = 1"),
            Bound::Compare(BoundColumn { missing: true, .. }, ..)
        ));
    }
}

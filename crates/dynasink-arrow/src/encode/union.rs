//! Unions as the value of the type that a row has, or as M of the type's name and that value.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, UnionArray};
use arrow_schema::UnionFields;
use dynasink_core::{AttributeName, ValueEncoder, ValueKind};

use super::absent::Place;
use super::{Column, Encode, Encoding, Step, ValueError};
use crate::error::{Error, Result};
use crate::mapping::rules::ValuePath;

/// What the values of each type of a union become.
#[derive(Debug)]
pub(super) struct UnionForm {
    types: Vec<(i8, AttributeName, Encoding)>,
    tagged: bool,
}

impl UnionForm {
    /// `place` is that of the union, where its value stands if it is not tagged.
    pub(super) fn new(
        path: &ValuePath<'_>,
        fields: &UnionFields,
        place: Place,
        tagged: bool,
    ) -> Result<Self> {
        // The tag stays where its value is null.
        let place = if tagged { Place::Element } else { place };
        let types = fields
            .iter()
            .map(|(id, field)| {
                let path = path.field(field.name());
                let name =
                    AttributeName::new(field.name()).map_err(|source| Error::ColumnName {
                        column: path.to_string(),
                        source,
                    })?;
                Ok((id, name, Encoding::in_place(&path, field, place)?))
            })
            .collect::<Result<_>>()?;
        Ok(Self { types, tagged })
    }

    /// Whether a row whose value is null still has something to say: the type that it has.
    pub(super) fn is_tagged(&self) -> bool {
        self.tagged
    }

    /// The type of the values; none if there are several.
    pub(super) fn kind(&self) -> Option<ValueKind> {
        if self.tagged {
            return Some(ValueKind::M);
        }
        let mut kinds = self.types.iter().map(|(_, _, encoding)| encoding.kind());
        let first = kinds.next()?;
        kinds.all(|kind| kind == first).then_some(first)
    }
}

struct Unions {
    array: UnionArray,
    encoding: Arc<UnionForm>,
    /// The values of each type, in the order of the encoding.
    columns: Vec<Column>,
    /// Which of these a type id means.
    column_of_id: [Option<usize>; 128],
}

impl Encode for Unions {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let column = usize::try_from(self.array.type_id(row))
            .ok()
            .and_then(|id| self.column_of_id.get(id).copied().flatten());
        let Some(column) = column else {
            return Err(value
                .unsupported("its type is none of those that the union has")
                .into());
        };
        let (_, name, _) = &self.encoding.types[column];
        let of_type = |error: ValueError| error.within(Step::Field(name.as_str().to_owned()));
        let row = self.array.value_offset(row);
        if self.encoding.tagged {
            let mut map = value.map()?;
            let value = map.attribute(name.as_str())?;
            self.columns[column].encode(row, value).map_err(of_type)
        } else {
            self.columns[column].encode(row, value).map_err(of_type)
        }
    }
}

pub(super) fn encoder(array: &dyn Array, encoding: &Arc<UnionForm>) -> Option<Box<dyn Encode>> {
    let array = array.as_union_opt()?.clone();
    let mut column_of_id = [None; 128];
    let mut columns = Vec::with_capacity(encoding.types.len());
    for (at, (id, _, encoding)) in encoding.types.iter().enumerate() {
        if !array.fields().iter().any(|(known, _)| known == *id) {
            return None;
        }
        columns.push(Column::new(array.child(*id), encoding)?);
        *column_of_id.get_mut(usize::try_from(*id).ok()?)? = Some(at);
    }
    Some(Box::new(Unions {
        array,
        encoding: Arc::clone(encoding),
        columns,
        column_of_id,
    }))
}

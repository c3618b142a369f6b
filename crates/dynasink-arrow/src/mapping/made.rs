//! Attributes that are made of columns: texts of templates and times to live.

use std::sync::Arc;

use arrow_array::RecordBatch;
use dynasink_core::ValueEncoder;

use super::address::Place;
use crate::column_values::RefusedValue;
use crate::encode::ValueError;
use crate::template::{BoundTemplate, TemplateTexts};
use crate::ttl::{Ttl, TtlSeconds};

/// The text of a template.
#[derive(Clone, Debug)]
pub(crate) struct TemplateSource {
    pub(super) template: Arc<BoundTemplate>,
    /// Where the columns of its placeholders are, in their order.
    pub(super) places: Arc<[Place]>,
}

/// When an item expires.
#[derive(Clone, Debug)]
pub(crate) struct TtlSource {
    pub(super) ttl: Ttl,
    pub(super) place: Place,
}

impl TemplateSource {
    pub(super) fn needs(&self, column: usize) -> bool {
        self.places.iter().any(|place| place.column == column)
    }

    pub(super) fn bind(&self, batch: &RecordBatch) -> Option<TemplateTexts> {
        let columns = self.places.iter().map(|place| place.values(batch));
        TemplateTexts::new(&self.template, columns.collect::<Option<_>>()?)
    }
}

impl TtlSource {
    pub(super) fn bind(&self, batch: &RecordBatch) -> Option<TtlSeconds> {
        self.ttl.bind(self.place.values(batch)?)
    }
}

/// Writes the text of `row`.
pub(super) fn write_text(
    texts: &TemplateTexts,
    row: usize,
    value: ValueEncoder<'_>,
) -> Result<(), ValueError> {
    let mut text = String::new();
    match texts.write(row, &mut text) {
        Ok(()) => Ok(value.string(&text)?),
        Err(refused) => Err(refuse(value, refused)),
    }
}

/// Writes when the item of `row` expires, or nothing if it does not.
pub(super) fn write_seconds(
    seconds: &TtlSeconds,
    row: usize,
    value: ValueEncoder<'_>,
) -> Result<(), ValueError> {
    match seconds.get(row) {
        Ok(None) => Ok(()),
        Ok(Some(seconds)) => Ok(value.integer(seconds)?),
        Err(refused) => Err(refuse(value, refused)),
    }
}

fn refuse(value: ValueEncoder<'_>, refused: RefusedValue) -> ValueError {
    let error = value.unsupported(refused.reason.clone());
    refused.error(error)
}

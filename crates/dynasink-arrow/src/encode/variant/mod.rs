//! Parquet's VARIANT: values of any type in a binary encoding, parts of which may be columns of their own.
//!
//! ```text
//! metadata, value, typed_value ─ Shredded ─▶ Value ─▶ M, L, S, N, BOOL, NULL, B, or JSON text
//! ```
//!
//! Source: *Parquet*, "Variant Binary Encoding" and "Variant Shredding".

mod bounds;
mod read;
mod shredded;
mod value;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryViewArray, StructArray};
use dynasink_core::{ValueEncoder, ValueKind};
use parquet::variant::{VariantArray, VariantMetadata, unshred_variant};

use self::shredded::Shredded;
use self::value::Value;
use super::fallback::Fallbacks;
use super::refusal::Refusal;
use super::{Encode, ValueError};
use crate::mapping::spec::Nonfinite;

/// What the values of a VARIANT become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VariantForm {
    /// What each of them is: M, L, S, N, BOOL, NULL or B.
    Native {
        /// What becomes of a number that DynamoDB has no place for, if it is the whole value.
        whole: Fallbacks,
        /// The same inside of a list or an object.
        parts: Fallbacks,
    },
    /// The bytes of the metadata and, right behind them, of the value, B.
    Bytes,
}

impl VariantForm {
    /// The type of the values; M for what can be of several.
    pub(super) fn kind(self) -> ValueKind {
        match self {
            Self::Native { .. } => ValueKind::M,
            Self::Bytes => ValueKind::B,
        }
    }
}

/// The values of one array.
pub(super) struct Variants {
    array: StructArray,
    metadata: BinaryViewArray,
    shredded: Shredded,
}

const BAD_METADATA: Refusal = Refusal::OutOfRange("the metadata of its VARIANT is invalid");
const MISSING_NAME: Refusal =
    Refusal::OutOfRange("the metadata of its VARIANT does not have the name of a shredded field");

impl Variants {
    /// # Errors
    ///
    /// What the specification does not allow such an array to be.
    pub(super) fn new(array: &dyn Array) -> Result<Self, &'static str> {
        let array = array
            .as_struct_opt()
            .ok_or("a VARIANT is a struct of metadata and value")?;
        let metadata = array
            .column_by_name("metadata")
            .ok_or("a VARIANT has metadata")?;
        Ok(Self {
            metadata: shredded::bytes(metadata)?,
            shredded: Shredded::new(array)?,
            array: array.clone(),
        })
    }

    fn metadata(&self, row: usize) -> Result<VariantMetadata<'_>, Refusal> {
        if self.metadata.is_null(row) {
            return Err(BAD_METADATA);
        }
        VariantMetadata::try_new(self.metadata.value(row)).map_err(|_| BAD_METADATA)
    }

    fn value(&self, row: usize) -> Result<Value<'_>, Refusal> {
        let metadata = self.metadata(row)?;
        // A value that is in neither of its columns is null where it is required: "Variant Shredding".
        let value = self.shredded.value(row, &metadata)?;
        Ok(value.unwrap_or(Value::Null))
    }

    pub(super) fn write_json(
        &self,
        row: usize,
        nonfinite: Nonfinite,
        out: &mut String,
    ) -> Result<(), Refusal> {
        self.value(row)?.write_json(nonfinite, out)
    }

    /// The bytes of the metadata and of the value.
    fn bytes(&self, row: usize) -> Result<Vec<u8>, Refusal> {
        // What cannot be read is not handed on.
        self.value(row)?;
        let mut bytes = self.metadata.value(row).to_vec();
        if let Some(value) = self.shredded.unshredded(row) {
            bytes.extend_from_slice(value);
            return Ok(bytes);
        }
        if !self.shredded.names_are_in(row, &self.metadata(row)?) {
            return Err(MISSING_NAME);
        }
        let unshredded = VariantArray::try_new(&self.array.slice(row, 1))
            .and_then(|array| unshred_variant(&array))
            .map_err(|_| shredded::INVALID)?;
        let value = shredded::bytes(unshredded.value_column()).map_err(Refusal::OutOfRange)?;
        bytes.extend_from_slice(value.value(0));
        Ok(bytes)
    }
}

pub(super) fn encoder(array: &dyn Array, form: VariantForm) -> Option<Box<dyn Encode>> {
    let variants = Variants::new(array).ok()?;
    Some(Box::new(Encoder { variants, form }))
}

struct Encoder {
    variants: Variants,
    form: VariantForm,
}

impl Encode for Encoder {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        match self.form {
            VariantForm::Native { whole, parts } => match self.variants.value(row) {
                Ok(variant) => variant.write(value, whole, parts),
                Err(refusal) => refusal.refuse(value),
            },
            VariantForm::Bytes => match self.variants.bytes(row) {
                Ok(bytes) => Ok(value.binary(&bytes)?),
                Err(refusal) => refusal.refuse(value),
            },
        }
    }
}

#[cfg(test)]
mod tests;

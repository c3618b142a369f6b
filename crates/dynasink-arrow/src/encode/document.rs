//! Strings of JSON as what they say.

use arrow_array::Array;
use dynasink_core::ValueEncoder;

use super::text::{self, Text};
use super::{Encode, ValueError};

/// Which JSON the strings hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentForm {
    /// JSON whose values have the types that they look like.
    Plain,
    /// DynamoDB JSON, which names its types.
    Typed,
}

/// What the strings of `array` say; none if it has no strings.
pub(super) fn encoder(array: &dyn Array, form: DocumentForm) -> Option<Box<dyn Encode>> {
    if !array.data_type().is_string() {
        return None;
    }
    let texts = text::of(array)?;
    Some(Box::new(Documents { texts, form }))
}

struct Documents {
    texts: Box<dyn Text>,
    form: DocumentForm,
}

impl Encode for Documents {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let mut buffer = String::new();
        match self.texts.text(row, &mut buffer) {
            Ok(json) => match self.form {
                DocumentForm::Plain => Ok(value.document(json)?),
                DocumentForm::Typed => Ok(value.dynamodb_json(json)?),
            },
            Err(refusal) => refusal.refuse(value),
        }
    }
}

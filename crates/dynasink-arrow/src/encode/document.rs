//! Strings of JSON as what they say.

use dynasink_core::ValueEncoder;

use super::text::Text;
use super::{Encode, ValueError};

/// Which JSON the strings hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentForm {
    /// JSON whose values have the types that they look like.
    Plain,
    /// DynamoDB JSON, which names its types.
    Typed,
}

/// Texts of JSON as maps, lists and scalars.
pub(super) struct Documents {
    pub(super) texts: Box<dyn Text>,
    pub(super) form: DocumentForm,
}

impl Encode for Documents {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let mut buffer = String::new();
        match self.texts.text(row, &mut buffer) {
            Ok(json) => Ok(match self.form {
                DocumentForm::Plain => value.document(json)?,
                DocumentForm::Typed => value.dynamodb_json(json)?,
            }),
            Err(refusal) => refusal.refuse(value),
        }
    }
}

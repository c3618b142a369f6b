//! What is said of a value beside the word for its form.

use arrow_schema::DataType;

use super::Plan;
use crate::encode::zone::Zone;
use crate::error::{Error, Result};
use crate::mapping::spec::EncodeAs;

impl Plan<'_, '_> {
    /// Refuses what is said beside the word and would be passed over.
    pub(super) fn check_options(&self, word: EncodeAs) -> Result<()> {
        let data_type = self.field.data_type();
        let naive = matches!(data_type, DataType::Timestamp(_, None));
        let refuse = |option, reason| {
            Err(Error::ColumnOption {
                column: self.path.to_string(),
                data_type: data_type.clone(),
                option,
                reason,
            })
        };
        match (self.rules.scale, word) {
            (None, EncodeAs::Decimal) => {
                return refuse("scale", "`decimal` needs it: the digits behind the point");
            }
            (Some(_), word) if word != EncodeAs::Decimal => {
                return refuse("scale", "it belongs to `as = \"decimal\"`");
            }
            _ => {}
        }
        match (self.rules.separator, word) {
            (None | Some(""), EncodeAs::Ss) if data_type.is_string() => {
                return refuse(
                    "separator",
                    "`SS` of a string needs what stands between its members",
                );
            }
            (Some(_), word) if word != EncodeAs::Ss || !data_type.is_string() => {
                return refuse("separator", "it belongs to a string with `as = \"SS\"`");
            }
            _ => {}
        }
        match self.rules.assume_zone {
            Some(_) if !naive => refuse(
                "assume_zone",
                "it belongs to a timestamp that has no time zone of its own",
            ),
            Some(zone) if Zone::parse(zone).is_none() => refuse(
                "assume_zone",
                "it is neither a zone such as `Europe/Berlin` nor an offset such as `+01:00`",
            ),
            None if naive && word == EncodeAs::Zoned => {
                refuse("assume_zone", "`zoned` needs it where the type has no zone")
            }
            _ => Ok(()),
        }
    }
}

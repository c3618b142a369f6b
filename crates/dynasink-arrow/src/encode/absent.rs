//! What stands where there is no value: nothing, or NULL.

use dynasink_core::{Result, ValueEncoder};

use crate::mapping::spec::Nulls;

/// Where a value stands, which decides whether it can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An attribute of the item or of a struct: it can.
    Attribute,
    /// An element of a list or a value of a map, whose place or key has to stay.
    Element,
}

/// What is written in the place of a value that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    Omitted,
    Null,
}

impl Place {
    /// What is left of a value that is omitted here.
    pub(super) fn omitted(self) -> Absent {
        match self {
            Self::Attribute => Absent::Omitted,
            Self::Element => Absent::Null,
        }
    }

    /// What a null becomes here.
    pub(super) fn null(self, nulls: Option<Nulls>) -> Absent {
        match nulls.unwrap_or_default() {
            Nulls::Omit => self.omitted(),
            Nulls::Null => Absent::Null,
        }
    }
}

impl Absent {
    pub(super) fn write(self, value: ValueEncoder<'_>) -> Result<()> {
        match self {
            // A value that is not written leaves nothing.
            Self::Omitted => Ok(()),
            Self::Null => value.null(),
        }
    }
}

//! A value that cannot be written, and the way to it.

use std::fmt;

use arrow_schema::DataType;
use dynasink_core::{Error, ValueLocation};

/// Why a row cannot be written, with the value that is to blame if it is one.
#[derive(Debug)]
pub(crate) struct ValueError(Box<Refused>);

#[derive(Debug)]
struct Refused {
    /// From the value out to its column.
    way: Vec<Step>,
    /// The type of the value; none if the row as a whole is to blame.
    data_type: Option<DataType>,
    source: Error,
}

/// One step on the way from a column to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A column, or a field of a struct.
    Field(String),
    /// An element of a list or an entry of a map, by its place from zero.
    Element(usize),
}

impl ValueError {
    /// The same of a value of `data_type`, unless a value inside of it is to blame.
    pub(crate) fn of(mut self, data_type: &DataType) -> Self {
        self.0.data_type.get_or_insert_with(|| data_type.clone());
        self
    }

    /// The same, seen from outside of `step`.
    pub(crate) fn within(mut self, step: Step) -> Self {
        self.0.way.push(step);
        self
    }

    /// Why.
    pub(crate) fn reason(&self) -> &Error {
        &self.0.source
    }

    /// Where the value stands and what it is; none if the row as a whole is to blame.
    pub(crate) fn value(&self) -> Option<ValueLocation> {
        let kind = self.0.data_type.as_ref()?.to_string();
        let mut column = String::new();
        for step in self.0.way.iter().rev() {
            match step {
                Step::Field(_) if column.is_empty() => {}
                Step::Field(_) => column.push('.'),
                Step::Element(_) => {}
            }
            column.push_str(&step.to_string());
        }
        Some(ValueLocation { column, kind })
    }
}

impl From<Error> for ValueError {
    #[cold]
    fn from(source: Error) -> Self {
        Self(Box::new(Refused {
            way: Vec::new(),
            data_type: None,
            source,
        }))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => f.write_str(name),
            Self::Element(at) => write!(f, "[{at}]"),
        }
    }
}

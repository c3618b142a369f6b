//! Which column, or which part of one, the words of a mapping mean.
//!
//! A column is addressed by its name, or by its place as `#3`; a part of it by a pointer, as in RFC 6901: `/address/zip`
//! is a field of a struct, `/lines/*/price` one of each element. A name of a column comes before all else.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};

use super::error::MappingProblem;
use super::near::Near;

/// The columns of a schema by their addresses.
pub(crate) struct Columns<'a> {
    schema: &'a Schema,
    by_name: HashMap<&'a str, Vec<usize>>,
}

/// A column or a part of one.
pub(crate) struct Address<'a> {
    /// The one address that all addresses of it have in common.
    pub(crate) canonical: String,
    /// What messages call it: `address.zip`, `lines[].price`.
    pub(crate) display: String,
    pub(crate) field: &'a Field,
    /// The column in the schema.
    pub(crate) column: usize,
    /// Whether it is an element of a list, a value of a map or a member of a union, which has no name.
    pub(crate) is_element: bool,
    /// The way from the column to it by fields of structs; none if a row may have many of it.
    fields: Option<Vec<usize>>,
}

/// Where a value of a row stands: in a column of the schema, or in a struct in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) column: usize,
    pub(crate) fields: Vec<usize>,
}

impl<'a> Columns<'a> {
    pub(crate) fn new(schema: &'a Schema) -> Self {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, field) in schema.fields().iter().enumerate() {
            by_name.entry(field.name()).or_default().push(index);
        }
        Self { schema, by_name }
    }

    /// The address of a column that no other column has.
    pub(crate) fn canonical(&self, column: usize) -> String {
        let name = self.schema.field(column).name();
        let is_unique = self
            .by_name
            .get(name.as_str())
            .is_some_and(|all| all.len() == 1);
        if is_unique && !name.starts_with(['/', '#']) {
            name.clone()
        } else {
            format!("#{column}")
        }
    }

    /// What `address` means.
    pub(crate) fn find(&self, address: &str) -> Result<Address<'a>, MappingProblem> {
        if !self.by_name.contains_key(address)
            && let Some(pointer) = address.strip_prefix('/')
        {
            return self.part(address, pointer);
        }
        let column = self.column(address)?;
        Ok(Address {
            canonical: self.canonical(column),
            display: self.schema.field(column).name().clone(),
            field: self.schema.field(column),
            column,
            is_element: false,
            fields: Some(Vec::new()),
        })
    }

    /// The column that `address`, a name or a place, means.
    fn column(&self, address: &str) -> Result<usize, MappingProblem> {
        match self.by_name.get(address).map(Vec::as_slice) {
            Some([column]) => return Ok(*column),
            Some(columns) => {
                return Err(MappingProblem::AmbiguousColumn {
                    column: address.to_owned(),
                    count: columns.len(),
                    example: columns
                        .first()
                        .map(|at| format!("#{at}"))
                        .unwrap_or_default(),
                });
            }
            None => {}
        }
        let place = address.strip_prefix('#').and_then(|at| at.parse().ok());
        place
            .filter(|place| *place < self.schema.fields().len())
            .ok_or_else(|| MappingProblem::UnknownColumn {
                column: address.to_owned(),
                available: self.near(address),
            })
    }

    /// The columns there are, in place of `asked`.
    pub(crate) fn near(&self, asked: &str) -> Near {
        Near::to(asked, "columns", self.names())
    }

    /// The names of all columns, in the order of the schema.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
    }

    fn part(&self, address: &str, pointer: &str) -> Result<Address<'a>, MappingProblem> {
        let mut segments = pointer.split('/').map(unescape);
        let column = self.column(&segments.next().unwrap_or_default())?;
        let mut part = Part {
            field: self.schema.field(column),
            display: self.schema.field(column).name().clone(),
            is_element: false,
            fields: Some(Vec::new()),
        };
        let mut canonical = format!("/{}", escape(&self.canonical(column)));
        for segment in segments {
            canonical.push('/');
            canonical.push_str(&escape(&segment));
            part = part.child(&segment)?;
        }
        if !pointer.contains('/') {
            return Err(MappingProblem::UnknownColumn {
                column: address.to_owned(),
                available: self.near(address.trim_start_matches('/')),
            });
        }
        Ok(Address {
            canonical,
            display: part.display,
            field: part.field,
            column,
            is_element: part.is_element,
            fields: part.fields,
        })
    }
}

impl Address<'_> {
    /// Where the one value of a row is; `address` is what the mapping calls it.
    pub(crate) fn place(&self, address: &str) -> Result<Place, MappingProblem> {
        let fields = self.fields.clone();
        let fields = fields.ok_or_else(|| MappingProblem::ManyValues {
            path: address.to_owned(),
        })?;
        Ok(Place {
            column: self.column,
            fields,
        })
    }
}

impl Place {
    /// The names of the column and of the fields on the way to the value.
    pub(crate) fn way(&self, schema: &Schema) -> Vec<String> {
        self.fields(schema)
            .map(|field| field.name().clone())
            .collect()
    }

    /// The field of the value.
    pub(crate) fn field<'a>(&self, schema: &'a Schema) -> Option<&'a Field> {
        self.fields(schema).last()
    }

    /// The column and the fields on the way to the value.
    fn fields<'a>(&self, schema: &'a Schema) -> impl Iterator<Item = &'a Field> {
        let column = schema.fields().get(self.column).map(Arc::as_ref);
        let mut inner = self.fields.iter();
        std::iter::successors(column, move |field| match field.data_type() {
            DataType::Struct(fields) => fields.get(*inner.next()?).map(Arc::as_ref),
            _ => None,
        })
    }
}

struct Part<'a> {
    field: &'a Field,
    display: String,
    is_element: bool,
    fields: Option<Vec<usize>>,
}

impl<'a> Part<'a> {
    fn child(self, segment: &str) -> Result<Self, MappingProblem> {
        self.child_of(self.field.data_type(), segment)
    }

    fn child_of(&self, data_type: &'a DataType, segment: &str) -> Result<Self, MappingProblem> {
        use DataType as D;
        let none = || MappingProblem::NoParts {
            within: self.display.clone(),
            data_type: self.field.data_type().clone(),
            part: segment.to_owned(),
        };
        let element = |field| {
            if segment == "*" {
                Ok(Self {
                    field,
                    display: format!("{}[]", self.display),
                    is_element: true,
                    fields: None,
                })
            } else {
                Err(none())
            }
        };
        match data_type {
            D::Struct(fields) => {
                let at = fields.iter().position(|field| field.name() == segment);
                let at = at.ok_or_else(|| MappingProblem::UnknownField {
                    within: self.display.clone(),
                    field: segment.to_owned(),
                    available: Near::to(
                        segment,
                        "fields",
                        fields.iter().map(|field| field.name().as_str()),
                    ),
                })?;
                Ok(Self {
                    field: &fields[at],
                    display: format!("{}.{segment}", self.display),
                    is_element: false,
                    fields: self.fields.clone().map(|mut fields| {
                        fields.push(at);
                        fields
                    }),
                })
            }
            D::Union(fields, _) => {
                let child = fields.iter().find(|(_, field)| field.name() == segment);
                let (_, field) = child.ok_or_else(none)?;
                Ok(Self {
                    field,
                    display: format!("{}.{segment}", self.display),
                    is_element: true,
                    fields: None,
                })
            }
            D::List(field)
            | D::LargeList(field)
            | D::FixedSizeList(field, _)
            | D::ListView(field)
            | D::LargeListView(field) => element(field),
            D::Map(entries, _) => match entries.data_type() {
                D::Struct(entry) => element(entry.get(1).ok_or_else(none)?),
                _ => Err(none()),
            },
            D::Dictionary(_, values) => self.child_of(values, segment).map(Self::of_many),
            D::RunEndEncoded(_, values) => self
                .child_of(values.data_type(), segment)
                .map(Self::of_many),
            _ => Err(none()),
        }
    }

    fn of_many(self) -> Self {
        Self {
            fields: None,
            ..self
        }
    }
}

/// A segment of a pointer: RFC 6901, section 3.
pub(super) fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

pub(super) fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

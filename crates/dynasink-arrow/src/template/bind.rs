//! A template held against the columns that it names.

use arrow_schema::{DataType, Field};

use super::extent::{Alphabet, Extent};
use super::filter::Filter;
use super::parse::{Format, Part, Placeholder, Template, TemplateError};
use super::strftime::Strftime;
use crate::column_values::unpacked_type;
use crate::instant::InstantKind;
use crate::mapping::spec::SeparatorInValue;

/// A template whose columns are known.
#[derive(Clone, Debug)]
pub(crate) struct BoundTemplate {
    /// The text before the first placeholder.
    pub(super) head: String,
    pub(super) placeholders: Vec<BoundPlaceholder>,
    /// Columns that the text does not give back.
    losses: Vec<Loss>,
}

/// A placeholder and the literal that follows it.
#[derive(Clone, Debug)]
pub(super) struct BoundPlaceholder {
    pub(super) column: String,
    pub(super) data_type: DataType,
    pub(super) form: Form,
    pub(super) filters: Vec<Filter>,
    pub(super) extent: Extent,
    pub(super) literal: String,
    /// What is to be done with a value that holds the literal; none if that does no harm.
    pub(super) guard: Option<Guard>,
}

/// How a value becomes a text, before the filters.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Canonical,
    ZeroPadded(usize),
    /// A float, with so many digits behind the point.
    Float(usize),
    /// A decimal, with so many digits behind the point, which are no fewer than it has.
    Decimal(usize),
    Strftime(Strftime, InstantKind),
}

/// What is to be done with a value that holds the literal which follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    Refuse,
    /// This character, which the literal starts with, is percent-encoded.
    Encode(char),
}

/// A column that the text of a template does not give back: rows that differ in it can have one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    /// The column.
    pub(crate) column: String,
    /// How rows can come to have one text.
    pub(crate) reason: String,
}

impl Template {
    /// Holds the template against columns that `field_of` finds, or says why there are none.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] for a column that is not there, that has no text, or that its format does not fit.
    pub(crate) fn bind<'f>(
        &self,
        separator_in_value: SeparatorInValue,
        field_of: impl Fn(&str) -> Result<&'f Field, String>,
    ) -> Result<BoundTemplate, TemplateError> {
        let mut head = String::new();
        let mut placeholders: Vec<BoundPlaceholder> = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => match placeholders.last_mut() {
                    Some(placeholder) => placeholder.literal.push_str(literal),
                    None => head.push_str(literal),
                },
                Part::Placeholder(placeholder) => {
                    let error = |reason| TemplateError::new(placeholder.position, reason);
                    let field = field_of(&placeholder.column).map_err(error)?;
                    placeholders.push(placeholder.bind(field).map_err(error)?);
                }
            }
        }
        let positions = self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(placeholder) => Some(placeholder.position),
            Part::Literal(_) => None,
        });
        // What follows the last one of no fixed width has a length that is known.
        let free = placeholders.iter().rposition(BoundPlaceholder::is_variable);
        for ((at, placeholder), position) in placeholders.iter_mut().enumerate().zip(positions) {
            if Some(at) != free {
                placeholder.guard = placeholder
                    .guard_by(separator_in_value)
                    .map_err(|reason| TemplateError::new(position, reason))?;
            }
        }
        let losses = losses(&placeholders, free);
        Ok(BoundTemplate {
            head,
            placeholders,
            losses,
        })
    }
}

impl BoundTemplate {
    /// The columns that the text does not give back, each with the reason. Without one it is injective: rows with
    /// different values in its columns never have one text.
    pub(crate) fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Whether its text gives this column back.
    pub(crate) fn gives_back(&self, column: &str) -> bool {
        self.columns().any(|known| known == column)
            && self.losses.iter().all(|loss| loss.column != column)
    }

    /// The columns of its placeholders, in their order: the values of a batch are given in it.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.placeholders
            .iter()
            .map(|placeholder| placeholder.column.as_str())
    }
}

impl Placeholder {
    fn bind(&self, field: &Field) -> Result<BoundPlaceholder, String> {
        let (form, extent) = self.form(field)?;
        let extent = self
            .filters
            .iter()
            .fold(extent, |extent, filter| filter.extent(extent));
        Ok(BoundPlaceholder {
            column: self.column.clone(),
            data_type: field.data_type().clone(),
            form,
            filters: self.filters.clone(),
            extent,
            literal: String::new(),
            guard: None,
        })
    }

    fn form(&self, field: &Field) -> Result<(Form, Extent), String> {
        let data_type = unpacked_type(field.data_type());
        let name = &self.column;
        match &self.format {
            None => match Extent::of_canonical_text(field) {
                Some(extent) => Ok((Form::Canonical, extent)),
                None if data_type.is_floating() => Err(format!(
                    "column {name:?} is {data_type}, and a float in a key needs a format: {{{name}:.2}} rounds it to two digits"
                )),
                None => Err(format!(
                    "column {name:?} is {data_type}, which has no text for a key: strings, numbers, dates, times, booleans and UUIDs have"
                )),
            },
            Some(Format::ZeroPadded(width)) if data_type.is_integer() => {
                Ok((Form::ZeroPadded(*width), Extent::Fixed(*width)))
            }
            Some(Format::ZeroPadded(_)) => Err(format!(
                "column {name:?} is {data_type}, and only integers are padded with zeros"
            )),
            Some(Format::Decimals(digits)) if data_type.is_floating() => Ok((
                Form::Float(*digits),
                Extent::Variable(Alphabet::NumbersAndTimes),
            )),
            Some(Format::Decimals(digits)) => match scale(data_type) {
                Some(scale) if usize::try_from(scale).unwrap_or_default() <= *digits => Ok((
                    Form::Decimal(*digits),
                    Extent::Variable(Alphabet::NumbersAndTimes),
                )),
                Some(scale) => Err(format!(
                    "column {name:?} has {scale} digits behind the point, and a decimal is not rounded: write {{{name}:.{scale}}}"
                )),
                None => Err(format!(
                    "column {name:?} is {data_type}, and only floats and decimals have digits behind the point"
                )),
            },
            Some(Format::Strftime(format)) => {
                let Some(kind) = InstantKind::of(data_type) else {
                    return Err(format!(
                        "column {name:?} is {data_type}, and only dates and timestamps have a strftime format"
                    ));
                };
                if !format.applies_to(kind) {
                    return Err(match kind {
                        InstantKind::Date => {
                            format!("column {name:?} is a date, and the format asks for a time")
                        }
                        _ => {
                            format!("column {name:?} has no time zone, and the format asks for one")
                        }
                    });
                }
                Ok((Form::Strftime(format.clone(), kind), format.extent()))
            }
        }
    }
}

/// The digits behind the point of a decimal type.
fn scale(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}

impl BoundPlaceholder {
    fn is_variable(&self) -> bool {
        matches!(self.extent, Extent::Variable(_))
    }

    /// Whether the literal behind it can start inside of its text.
    fn may_hold_literal(&self) -> bool {
        match (self.extent, self.literal.chars().next()) {
            (Extent::Variable(alphabet), Some(first)) => alphabet.contains(first),
            (Extent::Fixed(_), _) | (_, None) => false,
        }
    }

    fn guard_by(&self, policy: SeparatorInValue) -> Result<Option<Guard>, String> {
        let Some(first) = self.literal.chars().next() else {
            return Ok(None);
        };
        match policy {
            _ if !self.may_hold_literal() => Ok(None),
            SeparatorInValue::Allow => Ok(None),
            SeparatorInValue::Error => Ok(Some(Guard::Refuse)),
            SeparatorInValue::Percent if matches!(first, '%' | '0'..='9' | 'A'..='F') => {
                Err(format!(
                    "the separator {:?} starts with a character that percent-encoding itself uses: choose another",
                    self.literal
                ))
            }
            SeparatorInValue::Percent => Ok(Some(Guard::Encode(first))),
        }
    }

    /// Why its text can be that of another value, once it is known where the text ends.
    fn own_loss(&self) -> Option<&'static str> {
        let of_form = match &self.form {
            Form::Canonical | Form::ZeroPadded(_) | Form::Decimal(_) => None,
            Form::Float(_) => Some("floats are rounded"),
            Form::Strftime(format, _) => format.loss(unpacked_type(&self.data_type)),
        };
        // A literal of a format is the same in every text, so its case tells nothing.
        let of_strings = unpacked_type(&self.data_type).is_string();
        of_form.or_else(|| {
            self.filters
                .iter()
                .find_map(|filter| filter.loss(of_strings))
        })
    }

    /// Why it cannot be told where its text ends, by what follows it.
    fn boundary_loss(&self, next: Option<&Self>) -> Option<String> {
        if !self.is_variable() || self.guard.is_some() {
            return None;
        }
        match next {
            Some(next) if self.literal.is_empty() => Some(format!(
                "no separator stands between {:?} and {:?}, and neither is of a fixed width",
                self.column, next.column
            )),
            _ if self.may_hold_literal() => Some(format!(
                "values of {:?} may hold the separator {:?}",
                self.column, self.literal
            )),
            _ => None,
        }
    }
}

/// What a template does not give back. `free` is its last placeholder of no fixed width.
fn losses(placeholders: &[BoundPlaceholder], free: Option<usize>) -> Vec<Loss> {
    // From the start on, the text can be taken apart up to a placeholder whose end is not known; from the end, up to
    // the free one.
    let mut blurred = None;
    let mut losses: Vec<Loss> = Vec::new();
    let mut given_back: Vec<&str> = Vec::new();
    for (at, placeholder) in placeholders.iter().enumerate() {
        if Some(at) != free && blurred.is_none() {
            blurred = placeholder.boundary_loss(placeholders.get(at + 1));
        }
        let behind_free = free.is_none_or(|free| at > free);
        let boundary = if behind_free { None } else { blurred.clone() };
        match boundary.or_else(|| placeholder.own_loss().map(str::to_owned)) {
            None => given_back.push(&placeholder.column),
            Some(_) if losses.iter().any(|loss| loss.column == placeholder.column) => {}
            Some(reason) => losses.push(Loss {
                column: placeholder.column.clone(),
                reason,
            }),
        }
    }
    losses.retain(|loss| !given_back.contains(&loss.column.as_str()));
    losses
}

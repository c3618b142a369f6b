//! Lists and separated strings as sets.

use std::collections::HashSet;
use std::hash::Hash;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::Array;
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use dynasink_core::{Number, ValueEncoder};

use super::absent::Absent;
use super::binary::{self, BinaryForm, ToBytes};
use super::fallback::Fallbacks;
use super::nested::{self, ElementRange};
use super::number::{self, NumberForm, ToNumber};
use super::refusal::Refusal;
use super::text::{self, Text, TextForm};
use super::{Encode, Step, ValueError};

/// What the members of a set are, and what stands for an empty one, which DynamoDB has not.
#[derive(Clone, Debug)]
pub(super) struct SetForm {
    pub(super) members: MemberForm,
    pub(super) empty: Absent,
}

/// What the members of a set are. Equal ones, by the equality of DynamoDB, are one member.
#[derive(Clone, Debug)]
pub(super) enum MemberForm {
    /// SS of the elements of a list.
    Texts(TextForm),
    /// NS of the elements of a list.
    Numbers(NumberForm, Fallbacks),
    /// BS of the elements of a list.
    Bytes(BinaryForm),
    /// SS of a string, whose members this stands between.
    Split(Arc<str>),
}

pub(super) fn encoder(array: &dyn Array, form: &SetForm) -> Option<Box<dyn Encode>> {
    let empty = form.empty;
    if let MemberForm::Split(separator) = &form.members {
        if !array.data_type().is_string() {
            return None;
        }
        return Some(Box::new(Split {
            texts: text::of(array)?,
            separator: Arc::clone(separator),
            empty,
        }));
    }
    let (lists, elements) = nested::elements(array)?;
    Some(Box::new(Sets {
        lists,
        nulls: elements.logical_nulls(),
        data_type: elements.data_type().clone(),
        members: Members::of(elements, &form.members)?,
        empty,
    }))
}

enum Members {
    Texts(Box<dyn Text>),
    Numbers(Box<dyn ToNumber>, Fallbacks),
    Bytes(Box<dyn ToBytes>),
}

impl Members {
    fn of(elements: &dyn Array, form: &MemberForm) -> Option<Self> {
        Some(match form {
            MemberForm::Texts(form) => Self::Texts(text::texts_as(elements, *form)?),
            MemberForm::Numbers(form, fallbacks) => {
                Self::Numbers(number::numbers_as(elements, *form)?, *fallbacks)
            }
            MemberForm::Bytes(form) => Self::Bytes(binary::bytes_as(elements, *form)?),
            MemberForm::Split(_) => return None,
        })
    }
}

struct Sets {
    lists: Box<dyn ElementRange>,
    nulls: Option<NullBuffer>,
    /// Of the elements, for errors.
    data_type: DataType,
    members: Members,
    empty: Absent,
}

/// An element that cannot be a member.
struct Unfit(usize, Refusal);

impl Encode for Sets {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let elements = self.lists.elements(row);
        if elements.is_empty() {
            return Ok(self.empty.write(value)?);
        }
        // Members come first, since a set that is begun has no way to refuse one.
        match &self.members {
            Members::Texts(texts) => {
                let texts = self.members(elements, |element| {
                    let mut buffer = String::new();
                    texts.text(element, &mut buffer).map(str::to_owned)
                });
                match texts {
                    Ok(texts) => Ok(value.string_set(distinct(texts.iter().map(String::as_str)))?),
                    Err(unfit) => self.refuse(unfit, value),
                }
            }
            Members::Numbers(numbers, fallbacks) => {
                let numbers = self.members(elements, |element| -> Result<Number, Refusal> {
                    numbers
                        .number(element)
                        .or_else(|refusal| fallbacks.round(refusal, &**numbers, element))
                });
                match numbers {
                    Ok(numbers) => Ok(value.number_set(distinct(numbers))?),
                    Err(unfit) => self.refuse(unfit, value),
                }
            }
            Members::Bytes(bytes) => {
                let bytes = self.members(elements, |element| {
                    let mut buffer = Vec::new();
                    bytes.bytes(element, &mut buffer).map(<[u8]>::to_vec)
                });
                match bytes {
                    Ok(bytes) => Ok(value.binary_set(distinct(bytes.iter().map(Vec::as_slice)))?),
                    Err(unfit) => self.refuse(unfit, value),
                }
            }
        }
    }
}

impl Sets {
    fn members<M>(
        &self,
        elements: Range<usize>,
        member: impl Fn(usize) -> Result<M, Refusal>,
    ) -> Result<Vec<M>, Unfit> {
        let is_null = |element| {
            self.nulls
                .as_ref()
                .is_some_and(|nulls| nulls.is_null(element))
        };
        elements
            .enumerate()
            .map(|(at, element)| {
                if is_null(element) {
                    return Err(Unfit(at, Refusal::OutOfRange("a set cannot hold a null")));
                }
                member(element).map_err(|refusal| Unfit(at, refusal))
            })
            .collect()
    }

    fn refuse(&self, Unfit(at, refusal): Unfit, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let refused = refusal.refuse(value);
        refused.map_err(|error| error.of(&self.data_type).within(Step::Element(at)))
    }
}

/// Each member once, where it comes first.
fn distinct<M: Copy + Eq + Hash>(members: impl IntoIterator<Item = M>) -> impl Iterator<Item = M> {
    let mut seen = HashSet::new();
    members
        .into_iter()
        .filter(move |member| seen.insert(*member))
}

struct Split {
    texts: Box<dyn Text>,
    separator: Arc<str>,
    empty: Absent,
}

impl Encode for Split {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        match self.texts.text(row, &mut String::new()) {
            Ok("") => Ok(self.empty.write(value)?),
            Ok(text) => Ok(value.string_set(distinct(text.split(&*self.separator)))?),
            Err(refusal) => refusal.refuse(value),
        }
    }
}

//! Key templates: text with columns in it.
//!
//! ```text
//! template    = { literal | "{{" | "}}" | placeholder }
//! placeholder = "{" name [ ":" format ] { "|" filter } "}"
//! name        = characters other than { } : | " , or `"` characters, with `""` for a quote, `"`
//! format      = "0" width | "." digits | strftime
//! filter      = "lower" | "upper" | "sha256(" digits ")" | "shard(" number ")"
//! ```
//!
//! White space means itself. `{"odd:name"}` is the column `odd:name`, and `{#3}` the one at that place, from zero.
//!
//! # What a placeholder writes
//!
//! The canonical text of the value: that of a string is itself, that of a number has no zeros to trim, dates and
//! timestamps are ISO 8601, the latter in UTC. A null rejects the row, and so does an empty text.
//!
//! | format | of | writes |
//! | --- | --- | --- |
//! | `010` | integers | ten digits, zeros in front; a negative or longer number rejects the row |
//! | `.2` | floats | two digits behind the point, rounded half to even; floats have no other form here |
//! | `.2` | decimals of no more digits | two digits behind the point |
//! | `%Y-%m-%d` | dates, timestamps | by [strftime](chrono::format::strftime), in UTC |
//!
//! | filter | writes |
//! | --- | --- |
//! | `lower`, `upper` | the text in that case, by Unicode |
//! | `sha256(8)` | the first eight hexadecimal digits of the SHA-256 of the text in UTF-8 |
//! | `shard(16)` | the first eight bytes of that SHA-256, as a big-endian number, modulo 16: the same for ever |
//!
//! # When two rows have one text
//!
//! A template is injective if two rows with different values in its columns cannot have one text. That holds if
//! the text can be taken apart again, and each part says what the value was.
//!
//! It can be taken apart if each placeholder is delimited. One is that
//!
//! - has a fixed width: a padded integer, a date, a hash, a strftime of fixed parts;
//! - or is followed by a literal that cannot start inside its value. That is looked at value by value, and
//!   `separator_in_value` says what happens to one that holds it. It need not be looked at where the type has no
//!   such character, as an integer has no `#`;
//! - or is the last one of no fixed width, since what stands behind it has a length that is known.
//!
//! It says what the value was if its form leaves nothing out. `lower` and `upper` do of strings, `sha256` and
//! `shard` always, `.2` of floats, and a strftime that is coarser than the column.
//!
//! [`BoundTemplate::losses`] names each column that the text does not give back, with the reason.

mod bind;
mod extent;
mod filter;
mod parse;
mod strftime;
mod texts;

#[cfg(test)]
mod tests;

pub(crate) use bind::BoundTemplate;
pub use parse::{Template, TemplateError};
pub(crate) use texts::TemplateTexts;

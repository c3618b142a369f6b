//! Arrow and Parquet rows as DynamoDB writes.
//!
//! ```text
//! FileSource::stream ─ SourceBatch ─▶ Decoded ─ WriteOp ─▶ any Sink<WriteOp>
//! ```
//!
//! [`Mapping`] says which attribute each column becomes, and refuses before the first row what cannot be written.
//! [`Decoded`] is the sink that takes batches and gives their rows on, one [`WriteOp`](dynasink_core::WriteOp)
//! each; a row that cannot be an item ends as a dead letter with its position. [`FileSource`] streams local
//! Parquet files in bounded memory.
//!
//! # How values arrive
//!
//! A value arrives exactly as it was or its row is rejected; nothing is rounded, clipped or guessed.
//!
//! | Arrow | DynamoDB |
//! | --- | --- |
//! | strings, `Utf8View` included | S |
//! | binary, fixed size and views included | B; with the extension `arrow.uuid` S, lower-case and hyphenated |
//! | integers, decimals | N; more than 38 digits reject the row |
//! | floats | N, the shortest text that reads back as the same float; NaN and infinities reject the row |
//! | boolean | BOOL |
//! | date | S `2013-01-31` |
//! | time | S `05:15:00`, with as many digits of a second as its unit has |
//! | timestamp | S `2013-01-31T05:15:00.000`, with `Z` if it has a time zone; years 0000 to 9999 |
//! | duration | N of seconds |
//! | lists of every kind | L; a null element is NULL |
//! | struct | M; a null field is omitted |
//! | map | M; keys of strings, numbers but floats, dates, times, booleans and UUIDs; a null value is NULL |
//! | interval | S `P1Y2M3DT4H5.006S`, each part with its own sign |
//! | union | the value of the type that a row has |
//! | dictionary, run-end encoded | as the values |
//! | null | omitted |
//! | extension `arrow.json` | S, the text as it is |
//! | extension `arrow.bool8` | BOOL |
//! | extension `arrow.timestamp_with_offset` | S `2013-01-31T05:15:00.000+01:00` |
//! | Parquet's VARIANT, with the feature `variant` | what each value is: M, L, S, N, BOOL, NULL or B |
//! | other extensions | as they are stored, with a [warning](MappingWarning) |

mod batch;
mod column_values;
mod decode;
mod encode;
mod error;
mod instant;
mod mapping;
mod operation;
mod rows;
mod shape;
mod source;
mod template;
mod ttl;
mod version;

pub use batch::SourceBatch;
pub use decode::{DecodeExt, Decoded, Decoder};
pub use error::{ColumnList, Error, Result};
pub use mapping::{
    AttributeMapping, FilePlace, KeyPath, Mapping, MappingError, MappingFile, MappingProblem,
    MappingWarning, spec,
};
pub use object_store;
pub use source::{
    BatchStream, DecryptionKeys, FileFormat, FileIdentity, FileSet, FileSource, FileVersion,
    Filter, FilterPlace, HivePartitions, Interleave, Located, Location, ObjectLocation,
    RowGroupObserver, RowSelection, SourceFile, SourceIdentity, SourceOptions, Sources, Stores,
    StreamOptions, Unreadable,
};
pub use template::{Template, TemplateError};

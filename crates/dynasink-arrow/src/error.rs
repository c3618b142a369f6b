//! The one error of plans and sources: why rows cannot be read or mapped, and what to do about it.

use std::fmt;

use arrow_schema::{ArrowError, DataType};
use dynasink_core::{KeyType, ObserverError, TableName, Unread, ValueKind};
use parquet::errors::ParquetError;

use crate::mapping::MappingError;
pub use crate::mapping::Near as ColumnList;
use crate::mapping::spec::EncodeAs;
use crate::source::FilterPlace;

/// Why a schema cannot be mapped to a table, or files cannot be read.
///
/// None is worth a retry as it stands: each names what has to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A column, or a part of it, has a type without a form in DynamoDB.
    #[error(
        "column {column:?} has the Arrow type {data_type}, {reason}: leave the column out or cast it, for example to a string"
    )]
    UnsupportedType {
        /// The column; fields inside it follow after dots.
        column: String,
        /// Its type.
        data_type: DataType,
        /// Why it cannot be written.
        reason: &'static str,
    },

    /// The mapping asks for a form that the type of the column does not have.
    #[error(
        "column {column:?} has the Arrow type {data_type}, which cannot be written as {word}: the words that fit are {}",
        Words(fitting)
    )]
    UnfitWord {
        /// The column; fields inside it follow after dots.
        column: String,
        /// Its type.
        data_type: DataType,
        /// What it should be written as.
        word: EncodeAs,
        /// What it can be written as.
        fitting: Vec<EncodeAs>,
    },

    /// The mapping refuses extensions that are not known, and a column has one.
    #[error(
        "column {column:?} has the extension {extension:?}, which is not known: say what it becomes by `as`, drop it, or take it as it is stored by `unknown_extension = \"storage\"`"
    )]
    UnknownExtension {
        /// The column; fields inside it follow after dots.
        column: String,
        /// The name of the extension.
        extension: String,
    },

    /// The mapping says of a column what goes with another type or another form, or lacks what goes with this one.
    #[error("column {column:?} of the Arrow type {data_type}: `{option}` does not fit: {reason}")]
    ColumnOption {
        /// The column; fields inside it follow after dots.
        column: String,
        /// Its type.
        data_type: DataType,
        /// What is said of it or lacks.
        option: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// A list that should be a set has elements that no set holds.
    #[error(
        "column {column:?} has the Arrow type {data_type}, whose elements are {elements}, and such a set there is not: write it as L, or its elements as S, N or B"
    )]
    SetOf {
        /// The column; fields inside it follow after dots.
        column: String,
        /// Its type.
        data_type: DataType,
        /// What its elements are.
        elements: ValueKind,
    },

    /// No column has the name of a key attribute of the table.
    #[error("table {table}: no column is named {column:?} as its {role} is: {available}")]
    KeyColumnMissing {
        /// The table.
        table: String,
        /// The key attribute.
        column: String,
        /// Which key it is: `partition key` or `sort key`.
        role: &'static str,
        /// The columns that there are.
        available: ColumnList,
    },

    /// A key column has a type that the table's key does not take.
    #[error(
        "table {table}: column {column:?} has the Arrow type {data_type}, but the {role} is a {expected}: {advice}"
    )]
    KeyColumnType {
        /// The table.
        table: TableName,
        /// The key column.
        column: String,
        /// Its type.
        data_type: DataType,
        /// Which key it is: `partition key`, `sort key` or a key of an index.
        role: String,
        /// The type of the key.
        expected: KeyType,
        /// What to do.
        advice: Box<str>,
    },

    /// Two columns, or two fields of one struct, have one name.
    #[error("two columns are named {column:?}: rename one, since an item has each attribute once")]
    DuplicateColumn {
        /// The name; fields of structs come with the names of what they are in.
        column: String,
    },

    /// A column's name cannot name an attribute.
    #[error("column {column:?} cannot name an attribute: rename it")]
    ColumnName {
        /// The column; fields inside it follow after dots.
        column: String,
        /// Why.
        source: dynasink_core::Error,
    },

    /// A source is named that cannot be looked for.
    #[error("{source_name}: {reason}")]
    SourceName {
        /// What was named.
        source_name: String,
        /// Why it cannot be, and what to name in its place.
        reason: String,
    },

    /// A source is named that has no file.
    #[error("{place}: there is nothing to read: {reason}")]
    NothingFound {
        /// What was named.
        place: String,
        /// What there is in place of files.
        reason: String,
    },

    /// A folder cannot be listed.
    #[error("{folder}: cannot list the folder: check that it may be read")]
    ListFolder {
        /// The folder.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },

    /// A folder is a table of a format whose log decides which of its files count.
    #[error(
        "{folder}: this is {format} table ({marker} is in it), whose log decides which of its files count: export its rows as Parquet, or name the files by a pattern such as {folder}/*.parquet if all of them count"
    )]
    TableFolder {
        /// The folder.
        folder: String,
        /// The format, with its article.
        format: &'static str,
        /// What shows it.
        marker: &'static str,
    },

    /// One file is named twice, so that its rows would be written twice.
    #[error("{file}: the file is named twice, by {first} and by {second}: leave one out")]
    FileTwice {
        /// The file.
        file: String,
        /// The source that named it first.
        first: String,
        /// The source that named it again.
        second: String,
    },

    /// A pattern is malformed.
    #[error("{pattern}: the pattern cannot be understood: check its brackets and braces")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        source: globset::Error,
    },

    /// A manifest cannot be read.
    #[error("{file}: cannot read the manifest: check that it is a text file and may be read")]
    ReadManifest {
        /// The manifest.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },

    /// A line of a manifest names what cannot be read.
    #[error("{file}, line {line}: the source that it names cannot be read")]
    ManifestLine {
        /// The manifest.
        file: String,
        /// The line, from one.
        line: usize,
        /// Why.
        source: Box<Self>,
    },

    /// Files lie in folders of other partition columns.
    #[error(
        "{file}: its folders give it {found}, but those of {first} give {expected}: load them apart, or read folders as folders with `--hive off`"
    )]
    PartitionNames {
        /// The file that differs.
        file: String,
        /// The first file.
        first: String,
        /// The partition columns of the first file.
        expected: String,
        /// Those of the file.
        found: String,
    },

    /// A path has a partition column twice.
    #[error(
        "{file}: two of its folders give it the column {column:?}: rename one, or read folders as folders with `--hive off`"
    )]
    PartitionTwice {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },

    /// A partition's name or value is not text.
    #[error(
        "{file}: the partition {text:?} is not UTF-8 once its percent signs are decoded: rename it, or read folders as folders with `--hive off`"
    )]
    PartitionText {
        /// The file.
        file: String,
        /// The name or value, as it is written.
        text: String,
    },

    /// A column is in the file and in its path.
    #[error(
        "{file}: column {column:?} is in the file and in its path: read folders as folders with `--hive off`"
    )]
    PartitionColumn {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },

    /// An object store is asked for that this build leaves out.
    #[error("{url}: this build cannot read such URLs: enable the feature {feature:?}")]
    SchemeLeftOut {
        /// The URL.
        url: String,
        /// The feature of the crate that reads it.
        feature: &'static str,
    },

    /// An object store cannot be reached or does not answer as it should.
    #[error("{url}: cannot {action}: check the name, the credentials and the region or endpoint")]
    ObjectStore {
        /// The URL.
        url: String,
        /// What was being done.
        action: &'static str,
        /// What the store said.
        source: object_store::Error,
    },

    /// The bytes of a file cannot be fetched.
    #[error(
        "{file}: cannot read the bytes at offset {offset}: check the connection and load again"
    )]
    Fetch {
        /// The file.
        file: String,
        /// The offset in the file, in bytes.
        offset: u64,
        /// What the system or the store said.
        source: std::io::Error,
    },
    /// The mapping says what the schema or the table does not bear out.
    #[error(transparent)]
    Mapping(#[from] MappingError),

    /// A source of no files.
    #[error("no files to read: name at least one")]
    NoFiles,

    /// There is no such file.
    #[error("{file}: there is no such file: check the path")]
    FileNotFound {
        /// The file.
        file: String,
    },

    /// The file exists but cannot be opened or read.
    #[error("{file}: cannot read the file: check that it is a file and may be read")]
    OpenFile {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },

    /// The file is something else.
    #[error("{file}: not a Parquet file: {reason}; Parquet and Arrow IPC can be read")]
    NotParquet {
        /// The file.
        file: String,
        /// How that shows.
        reason: &'static str,
    },

    /// The file starts as Parquet but has no footer.
    #[error("{file}: the file is truncated, its footer is missing: copy or write it again")]
    TruncatedFile {
        /// The file.
        file: String,
    },

    /// The file is encrypted.
    #[error("{file}: the file is encrypted: {advice}")]
    EncryptedFile {
        /// The file.
        file: String,
        /// What to do.
        advice: &'static str,
    },

    /// An encrypted file is not what the keys are for.
    #[error(
        "{file}: the file cannot be decrypted: check the keys of the footer and of the columns and the AAD prefix"
    )]
    Decryption {
        /// The file.
        file: String,
        /// What the reader said.
        source: ParquetError,
    },

    /// The checksums of encrypted pages cannot be compared.
    #[error(
        "{file}: the checksums of its encrypted pages are of other bytes than the reader compares, or the file is damaged: write it again without page checksums, or decrypt it first"
    )]
    EncryptedChecksum {
        /// The file.
        file: String,
    },

    /// The file of the keys cannot be read, or an entry of it is wrong.
    #[error("{file}: the decryption keys cannot be taken from it: {reason}")]
    DecryptionFile {
        /// The file.
        file: String,
        /// Why; no part of it is quoted.
        reason: String,
    },

    /// A decryption key is none.
    #[error("decryption key {entry:?}: {reason}")]
    DecryptionKey {
        /// Its name.
        entry: String,
        /// What is wrong; no part of the key is quoted.
        reason: String,
    },

    /// The footer cannot be understood.
    #[error(
        "{file}: the footer cannot be read, the file is damaged, encrypted or from a writer with faults: write it again, for example with pyarrow or DuckDB"
    )]
    Footer {
        /// The file.
        file: String,
        /// What the reader said.
        source: ParquetError,
    },

    /// The schema nests so deep that it cannot be walked over.
    #[error("{file}: the schema nests more than {max} groups in one another: flatten it")]
    SchemaTooDeep {
        /// The file.
        file: String,
        /// Most groups in one another.
        max: usize,
    },

    /// The footer says more than can be taken in.
    #[error(
        "{file}: the footer has {found} {what}, and {most} are read at most: the file is most likely damaged, or is to be written in parts"
    )]
    FooterTooLarge {
        /// The file.
        file: String,
        /// What there is too much of.
        what: &'static str,
        /// How much.
        found: u64,
        /// The most that is read.
        most: u64,
    },

    /// The footer contradicts itself on how many rows there are.
    #[error(
        "{file}: the footer says {footer} rows, its row groups say {row_groups}: write the file again, for example with pyarrow or DuckDB"
    )]
    FooterRows {
        /// The file.
        file: String,
        /// Rows of the file, as the footer says.
        footer: i64,
        /// Rows of all row groups together; less than zero if one says so.
        row_groups: i64,
    },

    /// Two files cannot go into one table together.
    #[error(
        "{file}: column {column:?} is {found}, but in {first} it is {expected}, and no type holds both without loss: load the files apart or write one again"
    )]
    SchemaConflict {
        /// The file that differs.
        file: String,
        /// The file that gave the column the type that it has in the files before.
        first: String,
        /// The column, with the way into it if a part of it differs: `lines[].price`.
        column: String,
        /// Its type in `first`, widened by the files between the two.
        expected: Box<str>,
        /// Its type in `file`.
        found: Box<str>,
    },

    /// Two columns of a file have one name, so that neither can be told from the other.
    #[error("{file}: two columns are named {column:?}: rename one")]
    AmbiguousColumn {
        /// The file.
        file: String,
        /// The name.
        column: String,
    },

    /// A file has no column that its rows cannot do without.
    #[error(
        "{file}: it has no column {column:?}, which the keys of the table are made of: leave the file out, or load it with a mapping of its own"
    )]
    ColumnAbsent {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },

    /// A column was asked for that is not there.
    #[error("{file}: no column is named {column:?}: {available}")]
    UnknownColumn {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The columns that there are.
        available: ColumnList,
    },

    /// A row group cannot be decoded.
    #[error(
        "{file}: row group {row_group} cannot be read{}, the file is damaged, encrypted or from a writer with faults: write it again, for example with pyarrow or DuckDB", near(*offset)
    )]
    Read {
        /// The file.
        file: String,
        /// The row group, from zero.
        row_group: usize,
        /// The byte of the file that was asked for last, if that is known.
        offset: Option<u64>,
        /// What the reader said.
        source: ArrowError,
    },

    /// The row filter has no answer for a value.
    #[error(
        "{file}: the filter has no answer for a value in row group {row_group}: write its literals with no more digits than the column has in this file"
    )]
    FilterOverflow {
        /// The file.
        file: String,
        /// The row group, from zero.
        row_group: u32,
        /// What went wrong.
        source: ArrowError,
    },

    /// A row group gave another number of rows than the footer says.
    #[error(
        "{file}: row group {row_group} has {decoded} rows where the footer says {expected}: write the file again, for example with pyarrow or DuckDB"
    )]
    RowsDecoded {
        /// The file.
        file: String,
        /// The row group, from zero.
        row_group: usize,
        /// Rows by the footer.
        expected: u64,
        /// Rows that were decoded.
        decoded: u64,
    },

    /// The file is not what it was when the source was opened.
    #[error("{file}: the file has changed since it was opened: load it again once it is complete")]
    FileChanged {
        /// The file.
        file: String,
    },

    /// A file of Feather's first version, which is not Arrow IPC.
    #[error(
        "{file}: a Feather file of version 1, which is not Arrow IPC: write it again as version 2, for example with pyarrow.feather.write_feather"
    )]
    FeatherV1 {
        /// The file.
        file: String,
    },

    /// An Arrow IPC file or stream contradicts itself.
    #[error(
        "{file}: {part} cannot be read, {reason}: the file is damaged or from a writer with faults"
    )]
    Ipc {
        /// The file.
        file: String,
        /// What of it: the footer, or a record batch by its number from zero.
        part: String,
        /// What is wrong.
        reason: String,
    },

    /// The text of a row filter says something that is not understood.
    #[error("filter{place}: {reason}")]
    Filter {
        /// Where in the text.
        place: FilterPlace,
        /// What is wrong, and what is understood.
        reason: String,
    },

    /// A row filter names a column that is not there.
    #[error("filter{place}: no column is named {column:?}: {available}")]
    FilterColumn {
        /// Where in the text.
        place: FilterPlace,
        /// The column; fields inside it follow after dots.
        column: String,
        /// The columns that there are.
        available: ColumnList,
    },

    /// A row filter compares a column with what its type has no value for.
    #[error("filter{place}: {reason}")]
    FilterLiteral {
        /// Where in the text.
        place: FilterPlace,
        /// The column; fields inside it follow after dots.
        column: String,
        /// The literal, why it is no value of the column, and what is.
        reason: String,
    },

    /// The reader gave up on a malformed file in a way that it should not.
    #[error("{file}: the reader failed on this file ({message}): the file is most likely damaged")]
    ReaderPanicked {
        /// The file.
        file: String,
        /// What it said.
        message: String,
    },

    /// A row group has a value that its statistics exclude, by which it was held to be apart from others.
    #[error(
        "{file}: row group {row_group} has values of column {column:?} that its statistics exclude, so that the order of rows cannot be kept beside other row groups: read in order (--interleave off), or write the file again"
    )]
    OutsideStatistics {
        /// The file.
        file: String,
        /// The row group, from zero.
        row_group: usize,
        /// The column.
        column: String,
    },

    /// Something was to be passed over, and nobody would have been told of it.
    #[error("{unread}: observe what is not read, or let it stop the reading")]
    Unread {
        /// What could not be read.
        unread: Unread,
    },

    /// What was passed over could not be recorded.
    #[error("what could not be read was not recorded")]
    Unrecorded(#[from] ObserverError),

    /// The reader ended before its files did, because the runtime is shutting down.
    #[error("the reader was stopped before the end of its files: the runtime is shutting down")]
    ReaderStopped,
}

/// Where in a file it was, if that is known.
fn near(offset: Option<u64>) -> String {
    offset.map_or_else(String::new, |offset| format!(" near byte {offset}"))
}

struct Words<'a>(&'a [EncodeAs]);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{word}")?;
        }
        Ok(())
    }
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

//! The limits of DynamoDB that an operation or a request must keep.
//!
//! Sources are named by the title of the AWS document. "Limits" is *Quotas in Amazon `DynamoDB`*,
//! "Sizes" is *`DynamoDB` item sizes and formats*, "`BatchWriteItem`" is the API reference of that operation.

/// Most operations that one `BatchWriteItem` request may carry, all tables together.
///
/// Source: `BatchWriteItem`, "as many as 25 item put or delete requests".
pub const MAX_BATCH_OPS: usize = 25;

/// Most keys that one `BatchGetItem` request may ask for, all tables together.
///
/// Source: API reference, `BatchGetItem`, "as many as 100 items".
pub const MAX_BATCH_GET_KEYS: usize = 100;

/// Most bytes that the body of one `BatchWriteItem` request may have: 16 MB of JSON, not of item size.
///
/// Source: `BatchWriteItem`, "can transmit up to 16MB of data over the network".
pub const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// Largest item in bytes: attribute names and values together, by `DynamoDB`'s own size rule.
///
/// Source: Limits, "Item size": 400 KB with 1 KB = 1024 bytes.
pub const MAX_ITEM_BYTES: u64 = 400 * 1024;

/// Longest partition key value in bytes.
///
/// Source: Limits, "Partition key length": 1 to 2048 bytes.
pub const MAX_PARTITION_KEY_BYTES: usize = 2048;

/// Longest sort key value in bytes.
///
/// Source: Limits, "Sort key length": 1 to 1024 bytes.
pub const MAX_SORT_KEY_BYTES: usize = 1024;

/// Longest attribute name in bytes of UTF-8.
///
/// Source: Limits, "Attribute name": less than 64 KB.
pub const MAX_ATTRIBUTE_NAME_BYTES: usize = 64 * 1024 - 1;

/// Longest name in bytes of an attribute that is a key of the table or of an index.
///
/// Source: Limits, "Attribute names": 255 for keys of tables and indexes.
pub const MAX_KEY_NAME_BYTES: usize = 255;

/// Most containers (lists and maps) inside one another; a scalar in the innermost one is level 32.
///
/// Source: Limits, "Nested attribute depth": 32 levels, the top-level attribute is the first.
pub const MAX_NESTED_CONTAINERS: usize = 31;

/// Most significant digits of a number.
///
/// Source: Sizes, "Number": up to 38 digits of precision.
pub const MAX_NUMBER_DIGITS: usize = 38;

/// Exponent of the largest number: its magnitude is at most 9.99…E+125.
///
/// Source: Limits, "Numbers".
pub const MAX_NUMBER_EXPONENT: i32 = 125;

/// Exponent of the number closest to zero: 1E-130.
///
/// Source: Limits, "Numbers".
pub const MIN_NUMBER_EXPONENT: i32 = -130;

/// Bytes of item that one write capacity unit pays for.
///
/// Source: *`DynamoDB` provisioned capacity mode*, "one write per second for an item up to 1 KB".
pub const BYTES_PER_WRITE_UNIT: u64 = 1024;

/// Largest item collection of a table with local indexes, in gigabytes: the items of one partition key, and what the
/// local indexes hold of them.
///
/// Source: *Local secondary indexes*, "Item collection size limit".
pub const MAX_ITEM_COLLECTION_GB: u32 = 10;

/// Shortest and longest table name, or ARN in its place, in characters.
///
/// Source: Limits, "Table name": 3 to 255 characters of `a-z A-Z 0-9 _ - .`; `BatchWriteItem` takes ARNs of up to 1024.
pub const TABLE_NAME_CHARS: std::ops::RangeInclusive<usize> = 3..=255;

/// Longest table ARN in characters.
///
/// Source: `BatchWriteItem`, `RequestItems` keys.
pub const MAX_TABLE_ARN_CHARS: usize = 1024;

//! The service's wire for writes: requests checked as the service checks them, and its replies.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`request`] | `BatchWriteItem`, `PutItem`, `DeleteItem`: a body becomes checked writes, or a [`rejection`] |
//! | [`footprint`] | what an item takes up in its table and in each index |
//! | [`reply`], [`description`] | the answers of the write operations and of `DescribeTable` |
//! | [`exception`] | the service's errors |
//! | [`name`] | tables by name or ARN |
//!
//! The checks are made here from the JSON that arrives, apart from the client's own: what the client would let
//! through by mistake is refused here. Only the canonical form of a number and the identity of an item
//! ([`PrimaryKey`](dynasink_core::PrimaryKey)) are shared with it.

pub(crate) mod description;
pub(crate) mod exception;
pub(crate) mod footprint;
mod json;
mod key;
pub(crate) mod name;
pub(crate) mod rejection;
pub(crate) mod reply;
pub(crate) mod request;
mod size;
mod value;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod canned;

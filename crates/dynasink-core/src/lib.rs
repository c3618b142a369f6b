//! The vocabulary of Dynasink: valid DynamoDB write operations, encoded once.
//!
//! A row becomes a [`WriteOp`] at the edge of a pipe, and nothing after the edge touches its attributes again:
//! the [`Item`] is DynamoDB JSON already, its size and cost are exact, its [`PrimaryKey`] compares as the service
//! compares. Only a [`TableSchema`] makes operations, so that none exists that DynamoDB would refuse.
//!
//! | module of the vocabulary | types |
//! | --- | --- |
//! | tables | [`TableSchema`], [`TableName`], [`KeyAttribute`], [`IndexSchema`], [`BillingMode`] |
//! | items | [`Item`], [`ItemEncoder`], [`SerdeEncoder`], [`ValueEncoder`], [`Number`], [`AttributeNames`] |
//! | comparison | [`differing_paths`] |
//! | operations | [`WriteOp`], [`WriteAction`], [`PrimaryKey`], [`Version`], [`SourcePosition`], [`WriteBatch`] |
//! | capacity | [`WriteUnits`], [`WriteCost`], [`ConsumedCapacity`], [`CapacityFeedback`], [`Throttle`], [`ItemCollectionSize`], [`Admission`], [`BatchSizer`] |
//! | outcomes | [`Outcome`], [`Outcomes`], [`OutcomeObserver`], [`Unread`], [`UnreadObserver`], [`StageError`] |
//!
//! The limits of the service are constants in [`limits`], each with its source.
//!
//! There is no runtime and no network here: neither tokio nor the AWS SDK.

mod batch;
mod capacity;
mod compare;
mod cost;
mod decimal;
mod encode;
mod error;
mod item;
mod item_collection;
mod json;
mod key;
pub mod limits;
mod name;
mod number;
mod op;
mod outcome;
mod position;
mod serialize;
mod stage;
mod table;
mod throttle;
mod units;
mod unread;
mod version;

pub use batch::{WriteBatch, WriteBatchBuilder};
pub use capacity::{
    Admission, BatchLimit, BatchSizer, CapacityFeedback, CapacityObserver, ConsumedCapacity,
    RequestFailure,
};
pub use compare::{NotAnItem, differing_paths};
pub use cost::{IndexCost, WriteCost};
pub use decimal::Decimal;
pub use encode::{FieldsEncoder, ItemEncoder, ListEncoder, MapEncoder, ValueEncoder};
pub use error::{Error, Result, ValueKind};
pub use item::Item;
pub use item_collection::ItemCollectionSize;
pub use key::{PartitionKey, PrimaryKey};
pub use name::{AttributeName, AttributeNames};
pub use number::{Number, NumberError};
pub use op::{WriteAction, WriteOp};
pub use outcome::{
    DeadReason, ObserverError, Outcome, OutcomeEvent, OutcomeObserver, Outcomes, ValueLocation,
};
pub use position::SourcePosition;
pub use serialize::{SerdeEncoder, binary_set, number_set, string_set};
pub use stage::{Fuse, StageError};
pub use table::{
    BillingMode, IndexKind, IndexSchema, KeyAttribute, KeyType, TableName, TableSchema,
    TableSchemaBuilder,
};
pub use throttle::{Throttle, ThrottleScope};
pub use units::WriteUnits;
pub use unread::{Unread, UnreadObserver};
pub use version::Version;

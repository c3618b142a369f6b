//! The service, as a reader sees it.

use std::fmt;
use std::future::Future;

use bytes::Bytes;
use dynasink_core::{Item, PrimaryKey, TableSchema};

use crate::transport::RequestError;

/// What carries read requests to DynamoDB: the SDK's client, or a user's own.
pub trait ReadTransport: Send + Sync + 'static {
    /// Asks for items by their keys, once: retries are the caller's.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the service did not take the request as a whole, or its answer cannot be read.
    fn batch_get(
        &self,
        batch: &KeyBatch<'_>,
    ) -> impl Future<Output = Result<KeysAnswer, RequestError>> + Send;

    /// Asks for one page of a scan, once.
    ///
    /// # Errors
    ///
    /// As [`batch_get`](Self::batch_get).
    fn scan(
        &self,
        request: &ScanRequest<'_>,
    ) -> impl Future<Output = Result<ScanAnswer, RequestError>> + Send;
}

/// The keys of one `BatchGetItem` request.
#[derive(Clone, Copy, Debug)]
pub struct KeyBatch<'a> {
    /// The table of the items.
    pub table: &'a TableSchema,
    /// The key attributes of up to [`MAX_BATCH_GET_KEYS`](dynasink_core::limits::MAX_BATCH_GET_KEYS) items, none twice.
    pub keys: &'a [Item],
    /// Whether the answer has to have all writes that were acknowledged before, at twice the price.
    pub consistent: bool,
}

/// One page of one segment of a scan.
#[derive(Clone, Copy, Debug)]
pub struct ScanRequest<'a> {
    /// The table.
    pub table: &'a TableSchema,
    /// Which segment, from zero.
    pub segment: u32,
    /// How many segments there are.
    pub segments: u32,
    /// Where the page before it ended: [`ScanAnswer::next`].
    pub start: Option<&'a Bytes>,
    /// Whether the answer has to have all writes that were acknowledged before, at twice the price.
    pub consistent: bool,
}

/// An item as the table holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredItem {
    /// Which item it is.
    pub key: PrimaryKey,
    /// Its key attributes alone.
    pub key_item: Item,
    /// All of it, in the DynamoDB JSON of the service's answer.
    pub json: Bytes,
}

impl fmt::Debug for StoredItem {
    /// Shows no values: items are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredItem")
            .field("key", &self.key)
            .field("json_bytes", &self.json.len())
            .finish_non_exhaustive()
    }
}

/// The answer to a [`KeyBatch`].
#[derive(Clone, Debug, Default)]
pub struct KeysAnswer {
    /// The items that there are.
    pub items: Vec<StoredItem>,
    /// The keys that the service has not looked up. Those that are in neither have no item.
    pub unprocessed: Vec<PrimaryKey>,
    /// Read capacity units that were consumed; an eventually consistent read costs half a unit for each 4 KB.
    pub read_units: f64,
}

/// One page of a scan.
#[derive(Clone, Debug, Default)]
pub struct ScanAnswer {
    /// The items of the page.
    pub items: Vec<StoredItem>,
    /// Where the next page starts; none after the last.
    pub next: Option<Bytes>,
    /// Read capacity units that were consumed.
    pub read_units: f64,
}

//! The door one level above the SDK, for long simulations.

use std::collections::{BTreeMap, HashSet};

use dynasink_aws::{BatchResponse, Cause, Error, RequestError, ThrottlingReason, Transport};
use dynasink_core::{
    ConsumedCapacity, PrimaryKey, TableName, TableSchema, WriteAction, WriteBatch, WriteOp,
    WriteUnits,
    limits::{MAX_BATCH_OPS, MAX_REQUEST_BYTES},
};
use tokio::time::{sleep, timeout};

use super::Simulator;
use super::course::End;
use super::state::{Answer, Drawn, Taken};
use crate::audit::{Decision, Verdict};
use crate::error::BoxError;
use crate::fault::Fault;
use crate::footprint::Footprint;
use crate::store::PlannedWrite;
use crate::wire::name::table_name_of;

/// Sends requests to the model without the SDK and without JSON around the items. Failures come as the SDK's
/// client would report them.
impl Transport for Simulator {
    async fn batch_write(&self, batch: &WriteBatch) -> Result<BatchResponse, RequestError> {
        let planned: Result<Vec<_>, _> = batch.ops().iter().map(|op| self.plan(op)).collect();
        let writes = match planned {
            Ok(writes) => writes,
            Err(table) => {
                let under_way = self.arrive(&[]);
                self.note_refused(&under_way, Verdict::TableMissing(table.clone()));
                sleep(self.half_way(&under_way) * 2).await;
                let message = format!("table {table} is not there");
                return Err(failure(Cause::TableMissing, message));
            }
        };
        let under_way = self.arrive(&writes);
        if let Some(why) = illegal(batch, &writes) {
            self.note_refused(&under_way, Verdict::Illegal(why.to_owned()));
            return Err(failure(Cause::Invalid, why));
        }
        let patience = self.service.settings.client_timeout;
        let answer = async {
            match self.take(&under_way, writes).await {
                End::Answered(outcome) => answer(batch, outcome),
                End::Slow(outcome, later) => {
                    sleep(later).await;
                    answer(batch, outcome)
                }
                End::Truncated(_) | End::Unreadable(_) => {
                    Err(failure(Cause::Internal, "the answer cannot be read"))
                }
                End::Failed(Fault::Expired) => Err(failure(
                    Cause::Credentials,
                    "the security token has expired",
                )),
                End::Failed(Fault::Denied) => Err(failure(
                    Cause::AccessDenied,
                    "the credentials do not permit it",
                )),
                End::Failed(_) => Err(failure(Cause::Internal, "the service failed")),
                End::Refused => Err(failure(Cause::Unreachable, "the connection was refused")),
                End::Reset => Err(failure(Cause::Unreachable, "the connection was reset")),
                End::Never => std::future::pending().await,
            }
        };
        timeout(patience, answer)
            .await
            .unwrap_or_else(|_| Err(failure(Cause::Unreachable, "no answer came in time")))
    }

    async fn describe_table(&self, table: &str) -> Result<TableSchema, Error> {
        let now = self.now();
        let found = self.state().table(table, &self.service.settings, now);
        found
            .map(|table| table.schema().clone())
            .ok_or_else(|| Error::Describe {
                table: table.to_owned(),
                cause: Box::new(Cause::TableMissing),
                source: "there is no such table".into(),
            })
    }
}

impl Simulator {
    /// The operation as the model wants it, or the name of the table that is not there.
    fn plan(&self, op: &WriteOp) -> Result<PlannedWrite, String> {
        let (named, now) = (op.table().as_str(), self.now());
        let table = self
            .state()
            .table(named, &self.service.settings, now)
            .ok_or_else(|| named.to_owned())?;
        // A table named by its ARN is the same table.
        let key = if op.table() == table.schema().name() {
            op.key().clone()
        } else {
            table
                .schema()
                .primary_key(op.item())
                .unwrap_or_else(|_| op.key().clone())
        };
        let json = op.item().json();
        let footprint = (op.action() == WriteAction::Put).then(|| {
            if table.schema().indexes().is_empty() {
                let entries = Box::default();
                let size = op.item().size();
                Footprint { size, entries }
            } else {
                // Items are made by encoders, so they can be read.
                let attributes = serde_json::from_slice(json).unwrap_or_default();
                Footprint::of(&table, &key, &attributes)
            }
        });
        Ok(PlannedWrite {
            table,
            key,
            action: op.action(),
            json: json.clone(),
            footprint,
        })
    }
}

/// The rule that a batch breaks, if it does: of those that only a request as a whole can break.
fn illegal(batch: &WriteBatch, writes: &[PlannedWrite]) -> Option<&'static str> {
    let ops = batch.ops();
    let keys: HashSet<&PrimaryKey> = writes.iter().map(|write| &write.key).collect();
    if ops.is_empty() || ops.len() > MAX_BATCH_OPS {
        Some("a request has 1 to 25 operations")
    } else if keys.len() < ops.len() {
        Some("Provided list of item keys contains duplicates")
    } else if batch.wire_len() > MAX_REQUEST_BYTES {
        Some("a request has at most 16 MB")
    } else {
        None
    }
}

fn answer(batch: &WriteBatch, outcome: Answer) -> Result<BatchResponse, RequestError> {
    match outcome {
        Answer::Taken(taken) => Ok(response(batch, taken)),
        Answer::Throttled(throttled) => {
            let reasons = throttled.reasons.into_iter();
            let reasons = reasons.map(|(reason, resource)| ThrottlingReason {
                reason: reason.to_owned(),
                resource: Some(resource),
            });
            Err(failure(
                Cause::Throttled(reasons.collect()),
                "every operation was refused for want of capacity",
            ))
        }
        Answer::CollectionFull => Err(failure(
            Cause::ItemCollectionFull,
            "an item collection has reached its limit",
        )),
        Answer::TableMissing(table) => Err(failure(
            Cause::TableMissing,
            format!("table {table} is not there"),
        )),
        Answer::StoreFailed(reply) => Err(failure(Cause::Internal, reply.body)),
        Answer::Disagreement(disagreement) => Err(failure(Cause::Invalid, disagreement.0.body)),
    }
}

fn response(batch: &WriteBatch, taken: Taken) -> BatchResponse {
    let decided = batch.ops().iter().zip(&taken.decisions);
    let unprocessed = decided.filter(|(_, decision)| !matches!(decision, Decision::Applied(_)));
    BatchResponse {
        unprocessed: unprocessed.map(|(op, _)| op.key().clone()).collect(),
        consumed: consumed(batch, taken.drawn),
        item_collections: Vec::new(),
    }
}

fn consumed(batch: &WriteBatch, drawn: BTreeMap<String, Drawn>) -> Vec<ConsumedCapacity> {
    let units = |units: u64| WriteUnits::new(units);
    let named = |name: &str| -> Option<TableName> {
        let mut tables = batch.ops().iter().map(WriteOp::table);
        tables
            .find(|table| table_name_of(table.as_str()) == name)
            .cloned()
    };
    drawn
        .into_iter()
        .filter_map(|(name, drawn)| {
            Some(ConsumedCapacity {
                table: named(&name)?,
                table_units: units(drawn.table + drawn.local.values().sum::<u64>()),
                index_units: drawn
                    .global
                    .into_iter()
                    .map(|(index, drawn)| (index, units(drawn)))
                    .collect(),
            })
        })
        .collect()
}

fn failure(cause: Cause, message: impl Into<BoxError>) -> RequestError {
    RequestError {
        cause,
        retry_after: None,
        source: message.into(),
    }
}

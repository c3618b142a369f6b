//! The JSON API, for the doors that carry requests as clients send them.

use std::sync::Arc;

use dynasink_core::WriteAction;
use serde_json::Value;

use super::Simulator;
use super::course::End;
use super::state::{Answer, Drawn};
use crate::audit::{Decision, Verdict};
use crate::capacity::Exception;
use crate::described;
use crate::exchange::{Delivery, Request, Service};
use crate::fault::Fault;
use crate::operation::Reply;
use crate::store::{Disagreement, PlannedWrite, Store};
use crate::wire::description::describe_table;
use crate::wire::exception::{ExceptionKind, exception};
use crate::wire::name::table_name_of;
use crate::wire::rejection::Rejection;
use crate::wire::reply::{CollectionSize, TableUnits, batch_written, single_written};
use crate::wire::request::{self, BatchWrite, SingleWrite, Write};

impl Service for Simulator {
    async fn answer(&self, request: Request) -> Delivery {
        if !request.signed {
            return Delivery::Whole(failed(&ExceptionKind::MissingAuthenticationToken));
        }
        let operation = request.target.rsplit('.').next().unwrap_or_default();
        match operation {
            "BatchWriteItem" => {
                let parsed = request::batch_write(&request.body, self.known_tables());
                self.write(parsed, false).await
            }
            "PutItem" | "DeleteItem" => {
                let parsed = if operation == "PutItem" {
                    request::put_item(&request.body, self.known_tables())
                } else {
                    request::delete_item(&request.body, self.known_tables())
                };
                match parsed {
                    Ok(SingleWrite::Unconditional(write)) => self.write(Ok(write), true).await,
                    Ok(SingleWrite::NotModelled) => Delivery::Whole(self.pass_on(&request)),
                    Err(rejection) => self.write(Err(rejection), true).await,
                }
            }
            _ => {
                let half_way = self.state().latency.median() / 2;
                tokio::time::sleep(half_way).await;
                let delivery = self.control(operation, &request);
                tokio::time::sleep(half_way).await;
                delivery
            }
        }
    }

    fn answer_too_large(&self, bytes: usize) -> Reply {
        let reply = Reply::body_too_large(bytes);
        let under_way = self.arrive(&[]);
        self.note_refused(&under_way, Verdict::Illegal(reply.body.clone()));
        reply
    }
}

impl Simulator {
    fn known_tables(&self) -> impl Fn(&str) -> Option<Arc<crate::table::SimulatedTable>> {
        let now = self.now();
        move |named| self.state().table(named, &self.service.settings, now)
    }

    async fn write(&self, parsed: Result<BatchWrite, Rejection>, single: bool) -> Delivery {
        let batch = match parsed {
            Ok(batch) => batch,
            Err(rejection) => {
                let under_way = self.arrive(&[]);
                let reply = rejection.reply();
                self.note_refused(
                    &under_way,
                    match rejection {
                        Rejection::TableMissing(table) => Verdict::TableMissing(table),
                        _ => Verdict::Illegal(reply.body.clone()),
                    },
                );
                tokio::time::sleep(self.half_way(&under_way) * 2).await;
                return Delivery::Whole(reply);
            }
        };
        let writes: Vec<PlannedWrite> = batch.writes.iter().map(planned).collect();
        let under_way = self.arrive(&writes);
        let reply = |outcome| reply(&batch, outcome, single);
        match self.take(&under_way, writes).await {
            End::Answered(outcome) => Delivery::Whole(reply(outcome)),
            End::Slow(outcome, later) => {
                Delivery::Slow(reply(outcome), later, Some(Arc::new(under_way)))
            }
            End::Truncated(outcome) => Delivery::Truncated(reply(outcome)),
            End::Unreadable(body) => Delivery::Whole(Reply::json(200, body)),
            End::Failed(fault) => Delivery::Whole(match fault {
                Fault::Expired => failed(&ExceptionKind::ExpiredToken),
                Fault::Denied => failed(&ExceptionKind::AccessDenied),
                Fault::Unavailable => failed(&ExceptionKind::ServiceUnavailable),
                Fault::Gateway => Reply::load_balancer_page(),
                _ => failed(&ExceptionKind::InternalServerError),
            }),
            End::Refused => Delivery::Refused,
            End::Reset => Delivery::Reset,
            // The request is under way for as long as its client waits.
            End::Never => Delivery::Never(Some(Arc::new(under_way))),
        }
    }

    /// Everything but writes.
    fn control(&self, operation: &str, request: &Request) -> Delivery {
        let now = self.now();
        let settings = &self.service.settings;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let table = body["TableName"].as_str().unwrap_or_default();
        self.state().make_changes_due(settings, now);
        if operation != "DescribeTable" {
            let reply = self.pass_on(request);
            let mut state = self.state();
            match (operation, reply.status) {
                ("UpdateTable", 200) => state.table_updated(table, settings, now),
                ("DeleteTable", 200) => state.forget_table(table),
                _ => {}
            }
            return Delivery::Whole(reply);
        }
        let mut state = self.state();
        let known = state.table(table, settings, now);
        let updating = state.is_updating(table_name_of(table));
        match (&state.store, known) {
            (_, None) => {
                Delivery::Whole(failed(&ExceptionKind::ResourceNotFound(table.to_owned())))
            }
            (Store::Memory(_), Some(table)) => {
                let status = if updating { "UPDATING" } else { "ACTIVE" };
                Delivery::Whole(describe_table(&table, status))
            }
            (Store::Embedded(store), Some(_)) => {
                let mut reply = store.answer_here(request);
                if let Ok(mut answer) = serde_json::from_str::<Value>(&reply.body)
                    && let Some(description) = answer.get_mut("Table")
                {
                    if let Some(write) = settings.provisioned {
                        described::provision(description, write);
                    }
                    if updating && let Some(description) = description.as_object_mut() {
                        description.insert("TableStatus".to_owned(), "UPDATING".into());
                    }
                    reply.body = answer.to_string();
                }
                Delivery::Whole(reply)
            }
        }
    }

    /// Has the embedded store answer, without a limit and without an audit.
    fn pass_on(&self, request: &Request) -> Reply {
        match &self.state().store {
            Store::Embedded(store) => store.answer_here(request),
            Store::Memory(_) => Reply::unknown_operation(),
        }
    }
}

fn failed(kind: &ExceptionKind) -> Reply {
    exception(kind, &[])
}

fn planned(write: &Write) -> PlannedWrite {
    PlannedWrite {
        table: Arc::clone(&write.table),
        key: write.key.clone(),
        action: write.action,
        // A map of JSON values is always one.
        json: serde_json::to_vec(&write.attributes)
            .unwrap_or_default()
            .into(),
        footprint: match write.action {
            WriteAction::Put => write.footprint.clone(),
            WriteAction::Delete => None,
        },
    }
}

fn reply(batch: &BatchWrite, outcome: Answer, single: bool) -> Reply {
    let taken = match outcome {
        Answer::Taken(taken) => taken,
        Answer::Throttled(throttled) => {
            let kind = match throttled.exception {
                Exception::ProvisionedThroughputExceeded => {
                    ExceptionKind::ProvisionedThroughputExceeded
                }
                Exception::Throttling => ExceptionKind::Throttling,
                Exception::RequestLimitExceeded => ExceptionKind::RequestLimitExceeded,
            };
            let reasons = throttled.reasons.into_iter();
            let reasons: Vec<_> = reasons
                .map(|(reason, resource)| (reason.to_owned(), resource))
                .collect();
            return exception(&kind, &reasons);
        }
        Answer::CollectionFull => return failed(&ExceptionKind::ItemCollectionSizeLimitExceeded),
        Answer::TableMissing(table) => return Rejection::TableMissing(table).reply(),
        Answer::Disagreement(Disagreement(reply)) | Answer::StoreFailed(reply) => return reply,
    };
    let named = |name: &str| {
        let mut writes = batch.writes.iter();
        let write = writes.find(|write| write.table.schema().name().as_str() == name);
        write.map_or_else(String::new, |write| write.named.clone())
    };
    let consumed: Vec<TableUnits> = taken
        .drawn
        .into_iter()
        .map(
            |(
                name,
                Drawn {
                    table,
                    local,
                    global,
                },
            )| TableUnits {
                named: named(&name),
                table,
                local: local.into_iter().collect(),
                global: global.into_iter().collect(),
            },
        )
        .collect();
    if single {
        // Refused alone, it would have been refused as a whole: what is left is a failure inside.
        return match taken.decisions.first() {
            Some(Decision::Applied(_)) => single_written(consumed.first(), &batch.returned),
            _ => failed(&ExceptionKind::InternalServerError),
        };
    }
    let unprocessed: Vec<&Write> = batch
        .writes
        .iter()
        .zip(&taken.decisions)
        .filter(|(_, decision)| !matches!(decision, Decision::Applied(_)))
        .map(|(write, _)| write)
        .collect();
    let collections: Vec<CollectionSize> = taken
        .collections
        .iter()
        .filter_map(|(key, bytes)| {
            let write = batch.writes.iter().find(|write| write.key == *key)?;
            let name = write.table.schema().partition_key().name();
            Some(CollectionSize {
                named: write.named.clone(),
                key: (name.to_owned(), write.attributes.get(name)?.clone()),
                gigabytes: gigabytes(*bytes),
            })
        })
        .collect();
    batch_written(&unprocessed, &consumed, &collections, &batch.returned)
}

/// A size as the service estimates it: a range of one gigabyte around it.
fn gigabytes(bytes: u64) -> [f64; 2] {
    let size = bytes as f64 / (1024.0 * 1024.0 * 1024.0);
    let lower = size.floor();
    [lower, lower + 1.0]
}

//! What the writer tells OpenTelemetry: nothing is kept and next to nothing is paid unless the application has
//! set a meter provider.
//!
//! Names, units and attributes are OpenTelemetry's own where it has them: *Semantic conventions for AWS DynamoDB*
//! and *for database client metrics*.

use std::time::Duration;

use dynasink_core::CapacityFeedback;
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::{KeyValue, global};

use crate::classify::Cause;
use crate::writer::PendingOp;

#[derive(Debug)]
pub(crate) struct Telemetry {
    duration: Histogram<f64>,
    batch_size: Histogram<u64>,
    consumed: Counter<u64>,
    throttled: Counter<u64>,
    retried: Counter<u64>,
}

impl Telemetry {
    pub(crate) fn new() -> Self {
        let meter = global::meter("dynasink");
        Self {
            duration: meter
                .f64_histogram("db.client.operation.duration")
                .with_unit("s")
                .with_description("Time from a request's departure to its answer")
                .with_boundaries(vec![0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0])
                .build(),
            batch_size: meter
                .u64_histogram("dynasink.request.operations")
                .with_unit("{operation}")
                .with_description("Operations in a request")
                .with_boundaries(vec![1.0, 5.0, 10.0, 15.0, 20.0, 24.0, 25.0])
                .build(),
            consumed: meter
                .u64_counter("dynasink.consumed_write_units")
                .with_unit("{WCU}")
                .with_description("Write capacity units consumed, as the service says")
                .build(),
            throttled: meter
                .u64_counter("dynasink.throttled_operations")
                .with_unit("{operation}")
                .with_description("Operations refused for want of capacity")
                .build(),
            retried: meter
                .u64_counter("dynasink.retried_operations")
                .with_unit("{operation}")
                .with_description("Operations that will be sent again")
                .build(),
        }
    }

    pub(crate) fn record_request(
        &self,
        ops: &[PendingOp],
        latency: Duration,
        cause: Option<&Cause>,
    ) {
        let mut attributes = vec![
            KeyValue::new("db.system.name", "aws.dynamodb"),
            KeyValue::new("db.operation.name", "BatchWriteItem"),
        ];
        // A request that spans tables has no collection of its own.
        if let Some(first) = ops.first().filter(|first| {
            ops.iter()
                .all(|pending| pending.op.table() == first.op.table())
        }) {
            attributes.push(KeyValue::new(
                "db.collection.name",
                first.op.table().as_str().to_owned(),
            ));
        }
        if let Some(cause) = cause {
            attributes.push(KeyValue::new("error.type", cause.code()));
        }
        self.duration.record(latency.as_secs_f64(), &attributes);
        self.batch_size.record(ops.len() as u64, &attributes);
    }

    pub(crate) fn record_capacity(&self, feedback: &CapacityFeedback) {
        for consumed in &feedback.consumed {
            let table = KeyValue::new("db.collection.name", consumed.table.as_str().to_owned());
            self.consumed
                .add(consumed.table_units.get(), std::slice::from_ref(&table));
            for (index, units) in &consumed.index_units {
                let index = KeyValue::new("dynasink.index.name", index.clone());
                self.consumed.add(units.get(), &[table.clone(), index]);
            }
        }
        self.throttled.add(feedback.throttled_ops as u64, &[]);
        self.retried.add(feedback.retried_ops as u64, &[]);
    }
}

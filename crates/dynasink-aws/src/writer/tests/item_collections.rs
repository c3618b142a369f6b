//! Tables with local indexes, whose item collections cannot grow for ever.

use std::sync::{Arc, Mutex};

use dynasink_core::{
    CapacityFeedback, CapacityObserver, ItemCollectionSize, KeyType, TableName, TableSchema,
    WriteAction, WriteOp,
};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::service::{Fate, Service};
use super::{Recorder, batch, batches, position, row_of, write, writer};
use crate::classify::Cause;

/// Orders by customer.
fn orders() -> TableSchema {
    TableSchema::builder("orders")
        .partition_key("customer", KeyType::S)
        .sort_key("number", KeyType::N)
        .build()
        .unwrap()
}

fn order(customer: &str, row: u64) -> WriteOp {
    let table = orders();
    let item = table.item(|item| {
        item.attribute("customer")?.string(customer)?;
        item.attribute("number")?.integer(row)
    });
    table.put(item.unwrap()).unwrap().at(position(row))
}

fn delete(customer: &str, row: u64) -> WriteOp {
    let put = order(customer, row);
    orders().delete(put.item()).unwrap().at(position(row))
}

/// A service in which the collection of one customer is full: it takes deletes of it, and no puts.
fn full_of(customer: &str) -> Service {
    let full = order(customer, 0).key().clone();
    Service::new(move |request| {
        let grows = |op: &WriteOp| {
            op.action() == WriteAction::Put && op.key().partition() == full.partition()
        };
        if request.ops().iter().any(grows) {
            Fate::failed(request, Cause::ItemCollectionFull)
        } else {
            Fate::written()
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_full_collection_kills_the_puts_of_its_partition_key_and_nothing_else() {
    let customers = ["ada", "bob", "eve", "joe", "zoe"];
    let row = |row: u64| order(customers[usize::try_from(row % 5).unwrap()], row);
    let ops = (0..25).map(row).chain((25..50).map(|nth| match nth {
        25..30 => delete("eve", nth),
        _ => row(nth),
    }));
    let ops: Vec<WriteOp> = ops.collect();
    let is_dead = |op: &WriteOp| {
        op.action() == WriteAction::Put && op.key().partition() == order("eve", 0).key().partition()
    };
    let (service, recorder) = (full_of("eve"), Recorder::default());
    let batches = ops.chunks(25).map(|ops| batch(ops.iter().cloned()));
    write(writer(&service, &recorder).build(), batches)
        .await
        .unwrap();
    let (dead, written): (Vec<_>, Vec<_>) = ops.iter().partition(|op| is_dead(op));
    let rows = |ops: Vec<&WriteOp>| ops.into_iter().map(row_of).collect::<Vec<_>>();
    assert_eq!(dead.len(), 9);
    for reason in recorder.dead().values() {
        assert_eq!(reason.code, "item_collection_full");
    }
    assert_eq!(recorder.dead().into_keys().collect::<Vec<_>>(), rows(dead));
    assert_eq!(recorder.written(), rows(written));
}

#[tokio::test(start_paused = true)]
async fn room_that_a_delete_makes_is_used_by_later_puts_of_the_key() {
    // Row 0 finds the collection full; the delete makes room.
    let mut deleted = false;
    let service = Service::new(move |request| {
        let puts = |op: &WriteOp| op.action() == WriteAction::Put;
        if !deleted && request.ops().iter().any(puts) {
            return Fate::failed(request, Cause::ItemCollectionFull);
        }
        deleted = true;
        Fate::written()
    });
    let recorder = Recorder::default();
    let ops = [
        vec![order("eve", 0)],
        vec![delete("eve", 1)],
        vec![order("eve", 2)],
    ];
    let mut writer = writer(&service, &recorder).build();
    for ops in ops {
        futures::SinkExt::send(&mut writer, batch(ops))
            .await
            .unwrap();
    }
    assert_eq!(recorder.dead().into_keys().collect::<Vec<_>>(), [0]);
    assert_eq!(recorder.written(), [1, 2]);
}

fn size(table: &str, key: &str, upper_gb: f64) -> ItemCollectionSize {
    ItemCollectionSize {
        table: TableName::new(table).unwrap(),
        partition_key: key.to_owned(),
        lower_gb: upper_gb - 1.0,
        upper_gb,
    }
}

/// Keeps the partition keys of warnings, and what observers are told.
#[derive(Clone, Debug, Default)]
struct Told {
    warnings: Arc<Mutex<Vec<String>>>,
    sizes: Arc<Mutex<Vec<ItemCollectionSize>>>,
}

impl CapacityObserver for Told {
    fn observe(&self, feedback: &CapacityFeedback) {
        let mut sizes = self.sizes.lock().unwrap();
        sizes.extend(feedback.item_collections.iter().cloned());
    }
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "partition_key" {
            self.warnings.lock().unwrap().push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl Subscriber for Told {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn observers_learn_the_sizes_and_the_log_warns_of_each_collection_once_from_8_gb_on() {
    let answers = [
        vec![size("orders", "a", 7.9), size("orders", "b", 1.0)],
        vec![size("orders", "a", 8.0), size("orders", "b", 1.0)],
        vec![size("orders", "a", 9.0), size("orders", "b", 9.0)],
        vec![size("events", "a", 9.0), size("orders", "a", 10.0)],
    ];
    let told = Told::default();
    let _subscribed = tracing::subscriber::set_default(told.clone());
    let mut left = answers.clone().into_iter();
    let service = Service::new(move |_| Fate::written().telling(left.next().unwrap()));
    let recorder = Recorder::default();
    let writer = writer(&service, &recorder)
        .concurrency(crate::Concurrency::Fixed(1))
        .capacity_observer(told.clone());
    write(writer.build(), batches(0..100)).await.unwrap();
    assert_eq!(*told.sizes.lock().unwrap(), answers.concat());
    assert_eq!(*told.warnings.lock().unwrap(), ["a", "b", "a"]);
}

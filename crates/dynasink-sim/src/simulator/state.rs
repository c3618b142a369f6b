//! The service's own side: tables, what they can take, and what is decided about each operation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use dynasink_core::{BillingMode, PrimaryKey, WriteUnits};
use fastrand::Rng;
use serde_json::{Map, Value};

use super::Settings;
use super::collections::ItemCollections;
use crate::audit::{Audit, Decision, Resource};
use crate::capacity::{AccountCapacity, Exception, Refusal, TableCapacity, WriteCost};
use crate::fault::{Change, Latency};
use crate::footprint::place;
use crate::operation::Reply;
use crate::store::{Disagreement, PlannedWrite, Store};
use crate::table::SimulatedTable;
use crate::wire::name::{index_arn, table_arn, table_name_of};

#[derive(Debug)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) audit: Audit,
    /// Of each client that is counted apart.
    pub(super) clients: BTreeMap<Arc<str>, Audit>,
    pub(super) latency: Latency,
    tables: BTreeMap<String, TableState>,
    account: AccountCapacity,
    changes_done: usize,
}

#[derive(Debug)]
struct TableState {
    table: Arc<SimulatedTable>,
    capacity: TableCapacity,
    updating: bool,
    collections: ItemCollections,
}

/// What the service made of a request that it understood.
#[derive(Debug)]
pub(super) enum Answer {
    /// It took the request: one decision for each operation.
    Taken(Taken),
    /// Every operation was refused for want of capacity.
    Throttled(Throttled),
    /// An item collection has no room for an operation.
    CollectionFull,
    /// A table of the request is gone.
    TableMissing(String),
    /// The embedded store has another view of what is legal.
    Disagreement(Disagreement),
    /// The embedded store failed.
    StoreFailed(Reply),
}

#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) decisions: Vec<Decision>,
    /// By the table's name.
    pub(super) drawn: BTreeMap<String, Drawn>,
    /// Of tables with local indexes: the bytes under each partition key that was written to.
    pub(super) collections: Vec<(PrimaryKey, u64)>,
}

/// Units drawn by one request.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    pub(super) table: u64,
    pub(super) local: BTreeMap<String, u64>,
    pub(super) global: BTreeMap<String, u64>,
}

#[derive(Debug)]
pub(super) struct Throttled {
    pub(super) exception: Exception,
    /// Reasons and the ARNs of what they are about, each once.
    pub(super) reasons: Vec<(&'static str, String)>,
    pub(super) decisions: Vec<Decision>,
}

/// Chance about one request.
pub(super) struct Chance {
    /// In which order the operations are looked at.
    pub(super) order: Rng,
    /// Which of them fail, if any are to.
    pub(super) failing: Option<Rng>,
}

impl State {
    pub(super) fn new(store: Store, settings: &Settings) -> Self {
        Self {
            store,
            audit: Audit::default(),
            clients: BTreeMap::new(),
            latency: settings.latency,
            tables: BTreeMap::new(),
            account: AccountCapacity::new(&settings.model, Duration::ZERO),
            changes_done: 0,
        }
    }

    /// Where to note what `client` does: among everybody's, and apart.
    pub(super) fn audits(&mut self, client: Option<&str>) -> impl Iterator<Item = &mut Audit> {
        let apart = client.and_then(|client| self.clients.get_mut(client));
        std::iter::once(&mut self.audit).chain(apart)
    }

    pub(super) fn add_table(
        &mut self,
        mut table: SimulatedTable,
        settings: &Settings,
        now: Duration,
    ) {
        table.partitions = table.partitions.or(settings.partitions);
        let name = table.schema().name().as_str().to_owned();
        let capacity = TableCapacity::new(&settings.model, &table, now);
        self.tables.insert(
            name,
            TableState {
                table: Arc::new(table),
                capacity,
                updating: false,
                collections: ItemCollections::default(),
            },
        );
    }

    /// The table of that name or ARN.
    pub(super) fn table(
        &mut self,
        named: &str,
        settings: &Settings,
        now: Duration,
    ) -> Option<Arc<SimulatedTable>> {
        let name = table_name_of(named);
        if !self.tables.contains_key(name)
            && let Some(mut table) = self.store.describe(name, settings.provisioned)
        {
            if let Some(idle) = settings.idle {
                table = table.idle(idle);
            }
            self.add_table(table, settings, now);
        }
        self.tables.get(name).map(|state| Arc::clone(&state.table))
    }

    pub(super) fn is_updating(&self, name: &str) -> bool {
        self.tables.get(name).is_some_and(|state| state.updating)
    }

    pub(super) fn partitions(&self, table: &str) -> Option<usize> {
        Some(self.tables.get(table)?.capacity.partitions())
    }

    /// Takes note of what the embedded store has changed about a table. What is saved up stays so.
    pub(super) fn table_updated(&mut self, named: &str, settings: &Settings, now: Duration) {
        let name = table_name_of(named);
        let described = self.store.describe(name, settings.provisioned);
        let (Some(state), Some(table)) = (self.tables.get_mut(name), described) else {
            return;
        };
        let indexes = |table: &SimulatedTable| -> Vec<String> {
            let indexes = table.schema().indexes().iter();
            indexes.map(|index| index.name().to_owned()).collect()
        };
        if indexes(&table) != indexes(&state.table) {
            self.add_table(table, settings, now);
            return;
        }
        let billing = table.schema().billing_mode();
        if billing != state.table.schema().billing_mode() {
            state.capacity.set_capacity(now, billing);
        }
        for (number, index) in table.schema().indexes().iter().enumerate() {
            if let Some(write) = index.write_capacity() {
                state.capacity.set_index_capacity(now, number, write);
            }
        }
        state.table = Arc::new(table);
    }

    /// Forgets a table that is gone.
    pub(super) fn forget_table(&mut self, named: &str) {
        self.tables.remove(table_name_of(named));
    }

    pub(super) fn items(&self, table: &str) -> Vec<(PrimaryKey, Map<String, Value>)> {
        let Store::Memory(items) = &self.store else {
            return Vec::new();
        };
        items
            .iter()
            .filter(|(key, _)| key.table().as_str() == table)
            .filter_map(|(key, (json, _))| Some((key.clone(), serde_json::from_slice(json).ok()?)))
            .collect()
    }

    /// Makes the changes of the script that are due.
    pub(super) fn make_changes_due(&mut self, settings: &Settings, now: Duration) {
        for (at, change) in settings.faults.changes_due(now, self.changes_done) {
            self.change(change, settings, *at);
            self.changes_done += 1;
        }
    }

    pub(super) fn change(&mut self, change: &Change, settings: &Settings, now: Duration) {
        let name = match change {
            Change::Capacity(name, _) | Change::Updating(name) | Change::DeleteTable(name) => name,
            Change::Latency(latency) => {
                self.latency = *latency;
                return;
            }
        };
        let (table, index) = match name.split_once('/') {
            Some((table, index)) => (table, Some(index)),
            None => (name.as_str(), None),
        };
        // The store may know a table that no request has named yet.
        let _known = self.table(table, settings, now);
        let Some(state) = self.tables.get_mut(table) else {
            tracing::warn!(?change, "there is no such table to change");
            return;
        };
        match change {
            Change::Capacity(_, write) => state.set_capacity(now, index, *write),
            Change::Updating(_) => state.updating = true,
            Change::DeleteTable(_) => {
                self.tables.remove(table);
                self.store.delete_table(table);
            }
            // It is not a table's.
            Change::Latency(_) => {}
        }
    }

    /// Decides about the operations of a request and applies those that are admitted.
    pub(super) fn decide(
        &mut self,
        settings: &Settings,
        now: Duration,
        client: Option<&str>,
        writes: &[PlannedWrite],
        mut chance: Chance,
    ) -> Answer {
        self.make_changes_due(settings, now);
        for write in writes {
            let name = write.table.schema().name().as_str();
            if !self.tables.contains_key(name) {
                return Answer::TableMissing(name.to_owned());
            }
        }
        let olds: Vec<_> = writes
            .iter()
            .map(|write| self.store.footprint(write))
            .collect();
        let growth = |index: usize| -> (u64, u64) {
            let table = &writes[index].table;
            let bytes = |footprint: Option<&_>| {
                footprint.map_or(0, |footprint| ItemCollections::bytes_of(table, footprint))
            };
            (
                bytes(olds[index].as_ref()),
                bytes(writes[index].footprint.as_ref()),
            )
        };
        let mut grown: HashMap<(&str, &[u8]), u64> = HashMap::new();
        for (index, write) in writes.iter().enumerate() {
            let (old, new) = growth(index);
            let collection = (write.key.table().as_str(), write.key.partition());
            let grown = grown.entry(collection).or_default();
            *grown += new.saturating_sub(old);
            if new > old && self.collection(write) + *grown > settings.collection_limit {
                return Answer::CollectionFull;
            }
        }

        let mut order: Vec<usize> = (0..writes.len()).collect();
        chance.order.shuffle(&mut order);
        let mut taken = Taken {
            decisions: vec![Decision::NotReached; writes.len()],
            ..Taken::default()
        };
        let mut refusals = Vec::new();
        for index in order {
            let write = &writes[index];
            if chance.failing.as_mut().is_some_and(Rng::bool) {
                taken.decisions[index] = Decision::Failed;
                continue;
            }
            let cost = WriteCost::of(
                write.table.schema(),
                place(write.key.partition()),
                olds[index].as_ref(),
                write.footprint.as_ref(),
            );
            taken.decisions[index] = match self.admit(now, client, write, &cost, &mut taken.drawn) {
                Ok(units) => Decision::Applied(units),
                Err(refusal) => {
                    refusals.push((refusal, write));
                    Decision::Refused(refusal)
                }
            };
        }
        if let Some((first, _)) = refusals.first()
            && refusals.len() == writes.len()
        {
            return Answer::Throttled(Throttled {
                exception: first.exception(),
                reasons: reasons(&refusals),
                decisions: taken.decisions,
            });
        }
        let applied = |index: &usize| matches!(taken.decisions[*index], Decision::Applied(_));
        let applied: Vec<usize> = (0..writes.len()).filter(applied).collect();
        let admitted: Vec<_> = applied.iter().map(|index| &writes[*index]).collect();
        if let Err(disagreement) = self.store.apply(&admitted, settings.keeps_items) {
            return match disagreement.0.status {
                500.. => Answer::StoreFailed(disagreement.0),
                _ => Answer::Disagreement(disagreement),
            };
        }
        for index in applied {
            let write = &writes[index];
            let (old, new) = growth(index);
            if let Some(bytes) = self.grow_collection(write, old, new) {
                taken.collections.push((write.key.clone(), bytes));
            }
        }
        Answer::Taken(taken)
    }

    fn admit(
        &mut self,
        now: Duration,
        client: Option<&str>,
        write: &PlannedWrite,
        cost: &WriteCost,
        drawn: &mut BTreeMap<String, Drawn>,
    ) -> Result<u64, Refusal> {
        let schema = write.table.schema();
        let name = schema.name().as_str();
        let Some(state) = self.tables.get_mut(name) else {
            return Ok(0);
        };
        let admitted = state.capacity.admit(now, cost, &mut self.account)?;
        let index_name = |index: usize| {
            let index = schema.indexes().get(index);
            index.map_or_else(String::new, |index| index.name().to_owned())
        };
        let drawn = drawn.entry(name.to_owned()).or_default();
        drawn.table += cost.table_units;
        let mut of_the_table = cost.table_units;
        for (index, units) in &cost.local_units {
            *drawn.local.entry(index_name(*index)).or_default() += units;
            of_the_table += units;
        }
        let mut total = of_the_table;
        for global in &cost.global {
            let index = index_name(global.index);
            *drawn.global.entry(index.clone()).or_default() += global.units;
            self.draw(
                client,
                &Resource::Index(name.to_owned(), index),
                now,
                global.units,
            );
            total += global.units;
        }
        let partition = Resource::Partition(name.to_owned(), admitted.partition);
        self.draw(client, &partition, now, of_the_table);
        let table = Resource::Table(name.to_owned());
        self.draw(client, &table, now, of_the_table);
        Ok(total)
    }

    fn draw(&mut self, client: Option<&str>, resource: &Resource, now: Duration, units: u64) {
        for audit in self.audits(client) {
            audit.draw(resource, now, units);
        }
    }

    fn collection(&self, write: &PlannedWrite) -> u64 {
        let state = self.tables.get(write.table.schema().name().as_str());
        state.map_or(0, |state| state.collections.size(write.key.partition()))
    }

    /// Notes that an item of a collection has changed its size; says how large the collection is, if there is one.
    fn grow_collection(&mut self, write: &PlannedWrite, old: u64, new: u64) -> Option<u64> {
        if !ItemCollections::are_limited_in(&write.table) {
            return None;
        }
        let state = self.tables.get_mut(write.table.schema().name().as_str())?;
        Some(state.collections.grow(write.key.partition(), old, new))
    }
}

impl TableState {
    fn set_capacity(&mut self, now: Duration, index: Option<&str>, write: WriteUnits) {
        let Some(index) = index else {
            let billing = BillingMode::Provisioned { write };
            return self.capacity.set_capacity(now, billing);
        };
        let mut indexes = self.table.schema().indexes().iter();
        let Some(number) = indexes.position(|known| known.name() == index) else {
            tracing::warn!(index, "there is no such index to change");
            return;
        };
        self.capacity.set_index_capacity(now, number, write);
    }
}

/// The reasons, each once for each table or index.
fn reasons(refusals: &[(Refusal, &PlannedWrite)]) -> Vec<(&'static str, String)> {
    let mut reasons: Vec<(&'static str, String)> = refusals
        .iter()
        .map(|(refusal, write)| {
            let schema = write.table.schema();
            let table = schema.name().as_str();
            let index = refusal.index.and_then(|index| schema.indexes().get(index));
            let resource = match index {
                Some(index) => index_arn(table, index.name()),
                None => table_arn(table),
            };
            (refusal.reason(), resource)
        })
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

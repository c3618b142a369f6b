//! What one write draws from its table and from each index.

use dynasink_core::{IndexKind, TableSchema, WriteUnits};

use crate::footprint::{Footprint, IndexEntry};

/// What one write would draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WriteCost {
    /// Where the item lies: the hash of the table's partition key.
    pub(crate) partition: u64,
    /// Units of the table's own item.
    pub(crate) table_units: u64,
    /// Local indexes that change, by their number in the schema, and their units: drawn from the table.
    pub(crate) local_units: Vec<(usize, u64)>,
    /// Global indexes that change, in the schema's order. An entry that moves draws twice, once at each place.
    pub(crate) global: Vec<IndexCost>,
}

/// What one write draws from one place of a global index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexCost {
    /// The index's number in the schema.
    pub(crate) index: usize,
    /// Where the entry lies: the hash of the index's partition key.
    pub(crate) partition: u64,
    /// Units, never none.
    pub(crate) units: u64,
}

impl WriteCost {
    /// The cost of putting `new` in the place of `old`, of deleting `old` if there is no `new`, or of deleting what
    /// is not there.
    ///
    /// Source: Developer Guide, *Capacity unit consumption for write operations*: the larger of the item before
    /// and after, in started kilobytes, and one unit for a delete of nothing.
    pub(crate) fn of(
        schema: &TableSchema,
        partition: u64,
        old: Option<&Footprint>,
        new: Option<&Footprint>,
    ) -> Self {
        let item_units = |item: Option<&Footprint>| item.map_or(1, |item| started_kb(item.size));
        let mut cost = Self {
            partition,
            table_units: item_units(old).max(item_units(new)),
            local_units: Vec::new(),
            global: Vec::new(),
        };
        for (number, index) in schema.indexes().iter().enumerate() {
            let draws = entry_draws(entry(old, number), entry(new, number));
            let draws = draws.into_iter().flatten();
            match index.kind() {
                IndexKind::Local => {
                    let units = draws.map(|draw| draw.units).sum();
                    if units > 0 {
                        cost.local_units.push((number, units));
                    }
                }
                IndexKind::Global => cost.global.extend(draws.map(|draw| IndexCost {
                    index: number,
                    partition: draw.place,
                    units: draw.units,
                })),
            }
        }
        cost
    }

    /// What the table and its partition pay: the item and its local indexes.
    ///
    /// Source: Developer Guide, *Local secondary indexes*: they consume the capacity of the table.
    pub(crate) fn table_draw(&self) -> Draw {
        let local_units = self.local_units.iter().map(|(_, units)| units);
        Draw {
            place: self.partition,
            units: self.table_units + local_units.sum::<u64>(),
        }
    }

    /// Units of the table and of all its indexes.
    pub(crate) fn total(&self) -> u64 {
        let global_units = self.global.iter().map(|cost| cost.units);
        self.table_draw().units + global_units.sum::<u64>()
    }
}

impl IndexCost {
    pub(crate) fn draw(&self) -> Draw {
        Draw {
            place: self.partition,
            units: self.units,
        }
    }
}

/// Units to take at one place of a table or an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Draw {
    pub(crate) place: u64,
    pub(crate) units: u64,
}

fn started_kb(bytes: u64) -> u64 {
    WriteUnits::for_item_size(bytes).get()
}

fn entry(item: Option<&Footprint>, index: usize) -> Option<&IndexEntry> {
    item?.entries.get(index)?.as_ref()
}

/// Source: Developer Guide, *Using Global Secondary Indexes in `DynamoDB`*, "Write capacity units": a write that
/// changes an index key deletes the old entry and inserts the new one, one that changes nothing projected is free.
fn entry_draws(old: Option<&IndexEntry>, new: Option<&IndexEntry>) -> [Option<Draw>; 2] {
    let whole = |entry: &IndexEntry| Draw {
        place: entry.partition,
        units: started_kb(entry.size),
    };
    match (old, new) {
        (Some(old), Some(new)) if old.key == new.key => {
            let changed = old.digest != new.digest;
            let larger = Draw {
                place: new.partition,
                units: started_kb(old.size.max(new.size)),
            };
            [changed.then_some(larger), None]
        }
        (old, new) => [old.map(whole), new.map(whole)],
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use dynasink_core::KeyType;

    use super::*;

    const KB: u64 = 1024;

    fn item(size: u64, entries: Vec<Option<IndexEntry>>) -> Footprint {
        Footprint {
            size,
            entries: entries.into_boxed_slice(),
        }
    }

    fn entry_of(key: &'static str, size: u64, digest: u64) -> IndexEntry {
        IndexEntry {
            key: Bytes::from_static(key.as_bytes()),
            partition: key.len() as u64,
            size,
            digest,
        }
    }

    fn table(index: Option<IndexKind>) -> TableSchema {
        let table = TableSchema::builder("orders").partition_key("id", KeyType::S);
        match index {
            Some(kind) => table.index("i", kind, [("k", KeyType::S)], [], None),
            None => table,
        }
        .build()
        .unwrap()
    }

    #[test]
    fn a_write_costs_the_larger_of_the_old_and_the_new_item_and_at_least_one() {
        for (old, new, units) in [
            (None, Some(1), 1),
            (None, Some(KB), 1),
            (None, Some(KB + 1), 2),
            (None, Some(400 * KB), 400),
            (Some(10 * KB), Some(1), 10),
            (Some(1), Some(10 * KB), 10),
            (Some(3 * KB), None, 3),
            (None, None, 1),
        ] {
            let [old, new] = [old, new].map(|size| size.map(|size| item(size, vec![])));
            let cost = WriteCost::of(&table(None), 7, old.as_ref(), new.as_ref());
            assert_eq!(cost.table_units, units, "{old:?} to {new:?}");
            assert_eq!((cost.partition, cost.total()), (7, units));
        }
    }

    #[test]
    fn an_index_costs_what_its_entry_changes() {
        let small = || Some(entry_of("a", 100, 1));
        let cases: [(_, _, &[(u64, u64)]); 8] = [
            (None, None, &[]),
            (None, small(), &[(1, 1)]),
            (Some(entry_of("a", 3 * KB, 1)), None, &[(1, 3)]),
            (small(), small(), &[]),
            (small(), Some(entry_of("a", 100, 2)), &[(1, 1)]),
            (small(), Some(entry_of("a", 5 * KB, 2)), &[(1, 5)]),
            (
                Some(entry_of("a", 5 * KB, 1)),
                Some(entry_of("a", 1, 2)),
                &[(1, 5)],
            ),
            (
                Some(entry_of("a", 2 * KB, 1)),
                Some(entry_of("bb", 4 * KB, 2)),
                &[(1, 2), (2, 4)],
            ),
        ];
        for (old, new, draws) in cases {
            let [old, new] = [old, new].map(|entry| item(100, vec![entry]));
            let global = table(Some(IndexKind::Global));
            let cost = WriteCost::of(&global, 0, Some(&old), Some(&new));
            let drawn: Vec<_> = cost.global.iter().map(|c| (c.partition, c.units)).collect();
            assert_eq!(drawn, draws, "{old:?} to {new:?}");
            assert_eq!(cost.table_draw().units, 1, "the table pays for its item");

            let local = table(Some(IndexKind::Local));
            let cost = WriteCost::of(&local, 0, Some(&old), Some(&new));
            let units: u64 = draws.iter().map(|(_, units)| units).sum();
            let expected: Vec<_> = (units > 0).then_some((0, units)).into_iter().collect();
            assert_eq!(cost.local_units, expected, "{old:?} to {new:?}");
            assert!(cost.global.is_empty());
            assert_eq!(
                cost.table_draw().units,
                1 + units,
                "the table pays for both"
            );
        }
    }

    #[test]
    fn a_new_item_and_a_deleted_one_pay_for_their_entries() {
        let full = item(100, vec![Some(entry_of("a", 2 * KB, 1))]);
        let schema = table(Some(IndexKind::Global));
        let inserted = WriteCost::of(&schema, 0, None, Some(&full));
        let deleted = WriteCost::of(&schema, 0, Some(&full), None);
        assert_eq!(inserted, deleted);
        assert_eq!(inserted.total(), 1 + 2);
    }
}

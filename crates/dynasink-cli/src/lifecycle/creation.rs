//! A table that is not there yet, as the arguments say it.

use dynasink::{
    IndexKey, IndexKind, KeyType, NewIndex, NewTable, ProvisionedUnits, TableCapacity, TableSchema,
};

use super::index_file::IndexFile;
use crate::args::{BillingModeArg, KeyArg, NewTableArgs, TableShapeArgs};
use crate::failure::Failure;

/// Read capacity units of a new provisioned table, unless they are given.
const READ_UNITS: u64 = 5;

/// A table to create, and what is made of it only after all rows are written.
#[derive(Debug)]
pub(crate) struct Creation {
    pub(crate) table: NewTable,
    pub(crate) capacity: TableCapacity,
    pub(crate) deferred_indexes: Vec<NewIndex>,
}

/// The table to create, which has the keys of `keys`.
pub(crate) fn new_table(
    args: &NewTableArgs,
    keys: &TableSchema,
    type_of: impl Fn(&KeyArg) -> Result<KeyType, Failure>,
) -> Result<Creation, Failure> {
    let capacity = capacity(&args.shape)?;
    let mut table = NewTable::with_keys_of(keys)
        .capacity(capacity)
        .deletion_protection(args.deletion_protection);
    let mut deferred_indexes = Vec::new();
    if let Some(path) = &args.shape.indexes {
        let file = IndexFile::read(path)?;
        if file.has_units() && matches!(capacity, TableCapacity::OnDemand { .. }) {
            return Err(Failure::refused_because(format!(
                "{}: wcu and rcu are for indexes of provisioned tables: give --billing-mode provisioned",
                path.display()
            )));
        }
        let key = IndexKey {
            name: keys.partition_key().name().to_owned(),
            key_type: keys.partition_key().key_type(),
        };
        let indexes = file.resolve(&key, type_of)?.into_iter();
        // A local index can only be made with its table.
        let (later, now): (Vec<_>, Vec<_>) =
            indexes.partition(|index| args.defer_indexes && index.kind == IndexKind::Global);
        table = table.indexes(now);
        deferred_indexes = later;
    }
    if let Some(attribute) = &args.ttl_attribute {
        table = table.ttl_attribute(attribute);
    }
    for tag in &args.tags {
        table = table.tag(&tag.key, &tag.value);
    }
    Ok(Creation {
        table,
        capacity,
        deferred_indexes,
    })
}

fn capacity(args: &TableShapeArgs) -> Result<TableCapacity, Failure> {
    let mode = args.billing_mode.unwrap_or(BillingModeArg::OnDemand);
    let refused = |reason: &str| Err(Failure::refused_because(reason));
    match (mode, args.wcu, args.max_wcu) {
        (BillingModeArg::Provisioned, Some(write), None) => {
            Ok(TableCapacity::Provisioned(ProvisionedUnits {
                read: args.rcu.unwrap_or(READ_UNITS),
                write,
            }))
        }
        (BillingModeArg::Provisioned, _, Some(_)) => refused(
            "--max-wcu is the maximum of an on-demand table: give --wcu for one that is provisioned",
        ),
        (BillingModeArg::Provisioned, None, None) => {
            refused("--billing-mode provisioned needs the capacity: give --wcu")
        }
        (BillingModeArg::OnDemand, Some(_), _) => refused(
            "--wcu is the capacity of a provisioned table: give --billing-mode provisioned, or --max-wcu for one on demand",
        ),
        (BillingModeArg::OnDemand, None, _) if args.rcu.is_some() => refused(
            "--rcu is the capacity of a provisioned table: give --billing-mode provisioned too",
        ),
        (BillingModeArg::OnDemand, None, max_write) => Ok(TableCapacity::OnDemand {
            max_read: None,
            max_write,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> TableShapeArgs {
        TableShapeArgs::default()
    }

    #[test]
    fn capacity_is_that_of_the_billing_mode() {
        let provisioned = TableShapeArgs {
            billing_mode: Some(BillingModeArg::Provisioned),
            wcu: Some(100),
            ..args()
        };
        let units = ProvisionedUnits {
            read: READ_UNITS,
            write: 100,
        };
        assert_eq!(
            capacity(&provisioned).unwrap(),
            TableCapacity::Provisioned(units)
        );
        let limited = TableShapeArgs {
            max_wcu: Some(100),
            ..args()
        };
        let on_demand = TableCapacity::OnDemand {
            max_read: None,
            max_write: Some(100),
        };
        assert_eq!(capacity(&limited).unwrap(), on_demand);
        for wrong in [
            TableShapeArgs {
                wcu: None,
                ..provisioned.clone()
            },
            TableShapeArgs {
                max_wcu: Some(1),
                ..provisioned
            },
            TableShapeArgs {
                wcu: Some(1),
                ..args()
            },
            TableShapeArgs {
                rcu: Some(1),
                ..args()
            },
        ] {
            assert!(capacity(&wrong).is_err(), "{wrong:?}");
        }
    }
}

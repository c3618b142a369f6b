//! The table over the course of a load: made, looked at, raised, and put back.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use dynasink::{
    IndexKey, KeyType, NewTable, ProvisionedUnits, TableCapacity, TableSchema, TableState,
    WriteUnits, WriterError, describe_state, warm_up,
};

use crate::args::{BillingModeArg, CreateArgs, KeyArg, NewTableArgs};
use crate::failure::Failure;
use crate::index_file::IndexFile;

/// How long a table may take to become active.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Read capacity units of a new provisioned table, unless they are given.
const READ_UNITS: u64 = 5;

/// The table to create, which has the keys of `keys`.
pub(crate) fn new_table(
    args: &NewTableArgs,
    keys: &TableSchema,
    type_of: impl Fn(&KeyArg) -> Result<KeyType, Failure>,
) -> Result<NewTable, Failure> {
    let capacity = capacity(args)?;
    let mut table = NewTable::with_keys_of(keys)
        .capacity(capacity)
        .deletion_protection(args.deletion_protection);
    if let Some(path) = &args.indexes {
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
        table = table.indexes(file.resolve(&key, type_of)?);
    }
    if let Some(attribute) = &args.ttl_attribute {
        table = table.ttl_attribute(attribute);
    }
    for tag in &args.tags {
        table = table.tag(&tag.key, &tag.value);
    }
    Ok(table)
}

fn capacity(args: &NewTableArgs) -> Result<TableCapacity, Failure> {
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

/// Creates `table`, or warms up the one that `exists`, and says what is to be known of it before rows are written.
pub(crate) async fn ready(
    client: &Client,
    table: &TableSchema,
    new: Option<NewTable>,
    warm_write: Option<WriteUnits>,
) -> Result<TableState, Failure> {
    let refused = |error: WriterError| Failure::refused(&error);
    let name = table.name().as_str();
    match (new, warm_write) {
        (Some(new), warm_write) => {
            tracing::info!(table = name, "creating the table");
            let new = match warm_write {
                Some(warm_write) => new.warm_write(warm_write),
                None => new,
            };
            new.create(client, PATIENCE).await.map_err(refused)?;
        }
        (None, Some(warm_write)) => {
            warm_up(client, name, warm_write, PATIENCE)
                .await
                .map_err(refused)?;
        }
        (None, None) => {}
    }
    describe_state(client, name).await.map_err(refused)
}

impl CreateArgs {
    /// Refuses the key of a table that is not to be created.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.keys.partition_key.is_some() && !self.create_table {
            return Err(Failure::refused_because(
                "--partition-key is the key of a table to create: give --create-table too",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> NewTableArgs {
        NewTableArgs::default()
    }

    #[test]
    fn capacity_is_that_of_the_billing_mode() {
        let provisioned = NewTableArgs {
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
        let limited = NewTableArgs {
            max_wcu: Some(100),
            ..args()
        };
        let on_demand = TableCapacity::OnDemand {
            max_read: None,
            max_write: Some(100),
        };
        assert_eq!(capacity(&limited).unwrap(), on_demand);
        for wrong in [
            NewTableArgs {
                wcu: None,
                ..provisioned.clone()
            },
            NewTableArgs {
                max_wcu: Some(1),
                ..provisioned
            },
            NewTableArgs {
                wcu: Some(1),
                ..args()
            },
            NewTableArgs {
                rcu: Some(1),
                ..args()
            },
        ] {
            assert!(capacity(&wrong).is_err(), "{wrong:?}");
        }
    }
}

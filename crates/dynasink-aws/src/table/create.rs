//! Tables made through the SDK.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{BillingMode as SdkBillingMode, Tag, TimeToLiveSpecification};
use dynasink_core::{BillingMode, IndexKind, TableSchema, WriteUnits};

use super::capacity::{ProvisionedUnits, TableCapacity, on_demand_throughput, warm_throughput};
use super::index::{IndexKey, NewIndex, definition, key_schema};
use super::wait::wait_until_active;
use crate::classify::classify;
use crate::error::{Error, Result};
use crate::preflight::Preflight;
use crate::refusal::said_by_the_service;

/// Creates `table` with its key schema, on demand, and waits until it can be written to. A [`NewTable`] can be more.
///
/// # Errors
///
/// As [`NewTable::create`].
pub async fn create(client: &Client, table: &TableSchema, patience: Duration) -> Result<()> {
    NewTable::with_keys_of(table).create(client, patience).await
}

/// A table that is to be made.
///
/// ```
/// use dynasink_aws::{NewTable, ProvisionedUnits, TableCapacity};
/// use dynasink_core::{KeyType, TableSchema};
///
/// let keys = TableSchema::builder("users").partition_key("id", KeyType::S).build()?;
/// let table = NewTable::with_keys_of(&keys)
///     .capacity(TableCapacity::Provisioned(ProvisionedUnits { read: 5, write: 500 }))
///     .ttl_attribute("expires")
///     .deletion_protection(true);
/// assert_eq!(table.schema()?.ttl_attribute(), Some("expires"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct NewTable {
    name: String,
    keys: Vec<IndexKey>,
    capacity: TableCapacity,
    indexes: Vec<NewIndex>,
    warm_write: Option<WriteUnits>,
    ttl_attribute: Option<String>,
    tags: BTreeMap<String, String>,
    deletion_protection: bool,
}

impl NewTable {
    /// A table of that name with those keys, on demand, and nothing else of `table`.
    pub fn with_keys_of(table: &TableSchema) -> Self {
        let keys = table.keys().map(|key| IndexKey {
            name: key.name().to_owned(),
            key_type: key.key_type(),
        });
        Self {
            name: table.name().as_str().to_owned(),
            keys: keys.collect(),
            capacity: TableCapacity::OnDemand {
                max_read: None,
                max_write: None,
            },
            indexes: Vec::new(),
            warm_write: None,
            ttl_attribute: None,
            tags: BTreeMap::new(),
            deletion_protection: false,
        }
    }

    /// Sets how its capacity is paid for.
    pub fn capacity(mut self, capacity: TableCapacity) -> Self {
        self.capacity = capacity;
        self
    }

    /// Makes these indexes with it.
    pub fn indexes(mut self, indexes: impl IntoIterator<Item = NewIndex>) -> Self {
        self.indexes.extend(indexes);
        self
    }

    /// Has it take so many writes at once from the beginning, in units per second.
    ///
    /// Source: *Create a new DynamoDB table with higher warm throughput*.
    pub fn warm_write(mut self, write: WriteUnits) -> Self {
        self.warm_write = Some(write);
        self
    }

    /// Has its items expire by that attribute.
    pub fn ttl_attribute(mut self, attribute: impl Into<String>) -> Self {
        self.ttl_attribute = Some(attribute.into());
        self
    }

    /// Tags it.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Sets whether it can be deleted.
    pub fn deletion_protection(mut self, protected: bool) -> Self {
        self.deletion_protection = protected;
        self
    }

    /// What its description will say.
    ///
    /// # Errors
    ///
    /// [`Error::UnusableTable`] if there can be no such table.
    pub fn schema(&self) -> Result<TableSchema> {
        let mut schema = TableSchema::builder(&self.name).billing_mode(match self.capacity {
            TableCapacity::Provisioned(units) => BillingMode::Provisioned {
                write: WriteUnits::new(units.write),
            },
            TableCapacity::OnDemand { max_write, .. } => BillingMode::OnDemand {
                max_write: max_write.map(WriteUnits::new),
            },
        });
        if let Some(key) = self.keys.first() {
            schema = schema.partition_key(&key.name, key.key_type);
        }
        if let Some(key) = self.keys.get(1) {
            schema = schema.sort_key(&key.name, key.key_type);
        }
        for index in &self.indexes {
            let units = match (index.kind, self.provisioned()) {
                (IndexKind::Global, Some(of_table)) => Some(index.units.unwrap_or(of_table)),
                _ => None,
            };
            let projection = index.projection.of_schema();
            let projection = projection.map_err(|error| self.unusable(&error))?;
            let indexed = schema.index(
                &index.name,
                index.kind,
                [(&index.partition_key.name, index.partition_key.key_type)],
                index.sort_key.as_ref().map(|key| (&key.name, key.key_type)),
                units.map(|units| WriteUnits::new(units.write)),
            );
            schema = indexed.projecting(&index.name, projection);
        }
        if let Some(warm) = self.warm_write {
            schema = schema.warm_throughput(warm);
        }
        if let Some(attribute) = &self.ttl_attribute {
            schema = schema.ttl_attribute(attribute);
        }
        schema.build().map_err(|error| self.unusable(&error))
    }

    /// Makes it, and waits until it can be written to.
    ///
    /// # Errors
    ///
    /// [`Error::Create`] if the service refuses, such as when the table exists already; [`Error::NotActive`] if it is
    /// not ready after `patience`; [`Error::Change`] if it was made and has no time to live.
    pub async fn create(&self, client: &Client, patience: Duration) -> Result<()> {
        let request = self
            .request(client)
            .map_err(|error| self.unusable(&error))?;
        let sent = request.customize().interceptor(Preflight).send().await;
        sent.map_err(|error| Error::Create {
            table: self.name.clone(),
            cause: Box::new(classify(&error)),
            source: said_by_the_service(error),
        })?;
        wait_until_active(client, &self.name, patience).await?;
        match &self.ttl_attribute {
            Some(attribute) => self.set_ttl_attribute(client, attribute).await,
            None => Ok(()),
        }
    }

    fn request(&self, client: &Client) -> Result<CreateTableFluentBuilder, BuildError> {
        let mut request = client.create_table().table_name(&self.name);
        request = match self.capacity {
            TableCapacity::Provisioned(units) => request
                .billing_mode(SdkBillingMode::Provisioned)
                .provisioned_throughput(units.throughput()?),
            TableCapacity::OnDemand {
                max_read,
                max_write,
            } => request
                .billing_mode(SdkBillingMode::PayPerRequest)
                .set_on_demand_throughput(on_demand_throughput(max_read, max_write)),
        };
        let of_indexes = self.indexes.iter().flat_map(NewIndex::keys);
        let mut attributes = BTreeMap::new();
        for key in self.keys.iter().chain(of_indexes) {
            attributes.entry(&key.name).or_insert(key.key_type);
        }
        for (name, key_type) in attributes {
            request = request.attribute_definitions(definition(name, key_type)?);
        }
        let names = self.keys.iter().map(|key| key.name.as_str());
        request = request.set_key_schema(Some(key_schema(names)?));
        for index in &self.indexes {
            request = match index.kind {
                IndexKind::Local => request.local_secondary_indexes(index.local()?),
                IndexKind::Global => {
                    request.global_secondary_indexes(index.global(self.provisioned())?)
                }
            };
        }
        for (key, value) in &self.tags {
            request = request.tags(Tag::builder().key(key).value(value).build()?);
        }
        if self.deletion_protection {
            request = request.deletion_protection_enabled(true);
        }
        Ok(request.set_warm_throughput(self.warm_write.map(warm_throughput)))
    }

    /// Source: API reference, `UpdateTimeToLive`: there is none in `CreateTable`.
    async fn set_ttl_attribute(&self, client: &Client, attribute: &str) -> Result<()> {
        let specification = TimeToLiveSpecification::builder()
            .attribute_name(attribute)
            .enabled(true);
        let specification = specification
            .build()
            .map_err(|error| self.unusable(&error))?;
        let sent = client
            .update_time_to_live()
            .table_name(&self.name)
            .time_to_live_specification(specification)
            .customize()
            .interceptor(Preflight)
            .send()
            .await;
        sent.map_err(|error| Error::Change {
            table: self.name.clone(),
            what: "time to live",
            cause: Box::new(classify(&error)),
            source: said_by_the_service(error),
        })?;
        Ok(())
    }

    fn provisioned(&self) -> Option<ProvisionedUnits> {
        match self.capacity {
            TableCapacity::Provisioned(units) => Some(units),
            TableCapacity::OnDemand { .. } => None,
        }
    }

    fn unusable(&self, error: &dyn std::error::Error) -> Error {
        Error::UnusableTable {
            table: self.name.clone(),
            reason: error.to_string(),
        }
    }
}

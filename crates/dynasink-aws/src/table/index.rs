//! Indexes that are made: with their table, or later.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex, KeySchemaElement,
    KeyType as KeyRole, LocalSecondaryIndex, Projection as SdkProjection, ProjectionType,
    ProvisionedThroughput, ScalarAttributeType,
};
use dynasink_core::{AttributeName, IndexKind, KeyType, Projection};
use serde::{Deserialize, Serialize};

use super::capacity::ProvisionedUnits;

/// A key attribute of an index that is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexKey {
    /// The attribute.
    pub name: String,
    /// Its type.
    pub key_type: KeyType,
}

/// What an index holds of each item besides the keys of the table and its own.
///
/// Source: API reference, `Projection`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexProjection {
    /// Everything.
    #[default]
    All,
    /// Nothing.
    KeysOnly,
    /// These attributes.
    Include(Vec<String>),
}

impl IndexProjection {
    /// The same, as it decides on the units of an index.
    pub(super) fn of_schema(&self) -> dynasink_core::Result<Projection> {
        Ok(match self {
            Self::All => Projection::All,
            Self::KeysOnly => Projection::KeysOnly,
            Self::Include(attributes) => {
                let names = attributes.iter().map(|name| AttributeName::new(name));
                Projection::Include(names.collect::<Result<_, _>>()?)
            }
        })
    }
}

/// An index that is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewIndex {
    /// Its name.
    pub name: String,
    /// Local or global. A local one can only be made with its table.
    pub kind: IndexKind,
    /// Its partition key, which is that of the table if it is local.
    pub partition_key: IndexKey,
    /// Its sort key; a local one has one.
    pub sort_key: Option<IndexKey>,
    /// What it holds of each item.
    pub projection: IndexProjection,
    /// The capacity of a global index of a provisioned table. None is that of the table.
    pub units: Option<ProvisionedUnits>,
}

impl NewIndex {
    pub(super) fn keys(&self) -> impl Iterator<Item = &IndexKey> {
        std::iter::once(&self.partition_key).chain(&self.sort_key)
    }

    pub(super) fn definitions(&self) -> Result<Vec<AttributeDefinition>, BuildError> {
        let keys = self.keys();
        keys.map(|key| definition(&key.name, key.key_type))
            .collect()
    }

    fn schema(&self) -> Result<Vec<KeySchemaElement>, BuildError> {
        key_schema(self.keys().map(|key| key.name.as_str()))
    }

    fn projected(&self) -> SdkProjection {
        let projection = SdkProjection::builder();
        match &self.projection {
            IndexProjection::All => projection.projection_type(ProjectionType::All),
            IndexProjection::KeysOnly => projection.projection_type(ProjectionType::KeysOnly),
            IndexProjection::Include(attributes) => projection
                .projection_type(ProjectionType::Include)
                .set_non_key_attributes(Some(attributes.clone())),
        }
        .build()
    }

    pub(super) fn local(&self) -> Result<LocalSecondaryIndex, BuildError> {
        LocalSecondaryIndex::builder()
            .index_name(&self.name)
            .set_key_schema(Some(self.schema()?))
            .projection(self.projected())
            .build()
    }

    /// With the capacity of the index, or else `of_table`; neither where the table is on demand.
    pub(super) fn global(
        &self,
        of_table: Option<ProvisionedUnits>,
    ) -> Result<GlobalSecondaryIndex, BuildError> {
        GlobalSecondaryIndex::builder()
            .index_name(&self.name)
            .set_key_schema(Some(self.schema()?))
            .projection(self.projected())
            .set_provisioned_throughput(self.throughput(of_table)?)
            .build()
    }

    /// The same for a table that is there.
    pub(super) fn added(
        &self,
        of_table: Option<ProvisionedUnits>,
    ) -> Result<CreateGlobalSecondaryIndexAction, BuildError> {
        CreateGlobalSecondaryIndexAction::builder()
            .index_name(&self.name)
            .set_key_schema(Some(self.schema()?))
            .projection(self.projected())
            .set_provisioned_throughput(self.throughput(of_table)?)
            .build()
    }

    fn throughput(
        &self,
        of_table: Option<ProvisionedUnits>,
    ) -> Result<Option<ProvisionedThroughput>, BuildError> {
        of_table
            .map(|of_table| self.units.unwrap_or(of_table).throughput())
            .transpose()
    }
}

pub(super) fn definition(name: &str, key_type: KeyType) -> Result<AttributeDefinition, BuildError> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(match key_type {
            KeyType::S => ScalarAttributeType::S,
            KeyType::N => ScalarAttributeType::N,
            KeyType::B => ScalarAttributeType::B,
        })
        .build()
}

/// The partition key, then the sort key if there is one.
pub(super) fn key_schema(
    names: impl IntoIterator<Item = impl Into<String>>,
) -> Result<Vec<KeySchemaElement>, BuildError> {
    names
        .into_iter()
        .zip([KeyRole::Hash, KeyRole::Range])
        .map(|(name, role)| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(role)
                .build()
        })
        .collect()
}

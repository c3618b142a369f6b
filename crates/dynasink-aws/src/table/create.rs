//! Tables made through the SDK.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode as SdkBillingMode, KeySchemaElement, KeyType as KeyRole,
    ScalarAttributeType,
};
use dynasink_core::{KeyType, TableSchema};

use super::wait::wait_until_active;
use crate::classify::classify;
use crate::error::{Error, Result};
use crate::preflight::Preflight;
use crate::refusal::said_by_the_service;

/// Creates `table` with its key schema, on demand, and waits until it can be written to.
///
/// # Errors
///
/// [`Error::Create`] if the service refuses, such as when the table exists already; [`Error::NotActive`] if it is
/// not ready after `patience`.
pub async fn create(client: &Client, table: &TableSchema, patience: Duration) -> Result<()> {
    let name = table.name().as_str();
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(SdkBillingMode::PayPerRequest);
    for (key, role) in table.keys().zip([KeyRole::Hash, KeyRole::Range]) {
        let attribute_type = match key.key_type() {
            KeyType::S => ScalarAttributeType::S,
            KeyType::N => ScalarAttributeType::N,
            KeyType::B => ScalarAttributeType::B,
        };
        let unusable = |error: aws_sdk_dynamodb::error::BuildError| Error::UnusableTable {
            table: name.to_owned(),
            reason: error.to_string(),
        };
        let definition = AttributeDefinition::builder()
            .attribute_name(key.name())
            .attribute_type(attribute_type);
        let element = KeySchemaElement::builder()
            .attribute_name(key.name())
            .key_type(role);
        request = request
            .attribute_definitions(definition.build().map_err(unusable)?)
            .key_schema(element.build().map_err(unusable)?);
    }
    let sent = request.customize().interceptor(Preflight).send().await;
    sent.map_err(|error| Error::Create {
        table: name.to_owned(),
        cause: Box::new(classify(&error)),
        source: said_by_the_service(error),
    })?;
    wait_until_active(client, name, patience).await
}

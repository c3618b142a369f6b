//! The embedded store, as another program changes it.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use dynasink_sim::EmbeddedStore;

use crate::workplace::Workplace;

/// Calls `change` with a client of the store of `workplace`.
pub(crate) fn change(workplace: &Workplace, change: impl AsyncFnOnce(Client)) {
    let store = EmbeddedStore::open(workplace.path("store.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(change(store.client()));
}

/// Writes an item of the table `things`.
pub(crate) async fn put(client: &Client, item: &[(&str, AttributeValue)]) {
    let mut request = client.put_item().table_name("things");
    for (name, value) in item {
        request = request.item(*name, value.clone());
    }
    request.send().await.unwrap();
}

pub(crate) fn n(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}

pub(crate) fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

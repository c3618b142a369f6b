//! Items that the service may have deleted by itself.

use std::time::{Duration, SystemTime};

use dynasink_core::WriteOp;
use serde_json::Value;

/// An item whose time to live ended longer ago is not deleted by the service.
///
/// Source: *Using time to live (TTL) in DynamoDB*, "timestamps older than five years".
const OLDEST: Duration = Duration::from_hours(5 * 365 * 24);

/// Whether the service may have deleted the item that `op` puts by `now`, because its time to live has ended.
pub(super) fn has_expired(op: &WriteOp, now: SystemTime) -> bool {
    let Some(ends) = end_of_life(op) else {
        return false;
    };
    let Ok(now) = now.duration_since(SystemTime::UNIX_EPOCH) else {
        return false;
    };
    ends <= now && now - ends <= OLDEST
}

/// When the item's time to live ends, since 1970.
fn end_of_life(op: &WriteOp) -> Option<Duration> {
    let attribute = op.schema().ttl_attribute()?;
    let item: Value = serde_json::from_slice(op.item().json()).ok()?;
    let seconds: f64 = item.get(attribute)?.get("N")?.as_str()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use dynasink_core::{KeyType, TableSchema};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_has_expired_from_its_time_on_for_five_years() {
        let table = TableSchema::builder("sessions").partition_key("id", KeyType::N);
        let table = table.ttl_attribute("until").build().unwrap();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let op = table
            .put_serde(&json!({ "id": 1, "until": 1_000_000 }))
            .unwrap();
        assert!(!has_expired(&op, at(999_999)));
        assert!(has_expired(&op, at(1_000_000)));
        assert!(has_expired(&op, at(1_000_000) + OLDEST));
        assert!(!has_expired(&op, at(1_000_001) + OLDEST));
        for item in [json!({ "id": 1 }), json!({ "id": 1, "until": "1000" })] {
            assert!(!has_expired(
                &table.put_serde(&item).unwrap(),
                at(2_000_000)
            ));
        }
    }
}

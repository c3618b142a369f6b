//! Tables: described, made and changed through the SDK.

mod capacity;
mod change;
mod create;
mod describe;
mod index;
mod state;
mod unknown;
mod wait;

pub use capacity::{CapacitySettings, ProvisionedUnits, TableCapacity};
pub use change::{TableChanges, add_index, set_capacity, warm_up};
pub use create::{NewTable, create};
pub use describe::{describe, describe_once_made};
pub use index::{IndexKey, NewIndex};
pub use state::{PointInTimeRecovery, StreamView, TableState, describe_state};

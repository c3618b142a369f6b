//! Tables: described, made and changed through the SDK.

mod capacity;
mod create;
mod describe;
mod state;
mod unknown;
mod wait;

pub use capacity::{CapacitySettings, ProvisionedUnits, TableCapacity};
pub use create::create;
pub use describe::describe;
pub use state::{PointInTimeRecovery, StreamView, TableState, describe_state};

//! Load policies side by side on the simulator, and the search for the best settings of a load.

pub mod policies;
pub mod policy;

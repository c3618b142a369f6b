//! The project's own pipe, and the control laws of others.

mod own;

pub use own::Dynasink;

use crate::policy::Policy;

/// All of them, the project's own first.
pub fn all() -> Vec<Box<dyn Policy>> {
    vec![Box::new(Dynasink)]
}

//! Scenarios of capacity: what a table can take and how a load fares on it, on the simulator and in virtual time.
//!
//! ```text
//!  scenarios/*.toml ─▶ Scenario ─▶ Simulator ◀── other client
//!                         │            ▲ │
//!                         └──▶ ops ──▶ Policy ─▶ Audit ─▶ Optimum, Measured ─▶ Expected
//! ```
//!
//! A [`Scenario`] says what the table can take, what is to be written, and what is expected. A [`Policy`] writes it: the
//! project's own pipe, or the control law of another tool. [`run`] lets one policy have one scenario, and measures how
//! near it came to the [`Optimum`].
//!
//! ```
//! use dynasink_benches::{Scenario, policies::Dynasink, run};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let scenario: Scenario = r#"
//!     about = "A table of ten units per second"
//!     [table]
//!     capacity = { provisioned = 10 }
//!     idle = "0s"
//!     [input]
//!     ops = 100
//!     size = 1000
//!     [expect]
//!     share = 0.9
//! "#.parse()?;
//! let measured = run(&scenario.into(), &Dynasink).await;
//! assert!((9.5..=10.0).contains(&measured.optimum.time.as_secs_f64()));
//! # Ok(())
//! # }
//! ```

mod error;
mod expected;
mod measured;
mod optimum;
mod other_client;
pub mod policies;
mod policy;
pub mod report;
mod runner;
mod scenario;
mod supply;
mod trace;
pub mod tuning;

pub use error::{Error, Result};
pub use expected::Expected;
pub use measured::Measured;
pub use optimum::{Bottleneck, Optimum};
pub use other_client::OtherClient;
pub use policy::{Client, Ended, Policy, RateGauge};
pub use runner::{run, run_traced};
pub use scenario::{Capacity, Change, Index, Input, Keys, Order, Scenario, Size, Table};
pub use trace::Second;

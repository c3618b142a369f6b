//! A load second by second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dynasink_sim::{Audit, Resource, Simulator};
use tokio::time::{Instant, sleep_until};

use crate::policy::RateGauge;

/// What happened in one second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Second {
    /// Which, from zero.
    pub number: u64,
    /// The rate that the policy showed at its end, in units per second.
    pub rate: Option<f64>,
    /// What the load drew, from each table, index and partition.
    pub units: BTreeMap<Resource, u64>,
    /// What the other client drew from the table.
    pub others_units: u64,
    /// Operations of the load that were refused.
    pub refused: u64,
    /// Its requests that were under way at the end.
    pub in_flight: u64,
}

/// Notes at each second's end what no audit keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<Second>>>);

impl Recorder {
    /// Looks at the load of `client` until it is dropped.
    pub(crate) async fn watch(self, service: Simulator, client: &'static str, rate: RateGauge) {
        let start = Instant::now();
        let mut refused_before = 0;
        for number in 0.. {
            sleep_until(start + Duration::from_secs(number + 1)).await;
            let audit = service.audit_of(client);
            let refused = audit.totals().refused;
            let second = Second {
                number,
                rate: rate.read(),
                refused: refused - refused_before,
                in_flight: audit.in_flight(),
                ..Second::default()
            };
            refused_before = refused;
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(second);
        }
    }

    /// The seconds, with what the audits tell of them.
    pub(crate) fn seconds(&self, load: &Audit, other: Option<&Audit>) -> Vec<Second> {
        let mut seconds = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for resource in load.resources() {
            for (number, units) in load.units_per_second(resource) {
                let nth = usize::try_from(number).unwrap_or(usize::MAX);
                if let Some(second) = seconds.get_mut(nth) {
                    second.units.insert(resource.clone(), units);
                }
            }
        }
        for resource in other.iter().flat_map(|other| other.resources()) {
            if !matches!(resource, Resource::Table(_)) {
                continue;
            }
            for (number, units) in other
                .map(|other| other.units_per_second(resource))
                .unwrap_or_default()
            {
                let nth = usize::try_from(number).unwrap_or(usize::MAX);
                if let Some(second) = seconds.get_mut(nth) {
                    second.others_units += units;
                }
            }
        }
        seconds
    }
}

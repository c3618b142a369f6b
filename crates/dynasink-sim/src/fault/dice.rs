//! Chance by seed, one stream for each kind of decision, so that a new kind of decision moves none of the others.

use std::hash::Hasher;

use fastrand::Rng;
use siphasher::sip::SipHasher13;

/// What is decided by chance.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Fault,
    Latency,
    /// In which order the operations of a request are looked at.
    Order,
    /// Which operations of a request fail.
    Partial,
}

/// Draws the same for the same request of the same seed, whatever was drawn before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    seed: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The chance of one decision about the request of that number.
    pub(crate) fn roll(self, stream: Stream, number: u64) -> Rng {
        let mut hasher = SipHasher13::new_with_keys(self.seed, stream as u64);
        hasher.write_u64(number);
        Rng::with_seed(hasher.finish())
    }
}

//! What a stage is expected to do with what it is sent.

use std::{fmt, time::Duration};

use super::{Rule, SEEDS};

type Judge<In, Out> = Box<dyn Fn(&[In], &[Out]) -> Result<usize, String>>;

/// What a stage may deliver for what it was sent, and how much it may hold meanwhile.
///
/// The constructors differ in how free the stage is: [`outputs`](Self::outputs) for a stage whose output
/// follows from its input, [`batches`](Self::batches) for one that puts batch boundaries where it likes,
/// [`parts`](Self::parts) for both when items have no `PartialEq`, and [`outstanding`](Self::outstanding)
/// for any other.
#[must_use]
pub struct Expect<In, Out> {
    judge: Judge<In, Out>,
    pub(super) max_held: usize,
    pub(super) seeds: u64,
    pub(super) max_wait: Option<Duration>,
    waived: Vec<Rule>,
}

impl<In, Out> Expect<In, Out> {
    /// The stage delivers exactly `outputs(sent)`, in that order, whatever the timing.
    ///
    /// The bound of [`max_held`](Self::max_held) counts outputs.
    pub fn outputs(outputs: impl Fn(&[In]) -> Vec<Out> + 'static) -> Self
    where
        Out: PartialEq + fmt::Debug,
    {
        Self::outstanding(move |sent, delivered| outstanding(&outputs(sent), delivered))
    }

    /// The stage joins inputs into batches; `unbatch` gives the inputs of one batch back. Boundaries are
    /// free, order is not.
    ///
    /// The bound of [`max_held`](Self::max_held) counts inputs.
    pub fn batches(unbatch: impl Fn(&Out) -> Vec<In> + 'static) -> Self
    where
        In: PartialEq + fmt::Debug,
    {
        Self::outstanding(move |sent, delivered| {
            let inputs: Vec<In> = delivered.iter().flat_map(&unbatch).collect();
            outstanding(sent, &inputs)
        })
    }

    /// The parts of all that arrived, one output after the other, are `expected(sent)`, in that order.
    ///
    /// For items that cannot be compared themselves: a part is whatever tells one from another, such as a
    /// key or a number. The bound of [`max_held`](Self::max_held) counts parts.
    pub fn parts<Part: PartialEq + fmt::Debug>(
        expected: impl Fn(&[In]) -> Vec<Part> + 'static,
        parts: impl Fn(&Out) -> Vec<Part> + 'static,
    ) -> Self {
        Self::outstanding(move |sent, delivered| {
            let arrived: Vec<Part> = delivered.iter().flat_map(&parts).collect();
            outstanding(&expected(sent), &arrived)
        })
    }

    /// The stage is judged by `outstanding(sent, delivered)`: `Err` says what is wrong with the
    /// delivery so far, `Ok(n)` that it is right and that `n` units are still owed.
    ///
    /// Nothing may be owed after a flush or close; at any other time at most
    /// [`max_held`](Self::max_held). `Ok(0)` also says that a flush has nothing to reserve a slot for.
    pub fn outstanding(
        outstanding: impl Fn(&[In], &[Out]) -> Result<usize, String> + 'static,
    ) -> Self {
        Self {
            judge: Box::new(outstanding),
            max_held: 0,
            seeds: SEEDS,
            max_wait: None,
            waived: Vec::new(),
        }
    }

    /// The most that the stage may hold. Zero unless set: a stage that passes everything on at once.
    pub fn max_held(mut self, max_held: usize) -> Self {
        self.max_held = max_held;
        self
    }

    /// How many random runs to make. [`SEEDS`] unless set.
    pub fn seeds(mut self, seeds: u64) -> Self {
        self.seeds = seeds;
        self
    }

    /// The stage has Tokio timers and may sleep up to `max_wait` before it wakes its task.
    ///
    /// Every run then has a current-thread Tokio runtime of its own with paused time. Time is one more
    /// thing that the environment does: it passes at random, and a wake counts as lost only when it has
    /// not come after `max_wait` with nothing else blocking. Time moves by whole milliseconds, the
    /// granularity of Tokio's timers. The combinator is made inside the runtime.
    pub fn timed(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// Does not report `rule`: for a sink that is known to break it and is compared all the same.
    pub fn waive(mut self, rule: Rule) -> Self {
        self.waived.push(rule);
        self
    }

    pub(super) fn is_waived(&self, rule: Rule) -> bool {
        self.waived.contains(&rule)
    }

    pub(super) fn judge(&self, sent: &[In], delivered: &[Out]) -> Result<usize, String> {
        (self.judge)(sent, delivered)
    }
}

impl<In, Out> fmt::Debug for Expect<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expect")
            .field("max_held", &self.max_held)
            .field("seeds", &self.seeds)
            .field("max_wait", &self.max_wait)
            .field("waived", &self.waived)
            .finish_non_exhaustive()
    }
}

/// How much of `expected` is missing from `delivered`, which must be a prefix of it.
fn outstanding<T: PartialEq + fmt::Debug>(
    expected: &[T],
    delivered: &[T],
) -> Result<usize, String> {
    if let Some(index) = expected
        .iter()
        .zip(delivered)
        .position(|(expected, delivered)| expected != delivered)
    {
        let (expected, delivered) = (&expected[index], &delivered[index]);
        return Err(format!(
            "{delivered:?} arrived as number {index}, expected was {expected:?}"
        ));
    }
    match delivered.get(expected.len()) {
        Some(surplus) => Err(format!(
            "{surplus:?} arrived after everything expected had arrived"
        )),
        None => Ok(expected.len() - delivered.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_outputs_must_be_a_prefix_of_what_is_expected() {
        let expect = Expect::parts(<[u32]>::to_vec, |batch: &Vec<u32>| batch.clone());
        let judge = |delivered: &[Vec<u32>]| expect.judge(&[1, 2, 3], delivered);
        assert_eq!(judge(&[]), Ok(3));
        assert_eq!(judge(&[vec![1], vec![2, 3]]), Ok(0));
        assert_eq!(
            judge(&[vec![1, 3]]),
            Err("3 arrived as number 1, expected was 2".to_owned())
        );
        assert_eq!(
            judge(&[vec![1, 2], vec![3, 3]]),
            Err("3 arrived after everything expected had arrived".to_owned())
        );
    }
}

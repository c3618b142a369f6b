//! What it costs to ask whether there is more, and how often that may be asked.

/// A rate that grows is a question, answered by refusals. The law's time passes at most one second in so many
/// operations: a table that is written an item of 400 KB every minute is not asked every few seconds.
const OPS_PER_SECOND: f64 = 12.0;

/// Operations in a second of the law's time for each operation that a question costs. A steady capacity is asked about
/// every five seconds of that time, so that questions have about 0.5 % of all operations refused.
const OPS_PER_REFUSED: f64 = 40.0;

/// Weight of the newest question in the average of what they cost.
const SMOOTHING: f64 = 0.3;

/// Operations that are refused for each question, and what that says of the law's time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Questions {
    refused_by_this: f64,
    refused_each: f64,
    asked: bool,
}

impl Questions {
    /// Takes note of refused operations, echoes included.
    pub(super) fn refused(&mut self, ops: usize) {
        self.refused_by_this += ops as f64;
    }

    /// Takes note that a question is answered: what is refused from here on belongs to it, up to the next one.
    pub(super) fn answered(&mut self, refused_ops: usize) {
        let here = refused_ops as f64;
        if self.asked {
            let before = (self.refused_by_this - here).max(0.0);
            self.refused_each += SMOOTHING * (before - self.refused_each);
        }
        self.asked = true;
        self.refused_by_this = here;
    }

    /// How many seconds of the law's time so many written operations are worth.
    pub(super) fn seconds(&self, written_ops: usize) -> f64 {
        written_ops as f64 / OPS_PER_SECOND.max(self.refused_each * OPS_PER_REFUSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dear_questions_are_asked_less_often() {
        let mut questions = Questions::default();
        assert!((questions.seconds(24) - 2.0).abs() < 1e-9);
        for _ in 0..50 {
            questions.refused(2);
            questions.answered(2);
            // Echoes.
            questions.refused(8);
        }
        let ops_each_cycle = 5.0 / questions.seconds(1);
        let share = 10.0 / ops_each_cycle;
        assert!((0.004..0.006).contains(&share), "{share}");
    }
}

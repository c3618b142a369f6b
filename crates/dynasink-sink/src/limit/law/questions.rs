//! What it costs to ask whether there is more, and how often that may be asked.

/// A rate that grows is a question, answered by refusals. At first the law's time passes one second in so many
/// operations: a table that is written an item of 400 KB every minute is not asked every few seconds.
const OPS_PER_SECOND: f64 = 9.0;

/// Operations in the first second of the law's time for each operation that a question costs. A steady capacity is
/// asked in twice as many, so that questions have about 0.5 % of all operations refused.
const OPS_PER_REFUSED: f64 = 100.0;

/// The most that a question is taken to cost, in operations. What is refused beyond it is not the question's doing: the
/// capacity has fallen, and all that was under way comes back.
const MOST_REFUSED: f64 = 10.0;

/// Weight of the newest question in the average of what they cost.
const SMOOTHING: f64 = 0.3;

/// Doublings of what an operation is worth, after which it is worth no more.
const MOST_DOUBLINGS: f64 = 16.0;

/// Operations that are refused for each question, and what that says of the law's time.
///
/// The longer nothing is refused, the less likely it is that the next operations are: what an operation is worth
/// doubles with each stretch of operations that was worth a second at first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Questions {
    refused_by_this: f64,
    refused_each: f64,
    asked: bool,
    /// Stretches since the last answer.
    stretches: f64,
}

impl Questions {
    /// Takes note of refused operations, echoes included.
    pub(super) fn refused(&mut self, ops: usize) {
        self.refused_by_this = (self.refused_by_this + ops as f64).min(MOST_REFUSED);
        self.stretches = 0.0;
    }

    /// Takes note that a question is answered by the refusal of so many operations: what is refused from here on belongs
    /// to it, up to the next one.
    pub(super) fn answered(&mut self, refused_ops: usize) {
        if self.asked {
            self.refused_each += SMOOTHING * (self.refused_by_this - self.refused_each);
        }
        self.asked = true;
        self.refused_by_this = 0.0;
        self.refused(refused_ops);
    }

    /// How many seconds of the law's time so many written operations are worth, of which each takes `seconds_each` at the
    /// rate. Where that is more than a second, more of them may be refused: they are few in an hour.
    pub(super) fn seconds(&mut self, written_ops: usize, seconds_each: f64) -> f64 {
        let ops_per_refused = OPS_PER_REFUSED / seconds_each.max(1.0);
        let stretch = OPS_PER_SECOND.max(self.refused_each * ops_per_refused);
        let stretches = written_ops as f64 / stretch;
        let worth = stretches * self.stretches.min(MOST_DOUBLINGS).exp2();
        self.stretches += stretches;
        worth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operations until a steady capacity answers, some 4.5 seconds of the law's time after the last answer.
    fn ops_until_asked(questions: &mut Questions, seconds_each: f64) -> f64 {
        let (mut time, mut ops) = (0.0, 0.0);
        while time < 4.5 {
            time += questions.seconds(1, seconds_each);
            ops += 1.0;
        }
        ops
    }

    #[test]
    fn dear_questions_are_asked_less_often() {
        let mut questions = Questions::default();
        let first = ops_until_asked(&mut questions, 0.01);
        assert!((16.0..22.0).contains(&first), "{first}");
        for _ in 0..50 {
            questions.answered(2);
            // Echoes.
            questions.refused(8);
        }
        let share = 10.0 / ops_until_asked(&mut questions, 0.01);
        assert!((0.004..0.006).contains(&share), "{share}");
    }

    #[test]
    fn what_a_fall_has_refused_is_not_what_a_question_costs() {
        let mut questions = Questions::default();
        questions.answered(25);
        questions.refused(600);
        questions.answered(25);
        assert!(ops_until_asked(&mut questions, 0.01) < 1_000.0);
    }

    #[test]
    fn operations_are_worth_more_the_longer_none_is_refused() {
        let mut questions = Questions::default();
        let first: f64 = (0..9).map(|_| questions.seconds(1, 80.0)).sum();
        let second: f64 = (0..9).map(|_| questions.seconds(1, 80.0)).sum();
        assert!((second / first - 2.0).abs() < 0.01, "{first}, {second}");
        questions.refused(1);
        assert!(questions.seconds(1, 80.0) < 0.2);
    }
}

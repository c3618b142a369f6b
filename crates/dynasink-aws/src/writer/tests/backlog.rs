//! Which operations go when, and together with which.

use std::sync::Mutex;
use std::time::Duration;

use dynasink_core::{
    Admission, BatchLimit, CapacityFeedback, CapacityObserver, WriteCost, WriteUnits,
};
use tokio::time::Instant;

use super::service::throttled;
use super::{op, op_of, row_of, table};
use crate::classify::Cause;
use crate::retry_budget::RetryBudget;
use crate::writer::backlog::{Backlog, Next};
use crate::writer::pending::PendingOp;
use crate::writer::request::Request;

const SECOND: Duration = Duration::from_secs(1);

/// A backlog with these rows in it.
fn backlog(rows: std::ops::Range<u64>) -> Backlog {
    let mut backlog = Backlog::default();
    rows.for_each(|row| backlog.accept(op(row), None, Instant::now()));
    backlog
}

fn limit(ops: usize) -> BatchLimit {
    BatchLimit {
        ops,
        ..BatchLimit::REQUEST
    }
}

pub(super) fn rows(ops: &[PendingOp]) -> Vec<u64> {
    ops.iter().map(|pending| row_of(&pending.op)).collect()
}

/// The next request, which there must be.
pub(super) fn send(next: Next) -> Request {
    match next {
        Next::Send(request) => {
            let batch: Vec<u64> = request.batch.ops().iter().map(row_of).collect();
            assert_eq!(
                batch,
                rows(&request.ops),
                "the request holds other operations"
            );
            request
        }
        other => panic!("{other:?}"),
    }
}

pub(super) fn at(next: Next) -> Instant {
    match next {
        Next::At(at) => at,
        other => panic!("{other:?}"),
    }
}

/// The rows of the next request, without a limit or an admission.
fn next(backlog: &mut Backlog, now: Instant) -> Vec<u64> {
    rows(&send(backlog.next(now, BatchLimit::REQUEST, None, false)).ops)
}

fn is_empty(next: &Next) -> bool {
    matches!(next, Next::Nothing)
}

/// Admits that many units, and refuses the rest for a second.
#[derive(Debug)]
struct Purse(Mutex<u64>);

impl Purse {
    fn of(units: u64) -> Self {
        Self(Mutex::new(units))
    }

    fn left(&self) -> u64 {
        *self.0.lock().unwrap()
    }
}

impl CapacityObserver for Purse {
    fn observe(&self, _: &CapacityFeedback) {}
}

impl Admission for Purse {
    fn try_admit(&self, cost: &WriteCost) -> Result<(), Duration> {
        let mut left = self.0.lock().unwrap();
        *left = left.checked_sub(cost.units().get()).ok_or(SECOND)?;
        Ok(())
    }

    fn give_back(&self, cost: &WriteCost) {
        *self.0.lock().unwrap() += cost.units().get();
    }
}

#[test]
fn who_stands_in_line_pays_when_it_is_sent() {
    let (mut backlog, now, users) = (Backlog::default(), Instant::now(), table("users"));
    let purse = Purse::of(0);
    for row in 0..3 {
        backlog.accept(op_of(&users, 7, row, 0), Some(&purse), Instant::now());
    }
    assert_eq!(purse.left(), 2, "the first was paid for, and goes");
    let next = |backlog: &mut Backlog| backlog.next(now, BatchLimit::REQUEST, Some(&purse), true);
    for (row, left) in [(0, 2), (1, 1), (2, 0)] {
        let request = send(next(&mut backlog));
        assert_eq!((rows(&request.ops), purse.left()), (vec![row], left));
        backlog.release(request.ops[0].op.key(), now);
    }
}

#[test]
fn fresh_operations_go_in_order_in_full_requests() {
    let (mut backlog, now) = (backlog(0..60), Instant::now());
    assert_eq!(next(&mut backlog, now), (0..25).collect::<Vec<_>>());
    assert_eq!(next(&mut backlog, now), (25..50).collect::<Vec<_>>());
    assert_eq!(next(&mut backlog, now), (50..60).collect::<Vec<_>>());
    assert!(is_empty(&backlog.next(
        now,
        BatchLimit::REQUEST,
        None,
        true
    )));
}

#[test]
fn operations_of_a_key_stand_in_line_until_the_one_before_has_its_outcome() {
    let (mut backlog, now, users) = (Backlog::default(), Instant::now(), table("users"));
    for (row, key) in [(0, 7), (1, 7), (2, 8), (3, 7), (4, 8)] {
        backlog.accept(op_of(&users, key, row, 0), None, Instant::now());
    }
    let first = send(backlog.next(now, BatchLimit::REQUEST, None, false));
    assert_eq!(rows(&first.ops), [0, 2]);
    assert!(is_empty(&backlog.next(
        now,
        BatchLimit::REQUEST,
        None,
        true
    )));

    backlog.release(first.ops[0].op.key(), now);
    assert_eq!(next(&mut backlog, now), [1]);
    // Refused, the earlier operation keeps its place: the later one waits on.
    backlog.retry_at(now, now + SECOND, vec![first.ops[1].clone()]);
    assert_eq!(
        at(backlog.next(now, BatchLimit::REQUEST, None, true)),
        now + SECOND
    );
    assert_eq!(next(&mut backlog, now + SECOND), [2]);
    backlog.release(first.ops[1].op.key(), now);
    backlog.release(first.ops[0].op.key(), now);
    assert_eq!(next(&mut backlog, now + SECOND), [4, 3]);

    for pending in first.ops {
        backlog.release(pending.op.key(), now);
    }
    assert!(is_empty(&backlog.next(
        now,
        BatchLimit::REQUEST,
        None,
        true
    )));
    backlog.accept(op_of(&users, 7, 5, 0), None, Instant::now());
    assert_eq!(next(&mut backlog, now), [5], "the key is not free again");
}

#[test]
fn a_key_of_another_table_is_another_key() {
    let (mut backlog, now) = (Backlog::default(), Instant::now());
    backlog.accept(op_of(&table("users"), 7, 0, 0), None, Instant::now());
    backlog.accept(op_of(&table("orders"), 7, 1, 0), None, Instant::now());
    assert_eq!(next(&mut backlog, now), [0, 1]);
}

#[test]
fn retries_go_first_and_fresh_operations_fill_the_request_up() {
    let (mut backlog, now) = (backlog(0..50), Instant::now());
    let mut refused = send(backlog.next(now, BatchLimit::REQUEST, None, false)).ops;
    refused.truncate(10);
    let late = refused.split_off(4);
    backlog.retry_at(now, now + 2 * SECOND, late);
    backlog.retry_at(now, now + SECOND, refused);

    let due = send(backlog.next(now + SECOND, BatchLimit::REQUEST, None, false)).ops;
    let expected: Vec<u64> = (0..4).chain(25..46).collect();
    assert_eq!(rows(&due), expected);
    assert_eq!(
        next(&mut backlog, now + 2 * SECOND),
        [4, 5, 6, 7, 8, 9, 46, 47, 48, 49]
    );
}

#[test]
fn retries_of_many_requests_are_merged_into_full_ones() {
    let (mut backlog, now) = (backlog(0..100), Instant::now());
    for _ in 0..4 {
        let mut ops = send(backlog.next(now, BatchLimit::REQUEST, None, false)).ops;
        ops.truncate(10);
        backlog.retry_at(now, now + SECOND, ops);
    }
    let merged = next(&mut backlog, now + SECOND);
    let expected: Vec<u64> = (0..10).chain(25..35).chain(50..55).collect();
    assert_eq!(merged, expected);
    let rest: Vec<u64> = (55..60).chain(75..85).collect();
    assert_eq!(next(&mut backlog, now + SECOND), rest);
}

#[test]
fn what_merging_leaves_over_waits_for_company_but_not_long() {
    let leftovers = |now: Instant| {
        let mut backlog = backlog(0..50);
        let mut refused = send(backlog.next(now, BatchLimit::REQUEST, None, false)).ops;
        refused.truncate(5);
        backlog.retry_at(now, now, refused);
        assert_eq!(next(&mut backlog, now).len(), 25);
        backlog
    };
    let now = Instant::now();
    let merge_wait = Duration::from_millis(20);

    let mut waiting = leftovers(now);
    let later = now + merge_wait / 2;
    assert_eq!(
        at(waiting.next(later, BatchLimit::REQUEST, None, false)),
        now + merge_wait
    );
    assert_eq!(next(&mut waiting, now + merge_wait), [45, 46, 47, 48, 49]);

    let mut flushed = leftovers(now);
    assert_eq!(
        send(flushed.next(now, BatchLimit::REQUEST, None, true))
            .ops
            .len(),
        5
    );

    let mut joined = leftovers(now);
    (50..70).for_each(|row| joined.accept(op(row), None, Instant::now()));
    assert_eq!(next(&mut joined, later), (45..70).collect::<Vec<_>>());
    // Nothing is left over, and what comes now was cut by others.
    joined.accept(op(70), None, Instant::now());
    assert_eq!(next(&mut joined, later), [70]);
}

/// Requests of large items hold few: those that are left over are more than one request, and need no company.
#[test]
fn leftovers_that_fill_a_request_by_size_do_not_wait() {
    let (mut backlog, now, users) = (Backlog::default(), Instant::now(), table("users"));
    (0..10).for_each(|row| backlog.accept(op_of(&users, row, row, 100_000), None, Instant::now()));
    let units = BatchLimit {
        units: WriteUnits::new(200),
        ..BatchLimit::REQUEST
    };
    let refused = send(backlog.next(now, units, None, false)).ops;
    assert_eq!(rows(&refused), [0, 1]);
    backlog.retry_at(now, now, refused);
    for expected in [[0, 1], [2, 3], [4, 5], [6, 7]] {
        let request = send(backlog.next(now, units, None, false));
        assert_eq!(rows(&request.ops), expected);
    }
}

#[test]
fn no_leftover_waits_twice() {
    let (mut backlog, now, users) = (Backlog::default(), Instant::now(), table("users"));
    (0..4).for_each(|row| backlog.accept(op_of(&users, row, row, 0), None, Instant::now()));
    let one_retry = send(backlog.next(now, limit(1), None, false)).ops;
    backlog.retry_at(now, now, one_retry);
    assert_eq!(
        rows(&send(backlog.next(now, limit(2), None, false)).ops),
        [0, 1]
    );
    // Two are left over of what was one request; then requests grow.
    let due = at(backlog.next(now, limit(5), None, false));
    assert_eq!(due, now + Duration::from_millis(20));
    assert_eq!(
        rows(&send(backlog.next(due, limit(1), None, false)).ops),
        [2]
    );
    assert_eq!(
        rows(&send(backlog.next(due, limit(5), None, false)).ops),
        [3]
    );
}

#[test]
fn limits_of_operations_bytes_and_units_are_kept_by_fresh_ones_and_retries() {
    let (now, users) = (Instant::now(), table("users"));
    let wire_len = op_of(&users, 10, 10, 5000).wire_len();
    let limits = [
        limit(3),
        BatchLimit {
            bytes: 3 * wire_len + 3000,
            ..BatchLimit::REQUEST
        },
        BatchLimit {
            units: WriteUnits::new(17),
            ..BatchLimit::REQUEST
        },
    ];
    for limit in limits {
        let mut backlog = Backlog::default();
        (10..20)
            .for_each(|row| backlog.accept(op_of(&users, row, row, 5000), None, Instant::now()));
        let mut sent = Vec::new();
        while let Next::Send(request) = backlog.next(now, limit, None, true) {
            assert!(request.batch.wire_len() <= limit.bytes);
            assert!(request.batch.units() <= limit.units);
            sent.extend(request.ops);
        }
        let order: Vec<u64> = (10..20).collect();
        assert_eq!(rows(&sent), order);
        backlog.retry_at(now, now, sent);
        let mut lengths = Vec::new();
        let mut sent = Vec::new();
        while let Next::Send(request) = backlog.next(now, limit, None, true) {
            lengths.push(request.ops.len());
            sent.extend(request.ops);
        }
        assert_eq!(rows(&sent), order);
        assert_eq!(lengths, [3, 3, 3, 1], "{limit:?}");
    }
}

#[test]
fn an_operation_above_the_limits_goes_alone() {
    let (now, users) = (Instant::now(), table("users"));
    let tight = BatchLimit {
        ops: 25,
        bytes: 1,
        units: WriteUnits::new(1),
    };
    let mut backlog = Backlog::default();
    (0..3).for_each(|row| backlog.accept(op_of(&users, row, row, 5000), None, Instant::now()));
    for row in 0..3 {
        let request = send(backlog.next(now, tight, None, false));
        assert_eq!(rows(&request.ops), [row]);
        backlog.retry_at(now, now + SECOND, request.ops);
    }
    for row in 0..3 {
        let request = send(backlog.next(now + SECOND, tight, None, false));
        assert_eq!(rows(&request.ops), [row]);
    }
}

#[test]
fn a_limit_that_is_none_or_too_much_is_brought_into_bounds() {
    let now = Instant::now();
    for (ops, expected) in [(0, 1), (usize::MAX, 25)] {
        let mut backlog = backlog(0..30);
        let request = send(backlog.next(now, limit(ops), None, false));
        assert_eq!(request.ops.len(), expected);
        backlog.retry_at(now, now, request.ops);
        let request = send(backlog.next(now, limit(ops), None, false));
        assert_eq!(rows(&request.ops)[0], 0);
        assert_eq!(request.ops.len(), expected);
    }
}

#[test]
fn retries_wait_for_admission_and_fresh_operations_do_not() {
    let (mut backlog, now) = (backlog(0..10), Instant::now());
    let refused = send(backlog.next(now, limit(5), None, false)).ops;
    backlog.retry_at(now, now, refused);
    let purse = Purse::of(4);
    let fresh = send(backlog.next(now, BatchLimit::REQUEST, Some(&purse), false));
    assert_eq!(rows(&fresh.ops), [5, 6, 7, 8, 9]);
    assert_eq!(purse.left(), 4, "fresh operations have paid already");
    assert_eq!(
        at(backlog.next(now, BatchLimit::REQUEST, Some(&purse), false)),
        now + SECOND
    );

    let purse = Purse::of(7);
    backlog.accept(op(10), None, Instant::now());
    let merged = send(backlog.next(now, BatchLimit::REQUEST, Some(&purse), false));
    assert_eq!(rows(&merged.ops), [0, 1, 2, 3, 4, 10]);
    assert_eq!(purse.left(), 2, "only the retries pay");
}

#[test]
fn retries_pay_for_what_a_request_holds_and_no_more() {
    let (now, users) = (Instant::now(), table("users"));
    let mut backlog = Backlog::default();
    (0..10).for_each(|row| backlog.accept(op_of(&users, row, row, 100_000), None, Instant::now()));
    let all = send(backlog.next(now, BatchLimit::REQUEST, None, false)).ops;
    backlog.retry_at(now, now, all);
    let purse = Purse::of(198);
    let few = BatchLimit {
        units: WriteUnits::new(200),
        ..BatchLimit::REQUEST
    };
    let request = send(backlog.next(now, few, Some(&purse), false));
    assert_eq!(rows(&request.ops), [0, 1]);
    assert_eq!(purse.left(), 2);
}

/// Refuses for as long as it is told.
#[derive(Debug)]
struct Refusing(Duration);

impl CapacityObserver for Refusing {
    fn observe(&self, _: &CapacityFeedback) {}
}

impl Admission for Refusing {
    fn try_admit(&self, _: &WriteCost) -> Result<(), Duration> {
        Err(self.0)
    }

    fn give_back(&self, _: &WriteCost) {}
}

#[test]
fn an_admission_is_not_asked_again_at_once_and_no_wait_is_too_long() {
    for (wait, least) in [
        (Duration::ZERO, Duration::from_millis(1)),
        (Duration::MAX, Duration::from_hours(24)),
    ] {
        let (mut backlog, now) = (backlog(0..1), Instant::now());
        let refused = send(backlog.next(now, BatchLimit::REQUEST, None, false)).ops;
        backlog.retry_at(now, now, refused);
        let admission = Refusing(wait);
        let due = at(backlog.next(now, BatchLimit::REQUEST, Some(&admission), true));
        assert!(due >= now + least);
    }
}

#[test]
fn a_request_that_something_spoils_is_halved_and_its_parts_go_alone() {
    let (mut backlog, now) = (backlog(0..30), Instant::now());
    let mut spoilt = send(backlog.next(now, BatchLimit::REQUEST, None, false)).ops;
    spoilt.truncate(5);
    backlog.bisect(spoilt);
    let left = send(backlog.next(now, limit(1), None, false));
    assert_eq!(rows(&left.ops), [0, 1]);
    assert_eq!(next(&mut backlog, now), [2, 3, 4]);
    backlog.bisect(left.ops);
    assert_eq!(next(&mut backlog, now), [0]);
    assert_eq!(next(&mut backlog, now), [1]);
    assert_eq!(next(&mut backlog, now), [25, 26, 27, 28, 29]);
}

#[test]
fn parts_wait_for_admission_too() {
    let (mut backlog, now) = (backlog(0..4), Instant::now());
    let spoilt = send(backlog.next(now, BatchLimit::REQUEST, None, false)).ops;
    backlog.bisect(spoilt);
    backlog.accept(op(4), None, Instant::now());
    let purse = Purse::of(1);
    let fresh = send(backlog.next(now, BatchLimit::REQUEST, Some(&purse), false));
    assert_eq!(rows(&fresh.ops), [4]);
    assert_eq!(
        at(backlog.next(now, BatchLimit::REQUEST, Some(&purse), true)),
        now + SECOND
    );
    let purse = Purse::of(2);
    let part = send(backlog.next(now, BatchLimit::REQUEST, Some(&purse), false));
    assert_eq!(rows(&part.ops), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn time_in_which_a_retry_waits_for_admission_is_no_time_of_failure() {
    for cause in [throttled(), Cause::Internal] {
        let (mut backlog, sent) = (Backlog::new(RetryBudget::default()), Instant::now());
        backlog.accept(op(0), None, sent);
        let mut ops = send(backlog.next(sent, BatchLimit::REQUEST, None, false)).ops;
        ops[0].failures.note(&cause, sent);
        backlog.retry_at(sent, sent + SECOND, ops);
        tokio::time::advance(SECOND).await;
        for units in [0, 0, 1] {
            let (now, purse) = (Instant::now(), Purse::of(units));
            match backlog.next(now, BatchLimit::REQUEST, Some(&purse), false) {
                Next::Send(request) => {
                    assert_eq!(request.ops[0].failures.elapsed(), SECOND, "{cause}");
                }
                held => assert_eq!(at(held), now + SECOND),
            }
            tokio::time::advance(if units == 0 {
                60 * SECOND
            } else {
                Duration::ZERO
            })
            .await;
        }
    }
}

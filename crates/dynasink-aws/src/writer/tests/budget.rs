//! A failing endpoint is not stormed, and a healthy one does not notice the budget.

use std::time::Duration;

use dynasink_core::BatchLimit;
use tokio::time::Instant;

use super::backlog::{at, rows, send};
use super::service::{Fate, Service, throttled};
use super::{FOREVER, Recorder, batches, op, row_of, writer};
use crate::classify::Cause;
use crate::concurrency::Concurrency;
use crate::retry::RetryPolicy;
use crate::retry_budget::RetryBudget;
use crate::writer::backlog::{Backlog, Next};
use crate::writer::pending::PendingOp;

const SECOND: Duration = Duration::from_secs(1);

/// A backlog that may send that many requests with failed operations, and one more each second.
fn backlog(reserve: f64, rows: std::ops::Range<u64>) -> Backlog {
    let mut backlog = Backlog::new(RetryBudget {
        per_success: 0.0,
        per_second: 1.0,
        reserve,
    });
    rows.for_each(|row| backlog.accept(op(row), None, Instant::now()));
    backlog
}

fn next(backlog: &mut Backlog, now: Instant) -> Next {
    backlog.next(now, BatchLimit::REQUEST, None, false)
}

fn note(ops: &mut [PendingOp], cause: &Cause, now: Instant) {
    for pending in ops {
        pending.failures.note(cause, now);
    }
}

#[test]
fn failed_operations_wait_for_the_budget_and_others_go_without_them() {
    let (mut backlog, now) = (backlog(1.0, 0..75), Instant::now());
    let mut failed = send(next(&mut backlog, now)).ops;
    let mut failed_too = send(next(&mut backlog, now)).ops;
    let mut refused = send(next(&mut backlog, now)).ops;
    note(&mut failed, &Cause::Internal, now);
    note(&mut failed_too, &Cause::Unreachable, now);
    note(&mut refused, &throttled(), now);
    for ops in [failed, failed_too, refused] {
        backlog.retry_at(now, now, ops);
    }
    let first = send(next(&mut backlog, now));
    assert_eq!(rows(&first.ops), (0..25).collect::<Vec<_>>());
    assert!(first.after_failure);
    let second = send(next(&mut backlog, now));
    assert_eq!(rows(&second.ops), (50..75).collect::<Vec<_>>());
    assert!(!second.after_failure);
    assert_eq!(at(next(&mut backlog, now)), now + SECOND);
    let third = send(next(&mut backlog, now + SECOND));
    assert_eq!(rows(&third.ops), (25..50).collect::<Vec<_>>());
}

#[test]
fn a_request_with_failed_and_refused_operations_draws_on_the_budget_once() {
    let (mut backlog, now) = (backlog(2.0, 0..30), Instant::now());
    let mut ops = send(next(&mut backlog, now)).ops;
    let mut failed = ops.split_off(20);
    note(&mut ops, &throttled(), now);
    note(&mut failed, &Cause::Internal, now);
    backlog.retry_at(now, now, ops);
    backlog.retry_at(now, now, failed);
    let request = send(next(&mut backlog, now));
    assert_eq!(
        rows(&request.ops),
        (20..25).chain(0..20).collect::<Vec<_>>()
    );
    assert!(request.after_failure);
    assert_eq!(backlog.balance.check(now), Ok(()));
    backlog.balance.withdraw();
    assert_eq!(backlog.balance.check(now), Err(now + SECOND));
}

/// Fails everything for a minute, and is well again.
fn down_for_a_minute(cause: Cause) -> Service {
    let start = Instant::now();
    Service::new(move |request| {
        if start.elapsed() < 60 * SECOND {
            Fate::failed(request, cause.clone())
        } else {
            Fate::written()
        }
    })
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_fails_for_a_minute_sees_few_requests_and_gets_all_rows_after() {
    for cause in [Cause::Internal, Cause::Unreachable] {
        let (service, recorder) = (down_for_a_minute(cause.clone()), Recorder::default());
        let start = Instant::now();
        let mut writer = writer(&service, &recorder)
            .concurrency(Concurrency::Fixed(64))
            .retry_policy(RetryPolicy::default())
            .build();
        let load = async {
            for batch in batches(0..10_000) {
                futures::SinkExt::feed(&mut writer, batch).await.unwrap();
            }
            futures::SinkExt::close(&mut writer).await.unwrap();
        };
        let (seen, ()) = tokio::join!(
            async {
                tokio::time::sleep(60 * SECOND).await;
                service.requests().len()
            },
            load
        );
        // What the writer may hold goes out once; then the reserve, and two a second.
        let fresh = 2 * 64;
        assert!(seen <= fresh + 50 + 2 * 60, "{cause}: {seen} requests");
        assert!(seen >= fresh + 50 + 2 * 58, "{cause}: {seen} requests");
        assert_eq!(recorder.written(), (0..10_000).collect::<Vec<_>>());
        let took = start.elapsed();
        assert!(took < 75 * SECOND, "{cause}: {took:?}");
    }
}

/// When the load was done, and what was in each request, with this budget and one failure in a hundred.
async fn with_few_failures(budget: RetryBudget) -> (Duration, Vec<Vec<u64>>) {
    let mut rng = fastrand::Rng::with_seed(7);
    let service = Service::new(move |request| match rng.u8(..100) {
        0 => Fate::failed(request, Cause::Internal),
        _ => Fate::written(),
    });
    let recorder = Recorder::default();
    let policy = RetryPolicy {
        budget,
        ..RetryPolicy::default()
    };
    let writer = writer(&service, &recorder)
        .concurrency(Concurrency::Fixed(32))
        .retry_policy(policy);
    let start = Instant::now();
    super::write(writer.build(), batches(0..20_000))
        .await
        .unwrap();
    assert_eq!(recorder.written().len(), 20_000);
    (start.elapsed(), service.requests())
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_a_hundred_never_meets_the_bound() {
    let unbounded = RetryBudget {
        reserve: f64::INFINITY,
        ..RetryBudget::default()
    };
    let bounded = with_few_failures(RetryBudget::default()).await;
    assert_eq!(bounded, with_few_failures(unbounded).await);
    let small = RetryBudget {
        per_success: 0.0,
        reserve: 1.0,
        ..RetryBudget::default()
    };
    assert_ne!(bounded, with_few_failures(small).await);
}

#[tokio::test(start_paused = true)]
async fn refusals_do_not_draw_on_the_budget() {
    let start = Instant::now();
    let service = Service::new(move |request| {
        if start.elapsed() < 60 * SECOND {
            Fate::failed(request, throttled())
        } else {
            Fate::written()
        }
    });
    let recorder = Recorder::default();
    let writer = writer(&service, &recorder)
        .concurrency(Concurrency::Fixed(64))
        .retry_policy(super::retries(u32::MAX, FOREVER));
    super::write(writer.build(), batches(0..3_200))
        .await
        .unwrap();
    assert_eq!(recorder.written().len(), 3_200);
    assert!(
        service.requests().len() > 2_000,
        "{}",
        service.requests().len()
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_budget_is_given_up_in_its_time() {
    let service = Service::new(|request| {
        let healthy = row_of(&request.ops()[0]) >= 100;
        if healthy {
            Fate::written()
        } else {
            Fate::failed(request, Cause::Internal)
        }
    });
    let recorder = Recorder::default();
    let mut policy = super::retries(u32::MAX, 60 * SECOND);
    policy.budget = RetryBudget {
        per_success: 0.0,
        per_second: 0.2,
        reserve: 1.0,
    };
    let writer = writer(&service, &recorder).retry_policy(policy);
    let start = Instant::now();
    super::write(writer.build(), batches(0..200)).await.unwrap();
    assert_eq!(recorder.dead().len(), 100);
    assert_eq!(recorder.written().len(), 100);
    // Four requests wait for one another, five seconds each, for the last time.
    let took = start.elapsed();
    assert!(took <= (60 + 4 * 5 + 2) * SECOND, "{took:?}");
}

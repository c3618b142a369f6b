//! When the writer gives an operation up, and when itself.

use std::time::Duration;

use dynasink_core::Outcomes;
use tokio::time::Instant;

use super::service::{Fate, Service, throttled};
use super::{FOREVER, Recorder, batch, batches, op, retries, row_of, write, writer};
use crate::classify::Cause;
use crate::error::Error;
use crate::retry::RetryPolicy;

/// A service that fails each request with row 0 in it in that way, and takes the others.
fn failing_row_0(cause: Cause) -> Service {
    Service::new(move |request| {
        if request.ops().iter().any(|op| row_of(op) == 0) {
            Fate::failed(request, cause.clone())
        } else {
            Fate::written()
        }
    })
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_given_up_after_its_attempts() {
    for cause in [throttled(), Cause::Conflict, Cause::Internal] {
        let (service, recorder) = (failing_row_0(cause.clone()), Recorder::default());
        let writer = writer(&service, &recorder).retry_policy(retries(5, FOREVER));
        write(writer.build(), [batch([op(0)])]).await.unwrap();
        let reason = &recorder.dead()[&0];
        assert_eq!(reason.code, cause.code());
        assert_eq!(reason.attempts, 5);
        assert_eq!(
            reason.message,
            "given up after 5 requests: as the script says"
        );
        assert_eq!(service.requests().len(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_left_unprocessed_for_ever_is_given_up() {
    let (service, recorder) = (
        Service::new(|_| Fate::unprocessed([0])),
        Recorder::default(),
    );
    let writer = writer(&service, &recorder).retry_policy(retries(5, FOREVER));
    write(writer.build(), batches(0..25)).await.unwrap();
    assert_eq!(recorder.written(), (1..25).collect::<Vec<_>>());
    let reason = &recorder.dead()[&0];
    assert_eq!((reason.code.as_str(), reason.attempts), ("throttled", 5));
    assert_eq!(
        reason.message,
        "given up after 5 requests: it was left unprocessed"
    );
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_given_up_after_its_time() {
    let (service, recorder) = (failing_row_0(throttled()), Recorder::default());
    let bound = Duration::from_mins(10);
    let writer = writer(&service, &recorder).retry_policy(retries(u32::MAX, bound));
    let start = Instant::now();
    write(writer.build(), [batch([op(0)])]).await.unwrap();
    let took = start.elapsed();
    assert!(
        took >= bound && took <= bound + Duration::from_secs(2),
        "{took:?}"
    );
    let tried_for = recorder.dead()[&0].tried_for;
    assert!(tried_for >= bound && tried_for <= took, "{tried_for:?}");
    assert_eq!(recorder.dead()[&0].code, "throttled");
}

/// Minutes of refusals are usual on a table at its limit. They do not use up what is meant for failures: one
/// broken connection among them is one broken connection.
#[tokio::test(start_paused = true)]
async fn refusals_do_not_count_as_failures() {
    for cause in [Cause::Unreachable, Cause::Internal] {
        let start = Instant::now();
        let mut nth = 0;
        let told = cause.clone();
        let service = Service::new(move |request| {
            nth += 1;
            match start.elapsed().as_secs() {
                0..600 if nth % 50 == 0 => Fate::failed(request, told.clone()),
                0..600 => Fate::failed(request, throttled()),
                _ => Fate::written(),
            }
        });
        let recorder = Recorder::default();
        let mut policy = RetryPolicy::default();
        policy.throttled.max_attempts = 10_000;
        let writer = writer(&service, &recorder).retry_policy(policy);
        write(writer.build(), batches(0..25)).await.unwrap();
        assert_eq!(recorder.written().len(), 25, "{cause}");
        assert!(service.requests().len() > 51);
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_never_reached_stops_the_writer_and_kills_no_row() {
    let service = Service::new(|request| Fate::failed(request, Cause::Unreachable));
    let recorder = Recorder::default();
    let bound = Duration::from_mins(5);
    let writer = writer(&service, &recorder).retry_policy(retries(u32::MAX, bound));
    let start = Instant::now();
    let error = write(writer.build(), batches(0..150)).await.unwrap_err();
    let Error::Stopped {
        cause, unresolved, ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(**cause, Cause::Unreachable);
    assert_eq!(*unresolved, 150);
    assert!(start.elapsed() >= bound);
    assert_eq!(recorder.rows().len(), 0);
}

/// Whoever changes the table in the middle of a load does not kill rows by it.
#[tokio::test(start_paused = true)]
async fn a_table_that_is_in_use_is_waited_for_and_stops_the_writer_if_it_stays_so() {
    for (patience, ends_well) in [
        (Duration::from_mins(5), true),
        (Duration::from_secs(30), false),
    ] {
        let start = Instant::now();
        let service = Service::new(move |request| match start.elapsed().as_secs() {
            1..60 => Fate::failed(request, Cause::TableInUse),
            _ => Fate::written().after(Duration::from_millis(100)),
        });
        let recorder = Recorder::default();
        let writer = writer(&service, &recorder).retry_policy(retries(u32::MAX, patience));
        let end = write(writer.build(), batches(0..2_000)).await;
        assert_eq!(recorder.dead().len(), 0);
        if ends_well {
            end.unwrap();
            assert_eq!(recorder.written().len(), 2_000);
        } else {
            assert_eq!(end.unwrap_err().cause(), Some(&Cause::TableInUse));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_being_deleted_stops_the_writer_once_it_is_gone() {
    let mut nth = 0;
    let service = Service::new(move |request| {
        nth += 1;
        let cause = if nth < 10 {
            Cause::TableInUse
        } else {
            Cause::TableMissing
        };
        Fate::failed(request, cause)
    });
    let recorder = Recorder::default();
    let error = write(writer(&service, &recorder).build(), batches(0..100)).await;
    assert_eq!(error.unwrap_err().cause(), Some(&Cause::TableMissing));
    assert_eq!(recorder.rows().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_goes_away_stops_the_writer_and_kills_no_row() {
    let start = Instant::now();
    let service = Service::new(move |request| {
        if start.elapsed() < Duration::from_secs(10) {
            // Some of these answers come after the first failures.
            let row = row_of(&request.ops()[0]);
            Fate::written().after(Duration::from_millis(50 + row % 7 * 20))
        } else {
            Fate::failed(request, Cause::Unreachable)
        }
    });
    let recorder = Recorder::default();
    let writer = writer(&service, &recorder).retry_policy(retries(30, FOREVER));
    let error = write(writer.build(), batches(0..50_000)).await.unwrap_err();
    assert_eq!(error.cause(), Some(&Cause::Unreachable));
    assert_eq!(recorder.dead().len(), 0);
    assert!(recorder.written().len() > 5_000);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_alone_gets_no_answer_is_given_up_alone() {
    let service = failing_row_0(Cause::Unreachable);
    let recorder = Recorder::default();
    let mut writer = writer(&service, &recorder)
        .retry_policy(retries(5, FOREVER))
        .build();
    // Others are answered all the while.
    for batch in (0..4000).map(|row| batch([op(row)])) {
        futures::SinkExt::feed(&mut writer, batch).await.unwrap();
        if recorder.rows().contains_key(&0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let reason = &recorder.dead()[&0];
    assert_eq!((reason.code.as_str(), reason.attempts), ("unreachable", 5));
}

#[tokio::test(start_paused = true)]
async fn what_every_request_would_meet_stops_the_writer_at_once() {
    for cause in [
        Cause::TableMissing,
        Cause::AccessDenied,
        Cause::Credentials,
        Cause::Misconfigured,
        Cause::Rejected,
    ] {
        let mut nth = 0;
        let told = cause.clone();
        let service = Service::new(move |request| {
            nth += 1;
            if nth == 3 {
                Fate::failed(request, told.clone())
            } else {
                Fate::written()
            }
        });
        let recorder = Recorder::default();
        let writer = writer(&service, &recorder).concurrency(crate::Concurrency::Fixed(1));
        let error = write(writer.build(), batches(0..100)).await.unwrap_err();
        let Error::Stopped {
            cause: found,
            unresolved,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(**found, cause);
        // Two of them are written, and no more than two batches were accepted after.
        assert_eq!(recorder.written(), (0..50).collect::<Vec<_>>());
        assert_eq!(*unresolved, 50, "{cause}");
        assert_eq!(recorder.dead().len(), 0);
        assert_eq!(service.requests().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_after_the_stop_counts_as_without_an_outcome() {
    let service = Service::new(|request| Fate::failed(request, Cause::TableMissing));
    let mut writer = writer(&service, &Recorder::default())
        .outcomes(Outcomes::unobserved())
        .build();
    let mut batches = batches(0..75).into_iter();
    let mut send = || {
        let batch = batches.next().unwrap();
        futures::Sink::start_send(std::pin::Pin::new(&mut writer), batch).unwrap();
    };
    send();
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Granted before the writer knew.
    send();
    let error = futures::SinkExt::close(&mut writer).await.unwrap_err();
    assert!(
        matches!(error, Error::Stopped { unresolved: 50, .. }),
        "{error:?}"
    );
}

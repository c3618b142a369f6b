//! Each fault of the service: nothing is lost, nothing is overwritten by something older.

use std::collections::HashSet;
use std::time::Duration;

use dynasink_core::{BatchLimit, Outcomes, StageError, WriteUnits};
use tokio::time::Instant;

use super::service::{Fate, Service, throttled};
use super::{Recorder, batch, batches, op, op_of, position, row_of, table, write, writer};
use crate::classify::Cause;
use crate::concurrency::Concurrency;
use crate::error::Error;

/// Does `first` for the first request that carries a row, and writes it the next time.
fn once(mut first: impl FnMut(&dynasink_core::WriteBatch) -> Fate + Send + 'static) -> Service {
    let mut seen = HashSet::new();
    Service::new(move |request| {
        let fresh = request.ops().iter().all(|op| seen.insert(row_of(op)));
        if fresh {
            first(request)
        } else {
            Fate::written()
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_healthy_service_gets_each_row_once() {
    let (service, recorder) = (Service::healthy(), Recorder::default());
    write(writer(&service, &recorder).build(), batches(0..210))
        .await
        .unwrap();
    let all: Vec<u64> = (0..210).collect();
    assert_eq!(service.rows(), all);
    assert_eq!(recorder.written(), all);
    assert!(all.iter().all(|row| recorder.attempts(*row) == 1));
    assert_eq!(service.requests().len(), 9);
    assert_eq!(service.most_in_flight(), 4);
}

#[tokio::test(start_paused = true)]
async fn unprocessed_rows_go_again_merged_with_fresh_ones() {
    let mut seen = HashSet::new();
    let service = Service::new(move |request| {
        let rows = request.ops().iter().map(row_of);
        let refused = rows.filter(|row| row % 5 == 0 && seen.insert(*row));
        Fate::unprocessed(refused).after(Duration::from_millis(100))
    });
    let recorder = Recorder::default();
    let writer = writer(&service, &recorder).concurrency(Concurrency::Fixed(16));
    write(writer.build(), batches(0..2500)).await.unwrap();
    assert_eq!(recorder.written(), (0..2500).collect::<Vec<_>>());
    assert_eq!(service.rows().len(), 2500);
    for row in 0..2500 {
        let expected = if row % 5 == 0 { 2 } else { 1 };
        assert_eq!(recorder.attempts(row), expected, "row {row}");
    }
    let requests = service.requests();
    let carried: usize = requests.iter().map(Vec::len).sum();
    assert_eq!(carried, 3000);
    // Full ones, but for the last retries, which have nothing to be merged with.
    assert!(requests.len() <= 120 + 40, "{} requests", requests.len());
}

#[tokio::test(start_paused = true)]
async fn a_request_refused_as_a_whole_goes_again() {
    for cause in [
        throttled(),
        Cause::Conflict,
        Cause::Internal,
        Cause::Unreachable,
    ] {
        let told = cause.clone();
        let service = once(move |request| Fate::failed(request, told.clone()));
        let recorder = Recorder::default();
        write(writer(&service, &recorder).build(), batches(0..100))
            .await
            .unwrap();
        assert_eq!(recorder.written(), (0..100).collect::<Vec<_>>(), "{cause}");
        assert_eq!(service.rows().len(), 100);
        assert_eq!(recorder.attempts(0), 2, "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again_and_undoes_nothing() {
    let service = once(|_| Fate::lost());
    let recorder = Recorder::default();
    let users = table("users");
    // Three writes of each key: the first is applied, its answer lost.
    let rounds = (0..3).map(|round| batch((0..25).map(|id| op_of(&users, id, round * 25 + id, 0))));
    write(writer(&service, &recorder).build(), rounds)
        .await
        .unwrap();
    assert_eq!(recorder.written(), (0..75).collect::<Vec<_>>());
    assert_eq!(
        service.rows(),
        (50..75).collect::<Vec<_>>(),
        "the last writes win"
    );
    let rows: Vec<u64> = service.requests().concat();
    for id in 0..25 {
        let of_key: Vec<u64> = rows.iter().copied().filter(|row| row % 25 == id).collect();
        assert!(
            of_key.is_sorted(),
            "key {id} was written in the order {of_key:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_request_holds_up_its_own_keys_only() {
    let service = Service::new(|request| {
        let slow = request.ops().iter().any(|op| row_of(op) == 0);
        let latency = if slow {
            Duration::from_mins(1)
        } else {
            Duration::from_millis(5)
        };
        Fate::written().after(latency)
    });
    let recorder = Recorder::default();
    let mut writer = writer(&service, &recorder).build();
    let users = table("users");
    for batch in batches(0..100) {
        futures::SinkExt::feed(&mut writer, batch).await.unwrap();
    }
    // A second write of the slow key.
    let later = batch([op_of(&users, 0, 100, 0)]);
    futures::SinkExt::feed(&mut writer, later).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(recorder.written(), (25..100).collect::<Vec<_>>());
    futures::SinkExt::close(&mut writer).await.unwrap();
    assert_eq!(service.rows(), (1..101).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn poison_is_found_by_halves_and_all_else_is_written() {
    for poison in [
        vec![],
        vec![7],
        vec![0, 24],
        vec![3, 4, 5],
        (0..25).collect(),
    ] {
        let service = Service::poisoned_by(poison.clone());
        let recorder = Recorder::default();
        write(writer(&service, &recorder).build(), batches(0..25))
            .await
            .unwrap();
        let dead = recorder.dead();
        assert_eq!(dead.keys().copied().collect::<Vec<_>>(), poison);
        for reason in dead.values() {
            assert_eq!(reason.code, "invalid");
            assert_eq!(reason.message, "as the script says");
            assert!((5..=6).contains(&reason.attempts), "{}", reason.attempts);
        }
        let healthy: Vec<u64> = (0..25).filter(|row| !poison.contains(row)).collect();
        assert_eq!(recorder.written(), healthy);
        assert_eq!(service.rows(), healthy);
        // Each of k bad operations spoils a request of each size: 25, 13, 7, 4, 2, 1; the halves beside them pass.
        let most = 1 + 2 * 5 * poison.len().max(1);
        let requests = service.requests().len();
        assert!(requests <= most, "{requests} requests for {poison:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_operation_is_no_sign_of_too_many_requests() {
    let service = Service::poisoned_by((0..1_000).step_by(25));
    let recorder = Recorder::default();
    let writer = writer(&service, &recorder).concurrency(Concurrency::Auto { min: 1, max: 8 });
    let start = Instant::now();
    write(writer.build(), batches(0..1_000)).await.unwrap();
    assert_eq!(recorder.dead().len(), 40);
    // Five milliseconds each, eight at a time.
    let least = Duration::from_millis(5) * u32::try_from(service.requests().len()).unwrap() / 8;
    let took = start.elapsed();
    assert!(took < least * 5 / 4, "{took:?} instead of {least:?}");
}

#[tokio::test(start_paused = true)]
async fn poison_does_not_spread_when_parts_are_throttled() {
    // Every third request is throttled, poison or not, so parts come back among fresh operations.
    let mut nth = 0;
    let service = Service::new(move |request| {
        nth += 1;
        if nth % 3 == 0 {
            Fate::failed(request, throttled())
        } else if request.ops().iter().any(|op| row_of(op).is_multiple_of(40)) {
            Fate::failed(request, Cause::Invalid)
        } else {
            Fate::written()
        }
    });
    let recorder = Recorder::default();
    write(writer(&service, &recorder).build(), batches(0..400))
        .await
        .unwrap();
    let poison: Vec<u64> = (0..400).step_by(40).collect();
    assert_eq!(recorder.dead().into_keys().collect::<Vec<_>>(), poison);
    assert_eq!(recorder.written().len(), 390);
}

#[tokio::test(start_paused = true)]
async fn a_full_item_collection_kills_its_own_operations_only() {
    let service = Service::new(|request| {
        if request.ops().iter().any(|op| row_of(op) == 3) {
            Fate::failed(request, Cause::ItemCollectionFull)
        } else {
            Fate::written()
        }
    });
    let recorder = Recorder::default();
    write(writer(&service, &recorder).build(), batches(0..25))
        .await
        .unwrap();
    let dead = recorder.dead();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[&3].code, "item_collection_full");
}

#[tokio::test(start_paused = true)]
async fn without_anyone_to_tell_a_dead_operation_is_an_error() {
    let service = Service::poisoned_by([7]);
    let writer = writer(&service, &Recorder::default()).outcomes(Outcomes::unobserved());
    let error = write(writer.build(), batches(0..25)).await.unwrap_err();
    let Error::Stage(StageError::Dead {
        position: at,
        reason,
    }) = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(at.as_ref(), Some(&position(7)));
    assert_eq!(reason.code, "invalid");
    assert_eq!(
        error.to_string(),
        "the row at rows, row group 0, row 7 cannot be written: as the script says"
    );
}

#[tokio::test(start_paused = true)]
async fn several_tables_share_requests() {
    let (users, orders) = (table("users"), table("orders"));
    let service = once(|request| {
        let rows = request.ops().iter().map(row_of);
        Fate::unprocessed(rows.filter(|row| row % 3 == 0))
    });
    let recorder = Recorder::default();
    let ops = (0..25).map(|row| {
        let table = if row % 2 == 0 { &users } else { &orders };
        op_of(table, row / 2, row, 0)
    });
    write(writer(&service, &recorder).build(), [batch(ops)])
        .await
        .unwrap();
    assert_eq!(recorder.written().len(), 25);
    assert_eq!(service.requests().len(), 2);
    // Rows 0 and 1 have one key value in two tables; row 0 alone was left out.
    assert_eq!((recorder.attempts(0), recorder.attempts(1)), (2, 1));
    assert_eq!(service.items().len(), 25);
}

#[tokio::test(start_paused = true)]
async fn waits_between_attempts_grow_and_are_jittered() {
    let start = Instant::now();
    let (sent, times) = std::sync::mpsc::channel();
    let service = Service::new(move |request| {
        sent.send(start.elapsed()).unwrap();
        let refused = start.elapsed() < Duration::from_secs(5);
        if refused {
            Fate::failed(request, throttled())
        } else {
            Fate::written()
        }
    });
    let recorder = Recorder::default();
    let retry = super::retries(1000, super::FOREVER);
    let writer = writer(&service, &recorder).retry_policy(retry);
    write(writer.build(), [batch([op(0)])]).await.unwrap();
    let times: Vec<Duration> = times.try_iter().collect();
    let waits: Vec<u128> = times
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]).as_millis())
        .collect();
    // A wait is drawn from 0 to 100, 200, 400, 800, 1000, 1000, ... ms; 5 ms are the request's own.
    let bounds = [100, 200, 400, 800]
        .into_iter()
        .chain(std::iter::repeat(1000));
    for (wait, bound) in waits.iter().zip(bounds) {
        assert!(*wait <= bound + 6, "{waits:?}");
    }
    let distinct: HashSet<_> = waits.iter().collect();
    assert!(
        waits.len() >= 8 && distinct.len() >= waits.len() - 2,
        "{waits:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn requests_keep_the_limits_of_the_sizer() {
    let service = once(|request| Fate::failed(request, throttled()));
    let recorder = Recorder::default();
    let users = table("users");
    let writer = writer(&service, &recorder).sizer(BatchLimit {
        ops: 7,
        units: WriteUnits::new(20),
        ..BatchLimit::REQUEST
    });
    let batches = (0..10)
        .map(|nth| batch((0..25).map(|id| op_of(&users, nth * 25 + id, nth * 25 + id, 3000))));
    write(writer.build(), batches).await.unwrap();
    assert_eq!(recorder.written().len(), 250);
    // Three units each: six of them are 18.
    assert!(service.requests().iter().all(|rows| rows.len() <= 6));
}

use dynasink_core::{KeyType, RequestFailure, TableSchema, WriteUnits};
use tokio::time::sleep;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn timeline(tally: &Tally) -> Timeline {
    Timeline::of(tally.clone(), RateLimiter::fixed(WriteUnits::new(500)))
}

fn answer(in_flight: usize) -> CapacityFeedback {
    CapacityFeedback {
        written_ops: 20,
        throttled_ops: 5,
        latency: Duration::from_millis(10),
        in_flight,
        ..CapacityFeedback::default()
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_has_happened_before_the_first_request() {
    let tally = Tally::new();
    let timeline = timeline(&tally);
    sleep(SECOND * 10).await;
    assert_eq!(timeline.whole(), TimelinePoint::default());
    timeline.departed(1);
    sleep(SECOND).await;
    assert_eq!(timeline.whole().length, SECOND);
}

#[tokio::test(start_paused = true)]
async fn each_point_says_what_happened_in_its_time() {
    let tally = Tally::new();
    let timeline = timeline(&tally);
    timeline.begin();
    tally.count_rows(100);
    timeline.departed(1);
    timeline.departed(2);
    sleep(SECOND / 2).await;
    timeline.observe(&answer(1));
    sleep(SECOND).await;
    tally.count_rows(50);
    timeline.observe(&CapacityFeedback {
        failed_ops: 25,
        failure: Some(RequestFailure::Unanswered),
        latency: SECOND,
        ..CapacityFeedback::default()
    });
    sleep(SECOND / 2).await;

    let points = timeline.points();
    let [first, second] = points.as_slice() else {
        panic!("{points:?}");
    };
    assert_eq!((first.rows_read, second.rows_read), (100, 50));
    assert_eq!((first.requests, second.requests), (1, 1));
    assert_eq!((first.sent_ops, second.sent_ops), (25, 25));
    assert_eq!((first.refused.unsaid, second.refused.total()), (5, 0));
    assert_eq!(second.failed_requests.unanswered, 1);
    assert_eq!((first.in_flight.most, second.in_flight.most), (2, 1));
    assert_eq!(first.mean_in_flight(), Some(1.5));
    assert_eq!(second.mean_in_flight(), Some(0.5));
    assert_eq!((first.limit, second.limit), (Some(500), Some(500)));
    assert_eq!(timeline.whole().latencies.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_load_of_a_day_has_as_many_points_as_one_of_minutes() {
    let tally = Tally::new();
    let timeline = timeline(&tally);
    for _ in 0..24 * 60 {
        timeline.departed(1);
        sleep(SECOND * 60).await;
        timeline.observe(&answer(0));
    }
    let points = timeline.points();
    assert!(
        (MOST_POINTS / 2..=MOST_POINTS).contains(&points.len()),
        "{}",
        points.len()
    );
    let whole = timeline.whole();
    assert_eq!(
        (whole.requests, whole.refused.total()),
        (24 * 60, 24 * 60 * 5)
    );
    assert_eq!(whole.length, SECOND * 60 * 60 * 24);
}

#[tokio::test(start_paused = true)]
async fn an_index_is_told_with_its_limit() {
    let table = TableSchema::builder("users")
        .partition_key("id", KeyType::N)
        .build()
        .unwrap();
    let limiter = RateLimiter::fixed(WriteUnits::new(500)).with_index(
        table.name(),
        "by-mail",
        dynasink_sink::RateLaw::Fixed(WriteUnits::new(70)),
    );
    let timeline = Timeline::of(Tally::new(), limiter);
    timeline.observe(&CapacityFeedback {
        consumed: vec![dynasink_core::ConsumedCapacity {
            table: table.name().clone(),
            table_units: WriteUnits::new(25),
            index_units: vec![
                ("by-mail".to_owned(), WriteUnits::new(10)),
                ("by-age".to_owned(), WriteUnits::new(3)),
            ],
        }],
        ..CapacityFeedback::default()
    });
    let whole = timeline.whole();
    assert_eq!(whole.table_units, 25);
    let index = |name: &str| whole.indexes.get(name).copied().unwrap();
    assert_eq!(
        index("by-mail"),
        IndexUse {
            units: 10,
            limit: Some(70)
        }
    );
    assert_eq!(
        index("by-age"),
        IndexUse {
            units: 3,
            limit: None
        }
    );
}

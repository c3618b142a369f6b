use super::*;

const TICK: Duration = Duration::from_millis(5);

/// A partition that takes `rate` units a second, and saves up one second.
struct Partition {
    rate: f64,
    level: f64,
}

impl Partition {
    fn pass(&mut self) {
        self.level = (self.level + self.rate * TICK.as_secs_f64()).min(self.rate);
    }

    fn take(&mut self, units: u64) -> bool {
        let takes = self.level >= 1.0;
        if takes {
            self.level -= units as f64;
        }
        takes
    }
}

/// Sends operations of `units` at the pace to `partition` for so long, the answers after `latency`. Gives the
/// units that were written and the operations that were refused.
fn run(
    pace: &mut KeyPace,
    partition: &mut Partition,
    now: &mut Instant,
    seconds: u64,
    units: u64,
    latency: Duration,
) -> (u64, u64) {
    let (mut written, mut refused) = (0, 0);
    let mut answers = std::collections::VecDeque::new();
    let end = *now + Duration::from_secs(seconds);
    while *now < end {
        *now += TICK;
        partition.pass();
        while let Some((sent, taken)) = answers.pop_front_if(|(sent, _)| *sent + latency <= *now) {
            if taken {
                pace.written(units);
                written += units;
            } else {
                pace.refused(*now, sent);
                refused += 1;
            }
        }
        pace.advance(*now, true);
        while pace.next_at() <= *now {
            pace.spend(*now, 1, units);
            answers.push_back((*now, partition.take(units)));
        }
    }
    (written, refused)
}

fn starting_at(rate: f64) -> (KeyPace, Instant) {
    let now = Instant::now();
    (KeyPace::new(rate, now), now)
}

#[test]
fn a_partition_is_used_in_full_and_asked_for_little_more() {
    for (rate, start, units, millis) in [
        (1000.0, 1000.0, 1, 10),
        (1000.0, 600.0, 4, 10),
        (1000.0, 900.0, 10, 150),
        (200.0, 1000.0, 1, 10),
        (50.0, 200.0, 1, 50),
    ] {
        let (mut pace, mut now) = starting_at(start);
        let mut partition = Partition { rate, level: 0.0 };
        let latency = Duration::from_millis(millis);
        let (written, refused) = run(&mut pace, &mut partition, &mut now, 60, units, latency);
        let share = written as f64 / (rate * 60.0);
        let refused = refused as f64 * units as f64 / written as f64;
        assert!(share > 0.93, "{rate} from {start}: {share}");
        assert!(refused < 0.02, "{rate} from {start}: {refused}");
    }
}

#[test]
fn a_capacity_that_doubles_or_halves_is_followed_within_ten_seconds() {
    let latency = Duration::from_millis(10);
    let (mut pace, mut now) = starting_at(500.0);
    let mut partition = Partition {
        rate: 400.0,
        level: 0.0,
    };
    run(&mut pace, &mut partition, &mut now, 30, 1, latency);
    partition.rate = 800.0;
    run(&mut pace, &mut partition, &mut now, 10, 1, latency);
    let (written, _) = run(&mut pace, &mut partition, &mut now, 20, 1, latency);
    assert!(written > 20 * 800 * 95 / 100, "{written} of 16000");
    partition.rate = 200.0;
    run(&mut pace, &mut partition, &mut now, 10, 1, latency);
    let (written, refused) = run(&mut pace, &mut partition, &mut now, 20, 1, latency);
    assert!(written > 20 * 200 * 95 / 100, "{written} of 4000");
    assert!(refused < 80, "{refused}");
}

#[test]
fn the_rate_rises_only_while_operations_wait() {
    let (mut pace, now) = starting_at(100.0);
    let (first, end) = (pace.rate(), now + Duration::from_mins(1));
    pace.spend(now, 1000, 1);
    pace.advance(end, false);
    assert!(pace.rate() <= first);
    pace.advance(end + Duration::from_secs(1), true);
    assert!(pace.rate() > first);
}

#[test]
fn an_echo_tells_nothing_new() {
    let (mut pace, now) = starting_at(100.0);
    let before = pace.rate();
    pace.refused(now + Duration::from_secs(3), now - TICK);
    assert!(pace.rate() >= before);
    pace.refused(now + TICK, now);
    assert!(pace.rate() < before);
}

#[test]
fn refused_again_and_again_it_rests_ever_longer() {
    let (mut pace, _) = starting_at(100.0);
    let mut rests = Vec::new();
    for _ in 0..3 {
        let now = pace.next_at();
        pace.refused(now, now);
        rests.push((pace.next_at() - now).as_millis());
    }
    assert_eq!(rests, [200, 400, 800]);
    assert!(pace.rate() >= LEAST_RATE);
}

/// Others keep the writer busy, so that the law is advanced all the time.
#[test]
fn time_in_which_nothing_waited_measures_nothing_though_others_go_on() {
    let (mut pace, mut now) = starting_at(100.0);
    now += Duration::from_secs(1);
    for _ in 0..2_000 {
        now += TICK;
        pace.advance(now, false);
    }
    pace.resume(now);
    // Two seconds at a hundred units a second.
    for _ in 0..200 {
        now += TICK * 2;
        pace.advance(now, true);
        pace.written(1);
    }
    let before = pace.rate();
    pace.refused(now, now);
    assert!(pace.rate() > 0.9 * before, "{} of {before}", pace.rate());
}

#[test]
fn a_partition_of_large_items_is_used_in_full_too() {
    for (rate, start, units) in [
        (1000.0, 600.0, 50),
        (1000.0, 600.0, 100),
        (1000.0, 600.0, 400),
        (1000.0, 1000.0, 400),
        (300.0, 300.0, 100),
    ] {
        let (mut pace, mut now) = starting_at(start);
        let mut partition = Partition { rate, level: 0.0 };
        let latency = Duration::from_millis(10);
        let (written, refused) = run(&mut pace, &mut partition, &mut now, 300, units, latency);
        let share = written as f64 / (rate * 300.0);
        let refused = refused as f64 * units as f64 / written as f64;
        assert!(share > 0.9, "{rate} from {start}: {share}");
        assert!(refused < 0.05, "{rate} from {start}: {refused}");
    }
}

/// A partition of 1,000 units takes nothing for half a minute.
#[test]
fn a_partition_that_was_gone_is_found_again() {
    for units in [1, 10, 400] {
        let (mut pace, mut now) = starting_at(1_000.0);
        let latency = Duration::from_millis(10);
        let mut partition = Partition {
            rate: 1_000.0,
            level: 0.0,
        };
        run(&mut pace, &mut partition, &mut now, 30, units, latency);
        partition.rate = 0.0;
        run(&mut pace, &mut partition, &mut now, 30, units, latency);
        partition.rate = 1_000.0;
        let (written, _) = run(&mut pace, &mut partition, &mut now, 120, units, latency);
        assert!(written > 90_000, "{written} of 120,000 by {units} units");
    }
}

/// A partition of 1,000 units takes next to nothing for a minute, since others use it up.
#[test]
fn a_partition_that_was_slow_is_found_again() {
    let (mut pace, mut now) = starting_at(1_000.0);
    let latency = Duration::from_millis(10);
    let mut partition = Partition {
        rate: 1.0,
        level: 0.0,
    };
    run(&mut pace, &mut partition, &mut now, 60, 1, latency);
    assert!(pace.rate() < 3.0, "{}", pace.rate());
    partition.rate = 1_000.0;
    run(&mut pace, &mut partition, &mut now, 90, 1, latency);
    let (written, _) = run(&mut pace, &mut partition, &mut now, 30, 1, latency);
    assert!(written > 27_000, "{written} of 30,000");
}

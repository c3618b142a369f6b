//! The shape of the automatic rate.

use super::*;

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Answers every ten milliseconds at the law's rate, one unit an operation.
fn run(law: &mut AutoRate, from: f64, to: f64, waited: bool) {
    let mut now = from;
    while now < to {
        now += 0.01;
        let units = (law.rate() / 100.0).round();
        let observation = Observation {
            sent: at(now - 0.005),
            units,
            written_ops: WriteUnits::from_consumed(units).get().try_into().unwrap(),
            waited,
            ..Observation::default()
        };
        assert_eq!(law.observe(at(now), &observation), None);
    }
}

fn refuse(law: &mut AutoRate, now: f64) -> Option<Duration> {
    let refused = Observation {
        sent: at(now - 0.005),
        refused_ops: 1,
        waited: true,
        ..Observation::default()
    };
    law.observe(at(now), &refused)
}

fn about(rate: f64, expected: f64) {
    assert!(
        (rate / expected - 1.0).abs() < 0.03,
        "{rate} for {expected}"
    );
}

#[test]
fn it_stays_where_the_capacity_was_and_then_grows_without_bound() {
    let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000)));
    refuse(&mut law, 1.0);
    for (from, to, expected) in [
        (1.0, 1.02, 970.0),
        (1.02, 3.0, 1_000.0),
        (3.0, 5.0, 1_030.0),
        (5.0, 9.4, 2_000.0),
    ] {
        run(&mut law, from, to, true);
        about(law.rate(), expected);
    }
}

#[test]
fn a_rate_that_holds_nothing_back_does_not_grow() {
    let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000)));
    run(&mut law, 0.0, 60.0, false);
    about(law.rate(), 1_000.0);
}

#[test]
fn an_echo_decides_nothing() {
    let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000)));
    run(&mut law, 0.0, 6.0, true);
    assert_eq!(refuse(&mut law, 6.01), Some(FIRST_PAUSE));
    let rate = law.rate();
    assert_eq!(refuse(&mut law, 6.012), None);
    about(law.rate(), rate);
}

#[test]
fn a_search_doubles_until_the_first_refusal() {
    let mut law = AutoRate::unknown();
    assert_eq!(law.capacity(), None);
    run(&mut law, 0.0, 2.0, true);
    about(law.rate(), 1_600.0);
    assert!(refuse(&mut law, 2.01).is_some());
    let found = law.capacity().unwrap();
    assert!((600.0..1_600.0).contains(&found), "{found}");
}

#[test]
fn a_ceiling_is_never_passed() {
    let ceiling = WriteUnits::new(1_200);
    let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000))).below(ceiling);
    run(&mut law, 0.0, 30.0, true);
    about(law.rate(), 1_200.0);
}

#[test]
fn a_rate_that_is_chosen_is_the_most_until_another_is() {
    let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000)));
    law.set_rate(WriteUnits::new(300));
    run(&mut law, 0.0, 30.0, true);
    about(law.rate(), 300.0);
    law.set_rate(WriteUnits::new(2_000));
    about(law.rate(), 2_000.0);
}

#[test]
fn a_table_that_refuses_everything_is_asked_seldom_and_at_the_least_rate() {
    let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000)));
    let mut now = 1.0;
    let mut asked = 0;
    while now < 301.0 {
        let pause = refuse(&mut law, now).unwrap();
        now += pause.as_secs_f64() + 0.05;
        asked += 1;
    }
    assert!((70..90).contains(&asked), "{asked} times in five minutes");
    about(law.rate(), 10.0);
}

#[test]
fn a_capacity_that_was_gone_is_returned_to_within_seconds() {
    let mut law = AutoRate::starting_at(Some(WriteUnits::new(1_000)));
    run(&mut law, 0.0, 2.0, true);
    let mut now = 2.01;
    while now < 62.0 {
        now += refuse(&mut law, now).unwrap().as_secs_f64() + 0.01;
    }
    assert!(law.rate() < 20.0, "{}", law.rate());
    let returned = now + 8.0;
    while now < returned {
        now += 0.1;
        let observation = Observation {
            sent: at(now - 0.005),
            units: law.rate() / 10.0,
            written_ops: 1,
            waited: true,
            ..Observation::default()
        };
        assert_eq!(law.observe(at(now), &observation), None);
    }
    assert!(law.rate() > 950.0, "{}", law.rate());
}

#[test]
fn an_open_law_has_no_limit_before_the_first_refusal() {
    let mut law = AutoRate::open();
    assert!(law.rate() >= 1e6);
    let written = Observation {
        sent: at(0.9),
        units: 500.0,
        written_ops: 500,
        ..Observation::default()
    };
    law.observe(at(1.0), &written);
    assert!(refuse(&mut law, 1.5).is_some());
    assert!(law.rate() <= 1_000.0, "{}", law.rate());
}

/// Written at what is left: a tenth at first, and later all that the law asks for.
fn until_doubled(law: &mut AutoRate, mut now: f64, ops: usize) -> f64 {
    let (start, first, mut sent) = (now, law.rate(), 0.0);
    while law.rate() < 2.0 * first {
        assert!(now - start < 36_000.0, "not doubled within ten hours");
        now += 0.01;
        sent += law.rate() / 100.0;
        // One unit an operation, in requests of so many.
        let mut written_ops = 0;
        while sent >= ops as f64 {
            sent -= ops as f64;
            written_ops += ops;
        }
        if written_ops > 0 {
            let observation = Observation {
                sent: at(now - 0.005),
                units: written_ops as f64,
                written_ops,
                waited: true,
                ..Observation::default()
            };
            law.observe(at(now), &observation);
        }
    }
    now - start
}

#[test]
fn echoes_of_one_fall_do_not_freeze_the_growth() {
    let mut law = AutoRate::starting_at(Some(WriteUnits::new(4_000)));
    run(&mut law, 0.0, 2.0, true);
    // A tenth is left. At 150 ms and 4,000 a second, 24 requests of 25 are under way.
    refuse(&mut law, 2.01);
    for _ in 0..24 {
        let echo = Observation {
            sent: at(2.0),
            refused_ops: 25,
            waited: true,
            ..Observation::default()
        };
        law.observe(at(2.1), &echo);
    }
    refuse(&mut law, 2.5);
    law.phase = Phase::Around(400.0);
    law.time = 0.0;
    law.follow();
    let seconds = until_doubled(&mut law, 2.6, 25);
    assert!(seconds < 20.0, "doubled after {seconds} s");
}

/// A table of 5 units a second whose capacity is raised, written items of 400 KB.
#[test]
fn a_capacity_that_is_raised_is_found_though_items_are_large() {
    let mut law = AutoRate::starting_at(Some(WriteUnits::new(5)));
    let (mut now, mut answered) = (0.0, 0);
    while law.rate() < 10.0 {
        now += 400.0 / law.rate();
        answered += 1;
        let observation = Observation {
            sent: at(now - 0.005),
            units: 400.0,
            written_ops: 1,
            waited: true,
            ..Observation::default()
        };
        law.observe(at(now), &observation);
    }
    assert!(now < 1_800.0, "doubled after {now} s and {answered} items");
}

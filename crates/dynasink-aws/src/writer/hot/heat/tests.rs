use dynasink_core::{KeyType, TableSchema};

use super::*;

const MOST_KEYS: usize = 256;
const MILLISECOND: Duration = Duration::from_millis(1);

fn keys(count: u64) -> Vec<PartitionKey> {
    let table = TableSchema::builder("users").partition_key("id", KeyType::N);
    let table = table.build().unwrap();
    let key = |id| {
        let item = table.item(|item| item.attribute("id")?.integer(id));
        table.put(item.unwrap()).unwrap().key().partition_key()
    };
    (0..count).map(key).collect()
}

fn tried(key: &PartitionKey, refused: bool) -> Try {
    Try {
        key: key.clone(),
        units: 1,
        first: true,
        refused,
    }
}

/// Answers of 25 operations every 10 ms for `seconds`, of which `share` are of the first key of `count`. Gives the
/// hot keys, where `refuse` says by key whether an operation is refused.
fn hot(
    seconds: u32,
    share: f64,
    count: u64,
    mut refuse: impl FnMut(&mut fastrand::Rng, u64) -> bool,
) -> Vec<(PartitionKey, f64)> {
    let (keys, mut rng) = (keys(count), fastrand::Rng::with_seed(1));
    let (mut heat, start, mut hot) = (KeyHeat::default(), Instant::now(), Vec::new());
    for answer in 0..seconds * 100 {
        let tries: Vec<Try> = (0..25)
            .map(|_| {
                let other = rng.u64(..count);
                let id = if rng.f64() < share { 0 } else { other };
                let refused = refuse(&mut rng, id);
                tried(&keys[usize::try_from(id).unwrap()], refused)
            })
            .collect();
        let now = start + answer * 10 * MILLISECOND;
        hot.extend(heat.observe(now, &tries, false, MOST_KEYS));
    }
    hot
}

#[test]
fn a_key_that_is_refused_while_others_are_written_is_hot() {
    let mut tried = 0;
    let hot = hot(3, 0.2, 500, |rng, id| {
        tried += 1;
        tried > 2_500 && id == 0 && rng.bool()
    });
    assert_eq!(hot[0].0, keys(1)[0]);
    // 2,500 a second, of which a fifth is of the key.
    assert!((300.0..800.0).contains(&hot[0].1), "{}", hot[0].1);
}

#[test]
fn refusals_that_are_spread_evenly_make_no_key_hot() {
    for one_in in [2, 5, 30] {
        let hot = hot(20, 0.2, 500, |rng, _| rng.u8(..one_in) == 0);
        assert!(hot.is_empty(), "one in {one_in}: {hot:?}");
    }
}

#[test]
fn a_key_alone_is_hot_only_near_the_limit_of_a_partition_or_for_that_reason() {
    let key = &keys(1)[0];
    let refused: Vec<Try> = (0..25).map(|_| tried(key, true)).collect();
    let now = Instant::now();
    for (key_range, expected) in [(false, 0), (true, 1)] {
        let (mut heat, mut hot) = (KeyHeat::default(), Vec::new());
        for answer in 0..100 {
            // 200 a second were written before, and then all is refused.
            let tries = [tried(key, false), tried(key, false)];
            hot.extend(heat.observe(now + answer * 10 * MILLISECOND, &tries, false, MOST_KEYS));
        }
        hot.extend(heat.observe(now + 1_000 * MILLISECOND, &refused, key_range, MOST_KEYS));
        assert_eq!(hot.len(), expected, "{hot:?}");
    }
    let mut heat = KeyHeat::default();
    let written: Vec<Try> = (0..25).map(|_| tried(key, false)).collect();
    for answer in 0..100 {
        heat.observe(now + answer * 25 * MILLISECOND, &written, false, MOST_KEYS);
    }
    let hot = heat.observe(now + 2_500 * MILLISECOND, &refused, false, MOST_KEYS);
    assert_eq!(hot.len(), 1, "1,000 a second are what a partition takes");
}

#[test]
fn a_key_alone_is_hot_though_its_retries_leave_room_for_few_first_tries() {
    let mut heat = KeyHeat::default();
    let (now, key) = (Instant::now(), &keys(1)[0]);
    let (mut hot, mut retries) = (Vec::new(), 0);
    // 2,000 a second are asked for, of which the partition takes half.
    for answer in 0..80 {
        let tries: Vec<Try> = (0..25)
            .map(|nth| Try {
                first: nth >= retries,
                ..tried(key, answer > 40 && nth % 2 == 0)
            })
            .collect();
        retries = tries.iter().filter(|seen| seen.refused).count();
        hot.extend(heat.observe(
            now + answer * 12_500 * MILLISECOND / 1000,
            &tries,
            false,
            MOST_KEYS,
        ));
    }
    assert_eq!(hot[0].0, *key);
    assert!((800.0..1_200.0).contains(&hot[0].1), "{}", hot[0].1);
}

#[test]
fn a_key_with_a_few_others_is_no_key_alone() {
    let (mut heat, now, keys) = (KeyHeat::default(), Instant::now(), keys(100));
    // 1,000 a second, of which half is of the key, in answers that come in a burst.
    let tries = |refused| -> Vec<Try> {
        let hot = (0..14).map(|_| tried(&keys[0], refused));
        hot.chain(keys[1..7].iter().map(|key| tried(key, false)))
            .collect()
    };
    for answer in 0..10 {
        let hot = heat.observe(
            now + answer * 4 * MILLISECOND,
            &tries(false),
            false,
            MOST_KEYS,
        );
        assert!(hot.is_empty(), "{hot:?}");
    }
    let hot = heat.observe(now + 40 * MILLISECOND, &tries(true), false, MOST_KEYS);
    assert!(hot[0].1 < 1_000.0, "{hot:?}");
}

#[test]
fn a_key_that_there_is_no_room_for_stays_among_the_others() {
    let (mut heat, now, keys) = (KeyHeat::default(), Instant::now(), keys(21));
    let tries: Vec<Try> = (0..25)
        .map(|nth| tried(&keys[nth % 20 + 1], false))
        .collect();
    heat.observe(now, &tries, false, 0);
    let refused: Vec<Try> = (0..25)
        .map(|nth| tried(&keys[nth % 2 * (nth % 20 + 1)], nth % 2 == 0))
        .collect();
    let share = |heat: &KeyHeat| (heat.share_refused() * 100.0).round();
    assert!(heat.observe(now, &refused, false, 0).is_empty());
    assert!(share(&heat) > 25.0, "its refusals count: {}", share(&heat));
    let hot = heat.observe(now, &refused, false, 1);
    assert_eq!(hot.len(), 1);
    assert!(share(&heat) < 2.0, "they are its own: {}", share(&heat));
}

#[test]
fn suspects_are_bounded_and_forgotten() {
    let (mut heat, now) = (KeyHeat::default(), Instant::now());
    let all: Vec<Try> = keys(5_000).iter().map(|key| tried(key, true)).collect();
    for tries in all.chunks(25) {
        assert!(heat.observe(now, tries, false, MOST_KEYS).is_empty());
    }
    assert_eq!(heat.suspects.len(), MOST_SUSPECTS);
    heat.observe(now + Duration::from_secs(5), &[], false, MOST_KEYS);
    assert!(heat.suspects.is_empty());
}

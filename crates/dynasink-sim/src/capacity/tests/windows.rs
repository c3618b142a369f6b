//! A law for every load: what a window of time sees.

use std::collections::BTreeMap;

use super::*;

/// Whether no window of the admitted writes has more units than `saved` and the rate.
fn keeps(rate: u64, saved: u64, admitted: &[(Duration, u64)]) -> bool {
    admitted.iter().enumerate().all(|(start, (from, _))| {
        let mut total = 0;
        admitted.iter().skip(start).all(|(to, units)| {
            total += u128::from(*units) * 1_000_000_000;
            let come = u128::from(rate) * to.saturating_sub(*from).as_nanos();
            total <= come + u128::from(saved) * 1_000_000_000
        })
    })
}

#[test]
fn no_window_sees_more_than_depth_and_rate_and_one_items_debt() {
    const LARGEST: u64 = 40;
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (rate, index_rate) = (random.u64(50..400), random.u64(10..100));
        let (idle, backlog) = (random.u64(..5), random.u64(..5));
        let partition_rate = random.u64(50..200);
        let model = CapacityModel::default()
            .burst(SECOND * 5)
            .partition_rate(WriteUnits::new(partition_rate))
            .split_after(SECOND * 2)
            .index_backlog(SECOND * u32::try_from(backlog).unwrap());
        let table = table_with_index(rate, Some(index_rate))
            .idle(Duration::from_secs(idle))
            .partitions(random.usize(1..4));
        let mut offered = Offered::new(&model, &table);
        let mut now = Duration::ZERO;
        let (mut whole, mut index, mut parts) = (Vec::new(), Vec::new(), BTreeMap::new());
        for _ in 0..1500 {
            now += Duration::from_nanos(random.u64(..40_000_000));
            let mut cost = indexed_write(random.u64(..), random.u64(1..=LARGEST));
            cost.partition = random.u64(..) >> random.u32(..3);
            cost.table_units = random.u64(1..=LARGEST);
            if random.bool() {
                cost.global.clear();
            }
            if let Ok(Admitted { partition }) = offered.offer(now, &cost) {
                let units = cost.table_units;
                whole.push((now, units));
                parts
                    .entry(partition)
                    .or_insert_with(Vec::new)
                    .push((now, units));
                index.extend(cost.global.iter().map(|cost| (now, cost.units)));
            }
        }
        assert!(keeps(rate, rate * 5 + LARGEST, &whole), "seed {seed}");
        let index_saved = index_rate * (5 + backlog) + LARGEST;
        assert!(keeps(index_rate, index_saved, &index), "seed {seed}");
        for admitted in parts.values() {
            assert!(
                keeps(partition_rate, partition_rate + LARGEST, admitted),
                "seed {seed}"
            );
        }
    }
}

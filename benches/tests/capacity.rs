//! Each scenario is in its ranges.

use std::sync::Arc;

use dynasink_benches::{Scenario, policies::Dynasink, run};

async fn assert_in_its_ranges(named: &[Arc<Scenario>]) {
    let [scenario] = named else {
        panic!("{} scenarios have that name", named.len());
    };
    let measured = run(scenario, &Dynasink).await;
    let misses = scenario.expect.misses(&measured);
    assert!(misses.is_empty(), "{misses:#?} in {measured:#?}");
}

macro_rules! in_its_ranges {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $test() {
                assert_in_its_ranges(&Scenario::named($name).unwrap()).await;
            }
        )*
    };
}

in_its_ranges! {
    a_steady_capacity_that_is_known_is_used: "01-",
    a_capacity_that_is_not_known_is_found: "02-",
    an_on_demand_table_is_followed_as_it_doubles: "03-",
    a_capacity_that_falls_and_returns_is_followed: "04-",
    items_of_all_sizes_use_the_capacity: "05-",
    an_index_that_is_scarcer_than_its_table_rules: "06-",
    hot_keys_do_not_hold_up_the_others: "07-",
    sorted_input_from_many_files_uses_the_partitions: "08-",
    another_client_is_left_its_capacity: "09-",
    latency_from_low_to_high_is_filled: "10-",
    items_far_larger_than_the_capacity_are_written: "11-",
    a_fixed_rate_is_kept_and_used: "12-",
    another_client_is_left_its_capacity_where_little_is_saved_up: "13-",
}

#[tokio::test(start_paused = true)]
async fn one_seed_gives_one_result() {
    let scenarios = Scenario::named("11-").unwrap();
    let first = run(&scenarios[0], &Dynasink).await;
    assert_eq!(run(&scenarios[0], &Dynasink).await, first);
}

//! The laws of a rate against a service of token buckets: each scenario is a file with what is expected of it.

mod client;
mod scenario;
mod service;

use std::fs;
use std::path::Path;

use scenario::Scenario;

/// Runs all scenarios, so that one run shows all that is out of its range.
#[test]
fn each_scenario_stays_within_its_expected_ranges() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rates/scenarios");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut failures = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let scenario: Scenario =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let report = client::run(&scenario);
        println!("{name}: {report}");
        for failure in scenario.expect.failures(&report) {
            failures.push(format!("{name}: {failure}; {report}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

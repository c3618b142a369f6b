use std::num::NonZeroUsize;

use clap::{CommandFactory, Parser};

use super::*;

fn args(words: &str) -> Args {
    let words = words.split_whitespace();
    Args::try_parse_from(std::iter::once("tuning").chain(words)).unwrap()
}

fn refusal(words: &str) -> String {
    let words = words.split_whitespace();
    let parsed = Args::try_parse_from(std::iter::once("tuning").chain(words));
    parsed.unwrap_err().to_string()
}

/// A small load that was tuned.
fn tuned(words: &str) -> Report {
    tune(&args(words)).unwrap()
}

fn data(file: &str) -> String {
    format!("{}/../examples/data/{file}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_command_line_is_consistent() {
    Args::command().debug_assert();
}

#[test]
fn what_cargo_bench_adds_is_passed_over() {
    let args = args("--wcu 4000 --partitions 8 --latency 8ms --item-size 700 --bench");
    assert!(args.bench);
    assert_eq!(args.wcu, Some(4_000));
    assert_eq!(args.partitions, NonZeroUsize::new(8));
    assert_eq!(args.latency, "8ms".parse().unwrap());
    assert_eq!(args.item_size, Some(700));
}

#[test]
fn an_index_has_a_name_a_capacity_and_perhaps_an_attribute() {
    let args = args("--on-demand --index by-mail=1000 --index by-town:town=250");
    let index = |name: &str, attribute: Option<&str>, wcu| IndexArg {
        name: name.to_owned(),
        attribute: attribute.map(str::to_owned),
        wcu,
    };
    let expected = [
        index("by-mail", None, 1_000),
        index("by-town", Some("town"), 250),
    ];
    assert_eq!(args.index, expected);
}

#[test]
fn what_means_nothing_is_refused() {
    for (words, says) in [
        ("", "--wcu"),
        ("--wcu 0", "0 is not in"),
        ("--wcu 10 --minutes 0", "minutes are"),
        ("--wcu 10 --item-size 409601", "409601 is not in"),
        ("--wcu 10 --index mail", "by-mail=1000"),
        ("--wcu 10 --index mail:=5", "by-mail=1000"),
        ("--wcu 10 --index =5", "by-mail=1000"),
        ("--wcu 10 --latency fast", "a latency is"),
        ("--wcu 10 --partition-key id", "--source"),
        ("--wcu 10 --source a --partition-key :S", "a key has a name"),
    ] {
        let said = refusal(words);
        assert!(said.contains(says), "{words}: {said}");
    }
}

#[test]
fn a_source_that_cannot_be_used_is_an_error_that_says_why() {
    let planes = data("nycflights13_planes.parquet");
    for (words, says) in [
        ("--source nowhere.parquet".to_owned(), "cannot be used"),
        (
            format!("--source {}/Cargo.toml", env!("CARGO_MANIFEST_DIR")),
            "cannot be used",
        ),
        (
            format!("--source {planes} --partition-key tail"),
            "there are tailnum",
        ),
        (format!("--source {planes} --index by-x:x=5"), "no column x"),
    ] {
        let error = tune(&args(&format!("--wcu 100 {words}"))).unwrap_err();
        assert!(error.to_string().contains(says), "{words}: {error}");
    }
}

#[test]
fn a_whole_file_takes_what_its_units_take() {
    let planes = data("nycflights13_planes.parquet");
    let report = tuned(&format!(
        "--wcu 400 --latency 8ms --table planes --source {planes} --partition-key tailnum"
    ));
    let best = report.ranking().best().unwrap();
    // 3,322 rows of one unit.
    assert!((8.2..9.0).contains(&best.seconds), "{}", best.seconds);
    assert_eq!(best.trial.applied, 3_322);
    assert!(
        report.command().starts_with("dynasink load "),
        "{}",
        report.command()
    );
    assert!(
        report.command().contains("--table planes --rate auto"),
        "{}",
        report.command()
    );
    assert_eq!(report.bounds()[0].limit, Limit::Table { wcu: 400 });
}

#[test]
fn slow_settings_are_behind_and_say_why() {
    let report = tuned("--wcu 4000 --partitions 8 --latency 40ms --rows 12000 --item-size 700");
    let ranked = &report.ranking().ranked;
    let behind = |setting: &dyn Fn(&Setting) -> bool| {
        ranked
            .iter()
            .position(|ranked| setting(&ranked.trial.setting))
            .unwrap()
    };
    let one = behind(&|setting| setting.concurrency == InFlight::Fixed(1));
    let half = behind(&|setting| matches!(setting.rate, Pace::Fixed { percent: 50, .. }));
    assert!(half > 0);
    assert!(
        one > half,
        "one request of 25 rows in 40 ms is less than half"
    );
    assert!(
        ranked[one].why.contains("rows/s at most"),
        "{}",
        ranked[one].why
    );
    assert!(
        ranked[half].why.contains("holds back"),
        "{}",
        ranked[half].why
    );
    let best = &ranked[0];
    assert!(best.why.is_empty());
    assert!(
        best.trial.steady_rate() > 0.95 * 4_000.0,
        "{}",
        best.trial.steady_rate()
    );
    assert!(
        ranked[1..]
            .iter()
            .all(|other| other.seconds * 1.05 >= best.seconds)
    );
}

#[test]
fn an_index_that_takes_less_than_the_table_is_what_limits_the_load() {
    let report = tuned("--wcu 1000 --index by-mail=200 --latency 8ms --rows 3000");
    let limit = &report.bounds()[0].limit;
    assert!(
        matches!(limit, Limit::Index { name, wcu: 200 } if name == "by-mail"),
        "{limit:?}"
    );
    let best = report.ranking().best().unwrap();
    assert!((14.0..17.5).contains(&best.seconds), "{}", best.seconds);
    assert!(report.text(&[]).contains("index by-mail"));
}

#[test]
fn a_large_load_is_scaled_up_from_its_sample() {
    let report = tuned("--wcu 1000 --latency 8ms --rows 1000000 --minutes 0.2");
    let best = report.ranking().best().unwrap();
    assert!(best.trial.applied <= 12_000);
    assert!((990.0..1_060.0).contains(&best.seconds), "{}", best.seconds);
    let text = report.text(&[]);
    assert!(text.contains("12,000 of them are simulated"), "{text}");
}

#[test]
fn one_seed_gives_one_report() {
    let words = "--wcu 500 --latency 5ms..25ms --rows 3000 --seed 7";
    assert_eq!(tuned(words).json(&[]), tuned(words).json(&[]));
}

#[test]
fn every_flag_of_the_recommended_command_exists() {
    let sources = [
        include_str!("../../../crates/dynasink-cli/src/args/mod.rs"),
        include_str!("../../../crates/dynasink-cli/src/args/writing.rs"),
        include_str!("../../../crates/dynasink-cli/src/reading.rs"),
    ];
    let fields = ["table", "rate", "concurrency", "readers", "dedup"];
    for field in fields {
        let declared = format!("pub(crate) {field}: ");
        assert!(
            sources.iter().any(|source| source.contains(&declared)),
            "--{field}"
        );
    }
}

#[test]
fn rows_of_mixed_row_groups_come_in_turns() {
    let report_rows = |order: &[dynasink::WriteOp]| {
        let ids = order
            .iter()
            .map(|op| String::from_utf8_lossy(op.item().json()).into_owned());
        ids.collect::<Vec<_>>()
    };
    let table = dynasink::TableSchema::builder("rows")
        .partition_key("id", dynasink::KeyType::N)
        .build()
        .unwrap();
    let ops: Vec<_> = (0..2_048)
        .map(|id| table.put_serde(&serde_json::json!({ "id": id })).unwrap())
        .collect();
    let sample = Sample::new(ops.clone(), [512; 4], 4, 2_048);
    assert_eq!(report_rows(&sample.in_order(1)), report_rows(&ops));
    let mixed = sample.in_order(2);
    assert_eq!(mixed.len(), 2_048);
    let first_of_turns: Vec<_> = report_rows(&mixed).into_iter().step_by(256).collect();
    let id = |id: u32| format!(r#"{{"id":{{"N":"{id}"}}}}"#);
    // The first row group and the one that is farthest from it, then the two between them.
    let expected = [0, 1_536, 256, 1_792, 512, 1_024, 768, 1_280].map(id);
    assert_eq!(first_of_turns, expected);
}

#[test]
fn a_thinned_sample_is_spread_over_each_row_group() {
    let table = dynasink::TableSchema::builder("weather")
        .partition_key("origin", dynasink::KeyType::N)
        .sort_key("hour", dynasink::KeyType::S)
        .build()
        .unwrap();
    // Two row groups, each sorted by its three airports.
    let op = |row: u32| {
        let item = serde_json::json!({ "hour": format!("{row:05}"), "origin": row / 3_000 });
        table.put_serde(&item).unwrap()
    };
    let ops: Vec<_> = (0..18_000).map(op).collect();
    for rows in [500, 600, 6_000, 17_999] {
        let thinned = Sample::new(ops.clone(), [9_000, 9_000], 1, 18_000).thinned(rows);
        let kept = thinned.ops().len();
        assert!((rows..=rows + 2).contains(&kept), "{kept} of {rows}");
        assert!((thinned.scale() * kept as f64 - 18_000.0).abs() < 1e-6);
        let mut of_origins = std::collections::BTreeMap::new();
        for op in thinned.ops() {
            *of_origins.entry(op.key().partition().to_vec()).or_insert(0) += 1;
        }
        let (least, most) = (of_origins.values().min(), of_origins.values().max());
        assert_eq!(of_origins.len(), 6, "of {rows} rows");
        assert!(most.unwrap() <= &(2 * least.unwrap()), "{of_origins:?}");
        let in_order = |pair: &[dynasink::WriteOp]| pair[0].item().json() < pair[1].item().json();
        assert!(thinned.ops().windows(2).all(in_order));
    }
}

#[test]
fn options_of_made_up_rows_are_not_passed_over_in_silence() {
    let planes = data("nycflights13_planes.parquet");
    let words = format!("--wcu 2000 --minutes 0.01 --source {planes}");
    let said = "not used, since rows are those of the source: --item-size, --rows";
    let report = tuned(&format!("{words} --item-size 700 --rows 5"));
    assert!(report.text(&[]).contains(said), "{}", report.text(&[]));
    assert!(!tuned(&words).text(&[]).contains("not used"));
    assert!(
        args("--wcu 10 --item-size 700 --rows 5")
            .unused()
            .is_empty()
    );
}

#[test]
fn plots_are_drawn_where_they_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let report = tuned("--wcu 500 --latency 8ms --rows 4000");
    let plots = draw(&report, folder.path()).unwrap();
    assert_eq!(plots.len(), 3);
    for plot in plots {
        let svg = std::fs::read_to_string(plot).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("polyline"), "{svg}");
    }
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = draw(&report, &file).unwrap_err();
    assert!(error.to_string().contains("--output"), "{error}");
}

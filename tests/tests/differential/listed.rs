//! The differences that are known, and who is right about each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// By the request, what the simulator answers and what a peer does.
pub(crate) type Observed = BTreeMap<String, [String; 2]>;

/// The file of known differences: one object for each, with the requests that show it.
#[derive(Debug)]
pub(crate) struct Listed(Vec<Value>);

/// The columns of the guide's table, and the members of the file.
const COLUMNS: [&str; 5] = ["request", "simulator", "dynoxide", "dynalite", "right"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential")
}

impl Listed {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(folder().join("differences.json")).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// The requests that `peer` is listed to answer in its own way, and both answers.
    fn of(&self, peer: &str) -> Observed {
        let mut listed = Observed::new();
        for difference in &self.0 {
            let Some(requests) = difference["answers"][peer].as_object() else {
                continue;
            };
            for (request, answers) in requests {
                let answer = |at: usize| answers[at].as_str().unwrap().to_owned();
                let earlier = listed.insert(request.clone(), [answer(0), answer(1)]);
                assert_eq!(earlier, None, "{request:?} is listed twice for {peer}");
            }
        }
        listed
    }

    /// Fails on a difference that is not listed and on a listed one that is not there.
    #[track_caller]
    pub(crate) fn assert_lists(&self, peer: &str, observed: &Observed) {
        let listed = self.of(peer);
        let names: BTreeSet<&String> = listed.keys().chain(observed.keys()).collect();
        let mut told = String::new();
        for name in names {
            let line = match (listed.get(name), observed.get(name)) {
                (listed, observed) if listed == observed => continue,
                (None, Some(answers)) => format!("not listed:   {name:?}: {}", json!(answers)),
                (Some(_), None) => format!("not there:    {name:?}"),
                (_, answers) => format!("listed other: {name:?}: {}", json!(answers)),
            };
            writeln!(told, "{line}").unwrap();
        }
        assert!(
            told.is_empty(),
            "the answers of the simulator and of {peer} differ otherwise than differences.json says:\n{told}"
        );
    }

    /// Fails unless the guide's table is what the file says.
    #[track_caller]
    pub(crate) fn assert_told_in_the_guide(&self) {
        let guide = folder().join("../../../docs/src/simulator.md");
        let guide = fs::read_to_string(guide).unwrap();
        let table = self.table();
        assert!(
            guide.contains(&table),
            "docs/src/simulator.md has another table than differences.json, which gives this:\n\n{table}"
        );
    }

    fn table(&self) -> String {
        let mut table = String::from(
            "| Request | Simulator | dynoxide | dynalite | Which is right, and why |\n| --- | --- | --- | --- | --- |\n",
        );
        for difference in &self.0 {
            let cells = COLUMNS.map(|column| difference[column].as_str().unwrap());
            writeln!(table, "| {} |", cells.join(" | ")).unwrap();
        }
        table
    }
}

//! Where the corpora are.

use std::env;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};

/// A file, and the name that the table has for it.
#[derive(Clone, Debug)]
pub(crate) struct CorpusFile {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl CorpusFile {
    /// The file of its keys, if it is encrypted.
    pub(crate) fn keys(&self) -> Option<PathBuf> {
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/keys");
        let key = if self.name.contains("/aes256/") {
            "aes256"
        } else {
            "aes128"
        };
        // Where the file does not store it, the prefix of what is authenticated is a secret more.
        let prefix = if self.name.contains("disable_aad_storage") {
            "_prefix"
        } else {
            ""
        };
        self.name
            .ends_with(".encrypted")
            .then(|| keys.join(format!("{key}{prefix}.toml")))
    }
}

/// The folders that can be read here.
#[derive(Debug)]
pub(crate) struct Corpora {
    files: Vec<CorpusFile>,
    /// The beginnings of the names of files that must all be there.
    whole: Vec<&'static str>,
}

impl Corpora {
    /// The folders that the environment names, and the files that are part of the project.
    pub(crate) fn find() -> Self {
        let mut files = Vec::new();
        let mut whole = Vec::new();
        if let Some(folder) = env::var_os("DYNASINK_EDGE_CORPUS") {
            walk(Path::new(&folder), "edge", &mut files);
            whole.push("edge/");
        }
        // Most of them are copies, and a few are here only.
        let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut kept = Vec::new();
        walk(
            &ours.join("../crates/dynasink-arrow/tests/data"),
            "edge",
            &mut kept,
        );
        kept.retain(|kept: &CorpusFile| files.iter().all(|file| file.name != kept.name));
        files.append(&mut kept);
        match env::var_os("DYNASINK_PARQUET_TESTING") {
            Some(folder) => {
                walk(Path::new(&folder), "parquet-testing", &mut files);
                whole.push("parquet-testing/");
            }
            None => announce("SKIPPED parquet-testing: DYNASINK_PARQUET_TESTING names no folder"),
        }
        assert!(!files.is_empty(), "there are no files");
        Self { files, whole }
    }

    /// Every file, in the order of their names.
    pub(crate) fn files(&self) -> &[CorpusFile] {
        &self.files
    }

    /// Whether a file of that name would have been found if it were there.
    pub(crate) fn holds_all_like(&self, name: &str) -> bool {
        self.whole.iter().any(|prefix| name.starts_with(prefix))
    }
}

fn walk(folder: &Path, name: &str, files: &mut Vec<CorpusFile>) {
    let entries = std::fs::read_dir(folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let own = path.file_name().unwrap().to_string_lossy().into_owned();
        let name = format!("{name}/{own}");
        if path.is_dir() {
            walk(&path, &name, files);
        } else if own.contains(".parquet") {
            files.push(CorpusFile { name, path });
        }
    }
}

/// Writes past the test harness, which hides what passing tests print.
pub(crate) fn announce(line: &str) {
    // Where standard error is closed, nobody is there to be told.
    let _told = writeln!(stderr(), "{line}");
}

//! Which files of a folder are read, by their names.

/// How the names end of files that can be read.
const ENDINGS: [&str; 7] = [
    ".parquet", ".parq", ".pq", ".arrow", ".arrows", ".feather", ".ipc",
];

/// What a file of a folder is, by its path below the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is read.
    Read,
    /// Its name says nothing, as those that Hive writes: its first bytes tell.
    Unknown,
    /// It is something else.
    PassOver,
    /// It shows that the folder is a table of a format whose log decides which files count.
    Table {
        format: &'static str,
        marker: &'static str,
    },
}

/// Judges the file at `path` below the folder that is read.
pub(super) fn verdict(path: &str) -> Verdict {
    if let Some(table) = table(path) {
        return table;
    }
    if path.split('/').any(is_hidden) {
        return Verdict::PassOver;
    }
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
        Verdict::Read
    } else if name.contains('.') || name.is_empty() {
        Verdict::PassOver
    } else {
        Verdict::Unknown
    }
}

/// Whether names like this are passed over: `_SUCCESS`, `_temporary`, `.crc`.
///
/// A partition column may start with an underscore: `_day=1` is none of them. Source: Spark's rule, in
/// `HadoopFSUtils.shouldFilterOutPathName`.
pub(super) fn is_hidden(name: &str) -> bool {
    // The two that lead elsewhere are no names.
    let special = name == "." || name == "..";
    !special && (name.starts_with('.') || (name.starts_with('_') && !name.contains('=')))
}

fn table(path: &str) -> Option<Verdict> {
    let of = |format, marker| Some(Verdict::Table { format, marker });
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        match part {
            "_delta_log" => return of("a Delta Lake", "_delta_log"),
            ".hoodie" => return of("an Apache Hudi", ".hoodie"),
            "metadata"
                if parts
                    .peek()
                    .is_some_and(|name| name.ends_with(".metadata.json")) =>
            {
                return of("an Apache Iceberg", "metadata/*.metadata.json");
            }
            _ => {}
        }
    }
    None
}

/// The folder of the table that `marker` was found in, at `path` below `root`.
pub(super) fn table_folder(root: &str, path: &str, marker: &str) -> String {
    let first = marker.split('/').next().unwrap_or(marker);
    let above: Vec<&str> = path.split('/').take_while(|part| *part != first).collect();
    [root.trim_end_matches('/')]
        .into_iter()
        .chain(above)
        .collect::<Vec<_>>()
        .join("/")
}

/// Whether a file that starts so can be read.
pub(super) fn is_known(head: &[u8]) -> bool {
    [b"PAR1" as &[u8], b"PARE", b"ARROW1"]
        .iter()
        .any(|magic| head.starts_with(magic))
}

/// Bytes that [`is_known`] wants.
pub(super) const HEAD: usize = 6;

/// The files that were passed over, for the message if no other was there.
#[derive(Debug, Default)]
pub(super) struct PassedOver {
    files: u64,
    first: Option<String>,
}

impl PassedOver {
    pub(super) fn add(&mut self, path: &str) {
        self.files += 1;
        self.first.get_or_insert_with(|| path.to_owned());
    }

    /// Why there is nothing to read where only these are.
    pub(super) fn reason(&self) -> String {
        let endings = ENDINGS.join(", ");
        match (&self.first, self.files) {
            (None, _) => "it has no files".to_owned(),
            (Some(first), 1) => format!("its one file, {first}, does not end in {endings}"),
            (Some(first), files) => {
                format!("none of its {files} files, such as {first}, ends in {endings}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_endings() {
        for path in [
            "a.parquet",
            "x/y/A.PARQUET",
            "p=1.5/part.snappy.parquet",
            "a.arrows",
            "_d=1/a.pq",
        ] {
            assert_eq!(verdict(path), Verdict::Read, "{path}");
        }
        for path in ["000000_0", "p=1.5/part-0"] {
            assert_eq!(verdict(path), Verdict::Unknown, "{path}");
        }
        for path in [
            "_SUCCESS",
            "_temporary/0/a.parquet",
            ".a.parquet.crc",
            ".git/a.parquet",
            "a.csv",
            "_metadata",
            "x/",
        ] {
            assert_eq!(verdict(path), Verdict::PassOver, "{path}");
        }
    }

    #[test]
    fn tables_with_a_log_are_recognised_at_any_depth() {
        for path in [
            "_delta_log/00000.json",
            "x/_delta_log/0.checkpoint.parquet",
            ".hoodie/hoodie.properties",
            "metadata/v1.metadata.json",
            "t/metadata/00000-uuid.metadata.json",
        ] {
            assert!(matches!(verdict(path), Verdict::Table { .. }), "{path}");
        }
        assert_eq!(verdict("metadata/a.parquet"), Verdict::Read);
    }

    #[test]
    fn a_table_is_named_by_its_own_folder() {
        let folder = table_folder("s3://b/root/", "x/y/_delta_log/0.json", "_delta_log");
        assert_eq!(folder, "s3://b/root/x/y");
        let folder = table_folder(
            "root",
            "metadata/v1.metadata.json",
            "metadata/*.metadata.json",
        );
        assert_eq!(folder, "root");
    }

    #[test]
    fn what_was_passed_over_is_said_where_there_is_nothing_else() {
        let mut passed_over = PassedOver::default();
        assert_eq!(passed_over.reason(), "it has no files");
        passed_over.add("a.csv");
        assert!(
            passed_over
                .reason()
                .starts_with("its one file, a.csv, does not end in .parquet")
        );
        passed_over.add("b.csv");
        assert!(
            passed_over
                .reason()
                .starts_with("none of its 2 files, such as a.csv, ends in")
        );
    }
}

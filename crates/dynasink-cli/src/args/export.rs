//! The command line of `dynasink export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dynasink::{Compression, ExportOptions, S3Uri};

use super::{DeadLetterArgs, DedupArg, KeyArgs, TargetArgs};
use crate::reading::Bytes;
use crate::source::SourceArgs;

/// Write the items as files that AWS imports itself, for where that is cheaper
///
/// The files are lines of DynamoDB JSON, mixed and compressed, in the folder `data` of the output, with a manifest and a
/// script that uploads and imports them. The source is read twice: an import applies rows of one key in any order, so that
/// one of them must be chosen before. An import makes a new table: where the one that is named is there already, the
/// script takes the name of another, `sh import-table.sh NEW-TABLE`, which is made with the capacity of that. Exit status: 0 every row is exported or superseded, 1 some rows are dead letters, 2
/// refused, 3 stopped, 130 interrupted; after these nothing is left of it.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The table that the items are for; without --partition-key it must be there, and its keys and indexes are taken
    #[arg(long, value_name = "NAME")]
    pub(crate) table: String,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// The folder to write to, which is empty or not there
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,

    /// What becomes of columns, as `dynasink mapping` prints it and you edit it
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,

    /// How files are compressed
    #[arg(long, value_enum, value_name = "gzip|zstd|none", default_value_t)]
    pub(crate) compression: CompressionArg,

    /// Bytes of a file before compression, at most 5GiB [default: 256MiB, or more if the files were too many]
    #[arg(long, value_name = "BYTES")]
    pub(crate) shard_size: Option<Bytes>,

    /// Memory in which items are mixed: the more, the less is left of the order of the source
    #[arg(long, value_name = "BYTES", default_value = "256MiB")]
    pub(crate) shuffle_memory: Bytes,

    /// Where in S3 the files will be, for the script
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    pub(crate) s3_uri: Option<S3Uri>,

    /// Which row of a key is exported [default: keep-last, or keep-greatest if the mapping has a version]
    #[arg(long, value_enum, value_name = "POLICY")]
    pub(crate) dedup: Option<DedupArg>,

    /// Print the report as one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten, next_help_heading = "New table")]
    pub(crate) keys: KeyArgs,

    #[command(flatten)]
    pub(crate) dead_letters: DeadLetterArgs,

    // The headings of these would stand above what follows them.
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompressionArg {
    /// By gzip
    #[default]
    Gzip,
    /// By zstd
    Zstd,
    /// Not at all
    None,
}

impl ExportArgs {
    pub(crate) fn options(&self) -> ExportOptions {
        let mut options = ExportOptions::new()
            .compression(match self.compression {
                CompressionArg::Gzip => Compression::Gzip,
                CompressionArg::Zstd => Compression::Zstd,
                CompressionArg::None => Compression::None,
            })
            .shuffle_bytes(usize::try_from(self.shuffle_memory.0).unwrap_or(usize::MAX));
        if let Some(bytes) = self.shard_size {
            options = options.file_bytes(bytes.0);
        }
        if let Some(place) = &self.s3_uri {
            options = options.place(place.clone());
        }
        options
    }
}

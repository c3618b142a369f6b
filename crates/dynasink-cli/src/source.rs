//! Where the rows come from, as the command line says it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use dynasink::{
    DecryptionKeys, FileSource, Filter, HivePartitions, SourceOptions, Sources, Stores,
};

use crate::aws;
use crate::failure::Failure;
use crate::reading::ReadingArgs;

/// Where the rows come from
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// Files, folders, patterns such as 'a/*/b-*.parquet', or URLs (s3, gs, az, http), read in this order
    #[arg(value_name = "SOURCE", help_heading = None::<&str>)]
    pub(crate) sources: Vec<OsString>,

    /// Read the sources that a text file lists too, one a line
    #[arg(long, value_name = "FILE", help_heading = "Source")]
    pub(crate) manifest: Vec<PathBuf>,

    /// Read these top-level columns only
    #[arg(
        long,
        value_name = "NAME,NAME",
        value_delimiter = ',',
        help_heading = "Source"
    )]
    pub(crate) columns: Vec<String>,

    /// Read the rows only of which this is true, such as "total >= 5 AND day = '2024-01-31' OR name IS NULL"
    #[arg(long = "where", value_name = "CONDITION", help_heading = "Source")]
    pub(crate) condition: Option<String>,

    /// A TOML file with the keys of encrypted Parquet files: see the guide to formats
    #[arg(long, value_name = "FILE", help_heading = "Source")]
    pub(crate) decryption_keys: Option<PathBuf>,

    /// What becomes of folders named column=value: nothing, columns of strings, or columns of integers and dates
    /// where all values are
    #[arg(
        long,
        value_name = "off|string|typed",
        default_value_t,
        help_heading = "Source"
    )]
    pub(crate) hive: HivePartitions,

    /// The endpoint of s3:// sources, if it is not that of AWS
    #[arg(long, value_name = "URL", help_heading = "Source")]
    pub(crate) source_endpoint_url: Option<String>,

    /// The region of the buckets of s3:// sources [default: from the profile or the environment]
    #[arg(long, value_name = "REGION", help_heading = "Source")]
    pub(crate) source_region: Option<String>,

    /// The profile of the AWS configuration files for s3:// sources
    #[arg(long, value_name = "NAME", help_heading = "Source")]
    pub(crate) source_profile: Option<String>,

    /// Sign no request for sources: for public buckets
    #[arg(long, help_heading = "Source", conflicts_with = "source_profile")]
    pub(crate) source_anonymous: bool,

    /// Pay for reading s3:// buckets whose owner wants that
    #[arg(long, help_heading = "Source")]
    pub(crate) source_requester_pays: bool,

    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
}

impl SourceArgs {
    /// Finds the files and reads their footers.
    pub(crate) async fn open(&self) -> Result<FileSource, Failure> {
        self.open_or([] as [&str; 0]).await
    }

    /// The same, or `others` if no files are named.
    pub(crate) async fn open_or<S: Into<OsString>>(
        &self,
        others: impl IntoIterator<Item = S>,
    ) -> Result<FileSource, Failure> {
        let names = if self.is_given() {
            self.sources.clone()
        } else {
            others.into_iter().map(Into::into).collect()
        };
        if names.is_empty() && self.manifest.is_empty() {
            return Err(Failure::refused_because(
                "there is nothing to read: name files, folders, patterns or URLs, or give --manifest",
            ));
        }
        let refused = |error| Failure::refused(&error);
        // What is wrong here shows without any file.
        let options = self.options()?;
        let sources = names.iter().collect::<Sources>();
        let sources = self
            .manifest
            .iter()
            .fold(sources, Sources::with_manifest)
            .with_partitions(self.hive);
        let reads_s3 = sources.reads_s3().await.map_err(refused)?;
        let files = sources
            .with_stores(self.stores(reads_s3).await)
            .locate()
            .await
            .map_err(refused)?;
        FileSource::of(files, options).await.map_err(refused)
    }

    /// Whether files are named.
    pub(crate) fn is_given(&self) -> bool {
        !self.sources.is_empty() || !self.manifest.is_empty()
    }

    fn options(&self) -> Result<SourceOptions, Failure> {
        let refused = |error| Failure::refused(&error);
        let mut options = self.reading.options();
        if !self.columns.is_empty() {
            options = options.with_columns(&self.columns);
        }
        if let Some(condition) = &self.condition {
            options = options.with_filter(Filter::parse(condition).map_err(refused)?);
        }
        if let Some(file) = &self.decryption_keys {
            options = options.with_decryption_keys(DecryptionKeys::load(file).map_err(refused)?);
        }
        Ok(options)
    }

    async fn stores(&self, reads_s3: bool) -> Stores {
        let mut stores = Stores::new()
            .with_anonymous(self.source_anonymous)
            .with_requester_pays(self.source_requester_pays);
        if let Some(url) = &self.source_endpoint_url {
            stores = stores.with_endpoint_url(url);
        }
        // Whoever reads no S3 is not kept waiting for its region and credentials to be found.
        if !reads_s3 {
            return stores;
        }
        let profile = self.source_profile.as_deref();
        let config = aws::config(profile, self.source_region.as_deref())
            .load()
            .await;
        if let Some(region) = config.region() {
            stores = stores.with_region(region.as_ref());
        }
        match aws::store_credentials(&config) {
            Some(credentials) if !self.source_anonymous => stores.with_aws_credentials(credentials),
            _ => stores,
        }
    }
}

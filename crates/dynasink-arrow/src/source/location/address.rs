//! What a source is, by how it is written: a path, or a URL of an object store.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use url::Url;

use super::stores::Stores;
use crate::error::{Error, Result};

/// The schemes that are known. That of local files has no store.
const SCHEMES: &[(&str, Option<Scheme>)] = &[
    ("s3", Some(Scheme::S3)),
    ("s3a", Some(Scheme::S3)),
    ("gs", Some(Scheme::Gcs)),
    ("az", Some(Scheme::Azure)),
    ("azure", Some(Scheme::Azure)),
    ("abfs", Some(Scheme::Azure)),
    ("abfss", Some(Scheme::Azure)),
    ("http", Some(Scheme::Http)),
    ("https", Some(Scheme::Http)),
    ("file", None),
];
/// How alike two schemes must be, from 0 to 1, for one to be meant by the other.
const ALIKE: f64 = 0.6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    S3,
    Gcs,
    Azure,
    Http,
    /// One that somebody else knows.
    Registered,
}

/// Where a source says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Local(PathBuf),
    Store(StoreUrl),
}

/// A URL of an object store. Its key is as it is written, without any decoding, as in the AWS CLI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoreUrl {
    pub(super) scheme: Scheme,
    /// The URL up to the bucket or container, without a slash at its end: `s3://bucket`.
    pub(super) bucket: String,
    /// What follows it.
    pub(super) key: String,
}

impl StoreUrl {
    /// The URL of an object, or of the start of some, as messages have it.
    pub(super) fn name_of(&self, key: &str) -> String {
        if key.is_empty() {
            self.bucket.clone()
        } else {
            format!("{}/{key}", self.bucket)
        }
    }

    /// Itself as messages have it: without what gives access to it.
    pub(super) fn name(&self) -> String {
        match self.scheme {
            Scheme::Http => public_part(&self.name_of(&self.key)),
            _ => self.name_of(&self.key),
        }
    }
}

impl Address {
    pub(super) fn is_s3(&self) -> bool {
        matches!(self, Self::Store(url) if url.scheme == Scheme::S3)
    }

    /// Understands `source`; paths are relative to `folder`.
    pub(super) fn parse(source: &OsStr, folder: Option<&Path>, stores: &Stores) -> Result<Self> {
        let local = || {
            let path = Path::new(source);
            folder.map_or_else(|| path.to_path_buf(), |folder| folder.join(path))
        };
        let Some(text) = source.to_str() else {
            return Ok(Self::Local(local()));
        };
        let refused = |reason: String| {
            Err(Error::SourceName {
                source_name: text.to_owned(),
                reason,
            })
        };
        if text.is_empty() {
            return refused("a source is a file, a folder, a pattern or a URL".to_owned());
        }
        if text == "-" {
            return refused(
                "a Parquet file cannot be read from standard input, since its footer comes last: name a file"
                    .to_owned(),
            );
        }
        if let Some(prefix) = stores.registered_prefix(text) {
            let key = text.strip_prefix(prefix).unwrap_or_default();
            return Ok(Self::Store(StoreUrl {
                scheme: Scheme::Registered,
                bucket: prefix.to_owned(),
                key: key.strip_prefix('/').unwrap_or(key).to_owned(),
            }));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return match almost_a_url(text) {
                Some(meant) if !local().exists() => {
                    refused(format!("there is no such file; is {meant:?} meant?"))
                }
                _ => Ok(Self::Local(local())),
            };
        };
        let lower = scheme.to_ascii_lowercase();
        let Some((_, known)) = SCHEMES.iter().find(|(name, _)| *name == lower) else {
            return refused(unknown_scheme(&lower));
        };
        match known {
            None => match Url::parse(text)
                .ok()
                .and_then(|url| url.to_file_path().ok())
            {
                Some(path) => Ok(Self::Local(path)),
                None => refused(
                    "a file URL has a whole path and no host: write file:///folder/file.parquet"
                        .to_owned(),
                ),
            },
            Some(known) => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return refused(format!("the URL has no {}", known.bucket_word()));
                }
                Ok(Self::Store(StoreUrl {
                    scheme: *known,
                    bucket: format!("{lower}://{bucket}"),
                    key: key.to_owned(),
                }))
            }
        }
    }
}

impl Scheme {
    /// What the part after the scheme is called.
    fn bucket_word(self) -> &'static str {
        match self {
            Self::S3 | Self::Gcs => "bucket",
            Self::Azure => "container",
            Self::Http | Self::Registered => "host",
        }
    }

    /// The feature that reads it.
    pub(super) fn feature(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Azure => "azure",
            Self::Http | Self::Registered => "http",
        }
    }
}

/// The URL without its query, fragment, user and password, any of which may be a secret.
pub(super) fn public_part(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        return url.split(['?', '#']).next().unwrap_or_default().to_owned();
    };
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs that cannot have them.
    let _without_user = url.set_username("");
    let _without_password = url.set_password(None);
    url.into()
}

fn unknown_scheme(scheme: &str) -> String {
    // The provider's own name is no scheme, and not near enough to be found.
    let nearest = if scheme == "gcs" {
        Some("gs")
    } else {
        SCHEMES
            .iter()
            .map(|(name, _)| (strsim::jaro_winkler(scheme, name), *name))
            .filter(|(alike, _)| *alike >= ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, name)| name)
    };
    let meant = nearest.map_or_else(String::new, |name| format!("; is {name}:// meant?"));
    format!(
        "{scheme}:// is not known{meant} Known are s3://, gs://, az://, abfs://, http://, https:// and file://"
    )
}

/// The URL that `text` would be, were its slashes whole.
fn almost_a_url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once(':')?;
    let lower = scheme.to_ascii_lowercase();
    SCHEMES
        .iter()
        .any(|(name, _)| *name == lower)
        .then(|| format!("{lower}://{}", rest.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address> {
        Address::parse(OsStr::new(text), None, &Stores::new())
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_url_has_a_bucket_and_a_key_as_written() {
        let Address::Store(url) = parse("S3://bucket/a b/c%20d/*.parquet").unwrap() else {
            panic!("not a URL");
        };
        assert_eq!(url.scheme, Scheme::S3);
        assert_eq!(url.bucket, "s3://bucket");
        assert_eq!(url.key, "a b/c%20d/*.parquet");
        assert_eq!(url.name(), "s3://bucket/a b/c%20d/*.parquet");
    }

    #[test]
    fn a_mistyped_scheme_is_answered_with_the_one_that_is_meant() {
        assert!(message("s33://b/k").contains("is s3:// meant?"));
        assert!(message("gcs://b/k").contains("is gs:// meant?"));
        assert!(message("htps://h/k").contains("is https:// meant?"));
        let far = message("hdfs-xyz://h/k");
        assert!(
            !far.contains("meant") && far.contains("Known are s3://"),
            "{far}"
        );
        assert!(message("s3:/b/k").contains("is \"s3://b/k\" meant?"));
        assert!(message("s3:///k").contains("no bucket"));
    }

    #[test]
    fn paths_are_relative_to_the_folder_and_standard_input_is_refused() {
        let path = Address::parse(
            OsStr::new("b/c.parquet"),
            Some(Path::new("a")),
            &Stores::new(),
        )
        .unwrap();
        assert_eq!(path, Address::Local("a/b/c.parquet".into()));
        let url = parse("file:///a%20b/c.parquet").unwrap();
        assert_eq!(url, Address::Local("/a b/c.parquet".into()));
        assert!(message("-").contains("cannot be read from standard input"));
        assert!(message("file://host/a").contains("no host"));
    }

    #[test]
    fn what_gives_access_to_a_url_is_in_no_message() {
        let Address::Store(url) =
            parse("https://me:pass@host/a.parquet?X-Amz-Signature=1#x").unwrap()
        else {
            panic!("not a URL");
        };
        assert_eq!(url.name(), "https://host/a.parquet");
    }
}

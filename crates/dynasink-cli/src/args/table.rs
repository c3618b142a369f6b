//! Which table, where it is, and what it is to be like.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use dynasink::KeyType;

/// Where the table is
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// The endpoint, if it is not that of AWS
    #[arg(long, value_name = "URL", help_heading = "Target")]
    pub(crate) endpoint_url: Option<String>,

    /// The AWS region [default: from the profile or the environment]
    #[arg(long, value_name = "REGION", help_heading = "Target")]
    pub(crate) region: Option<String>,

    /// The profile of the AWS configuration files
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub(crate) profile: Option<String>,

    /// A DynamoDB-compatible store in this file, in place of AWS
    #[arg(long, value_name = "FILE", help_heading = "Target", conflicts_with_all = ["endpoint_url", "region", "profile"])]
    pub(crate) embedded: Option<PathBuf>,
}

/// The keys of a table that is not there yet
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The partition key of a table that is not there yet; its type is that of what becomes it, unless given
    #[arg(long, value_name = "NAME[:S|N|B]")]
    pub(crate) partition_key: Option<KeyArg>,

    /// The sort key of a table that is not there yet; its type is that of what becomes it, unless given
    #[arg(long, value_name = "NAME[:S|N|B]", requires = "partition_key")]
    pub(crate) sort_key: Option<KeyArg>,
}

/// A key attribute: `NAME`, or `NAME:S`, `NAME:N`, `NAME:B`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyArg {
    pub(crate) name: String,
    pub(crate) key_type: Option<KeyType>,
}

impl FromStr for KeyArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let typed = text.rsplit_once(':').and_then(|(name, descriptor)| {
            let types = [KeyType::S, KeyType::N, KeyType::B];
            Some((
                name,
                types
                    .into_iter()
                    .find(|key_type| key_type.descriptor() == descriptor)?,
            ))
        });
        let (name, key_type) = match typed {
            Some((name, key_type)) => (name, Some(key_type)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err("a key has a name".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            key_type,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_name_and_perhaps_a_type() {
        let key = |name: &str, key_type| KeyArg {
            name: name.to_owned(),
            key_type,
        };
        assert_eq!("id".parse(), Ok(key("id", None)));
        assert_eq!("id:N".parse(), Ok(key("id", Some(KeyType::N))));
        assert_eq!("a:b".parse(), Ok(key("a:b", None)));
        assert_eq!("a:b:S".parse(), Ok(key("a:b", Some(KeyType::S))));
        assert!(":S".parse::<KeyArg>().is_err());
        assert!("".parse::<KeyArg>().is_err());
    }
}

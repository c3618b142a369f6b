//! What a table that is not there yet is to be like.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Arg, Args, ValueEnum};

use super::table::KeyArgs;

/// The table to create if there is none
#[derive(Debug, Args)]
#[command(
    next_help_heading = "New table, with --create-table",
    mut_args(shape_needs_create_table)
)]
pub(crate) struct CreateArgs {
    /// Create the table if there is none of that name: on demand, unless --billing-mode says otherwise
    #[arg(long, requires = "partition_key")]
    pub(crate) create_table: bool,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,

    #[command(flatten)]
    pub(crate) new: NewTableArgs,
}

/// The table to create, besides its keys
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct NewTableArgs {
    #[command(flatten)]
    pub(crate) shape: TableShapeArgs,

    /// Make the global indexes of the new table once all rows are written
    ///
    /// The service makes them of the items that are there then, one after the other. Meanwhile no write draws on them. Local
    /// indexes are made with the table, since they cannot come later. The checkpoint keeps them in mind, so that a load that
    /// goes on makes them.
    #[arg(long, requires_all = ["create_table", "indexes", "checkpoint"])]
    pub(crate) defer_indexes: bool,

    /// The attribute by which items of the new table expire: seconds since 1970
    #[arg(long, value_name = "NAME", requires = "create_table")]
    pub(crate) ttl_attribute: Option<String>,

    /// Tag the new table; to be given once for each tag
    #[arg(long = "tag", value_name = "KEY=VALUE", requires = "create_table")]
    pub(crate) tags: Vec<TagArg>,

    /// Protect the new table from being deleted
    #[arg(long, requires = "create_table")]
    pub(crate) deletion_protection: bool,
}

/// What decides on the units and the time of a load into a table that is not there yet
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct TableShapeArgs {
    /// How the capacity of the new table is paid for [default: on-demand]
    #[arg(long, value_enum, value_name = "MODE", requires = "partition_key")]
    pub(crate) billing_mode: Option<BillingModeArg>,

    /// Write capacity units per second of the new table, if it is provisioned
    #[arg(long, value_name = "N", requires = "partition_key", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) wcu: Option<u64>,

    /// Read capacity units per second of the new table, if it is provisioned [default: 5]
    #[arg(long, value_name = "N", requires = "partition_key", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rcu: Option<u64>,

    /// Most write units per second of the new table, if it is on demand
    #[arg(long, value_name = "N", requires = "partition_key", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_wcu: Option<u64>,

    /// The indexes of the new table, as TOML or JSON: see the guide
    #[arg(long, value_name = "FILE", requires = "partition_key")]
    pub(crate) indexes: Option<PathBuf>,
}

impl NewTableArgs {
    /// Whether any of them is given.
    pub(crate) fn says_something(&self) -> bool {
        *self != Self::default()
    }
}

/// A load is told what a new table is like only when it makes one.
fn shape_needs_create_table(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "billing_mode" | "wcu" | "rcu" | "max_wcu" | "indexes" => arg.requires("create_table"),
        _ => arg,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BillingModeArg {
    /// By request
    OnDemand,
    /// By a rate that is set: --wcu and --rcu
    Provisioned,
}

/// `KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagArg {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for TagArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err("a tag is KEY=VALUE".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_key_and_what_follows_the_first_equals_sign() {
        let tag: TagArg = "team=a=b".parse().unwrap();
        assert_eq!((tag.key.as_str(), tag.value.as_str()), ("team", "a=b"));
        assert_eq!("empty=".parse::<TagArg>().unwrap().value, "");
        assert!("=x".parse::<TagArg>().is_err());
        assert!("x".parse::<TagArg>().is_err());
    }
}

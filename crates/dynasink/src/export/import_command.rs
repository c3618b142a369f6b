//! The command that imports an export.

use std::fmt;
use std::str::FromStr;

use dynasink_aws::{CapacitySettings, ProvisionedUnits, TableCapacity};
use dynasink_core::{IndexKind, IndexSchema, KeyAttribute, Projection, TableSchema};
use serde_json::{Value, json};

use super::ExportOptions;

/// A place in Amazon S3: `s3://bucket/prefix`.
///
/// ```
/// let place: dynasink::S3Uri = "s3://my-bucket/exports/planes/".parse()?;
/// assert_eq!(place.to_string(), "s3://my-bucket/exports/planes/");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Uri {
    bucket: String,
    /// Empty, or it ends with a slash.
    prefix: String,
}

impl FromStr for S3Uri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (bucket, prefix) = text
            .strip_prefix("s3://")
            .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
            .filter(|(bucket, _)| !bucket.is_empty())
            .ok_or("a place in S3 is one such as s3://bucket/prefix")?;
        let prefix = prefix.trim_matches('/');
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: match prefix {
                "" => String::new(),
                prefix => format!("{prefix}/"),
            },
        })
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// A shell script that uploads the files in `data` to their place and imports them into a new table like `table`.
///
/// The new table has the capacity of one that exists, and is on demand where none does. It has the global indexes of
/// `table`, and no local ones: an import makes none.
///
/// Source: API reference, `ImportTable` and `TableCreationParameters`.
pub(super) fn import_script(table: &TableSchema, options: &ExportOptions, data: &str) -> String {
    let place = options.place.as_ref();
    let to_fill_in = S3Uri {
        bucket: "BUCKET".to_owned(),
        prefix: "PREFIX/".to_owned(),
    };
    let fill_in = match place {
        Some(_) => "",
        None => "# Put the bucket and the prefix in the place of BUCKET and PREFIX.\n",
    };
    let locals = table
        .indexes()
        .iter()
        .filter(|index| index.kind() == IndexKind::Local);
    let locals = locals.map(|index| {
        let name = index.name();
        format!("# ImportTable makes no local indexes: {name} will be missing.\n")
    });
    let locals = locals.collect::<Vec<_>>().concat();
    let place = place.unwrap_or(&to_fill_in);
    // Of an ARN it is the last part.
    let name = table.name().as_str();
    let name = name.rsplit('/').next().unwrap_or(name);
    let new_name = match options.existing {
        Some(_) => format!(
            "# ImportTable makes a new table, and {name} is there: give the name of the new one.\n\
             TABLE=${{1:?give the name of the new table: {name} is there}}\n"
        ),
        None => format!("TABLE=${{1:-{name}}}\n"),
    };
    let source = json!({ "S3Bucket": place.bucket, "S3KeyPrefix": place.prefix });
    let parameters = creation_parameters(table, options.existing.as_ref());
    // The name is the shell's to fill in.
    let named = r#"{"TableName":"'"$TABLE"'","#;
    let parameters = quoted(&parameters.to_string()).replacen('{', named, 1);
    format!(
        "#!/bin/sh\n\
         # Uploads the files to S3 and imports them into a new table.\n\
         # The new table is the first argument of this script.\n\
         {fill_in}{locals}set -eu\n\
         {new_name}\
         cd \"$(dirname \"$0\")\"\n\
         aws s3 cp {data}/ {uri} --recursive\n\
         aws dynamodb import-table \\\n  \
         --s3-bucket-source {source} \\\n  \
         --input-format DYNAMODB_JSON \\\n  \
         --input-compression-type {compression} \\\n  \
         --table-creation-parameters {parameters}\n",
        uri = quoted(&place.to_string()),
        source = quoted(&source.to_string()),
        compression = options.compression.import_type(),
    )
}

/// The table, as `ImportTable` creates it, but for its name.
fn creation_parameters(table: &TableSchema, capacity: Option<&CapacitySettings>) -> Value {
    let global = || {
        table
            .indexes()
            .iter()
            .filter(|index| index.kind() == IndexKind::Global)
    };
    let mut definitions: Vec<&KeyAttribute> = Vec::new();
    for key in table.keys().chain(global().flat_map(IndexSchema::keys)) {
        if definitions.iter().all(|known| known.name() != key.name()) {
            definitions.push(key);
        }
    }
    let mut parameters = json!({
        "AttributeDefinitions": definitions
            .iter()
            .map(|key| json!({ "AttributeName": key.name(), "AttributeType": key.key_type().descriptor() }))
            .collect::<Vec<_>>(),
        "KeySchema": key_schema(table.keys(), 1),
    });
    match capacity.map(|capacity| capacity.table) {
        Some(TableCapacity::Provisioned(units)) => {
            parameters["BillingMode"] = "PROVISIONED".into();
            parameters["ProvisionedThroughput"] = provisioned(units);
        }
        Some(TableCapacity::OnDemand {
            max_read,
            max_write,
        }) => {
            parameters["BillingMode"] = "PAY_PER_REQUEST".into();
            let most = [
                ("MaxReadRequestUnits", max_read),
                ("MaxWriteRequestUnits", max_write),
            ];
            for (name, units) in most {
                if let Some(units) = units {
                    parameters["OnDemandThroughput"][name] = units.into();
                }
            }
        }
        None => parameters["BillingMode"] = "PAY_PER_REQUEST".into(),
    }
    let indexes: Vec<_> = global()
        .map(|index| {
            let mut parameters = json!({
                "IndexName": index.name(),
                "KeySchema": key_schema(index.keys().iter(), index.partition_keys()),
                "Projection": projection(index.projection()),
            });
            let units = capacity.and_then(|capacity| capacity.indexes.get(index.name()));
            if let Some(units) = units {
                parameters["ProvisionedThroughput"] = provisioned(*units);
            }
            parameters
        })
        .collect();
    if !indexes.is_empty() {
        parameters["GlobalSecondaryIndexes"] = indexes.into();
    }
    parameters
}

fn provisioned(units: ProvisionedUnits) -> Value {
    json!({ "ReadCapacityUnits": units.read, "WriteCapacityUnits": units.write })
}

#[expect(
    single_use_lifetimes,
    reason = "an anonymous lifetime is not stable here"
)]
fn key_schema<'k>(
    keys: impl Iterator<Item = &'k KeyAttribute>,
    partition_keys: usize,
) -> Vec<Value> {
    keys.enumerate()
        .map(|(at, key)| {
            let role = if at < partition_keys { "HASH" } else { "RANGE" };
            json!({ "AttributeName": key.name(), "KeyType": role })
        })
        .collect()
}

fn projection(projection: &Projection) -> Value {
    match projection {
        Projection::All => json!({ "ProjectionType": "ALL" }),
        Projection::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
        Projection::Include(_) => json!({
            "ProjectionType": "INCLUDE",
            "NonKeyAttributes": projection.included().collect::<Vec<_>>(),
        }),
    }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use dynasink_core::KeyType;

    use super::*;
    use crate::export::Compression;

    #[test]
    fn the_script_names_bucket_compression_and_all_that_the_table_has() {
        let table = TableSchema::builder("it-s")
            .partition_key("it's", KeyType::S)
            .sort_key("n", KeyType::N)
            .index(
                "by-mail",
                IndexKind::Global,
                [("mail", KeyType::S)],
                [("n", KeyType::N)],
                None,
            )
            .projecting("by-mail", Projection::KeysOnly)
            .index(
                "by-day",
                IndexKind::Local,
                [("it's", KeyType::S)],
                [("day", KeyType::S)],
                None,
            )
            .build()
            .unwrap();
        let place = "s3://b/some/where".parse().unwrap();
        let options = ExportOptions::new()
            .compression(Compression::Zstd)
            .place(place);
        let script = import_script(&table, &options, "data");
        assert!(script.contains("\nTABLE=${1:-it-s}\n"), "{script}");
        assert!(
            script.contains(r#"parameters '{"TableName":"'"$TABLE"'","AttributeDefinitions""#),
            "{script}"
        );
        assert!(script.contains("--input-compression-type ZSTD"), "{script}");
        assert!(
            script.contains(r#"'{"S3Bucket":"b","S3KeyPrefix":"some/where/"}'"#),
            "{script}"
        );
        assert!(
            script.contains("aws s3 cp data/ 's3://b/some/where/' --recursive"),
            "{script}"
        );
        assert!(script.contains("no local indexes: by-day"), "{script}");
        assert!(script.contains(r#""AttributeName":"it'\''s""#), "{script}");
        let expected = json!({
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                { "AttributeName": "it's", "AttributeType": "S" },
                { "AttributeName": "n", "AttributeType": "N" },
                { "AttributeName": "mail", "AttributeType": "S" },
            ],
            "KeySchema": [
                { "AttributeName": "it's", "KeyType": "HASH" },
                { "AttributeName": "n", "KeyType": "RANGE" },
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-mail",
                "KeySchema": [
                    { "AttributeName": "mail", "KeyType": "HASH" },
                    { "AttributeName": "n", "KeyType": "RANGE" },
                ],
                "Projection": { "ProjectionType": "KEYS_ONLY" },
            }],
        });
        assert_eq!(creation_parameters(&table, None), expected);
    }

    #[test]
    fn a_table_that_exists_is_made_again_under_another_name_with_its_capacity() {
        let table = TableSchema::builder("planes")
            .partition_key("id", KeyType::S)
            .index(
                "by-maker",
                IndexKind::Global,
                [("maker", KeyType::S)],
                [],
                None,
            )
            .build()
            .unwrap();
        let units = |write| ProvisionedUnits { read: 5, write };
        let capacity = CapacitySettings {
            table: TableCapacity::Provisioned(units(100)),
            indexes: [("by-maker".to_owned(), units(20))].into(),
        };
        let parameters = creation_parameters(&table, Some(&capacity));
        assert_eq!(parameters["BillingMode"], "PROVISIONED");
        assert_eq!(
            parameters["ProvisionedThroughput"]["WriteCapacityUnits"],
            100
        );
        let index = &parameters["GlobalSecondaryIndexes"][0];
        assert_eq!(index["ProvisionedThroughput"]["WriteCapacityUnits"], 20);

        let options = ExportOptions::new().existing(capacity);
        let script = import_script(&table, &options, "data");
        assert!(script.contains("\nTABLE=${1:?give the name"), "{script}");
    }

    #[test]
    fn a_place_without_a_bucket_is_none() {
        for wrong in ["", "bucket", "s3://", "s3:///prefix", "https://b/p"] {
            assert!(wrong.parse::<S3Uri>().is_err(), "{wrong}");
        }
        assert_eq!("s3://b".parse::<S3Uri>().unwrap().to_string(), "s3://b/");
    }
}

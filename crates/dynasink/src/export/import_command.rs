//! The command that imports an export.

use std::fmt;
use std::str::FromStr;

use dynasink_core::{IndexKind, IndexSchema, KeyAttribute, Projection, TableSchema};
use serde_json::{Value, json};

use super::Compression;

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

/// A shell script that uploads the files in `data` to `place` and imports them into a new table like `table`.
///
/// The table is on demand, has the global indexes of `table`, and no local ones: an import makes none.
///
/// Source: API reference, `ImportTable` and `TableCreationParameters`.
pub(super) fn import_script(
    table: &TableSchema,
    compression: Compression,
    data: &str,
    place: Option<&S3Uri>,
) -> String {
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
    let source = json!({ "S3Bucket": place.bucket, "S3KeyPrefix": place.prefix });
    let parameters = creation_parameters(table);
    format!(
        "#!/bin/sh\n\
         # Uploads the files to S3 and imports them into a new table.\n\
         {fill_in}{locals}set -eu\n\
         cd \"$(dirname \"$0\")\"\n\
         aws s3 cp {data}/ {uri} --recursive\n\
         aws dynamodb import-table \\\n  \
         --s3-bucket-source {source} \\\n  \
         --input-format DYNAMODB_JSON \\\n  \
         --input-compression-type {compression} \\\n  \
         --table-creation-parameters {parameters}\n",
        uri = quoted(&place.to_string()),
        source = quoted(&source.to_string()),
        compression = compression.import_type(),
        parameters = quoted(&parameters.to_string()),
    )
}

/// The table, as `ImportTable` creates it.
fn creation_parameters(table: &TableSchema) -> Value {
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
    // Of an ARN it is the last part.
    let name = table.name().as_str();
    let name = name.rsplit('/').next().unwrap_or(name);
    let mut parameters = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions
            .iter()
            .map(|key| json!({ "AttributeName": key.name(), "AttributeType": key.key_type().descriptor() }))
            .collect::<Vec<_>>(),
        "KeySchema": key_schema(table.keys(), 1),
    });
    let indexes: Vec<_> = global()
        .map(|index| {
            json!({
                "IndexName": index.name(),
                "KeySchema": key_schema(index.keys().iter(), index.partition_keys()),
                "Projection": projection(index.projection()),
            })
        })
        .collect();
    if !indexes.is_empty() {
        parameters["GlobalSecondaryIndexes"] = indexes.into();
    }
    parameters
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
        let script = import_script(&table, Compression::Zstd, "data", Some(&place));
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
            "TableName": "it-s",
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
        assert_eq!(creation_parameters(&table), expected);
    }

    #[test]
    fn a_place_without_a_bucket_is_none() {
        for wrong in ["", "bucket", "s3://", "s3:///prefix", "https://b/p"] {
            assert!(wrong.parse::<S3Uri>().is_err(), "{wrong}");
        }
        assert_eq!("s3://b".parse::<S3Uri>().unwrap().to_string(), "s3://b/");
    }
}

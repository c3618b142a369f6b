//! Any text is a mapping that its own TOML says again, or an error of one line. A mapping fits a schema or not.

#![no_main]

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use dynasink_arrow::Mapping;
use dynasink_arrow::spec::MappingSpec;
use dynasink_core::{KeyType, TableSchema};
use libfuzzer_sys::fuzz_target;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let element = Arc::new(field("item", DataType::Utf8));
    let address = Fields::from(vec![
        field("city", DataType::Utf8),
        field("zip", DataType::Int32),
    ]);
    Arc::new(Schema::new(vec![
        field("id", DataType::Int64),
        field("name", DataType::Utf8),
        field("price", DataType::Decimal128(9, 2)),
        field("at", DataType::Timestamp(TimeUnit::Microsecond, None)),
        field("day", DataType::Date32),
        field("op", DataType::Utf8),
        field("tags", DataType::List(element)),
        field("address", DataType::Struct(address)),
        field("bytes", DataType::Binary),
        field("ratio", DataType::Float64),
    ]))
});

static TABLES: LazyLock<[TableSchema; 2]> = LazyLock::new(|| {
    let table = TableSchema::builder("fuzzed");
    let one = table.clone().partition_key("id", KeyType::N);
    let two = table
        .partition_key("pk", KeyType::S)
        .sort_key("sk", KeyType::S);
    [one.build().unwrap(), two.build().unwrap()]
});

fuzz_target!(|text: &str| {
    match MappingSpec::from_toml("mapping.toml", text) {
        Ok(spec) => {
            let toml = spec.to_toml().unwrap();
            let again = MappingSpec::from_toml("mapping.toml", &toml);
            assert_eq!(again.unwrap(), spec, "{toml}");
            for table in TABLES.iter() {
                if let Err(error) = Mapping::new(&spec, &SCHEMA, table) {
                    assert!(!error.to_string().contains('\n'), "{error}");
                }
            }
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    }
});

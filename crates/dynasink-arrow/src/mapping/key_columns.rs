//! Which columns tell the keys of a table apart.

use super::Mapping;
use super::address::Place;
use super::attribute::Source;

impl Mapping {
    /// The columns of which the keys of the table are made so that rows which differ in one of them differ in their key.
    ///
    /// It need not be all columns of the key: one whose form the mapping names is left out, since two values may have
    /// one form, and so are fields of structs. Row groups that have no value of one of these columns in common have no
    /// key in common: see [`Interleave::ByKeys`](crate::Interleave::ByKeys).
    pub fn key_columns(&self) -> Vec<&str> {
        let keys = self.attributes().iter().take(self.table_keys());
        let places = keys.flat_map(|key| match key.source() {
            Source::Value(value) if !value.encoding.is_explicit() => vec![&value.place],
            Source::Template(source) => {
                let columns = source.template.columns().zip(&source.places);
                columns
                    .filter(|(column, _)| source.template.gives_back(column))
                    .map(|(_, place)| place)
                    .collect()
            }
            _ => Vec::new(),
        });
        places.filter_map(|place| self.column_at(place)).collect()
    }

    fn column_at(&self, place: &Place) -> Option<&str> {
        let field = self.schema().fields().get(place.column)?;
        place.fields.is_empty().then_some(field.name().as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{DataType, Field, Schema, TimeUnit};
    use dynasink_core::{KeyType, TableSchema};

    use super::*;
    use crate::mapping::spec::MappingSpec;

    fn key_columns(toml: &str) -> Vec<String> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("name", DataType::Utf8, false),
            Field::new(
                "at",
                DataType::Timestamp(TimeUnit::Millisecond, None),
                false,
            ),
        ]));
        let table = TableSchema::builder("users")
            .partition_key("pk", KeyType::S)
            .sort_key("sk", KeyType::S)
            .build()
            .unwrap();
        let spec = MappingSpec::from_toml("m.toml", toml).unwrap();
        let mapping = Mapping::new(&spec, &schema, &table).unwrap();
        mapping
            .key_columns()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn columns_that_are_keys_as_they_are_tell_them_apart() {
        let toml = "[columns.id]\nrename = \"pk\"\n[columns.at]\nrename = \"sk\"\n";
        assert_eq!(key_columns(toml), ["id", "at"]);
    }

    #[test]
    fn a_form_that_the_mapping_names_may_make_one_of_two_values() {
        let toml = "[columns.id]\nrename = \"pk\"\nas = \"S\"\n[columns.at]\nrename = \"sk\"\n";
        assert_eq!(key_columns(toml), ["at"]);
    }

    #[test]
    fn columns_of_a_template_count_if_its_text_gives_them_back() {
        let toml = "[attributes]\npk = \"U#{id}#{name}\"\nsk = \"{at:%Y-%m}\"\n";
        assert_eq!(key_columns(toml), ["id", "name"]);
    }
}

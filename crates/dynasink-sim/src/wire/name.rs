//! Tables by name or by ARN.

use dynasink_core::limits::{MAX_TABLE_ARN_CHARS, TABLE_NAME_CHARS};

/// What stands before the table's name in the ARN of a table that lies in memory only.
const ARN_PREFIX: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/";

/// The ARN of the table `name`. An ARN in the name's place stays as it is.
pub(crate) fn table_arn(name: &str) -> String {
    if is_arn(name) {
        name.to_owned()
    } else {
        format!("{ARN_PREFIX}{name}")
    }
}

/// The ARN of an index of the table `table`.
///
/// Source: *Service Authorization Reference*, "Resource types defined by Amazon DynamoDB".
pub(crate) fn index_arn(table: &str, index: &str) -> String {
    format!("{}/index/{index}", table_arn(table))
}

/// The name in `named`, which is a table's name or ARN.
pub(crate) fn table_name_of(named: &str) -> &str {
    if !is_arn(named) {
        return named;
    }
    named.split_once(":table/").map_or(named, |(_, name)| name)
}

/// Whether the service takes `named` for a table's name or ARN.
///
/// Source: API reference, `BatchWriteItem`: the name has 3 to 255 characters of `a-z A-Z 0-9 _ . -`.
pub(super) fn is_legal(named: &str) -> bool {
    let name = table_name_of(named);
    named.len() <= MAX_TABLE_ARN_CHARS
        && TABLE_NAME_CHARS.contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn is_arn(named: &str) -> bool {
    named.starts_with("arn:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_one_name_whichever_way_it_is_named() {
        let arn = table_arn("users");
        assert_eq!(arn, "arn:aws:dynamodb:us-east-1:000000000000:table/users");
        assert_eq!(table_arn(&arn), arn);
        assert_eq!(table_name_of(&arn), "users");
        assert_eq!(table_name_of("users"), "users");
        assert_eq!(
            table_name_of("arn:aws:dynamodb:eu-west-1:123456789012:table/users"),
            "users"
        );
        assert_eq!(
            index_arn("users", "by-mail"),
            format!("{arn}/index/by-mail")
        );
        assert_eq!(index_arn(&arn, "by-mail"), format!("{arn}/index/by-mail"));
    }

    #[test]
    fn a_name_is_legal_as_the_service_says() {
        let longest = "x".repeat(255);
        let arn = table_arn("abc");
        for named in ["abc", "a.b-c_9", &longest, &arn] {
            assert!(is_legal(named), "{named}");
        }
        let too_long = "x".repeat(256);
        let arn_of_index = index_arn("abc", "i");
        for named in [
            "",
            "ab",
            "a b",
            "tablé",
            &too_long,
            "arn:aws:x",
            &arn_of_index,
        ] {
            assert!(!is_legal(named), "{named}");
        }
        assert!(!is_legal(&table_arn(&too_long)));
        let arn_of = |bytes: usize| {
            let account = "1".repeat(bytes - "arn:aws:dynamodb:::table/abc".len());
            format!("arn:aws:dynamodb::{account}:table/abc")
        };
        assert!(is_legal(&arn_of(1024)));
        assert!(!is_legal(&arn_of(1025)));
    }
}

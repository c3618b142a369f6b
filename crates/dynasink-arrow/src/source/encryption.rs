//! The keys of encrypted Parquet files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::errors::ParquetError;
use toml::{Table, Value};

use super::survey::Encryption;
use crate::error::{Error, Result};

/// Lengths of AES keys, in bytes.
const KEY_LENGTHS: [usize; 3] = [16, 24, 32];

/// The keys of encrypted Parquet files: that of the footer, those of columns, and the prefix of the additional
/// authenticated data (AAD), if the files do not store it.
///
/// Columns that have no key of their own are encrypted with that of the footer. Files that are not encrypted are
/// read as they are.
///
/// The keys are never printed, not even by `Debug`.
///
/// ```
/// use dynasink_arrow::DecryptionKeys;
///
/// let keys = DecryptionKeys::new(b"0123456789012345")?
///     .with_column_key("card_number", b"1234567890123450")?
///     .with_aad_prefix(b"2024/orders");
/// assert!(!format!("{keys:?}").contains("0123"));
/// # Ok::<(), dynasink_arrow::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DecryptionKeys(Arc<Secrets>);

#[derive(Clone, PartialEq, Eq)]
struct Secrets {
    footer: Vec<u8>,
    columns: BTreeMap<String, Vec<u8>>,
    aad_prefix: Option<Vec<u8>>,
}

impl fmt::Debug for DecryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&String> = self.0.columns.keys().collect();
        f.debug_struct("DecryptionKeys")
            .field("columns", &columns)
            .finish_non_exhaustive()
    }
}

impl DecryptionKeys {
    /// The key of the footer, of 16, 24 or 32 bytes.
    ///
    /// # Errors
    ///
    /// [`Error::DecryptionKey`] if it has another length.
    pub fn new(footer_key: &[u8]) -> Result<Self> {
        Ok(Self(Arc::new(Secrets {
            footer: of_key_length("footer_key", footer_key)?,
            columns: BTreeMap::new(),
            aad_prefix: None,
        })))
    }

    /// Adds the key of a column, which is named by its path in the Parquet schema, such as `address.city` or
    /// `tags.list.element`.
    ///
    /// # Errors
    ///
    /// [`Error::DecryptionKey`] if it has another length than 16, 24 or 32 bytes.
    pub fn with_column_key(mut self, column: impl Into<String>, key: &[u8]) -> Result<Self> {
        let column = column.into();
        let key = of_key_length(&column, key)?;
        Arc::make_mut(&mut self.0).columns.insert(column, key);
        Ok(self)
    }

    /// Sets the prefix of the additional authenticated data, which ties a file to what it is of.
    #[must_use]
    pub fn with_aad_prefix(mut self, prefix: &[u8]) -> Self {
        Arc::make_mut(&mut self.0).aad_prefix = Some(prefix.to_vec());
        self
    }

    /// Reads the keys from a file:
    ///
    /// ```toml
    /// footer_key = { hex = "30313233343536373839303132333435" }
    /// aad_prefix = { text = "2024/orders" }
    ///
    /// [column_keys]
    /// card_number = { base64 = "MTIzNDU2Nzg5MDEyMzQ1MA==" }
    /// "address.city" = { hex = "31323334353637383930313233343531" }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::DecryptionFile`] if it cannot be read, is not TOML or has an entry that is wrong, which it names. It
    /// says nothing of a key but its name and its length.
    pub fn load(path: &Path) -> Result<Self> {
        let file = || path.to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).map_err(|error| Error::DecryptionFile {
            file: file(),
            reason: error.to_string(),
        })?;
        // What is wrong with a line might quote it.
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text
                .get(..start)
                .map_or(1, |before| before.lines().count().max(1));
            Error::DecryptionFile {
                file: file(),
                reason: format!("line {line} is not TOML"),
            }
        })?;
        Self::of_table(&table).map_err(|error| Error::DecryptionFile {
            file: file(),
            reason: error.to_string(),
        })
    }

    fn of_table(table: &Table) -> Result<Self> {
        let known = ["footer_key", "column_keys", "aad_prefix"];
        if let Some(unknown) = table.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(wrong(
                unknown,
                "there is no such entry: footer_key, column_keys and aad_prefix are",
            ));
        }
        let footer = table
            .get("footer_key")
            .ok_or_else(|| wrong("footer_key", "it is missing"))?;
        let mut keys = Self::new(&secret("footer_key", footer)?)?;
        if let Some(prefix) = table.get("aad_prefix") {
            keys = keys.with_aad_prefix(&secret("aad_prefix", prefix)?);
        }
        if let Some(columns) = table.get("column_keys") {
            let columns = columns
                .as_table()
                .ok_or_else(|| wrong("column_keys", "it is not a table"))?;
            for (column, key) in columns {
                keys = keys.with_column_key(column, &secret(column, key)?)?;
            }
        }
        Ok(keys)
    }
}

fn wrong(entry: &str, reason: impl Into<String>) -> Error {
    Error::DecryptionKey {
        entry: entry.to_owned(),
        reason: reason.into(),
    }
}

fn of_key_length(entry: &str, key: &[u8]) -> Result<Vec<u8>> {
    if KEY_LENGTHS.contains(&key.len()) {
        return Ok(key.to_vec());
    }
    Err(wrong(
        entry,
        format!("it has {} bytes, and keys have 16, 24 or 32", key.len()),
    ))
}

/// `{ hex = "…" }`, `{ base64 = "…" }` or `{ text = "…" }`.
fn secret(entry: &str, value: &Value) -> Result<Vec<u8>> {
    let form = || wrong(entry, "write it as { hex = \"…\" } or { base64 = \"…\" }");
    let table = value
        .as_table()
        .filter(|table| table.len() == 1)
        .ok_or_else(form)?;
    let (kind, text) = table.iter().next().ok_or_else(form)?;
    let text = text.as_str().ok_or_else(form)?;
    match kind.as_str() {
        "hex" => of_hex(text).ok_or_else(|| wrong(entry, "it is not hexadecimal")),
        "base64" => STANDARD
            .decode(text)
            .map_err(|_| wrong(entry, "it is not base64")),
        "text" => Ok(text.as_bytes().to_vec()),
        _ => Err(form()),
    }
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

/// `options` with the keys in them, if there are some. Files that are not encrypted are read without.
#[cfg_attr(
    not(feature = "encryption"),
    expect(
        clippy::unnecessary_wraps,
        reason = "keys can be wrong with the feature only"
    )
)]
pub(super) fn with_keys(
    options: ArrowReaderOptions,
    keys: Option<&DecryptionKeys>,
) -> Result<ArrowReaderOptions, ParquetError> {
    #[cfg(feature = "encryption")]
    if let Some(DecryptionKeys(keys)) = keys {
        use parquet::encryption::decrypt::FileDecryptionProperties;

        let mut properties = FileDecryptionProperties::builder(keys.footer.clone());
        for (column, key) in &keys.columns {
            properties = properties.with_column_key(column, key.clone());
        }
        if let Some(prefix) = &keys.aad_prefix {
            properties = properties.with_aad_prefix(prefix.clone());
        }
        return Ok(options.with_file_decryption_properties(properties.build()?));
    }
    #[cfg(not(feature = "encryption"))]
    let _: Option<&DecryptionKeys> = keys;
    Ok(options)
}

/// Refuses an encrypted file that cannot be decrypted, before the reader calls it damaged.
pub(super) fn check(
    file: &str,
    encryption: Encryption,
    keys: Option<&DecryptionKeys>,
) -> Result<()> {
    let file = file.to_owned();
    match (encryption, keys) {
        _ if !cfg!(feature = "encryption") => Err(Error::EncryptedFile {
            file,
            advice: "this build cannot decrypt, the feature \"encryption\" is left out: decrypt it first",
        }),
        (Encryption::AesGcmCtr, _) => Err(Error::EncryptedFile {
            file,
            advice: "its algorithm AES_GCM_CTR_V1 cannot be read: write it again with AES_GCM_V1",
        }),
        (Encryption::AesGcm, None) => Err(Error::EncryptedFile {
            file,
            advice: "give its keys, by --decryption-keys on the command line",
        }),
        (Encryption::WrappedKeys, None) => Err(Error::EncryptedFile {
            file,
            advice: "its keys are wrapped by a key management service (KMS), which is not asked: unwrap them and give them by --decryption-keys, or write it again with keys of your own",
        }),
        (Encryption::AesGcm | Encryption::WrappedKeys, Some(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<DecryptionKeys> {
        DecryptionKeys::of_table(&text.parse().unwrap())
    }

    const FOOTER: &str = "footer_key = { text = \"0123456789012345\" }\n";

    #[test]
    fn keys_are_written_in_hex_or_base64() {
        let keys = DecryptionKeys::new(b"0123456789012345").unwrap();
        for footer in [
            "hex = \"30313233343536373839303132333435\"",
            "base64 = \"MDEyMzQ1Njc4OTAxMjM0NQ==\"",
            "text = \"0123456789012345\"",
        ] {
            assert_eq!(of(&format!("footer_key = {{ {footer} }}")).unwrap(), keys);
        }
        let more = format!(
            "{FOOTER}aad_prefix = {{ text = \"p\" }}\n[column_keys]\n\"a.b\" = {{ hex = \"{}\" }}",
            "ab".repeat(32)
        );
        let keys = keys
            .with_aad_prefix(b"p")
            .with_column_key("a.b", &[0xab; 32])
            .unwrap();
        assert_eq!(of(&more).unwrap(), keys);
        assert_eq!(
            format!("{keys:?}"),
            "DecryptionKeys { columns: [\"a.b\"], .. }"
        );
    }

    #[test]
    fn what_is_wrong_names_the_entry_and_never_the_key() {
        for (text, entry) in [
            ("", "footer_key"),
            ("footer_key = \"SECRETSECRETSECR\"", "footer_key"),
            ("footer_key = { hex = \"SECRET\" }", "footer_key"),
            ("footer_key = { base64 = \"SECRET\" }", "footer_key"),
            ("footer_key = { text = \"SECRET\" }", "footer_key"),
            ("footer_key = { rot13 = \"SECRET\" }", "footer_key"),
            ("key = \"SECRET\"", "key"),
        ] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.contains(&format!("{entry:?}")), "{error}");
            assert!(!error.contains("SECRET"), "{error}");
        }
        let column = of(&format!(
            "{FOOTER}[column_keys]\nc = {{ text = \"SECRET\" }}"
        ));
        assert!(
            column
                .unwrap_err()
                .to_string()
                .contains("\"c\": it has 6 bytes")
        );
    }

    #[test]
    fn a_file_that_is_not_toml_is_told_by_its_line_and_not_quoted() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("keys.toml");
        std::fs::write(&path, format!("{FOOTER}footer_key = SECRET\n")).unwrap();
        let error = DecryptionKeys::load(&path).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains("line 2"), "{text}");
        assert!(!text.contains("SECRET"), "{text}");
        assert!(DecryptionKeys::load(&folder.path().join("none.toml")).is_err());

        std::fs::write(&path, "footer_key = { text = \"SECRET\" }\n").unwrap();
        let text = DecryptionKeys::load(&path).unwrap_err().to_string();
        assert!(text.starts_with(&*path.to_string_lossy()), "{text}");
        assert!(text.contains("\"footer_key\": it has 6 bytes"), "{text}");
    }

    #[test]
    fn an_encrypted_file_says_what_it_needs() {
        let advice =
            |encryption, keys| check("a", encryption, keys).map_err(|error| error.to_string());
        let keys = DecryptionKeys::new(&[0; 16]).unwrap();
        if cfg!(feature = "encryption") {
            assert_eq!(advice(Encryption::AesGcm, Some(&keys)), Ok(()));
            assert!(
                advice(Encryption::AesGcm, None)
                    .unwrap_err()
                    .contains("--decryption-keys")
            );
            assert!(
                advice(Encryption::WrappedKeys, None)
                    .unwrap_err()
                    .contains("key management service")
            );
            assert!(
                advice(Encryption::AesGcmCtr, Some(&keys))
                    .unwrap_err()
                    .contains("AES_GCM_CTR_V1")
            );
        } else {
            assert!(
                advice(Encryption::AesGcm, Some(&keys))
                    .unwrap_err()
                    .contains("feature")
            );
        }
    }
}

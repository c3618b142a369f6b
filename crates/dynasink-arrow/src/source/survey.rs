//! What a footer says that must be known before the reader takes it in.
//!
//! The reader builds, walks and drops schemas by recursion, so that a footer of a few kilobytes with thousands
//! of groups in one another would overflow the stack, which ends the process. It makes room for as many row groups
//! as a footer says it has, which may end the process too. And it calls an encrypted footer a damaged one. This walk
//! needs neither stack nor room.

/// Most groups in one another. A list takes two of them, and an item nests at most 31 lists and maps.
pub(super) const MAX_SCHEMA_DEPTH: usize = 256;
/// Most row groups that the reader takes, which numbers them in 15 bits.
pub(super) const MAX_ROW_GROUPS: u64 = 1 << 15;

/// What a footer says. One that is damaged counts up to where it is, since the reader stops there too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// Groups in one another.
    pub(super) depth: usize,
    pub(super) row_groups: u64,
    pub(super) encryption: Option<Encryption>,
}

/// How a file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    AesGcm,
    /// `AesGcm` by keys that a key management service has wrapped, in the file or in one beside it.
    WrappedKeys,
    AesGcmCtr,
}

impl Encryption {
    /// What the metadata of the footer's key adds, which is for the one who has the keys, and by
    /// `parquet-mr` and Arrow, where a key management service has them, key material in JSON.
    fn with_key_metadata(self, metadata: &[u8]) -> Self {
        match self {
            Self::AesGcm if metadata.starts_with(b"{") => Self::WrappedKeys,
            other => other,
        }
    }
}

impl Survey {
    /// Of a footer that can be read without a key.
    pub(super) fn of(footer: &[u8]) -> Self {
        let mut survey = Self::default();
        // A footer that ends too early is told by the reader; what was read until there counts.
        Compact(footer).file(&mut survey);
        survey
    }

    /// How an encrypted footer is encrypted, which it says before.
    pub(super) fn of_encrypted(footer: &[u8]) -> Option<Encryption> {
        let mut footer = Compact(footer);
        let mut id = 0;
        let mut encryption = None;
        // The metadata of the key comes after the algorithm, and need not be there.
        while let Some(Some(kind)) = footer.field(&mut id) {
            match (kind, id) {
                (STRUCT, CRYPTO_ALGORITHM) => encryption = Some(footer.algorithm()?),
                (BINARY, CRYPTO_KEY_METADATA) => {
                    let Some(metadata) = footer.binary() else {
                        break;
                    };
                    encryption = encryption.map(|it| it.with_key_metadata(metadata));
                }
                _ => {
                    if footer.skip(kind, 0).is_none() {
                        break;
                    }
                }
            }
        }
        encryption
    }
}

/// The groups that the walk is in, by how many of their children are still to come.
#[derive(Default)]
struct Depth {
    open: Vec<u64>,
}

impl Depth {
    fn element(&mut self, children: u64) {
        while self.open.pop_if(|left| *left == 0).is_some() {}
        if let Some(left) = self.open.last_mut() {
            *left -= 1;
        }
        if children > 0 {
            self.open.push(children);
        }
    }
}

/// What is left of a footer in Thrift's compact protocol. Methods return none at its end and where it is damaged.
///
/// Source: the Apache Thrift document *Thrift Compact protocol encoding*, and `parquet.thrift`.
struct Compact<'a>(&'a [u8]);

const I32: u8 = 5;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;
/// Types in one another that a footer has at most, and some to spare.
const MAX_TYPE_DEPTH: usize = 64;
/// `FileMetaData.schema`.
const SCHEMA: i64 = 2;
/// `FileMetaData.row_groups`.
const ROW_GROUPS: i64 = 4;
/// `FileMetaData.encryption_algorithm`.
const ENCRYPTION_ALGORITHM: i64 = 8;
/// `FileMetaData.footer_signing_key_metadata`.
const SIGNING_KEY_METADATA: i64 = 9;
/// `FileCryptoMetaData.encryption_algorithm`.
const CRYPTO_ALGORITHM: i64 = 1;
/// `FileCryptoMetaData.key_metadata`.
const CRYPTO_KEY_METADATA: i64 = 2;
/// `EncryptionAlgorithm.AES_GCM_CTR_V1`.
const AES_GCM_CTR: i64 = 2;
/// `SchemaElement.num_children`.
const NUM_CHILDREN: i64 = 5;

impl<'a> Compact<'a> {
    /// Walks over the whole footer, and over every schema that it has, though it should be one.
    fn file(&mut self, survey: &mut Survey) -> Option<()> {
        let mut id = 0;
        while let Some(kind) = self.field(&mut id)? {
            match (kind, id) {
                (LIST, SCHEMA) => self.schema(&mut survey.depth)?,
                (LIST, ROW_GROUPS) => {
                    let (kind, row_groups) = self.list()?;
                    survey.row_groups = survey.row_groups.max(row_groups);
                    (0..row_groups).try_for_each(|_| self.skip_element(kind, 0))?;
                }
                (STRUCT, ENCRYPTION_ALGORITHM) => survey.encryption = Some(self.algorithm()?),
                (BINARY, SIGNING_KEY_METADATA) => {
                    let metadata = self.binary()?;
                    let encryption = survey.encryption;
                    survey.encryption = encryption.map(|it| it.with_key_metadata(metadata));
                }
                _ => self.skip(kind, 0)?,
            }
        }
        Some(())
    }

    fn algorithm(&mut self) -> Option<Encryption> {
        let mut id = 0;
        let mut algorithm = Encryption::AesGcm;
        while let Some(kind) = self.field(&mut id)? {
            if id == AES_GCM_CTR {
                algorithm = Encryption::AesGcmCtr;
            }
            self.skip(kind, 0)?;
        }
        Some(algorithm)
    }

    fn schema(&mut self, deepest: &mut usize) -> Option<()> {
        let (kind, elements) = self.list()?;
        if kind != STRUCT {
            return None;
        }
        let mut depth = Depth::default();
        for _ in 0..elements {
            let mut children = 0;
            let mut id = 0;
            while let Some(kind) = self.field(&mut id)? {
                if kind == I32 && id == NUM_CHILDREN {
                    // Zigzag; what is negative has no children.
                    let number = self.varint()?;
                    children = if number & 1 == 0 { number >> 1 } else { 0 };
                } else {
                    self.skip(kind, 0)?;
                }
            }
            depth.element(children);
            *deepest = depth.open.len().max(*deepest);
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn pass(&mut self, bytes: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    fn binary(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.varint()?).ok()?;
        let (binary, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(binary)
    }

    /// The type of the next field of a struct, whose number goes to `id`; `Some(None)` at the struct's end.
    #[expect(
        clippy::option_option,
        reason = "the outer one is the end of the bytes, for `?`"
    )]
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let header = self.byte()?;
        if header == 0 {
            return Some(None);
        }
        *id = match header >> 4 {
            0 => {
                let zigzag = self.varint()?;
                (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed()
            }
            delta => id.checked_add(i64::from(delta))?,
        };
        Some(Some(header & 0xf))
    }

    /// The type and the number of the elements of a list.
    fn list(&mut self) -> Option<(u8, u64)> {
        let header = self.byte()?;
        let elements = match header >> 4 {
            15 => self.varint()?,
            few => u64::from(few),
        };
        Some((header & 0xf, elements))
    }

    fn skip_element(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            // Without a field header to be in, a boolean takes a byte.
            1 | 2 => self.pass(1),
            other => self.skip(other, depth + 1),
        }
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > MAX_TYPE_DEPTH {
            return None;
        }
        match kind {
            // Booleans are in the header of their field.
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.pass(8),
            BINARY => self.binary().map(|_| ()),
            LIST | 10 => {
                let (kind, elements) = self.list()?;
                (0..elements).try_for_each(|_| self.skip_element(kind, depth))
            }
            STRUCT => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
                Some(())
            }
            11 => {
                let entries = self.varint()?;
                let kinds = if entries == 0 { 0 } else { self.byte()? };
                for _ in 0..entries {
                    self.skip_element(kinds >> 4, depth)?;
                    self.skip_element(kinds & 0xf, depth)?;
                }
                Some(())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_left_when_its_children_have_come() {
        let deepest = |elements: &[u64]| {
            let mut depth = Depth::default();
            let depths = elements.iter().map(|&children| {
                depth.element(children);
                depth.open.len()
            });
            depths.max()
        };
        // root { a { x }, b { c { y } } }
        assert_eq!(deepest(&[2, 1, 0, 1, 1, 0]), Some(3));
        assert_eq!(deepest(&[4, 1, 0, 1, 0, 1, 0, 0]), Some(2));
    }

    #[test]
    fn row_groups_are_counted_as_the_footer_says_and_not_by_what_follows() {
        // version, num_rows, and a list of 2^31 - 1 row groups of which one is there, empty.
        let footer = b"\x15\x02\x26\x00\x19\xfc\xff\xff\xff\xff\x07\x00";
        let survey = Survey::of(footer);
        assert_eq!(survey.row_groups, (1 << 31) - 1);
        assert_eq!(survey.encryption, None);
    }

    #[test]
    fn a_footer_says_how_the_file_is_encrypted() {
        // num_rows, then as field 8 a union with its first or second field, which are empty structs.
        let footer = |field: u8| [0x36, 0x00, 0x5c, field << 4 | STRUCT, 0x00, 0x00, 0x00];
        assert_eq!(Survey::of(&footer(1)).encryption, Some(Encryption::AesGcm));
        assert_eq!(
            Survey::of(&footer(2)).encryption,
            Some(Encryption::AesGcmCtr)
        );
        let crypto = |field: u8| [0x1c, field << 4 | STRUCT, 0x00, 0x00, 0x00];
        assert_eq!(Survey::of_encrypted(&crypto(1)), Some(Encryption::AesGcm));
        assert_eq!(
            Survey::of_encrypted(&crypto(2)),
            Some(Encryption::AesGcmCtr)
        );
        assert_eq!(Survey::of_encrypted(b"\xff\xff"), None);
    }

    #[test]
    fn key_material_says_that_a_service_has_wrapped_the_keys() {
        // The algorithm, which is a union with its first field, then the metadata of the key and the end.
        let plain = |metadata: &[u8; 2]| {
            [b"\x36\x00\x5c\x1c\x00\x00\x18\x02", &metadata[..], b"\x00"].concat()
        };
        let crypto =
            |metadata: &[u8; 2]| [b"\x1c\x1c\x00\x00\x18\x02", &metadata[..], b"\x00"].concat();
        for (metadata, encryption) in [
            (b"{}", Encryption::WrappedKeys),
            (b"kf", Encryption::AesGcm),
        ] {
            assert_eq!(Survey::of(&plain(metadata)).encryption, Some(encryption));
            assert_eq!(Survey::of_encrypted(&crypto(metadata)), Some(encryption));
        }
    }
}

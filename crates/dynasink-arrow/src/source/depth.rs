//! How deep a schema nests, told before anything walks over it.
//!
//! The reader builds, walks and drops schemas by recursion, so that a footer of a few kilobytes with thousands
//! of groups in one another would overflow the stack, which ends the process. This walk needs no stack.

/// Most groups in one another. A list takes two of them, and an item nests at most 31 lists and maps.
pub(super) const MAX_SCHEMA_DEPTH: usize = 256;

/// Whether the schema of a footer nests deeper than [`MAX_SCHEMA_DEPTH`]. A footer that is damaged counts as flat up to
/// where it is, since the reader stops there too.
pub(super) fn is_too_deep(footer: &[u8]) -> bool {
    let mut deepest = 0;
    // A footer that ends too early is told by the reader; what was read until there counts.
    Compact(footer).schemas(&mut deepest);
    deepest > MAX_SCHEMA_DEPTH
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
const LIST: u8 = 9;
const STRUCT: u8 = 12;
/// Types in one another that a footer has at most, and some to spare.
const MAX_TYPE_DEPTH: usize = 64;
/// `FileMetaData.schema`.
const SCHEMA: i64 = 2;
/// `SchemaElement.num_children`.
const NUM_CHILDREN: i64 = 5;

impl Compact<'_> {
    /// Walks over every schema that the footer has, though it should be one.
    fn schemas(&mut self, deepest: &mut usize) -> Option<()> {
        let mut id = 0;
        while let Some(kind) = self.field(&mut id)? {
            if kind == LIST && id == SCHEMA {
                self.schema(deepest)?;
            } else {
                self.skip(kind, 0)?;
            }
        }
        Some(())
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
            8 => {
                let len = self.varint()?;
                self.pass(len)
            }
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
}

//! Items of an exact size.

use std::hash::Hasher;

use dynasink::{ItemEncoder, TableSchema, WriteOp};

/// Makes operations that put items of an exact size.
#[derive(Debug)]
pub(crate) struct OpMaker {
    table: TableSchema,
    encoder: ItemEncoder,
    filler: String,
}

/// Most bytes that an item may have.
///
/// Source: Developer Guide, *Quotas in Amazon DynamoDB*.
const MOST_BYTES: usize = 400 * 1024;

/// The characters of a number as [`OpMaker`] writes it: enough for any, and always as many.
const DIGITS: usize = 16;

impl OpMaker {
    pub(crate) fn new(table: &TableSchema) -> Self {
        Self {
            table: table.clone(),
            encoder: ItemEncoder::new(table),
            filler: "x".repeat(MOST_BYTES),
        }
    }

    /// Puts an item of `bytes` by the service's rule, and at least of those that its keys take up. Its keys are that
    /// partition and `sort`, and its entries in indexes lie anywhere.
    #[expect(
        clippy::expect_used,
        reason = "the keys and the size are within the service's limits by construction"
    )]
    pub(crate) fn op(&mut self, partition: &str, sort: u64, bytes: usize) -> WriteOp {
        let sort = digits(sort);
        let entry = digits(scattered(&sort));
        let indexes = self.table.indexes();
        let mut keys = "pk".len() + partition.len() + "sk".len() + sort.len();
        for index in indexes {
            keys += index.name().len() + DIGITS;
        }
        let filled = bytes.min(MOST_BYTES).saturating_sub(keys + "data".len());
        let filler = self.filler.get(..filled).unwrap_or_default();
        let item = self.encoder.item(|item| {
            item.attribute("pk")?.string(partition)?;
            item.attribute("sk")?.string(&sort)?;
            for index in indexes {
                item.attribute(index.name())?.string(&entry)?;
            }
            item.attribute("data")?.string(filler)
        });
        let item: Result<_, dynasink::ItemError> = item;
        item.and_then(|item| self.table.put(item))
            .expect("the item is within the limits")
    }
}

/// A number in the same count of characters as any other.
pub(super) fn digits(number: u64) -> String {
    format!("{number:0DIGITS$x}")
}

/// A number that has nothing to do with the order of the texts.
pub(super) fn scattered(text: &str) -> u64 {
    // FNV-1a, finished as splitmix64 is: short texts that differ little must land far apart.
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.write(text.as_bytes());
    let mut hash = hash.finish();
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;

    use super::*;

    #[test]
    fn items_have_the_size_that_was_asked_for() {
        let scenario: Scenario = "about = 'x'\n[table]\ncapacity = { provisioned = 5 }\n\
            [[table.index]]\nname = 'owner'\n[input]\nops = 1\nsize = 100\n"
            .parse()
            .unwrap();
        let mut maker = OpMaker::new(&scenario.table.schema().unwrap());
        for bytes in [100, 1024, 4096, MOST_BYTES] {
            let op = maker.op("0123456789abcdef", 7, bytes);
            assert_eq!(op.item().size(), bytes as u64);
        }
        assert_eq!(maker.op("p", 7, MOST_BYTES + 1).units().get(), 400);
    }
}

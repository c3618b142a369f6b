//! Files by numbers, for what is remembered of many rows.

use std::collections::HashMap;
use std::sync::Arc;

/// Gives each file the next number, from zero.
#[derive(Clone, Debug, Default)]
pub(super) struct FileNumbers {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl FileNumbers {
    /// The number of `file`, which it gets now if it has none.
    pub(super) fn number_of(&mut self, file: &str) -> u32 {
        if let Some(number) = self.get(file) {
            return number;
        }
        let (name, number) = (Arc::<str>::from(file), self.count());
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    /// The number of `file`, if it has one.
    pub(super) fn get(&self, file: &str) -> Option<u32> {
        self.numbers.get(file).copied()
    }

    /// The file of that number.
    pub(super) fn name(&self, number: u32) -> Option<&Arc<str>> {
        self.names.get(usize::try_from(number).ok()?)
    }

    /// All of them, in the order of their numbers.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// How many files have a number.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.names.len()).unwrap_or(u32::MAX)
    }
}

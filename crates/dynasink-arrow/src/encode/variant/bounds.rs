//! Whether the bytes of a VARIANT can be walked: the reader of the library recurses into them, however deep they
//! claim to be and however often they claim to hold the same part.

use super::super::refusal::Refusal;

/// How deep objects and arrays may stand in one another: far beyond the 32 that DynamoDB allows, and far from the
/// end of the stack.
const MAX_DEPTH: usize = 128;

const TOO_DEEP: Refusal =
    Refusal::OutOfRange("its VARIANT nests more than 128 objects and arrays in one another");
const OVERLAPPING: Refusal = Refusal::OutOfRange("the parts of its VARIANT overlap");

const OBJECT: u8 = 2;
const ARRAY: u8 = 3;

/// Checks that a walk over `value` ends, and soon. All else that may be wrong with it is not looked at.
pub(super) fn check(value: &[u8]) -> Result<(), Refusal> {
    let mut open = vec![(value, 0_usize)];
    // Each value has a byte of its own at least.
    let mut left = value.len();
    while let Some((value, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        left = left.checked_sub(1).ok_or(OVERLAPPING)?;
        for part in parts(value) {
            open.push((part, depth + 1));
            if open.len() > left {
                return Err(OVERLAPPING);
            }
        }
    }
    Ok(())
}

/// The values of an object or an array, each up to the end of `value`. None of what is no such thing.
fn parts(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    Container::of(value).into_iter().flat_map(|container| {
        let offsets = container.offsets.chunks_exact(container.offset_size);
        let parts = container.values;
        // The last offset is the end of the values.
        offsets
            .take(container.len)
            .filter_map(move |offset| parts.get(little_endian(offset)..))
    })
}

struct Container<'a> {
    len: usize,
    offset_size: usize,
    offsets: &'a [u8],
    values: &'a [u8],
}

impl<'a> Container<'a> {
    fn of(value: &'a [u8]) -> Option<Self> {
        let (&header, rest) = value.split_first()?;
        let size = |bits: u8| usize::from(bits & 0b11) + 1;
        let bits = header >> 2;
        let (offset_size, id_size, is_large) = match header & 0b11 {
            OBJECT => (size(bits), size(bits >> 2), bits >> 4 & 1 == 1),
            ARRAY => (size(bits), 0, bits >> 2 & 1 == 1),
            _ => return None,
        };
        let (len, rest) = rest.split_at_checked(if is_large { 4 } else { 1 })?;
        let len = little_endian(len);
        let rest = rest.get(len.checked_mul(id_size)?..)?;
        let (offsets, values) =
            rest.split_at_checked(len.checked_add(1)?.checked_mul(offset_size)?)?;
        Some(Self {
            len,
            offset_size,
            offsets,
            values,
        })
    }
}

fn little_endian(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | usize::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arrays in one another, around a null.
    fn nested(depth: usize) -> Vec<u8> {
        let mut value = vec![0];
        for _ in 0..depth {
            let end = u32::try_from(value.len()).unwrap().to_le_bytes();
            let mut outer = vec![ARRAY | 0b11 << 2, 1, 0, 0, 0, 0];
            outer.extend_from_slice(&end);
            outer.append(&mut value);
            value = outer;
        }
        value
    }

    #[test]
    fn a_value_is_as_deep_as_a_stack_can_take() {
        assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(check(&nested(MAX_DEPTH + 1)), Err(TOO_DEEP));
        assert_eq!(check(&nested(10_000)), Err(TOO_DEEP));
    }

    #[test]
    fn parts_that_are_held_twice_do_not_double_the_work_at_each_level() {
        // Objects whose two fields are the same object, forty deep.
        let mut value = vec![0];
        for _ in 0..40 {
            let end = u16::try_from(value.len()).unwrap().to_le_bytes();
            let mut outer = vec![OBJECT | 0b01 << 2, 2, 0, 1, 0, 0, 0, 0];
            outer.extend_from_slice(&end);
            outer.append(&mut value);
            value = outer;
        }
        assert_eq!(check(&value), Err(OVERLAPPING));
    }

    #[test]
    fn any_bytes_are_walked_to_an_end() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut walked = 0;
        for _ in 0..20_000 {
            let mut value = vec![0; random.usize(0..64)];
            random.fill(&mut value);
            walked += usize::from(check(&value).is_ok());
        }
        assert!(walked > 0);
    }
}

//! An item has one size: by the client that fills batches, by the simulator that charges for it, and by the embedded
//! store, which has a rule of its own for numbers.

use dynasink_core::{Error, Item, ItemEncoder, KeyType, Number, TableSchema, ValueEncoder};
use fastrand::Rng;
use serde_json::{Map, Value};

use crate::wire::size;

/// Deepest nesting of a random value.
const MAX_DEPTH: usize = 4;

fn text(rng: &mut Rng) -> String {
    const PARTS: [&str; 6] = ["", "a", "é", "😀", "\"\\\n\u{0}", "0123456789"];
    (0..rng.usize(..5)).map(|_| PARTS[rng.usize(..6)]).collect()
}

fn bytes(rng: &mut Rng) -> Vec<u8> {
    (0..rng.usize(..12)).map(|_| rng.u8(..)).collect()
}

fn number(rng: &mut Rng) -> Number {
    let digits = rng.usize(1..=38);
    let digits: String = (0..digits).map(|_| rng.digit(10)).collect();
    let sign = if rng.bool() { "-" } else { "" };
    let scale = rng.i32(-80..100);
    Number::parse_scaled(&format!("{sign}{digits}"), scale).unwrap()
}

/// Writes a random value, and counts the numbers in it.
fn write(
    rng: &mut Rng,
    depth: usize,
    numbers: &mut u64,
    value: ValueEncoder<'_>,
) -> Result<(), Error> {
    match rng.u8(..if depth < MAX_DEPTH { 10 } else { 8 }) {
        0 => value.string(&text(rng)),
        1 => value.binary(&bytes(rng)),
        2 => value.bool(rng.bool()),
        3 => value.null(),
        4 => {
            let members: Vec<String> = (0..rng.usize(1..4)).map(|at| format!("é{at}")).collect();
            value.string_set(members.iter().map(String::as_str))
        }
        5 => {
            let members: Vec<[u8; 2]> = (0..rng.u8(1..4)).map(|at| [at, 255]).collect();
            value.binary_set(members.iter().map(<[u8; 2]>::as_slice))
        }
        6 => {
            let members = rng.usize(1..4);
            *numbers += u64::try_from(members).unwrap();
            value.number_set((0..members).map(|at| format!("{at}.{at}5e{at}").parse().unwrap()))
        }
        7 => {
            *numbers += 1;
            value.number(&number(rng))
        }
        8 => {
            let mut list = value.list()?;
            (0..rng.usize(..4)).try_for_each(|_| write(rng, depth + 1, numbers, list.element()))
        }
        _ => {
            let mut map = value.map()?;
            (0..rng.usize(..4)).try_for_each(|at| {
                let name = format!("{at}é");
                write(rng, depth + 1, numbers, map.attribute(&name)?)
            })
        }
    }
}

/// A random item, and how many numbers it has.
fn item(rng: &mut Rng, encoder: &mut ItemEncoder) -> (Item, u64) {
    let mut numbers = 0;
    let item = encoder.item::<Error>(|map| {
        map.attribute("id")?.string("key")?;
        (0..rng.usize(..6)).try_for_each(|at| {
            let name = format!("attribute {at}");
            write(rng, 0, &mut numbers, map.attribute(&name)?)
        })
    });
    (item.unwrap(), numbers)
}

#[test]
fn the_client_the_simulator_and_the_store_count_the_same_bytes() {
    let table = TableSchema::builder("sizes").partition_key("id", KeyType::S);
    let mut encoder = ItemEncoder::new(&table.build().unwrap());
    let mut larger = 0;
    for seed in 0..3_000 {
        let (item, numbers) = item(&mut Rng::with_seed(seed), &mut encoder);
        let attributes: Map<String, Value> = serde_json::from_slice(item.json()).unwrap();
        assert_eq!(item.size(), size::of_attributes(&attributes), "seed {seed}");

        let stored: dynoxide::types::Item = serde_json::from_slice(item.json()).unwrap();
        let stored = u64::try_from(dynoxide::types::item_size(&stored)).unwrap();
        // The store pairs the digits of a number from the first on. For limits and prices the larger count is taken,
        // which pairs them around the point: it has at most one pair more.
        assert!(
            (stored..=stored + numbers).contains(&item.size()),
            "seed {seed}: {} and {stored} bytes with {numbers} numbers",
            item.size()
        );
        larger += u64::from(item.size() > stored);
    }
    assert!(larger > 0, "the two counts of numbers are told apart");
}

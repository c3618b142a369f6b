//! Whose a refusal is: the table's, an index's, or nobody's.

use dynasink_core::{CapacityFeedback, Throttle, ThrottleScope, WriteCost};

/// A resource that an answer may say something about, and how near to its capacity it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspect<'a> {
    /// Table and index; none for the tables themselves.
    pub(super) index: Option<(&'a str, &'a str)>,
    /// Consumption in about the last second over the known or estimated capacity; none if that is not known.
    pub(super) utilization: Option<f64>,
    /// Units that it has been charged of late for each predicted one.
    pub(super) price: f64,
}

/// An index that is charged less than this part of what is predicted holds next to nothing of the operations that it is
/// predicted for: deletes are predicted for all.
const NEXT_TO_NOTHING: f64 = 0.05;

/// Who is to blame for the refusals of `feedback`, by their places in `suspects`. The first suspect is the tables' own
/// capacity.
///
/// - Operations of hot partition keys are nobody's: a lower rate of all would not help them.
/// - Where the service gives reasons, they decide. A quota of the account is everybody's.
/// - Where it gives none, an index is to blame that holds all of the refused operations, if operations outside of it were
///   written. That much is seen in the predicted units.
///   An index that is charged next to nothing for them is not suspected.
/// - Else it is the suspect that is nearest to its capacity, of those that all of the refused operations draw on.
/// - Else it is the table.
pub(super) fn blamed(feedback: &CapacityFeedback, suspects: &[Suspect<'_>]) -> Vec<usize> {
    if feedback.throttled_ops <= feedback.hot_key_ops {
        return Vec::new();
    }
    if !feedback.throttles.is_empty() {
        let mut blamed: Vec<usize> = feedback
            .throttles
            .iter()
            .flat_map(|throttle| named(throttle, suspects))
            .collect();
        blamed.sort_unstable();
        blamed.dedup();
        return blamed;
    }
    // What failed for another reason is among the unwritten, and blurs the pattern.
    let holds_all = |index: (&str, &str)| {
        let refused = &feedback.unwritten;
        feedback.failed_ops == 0 && units_in(refused, index) == refused.units().get()
    };
    let is_charged = |place: usize| {
        let suspect = suspects.get(place);
        suspect.is_some_and(|suspect| suspect.price >= NEXT_TO_NOTHING)
    };
    let drawn_on: Vec<usize> = indexes(suspects)
        .filter(|(place, _)| is_charged(*place))
        .filter(|(_, index)| holds_all(*index))
        .map(|(place, _)| place)
        .collect();
    let spares_others = |place: &usize| {
        let index = suspects.get(*place).and_then(|suspect| suspect.index);
        let written = &feedback.written;
        index.is_some_and(|index| units_in(written, index) < written.units().get())
    };
    let certain = drawn_on.iter().copied().filter(spares_others);
    let culprit = nearest(certain, suspects, f64::NEG_INFINITY)
        .or_else(|| nearest(std::iter::once(TABLE).chain(drawn_on), suspects, 0.0));
    vec![culprit.unwrap_or(TABLE)]
}

/// The place of the tables' own capacity.
const TABLE: usize = 0;

fn indexes<'a>(
    suspects: &'a [Suspect<'a>],
) -> impl Iterator<Item = (usize, (&'a str, &'a str))> + 'a {
    let places = suspects.iter().enumerate();
    places.filter_map(|(place, suspect)| suspect.index.map(|index| (place, index)))
}

/// Whom a reason of the service names.
fn named<'a>(
    throttle: &'a Throttle,
    suspects: &'a [Suspect<'a>],
) -> Box<dyn Iterator<Item = usize> + 'a> {
    match (throttle.scope, &throttle.index) {
        (ThrottleScope::Account, _) => Box::new(0..suspects.len()),
        (_, Some(name)) => {
            let mut named = indexes(suspects)
                .filter(move |(_, (_, index))| index == name)
                .map(|(place, _)| place)
                .peekable();
            if named.peek().is_some() {
                Box::new(named)
            } else {
                Box::new(std::iter::once(TABLE))
            }
        }
        (_, None) => Box::new(std::iter::once(TABLE)),
    }
}

/// The one that is nearest to its capacity, the first of equals. Where it is not known how near, it counts as `unknown`.
fn nearest(
    places: impl Iterator<Item = usize>,
    suspects: &[Suspect<'_>],
    unknown: f64,
) -> Option<usize> {
    let utilization = |place: usize| {
        let suspect = suspects.get(place);
        suspect
            .and_then(|suspect| suspect.utilization)
            .unwrap_or(unknown)
    };
    places.fold(None, |nearest: Option<usize>, place| match nearest {
        Some(nearest) if utilization(nearest) >= utilization(place) => Some(nearest),
        _ => Some(place),
    })
}

fn units_in(cost: &WriteCost, (table, index): (&str, &str)) -> u64 {
    let of_index = cost
        .indexes()
        .iter()
        .find(|cost| cost.table.as_str() == table && *cost.index == *index);
    of_index.map_or(0, |cost| cost.units.get())
}

#[cfg(test)]
mod tests {
    use dynasink_core::{IndexKind, KeyType, TableSchema, WriteOp};
    use serde_json::json;

    use super::*;

    const NAMES: [&str; 2] = ["by-mail", "by-town"];

    /// The table, `by-mail` and `by-town`, so near to their capacities.
    fn suspects(utilizations: [Option<f64>; 3]) -> [Suspect<'static>; 3] {
        let [table, mail, town] = utilizations;
        let index = |name, utilization| Suspect {
            index: Some(("users", name)),
            utilization,
            price: 1.0,
        };
        let table = Suspect {
            index: None,
            utilization: table,
            price: 1.0,
        };
        [table, index(NAMES[0], mail), index(NAMES[1], town)]
    }

    /// Operations whose items are in no index (`-`), in `by-mail` (`m`), in `by-town` (`t`) or in both (`b`).
    fn ops(kinds: &str) -> Vec<WriteOp> {
        let table = TableSchema::builder("users").partition_key("id", KeyType::N);
        let table = NAMES
            .into_iter()
            .zip(["mail", "town"])
            .fold(table, |table, (index, key)| {
                table.index(index, IndexKind::Global, [(key, KeyType::S)], [], None)
            });
        let table = table.build().unwrap();
        let items = kinds.chars().enumerate().map(|(id, kind)| match kind {
            'm' => json!({"id": id, "mail": "a"}),
            't' => json!({"id": id, "town": "a"}),
            'b' => json!({"id": id, "mail": "a", "town": "a"}),
            _ => json!({ "id": id }),
        });
        items.map(|item| table.put_serde(&item).unwrap()).collect()
    }

    fn refused(written: &str, refused: &str) -> CapacityFeedback {
        CapacityFeedback {
            written_ops: written.len(),
            written: WriteCost::of(&ops(written)),
            throttled_ops: refused.len(),
            unwritten: WriteCost::of(&ops(refused)),
            ..CapacityFeedback::default()
        }
    }

    fn reason(scope: ThrottleScope, index: Option<&str>) -> CapacityFeedback {
        CapacityFeedback {
            throttles: vec![Throttle {
                scope,
                index: index.map(str::to_owned),
            }],
            ..refused("", "mm")
        }
    }

    #[test]
    fn a_reason_of_the_service_decides() {
        use ThrottleScope::{Account, Index, KeyRange, OnDemandMaximum, Table};
        let suspects = suspects([Some(0.1), None, Some(0.9)]);
        for (scope, index, expected) in [
            (Table, None, vec![0]),
            (KeyRange, None, vec![0]),
            (OnDemandMaximum, None, vec![0]),
            (Index, Some("by-mail"), vec![1]),
            (OnDemandMaximum, Some("by-town"), vec![2]),
            (Index, Some("nobody-knows-it"), vec![0]),
            (Account, None, vec![0, 1, 2]),
        ] {
            let feedback = reason(scope, index);
            assert_eq!(
                blamed(&feedback, &suspects),
                expected,
                "{scope:?} {index:?}"
            );
        }
    }

    #[test]
    fn operations_of_hot_keys_are_nobodys() {
        let suspects = suspects([Some(1.0), None, None]);
        let mut feedback = refused("--", "--");
        feedback.hot_key_ops = 2;
        assert_eq!(blamed(&feedback, &suspects), Vec::<usize>::new());
        feedback.hot_key_ops = 1;
        assert_eq!(blamed(&feedback, &suspects), [0]);
        assert_eq!(blamed(&refused("--", ""), &suspects), Vec::<usize>::new());
    }

    #[test]
    fn an_index_that_holds_all_of_the_refused_is_to_blame_if_others_were_written() {
        let near_the_table = suspects([Some(1.0), Some(0.1), Some(0.1)]);
        assert_eq!(blamed(&refused("-t", "mb"), &near_the_table), [1]);
        assert_eq!(blamed(&refused("m", "tt"), &near_the_table), [2]);
        // Operations in both, and one outside of them was written: the one that is nearer.
        let near_the_second = suspects([Some(1.0), Some(0.1), Some(0.2)]);
        assert_eq!(blamed(&refused("-", "bb"), &near_the_second), [2]);
    }

    #[test]
    fn an_index_that_is_charged_nothing_for_what_is_predicted_is_not_to_blame() {
        let mut suspects = suspects([Some(1.0), Some(2.0), Some(0.1)]);
        suspects[1].price = 0.01;
        assert_eq!(blamed(&refused("-", "mm"), &suspects), [0]);
        assert_eq!(blamed(&refused("-", "bb"), &suspects), [2]);
    }

    #[test]
    fn a_pattern_that_proves_nothing_leaves_it_to_who_is_nearest_to_the_capacity() {
        let near_the_first = suspects([Some(0.3), Some(0.9), Some(0.95)]);
        // All of the refused are in the first index; so were all of the written.
        assert_eq!(blamed(&refused("mm", "m"), &near_the_first), [1]);
        // One refused operation is in no index.
        assert_eq!(blamed(&refused("mm", "-m"), &near_the_first), [0]);
        let near_the_table = suspects([Some(0.9), Some(0.3), None]);
        assert_eq!(blamed(&refused("bb", "b"), &near_the_table), [0]);
        assert_eq!(blamed(&refused("bb", "b"), &suspects([None; 3])), [0]);
    }

    #[test]
    fn what_failed_for_another_reason_blurs_the_pattern() {
        let suspects = suspects([Some(0.3), Some(0.9), None]);
        let feedback = CapacityFeedback {
            failed_ops: 1,
            ..refused("-", "m")
        };
        assert_eq!(blamed(&feedback, &suspects), [0]);
    }
}

//! What happened to the replicas between two rounds, when no requests were sent.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::StatefulSet;

use super::pods::Pods;
use crate::status::{PodRun, expected_ordinals, is_owned_by};

/// At most this many changes are noted one by one.
const NOTED: usize = 10;

/// The run of every replica, by pod name.
pub(super) type Runs = BTreeMap<String, PodRun>;

/// The runs of the expected replicas of a StatefulSet.
pub(super) fn runs(set: &StatefulSet, pods: &Pods) -> Runs {
    let name = set.metadata.name.as_deref().unwrap_or_default();
    expected_ordinals(set)
        .map(|ordinal| format!("{name}-{ordinal}"))
        .filter_map(|name| {
            let pod = pods.get(&name).filter(|pod| is_owned_by(pod, set))?;
            Some((name, PodRun::of(pod)))
        })
        .collect()
}

/// The run in which every replica was last seen, and all changes between rounds.
#[derive(Default)]
pub(super) struct Between {
    /// The number of the round in which it was seen, and the run.
    last: BTreeMap<String, (u32, PodRun)>,
    notes: Vec<String>,
    more: usize,
}

impl Between {
    /// Compares the runs at the start of a round with those at the end of earlier rounds. Returns
    /// the changes, as clauses. The next round is compared with `after`.
    pub(super) fn round(&mut self, number: u32, before: &Runs, after: Runs) -> Vec<String> {
        let mut changes = Vec::new();
        for (name, run) in before {
            let Some((seen, old)) = self.last.get(name) else {
                continue;
            };
            let Some(what) = run.change_since(old) else {
                continue;
            };
            changes.push(format!("`{name}` has changed since round {seen}: {what}"));
            if self.notes.len() < NOTED {
                let note = format!("`{name}` changed between rounds {seen} and {number}: {what}");
                self.notes.push(note);
            } else {
                self.more += 1;
            }
        }
        let after = after.into_iter().map(|(name, run)| (name, (number, run)));
        self.last.extend(after);
        changes
    }

    /// All changes between rounds, as sentences.
    pub(super) fn notes(self) -> impl Iterator<Item = String> {
        let more = (self.more > 0).then(|| format!("{} more changes between rounds", self.more));
        self.notes.into_iter().chain(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(uid: &str, restarts: i32) -> Runs {
        let id = (format!("{uid}-{restarts}"), None);
        let run = PodRun {
            uid: uid.to_owned(),
            restarts,
            containers: BTreeMap::from([("server".to_owned(), id)]),
        };
        BTreeMap::from([("web-0".to_owned(), run)])
    }

    #[test]
    fn a_round_is_held_against_the_last_one_that_saw_the_pod() {
        let mut between = Between::default();
        let mut round =
            |number, before: Runs, after: Runs| between.round(number, &before, after).join("; ");
        assert_eq!(round(1, run("a", 0), run("a", 0)), "", "nothing before it");
        assert_eq!(round(2, run("a", 0), run("a", 1)), "", "told by its round");
        assert_eq!(round(3, run("a", 1), run("a", 1)), "");
        let restarted = round(4, run("a", 2), run("a", 2));
        assert!(restarted.contains("since round 3: container `server` restarted"));
        assert_eq!(round(5, Runs::new(), Runs::new()), "", "told as missing");
        let replaced = round(6, run("b", 0), run("b", 0));
        assert!(replaced.contains("since round 4: the pod was replaced"));
        let notes: Vec<String> = between.notes().collect();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("between rounds 3 and 4"), "{notes:?}");
    }

    #[test]
    fn of_many_changes_the_first_are_noted_and_the_others_counted() {
        let mut between = Between::default();
        for (number, restarts) in (1..).zip(0..14) {
            between.round(number, &run("a", restarts), run("a", restarts));
        }
        let notes: Vec<String> = between.notes().collect();
        assert_eq!(notes.len(), NOTED + 1);
        assert_eq!(notes.last().unwrap(), "3 more changes between rounds");
    }
}

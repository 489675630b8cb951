//! How long a workload takes until all replicas answer again after its first pod was deleted.

use serde::Serialize;
use serde_json::Value;

use crate::error::BenchError;
use crate::objects::{BUILT_IN, KEYS, THREE};
use crate::stage::Stage;
use crate::statistics::median;
use crate::terminal;
use crate::work::Tool;

/// Each takes up to a minute, and they hardly vary.
const RUNS: usize = 3;

/// A set whose first pod is deleted.
struct Subject {
    name: &'static str,
    arguments: &'static [&'static str],
    /// The time of the manual procedure, measured by hand: `kubectl delete pod`, then watching.
    by_hand_seconds: Option<f64>,
}

const SUBJECTS: [Subject; 2] = [
    Subject {
        name: "the built-in set",
        arguments: &["-n", BUILT_IN],
        by_hand_seconds: None,
    },
    Subject {
        name: "the exercise's refined set",
        arguments: &["-f", THREE.path, "--path", KEYS],
        by_hand_seconds: Some(47.0),
    },
];

/// The recoveries of one set.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Recovery {
    pub(crate) set: &'static str,
    /// From the delete until all replicas gave the same answers again.
    pub(crate) seconds: Vec<f64>,
    /// The longest time without a right answer of the other replicas, over all runs.
    pub(crate) others_away_seconds: f64,
    pub(crate) by_hand_seconds: Option<f64>,
}

impl Recovery {
    pub(crate) fn median(&self) -> f64 {
        median(self.seconds.iter().copied())
    }
}

/// Deletes the first pod of each set several times.
///
/// # Errors
/// When a set does not recover.
pub(crate) fn measure(stage: &Stage) -> Result<Vec<Recovery>, BenchError> {
    let of = |subject: &Subject| {
        terminal::progress(format_args!("measuring the recovery of {}", subject.name));
        let runs = (0..RUNS)
            .map(|_| {
                let chaos = ["chaos", "--yes", "--quiet", "--output", "json"];
                let arguments = [chaos.as_slice(), subject.arguments].concat();
                let events = stage.output(Tool::Cryptoctl, &arguments)?;
                let timed = timed(&events);
                timed.map_err(|why| BenchError::NotRecovered(subject.name, why))
            })
            .collect::<Result<Vec<Timed>, BenchError>>()?;
        Ok(Recovery {
            set: subject.name,
            seconds: runs.iter().map(|run| run.seconds).collect(),
            others_away_seconds: runs.iter().map(|run| run.others_away).fold(0.0, f64::max),
            by_hand_seconds: subject.by_hand_seconds,
        })
    };
    SUBJECTS.iter().map(of).collect()
}

/// The result of one run, in seconds.
struct Timed {
    seconds: f64,
    others_away: f64,
}

/// The figures in the report of a run that survived.
fn timed(events: &str) -> Result<Timed, String> {
    let last = events.lines().last().ok_or("there are no events")?;
    let event: Value = serde_json::from_str(last).map_err(|error| error.to_string())?;
    let report = &event["report"];
    let verdict = &report["verdict"];
    if verdict != "survived" {
        return Err(format!("the verdict is {verdict}"));
    }
    let kill = &report["faults"][0];
    let milliseconds = kill["phases"]["all_equal"]
        .as_f64()
        .ok_or("the replicas did not agree again")?;
    let others = report["availability"]["replicas"]
        .as_array()
        .ok_or("no replica was probed")?
        .iter()
        .filter(|replica| replica["pod"] != kill["pod"]);
    let away = others.filter_map(|replica| replica["longest_outage_ms"].as_f64());
    Ok(Timed {
        seconds: milliseconds / 1e3,
        others_away: away.fold(0.0, f64::max) / 1e3,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_run_has_its_own_figures() {
        let timed = timed(include_str!("../../tests/fixtures/runs/chaos.jsonl")).unwrap();
        assert!(timed.seconds > 1.0, "{}", timed.seconds);
        assert!(timed.others_away < 1.0, "{}", timed.others_away);
    }

    #[test]
    fn a_run_that_did_not_survive_is_not_timed() {
        let lost = include_str!("../../tests/fixtures/runs/chaos.jsonl")
            .replace("\"verdict\":\"survived\"", "\"verdict\":\"failed\"");
        assert!(timed(&lost).err().unwrap().contains("failed"));
        assert!(timed("").is_err());
    }
}

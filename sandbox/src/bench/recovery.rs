//! How long a workload takes until all replicas answer again after its first pod was deleted.

use serde::Serialize;
use serde_json::Value;

use super::error::BenchError;
use super::objects::{BUILT_IN, THREE};
use super::stage::Stage;
use super::statistics::median;
use super::work::Tool;
use crate::error::SandboxError;
use crate::terminal;

/// Each takes up to a minute, and they hardly differ.
const RUNS: usize = 3;

/// A set whose first pod is deleted.
struct Subject {
    name: &'static str,
    arguments: &'static [&'static str],
    /// What the exercise's own way takes, timed by hand: `kubectl delete pod`, then watching.
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
        arguments: &["-f", THREE.path, "--path", "/keys"],
        by_hand_seconds: Some(47.0),
    },
];

/// The recoveries of one set.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Recovery {
    pub(crate) set: &'static str,
    /// From the accepted delete to the last replica's answer.
    pub(crate) seconds: Vec<f64>,
    pub(crate) by_hand_seconds: Option<f64>,
}

impl Recovery {
    pub(crate) fn median(&self) -> f64 {
        median(self.seconds.iter().copied())
    }
}

/// Deletes the first pod of each set a few times.
///
/// # Errors
/// When a set does not recover, and when interrupted.
pub(crate) fn measure(stage: &Stage) -> Result<Vec<Recovery>, SandboxError> {
    let of = |subject: &Subject| {
        terminal::progress(format_args!("measuring the recovery of {}", subject.name));
        let seconds = (0..RUNS)
            .map(|_| {
                let chaos = ["chaos", "--yes", "--quiet", "--output", "json"];
                let arguments = [chaos.as_slice(), subject.arguments].concat();
                let events = stage.output(Tool::Cryptoctl, &arguments)?;
                let timed = duration(&events);
                Ok(timed.map_err(|why| BenchError::NotRecovered(subject.name, why))?)
            })
            .collect::<Result<_, SandboxError>>()?;
        Ok(Recovery {
            set: subject.name,
            seconds,
            by_hand_seconds: subject.by_hand_seconds,
        })
    };
    SUBJECTS.iter().map(of).collect()
}

/// The seconds between the accepted delete and the end of a run in which the data survived.
fn duration(events: &str) -> Result<f64, String> {
    let events: Vec<Value> = events
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let elapsed = |event: &Value| event["elapsed_ms"].as_f64().map(|it| it / 1e3);
    let deleted = events
        .iter()
        .find(|event| event["event"] == "write_finished" && event["action"] == "delete")
        .and_then(elapsed)
        .ok_or("no delete was accepted")?;
    let finished = events.last().ok_or("there are no events")?;
    let verdict = &finished["report"]["verdict"];
    if verdict != "survived" {
        return Err(format!("the verdict is {verdict}"));
    }
    let ended = elapsed(finished).ok_or("the last event has no time")?;
    Ok(ended - deleted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_run_is_timed_from_the_delete_to_the_last_answer() {
        let events = include_str!("../../../tests/fixtures/runs/chaos.jsonl");
        let seconds = duration(events).unwrap();
        assert!((3.86..3.87).contains(&seconds), "{seconds}");
    }

    #[test]
    fn a_run_that_did_not_survive_is_not_timed() {
        let lost = include_str!("../../../tests/fixtures/runs/chaos.jsonl")
            .replace("\"verdict\":\"survived\"", "\"verdict\":\"failed\"");
        assert!(duration(&lost).unwrap_err().contains("failed"));
        assert!(duration("").is_err());
    }
}

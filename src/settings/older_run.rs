//! The measurements of an earlier run, from its journal.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::in_time;
use crate::chaos::OlderRun;
use crate::cli::CompareArgs;
use crate::error::CommandError;
use crate::fault::Fault;
use crate::file;
use crate::json;
use crate::render::document::LARGEST_JOURNAL;
use crate::report::Percentiles;

/// The earlier run to compare with, if one is named.
///
/// # Errors
/// A usage error when the file cannot be read, or is not the journal of an experiment.
pub async fn older_run(
    arguments: &CompareArgs,
    timeout: Duration,
) -> Result<Option<OlderRun>, CommandError> {
    let Some(file) = &arguments.compare else {
        return Ok(None);
    };
    let unusable = |reason: String| {
        CommandError::usage(
            format!("cannot compare with `{}`: {reason}", file.display()),
            "name a file that `chaos --report FILE.json` or `chaos -o json` wrote",
        )
    };
    let path = file.clone();
    let text = in_time(timeout, move || file::read_text(&path, LARGEST_JOURNAL)).await?;
    let text = text.map_err(|error| unusable(error.to_string()))?;
    let mut older = figures(&text).map_err(unusable)?;
    older.tolerance = arguments.tolerance;
    Ok(Some(older))
}

/// The 95th percentile of each phase and of the outages, and the fault and replicas that they
/// belong to; without a tolerance.
fn figures(journal: &str) -> Result<OlderRun, String> {
    let last = last_event(journal)?;
    if last["event"] != "finished" {
        return Err("its last event is not `finished`: the run was killed".to_owned());
    }
    let report = &last["report"];
    if report["command"] != "chaos" {
        return Err("it contains no report of `chaos`".to_owned());
    }
    let phases = report["summary"].as_object().into_iter().flatten();
    let mut figures: BTreeMap<String, u64> = phases
        .filter_map(|(phase, figures)| Some((phase.clone(), figures["p95"].as_u64()?)))
        .collect();
    let faults = report["faults"].as_array().into_iter().flatten();
    let outages = faults.filter_map(|record| record["outage_ms"].as_u64());
    if let Some(outage) = Percentiles::of(outages) {
        figures.insert("outage".to_owned(), outage.p95);
    }
    if figures.is_empty() {
        return Err("it contains no figures: that run measured nothing".to_owned());
    }
    let verdict = &report["verdict"];
    if verdict != "survived" && verdict != "failed" {
        return Err(format!("its verdict is {verdict}: that run did not finish"));
    }
    let fault = json::from_value::<Fault>(report["experiment"]["fault"].clone());
    let replicas = report["availability"]["replicas"].as_array();
    Ok(OlderRun {
        figures,
        fault: fault.map_err(|_| "it does not name its fault".to_owned())?,
        replicas: replicas.map_or(0, Vec::len),
        tolerance: 0.0,
    })
}

/// The last event of a journal: a document with `events`, or one event per line.
fn last_event(journal: &str) -> Result<Value, String> {
    if let Ok(mut document) = json::from_slice::<Value>(journal.as_bytes()) {
        if document.get("event").is_some() {
            return Ok(document);
        }
        if document["version"] != 1 {
            return Err("its `version` is not 1".to_owned());
        }
        let events = document["events"].as_array_mut().and_then(Vec::pop);
        return events.ok_or_else(|| "it contains no `events`".to_owned());
    }
    let last = journal.lines().rfind(|line| !line.trim().is_empty());
    last.and_then(|line| json::from_slice(line.as_bytes()).ok())
        .ok_or_else(|| "it is neither a JSON document nor JSON lines".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finished() -> Value {
        json!({"event": "finished", "report": {
            "command": "chaos",
            "verdict": "survived",
            "experiment": {"fault": "delete"},
            "availability": {"replicas": [{}, {}]},
            "summary": {
                "ready": {"p50": 3, "p95": 5000, "max": 6000},
                "all_equal": {"p50": 3, "p95": 5200, "max": 6100},
            },
            "faults": [{"outage_ms": 4000}, {"outage_ms": null}, {"outage_ms": 4500}],
        }})
    }

    #[test]
    fn journals_of_both_forms_hold_the_same_figures() {
        let started = json!({"event": "started"});
        let forms = [
            json!({"version": 1, "events": [started, finished()]}).to_string(),
            format!("{started}\n{}\n", finished()),
            finished().to_string(),
        ];
        for journal in forms {
            let older = figures(&journal).unwrap();
            assert_eq!((older.fault, older.replicas), (Fault::Delete, 2));
            let figures: Vec<(&str, u64)> = older
                .figures
                .iter()
                .map(|(what, figure)| (what.as_str(), *figure))
                .collect();
            let expected = [("all_equal", 5200), ("outage", 4500), ("ready", 5000)];
            assert_eq!(figures, expected, "{journal}");
        }
    }

    #[test]
    fn what_is_no_journal_of_an_experiment_is_refused() {
        let mut of_verify = finished();
        of_verify["report"]["command"] = json!("verify");
        let mut without_figures = finished();
        without_figures["report"]["summary"] = json!({});
        without_figures["report"]["faults"] = json!([]);
        let mut stopped = finished();
        stopped["report"]["verdict"] = json!("inconclusive");
        let table = [
            (String::new(), "neither"),
            ("<html>".to_owned(), "neither"),
            ("{}".to_owned(), "version"),
            (json!({"version": 2, "events": []}).to_string(), "version"),
            (json!({"version": 1, "events": []}).to_string(), "events"),
            (json!({"event": "started"}).to_string(), "killed"),
            (of_verify.to_string(), "no report of `chaos`"),
            (without_figures.to_string(), "no figures"),
            (stopped.to_string(), "did not finish"),
        ];
        for (journal, words) in table {
            let error = figures(&journal).unwrap_err();
            assert!(error.contains(words), "{journal}: {error}");
        }
    }
}

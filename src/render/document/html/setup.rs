//! The experiment: its faults, its targets and the cluster.

use maud::{Markup, html};

use super::pieces::term;
use crate::figures::{times, took};
use crate::render::document::story::Story;
use crate::render::document::text::Prose;
use crate::report::{Experiment, Selection};

/// At most this many pods are named.
const NAMED: usize = 10;

/// The section.
pub(super) fn section(story: &Story<'_>) -> Markup {
    html! {
        section {
            h2 { "The experiment" }
            dl {
                @if let Some(object) = story.object {
                    @let namespace = object.namespace.as_deref().unwrap_or("none");
                    (term("Workload", Prose(format_args!("`{object}`"))))
                    (term("Namespace", Prose(format_args!("`{namespace}`"))))
                }
                @if let Some(run) = story.run {
                    @let context = run.context.as_deref().map(|context| format!("`{context}`"));
                    (term("Context", Prose(context.as_deref().unwrap_or("none (in-cluster)"))))
                    (term("API server", Prose(format_args!("`{}`", run.server))))
                }
                @if let Some(experiment) = story.experiment {
                    (terms(experiment))
                }
            }
        }
    }
}

fn terms(experiment: &Experiment) -> Markup {
    let budget = |limit: Option<u64>| limit.map_or_else(|| "no limit".to_owned(), took);
    let repeat = usize::try_from(experiment.repeat).unwrap_or(usize::MAX);
    let asked: Vec<String> = experiment
        .endpoints
        .iter()
        .map(|endpoint| format!("`GET {}` on port {}", endpoint.path, endpoint.port))
        .collect();
    html! {
        @if let Some(fault) = experiment.settings.fault {
            (term("Fault", Prose(format_args!("`{fault}` (the pod is {})", fault.past()))))
            (term("How often", times(repeat)))
            (term("Target selection", Prose(whose_turn(&experiment.settings.selection))))
            (term("Targets", Prose(pods(experiment))))
            @if experiment.settings.pause_ms > 0 {
                (term("Pause", took(experiment.settings.pause_ms)))
            }
        } @else {
            (term("Fault", "none: a control run, which only probes"))
        }
        @if let Some(control_ms) = experiment.settings.control_ms {
            (term("Duration", took(control_ms)))
        }
        @if experiment.settings.fault.is_some() {
            (term("Outage budget", budget(experiment.settings.max_outage_ms)))
            (term("Recovery budget", budget(experiment.settings.max_recovery_ms)))
        }
        (term("Requests", Prose(asked.join(", "))))
    }
}

fn whose_turn(selection: &Selection) -> String {
    match selection {
        Selection::First => "the first replica".to_owned(),
        Selection::Pod { pod } => format!("always `{pod}`"),
        Selection::AllInTurn => "every replica in turn".to_owned(),
        Selection::Random { seed } => format!("at random (seed {seed})"),
    }
}

/// The targets, each named once.
fn pods(experiment: &Experiment) -> String {
    let mut names: Vec<&str> = Vec::new();
    for pod in &experiment.pods {
        if !names.contains(&pod.as_str()) {
            names.push(pod);
        }
    }
    let more = names.len().saturating_sub(NAMED);
    let literals: Vec<String> = names
        .iter()
        .take(NAMED)
        .map(|pod| format!("`{pod}`"))
        .collect();
    match more {
        0 => literals.join(", "),
        _ => format!("{} and {more} more", literals.join(", ")),
    }
}

//! The experiment: its faults, its targets and the cluster.

use super::pieces::term;
use crate::figures::{times, took};
use crate::render::document::markup::Markup;
use crate::render::document::story::Story;
use crate::report::{Experiment, Selection};

/// At most this many pods are named.
const NAMED: usize = 10;

/// The section.
pub(super) fn section(markup: &mut Markup, story: &Story<'_>) {
    markup.raw("<section>\n<h2>The experiment</h2>\n<dl>");
    if let Some(object) = story.object {
        let namespace = object.namespace.as_deref().unwrap_or("none");
        term(markup, "Workload", format_args!("`{object}`"));
        term(markup, "Namespace", format_args!("`{namespace}`"));
    }
    if let Some(run) = story.run {
        let context = run.context.as_deref().map(|context| format!("`{context}`"));
        let context = context.unwrap_or_else(|| "none (in-cluster)".to_owned());
        term(markup, "Context", context);
        term(markup, "API server", format_args!("`{}`", run.server));
    }
    if let Some(experiment) = story.experiment {
        terms(markup, experiment);
    }
    markup.raw("</dl>\n</section>\n");
}

fn terms(markup: &mut Markup, experiment: &Experiment) {
    match experiment.settings.fault {
        None => term(markup, "Fault", "none: a control run, which only probes"),
        Some(fault) => term(
            markup,
            "Fault",
            format_args!("`{fault}` (the pod is {})", fault.past()),
        ),
    }
    if experiment.settings.fault.is_some() {
        let faults = usize::try_from(experiment.repeat).unwrap_or(usize::MAX);
        term(markup, "How often", times(faults));
        term(
            markup,
            "Target selection",
            whose_turn(&experiment.settings.selection),
        );
        term(markup, "Targets", pods(experiment));
        if experiment.settings.pause_ms > 0 {
            term(markup, "Pause", took(experiment.settings.pause_ms));
        }
    }
    if let Some(control_ms) = experiment.settings.control_ms {
        term(markup, "Duration", took(control_ms));
    }
    let budget = |limit: Option<u64>| limit.map_or_else(|| "no limit".to_owned(), took);
    if experiment.settings.fault.is_some() {
        term(
            markup,
            "Outage budget",
            budget(experiment.settings.max_outage_ms),
        );
        term(
            markup,
            "Recovery budget",
            budget(experiment.settings.max_recovery_ms),
        );
    }
    let asked: Vec<String> = experiment
        .endpoints
        .iter()
        .map(|endpoint| format!("`GET {}` on port {}", endpoint.path, endpoint.port))
        .collect();
    term(markup, "Requests", asked.join(", "));
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

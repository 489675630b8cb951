//! Tells the story in a few sentences.

use super::Story;
use crate::exit::ExitStatus;
use crate::figures::{count, took};
use crate::report::{ChaosReport, ChaosVerdict, Percentiles, RecoveryPhase};

/// The verdict of a run, in the words of the headline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::render::document) struct Verdict {
    /// The words.
    pub(in crate::render::document) word: String,
    /// Whether it is good, bad or neither.
    pub(in crate::render::document) tone: Tone,
}

/// The tone of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render::document) enum Tone {
    /// A proven success.
    Good,
    /// A proven failure.
    Bad,
    /// Undecided.
    Doubt,
}

impl Tone {
    /// The sign, which needs no colour.
    pub(in crate::render::document) fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✗",
            Self::Doubt => "?",
        }
    }

    /// Its class in style sheets.
    pub(in crate::render::document) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Doubt => "doubt",
        }
    }
}

impl Story<'_> {
    /// The verdict, which never looks better than the exit status.
    pub(in crate::render::document) fn verdict(&self) -> Verdict {
        let status = self.end.status;
        let reported = self
            .chaos()
            .filter(|report| ExitStatus::from(report.outcome()) == status);
        let tone = match status {
            ExitStatus::Success => Tone::Good,
            ExitStatus::Unhealthy => Tone::Bad,
            _ => Tone::Doubt,
        };
        if let Some(report) = reported {
            let word = capitalised(report.headline());
            return Verdict { word, tone };
        }
        let (word, tone) = match (status, self.chaos()) {
            (ExitStatus::Success, None) if self.verification().is_some() => {
                ("All replicas agree", tone)
            }
            (ExitStatus::Unhealthy, _) => ("Something is wrong", tone),
            (status, _) if status.is_interruption() => ("Interrupted", tone),
            (ExitStatus::Undecided, Some(_)) => ("Inconclusive", tone),
            (ExitStatus::Undecided, None) => ("Undecided", tone),
            _ => ("No verdict", Tone::Doubt),
        };
        let word = word.to_owned();
        Verdict { word, tone }
    }

    /// The story in one sentence.
    pub(in crate::render::document) fn sentence(&self) -> String {
        if let Some(report) = self.chaos() {
            let happened = Self::of_experiment(report);
            return match self.end.status {
                status if status.is_interruption() => {
                    format!("The run was interrupted early. {happened}")
                }
                _ => happened,
            };
        }
        if let Some(report) = self.verification() {
            return capitalised(&report.summary) + ".";
        }
        let sent = match self.faults.len() {
            0 if self.is_experiment() => "; nothing was broken".to_owned(),
            0 => String::new(),
            faults => format!("; {} had been sent", count(faults, "fault")),
        };
        let after = took(self.took_ms);
        match self.end.status {
            status if status.is_interruption() => {
                format!("The run was interrupted after {after}, before it reached a verdict{sent}.")
            }
            _ => format!("The run ended with an error after {after}, without a verdict{sent}."),
        }
    }

    fn of_experiment(report: &ChaosReport) -> String {
        let done = Self::done(report);
        match report.verdict {
            ChaosVerdict::Survived => format!("{done}{}.", recovered(report)),
            ChaosVerdict::Failed if report.observed.experiment.settings.fault.is_none() => {
                "Nothing was broken on purpose, but some replicas did not answer correctly."
                    .to_owned()
            }
            ChaosVerdict::Failed if report.is_only_slow() => {
                format!("{done}; the workload survived with its data, but was too slow.")
            }
            ChaosVerdict::Failed => format!("{done}, and the workload did not survive."),
            ChaosVerdict::Refused => {
                "Nothing was broken, because it was not safe or the steady state was not proven.".to_owned()
            }
            ChaosVerdict::DryRun => {
                "This was a dry run: nothing was broken, and no safety check objects to the experiment."
                    .to_owned()
            }
            ChaosVerdict::Inconclusive if report.observed.faults.is_empty() => {
                "The evidence is not enough to say whether the workload would have survived.".to_owned()
            }
            ChaosVerdict::Inconclusive => format!(
                "{done}, but the evidence is not enough to say whether the workload survived."
            ),
            ChaosVerdict::Undisturbed => format!(
                "Nothing was broken on purpose, and every replica answered correctly for {}.",
                took(report.observed.availability.probed_ms)
            ),
        }
    }

    /// The faults and their targets, as the beginning of a sentence.
    fn done(report: &ChaosReport) -> String {
        let Some(fault) = report.observed.experiment.settings.fault else {
            return "Nothing was broken on purpose".to_owned();
        };
        let past = fault.past();
        let workload = format!("`{}`", report.object.name);
        let whom = match report.observed.faults.as_slice() {
            [record] if !fault.targets_workload() => format!("The replica `{}`", record.pod),
            _ if fault.targets_workload() => workload,
            _ => format!("A replica of {workload}"),
        };
        let is_done = report
            .observed
            .faults
            .iter()
            .any(|record| record.refused.is_none());
        let verb = if is_done { "was" } else { "was to be" };
        match report.observed.fault_count() {
            faults @ 2.. => format!("{whom} {verb} {past} on purpose, {faults} times"),
            _ => format!("{whom} {verb} {past} on purpose"),
        }
    }

    /// What clients would have seen, in one sentence; `None` without probes.
    pub(in crate::render::document) fn for_clients(&self) -> Option<String> {
        let report = self
            .chaos()
            .filter(|report| report.observed.availability.probed_ms > 0)?;
        if matches!(report.verdict, ChaosVerdict::Refused | ChaosVerdict::DryRun) {
            return None;
        }
        let availability = &report.observed.availability;
        let away = availability
            .longest_outage()
            .filter(|replica| replica.longest_outage_ms > 0);
        let is_known = availability
            .replicas
            .iter()
            .all(|replica| replica.unknown_ms == 0);
        let longest = match away {
            None => "every replica always answered correctly".to_owned(),
            Some(replica) => format!(
                "`{}` had the longest outage and gave no right answer for {}",
                replica.pod,
                replica.away_for()
            ),
        };
        let together = match (availability.none_answered_ms, is_known) {
            (0, true) => "at least one replica answered correctly at all times".to_owned(),
            (0, false) => {
                "as far as known, at least one replica answered correctly at all times".to_owned()
            }
            (none, _) => format!("no replica answered correctly for {}", took(none)),
        };
        Some(format!("Meanwhile, {longest}; {together}."))
    }

    /// The reasons, one sentence each.
    pub(in crate::render::document) fn reasons(&self) -> Vec<String> {
        if let Some(report) = self.chaos() {
            return report.reasons.clone();
        }
        if let Some(report) = self.verification() {
            let findings = report.findings.iter();
            return findings.map(|finding| finding.message.clone()).collect();
        }
        let error = self.end.error.iter();
        error
            .flat_map(|error| std::iter::once(&error.message).chain(&error.causes))
            .cloned()
            .collect()
    }
}

/// The recovery, as the end of a sentence.
fn recovered(report: &ChaosReport) -> String {
    let times = |phase: RecoveryPhase| report.summary.get(&phase).copied();
    let same = "every replica served the same data again";
    let (figures, is_all) = match times(RecoveryPhase::AllEqual) {
        Some(figures) => (Some(figures), true),
        None => (times(RecoveryPhase::Ready), false),
    };
    let is_one = report.observed.fault_count() == 1;
    match (figures, is_all) {
        (Some(Percentiles { max, .. }), true) if is_one => {
            format!("; {} later, {same}", took(max))
        }
        (Some(Percentiles { p50, max, .. }), true) => format!(
            "; each time, {same}, after {} in the median and {} at most",
            took(p50),
            took(max)
        ),
        (Some(Percentiles { max, .. }), false) if is_one => {
            format!("; it was ready again after {}, and {same}", took(max))
        }
        _ => format!("; afterwards, {same}"),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

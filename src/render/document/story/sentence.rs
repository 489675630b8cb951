//! What happened, in a few plain sentences.

use super::Story;
use crate::exit::ExitStatus;
use crate::figures::{count, took};
use crate::report::{ChaosReport, ChaosVerdict, Percentiles, RecoveryPhase};

/// How a run ended, in the one word that stands above everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::render::document) struct Verdict {
    /// The word.
    pub(in crate::render::document) word: String,
    /// Whether it is good, bad or neither.
    pub(in crate::render::document) tone: Tone,
}

/// What kind of news it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render::document) enum Tone {
    /// All is well, and proven.
    Good,
    /// The answer is no.
    Bad,
    /// There is no answer.
    Doubt,
}

impl Tone {
    /// The sign that says it without colour.
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
    /// The verdict. What counts is the exit status: nothing looks better than that.
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

    /// What happened, in one sentence.
    pub(in crate::render::document) fn sentence(&self) -> String {
        if let Some(report) = self.chaos() {
            let happened = Self::of_experiment(report);
            return match self.end.status {
                status if status.is_interruption() => {
                    format!("The run was interrupted before its end. {happened}")
                }
                _ => happened,
            };
        }
        if let Some(report) = self.verification() {
            return capitalised(&report.summary) + ".";
        }
        let sent = match self.faults.len() {
            0 if self.is_experiment() => "; nothing had been broken by then".to_owned(),
            0 => String::new(),
            faults => format!("; {} had been sent by then", count(faults, "fault")),
        };
        let after = took(self.took_ms);
        match self.end.status {
            status if status.is_interruption() => {
                format!("The run was interrupted after {after}, before it came to a verdict{sent}.")
            }
            _ => format!("The run ended with an error after {after}, without a verdict{sent}."),
        }
    }

    fn of_experiment(report: &ChaosReport) -> String {
        let done = Self::done(report);
        match report.verdict {
            ChaosVerdict::Survived => format!("{done}{}.", recovered(report)),
            ChaosVerdict::Failed if report.experiment.fault.is_none() => {
                "Nothing was broken on purpose, and all the same replicas did not answer right."
                    .to_owned()
            }
            ChaosVerdict::Failed if report.is_only_slow() => {
                format!("{done}; it survived with its data, and was slower than it should be.")
            }
            ChaosVerdict::Failed => format!("{done}, and the workload did not survive it."),
            ChaosVerdict::Refused => {
                "Nothing was broken: it was not safe, or not certain, to begin with.".to_owned()
            }
            ChaosVerdict::Rehearsed => {
                "Nothing was broken, as it was only a dry run; nothing speaks against the experiment."
                    .to_owned()
            }
            ChaosVerdict::Inconclusive if report.faults.is_empty() => {
                "The evidence is not enough to say whether anything would have survived.".to_owned()
            }
            ChaosVerdict::Inconclusive => format!(
                "{done}, but the evidence is not enough to say whether the workload survived it."
            ),
            ChaosVerdict::Undisturbed => format!(
                "Nothing was broken on purpose: for {} every replica answered right, as it should.",
                took(report.availability.probed_ms)
            ),
        }
    }

    /// What was done, and to whom.
    fn done(report: &ChaosReport) -> String {
        let Some(fault) = report.experiment.fault else {
            return "Nothing was broken on purpose".to_owned();
        };
        let past = fault.past();
        let workload = format!("`{}`", report.object.name);
        let whom = match report.faults.as_slice() {
            [record] if !fault.targets_workload() => format!("The replica `{}`", record.pod),
            _ if fault.targets_workload() => workload,
            _ => format!("A replica of {workload}"),
        };
        let is_done = report.faults.iter().any(|record| record.refused.is_none());
        let verb = if is_done { "was" } else { "was to be" };
        match report.fault_count() {
            faults @ 2.. => format!("{whom} {verb} {past} on purpose, {faults} times"),
            _ => format!("{whom} {verb} {past} on purpose"),
        }
    }

    /// What clients would have noticed, in one sentence; `None` when nobody probed.
    pub(in crate::render::document) fn for_clients(&self) -> Option<String> {
        let report = self
            .chaos()
            .filter(|report| report.availability.probed_ms > 0)?;
        if matches!(
            report.verdict,
            ChaosVerdict::Refused | ChaosVerdict::Rehearsed
        ) {
            return None;
        }
        let availability = &report.availability;
        let away = availability
            .longest_outage()
            .filter(|replica| replica.longest_outage_ms > 0);
        let is_known = availability
            .replicas
            .iter()
            .all(|replica| replica.unknown_ms == 0);
        let longest = match away {
            None => "no replica ever failed to answer right".to_owned(),
            Some(replica) => format!(
                "`{}` was without a right answer the longest, for {}",
                replica.pod,
                replica.away_for()
            ),
        };
        let together = match (availability.none_answered_ms, is_known) {
            (0, true) => "some replica answered right at every moment".to_owned(),
            (0, false) => {
                "as far as is known, some replica answered right at every moment".to_owned()
            }
            (none, _) => format!("for {} no replica answered right", took(none)),
        };
        Some(format!("Meanwhile {longest}, and {together}."))
    }

    /// Why, one sentence each.
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

/// How it went on, as the end of a sentence.
fn recovered(report: &ChaosReport) -> String {
    let times = |phase: RecoveryPhase| report.summary.get(&phase).copied();
    let same = "every replica served the same data again";
    let (figures, is_all) = match times(RecoveryPhase::AllEqual) {
        Some(figures) => (Some(figures), true),
        None => (times(RecoveryPhase::Ready), false),
    };
    let is_one = report.fault_count() == 1;
    match (figures, is_all) {
        (Some(Percentiles { max, .. }), true) if is_one => {
            format!("; {} later {same}", took(max))
        }
        (Some(Percentiles { p50, max, .. }), true) => format!(
            "; each time {same}, as a rule after {}, and after {} at the latest",
            took(p50),
            took(max)
        ),
        (Some(Percentiles { max, .. }), false) if is_one => {
            format!("; it was ready again after {}, and {same}", took(max))
        }
        _ => format!("; afterwards {same}"),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

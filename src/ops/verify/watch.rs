//! Verifies repeatedly, and reports only changes.

use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::between::Between;
use super::{Verification, ask_all};
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::ops::error::OpsError;
use crate::ops::{Context, Workload};
use crate::report::{AnswerGroup, FindingKind, Problem, Rounds, VerifyReport};

/// How often a verification is repeated, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct WatchTimes {
    /// From the start of one round to the start of the next.
    pub every: Duration,
    /// After this time the last round starts; without it, only `stop` ends the watch.
    pub lasts: Option<Duration>,
}

/// The parts of a round's result whose change is reported: no latencies.
#[derive(PartialEq)]
struct Gist {
    verdict: Outcome,
    groups: Vec<AnswerGroup>,
    findings: Vec<(FindingKind, Option<String>)>,
    problems: Vec<Option<Discriminant<Problem>>>,
    /// Why the round did not finish.
    error: Option<String>,
}

impl Gist {
    fn of(report: &VerifyReport) -> Self {
        let findings = report.findings.iter();
        let replicas = report.replicas.iter();
        Self {
            verdict: report.verdict,
            groups: report.groups.clone(),
            findings: findings
                .map(|finding| (finding.kind, finding.pod.clone()))
                .collect(),
            problems: replicas
                .map(|answer| answer.error.as_ref().map(discriminant))
                .collect(),
            error: None,
        }
    }

    fn failed(error: &OpsError) -> Self {
        Self {
            verdict: Outcome::Undecided,
            groups: Vec::new(),
            findings: Vec::new(),
            problems: Vec::new(),
            error: Some(in_words(error)),
        }
    }
}

/// The summary, and the first finding against the workload.
fn summary(report: &VerifyReport) -> String {
    match report.findings.first() {
        Some(finding) => format!("{}: {}", report.summary, finding.message),
        None => report.summary.clone(),
    }
}

/// Verifies repeatedly, for the last time when the time is over or `stop` is ready. Every round has
/// the time limit of a command. A change of a pod between two rounds is reported, but does not
/// count against the workload. The report is that of the last finished round; its outcome is the
/// worst of all rounds.
///
/// # Errors
/// As [`super::verify`], when the first round fails.
pub async fn watch(
    context: &Context,
    workload: &Workload,
    verification: &Verification,
    times: WatchTimes,
    stop: impl Future<Output = ()>,
) -> Result<VerifyReport, OpsError> {
    tokio::pin!(stop);
    let until = times
        .lasts
        .and_then(|lasts| Instant::now().checked_add(lasts));
    let mut rounds = Rounds::default();
    let mut last: Option<VerifyReport> = None;
    let mut known: Option<Gist> = None;
    let mut between = Between::default();
    let mut begins = Instant::now();
    loop {
        let is_first = last.is_none();
        let context = context.clone().restarted();
        let round = async {
            let asking = Box::pin(ask_all(&context, workload, verification, is_first));
            context.by_deadline(asking).await
        };
        let result = tokio::select! {
            biased;
            // Without a single finished round there is nothing to report.
            () = &mut stop, if !is_first => break,
            result = round => result,
        };
        rounds.count += 1;
        let mut changes = Vec::new();
        let result = result.map(|seen| {
            changes = between.round(rounds.count, &seen.before, seen.after);
            seen.report
        });
        let (gist, summary) = match &result {
            Ok(report) => (Gist::of(report), summary(report)),
            Err(error) => (Gist::failed(error), in_words(error)),
        };
        if is_first {
            // A failure of the first round is not a change.
            last = Some(result?);
        } else if let Ok(report) = result {
            last = Some(report);
        }
        match gist.verdict {
            Outcome::Success => rounds.success += 1,
            Outcome::Unhealthy => rounds.unhealthy += 1,
            Outcome::Different | Outcome::Undecided => rounds.undecided += 1,
        }
        if known.as_ref() != Some(&gist) || !changes.is_empty() {
            rounds.changes += u32::from(known.is_some());
            let summary = std::iter::once(summary).chain(changes);
            context.emit(EventKind::Round {
                number: rounds.count,
                verdict: gist.verdict,
                summary: summary.collect::<Vec<_>>().join("; "),
            });
            known = Some(gist);
        }
        if until.is_some_and(|until| begins >= until || Instant::now() > until) {
            break;
        }
        let next = begins + times.every;
        begins = until.map_or(next, |until| next.min(until));
        tokio::select! {
            biased;
            () = &mut stop => break,
            () = sleep_until(begins) => {}
        }
        // A round that took too long delays the rounds after it.
        begins = begins.max(Instant::now());
    }
    // The first round has set it.
    let mut report = last.ok_or_else(|| context.out_of_time())?;
    report.notes.extend(between.notes());
    Ok(report.with_rounds(rounds))
}

fn in_words(error: &OpsError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

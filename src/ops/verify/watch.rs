//! Verifies again and again, and tells only what changes.

use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Verification, ask_all};
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::ops::error::OpsError;
use crate::ops::{Context, Workload};
use crate::report::{AnswerGroup, FindingKind, Problem, Rounds, VerifyReport};

/// How often a verification is repeated, and how long.
#[derive(Debug, Clone, Copy)]
pub struct WatchTimes {
    /// From the beginning of one round to that of the next.
    pub every: Duration,
    /// After this time no round begins; without it, only `stop` ends the watch.
    pub lasts: Option<Duration>,
}

/// What a round came to, as far as a change of it is worth telling: no latencies.
#[derive(PartialEq)]
struct Gist {
    verdict: Outcome,
    groups: Vec<AnswerGroup>,
    findings: Vec<(FindingKind, Option<String>)>,
    problems: Vec<Option<Discriminant<Problem>>>,
    /// Why the round did not come to an end.
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

/// The summary, and what speaks first against the workload.
fn summary(report: &VerifyReport) -> String {
    match report.findings.first() {
        Some(finding) => format!("{}: {}", report.summary, finding.message),
        None => report.summary.clone(),
    }
}

/// Verifies again and again, until the time is over or `stop` is ready. Every round has the time of
/// a command. The report is that of the last round that came to an end; its outcome is the worst of
/// all rounds.
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
    loop {
        let next = Instant::now() + times.every;
        let is_first = last.is_none();
        let context = context.clone().restarted();
        let round = async {
            let asking = Box::pin(ask_all(&context, workload, verification, is_first));
            context.by_deadline(asking).await.map(|seen| seen.report)
        };
        let result = tokio::select! {
            biased;
            // Without a single round there is nothing to report.
            () = &mut stop, if !is_first => break,
            result = round => result,
        };
        let (gist, summary) = match &result {
            Ok(report) => (Gist::of(report), summary(report)),
            Err(error) => (Gist::failed(error), in_words(error)),
        };
        if is_first {
            // What fails at once is no change of anything.
            last = Some(result?);
        } else if let Ok(report) = result {
            last = Some(report);
        }
        rounds.count += 1;
        match gist.verdict {
            Outcome::Success => rounds.success += 1,
            Outcome::Unhealthy => rounds.unhealthy += 1,
            Outcome::Different | Outcome::Undecided => rounds.undecided += 1,
        }
        if known.as_ref() != Some(&gist) {
            rounds.changes += u32::from(known.is_some());
            context.emit(EventKind::Round {
                number: rounds.count,
                verdict: gist.verdict,
                summary,
            });
            known = Some(gist);
        }
        if until.is_some_and(|until| next > until) {
            break;
        }
        tokio::select! {
            biased;
            () = &mut stop => break,
            () = sleep_until(next) => {}
        }
    }
    // The first round has set it.
    last.map(|report| report.with_rounds(rounds))
        .ok_or_else(|| context.out_of_time())
}

fn in_words(error: &OpsError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

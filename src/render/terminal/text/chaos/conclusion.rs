//! The result of an experiment: its verdict, reasons and figures.

use std::collections::BTreeMap;

use super::super::facts::{entry, fact};
use crate::figures::{count, percent, short_digest, took, took_both};
use crate::render::terminal::breaks::unbroken;
use crate::render::terminal::line::{Level, Line, Tone};
use crate::render::terminal::table::{Column, Table};
use crate::report::{
    Availability, ChaosReport, ChaosVerdict, DataProof, FaultRecord, Percentiles, RecoveryPhase,
    ReplicaAvailability,
};

/// At most this many pods are shown with their proof.
const PROVEN_PODS: usize = 5;
/// At most this many replicas have a row.
const REPLICA_ROWS: usize = 10;
/// The length of a shortened UID, enough for people to compare.
const SHORT_UID: usize = 8;

/// The verdict, its reasons and its evidence.
pub(crate) fn verdict(report: &ChaosReport, elapsed: &str, width: usize) -> Vec<Line> {
    let mut lines = vec![
        Line::of(report.outcome())
            .with(Tone::Strong, report.headline())
            .text(ending(report))
            .with(Tone::Faint, elapsed),
    ];
    let level = lines.last().map_or(Level::Result, |line| line.level);
    let is_said_below = |reason: &str| {
        report
            .observed
            .cause
            .as_ref()
            .is_some_and(|cause| cause.message == reason)
    };
    for reason in &report.reasons {
        if !is_said_below(reason) {
            lines.extend(entry(level, reason, width));
        }
    }
    let mut say = |label: &str, text: &str| lines.extend(fact(Level::Result, label, text, width));
    for (index, text) in proofs(&report.observed.faults).iter().enumerate() {
        say(if index == 0 { "proof" } else { "" }, text);
    }
    let is_refused_by_an_answer =
        report.verdict == ChaosVerdict::Refused && report.observed.has_wrong_answers();
    if let Some(text) = data(&report.data, report.has_afterwards())
        && !is_refused_by_an_answer
    {
        say("data", &text);
    }
    let phases = phases_of_one(&report.observed.faults);
    if report.observed.experiment.repeat == 1 && !phases.is_empty() {
        say("phases", &phases);
    }
    if report.observed.experiment.repeat > 1 {
        lines.extend(phases_of_many(report, width));
    }
    lines.extend(availability(&report.observed.availability, width));
    let mut say = |label: &str, text: &str| lines.extend(fact(Level::Result, label, text, width));
    for (label, text) in clients(report) {
        say(label, &text);
    }
    for text in &report.observed.compared {
        let judged = if text.is_regression {
            "slower"
        } else {
            "within tolerance"
        };
        // With few durations, the 95th percentile equals the maximum.
        let rank = if report.summary.values().all(Percentiles::are_few) {
            "at most"
        } else {
            "at p95"
        };
        let (new, old) = took_both(text.new_ms, text.old_ms);
        let what = text.what.replace('_', " ");
        let text = format!("{what} {rank}: {new} ({old} in the older run): {judged}");
        say("compared", &text);
    }
    lines
}

/// The rest of the headline.
fn ending(report: &ChaosReport) -> String {
    let faults = report.observed.experiment.repeat;
    match report.verdict {
        _ if report.verdict == ChaosVerdict::Survived || report.is_only_slow() => {
            let Some(times) = report.summary.get(&RecoveryPhase::AllEqual) else {
                return String::new();
            };
            let all = format!(
                "every replica gave the same answer again after {}",
                took(times.max)
            );
            match (report.verdict, faults) {
                (_, 1) => format!(": {all}"),
                (ChaosVerdict::Survived, _) => format!(" {faults} faults: {all} at most"),
                _ => format!(": {all} at most"),
            }
        }
        ChaosVerdict::DryRun => ": nothing was broken".to_owned(),
        ChaosVerdict::Undisturbed => {
            let replicas = &report.observed.availability.replicas;
            let probes: u64 = replicas.iter().map(|it| it.probes.right).sum();
            format!(
                ": {probes} probes of {}, every answer right",
                count(replicas.len(), "replica")
            )
        }
        _ => String::new(),
    }
}

/// The proof of the faults: for each pod, or in total if there are many.
fn proofs(faults: &[FaultRecord]) -> Vec<String> {
    let open: Vec<&FaultRecord> = faults
        .iter()
        .filter(|record| record.proof.is_none())
        .collect();
    if faults.len() <= PROVEN_PODS {
        return faults.iter().map(proof).collect();
    }
    let proven = faults.len() - open.len();
    let of = if faults.iter().any(|record| record.fault.keeps_pod()) {
        "a higher restart count and a later start"
    } else {
        "a new UID and a later start"
    };
    let mut texts = vec![format!("{proven} of {} proven by {of}", faults.len())];
    texts.extend(open.iter().take(PROVEN_PODS).map(|record| proof(record)));
    if open.len() > PROVEN_PODS {
        texts.push(format!(
            "… and {} more without proof",
            open.len() - PROVEN_PODS
        ));
    }
    texts
}

fn proof(record: &FaultRecord) -> String {
    let pod = &record.pod;
    if let Some(refused) = &record.refused {
        return format!("{pod}: not broken: {refused}");
    }
    let uids = match &record.uid_after {
        Some(after) if *after != record.uid_before => {
            let (before, after) = short_uids(&record.uid_before, after);
            format!(" (UID {before} before, {after} after)")
        }
        _ => format!(" (UID {})", short_uid(&record.uid_before)),
    };
    let proof = record.proof.as_deref().unwrap_or("none");
    format!("{pod}: {proof}{uids}")
}

fn short_uid(uid: &str) -> &str {
    uid.get(..SHORT_UID).unwrap_or(uid)
}

/// Two UIDs, shortened only if that still shows the difference.
fn short_uids<'a>(before: &'a str, after: &'a str) -> (&'a str, &'a str) {
    match (before.get(..SHORT_UID), after.get(..SHORT_UID)) {
        (Some(before), Some(after)) if before != after => (before, after),
        _ => (before, after),
    }
}

fn data(data: &DataProof, has_afterwards: bool) -> Option<String> {
    let before = data.before_sha256.as_deref().map(short_digest)?;
    let after = match data.after_sha256.as_deref() {
        Some(after) => short_digest(after),
        None if !has_afterwards => return Some(format!("{before} on every replica")),
        None => "unknown",
    };
    let words = match data.preserved {
        Some(true) => "the same",
        Some(false) => "NOT the same",
        None => "not compared",
    };
    Some(format!("{before} before, {after} after: {words}"))
}

/// The phases of a single fault; with several targets, the latest time of each phase.
fn phases_of_one(faults: &[FaultRecord]) -> String {
    let mut latest: BTreeMap<RecoveryPhase, u64> = BTreeMap::new();
    for record in faults {
        for (phase, after_ms) in &record.phases {
            let slot = latest.entry(*phase).or_insert(0);
            *slot = (*slot).max(*after_ms);
        }
    }
    let mut latest: Vec<(RecoveryPhase, u64)> = latest.into_iter().collect();
    // By time, because a replica may answer before it is Ready. Unfinished phases come last.
    latest.sort_by_key(|(phase, after_ms)| (phase.reach(faults).is_some(), *after_ms, *phase));
    let seen: Vec<String> = latest
        .iter()
        .map(|(phase, after_ms)| {
            let text = match phase.reach(faults) {
                Some((reached, all)) => format!("{} {reached} of {all}", phase.title()),
                None => format!("{} {}", phase.title(), took(*after_ms)),
            };
            unbroken(&text)
        })
        .collect();
    seen.join(", ")
}

fn phases_of_many(report: &ChaosReport, width: usize) -> Vec<Line> {
    let column = |title, importance| Column { title, importance };
    // With few durations, the 95th percentile equals the maximum.
    let are_few = report.summary.values().all(Percentiles::are_few);
    let [first, second] = if are_few {
        ["MIN", "MEDIAN"]
    } else {
        ["MEDIAN", "P95"]
    };
    let mut table = Table::new(&[
        column("PHASE", 0),
        column(first, 1),
        column(second, 0),
        column("MAX", 0),
    ]);
    for (phase, times) in &report.summary {
        let cell = |milliseconds| (Tone::Plain, took(milliseconds));
        let [first, second] = match (are_few, times.are_few()) {
            (true, _) => [cell(times.min), cell(times.p50)],
            (false, true) => [cell(times.p50), (Tone::Plain, "-".to_owned())],
            (false, false) => [cell(times.p50), cell(times.p95)],
        };
        let name = match phase.reach(&report.observed.faults) {
            Some((reached, all)) => format!("{} ({reached} of {all})", phase.title()),
            None => phase.title().to_owned(),
        };
        let name = (Tone::Strong, name);
        table.row(vec![name, first, second, cell(times.max)]);
    }
    if report.summary.is_empty() {
        return Vec::new();
    }
    table.lines(Level::Result, width)
}

/// Whether any probe shows what clients would have seen.
fn is_probed(availability: &Availability) -> bool {
    let mut replicas = availability.replicas.iter();
    replicas.any(|replica| replica.probes.decided() > 0)
}

/// A row for each replica; if there are many, the best ones are only summarised.
fn availability(availability: &Availability, width: usize) -> Vec<Line> {
    if !is_probed(availability) {
        return Vec::new();
    }
    let mut shown: Vec<&ReplicaAvailability> = availability.replicas.iter().collect();
    let mut hidden = Vec::new();
    if shown.len() > REPLICA_ROWS {
        shown.sort_by_key(|it| std::cmp::Reverse((it.longest_outage_ms, it.unknown_ms)));
        hidden = shown.split_off(REPLICA_ROWS);
    }
    let column = |title, importance| Column { title, importance };
    // Columns with bad or unknown values stay at every width.
    let is_wrong = shown.iter().any(|replica| replica.probes.wrong > 0);
    let has_unknown = shown.iter().any(|replica| replica.unknown_ms > 0);
    let mut columns = vec![
        column("REPLICA", 0),
        column("RIGHT", 1),
        column("PROBES", 3),
        column("LONGEST OUTAGE", 0),
        column("WRONG", if is_wrong { 0 } else { 2 }),
    ];
    columns.extend(has_unknown.then(|| column("UNKNOWN", 0)));
    let mut table = Table::new(&columns);
    for replica in shown {
        let mut row = vec![
            (Tone::Strong, replica.pod.clone()),
            (Tone::Plain, share(replica)),
            (Tone::Plain, replica.probes.decided().to_string()),
            longest_outage(replica),
            match replica.probes.wrong {
                0 => (Tone::Plain, "0".to_owned()),
                wrong => (Tone::Bad, wrong.to_string()),
            },
        ];
        row.extend(has_unknown.then(|| match replica.unknown_ms {
            0 => (Tone::Plain, "-".to_owned()),
            unknown => (Tone::Doubt, took(unknown)),
        }));
        table.row(row);
    }
    let mut lines = table.lines(Level::Result, width);
    if let Some(longest) = hidden.iter().map(|it| it.longest_outage_ms).max() {
        let wrong: u64 = hidden.iter().map(|it| it.probes.wrong).sum();
        let is_open = hidden.iter().any(|it| it.open_outage_ms.is_some());
        let outage = match (longest, is_open) {
            (_, true) => format!("outages of at least {}", took(longest)),
            (0, false) => "no outage".to_owned(),
            (longest, false) => format!("outages of at most {}", took(longest)),
        };
        let mut text = format!(
            "… and {} more, {outage}, {}",
            hidden.len(),
            count(wrong, "wrong answer")
        );
        let unknown = hidden.iter().map(|it| it.unknown_ms).max();
        if let Some(unknown @ 1..) = unknown {
            text = format!("{text}, unknown for at most {}", took(unknown));
        }
        lines.push(Line::said(Level::Result).with(Tone::Faint, text));
    }
    lines
}

/// The longest outage; an open one is never shown as finished.
fn longest_outage(replica: &ReplicaAvailability) -> (Tone, String) {
    let longest = took(replica.longest_outage_ms);
    match (replica.longest_outage_ms, replica.open_outage_ms) {
        _ if replica.probes.decided() == 0 => (Tone::Doubt, "unknown".to_owned()),
        (_, Some(_)) => (Tone::Bad, format!("at least {longest}")),
        (0, None) => (Tone::Good, "none".to_owned()),
        (_, None) => (Tone::Doubt, longest),
    }
}

fn share(replica: &ReplicaAvailability) -> String {
    let share = match replica.share {
        None => return "unknown".to_owned(),
        Some(share) => percent(share),
    };
    match replica.unknown_ms {
        0 => share,
        _ => format!("{share} of known"),
    }
}

/// What clients would have seen, and how well it was measured.
fn clients(report: &ChaosReport) -> Vec<(&'static str, String)> {
    let availability = &report.observed.availability;
    if !is_probed(availability) {
        return Vec::new();
    }
    let mut facts = Vec::new();
    let open = availability
        .replicas
        .iter()
        .filter(|it| it.open_outage_ms.is_some());
    for replica in open.take(REPLICA_ROWS) {
        let text = format!(
            "{} gave no right answer for {}",
            replica.pod,
            replica.away_for()
        );
        facts.push(("ongoing", text));
    }
    let is_known = availability.replicas.iter().all(|it| it.unknown_ms == 0);
    let none = match availability.none_answered_ms {
        0 if is_known => "at least one replica answered correctly at all times".to_owned(),
        0 => "as far as known, at least one replica answered correctly at all times".to_owned(),
        none => format!("no replica answered correctly for {}", took(none)),
    };
    let duration = took(availability.probed_ms);
    facts.push(("overall", format!("{none} (probed for {duration})")));
    for service in &availability.services {
        let text = match (service.failing_ms, service.down_ms) {
            (0, 0) if service.unknown_ms > 0 => format!(
                "{}: no request is known to have failed; its state is unknown for {}",
                service.service,
                took(service.unknown_ms)
            ),
            (0, 0) => format!(
                "{}: all ready endpoints answered correctly",
                service.service
            ),
            (failing, 0) => format!(
                "{}: requests may have failed for {}",
                service.service,
                took(failing)
            ),
            (failing, down) => format!(
                "{}: requests may have failed for {}; for {} of that, every request failed",
                service.service,
                took(failing),
                took(down)
            ),
        };
        facts.push(("service", text));
    }
    let text = format!(
        "every {}; largest gap {}",
        took(report.observed.prober.interval_ms),
        took(report.observed.prober.largest_gap_ms)
    );
    facts.push(("probes", text));
    facts
}

//! Whole experiments, played event by event.

use super::play::{Fate, Play, experiment, observed, played, same};
use super::prove::{answer, no_answer};
use super::{KEYS, at, finished, started, stateful_set};
use crate::event::{Event, EventKind};
use crate::exit::ExitStatus;
use crate::object::ObjectRef;
use crate::report::{
    Experiment, ExperimentSettings, Observed, Problem, Report, RestoreReport, Restored,
};

/// One survived fault.
pub(crate) fn survived() -> Vec<Event> {
    played(1, Fate::Recovers)
}

/// This many survived faults.
pub(crate) fn survived_often(repeat: u32) -> Vec<Event> {
    let mut events = played(repeat, Fate::Recovers);
    let middle = events.len() / 2;
    let elapsed_ms = events[middle].elapsed_ms;
    let silent = EventKind::ServerAnswers {
        unresponsive_for_ms: 2_300,
    };
    events.insert(middle, at(elapsed_ms, silent));
    events
}

/// One fault after which a replica has different data.
pub(crate) fn forgotten() -> Vec<Event> {
    played(1, Fate::Forgets)
}

/// One fault without a recovery.
pub(crate) fn crashed() -> Vec<Event> {
    played(1, Fate::Crashes)
}

/// One fault without proof.
pub(crate) fn unproven() -> Vec<Event> {
    played(1, Fate::Unproven)
}

/// A refusal, because the workload is already broken.
pub(crate) fn refused() -> Vec<Event> {
    let experiment = experiment(1);
    let mut play = Play::new(&experiment);
    let answers = [
        answer(0, KEYS),
        no_answer(
            1,
            Problem::WrongStatus {
                status: 500,
                expected: 200,
                location: None,
                may_want_tls: false,
            },
        ),
    ];
    let before = play.verify(60, &answers);
    play.finish(|play| observed(play, experiment, before))
}

/// A control run.
pub(crate) fn control() -> Vec<Event> {
    let experiment = Experiment {
        settings: ExperimentSettings {
            fault: None,
            control_ms: Some(10_000),
            ..experiment(1).settings
        },
        repeat: 0,
        pods: Vec::new(),
        ..experiment(1)
    };
    let mut play = Play::new(&experiment);
    let before = play.verify(60, &same());
    play.now_ms = 10_060;
    play.counted(112);
    let after = play.verify(10_070, &same());
    play.finish(|play| Observed {
        after: Some(after),
        ..observed(play, experiment, before)
    })
}

/// A dry run.
pub(crate) fn dry_run() -> Vec<Event> {
    let mut experiment = experiment(1);
    experiment.settings.dry_run = true;
    let mut play = Play::new(&experiment);
    let before = play.verify(60, &same());
    play.finish(|play| observed(play, experiment, before))
}

/// The restoration after a killed experiment.
pub(crate) fn restored() -> Vec<Event> {
    let report = RestoreReport {
        object: stateful_set(),
        restored: vec![Restored {
            object: ObjectRef::new("", "Node", None, "worker"),
            what: "uncordoned".into(),
        }],
    };
    let report = Some(Report::Restore(report));
    vec![started("chaos"), finished(300, ExitStatus::Success, report)]
}

/// Ctrl-C during a recovery.
pub(crate) fn interrupted() -> Vec<Event> {
    let mut events = survived();
    events.retain(|event| event.elapsed_ms < 3_000);
    events.push(finished(3_000, ExitStatus::Interrupted, None));
    events
}

/// Every experiment, by name.
pub(crate) fn experiments() -> Vec<(&'static str, Vec<Event>)> {
    vec![
        ("survived", survived()),
        ("survived-often", survived_often(100)),
        ("forgotten", forgotten()),
        ("crashed", crashed()),
        ("unproven", unproven()),
        ("refused", refused()),
        ("control", control()),
        ("dry-run", dry_run()),
        ("interrupted", interrupted()),
    ]
}

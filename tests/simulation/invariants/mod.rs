//! The invariants of every run, whatever goes wrong.

mod calm;
mod events;
mod experiment_writes;
mod experiments;
mod replicas;
mod requests;
mod verdicts;
mod writes;

use std::time::Duration;

use crate::run::{Played, Run, Said};
use crate::truth::Span;

/// How long after its deadline an operation may still run: it waits for its running requests.
const AFTER_DEADLINE: Duration = Duration::from_secs(6);

/// One operation of a run, to be judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) run: &'a Run,
    pub(crate) played: &'a Played,
}

impl Case<'_> {
    /// The time of the operation.
    pub(crate) fn span(&self) -> Span {
        Span {
            from: self.played.start,
            to: self.played.end,
        }
    }
}

/// Everything that is wrong with a run.
pub(crate) fn broken(run: &Run) -> Vec<String> {
    let mut wrong: Vec<String> = run
        .panics
        .iter()
        .map(|panic| format!("panic: {panic}"))
        .collect();
    for played in &run.played {
        let case = Case { run, played };
        let mut found = in_time(&case);
        found.extend(verdicts::broken(&case));
        found.extend(writes::broken(&case));
        found.extend(experiments::left_behind(&case));
        found.extend(requests::broken(&case));
        found.extend(events::broken(&case));
        found.extend(calm::broken(&case));
        wrong.extend(
            found
                .into_iter()
                .map(|what| format!("{:?}: {what}", played.act.operation)),
        );
    }
    wrong
}

/// No operation continues after its deadline.
fn in_time(case: &Case<'_>) -> Vec<String> {
    let played = case.played;
    let took = played.end - played.start;
    let longest = played.act.operation.longest(played.act.timeout);
    match played.said {
        Said::Hung => vec!["it never ends".to_owned()],
        Said::Panicked => vec!["it panics".to_owned()],
        _ if took > longest + AFTER_DEADLINE => vec![format!("it takes {took:?} of {longest:?}")],
        _ => Vec::new(),
    }
}

//! A run as text: printed for a failing seed, and compared for two runs of one seed.

use std::fmt::Write;

use tokio::time::Instant;

use crate::run::{Played, Run, Said};

/// Everything, without wall-clock times.
pub(crate) fn of(run: &Run) -> String {
    let mut text = format!("{:#?}\n", run.scenario);
    for played in &run.played {
        text += &act(run, played, usize::MAX);
    }
    text
}

/// One operation: its last requests and events, and its verdict.
pub(crate) fn act(run: &Run, played: &Played, most: usize) -> String {
    let mut text = format!(
        "== {:?}, {:?}\n",
        played.act.operation,
        played.end - played.start
    );
    let requests = played.requests.clone();
    let skipped = requests.len().saturating_sub(most);
    for index in requests.skip(skipped) {
        for (before, at, disturbance) in &run.disturbances {
            if *before == index && *at <= run.requests[index].at {
                _ = writeln!(text, "{} *** {disturbance}", moment(run, *at));
            }
        }
        let request = &run.requests[index];
        let executed = request
            .executed
            .as_ref()
            .map_or("-".to_owned(), |executed| {
                format!(
                    "{} {}..{}",
                    executed.status, executed.before, executed.after
                )
            });
        let fault = request.fault.clone().unwrap_or_default();
        _ = writeln!(
            text,
            "{} {} -> {executed} {fault}",
            moment(run, request.at),
            request.line()
        );
    }
    let skipped = played.events.len().saturating_sub(most);
    for event in played.events.iter().skip(skipped) {
        _ = writeln!(text, "{}", serde_json::to_string(&event.kind).unwrap());
    }
    _ = writeln!(text, "=> {}", said(&played.said));
    text
}

fn moment(run: &Run, at: Instant) -> String {
    format!("{:9.3}", (at - run.start).as_secs_f64())
}

fn said(said: &Said) -> String {
    let json = |report: serde_json::Result<String>| report.unwrap();
    match said {
        Said::Up(Ok(report)) => json(serde_json::to_string(report)),
        Said::Rollout(Ok(report)) => json(serde_json::to_string(report)),
        Said::Verify(Ok(report)) => json(serde_json::to_string(report)),
        Said::Chaos(Ok(report)) => json(serde_json::to_string(report)),
        Said::Up(Err(error))
        | Said::Rollout(Err(error))
        | Said::Verify(Err(error))
        | Said::Chaos(Err(error)) => format!("{error:?}"),
        Said::Hung | Said::Panicked => format!("{said:?}"),
    }
}

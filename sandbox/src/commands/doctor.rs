//! `doctor`: what this machine lacks.

use crate::doctor;
use crate::terminal;

/// Prints every check; returns whether a sandbox can be started.
pub(crate) fn run() -> bool {
    let checks = doctor::examine();
    for check in &checks {
        match &check.problem {
            None => terminal::data(format_args!("ok       {}", check.what)),
            Some(problem) => {
                terminal::data(format_args!("missing  {}: {}", check.what, problem.found));
                terminal::data(format_args!("         remedy: {}", problem.remedy));
            }
        }
    }
    let ready = checks.iter().all(|check| check.problem.is_none());
    if ready {
        terminal::data("`start` fetches and builds the rest by itself.");
    }
    ready
}

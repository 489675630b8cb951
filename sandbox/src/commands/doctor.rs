//! `doctor`: what this machine lacks.

use crate::cache::Cache;
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
    let outstanding = Cache::of_user().map(|cache| doctor::outstanding(&cache));
    for title in outstanding.unwrap_or_default() {
        terminal::data(format_args!("later    `start` gets {title}"));
    }
    ready
}

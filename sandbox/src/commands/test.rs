//! `test`: every test, including those on a real cluster.

use crate::browser;
use crate::cache::Cache;
use crate::error::SandboxError;
use crate::instance::InstanceName;
use crate::interrupt::Interrupt;
use crate::workspace::{self, Session};

/// Runs the hermetic tests, then the end-to-end tests on an instance started for them.
///
/// # Errors
/// When a step fails: later steps do not run, but the instance is stopped.
pub(crate) fn run(
    name: &InstanceName,
    keep: bool,
    arguments: &[String],
    interrupt: &Interrupt,
) -> Result<(), SandboxError> {
    let session = Session::new(name, interrupt)?;
    // Always the whole workspace: a part of it would have dependencies with fewer features, and
    // cargo would build those again.
    session.step(workspace::cargo(&["build", "--workspace"]))?;
    // Most tests wait for a program that waits for something else. With more threads, each would
    // wait so long for the others on a busy machine that it would measure the machine.
    session.step(workspace::cargo(&[
        "test",
        "--workspace",
        "--",
        "--test-threads=4",
    ]))?;
    session.step(workspace::go(&["test", "./..."]))?;
    let browser = browser::ensure(&Cache::of_user()?)?;
    session.with_cluster(keep, || {
        let instance = super::open(name)?;
        let mut tests = workspace::cargo(&["test", "--workspace", "--test", "e2e"]);
        tests
            .args(["--", "--test-threads=8"])
            .args(arguments)
            .env("CRYPTOCTL_SANDBOX_BROWSER", &browser);
        session.tell(&instance, &mut tests);
        Ok(session.step(tests)?)
    })
}

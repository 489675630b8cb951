//! `bench`: the benchmarks, on an instance started for them.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::cache::Cache;
use crate::cli::Bench;
use crate::error::SandboxError;
use crate::fake_nodes;
use crate::interrupt::Interrupt;
use crate::toolchain::{self, GoModule, HELM, KUBERNETES, KWOK};
use crate::workspace::{self, Session};

/// The package of the benchmarks, and its program.
const PROGRAM: &str = "cryptoctl-bench";

/// Builds the programs, then runs the benchmarks on an instance started for them.
///
/// # Errors
/// When something cannot be built, and when the benchmarks fail.
pub(crate) fn run(bench: &Bench, interrupt: &Interrupt) -> Result<(), SandboxError> {
    let session = Session::new(&bench.name, interrupt)?;
    session.step(workspace::cargo(&["build", "--package", PROGRAM]))?;
    let program = session.executable().with_file_name(PROGRAM);
    // Check for errors before anything slow starts.
    session.step(bench.selected(&program, "check"))?;
    // Built like a release: only this package.
    session.step(workspace::cargo(&["build", "--release", "--locked"]))?;
    let cache = Cache::of_user()?;
    let helm = HELM.ensure(&cache, interrupt)?.join("helm");
    // Needed last, but built before the measurements start.
    KWOK.ensure(&cache, interrupt)?;
    let versions = versions()?;
    session.with_cluster(bench.keep, || {
        let instance = super::open(&bench.name)?;
        let step = |mut command: Command| {
            session.tell(&instance, &mut command);
            command
                .env("CRYPTOCTL_SANDBOX_HELM", &helm)
                .env("CRYPTOCTL_SANDBOX_AUDIT_LOG", instance.audit_log())
                .env(
                    "CRYPTOCTL_SANDBOX_BENCH_FOLDER",
                    instance.folder.join("bench"),
                )
                .env("CRYPTOCTL_SANDBOX_VERSIONS", &versions);
            session.step(command)
        };
        let measured = step(bench.selected(&program, "run"));
        // Stopping the sandbox removes all objects in it.
        let cleaned = if bench.keep {
            step(workspace::program(&program, &["clean"]))
                .map_err(SandboxError::from)
                .and_then(|()| fake_nodes::remove(&instance))
        } else {
            Ok(())
        };
        measured?;
        cleaned
    })
}

impl Bench {
    /// A command of the benchmark program, with the selected measurements.
    fn selected(&self, program: &Path, command: &str) -> Command {
        let mut selected = workspace::program(program, &[command]);
        selected.args(["--runs", &self.runs.to_string()]);
        for name in &self.only {
            selected.args(["--only", name]);
        }
        selected
    }
}

/// The versions of the built programs, as JSON.
fn versions() -> Result<String, SandboxError> {
    let of = |tool: &GoModule, module| tool.version_of(module).unwrap_or("unknown");
    let versions = json!([
        ["Kubernetes, kubectl", of(&KUBERNETES, "k8s.io/kubernetes")],
        ["helm", of(&HELM, "helm.sh/helm/v4")],
        ["kwok", of(&KWOK, "sigs.k8s.io/kwok")],
        ["Go", toolchain::go_version()?],
    ]);
    Ok(versions.to_string())
}

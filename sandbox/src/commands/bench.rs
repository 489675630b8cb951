//! `bench`: the release build against kubectl and helm, and the documents of the figures.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bench::audit::AuditLog;
use crate::bench::error::BenchError;
use crate::bench::machine::Machine;
use crate::bench::results::Results;
use crate::bench::runner::Runner;
use crate::bench::stage::{Programs, Stage};
use crate::bench::work::{self, RECOVERY, Work};
use crate::bench::{chart, document, recovery};
use crate::cache::Cache;
use crate::cli::Bench;
use crate::command;
use crate::error::SandboxError;
use crate::fake_nodes;
use crate::files::FileError;
use crate::interrupt::Interrupt;
use crate::terminal;
use crate::toolchain;
use crate::workspace::{self, Session};

/// A median of fewer says little.
const LEAST_RUNS: u32 = 10;

/// Measures on an instance started for it; writes the documents unless only a part is measured.
///
/// # Errors
/// When something cannot be built, deployed or measured.
pub(crate) fn run(bench: &Bench, interrupt: &Interrupt) -> Result<(), SandboxError> {
    if bench.only.is_empty() && bench.runs < LEAST_RUNS {
        return Err(BenchError::TooFewRuns {
            given: bench.runs,
            least: LEAST_RUNS,
        }
        .into());
    }
    let session = Session::new(&bench.name, interrupt)?;
    // As a release is built: the package alone.
    session.step(workspace::cargo(&["build", "--release", "--locked"]))?;
    let cache = Cache::of_user()?;
    let helm = toolchain::HELM.ensure(&cache, interrupt)?;
    // Asked for last, but built before anything is measured.
    toolchain::KWOK.ensure(&cache, interrupt)?;
    let target = target_folder(session.executable());
    session.with_cluster(bench.keep, || {
        let instance = super::open(&bench.name)?;
        let stage = Stage {
            programs: Programs {
                cryptoctl: target.join("release/cryptoctl"),
                kubectl: instance.tools().kubernetes_program("kubectl"),
                helm: helm.join("helm"),
            },
            folder: instance.folder.join("bench"),
            kubeconfig: instance.kubeconfig(),
            interrupt,
        };
        let runner = Runner {
            executable: session.executable().to_owned(),
            stage: &stage,
            audit: AuditLog::open(&instance.folder.join("logs/audit.log"))?,
            runs: bench.runs,
        };
        let measured = measure(bench, runner, || {
            super::fake_nodes::run(&bench.name, interrupt)
        });
        // A sandbox that is stopped takes everything along.
        let cleaned = if bench.keep {
            stage.clean().and_then(|()| fake_nodes::remove(&instance))
        } else {
            Ok(())
        };
        let results = measured?;
        cleaned?;
        if bench.only.is_empty() {
            write(&results, &target)?;
        }
        Ok(())
    })
}

fn measure(
    bench: &Bench,
    mut runner: Runner,
    ensure_fake_nodes: impl FnOnce() -> Result<(), SandboxError>,
) -> Result<Results, SandboxError> {
    let stage = runner.stage;
    stage.write()?;
    let cryptoctl = command::run(&stage.programs.cryptoctl, ["--version"])?;
    let machine = Machine::here(&cryptoctl);
    let floor = runner.floor()?;
    let mut works = Vec::new();
    let mut measure_all = |chosen: &[Work]| {
        for work in chosen {
            let result = runner.work(work)?;
            terminal::progress(document::render_work(&result));
            works.push(result);
        }
        Ok::<(), SandboxError>(())
    };
    let on_the_real_node = bench.chosen(work::works(&stage.programs));
    if !on_the_real_node.is_empty() || bench.chooses(RECOVERY) {
        stage.prepare()?;
    }
    measure_all(&on_the_real_node)?;
    let mut recoveries = Vec::new();
    if bench.chooses(RECOVERY) {
        recoveries = recovery::measure(stage)?;
        for recovery in &recoveries {
            let median = recovery.median();
            terminal::progress(format_args!("{}: {median:.1} s", recovery.set));
        }
    }
    // Last, so that nothing else is measured beside hundreds of pods.
    let on_fake_nodes = bench.chosen(work::works_on_fake_nodes(&stage.programs));
    if !on_fake_nodes.is_empty() {
        ensure_fake_nodes()?;
        stage.prepare_crowds()?;
    }
    measure_all(&on_fake_nodes)?;
    Ok(Results {
        machine,
        runs: bench.runs,
        floor,
        binary_bytes: size(&stage.programs.cryptoctl)?,
        works,
        recoveries,
    })
}

impl Bench {
    fn chosen(&self, mut works: Vec<Work>) -> Vec<Work> {
        works.retain(|work| self.chooses(work.name));
        works
    }

    /// Whether this is to be measured: everything, unless something is asked for.
    fn chooses(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|chosen| chosen == name)
    }
}

/// Writes the documents, and every single figure below cargo's target folder.
fn write(results: &Results, target: &Path) -> Result<(), SandboxError> {
    let docs = workspace::root().join("docs");
    let raw = serde_json::to_string_pretty(results).map_err(BenchError::Json)?;
    for (path, text) in [
        (target.join("benchmarks.json"), raw),
        (docs.join("benchmarks.svg"), chart::render(results)),
        (docs.join("benchmarks.md"), document::render(results)),
    ] {
        fs::write(&path, text).map_err(FileError::at("write", &path))?;
        terminal::data(path.display());
    }
    Ok(())
}

/// cargo's target folder: this program is `debug/cryptoctl-sandbox` in it.
fn target_folder(executable: &Path) -> PathBuf {
    let folder = executable.ancestors().nth(2);
    folder.unwrap_or(executable).to_owned()
}

fn size(path: &Path) -> Result<u64, FileError> {
    let metadata = fs::metadata(path).map_err(FileError::at("read", path))?;
    Ok(metadata.len())
}

#[cfg(test)]
mod tests {
    use crate::bench::work::{NAMES, PROBING, SCALE};
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn chosen(arguments: &[&str]) -> Vec<&'static str> {
        let line = [&["sandbox", "bench"], arguments].concat();
        let Command::Bench(bench) = Cli::parse_from(line).command else {
            panic!("{arguments:?} is not for `bench`");
        };
        NAMES.into_iter().filter(|it| bench.chooses(it)).collect()
    }

    #[test]
    fn what_is_named_is_measured_alone() {
        assert_eq!(chosen(&["--only", SCALE]), [SCALE]);
        assert_eq!(
            chosen(&["--only", PROBING, "--only", SCALE]),
            [SCALE, PROBING]
        );
        assert_eq!(chosen(&[]), NAMES);
    }
}

//! One run of the benchmarks: all selected measurements, and the documents.

use std::fs;
use std::path::Path;

use crate::audit::AuditLog;
use crate::cli::Selection;
use crate::environment::Environment;
use crate::error::BenchError;
use crate::machine::Machine;
use crate::results::Results;
use crate::runner::Runner;
use crate::stage::{self, Stage};
use crate::work::{self, RECOVERY, Work};
use crate::{chart, document, recovery, terminal};

/// Runs the selected measurements; writes the documents only if everything was measured.
///
/// # Errors
/// When something cannot be deployed, measured or written.
pub(crate) fn run(selection: &Selection, environment: &Environment) -> Result<(), BenchError> {
    let results = measure(selection, environment)?;
    if selection.is_all() {
        write(&results, environment)?;
    }
    Ok(())
}

fn measure(selection: &Selection, environment: &Environment) -> Result<Results, BenchError> {
    let stage = Stage::new(environment);
    let mut runner = Runner {
        executable: &environment.executable,
        stage: &stage,
        audit: AuditLog::open(&environment.audit_log)?,
        runs: selection.runs,
    };
    stage.write(&environment.workspace)?;
    let machine = Machine::here(&stage.programs.cryptoctl, &environment.versions);
    let floor = runner.floor()?;
    let mut works = Vec::new();
    let mut measure_all = |chosen: &[Work]| {
        for work in chosen {
            let result = runner.work(work)?;
            terminal::progress(document::render_work(&result));
            works.push(result);
        }
        Ok::<(), BenchError>(())
    };
    let on_the_real_node = selection.chosen(work::works(&stage.programs));
    if !on_the_real_node.is_empty() || selection.chooses(RECOVERY) {
        stage.prepare()?;
    }
    measure_all(&on_the_real_node)?;
    let mut recoveries = Vec::new();
    if selection.chooses(RECOVERY) {
        recoveries = recovery::measure(&stage)?;
        for recovery in &recoveries {
            let median = recovery.median();
            terminal::progress(format_args!("{}: {median:.1} s", recovery.set));
        }
    }
    // Last, so that nothing else is measured next to hundreds of pods.
    let on_fake_nodes = selection.chosen(work::works_on_fake_nodes(&stage.programs));
    if !on_fake_nodes.is_empty() {
        stage::succeed(environment.fake_nodes())?;
        stage.prepare_crowds()?;
    }
    measure_all(&on_fake_nodes)?;
    Ok(Results {
        machine,
        runs: selection.runs,
        floor,
        binary_bytes: size(&stage.programs.cryptoctl)?,
        works,
        recoveries,
    })
}

/// Writes the documents, and every single figure below cargo's target folder.
fn write(results: &Results, environment: &Environment) -> Result<(), BenchError> {
    let docs = environment.workspace.join("docs");
    let raw = serde_json::to_string_pretty(results).map_err(BenchError::Json)?;
    for (path, text) in [
        (environment.target().join("benchmarks.json"), raw),
        (docs.join("benchmarks.svg"), chart::render(results)),
        (docs.join("benchmarks.md"), document::render(results)),
    ] {
        fs::write(&path, text).map_err(BenchError::file("write", &path))?;
        terminal::data(path.display());
    }
    Ok(())
}

fn size(path: &Path) -> Result<u64, BenchError> {
    let metadata = fs::metadata(path).map_err(BenchError::file("read", path))?;
    Ok(metadata.len())
}

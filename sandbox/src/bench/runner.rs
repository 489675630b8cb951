//! Measures works: one unmeasured round to warm up, then the contenders in turn.

use std::path::PathBuf;

use super::audit::AuditLog;
use super::error::BenchError;
use super::measure::{self, Piece, Usage};
use super::results::{Sample, Series, WorkResult};
use super::stage::Stage;
use super::work::{Contender, Work};
use crate::error::SandboxError;
use crate::files;
use crate::terminal;

/// Runs what is measured.
pub(crate) struct Runner<'a> {
    /// This program, which measures in processes of its own.
    pub(crate) executable: PathBuf,
    pub(crate) stage: &'a Stage<'a>,
    pub(crate) audit: AuditLog,
    /// How often each contender is measured.
    pub(crate) runs: u32,
}

impl Runner<'_> {
    /// Measures a work.
    ///
    /// # Errors
    /// When a contender fails, and when interrupted.
    pub(crate) fn work(&mut self, work: &Work) -> Result<WorkResult, SandboxError> {
        terminal::progress(format_args!("measuring {}: {}", work.name, work.title));
        let mut series: Vec<Series> = work
            .contenders
            .iter()
            .map(|contender| Series {
                tool: contender.tool,
                command: contender.piece.shown(),
                runs: Vec::new(),
            })
            .collect();
        for run in 0..=self.runs {
            for (contender, series) in work.contenders.iter().zip(&mut series) {
                let sample = self.sample(contender)?;
                // The first round fills caches, of the tools and of the API server.
                if run > 0 {
                    series.runs.push(sample);
                }
            }
        }
        let talks = work.name != "version";
        if let Some(silent) = series
            .iter()
            .find(|series| talks && series.runs.iter().any(|run| run.requests == 0))
        {
            return Err(BenchError::NotCounted(silent.tool).into());
        }
        let result = WorkResult {
            name: work.name,
            title: work.title.clone(),
            objects: work.objects,
            series,
            checks: Vec::new(),
        };
        Ok(result.with_goals(&work.goals))
    }

    /// What a program takes that does nothing.
    ///
    /// # Errors
    /// When it cannot be measured.
    pub(crate) fn floor(&self) -> Result<Usage, SandboxError> {
        self.measure(&Piece::Command(vec!["true".to_owned()]))
    }

    fn sample(&mut self, contender: &Contender) -> Result<Sample, SandboxError> {
        self.audit.skip()?;
        let usage = self.measure(&contender.piece)?;
        let requests = self.audit.count(contender.tool.agent())?;
        Ok(Sample { usage, requests })
    }

    fn measure(&self, piece: &Piece) -> Result<Usage, SandboxError> {
        let damaged = |source| BenchError::Damaged {
            command: piece.shown(),
            source,
        };
        let into = self.stage.folder.join("usage.json");
        let text = serde_json::to_string(piece).map_err(damaged)?;
        let mut command = self.stage.command(&self.executable);
        command.args([measure::COMMAND, &text, "--into"]).arg(&into);
        if !self.stage.run(command)?.success() {
            let command = piece.shown();
            return Err(BenchError::NotMeasured { command }.into());
        }
        let usage = serde_json::from_str(&files::read(&into)?);
        Ok(usage.map_err(damaged)?)
    }
}

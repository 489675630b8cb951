//! Measures works: one unmeasured round to warm up, then all contenders alternately.

use std::fs;
use std::path::Path;

use crate::audit::AuditLog;
use crate::error::BenchError;
use crate::measure::{self, Piece, Usage};
use crate::results::{Sample, Series, WorkResult};
use crate::stage::{self, Stage};
use crate::terminal;
use crate::work::{Contender, Work};

/// Runs the measurements.
pub(crate) struct Runner<'a> {
    /// This program, which runs each measurement in a separate process.
    pub(crate) executable: &'a Path,
    pub(crate) stage: &'a Stage,
    pub(crate) audit: AuditLog,
    /// The number of measured runs of each contender.
    pub(crate) runs: u32,
}

impl Runner<'_> {
    /// Measures a work.
    ///
    /// # Errors
    /// When a contender fails.
    pub(crate) fn work(&mut self, work: &Work) -> Result<WorkResult, BenchError> {
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
                // The first round fills the caches of the tools and of the API server.
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
            return Err(BenchError::NotCounted(silent.tool));
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

    /// The figures of a program that does nothing.
    ///
    /// # Errors
    /// When it cannot be measured.
    pub(crate) fn floor(&self) -> Result<Usage, BenchError> {
        self.measure(&Piece::Command(vec!["true".to_owned()]))
    }

    fn sample(&mut self, contender: &Contender) -> Result<Sample, BenchError> {
        self.audit.skip()?;
        let usage = self.measure(&contender.piece)?;
        let requests = self.audit.count(contender.tool.agent())?;
        Ok(Sample { usage, requests })
    }

    fn measure(&self, piece: &Piece) -> Result<Usage, BenchError> {
        let damaged = |source| BenchError::Damaged {
            command: piece.shown(),
            source,
        };
        let into = self.stage.folder.join("usage.json");
        let text = serde_json::to_string(piece).map_err(damaged)?;
        let mut command = self.stage.command(self.executable);
        command.args([measure::COMMAND, &text, "--into"]).arg(&into);
        if !stage::run(command)?.success() {
            let command = piece.shown();
            return Err(BenchError::NotMeasured { command });
        }
        let text = fs::read_to_string(&into).map_err(BenchError::file("read", &into))?;
        serde_json::from_str(&text).map_err(damaged)
    }
}

//! `cryptoctl` deploys a StatefulSet whose replicas share one volume, and proves that every replica
//! serves the same data.
//!
//! Data flows one way: arguments become settings, files become manifests, and both go through `ops`
//! to the cluster. Events come back, and `render` shows them. `docs/architecture.md` gives the
//! reasons.

pub mod action;
pub mod address;
pub mod answer;
pub mod built_in;
pub mod chaos;
pub mod cli;
pub mod cluster;
mod commands;
pub mod config;
pub mod diagnose;
pub mod emitter;
pub mod error;
pub mod event;
pub mod exit;
pub mod expectation;
pub mod fault;
pub mod fields;
pub mod figures;
mod file;
pub mod interrupt;
pub mod inventory;
pub mod json;
pub mod manifest;
pub mod memory;
pub mod object;
pub mod ops;
pub mod plan;
pub mod quantity;
pub mod recording;
pub mod render;
pub mod replacement;
pub mod report;
pub mod risk;
pub mod rollout;
pub mod saved_file;
pub mod secret;
pub mod settings;
mod shell;
mod start;
pub mod status;
pub mod timeline;
pub mod ui;
pub mod values;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::cli::Cli;
use crate::emitter::Emitter;
use crate::error::CommandError;
use crate::event::{Conclusion, ErrorText, EventKind};
use crate::exit::ExitStatus;
use crate::interrupt::Stop;
use crate::recording::Recording;
use crate::render::{document, terminal};
use crate::report::Report;
use crate::start::StartError;
use crate::ui::{OutputError, Stream, Streams, Ui};

/// Runs the command in the arguments; the first argument is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    report_bugs();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let error = cli::with_tips(error, &arguments);
            if error.use_stderr() {
                refuse(&error);
                return exit_code(ExitStatus::Usage);
            }
            // Help and version are data for standard output; a reader that has closed it is not a
            // failure.
            let printed = error.print();
            let is_lost = printed.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe);
            return exit_code(if is_lost {
                ExitStatus::Failed
            } else {
                ExitStatus::Success
            });
        }
    };
    let unable = |error: &StartError| {
        let ui = Ui::new(
            Streams::of_process(),
            cli.global.color,
            settings::terminal(),
        );
        ui.write_errors(&error::lines(error));
        exit_code(ExitStatus::Failed)
    };
    if let Err(error) = start::check(cli.global.output == terminal::OutputFormat::Json) {
        return unable(&error);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(source) => return unable(&StartError::Runtime { source }),
    };
    let status = runtime.block_on(execute(&cli));
    // A question on the terminal may still be open on its own thread.
    runtime.shutdown_background();
    exit_code(status)
}

/// Prints why a command line is invalid.
fn refuse(error: &clap::Error) {
    let ui = Ui::new(
        Streams::of_process(),
        ui::ColorChoice::Auto,
        settings::terminal(),
    );
    let text = error.render();
    let text = if ui.has_colour(Stream::Stderr) {
        text.ansi().to_string()
    } else {
        text.to_string()
    };
    ui.write_errors(&terminal::broken(&text, ui.width()));
}

async fn execute(cli: &Cli) -> ExitStatus {
    let ui = Ui::new(
        Streams::of_process(),
        cli.global.color,
        settings::terminal(),
    );
    let display = settings::display(&cli.global, &ui);
    let (emitter, events) = Emitter::new();
    let emitter = emitter.addressed(settings::address(cli));
    let files = cli.command.report_files();
    let recording = Recording::default();
    let emitter = if files.is_empty() {
        emitter
    } else {
        emitter.recorded(recording.clone())
    };
    let mut rendering = terminal::spawn(display, ui.clone(), events);
    let stop = Stop::default();
    let mut interrupted = None;
    let mut unread = None;
    let command = commands::run(cli, &ui, emitter.clone(), stop.clone());
    tokio::pin!(command);
    let conclusion = loop {
        tokio::select! {
            biased;
            // A second signal ends work that does not stop after the first. A hangup may come
            // twice, from the kernel and from the shell, so it does not count as a second signal.
            status = interrupt::signal() => if interrupted.is_none() && stop.ask() {
                interrupted = Some(status);
            } else if status != ExitStatus::HungUp || interrupted.is_none() {
                let left = interrupted.and_then(|_| left_behind(cli));
                break conclude(status, None, left);
            },
            result = &mut command => match result {
                Ok(Some(report)) => {
                    let status = ExitStatus::from(report.outcome());
                    break conclude(interrupted.unwrap_or(status), Some(report), None);
                }
                Ok(None) => return ExitStatus::Success,
                Err(CommandError { status, text }) => {
                    break conclude(interrupted.unwrap_or(status), None, Some(text));
                }
            },
            // Nobody reads the output any more: only the restoration is left to do.
            ended = &mut rendering, if files.is_empty() && unread.is_none() => {
                let delivered = delivered(&ui, ended.unwrap_or(Ok(())), ExitStatus::Success);
                if !stop.ask() {
                    return delivered;
                }
                unread = Some(delivered);
            }
        }
    };
    let status = conclusion.status;
    if let Some(delivered) = unread {
        return match status {
            ExitStatus::Success => delivered,
            _ => status,
        };
    }
    emitter.send(EventKind::Finished(conclusion));
    // Before anything that a second Ctrl-C would end.
    let unsaved = match status {
        // Nothing was sent, so there is nothing to report.
        ExitStatus::Usage => Vec::new(),
        _ => recording.read(|events| document::save_all(events, files)),
    };
    let status = tokio::select! {
        ended = &mut rendering => delivered(&ui, ended.unwrap_or(Ok(())), status),
        // After Ctrl-C, do not wait for a reader that has stopped reading.
        () = tokio::time::sleep(LAST_WORDS), if status.is_interruption() => status,
        signal = interrupt::signal() => signal,
    };
    for error in &unsaved {
        ui.write_errors(&error::lines(error));
    }
    match status {
        ExitStatus::Success if !unsaved.is_empty() => ExitStatus::Failed,
        _ => status,
    }
}

/// What to do when a second signal ends an experiment before it has restored its changes.
fn left_behind(cli: &Cli) -> Option<ErrorText> {
    matches!(cli.command, cli::Command::Chaos(_)).then(|| ErrorText {
        message: "ended before everything was restored".to_owned(),
        causes: Vec::new(),
        hints: vec![
            "undo what the experiment has left behind with `cryptoctl chaos --restore`, with the \
             same `-n` and workload"
                .to_owned(),
        ],
    })
}

/// How long an interrupted run waits for its last output to be read.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The status, or a failure if standard output could not be written. A closed reader, such as
/// `head`, has read enough.
fn delivered(ui: &Ui, written: Result<(), OutputError>, status: ExitStatus) -> ExitStatus {
    match (written, status) {
        (Err(error @ OutputError::Failed(_)), status) => {
            ui.write_errors(&error::lines(&error));
            match status {
                ExitStatus::Success => ExitStatus::Failed,
                _ => status,
            }
        }
        _ => status,
    }
}

fn conclude(status: ExitStatus, report: Option<Report>, error: Option<ErrorText>) -> Conclusion {
    Conclusion {
        status,
        exit_code: status.code(),
        outcome: report.as_ref().map(Report::outcome),
        report,
        error,
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    ExitCode::from(status.code())
}

/// Ends the process with its own status when an invariant is broken, from any task or thread.
pub fn report_bugs() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        default(panic);
        std::process::exit(i32::from(ExitStatus::Bug.code()));
    }));
}

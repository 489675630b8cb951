//! `verify`

use super::{Session, report};
use crate::cli::VerifyArgs;
use crate::error::CommandError;
use crate::event::EventKind;
use crate::ops::{self, Verification, WatchTimes};
use crate::report::Report;
use crate::saved_file;
use crate::settings;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &VerifyArgs,
) -> Result<Report, CommandError> {
    report::possible(&arguments.files.report, false)?;
    if let Some(path) = &arguments.save_baseline {
        report::has_folder("--save-baseline", path)?;
    }
    // Files that cannot be read are reported before any request is sent.
    let baseline = match &arguments.baseline {
        Some(path) => {
            let path = path.clone();
            let read = move || saved_file::read(&path);
            Some(settings::in_time(session.cli.global.timeout, read).await??)
        }
        None => None,
    };
    let set = session.set(&arguments.workload.set).await?;
    let named = arguments.workload.workload.as_deref();
    let named = settings::workload(named, &session.config, &set);
    let (verification, note) =
        settings::verification(&arguments.question, named, &session.config, &set)?;
    let verification = Verification {
        shows_content: arguments.show_content,
        baseline,
        ..verification
    };
    let (context, workload) = session
        .workload("verify", &set, &arguments.workload)
        .await?;
    session.warn(note);
    if arguments.watch {
        let times = WatchTimes {
            every: arguments.every,
            lasts: arguments.lasting,
        };
        let stop = context.stop.clone();
        stop.heed();
        let watched = ops::watch(&context, &workload, &verification, times, stop.asked());
        return Ok(Report::Verify(watched.await?));
    }
    let (report, answered) = ops::verify_for_baseline(&context, &workload, &verification).await?;
    if let Some(path) = &arguments.save_baseline {
        match answered {
            Some(answered) => saved_file::write(&answered, path)?,
            None => context.emitter.send(EventKind::Warning {
                message: format!(
                    "no baseline was saved in `{}`: a baseline needs the same answers from all replicas",
                    path.display()
                ),
            }),
        }
    }
    Ok(Report::Verify(report))
}

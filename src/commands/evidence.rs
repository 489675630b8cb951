//! Saves what was seen before something is deleted or undone.

use std::path::PathBuf;

use crate::cli::EvidenceArgs;
use crate::error::CommandError;
use crate::event::EventKind;
use crate::file;
use crate::ops::{self, Context, Workload};

/// Writes the evidence of a workload into a new folder, and tells which; nothing if it is not wanted.
///
/// # Errors
/// A folder or a file that cannot be written.
pub(super) async fn save(
    context: &Context,
    workload: &Workload,
    arguments: &EvidenceArgs,
) -> Result<Option<PathBuf>, CommandError> {
    if arguments.no_evidence {
        return Ok(None);
    }
    let files = ops::evidence(context, workload).await?;
    let time = context.cluster.now().strftime("%Y%m%dT%H%M%SZ");
    let name = format!("cryptoctl-evidence-{}-{time}", workload.name);
    let folder = arguments.evidence.clone().unwrap_or_default().join(name);
    let unwritable = |error: std::io::Error| {
        CommandError::usage(
            format!(
                "cannot write the evidence to `{}`: {error}",
                folder.display()
            ),
            "nothing was undone or deleted; name a folder with `--evidence`, or go on without it with `--no-evidence`",
        )
    };
    file::create_folder(&folder).map_err(unwritable)?;
    for it in files {
        file::replace(&folder.join(it.name), it.content.as_bytes(), file::PRIVATE)
            .map_err(unwritable)?;
    }
    context.emitter.send(EventKind::Evidence {
        folder: folder.clone(),
    });
    Ok(Some(folder))
}

/// The same where something is to be healed: evidence that cannot be saved is told, and holds nothing up.
pub(super) async fn save_or_warn(
    context: &Context,
    workload: &Workload,
    arguments: &EvidenceArgs,
) -> Option<PathBuf> {
    match save(context, workload, arguments).await {
        Ok(folder) => folder,
        Err(error) => {
            let message = format!("no evidence was saved: {}", error.text.message);
            context.emitter.send(EventKind::Warning { message });
            None
        }
    }
}

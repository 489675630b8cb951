//! What is known of a workload before something of it is deleted or undone.

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout;

use super::error::OpsError;
use super::rollout::unstick::surveyed;
use super::stalled_workload::PATIENCE;
use super::{Context, Workload};
use crate::rollout::rollout_progress;
use crate::status::all_statuses;

/// At most this many of the last lines of each log are kept.
const LOG_LINES: i64 = 500;

/// A file of the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Its name, which is no path.
    pub name: String,
    /// Its content.
    pub content: String,
}

/// Gathers the state of a workload and its surroundings, what follows from it, and the logs of its pods. The contents
/// of Secrets are not read. What cannot be read is left out.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], or a failed request.
pub async fn evidence(
    context: &Context,
    workload: &Workload,
) -> Result<Vec<EvidenceFile>, OpsError> {
    // On the heap, as every read of several objects is.
    let surveying = Box::pin(surveyed(context, workload));
    let snapshot = context.by_deadline(surveying).await?;
    let history = Box::pin(super::rollout_history(context, workload));
    let revisions = history.await.ok();
    let revisions = revisions.map(|report| report.revisions);
    let mut files = vec![
        file("diagnosis", &rollout_progress(&snapshot)),
        file("statefulset", &without_managers(&snapshot.stateful_set)),
        file("pods", &without_managers(&snapshot.pods)),
        file("claims", &without_managers(&snapshot.claims)),
        file("events", &without_managers(&snapshot.events)),
        file("nodes", &without_managers(&snapshot.nodes)),
        file("revisions", &revisions),
    ];
    files.retain(|file| !["null", "[]"].contains(&file.content.trim()));
    files.extend(Box::pin(logs(context, &snapshot.pods)).await);
    Ok(files)
}

fn file(name: &str, content: &impl Serialize) -> EvidenceFile {
    let mut content = serde_json::to_string_pretty(content).unwrap_or_default();
    content.push('\n');
    EvidenceFile {
        name: format!("{name}.json"),
        content,
    }
}

/// Objects without their managed fields, which nobody reads.
fn without_managers(objects: &impl Serialize) -> Value {
    let mut objects = serde_json::to_value(objects).unwrap_or_default();
    let remove = |object: &mut Value| {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.shift_remove("managedFields");
        }
    };
    match &mut objects {
        Value::Array(list) => list.iter_mut().for_each(remove),
        Value::Object(_) => remove(&mut objects),
        _ => {}
    }
    objects
}

/// The logs of all containers that have run, and of their previous runs.
async fn logs(context: &Context, pods: &[Pod]) -> Vec<EvidenceFile> {
    let runs = pods.iter().flat_map(|pod| {
        all_statuses(pod).flat_map(move |status| {
            let has_ended = status.restart_count > 0;
            let previous = has_ended.then_some(true);
            let runs = previous.into_iter().chain([false]);
            runs.map(move |previous| (pod, status.name.as_str(), previous))
        })
    });
    let reads = runs.map(async |(pod, container, previous)| {
        let (name, namespace) = (
            pod.metadata.name.as_deref()?,
            pod.metadata.namespace.as_deref()?,
        );
        let cluster = &context.cluster;
        let reading = cluster.log_excerpt(namespace, name, container, previous, LOG_LINES);
        let lines = timeout(PATIENCE, reading).await.ok()?.ok()?;
        let suffix = if previous { "-previous" } else { "" };
        (!lines.is_empty()).then(|| EvidenceFile {
            name: format!("{name}-{container}{suffix}.log"),
            content: lines.join("\n") + "\n",
        })
    });
    let files = join_all(reads).await.into_iter().flatten();
    // What a server calls a pod is no path.
    files
        .filter(|file| !file.name.contains(['/', '\\']) && !file.name.starts_with('.'))
        .collect()
}

//! The logs of all replicas, line by line as they arrive.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::error::OpsError;
use super::workload::pod_selector;
use super::{Context, Workload};
use crate::cluster::{ClusterError, LogOptions, LogStart, ResourceKind, Selector};
use crate::event::EventKind;
use crate::report::Report;
use crate::status::{Ownership, PodSummary, long_running, scaled_by_experiment};

/// At most this many lines of one log are buffered; then its stream has to wait.
const BACKLOG: usize = 8;
/// The pause before a followed log is opened again.
const PAUSE: Duration = Duration::from_millis(500);

/// Which logs to read.
#[derive(Debug, Clone, Default)]
pub struct LogsOptions {
    /// The container; by default every long-running one, native sidecars included.
    pub container: Option<String>,
    /// The only pod to read; by default all pods.
    pub pod: Option<String>,
    /// Which part of each log to read.
    pub part: LogOptions,
}

/// One run of one container: the pod's UID, the container's name and its restart count.
type RunOfContainer = (String, String, i32);

/// Reads the logs of every replica. With `follow`, also reads runs that start later, until the
/// command is interrupted.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], or a failed request.
pub async fn logs(
    context: &Context,
    workload: &Workload,
    options: &LogsOptions,
) -> Result<Report, OpsError> {
    let reading = Box::pin(read_all(context, workload, options));
    if options.part.follow {
        // Following has no time limit.
        reading.await
    } else {
        context.by_deadline(reading).await
    }
}

async fn read_all(
    context: &Context,
    workload: &Workload,
    options: &LogsOptions,
) -> Result<Report, OpsError> {
    let set = workload.read(context).await?;
    if let Some(words) = scaled_by_experiment(&set) {
        context.warn(format!("`{}`: {words}", workload.reference()));
    }
    let containers = containers(workload, &set, options.container.as_deref())?;
    let selector = Selector {
        labels: Some(pod_selector(&set)),
        fields: None,
    };
    let namespace = Some(workload.namespace.as_str());
    let doing = || OpsError::while_doing(format!("read the logs of `{}`", workload.reference()));
    let mut pods = context
        .cluster
        .watch::<Pod>(&ResourceKind::pod(), namespace, selector);
    let mut begun: BTreeSet<RunOfContainer> = BTreeSet::new();
    let mut is_first_look = true;
    let mut readers: JoinSet<(String, Result<(), ClusterError>)> = JoinSet::new();
    let (mut read, mut unread) = (BTreeSet::new(), Vec::new());
    pods.changed().await.map_err(doing())?;
    if let Some(name) = &options.pod {
        let known = pods.current().unwrap_or_default();
        if !known
            .iter()
            .any(|pod| pod.metadata.name.as_ref() == Some(name))
        {
            return Err(no_such_pod(workload, name));
        }
    }
    loop {
        let current = pods.current().unwrap_or_default();
        let replicas = current
            .iter()
            .filter(|pod| options.pod.is_none() || options.pod == pod.metadata.name)
            .filter(|pod| Ownership::of(pod, &set).is_replica());
        for (pod, container) in replicas.flat_map(|pod| containers.iter().map(move |it| (pod, it)))
        {
            let restarts = restarts_of(pod, container);
            let run = (
                pod.metadata.uid.clone().unwrap_or_default(),
                container.clone(),
                restarts.unwrap_or(0),
            );
            let is_to_be_read = if options.part.previous {
                is_restarted(pod, container, &containers)
            } else {
                restarts.is_some() || !options.part.follow
            };
            if is_to_be_read && begun.insert(run.clone()) {
                let reader = Reader::new(context, workload, pod, container, options, run.2 > 0);
                readers.spawn(reader.run());
            } else if is_first_look && options.part.follow && restarts.is_none() {
                let name = pod.metadata.name.as_deref().unwrap_or_default();
                context.warn(format!(
                    "container `{container}` of `{name}` has not started ({}): its log is read once it starts",
                    PodSummary::of(pod).status
                ));
            }
        }
        if is_first_look && begun.is_empty() && !options.part.follow {
            context.warn(format!("`{}` has no pods", workload.reference()));
        }
        is_first_look = false;
        tokio::select! {
            changed = pods.changed(), if options.part.follow => changed.map_err(doing())?,
            ended = readers.join_next(), if !readers.is_empty() => {
                if let Some(Ok((pod, result))) = ended {
                    match result {
                        Ok(()) => { read.insert(pod); }
                        Err(error) => {
                            let words = format!("cannot read the log of `{pod}`: {error}");
                            let is_forbidden = matches!(error, ClusterError::Forbidden { .. });
                            if options.part.follow && is_forbidden && read.is_empty() && readers.is_empty() {
                                unread.push(words);
                                break;
                            }
                            if options.part.follow {
                                context.warn(words.clone());
                            }
                            unread.push(words);
                        }
                    }
                }
            }
            else => break,
        }
    }
    Ok(Report::Logs {
        pods: read.into_iter().collect(),
        unread,
    })
}

fn no_such_pod(workload: &Workload, name: &str) -> OpsError {
    OpsError::Question {
        object: Box::new(workload.reference()),
        reason: format!("it has no pod `{name}`"),
        hint: format!(
            "list its pods with `kubectl get pods -n {}`",
            workload.namespace
        ),
    }
}

/// The named container, or every long-running one.
fn containers(
    workload: &Workload,
    set: &StatefulSet,
    named: Option<&str>,
) -> Result<Vec<String>, OpsError> {
    let template = set.spec.template.spec.as_ref();
    let containers: Vec<&str> = template
        .iter()
        .flat_map(|pod| {
            pod.containers
                .iter()
                .chain(pod.init_containers.iter().flatten())
        })
        .map(|container| container.name.as_str())
        .collect();
    match named {
        None => Ok(template
            .into_iter()
            .flat_map(long_running)
            .map(|container| container.name.clone())
            .collect()),
        Some(name) if containers.contains(&name) => Ok(vec![name.to_owned()]),
        Some(name) => Err(OpsError::Question {
            object: Box::new(workload.reference()),
            reason: format!("it has no container `{name}`"),
            hint: format!("choose one with `--container`: {}", containers.join(", ")),
        }),
    }
}

/// Whether to read the previous run. Of several containers, only those with a previous run are
/// read; if none has one, the API server's answer says so.
fn is_restarted(pod: &Pod, container: &str, all: &[String]) -> bool {
    let has_restarted = |name: &str| restarts_of(pod, name) > Some(0);
    let is_first = all.first().is_some_and(|first| first == container);
    has_restarted(container) || is_first && !all.iter().any(|name| has_restarted(name))
}

/// The container's restart count; `None` if it has never run.
fn restarts_of(pod: &Pod, container: &str) -> Option<i32> {
    let known = pod.status.as_ref()?;
    let runs = known
        .container_statuses
        .iter()
        .chain(&known.init_container_statuses);
    let status = runs.flatten().find(|status| status.name == container)?;
    let state = status.state.as_ref()?;
    let has_run = state.running.is_some() || state.terminated.is_some() || status.restart_count > 0;
    has_run.then_some(status.restart_count)
}

/// Reads the log of one run of one container.
struct Reader {
    context: Context,
    namespace: String,
    pod: String,
    ordinal: i32,
    container: String,
    part: LogOptions,
    last_line: Timestamp,
}

impl Reader {
    fn new(
        context: &Context,
        workload: &Workload,
        pod: &Pod,
        container: &str,
        options: &LogsOptions,
        is_restart: bool,
    ) -> Self {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let ordinal = name
            .rsplit('-')
            .next()
            .and_then(|ordinal| ordinal.parse().ok())
            .unwrap_or(-1);
        let mut part = options.part.clone();
        // The first run is read from `--tail` on, later runs from their start.
        if is_restart && part.follow {
            part.tail = None;
        }
        Self {
            context: context.clone(),
            namespace: workload.namespace.clone(),
            pod: name,
            ordinal,
            container: container.to_owned(),
            part,
            last_line: Timestamp::now(),
        }
    }

    /// Reads to the end. If the stream of a followed log breaks, it is opened again from there.
    async fn run(mut self) -> (String, Result<(), ClusterError>) {
        let mut complained_at = None;
        loop {
            let result = self.read().await;
            match &result {
                Err(error) if self.part.follow && error.is_transient_for_reads() => {
                    // Warn once, until a line arrives again.
                    if complained_at != Some(self.last_line) {
                        complained_at = Some(self.last_line);
                        self.context.warn(format!(
                            "cannot read the log of `{}`, will try again: {error}",
                            self.pod
                        ));
                    }
                }
                _ => return (self.pod, result),
            }
            self.part.tail = None;
            self.part.since = Some(LogStart::Time(self.last_line));
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn read(&mut self) -> Result<(), ClusterError> {
        let (sender, mut lines) = mpsc::channel(BACKLOG);
        let cluster = self.context.cluster.clone();
        let (namespace, pod) = (self.namespace.clone(), self.pod.clone());
        let (container, part) = (self.container.clone(), self.part.clone());
        let reading = cluster.log_lines(&namespace, &pod, &container, &part, &sender);
        tokio::pin!(reading);
        let result = loop {
            tokio::select! {
                biased;
                Some(line) = lines.recv() => self.pass_on(line).await,
                result = &mut reading => break result,
            }
        };
        while let Ok(line) = lines.try_recv() {
            self.pass_on(line).await;
        }
        result
    }

    async fn pass_on(&mut self, line: String) {
        self.last_line = Timestamp::now();
        let line = EventKind::LogLine {
            pod: self.pod.clone(),
            ordinal: self.ordinal,
            container: self.container.clone(),
            line,
        };
        self.context.emitter.send_when_read(line).await;
    }
}

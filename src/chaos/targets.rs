//! Plans an experiment and its targets before anything is touched.

use k8s_openapi::api::apps::v1::StatefulSet;

use super::blast_radius::{blast_radius, listed};
use super::lease::{self, Found};
use super::{ChaosRequest, OlderRun, process};
use crate::fault::{Fault, Planned, Target};
use crate::figures::took;
use crate::object::ObjectRef;
use crate::ops::error::OpsError;
use crate::ops::verify::{compared, endpoints, pods};
use crate::ops::{Context, Verification, Workload};
use crate::report::{Endpoint, Experiment, ExperimentSettings, Selection};
use crate::status::{self, KeptBecause, expected_ordinals, kept_because, ordinals_that_move};

/// A planned experiment: exactly what the user confirms.
#[derive(Debug, Clone)]
pub struct ChaosPlan {
    /// The workload.
    pub workload: Workload,
    /// The holder of the experiment, as shown to a second experiment; unique in every run.
    pub identity: String,
    /// The verification of every replica.
    pub verification: Verification,
    /// An older run to compare with.
    pub older: Option<OlderRun>,
    /// The settings, and the faults and their targets.
    pub experiment: Experiment,
    /// The plan in words, to follow "this will".
    pub what: String,
    /// The blast radius, one sentence each.
    pub blast_radius: Vec<String>,
    /// Whether another experiment is running.
    pub(super) lease: Found,
}

/// Plans an experiment.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], [`OpsError::Experiment`] if the fault is not possible,
/// [`OpsError::Question`], [`OpsError::Occupied`] while another experiment on it is running, or a failed
/// request.
pub async fn plan(
    context: &Context,
    workload: &Workload,
    request: ChaosRequest,
) -> Result<ChaosPlan, OpsError> {
    let ChaosRequest {
        identity,
        mut verification,
        settings,
        repeat,
        older,
    } = request;
    verification.allows_unready = settings.allow_disruption;
    let set = context.by_deadline(workload.read(context)).await?;
    let names: Vec<String> = expected_ordinals(&set)
        .map(|ordinal| format!("{}-{ordinal}", workload.name))
        .collect();
    let refuse = |reason: String, hint: &str| OpsError::Experiment {
        object: Box::new(workload.reference()),
        reason,
        hint: hint.to_owned(),
    };
    if names.is_empty() {
        return Err(nothing_to_break(context, workload, &set).await);
    }
    if let Selection::Pod { pod } = &settings.selection
        && !names.contains(pod)
    {
        let reason = format!(
            "`{pod}` is not one of its replicas, which are {}",
            listed(&names)
        );
        return Err(refuse(reason, "name one of them with `--pod`"));
    }
    if settings.fault.is_some_and(Fault::changes_template)
        && kept_because(&set) == Some(KeptBecause::OnDelete)
    {
        let reason = "its update strategy is `OnDelete`, so a restart replaces no pod".to_owned();
        return Err(refuse(reason, "use `--fault delete`"));
    }
    let expectations = &mut verification.expectations;
    // The port of the first endpoint tells whose process `kill` ends. The right answer is known only where
    // all replicas give the same one.
    if let Some(probed) = expectations.iter().position(|one| one.equal) {
        expectations[..=probed].rotate_right(1);
    } else {
        let reason =
            "no endpoint is required to answer the same on every replica, so nothing would show \
             whether the data survived"
                .to_owned();
        return Err(refuse(
            reason,
            "name an endpoint with `equal: true`, or one with `--path`",
        ));
    }
    if let Some((reason, hint)) = immeasurable(&settings, older.as_ref(), names.len()) {
        return Err(refuse(reason, hint));
    }
    let (repeat, targets) = targets(&settings, repeat, &set, &names);
    if settings.fault.is_some() && targets.is_empty() {
        let reason = "the partition of its update strategy keeps every pod".to_owned();
        return Err(refuse(reason, "use `--fault delete`"));
    }
    let lease = context.by_deadline(lease::look(context, workload)).await?;
    let pods = context
        .by_deadline(pods::list(context, workload, &set))
        .await?;
    let endpoints = endpoints(&set, &workload.reference(), &verification)?;
    let probed = compared(&set, &workload.reference(), &verification)?;
    let probed: Vec<Endpoint> = probed.into_iter().map(|(endpoint, ..)| endpoint).collect();
    let target = match (settings.fault, endpoints.first()) {
        (Some(fault), Some(probed)) if fault.keeps_pod() => process::target(&set, probed.port)
            .map(Some)
            .map_err(|reason| refuse(reason, "use `--fault delete`"))?,
        _ => None,
    };
    let experiment = Experiment {
        settings,
        repeat,
        pods: targets,
        container: target.as_ref().map(|target| target.container.clone()),
        beside: target
            .as_ref()
            .map_or_else(Vec::new, |target| target.beside.clone()),
        endpoints,
    };
    let what = what(&experiment, workload);
    let mut blast_radius = blast_radius(&experiment, workload, &set, &names, &pods, &probed);
    blast_radius.extend(target.and_then(|target| target.words));
    Ok(ChaosPlan {
        workload: workload.clone(),
        identity,
        verification,
        older,
        experiment,
        what,
        blast_radius,
        lease,
    })
}

/// What the experiment cannot measure, and a hint.
fn immeasurable(
    settings: &ExperimentSettings,
    older: Option<&OlderRun>,
    replicas: usize,
) -> Option<(String, &'static str)> {
    let interval = settings.probe_interval_ms;
    if let Some(budget) = settings.max_outage_ms.filter(|budget| *budget <= interval) {
        let reason = format!(
            "probes every {} cannot measure an outage of {}",
            took(interval),
            took(budget)
        );
        return Some((
            reason,
            "probe more often with `--probe-interval` (at least 20ms)",
        ));
    }
    let older = older?;
    (Some(older.fault) != settings.fault || older.replicas != replicas).then(|| {
        let reason = format!(
            "the older run was `{}` with {} replicas, so it cannot be compared with this one",
            older.fault, older.replicas
        );
        (
            reason,
            "compare with a run of the same fault and the same number of replicas",
        )
    })
}

/// The number of faults and the target of each one; a fault on the workload targets every pod that it
/// affects.
fn targets(
    settings: &ExperimentSettings,
    repeat: Option<u32>,
    set: &StatefulSet,
    names: &[String],
) -> (u32, Vec<String>) {
    let Some(fault) = settings.fault else {
        return (0, Vec::new());
    };
    let replicas = u32::try_from(names.len()).unwrap_or(u32::MAX);
    let repeat = repeat.unwrap_or(match settings.selection {
        Selection::AllInTurn if !fault.targets_workload() => replicas,
        _ => 1,
    });
    if fault.targets_workload() {
        let affected = match fault.facts().target {
            Target::Rollout => ordinals_that_move(set),
            Target::Workload | Target::Pod | Target::Node => expected_ordinals(set),
        };
        let first = names.len().saturating_sub(affected.len());
        return (repeat, names.iter().skip(first).cloned().collect());
    }
    let mut draw = Draw::seeded(match settings.selection {
        Selection::Random { seed } => seed,
        _ => 0,
    });
    let pods = (0..repeat).map(|number| {
        let index = match &settings.selection {
            Selection::First => 0,
            Selection::Pod { pod } => names.iter().position(|name| name == pod).unwrap_or(0),
            Selection::AllInTurn => (number % replicas) as usize,
            Selection::Random { .. } => draw.below(names.len()),
        };
        names.get(index).cloned().unwrap_or_default()
    });
    (repeat, pods.collect())
}

/// Draws numbers from a seed, the same on every machine (`SplitMix64`, Steele et al. 2014).
struct Draw(u64);

impl Draw {
    fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % limit.max(1) as u64).unwrap_or(0)
    }
}

fn what(experiment: &Experiment, workload: &Workload) -> String {
    let namespace = &workload.namespace;
    let object = workload.reference();
    let times = match experiment.repeat {
        0 | 1 => String::new(),
        repeat => format!(", {repeat} times"),
    };
    let Some(fault) = experiment.settings.fault else {
        return format!("probe `{object}` in namespace `{namespace}` and break nothing");
    };
    let mut distinct = experiment.pods.clone();
    distinct.sort();
    distinct.dedup();
    let pod = match distinct.as_slice() {
        [pod] => format!("`{}`", ObjectRef::new("", "Pod", None, pod)),
        _ => format!("a pod of `{object}`"),
    };
    let place = format!("in namespace `{namespace}`{times}");
    let planned = Planned {
        pod: &pod,
        workload: &format!("`{object}`"),
        container: experiment.container.as_deref(),
        count: experiment.pods.len(),
    };
    format!("{} {place}", fault.plan(&planned))
}

/// The error for a workload without replicas. A running experiment may have scaled it to zero.
async fn nothing_to_break(context: &Context, workload: &Workload, set: &StatefulSet) -> OpsError {
    let looking = context.by_deadline(lease::look(context, workload));
    if let Err(error) = looking.await {
        return error;
    }
    let (reason, hint) = match status::scaled_by_experiment(set) {
        Some(reason) => (reason, workload.restore_command()),
        None => (
            "it has no replicas".to_owned(),
            format!(
                "scale it up first: `kubectl scale {} -n {} --replicas=2`",
                workload.reference(),
                workload.namespace
            ),
        ),
    };
    OpsError::Experiment {
        object: Box::new(workload.reference()),
        reason,
        hint,
    }
}

//! The rules in one table. For each pod the first rule that matches wins, so a root stands before its symptoms.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::{
    Cause, Diagnosis, configuration, controller, crash, image, kept, node, placement, probe,
    refusal, storage, terminating, unknown, volume,
};
use crate::status::{Snapshot, all_statuses};

/// What a rule looks at.
#[derive(Clone, Copy)]
enum Look {
    /// The workload.
    Workload(fn(&Snapshot) -> Option<Diagnosis>),
    /// A pod that is being deleted.
    Leaving(fn(&Snapshot, &Pod) -> Option<Diagnosis>),
    /// A pod that should be there.
    Pod(fn(&Snapshot, &Pod) -> Option<Diagnosis>),
    /// A container of such a pod, init containers first.
    Container(fn(&Snapshot, &Pod, &ContainerStatus) -> Option<Diagnosis>),
}

/// A rule, and the causes that it tells apart.
struct Rule {
    causes: &'static [Cause],
    look: Look,
}

const fn rule(causes: &'static [Cause], look: Look) -> Rule {
    Rule { causes, look }
}

/// Every rule. `docs/diagnoses.md` has the same order.
const RULES: [Rule; 17] = [
    rule(
        &[Cause::ControllerNotRunning],
        Look::Workload(controller::diagnose),
    ),
    rule(
        &[Cause::StuckTerminating],
        Look::Leaving(terminating::diagnose),
    ),
    rule(&[Cause::NodeNotReady], Look::Pod(node::diagnose)),
    rule(
        &[
            Cause::OnDelete,
            Cause::Paused,
            Cause::Partition,
            Cause::StuckRevision,
        ],
        Look::Pod(kept::diagnose),
    ),
    rule(&[Cause::SchedulingGate], Look::Pod(placement::gated)),
    rule(
        &[
            Cause::ClaimMissing,
            Cause::StorageClassMissing,
            Cause::NoProvisioner,
            Cause::ProvisioningFailed,
            Cause::ClaimUnbound,
        ],
        Look::Pod(storage::diagnose),
    ),
    rule(
        &[
            Cause::VolumeNodeAffinity,
            Cause::VolumeInUseByAnotherPod,
            Cause::Unschedulable,
        ],
        Look::Pod(placement::unschedulable),
    ),
    rule(
        &[
            Cause::MissingConfigMap,
            Cause::MissingSecret,
            Cause::MissingKey,
        ],
        Look::Pod(configuration::missing),
    ),
    rule(
        &[Cause::VolumeAttachedElsewhere, Cause::MountFailed],
        Look::Pod(volume::diagnose),
    ),
    rule(
        &[
            Cause::ImageNotFound,
            Cause::ImageAccessDenied,
            Cause::InvalidImageName,
            Cause::ImageNeverPulled,
            Cause::RegistryUnreachable,
            Cause::ImagePull,
        ],
        Look::Container(image::diagnose),
    ),
    rule(
        &[Cause::ContainerConfiguration],
        Look::Container(configuration::diagnose),
    ),
    rule(
        &[
            Cause::CommandNotFound,
            Cause::OutOfMemory,
            Cause::LivenessProbe,
            Cause::Completed,
            Cause::InitContainer,
            Cause::CrashLoop,
        ],
        Look::Container(crash::diagnose),
    ),
    rule(&[Cause::ReadinessGate], Look::Pod(probe::readiness_gate)),
    rule(&[Cause::MissingService], Look::Pod(probe::missing_service)),
    rule(
        &[Cause::SlowStart, Cause::ReadinessProbe],
        Look::Pod(probe::unready),
    ),
    rule(
        &[
            Cause::Quota,
            Cause::PodSecurity,
            Cause::LimitRange,
            Cause::WebhookDenied,
            Cause::WebhookUnavailable,
            Cause::MissingServiceAccount,
            Cause::MissingReference,
            Cause::InvalidPod,
            Cause::PodRefused,
        ],
        Look::Workload(refusal::diagnose),
    ),
    rule(&[Cause::Unknown], Look::Workload(unknown::diagnose)),
];

impl Rule {
    fn of_workload(&self, snapshot: &Snapshot) -> Option<Diagnosis> {
        match self.look {
            Look::Workload(diagnose) => diagnose(snapshot),
            _ => None,
        }
    }

    fn of_pod(&self, snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
        let is_leaving = pod.metadata.deletion_timestamp.is_some();
        match self.look {
            Look::Leaving(diagnose) if is_leaving => diagnose(snapshot, pod),
            Look::Pod(diagnose) if !is_leaving => diagnose(snapshot, pod),
            Look::Container(_) if !is_leaving => self.of_containers(snapshot, pod),
            _ => None,
        }
    }

    fn of_containers(&self, snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
        let Look::Container(diagnose) = self.look else {
            return None;
        };
        all_statuses(pod).find_map(|status| diagnose(snapshot, pod, status))
    }
}

/// What the first rule that matches says of the workload.
pub(super) fn of_workload(snapshot: &Snapshot) -> Option<Diagnosis> {
    first(|rule| rule.of_workload(snapshot))
}

/// What the first rule that matches says of a pod.
pub(super) fn of_pod(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    first(|rule| rule.of_pod(snapshot, pod))
}

/// What is wrong with the containers of a pod, and with what they need.
pub(super) fn of_its_containers(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    configuration::missing(snapshot, pod)
        .or_else(|| first(|rule| rule.of_containers(snapshot, pod)))
}

fn first(of: impl Fn(&Rule) -> Option<Diagnosis>) -> Option<Diagnosis> {
    RULES.iter().find_map(|rule| {
        let found = of(rule)?;
        debug_assert!(
            rule.causes.contains(&found.cause),
            "{:?} is of another rule",
            found.cause
        );
        Some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_one_rule_in_the_documented_order() {
        let of_rules: Vec<Cause> = RULES.iter().flat_map(|rule| rule.causes).copied().collect();
        assert_eq!(of_rules, Cause::ALL);
    }
}

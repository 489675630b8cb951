//! The causes: a row for each, with its name and what a wait that it lengthens is for.

use serde::{Deserialize, Serialize};

/// Makes the type of the causes from their rows, so that no list of them lacks one.
macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal, waits for $awaited:literal;)+) => {
        /// The kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Cause {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Cause {
            /// Every cause, in the order of the documented table: the root before its symptoms.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name used in documents and in JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What is waited for while waiting may help, as words after "waiting for".
            #[must_use]
            pub const fn waits_for(self) -> &'static str {
                match self {
                    $(Self::$variant => $awaited,)+
                }
            }
        }
    };
}

causes! {
    /// The StatefulSet controller has not seen the StatefulSet as it is now.
    ControllerNotRunning "controller_not_running", waits for "the StatefulSet controller";
    /// A pod that was deleted does not go.
    StuckTerminating "stuck_terminating", waits for "a pod to go";
    /// The node of a pod, or every node, is not Ready.
    NodeNotReady "node_not_ready", waits for "a node to come back";
    /// A broken pod of an old revision, which `OnDelete` keeps.
    OnDelete "on_delete", waits for "a pod to be deleted";
    /// A broken pod of an old revision, which a paused rollout keeps.
    Paused "paused", waits for "the rollout to be resumed";
    /// A broken pod of an old revision, which a partition keeps.
    Partition "partition", waits for "the partition to be lowered";
    /// A broken pod of an old revision blocks the update.
    StuckRevision "stuck_revision", waits for "a pod of an old revision";
    /// A scheduling gate holds the pod back.
    SchedulingGate "scheduling_gate", waits for "a scheduling gate";
    /// A claim that the pod mounts does not exist.
    ClaimMissing "claim_missing", waits for "a claim";
    /// The storage class of a claim does not exist.
    StorageClassMissing "storage_class_missing", waits for "a storage class";
    /// The storage class of a claim makes no volumes, or none is set, and no volume fits.
    NoProvisioner "no_provisioner", waits for "a volume";
    /// A volume could not be made.
    ProvisioningFailed "provisioning_failed", waits for "a volume";
    /// A claim has no volume yet.
    ClaimUnbound "claim_unbound", waits for "a volume";
    /// No node may mount the volume of the pod.
    VolumeNodeAffinity "volume_node_affinity", waits for "a node that can have the volume";
    /// Another pod mounts a claim that only one pod may mount.
    VolumeInUseByAnotherPod "volume_in_use_by_another_pod", waits for "another pod to leave the volume";
    /// No node takes the pod.
    Unschedulable "unschedulable", waits for "a node";
    /// A ConfigMap does not exist.
    MissingConfigMap "missing_config_map", waits for "a ConfigMap";
    /// A Secret does not exist.
    MissingSecret "missing_secret", waits for "a Secret";
    /// A ConfigMap or Secret lacks a key.
    MissingKey "missing_key", waits for "a key";
    /// The volume is attached to another node.
    VolumeAttachedElsewhere "volume_attached_elsewhere", waits for "another node to give up the volume";
    /// A volume cannot be attached or mounted.
    MountFailed "mount_failed", waits for "a volume to be mounted";
    /// The registry does not have the image.
    ImageNotFound "image_not_found", waits for "an image";
    /// The registry refuses the image to this pod.
    ImageAccessDenied "image_access_denied", waits for "access to an image";
    /// The name of the image is not valid.
    InvalidImageName "invalid_image_name", waits for "an image";
    /// The node does not have the image, and the pod forbids to pull it.
    ImageNeverPulled "image_never_pulled", waits for "an image";
    /// The registry cannot be reached, or cannot answer.
    RegistryUnreachable "registry_unreachable", waits for "a registry";
    /// An image cannot be pulled for another reason.
    ImagePull "image_pull", waits for "an image";
    /// A container cannot be created from its configuration.
    ContainerConfiguration "container_configuration", waits for "a container to be created";
    /// A container's command does not exist, or cannot be executed.
    CommandNotFound "command_not_found", waits for "a container to stay up";
    /// A container uses more memory than its limit.
    OutOfMemory "out_of_memory", waits for "a container to stay up";
    /// The kubelet keeps killing a container because its liveness or startup probe fails.
    LivenessProbe "liveness_probe", waits for "a container to stay up";
    /// A container keeps ending with exit code 0.
    Completed "completed", waits for "a container to stay up";
    /// An init container fails, or has not finished.
    InitContainer "init_container", waits for "an init container";
    /// A container keeps ending.
    CrashLoop "crash_loop", waits for "a container to stay up";
    /// The containers are ready, but a readiness gate is not.
    ReadinessGate "readiness_gate", waits for "a readiness gate";
    /// The Service that gives the pods their DNS names does not exist, and a container looks for it.
    MissingService "missing_service", waits for "a Service";
    /// A container has not been running for long, and is not ready yet.
    SlowStart "slow_start", waits for "a container to start";
    /// A container runs, but its readiness probe fails.
    ReadinessProbe "readiness_probe", waits for "a readiness probe";
    /// The pod would exceed a quota.
    Quota "quota", waits for "room in a quota";
    /// The namespace's Pod Security Standard forbids the pod.
    PodSecurity "pod_security", waits for "a pod to be allowed";
    /// A `LimitRange` forbids the pod's resources.
    LimitRange "limit_range", waits for "a pod to be allowed";
    /// A webhook or a policy of admission refuses the pod.
    WebhookDenied "webhook_denied", waits for "a pod to be allowed";
    /// A webhook of admission does not answer.
    WebhookUnavailable "webhook_unavailable", waits for "a webhook";
    /// The service account of the pod does not exist.
    MissingServiceAccount "missing_service_account", waits for "a service account";
    /// The pod refers to something else that does not exist, so it cannot be created.
    MissingReference "missing_reference", waits for "what the pod refers to";
    /// The pod would be invalid, for example because its name is too long for its labels.
    InvalidPod "invalid_pod", waits for "a pod to be created";
    /// The controller cannot create the pod for another reason.
    PodRefused "pod_refused", waits for "a pod to be created";
    /// Nothing that was seen names a cause.
    Unknown "unknown", waits for "a pod to become Ready";
}

impl Cause {
    /// Whether every healthy rollout shows this for a moment.
    #[must_use]
    pub const fn is_usual(self) -> bool {
        matches!(
            self,
            Self::ControllerNotRunning | Self::SlowStart | Self::Unknown
        )
    }
}

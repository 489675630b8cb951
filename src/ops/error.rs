//! Why an operation failed.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::ServerField;
use super::nearby::Nearby;
use crate::cluster::ClusterError;
use crate::fields::{Choice, Conflict, FieldPattern, OwnedAlone};
use crate::figures::{count, duration};
use crate::manifest::{ManifestErrors, NamespaceMismatch};
use crate::object::ObjectRef;
use crate::plan::Outdated;
use crate::replacement::{Fixed, Replacement};
use crate::report::BaselineMismatch;
use crate::risk::Risk;

/// A problem that would make an apply fail, found before the first write.
#[derive(Debug)]
pub enum Problem {
    /// The API server does not serve this kind.
    KindNotServed {
        /// The object.
        object: ObjectRef,
        /// Its `apiVersion`.
        api_version: String,
    },
    /// A claim, or a volume of a pod, names a storage class that does not exist.
    StorageClassMissing {
        /// The claim, or the workload whose template contains it.
        object: ObjectRef,
        /// The class it names.
        class: String,
        /// The existing classes, with the default ones marked.
        available: Vec<(String, bool)>,
        /// Whether it is in a claim or a claim template, so that `--storage-class` changes it.
        is_of_claim: bool,
    },
    /// The pods of the object can never be Ready.
    NeverReady {
        /// The object.
        object: ObjectRef,
        /// Why, as a clause.
        reason: String,
        /// What to run next.
        hint: Option<String>,
    },
    /// Something may keep pods from their data, or from existing.
    Risk(Risk),
    /// The inventory is not this tool's.
    ForeignInventory {
        /// The inventory.
        object: ObjectRef,
        /// Why not, as a clause.
        reason: String,
    },
    /// The user lacks a permission.
    NotAllowed {
        /// The verb and resource, such as `create namespaces`.
        what: String,
        /// Where: a namespace, or the whole cluster.
        scope: String,
    },
    /// The object cannot be changed as it is: a new one would have to take its place.
    MustBeReplaced {
        /// The object.
        object: ObjectRef,
        /// What would be done.
        replacement: Replacement,
    },
    /// The object cannot be changed, and no new one can take its place.
    Fixed {
        /// The object.
        object: ObjectRef,
        /// The fields.
        fields: Vec<String>,
        /// Why not.
        reason: Fixed,
        /// Whether the claims of a StatefulSet stay if it is deleted.
        keeps_claims: bool,
    },
    /// Other field managers own fields that the apply would change.
    OwnedByOthers {
        /// The object.
        object: ObjectRef,
        /// Each field and its owner.
        conflicts: Vec<Conflict>,
    },
    /// A flag names fields of an object that is not in the set.
    NoSuchField {
        /// What they are named for.
        choice: Choice,
        /// What it names.
        pattern: FieldPattern,
    },
    /// A field is to be left to other managers, but nobody else owns it.
    OwnedAlone {
        /// The object.
        object: ObjectRef,
        /// The field, and what names it.
        alone: OwnedAlone,
    },
    /// The object, or a namespace of the set, is being deleted: whatever is applied would be
    /// deleted too.
    BeingDeleted {
        /// The object.
        object: ObjectRef,
        /// What holds it until then, as clauses after "held by".
        held_by: Vec<String>,
    },
    /// The manifest has a field that only the API server writes, as `kubectl get -o yaml` prints
    /// it.
    ServerField {
        /// The object.
        object: ObjectRef,
        /// The field.
        field: ServerField,
    },
    /// The API server refuses the object.
    Refused {
        /// The object.
        object: ObjectRef,
        /// Why, in the API server's words.
        source: ClusterError,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KindNotServed {
                object,
                api_version,
            } => {
                write!(
                    formatter,
                    "`{object}`: the API server does not serve `{}` of `{api_version}`",
                    object.kind
                )
            }
            Self::StorageClassMissing {
                object,
                class,
                available,
                ..
            } => {
                write!(
                    formatter,
                    "`{object}`: the storage class `{class}` does not exist; "
                )?;
                if available.is_empty() {
                    return formatter.write_str("the cluster has none");
                }
                let names: Vec<String> = available
                    .iter()
                    .map(|(name, is_default)| {
                        format!("`{name}`{}", if *is_default { " (default)" } else { "" })
                    })
                    .collect();
                write!(formatter, "the cluster has {}", names.join(", "))
            }
            Self::NeverReady { object, reason, .. }
            | Self::ForeignInventory { object, reason }
            | Self::Risk(Risk { object, reason, .. }) => {
                write!(formatter, "`{object}`: {reason}")
            }
            Self::NotAllowed { what, scope } => {
                write!(formatter, "you have no permission to {what} {scope}")
            }
            Self::MustBeReplaced {
                object,
                replacement,
            } => {
                let fields = quoted(&replacement.fields);
                let pods = if replacement.deletes_pods {
                    ", and its pods with it"
                } else {
                    ""
                };
                write!(
                    formatter,
                    "`{object}`: {fields} cannot be changed: the object would have to be deleted{pods}, and created again"
                )
            }
            Self::Fixed {
                object,
                fields,
                reason,
                ..
            } => {
                let (fields, reason) = (quoted(fields), reason.reason());
                write!(
                    formatter,
                    "`{object}`: {fields} cannot be changed: {reason}"
                )
            }
            Self::OwnedByOthers { object, conflicts } => {
                let fields: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
                write!(formatter, "`{object}`: {}", fields.join("; "))
            }
            Self::NoSuchField { choice, pattern } => {
                write!(formatter, "`{choice} {pattern}` names no object of the set")
            }
            Self::OwnedAlone { object, alone } => write!(
                formatter,
                "`{object}`: only cryptoctl owns `{}`: if it is left out, the API server deletes it or sets its default",
                alone.field
            ),
            Self::BeingDeleted { object, held_by } => {
                write!(formatter, "`{object}` is being deleted")?;
                if held_by.is_empty() {
                    return Ok(());
                }
                write!(formatter, ", held by {}", held_by.join("; "))
            }
            Self::ServerField { object, field } => write!(formatter, "`{object}`: {field}"),
            Self::Refused { object, source } => write!(formatter, "`{object}`: {source}"),
        }
    }
}

/// Names of fields as literals.
fn quoted(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    fields.join(" and ")
}

/// A write that the API server did not accept.
#[derive(Debug)]
pub struct WriteFailure {
    /// The object.
    pub object: ObjectRef,
    /// Why.
    pub source: ClusterError,
}

/// Why an operation failed.
#[derive(Debug, Error)]
pub enum OpsError {
    /// A request to the cluster failed.
    #[error("failed to {doing}")]
    Cluster {
        /// What was being done, as a clause after "failed to".
        doing: String,
        /// Why.
        source: ClusterError,
    },
    /// The command's time limit has passed.
    #[error("the command exceeded its time limit of {}", duration(*.timeout))]
    OutOfTime {
        /// The command's time limit.
        timeout: Duration,
    },
    /// Problems found before the first write.
    #[error("nothing was changed: {} before the first write", count(.0.len(), "problem"))]
    Preflight(Vec<Problem>),
    /// A saved plan no longer holds.
    #[error("nothing was changed: the plan no longer holds")]
    Outdated(Vec<Outdated>),
    /// Problems that could be found only after a namespace was created.
    #[error("{} in {place}; nothing else was written", count(.problems.len(), "problem"))]
    DryRun {
        /// The namespaces, and what happened to them.
        place: String,
        /// The problems.
        problems: Vec<Problem>,
    },
    /// Writes that were refused, or whose answer was lost.
    #[error("failed to write {}", names(.0))]
    Writes(Vec<WriteFailure>),
    /// `-n` and the manifests name different namespaces.
    #[error("the manifests and `--namespace` disagree")]
    Namespaces(Vec<NamespaceMismatch>),
    /// An object occurs twice, which shows only once its namespace is known.
    #[error(transparent)]
    Duplicates(#[from] ManifestErrors),
    /// The workload does not exist.
    #[error("{}", not_there(.object, .nearby))]
    NoSuchWorkload {
        /// The workload.
        object: ObjectRef,
        /// What exists instead.
        nearby: Box<Nearby>,
    },
    /// The set does not contain exactly one StatefulSet.
    #[error("{}", which(.candidates))]
    WhichWorkload {
        /// The StatefulSets of the set.
        candidates: Vec<ObjectRef>,
    },
    /// A workload is not in a state in which something can be done.
    #[error("cannot {doing} `{object}`: {reason}")]
    Unable {
        /// What cannot be done, as a verb.
        doing: &'static str,
        /// The workload.
        object: Box<ObjectRef>,
        /// Why not.
        reason: String,
        /// What to do instead.
        hint: String,
    },
    /// The endpoint to request is not known.
    #[error("cannot choose an endpoint of `{object}`: {reason}")]
    Question {
        /// The workload.
        object: Box<ObjectRef>,
        /// What is missing.
        reason: String,
        /// What to add to the command line.
        hint: String,
    },
    /// The baseline is for other endpoints or another workload.
    #[error(transparent)]
    Baseline(#[from] BaselineMismatch),
    /// The requested experiment is not possible on this workload.
    #[error("cannot experiment on `{object}`: {reason}")]
    Experiment {
        /// The workload.
        object: Box<ObjectRef>,
        /// Why not.
        reason: String,
        /// What to do instead.
        hint: String,
    },
    /// Another experiment on the workload is running.
    #[error("cannot experiment on `{object}` now: {by}")]
    Occupied {
        /// The workload.
        object: Box<ObjectRef>,
        /// Who started what, and when, as a clause.
        by: String,
    },
    /// The target pod of a fault does not exist.
    #[error("the target pod of `{object}` no longer exists")]
    NoSuchPod {
        /// The workload.
        object: Box<ObjectRef>,
    },
    /// Continuing would delete claims.
    #[error("{reason}")]
    WouldDeleteData {
        /// What would happen.
        reason: String,
    },
}

impl OpsError {
    /// Adds what was being done when the request failed.
    pub(crate) fn while_doing(doing: impl Into<String>) -> impl FnOnce(ClusterError) -> Self {
        let doing = doing.into();
        move |source| Self::Cluster { doing, source }
    }
}

fn names(failures: &[WriteFailure]) -> String {
    let names: Vec<String> = failures
        .iter()
        .map(|failure| format!("`{}`", failure.object))
        .collect();
    names.join(", ")
}

fn not_there(object: &ObjectRef, nearby: &Nearby) -> String {
    let namespace = &nearby.namespace;
    if nearby.is_absent {
        format!("namespace `{namespace}` does not exist")
    } else {
        format!("`{object}` does not exist in namespace `{namespace}`")
    }
}

fn which(candidates: &[ObjectRef]) -> String {
    if candidates.is_empty() {
        "the manifests contain no StatefulSet".to_owned()
    } else {
        format!("the manifests contain {} StatefulSets", candidates.len())
    }
}

//! Who forbids a request.

use kube::core::Status;

use super::super::error::has_cause;

/// Who forbids a request. The API server answers 403 for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// Authorization: the user lacks a permission.
    Permission,
    /// The namespace is being deleted.
    NamespaceTerminating,
    /// A quota.
    Quota,
    /// The namespace's Pod Security Standard.
    PodSecurity,
    /// Any other admission.
    Admission,
}

impl Denial {
    /// Only the namespace's end has a cause of its own; the others differ in their words alone: those of
    /// authorization are always the same (`k8s.io/apiserver`
    /// `pkg/endpoints/handlers/responsewriters/errors.go`), and so are those of the admission plugins.
    pub(crate) fn of(status: &Status) -> Self {
        let says = |text: &str| status.message.contains(text);
        if has_cause(status, "NamespaceTerminating") {
            Self::NamespaceTerminating
        } else if says("exceeded quota: ") || says("failed quota: ") {
            Self::Quota
        } else if says("violates PodSecurity ") {
            Self::PodSecurity
        } else if says(" is forbidden: ") && !says("User \"") && !says(" cannot ") {
            Self::Admission
        } else {
            Self::Permission
        }
    }
}

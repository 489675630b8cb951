//! Which namespace an object goes into.

use thiserror::Error;

use super::{Manifest, ManifestSet};
use crate::object::ObjectRef;

/// Whether a kind's objects live in namespaces; only the API server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One object of a name in the whole cluster.
    Cluster,
    /// One object of a name in each namespace.
    Namespaced,
}

/// The object says another namespace than the one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{origin}: `{object}` says namespace `{written}`, which is not the requested namespace \
     `{requested}`"
)]
pub struct NamespaceMismatch {
    /// The object.
    pub object: Box<ObjectRef>,
    /// Where it was written, as `file:line`.
    pub origin: String,
    /// The namespace in the manifest.
    pub written: String,
    /// The namespace that was asked for.
    pub requested: String,
}

/// The namespace that an object goes into, as kubectl decides it (`RequireNamespace` and
/// `SetNamespace` in `cli-runtime/pkg/resource/visitor.go`): its own, else the requested one,
/// else the default; `None` for a cluster-scoped object, even when its manifest says one.
///
/// # Errors
/// When the object says another namespace than the requested one.
pub fn resolve_namespace(
    manifest: &Manifest,
    scope: Scope,
    requested: Option<&str>,
    default: &str,
) -> Result<Option<String>, NamespaceMismatch> {
    if scope == Scope::Cluster {
        return Ok(None);
    }
    match (manifest.reference.namespace.as_deref(), requested) {
        (Some(written), Some(requested)) if written != requested => Err(NamespaceMismatch {
            object: Box::new(manifest.reference.clone()),
            origin: manifest.origin.to_string(),
            written: written.to_owned(),
            requested: requested.to_owned(),
        }),
        (Some(namespace), _) | (None, Some(namespace)) => Ok(Some(namespace.to_owned())),
        (None, None) => Ok(Some(default.to_owned())),
    }
}

impl ManifestSet {
    /// Moves the whole set into one namespace: the `Namespace` object of the set itself, every
    /// object that says a namespace, and the namespaces of role bindings' subjects.
    ///
    /// Meant for the built-in set, which lives in a single namespace.
    pub fn retarget(&mut self, namespace: &str) {
        for manifest in self.manifests_mut() {
            if manifest.reference.is("", "Namespace") {
                namespace.clone_into(&mut manifest.reference.name);
                manifest.value["metadata"]["name"] = namespace.into();
            }
            if manifest.reference.namespace.is_some() {
                manifest.set_namespace(Some(namespace));
            }
            let subjects = manifest
                .value
                .get_mut("subjects")
                .and_then(|value| value.as_array_mut());
            for subject in subjects.into_iter().flatten() {
                if let Some(written) = subject.get_mut("namespace") {
                    *written = namespace.into();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

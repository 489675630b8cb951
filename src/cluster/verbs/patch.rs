//! Changes single fields of an object as it was read, and of no other state of it.

use kube::core::params::{Patch, PatchParams};
use serde_json::Value;

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::decode;
use super::super::request::sender::Effect;
use super::discovery::ResourceKind;
use super::objects::{invalid, requests};
use crate::fields::EXPERIMENT_MANAGER;

impl Cluster {
    /// Merges a patch (RFC 7396) into an object. With `metadata.resourceVersion` in the patch it is a
    /// [`ClusterError::Conflict`] when the object has changed since.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request; when the answer was lost, the caller reads the object.
    pub async fn merge_patch(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
    ) -> Result<Value, ClusterError> {
        let parameters = PatchParams {
            field_manager: Some(EXPERIMENT_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let request = requests(kind, namespace)
            .patch(name, &parameters, &Patch::Merge(patch))
            .map_err(invalid)?;
        let bytes = self.sender.bytes(request, Effect::Once).await?;
        decode::object(&bytes, kind, name)
    }
}

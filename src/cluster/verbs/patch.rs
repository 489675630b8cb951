//! Changes single fields of an object as it was read, and of no other state of it.

use kube::core::params::{Patch, PatchParams};
use serde_json::Value;

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::decode;
use super::super::request::sender::Effect;
use super::discovery::ResourceKind;
use super::objects::{invalid, requests};
use crate::fields::FIELD_MANAGER;

impl Cluster {
    /// Merges a patch (RFC 7396) into an object, as a field manager. With `metadata.resourceVersion` in the patch it is a
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
        manager: &str,
    ) -> Result<Value, ClusterError> {
        let parameters = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let request = requests(kind, namespace)
            .patch(name, &parameters, &Patch::Merge(patch))
            .map_err(invalid)?;
        let bytes = self.sender.bytes(request, Effect::Once).await?;
        decode::object(&bytes, kind, name)
    }

    /// Applies the operations of a JSON patch (RFC 6902) to an object as the field manager of everything that this
    /// program applies, or only tries to.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request; when the answer was lost, the caller reads the object.
    pub async fn json_patch(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        name: &str,
        operations: &[Value],
        is_dry_run: bool,
    ) -> Result<Value, ClusterError> {
        let query = if is_dry_run { "&dryRun=All" } else { "" };
        let path = &requests(kind, namespace).url_path;
        let body = serde_json::to_vec(operations).map_err(|error| ClusterError::Undecodable {
            reason: error.to_string(),
        })?;
        let request =
            http::Request::patch(format!("{path}/{name}?fieldManager={FIELD_MANAGER}{query}"))
                .header(http::header::CONTENT_TYPE, "application/json-patch+json")
                .body(body)
                .map_err(|error| invalid(kube::core::request::Error::BuildRequest(error)))?;
        let effect = if is_dry_run {
            Effect::Idempotent
        } else {
            Effect::Once
        };
        let bytes = self.sender.bytes(request, effect).await?;
        decode::object(&bytes, kind, name)
    }
}

//! Reads, applies and creates single objects.

use kube::core::params::{GetParams, Patch, PatchParams, PostParams, ValidationDirective};
use kube::core::{DynamicObject, Request, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::sender::Effect;
use super::super::request::{decode, warning};
use super::discovery::ResourceKind;
use crate::fields::{FIELD_MANAGER, ROLLOUT_MANAGER};

/// Whether an apply is a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplyMode {
    /// Validated and admitted, but not stored.
    DryRun,
    /// The same, as if fields of other managers were ours: to see what would differ.
    ForcedDryRun,
    /// The same as a dry run, where the object is not to be: what the API server warns of there is not
    /// said.
    DryRunElsewhere,
    /// Stored.
    Store,
    /// The same, only in the version that the body names: in another one, other managers own other
    /// fields.
    StoreVersion {
        /// Whether fields become ours that other managers own.
        is_forced: bool,
    },
    /// Stored under the manager of roll-outs, as what is not our own for good.
    StoreForRollout,
}

impl Cluster {
    /// Reads the most recent state of an object.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request, except that an absent object is `None`.
    pub async fn get<T: DeserializeOwned>(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<T>, ClusterError> {
        let request = requests(kind, namespace)
            .get(name, &GetParams::default())
            .map_err(invalid)?;
        let decode = |bytes: &[u8]| decode::object(bytes, kind, name);
        match self.sender.read(request, decode).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.says_absent(kind, name) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Server-side applies an object, unknown fields refused; forced only where
    /// the mode says so.
    ///
    /// An apply whose answer was lost is read back by applying it again: it is a statement of the
    /// wanted state under one field manager, so a second execution changes nothing (KEP-555).
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request.
    pub async fn apply(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        name: &str,
        object: &Value,
        mode: ApplyMode,
    ) -> Result<Value, ClusterError> {
        let manager = match mode {
            ApplyMode::StoreForRollout => ROLLOUT_MANAGER,
            _ => FIELD_MANAGER,
        };
        let parameters = PatchParams {
            dry_run: matches!(
                mode,
                ApplyMode::DryRun | ApplyMode::ForcedDryRun | ApplyMode::DryRunElsewhere
            ),
            force: matches!(
                mode,
                ApplyMode::ForcedDryRun | ApplyMode::StoreVersion { is_forced: true }
            ),
            field_manager: Some(manager.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
        };
        let mut request = requests(kind, namespace)
            .patch(name, &parameters, &Patch::Apply(object))
            .map_err(invalid)?;
        if mode == ApplyMode::DryRunElsewhere {
            warning::unheard(&mut request);
        }
        let effect = match mode {
            ApplyMode::Store | ApplyMode::StoreForRollout => Effect::Apply,
            // A second execution meets the resourceVersion of the first.
            ApplyMode::StoreVersion { .. } => Effect::Once,
            _ => Effect::Idempotent,
        };
        let bytes = self.sender.bytes(request, effect).await?;
        decode::object(&bytes, kind, name)
    }

    /// Creates an object; one that exists already is [`ClusterError::Conflict`].
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request.
    pub async fn create(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        object: &Value,
    ) -> Result<Value, ClusterError> {
        let parameters = PostParams {
            dry_run: false,
            field_manager: Some(FIELD_MANAGER.to_owned()),
        };
        let body = serde_json::to_vec(object).map_err(|error| ClusterError::Undecodable {
            reason: error.to_string(),
        })?;
        let request = requests(kind, namespace)
            .create(&parameters, body)
            .map_err(invalid)?;
        let bytes = self.sender.bytes(request, Effect::Once).await?;
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        decode::object(&bytes, kind, name)
    }
}

/// Builds requests for a kind, in a namespace when the kind has one.
pub(crate) fn requests(kind: &ResourceKind, namespace: Option<&str>) -> Request {
    let namespace = namespace.filter(|_| kind.namespaced);
    Request::new(DynamicObject::url_path(&kind.resource, namespace))
}

/// A request that cannot even be written down, such as one for an object without a name.
#[expect(
    clippy::needless_pass_by_value,
    reason = "`map_err` hands the error over"
)]
pub(crate) fn invalid(error: kube::core::request::Error) -> ClusterError {
    ClusterError::Refused {
        code: 0,
        reason: "Invalid".to_owned(),
        message: error.to_string(),
        fields: Vec::new(),
        retry_after: None,
    }
}

//! Asks the API server what the user may do.

use serde_json::{Value, json};

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::decode;
use super::super::request::sender::Effect;
use super::discovery::ResourceKind;

impl Cluster {
    /// Whether the user may do `verb` with a kind, or with one of its subresources, in a namespace.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request.
    pub async fn may(
        &self,
        verb: &str,
        kind: &ResourceKind,
        subresource: Option<&str>,
        namespace: Option<&str>,
    ) -> Result<bool, ClusterError> {
        let mut attributes = attributes(verb, kind, namespace);
        attributes["subresource"] = subresource.unwrap_or_default().into();
        self.review(&attributes).await
    }

    /// Whether the user may do `verb` with this one object: a role may name those that it is for.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request.
    pub async fn may_with(
        &self,
        verb: &str,
        kind: &ResourceKind,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<bool, ClusterError> {
        let mut attributes = attributes(verb, kind, namespace);
        attributes["name"] = name.into();
        self.review(&attributes).await
    }

    async fn review(&self, attributes: &Value) -> Result<bool, ClusterError> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        });
        let reviews = ResourceKind::known(
            "authorization.k8s.io",
            "v1",
            "SelfSubjectAccessReview",
            "selfsubjectaccessreviews",
            false,
        );
        let request = super::objects::requests(&reviews, None);
        let body = review.to_string().into_bytes();
        let request = request
            .create(&kube::core::params::PostParams::default(), body)
            .map_err(super::objects::invalid)?;
        // A review stores nothing, so it may be repeated like any read.
        let bytes = self.sender.bytes(request, Effect::Idempotent).await?;
        let answer: Value =
            decode::of_kind(&bytes, "SelfSubjectAccessReview", "review of a permission")?;
        answer["status"]["allowed"]
            .as_bool()
            .ok_or_else(|| ClusterError::Undecodable {
                reason: "the review says neither yes nor no".to_owned(),
            })
    }
}

fn attributes(verb: &str, kind: &ResourceKind, namespace: Option<&str>) -> Value {
    json!({
        "verb": verb,
        "group": kind.resource.group,
        "resource": kind.resource.plural,
        "namespace": namespace.unwrap_or_default(),
    })
}

//! The custom resources of a `CustomResourceDefinition`.

use serde_json::Value;

use super::Context;
use crate::cluster::{ClusterError, ResourceKind};
use crate::object::ObjectRef;

/// Every object of the kind that a definition defines; none if the kind is not served.
///
/// # Errors
/// Any [`ClusterError`] of a request.
pub(crate) async fn instances(
    context: &Context,
    definition: &Value,
) -> Result<Vec<(ObjectRef, Value)>, ClusterError> {
    let Some(kind) = kind_of(definition) else {
        return Ok(Vec::new());
    };
    let listed = context.cluster.list::<Value>(&kind, None, None, None).await;
    let listed = match listed {
        Err(error) if context.cluster.has_dropped(&kind, &error).await => Vec::new(),
        listed => listed?,
    };
    let named = listed.into_iter().map(|object| {
        let metadata = &object["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default();
        let namespace = metadata["namespace"].as_str();
        let resource = &kind.resource;
        let reference = ObjectRef::new(&resource.group, &resource.kind, namespace, name);
        (reference, object)
    });
    Ok(named.collect())
}

/// The kind that a definition defines, in a served version.
fn kind_of(definition: &Value) -> Option<ResourceKind> {
    let spec = &definition["spec"];
    let mut versions = spec["versions"].as_array()?.iter();
    let version = versions.find(|version| version["served"] == true)?;
    let mut conditions = definition["status"]["conditions"].as_array()?.iter();
    conditions
        .find(|condition| condition["type"] == "Established" && condition["status"] == "True")?;
    Some(ResourceKind::known(
        spec["group"].as_str()?,
        version["name"].as_str()?,
        spec["names"]["kind"].as_str()?,
        spec["names"]["plural"].as_str()?,
        spec["scope"] == "Namespaced",
    ))
}

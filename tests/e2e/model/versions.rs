//! Applies that name a version which no object has: they create an object, and never change one.

use serde_json::{Value, json};

use super::Server;

/// The steps, with their answers.
pub(super) async fn versions(server: &Server) -> Vec<(&'static str, (u16, Value))> {
    let path = "/api/v1/namespaces/NAMESPACE/configmaps/versioned?fieldManager=one";
    let named = |value: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "versioned", "resourceVersion": "1"}, "data": {"key": value}})
    };
    vec![
        (
            "apply of a version where nothing is",
            server.apply(path, &named("1")).await,
        ),
        (
            "apply of a version where another one is",
            server.apply(path, &named("2")).await,
        ),
    ]
}

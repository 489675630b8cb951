//! Managed fields that a JSON patch moves to another manager, and what that manager's apply then removes.

use http::Method;
use serde_json::{Value, json};

use super::Server;

const MAPS: &str = "/api/v1/namespaces/NAMESPACE/configmaps";

/// The steps, with their answers.
pub(super) async fn moving(server: &Server) -> Vec<(&'static str, (u16, Value))> {
    let made = json!({
        "metadata": {"name": "moving", "annotations": {"copy": "x"}, "labels": {"old": "x"}},
        "data": {"kept": "1", "gone": "1"},
    });
    let path = format!("{MAPS}/moving?fieldManager=later");
    let patch = async |operations: Value| {
        let kind = "application/json-patch+json";
        server.send(Method::PATCH, &path, kind, &operations).await
    };
    let managers = |fields: Value| json!({"op": "replace", "path": "/metadata/managedFields", "value": fields});
    let fields = json!({
        "f:data": {".": {}, "f:kept": {}, "f:gone": {}},
        "f:metadata": {"f:labels": {"f:old": {}}},
    });
    let later = json!([{
        "manager": "later", "operation": "Apply", "apiVersion": "v1", "time": "2026-11-30T10:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": fields}]);
    let copy = json!({"op": "remove", "path": "/metadata/annotations/copy"});
    let declared = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "moving"}, "data": {"kept": "2"}});
    let stale = json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "1"});
    vec![
        (
            "create by a former manager",
            server
                .post(&format!("{MAPS}?fieldManager=former"), &made)
                .await,
        ),
        (
            "move from a stale version",
            patch(json!([stale, managers(later.clone())])).await,
        ),
        ("move", patch(json!([managers(later), copy])).await),
        (
            "remove by the later apply",
            server.apply(&path, &declared).await,
        ),
    ]
}

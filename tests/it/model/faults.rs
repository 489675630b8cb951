//! Faults and the record of requests.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, PostParams};
use serde_json::json;

use super::refusal;
use crate::apiserver::{ApiServer, Fault, Rule};

async fn create(server: &ApiServer) -> kube::Result<ConfigMap> {
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "default");
    let map = serde_json::from_value(json!({ "metadata": { "name": "m" } })).unwrap();
    maps.create(&PostParams::default(), &map).await
}

#[tokio::test(start_paused = true)]
async fn an_error_executes_nothing() {
    let server = ApiServer::seeded(1);
    let busy = Fault::Error {
        status: 503,
        reason: "ServiceUnavailable",
        message: "busy",
        retry_after: Some(1),
    };
    server.fault(
        Rule::new(busy)
            .method(http::Method::POST)
            .path("/configmaps")
            .times(1),
    );
    assert_eq!(refusal(create(&server).await).code, 503);
    assert!(server.object("", "configmaps", "default", "m").is_none());
    create(&server).await.unwrap();
    assert_eq!(server.writes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_was_executed() {
    let server = ApiServer::seeded(1);
    server.fault(Rule::new(Fault::CutAfter).times(1));
    create(&server).await.unwrap_err();
    assert!(server.object("", "configmaps", "default", "m").is_some());
    assert_eq!(refusal(create(&server).await).reason, "AlreadyExists");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_server_answers_when_it_thaws() {
    let server = ApiServer::seeded(1);
    server.freeze();
    let frozen = tokio::time::timeout(Duration::from_mins(1), create(&server)).await;
    assert!(frozen.is_err());
    server.thaw();
    create(&server).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_body_breaks_at_any_byte() {
    let server = ApiServer::seeded(1);
    create(&server).await.unwrap();
    server.fault(Rule::new(Fault::CutBody(20)).times(1));
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "default");
    maps.list(&ListParams::default()).await.unwrap_err();
    let whole = maps.list(&ListParams::default()).await.unwrap();
    assert!(
        whole
            .items
            .iter()
            .any(|map| map.metadata.name.as_deref() == Some("m"))
    );
    let last = server.requests().pop().unwrap();
    assert_eq!(last.line(), "GET /api/v1/namespaces/default/configmaps");
}

//! Faults and the record of requests.

use std::time::Duration;

use apiserver_model::{ApiServer, Fault, Page, Rule};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, PostParams};
use serde_json::json;
use tower::ServiceExt;

use super::refusal;

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

#[tokio::test(start_paused = true)]
async fn a_body_ends_early_as_if_that_were_its_end() {
    let server = ApiServer::seeded(1);
    create(&server).await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "default");
    server.fault(Rule::new(Fault::EndBody(20)).times(1));
    let error = maps.get("m").await.unwrap_err();
    assert!(matches!(error, kube::Error::SerdeError(_)), "{error:?}");
    server.fault(Rule::new(Fault::EndBody(100_000)).times(1));
    maps.get("m").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_replaced_before_or_after_the_request_is_executed() {
    let server = ApiServer::seeded(1);
    let replaced = |status, page, is_executed| {
        let fault = Fault::Replaced {
            status,
            page,
            is_executed,
        };
        Rule::new(fault).method(http::Method::POST).times(1)
    };
    let exists = || server.object("", "configmaps", "default", "m").is_some();
    server.fault(replaced(200, Page::Html, false));
    create(&server).await.unwrap_err();
    assert!(!exists());
    server.fault(replaced(500, Page::Status, true));
    assert_eq!(refusal(create(&server).await).reason, "InternalError");
    assert!(exists());
}

#[tokio::test(start_paused = true)]
async fn a_read_is_answered_with_another_object() {
    let server = ApiServer::seeded(1);
    create(&server).await.unwrap();
    server.create(
        "tester",
        "",
        "configmaps",
        json!({ "metadata": { "name": "n", "namespace": "default" } }),
    );
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "default");
    server.fault(Rule::new(Fault::Other).times(1));
    let name = async || maps.get("m").await.unwrap().metadata.name;
    assert_eq!(name().await.as_deref(), Some("n"));
    assert_eq!(name().await.as_deref(), Some("m"));
}

#[tokio::test(start_paused = true)]
async fn any_time_to_come_back_stands_in_the_header() {
    for seconds in [0, u64::MAX] {
        let server = ApiServer::seeded(1);
        let busy = Fault::Error {
            status: 429,
            reason: "TooManyRequests",
            message: "busy",
            retry_after: Some(seconds),
        };
        server.fault(Rule::new(busy));
        let request = http::Request::get("/version").body(kube::client::Body::empty());
        let response = server.service().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(
            response.headers()[http::header::RETRY_AFTER],
            seconds.to_string()
        );
    }
}

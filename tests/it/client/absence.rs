//! An object counts as absent only if a proven API server says so, and a list only if it is
//! complete.

use cryptoctl::cluster::{ClusterError, ResourceKind, ServedKinds};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

use super::script::{Reply, Scripted, Seen, pod, refusal};

const DOCUMENT: &str = "404 page not found\n";

fn no_page() -> Reply {
    Reply::Whole(404, Vec::new(), DOCUMENT.into())
}

fn not_found(details: &Value) -> Reply {
    let mut body = refusal(404, "NotFound");
    body["details"] = details.clone();
    Reply::json(404, &body)
}

async fn read(scripted: &Scripted) -> Result<Option<Value>, ClusterError> {
    let kind = ResourceKind::pod();
    scripted.cluster.get(&kind, Some("default"), "web-0").await
}

async fn list(scripted: &Scripted) -> Result<Vec<Value>, ClusterError> {
    let kind = ResourceKind::pod();
    let listed = scripted.cluster.list(&kind, Some("default"), None, None);
    listed.await
}

async fn find(
    scripted: &Scripted,
    api_version: &str,
    kind: &str,
) -> Result<Option<ResourceKind>, ClusterError> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = GroupVersionKind::gvk(group, version, kind);
    ServedKinds::default().find(&scripted.cluster, &kind).await
}

#[tokio::test(start_paused = true)]
async fn an_object_is_absent_only_when_the_api_server_names_it() {
    let absent = Scripted::new(|_| not_found(&json!({"name": "web-0", "kind": "pods"})));
    assert_eq!(read(&absent).await.unwrap(), None);
    let others = [
        json!({}),
        json!({"name": "web-1", "kind": "pods"}),
        json!({"name": "web-0", "kind": "services"}),
        json!({"name": "default", "kind": "namespaces"}),
        Value::Null,
    ];
    for details in others {
        let scripted = Scripted::new({
            let details = details.clone();
            move |_| not_found(&details)
        });
        assert!(read(&scripted).await.is_err(), "{details}");
    }
    let mut of_others = refusal(404, "NotFound");
    of_others["kind"] = json!("Error");
    of_others["details"] = json!({"name": "web-0", "kind": "pods"});
    let scripted = Scripted::new(move |_| Reply::json(404, &of_others));
    assert!(read(&scripted).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn kinds_of_every_api_server_are_always_served() {
    let kinds = [
        ("v1", "ConfigMap"),
        ("apps/v1", "StatefulSet"),
        ("policy/v1", "PodDisruptionBudget"),
    ];
    let nothing: [fn(&Seen) -> Reply; 6] = [
        |_| no_page(),
        |_| Reply::refusal(404, "NotFound"),
        |_| Reply::json(200, &json!({})),
        |_| Reply::json(200, &json!({"major": "1", "gitVersion": "v1.37.2"})),
        |_| Reply::json(200, &json!({"kind": "APIGroupList", "groups": []})),
        |request| {
            let group_version = request.path.trim_start_matches("/apis/");
            let group_version = group_version.trim_start_matches("/api/");
            Reply::json(
                200,
                &json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": []}),
            )
        },
    ];
    for (number, answer) in nothing.into_iter().enumerate() {
        for (api_version, kind) in kinds {
            let scripted = Scripted::new(answer);
            let found = find(&scripted, api_version, kind).await;
            assert!(found.is_err(), "answer {number}, {api_version}: {found:?}");
        }
    }
}

fn groups(version: &str) -> Value {
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [
        {"name": "example.org", "versions": [{"groupVersion": version, "version": "v1"}]},
    ]})
}

#[tokio::test(start_paused = true)]
async fn a_group_is_not_served_only_when_the_list_of_groups_lacks_it() {
    let lacks = Scripted::new(|request| match request.path.as_str() {
        "/apis" => Reply::json(200, &groups("example.org/v2")),
        _ => no_page(),
    });
    let found = find(&lacks, "example.org/v1", "Gadget").await;
    assert_eq!(found.unwrap(), None);
    let announces = Scripted::new(|request| match request.path.as_str() {
        "/apis" => Reply::json(200, &groups("example.org/v1")),
        _ => no_page(),
    });
    assert!(find(&announces, "example.org/v1", "Gadget").await.is_err());
    let silent = Scripted::new(|_| no_page());
    assert!(find(&silent, "example.org/v1", "Gadget").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_kinds_of_another_group_version_are_refused() {
    let scripted = Scripted::new(|_| {
        let resource = json!({"name": "jobs", "kind": "Job", "namespaced": true, "verbs": [],
            "singularName": "job"});
        let list = json!({"kind": "APIResourceList", "groupVersion": "batch/v1",
            "resources": [resource]});
        Reply::json(200, &list)
    });
    assert!(find(&scripted, "apps/v1", "Job").await.is_err());
    assert!(find(&scripted, "batch/v1", "Job").await.unwrap().is_some());
}

fn page(names: &[&str], metadata: &Value) -> Reply {
    let items: Vec<Value> = names.iter().map(|name| pod(name, name, 1)).collect();
    let list = json!({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items});
    Reply::json(200, &list)
}

#[tokio::test(start_paused = true)]
async fn a_list_in_pages_is_read_to_its_end() {
    let scripted = Scripted::new(|request| {
        if request.query.contains("continue=more") {
            page(&["web-1"], &json!({"resourceVersion": "7"}))
        } else {
            let metadata = json!({"resourceVersion": "7", "continue": "more"});
            page(&["web-0"], &metadata)
        }
    });
    assert_eq!(list(&scripted).await.unwrap().len(), 2);
    assert_eq!(scripted.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_state_is_forgotten_is_begun_anew() {
    let mut expired = 0;
    let scripted = Scripted::new(move |request| {
        if !request.query.contains("continue=") {
            let metadata = json!({"resourceVersion": "7", "continue": "more"});
            return page(&["web-0"], &metadata);
        }
        expired += 1;
        match expired {
            1 => Reply::refusal(410, "Expired"),
            _ => page(&["web-1"], &json!({"resourceVersion": "7"})),
        }
    });
    assert_eq!(list(&scripted).await.unwrap().len(), 2);
    let lasting = Scripted::new(|request| {
        if request.query.contains("continue=") {
            return Reply::refusal(410, "Expired");
        }
        let metadata = json!({"resourceVersion": "7", "continue": "more"});
        page(&["web-0"], &metadata)
    });
    assert!(list(&lasting).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_or_foreign_list_is_refused() {
    let wrong: [fn() -> Reply; 8] = [
        // Pages without an end, each with nothing new.
        || {
            page(
                &["web-0"],
                &json!({"resourceVersion": "7", "continue": "more"}),
            )
        },
        || page(&[], &json!({"resourceVersion": "7", "continue": "more"})),
        // Less than exists, without a continuation.
        || {
            page(
                &["web-0"],
                &json!({"resourceVersion": "7", "remainingItemCount": 4}),
            )
        },
        || {
            Reply::json(
                200,
                &json!({"kind": "ServiceList", "apiVersion": "v1", "metadata": {}, "items": []}),
            )
        },
        || {
            Reply::json(
                200,
                &json!({"kind": "PodList", "apiVersion": "apps/v1", "metadata": {}, "items": []}),
            )
        },
        || {
            Reply::json(
                200,
                &json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []}),
            )
        },
        || Reply::json(200, &json!({"items": []})),
        || {
            Reply::json(
                200,
                &json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}),
            )
        },
    ];
    for (number, wrong) in wrong.into_iter().enumerate() {
        let scripted = Scripted::new(move |_| wrong());
        let listed = list(&scripted).await;
        assert!(listed.is_err(), "answer {number}: {listed:?}");
    }
    let mut version = 0;
    let moving = Scripted::new(move |_| {
        version += 1;
        let token = format!("more-{version}");
        page(
            &["web-0"],
            &json!({"resourceVersion": version.to_string(), "continue": token}),
        )
    });
    assert!(list(&moving).await.is_err(), "pages of different states");
}

#[tokio::test(start_paused = true)]
async fn an_invalid_review_neither_allows_nor_denies() {
    let pods = ResourceKind::pod();
    let answers = [
        json!({}),
        json!({"kind": "SelfSubjectAccessReview", "status": {}}),
        json!({"kind": "Status", "status": {"allowed": true}}),
    ];
    for answer in answers {
        let scripted = Scripted::new({
            let answer = answer.clone();
            move |_| Reply::json(201, &answer)
        });
        let may = scripted.cluster.may("get", &pods, None, None);
        assert!(may.await.is_err(), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_is_dropped_only_by_the_api_servers_own_lists() {
    let gadgets = |group: &str| ResourceKind::known(group, "v1", "Gadget", "gadgets", true);
    let with = |kind: &'static str| {
        move |request: &Seen| match request.path.as_str() {
            "/apis" => Reply::json(200, &groups("example.org/v1")),
            "/apis/example.org/v1" => {
                let resource = json!({"name": kind, "kind": "Any", "namespaced": true, "verbs": [],
                    "singularName": "any"});
                let list = json!({"kind": "APIResourceList", "groupVersion": "example.org/v1",
                    "resources": [resource]});
                Reply::json(200, &list)
            }
            _ => no_page(),
        }
    };
    let without = |request: &Seen| match request.path.as_str() {
        "/apis" => Reply::json(200, &groups("example.org/v2")),
        _ => no_page(),
    };
    let dropped = async |scripted: Scripted, kind: ResourceKind| {
        let listed = scripted.cluster.list::<Value>(&kind, None, None, None);
        let error = listed.await.unwrap_err();
        scripted.cluster.has_dropped(&kind, &error).await
    };
    assert!(dropped(Scripted::new(without), gadgets("example.org")).await);
    assert!(dropped(Scripted::new(with("others")), gadgets("example.org")).await);
    let served = dropped(Scripted::new(with("gadgets")), gadgets("example.org"));
    assert!(!served.await, "it is served: something in between answers");
    let nobody = dropped(Scripted::new(|_| no_page()), gadgets("example.org"));
    assert!(!nobody.await, "no API server");
    let pods = dropped(Scripted::new(without), ResourceKind::pod());
    assert!(!pods.await, "every API server has pods");
    let denied = Scripted::new(|request| match request.path.as_str() {
        "/apis" => Reply::json(200, &groups("example.org/v2")),
        _ => Reply::refusal(403, "Forbidden"),
    });
    assert!(!dropped(denied, gadgets("example.org")).await);
}

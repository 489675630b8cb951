//! Changes that need a new object: pods, claims and the fields of others outlive the old one.

mod meanwhile;

use apiserver_model::ApiServer;
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::run;
use crate::harness::Output;

pub(super) const SET: (&str, &str, &str, &str) = ("apps", "statefulsets", "shop", "web");

/// A StatefulSet in a namespace, with what is changed in it.
pub(super) struct Shop {
    pub(super) server: ApiServer,
    pub(super) folder: TempDir,
}

pub(super) fn stateful_set() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "serviceName": "web",
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web", "tier": "front"}},
                "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
        },
    })
}

impl Shop {
    /// A namespace with nothing in it.
    pub(super) async fn empty() -> Self {
        let server = ApiServer::listen().await;
        let namespace = json!({"metadata": {"name": "shop"}});
        server.create("somebody", "", "namespaces", namespace);
        let folder = tempfile::tempdir().unwrap();
        Self { server, folder }
    }

    /// The set, applied.
    pub(super) async fn open() -> Self {
        let shop = Self::empty().await;
        shop.up(&stateful_set(), &[]).await.expect_code(0);
        shop.server.forget_requests();
        shop
    }

    async fn with(&self, verb: &str, set: &Value, flags: &[&str]) -> Output {
        let file = self.folder.path().join("set.yaml");
        std::fs::write(&file, set.to_string()).unwrap();
        let arguments = [&[verb, "-f", file.to_str().unwrap()], flags].concat();
        run(&self.server, &arguments).await
    }

    pub(super) async fn up(&self, set: &Value, flags: &[&str]) -> Output {
        self.with("up", set, flags).await
    }

    fn live(&self) -> Value {
        let (group, resource, namespace, name) = SET;
        self.server
            .object(group, resource, namespace, name)
            .unwrap()
    }

    /// The pods of the set by name, each with its UID and the Service that names it.
    fn pods(&self) -> Vec<(String, String, String)> {
        let pods = self.server.objects("", "pods");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let row = |pod: &Value| {
            let metadata = &pod["metadata"];
            let (name, uid) = (text(&metadata["name"]), text(&metadata["uid"]));
            (name, uid, text(&pod["spec"]["subdomain"]))
        };
        pods.iter().map(row).collect()
    }

    fn deletions(&self) -> Vec<String> {
        let writes = self.server.writes();
        let deletions = writes.iter().filter(|write| write.method == Method::DELETE);
        deletions.map(|write| write.path.clone()).collect()
    }
}

/// Everything that a run wrote.
fn said(output: &Output) -> String {
    format!("{}{}", output.stdout, output.stderr)
}

/// The set with another value in its specification.
pub(super) fn with(field: &str, value: Value) -> Value {
    let mut set = stateful_set();
    set["spec"][field] = value;
    set
}

#[tokio::test]
async fn another_service_name_replaces_one_pod_after_the_other() {
    let shop = Shop::open().await;
    let before = shop.pods();
    let uid = shop.live()["metadata"]["uid"].clone();
    let other = with("serviceName", json!("other"));
    let words = "because `.spec.serviceName` cannot be changed: its 2 pods keep running, and then they are \
                 replaced one after the other, because their DNS names change";
    let shown = shop.with("diff", &other, &[]).await.expect_code(3);
    assert!(said(&shown).contains(words), "{}", shown.stdout);
    let refused = shop.up(&other, &[]).await.expect_code(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert_eq!(shop.server.writes().len(), 0, "nothing without consent");

    let done = shop.up(&other, &["--yes"]).await.expect_code(0);
    assert!(done.stderr.contains("1 replaced"), "{}", done.stderr);
    assert_ne!(shop.live()["metadata"]["uid"], uid);
    let after = shop.pods();
    for ((name, old, _), (new_name, new, subdomain)) in before.iter().zip(&after) {
        assert_eq!((name, subdomain.as_str()), (new_name, "other"));
        assert_ne!(old, new, "{name} keeps its name in the network for life");
    }
    let path = "/apis/apps/v1/namespaces/shop/statefulsets/web";
    assert_eq!(shop.deletions(), [path], "the controller deletes the pods");
    shop.with("diff", &other, &[]).await.expect_code(0);
    let revision = shop.server.revision();
    shop.up(&other, &[]).await.expect_code(0);
    assert_eq!(shop.server.revision(), revision, "nothing rolls again");
}

#[tokio::test]
async fn pods_and_the_fields_of_others_outlive_the_old_object() {
    let shop = Shop::open().await;
    shop.server.change("autoscaler", SET, |set| {
        set["spec"]["replicas"] = json!(3);
        set["metadata"]["annotations"] = json!({"note": "x"});
    });
    shop.server.until_ready("shop", "web", 3).await;
    let before = shop.pods();
    let parallel = with("podManagementPolicy", json!("Parallel"));
    let flags = ["--yes", "--yield", ".spec.replicas"];
    shop.up(&parallel, &flags).await.expect_code(0);
    let live = shop.live();
    assert_eq!(live["spec"]["podManagementPolicy"], "Parallel");
    assert_eq!(live["spec"]["replicas"], 3);
    assert_eq!(live["metadata"]["annotations"]["note"], "x");
    assert_eq!(shop.pods(), before, "no pod was touched");
    let owners = |field: &str| {
        let entries = live["metadata"]["managedFields"].as_array().unwrap();
        let owning = entries.iter().filter(|entry| {
            entry["subresource"] != "status" && entry["fieldsV1"].to_string().contains(field)
        });
        let mut names: Vec<&str> = owning.filter_map(|it| it["manager"].as_str()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(owners("f:replicas"), "autoscaler");
    assert_eq!(owners("f:note"), "autoscaler");
    assert_eq!(owners("f:serviceName"), "cryptoctl");
    let again = ["--yield", ".spec.replicas"];
    shop.with("diff", &parallel, &again).await.expect_code(0);
}

#[tokio::test]
async fn a_later_replacement_does_not_roll_what_was_rolled_before() {
    let shop = Shop::open().await;
    let mut set = with("serviceName", json!("other"));
    shop.up(&set, &["--yes"]).await.expect_code(0);
    let before = shop.pods();
    set["spec"]["podManagementPolicy"] = json!("Parallel");
    let shown = shop.with("diff", &set, &[]).await.expect_code(3);
    let line = said(&shown);
    assert!(line.contains("its 2 pods keep running\n"), "{line}");
    shop.up(&set, &["--yes"]).await.expect_code(0);
    assert_eq!(shop.pods(), before);
}

#[tokio::test]
async fn what_would_leave_pods_or_volumes_behind_is_refused() {
    let shop = Shop::open().await;
    let mut selector = with("selector", json!({"matchLabels": {"app": "shop"}}));
    selector["spec"]["template"]["metadata"]["labels"] = json!({"app": "shop"});
    let refused = shop.up(&selector, &["--yes"]).await.expect_code(1);
    let words = "`.spec.selector` cannot be changed: its pods would not match the new selector";
    assert!(said(&refused).contains(words), "{}", refused.stderr);
    let template = json!([{"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]);
    let claims = with("volumeClaimTemplates", template);
    let refused = shop.up(&claims, &["--yes", "--allow", "no-volume"]).await;
    let refused = refused.expect_code(1);
    let words = "`.spec.volumeClaimTemplates` cannot be changed: claims that exist would stay";
    assert!(said(&refused).contains(words), "{}", refused.stderr);
    assert_eq!(shop.server.writes().len(), 0);
    // All pods have the label that the new selector asks for, too.
    let narrower = with(
        "selector",
        json!({"matchLabels": {"app": "web", "tier": "front"}}),
    );
    let before = shop.pods();
    shop.up(&narrower, &["--yes"]).await.expect_code(0);
    assert_eq!(shop.pods(), before);
}

#[tokio::test]
async fn claims_grow_with_their_templates() {
    let with_claims = |storage: &str| {
        let template = json!([{"metadata": {"name": "data"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "standard",
            "resources": {"requests": {"storage": storage}}}}]);
        with("volumeClaimTemplates", template)
    };
    let shop = Shop::empty().await;
    shop.up(&with_claims("1Gi"), &[]).await.expect_code(0);
    let claims = || {
        let claims = shop.server.objects("", "persistentvolumeclaims");
        let row = |claim: &Value| {
            let storage = &claim["spec"]["resources"]["requests"]["storage"];
            (claim["metadata"]["uid"].clone(), storage.clone())
        };
        claims.iter().map(row).collect::<Vec<_>>()
    };
    let (before, pods) = (claims(), shop.pods());
    let larger = with_claims("2Gi");
    let shown = shop.with("diff", &larger, &[]).await.expect_code(3);
    let words = "2 claims ask for 2Gi; its 2 pods keep running";
    assert!(said(&shown).contains(words), "{}", said(&shown));
    shop.up(&larger, &["--yes"]).await.expect_code(0);
    assert_eq!(shop.pods(), pods);
    for ((old, _), (uid, storage)) in before.into_iter().zip(claims()) {
        assert_eq!((old, json!("2Gi")), (uid, storage));
    }
    shop.with("diff", &larger, &[]).await.expect_code(0);
    let refused = shop
        .up(&with_claims("1Gi"), &["--yes"])
        .await
        .expect_code(1);
    let words = "`.spec.volumeClaimTemplates` cannot be changed";
    assert!(said(&refused).contains(words), "{}", said(&refused));
}

#[tokio::test]
async fn another_kind_is_replaced_only_by_name() {
    let shop = Shop::empty().await;
    let service = |address: Value| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"clusterIP": address, "selector": {"app": "web"}, "ports": [{"port": 80}]},
        })
    };
    shop.up(&service(json!("10.96.0.77")), &[])
        .await
        .expect_code(0);
    let uid = |shop: &Shop| {
        let service = shop.server.object("", "services", "shop", "web").unwrap();
        service["metadata"]["uid"].clone()
    };
    let before = uid(&shop);
    let headless = service(json!("None"));
    let refused = shop.up(&headless, &["--yes"]).await.expect_code(1);
    let words = "`.spec.clusterIPs[0]` cannot be changed";
    assert!(said(&refused).contains(words), "{}", refused.stderr);
    assert!(
        said(&refused).contains("--replace service/web`"),
        "{}",
        refused.stderr
    );
    let shown = shop.with("diff", &headless, &[]).await.expect_code(3);
    assert!(
        shown.stderr.contains("without `--replace service/web`"),
        "{}",
        shown.stderr
    );
    assert_eq!(uid(&shop), before);
    let flags = ["--replace", "svc/web", "--yes"];
    shop.up(&headless, &flags).await.expect_code(0);
    assert_ne!(uid(&shop), before);
    let again = shop.up(&headless, &flags).await.expect_code(0);
    let words = "`--replace svc/web` changes nothing";
    assert!(said(&again).contains(words), "{}", again.stderr);
}

#[tokio::test]
async fn a_workload_that_the_set_would_select_is_named_and_replaced_by_the_hint() {
    let shop = Shop::empty().await;
    let deployment = json!({
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web", "tier": "front"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]}}},
    });
    shop.server
        .create("somebody", "apps", "deployments", deployment);
    shop.server.forget_requests();
    let set = stateful_set();
    let refused = shop.up(&set, &["--yes"]).await.expect_code(1);
    let words = "`deployment/web`: it is not in the set, but its pods match the selector of `statefulset/web`";
    assert!(said(&refused).contains(words), "{}", refused.stderr);
    let words = "--replace deployment/web`";
    assert!(said(&refused).contains(words), "{}", refused.stderr);
    assert_eq!(shop.server.writes().len(), 0);
    let flags = ["--replace", "deployment/web", "--yes"];
    shop.up(&set, &flags).await.expect_code(0);
    let left = shop.server.object("apps", "deployments", "shop", "web");
    assert!(left.is_none(), "{left:?}");
    assert_eq!(shop.pods().len(), 2);
}

#[tokio::test]
async fn a_stranger_can_be_accepted() {
    let shop = Shop::empty().await;
    let stranger = json!({
        "metadata": {"name": "canary", "namespace": "shop"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:2"}]}}},
    });
    shop.server
        .create("somebody", "apps", "deployments", stranger);
    let accepted = ["--allow", "foreign-pods"];
    shop.up(&stateful_set(), &accepted).await.expect_code(0);
    let left = shop.server.object("apps", "deployments", "shop", "canary");
    assert!(left.is_some());
    // What was so before is no news.
    let mut scaled = stateful_set();
    scaled["spec"]["replicas"] = json!(1);
    shop.up(&scaled, &[]).await.expect_code(0);
}

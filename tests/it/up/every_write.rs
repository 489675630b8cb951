//! Each write of a run fails in turn, executed or not, with all that follow it: no pod, claim or value is lost, and the
//! next run ends where an undisturbed one does.

use std::collections::{BTreeMap, BTreeSet};

use apiserver_model::{ApiServer, Fault, Page, Rule};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::former_tools::{CLIENT_SIDE, folder, made_by};
use super::inventory;
use super::replacement::{SET, Shop, stateful_set, with};
use crate::harness::{Cryptoctl, Output};

const KINDS: [(&str, &str); 8] = [
    ("", "configmaps"),
    ("", "secrets"),
    ("", "services"),
    ("", "persistentvolumeclaims"),
    ("", "pods"),
    ("apps", "statefulsets"),
    ("apps", "deployments"),
    ("apps", "controllerrevisions"),
];

/// The set of a shop among the objects of a state.
const WEB: &str = "statefulsets/web";

/// What becomes of the pods that exist.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Kept,
    Replaced,
}

/// A cluster, and a command that changes it.
struct Scene {
    server: ApiServer,
    folder: TempDir,
    arguments: Vec<String>,
    fate: Fate,
}

impl Scene {
    /// The set of a shop, changed to another one.
    fn of_shop(shop: Shop, set: &Value, flags: &[&str], fate: Fate) -> Self {
        let file = shop.folder.path().join("set.yaml");
        std::fs::write(&file, set.to_string()).unwrap();
        let arguments = [&["up", "-f", file.to_str().unwrap(), "--yes"], flags].concat();
        shop.server.forget_requests();
        Self {
            server: shop.server,
            folder: shop.folder,
            arguments: arguments.into_iter().map(str::to_owned).collect(),
            fate,
        }
    }

    async fn run(&self) -> Output {
        let call = Cryptoctl::new(&self.server).args(&self.arguments);
        call.current_dir(self.folder.path()).run().await
    }

    /// The UIDs of the objects of a kind.
    fn identities(&self, resource: &str) -> BTreeMap<String, Value> {
        let objects = self.server.objects("", resource);
        let row = |it: &Value| {
            (
                it["metadata"]["name"].to_string(),
                it["metadata"]["uid"].clone(),
            )
        };
        objects.iter().map(row).collect()
    }

    /// All objects, without what differs between two clusters that hold the same.
    fn state(&self) -> BTreeMap<String, Value> {
        let objects = KINDS.iter().flat_map(|(group, resource)| {
            let objects = self.server.objects(group, resource).into_iter();
            objects.map(move |object| {
                let name = object["metadata"]["name"].as_str().unwrap().to_owned();
                (format!("{resource}/{name}"), comparable(object))
            })
        });
        objects.collect()
    }
}

fn comparable(mut object: Value) -> Value {
    object.as_object_mut().unwrap().remove("status");
    // The name of a volume holds the UID of its claim.
    object["spec"]["volumeName"] = Value::Null;
    let is_made = object["metadata"]["ownerReferences"].is_array();
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["uid", "resourceVersion", "creationTimestamp", "generation"] {
        metadata.remove(field);
    }
    for owner in metadata
        .get_mut("ownerReferences")
        .into_iter()
        .flat_map(list)
    {
        owner.as_object_mut().unwrap().remove("uid");
    }
    let entries = metadata.remove("managedFields").unwrap_or_default();
    let mut entries = entries.as_array().cloned().unwrap_or_default();
    for entry in &mut entries {
        entry.as_object_mut().unwrap().remove("time");
    }
    entries.sort_by_key(|entry| entry["manager"].to_string() + &entry["subresource"].to_string());
    if !is_made {
        // Those of what controllers make hold UIDs, and are nobody else's.
        object["metadata"]["managedFields"] = json!(entries);
    }
    object
}

/// Only what differs is in the message.
#[track_caller]
fn assert_same(state: &BTreeMap<String, Value>, wanted: &BTreeMap<String, Value>, place: &str) {
    let names: BTreeSet<&String> = state.keys().chain(wanted.keys()).collect();
    for name in names {
        let (found, wanted) = (state.get(name), wanted.get(name));
        assert!(
            found == wanted,
            "{name} is {}\nand not {}\n{place}",
            found.map(Value::to_string).unwrap_or_default(),
            wanted.map(Value::to_string).unwrap_or_default(),
        );
    }
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().unwrap()
}

/// Plays a scene once for each of its writes, and twice: the write is refused, or its answer is lost.
async fn at_every_write(scene: impl AsyncFn() -> Scene) {
    let undisturbed = scene().await;
    undisturbed.run().await.expect_code(0);
    let wanted = undisturbed.state();
    let writes = undisturbed.server.writes();
    assert!(!writes.is_empty());
    for (number, write) in writes.iter().enumerate() {
        for is_executed in [false, true] {
            let place = format!("{} (executed: {is_executed})", write.line());
            let scene = scene().await;
            let (pods, claims) = (
                scene.identities("pods"),
                scene.identities("persistentvolumeclaims"),
            );
            let number = u32::try_from(number).unwrap();
            let page = Page::Status;
            let first = Fault::Replaced {
                status: 500,
                page,
                is_executed,
            };
            let later = Fault::Replaced {
                status: 500,
                page,
                is_executed: false,
            };
            scene
                .server
                .fault(Rule::new(first).writes().after(number).times(1));
            scene.server.fault(Rule::new(later).writes().after(number));
            let cut = scene.run().await;
            if cut.code() == 0 {
                assert_same(&scene.state(), &wanted, &format!("{place}: {}", cut.stderr));
            }
            let left = scene.identities("pods");
            let lost: Vec<&String> = pods.keys().filter(|it| !left.contains_key(*it)).collect();
            assert!(lost.is_empty(), "{place}: {lost:?}: {}", cut.stderr);
            scene.server.heal();
            let output = scene.run().await;
            if output
                .stderr
                .contains("only cryptoctl owns `.spec.replicas`")
            {
                // Whom it was left to is not known any more, so a person has to decide.
                assert_eq!(output.code(), 1, "{place}");
                let (group, resource, namespace, name) = SET;
                let set = scene.server.object(group, resource, namespace, name);
                assert_eq!(set.unwrap()["spec"]["replicas"], 3, "{place}");
                assert_eq!(scene.identities("pods").len(), pods.len(), "{place}");
                continue;
            }
            let (cut, then) = (cut.stderr, &output.stderr);
            assert_eq!(output.code(), 0, "{place}: {cut}\nthen: {then}");
            let (mut state, mut wanted) = (scene.state(), wanted.clone());
            if cut.contains("then what autoscaler had set is lost") {
                for set in [&mut state, &mut wanted].map(|it| it.get_mut(WEB).unwrap()) {
                    let metadata = set["metadata"].as_object_mut().unwrap();
                    metadata.retain(|field, _| field == "name");
                }
            }
            assert_same(&state, &wanted, &format!("{place}: {cut}"));
            assert_eq!(
                scene.identities("persistentvolumeclaims"),
                claims,
                "{place}"
            );
            if scene.fate == Fate::Kept {
                let mut left = scene.identities("pods");
                left.retain(|name, _| pods.contains_key(name));
                assert_eq!(left, pods, "{place}: {cut}");
            }
            let mut deletions = scene.server.writes().into_iter();
            let of_pod =
                deletions.find(|it| it.method == Method::DELETE && it.path.contains("/pods"));
            assert!(of_pod.is_none(), "{place}: {of_pod:?}");
        }
    }
}

/// A set whose replicas and an annotation belong to an autoscaler.
async fn scaled() -> Shop {
    let shop = Shop::open().await;
    shop.server.change("autoscaler", SET, |set| {
        set["spec"]["replicas"] = json!(3);
        set["metadata"]["annotations"] = json!({"note": "x"});
    });
    shop.server.until_ready("shop", "web", 3).await;
    shop
}

const YIELD: [&str; 2] = ["--yield", ".spec.replicas"];

#[tokio::test]
async fn of_a_replacement_that_keeps_its_pods() {
    at_every_write(async || {
        let parallel = with("podManagementPolicy", json!("Parallel"));
        Scene::of_shop(scaled().await, &parallel, &YIELD, Fate::Kept)
    })
    .await;
}

#[tokio::test]
async fn of_a_replacement_that_rolls_its_pods() {
    at_every_write(async || {
        let other = with("serviceName", json!("other"));
        Scene::of_shop(scaled().await, &other, &YIELD, Fate::Replaced)
    })
    .await;
}

#[tokio::test]
async fn of_a_replacement_with_larger_claims() {
    let with_claims = |storage: &str| {
        let template = json!([{"metadata": {"name": "data"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "standard",
            "resources": {"requests": {"storage": storage}}}}]);
        with("volumeClaimTemplates", template)
    };
    at_every_write(async || {
        let shop = Shop::empty().await;
        shop.up(&with_claims("1Gi"), &[]).await.expect_code(0);
        Scene::of_shop(shop, &with_claims("2Gi"), &[], Fate::Kept)
    })
    .await;
}

#[tokio::test]
async fn of_the_replacement_of_a_workload_that_the_set_would_select() {
    at_every_write(async || {
        let shop = Shop::empty().await;
        let stranger = json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:1"}]}}},
        });
        shop.server
            .create("somebody", "apps", "deployments", stranger);
        let flags = ["--replace", "deployment/web"];
        Scene::of_shop(shop, &stateful_set(), &flags, Fate::Kept)
    })
    .await;
}

#[tokio::test]
async fn of_a_migration() {
    at_every_write(async || Scene {
        server: made_by(CLIENT_SIDE, true).await,
        folder: folder(super::former_tools::SET),
        arguments: ["up", "-f", "set.yaml"].map(str::to_owned).to_vec(),
        fate: Fate::Replaced,
    })
    .await;
}

#[tokio::test]
async fn of_pruning() {
    at_every_write(async || {
        let (server, folder) = inventory::applied().await;
        for file in ["old.yaml", "claim.yaml"] {
            std::fs::remove_file(folder.path().join(file)).unwrap();
        }
        server.forget_requests();
        let flags = ["--prune", "--yes"];
        Scene {
            arguments: inventory::with_inventory(folder.path(), "up", &flags),
            server,
            folder,
            fate: Fate::Kept,
        }
    })
    .await;
}

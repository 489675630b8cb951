//! `docs/permissions.md`: each verb works with exactly these permissions, and needs every one of
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use apiserver_model::{ApiServer, Disturbance, PodScript, Pods, Reply, Request};
use cryptoctl::manifest::{self, Options, Source};
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Cryptoctl, KEYS};

const DOCUMENT: &str = include_str!("../../docs/permissions.md");

/// Verbs and resources.
type Role = BTreeSet<(String, String)>;

/// A verb, what else may be read, and the roles that it needs together.
const TABLE: [(&[&str], &[&str]); 21] = [
    (&["up"], &["up"]),
    (&["up"], &["up", "risks"]),
    (&["up", "--inventory", "ours"], &["up", "inventory"]),
    (&["diff"], &["diff"]),
    (&["rollout", "status"], &["rollout-status"]),
    (&["rollout", "history"], &["rollout-history"]),
    (&["rollout", "restart"], &["rollout-status", "steer"]),
    (&["rollout", "pause"], &["steer"]),
    (
        &["rollout", "undo", "--no-evidence", "--auto-unstick"],
        &["rollout-status", "rollout-history", "steer", "unstick"],
    ),
    (
        &["rollout", "unstick", "--no-evidence"],
        &["rollout-status", "unstick"],
    ),
    (&["verify"], &["verify"]),
    (&["logs"], &["logs"]),
    (&["chaos", "--control", "--for", "1s"], &["chaos"]),
    (&["chaos", "--fault", "delete"], &["chaos", "chaos-delete"]),
    (
        &["chaos", "--fault", "force-delete"],
        &["chaos", "chaos-delete"],
    ),
    (&["chaos", "--fault", "evict"], &["chaos", "chaos-evict"]),
    (&["chaos", "--fault", "kill"], &["chaos", "chaos-kill"]),
    (&["chaos", "--fault", "restart"], &["chaos", "chaos-change"]),
    (
        &["chaos", "--fault", "scale", "--allow-disruption"],
        &["chaos", "chaos-change"],
    ),
    (&["chaos", "--restore"], &["restore"]),
    (&["down", "--delete-data"], &["down"]),
];

/// The permissions of a role of the document.
fn role(name: &str) -> Role {
    let blocks = DOCUMENT.split("```yaml\n").skip(1);
    let texts = blocks.map(|block| block.split("```").next().unwrap());
    let objects = texts.flat_map(|text| {
        let source = Source::Embedded {
            name: "permissions.md",
            text,
        };
        let set = manifest::load(&[source], Options::default()).unwrap();
        set.manifests().to_vec()
    });
    let full_name = format!("cryptoctl-{name}");
    let mut objects = objects.filter(|object| object.reference.name == full_name);
    let object = objects
        .next()
        .unwrap_or_else(|| panic!("no role `{full_name}`"));
    let words = |rule: &Value, key: &str| -> Vec<String> {
        let words = rule[key].as_array().unwrap().iter();
        words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    let mut role = Role::new();
    for rule in object.value["rules"].as_array().unwrap() {
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                for verb in words(rule, "verbs") {
                    role.insert((verb, qualified(&group, &resource)));
                }
            }
        }
    }
    role
}

/// As the model names resources.
fn qualified(group: &str, resource: &str) -> String {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let mut name = resource.to_owned();
    if !group.is_empty() {
        name = format!("{name}.{group}");
    }
    if !subresource.is_empty() {
        name = format!("{name}/{subresource}");
    }
    name
}

/// The permission that a request needs, or that a review checks.
fn asked(request: &Request) -> Option<(String, String)> {
    if request.path.ends_with("/selfsubjectaccessreviews") {
        let review = request.json()?;
        let attributes = &review["spec"]["resourceAttributes"];
        let text = |key: &str| attributes[key].as_str().unwrap_or_default().to_owned();
        let mut resource = text("resource");
        if !text("subresource").is_empty() {
            resource = format!("{resource}/{}", text("subresource"));
        }
        return Some((text("verb"), qualified(&text("group"), &resource)));
    }
    let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["api", "v1", rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    let rest = match rest {
        ["namespaces", _, rest @ ..] if !rest.is_empty() => rest,
        rest => rest,
    };
    let (resource, name) = match rest {
        [resource] => ((*resource).to_owned(), None),
        [resource, name] => ((*resource).to_owned(), Some(*name)),
        [resource, name, subresource, ..] => (format!("{resource}/{subresource}"), Some(*name)),
        [] => return None,
    };
    let is_watch = request.parameter("watch").is_some();
    let verb = match (&request.method, name) {
        (&Method::GET, _) if is_watch => "watch",
        (&Method::GET, Some(_)) => "get",
        (&Method::GET, None) => "list",
        (&Method::POST, _) => "create",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, _) => "delete",
        _ => return None,
    };
    Some((verb.to_owned(), qualified(group, &resource)))
}

/// Permissions that only some clusters or some failures need.
fn is_rare((verb, resource): &(String, String)) -> bool {
    // Websockets take either, by version and gate of the API server (KEP-4006).
    let is_stream = ["pods/portforward", "pods/exec"].contains(&resource.as_str());
    // To read back a deletion whose answer was lost, and to find what holds a deleted object.
    let is_second_look = resource == "pods" && ["get", "list"].contains(&verb.as_str());
    // An apply of a missing object is also authorized as a creation, which the model does not do.
    let is_apply = verb == "create" && !resource.contains('/');
    // A long experiment renews its lease, and a killed experiment may leave one behind.
    let is_renewal = (verb.as_str(), resource.as_str()) == ("patch", "leases.coordination.k8s.io");
    is_stream || is_second_look || is_apply || is_renewal
}

async fn stage(is_up: bool) -> ApiServer {
    let server = ApiServer::listen().await;
    server.serve(Pods::of("cryptoserver"), "/keys", Reply::ok(KEYS));
    let namespace = json!({"metadata": {"name": "logaiter"}});
    server.create("somebody", "", "namespaces", namespace);
    if is_up {
        Cryptoctl::new(&server).arg("up").run().await.expect_code(0);
    }
    server
}

/// Follows a rollout that does not end, until it watches: a complete one may end before that.
async fn follow(server: &ApiServer, call: Cryptoctl) {
    let late = PodScript::default().ready_after(Duration::from_hours(1));
    server.script(Pods::of("cryptoserver"), late);
    server.happen(&Disturbance::Delete {
        namespace: "logaiter".to_owned(),
        pod: "cryptoserver-0".to_owned(),
        at_once: true,
    });
    let following = call.start().await;
    let watches = |server: &ApiServer| {
        let requests = server.requests();
        let mut asked = requests.iter().filter_map(asked);
        asked.any(|(verb, resource)| verb == "watch" && resource == "pods")
    };
    server.until(watches).await;
    following.interrupt().await;
    following.finish().await.expect_code(130);
}

/// A rollout that failed, so that there is something to go back to; undone already, if its pod is to be stuck.
async fn fail(server: &ApiServer, is_undone: bool) {
    let broken = PodScript::default().pull_fails("failed to pull and unpack image: not found");
    server.script(
        Pods::of("cryptoserver").image("quay.io/k8sexercices/fileserver:absent"),
        broken,
    );
    let up = ["up", "--image", "quay.io/k8sexercices/fileserver:absent"];
    Cryptoctl::new(server).args(up).run().await.expect_code(4);
    if is_undone {
        let undo = ["rollout", "undo", "--no-evidence"];
        Cryptoctl::new(server).args(undo).run().await.expect_code(4);
    }
}

/// What a killed experiment leaves behind.
fn leave_scaled_down(server: &ApiServer) {
    let set = ("apps", "statefulsets", "logaiter", "cryptoserver");
    server.change("cryptoctl-chaos", set, |set| {
        set["spec"]["replicas"] = json!(0);
        set["metadata"]["annotations"]["cryptoctl/chaos-replicas"] = json!("2");
    });
}

#[tokio::test]
async fn every_verb_does_its_work_with_the_documented_permissions_alone() {
    let mut unused: BTreeMap<&str, Role> = BTreeMap::new();
    for (verb, roles) in TABLE {
        let server = stage(verb[0] != "up" && verb[0] != "diff").await;
        if verb.contains(&"--restore") {
            leave_scaled_down(&server);
        }
        if verb.contains(&"--inventory") {
            let first = Cryptoctl::new(&server).args(verb);
            first.run().await.expect_code(0);
        }
        if verb.contains(&"undo") || verb.contains(&"unstick") {
            fail(&server, verb.contains(&"unstick")).await;
        }
        let granted = roles.iter().flat_map(|name| role(name)).collect();
        server.confine("confined", granted);
        server.forget_requests();
        let call = Cryptoctl::with_token(&server, "confined");
        let call = call.args(verb).arg("--yes");
        match verb[0] {
            "rollout" if verb[1] == "status" => follow(&server, call).await,
            "diff" => drop(call.run().await.expect_code(3)),
            _ => drop(call.run().await.expect_code(0)),
        }
        let used: Role = server.requests().iter().filter_map(asked).collect();
        for name in roles {
            let left = unused.entry(name).or_insert_with(|| role(name));
            left.retain(|permission| !used.contains(permission) && !is_rare(permission));
        }
    }
    unused.retain(|_, left| !left.is_empty());
    assert_eq!(unused, BTreeMap::new(), "nobody ever uses these");
}

#[tokio::test]
async fn a_cordon_needs_its_node_as_well() {
    let server = stage(true).await;
    server.add_node("node-2");
    let roles = ["chaos", "chaos-evict", "chaos-cordon"];
    server.confine(
        "confined",
        roles.iter().flat_map(|name| role(name)).collect(),
    );
    let output = Cryptoctl::with_token(&server, "confined")
        .args(["chaos", "--fault", "cordon", "--yes"])
        .run()
        .await;
    assert!(!output.stderr.contains("forbidden"), "{}", output.stderr);
    let used: Role = server.requests().iter().filter_map(asked).collect();
    for permission in role("chaos-cordon") {
        assert!(used.contains(&permission), "{permission:?} is never used");
    }
}

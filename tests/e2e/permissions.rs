//! `docs/permissions.md` on the real cluster: a ServiceAccount with exactly these roles can do its
//! work.

use std::path::PathBuf;

use cryptoctl::manifest::{self, Options, Source};

use crate::harness::{Namespace, variable};
use crate::sets;

const DOCUMENT: &str = include_str!("../../docs/permissions.md");

/// A kubeconfig for a new ServiceAccount with these roles of the document.
fn account(namespace: &Namespace, name: &str, roles: &[&str]) -> PathBuf {
    namespace.kubectl(&["create", "serviceaccount", name]);
    let account = format!("--serviceaccount={}:{name}", namespace.name);
    for role in roles {
        let blocks = DOCUMENT.split("```yaml\n").skip(1);
        let mut texts = blocks.map(|block| block.split("```").next().unwrap());
        let head = format!("name: cryptoctl-{role}}}");
        let text = texts.find(|text| text.contains(&head)).unwrap();
        let file = namespace.file(&format!("{role}.yaml"), text);
        namespace.kubectl(&["apply", "-f", file.to_str().unwrap()]);
        let role = format!("--role=cryptoctl-{role}");
        let binding = format!("{name}{}", role.replace("--role=", "-"));
        namespace.kubectl(&["create", "rolebinding", &binding, &role, &account]);
        wait_until_granted(namespace, name, text);
    }
    let token = namespace.kubectl(&["create", "token", name]);
    let minified = ["config", "view", "--minify", "--flatten", "-o", "json"];
    let admin: serde_json::Value = serde_json::from_str(&namespace.kubectl(&minified)).unwrap();
    let mut own = admin.clone();
    own["users"][0]["user"] = serde_json::json!({"token": token.trim()});
    namespace.file(&format!("{name}.kubeconfig"), &own.to_string())
}

/// Waits until a role of the document counts for an account.
fn wait_until_granted(namespace: &Namespace, account: &str, role: &'static str) {
    let source = Source::Embedded {
        name: "permissions.md",
        text: role,
    };
    let set = manifest::load(&[source], Options::default()).unwrap();
    let mut objects = set.manifests().iter();
    let role = objects.find(|object| object.reference.kind == "Role");
    let rule = &role.unwrap().value["rules"][0];
    let first = |key: &str| rule[key][0].as_str().unwrap();
    let (resource, subresource) = first("resources")
        .split_once('/')
        .unwrap_or((first("resources"), ""));
    let resource = format!("{resource}.{}", first("apiGroups"));
    let resource = resource.trim_end_matches('.');
    let subresource = format!("--subresource={subresource}");
    let user = format!("system:serviceaccount:{}:{account}", namespace.name);
    namespace.until_granted(&user, &[first("verbs"), resource, &subresource]);
}

#[test]
fn every_verb_does_its_work_with_the_documented_permissions_alone() {
    // No command here asks for consent.
    let _ = variable("CRYPTOCTL_SANDBOX_KUBECTL");
    let namespace = Namespace::new("permissions");
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    let set = sets::built_in(&namespace, 50);
    let table: [(&str, &[&str], &[&str], i32); 14] = [
        ("diff", &["diff"], &["diff"], 3),
        ("up", &["up"], &["up"], 0),
        ("rollout", &["rollout", "status"], &["rollout-status"], 0),
        ("verify", &["verify", "--path", "/keys"], &["verify"], 0),
        ("logs", &["logs"], &["logs"], 0),
        (
            "control",
            // An interval that is long enough for the slowest machine: a late probe is a disturbance.
            &[
                "chaos",
                "--path",
                "/keys",
                "--control",
                "--for",
                "1s",
                "--probe-interval",
                "10s",
            ],
            &["chaos"],
            0,
        ),
        (
            "delete",
            &["chaos", "--path", "/keys", "--fault", "delete"],
            &["chaos", "chaos-delete"],
            0,
        ),
        (
            "force",
            &["chaos", "--path", "/keys", "--fault", "force-delete"],
            &["chaos", "chaos-delete"],
            0,
        ),
        (
            "evict",
            &["chaos", "--path", "/keys", "--fault", "evict"],
            &["chaos", "chaos-evict"],
            0,
        ),
        (
            "kill",
            &["chaos", "--path", "/keys", "--fault", "kill"],
            &["chaos", "chaos-kill"],
            0,
        ),
        (
            "restart",
            &["chaos", "--path", "/keys", "--fault", "restart"],
            &["chaos", "chaos-change"],
            0,
        ),
        (
            "scale",
            &[
                "chaos",
                "--path",
                "/keys",
                "--fault",
                "scale",
                "--allow-disruption",
            ],
            &["chaos", "chaos-change"],
            0,
        ),
        ("restore", &["chaos", "--restore"], &["restore"], 0),
        ("down", &["down"], &["down"], 0),
    ];
    for (name, verb, roles, code) in table {
        let kubeconfig = account(&namespace, name, roles);
        let arguments = [verb, &["-f", &set, "--yes"]].concat();
        namespace.here_as(&kubeconfig, &arguments).expect(code);
    }
}

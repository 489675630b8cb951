//! Fields that real managers own: named with their owners, settled by pasting the hints.

use serde_json::Value;

use crate::harness::{Ended, Namespace};
use crate::sets;

/// The commands in the hints of a run.
fn hints(ended: &Ended) -> Vec<String> {
    let quoted = ended.stderr.split('`').skip(1).step_by(2);
    let commands = quoted.filter(|text| text.starts_with("cryptoctl "));
    commands.map(str::to_owned).collect()
}

fn diff(namespace: &Namespace, set: &str, more: &[&str]) -> Ended {
    namespace.cryptoctl(&[&["diff", "-f", set], more].concat())
}

/// The built-in set, applied and not waited for.
fn applied(namespace: &Namespace) -> String {
    let set = sets::built_in(namespace, 50);
    let up = ["up", "-f", &set, "--no-wait"];
    namespace.cryptoctl(&up).expect(0);
    set
}

#[test]
fn a_scaled_set_is_settled_either_way_by_the_hint() {
    let namespace = Namespace::new("conflict");
    let set = applied(&namespace);
    namespace.kubectl(&["scale", "statefulset/cryptoserver", "--replicas", "3"]);
    let live = || namespace.object("statefulset/cryptoserver");
    let before = live()["metadata"]["generation"].clone();
    let row = "`.spec.replicas` (live 3, ours 2) is owned by kubectl (update of scale)";
    let shown = diff(&namespace, &set, &[]).expect(3).says(row);
    let refused = namespace.cryptoctl(&["up", "-f", &set]).expect(1).says(row);
    assert_eq!(
        live()["metadata"]["generation"],
        before,
        "never forced unasked"
    );
    assert_eq!(hints(&shown), hints(&refused));
    let [take, leave] = hints(&refused).try_into().unwrap();
    for (hint, replicas) in [(leave, 3), (take, 2)] {
        namespace.paste(&format!("{hint} --no-wait")).expect(0);
        assert_eq!(live()["spec"]["replicas"], replicas, "{hint}");
        let again = hint.replacen(" up ", " diff ", 1);
        namespace.paste(&again).expect(0);
    }
}

#[test]
fn a_variable_that_somebody_has_added_is_listed_and_removed_by_the_hint() {
    let namespace = Namespace::new("sneaky");
    let set = applied(&namespace);
    namespace.kubectl(&["set", "env", "statefulset/cryptoserver", "SNEAKY=1"]);
    let shown = diff(&namespace, &set, &[]).expect(0);
    let listed = "  kubectl-set: .spec.template.spec.containers[name=\"api\"].env[name=\"SNEAKY\"]";
    assert!(shown.stdout.contains(listed), "{}", shown.stdout);
    diff(&namespace, &set, &["--fail-on-undeclared"]).expect(3);
    // kubectl has added it to the init container, too.
    for _ in 0..2 {
        let shown = diff(&namespace, &set, &[]);
        let [hint] = hints(&shown).try_into().unwrap();
        namespace.paste(&format!("{hint} --no-wait")).expect(0);
    }
    let live = namespace.object("statefulset/cryptoserver");
    assert!(!live["spec"].to_string().contains("SNEAKY"), "{live}");
    let clean = diff(&namespace, &set, &["--fail-on-undeclared"]).expect(0);
    assert!(!clean.stdout.contains("undeclared"), "{}", clean.stdout);
}

#[test]
fn a_saved_plan_does_what_it_says_or_names_what_has_moved() {
    let namespace = Namespace::new("saved");
    let set = applied(&namespace);
    let plan = namespace.file("plan.json", "");
    let plan = plan.to_str().unwrap();
    let out = ["up", "-f", &set, "--replicas", "3", "--plan-out", plan];
    let saved = namespace.cryptoctl(&out).expect(0);
    let live = || namespace.object("statefulset/cryptoserver");
    assert_eq!(live()["spec"]["replicas"], 2, "nothing was stored");
    let [hint] = hints(&saved).try_into().unwrap();
    // The status has moved since, which is no change.
    namespace.kubectl(&["rollout", "status", "statefulset/cryptoserver"]);
    namespace.paste(&format!("{hint} --no-wait")).expect(0);
    assert_eq!(live()["spec"]["replicas"], 3);

    let out = ["up", "-f", &set, "--replicas", "4", "--plan-out", plan];
    let saved = namespace.cryptoctl(&out).expect(0);
    let [hint] = hints(&saved).try_into().unwrap();
    namespace.kubectl(&["set", "env", "statefulset/cryptoserver", "SNEAKY=1"]);
    let generation = live()["metadata"]["generation"].clone();
    let moved = "the live state of `statefulset/cryptoserver` has changed since the plan was saved: \
                 .spec.template.spec.containers";
    namespace.paste(&hint).expect(1).says(moved);
    assert_eq!(live()["metadata"]["generation"], generation);
}

#[test]
fn what_kubectl_created_from_the_same_manifest_is_not_undeclared() {
    let namespace = Namespace::new("created");
    let set = sets::built_in(&namespace, 50);
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    namespace.kubectl(&["create", "-f", &set]);
    let shown = diff(&namespace, &set, &["--fail-on-undeclared"]).expect(0);
    assert!(!shown.stdout.contains("undeclared"), "{}", shown.stdout);
    let up = ["up", "-f", &set, "--no-wait"];
    namespace.cryptoctl(&up).expect(0);
    diff(&namespace, &set, &["--fail-on-undeclared"]).expect(0);
}

#[test]
fn blame_names_every_owner_of_a_live_object() {
    let namespace = Namespace::new("blame");
    let set = applied(&namespace);
    namespace.kubectl(&["scale", "statefulset/cryptoserver", "--replicas", "3"]);
    let blamed = diff(&namespace, &set, &["--blame", "--yield", ".spec.replicas"]).expect(0);
    for (owner, field) in [
        ("kubectl (scale)", "  replicas: 3"),
        ("cryptoctl", "  serviceName: cryptoserver"),
        ("server default", "  revisionHistoryLimit: 10"),
    ] {
        let is_row = |line: &str| line.starts_with(owner) && line.ends_with(field);
        assert!(
            blamed.stdout.lines().any(is_row),
            "{owner}: {}",
            blamed.stdout
        );
    }
    let report: Value = {
        let json = ["-o", "json", "diff", "-f", &set, "--blame"];
        namespace.cryptoctl(&json).expect(3).report()
    };
    let objects = report["objects"].as_array().unwrap();
    let lines = objects
        .iter()
        .flat_map(|object| object["blame"].as_array().unwrap());
    let mut lines = lines.filter(|line| line["field"] == ".spec.replicas");
    assert_eq!(lines.next().unwrap()["owners"][0]["subresource"], "scale");
}

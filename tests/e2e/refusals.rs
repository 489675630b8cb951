//! Requests that the real cluster refuses, and the messages of `cryptoctl`.

use crate::harness::Namespace;
use crate::sets;

fn exists(namespace: &Namespace) -> bool {
    namespace
        .try_kubectl(&["get", "namespace", &namespace.name])
        .status
        .success()
}

#[test]
fn a_storage_class_that_does_not_exist_is_refused_before_anything_is_written() {
    let namespace = Namespace::new("no-class");
    let set = sets::built_in(&namespace, 50);
    namespace
        .cryptoctl(&["up", "-f", &set, "--storage-class", "fast"])
        .expect(1)
        .says("`fast`")
        .says("`standard` (default)")
        .says("--storage-class standard");
    assert!(!exists(&namespace), "nothing was written");
    namespace
        .cryptoctl(&["up", "-f", &set, "--storage-class", "standard", "--no-wait"])
        .expect(0);
}

#[test]
fn an_unknown_field_is_refused_before_anything_is_written() {
    let namespace = Namespace::new("typo");
    let file = namespace.file(
        "typo.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: typo}\nspec: {clusterIp: None}\n",
    );
    namespace
        .here(&["up", "-f", file.to_str().unwrap()])
        .expect(1)
        .says("clusterIp");
    assert!(!exists(&namespace), "nothing was written");
}

#[test]
fn a_missing_permission_is_named_by_verb_and_resource() {
    let namespace = Namespace::new("forbidden");
    let set = sets::built_in(&namespace, 50);
    namespace
        .cryptoctl(&["up", "-f", &set, "--as", "nobody"])
        .expect(1)
        .says("cannot get resource \"persistentvolumeclaims\"")
        .says("cannot get resource \"statefulsets\"");
    assert!(!exists(&namespace), "nothing was written");
    namespace
        .cryptoctl(&["up", "-f", &set, "--no-wait"])
        .expect(0);
    namespace
        .cryptoctl(&["verify", "-f", &set, "--path", "/keys", "--as", "nobody"])
        .expect(1)
        .says("statefulsets");
}

#[test]
fn a_port_forward_that_is_not_allowed_proves_nothing() {
    let namespace = Namespace::new("no-forward");
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    namespace.kubectl(&[
        "create",
        "rolebinding",
        "reader",
        "--clusterrole=view",
        "--user=reader",
    ]);
    namespace.until_granted("reader", &["list", "pods"]);
    let report = namespace
        .cryptoctl(&[
            "-o", "json", "verify", "-f", &set, "--path", "/keys", "--as", "reader",
        ])
        .expect(5)
        .report();
    assert_eq!(
        report["replicas"][0]["error"]["problem"], "not_asked",
        "{report}"
    );
}

#[test]
fn an_image_that_cannot_be_pulled_ends_the_wait_with_the_cause() {
    let namespace = Namespace::new("image");
    let set = sets::built_in(&namespace, 50);
    for image in [
        "quay.io/k8sexercices/fileserver:absent",
        "quay.io/denied/fileserver:v1.0",
    ] {
        let report = namespace
            .cryptoctl(&["-o", "json", "up", "-f", &set, "--image", image])
            .expect(4)
            .report();
        let cause = &report["rollouts"][0]["progress"]["cause"];
        assert!(cause["message"].to_string().contains(image), "{report}");
        namespace
            .cryptoctl(&["down", "-f", &set, "--yes"])
            .expect(0);
    }
}

#[test]
fn a_rollback_of_a_bad_image_is_diagnosed_as_stuck() {
    let namespace = Namespace::new("stuck");
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let bad = "quay.io/k8sexercices/fileserver:absent";
    namespace
        .cryptoctl(&["up", "-f", &set, "--image", bad])
        .expect(4);
    let report = namespace
        .cryptoctl(&["-o", "json", "up", "-f", &set])
        .expect(4)
        .report();
    assert_eq!(
        report["rollouts"][0]["progress"]["cause"]["cause"], "stuck_revision",
        "{report}"
    );
}

#[test]
fn an_image_that_never_arrives_is_undecided_at_the_deadline() {
    let namespace = Namespace::new("slow");
    let set = sets::built_in(&namespace, 50);
    let image = "quay.io/slow/fileserver:v1.0";
    namespace
        .cryptoctl(&["up", "-f", &set, "--image", image, "--timeout", "6s"])
        .expect(5);
}

#[test]
fn a_workload_that_does_not_exist_is_named() {
    let namespace = Namespace::new("absent");
    for command in [&["rollout", "status"][..], &["verify"], &["logs"]] {
        namespace
            .here(command)
            .expect(1)
            .says(&format!("namespace `{}` does not exist", namespace.name));
    }
}

#[test]
fn no_replicas_prove_nothing() {
    let namespace = Namespace::new("zero");
    let set = sets::built_in(&namespace, 50);
    namespace
        .cryptoctl(&["up", "-f", &set, "--replicas", "0"])
        .expect(0);
    namespace
        .cryptoctl(&["verify", "-f", &set, "--path", "/keys"])
        .expect(5)
        .says("no replicas");
}

//! Objects that left the manifests, found by an inventory that other tools read, too.

use crate::harness::Namespace;
use crate::sets;

#[test]
fn a_config_map_that_left_the_folder_is_listed_and_pruned() {
    let namespace = Namespace::new("inventory");
    let set = sets::built_in(&namespace, 50);
    let extra = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n";
    let extra = namespace.file("builtin/extra.yaml", extra);
    let run = |verb: &str, more: &[&str]| {
        let common = [
            verb,
            "-f",
            &set,
            "-n",
            &namespace.name,
            "--inventory",
            "ours",
        ];
        namespace.cryptoctl(&[&common, more].concat())
    };
    run("up", &[]).expect(0);
    run("diff", &["--prune"]).expect(0);
    let claim = || namespace.object("persistentvolumeclaim/cryptodata")["metadata"]["uid"].clone();
    let before = claim();

    std::fs::remove_file(extra).unwrap();
    let shown = run("diff", &[]).expect(0);
    let line = format!(
        "configmap/extra in namespace {} is no longer",
        namespace.name
    );
    assert!(shown.stdout.contains(&line), "{}", shown.stdout);
    run("up", &["--prune"]).expect(2);
    run("up", &["--prune", "--yes"]).expect(0).says("1 pruned");
    let left = namespace.kubectl(&["get", "configmaps", "-o", "name"]);
    assert!(!left.contains("extra"), "{left}");
    run("diff", &["--prune"]).expect(0);

    // kubectl sees that it is another tool's, and would find the same objects if it were its own.
    let file = format!("{set}/service.yaml");
    let apply = ["apply", "-f", &file, "--prune", "--applyset=configmap/ours"];
    let refused = namespace.try_kubectl(&apply);
    let refused = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        refused.contains("managed by tooling \"cryptoctl\""),
        "{refused}"
    );
    let tooling = |tool: &str| {
        let annotation = format!("applyset.kubernetes.io/tooling={tool}");
        namespace.kubectl(&["annotate", "--overwrite", "configmap/ours", &annotation]);
    };
    tooling("kubectl/v1");
    let tried = namespace.kubectl(
        &[
            &apply[..],
            &["--dry-run=server", "--server-side", "--force-conflicts"],
        ]
        .concat(),
    );
    assert!(
        tried.contains("statefulset.apps/cryptoserver pruned"),
        "{tried}"
    );
    tooling("cryptoctl/v1");

    let down = [
        "down",
        "-n",
        &namespace.name,
        "--inventory",
        "ours",
        "--yes",
    ];
    namespace.cryptoctl(&down).expect(0);
    assert_eq!(claim(), before);
    let all = [&down[..], &["--delete-data"]].concat();
    namespace.cryptoctl(&all).expect(0);
    let left = namespace.kubectl(&[
        "get",
        "configmaps,persistentvolumeclaims,statefulsets,services",
        "-o",
        "name",
    ]);
    assert!(
        !left.contains("cryptoserver") && !left.contains("ours"),
        "{left}"
    );
}

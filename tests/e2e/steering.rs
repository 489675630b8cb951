//! `rollout history`, `undo`, `restart`, `pause`, `resume` and `unstick` on the real cluster: what is broken is healed,
//! what is well is left alone, and the keys stay the same.

use std::path::PathBuf;

use serde_json::Value;

use crate::harness::Namespace;
use crate::sets;

const SET: &str = "statefulset/cryptoserver";
const BAD: &str = "quay.io/k8sexercices/fileserver:absent";

/// The UIDs of a claim and of the two pods.
fn identities(namespace: &Namespace) -> [String; 3] {
    ["pvc/cryptodata", "pod/cryptoserver-0", "pod/cryptoserver-1"].map(|name| {
        let object = namespace.object(name);
        object["metadata"]["uid"].as_str().unwrap().to_owned()
    })
}

/// The digest of what every replica serves.
fn served(namespace: &Namespace, set: &str) -> Value {
    let report = namespace.cryptoctl(&["-o", "json", "verify", "-f", set, "--path", "/keys"]);
    report.expect(0).report()["groups"][0]["sha256"].clone()
}

#[test]
fn the_stuck_roll_back_is_healed_and_serves_the_same_keys() {
    let namespace = Namespace::new("unstick");
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let keys = served(&namespace, &set);
    let [claim, first, second] = identities(&namespace);
    namespace
        .cryptoctl(&["up", "-f", &set, "--image", BAD])
        .expect(4);
    let undo = ["rollout", "undo", SET, "--no-evidence"];
    namespace
        .here(&undo)
        .expect(4)
        .says("rolled back to revision 1");
    let folder = namespace.folder().to_str().unwrap().to_owned();
    let unstick = ["rollout", "unstick", SET, "--yes", "--evidence", &folder];
    namespace
        .here(&unstick)
        .expect(0)
        .says("pod/cryptoserver-1 deleted: it was stuck at revision")
        .says("evidence saved in");
    let saved = std::fs::read_dir(namespace.folder()).unwrap();
    let mut saved = saved.map(|entry| entry.unwrap().path());
    let is_evidence = |path: &PathBuf| path.to_string_lossy().contains("cryptoctl-evidence-");
    let saved = saved.find(is_evidence).unwrap();
    let log = std::fs::read_to_string(saved.join("cryptoserver-0-api.log")).unwrap();
    assert!(!log.trim().is_empty());
    let diagnosis = std::fs::read_to_string(saved.join("diagnosis.json")).unwrap();
    assert!(diagnosis.contains(BAD), "{diagnosis}");
    let [same_claim, same_first, other_second] = identities(&namespace);
    assert_eq!((same_claim, same_first), (claim, first));
    assert_ne!(other_second, second);
    assert_eq!(served(&namespace, &set), keys);
    namespace.cryptoctl(&["diff", "-f", &set]).expect(0);
}

#[test]
fn a_failed_rollout_goes_back_by_itself_and_is_still_a_failure() {
    let namespace = Namespace::new("rollback");
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let keys = served(&namespace, &set);
    let [claim, first, _] = identities(&namespace);
    let flags = ["--image", BAD, "--rollback-on-failure", "--no-evidence"];
    let up = [&["up", "-f", &set], &flags[..]].concat();
    namespace
        .cryptoctl(&up)
        .expect(4)
        .says("rolled back to revision 1");
    let [same_claim, same_first, _] = identities(&namespace);
    assert_eq!((same_claim, same_first), (claim, first));
    assert_eq!(served(&namespace, &set), keys);
    namespace.cryptoctl(&["diff", "-f", &set]).expect(0);
}

#[test]
fn a_paused_rollout_outlives_up_and_the_history_tells_what_changed() {
    let namespace = Namespace::new("pause");
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let before = identities(&namespace);
    namespace.here(&["rollout", "pause", SET]).expect(0);
    let file = format!("{set}/statefulset.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replace("value: \"50\"", "value: \"60\"");
    assert_ne!(changed, text);
    std::fs::write(&file, changed).unwrap();
    namespace
        .cryptoctl(&["up", "-f", &set])
        .expect(0)
        .says("keep the old template because the rollout is paused");
    assert_eq!(identities(&namespace), before);
    namespace.here(&["rollout", "resume", SET]).expect(0);
    let after = identities(&namespace);
    assert_eq!(after[0], before[0]);
    assert!(after[1] != before[1] && after[2] != before[2]);
    let history = namespace.here(&["rollout", "history", SET]).expect(0);
    let words = ".env[name=\"FILESERVER_STEP_MILLISECONDS\"].value: \"50\" → \"60\"";
    assert!(history.stdout.contains(words), "{}", history.stdout);
    namespace.cryptoctl(&["diff", "-f", &set]).expect(0);
    namespace.here(&["rollout", "restart", SET]).expect(0);
    let restarted = identities(&namespace);
    assert!(restarted[1] != after[1] && restarted[2] != after[2]);
    namespace.cryptoctl(&["diff", "-f", &set]).expect(0);
}
